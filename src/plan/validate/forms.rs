//! Owns reading the form of a load: stages and the short forms for them, of users or of a rate.

use std::fmt;
use std::time::Duration;

use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place};
use crate::load::{Form, Level, Open, Profile, Spike, Spread, Stage, Steps};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::units::Rate;

/// A finer stair than this is a ramp.
const MOST_STAIRS: u64 = 10_000;
const PLATEAU: [&str; 5] = ["users", "rate", "ramp", "hold", "down"];
/// Of use with a rate alone.
const OPEN: [&str; 2] = ["arrivals", "max_users"];

/// So many users, or so many arrivals per time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amount {
    Users(u32),
    Rate(Rate),
}

impl Amount {
    fn users(self) -> Option<u32> {
        match self {
            Self::Users(users) => Some(users),
            Self::Rate(_) => None,
        }
    }

    pub(super) fn is_rate(self) -> bool {
        matches!(self, Self::Rate(_))
    }

    pub(super) fn is_none(self) -> bool {
        matches!(self, Self::Users(0) | Self::Rate(Rate::ZERO))
    }

    /// As a search counts it, see [`Scale`](crate::load::Scale).
    pub(super) fn level(self) -> u64 {
        match self {
            Self::Users(users) => users.into(),
            Self::Rate(rate) => rate.per_hour_millionths(),
        }
    }

    fn kind(self) -> &'static str {
        if self.is_rate() { "a rate" } else { "a number of users" }
    }
}

/// What is read is either of the two.
trait Read: Level + fmt::Display {
    /// More of what is too little.
    const MORE: &'static str;
    fn of(amount: Amount) -> Option<Self>;
    fn size(self) -> u64;
}

impl Read for u32 {
    const MORE: &'static str = "write more users than `base`";

    fn of(amount: Amount) -> Option<Self> {
        amount.users()
    }

    fn size(self) -> u64 {
        self.into()
    }
}

impl Read for Rate {
    const MORE: &'static str = "write a higher rate than `base`";

    fn of(amount: Amount) -> Option<Self> {
        match amount {
            Amount::Rate(rate) => Some(rate),
            Amount::Users(_) => None,
        }
    }

    fn size(self) -> u64 {
        self.per_hour_millionths()
    }
}

/// A profile of either.
enum Line {
    Users(Profile),
    Rate(Profile<Rate>),
}

