//! Owns handing requests on one by one, as they are counted: from recorders to whoever writes them down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::time::Instant;

use super::recorder::Sample;

/// So many are handed over at once: what they cost the users of a worker is then a copy.
const BATCH: usize = 512;

/// So many may wait to be written, of all workers together: about 75 MB. Who writes them stands still for
/// five seconds before any is lost at 100,000 requests a second.
const WAITING: usize = 1 << 19;

/// A request, as it was counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The request.
    pub sample: Sample,
    /// The second of the run that it was counted in.
    pub second: u32,
    /// It ended when no load was asked for any more.
    pub after_load: bool,
}

/// Requests of one worker, in the order in which it counted them.
#[derive(Debug)]
pub struct Batch {
    /// The start of the run.
    pub start: Instant,
    /// At least one.
    pub requests: Vec<Counted>,
}

/// Where requests are handed over. It never waits: a run must not be slowed by who writes it down.
#[derive(Debug, Clone)]
pub struct Outlet {
    sender: Sender<Option<Batch>>,
    shared: Arc<Shared>,
}

/// Where they come out.
#[derive(Debug)]
pub struct Inlet {
    receiver: Receiver<Option<Batch>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Requests that were handed over and not taken yet.
    waiting: AtomicUsize,
    /// Those that found too many waiting.
    lost: AtomicU64,
}

/// What comes out next.
#[derive(Debug)]
pub enum Next {
    /// These.
    Batch(Batch),
    /// Nothing so far.
    Nothing,
    /// No more will come.
    End,
}

/// A way for requests, from workers to a thread that writes them down.
#[must_use]
pub fn listing() -> (Outlet, Inlet) {
    let (sender, receiver) = channel();
    let shared = Arc::new(Shared::default());
    (Outlet { sender, shared: shared.clone() }, Inlet { receiver, shared })
}

impl Outlet {
    /// Hands a batch over. When too many wait already it is lost, and counted (law 8).
    pub fn pass(&self, batch: Batch) {
        let count = batch.requests.len();
        let waiting = self.shared.waiting.fetch_add(count, Ordering::Relaxed);
        if waiting + count > WAITING {
            self.shared.waiting.fetch_sub(count, Ordering::Relaxed);
            self.shared.lost.fetch_add(count as u64, Ordering::Relaxed);
            return;
        }
        // Who has ceased to write says why.
        let _ = self.sender.send(Some(batch));
    }

    /// No more will come: what was handed over before still comes out.
    pub fn end(&self) {
        let _ = self.sender.send(None);
    }

    /// How many were lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Inlet {
    /// Waits for the next batch, for so long at most.
    #[must_use]
    pub fn next(&self, at_most: Duration) -> Next {
        match self.receiver.recv_timeout(at_most) {
            Ok(Some(batch)) => {
                self.shared.waiting.fetch_sub(batch.requests.len(), Ordering::Relaxed);
                Next::Batch(batch)
            }
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }
}

/// What a recorder keeps of it.
#[derive(Debug)]
pub(super) struct Listing {
    outlet: Outlet,
    start: Instant,
    requests: Vec<Counted>,
}

impl Listing {
    pub(super) fn new(outlet: Outlet, start: Instant) -> Self {
        Self { outlet, start, requests: Vec::with_capacity(BATCH) }
    }

    pub(super) fn add(&mut self, counted: Counted) {
        self.requests.push(counted);
        if self.requests.len() == BATCH {
            let requests = std::mem::replace(&mut self.requests, Vec::with_capacity(BATCH));
            self.outlet.pass(Batch { start: self.start, requests });
        }
    }

    /// Hands over what there is.
    pub(super) fn pass(&mut self) {
        if !self.requests.is_empty() {
            // In no more room than it takes.
            let requests = self.requests.drain(..).collect();
            self.outlet.pass(Batch { start: self.start, requests });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Outcome, Recorder};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn sample(start: Instant, ended: u64) -> Sample {
        Sample {
            name: 0,
            due: start,
            sent: Some(start),
            first_byte: Some(start),
            ended: start + MS(ended),
            connect: None,
            body_bytes: 0,
            decoded_bytes: 0,
            status: Some(200),
            retries: 0,
            outcome: Outcome::Succeeded,
        }
    }

    fn seconds(inlet: &Inlet) -> Vec<(u32, bool)> {
        let mut all = Vec::new();
        while let Next::Batch(batch) = inlet.next(Duration::ZERO) {
            all.extend(batch.requests.iter().map(|one| (one.second, one.after_load)));
        }
        all
    }

    #[test]
    fn each_is_handed_over_by_the_end_of_its_second_with_what_it_was_counted_as() {
        let start = Instant::now();
        let (outlet, inlet) = listing();
        let mut recorder = Recorder::new(start, 1, 0).listed(outlet);
        recorder.record(&sample(start, 10));
        assert_eq!(seconds(&inlet), [], "the second goes on");
        recorder.record(&sample(start, 1500));
        assert_eq!(seconds(&inlet), [(0, false)]);
        // Noticed late: it is counted in the second that goes on.
        recorder.record(&sample(start, 990));
        recorder.load_ended(start + MS(1600));
        recorder.record(&Sample { outcome: Outcome::Cancelled, ..sample(start, 1700) });
        let intervals = recorder.finish(start + MS(1800));
        assert_eq!(seconds(&inlet), [(1, false), (1, false), (1, true)]);
        assert_eq!(intervals[1].names[&0].requests() + intervals[1].cancelled, 3);
    }

    #[test]
    fn a_busy_second_is_handed_over_in_batches() {
        let start = Instant::now();
        let (outlet, inlet) = listing();
        let mut recorder = Recorder::new(start, 1, 0).listed(outlet.clone());
        for _ in 0..=BATCH {
            recorder.record(&sample(start, 10));
        }
        assert_eq!(seconds(&inlet).len(), BATCH);
        let _ = recorder.finish(start + MS(20));
        outlet.end();
        assert_eq!(seconds(&inlet).len(), 1);
        assert_eq!(outlet.lost(), 0);
    }

    /// Law 8: what waits to be written is bounded, and what is lost by it is counted.
    #[test]
    fn when_nobody_writes_them_down_requests_are_lost_and_counted() {
        let start = Instant::now();
        let (outlet, inlet) = listing();
        let batch = || Batch {
            start,
            requests: vec![
                Counted { sample: sample(start, 1), second: 0, after_load: false };
                BATCH
            ],
        };
        (0..WAITING / BATCH + 3).for_each(|_| outlet.pass(batch()));
        assert_eq!(outlet.lost(), 3 * BATCH as u64);
        assert_eq!(seconds(&inlet).len(), WAITING);
        outlet.pass(batch());
        assert_eq!((seconds(&inlet).len(), outlet.lost()), (BATCH, 3 * BATCH as u64));
        assert!(size_of::<Counted>() <= 152, "{}", size_of::<Counted>());
    }
}
