//! Owns warnings about keys of a TOML file that landed in the table above them, where they are names
//! that may stand there: a key belongs to the `[table]` above it, however it was meant.

use super::document::{Entry, Node, NodeValue, is_toml};
use super::keys::{Context, Key, Status};
use super::words::Words;
use crate::diagnostic::{Diagnostic, Source};

/// Tables of names, and what stands at the level above them.
const TABLES: [(&str, &[Context]); 9] = [
    ("vars", &[Context::Plan]),
    ("headers", REQUEST),
    ("json", REQUEST),
    ("query", REQUEST),
    ("form", REQUEST),
    ("cookies", REQUEST),
    ("multipart", REQUEST),
    ("set", REQUEST),
    ("push", REQUEST),
];
const REQUEST: &[Context] = &[Context::Task, Context::Step];

/// Of all that a request may have, what bodies and parameters do not hold themselves.
const NEVER_SENT: [&str; 6] = ["accept", "capture", "expect", "on_fail", "retry", "auth"];
/// No header is called so.
const NO_HEADER: [&str; 2] = ["json", "body"];

/// What probably landed in the wrong table. `trees` is all that can read a variable.
pub(super) fn landed(trees: &[&Node], sources: &[Source]) -> Vec<Diagnostic> {
    let toml = |source: &Source| is_toml(&source.path);
    if !sources.iter().any(toml) {
        return Vec::new();
    }
    let mut words = Words::default();
    trees.iter().for_each(|tree| words.tree(tree));
    let mut looking = Looking { sources, words, warnings: Vec::new() };
    trees.iter().for_each(|tree| looking.walk(tree));
    looking.warnings
}

struct Looking<'s> {
    sources: &'s [Source],
    words: Words,
    warnings: Vec<Diagnostic>,
}

impl Looking<'_> {
    fn walk(&mut self, node: &Node) {
        match &node.value {
            NodeValue::List(items) => items.iter().for_each(|item| self.walk(item)),
            NodeValue::Map(entries) => {
                for entry in entries {
                    let table = TABLES.iter().find(|(table, _)| *table == entry.key.value);
                    match table {
                        // What stands deeper within is what is sent or kept.
                        Some((_, above)) => self.table(entry, above),
                        None => self.walk(&entry.value),
                    }
                }
            }
            _ => {}
        }
    }

    fn table(&mut self, table: &Entry, above: &[Context]) {
        let NodeValue::Map(entries) = &table.value.value else { return };
        let Some(header) = self.header(table).map(str::to_owned) else { return };
        let name = &*table.key.value;
        for entry in entries {
            let key = above.iter().find_map(|context| context.find(&entry.key.value));
            let Some(key) = key.filter(|key| key.status == Status::Now) else { continue };
            if self.header(entry).is_some() || !self.is_meant(name, key, entry) {
                continue;
            }
            let label = if name == "vars" {
                "it is a key of the plan: move it above the first `[table]`, if it is meant so"
                    .to_owned()
            } else {
                format!("move it above the line `{header}`, unless it belongs there")
            };
            let title = match name {
                "vars" | "set" | "push" => {
                    format!("`{}` stands in the table `{name}`, and nothing reads it", key.name)
                }
                _ => format!("`{}` stands in the table `{name}`", key.name),
            };
            self.warnings.push(Diagnostic::warning(entry.key.place, title, label));
        }
    }

    fn is_meant(&self, table: &str, key: &Key, entry: &Entry) -> bool {
        match table {
            "vars" => !self.words.may_read(key.name),
            "set" | "push" => key.fits(&entry.value) && !self.words.may_read(key.name),
            "headers" => {
                let text = matches!(&entry.value.value, NodeValue::Text(_) | NodeValue::Int(_));
                (text && key.fits(&entry.value)) || NO_HEADER.contains(&key.name)
            }
            _ => NEVER_SENT.contains(&key.name) && key.fits(&entry.value),
        }
    }

    /// The line `[a.b]` in which the key stands, when it is one.
    fn header(&self, entry: &Entry) -> Option<&str> {
        let place = entry.key.place;
        let source =
            self.sources.get(usize::from(place.source)).filter(|one| is_toml(&one.path))?;
        let start = place.range().start;
        let line = source.text.get(..start)?.rfind('\n').map_or(0, |feed| feed + 1);
        if !source.text[line..start].trim_start().starts_with('[') {
            return None;
        }
        let line = source.text[line..].lines().next()?;
        Some(line.split(" #").next().unwrap_or(line).trim())
    }
}
