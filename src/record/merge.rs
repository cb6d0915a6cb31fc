//! Owns putting records together: what several machines measured becomes one run, second by second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::line::{Ending, KeptSecond, Line};
use super::read::{Reader, RecordError};
use crate::event::Started;
use crate::metrics::{Interval, Renumbering};

/// Several records as one: second 5 of it is what all had in their second 5. One record is as it is.
pub struct Together {
    started: Started,
    parts: Vec<Part>,
    ended: bool,
}

/// One of them.
struct Part {
    reader: Reader,
    to: Renumbering,
    /// The line that comes next; none when there is none any more.
    next: Option<Line>,
    ending: Option<Ending>,
    /// The second after the last one that it has.
    reached: u32,
}

impl Together {
    /// Opens the records of `paths`, of which there is at least one.
    ///
    /// # Errors
    /// One cannot be read, or they have too many names together.
    pub fn open(paths: &[PathBuf]) -> Result<Self, RecordError> {
        let mut started: Option<Started> = None;
        let mut parts: Vec<Part> = Vec::with_capacity(paths.len());
        for path in paths {
            let reader = Reader::open(path)?;
            let is_same = |part: &&Part| same_file(part.reader.path(), reader.path());
            if let Some(twin) = parts.iter().find(is_same) {
                return Err(RecordError::new(
                    format!(
                        "`{}` and `{}` are one record",
                        twin.reader.path().display(),
                        path.display()
                    ),
                    "name each once: what is put together adds up",
                ));
            }
            let theirs = reader.started();
            let to = match &mut started {
                None => {
                    started = Some(theirs.clone());
                    Some(Renumbering::default())
                }
                Some(all) => join(all, theirs),
            };
            let to = to.ok_or_else(|| {
                RecordError::new(
                    "the records have more than 65,535 names together",
                    "put fewer of them together",
                )
            })?;
            parts.push(Part { reader, to, next: None, ending: None, reached: 0 });
        }
        let Some(started) = started else {
            return Err(RecordError::new("no record is named", "name a folder of results"));
        };
        let mut together = Self { started, parts, ended: false };
        for part in &mut together.parts {
            part.step()?;
        }
        Ok(together)
    }

    /// What ran: of several that of the first, with the users, threads and names of all.
    #[must_use]
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// What each of them says of what ran.
    pub fn each_started(&self) -> impl Iterator<Item = &Started> {
        self.parts.iter().map(|part| part.reader.started())
    }

    /// The run of one of them was going on when they were opened.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.parts.iter().any(|part| part.reader.is_live())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// How many of those that were read to their end have none: what they measured was killed.
    #[must_use]
    pub fn cut_off(&self) -> usize {
        self.parts.iter().filter(|part| part.reader.is_cut_off()).count()
    }

    /// What happened next; none at the end. When no record has an end, there is none here: it is what
    /// they reached. Seconds come in order, each once.
    ///
    /// # Errors
    /// A record cannot be read any further.
    pub fn next_line(&mut self) -> Result<Option<Line>, RecordError> {
        let first = self.parts.iter().filter_map(|part| match &part.next {
            Some(Line::Second(second)) => Some(second.held.from_s),
            _ => None,
        });
        let first = first.min();
        for part in &mut self.parts {
            if !matches!(part.next, Some(Line::Second(_)) | None) {
                let line = part.next.take();
                part.step()?;
                return Ok(line);
            }
        }
        let Some(first) = first else { return Ok(self.end()) };
        let mut all = KeptSecond {
            asked_users: 0,
            within_load: false,
            loaded: Duration::ZERO,
            held: Interval::default(),
        };
        for part in &mut self.parts {
            let Some(Line::Second(second)) = &part.next else { continue };
            if second.held.from_s != first {
                continue;
            }
            let Some(Line::Second(second)) = part.next.take() else { continue };
            part.reached = second.held.to_s;
            all.asked_users = all.asked_users.saturating_add(second.asked_users);
            all.within_load |= second.within_load;
            all.loaded = all.loaded.max(second.loaded);
            let held = part.to.renumber(second.held);
            if all.held == Interval::default() {
                all.held = held;
            } else {
                all.held.merge(&held);
            }
            part.step()?;
        }
        Ok(Some(Line::Second(Box::new(all))))
    }

    /// The end of all: the latest, and what was lost to each.
    fn end(&mut self) -> Option<Line> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        let planned = self.started.planned;
        let mut all: Option<Ending> = None;
        for ending in self.parts.iter().filter_map(|part| part.ending.as_ref()) {
            let Some(all) = &mut all else {
                all = Some(ending.clone());
                continue;
            };
            all.duration = all.duration.max(ending.duration);
            all.loaded = all.loaded.max(ending.loaded);
            all.lost += ending.lost;
            all.stopped = all.stopped.or(ending.stopped);
            all.stopped_by = all.stopped_by.take().or_else(|| ending.stopped_by.clone());
            all.health.merge(&ending.health);
            // Who wants none of it anywhere wants none of it here.
            all.evidence =
                all.evidence.take().zip(ending.evidence.clone()).map(|(mut all, more)| {
                    all.extend(more);
                    all
                });
            all.exit_code = all.exit_code.max(ending.exit_code);
            all.at = all.at.max(ending.at);
        }
        // Those that have no end have reached that far.
        let cut = self.parts.iter().filter(|part| part.ending.is_none());
        let reached = cut.map(|part| Duration::from_secs(part.reached.into())).max();
        let (Some(all), Some(reached)) = (&mut all, reached) else {
            return all.map(|all| Line::Ended(Box::new(all)));
        };
        all.duration = all.duration.max(reached);
        all.loaded = all.loaded.max(reached.min(planned));
        Some(Line::Ended(Box::new(all.clone())))
    }
}

impl Part {
    /// Takes the next line; the end is put aside.
    fn step(&mut self) -> Result<(), RecordError> {
        self.next = self.reader.next_line()?;
        if let Some(Line::Ended(ending)) = &self.next {
            let mut ending = Ending::clone(ending);
            for exchange in ending.evidence.iter_mut().flatten() {
                self.to.renumber_mark(&mut exchange.mark);
            }
            self.ending = Some(ending);
            self.next = None;
        }
        Ok(())
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// Adds what another record says of what ran; none when there are too many names.
fn join(all: &mut Started, theirs: &Started) -> Option<Renumbering> {
    let listed = |known: &mut String, more: &str, between: &str| {
        if !known.split(between).any(|one| one == more) {
            *known = format!("{known}{between}{more}");
        }
    };
    listed(&mut all.profile, &theirs.profile, ", ");
    listed(&mut all.target, &theirs.target, ", ");
    listed(&mut all.command_line, &theirs.command_line, "\n");
    all.insecure |= theirs.insecure;
    all.fail_on_error |= theirs.fail_on_error;
    all.workers += theirs.workers;
    all.users_peak = all.users_peak.saturating_add(theirs.users_peak);
    all.planned = all.planned.max(theirs.planned);
    all.warmup = all.warmup.max(theirs.warmup);
    all.iterations = all.iterations.zip(theirs.iterations).map(|(mine, more)| mine + more);
    for label in &theirs.labels {
        if !all.labels.contains(label) {
            all.labels.push(label.clone());
        }
    }
    all.at = all.at.min(theirs.at);
    all.catalogue.absorb(&theirs.catalogue)
}
