//! Owns the run over time, bounded however long it is: points that merge when they become many.

use std::time::Duration;

use super::health::Level;
use super::interval::{Interval, NameStats};
use super::outcome::FailureKind;
use super::timing::Timing;

/// At most so many points are kept: beyond it neighbours are merged and the step doubles.
const POINTS: usize = 1200;

/// What the charts show.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    step_s: u32,
    points: Vec<Point>,
}

/// One step of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// First second that it covers.
    pub from_s: u32,
    /// The second after the last.
    pub to_s: u32,
    /// Mean number of users.
    pub users: f64,
    /// Mean number of users that the profile asked for.
    pub asked_users: f64,
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Those, by [`FailureKind::ALL`].
    pub kinds: [u64; FailureKind::ALL.len()],
    /// Open form: arrivals that were due.
    pub arrivals: u64,
    /// Open form: those of them that were never started.
    pub dropped: u64,
    /// Bytes of all bodies, as they came over the wire.
    pub body_bytes: u64,
    /// Where the time of its requests went.
    pub spent: Spent,
    /// What this process used of its processors, in thousandths of one.
    pub cores: Option<Level>,
    /// How busy the processors of the machine were, in thousandths of all of them.
    pub machine: Option<Level>,
    /// Response times, see [`Point::response`].
    response: Packed,
    /// See [`Point::late`].
    late: Packed,
}

/// Where the time of some requests went: sums over all of them, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// From due to the last byte.
    pub response_ns: u64,
    /// Open form: waiting for a free user.
    pub waited_ns: u64,
    /// Opening connections, TLS included.
    pub connect_ns: u64,
    /// The part of it until both ends agreed on TLS.
    pub tls_ns: u64,
    /// From the first byte written to the first byte read.
    pub first_byte_ns: u64,
    /// From the first byte written to the last byte read.
    pub service_ns: u64,
}

impl Spent {
    /// What the requests of an interval spent.
    #[must_use]
    pub fn of(stats: &NameStats, waited: &Timing) -> Self {
        Self {
            response_ns: stats.response_ok.sum_ns().saturating_add(stats.response_failed.sum_ns()),
            waited_ns: waited.sum_ns(),
            connect_ns: stats.connect.sum_ns(),
            tls_ns: stats.tls.sum_ns(),
            first_byte_ns: stats.first_byte.sum_ns(),
            service_ns: stats.service.sum_ns(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            response_ns: self.response_ns.saturating_add(other.response_ns),
            waited_ns: self.waited_ns.saturating_add(other.waited_ns),
            connect_ns: self.connect_ns.saturating_add(other.connect_ns),
            tls_ns: self.tls_ns.saturating_add(other.tls_ns),
            first_byte_ns: self.first_byte_ns.saturating_add(other.first_byte_ns),
            service_ns: self.service_ns.saturating_add(other.service_ns),
        }
    }
}

/// Times that are kept for long. A histogram takes tens of kilobytes, its stored form hundreds of bytes;
/// the last point takes in more, so it stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Packed {
    Open(Timing),
    Sealed(String),
}

impl Packed {
    pub(super) fn timing(&self) -> Timing {
        match self {
            Self::Open(timing) => timing.clone(),
            Self::Sealed(text) => serde_json::from_str(text).expect("what was packed is a timing"),
        }
    }

