//! Owns warnings about keys of a TOML file that landed in the table above them, where they are names
//! that may stand there: a key belongs to the `[table]` above it, however it was meant.

use super::document::{Entry, Node, NodeValue, is_toml};
use super::keys::{Context, Key, Shape, Status};
use super::words::Words;
use crate::diagnostic::{Diagnostic, Source};

/// Maps of names that the plan gives, below a key of their own.
const TABLES: [&str; 9] =
    ["vars", "headers", "json", "query", "form", "cookies", "multipart", "set", "push"];
/// Of all that a request may have, what bodies and parameters do not hold themselves.
const NEVER_SENT: [&str; 5] = ["accept", "capture", "expect", "on_fail", "retry"];
/// No header is called so.
const NO_HEADER: [&str; 2] = ["json", "body"];

/// What probably landed in the wrong table. `trees` is all that can read a variable.
pub(super) fn landed(trees: &[&Node], sources: &[Source]) -> Vec<Diagnostic> {
    let toml = |source: &Source| is_toml(&source.path);
    if !sources.iter().any(toml) {
        return Vec::new();
    }
    let mut words = Words::default();
    for tree in trees {
        words.value(tree);
        walk(tree, Context::Plan, &mut |entry, _, key| match key {
            Some(key) if key.name == "templates" => words.anything(),
            Some(key) if key.shape == Shape::Expression || key.name == "in" => {
                words.tree(&entry.value);
            }
            Some(_) => {}
            // Nobody knows what may stand there.
            None => words.tree(&entry.value),
        });
    }
    let mut looking = Looking { sources, words, warnings: Vec::new() };
    for tree in trees {
        walk(tree, Context::Plan, &mut |entry, context, key| {
            if key.is_some_and(|key| TABLES.contains(&key.name)) {
                looking.table(entry, context);
            }
        });
    }
    looking.warnings
}

/// Sees each entry of a map that has the keys of a context, and those of all maps of keys within.
fn walk(node: &Node, context: Context, see: &mut dyn FnMut(&Entry, Context, Option<&'static Key>)) {
    let NodeValue::Map(entries) = &node.value else { return };
    for entry in entries {
        let key = context.find(&entry.key.value);
        see(entry, context, key);
        if let Some(key) = key {
            within(&entry.value, &key.shape, see);
        }
    }
}

fn within(node: &Node, shape: &Shape, see: &mut dyn FnMut(&Entry, Context, Option<&'static Key>)) {
    match (shape, &node.value) {
        (Shape::Keys(context), _) => walk(node, *context, see),
        (Shape::Named(context), NodeValue::Map(entries)) => {
            entries.iter().for_each(|entry| walk(&entry.value, *context, see));
        }
        (Shape::Map(shape), NodeValue::Map(entries)) => {
            entries.iter().for_each(|entry| within(&entry.value, shape, see));
        }
        (Shape::List(shape) | Shape::Many(shape), NodeValue::List(items)) => {
            items.iter().for_each(|item| within(item, shape, see));
        }
        (Shape::Many(shape), _) => within(node, shape, see),
        (Shape::Flow, NodeValue::Map(_)) => walk(node, Context::Flow, see),
        (Shape::Flow | Shape::Steps, NodeValue::List(items)) => {
            items.iter().for_each(|item| walk(item, Context::Step, see));
        }
        (Shape::Steps, _) => walk(node, Context::Step, see),
        (Shape::Any(shapes), _) => shapes.iter().for_each(|shape| within(node, shape, see)),
        _ => {}
    }
}

struct Looking<'s> {
    sources: &'s [Source],
    words: Words,
    warnings: Vec<Diagnostic>,
}

impl Looking<'_> {
    /// The keys in a table, which stands among those of `above`.
    fn table(&mut self, table: &Entry, above: Context) {
        let NodeValue::Map(entries) = &table.value.value else { return };
        let Some(header) = self.header(table).map(str::to_owned) else { return };
        let name = &*table.key.value;
        for entry in entries {
            let key = above.find(&entry.key.value);
            let Some(key) = key.filter(|key| key.status == Status::Now) else { continue };
            if self.header(entry).is_some() || !self.is_meant(name, key, entry) {
                continue;
            }
            let label = if header == "[vars]" {
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
            _ if key.name == "retry" => entry.value.get("status").is_some(),
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

#[cfg(test)]
mod tests {
    fn told(text: &str) -> Vec<String> {
        let loaded = crate::plan::parse("plan.toml", text);
        let told = loaded.diagnostics.iter();
        told.map(|one| format!("{}: {}", one.title, one.label)).collect()
    }

    #[test]
    fn tasks_and_classes_may_be_called_like_tables() {
        let text = r#"
target = "http://127.0.0.1:8000"

[profiles]
q = { users = 1, hold = "1s" }

[users.set]
wait = "1s"

[users.set.tasks.form]
post = "/x"
accept = 201
retry = { status = 503, times = 2 }
on_fail = "iteration"
expect = [{ json = "$.a", exists = true }]

[users.set.tasks.headers]
get = "/h"

[users.set.tasks.job]
post = "/jobs"

[users.set.tasks.job.json]
auth = "none"
retry = { times = 3, wait = 5 }
accept = true
"#;
        assert_eq!(told(text), [""; 0]);
    }

    #[test]
    fn what_belongs_to_an_environment_is_not_sent_to_the_top() {
        let text = r#"
target = "http://127.0.0.1:8000"

[profiles]
q = { users = 1, hold = "1s" }

[users.A]
wait = "1s"
tasks = { profile = { get = "/profile" } }

[environments.staging.vars]
target = "http://127.0.0.1:8001"

[vars]
profile = "q"
"#;
        let label = "move it above the line `[environments.staging.vars]`, unless it belongs there";
        let top = "it is a key of the plan: move it above the first `[table]`, if it is meant so";
        let nothing = "stands in the table `vars`, and nothing reads it";
        assert_eq!(
            told(text),
            [format!("`target` {nothing}: {label}"), format!("`profile` {nothing}: {top}")]
        );
    }
}
