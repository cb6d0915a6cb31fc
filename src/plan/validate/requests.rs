//! Owns reading a request: its method, its path, its name, and the parts that are its own.

use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::Placed;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Action, METHODS, Request};

/// What a request is made of, beside its method.
pub(super) fn is_request_key(key: &str) -> bool {
    Context::of_a_request().any(|known| known.name == key)
}

/// A key that makes a step a request.
pub(super) fn is_method(key: &str) -> bool {
    key == "request" || METHODS.iter().any(|(method, _)| *method == key)
}

impl Checker<'_> {
    /// The request of a step or of a task that is one; it has exactly one method. `wait` is whether
    /// a wait beside it is its own.
    pub(super) fn request(
        &mut self,
        fields: &Fields<'_>,
        what: &str,
        wait: bool,
    ) -> Option<Action> {
        let entry = fields.entries.iter().find(|entry| is_method(&entry.key.value))?;
        let (method, path) = if entry.key.value == "request" {
            let errors = self.errors();
            let method = self.method(entry);
            let path = match fields.entry("url") {
                None if self.errors() > errors => None,
                Some(url) => self.path(&url.value, "url"),
                None => {
                    let label = "add `url`: the path that it goes to";
                    self.error(
                        entry.key.place,
                        format!("{what} has `request` and no `url`"),
                        label,
                    );
                    None
                }
            };
            (method, path)
        } else {
            let method = METHODS.iter().find(|(key, _)| *key == entry.key.value);
            let method = method.map(|(_, method)| (*method).to_owned());
            if let Some(url) = fields.entry("url") {
                let title = format!("`url` stands beside `{}`, which has a path", entry.key.value);
                self.error(url.key.place, title, "take it out; it belongs to `request: METHOD`");
            }
            (method, self.path(&entry.value, &entry.key.value))
        };
        let name = match fields.get("name") {
            Some(node) => {
                self.text(node, "`name`").and_then(|name| self.in_one_line(name, "`name`"))
            }
            None => None,
        };
        if let (Some(path), None) = (&path, fields.entry("name"))
            && is_all_template(&path.value)
        {
            let node =
                if entry.key.value == "request" { fields.get("url") } else { Some(&entry.value) };
            self.wrong(
                node.unwrap_or(&entry.value),
                format!("{what} needs a `name`"),
                "its path is all template: say under which name it is counted",
            );
        }
        let settings = self.settings(fields);
        let body = self.body(fields);
        let connections = fields.get("connections").and_then(|node| self.connections(node));
        if let Some(crate::plan::model::Connections::Shared(_)) = connections {
            let node = fields.get("connections").unwrap_or(&entry.value);
            let label = "write `own` or `new`; the pool stands at the class or the plan";
            self.wrong(node, "a request cannot have a pool of its own", label);
        }
        let captures =
            fields.entry("capture").map_or(Some(Vec::new()), |entry| self.captures(entry));
        let record = match fields.get("record") {
            Some(node) => self.word(node, "`record`", &[("on", true), ("off", false)]),
            None => Some(true),
        };
        let wait = match fields.get("wait").filter(|_| wait) {
            Some(node) => self.wait(node),
            None => None,
        };
        Some(Action::Request(Box::new(Request {
            method: method?,
            path: path?,
            name,
            settings,
            body: body.flatten(),
            connections,
            captures: captures.unwrap_or_default(),
            record: record.unwrap_or(true),
            wait,
            place: entry.key.place,
        })))
    }

    fn method(&mut self, entry: &Entry) -> Option<String> {
        let method = self.text(&entry.value, "`request`")?;
        if method.value.starts_with('/') || method.value.contains("://") {
            let label = format!(
                "write the method, as `request: PURGE`, and `url: {}`",
                shorten(&method.value)
            );
            self.wrong(&entry.value, "`request` takes a method, not a path", label);
            return None;
        }
        if method.value.eq_ignore_ascii_case("connect") {
            let title = "CONNECT makes a tunnel, which is not a request to the target";
            self.wrong(&entry.value, title, "take it out");
            return None;
        }
        let name = Placed { value: method.value.trim().to_owned(), place: method.place };
        if !self.token(&name, "a method") {
            return None;
        }
        if name.value.chars().any(|c| c.is_ascii_lowercase()) {
            let upper = name.value.to_ascii_uppercase();
            let title = format!("the method is sent as it stands: `{}`", name.value);
            self.warn(name.place, title, format!("methods are in capitals: `{upper}`"));
        }
        Some(name.value)
    }

    pub(super) fn path(&mut self, node: &Node, method: &str) -> Option<Placed<String>> {
        if let NodeValue::Map(_) = node.value {
            self.wrong(
                node,
                format!("`{method}` takes a path, not a map"),
                "write the path behind it; `json`, `headers` and the rest stand beside it",
            );
            return None;
        }
        let NodeValue::Text(text) = &node.value else {
            let title = format!("`{method}` takes a path, not {}", node.value.kind());
            self.wrong(node, title, "write one, as `/todos/`");
            return None;
        };
        let path = Placed { value: text.clone(), place: node.place };
        let lower = text.to_ascii_lowercase();
        let whole = lower.starts_with("http://") || lower.starts_with("https://");
        // A template may hold a whole URL, or a path: that is seen when it has its value.
        if let Some(block) = ["{%", "{#"].into_iter().find(|block| text.contains(block)) {
            let label = "only `{{ }}` is: write `{{ 'a' if condition else 'b' }}`";
            self.wrong(node, format!("`{block}` is not live in text"), label);
            return None;
        }
        if !text.starts_with('/') && !whole && !text.starts_with("{{") && text.contains("://") {
            let label = "write one of these, or a path, which is joined to `target`";
            self.wrong(node, "a whole URL begins with `http://` or `https://`", label);
            return None;
        }
        if !text.starts_with('/') && !whole && !text.starts_with("{{") {
            let trimmed = text.trim_start();
            let advice = if trimmed.starts_with('/') {
                format!("take the space before it out, as `{}`", shorten(trimmed))
            } else {
                format!("write `/{}`", shorten(trimmed))
            };
            self.wrong(node, "a path begins with `/`", advice);
            return None;
        }
        let literal = outside_templates(text);
        if literal.contains('#') {
            self.wrong(node, "a `#` and what follows is never sent", "take it out, or write `%23`");
            return None;
        }
        let bad = |c: char| c.is_whitespace() || c.is_control() || !c.is_ascii();
        if literal.contains(bad) {
            let encoded = encode_outside_templates(text.trim());
            let title = "a path cannot hold spaces or letters beyond ASCII as they are";
            self.wrong(node, title, format!("write `{}`", shorten(&encoded)));
            return None;
        }
        if let Some(field) = single_braces(&literal) {
            // `${id}` is how shells and other tools have it.
            let dollar = if literal.contains(&format!("${field}")) { "$" } else { "" };
            self.warn(
                node.place,
                format!("`{dollar}{field}` is sent as it stands"),
                format!(
                    "write `{{{{ {} }}}}` to fill a value in",
                    field[1..field.len() - 1].trim()
                ),
            );
        }
        Some(path)
    }
}

