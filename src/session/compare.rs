//! Owns comparing the runs of two sides, as their records have them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::run::mistakes;
use super::say;
use crate::diagnostic::Diagnostic;
use crate::event::Started;
use crate::exit::Exit;
use crate::record::{Ending, Line, Reader, RecordError, find};
use crate::sink::{
    self,
    comparison::{self, Side, State, Told},
};
use crate::untrusted::visible;
use crate::verdict::compare::{Asked, Recording, Run, compare};

/// What is compared, and how it is told.
#[derive(Debug, Clone)]
pub struct Comparing {
    /// Folder of results, a record, or a folder of several folders of results.
    pub baseline: PathBuf,
    /// The same of the new side.
    pub new: PathBuf,
    /// The least change that matters, a fraction.
    pub least: f64,
    /// How it is told on stdout.
    pub form: Form,
    /// A page besides.
    pub html: Option<PathBuf>,
    /// Columns of the terminal, when stdout is one.
    pub width: Option<u16>,
}

/// How a comparison is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For a pull request.
    Markdown,
    /// For machines.
    Json,
    /// The verdict alone.
    Sentence,
}

/// Compares, tells what came of it, and says by the exit code whether something is worse, or nothing can be said.
#[must_use]
pub fn compare_runs(comparing: &Comparing) -> Exit {
    match tell(comparing) {
        Ok(told) => show(&told, comparing),
        Err(mistake) => mistakes(&[mistake], &[]),
    }
}

/// Tells what came of a comparison, as [`compare_runs`] does.
pub(super) fn show(told: &Told, comparing: &Comparing) -> Exit {
    let json = comparison::json(told);
    // A name that was recorded must be no command of a workflow.
    let text = match comparing.form {
        Form::Text => sink::printable(&comparison::text(told, comparing.width)).into_owned(),
        Form::Sentence => format!("{}\n", comparison::headline(told)),
        Form::Markdown => comparison::markdown(told),
        Form::Json => format!("{json:#}\n"),
    };
    let mut written = print(&text).map_err(|error| format!("cannot write to stdout: {error}"));
    if let Some(path) = &comparing.html {
        let page = comparison::render(&json).map_err(io::Error::other);
        let page = page.and_then(|page| std::fs::write(path, page));
        let page = page.map_err(|error| format!("cannot write `{}`: {error}", path.display()));
        written = written.and(page);
    }
    match written {
        Err(error) => {
            say(&format!("error: {error}\n"));
            Exit::Untrusted
        }
        // Law 7: a run that was killed or cannot be trusted is not a pass either.
        Ok(()) if !told.untrusted.is_empty() => Exit::Untrusted,
        // No data is none.
        Ok(()) => match State::of(&told.comparison) {
            State::Worse | State::CannotSay => Exit::Broke,
            State::Better | State::NoDifference => Exit::Held,
        },
    }
}

pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // `throng compare … | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A run, as it was recorded.
struct Recorded {
    path: PathBuf,
    started: Started,
    run: Run,
    /// None when the record stops before the end of the run.
    ending: Option<Ending>,
}

pub(super) fn tell(comparing: &Comparing) -> Result<Told, Diagnostic> {
    let sides = [&comparing.baseline, &comparing.new];
    let [baseline, new] = sides.map(|path| records(path));
    let (baseline, new) = (baseline?, new?);
    let same = |one: &PathBuf| new.iter().any(|other| is_same(one, other));
    if let Some(path) = baseline.iter().find(|path| same(path)) {
        return Err(Diagnostic::without_place(
            format!("`{}` is on both sides", path.display()),
            "compare a run with another one",
        ));
    }
    let read = |paths: &[PathBuf]| -> Result<Vec<Recorded>, Diagnostic> {
        paths.iter().map(|path| recorded(path)).collect()
    };
    let (baseline, new) = (read(&baseline)?, read(&new)?);
    warn(&baseline, &new);
    let doubtful = |one: &&Recorded| {
        one.ending.as_ref().is_none_or(|end| end.exit_code == Exit::Untrusted.code())
    };
    let untrusted = baseline.iter().chain(&new).filter(doubtful);
    let untrusted = untrusted.map(|one| one.path.display().to_string()).collect();

    let side = |path: &Path, runs: &[Recorded]| Side {
        name: path.display().to_string(),
        runs: runs
            .iter()
            .map(|one| (one.path.display().to_string(), one.run.all.course()))
            .collect(),
    };
    let told = [side(&comparing.baseline, &baseline), side(&comparing.new, &new)];
    let runs = |side: Vec<Recorded>| side.into_iter().map(|one| one.run).collect::<Vec<_>>();
    let asked = Asked { least: comparing.least, ..Asked::default() };
    let comparison = compare(&runs(baseline), &runs(new), &asked);
    let [baseline, new] = told;
    Ok(Told { comparison, baseline, new, untrusted })
}

