//! Owns the sentence of capacity: how many users one server carries, and how many servers more users need.

use super::finding::{Chart, Finding, Rule};
use super::limits::SLOW_MS;
use super::run::Run;
use super::words::{about, count, counted, ms};
use crate::verdict::capacity::{Level, Load, fit};

/// So many levels at least.
const LEVELS: usize = 3;

/// Each of them with so many seconds and requests.
const ENOUGH: (f64, u64) = (5.0, 50);

/// A level is not stable when a larger share of its requests fails.
const FAILS: f64 = 0.01;

/// The largest level shows the limit of throughput when a user is served so much less there, by the law.
const SHOWN: f64 = 0.8;

/// What fails, fails fast or late, and does not follow it: so large a share on any level is too much.
const ERRORS: f64 = 0.05;

/// Throughput falls again when on the largest level it is less than this share of the highest.
const FALLEN: f64 = 0.9;

/// From the lowest level on throughput grows to so many times as much, else the target was full there already.
const ROOM: f64 = 1.25;

/// Where even the lowest level is slow, and no threshold says how slow it may be, a level is stable while it
/// takes no more than so many times as long.
const LONGER: f64 = 2.0;

/// A run that climbed in steps until the target was no longer stable says how far one server goes. The
/// Universal Scalability Law must fit what was served; from four steps on it says the contention.
///
/// The N of the law are the requests that are under way at once, not the users: one who thinks asks nothing of
/// the target. It is N = X·R, from what was measured (B. Schwartz, Practical Scalability Analysis with the
/// Universal Scalability Law, 2015, has it so, and Coda Hale's `usl4j` after it). Users without any wait are
/// all under way, and N is their number.
pub(super) fn capacity(run: &Run) -> Option<Finding> {
    let levels: &[Level] = &run.held;
    let enough = |level: &Level| level.seconds >= ENOUGH.0 && level.requests >= ENOUGH.1;
    if run.load != Load::Users
        || !run.is_held()
        || levels.len() < LEVELS
        || !levels.iter().all(enough)
    {
        return None;
    }
    let (first, top) = (levels.first()?, levels.last()?);
    // Where no threshold says how slow a level may be, it is as slow as people bear; where even the lowest is
    // slower, none would be stable, and they are held against that one.
    let is_beside_lowest = !run.is_limited() && first.p95() > SLOW_MS;
    let most_ms = if is_beside_lowest { LONGER * first.p95() } else { SLOW_MS };
    let is_slow = |level: &Level| match run.is_limited() {
        true => run.is_slow(&level.response, None),
        false => level.p95() > most_ms,
    };
    let is_stable = |level: &&Level| !is_slow(level) && level.error_rate() < FAILS;
    let stable = levels.iter().take_while(is_stable).count();
    let most = levels.iter().map(Level::throughput).fold(0.0, f64::max);
    // Below the lowest level nothing is known: that it alone is stable shows no limit. Each level above must
    // show it too, else it was chance or a disturbance.
    if stable < 2
        || stable == levels.len()
        || levels[stable..].iter().any(|level| is_stable(&level))
        || most < ROOM * first.throughput()
    {
        return None;
    }
    let under_way = |level: &Level| level.under_way().unwrap_or(level.load);
    let points: Vec<_> =
        levels.iter().map(|level| (under_way(level), level.throughput())).collect();
    let fit = fit(&points)?;
    // A target that is full all at once has a corner, which the law has not: the knee is told of that one.
    if !fit.is_close() || levels.iter().any(|level| level.error_rate() >= ERRORS) {
        return None;
    }
    let each = |level: &Level| fit.law.throughput(under_way(level)) / under_way(level);
    if each(top) > SHOWN * each(first) {
        return None;
    }
    let held = &levels[stable - 1];
    let servers = (top.load / held.load - 1e-9).ceil();
    let load = run.load;
    let contention = if fit.is_good() && fit.law.alpha >= 0.005 {
        format!(", at {:.0}% contention", fit.law.alpha * 100.0)
    } else {
        String::new()
    };
    let peak = fit.law.peak();
    let has_fallen = top.throughput() < FALLEN * most;
    let falls = match peak.filter(|peak| fit.is_good() && has_fallen && *peak < under_way(top)) {
        Some(peak) => format!(
            "; with more than about {} under way at once it serves less, not more",
            counted(about(peak) as u64, "request")
        ),
        None => String::new(),
    };
    let holds = if is_beside_lowest {
        let lowest = load.of(first.load.round());
        format!("on one server answer within twice the time of {lowest}")
    } else {
        "are stable on one server".to_owned()
    };
    let sentence = format!(
        "{} {holds} (95th percentile {}); {} need about {}{contention}{falls}",
        load.of(held.load.round()),
        ms(held.p95()),
        load.bare(top.load.round()),
        match servers as u64 {
            2 => "two".to_owned(),
            3 => "three".to_owned(),
            n => count(n),
        },
    );
    let advice = "measure with that many servers before you rely on it: a database that they share does \
                  not grow with them";
    let mut figures = vec![
        ("load_stable", held.load),
        ("load_top", top.load),
        ("servers", servers),
        ("usl_gamma_per_s", fit.law.gamma),
        ("usl_alpha", fit.law.alpha),
        ("usl_beta", fit.law.beta),
        ("usl_r_squared", fit.r_squared),
    ];
    figures.extend(peak.map(|peak| ("usl_peak_requests_under_way", peak)));
    let finding = Finding::new(Rule::Capacity, sentence, advice, Chart::Requests).figures(&figures);
    let from_s = levels.iter().map(|level| level.from_s).min()?;
    let to_s = levels.iter().map(|level| level.to_s).max()?;
    Some(finding.seconds(from_s, to_s))
}
