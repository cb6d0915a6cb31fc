//! Owns what can be said of a plan as a whole: what never runs, never ends, or is never read.

use std::collections::{HashMap, HashSet};

use super::code::rests;
use super::compile::Compiler;
use super::instruction::{Class, Task};
use crate::diagnostic::Placed;
use crate::expr::{Expression, Names};
use crate::load::{Order, Wait};
use crate::plan::{self, Action, Step};

/// So deep do calls nest: what is worked out of a plan goes as deep.
const DEEPEST: usize = 100;
/// So many names of a circle are shown.
const SHOWN: usize = 8;

impl<'a> Compiler<'a> {
    /// Flows and tasks that call each other in a circle would never end.
    pub(super) fn call_cycles(&mut self) {
        let plan = self.plan;
        let shared: Vec<Callable<'a>> =
            plan.flows.iter().map(|flow| (&flow.name, &flow.steps[..])).collect();
        self.cycles_among(&shared);
        for class in &plan.classes {
            let names: HashSet<&str> = class.tasks.iter().map(|task| &*task.name.value).collect();
            // Without a call to one of its tasks there is no circle but one of the flows.
            if names.is_disjoint(&self.called) {
                continue;
            }
            let mut all: Vec<Callable<'a>> =
                class.tasks.iter().map(|task| (&task.name, &task.steps[..])).collect();
            all.extend(shared.iter().filter(|(flow, _)| !names.contains(&*flow.value)));
            self.cycles_among(&all);
        }
    }

