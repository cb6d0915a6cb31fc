//! Owns looking at the generator itself: where its figures come from, and what two readings of them say.

use std::time::Duration;

use crate::metrics::{Health, Level, Throttled};

/// What is shorter is no share of anything: the system counts in hundredths of a second.
const SHARE: Duration = Duration::from_millis(500);

/// What is shorter is no suspension: timers are late, and clocks are not read at one moment.
const SUSPENSION: Duration = Duration::from_millis(500);

/// What the system tells at one moment. Times and counts are since some moment that does not change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// When it is, by the clock that timers go by. It stands still while the machine sleeps.
    pub at: Duration,
    /// The same by a clock that does not.
    pub with_sleep: Option<Duration>,
    /// How long the thread that reads has waited for a processor.
    pub queued: Option<Duration>,
    /// Processor time that this process has used.
    pub process: Option<Duration>,
    /// Processors that it may use.
    pub cores: Option<u64>,
    /// Time of the machine's processors.
    pub machine: Option<Ticks>,
    /// Open descriptors, and how many may be.
    pub files: Option<u64>,
    /// How many may be.
    pub files_limit: Option<u64>,
    /// TCP sockets, with those that only wait for their port to be free.
    pub sockets: Option<u64>,
    /// Local ports that connections are given.
    pub ports: Option<u64>,
    /// Bytes of memory of this process.
    pub memory: Option<u64>,
    /// Bytes of memory that are left on the machine.
    pub available: Option<u64>,
    /// All of its bytes.
    pub memory_total: Option<u64>,
    /// How often the limit of a container held the process back, and for how long.
    pub throttled: Option<(u64, Duration)>,
}

/// Time of all processors together, in a unit of the system's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    /// All of it.
    pub all: u64,
    /// What they had nothing to do for.
    pub idle: u64,
    /// What the machine below this one kept for others.
    pub stolen: Option<u64>,
}

/// Tells how the process and its machine are.
pub trait Source {
    /// All that it tells now.
    fn read(&mut self) -> Reading;
}

/// Makes figures of what a source tells.
pub struct Gauge {
    source: Box<dyn Source>,
    last: Reading,
}

impl Gauge {
    /// From now on.
    #[must_use]
    pub fn new(mut source: Box<dyn Source>) -> Self {
        let last = source.read();
        Self { source, last }
    }

    /// How the generator fared since the last time. The thread that reads has `overslept` so long,
    /// though it had nothing else to do.
    pub fn read(&mut self, overslept: Duration) -> Health {
        let now = self.source.read();
        let last = std::mem::replace(&mut self.last, now);
        between(&last, &now, overslept)
    }
}

/// What two readings say of the time between them.
fn between(before: &Reading, now: &Reading, overslept: Duration) -> Health {
    let gone = now.at.saturating_sub(before.at);
    let seconds = (gone.as_secs_f64().round() as u64).max(1);
    let level = |value: u64| Level::over(value, seconds);
    let is_share = gone >= SHARE;
    let machine = both(before.machine, now.machine).filter(|_| is_share);
    let shares = machine.and_then(|(before, now)| shares(before, now));
    let process = both(before.process, now.process).filter(|_| is_share);
    let health = Health {
        cores: now.cores,
        process: process.map(|(before, now)| {
            let used = now.saturating_sub(before).as_secs_f64() / gone.as_secs_f64();
            level((used * 1e3).round() as u64)
        }),
        machine: shares.map(|(busy, _)| level(busy)),
        full_s: 0,
        stolen: shares.and_then(|(_, stolen)| stolen).map(level),
        files: now.files.map(level),
        files_limit: now.files_limit,
        sockets: now.sockets.map(level),
        ports: now.ports,
        memory: now.memory.map(level),
        available: now.available.map(level),
        memory_total: now.memory_total,
        short_s: 0,
        throttled: both(before.throttled, now.throttled).map(|(before, now)| {
            let times = now.0.saturating_sub(before.0);
            let us = now.1.saturating_sub(before.1).as_micros() as u64;
            Throttled { of_s: seconds, seconds: if times > 0 { seconds } else { 0 }, times, us }
        }),
        suspended_ms: suspended(before, now, overslept).map(|time| time.as_millis() as u64),
    };
    health.counted(seconds)
}

/// How much of their time the processors were busy, and how much of it was stolen, in thousandths.
fn shares(before: Ticks, now: Ticks) -> Option<(u64, Option<u64>)> {
    let all = now.all.saturating_sub(before.all);
    let thousandths = |part: u64| (part * 1000 + all / 2).checked_div(all).map(|n| n.min(1000));
    let idle = thousandths(now.idle.saturating_sub(before.idle))?;
    let stolen = both(before.stolen, now.stolen);
    let stolen = stolen.and_then(|(before, now)| thousandths(now.saturating_sub(before)));
    Some((1000 - idle, stolen))
}

/// How long the process was not run, whatever the machine had to do: the machine slept, or the process
/// was stopped. One that is stopped does not wait for a processor; one on a busy machine does.
fn suspended(before: &Reading, now: &Reading, overslept: Duration) -> Option<Duration> {
    let gone = now.at.saturating_sub(before.at);
    let slept = both(before.with_sleep, now.with_sleep)
        .map(|(before, now)| now.saturating_sub(before).saturating_sub(gone));
    let stopped = both(before.queued, now.queued)
        .map(|(before, now)| overslept.saturating_sub(now.saturating_sub(before)));
    let noticed = |time: Duration| if time >= SUSPENSION { time } else { Duration::ZERO };
    match (slept, stopped) {
        (None, None) => None,
        (slept, stopped) => Some([slept, stopped].into_iter().flatten().map(noticed).sum()),
    }
}

