//! Owns sinks that write once, when a run is over: what they write is up to a function.

use std::io;
use std::path::PathBuf;

use super::{Sink, write_whole};
use crate::event::{Ended, Event, Started};

type Write = Box<dyn FnMut(&Started, &Ended<'_>) -> io::Result<()>>;

/// Writes when the run is over.
pub struct AtEnd {
    name: String,
    write: Write,
    started: Option<Started>,
}

impl AtEnd {
    /// Calls `write` at the end; `name` is what it writes, for messages.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        write: impl FnMut(&Started, &Ended<'_>) -> io::Result<()> + 'static,
    ) -> Self {
        Self { name: name.into(), write: Box::new(write), started: None }
    }

    /// Writes the file at `path`.
    #[must_use]
    pub fn file(
        path: PathBuf,
        text: impl Fn(&Started, &Ended<'_>) -> io::Result<String> + 'static,
    ) -> Self {
        Self::new(path.display().to_string(), move |started, ended| {
            write_whole(&path, &text(started, ended)?)
        })
    }
}

impl Sink for AtEnd {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some((*started).clone()),
            Event::Ended(ended) => {
                let Some(started) = &self.started else { return Ok(()) };
                (self.write)(started, ended)?;
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
