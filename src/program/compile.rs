//! Owns compiling: from a plan whose keys are in order to a program whose names are, too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::build::Build;
use super::instruction::{Class, Program, Row, Script};
use super::iterations::{Outside, Part};
use super::judge::{NOT_JUDGED, NOT_JUDGED_TEXT};
use super::names::Assigned;
use super::notes::called_names;
use super::secured::{Asked, Secured};
use super::selection::Selection;
use super::series::Series;
use super::size::Size;
use crate::data::{self, Source as Rows};
use crate::diagnostic::{Diagnostic, Place, Placed, Source};
use crate::expr::{
    Encoding, Expression, MOST_MISTAKES, Names, ParseError, Selector, Template, Uses, Value,
};
use crate::load::{Order, Wait};
use crate::metrics::{Catalogue, Facet, RequestName};
use crate::plan::{self, Connections, Node, NodeValue, Partial, Plan, Settings, Target, value_of};

/// What a plan is compiled with, beside its text.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Where requests go that name no other host; wins over the plan's and its classes'.
    pub target: Option<Target>,
    /// The environment's variables.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Where the order of rows comes from.
    pub seed: u64,
    /// Which tasks and steps run.
    pub selection: Selection,
    /// Every class and every set of tags is counted by itself, whether a threshold asks for one or not.
    pub apart: bool,
}

/// A compiled plan.
#[derive(Debug)]
pub struct Compiled {
    /// What every worker runs.
    pub program: Program,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The sources of rows, in the order of the plan.
    pub data: Vec<Arc<Rows>>,
}

/// Compiles `plan`. The sources are those that the plan was read from; they say where within a text
/// a mistake stands.
///
/// # Errors
/// Every mistake that only the compiler can see: names, templates, expressions, selectors, files,
/// tasks that can never run.
pub fn compile(
    plan: &Plan,
    sources: &[Source],
    inputs: &Inputs,
) -> Result<Compiled, Vec<Diagnostic>> {
    let mut compiler = Compiler::new(plan, sources, inputs, None);
    let (mut classes, mut before, mut after) = compiler.all();
    know_secrets(classes.iter_mut().chain(&mut before).chain(&mut after).collect());
    let Compiler { catalogue, targets, mut diagnostics, data, any_host, pool, .. } = compiler;
    let (targets, ways) =
        targets.into_iter().map(|(target, way)| (target, way.unwrap_or(0))).unzip();
    let secured = compiler.secured.into_iter().map(|(_, secured)| secured).collect();
    plan::suit(&mut diagnostics, sources);
    diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let data = data.into_iter().filter_map(|(_, source)| source).collect();
    let program = Program {
        catalogue,
        targets,
        ways,
        secured,
        classes,
        before,
        after,
        pool,
        any_host,
        evidence: plan.evidence,
        proofs: Arc::new(plan::words_of_proofs(plan)),
    };
    Ok(Compiled { program, diagnostics, data })
}

/// Tells each class which of its variables hold secrets. `before` may have captured them for it.
fn know_secrets(classes: Vec<&mut Class>) {
    let captures = classes.iter().flat_map(|class| &class.requests).flat_map(|one| &one.captures);
    let secret = captures.filter(|capture| capture.secret);
    let names: BTreeSet<String> = secret.map(|capture| capture.name.clone()).collect();
    for class in classes {
        class.secrets = names.iter().filter_map(|name| class.names.find(name)).collect();
    }
}

/// The mistakes that only the compiler can see in a plan that has others already: so that a person
/// learns of all of them at once.
#[must_use]
pub fn mistakes(partial: &Partial, sources: &[Source], inputs: &Inputs) -> Vec<Diagnostic> {
    let mut compiler = Compiler::new(&partial.plan, sources, inputs, Some(partial));
    compiler.all();
    plan::suit(&mut compiler.diagnostics, sources);
    compiler.diagnostics
}

