//! Owns reading user classes and their tasks.

use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::Placed;
use crate::load::Wait;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Class, Method, Step, Task};

impl Checker {
    pub(super) fn classes(&mut self, users: &Entry) -> Option<Vec<Class>> {
        let example = "name a user class below it, and give it `tasks`";
        let entries = match &users.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) => {
                self.error(users.key.place, "the plan has no user class", example);
                return None;
            }
            NodeValue::Int(_) => {
                self.wrong(
                    &users.value,
                    "`users` says who does what, not how many there are",
                    "write the number into a profile, under `profiles`",
                );
                return None;
            }
            NodeValue::List(_) => {
                self.wrong(
                    &users.value,
                    "`users` must be a map from names to user classes, not a list",
                    "give each class a name and write that as the key",
                );
                return None;
            }
            _ => {
                self.not_a_map(&users.value, users.key.place, "`users`", example);
                return None;
            }
        };
        let classes: Vec<_> = entries.iter().map(|entry| self.class(entry)).collect();
        let whole = classes.iter().all(Option::is_some);
        let classes: Vec<Class> = classes.into_iter().flatten().collect();
        if whole && classes.iter().all(|class| class.weight == 0.0) {
            self.warn(
                users.key.place,
                "every user class has weight 0",
                "a run has users only when a class is named on the command line",
            );
        }
        Some(classes)
    }

    fn class(&mut self, entry: &Entry) -> Option<Class> {
        let name = entry.key.clone();
        self.plain_name(entry, "a user class");
        let what = format!("the user class `{}`", shorten(&name.value));
        let fields = self.fields(&entry.value, Context::Class, name.place, &what)?;
        let weight = self.weight(fields.get("weight"));
        let wait = match fields.get("wait") {
            Some(node) => self.wait(node),
            None => Some(Wait::None),
        };
        let tasks = match fields.entry("tasks") {
            Some(tasks) => self.tasks(tasks, &what),
            None => {
                self.error(name.place, format!("{what} has no `tasks`"), "say what its users do");
                None
            }
        };
        Some(Class {
            name,
            weight: weight.unwrap_or(1.0),
            wait: wait.unwrap_or(Wait::None),
            tasks: tasks.unwrap_or_default(),
        })
    }

    fn tasks(&mut self, tasks: &Entry, class: &str) -> Option<Vec<Task>> {
        let entries = match &tasks.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::List(_) => {
                self.wrong(
                    &tasks.value,
                    "`tasks` must be a map from names to tasks, not a list",
                    "give each task a name and write that as the key; a list of steps goes under \
                     `steps` of one task",
                );
                return None;
            }
            NodeValue::Map(_) | NodeValue::Null => {
                self.error(
                    tasks.key.place,
                    format!("{class} has no task"),
                    "say what its users do",
                );
                return None;
            }
            _ => {
                let advice = "write a name for each task below it";
                self.not_a_map(&tasks.value, tasks.key.place, "`tasks`", advice);
                return None;
            }
        };
        if let [method, ..] =
            entries.iter().filter(|entry| is_method(entry)).collect::<Vec<_>>()[..]
            && !matches!(method.value.value, NodeValue::Map(_))
        {
            self.error(
                method.key.place,
                format!("`{}` stands where the name of a task is expected", method.key.value),
                "put a name above it, and indent the request below that",
            );
            return None;
        }
        let read: Vec<_> = entries.iter().map(|entry| self.task(entry)).collect();
        let whole = read.iter().all(Option::is_some);
        let read: Vec<Task> = read.into_iter().flatten().collect();
        if whole && read.iter().all(|task| task.weight == 0.0) {
            self.error(
                tasks.key.place,
                format!("every task of {class} has weight 0"),
                "give one a weight, or none of them",
            );
        }
        Some(read)
    }

    fn task(&mut self, entry: &Entry) -> Option<Task> {
        let name = entry.key.clone();
        self.plain_name(entry, "a task");
        let what = format!("the task `{}`", shorten(&name.value));
        if let NodeValue::List(_) = entry.value.value {
            self.wrong(
                &entry.value,
                format!("{what} must be a map of keys, not a list"),
                "put the list below `steps`",
            );
            return None;
        }
        let fields = self.fields(&entry.value, Context::Task, name.place, &what)?;
        let weight = self.weight(fields.get("weight"));
        let when = self.when(&fields);
        let steps = self.task_steps(&fields, &name, &what);
        Some(Task {
            name,
            weight: weight.unwrap_or(1.0),
            when: when.flatten(),
            steps: steps.unwrap_or_default(),
        })
    }

    fn task_steps(
        &mut self,
        fields: &Fields<'_>,
        name: &Placed<String>,
        what: &str,
    ) -> Option<Vec<Step>> {
        let methods: Vec<_> = fields.entries.iter().filter(|entry| is_method(entry)).collect();
        match (fields.entry("steps"), &methods[..]) {
            (Some(steps), []) => {
                let stray: Vec<_> = fields
                    .entries
                    .iter()
                    .filter(|entry| is_request_key(&entry.key.value))
                    .collect();
                for entry in &stray {
                    self.error(
                        entry.key.place,
                        format!("`{}` belongs to a request", entry.key.value),
                        "move it into the step that sends the request",
                    );
                }
                self.steps(steps)
            }
            (Some(_), [method, ..]) => {
                self.error(
                    method.key.place,
                    format!("{what} is one request or `steps`, not both"),
                    "move the request into `steps`",
                );
                None
            }
            (None, []) => {
                if !fields.odd {
                    self.error(
                        name.place,
                        format!("{what} does nothing"),
                        "give it a request, as `get: /todos/`, or `steps`",
                    );
                }
                None
            }
            (None, [_]) => {
                let action = self.request(fields, what)?;
                Some(vec![Step { when: None, action }])
            }
            (None, [_, second, ..]) => {
                self.error(
                    second.key.place,
                    format!("{what} sends two requests at once"),
                    "write them as two steps, under `steps`",
                );
                None
            }
        }
    }

    /// Outer absence: it could not be read.
    pub(super) fn when(&mut self, fields: &Fields<'_>) -> Option<Option<Placed<String>>> {
        match fields.get("when") {
            Some(node) => self.expression(node, "`when`").map(Some),
            None => Some(None),
        }
    }

    pub(super) fn wait(&mut self, node: &Node) -> Option<Wait> {
        if let NodeValue::Map(entries) = &node.value {
            for entry in entries {
                self.key(entry, Context::Wait);
            }
            if entries.is_empty() {
                self.wrong(node, "`wait` is empty", "write `2s`, `1s..3s` or `none`");
            }
            return None;
        }
        if let NodeValue::List(items) = &node.value {
            let label = match &items[..] {
                [
                    Node { value: NodeValue::Int(low), .. },
                    Node { value: NodeValue::Int(high), .. },
                ] => {
                    format!("write `{low}s..{high}s`")
                }
                _ => "write `1s..3s`".to_owned(),
            };
            self.wrong(node, "`wait` is text, not a list", label);
            return None;
        }
        let text = match &node.value {
            // YAML reads `none` as text, but people also write nothing or `false`.
            NodeValue::Null | NodeValue::Bool(false) => {
                self.wrong(node, "`wait` is empty", "write `none` for no wait");
                return None;
            }
            _ => self.unit_text(node, "`wait`")?,
        };
        match Wait::parse(&text) {
            Ok(wait) => Some(wait),
            Err(error) => {
                let dashed = text.replacen('-', "..", 1);
                let dotted = text.replacen("...", "..", 1);
                let lower = text.to_ascii_lowercase();
                if ["none", "no", "off", "never", "zero"].contains(&&*lower) {
                    let title = format!("`wait` is not a wait: `{text}`");
                    self.wrong(node, title, "write `none` for no wait");
                } else if text.contains("...") && Wait::parse(&dotted).is_ok() {
                    let title = format!("`wait` is not a wait: `{}`", shorten(&text));
                    self.wrong(node, title, format!("write `{dotted}`, with two dots"));
                } else if let Some((low, high)) = bare_range(&text) {
                    self.wrong(node, "`wait` lacks its unit", format!("write `{low}s..{high}s`"));
                } else if text.contains('-') && Wait::parse(&dashed).is_ok() {
                    let title = format!("`wait` is not a wait: `{}`", shorten(&text));
                    self.wrong(node, title, format!("write `{}`", dashed.replace(' ', "")));
                } else {
                    self.not_a_quantity(node, "`wait`", &text, "a wait", &error);
                }
                None
            }
        }
    }
}

fn is_method(entry: &Entry) -> bool {
    Method::KEYS.iter().any(|(key, _)| *key == entry.key.value)
}

/// `1..3`
fn bare_range(text: &str) -> Option<(&str, &str)> {
    let (low, high) = text.split_once("..")?;
    let (low, high) = (low.trim(), high.trim());
    [low, high].iter().all(|end| end.parse::<f64>().is_ok()).then_some((low, high))
}

fn is_request_key(key: &str) -> bool {
    ["name", "headers", "json", "body", "timeout", "accept", "capture"].contains(&key)
}
