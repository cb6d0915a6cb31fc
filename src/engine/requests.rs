//! Owns sending requests: writing one, sending it again, judging it, counting it.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::frames::{Flow, Frame, Retry};
use super::observer::Seen;
use super::user::{Over, User};
use super::witness::Told;
use super::worker::{Gone, Worker};
use crate::data::Ended;
use crate::expr::{EvalError, Template};
use crate::metrics::{Failure, Outcome, RetryClass, Sample};
use crate::plan::{OnFail, Stop};
use crate::program::{Class, Judgement, Live, Message, Request};
use crate::protocol::{Answer, Exchange, Outgoing, Protocol};

/// So many requests of a `parallel` are under way at once, as browsers do it.
const LANES: usize = 6;

/// A request that is ready to be sent.
pub(super) struct Ready {
    /// As it was written; empty for one in which nothing changes.
    bytes: Vec<u8>,
    pub(super) target: usize,
    /// The same with what the protocol adds; empty when nobody looks on.
    shown: Vec<u8>,
}

impl<P: Protocol> User<P> {
    /// Sends a request, or sends it again.
    pub(super) async fn request(
        &mut self,
        class: &Class,
        number: usize,
        at: usize,
        over: &mut Over,
    ) -> Result<Flow, EvalError> {
        let request = &class.requests[number];
        let attempts = match self.frames.last() {
            Some(Frame::Retry(retry)) if retry.at == at => retry.attempts,
            _ => 0,
        };
        if attempts == 0
            && let Err(ended) = self.rows_of(class, request)
        {
            return Ok(self.without_row(&ended));
        }
        if let Some(live) = &class.identity {
            self.identify(live)?;
        }
        let ready = self.write(request)?;
        let worker = self.worker.clone();
        let mut answer = room(&worker, request);
        let outgoing = outgoing(&worker, request, &ready);
        let cut = Cut::new(&worker, request.series, self.due, attempts);
        if let Some(Frame::Retry(retry)) = self.frames.last_mut().filter(|_| attempts > 0) {
            // From here on the cut knows of it.
            retry.pending = None;
        }
        let exchange = worker.protocol.exchange(&mut self.connection, outgoing, &mut answer).await;
        over.rested |= exchange.sent.is_some();
        if exchange.sent.is_none() {
            // A connection that cannot be opened can fail within one system call: without this a
            // user that only meets such failures would never let its worker have a turn.
            tokio::task::yield_now().await;
        }
        // Nothing is awaited between here and the record: a user that is cut before has cut it.
        cut.ended(&exchange);
        let due = self.due;
        self.due = exchange.ended;
        self.see(&exchange, answer);
        if self.is_tried_again(request, &exchange, attempts) {
            let outcome = raw(&exchange);
            let pending =
                request.series.map(|series| sample(series, due, &exchange, attempts, outcome));
            let flow = Box::pin(self.try_again(request, at, attempts + 1, pending)).await;
            worker.give_back(ready.bytes);
            return Ok(flow);
        }
        if attempts > 0 {
            self.frames.pop();
        }
        let flow = self.judge(class, request, &ready, &exchange, (due, attempts));
        worker.give_back(ready.bytes);
        flow
    }

    /// Says which client certificate the user has, before its first request.
    fn identify(&mut self, live: &Live) -> Result<(), EvalError> {
        if self.worker.protocol.is_identified(&self.connection) {
            return Ok(());
        }
        let mut file = |template: &Template| {
            let mut text = Vec::new();
            template.render(&mut self.mind.scope(None), &mut text)?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        };
        let (cert, key) = (file(&live.cert)?, file(&live.key)?);
        self.worker.protocol.identify(&mut self.connection, cert, key);
        Ok(())
    }

    /// Rows that are taken anew for each request.
    fn rows_of(&mut self, class: &Class, request: &Request) -> Result<(), Ended> {
        for row in &request.rows {
            let row = &class.rows[*row];
            self.mind.slots[row.slot] = Some(row.source.draw(&mut self.mind.random)?);
        }
        Ok(())
    }

    fn without_row(&mut self, ended: &Ended) -> Flow {
        self.out_of_rows(ended);
        match ended {
            Ended::Stop(_) => Flow::Stop(Stop::User, false),
            _ => Flow::Failed,
        }
    }

