//! Owns capacity: what a target serves at each level of load, and the curves that are laid through it.

mod kneedle;
mod levels;
mod usl;

pub use kneedle::{Bend, kneedle};
pub use levels::{Level, Load, Moment, Spent, climb, levels, levels_of};
pub(super) use levels::{REQUESTS, plateaus};
pub use usl::{Fit, Scalability, fit};
