//! Owns the rule of the knee: the load from which on answers take longer instead of being more.

use super::finding::{Chart, Finding, Rule};
use super::run::{Run, is_longer};
use super::words::{about, count, ms, rate, share};
use crate::verdict::capacity::{Bend, Level, Load, kneedle};

/// Throughput is held against that of a level with so many times less load at least.
const APART: f64 = 1.4;

/// It is flat when it grows by less than half of what the load does, on the scale of logarithms, by
/// more than two standard errors.
const FLAT: f64 = 0.5;

/// Then the response has grown when it takes so many times as long, and so many milliseconds more.
const GREW: (f64, f64) = (1.5, 5.0);

/// Where throughput still grows, it is a knee only when it takes so many times as long, and is slow.
const GREW_ALONE: f64 = 2.0;

/// Fewer requests make no level to hold anything against.
const REQUESTS: u64 = 20;

/// Of the arrivals so large a share was dropped, and so many.
const DROPPED: (f64, u64) = (0.01, 10);

/// Two levels, and what is between them.
struct Climb<'a> {
    base: &'a Level,
    top: &'a Level,
    is_flat: bool,
    /// The load at which the line of the lowest levels meets the highest throughput.
    meets: f64,
    /// The highest throughput.
    most: f64,
}

/// The response grows with load, and the throughput does not: told once, whichever shows it.
pub(super) fn knee(run: &Run) -> Option<Finding> {
    let levels: Vec<&Level> =
        run.levels().iter().filter(|level| level.requests >= REQUESTS).collect();
    climbed(&levels).and_then(|climb| tell(run, &levels, &climb)).or_else(|| overrun(run))
}

/// Holds the highest level against the lowest.
///
/// In the closed form N users that think for Z get X = N / (R + Z) answers a second. As long as R stays
/// what it is, X grows as N does; a target that can do no more holds X, and R grows as N does. The two
/// lines meet at N* (D. Menascé, V. Almeida, Capacity Planning, asymptotic bounds). In the open form X is
/// the rate that is asked for, up to what the target can do.
fn climbed<'a>(levels: &[&'a Level]) -> Option<Climb<'a>> {
    let (first, rest) = levels.split_first()?;
    let top = *rest.last()?;
    let half = levels.iter().filter(|level| level.load * APART <= top.load);
    // The lowest may be slower than others: what is cold gets warm.
    let least = half.clone().map(|level| level.p50()).fold(f64::INFINITY, f64::min);
    let base = half.clone().copied().find(|level| level.p50() <= least * 1.2)?;
    let before = half.copied().next_back()?;
    let ratio = (top.load / before.load).ln();
    let grown = (top.rate() / before.rate().max(f64::MIN_POSITIVE)).ln() / ratio;
    // Requests come in bunches: their number is off by more than its root.
    let error = 1.5 * (1.0 / top.requests as f64 + 1.0 / before.requests as f64).sqrt() / ratio;
    let per_load = levels.iter().map(|level| level.rate() / level.load).fold(0.0, f64::max);
    let most = levels.iter().map(|level| level.rate()).fold(0.0, f64::max);
    let meets = (most / per_load).clamp(first.load, top.load);
    Some(Climb { base, top, is_flat: grown + 2.0 * error < FLAT, meets, most })
}

