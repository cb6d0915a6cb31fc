//! Owns rows of cells: CSV, its columns, and every way in which a table can be no table.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::blocks::Shape;
use super::error::DataError;
use super::rows::{Gathering, Limits, MARK, Opened, Table};
use crate::expr::Value;

/// What a plan says of a CSV file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    pub header: bool,
    pub delimiter: Option<u8>,
    pub columns: Option<&'a [String]>,
}

/// What may stand between cells when the plan does not say; of equally frequent ones the first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a line of the file becomes a row.
#[derive(Debug)]
pub(super) struct Cells {
    delimiter: u8,
    names: Option<Arc<[Arc<str>]>>,
    width: usize,
}

/// Reads a whole file once.
pub(super) fn read(
    opened: Opened,
    layout: Layout<'_>,
    limits: &Limits,
) -> Result<Table, DataError> {
    if let Some(wrong @ (b'"' | b'\r' | b'\n' | 0x80..)) = layout.delimiter {
        return Err(DataError::new(
            format!("{:?} cannot stand between cells", char::from(wrong)),
            "`delimiter` is one character, as `;`",
        ));
    }
    let head = head(&opened)?;
    let unmarked = head.strip_prefix(MARK).unwrap_or(&head);
    let delimiter = layout.delimiter.unwrap_or_else(|| guess(unmarked));
    // A block that began with the mark would begin with it in its first cell.
    let begin = (head.len() - unmarked.len()) as u64;
    let sealed = Sealed::new(&opened.file, delimiter, limits.row);
    let mut reader = reader(sealed, delimiter, 64 << 10);
    let mut cells: Option<Cells> = None;
    let mut gathering = Gathering::new(&opened, limits);
    let mut record = ByteRecord::new();
    loop {
        let start = reader.position().byte().max(begin);
        let there = reader.read_byte_record(&mut record);
        let sealed = reader.get_mut();
        if sealed.too_long {
            return Err(too_long(&opened, start, limits.row));
        }
        sealed.since = 0;
        let (given, seal) = (sealed.given, sealed.seal);
        match there {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(unread(&opened, error)),
        }
        // What reaches into the seal further than its line end is the seal, or was never closed.
        if reader.position().byte() > given + 1 {
            if record.len() == 1 && record[0] == seal[1..2] {
                break;
            }
            return Err(not_closed(&opened, start));
        }
        let blank = match &cells {
            Some(cells) => is_blank(&record, cells.width),
            // An empty line never gets here: this would be an empty cell in quotes.
            None => layout.header && is_blank(&record, 0) && !record[0].is_empty(),
        };
        if blank {
            continue;
        }
        if !is_text(&record) {
            let line = opened.line_at(start);
            return Err(DataError::not_utf8(&opened.shown, line, record.as_slice()));
        }
        let cells = match &cells {
            Some(cells) => cells,
            None => {
                let names = names(&opened, &record, layout)?;
                let first = cells.insert(Cells { delimiter, names, width: record.len() });
                if layout.header {
                    continue;
                }
                first
            }
        };
        if record.len() != cells.width {
            return Err(ragged(&opened, start, gathering.count() + 1, &record, cells.width));
        }
        gathering.push(start, || cells.row(&record));
    }
    let end = reader.get_ref().given;
    drop(reader);
    let Some(cells) = cells else {
        return Err(DataError::no_rows(&format!("`{}`", opened.shown)));
    };
    let columns = cells.names.as_deref().map(<[_]>::to_vec);
    let rows = gathering.finish(opened, Shape::Csv(cells), end)?;
    Ok(Table { rows, columns, text: true })
}

impl Cells {
    /// Without names a row is a list.
    fn row(&self, record: &ByteRecord) -> Value {
        let texts = record
            .iter()
            .map(|cell| Value::Text(str::from_utf8(cell).expect("it was looked at").into()));
        match &self.names {
            Some(names) => Value::Map(Arc::new(names.iter().cloned().zip(texts).collect())),
            None => Value::List(Arc::new(texts.collect())),
        }
    }

    pub(super) fn read(&self, bytes: &[u8], skip: u64, take: u64) -> Option<Vec<Value>> {
        let mut reader = reader(bytes, self.delimiter, bytes.len().min(64 << 10));
        let (mut record, mut rows) = (ByteRecord::new(), Vec::with_capacity(take as usize));
        let mut passed = 0;
        while (rows.len() as u64) < take {
            if !reader.read_byte_record(&mut record).ok()? {
                return None;
            }
            if is_blank(&record, self.width) {
                continue;
            }
            passed += 1;
            if passed <= skip {
                continue;
            }
            if record.len() != self.width || !is_text(&record) {
                return None;
            }
            rows.push(self.row(&record));
        }
        Some(rows)
    }
}

fn reader<R: Read>(from: R, delimiter: u8, buffer: usize) -> Reader<R> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(buffer)
        .from_reader(from)
}

/// A line of white space, unless rows of this width may be one.
fn is_blank(record: &ByteRecord, width: usize) -> bool {
    width != 1 && record.len() == 1 && record[0].iter().all(u8::is_ascii_whitespace)
}

