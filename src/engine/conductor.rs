//! Owns one worker's beat: it starts and ends its users when they are due, gives arrivals to them, and
//! hands over intervals.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::beat::Beat;
use super::bell::Bell;
use super::lanes::{Came, Lanes};
use super::setup::{Part, Seat, Setup};
use super::stall::Stall;
use super::user::{Turn as Arrived, User};
use super::worker::{Gone, Handover, Worker};
use crate::control::{Command, Steer};
use crate::load::{self, Arrival, Arrivals, Change, ChangeKind, Changes, Turns};
use crate::protocol::Protocol;
use crate::random::Stream;

/// What a worker waits for, in one closed list.
enum Turn {
    /// Time has passed, or there are news.
    Goes,
    Told(Command),
}

/// What is still to come of one part of the load.
struct Coming {
    /// When its load ends; absent when it has.
    end: Option<Instant>,
    kind: Kind,
}

enum Kind {
    Closed {
        /// Those of this worker.
        changes: Changes,
        next: Option<Change>,
        starts_left: usize,
    },
    Open {
        arrivals: Arrivals,
        coming: load::Coming,
        turns: Turns,
        /// The next one of this worker, with its class, and when it is due; none when the iterations are
        /// used up.
        next: Option<(Arrival, usize)>,
        due: Option<Duration>,
        /// How many workers have users for it: they are the first, and share its arrivals.
        sharing: u64,
        /// Users that were made.
        made: u32,
    },
}

/// The users of one worker and what they are about to do.
struct Conductor<P: Protocol> {
    worker: Rc<Worker<P>>,
    index: usize,
    /// The start of the run.
    start: Instant,
    coming: Vec<Coming>,
    /// The class of each slot, by part.
    orders: Vec<Vec<u16>>,
    /// Users whose tasks have not ended.
    users: usize,
    living: HashMap<Seat, (Bell, AbortHandle)>,
    /// Users asked to stop, with the time at which their grace ends; in order of that time.
    leaving: VecDeque<(Instant, AbortHandle)>,
    lost: u64,
    /// A user was started.
    started: bool,
}

