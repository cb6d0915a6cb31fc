//! Owns the rule that the target stands still again and again, at equal distances of time.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{at, ms, span};
use crate::verdict::capacity::Moment;

/// Whoever waits so many times the median, and so many milliseconds more than that, may have met a stall.
const LONG: (f64, f64) = (5.0, 200.0);

/// It is one when so large a share of those met it who would have, and so many of them.
const MET: (f64, u64) = (0.3, 3);

/// So many stalls are needed to call them periodic, and so many where the generator is under suspicion: a
/// machine that is busy stands still by itself.
const STALLS: usize = 4;
const STALLS_OF_SUSPECTS: usize = 8;

/// Their distances are equal when they are off by no more than this share of them, in the root of the
/// mean square, and so many seconds, since a second is all that is known of when one was.
const OFF: (f64, f64) = (0.12, 0.6);

/// Of fewer stalls than so many the distances may be off by less: a few are alike by chance.
const FEW: usize = 6;
const OFF_OF_FEW: (f64, f64) = (0.06, 0.5);

/// At most one of so many distances is twice as long.
const MISSED: usize = 4;

/// The least autocorrelation at the distance of the stalls.
const CORRELATION: f64 = 0.4;

/// A stall.
#[derive(Debug, Clone, Copy)]
struct Stall {
    from_s: u32,
    to_s: u32,
    /// The longest that somebody waited for its end, in milliseconds.
    longest: f64,
}

/// Stalls at equal distances.
pub(super) fn periodic(run: &Run) -> Option<Finding> {
    let stalls = stalls(run)?;
    let (first, last) = (stalls.first()?, stalls.last()?);
    let is_suspect = !run.generator.suspect.is_empty();
    if stalls.len() < if is_suspect { STALLS_OF_SUSPECTS } else { STALLS } {
        return None;
    }
    let gaps: Vec<f64> = stalls
        .windows(2)
        .map(|pair| f64::from(pair[1].from_s) - f64::from(pair[0].from_s))
        .collect();
    // One that few met may have been missed between two.
    let mut sorted = gaps.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2)?;
    let steps: Vec<f64> = gaps.iter().map(|gap| (gap / usual).round().max(1.0)).collect();
    let missed = steps.iter().filter(|steps| **steps > 1.0).count();
    if missed * MISSED > gaps.len() || steps.iter().any(|steps| *steps > 2.0) {
        return None;
    }
    let period = gaps.iter().sum::<f64>() / steps.iter().sum::<f64>();
    let off = gaps.iter().zip(&steps).map(|(gap, steps)| (gap - steps * period).powi(2));
    let off = (off.sum::<f64>() / gaps.len() as f64).sqrt();
    let most = if stalls.len() < FEW { OFF_OF_FEW } else { OFF };
    let step = run.moments.iter().map(|moment| moment.to_s - moment.from_s).max()?;
    if period < 2.0 * f64::from(step) + 1.0
        || off > most.0 * period + most.1 * f64::from(step)
        || correlation(&stalls, &run.moments, period) < CORRELATION
    {
        return None;
    }
    let mut lengths: Vec<f64> = stalls.iter().map(|stall| stall.longest).collect();
    lengths.sort_unstable_by(f64::total_cmp);
    let length = lengths[lengths.len() / 2];
    let median = run.all.response.quantile_ms(0.5)?;
    let sentence = format!(
        "Every {} everything stood still for about {}: {} times from {} to {} of the run, while the \
         median response is {}",
        span((period * 2.0).round() / 2.0),
        ms(length),
        stalls.len(),
        at(first.from_s),
        at(last.to_s),
        ms(median),
    );
    let advice = "look at what the target, or its machine, does that often: garbage collection, \
                  checkpoints of its database, a job, a limit on its processors";
    let finding = Finding::new(Rule::PeriodicStalls, sentence, advice, Chart::Response).figures(&[
        ("period_s", period),
        ("stall_ms", length),
        ("stalls", stalls.len() as f64),
    ]);
    Some(finding.seconds(first.from_s, last.to_s))
}

/// Every time in which most of those who were waiting, or would have asked, waited long.
fn stalls(run: &Run) -> Option<Vec<Stall>> {
    let median = run.all.response.quantile_ms(0.5)?;
    let long = (LONG.0 * median).max(LONG.1 + median);
    let mut found: Vec<Stall> = Vec::new();
    for moment in &run.moments {
        let Some(longest) = moment.response.max_ms().filter(|longest| *longest >= long) else {
            continue;
        };
        let met: u64 = moment
            .response
            .counts()
            .iter()
            .filter(|(us, _)| *us as f64 / 1e3 >= long)
            .map(|(_, count)| count)
            .sum();
        // Nobody asks twice while waiting: at most every user meets it.
        let could = (usual(&run.moments, moment) * longest / 1e3).min(moment.users.max(1.0));
        if met < MET.1 || (met as f64) < MET.0 * could {
            continue;
        }
        match found.last_mut() {
            // What begins in one second ends in the next.
            Some(last) if moment.from_s <= last.to_s => {
                last.to_s = moment.to_s;
                last.longest = last.longest.max(longest);
            }
            _ => found.push(Stall { from_s: moment.from_s, to_s: moment.to_s, longest }),
        }
    }
    Some(found)
}

/// Requests per second that are usual under the load of that moment: the median of those like it.
fn usual(moments: &[Moment], moment: &Moment) -> f64 {
    let alike = moments.iter().filter(|other| {
        other.load >= moment.load * 0.8 && other.load <= moment.load * 1.2 && other.seconds > 0.0
    });
    let mut rates: Vec<f64> = alike.map(|other| other.requests as f64 / other.seconds).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

/// The autocorrelation of the beginnings of stalls at a distance of so many seconds, with one second of
/// blur on either side: 1 when each is followed by the next there.
fn correlation(stalls: &[Stall], moments: &[Moment], period: f64) -> f64 {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return 0.0 };
    let mut series = vec![0.0; (last.to_s - first.from_s) as usize + 2];
    for stall in stalls {
        let at = (stall.from_s - first.from_s) as usize;
        for (place, weight) in [(at, 0.5), (at + 1, 1.0), (at + 2, 0.5)] {
            if let Some(cell) = series.get_mut(place) {
                *cell += weight;
            }
        }
    }
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    series.iter_mut().for_each(|cell| *cell -= mean);
    let at = |lag: usize| -> f64 {
        series.iter().zip(series.iter().skip(lag)).map(|(one, other)| one * other).sum()
    };
    let whole: f64 = at(0) * (1.0 - 1.0 / stalls.len() as f64);
    let lags = (period - 1.0).round().max(1.0) as usize..=(period + 1.0).round() as usize;
    lags.map(|lag| at(lag) / whole.max(f64::MIN_POSITIVE)).fold(f64::MIN, f64::max)
}
