//! Owns three of the CSV files and how rows are written, with the header lines that Locust's users have
//! scripts for.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use csv::{Terminator, Writer, WriterBuilder};

use super::Sink;
use crate::event::{Ended, Event, Started};
use crate::metrics::{RequestName, Row, Timing};
use crate::untrusted::csv_cell;

const PERCENTILES: [f64; 11] = [0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0];

const STATS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,\
50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%";
const FAILURES: &str = "Method,Name,Error,Occurrences,First Seen,Last Seen";
const EXCEPTIONS: &str = "Count,Message,Traceback,Nodes";

/// A CSV file that begins with its header line.
pub(super) struct Table {
    path: PathBuf,
    pub(super) writer: Writer<File>,
}

impl Table {
    /// Opened before the run, so that a folder that cannot be written is said before it.
    pub(super) fn create(path: PathBuf, header: &str) -> io::Result<Self> {
        // Locust's files end their lines as RFC 4180 has it.
        let file = File::create(&path)?;
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(file);
        writer.write_record(header.split(','))?;
        writer.flush()?;
        Ok(Self { path, writer })
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        self.writer.write_record(cells)?;
        Ok(())
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Milliseconds with the decimals that were measured.
pub(super) fn ms(value: Option<f64>) -> String {
    let text = format!("{:.3}", value.unwrap_or(0.0));
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    trimmed.to_owned()
}

pub(super) fn number(value: f64) -> String {
    format!("{value:.6}")
}

pub(super) fn percentiles(timing: &Timing) -> impl Iterator<Item = String> + use<> {
    let all = PERCENTILES.map(|quantile| {
        timing.quantile_ms(quantile).map_or_else(|| "N/A".to_owned(), |value| ms(Some(value)))
    });
    all.into_iter()
}

pub(super) fn name_cells(name: &RequestName) -> [String; 2] {
    [csv_cell(&name.method).into_owned(), csv_cell(&name.name).into_owned()]
}

/// `stats.csv`: a row per method and name, sorted as Locust sorts them; then a row per group, whose
/// type is `GROUP` and whose times are without waits; then `Aggregated`, of requests alone.
pub struct StatsCsv(Table);

impl StatsCsv {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        Table::create(path, STATS).map(Self)
    }

    fn stats_row(&mut self, row: &Row) -> io::Result<()> {
        let response = row.stats.response();
        let (requests, failed) = (row.stats.requests(), row.stats.failed());
        let cells = [
            requests.to_string(),
            failed.to_string(),
            ms(response.quantile_ms(0.5)),
            ms(response.mean_ms()),
            ms(response.min_ms()),
            ms(response.max_ms()),
            ms(Some(row.mean_body())),
            number(row.requests_per_s()),
            number(row.failures_per_s()),
        ];
        self.0.row(name_cells(&row.name).into_iter().chain(cells).chain(percentiles(&response)))
    }
}

impl Sink for StatsCsv {
    fn name(&self) -> String {
        self.0.name()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Ended(Ended { summary, .. }) = event else { return Ok(()) };
        let mut rows = summary.rows();
        rows.sort_by(|a, b| (&a.name.name, &a.name.method).cmp(&(&b.name.name, &b.name.method)));
        for row in rows.iter().chain(&summary.groups()) {
            self.stats_row(row)?;
        }
        self.stats_row(&summary.aggregated())?;
        self.0.writer.flush()
    }
}

/// `failures.csv`: a row per method, name and way of failing.
pub struct FailuresCsv {
    table: Table,
    started: jiff::Timestamp,
}

impl FailuresCsv {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        let table = Table::create(path, FAILURES)?;
        Ok(Self { table, started: jiff::Timestamp::UNIX_EPOCH })
    }
}

impl Sink for FailuresCsv {
    fn name(&self) -> String {
        self.table.name()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(Started { at, .. }) => self.started = *at,
            Event::Ended(Ended { summary, .. }) => {
                for row in summary.failures() {
                    let when = |ms| {
                        let at = self.started.saturating_add(Duration::from_millis(ms));
                        at.map_or_else(
                            |_| String::new(),
                            |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                        )
                    };
                    let cells = [
                        summary.catalogue.sentence(row.failure),
                        row.seen.count.to_string(),
                        when(row.seen.first_ms),
                        when(row.seen.last_ms),
                    ];
                    self.table.row(name_cells(&row.name).into_iter().chain(cells))?;
                }
                self.table.writer.flush()?;
            }
            Event::Second(_)
            | Event::Aside(_)
            | Event::Log(_)
            | Event::Steered(_)
            | Event::Probed(_)
            | Event::Stopping(..) => {}
        }
        Ok(())
    }
}

/// `exceptions.csv`: mistakes met while running the plan.
pub struct ExceptionsCsv(Table);

impl ExceptionsCsv {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf) -> io::Result<Self> {
        Table::create(path, EXCEPTIONS).map(Self)
    }
}

impl Sink for ExceptionsCsv {
    fn name(&self) -> String {
        self.0.name()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Ended(Ended { summary, .. }) = event else { return Ok(()) };
        for (message, count) in &summary.totals.exceptions {
            let message = csv_cell(message).into_owned();
            // A plan has no traceback; the run has one node, as Locust calls its machine.
            self.0.row([count.to_string(), message, String::new(), "local".to_owned()])?;
        }
        self.0.writer.flush()
    }
}
