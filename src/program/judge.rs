//! Owns judging an answer: accept, then every expect, then captures, in that order.

use std::time::Duration;

use super::build::{Build, push};
use super::explain::{Explained, Part, time_text};
use super::instruction::Request;
use super::mind::Mind;
use super::rules::{Capture, Check, Expect, Matcher, Source, Text};
use crate::expr::{EvalError, NotJson, Pick, Value};
use crate::metrics::{Failure, Fault, Outcome};
use crate::plan::Range;

/// What the rules made of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Succeeded, or the first rule that broke.
    pub outcome: Outcome,
    /// What was seen instead, when a rule says so.
    pub seen: Option<Seen>,
    /// The iteration cannot go on: a value it was to capture is missing.
    pub ends_iteration: bool,
}

/// What was seen where something else was expected: short, in one line.
pub type Seen = String;

/// More of a value than this is not shown.
const SHOWN: usize = 60;

/// What a rule found wrong.
struct Broken {
    failure: Failure,
    seen: Option<Seen>,
}

impl Request {
    /// Judges the answer that `mind` holds and takes the captures into its variables. `status` is
    /// the status, or what went wrong on the wire; `cookie` looks into the user's jar.
    ///
    /// # Errors
    /// An expression of a rule failed.
    pub fn judge(
        &self,
        status: Result<u16, Fault>,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Judgement, EvalError> {
        self.judge_telling(status, mind, cookie, &mut None)
    }

    /// The same; when there is a list, what each rule came to is told, in the order of the rules.
    /// Then every expect is looked at, also after one that broke.
    pub(super) fn judge_telling(
        &self,
        status: Result<u16, Fault>,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
        told: &mut Option<Vec<Explained>>,
    ) -> Result<Judgement, EvalError> {
        let status = match status {
            Ok(status) => status,
            Err(fault) => return Ok(failed(Failure::Fault(fault), None)),
        };
        match self.accept.iter().find(|rule| rule.codes.allows(status)) {
            None => {
                tell(told, || self.accepted(status, None));
                return Ok(failed(Failure::Status(status), None));
            }
            Some(rule) => {
                if let Some(text) = &rule.fail {
                    let shown = text.shown(mind)?;
                    tell(told, || rule.failed(status, shown.as_deref()));
                    return Ok(failed(Failure::Rule(text.number), shown));
                }
                tell(told, || self.accepted(status, Some(rule)));
            }
        }
        let mut broken: Option<Broken> = None;
        for expect in &self.expects {
            if broken.is_none() || told.is_some() {
                let found = expect.broken(mind, cookie, told).inspect_err(|_| {
                    tell(told, || Explained::unknown(Part::Expect, &expect.asked));
                })?;
                broken = broken.or(found);
            }
        }
        let mut ends_iteration = false;
        for capture in &self.captures {
            let found = capture.value(mind, cookie).inspect_err(|_| {
                tell(told, || Explained::unknown(Part::Capture, &capture.name));
            })?;
            tell(told, || capture.explained(found.as_ref(), mind));
            let missing = match found {
                Ok(found) => {
                    capture.keep(found.value, mind);
                    continue;
                }
                Err(text) => text,
            };
            for other in self.captures.iter().filter(|other| !other.push) {
                mind.slots[other.slot] = None;
            }
            let failure = Failure::Rule(missing);
            broken.get_or_insert(Broken { failure, seen: None });
            ends_iteration = true;
            break;
        }
        let judgement = match broken {
            Some(Broken { failure, seen }) => failed(failure, seen),
            None => Judgement { outcome: Outcome::Succeeded, seen: None, ends_iteration: false },
        };
        Ok(Judgement { ends_iteration, ..judgement })
    }
}

/// The number of the sentence for a rule whose expression failed: the first of every catalogue.
pub(super) const NOT_JUDGED: u32 = 0;
pub(super) const NOT_JUDGED_TEXT: &str = "a rule could not be judged: its expression failed";

impl Judgement {
    /// A rule's expression failed: the request has failed with it.
    #[must_use]
    pub fn broken() -> Self {
        Self { ends_iteration: true, ..failed(Failure::Rule(NOT_JUDGED), None) }
    }
}

fn tell(told: &mut Option<Vec<Explained>>, what: impl FnOnce() -> Explained) {
    if let Some(told) = told {
        told.push(what());
    }
}

fn failed(failure: Failure, seen: Option<Seen>) -> Judgement {
    Judgement { outcome: Outcome::Failed(failure), seen, ends_iteration: false }
}

impl Text {
    /// The message with its holes filled in, when it has any.
    fn shown(&self, mind: &mut Mind) -> Result<Option<Seen>, EvalError> {
        let Some(template) = &self.template else { return Ok(None) };
        let mut text = Vec::new();
        template.render(&mut mind.scope(None), &mut text)?;
        Ok(Some(short(&String::from_utf8_lossy(&text))))
    }
}

impl Expect {
    fn broken(
        &self,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
        told: &mut Option<Vec<Explained>>,
    ) -> Result<Option<Broken>, EvalError> {
        let (holds, seen) = match &self.check {
            Check::Time(bound) => {
                let time = mind.response.time;
                let holds = bound.op.holds(time.as_secs_f64(), bound.limit.as_secs_f64());
                tell(told, || self.explained(holds, time_text(time)));
                (holds, (!holds).then(|| about(time)))
            }
            Check::Size(bound) => {
                let size = mind.response.size;
                let holds = bound.op.holds(size as f64, bound.limit as f64);
                tell(told, || self.explained(holds, format!("{size} B")));
                (holds, (!holds).then(|| format!("{size} B")))
            }
            Check::That(expression) => {
                let holds = expression.holds(&mut mind.scope(None))?;
                tell(told, || self.explained(holds, String::new()));
                (holds, None)
            }
            // A body that holds what it must is not made a value of, unless somebody asks to see it.
            Check::Value(Source::Whole, matcher)
                if told.is_none() && matcher.holds_in_body(mind)? =>
            {
                (true, None)
            }
            Check::Value(source, matcher) => match source.value(Pick::First, mind, cookie)? {
                Err(NotJson) => {
                    // What is no JSON has no such value.
                    let holds =
                        matches!(matcher, Matcher::Exists(false)) && mind.response.body.is_empty();
                    tell(told, || self.explained(holds, NO_JSON.to_owned()));
                    if !holds {
                        let failure = Failure::Rule(self.not_json);
                        return Ok(Some(Broken { failure, seen: None }));
                    }
                    (true, None)
                }
                Ok(value) => {
                    let mut wanted = told.is_some().then(Vec::new);
                    let holds =
                        matcher.holds(value.as_ref(), source.is_text(), mind, &mut wanted)?;
                    let seen = || match &value {
                        None => NOTHING.to_owned(),
                        Some(value) => described(value, matcher),
                    };
                    tell(told, || {
                        // The whole body stands beside it already.
                        let seen = if holds && matches!(source, Source::Whole) {
                            String::new()
                        } else {
                            seen()
                        };
                        self.explained(holds, seen).wanting(wanted.as_deref())
                    });
                    (holds, (!holds).then(seen))
                }
            },
        };
        if holds {
            return Ok(None);
        }
        // A message of the plan's own says what it wants to.
        let seen = match &self.text.template {
            Some(_) => self.text.shown(mind)?,
            None => seen,
        };
        if let (Some(told), Check::That(_)) = (told, &self.check)
            && let (Some(last), Some(seen)) = (told.last_mut(), &seen)
        {
            last.seen.clone_from(seen);
        }
        Ok(Some(Broken { failure: Failure::Rule(self.text.number), seen }))
    }
}

/// What is said of what is not there, and of a body that is something else.
pub(super) const NOTHING: &str = "nothing";
pub(super) const NO_JSON: &str = "the answer is no JSON";

/// Rounded, so that failures show a few times and not as many as there are.
fn about(time: Duration) -> String {
    let ms = time.as_millis();
    let step = match ms {
        0..100 => 10,
        100..1000 => 100,
        _ => 1000,
    };
    format!("about {} ms", (ms + step / 2) / step * step)
}

pub(super) fn described(value: &Value, matcher: &Matcher) -> String {
    let mut text = Vec::new();
    match (matcher, value) {
        (Matcher::Length(_), value) => {
            return format!("a length of {}", length(value).unwrap_or(0));
        }
        (_, Value::Text(long)) if long.chars().count() > SHOWN => {
            return format!("text of {} characters: {}", long.chars().count(), short(long));
        }
        (_, Value::Text(plain)) => return format!("\"{}\"", short(plain)),
        (_, other) => other.write_json(&mut text),
    }
    short(&String::from_utf8_lossy(&text))
}

/// The start of a text in one line.
pub(super) fn short(text: &str) -> String {
    let mut short: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

impl Source {
    /// The value, or none.
    pub(super) fn value(
        &self,
        pick: Pick,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Result<Option<Value>, NotJson>, EvalError> {
        Ok(match self {
            Self::Body(selector) => selector.find(&mind.response.body, pick, &mut mind.random),
            Self::Whole => {
                Ok(Some(Value::Text(String::from_utf8_lossy(&mind.response.body).as_ref().into())))
            }
            Self::Header(name) => {
                Ok(mind.response.header(name).map(|value| Value::Text(value.as_ref().into())))
            }
            Self::Cookie(name) => Ok(cookie(name).map(|value| Value::Text(value.as_str().into()))),
            Self::Value(build) => Ok(Some(build.value(&mut mind.scope(None))?)),
        })
    }
}

impl Matcher {
    /// What is looked for in the text of the body is found there, or what must not be is not: bytes
    /// are compared with bytes, without a copy. Any other matcher has to see the value.
    fn holds_in_body(&self, mind: &mut Mind) -> Result<bool, EvalError> {
        Ok(match self {
            Self::Matches(pattern) => pattern.is_found_in(&mind.response.body),
            Self::Contains(Build::Value(Value::Text(wanted)), held) => {
                is_in(&mind.response.body, wanted) == *held
            }
            Self::Contains(wanted, held) => {
                let wanted = text(&wanted.value(&mut mind.scope(None))?);
                is_in(&mind.response.body, &wanted) == *held
            }
            _ => false,
        })
    }

    fn holds(
        &self,
        value: Option<&Value>,
        is_text: bool,
        mind: &mut Mind,
        computed: &mut Option<Vec<Value>>,
    ) -> Result<bool, EvalError> {
        if let Self::Exists(wanted) = self {
            return Ok(value.is_some() == *wanted);
        }
        let Some(value) = value else {
            // What is not there is not this, and holds nothing.
            return Ok(matches!(self, Self::Equals(_, false) | Self::Contains(_, false)));
        };
        // What was computed to compare with, for those who ask.
        let mut compute = |wanted: &Build| {
            let value = wanted.value(&mut mind.scope(None))?;
            if let Some(computed) = computed.as_mut().filter(|_| !matches!(wanted, Build::Value(_)))
            {
                computed.push(value.clone());
            }
            Ok::<_, EvalError>(value)
        };
        Ok(match self {
            Self::Exists(_) => true,
            Self::Equals(wanted, equal) => same(value, &compute(wanted)?, is_text) == *equal,
            Self::OneOf(wanted) => {
                let mut found = false;
                for one in wanted {
                    found |= same(value, &compute(one)?, is_text);
                }
                found
            }
            Self::Contains(wanted, held) => {
                let wanted = compute(wanted)?;
                let holds = match value {
                    Value::List(items) => items.iter().any(|item| same(item, &wanted, false)),
                    Value::Map(entries) => {
                        let key = text(&wanted);
                        entries.iter().any(|(name, _)| **name == *key)
                    }
                    other => text(other).contains(&text(&wanted)),
                };
                holds == *held
            }
            Self::Matches(pattern) => pattern.is_found_in(text(value).as_bytes()),
            Self::Length(range) => {
                length(value).is_some_and(|length| within(*range, length as f64))
            }
            Self::Between(range) => number(value).is_some_and(|number| within(*range, number)),
        })
    }
}

/// Equal as JSON has it, `1` and `1.0` being one number; what is text by nature is compared as text.
fn same(seen: &Value, wanted: &Value, is_text: bool) -> bool {
    match (seen, wanted) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b, is_text))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.iter().any(|(other, wanted)| other == key && same(value, wanted, is_text))
                })
        }
        (Value::Text(_), Value::Int(_) | Value::Float(_) | Value::Large(_) | Value::Bool(_))
            if is_text =>
        {
            text(seen) == text(wanted)
        }
        (
            Value::Int(_) | Value::Float(_) | Value::Large(_),
            Value::Int(_) | Value::Float(_) | Value::Large(_),
        ) => seen == wanted || number(seen) == number(wanted) && !(whole(seen) && whole(wanted)),
        _ => seen == wanted,
    }
}

