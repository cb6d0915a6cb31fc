//! Owns the commands that run against the flow of data: they stop a run, or change its load.

use std::time::Duration;

use crate::units::Rate;

/// Why a run ended before its profile did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT, as Ctrl-C sends it.
    Interrupted,
    /// SIGTERM, as a CI system or a container runtime sends it.
    Terminated,
    /// `stop: run`, or `on_fail: run`.
    Plan,
}

/// What a running engine can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Start no new iteration; let those under way finish within the grace.
    Drain(StopReason),
    /// Cut what is under way now and count it as cancelled.
    Cut(StopReason),
    /// Change the load, from a moment of the run on, the same on every worker.
    Steer {
        /// From the start of the run.
        at: Duration,
        /// What changes.
        change: Steer,
    },
}

/// A change of the load while it runs. It lasts until the next one, or to the end of the profile,
/// which stays where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// So many users, reached in a line.
    Users {
        /// The class whose part of the load it is, by its position in the plan; absent: the only part.
        of: Option<usize>,
        /// How many.
        users: u32,
        /// How long it takes to get there.
        over: Duration,
    },
    /// So many arrivals per second, reached in a line.
    Rate {
        /// The class whose part of the load it is, by its position in the plan; absent: the only part.
        of: Option<usize>,
        /// How many.
        rate: Rate,
        /// How long it takes to get there.
        over: Duration,
    },
    /// No iteration begins any more; time goes on, and what falls due is left out.
    Pause,
    /// Iterations begin again.
    Resume,
}