    fn cycles_among(&mut self, all: &[Callable<'a>]) {
        let names = all.iter().enumerate().map(|(at, (name, _))| (&*name.value, at));
        let positions: HashMap<&str, usize> = names.collect();
        let calls: Vec<Vec<(usize, &'a Placed<String>)>> = all
            .iter()
            .map(|(_, steps)| {
                let mut names = Vec::new();
                called(steps, &mut names);
                let to = |name: &'a Placed<String>| Some((*positions.get(&*name.value)?, name));
                names.into_iter().filter_map(to).collect()
            })
            .collect();
        // 0: not seen, 1: on the way, 2: done.
        let mut state = vec![0u8; all.len()];
        // How deep the calls of each go.
        let mut depths = vec![0; all.len()];
        let (mut too_deep, mut circular) = (Vec::new(), false);
        for start in 0..all.len() {
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            if state[start] != 0 {
                continue;
            }
            state[start] = 1;
            while let Some((node, next)) = way.last_mut() {
                let Some((to, name)) = calls[*node].get(*next).copied() else {
                    let node = *node;
                    let below = calls[node].iter().max_by_key(|(to, _)| depths[*to]);
                    depths[node] = below.map_or(0, |(to, _)| 1 + depths[*to]);
                    too_deep.extend(below.filter(|_| depths[node] == DEEPEST + 1));
                    state[node] = 2;
                    way.pop();
                    continue;
                };
                *next += 1;
                match state[to] {
                    0 => {
                        state[to] = 1;
                        way.push((to, 0));
                    }
                    1 => {
                        circular = true;
                        let from = way.iter().position(|(node, _)| *node == to).unwrap_or(0);
                        let mut circle: Vec<&str> =
                            way[from..].iter().map(|(node, _)| &*all[*node].0.value).collect();
                        let last = circle.len();
                        if last > SHOWN {
                            circle.splice(SHOWN / 2..last - SHOWN / 2, ["…"]);
                        }
                        circle.push(&name.value);
                        let title = format!("calls go in a circle: {}", circle.join(" → "));
                        self.error(name.place, title, "take one of the calls out");
                    }
                    _ => {}
                }
            }
        }
        for (_, name) in too_deep.into_iter().filter(|_| !circular) {
            let title = format!("calls nest more than {DEEPEST} deep");
            let label = "put the steps of what is called here in place of the call";
            self.error(name.place, title, label);
        }
    }

    /// What nothing reads, and what nothing calls.
    pub(super) fn notes(&mut self) {
        let plan = self.plan;
        for flow in &plan.flows {
            if !self.called.contains(&*flow.name.value) {
                let name = &flow.name.value;
                let title = format!("nothing calls the flow `{name}`");
                let label = if plan::keys::Context::Plan.find(name).is_some() {
                    format!("call it, or move it out of `flows`: the plan has a key `{name}`")
                } else {
                    "call it, or take it out".to_owned()
                };
                self.warn(flow.name.place, title, label);
            }
        }
    }

    /// Captures that no expression reads.
    pub(super) fn unread_captures(&mut self) {
        let mut read = Read::default();
        read.plan(self.plan);
        let Read(mut words) = read;
        let plan = self.plan;
        // What could not be read may read it, and a slip of its name would be told twice.
        self.missing.iter().for_each(|missing| words.merge(&missing.read));
        self.diagnostics.iter().filter(|one| one.is_error()).for_each(|one| words.text(&one.label));
        let mut unread: Vec<&Placed<String>> = Vec::new();
        every_step(plan, &mut |step| {
            if let Action::Request(request) = &step.action {
                let captures = request.captures.iter().map(|capture| &capture.name);
                unread.extend(captures.filter(|name| !words.may_read(&name.value)));
            }
        });
        for name in unread {
            let title = format!("nothing reads `{}`", name.value);
            self.warn(
                name.place,
                title,
                "use it, or take the capture out: it keeps the body of each answer",
            );
        }
    }

    pub(super) fn class_notes(&mut self, class: &'a plan::Class, compiled: &Class) {
        self.unreachable_tasks(class, compiled);
        self.restless(class);
    }

    fn unreachable_tasks(&mut self, class: &'a plan::Class, compiled: &Class) {
        let drawn = class.order == Order::Random;
        if drawn && class.tasks.iter().all(|task| task.weight == 0.0) {
            let title = format!("no task of `{}` has a weight", class.name.value);
            let label = "give at least one task a weight above 0";
            self.error(class.name.place, title, label);
        }
        // A task that waits for a variable which only tasks like it assign never runs.
        let runs = |task: &Task| task.when.is_none() && task.weight > 0.0;
        let starts_false =
            |task: &Task| task.when.as_ref().is_some_and(|when| is_unset_at_first(when, compiled));
        let assigned_before = {
            let mut own = super::names::Assigned::default();
            own.steps(&class.on_start);
            own.steps(&self.plan.before);
            own.all.iter().map(|(name, _)| &*name.value).collect::<Vec<_>>()
        };
        let waits = |task: &Task| {
            starts_false(task)
                && task.when.as_ref().is_some_and(|when| !assigned_before.contains(&when.text()))
        };
        if !compiled.tasks.iter().any(runs)
            && compiled.tasks.iter().all(waits)
            && !compiled.tasks.is_empty()
        {
            let title = format!("no task of `{}` can ever run", class.name.value);
            let label = "every task waits for a variable that only its own tasks assign";
            self.error(class.name.place, title, label);
        }
        if compiled.tasks.is_empty() && !class.tasks.is_empty() {
            let title = format!("`--tags` leave no task of `{}`", class.name.value);
            self.warn(class.name.place, title, "its users would have nothing to do");
        }
        let followers = class.tasks.iter().flat_map(|task| &task.next);
        let followers: HashSet<&str> =
            followers.filter(|(_, weight)| *weight > 0.0).map(|(to, _)| &*to.value).collect();
        for (position, task) in class.tasks.iter().enumerate() {
            let name = &task.name.value;
            let called = self.called.contains(&**name);
            let reached = match class.order {
                Order::Random => task.weight > 0.0,
                Order::Chain => position == 0 || followers.contains(&**name),
                _ => true,
            };
            // One of `vars` or `env` is a switch, which the command line can turn.
            let never = task.when.as_ref().is_some_and(|when| {
                let mut words = plan::Words::default();
                words.text(&when.value);
                let read = Expression::parse(&when.value, &Names::default());
                !words.may_read("env")
                    && read.is_ok_and(|read| read.constant().is_some_and(|value| !value.holds()))
            });
            let (label, place) = match class.order {
                _ if never => {
                    let when = task.when.as_ref().map_or(task.name.place, |when| when.place);
                    ("its `when` never holds: take it out, or write what may hold", when)
                }
                Order::Chain => ("no `next` leads to it", task.name.place),
                _ => ("it has no weight, and nothing calls it", task.name.place),
            };
            if never || (!reached && !called) {
                self.warn(place, format!("the task `{name}` never runs"), label);
            }
        }
    }

    /// A class that neither waits nor sends anything would only burn the generator's CPU.
    fn restless(&mut self, class: &'a plan::Class) {
        for task in &class.tasks {
            let pauses =
                class.wait != Wait::None || task.wait.is_some_and(|wait| wait != Wait::None);
            if !pauses && task.weight > 0.0 && !task.steps.iter().any(rests) {
                let title = format!("task `{}` neither sends nor waits", task.name.value);
                let label = "add a request, or give the class a `wait`";
                self.error(task.name.place, title, label);
            }
        }
    }
}

type Callable<'a> = (&'a Placed<String>, &'a [Step]);

/// It is one variable, which is unset or empty when a user begins.
fn is_unset_at_first(when: &Expression, class: &Class) -> bool {
    class.names.find(when.text()).is_some_and(|slot| {
        !class.names.is_row(slot) && class.initial[slot].as_ref().is_none_or(|value| !value.holds())
    })
}

fn called<'a>(steps: &'a [Step], names: &mut Vec<&'a Placed<String>>) {
    for step in steps {
        if let Action::Call(name) = &step.action {
            names.push(name);
        }
        step.action.bodies().for_each(|body| called(body, names));
    }
}

/// The names that are called anywhere in a plan.
pub(super) fn called_names(plan: &plan::Plan) -> HashSet<&str> {
    let mut names = HashSet::new();
    every_step(plan, &mut |step| {
        if let Action::Call(name) = &step.action {
            names.insert(&*name.value);
        }
    });
    names
}

/// Every step of a plan, those of flows and defaults too.
pub(super) fn every_step<'a>(plan: &'a plan::Plan, see: &mut dyn FnMut(&'a Step)) {
    fn within<'a>(steps: &'a [Step], see: &mut dyn FnMut(&'a Step)) {
        for step in steps {
            see(step);
            step.action.bodies().for_each(|body| within(body, see));
        }
    }
    let first = |settings: &'a plan::Settings| match &settings.retry {
        Some(Some(retry)) => &retry.first[..],
        _ => &[],
    };
    within(&plan.before, see);
    within(&plan.after, see);
    within(first(&plan.defaults), see);
    plan.flows.iter().for_each(|flow| within(&flow.steps, see));
    for class in &plan.classes {
        within(first(&class.defaults), see);
        within(&class.on_start, see);
        class.tasks.iter().for_each(|task| within(&task.steps, see));
        within(&class.on_stop, see);
    }
}

