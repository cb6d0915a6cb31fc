//! Owns the levels of load of a run: what the target did while the load stood still, and as it rose.

use crate::metrics::Timing;

/// What load is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Users that wait for their answers: the closed form.
    Users,
    /// Arrivals per second: the open form.
    Rate,
}

/// What the requests of a stretch of time spent it on: sums, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Waiting for a user, in the open form.
    pub waited: f64,
    /// Opening connections, with what is agreed on TLS.
    pub connect: f64,
    /// Agreeing on TLS.
    pub tls: f64,
    /// From the first byte written to the first byte read, or to when nobody waited for it any more.
    pub first_byte: f64,
    /// From the first byte written to the last byte read.
    pub service: f64,
    /// From when they were due to the last byte read.
    pub response: f64,
}

/// A second of a run, or a few.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moment {
    /// First second of the run that it covers.
    pub from_s: u32,
    /// The second after the last.
    pub to_s: u32,
    /// How long it really was.
    pub seconds: f64,
    /// Users, or arrivals per second.
    pub load: f64,
    /// Users that were there.
    pub users: f64,
    /// Open form: arrivals that were never started.
    pub dropped: u64,
    /// Requests that ended in it.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Response times of all of them.
    pub response: Timing,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// What their time went into; all 0 when it is not known.
    pub spent: Spent,
}

/// What the target did under one load.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Users, or arrivals per second.
    pub load: f64,
    /// First second of the run that it covers.
    pub from_s: u32,
    /// The second after the last.
    pub to_s: u32,
    /// How many seconds of them it is made of.
    pub seconds: f64,
    /// Requests that ended in them.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Response times of all of them.
    pub response: Timing,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// What their time went into; all 0 when it is not known.
    pub spent: Spent,
}

/// The load stood still for at least so many seconds, those not counted in which it settles.
const HELD_S: f64 = 4.0;

/// So much of a time of the same load is left out at its beginning, while the target settles: a tenth,
/// from one second to ten.
const SETTLES: f64 = 0.1;

/// Loads closer than this share are one level.
const ALIKE: f64 = 0.03;

/// A rising load is cut into at most so many levels.
const STEPS: usize = 12;

/// Fewer requests say nothing: neither of a level, nor of a name or a run.
pub(in crate::verdict) const REQUESTS: u64 = 20;

/// So much of the time at the top belongs to a rise.
const TOP_S: f64 = 10.0;

impl Level {
    fn of(moments: &[&Moment]) -> Option<Self> {
        let (first, rest) = moments.split_first()?;
        let mut level = Self {
            load: first.load * first.seconds,
            from_s: first.from_s,
            to_s: first.to_s,
            seconds: first.seconds,
            requests: first.requests,
            failures: first.failures,
            response: first.response.clone(),
            body_bytes: first.body_bytes,
            spent: first.spent,
        };
        for moment in rest {
            level.load += moment.load * moment.seconds;
            level.take(moment.from_s, moment.to_s, moment.seconds);
            level.requests += moment.requests;
            level.failures += moment.failures;
            level.response.merge(&moment.response);
            level.body_bytes += moment.body_bytes;
            level.spent.add(&moment.spent);
        }
        level.load /= level.seconds;
        (level.seconds > 0.0).then_some(level)
    }

    fn take(&mut self, from_s: u32, to_s: u32, seconds: f64) {
        (self.from_s, self.to_s) = (self.from_s.min(from_s), self.to_s.max(to_s));
        self.seconds += seconds;
    }

    fn join(&mut self, other: &Self) {
        let seconds = self.seconds + other.seconds;
        self.load = (self.load * self.seconds + other.load * other.seconds) / seconds;
        self.take(other.from_s, other.to_s, other.seconds);
        self.requests += other.requests;
        self.failures += other.failures;
        self.response.merge(&other.response);
        self.body_bytes += other.body_bytes;
        self.spent.add(&other.spent);
    }

