//! Owns reading thresholds of a plan and the names that they are about.

use std::collections::HashSet;
use std::time::Duration;

use super::values::shorten;
use super::{Checker, Fields, there_are};
use crate::diagnostic::Placed;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Action, NamedProfile, Plan, Request, Step};
use crate::verdict::{Metric, Of, Stage, Threshold, Timetable, When};

/// Of the windows that are judged each second as many are kept as they have seconds.
const LONGEST: Duration = Duration::from_secs(600);

impl Checker<'_> {
    /// `unread` is the whole text of the plan when a part of it could not be read: what such a part
    /// names is not unknown.
    pub(super) fn thresholds(
        &mut self,
        entry: &Entry,
        plan: &Plan,
        unread: Option<&Node>,
    ) -> Vec<Placed<Threshold>> {
        let mut known = Known::of(plan);
        if let Some(document) = unread {
            let mut texts = HashSet::new();
            said(document, &mut texts);
            known.elsewhere = Some(texts);
            // The names of user classes can be read, whatever is wrong with the classes.
            if let Some(NodeValue::Map(entries)) = document.get("users").map(|node| &node.value) {
                known.classes_whole = true;
                for entry in entries {
                    if !known.classes.contains(&&*entry.key.value) {
                        known.classes.push(&entry.key.value);
                    }
                }
            }
        }
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Null => {
                let label = "write one below it, as `p95 < 500ms`, or take the key out";
                self.error(entry.key.place, "`thresholds` is empty", label);
                return Vec::new();
            }
            NodeValue::Map(entries)
                if entries
                    .iter()
                    .all(|entry| Context::Threshold.find(&entry.key.value).is_none()) =>
            {
                self.wrong(
                    &entry.value,
                    "`thresholds` must be a list, not a map",
                    "write each as text, as `p95 < 500ms`",
                );
                return Vec::new();
            }
            // One threshold, where a list may stand.
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().flat_map(|node| self.threshold(node, &known)).collect()
    }

    fn threshold(&mut self, node: &Node, known: &Known<'_>) -> Vec<Placed<Threshold>> {
        if matches!(node.value, NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_)) {
            let title = format!("a threshold is text, not {}", node.value.kind());
            self.wrong(node, title, "say what is measured and its limit, as `p95 < 500ms`");
            return Vec::new();
        }
        if let NodeValue::Map(entries) = &node.value {
            // `- p95: < 500ms`
            if let [only] = &entries[..]
                && Threshold::parse(&format!("{} < 1ms", only.key.value)).is_ok()
            {
                let rest = match &only.value.value {
                    NodeValue::Text(text) if text.trim_start().starts_with(['<', '>']) => {
                        text.trim()
                    }
                    _ => "< 500ms",
                };
                self.error(
                    only.key.place,
                    "a threshold is one text",
                    format!("write `{} {rest}`, without the colon", only.key.value),
                );
                return Vec::new();
            }
            let place = entries.first().map_or(node.place, |entry| entry.key.place);
            let Some(fields) = self.fields(node, Context::Threshold, place, "the threshold") else {
                return Vec::new();
            };
            let of = match fields.get("of") {
                Some(node) => self.of(node, known).map(Some),
                None => Some(None),
            };
            let must = match fields.get("must") {
                Some(Node { value: NodeValue::List(items), .. }) if !items.is_empty() => {
                    items.iter().filter_map(|node| self.comparison(node)).collect()
                }
                Some(node @ Node { value: NodeValue::List(_), .. }) => {
                    let label = "write what must hold, as `p95 < 500ms`";
                    self.wrong(node, "the threshold says nothing", label);
                    Vec::new()
                }
                Some(node) => self.comparison(node).into_iter().collect(),
                None if fields.odd => Vec::new(),
                None => {
                    let label = "add `must`: what must hold, as `p95 < 500ms`";
                    self.error(place, "the threshold says nothing", label);
                    Vec::new()
                }
            };
            let Some(of) = of else { return Vec::new() };
            if let Some(Of::Group(group)) = &of {
                let odd =
                    must.iter().filter(|one: &&Placed<Threshold>| !one.value.metric.is_of_groups());
                for one in odd {
                    let title = format!(
                        "`{}` is a figure of requests, and `{}` is a group",
                        one.value.text,
                        shorten(group)
                    );
                    let label = "of a group there are its times, as `p95`, and `rps`, `requests`, \
                                 `failures` and `error_rate`";
                    self.error(one.place, title, label);
                }
            }
            let arrivals = |one: &&Placed<Threshold>| one.value.metric == Metric::Dropped;
            if of.is_some()
                && let Some(one) = must.iter().find(arrivals)
            {
                let title = format!("`{}` is a figure of the whole run", one.value.text);
                self.error(one.place, title, "take the `of` out: arrivals are of no request");
            }
            let during = match fields.get("during") {
                Some(node) => self.during(node, known).map(Some),
                None => Some(None),
            };
            let allow_few = match fields.get("allow_few") {
                Some(node) => self.bool(node, "`allow_few`").map(|few| (few, node)),
                None => Some((false, node)),
            };
            let Some(when) = self.judged_when(&fields) else { return Vec::new() };
            let (Some(during), Some((allow_few, few))) = (during, allow_few) else {
                return Vec::new();
            };
            let percentile = |one: &Placed<Threshold>| one.value.samples_needed().is_some();
            if let (true, Some(one)) = (allow_few, must.first())
                && !must.iter().any(percentile)
            {
                let title =
                    format!("`allow_few` is about percentiles, and `{}` is none", one.value.text);
                let label = "take it out: means, rates and counts are judged as they are";
                self.wrong(few, title, label);
            }
            self.whole_against_baseline(&fields, &must);
            if when.abort && when.every.is_none() {
                for one in must.iter().filter(|one| one.value.breaks_at_once()) {
                    let title =
                        format!("`{}` would end the run in its first second", one.value.text);
                    let label = "what is counted grows to the end; say `every`, as `every: 10s`, to \
                                 count in windows, or take `abort` out";
                    self.error(one.place, title, label);
                }
            }
            let whole = |mut threshold: Placed<Threshold>| {
                threshold.value.of = of.clone();
                threshold.value.during = during.clone();
                threshold.value.when = when;
                threshold.value.allow_few = allow_few;
                threshold
            };
            return must.into_iter().map(whole).collect();
        }
        self.comparison(node).into_iter().collect()
    }

    pub(super) fn comparison(&mut self, node: &Node) -> Option<Placed<Threshold>> {
        let text = self.text(node, "a threshold")?;
        match Threshold::parse(&text.value) {
            Ok(value) => Some(Placed { value, place: node.place }),
            Err(error) => {
                self.wrong(node, error.problem, error.advice);
                None
            }
        }
    }

    /// Two runs are compared over all that is judged of them, at the end.
    fn whole_against_baseline(&mut self, fields: &Fields<'_>, must: &[Placed<Threshold>]) {
        let Some(one) = must.iter().find(|one| one.value.limit.is_of_baseline()) else { return };
        for entry in fields.present(&["every", "abort"]) {
            let title = format!("`{}` is judged at the end, over the whole run", one.value.text);
            let label = format!("take `{}` out, or write a limit of its own", entry.key.value);
            self.error(entry.key.place, title, label);
        }
    }

    /// A stage by its name, which some profile has.
    fn during(&mut self, node: &Node, known: &Known<'_>) -> Option<String> {
        let stage = self.text(node, "`during`")?.value;
        if known.stages.contains(&stage) || known.elsewhere.is_some() {
            return Some(stage);
        }
        let names = || known.stages.iter().map(String::as_str);
        let label = match self.suggest(&stage, names()) {
            Some(near) => format!("did you mean `{}`?", shorten(near)),
            None if known.stages.is_empty() => {
                "the plan has no profile: a stage is a part of one".to_owned()
            }
            None => {
                let names: Vec<_> = names().take(8).map(shorten).collect();
                there_are(names.iter().map(String::as_str))
            }
        };
        self.wrong(node, format!("no profile has a stage `{}`", shorten(&stage)), label);
        None
    }

    /// When a threshold is judged; none when a part of it is wrong.
    fn judged_when(&mut self, fields: &Fields<'_>) -> Option<When> {
        let abort = fields.get("abort").map(|node| self.bool(node, "`abort`"));
        let after = fields.get("after").map(|node| self.duration(node, "`after`"));
        let every = fields.get("every").map(|node| {
            let every = self.duration(node, "`every`")?;
            if every.is_zero() || every.subsec_nanos() > 0 {
                let label = "figures come each second: write whole seconds, as `every: 10s`";
                self.wrong(node, "`every` is not a number of whole seconds", label);
                return None;
            }
            if abort == Some(Some(true)) && every > LONGEST {
                let label = "such a window is judged each second, and 10m long at most";
                self.wrong(node, "`every` is too long for a threshold that ends the run", label);
                return None;
            }
            Some(u32::try_from(every.as_secs()).unwrap_or(u32::MAX))
        });
        // Figures come in whole seconds.
        let after = after.unwrap_or(Some(Duration::ZERO))?;
        let after = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        Some(When {
            every: every.map_or(Some(None), |every| every.map(Some))?,
            after: u32::try_from(after).unwrap_or(u32::MAX),
            abort: abort.unwrap_or(Some(false))?,
        })
    }

    /// What is judged after a time, or in windows, has some time in what runs when nothing is said.
    pub(super) fn thresholds_within_profiles(&mut self, plan: &Plan) {
        self.thresholds_beside_searches(plan);
        for threshold in &plan.thresholds {
            let when = threshold.value.when;
            let warmups = plan.profiles.iter().map(|profile| profile.warmup.unwrap_or(plan.warmup));
            let at_start =
                when.after == 0 && warmups.chain([plan.warmup]).min() == Some(Duration::ZERO);
            let least = threshold.value.metric == Metric::Rps && !threshold.value.op.is_upper();
            if when.abort && at_start && least {
                let text = &threshold.value.text;
                let title = format!("`{text}` may end the run while its users are starting");
                let label = "say from when on it must hold, as `after: 30s`";
                self.warn(threshold.place, title, label);
            }
            if when.every.is_none() && when.after == 0 && threshold.value.during.is_none() {
                continue;
            }
            self.default_has_stage(plan, threshold);
            let too_short = |profile: &&NamedProfile| {
                if profile.search.is_some() {
                    return false;
                }
                let timetable = timetable(plan, profile);
                let staged = threshold.value.during.is_none()
                    || !timetable.stages_of(&threshold.value).is_empty();
                staged && !timetable.fits(&threshold.value, profile.load.total())
            };
            let Some(profile) = plan.profiles.iter().find(too_short) else { continue };
            let text = format!("{}{}", threshold.value.text, threshold.value.when_words());
            let name = shorten(&profile.name.value);
            let (title, label) = match (&threshold.value.during, when.every) {
                (None, _) => (
                    format!("the profile `{name}` is over before `{text}` can be judged"),
                    "no data is not a pass: write shorter times here, or a longer profile",
                ),
                (Some(_), None) => (
                    format!("`{text}` has no whole second in the profile `{name}`"),
                    "no data is not a pass: write a longer stage, or less `warmup` and `after`",
                ),
                (Some(_), Some(_)) => (
                    format!("`{text}` has no whole window in the profile `{name}`"),
                    "no data is not a pass: write a shorter `every`, or a longer stage",
                ),
            };
            self.warn(threshold.place, title, label);
        }
    }

    /// What runs when nothing is said has the stage that a threshold is judged in.
    fn default_has_stage(&mut self, plan: &Plan, threshold: &Placed<Threshold>) {
        let Some(stage) = &threshold.value.during else { return };
        let Some(profile) = plan.profile.and_then(|at| plan.profiles.get(at)) else { return };
        if timetable(plan, profile).stages_of(&threshold.value).is_empty() {
            let title = format!(
                "the profile `{}` has no stage `{}`, in which `{}` is to be judged",
                shorten(&profile.name.value),
                shorten(stage),
                threshold.value.text,
            );
            let label = "it has no data in a run of that profile, which is not a pass";
            self.warn(threshold.place, title, label);
        }
    }

    /// What a threshold is of: one word for any of five kinds, or said in full.
    fn of(&mut self, node: &Node, known: &Known<'_>) -> Option<Of> {
        if let NodeValue::Map(_) = node.value {
            let fields = self.fields(node, Context::Of, node.place, "`of`")?;
            let [entry] = fields.present(&["name", "group", "tag", "class"])[..] else {
                if !fields.odd {
                    let label = "write one of `name`, `group`, `tag` and `class`";
                    self.wrong(node, "`of` is one thing", label);
                }
                return None;
            };
            let text = self.text(&entry.value, &format!("`{}`", entry.key.value))?.value;
            let of = match &*entry.key.value {
                "name" => Of::Name(text.clone()),
                "group" => Of::Group(text.clone()),
                "tag" => Of::Tag(text.clone()),
                _ => Of::Class(text.clone()),
            };
            let kinds = known.kinds(&text);
            if kinds.iter().any(|kind| std::mem::discriminant(kind) == std::mem::discriminant(&of))
            {
                return Some(of);
            }
            let class = matches!(of, Of::Class(_)) && known.classes_whole;
            if !class && known.may_be_elsewhere(&text) {
                return Some(of);
            }
            let title = match of {
                Of::Name(_) => format!("no request is counted under `{}`", shorten(&text)),
                _ => format!("there is no {} `{}`", entry.key.value, shorten(&text)),
            };
            let label = self.nearest_of_kind(&of, &text, known);
            self.wrong(&entry.value, title, label);
            return None;
        }
        let text = self.text(node, "`of`")?.value;
        let mut kinds = known.kinds(&text);
        match kinds.len() {
            1 => kinds.pop(),
            _ if known.may_be_elsewhere(&text) => Some(Of::Name(text)),
            0 => {
                let label = self.nearest(&text, known);
                let title = format!("no request is counted under `{}`", shorten(&text));
                self.wrong(node, title, label);
                None
            }
            _ => {
                let forms: Vec<_> =
                    kinds.iter().map(|kind| format!("`{{ {} }}`", kind.long())).collect();
                let title = format!("`{}` is the name of several things", shorten(&text));
                self.wrong(node, title, format!("write {}", forms.join(" or ")));
                None
            }
        }
    }

    /// The same for one kind, which was said.
    fn nearest_of_kind(&mut self, of: &Of, text: &str, known: &Known<'_>) -> String {
        let (names, kind, kinds) = match of {
            Of::Group(_) => (&known.groups, "group", "groups"),
            Of::Tag(_) => (&known.tags, "tag", "tags"),
            Of::Class(_) => (&known.classes, "user class", "user classes"),
            Of::Name(_) => return self.nearest(text, known),
        };
        if let Some(other) = known.kinds(text).first() {
            let long = other.long();
            let kind = long.split(':').next().unwrap_or_default();
            return format!("it is a {kind}: write `of: {{ {long} }}`");
        }
        if let Some(near) = self.suggest(text, names.iter().copied()) {
            return format!("did you mean `{}`?", shorten(near));
        }
        let mut distinct: Vec<&str> = Vec::new();
        for name in names {
            if !distinct.contains(name) {
                distinct.push(name);
            }
        }
        let shown: Vec<_> =
            distinct.iter().take(8).map(|name| format!("`{}`", shorten(name))).collect();
        match &shown[..] {
            [] => format!("the plan has no {kinds}"),
            [one] => format!("the only {kind} is {one}"),
            some => format!("the {kinds} are {}", some.join(", ")),
        }
    }

    fn nearest(&mut self, of: &str, known: &Known<'_>) -> String {
        // People think of the task; what is counted is its requests.
        if known.unrecorded.contains(&of) {
            return "it is sent with `record: off`, which keeps it out of the tables".to_owned();
        }
        if let Some(name) = known.tasks.iter().find(|(task, _)| *task == of).map(|(_, name)| name) {
            return format!("the request of that task is counted under `{name}`");
        }
        let all = known
            .names
            .iter()
            .map(|(_, name)| *name)
            .chain(known.groups.iter().copied())
            .chain(known.tags.iter().copied())
            .chain(known.classes.iter().copied());
        if let Some(near) = self.suggest(of, all) {
            return format!("did you mean `{}`?", shorten(near));
        }
        let mut names: Vec<&str> = Vec::new();
        for (_, name) in &known.names {
            if !names.contains(name) && names.len() < 8 {
                names.push(name);
            }
        }
        let names: Vec<_> = names.into_iter().map(shorten).collect();
        match &names[..] {
            [] => "no request of the plan is counted".to_owned(),
            names => there_are(names.iter().map(String::as_str)),
        }
    }
}

