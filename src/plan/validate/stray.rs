//! Owns keys that stand one level too deep: among names, where a key of the level above was meant.

use super::{BESIDE_YAML, Checker};
use crate::diagnostic::Diagnostic;
use crate::plan::document::{Entry, NodeValue};
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
