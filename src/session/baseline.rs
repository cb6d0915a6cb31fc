//! Owns the stored run that a run is held against: reading it for thresholds, and telling both beside
//! each other at the end.

use std::path::Path;

use super::compare::{Comparing, Form, tell};
use super::fold::timetable;
use super::options::Output;
use super::results::stdout_width;
use super::say;
use crate::diagnostic::Diagnostic;
use crate::event::{Beside, Started};
use crate::exit::Exit;
use crate::metrics::Catalogue;
use crate::record::{Line, Reader, RecordError};
use crate::sink::{comparison, write_whole};
use crate::untrusted::visible;
use crate::verdict::compare::LEAST;
use crate::verdict::{Baseline, Threshold, Timetable};

/// A stored run.
#[derive(Debug)]
pub struct Stored {
    /// Its name, and where it is: `results/latest` soon leads elsewhere.
    pub(super) run: Beside,
    /// What thresholds look at in it.
    pub(super) seconds: Baseline,
}

/// The run of that name, for a run whose results go to `out`.
///
/// # Errors
/// There is no record of it that can be read, or the results would be written over it.
pub(super) fn stored(
    name: &Path,
    out: Option<&Path>,
    thresholds: &[Threshold],
) -> Result<Stored, Diagnostic> {
    let seconds = read(name, thresholds)?;
    let path = name.canonicalize().unwrap_or_else(|_| name.to_owned());
    let folder = if path.is_dir() { Some(&*path) } else { path.parent() };
    let out = out.and_then(|out| out.canonicalize().ok());
    if out.is_some() && out.as_deref() == folder {
        return Err(Diagnostic::without_place(
            format!("the results would be written over the baseline `{}`", name.display()),
            "give them another folder with `--out DIR`; nothing was sent",
        ));
    }
    Ok(Stored { run: Beside { name: name.display().to_string(), path }, seconds })
}

/// What thresholds on a baseline look at in the run of that path.
fn read(path: &Path, thresholds: &[Threshold]) -> Result<Baseline, Diagnostic> {
    let mut reader = Reader::open(path).map_err(unreadable)?;
    let started = reader.started();
    let timetable = timetable(started.warmup, &started.spans);
    let mut baseline = Baseline::new(thresholds, &started.catalogue, &timetable);
    let (mut loaded, mut reached) = (None, 0);
    while let Some(line) = reader.next_line().map_err(unreadable)? {
        match line {
            Line::Second(second) => {
                baseline.push(&second.held, second.within_load);
                reached = second.held.to_s;
            }
            Line::Ended(ending) => loaded = Some(ending.loaded),
            _ => {}
        }
    }
    let loaded = loaded.unwrap_or_else(|| std::time::Duration::from_secs(reached.into()));
    Ok(baseline.end(loaded))
}

/// Tells how the run of the record `new` compares with the baseline: as `comparison.html` and
/// `comparison.md` in `out`,
/// and in a line on stdout. What could not be written makes the exit code that of results which could
/// not be.
pub(super) fn told(exit: Exit, baseline: &Stored, new: &Path, out: &Path, output: &Output) -> Exit {
    let Err(error) = compared(baseline, new, out, output) else { return exit };
    say(&format!("error: {error}\n"));
    match exit {
        Exit::Held | Exit::Broke => Exit::Untrusted,
        other => other,
    }
}

/// Gives what could not be written.
fn compared(baseline: &Stored, new: &Path, out: &Path, output: &Output) -> Result<(), String> {
    let comparing = Comparing {
        baseline: baseline.run.path.clone(),
        new: new.to_owned(),
        least: LEAST,
        form: Form::Text,
        html: None,
        width: stdout_width(),
    };
    let name = &baseline.run.name;
    let mut told = tell(&comparing)
        .map_err(|error| format!("could not compare with `{name}`: {}", error.title))?;
    told.baseline.name.clone_from(name);
    let json = comparison::json(&told);
    let written = |name: &str, text: std::io::Result<String>| {
        let path = out.join(name);
        let written = text.and_then(|text| write_whole(&path, &text));
        written.map_err(|error| format!("could not write {}: {error}", path.display()))
    };
    written("comparison.md", Ok(comparison::markdown(&told)))?;
    if !output.no_report {
        written("comparison.html", comparison::render(&json).map_err(std::io::Error::other))?;
    }
    if !output.json {
        let line = comparison::headline(&told);
        say_out(&format!("Beside {}: {line}\n", visible(&told.baseline.name)));
    }
    Ok(())
}

/// The baseline for a run that is shown again: the one that is `named` now, or that it was held against.
/// When that is gone there is no data of it, which is no pass.
///
/// # Errors
/// There is none of the name that is given now.
pub(super) fn again(
    named: Option<&Path>,
    out: &Path,
    started: &Started,
) -> Result<Option<Stored>, Diagnostic> {
    let thresholds = &started.thresholds;
    let Some(before) = &started.baseline else {
        return named.map(|name| stored(name, Some(out), thresholds)).transpose();
    };
    if let Some(name) = named {
        return stored(name, Some(out), thresholds).map(Some);
    }
    let run = before.clone();
    match read(&run.path, thresholds) {
        Ok(seconds) => Ok(Some(Stored { run, seconds })),
        Err(error) => {
            say(&format!(
                "warning: the baseline `{}` of that run cannot be had\n  {}; of thresholds on it there \
                 is no data: name it, as `--baseline RESULTS`\n",
                visible(&run.name),
                error.title
            ));
            let none = Baseline::new(thresholds, &Catalogue::default(), &Timetable::default());
            Ok(Some(Stored { run, seconds: none }))
        }
    }
}

fn say_out(text: &str) {
    use std::io::Write as _;
    // A closed stdout is told of by the summary.
    let _ = anstream::stdout().write_all(text.as_bytes());
}

fn unreadable(error: RecordError) -> Diagnostic {
    Diagnostic::without_place(error.problem, error.advice)
}