    pub(super) fn seal(&mut self) {
        if let Self::Open(timing) = self {
            *self = Self::Sealed(serde_json::to_string(timing).expect("a timing is JSON"));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Self::Sealed(_) = self {
            *self = Self::Open(self.timing());
        }
        if let Self::Open(mine) = self {
            match other {
                Self::Open(theirs) => mine.merge(theirs),
                Self::Sealed(_) => mine.merge(&other.timing()),
            }
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self { step_s: 1, points: Vec::new() }
    }
}

impl Point {
    fn new(interval: &Interval, all: &NameStats, asked_users: u32) -> Self {
        let mut kinds = [0; FailureKind::ALL.len()];
        for (failure, seen) in &all.failures {
            kinds[failure.kind() as usize] += seen.count;
        }
        // What begins on a beat is late by itself; without beats it is waking that is.
        let late =
            if interval.beat_late.is_empty() { &interval.wake_late } else { &interval.beat_late };
        Self {
            from_s: interval.from_s,
            to_s: interval.to_s,
            users: interval.users(),
            asked_users: f64::from(asked_users),
            requests: all.requests(),
            failures: all.failed(),
            kinds,
            arrivals: interval.arrivals,
            dropped: interval.dropped,
            body_bytes: all.body_bytes,
            spent: Spent::of(all, &interval.waited),
            cores: interval.health.process,
            machine: interval.health.machine,
            response: Packed::Open(all.response()),
            late: Packed::Open(late.clone()),
        }
    }

    /// The response times of the requests that ended in it.
    #[must_use]
    pub fn response(&self) -> Timing {
        self.response.timing()
    }

    /// How late the generator was: with beats, and, where there were none, with waking users.
    #[must_use]
    pub fn late(&self) -> Timing {
        self.late.timing()
    }

    fn seconds(&self) -> f64 {
        f64::from(self.to_s - self.from_s)
    }

    fn seal(&mut self) {
        self.response.seal();
        self.late.seal();
    }

    /// Takes in the point after it, which covers so many seconds.
    fn join(&mut self, next: &Self, theirs: f64) {
        let mine = self.seconds();
        let mean = |a: f64, b: f64| (a * mine + b * theirs) / (mine + theirs);
        self.users = mean(self.users, next.users);
        self.asked_users = mean(self.asked_users, next.asked_users);
        self.to_s = next.to_s;
        self.requests += next.requests;
        self.failures += next.failures;
        self.kinds.iter_mut().zip(next.kinds).for_each(|(mine, theirs)| *mine += theirs);
        self.arrivals += next.arrivals;
        self.dropped += next.dropped;
        self.body_bytes += next.body_bytes;
        self.spent = self.spent.and(next.spent);
        self.cores = Level::both(self.cores, next.cores);
        self.machine = Level::both(self.machine, next.machine);
        self.response.merge(&next.response);
        self.late.merge(&next.late);
    }
}

impl History {
    /// Appends a second, with all its names together and the users that were asked for. Seconds come in
    /// order.
    pub fn push(&mut self, interval: &Interval, all: &NameStats, asked_users: u32) {
        self.append(Point::new(interval, all, asked_users));
        if self.points.len() > POINTS {
            self.step_s *= 2;
            let old = std::mem::take(&mut self.points);
            old.into_iter().for_each(|point| self.append(point));
        }
    }

    fn append(&mut self, point: Point) {
        match self.points.last_mut() {
            Some(last) if last.to_s - last.from_s < self.step_s => {
                last.join(&point, point.seconds());
            }
            last => {
                if let Some(last) = last {
                    last.seal();
                }
                self.points.push(point);
            }
        }
    }

    /// Seconds per point; the last point may cover fewer.
    #[must_use]
    pub fn step_s(&self) -> u32 {
        self.step_s
    }

    /// The points, in order.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points of a run that took `duration`, each with the seconds that it really covers: a
    /// run does not end with a second. A stub shorter than half a step joins its neighbour, since
    /// a rate over a few milliseconds says nothing.
    #[must_use]
    pub fn ended(&self, duration: Duration) -> Vec<(Point, f64)> {
        let end = duration.as_secs_f64();
        let covers = |point: &Point| {
            let to = f64::from(point.to_s);
            let from = f64::from(point.from_s);
            // A run that was cut off has seconds without an end.
            if end > from { to.min(end) - from } else { to - from }
        };
        let mut points = self.points.clone();
        if let [.., before, last] = points.as_mut_slice()
            && covers(last) < f64::from(self.step_s) / 2.0
        {
            before.join(last, covers(last));
            points.pop();
        }
        points
            .into_iter()
            .map(|point| {
                let covers = covers(&point);
                (point, covers)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_at_the_end_joins_the_second_before_it() {
        let mut history = History::default();
        for (second, count) in [(0, 10), (1, 10), (2, 1)] {
            let mut interval = Interval::second(second);
            interval.user_seconds = 4;
            let stats = interval.names.entry(0).or_default();
            (0..count).for_each(|_| stats.response_ok.record(Duration::from_millis(1)));
            history.push(&interval, &interval.all_names(), 4);
        }
        let shown = |ms| -> Vec<(u64, f64)> {
            let points = history.ended(Duration::from_millis(ms));
            points.iter().map(|(point, seconds)| (point.requests, *seconds)).collect()
        };
        assert_eq!(shown(2_100), [(10, 1.0), (11, 1.1)]);
        assert_eq!(shown(2_750), [(10, 1.0), (10, 1.0), (1, 0.75)]);
        assert_eq!(shown(3_000), [(10, 1.0), (10, 1.0), (1, 1.0)]);
        assert_eq!(History::default().ended(Duration::ZERO), []);
    }

    /// Law 8: everything is bounded, and nothing is lost by it.
    #[test]
    fn a_long_run_keeps_its_counts_in_fewer_points() {
        let mut history = History::default();
        for second in 0..5000 {
            let mut interval = Interval::second(second);
            interval.user_seconds = 10;
            let stats = interval.names.entry(0).or_default();
            stats.response_ok.record(Duration::from_millis(u64::from(second % 100)));
            history.push(&interval, &interval.all_names(), 4);
        }
        assert!(history.points().len() <= POINTS);
        assert_eq!(history.step_s(), 8);
        assert_eq!(history.points().iter().map(|point| point.requests).sum::<u64>(), 5000);
        assert!(history.points().iter().all(|point| point.users == 10.0));
        let ends: Vec<_> =
            history.points().windows(2).map(|pair| pair[1].from_s - pair[0].to_s).collect();
        assert!(ends.iter().all(|gap| *gap == 0));
        assert_eq!(history.points()[0].response().count(), 8);
    }
}
