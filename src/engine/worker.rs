//! Owns what the users of one worker share: the protocol, the recorder, buffers, arrivals that wait.

use std::cell::{Cell, RefCell, RefMut};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::alarms::Alarms;
use super::beat::Beat;
use super::bell::{Bell, Waiting};
use super::lanes::Lanes;
use super::observer::Observer;
use super::setup::{Seat, Setup};
use super::witness::{Raw, Witness};
use crate::expr::Run;
use crate::metrics::{Interval, Recorder};
use crate::program::Ending;
use crate::protocol::Protocol;

/// What a worker hands to the session.
#[derive(Debug)]
pub enum Handover {
    /// A finished second; seconds of one worker come in order, without gaps.
    Interval(usize, Box<Interval>),
    /// Exchanges that are to be shown: what is new in the seconds that follow.
    Evidence(Vec<Raw>),
    /// The plan writes a line; secrets are hidden.
    Log(String),
    /// This step of the plan ends the run.
    Stop(Ending),
    /// The worker has ended: how many of its users were lost to a bug, and when it ended.
    Ended {
        /// Which worker.
        worker: usize,
        /// Users whose task panicked.
        lost: u64,
        /// From the start of the run to the end of the last user.
        after: Duration,
    },
}

/// A user that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone {
    pub(super) seat: Seat,
    pub(super) class: usize,
    /// By a bug.
    pub(super) lost: bool,
}

/// What the users of a worker share.
pub(super) struct Worker<P: Protocol> {
    pub(super) setup: Arc<Setup>,
    /// What its users' expressions see of the run.
    pub(super) run: Arc<Run>,
    pub(super) protocol: P,
    pub(super) recorder: RefCell<Recorder>,
    /// Keeps what is to be shown.
    pub(super) witness: Witness,
    pub(super) observer: Option<RefCell<Box<dyn Observer>>>,
    /// Arrivals that wait for users, and users that wait for arrivals.
    pub(super) lanes: RefCell<Lanes>,
    /// The waits of its users, where a conductor rings them.
    pub(super) alarms: Option<RefCell<Alarms>>,
    /// Users that have ended since the conductor looked.
    pub(super) ended: RefCell<Vec<Gone>>,
    /// There is something for the conductor to look at.
    pub(super) news: Notify,
    paused: Cell<bool>,
    resumed: Notify,
    buffers: RefCell<Vec<Vec<u8>>>,
    /// How many were ever given away: more are not kept, whatever comes back.
    given: Cell<usize>,
    weights: RefCell<Vec<f64>>,
    /// Where lines and the end of the run are told; nowhere in what runs once.
    output: Option<mpsc::Sender<Handover>>,
}

/// Buffers above this are not kept: one large answer must not stay for ever.
const BUFFER_KEPT: usize = 64 * 1024;

impl<P: Protocol> Worker<P> {
    /// A worker whose users are run by the caller.
    pub(super) fn new(
        setup: Arc<Setup>,
        protocol: P,
        start: Instant,
        observer: Option<RefCell<Box<dyn Observer>>>,
    ) -> Self {
        let catalogue = &setup.program.catalogue;
        let recorder = Recorder::new(start, catalogue.names.len(), catalogue.groups.len());
        let shown = if setup.program.evidence { catalogue.names.len() } else { 0 };
        Self {
            run: setup.run.clone(),
            protocol,
            recorder: RefCell::new(recorder),
            witness: Witness::new(start, shown),
            observer,
            lanes: RefCell::default(),
            alarms: None,
            ended: RefCell::default(),
            news: Notify::new(),
            paused: Cell::new(false),
            resumed: Notify::new(),
            buffers: RefCell::default(),
            given: Cell::new(0),
            weights: RefCell::default(),
            output: None,
            setup,
        }
    }

    /// A worker of a run that began at `start`, which tells what happens.
    pub(super) fn told(
        mut self,
        start: Instant,
        output: mpsc::Sender<Handover>,
        lanes: Lanes,
        beat: &Beat,
    ) -> Self {
        self.output = Some(output);
        self.run = Arc::new(self.setup.run.of_worker(start, self.setup.workers > 1));
        if let Some(outlet) = self.setup.listing.clone() {
            self.recorder = RefCell::new(self.recorder.into_inner().listed(outlet));
        }
        self.lanes = RefCell::new(lanes);
        let alarms = if beat.is_fine() { Alarms::fine() } else { Alarms::default() };
        self.alarms = Some(RefCell::new(alarms));
        self
    }

    /// Lets a user wait until `until`. What is due on a beat is exact.
    pub(super) fn wait<'a>(
        &self,
        bell: &'a Bell,
        until: Instant,
        exact: bool,
        stops: bool,
    ) -> Waiting<'a> {
        let Some(alarms) = &self.alarms else { return bell.alone(until) };
        if alarms.borrow_mut().set(until, bell, exact) {
            self.news.notify_one();
        }
        bell.over(stops)
    }

    /// Room for the weights of tasks, for a moment.
    pub(super) fn weights(&self) -> RefMut<'_, Vec<f64>> {
        let mut weights = self.weights.borrow_mut();
        weights.clear();
        weights
    }

    /// Tells a line. When too many wait to be shown it is left out.
    pub(super) fn log(&self, line: String) {
        if let Some(output) = &self.output {
            let _ = output.try_send(Handover::Log(line));
        }
    }

    /// Tells that the plan ends the run. The order to stop comes back as a command.
    pub(super) fn stop_run(&self, by: Ending) {
        if let Some(output) = self.output.clone() {
            tokio::task::spawn_local(async move {
                // The session that is gone has stopped already.
                let _ = output.send(Handover::Stop(by)).await;
            });
        }
    }

    /// No iteration begins, or they begin again.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.set(paused);
        if !paused {
            self.resumed.notify_waiters();
        }
    }

    /// No iteration is to begin.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.get()
    }

    /// Waits while no iteration is to begin.
    pub(super) async fn resumed(&self) {
        let resumed = self.resumed.notified();
        if self.is_paused() {
            resumed.await;
        }
    }

    /// An empty buffer, from those given back.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_else(|| {
            self.given.set(self.given.get() + 1);
            Vec::new()
        })
    }

    /// Takes a buffer back. What was kept of an answer is mostly nothing, and that is known at once.
    #[inline]
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 {
            self.keep(buffer);
        }
    }

    fn keep(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        // What was kept of a failed answer came from elsewhere.
        if buffer.capacity() <= BUFFER_KEPT && buffers.len() < self.given.get() {
            buffer.clear();
            buffers.push(buffer);
        }
    }
}
