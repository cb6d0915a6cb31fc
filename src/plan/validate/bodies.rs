//! Owns reading the body of a request: json, form, multipart, text, a file.

use super::{Checker, Fields};
use crate::diagnostic::Placed;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Body, Content, Part};

const BODIES: [&str; 5] = ["json", "form", "multipart", "body", "body_file"];

impl Checker<'_> {
    /// Outer absence: it could not be read.
    pub(super) fn body(&mut self, fields: &Fields<'_>) -> Option<Option<Body>> {
        let entry = match fields.present(&BODIES)[..] {
            [] => return Some(None),
            [one] => one,
            [first, second, ..] => {
                self.error(
                    second.key.place,
                    format!(
                        "a request has one body, `{}` or `{}`",
                        first.key.value, second.key.value
                    ),
                    "take one of the two out",
                );
                return None;
            }
        };
        let node = &entry.value;
        match &*entry.key.value {
            "json" => {
                if let NodeValue::Text(text) = &node.value {
                    let text = text.trim();
                    let whole = text.starts_with('{') && !text.starts_with("{{");
                    if whole || text.starts_with('[') {
                        self.warn(
                            node.place,
                            "`json` is text, and is sent as one text of JSON",
                            "take the quotes out to send what it holds, or write `body`",
                        );
                    }
                }
                self.sent_value(node);
                Some(Some(Body::Json(node.clone())))
            }
            "form" => Some(Some(Body::Form(self.parameters(node, "form", "a field")))),
            "multipart" => self.multipart(entry).map(|parts| Some(Body::Multipart(parts))),
            "body" => self.body_text(node).map(|text| Some(Body::Text(text))),
            _ => self.body_file(entry).map(Some),
        }
    }

    fn body_text(&mut self, node: &Node) -> Option<Placed<String>> {
        match &node.value {
            NodeValue::Text(text) => Some(Placed { value: text.clone(), place: node.place }),
            NodeValue::Map(_) | NodeValue::List(_) => {
                let title = format!("`body` must be text, not {}", node.value.kind());
                self.wrong(node, title, "write `json` to send a value");
                None
            }
            _ => {
                self.raw_text(node, "`body`");
                None
            }
        }
    }

    fn body_file(&mut self, entry: &Entry) -> Option<Body> {
        if !matches!(entry.value.value, NodeValue::Map(_)) {
            let file = self.text(&entry.value, "`body_file`")?;
            return Some(Body::File { file, templates: false });
        }
        let fields =
            self.fields(&entry.value, Context::BodyFile, entry.key.place, "`body_file`")?;
        let Some(file) = fields.get("file") else {
            if !fields.odd {
                self.error(entry.key.place, "`body_file` lacks `file`", "add the path of a file");
            }
            return None;
        };
        let templates =
            fields.get("templates").map_or(Some(false), |node| self.bool(node, "`templates`"));
        Some(Body::File { file: self.text(file, "`file`")?, templates: templates? })
    }

    fn multipart(&mut self, entry: &Entry) -> Option<Vec<Part>> {
        let entries = match &entry.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                let label = "write a field and what it holds, as `photo: { file: a.png }`";
                self.error(entry.key.place, "`multipart` is empty", label);
                return None;
            }
            other => {
                let title =
                    format!("`multipart` must be a map from fields to parts, not {}", other.kind());
                self.wrong(&entry.value, title, "write each field as a key");
                return None;
            }
        };
        // Those that can be read are kept: the compiler looks for more mistakes in them.
        Some(entries.iter().filter_map(|entry| self.part(entry)).collect())
    }

    fn part(&mut self, entry: &Entry) -> Option<Part> {
        let name = entry.key.clone();
        if name.value.contains("{{") {
            self.error(
                name.place,
                "templates cannot stand in keys",
                "write the name as plain text",
            );
            return None;
        }
        if name.value.is_empty() || name.value.contains(char::is_control) {
            self.error(name.place, "this cannot be the name of a field", "write one of plain text");
            return None;
        }
        if !matches!(entry.value.value, NodeValue::Map(_)) {
            if matches!(entry.value.value, NodeValue::List(_)) {
                let label = "write `{ file: [a.png, b.jpg] }` for files, text for a value";
                self.wrong(&entry.value, "a part is a value or a map, not a list", label);
                return None;
            }
            let content = Content::Value(entry.value.clone());
            return Some(Part { name, content, kind: None, filename: None });
        }
        let what = format!("the part `{}`", name.value);
        let fields = self.fields(&entry.value, Context::Part, name.place, &what)?;
        let kind = fields.get("type").map(|node| self.text(node, "`type`"));
        let filename = fields.get("filename").map(|node| self.raw_text(node, "`filename`"));
        let content = match (fields.get("file"), fields.entry("value")) {
            (Some(_), Some(value)) => {
                let title = format!("{what} holds a file or a value, not both");
                self.error(value.key.place, title, "take one of the two out");
                Content::Value(value.value.clone())
            }
            (Some(node), None) => {
                let files = self.texts(node, "`file`");
                if files.is_empty() {
                    if matches!(&node.value, NodeValue::List(items) if items.is_empty()) {
                        self.wrong(node, "there is no file in the list", "write the path of one");
                    }
                    return None;
                }
                Content::Files(files)
            }
            (None, Some(value)) => Content::Value(value.value.clone()),
            (None, None) => {
                if !fields.odd {
                    self.error(name.place, format!("{what} is empty"), "add `file` or `value`");
                }
                return None;
            }
        };
        let (kind, filename) = (kind.unwrap_or(None), filename.unwrap_or(None));
        Some(Part { name, content, kind, filename })
    }

    /// A value that is sent or kept: templates stand in its texts, never in its keys.
    pub(super) fn sent_value(&mut self, node: &Node) -> bool {
        match &node.value {
            NodeValue::Map(entries) => {
                let mut good = true;
                for entry in entries {
                    if entry.key.value.contains("{{") {
                        let title = "templates cannot stand in keys";
                        self.error(entry.key.place, title, "write the key as plain text");
                        good = false;
                    }
                    good &= self.sent_value(&entry.value);
                }
                good
            }
            NodeValue::List(items) => {
                let mut good = true;
                for item in items {
                    good &= self.sent_value(item);
                }
                good
            }
            _ => true,
        }
    }
}
