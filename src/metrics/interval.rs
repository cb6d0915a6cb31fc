//! Owns intervals: what a stretch of whole seconds held, mergeable and storable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::health::Health;
use super::notice::Notices;
use super::outcome::Failure;
use super::timing::Timing;
use super::{Catalogue, Facet, RequestName};

/// No count of a second is larger: a day of such seconds still fits a number.
const MOST: u64 = 1 << 44;

/// How many different sentences an interval keeps of exceptions; the rest are counted together.
pub(super) const EXCEPTIONS: usize = 100;
pub(super) const OTHER_EXCEPTIONS: &str = "(other exceptions)";

/// What the seconds from `from_s` up to but not including `to_s` held.
///
/// A request belongs to the second in which it ended. Merging is associative and commutative
/// (law 5): over workers, over seconds, over machines.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interval {
    /// First second of the run that it covers.
    pub from_s: u32,
    /// The second after the last one.
    pub to_s: u32,
    /// Sum over its seconds of the users alive at each second's end.
    #[serde(skip_serializing_if = "nothing")]
    pub user_seconds: u64,
    /// Requests begun.
    #[serde(skip_serializing_if = "nothing")]
    pub issued: u64,
    /// Requests cut by the end of the run.
    #[serde(skip_serializing_if = "nothing")]
    pub cancelled: u64,
    /// What each series held, by its number in the catalogue.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<u16, NameStats>,
    /// The times of transactions without their waits, by number in the catalogue: outside of all
    /// that is counted of requests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<u16, NameStats>,
    /// How often the first steps of a user failed, so that it did no task and began anew.
    #[serde(skip_serializing_if = "nothing")]
    pub not_started: u64,
    /// Requests that the plan keeps out of the tables.
    #[serde(skip_serializing_if = "nothing")]
    pub unrecorded: u64,
    /// How often a request was sent again, those that are in no table too.
    #[serde(skip_serializing_if = "nothing")]
    pub retries: u64,
    /// Iterations that ended.
    #[serde(skip_serializing_if = "nothing")]
    pub iterations: u64,
    /// How often a user found no task that it could run, and waited instead.
    #[serde(skip_serializing_if = "nothing")]
    pub idle: u64,
    /// How much later than asked users woke from waits: the generator's own lateness.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub wake_late: Timing,
    /// How much later than due what is due on a beat began: arrivals that a user was there for, and
    /// iterations with a pace. The generator's own lateness too, and judged.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub beat_late: Timing,
    /// Open form: arrivals that were due.
    #[serde(skip_serializing_if = "nothing")]
    pub arrivals: u64,
    /// Open form: how long arrivals waited for a user, where they did. That is the system's own
    /// queueing, and part of their response times.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub waited: Timing,
    /// Open form: arrivals that were never started.
    #[serde(skip_serializing_if = "nothing")]
    pub dropped: u64,
    /// Open form: arrivals that fell into a pause.
    #[serde(skip_serializing_if = "nothing")]
    pub left_out: u64,
    /// The longest that a worker stood still, beyond what a timer is late by, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_us: Option<u64>,
    /// What was odd on the wire and no failure, of all requests.
    #[serde(skip_serializing_if = "nothing")]
    pub notices: Notices,
    /// How the generator fared. It is read once a second for all workers together.
    #[serde(skip_serializing_if = "nothing")]
    pub health: Health,
    /// Mistakes met while running a plan, by sentence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exceptions: BTreeMap<String, u64>,
}

/// What one name held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NameStats {
    /// Response times (due to last byte) of the requests that succeeded.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub response_ok: Timing,
    /// Response times of those that failed: kept apart, so that fast errors flatter nothing.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub response_failed: Timing,
    /// Service times (first byte written to last byte read) of both.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub service: Timing,
    /// Time to open a connection, where one was opened.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub connect: Timing,
    /// Time of it until both ends agreed on TLS, where they did.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub tls: Timing,
    /// Time from the first byte written to the first byte read.
    #[serde(skip_serializing_if = "Timing::is_empty")]
    pub first_byte: Timing,
    /// Bytes of all bodies, as they came over the wire.
    #[serde(skip_serializing_if = "nothing")]
    pub body_bytes: u64,
    /// What those became that were decompressed, because something looked at them.
    #[serde(skip_serializing_if = "nothing")]
    pub decoded_bytes: u64,
    /// How often one of the requests was sent again.
    #[serde(skip_serializing_if = "nothing")]
    pub retries: u64,
    /// How many of the requests ended after the load had: they belong to no rate.
    #[serde(skip_serializing_if = "nothing")]
    pub after_load: Ended,
    /// Each way of failing, with its count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<(Failure, Seen)>,
}