/// What is known while a plan is compiled.
pub(super) struct Compiler<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a Inputs,
    sources: &'a [Source],
    /// The plan is only a part: what the missing parts may assign and read.
    pub(super) missing: Option<&'a Partial>,
    pub(super) catalogue: Catalogue,
    texts: HashMap<String, u32>,
    series: Series,
    /// Each with the way in which connections to it are secured, once that is known.
    pub(super) targets: Vec<(Target, Option<usize>)>,
    /// What was asked for, and what came of it.
    pub(super) secured: Vec<(Asked, Secured)>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Those of a place and a title, by their positions.
    told: HashMap<(Option<Place>, String), Vec<usize>>,
    pub(super) size: Size,
    pub(super) regexes: HashMap<String, Result<Selector, ParseError>>,
    /// The values of the plan's variables.
    vars: Vec<Value>,
    /// The columns of each source of rows.
    columns: Vec<Option<Arc<[String]>>>,
    /// Texts with variables of the environment that have no value: their places, and the first of each.
    unset: HashSet<(Place, String)>,
    /// How many calls of nothing were told of.
    pub(super) lost: usize,
    pub(super) data: Vec<(&'a plan::Data, Option<Arc<Rows>>)>,
    /// What the parts assign that all classes share.
    shared: Assigned<'a>,
    pub(super) flows: HashMap<&'a str, &'a plan::Flow>,
    /// The names that are called anywhere in the plan.
    pub(super) called: HashSet<&'a str>,
    pub(super) any_host: bool,
    pub(super) pool: Option<u32>,
    /// `before` or `after`, while that is compiled.
    once: Option<&'static str>,
}

/// A class that is being compiled.
pub(super) struct Draft<'a> {
    pub(super) class: Class,
    /// The defaults of its requests, the nearest first.
    pub(super) defaults: [&'a Settings; 2],
    pub(super) connections: Connections,
    pub(super) target: usize,
    /// What its expressions read while running, those of single requests left out.
    pub(super) uses: Uses,
    /// What is called, by name, and where it begins.
    pub(super) called: Vec<(Placed<String>, Option<usize>)>,
    /// Their positions there.
    pub(super) numbers: HashMap<&'a str, usize>,
    /// Calls whose place is not known yet: where they stand, and the position in `called`.
    pub(super) calls: Vec<(usize, usize)>,
    /// The tags of what is being compiled.
    pub(super) tags: Vec<String>,
    /// What is being compiled was picked by its tags.
    pub(super) picked: bool,
    /// Steps before a retry are being compiled: their requests have no such steps themselves.
    pub(super) retrying: bool,
    /// So many of its instructions were counted.
    pub(super) counted: usize,
}

impl<'a> Compiler<'a> {
    fn new(
        plan: &'a Plan,
        sources: &'a [Source],
        inputs: &'a Inputs,
        missing: Option<&'a Partial>,
    ) -> Self {
        let local = || Target::parse("http://localhost").expect("the text is a target");
        let texts = HashMap::from([(NOT_JUDGED_TEXT.to_owned(), NOT_JUDGED)]);
        let catalogue =
            Catalogue { texts: vec![NOT_JUDGED_TEXT.to_owned()], ..Catalogue::default() };
        let target = inputs.target.clone();
        let target = target.or_else(|| plan.target.as_ref().map(|target| target.value.clone()));
        let mut shared = Assigned::default();
        shared.shared(plan);
        shared.steps(&plan.before);
        // Of two with one name, which is a mistake of its own, it is the first.
        let flows = plan.flows.iter().rev().map(|flow| (&*flow.name.value, flow)).collect();
        Self {
            plan,
            inputs,
            sources,
            missing,
            catalogue,
            texts,
            series: Series::of(plan, inputs.apart),
            targets: vec![(target.unwrap_or_else(local), None)],
            secured: Vec::new(),
            diagnostics: Vec::new(),
            told: HashMap::new(),
            size: Size::default(),
            regexes: HashMap::new(),
            vars: plan.vars.iter().map(|(_, node)| value_of(node)).collect(),
            columns: Vec::new(),
            unset: HashSet::new(),
            lost: 0,
            data: Vec::new(),
            shared,
            flows,
            called: called_names(plan),
            any_host: false,
            pool: None,
            once: None,
        }
    }

