//! Owns where the results of a run go: their folder, the sinks that write there, the link to the newest.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::options::{Github, Output};
use super::say;
use crate::diagnostic::Diagnostic;
use crate::metrics::Outlet;
use crate::record;
use crate::sink::{
    self, AtEnd, ExceptionsCsv, FailuresCsv, FanOut, HistoryCsv, HtmlFile, PlanFile, Progress,
    RecordFile, RequestsCsv, StatsCsv, SummaryJson, SummaryText, VerdictText,
};

/// The folder of a run's results.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is.
    pub(super) path: PathBuf,
    /// It was made for this run.
    fresh: bool,
}

impl Folder {
    /// Makes the folder of the results, and sees that it can be written.
    pub(super) fn make(asked: Option<&Path>, stem: &str) -> Result<Self, Diagnostic> {
        let Some(out) = asked else {
            return Ok(Self { path: fresh_folder(Path::new("results"), stem)?, fresh: true });
        };
        let fresh = !out.exists();
        fs::create_dir_all(out).map_err(|error| cannot_write(out, &error))?;
        Ok(Self { path: out.to_owned(), fresh })
    }

    /// A run that did not begin leaves no folder for its results behind, but one that it found
    /// stays, as do the folders around it.
    pub(super) fn discard(&self) {
        if self.fresh {
            // One that holds anything is not removed.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Makes `results/<plan>-<UTC time>`, with a number behind it when another run took that second.
fn fresh_folder(results: &Path, stem: &str) -> Result<PathBuf, Diagnostic> {
    fs::create_dir_all(results).map_err(|error| cannot_write(results, &error))?;
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let mut folder = results.join(format!("{stem}-{now}"));
    for more in 2.. {
        match fs::create_dir(&folder) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder = results.join(format!("{stem}-{now}-{more}"));
            }
            Err(error) => return Err(cannot_write(&folder, &error)),
        }
    }
    Ok(folder)
}

/// Makes `results/latest` lead to `folder`, when that is one of its neighbours. A file system
/// without links is no reason to fail: the link is a convenience.
pub(super) fn link_latest(folder: &Path) {
    let (Some(results), Some(name)) = (folder.parent(), folder.file_name()) else { return };
    if results != Path::new("results") {
        return;
    }
    // Made beside and moved over, so that the link is never missing and two runs do not collide.
    let fresh = results.join(format!(".latest-{}", std::process::id()));
    if std::os::unix::fs::symlink(name, &fresh).is_ok()
        && fs::rename(&fresh, results.join("latest")).is_err()
    {
        let _ = fs::remove_file(&fresh);
    }
}

/// Everything that watches a run, and where it wants to be told of every request, when it does. Files
/// that are written as it goes are opened here, so that one that cannot be is said before the first
/// request.
///
/// # Errors
/// Which file cannot be written, and why.
pub(super) fn sinks(
    out: &Path,
    output: &Output,
    plan_format: &str,
) -> Result<(FanOut, Option<Outlet>), (PathBuf, io::Error)> {
    let mut fan_out = FanOut::default();
    if !output.quiet {
        fan_out.add(Progress::stderr());
    }
    // First of all: it tells whether another run writes there. What lies there stays until the run begins.
    let path = out.join(record::FILE);
    let is_new = !path.exists();
    let record = RecordFile::create(path.clone()).map_err(|error| (path.clone(), error))?;
    let listing = open_others(&mut fan_out, out, output, plan_format).inspect_err(|_| {
        if is_new {
            let _ = fs::remove_file(&path);
        }
    })?;
    fan_out.add(record);
    forget(out);
    Ok((fan_out, listing))
}

/// Opens all but the record.
fn open_others(
    fan_out: &mut FanOut,
    out: &Path,
    output: &Output,
    plan_format: &str,
) -> Result<Option<Outlet>, (PathBuf, io::Error)> {
    let mut listing = None;
    if let Some(path) = &output.csv_requests {
        make_folder_of(path)?;
        if stands_in(path, out) {
            let why = io::Error::other("the run writes its own results there");
            return Err((path.clone(), why));
        }
        let opened = RequestsCsv::create(path.clone()).map_err(|error| (path.clone(), error))?;
        fan_out.add(opened.0);
        listing = Some(opened.1);
    }
    add_files(fan_out, out, output, plan_format)?;
    Ok(listing)
}

/// What is written at the end of a run. That of an earlier one must not stand beside the beginning of this.
const AT_END: [&str; 7] = [
    "summary.json",
    "report.html",
    "junit.xml",
    "summary.md",
    "metrics.txt",
    "comparison.html",
    "comparison.md",
];

/// Removes what an earlier run left there of its end.
fn forget(out: &Path) {
    for file in AT_END.map(|name| out.join(name)) {
        if fs::symlink_metadata(&file).is_ok_and(|found| found.is_file()) {
            let _ = fs::remove_file(file);
        }
    }
}

fn make_folder_of(path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))
}

