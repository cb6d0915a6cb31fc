//! Owns when responses are slow: what the thresholds of the run allow, and what people notice where none does.

use std::collections::{BTreeMap, BTreeSet};

use super::run::{Run, Series};
use crate::metrics::{self, RequestName, Summary};
use crate::verdict::{Judged, Metric, Of, Op, State, Statistic, Threshold, judge, threshold};

/// Without a threshold on it a response is slow when the 95th percentile is longer, in milliseconds: what
/// people wait without noticing much.
pub(super) const SLOW_MS: f64 = 500.0;

/// What a threshold demands of response times: of their mean, a percentile, or the longest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) of: Whose,
    /// What of the times it is about.
    pub(super) statistic: Statistic,
    pub(super) op: Op,
    /// The most that is allowed, in milliseconds.
    pub(super) most_ms: f64,
    /// The run did not keep it.
    pub(super) broke: bool,
}

/// Whose response times a limit is of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Whose {
    All,
    /// `GET /todos`, or `/todos`.
    Name(String),
    /// Of the names of a class or a tag, as far as all of their requests are.
    Names(BTreeSet<String>),
}

impl Limit {
    /// That of a threshold that was judged.
    pub(super) fn of_judged(judged: &Judged, summary: &Summary) -> Option<Self> {
        let broke = judged.state == State::Broke;
        let limit = Self::of(&judged.threshold, judged.limit, broke, summary);
        limit.filter(|_| judged.state != State::NotJudged)
    }

    /// What a threshold demands of response times, if it is one on them, when its limit is that number.
    pub(super) fn of(
        threshold: &Threshold,
        most_ms: Option<f64>,
        broke: bool,
        summary: &Summary,
    ) -> Option<Self> {
        let Metric::Time(timing, statistic) = threshold.metric else { return None };
        let is_response =
            matches!(timing, threshold::Timing::Response | threshold::Timing::OkResponse);
        let says_something = match statistic {
            Statistic::Percentile(_) | Statistic::Avg => true,
            // What the longest keeps all keep; that one response is longer makes no others slow.
            Statistic::Max => !broke,
            Statistic::Min => false,
        };
        if !is_response || !says_something || !threshold.op.is_upper() {
            return None;
        }
        let of = Whose::of(threshold.of.as_ref(), summary)?;
        Some(Self { of, statistic, op: threshold.op, most_ms: most_ms?, broke })
    }

    /// These times do not keep it. Where the whole does, those of a part must be longer by more than chance.
    fn is_passed(&self, response: &metrics::Timing) -> bool {
        if let (Statistic::Percentile(quantile), false) = (self.statistic, self.broke) {
            return is_over(response, quantile, self.most_ms);
        }
        let value = judge::time(response, self.statistic);
        value.is_some_and(|value| !self.op.holds(value, self.most_ms))
    }
}

impl Whose {
    /// None of a group: its times are those of several requests, and which they are is not known.
    fn of(of: Option<&Of>, summary: &Summary) -> Option<Self> {
        let catalogue = &summary.catalogue;
        let names = |is_of: &dyn Fn(&metrics::Facet) -> bool| {
            let mut whole: BTreeMap<&RequestName, bool> = BTreeMap::new();
            for number in summary.totals.names.keys().map(|number| usize::from(*number)) {
                let is_in = catalogue.facets.get(number).is_some_and(is_of);
                *whole.entry(catalogue.names.get(number)?).or_insert(true) &= is_in;
            }
            let whole = whole.into_iter().filter(|(_, all)| *all);
            let names: BTreeSet<_> = whole.map(|(name, _)| Series::called(name)).collect();
            (!names.is_empty()).then_some(Self::Names(names))
        };
        match of {
            None => Some(Self::All),
            Some(Of::Name(name)) => Some(Self::Name(name.clone())),
            Some(Of::Class(class)) => names(&|facet| facet.class == *class),
            Some(Of::Tag(tag)) => names(&|facet| facet.tags.contains(tag)),
            Some(Of::Group(_)) => None,
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Name(of) => {
                of == name || name.split_once(' ').is_some_and(|(_, name)| name == of)
            }
            Self::Names(all) => all.contains(name),
        }
    }
}

impl Run {
    /// The limits that the times of all are held against.
    fn limits(&self) -> Vec<&Limit> {
        self.limits.iter().filter(|limit| self.is_of_all(limit)).collect()
    }

