//! Owns rows by their number, wherever they are, and the one pass over a file that finds them.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::blocks::{Blocks, Index, Shape};
use super::error::DataError;
use crate::expr::Value;

/// What some editors write at the start of a file: it is no part of the first row.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// How much is held in memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Rows of a larger file are read when they are drawn, in bytes of the file.
    pub held: u64,
    /// So are rows that need more than this as values, in bytes of memory: a file of tiny cells
    /// needs many times its own size.
    pub values: usize,
    /// The least size of a block, in bytes of the file. A random row costs the reading of half a
    /// block; every block costs 16 bytes of memory.
    pub block: u64,
    /// So many blocks at most: in very large files they are larger.
    pub blocks: u64,
    /// The longest row, in bytes of the file: a quote that is never closed must not read a whole
    /// file into one cell.
    pub row: u64,
    /// The largest file that is one JSON array, in bytes: it cannot be read in parts.
    pub json: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            held: 16 << 20,
            values: 128 << 20,
            block: 16 << 10,
            blocks: 1 << 17,
            row: 16 << 20,
            json: 64 << 20,
        }
    }
}

/// What a file or a list gave.
#[derive(Debug)]
pub(super) struct Table {
    pub rows: Rows,
    /// When every row is a map of the same keys.
    pub columns: Option<Vec<Arc<str>>>,
    /// Whether every cell is text.
    pub text: bool,
}

/// All rows, by their number from 0.
#[derive(Debug)]
pub(super) enum Rows {
    Held(Vec<Value>),
    InFile(Blocks),
}

impl Rows {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Held(rows) => rows.len() as u64,
            Self::InFile(blocks) => blocks.rows(),
        }
    }

    /// Row `number`, which is below the count. With `in_turn` the next will probably be near.
    /// The error is a sentence.
    pub(super) fn get(&self, number: u64, in_turn: bool) -> Result<Value, Arc<str>> {
        match self {
            Self::Held(rows) => Ok(rows[number as usize].clone()),
            Self::InFile(blocks) => blocks.get(number, in_turn),
        }
    }
}

/// A plain file, and what it was like when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub file: File,
    /// What messages call it.
    pub shown: String,
    pub size: u64,
    stamp: Stamp,
}

/// By this a file that was written to is told from one that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, Option<SystemTime>);

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self(found.len(), found.modified().ok())
    }
}

impl Opened {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        // Looked at before it is opened: to open a pipe is to wait for its other end.
        let unread = |error| DataError::unread(&shown, &error);
        let found = path.metadata().map_err(unread)?;
        if found.is_dir() {
            return Err(DataError::new(format!("`{shown}` is a folder"), "name a file in it"));
        }
        if !found.is_file() {
            return Err(DataError::new(
                format!("`{shown}` is not a plain file"),
                "write what it gives into a file, and name that",
            ));
        }
        let file = File::open(path).map_err(unread)?;
        let found = file.metadata().map_err(unread)?;
        let (size, stamp) = (found.len(), Stamp::of(&found));
        if size == 0 {
            return Err(DataError::new(format!("`{shown}` is empty"), "give it at least one row"));
        }
        Ok(Self { file, shown, size, stamp })
    }

    /// Whether nobody wrote to it since.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file.metadata().is_ok_and(|found| Stamp::of(&found) == self.stamp)
    }

    /// The line, from 1, of the first byte from `offset` that ends no line. Counted only when it is
    /// to be said.
    pub(super) fn line_at(&self, offset: u64) -> u64 {
        let (mut line, mut at, mut chunk) = (1, 0, vec![0; 64 << 10]);
        loop {
            let count = match self.file.read_at(&mut chunk, at) {
                Ok(0) => return line,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return line,
            };
            for byte in &chunk[..count] {
                if at >= offset && !matches!(byte, b'\n' | b'\r') {
                    return line;
                }
                line += u64::from(*byte == b'\n');
                at += 1;
            }
        }
    }
}

/// Gathers the rows of a file during the one pass over it: as values while they are few, and where
/// each block of them begins.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Nothing once they are too many.
    held: Option<Vec<Value>>,
    needed: usize,
    most: usize,
    index: Index,
}

impl Gathering {
    pub(super) fn new(opened: &Opened, limits: &Limits) -> Self {
        let block = limits.block.max(opened.size / limits.blocks.max(1));
        Self {
            held: (opened.size <= limits.held).then(Vec::new),
            needed: 0,
            most: limits.values,
            index: Index::new(block),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.index.rows
    }

    /// The next row begins at `byte`, or at a line end before it.
    pub(super) fn push(&mut self, byte: u64, value: impl FnOnce() -> Value) {
        self.index.push(byte);
        if let Some(held) = &mut self.held {
            let value = value();
            self.needed += memory(&value);
            held.push(value);
            if self.needed > self.most {
                self.held = None;
            }
        }
    }

    /// All rows, the last of which ends before byte `end`.
    pub(super) fn finish(self, opened: Opened, shape: Shape, end: u64) -> Result<Rows, DataError> {
        if self.count() == 0 {
            return Err(DataError::no_rows(&format!("`{}`", opened.shown)));
        }
        if !opened.is_unchanged() {
            return Err(DataError::changed(&opened.shown));
        }
        Ok(match self.held {
            Some(held) => Rows::Held(held),
            None => Rows::InFile(Blocks::new(opened, shape, self.index, end)),
        })
    }
}

/// About how many bytes of memory a value needs; its keys are shared with other rows.
fn memory(value: &Value) -> usize {
    // Two counters and the rounding of the allocator, for each thing that is allocated.
    const APART: usize = 24;
    let inside = match value {
        Value::Text(text) => APART + text.len(),
        Value::List(items) => APART + items.iter().map(memory).sum::<usize>(),
        Value::Map(entries) => {
            APART + entries.iter().map(|(_, value)| 16 + memory(value)).sum::<usize>()
        }
        _ => 0,
    };
    size_of::<Value>() + inside
}
