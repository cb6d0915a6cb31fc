//! Owns one worker: it starts and ends its users on the schedule's beat and hands over intervals.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::observer::Observer;
use super::stop::Stop;
use super::user::User;
use crate::control::Command;
use crate::data::{Per, Source};
use crate::expr::Run;
use crate::load::{Change, ChangeKind, Schedule};
use crate::metrics::{Interval, Recorder};
use crate::program::{Class, Ending, Program, Row};
use crate::protocol::Protocol;
use crate::untrusted::Secrets;

/// What every worker of a run knows.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What users do.
    pub program: Arc<Program>,
    /// When they start and stop.
    pub schedule: Schedule,
    /// The class of each slot.
    pub order: Vec<u16>,
    /// Where all random numbers come from.
    pub seed: u64,
    /// How long an iteration may go on after its user was asked to stop.
    pub grace: Duration,
    /// How many iterations there are in all, split evenly over the users; no limit when absent.
    pub iterations: Option<u64>,
    /// What expressions see of the run.
    pub run: Arc<Run>,
    /// What must not appear in any output.
    pub secrets: Secrets,
    /// Where users stand among those that hold rows.
    pub places: Places,
    /// How many workers there are: worker `w` owns the slots that leave the rest `w`.
    pub workers: usize,
}

/// For each source whose rows users hold, the place of each slot among those that hold some: who takes a
/// slot again holds the row of the one before. Made when the first user asks.
#[derive(Debug, Clone, Default)]
pub struct Places(OnceLock<Vec<(Arc<Source>, Vec<u32>)>>);

impl Setup {
    /// The place of a slot among those that hold rows of `source`.
    pub(super) fn place(&self, source: &Arc<Source>, slot: u32) -> Option<u64> {
        let places = self.places.0.get_or_init(|| self.places());
        let (_, places) = places.iter().find(|(known, _)| Arc::ptr_eq(known, source))?;
        places.get(slot as usize).map(|place| u64::from(*place))
    }

    fn places(&self) -> Vec<(Arc<Source>, Vec<u32>)> {
        let mut all: Vec<(Arc<Source>, Vec<u32>)> = Vec::new();
        let holds = |class: &Class, source: &Arc<Source>| {
            let held = |row: &Row| row.per == Per::User && Arc::ptr_eq(&row.source, source);
            class.rows.iter().any(held)
        };
        for row in self.program.classes.iter().flat_map(|class| &class.rows) {
            if row.per != Per::User || all.iter().any(|(known, _)| Arc::ptr_eq(known, &row.source))
            {
                continue;
            }
            let readers: Vec<bool> =
                self.program.classes.iter().map(|class| holds(class, &row.source)).collect();
            let mut before = 0;
            let places = self.order.iter().map(|class| {
                let place = before;
                before += u32::from(readers[usize::from(*class)]);
                place
            });
            all.push((row.source.clone(), places.collect()));
        }
        all
    }

    /// The iterations of the user in `slot`: shares differ by one at most and add up exactly.
    fn share(&self, slot: u32) -> Option<u64> {
        let users = u64::from(self.schedule.peak().max(1));
        let share = |all: u64| all / users + u64::from(u64::from(slot) < all % users);
        self.iterations.map(share)
    }
}

/// What a worker hands to the session.
#[derive(Debug)]
pub enum Handover {
    /// A finished second; seconds of one worker come in order, without gaps.
    Interval(usize, Box<Interval>),
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

/// What the users of a worker share.
pub(super) struct Worker<P: Protocol> {
    pub(super) setup: Arc<Setup>,
    pub(super) protocol: P,
    pub(super) recorder: RefCell<Recorder>,
    pub(super) observer: Option<RefCell<Box<dyn Observer>>>,
    buffers: RefCell<Vec<Vec<u8>>>,
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
        Self {
            protocol,
            recorder: RefCell::new(recorder),
            observer,
            buffers: RefCell::default(),
            output: None,
            setup,
        }
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

    /// An empty buffer, from those given back.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0 && buffer.capacity() <= BUFFER_KEPT {
            buffer.clear();
            self.buffers.borrow_mut().push(buffer);
        }
    }
}

/// What a worker waits for, in one closed list.
enum Turn {
    Time,
    Told(Command),
    UserEnded { slot: Option<u32>, lost: bool },
}

/// The users of one worker and what they are about to do.
struct Conductor<P: Protocol> {
    worker: Rc<Worker<P>>,
    /// The start of the run.
    start: Instant,
    users: JoinSet<u32>,
    living: HashMap<u32, (Stop, AbortHandle)>,
    /// Users asked to stop, with the time at which their grace ends; in order of that time.
    leaving: VecDeque<(Instant, AbortHandle)>,
    lost: u64,
    /// A user was started.
    started: bool,
}

