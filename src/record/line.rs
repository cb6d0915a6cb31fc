//! Owns the lines of a record: one JSON value each, under the name of what happened.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::control::StopReason;
use crate::event::{Probed, Started, Steered};
use crate::metrics::{Catalogue, Exchange, Health, Interval};

/// The form of the lines. One that an older program would misread gets the next number.
pub const VERSION: u32 = 1;

/// What the first line says of itself, for whoever opens the file without this program.
pub(super) const ABOUT: &str = "A run of throng, one JSON value a line: first what ran, then each \
second with what it held, and what happened between them; the last line is the end. `throng report` \
makes all results again from it. `names`, `groups` and `rule` are positions in `started.catalogue`. \
`hdr` is a histogram of microseconds in the V2 encoding of HdrHistogram, in base64; what is zero or \
empty is left out.";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// [`VERSION`].
    pub(super) throng_record: u32,
    /// The program that wrote it.
    pub(super) throng: String,
    /// [`ABOUT`]
    pub(super) about: String,
}

/// A line after the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A second is over.
    Second(Box<KeptSecond>),
    /// Steps that ran once are over.
    Aside(Box<KeptAside>),
    /// Somebody changed the load.
    Steered(Steered),
    /// A search has looked at a level.
    Probed(Box<Probed>),
    /// The run was told to end before its time.
    Stopping {
        /// Why.
        reason: StopReason,
        /// The step or the threshold that did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The run is over.
    Ended(Box<Ending>),
}

/// The second line: what ran.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) started: Started,
}

/// A second of all workers together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptSecond {
    /// How many users the profile asks for at its end.
    #[serde(default)]
    pub asked_users: u32,
    /// Load was asked for up to its end.
    #[serde(default)]
    pub within_load: bool,
    /// Until when it was asked for, from the start of the run, as far as was known then.
    pub loaded: Duration,
    /// What it held.
    pub held: Interval,
}

/// Steps that ran once, and what they held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptAside {
    /// `before` or `after`.
    pub name: String,
    /// The words behind its numbers, which are not those of the run.
    pub catalogue: Catalogue,
    /// What it held.
    pub held: Interval,
    /// How long it took.
    pub duration: Duration,
}

/// What is known at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// From the start of the first user to the end of the last.
    pub duration: Duration,
    /// Until when load was asked for, from the start of the run.
    pub loaded: Duration,
    /// Users and workers that were lost to a bug.
    #[serde(default)]
    pub lost: u64,
    /// Why it ended early, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopReason>,
    /// The step or the threshold that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// How the generator fared after the last second.
    #[serde(default)]
    pub health: Health,
    /// The exchanges that are shown. They are kept at the end alone, when every secret is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<Exchange>>,
    /// The code that the shell saw.
    pub exit_code: u8,
    /// When it ended, by the calendar.
    pub at: jiff::Timestamp,
}
