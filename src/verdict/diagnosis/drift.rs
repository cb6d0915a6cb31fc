//! Owns the rule that response time drifts up while the load stays the same.

use std::ops::Range;

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{ms, span};
use crate::metrics::Timing;
use crate::verdict::capacity::{Moment, plateaus};

/// The load must stay the same for so many seconds.
const LASTS_S: f64 = 60.0;

/// The time is cut into so many blocks at most, and at least.
const BLOCKS: (usize, usize) = (24, 8);

/// Each with so many seconds, so that what comes and goes within them is evened out, and requests.
const BLOCK: (f64, u64) = (4.0, 20);

/// So large a share of the time is left out at its beginning: what is cold gets warm.
const SETTLES: f64 = 0.1;

/// Kendall's τ: of all pairs of blocks, by how much more rise than fall. A step in the middle has 0.5.
const TAU: f64 = 0.6;

/// Standard errors of the trend.
const ERRORS: f64 = 4.0;

/// From beginning to end it takes so large a share more, and so many milliseconds.
const GREW: (f64, f64) = (0.3, 5.0);

/// A trend through blocks.
struct Trend {
    begin: f64,
    end: f64,
}

/// Through the longest time of the same load, answers take ever longer.
pub(super) fn drift(run: &Run) -> Option<Finding> {
    let seconds = |places: &Range<usize>| -> f64 {
        run.moments[places.clone()].iter().map(|moment| moment.seconds).sum()
    };
    let longest = plateaus(&run.moments, run.load, &run.cuts)
        .into_iter()
        .max_by(|a, b| seconds(a).total_cmp(&seconds(b)))
        .filter(|places| seconds(places) >= LASTS_S)?;
    let moments = &run.moments[longest];
    let skipped = (moments.len() as f64 * SETTLES) as usize;
    let moments = &moments[skipped..];
    let blocks = blocks(moments)?;
    // The median shows what all requests have, the tail what some do.
    let (which, trend) = [("median", 0.5), ("95th percentile of the", 0.95)].into_iter().find_map(
        |(which, quantile)| {
            let values: Vec<f64> =
                blocks.iter().filter_map(|block| block.quantile_ms(quantile)).collect();
            Some((which, trend(&values)?))
        },
    )?;
    let (first, last) = (moments.first()?, moments.last()?);
    let lasted = f64::from(last.to_s - first.from_s);
    let per_hour = (trend.end - trend.begin) / lasted * 3600.0;
    let sentence = format!(
        "The {which} response drifted up from {} to {} within {}, while the load stayed at {}",
        ms(trend.begin),
        ms(trend.end),
        span(lasted),
        run.load.of(first.load.round()),
    );
    let advice = "look at what grows on the target with time: memory, tables without an index, logs, \
                  connections that are not given back";
    let finding = Finding::new(Rule::Drift, sentence, advice, Chart::Response).figures(&[
        ("response_ms_begin", trend.begin),
        ("response_ms_end", trend.end),
        ("response_ms_per_hour", per_hour),
    ]);
    Some(finding.seconds(first.from_s, last.to_s))
}

/// The response times of neighbouring seconds, together.
fn blocks(moments: &[Moment]) -> Option<Vec<Timing>> {
    let seconds: f64 = moments.iter().map(|moment| moment.seconds).sum();
    let requests: u64 = moments.iter().map(|moment| moment.requests).sum();
    let failures: u64 = moments.iter().map(|moment| moment.failures).sum();
    // What fails at once, or late, says little of how long an answer takes.
    if failures * 5 > requests {
        return None;
    }
    let fit = (seconds / BLOCK.0).min(requests as f64 / BLOCK.1 as f64) as usize;
    let count = fit.min(BLOCKS.0).min(moments.len());
    if count < BLOCKS.1 {
        return None;
    }
    let block = |number: usize| {
        let at = |number: usize| number * moments.len() / count;
        let mut all = Timing::default();
        moments[at(number)..at(number + 1)].iter().for_each(|moment| all.merge(&moment.response));
        all
    };
    Some((0..count).map(block).collect())
}

/// The line of Theil and Sen through values at equal distances, when the test of Mann and Kendall says
/// that they rise, and by as much as matters.
fn trend(values: &[f64]) -> Option<Trend> {
    let count = values.len();
    if count < BLOCKS.1 {
        return None;
    }
    let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
    for (at, one) in values.iter().enumerate() {
        for (later, other) in values.iter().enumerate().skip(at + 1) {
            slopes.push((other - one) / (later - at) as f64);
        }
    }
    let s: f64 = slopes.iter().map(|slope| if *slope == 0.0 { 0.0 } else { slope.signum() }).sum();
    let n = count as f64;
    let tau = s / slopes.len() as f64;
    let error = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    // Of few blocks even a rise from each to the next has few standard errors.
    let errors = ERRORS.min(0.9 * slopes.len() as f64 / error);
    if tau < TAU || s / error < errors {
        return None;
    }
    let slope = median(&mut slopes)?;
    let mut starts: Vec<f64> =
        values.iter().enumerate().map(|(at, value)| value - slope * at as f64).collect();
    let begin = median(&mut starts)?.max(0.0);
    let end = begin + slope * (n - 1.0);
    let more = end - begin;
    (more >= GREW.1 && more >= GREW.0 * begin).then_some(Trend { begin, end })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) =
        (values.get((values.len().checked_sub(1)?) / 2)?, values.get(values.len() / 2)?);
    Some((low + high) / 2.0)
}