/// Cell by cell: two halves of a character in two cells are no character.
fn is_text(record: &ByteRecord) -> bool {
    record.as_slice().is_ascii() || record.iter().all(|cell| str::from_utf8(cell).is_ok())
}

/// The first 64 KiB.
fn head(opened: &Opened) -> Result<Vec<u8>, DataError> {
    let mut bytes = vec![0; 64 << 10];
    let count = opened
        .file
        .read_at(&mut bytes, 0)
        .map_err(|error| DataError::unread(&opened.shown, &error))?;
    bytes.truncate(count);
    Ok(bytes)
}

/// The delimiter that is most frequent in the first line, outside of quotes.
fn guess(head: &[u8]) -> u8 {
    let (mut found, mut quoted, mut begun) = ([0_u32; DELIMITERS.len()], false, false);
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if begun && !quoted => break,
            b'\r' | b'\n' | b' ' if !begun => continue,
            _ if quoted => {}
            _ => {
                for (count, known) in found.iter_mut().zip(DELIMITERS) {
                    *count += u32::from(*byte == known);
                }
            }
        }
        begun = true;
    }
    let most = *found.iter().max().expect("there are some");
    let at = found.iter().position(|count| *count == most).expect("the most is one of them");
    DELIMITERS[at]
}

/// The names of the columns: the plan's, else those of the header.
fn names(
    opened: &Opened,
    first: &ByteRecord,
    layout: Layout<'_>,
) -> Result<Option<Arc<[Arc<str>]>>, DataError> {
    let shown = &opened.shown;
    let names: Vec<Arc<str>> = match layout.columns {
        Some(columns) => columns.iter().map(|name| name.as_str().into()).collect(),
        None if layout.header => first
            .iter()
            // `name, email` is meant as `name,email`: no expression could say ` email`.
            .map(|cell| str::from_utf8(cell).expect("it was looked at").trim().into())
            .collect(),
        None => return Ok(None),
    };
    if names.len() != first.len() {
        return Err(DataError::new(
            format!("`{shown}` has {} and not {}", columns(first.len()), names.len()),
            "`columns` names each column of the file, in its order",
        ));
    }
    let mend = if layout.columns.is_some() {
        "give each column a name of its own"
    } else {
        "mend the first line, or name the columns with `columns`"
    };
    let mut seen = HashSet::new();
    for (name, number) in names.iter().zip(1..) {
        if name.is_empty() {
            return Err(DataError::new(format!("column {number} of `{shown}` has no name"), mend));
        }
        if !seen.insert(name) {
            return Err(DataError::new(format!("`{shown}` has two columns `{name}`"), mend));
        }
    }
    Ok(Some(names.into()))
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}

fn unread(opened: &Opened, error: csv::Error) -> DataError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::unread(&opened.shown, &error),
        _ => DataError::changed(&opened.shown),
    }
}

fn ragged(opened: &Opened, start: u64, row: u64, record: &ByteRecord, width: usize) -> DataError {
    let line = opened.line_at(start);
    let hint = if record.iter().any(|cell| cell.contains(&b'\n')) {
        "it reaches over several lines: look for a `\"` that is not closed"
    } else if width == 1 {
        "say what stands between cells with `delimiter`, or put the cell in `\"`"
    } else {
        "give each row as many cells as the first line; a cell with the delimiter in it stands in `\"`"
    };
    DataError::new(
        format!(
            "row {row} of `{}` (line {line}) has {} and not {width}",
            opened.shown,
            cells(record.len())
        ),
        hint,
    )
}

fn not_closed(opened: &Opened, start: u64) -> DataError {
    DataError::new(
        format!(
            "a `\"` is not closed in the row at line {} of `{}`",
            opened.line_at(start),
            opened.shown
        ),
        "close it; a `\"` within a quoted cell is written twice",
    )
}

fn too_long(opened: &Opened, start: u64, limit: u64) -> DataError {
    DataError::new(
        format!(
            "the row at line {} of `{}` is longer than {} MiB",
            opened.line_at(start),
            opened.shown,
            limit >> 20
        ),
        "look for a `\"` that is not closed",
    )
}

/// A file with a line of its own after its last: a quote that is open at the end swallows the seal,
/// which is how it is found out. It also gives up on rows without end.
struct Sealed<'a> {
    file: &'a File,
    /// How many bytes of the file were given.
    given: u64,
    /// How many since the last row.
    since: u64,
    limit: u64,
    too_long: bool,
    seal: &'static [u8],
    sealed: usize,
}

impl<'a> Sealed<'a> {
    fn new(file: &'a File, delimiter: u8, limit: u64) -> Self {
        let seal = if delimiter == b'.' { b"\n:\n" } else { b"\n.\n" };
        Self { file, given: 0, since: 0, limit, too_long: false, seal, sealed: 0 }
    }
}

impl Read for Sealed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since > self.limit {
            self.too_long = true;
            return Err(io::Error::other("the row is too long"));
        }
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.given += count as u64;
        self.since += count as u64;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        let count = (&self.seal[self.sealed..]).read(buffer)?;
        self.sealed += count;
        Ok(count)
    }
}
