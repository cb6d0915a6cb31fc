//! Owns the run over time as JSON: the history of all requests, that of each name, where response times lay
//! in each step, and the curve of percentiles.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::json::rounded;
use crate::metrics::{
    FailureKind, Level, Point, RequestName, Row, Spent, Summary, Timing, TrackPoint,
};

/// All requests over time, unpacked once: that takes longer than what is made of it.
pub(super) struct OverTime {
    /// Seconds per point.
    step_s: u32,
    /// Each point, and the seconds that it really covers.
    points: Vec<(Point, f64)>,
    /// Its response times.
    responses: Vec<Timing>,
}

impl OverTime {
    pub(super) fn of(summary: &Summary) -> Self {
        let points = summary.history.ended(summary.duration);
        let responses = points.iter().map(|(point, _)| point.response()).collect();
        Self { step_s: summary.history.step_s(), points, responses }
    }
}

/// The history of all requests: a list for each figure, a value for each step.
pub(super) fn history(run: &OverTime) -> Value {
    let OverTime { step_s, points, responses } = run;
    let of = |figure: &dyn Fn(&Point, f64) -> Option<f64>| -> Vec<Value> {
        points.iter().map(|(point, seconds)| rounded(figure(point, *seconds))).collect()
    };
    let rates =
        |count: fn(&Point) -> u64| of(&|point, seconds| Some(count(point) as f64 / seconds));
    let quantile = |quantile| -> Vec<Value> {
        responses.iter().map(|response| rounded(response.quantile_ms(quantile))).collect()
    };
    let spent = |part: fn(&Spent) -> u64| {
        of(&|point, _| {
            (point.requests > 0).then(|| part(&point.spent) as f64 / point.requests as f64 / 1e6)
        })
    };
    let is_open = points.iter().any(|(point, _)| point.arrivals > 0);
    let is_asked = !is_open || points.iter().any(|(point, _)| point.asked_users > 0.0);
    let arrivals =
        |count: fn(&Point) -> u64| if is_open { json!(rates(count)) } else { Value::Null };
    let kinds: Map<String, Value> = FailureKind::ALL
        .iter()
        .enumerate()
        .filter(|(at, _)| points.iter().any(|(point, _)| point.kinds[*at] > 0))
        .map(|(at, kind)| {
            let rate = of(&|point, seconds| Some(point.kinds[at] as f64 / seconds));
            (kind.id().to_owned(), json!(rate))
        })
        .collect();
    let level = |level: fn(&Point) -> Option<Level>| {
        of(&|point, _| level(point).map(|level| level.mean() / 1e3))
    };
    json!({
        "step_s": step_s,
        "time_s": points.iter().map(|(point, _)| point.from_s).collect::<Vec<_>>(),
        "seconds": of(&|_, seconds| Some(seconds)),
        "users": of(&|point, _| Some(point.users)),
        "asked_users": is_asked.then(|| of(&|point, _| Some(point.asked_users))),
        "arrivals_per_s": arrivals(|point| point.arrivals),
        "dropped_per_s": arrivals(|point| point.dropped),
        "requests_per_s": rates(|point| point.requests),
        "failures_per_s": rates(|point| point.failures),
        "failures_by_kind_per_s": kinds,
        "response_ms_p50": quantile(0.5),
        "response_ms_p75": quantile(0.75),
        "response_ms_p90": quantile(0.9),
        "response_ms_p95": quantile(0.95),
        "response_ms_p99": quantile(0.99),
        "response_ms_max": quantile(1.0),
        "waited_ms_avg": spent(|spent| spent.waited_ns),
        "connect_ms_avg": spent(Spent::dial_ns),
        "tls_ms_avg": spent(|spent| spent.tls_ns),
        "first_byte_ms_avg": spent(|spent| spent.first_byte_ns),
        "body_ms_avg": spent(Spent::body_ns),
        "unanswered_ms_avg": spent(|spent| spent.unanswered_ns),
        "other_ms_avg": spent(Spent::other_ns),
        "body_bytes_per_s": rates(|point| point.body_bytes),
        "process_cores": level(|point| point.cores),
        "machine_busy_fraction": level(|point| point.machine),
        "late_ms_p99": of(&|point, _| point.late().quantile_ms(0.99)),
    })
}

/// Where the time of a row's requests went, on average over all of them.
pub(super) fn spent(row: &Row) -> Value {
    let requests = row.stats.requests();
    let spent = Spent::of(&row.stats, &Timing::default());
    let ms = |ns: u64| rounded((requests > 0).then(|| ns as f64 / requests as f64 / 1e6));
    json!({
        "connect_ms_avg": ms(spent.dial_ns()),
        "tls_ms_avg": ms(spent.tls_ns),
        "first_byte_ms_avg": ms(spent.first_byte_ns),
        "body_ms_avg": ms(spent.body_ns()),
        "unanswered_ms_avg": ms(spent.unanswered_ns),
        "other_ms_avg": ms(spent.other_ns()),
    })
}

