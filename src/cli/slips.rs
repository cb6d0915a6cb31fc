//! Owns what people write out of habit where it is not understood, and what to write instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options of the contract that are not there yet: said so, instead of taken for a slip.
const LATER: [&str; 1] = ["--ui"];

/// Commands of the contract that are not there yet.
const LATER_COMMANDS: [&str; 3] = ["agent", "import", "ui"];

/// Options of other tools, and ours.
const FOREIGN: [(&[&str], &str); 6] = [
    (&["--time", "--duration", "-d", "-z"], "`-t/--run-time`, as `-t 30s`"),
    (&["--vus", "--concurrency", "--connections", "--threads", "-c"], "`-u/--users`, as `-u 50`"),
    (&["--hatch-rate", "--ramp-rate"], "`-r/--spawn-rate`, as `-r 5`"),
    (&["--ramp-up", "--rampup"], "`--ramp`, as `--ramp 10s`"),
    (&["--locustfile", "-f", "--file", "--config"], "the plan behind `run`, as `run plan.yaml`"),
    (&["--output", "-o", "--output-dir"], "`--out DIR`"),
];

/// What to say of a command line that clap refuses, when we know better. `verb` is its first word.
pub(super) fn answer(error: &clap::Error, verb: Option<&str>) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => option(&given(error, ContextKind::InvalidArg)?, verb),
        ErrorKind::InvalidSubcommand => command(&given(error, ContextKind::InvalidSubcommand)?),
        _ => None,
    }
}

fn given(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(given) => Some(given.clone()),
        _ => None,
    }
}

fn option(given: &str, verb: Option<&str>) -> Option<String> {
    let option = given.split('=').next().unwrap_or(given);
    if LATER.contains(&option) {
        return Some(format!(
            "`{option}` is not supported yet\n  take it out: this version cannot do it"
        ));
    }
    // Ours are options of `run`; elsewhere they would be the next mistake.
    verb.filter(|verb| *verb == "run")?;
    let (_, ours) = FOREIGN.iter().find(|(theirs, _)| theirs.contains(&option))?;
    Some(format!("there is no option `{option}`\n  write {ours}"))
}

fn command(given: &str) -> Option<String> {
    let is_plan = [".yaml", ".yml", ".toml"].iter().any(|ending| given.ends_with(ending));
    if is_plan || super::url::is_url(given) {
        return Some(format!("`{given}` is no command\n  write `throng run {given}`"));
    }
    if LATER_COMMANDS.contains(&given) {
        return Some(format!("`throng {given}` is not supported yet"));
    }
    (given == "version").then(|| "there is no command `version`\n  write `throng --version`".into())
}
