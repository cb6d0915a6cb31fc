//! Owns `throng report`: the results of a run, made again from its record.

use std::path::PathBuf;
use std::time::Duration;

use super::github::github;
use crate::exit::Exit;
use crate::session::{self, Choice, Output};
use crate::units::{UnitError, format_duration, parse_duration};

/// Arguments of `throng report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folders of results, or the records in them; several are put together
    #[arg(value_name = "RESULTS", required = true)]
    results: Vec<PathBuf>,
    /// Leave out what ended before that time of the run: `30s`, `2m`
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    from: Option<Duration>,
    /// Leave out what ended after that time of the run
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    to: Option<Duration>,
    /// Folder of the results [default: that of the record; with --from or --to, one in it]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The run that thresholds on `baseline` are held against [default: that of the run]
    #[arg(long, value_name = "RESULTS")]
    baseline: Option<PathBuf>,
    /// Copies of the CSV files, as PREFIX_stats.csv
    #[arg(long, value_name = "PREFIX")]
    csv: Option<String>,
    /// In stats_history.csv, rows of each name as well
    #[arg(long)]
    csv_full_history: bool,
    /// A copy of the report
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write no report.html
    #[arg(long, conflicts_with = "html")]
    no_report: bool,
    /// Print the summary as JSON on stdout, and nothing else there
    #[arg(long)]
    json: bool,
    /// Print no tables, only the verdict
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str =
    "The exit code is that of what is shown, as of a run: 1 when a threshold breaks, 3 when \
the record stops before the end of the run.

Examples:
  throng report results/latest
      all files again, as when the run was killed before it wrote them
  throng report results/latest --from 2m --to 5m
      three minutes of it, judged by themselves
  throng report results/a results/b --out results/both
      what two machines measured at the same time, as one run";

/// Figures come in whole seconds.
fn seconds(text: &str) -> Result<Duration, UnitError> {
    let time = parse_duration(text)?;
    if time.subsec_nanos() > 0 {
        let whole = format_duration(Duration::from_secs(time.as_secs().max(1)));
        return Err(UnitError(format!(
            "figures come each second: write whole seconds, as `{whole}`"
        )));
    }
    Ok(time)
}

impl Arguments {
    pub(super) fn run(self) -> Exit {
        session::again(&Choice {
            records: self.results,
            from: self.from,
            to: self.to,
            out: self.out,
            baseline: self.baseline,
            output: Output {
                quiet: self.quiet,
                silent: false,
                json: self.json,
                no_report: self.no_report,
                csv: self.csv,
                csv_full_history: self.csv_full_history,
                csv_requests: None,
                html: self.html,
                github: github(),
            },
        })
    }
}
