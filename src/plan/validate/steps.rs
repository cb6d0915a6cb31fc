//! Owns reading steps: what each one does, and what stands below it.

use super::computed::one_of;
use super::requests::{is_method, is_request_key};
use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Placed};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Action, Branch, Items, Step, Stop};

/// Keys that say what a step does, requests left out.
const ACTIONS: [&str; 15] = [
    "wait", "set", "push", "remove", "if", "repeat", "for", "while", "until", "choose", "parallel",
    "group", "call", "fail", "stop",
];
const LOG: &str = "log";

/// Keys that stand beside those of certain steps alone.
const PARTS: [(&str, &[&str]); 6] = [
    ("then", &["if"]),
    ("else", &["if"]),
    ("do", &["repeat", "for", "while", "until", "group"]),
    ("in", &["for"]),
    ("at_most", &["while", "until"]),
    ("within", &["until"]),
];

const STOPS: [(&str, Stop); 3] =
    [("iteration", Stop::Iteration), ("user", Stop::User), ("run", Stop::Run)];

/// A loop that goes round more often than this is endless.
const MOST_ROUNDS: u64 = 1_000_000;

impl Checker<'_> {
    /// A list of steps, or one step.
    pub(super) fn steps(&mut self, entry: &Entry) -> Option<Vec<Step>> {
        let key = &*entry.key.value;
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Map(_) => std::slice::from_ref(&entry.value),
            NodeValue::Null => &[],
            other => {
                let title = format!("`{key}` must be a list of steps, not {}", other.kind());
                let label = match other {
                    NodeValue::Text(name) if !name.contains(char::is_whitespace) => {
                        format!("to call a flow write `{key}: [{{ call: {} }}]`", shorten(name))
                    }
                    _ => "write a list, one step to each item".to_owned(),
                };
                self.wrong(&entry.value, title, label);
                return None;
            }
        };
        if nodes.is_empty() {
            self.error(entry.key.place, format!("`{key}` is empty"), "write a step below it");
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
        let chance = self.chance(&fields);
        let tags = self.tags(&fields);
        let action = self.action(node, &fields, &what);
        let place = fields.entries.first().map_or(node.place, |entry| entry.key.place);
        Some(Step { when: when.flatten(), chance, tags, action: action?, place })
    }

    fn action(&mut self, node: &Node, fields: &Fields<'_>, what: &str) -> Option<Action> {
        let is_action = |key: &str| ACTIONS.contains(&key) || key == LOG || is_method(key);
        let mut actions: Vec<&Entry> =
            fields.entries.iter().filter(|entry| is_action(&entry.key.value)).collect();
        let sends = actions.iter().any(|entry| is_method(&entry.key.value));
        // A wait beside a request is the pause after it.
        if sends {
            actions.retain(|entry| entry.key.value != "wait");
        }
        let action = match actions[..] {
            [action] => action,
            [] => {
                self.no_action(node, fields, what);
                return None;
            }
            [first, second, ..] => {
                let (first, second) = (&first.key, &second.key);
                let label = match (&*first.value, &*second.value) {
                    ("if", other) => format!("write `{other}` below `then`"),
                    ("repeat" | "for" | "while" | "until" | "group", other) => {
                        format!("write `{other}` below `do`")
                    }
                    _ => "write two steps, one after the other".to_owned(),
                };
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
        if &*action.key.value == "if"
            && let (None, Some(body)) = (fields.entry("then"), fields.entry("do"))
        {
            self.error(body.key.place, "`if` has no `do`", "write `then`");
            return None;
        }
        if !self.belongs(fields, action) {
            return None;
        }
        match &*action.key.value {
            "wait" => self.wait(&action.value).map(Action::Wait),
            "set" => self.assignments(action).map(Action::Set),
            "push" => self.assignments(action).map(Action::Push),
            "remove" => self.assignments(action).map(Action::Remove),
            "if" => self.branches(fields, action),
            "repeat" => {
                let times = self.times(&action.value);
                let body = self.body_of(fields, action);
                Some(Action::Repeat { times: times?, body: body? })
            }
            "for" => self.each(fields, action),
            "while" | "until" => self.looped(fields, action),
            "choose" => self.choose(action).map(Action::Choose),
            "parallel" => self.parallel(action).map(Action::Parallel),
            "group" => {
                if let NodeValue::Map(_) | NodeValue::List(_) = action.value.value {
                    let label = "write it behind `group`, and the steps below `do`, beside it";
                    self.wrong(&action.value, "`group` takes a name", label);
                    return None;
                }
                let name = self.text(&action.value, "`group`");
                let name = name.and_then(|name| self.in_one_line(name, "`group`"));
                let body = self.body_of(fields, action);
                Some(Action::Group { name: name?, body: body? })
            }
            "call" => {
                if let NodeValue::Map(_) | NodeValue::List(_) = action.value.value {
                    let label = "write `call: login`; what it reads is a variable, set before";
                    self.wrong(&action.value, "`call` takes the name of a flow or a task", label);
                    return None;
                }
                self.text(&action.value, "`call`").map(Action::Call)
            }
            "fail" => self
                .raw_text(&action.value, "`fail`")
                .and_then(|text| self.in_one_line(text, "`fail`"))
                .map(Action::Fail),
            "stop" => self.word(&action.value, "`stop`", &STOPS).map(Action::Stop),
            LOG => self.scalar_text(&action.value, "`log`").map(Action::Log),
            _ => self.request(fields, what, true),
        }
    }

    fn no_action(&mut self, node: &Node, fields: &Fields<'_>, what: &str) {
        if fields.odd {
            return;
        }
        let of_request = fields.entries.iter().find(|entry| is_request_key(&entry.key.value));
        let part = fields.entries.iter().find_map(|entry| {
            PARTS.iter().find(|(key, _)| *key == entry.key.value).map(|part| (entry, part))
        });
        if let Some((entry, (key, owners))) = part {
            let owners: Vec<_> = owners.iter().map(|owner| (*owner, ())).collect();
            let label = format!("it stands beside {}", one_of(&owners));
            self.error(entry.key.place, format!("{what} has `{key}` alone"), label);
        } else if let Some(entry) = of_request {
            self.error(
                entry.key.place,
                format!("{what} has `{}` and no request", entry.key.value),
                "say what is sent, as `get: /todos/`",
            );
        } else {
            let place = fields.entries.first().map_or(node.place, |entry| entry.key.place);
            self.error(
                place,
                format!("{what} does nothing"),
                "add a request, `wait`, `set`, `if`, `repeat`, `call` or another step",
            );
        }
    }

    /// Whether all keys of the step go with what it does.
    fn belongs(&mut self, fields: &Fields<'_>, action: &Entry) -> bool {
        let mut good = true;
        let does = &*action.key.value;
        for entry in fields.entries {
            let key = &*entry.key.value;
            if let Some((_, owners)) = PARTS.iter().find(|(part, _)| *part == key) {
                if owners.contains(&does) {
                    continue;
                }
                good = false;
                let owners: Vec<_> = owners.iter().map(|owner| (*owner, ())).collect();
                let title = format!("`{key}` does not go with `{does}`");
                self.error(entry.key.place, title, format!("it stands beside {}", one_of(&owners)));
            } else if is_request_key(key) && !is_method(does) {
                good = false;
                self.error(
                    entry.key.place,
                    format!("`{key}` belongs to a request, not to `{does}`"),
                    "move it into the step that sends the request",
                );
            }
        }
        good
    }

    /// The steps below `do`.
    fn body_of(&mut self, fields: &Fields<'_>, action: &Entry) -> Option<Vec<Step>> {
        match fields.entry("do") {
            Some(entry) => self.steps(entry),
            None if fields.odd => None,
            None => {
                let title = format!("`{}` has no `do`", action.key.value);
                self.error(action.key.place, title, "add `do`: the steps that it is about");
                None
            }
        }
    }

    fn branches(&mut self, fields: &Fields<'_>, action: &Entry) -> Option<Action> {
        let condition = self.expression(&action.value, "`if`");
        let then = match fields.entry("then") {
            Some(entry) => self.steps(entry),
            None if fields.odd => None,
            None => {
                let label = "add `then`: what is done while it holds";
                self.error(action.key.place, "`if` has no `then`", label);
                None
            }
        };
        let otherwise = match fields.entry("else") {
            Some(entry) => self.steps(entry),
            None => Some(Vec::new()),
        };
        Some(Action::If { condition: condition?, then: then?, otherwise: otherwise? })
    }

    fn times(&mut self, node: &Node) -> Option<Node> {
        match &node.value {
            NodeValue::Int(number) if (0..=MOST_ROUNDS as i64).contains(number) => {
                Some(node.clone())
            }
            NodeValue::Text(text) if text.contains("{{") => Some(node.clone()),
            NodeValue::Int(_) => {
                let label = format!("write a number from 0 to {MOST_ROUNDS}");
                self.wrong(node, "`repeat` cannot be so many times", label);
                None
            }
            NodeValue::Text(_) => {
                let label =
                    "write a number, as `3`, or `\"{{ n }}\"`; for a condition there is `while`";
                self.wrong(node, "`repeat` takes a number", label);
                None
            }
            NodeValue::List(_) | NodeValue::Map(_) => {
                let label = "write how often behind it, and the steps below `do`";
                self.wrong(node, "`repeat` takes a number", label);
                None
            }
            other => {
                self.wrong(
                    node,
                    format!("`repeat` takes a number, not {}", other.kind()),
                    "write a number, as `3`",
                );
                None
            }
        }
    }

    fn each(&mut self, fields: &Fields<'_>, action: &Entry) -> Option<Action> {
        let name = match &action.value.value {
            NodeValue::Text(text) if text.contains(" in ") => {
                let (name, list) = text.split_once(" in ").unwrap_or_default();
                let label = format!("write `for: {}` and `in: {}`", name.trim(), list.trim());
                self.wrong(&action.value, "`for` takes the name of a variable", label);
                return None;
            }
            _ => self.raw_text(&action.value, "`for`"),
        };
        let name = name.and_then(|name| self.variable(&name));
        let items = match fields.entry("in") {
            None if fields.odd => None,
            None => {
                let label = "add `in`: the list, as `in: todos`";
                self.error(action.key.place, "`for` has no `in`", label);
                None
            }
            Some(entry) => match &entry.value.value {
                NodeValue::List(_) => {
                    self.sent_value(&entry.value).then(|| Items::List(entry.value.clone()))
                }
                NodeValue::Int(number) => {
                    let label = format!("write `in: range({number})`, or `repeat: {number}`");
                    self.wrong(&entry.value, "`in` takes a list", label);
                    None
                }
                _ => self.expression(&entry.value, "`in`").map(Items::Expression),
            },
        };
        let body = self.body_of(fields, action);
        Some(Action::For { name: name?, items: items?, body: body? })
    }

    fn looped(&mut self, fields: &Fields<'_>, action: &Entry) -> Option<Action> {
        let key = &*action.key.value;
        let condition = self.expression(&action.value, &format!("`{key}`"));
        let at_most = match fields.get("at_most") {
            Some(node) => {
                let rounds = self.whole(node, "`at_most`")?;
                if rounds == 0 || rounds > MOST_ROUNDS {
                    let label = format!("write a number from 1 to {MOST_ROUNDS}");
                    self.wrong(node, format!("`at_most` cannot be {rounds}"), label);
                    return None;
                }
                Some(rounds)
            }
            None => None,
        };
        let within = match fields.get("within") {
            Some(node) => Some(self.duration(node, "`within`")?),
            None => None,
        };
        let body = self.body_of(fields, action);
        if key == "while" {
            return Some(Action::While { condition: condition?, body: body?, at_most });
        }
        if at_most.is_none() && within.is_none() {
            let label = "add `within: 60s` or `at_most: 20`: what never comes true must end";
            self.error(action.key.place, "`until` has no bound", label);
            return None;
        }
        Some(Action::Until { condition: condition?, body: body?, at_most, within })
    }

    fn choose(&mut self, action: &Entry) -> Option<Vec<Branch>> {
        let NodeValue::List(items) = &action.value.value else {
            let label = "write `[{ weight: 3, do: … }, …]`, one map to each branch";
            self.wrong(&action.value, "`choose` takes a list of branches", label);
            return None;
        };
        let mut branches = Vec::with_capacity(items.len());
        let mut good = true;
        for (at, node) in items.iter().enumerate() {
            let what = format!("branch {}", at + 1);
            let Some(fields) = self.fields(node, Context::Branch, node.place, &what) else {
                good = false;
                continue;
            };
            let weight = self.weight(fields.get("weight"));
            let body = match fields.entry("do") {
                // A branch that does nothing is a way to do something only sometimes.
                Some(Entry { value: Node { value: NodeValue::List(items), .. }, .. })
                    if items.is_empty() =>
                {
                    Some(Vec::new())
                }
                Some(entry) => self.steps(entry),
                None => {
                    if !fields.odd {
                        let place =
                            fields.entries.first().map_or(node.place, |entry| entry.key.place);
                        self.error(
                            place,
                            format!("{what} has no `do`"),
                            "add `do`: its steps, or `[]`",
                        );
                    }
                    None
                }
            };
            match (weight, body) {
                (Some(weight), Some(body)) => branches.push(Branch { weight, body }),
                _ => good = false,
            }
        }
        if items.is_empty() {
            let label = "write a branch, as `[{ weight: 3, do: … }]`";
            self.error(action.key.place, "`choose` is empty", label);
            return None;
        }
        if good && branches.iter().all(|branch| branch.weight == 0.0) {
            let title = "`choose` has no branch with a weight";
            self.error(action.key.place, title, "write one, as `{ weight: 3, do: … }`");
            return None;
        }
        good.then_some(branches)
    }

    fn parallel(&mut self, action: &Entry) -> Option<Vec<Step>> {
        let steps = self.steps(action)?;
        let mut good = true;
        for step in &steps {
            let (title, label) = match &step.action {
                Action::Request(request) if request.wait.is_some() => (
                    "a request of `parallel` cannot have a `wait`",
                    "write it as a step of its own, after `parallel`",
                ),
                Action::Request(_) => continue,
                _ => ("`parallel` takes requests alone", "move this step before or after it"),
            };
            self.error(step.place, title, label);
            good = false;
        }
        good.then_some(steps)
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
}
