//! Owns how a search for a limit is shown: its answer, and the path to it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::json::rounded;
use super::terminal::{BAD, BOLD, DIM, GOOD, WARN, styled};
use super::text::{capital, pad, width_of};
use crate::event::{Ended, Figure, Found, Probed};
use crate::load::{End, Scale, Search, Sight};
use crate::units::format_duration;
use crate::untrusted::{markdown_cell, visible};

/// As `search` of `summary.json`. Levels are users, or arrivals per second.
pub(super) fn value(found: &Found) -> Value {
    let Search { of, from, to, hold, settle, within } = found.searching.search;
    let number = |level: u64| match of {
        Scale::Users => json!(level),
        Scale::Rate => rounded(Some(of.number(level))),
    };
    let level = |level: Option<u64>| level.map_or(Value::Null, number);
    let word = match found.end {
        Some(End::Found) => "found",
        Some(End::AllHold) => "all_hold",
        Some(End::NoneHolds) => "none_holds",
        Some(End::Unsteady) => "unsteady",
        Some(End::CannotSay) => "cannot_say",
        Some(End::Strained) => "generator_limit",
        None => "not_over",
    };
    json!({
        "of": Scale::WORDS.iter().find(|(_, one)| *one == of).map(|(word, _)| word),
        "from": number(from),
        "to": number(to),
        "from_text": of.words(from),
        "to_text": of.words(to),
        "hold_s": hold.as_secs_f64(),
        "settle_s": rounded(Some(settle.as_secs_f64())),
        "within_fraction": within,
        "must": found.searching.must.iter().map(|one| &one.text).collect::<Vec<_>>(),
        "path": found.path.iter().map(|look| {
            let mut value = self::look(look);
            value["level"] = number(look.level);
            value["level_text"] = of.words(look.level).into();
            value
        }).collect::<Vec<_>>(),
        "answer": {
            "state": word,
            "level": level(found.held),
            "at_least": level(found.held),
            "below": level(found.broke),
            "confirmed": found.confirmed,
            "broke_first": found.broke_first(),
            "sentence": found.sentence(),
        },
    })
}

fn look(look: &Probed) -> Value {
    json!({
        "from_s": look.from_s,
        "to_s": look.to_s,
        "state": id(look.sight),
        "confirming": look.confirming,
        "why": look.why,
        "values": look.figures.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(figure: &Figure) -> Value {
    json!({
        "must": figure.must,
        "state": id(figure.sight),
        "value": rounded(figure.value),
        "value_text": figure.value_text,
    })
}

fn id(sight: Sight) -> &'static str {
    match sight {
        Sight::Held => "held",
        Sight::Broke => "broke",
        // Of both it is not known whether the target can do it.
        Sight::CannotSay | Sight::Strained => "cannot_say",
    }
}

/// The levels as parts of the run in time, as `stages` of `summary.json`.
pub(super) fn stages(found: &Found) -> Vec<Value> {
    let of = found.searching.search.of;
    let stage = |look: &Probed| json!({ "name": of.words(look.level), "from_s": look.from_s, "to_s": look.to_s });
    found.path.iter().map(stage).collect()
}

/// The answer as a sentence that stands alone.
pub(super) fn sentence(found: &Found) -> String {
    format!("{}.", capital(&found.sentence()))
}

/// The path, a line each.
pub(super) fn lines(ended: &Ended<'_>, out: &mut String) {
    let Some(found) = ended.search.filter(|found| !found.path.is_empty()) else { return };
    let of = found.searching.search.of;
    let _ = writeln!(out, "\n{}", styled(BOLD, "Search"));
    let levels: Vec<String> = found.path.iter().map(|look| of.words(look.level)).collect();
    let widest = levels.iter().map(|level| width_of(level)).max().unwrap_or(0);
    for (look, level) in found.path.iter().zip(levels) {
        let (style, mark) = match look.sight {
            Sight::Held => (GOOD, "✓"),
            Sight::Broke => (BAD, "✗"),
            Sight::CannotSay | Sight::Strained => (WARN, "?"),
        };
        let longer = if look.confirming { ", confirming" } else { "" };
        let place = styled(DIM, &format!("  {}{longer}", seconds(look)));
        let shown = visible(&shown(look)).into_owned();
        let _ = writeln!(out, "  {} {}  {shown}{place}", styled(style, mark), pad(&level, widest));
    }
}

/// The same as a table of Markdown.
pub(super) fn table_md(ended: &Ended<'_>, out: &mut String) {
    let Some(found) = ended.search.filter(|found| !found.path.is_empty()) else { return };
    let of = found.searching.search.of;
    out.push_str("\n| | level | measured | seconds |\n|:--|--:|:--|:--|\n");
    for look in &found.path {
        let mark = match look.sight {
            Sight::Held if look.confirming => "✅ held, confirming",
            Sight::Held => "✅ held",
            Sight::Broke => "❌ broke",
            Sight::CannotSay | Sight::Strained => "❔ cannot say",
        };
        let shown = markdown_cell(&shown(look));
        let _ =
            writeln!(out, "| {mark} | {} | {shown} | {} |", of.words(look.level), seconds(look));
    }
}

/// The figures of a look, with what broke.
fn shown(look: &Probed) -> String {
    if look.sight != Sight::Held
        && let Some(why) = &look.why
    {
        return why.clone();
    }
    let figure = |one: &Figure| {
        let metric = one.must.split(' ').next().unwrap_or_default();
        format!("{metric} {}", one.value_text)
    };
    look.figures.iter().map(figure).collect::<Vec<_>>().join(", ")
}

/// `40s to 1m10s`
fn seconds(look: &Probed) -> String {
    let time = |second: u32| format_duration(Duration::from_secs(second.into()));
    format!("{} to {}", time(look.from_s), time(look.to_s))
}
