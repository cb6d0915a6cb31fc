//! Owns whether a run can be trusted: a generator that could not do its part is not a pass.

use std::fmt;
use std::time::Duration;

use crate::metrics::{Failure, FailureKind, Fault, Health, Interval, Summary};
use crate::units::format_duration;

/// Whether the figures of a run can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// Nothing speaks against them.
    Valid,
    /// Something does, and they may be right all the same: the reasons, each a sentence.
    Suspect(Vec<String>),
    /// They cannot be: the reasons, those that alone would make it suspect last.
    Invalid(Vec<String>),
}

impl Validity {
    /// `VALID`, `SUSPECT` or `INVALID`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Suspect(_) => "SUSPECT",
            Self::Invalid(_) => "INVALID",
        }
    }

    /// What speaks against the figures; empty when valid.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Valid => &[],
            Self::Suspect(reasons) | Self::Invalid(reasons) => reasons,
        }
    }

    /// The thresholds do not count: a run that is only suspect is judged by them.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid(_))
    }
}

/// Beats late by more than the larger of so many milliseconds and that share of the median response
/// make a run invalid.
const LATE: (f64, f64) = (5.0, 0.2);

/// The same for suspect.
const LATE_SOMEWHAT: (f64, f64) = (1.0, 0.05);

/// Of fewer beats the 99th percentile is but the latest one, which says something only when it is
/// absurd: later than [`ABSURD_MS`], and than the median response.
const BEATS: u64 = 100;
const ABSURD_MS: f64 = 1000.0;

/// What happens in fewer seconds happens on every machine now and then.
const SECONDS: u64 = 3;

/// A run that stood still for longer is not trusted.
const SUSPENDED_MS: u64 = 1000;

/// A worker that stood still for longer.
const STALL_US: u64 = 1_000_000;

/// What to do when it was late.
const FEWER: &str = "run fewer per machine, or on a quieter one";

/// What to do when it was suspended.
const AGAIN: &str = "run it again";

/// A reason to doubt the figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reason {
    /// What was: "arrivals began up to 22ms late (p99), more than 5ms".
    pub(super) what: String,
    /// What to do about it, behind what leads to it; empty when there is nothing to do.
    advice: (&'static str, String),
    /// The generator was short of something that has to be given to it.
    is_shortage: bool,
}

impl Reason {
    pub(super) fn new(what: String, advice: &str) -> Self {
        Self { what, advice: (": ", advice.to_owned()), is_shortage: false }
    }

    fn bare(what: String) -> Self {
        Self { what, ..Self::default() }
    }

    fn shortage(fault: Fault) -> Self {
        Self { is_shortage: true, ..Self::new(fault.sentence().to_owned(), fault.advice()) }
    }

    fn suspended(what: String) -> Self {
        Self { advice: (", so ", AGAIN.to_owned()), ..Self::bare(what) }
    }

    /// One of [`strain`], as it was said.
    pub(super) fn of_strain(said: &str) -> Self {
        let of_generator = |fault: &&Fault| fault.kind() == FailureKind::Generator;
        let shortages = Fault::ALL.iter().filter(of_generator).copied().map(Self::shortage);
        let others = [Self::new(String::new(), FEWER), Self::suspended(String::new())];
        let mut other = others.into_iter().filter_map(|kind| {
            let (leads, advice) = &kind.advice;
            let what = said.strip_suffix(&**advice)?.strip_suffix(leads)?.to_owned();
            Some(Self { what, ..kind })
        });
        let mut shortages = shortages.filter(|reason| reason.to_string() == said);
        shortages.next().or_else(|| other.next()).unwrap_or_else(|| Self::bare(said.to_owned()))
    }

    /// What has to be given to the generator.
    pub(super) fn lacks(&self) -> Option<&str> {
        self.is_shortage.then_some(&self.advice.1)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (leads, advice) = &self.advice;
        write!(f, "{}{leads}{advice}", self.what)
    }
}

/// What speaks against the figures.
#[derive(Default)]
struct Doubts {
    invalid: Vec<Reason>,
    suspect: Vec<Reason>,
}

