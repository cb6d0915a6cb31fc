//! Owns the load that a plan asks for: who runs when. Arithmetic alone: no clock, no socket.

mod chain;
mod profile;
mod schedule;
mod shares;
mod tasks;
mod wait;

pub use chain::visits;
pub use profile::{Profile, Span, Spike, Stage, Steps};
pub use schedule::{Change, ChangeKind, Schedule};
pub use shares::{order, pick};
pub use tasks::Order;
pub use wait::Wait;
