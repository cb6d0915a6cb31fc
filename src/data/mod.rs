//! Owns the rows that a plan's `data` names: from CSV, JSON, JSON Lines and lists; their columns,
//! their order, and who holds which.

mod definition;
mod error;
mod path;

pub use definition::{AtEnd, Definition, Format, From, Order, Per};
pub use error::DataError;
pub use path::under;
