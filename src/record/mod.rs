//! Owns the stored form of a run: every second of it, written as it goes, read again, and several put
//! together.

mod line;
mod merge;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use line::{Ending, KeptAside, KeptSecond, Line, VERSION};
pub use merge::Together;
pub use read::{FILE, Reader, RecordError, find, is_live};
pub use write::Writer;
