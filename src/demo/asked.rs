//! Owns what a request asks, taken apart: query, headers, cookies, fields.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, unprocessable};
use super::validation::{self, Sent, Wrong};

/// Texts that are remembered may be so many bytes long.
const TEXT: usize = 1000;

/// A request whose body has come.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    /// As it was sent, without the `?`.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

impl Asked<'_> {
    pub(super) fn header(&self, name: impl hyper::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn host(&self) -> &str {
        self.header(HOST)
    }

    /// The content type without its parameters, in lower case.
    pub(super) fn kind(&self) -> String {
        let kind = self.header(CONTENT_TYPE).split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    pub(super) fn sent(&self) -> Sent<'_> {
        Sent { bytes: self.body, is_json: is_json(&self.kind()) }
    }

    /// What follows `Bearer`, `Basic` and the like.
    pub(super) fn credentials(&self, scheme: &str) -> Option<&str> {
        let (found, rest) = self.header(AUTHORIZATION).split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    /// The last value of the query under this name, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(key, _)| key == name).last().map(|(_, value)| value.into_owned())
    }

    /// A whole number of the query.
    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, Refusal> {
        let Some(text) = self.query(name) else { return Ok(default) };
        let number = validation::integer("query", name, &text).map_err(unprocessable)?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// The cookies that came, in their order.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The fields of a JSON body.
    pub(super) fn fields(&self) -> Result<Map<String, Value>, Refusal> {
        validation::fields(self.sent()).map_err(|wrong| unprocessable(wrong).into())
    }

    /// The value of an urlencoded body under this name.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        if self.kind() != "application/x-www-form-urlencoded" {
            return None;
        }
        let mut pairs = form_urlencoded::parse(self.body);
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// `application/json`, or a type built on it. Without it a body is text to FastAPI.
pub(super) fn is_json(kind: &str) -> bool {
    kind.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"))
}

/// A text among the fields; nothing when there is none.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    let wrong = |kind, message: &str, input: &Value| {
        Err(unprocessable(Wrong::one(kind, json!(["body", name]), message, input.clone())).into())
    };
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= TEXT => Ok(Some(text.clone())),
        Some(Value::String(_)) => {
            wrong("string_too_long", "String should have at most 1000 characters", &Value::Null)
        }
        Some(other) => wrong("string_type", "Input should be a valid string", other),
    }
}

/// A text that the fields must hold.
pub(super) fn required(fields: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    text(fields, name)?.ok_or_else(|| missing(fields, name).into())
}

/// A whole number that the fields must hold; digits in a text are one to pydantic.
pub(super) fn whole(fields: &Map<String, Value>, name: &str) -> Result<u64, Refusal> {
    let found = match fields.get(name) {
        None | Some(Value::Null) => return Err(missing(fields, name).into()),
        Some(found) => found,
    };
    let number = found.as_u64().or_else(|| found.as_str()?.trim().parse().ok());
    number.ok_or_else(|| {
        let message = "Input should be a valid integer";
        unprocessable(Wrong::one("int_type", json!(["body", name]), message, found.clone())).into()
    })
}

fn missing(fields: &Map<String, Value>, name: &str) -> Answer {
    let input = Value::Object(fields.clone());
    unprocessable(Wrong::one("missing", json!(["body", name]), "Field required", input))
}
