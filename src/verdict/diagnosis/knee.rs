//! Owns the rule of the knee: the load from which on answers take longer instead of being more.

use super::finding::{Chart, Finding, Rule};
use super::run::{APART, Run, is_longer};
use super::words::{about, count, ms, rate, share};
use crate::verdict::capacity::{Bend, Level, Load, Moment, REQUESTS, kneedle};

/// It is flat when it grows by less than half of what the load does, on the scale of logarithms, by
/// more than two standard errors, and by no more than one.
const FLAT: f64 = 0.5;

/// It falls again when at the top it is less than this share of the highest, by more than three standard errors.
const FALLEN: f64 = 0.9;

/// Then the response has grown when it takes so many times as long, and so many milliseconds more.
const GREW: (f64, f64) = (1.5, 5.0);

/// Where throughput still grows, it is a knee only when it takes so many times as long, and is slow.
const GREW_ALONE: f64 = 2.0;

/// The response time bends where it lies so far below the line from the lowest level to the highest, as a
/// share of what it grows by.
const BENDS: f64 = 0.15;

/// The bend is smooth when before it a level serves less than such a share of what the lines say that meet there,
/// by more than one and a half standard errors.
const SMOOTH: f64 = 0.9;

/// A level serves what the target can when it serves such a share of the highest throughput, or the difference is
/// less than a standard error.
const REACHED: f64 = 0.95;

/// A level of which a larger share fails is none to hold anything against: its times are those of failing, as
/// the limit of a timeout.
const FAILS: f64 = 0.2;

/// Of the arrivals so large a share was dropped, and so many.
const DROPPED: (f64, u64) = (0.01, 10);

/// Or so large a share of them waited for a user and still waits, and so many, after so many seconds.
const WAITS: (f64, f64, f64) = (0.05, 10.0, 5.0);

/// Two levels, and what is between them.
struct Climb<'a> {
    base: &'a Level,
    top: &'a Level,
    is_flat: bool,
    /// Throughput at the top is less than it was below.
    has_fallen: bool,
    /// The load at which the line of the lowest levels meets the highest throughput.
    meets: f64,
    /// Where the bend is smooth, it lies above that: between these loads the highest throughput is reached.
    reaches: Option<(f64, f64)>,
    /// The highest throughput.
    most: f64,
}

/// The response grows with load, and the throughput does not: told once, whichever shows it.
pub(super) fn knee(run: &Run) -> Option<Finding> {
    let holds = |level: &&Level| level.requests >= REQUESTS && level.error_rate() <= FAILS;
    let levels: Vec<&Level> = run.levels().iter().filter(holds).collect();
    climbed(&levels, unevenness(&run.moments))
        .and_then(|climb| tell(run, &levels, &climb))
        .or_else(|| overrun(run))
}

/// Holds the highest level against the lowest.
///
/// In the closed form N users that think for Z get X = N / (R + Z) answers a second. As long as R stays
/// what it is, X grows as N does; a target that can do no more holds X, and R grows as N does. The two
/// lines meet at N* (D. Menascé, V. Almeida, Capacity Planning, asymptotic bounds). In the open form X is
/// the rate that is asked for, up to what the target can do. What fails is not served.
fn climbed<'a>(levels: &[&'a Level], unevenness: f64) -> Option<Climb<'a>> {
    let (first, rest) = levels.split_first()?;
    let top = *rest.last()?;
    let half = levels.iter().filter(|level| level.load * APART <= top.load);
    // The lowest may be slower than others: what is cold gets warm.
    let least = half.clone().map(|level| level.p50()).fold(f64::INFINITY, f64::min);
    let base = half.clone().copied().find(|level| level.p50() <= least * 1.2)?;
    let error = |one: &Level, other: &Level| {
        unevenness * (1.0 / one.requests as f64 + 1.0 / other.requests as f64).sqrt()
    };
    // The nearest says least of what is between, the farthest may be below the knee.
    let is_flat = half.clone().any(|before| {
        let ratio = (top.load / before.load).ln();
        let grown = (top.throughput() / before.throughput().max(f64::MIN_POSITIVE)).ln() / ratio;
        let error = error(top, before) / ratio;
        grown + 2.0 * error < FLAT && grown < error
    });
    let per_load = levels.iter().map(|level| level.throughput() / level.load).fold(0.0, f64::max);
    let most = levels.iter().map(|level| level.throughput()).fold(0.0, f64::max);
    let meets = (most / per_load).clamp(first.load, top.load);
    // Of several that serve the most, one does by chance.
    let highest = levels.iter().find(|level| level.throughput() >= most)?;
    let reaches = levels.iter().position(|level| {
        let off = (level.throughput() / most.max(f64::MIN_POSITIVE)).ln();
        off >= REACHED.ln() || off > -error(level, highest)
    });
    let is_short = |level: &&&Level| {
        let line = most.min(per_load * level.load).max(f64::MIN_POSITIVE);
        let part = (level.throughput() / line).ln();
        part < SMOOTH.ln() && part < -1.5 * error(level, first)
    };
    let reaches = reaches.filter(|at| levels[..*at].iter().any(|level| is_short(&level)));
    let reaches = reaches.map(|at| (levels[at - 1].load, levels[at].load));
    let has_fallen = levels.iter().any(|level| {
        let left = top.throughput() / level.throughput().max(f64::MIN_POSITIVE);
        left < FALLEN && left.ln() < -3.0 * error(top, level)
    });
    Some(Climb { base, top, is_flat, has_fallen, meets, reaches, most })
}