    /// Writes a request.
    fn write(&mut self, request: &Request) -> Result<Ready, EvalError> {
        // Nothing is written for what never changes: it is sent from the program.
        if let Message::Fixed(_) = request.message {
            let (bytes, target) = (Vec::new(), request.target);
            return Ok(self.shown(request, Ready { bytes, target, shown: Vec::new() }));
        }
        let worker = self.worker.clone();
        let mut bytes = worker.buffer();
        let mut spare = [worker.buffer(), worker.buffer()];
        let written = request.message.write(&mut self.mind, &mut bytes, &mut spare);
        spare.into_iter().for_each(|buffer| worker.give_back(buffer));
        let target = match written {
            Ok(None) => request.target,
            Ok(Some(origin)) => match worker.protocol.target(request.target, &origin) {
                Ok(target) => target,
                Err(fault) => {
                    worker.give_back(bytes);
                    return Err(EvalError(fault.sentence().to_owned()));
                }
            },
            Err(error) => {
                worker.give_back(bytes);
                return Err(error);
            }
        };
        Ok(self.shown(request, Ready { bytes, target, shown: Vec::new() }))
    }

    /// With what the protocol adds, when somebody looks on.
    fn shown(&self, request: &Request, mut ready: Ready) -> Ready {
        if self.worker.observer.is_some() {
            let outgoing = outgoing(&self.worker, request, &ready);
            ready.shown = self.worker.protocol.as_sent(&self.connection, outgoing);
        }
        ready
    }

    /// Takes the answer in, as far as it is kept.
    fn see(&mut self, exchange: &Exchange, answer: Answer) {
        let response = &mut self.mind.response;
        response.clear();
        let head = std::mem::replace(&mut response.head, answer.head);
        let body = std::mem::replace(&mut response.body, answer.body);
        self.worker.give_back(head);
        self.worker.give_back(body);
        self.mind.answered = exchange.status.is_ok();
        response.status = exchange.status.unwrap_or_default();
        response.size = exchange.body_bytes;
        let sent = exchange.sent.unwrap_or(exchange.ended);
        response.time = exchange.ended.saturating_duration_since(sent);
    }

    fn is_tried_again(&self, request: &Request, exchange: &Exchange, attempts: u32) -> bool {
        let Some(retry) = &request.retry else { return false };
        if attempts >= retry.when.times {
            return false;
        }
        // What is done before a retry is not retried in that way itself: it would never end.
        let own = usize::from(attempts > 0);
        let within =
            self.frames.iter().rev().skip(own).any(|frame| matches!(frame, Frame::Retry(_)));
        if retry.first.is_some() && within {
            return false;
        }
        match exchange.status {
            Ok(status) => retry.when.status.allows(status),
            Err(fault) => match fault.retry_class() {
                RetryClass::Connect => retry.when.connect,
                RetryClass::Timeout => retry.when.timeout,
                RetryClass::Reset => retry.when.reset,
                RetryClass::Other => false,
            },
        }
    }

    /// Waits for the next attempt, and goes where it begins.
    async fn try_again(
        &mut self,
        request: &Request,
        at: usize,
        attempts: u32,
        pending: Option<Sample>,
    ) -> Flow {
        let Some(retry) = &request.retry else { return Flow::Next };
        self.worker.recorder.borrow_mut().retried(request.series);
        let pending = pending.map(|sample| Sample { retries: attempts, ..sample });
        if let Some(observer) = &self.worker.observer {
            let status = self.mind.answered.then_some(self.mind.response.status);
            observer.borrow_mut().tried_again(request, status);
        }
        match self.frames.last_mut() {
            Some(Frame::Retry(known)) if known.at == at => {
                known.attempts = attempts;
                known.pending = pending;
            }
            _ => self.frames.push(Frame::Retry(Box::new(Retry { at, attempts, pending }))),
        }
        self.pause(retry.when.pause(attempts)).await;
        retry.first.map_or(Flow::To(at), Flow::To)
    }

