//! Owns `summary.md`: what is to say of a run on one page, for a pull request or the summary of a CI job.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::case::{Outcome, cases, thresholds};
use super::text::{capital, shortened};
use super::{figures, json, search};
use crate::event::{Ended, Started};
use crate::metrics::{FailureRow, Row, Summary};
use crate::untrusted::{markdown_cell, markdown_code};
use crate::verdict::{Validity, Verdict};

/// The most rows of each table and list: a page, not a report.
const THRESHOLDS: usize = 50;
const NAMES: usize = 20;
const FAILURES: usize = 10;
const LABELS: usize = 20;
const REASONS: usize = 20;

/// No text from outside is longer, in characters, nor a sentence that may hold some.
const TEXT: usize = 200;
const REASON: usize = 500;

/// What GitHub shows of a step.
const STEP: u64 = 1024 * 1024;

/// The run as Markdown. Outside text stands in spans of code, so that none of it is markup.
///
/// # Errors
/// None: it is made in memory.
pub fn summary_md(started: &Started, ended: &Ended<'_>) -> io::Result<String> {
    let mut out = String::new();
    heading(started, ended, &mut out);
    reasons(&ended.verdict.validity, &mut out);
    findings(ended, &mut out);
    search::table_md(ended, &mut out);
    threshold_table(ended.verdict, &mut out);
    request_table(ended.summary, &mut out);
    failure_table(ended.summary, &mut out);
    facts(started, ended, &mut out);
    Ok(out)
}

/// Adds `text` to what the file at `path` holds; false when GitHub would show nothing of the step any
/// more, and nothing was added.
///
/// # Errors
/// The file cannot be written.
pub fn append_summary(path: &Path, text: &str) -> io::Result<bool> {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
    // What stands there may not end its line.
    let text = format!("\n{text}");
    if file.metadata()?.len() + text.len() as u64 > STEP {
        return Ok(false);
    }
    file.write_all(text.as_bytes())?;
    Ok(true)
}

/// The verdict at a glance: by a mark, and in words.
fn heading(started: &Started, ended: &Ended<'_>, out: &mut String) {
    let failed = cases(started, ended).iter().any(|case| case.outcome.is_failure());
    let (mark, word) = match (failed, ended.verdict.thresholds.is_empty()) {
        (true, _) => ("❌", "not passed"),
        (false, _) if ended.search.is_some() => ("✅", "passed"),
        (false, true) => ("ℹ️", "no thresholds"),
        (false, false) => ("✅", "passed"),
    };
    let _ = writeln!(out, "## {mark} {}: {word}\n", code(&started.plan_name));
    let sentence = json::sentence(ended);
    let _ = writeln!(out, "{sentence} **{}**", ended.verdict.validity.word());
    if let Some(part) = figures::part(ended.again) {
        let _ = writeln!(out, "\nShown: {part}.");
    }
}

fn reasons(validity: &Validity, out: &mut String) {
    let reasons = validity.reasons();
    if !reasons.is_empty() {
        out.push('\n');
    }
    for reason in reasons.iter().take(REASONS) {
        // They are sentences of ours, but a name may be in one.
        let _ = writeln!(out, "- {}", markdown_code(&shortened(reason, REASON)));
    }
    more(reasons.len(), REASONS, out);
}

/// What the figures say: each in bold by its rule, then its sentence and what to do.
fn findings(ended: &Ended<'_>, out: &mut String) {
    if !ended.findings.is_empty() {
        out.push('\n');
    }
    for finding in ended.findings {
        let sentence = match finding.rule.quotes() {
            true => markdown_code(&shortened(&finding.sentence, REASON)),
            false => finding.sentence.clone(),
        };
        let title = capital(finding.rule.title());
        let _ = writeln!(out, "- **{title}.** {sentence}. {}.", capital(&finding.advice));
    }
}

