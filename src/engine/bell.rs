//! Owns the bell of one user: it rings when its wait is over, when an arrival is its turn, and when it is
//! to end.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::time::{Instant, Sleep};

/// Shared by a user and those that ring: its worker's timer, and what starts and ends users. It weighs
/// less than a timer of the runtime's, and a million users wait.
#[derive(Clone, Default)]
pub(super) struct Bell(Rc<Inner>);

#[derive(Default)]
struct Inner {
    asked: Cell<bool>,
    /// When the arrival is due that is given to it.
    turn: Cell<Option<Instant>>,
    /// When the wait ends that it is in.
    until: Cell<Option<Instant>>,
    waker: Cell<Option<Waker>>,
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("asked", &self.0.asked).finish_non_exhaustive()
    }
}

impl Bell {
    fn ring(&self) {
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }

    /// Asks the user to end after the iteration it is in.
    pub(super) fn ask(&self) {
        self.0.asked.set(true);
        self.ring();
    }

    /// It was asked.
    pub(super) fn asked(&self) -> bool {
        self.0.asked.get()
    }

    /// Gives the user the arrival that is due at `due`.
    pub(super) fn give(&self, due: Instant) {
        self.0.turn.set(Some(due));
        self.ring();
    }

    /// An arrival was given that the user has not taken.
    pub(super) fn has_turn(&self) -> bool {
        self.0.turn.get().is_some()
    }

    /// Waits for an arrival; none when it is asked to stop.
    pub(super) fn turn(&self) -> impl Future<Output = Option<Instant>> {
        poll_fn(|context| {
            if let Some(due) = self.0.turn.take() {
                return Poll::Ready(Some(due));
            }
            if self.asked() {
                return Poll::Ready(None);
            }
            self.0.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    /// A wait until `until` begins: [`Bell::over`] waits for its end.
    pub(super) fn begin(&self, until: Instant) {
        self.0.until.set(Some(until));
    }

    /// The wait that ends at `at` is over, if it is the one that the user is in.
    pub(super) fn end(&self, at: Instant) {
        if self.0.until.get() == Some(at) {
            self.0.until.set(None);
            self.ring();
        }
    }

    /// Waits for the end of a wait. True when it is over; false when the user is asked to stop before,
    /// which counts only with `stops`.
    pub(super) fn over(&self, stops: bool) -> Waiting<'_> {
        Waiting { bell: self, stops, sleep: None }
    }

    /// The same where nobody rings: until `until`, by a timer of the runtime's.
    pub(super) fn alone(&self, until: Instant) -> Waiting<'_> {
        self.begin(until);
        let sleep = Some(Box::pin(tokio::time::sleep_until(until)));
        Waiting { bell: self, stops: false, sleep }
    }

    /// Waits until the user is asked to stop.
    pub(super) async fn stopped(&self) {
        poll_fn(|context| {
            if self.asked() {
                return Poll::Ready(());
            }
            self.0.waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// A wait.
pub(super) struct Waiting<'a> {
    bell: &'a Bell,
    stops: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Waiting<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let inner = &self.bell.0;
        if inner.until.get().is_none() {
            return Poll::Ready(true);
        }
        if self.stops && inner.asked.get() {
            inner.until.set(None);
            return Poll::Ready(false);
        }
        if let Some(sleep) = &mut self.sleep {
            return sleep.as_mut().poll(context).map(|()| true);
        }
        inner.waker.set(Some(context.waker().clone()));
        Poll::Pending
    }
}
