//! Owns how an answer is made: status, type, body.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::validation::Wrong;

/// What goes back to a client.
pub(super) type Answer = Response<Full<Bytes>>;

/// An answer that ends the work on a request early. In a box, since few are made.
pub(super) type Refusal = Box<Answer>;

pub(super) fn body(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

pub(super) fn json(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    body(status, "application/json", text)
}

pub(super) fn value(status: StatusCode, value: &Value) -> Answer {
    json(status, value.to_string())
}

pub(super) fn ok(found: &Value) -> Answer {
    value(StatusCode::OK, found)
}

pub(super) fn html(text: String) -> Answer {
    body(StatusCode::OK, "text/html; charset=utf-8", text)
}

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// What FastAPI says of most mistakes.
pub(super) fn detail(status: StatusCode, text: &str) -> Answer {
    value(status, &serde_json::json!({ "detail": text }))
}

pub(super) fn unprocessable(wrong: Wrong) -> Answer {
    json(StatusCode::UNPROCESSABLE_ENTITY, wrong.body())
}

pub(super) fn not_allowed(allowed: &'static str) -> Answer {
    let answer = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    with(answer, ALLOW, allowed)
}

pub(super) fn redirect(status: StatusCode, to: &str) -> Answer {
    with(empty(status), LOCATION, to)
}

/// With one more header; a value that no header can hold is left out.
pub(super) fn with(mut answer: Answer, name: HeaderName, text: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(text) {
        answer.headers_mut().append(name, value);
    }
    answer
}
