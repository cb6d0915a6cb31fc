//! Owns the generator's own figures: how it and its machine fared, second by second and over the run.

use serde::{Deserialize, Serialize};

/// From so many thousandths on a machine is full: what runs on it waits for a processor.
const FULL: u64 = 900;

/// Memory is short when less than this is left, and less than [`SHORT_SHARE`] of all.
const SHORT: u64 = 512 << 20;
const SHORT_SHARE: u64 = 20;

/// How the generator fared over some seconds. What the system does not tell is absent, and is never a
/// zero. Merging is associative and commutative (law 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Processors that this process may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u64>,
    /// What it used of them, in thousandths of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Level>,
    /// How busy the processors of the machine were, in thousandths of all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<Level>,
    /// Seconds in which the machine was full.
    #[serde(skip_serializing_if = "none")]
    pub full_s: u64,
    /// What the machine below this one kept for others, in thousandths of all processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stolen: Option<Level>,
    /// Descriptors that were open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Level>,
    /// How many may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_limit: Option<u64>,
    /// TCP sockets of the machine, with those that only wait for their port to be free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Level>,
    /// Local ports that connections are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<u64>,
    /// Memory of this process, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Level>,
    /// Memory of the machine that is left, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Level>,
    /// All of its memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total: Option<u64>,
    /// Seconds in which memory was short.
    #[serde(skip_serializing_if = "none")]
    pub short_s: u64,
    /// How the limit of a container held it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Throttled>,
    /// How long it was not run at all: the machine slept, or the process was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_ms: Option<u64>,
}

fn none(count: &u64) -> bool {
    *count == 0
}

/// A figure over seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// How many seconds it is over.
    pub seconds: u64,
    /// Of what it was in each of them.
    pub sum: u64,
    /// The least that it was.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// What the limit of a container on processor time did over seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttled {
    /// How many seconds it is over.
    pub of_s: u64,
    /// Those in which it held the process back.
    pub seconds: u64,
    /// How often it did.
    pub times: u64,
    /// For how long, in microseconds, all threads together.
    pub us: u64,
}

impl Level {
    /// It was `value` for so many seconds.
    #[must_use]
    pub fn over(value: u64, seconds: u64) -> Self {
        Self { seconds, sum: value.saturating_mul(seconds), least: value, most: value }
    }

    /// Its mean over the seconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.seconds.max(1) as f64
    }

    /// That of two stretches of seconds, as far as it is told.
    #[must_use]
    pub fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            sum: self.sum.saturating_add(other.sum),
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }
}

impl Throttled {
    fn and(self, other: Self) -> Self {
        Self {
            of_s: self.of_s + other.of_s,
            seconds: self.seconds + other.seconds,
            times: self.times + other.times,
            us: self.us + other.us,
        }
    }
}

impl Health {
    /// Counts the seconds in which the machine was full or its memory short, of figures that are of so
    /// many seconds in which nothing changed.
    #[must_use]
    pub fn counted(mut self, seconds: u64) -> Self {
        let is_full = self.machine.is_some_and(|machine| machine.most >= FULL);
        let is_short = match (self.available, self.memory_total) {
            (Some(left), Some(all)) => left.least < SHORT && left.least < all / SHORT_SHARE,
            _ => false,
        };
        self.full_s = if is_full { seconds } else { 0 };
        self.short_s = if is_short { seconds } else { 0 };
        self
    }

    /// Nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        join(&mut self.cores, other.cores, u64::max);
        join(&mut self.process, other.process, Level::and);
        join(&mut self.machine, other.machine, Level::and);
        self.full_s += other.full_s;
        join(&mut self.stolen, other.stolen, Level::and);
        join(&mut self.files, other.files, Level::and);
        join(&mut self.files_limit, other.files_limit, u64::min);
        join(&mut self.sockets, other.sockets, Level::and);
        join(&mut self.ports, other.ports, u64::min);
        join(&mut self.memory, other.memory, Level::and);
        join(&mut self.available, other.available, Level::and);
        join(&mut self.memory_total, other.memory_total, u64::min);
        self.short_s += other.short_s;
        join(&mut self.throttled, other.throttled, Throttled::and);
        join(&mut self.suspended_ms, other.suspended_ms, |a, b| a + b);
    }
}

