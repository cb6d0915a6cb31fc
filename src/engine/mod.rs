//! Owns running: workers, the users on them, and their end.
//!
//! A worker is a thread with a runtime of its own; it owns its users, their connections and its
//! recorder, and hands over an interval once a second. Nothing is shared on the hot path.

mod alarms;
mod beat;
mod bell;
mod conductor;
mod frames;
mod health;
mod lanes;
mod observer;
mod once;
mod requests;
mod secrets;
mod setup;
mod shown;
mod stall;
mod steps;
mod user;
mod witness;
mod worker;
mod workers;

pub use conductor::conduct;
pub use health::{Gauge, Reading, Source, Ticks, system};
pub use observer::{Observer, Seen};
pub use once::{Once, once, rehearse};
pub use setup::{Part, Places, Setup};
pub use witness::Raw;
pub use worker::Handover;
pub use workers::{Workers, start};
