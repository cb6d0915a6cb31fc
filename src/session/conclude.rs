//! Owns the end of a run: its verdict, what is written of it, and the exit code.

use std::time::Duration;

use super::fold::Folded;
use super::{reach, say};
use crate::control::StopReason;
use crate::event::{Again, Aside, Closing, Ended, Event, Found, Probed, Steered};
use crate::exit::Exit;
use crate::load::Sight;
use crate::metrics::Evidence;
use crate::sink::FanOut;
use crate::verdict::diagnosis::{Case, Sought, diagnose};
use crate::verdict::{Judged, Stage, Threshold, Verdict, validity, validity_of_search};

/// All that is known at the end.
pub(super) struct Conclusion<'a> {
    pub(super) folded: &'a Folded,
    pub(super) asides: &'a [Aside],
    pub(super) evidence: Option<&'a Evidence>,
    pub(super) steered: &'a [Steered],
    /// Those of the plan.
    pub(super) thresholds: &'a [Threshold],
    pub(super) search: Option<&'a Found>,
    pub(super) stopped: Option<StopReason>,
    pub(super) stopped_by: Option<&'a str>,
    /// Any failed request makes the exit code that of a broken threshold.
    pub(super) fail_on_error: bool,
    /// Threads that owned users; of several records those of the one with the most.
    pub(super) workers: usize,
    pub(super) closing: Closing,
    /// The run is shown again from its record.
    pub(super) again: Option<&'a Again>,
    pub(super) at: jiff::Timestamp,
}

impl Conclusion<'_> {
    /// Judges, writes what is left to write, and finds the exit code.
    pub(super) fn conclude(&self, fan_out: &mut FanOut) -> Exit {
        let Folded { summary, warmup, standings, stages } = self.folded;
        let cut_off = self.again.map_or(0, |again| again.cut_off);
        let verdict = Verdict {
            thresholds: match self.search {
                Some(_) => self.thresholds.iter().map(Judged::not_judged).collect(),
                None => standings.judged(summary),
            },
            validity: match self.search {
                Some(_) => validity_of_search(summary, self.closing.lost, cut_off),
                None => validity(summary, self.closing.lost, cut_off),
            },
        };
        // A search has its stages from what it met.
        let looks = self.search.map(looks);
        let stages = looks.as_deref().unwrap_or(stages);
        let (sought, workers) = (self.search.map(sought), self.workers);
        let findings = diagnose(&Case { summary, verdict: &verdict, stages, sought, workers });
        // A run in which no request ended shows no success either.
        let unsuccessful = summary.all().failed() > 0 || summary.all().requests() == 0;
        // What fails in a search is to fail.
        let fails = self.fail_on_error && unsuccessful && self.search.is_none();
        let broke = verdict.broken() > 0 || fails;
        let broke = broke || self.search.is_some_and(|found| !found.is_answered());
        let exit = self.exit(&verdict, broke, false);
        let ended = Ended {
            summary,
            warmup: warmup.as_ref(),
            asides: self.asides,
            evidence: self.evidence,
            verdict: &verdict,
            findings: &findings,
            steered: self.steered,
            search: self.search,
            stopped: self.stopped,
            stopped_by: self.stopped_by,
            exit_code: exit.code(),
            at: self.at,
            closing: &self.closing,
            again: self.again,
        };
        fan_out.take(&Event::Ended(&ended));
        for failure in fan_out.failures() {
            say(&format!("error: could not write {}: {}\n", failure.name, failure.error));
        }
        if !fan_out.failures().is_empty() {
            say("  what else was measured is in the other results\n");
        }
        self.exit(&verdict, broke, !fan_out.failures().is_empty())
    }

    fn exit(&self, verdict: &Verdict, broke: bool, unwritten: bool) -> Exit {
        let strained = self.search.is_some_and(Found::is_strained);
        exit(verdict, self.stopped, broke, unwritten || strained)
    }
}