/// Runs worker number `index` from `start` to its end, on the current runtime, which must be a
/// local one. Commands come through `commands`; everything measured goes to `output`. With `exact`
/// the kernel's timer is used for what is due on a beat, which no paused clock can stop.
pub async fn conduct<P: Protocol>(
    setup: Arc<Setup>,
    index: usize,
    protocol: P,
    start: Instant,
    mut commands: mpsc::UnboundedReceiver<Command>,
    output: mpsc::Sender<Handover>,
    exact: bool,
) {
    let beat = if exact { Beat::fine() } else { Beat::default() };
    // A paused clock would run on for it.
    let stall = exact.then(Stall::watch);
    let stall = stall.map(|(stall, watch)| (stall, tokio::task::spawn_local(watch)));
    let lanes = Lanes::new(&setup, index);
    let worker = Worker::new(setup.clone(), protocol, start, None);
    let worker = Rc::new(worker.told(start, output.clone(), lanes, &beat));
    let mut conductor = Conductor::new(worker.clone(), index, start);
    let mut second = start + Duration::from_secs(1);
    let mut backlog = VecDeque::new();
    let mut evidence = Vec::new();
    let mut told_all = false;
    loop {
        let now = Instant::now();
        // First, so that who starts with a second belongs to it and not to the one before.
        if now >= second {
            if let Some((stall, _)) = &stall {
                worker.recorder.borrow_mut().stalled(stall.take());
            }
            backlog.extend(worker.recorder.borrow_mut().take_finished(now));
            evidence.extend(worker.witness.take());
            second += Duration::from_secs(1);
        }
        conductor.see_ended();
        conductor.catch_up(now);
        conductor.cut_late(now);
        conductor.ring(now);
        if !evidence.is_empty()
            && let Err(mpsc::error::TrySendError::Full(Handover::Evidence(unsent))) =
                output.try_send(Handover::Evidence(std::mem::take(&mut evidence)))
        {
            evidence = unsent;
        }
        // A full channel must not stop the users' beat: what does not fit waits for the next turn.
        while let Some(interval) = backlog.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(Handover::Interval(_, interval))) =
                output.try_send(Handover::Interval(index, Box::new(interval)))
            {
                backlog.push_front(*interval);
                break;
            }
        }
        if conductor.is_over(now) {
            break;
        }
        let wake = conductor.next().map_or(second, |next| next.min(second));
        let turn = tokio::select! {
            biased;
            told = commands.recv(), if !told_all => match told {
                Some(command) => Turn::Told(command),
                // Nobody is left to command; the schedule goes on.
                None => { told_all = true; Turn::Goes }
            },
            () = beat.sleep_until(wake) => Turn::Goes,
            () = worker.news.notified() => Turn::Goes,
        };
        match turn {
            Turn::Goes => {}
            Turn::Told(Command::Drain(_)) => conductor.drain(Instant::now()),
            Turn::Told(Command::Cut(_)) => {
                let now = Instant::now();
                conductor.drain(now);
                conductor.cut_late(now + setup.grace);
            }
            Turn::Told(Command::Steer { at, change }) => conductor.steer(at, change),
        }
    }
    if let Some((stall, watch)) = stall {
        worker.recorder.borrow_mut().stalled(stall.take());
        watch.abort();
    }
    let now = Instant::now();
    let lost = conductor.lost;
    drop(conductor);
    let worker = Rc::into_inner(worker).expect("every user has ended, and only users share it");
    evidence.extend(worker.witness.take());
    if !evidence.is_empty() {
        let _ = output.send(Handover::Evidence(evidence)).await;
    }
    backlog.extend(worker.recorder.into_inner().finish(now));
    for interval in backlog {
        // The session that is gone needs no intervals.
        if output.send(Handover::Interval(index, Box::new(interval))).await.is_err() {
            return;
        }
    }
    let _ = output.send(Handover::Ended { worker: index, lost, after: now - start }).await;
}

impl Coming {
    fn new(setup: &Setup, part: usize, index: usize, start: Instant) -> Self {
        let end = Some(start + setup.parts[part].total());
        let kind = match &setup.parts[part] {
            Part::Closed { schedule, .. } => Kind::closed(schedule.changes(), setup.workers, index),
            Part::Open { arrivals, weights, most } => {
                // Classes are numbered from 0 up, and what runs once from the top down.
                let stream = Stream::new(setup.seed, usize::MAX - 2 - part, 0);
                let (arrivals, coming) = (arrivals.clone(), arrivals.coming(stream));
                let (turns, next, due) = (Turns::new(weights), None, None);
                let sharing = u64::from(*most).min(setup.workers as u64).max(1);
                let mut kind = Kind::Open { arrivals, coming, turns, next, due, sharing, made: 0 };
                kind.advance(setup, index);
                kind
            }
        };
        Self { end, kind }
    }

    /// When something happens next.
    fn next(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Closed { next, .. } => next.map(|change| change.at),
            Kind::Open { due, .. } => *due,
        }
    }
}

impl Kind {
    fn closed(mut changes: Changes, workers: usize, index: usize) -> Self {
        let mine = |change: &Change| change.slot as usize % workers == index;
        let starts = |change: &Change| matches!(change.kind, ChangeKind::Start { .. });
        let starts_left = changes.clone().filter(|change| mine(change) && starts(change)).count();
        let next = changes.find(mine);
        Self::Closed { changes, next, starts_left }
    }

    /// On to the next one of this worker.
    fn advance(&mut self, setup: &Setup, index: usize) {
        match self {
            Self::Closed { changes, next, .. } => {
                *next = changes.find(|change| change.slot as usize % setup.workers == index);
            }
            Self::Open { arrivals, coming, turns, next, due, sharing, .. } => {
                let most = setup.iterations.unwrap_or(u64::MAX);
                let mine =
                    |(arrival, _): &(Arrival, u16)| arrival.number % *sharing == index as u64;
                let found =
                    if index as u64 >= *sharing { None } else { coming.zip(turns).find(mine) };
                let found = found.filter(|(arrival, _)| arrival.number < most);
                *next = found.map(|(arrival, class)| (arrival, usize::from(class)));
                *due = next.and_then(|(arrival, _)| arrivals.at(arrival));
            }
        }
    }
}

