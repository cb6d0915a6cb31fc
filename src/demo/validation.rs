//! Owns what the API says of a wrong request: the 422 that FastAPI's users know.

use serde_json::{Value, json};

use super::store::{Patch, Todo};

/// What is wrong with a request: one entry for each field.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<Value>);

impl Wrong {
    pub(super) fn one(kind: &str, loc: Value, message: &str, input: Value) -> Self {
        Self(vec![json!({ "type": kind, "loc": loc, "msg": message, "input": input })])
    }

    /// The body of the answer.
    pub(super) fn body(self) -> String {
        json!({ "detail": self.0 }).to_string()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// A body as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) bytes: &'a [u8],
    /// Its content type says that it is JSON.
    pub(super) is_json: bool,
}

/// The fields of a JSON body.
pub(super) fn fields(sent: Sent<'_>) -> Result<serde_json::Map<String, Value>, Wrong> {
    let body = sent.bytes;
    if body.is_empty() {
        return Err(Wrong::one("missing", json!(["body"]), "Field required", Value::Null));
    }
    let no_object = |input: Value| {
        let message = "Input should be a valid dictionary or object to extract fields from";
        Err(Wrong::one("model_attributes_type", json!(["body"]), message, input))
    };
    if !sent.is_json {
        return no_object(json!(String::from_utf8_lossy(body)));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => no_object(other),
        Err(error) => Err(Wrong(vec![json!({
            "type": "json_invalid",
            "loc": ["body", offset(body, &error)],
            "msg": "JSON decode error",
            "input": {},
            "ctx": { "error": python_says(&error) },
        })])),
    }
}

/// What Python's reader says of the same mistake.
fn python_says(error: &serde_json::Error) -> &'static str {
    let message = error.to_string();
    if message.starts_with("trailing characters") {
        "Extra data"
    } else if message.starts_with("trailing comma") || message.starts_with("key must be") {
        "Expecting property name enclosed in double quotes"
    } else {
        "Expecting value"
    }
}

/// Where a JSON mistake is, in bytes.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let lines = body.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}

fn text(name: &str, value: Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => Ok(text),
        other => {
            let message = "Input should be a valid string";
            Err(Wrong::one("string_type", json!(["body", name]), message, other))
        }
    }
}

/// What pydantic takes for a boolean, when it is not strict.
fn boolean(name: &str, value: Value) -> Result<bool, Wrong> {
    let known = match &value {
        Value::Bool(value) => return Ok(*value),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        _ => {
            let message = "Input should be a valid boolean";
            return Err(Wrong::one("bool_type", json!(["body", name]), message, value));
        }
    };
    known.ok_or_else(|| {
        let message = "Input should be a valid boolean, unable to interpret input";
        Wrong::one("bool_parsing", json!(["body", name]), message, value)
    })
}

/// Reads an optional field that may be `null`.
fn nullable<T>(
    value: Value,
    read: impl FnOnce(Value) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

/// Takes what was read, or adds what is wrong.
fn take<T: Default>(read: Result<T, Wrong>, wrong: &mut Wrong) -> T {
    read.unwrap_or_else(|found| {
        wrong.add(found);
        T::default()
    })
}

/// Reads a new todo.
pub(super) fn todo(body: Sent<'_>) -> Result<Todo, Wrong> {
    let mut fields = fields(body)?;
    let mut wrong = Wrong::default();
    let title = match fields.remove("title") {
        Some(value) => text("title", value).map(Some),
        None => Err(Wrong::one(
            "missing",
            json!(["body", "title"]),
            "Field required",
            Value::Object(fields.clone()),
        )),
    };
    let title = take(title, &mut wrong);
    let description = fields.remove("description").unwrap_or(Value::Null);
    let description = take(nullable(description, |value| text("description", value)), &mut wrong);
    let completed = match fields.remove("completed") {
        Some(value) => take(boolean("completed", value), &mut wrong),
        None => false,
    };
    let todo = Todo { title, description, completed: Some(completed) };
    if wrong.0.is_empty() { Ok(todo) } else { Err(wrong) }
}

/// Reads a change to a todo.
pub(super) fn patch(body: Sent<'_>) -> Result<Patch, Wrong> {
    let mut fields = fields(body)?;
    let mut wrong = Wrong::default();
    let mut string = |name: &str, wrong: &mut Wrong| {
        let value = fields.remove(name)?;
        Some(take(nullable(value, |value| text(name, value)), wrong))
    };
    let title = string("title", &mut wrong);
    let description = string("description", &mut wrong);
    let completed = fields
        .remove("completed")
        .map(|value| take(nullable(value, |value| boolean("completed", value)), &mut wrong));
    let patch = Patch { title, description, completed };
    if wrong.0.is_empty() { Ok(patch) } else { Err(wrong) }
}

/// Reads a user name and a password.
pub(super) fn login(body: Sent<'_>) -> Result<String, Wrong> {
    let fields = fields(body)?;
    let mut wrong = Wrong::default();
    let mut read = |name: &str| match fields.get(name) {
        Some(value) => take(text(name, value.clone()), &mut wrong),
        None => {
            let input = Value::Object(fields.clone());
            wrong.add(Wrong::one("missing", json!(["body", name]), "Field required", input));
            String::new()
        }
    };
    let username = read("username");
    read("password");
    if wrong.0.is_empty() { Ok(username) } else { Err(wrong) }
}

/// Reads a whole number of the path or the query.
pub(super) fn integer(place: &str, name: &str, text: &str) -> Result<i64, Wrong> {
    // `1.0` is a whole number to pydantic.
    let whole = text.trim().split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'));
    whole.map_or(text.trim(), |(whole, _)| whole).parse().map_err(|_| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        Wrong::one("int_parsing", json!([place, name]), message, json!(text))
    })
}
