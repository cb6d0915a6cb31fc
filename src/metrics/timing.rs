//! Owns the distribution of one kind of time: a histogram, with its ends and its sum exact.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HdrReader, Serializer as _, V2Serializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time a histogram tells apart; longer ones are counted as this and in `over`.
const HIGHEST_US: u64 = 3_600_000_000;

/// So many times stand as they are before a histogram is made for them. One that reaches to a second
/// weighs 45 KB, and a thousand names with five kinds of time have ten thousand each second, most of
/// which hold next to nothing.
const FEW: usize = 128;

/// So many different ones that are added up stand beside their counts before.
const DIFFERENT: usize = 1024;

/// Times in microseconds, three significant digits ([`Timing::coarse`]: two), from 1 µs to 1 h: percentiles
/// are off by a thousandth at most from half a millisecond on, and by half a microsecond below.
/// Minimum, maximum and sum are exact, in nanoseconds.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Significant digits.
    digits: u8,
    times: Times,
    min_ns: u64,
    max_ns: u64,
    sum_ns: u64,
    over: u64,
}

/// What was counted, in microseconds.
#[derive(Debug, Clone)]
enum Times {
    /// Each, as it came.
    Few(Vec<u32>),
    /// Each with its count, in their order.
    Counted(Vec<(u32, u32)>),
    Many(Histogram<u32>),
}

impl Default for Timing {
    fn default() -> Self {
        let times = Times::Few(Vec::new());
        Self { digits: 3, times, min_ns: u64::MAX, max_ns: 0, sum_ns: 0, over: 0 }
    }
}

/// The same was counted, however it stands.
impl PartialEq for Timing {
    fn eq(&self, other: &Self) -> bool {
        let exact = |timing: &Self| {
            let Self { digits, min_ns, max_ns, sum_ns, over, .. } = *timing;
            // Without any time there are no digits.
            (if timing.count() > 0 { digits } else { 0 }, min_ns, max_ns, sum_ns, over)
        };
        exact(self) == exact(other) && *self.histogram() == *other.histogram()
    }
}

fn empty(digits: u8) -> Histogram<u32> {
    // It grows with what it is given.
    Histogram::new(digits).expect("two and three digits are within what the library takes")
}

const GROWS: &str = "a histogram that grows takes every value up to an hour";

impl Timing {
    /// With two digits: an eighth of the memory, for times that explain others.
    #[must_use]
    pub fn coarse() -> Self {
        Self { digits: 2, ..Self::default() }
    }

    /// Counts one time.
    pub fn record(&mut self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let us = (ns.saturating_add(500)) / 1000;
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
        self.sum_ns = self.sum_ns.saturating_add(ns);
        if us > HIGHEST_US {
            self.over += 1;
        }
        let us = us.min(HIGHEST_US) as u32;
        match &mut self.times {
            Times::Few(few) if few.len() < FEW => few.push(us),
            Times::Many(histogram) => histogram.record(us.into()).expect(GROWS),
            Times::Few(_) | Times::Counted(_) => self.many().record(us.into()).expect(GROWS),
        }
    }

    /// What was counted, as a histogram from now on.
    fn many(&mut self) -> &mut Histogram<u32> {
        if !matches!(self.times, Times::Many(_)) {
            self.times = Times::Many(self.histogram().into_owned());
        }
        match &mut self.times {
            Times::Many(histogram) => histogram,
            Times::Few(_) | Times::Counted(_) => unreachable!("it was made one just now"),
        }
    }

