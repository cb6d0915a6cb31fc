//! Owns events: all that a watcher of a run can learn.

mod search;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::control::StopReason;
use crate::load::Span;
use crate::metrics::{Catalogue, Evidence, Health, Interval, Summary};
use crate::verdict::diagnosis::Finding;
use crate::verdict::{Standings, Threshold, Verdict};

pub use search::{Figure, Found, Probed, Searching};

/// What happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// The run begins.
    Started(&'a Started),
    /// A second is over, on all workers. Seconds come in order.
    Second(&'a Second<'a>),
    /// Steps that ran once are over.
    Aside(&'a Aside),
    /// The plan writes a line.
    Log(&'a str),
    /// Somebody changed the load.
    Steered(&'a Steered),
    /// A search has looked at a level.
    Probed(&'a Probed),
    /// The run was told to end before its time; by which step, when the plan did.
    Stopping(StopReason, Option<&'a str>),
    /// The run is over.
    Ended(&'a Ended<'a>),
}

/// What is known before the first user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// What the plan calls itself.
    pub plan_name: String,
    /// The plan's file as the user named it.
    pub plan_file: String,
    /// Its text, and that of the files that it includes; secrets are hidden.
    pub plan_text: String,
    /// `yaml` or `toml`.
    pub plan_format: String,
    /// The profile's name, or what the command line made of it: `20 users at 5/s for 15s`.
    pub profile: String,
    /// The base URL.
    pub target: String,
    /// Its certificate was not verified: anyone could have answered.
    pub insecure: bool,
    /// Where all random numbers come from.
    pub seed: u64,
    /// What the generator ran on: `linux x86_64`.
    #[serde(default)]
    pub os: String,
    /// Threads that own users.
    pub workers: usize,
    /// The largest number of users asked at once.
    pub users_peak: u32,
    /// How long the profile is.
    pub planned: Duration,
    /// The time at its start that is left out of totals and thresholds.
    pub warmup: Duration,
    /// The run ends after so many iterations, if it is not over before.
    pub iterations: Option<u64>,
    /// The parts of the profile in time.
    pub spans: Vec<Span>,
    /// A request that fails, or a run in which none ended, makes the exit code that of a broken threshold.
    #[serde(default)]
    pub fail_on_error: bool,
    /// What the command line asked to show: `commit`, `branch`.
    pub labels: Vec<(String, String)>,
    /// The command line, to do it again.
    pub command_line: String,
    /// When the run began, by the calendar.
    pub at: jiff::Timestamp,
    /// The words behind the numbers.
    pub catalogue: Catalogue,
    /// What the run must show.
    pub thresholds: Vec<Threshold>,
    /// It is made to find a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Searching>,
    /// The run that it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Beside>,
    /// Where the results go.
    pub out: String,
}

/// A stored run that another is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// As it was named: `results/latest`.
    pub name: String,
    /// Where it was, whatever that name means later.
    pub path: PathBuf,
}

/// A second of the run.
#[derive(Debug, Clone)]
pub struct Second<'a> {
    /// What it held.
    pub interval: &'a Interval,
    /// How many users the profile asks for at its end.
    pub asked_users: u32,
    /// Load was asked for up to its end.
    pub within_load: bool,
    /// Until when it is asked for, from the start of the run, as far as is known by now.
    pub loaded: Duration,
    /// Everything up to its end, the warm-up left out.
    pub so_far: &'a Summary,
    /// Iterations that ended up to its end, those of the warm-up too.
    pub iterations: u64,
    /// The warm-up up to its end, while it lasts.
    pub warmup: Option<&'a Summary>,
    /// The thresholds as they stand.
    pub standings: &'a Standings,
}

/// Steps that ran once; their requests are in no other figure.
#[derive(Debug, Clone)]
pub struct Aside {
    /// `before` or `after`.
    pub name: &'static str,
    /// What they held.
    pub summary: Summary,
}

/// A change of the load while the run went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steered {
    /// From the start of the run to when it began to hold.
    pub at: Duration,
    /// Who asked for it.
    pub by: String,
    /// What changed: `50 users over 10s`.
    pub change: String,
}

/// What is known at the end.
#[derive(Debug, Clone)]
pub struct Ended<'a> {
    /// The run, folded, its warm-up left out.
    pub summary: &'a Summary,
    /// The warm-up, when there was one.
    pub warmup: Option<&'a Summary>,
    /// What ran once, before the first user and at the end.
    pub asides: &'a [Aside],
    /// The exchanges that are shown; absent when the plan wants none to be.
    pub evidence: Option<&'a Evidence>,
    /// The judgement.
    pub verdict: &'a Verdict,
    /// What the figures say of where it is slow, and why.
    pub findings: &'a [Finding],
    /// Who changed the load, and when.
    pub steered: &'a [Steered],
    /// What came of a search, when it was made for one.
    pub search: Option<&'a Found>,
    /// Why it ended early, when it did.
    pub stopped: Option<StopReason>,
    /// The step that ended it, `Editor › create, plan.yaml:31`, or the threshold.
    pub stopped_by: Option<&'a str>,
    /// The code that the shell will see, unless results cannot be written.
    pub exit_code: u8,
    /// When it ended, by the calendar.
    pub at: jiff::Timestamp,
    /// What the figures rest on.
    pub closing: &'a Closing,
    /// It is shown again from its record: which part of it, and what of it is missing.
    pub again: Option<&'a Again>,
}

/// What a summary is made with, beside the seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Closing {
    /// Until when load was asked for, from the start of the run.
    pub loaded: Duration,
    /// Users and workers that were lost to a bug.
    pub lost: u64,
    /// How the generator fared after the last second.
    pub health: Health,
}

/// A run that is shown again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    /// How many records it is put together from.
    pub records: usize,
    /// How many of them have no end: what they measured was killed, or writes on.
    pub cut_off: usize,
    /// The seconds of the run that are shown, from and up to; absent: all.
    pub part: Option<(u32, u32)>,
}