/// By how much more than its root the number of requests in a second is off, from one second to the next: 1 when
/// they come by chance, less when they come evenly, more when in bunches. Half as much is added for what takes
/// longer than a second.
fn unevenness(moments: &[Moment]) -> f64 {
    let pairs = moments.windows(2).filter(|pair| pair[0].seconds == pair[1].seconds);
    let (off, count) = pairs.fold((0.0, 0.0), |(off, count), pair| {
        let (one, other) = (pair[0].requests as f64, pair[1].requests as f64);
        (off + (one - other).powi(2), count + one + other)
    });
    if count > 0.0 { 1.5 * (off / count).sqrt().clamp(0.3, 2.0) } else { 1.5 }
}

fn tell(run: &Run, levels: &[&Level], climb: &Climb<'_>) -> Option<Finding> {
    let Climb { base, top, is_flat, has_fallen, meets, reaches, most } = *climb;
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
                "{times}, while throughput {}: the target serves {}about {serves}, {}",
                if has_fallen {
                    format!("rose to {serves} and fell again, to {}", rate(top.throughput()))
                } else {
                    format!("stayed at about {serves}")
                },
                if has_fallen { "at most " } else { "" },
                match reaches {
                    Some((below, at)) => {
                        format!("and reaches that between {} and {}", load.bare(below), load.of(at))
                    }
                    None => format!("from about {} on", load.of(about(meets))),
                }
            ),
            Some(reaches.map_or(meets, |(_, at)| at)),
        ),
        (true, true) => (
            Rule::FlatThroughput,
            format!(
                "Throughput {} from {} to {}, while the median response grew \
                 from {} to {}: the target serves about {serves}, and {} are already enough for that",
                if has_fallen {
                    format!("fell from {serves} to {},", rate(top.throughput()))
                } else {
                    format!("stayed at about {serves}")
                },
                load.of(lowest),
                load.bare(top.load),
                ms(base.p50()),
                ms(top.p50()),
                load.of(lowest)
            ),
            Some(lowest),
        ),
        (false, _) => {
            let at = elbow(levels, climb);
            let how = match at {
                Some(at) => format!("mostly beyond {}", load.of(about(at))),
                None => "evenly from the one to the other".to_owned(),
            };
            let sentence = format!("{times}, {how}; throughput still grew, to {serves}");
            (Rule::Knee, sentence, at)
        }
    };
    // Where it grows evenly there is no place from which on it does.
    let place = if from.is_some() { "from there on" } else { "as the load grows" };
    let advice = format!(
        "look at what is used up on the target {place}: processors, connections of its database, locks, a \
         pool of workers"
    );
    let knee = from.map(|from| ("load_knee", from));
    let below = reaches.filter(|_| is_flat && !is_at_once);
    let below = below.map(|(below, _)| ("load_knee_above", below));
    let finding = Finding::new(rule, sentence, &advice, Chart::Response);
    let finding = finding.figures(knee.as_slice()).figures(below.as_slice());
    let mut finding = finding.figures(&[
        ("load_base", base.load),
        ("load_top", top.load),
        ("response_ms_p50_base", base.p50()),
        ("response_ms_p50_top", top.p50()),
        ("throughput_per_s", most),
    ]);
    if is_flat && !is_at_once {
        finding.also.push(Rule::FlatThroughput);
    }
    let from = from.unwrap_or(base.load);
    let since = levels.iter().filter(|level| level.load >= from * 0.99);
    let from_s = since.clone().map(|level| level.from_s).min()?;
    let to_s = since.map(|level| level.to_s).max()?;
    Some(finding.seconds(from_s, to_s))
}