impl Checker<'_> {
    /// The load that the keys of a profile say, or of a class of `each`.
    pub(super) fn own_form(
        &mut self,
        fields: &Fields<'_>,
        what: &str,
        place: Place,
    ) -> Option<Form> {
        let (arrivals, max_users) = self.open_keys(fields);
        let form = match self.line(fields, what, place)? {
            Line::Users(users) => {
                for entry in fields.present(&OPEN) {
                    let key = &entry.key.value;
                    let label = "take it out, or write rates in the place of users";
                    self.error(entry.key.place, format!("`{key}` goes with a rate alone"), label);
                }
                if !fields.present(&OPEN).is_empty() {
                    return None;
                }
                Form::Closed(users)
            }
            Line::Rate(rate) => Form::Open(Open {
                max_users: max_users?.unwrap_or_else(|| Open::users_for(rate.most())),
                spread: arrivals?,
                rate,
            }),
        };
        let is_open = matches!(form, Form::Open(_));
        if form.total().is_zero() {
            if !fields.odd {
                let who = if is_open { "it goes on" } else { "the users stay" };
                let label = format!("say how long {who}: `hold`");
                self.error(place, format!("{what} lasts no time"), label);
            }
            return None;
        }
        if form.is_empty() {
            let (who, key) = if is_open { ("arrivals", "rate") } else { ("users", "users") };
            self.error(place, format!("{what} has no {who}"), format!("say how many: `{key}`"));
            return None;
        }
        if form.total() > Duration::from_secs(366 * 24 * 3600) {
            self.error(place, format!("{what} is longer than a year"), "write shorter times");
            return None;
        }
        Some(form)
    }

    /// What `arrivals` and `max_users` say; outer absence: it could not be read.
    pub(super) fn open_keys(
        &mut self,
        fields: &Fields<'_>,
    ) -> (Option<Spread>, Option<Option<u32>>) {
        let arrivals = match fields.get("arrivals") {
            Some(node) => self.word(node, "`arrivals`", &Spread::WORDS),
            None => Some(Spread::Even),
        };
        let max_users = match fields.get("max_users") {
            Some(node) => match self.users(node, "`max_users`") {
                Some(0) => {
                    self.wrong(node, "`max_users` is zero", "write 1 or more");
                    None
                }
                Some(most) => Some(Some(most)),
                None => None,
            },
            None => Some(None),
        };
        (arrivals, max_users)
    }

    fn line(&mut self, fields: &Fields<'_>, what: &str, place: Place) -> Option<Line> {
        let form = match self.one_form(fields, &["stages", "steps", "spike"], what)? {
            Some(form) => form,
            None => {
                if !fields.odd {
                    let label = if fields.present(&OPEN).is_empty() {
                        "say how many users and for how long: `users` and `hold`, or `rate` and `hold`"
                    } else {
                        "say how many arrive and for how long: `rate` and `hold`"
                    };
                    self.error(place, format!("{what} has no load"), label);
                }
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

    /// The key of the one form that the load has, of `forms` or of the short one; inner absence: it
    /// has none.
    pub(super) fn one_form<'a>(
        &mut self,
        fields: &Fields<'a>,
        forms: &[&str],
        what: &str,
    ) -> Option<Option<&'a Entry>> {
        let mut found = fields.present(forms);
        found.extend(fields.present(&PLATEAU).first());
        found.sort_by_key(|entry| fields.entries.iter().position(|one| std::ptr::eq(one, *entry)));
        let [first, second, ..] = found[..] else { return Some(found.first().copied()) };
        let any = |key: &str| [first, second].iter().any(|entry| entry.key.value == key);
        let label = if any("search") {
            "keep one; a search says itself how high the load is, of all classes together"
        } else if any("each") {
            "keep one; below `each` every class has a form of its own"
        } else {
            "keep one; `stages` can say everything that the others can"
        };
        let (one, other) = (&first.key.value, &second.key.value);
        self.diagnostics.push(
            Diagnostic::error(
                second.key.place,
                format!("{what} has two forms: `{one}` and `{other}`"),
                label,
            )
            .also(first.key.place, "the first"),
        );
        None
    }

    fn plateau(&mut self, fields: &Fields<'_>, what: &str, place: Place) -> Option<Line> {
        let to = self.users_or_rate(fields, what);
        if to.is_none() && !fields.odd {
            let label = "say how many: `users` or `rate`";
            self.error(place, format!("{what} has no load"), label);
        }
        let to = to.flatten();
        let users = to.and_then(Amount::users);
        let ramp = self.ramp_or_none(fields, "ramp", users);
        let hold = self.time_or_none(fields, "hold");
        let down = self.ramp_or_none(fields, "down", users);
        let (ramp, hold, down) = (ramp?, hold?, down?);
        Some(match to? {
            Amount::Users(users) => Line::Users(Profile::plateau(users, ramp, hold, down)),
            Amount::Rate(rate) => Line::Rate(Profile::plateau(rate, ramp, hold, down)),
        })
    }

    /// What `users` or `rate` says; outer absence: neither is there. Both are a mistake.
    fn users_or_rate(&mut self, fields: &Fields<'_>, what: &str) -> Option<Option<Amount>> {
        let keys = fields.present(&["users", "rate"]);
        if let [first, second] = keys[..] {
            let label = "keep one: so many users, each of which waits for its answers, or so many \
                         iterations that start whatever the server does";
            let title = format!("{what} has both `users` and `rate`");
            let told = Diagnostic::error(second.key.place, title, label);
            self.diagnostics.push(told.also(first.key.place, "the first"));
            return Some(None);
        }
        let entry = keys.first()?;
        Some(if entry.key.value == "rate" {
            self.rate(&entry.value, "`rate`").map(Amount::Rate)
        } else {
            self.users(&entry.value, "`users`").map(Amount::Users)
        })
    }

    /// A number of users, or a rate: its unit says which.
    fn amount(&mut self, node: &Node, what: &str) -> Option<Amount> {
        let node = &*self.computed_number(node, what)?;
        match &node.value {
            NodeValue::Text(text) if text.contains('/') => self.rate(node, what).map(Amount::Rate),
            _ => self.users(node, what).map(Amount::Users),
        }
    }

    /// All amounts are of one kind; else the first that is not like the one before it is told.
    pub(super) fn alike(&mut self, amounts: &[(&Entry, Amount)]) -> bool {
        for pair in amounts.windows(2) {
            let [(first, one), (second, other)] = pair else { continue };
            if one.is_rate() == other.is_rate() {
                continue;
            }
            let title = format!(
                "`{}` is {}, and `{}` is {}",
                second.key.value,
                other.kind(),
                first.key.value,
                one.kind()
            );
            let label = "write rates, as `10/s`, or numbers of users, as `10`, but not both";
            let told = Diagnostic::error(second.value.place, title, label);
            self.diagnostics.push(told.also(first.value.place, one.kind()));
            return false;
        }
        true
    }

    fn time_or_none(&mut self, fields: &Fields<'_>, key: &str) -> Option<Duration> {
        match fields.get(key) {
            Some(node) => self.duration(node, &format!("`{key}`")),
            None => Some(Duration::ZERO),
        }
    }

    fn ramp_or_none(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        users: Option<u32>,
    ) -> Option<Duration> {
        match fields.get(key) {
            Some(node) => self.ramp(node, &format!("`{key}`"), users),
            None => Some(Duration::ZERO),
        }
    }

    fn stages(&mut self, entry: &Entry) -> Option<Line> {
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
        self.stages_alike(nodes);
        let stages: Vec<_> =
            nodes.iter().enumerate().map(|(at, node)| self.stage(node, at)).collect();
        let stages: Vec<Stage<Amount>> = stages.into_iter().collect::<Option<_>>()?;
        fn of<L: Read>(stages: Vec<Stage<Amount>>) -> Option<Profile<L>> {
            let stages = stages.into_iter().map(|stage| {
                let Stage { name, to, over, hold } = stage;
                Some(Stage { name, to: L::of(to)?, over, hold })
            });
            Some(Profile::new(stages.collect::<Option<_>>()?))
        }
        if stages[0].to.is_rate() {
            of(stages).map(Line::Rate)
        } else {
            of(stages).map(Line::Users)
        }
    }

    /// All stages have users, or all have a rate: the first that differs is told.
    fn stages_alike(&mut self, nodes: &[Node]) {
        let amounts = nodes.iter().enumerate().filter_map(|(at, node)| {
            let NodeValue::Map(entries) = &node.value else { return None };
            let mut keys =
                entries.iter().filter(|entry| ["users", "rate"].contains(&&*entry.key.value));
            match (keys.next(), keys.next()) {
                (Some(one), None) => Some((at, one)),
                _ => None,
            }
        });
        let amounts: Vec<(usize, &Entry)> = amounts.collect();
        let Some((_, first)) = amounts.first() else { return };
        let other = amounts.iter().find(|(_, entry)| entry.key.value != first.key.value);
        let Some((at, other)) = other else { return };
        let (one, two) = (&first.key.value, &other.key.value);
        let title = format!("stage {} has `{two}`, and those before it have `{one}`", at + 1);
        let label = "write one of the two in all stages; users and a rate at once go below `each`, by class";
        let told = Diagnostic::error(other.key.place, title, label);
        self.diagnostics.push(told.also(first.key.place, "the first"));
    }

    fn stage(&mut self, node: &Node, at: usize) -> Option<Stage<Amount>> {
        let what = format!("stage {}", at + 1);
        let fields = self.fields(node, Context::Stage, node.place, &what)?;
        let place = fields.entries.first().map_or(node.place, |entry| entry.key.place);
        let name = match fields.get("name") {
            Some(node) => self.text(node, "`name`").map(|name| Some(name.value)),
            None => Some(None),
        };
        let to = self.users_or_rate(&fields, &what);
        if to.is_none() && !fields.odd {
            let label = "say how many: `users` or `rate`";
            self.wrong_at(node, place, format!("{what} has no load"), label);
        }
        let over = self.ramp_or_none(&fields, "over", None);
        let hold = self.time_or_none(&fields, "hold");

        if over == Some(Duration::ZERO) && hold == Some(Duration::ZERO) && !fields.odd {
            let who = if fields.entry("rate").is_some() { "it goes on" } else { "the users stay" };
            let label =
                format!("say how long {who}: `hold`; or how long it takes to get there: `over`");
            self.wrong_at(node, place, format!("{what} lasts no time"), &label);
            return None;
        }
        // With a key that is not understood nothing can be said of the whole.
        if fields.odd {
            return None;
        }
        Some(Stage { name: name?, to: to??, over: over?, hold: hold? })
    }

    /// An error of a map: at its bracket when it has one, else at its first key.
    fn wrong_at(&mut self, node: &Node, first: Place, title: String, label: &str) {
        let place = if node.place.range().is_empty() { first } else { node.place };
        let at = Node { place, defined: node.defined, value: NodeValue::Null };
        self.wrong(&at, title, label);
    }

    /// An amount that a form cannot do without.
    pub(super) fn needed<'a>(
        &mut self,
        fields: &Fields<'a>,
        key: &str,
        form: &str,
    ) -> Option<(&'a Entry, Amount)> {
        match fields.entry(key) {
            Some(entry) => Some((entry, self.amount(&entry.value, &format!("`{key}`"))?)),
            None if fields.odd => None,
            None => {
                let about = fields_about(form, key);
                self.error(fields.place, format!("`{form}` lacks `{key}`"), about);
                None
            }
        }
    }

    fn stairs(&mut self, entry: &Entry) -> Option<Line> {
        if let NodeValue::List(_) = entry.value.value {
            self.wrong(
                &entry.value,
                "the `steps` of a profile are a stair, not a list",
                "write `from`, `by`, `every` and `to`; a list of stages goes under `stages`",
            );
            return None;
        }
        let fields = self.fields(&entry.value, Context::Steps, entry.key.place, "`steps`")?;
        let from = self.needed(&fields, "from", "steps");
        let by = self.needed(&fields, "by", "steps");
        let to = self.needed(&fields, "to", "steps");
        let every = match fields.get("every") {
            Some(node) => self.duration(node, "`every`"),
            None if fields.odd => None,
            None => {
                self.error(fields.place, "`steps` lacks `every`", fields_about("steps", "every"));
                None
            }
        };
        let known: Vec<_> = [from, by, to].into_iter().flatten().collect();
        if !self.alike(&known) {
            return None;
        }
        if let Some((entry, by)) = by
            && by.is_none()
        {
            let (none, label) = match by {
                Amount::Users(_) => ("0 users", "write 1 or more"),
                Amount::Rate(_) => ("0/s", "write a rate above 0"),
            };
            self.wrong(&entry.value, format!("a stair of {none} never ends"), label);
            return None;
        }
        if let (Some(Duration::ZERO), Some(node)) = (every, fields.get("every")) {
            self.wrong(node, "each stair lasts no time", "write a time, as `5m`");
            return None;
        }
        let ((_, from), (_, by), (last, to), every) = (from?, by?, to?, every?);
        let steps = Steps { from, by, every, to };
        if to.is_rate() {
            self.stair(steps, entry, last).map(Line::Rate)
        } else {
            self.stair(steps, entry, last).map(Line::Users)
        }
    }

    fn stair<L: Read>(
        &mut self,
        steps: Steps<Amount>,
        entry: &Entry,
        last: &Entry,
    ) -> Option<Profile<L>> {
        let (from, by, to) = (L::of(steps.from)?, L::of(steps.by)?, L::of(steps.to)?);
        if from > to {
            self.wrong(
                &last.value,
                format!("the stair ends below its start: {to} after {from}"),
                "stairs go up; use `stages` to go down",
            );
            return None;
        }
        if (to.size() - from.size()) / by.size() >= MOST_STAIRS {
            let ramp = if steps.to.is_rate() { "`rate` and `ramp`" } else { "`users` and `ramp`" };
            self.error(
                entry.key.place,
                format!("the stair has more than {MOST_STAIRS} steps"),
                format!("write a larger `by`, or a ramp: {ramp}"),
            );
            return None;
        }
        Some(Profile::stairs(Steps { from, by, every: steps.every, to }))
    }

    fn spike(&mut self, entry: &Entry) -> Option<Line> {
        let fields = self.fields(&entry.value, Context::Spike, entry.key.place, "`spike`")?;
        let base = match fields.entry("base") {
            Some(entry) => self.amount(&entry.value, "`base`").map(|base| Some((entry, base))),
            None => Some(None),
        };
        let peak = self.needed(&fields, "peak", "spike");
        let known: Vec<_> = [base.flatten(), peak].into_iter().flatten().collect();
        let alike = self.alike(&known);
        let users = peak.and_then(|(_, peak)| peak.users());
        let rise = self.ramp_or_none(&fields, "rise", users);
        let fall = self.ramp_or_none(&fields, "fall", users);
        let hold = self.time_or_none(&fields, "hold");
        let before = self.time_or_none(&fields, "before");
        let after = self.time_or_none(&fields, "after");
        let (base, (top, peak)) = (base?.map(|(_, base)| base), peak?);
        if !alike {
            return None;
        }
        let none = if peak.is_rate() { Amount::Rate(Rate::ZERO) } else { Amount::Users(0) };
        let base = base.unwrap_or(none);
        let spike = Spike {
            base,
            peak,
            rise: rise?,
            hold: hold?,
            fall: fall?,
            before: before?,
            after: after?,
        };
        if peak.is_rate() {
            self.burst(spike, top).map(Line::Rate)
        } else {
            self.burst(spike, top).map(Line::Users)
        }
    }

    fn burst<L: Read>(&mut self, spike: Spike<Amount>, top: &Entry) -> Option<Profile<L>> {
        let (base, peak) = (L::of(spike.base)?, L::of(spike.peak)?);
        if peak <= base {
            let title = format!("the peak of {peak} is not above the base of {base}");
            self.wrong(&top.value, title, L::MORE);
            return None;
        }
        let Spike { rise, hold, fall, before, after, .. } = spike;
        Some(Profile::spike(Spike { base, peak, rise, hold, fall, before, after }))
    }
}

fn fields_about(form: &str, key: &str) -> String {
    let context = match form {
        "steps" => Context::Steps,
        "spike" => Context::Spike,
        _ => Context::Search,
    };
    let about = context.find(key).map_or("", |key| key.about.trim_end_matches('.'));
    format!("add `{key}`: {}{}", about[..1].to_lowercase(), &about[1..])
}
