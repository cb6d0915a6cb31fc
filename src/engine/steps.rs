//! Owns the instructions of a user: what each of them does.

use tokio::time::Instant;

use super::frames::{Flow, Frame, Transaction};
use super::user::{Over, User};
use crate::expr::{EvalError, Value};
use crate::load::{Wait, pick};
use crate::program::{Class, Instruction, Way, push, remove};
use crate::protocol::Protocol;

/// A loop that goes round more often than this has lost its way.
const MOST_ROUNDS: u64 = 1_000_000;

impl<P: Protocol> User<P> {
    /// Runs instructions from `at` on to their end.
    pub(super) async fn run(&mut self, class: &Class, at: usize) -> Over {
        let mut at = at;
        let mut over = Over { rested: false, failed: false, ends: None, from: at, at };
        let mut steps = 0u32;
        loop {
            steps += 1;
            if steps.is_multiple_of(10_000) {
                // A long loop that neither sends nor waits must let others have their turn.
                tokio::task::yield_now().await;
            }
            let flow = match &class.code[at] {
                Instruction::Request(number) => self.request(class, *number, at, &mut over).await,
                Instruction::Wait(wait) => self.rest(*wait, &mut over).await,
                // Boxed, as all that few plans do: a future has room for the largest that it may wait for.
                Instruction::Resend(number) => {
                    match Box::pin(self.resend(class, *number, at)).await {
                        Some(flow) => Ok(flow),
                        None => Box::pin(self.request(class, *number, at, &mut over)).await,
                    }
                }
                Instruction::Parallel(numbers) => {
                    Box::pin(self.together(class, numbers, &mut over)).await
                }
                _ => self.step(class, at),
            };
            let flow = flow.unwrap_or_else(|error| {
                self.exception(&error);
                Flow::Failed
            });
            match flow {
                Flow::Next => at += 1,
                Flow::To(to) => at = to,
                Flow::End => break,
                Flow::Failed => {
                    over.failed = true;
                    break;
                }
                Flow::Stop(stop, failed) => {
                    over.ends = Some(stop);
                    over.failed = failed;
                    break;
                }
            }
        }
        over.at = at;
        self.unwind(over.failed);
        over
    }