    /// Judges what came, counts it, and says what follows.
    fn judge(
        &mut self,
        class: &Class,
        request: &Request,
        ready: &Ready,
        exchange: &Exchange,
        (due, attempts): (Instant, u32),
    ) -> Result<Flow, EvalError> {
        let (protocol, connection) = (&self.worker.protocol, &self.connection);
        let bytes = ready.bytes_of(request);
        let cookie = |name: &str| protocol.cookie(connection, ready.target, path_of(bytes), name);
        let (judged, rules) = match &self.worker.observer {
            None => (request.judge(exchange.status, &mut self.mind, &cookie), Vec::new()),
            Some(_) => request.explain(exchange.status, &mut self.mind, &cookie),
        };
        let (judgement, error) = match judged {
            Ok(judgement) => (judgement, None),
            // Law 4: what was sent has ended, whatever the rules come to.
            Err(error) => (Judgement::broken(), Some(error)),
        };
        self.keep_secrets(request);
        // After its secrets are known: who looks on must not see them.
        if let Some(observer) = &self.worker.observer {
            observer.borrow_mut().exchanged(&Seen {
                request,
                bytes: &ready.shown,
                exchange,
                mind: &self.mind,
                judgement: &judgement,
                rules: &rules,
            });
        }
        let response = self.record(request.series, (due, attempts), exchange, &judgement);
        if let Some(series) = request.series {
            let shows = match judgement.outcome {
                Outcome::Succeeded => self.worker.witness.is_slow(series, response),
                _ => self.worker.witness.looks(),
            };
            if shows {
                let (judgement, attempts) = (&judgement, attempts + 1);
                let told = Told { series, request, ready, exchange, judgement, response, attempts };
                self.keep_evidence(class, &told);
            }
        }
        if !request.retain {
            let response = &mut self.mind.response;
            let (head, body) =
                (std::mem::take(&mut response.head), std::mem::take(&mut response.body));
            self.worker.give_back(head);
            self.worker.give_back(body);
        }
        if let Some(error) = error {
            self.fail_groups();
            return Err(error);
        }
        let failed = matches!(judgement.outcome, Outcome::Failed(_));
        if failed {
            self.fail_groups();
        }
        if judgement.ends_iteration {
            return Ok(match request.on_fail {
                Some(OnFail::End(stop @ (Stop::User | Stop::Run))) => Flow::Stop(stop, true),
                _ => Flow::Failed,
            });
        }
        Ok(match (failed, request.on_fail) {
            (false, _) | (true, Some(OnFail::Continue)) => Flow::Next,
            (true, Some(OnFail::End(Stop::Iteration))) => Flow::Failed,
            (true, Some(OnFail::End(stop))) => Flow::Stop(stop, true),
            // A user that could not log in is not to go on as if it had.
            (true, None) if self.starting => Flow::Failed,
            (true, None) => Flow::Next,
        })
    }

    fn record(
        &mut self,
        series: Option<u16>,
        (due, attempts): (Instant, u32),
        exchange: &Exchange,
        judgement: &Judgement,
    ) -> Duration {
        let mut recorder = self.worker.recorder.borrow_mut();
        let Some(series) = series else {
            recorder.unrecorded();
            return Duration::ZERO;
        };
        let response = recorder.record(&sample(series, due, exchange, attempts, judgement.outcome));
        if let (Some(seen), Outcome::Failed(failure)) = (&judgement.seen, judgement.outcome) {
            recorder.seen(series, failure, &self.hidden(seen));
        }
        response
    }

    /// A request whose retry was broken off has ended as its last attempt did.
    pub(super) fn record_pending(&mut self, retry: &Retry) {
        if let Some(sample) = &retry.pending {
            self.worker.recorder.borrow_mut().record(sample);
        }
    }

    /// Requests of a `parallel` that will not be sent again have ended as they came.
    pub(super) fn record_left(&mut self) {
        let Some(together) = &mut self.together else { return };
        for (_, pending, _) in std::mem::take(&mut together.left) {
            if let Some(sample) = &pending {
                self.worker.recorder.borrow_mut().record(sample);
            }
        }
    }

