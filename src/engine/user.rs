//! Owns the life of one user: its first steps, its iterations, its waits, its last steps.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bell::Bell;
use super::frames::Frames;
use super::lanes::Next;
use super::observer::Observer;
use super::secrets::Own;
use super::setup::Seat;
use super::worker::Worker;
use crate::data::{Ended, Lease, Per};
use crate::expr::{EvalError, Expression, Value};
use crate::load::{Order, Wait, pick};
use crate::metrics::Sample;
use crate::plan;
use crate::program::{Class, Mind, Program, Task};
use crate::protocol::Protocol;
use crate::random::Stream;

/// The least pause of a user that has nothing to do.
const IDLE: Duration = Duration::from_secs(1);
/// The least time of an iteration that sends nothing, so that a plan's slip cannot spin a core.
const EMPTY_ITERATION: Duration = Duration::from_millis(1);

/// A user.
///
/// ```text
///            ┌─ could not start: wait, at least 1 s ─┐
///            ▼                                        │
/// rows ─► first steps ───────────────────────────────┘
///            │
///            ▼         ┌──────────── wait (think time) ◄─────────┐
///          draw a task ──► instruction ──► instruction ──► end of the iteration
///            │ none holds: wait, at least 1 s                     │ asked to stop, or out of rows
///            └──────────────────────────────► last steps ◄────────┘
/// ```
pub(super) struct User<P: Protocol> {
    pub(super) worker: Rc<Worker<P>>,
    pub(super) class: u16,
    pub(super) bell: Bell,
    pub(super) mind: Mind,
    pub(super) connection: P::Connection,
    /// How many iterations it may do.
    most: u64,
    /// When the next step is due: when the user woke, or when the step before it ended.
    pub(super) due: Instant,
    /// When the iteration under way was due.
    started: Instant,
    /// How long it has waited within iterations, for transactions.
    pub(super) waited: Duration,
    pub(super) frames: Frames,
    /// Made by the first `parallel`: most users have none.
    pub(super) together: Option<Box<Together<P>>>,
    /// Where it lives.
    pub(super) seat: Option<Seat>,
    form: Form,
    /// It is in its first steps, where a failed request is a failed start.
    pub(super) starting: bool,
    leases: Vec<Lease>,
    /// What it has captured that nobody is to see.
    pub(super) own: Option<Box<Own>>,
}

/// An arrival that is a user's turn to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// When it is due.
    pub(super) due: Instant,
    /// It waited for a user.
    pub(super) waited: bool,
}

/// What sending requests together needs.
pub(super) struct Together<P: Protocol> {
    /// Connections beside the first.
    pub(super) lanes: Vec<P::Connection>,
    /// Requests that are to be sent again, by number, with the rows of each.
    pub(super) left: Vec<(usize, Option<Sample>, Rows)>,
}

impl<P: Protocol> Default for Together<P> {
    fn default() -> Self {
        Self { lanes: Vec::new(), left: Vec::new() }
    }
}

/// What a user's iterations follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One another, with waits between them.
    Closed,
    /// Arrivals, of which this is the last that it was given.
    Open(Arrival),
}

/// An arrival that a user was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arrival {
    /// It waited for a user.
    waited: bool,
    /// Its iteration has begun.
    begun: bool,
    /// So late it came to the user, in microseconds.
    late_us: u32,
}

/// Slots, and the rows that were in them.
type Rows = Vec<(usize, Option<Value>)>;

/// What a user does after a spell of iterations.
enum Then {
    /// It looks whether it may begin another.
    GoesOn,
    /// It waits until then, which is a beat or not.
    Waits(Instant, bool),
    /// It ends.
    Ends,
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over {
    /// It gave way to others, by sending or waiting.
    pub(super) rested: bool,
    /// It was broken off by a failure.
    pub(super) failed: bool,
    /// What else ends with it.
    pub(super) ends: Option<plan::Stop>,
    /// The instructions that it began and ended with.
    pub(super) from: usize,
    pub(super) at: usize,
}

impl<P: Protocol> User<P> {
    /// Lives in `seat`, and when it is made for an arrival, does arrivals.
    pub(super) fn at(mut self, seat: Seat, turn: Option<Turn>) -> Self {
        self.seat = Some(seat);
        if let Some(Turn { due, waited }) = turn {
            self.form = Form::Open(Arrival { waited, begun: false, late_us: 0 });
            self.due = due;
        }
        self
    }

