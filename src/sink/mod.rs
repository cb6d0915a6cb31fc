//! Owns what people and machines get of a run: one file per output format, and the fan-out to them.

mod annotations;
mod at_end;
mod case;
pub mod comparison;
mod csv;
mod curl;
mod evidence;
mod fan_out;
pub(crate) mod figures;
mod findings;
mod history_csv;
pub mod html;
mod html_file;
mod json;
mod junit;
mod markdown;
mod metrics;
mod over_time;
mod page_data;
mod page_links;
mod plan_file;
mod progress;
mod record_file;
mod requests_csv;
mod search;
mod terminal;
pub(crate) mod text;

pub use annotations::{annotations, printable, repository_path};
pub use at_end::AtEnd;
pub use csv::{ExceptionsCsv, FailuresCsv, StatsCsv};
pub use fan_out::{FanOut, SinkFailure};
pub use history_csv::HistoryCsv;
pub use html_file::HtmlFile;
pub use json::{SummaryJson, report};
pub use junit::junit_xml;
pub use markdown::{append_summary, summary_md};
pub use metrics::metrics_txt;
pub use plan_file::PlanFile;
pub use progress::Progress;
pub use record_file::RecordFile;
pub use requests_csv::RequestsCsv;
pub use terminal::{SummaryText, VerdictText, summary_text};

use std::fs;
use std::io;
use std::path::Path;

use crate::event::Event;

/// Writes a file whole, or not at all: half a report would only mislead.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text).inspect_err(|_| {
        // What cannot be removed was not written by us.
        let _ = fs::remove_file(path);
    })
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