    fn all(&mut self) -> (Vec<Class>, Option<Class>, Option<Class>) {
        self.open_data();
        self.names_of_data();
        self.call_cycles();
        let before = self.once("before", &self.plan.before);
        let plan = self.plan;
        let mut classes = Vec::with_capacity(plan.classes.len());
        for class in &plan.classes {
            classes.push(self.class(class));
            if self.size.full {
                break;
            }
        }
        let after = self.once("after", &plan.after);
        self.diagnostics.extend(self.series.overflow());
        // What nothing reads is told of a plan that is right otherwise: a slip of a name would be
        // told twice.
        if self.missing.is_none() && !self.diagnostics.iter().any(Diagnostic::is_error) {
            self.notes();
        }
        self.unread_captures();
        (classes, before, after)
    }

    /// Opens every source of rows: their columns are names, and what cannot be read is a mistake.
    fn open_data(&mut self) {
        for data in &self.plan.data {
            let source = match Rows::open(&data.definition, self.inputs.seed) {
                Ok(source) => Some(Arc::new(source)),
                Err(data::DataError { title, hint }) => {
                    self.diagnostics.push(Diagnostic::error(data.place, title, hint));
                    None
                }
            };
            let columns = source.as_ref().and_then(|source| source.columns());
            self.columns.push(columns.map(Arc::from));
            self.data.push((data, source));
        }
    }

    /// A source of rows has its name for itself: a step that wrote to it would hide its rows.
    fn names_of_data(&mut self) {
        if self.plan.data.is_empty() {
            return;
        }
        let plan = self.plan;
        let mut assigned = Assigned::default();
        assigned.shared(plan);
        assigned.steps(&plan.before);
        assigned.steps(&plan.after);
        for class in &plan.classes {
            assigned.settings(&class.defaults);
            assigned.steps(&class.on_start);
            class.tasks.iter().for_each(|task| assigned.steps(&task.steps));
            assigned.steps(&class.on_stop);
        }
        for data in &plan.data {
            let name = &*data.name.value;
            let var = plan.vars.iter().map(|(var, _)| var).find(|var| var.value == name);
            let steps = assigned.all.iter().map(|(assigned, _)| *assigned);
            for other in steps.filter(|other| other.value == name).chain(var) {
                let title = format!("`{name}` is the name of a source of data");
                let label = format!("take another name, as `my_{name}`");
                let diagnostic =
                    Diagnostic::error(other.place, title, label).also(data.name.place, "the data");
                self.tell(diagnostic);
            }
        }
    }

    /// The names that a class knows, its own assignments and those that all share.
    fn names(&self, own: &Assigned<'_>) -> (Names, Vec<Option<Value>>) {
        let plan = self.plan;
        let mut names = Names::default();
        let mut initial = Vec::new();
        names.environment(self.inputs.environment.clone());
        own.declare(&mut names, &mut initial);
        self.shared.declare(&mut names, &mut initial);
        for ((data, source), columns) in self.data.iter().zip(&self.columns) {
            let slot = names.row(&data.name.value, columns.clone());
            if source.as_ref().is_some_and(|source| !source.is_text()) {
                names.typed(slot);
            }
        }
        for name in self.missing.into_iter().flat_map(|missing| &missing.assigned) {
            names.intern(name);
        }
        initial.resize(names.len(), None);
        for ((name, _), value) in plan.vars.iter().zip(&self.vars) {
            match names.find(&name.value) {
                // The class writes to it: then it is a variable that begins with that value.
                Some(slot) if initial[slot].is_none() => initial[slot] = Some(value.clone()),
                Some(_) => {}
                None => names.constant(&name.value, value.clone()),
            }
        }
        (names, initial)
    }