    /// Requests that ended, per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Requests that succeeded, per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.requests.saturating_sub(self.failures) as f64 / self.seconds
    }

    /// How many requests were under way at a time, in the mean: N = X·R, without what waited for a user
    /// (J. Little, 1961). None when it is not known how long they took.
    #[must_use]
    pub fn under_way(&self) -> Option<f64> {
        let spent = self.spent.response - self.spent.waited;
        (spent > 0.0).then(|| spent / 1e3 / self.seconds)
    }

    /// Failed requests as a fraction of all; 0 without requests.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        self.failures as f64 / self.requests.max(1) as f64
    }

    /// The median of the response times, in milliseconds; 0 without requests.
    #[must_use]
    pub fn p50(&self) -> f64 {
        self.response.quantile_ms(0.5).unwrap_or(0.0)
    }

    /// Their 95th percentile.
    #[must_use]
    pub fn p95(&self) -> f64 {
        self.response.quantile_ms(0.95).unwrap_or(0.0)
    }
}

impl Spent {
    /// Adds what others have spent.
    pub(in crate::verdict) fn add(&mut self, other: &Self) {
        self.waited += other.waited;
        self.connect += other.connect;
        self.tls += other.tls;
        self.first_byte += other.first_byte;
        self.service += other.service;
        self.response += other.response;
    }
}

impl Load {
    /// By how much the load may be off and still be the same.
    fn slack(self, noise: f64, mean: f64) -> f64 {
        match self {
            Self::Users => (mean * 0.005).max(0.51),
            // Arrivals may be random.
            Self::Rate => (4.0 * noise).max(mean * 0.005).max(1.01),
        }
    }

    /// A slow rise stays close to its own mean for long: its halves do not.
    fn is_still(self, moments: &[Moment]) -> bool {
        // Random arrivals are off by the root of their number, even ones by less.
        let noise = noise(moments);
        let mean = |half: &[Moment]| {
            let seconds: f64 = half.iter().map(|moment| moment.seconds).sum();
            let sum: f64 = half.iter().map(|moment| moment.load * moment.seconds).sum();
            (sum / seconds, (sum / seconds).sqrt().min(noise) / seconds.sqrt())
        };
        let (one, other) = moments.split_at(moments.len() / 2);
        if one.is_empty() || other.is_empty() {
            return false;
        }
        let ((before, off), (after, also_off)) = (mean(one), mean(other));
        let most = before.max(after);
        let slack = match self {
            Self::Users => (most * 0.0025).max(0.51),
            Self::Rate => (most * 0.02).max(3.0 * off.hypot(also_off)).max(0.51),
        };
        (after - before).abs() <= slack
    }
}

/// By how much the load of one moment is off from that of the next, in the middle: 1.4826 times the median
/// deviation is that of a normal distribution, and √2 of it that of a difference.
fn noise(moments: &[Moment]) -> f64 {
    let pairs = moments.windows(2);
    let mut off: Vec<f64> = pairs.map(|pair| (pair[1].load - pair[0].load).abs()).collect();
    off.sort_unstable_by(f64::total_cmp);
    off.get(off.len() / 2).map_or(0.0, |median| 1.4826 * median / std::f64::consts::SQRT_2)
}

/// The stretches in which the load stood still, as places in `moments`. None goes beyond a second of
/// `cuts`, where a stage begins.
pub(in crate::verdict) fn plateaus(
    moments: &[Moment],
    load: Load,
    cuts: &[u32],
) -> Vec<std::ops::Range<usize>> {
    let noise = noise(moments);
    let is_cut = |at: usize| {
        let (before, after) = (moments[at - 1].from_s, moments[at].from_s);
        cuts.iter().any(|cut| before < *cut && *cut <= after)
    };
    let mut found = Vec::new();
    let mut from = 0;
    while from < moments.len() {
        let (mut sum, mut seconds, mut to) = (0.0, 0.0, from);
        while let Some(moment) = moments.get(to) {
            let mean = if seconds > 0.0 { sum / seconds } else { moment.load };
            let is_other = (moment.load - mean).abs() > load.slack(noise, mean);
            if is_other || (to > from && is_cut(to)) {
                break;
            }
            sum += moment.load * moment.seconds;
            seconds += moment.seconds;
            to += 1;
        }
        if sum > 0.0 && load.is_still(&moments[from..to]) {
            found.push(from..to);
        }
        from = to.max(from + 1);
    }
    found
}