/// What the expressions of a plan could read.
#[derive(Default)]
struct Read(plan::Words);

impl Read {
    fn plan(&mut self, plan: &plan::Plan) {
        every_step(plan, &mut |step| self.step(step));
        self.settings(&plan.defaults);
        let whens = plan.flows.iter().filter_map(|flow| flow.when.as_ref());
        whens.for_each(|when| self.0.text(&when.value));
        for class in &plan.classes {
            self.settings(&class.defaults);
            for task in &class.tasks {
                task.when.iter().for_each(|when| self.0.text(&when.value));
            }
        }
        every_step(plan, &mut |step| {
            if let Action::Request(request) = &step.action
                && let Some(plan::Body::File { templates: true, .. }) = &request.body
            {
                self.0.anything();
            }
        });
    }

    fn entries(&mut self, entries: &[(Placed<String>, plan::Node)]) {
        entries.iter().for_each(|(_, node)| self.0.value(node));
    }

    fn step(&mut self, step: &Step) {
        step.when.iter().for_each(|when| self.0.text(&when.value));
        match &step.action {
            Action::Request(request) => self.request(request),
            Action::Set(entries) | Action::Push(entries) => self.entries(entries),
            Action::Remove(entries) => {
                self.entries(entries);
                // To take something out of a list is a use of it.
                entries.iter().for_each(|(name, _)| self.0.text(&name.value));
            }
            Action::If { condition, .. }
            | Action::While { condition, .. }
            | Action::Until { condition, .. } => self.0.text(&condition.value),
            Action::Repeat { times, .. } => self.0.value(times),
            Action::For { items, .. } => match items {
                plan::Items::Expression(text) => self.0.text(&text.value),
                plan::Items::List(node) => self.0.value(node),
            },
            Action::Fail(text) | Action::Log(text) => self.0.template(&text.value),
            _ => {}
        }
    }

    fn settings(&mut self, settings: &plan::Settings) {
        self.entries(&settings.headers);
        self.entries(&settings.query);
        self.entries(&settings.cookies);
        match &settings.auth {
            Some(plan::Auth::Bearer(token)) => self.0.template(&token.value),
            Some(plan::Auth::Basic(user, password)) => {
                self.0.template(&user.value);
                self.0.template(&password.value);
            }
            _ => {}
        }
        for rule in settings.accept.iter().flatten() {
            rule.fail.iter().for_each(|fail| self.0.template(&fail.value));
        }
        for expect in settings.expect.iter().flatten() {
            expect.message.iter().for_each(|message| self.0.template(&message.value));
            match &expect.check {
                plan::Check::That(text) => self.0.text(&text.value),
                plan::Check::Value(_, matcher) => match matcher {
                    plan::Matcher::Equals(node)
                    | plan::Matcher::NotEquals(node)
                    | plan::Matcher::Contains(node)
                    | plan::Matcher::NotContains(node) => self.0.value(node),
                    plan::Matcher::OneOf(nodes) => nodes.iter().for_each(|node| self.0.value(node)),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn request(&mut self, request: &plan::Request) {
        self.0.template(&request.path.value);
        self.settings(&request.settings);
        match &request.body {
            Some(plan::Body::Json(node)) => self.0.value(node),
            Some(plan::Body::Form(fields)) => self.entries(fields),
            Some(plan::Body::Text(text)) => self.0.template(&text.value),
            Some(plan::Body::Multipart(parts)) => {
                for part in parts {
                    part.filename.iter().for_each(|name| self.0.template(&name.value));
                    if let plan::Content::Value(node) = &part.content {
                        self.0.value(node);
                    }
                }
            }
            _ => {}
        }
        for capture in &request.captures {
            capture.default.iter().for_each(|node| self.0.value(node));
            if let plan::Origin::Value(node) = &capture.origin {
                self.0.value(node);
            }
        }
    }
}