    /// What was counted, as a histogram.
    fn histogram(&self) -> Cow<'_, Histogram<u32>> {
        let mut made = empty(self.digits);
        match &self.times {
            Times::Many(histogram) => return Cow::Borrowed(histogram),
            Times::Few(few) => {
                few.iter().for_each(|us| made.record(u64::from(*us)).expect(GROWS));
            }
            Times::Counted(counted) => {
                for (us, count) in counted {
                    made.record_n(u64::from(*us), *count).expect(GROWS);
                }
            }
        }
        Cow::Owned(made)
    }

    /// Adds what another has counted. Associative and commutative (law 5).
    pub fn merge(&mut self, other: &Self) {
        if other.count() == 0 {
            return;
        }
        if self.count() == 0 {
            self.digits = other.digits;
        }
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.over += other.over;
        match (&mut self.times, &other.times) {
            (Times::Few(few), Times::Few(more)) if few.len() + more.len() <= FEW => {
                few.extend_from_slice(more);
            }
            (Times::Many(histogram), Times::Few(more)) => {
                more.iter().for_each(|us| histogram.record(u64::from(*us)).expect(GROWS));
            }
            (Times::Many(_), _) | (_, Times::Many(_)) => {
                let theirs = other.histogram();
                self.many().add(&*theirs).expect("a histogram that grows takes every other one");
            }
            (mine, theirs) => match added(mine, theirs) {
                Some(counted) => self.times = Times::Counted(counted),
                None => {
                    let theirs = other.histogram();
                    self.many()
                        .add(&*theirs)
                        .expect("a histogram that grows takes every other one");
                }
            },
        }
    }

    /// Nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// What was counted, in order: each time in microseconds with how often it was. Times that the
    /// histogram does not tell apart are one, its highest, as [`Timing::quantile_ms`] has it.
    #[must_use]
    pub fn counts(&self) -> Vec<(u64, u64)> {
        let scale = empty(self.digits);
        let mut all: Vec<(u64, u64)> = match &self.times {
            Times::Few(few) => {
                few.iter().map(|us| (scale.highest_equivalent(u64::from(*us)), 1)).collect()
            }
            Times::Counted(counted) => counted
                .iter()
                .map(|(us, count)| (scale.highest_equivalent(u64::from(*us)), u64::from(*count)))
                .collect(),
            Times::Many(histogram) => {
                return histogram
                    .iter_recorded()
                    .map(|one| (one.value_iterated_to(), u64::from(one.count_at_value())))
                    .collect();
            }
        };
        all.sort_unstable();
        all.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 += later.1;
            }
            same
        });
        all
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.times {
            Times::Few(few) => few.len() as u64,
            Times::Counted(counted) => counted.iter().map(|(_, count)| u64::from(*count)).sum(),
            Times::Many(histogram) => histogram.len(),
        }
    }

    /// How many of them were longer than an hour, and stand as one hour in percentiles.
    #[must_use]
    pub fn over(&self) -> u64 {
        self.over
    }

    /// The time that the share `quantile` (0 to 1) of all does not pass, in milliseconds: the one
    /// rule for percentiles everywhere. At 1 it is the exact maximum. None without any time.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        if quantile >= 1.0 || self.count() == 0 {
            return self.max_ms();
        }
        let us = match &self.times {
            Times::Many(histogram) => histogram.value_at_quantile(quantile),
            Times::Few(_) | Times::Counted(_) => self.nth_us(quantile),
        };
        let ms = us as f64 / 1e3;
        Some(ms.clamp(self.min_ns as f64 / 1e6, self.max_ns as f64 / 1e6))
    }

    /// What a histogram would say, without making one.
    fn nth_us(&self, quantile: f64) -> u64 {
        let rank = ((quantile * self.count() as f64).ceil() as u64).max(1);
        let nth = match &self.times {
            Times::Few(few) => {
                let mut sorted = few.clone();
                sorted.sort_unstable();
                sorted.get(rank as usize - 1).copied()
            }
            Times::Counted(counted) => {
                let mut seen = 0;
                let reaches = |(_, count): &&(u32, u32)| {
                    seen += u64::from(*count);
                    seen >= rank
                };
                counted.iter().find(reaches).map(|(us, _)| *us)
            }
            Times::Many(_) => None,
        };
        let (nth, scale) = (u64::from(nth.unwrap_or(0)), empty(self.digits));
        if quantile == 0.0 { scale.lowest_equivalent(nth) } else { scale.highest_equivalent(nth) }
    }

    /// The exact minimum, in milliseconds.
    #[must_use]
    pub fn min_ms(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.min_ns as f64 / 1e6)
    }

    /// The exact maximum, in milliseconds.
    #[must_use]
    pub fn max_ms(&self) -> Option<f64> {
        (self.count() > 0).then_some(self.max_ns as f64 / 1e6)
    }

    /// The exact sum of all, in nanoseconds.
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The exact mean, in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum_ns as f64 / count as f64 / 1e6)
    }
}

