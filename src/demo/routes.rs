//! Owns the Todo API's routes, and what all answers go through: from a request to its answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, StatusCode};

use super::answer::{Answer, detail, empty, json, not_allowed, redirect, unprocessable};
use super::asked::Asked;
use super::auth::Auth;
use super::flaky::Flaky;
use super::jobs::{Events, Jobs};
use super::more;
use super::pages::Forms;
use super::projects::{Projects, Users};
use super::shop::Shop;
use super::store::Store;
use super::validation::{self, Sent};

/// No request's body may be larger …
const BODY: usize = 1 << 20;
/// … but for an upload's.
const UPLOAD: usize = 16 << 20;

/// What the threads of a demo share.
#[derive(Debug)]
pub(super) struct Api {
    store: Mutex<Store>,
    delay: Duration,
    fail: f64,
    answers: AtomicU64,
    pub(super) auth: Auth,
    pub(super) shop: Shop,
    pub(super) jobs: Jobs,
    pub(super) events: Events,
    pub(super) forms: Forms,
    pub(super) projects: Projects,
    pub(super) users: Users,
    pub(super) flaky: Flaky,
}

impl Api {
    pub(super) fn new(delay: Duration, fail: f64) -> Self {
        Self {
            store: Mutex::default(),
            delay,
            fail,
            answers: AtomicU64::new(0),
            auth: Auth::default(),
            shop: Shop::default(),
            jobs: Jobs::default(),
            events: Events::default(),
            forms: Forms::default(),
            projects: Projects::default(),
            users: Users::default(),
            flaky: Flaky::default(),
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this answer is one of the share that fails: spread evenly, not by luck, and by the
    /// golden ratio, whose steps keep in step with nothing that a client repeats.
    fn fails(&self) -> bool {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        if self.fail <= 0.0 {
            return false;
        }
        let n = self.answers.fetch_add(1, Ordering::Relaxed) as f64;
        (n * GOLDEN).fract() < self.fail
    }
}

/// Answers a request.
pub(super) async fn respond(api: &Api, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let body = if body.is_end_stream() {
        Bytes::new()
    } else {
        let most = if path == "/upload" { UPLOAD } else { BODY };
        match Limited::new(body, most).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
        }
    };
    if !api.delay.is_zero() {
        tokio::time::sleep(api.delay).await;
    }
    if path != "/health" && api.fails() {
        return detail(StatusCode::INTERNAL_SERVER_ERROR, "demo failure");
    }
    let query = head.uri.query().unwrap_or_default();
    let asked = Asked { method: &head.method, path, query, headers: &head.headers, body: &body };
    match todos(api, &asked) {
        Some(answer) => answer,
        // In a box: what few ask for should not make the future of every request larger.
        None => Box::pin(more::route(api, &asked)).await,
    }
}

/// The answers of the Todo API. They are looked for first, and fast.
fn todos(api: &Api, asked: &Asked<'_>) -> Option<Answer> {
    let (method, path) = (asked.method, asked.path);
    Some(match path {
        "/todos/" => match *method {
            Method::GET => list(api, asked.query),
            Method::POST => match validation::todo(asked.sent()) {
                Ok(todo) => json(StatusCode::CREATED, api.store().create(todo)),
                Err(wrong) => unprocessable(wrong),
            },
            _ => not_allowed("POST"),
        },
        "/health" if *method == Method::GET => json(StatusCode::OK, r#"{"status":"ok"}"#),
        "/todos" => with_slash(asked, "/todos/"),
        _ => match path.strip_prefix("/todos/")? {
            id if !id.contains('/') => todo(api, method, id, asked.sent()),
            id if id.find('/') == Some(id.len() - 1) => {
                with_slash(asked, path.trim_end_matches('/'))
            }
            _ => return None,
        },
    })
}

fn todo(api: &Api, method: &Method, id: &str, body: Sent<'_>) -> Answer {
    if !matches!(*method, Method::GET | Method::PUT | Method::DELETE) {
        return not_allowed("GET");
    }
    let id = validation::integer("path", "i", id);
    let found = match *method {
        Method::PUT => match (id, validation::patch(body)) {
            (Ok(id), Ok(patch)) => api.store().update(id, patch),
            (Err(mut wrong), Err(more)) => {
                wrong.add(more);
                return unprocessable(wrong);
            }
            (Err(wrong), _) | (_, Err(wrong)) => return unprocessable(wrong),
        },
        _ => match id {
            Err(wrong) => return unprocessable(wrong),
            Ok(id) if *method == Method::GET => api.store().get(id),
            Ok(id) => {
                if api.store().delete(id) {
                    return empty(StatusCode::NO_CONTENT);
                }
                None
            }
        },
    };
    match found {
        Some(body) => json(StatusCode::OK, body),
        None => detail(StatusCode::NOT_FOUND, "Todo not found"),
    }
}

fn list(api: &Api, query: &str) -> Answer {
    let number = |name: &str, default: i64| {
        let mut given = query.split('&').filter_map(|pair| pair.split_once('='));
        match given.rfind(|(key, _)| *key == name) {
            Some((_, text)) => validation::integer("query", name, text),
            None => Ok(default),
        }
    };
    match (number("skip", 0), number("limit", 100)) {
        (Ok(skip), Ok(limit)) => {
            let size = |number: i64| usize::try_from(number).unwrap_or(0);
            json(StatusCode::OK, api.store().list(size(skip), size(limit)))
        }
        (Err(mut wrong), Err(more)) => {
            wrong.add(more);
            unprocessable(wrong)
        }
        (Err(wrong), _) | (_, Err(wrong)) => unprocessable(wrong),
    }
}

/// To the same path with the slash that it lacks, or without the one too many.
fn with_slash(asked: &Asked<'_>, path: &str) -> Answer {
    let question = if asked.query.is_empty() { "" } else { "?" };
    let to = format!("http://{}{path}{question}{}", asked.host(), asked.query);
    redirect(StatusCode::TEMPORARY_REDIRECT, &to)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