/// The warm-up and the stages of a profile.
fn timetable(plan: &Plan, profile: &NamedProfile) -> Timetable {
    let classes: Vec<String> = plan.classes.iter().map(|class| class.name.value.clone()).collect();
    let warmup = profile.warmup.unwrap_or(plan.warmup);
    let seconds = warmup.as_secs() + u64::from(warmup.subsec_nanos() > 0);
    let stages = profile.load.spans(&classes).into_iter();
    let stages = stages.map(|span| Stage { name: span.name, from: span.from, to: span.to });
    Timetable { warmup: u32::try_from(seconds).unwrap_or(u32::MAX), stages: stages.collect() }
}

/// All that a threshold can be of.
#[derive(Default)]
struct Known<'p> {
    /// Methods and names.
    names: Vec<(&'p str, &'p str)>,
    groups: Vec<&'p str>,
    tags: Vec<&'p str>,
    classes: Vec<&'p str>,
    /// Tasks that are one request, and what that is counted under.
    tasks: Vec<(&'p str, &'p str)>,
    /// The names of stages, alone and with the class before them that has a load of its own.
    stages: Vec<String>,
    /// Names of requests that are not in the tables.
    unrecorded: Vec<&'p str>,
    /// A part of the plan could not be read: all that its text says, as [`letters`].
    elsewhere: Option<HashSet<String>>,
    /// All user classes are known, if their parts are not.
    classes_whole: bool,
}