    /// Sends requests together, and judges them in the order in which they were written.
    pub(super) async fn together(
        &mut self,
        class: &Class,
        numbers: &[usize],
        over: &mut Over,
    ) -> Result<Flow, EvalError> {
        if let Some(live) = &class.identity {
            self.identify(live)?;
        }
        let worker = self.worker.clone();
        let mut ready = Vec::with_capacity(numbers.len());
        // Each is judged, and sent again, with the rows that it was written with.
        let mut rows_of_each = Vec::with_capacity(numbers.len());
        for number in numbers {
            let request = &class.requests[*number];
            if let Err(ended) = self.rows_of(class, request) {
                return Ok(self.without_row(&ended));
            }
            let rows = request.rows.iter().map(|row| {
                let slot = class.rows[*row].slot;
                (slot, self.mind.slots[slot].clone())
            });
            rows_of_each.push(rows.collect::<Vec<_>>());
            ready.push(self.write(request)?);
        }
        let lanes = numbers.len().min(LANES);
        let together = self.together.get_or_insert_default();
        while together.lanes.len() + 1 < lanes {
            together.lanes.push(P::Connection::default());
        }
        for lane in &mut together.lanes {
            worker.protocol.share_cookies(&mut self.connection, lane);
        }
        let due = self.due;
        let mut came: Vec<Option<(Exchange, Answer, Cut<'_, P>)>> =
            (0..numbers.len()).map(|_| None).collect();
        {
            let next = std::cell::Cell::new(0);
            let slots = std::cell::RefCell::new(&mut came);
            let connections = std::iter::once(&mut self.connection).chain(&mut together.lanes);
            let mut running: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
            for connection in connections.take(lanes) {
                let (worker, ready, next, slots) = (&worker, &ready, &next, &slots);
                running.push(Box::pin(async move {
                    loop {
                        let position = next.get();
                        if position >= numbers.len() {
                            return;
                        }
                        next.set(position + 1);
                        let request = &class.requests[numbers[position]];
                        let mut answer = room(worker, request);
                        let cut = Cut::new(worker, request.series, due, 0);
                        let outgoing = outgoing(worker, request, &ready[position]);
                        let exchange =
                            worker.protocol.exchange(connection, outgoing, &mut answer).await;
                        // Until it is judged it can still be cut, while others are waited for.
                        slots.borrow_mut()[position] = Some((exchange, answer, cut));
                    }
                }));
            }
            all(&mut running).await;
        }
        if came.iter().flatten().all(|(exchange, ..)| exchange.sent.is_none()) {
            // As after a single request that could not be sent.
            tokio::task::yield_now().await;
        }
        let mut flow = Flow::Next;
        let mut failed = None;
        let mut last = due;
        let mut sent = false;
        for (position, number) in numbers.iter().enumerate() {
            let request = &class.requests[*number];
            let Some((exchange, answer, cut)) = came[position].take() else { continue };
            cut.ended(&exchange);
            let rows = std::mem::take(&mut rows_of_each[position]);
            rows.iter().for_each(|(slot, row)| self.mind.slots[*slot].clone_from(row));
            sent |= exchange.sent.is_some();
            last = last.max(exchange.ended);
            self.see(&exchange, answer);
            if self.is_tried_again(request, &exchange, 0) {
                let outcome = raw(&exchange);
                let pending =
                    request.series.map(|series| sample(series, due, &exchange, 0, outcome));
                let together = self.together.get_or_insert_default();
                together.left.push((*number, pending, rows));
                continue;
            }
            match self.judge(class, request, &ready[position], &exchange, (due, 0)) {
                Ok(Flow::Next) => {}
                // All have been sent: all are counted, whatever one of them ends.
                Ok(other) if flow == Flow::Next => flow = other,
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
        self.due = last;
        over.rested |= sent;
        ready.into_iter().for_each(|ready| worker.give_back(ready.bytes));
        if failed.is_some() || flow != Flow::Next {
            self.record_left();
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(flow),
        }
    }

    /// Whether a request of the `parallel` before is to be sent again; then it is under way.
    pub(super) async fn resend(&mut self, class: &Class, number: usize, at: usize) -> Option<Flow> {
        if matches!(self.frames.last(), Some(Frame::Retry(retry)) if retry.at == at) {
            return None;
        }
        let left = &mut self.together.get_or_insert_default().left;
        let Some(position) = left.iter().position(|(left, ..)| *left == number) else {
            return Some(Flow::Next);
        };
        let (_, pending, rows) = left.remove(position);
        rows.into_iter().for_each(|(slot, row)| self.mind.slots[slot] = row);
        let flow = self.try_again(&class.requests[number], at, 1, pending).await;
        (flow != Flow::To(at)).then_some(flow)
    }
}

/// Waits for all of them.
async fn all(running: &mut [Pin<Box<dyn Future<Output = ()> + '_>>]) {
    let mut done = vec![false; running.len()];
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done) {
            if !*done {
                *done = future.as_mut().poll(context).is_ready();
            }
        }
        if done.iter().all(|done| *done) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Ready {
    fn bytes_of<'a>(&'a self, request: &'a Request) -> &'a [u8] {
        match &request.message {
            Message::Fixed(bytes) => bytes,
            _ => &self.bytes,
        }
    }
}

/// Buffers for what is kept of an answer.
fn room<P: Protocol>(worker: &Worker<P>, request: &Request) -> Answer {
    let buffer = |kept: bool| if kept { worker.buffer() } else { Vec::new() };
    Answer { head: buffer(request.keep_head), body: buffer(request.keep_body) }
}

pub(super) fn outgoing<'a, P: Protocol>(
    worker: &Worker<P>,
    request: &'a Request,
    ready: &'a Ready,
) -> Outgoing<'a> {
    Outgoing {
        target: ready.target,
        bytes: ready.bytes_of(request),
        head_only: request.head_only,
        continues: request.continues,
        keep_head: request.keep_head,
        keep_body: request.keep_body,
        keep_failed: worker.witness.looks(),
        limits: &request.limits,
        redirects: request.redirects,
        connection: request.connection,
    }
}

/// The path of a request that was written.
fn path_of(bytes: &[u8]) -> &str {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let path = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    std::str::from_utf8(path).unwrap_or("/")
}

/// What an exchange came to before any rule looked at it.
fn raw(exchange: &Exchange) -> Outcome {
    Outcome::Failed(match exchange.status {
        Ok(status) => Failure::Status(status),
        Err(fault) => Failure::Fault(fault),
    })
}

fn sample(
    series: u16,
    due: Instant,
    exchange: &Exchange,
    retries: u32,
    outcome: Outcome,
) -> Sample {
    Sample {
        name: series,
        due,
        sent: exchange.sent,
        first_byte: exchange.first_byte,
        ended: exchange.ended,
        connect: exchange.connect,
        body_bytes: exchange.body_bytes,
        decoded_bytes: exchange.decoded_bytes,
        status: exchange.status.ok(),
        retries,
        outcome,
    }
}

/// Counts a request as issued, and as cancelled when it is dropped before it ended (law 4).
struct Cut<'a, P: Protocol> {
    worker: &'a Worker<P>,
    series: Option<u16>,
    due: Instant,
    retries: u32,
    under_way: bool,
}

impl<'a, P: Protocol> Cut<'a, P> {
    fn new(worker: &'a Worker<P>, series: Option<u16>, due: Instant, retries: u32) -> Self {
        if retries == 0 && series.is_some() {
            worker.recorder.borrow_mut().issued();
        }
        Self { worker, series, due, retries, under_way: true }
    }

