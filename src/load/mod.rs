//! Owns the load that a plan asks for: who runs when. Arithmetic alone: no clock, no socket.

mod arrivals;
mod chain;
mod course;
mod form;
mod profile;
mod schedule;
mod search;
mod shares;
mod tasks;
mod wait;

pub use arrivals::{Arrival, Arrivals, Coming, Spread};
pub use chain::visits;
pub use course::{Course, Height};
pub use form::{Form, Load, MOST_RATE, Open};
pub use profile::{Level, Profile, Span, Spike, Stage, Steps};
pub use schedule::{Change, ChangeKind, Changes, Schedule};
pub use search::{End, Hunt, Probe, Scale, Search, Sight};
pub use shares::{Turns, order, pick};
pub use tasks::Order;
pub use wait::Wait;
