//! Owns arrivals: the moments at which iterations are due in the open form, from a profile of rates.

use std::time::Duration;

use super::profile::Profile;
use crate::random::Stream;
use crate::units::Rate;

/// How arrivals are spread over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Spread {
    /// Evenly: the n-th is due when the rate has brought forth n of them.
    #[default]
    Even,
    /// As of people that know nothing of each other (a Poisson process): what lies between two is
    /// exponentially distributed around the same mean.
    Poisson,
}

impl Spread {
    /// Each with the word for it.
    pub const WORDS: [(&'static str, Self); 2] = [("even", Self::Even), ("poisson", Self::Poisson)];
}

/// The arrivals of a profile of rates. Their number by the time `t` is the integral of the rate,
/// `N(t)`; arrival `n` (from 0) is due at the first `t` with `N(t) ≥ n`, so the first comes at once.
///
/// Along a hold of the rate `r` that is `t = n / r`, exact to the nanosecond, rounded down; along a
/// ramp from `a` to `b` over `D`, with `h = 2(n − N₀)` and `s = (b − a)/D`, `t = h / (a + √(a² + s·h))`,
/// within a nanosecond of it. A Poisson process is the same with sums of exponential draws in the
/// place of `n` (the time change of a process of rate 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    pieces: Vec<Piece>,
    total: Duration,
    spread: Spread,
}

/// A stretch of time in which the rate is a line. Rates are in millionths of an event per hour, times
/// in nanoseconds; areas are twice the product, so that a ramp's is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    start: u64,
    lasts: u64,
    from: u64,
    to: u64,
    /// The area of all pieces before.
    before: u128,
}

/// The area of one arrival.
const ONE: u128 = 2 * Rate::EVENT;

/// One arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// From 0, over all workers.
    pub number: u64,
    /// The area that must have passed: when that is depends on the rates.
    area: u128,
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Arrivals {
    /// The arrivals of `profile`, up to its end.
    #[must_use]
    pub fn new(profile: &Profile<Rate>, spread: Spread) -> Self {
        let mut arrivals = Self { pieces: Vec::new(), total: profile.total(), spread };
        let (mut start, mut from) = (Duration::ZERO, Rate::ZERO);
        for stage in profile.stages() {
            arrivals.push(start, stage.over, from, stage.to);
            arrivals.push(start + stage.over, stage.hold, stage.to, stage.to);
            start += stage.over + stage.hold;
            from = stage.to;
        }
        arrivals
    }

    fn push(&mut self, start: Duration, lasts: Duration, from: Rate, to: Rate) {
        let before = self.pieces.last().map_or(0, |piece| piece.before + piece.area());
        let (from, to) = (from.per_hour_millionths(), to.per_hour_millionths());
        // Where nothing arrives nothing is due, not even what would be the next.
        if !lasts.is_zero() && (from, to) != (0, 0) {
            let (start, lasts) = (nanos(start), nanos(lasts));
            self.pieces.push(Piece { start, lasts, from, to, before });
        }
    }

    /// When they end.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// When the evenly spread arrival `number` is due; none when it comes after the end.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<Duration> {
        self.at(Arrival { number, area: u128::from(number) * ONE })
    }

    /// When an arrival is due; none when it comes after the end.
    #[must_use]
    pub fn at(&self, arrival: Arrival) -> Option<Duration> {
        let area = arrival.area;
        let after = self.pieces.partition_point(|piece| piece.before <= area);
        let piece = self.pieces[..after].last()?;
        let inside = area - piece.before;
        if inside >= piece.area() {
            return None;
        }
        let at = Duration::from_nanos(piece.start.saturating_add(piece.time_of(inside)));
        (at < self.total).then_some(at)
    }

    /// How many are due before `at`, evenly spread: for a Poisson process, the mean.
    #[must_use]
    pub fn before(&self, at: Duration) -> u64 {
        let area = self.pieces.last().map_or(0, |piece| piece.before + piece.area());
        let most = u64::try_from(area.div_ceil(ONE)).unwrap_or(u64::MAX);
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.due(middle).is_some_and(|due| due < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// How many there are in all, evenly spread: for a Poisson process, the mean.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.before(self.total)
    }

    /// The rate just after `at`.
    #[must_use]
    pub fn rate_at(&self, at: Duration) -> Rate {
        let nanos = nanos(at);
        let after = self.pieces.partition_point(|piece| piece.start <= nanos);
        let rate = self.pieces[..after].last().filter(|_| at < self.total).map_or(0, |piece| {
            let inside = nanos - piece.start;
            if inside < piece.lasts { piece.rate_after(inside) } else { 0 }
        });
        Rate::of_per_hour_millionths(rate)
    }

    /// The highest rate within a part of the time, its end left out.
    #[must_use]
    pub fn peak_within(&self, from: Duration, to: Duration) -> Rate {
        let (from, to) = (nanos(from), nanos(to.min(self.total)));
        let rates = self.pieces.iter().filter_map(|piece| {
            let first = from.max(piece.start);
            let last = to.min(piece.start.saturating_add(piece.lasts));
            // It is a line: highest at one of its ends.
            let ends = || [first, last].map(|at| piece.rate_after(at - piece.start));
            (first < last).then(ends)
        });
        Rate::of_per_hour_millionths(rates.flatten().max().unwrap_or(0))
    }

    /// The same up to `at`; from there to `rate`, linear over `over`, and held to the end.
    #[must_use]
    pub fn steered(&self, at: Duration, rate: Rate, over: Duration) -> Self {
        let from = self.rate_at(at);
        let mut steered = Self { pieces: Vec::new(), total: self.total, spread: self.spread };
        let cut = nanos(at);
        for piece in self.pieces.iter().filter(|piece| piece.start < cut) {
            let lasts = piece.lasts.min(cut - piece.start);
            let to = piece.rate_after(lasts);
            steered.pieces.push(Piece { lasts, to, ..*piece });
        }
        let left = self.total.saturating_sub(at);
        let ramp = over.min(left);
        let part = Piece {
            start: 0,
            lasts: nanos(over).max(1),
            before: 0,
            from: from.per_hour_millionths(),
            to: rate.per_hour_millionths(),
        };
        let reached = Rate::of_per_hour_millionths(part.rate_after(nanos(ramp)));
        steered.push(at, ramp, from, reached);
        steered.push(at + ramp, left - ramp, rate, rate);
        steered
    }

    /// Arrivals without end, in order; those of a Poisson process by draws from `stream`. When each is
    /// due [`Arrivals::at`] says.
    #[must_use]
    pub fn coming(&self, stream: Stream) -> Coming {
        Coming { spread: self.spread, number: 0, stream, drawn: 0.0 }
    }
}