    /// The steps of `before` or `after`, as the program of a user that does nothing else.
    fn once(&mut self, name: &'static str, steps: &'a [plan::Step]) -> Option<Class> {
        if steps.is_empty() {
            return None;
        }
        self.once = Some(name);
        let mut own = Assigned::default();
        own.steps(steps);
        let (names, initial) = self.names(&own);
        let target = self.targets[0].0.clone();
        let mut uses = Uses::default();
        let secure = self.secure(None, &target, self.plan.connections, &names, &mut uses);
        let class = Class {
            name: name.into(),
            wait: Wait::None,
            order: Order::Random,
            names,
            initial,
            secrets: Arc::default(),
            tasks: Vec::new(),
            script: Script::default(),
            code: Vec::new(),
            marks: BTreeMap::new(),
            requests: Vec::new(),
            rows: Vec::new(),
            identity: secure.live,
        };
        let none: &'a Settings = &NO_SETTINGS;
        let target = self.target(&target, secure.way);
        let defaults = [none, &self.plan.defaults];
        let mut draft = Draft::new(class, defaults, self.plan.connections, target);
        draft.uses = uses;
        draft.class.script.start = Some(0);
        self.block(steps, &mut draft);
        let class = self.finish(draft, None);
        self.once = None;
        Some(class)
    }

    fn class(&mut self, class: &'a plan::Class) -> Class {
        let mut own = Assigned::default();
        own.settings(&class.defaults);
        own.steps(&class.on_start);
        class.tasks.iter().for_each(|task| own.steps(&task.steps));
        own.steps(&class.on_stop);
        let (names, initial) = self.names(&own);
        self.count_names(class.name.place, names.count(), names.bytes());
        let connections = class.connections.unwrap_or(self.plan.connections);
        let target = match (&self.inputs.target, &class.target) {
            (None, Some(target)) => target.value.clone(),
            _ => self.targets[0].0.clone(),
        };
        let mut uses = Uses::default();
        let secure = self.secure(Some(&class.tls), &target, connections, &names, &mut uses);
        let compiled = Class {
            name: class.name.value.as_str().into(),
            wait: class.wait,
            order: class.order,
            names,
            initial,
            secrets: Arc::default(),
            tasks: Vec::new(),
            script: Script::default(),
            code: Vec::new(),
            marks: BTreeMap::new(),
            requests: Vec::new(),
            rows: Vec::new(),
            identity: secure.live,
        };
        let target = self.target(&target, secure.way);
        let defaults = [&class.defaults, &self.plan.defaults];
        let mut draft = Draft::new(compiled, defaults, connections, target);
        draft.uses = uses;
        draft.tags.clone_from(&class.tags);
        let start = Part::of(&mut draft, |draft| {
            if !class.on_start.is_empty() {
                draft.class.script.start = Some(draft.class.code.len());
                self.block(&class.on_start, draft);
            }
        });
        self.tasks(class, &mut draft);
        let stop = Part::of(&mut draft, |draft| {
            if !class.on_stop.is_empty() {
                draft.class.script.stop = Some(draft.class.code.len());
                self.block(&class.on_stop, draft);
            }
        });
        let compiled = self.finish(draft, Some((class, Outside { start, stop })));
        if self.missing.is_none() {
            self.class_notes(class, &compiled);
        }
        compiled
    }