/// What is not stored: a count of none, a list of nothing.
fn nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Requests that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Those that succeeded, and those that failed.
    pub requests: u64,
    /// Those that failed.
    pub failed: u64,
}

/// How often something was seen, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// Milliseconds from the start of the run to the first.
    pub first_ms: u64,
    /// Milliseconds from the start of the run to the last.
    pub last_ms: u64,
    /// What was seen instead of what a rule expects: the first few in the alphabet, so that which
    /// they are does not depend on the order of merging.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// More examples of one failure are not kept.
const EXAMPLES: usize = 3;

impl Seen {
    pub(super) fn at(ms: u64) -> Self {
        Self { count: 1, first_ms: ms, last_ms: ms, examples: Vec::new() }
    }

    /// Keeps what was seen.
    pub(super) fn example(&mut self, text: &str) {
        if let Err(at) = self.examples.binary_search_by(|known| known.as_str().cmp(text))
            && at < EXAMPLES
        {
            self.examples.insert(at, text.to_owned());
            self.examples.truncate(EXAMPLES);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        other.examples.iter().for_each(|text| self.example(text));
    }
}

impl Default for NameStats {
    fn default() -> Self {
        Self {
            response_ok: Timing::default(),
            response_failed: Timing::default(),
            service: Timing::default(),
            connect: Timing::coarse(),
            tls: Timing::coarse(),
            first_byte: Timing::coarse(),
            body_bytes: 0,
            decoded_bytes: 0,
            retries: 0,
            after_load: Ended::default(),
            failures: Vec::new(),
        }
    }
}

impl NameStats {
    /// Requests that succeeded.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.response_ok.count()
    }

    /// Requests that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.response_failed.count()
    }

    /// Requests that ended: succeeded and failed.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.succeeded() + self.failed()
    }

    /// The requests that a rate is made of: those that ended while load was asked for. What ends in
    /// the grace would make a slow service look fast, had it all to be counted in the time before.
    #[must_use]
    pub fn within_load(&self) -> Ended {
        Ended {
            requests: self.requests() - self.after_load.requests,
            failed: self.failed() - self.after_load.failed,
        }
    }

    /// Response times of all requests, failed ones too.
    #[must_use]
    pub fn response(&self) -> Timing {
        let mut all = self.response_ok.clone();
        all.merge(&self.response_failed);
        all
    }

    pub(super) fn failure(&mut self, failure: Failure, seen: Seen) {
        match self.failures.binary_search_by_key(&failure, |(known, _)| *known) {
            Ok(at) => self.failures[at].1.merge(&seen),
            Err(at) => self.failures.insert(at, (failure, seen)),
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.response_ok.merge(&other.response_ok);
        self.response_failed.merge(&other.response_failed);
        self.service.merge(&other.service);
        self.connect.merge(&other.connect);
        self.tls.merge(&other.tls);
        self.first_byte.merge(&other.first_byte);
        self.body_bytes += other.body_bytes;
        self.decoded_bytes += other.decoded_bytes;
        self.retries += other.retries;
        self.after_load.requests += other.after_load.requests;
        self.after_load.failed += other.after_load.failed;
        for (failure, seen) in &other.failures {
            self.failure(*failure, seen.clone());
        }
    }

    pub(super) fn example(&mut self, failure: Failure, text: &str) {
        if let Ok(at) = self.failures.binary_search_by_key(&failure, |(known, _)| *known) {
            self.failures[at].1.example(text);
        }
    }
}