    /// The user with `number` (from 0) of the run, which is due to start now or was before.
    pub(super) fn new(
        worker: Rc<Worker<P>>,
        class: usize,
        number: u64,
        most: Option<u64>,
        bell: Bell,
    ) -> Self {
        let setup = worker.setup.clone();
        let program = &setup.program.classes[class];
        let random = Stream::new(setup.seed, class, number);
        Self::of(worker, program, class, number, random, most, bell)
    }

    /// A user of any class of the program, also of those that run once.
    pub(super) fn of(
        worker: Rc<Worker<P>>,
        program: &Class,
        class: usize,
        number: u64,
        random: Stream,
        most: Option<u64>,
        bell: Bell,
    ) -> Self {
        let now = Instant::now();
        let mind = Mind {
            slots: program.initial.clone(),
            random,
            response: Default::default(),
            answered: false,
            id: number + 1,
            iterations: 0,
            class: program.name.clone(),
            run: worker.run.clone(),
        };
        Self {
            worker,
            class: class as u16,
            bell,
            mind,
            connection: P::Connection::default(),
            most: most.unwrap_or(u64::MAX),
            due: now,
            started: now,
            waited: Duration::ZERO,
            frames: Frames::default(),
            together: None,
            seat: None,
            form: Form::Closed,
            starting: false,
            leases: Vec::new(),
            own: Own::of(program),
        }
    }

