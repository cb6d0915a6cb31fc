//! Owns making the results of a run again from its record, of a part of it, or of several records as one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::baseline::{self, Stored};
use super::conclude::Conclusion;
use super::fold::{Asked, Fold, timetable};
use super::options::Output;
use super::results::{add_files, cannot_write};
use super::run::mistakes;
use super::say;
use crate::control::StopReason;
use crate::diagnostic::Diagnostic;
use crate::event::{Again, Aside, Closing, Event, Found, Probed, Started, Steered};
use crate::exit::Exit;
use crate::metrics::{Evidence, Exchange, Summary};
use crate::record::{Ending, KeptAside, KeptSecond, Line, RecordError, Together, find, is_live};
use crate::sink::FanOut;
use crate::units::format_duration;

/// What is to be shown again, and where.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Folders of results, or records.
    pub records: Vec<PathBuf>,
    /// What ended before is left out; whole seconds.
    pub from: Option<Duration>,
    /// What ended later is left out; whole seconds.
    pub to: Option<Duration>,
    /// Where the results go: the record's own folder when absent and the whole of one is shown.
    pub out: Option<PathBuf>,
    /// What thresholds on a baseline are held against; that of the run when absent.
    pub baseline: Option<PathBuf>,
    /// What is printed and written.
    pub output: Output,
}

/// Makes all results again. The exit code is that of what is shown: the verdict.
#[must_use]
pub fn again(choice: &Choice) -> Exit {
    match Replay::open(choice) {
        Ok(replay) => replay.run(choice),
        Err(mistake) => mistakes(&[mistake], &[]),
    }
}

/// Records that are shown again.
struct Replay {
    together: Together,
    started: Started,
    /// In seconds of the run, from and up to.
    part: Option<(u32, u32)>,
    /// What it is held against.
    baseline: Option<Stored>,
}

/// What comes out of the lines of the records.
#[derive(Default)]
struct Seen {
    asides: Vec<Aside>,
    steered: Vec<Steered>,
    path: Vec<Probed>,
    stopped: Option<StopReason>,
    stopped_by: Option<String>,
    ending: Option<Ending>,
    /// The second after the last, of what is shown and of all.
    reached: u32,
    last: u32,
    /// Requests under way after the last second that was read.
    under_way: i64,
    /// Requests under way when what is shown begins, and when it ends.
    carried: Option<i64>,
    left: i64,
    /// Arrivals that wait for a user when it ends.
    waiting: u64,
    /// Until when load was asked for, as far as the seconds tell.
    loaded: Duration,
}

impl Replay {
    fn open(choice: &Choice) -> Result<Self, Diagnostic> {
        let together = Together::open(&choice.records).map_err(unreadable)?;
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let part = match (choice.from, choice.to) {
            (None, None) => None,
            (from, to) => Some((from.map_or(0, seconds), to.map_or(u32::MAX, seconds))),
        };
        if let Some((from, to)) = part
            && from >= to
        {
            return Err(Diagnostic::without_place(
                "the part that is asked for ends before it begins",
                "write `--from` before `--to`, as `--from 2m --to 5m`",
            ));
        }
        let mut started = together.started().clone();
        let searches = together.each_started().any(|one| one.search.is_some());
        if part.is_some() && searches {
            return Err(Diagnostic::without_place(
                "the answer of a search is of the whole run, and not of a part of it",
                "leave out `--from` and `--to`",
            ));
        }
        if let Some((from @ 1.., _)) = part {
            let lasted = reached(&choice.records)?;
            if from >= lasted {
                let time = |second: u32| format_duration(Duration::from_secs(second.into()));
                return Err(Diagnostic::without_place(
                    format!(
                        "the run lasted {}: nothing of it is from {} on",
                        time(lasted),
                        time(from)
                    ),
                    "write an earlier `--from`",
                ));
            }
        }
        if together.count() > 1 && searches {
            started.search = None;
            say("warning: a search is shown by itself\n  \
                 of several records together its answer is left out, and thresholds are judged\n");
        }
        let out = place(choice, part)?;
        if choice.out.is_none() && part.is_none() && together.is_live() {
            return Err(Diagnostic::without_place(
                format!(
                    "the run in `{}` still goes on, and writes its results there",
                    out.display()
                ),
                "wait for its end, or show what there is by now elsewhere, as with `--out so-far`",
            ));
        }
        spared(&out, &choice.records)?;
        let report = out.join("report.html");
        let shown = if choice.output.no_report { &out } else { &report };
        started.out = shown.display().to_string();
        let baseline = baseline::again(choice.baseline.as_deref(), &out, &started)?;
        Ok(Self { together, started, part, baseline })
    }

