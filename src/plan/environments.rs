//! Owns the environments of a plan: what differs between the places that it runs against.

use super::document::{Entry, Node, NodeValue};
use super::files;
use super::merge::merge;
use crate::diagnostic::{Diagnostic, Place, suggest};

/// Each is a plan of its own to check.
const MAX_ENVIRONMENTS: usize = 32;

/// What a plan has, an environment has not: it changes a plan that is whole already.
const NOT_INSIDE: [&str; 2] = ["include", "environments"];

/// Takes the environments out of the tree, those that can be read.
pub(super) fn take(tree: Option<&mut Node>, told: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let Some(Node { value: NodeValue::Map(entries), .. }) = tree else { return Vec::new() };
    let Some(entry) = files::take(entries, "environments") else { return Vec::new() };
    let mut environments = match entry.value.value {
        NodeValue::Map(environments) if !environments.is_empty() => environments,
        other => {
            let title = match other {
                NodeValue::Null | NodeValue::Map(_) => "`environments` is empty".to_owned(),
                other => format!("`environments` is a map by name, not {}", other.kind()),
            };
            let label = "write a name, and below it the keys that differ, as `target`";
            told.push(Diagnostic::error(entry.key.place, title, label));
            return Vec::new();
        }
    };
    if let Some(first) = environments.get(MAX_ENVIRONMENTS) {
        let title = format!("the plan has more than {MAX_ENVIRONMENTS} environments");
        told.push(Diagnostic::error(first.key.place, title, "take some out"));
        environments.truncate(MAX_ENVIRONMENTS);
    }
    environments.retain_mut(|environment| {
        let name = &environment.key.value;
        let NodeValue::Map(entries) = &mut environment.value.value else {
            let title = match environment.value.value.kind() {
                "nothing" => format!("the environment `{name}` is empty"),
                kind => format!("the environment `{name}` must be a map of keys, not {kind}"),
            };
            let label = "write the keys of the plan that differ below it, as `target`";
            told.push(Diagnostic::error(environment.key.place, title, label));
            return false;
        };
        for key in NOT_INSIDE {
            if let Some(entry) = files::take(entries, key) {
                let title = format!("`{key}` cannot stand in an environment");
                let label = "move it to the top level of the plan";
                told.push(Diagnostic::error(entry.key.place, title, label));
            }
        }
        true
    });
    environments
}

/// The plan with the environment `name` laid over it.
///
/// # Errors
/// There is none of that name.
pub(super) fn lay(
    tree: Option<&Node>,
    environments: &[Entry],
    name: &str,
) -> Result<Option<Node>, Diagnostic> {
    let Some(entry) = environments.iter().find(|entry| entry.key.value == name) else {
        let names = || environments.iter().map(|entry| &*entry.key.value);
        let label = match suggest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if environments.is_empty() => "write it under `environments`".to_owned(),
            None => {
                let names: Vec<_> = names().map(|name| format!("`{name}`")).collect();
                format!("there are {}", names.join(", "))
            }
        };
        let title = format!("the plan has no environment `{name}`");
        return Err(Diagnostic::without_place(title, label));
    };
    let Some(tree) = tree else { return Ok(None) };
    let place = tree.place;
    Ok(Some(Node { place, ..merge(tree.clone(), entry.value.clone()) }))
}

/// Where the keys and values of a tree stand.
pub(super) fn places(node: &Node, places: &mut Vec<Place>) {
    places.push(node.place);
    match &node.value {
        NodeValue::List(items) => items.iter().for_each(|item| self::places(item, places)),
        NodeValue::Map(entries) => {
            for entry in entries {
                places.push(entry.key.place);
                self::places(&entry.value, places);
            }
        }
        _ => {}
    }
}
