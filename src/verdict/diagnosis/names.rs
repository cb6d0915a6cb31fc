//! Owns the rule that one name is slow while the others are not.

use super::finding::{Chart, Finding, Rule};
use super::run::{Run, Series};
use super::words::{counted, ms, share};

/// Fewer requests say nothing of a name.
const REQUESTS: u64 = 20;

/// It takes so many times as long as any other, in the 95th percentile and in the median.
const TIMES: (f64, f64) = (3.0, 2.0);

/// One name is slow, and no other is slow or nearly as slow.
pub(super) fn one_slow(run: &Run) -> Option<Finding> {
    let mut known: Vec<&Series> =
        run.names.iter().filter(|name| name.requests >= REQUESTS).collect();
    known.sort_by(|a, b| b.p95().total_cmp(&a.p95()));
    let (slow, others) = known.split_first()?;
    let next = others.first()?;
    let median = others.iter().map(|name| name.p50()).fold(0.0, f64::max);
    let is_slow = |name: &Series| run.is_slow(&name.response, Some(&name.name));
    if !is_slow(slow)
        || others.iter().any(|name| is_slow(name))
        || slow.p95() < TIMES.0 * next.p95()
        || slow.p50() < TIMES.1 * median
    {
        return None;
    }
    let all: f64 = run.names.iter().map(|name| name.spent.response).sum();
    let part = slow.spent.response / all.max(f64::MIN_POSITIVE);
    let others_are = match others.len() {
        1 => format!("of {} it is", next.name),
        n => format!("of the {} it is at most", counted(n as u64, "other name")),
    };
    let sentence = format!(
        "{} alone is slow: its 95th percentile is {}, {others_are} {}; {} of all the time that requests \
         took went there",
        slow.name,
        ms(slow.p95()),
        ms(next.p95()),
        share(part),
    );
    let advice = "look at what the target does for it and not for the others: a query without an index, \
                  a lock, a call to another service";
    let finding = Finding::new(Rule::OneNameSlow, sentence, advice, Chart::Response).figures(&[
        ("response_ms_p95", slow.p95()),
        ("response_ms_p95_others", next.p95()),
        ("time_share", part),
    ]);
    Some(finding.name(&slow.name))
}
