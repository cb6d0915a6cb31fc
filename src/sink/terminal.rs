//! Owns what a person sees in the terminal: progress while the run goes, the summary at its end.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Sink, figures, json};
use crate::event::{Ended, Event, Second, Started};
use crate::metrics::{Failure, FailureKind, Row, Summary};
use crate::units::format_duration;
use crate::untrusted::visible;
use crate::verdict::State;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// Without a terminal a line is printed each so many seconds.
const PLAIN_EVERY_S: u32 = 5;

fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Shows the run as it goes, on stderr: a bar in a terminal, a line now and then elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    planned: Duration,
}

impl Progress {
    /// For this process's stderr.
    #[must_use]
    pub fn stderr() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:24.green/black.bright} {wide_msg}")
                .expect("the template is fixed and right")
                .progress_chars("━━╌");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { bar, planned: Duration::ZERO }
    }

    fn second(&self, second: &Second<'_>) {
        let interval = second.interval;
        let now = interval.all_names();
        let response = now.response();
        let total = second.so_far.all();
        let at = Duration::from_secs(u64::from(interval.to_s));
        let line = format!(
            "{}/{}  {}  {} requests  {}/s  p50 {}  p95 {}  {} failed",
            format_duration(at),
            format_duration(self.planned),
            people(interval.users().round() as u32),
            figures::count(total.requests()),
            figures::rate(now.requests() as f64),
            figures::ms_or_dash(response.quantile_ms(0.5)),
            figures::ms_or_dash(response.quantile_ms(0.95)),
            figures::count(total.failed()),
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(u64::from(interval.to_s));
                bar.set_message(line);
            }
            None if interval.to_s.is_multiple_of(PLAIN_EVERY_S) => say(&line),
            None => {}
        }
    }
}

/// Progress is a courtesy: a closed stderr must not end a run.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

impl Sink for Progress {
    fn name(&self) -> String {
        "progress".to_owned()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => {
                self.planned = started.planned;
                say(&heading(started));
                if let Some(bar) = &self.bar {
                    bar.set_length(started.planned.as_secs().max(1));
                    bar.set_message("starting");
                }
            }
            Event::Second(second) => self.second(second),
            Event::Stopping(_) => {
                let line = "stopping: requests under way may finish; again to cut them";
                match &self.bar {
                    Some(bar) => bar.println(line),
                    None => say(line),
                }
            }
            Event::Ended(_) => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
        Ok(())
    }
}

fn heading(started: &Started) -> String {
    format!(
        "{}  {}, up to {} for {}, against {}",
        styled(BOLD, &visible(&started.plan_name)),
        visible(&started.profile),
        people(started.users_peak),
        format_duration(started.planned),
        visible(&started.target),
    )
}

fn people(users: u32) -> String {
    if users == 1 {
        "1 user".to_owned()
    } else {
        format!("{} users", figures::count(u64::from(users)))
    }
}

/// Prints the summary at the end, on stdout.
pub struct SummaryText {
    started: Option<Started>,
    width: Option<u16>,
}

impl SummaryText {
    /// For this process's stdout, which is `width` columns wide when it is a terminal.
    #[must_use]
    pub fn stdout(width: Option<u16>) -> Self {
        Self { started: None, width }
    }
}

impl Sink for SummaryText {
    fn name(&self) -> String {
        "the summary on stdout".to_owned()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some((*started).clone()),
            Event::Ended(ended) => {
                let Some(started) = &self.started else { return Ok(()) };
                let mut stdout = anstream::stdout().lock();
                stdout.write_all(summary_text(started, ended, self.width).as_bytes())?;
                stdout.flush()?;
            }
            Event::Second(_) | Event::Stopping(_) => {}
        }
        Ok(())
    }
}

/// The summary as styled text; `width` in columns, unlimited when unknown.
#[must_use]
pub fn summary_text(started: &Started, ended: &Ended<'_>, width: Option<u16>) -> String {
    let summary = ended.summary;
    let mut out = String::new();
    let _ = writeln!(out, "\n{}", table(summary, width));
    let cancelled = summary.totals.cancelled;
    if cancelled > 0 {
        let what = if cancelled == 1 { "request was" } else { "requests were" };
        let _ = writeln!(
            out,
            "\n{} {what} cut at the end; neither succeeded nor failed",
            figures::count(cancelled)
        );
    }
    if summary.totals.idle > 0 {
        let times = if summary.totals.idle == 1 { "time" } else { "times" };
        let _ = writeln!(
            out,
            "\n{} {times} a user found nothing to do: no `when` of its tasks held",
            styled(WARN, &figures::count(summary.totals.idle)),
        );
    }
    failures(summary, &mut out);
    exceptions(summary, &mut out);
    thresholds(ended, &mut out);
    verdict(ended, &mut out);
    let _ = writeln!(out, "{} {}", styled(DIM, "Results:"), visible(&started.out));
    out
}