fn is_in(body: &[u8], wanted: &str) -> bool {
    memchr::memmem::find(body, wanted.as_bytes()).is_some()
}

fn whole(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Large(_))
}

/// A value as text.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut text = Vec::new();
    value.write_text(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A number, also one that is written as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Large(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Text(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::Map(entries) => Some(entries.len()),
        _ => None,
    }
}

fn within(range: Range, number: f64) -> bool {
    range.low.is_none_or(|low| number >= low) && range.high.is_none_or(|high| number <= high)
}

/// A value for a capture.
pub(super) struct Found {
    pub(super) value: Value,
    /// The answer held none: it is the one that the plan has for that.
    pub(super) by_default: bool,
}

impl Found {
    fn default(default: &Build, mind: &mut Mind) -> Result<Self, EvalError> {
        Ok(Self { value: default.value(&mut mind.scope(None))?, by_default: true })
    }
}

impl Capture {
    /// The value, or the number of the sentence that says what is missing.
    fn value(
        &self,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Result<Found, u32>, EvalError> {
        let found = self.source.value(self.pick, mind, cookie)?;
        let empty = self.source.needs_body() && mind.response.body.is_empty();
        Ok(match (found, &self.default) {
            (Ok(Some(value)), _) => Ok(Found { value, by_default: false }),
            (Ok(None), Some(default)) => Ok(Found::default(default, mind)?),
            (Err(NotJson), Some(default)) if empty => Ok(Found::default(default, mind)?),
            (Ok(None), None) => Err(self.nothing),
            (Err(NotJson), _) => Err(self.not_json),
        })
    }

    fn keep(&self, value: Value, mind: &mut Mind) {
        let slot = &mut mind.slots[self.slot];
        match value {
            // All of several matches are appended one by one.
            Value::List(items) if self.push && self.pick == Pick::All => {
                items.iter().for_each(|item| push(slot, item.clone()));
            }
            value if self.push => push(slot, value),
            value => *slot = Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_are_equal_by_value_and_text_of_a_header_by_its_letters() {
        assert!(same(&value("1"), &value("1.0"), false));
        assert!(same(&value(r#"{"a":[1],"b":2}"#), &value(r#"{"b":2,"a":[1.0]}"#), false));
        assert!(!same(&value("9007199254740993"), &value("9007199254740992"), false));
        assert!(same(&value("\"3\""), &value("3"), true));
        assert!(!same(&value("\"3\""), &value("3"), false));
    }

    #[test]
    fn what_was_seen_is_short_and_in_one_line() {
        let long = "x\n".repeat(200);
        assert_eq!(short(&long).chars().count(), SHOWN + 1);
        assert!(!short(&long).contains('\n'));
        assert_eq!(about(Duration::from_millis(1499)), "about 1000 ms");
        assert_eq!(about(Duration::from_millis(44)), "about 40 ms");
    }
}
