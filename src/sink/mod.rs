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

use std::io;

use crate::event::Event;

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