/// What is told by both is put together by `both`; what is told by one stays.
fn join<T: Copy>(mine: &mut Option<T>, theirs: Option<T>, both: impl Fn(T, T) -> T) {
    *mine = match (*mine, theirs) {
        (Some(mine), Some(theirs)) => Some(both(mine, theirs)),
        (mine, theirs) => mine.or(theirs),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Figures made of a number, each absent now and then.
    fn part(seed: u64) -> Health {
        let told = |nth: u64| !(seed / (nth + 1)).is_multiple_of(4);
        let level = |nth: u64| told(nth).then(|| Level::over(seed * (nth + 3) % 1100, 1 + nth % 2));
        Health {
            cores: told(0).then_some(seed % 9),
            process: level(1),
            machine: level(2),
            full_s: 0,
            stolen: level(3),
            files: level(4),
            files_limit: told(5).then_some(seed % 70),
            sockets: level(6),
            ports: told(7).then_some(seed % 50),
            memory: level(8),
            available: level(9),
            memory_total: told(10).then_some(seed % 100_000),
            short_s: 0,
            throttled: told(11).then_some(Throttled {
                of_s: 1,
                seconds: seed % 2,
                times: seed % 7,
                us: seed,
            }),
            suspended_ms: told(12).then_some(seed % 3000),
        }
        .counted(1 + seed % 2)
    }

    proptest! {
        /// Law 5: merging is associative and commutative.
        #[test]
        fn merging_parts_in_any_order_equals_the_whole(
            seeds in prop::collection::vec(1u64..100_000, 1..6), turn in 0usize..6, cut in 0usize..6,
        ) {
            let merged = |parts: &[Health]| {
                let mut whole = Health::default();
                parts.iter().for_each(|part| whole.merge(part));
                whole
            };
            let parts: Vec<_> = seeds.into_iter().map(part).collect();
            let mut turned = parts.clone();
            turned.rotate_left(turn % parts.len());
            let (left, right) = parts.split_at(cut.min(parts.len()));
            prop_assert_eq!(merged(&parts), merged(&turned));
            prop_assert_eq!(merged(&parts), merged(&[merged(left), merged(right)]));
        }
    }

    #[test]
    fn seconds_are_counted_in_which_the_machine_was_full_or_its_memory_short() {
        let counted = |busy: u64, left: u64, all: u64| {
            let health = Health {
                machine: Some(Level::over(busy, 2)),
                available: Some(Level::over(left << 20, 2)),
                memory_total: Some(all << 20),
                ..Health::default()
            };
            let health = health.counted(2);
            (health.full_s, health.short_s)
        };
        assert_eq!(counted(899, 400, 16_384), (0, 2));
        assert_eq!(counted(900, 400, 4096), (2, 0), "it is a tenth of all");
        assert_eq!(counted(1000, 600, 65_536), (2, 0), "it is small, but enough");
        assert_eq!(Health::default().counted(2), Health::default());
    }

    #[test]
    fn what_is_not_told_is_absent_and_no_zero() {
        let told = Health { files: Some(Level::over(7, 1)), ..Health::default() };
        let mut whole = Health::default();
        assert!(whole.is_empty());
        whole.merge(&told);
        whole.merge(&Health::default());
        whole.merge(&Health { files: Some(Level::over(10, 1)), ..Health::default() });
        let files = whole.files.unwrap();
        assert_eq!((files.mean(), files.least, files.most, files.seconds), (8.5, 7, 10, 2));
        assert_eq!((whole.machine, whole.suspended_ms), (None, None));
    }
}