/// Looks for what makes a run untrustworthy: counts that do not add up (law 4), users or workers `lost`
/// to a bug, a generator that was late, or short of descriptors, ports, processor or memory, and records
/// that are `cut_off`.
///
/// Arrivals that waited for a user or were dropped are no reason: the target was too slow for them.
#[must_use]
pub fn validity(summary: &Summary, lost: u64, cut_off: usize) -> Validity {
    let mut doubts = Doubts::default();
    doubts.cut_off(summary, cut_off);
    doubts.counts(summary, lost);
    doubts.of_generator(summary);
    doubts.validity()
}

/// That of a search. Each of its looks was held to [`strain`] by itself, and what came between them is in no
/// answer: a generator that was late there is no reason to doubt more than the figures of the whole.
#[must_use]
pub fn validity_of_search(summary: &Summary, lost: u64, cut_off: usize) -> Validity {
    let mut doubts = Doubts::default();
    doubts.cut_off(summary, cut_off);
    doubts.counts(summary, lost);
    let (late, somewhat) = of_generator(summary);
    doubts.suspect.extend(late.into_iter().chain(somewhat));
    doubts.validity()
}

/// Of these reasons those that are of the generator: what makes the run invalid, and what suspect.
pub(super) fn of_generator(summary: &Summary) -> (Vec<Reason>, Vec<Reason>) {
    let mut doubts = Doubts::default();
    doubts.of_generator(summary);
    (doubts.invalid, doubts.suspect)
}

/// What keeps this part of a run from saying anything of the target: the generator was late, suspended, or
/// short of descriptors or ports. What was under way at its ends is no matter.
#[must_use]
pub fn strain(part: &Summary) -> Vec<String> {
    let mut doubts = Doubts::default();
    doubts.shortages(part);
    doubts.lateness(&part.totals, part.all().response().quantile_ms(0.5));
    doubts.health(&part.totals.health, part.totals.stall_us);
    doubts.invalid.iter().map(Reason::to_string).collect()
}

impl Doubts {
    fn validity(self) -> Validity {
        let Self { invalid, suspect } = self;
        let said = |reasons: &[&[Reason]]| reasons.concat().iter().map(Reason::to_string).collect();
        match (invalid.is_empty(), suspect.is_empty()) {
            (true, true) => Validity::Valid,
            (true, false) => Validity::Suspect(said(&[&suspect])),
            (false, _) => Validity::Invalid(said(&[&invalid, &suspect])),
        }
    }

    fn of_generator(&mut self, summary: &Summary) {
        self.shortages(summary);
        self.lateness(&summary.totals, summary.all().response().quantile_ms(0.5));
        self.health(&summary.totals.health, summary.totals.stall_us);
    }

    fn cut_off(&mut self, summary: &Summary, cut_off: usize) {
        let at = format_duration(Duration::from_secs(summary.duration.as_secs()));
        match cut_off {
            0 => {}
            1 => self.invalid.push(Reason::bare(format!(
                "the record stops at {at} without an end: the run was killed, or still goes on"
            ))),
            n => self.invalid.push(Reason::bare(format!(
                "{n} records stop without an end, the last at {at}: their runs were killed, or still go on"
            ))),
        }
    }

    fn counts(&mut self, summary: &Summary, lost: u64) {
        let totals = &summary.totals;
        let unaccounted = summary.unaccounted();
        if unaccounted != 0 {
            self.invalid.push(Reason::bare(format!(
                "the counts do not add up: {unaccounted} of {} requests have no end; this is a bug in throng",
                totals.issued
            )));
        }
        // What began may have come in the warm-up, so it can be more.
        let begun = totals.waited.count() + totals.beat_late.count();
        let gone = begun + totals.dropped + totals.left_out + summary.waiting;
        let unbegun = totals.arrivals.saturating_sub(gone);
        if unbegun > 0 {
            self.invalid.push(Reason::bare(format!(
                "the arrivals do not add up: {unbegun} of {} neither began nor were dropped; this is a bug in throng",
                totals.arrivals
            )));
        }
        if lost > 0 {
            self.invalid.push(Reason::bare(format!(
                "{lost} users or workers stopped in the middle; this is a bug in throng"
            )));
        }
    }

