//! Owns the rule that one name is slow while the others are not.

use super::finding::{Chart, Finding, Rule};
use super::run::{Run, Series, is_longer};
use super::words::{counted, ms, share};
use crate::metrics::Timing;
use crate::verdict::capacity::REQUESTS;

/// It takes so many times as long as any other, in the 95th percentile and in the median.
const TIMES: (f64, f64) = (3.0, 2.0);

/// Under load its median takes so many times as long as without.
const GREW: f64 = 1.5;

/// One name is slow, and no other is slow or nearly as slow: over the whole run, or under its highest load.
pub(super) fn one_slow(run: &Run) -> Option<Finding> {
    let whole = stands_out(run, |name| Some(&name.response));
    let loaded = stands_out(run, |name| name.ends.as_ref().map(|ends| &ends[1]));
    // The one that is slow from the beginning is not slow because of the load.
    let grew = |out: &&Out<'_>| {
        let ends = out.name.ends.as_ref();
        ends.is_some_and(|[base, _]| base.count() >= REQUESTS && is_longer(out.times, base, GREW))
    };
    let out = loaded.as_ref().filter(grew).or(whole.as_ref())?;
    let Out { name, times, others, next } = *out;
    let all: f64 = run.names.iter().map(|name| name.spent.response).sum();
    let part = name.spent.response / all.max(f64::MIN_POSITIVE);
    let (p95, next_p95) = (p95(times), p95(next.1));
    let others_are = match others {
        1 => format!("of {} it is", next.0.name),
        n => format!("of the {} it is at most", counted(n as u64, "other name")),
    };
    let under_load = match (&loaded, &name.ends) {
        (Some(loaded), Some([base, _])) if grew(&loaded) => Some(base),
        _ => None,
    };
    let sentence = match under_load {
        Some(base) => format!(
            "{} alone gets slow under load: its 95th percentile grew from {} to {} there, {others_are} {}",
            name.name,
            ms(self::p95(base)),
            ms(p95),
            ms(next_p95),
        ),
        None => format!(
            "{} alone is slow: its 95th percentile is {}, {others_are} {}; {} of all the time that \
             requests took went there",
            name.name,
            ms(p95),
            ms(next_p95),
            share(part),
        ),
    };
    let advice = "look at what the target does for it and not for the others: a query without an index, \
                  a lock, a call to another service";
    let finding = Finding::new(Rule::OneNameSlow, sentence, advice, Chart::Response).figures(&[
        ("response_ms_p95", p95),
        ("response_ms_p95_others", next_p95),
        ("time_share", part),
    ]);
    Some(finding.name(&name.name))
}

/// The name that stands out, and what is next.
struct Out<'a> {
    name: &'a Series,
    times: &'a Timing,
    /// How many others there are.
    others: usize,
    next: (&'a Series, &'a Timing),
}

fn p95(times: &Timing) -> f64 {
    times.quantile_ms(0.95).unwrap_or(0.0)
}

/// The one name that is slow in those times of each.
fn stands_out<'a>(run: &'a Run, times: fn(&Series) -> Option<&Timing>) -> Option<Out<'a>> {
    let mut known: Vec<(&Series, &Timing)> = run
        .names
        .iter()
        .filter_map(|name| Some((name, times(name)?)))
        .filter(|(_, times)| times.count() >= REQUESTS)
        .collect();
    known.sort_by(|a, b| p95(b.1).total_cmp(&p95(a.1)));
    let (slow, others) = known.split_first()?;
    let next = *others.first()?;
    let p50 = |times: &Timing| times.quantile_ms(0.5).unwrap_or(0.0);
    let median = others.iter().map(|(_, times)| p50(times)).fold(0.0, f64::max);
    let is_slow = |(name, times): &(&Series, &Timing)| run.is_slow(times, Some(&name.name));
    let stands_out = is_slow(slow)
        && !others.iter().any(is_slow)
        && p95(slow.1) >= TIMES.0 * p95(next.1)
        && p50(slow.1) >= TIMES.1 * median;
    stands_out.then_some(Out { name: slow.0, times: slow.1, others: others.len(), next })
}
