//! Owns the walk from the tree to the plan, which finds every mistake in one go.

mod bodies;
mod computed;
mod data;
mod forms;
mod network;
mod profiles;
mod requests;
mod rules;
mod search;
mod settings;
mod steps;
mod stray;
mod thresholds;
mod tls;
mod users;
mod values;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::document::{Entry, Node, NodeValue};
use super::keys::{Context, Status, foreign};
use super::model::{NamedProfile, Plan};
use super::target::Target;
use crate::diagnostic::{Diagnostic, Place, Placed, suggest};
use crate::expr::Names;

pub use computed::value_of;
pub use values::reserved_name;

/// What a plan is read with, beside its text.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The environment's variables, for `env.X`.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Plan variables that the command line sets, by name.
    pub set: Vec<(String, String)>,
    /// The folder of the plan: files are looked for below it.
    pub folder: PathBuf,
    /// Files may also lie elsewhere.
    pub allow_outside: bool,
}

/// Makes a plan of the tree, with every error and warning, in the order of their places. With
/// errors the plan holds what could be read, so that more mistakes can be looked for in it.
/// `file_stem` names the plan when it has no name of its own.
#[must_use]
pub fn validate(
    document: &Node,
    file_stem: &str,
    given: &Given,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut checker = Checker::new(given);
    let plan = checker.plan(document, file_stem);
    let mut diagnostics = checker.diagnostics;
    sort(&mut diagnostics);
    drop_repeats(&mut diagnostics);
    (plan, diagnostics)
}

/// The variables that something in the tree seems to assign, whether it can be read or not: what
/// is assigned by a step that is wrong otherwise is not unknown.
pub(super) fn assigned(document: &Node, names: &mut Vec<String>) {
    match &document.value {
        NodeValue::List(items) => items.iter().for_each(|item| assigned(item, names)),
        NodeValue::Map(entries) => {
            for entry in entries {
                // A slip of such a key must not make all that it assigns unknown as well.
                if ["for", "in"].contains(&&*entry.key.value)
                    && let NodeValue::Text(name) = &entry.value.value
                {
                    names.push(name.clone());
                }
                let assigns = ["set", "push", "capture", "data", "vars"];
                let key = entry.key.value.as_str();
                let known = Context::Step.find(key).is_some();
                let near = if known {
                    assigns.into_iter().find(|one| *one == key)
                } else {
                    suggest(key, assigns)
                };
                if let (Some(_), NodeValue::Map(variables)) = (near, &entry.value.value) {
                    for variable in variables {
                        let name = &variable.key.value;
                        names.push(name.clone());
                        // Who corrects it elsewhere already has not made another mistake.
                        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                        let corrected: String = name.chars().map(plain).collect();
                        if corrected != *name {
                            names.push(corrected);
                        }
                    }
                }
                assigned(&entry.value, names);
            }
        }
        _ => {}
    }
}

/// By place; what has none comes first.
pub(super) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.place);
}

/// Where the plan's own keys stand, in either format.
pub(super) const TOP_LEVEL_YAML: &str = "the keys of the plan itself stand without indentation";
pub(super) const TOP_LEVEL_TOML: &str =
    "a key belongs to the `[table]` above it: the keys of the plan itself stand above the first";

/// Where a key stands that belongs one level higher.
pub(super) const BESIDE_YAML: &str = "a key belongs to the one above it that is indented less";
pub(super) const BESIDE_TOML: &str =
    "a key belongs to the `[table]` above it: write it above that line";

const DEFINED_HERE: &str = "it comes from here";

/// A mistake in an anchored value would be told again for each of its aliases.
fn drop_repeats(diagnostics: &mut Vec<Diagnostic>) {
    let start = |place: Place| (place.source, place.start);
    let mut told: HashSet<(String, (u16, u32))> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.also.is_none())
        .filter_map(|diagnostic| Some((diagnostic.title.clone(), start(diagnostic.place?))))
        .collect();
    diagnostics.retain(|diagnostic| match diagnostic.also.as_deref() {
        Some((origin, label)) if label == DEFINED_HERE => {
            told.insert((diagnostic.title.clone(), start(*origin)))
        }
        _ => true,
    });
}

/// What has been found so far.
struct Checker<'g> {
    given: &'g Given,
    diagnostics: Vec<Diagnostic>,
    /// How often a name was looked for that something may be a slip of.
    suggestions: usize,
    /// What values that are computed before the run may use: `vars` and `env`.
    constants: Names,
}

/// No more than so many are looked for: a hostile plan has many names and many slips.
const MOST_SUGGESTIONS: usize = 200;