impl<P: Protocol> Conductor<P> {
    fn new(worker: Rc<Worker<P>>, index: usize, start: Instant) -> Self {
        let setup = &worker.setup;
        let parts = 0..setup.parts.len();
        let coming = parts.map(|part| Coming::new(setup, part, index, start)).collect::<Vec<_>>();
        let orders = setup.parts.iter().map(|part| match part {
            Part::Closed { order, .. } => order.clone(),
            Part::Open { .. } => Vec::new(),
        });
        let orders = orders.collect();
        for (part, coming) in coming.iter().enumerate() {
            // Fewer iterations than workers.
            if matches!(coming.kind, Kind::Open { next: None, .. }) {
                worker.lanes.borrow_mut().last_came(part);
            }
        }
        Self {
            worker,
            index,
            start,
            coming,
            orders,
            users: 0,
            living: HashMap::new(),
            leaving: VecDeque::new(),
            lost: 0,
            started: false,
        }
    }

    /// When something is to be done next.
    fn next(&self) -> Option<Instant> {
        let grace_ends = self.leaving.front().map(|(at, _)| *at);
        let alarm = self.worker.alarms.as_ref().and_then(|alarms| alarms.borrow().next());
        let parts = self.coming.iter().filter_map(|coming| {
            let end = coming.end?;
            Some(coming.next().map_or(end, |next| end.min(self.start + next)))
        });
        parts.chain(grace_ends).chain(alarm).min()
    }

    /// Everything that is due by `now`.
    fn catch_up(&mut self, now: Instant) {
        for part in 0..self.coming.len() {
            while let Some(end) = self.coming[part].end {
                let due = self.coming[part].next().map(|next| self.start + next);
                match due.filter(|due| *due <= now && *due < end) {
                    Some(due) => self.happens(part, due, now),
                    None if now >= end => self.end_part(part, now),
                    None => break,
                }
            }
        }
    }

    /// The next thing of a part.
    fn happens(&mut self, part: usize, due: Instant, now: Instant) {
        let worker = self.worker.clone();
        let setup = &worker.setup;
        let coming = &mut self.coming[part];
        match &mut coming.kind {
            Kind::Closed { next, starts_left, .. } => {
                let Some(change) = *next else { return };
                *starts_left -= usize::from(matches!(change.kind, ChangeKind::Start { .. }));
                coming.kind.advance(setup, self.index);
                self.apply(part, change, now);
            }
            Kind::Open { next, .. } => {
                let Some((_, class)) = *next else { return };
                coming.kind.advance(setup, self.index);
                let last = matches!(coming.kind, Kind::Open { next: None, .. });
                self.arrive(part, class, due);
                if last {
                    worker.lanes.borrow_mut().last_came(part);
                }
            }
        }
    }

    fn apply(&mut self, part: usize, change: Change, now: Instant) {
        let seat = Seat { part: part as u16, slot: change.slot };
        match change.kind {
            ChangeKind::Start { number } => {
                let setup = self.worker.setup.clone();
                let class = self.orders[part].get(change.slot as usize);
                let Some(class) = class.map(|class| usize::from(*class)) else { return };
                if self.living.contains_key(&seat) {
                    return;
                }
                let late = now.saturating_duration_since(self.start + change.at);
                self.worker.recorder.borrow_mut().woke_late(late);
                let number = setup.number(part, number);
                self.spawn(seat, class, number, setup.share(seat), None);
            }
            ChangeKind::Stop => {
                if let Some((bell, handle)) = self.living.remove(&seat) {
                    bell.ask();
                    self.leaving.push_back((now + self.worker.setup.grace, handle));
                }
            }
        }
    }

