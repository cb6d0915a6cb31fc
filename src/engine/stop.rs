//! Owns the word "enough" to one user: it ends its wait and starts no new iteration.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// Shared by a user and the worker that ends it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: Cell<bool>,
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
}