/// The entries of a map whose keys were checked.
struct Fields<'a> {
    entries: &'a [Entry],
    /// The key that the map stands under, or the map itself.
    place: Place,
    /// A key was told that this version does not take. What seems to be missing may be meant by it:
    /// nothing is told about that.
    odd: bool,
}

impl<'a> Fields<'a> {
    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Those of `keys` that stand here, in the order in which they were written.
    fn present(&self, keys: &[&str]) -> Vec<&'a Entry> {
        self.entries.iter().filter(|entry| keys.contains(&&*entry.key.value)).collect()
    }
}

impl<'g> Checker<'g> {
    fn new(given: &'g Given) -> Self {
        let mut constants = Names::default();
        constants.environment(given.environment.clone());
        Self { given, diagnostics: Vec::new(), suggestions: 0, constants }
    }

    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
    }

    fn error(&mut self, place: Place, title: impl Into<String>, label: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(place, title, label));
    }

    fn warn(&mut self, place: Place, title: impl Into<String>, label: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warning(place, title, label));
    }

    /// The name that `bad` is probably a slip of.
    fn suggest<'a>(
        &mut self,
        bad: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.suggestions += 1;
        if self.suggestions > MOST_SUGGESTIONS { None } else { suggest(bad, names) }
    }

    /// An error of a value, which an alias may have brought in.
    fn wrong(&mut self, node: &Node, title: impl Into<String>, label: impl Into<String>) {
        let mut diagnostic = Diagnostic::error(node.place, title, label);
        if let Some(defined) = node.defined {
            diagnostic = diagnostic.also(defined, DEFINED_HERE);
        }
        self.diagnostics.push(diagnostic);
    }

    /// The entries of a map, after every key that may not stand there has been told. `place` is the
    /// key that the map stands under; `what` names it: "the task `list`".
    fn fields<'a>(
        &mut self,
        node: &'a Node,
        context: Context,
        place: Place,
        what: &str,
    ) -> Option<Fields<'a>> {
        let NodeValue::Map(entries) = &node.value else {
            let advice = match context {
                Context::Class => "give it `tasks`: what its users do".to_owned(),
                Context::Task => "say what it does, as `get: /todos/`".to_owned(),
                context => format!("write its keys below it: {}", context.list()),
            };
            self.not_a_map(node, place, what, &advice);
            return None;
        };
        let mut odd = false;
        // Two words of another tool that mean one thing here are one mistake: `min` and `max`.
        let mut advised: Vec<&str> = Vec::new();
        for entry in entries {
            let name = &*entry.key.value;
            if let (None, Some(advice)) = (context.find(name), foreign(context, name)) {
                if advised.contains(&advice) {
                    continue;
                }
                advised.push(advice);
            }
            odd |= !self.key(entry, context);
        }
        Some(Fields { entries, place, odd })
    }

    fn not_a_map(&mut self, node: &Node, place: Place, what: &str, advice: &str) {
        if matches!(node.value, NodeValue::Null) {
            self.error(place, format!("{what} is empty"), advice);
        } else if matches!(node.value, NodeValue::Map(_)) {
            self.wrong(node, format!("{what} is empty"), advice);
        } else {
            let kind = node.value.kind();
            self.wrong(node, format!("{what} must be a map of keys, not {kind}"), advice);
        }
    }

    /// Whether the key may stand there; else it is told.
    fn key(&mut self, entry: &Entry, context: Context) -> bool {
        let name = &*entry.key.value;
        if context == Context::Plan && name.starts_with("x-") {
            return true;
        }
        let known = context.find(name);
        if known.is_some_and(|key| key.status == Status::Now) {
            return true;
        }
        let advice = foreign(context, name);
        let (title, label, help) = if let Some(key) = known {
            (
                format!("`{name}` is not supported yet"),
                advice.unwrap_or("take it out: this version cannot do it").to_owned(),
                Some(format!("`{name}`: {}", key.about)),
            )
        } else if let Some(advice) = advice {
            (format!("unknown key `{name}` in {}", context.words()), advice.to_owned(), None)
        } else if let Some(other) = context.elsewhere(name) {
            let home = match context {
                Context::Branch => format!("write it below `do`, as `do: [{{ {name}: … }}]`"),
                Context::Each if other == Context::Profile => {
                    "move it out, to stand beside `each`".to_owned()
                }
                _ => home_of(other).to_owned(),
            };
            (
                format!("`{name}` is a key of {}, not of {}", other.words(), context.words()),
                home,
                (other == Context::Plan).then(|| TOP_LEVEL_YAML.to_owned()),
            )
        } else {
            let near = self.suggest(name, context.keys().map(|key| key.name));
            let label = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", context.list()),
            };
            (format!("unknown key `{name}` in {}", context.words()), label, None)
        };
        let mut diagnostic = Diagnostic::error(entry.key.place, title, label);
        if known.is_none() {
            diagnostic = diagnostic.of_key(name);
        }
        // A key has the place of its alias when its value came by one.
        if let Some(defined) = entry.value.defined
            && entry.key.place == entry.value.place
        {
            diagnostic = diagnostic.also(defined, DEFINED_HERE);
        }
        diagnostic.help = help;
        self.diagnostics.push(diagnostic);
        false
    }

    fn plan(&mut self, document: &Node, file_stem: &str) -> Option<Plan> {
        let entries = match &document.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                let place = Place { start: 0, end: 0, ..document.place };
                self.diagnostics.push(Diagnostic::error(
                    place,
                    "the plan is empty",
                    "say who does what, under `users`",
                ));
                return None;
            }
            other => {
                let title = format!("a plan is a map of keys, not {}", other.kind());
                self.wrong(document, title, format!("begin with one of {}", Context::Plan.list()));
                return None;
            }
        };
        let top = self.fields(document, Context::Plan, entries[0].key.place, "the plan")?;
        // First, because all that is computed before the run may use them.
        let vars = self.vars(&top);
        let name = match top.get("name") {
            Some(node) => {
                self.text(node, "`name`").and_then(|name| self.in_one_line(name, "`name`"))
            }
            None => Some(Placed { value: file_stem.to_owned(), place: document.place }),
        };
        let target = top.get("target").and_then(|node| self.target(node));
        let secrets = top.get("secrets").map_or_else(Vec::new, |node| self.secrets(node));
        let evidence = match top.get("evidence") {
            Some(node) => self.word(node, "`evidence`", &[("on", true), ("off", false)]),
            None => Some(true),
        };
        let warmup = top.get("warmup").and_then(|node| self.duration(node, "`warmup`"));
        let seed = top.get("seed").and_then(|node| self.whole(node, "`seed`"));
        let before_parts = self.errors();
        let defaults = match top.entry("defaults") {
            Some(entry) => self.defaults(entry),
            None => Default::default(),
        };
        let connections = top.get("connections").and_then(|node| self.connections(node));
        let tls = top.entry("tls").map(|entry| self.tls(entry)).unwrap_or_default();
        let network = self.network(&top);
        let data = top.entry("data").map_or_else(Vec::new, |entry| self.data(entry));
        let steps = |checker: &mut Self, key: &str| {
            top.entry(key).and_then(|entry| checker.steps(entry)).unwrap_or_default()
        };
        let (before, after) = (steps(self, "before"), steps(self, "after"));
        let flows = top.entry("flows").map_or_else(Vec::new, |entry| self.flows(entry));
        let classes = match top.entry("users") {
            Some(entry) => self.classes(entry),
            None => {
                if !top.odd {
                    self.error(top.place, "the plan has no `users`", "add `users`: who does what");
                }
                None
            }
        };
        let read_whole = self.errors() == before_parts;
        let names: Vec<&str> = match top.get("users").map(|node| &node.value) {
            Some(NodeValue::Map(entries)) => {
                entries.iter().map(|entry| &*entry.key.value).collect()
            }
            _ => Vec::new(),
        };
        let users =
            profiles::Users { names: &names, classes: classes.as_deref().unwrap_or_default() };
        let profiles = top.entry("profiles").map(|entry| self.profiles(entry, users));
        let profile = self.default_profile(&top, profiles.as_deref());
        let whole = profiles.iter().flatten().all(Option::is_some);
        let mut plan = Plan {
            name: name.map_or_else(|| file_stem.to_owned(), |name| name.value),
            target,
            vars,
            secrets,
            evidence: evidence.unwrap_or(true),
            warmup: warmup.unwrap_or_default(),
            seed,
            defaults,
            connections: connections.unwrap_or_default(),
            tls,
            network,
            data,
            before,
            after,
            flows,
            classes: classes.unwrap_or_default(),
            profiles: profiles.unwrap_or_default().into_iter().flatten().collect(),
            profile,
            thresholds: Vec::new(),
            folder: self.given.folder.clone(),
            allow_outside: self.given.allow_outside,
        };
        self.warmup_within_profiles(&top, &plan);
        // What could not be read may be what uses them.
        if whole {
            self.classes_within_profiles(&top, &plan);
        }
        if let Some(entry) = top.entry("thresholds") {
            let unread = if read_whole { None } else { Some(document) };
            plan.thresholds = self.thresholds(entry, &plan, unread);
            self.thresholds_within_profiles(&plan);
        }
        Some(plan)
    }

    fn target(&mut self, node: &Node) -> Option<Placed<Target>> {
        let target = self.text(node, "`target`")?;
        match Target::parse(&target.value) {
            Ok(value) => Some(Placed { value, place: target.place }),
            Err(error) => {
                let shell = target.value.split('$').nth(1).map(|rest| {
                    let rest = rest.trim_start_matches('{');
                    let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
                    rest.chars().take_while(word).collect::<String>()
                });
                let advice = match shell.filter(|name| !name.is_empty()) {
                    Some(name) => {
                        format!("for a variable of the environment write `{{{{ env.{name} }}}}`")
                    }
                    None => error.advice,
                };
                self.wrong(node, error.problem, advice);
                None
            }
        }
    }

    /// The position of the profile that runs when none is named. `profiles` holds nothing for those
    /// that could not be read; their names still count.
    fn default_profile(
        &mut self,
        top: &Fields<'_>,
        profiles: Option<&[Option<NamedProfile>]>,
    ) -> Option<usize> {
        let names: Vec<&Placed<String>> = match top.get("profiles").map(|node| &node.value) {
            Some(NodeValue::Map(entries)) => {
                let profiles = entries.iter().filter(|entry| !profiles::is_stray(entry));
                profiles.map(|entry| &entry.key).collect()
            }
            _ => Vec::new(),
        };
        let Some(chosen) = top.get("profile") else {
            return match profiles? {
                [] => None,
                [_] => Some(0),
                several => {
                    let place = top.entry("profiles").map_or(top.place, |entry| entry.key.place);
                    self.error(
                        place,
                        format!(
                            "the plan has {} profiles and does not say which runs",
                            several.len()
                        ),
                        format!("add `profile: {}` at the top level", names[0].value),
                    );
                    None
                }
            };
        };
        if let NodeValue::Map(_) = chosen.value {
            self.wrong(
                chosen,
                "`profile` names the profile that runs",
                "write profiles under `profiles`, by name",
            );
            return None;
        }
        let chosen_name = self.text(chosen, "`profile`")?;
        let found = names.iter().position(|name| name.value == chosen_name.value);
        if found.is_none() {
            let label =
                match self.suggest(&chosen_name.value, names.iter().map(|name| &*name.value)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "write it under `profiles`".to_owned(),
                    None => there_are(names.iter().map(|name| &*name.value)),
                };
            self.wrong(chosen, format!("there is no profile `{}`", chosen_name.value), label);
        }
        found
    }
}