/// The levels on which the load stood still, the lowest first. The seconds between are left out, and
/// those in which the target settles; times of the same load are one level. `cuts` are the seconds in which
/// stages begin, as far as they are known: random arrivals do not show it by themselves.
#[must_use]
pub fn levels(moments: &[Moment], load: Load, cuts: &[u32]) -> Vec<Level> {
    let mut found: Vec<Level> = plateaus(moments, load, cuts)
        .into_iter()
        .filter_map(|places| {
            let all: f64 = moments[places.clone()].iter().map(|moment| moment.seconds).sum();
            let settled = (all * SETTLES).clamp(1.0, 10.0);
            let mut passed = 0.0;
            let rest: Vec<&Moment> = moments[places]
                .iter()
                .skip_while(|moment| {
                    passed += moment.seconds;
                    passed <= settled + 0.01
                })
                .collect();
            Level::of(&rest).filter(|level| level.seconds >= HELD_S)
        })
        .collect();
    together(&mut found);
    found
}

/// The levels of these stretches of seconds, each from and up to, in which the load stood still and had settled.
#[must_use]
pub fn levels_of(moments: &[Moment], stretches: &[(u32, u32)]) -> Vec<Level> {
    let level = |(from_s, to_s): &(u32, u32)| {
        let is_in = |moment: &&Moment| moment.from_s >= *from_s && moment.to_s <= *to_s;
        let those: Vec<&Moment> = moments.iter().filter(is_in).collect();
        Level::of(&those).filter(|level| level.load > 0.0)
    };
    let mut found: Vec<Level> = stretches.iter().filter_map(level).collect();
    together(&mut found);
    found
}

/// Puts the lowest first, and makes one level of those of the same load.
fn together(found: &mut Vec<Level>) {
    found.sort_by(|a, b| a.load.total_cmp(&b.load));
    found.dedup_by(|next, kept| {
        let same = next.load <= kept.load * (1.0 + ALIKE);
        if same {
            kept.join(next);
        }
        same
    });
}

