//! Owns what an expression can see while it is evaluated: variables, the last answer, the run.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Value;
use super::counters::Counters;
use crate::random::Stream;

/// What an expression can see while it is evaluated.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The user's variables by slot; `None` is not assigned yet.
    pub slots: &'a [Option<Value>],
    /// The last answer.
    pub response: Option<&'a Response>,
    /// The request that is being written, for its headers.
    pub request: Option<&'a Written<'a>>,
    /// The user's number, from 1.
    pub user_id: u64,
    /// The name of the user's class.
    pub user_class: &'a Arc<str>,
    /// How many iterations the user has finished.
    pub user_iteration: u64,
    /// What all users share.
    pub run: &'a Run,
    /// The user's random numbers.
    pub random: &'a mut Stream,
}

/// The last answer, as expressions see it.
#[derive(Debug, Default)]
pub struct Response {
    /// Its status; 0 when there is no answer, and then it has no value.
    pub status: u16,
    /// Its header lines as they were received, `Name: value\r\n` each, without the status line.
    pub head: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
    /// Its response time.
    pub time: Duration,
    /// How many bytes its body had on the wire.
    pub size: u64,
    json: OnceCell<Option<Value>>,
}

impl Response {
    /// Forgets it, and keeps its memory for the next.
    pub fn clear(&mut self) {
        self.status = 0;
        self.head.clear();
        self.body.clear();
        self.time = Duration::ZERO;
        self.size = 0;
        self.json.take();
    }

    /// The value of its first header called `name`, whatever the case of the letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header_bytes(name).map(String::from_utf8_lossy)
    }

    fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.head.split(|&byte| byte == b'\n').find_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let found = line[..colon].eq_ignore_ascii_case(name.as_bytes());
            found.then(|| line[colon + 1..].trim_ascii())
        })
    }

    /// Its headers with small letters, in order; of several with one name, the first.
    pub(super) fn headers(&self) -> Value {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        for line in self.head.split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            if !entries.iter().any(|(known, _)| **known == *name) {
                let value = String::from_utf8_lossy(line[colon + 1..].trim_ascii());
                entries.push((name.into(), Value::Text(value.as_ref().into())));
            }
        }
        Value::Map(Arc::new(entries))
    }

    /// Its body as JSON, parsed once; none when it is no JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).ok()).as_ref()
    }
}

/// A request that is being written: its headers can see it.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path as it is sent, with the query.
    pub path: &'a str,
    /// Its body as it is sent.
    pub body: &'a [u8],
}

/// What all users of a run share.
#[derive(Debug)]
pub struct Run {
    /// The run's name for itself.
    pub id: Arc<str>,
    started: Instant,
    wall: jiff::Timestamp,
    counters: Counters,
}

impl Run {
    /// The run that began at `started`, when the clock on the wall said `wall`.
    pub fn new(id: impl Into<Arc<str>>, started: Instant, wall: jiff::Timestamp) -> Self {
        Self { id: id.into(), started, wall, counters: Counters::default() }
    }

    /// The same run for a worker whose users begin at `started`: what ran `before` is no part of their
    /// time, which is that of the results. One `of_several` takes numbers of a counter ahead.
    #[must_use]
    pub fn of_worker(&self, started: Instant, of_several: bool) -> Self {
        let counters =
            if of_several { self.counters.of_worker() } else { self.counters.of_the_only() };
        let later = started.saturating_duration_since(self.started);
        let later = jiff::SignedDuration::try_from(later).unwrap_or_default();
        let wall = self.wall.saturating_add(later).unwrap_or(self.wall);
        Self { id: self.id.clone(), started, wall, counters }
    }

    /// How long ago it began, by the clock that tests can replace.
    pub(super) fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }

    /// The time of day.
    pub(super) fn now(&self) -> jiff::Timestamp {
        let elapsed = jiff::SignedDuration::try_from(self.elapsed()).unwrap_or_default();
        self.wall.saturating_add(elapsed).unwrap_or(self.wall)
    }

    /// The next number of a counter, from 1; none when the run has too many counters.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.counters.next(name)
    }
}