impl Interval {
    /// An interval of one second that holds nothing yet.
    #[must_use]
    pub fn second(second: u32) -> Self {
        Self { from_s: second, to_s: second + 1, ..Self::default() }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.from_s == other.to_s {
            return;
        }
        if self.from_s == self.to_s {
            (self.from_s, self.to_s) = (other.from_s, other.to_s);
        }
        self.from_s = self.from_s.min(other.from_s);
        self.to_s = self.to_s.max(other.to_s);
        self.user_seconds += other.user_seconds;
        self.issued += other.issued;
        self.cancelled += other.cancelled;
        self.idle += other.idle;
        self.iterations += other.iterations;
        self.unrecorded += other.unrecorded;
        self.not_started += other.not_started;
        self.retries += other.retries;
        self.wake_late.merge(&other.wake_late);
        self.beat_late.merge(&other.beat_late);
        self.waited.merge(&other.waited);
        self.arrivals += other.arrivals;
        self.dropped += other.dropped;
        self.left_out += other.left_out;
        self.stall_us = self.stall_us.max(other.stall_us);
        self.notices.merge(&other.notices);
        self.health.merge(&other.health);
        for (name, stats) in &other.names {
            self.names.entry(*name).or_default().merge(stats);
        }
        for (group, stats) in &other.groups {
            self.groups.entry(*group).or_default().merge(stats);
        }
        for (text, count) in &other.exceptions {
            self.exception(text, *count);
        }
    }

    pub(super) fn exception(&mut self, text: &str, count: u64) {
        *self.exceptions.entry(text.to_owned()).or_default() += count;
        // Those that come first in the alphabet are kept: which these are does not depend on the
        // order of merging (law 5), since what is not among the first of a part is not among the
        // first of the whole.
        let kept = |exceptions: &BTreeMap<String, u64>| {
            exceptions.len() - usize::from(exceptions.contains_key(OTHER_EXCEPTIONS))
        };
        while kept(&self.exceptions) > EXCEPTIONS {
            let last = self.exceptions.keys().rfind(|text| *text != OTHER_EXCEPTIONS).cloned();
            let Some(count) = last.and_then(|text| self.exceptions.remove(&text)) else { break };
            *self.exceptions.entry(OTHER_EXCEPTIONS.to_owned()).or_default() += count;
        }
    }

    /// Everything of every name together.
    #[must_use]
    pub fn all_names(&self) -> NameStats {
        let mut all = NameStats::default();
        for stats in self.names.values() {
            all.merge(stats);
        }
        all
    }

    /// The figures of the series that `wanted` picks, together.
    pub fn of(
        &self,
        catalogue: &Catalogue,
        mut wanted: impl FnMut(&RequestName, &Facet) -> bool,
    ) -> NameStats {
        let mut all = NameStats::default();
        let nobody = Facet::default();
        for (number, stats) in &self.names {
            let facet = catalogue.facets.get(usize::from(*number)).unwrap_or(&nobody);
            if wanted(&catalogue.names[usize::from(*number)], facet) {
                all.merge(stats);
            }
        }
        all
    }

    /// The times of the transaction of that name.
    #[must_use]
    pub fn group(&self, catalogue: &Catalogue, name: &str) -> NameStats {
        let number = catalogue.groups.iter().position(|group| group == name);
        let stats = number.and_then(|number| self.groups.get(&(number as u16)));
        stats.cloned().unwrap_or_default()
    }

    /// Whether its numbers are of that catalogue, and so large that they can be added up: what was
    /// measured always is.
    #[must_use]
    pub fn is_sound(&self, catalogue: &Catalogue) -> bool {
        let known = |numbers: &BTreeMap<u16, NameStats>, names: usize| {
            numbers.keys().all(|number| usize::from(*number) < names)
        };
        let all = self.names.values().chain(self.groups.values());
        let counts = all.flat_map(|stats| {
            let failures = stats.failures.iter().map(|(_, seen)| seen.count);
            let after = stats.after_load;
            let others = [stats.body_bytes, stats.decoded_bytes, stats.retries];
            others.into_iter().chain([after.requests, after.failed]).chain(failures)
        });
        let mine = [
            self.user_seconds,
            self.issued,
            self.cancelled,
            self.not_started,
            self.unrecorded,
            self.retries,
            self.iterations,
            self.idle,
            self.arrivals,
            self.dropped,
            self.left_out,
        ];
        let counts = counts.chain(mine).chain(self.exceptions.values().copied());
        known(&self.names, catalogue.names.len())
            && known(&self.groups, catalogue.groups.len())
            && counts.into_iter().all(|count| count < MOST)
            && self.within_load_fits()
    }

