//! Owns the API's routes: from a request to its answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};

use super::store::Store;
use super::validation::{self, Sent, Wrong};

/// No request's body may be larger.
const BODY: usize = 1 << 20;

type Answer = Response<Full<Bytes>>;

/// What the threads of a demo share.
#[derive(Debug)]
pub(super) struct Api {
    store: Mutex<Store>,
    delay: Duration,
    fail: f64,
    answers: AtomicU64,
    logins: AtomicU64,
}

impl Api {
    pub(super) fn new(delay: Duration, fail: f64) -> Self {
        let (answers, logins) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { store: Mutex::default(), delay, fail, answers, logins }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
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
    let has_body = matches!(head.method, Method::POST | Method::PUT);
    let body = if has_body {
        match Limited::new(body, BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large"),
        }
    } else {
        Bytes::new()
    };
    if !api.delay.is_zero() {
        tokio::time::sleep(api.delay).await;
    }
    let path = head.uri.path();
    if path != "/health" && api.fails() {
        return detail(StatusCode::INTERNAL_SERVER_ERROR, "demo failure");
    }
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sent = Sent { bytes: &body, is_json: is_json(&head.headers) };
    route(api, &head.method, host, path, head.uri.query().unwrap_or_default(), sent)
}

/// `application/json`, or a type built on it. Without it a body is text to FastAPI.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"))
}

fn route(
    api: &Api,
    method: &Method,
    host: &str,
    path: &str,
    query: &str,
    body: Sent<'_>,
) -> Answer {
    match path {
        "/" => only(method, "GET", || {
            json(
                StatusCode::OK,
                r#"{"service":"throng demo","paths":["/todos/","/todos/{id}","/login","/logout","/health"]}"#,
            )
        }),
        "/health" => only(method, "GET", || json(StatusCode::OK, r#"{"status":"ok"}"#)),
        "/login" => only(method, "POST", || login(api, body)),
        "/logout" => only(method, "POST", || empty(StatusCode::NO_CONTENT)),
        "/todos" => redirect(host, "/todos/", query),
        "/todos/" => match *method {
            Method::GET => list(api, query),
            Method::POST => match validation::todo(body) {
                Ok(todo) => json(StatusCode::CREATED, api.store().create(todo)),
                Err(wrong) => unprocessable(wrong),
            },
            _ => not_allowed("POST"),
        },
        _ => match path.strip_prefix("/todos/") {
            Some(id) if !id.contains('/') => todo(api, method, id, body),
            Some(id) if id.find('/') == Some(id.len() - 1) => {
                redirect(host, path.trim_end_matches('/'), query)
            }
            _ => detail(StatusCode::NOT_FOUND, "Not Found"),
        },
    }
}

fn only(method: &Method, allowed: &'static str, answer: impl FnOnce() -> Answer) -> Answer {
    if method.as_str() == allowed { answer() } else { not_allowed(allowed) }
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

fn login(api: &Api, body: Sent<'_>) -> Answer {
    match validation::login(body) {
        Ok(_) => {
            let number = api.logins.fetch_add(1, Ordering::Relaxed) + 1;
            json(StatusCode::OK, format!(r#"{{"token":"demo-token-{number}"}}"#))
        }
        Err(wrong) => unprocessable(wrong),
    }
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn detail(status: StatusCode, text: &str) -> Answer {
    json(status, format!(r#"{{"detail":"{text}"}}"#))
}

fn unprocessable(wrong: Wrong) -> Answer {
    json(StatusCode::UNPROCESSABLE_ENTITY, wrong.body())
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

fn redirect(host: &str, path: &str, query: &str) -> Answer {
    let mut answer = empty(StatusCode::TEMPORARY_REDIRECT);
    let question = if query.is_empty() { "" } else { "?" };
    let to = format!("http://{host}{path}{question}{query}");
    if let Ok(to) = HeaderValue::from_str(&to) {
        answer.headers_mut().insert(LOCATION, to);
    }
    answer
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