impl<'p> Known<'p> {
    fn of(plan: &'p Plan) -> Self {
        let mut known = Self::default();
        // The levels of a search are no stages: which there are is not known.
        let profiles = plan.profiles.iter().filter(|profile| profile.search.is_none());
        for profile in profiles {
            let whole = timetable(plan, profile).stages.into_iter().map(|stage| stage.name);
            let alone = profile.load.parts.iter().flat_map(|(_, form)| form.spans());
            for name in alone.map(|span| span.name).chain(whole) {
                if !known.stages.contains(&name) {
                    known.stages.push(name);
                }
            }
        }
        for flow in &plan.flows {
            known.tags.extend(flow.tags.iter().map(String::as_str));
            known.steps(&flow.steps);
        }
        for class in &plan.classes {
            known.classes.push(&class.name.value);
            known.tags.extend(class.tags.iter().map(String::as_str));
            known.steps(&class.on_start);
            known.steps(&class.on_stop);
            for task in &class.tasks {
                known.tags.extend(task.tags.iter().map(String::as_str));
                known.steps(&task.steps);
                if let [Step { action: Action::Request(request), .. }] = &task.steps[..] {
                    known.tasks.push((&task.name.value, counted_under(request)));
                }
            }
        }
        known
    }

    fn steps(&mut self, steps: &'p [Step]) {
        for step in steps {
            self.tags.extend(step.tags.iter().map(String::as_str));
            match &step.action {
                Action::Request(request) if request.record => {
                    self.names.push((&request.method, counted_under(request)));
                }
                Action::Request(request) => self.unrecorded.push(counted_under(request)),
                Action::Group { name, .. } => self.groups.push(&name.value),
                _ => {}
            }
            step.action.bodies().for_each(|body| self.steps(body));
        }
    }

