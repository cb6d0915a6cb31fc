//! Owns the commands that run against the flow of data: they stop a run, or change its load.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{Rate, format_duration};

/// Why a run ended before its profile did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// SIGINT, as Ctrl-C sends it.
    Interrupted,
    /// SIGTERM, as a CI system or a container runtime sends it.
    Terminated,
    /// `stop: run`, or `on_fail: run`.
    Plan,
    /// A threshold that broke, with `abort: true`.
    Threshold,
}

impl StopReason {
    /// The plan asked for it, and nobody from outside.
    #[must_use]
    pub fn is_of_the_plan(self) -> bool {
        matches!(self, Self::Plan | Self::Threshold)
    }
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

impl Steer {
    /// As people say it: `50 users over 10s`. `class` names a class by its position in the plan.
    #[must_use]
    pub fn words<'a>(&self, class: impl Fn(usize) -> Option<&'a str>) -> String {
        let whole = |level: String, of: Option<usize>, over: Duration| {
            let of = of.and_then(&class).map_or(String::new(), |name| format!(" of {name}"));
            let over = match over {
                Duration::ZERO => String::new(),
                over => format!(" over {}", format_duration(over)),
            };
            format!("{level}{of}{over}")
        };
        match *self {
            Self::Users { of, users, over } => {
                whole(if users == 1 { "1 user".into() } else { format!("{users} users") }, of, over)
            }
            Self::Rate { of, rate, over } => whole(rate.to_string(), of, over),
            Self::Pause => "paused".into(),
            Self::Resume => "resumed".into(),
        }
    }
}

/// A change that somebody asks for while a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Who asks, as results show it.
    pub by: String,
    /// What is to change.
    pub change: Steer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_words() {
        let class = |at| (at == 1).then_some("Buyer");
        let s = Duration::from_secs;
        for (change, want) in [
            (Steer::Users { of: None, users: 50, over: s(10) }, "50 users over 10s"),
            (Steer::Users { of: Some(1), users: 1, over: s(0) }, "1 user of Buyer"),
            (
                Steer::Rate { of: Some(1), rate: Rate::per_second(5), over: s(60) },
                "5/s of Buyer over 1m",
            ),
            (Steer::Pause, "paused"),
            (Steer::Resume, "resumed"),
        ] {
            assert_eq!(change.words(class), want);
        }
    }
}