fn table(summary: &Summary, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let heads = ["", "name", "requests", "failed", "rps", "p50", "p95", "p99", "max"];
    let style = |text: &str, position: usize| {
        let cell = Cell::new(text);
        if position > 1 { cell.set_alignment(CellAlignment::Right) } else { cell }
    };
    table.set_header(heads.iter().enumerate().map(|(position, head)| style(head, position)));
    let rows = summary.rows();
    for row in rows.iter().chain([&summary.aggregated()]) {
        let cells = cells(row);
        table.add_row(cells.iter().enumerate().map(|(position, cell)| style(cell, position)));
    }
    table
}

fn cells(row: &Row) -> [String; 9] {
    let stats = &row.stats;
    let response = stats.response();
    let failed = match row.error_rate() {
        Some(rate) if rate > 0.0 => {
            format!("{} ({})", figures::count(stats.failed()), figures::share(rate))
        }
        _ => figures::count(stats.failed()),
    };
    [
        visible(&row.name.method).into_owned(),
        visible(&row.name.name).into_owned(),
        figures::count(stats.requests()),
        failed,
        figures::rate(row.per_second(stats.requests())),
        figures::ms_or_dash(response.quantile_ms(0.5)),
        figures::ms_or_dash(response.quantile_ms(0.95)),
        figures::ms_or_dash(response.quantile_ms(0.99)),
        figures::ms_or_dash(response.max_ms()),
    ]
}

fn failures(summary: &Summary, out: &mut String) {
    let rows = summary.failures();
    let mut kinds: Vec<FailureKind> = rows.iter().map(|row| row.failure.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let _ = writeln!(out, "\n{}", styled(BAD, &format!("Failures: {}", kind.title())));
        let mut advised = Vec::new();
        for row in rows.iter().filter(|row| row.failure.kind() == kind) {
            let _ = writeln!(
                out,
                "  {:>7}  {}  {} {}",
                figures::count(row.seen.count),
                summary.catalogue.sentence(row.failure),
                visible(&row.name.method),
                visible(&row.name.name),
            );
            if let Failure::Fault(fault) = row.failure
                && !advised.contains(&fault)
            {
                advised.push(fault);
            }
        }
        for fault in advised {
            let _ = writeln!(
                out,
                "  {}",
                styled(DIM, &format!("{}: {}", fault.sentence(), fault.advice()))
            );
        }
    }
}

fn exceptions(summary: &Summary, out: &mut String) {
    if summary.totals.exceptions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", styled(WARN, "Mistakes met while running the plan"));
    for (message, count) in &summary.totals.exceptions {
        let _ = writeln!(out, "  {:>7}  {}", figures::count(*count), visible(message));
    }
}

fn thresholds(ended: &Ended<'_>, out: &mut String) {
    let judged = &ended.verdict.thresholds;
    if judged.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", styled(BOLD, "Thresholds"));
    let name = |of: &Option<String>| {
        of.as_ref().map(|of| format!(" of {}", visible(of))).unwrap_or_default()
    };
    let texts: Vec<_> =
        judged.iter().map(|j| format!("{}{}", j.threshold.text, name(&j.threshold.of))).collect();
    let widest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    for (judged, text) in judged.iter().zip(texts) {
        let padding = " ".repeat(widest - text.chars().count());
        let value = figures::value(judged).unwrap_or_else(|| "no data".to_owned());
        let (style, mark, word) = match judged.state {
            State::Held => (GOOD, "✓", ""),
            State::Broke => (BAD, "✗", "  broke"),
            State::NoData => (BAD, "✗", "  not a pass"),
        };
        let mark = styled(style, mark);
        let _ = writeln!(out, "  {mark} {text}{padding}  {value}{}", styled(style, word));
    }
}

fn verdict(ended: &Ended<'_>, out: &mut String) {
    let verdict = ended.verdict;
    let sentence = json::sentence(ended.summary, verdict, ended.stopped);
    let good =
        verdict.broken() == 0 && verdict.validity.reasons().is_empty() && ended.stopped.is_none();
    let style = if good { GOOD.bold() } else { BAD };
    let word = verdict.validity.word();
    let word_style = if verdict.validity.reasons().is_empty() { DIM } else { BAD };
    let _ = writeln!(out, "\n{} {}", styled(style, &sentence), styled(word_style, word));
    for reason in verdict.validity.reasons() {
        let _ = writeln!(out, "  {}", styled(BAD, reason));
    }
}
