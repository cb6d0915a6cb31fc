//! Owns a comparison as text for a terminal.

use std::fmt::Write as _;

use anstyle::Style;

use super::{Told, words};
use crate::sink::terminal::{BAD, BOLD, DIM, GOOD, WARN, styled};
use crate::sink::text::{cut_middle, pad, width_of};
use crate::untrusted::one_line;
use crate::verdict::compare::{Compared, Outcome};

/// What a line tells of a figure: its name, both values, the change, its interval, and what that comes to.
type Line = [String; 6];

const HEADS: [&str; 6] = ["", "baseline", "new", "change", "interval", ""];
/// The columns that go first when there is no room: the interval, then the baseline's value.
const EXPENDABLE: [usize; 3] = [4, 1, 2];
/// Columns before a figure, below the name that it is of.
const INDENT: usize = 2;

/// The comparison as styled text; `width` in columns, unlimited when unknown.
#[must_use]
pub fn text(told: &Told, width: Option<u16>) -> String {
    let comparison = &told.comparison;
    let width = width.map_or(usize::MAX, usize::from);
    let mut reasons: Vec<String> = Vec::new();
    let mut parts: Vec<(String, Vec<(Outcome, Line)>)> = Vec::new();
    let names = comparison.names.iter().map(|(name, figures)| (Some(name), figures));
    for (name, figures) in std::iter::once((None, &comparison.all)).chain(names) {
        let title = match name {
            None => "All requests".to_owned(),
            name => cut_middle(&one_line(&words::name(name)), width),
        };
        let lines = figures.iter().map(|one| (one.outcome, line(one, &mut reasons)));
        parts.push((title, lines.collect()));
    }
    let shown = columns(&parts, width);

    let mut out = String::new();
    let sides = [("Baseline:", &told.baseline.name), ("New:     ", &told.new.name)];
    for (side, (head, name)) in sides.into_iter().enumerate() {
        let extent = words::extent(comparison, side);
        let room = width.saturating_sub(width_of(head) + width_of(&extent) + 4);
        let name = cut_middle(&one_line(name), room.max(8));
        let _ =
            writeln!(out, "{} {name} {}", styled(DIM, head), styled(DIM, &format!("({extent})")));
    }
    let head = HEADS.map(str::to_owned);
    let _ = writeln!(out, "\n{}", styled(DIM, row(&head, &shown).trim_end()));
    for (title, lines) in &parts {
        let _ = writeln!(out, "{}", styled(BOLD, title));
        for (outcome, line) in lines {
            let text = row(line, &shown);
            // What stands last is said in its colour.
            let (figures, word) = text.split_at(text.len() - line[5].len());
            let _ = writeln!(out, "{figures}{}", styled(style(*outcome), word));
        }
    }
    if !reasons.is_empty() {
        out.push('\n');
    }
    for (number, reason) in reasons.iter().enumerate() {
        wrapped(&format!("[{}] {reason}", number + 1), width, DIM, &mut out);
    }
    out.push('\n');
    for sentence in words::method(told) {
        wrapped(&sentence, width, DIM, &mut out);
    }
    out.push('\n');
    let state = match words::State::of(comparison) {
        words::State::Worse => BAD,
        words::State::Better => GOOD.bold(),
        words::State::NoDifference => BOLD,
        words::State::CannotSay => WARN,
    };
    wrapped(&one_line(&words::sentence(comparison)), width, state, &mut out);
    out
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Better => GOOD,
        Outcome::Worse => BAD,
        Outcome::NoDifference => Style::new(),
        Outcome::CannotSay(_) => WARN,
    }
}

/// A line of a figure. Reasons are told once, below, by their number.
fn line(one: &Compared, reasons: &mut Vec<String>) -> Line {
    let mut said = format!("{} {}", words::mark(one.outcome), one.outcome.word());
    if let Some(reason) = words::reason(one) {
        let known = reasons.iter().position(|known| *known == reason);
        let number = known.unwrap_or_else(|| {
            reasons.push(reason);
            reasons.len() - 1
        });
        said += &format!(" [{}]", number + 1);
    }
    let value = |value| words::value(one.figure, value);
    let (change, interval) = (words::change(one), words::interval(one));
    [one.figure.word(), value(one.baseline), value(one.new), change, interval, said]
}

/// The columns that there is room for, each with its width.
fn columns(parts: &[(String, Vec<(Outcome, Line)>)], width: usize) -> Vec<(usize, usize)> {
    let lines = || parts.iter().flat_map(|(_, lines)| lines.iter().map(|(_, line)| line));
    let widest = |column: usize| {
        let cells = lines().map(|line| width_of(&line[column]));
        cells.max().unwrap_or(0).max(width_of(HEADS[column]))
    };
    let mut shown: Vec<(usize, usize)> = (0..6).map(|column| (column, widest(column))).collect();
    let mut expendable = EXPENDABLE.iter();
    while INDENT + shown.iter().map(|(_, wide)| wide + 2).sum::<usize>() - 2 > width
        && let Some(column) = expendable.next()
    {
        shown.retain(|(one, _)| one != column);
    }
    shown
}

/// One line of the table: text to the left, figures to the right.
fn row(line: &Line, shown: &[(usize, usize)]) -> String {
    let mut out = " ".repeat(INDENT);
    for (position, (column, wide)) in shown.iter().enumerate() {
        let cell = &line[*column];
        out += if position > 0 { "  " } else { "" };
        out += &match column {
            0 => pad(cell, *wide),
            5 => cell.clone(),
            _ => format!("{}{cell}", " ".repeat(wide.saturating_sub(width_of(cell)))),
        };
    }
    out
}

/// Sentences, broken between words.
fn wrapped(text: &str, width: usize, style: Style, out: &mut String) {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width_of(&line) + 1 + width_of(word) > width {
            let _ = writeln!(out, "{}", styled(style, &line));
            line.clear();
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    let _ = writeln!(out, "{}", styled(style, &line));
}
