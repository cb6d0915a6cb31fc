//! Owns how figures look to people: times, rates, shares and counts with their units.

use std::time::Duration;

use super::comparison;
use crate::event::Again;
use crate::metrics::{Seen, Summary};
use crate::units::format_duration;
pub(crate) use crate::units::{counted, format_count as count, format_share as share};
pub(super) use crate::units::{format_bytes as bytes, format_ms as ms, format_span as span};
use crate::verdict::{Judged, Metric, Of, State, Threshold};

/// As [`ms`], a dash when there is none.
pub(super) fn ms_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), ms)
}

/// Events per second: `9.46`, `142.3`, `12,345`.
pub(crate) fn rate(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..999.95 => format!("{value:.1}"),
        _ => count(value.round() as u64),
    }
}

/// What is shown of a run, when it is not the whole of one: `2m to 5m of the run, 2 records together`.
pub(super) fn part(again: Option<&Again>) -> Option<String> {
    let again = again?;
    let time = |second: u32| format_duration(Duration::from_secs(second.into()));
    let part = again.part.map(|(from, to)| format!("{} to {} of the run", time(from), time(to)));
    let records = (again.records > 1).then(|| format!("{} records together", again.records));
    let words: Vec<_> = [part, records].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// How long that took of which a summary is: times in it are counted from the start of the run, and of
/// one that is shown again in part only that part counts.
pub(super) fn lasted(summary: &Summary, again: Option<&Again>) -> Duration {
    let from = again.and_then(|again| again.part).map_or(0, |(from, _)| from);
    summary.duration.saturating_sub(Duration::from_secs(from.into()))
}

/// The value of a threshold, in the unit of what it looks at.
pub(crate) fn value(judged: &Judged) -> Option<String> {
    judged.value.map(|value| amount(judged.threshold.metric, value))
}

fn amount(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Time(..) => ms(value),
        Metric::Rps => format!("{}/s", rate(value)),
        Metric::ErrorRate => share(value),
        Metric::Requests | Metric::Failures | Metric::Retries | Metric::Dropped => {
            count(value as u64)
        }
    }
}

/// How a threshold came out, in words that stand behind its value: `broke`. Nothing when it held.
pub(crate) fn word(judged: &Judged) -> String {
    match (judged.state, judged.few) {
        (State::Held, _) => String::new(),
        (State::Broke, _) => "broke".to_owned(),
        (State::NoData, _) if judged.threshold.limit.is_of_baseline() && judged.value.is_some() => {
            "no data in the baseline, not a pass".to_owned()
        }
        (State::NoData, _) => "not a pass".to_owned(),
        (State::TooFew, Some(few)) => {
            let (had, needs) = (count(few.had), counted(few.needs, "sample"));
            format!("cannot say: {had} of the {needs} that it takes")
        }
        (State::TooFew, None) => {
            let doubt = judged.compared.as_ref().and_then(comparison::words::reason);
            format!("cannot say: {}", doubt.as_deref().unwrap_or("too few samples"))
        }
        (State::NotJudged, _) if judged.limit.is_some() => {
            "not judged: a search breaks limits on purpose".to_owned()
        }
        (State::NotJudged, _) => "not judged: there is no baseline".to_owned(),
    }
}

/// What a limit was taken from: `baseline 250ms`.
pub(super) fn baseline(judged: &Judged) -> Option<String> {
    let value = judged.baseline?;
    let baseline = format!("baseline {}", amount(judged.threshold.metric, value));
    let Some(compared) = judged.compared.as_ref().filter(|one| one.effect.is_some()) else {
        return Some(baseline);
    };
    let (change, interval) =
        (comparison::words::change(compared), comparison::words::interval(compared));
    let passed = match (judged.state, judged.value, judged.limit) {
        (State::Held, Some(value), Some(limit)) => !judged.threshold.op.holds(value, limit),
        _ => false,
    };
    let chance = if passed { ": may be chance" } else { "" };
    Some(format!("{baseline}, {change} ({interval}){chance}"))
}

/// What is said of a threshold without a value.
pub(crate) fn no_value(judged: &Judged) -> &'static str {
    if judged.threshold.metric == Metric::Dropped { "no arrivals" } else { "no data" }
}

/// Its value, or what is said without one; none of what is not judged in a search, for there may be data.
pub(super) fn shown_value(judged: &Judged) -> Option<String> {
    let unjudged = judged.state == State::NotJudged && judged.limit.is_some();
    value(judged).or_else(|| (!unjudged).then(|| no_value(judged).to_owned()))
}

/// Which seconds of the run a figure is of, what its limit was taken from, and when it broke first:
/// `in 3 of 12 windows, worst 40s to 50s, first 20s with 512ms`.
pub(super) fn place(judged: &Judged) -> Option<String> {
    let parts: Vec<_> =
        [windows(judged), baseline(judged), first(judged)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn time(second: u32) -> String {
    format_duration(Duration::from_secs(u64::from(second)))
}

/// When it broke first, when that is not said already.
fn first(judged: &Judged) -> Option<String> {
    let first = judged.first?;
    let told =
        judged.windows.and_then(|windows| windows.at).is_some_and(|(_, to)| to == first.at_s);
    let value = amount(judged.threshold.metric, first.value);
    (!told).then(|| match judged.windows {
        Some(_) => format!("first up to {} with {value}", time(first.at_s)),
        None if self::value(judged).as_ref() == Some(&value) => {
            format!("since {}", time(first.at_s))
        }
        None => format!("since {}, then {value}", time(first.at_s)),
    })
}

fn windows(judged: &Judged) -> Option<String> {
    let windows = judged.windows?;
    let Some((from, to)) = windows.at else {
        return Some("no window was whole".to_owned());
    };
    let seconds = format!("{} to {}", time(from), time(to));
    let ended = match (judged.threshold.when.abort, judged.state) {
        (true, State::Broke | State::NoData) => ", and ended the run",
        _ => "",
    };
    Some(match (windows.judged, windows.broken) {
        _ if !ended.is_empty() => format!("{seconds}{ended}"),
        (1, _) => seconds,
        (all, 0) if windows.few > 0 && judged.state == State::TooFew => {
            format!("in {} of {} windows, first {seconds}", count(windows.few), count(all))
        }
        (all, 0) => format!("in {} windows, worst {seconds}", count(all)),
        (all, broken) => {
            format!("in {} of {} windows, worst {seconds}", count(broken), count(all))
        }
    })
}

/// What a threshold is of: a name as it is, anything else with its kind: `class Buyer`.
pub(super) fn of(of: &Of) -> String {
    match of {
        Of::Name(name) => name.clone(),
        other => format!("{} {}", other.kind(), other.text()),
    }
}

/// A threshold as it is said: `p95 < 500ms of class Buyer in each 10s, after 30s`.
pub(super) fn threshold(threshold: &Threshold) -> String {
    let of = threshold.of.as_ref().map(|of| format!(" of {}", self::of(of))).unwrap_or_default();
    format!("{}{of}{}", threshold.text, threshold.when_words())
}

/// What was seen instead of what a rule expects: `saw false, null`.
pub(super) fn saw(seen: &Seen) -> Option<String> {
    (!seen.examples.is_empty()).then(|| format!("saw {}", seen.examples.join(", ")))
}

/// When what is called `before` or `after` ran.
pub(super) fn aside_title(name: &str) -> &'static str {
    if name == "before" { "Before the first user" } else { "After the last user" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_the_digits_that_matter() {
        assert_eq!([9.463, 142.34, 12_345.6].map(rate), ["9.46", "142.3", "12,346"]);
    }
}