    fn shortages(&mut self, summary: &Summary) {
        for row in summary.failures() {
            if let Failure::Fault(fault) = row.failure
                && fault.kind() == FailureKind::Generator
            {
                let reason = Reason::shortage(fault);
                if !self.invalid.contains(&reason) {
                    self.invalid.push(reason);
                }
            }
        }
    }

    fn lateness(&mut self, totals: &Interval, median: Option<f64>) {
        let late = &totals.beat_late;
        let what = match totals.arrivals {
            0 => "paced iterations",
            arrivals if late.count() > arrivals => "arrivals and paced iterations",
            _ => "arrivals",
        };
        if late.count() < BEATS {
            let latest = late.max_ms().filter(|ms| *ms > median.unwrap_or(0.0).max(ABSURD_MS));
            if let Some(latest) = latest {
                let latest = time(latest);
                let what = match late.count() {
                    1 => format!("the only {} began {latest} late", what.trim_end_matches('s')),
                    count => format!("the latest of {count} {what} began {latest} late"),
                };
                self.suspect.push(Reason::new(what, FEWER));
            }
            return;
        }
        let Some(p99) = late.quantile_ms(0.99) else { return };
        let passes = |(least, share): (f64, f64)| p99 > least.max(share * median.unwrap_or(0.0));
        let (limit, found) = if passes(LATE) {
            (LATE, &mut self.invalid)
        } else if passes(LATE_SOMEWHAT) {
            (LATE_SOMEWHAT, &mut self.suspect)
        } else {
            return;
        };
        let (least, share) = limit;
        let limit = match median {
            Some(median) if share * median > least => {
                format!("{:.0}% of the median response of {}", share * 1e2, time(median))
            }
            Some(median) => format!("{least}ms beside a median response of {}", time(median)),
            None => format!("{least}ms"),
        };
        let what = format!("{what} began up to {} late (p99), more than {limit}", time(p99));
        found.push(Reason::new(what, FEWER));
    }

    fn health(&mut self, health: &Health, stall_us: Option<u64>) {
        let suspended = health.suspended_ms.filter(|ms| *ms > SUSPENDED_MS);
        if let Some(ms) = suspended {
            self.invalid.push(Reason::suspended(format!(
                "the process was suspended for {}: what was under way looks slower by that",
                time(ms as f64)
            )));
        }
        if let Some(machine) = health.machine
            && is_often(health.full_s, machine.seconds)
        {
            self.suspect.push(Reason::new(
                format!(
                    "the processors of this machine were 90% busy or more in {} of {} seconds",
                    health.full_s, machine.seconds
                ),
                "run fewer users, or give throng a machine of its own",
            ));
        }
        if let Some(held) = health.throttled
            && (is_often(held.seconds, held.of_s) || is_long(held.us, held.of_s))
        {
            self.suspect.push(Reason::new(
                format!(
                    "the processor limit of this container held throng back in {} of {} seconds, {} in all",
                    held.seconds,
                    held.of_s,
                    time(held.us as f64 / 1e3)
                ),
                "raise it, or run fewer users",
            ));
        }
        if let Some(left) = health.available
            && is_often(health.short_s, left.seconds)
        {
            self.suspect.push(Reason::new(
                format!(
                    "this machine was short of memory in {} of {} seconds, with {} MiB left",
                    health.short_s,
                    left.seconds,
                    left.least >> 20
                ),
                "run fewer users, or on a larger one",
            ));
        }
        // What suspends the process makes its workers stand still.
        if let Some(us) = stall_us.filter(|us| *us > STALL_US && suspended.is_none()) {
            self.suspect.push(Reason::new(
                format!(
                    "a worker stood still for {}, and its users with it",
                    time(us as f64 / 1e3)
                ),
                "run fewer users, or on a quieter machine",
            ));
        }
    }
}

/// In more than a tenth of the seconds.
fn is_often(seconds: u64, of: u64) -> bool {
    seconds >= SECONDS && seconds * 10 > of
}

/// A second in all, and more than a hundredth of the time.
fn is_long(us: u64, of_s: u64) -> bool {
    us >= 1_000_000 && us > of_s * 10_000
}

