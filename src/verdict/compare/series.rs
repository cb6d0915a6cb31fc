//! Owns what a comparison is given: sides of runs, and runs as their seconds, name by name.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::metrics::{Catalogue, Interval, NameStats, RequestName, Timing};

/// At most so many stretches of time are kept of a run: beyond it neighbours become one, so that a
/// day weighs no more than twenty minutes.
const STRETCHES: usize = 1200;

/// What one second held, of one name or of whatever is compared.
#[derive(Debug, Clone, Default)]
pub struct Second {
    /// Requests that ended in it while load was asked for.
    pub requests: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// The times that percentiles are of.
    pub times: Timing,
}

impl Second {
    /// Adds what another name held in the same second.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.times.merge(&other.times);
    }
}

/// Of response times, failed requests too.
impl From<&NameStats> for Second {
    fn from(stats: &NameStats) -> Self {
        let ended = stats.within_load();
        Self { requests: ended.requests, failed: ended.failed, times: stats.response() }
    }
}

/// The seconds of a run, in order.
#[derive(Debug, Clone)]
pub struct Series {
    /// Seconds that are pushed at once.
    each_s: u32,
    /// How many of those a stretch covers.
    pub(super) step: u32,
    pub(super) stretches: Vec<Stretch>,
    /// How many of them the last stretch covers so far, when it is not whole.
    begun: u32,
    pushed: u32,
    /// The times of all seconds but the latest, and those: a sum of few costs less to add to.
    times: Timing,
    latest: Timing,
}

/// So many are added to for next to nothing.
const FEW: u64 = 100;

/// What a second held, or several in a long run.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretch {
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Each time in microseconds with its count, in order.
    pub(super) times: Vec<(u32, u32)>,
}

impl Stretch {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.times.extend(&other.times);
        self.times.sort_unstable();
        self.times.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(later.1);
            }
            same
        });
    }
}

impl Default for Series {
    fn default() -> Self {
        let (times, latest) = (Timing::default(), Timing::default());
        Self { each_s: 1, step: 1, stretches: Vec::new(), begun: 0, pushed: 0, times, latest }
    }
}

impl Series {
    /// Of what was kept in steps of so many seconds, at least one: each is pushed as a second would be.
    #[must_use]
    pub fn in_steps(seconds: u32) -> Self {
        Self { each_s: seconds.max(1), ..Self::default() }
    }

    /// Adds the next second; one in which nothing ended is one too.
    pub fn push(&mut self, second: &Second) {
        self.pushed += 1;
        self.latest.merge(&second.times);
        if self.latest.count() > FEW {
            self.times.merge(&std::mem::take(&mut self.latest));
        }
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let counts = second.times.counts();
        let times = counts.into_iter().map(|(us, count)| (narrow(us), narrow(count))).collect();
        let next = Stretch { requests: second.requests, failed: second.failed, times };
        match self.stretches.last_mut() {
            Some(last) if self.begun > 0 => last.add(&next),
            _ => self.stretches.push(next),
        }
        self.begun = (self.begun + 1) % self.step;
        if self.stretches.len() > STRETCHES {
            self.halve();
        }
    }

    /// Neighbours become one.
    fn halve(&mut self) {
        let odd = self.stretches.len() % 2 == 1;
        let mut old = std::mem::take(&mut self.stretches).into_iter();
        while let Some(mut first) = old.next() {
            if let Some(second) = old.next() {
                first.add(&second);
            }
            self.stretches.push(first);
        }
        if self.begun > 0 {
            self.begun += if odd { 0 } else { self.step };
        } else if odd {
            self.begun = self.step;
        }
        self.step *= 2;
    }

    /// How many seconds there are.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.pushed * self.each_s
    }

    /// How many seconds those stretches cover that are whole.
    pub(super) fn whole_s(&self) -> u32 {
        self.whole().len() as u32 * self.step * self.each_s
    }

    /// The times of all seconds.
    #[must_use]
    pub fn times(&self) -> Timing {
        let mut all = self.times.clone();
        all.merge(&self.latest);
        all
    }

    /// How many they are.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.times.count() + self.latest.count()
    }

    /// Requests of all seconds, and how many of them failed.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let sum = |of: fn(&Stretch) -> u64| self.stretches.iter().map(of).sum();
        (sum(|one| one.requests), sum(|one| one.failed))
    }

    /// The stretches that are whole.
    pub(super) fn whole(&self) -> &[Stretch] {
        let cut = usize::from(self.begun > 0);
        &self.stretches[..self.stretches.len() - cut]
    }
}

/// A run over time, in so many points at most.
const POINTS: usize = 300;

