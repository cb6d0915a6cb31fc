//! Owns the tree that a plan is read into, the same for YAML and TOML, with a place for every part.

mod brackets;
mod characters;
mod readers;
mod toml;
mod warn;
mod yaml;
mod yaml_hints;

use crate::diagnostic::{Diagnostic, Place, Placed};

/// A larger file is refused before it is parsed.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// A longer one too: parsers take their time over a million broken lines.
const MAX_LINES: usize = 100_000;
/// More mistakes than this are not told: the first ones say what is wrong with the file.
const MAX_TOLD: usize = 100;
/// How deep maps and lists may nest.
const MAX_DEPTH: usize = 32;
/// How many values a file may hold, those that aliases repeat included.
pub const MAX_NODES: usize = 50_000;

/// A value of a plan and where it stands. Two are equal when their values are.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands; for what an alias or a merge brought in, where that was written.
    pub place: Place,
    /// Where the anchor that it came from stands.
    pub defined: Option<Place>,
    /// What it holds.
    pub value: NodeValue,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// Nothing: `~`, `null`, or a key without a value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number, finite.
    Float(f64),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order in which it was written; no key stands twice.
    Map(Vec<Entry>),
}

/// A key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Placed<String>,
    /// Its value.
    pub value: Node,
}

impl NodeValue {
    /// What it is, for a sentence: "`name` must be text, not a list".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// The value of `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            NodeValue::Map(entries) => {
                entries.iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// How many values it holds, itself included.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + match &self.value {
            NodeValue::List(items) => items.iter().map(Node::count).sum(),
            NodeValue::Map(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
            _ => 0,
        }
    }

    /// The same without places, in the order of the keys.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::Bool(*value),
            NodeValue::Int(number) => Value::from(*number),
            NodeValue::Float(number) => Value::from(*number),
            NodeValue::Text(text) => Value::String(text.clone()),
            NodeValue::List(items) => items.iter().map(Node::to_json).collect(),
            NodeValue::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.value.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// Reads a whole file into a tree: TOML when `path` ends in `.toml`, else YAML. The tree comes with
/// warnings about values that are probably not what was meant.
///
/// # Errors
/// What keeps the text from being read at all: syntax, a duplicate key, a tag, a size, each with
/// its place.
pub fn read(
    source: u16,
    path: &str,
    text: &str,
) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(vec![too_large()]);
    }
    if text.lines().nth(MAX_LINES).is_some() {
        return Err(vec![Diagnostic::without_place(
            format!("the plan is longer than {MAX_LINES} lines"),
            "make it shorter",
        )]);
    }
    let yaml = !is_toml(path);
    let refused = if yaml { characters::refused(source, text) } else { Vec::new() };
    let read = if yaml { yaml::read(source, text) } else { toml::read(source, text) };
    let (node, mut diagnostics) = match read {
        Ok(read) => read,
        // They may be why it cannot be read.
        Err(told) => return Err(if refused.is_empty() { told } else { refused }),
    };
    diagnostics.extend(refused);
    diagnostics.extend(warn::surprises(&node, text, yaml));
    Ok((node, diagnostics))
}

/// The plan is written in TOML; else in YAML.
#[must_use]
pub fn is_toml(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("toml"))
}

/// In TOML the text is a value as it stands, not one without its quotes.
#[must_use]
pub fn is_toml_value(text: &str) -> bool {
    toml::is_value(text)
}

/// The file is beyond [`MAX_BYTES`].
pub(super) fn too_large() -> Diagnostic {
    Diagnostic::without_place(
        "the plan is larger than 4 MiB",
        "keep the plan short and generate bodies by templates, as `{{ letters(2000) }}`",
    )
}

fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::error(
        place,
        format!("more than {MAX_DEPTH} maps and lists stand within one another"),
        "write it flatter",
    )
}

fn too_many(place: Place) -> Diagnostic {
    Diagnostic::error(
        place,
        format!("the plan holds more than {MAX_NODES} values, what aliases repeat included"),
        "make the plan smaller",
    )
}

#[cfg(test)]
mod tests;
