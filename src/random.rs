//! Owns the streams of random numbers: one per seed, class and user, so that nothing a user draws
//! depends on workers, agents or timing.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// The random numbers of one user.
#[derive(Debug, Clone)]
pub struct Stream(SmallRng);

impl Stream {
    /// The stream of user number `user` (from 0) of class number `class`, in a run with `seed`.
    #[must_use]
    pub fn new(seed: u64, class: usize, user: u64) -> Self {
        // Three rounds of splitmix64 keep neighbours (user 1 and 2 of one class) unrelated.
        let mixed = splitmix(splitmix(splitmix(seed) ^ class as u64) ^ user);
        Self(SmallRng::seed_from_u64(mixed))
    }

    /// A whole number from `low` to `high`, both included. Wrong order gives `low`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if low >= high { low } else { self.0.random_range(low..=high) }
    }

    /// A number from 0 up to but not including `count`, which must not be 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// A fraction from 0 up to but not including 1.
    pub fn fraction(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// Fills bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    /// The generator itself, for what a library draws.
    pub fn source(&mut self) -> &mut impl rand::Rng {
        &mut self.0
    }

    /// A duration from `low` to `high`, even to the nanosecond.
    pub fn duration(&mut self, low: Duration, high: Duration) -> Duration {
        let span = high.saturating_sub(low).as_nanos();
        let span = u64::try_from(span).unwrap_or(u64::MAX);
        low + Duration::from_nanos(if span == 0 { 0 } else { self.0.random_range(0..=span) })
    }
}

/// The finalizer of splitmix64: each bit of the input changes about half of the output's.
pub(crate) fn splitmix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_four(seed: u64, class: usize, user: u64) -> [i64; 4] {
        let mut stream = Stream::new(seed, class, user);
        [(); 4].map(|()| stream.between(0, 1_000_000))
    }

    #[test]
    fn a_user_draws_the_same_whenever_it_runs() {
        assert_eq!(first_four(1, 0, 7), first_four(1, 0, 7));
        assert_ne!(first_four(1, 0, 7), first_four(1, 0, 8));
        assert_ne!(first_four(1, 0, 7), first_four(1, 1, 7));
        assert_ne!(first_four(1, 0, 7), first_four(2, 0, 7));
    }

    #[test]
    fn bounds_are_included() {
        let mut stream = Stream::new(1, 0, 0);
        let drawn: Vec<_> = (0..1000).map(|_| stream.between(1, 3)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&1), Some(&3)));
        assert_eq!(stream.between(5, 1), 5);
        let second = Duration::from_secs(1);
        assert_eq!(stream.duration(second, second), second);
    }
}
