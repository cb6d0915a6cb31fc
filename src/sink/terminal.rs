//! Owns what a person sees at the end of a run: the summary in the terminal, or the verdict alone.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::text::{capital, cut_middle, pad, width_of, wrapped};
use super::{Sink, figures, json, printable, search};
use crate::event::{Aside, Ended, Event, Found, Started};
use crate::metrics::{Failure, FailureKind, FailureRow, Row, Summary};
use crate::units::format_duration;
use crate::untrusted::visible;
use crate::verdict::diagnosis::{Finding, Rule};
use crate::verdict::{Judged, State, Validity};

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
                write_stdout(&verdict_text(ended, &self.out))?;
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

/// What broke, and the verdict, as styled text.
fn verdict_text(ended: &Ended<'_>, out: &str) -> String {
    let mut text = String::new();
    broken(ended, &mut text);
    verdict(ended, &mut text);
    let _ = writeln!(text, "{} {}", styled(DIM, "Results:"), visible(out));
    text.trim_start_matches('\n').to_owned()
}

/// The summary as styled text; `width` in columns, unlimited when unknown.
#[must_use]
pub fn summary_text(started: &Started, ended: &Ended<'_>, width: Option<u16>) -> String {
    let summary = ended.summary;
    let mut out = String::new();
    let _ = writeln!(out, "\n{}", requests(summary, width));
    groups(summary, width, &mut out);
    ended.asides.iter().for_each(|one| aside(one, width, &mut out));
    remarks(started, ended, &mut out);
    failures(summary, &mut out);
    exceptions(summary, &mut out);
    search::lines(ended, &mut out);
    thresholds(ended, &mut out);
    findings(ended, width, &mut out);
    verdict(ended, &mut out);
    if started.insecure {
        let _ = writeln!(out, "{}", styled(WARN, "The target's certificate was not verified."));
    }
    for (key, value) in &started.labels {
        let _ = writeln!(out, "{} {}", styled(DIM, &format!("{}:", visible(key))), visible(value));
    }
    if let Some(part) = figures::part(ended.again) {
        let _ = writeln!(out, "{} {part}", styled(DIM, "Shown:"));
    }
    evidence(started, ended, &mut out);
    let _ = writeln!(out, "{} {}", styled(DIM, "Results:"), visible(&started.out));
    out
}

/// Where to look for what failed.
fn evidence(started: &Started, ended: &Ended<'_>, out: &mut String) {
    let failed = ended.evidence.map_or(0, |evidence| evidence.failed().count());
    if failed == 0 {
        return;
    }
    let exchanges = if failed == 1 { "failed exchange" } else { "failed exchanges" };
    let place = if started.out.ends_with("report.html") { "the report" } else { "`summary.json`" };
    let what = format!("{} {exchanges} in full, in {place}", figures::count(failed as u64));
    let _ = writeln!(out, "{} {what}", styled(DIM, "Evidence:"));
}

