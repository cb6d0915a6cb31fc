//! Owns reading profiles: by name, with the load of all classes or of each its own.

use super::stray::meant;
use super::values::shorten;
use super::{Checker, Fields, there_are};
use crate::diagnostic::Place;
use crate::load::{Form, Load};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Class, NamedProfile, Plan};

/// The user classes that `each` can name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Users<'a> {
    /// As they stand in the plan; none when they could not be read.
    pub(super) names: &'a [&'a str],
    /// Those that could be read.
    pub(super) classes: &'a [Class],
}

/// It landed among the profiles, and is a key of the plan.
pub(super) fn is_stray(entry: &Entry) -> bool {
    !matches!(entry.value.value, NodeValue::Map(_)) && meant(entry, &[Context::Plan]).is_some()
}

/// Where a key of a user class stands.
fn key_of_class(top: &Fields<'_>, class: &str, key: &str) -> Option<Place> {
    fn find<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
        let NodeValue::Map(entries) = &node.value else { return None };
        entries.iter().find(|entry| entry.key.value == key)
    }
    Some(find(&find(top.get("users")?, class)?.value, key)?.key.place)
}

impl Checker<'_> {
    /// One for each entry, absent where it could not be read.
    pub(super) fn profiles(
        &mut self,
        entry: &Entry,
        users: Users<'_>,
    ) -> Vec<Option<NamedProfile>> {
        let NodeValue::Map(entries) = &entry.value.value else {
            let advice = "name a profile below it, with `users` and `hold`";
            self.not_a_map(&entry.value, entry.key.place, "`profiles`", advice);
            return Vec::new();
        };
        let is_key = |entry: &Entry| Context::Profile.find(&entry.key.value).is_some();
        let is_map = |entry: &Entry| matches!(entry.value.value, NodeValue::Map(_));
        if !entries.is_empty() && entries.iter().all(is_key) && !entries.iter().all(is_map) {
            let label = "name it, as `quick: { users: 20, hold: 1m }`";
            self.error(entries[0].key.place, "this profile has no name", label);
            return Vec::new();
        }
        let is_profile = |entry: &&Entry| !is_stray(entry);
        for entry in entries.iter().filter(|entry| is_stray(entry)) {
            self.stray(entry, &[Context::Plan], "profiles");
        }
        entries.iter().filter(is_profile).map(|entry| self.profile(entry, users)).collect()
    }

    /// The plan's warm-up is over before each profile that has none of its own.
    pub(super) fn warmup_within_profiles(&mut self, top: &Fields<'_>, plan: &Plan) {
        let Some(node) = top.get("warmup") else { return };
        for (number, profile) in plan.profiles.iter().enumerate() {
            if profile.warmup.is_some() || plan.warmup < profile.load.total() {
                continue;
            }
            let title = format!(
                "the profile `{}` is over before the warm-up",
                shorten(&profile.name.value)
            );
            // What runs when nothing is said cannot run at all.
            if plan.profile == Some(number) {
                let label = "write less than the whole time, or give the profile a `warmup`";
                self.wrong(node, title, label);
            } else {
                self.warn(node.place, title, "give the profile a `warmup` of its own");
            }
        }
    }

    /// What no profile makes use of: users that are fixed, waits, whole classes.
    pub(super) fn classes_within_profiles(&mut self, top: &Fields<'_>, plan: &Plan) {
        self.fixed_within_profiles(plan);
        if plan.profiles.is_empty() {
            return;
        }
        for (number, class) in plan.classes.iter().enumerate() {
            let loads: Vec<&Form> =
                plan.profiles.iter().filter_map(|profile| profile.load.of(number)).collect();
            // One without weight is not meant to run by itself.
            if loads.is_empty() && class.weight > 0.0 {
                self.warn(
                    class.name.place,
                    format!("no profile has a load for `{}`", shorten(&class.name.value)),
                    "name it below an `each`, or give it `weight: 0`",
                );
            }
            let open = |form: &&Form| matches!(form, Form::Open(_));
            if class.waits_in_vain() && !loads.is_empty() && loads.iter().all(open) {
                let place = key_of_class(top, &class.name.value, "wait");
                self.warn(
                    place.unwrap_or(class.name.place),
                    format!("the `wait` of `{}` is never used", shorten(&class.name.value)),
                    "take it out: with a `rate`, iterations start when they are due",
                );
            }
        }
    }

    /// More users than a profile ever has cannot be fixed, and where a rate says how many there are,
    /// none can.
    fn fixed_within_profiles(&mut self, plan: &Plan) {
        let fixed = || plan.classes.iter().filter_map(|class| Some((class, class.fixed?)));
        let all: u64 = fixed().map(|(_, count)| u64::from(count)).sum();
        let Some((last, _)) = fixed().next_back() else { return };
        let asked = if all == 1 { "1 user".to_owned() } else { format!("{all} users") };
        for profile in &plan.profiles {
            let name = shorten(&profile.name.value);
            match &profile.load.parts[..] {
                [(None, Form::Closed(users))] if all > u64::from(users.most()) => {
                    let most = users.most();
                    self.warn(
                        last.name.place,
                        format!(
                            "`fixed` asks for {asked}, and the profile `{name}` has at most {most}"
                        ),
                        "the last of them never begin: write fewer, or a larger profile",
                    );
                }
                [(None, Form::Open(_))] => {
                    self.warn(
                        last.name.place,
                        format!(
                            "`fixed` asks for {asked}, and the profile `{name}` has a rate"
                        ),
                        "nothing arrives for them: write a `weight`, or a load of its own below `each`",
                    );
                }
                _ => {}
            }
        }
    }

    fn profile(&mut self, entry: &Entry, users: Users<'_>) -> Option<NamedProfile> {
        self.plain_name(entry, "a profile");
        let name = entry.key.clone();
        let what = format!("the profile `{}`", shorten(&name.value));
        let fields = self.fields(&entry.value, Context::Profile, name.place, &what)?;
        let grace = match fields.get("grace") {
            Some(node) => self.duration(node, "`grace`").map(Some),
            None => Some(None),
        };
        let iterations = match fields.get("iterations") {
            Some(node) => match self.whole(node, "`iterations`")? {
                0 => {
                    self.wrong(node, "`iterations` is zero", "write how many there are in all");
                    return None;
                }
                many => Some(many),
            },
            None => None,
        };
        let warmup = match fields.get("warmup") {
            Some(node) => Some(self.duration(node, "`warmup`")?),
            None => None,
        };
        let (load, search) = match fields.entry("search") {
            Some(entry) => match self.search(entry, &fields, &what) {
                Some((load, search)) => (Some(load), Some(search)),
                None => (None, None),
            },
            None => (self.load(&fields, &what, name.place, users), None),
        };
        let (load, grace) = (load?, grace?);
        if let (Some(warmup), Some(node)) = (warmup, fields.get("warmup"))
            && warmup >= load.total()
        {
            let label = "write less than the whole time";
            self.wrong(node, format!("{what} is over before its warm-up"), label);
            return None;
        }
        if let (Some(_), Some(entry), [(Some(_), _), ..]) =
            (iterations, fields.entry("iterations"), &load.parts[..])
            && load.is_open()
        {
            let label = "take it out: a rate and a time say how many there are";
            let title = "`iterations` cannot be split over classes of which some have a rate";
            self.error(entry.key.place, title, label);
            return None;
        }
        Some(NamedProfile { name, load, search, grace, iterations, warmup })
    }

    fn load(
        &mut self,
        fields: &Fields<'_>,
        what: &str,
        place: Place,
        users: Users<'_>,
    ) -> Option<Load> {
        let Some(each) = fields.entry("each") else {
            return self.own_form(fields, what, place).map(Load::from);
        };
        self.one_form(fields, &["stages", "steps", "spike", "each"], what)?;
        for entry in fields.present(&["arrivals", "max_users"]) {
            let title = format!("`{}` stands beside `each`", entry.key.value);
            let label = "move it below `each`, into the class that has a rate";
            self.error(entry.key.place, title, label);
        }
        self.load_of_each(each, what, users)
    }

    /// A load for each class that is named.
    fn load_of_each(&mut self, each: &Entry, what: &str, users: Users<'_>) -> Option<Load> {
        let example = "name a user class below it, as `TodoUser: { users: 20, hold: 1m }`";
        let entries = match &each.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                self.error(each.key.place, "`each` is empty", example);
                return None;
            }
            other => {
                let title = format!(
                    "`each` must be a map from user classes to loads, not {}",
                    other.kind()
                );
                self.wrong(&each.value, title, example);
                return None;
            }
        };
        self.loads_of_nobody(entries, users.names);
        let mut parts = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = &*entry.key.value;
            if !users.names.contains(&name) && self.not_a_class(entry, users.names) {
                parts.push(None);
                continue;
            }
            let what = format!("`{}` in {what}", shorten(name));
            let place = entry.key.place;
            let form = self
                .fields(&entry.value, Context::Each, place, &what)
                .and_then(|fields| self.own_form(&fields, &what, place));
            // One that could not be read has no position: the plan is not run anyway.
            let class = users.classes.iter().position(|class| class.name.value == name);
            parts.push(form.zip(class).map(|(form, class)| (Some(class), form)));
        }
        Some(Load { parts: parts.into_iter().collect::<Option<_>>()? })
    }

    /// Keys of a load stand where the names of classes are expected.
    fn loads_of_nobody(&mut self, entries: &[Entry], names: &[&str]) {
        let stray = |entry: &&Entry| {
            let name = &*entry.key.value;
            Context::Each.find(name).is_some() && !names.contains(&name)
        };
        let (Some(entry), Some(class)) = (entries.iter().find(stray), names.first()) else {
            return;
        };
        let name = &entry.key.value;
        let title = format!("`{name}` stands in `each` without a user class");
        let label = format!("name the class whose load it is, as `{class}: {{ {name}: … }}`");
        self.error(entry.key.place, title, label);
    }

    /// Told, when a plan that names its classes has none of this name.
    fn not_a_class(&mut self, entry: &Entry, names: &[&str]) -> bool {
        let name = &*entry.key.value;
        if names.is_empty() {
            return false;
        }
        if Context::Each.find(name).is_none() && !self.stray(entry, &[Context::Profile], "each") {
            let label = match self.suggest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => there_are(names.iter().copied()),
            };
            let title = format!("there is no user class `{}`", shorten(name));
            self.error(entry.key.place, title, label);
        }
        true
    }
}
