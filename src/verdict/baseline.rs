//! Owns thresholds on a baseline: the seconds of two runs, and how a figure of one stands to the other's.

use std::time::Duration;

use super::compare::{self, Asked, Figure, Kept, LEAST, Series};
use super::judge::{Figures, Judged, Pick, State, stands};
use super::threshold::{Metric, Statistic, Threshold};
use super::timetable::Timetable;
use crate::metrics::{Catalogue, Interval};

/// A stored run, as the thresholds look at it that compare with it. It is made of its seconds, one at a
/// time, and however long it was it weighs no more than twenty minutes.
#[derive(Debug, Clone)]
pub struct Baseline(Vec<Looked>);

/// What one threshold looks at.
#[derive(Debug, Clone)]
struct Looked {
    threshold: Threshold,
    pick: Pick,
    stretches: Vec<(u32, u32)>,
    seconds: Seconds,
    /// The first second in which the load ended.
    partial: Option<u32>,
}

impl Baseline {
    /// Before the first second of the stored run, whose words and parts in time these are.
    #[must_use]
    pub fn new(thresholds: &[Threshold], catalogue: &Catalogue, timetable: &Timetable) -> Self {
        let those = thresholds.iter().filter(|one| one.limit.is_of_baseline());
        let looked = |threshold: &Threshold| Looked {
            threshold: threshold.clone(),
            pick: Pick::of(threshold, catalogue),
            stretches: timetable.stretches(threshold),
            seconds: Seconds::default(),
            partial: None,
        };
        Self(those.map(looked).collect())
    }

    /// Adds its next second; load was asked for up to its end, or it was not.
    pub fn push(&mut self, interval: &Interval, within_load: bool) {
        let all = interval.all_names();
        for looked in &mut self.0 {
            let Looked { threshold, pick, stretches, seconds, partial } = looked;
            let holds = |(from, to): &(u32, u32)| (*from..*to).contains(&interval.from_s);
            if !stretches.iter().any(holds) || (threshold.during.is_some() && !within_load) {
                continue;
            }
            if within_load {
                seconds.loaded_s += 1.0;
            } else {
                partial.get_or_insert(interval.from_s);
            }
            let figures = Figures::of(threshold, pick, interval, || &all);
            seconds.push(threshold, &figures, within_load);
        }
    }

    /// It is over: from its start load was asked for so long.
    #[must_use]
    pub fn end(mut self, loaded: Duration) -> Self {
        for looked in &mut self.0 {
            let rest = looked.partial.map(|from| loaded.as_secs_f64() - f64::from(from));
            looked.seconds.loaded_s += rest.unwrap_or(0.0).clamp(0.0, 1.0);
        }
        self
    }

    /// What a threshold on it looks at.
    pub(super) fn of(&self, threshold: &Threshold) -> Option<&Seconds> {
        let mut all = self.0.iter();
        all.find(|looked| looked.threshold == *threshold).map(|looked| &looked.seconds)
    }
}

/// What a threshold looks at, together and second by second.
#[derive(Debug, Clone, Default)]
pub(super) struct Seconds {
    figures: Figures,
    series: Series,
    /// How long load was asked for in them.
    pub(super) loaded_s: f64,
}

impl Seconds {
    /// Adds the next one. Only those in which load was asked for up to the end are alike.
    pub(super) fn push(&mut self, threshold: &Threshold, figures: &Figures, within_load: bool) {
        self.figures.merge(figures);
        if within_load && figure(threshold.metric).is_some() {
            self.series.push(&figures.second(threshold));
        }
    }

    /// The figure that the threshold looks at. None without data.
    pub(super) fn value(&self, threshold: &Threshold) -> Option<f64> {
        self.figures.value(threshold, self.loaded_s)
    }
}

/// The figure by which runs are compared; none for a mean or an end, of which chance is not known.
fn figure(metric: Metric) -> Option<Figure> {
    match metric {
        Metric::Time(_, Statistic::Percentile(quantile)) => Some(Figure::Percentile(quantile)),
        Metric::Rps => Some(Figure::Throughput),
        Metric::ErrorRate => Some(Figure::ErrorRate),
        _ => None,
    }
}

