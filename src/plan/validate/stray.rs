//! Owns keys that stand one level too deep: among names, where a key of the level above was meant.

use super::{BESIDE_YAML, Checker};
use crate::diagnostic::Diagnostic;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::{Context, Key, Shape, Status};

/// Where the keys stand that a request may have beside its maps of names.
pub(super) const OF_A_REQUEST: &[Context] = &[Context::Step, Context::Task];

impl Checker<'_> {
    /// Told as a key of the level `above` that landed in `table`, when it is one and its value cannot
    /// stand there anyway.
    pub(super) fn stray(&mut self, entry: &Entry, above: &[Context], table: &str) -> bool {
        let Some((_, context)) = meant(entry, above) else { return false };
        let whose = if above == OF_A_REQUEST { "a request" } else { context.words() };
        let told = Diagnostic::error(
            entry.key.place,
            format!("`{}` stands in `{table}`, and is a key of {whose}", entry.key.value),
            format!("move it out, to stand beside `{table}`"),
        );
        self.diagnostics.push(told.of_key(&entry.key.value).help(BESIDE_YAML));
        true
    }

    /// The same in a table whose entries are often written as a text or a list: one of these is told
    /// only when it can hardly be anything but a value of the key.
    pub(super) fn surely_stray(&mut self, entry: &Entry, above: &[Context], table: &str) -> bool {
        let vague = matches!(entry.value.value, NodeValue::Text(_) | NodeValue::List(_));
        (!vague || fits(entry, above)) && self.stray(entry, above, table)
    }
}

/// The key takes a list of texts, and the value is one.
pub(super) fn lists_texts(entry: &Entry, above: &[Context]) -> bool {
    let is_text = |item: &Node| matches!(item.value, NodeValue::Text(_));
    matches!(&entry.value.value, NodeValue::List(items) if items.iter().all(is_text))
        && key_of(entry, above).is_some_and(|(key, _)| key.shape == Shape::Many(&Shape::Text))
}

/// The value can hardly be anything but that of a key of the level above.
pub(super) fn fits(entry: &Entry, above: &[Context]) -> bool {
    key_of(entry, above).is_some_and(|(key, _)| key.fits(&entry.value))
}

/// The key of the level above that was meant, when the value is no map and no path.
pub(super) fn meant(entry: &Entry, above: &[Context]) -> Option<(&'static Key, Context)> {
    key_of(entry, above).filter(|(key, _)| match &entry.value.value {
        NodeValue::Null => false,
        // `order: /orders` is a task whose method is missing.
        NodeValue::Text(text) => key.fits(&entry.value) || !text.starts_with('/'),
        NodeValue::Map(_) => {
            matches!(key.shape, Shape::Map(_) | Shape::Value) || key.fits(&entry.value)
        }
        _ => true,
    })
}

fn key_of(entry: &Entry, above: &[Context]) -> Option<(&'static Key, Context)> {
    above.iter().find_map(|context| {
        let key = context.find(&entry.key.value).filter(|key| key.status == Status::Now)?;
        Some((key, *context))
    })
}
