//! Owns annotations of GitHub, what a run did not show at the line of the plan that asked for it; and that
//! nothing else is taken for one.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::case::{Case, Outcome, cases};
use crate::event::{Ended, Started};
use crate::untrusted::{one_line, without_commands, workflow_message, workflow_property};
use crate::verdict::{Validity, Written};

/// Text as it may be printed: in a workflow of GitHub no line of it is a command. Servers have a say in
/// what is printed, and commands are up to the workflow.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    static IN_A_WORKFLOW: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("GITHUB_ACTIONS").is_some_and(|is| is == "true"));
    if *IN_A_WORKFLOW { without_commands(text) } else { text.into() }
}

/// A workflow command a line for each case that failed, and for a run that is suspect. Files are named
/// from the root of their repository within `workspace`.
///
/// GitHub shows ten errors and ten warnings of a step: what speaks against the whole run comes first.
#[must_use]
pub fn annotations(started: &Started, ended: &Ended<'_>, workspace: &Path) -> String {
    let mut out = String::new();
    let all = cases(started, ended);
    for case in &all {
        match case.outcome {
            Outcome::Passed | Outcome::NotJudged => {}
            Outcome::Failed(why) => command(&mut out, "error", why, case, workspace),
        }
    }
    if let (Validity::Suspect(_), Some(trusted)) = (&ended.verdict.validity, all.first()) {
        command(&mut out, "warning", "suspect", trusted, workspace);
    }
    out
}

fn command(out: &mut String, command: &str, why: &str, case: &Case<'_>, workspace: &Path) {
    let place = case.written.and_then(|written| place(written, workspace)).unwrap_or_default();
    let shown: Vec<_> = case.shown.iter().map(|line| one_line(line)).collect();
    let message = format!("{}: {}", one_line(&case.name), shown.join("\n"));
    let _ = writeln!(
        out,
        "::{command} {place}title={}::{}",
        workflow_property(&format!("throng: {why}")),
        workflow_message(&message)
    );
}

/// None for what is not in a file of the repository, such as a plan that came with the program.
fn place(written: &Written, workspace: &Path) -> Option<String> {
    let file = repository_path(&written.file, workspace)?;
    Some(format!("file={},line={},", workflow_property(&one_line(&file)), written.line))
}

/// `file` from the root of the repository that it is in, as GitHub names files; none when there is no
/// such file within `workspace`. The repository may be a folder of the workspace.
#[must_use]
pub fn repository_path(file: &str, workspace: &Path) -> Option<String> {
    let file = fs::canonicalize(file).ok()?;
    let workspace = fs::canonicalize(workspace).ok()?;
    let mut within = file.ancestors().skip(1).take_while(|folder| folder.starts_with(&workspace));
    let root = within.find(|folder| folder.join(".git").exists()).unwrap_or(&workspace);
    Some(file.strip_prefix(root).ok()?.to_str()?.to_owned())
}
