//! Owns reading a record, as far as it was written.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;

use super::line::{Head, Line, Opening, VERSION};
use crate::event::Started;
use crate::metrics::{Exchange, Interval};

/// What a record is called in the folder of results.
pub const FILE: &str = "record.jsonl.gz";

/// The same, when somebody unpacked it.
const PLAIN: &str = "record.jsonl";

/// A line is not longer: a second of ten thousand names has some twenty million bytes.
const LONGEST: u64 = 1 << 28;

/// A machine that sleeps leaves a gap, but no longer one.
const LONGEST_GAP: u32 = 7 * 86_400;

/// Nothing runs for longer.
const LONGEST_RUN: Duration = Duration::from_secs(u32::MAX as u64);

/// Why a record cannot be read: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {advice}")]
pub struct RecordError {
    /// What is wrong, without a full stop.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl RecordError {
    pub(super) fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

/// Where the record of `path` is: in that folder, or the file itself.
///
/// # Errors
/// There is none.
pub fn find(path: &Path) -> Result<PathBuf, RecordError> {
    if path.is_dir() {
        let here = [FILE, PLAIN].map(|name| path.join(name));
        return here.into_iter().find(|file| file.exists()).ok_or_else(|| {
            RecordError::new(
                format!("`{}` holds no record of a run", path.display()),
                format!("name a folder of results, in which there is `{FILE}`"),
            )
        });
    }
    if path.exists() {
        return Ok(path.to_owned());
    }
    Err(RecordError::new(
        format!("there is no `{}`", path.display()),
        "name a folder of results, as `results/latest`, or a record in one",
    ))
}

/// A run is writing that file now.
#[must_use]
pub fn is_live(file: &Path) -> bool {
    File::open(file).is_ok_and(|file| is_held(&file))
}

fn is_held(file: &File) -> bool {
    let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    // A run may begin there meanwhile.
    let _ = file.unlock();
    held
}

/// A record that is read, line by line: however long the run was, one second of it is in memory.
pub struct Reader {
    path: PathBuf,
    lines: Box<dyn BufRead>,
    started: Started,
    /// How many lines were read.
    number: u64,
    state: State,
    /// The second after the last one that was read.
    next_s: u32,
    /// The version of the program that wrote it.
    throng: String,
    /// Another process was writing it when it was opened.
    live: bool,
}

/// How far it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Within,
    /// The line of the end was read.
    Whole,
    /// It stops without one.
    CutOff,
}