    /// What an iteration leaves open when it is broken off: transactions and retries end with it.
    fn unwind(&mut self, failed: bool) {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Group(mut group) => {
                    group.failed |= failed;
                    self.end_group(group);
                }
                Frame::Retry(retry) => self.record_pending(&retry),
                _ => {}
            }
        }
        self.record_left();
    }

    /// Waits as the plan says.
    async fn rest(&mut self, wait: Wait, over: &mut Over) -> Result<Flow, EvalError> {
        if self.leaves_out(wait) {
            return Ok(Flow::Next);
        }
        over.rested |= wait != Wait::None;
        let spent = self.spent();
        let wait = wait.draw(&mut self.mind.random, spent);
        self.pause(wait).await;
        Ok(Flow::Next)
    }

    /// Does the instruction at `at`, one that waits for nothing: a future around each would be felt.
    fn step(&mut self, class: &Class, at: usize) -> Result<Flow, EvalError> {
        Ok(match &class.code[at] {
            Instruction::Request(_)
            | Instruction::Resend(_)
            | Instruction::Parallel(_)
            | Instruction::Wait(_) => unreachable!("what is waited for is done by `run`"),
            Instruction::Set(slot, build) => {
                self.mind.slots[*slot] = Some(build.value(&mut self.mind.scope(None))?);
                Flow::Next
            }
            Instruction::Push(slot, build) => {
                let value = build.value(&mut self.mind.scope(None))?;
                push(&mut self.mind.slots[*slot], value);
                Flow::Next
            }
            Instruction::Remove(slot, build) => {
                let value = build.value(&mut self.mind.scope(None))?;
                remove(&mut self.mind.slots[*slot], &value);
                Flow::Next
            }
            Instruction::Unless(condition, to) => {
                let holds = condition.holds(&mut self.mind.scope(None))?;
                self.forks(class, at, holds, *to)
            }
            Instruction::Chance(chance, to) => {
                let has_it = self.mind.random.fraction() < *chance;
                self.forks(class, at, has_it, *to)
            }
            Instruction::Jump(to) => Flow::To(*to),
            Instruction::Choose(branches) => {
                let weights = branches.iter().map(|(weight, _)| *weight);
                match pick(weights, &mut self.mind.random) {
                    Some(chosen) => {
                        self.tell_way(class, at, Way::Branch(chosen, branches.len()));
                        Flow::To(branches[chosen].1)
                    }
                    None => Flow::Next,
                }
            }
            Instruction::Repeat(times, to) => match times.value(&mut self.mind.scope(None))? {
                Value::Int(0) => self.forks(class, at, false, *to),
                Value::Int(times) if (0..=MOST_ROUNDS as i64).contains(&times) => {
                    self.frames.push(Frame::Count(times as u64 - 1));
                    Flow::Next
                }
                other => {
                    let wants = format!("repeat wants a number from 0 to {MOST_ROUNDS}");
                    return Err(EvalError(match other {
                        Value::Int(_) => wants,
                        other => format!("{wants}, not {}", other.kind()),
                    }));
                }
            },
            Instruction::For(slot, items, to) => match items.value(&mut self.mind.scope(None))? {
                Value::List(items) => match items.first() {
                    Some(first) => {
                        self.mind.slots[*slot] = Some(first.clone());
                        self.frames.push(Frame::Items { slot: *slot, items, next: 1 });
                        Flow::Next
                    }
                    None => self.forks(class, at, false, *to),
                },
                other => {
                    return Err(EvalError(format!("for wants a list, not {}", other.kind())));
                }
            },
            Instruction::Round(to) => match self.frames.last_mut() {
                Some(Frame::Count(left)) if *left > 0 => {
                    *left -= 1;
                    Flow::To(*to)
                }
                Some(Frame::Items { slot, items, next }) if *next < items.len() => {
                    self.mind.slots[*slot] = Some(items[*next].clone());
                    *next += 1;
                    Flow::To(*to)
                }
                _ => {
                    self.frames.pop();
                    Flow::Next
                }
            },
            Instruction::Begin { at_most, within } => {
                let until = within.map(|within| self.due + within);
                self.frames.push(Frame::Bound { left: *at_most, until, begun: false });
                Flow::Next
            }
            Instruction::Leave => {
                self.frames.pop();
                Flow::Next
            }
            Instruction::Bound(to) => match self.frames.last_mut() {
                Some(Frame::Bound { left: Some(0), .. }) => Flow::To(*to),
                Some(Frame::Bound { left: Some(left), .. }) => {
                    *left -= 1;
                    Flow::Next
                }
                _ => Flow::Next,
            },
            Instruction::Until(condition, to, text) => {
                if condition.holds(&mut self.mind.scope(None))? {
                    self.frames.pop();
                    return Ok(Flow::Next);
                }
                // The clock, not `due`: that stands still where a round neither sends nor waits.
                let now = Instant::now();
                match self.frames.last_mut() {
                    Some(Frame::Bound { until: Some(until), .. }) if now >= *until => {
                        return Err(self.sentence(*text));
                    }
                    Some(Frame::Bound { left: Some(left), .. }) => {
                        *left -= 1;
                        if *left == 0 {
                            return Err(self.sentence(*text));
                        }
                    }
                    _ => {}
                }
                Flow::To(*to)
            }
            Instruction::Group(number) => {
                let (started, waited) = (self.due, self.waited);
                let group = Transaction { number: *number, started, waited, failed: false };
                self.frames.push(Frame::Group(group));
                Flow::Next
            }
            Instruction::EndGroup => {
                if let Some(Frame::Group(group)) = self.frames.pop() {
                    self.end_group(group);
                }
                Flow::Next
            }
            Instruction::Call(to) => {
                self.frames.push(Frame::Call(at + 1));
                Flow::To(*to)
            }
            Instruction::Return => match self.frames.pop() {
                Some(Frame::Call(back)) => Flow::To(back),
                _ => Flow::End,
            },
            Instruction::Again => match self.frames.last() {
                Some(Frame::Retry(retry)) => Flow::To(retry.at),
                _ => Flow::End,
            },
            Instruction::Fail(text, message) => {
                let error = self.sentence(*text);
                if let Some(observer) = &self.worker.observer {
                    let mut shown = Vec::new();
                    message.render(&mut self.mind.scope(None), &mut shown)?;
                    let shown = String::from_utf8_lossy(&shown);
                    let shown = self.hidden(&shown);
                    observer.borrow_mut().said("fail", &shown);
                }
                return Err(error);
            }
            Instruction::Stop(stop) => Flow::Stop(*stop, false),
            Instruction::Log(text) => {
                let mut line = Vec::new();
                text.render(&mut self.mind.scope(None), &mut line)?;
                self.log(&String::from_utf8_lossy(&line));
                Flow::Next
            }
            Instruction::End => Flow::End,
        })
    }

    /// One of two ways, told to those who look on.
    fn forks(&mut self, class: &Class, at: usize, goes_on: bool, to: usize) -> Flow {
        self.tell_way(class, at, if goes_on { Way::On } else { Way::Off });
        if goes_on { Flow::Next } else { Flow::To(to) }
    }

    fn tell_way(&mut self, class: &Class, at: usize, way: Way) {
        let Some(observer) = &self.worker.observer else { return };
        let Some(mark) = class.marks.get(&at) else { return };
        if let (true, Some(Frame::Bound { begun, .. })) = (mark.each_round, self.frames.last_mut())
            && std::mem::replace(begun, true)
        {
            return;
        }
        if let Some(text) = mark.told(way) {
            observer.borrow_mut().turned(mark, &text);
        }
    }

    /// A sentence of the catalogue, as what went wrong.
    fn sentence(&self, number: u32) -> EvalError {
        let texts = &self.worker.setup.program.catalogue.texts;
        EvalError(texts.get(number as usize).cloned().unwrap_or_default())
    }

    /// Whether a wait is only told to those who look on.
    fn leaves_out(&self, wait: Wait) -> bool {
        let Some(observer) = &self.worker.observer else { return false };
        // A loop that looks again and again whether something holds needs its pauses.
        let polls = self.frames.iter().any(|frame| matches!(frame, Frame::Bound { .. }));
        let leaves_out = wait != Wait::None && !polls && !observer.borrow().waits();
        if leaves_out {
            observer.borrow_mut().skipped(wait);
        }
        leaves_out
    }

    fn log(&mut self, line: &str) {
        let line = self.hidden(line).into_owned();
        match &self.worker.observer {
            Some(observer) => observer.borrow_mut().said("log", &line),
            None => self.worker.log(line),
        }
    }

    /// A transaction is over: its time is what passed less what was waited.
    pub(super) fn end_group(&mut self, group: Transaction) {
        let waited = self.waited.saturating_sub(group.waited);
        let time = self.due.saturating_duration_since(group.started).saturating_sub(waited);
        self.worker.recorder.borrow_mut().group(group.number, self.due, time, group.failed);
        if group.failed {
            self.fail_groups();
        }
    }

    /// A step failed: so did every transaction that it is in.
    pub(super) fn fail_groups(&mut self) {
        for frame in &mut self.frames {
            if let Frame::Group(group) = frame {
                group.failed = true;
            }
        }
    }
}