/// Runs worker number `index` from `start` to its end, on the current runtime, which must be a
/// local one. Commands come through `commands`; everything measured goes to `output`.
pub async fn conduct<P: Protocol>(
    setup: Arc<Setup>,
    index: usize,
    protocol: P,
    start: Instant,
    mut commands: watch::Receiver<Option<Command>>,
    output: mpsc::Sender<Handover>,
) {
    let mut worker = Worker::new(setup.clone(), protocol, start, None);
    worker.output = Some(output.clone());
    let worker = Rc::new(worker);
    let mut conductor = Conductor {
        worker: worker.clone(),
        start,
        users: JoinSet::new(),
        living: HashMap::new(),
        leaving: VecDeque::new(),
        lost: 0,
        started: false,
    };
    let mine = |change: &Change| change.slot as usize % setup.workers == index;
    let mut changes = setup.schedule.changes().filter(mine).peekable();
    let mut starts_left = setup
        .schedule
        .changes()
        .filter(|change| mine(change) && matches!(change.kind, ChangeKind::Start { .. }))
        .count();
    let end = start + setup.schedule.total();
    let mut second = start + Duration::from_secs(1);
    let mut draining = false;
    let mut backlog = VecDeque::new();
    let mut told_all = false;
    loop {
        let now = Instant::now();
        // First, so that who starts with a second belongs to it and not to the one before.
        if now >= second {
            backlog.extend(worker.recorder.borrow_mut().take_finished(now));
            second += Duration::from_secs(1);
        }
        while let Some(change) = changes.next_if(|change| !draining && start + change.at <= now) {
            starts_left -= usize::from(matches!(change.kind, ChangeKind::Start { .. }));
            conductor.apply(change, now);
        }
        if !draining && now >= end {
            draining = true;
            worker.recorder.borrow_mut().load_ended(end);
            conductor.drain(now);
        }
        conductor.cut_late(now);
        // A full channel must not stop the users' beat: what does not fit waits for the next turn.
        while let Some(interval) = backlog.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(Handover::Interval(_, interval))) =
                output.try_send(Handover::Interval(index, Box::new(interval)))
            {
                backlog.push_front(*interval);
                break;
            }
        }
        // Users that have done their iterations, or that the plan has ended, do not come back: with
        // the last of them the run is over.
        let done = conductor.users.is_empty() && conductor.started && starts_left == 0;
        if (draining && conductor.users.is_empty()) || done {
            break;
        }
        let next_change = changes.peek().filter(|_| !draining).map(|change| start + change.at);
        let grace_ends = conductor.leaving.front().map(|(at, _)| *at);
        let wake = [next_change, grace_ends, (!draining).then_some(end)];
        let wake = wake.into_iter().flatten().fold(second, Instant::min);
        let turn = tokio::select! {
            biased;
            changed = commands.changed(), if !told_all => match (changed, *commands.borrow_and_update()) {
                (Ok(()), Some(command)) => Turn::Told(command),
                (Ok(()), None) => Turn::Time,
                // Nobody is left to command; the schedule goes on.
                (Err(_), _) => { told_all = true; Turn::Time }
            },
            () = tokio::time::sleep_until(wake) => Turn::Time,
            Some(ended) = conductor.users.join_next(), if !conductor.users.is_empty() => {
                match ended {
                    Ok(slot) => Turn::UserEnded { slot: Some(slot), lost: false },
                    Err(error) => Turn::UserEnded { slot: None, lost: error.is_panic() },
                }
            }
        };
        match turn {
            Turn::Time => {}
            Turn::Told(Command::Drain(_)) => {
                if !draining {
                    draining = true;
                    conductor.drain(Instant::now());
                }
            }
            Turn::Told(Command::Cut(_)) => {
                draining = true;
                conductor.drain(Instant::now());
                conductor.users.abort_all();
            }
            Turn::UserEnded { slot, lost } => conductor.user_ended(slot, lost),
        }
    }
    let now = Instant::now();
    let lost = conductor.lost;
    drop(conductor);
    let worker = Rc::into_inner(worker).expect("every user has ended, and only users share it");
    backlog.extend(worker.recorder.into_inner().finish(now));
    for interval in backlog {
        // The session that is gone needs no intervals.
        if output.send(Handover::Interval(index, Box::new(interval))).await.is_err() {
            return;
        }
    }
    let _ = output.send(Handover::Ended { worker: index, lost, after: now - start }).await;
}

impl<P: Protocol> Conductor<P> {
    fn apply(&mut self, change: Change, now: Instant) {
        match change.kind {
            ChangeKind::Start { number } => {
                let class = usize::from(self.worker.setup.order[change.slot as usize]);
                let stop = Stop::default();
                let iterations = self.worker.setup.share(change.slot);
                let user = User::new(self.worker.clone(), class, number, iterations, stop.clone());
                let mut recorder = self.worker.recorder.borrow_mut();
                recorder.user_started();
                recorder.woke_late(now.saturating_duration_since(self.start + change.at));
                drop(recorder);
                let slot = change.slot;
                let handle = self.users.spawn_local(user.live(slot));
                self.started = true;
                self.living.insert(change.slot, (stop, handle));
            }
            ChangeKind::Stop => {
                if let Some((stop, handle)) = self.living.remove(&change.slot) {
                    stop.ask();
                    self.leaving.push_back((now + self.worker.setup.grace, handle));
                }
            }
        }
    }

    /// Asks every user to stop.
    fn drain(&mut self, now: Instant) {
        self.worker.recorder.borrow_mut().load_ended(now);
        let grace = self.worker.setup.grace;
        for (_, (stop, handle)) in self.living.drain() {
            stop.ask();
            self.leaving.push_back((now + grace, handle));
        }
    }

    /// Cuts the users whose grace is over.
    fn cut_late(&mut self, now: Instant) {
        while let Some((_, handle)) = self.leaving.pop_front_if(|(at, _)| *at <= now) {
            handle.abort();
        }
    }

    fn user_ended(&mut self, slot: Option<u32>, lost: bool) {
        // One that ended by itself: a later order to stop is not for it. Another may have taken the
        // slot already, when this one was told to stop.
        if let Some(slot) = slot
            && self.living.get(&slot).is_some_and(|(_, handle)| handle.is_finished())
        {
            self.living.remove(&slot);
        }
        self.worker.recorder.borrow_mut().user_ended();
        self.lost += u64::from(lost);
    }
}
