//! Owns reading the search of a profile: from where to where, and what must hold.

use std::time::Duration;

use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Placed};
use crate::load::{Form, Load, Open, Profile, Scale, Search};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Plan, Searched};
use crate::units::{Rate, format_percent, parse_percent};
use crate::verdict::{Metric, Threshold, Timing};

/// How near the answer is to be, when nobody says.
const WITHIN: f64 = 0.05;

/// Nearer takes longer than anyone waits, farther is no answer.
const NEAREST: f64 = 0.005;
const FARTHEST: f64 = 0.5;

impl Checker<'_> {
    /// The search of a profile, with the most load that it can come to.
    pub(super) fn search(
        &mut self,
        entry: &Entry,
        profile: &Fields<'_>,
        what: &str,
    ) -> Option<(Load, Searched)> {
        self.one_form(profile, &["stages", "steps", "spike", "each", "search"], what)?;
        if let Some(iterations) = profile.entry("iterations") {
            let title = "`iterations` stands beside `search`";
            let label = "take it out: a search is over when the limit is found";
            self.error(iterations.key.place, title, label);
        }
        let fields = self.fields(&entry.value, Context::Search, entry.key.place, "`search`")?;
        let of = match fields.get("of") {
            Some(node) => self.word(node, "`of`", &Scale::WORDS).map(Some),
            None => Some(None),
        };
        let from = self.needed(&fields, "from", "search");
        let to = self.needed(&fields, "to", "search");
        let (hold, settle) = self.times_of_search(&fields);
        let within = self.within(&fields);
        let must = self.must_of_search(&fields);
        let known: Vec<_> = [from, to].into_iter().flatten().collect();
        if !self.alike(&known) {
            return None;
        }
        let ((first, from), (last, to)) = (from?, to?);
        let scale = if from.is_rate() { Scale::Rate } else { Scale::Users };
        if let (Some(Some(of)), Some(node)) = (of, fields.get("of"))
            && of != scale
        {
            let (title, label) = match of {
                Scale::Users => {
                    ("the search is of users, and `from` is a rate", "write it as `from: 50`")
                }
                Scale::Rate => {
                    ("the search is of a rate, and `from` is users", "write it as `from: 50/s`")
                }
            };
            let told = Diagnostic::error(first.value.place, title, label);
            self.diagnostics.push(told.also(node.place, "what is raised"));
            return None;
        }
        if from.is_none() {
            let label = "write the first level, as `50` or `50/s`";
            self.wrong(&first.value, "a search cannot begin with nothing", label);
            return None;
        }
        if to.level() < from.level() {
            let (from, to) = (scale.words(from.level()), scale.words(to.level()));
            let title = format!("the search ends below its start: {to} after {from}");
            self.wrong(&last.value, title, "write the highest level that is tried");
            return None;
        }
        let must = self.judged_by_search(must?, scale)?;
        let (of, from, to) = (scale, from.level(), to.level());
        let search = Search { of, from, to, hold: hold?, settle: settle?, within: within? };
        let form = self.form_of_search(profile, &search)?;
        if fields.odd || of_users_has_rate_keys(self, profile, of) {
            return None;
        }
        let longest = search.longest();
        if longest > Duration::from_secs(366 * 24 * 3600) {
            let title = format!("{what} may last longer than a year");
            self.error(entry.key.place, title, "write a shorter `hold`, or a larger `within`");
            return None;
        }
        Some((form.into(), Searched { search, must }))
    }

    /// `hold` and `settle`.
    fn times_of_search(&mut self, fields: &Fields<'_>) -> (Option<Duration>, Option<Duration>) {
        let hold = match fields.get("hold") {
            Some(node) => self.duration(node, "`hold`").and_then(|hold| {
                if hold.is_zero() || hold.subsec_nanos() > 0 {
                    let label = "figures come each second: write whole seconds, as `hold: 30s`";
                    self.wrong(node, "`hold` is not a number of whole seconds", label);
                    return None;
                }
                Some(hold)
            }),
            None => {
                if !fields.odd {
                    let label = "add `hold`: how long each level is looked at, as `30s`";
                    self.error(fields.place, "`search` lacks `hold`", label);
                }
                None
            }
        };
        let settle = match fields.get("settle") {
            Some(node) => self.duration(node, "`settle`"),
            // A whole second for each three that are begun.
            None => hold.map(|hold| Duration::from_secs(hold.as_secs().div_ceil(3))),
        };
        (hold, settle)
    }

    fn within(&mut self, fields: &Fields<'_>) -> Option<f64> {
        let Some(node) = fields.get("within") else { return Some(WITHIN) };
        let meant = match node.value {
            NodeValue::Int(number @ 1..=50) => Some(format!("{number}%")),
            // A fraction, as other tools have it.
            NodeValue::Float(part) if part > 0.0 && part <= FARTHEST => Some(format_percent(part)),
            _ => None,
        };
        if let Some(meant) = meant {
            self.wrong(node, "`within` lacks its unit", format!("write `{meant}`"));
            return None;
        }
        let text = self.unit_text(node, "`within`")?;
        match parse_percent(&text) {
            Ok(within) if (NEAREST..=FARTHEST).contains(&within) => Some(within),
            Ok(_) => {
                let label = "write a share between `0.5%` and `50%`";
                self.wrong(node, format!("`within` cannot be `{text}`"), label);
                None
            }
            Err(error) => {
                self.not_a_quantity(node, "`within`", &text, "a share", &error);
                None
            }
        }
    }

    fn must_of_search(&mut self, fields: &Fields<'_>) -> Option<Vec<Placed<Threshold>>> {
        let example = "say what must hold, as `must: [p95 < 500ms, error_rate < 1%]`";
        let nodes: &[Node] = match fields.get("must") {
            Some(Node { value: NodeValue::List(items), .. }) => items,
            Some(node) => std::slice::from_ref(node),
            None => {
                if !fields.odd {
                    self.error(fields.place, "`search` lacks `must`", example);
                }
                return None;
            }
        };
        if nodes.is_empty() {
            let node = fields.get("must")?;
            self.wrong(node, "the search has nothing that must hold", example);
            return None;
        }
        // All that is wrong is told.
        let all: Vec<_> = nodes.iter().map(|node| self.comparison(node)).collect();
        let all: Vec<_> = all.into_iter().collect::<Option<_>>()?;
        if !all.iter().any(of_failures) {
            let title = "nothing that must hold is about failures: fast errors would pass";
            let place = fields.get("must")?.place;
            self.warn(place, title, "add `error_rate < 1%`");
        }
        Some(all)
    }

    /// What can be judged at each level by itself.
    fn judged_by_search(
        &mut self,
        must: Vec<Placed<Threshold>>,
        scale: Scale,
    ) -> Option<Vec<Placed<Threshold>>> {
        let mut whole = true;
        for one in &must {
            let text = &one.value.text;
            let (title, label) = if one.value.limit.is_of_baseline() {
                (
                    format!("`{text}` is judged over a whole run"),
                    "a level has no baseline: write a limit of its own, as `p95 < 500ms`",
                )
            } else if one.value.metric == Metric::Dropped && scale == Scale::Users {
                (
                    format!("`{text}` is about arrivals, and users do not arrive"),
                    "take it out, or search for a rate",
                )
            } else {
                continue;
            };
            self.error(one.place, title, label);
            whole = false;
        }
        whole.then_some(must)
    }

    /// The highest level, for as long as it can last: what the plan must be fit for.
    fn form_of_search(&mut self, profile: &Fields<'_>, search: &Search) -> Option<Form> {
        let (none, longest) = (Duration::ZERO, search.longest());
        Some(match search.of {
            Scale::Users => {
                let users = u32::try_from(search.to).unwrap_or(u32::MAX);
                Form::Closed(Profile::plateau(users, none, longest, none))
            }
            Scale::Rate => {
                let rate = Rate::of_per_hour_millionths(search.to);
                let (spread, most) = self.open_keys(profile);
                Form::Open(Open {
                    rate: Profile::plateau(rate, none, longest, none),
                    spread: spread?,
                    max_users: most?.unwrap_or_else(|| Open::users_for(rate)),
                })
            }
        })
    }

    /// What no threshold is judged in: told when the plan has no other profile.
    pub(super) fn thresholds_beside_searches(&mut self, plan: &Plan) {
        let (Some(first), false) = (plan.thresholds.first(), plan.profiles.is_empty()) else {
            return;
        };
        if plan.profiles.iter().all(|profile| profile.search.is_some()) {
            let title = "no threshold is judged in a search, which breaks limits on purpose";
            let label = "write it below `must` of the search, or add a profile that is none";
            self.warn(first.place, title, label);
        }
    }
}

/// Failures break it, or do not count as answers.
fn of_failures(must: &Placed<Threshold>) -> bool {
    matches!(
        must.value.metric,
        Metric::ErrorRate | Metric::Failures | Metric::Time(Timing::OkResponse, _)
    )
}

/// Keys of a rate beside a search of users are told.
fn of_users_has_rate_keys(checker: &mut Checker<'_>, profile: &Fields<'_>, of: Scale) -> bool {
    let odd = profile.present(&["arrivals", "max_users"]);
    if of == Scale::Rate || odd.is_empty() {
        return false;
    }
    for entry in odd {
        let key = &entry.key.value;
        let label = "take it out, or search for a rate";
        checker.error(entry.key.place, format!("`{key}` goes with a rate alone"), label);
    }
    true
}
