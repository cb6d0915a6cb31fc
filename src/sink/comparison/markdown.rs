//! Owns a comparison as Markdown, for a pull request.

use std::fmt::Write as _;

use super::{Told, words};
use crate::untrusted::{markdown_cell, markdown_code};
use crate::verdict::compare::{Compared, Outcome};

/// No more names have a table: a page, not a report. What differs comes first.
const NAMES: usize = 20;

/// The comparison as Markdown. Outside text stands in spans of code, so that none of it is markup.
#[must_use]
pub fn markdown(told: &Told) -> String {
    let comparison = &told.comparison;
    let mut out = String::new();
    let (mark, word) = match words::State::of(comparison) {
        words::State::Worse => ("❌", "worse"),
        words::State::Better => ("✅", "better"),
        words::State::NoDifference => ("✅", "no difference shown"),
        words::State::CannotSay => ("⚠️", "cannot say"),
    };
    let _ = writeln!(out, "## {mark} Compared with the baseline: {word}\n");
    let _ = writeln!(out, "{}\n", words::sentence_of(comparison, &markdown_code));
    out += "| of | figure | baseline | new | change | 95% interval | |\n\
            |:--|:--|--:|--:|--:|:-:|:--|\n";
    rows("all requests", &comparison.all, &mut out);
    let mut names: Vec<_> = comparison.names.iter().collect();
    if names.len() > NAMES {
        let differs = |one: &Compared| matches!(one.outcome, Outcome::Better | Outcome::Worse);
        names.sort_by_key(|(_, figures)| !figures.iter().any(differs));
    }
    for (name, figures) in names.iter().take(NAMES) {
        rows(&markdown_cell(&words::name(Some(name))), figures, &mut out);
    }
    if names.len() > NAMES {
        let _ = writeln!(out, "\n… and {} more names", names.len() - NAMES);
    }
    let sides = [("Baseline", &told.baseline.name), ("new", &told.new.name)];
    let sides: Vec<_> = sides
        .iter()
        .enumerate()
        .map(|(side, (word, name))| {
            format!("{word}: {}, {}", markdown_code(name), words::extent(comparison, side))
        })
        .collect();
    let _ = writeln!(out, "\n{}.\n\n{}", sides.join("; "), words::method(told).join(" "));
    out
}

fn rows(of: &str, figures: &[Compared], out: &mut String) {
    for (row, one) in figures.iter().enumerate() {
        let strong = matches!(one.outcome, Outcome::Better | Outcome::Worse);
        let word = format!("{} {}", words::mark(one.outcome), one.outcome.word());
        let said = match words::reason(one) {
            Some(reason) => format!("{word}: {reason}"),
            None if strong => format!("**{word}**"),
            None => word,
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {said} |",
            if row == 0 { of } else { "" },
            one.figure.word(),
            words::value(one.figure, one.baseline),
            words::value(one.figure, one.new),
            words::change(one),
            words::interval(one),
        );
    }
}