impl Piece {
    fn area(&self) -> u128 {
        u128::from(self.lasts) * (u128::from(self.from) + u128::from(self.to))
    }

    /// The rate so long after the start, at most at the end.
    fn rate_after(&self, inside: u64) -> u64 {
        let part = |to: u64, from: u64| {
            let part =
                u128::from(to - from) * u128::from(inside.min(self.lasts)) / u128::from(self.lasts);
            part as u64
        };
        if self.to >= self.from {
            self.from + part(self.to, self.from)
        } else {
            self.from - part(self.from, self.to)
        }
    }

    /// The nanoseconds until so much of its area has passed, rounded down.
    fn time_of(&self, inside: u128) -> u64 {
        if self.from == self.to {
            return (inside / (2 * u128::from(self.from))) as u64;
        }
        let (low, high) = (self.from.min(self.to) as f64, self.from.max(self.to) as f64);
        let slope = (high - low) / self.lasts as f64;
        // From the lower end, where the square root loses nothing.
        let rising = |area: u128| {
            let area = area as f64;
            if area == 0.0 { 0.0 } else { area / (low + (low * low + slope * area).sqrt()) }
        };
        if self.to > self.from {
            (rising(inside) as u64).min(self.lasts)
        } else {
            self.lasts.saturating_sub(rising(self.area() - inside).ceil() as u64)
        }
    }
}

/// Arrivals as they come, whatever the rates.
#[derive(Debug, Clone)]
pub struct Coming {
    spread: Spread,
    number: u64,
    stream: Stream,
    /// The sum of the exponential draws up to the last arrival.
    drawn: f64,
}

