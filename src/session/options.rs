//! Owns what a run can be told beyond its plan.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::way::Pinned;
use crate::plan::Target;
use crate::program::Selection;
use crate::units::Rate;

/// What the command line asks of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Wins over the plan's target.
    pub target: Option<Target>,
    /// Whom an `https` target must convince.
    pub trust: Trust,
    /// Addresses that names are reached at, instead of those that the system knows.
    pub resolve: Vec<Pinned>,
    /// Start the embedded Todo API on a free port and use it as the target.
    pub demo: bool,
    /// Only these classes; all with a weight when empty.
    pub classes: Vec<String>,
    /// Only what carries these tags.
    pub selection: Selection,
    /// Variables of the plan and of the environment, as the plan was read with.
    pub variables: Arc<BTreeMap<String, String>>,
    /// Values that the command line gives and that nobody else is to see.
    pub secrets: Vec<String>,
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
    /// Ends after so many iterations of all users together.
    pub iterations: Option<u64>,
    /// Keep trying for so long to reach the target before the first user.
    pub wait_for: Option<Duration>,
    /// The run that thresholds on a baseline are held against: its folder of results, or its record.
    pub baseline: Option<PathBuf>,
    /// Any failed request makes the exit code that of a broken threshold.
    pub fail_on_error: bool,
    /// Load may leave this machine and its private network without a word.
    pub yes: bool,
    /// What is shown in every result: `commit`, `branch`.
    pub labels: Vec<(String, String)>,
    /// What is printed and written.
    pub output: Output,
    /// The command line as it was given, to be shown in results.
    pub command_line: String,
}

/// What a run prints, and what it writes beside the folder of its results.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// No progress and no tables: the verdict alone.
    pub quiet: bool,
    /// Nothing at all on stdout.
    pub silent: bool,
    /// The summary as JSON on stdout, and nothing else there.
    pub json: bool,
    /// No `report.html`.
    pub no_report: bool,
    /// Copies of the four CSV files, as `PREFIX_stats.csv`.
    pub csv: Option<String>,
    /// In the history a row for each name as well.
    pub csv_full_history: bool,
    /// A file with a row for each request; packed when it ends in `.gz`.
    pub csv_requests: Option<PathBuf>,
    /// A copy of the report.
    pub html: Option<PathBuf>,
    /// What GitHub takes of a run in one of its workflows.
    pub github: Github,
}

/// What GitHub takes of a run, as it says in the environment of a workflow.
#[derive(Debug, Clone, Default)]
pub struct Github {
    /// Annotations are written to stderr, their files named from this folder or from the root of the
    /// repository within it.
    pub workspace: Option<PathBuf>,
    /// The file to which the summary is added.
    pub step_summary: Option<PathBuf>,
}

/// What the command line says of the load.
#[derive(Debug, Clone, Default)]
pub struct ProfileChoice {
    /// The profile to run; the plan's default when absent.
    pub profile: Option<String>,
    /// Replaces the profile by a ramp to so many users, and a hold.
    pub users: Option<u32>,
    /// Replaces the profile by so many arrivals per second.
    pub rate: Option<Rate>,
    /// How fast to ramp to `users` or `rate`; all at once when absent.
    pub ramp: Option<Ramp>,
    /// The whole time, from the first user on.
    pub run_time: Option<Duration>,
}

/// Whose certificates are taken for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system's authorities have signed.
    #[default]
    System,
    /// Those that authorities in this PEM file have signed, instead of the system's.
    File(PathBuf),
    /// Anyone's: nothing is verified.
    Anyone,
}

/// How fast users are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ramp {
    /// So many a second.
    Rate(Rate),
    /// All of them within this time.
    Over(Duration),
}
