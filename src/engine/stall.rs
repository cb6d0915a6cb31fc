//! Owns noticing that a worker stands still: something kept its thread, and all its users wait for it.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(20);

/// A timer of the runtime is late by so much on a worker that does nothing.
const USUAL: Duration = Duration::from_millis(2);

/// The longest stall of a worker since it was last asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Stall(Rc<Cell<Duration>>);

impl Stall {
    /// That of the current worker, and what notices: a future that never ends.
    pub(super) fn watch() -> (Self, impl Future<Output = ()> + 'static) {
        let stall = Self::default();
        let longest = stall.0.clone();
        let watch = async move {
            loop {
                let due = Instant::now() + EVERY;
                sleep_until(due).await;
                let late = Instant::now().saturating_duration_since(due + USUAL);
                longest.set(longest.get().max(late));
            }
        };
        (stall, watch)
    }

    /// The longest since the last time.
    pub(super) fn take(&self) -> Duration {
        self.0.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_stall_is_noticed_once() {
        let (stall, watch) = Stall::watch();
        let stalls = async {
            for (ms, want) in [(21, 0), (300, 278), (21, 0)] {
                // The clock goes on while nothing else is run.
                tokio::time::advance(Duration::from_millis(ms)).await;
                tokio::task::yield_now().await;
                let noticed = stall.take().as_millis() as u64;
                assert!(noticed.abs_diff(want) <= 2, "{noticed} instead of {want}");
            }
        };
        tokio::select! {
            biased;
            () = watch => {}
            () = stalls => {}
        }
    }
}