    fn spawn(
        &mut self,
        seat: Seat,
        class: usize,
        number: u64,
        most: Option<u64>,
        turn: Option<Arrived>,
    ) {
        let bell = Bell::default();
        let user = User::new(self.worker.clone(), class, number, most, bell.clone());
        self.worker.recorder.borrow_mut().user_started();
        let task = tokio::task::spawn_local(user.at(seat, turn).live());
        self.started = true;
        self.users += 1;
        self.living.insert(seat, (bell, task.abort_handle()));
    }

    /// An arrival is due.
    fn arrive(&mut self, part: usize, class: usize, due: Instant) {
        let worker = self.worker.clone();
        worker.recorder.borrow_mut().arrived();
        if worker.is_paused() {
            worker.recorder.borrow_mut().left_out(1);
            return;
        }
        let came = worker.lanes.borrow_mut().arrive(part, class, due);
        match came {
            Came::Given | Came::Waits => {}
            Came::NeedsUser => self.make(part, class, Arrived { due, waited: false }),
            Came::Dropped => worker.recorder.borrow_mut().dropped(1),
        }
    }

    /// A user of the open form, for an arrival.
    fn make(&mut self, part: usize, class: usize, turn: Arrived) {
        let Kind::Open { made, .. } = &mut self.coming[part].kind else { return };
        let slot = *made;
        *made += 1;
        let setup = &self.worker.setup;
        let own = u64::from(slot) * setup.workers as u64 + self.index as u64;
        let number = setup.number(part, own);
        self.spawn(Seat { part: part as u16, slot }, class, number, None, Some(turn));
    }

    /// The load of a part is over: its users are asked to stop.
    fn end_part(&mut self, part: usize, now: Instant) {
        let Some(end) = self.coming[part].end.take() else { return };
        let waiting = self.worker.lanes.borrow_mut().close(part);
        if waiting > 0 {
            self.worker.recorder.borrow_mut().dropped(waiting);
        }
        if self.coming.iter().all(|coming| coming.end.is_none()) {
            self.worker.recorder.borrow_mut().load_ended(end.min(now));
        }
        let grace_ends = now + self.worker.setup.grace;
        let mut leaving: Vec<(Seat, (Bell, AbortHandle))> =
            self.living.extract_if(|seat, _| usize::from(seat.part) == part).collect();
        // A map has no order, and what follows would be in another one each time.
        leaving.sort_unstable_by_key(|(seat, _)| seat.slot);
        for (_, (bell, handle)) in leaving {
            bell.ask();
            self.leaving.push_back((grace_ends, handle));
        }
    }

    /// Asks every user to stop.
    fn drain(&mut self, now: Instant) {
        (0..self.coming.len()).for_each(|part| self.end_part(part, now));
        // Who is held by a pause is to end as well.
        self.worker.pause(false);
    }

    /// Nothing more is to come, and nobody is left. Users that have done their iterations, or that the
    /// plan has ended, do not come back: with the last of them the run is over.
    fn is_over(&mut self, now: Instant) -> bool {
        let lanes = self.worker.lanes.borrow();
        let open_done = |(part, coming): (usize, &Coming)| match coming.kind {
            Kind::Closed { .. } => true,
            Kind::Open { .. } => self.worker.setup.iterations.is_some() && lanes.is_done(part),
        };
        let has_open = self.coming.iter().any(|coming| matches!(coming.kind, Kind::Open { .. }));
        let done = has_open && self.coming.iter().enumerate().all(open_done);
        drop(lanes);
        if done && self.coming.iter().all(|coming| coming.next().is_none()) {
            self.drain(now);
        }
        let none_starts = |coming: &Coming| match &coming.kind {
            _ if coming.end.is_none() => true,
            // Users that are asked for, and have ended by themselves. Where none is asked for, some may
            // be yet.
            Kind::Closed { starts_left, changes, .. } => {
                let asked = changes.schedule().users_at(now - self.start) as usize;
                self.started && *starts_left == 0 && asked > self.index
            }
            Kind::Open { .. } => false,
        };
        self.users == 0 && self.coming.iter().all(none_starts)
    }