/// Whether it is one of the files that the run writes into the folder: two writers would mix.
fn stands_in(file: &Path, out: &Path) -> bool {
    let real = |path: Option<&Path>| path.and_then(|path| path.canonicalize().ok());
    let folder = real(
        file.parent().map(
            |parent| {
                if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
            },
        ),
    );
    let while_it_goes = ["stats.csv", "stats_history.csv", "failures.csv", "exceptions.csv"];
    let plans = ["plan.yaml", "plan.toml", "plan.run.yaml", "plan.run.toml", record::FILE];
    let mut ours = while_it_goes.iter().chain(&plans).chain(&AT_END);
    folder.is_some()
        && folder == real(Some(out))
        && ours.any(|name| file.file_name().is_some_and(|file| file == *name))
}

/// Everything that is made of a run, be it measured now or read from records.
///
/// # Errors
/// Which file cannot be written, and why.
pub(super) fn add_files(
    fan_out: &mut FanOut,
    out: &Path,
    output: &Output,
    plan_format: &str,
) -> Result<(), (PathBuf, io::Error)> {
    // Copies first: one that cannot be written leaves nothing in the folder of the results.
    if let Some(path) = &output.html {
        // Written at the end, but tried now; an older report stays as it is until then.
        let tried = fs::OpenOptions::new().append(true).create(true).open(path);
        tried.map_err(|error| (path.clone(), error))?;
    }
    if let Some(prefix) = &output.csv {
        let copy = |name: &str| PathBuf::from(format!("{prefix}_{name}.csv"));
        make_folder_of(&copy("stats"))?;
        csv_files(fan_out, copy, output.csv_full_history)?;
    }
    csv_files(fan_out, |name| out.join(format!("{name}.csv")), output.csv_full_history)?;
    fan_out.add(PlanFile::new(out, plan_format));
    fan_out.add(SummaryJson::new(Some(out.join("summary.json"))));
    fan_out.add(AtEnd::file(out.join("junit.xml"), sink::junit_xml));
    fan_out.add(AtEnd::file(out.join("summary.md"), sink::summary_md));
    fan_out.add(AtEnd::file(out.join("metrics.txt"), sink::metrics_txt));
    if !output.no_report {
        fan_out.add(HtmlFile::new(out.join("report.html")));
    }
    if let Some(path) = &output.html {
        fan_out.add(HtmlFile::new(path.clone()));
    }
    github(fan_out, &output.github);
    if output.silent {
        return Ok(());
    }
    if output.json {
        fan_out.add(SummaryJson::new(None));
    } else if output.quiet {
        fan_out.add(VerdictText::stdout());
    } else {
        fan_out.add(SummaryText::stdout(stdout_width()));
    }
    Ok(())
}

/// What a workflow of GitHub takes. Annotations go to stderr: stdout is for results, and GitHub reads both.
fn github(fan_out: &mut FanOut, github: &Github) {
    if let Some(path) = github.step_summary.clone() {
        let name = format!("GITHUB_STEP_SUMMARY, {}", path.display());
        fan_out.add(AtEnd::new(name, move |started, ended| {
            if !sink::append_summary(&path, &sink::summary_md(started, ended)?)? {
                say("warning: the summary of this step has no room left for this run's; GitHub shows 1 MiB\n");
            }
            Ok(())
        }));
    }
    if let Some(workspace) = github.workspace.clone() {
        fan_out.add(AtEnd::new("annotations", move |started, ended| {
            // A closed stderr must not end a run.
            let _ =
                io::stderr().write_all(sink::annotations(started, ended, &workspace).as_bytes());
            Ok(())
        }));
    }
}

fn csv_files(
    fan_out: &mut FanOut,
    path: impl Fn(&str) -> PathBuf,
    full_history: bool,
) -> Result<(), (PathBuf, io::Error)> {
    let at = |name: &str| {
        let path = path(name);
        move |error| (path, error)
    };
    fan_out.add(StatsCsv::create(path("stats")).map_err(at("stats"))?);
    let history = HistoryCsv::create(path("stats_history"), full_history);
    fan_out.add(history.map_err(at("stats_history"))?);
    fan_out.add(FailuresCsv::create(path("failures")).map_err(at("failures"))?);
    fan_out.add(ExceptionsCsv::create(path("exceptions")).map_err(at("exceptions"))?);
    Ok(())
}

pub(super) fn stdout_width() -> Option<u16> {
    let stdout = io::stdout();
    let size =
        stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// What is said of results that cannot be written, before the run.
pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Diagnostic {
    let what = match error.kind() {
        io::ErrorKind::PermissionDenied => "you may not write there".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::WouldBlock => "another run writes its results there".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotFound => "the folder that it would stand in cannot be had".to_owned(),
        io::ErrorKind::IsADirectory => "a folder stands where a file is needed".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file stands where a folder is needed".to_owned()
        }
        // What the system says, without its number.
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    };
    Diagnostic::without_place(
        format!("the results cannot be written to `{}`: {what}", path.display()),
        "choose another place, as with `--out DIR`; nothing was sent",
    )
}