/// What a table shows: its columns, and which of them go first when the terminal is narrow.
struct Layout<const N: usize> {
    heads: [&'static str; N],
    /// The column of names, which may be cut. What stands before it is text as well, what stands
    /// after it are figures.
    name: usize,
    expendable: &'static [usize],
}

const REQUESTS: Layout<9> = Layout {
    heads: ["", "name", "requests", "failed", "rps", "p50", "p95", "p99", "max"],
    name: 1,
    expendable: &[5, 7, 4, 8, 6],
};
const GROUPS: Layout<7> = Layout {
    heads: ["name", "count", "failed", "p50", "p95", "p99", "max"],
    name: 0,
    expendable: &[3, 5, 6, 4],
};
/// Steps that run once have no rate, and percentiles of a few requests say nothing.
const ASIDE: Layout<6> = Layout {
    heads: ["", "name", "requests", "failed", "avg", "max"],
    name: 1,
    expendable: &[4, 5],
};
/// The least room for a name.
const NAME: usize = 12;

fn write_stdout(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(printable(text).as_bytes())?;
    stdout.flush()
}

fn requests(summary: &Summary, width: Option<u16>) -> Table {
    let aggregated = summary.aggregated();
    let rows = summary.rows();
    table(&REQUESTS, rows.iter().chain([&aggregated]).map(request_cells).collect(), width)
}

/// Transactions in a table of their own: they are none of the requests.
fn groups(summary: &Summary, width: Option<u16>, out: &mut String) {
    let rows = summary.groups();
    if rows.is_empty() {
        return;
    }
    let cells = |row: &Row| {
        let response = row.stats.response();
        [
            visible(&row.name.name).into_owned(),
            figures::count(row.stats.requests()),
            failed(row),
            figures::ms_or_dash(response.quantile_ms(0.5)),
            figures::ms_or_dash(response.quantile_ms(0.95)),
            figures::ms_or_dash(response.quantile_ms(0.99)),
            figures::ms_or_dash(response.max_ms()),
        ]
    };
    let _ = writeln!(out, "\n{}", styled(BOLD, "Groups: time without waits"));
    let _ = writeln!(out, "{}", table(&GROUPS, rows.iter().map(cells).collect(), width));
}

/// What ran once, and what went wrong with it.
fn aside(aside: &Aside, width: Option<u16>, out: &mut String) {
    let summary = &aside.summary;
    let rows = summary.rows();
    let title = format!("{}: once, in no other figure", figures::aside_title(aside.name));
    if !rows.is_empty() || !summary.totals.exceptions.is_empty() {
        let _ = writeln!(out, "\n{}", styled(BOLD, &title));
    }
    if !rows.is_empty() {
        let cells = |row: &Row| {
            let response = row.stats.response();
            [
                visible(&row.name.method).into_owned(),
                visible(&row.name.name).into_owned(),
                figures::count(row.stats.requests()),
                failed(row),
                figures::ms_or_dash(response.mean_ms()),
                figures::ms_or_dash(response.max_ms()),
            ]
        };
        let _ = writeln!(out, "{}", table(&ASIDE, rows.iter().map(cells).collect(), width));
    }
    summary.failures().iter().for_each(|row| failure(summary, row, out));
    exception_lines(summary, out);
}

/// What is in no table, a line each, where there is any.
fn remarks(started: &Started, ended: &Ended<'_>, out: &mut String) {
    let Ended { summary, warmup, again, .. } = *ended;
    let totals = &summary.totals;
    // One empty line before all of them.
    let mut gap = "\n";
    let mut remark = |style: Style, what: String, says: &str| {
        let _ = writeln!(out, "{}{}{says}", std::mem::take(&mut gap), styled(style, &what));
    };
    let plain = Style::new();
    if let Some(warm) = warmup {
        let all = warm.all();
        let counts = match all.failed() {
            0 => "none failed".to_owned(),
            n => format!("{} failed", figures::count(n)),
        };
        let says = format!(
            ": {}, {counts}; left out of the figures above",
            figures::counted(all.requests(), "request")
        );
        let lasted = format_duration(figures::lasted(warm, again));
        remark(plain, format!("warm-up {lasted}"), &says);
    }
    if totals.dropped > 0 {
        let what = figures::counted(totals.dropped, "arrival");
        let were = if totals.dropped == 1 { "was" } else { "were" };
        let why = match (totals.not_started, started.users_peak) {
            (0, 1) => "the only user was busy".to_owned(),
            // Not all of them have come yet when the generator cannot keep up.
            (0, all) => format!("none of at most {} was free", people(u64::from(all))),
            _ => "users were busy, or could not start".to_owned(),
        };
        remark(WARN, what, &format!(" {were} dropped: {why}"));
    }
    if totals.waited.count() > 0 {
        let what = figures::counted(totals.waited.count(), "arrival");
        let p99 = figures::ms_or_dash(totals.waited.quantile_ms(0.99));
        let says = format!(" waited for a free user, up to {p99} (p99): part of the response time");
        remark(plain, what, &says);
    }
    if totals.not_started > 0 {
        let what = figures::counted(totals.not_started, "time");
        remark(WARN, what, " a user could not start: its `on_start` failed");
    }
    if totals.retries > 0 {
        let what = match totals.retries {
            1 => "1 retry".to_owned(),
            n => format!("{} retries", figures::count(n)),
        };
        remark(plain, what, ": only the last attempt of a request is in the figures");
    }
    for (notice, count) in totals.notices.met() {
        let says = format!(": {}", notice.sentence());
        remark(plain, figures::counted(count, "request"), &says);
    }
    if totals.unrecorded > 0 {
        let says = " kept out of the tables by `record: off`";
        remark(plain, figures::counted(totals.unrecorded, "request"), says);
    }
    if totals.cancelled > 0 {
        let what = if totals.cancelled == 1 { "request was" } else { "requests were" };
        let says = format!(" {what} cut at the end; neither succeeded nor failed");
        remark(plain, figures::count(totals.cancelled), &says);
    }
    if totals.idle > 0 {
        let what = figures::counted(totals.idle, "time");
        remark(WARN, what, " a user found nothing to do: no `when` of its tasks held");
    }
}

/// A table; in a narrow terminal names are cut and columns left out, so that no figure is ever
/// broken over two lines.
fn table<const N: usize>(
    layout: &Layout<N>,
    mut cells: Vec<[String; N]>,
    width: Option<u16>,
) -> Table {
    let name = layout.name;
    cells.insert(0, layout.heads.map(str::to_owned));
    let mut shown: Vec<usize> = (0..N).collect();
    if let Some(width) = width.map(usize::from) {
        let widest =
            |column: usize| cells.iter().map(|row| width_of(&row[column])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..N).map(widest).collect();
        // A space on either side of each column.
        let others = |shown: &[usize]| -> usize {
            shown.iter().filter(|column| **column != name).map(|column| widths[*column] + 2).sum()
        };
        let mut expendable = layout.expendable.iter();
        while others(&shown) + NAME.min(widths[name]) + 2 > width
            && let Some(column) = expendable.next()
        {
            shown.retain(|one| one != column);
        }
        let room = width.saturating_sub(others(&shown) + 2).max(4);
        cells.iter_mut().for_each(|row| row[name] = cut_middle(&row[name], room));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let styled = |row: &[String; N]| {
        let cell = |column: &usize| {
            let cell = Cell::new(&row[*column]);
            if *column > name { cell.set_alignment(CellAlignment::Right) } else { cell }
        };
        shown.iter().map(cell).collect::<Vec<_>>()
    };
    table.set_header(styled(&cells[0]));
    for row in &cells[1..] {
        table.add_row(styled(row));
    }
    table
}

fn request_cells(row: &Row) -> [String; 9] {
    let stats = &row.stats;
    let response = stats.response();
    [
        visible(&row.name.method).into_owned(),
        visible(&row.name.name).into_owned(),
        figures::count(stats.requests()),
        failed(row),
        figures::rate(row.requests_per_s()),
        figures::ms_or_dash(response.quantile_ms(0.5)),
        figures::ms_or_dash(response.quantile_ms(0.95)),
        figures::ms_or_dash(response.quantile_ms(0.99)),
        figures::ms_or_dash(response.max_ms()),
    ]
}

/// How many failed, and what share of all that is.
fn failed(row: &Row) -> String {
    let failed = figures::count(row.stats.failed());
    match row.error_rate() {
        Some(rate) if rate > 0.0 => format!("{failed} ({})", figures::share(rate)),
        _ => failed,
    }
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
            failure(summary, row, out);
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

/// One way of failing, with what was seen: the sentence stays the same whatever that is.
fn failure(summary: &Summary, row: &FailureRow, out: &mut String) {
    let saw = figures::saw(&row.seen).map(|saw| styled(DIM, &format!(" ({})", visible(&saw))));
    let _ = writeln!(
        out,
        "  {:>7}  {}{}  {} {}",
        figures::count(row.seen.count),
        visible(&summary.catalogue.sentence(row.failure)),
        saw.unwrap_or_default(),
        visible(&row.name.method),
        visible(&row.name.name),
    );
}

fn exceptions(summary: &Summary, out: &mut String) {
    if summary.totals.exceptions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", styled(WARN, "Mistakes met while running the plan"));
    exception_lines(summary, out);
}

fn exception_lines(summary: &Summary, out: &mut String) {
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
    let judged = ended.verdict.thresholds.iter().filter(|judged| !judged.state.passes());
    threshold_lines(&judged.collect::<Vec<_>>(), out);
}

fn threshold_lines(judged: &[&Judged], out: &mut String) {
    let text = |judged: &&Judged| visible(&figures::threshold(&judged.threshold)).into_owned();
    let texts: Vec<_> = judged.iter().map(text).collect();
    let widest = texts.iter().map(|text| width_of(text)).max().unwrap_or(0);
    for (judged, text) in judged.iter().zip(texts) {
        let value =
            figures::shown_value(judged).map_or(String::new(), |value| format!("  {value}"));
        let (style, mark) = match judged.state {
            State::Held => (GOOD, "✓"),
            State::Broke | State::NoData | State::TooFew => (BAD, "✗"),
            State::NotJudged => (DIM, "–"),
        };
        let word = match figures::word(judged) {
            word if word.is_empty() => word,
            word => format!("  {word}"),
        };
        let (mark, text) = (styled(style, mark), pad(&text, widest));
        let place = figures::place(judged).map_or(String::new(), |place| format!("  {place}"));
        let place = styled(DIM, &place);
        let _ = writeln!(out, "  {mark} {text}{value}{}{place}", styled(style, &word));
    }
}

fn findings(ended: &Ended<'_>, width: Option<u16>, out: &mut String) {
    // Of too few samples the line of the threshold tells.
    let told = |finding: &&Finding| finding.rule != Rule::TooFewSamples;
    let findings: Vec<_> = ended.findings.iter().filter(told).collect();
    if !findings.is_empty() {
        let _ = writeln!(out, "\n{}", styled(BOLD, "What the figures say"));
    }
    let columns = width.map_or(usize::MAX, usize::from);
    for finding in findings {
        let [first, rest] =
            [format!("{}.", finding.sentence), format!("{}.", capital(&finding.advice))];
        let lines = wrapped(&visible(&first), columns.saturating_sub(4));
        for (at, line) in lines.iter().enumerate() {
            let mark = if at == 0 { styled(WARN, "•") } else { " ".to_owned() };
            let _ = writeln!(out, "  {mark} {line}");
        }
        for line in wrapped(&visible(&rest), columns.saturating_sub(4)) {
            let _ = writeln!(out, "    {}", styled(DIM, &line));
        }
    }
}

fn verdict(ended: &Ended<'_>, out: &mut String) {
    let verdict = ended.verdict;
    let sentence = json::sentence(ended);
    let good = ended.summary.all().requests() > 0
        && verdict.broken() == 0
        && ended.search.is_none_or(Found::is_answered)
        && !verdict.validity.is_invalid()
        && ended.stopped.is_none();
    let style = if good { GOOD.bold() } else { BAD };
    let doubt = match verdict.validity {
        Validity::Valid => DIM,
        Validity::Suspect(_) => WARN,
        Validity::Invalid(_) => BAD,
    };
    let word = styled(doubt, verdict.validity.word());
    let _ = writeln!(out, "\n{} {word}", styled(style, &sentence));
    for reason in verdict.validity.reasons() {
        let _ = writeln!(out, "  {}", styled(doubt, reason));
    }
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
