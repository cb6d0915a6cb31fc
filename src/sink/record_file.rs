//! Owns writing the record of a run as it goes.

use std::io;
use std::path::PathBuf;

use super::Sink;
use crate::event::Event;
use crate::record::Writer;

/// Writes `record.jsonl.gz`.
pub struct RecordFile {
    path: PathBuf,
    writer: Writer,
}

impl RecordFile {
    /// Begins the file at `path`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        let writer = Writer::create(&path)?;
        Ok(Self { path, writer })
    }
}

impl Sink for RecordFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.writer.take(event)
    }
}
