//! Owns compiling steps to instructions with jumps.

use std::collections::HashMap;

use super::compile::{Compiler, Draft};
use super::instruction::{Class, Instruction, Task};
use super::mark::{Mark, called};
use crate::diagnostic::{Placed, suggest};
use crate::expr::{Encoding, MOST_MISTAKES, Uses};
use crate::load::Wait;
use crate::plan::{self, Action, Connections, Items, Settings, Step, Stop};

impl<'a> Draft<'a> {
    pub(super) fn new(
        class: Class,
        defaults: [&'a Settings; 2],
        connections: Connections,
        target: usize,
    ) -> Self {
        Self {
            class,
            defaults,
            connections,
            target,
            uses: Uses::default(),
            called: Vec::new(),
            numbers: HashMap::new(),
            calls: Vec::new(),
            tags: Vec::new(),
            picked: true,
            retrying: false,
            counted: 0,
        }
    }

    /// Where the next instruction will stand.
    fn here(&self) -> usize {
        self.class.code.len()
    }

    fn push(&mut self, instruction: Instruction) -> usize {
        self.class.code.push(instruction);
        self.class.code.len() - 1
    }

    fn mark(&mut self, at: usize, mark: Mark) {
        self.class.marks.insert(at, mark);
    }

    /// Now that all is there, calls know where they lead.
    pub(super) fn resolve_calls(&mut self) {
        for (at, called) in std::mem::take(&mut self.calls) {
            if let Some(to) = self.called[called].1 {
                self.class.code[at] = Instruction::Call(to);
            }
        }
    }
}

impl<'a> Compiler<'a> {
    /// Steps that stand by themselves, and the end of them.
    pub(super) fn block(&mut self, steps: &'a [Step], draft: &mut Draft<'a>) {
        self.steps(steps, draft);
        draft.push(Instruction::End);
    }

    pub(super) fn tasks(&mut self, class: &'a plan::Class, draft: &mut Draft<'a>) {
        let selection = &self.inputs.selection;
        let is_in = |task: &plan::Task| {
            let tags: Vec<String> = class.tags.iter().chain(&task.tags).cloned().collect();
            !selection.excludes(&tags)
                && (selection.picks(&tags) || picks_within(selection, &task.steps))
        };
        let tasks: Vec<&plan::Task> = class.tasks.iter().filter(|task| is_in(task)).collect();
        let named = tasks.iter().enumerate().map(|(at, task)| (&*task.name.value, at));
        let positions: HashMap<&str, usize> = named.collect();
        for task in &tasks {
            draft.tags = class.tags.iter().chain(&task.tags).cloned().collect();
            draft.picked = self.inputs.selection.picks(&draft.tags);
            let mut uses = Uses::default();
            let names = std::mem::take(&mut draft.class.names);
            let when = task.when.as_ref().and_then(|when| self.condition(when, &names, &mut uses));
            draft.class.names = names;
            draft.uses.merge(&uses);
            let next = task.next.iter().filter_map(|(name, weight)| {
                // One that tags leave out cannot follow.
                let to = positions.get(&*name.value).copied();
                (to.is_some() || name.value == "exit").then_some((to, *weight))
            });
            let compiled = Task {
                name: task.name.value.clone(),
                weight: task.weight,
                when,
                wait: task.wait,
                next: next.collect(),
                start: draft.here(),
            };
            draft.class.tasks.push(compiled);
            let chance = task.chance.map(|chance| (draft.push(Instruction::End), chance));
            self.steps(&task.steps, draft);
            if let Some((at, chance)) = chance {
                draft.class.code[at] = Instruction::Chance(chance, draft.here());
                draft.mark(at, Mark::chance_of_task(&task.name, chance));
            }
            draft.push(Instruction::End);
        }
        draft.tags.clear();
        draft.picked = true;
    }

    fn steps(&mut self, steps: &'a [Step], draft: &mut Draft<'a>) {
        for step in steps {
            if self.count_steps(step.place, 0, draft) {
                return;
            }
            self.step(step, draft);
        }
    }

