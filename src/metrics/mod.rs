//! Owns what is measured: samples, outcomes, histograms, intervals and the summary of a run.

mod outcome;

pub use outcome::{Failure, FailureKind, Fault, Outcome};