impl Iterator for Coming {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let number = self.number;
        self.number += 1;
        let area = match self.spread {
            Spread::Even => u128::from(number) * ONE,
            Spread::Poisson => {
                self.drawn -= (1.0 - self.stream.fraction()).ln();
                (self.drawn * ONE as f64) as u128
            }
        };
        Some(Arrival { number, area })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Spike, Stage};
    use proptest::prelude::*;

    const S: fn(u64) -> Duration = Duration::from_secs;
    const MS: fn(u64) -> Duration = Duration::from_millis;
    const PER_S: fn(u64) -> Rate = Rate::per_second;

    fn even(stages: Vec<Stage<Rate>>) -> Arrivals {
        Arrivals::new(&Profile::new(stages), Spread::Even)
    }

    fn dues(arrivals: &Arrivals) -> Vec<Duration> {
        let coming = arrivals.coming(Stream::new(1, 0, 0));
        coming.map_while(|arrival| arrivals.at(arrival)).collect()
    }

    /// Law 2: the n-th due time depends on the profile and n alone.
    #[test]
    fn at_a_held_rate_the_nth_is_due_after_n_parts_of_a_second() {
        let arrivals = even(vec![Stage::new(PER_S(1000), S(0), S(60))]);
        let dues = dues(&arrivals);
        assert_eq!((dues.len(), arrivals.count()), (60_000, 60_000));
        for (number, due) in dues.iter().enumerate() {
            assert_eq!(*due, MS(number as u64));
        }
        let third = even(vec![Stage::new(Rate::parse("3/s").unwrap(), S(0), S(2))]);
        let nanos: Vec<u128> = self::dues(&third).iter().map(Duration::as_nanos).collect();
        assert_eq!(
            nanos,
            [0, 333_333_333, 666_666_666, 1_000_000_000, 1_333_333_333, 1_666_666_666]
        );
    }

    #[test]
    fn rates_from_one_an_hour_to_a_hundred_thousand_a_second_are_exact() {
        let hourly = even(vec![Stage::new(Rate::parse("1/h").unwrap(), S(0), S(3 * 3600))]);
        assert_eq!(dues(&hourly), [S(0), S(3600), S(7200)]);
        let fast = even(vec![Stage::new(PER_S(100_000), S(0), S(3600))]);
        assert_eq!(fast.count(), 360_000_000);
        assert_eq!(fast.due(359_999_999), Some(S(3600) - Duration::from_micros(10)));
        assert_eq!(fast.due(360_000_000), None);
    }

    #[test]
    fn what_one_stage_leaves_of_an_arrival_the_next_one_ends() {
        // Half an arrival in the first second, the other half in the first tenth of the next.
        let arrivals = even(vec![
            Stage::new(Rate::parse("0.5/s").unwrap(), S(0), S(1)),
            Stage::new(Rate::ZERO, S(0), S(5)),
            Stage::new(PER_S(5), S(0), S(1)),
        ]);
        assert_eq!(dues(&arrivals), [0, 6100, 6300, 6500, 6700, 6900].map(MS));
    }

    #[test]
    fn a_ramp_to_nothing_ends_where_the_square_root_says() {
        // 100 arrivals in all: the n-th from the end is due √(n/100) of the time before it.
        let arrivals = even(vec![
            Stage::new(PER_S(20), S(0), Duration::from_nanos(1)),
            Stage::new(Rate::ZERO, S(10), S(0)),
        ]);
        let dues = dues(&arrivals);
        assert_eq!(dues.len(), 101);
        for (number, due) in dues.iter().enumerate().skip(1) {
            let want = 10.0 - ((100.0 - number as f64 + 2e-8) / 100.0).sqrt() * 10.0;
            assert!((due.as_secs_f64() - want).abs() < 3e-9, "{number}: {due:?}, {want}");
        }
    }

    #[test]
    fn a_cut_leaves_the_rest_as_it_was() {
        let profile = Profile::plateau(PER_S(100), S(10), S(10), S(10));
        let whole = Arrivals::new(&profile, Spread::Even);
        let cut = Arrivals::new(&profile.clone().lasting(S(5)), Spread::Even);
        assert_eq!(whole.count(), 2000);
        assert_eq!(cut.count(), 125);
        assert_eq!(dues(&cut), dues(&whole)[..125]);
        assert_eq!((whole.before(S(10)), whole.before(S(20))), (500, 1500));
        let longer = Arrivals::new(&profile.lasting(S(40)), Spread::Even);
        assert_eq!((longer.count(), longer.rate_at(S(35))), (3000, PER_S(50)));
    }

    #[test]
    fn a_spike_has_the_area_of_its_shape() {
        let spike = Profile::spike(Spike {
            base: PER_S(10),
            peak: PER_S(110),
            rise: S(2),
            hold: S(10),
            fall: S(2),
            before: S(5),
            after: S(5),
        });
        let arrivals = Arrivals::new(&spike, Spread::Even);
        assert_eq!(arrivals.count(), 50 + 120 + 1100 + 120 + 50);
        assert_eq!(arrivals.rate_at(S(6)), PER_S(60));
        assert_eq!(arrivals.rate_at(S(24)), Rate::ZERO);
    }

    #[test]
    fn a_poisson_process_has_its_mean_its_gaps_and_its_seed() {
        let profile = Profile::plateau(PER_S(100), S(0), S(100), S(0));
        let arrivals = Arrivals::new(&profile, Spread::Poisson);
        let of = |seed| -> Vec<f64> {
            let coming = arrivals.coming(Stream::new(seed, 0, 0));
            coming.map_while(|one| Some(arrivals.at(one)?.as_secs_f64())).collect()
        };
        let dues = of(7);
        assert_eq!(dues, of(7));
        assert_ne!(dues, of(8));
        // Within 4 of the 100 that a count around 10,000 deviates by.
        assert!((9_600..10_400).contains(&dues.len()), "{}", dues.len());
        let gaps: Vec<f64> = dues.windows(2).map(|two| two[1] - two[0]).collect();
        // The share above the mean is 1/e; the deviation is the mean.
        let above = gaps.iter().filter(|gap| **gap > 0.01).count() as f64 / gaps.len() as f64;
        assert!((above - (-1f64).exp()).abs() < 0.02, "{above}");
        let deviation =
            (gaps.iter().map(|gap| (gap - 0.01).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((deviation - 0.01).abs() < 0.0005, "{deviation}");
    }

    #[test]
    fn what_is_steered_is_the_same_up_to_there() {
        let profile = Profile::plateau(PER_S(10), S(4), S(6), S(0));
        let arrivals = Arrivals::new(&profile, Spread::Even);
        for (at, over) in [(S(2), S(0)), (S(2), S(3)), (MS(5_150), S(1)), (S(8), S(10))] {
            let steered = arrivals.steered(at, PER_S(100), over);
            let before = |dues: Vec<Duration>| -> Vec<Duration> {
                dues.into_iter().filter(|due| *due < at).collect()
            };
            assert_eq!(before(dues(&steered)), before(dues(&arrivals)), "{at:?} {over:?}");
            assert_eq!(
                steered.rate_at((at + over).min(MS(9_999))).as_per_second().round(),
                if over == S(10) { 28.0 } else { 100.0 }
            );
        }
        assert_eq!(arrivals.steered(S(5), Rate::ZERO, S(0)).count(), arrivals.before(S(5)));
    }

    proptest! {
        /// `2·N(t)·D = t·(2aD + (b − a)t)` in whole numbers: the due time is the first with `N(t) ≥ n`.
        #[test]
        fn along_a_ramp_each_is_due_where_the_exact_fraction_says(
            from in 0u64..2000, to in 0u64..2000, seconds in 1u64..600, part in 0.0f64..1.0,
        ) {
            let mut stages = vec![Stage::new(PER_S(to), S(seconds), S(0))];
            if from > 0 {
                stages.insert(0, Stage::new(PER_S(from), S(0), S(1)));
            }
            let arrivals = even(stages);
            let count = arrivals.count();
            prop_assume!(count > from);
            let number = from + ((count - from) as f64 * part) as u64;
            let Some(due) = arrivals.due(number) else { return Ok(()) };
            let t = due.as_nanos() as i128 - if from > 0 { 1_000_000_000 } else { 0 };
            let d = i128::from(seconds) * 1_000_000_000;
            let (a, b, n) = (i128::from(from), i128::from(to), i128::from(number - from));
            // In events × ns × 2D, at t nanoseconds.
            let area = |t: i128| t * (2 * a * d + (b - a) * t);
            let want = n * 1_000_000_000 * 2 * d;
            prop_assert!(area(t - 2) <= want && want <= area((t + 2).min(d)), "{number} at {t}");
        }

        #[test]
        fn they_never_go_back_and_never_come_after_the_end(
            stages in prop::collection::vec((0u64..50, 0u64..3000, 0u64..3000), 1..6), total in 1u64..20_000,
        ) {
            let stages = stages.into_iter().map(|(rate, over, hold)| Stage::new(PER_S(rate), MS(over), MS(hold))).collect();
            let profile: Profile<Rate> = Profile::new(stages);
            let total = profile.total().min(MS(total));
            let arrivals = Arrivals::new(&profile.lasting(total), Spread::Even);
            let dues = dues(&arrivals);
            prop_assert!(dues.is_sorted());
            prop_assert!(dues.iter().all(|due| *due < total));
            prop_assert_eq!(dues.len() as u64, arrivals.count());
        }
    }
}