    fn step(&mut self, step: &'a Step, draft: &mut Draft<'a>) {
        let selection = &self.inputs.selection;
        if selection.excludes(&step.tags) {
            return;
        }
        let picked = draft.picked;
        draft.picked |= !selection.tags.is_empty() && selection.picks(&step.tags);
        if draft.picked || step.action.bodies().any(|body| picks_within(selection, body)) {
            let tags = draft.tags.len();
            draft.tags.extend(step.tags.iter().cloned());
            self.guarded(step, draft);
            draft.tags.truncate(tags);
        }
        draft.picked = picked;
    }

    /// A step, left out when its condition or chance does not have it.
    fn guarded(&mut self, step: &'a Step, draft: &mut Draft<'a>) {
        let mut guards = Vec::new();
        if let Some(when) = &step.when {
            let condition = self.condition_in(when, draft);
            let at = draft.push(Instruction::End);
            draft.mark(at, Mark::when(step.place, &called(step), when));
            guards.push((at, condition, None));
        }
        if let Some(chance) = step.chance {
            let at = draft.push(Instruction::End);
            draft.mark(at, Mark::chance(step.place, &called(step), chance));
            guards.push((at, None, Some(chance)));
        }
        self.action(step, draft);
        let end = draft.here();
        for (at, condition, chance) in guards {
            draft.class.code[at] = match (condition, chance) {
                (Some(condition), _) => Instruction::Unless(condition, end),
                (_, Some(chance)) => Instruction::Chance(chance, end),
                // It could not be read, which has been told.
                (None, None) => Instruction::Jump(end),
            };
        }
    }

    fn condition_in(
        &mut self,
        text: &Placed<String>,
        draft: &mut Draft<'a>,
    ) -> Option<crate::expr::Expression> {
        let mut uses = Uses::default();
        let condition = self.condition(text, &draft.class.names, &mut uses);
        draft.uses.merge(&uses);
        condition
    }

    fn build_in(&mut self, node: &plan::Node, draft: &mut Draft<'a>) -> super::build::Build {
        let mut uses = Uses::default();
        let build = self.build(node, &draft.class.names, &mut uses);
        draft.uses.merge(&uses);
        build
    }

