//! Owns what a run had to show, as cases that pass or fail: the form in which systems that run tests
//! take results.

use std::collections::HashSet;

use super::figures;
use crate::event::{Ended, Found, Started};
use crate::verdict::{Judged, State, Validity, Verdict, Written};

/// Something that the run had to show.
#[derive(Debug)]
pub(super) struct Case<'a> {
    /// What: a threshold as it is said, or a sentence. No two cases of a run have the same.
    pub(super) name: String,
    /// Where it stands in the plan, when it does.
    pub(super) written: Option<&'a Written>,
    /// How it came out.
    pub(super) outcome: Outcome,
    /// What the run showed, a line each: the first says it in short.
    pub(super) shown: Vec<String>,
}

/// How a case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should.
    Passed,
    /// Not as it should: in a word or two, why.
    Failed(&'static str),
    /// There was nothing to hold it against: no baseline.
    NotJudged,
}

impl Outcome {
    /// Whether a run with such a case is not green.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Passed | Self::NotJudged => false,
            Self::Failed(_) => true,
        }
    }

    /// How a threshold came out.
    fn of(state: State) -> Self {
        match state {
            State::Held => Self::Passed,
            State::Broke => Self::Failed("broke"),
            // Law 7: no data is not a pass.
            State::NoData => Self::Failed("no data"),
            State::TooFew => Self::Failed("too few samples"),
            State::NotJudged => Self::NotJudged,
        }
    }
}

/// All that the run had to show: first whether it can be trusted, thresholds last, in the order of the plan. What the exit code tells is
/// told here too: a run that was stopped or cannot be trusted is never all passed.
pub(super) fn cases<'a>(started: &Started, ended: &Ended<'a>) -> Vec<Case<'a>> {
    let mut cases = vec![trusted(&ended.verdict.validity), ended_by_itself(ended)];
    let failures_count = started.fail_on_error && ended.search.is_none();
    cases.extend(failures_count.then(|| none_failed(ended)));
    cases.extend(ended.search.map(answered));
    cases.extend(thresholds(ended.verdict));
    cases
}

/// The thresholds alone.
pub(super) fn thresholds(verdict: &Verdict) -> Vec<Case<'_>> {
    let mut names = Unique::default();
    let mut one = |judged| threshold(judged, &mut names);
    verdict.thresholds.iter().map(&mut one).collect()
}

fn trusted(validity: &Validity) -> Case<'static> {
    let outcome = match validity {
        Validity::Valid | Validity::Suspect(_) => Outcome::Passed,
        Validity::Invalid(_) => Outcome::Failed("not trusted"),
    };
    let shown = [validity.word().to_owned()].into_iter().chain(validity.reasons().iter().cloned());
    Case {
        name: "the run can be trusted".to_owned(),
        written: None,
        outcome,
        shown: shown.collect(),
    }
}

fn ended_by_itself(ended: &Ended<'_>) -> Case<'static> {
    let stopped = ended.stopped.filter(|reason| !reason.is_of_the_plan());
    let (outcome, shown) = match stopped {
        Some(_) => (Outcome::Failed("stopped"), "stopped by a signal, before its end"),
        None => (Outcome::Passed, "it did"),
    };
    Case {
        name: "the run came to its end".to_owned(),
        written: None,
        outcome,
        shown: vec![shown.to_owned()],
    }
}

fn none_failed(ended: &Ended<'_>) -> Case<'static> {
    let all = ended.summary.all();
    let (outcome, shown) = match (all.requests(), all.failed()) {
        (0, _) => (Outcome::Failed("no data"), "no request ended".to_owned()),
        (_, 0) => (Outcome::Passed, "none failed".to_owned()),
        (requests, failed) => {
            let requests = figures::counted(requests, "request");
            let shown = format!("{} of {requests} failed", figures::count(failed));
            (Outcome::Failed("requests failed"), shown)
        }
    };
    Case {
        name: "no request failed (--fail-on-error)".to_owned(),
        written: None,
        outcome,
        shown: vec![shown],
    }
}

fn answered(found: &Found) -> Case<'static> {
    let outcome = if found.is_answered() { Outcome::Passed } else { Outcome::Failed("no limit") };
    let name = "the search has its answer".to_owned();
    Case { name, written: None, outcome, shown: vec![found.sentence()] }
}

fn threshold<'a>(judged: &'a Judged, names: &mut Unique) -> Case<'a> {
    // How many samples it takes, or what is missing: the outcome says only that.
    let why =
        matches!(judged.state, State::TooFew | State::NotJudged).then(|| figures::word(judged));
    let parts: Vec<_> =
        [figures::shown_value(judged), why, figures::place(judged)].into_iter().flatten().collect();
    let shown = parts.join(", ");
    let text = figures::threshold(&judged.threshold);
    Case {
        name: names.name(|number| format!("{text}{number}")),
        written: judged.threshold.written.as_ref(),
        outcome: Outcome::of(judged.state),
        shown: vec![shown],
    }
}

/// Names of which no two are the same.
#[derive(Default)]
pub(super) struct Unique(HashSet<String>);

impl Unique {
    /// What `make` makes of nothing; of ` (2)` and so on when that was there before.
    pub(super) fn name(&mut self, make: impl Fn(&str) -> String) -> String {
        let mut name = make("");
        for number in 2.. {
            if self.0.insert(name.clone()) {
                break;
            }
            name = make(&format!(" ({number})"));
        }
        name
    }
}