/// What the histories of names have in common.
pub(super) struct Names<'a> {
    summary: &'a Summary,
    /// The first second of each step, and the seconds that it really covers.
    steps: Vec<(u32, f64)>,
    /// The numbers of the series of each.
    series: HashMap<&'a RequestName, Vec<u16>>,
}

impl<'a> Names<'a> {
    pub(super) fn of(summary: &'a Summary) -> Self {
        let steps = summary.tracks.steps(summary.duration);
        Self { summary, steps, series: summary.series() }
    }
}

/// Their steps.
pub(super) fn steps(names: &Names<'_>) -> Value {
    let Names { summary, steps, .. } = names;
    json!({
        "step_s": summary.tracks.step_s(),
        "time_s": steps.iter().map(|(from, _)| from).collect::<Vec<_>>(),
        "seconds": steps.iter().map(|(_, seconds)| rounded(Some(*seconds))).collect::<Vec<_>>(),
    })
}

/// One name over time, in [`steps`].
pub(super) fn track(names: &Names<'_>, row: &Row) -> Value {
    let Names { summary, steps, series } = names;
    let numbers = series.get(&row.name).map_or(&[][..], Vec::as_slice);
    let points = summary.tracks.of(numbers, steps.len());
    let rates = |count: fn(&TrackPoint) -> u64| -> Vec<Value> {
        let rate = |(point, (_, seconds)): (&TrackPoint, &(u32, f64))| {
            rounded(Some(count(point) as f64 / seconds))
        };
        points.iter().zip(steps).map(rate).collect()
    };
    let quantile = |quantile| -> Vec<Value> {
        points.iter().map(|point| rounded(point.response.quantile_ms(quantile))).collect()
    };
    json!({
        "requests_per_s": rates(|point| point.requests),
        "failures_per_s": rates(|point| point.failures),
        "response_ms_p50": quantile(0.5),
        "response_ms_p95": quantile(0.95),
        "response_ms_p99": quantile(0.99),
    })
}

/// Columns of the map at most.
const COLUMNS: usize = 240;
/// Its rows: so many for each tenfold time.
const PER_DECADE: f64 = 12.0;
/// The first row is of all times up to so many milliseconds.
const LEAST_MS: f64 = 0.01;

/// Where it begins, how many seconds it covers, and its pairs of row and count.
type Column = (u32, f64, Vec<(u32, u64)>);

/// How many response times lay where, in each step: a column of pairs of row and count. Row `r` is of the
/// times above `least_ms · 10^((r−1)/per_decade)`, up to the same of `r`; row 0 of all below.
pub(super) fn heat(run: &OverTime) -> Value {
    let OverTime { points, responses, .. } = run;
    let each = points.len().div_ceil(COLUMNS).max(1);
    let columns: Vec<Column> = points
        .chunks(each)
        .zip(responses.chunks(each))
        .map(|(points, responses)| {
            let mut all = Timing::default();
            responses.iter().for_each(|response| all.merge(response));
            let seconds: f64 = points.iter().map(|(_, seconds)| seconds).sum();
            (points[0].0.from_s, seconds, rows(&all))
        })
        .collect();
    json!({
        "least_ms": LEAST_MS,
        "per_decade": PER_DECADE,
        "time_s": columns.iter().map(|(from, ..)| from).collect::<Vec<_>>(),
        "seconds": columns.iter().map(|(_, seconds, _)| rounded(Some(*seconds))).collect::<Vec<_>>(),
        "counts": columns.iter().map(|(.., rows)| rows).collect::<Vec<_>>(),
    })
}

fn rows(timing: &Timing) -> Vec<(u32, u64)> {
    let mut rows: Vec<(u32, u64)> = Vec::new();
    for (us, count) in timing.counts() {
        let row = ((us as f64 / 1e3 / LEAST_MS).log10() * PER_DECADE).ceil().max(0.0) as u32;
        match rows.last_mut() {
            Some((last, sum)) if *last == row => *sum += count,
            _ => rows.push((row, count)),
        }
    }
    rows
}

/// The curve of percentiles, as far as the number of requests carries it: at each step half of what was
/// left, in four parts.
pub(super) fn curve(row: &Row) -> Vec<Value> {
    let (response, service) = (row.stats.response(), &row.stats.service);
    let count = response.count();
    if count == 0 {
        return Vec::new();
    }
    let mut at = vec![0.0];
    let mut left = 1.0;
    // Beyond it stands the maximum alone.
    while left * count as f64 >= 1.0 && at.len() < 120 {
        at.extend((1..=4).map(|part| 1.0 - left + left / 2.0 * f64::from(part) / 4.0));
        left /= 2.0;
    }
    at.push(1.0);
    let point = |quantile: f64| {
        json!({
            // Of ten million requests the last is seven digits away from all.
            "fraction": (quantile * 1e9).round() / 1e9,
            "response_ms": rounded(response.quantile_ms(quantile)),
            "service_ms": rounded(service.quantile_ms(quantile)),
        })
    };
    at.into_iter().map(point).collect()
}