/// Two that are no histograms, added up; nothing when there are too many different times.
fn added(mine: &Times, theirs: &Times) -> Option<Vec<(u32, u32)>> {
    let counted = |times: &Times| -> Vec<(u32, u32)> {
        match times {
            Times::Few(few) => few.iter().map(|us| (*us, 1)).collect(),
            Times::Counted(counted) => counted.clone(),
            Times::Many(_) => Vec::new(),
        }
    };
    let mut all = counted(mine);
    all.extend(counted(theirs));
    all.sort_unstable();
    all.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(later.1);
        }
        same
    });
    (all.len() <= DIFFERENT).then_some(all)
}

/// The stored form: HdrHistogram's V2 encoding in base64, and the exact values beside it.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default = "three", skip_serializing_if = "is_three")]
    digits: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hdr: Option<String>,
    min_ns: u64,
    max_ns: u64,
    sum_ns: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    over: u64,
}

fn three() -> u8 {
    3
}

fn is_three(digits: &u8) -> bool {
    *digits == 3
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Where the encoding has the highest value that the histogram can take: the header is cookie, length of
/// the payload, offset and digits, of four bytes each, then the lowest value and this one, of eight.
const REACH: std::ops::Range<usize> = 24..32;

thread_local! {
    /// The serializer keeps a buffer; one per thread serves every interval.
    static WRITER: RefCell<V2Serializer> = RefCell::new(V2Serializer::new());
}

impl Serialize for Timing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hdr = if self.is_empty() {
            None
        } else {
            let mut bytes = Vec::new();
            let histogram = self.histogram();
            WRITER
                .with_borrow_mut(|writer| writer.serialize(&*histogram, &mut bytes))
                .map_err(|_| serde::ser::Error::custom("a histogram cannot be encoded"))?;
            // How far it reaches depends on how it grew: what is stored depends on the counts alone.
            bytes[REACH].copy_from_slice(&histogram.max().max(2).to_be_bytes());
            Some(STANDARD.encode(bytes))
        };
        let Self { digits, min_ns, max_ns, sum_ns, over, .. } = *self;
        Stored { digits, hdr, min_ns, max_ns, sum_ns, over }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let Stored { digits, hdr, min_ns, max_ns, sum_ns, over } =
            Stored::deserialize(deserializer)?;
        if !(1..=5).contains(&digits) {
            return Err(D::Error::custom("a histogram has one to five digits"));
        }
        if hdr.is_some() && min_ns > max_ns {
            return Err(D::Error::custom("a histogram's least is above its most"));
        }
        let times = match hdr {
            None => Times::Few(Vec::new()),
            Some(text) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| D::Error::custom("a histogram is no base64"))?;
                let mut read: Histogram<u32> = HdrReader::new()
                    .deserialize(&mut bytes.as_slice())
                    .map_err(|_| D::Error::custom("a histogram cannot be decoded"))?;
                read.auto(true);
                Times::Many(read)
            }
        };
        Ok(Self { digits, times, min_ns, max_ns, sum_ns, over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(micros: &[u64]) -> Timing {
        let mut timing = Timing::default();
        for us in micros {
            timing.record(Duration::from_micros(*us));
        }
        timing
    }

    #[test]
    fn ends_and_mean_are_exact_and_the_maximum_is_p100() {
        let timing = of(&[1500, 2_000_001, 3]);
        assert_eq!((timing.min_ms(), timing.max_ms()), (Some(0.003), Some(2000.001)));
        assert_eq!(timing.quantile_ms(1.0), Some(2000.001));
        assert_eq!(timing.mean_ms(), Some((1.5 + 2000.001 + 0.003) / 3.0));
        assert_eq!(Timing::default().quantile_ms(0.5), None);
    }

    #[test]
    fn a_coarse_one_is_within_a_hundredth_and_merges_with_its_like() {
        let mut coarse = Timing::coarse();
        (1..=1000).for_each(|ms| coarse.record(Duration::from_millis(ms)));
        let mut merged = Timing::default();
        merged.merge(&coarse);
        assert_eq!(merged, coarse);
        let p95 = merged.quantile_ms(0.95).unwrap();
        assert!((p95 - 950.0).abs() <= 9.5, "{p95}");
        assert_eq!((merged.min_ms(), merged.max_ms()), (Some(1.0), Some(1000.0)));
    }

    #[test]
    fn times_beyond_an_hour_are_counted_and_said() {
        let timing = of(&[7_200_000_000, 5]);
        assert_eq!((timing.count(), timing.over(), timing.max_ms()), (2, 1, Some(7_200_000.0)));
    }

    #[test]
    fn what_holds_little_weighs_little() {
        let few = of(&(0..FEW as u64).map(|n| n * 7_919 % 1_000_000).collect::<Vec<_>>());
        assert!(matches!(&few.times, Times::Few(few) if few.capacity() <= FEW));
        let mut sum = Timing::default();
        (0..7).for_each(|_| sum.merge(&few));
        assert!(matches!(&sum.times, Times::Counted(counted) if counted.len() == FEW));
        assert_eq!((sum.count(), sum.quantile_ms(0.5)), (7 * FEW as u64, few.quantile_ms(0.5)));
    }

    /// Numbers that look random, above 0 and below 1.
    fn fractions() -> impl Iterator<Item = f64> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        })
    }

    /// Percentiles of so many times of five shapes, in nanoseconds, against those of an exact sort: a
    /// thousandth off at most from half a millisecond on, and half a microsecond below.
    fn hold_against_an_exact_sort(count: usize) {
        let normal = |u: f64, v: f64| (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        // In milliseconds, from two fractions.
        type Shape = fn(f64, f64, fn(f64, f64) -> f64) -> f64;
        let shapes: [(&str, Shape); 5] = [
            ("uniform", |u, _, _| 0.05 + 200.0 * u),
            ("normal", |u, v, normal| 40.0 + 8.0 * normal(u, v)),
            ("log-normal", |u, v, normal| (1.5 + 1.2 * normal(u, v)).exp()),
            ("bimodal", |u, v, normal| if u < 0.8 { 3.0 + v } else { 250.0 + 20.0 * normal(u, v) }),
            ("Pareto", |u, _, _| (0.2 * u.powf(-1.0 / 1.1)).min(3_000_000.0)),
        ];
        for (name, shape) in shapes {
            let mut fractions = fractions();
            let mut timing = Timing::default();
            let mut times: Vec<u64> = (0..count)
                .map(|_| {
                    let mut next = || fractions.next().expect("there is no end");
                    (shape(next(), next(), normal).max(0.001) * 1e6) as u64
                })
                .collect();
            times.iter().for_each(|ns| timing.record(Duration::from_nanos(*ns)));
            times.sort_unstable();
            for quantile in [0.001, 0.1, 0.5, 0.66, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999] {
                let rank = ((quantile * count as f64).ceil() as usize).clamp(1, count);
                let exact = times[rank - 1] as f64 / 1e6;
                let got = timing.quantile_ms(quantile).expect("there are times");
                let most = (exact * 0.001).max(0.0005) + 1e-9;
                assert!((got - exact).abs() <= most, "{name}: {got} for {exact} at {quantile}");
            }
            assert_eq!(timing.max_ms(), times.last().map(|ns| *ns as f64 / 1e6), "{name}");
            let mean = times.iter().sum::<u64>() as f64 / count as f64 / 1e6;
            assert_eq!(timing.mean_ms(), Some(mean), "{name}");
        }
    }

    #[test]
    fn percentiles_of_five_shapes_are_those_of_an_exact_sort() {
        hold_against_an_exact_sort(20_000);
    }

    /// `cargo test --lib a_million_times -- --ignored`
    #[test]
    #[ignore = "some seconds without optimization"]
    fn percentiles_of_a_million_times_of_five_shapes_are_those_of_an_exact_sort() {
        hold_against_an_exact_sort(1_000_000);
    }

    proptest! {
        /// However they stand, the figures are those of one histogram.
        #[test]
        fn few_counted_and_many_say_the_same(
            parts in prop::collection::vec(prop::collection::vec(1u64..4_000_000, 0..300), 1..12),
        ) {
            let mut merged = Timing::default();
            let mut histogram = empty(3);
            for part in &parts {
                merged.merge(&of(part));
                part.iter().for_each(|us| histogram.record(*us).unwrap());
            }
            prop_assert_eq!(merged.count(), histogram.len());
            for quantile in [0.0, 0.1, 0.5, 0.95, 0.99].into_iter().filter(|_| merged.count() > 0) {
                let want = histogram.value_at_quantile(quantile) as f64 / 1e3;
                let want = want.clamp(merged.min_ms().unwrap(), merged.max_ms().unwrap());
                prop_assert_eq!(merged.quantile_ms(quantile), Some(want));
            }
            let recorded = histogram.iter_recorded();
            let want: Vec<_> =
                recorded.map(|one| (one.value_iterated_to(), u64::from(one.count_at_value()))).collect();
            prop_assert_eq!(merged.counts(), want);
        }

        #[test]
        fn percentiles_are_within_a_thousandth_of_an_exact_sort(mut micros in prop::collection::vec(1u64..5_000_000, 1..300), quantile in 0.01f64..1.0) {
            let timing = of(&micros);
            micros.sort_unstable();
            let rank = ((quantile * micros.len() as f64).ceil() as usize).clamp(1, micros.len());
            let exact = micros[rank - 1] as f64 / 1e3;
            let got = timing.quantile_ms(quantile).unwrap();
            prop_assert!((got - exact).abs() <= exact * 0.001 + 0.001, "{got} for {exact}");
        }

        /// Law 5: merging is associative and commutative.
        #[test]
        fn merging_parts_in_any_order_equals_the_whole(
            parts in prop::collection::vec(prop::collection::vec(1u64..100_000_000, 0..20), 1..6),
            turn in 0usize..6,
        ) {
            let whole = of(&parts.concat());
            let mut merged = Timing::default();
            for k in 0..parts.len() {
                merged.merge(&of(&parts[(k + turn) % parts.len()]));
            }
            for quantile in [0.0, 0.5, 0.95, 1.0] {
                prop_assert_eq!(merged.quantile_ms(quantile), whole.quantile_ms(quantile));
            }
            prop_assert_eq!((merged.count(), merged.mean_ms()), (whole.count(), whole.mean_ms()));
        }

        /// `PROPTEST_CASES=10000 cargo test --lib parts_in_any_order` tries ten thousand.
        #[test]
        fn parts_in_any_order_are_stored_bit_by_bit_the_same(
            parts in prop::collection::vec(prop::collection::vec(1u64..4_000_000_000, 0..12), 2..=64),
            turn in 0usize..64,
        ) {
            let merged = |parts: &[Vec<u64>]| {
                let mut whole = Timing::default();
                parts.iter().for_each(|part| whole.merge(&of(part)));
                serde_json::to_string(&whole).unwrap()
            };
            let whole = serde_json::to_string(&of(&parts.concat())).unwrap();
            let mut turned = parts.clone();
            turned.rotate_left(turn % parts.len());
            turned.reverse();
            prop_assert_eq!(&merged(&parts), &whole);
            prop_assert_eq!(&merged(&turned), &whole);
            // What was stored in between reads back as the same.
            let (left, right) = turned.split_at(turn % turned.len());
            let mut read: Timing = serde_json::from_str(&merged(left)).unwrap();
            read.merge(&serde_json::from_str(&merged(right)).unwrap());
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), whole);
        }

        #[test]
        fn what_is_stored_reads_back(micros in prop::collection::vec(1u64..100_000_000, 0..50)) {
            let timing = of(&micros);
            let mut back: Timing = serde_json::from_str(&serde_json::to_string(&timing).unwrap()).unwrap();
            prop_assert_eq!(&back, &timing);
            back.merge(&of(&[2_000_000_000]));
            prop_assert_eq!(back.count(), micros.len() as u64 + 1);
        }
    }
}