    /// What could not be read may have this name, once it is mended.
    fn may_be_elsewhere(&self, of: &str) -> bool {
        let rest = of.split_once(' ').map_or(of, |(_, rest)| rest);
        self.elsewhere
            .as_ref()
            .is_some_and(|texts| [of, rest].iter().any(|text| texts.contains(&letters(text))))
    }

    /// Each kind of thing that has this name.
    fn kinds(&self, of: &str) -> Vec<Of> {
        let is_meant = |(method, name): &(&str, &str)| {
            let rest = of.strip_prefix(method).and_then(|rest| rest.strip_prefix(' '));
            *name == of || rest == Some(name)
        };
        let mut kinds = Vec::new();
        if self.names.iter().any(is_meant) {
            kinds.push(Of::Name(of.to_owned()));
        }
        if self.groups.contains(&of) {
            kinds.push(Of::Group(of.to_owned()));
        }
        if self.tags.contains(&of) {
            kinds.push(Of::Tag(of.to_owned()));
        }
        if self.classes.contains(&of) {
            kinds.push(Of::Class(of.to_owned()));
        }
        kinds
    }
}

fn counted_under(request: &Request) -> &str {
    request.name.as_ref().map_or(&request.path.value, |name| &name.value)
}

/// A path whose slash is missing is mended by a slash.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// All texts and keys, thresholds left out.
fn said(node: &Node, texts: &mut HashSet<String>) {
    match &node.value {
        NodeValue::Text(text) => {
            texts.insert(letters(text));
        }
        NodeValue::List(items) => items.iter().for_each(|item| said(item, texts)),
        NodeValue::Map(entries) => {
            for entry in entries.iter().filter(|entry| entry.key.value != "thresholds") {
                texts.insert(letters(&entry.key.value));
                said(&entry.value, texts);
            }
        }
        _ => {}
    }
}
