//! Owns writing `report.html` at the end of a run.

use std::io;
use std::path::PathBuf;

use super::{Sink, html, json, write_whole};
use crate::event::{Event, Started};

/// Writes `report.html` at the end.
pub struct HtmlFile {
    path: PathBuf,
    started: Option<Started>,
}

impl HtmlFile {
    /// For the file at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, started: None }
    }
}

impl Sink for HtmlFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some((*started).clone()),
            Event::Ended(ended) => {
                let Some(started) = &self.started else { return Ok(()) };
                let text = html::render(&json::report(started, ended)).map_err(io::Error::other)?;
                write_whole(&self.path, &text)?;
            }
            Event::Second(_)
            | Event::Aside(_)
            | Event::Log(_)
            | Event::Steered(_)
            | Event::Probed(_)
            | Event::Stopping(..) => {}
        }
        Ok(())
    }
}
