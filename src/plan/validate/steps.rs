//! Owns reading steps and requests.

use std::collections::HashMap;

use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place, Placed};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Action, Body, Capture, Method, Request, Step};
use crate::plan::status::Accept;

/// What a request is made of, beside its method.
const REQUEST_KEYS: [&str; 7] = ["name", "headers", "json", "body", "timeout", "accept", "capture"];

/// Headers that the client writes itself, and why.
const OWN_HEADERS: [(&str, &str); 4] = [
    ("host", "it is made of the target"),
    ("content-length", "it is counted from the body"),
    ("transfer-encoding", "bodies are sent whole, with their length"),
    ("connection", "each user keeps its connection alive"),
];

impl Checker {
    /// A list of steps, or one step.
    pub(super) fn steps(&mut self, entry: &Entry) -> Option<Vec<Step>> {
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Map(_) => std::slice::from_ref(&entry.value),
            NodeValue::Null => &[],
            other => {
                let title = format!("`steps` must be a list of steps, not {}", other.kind());
                self.wrong(&entry.value, title, "write a list, one step to each item");
                return None;
            }
        };
        if nodes.is_empty() {
            self.error(entry.key.place, "`steps` is empty", "write a step below it");
            return None;
        }
        let steps: Vec<_> =
            nodes.iter().enumerate().map(|(at, node)| self.step(node, at)).collect();
        // What can be read is kept: the compiler looks for more mistakes in it.
        Some(steps.into_iter().flatten().collect())
    }

    fn step(&mut self, node: &Node, at: usize) -> Option<Step> {
        let what = format!("step {}", at + 1);
        if !matches!(node.value, NodeValue::Map(_)) {
            let kind = node.value.kind();
            self.wrong(
                node,
                format!("{what} must be a map of keys, not {kind}"),
                "write what it does as a key, as `get: /todos/` or `wait: 1s`",
            );
            return None;
        }
        let fields = self.fields(node, Context::Step, node.place, &what)?;
        let when = self.when(&fields);
        let action = self.action(node, &fields, &what);
        Some(Step { when: when.flatten(), action: action? })
    }

    fn action(&mut self, node: &Node, fields: &Fields<'_>, what: &str) -> Option<Action> {
        let mut actions = fields.present(&["wait", "set", "push", "remove"]);
        let requests: Vec<&Entry> = fields.present(&Method::KEYS.map(|(key, _)| key));
        actions.extend(&requests);
        actions
            .sort_by_key(|entry| fields.entries.iter().position(|one| std::ptr::eq(one, *entry)));
        let action = match actions[..] {
            [action] => action,
            [] => {
                if let Some(entry) =
                    fields.entries.iter().find(|entry| REQUEST_KEYS.contains(&&*entry.key.value))
                    && !fields.odd
                {
                    self.error(
                        entry.key.place,
                        format!("{what} has `{}` and no request", entry.key.value),
                        "say what is sent, as `get: /todos/`",
                    );
                } else if !fields.odd {
                    let place = fields.entries.first().map_or(node.place, |entry| entry.key.place);
                    self.error(
                        place,
                        format!("{what} does nothing"),
                        "add a request, `wait`, `set`, `push` or `remove`",
                    );
                }
                return None;
            }
            [first, second, ..] => {
                let (first, second) = (first.key.clone(), second.key.clone());
                if requests.len() == 1
                    && let Some(wait) = [&first, &second].iter().find(|key| key.value == "wait")
                {
                    self.error(
                        wait.place,
                        "`wait` beside a request is not supported yet",
                        "for now write it as a step of its own, after the request",
                    );
                    return None;
                }
                let label = "write two steps, one after the other";
                self.diagnostics.push(
                    Diagnostic::error(
                        second.place,
                        format!("{what} does two things: `{}` and `{}`", first.value, second.value),
                        label,
                    )
                    .also(first.place, "the first"),
                );
                return None;
            }
        };
        if requests.is_empty() {
            let mut good = true;
            for entry in fields.present(&REQUEST_KEYS) {
                good = false;
                self.error(
                    entry.key.place,
                    format!(
                        "`{}` belongs to a request, not to `{}`",
                        entry.key.value, action.key.value
                    ),
                    "move it into the step that sends the request",
                );
            }
            if !good {
                return None;
            }
        }
        match &*action.key.value {
            "wait" => self.wait(&action.value).map(Action::Wait),
            "set" => self.assignments(action).map(Action::Set),
            "push" => self.assignments(action).map(Action::Push),
            "remove" => self.assignments(action).map(Action::Remove),
            _ => self.request(fields, what),
        }
    }

    fn assignments(&mut self, entry: &Entry) -> Option<Vec<(Placed<String>, Node)>> {
        let key = &*entry.key.value;
        let entries = match &entry.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                self.error(
                    entry.key.place,
                    format!("`{key}` is empty"),
                    "write a variable and its value",
                );
                return None;
            }
            other => {
                let title =
                    format!("`{key}` must be a map from variables to values, not {}", other.kind());
                let label = if key == "set" {
                    "write the variable as a key, and its value behind it"
                } else {
                    "write the list as a key, and the item behind it"
                };
                self.wrong(&entry.value, title, label);
                return None;
            }
        };
        let read: Vec<_> = entries
            .iter()
            .map(|entry| {
                let good = self.sent_value(&entry.value);
                let name = self.variable(&entry.key)?;
                good.then(|| (name, entry.value.clone()))
            })
            .collect();
        Some(read.into_iter().flatten().collect())
    }

    /// The request of a step or of a task that is one; it has exactly one method.
    pub(super) fn request(&mut self, fields: &Fields<'_>, what: &str) -> Option<Action> {
        let (entry, method) = fields.entries.iter().find_map(|entry| {
            let (_, method) = Method::KEYS.iter().find(|(key, _)| *key == entry.key.value)?;
            Some((entry, *method))
        })?;
        let path = self.path(&entry.value, &entry.key.value);
        let name = match fields.get("name") {
            Some(node) => self
                .text(node, "`name`")
                .and_then(|name| self.without_template(name, "`name`"))
                .and_then(|name| self.in_one_line(name, "`name`"))
                .map(Some),
            None => Some(None),
        };
        if let (Some(path), None) = (&path, fields.entry("name"))
            && is_all_template(&path.value)
        {
            self.wrong(
                &entry.value,
                format!("{what} needs a `name`"),
                "its path is all template: say under which name it is counted",
            );
        }
        let headers = fields.get("headers").map_or(Some(Vec::new()), |node| self.headers(node));
        let body = self.body(fields);
        let timeout = match fields.get("timeout") {
            Some(node) => self.timeout(node).map(Some),
            None => Some(None),
        };
        let accept = fields.get("accept").map_or(Some(Accept::default()), |node| self.accept(node));
        let captures =
            fields.entry("capture").map_or(Some(Vec::new()), |entry| self.captures(entry));
        Some(Action::Request(Box::new(Request {
            method,
            path: path?,
            name: name.flatten(),
            headers: headers.unwrap_or_default(),
            body: body.flatten(),
            timeout: timeout.flatten(),
            accept: accept.unwrap_or_default(),
            captures: captures.unwrap_or_default(),
        })))
    }

    fn path(&mut self, node: &Node, method: &str) -> Option<Placed<String>> {
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
        if lower.starts_with("http://") || lower.starts_with("https://") {
            let rest = text.split_once("://").map_or("", |(_, rest)| rest);
            let path = rest.find('/').map_or("/", |slash| &rest[slash..]);
            self.wrong(
                node,
                "whole URLs are not supported yet",
                format!("write the path, as `{}`; it is joined to `target`", shorten(path)),
            );
            return None;
        }
        if !text.starts_with('/') {
            let trimmed = text.trim_start();
            if trimmed.starts_with("{{") {
                let title = "a path that begins with a template is not supported yet";
                self.wrong(node, title, "begin it with `/`, and leave that out of the value");
                return None;
            }
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
            self.warn(
                node.place,
                format!("`{field}` is sent as it stands"),
                format!("write `{{{field}}}` to fill a value in"),
            );
        }
        Some(path)
    }

    fn headers(&mut self, node: &Node) -> Option<Vec<(Placed<String>, Node)>> {
        let NodeValue::Map(entries) = &node.value else {
            let title =
                format!("`headers` must be a map from names to values, not {}", node.value.kind());
            self.wrong(node, title, "write each header as a key, and its value behind it");
            return None;
        };
        let mut headers = Vec::with_capacity(entries.len());
        let mut known: HashMap<String, Place> = HashMap::new();
        let mut good = true;
        for entry in entries {
            let lower = entry.key.value.to_ascii_lowercase();
            if let Some(first) = known.get(&lower) {
                let title = format!("the header `{}` stands twice", entry.key.value);
                let diagnostic =
                    Diagnostic::error(entry.key.place, title, "take one of the two out")
                        .also(*first, "the first is here");
                self.diagnostics.push(diagnostic);
                good = false;
            } else if self.header(entry) {
                known.insert(lower, entry.key.place);
                headers.push((entry.key.clone(), entry.value.clone()));
            } else {
                good = false;
            }
        }
        good.then_some(headers)
    }

    fn header(&mut self, entry: &Entry) -> bool {
        let name = &*entry.key.value;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            let advice = match name.strip_suffix(':') {
                Some(name) => format!("write `{name}`, without the colon"),
                None => "header names hold letters, digits and `-`".to_owned(),
            };
            self.error(entry.key.place, format!("`{name}` cannot be the name of a header"), advice);
            return false;
        }
        let own = OWN_HEADERS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((own, reason)) = own {
            let title = format!("`{own}` is not for the plan to say: {reason}");
            self.error(entry.key.place, title, "take it out");
            return false;
        }
        let what = format!("the header `{name}`");
        let text = match &entry.value.value {
            NodeValue::Int(_) | NodeValue::Float(_) => return true,
            // An empty header is a header.
            NodeValue::Text(text) => text,
            _ => {
                self.text(&entry.value, &what);
                return false;
            }
        };
        if outside_templates(text).contains(|c: char| c.is_control() && c != '\t') {
            self.wrong(
                &entry.value,
                format!("{what} holds a line break or another control character"),
                "write it in one line",
            );
            return false;
        }
        true
    }

    /// Outer absence: it could not be read.
    fn body(&mut self, fields: &Fields<'_>) -> Option<Option<Body>> {
        if let [_, second] = fields.present(&["json", "body"])[..] {
            self.error(
                second.key.place,
                "a request has one body, `json` or `body`",
                "take one of the two out",
            );
            return None;
        }
        if let Some(node) = fields.get("json") {
            return self.sent_value(node).then(|| Some(Body::Json(node.clone())));
        }
        let Some(node) = fields.get("body") else { return Some(None) };
        match &node.value {
            NodeValue::Text(text) => {
                let text = Placed { value: text.clone(), place: node.place };
                Some(Some(Body::Text(text)))
            }
            NodeValue::Map(_) | NodeValue::List(_) => {
                let title = format!("`body` must be text, not {}", node.value.kind());
                self.wrong(node, title, "write `json` to send a value");
                None
            }
            _ => {
                self.text(node, "`body`");
                None
            }
        }
    }

    /// A value that is sent or kept: templates stand in its texts, never in its keys.
    fn sent_value(&mut self, node: &Node) -> bool {
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

    fn timeout(&mut self, node: &Node) -> Option<std::time::Duration> {
        if let NodeValue::Map(entries) = &node.value {
            for entry in entries {
                self.key(entry, Context::Timeout);
            }
            if entries.is_empty() {
                self.wrong(node, "`timeout` is empty", "write a time, as `10s`");
            }
            return None;
        }
        let timeout = self.duration(node, "`timeout`")?;
        if timeout.is_zero() {
            self.wrong(node, "`timeout` is zero", "write a time, or take it out for the default");
            return None;
        }
        Some(timeout)
    }

    fn accept(&mut self, node: &Node) -> Option<Accept> {
        match &node.value {
            NodeValue::List(items) if items.is_empty() => {
                self.wrong(node, "`accept` is empty", "write `any` to accept every status code");
                None
            }
            NodeValue::List(items) => {
                let rules: Vec<_> = items.iter().map(|item| self.accept_rule(item)).collect();
                Some(Accept::any_of(rules.into_iter().collect::<Option<Vec<_>>>()?))
            }
            _ => self.accept_rule(node),
        }
    }

    fn accept_rule(&mut self, node: &Node) -> Option<Accept> {
        let text = match &node.value {
            NodeValue::Int(code) => code.to_string(),
            NodeValue::Map(entries) => {
                for entry in entries {
                    self.key(entry, Context::AcceptRule);
                }
                return None;
            }
            NodeValue::Text(text) => text.clone(),
            other => {
                let title = format!("`accept` takes status codes, not {}", other.kind());
                self.wrong(node, title, "write `201`, `2xx`, `200..299`, `[200, 404]` or `any`");
                return None;
            }
        };
        match Accept::parse(&text) {
            Ok(accept) => Some(accept),
            Err(error) => {
                let title = format!("`{}` is not a rule for status codes", shorten(&text));
                self.wrong(node, title, error.to_string());
                None
            }
        }
    }

    fn captures(&mut self, entry: &Entry) -> Option<Vec<Capture>> {
        let entries = match &entry.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                let label = "write a variable and where its value stands, as `$.id`";
                self.error(entry.key.place, "`capture` is empty", label);
                return None;
            }
            other => {
                let title = format!(
                    "`capture` must be a map from variables to paths, not {}",
                    other.kind()
                );
                self.wrong(
                    &entry.value,
                    title,
                    "write the variable as a key, and `$.id` behind it",
                );
                return None;
            }
        };
        let captures: Vec<_> = entries.iter().map(|entry| self.capture(entry)).collect();
        Some(captures.into_iter().flatten().collect())
    }

    fn capture(&mut self, entry: &Entry) -> Option<Capture> {
        let name = self.variable(&entry.key);
        let what = format!("the capture `{}`", shorten(&entry.key.value));
        let (path, push) = if let NodeValue::Map(_) = entry.value.value {
            let fields = self.fields(&entry.value, Context::Capture, entry.key.place, &what)?;
            let push = fields.get("push").map_or(Some(false), |node| self.bool(node, "`push`"));
            let Some(json) = fields.get("json") else {
                if !fields.odd {
                    let label = "add `json`: where the value stands in the body, as `$.id`";
                    self.error(entry.key.place, format!("{what} has no source"), label);
                }
                return None;
            };
            (self.json_path(json, "`json`"), push)
        } else {
            (self.json_path(&entry.value, &what), Some(false))
        };
        Some(Capture { name: name?, path: path?, push: push.unwrap_or_default() })
    }

    fn json_path(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        let path = self.text(node, what)?;
        let text = path.value.trim();
        if text.contains("{{") {
            self.wrong(
                node,
                "templates in captures are not supported yet",
                "write a path into the body, as `$.id`",
            );
            return None;
        }
        if !text.starts_with('$') {
            let advice = match text.strip_prefix('.') {
                Some(rest) => format!("write `$.{}`", shorten(rest)),
                None if text.starts_with('[') => format!("write `${}`", shorten(text)),
                None => format!("write `$.{}`", shorten(text)),
            };
            self.wrong(node, "a path into the body begins with `$`", advice);
            return None;
        }
        Some(Placed { value: text.to_owned(), place: path.place })
    }
}

/// The text with every `{{ … }}` taken out.
fn outside_templates(text: &str) -> String {
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
