//! Owns work that takes a while: jobs that are asked after, and events that are waited for.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::LOCATION;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::answer::{Answer, Refusal, detail, empty, ok, value, with};
use super::asked::{Asked, required};
use super::kept::Kept;

/// A job is done when it is asked after for this time, unless the client says another.
const POLLS: u64 = 3;
/// Jobs that are remembered.
const JOBS: usize = 100_000;
/// Events that are remembered.
const EVENTS: usize = 1_000;
/// An answer holds no more events.
const EVENTS_AT_ONCE: usize = 100;
/// Nobody is kept waiting longer for an event.
const WAIT: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Job {
    asked: u64,
    polls: u64,
}

/// All jobs, and the id of the last.
#[derive(Debug)]
pub(super) struct Jobs(Mutex<(Kept<u64, Job>, u64)>);

impl Default for Jobs {
    fn default() -> Self {
        Self(Mutex::new((Kept::new(JOBS), 0)))
    }
}

impl Jobs {
    /// Begins a job.
    pub(super) fn begin(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let polls = asked.number("polls", POLLS)?.max(1);
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, last) = &mut *jobs;
        *last += 1;
        kept.insert(*last, Job { asked: 0, polls });
        let answer = value(StatusCode::ACCEPTED, &json!({ "id": *last, "state": "running" }));
        Ok(with(answer, LOCATION, &format!("/jobs/{last}")))
    }

    /// How a job is doing. It gets on by being asked after, so that no clock decides.
    pub(super) fn state(&self, id: &str) -> Answer {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = id.parse::<u64>().unwrap_or(0);
        let Some(job) = jobs.0.get_mut(&id) else {
            return detail(StatusCode::NOT_FOUND, "Job not found");
        };
        job.asked = job.asked.saturating_add(1);
        if job.asked < job.polls {
            return ok(&json!({ "id": id, "state": "running", "result": null }));
        }
        ok(&json!({ "id": id, "state": "done", "result": id * 2 }))
    }
}

/// The last events.
#[derive(Debug)]
pub(super) struct Events {
    kept: Mutex<VecDeque<(u64, String)>>,
    /// The id of the last one.
    last: watch::Sender<u64>,
}

impl Default for Events {
    fn default() -> Self {
        Self { kept: Mutex::default(), last: watch::Sender::new(0) }
    }
}

impl Events {
    /// Adds an event, and wakes those who wait.
    pub(super) fn add(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let text = required(&asked.fields()?, "text")?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *self.last.borrow() + 1;
        kept.push_back((id, text));
        if kept.len() > EVENTS {
            kept.pop_front();
        }
        // While the list is held, so that ids come in their order.
        self.last.send_replace(id);
        Ok(value(StatusCode::CREATED, &json!({ "id": id })))
    }

    /// The events after the one named, as soon as there are any.
    pub(super) async fn wait(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let after = asked.number("after", 0)?;
        let wait = Duration::from_millis(asked.number("wait", 1000)?).min(WAIT);
        let mut last = self.last.subscribe();
        if tokio::time::timeout(wait, last.wait_for(|last| *last > after)).await.is_err() {
            return Ok(empty(StatusCode::NO_CONTENT));
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = kept.iter().filter(|(id, _)| *id > after).take(EVENTS_AT_ONCE);
        let mut last = after;
        let events: Vec<Value> = newer
            .map(|(id, text)| {
                last = *id;
                json!({ "id": id, "text": text })
            })
            .collect();
        Ok(ok(&json!({ "events": events, "last": last })))
    }
}
