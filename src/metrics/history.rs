//! Owns the run over time, bounded however long it is: points that merge when they become many.

use std::time::Duration;

use super::interval::{Interval, NameStats};
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
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Response times; stored compactly, see [`Point::response`].
    response: String,
}

impl Default for History {
    fn default() -> Self {
        Self { step_s: 1, points: Vec::new() }
    }
}

impl Point {
    fn new(interval: &Interval, all: &NameStats) -> Self {
        Self {
            from_s: interval.from_s,
            to_s: interval.to_s,
            users: interval.users(),
            requests: all.requests(),
            failures: all.failed(),
            response: pack(&all.response()),
        }
    }

    /// The response times of the requests that ended in it.
    #[must_use]
    pub fn response(&self) -> Timing {
        serde_json::from_str(&self.response).expect("a point stores what it packed")
    }

    fn seconds(&self) -> f64 {
        f64::from(self.to_s - self.from_s)
    }

    /// Takes in the point after it, which covers so many seconds.
    fn join(&mut self, next: &Self, theirs: f64) {
        let mine = self.seconds();
        self.users = (self.users * mine + next.users * theirs) / (mine + theirs);
        self.to_s = next.to_s;
        self.requests += next.requests;
        self.failures += next.failures;
        let mut response = self.response();
        response.merge(&next.response());
        self.response = pack(&response);
    }
}

/// A histogram takes tens of kilobytes, its packed form hundreds of bytes.
fn pack(timing: &Timing) -> String {
    serde_json::to_string(timing).expect("a timing is JSON")
}

impl History {
    /// Appends a second, with all its names together. Seconds come in order.
    pub fn push(&mut self, interval: &Interval, all: &NameStats) {
        let point = Point::new(interval, all);
        match self.points.last_mut() {
            Some(last) if last.to_s - last.from_s < self.step_s => {
                last.join(&point, point.seconds())
            }
            _ => self.points.push(point),
        }
        if self.points.len() > POINTS {
            self.step_s *= 2;
            let old = std::mem::take(&mut self.points);
            for point in old {
                match self.points.last_mut() {
                    Some(last) if last.to_s - last.from_s < self.step_s => {
                        last.join(&point, point.seconds())
                    }
                    _ => self.points.push(point),
                }
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
            history.push(&interval, &interval.all_names());
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
            history.push(&interval, &interval.all_names());
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