    fn run(mut self, choice: &Choice) -> Exit {
        self.say_differences();
        let started = self.started.clone();
        let out = Path::new(&started.out);
        let out = if choice.output.no_report { Some(out) } else { out.parent() };
        let out = out.unwrap_or(Path::new("."));
        let mut fan_out = FanOut::default();
        let files = std::fs::create_dir_all(out)
            .map_err(|error| (out.to_owned(), error))
            .and_then(|()| add_files(&mut fan_out, out, &choice.output, &started.plan_format));
        if let Err((path, error)) = files {
            let cannot = cannot_write(&path, &error);
            let label = "choose another place, as with `--out DIR`";
            return mistakes(&[Diagnostic::without_place(cannot.title, label)], &[]);
        }
        fan_out.take(&Event::Started(&started));
        let (from, to) = self.part.unwrap_or((0, u32::MAX));
        let Started { catalogue, thresholds, warmup, spans, search, .. } = &started;
        let thresholds = if search.is_some() { &[][..] } else { thresholds };
        let timetable = timetable(*warmup, spans);
        let mut fold = Fold::from_second(catalogue, thresholds, timetable, from);
        if let Some(baseline) = &self.baseline {
            fold.compare(&baseline.seconds);
        }
        let mut seen = Seen::default();
        loop {
            match self.together.next_line() {
                Ok(Some(line)) => seen.take(line, (from, to), &mut fold, &mut fan_out),
                Ok(None) => break,
                Err(error) => {
                    // What was read until there is shown: it was measured.
                    say(&format!("error: {}\n  {}\n", error.problem, error.advice));
                    break;
                }
            }
        }
        let exit = self.conclude(seen, fold, &mut fan_out);
        drop(fan_out);
        // A part, and several together, are no run that could be compared.
        match (&self.baseline, &choice.records[..], self.part) {
            (Some(stored), [record], None) if stored.run.path.exists() => {
                baseline::told(exit, stored, record, out, &choice.output)
            }
            _ => exit,
        }
    }

    fn conclude(&self, seen: Seen, mut fold: Fold, fan_out: &mut FanOut) -> Exit {
        let records = self.together.count();
        let whole = seen.ending.is_some();
        let cut_off = if whole { self.together.cut_off() } else { records };
        let ending = seen.ending.unwrap_or_else(|| {
            let second = |second: u32| Duration::from_secs(second.into());
            let at = self.started.at.saturating_add(second(seen.last));
            Ending {
                duration: second(seen.last),
                loaded: seen.loaded,
                lost: 0,
                stopped: seen.stopped,
                stopped_by: seen.stopped_by,
                health: Default::default(),
                evidence: None,
                exit_code: 0,
                at: at.unwrap_or(self.started.at),
            }
        });
        let end = self.part.map_or(Duration::MAX, |(_, to)| Duration::from_secs(to.into()));
        let is_part = ending.duration > end;
        // What comes before the place where a record stops is whole.
        let cut_off = if is_part && !whole { 0 } else { cut_off };
        let health = if is_part { Default::default() } else { ending.health };
        let (duration, loaded) = (ending.duration.min(end), ending.loaded.min(end));
        // What was under way at the ends of a part has its beginning or its end elsewhere.
        let (cut, waiting) = if is_part || !whole { (seen.left, seen.waiting) } else { (0, 0) };
        fold.carry(seen.carried.unwrap_or(0) - cut);
        fold.leave_waiting(waiting);
        let folded = fold.end(duration, loaded, &health);
        // The last second is rarely a whole one.
        let last = (ending.duration.as_secs_f64().round() as u32).min(seen.reached);
        let part = self.part.map(|(from, to)| (from, to.min(last).max(from + 1)));
        let evidence = ending.evidence.map(|exchanges| {
            let mut kept = Evidence::default();
            let within = |exchange: &&Exchange| match self.part {
                Some((from, to)) => {
                    let second = exchange.mark.at_us / 1_000_000;
                    (u64::from(from)..u64::from(to)).contains(&second)
                }
                None => true,
            };
            exchanges.iter().filter(within).for_each(|exchange| {
                kept.take(exchange);
            });
            kept
        });
        let again = Again { records, cut_off, part };
        let search = self.started.search.as_ref();
        let found = search.map(|search| Found::of(search, &seen.path));
        // What ends before the order to stop came knows nothing of it.
        let (stopped, stopped_by) =
            if is_part { (None, None) } else { (ending.stopped, ending.stopped_by) };
        let conclusion = Conclusion {
            folded: &folded,
            asides: &seen.asides,
            evidence: evidence.as_ref(),
            steered: &seen.steered,
            thresholds: &self.started.thresholds,
            search: found.as_ref(),
            stopped,
            stopped_by: stopped_by.as_deref(),
            fail_on_error: self.started.fail_on_error,
            workers: self.together.each_started().map(|one| one.workers).max().unwrap_or(0),
            closing: Closing { loaded, lost: ending.lost, health },
            again: Some(&again),
            at: ending.at,
        };
        conclusion.conclude(fan_out)
    }

