//! Owns counters: numbers that no other call of a run gives, whichever worker asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

/// So many names a run's counters may have: beyond, a plan counts per user or per item by mistake.
const NAMES: usize = 10_000;

/// How fast a worker counts is looked at over this time, so that a few users who come at once are not
/// taken for many.
const LOOK: Duration = Duration::from_millis(100);

/// A worker takes so much of what it counts in that time at once: below 1,600 a second one by one, and
/// then the numbers of all workers are without gaps.
const PARTS: u64 = 80;

/// The most numbers that are taken at once.
const LARGEST: u64 = 64;

type Named<T> = HashMap<Arc<str>, T>;

/// The counters of a run, by name, as one worker sees them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    all: Arc<RwLock<Named<Arc<AtomicU64>>>>,
    /// The numbers that one of several workers has for itself, so that none waits for the others.
    own: Option<Mutex<Named<Block>>>,
}

/// Numbers of a counter that are taken and not given yet.
#[derive(Debug)]
struct Block {
    counter: Arc<AtomicU64>,
    /// Those after `last`, up to `end`.
    last: u64,
    end: u64,
    /// How many are taken at once.
    size: u64,
    /// How many were taken since then.
    taken: u64,
    since: Instant,
}

impl Counters {
    /// The same counters for one of several workers.
    pub(super) fn of_worker(&self) -> Self {
        Self { all: self.all.clone(), own: Some(Mutex::default()) }
    }

    /// The same counters for the only worker.
    pub(super) fn of_the_only(&self) -> Self {
        Self { all: self.all.clone(), own: None }
    }

    /// The next number of a counter, from 1; none when the run has too many counters.
    pub(super) fn next(&self, name: &str) -> Option<u64> {
        let Some(own) = &self.own else {
            return Some(self.named(name)?.fetch_add(1, Ordering::Relaxed) + 1);
        };
        let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = own.get_mut(name) {
            return Some(block.next());
        }
        let block = Block::of(self.named(name)?);
        Some(own.entry(name.into()).or_insert(block).next())
    }

    fn named(&self, name: &str) -> Option<Arc<AtomicU64>> {
        if let Some(counter) = self.all.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(counter.clone());
        }
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(name) && all.len() >= NAMES {
            return None;
        }
        Some(all.entry(name.into()).or_default().clone())
    }
}

impl Block {
    fn of(counter: Arc<AtomicU64>) -> Self {
        Self { counter, last: 0, end: 0, size: 1, taken: 0, since: Instant::now() }
    }

    fn next(&mut self) -> u64 {
        if self.last == self.end {
            let now = Instant::now();
            let elapsed = now.saturating_duration_since(self.since);
            if elapsed >= LOOK {
                let counted = u128::from(self.taken) * LOOK.as_nanos() / elapsed.as_nanos();
                self.size = u64::try_from(counted).unwrap_or(u64::MAX) / PARTS;
                self.size = self.size.clamp(1, LARGEST);
                (self.taken, self.since) = (0, now);
            }
            self.last = self.counter.fetch_add(self.size, Ordering::Relaxed);
            self.end = self.last + self.size;
            self.taken += self.size;
        }
        self.last += 1;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant as Clock;

    #[tokio::test(start_paused = true)]
    async fn workers_that_count_slowly_leave_no_gaps() {
        let counters = Counters::default();
        let workers: Vec<_> = (0..4).map(|_| counters.of_worker()).collect();
        let mut seen = Vec::new();
        for second in 0..100 {
            // Two in the same moment, 150 a second each.
            for worker in workers.iter().chain(&workers[..second % 4]) {
                seen.push(worker.next("orders").unwrap());
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(seen, (1..=550).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn users_who_come_at_once_are_not_many() {
        let counters = Counters::default();
        let workers = [counters.of_worker(), counters.of_worker()];
        let mut seen = Vec::new();
        for _ in 0..20 {
            for worker in &workers {
                seen.extend((0..60).map(|_| worker.next("orders").unwrap()));
            }
            tokio::time::advance(Duration::from_millis(110)).await;
        }
        assert_eq!(seen, (1..=2400).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn workers_that_count_fast_take_blocks_and_give_each_number_once() {
        let counters = Counters::default();
        let workers = [counters.of_worker(), counters.of_worker()];
        let mut seen = Vec::new();
        for _ in 0..200 {
            for worker in &workers {
                seen.extend((0..300).map(|_| worker.next("orders").unwrap()));
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        let all = seen.len() as u64;
        // 300 in 10 ms make blocks of 37, once that is known.
        let together = seen.windows(2).filter(|two| two[1] == two[0] + 1).count() as u64;
        assert!(together > all * 9 / 10, "{together} of {all}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len() as u64, seen[0]), (all, 1));
        assert!(seen[seen.len() - 1] <= all + 2 * LARGEST, "{:?}", seen.last());
        // Once they are slow, each takes what it needs.
        tokio::time::advance(Duration::from_secs(10)).await;
        workers.iter().for_each(|worker| (0..LARGEST).for_each(|_| _ = worker.next("orders")));
        tokio::time::advance(Duration::from_secs(10)).await;
        let next: Vec<u64> = (0..6).map(|at| workers[at % 2].next("orders").unwrap()).collect();
        assert!(next.windows(2).all(|two| two[1] == two[0] + 1), "{next:?}");
    }

    #[test]
    fn a_worker_alone_counts_one_by_one() {
        let counters = Counters::default();
        let seen: Vec<_> = (0..1000).map(|_| counters.next("a").unwrap()).collect();
        assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
        assert_eq!(counters.of_worker().next("a"), Some(1001));
    }

    /// What blocks save: run with `--release --ignored --nocapture`.
    #[test]
    #[ignore = "it measures"]
    fn what_a_number_costs() {
        const EACH: u32 = 5_000_000;
        for threads in [1, 2, 4] {
            let counters = Counters::default();
            let cost = |own: bool| {
                let start = Clock::now();
                std::thread::scope(|scope| {
                    for _ in 0..threads {
                        let worker = counters.of_worker();
                        let shared = &counters;
                        scope.spawn(move || {
                            let of = if own { &worker } else { shared };
                            (0..EACH).for_each(|_| _ = of.next("orders"));
                        });
                    }
                });
                start.elapsed().as_nanos() as f64 / f64::from(EACH)
            };
            let (shared, own) = (cost(false), cost(true));
            println!("{threads} threads: {shared:.0} ns a number shared, {own:.0} ns in blocks");
        }
    }
}