fn both<T>(before: Option<T>, now: Option<T>) -> Option<(T, T)> {
    before.zip(now)
}

/// What this system tells.
#[must_use]
pub fn system() -> Box<dyn Source> {
    Box::new(system::System::new())
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Reading, Source};

    /// Nothing is known of it.
    pub(super) struct System;

    impl System {
        pub(super) fn new() -> Self {
            Self
        }
    }

    impl Source for System {
        fn read(&mut self) -> Reading {
            Reading::default()
        }
    }
}

#[cfg(target_os = "linux")]
#[path = "health_linux.rs"]
mod system;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// All is told.
    fn reading(at: Duration) -> Reading {
        Reading {
            at,
            with_sleep: Some(at + MS(70_000)),
            queued: Some(MS(5)),
            process: Some(MS(300)),
            cores: Some(2),
            machine: Some(Ticks { all: 10_000, idle: 4000, stolen: Some(30) }),
            files: Some(70),
            files_limit: Some(1024),
            sockets: Some(64),
            ports: Some(28_232),
            memory: Some(20 << 20),
            available: Some(3 << 30),
            memory_total: Some(4 << 30),
            throttled: Some((3, MS(40))),
        }
    }

    #[test]
    fn two_readings_say_what_was_between_them() {
        let before = reading(MS(10_000));
        let now = Reading {
            process: Some(MS(1800)),
            machine: Some(Ticks { all: 10_400, idle: 4030, stolen: Some(34) }),
            throttled: Some((5, MS(90))),
            files: Some(90),
            ..reading(MS(12_000))
        };
        let over = |value| Some(Level::over(value, 2));
        assert_eq!(
            between(&before, &now, Duration::ZERO),
            Health {
                cores: Some(2),
                process: over(750),
                machine: over(925),
                full_s: 2,
                stolen: over(10),
                files: over(90),
                files_limit: Some(1024),
                sockets: over(64),
                ports: Some(28_232),
                memory: over(20 << 20),
                available: over(3 << 30),
                memory_total: Some(4 << 30),
                short_s: 0,
                throttled: Some(Throttled { of_s: 2, seconds: 2, times: 2, us: 50_000 }),
                suspended_ms: Some(0),
            }
        );
    }

    #[test]
    fn what_is_not_told_is_absent() {
        let at = |ms| Reading { at: MS(ms), ..Reading::default() };
        assert!(between(&at(0), &at(1000), MS(900)).is_empty());
        // Told from now on: there is nothing to compare it with.
        let now = between(&at(0), &reading(MS(1000)), Duration::ZERO);
        assert_eq!((now.process, now.machine, now.throttled, now.suspended_ms), Default::default());
        assert_eq!(now.files, Some(Level::over(70, 1)));
        // A system that does not count the time of its processors.
        let none = Reading { machine: Some(Ticks::default()), ..reading(MS(0)) };
        assert_eq!(between(&none, &Reading { at: MS(1000), ..none }, MS(0)).machine, None);
    }

    #[test]
    fn a_moment_is_no_share_of_anything() {
        let now = between(&reading(MS(0)), &reading(MS(499)), Duration::ZERO);
        assert_eq!((now.process, now.machine, now.stolen), (None, None, None));
        assert_eq!(now.memory, Some(Level::over(20 << 20, 1)));
    }

    #[test]
    fn a_stopped_process_waits_for_no_processor_and_a_busy_machine_lets_it_wait() {
        let before = reading(MS(0));
        let suspended = |with_sleep: u64, queued: u64, overslept: u64| {
            let now = Reading {
                with_sleep: Some(MS(71_000 + with_sleep)),
                queued: Some(MS(5 + queued)),
                ..reading(MS(1000))
            };
            between(&before, &now, MS(overslept)).suspended_ms
        };
        assert_eq!(suspended(0, 0, 2), Some(0), "a timer's own lateness");
        assert_eq!(suspended(0, 20, 3000), Some(2980), "stopped");
        assert_eq!(suspended(0, 2980, 3000), Some(0), "the machine was busy");
        assert_eq!(suspended(90_000, 0, 0), Some(90_000), "the machine slept");
        let blind = |reading: Reading| Reading { queued: None, ..reading };
        let now = between(&blind(before), &blind(reading(MS(1000))), MS(3000));
        assert_eq!(now.suspended_ms, Some(0), "it cannot be told");
    }

    /// Whatever this machine tells, it can be made figures of.
    #[test]
    fn this_system_is_read() {
        let mut gauge = Gauge::new(system());
        let health = gauge.read(Duration::ZERO);
        if cfg!(target_os = "linux") {
            let memory = health.memory.expect("a process knows its memory");
            assert!(memory.most > 1 << 20, "{memory:?}");
            assert!(health.files.is_some_and(|files| files.least > 2), "{health:?}");
            assert!(health.memory_total.is_some_and(|all| all > memory.most), "{health:?}");
        }
        assert_eq!(health.machine, None, "no time went by");
    }
}
