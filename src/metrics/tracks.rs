//! Owns each name over time: coarser than the history of all, so that a thousand names fit.

use std::collections::BTreeMap;
use std::time::Duration;

use super::history::Packed;
use super::interval::Interval;
use super::timing::Timing;

/// All names together keep so many points, each at least and at most so many of them.
const POINTS: usize = 24_000;
const LEAST: usize = 30;
const MOST: usize = 300;

/// Every series over time. All have the same steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracks {
    step_s: u32,
    most: usize,
    steps: Vec<Step>,
    series: BTreeMap<u16, Vec<Held>>,
}

/// A stretch of seconds: the first, and the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    from_s: u32,
    to_s: u32,
}

/// What a series held in a step in which it held anything.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    step: usize,
    requests: u64,
    failures: u64,
    response: Packed,
}

/// What a name held in a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackPoint {
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Their response times.
    pub response: Timing,
}

impl Tracks {
    /// Of so many series. However long a run is planned to be, it may end soon: steps begin with a
    /// second, and double as it goes.
    #[must_use]
    pub fn new(series: usize) -> Self {
        let most = (POINTS / series.max(1)).clamp(LEAST, MOST);
        Self { step_s: 1, most, steps: Vec::new(), series: BTreeMap::new() }
    }

    /// Appends a second. Seconds come in order.
    pub fn push(&mut self, interval: &Interval) {
        let Interval { from_s, to_s, .. } = *interval;
        let fits = |last: &Step| last.to_s - last.from_s < self.step_s;
        match self.steps.last_mut() {
            Some(last) if fits(last) => last.to_s = to_s,
            _ => {
                self.series.values_mut().filter_map(|held| held.last_mut()).for_each(Held::seal);
                self.steps.push(Step { from_s, to_s });
            }
        }
        let step = self.steps.len() - 1;
        for (series, stats) in &interval.names {
            let held = Held {
                step,
                requests: stats.requests(),
                failures: stats.failed(),
                response: Packed::Open(stats.response()),
            };
            append(self.series.entry(*series).or_default(), held);
        }
        while self.steps.len() > self.most {
            self.halve();
        }
    }

    /// Steps become twice as long.
    fn halve(&mut self) {
        self.step_s = self.step_s.saturating_mul(2);
        let pairs = self.steps.chunks(2);
        let joined = |pair: &[Step]| Step {
            from_s: pair[0].from_s,
            to_s: pair.last().map_or(pair[0].to_s, |last| last.to_s),
        };
        self.steps = pairs.map(joined).collect();
        for held in self.series.values_mut() {
            let old = std::mem::take(held);
            for mut one in old {
                one.step /= 2;
                append(held, one);
            }
            let closed = held.len().saturating_sub(1);
            held[..closed].iter_mut().for_each(Held::seal);
        }
    }

    /// Seconds per step; the last may cover fewer.
    #[must_use]
    pub fn step_s(&self) -> u32 {
        self.step_s
    }

    /// The first second of each step of a run that took `duration`, and the seconds that it really covers.
    /// A stub shorter than half a step is a part of its neighbour, as in [`History::ended`].
    ///
    /// [`History::ended`]: super::History::ended
    #[must_use]
    pub fn steps(&self, duration: Duration) -> Vec<(u32, f64)> {
        let end = duration.as_secs_f64();
        let covers = |step: &Step| {
            let (from, to) = (f64::from(step.from_s), f64::from(step.to_s));
            if end > from { to.min(end) - from } else { to - from }
        };
        let mut all: Vec<_> = self.steps.iter().map(|step| (step.from_s, covers(step))).collect();
        if let [.., before, last] = all.as_mut_slice()
            && last.1 < f64::from(self.step_s) / 2.0
        {
            before.1 += last.1;
            all.pop();
        }
        all
    }

    /// What some series held together in each of the first so many steps; what comes behind is a part of
    /// the last of them.
    #[must_use]
    pub fn of(&self, series: &[u16], steps: usize) -> Vec<TrackPoint> {
        let mut points = vec![TrackPoint::default(); steps];
        for held in series.iter().filter_map(|one| self.series.get(one)).flatten() {
            let Some(point) = points.get_mut(held.step.min(steps.saturating_sub(1))) else {
                continue;
            };
            point.requests += held.requests;
            point.failures += held.failures;
            point.response.merge(&held.response.timing());
        }
        points
    }
}

impl Held {
    fn seal(&mut self) {
        self.response.seal();
    }
}

fn append(all: &mut Vec<Held>, next: Held) {
    match all.last_mut() {
        Some(last) if last.step == next.step => {
            last.requests += next.requests;
            last.failures += next.failures;
            last.response.merge(&next.response);
        }
        _ => all.push(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn tracks(series: usize, seconds: u32) -> Tracks {
        let mut tracks = Tracks::new(series);
        for second in 0..seconds {
            let mut interval = Interval::second(second);
            let stats = interval.names.entry((second % 2) as u16).or_default();
            stats.response_ok.record(Duration::from_millis(u64::from(second) + 1));
            tracks.push(&interval);
        }
        tracks
    }

    fn counts(points: &[TrackPoint]) -> Vec<u64> {
        points.iter().map(|point| point.requests).collect()
    }

    #[test]
    fn a_name_is_followed_second_by_second_in_a_short_run() {
        let tracks = tracks(2, 4);
        assert_eq!(tracks.steps(S(4)), [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]);
        assert_eq!(counts(&tracks.of(&[0], 4)), [1, 0, 1, 0]);
        assert_eq!(counts(&tracks.of(&[0, 1], 4)), [1, 1, 1, 1]);
        assert_eq!(tracks.of(&[1], 4)[3].response.max_ms(), Some(4.0));
        let stub = Duration::from_millis(3_100);
        let steps = tracks.steps(stub);
        assert_eq!(steps.len(), 3);
        assert_eq!(counts(&tracks.of(&[0, 1], 3)), [1, 1, 2]);
        assert!((steps[2].1 - 1.1).abs() < 1e-9);
    }

    /// Law 8: everything is bounded, and nothing is lost by it.
    #[test]
    fn a_long_run_of_many_names_keeps_its_counts_in_few_steps() {
        for (series, step, most) in [(2, 512, MOST), (1000, 4096, LEAST)] {
            let tracks = tracks(series, 86_400);
            assert_eq!(tracks.step_s(), step);
            let steps = tracks.steps(S(86_400)).len();
            assert!(steps <= most && steps * 2 > most);
            let all = tracks.of(&[0, 1], steps);
            assert_eq!(counts(&all).iter().sum::<u64>(), 86_400);
            let longest =
                all.iter().filter_map(|point| point.response.max_ms()).fold(0.0, f64::max);
            assert_eq!(longest, 86_400.0);
        }
        assert_eq!(Tracks::new(0).steps(S(0)), []);
    }
}