/// Compares what a threshold looks at in both runs, as runs are compared. It is judged by [`settle`], with the
/// others; but a mean, a minimum and a maximum are judged here, as numbers. What the baseline has no
/// figure of cannot be compared, which is no pass.
pub(super) fn against(threshold: &Threshold, mine: &Seconds, theirs: &Seconds) -> Judged {
    let baseline = theirs.value(threshold);
    let limit = threshold.limit.number(baseline);
    let mut stands = stands(threshold, &mine.figures, mine.loaded_s, limit);
    let figure = figure(threshold.metric);
    let Some(figure) = figure.filter(|_| baseline.is_some() && stands.value.is_some()) else {
        if baseline.is_none() {
            stands.state = State::NoData;
        }
        return Judged { limit, baseline, ..Judged::new(threshold, stands) };
    };
    let sides = (&[Some(&theirs.series)], &[Some(&mine.series)]);
    let compared = Some(compare::one(sides.0, sides.1, figure, &Asked::default()));
    stands.few = mine.figures.few(threshold).or_else(|| theirs.figures.few(threshold));
    Judged { limit, baseline, compared, ..Judged::new(threshold, stands) }
}

/// Judges those that were compared, together: of many thresholds one breaks by chance, and a gate must not.
/// One breaks when the limit is passed and a difference from the baseline is shown, and one that asks for
/// better than the baseline holds when that is shown. What was measured for too short is no pass.
pub(super) fn settle(all: &mut [Judged]) {
    let mut compared: Vec<_> = all.iter_mut().filter_map(|one| one.compared.as_mut()).collect();
    compare::together(&mut compared, LEAST);
    for Judged { threshold, compared, state, few, .. } in all {
        let Some(compared) = compared else { continue };
        let limit = |was| threshold.limit.number(Some(was)).unwrap_or(was);
        let needs = few.take();
        (*state, *few) = match compare::kept(compared, threshold.op, limit) {
            Kept::Broke | Kept::NotBetter => (State::Broke, None),
            Kept::Held | Kept::NotShown if needs.is_some() => (State::TooFew, needs),
            Kept::Held | Kept::NotShown => (State::Held, None),
            // With few allowed the numbers alone must do.
            Kept::CannotSay(_) if threshold.allow_few => (*state, None),
            Kept::CannotSay(_) => (State::TooFew, needs),
        };
    }
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

    /// Shorter ones cannot be compared.
    const LENGTH: u32 = 50;

    fn run(requests: u64, ms: u64, failed: u64) -> Vec<Interval> {
        (0..LENGTH).map(|at| second(at, 0, requests, ms, failed)).collect()
    }

    /// A threshold of the new run against the old, each of fifty seconds.
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
        let mut baseline = Baseline::new(std::slice::from_ref(threshold), old.1, timetable);
        old.0.iter().for_each(|interval| baseline.push(interval, true));
        let baseline = baseline.end(Duration::from_secs(LENGTH.into()));
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
        let (few, many) = (run(1, 100, 0), run(2, 100, 0));
        assert_eq!(shown(&judged(&p95, &many, &many)), "Held 100.000 for 110.000, was 100.000");
        for (old, new) in [(&few, &many), (&many, &few)] {
            let judged = judged(&p95, old, new);
            let few = judged.few.map(|few| (few.had, few.needs));
            assert_eq!((judged.state, few), (State::TooFew, Some((50, 59))));
        }
        let slow = run(1, 300, 0);
        assert_eq!(judged(&p95, &many, &slow).state, State::TooFew, "chance is not known");
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
        let old: Vec<_> = (0..LENGTH).map(|at| second(at, 0, 5, 30, 0)).collect();
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
        let peak = Stage {
            name: "peak".into(),
            from: Duration::from_secs(4),
            to: Duration::from_secs(40),
        };
        let timetable = Timetable { warmup: 1, stages: vec![peak] };
        let during = Threshold {
            during: Some("peak".into()),
            ..Threshold::parse("rps > baseline").unwrap()
        };
        let mut busy = run(5, 10, 0);
        (4..40).for_each(|at| busy[at] = second(at as u32, 0, 15, 10, 0));
        let judged = judged_of(&during, (&run(5, 10, 0), &before), (&busy, &before), &timetable);
        assert_eq!(shown(&judged), "Held 15.000 for 5.000, was 5.000");
        let when = When { after: 9, ..When::default() };
        let late = Threshold { when, ..Threshold::parse("rps > baseline * 0.5").unwrap() };
        let judged = judged_of(&late, (&run(4, 10, 0), &before), (&busy, &before), &plain);
        assert_eq!(shown(&judged), "Held 12.561 for 2.000, was 4.000");
    }
}
