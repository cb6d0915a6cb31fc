//! Owns the timer of a worker: the runtime's up to shortly before, then one of the kernel's.
//!
//! The runtime's timer counts whole milliseconds and fires 1.1 to 1.7 ms late, which is nothing to a
//! user that thinks, and too much for an arrival. So the last milliseconds are left to a `timerfd`.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// So long before the time the runtime's timer hands over: more than it is ever late on an idle core.
const FINE: Duration = Duration::from_micros(2500);

/// The timer of a worker, for one that waits.
#[derive(Debug, Default)]
pub(super) struct Beat {
    alarm: Option<Alarm>,
    /// What the alarm is set for.
    set: Cell<Option<Instant>>,
}

impl Beat {
    /// With a timer of the kernel's; the runtime's alone where the system has none.
    pub(super) fn fine() -> Self {
        Self { alarm: Alarm::new(), set: Cell::new(None) }
    }

    /// It is better than the runtime's.
    pub(super) fn is_fine(&self) -> bool {
        self.alarm.is_some()
    }

    /// Waits until `at`. Only one may wait.
    pub(super) async fn sleep_until(&self, at: Instant) {
        let Some(alarm) = &self.alarm else {
            return tokio::time::sleep_until(at).await;
        };
        if let Some(coarse) = at.checked_sub(FINE).filter(|coarse| *coarse > Instant::now()) {
            tokio::time::sleep_until(coarse).await;
        }
        poll_fn(|context| {
            loop {
                let now = Instant::now();
                if now >= at {
                    return Poll::Ready(());
                }
                if self.set.replace(Some(at)) != Some(at) {
                    alarm.set(at - now);
                }
                if alarm.poll_rang(context).is_pending() {
                    return Poll::Pending;
                }
                // It rang for what was set before, or a moment too early.
                self.set.set(None);
            }
        })
        .await;
    }
}

#[cfg(target_os = "linux")]
mod alarm {
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of the kernel's.
    #[derive(Debug)]
    pub(super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        /// None when the process has no descriptor left for it.
        #[expect(
            deprecated,
            reason = "its successor is unsafe for types that may lie: this one owns"
        )]
        pub(super) fn new() -> Option<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
            AsyncFd::with_interest(timer, Interest::READABLE).ok().map(Self)
        }

        /// Rings after `left`, which is not nothing, and no longer when it was set for before.
        pub(super) fn set(&self, left: Duration) {
            let value =
                Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos() as _ };
            let once =
                Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            // It fails for values that are no time, and for what is no timer.
            let _ = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once);
        }

        /// It rang since the last time. What it counts is not read: setting it anew clears that.
        pub(super) fn poll_rang(&self, context: &mut Context<'_>) -> Poll<()> {
            match self.0.poll_read_ready(context) {
                Poll::Ready(Ok(mut ready)) => {
                    ready.clear_ready();
                    Poll::Ready(())
                }
                Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod alarm {
    use std::task::{Context, Poll};
    use std::time::Duration;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Alarm {}

    impl Alarm {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn set(&self, _: Duration) {
            match *self {}
        }

        pub(super) fn poll_rang(&self, _: &mut Context<'_>) -> Poll<()> {
            match *self {}
        }
    }
}

use alarm::Alarm;

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::runtime::{Builder, LocalOptions};

    fn local<T>(run: impl Future<Output = T>) -> T {
        let runtime =
            Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        runtime.expect("a runtime can be made").block_on(run)
    }

    /// How late it is depends on the machine; that it is never early and never lost does not.
    #[test]
    fn it_is_never_early_and_never_lost_however_often_it_is_set() {
        local(async {
            let beat = Beat::fine();
            assert_eq!(beat.is_fine(), cfg!(target_os = "linux"));
            let start = Instant::now();
            for number in 0..200u64 {
                // Some have passed, some come twice.
                let at = start + Duration::from_micros(number / 2 * 137);
                // One that is given up must not stand for the next.
                let given_up = beat.sleep_until(at + Duration::from_millis(1));
                let _ = tokio::time::timeout(Duration::ZERO, given_up).await;
                beat.sleep_until(at).await;
                assert!(Instant::now() >= at);
            }
        });
    }

    /// Under a paused clock the kernel's timers would run on.
    #[tokio::test(start_paused = true)]
    async fn the_default_is_the_runtimes_own() {
        let start = Instant::now();
        Beat::default().sleep_until(start + Duration::from_secs(3600)).await;
        assert!(start.elapsed() >= Duration::from_secs(3600));
    }
}
