//! Owns wiring: from a command to a run and its verdict, as straight lines.

mod again;
mod baseline;
mod check;
mod compare;
mod conclude;
mod descriptors;
mod evidence;
mod fold;
#[cfg(test)]
mod health_tests;
#[cfg(test)]
mod judged_tests;
mod once;
mod onlooker;
mod options;
mod ports;
mod prepare;
mod reach;
mod rehearse;
mod results;
mod run;
mod search;
mod seconds;
mod shown;
mod signals;
#[cfg(test)]
mod steered_tests;
mod steering;
mod versus;
mod watch;
mod way;

pub use again::{Choice, again};
pub use check::{check, complete, explain, read, strictly, variables};
pub use compare::{Comparing, Form, compare_runs};
pub use options::{Github, Options, Output, ProfileChoice, Ramp, Trust};
pub use prepare::{Prepared, prepare};
pub use rehearse::{Rehearsal, rehearse};
pub use run::{run, steered};
pub use versus::{Versus, versus};
pub use way::{Pinned, Way};

use std::io::{self, Write as _};

use crate::sink;

/// Prints to stderr. A closed one must not end a run.
fn say(text: &str) {
    let _ = anstream::stderr().write_all(sink::printable(text).as_bytes());
}

fn colour() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}
