//! Owns the timer for what is due on a beat: the runtime's up to shortly before, then one of the kernel's.
//!
//! The runtime's timer counts whole milliseconds and fires 1.1 to 1.7 ms late, which is nothing to a
//! user that thinks, and too much for an arrival. So the last milliseconds are left to a `timerfd`,
//! which is set for the earliest of those that wait.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// So long before it is due the runtime's timer hands over: more than it is ever late on an idle core.
const FINE: Duration = Duration::from_micros(2500);

/// The timer of a worker.
#[derive(Clone, Default)]
pub(super) struct Beat(Option<Rc<Fine>>);

struct Fine {
    alarm: Alarm,
    /// Those that wait, the earliest first.
    waiting: RefCell<BinaryHeap<Reverse<Waiting>>>,
    /// What the alarm is set for.
    set: Cell<Option<Instant>>,
    driver: RefCell<Option<Waker>>,
}

/// One that waits. Its waker is in its cell as long as it does.
struct Waiting {
    at: Instant,
    waker: Rc<Cell<Option<Waker>>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Beat {
    /// The timer of the current worker, and what drives it: a future that never ends. Where the system
    /// has no such timer, the runtime's stands in, a millisecond late.
    pub(super) fn fine() -> (Self, Option<impl Future<Output = ()> + 'static>) {
        let fine = Alarm::new().map(|alarm| {
            Rc::new(Fine {
                alarm,
                waiting: RefCell::default(),
                set: Cell::new(None),
                driver: RefCell::new(None),
            })
        });
        let driver = fine.clone().map(|fine| poll_fn(move |context| fine.drive(context)));
        (Self(fine), driver)
    }

    /// Waits until `at`.
    pub(super) async fn sleep_until(&self, at: Instant) {
        let Some(fine) = &self.0 else {
            return tokio::time::sleep_until(at).await;
        };
        if let Some(coarse) = at.checked_sub(FINE).filter(|coarse| *coarse > Instant::now()) {
            tokio::time::sleep_until(coarse).await;
        }
        let mut cell: Option<Rc<Cell<Option<Waker>>>> = None;
        poll_fn(|context| {
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            match &cell {
                // Woken by something else meanwhile.
                Some(waker) => waker.set(Some(context.waker().clone())),
                None => {
                    let waker = Rc::new(Cell::new(Some(context.waker().clone())));
                    cell = Some(waker.clone());
                    fine.enter(Waiting { at, waker });
                }
            }
            Poll::Pending
        })
        .await;
    }
}

impl Fine {
    fn enter(&self, waiting: Waiting) {
        let earlier = self.set.get().is_none_or(|set| waiting.at < set);
        let at = waiting.at;
        self.waiting.borrow_mut().push(Reverse(waiting));
        if earlier {
            self.set.set(Some(at));
            self.alarm.set(at);
            if let Some(driver) = self.driver.borrow().as_ref() {
                driver.wake_by_ref();
            }
        }
    }

    /// Wakes those that are due, and sets the alarm for the next.
    fn drive(&self, context: &mut Context<'_>) -> Poll<()> {
        *self.driver.borrow_mut() = Some(context.waker().clone());
        while self.alarm.poll_rang(context).is_ready() {}
        let now = Instant::now();
        let mut waiting = self.waiting.borrow_mut();
        while let Some(Reverse(first)) = waiting.peek() {
            // One that waits no longer leaves its place when its time comes.
            if first.at > now && Rc::strong_count(&first.waker) > 1 {
                break;
            }
            if let Some(Reverse(Waiting { waker, .. })) = waiting.pop()
                && let Some(waker) = waker.take()
            {
                waker.wake();
            }
        }
        let next = waiting.peek().map(|Reverse(next)| next.at);
        if next != self.set.get() || next.is_some_and(|next| next <= now) {
            self.set.set(next);
            if let Some(next) = next {
                self.alarm.set(next);
            }
        }
        Poll::Pending
    }
}

#[cfg(target_os = "linux")]
mod alarm {
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

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

        /// Rings at `at`, and no longer when it was set for before.
        pub(super) fn set(&self, at: Instant) {
            let left = at.saturating_duration_since(Instant::now());
            // Nothing at all would be never.
            let nanos = left.as_nanos().max(1);
            let value = Timespec {
                tv_sec: (nanos / 1_000_000_000) as i64,
                tv_nsec: (nanos % 1_000_000_000) as _,
            };
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

    use tokio::time::Instant;

    /// There is none.
    #[derive(Debug)]
    pub(super) enum Alarm {}

    impl Alarm {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn set(&self, _: Instant) {
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
    use tokio::runtime::{Builder, LocalOptions};

    fn local<T>(run: impl Future<Output = T>) -> T {
        let runtime =
            Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        runtime.expect("a runtime can be made").block_on(run)
    }

    /// How late they are depends on the machine; that none is early, and none is lost, does not.
    #[test]
    fn none_is_early_and_none_is_lost_however_they_come() {
        local(async {
            let (beat, driver) = Beat::fine();
            let driver = driver.map(tokio::task::spawn_local);
            let start = Instant::now();
            let mut all = tokio::task::JoinSet::new();
            for number in 0..200u64 {
                let beat = beat.clone();
                // Some are due now, some twice, some far off; entered latest first.
                let at = start + Duration::from_micros((199 - number) / 2 * 137);
                all.spawn_local(async move {
                    beat.sleep_until(at).await;
                    (at, Instant::now())
                });
            }
            // One that gives up must not hold up the rest.
            let given_up = beat.sleep_until(start + Duration::from_millis(1));
            let _ = tokio::time::timeout(Duration::ZERO, given_up).await;
            let mut ended = 0;
            while let Some(one) = all.join_next().await {
                let (at, woke) = one.expect("it does not panic");
                assert!(woke >= at);
                ended += 1;
            }
            assert_eq!(ended, 200);
            if let Some(driver) = driver {
                driver.abort();
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
