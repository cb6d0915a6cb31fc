//! Owns writing a record: a line for each thing that happened, on the disk before the next one happens.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::line::{ABOUT, Ending, Head, KeptAside, KeptSecond, Line, Opening, VERSION};
use crate::event::{Aside, Ended, Event, Started};

/// A record that is being written.
///
/// What is written is handed to the system line by line, so that a process that is killed leaves all
/// but the second that was under way.
#[derive(Debug)]
pub struct Writer {
    file: State,
}

/// How far it is.
#[derive(Debug)]
enum State {
    /// It is held, and what lies there is as it was.
    Held(File),
    Begun(GzEncoder<File>),
    /// The end is written.
    Ended,
}

impl Writer {
    /// Holds the file at `path` for a run. What lies there is written over when the run begins; a new one
    /// is begun now, so that a full disk is told before that.
    ///
    /// # Errors
    /// The file cannot be written, or another run is writing it: [`io::ErrorKind::WouldBlock`].
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(false).open(path)?;
        // As long as it is held the run goes on. A file system without locks is no reason to fail.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let is_new = file.metadata()?.len() == 0;
        let mut writer = Self { file: State::Held(file) };
        if is_new {
            writer.begin()?;
        }
        Ok(writer)
    }

    /// The run begins.
    fn begin(&mut self) -> io::Result<()> {
        let file = match std::mem::replace(&mut self.file, State::Ended) {
            State::Held(file) => file,
            other => {
                self.file = other;
                return Ok(());
            }
        };
        // What is no file has no length.
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        self.file = State::Begun(GzEncoder::new(file, Compression::fast()));
        self.line(&Head {
            throng_record: VERSION,
            throng: env!("CARGO_PKG_VERSION").to_owned(),
            about: ABOUT.to_owned(),
        })
    }

    /// Writes what happened, when it is something that records keep.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        let line = match event {
            Event::Started(started) => {
                self.begin()?;
                return self.line(&Opening { started: Started::clone(started) });
            }
            Event::Second(second) => Line::Second(Box::new(KeptSecond {
                asked_users: second.asked_users,
                within_load: second.within_load,
                loaded: second.loaded,
                held: second.interval.clone(),
            })),
            Event::Aside(Aside { name, summary }) => Line::Aside(Box::new(KeptAside {
                name: (*name).to_owned(),
                catalogue: summary.catalogue.clone(),
                held: summary.totals.clone(),
                duration: summary.duration,
            })),
            Event::Log(_) => return Ok(()),
            Event::Steered(steered) => Line::Steered((*steered).clone()),
            Event::Probed(probed) => Line::Probed(Box::new((*probed).clone())),
            Event::Stopping(reason, by) => {
                Line::Stopping { reason: *reason, by: by.map(str::to_owned) }
            }
            Event::Ended(ended) => {
                self.line(&Line::Ended(Box::new(ending(ended))))?;
                return match std::mem::replace(&mut self.file, State::Ended) {
                    State::Begun(file) => file.finish().map(drop),
                    State::Held(_) | State::Ended => Ok(()),
                };
            }
        };
        self.line(&line)
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let State::Begun(file) = &mut self.file else { return Ok(()) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.flush()
    }
}

fn ending(ended: &Ended<'_>) -> Ending {
    Ending {
        duration: ended.summary.duration,
        loaded: ended.closing.loaded,
        lost: ended.closing.lost,
        stopped: ended.stopped,
        stopped_by: ended.stopped_by.map(str::to_owned),
        health: ended.closing.health.clone(),
        evidence: ended.evidence.map(|kept| kept.failed().chain(kept.slowest()).cloned().collect()),
        exit_code: ended.exit_code,
        at: ended.at,
    }
}
