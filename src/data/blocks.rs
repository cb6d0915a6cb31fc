//! Owns rows that stay in their file: where each block of them begins, and the reading of one.

use std::collections::VecDeque;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use super::json::Keys;
use super::rows::Opened;
use super::table::Cells;
use crate::expr::Value;

/// So many blocks that were read last are kept: users that draw in turn are never far apart.
const KEPT: usize = 4;

/// Where blocks of rows begin.
#[derive(Debug)]
pub(super) struct Index {
    starts: Vec<Start>,
    /// How many rows there are.
    pub rows: u64,
    block: u64,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    byte: u64,
    row: u64,
}

impl Index {
    /// With blocks of at least so many bytes.
    pub(super) fn new(block: u64) -> Self {
        Self { starts: Vec::new(), rows: 0, block }
    }

    /// The next row begins at `byte`.
    pub(super) fn push(&mut self, byte: u64) {
        if self.starts.last().is_none_or(|last| byte - last.byte >= self.block) {
            self.starts.push(Start { byte, row: self.rows });
        }
        self.rows += 1;
    }
}

/// How the bytes of a block become rows.
#[derive(Debug)]
pub(super) enum Shape {
    Csv(Cells),
    JsonLines(Keys),
}

impl Shape {
    /// `take` rows after the first `skip`; nothing when there are fewer, or one is not what it was
    /// when the file was opened.
    fn read(&self, bytes: &[u8], skip: u64, take: u64) -> Option<Vec<Value>> {
        match self {
            Self::Csv(cells) => cells.read(bytes, skip, take),
            Self::JsonLines(keys) => keys.read(bytes, skip, take),
        }
    }
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Blocks {
    opened: Opened,
    shape: Shape,
    index: Index,
    /// Where the last row has ended.
    end: u64,
    /// Those read last, by their number.
    kept: Mutex<VecDeque<(usize, Arc<[Value]>)>>,
}

impl Blocks {
    pub(super) fn new(opened: Opened, shape: Shape, mut index: Index, end: u64) -> Self {
        index.starts.shrink_to_fit();
        Self { opened, shape, index, end, kept: Mutex::default() }
    }

    pub(super) fn rows(&self) -> u64 {
        self.index.rows
    }

    /// Row `number`. With `in_turn` its whole block is kept for those that ask next; a row from
    /// anywhere is read alone, and no caller waits for another.
    pub(super) fn get(&self, number: u64, in_turn: bool) -> Result<Value, Arc<str>> {
        let block = self.index.starts.partition_point(|start| start.row <= number) - 1;
        let within = number - self.index.starts[block].row;
        if !in_turn {
            return Ok(self.read(block, within, 1)?.swap_remove(0));
        }
        // Held while the block is read: all others in line want the same one.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rows)) = kept.iter().find(|(number, _)| *number == block) {
            return Ok(rows[within as usize].clone());
        }
        let next = self.index.starts.get(block + 1).map_or(self.index.rows, |next| next.row);
        let rows = self.read(block, 0, next - self.index.starts[block].row)?;
        let row = rows[within as usize].clone();
        kept.truncate(KEPT - 1);
        kept.push_front((block, rows.into()));
        Ok(row)
    }

    fn read(&self, block: usize, skip: u64, take: u64) -> Result<Vec<Value>, Arc<str>> {
        let start = self.index.starts[block].byte;
        let end = self.index.starts.get(block + 1).map_or(self.end, |next| next.byte);
        let mut bytes = vec![0; (end - start) as usize + 1];
        // A line end before the first row changes nothing, and keeps the CSV reader from taking a
        // zero-width space at the start of a row for the mark at the start of a file.
        bytes[0] = b'\n';
        let read = self.opened.file.read_exact_at(&mut bytes[1..], start);
        // Looked at after the reading, so that a change during it is seen as well.
        if !self.opened.is_unchanged() {
            return Err(self.changed());
        }
        read.map_err(|error| format!("`{}`: {error}", self.opened.shown))?;
        self.shape.read(&bytes, skip, take).ok_or_else(|| self.changed())
    }

    fn changed(&self) -> Arc<str> {
        format!("`{}` was changed during the run", self.opened.shown).into()
    }
}