    fn ended(mut self, exchange: &Exchange) {
        self.under_way = false;
        if !exchange.noticed.is_empty() {
            self.worker.recorder.borrow_mut().noticed(exchange.noticed);
        }
    }
}

impl<P: Protocol> Drop for Cut<'_, P> {
    fn drop(&mut self) {
        if let Some(series) = self.series.filter(|_| self.under_way) {
            let cut = cancelled(series, self.due, self.retries);
            self.worker.recorder.borrow_mut().record(&cut);
        }
    }
}

fn cancelled(name: u16, due: Instant, retries: u32) -> Sample {
    Sample {
        name,
        due,
        sent: None,
        first_byte: None,
        ended: Instant::now(),
        connect: None,
        body_bytes: 0,
        decoded_bytes: 0,
        status: None,
        retries,
        outcome: Outcome::Cancelled,
    }
}

/// A user that is cut while it waits to send a request again: that request was cut (law 4). And its
/// worker learns that it is gone, whatever ended it.
impl<P: Protocol> Drop for User<P> {
    fn drop(&mut self) {
        let pending = self.frames.iter().filter_map(|frame| match frame {
            Frame::Retry(retry) => retry.pending,
            _ => None,
        });
        let left = self.together.iter().flat_map(|together| &together.left);
        for sample in pending.chain(left.filter_map(|(_, sample, _)| *sample)) {
            let cut = cancelled(sample.name, sample.due, sample.retries);
            self.worker.recorder.borrow_mut().record(&cut);
        }
        if let Some(seat) = self.seat {
            let unbegun = self.unbegun();
            if unbegun > 0 {
                self.worker.recorder.borrow_mut().dropped(unbegun);
            }
            let gone =
                Gone { seat, class: usize::from(self.class), lost: std::thread::panicking() };
            self.worker.ended.borrow_mut().push(gone);
            self.worker.news.notify_one();
        }
    }
}