fn threshold_table(verdict: &Verdict, out: &mut String) {
    let mut cases = thresholds(verdict);
    if cases.is_empty() {
        return;
    }
    let all = cases.len();
    if all > THRESHOLDS {
        // What must be seen is above the cut.
        cases.sort_by_key(|case| !case.outcome.is_failure());
    }
    out.push_str("\n| | threshold | measured |\n|:--|:--|:--|\n");
    for case in cases.iter().take(THRESHOLDS) {
        let mark = match case.outcome {
            Outcome::Passed => "✅ held".to_owned(),
            Outcome::Failed(why) => format!("❌ {why}"),
            Outcome::NotJudged => "➖ not judged".to_owned(),
        };
        let _ =
            writeln!(out, "| {mark} | {} | {} |", cell(&case.name), figure(&case.shown.join(" ")));
    }
    more(all, THRESHOLDS, out);
}

fn request_table(summary: &Summary, out: &mut String) {
    let mut rows = summary.rows();
    let all = rows.len();
    if all > NAMES {
        rows.sort_by_key(|row| std::cmp::Reverse(row.stats.requests()));
    }
    out.push_str(
        "\n| requests to | requests | failed | per second | p50 | p95 | p99 | max |\n\
         |:--|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows.iter().take(NAMES) {
        let name = format!("{} {}", row.name.method, row.name.name);
        request_row(&cell(&name), row, out);
    }
    request_row("**Aggregated**", &summary.aggregated(), out);
    more(all, NAMES, out);
}

fn request_row(name: &str, row: &Row, out: &mut String) {
    let response = row.stats.response();
    let at = |quantile| figures::ms_or_dash(response.quantile_ms(quantile));
    let failed = match row.stats.failed() {
        0 => "0".to_owned(),
        failed => {
            let share = figures::share(row.error_rate().unwrap_or(0.0));
            format!("{} ({})", figures::count(failed), figure(&share))
        }
    };
    let _ = writeln!(
        out,
        "| {name} | {} | {failed} | {} | {} | {} | {} | {} |",
        figures::count(row.stats.requests()),
        figures::rate(row.requests_per_s()),
        at(0.5),
        at(0.95),
        at(0.99),
        figures::ms_or_dash(response.max_ms()),
    );
}

fn failure_table(summary: &Summary, out: &mut String) {
    let rows = summary.failures();
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| times | failure | requests to |\n|--:|:--|:--|\n");
    for FailureRow { name, failure, seen } in rows.iter().take(FAILURES) {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            figures::count(seen.count),
            cell(&summary.catalogue.sentence(*failure)),
            cell(&format!("{} {}", name.method, name.name)),
        );
    }
    more(rows.len(), FAILURES, out);
}

fn facts(started: &Started, ended: &Ended<'_>, out: &mut String) {
    let at = started.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let span = |of: &Summary| figures::span(figures::lasted(of, ended.again).as_secs_f64());
    let took = match figures::part(ended.again) {
        None => format!("took {}", span(ended.summary)),
        Some(_) => format!("{} of it shown", span(ended.summary)),
    };
    out.push('\n');
    let mut say = |what: &str, is: &str| {
        let _ = writeln!(out, "- {what}: {}", code(is));
    };
    say("Command", &started.command_line);
    say("Plan", &started.plan_file);
    say("Load", &started.profile);
    say("Target", &started.target);
    say("Began", &format!("{at}, {took}"));
    if let Some(warm) = ended.warmup {
        say("Warm-up, left out", &span(warm));
    }
    say("Seed", &started.seed.to_string());
    for (key, value) in started.labels.iter().take(LABELS) {
        say("Label", &format!("{key}={value}"));
    }
    if started.labels.len() > LABELS {
        say("Labels left out", &figures::count((started.labels.len() - LABELS) as u64));
    }
    say("Results", &started.out);
}

/// That a table or list is longer than what is shown of it.
fn more(all: usize, shown: usize, out: &mut String) {
    if all > shown {
        let _ = writeln!(out, "\n… and {} more", figures::count((all - shown) as u64));
    }
}

/// A figure may be told as `<0.001%`.
fn figure(text: &str) -> String {
    text.replace('<', "\\<")
}

fn code(text: &str) -> String {
    markdown_code(&shortened(text, TEXT))
}

fn cell(text: &str) -> String {
    markdown_cell(&shortened(text, TEXT))
}
