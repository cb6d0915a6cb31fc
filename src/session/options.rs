//! Owns what a run can be told beyond its plan.

use std::path::PathBuf;
use std::time::Duration;

use crate::plan::Target;
use crate::units::Rate;

/// What the command line asks of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Wins over the plan's target.
    pub target: Option<Target>,
    /// Start the embedded Todo API on a free port and use it as the target.
    pub demo: bool,
    /// Only these classes; all with a weight when empty.
    pub classes: Vec<String>,
    /// How many users, and for how long.
    pub load: ProfileChoice,
    /// The seed of all random numbers; chosen by chance when absent.
    pub seed: Option<u64>,
    /// The folder of the results; `results/<plan>-<UTC time>` when absent.
    pub out: Option<PathBuf>,
    /// Threads that own users; one per core when absent.
    pub workers: Option<usize>,
    /// How long iterations under way may go on at the end; wins over the profile's.
    pub grace: Option<Duration>,
    /// The command line as it was given, to be shown in results.
    pub command_line: String,
}

/// What the command line says of the load.
#[derive(Debug, Clone, Default)]
pub struct ProfileChoice {
    /// The profile to run; the plan's default when absent.
    pub profile: Option<String>,
    /// Replaces the profile by a ramp to so many users, and a hold.
    pub users: Option<u32>,
    /// How fast to ramp to `users`; all at once when absent.
    pub ramp: Option<Ramp>,
    /// The whole time, from the first user on.
    pub run_time: Option<Duration>,
}

/// How fast users are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ramp {
    /// So many a second.
    Rate(Rate),
    /// All of them within this time.
    Over(Duration),
}
