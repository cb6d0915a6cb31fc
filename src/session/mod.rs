//! Owns wiring: from a command to a run and its verdict, as straight lines.

mod check;
mod descriptors;
mod options;
mod prepare;
mod run;
mod seconds;
mod signals;

pub use check::{check, complete};
pub use options::{Options, ProfileChoice, Ramp};
pub use prepare::{Prepared, prepare};
pub use run::run;