/// When several apply: a signal, then a run that cannot be trusted, then a broken threshold.
fn exit(verdict: &Verdict, stopped: Option<StopReason>, broke: bool, untrusted: bool) -> Exit {
    match stopped.filter(|reason| !reason.is_of_the_plan()) {
        Some(reason) => reach::stopped(reason),
        None if untrusted || verdict.validity.is_invalid() => Exit::Untrusted,
        None if broke => Exit::Broke,
        None => Exit::Held,
    }
}

/// The looks of a search that say something of the target, as stages.
fn looks(found: &Found) -> Vec<Stage> {
    let second = |second: u32| Duration::from_secs(second.into());
    let stage = |look: &Probed| Stage {
        name: found.searching.search.of.words(look.level),
        from: second(look.from_s),
        to: second(look.to_s),
    };
    found.path.iter().filter(|look| look.sight != Sight::Strained).map(stage).collect()
}

/// What the diagnosis is to know of a search.
fn sought(found: &Found) -> Sought<'_> {
    let last = found.path.last().filter(|_| found.is_strained());
    Sought {
        must: &found.searching.must,
        broke: found.broke.is_some(),
        strained: last.and_then(|look| look.why.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Searching;
    use crate::load::{Scale, Search};
    use crate::metrics::{Catalogue, Summary};
    use crate::verdict::{Judged, State, Threshold, Validity, judge};

    #[test]
    fn when_several_apply_a_signal_comes_first_then_trust_then_thresholds() {
        let rps = Threshold::parse("rps > 1").expect("it is one");
        let verdict = |valid: bool, state: State| Verdict {
            thresholds: vec![Judged { state, ..judge(&rps, &Summary::new(Catalogue::default())) }],
            validity: if valid { Validity::Valid } else { Validity::Invalid(vec!["late".into()]) },
        };
        let code = |valid, state, stopped, unwritten| {
            let verdict = verdict(valid, state);
            exit(&verdict, stopped, verdict.broken() > 0, unwritten).code()
        };
        let (held, broke, interrupted) = (State::Held, State::Broke, Some(StopReason::Interrupted));
        assert_eq!(code(true, held, None, false), 0);
        assert_eq!(code(true, broke, None, false), 1);
        assert_eq!(code(true, State::NoData, None, false), 1);
        assert_eq!(code(true, State::TooFew, None, false), 1);
        assert_eq!(code(true, State::NotJudged, None, false), 0);
        assert_eq!(code(false, broke, None, false), 3);
        assert_eq!(code(true, broke, None, true), 3);
        assert_eq!(code(false, broke, interrupted, true), 130);
        assert_eq!(code(true, held, Some(StopReason::Terminated), false), 143);
    }

    #[test]
    fn the_diagnosis_of_a_search_leaves_out_where_the_generator_was_short() {
        let search = Search {
            of: Scale::Users,
            from: 50,
            to: 100,
            hold: Duration::from_secs(30),
            settle: Duration::from_secs(10),
            within: 0.1,
        };
        let searching = Searching { search, must: Vec::new() };
        let look = |at: u32, level: u64, sight: Sight, why: Option<&str>| Probed {
            level,
            confirming: false,
            from_s: at,
            to_s: at + 30,
            sight,
            why: why.map(str::to_owned),
            figures: Vec::new(),
        };
        let held = look(10, 50, Sight::Held, None);
        let short = |at| look(at, 100, Sight::Strained, Some("it began late"));
        let ended = Found::of(&searching, &[held.clone(), short(50), short(90)]);
        assert_eq!(looks(&ended).len(), 1);
        assert_eq!((sought(&ended).strained, sought(&ended).broke), (Some("it began late"), false));
        let broke = look(90, 100, Sight::Broke, None);
        let goes_on = Found::of(&searching, &[held, short(50), broke]);
        assert_eq!(looks(&goes_on).len(), 2);
        assert_eq!((sought(&goes_on).strained, sought(&goes_on).broke), (None, true));
    }
}