    fn action(&mut self, step: &'a Step, draft: &mut Draft<'a>) {
        match &step.action {
            Action::Request(request) => self.send(request, draft),
            Action::Parallel(steps) => self.parallel(step, steps, draft),
            Action::Wait(wait) => {
                draft.push(Instruction::Wait(*wait));
            }
            Action::Set(entries) => self.assign(entries, draft, Instruction::Set),
            Action::Push(entries) => self.assign(entries, draft, Instruction::Push),
            Action::Remove(entries) => {
                for (name, _) in entries {
                    self.must_be_a_list(name, &draft.class);
                }
                self.assign(entries, draft, Instruction::Remove);
            }
            Action::If { condition, then, otherwise } => {
                let mark = Mark::of_if(step.place, condition, !otherwise.is_empty());
                let condition = self.condition_in(condition, draft);
                let test = draft.push(Instruction::End);
                draft.mark(test, mark);
                self.steps(then, draft);
                let skip = (!otherwise.is_empty()).then(|| draft.push(Instruction::End));
                if let Some(condition) = condition {
                    draft.class.code[test] = Instruction::Unless(condition, draft.here());
                }
                self.steps(otherwise, draft);
                if let Some(skip) = skip {
                    draft.class.code[skip] = Instruction::Jump(draft.here());
                }
            }
            Action::Repeat { times, body } => {
                let times = self.build_in(times, draft);
                draft.mark(draft.here(), Mark::of_repeat(step.place));
                self.rounds(body, draft, |end| Instruction::Repeat(times, end));
            }
            Action::For { name, items, body } => {
                let items = match items {
                    Items::List(node) => self.build_in(node, draft),
                    Items::Expression(text) => match self.condition_in(text, draft) {
                        Some(expression) => super::build::Build::Expression(expression),
                        None => super::build::Build::Value(crate::expr::Value::Null),
                    },
                };
                let Some(slot) = draft.class.names.find(&name.value) else { return };
                draft.mark(draft.here(), Mark::of_for(step.place, &name.value));
                self.rounds(body, draft, |end| Instruction::For(slot, items, end));
            }
            Action::While { condition, body, at_most } => {
                if at_most.is_none() && !body.iter().any(rests) {
                    self.error(
                        step.place,
                        "a loop that neither sends nor waits may never end",
                        "add a request, a `wait`, or `at_most: 20`",
                    );
                }
                let mark = Mark::of_while(step.place, condition);
                let condition = self.condition_in(condition, draft);
                draft.push(Instruction::Begin { at_most: *at_most, within: None });
                let begin = draft.here();
                let test = draft.push(Instruction::End);
                draft.mark(test, mark);
                let bound = at_most.map(|_| draft.push(Instruction::End));
                self.steps(body, draft);
                draft.push(Instruction::Jump(begin));
                let end = draft.push(Instruction::Leave);
                if let Some(condition) = condition {
                    draft.class.code[test] = Instruction::Unless(condition, end);
                }
                if let Some(bound) = bound {
                    draft.class.code[bound] = Instruction::Bound(end);
                }
            }
            Action::Until { condition, body, at_most, within } => {
                if at_most.is_none() && !body.iter().any(rests) {
                    self.error(
                        step.place,
                        "a loop that neither sends nor waits spins until its time is over",
                        "add a request, a `wait`, or `at_most: 20`",
                    );
                }
                let text = self.text(format!("until: {}: it did not come true", condition.value));
                draft.push(Instruction::Begin { at_most: *at_most, within: *within });
                let begin = draft.here();
                self.steps(body, draft);
                if let Some(condition) = self.condition_in(condition, draft) {
                    draft.push(Instruction::Until(condition, begin, text));
                }
            }
            Action::Choose(branches) => {
                let choose = draft.push(Instruction::End);
                draft.mark(choose, Mark::at(step.place));
                let mut starts = Vec::with_capacity(branches.len());
                let mut ends = Vec::with_capacity(branches.len());
                for branch in branches {
                    starts.push((branch.weight, draft.here()));
                    self.steps(&branch.body, draft);
                    ends.push(draft.push(Instruction::End));
                }
                let end = draft.here();
                draft.class.code[choose] = Instruction::Choose(starts);
                for at in ends {
                    draft.class.code[at] = Instruction::Jump(end);
                }
            }
            Action::Group { name, body } => {
                let group = self.group(&name.value);
                draft.push(Instruction::Group(group));
                self.steps(body, draft);
                draft.push(Instruction::EndGroup);
            }
            Action::Call(name) => self.call(name, draft),
            Action::Fail(text) => {
                let message = self.text(format!("fail: {}", text.value));
                let mut uses = Uses::default();
                let shown = self.template(text, Encoding::Plain, &draft.class.names, &mut uses);
                draft.uses.merge(&uses);
                draft.push(Instruction::Fail(message, shown));
            }
            Action::Stop(stop) => {
                let at = draft.push(Instruction::Stop(*stop));
                draft.mark(at, Mark::at(step.place));
            }
            Action::Log(text) => {
                let mut uses = Uses::default();
                let text = self.template(text, Encoding::Plain, &draft.class.names, &mut uses);
                draft.uses.merge(&uses);
                draft.push(Instruction::Log(text));
            }
        }
    }

    /// A body that is gone through as often as `begin` says, which is told where it ends.
    fn rounds(
        &mut self,
        body: &'a [Step],
        draft: &mut Draft<'a>,
        begin: impl FnOnce(usize) -> Instruction,
    ) {
        let at = draft.push(Instruction::End);
        let first = draft.here();
        self.steps(body, draft);
        draft.push(Instruction::Round(first));
        draft.class.code[at] = begin(draft.here());
    }