/// Where the response time bends upwards, by [`kneedle`], and clearly.
fn elbow(levels: &[&Level], climb: &Climb<'_>) -> Option<f64> {
    let points: Vec<_> = levels.iter().map(|level| (level.load, level.p50())).collect();
    let at = kneedle(&points, Bend::Convex, 1.0).last().map(|at| points[*at])?;
    let part = |value: f64, from: f64, to: f64| (value - from) / (to - from);
    let lowest = levels.first()?.load;
    let below = part(at.0, lowest, climb.top.load) - part(at.1, climb.base.p50(), climb.top.p50());
    (at.0 > climb.base.load && below >= BENDS).then_some(at.0)
}

/// In the open form one level is enough: more arrive than the target serves, and arrivals are dropped, or wait.
fn overrun(run: &Run) -> Option<Finding> {
    if run.load != Load::Rate {
        return None;
    }
    // While they were dropped the users were all taken, and what was answered is what the target can do.
    let Run { arrivals, dropped, .. } = *run;
    let is_dropped = dropped >= DROPPED.1 && dropped as f64 >= DROPPED.0 * arrivals as f64;
    let dropping: Vec<_> = run.moments.iter().filter(|moment| moment.dropped > 0).collect();
    if is_dropped && let Some(full) = Full::of(&dropping) {
        let sentence = format!(
            "{} of {} arrivals ({}) found no free user and were dropped: while {} arrived, all {} waited \
             for answers, and {} were answered",
            count(dropped),
            count(arrivals),
            share(dropped as f64 / arrivals as f64),
            rate(full.asked),
            Load::Users.of(full.users),
            rate(full.answered),
        );
        return Some(full.finding(sentence, run));
    }
    // Those that wait are dropped at the end, or answered after it.
    let waiting: Vec<_> = run.moments.iter().filter(|moment| moment.spent.waited > 0.0).collect();
    let full = Full::of(&waiting)?;
    let came = full.asked * full.seconds;
    let still = came - full.ended * full.seconds - full.users;
    if full.seconds < WAITS.2 || still < WAITS.1 || still < WAITS.0 * came {
        return None;
    }
    let last = waiting.iter().rev().find(|moment| moment.requests > 0)?;
    let sentence = format!(
        "The target served {} of the {} that arrived, with all {} waiting for its answers: what arrived \
         waited ever longer for a user, in the end {}{}",
        rate(full.answered),
        rate(full.asked),
        Load::Users.of(full.users),
        ms(last.spent.waited / last.requests as f64),
        match dropped {
            0 => String::new(),
            n => format!(", and {} of {} arrivals were never started", count(n), count(arrivals)),
        },
    );
    Some(full.finding(sentence, run))
}

/// The time in which all users were taken.
struct Full {
    seconds: f64,
    from_s: u32,
    to_s: u32,
    /// Arrivals per second.
    asked: f64,
    /// Requests that ended, per second.
    ended: f64,
    /// Those of them that succeeded.
    answered: f64,
    users: f64,
}

impl Full {
    fn of(moments: &[&Moment]) -> Option<Self> {
        let (first, last) = (moments.first()?, moments.last()?);
        let seconds: f64 = moments.iter().map(|moment| moment.seconds).sum();
        let ended = moments.iter().map(|moment| moment.requests).sum::<u64>();
        let failed = moments.iter().map(|moment| moment.failures).sum::<u64>();
        let asked = moments.iter().map(|moment| moment.load * moment.seconds).sum::<f64>();
        Some(Self {
            seconds,
            from_s: first.from_s,
            to_s: last.to_s,
            asked: asked / seconds,
            ended: ended as f64 / seconds,
            answered: ended.saturating_sub(failed) as f64 / seconds,
            users: moments.iter().map(|moment| moment.users).fold(0.0, f64::max),
        })
    }

    fn finding(&self, sentence: String, run: &Run) -> Finding {
        let advice = "the target serves no more with so many users: look at what is used up on it; more \
                      `max_users` help only while its answers do not take longer";
        let figures = [
            ("arrivals_per_s", self.asked),
            ("throughput_per_s", self.answered),
            ("dropped", run.dropped as f64),
            ("users", self.users),
        ];
        let finding = Finding::new(Rule::FlatThroughput, sentence, advice, Chart::Load);
        finding.figures(&figures).seconds(self.from_s, self.to_s)
    }
}
