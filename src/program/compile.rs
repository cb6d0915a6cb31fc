//! Owns compiling: from a plan whose keys are in order to a program whose names are, too.

use std::collections::HashMap;

use super::build::{Build, json_body};
use super::{Capture, Class, Instruction, Message, Program, Request, Task};
use crate::diagnostic::{Diagnostic, Place, Placed, Source, suggest};
use crate::expr::{Encoding, Expression, Names, ParseError, Selector, Template, Value};
use crate::load::Wait;
use crate::metrics::{Catalogue, RequestName};
use crate::plan::{self, Action, Body, Node, NodeValue, Partial, Plan, Target};
use crate::protocol::Limits;

/// Compiles `plan` for `target`. The sources are those that the plan was read from; they say where
/// within a text a mistake stands.
///
/// The second value holds warnings.
///
/// # Errors
/// Every mistake that only the compiler can see: names, templates, expressions, JSONPaths,
/// tasks that can never run.
pub fn compile(
    plan: &Plan,
    target: &Target,
    sources: &[Source],
) -> Result<(Program, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut compiler = Compiler::new(target, sources, None);
    let classes = plan.classes.iter().map(|class| compiler.class(class)).collect();
    let Compiler { catalogue, mut diagnostics, .. } = compiler;
    diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok((Program { catalogue, classes }, diagnostics))
}

/// The mistakes that only the compiler can see in a plan that has others already: so that a person
/// learns of all of them at once.
#[must_use]
pub fn mistakes(partial: &Partial, sources: &[Source]) -> Vec<Diagnostic> {
    let target = Target::parse("http://localhost").expect("the text is a target");
    let mut compiler = Compiler::new(&target, sources, Some(&partial.assigned));
    for class in &partial.plan.classes {
        compiler.class(class);
    }
    compiler.diagnostics
}

