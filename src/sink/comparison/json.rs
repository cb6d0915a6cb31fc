//! Owns a comparison as JSON: all that is to say of it, as numbers with their units in the keys.

use serde_json::{Map, Value, json};

use super::{Side, Told, words};
use crate::metrics::RequestName;
use crate::verdict::compare::{Compared, Figure, Method, Point};

/// The whole comparison as one JSON value; the page is made from it.
///
/// - `totals.figures` and `names[].figures` have `baseline_…` and `new_…` with their unit behind: `_ms`,
///   `_per_s`, `_fraction`. `change_…` is a `ratio` (new divided by baseline), of an error rate a
///   `difference_fraction`, with the ends of its 95 % interval. What there is not is `null`.
/// - `outcome` and `verdict.state` are `worse`, `better`, `no_difference` or `cannot_say`, that with its
///   `reason`.
/// - `p_value` is of the figure by itself, `p_value_corrected` by Holm for all that are judged, with three
///   digits that matter.
/// - `courses` are the runs over time, from where their warm-up ends.
#[must_use]
pub fn json(told: &Told) -> Value {
    let comparison = &told.comparison;
    let (method, resamples) = match comparison.method {
        Method::Blocks { resamples } => ("block_bootstrap", Some(resamples)),
        Method::Ranks => ("rank_test", None),
    };
    let names = comparison.names.iter().map(|(name, figures)| named(Some(name), figures));
    let side = |side: usize, of: &Side| {
        let extent = comparison.sides[side];
        json!({
            "name": of.name,
            "runs": extent.runs,
            "shortest_s": extent.seconds,
            "text": words::extent(comparison, side),
        })
    };
    json!({
        "throng": { "version": env!("CARGO_PKG_VERSION") },
        "verdict": {
            "state": words::State::of(comparison).id(),
            "sentence": words::sentence(comparison),
        },
        "baseline": side(0, &told.baseline),
        "new": side(1, &told.new),
        "method": {
            "name": method,
            "resamples": resamples,
            "confidence_fraction": 0.95,
            "correction": "holm",
            "least_change_fraction": comparison.least,
            "text": words::method(told),
        },
        "totals": named(None, &comparison.all),
        "names": names.collect::<Vec<_>>(),
        "courses": {
            "baseline": told.baseline.runs.iter().map(course).collect::<Vec<_>>(),
            "new": told.new.runs.iter().map(course).collect::<Vec<_>>(),
        },
    })
}

fn named(name: Option<&RequestName>, figures: &[Compared]) -> Value {
    json!({
        "method": name.map(|name| &name.method),
        "name": name.map(|name| &name.name),
        "figures": figures.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(one: &Compared) -> Value {
    let unit = match one.figure {
        Figure::Percentile(_) => "ms",
        Figure::Throughput => "per_s",
        Figure::ErrorRate => "fraction",
    };
    let kind = if one.figure.is_difference() { "difference_fraction" } else { "ratio" };
    let effect = one.effect;
    let mut all = Map::new();
    let mut add = |key: String, value: Value| all.insert(key, value);
    add("figure".to_owned(), one.figure.word().into());
    add(format!("baseline_{unit}"), rounded(one.baseline));
    add(format!("new_{unit}"), rounded(one.new));
    add(format!("change_{kind}"), rounded(effect.map(|effect| effect.estimate)));
    add(format!("change_{kind}_low"), rounded(effect.map(|effect| effect.low)));
    add(format!("change_{kind}_high"), rounded(effect.map(|effect| effect.high)));
    add("p_value".to_owned(), significant(effect.map(|effect| effect.p)));
    add("p_value_corrected".to_owned(), significant(effect.map(|effect| effect.p_corrected)));
    add("outcome".to_owned(), words::id(one.outcome).into());
    add("reason".to_owned(), words::reason(one).into());
    for (key, text) in [
        ("baseline_text", words::value(one.figure, one.baseline)),
        ("new_text", words::value(one.figure, one.new)),
        ("change_text", words::change(one)),
        ("interval_text", words::interval(one)),
        ("outcome_text", format!("{} {}", words::mark(one.outcome), one.outcome.word())),
    ] {
        add(key.to_owned(), text.into());
    }
    Value::Object(all)
}

fn course((name, points): &(String, Vec<Point>)) -> Value {
    let step = points.get(1).map_or(1, |second| second.from_s);
    let of = |value: fn(&Point) -> Option<f64>| -> Vec<Value> {
        points.iter().map(|point| rounded(value(point))).collect()
    };
    json!({
        "name": name,
        "step_s": step,
        "time_s": points.iter().map(|point| point.from_s).collect::<Vec<_>>(),
        "requests_per_s": of(|point| Some(point.requests_per_s)),
        "failures_per_s": of(|point| Some(point.failures_per_s)),
        "response_ms_p50": of(|point| point.p50_ms),
        "response_ms_p95": of(|point| point.p95_ms),
    })
}

fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!((value * 1e6).round() / 1e6))
}

/// Three digits that matter, however small it is.
fn significant(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!(format!("{value:.2e}").parse().unwrap_or(value)))
}
