//! Owns thresholds on a baseline: the seconds of two runs, and how a figure of one stands to the other's.

use std::time::Duration;

use super::judge::{Figures, Judged, Pick, State, stands};
use super::threshold::Threshold;
use super::timetable::Timetable;
use crate::metrics::{Catalogue, Interval};

/// At most so many stretches of seconds are kept of a run: beyond it neighbours become one.
const STRETCHES: usize = 1200;

/// A stored run, which another is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'a> {
    /// Its seconds, in order.
    pub seconds: &'a [Interval],
    /// The words behind their numbers.
    pub catalogue: &'a Catalogue,
    /// Its warm-up and its stages.
    pub timetable: &'a Timetable,
    /// From its start until load was no longer asked for.
    pub loaded: Duration,
}

/// What a threshold looks at, second by second.
#[derive(Debug, Clone)]
pub(super) struct Seconds {
    /// How many seconds a stretch covers; the last may cover fewer.
    step_s: usize,
    /// How many the last covers.
    last_s: usize,
    stretches: Vec<Figures>,
    /// How long load was asked for in them.
    pub(super) loaded_s: f64,
}

impl Default for Seconds {
    fn default() -> Self {
        Self { step_s: 1, last_s: 1, stretches: Vec::new(), loaded_s: 0.0 }
    }
}

impl Seconds {
    /// Those of a stored run.
    pub(super) fn of(threshold: &Threshold, baseline: &Baseline<'_>) -> Self {
        let Baseline { seconds, catalogue, timetable, loaded } = *baseline;
        let pick = Pick::of(threshold, catalogue);
        let stretches = timetable.stretches(threshold);
        let mut kept = Self::default();
        for interval in seconds {
            let at = |(from, to): &&(u32, u32)| (*from..*to).contains(&interval.from_s);
            let Some((from, _)) = stretches.iter().find(at) else { continue };
            let (begin, end) = (f64::from(interval.from_s), f64::from(interval.to_s));
            let within = end.min(loaded.as_secs_f64());
            if threshold.during.is_some() && within < end {
                continue;
            }
            kept.loaded_s += (within - begin.max(f64::from(*from))).max(0.0);
            let all = interval.all_names();
            kept.push(Figures::of(threshold, &pick, interval, || &all));
        }
        kept
    }

    /// Adds the next one.
    pub(super) fn push(&mut self, figures: Figures) {
        match self.stretches.last_mut() {
            Some(last) if self.last_s < self.step_s => {
                last.merge(&figures);
                self.last_s += 1;
            }
            _ => {
                self.stretches.push(figures);
                self.last_s = 1;
            }
        }
        if self.stretches.len() > STRETCHES {
            let odd = self.stretches.len() % 2 == 1;
            let pairs = self.stretches.chunks(2).map(|pair| {
                let mut sum = pair[0].clone();
                pair[1..].iter().for_each(|other| sum.merge(other));
                sum
            });
            self.stretches = pairs.collect();
            self.last_s += if odd { 0 } else { self.step_s };
            self.step_s *= 2;
        }
    }

    fn sum(&self) -> Figures {
        let mut sum = Figures::default();
        self.stretches.iter().for_each(|one| sum.merge(one));
        sum
    }

    /// The figure that the threshold looks at. None without data.
    pub(super) fn value(&self, threshold: &Threshold) -> Option<f64> {
        self.sum().value(threshold, self.loaded_s)
    }
}

