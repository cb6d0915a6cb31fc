//! Owns keeping evidence on a worker: which exchanges are kept, and what is copied of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::requests::{Ready, outgoing};
use super::user::User;
use crate::expr::Value;
use crate::metrics::{Evidence, Mark, Outcome};
use crate::program::{Class, Judgement, Request, text_of};
use crate::protocol::{Exchange, Protocol, Whereabouts};
use crate::untrusted::{PROOF, split};

/// More is not copied of a head.
const HEAD: usize = 8 * 1024;
/// More is not copied of a body.
const BODY: usize = 4 * 1024;

/// An exchange as it was on the wire, secrets and all: it leaves the engine only by
/// [`Raw::shown`].
#[derive(Debug)]
pub struct Raw {
    pub(super) mark: Mark,
    /// What a rule saw.
    pub(super) seen: Option<String>,
    pub(super) service: Option<Duration>,
    pub(super) class: Arc<str>,
    pub(super) iteration: u64,
    pub(super) attempts: u32,
    pub(super) redirects: u8,
    pub(super) whereabouts: Whereabouts,
    /// The request, its body behind the empty line.
    pub(super) sent: Message,
    /// The user's cookies have changed since: which were sent is not known.
    pub(super) cookies_changed: bool,
    pub(super) answer: Option<Came>,
    /// What its user proves who it is with.
    pub(super) proofs: Vec<String>,
    /// What it has captured that is secret, as far as that is not hidden everywhere.
    pub(super) own: Vec<String>,
}

/// What came of an answer.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) status: u16,
    pub(super) message: Message,
}

/// A head and a body, as far as they are copied.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) head: Vec<u8>,
    pub(super) head_cut: bool,
    pub(super) body: Vec<u8>,
    /// How long the whole body is.
    pub(super) body_bytes: u64,
}

impl Message {
    /// Copies the beginning of each.
    pub(super) fn of(head: &[u8], body: &[u8]) -> Self {
        let (shown, rest) = body.split_at(body.len().min(BODY));
        Self {
            head: head[..head.len().min(HEAD)].to_vec(),
            head_cut: head.len() > HEAD,
            body: shown.to_vec(),
            body_bytes: (shown.len() + rest.len()) as u64,
        }
    }

    /// A whole request.
    pub(super) fn of_request(bytes: &[u8]) -> Self {
        let (head, body) = split(bytes);
        Self::of(head, body)
    }
}

/// Keeps the exchanges of one worker that are to be shown.
#[derive(Debug)]
pub(super) struct Witness {
    /// The start of the run.
    start: Instant,
    /// For each series the response time above which a success may be kept; empty when nothing is.
    floors: Box<[Cell<Duration>]>,
    /// What was handed over leaves its place behind.
    kept: RefCell<Evidence<Option<Box<Raw>>>>,
}

impl Witness {
    /// For so many series; none when nothing is to be kept.
    pub(super) fn new(start: Instant, series: usize) -> Self {
        let floors = (0..series).map(|_| Cell::default()).collect();
        Self { start, floors, kept: RefCell::default() }
    }

    /// It keeps something at all.
    #[inline]
    pub(super) fn looks(&self) -> bool {
        !self.floors.is_empty()
    }

    /// A success of this series may be among the slowest. This is all that most requests cost.
    #[inline]
    pub(super) fn is_slow(&self, series: u16, response: Duration) -> bool {
        self.floors.get(usize::from(series)).is_some_and(|floor| response > floor.get())
    }

    /// How long after the start of the run, in microseconds.
    pub(super) fn at_us(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.start))
    }

    /// Keeps an exchange, when it is one of those that are; only then it is copied.
    pub(super) fn keep(&self, mark: Mark, copy: impl FnOnce() -> Raw) {
        let mut kept = self.kept.borrow_mut();
        if !self.looks() || !kept.wants(&mark) {
            return;
        }
        kept.add(&mark, Some(Box::new(copy())));
        if mark.failure.is_some() {
            return;
        }
        let all = 0..self.floors.len();
        let own = usize::from(mark.series);
        // When there is no room the slow of one series take that of all others.
        let changed = if kept.is_full_of_slow() { all } else { own..own + 1 };
        for series in changed {
            let floor = Duration::from_micros(kept.floor(series as u16));
            self.floors[series].set(floor);
        }
    }

    /// What was kept since the last time.
    pub(super) fn take(&self) -> Vec<Raw> {
        let mut kept = self.kept.borrow_mut();
        kept.all_mut().filter_map(Option::take).map(|raw| *raw).collect()
    }
}

/// An exchange that was judged.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) series: u16,
    pub(super) request: &'a Request,
    pub(super) ready: &'a Ready,
    pub(super) exchange: &'a Exchange,
    pub(super) judgement: &'a Judgement,
    pub(super) response: Duration,
    pub(super) attempts: u32,
}