/// The text with every `{{ … }}` taken out.
pub(super) fn outside_templates(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        literal += &rest[..open];
        rest = rest[open..].find("}}").map_or("", |close| &rest[open + close + 2..]);
    }
    literal + rest
}

/// The text with what cannot stand in a path percent-encoded, templates left alone.
fn encode_outside_templates(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let open = rest.find("{{").unwrap_or(rest.len());
        for byte in rest[..open].bytes() {
            if byte.is_ascii_graphic() {
                encoded.push(char::from(byte));
            } else {
                encoded += &format!("%{byte:02X}");
            }
        }
        let close = rest[open..].find("}}").map_or(rest.len(), |close| open + close + 2);
        encoded += &rest[open..close];
        rest = &rest[close..];
        if rest.is_empty() {
            return encoded;
        }
    }
}

/// `/{{ next }}`: nothing but templates between the slashes.
fn is_all_template(path: &str) -> bool {
    // One that is not closed has a mistake of its own.
    path.matches("{{").count() == path.matches("}}").count()
        && path.contains("{{")
        && outside_templates(path).chars().all(|c| c == '/')
}

/// `{id}`, as API descriptions write it.
fn single_braces(literal: &str) -> Option<&str> {
    let open = literal.find('{')?;
    let close = open + literal[open..].find('}')?;
    Some(&literal[open..=close])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_left_alone_when_a_path_is_encoded() {
        assert_eq!(
            encode_outside_templates("/할 일/{{ a b }}/x y"),
            "/%ED%95%A0%20%EC%9D%BC/{{ a b }}/x%20y"
        );
        assert_eq!(outside_templates("/a/{{ b }}/c{{ d"), "/a//c");
        assert!(is_all_template("/{{ next }}") && !is_all_template("/t/{{ id }}"));
        assert!(!is_all_template("/{{ next"));
        assert!(!is_all_template("/"));
    }
}