/// A time of so many milliseconds: `0.42ms`, `7.2ms`, `120ms`, `3.1s`.
fn time(ms: f64) -> String {
    match ms {
        ..0.995 => format!("{ms:.2}ms"),
        ..9.95 => format!("{ms:.1}ms"),
        ..999.5 => format!("{ms:.0}ms"),
        _ => format!("{:.1}s", ms / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Catalogue, Level, RequestName, Seen, Throttled};
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn summary(change: impl FnOnce(&mut Interval)) -> Summary {
        let name = RequestName { method: "GET".into(), name: "/".into() };
        let mut summary = Summary::new(Catalogue { names: vec![name], ..Catalogue::default() });
        let mut interval = Interval::second(0);
        change(&mut interval);
        summary.add(&interval);
        summary
    }

    fn judged(change: impl FnOnce(&mut Interval)) -> (&'static str, Vec<String>) {
        let validity = validity(&summary(change), 0, 0);
        (validity.word(), validity.reasons().to_vec())
    }

    #[test]
    fn what_strained_a_search_is_known_apart_from_its_advice() {
        let strain = |change: fn(&mut Interval)| {
            let said = strain(&summary(change)).remove(0);
            let reason = Reason::of_strain(&said);
            assert_eq!(reason.to_string(), said);
            (reason.what.clone(), reason.lacks().map(str::to_owned))
        };
        let late = |interval: &mut Interval| {
            (0..200).for_each(|_| interval.beat_late.record(MS(900)));
        };
        let short = |interval: &mut Interval| {
            let seen = Seen { count: 1, first_ms: 0, last_ms: 0, ..Seen::default() };
            let failures = &mut interval.names.entry(0).or_default().failures;
            failures.push((Failure::Fault(Fault::LocalFiles), seen));
        };
        let suspended = |interval: &mut Interval| interval.health.suspended_ms = Some(3100);
        let late_by = "paced iterations began up to 900ms late (p99), more than 5ms";
        assert_eq!(strain(late), (late_by.into(), None));
        let limit = "raise the limit (`ulimit -n`) or run fewer users".to_owned();
        assert_eq!(strain(short), ("no file descriptors left".into(), Some(limit)));
        let slower = "the process was suspended for 3.1s: what was under way looks slower by that";
        assert_eq!(strain(suspended), (slower.into(), None));
        let other = Reason::of_strain("what an older version said: do this");
        assert_eq!(other, Reason::bare("what an older version said: do this".into()));
    }

    fn valid() -> (&'static str, Vec<String>) {
        ("VALID", Vec::new())
    }

    fn one(word: &'static str, reason: &str) -> (&'static str, Vec<String>) {
        (word, vec![reason.to_owned()])
    }

    #[test]
    fn a_search_is_not_doubted_for_what_lay_between_its_looks() {
        let mut interval = Interval::second(0);
        (0..200).for_each(|_| interval.beat_late.record(Duration::from_millis(900)));
        let mut summary = Summary::new(Catalogue::default());
        summary.add(&interval);
        assert!(validity(&summary, 0, 0).is_invalid());
        let searched = validity_of_search(&summary, 0, 0);
        assert!(
            matches!(&searched, Validity::Suspect(reasons) if reasons.len() == 1),
            "{searched:?}"
        );
        assert!(validity_of_search(&summary, 1, 0).is_invalid());
    }

    /// Law 4: requests issued = succeeded + failed + cancelled.
    #[test]
    fn law_4_is_checked_in_every_run() {
        assert_eq!(validity(&summary(|_| {}), 0, 0), Validity::Valid);
        assert_eq!(
            judged(|interval| interval.issued = 1),
            one(
                "INVALID",
                "the counts do not add up: 1 of 1 requests have no end; this is a bug in throng"
            )
        );
        let cancelled = |interval: &mut Interval| (interval.issued, interval.cancelled) = (1, 1);
        assert_eq!(judged(cancelled), valid());
        assert_eq!(
            validity(&summary(|_| {}), 2, 0),
            Validity::Invalid(vec![
                "2 users or workers stopped in the middle; this is a bug in throng".into()
            ])
        );
    }

    #[test]
    fn what_arrives_begins_or_is_dropped_or_left_out() {
        let open = |arrivals: u64| {
            judged(|interval| {
                interval.arrivals = arrivals;
                (interval.dropped, interval.left_out) = (3, 2);
                (0..4).for_each(|_| interval.waited.record(MS(90)));
                interval.beat_late.record(MS(0));
            })
        };
        assert_eq!((open(10), open(8)), (valid(), valid()));
        assert_eq!(
            open(12),
            one(
                "INVALID",
                "the arrivals do not add up: 2 of 12 neither began nor were dropped; this is a bug in throng"
            )
        );
    }

    #[test]
    fn a_generator_without_sockets_is_not_trusted() {
        let starved = judged(|interval| {
            interval.issued = 2;
            let stats = interval.names.entry(0).or_default();
            for fault in [Fault::LocalFiles, Fault::LocalPorts] {
                stats.response_failed.record(MS(1));
                let seen = Seen { count: 1, first_ms: 0, last_ms: 0, ..Seen::default() };
                stats.failures.push((Failure::Fault(fault), seen));
            }
        });
        assert_eq!(
            starved,
            (
                "INVALID",
                vec![
                    "no file descriptors left: raise the limit (`ulimit -n`) or run fewer users".into(),
                    "no local ports left: too many connections to one address: write `source_addresses`, run fewer users, or see why the server closes them".into(),
                ]
            )
        );
    }

    /// So many beats, all this late; answers take as long as is said.
    fn beats(count: u64, late_us: u64, median: Option<u64>) -> impl FnOnce(&mut Interval) {
        move |interval| {
            (0..count).for_each(|_| interval.beat_late.record(Duration::from_micros(late_us)));
            if let Some(ms) = median {
                interval.issued = 1;
                interval.names.entry(0).or_default().response_ok.record(MS(ms));
            }
        }
    }

    #[test]
    fn lateness_is_held_against_a_limit_and_against_the_median_response() {
        let late = |us, median| judged(beats(1000, us, median)).0;
        assert_eq!(late(990, Some(3)), "VALID", "below a millisecond");
        assert_eq!(late(1010, Some(3)), "SUSPECT");
        assert_eq!(late(1900, Some(40)), "VALID", "a twentieth of 40ms is 2ms");
        assert_eq!(late(2100, Some(40)), "SUSPECT");
        assert_eq!(late(4900, Some(3)), "SUSPECT", "below 5ms");
        assert_eq!(late(5100, Some(3)), "INVALID");
        assert_eq!(late(19_000, Some(100)), "SUSPECT", "a fifth of 100ms is 20ms");
        assert_eq!(late(21_000, Some(100)), "INVALID");
        assert_eq!(late(6000, None), "INVALID", "nothing ended");
    }

    #[test]
    fn what_began_late_is_said_with_what_to_do() {
        let arrivals = judged(|interval| {
            beats(200, 7200, Some(12))(interval);
            interval.arrivals = 200;
        });
        assert_eq!(
            arrivals,
            one(
                "INVALID",
                "arrivals began up to 7.2ms late (p99), more than 5ms beside a median response of 12ms: run fewer per machine, or on a quieter one"
            )
        );
        assert_eq!(
            judged(beats(200, 1400, Some(12))),
            one(
                "SUSPECT",
                "paced iterations began up to 1.4ms late (p99), more than 1ms beside a median response of 12ms: run fewer per machine, or on a quieter one"
            )
        );
        assert_eq!(
            judged(beats(200, 31_000, Some(120))),
            one(
                "INVALID",
                "paced iterations began up to 31ms late (p99), more than 20% of the median response of 120ms: run fewer per machine, or on a quieter one"
            )
        );
        let both = judged(|interval| {
            beats(300, 1400, None)(interval);
            interval.arrivals = 200;
        });
        assert_eq!(
            both,
            one(
                "SUSPECT",
                "arrivals and paced iterations began up to 1.4ms late (p99), more than 1ms: run fewer per machine, or on a quieter one"
            )
        );
    }

    #[test]
    fn of_a_few_beats_only_an_absurd_one_says_something() {
        assert_eq!(judged(beats(5, 400_000, Some(2))), valid());
        assert_eq!(judged(beats(99, 990_000, Some(2))), valid());
        assert_eq!(judged(beats(5, 1_300_000, Some(1500))), valid(), "answers take longer");
        assert_eq!(
            judged(beats(5, 1_300_000, Some(2))),
            one(
                "SUSPECT",
                "the latest of 5 paced iterations began 1.3s late: run fewer per machine, or on a quieter one"
            )
        );
        assert_eq!(
            judged(beats(1, 1_300_000, None)),
            one(
                "SUSPECT",
                "the only paced iteration began 1.3s late: run fewer per machine, or on a quieter one"
            )
        );
    }

    /// The target is too slow for what arrives: that is what a load test is to find.
    #[test]
    fn arrivals_that_wait_or_are_dropped_are_no_reason() {
        let slow = judged(|interval| {
            (interval.arrivals, interval.dropped) = (1000, 800);
            (0..200).for_each(|_| interval.waited.record(MS(30_000)));
        });
        assert_eq!(slow, valid());
    }

    fn health(health: Health) -> (&'static str, Vec<String>) {
        judged(|interval| interval.health = health)
    }

    #[test]
    fn a_machine_that_was_full_is_suspect() {
        let full = |full_s, seconds| {
            let machine = Some(Level::over(950, seconds));
            health(Health { machine, full_s, ..Health::default() })
        };
        assert_eq!(full(2, 2), valid(), "it is short");
        assert_eq!(full(6, 60), valid(), "a tenth");
        assert_eq!(
            full(7, 60),
            one(
                "SUSPECT",
                "the processors of this machine were 90% busy or more in 7 of 60 seconds: run fewer users, or give throng a machine of its own"
            )
        );
    }

    #[test]
    fn a_limit_that_held_it_back_is_suspect() {
        let held = |seconds, of_s, ms: u64| {
            let throttled = Some(Throttled { of_s, seconds, times: seconds * 5, us: ms * 1000 });
            health(Health { throttled, ..Health::default() })
        };
        assert_eq!((held(0, 60, 0), held(6, 60, 500)), (valid(), valid()));
        assert_eq!(
            held(7, 60, 80),
            one(
                "SUSPECT",
                "the processor limit of this container held throng back in 7 of 60 seconds, 80ms in all: raise it, or run fewer users"
            )
        );
        assert_eq!(held(2, 60, 1200).0, "SUSPECT", "seldom, but for a fiftieth of the time");
        assert_eq!(held(2, 600, 1200), valid());
    }

    #[test]
    fn a_machine_short_of_memory_is_suspect() {
        let short = |short_s| {
            let available = Some(Level::over(410 << 20, 20));
            health(Health { available, short_s, ..Health::default() })
        };
        assert_eq!(short(2), valid());
        assert_eq!(
            short(5),
            one(
                "SUSPECT",
                "this machine was short of memory in 5 of 20 seconds, with 410 MiB left: run fewer users, or on a larger one"
            )
        );
    }

    #[test]
    fn a_run_that_was_suspended_is_invalid_and_a_worker_that_stood_still_suspect() {
        let suspended = |ms| Health { suspended_ms: Some(ms), ..Health::default() };
        assert_eq!(health(suspended(1000)), valid());
        let want = "the process was suspended for 3.1s: what was under way looks slower by that, so run it again";
        let stood = |ms: u64, us: u64| {
            judged(|interval| (interval.health, interval.stall_us) = (suspended(ms), Some(us)))
        };
        assert_eq!(stood(3100, 3_100_000), one("INVALID", want), "said once");
        assert_eq!(stood(0, 1_000_000), valid());
        assert_eq!(
            stood(0, 2_400_000),
            one(
                "SUSPECT",
                "a worker stood still for 2.4s, and its users with it: run fewer users, or on a quieter machine"
            )
        );
    }

    #[test]
    fn what_is_only_suspect_stands_behind_what_is_invalid() {
        let both = judged(|interval| {
            beats(200, 9000, Some(12))(interval);
            let machine = Some(Level::over(990, 10));
            interval.health = Health { machine, full_s: 10, ..Health::default() };
        });
        assert_eq!(both.0, "INVALID");
        let begins = |text: &str| both.1.iter().position(|reason| reason.starts_with(text));
        assert_eq!(
            [begins("paced iterations began"), begins("the processors of this machine")],
            [Some(0), Some(1)]
        );
    }

    #[test]
    fn what_is_not_told_speaks_against_nothing() {
        assert_eq!(health(Health::default()), valid());
        assert!(!validity(&summary(|_| {}), 0, 0).is_invalid());
    }
}