fn tell(run: &Run, levels: &[&Level], climb: &Climb<'_>) -> Option<Finding> {
    let Climb { base, top, is_flat, meets, most } = *climb;
    let more = top.p50() - base.p50();
    let is_slow = run.is_slow(&top.response, None);
    let grew = if is_flat {
        more >= GREW.1 && is_longer(&top.response, &base.response, GREW.0)
    } else {
        is_slow && is_longer(&top.response, &base.response, GREW_ALONE)
    };
    if !grew {
        return None;
    }
    let load = run.load;
    let times = format!(
        "The median response grew from {} at {} to {} at {}",
        ms(base.p50()),
        load.of(base.load),
        ms(top.p50()),
        load.bare(top.load)
    );
    let serves = rate(most);
    let lowest = levels.first()?.load;
    let is_at_once = meets <= lowest * 1.15;
    let (rule, sentence, from) = match (is_flat, is_at_once) {
        (true, false) => (
            Rule::Knee,
            format!(
                "{times}, while throughput stayed at about {serves}: the target serves about {serves}, \
                 from about {} on",
                load.of(about(meets))
            ),
            meets,
        ),
        (true, true) => (
            Rule::FlatThroughput,
            format!(
                "Throughput stayed at about {serves} from {} to {}, while the median response grew \
                 from {} to {}: the target serves about {serves}, and {} are already enough for that",
                load.of(lowest),
                load.bare(top.load),
                ms(base.p50()),
                ms(top.p50()),
                load.of(lowest)
            ),
            lowest,
        ),
        (false, _) => {
            let at = elbow(levels).unwrap_or(base.load);
            (
                Rule::Knee,
                format!(
                    "{times}, mostly beyond {}; throughput still grew, to {serves}",
                    load.of(about(at))
                ),
                at,
            )
        }
    };
    let advice = "look at what is used up on the target from there on: processors, connections of its \
                  database, locks, a pool of workers";
    let mut finding = Finding::new(rule, sentence, advice, Chart::Response).figures(&[
        ("load_knee", from),
        ("load_base", base.load),
        ("load_top", top.load),
        ("response_ms_p50_base", base.p50()),
        ("response_ms_p50_top", top.p50()),
        ("throughput_per_s", most),
    ]);
    if is_flat && !is_at_once {
        finding.also.push(Rule::FlatThroughput);
    }
    let since = levels.iter().filter(|level| level.load >= from * 0.99);
    let from_s = since.clone().map(|level| level.from_s).min()?;
    let to_s = since.map(|level| level.to_s).max()?;
    Some(finding.seconds(from_s, to_s))
}

/// Where the response time bends upwards, by [`kneedle`].
fn elbow(levels: &[&Level]) -> Option<f64> {
    let points: Vec<_> = levels.iter().map(|level| (level.load, level.p50())).collect();
    kneedle(&points, Bend::Convex, 1.0).last().map(|at| points[*at].0)
}

/// In the open form one level is enough: more arrive than the target serves, and arrivals are dropped.
fn overrun(run: &Run) -> Option<Finding> {
    let Run { arrivals, dropped, .. } = *run;
    if run.load != Load::Rate
        || dropped < DROPPED.1
        || (dropped as f64) < DROPPED.0 * arrivals as f64
    {
        return None;
    }
    // While they were dropped the users were all taken, and what was answered is what the target can do.
    let full: Vec<_> = run.moments.iter().filter(|moment| moment.dropped > 0).collect();
    let seconds: f64 = full.iter().map(|moment| moment.seconds).sum();
    let answered = full.iter().map(|moment| moment.requests).sum::<u64>() as f64 / seconds;
    let asked = full.iter().map(|moment| moment.load * moment.seconds).sum::<f64>() / seconds;
    let (first, last) = (full.first()?, full.last()?);
    let users = full.iter().map(|moment| moment.users).fold(0.0, f64::max);
    let sentence = format!(
        "{} of {} arrivals ({}) found no free user and were dropped: while {} arrived, all {} waited for \
         answers, and {} were answered",
        count(dropped),
        count(arrivals),
        share(dropped as f64 / arrivals as f64),
        rate(asked),
        Load::Users.of(users),
        rate(answered),
    );
    let advice = "the target serves no more with so many users: look at what is used up on it; more \
                  `max_users` help only while its answers do not take longer";
    let finding = Finding::new(Rule::FlatThroughput, sentence, advice, Chart::Load).figures(&[
        ("arrivals_per_s", asked),
        ("throughput_per_s", answered),
        ("dropped", dropped as f64),
        ("users", users),
    ]);
    Some(finding.seconds(first.from_s, last.to_s))
}

/// Whether the response grew with the load, slow or not: then it is worth saying where its time goes.
pub(super) fn grew(run: &Run) -> bool {
    knee(run).is_some()
}