    /// Compiles what is called, and sets what is known only when all is there.
    fn finish(&mut self, mut draft: Draft<'a>, class: Option<(&'a plan::Class, Outside)>) -> Class {
        let (class, outside) = class.unzip();
        let mut callees = Vec::new();
        while callees.len() < draft.called.len() {
            let position = callees.len();
            callees.push(Part::of(&mut draft, |draft| self.callee(position, class, draft)));
        }
        if let Some(class) = class {
            self.count_steps(class.name.place, 0, &mut draft);
        }
        if let Some(outside) = outside {
            self.rows_outside(&outside, &callees, &draft);
        }
        draft.resolve_calls();
        let Draft { mut class, uses, .. } = draft;
        // Rows that nothing reads are not taken.
        let read = |slot: &usize| {
            uses.slots.contains(slot)
                || class.requests.iter().any(|request| request.reads.contains(slot))
        };
        for (data, source) in &self.data {
            let Some(source) = source else { continue };
            let slot = class.names.find(&data.name.value);
            if let Some(slot) = slot.filter(read) {
                let per = data.definition.per;
                class.rows.push(Row { slot, source: source.clone(), per });
            }
        }
        for request in &mut class.requests {
            let per_request =
                |row: &Row| row.per == data::Per::Request && request.reads.contains(&row.slot);
            request.rows =
                (0..class.rows.len()).filter(|row| per_request(&class.rows[*row])).collect();
            request.keep_head |= uses.response_head;
            request.keep_body |= uses.response_body;
            request.retain = uses.response_head || uses.response_body;
        }
        class
    }

    /// The number of a target with the way in which it is secured, which is added when it is new.
    pub(super) fn target(&mut self, target: &Target, way: usize) -> usize {
        let is_it = |(known, secured): &(Target, Option<usize>)| {
            known == target && secured.is_none_or(|secured| secured == way)
        };
        let position = self.targets.iter().position(is_it).unwrap_or_else(|| {
            self.targets.push((target.clone(), None));
            self.targets.len() - 1
        });
        self.targets[position].1 = Some(way);
        position
    }

    /// The number of the series that requests of this name, class and tags are counted under.
    pub(super) fn series(&mut self, name: RequestName, facet: Facet, place: Place) -> u16 {
        let (number, fresh) = self.series.number(name, facet, place);
        if let Some((name, facet)) = fresh {
            self.catalogue.names.push(name);
            self.catalogue.facets.push(facet);
        }
        number
    }

    pub(super) fn text(&mut self, text: String) -> u32 {
        let next = self.catalogue.texts.len() as u32;
        let number = *self.texts.entry(text.clone()).or_insert(next);
        if number == next {
            self.catalogue.texts.push(text);
        }
        number
    }

    /// The number of a transaction.
    pub(super) fn group(&mut self, name: &str) -> u16 {
        let groups = &mut self.catalogue.groups;
        let position = groups.iter().position(|known| known == name).unwrap_or_else(|| {
            groups.push(name.to_owned());
            groups.len() - 1
        });
        u16::try_from(position).expect("a plan has fewer than 65,536 groups")
    }

    pub(super) fn condition(
        &mut self,
        text: &Placed<String>,
        names: &Names,
        uses: &mut Uses,
    ) -> Option<Expression> {
        self.count_expression(&text.value);
        match Expression::parse(&text.value, names) {
            Ok(expression) => {
                self.unset(text.place, expression.unset_env());
                self.doubts(text.place, &text.value, &expression.warnings());
                uses.merge(&expression.uses());
                Some(expression)
            }
            Err(errors) => {
                self.mistakes(text.place, &text.value, errors);
                None
            }
        }
    }

    pub(super) fn template(
        &mut self,
        text: &Placed<String>,
        encoding: Encoding,
        names: &Names,
        uses: &mut Uses,
    ) -> Template {
        self.count_text(&text.value);
        match Template::parse(&text.value, encoding, names) {
            Ok(template) => {
                self.used(text.place, &text.value, &template, uses);
                template
            }
            Err(errors) => {
                self.mistakes(text.place, &text.value, errors);
                Template::default()
            }
        }
    }

    pub(super) fn used(&mut self, place: Place, text: &str, template: &Template, uses: &mut Uses) {
        self.unset(place, template.unset_env());
        self.doubts(place, text, template.doubts());
        uses.merge(&template.uses());
    }

    pub(super) fn build(&mut self, node: &Node, names: &Names, uses: &mut Uses) -> Build {
        self.count_value(node);
        Build::compile(node, names, &mut |node, part| match part {
            Ok(part) => {
                let mut unset = Vec::new();
                part.expressions(&mut |expression| {
                    uses.merge(&expression.uses());
                    unset.extend(expression.unset_env().iter().map(|name| (*name).to_owned()));
                });
                self.unset(node.place, unset.iter().map(String::as_str).collect());
            }
            Err(errors) => self.mistakes(node.place, &node_text(node), errors),
        })
    }

    pub(super) fn unset(&mut self, place: Place, names: Vec<&str>) {
        let Some(first) = names.first() else { return };
        // The same text again, for another class.
        if !self.unset.insert((place, (*first).to_owned())) {
            return;
        }
        let mut told: HashSet<&str> = HashSet::new();
        for name in names {
            if told.len() < MOST_MISTAKES && told.insert(name) {
                self.tell(Diagnostic::unset(place, name));
            }
        }
    }

    fn doubts(&mut self, place: Place, text: &str, doubts: &[ParseError]) {
        let base = self.base(place, text);
        for doubt in doubts.iter().take(MOST_MISTAKES) {
            let place = doubt.place(place, base);
            let (title, hint) = (doubt.title.clone(), doubt.hint.clone());
            self.warn(place, title, hint);
        }
    }

    pub(super) fn mistakes(&mut self, place: Place, text: &str, errors: Vec<ParseError>) {
        let base = self.base(place, text);
        for error in errors.into_iter().take(MOST_MISTAKES) {
            self.mistake_at(error.place(place, base), error);
        }
    }

    pub(super) fn mistake(&mut self, place: Place, text: &str, error: ParseError) {
        self.mistake_at(self.place_within(place, text, &error), error);
    }

    fn mistake_at(&mut self, place: Place, error: ParseError) {
        let hint = better_hint(&error.title).map_or(error.hint, str::to_owned);
        let hint = match self.once {
            // What is there before the first user, and after the last, is no class.
            Some(once) => hint.replace("this class", &format!("`{once}`")),
            None => hint,
        };
        self.tell(Diagnostic::error(place, error.title, hint));
    }

    /// Places a mistake within a text: exactly, when the text stands in the file as it is.
    pub(super) fn place_within(&self, place: Place, text: &str, error: &ParseError) -> Place {
        error.place(place, self.base(place, text))
    }

    /// Where a text begins in its file, when it stands at its place as it is.
    fn base(&self, place: Place, text: &str) -> Option<usize> {
        let range = place.range();
        let source = self.sources.get(usize::from(place.source))?;
        let offset = source.text.get(range.clone())?.find(text)?;
        (!text.is_empty()).then_some(range.start + offset)
    }

    pub(super) fn error(
        &mut self,
        place: Place,
        title: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.tell(Diagnostic::error(place, title, label));
    }

    pub(super) fn warn(
        &mut self,
        place: Place,
        title: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.tell(Diagnostic::warning(place, title, label));
    }

    /// It was told of that place already.
    pub(super) fn is_told(&self, place: Place, title: &str) -> bool {
        self.told.contains_key(&(Some(place), title.to_owned()))
    }

    /// Once: a flow is compiled for each class that calls it.
    fn tell(&mut self, diagnostic: Diagnostic) {
        let told = self.told.entry((diagnostic.place, diagnostic.title.clone())).or_default();
        if !told.iter().any(|at| self.diagnostics[*at] == diagnostic) {
            told.push(self.diagnostics.len());
            self.diagnostics.push(diagnostic);
        }
    }
}

