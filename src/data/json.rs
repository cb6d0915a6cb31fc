//! Owns rows of JSON: one array, or one value a line; and the keys that rows have in common.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::blocks::Shape;
use super::error::DataError;
use super::rows::{Gathering, Limits, MARK, Opened, Rows, Table};
use crate::expr::Value;

/// The keys of the rows so far.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Those of the first row.
    first: Option<Vec<Arc<str>>>,
    /// A row was no map, or had other keys.
    differ: bool,
}

impl Keys {
    /// Looks at the next row, and lets it share the keys of the first. The error is a key that it has twice.
    pub(super) fn learn(&mut self, mut row: Value) -> Result<Value, String> {
        if self.share(&mut row) {
            return Ok(row);
        }
        let Value::Map(entries) = &row else {
            self.differ = true;
            return Ok(row);
        };
        let mut seen = HashSet::new();
        if let Some((twice, _)) = entries.iter().find(|(key, _)| !seen.insert(&**key)) {
            return Err(twice.to_string());
        }
        match &self.first {
            // In another order they are the same columns still.
            Some(first) => {
                self.differ |=
                    first.len() != seen.len() || !first.iter().all(|key| seen.contains(&**key));
            }
            None => self.first = Some(entries.iter().map(|(key, _)| key.clone()).collect()),
        }
        Ok(row)
    }

    /// Whether the row has the keys of the first row, in its order: it then shares them.
    fn share(&self, row: &mut Value) -> bool {
        let (Some(first), Value::Map(entries)) = (&self.first, row) else { return false };
        if entries.len() != first.len()
            || !entries.iter().zip(first).all(|(one, key)| one.0 == *key)
        {
            return false;
        }
        if let Some(entries) = Arc::get_mut(entries) {
            for (entry, key) in entries.iter_mut().zip(first) {
                entry.0 = key.clone();
            }
        }
        true
    }

    /// When every row is a map of the same keys.
    pub(super) fn columns(&self) -> Option<Vec<Arc<str>>> {
        self.first.clone().filter(|_| !self.differ)
    }

    pub(super) fn read(&self, bytes: &[u8], skip: u64, take: u64) -> Option<Vec<Value>> {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !is_blank(line));
        let rows: Option<Vec<_>> = lines
            .skip(usize::try_from(skip).ok()?)
            .take(usize::try_from(take).ok()?)
            .map(|line| {
                let mut row = serde_json::from_slice(line).ok()?;
                self.share(&mut row);
                Some(row)
            })
            .collect();
        rows.filter(|rows| rows.len() as u64 == take)
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

fn key_twice(row: u64, shown: &str, key: &str) -> DataError {
    DataError::new(format!("row {row} of `{shown}` has `{key}` twice"), "leave one out")
}

/// What the parser says, without the place that it puts after it.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// Reads a file with one value a line, once.
pub(super) fn read_lines(opened: Opened, limits: &Limits) -> Result<Table, DataError> {
    let mut reader = BufReader::with_capacity(64 << 10, &opened.file);
    let (mut keys, mut gathering) = (Keys::default(), Gathering::new(&opened, limits));
    let (mut start, mut number, mut line) = (0, 0, Vec::new());
    loop {
        line.clear();
        (&mut reader)
            .take(limits.row + 1)
            .read_until(b'\n', &mut line)
            .map_err(|error| DataError::unread(&opened.shown, &error))?;
        if line.is_empty() {
            break;
        }
        number += 1;
        if line.len() as u64 > limits.row {
            return Err(DataError::new(
                format!(
                    "line {number} of `{}` is longer than {} MiB",
                    opened.shown,
                    limits.row >> 20
                ),
                "write one value a line",
            ));
        }
        let mut byte = start;
        start += line.len() as u64;
        let mut text = line.as_slice();
        if let Some(rest) = text.strip_prefix(MARK).filter(|_| number == 1) {
            (text, byte) = (rest, byte + MARK.len() as u64);
        }
        if is_blank(text) {
            continue;
        }
        let text =
            str::from_utf8(text).map_err(|_| DataError::not_utf8(&opened.shown, number, &line))?;
        // Without its end, or a value that is cut would be wrong in column 0 of the next line.
        let row = serde_json::from_str(text.trim_end()).map_err(|error| {
            DataError::new(
                format!(
                    "`{}` is not JSON at {number}:{}: {}",
                    opened.shown,
                    error.column(),
                    problem(&error)
                ),
                "each line is one whole value; for one array over several lines say `format: json`",
            )
        })?;
        let row =
            keys.learn(row).map_err(|key| key_twice(gathering.count() + 1, &opened.shown, &key))?;
        gathering.push(byte, || row);
    }
    let columns = keys.columns();
    let rows = gathering.finish(opened, Shape::JsonLines(keys), start)?;
    Ok(Table { rows, columns, text: false })
}

/// Reads a file that is one array.
pub(super) fn read_array(opened: Opened, limits: &Limits) -> Result<Table, DataError> {
    let shown = &opened.shown;
    let mut bytes = Vec::with_capacity(usize::try_from(opened.size.min(limits.json)).unwrap_or(0));
    (&opened.file)
        .take(limits.json + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| DataError::unread(shown, &error))?;
    if bytes.len() as u64 > limits.json {
        return Err(DataError::new(
            format!("`{shown}` is larger than {} MiB", limits.json >> 20),
            "write it as JSON Lines (`.jsonl`, one row a line), of which only parts are held",
        ));
    }
    let text = str::from_utf8(&bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        DataError::not_utf8(shown, line, &bytes)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut array = Array { keys: Keys::default(), rows: Vec::new(), twice: None };
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = if text.trim_start().starts_with('[') {
        array.deserialize(&mut parser).and_then(|()| parser.end())
    } else {
        match serde_json::from_str::<Value>(text) {
            Ok(other) => {
                let title = format!("`{shown}` holds {} and not a list of rows", other.kind());
                return Err(DataError::new(title, "write `[row, row, …]`"));
            }
            Err(error) => Err(error),
        }
    };
    if let Some(key) = array.twice {
        return Err(key_twice(array.rows.len() as u64 + 1, shown, &key));
    }
    read.map_err(|error| {
        let problem = problem(&error);
        let hint = if problem == "trailing characters" {
            "one array is the whole file; for one value a line say `format: jsonl`"
        } else {
            "mend it there"
        };
        let (line, column) = (error.line(), error.column());
        DataError::new(format!("`{shown}` is not JSON at {line}:{column}: {problem}"), hint)
    })?;
    if array.rows.is_empty() {
        return Err(DataError::no_rows(&format!("`{shown}`")));
    }
    Ok(Table { columns: array.keys.columns(), rows: Rows::Held(array.rows), text: false })
}

/// The rows of an array as they come, so that each shares its keys before the next is read.
struct Array {
    keys: Keys,
    rows: Vec<Value>,
    twice: Option<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Array {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Array {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            let row = self.keys.learn(item).map_err(|key| {
                self.twice = Some(key);
                A::Error::custom("a key is there twice")
            })?;
            self.rows.push(row);
        }
        Ok(())
    }
}