impl Reader {
    /// Opens the record of `path`, see [`find`], and reads what ran.
    ///
    /// # Errors
    /// There is no record, it is none, or one of a later version.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let path = find(path)?;
        let file = File::open(&path).map_err(|error| cannot_read(&path, &error))?;
        let live = is_held(&file);
        let mut file = BufReader::new(file);
        let packed = file.fill_buf().map_err(|error| cannot_read(&path, &error))?;
        let lines: Box<dyn BufRead> = if packed.starts_with(&[0x1f, 0x8b]) {
            Box::new(BufReader::new(MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        let mut lines = lines;
        let (started, throng) = opening(&mut lines, &path)?;
        let (number, state, next_s) = (2, State::Within, 0);
        Ok(Self { path, lines, started, number, state, next_s, throng, live })
    }

    /// What ran.
    #[must_use]
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// Its run was going on when it was opened.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It was read up to where it stops, and the run had not ended there: it was killed, or goes on.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.state == State::CutOff
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The file cannot be read, or holds what is no line of a record.
    pub fn next_line(&mut self) -> Result<Option<Line>, RecordError> {
        if self.state != State::Within {
            return Ok(None);
        }
        self.number += 1;
        let Some(text) = text(&mut self.lines, &self.path)? else {
            self.state = State::CutOff;
            return Ok(None);
        };
        let line: Line = serde_json::from_slice(&text).map_err(|_| self.garbled())?;
        if !self.is_sound(&line) {
            return Err(self.garbled());
        }
        match &line {
            Line::Second(second) => self.next_s = second.held.to_s,
            Line::Ended(_) => {
                self.state = State::Whole;
                self.check_the_rest()?;
            }
            _ => {}
        }
        Ok(Some(line))
    }

    /// Behind the end there is nothing but the checksum, which the whole is held against here.
    fn check_the_rest(&mut self) -> Result<(), RecordError> {
        let mut rest = Vec::new();
        match self.lines.by_ref().take(1).read_to_end(&mut rest) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.garbled()),
            // Cut in the checksum itself.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            Err(_) => Err(RecordError::new(
                format!("`{}` is damaged: its checksum does not fit", self.path.display()),
                "the file was changed after it was written, and its figures may be wrong",
            )),
        }
    }

    /// Whether its numbers can be meant: what cannot was not written by a run.
    fn is_sound(&self, line: &Line) -> bool {
        let catalogue = &self.started.catalogue;
        match line {
            Line::Second(second) => {
                let Interval { from_s, to_s, .. } = second.held;
                let follows = self.next_s <= from_s && from_s - self.next_s <= LONGEST_GAP;
                follows && from_s.checked_add(1) == Some(to_s) && second.held.is_sound(catalogue)
            }
            Line::Aside(aside) => aside.held.is_sound(&aside.catalogue),
            Line::Ended(ending) => {
                let known =
                    |exchange: &Exchange| usize::from(exchange.mark.series) < catalogue.names.len();
                ending.evidence.iter().flatten().all(known)
                    && [ending.duration, ending.loaded].iter().all(|time| *time < LONGEST_RUN)
            }
            Line::Steered(_) | Line::Probed(_) | Line::Stopping { .. } => true,
        }
    }

    fn garbled(&self) -> RecordError {
        let ours = env!("CARGO_PKG_VERSION");
        if self.throng != ours {
            return RecordError::new(
                format!(
                    "line {} of `{}` cannot be read: it was written by throng {}, and this is throng {ours}",
                    self.number,
                    self.path.display(),
                    self.throng
                ),
                "read it with the program that wrote it, or a later one",
            );
        }
        garbled(&self.path, self.number)
    }
}

/// What ran, and the version of the program that wrote it: the first two lines.
fn opening(lines: &mut Box<dyn BufRead>, path: &Path) -> Result<(Started, String), RecordError> {
    let none = || {
        RecordError::new(
            format!("`{}` is no record of a run", path.display()),
            format!("name a folder of results, in which there is `{FILE}`"),
        )
    };
    let killed = || {
        RecordError::new(
            format!("`{}` says nothing of what ran", path.display()),
            "the run was killed before it began: do it again",
        )
    };
    let head = text(lines, path).map_err(|_| none())?.ok_or_else(killed)?;
    let head: Head = serde_json::from_slice(&head).map_err(|_| none())?;
    if head.throng_record != VERSION {
        return Err(RecordError::new(
            format!(
                "`{}` is a record of version {}, written by throng {}; this is throng {}, which reads \
                 version {VERSION}",
                path.display(),
                head.throng_record,
                head.throng,
                env!("CARGO_PKG_VERSION"),
            ),
            "read it with the program that wrote it, or a later one",
        ));
    }
    let opening = text(lines, path)?.ok_or_else(killed)?;
    let opening: Opening = serde_json::from_slice(&opening).map_err(|_| garbled(path, 2))?;
    Ok((opening.started, head.throng))
}

/// The next whole line; none where the file stops, be it in the middle of one.
fn text(lines: &mut Box<dyn BufRead>, path: &Path) -> Result<Option<Vec<u8>>, RecordError> {
    let mut text = Vec::new();
    match lines.take(LONGEST).read_until(b'\n', &mut text) {
        Ok(_) if text.last() == Some(&b'\n') => Ok(Some(text)),
        Ok(_) if text.len() as u64 == LONGEST => Err(garbled(path, 0)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

fn garbled(path: &Path, line: u64) -> RecordError {
    let line = if line == 0 { "a line".to_owned() } else { format!("line {line}") };
    RecordError::new(
        format!("{line} of `{}` cannot be read", path.display()),
        "the file was changed or damaged after it was written",
    )
}

fn cannot_read(path: &Path, error: &io::Error) -> RecordError {
    let text = error.to_string();
    // What the system says, without its number.
    let text = text.split(" (os error").next().unwrap_or(&text);
    RecordError::new(
        format!("`{}` cannot be read: {text}", path.display()),
        "look at the file, and whether you may read it",
    )
}