    /// Those that the times of a name are held against: its own, else those of what it is of.
    fn limits_of(&self, name: &str) -> Vec<&Limit> {
        let kind = |limit: &Limit| match limit.of {
            Whose::Name(_) => 0,
            Whose::Names(_) => 1,
            Whose::All => 2,
        };
        let those = self.limits.iter().filter(|limit| limit.of.has(name));
        let nearest = those.clone().map(kind).min();
        those.filter(|limit| Some(kind(limit)) == nearest).collect()
    }

    fn asked(&self) -> impl Iterator<Item = &Series> {
        self.names.iter().filter(|name| name.requests > 0)
    }

    /// The limit is one of all requests, whatever it says.
    fn is_of_all(&self, limit: &Limit) -> bool {
        limit.of == Whose::All || self.asked().all(|name| limit.of.has(&name.name))
    }

    /// Each name has limits of its own, and keeps them.
    fn is_kept_by_name(&self) -> bool {
        let has_one = |name: &Series| !self.limits_of(&name.name).is_empty();
        self.asked().all(has_one) && !self.limits.iter().any(|limit| self.is_broken(limit))
    }

    /// The whole of what it is of did not keep it.
    fn is_broken(&self, limit: &Limit) -> bool {
        if !limit.broke || self.is_of_all(limit) {
            return limit.broke && limit.is_passed(&self.all.response);
        }
        let mut response = metrics::Timing::default();
        let those = self.names.iter().filter(|name| limit.of.has(&name.name));
        those.for_each(|name| response.merge(&name.response));
        limit.is_passed(&response)
    }

    /// A threshold says how slow the responses of all may be.
    pub(super) fn is_limited(&self) -> bool {
        !self.limits().is_empty() || self.is_kept_by_name()
    }

    /// Whether the responses of the whole run are slow: longer than a threshold allows that it broke, and
    /// without thresholds longer than people wait without noticing.
    pub(super) fn is_slow_in_all(&self) -> bool {
        let of_all = self.limits();
        if !of_all.is_empty() {
            return of_all.iter().any(|limit| self.is_broken(limit));
        }
        // Names that keep limits of their own are as slow as they may be: it is for the others to say.
        let broken: Vec<&Limit> =
            self.limits.iter().filter(|limit| self.is_broken(limit)).collect();
        let (mut others, mut kept, mut slow) = (metrics::Timing::default(), 0, 0);
        for name in self.asked() {
            let limits = self.limits_of(&name.name);
            let is_broken = limits.iter().any(|limit| broken.contains(limit));
            if limits.is_empty() || is_broken {
                others.merge(&name.response);
                slow += if is_broken { name.requests } else { 0 };
            } else {
                kept += 1;
            }
        }
        let is_most = slow * 2 > self.all.requests;
        is_most || is_noticed(&self.all.response) && (kept == 0 || is_noticed(&others))
    }

    /// Whether the responses of a part of it are slow, of a name or of all. It may pass a limit that the whole
    /// has kept: then it must be noticed as well.
    pub(super) fn is_slow(&self, response: &metrics::Timing, name: Option<&str>) -> bool {
        let limits = name.map_or_else(|| self.limits(), |name| self.limits_of(name));
        let passed: Vec<_> = limits.iter().filter(|limit| limit.is_passed(response)).collect();
        let is_allowed = match (name, limits.is_empty()) {
            (_, false) => passed.is_empty(),
            (None, true) => self.is_kept_by_name() && self.is_allowed_to_one(response),
            (Some(_), true) => false,
        };
        passed.iter().any(|limit| limit.broke) || (!is_allowed && is_noticed(response))
    }

    /// Times of all names together are longer than each of them may be only when they are longer than the slowest
    /// may be.
    fn is_allowed_to_one(&self, response: &metrics::Timing) -> bool {
        let keeps = |name: &Series| {
            self.limits_of(&name.name).iter().all(|limit| !limit.is_passed(response))
        };
        self.asked().any(keeps)
    }
}

/// The 95th percentile is longer than people wait without noticing.
fn is_noticed(response: &metrics::Timing) -> bool {
    is_over(response, 0.95, SLOW_MS)
}

/// The percentile is longer than that. It is certain, by two standard errors of how many are longer.
fn is_over(response: &metrics::Timing, quantile: f64, most_ms: f64) -> bool {
    if !response.quantile_ms(quantile).is_some_and(|value| value > most_ms) {
        return false;
    }
    let longer = |(us, count): &(u64, u64)| if *us as f64 / 1e3 > most_ms { *count } else { 0 };
    let over = response.counts().iter().map(longer).sum::<u64>() as f64;
    let count = response.count() as f64;
    over > (1.0 - quantile) * count + 2.0 * (quantile * (1.0 - quantile) * count).sqrt()
}
