//! Owns putting the workers' seconds together: a second is whole when every worker has given it.

use std::collections::BTreeMap;

use crate::metrics::Interval;

/// Seconds that wait for workers.
#[derive(Debug)]
pub(super) struct Seconds {
    /// For each worker, the first second that it has not given; none when it will give no more.
    given: Vec<Option<u32>>,
    waiting: BTreeMap<u32, Interval>,
}

impl Seconds {
    pub(super) fn new(workers: usize) -> Self {
        Self { given: vec![Some(0); workers], waiting: BTreeMap::new() }
    }

    /// Takes a second of a worker; gives the seconds that are whole now, in order.
    pub(super) fn add(&mut self, worker: usize, interval: &Interval) -> Vec<Interval> {
        self.given[worker] = Some(interval.to_s);
        self.waiting.entry(interval.from_s).or_default().merge(interval);
        self.whole()
    }

    /// The worker has ended; gives the seconds that are whole now, in order.
    pub(super) fn ended(&mut self, worker: usize) -> Vec<Interval> {
        self.given[worker] = None;
        self.whole()
    }

    /// How many workers have not ended.
    pub(super) fn missing(&self) -> usize {
        self.given.iter().filter(|given| given.is_some()).count()
    }

    /// What is left, whole or not: for the end, when no more will come.
    pub(super) fn rest(self) -> impl Iterator<Item = Interval> {
        self.waiting.into_values()
    }

    fn whole(&mut self) -> Vec<Interval> {
        let until = self.given.iter().flatten().copied().min().unwrap_or(u32::MAX);
        let later = self.waiting.split_off(&until);
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u32, issued: u64) -> Interval {
        Interval { issued, ..Interval::second(at) }
    }

    fn shown(intervals: Vec<Interval>) -> Vec<(u32, u64)> {
        intervals.into_iter().map(|interval| (interval.from_s, interval.issued)).collect()
    }

    #[test]
    fn a_second_is_whole_when_every_worker_has_given_it() {
        let mut seconds = Seconds::new(2);
        assert_eq!(shown(seconds.add(0, &second(0, 1))), []);
        assert_eq!(shown(seconds.add(0, &second(1, 2))), []);
        assert_eq!(shown(seconds.add(1, &second(0, 4))), [(0, 5)]);
        assert_eq!(shown(seconds.ended(1)), [(1, 2)]);
        assert_eq!(shown(seconds.add(0, &second(2, 8))), [(2, 8)]);
        assert_eq!(seconds.missing(), 1);
        assert_eq!(shown(seconds.ended(0)), []);
        assert_eq!(seconds.missing(), 0);
    }
}
