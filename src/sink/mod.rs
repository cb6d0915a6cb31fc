//! Owns what people and machines get of a run: one file per output format, and the fan-out to them.

mod csv;
mod fan_out;
mod figures;
pub mod html;
mod html_file;
mod json;
mod progress;
mod terminal;
mod text;

pub use csv::{ExceptionsCsv, FailuresCsv, HistoryCsv, StatsCsv};
pub use fan_out::{FanOut, SinkFailure};
pub use html_file::HtmlFile;
pub use json::{SummaryJson, report};
pub use progress::Progress;
pub use terminal::{SummaryText, VerdictText, summary_text};

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

use crate::event::Event;

/// Writes a file whole, or not at all: half a report would only mislead.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text).inspect_err(|_| {
        // What cannot be removed was not written by us.
        let _ = fs::remove_file(path);
    })
}

/// Writes to stdout, and says when that is closed.
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    if stdout_was_closed() {
        return Err(io::Error::other("it is closed"));
    }
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Whether the program was started without a stdout. Rust's runtime opens `/dev/null` in its place,
/// for reading too; a shell that is asked for `>/dev/null` opens it for writing alone.
fn stdout_was_closed() -> bool {
    let stdout = io::stdout();
    let reads = fcntl_getfl(&stdout).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let null = || Some((fstat(&stdout).ok()?.st_rdev, stat("/dev/null").ok()?.st_rdev));
    reads && null().is_some_and(|(ours, null)| ours == null)
}

/// Something that watches a run. It sees events alone.
pub trait Sink {
    /// What it writes, for messages: `results/…/stats.csv`.
    fn name(&self) -> String;

    /// Takes the next event.
    ///
    /// # Errors
    /// What it writes could not be written; it is not asked again.
    fn take(&mut self, event: &Event<'_>) -> io::Result<()>;
}
