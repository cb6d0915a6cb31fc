//! Owns `throng compare`: what differs between the runs of two sides.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::exit::Exit;
use crate::session::{self, Comparing, Form};
use crate::units::parse_percent;

/// Arguments of `throng compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Arguments {
    /// A folder of results, a record, or a folder that holds several folders of results
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// The same of what is compared with it
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The least change that matters
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = parse_percent)]
    least: f64,
    /// How it is told on stdout
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// A page besides, with both sides in each chart
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

const AFTER: &str = "Outcomes, of each figure of each name and of all requests:
  better, worse        it differs at 5%, corrected for how many figures are judged, and by as
                       much as --least; an error rate by 0.1 points besides
  no difference shown  what was measured shows none that matters; the interval says how much
                       there may still be
  cannot say           too little was measured, and how much it takes

One run a side is compared by blocks of its seconds: 30 seconds or longer behind the warm-up. What
differs between runs of the same system it cannot see: give four or more a side for that, and they
are compared by their ranks. More figures take more runs: 6 a side for 20 of them.
Requests per second say little where arrivals or waits set the pace: then a system can only fail
to keep up.

Exit codes:
  0  nothing is shown to be worse
  1  something is worse; nothing can be said of any figure, or not of one whose whole interval is
     worse; or the new side never sent what the baseline has
  2  a record cannot be read
  3  what came of it could not be written

Examples:
  throng compare results/before results/latest
  throng compare results/before results/latest --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  throng compare baseline/ results/ --least 10% --html comparison.html";

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

impl Arguments {
    pub(super) fn run(self) -> Exit {
        let form = match self.format {
            Format::Text => Form::Text,
            Format::Markdown => Form::Markdown,
            Format::Json => Form::Json,
        };
        let Self { baseline, new, least, html, .. } = self;
        session::compare_runs(&Comparing { baseline, new, least, form, html, width: width() })
    }
}

/// Columns of stdout, when it is a terminal; what `COLUMNS` says when it is none.
fn width() -> Option<u16> {
    let stdout = std::io::stdout();
    let terminal =
        stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
    let terminal = terminal.map(|size| size.ws_col).filter(|columns| *columns > 0);
    terminal.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
}
