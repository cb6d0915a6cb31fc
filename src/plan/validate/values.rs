//! Owns reading single values: text, numbers, durations, names, each with what to write instead.

use std::time::Duration;

use super::Checker;
use crate::diagnostic::Placed;
use crate::expr::FUNCTIONS;
use crate::load::MOST_RATE;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::units::{Rate, UnitError, format_duration, parse_duration};

/// More users than this need more than one machine.
const MOST_USERS: u32 = 1_000_000;

/// Names that mean something else in expressions, functions left out.
const RESERVED: [&str; 28] = [
    "response",
    "user",
    "run",
    "env",
    "vars",
    "request",
    "fake",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "null",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "for",
    "loop",
    "self",
    "range",
    "dict",
    "namespace",
    "debug",
];

/// The name cannot be a variable's: expressions use it for something else.
#[must_use]
pub fn reserved_name(name: &str) -> bool {
    RESERVED.contains(&name) || FUNCTIONS.iter().any(|function| function.name == name)
}

impl Checker<'_> {
    /// Text that is not empty. `what` is what the sentence is about: "`name`".
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        let node = &*self.computed(node, what)?;
        self.raw_text(node, what)
    }

    /// The same, with its templates as they are.
    pub(super) fn raw_text(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        match &node.value {
            NodeValue::Text(text) if text.trim().is_empty() => {
                self.wrong(node, format!("{what} is empty"), "write text, or take the key out");
                None
            }
            NodeValue::Text(text) => Some(Placed { value: text.clone(), place: node.place }),
            NodeValue::Null => {
                self.wrong(node, format!("{what} is empty"), "write text, or take the key out");
                None
            }
            NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_) => {
                self.wrong(
                    node,
                    format!("{what} must be text, not {}", node.value.kind()),
                    "quote it",
                );
                None
            }
            other => {
                let title = format!("{what} must be text, not {}", other.kind());
                self.wrong(node, title, "write text");
                None
            }
        }
    }

    /// What stands in tables and files must be one line.
    pub(super) fn in_one_line(
        &mut self,
        text: Placed<String>,
        what: &str,
    ) -> Option<Placed<String>> {
        if text.value.contains(char::is_control) {
            let title = format!("{what} holds a line break or another control character");
            self.error(text.place, title, "write it in one line");
            return None;
        }
        Some(text)
    }

    /// An expression, without the braces of a template.
    pub(super) fn expression(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        if let NodeValue::Bool(value) = node.value {
            return Some(Placed { value: value.to_string(), place: node.place });
        }
        let text = match node.value {
            NodeValue::Int(number) => Placed { value: number.to_string(), place: node.place },
            _ => self.raw_text(node, what)?,
        };
        if let Some(open) = text.value.find("{{") {
            let bare = text.value[open + 2..].split("}}").next().unwrap_or("").trim();
            let label = if text.value.matches("{{").count() == 1 && !bare.is_empty() {
                format!("take the braces out, as `{bare}`")
            } else {
                "take the braces out".to_owned()
            };
            self.wrong(node, format!("{what} is an expression by itself"), label);
            return None;
        }
        Some(text)
    }

    /// A share: a number that is not negative.
    pub(super) fn weight(&mut self, node: Option<&Node>) -> Option<f64> {
        let Some(node) = node else { return Some(1.0) };
        let node = &*self.computed_number(node, "`weight`")?;
        let weight = match node.value {
            NodeValue::Int(number) => number as f64,
            NodeValue::Float(number) => number,
            NodeValue::Text(ref text) if text.trim().parse::<f64>().is_ok() => {
                self.wrong(node, "`weight` must be a number, not text", "take the quotes out");
                return None;
            }
            NodeValue::Text(ref text) if text.trim().ends_with('%') => {
                self.wrong(
                    node,
                    "`weight` is a plain number",
                    "take the `%` out: weights are shares of their sum",
                );
                return None;
            }
            ref other => {
                let title = format!("`weight` must be a number, not {}", other.kind());
                self.wrong(node, title, "write a number, as `3`");
                return None;
            }
        };
        if weight < 0.0 {
            self.wrong(node, "`weight` cannot be negative", "write 0 or more");
            return None;
        }
        if weight > 1e9 {
            self.wrong(node, "`weight` is too large", "weights are shares: write a smaller number");
            return None;
        }
        Some(weight)
    }

    pub(super) fn bool(&mut self, node: &Node, what: &str) -> Option<bool> {
        let node = &*self.computed_number(node, what)?;
        if let NodeValue::Bool(value) = node.value {
            return Some(value);
        }
        let label = match &node.value {
            NodeValue::Text(text)
                if ["no", "off", "false", "n"].contains(&&*text.to_lowercase()) =>
            {
                "write `false`"
            }
            NodeValue::Text(text)
                if ["yes", "on", "true", "y"].contains(&&*text.to_lowercase()) =>
            {
                "write `true`"
            }
            _ => "write `true` or `false`",
        };
        self.wrong(node, format!("{what} must be true or false, not {}", node.value.kind()), label);
        None
    }

    /// A time with its unit.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let text = self.unit_text(node, what)?;
        match parse_duration(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.not_a_quantity(node, what, &text, "a duration", &error);
                None
            }
        }
    }

    /// The text of a quantity; a bare number is handed on, so that its reader can say what it lacks.
    pub(super) fn unit_text(&mut self, node: &Node, what: &str) -> Option<String> {
        let node = &*self.computed(node, what)?;
        match &node.value {
            NodeValue::Int(number) => Some(number.to_string()),
            NodeValue::Float(number) => Some(number.to_string()),
            _ => self.raw_text(node, what).map(|text| text.value),
        }
    }

    pub(super) fn not_a_quantity(
        &mut self,
        node: &Node,
        what: &str,
        text: &str,
        kind: &str,
        error: &UnitError,
    ) {
        let error = error.to_string();
        if let Some(advice) = error.strip_prefix("the unit is missing; ") {
            self.wrong(node, format!("{what} lacks its unit"), advice);
            return;
        }
        let advice = error.strip_prefix("it is empty; ").unwrap_or(&error);
        self.wrong(node, format!("{what} is not {kind}: `{}`", shorten(text)), advice);
    }

    /// So many users.
    pub(super) fn users(&mut self, node: &Node, what: &str) -> Option<u32> {
        let node = &*self.computed_number(node, what)?;
        let count = match &node.value {
            NodeValue::Int(number) => *number,
            NodeValue::Float(number) => {
                let title = format!("{what} must be a whole number of users");
                self.wrong(node, title, format!("write `{}`", number.round().clamp(0.0, 1e6)));
                return None;
            }
            NodeValue::Text(text) if text.trim().parse::<u32>().is_ok() => {
                self.wrong(
                    node,
                    format!("{what} must be a number, not text"),
                    "take the quotes out",
                );
                return None;
            }
            NodeValue::Text(text) if Rate::parse_or_zero(text).is_ok() => {
                let label = if what == "`users`" {
                    format!(
                        "for so many iterations, whatever the server does, write `rate: {text}`"
                    )
                } else {
                    "write how many users there are, as `100`".to_owned()
                };
                self.wrong(node, format!("{what} is a number of users, not a rate"), label);
                return None;
            }
            other => {
                let title = format!("{what} must be a number of users, not {}", other.kind());
                self.wrong(node, title, "write a whole number, as `100`");
                return None;
            }
        };
        match u32::try_from(count) {
            Ok(count) if count <= MOST_USERS => Some(count),
            Ok(_) => {
                self.wrong(node, format!("{what} is above 1,000,000"), "write at most `1000000`");
                None
            }
            Err(_) => {
                let label = if count < 0 { "write 0 or more" } else { "write at most `1000000`" };
                self.wrong(node, format!("{what} cannot be `{count}`"), label);
                None
            }
        }
    }

    /// So many per time; none at all is a rate as well.
    pub(super) fn rate(&mut self, node: &Node, what: &str) -> Option<Rate> {
        let text = self.unit_text(node, what)?;
        let number = text.split('/').next().unwrap_or_default().trim();
        if number.starts_with('-') && number.parse::<f64>().is_ok() {
            self.wrong(node, format!("{what} cannot be negative"), "write `0/s` or more");
            return None;
        }
        let whole = number.split('.').next().unwrap_or_default();
        let huge = whole.len() > 9 && whole.bytes().all(|byte| byte.is_ascii_digit());
        match Rate::parse_or_zero(&text) {
            Ok(rate) if rate <= MOST_RATE => Some(rate),
            Err(error) if !huge => {
                self.not_a_quantity(node, what, &text, "a rate", &error);
                None
            }
            _ => {
                self.wrong(
                    node,
                    format!("{what} is above 1,000,000/s"),
                    "write at most `1000000/s`",
                );
                None
            }
        }
    }

    /// A duration that `ramp` and the like take; a rate there is told as the time that it makes.
    pub(super) fn ramp(&mut self, node: &Node, what: &str, users: Option<u32>) -> Option<Duration> {
        if let NodeValue::Text(text) = &node.value
            && let Ok(rate) = Rate::parse(text)
        {
            let advice = match users {
                Some(users) if users > 0 => format!(
                    "{users} users at `{text}` take `{}`",
                    format_duration(rate.time_for(users.into()))
                ),
                _ => "write how long it takes, as `10s`".to_owned(),
            };
            self.wrong(node, format!("{what} is a time, not a rate"), advice);
            return None;
        }
        self.duration(node, what)
    }

    /// The name of a thing of the plan: a class, a task, a profile.
    pub(super) fn plain_name(&mut self, entry: &Entry, what: &str) {
        let name = &entry.key;
        if name.value.trim().is_empty() {
            self.error(name.place, format!("{what} has no name"), "write one");
        } else if name.value.contains("{{") {
            self.error(
                name.place,
                "templates cannot stand in keys",
                format!("give {what} a name of plain text"),
            );
        } else if name.value.starts_with('-') || name.value.chars().any(char::is_control) {
            self.error(
                name.place,
                format!("`{}` cannot be the name of {what}", name.value),
                "begin it with a letter, so that the command line can name it",
            );
        }
    }

    /// A variable: an identifier that means nothing else in expressions.
    pub(super) fn variable(&mut self, name: &Placed<String>) -> Option<Placed<String>> {
        let text = &*name.value;
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let good = text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit());
        if !good {
            let plain: String = text
                .chars()
                .map(|c| if first(c) || c.is_ascii_digit() { c } else { '_' })
                .collect();
            let label = if text.contains("{{") {
                "write its name alone; templates cannot stand in keys".to_owned()
            } else if plain.starts_with(first) && plain.bytes().any(|byte| byte != b'_') {
                format!("write `{plain}`")
            } else {
                "use letters a–z, digits and `_`, a letter first".to_owned()
            };
            self.error(name.place, format!("`{text}` cannot be a variable"), label);
            return None;
        }
        if reserved_name(text) {
            self.error(
                name.place,
                format!("`{text}` means something else in expressions"),
                format!("take another name, as `my_{}`", text.to_ascii_lowercase()),
            );
            return None;
        }
        Some(name.clone())
    }
}

/// The start of a text that is quoted in a sentence.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
