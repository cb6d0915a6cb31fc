//! Owns the rows that a plan's `data` names: from CSV, JSON, JSON Lines and lists; their columns,
//! their order, and who holds which.
//!
//! ```text
//! Definition ─ Source::open ─> Source ┬ draw ──> a row for an iteration or a request
//!                                     └ lease ─> a row that one living user holds
//! ```
//!
//! Small files are held as values. Of larger ones only the byte at which each block of rows begins
//! is held, and rows are read when they are drawn, so that memory does not grow with the file.

mod blocks;
mod definition;
mod error;
mod json;
mod lease;
mod path;
mod permutation;
mod rows;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use definition::{AtEnd, Definition, Format, From, Order, Per};
pub use error::{DataError, Ended};
pub use path::under;
pub use source::{Lease, Source};