/// What a part of a run held, for charts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds from the start of what is compared to its beginning.
    pub from_s: u32,
    /// Requests that ended in it, per second.
    pub requests_per_s: f64,
    /// Those of them that failed.
    pub failures_per_s: f64,
    /// The median of its times, in milliseconds. None without requests.
    pub p50_ms: Option<f64>,
    /// The 95th percentile of its times.
    pub p95_ms: Option<f64>,
}

impl Series {
    /// The run over time, in points of equal length; what is left at its end is in none.
    #[must_use]
    pub fn course(&self) -> Vec<Point> {
        let whole = self.whole();
        let each = whole.len().div_ceil(POINTS).max(1);
        let seconds = each as u32 * self.step * self.each_s;
        let point = |(at, part): (usize, &[Stretch])| {
            let mut all = Stretch::default();
            part.iter().for_each(|one| all.add(one));
            let per_s = |count: u64| count as f64 / f64::from(seconds);
            Point {
                from_s: at as u32 * seconds,
                requests_per_s: per_s(all.requests),
                failures_per_s: per_s(all.failed),
                p50_ms: all.quantile_ms(0.5),
                p95_ms: all.quantile_ms(0.95),
            }
        };
        whole.chunks_exact(each).enumerate().map(point).collect()
    }
}

impl Stretch {
    fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let all: u64 = self.times.iter().map(|(_, count)| u64::from(*count)).sum();
        let rank = ((quantile * all as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reaches = |(_, count): &&(u32, u32)| {
            seen += u64::from(*count);
            seen >= rank
        };
        self.times.iter().find(reaches).map(|(us, _)| f64::from(*us) / 1e3)
    }
}

/// A run: each name by its seconds, and all together.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Each name that had requests, in the order of its catalogue.
    pub names: Vec<(RequestName, Series)>,
    /// All of them together.
    pub all: Series,
}

impl Run {
    /// Of the seconds from `from` up to `to`, see [`Recording`].
    #[must_use]
    pub fn new<'a>(
        intervals: impl IntoIterator<Item = &'a Interval>,
        catalogue: &Catalogue,
        from: Duration,
        to: Duration,
    ) -> Self {
        let mut recording = Recording::new(catalogue, from);
        let end = to.as_secs();
        let within = intervals.into_iter().filter(|one| u64::from(one.to_s) <= end);
        within.for_each(|interval| recording.push(interval));
        recording.end(to)
    }
}

/// A run that is made from its intervals, one at a time: a second each, in order. Where there is none
/// nothing ended. Series of one method and name are one.
#[derive(Debug)]
pub struct Recording<'a> {
    catalogue: &'a Catalogue,
    /// Where each name stands in the run.
    places: BTreeMap<&'a RequestName, usize>,
    first: u32,
    /// The second after the last that was taken.
    next: u32,
    run: Run,
}

impl<'a> Recording<'a> {
    /// Without what ended up to `from`: a warm-up that ends within a second takes all of it.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, from: Duration) -> Self {
        let first = from.as_secs() + u64::from(from.subsec_nanos() > 0);
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        Self { catalogue, places: BTreeMap::new(), first, next: first, run: Run::default() }
    }

    /// Adds a second. Earlier ones than are asked for, or than were added, are left out.
    pub fn push(&mut self, interval: &Interval) {
        let at = interval.from_s;
        if at < self.next {
            return;
        }
        self.nothing_until(at);
        self.next = at + 1;
        let run = &mut self.run;
        let mut seconds = vec![Second::default(); run.names.len()];
        let mut all = Second::default();
        for (number, stats) in &interval.names {
            let Some(name) = self.catalogue.names.get(usize::from(*number)) else { continue };
            let second = Second::from(stats);
            all.add(&second);
            let place = *self.places.entry(name).or_insert_with(|| {
                let mut before = Series::default();
                (self.first..at).for_each(|_| before.push(&Second::default()));
                run.names.push((name.clone(), before));
                seconds.push(Second::default());
                seconds.len() - 1
            });
            seconds[place].add(&second);
        }
        run.all.push(&all);
        for ((_, series), second) in run.names.iter_mut().zip(&seconds) {
            series.push(second);
        }
    }

    /// Adds seconds in which nothing ended.
    fn nothing_until(&mut self, at: u32) {
        for _ in self.next..at {
            self.run.all.push(&Second::default());
            self.run.names.iter_mut().for_each(|(_, series)| series.push(&Second::default()));
        }
        self.next = self.next.max(at);
    }

    /// The run up to `to`; a last second that is cut short is no second.
    #[must_use]
    pub fn end(mut self, to: Duration) -> Run {
        self.nothing_until(u32::try_from(to.as_secs()).unwrap_or(u32::MAX));
        let mut order: BTreeMap<&RequestName, usize> = BTreeMap::new();
        for (at, name) in self.catalogue.names.iter().enumerate() {
            order.entry(name).or_insert(at);
        }
        self.run.names.sort_by_key(|(name, _)| order.get(name).copied());
        self.run
    }
}