struct Compiler<'a> {
    target: &'a Target,
    sources: &'a [Source],
    /// The plan is only a part: the variables that the missing parts may assign.
    missing: Option<&'a [String]>,
    catalogue: Catalogue,
    texts: HashMap<String, u32>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Compiler<'a> {
    fn new(target: &'a Target, sources: &'a [Source], missing: Option<&'a [String]>) -> Self {
        Self {
            target,
            sources,
            missing,
            catalogue: Catalogue::default(),
            texts: HashMap::new(),
            diagnostics: Vec::new(),
        }
    }

    fn class(&mut self, class: &plan::Class) -> Class {
        let mut names = Names::default();
        let mut initial = Vec::new();
        for step in class.tasks.iter().flat_map(|task| &task.steps) {
            declare(step, &mut names, &mut initial);
        }
        for name in self.missing.into_iter().flatten() {
            names.intern(name);
            initial.resize(names.len(), None);
        }
        let mut compiled = Class {
            name: class.name.value.as_str().into(),
            wait: class.wait,
            names,
            initial,
            tasks: Vec::new(),
            code: Vec::new(),
            requests: Vec::new(),
        };
        for task in &class.tasks {
            let when = task.when.as_ref().and_then(|when| self.condition(when, &compiled.names));
            compiled.tasks.push(Task {
                name: task.name.value.clone(),
                weight: task.weight,
                when,
                start: compiled.code.len(),
            });
            for step in &task.steps {
                self.step(step, &mut compiled);
            }
            compiled.code.push(Instruction::End);
        }
        if self.missing.is_none() {
            self.unreachable_tasks(class, &compiled);
            self.restless(class);
        }
        compiled
    }

    fn step(&mut self, step: &plan::Step, class: &mut Class) {
        let guard = step.when.as_ref().map(|when| {
            class.code.push(Instruction::End);
            (class.code.len() - 1, self.condition(when, &class.names))
        });
        match &step.action {
            Action::Request(request) => {
                let request = self.request(request, &class.names);
                class.requests.push(request);
                class.code.push(Instruction::Request(class.requests.len() - 1));
            }
            Action::Wait(wait) => class.code.push(Instruction::Wait(*wait)),
            Action::Set(entries) => self.assign(entries, class, Instruction::Set),
            Action::Push(entries) => self.assign(entries, class, Instruction::Push),
            Action::Remove(entries) => {
                for (name, _) in entries {
                    self.must_be_a_list(name, &class.names, &class.initial);
                }
                self.assign(entries, class, Instruction::Remove);
            }
        }
        if let Some((at, Some(condition))) = guard {
            class.code[at] = Instruction::Unless(condition, class.code.len());
        }
    }

    fn assign(
        &mut self,
        entries: &[(Placed<String>, Node)],
        class: &mut Class,
        instruction: fn(usize, Build) -> Instruction,
    ) {
        for (name, node) in entries {
            let Some(slot) = class.names.find(&name.value) else { continue };
            let mut mistakes = Vec::new();
            let build = Build::compile(node, &class.names, &mut |node, error| {
                mistakes.push((node.place, node_text(node), error));
            });
            for (place, text, errors) in mistakes {
                self.mistakes(place, &text, errors);
            }
            class.code.push(instruction(slot, build));
        }
    }

    /// `remove` from what nothing makes a list is a slip of the pen.
    fn must_be_a_list(&mut self, name: &Placed<String>, names: &Names, initial: &[Option<Value>]) {
        let known = names.find(&name.value).is_some();
        if known {
            return;
        }
        let lists = (0..names.len()).filter(|slot| initial[*slot].is_some());
        let near = suggest(&name.value, lists.map(|slot| names.name(slot)));
        let label = near.map_or_else(
            || "push to it first: `push: { NAME: … }`, or capture with `push: true`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let title = format!("no list is called `{}`", name.value);
        self.diagnostics.push(Diagnostic::error(name.place, title, label));
    }

    fn condition(&mut self, when: &Placed<String>, names: &Names) -> Option<Expression> {
        match Expression::parse(&when.value, names) {
            Ok(expression) => Some(expression),
            Err(errors) => {
                self.mistakes(when.place, &when.value, errors);
                None
            }
        }
    }

    fn request(&mut self, request: &plan::Request, names: &Names) -> Request {
        let mut head = Template::default();
        head.fixed(format!("{} {}", request.method.as_str(), self.target.base_path()).as_bytes());
        head.append(self.template(&request.path, Encoding::Path, names));
        head.fixed(b" HTTP/1.1\r\n");
        let json = matches!(request.body, Some(Body::Json(_)));
        let given = |name: &str| {
            request.headers.iter().any(|(header, _)| header.value.eq_ignore_ascii_case(name))
        };
        let authority = self.target.authority();
        let version = env!("CARGO_PKG_VERSION");
        head.fixed(format!("Host: {authority}\r\n").as_bytes());
        for (name, value, wanted) in [
            ("User-Agent", format!("throng/{version}"), true),
            ("Accept", "*/*".to_owned(), true),
            ("Content-Type", "application/json".to_owned(), json),
        ] {
            if wanted && !given(name) {
                head.fixed(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        for (name, node) in &request.headers {
            head.fixed(format!("{}: ", name.value).as_bytes());
            let text = Placed { value: node_text(node), place: node.place };
            head.append(self.template(&text, Encoding::Header, names));
            head.fixed(b"\r\n");
        }
        let body = request.body.as_ref().map(|body| self.body(body, names));
        let sends_length = body.is_some()
            || matches!(
                request.method,
                plan::Method::Post | plan::Method::Put | plan::Method::Patch
            );
        let message = match body.unwrap_or_default() {
            body if body.as_fixed().is_none() => Message::HeadAndBody(head, body),
            body => {
                let bytes = body.as_fixed().unwrap_or_default();
                if sends_length {
                    head.fixed(format!("Content-Length: {}\r\n", bytes.len()).as_bytes());
                }
                head.fixed(b"\r\n");
                head.fixed(bytes);
                match head.as_fixed() {
                    Some(fixed) => Message::Fixed(fixed.to_vec()),
                    None => Message::Head(head),
                }
            }
        };
        let name = request.name.as_ref().unwrap_or(&request.path).value.clone();
        let captures = request.captures.iter();
        let captures = captures.filter_map(|capture| self.capture(capture, names)).collect();
        let mut limits = Limits::default();
        if let Some(total) = request.timeout {
            limits.total = total;
            limits.connect = limits.connect.min(total);
            limits.first_byte = total;
            limits.idle = total;
        }
        Request {
            name: self.name(RequestName { method: request.method.as_str().to_owned(), name }),
            message,
            head_only: request.method == plan::Method::Head,
            limits,
            accept: request.accept.clone(),
            captures,
        }
    }

    fn body(&mut self, body: &Body, names: &Names) -> Template {
        match body {
            Body::Text(text) => self.template(text, Encoding::Plain, names),
            Body::Json(node) => {
                let mut template = Template::default();
                let mut mistakes = Vec::new();
                json_body(node, names, &mut template, &mut |node, error| {
                    mistakes.push((node.place, node_text(node), error));
                });
                for (place, text, errors) in mistakes {
                    self.mistakes(place, &text, errors);
                }
                template
            }
        }
    }

    fn template(&mut self, text: &Placed<String>, encoding: Encoding, names: &Names) -> Template {
        Template::parse(&text.value, encoding, names).unwrap_or_else(|errors| {
            self.mistakes(text.place, &text.value, errors);
            Template::default()
        })
    }

    fn capture(&mut self, capture: &plan::Capture, names: &Names) -> Option<Capture> {
        let slot = names.find(&capture.name.value)?;
        match Selector::json(&capture.path.value) {
            Ok(selector) => {
                let (name, path) = (&capture.name.value, &capture.path.value);
                let nothing = self.text(format!("capture: {name}: nothing at {path}"));
                let not_json = self.text(format!("capture: {name}: the answer is no JSON"));
                Some(Capture { slot, selector, push: capture.push, nothing, not_json })
            }
            Err(error) => {
                self.mistake(capture.path.place, &capture.path.value, error);
                None
            }
        }
    }

    fn name(&mut self, name: RequestName) -> u16 {
        let names = &mut self.catalogue.names;
        let position = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        // The reader's budget of nodes keeps a plan far below 65,536 requests.
        u16::try_from(position).expect("a plan has fewer than 65,536 requests")
    }

    fn text(&mut self, text: String) -> u32 {
        let next = self.catalogue.texts.len() as u32;
        let number = *self.texts.entry(text.clone()).or_insert(next);
        if number == next {
            self.catalogue.texts.push(text);
        }
        number
    }

    fn unreachable_tasks(&mut self, class: &plan::Class, compiled: &Class) {
        if class.tasks.iter().all(|task| task.weight == 0.0) {
            let title = format!("no task of `{}` has a weight", class.name.value);
            let label = "give at least one task a weight above 0";
            self.diagnostics.push(Diagnostic::error(class.name.place, title, label));
        }
        // A task that waits for a variable which only tasks like it assign never runs.
        let runs = |task: &Task| task.when.is_none() && task.weight > 0.0;
        if !compiled.tasks.iter().any(runs)
            && compiled.tasks.iter().all(|task| {
                task.when.as_ref().is_some_and(|when| self.starts_false(when, compiled))
            })
            && !class.tasks.is_empty()
        {
            let title = format!("no task of `{}` can ever run", class.name.value);
            let label = "every task waits for a variable that only its own tasks assign";
            self.diagnostics.push(Diagnostic::error(class.name.place, title, label));
        }
    }

    /// It is one variable, which is unset or empty when a user begins.
    fn starts_false(&self, when: &Expression, class: &Class) -> bool {
        class.names.find(when.text()).is_some()
    }

    /// A class that neither waits nor sends anything would only burn the generator's CPU.
    fn restless(&mut self, class: &plan::Class) {
        for task in &class.tasks {
            let rests = |step: &plan::Step| match &step.action {
                Action::Request(_) => true,
                Action::Wait(wait) => *wait != Wait::None,
                _ => false,
            };
            if class.wait == Wait::None && !task.steps.iter().any(rests) {
                let title = format!("task `{}` neither sends nor waits", task.name.value);
                let label = "add a request, or give the class a `wait`";
                self.diagnostics.push(Diagnostic::error(task.name.place, title, label));
            }
        }
    }

    fn mistakes(&mut self, place: Place, text: &str, errors: Vec<ParseError>) {
        for error in errors {
            self.mistake(place, text, error);
        }
    }

    /// Places a mistake within a text: exactly, when the text stands in the file as it is.
    fn mistake(&mut self, place: Place, text: &str, error: ParseError) {
        let range = place.range();
        let source = self.sources.get(usize::from(place.source));
        let written = source.and_then(|source| source.text.get(range.clone()));
        let place = match written.and_then(|written| written.find(text)) {
            Some(offset) if !text.is_empty() => {
                let start = range.start + offset;
                Place::new(place.source, start + error.at.start..start + error.at.end)
            }
            _ => place,
        };
        self.diagnostics.push(Diagnostic::error(place, error.title, error.hint));
    }
}

fn declare(step: &plan::Step, names: &mut Names, initial: &mut Vec<Option<Value>>) {
    let mut declare = |name: &Placed<String>, list: bool| {
        let slot = names.intern(&name.value);
        initial.resize(names.len(), None);
        if list {
            initial[slot] = Some(Value::empty_list());
        }
    };
    match &step.action {
        Action::Request(request) => {
            for capture in &request.captures {
                declare(&capture.name, capture.push);
            }
        }
        Action::Set(entries) => entries.iter().for_each(|(name, _)| declare(name, false)),
        Action::Push(entries) => entries.iter().for_each(|(name, _)| declare(name, true)),
        // Removing assigns nothing: the list must come from somewhere else.
        Action::Remove(_) | Action::Wait(_) => {}
    }
}

/// A scalar as the text that it is sent as.
fn node_text(node: &Node) -> String {
    match &node.value {
        NodeValue::Text(text) => text.clone(),
        NodeValue::Int(value) => value.to_string(),
        NodeValue::Float(value) => serde_json::Value::from(*value).to_string(),
        NodeValue::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}
