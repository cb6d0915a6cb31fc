//! Owns which words a plan says: a variable that is not among them is read nowhere.

use std::collections::HashSet;

use super::document::{Node, NodeValue};

/// Every word that an expression could read.
#[derive(Debug, Clone, Default)]
pub struct Words {
    said: HashSet<String>,
    anything: bool,
}

impl Words {
    /// Whether something may read it.
    #[must_use]
    pub fn may_read(&self, name: &str) -> bool {
        self.anything || self.said.contains(name)
    }

    /// Something is read that nobody looks into: a file with templates.
    pub fn anything(&mut self) {
        self.anything = true;
    }

    /// Those of an expression.
    pub fn text(&mut self, text: &str) {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let words = text.split(|c| !part(c)).filter(|word| !word.is_empty());
        self.said.extend(words.map(str::to_owned));
    }

    /// Those of the expressions in a text.
    pub fn template(&mut self, text: &str) {
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let inner = &rest[open + 2..];
            let close = inner.find("}}").unwrap_or(inner.len());
            self.text(&inner[..close]);
            rest = &inner[close..];
        }
    }

    /// Those of the templates in a value.
    pub fn value(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Text(text) => self.template(text),
            NodeValue::List(items) => items.iter().for_each(|item| self.value(item)),
            NodeValue::Map(entries) => entries.iter().for_each(|entry| self.value(&entry.value)),
            _ => {}
        }
    }

    /// Those of a tree of which nobody knows what is an expression, paths into answers left out.
    pub(super) fn tree(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Text(text) if !text.starts_with('$') => self.text(text),
            NodeValue::List(items) => items.iter().for_each(|item| self.tree(item)),
            NodeValue::Map(entries) => {
                for entry in entries {
                    self.anything |= entry.key.value == "templates";
                    self.tree(&entry.value);
                }
            }
            _ => {}
        }
    }

    /// With those of another.
    pub fn merge(&mut self, other: &Self) {
        self.anything |= other.anything;
        self.said.extend(other.said.iter().cloned());
    }
}