/// The levels that a load passed as it rose, the lowest first: from the least load to the first time of
/// the highest, cut into steps that each hold enough requests.
#[must_use]
pub fn climb(moments: &[Moment]) -> Vec<Level> {
    let most = moments.iter().map(|moment| moment.load).fold(0.0, f64::max);
    let Some(top) = moments.iter().position(|moment| moment.load >= most * 0.995) else {
        return Vec::new();
    };
    // What comes later at the top belongs to time, not to load: a leak, a cache.
    let mut left =
        (moments[..top].iter().map(|moment| moment.seconds).sum::<f64>() / 6.0).max(TOP_S);
    let is_at_top = |moment: &&Moment| {
        left -= moment.seconds;
        moment.load >= most * 0.98 && left > -1e-6
    };
    let after = moments[top..].iter().take_while(is_at_top).count();
    let rising = &moments[..top + after];
    let least = rising.iter().map(|moment| moment.load).fold(f64::INFINITY, f64::min);
    if most <= least * 1.1 {
        return Vec::new();
    }
    let step = |moment: &Moment| {
        ((moment.load - least) / (most - least) * STEPS as f64).min(STEPS as f64 - 1.0) as usize
    };
    let mut found: Vec<Level> = Vec::new();
    for number in 0..STEPS {
        let those: Vec<&Moment> = rising.iter().filter(|moment| step(moment) == number).collect();
        let Some(level) = Level::of(&those) else { continue };
        match found.last_mut() {
            Some(last) if last.requests < REQUESTS => last.join(&level),
            _ => found.push(level),
        }
    }
    if found.last().is_some_and(|last| last.requests < REQUESTS)
        && let Some(short) = found.pop()
        && let Some(last) = found.last_mut()
    {
        last.join(&short);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(loads: impl IntoIterator<Item = f64>) -> Vec<Moment> {
        let moment = |(second, load): (usize, f64)| {
            let mut response = Timing::default();
            (0..10).for_each(|_| response.record(Duration::from_millis(load as u64)));
            let from_s = second as u32;
            let (to_s, seconds, requests, failures) = (from_s + 1, 1.0, 10, 1);
            Moment {
                from_s,
                to_s,
                seconds,
                load,
                requests,
                failures,
                response,
                ..Moment::default()
            }
        };
        loads.into_iter().enumerate().map(moment).collect()
    }

    fn held(load: f64, seconds: usize) -> impl Iterator<Item = f64> {
        std::iter::repeat_n(load, seconds)
    }

    fn shown(levels: &[Level]) -> Vec<(f64, f64, u64)> {
        let round = |value: f64| value.round();
        levels.iter().map(|level| (round(level.load), level.seconds, level.requests)).collect()
    }

    #[test]
    fn seconds_between_two_levels_and_those_that_settle_are_left_out() {
        let rise = (1..9).map(|n| 10.0 + 10.0 * f64::from(n));
        let loads = held(10.0, 20).chain(rise).chain(held(100.0, 30)).chain(held(10.0, 9));
        let levels = levels(&run(loads), Load::Users, &[]);
        assert_eq!(shown(&levels), [(10.0, 26.0, 260), (100.0, 27.0, 270)]);
        let [low, high] = &levels[..] else { panic!() };
        assert_eq!((low.from_s, low.to_s, high.from_s, high.to_s), (2, 67, 31, 58));
        assert_eq!((high.throughput(), high.error_rate()), (9.0, 0.1));
        assert_eq!((high.p50(), high.p95()), (100.0, 100.0));
    }

    #[test]
    fn stretches_that_are_known_are_levels_whatever_lies_between() {
        let loads = [10.0, 20.0, 40.0, 20.0, 40.0].into_iter().flat_map(|load| held(load, 5));
        let run = run(loads);
        let levels = levels_of(&run, &[(2, 5), (7, 10), (12, 15), (17, 20)]);
        assert_eq!(shown(&levels), [(10.0, 3.0, 30), (20.0, 6.0, 60), (40.0, 3.0, 30)]);
        assert_eq!(levels_of(&run, &[(30, 40)]), [], "nothing is known of it");
    }

    #[test]
    fn a_rise_has_no_level_however_slow_it_is() {
        for step in [0.2, 1.0, 7.0] {
            let rise = run((1..200).map(|n| f64::from(n) * step + 400.0));
            assert_eq!(levels(&rise, Load::Users, &[]), [], "{step} users a second");
        }
        assert_eq!(levels(&run(held(0.0, 50)), Load::Users, &[]), [], "nobody is there");
        assert_eq!(levels(&run(held(50.0, 4)), Load::Users, &[]), [], "too short");
        assert_eq!(levels(&[], Load::Users, &[]), []);
    }

    #[test]
    fn random_arrivals_of_one_rate_are_one_level() {
        let noise = [3.0, -8.0, 5.0, -2.0, 9.0, -7.0, 1.0, -1.0, 6.0, -6.0];
        let wobble = |rate: f64| noise.into_iter().cycle().take(40).map(move |off| rate + off);
        let levels = |loads: [f64; 2], cuts: &[u32]| -> Vec<f64> {
            let run = run(loads.into_iter().flat_map(wobble));
            levels(&run, Load::Rate, cuts).iter().map(|level| level.load.round()).collect()
        };
        assert_eq!(levels([50.0, 200.0], &[]), [50.0, 200.0]);
        assert_eq!(
            levels([50.0, 70.0], &[40]),
            [50.0, 70.0],
            "when it is known where a stage begins"
        );
    }

    #[test]
    fn a_rising_load_is_cut_into_steps_up_to_its_highest() {
        let rise = (0..120).map(f64::from);
        let steps = climb(&run(rise.chain(held(119.0, 10)).chain((0..100).rev().map(f64::from))));
        assert_eq!(steps.len(), STEPS);
        assert_eq!(
            steps.iter().map(|level| level.requests).sum::<u64>(),
            1300,
            "without the way down"
        );
        assert!(steps.windows(2).all(|pair| pair[0].load < pair[1].load));
        assert_eq!(climb(&run(held(50.0, 60))), []);
        assert_eq!(climb(&[]), []);
    }
}