    /// Cuts the users whose grace is over.
    fn cut_late(&mut self, now: Instant) {
        while let Some((_, handle)) = self.leaving.pop_front_if(|(at, _)| *at <= now) {
            handle.abort();
        }
    }

    /// Wakes the users whose waits are over.
    fn ring(&self, now: Instant) {
        if let Some(alarms) = &self.worker.alarms {
            alarms.borrow_mut().ring(now);
        }
    }

    fn see_ended(&mut self) {
        // Empty most of the time, and then it costs nothing.
        let ended = std::mem::take(&mut *self.worker.ended.borrow_mut());
        for gone in ended {
            self.user_ended(gone);
        }
    }

    fn user_ended(&mut self, Gone { seat, class, lost }: Gone) {
        self.worker.recorder.borrow_mut().user_ended();
        self.users -= 1;
        self.lost += u64::from(lost);
        // One that ended by itself: a later order to stop is not for it. Another may have taken the
        // slot already, when this one was told to stop.
        if self.living.get(&seat).is_some_and(|(_, handle)| handle.is_finished()) {
            self.living.remove(&seat);
        }
        let part = usize::from(seat.part);
        if matches!(self.coming[part].kind, Kind::Open { .. }) {
            let left = self.worker.lanes.borrow_mut().left(part, class);
            if let Some((class, due)) = left {
                self.make(part, class, Arrived { due, waited: true });
            }
        }
    }

    /// Changes the load from `at` on.
    fn steer(&mut self, at: Duration, change: Steer) {
        let worker = self.worker.clone();
        let setup = &worker.setup;
        let now = Instant::now();
        match change {
            Steer::Pause => {
                worker.pause(true);
                let waiting = worker.lanes.borrow_mut().leave_out();
                worker.recorder.borrow_mut().left_out(waiting);
            }
            Steer::Resume => worker.pause(false),
            Steer::Users { of, users, over } => {
                self.catch_up(now);
                for part in parts_of(setup, of) {
                    self.steer_users(part, at, users, over, now);
                }
            }
            Steer::Rate { of, rate, over } => {
                self.catch_up(now);
                for part in parts_of(setup, of) {
                    let Kind::Open { arrivals, next, due, .. } = &mut self.coming[part].kind else {
                        continue;
                    };
                    *arrivals = arrivals.steered(at, rate, over);
                    *due = next.and_then(|(arrival, _)| arrivals.at(arrival));
                }
                self.catch_up(now);
            }
        }
    }

    fn steer_users(&mut self, part: usize, at: Duration, users: u32, over: Duration, now: Instant) {
        let setup = self.worker.setup.clone();
        let Kind::Closed { changes, .. } = &self.coming[part].kind else { return };
        let Part::Closed { weights, fixed, .. } = &setup.parts[part] else { return };
        let schedule = changes.schedule().steered(at, users, over);
        if schedule.peak() as usize > self.orders[part].len() {
            self.orders[part] = load::order(weights, fixed, schedule.peak() as usize);
        }
        let mut changes = schedule.changes();
        // What was done already, and only that, is behind.
        changes.pass_over(|change| change.at < at && self.start + change.at <= now);
        self.coming[part].kind = Kind::closed(changes, setup.workers, self.index);
        self.catch_up(now);
        if self.start + at > now {
            return;
        }
        // Who was started after `at`, before the change was known.
        let asked = schedule.users_at(now - self.start);
        let beyond = |seat: &&Seat| usize::from(seat.part) == part && seat.slot >= asked;
        let beyond: Vec<u32> = self.living.keys().filter(beyond).map(|seat| seat.slot).collect();
        for slot in beyond {
            self.apply(part, Change { at, slot, kind: ChangeKind::Stop }, now);
        }
    }
}

/// The parts that a class has its load in; all when none is named.
fn parts_of(setup: &Setup, of: Option<usize>) -> Vec<usize> {
    let parts = 0..setup.parts.len();
    parts.filter(|part| of.is_none_or(|class| setup.parts[*part].has(class))).collect()
}