/// ``there is `a` `` or ``there are `a`, `b` ``, the first few of them: what could be meant.
pub fn there_are<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let mut names = names.into_iter();
    let shown: Vec<_> = names.by_ref().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (&shown[..], names.count()) {
        ([one], 0) => format!("there is {one}"),
        (few, 0) => format!("there are {}", few.join(", ")),
        (few, more) => format!("there are {} and {more} more", few.join(", ")),
    }
}

/// Where a key that stands in the wrong place belongs.
fn home_of(context: Context) -> &'static str {
    match context {
        Context::Plan => "move it to the top level of the plan",
        Context::Class => "move it into a user class, beside its `tasks`",
        Context::Task => "move it into a task, under the `tasks` of a user class",
        Context::Step => "move it into a step, under the `steps` of a task",
        Context::Profile => "move it into a profile, under `profiles`",
        Context::Each => "move it below a class, under `each` of a profile",
        Context::Stage => "move it into a stage, under `stages`",
        Context::Steps => "move it below the `steps` of the profile",
        Context::Spike => "move it below the `spike` of the profile",
        Context::Search => "move it below the `search` of the profile",
        Context::Threshold => "move it into a threshold, under `thresholds`",
        Context::Capture => "move it into a capture, under `capture`",
        Context::Wait => "move it into a `wait`",
        Context::Timeout => "move it into a `timeout`",
        Context::AcceptRule => "move it into a rule of `accept`",
        Context::Environment => "move it into an environment, under `environments`",
        Context::Defaults => "move it into `defaults`",
        Context::Flow => "move it into a flow, under `flows`",
        Context::Branch => "move it into a branch of `choose`",
        Context::Part => "move it into a part of `multipart`",
        Context::BodyFile => "move it below `body_file`",
        Context::Auth => "move it below `auth`",
        Context::Redirects => "move it below `redirects`",
        Context::Retry => "move it below `retry`",
        Context::Connections => "move it below `connections`",
        Context::Tls => "move it below `tls`",
        Context::Dns => "move it below `dns`",
        Context::Data => "move it into a source of rows, under `data`",
        Context::Expect => "move it into an `expect`",
        Context::Of => "move it below `of`",
    }
}