    /// Records that are put together should be of one plan, run at one time.
    fn say_differences(&self) {
        let first = self.together.started();
        let all: Vec<_> = self.together.each_started().collect();
        if all.iter().any(|one| one.thresholds != first.thresholds) {
            say("warning: the plans of the records differ\n  \
                 they are judged together, by the thresholds of the first\n");
        }
        let ends = |one: &Started| one.at.saturating_add(one.planned).unwrap_or(one.at);
        let apart = all.iter().any(|one| all.iter().any(|other| ends(one) < other.at));
        if apart {
            say("warning: the records are of runs one after the other\n  \
                 they are shown as if they had run at the same time: users and rates add up; to \
                 compare them, use `throng compare`\n");
        }
    }
}

impl Seen {
    /// Takes a line of the records, of which the seconds from and up to are shown.
    fn take(&mut self, line: Line, (from, to): (u32, u32), fold: &mut Fold, fan_out: &mut FanOut) {
        match line {
            Line::Second(second) => {
                let KeptSecond { asked_users, within_load, loaded, held } = *second;
                self.loaded = loaded.min(Duration::from_secs(held.to_s.into()));
                let before = self.under_way;
                let ended = held.all_names().requests() + held.cancelled;
                self.under_way += held.issued as i64 - ended as i64;
                self.last = held.to_s;
                if held.to_s <= to {
                    // Paced iterations are on the beat too: of those beside arrivals it knows less.
                    let begun = held.waited.count() + held.beat_late.count();
                    let gone = begun + held.dropped + held.left_out;
                    self.waiting = (self.waiting + held.arrivals).saturating_sub(gone);
                }
                if held.from_s < from || held.to_s > to {
                    return;
                }
                self.carried.get_or_insert(before);
                (self.left, self.reached) = (self.under_way, held.to_s);
                let loaded = loaded.min(Duration::from_secs(to.into()));
                let asked = Asked { interval: &held, users: asked_users, within_load, loaded };
                let _ = fold.second(&asked, fan_out);
            }
            Line::Aside(aside) => {
                let KeptAside { name, catalogue, held, duration } = *aside;
                let name = if name == "after" { "after" } else { "before" };
                let mut summary = Summary::new(catalogue);
                summary.add(&held);
                (summary.duration, summary.loaded) = (duration, duration);
                let aside = Aside { name, summary };
                fan_out.take(&Event::Aside(&aside));
                self.asides.push(aside);
            }
            Line::Steered(steered) => {
                fan_out.take(&Event::Steered(&steered));
                self.steered.push(steered);
            }
            Line::Probed(probed) => {
                fan_out.take(&Event::Probed(&probed));
                self.path.push(*probed);
            }
            Line::Stopping { reason, by } => {
                fan_out.take(&Event::Stopping(reason, by.as_deref()));
                (self.stopped, self.stopped_by) = (Some(reason), by);
            }
            Line::Ended(ending) => self.ending = Some(*ending),
        }
    }
}

/// Nothing is written over that another run left there, or is writing now.
fn spared(out: &Path, records: &[PathBuf]) -> Result<(), Diagnostic> {
    let real = |path: &Path| find(path).ok().and_then(|file| file.canonicalize().ok());
    let Some(there) = real(out) else { return Ok(()) };
    let own = records.iter().any(|record| real(record).as_ref() == Some(&there));
    let advice = "choose another place, as with `--out DIR`";
    if is_live(&there) {
        let title = format!("a run that still goes on writes its results to `{}`", out.display());
        return Err(Diagnostic::without_place(title, advice));
    }
    if !own || records.len() > 1 {
        let title = format!("`{}` holds the results of another run", out.display());
        return Err(Diagnostic::without_place(title, advice));
    }
    Ok(())
}

/// The folder that the results go to.
fn place(choice: &Choice, part: Option<(u32, u32)>) -> Result<PathBuf, Diagnostic> {
    if let Some(out) = &choice.out {
        return Ok(out.clone());
    }
    let [only] = &choice.records[..] else {
        return Err(Diagnostic::without_place(
            "several records have no folder of their own for the results",
            "say where they go, as `--out results/together`",
        ));
    };
    let own = if only.is_dir() { Some(&**only) } else { only.parent() };
    let own = own.unwrap_or(Path::new(".")).to_owned();
    let time = |second: u32| format_duration(Duration::from_secs(second.into()));
    Ok(match part {
        None => own,
        Some((from, u32::MAX)) => own.join(format!("from-{}", time(from))),
        Some((from, to)) => own.join(format!("from-{}-to-{}", time(from), time(to))),
    })
}

/// The second after the last that the records have, whether they have an end or none.
fn reached(records: &[PathBuf]) -> Result<u32, Diagnostic> {
    let mut together = Together::open(records).map_err(unreadable)?;
    let mut reached = 0;
    // What cannot be read any further is told when it is shown.
    while let Ok(Some(line)) = together.next_line() {
        if let Line::Second(second) = line {
            reached = second.held.to_s;
        }
    }
    Ok(reached)
}

fn unreadable(error: RecordError) -> Diagnostic {
    Diagnostic::without_place(error.problem, error.advice)
}