    fn assign(
        &mut self,
        entries: &'a [(Placed<String>, plan::Node)],
        draft: &mut Draft<'a>,
        instruction: fn(usize, super::build::Build) -> Instruction,
    ) {
        for (name, node) in entries {
            let Some(slot) = draft.class.names.find(&name.value) else { continue };
            let build = self.build_in(node, draft);
            draft.push(instruction(slot, build));
        }
    }

    /// `remove` from what nothing makes a list is a slip of the pen.
    fn must_be_a_list(&mut self, name: &Placed<String>, class: &Class) {
        if class.names.find(&name.value).is_some() {
            return;
        }
        let lists = (0..class.names.len()).filter(|slot| class.initial[*slot].is_some());
        let near = suggest(&name.value, lists.map(|slot| class.names.name(slot)));
        let label = near.map_or_else(
            || "push to it first: `push: { NAME: … }`, or capture with `push: true`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        self.error(name.place, format!("no list is called `{}`", name.value), label);
    }

    fn call(&mut self, name: &'a Placed<String>, draft: &mut Draft<'a>) {
        let next = draft.called.len();
        let called = *draft.numbers.entry(&name.value).or_insert(next);
        if called == next {
            draft.called.push((name.clone(), None));
        }
        let at = draft.push(Instruction::End);
        draft.calls.push((at, called));
    }

    /// Compiles what is called, with a way back at its end.
    pub(super) fn callee(
        &mut self,
        position: usize,
        class: Option<&'a plan::Class>,
        draft: &mut Draft<'a>,
    ) {
        let name = draft.called[position].0.clone();
        let task =
            class.and_then(|class| class.tasks.iter().find(|task| task.name.value == name.value));
        let flow = self.flows.get(&*name.value).copied();
        let start = draft.here();
        let (own, own_tags, when, chance, steps) = match (task, flow) {
            (Some(task), _) => (&task.name, &task.tags, &task.when, task.chance, &task.steps),
            (None, Some(flow)) => (&flow.name, &flow.tags, &flow.when, None, &flow.steps),
            (None, None) => {
                self.called_nothing(&name, class);
                return;
            }
        };
        draft.tags =
            class.into_iter().flat_map(|class| &class.tags).chain(own_tags).cloned().collect();
        draft.picked = true;
        // What is left out by its tags does nothing when it is called.
        if !self.inputs.selection.excludes(&draft.tags) {
            self.when_called(own, when.as_ref(), chance, steps, draft);
        }
        draft.tags.clear();
        draft.push(Instruction::Return);
        draft.called[position].1 = Some(start);
    }

    fn called_nothing(&mut self, name: &Placed<String>, class: Option<&'a plan::Class>) {
        let title = format!("there is no flow or task `{}` to call", name.value);
        // A flow that calls it is compiled for each class that calls the flow.
        if self.missing.is_some() || self.is_told(name.place, &title) {
            return;
        }
        self.lost += 1;
        let tasks = class.into_iter().flat_map(|class| &class.tasks);
        let tasks = tasks.map(|task| &*task.name.value);
        let flows = self.plan.flows.iter().map(|flow| &*flow.name.value);
        let known = flows.chain(tasks);
        let label = if self.lost > MOST_MISTAKES || known.clone().next().is_none() {
            "write it under `flows`".to_owned()
        } else if let Some(near) = suggest(&name.value, known.clone()) {
            format!("did you mean `{near}`?")
        } else {
            plan::there_are(known)
        };
        self.error(name.place, title, label);
    }

    fn when_called(
        &mut self,
        name: &Placed<String>,
        when: Option<&'a Placed<String>>,
        chance: Option<f64>,
        steps: &'a [Step],
        draft: &mut Draft<'a>,
    ) {
        let when = when.map(|when| {
            let condition = self.condition_in(when, draft);
            let at = draft.push(Instruction::Return);
            draft.mark(at, Mark::when(when.place, &name.value, when));
            (at, condition)
        });
        let chance = chance.map(|chance| {
            let at = draft.push(Instruction::Return);
            draft.mark(at, Mark::chance(name.place, &name.value, chance));
            (at, chance)
        });
        self.steps(steps, draft);
        let end = draft.here();
        if let Some((at, Some(condition))) = when {
            draft.class.code[at] = Instruction::Unless(condition, end);
        }
        if let Some((at, chance)) = chance {
            draft.class.code[at] = Instruction::Chance(chance, end);
        }
    }

    fn send(&mut self, request: &'a plan::Request, draft: &mut Draft<'a>) {
        let first = self.first(request, draft);
        let mut compiled = self.request(request, draft);
        if let Some(retry) = &mut compiled.retry {
            retry.first = first;
        }
        draft.class.requests.push(compiled);
        let number = draft.class.requests.len() - 1;
        let at = draft.push(Instruction::Request(number));
        draft.mark(at, Mark::at(request.place));
        if let Some(wait) = request.wait {
            draft.push(Instruction::Wait(wait));
        }
    }

    /// What is done before a retry stands before the request, which jumps over it.
    fn first(&mut self, request: &'a plan::Request, draft: &mut Draft<'a>) -> Option<usize> {
        let levels = [&request.settings, draft.defaults[0], draft.defaults[1]];
        let retry = match levels.iter().find_map(|level| level.retry.as_ref()) {
            Some(Some(retry)) if !retry.first.is_empty() && !draft.retrying => retry,
            _ => return None,
        };
        let skip = draft.push(Instruction::End);
        let first = draft.here();
        self.count_steps(request.place, 0, draft);
        draft.retrying = true;
        self.steps(&retry.first, draft);
        self.count_steps(request.place, 0, draft);
        draft.retrying = false;
        draft.push(Instruction::Again);
        draft.class.code[skip] = Instruction::Jump(draft.here());
        Some(first)
    }

    fn parallel(&mut self, step: &'a Step, steps: &'a [Step], draft: &mut Draft<'a>) {
        let mut numbers = Vec::with_capacity(steps.len());
        for step in steps {
            let Action::Request(request) = &step.action else { continue };
            if step.when.is_some() || step.chance.is_some() {
                let title = "a request of `parallel` cannot have a condition of its own";
                self.error(step.place, title, "put `when` at the `parallel`");
            }
            if self.inputs.selection.excludes(&step.tags) {
                continue;
            }
            if self.count_steps(step.place, 1, draft) {
                return;
            }
            let tags = draft.tags.len();
            draft.tags.extend(step.tags.iter().cloned());
            let compiled = self.request(request, draft);
            draft.tags.truncate(tags);
            draft.class.requests.push(compiled);
            numbers.push((draft.class.requests.len() - 1, request));
        }
        let at =
            draft.push(Instruction::Parallel(numbers.iter().map(|(number, _)| *number).collect()));
        draft.mark(at, Mark::at(step.place));
        // Those that are to be sent again follow one by one, with what is done before.
        for (number, request) in numbers {
            if draft.class.requests[number].retry.is_none() {
                continue;
            }
            let first = self.first(request, draft);
            if let Some(retry) = &mut draft.class.requests[number].retry {
                retry.first = first;
            }
            let at = draft.push(Instruction::Resend(number));
            draft.mark(at, Mark::at(request.place));
        }
    }
}

/// A step that gives way to others: it sends or waits.
pub(super) fn rests(step: &Step) -> bool {
    let waits = |wait: &Wait| *wait != Wait::None;
    match &step.action {
        Action::Request(_) | Action::Parallel(_) | Action::Call(_) => true,
        Action::Wait(wait) => waits(wait),
        Action::Stop(Stop::User | Stop::Run) => true,
        action => action.bodies().flatten().any(rests),
    }
}

/// Tags pick something within the steps.
pub(super) fn picks_within(selection: &super::selection::Selection, steps: &[Step]) -> bool {
    !selection.tags.is_empty()
        && steps.iter().any(|step| {
            !selection.excludes(&step.tags)
                && (selection.picks(&step.tags)
                    || step.action.bodies().any(|body| picks_within(selection, body)))
        })
}
