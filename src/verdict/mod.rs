//! Owns the judgement of a run: thresholds, read when the plan is checked and judged at the end,
//! and whether the run can be trusted at all.

mod baseline;
pub mod capacity;
pub mod compare;
pub mod diagnosis;
mod judge;
mod limit;
mod standing;
mod threshold;
mod timetable;
mod validity;

pub use baseline::Baseline;
pub use judge::{Few, First, Judged, State, Windows, judge};
pub use limit::Limit;
pub use standing::Standings;
pub use threshold::{
    METRICS, Metric, Of, Op, Statistic, Threshold, ThresholdError, Timing, When, Written,
};
pub use timetable::{Stage, Timetable};
pub use validity::{Validity, strain, validity, validity_of_search};

/// All that is to say about a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Each threshold, in the order of the plan.
    pub thresholds: Vec<Judged>,
    /// Whether the figures can be trusted.
    pub validity: Validity,
}

impl Verdict {
    /// How many thresholds did not hold, those without data and with too few samples included.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.thresholds.iter().filter(|judged| !judged.state.passes()).count()
    }

    /// How many were judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        let judged = |one: &&Judged| one.state != State::NotJudged;
        self.thresholds.iter().filter(judged).count()
    }
}