/// The records of a side: that of the folder or the file itself, or those of the folders in it.
fn records(path: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let error = match find(path) {
        Ok(_) => return Ok(vec![path.to_owned()]),
        Err(error) => error,
    };
    let Ok(entries) = std::fs::read_dir(path) else { return Err(unreadable(error)) };
    let folders = entries.flatten().filter(|entry| {
        // `latest` is a link to one of the others.
        entry.file_type().is_ok_and(|kind| kind.is_dir()) && find(&entry.path()).is_ok()
    });
    let mut folders: Vec<_> = folders.map(|entry| entry.path()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(Diagnostic::without_place(
            format!("`{}` holds no record of a run, nor does a folder in it", path.display()),
            "name a folder of results, as `results/latest`, or one that holds several",
        ));
    }
    Ok(folders)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| find(path).ok().and_then(|file| file.canonicalize().ok());
    real(one).is_some_and(|one| real(other) == Some(one))
}

/// Reads a run, second by second, as long as load was asked for.
fn recorded(path: &Path) -> Result<Recorded, Diagnostic> {
    let mut reader = Reader::open(path).map_err(unreadable)?;
    let started = reader.started().clone();
    let mut recording = Recording::new(&started.catalogue, started.warmup);
    let (mut ending, mut end) = (None, 0);
    while let Some(line) = reader.next_line().map_err(unreadable)? {
        match line {
            Line::Second(second) if second.within_load => {
                recording.push(&second.held);
                end = second.held.to_s;
            }
            Line::Ended(one) => ending = Some(*one),
            _ => {}
        }
    }
    let run = recording.end(Duration::from_secs(end.into()));
    Ok(Recorded { path: path.to_owned(), run, ending, started })
}

fn unreadable(error: RecordError) -> Diagnostic {
    Diagnostic::without_place(error.problem, error.advice)
}

/// What makes runs hard to compare, on stderr.
fn warn(baseline: &[Recorded], new: &[Recorded]) {
    let mut warned: Vec<(String, &str)> = Vec::new();
    for Recorded { path, ending, .. } in baseline.iter().chain(new) {
        let path = path.display();
        match ending {
            None => warned.push((
                format!("the record of `{path}` stops before the end of the run"),
                "it is compared up to there",
            )),
            Some(ending) if ending.exit_code == Exit::Untrusted.code() => warned.push((
                format!("`{path}` could not be trusted"),
                "its report says why: what is compared may be the generator",
            )),
            Some(ending) if ending.stopped.is_some() => warned.push((
                format!("`{path}` was stopped before its end"),
                "it is compared up to there",
            )),
            Some(_) => {}
        }
    }
    let load = |one: &Started| (one.profile.clone(), one.planned, one.warmup);
    let loads: Vec<_> = baseline.iter().chain(new).map(|one| load(&one.started)).collect();
    let first = loads.first();
    if let (Some(first), Some(other)) = (first, loads.iter().find(|one| Some(*one) != first)) {
        let differ = if first.0 == other.0 {
            "the runs did not ask for the same load".to_owned()
        } else {
            format!("the runs did not ask for the same load: {}, and {}", first.0, other.0)
        };
        warned.push((differ, "what differs may be that, and not the system"));
    }
    let starts = || baseline.iter().chain(new).map(|one| &one.started);
    let plan = |one: &Started| (one.plan_name.clone(), one.plan_text.clone());
    let mut plans = starts().map(plan);
    let first = plans.next();
    if let (Some(first), Some(other)) = (&first, plans.find(|one| Some(one) != first.as_ref())) {
        let differ = if first.0 == other.0 {
            format!("the plans of the runs differ, though both are called {}", first.0)
        } else {
            format!("the runs are of different plans: {}, and {}", first.0, other.0)
        };
        warned.push((differ, "what differs may be that, and not the system"));
    }
    for (what, advice) in warned {
        say(&format!("warning: {}\n  {advice}\n", visible(&what)));
    }
}
