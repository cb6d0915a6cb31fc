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
    /// Seconds that a stretch covers.
    pub(super) step_s: u32,
    pub(super) stretches: Vec<Stretch>,
    /// How many seconds the last stretch covers so far, when it is not whole.
    begun_s: u32,
    seconds: u32,
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
        Self { step_s: 1, stretches: Vec::new(), begun_s: 0, seconds: 0, times, latest }
    }
}

impl Series {
    /// Adds the next second; one in which nothing ended is one too.
    pub fn push(&mut self, second: &Second) {
        self.seconds += 1;
        self.latest.merge(&second.times);
        if self.latest.count() > FEW {
            self.times.merge(&std::mem::take(&mut self.latest));
        }
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let counts = second.times.counts();
        let times = counts.into_iter().map(|(us, count)| (narrow(us), narrow(count))).collect();
        let next = Stretch { requests: second.requests, failed: second.failed, times };
        match self.stretches.last_mut() {
            Some(last) if self.begun_s > 0 => last.add(&next),
            _ => self.stretches.push(next),
        }
        self.begun_s = (self.begun_s + 1) % self.step_s;
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
        if self.begun_s > 0 {
            self.begun_s += if odd { 0 } else { self.step_s };
        } else if odd {
            self.begun_s = self.step_s;
        }
        self.step_s *= 2;
    }

    /// How many seconds there are.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// How many seconds those stretches cover that are whole.
    pub(super) fn whole_s(&self) -> u32 {
        self.whole().len() as u32 * self.step_s
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
        let cut = usize::from(self.begun_s > 0);
        &self.stretches[..self.stretches.len() - cut]
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
    /// Of the seconds from `from` up to `to`, whole ones alone: a warm-up that ends within a second
    /// takes all of it, and a last second that is cut short is left out. Where there is no interval
    /// nothing ended. Series of one method and name are one.
    #[must_use]
    pub fn new<'a>(
        intervals: impl IntoIterator<Item = &'a Interval>,
        catalogue: &Catalogue,
        from: Duration,
        to: Duration,
    ) -> Self {
        let first = from.as_secs() + u64::from(from.subsec_nanos() > 0);
        let (first, end) = (first as usize, to.as_secs() as usize);
        let mut numbers: BTreeMap<&RequestName, usize> = BTreeMap::new();
        let mut run = Self::default();
        let mut next = first;
        for interval in intervals {
            let at = interval.from_s as usize;
            if at < next || at >= end {
                continue;
            }
            run.until(at - next);
            next = at + 1;
            let mut seconds = vec![Second::default(); run.names.len()];
            let mut all = Second::default();
            for (number, stats) in &interval.names {
                let Some(name) = catalogue.names.get(usize::from(*number)) else { continue };
                let second = Second::from(stats);
                all.add(&second);
                let place = *numbers.entry(name).or_insert_with(|| {
                    let mut before = Series::default();
                    (first..at).for_each(|_| before.push(&Second::default()));
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
        run.until(end.saturating_sub(next));
        let order = |name: &RequestName| catalogue.names.iter().position(|known| known == name);
        run.names.sort_by_key(|(name, _)| order(name));
        run
    }

    /// Adds seconds in which nothing ended.
    fn until(&mut self, seconds: usize) {
        for _ in 0..seconds {
            self.all.push(&Second::default());
            self.names.iter_mut().for_each(|(_, series)| series.push(&Second::default()));
        }
    }

    /// The seconds of a name; none when it had no request.
    #[must_use]
    pub fn of(&self, name: &RequestName) -> Option<&Series> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, series)| series)
    }
}
