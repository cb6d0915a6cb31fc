//! Owns the words to one user: "enough", so that it ends its wait and starts no new iteration, and "your
//! turn", so that it starts one.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Shared by a user and the worker that ends it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: Cell<bool>,
    /// When the arrival is due that is given to it.
    turn: Cell<Option<Instant>>,
    wake: Notify,
}

impl Stop {
    /// Asks the user to end after the iteration it is in.
    pub(super) fn ask(&self) {
        self.0.asked.set(true);
        self.0.wake.notify_waiters();
    }

    /// It was asked.
    pub(super) fn asked(&self) -> bool {
        self.0.asked.get()
    }

    /// Waits until it is asked.
    pub(super) async fn wait(&self) {
        let notified = self.0.wake.notified();
        if !self.asked() {
            notified.await;
        }
    }

    /// Gives the user the arrival that is due at `due`.
    pub(super) fn give(&self, due: Instant) {
        self.0.turn.set(Some(due));
        self.0.wake.notify_waiters();
    }

    /// Waits for an arrival; none when it is asked to stop.
    pub(super) async fn turn(&self) -> Option<Instant> {
        loop {
            let notified = self.0.wake.notified();
            if let Some(due) = self.0.turn.take() {
                return Some(due);
            }
            if self.asked() {
                return None;
            }
            notified.await;
        }
    }
}