    /// Lives until it is asked to stop, has done its iterations, or is ended by the plan.
    #[expect(
        clippy::manual_async_fn,
        reason = "that holds the user twice, which is most of what a waiting one weighs"
    )]
    pub(super) fn live(mut self) -> impl Future<Output = ()> {
        async move {
            let program: Arc<Program> = self.worker.setup.program.clone();
            let class = &program.classes[usize::from(self.class)];
            if let Form::Open(Arrival { waited, .. }) = self.form {
                self.comes(Turn { due: self.due, waited });
            } else if self.worker.is_paused() {
                // Boxed, as what few users need is no part of all.
                Box::pin(self.goes_on()).await;
            }
            if self.take_own_rows(class, self.seat) && Box::pin(self.start(class)).await {
                self.iterate(class).await;
                if let Some(at) = class.script.stop {
                    Box::pin(self.run(class, at)).await;
                }
            }
        }
    }

    /// Waits for the end of a pause, or until it is asked to stop.
    async fn goes_on(&mut self) {
        tokio::select! {
            () = self.worker.resumed() => {}
            () = self.bell.stopped() => {}
        }
        // What comes now was not due before.
        self.due = Instant::now();
        self.started = self.due;
    }

    /// It does arrivals, as they come.
    fn is_open(&self) -> bool {
        self.form != Form::Closed
    }

    /// In the open form: an arrival is its to do, so late.
    fn comes(&mut self, turn: Turn) {
        let late = Instant::now().saturating_duration_since(turn.due).as_micros();
        let late_us = u32::try_from(late).unwrap_or(u32::MAX);
        self.form = Form::Open(Arrival { waited: turn.waited, begun: false, late_us });
        self.due = turn.due;
    }

    /// In the open form: the iteration of the arrival begins. That it came late is the generator's fault
    /// when a user was there for it; when every user was busy, it belongs to the response time.
    fn begins(&mut self) {
        let Form::Open(arrival) = &mut self.form else { return };
        arrival.begun = true;
        let late = Duration::from_micros(arrival.late_us.into());
        let mut recorder = self.worker.recorder.borrow_mut();
        if arrival.waited { recorder.waited(late) } else { recorder.beat_late(late) }
    }

    /// In the open form: arrivals that were given to it and that it did not begin.
    pub(super) fn unbegun(&self) -> u64 {
        let own = matches!(self.form, Form::Open(Arrival { begun: false, .. }));
        u64::from(own) + u64::from(self.bell.has_turn())
    }

    /// In the open form: waits for the next arrival. False when there is none for it.
    async fn arrival(&mut self) -> bool {
        let Some(part) = self.seat.map(|seat| usize::from(seat.part)) else { return false };
        let next = self.worker.lanes.borrow_mut().next(part, usize::from(self.class), &self.bell);
        match next {
            Next::Take(due) => {
                self.comes(Turn { due, waited: true });
                // Arrivals that neither send nor wait must let others have their turn.
                tokio::task::yield_now().await;
                true
            }
            Next::Leave => false,
            Next::Wait => {
                // The last one that becomes idle may be what the end waits for.
                if self.worker.lanes.borrow().is_done(part) {
                    self.worker.news.notify_one();
                }
                match self.bell.turn().await {
                    Some(due) => {
                        self.comes(Turn { due, waited: false });
                        true
                    }
                    None => false,
                }
            }
        }
    }

    /// Tasks once each, as written, between its first and its last steps: those in `only`, or all of
    /// them when it is empty.
    pub(super) async fn rehearse(&mut self, only: &[String]) {
        let program: Arc<Program> = self.worker.setup.program.clone();
        let class = &program.classes[usize::from(self.class)];
        let hinders = if !self.take_own_rows(class, None) {
            Some("no row of data is left for this user")
        } else if self.rehearse_start(class).await {
            None
        } else {
            Some("`on_start` failed")
        };
        let asked = |task: &&Task| only.is_empty() || only.contains(&task.name);
        if let Some(why) = hinders {
            let tasks: Vec<&str> =
                class.tasks.iter().filter(asked).map(|task| &*task.name).collect();
            self.tell(|observer| observer.left_out(&tasks, why));
            return;
        }
        for task in class.tasks.iter().filter(asked) {
            if let Some(why) = self.hinders(class, task, only) {
                self.tell(|observer| observer.left_out(&[&task.name], &why));
                continue;
            }
            self.rehearse_part(class, &task.name, task.start).await;
            self.mind.iterations += 1;
            if self.worker.observer.as_ref().is_some_and(|observer| observer.borrow().waits()) {
                let wait = task.wait.unwrap_or(class.wait);
                let spent = self.spent();
                let wait = wait.draw(&mut self.mind.random, spent);
                self.pause(wait).await;
            }
        }
        if let Some(at) = class.script.stop {
            self.rehearse_part(class, "on_stop", at).await;
        }
    }

    /// Its first steps, when it has some; whether it may go on.
    async fn rehearse_start(&mut self, class: &Class) -> bool {
        let Some(at) = class.script.start else { return true };
        self.starting = true;
        let over = self.rehearse_part(class, "on_start", at).await;
        self.starting = false;
        !over.failed
    }

    async fn rehearse_part(&mut self, class: &Class, what: &str, at: usize) -> Over {
        self.tell(|observer| observer.begins(what));
        self.started = self.due;
        let over = self.run(class, at).await;
        self.tell(|observer| match over.ends {
            _ if over.failed => observer.broken_off(),
            Some(plan::Stop::User) => observer.said("stop", "the user would end here"),
            Some(plan::Stop::Run) => observer.said("stop", "the run would end here"),
            Some(plan::Stop::Iteration) | None => {}
        });
        over
    }

    /// Why a task cannot be done now.
    fn hinders(&mut self, class: &Class, task: &Task, only: &[String]) -> Option<String> {
        if class.order == Order::Random && task.weight == 0.0 && only.is_empty() {
            return Some("its weight is 0: it runs where it is called".to_owned());
        }
        if !self.take_rows(class) {
            return Some("no row of data is left for it".to_owned());
        }
        match self.holds(task) {
            Ok(true) => None,
            Ok(false) => {
                let when = task.when.as_ref().map_or("", Expression::text);
                Some(format!("its `when` does not hold: {when}"))
            }
            Err(error) => {
                self.exception(&error);
                Some("its `when` failed".to_owned())
            }
        }
    }

    fn tell(&self, what: impl FnOnce(&mut dyn Observer)) {
        if let Some(observer) = &self.worker.observer {
            what(&mut **observer.borrow_mut());
        }
    }

    /// Its first steps; whether it may go on.
    async fn start(&mut self, class: &Class) -> bool {
        let Some(at) = class.script.start else { return true };
        loop {
            if self.bell.asked() {
                return false;
            }
            self.starting = true;
            let over = self.run(class, at).await;
            self.starting = false;
            match over.ends {
                Some(plan::Stop::User) => return false,
                Some(plan::Stop::Run) => {
                    self.worker.stop_run(class.ending(over.from, over.at));
                    return false;
                }
                _ if !over.failed => return true,
                _ => {}
            }
            self.worker.recorder.borrow_mut().could_not_start();
            if self.is_open() {
                // The next arrival makes another one, at its own time.
                return false;
            }
            let wait = class.wait.draw(&mut self.mind.random, Duration::ZERO).max(IDLE);
            let until = self.due + wait;
            let came = self.worker.wait(&self.bell, until, false, true).await;
            self.woke(until, false, came);
        }
    }

    /// Iterations, with the waits between them.
    async fn iterate(&mut self, class: &Class) {
        self.started = self.due;
        let mut has_rows = false;
        // One of the open form was made for its first arrival.
        let mut first = true;
        while !self.bell.asked() && self.mind.iterations < self.most {
            match self.form {
                Form::Open(_) => {
                    if !first && !self.arrival().await {
                        return;
                    }
                    self.started = self.due;
                }
                Form::Closed if self.worker.is_paused() => {
                    Box::pin(self.goes_on()).await;
                    if self.bell.asked() {
                        return;
                    }
                }
                Form::Closed => {}
            }
            first = false;
            // Boxed: a user spends its life waiting, and then needs no room for a request.
            match Box::pin(self.spell(class, &mut has_rows)).await {
                Then::GoesOn => {}
                Then::Waits(until, exact) => {
                    let came = self.worker.wait(&self.bell, until, exact, true).await;
                    self.woke(until, exact, came);
                    self.started = self.due;
                }
                Then::Ends => return,
            }
        }
    }

    /// The iteration that is due, and those that follow it without a wait.
    async fn spell(&mut self, class: &Class, has_rows: &mut bool) -> Then {
        loop {
            // A row that no task could run with is kept for the iteration that comes.
            if !*has_rows && !self.take_rows(class) {
                return Then::Ends;
            }
            *has_rows = true;
            self.begins();
            let before = self.due;
            let mut failed = false;
            let (wait, over) = match class.order {
                Order::Random => match self.draw(class) {
                    Ok(Some(task)) => {
                        let task = &class.tasks[task];
                        let over = self.run(class, task.start).await;
                        (task.wait.unwrap_or(class.wait), Some(over))
                    }
                    Ok(None) => (class.wait, None),
                    Err(error) => {
                        self.exception(&error);
                        failed = true;
                        (class.wait, None)
                    }
                },
                // Boxed: most classes draw, and their users need no room for a pass.
                _ => Box::pin(self.pass(class)).await,
            };
            let pause = match over {
                None => {
                    if !failed {
                        self.worker.recorder.borrow_mut().idle();
                    }
                    self.rests(class).map(|until| (until, false))
                }
                Some(over) => {
                    *has_rows = false;
                    self.mind.iterations += 1;
                    self.worker.recorder.borrow_mut().iterated();
                    match over.ends {
                        Some(plan::Stop::User) => return Then::Ends,
                        Some(plan::Stop::Run) => {
                            self.worker.stop_run(class.ending(over.from, over.at));
                            return Then::Ends;
                        }
                        Some(plan::Stop::Iteration) | None => {}
                    }
                    if self.is_open() { None } else { self.thinks(wait, over.rested, before) }
                }
            };
            if let Some((until, exact)) = pause {
                return Then::Waits(until, exact);
            }
            self.started = self.due;
            let ends = self.bell.asked() || self.mind.iterations >= self.most;
            if ends || self.is_open() || self.worker.is_paused() {
                return Then::GoesOn;
            }
        }
    }

    /// Until when it waits after an iteration that was begun at `before`, and whether that is a beat.
    fn thinks(&mut self, wait: Wait, rested: bool, before: Instant) -> Option<(Instant, bool)> {
        if rested && wait == Wait::None {
            return None;
        }
        let spent = self.spent();
        let mut pause = wait.draw(&mut self.mind.random, spent);
        if !rested {
            pause = pause.max(EMPTY_ITERATION.saturating_sub(self.due - before));
        }
        // A pace does not drift: it counts from when the iteration was due.
        (!pause.is_zero() && !self.bell.asked()).then(|| (self.due + pause, wait.is_pace()))
    }

    /// Nothing could be done: until when it waits, for the class's wait and at least a second. In the
    /// open form the next arrival says when.
    fn rests(&mut self, class: &Class) -> Option<Instant> {
        let spent = self.due.saturating_duration_since(self.started);
        let wait = class.wait.draw(&mut self.mind.random, spent).max(IDLE);
        (!self.is_open() && !self.bell.asked()).then(|| self.due + wait)
    }

    /// A whole pass through the tasks, in their order; with the wait that follows it.
    async fn pass(&mut self, class: &Class) -> (Wait, Option<Over>) {
        let mut queue: Vec<usize> = (0..class.tasks.len()).collect();
        match class.order {
            Order::Shuffle => shuffle(&mut queue, &mut self.mind.random),
            Order::Chain => queue.truncate(1),
            Order::Random | Order::Sequence => {}
        }
        let mut whole: Option<Over> = None;
        let mut last = class.wait;
        let mut position = 0;
        while let Some(number) = queue.get(position).copied() {
            position += 1;
            let task = &class.tasks[number];
            match self.holds(task) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    self.exception(&error);
                    break;
                }
            }
            if whole.is_some() {
                // A pace is that of the whole pass.
                if !last.is_pace() {
                    let wait = last.draw(&mut self.mind.random, Duration::ZERO);
                    self.pause(wait).await;
                }
            }
            let over = self.run(class, task.start).await;
            last = task.wait.unwrap_or(class.wait);
            let rested = over.rested || whole.is_some_and(|whole| whole.rested);
            whole = Some(Over { rested, ..over });
            if over.failed || over.ends.is_some() {
                break;
            }
            if !over.rested {
                // A chain of tasks that neither send nor wait must let others have their turn.
                tokio::task::yield_now().await;
            }
            if class.order == Order::Chain {
                match self.next(class, number) {
                    // In the place of the one before: a chain may go on for the whole run.
                    Ok(Some(next)) => (queue[0], position) = (next, 0),
                    Ok(None) => {}
                    Err(error) => self.exception(&error),
                }
            }
        }
        (last, whole)
    }

    /// The task that follows in a chain, among those that can run.
    fn next(&mut self, class: &Class, after: usize) -> Result<Option<usize>, EvalError> {
        let next = &class.tasks[after].next;
        let mut weights = Vec::with_capacity(next.len());
        for (to, weight) in next {
            let runs = match to {
                Some(to) => self.holds(&class.tasks[*to])?,
                None => true,
            };
            weights.push(if runs { *weight } else { 0.0 });
        }
        let drawn = pick(weights.into_iter(), &mut self.mind.random);
        Ok(drawn.and_then(|drawn| next[drawn].0))
    }

    fn holds(&mut self, task: &Task) -> Result<bool, EvalError> {
        match &task.when {
            Some(when) => when.holds(&mut self.mind.scope(None)),
            None => Ok(true),
        }
    }

    /// A task, by weight, among those that can run.
    fn draw(&mut self, class: &Class) -> Result<Option<usize>, EvalError> {
        if class.tasks.iter().all(|task| task.when.is_none()) {
            let weights = class.tasks.iter().map(|task| task.weight);
            return Ok(pick(weights, &mut self.mind.random));
        }
        let worker = self.worker.clone();
        let mut weights = worker.weights();
        for task in &class.tasks {
            weights.push(if self.holds(task)? { task.weight } else { 0.0 });
        }
        Ok(pick(weights.iter().copied(), &mut self.mind.random))
    }

    /// The rows that it holds as long as it lives; whether it may go on. `seat` is where it lives in the
    /// run.
    pub(super) fn take_own_rows(&mut self, class: &Class, seat: Option<Seat>) -> bool {
        for row in class.rows.iter().filter(|row| row.per == Per::User) {
            let at = seat.and_then(|seat| self.worker.setup.place(&row.source, seat));
            let taken = row.source.lease(at).map(|lease| {
                let value = lease.row.clone();
                self.leases.push(lease);
                value
            });
            if !self.has_row(row.slot, taken) {
                return false;
            }
        }
        true
    }

    /// Rows of an iteration; whether it may begin.
    pub(super) fn take_rows(&mut self, class: &Class) -> bool {
        for row in class.rows.iter().filter(|row| row.per == Per::Iteration) {
            let taken = row.source.draw(&mut self.mind.random);
            if !self.has_row(row.slot, taken) {
                return false;
            }
        }
        true
    }

    fn has_row(&mut self, slot: usize, taken: Result<Value, Ended>) -> bool {
        match taken {
            Ok(value) => {
                self.mind.slots[slot] = Some(value);
                true
            }
            Err(ended) => {
                self.out_of_rows(&ended);
                false
            }
        }
    }

    /// Rows are used up. That is how a user ends, or a mistake.
    pub(super) fn out_of_rows(&mut self, ended: &Ended) {
        if !matches!(ended, Ended::Stop(_)) {
            self.exception(&EvalError(ended.to_string()));
        }
    }

    /// Waits within an iteration. Being asked to stop does not shorten it: the rest of the
    /// iteration would come all at once, from every user, when the load should be going down.
    pub(super) async fn pause(&mut self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        let before = self.due;
        let until = before + wait;
        let came = self.worker.wait(&self.bell, until, false, false).await;
        self.woke(until, false, came);
        self.waited += self.due - before;
    }

    /// How long ago the iteration was due.
    pub(super) fn spent(&self) -> Duration {
        self.due.saturating_duration_since(self.started)
    }

    /// In the closed form a step is due when its user woke: the timer's lateness is recorded, neither
    /// added to the response time nor judged. What comes on a beat is due on the beat, however late the
    /// timer was, and that is judged.
    fn woke(&mut self, until: Instant, exact: bool, came: bool) {
        self.due = Instant::now();
        if !came {
            return;
        }
        let late = self.due.saturating_duration_since(until);
        let mut recorder = self.worker.recorder.borrow_mut();
        if exact {
            recorder.beat_late(late);
            self.due = until;
        } else {
            recorder.woke_late(late);
        }
    }

    pub(super) fn exception(&mut self, error: &EvalError) {
        let text = self.hidden(&error.0);
        self.worker.recorder.borrow_mut().exception(&text);
        if let Some(observer) = &self.worker.observer {
            observer.borrow_mut().exception(&text);
        }
        self.due = Instant::now();
    }

    /// The variables that it ends with.
    pub(super) fn into_slots(mut self) -> Vec<Option<Value>> {
        std::mem::take(&mut self.mind.slots)
    }
}

fn shuffle(queue: &mut [usize], random: &mut Stream) {
    for last in (1..queue.len()).rev() {
        queue.swap(last, random.below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Http;

    fn size_of_life(user: fn() -> User<Http>) -> usize {
        fn made<F>(_: impl FnOnce() -> F) -> usize {
            size_of::<F>()
        }
        made(|| user().live())
    }

    /// A million users must fit into a machine. With what the runtime adds, 640 bytes: it takes steps of 128.
    #[test]
    fn a_user_weighs_no_more_than_it_must() {
        let size = size_of_life(|| unreachable!("only its type is asked for"));
        assert!(size <= 528, "the life of a user has {size} bytes");
    }
}