/// Judges a threshold on a baseline by the seconds of both runs: the one place where they meet. What the
/// baseline has no figure of cannot be compared, which is no pass; and of a percentile both need
/// samples enough.
pub(super) fn against(threshold: &Threshold, mine: &Seconds, theirs: &Seconds) -> Judged {
    let (figures, others) = (mine.sum(), theirs.sum());
    let baseline = others.value(threshold, theirs.loaded_s);
    let limit = threshold.limit.number(baseline);
    let mut stands = stands(threshold, &figures, mine.loaded_s, limit);
    if baseline.is_none() {
        stands.state = State::NoData;
    } else if stands.state == State::Held
        && let Some(few) = others.few(threshold)
    {
        (stands.state, stands.few) = (State::TooFew, Some(few));
    }
    Judged { limit, baseline, ..Judged::new(threshold, stands) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RequestName;
    use crate::verdict::{Of, Stage, Standings, When};

    fn catalogue(names: &[&str]) -> Catalogue {
        let name = |name: &&str| RequestName { method: "GET".into(), name: (*name).into() };
        Catalogue { names: names.iter().map(name).collect(), ..Catalogue::default() }
    }

    /// A second with so many requests of the series `number`, each of so many milliseconds.
    fn second(at: u32, number: u16, requests: u64, ms: u64, failed: u64) -> Interval {
        let mut interval = Interval::second(at);
        let stats = interval.names.entry(number).or_default();
        (failed..requests).for_each(|_| stats.response_ok.record(Duration::from_millis(ms)));
        (0..failed).for_each(|_| stats.response_failed.record(Duration::from_millis(ms)));
        interval
    }

    fn run(requests: u64, ms: u64, failed: u64) -> Vec<Interval> {
        (0..10).map(|at| second(at, 0, requests, ms, failed)).collect()
    }

    /// A threshold of the new run against the old, each of ten seconds.
    fn judged(threshold: &Threshold, old: &[Interval], new: &[Interval]) -> Judged {
        let names = catalogue(&["/"]);
        judged_of(threshold, (old, &names), (new, &names), &Timetable::default())
    }

    fn judged_of(
        threshold: &Threshold,
        old: (&[Interval], &Catalogue),
        new: (&[Interval], &Catalogue),
        timetable: &Timetable,
    ) -> Judged {
        let loaded = Duration::from_secs(10);
        let baseline = Baseline { seconds: old.0, catalogue: old.1, timetable, loaded };
        let mut standings = Standings::new(std::slice::from_ref(threshold), timetable);
        standings.compare(&baseline);
        let mut summary = crate::metrics::Summary::new(new.1.clone());
        for interval in new.0 {
            summary.add(interval);
            summary.loaded = Duration::from_secs(u64::from(interval.to_s - timetable.warmup));
            assert!(standings.second(interval, &summary, true, true).is_none());
        }
        standings.judged(&summary).remove(0)
    }

    fn shown(judged: &Judged) -> String {
        let figure =
            |value: Option<f64>| value.map_or("nothing".into(), |value| format!("{value:.3}"));
        let (value, limit) = (figure(judged.value), figure(judged.limit));
        format!("{:?} {value} for {limit}, was {}", judged.state, figure(judged.baseline))
    }

    #[test]
    fn a_figure_is_judged_by_that_of_the_baseline() {
        let of = |text: &str, old: (u64, u64, u64), new: (u64, u64, u64)| {
            let (old, new) = (run(old.0, old.1, old.2), run(new.0, new.1, new.2));
            shown(&judged(&Threshold::parse(text).unwrap(), &old, &new))
        };
        let (slow, fast) = ((10, 110, 0), (10, 100, 0));
        assert_eq!(
            of("avg < baseline * 1.09", fast, slow),
            "Broke 110.000 for 109.000, was 100.000"
        );
        assert_eq!(of("avg < baseline + 15%", fast, slow), "Held 110.000 for 115.000, was 100.000");
        assert_eq!(
            of("avg < baseline + 5ms", fast, slow),
            "Broke 110.000 for 105.000, was 100.000"
        );
        assert_eq!(of("avg < baseline", slow, fast), "Held 100.000 for 110.000, was 110.000");
        assert_eq!(
            of("rps > baseline * 0.9", (10, 1, 0), (9, 1, 0)),
            "Broke 9.000 for 9.000, was 10.000"
        );
        assert_eq!(
            of("rps >= baseline * 0.9", (10, 1, 0), (9, 1, 0)),
            "Held 9.000 for 9.000, was 10.000"
        );
        let failing = ("error_rate < baseline * 2", "error_rate < baseline + 15 points");
        assert_eq!(of(failing.0, (10, 1, 1), (10, 1, 2)), "Broke 0.200 for 0.200, was 0.100");
        assert_eq!(of(failing.1, (10, 1, 1), (10, 1, 2)), "Held 0.200 for 0.250, was 0.100");
        // None of what there was none of.
        assert_eq!(of(failing.0, fast, fast), "Held 0.000 for 0.000, was 0.000");
        assert_eq!(of(failing.0, fast, (10, 1, 1)), "Broke 0.100 for 0.000, was 0.000");
    }

    #[test]
    fn both_runs_need_data_and_samples() {
        let p95 = Threshold::parse("p95 < baseline * 1.10").unwrap();
        let (few, many) = (run(5, 100, 0), run(6, 100, 0));
        assert_eq!(shown(&judged(&p95, &many, &many)), "Held 100.000 for 110.000, was 100.000");
        for (old, new) in [(&few, &many), (&many, &few)] {
            let judged = judged(&p95, old, new);
            let few = judged.few.map(|few| (few.had, few.needs));
            assert_eq!((judged.state, few), (State::TooFew, Some((50, 59))));
        }
        let slow = run(5, 300, 0);
        assert_eq!(judged(&p95, &many, &slow).state, State::Broke, "however few show it");
        let allowed = Threshold { allow_few: true, ..p95.clone() };
        assert_eq!(judged(&allowed, &few, &few).state, State::Held);
        assert_eq!(shown(&judged(&p95, &[], &many)), "NoData 100.000 for nothing, was nothing");
        assert_eq!(judged(&p95, &many, &[]).state, State::NoData);
    }

    #[test]
    fn without_a_baseline_it_is_not_judged() {
        let p95 = Threshold::parse("p95 < baseline * 1.10").unwrap();
        let mut summary = crate::metrics::Summary::new(catalogue(&["/"]));
        let mut standings = Standings::new(&[p95], &Timetable::default());
        assert_eq!(standings.judged(&summary)[0].state, State::NotJudged);
        let interval = second(0, 0, 3, 100, 0);
        summary.add(&interval);
        assert!(standings.second(&interval, &summary, true, true).is_none());
        let judged = standings.judged(&summary).remove(0);
        assert_eq!((judged.state, judged.limit), (State::NotJudged, None));
        assert!(judged.value.is_some() && judged.state.passes());
    }

    /// Names have other numbers in another run, and a stage lies elsewhere.
    #[test]
    fn each_run_is_looked_at_by_its_own_names_and_times() {
        let of = |threshold: Threshold| Threshold { of: Some(Of::Name("/b".into())), ..threshold };
        let avg = of(Threshold::parse("avg < baseline * 2").unwrap());
        let old: Vec<_> = (0..10).flat_map(|at| [second(at, 0, 5, 30, 0)]).collect();
        let mut new = old.clone();
        new.iter_mut().for_each(|one| {
            let stats = one.names.remove(&0).unwrap();
            one.names.insert(1, stats);
            one.names.insert(0, second(0, 0, 5, 900, 0).names.remove(&0).unwrap());
        });
        let (before, now) = (catalogue(&["/b"]), catalogue(&["/a", "/b"]));
        let plain = Timetable::default();
        let whole = judged_of(&avg, (&old, &before), (&new, &now), &plain);
        assert_eq!(shown(&whole), "Held 30.000 for 60.000, was 30.000");
        let peak =
            Stage { name: "peak".into(), from: Duration::from_secs(4), to: Duration::from_secs(6) };
        let timetable = Timetable { warmup: 1, stages: vec![peak] };
        let during = Threshold {
            during: Some("peak".into()),
            ..Threshold::parse("rps > baseline").unwrap()
        };
        let mut busy = run(5, 10, 0);
        busy[4] = second(4, 0, 15, 10, 0);
        let judged = judged_of(&during, (&run(5, 10, 0), &before), (&busy, &before), &timetable);
        assert_eq!(shown(&judged), "Held 10.000 for 5.000, was 5.000");
        let when = When { after: 9, ..When::default() };
        let late = Threshold { when, ..Threshold::parse("rps > baseline * 0.5").unwrap() };
        let judged = judged_of(&late, (&run(4, 10, 0), &before), (&busy, &before), &plain);
        assert_eq!(shown(&judged), "Held 5.000 for 2.000, was 4.000");
    }

    #[test]
    fn a_day_weighs_no_more_than_twenty_minutes() {
        let failures = Threshold::parse("error_rate < baseline").unwrap();
        let pick = Pick::All;
        let mut seconds = Seconds::default();
        for at in 0..10_007 {
            let interval = second(at, 0, 4, 1, u64::from(at % 4 == 0));
            let all = interval.all_names();
            seconds.push(Figures::of(&failures, &pick, &interval, || &all));
            assert!(seconds.stretches.len() <= STRETCHES);
        }
        assert_eq!((seconds.step_s, seconds.last_s), (16, 10_007 % 16));
        assert_eq!(seconds.value(&failures), Some(2502.0 / 40_028.0));
    }
}
