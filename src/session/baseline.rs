//! Owns the stored run that a run is held against: reading it for thresholds, and telling both beside
//! each other at the end.

use std::path::Path;

use super::compare::{Comparing, Form, tell};
use super::fold::timetable;
use super::options::Output;
use super::results::stdout_width;
use super::say;
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::record::{Line, Reader, RecordError};
use crate::sink::{comparison, write_whole};
use crate::verdict::compare::LEAST;
use crate::verdict::{Baseline, Threshold};

/// What thresholds on a baseline look at in the run of that path.
///
/// # Errors
/// There is no record of it that can be read.
pub(super) fn read(path: &Path, thresholds: &[Threshold]) -> Result<Baseline, Diagnostic> {
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

/// Tells how the run in `out` compares with the baseline: as `comparison.html` and `comparison.md` there,
/// and in a line on stdout. What could not be written makes the exit code that of results which could
/// not be.
pub(super) fn told(exit: Exit, baseline: &Path, out: &Path, output: &Output) -> Exit {
    let Err(error) = compared(baseline, out, output) else { return exit };
    say(&format!("error: {error}\n"));
    match exit {
        Exit::Held | Exit::Broke => Exit::Untrusted,
        other => other,
    }
}

/// Gives what could not be written.
fn compared(baseline: &Path, out: &Path, output: &Output) -> Result<(), String> {
    let comparing = Comparing {
        baseline: baseline.to_owned(),
        new: out.to_owned(),
        least: LEAST,
        form: Form::Text,
        html: None,
        width: stdout_width(),
    };
    let told = tell(&comparing).map_err(|error| {
        format!("could not compare with `{}`: {}", baseline.display(), error.title)
    })?;
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
        say_out(&format!("Beside {}: {line}\n", crate::untrusted::visible(&told.baseline.name)));
    }
    Ok(())
}

/// A baseline that a report was made with before, when it is still there.
pub(super) fn again(path: &Path, thresholds: &[Threshold]) -> Option<Baseline> {
    if !thresholds.iter().any(|one| one.limit.is_of_baseline()) {
        return None;
    }
    match read(path, thresholds) {
        Ok(baseline) => Some(baseline),
        Err(error) => {
            say(&format!(
                "warning: the baseline of that run is gone: {}\n  thresholds on it are not judged; \
                 name it, as `--baseline RESULTS`\n",
                error.title
            ));
            None
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