    /// Of no name more ended after the load than ended.
    fn within_load_fits(&self) -> bool {
        let fits = |stats: &NameStats| {
            stats.after_load.requests <= stats.requests()
                && stats.after_load.failed <= stats.failed()
        };
        self.names.values().chain(self.groups.values()).all(fits)
    }

    /// The mean number of users over its seconds.
    #[must_use]
    pub fn users(&self) -> f64 {
        let seconds = self.to_s - self.from_s;
        if seconds == 0 { 0.0 } else { self.user_seconds as f64 / f64::from(seconds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Fault, Level, Notice, Noticed};
    use proptest::prelude::*;

    /// A second with some of everything, made of a few numbers.
    fn part((at, seed): (u32, u64)) -> Interval {
        let mut interval = Interval::second(at);
        (interval.user_seconds, interval.issued) = (seed % 50, seed % 9);
        (interval.cancelled, interval.idle) = (seed % 3, seed % 4);
        interval.wake_late.record(std::time::Duration::from_micros(seed));
        interval.beat_late.record(std::time::Duration::from_micros(seed * 2));
        interval.waited.record(std::time::Duration::from_millis(seed));
        (interval.arrivals, interval.dropped, interval.left_out) = (seed * 7, seed, seed % 3);
        for name in 0..(seed % 4) as u16 {
            let stats = interval.names.entry(name).or_default();
            stats.response_ok.record(std::time::Duration::from_micros(seed + u64::from(name)));
            (stats.body_bytes, stats.decoded_bytes) = (seed, seed * 3);
            stats.retries = seed % 3;
            stats.after_load = Ended { requests: seed % 2, failed: 0 };
            stats.failure(Failure::Status((seed % 5) as u16), Seen::at(seed));
            stats.failure(Failure::Fault(Fault::ALL[seed as usize % 5]), Seen::at(seed / 2));
            stats.example(Failure::Status((seed % 5) as u16), &format!("saw {}", seed % 11));
            interval
                .groups
                .entry(name)
                .or_default()
                .response_ok
                .record(std::time::Duration::from_micros(seed * 2));
        }
        let mut noticed = Noticed::default();
        noticed.add(Notice::ALL[seed as usize % Notice::ALL.len()]);
        interval.notices.add(noticed);
        interval.stall_us = (!seed.is_multiple_of(3)).then_some(seed);
        interval.health.files = seed.is_multiple_of(2).then(|| Level::over(seed, 1));
        (interval.unrecorded, interval.retries) = (seed % 5, seed % 8);
        (interval.not_started, interval.iterations) = (seed % 6, seed % 7);
        for text in 0..seed % 90 {
            interval.exception(&format!("mistake {}", (seed + text) % 150), seed % 7 + 1);
        }
        interval
    }

    proptest! {
        /// Law 5: live, replayed and distributed runs share one way.
        #[test]
        fn merging_is_associative_and_commutative(
            parts in prop::collection::vec((0u32..6, 1u64..100_000), 1..5), turn in 0usize..5, cut in 0usize..5,
        ) {
            let merged = |parts: &[Interval]| {
                let mut whole = Interval::default();
                parts.iter().for_each(|part| whole.merge(part));
                whole
            };
            let parts: Vec<_> = parts.into_iter().map(part).collect();
            let mut turned = parts.clone();
            turned.rotate_left(turn % parts.len());
            let (left, right) = parts.split_at(cut.min(parts.len()));
            prop_assert_eq!(merged(&parts), merged(&turned));
            prop_assert_eq!(merged(&parts), merged(&[merged(left), merged(right)]));
        }

        #[test]
        fn an_interval_that_is_stored_reads_back(at in 0u32..9, seed in 1u64..100_000) {
            let interval = part((at, seed));
            let text = serde_json::to_string(&interval).unwrap();
            prop_assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval);
        }
    }
}
