//! Owns what a person sees at the end of a run: the summary in the terminal, or the verdict alone.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::text::{cut_middle, pad, width_of};
use super::{Sink, figures, json};
use crate::event::{Ended, Event, Started};
use crate::metrics::{Failure, FailureKind, Row, Summary};
use crate::untrusted::visible;
use crate::verdict::{Judged, Of, State};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();

pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `1 user`, `1,000 users`.
pub(super) fn people(users: u64) -> String {
    match users {
        1 => "1 user".to_owned(),
        n => format!("{} users", figures::count(n)),
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
                write_stdout(&summary_text(started, ended, self.width))?;
            }
            Event::Second(_) | Event::Log(_) | Event::Stopping(_) => {}
        }
        Ok(())
    }
}

/// Prints the verdict alone at the end, on stdout: for `--quiet`.
pub struct VerdictText {
    out: String,
}

impl VerdictText {
    /// For this process's stdout.
    #[must_use]
    pub fn stdout() -> Self {
        Self { out: String::new() }
    }
}

impl Sink for VerdictText {
    fn name(&self) -> String {
        "the verdict on stdout".to_owned()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.out.clone_from(&started.out),
            Event::Ended(ended) => {
                let mut text = String::new();
                broken(ended, &mut text);
                verdict(ended, &mut text);
                let _ = writeln!(text, "{} {}", styled(DIM, "Results:"), visible(&self.out));
                write_stdout(text.trim_start_matches('\n'))?;
            }
            Event::Second(_) | Event::Log(_) | Event::Stopping(_) => {}
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
    if started.insecure {
        let _ = writeln!(out, "{}", styled(WARN, "The target's certificate was not verified."));
    }
    for (key, value) in &started.labels {
        let _ = writeln!(out, "{} {}", styled(DIM, &format!("{}:", visible(key))), visible(value));
    }
    let _ = writeln!(out, "{} {}", styled(DIM, "Results:"), visible(&started.out));
    out
}

const HEADS: [&str; 9] = ["", "name", "requests", "failed", "rps", "p50", "p95", "p99", "max"];
/// The columns that go first when the terminal is narrow.
const EXPENDABLE: [usize; 5] = [5, 7, 4, 8, 6];
/// The least room for a name.
const NAME: usize = 12;

fn write_stdout(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// The table of names; in a narrow terminal names are cut and columns left out, so that no figure
/// is ever broken over two lines.
fn table(summary: &Summary, width: Option<u16>) -> Table {
    let aggregated = summary.aggregated();
    let rows = summary.rows();
    let mut cells: Vec<[String; 9]> = rows.iter().chain([&aggregated]).map(cells).collect();
    cells.insert(0, HEADS.map(str::to_owned));
    let mut shown: Vec<usize> = (0..HEADS.len()).collect();
    if let Some(width) = width.map(usize::from) {
        let widest =
            |column: usize| cells.iter().map(|row| width_of(&row[column])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..HEADS.len()).map(widest).collect();
        // A space on either side of each column.
        let others = |shown: &[usize]| -> usize {
            shown.iter().filter(|column| **column != 1).map(|column| widths[*column] + 2).sum()
        };
        let mut expendable = EXPENDABLE.iter();
        while others(&shown) + NAME.min(widths[1]) + 2 > width
            && let Some(column) = expendable.next()
        {
            shown.retain(|one| one != column);
        }
        let room = width.saturating_sub(others(&shown) + 2).max(4);
        cells.iter_mut().for_each(|row| row[1] = cut_middle(&row[1], room));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let styled = |row: &[String; 9]| {
        let cell = |column: &usize| {
            let cell = Cell::new(&row[*column]);
            if *column > 1 { cell.set_alignment(CellAlignment::Right) } else { cell }
        };
        shown.iter().map(cell).collect::<Vec<_>>()
    };
    table.set_header(styled(&cells[0]));
    for row in &cells[1..] {
        table.add_row(styled(row));
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
        figures::rate(row.requests_per_s()),
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
    let judged: Vec<_> = ended.verdict.thresholds.iter().collect();
    if !judged.is_empty() {
        let _ = writeln!(out, "\n{}", styled(BOLD, "Thresholds"));
        threshold_lines(&judged, out);
    }
}

/// The thresholds that did not hold.
fn broken(ended: &Ended<'_>, out: &mut String) {
    let judged = ended.verdict.thresholds.iter().filter(|judged| judged.state != State::Held);
    threshold_lines(&judged.collect::<Vec<_>>(), out);
}

fn threshold_lines(judged: &[&Judged], out: &mut String) {
    let name = |of: &Option<Of>| {
        of.as_ref().map(|of| format!(" of {}", visible(of.text()))).unwrap_or_default()
    };
    let texts: Vec<_> =
        judged.iter().map(|j| format!("{}{}", j.threshold.text, name(&j.threshold.of))).collect();
    let widest = texts.iter().map(|text| width_of(text)).max().unwrap_or(0);
    for (judged, text) in judged.iter().zip(texts) {
        let value = figures::value(judged).unwrap_or_else(|| "no data".to_owned());
        let (style, mark, word) = match judged.state {
            State::Held => (GOOD, "✓", ""),
            State::Broke => (BAD, "✗", "  broke"),
            State::NoData => (BAD, "✗", "  not a pass"),
        };
        let (mark, text) = (styled(style, mark), pad(&text, widest));
        let _ = writeln!(out, "  {mark} {text}  {value}{}", styled(style, word));
    }
}

fn verdict(ended: &Ended<'_>, out: &mut String) {
    let verdict = ended.verdict;
    let sentence = json::sentence(ended.summary, verdict, ended.stopped);
    let good = ended.summary.all().requests() > 0
        && verdict.broken() == 0
        && verdict.validity.reasons().is_empty()
        && ended.stopped.is_none();
    let style = if good { GOOD.bold() } else { BAD };
    let word = verdict.validity.word();
    let word_style = if verdict.validity.reasons().is_empty() { DIM } else { BAD };
    let _ = writeln!(out, "\n{} {}", styled(style, &sentence), styled(word_style, word));
    for reason in verdict.validity.reasons() {
        let _ = writeln!(out, "  {}", styled(BAD, reason));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Catalogue, Interval, RequestName};

    fn shown(width: u16) -> Vec<String> {
        let name =
            |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
        let names = vec![
            name("GET", "/todos/{id} [GET - Single]"),
            name("PUT", "/todos/{id} [PUT - Update]"),
            name("DELETE", "/todos/{id} [DELETE]"),
        ];
        let mut summary = Summary::new(Catalogue { names, ..Catalogue::default() });
        let mut interval = Interval::second(0);
        for name in 0..3 {
            let stats = interval.names.entry(name).or_default();
            (1..1200).for_each(|us| stats.response_ok.record(std::time::Duration::from_micros(us)));
        }
        summary.add(&interval);
        table(&summary, Some(width)).to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_table_fits_its_terminal_and_its_names_stay_told_apart() {
        for width in 40..120 {
            let lines = shown(width);
            assert_eq!(lines.len(), 5, "one line each at {width}: {lines:?}");
            assert!(lines.iter().all(|line| width_of(line) <= usize::from(width)), "{lines:?}");
            let ends = ["ngle]", "date]", "LETE]"];
            for (line, end) in lines[1..].iter().zip(ends) {
                assert!(line.contains(end), "{width}: {line}");
                assert!(line.contains("1,199"), "{width}: {line}");
            }
        }
        assert!(shown(60)[0].contains("p95") && !shown(40)[0].contains("p95"));
    }
}
