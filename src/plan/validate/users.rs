//! Owns reading user classes and their tasks.

use std::collections::HashSet;
use std::time::Duration;

use super::requests::{is_method, is_request_key};
use super::stray::{fits, lists_texts};
use super::values::shorten;
use super::{Checker, Fields, there_are};
use crate::diagnostic::{Diagnostic, Placed};
use crate::load::{Order, Wait};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Class, Flow, Step, Task};
use crate::units::Rate;

/// How often each is visited takes the cube of their number to know.
const MOST_IN_A_CHAIN: usize = 200;

impl Checker<'_> {
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
        let is_map = matches!(entry.value.value, NodeValue::Map(_));
        if !is_map && self.stray(entry, &[Context::Plan], "users") {
            return None;
        }
        let name = entry.key.clone();
        self.plain_name(entry, "a user class");
        let what = format!("the user class `{}`", shorten(&name.value));
        let fields = self.fields(&entry.value, Context::Class, name.place, &what)?;
        let weight = self.weight(fields.get("weight"));
        let fixed = fields.get("fixed").and_then(|node| self.users(node, "`fixed`"));
        if let (Some(_), Some(weight)) = (fields.entry("fixed"), fields.entry("weight")) {
            let title = "a class has a weight or a fixed number of users, not both";
            self.error(weight.key.place, title, "take one of the two out");
        }
        let order = match fields.get("order") {
            Some(node) => self.word(node, "`order`", &Order::WORDS).unwrap_or_default(),
            None => Order::Random,
        };
        let wait = match fields.get("wait") {
            Some(node) => self.wait(node),
            None => Some(Wait::None),
        };
        let target = fields.get("target").and_then(|node| self.target(node));
        let defaults = match fields.entry("defaults") {
            Some(entry) => self.defaults(entry),
            None => Default::default(),
        };
        let connections = fields.get("connections").and_then(|node| self.connections(node));
        let tls = fields.entry("tls").map(|entry| self.tls(entry)).unwrap_or_default();
        let tags = self.tags(&fields);
        let on_start = fields.entry("on_start").and_then(|entry| self.steps(entry));
        let on_stop = fields.entry("on_stop").and_then(|entry| self.steps(entry));
        let tasks = match fields.entry("tasks") {
            Some(tasks) => self.tasks(tasks, &what, order),
            None => {
                self.error(name.place, format!("{what} has no `tasks`"), "say what its users do");
                None
            }
        };
        Some(Class {
            name,
            weight: weight.unwrap_or(1.0),
            fixed,
            order,
            wait: wait.unwrap_or(Wait::None),
            target,
            defaults,
            connections,
            tls,
            tags,
            on_start: on_start.unwrap_or_default(),
            tasks: tasks.unwrap_or_default(),
            on_stop: on_stop.unwrap_or_default(),
        })
    }

    fn tasks(&mut self, tasks: &Entry, class: &str, order: Order) -> Option<Vec<Task>> {
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
            entries.iter().filter(|entry| is_method(&entry.key.value)).collect::<Vec<_>>()[..]
            && !matches!(method.value.value, NodeValue::Map(_))
        {
            self.error(
                method.key.place,
                format!("`{}` stands where the name of a task is expected", method.key.value),
                "put a name above it, and indent the request below that",
            );
            return None;
        }
        let names: HashSet<&str> = entries.iter().map(|entry| &*entry.key.value).collect();
        let read: Vec<_> = entries.iter().map(|entry| self.task(entry, &names)).collect();
        let whole = read.iter().all(Option::is_some);
        self.successors(entries, &names, order);
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

    /// `names` are those of all tasks of the class.
    fn task(&mut self, entry: &Entry, names: &HashSet<&str>) -> Option<Task> {
        let is_map = |node: &Node| matches!(node.value, NodeValue::Map(_));
        let does = |key: &str| key == "steps" || is_method(key);
        let names_a_task = matches!(&entry.value.value, NodeValue::Map(entries)
            if entries.iter().any(|entry| does(&entry.key.value)));
        let above = [Context::Class, Context::Plan];
        let is_stray = match &entry.value.value {
            // Requests are a task whose `steps` are missing, whatever it is called; but those of
            // `on_start` stand in the class.
            NodeValue::List(items) if items.iter().any(is_map) => {
                fits(entry, &[Context::Class]) && self.stray(entry, &above, "tasks")
            }
            NodeValue::List(_) if lists_texts(entry, &above) => self.stray(entry, &above, "tasks"),
            _ => !names_a_task && self.surely_stray(entry, &above, "tasks"),
        };
        if is_stray {
            return None;
        }
        let name = entry.key.clone();
        self.plain_name(entry, "a task");
        let what = format!("the task `{}`", shorten(&name.value));
        if let NodeValue::List(_) = entry.value.value {
            self.wrong(
                &entry.value,
                format!("{what} must be a map of keys, not a list"),
                "write the list behind `steps`",
            );
            return None;
        }
        let fields = self.fields(&entry.value, Context::Task, name.place, &what)?;
        let weight = self.weight(fields.get("weight"));
        let when = self.when(&fields);
        let chance = self.chance(&fields);
        let tags = self.tags(&fields);
        let wait = fields.get("wait").and_then(|node| self.wait(node));
        let next = fields.get("next").map_or_else(Vec::new, |node| self.next(node, names));
        let steps = self.task_steps(&fields, &name, &what);
        Some(Task {
            name,
            weight: weight.unwrap_or(1.0),
            when: when.flatten(),
            chance,
            tags,
            wait,
            next,
            steps: steps.unwrap_or_default(),
        })
    }

    fn next(&mut self, node: &Node, names: &HashSet<&str>) -> Vec<(Placed<String>, f64)> {
        match &node.value {
            NodeValue::Map(entries) => {
                let mut next = Vec::with_capacity(entries.len());
                for entry in entries {
                    if !may_follow(entry, names)
                        && self.surely_stray(entry, &[Context::Task], "next")
                    {
                        continue;
                    }
                    if let NodeValue::Text(text) = &entry.value.value
                        && let Some(number) = text.trim().strip_suffix('%')
                    {
                        let label =
                            format!("write `{}`: weights are shares of their sum", number.trim());
                        self.wrong(&entry.value, "a weight of `next` is a plain number", label);
                        continue;
                    }
                    next.extend(
                        self.weight(Some(&entry.value)).map(|weight| (entry.key.clone(), weight)),
                    );
                }
                if !next.is_empty() && next.iter().all(|(_, weight)| *weight == 0.0) {
                    let label = "give one a weight above 0, or write `exit: 1`";
                    self.wrong(node, "nothing follows: every weight of `next` is 0", label);
                }
                if entries.is_empty() {
                    self.wrong(node, "`next` is empty", "write `{ list: 80, exit: 20 }`");
                }
                next
            }
            // One that always follows.
            NodeValue::Text(text) => {
                vec![(Placed { value: text.trim().to_owned(), place: node.place }, 1.0)]
            }
            other => {
                let title =
                    format!("`next` must be a map from tasks to weights, not {}", other.kind());
                self.wrong(node, title, "write `{ list: 80, exit: 20 }`");
                Vec::new()
            }
        }
    }

    /// Every `next` names a task, and stands where it is looked at.
    fn successors(&mut self, entries: &[Entry], names: &HashSet<&str>, order: Order) {
        let mut any = false;
        for task in entries {
            let NodeValue::Map(keys) = &task.value.value else { continue };
            let Some(next) = keys.iter().find(|entry| entry.key.value == "next") else { continue };
            any = true;
            if order != Order::Chain {
                let title = "`next` is looked at in a chain alone";
                self.error(next.key.place, title, "add `order: chain` to the user class");
                continue;
            }
            let mut targets: Vec<Placed<String>> = Vec::new();
            match &next.value.value {
                NodeValue::Map(entries) => targets.extend(
                    entries
                        .iter()
                        // Others have been told as keys that landed there, or for their value.
                        .filter(|entry| {
                            Context::Task.find(&entry.key.value).is_none()
                                || may_follow(entry, names)
                        })
                        .map(|entry| entry.key.clone()),
                ),
                NodeValue::Text(text) => {
                    let value = text.trim().to_owned();
                    targets.push(Placed { value, place: next.value.place });
                }
                _ => {}
            }
            for target in targets {
                if target.value == "exit" || names.contains(&*target.value) {
                    continue;
                }
                let known = entries.iter().map(|entry| &*entry.key.value).chain(["exit"]);
                let label = match self.suggest(&target.value, known.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => there_are(known),
                };
                self.error(
                    target.place,
                    format!("there is no task `{}`", shorten(&target.value)),
                    label,
                );
            }
        }
        if order == Order::Chain && entries.len() > MOST_IN_A_CHAIN {
            let title = format!("more than {MOST_IN_A_CHAIN} tasks in a chain");
            let label = "put what always follows one another into one task, as `steps`";
            self.error(entries[0].key.place, title, label);
        }
        if order == Order::Chain && !any && entries.len() > 1 {
            let place = entries[0].key.place;
            let label = "add `next` to the tasks, as `next: { list: 80, exit: 20 }`";
            self.error(place, "a chain in which nothing follows the first task", label);
        }
    }

    pub(super) fn flows(&mut self, flows: &Entry) -> Vec<Flow> {
        let entries = match &flows.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            _ => {
                let advice = "name a flow below it, with `steps`";
                self.not_a_map(&flows.value, flows.key.place, "`flows`", advice);
                return Vec::new();
            }
        };
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            let steps = match &entry.value.value {
                NodeValue::Map(_) => true,
                NodeValue::List(items) => {
                    items.iter().all(|item| matches!(item.value, NodeValue::Map(_)))
                }
                _ => false,
            };
            if !steps && self.stray(entry, &[Context::Plan], "flows") {
                continue;
            }
            let name = entry.key.clone();
            self.plain_name(entry, "a flow");
            let what = format!("the flow `{}`", shorten(&name.value));
            let (mut when, mut tags) = (None, Vec::new());
            let steps = match &entry.value.value {
                NodeValue::List(_) => self.steps(entry),
                _ => match self.fields(&entry.value, Context::Flow, name.place, &what) {
                    Some(fields) => {
                        when = self.when(&fields).flatten();
                        tags = self.tags(&fields);
                        self.task_steps(&fields, &name, &what)
                    }
                    None => None,
                },
            };
            all.push(Flow { name, when, tags, steps: steps.unwrap_or_default() });
        }
        all
    }

    fn task_steps(
        &mut self,
        fields: &Fields<'_>,
        name: &Placed<String>,
        what: &str,
    ) -> Option<Vec<Step>> {
        let methods: Vec<_> =
            fields.entries.iter().filter(|entry| is_method(&entry.key.value)).collect();
        match (fields.entry("steps"), &methods[..]) {
            (Some(steps), []) => {
                let stray: Vec<_> = fields
                    .entries
                    .iter()
                    .filter(|entry| is_request_key(&entry.key.value))
                    .collect();
                for entry in &stray {
                    let title = format!("`{}` belongs to a request", entry.key.value);
                    let label = "move it into the step that sends the request";
                    let told = Diagnostic::error(entry.key.place, title, label);
                    self.diagnostics.push(told.of_key(&entry.key.value));
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
            (None, [method]) => {
                let place = method.key.place;
                let action = self.request(fields, what, false)?;
                Some(vec![Step { when: None, chance: None, tags: Vec::new(), action, place }])
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
        if let NodeValue::Map(_) = &node.value {
            return self.wait_map(node);
        }
        if let NodeValue::List(items) = &node.value {
            let label = match &items[..] {
                [
                    Node { value: NodeValue::Int(low), .. },
                    Node { value: NodeValue::Int(high), .. },
                ] => {
                    let unit = unit_of(*high as f64);
                    format!("write `{low}{unit}..{high}{unit}`")
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
                    let unit = unit_of(high.parse().unwrap_or_default());
                    let label = format!("write `{low}{unit}..{high}{unit}`");
                    self.wrong(node, "`wait` lacks its unit", label);
                } else if text.contains(['(', ',']) || text.contains(" to ") {
                    let title = format!("`wait` is not a wait: `{}`", shorten(&text));
                    self.wrong(node, title, "write a range as `1s..3s`");
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

    fn wait_map(&mut self, node: &Node) -> Option<Wait> {
        let fields = self.fields(node, Context::Wait, node.place, "`wait`")?;
        let kinds = fields.present(&["pace", "throughput", "exponential", "normal"]);
        let kind = match kinds[..] {
            [kind] => kind,
            [] => {
                if !fields.odd {
                    let label = "write `{ pace: 5s }`, `{ exponential: 2s }` or another kind";
                    self.wrong(node, "`wait` does not say its kind", label);
                }
                return None;
            }
            [_, second, ..] => {
                self.error(second.key.place, "`wait` has two kinds", "keep one of them");
                return None;
            }
        };
        if let (Some(stddev), false) = (fields.entry("stddev"), kind.key.value == "normal") {
            let title = format!("`stddev` does not go with `{}`", kind.key.value);
            self.error(stddev.key.place, title, "it stands beside `normal`");
            return None;
        }
        let what = format!("`{}`", kind.key.value);
        if kind.key.value == "throughput" {
            let text = self.unit_text(&kind.value, &what)?;
            return match Rate::parse(&text) {
                Ok(rate) => {
                    let pace = rate.time_for(1);
                    if pace.is_zero() || pace > Duration::from_secs(366 * 24 * 3600) {
                        self.wrong(
                            &kind.value,
                            format!("{what} cannot be `{text}`"),
                            "write it as `0.2/s`",
                        );
                        return None;
                    }
                    Some(Wait::Pace(pace))
                }
                Err(error) => {
                    self.not_a_quantity(&kind.value, &what, &text, "a rate", &error);
                    None
                }
            };
        }
        let time = self.duration(&kind.value, &what)?;
        if time.is_zero() && kind.key.value != "normal" {
            self.wrong(&kind.value, format!("{what} is zero"), "write a time, or `wait: none`");
            return None;
        }
        Some(match &*kind.key.value {
            "pace" => Wait::Pace(time),
            "exponential" => Wait::Exponential(time),
            _ => match fields.get("stddev") {
                Some(node) => Wait::Normal(time, self.duration(node, "`stddev`")?),
                None => {
                    let label = "add `stddev`: how far the pauses scatter, as `500ms`";
                    self.error(kind.key.place, "`normal` lacks `stddev`", label);
                    return None;
                }
            },
        })
    }
}

/// An entry of `next` that is one: its value is a weight, or its name that of a task.
fn may_follow(entry: &Entry, names: &HashSet<&str>) -> bool {
    let number = matches!(entry.value.value, NodeValue::Int(_) | NodeValue::Float(_));
    number || names.contains(&*entry.key.value)
}

/// What a bare number of a wait is probably meant in.
fn unit_of(number: f64) -> &'static str {
    if number >= 100.0 { "ms" } else { "s" }
}

/// `1..3`
fn bare_range(text: &str) -> Option<(&str, &str)> {
    let (low, high) = text.split_once("..")?;
    let (low, high) = (low.trim(), high.trim());
    [low, high].iter().all(|end| end.parse::<f64>().is_ok()).then_some((low, high))
}