impl<P: Protocol> User<P> {
    /// Keeps what is to be shown of an exchange, unless others come before it. Few are kept, so all that
    /// is done for them stands out of the way of the others.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_evidence(&self, class: &Class, told: &Told<'_>) {
        let Told { exchange, judgement, .. } = *told;
        let witness = &self.worker.witness;
        // What cannot be hidden for sure is not kept.
        let Some(own) = self.own_secrets() else { return };
        let failure = match judgement.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Succeeded | Outcome::Cancelled => None,
        };
        let mark = Mark {
            series: told.series,
            failure,
            at_us: witness.at_us(exchange.ended),
            response_us: micros(told.response),
            user: self.mind.id,
        };
        witness.keep(mark, || self.copied(class, mark, told, own));
    }

    fn copied(&self, class: &Class, mark: Mark, told: &Told<'_>, own: Vec<String>) -> Raw {
        let Told { exchange, judgement, ready, .. } = *told;
        let protocol = &self.worker.protocol;
        let request = outgoing(&self.worker, told.request, ready);
        let at = exchange.sent.unwrap_or(exchange.ended);
        let with_cookies = protocol.was_sent(&self.connection, request, at);
        let kept = &self.mind.response;
        let answer = exchange.status.ok().map(|status| {
            let mut message = Message::of(&kept.head, &kept.body);
            if !told.request.keep_body {
                // At most its beginning was kept, as it came.
                message.body_bytes = exchange.body_bytes;
            }
            Came { status, message }
        });
        let mut proofs = self.proofs(class);
        if with_cookies.is_none() {
            // They may have been sent, and be said again.
            let replaced = protocol.replaced_cookies(&self.connection);
            let value = |pair: &String| Some(pair.split_once('=')?.1.to_owned());
            proofs.extend(replaced.iter().filter_map(value).filter(|value| value.len() >= PROOF));
        }
        Raw {
            mark,
            seen: judgement.seen.clone(),
            service: exchange.sent.map(|sent| exchange.ended.saturating_duration_since(sent)),
            class: self.mind.class.clone(),
            iteration: self.mind.iterations,
            attempts: told.attempts,
            redirects: exchange.hops,
            whereabouts: protocol.whereabouts(ready.target),
            cookies_changed: with_cookies.is_none(),
            sent: Message::of_request(with_cookies.as_deref().unwrap_or(request.bytes)),
            answer,
            proofs,
            own,
        }
    }

    /// What the user proves who it is with, as far as it is in its variables.
    fn proofs(&self, class: &Class) -> Vec<String> {
        let words = &self.worker.setup.program.proofs;
        let mut found = Vec::new();
        for word in words.iter() {
            let value = class.names.find(word).and_then(|slot| self.mind.slots[slot].as_ref());
            if let Some(value) = value {
                proofs_in(value, words, &mut found);
            }
        }
        found
    }
}

/// The texts of a value that proves something; of a row only the cells that are named so.
fn proofs_in(value: &Value, words: &BTreeSet<String>, found: &mut Vec<String>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| proofs_in(item, words, found)),
        Value::Map(cells) => {
            let named = cells.iter().filter(|(name, _)| words.contains(&**name));
            named.for_each(|(_, cell)| proofs_in(cell, words, found));
        }
        Value::Null | Value::Bool(_) => {}
        other => found.push(text_of(other)),
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_bounded_and_its_size_is_known() {
        let long = vec![b'a'; 10_000];
        let message = Message::of(&long, &long);
        let Message { head, head_cut, body, body_bytes } = &message;
        assert_eq!((head.len(), *head_cut, body.len(), *body_bytes), (8192, true, 4096, 10_000));
        let message = Message::of_request(b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n");
        assert_eq!(message.head, b"POST / HTTP/1.1\r\nHost: a");
        assert_eq!((&*message.body, message.body_bytes), (&b"body\r\n\r\n"[..], 8));
    }

    fn mark(series: u16, ms: u64) -> Mark {
        Mark { series, failure: None, at_us: ms, response_us: ms * 1000, user: 1 }
    }

    fn raw(mark: Mark) -> Raw {
        Raw {
            mark,
            seen: None,
            service: None,
            class: "A".into(),
            iteration: 0,
            attempts: 1,
            redirects: 0,
            whereabouts: Whereabouts::default(),
            sent: Message::default(),
            cookies_changed: false,
            answer: None,
            proofs: Vec::new(),
            own: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_slower_than_before_is_looked_at_and_handed_over_once() {
        let witness = Witness::new(Instant::now(), 2);
        let slow = |ms| witness.is_slow(1, Duration::from_millis(ms));
        for ms in [5, 3, 9, 4] {
            assert!(slow(ms));
            witness.keep(mark(1, ms), || raw(mark(1, ms)));
        }
        assert_eq!([4, 5].map(slow), [false, true]);
        assert!(witness.is_slow(0, Duration::from_millis(1)));
        let taken: Vec<_> = witness.take().iter().map(|raw| raw.mark.at_us).collect();
        assert_eq!((taken, witness.take().len()), (vec![9, 5, 4], 0));
        witness.keep(mark(1, 2), || unreachable!("it is not copied"));
    }

    #[test]
    fn when_there_is_no_room_no_series_is_looked_at_in_vain() {
        let witness = Witness::new(Instant::now(), 300);
        for series in 0..300 {
            let mark = mark(series, 1000 - u64::from(series));
            witness.keep(mark, || raw(mark));
        }
        let slow = |series, ms| witness.is_slow(series, Duration::from_millis(ms));
        assert_eq!([slow(200, 800), slow(200, 901), slow(200, 902)], [false, false, true]);
    }

    #[test]
    fn without_series_nothing_is_kept() {
        let witness = Witness::new(Instant::now(), 0);
        assert!(!witness.looks() && !witness.is_slow(0, Duration::MAX));
        witness.keep(mark(0, 1), || unreachable!("it is not copied"));
        assert!(witness.take().is_empty());
    }
}
