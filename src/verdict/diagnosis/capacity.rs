//! Owns the sentence of capacity: how many users one server carries, and how many servers more users need.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{count, ms};
use crate::verdict::capacity::{Level, Load, fit};

/// So many levels at least.
const LEVELS: usize = 3;

/// Each of them with so many seconds and requests.
const ENOUGH: (f64, u64) = (5.0, 50);

/// A level is not stable when a larger share of its requests fails.
const FAILS: f64 = 0.01;

/// The largest level shows the limit of throughput when a user is served so much less there, by the law.
const SHOWN: f64 = 0.8;

/// A run that climbed in steps until the target was no longer stable says how far one server goes. The
/// Universal Scalability Law must fit what was served; from four steps on it says the contention.
pub(super) fn capacity(run: &Run) -> Option<Finding> {
    let levels: &[Level] = &run.held;
    let enough = |level: &Level| level.seconds >= ENOUGH.0 && level.requests >= ENOUGH.1;
    if run.load != Load::Users || levels.len() < LEVELS || !levels.iter().all(enough) {
        return None;
    }
    let limit = run.slow_ms(None);
    let is_stable = |level: &&Level| level.p95() <= limit && level.error_rate() < FAILS;
    let stable = levels.iter().take_while(is_stable).count();
    // Each level above must show the limit too, else it was chance or a disturbance.
    if stable == 0
        || stable == levels.len()
        || levels[stable..].iter().any(|level| is_stable(&level))
    {
        return None;
    }
    let points: Vec<_> = levels.iter().map(|level| (level.load, level.throughput())).collect();
    let fit = fit(&points)?;
    let exact = fit.freedom == 0 && fit.r_squared > 0.99;
    if !fit.is_good() && !exact {
        return None;
    }
    let (held, top) = (&levels[stable - 1], levels.last()?);
    let per_load = |level: &Level| fit.law.throughput(level.load) / level.load;
    if per_load(top) > SHOWN * per_load(levels.first()?) {
        return None;
    }
    let servers = (top.load / held.load - 1e-9).ceil();
    let load = run.load;
    let contention = match fit.is_good() {
        true if fit.law.alpha >= 0.005 => {
            format!(", at {:.0}% contention", fit.law.alpha * 100.0)
        }
        _ => String::new(),
    };
    let sentence = format!(
        "{} are stable on one server (95th percentile {}); {} need about {}{contention}",
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
    figures.extend(fit.law.peak().map(|peak| ("usl_peak_load", peak)));
    let finding = Finding::new(Rule::Capacity, sentence, advice, Chart::Requests).figures(&figures);
    let from_s = levels.iter().map(|level| level.from_s).min()?;
    let to_s = levels.iter().map(|level| level.to_s).max()?;
    Some(finding.seconds(from_s, to_s))
}