/// What people write who know other tools, where spelling does not lead to what they mean.
fn better_hint(title: &str) -> Option<&'static str> {
    if title == "not an expression: `?` means nothing here" {
        return Some("write `'a' if condition else 'b'`");
    }
    let name = title.strip_prefix("nothing is called `")?.strip_suffix('`')?;
    Some(match name {
        "response.code" | "response.status_code" | "response.statusCode" => {
            "write `response.status`"
        }
        "response.text" | "response.content" => "write `response.body`",
        "response.time" | "response.elapsed" | "response.duration" => "write `response.time_ms`",
        "user.index" | "user.number" => "write `user.id`: from 1",
        _ if name.starts_with("user.") => {
            "there are `user.id`, `user.class` and `user.iteration`; variables stand by themselves"
        }
        _ if name.starts_with("run.") => "there are `run.id` and `run.elapsed_s`",
        "__VU" | "vu" => "write `user.id`",
        "__ITER" => "write `user.iteration`",
        _ if name.starts_with("__ENV") => "write `env.NAME`",
        _ => return None,
    })
}

static NO_SETTINGS: std::sync::LazyLock<Settings> = std::sync::LazyLock::new(Settings::default);

/// A scalar as the text that it is sent as.
pub(super) fn node_text(node: &Node) -> String {
    match &node.value {
        NodeValue::Text(text) => text.clone(),
        NodeValue::Int(value) => value.to_string(),
        NodeValue::Float(value) => serde_json::Value::from(*value).to_string(),
        NodeValue::Bool(value) => value.to_string(),
        NodeValue::Null => "null".to_owned(),
        _ => String::new(),
    }
}
