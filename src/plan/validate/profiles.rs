//! Owns reading profiles: the general form and its short forms.

use std::time::Duration;

use super::stray::meant;
use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place};
use crate::load::{Form, Profile, Spike, Stage, Steps};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{NamedProfile, Plan};

/// A finer stair than this is a ramp.
const MOST_STAIRS: u32 = 10_000;
const PLATEAU: [&str; 4] = ["users", "ramp", "hold", "down"];

/// It landed among the profiles, and is a key of the plan.
pub(super) fn is_stray(entry: &Entry) -> bool {
    !matches!(entry.value.value, NodeValue::Map(_)) && meant(entry, &[Context::Plan]).is_some()
}

impl Checker<'_> {
    /// One for each entry, absent where it could not be read.
    pub(super) fn profiles(&mut self, entry: &Entry) -> Vec<Option<NamedProfile>> {
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
        entries.iter().filter(is_profile).map(|entry| self.profile(entry)).collect()
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

    /// More users than a profile ever has cannot be fixed.
    pub(super) fn fixed_within_profiles(&mut self, plan: &Plan) {
        let fixed = || plan.classes.iter().filter_map(|class| Some((class, class.fixed?)));
        let all: u64 = fixed().map(|(_, count)| u64::from(count)).sum();
        let Some((last, _)) = fixed().next_back() else { return };
        for profile in &plan.profiles {
            let [(None, Form::Closed(users))] = &profile.load.parts[..] else { continue };
            let most = u64::from(users.most());
            if all > most {
                let name = shorten(&profile.name.value);
                self.warn(
                    last.name.place,
                    format!(
                        "`fixed` asks for {all} users, and the profile `{name}` has at most {most}"
                    ),
                    "the last of them never begin: write fewer, or a larger profile",
                );
            }
        }
    }

    fn profile(&mut self, entry: &Entry) -> Option<NamedProfile> {
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
        let profile = self.form(&fields, &what, name.place);
        let (profile, grace) = (profile?, grace?);
        if profile.total().is_zero() {
            if !fields.odd {
                let label = "say how long the users stay: `hold`";
                self.error(name.place, format!("{what} lasts no time"), label);
            }
            return None;
        }
        if profile.most() == 0 {
            self.error(name.place, format!("{what} has no users"), "say how many: `users`");
            return None;
        }
        if profile.total() > Duration::from_secs(366 * 24 * 3600) {
            self.error(name.place, format!("{what} is longer than a year"), "write shorter times");
            return None;
        }
        if let (Some(warmup), Some(node)) = (warmup, fields.get("warmup"))
            && warmup >= profile.total()
        {
            let label = "write less than the whole time";
            self.wrong(node, format!("{what} is over before its warm-up"), label);
            return None;
        }
        let load = Form::Closed(profile).into();
        Some(NamedProfile { name, load, grace, iterations, warmup })
    }

    fn form(&mut self, fields: &Fields<'_>, what: &str, place: Place) -> Option<Profile> {
        let mut forms = fields.present(&["stages", "steps", "spike"]);
        forms.extend(fields.present(&PLATEAU).first());
        forms.sort_by_key(|entry| fields.entries.iter().position(|one| std::ptr::eq(one, *entry)));
        let form = match forms[..] {
            [form] => form,
            [] => {
                if !fields.odd {
                    let label = "say how many users and for how long: `users` and `hold`";
                    self.error(place, format!("{what} has no load"), label);
                }
                return None;
            }
            [first, second, ..] => {
                self.diagnostics.push(
                    Diagnostic::error(
                        second.key.place,
                        format!(
                            "{what} has two forms: `{}` and `{}`",
                            first.key.value, second.key.value
                        ),
                        "keep one; `stages` can say everything that the others can",
                    )
                    .also(first.key.place, "the first"),
                );
                return None;
            }
        };
        match &*form.key.value {
            "stages" => self.stages(form),
            "steps" => self.stairs(form),
            "spike" => self.spike(form),
            _ => self.plateau(fields, what, place),
        }
    }

    fn plateau(&mut self, fields: &Fields<'_>, what: &str, place: Place) -> Option<Profile> {
        let users = match fields.get("users") {
            Some(node) => self.users(node, "`users`"),
            None if fields.odd => None,
            None => {
                self.error(place, format!("{what} has no load"), "say how many users: `users`");
                None
            }
        };
        let ramp = match fields.get("ramp") {
            Some(node) => self.ramp(node, "`ramp`", users),
            None => Some(Duration::ZERO),
        };
        let hold = self.time_or_none(fields, "hold");
        let down = match fields.get("down") {
            Some(node) => self.ramp(node, "`down`", users),
            None => Some(Duration::ZERO),
        };
        Some(Profile::plateau(users?, ramp?, hold?, down?))
    }

    fn time_or_none(&mut self, fields: &Fields<'_>, key: &str) -> Option<Duration> {
        match fields.get(key) {
            Some(node) => self.duration(node, &format!("`{key}`")),
            None => Some(Duration::ZERO),
        }
    }

    fn stages(&mut self, entry: &Entry) -> Option<Profile> {
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Map(_) => std::slice::from_ref(&entry.value),
            NodeValue::Null => &[],
            other => {
                let title = format!("`stages` must be a list of stages, not {}", other.kind());
                self.wrong(&entry.value, title, "write a list, one stage to each item");
                return None;
            }
        };
        if nodes.is_empty() {
            let label = "write a stage below it, with `users` and `hold`";
            self.error(entry.key.place, "`stages` is empty", label);
            return None;
        }
        let stages: Vec<_> =
            nodes.iter().enumerate().map(|(at, node)| self.stage(node, at)).collect();
        Some(Profile::new(stages.into_iter().collect::<Option<_>>()?))
    }

    fn stage(&mut self, node: &Node, at: usize) -> Option<Stage> {
        let what = format!("stage {}", at + 1);
        let fields = self.fields(node, Context::Stage, node.place, &what)?;
        let place = fields.entries.first().map_or(node.place, |entry| entry.key.place);
        let name = match fields.get("name") {
            Some(node) => self.text(node, "`name`").map(|name| Some(name.value)),
            None => Some(None),
        };
        let users = match fields.get("users") {
            Some(node) => self.users(node, "`users`"),
            None => {
                if !fields.odd {
                    self.wrong_at(
                        node,
                        place,
                        format!("{what} has no load"),
                        "say how many: `users`",
                    );
                }
                None
            }
        };
        let over = match fields.get("over") {
            Some(node) => self.ramp(node, "`over`", None),
            None => Some(Duration::ZERO),
        };
        let hold = self.time_or_none(&fields, "hold");

        if over == Some(Duration::ZERO) && hold == Some(Duration::ZERO) && !fields.odd {
            self.wrong_at(
                node,
                place,
                format!("{what} lasts no time"),
                "say how long the users stay: `hold`; or how long it takes to get there: `over`",
            );
            return None;
        }
        // With a key that is not understood nothing can be said of the whole.
        if fields.odd {
            return None;
        }
        Some(Stage { name: name?, to: users?, over: over?, hold: hold? })
    }

    /// An error of a map: at its bracket when it has one, else at its first key.
    fn wrong_at(&mut self, node: &Node, first: Place, title: String, label: &str) {
        let place = if node.place.range().is_empty() { first } else { node.place };
        let at = Node { place, defined: node.defined, value: NodeValue::Null };
        self.wrong(&at, title, label);
    }

    /// A number of users that a form cannot do without.
    fn needed_users(&mut self, fields: &Fields<'_>, key: &str, form: &str) -> Option<u32> {
        match fields.get(key) {
            Some(node) => self.users(node, &format!("`{key}`")),
            None if fields.odd => None,
            None => {
                let about = fields_about(form, key);
                self.error(fields.place, format!("`{form}` lacks `{key}`"), about);
                None
            }
        }
    }

    fn stairs(&mut self, entry: &Entry) -> Option<Profile> {
        if let NodeValue::List(_) = entry.value.value {
            self.wrong(
                &entry.value,
                "the `steps` of a profile are a stair, not a list",
                "write `from`, `by`, `every` and `to`; a list of stages goes under `stages`",
            );
            return None;
        }
        let fields = self.fields(&entry.value, Context::Steps, entry.key.place, "`steps`")?;
        let from = self.needed_users(&fields, "from", "steps");
        let by = self.needed_users(&fields, "by", "steps");
        let to = self.needed_users(&fields, "to", "steps");
        let every = match fields.get("every") {
            Some(node) => self.duration(node, "`every`"),
            None if fields.odd => None,
            None => {
                self.error(fields.place, "`steps` lacks `every`", fields_about("steps", "every"));
                None
            }
        };
        if let (Some(0), Some(node)) = (by, fields.get("by")) {
            self.wrong(node, "a stair of 0 users never ends", "write 1 or more");
            return None;
        }
        if let (Some(Duration::ZERO), Some(node)) = (every, fields.get("every")) {
            self.wrong(node, "each stair lasts no time", "write a time, as `5m`");
            return None;
        }
        let (from, by, to, every) = (from?, by?, to?, every?);
        if from > to
            && let Some(node) = fields.get("to")
        {
            self.wrong(
                node,
                format!("the stair ends below its start: {to} after {from}"),
                "stairs go up; use `stages` to go down",
            );
            return None;
        }
        if (to - from) / by >= MOST_STAIRS {
            self.error(
                entry.key.place,
                format!("the stair has more than {MOST_STAIRS} steps"),
                "write a larger `by`, or a ramp: `users` and `ramp`",
            );
            return None;
        }
        Some(Profile::stairs(Steps { from, by, every, to }))
    }

    fn spike(&mut self, entry: &Entry) -> Option<Profile> {
        let fields = self.fields(&entry.value, Context::Spike, entry.key.place, "`spike`")?;
        let base = match fields.get("base") {
            Some(node) => self.users(node, "`base`"),
            None => Some(0),
        };
        let peak = self.needed_users(&fields, "peak", "spike");
        if let (Some(base), Some(peak), Some(node)) = (base, peak, fields.get("peak"))
            && peak <= base
        {
            self.wrong(
                node,
                format!("the peak of {peak} is not above the base of {base}"),
                "write more users than `base`",
            );
        }
        let rise = match fields.get("rise") {
            Some(node) => self.ramp(node, "`rise`", peak),
            None => Some(Duration::ZERO),
        };
        let fall = match fields.get("fall") {
            Some(node) => self.ramp(node, "`fall`", peak),
            None => Some(Duration::ZERO),
        };
        let hold = self.time_or_none(&fields, "hold");
        let before = self.time_or_none(&fields, "before");
        let after = self.time_or_none(&fields, "after");
        Some(Profile::spike(Spike {
            base: base?,
            peak: peak?,
            rise: rise?,
            hold: hold?,
            fall: fall?,
            before: before?,
            after: after?,
        }))
    }
}

fn fields_about(form: &str, key: &str) -> String {
    let context = if form == "steps" { Context::Steps } else { Context::Spike };
    let about = context.find(key).map_or("", |key| key.about.trim_end_matches('.'));
    format!("add `{key}`: {}{}", about[..1].to_lowercase(), &about[1..])
}
