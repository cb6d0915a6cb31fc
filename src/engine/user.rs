//! Owns the life of one user: drawing a task, running its instructions, waiting.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::stop::Stop;
use super::worker::Worker;
use crate::expr::{EvalError, Response, Scope, Value};
use crate::load::{Wait, pick};
use crate::metrics::{Outcome, Sample};
use crate::program::{Answer, Class, Instruction, Message, Request, push, remove};
use crate::protocol::{self, Exchange, Outgoing, Protocol, Use};
use crate::random::Stream;

/// The least pause of a user that has nothing to do.
const IDLE: Duration = Duration::from_secs(1);
/// The least time of an iteration that sends nothing, so that a plan's slip cannot spin a core.
const EMPTY_ITERATION: Duration = Duration::from_millis(1);

/// A user.
///
/// ```text
///           ┌────────────── wait (think time) ◄───────────┐
///           ▼                                              │
/// start → draw a task ──► instruction ──► instruction ──► end of the iteration
///           │ none holds: wait, at least 1 s                │ asked to stop
///           └──────────────────────────────────────────────┴──► ended
/// ```
pub(super) struct User<P: Protocol> {
    worker: Rc<Worker<P>>,
    class: usize,
    id: u64,
    stop: Stop,
    slots: Vec<Option<Value>>,
    random: Stream,
    connection: P::Connection,
    response: Response,
    iterations: u64,
    /// How many iterations it may do; no limit when absent.
    most: Option<u64>,
    /// When the next step is due: when the user woke, or when the step before it ended.
    due: Instant,
}

impl<P: Protocol> User<P> {
    /// The user with `number` (from 0) of the run, which is due to start now or was before.
    pub(super) fn new(
        worker: Rc<Worker<P>>,
        class: usize,
        number: u64,
        most: Option<u64>,
        stop: Stop,
    ) -> Self {
        let setup = &worker.setup;
        let slots = setup.program.classes[class].initial.clone();
        let random = Stream::new(setup.seed, class, number);
        let due = Instant::now();
        let connection = P::Connection::default();
        Self {
            worker,
            class,
            id: number + 1,
            stop,
            slots,
            random,
            connection,
            response: Response::default(),
            iterations: 0,
            most,
            due,
        }
    }

    /// Lives until it is asked to stop, or has done its iterations.
    pub(super) async fn live(mut self) {
        let program = self.worker.setup.program.clone();
        let class = &program.classes[self.class];
        let mut weights = Vec::with_capacity(class.tasks.len());
        while !self.stop.asked() && self.most.is_none_or(|most| self.iterations < most) {
            let wait = match self.draw(class, &mut weights) {
                Ok(Some(task)) => {
                    let before = self.due;
                    let rested = self.iterate(class, class.tasks[task].start).await;
                    self.iterations += 1;
                    let wait = class.wait.draw(&mut self.random);
                    if rested {
                        wait
                    } else {
                        wait.max(EMPTY_ITERATION.saturating_sub(self.due - before))
                    }
                }
                Ok(None) => {
                    self.worker.recorder.borrow_mut().idle();
                    class.wait.draw(&mut self.random).max(IDLE)
                }
                Err(error) => {
                    self.exception(&error);
                    class.wait.draw(&mut self.random).max(IDLE)
                }
            };
            if !wait.is_zero() && !self.stop.asked() {
                self.think(wait).await;
            }
        }
    }

    /// A task, by weight, among those that can run.
    fn draw(&mut self, class: &Class, weights: &mut Vec<f64>) -> Result<Option<usize>, EvalError> {
        weights.clear();
        for task in &class.tasks {
            let runs = match &task.when {
                Some(when) => self.scoped(class, |scope| when.holds(scope))?,
                None => true,
            };
            weights.push(if runs { task.weight } else { 0.0 });
        }
        Ok(pick(weights.iter().copied(), &mut self.random))
    }

    /// Runs one iteration; whether it gave way to others, by sending or waiting.
    async fn iterate(&mut self, class: &Class, start: usize) -> bool {
        let mut at = start;
        let mut rested = false;
        loop {
            let result = match &class.code[at] {
                Instruction::End => return rested,
                Instruction::Request(request) => {
                    let asked = self.request(class, &class.requests[*request]).await;
                    asked.map(|asked| {
                        rested |= asked.sent;
                        asked.goes_on
                    })
                }
                Instruction::Wait(wait) => {
                    rested |= *wait != Wait::None;
                    let wait = wait.draw(&mut self.random);
                    self.pause(wait).await;
                    Ok(true)
                }
                Instruction::Set(slot, build) => {
                    self.scoped(class, |scope| build.value(scope)).map(|value| {
                        self.slots[*slot] = Some(value);
                        true
                    })
                }
                Instruction::Push(slot, build) => {
                    self.scoped(class, |scope| build.value(scope)).map(|value| {
                        push(&mut self.slots[*slot], value);
                        true
                    })
                }
                Instruction::Remove(slot, build) => {
                    self.scoped(class, |scope| build.value(scope)).map(|value| {
                        remove(&mut self.slots[*slot], &value);
                        true
                    })
                }
                Instruction::Unless(condition, to) => {
                    self.scoped(class, |scope| condition.holds(scope)).map(|holds| {
                        if !holds {
                            // The jump lands one before, since every instruction steps on.
                            at = to - 1;
                        }
                        true
                    })
                }
            };
            match result {
                Ok(true) => at += 1,
                Ok(false) => return rested,
                Err(error) => {
                    self.exception(&error);
                    return rested;
                }
            }
        }
    }

    /// Sends a request and judges its answer.
    async fn request(&mut self, class: &Class, request: &Request) -> Result<Asked, EvalError> {
        let worker = self.worker.clone();
        let mut rendered = worker.buffer();
        let bytes = match &request.message {
            Message::Fixed(bytes) => bytes.as_slice(),
            message => {
                if let Err(error) = self.render(class, message, &worker, &mut rendered) {
                    worker.give_back(rendered);
                    return Err(error);
                }
                rendered.as_slice()
            }
        };
        let mut answer = protocol::Answer { head: Vec::new(), body: worker.buffer() };
        let outgoing = Outgoing {
            target: 0,
            bytes,
            head_only: request.head_only,
            keep_head: false,
            keep_body: request.keeps_body(),
            limits: &request.limits,
            redirects: 0,
            connection: Use::Own,
        };
        let cut = Cut::new(&worker, request.name, self.due);
        let exchange = worker.protocol.exchange(&mut self.connection, outgoing, &mut answer).await;
        cut.ended();
        let goes_on = self.judge(request, &exchange, &answer.body);
        let asked = Asked { sent: exchange.sent.is_some(), goes_on };
        if !asked.sent {
            // A connection that cannot be opened can fail within one system call: without this a
            // user that only meets such failures would never let its worker have a turn.
            tokio::task::yield_now().await;
        }
        worker.give_back(rendered);
        worker.give_back(answer.body);
        Ok(asked)
    }

    fn judge(&mut self, request: &Request, exchange: &Exchange, body: &[u8]) -> bool {
        let answer = Answer { status: exchange.status, body };
        let judgement = request.judge(answer, &mut self.slots);
        self.response.status = exchange.status.unwrap_or(0);
        self.worker.recorder.borrow_mut().record(&Sample {
            name: request.name,
            due: self.due,
            sent: exchange.sent,
            first_byte: exchange.first_byte,
            ended: exchange.ended,
            connect: exchange.connect,
            body_bytes: exchange.body_bytes,
            outcome: judgement.outcome,
        });
        self.due = exchange.ended;
        !judgement.ends_iteration
    }

    /// Writes a request that holds templates.
    fn render(
        &mut self,
        class: &Class,
        message: &Message,
        worker: &Worker<P>,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let (head, body) = match message {
            Message::Fixed(bytes) => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            Message::Head(head) => return self.scoped(class, |scope| head.render(scope, out)),
            Message::HeadAndBody(head, body) => (head, body),
        };
        let mut rendered = worker.buffer();
        let result = self.scoped(class, |scope| {
            head.render(scope, out)?;
            body.render(scope, &mut rendered)
        });
        out.extend_from_slice(b"Content-Length: ");
        Value::Int(rendered.len() as i64).write_json(out);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&rendered);
        worker.give_back(rendered);
        result
    }

    /// Waits between two iterations, unless it is asked to stop meanwhile.
    async fn think(&mut self, wait: Duration) {
        let until = self.due + wait;
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(until) => self.woke(until),
            () = self.stop.wait() => self.due = Instant::now(),
        }
    }

    /// Waits within an iteration. Being asked to stop does not shorten it: the rest of the
    /// iteration would come all at once, from every user, when the load should be going down.
    async fn pause(&mut self, wait: Duration) {
        let until = self.due + wait;
        tokio::time::sleep_until(until).await;
        self.woke(until);
    }

    /// In the closed form a step is due when its user woke: the timer's lateness is recorded,
    /// neither added to the response time nor judged.
    fn woke(&mut self, until: Instant) {
        self.due = Instant::now();
        self.worker.recorder.borrow_mut().woke_late(self.due.saturating_duration_since(until));
    }

    fn exception(&mut self, error: &EvalError) {
        self.worker.recorder.borrow_mut().exception(&error.0);
        self.due = Instant::now();
    }

    fn scoped<T>(&mut self, class: &Class, run: impl FnOnce(&mut Scope<'_>) -> T) -> T {
        let class_name: &Arc<str> = &class.name;
        run(&mut Scope {
            slots: &self.slots,
            response: Some(&self.response),
            request: None,
            run: &self.worker.run,
            user_id: self.id,
            user_class: class_name,
            user_iteration: self.iterations,
            random: &mut self.random,
        })
    }
}

/// What became of a request, for the iteration that it is a part of.
struct Asked {
    /// There was a connection to send it over.
    sent: bool,
    /// The iteration goes on.
    goes_on: bool,
}

/// Counts a request as issued, and as cancelled when it is dropped before it ended (law 4).
struct Cut<'a, P: Protocol> {
    worker: &'a Worker<P>,
    name: u16,
    due: Instant,
    under_way: bool,
}

impl<'a, P: Protocol> Cut<'a, P> {
    fn new(worker: &'a Worker<P>, name: u16, due: Instant) -> Self {
        worker.recorder.borrow_mut().issued();
        Self { worker, name, due, under_way: true }
    }

    fn ended(mut self) {
        self.under_way = false;
    }
}

impl<P: Protocol> Drop for Cut<'_, P> {
    fn drop(&mut self) {
        if self.under_way {
            let now = Instant::now();
            self.worker.recorder.borrow_mut().record(&Sample {
                name: self.name,
                due: self.due,
                sent: None,
                first_byte: None,
                ended: now,
                connect: None,
                body_bytes: 0,
                outcome: Outcome::Cancelled,
            });
        }
    }
}
