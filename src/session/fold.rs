//! Owns folding the seconds of a run into its summary and its thresholds: the one way for what is measured
//! now and for what is read from records.

use std::time::Duration;

use crate::event::{Event, Second};
use crate::load::Span;
use crate::metrics::{Catalogue, Health, Interval, Summary};
use crate::sink::FanOut;
use crate::verdict::{Baseline, Stage, Standings, Threshold, Timetable};

/// The figures of a run as its seconds come in.
pub(super) struct Fold {
    /// In whole seconds: that is how figures come.
    warmup: Duration,
    /// What is shown begins there, within the warm-up or behind it.
    begins: Duration,
    /// What counts of it begins there: behind the warm-up, or later.
    from: Duration,
    standings: Standings,
    summary: Summary,
    warm: Summary,
    stages: Vec<Stage>,
}

/// A run that was folded to its end.
pub(super) struct Folded {
    pub(super) summary: Summary,
    /// That of the warm-up, when any of it is shown.
    pub(super) warmup: Option<Summary>,
    pub(super) standings: Standings,
    /// The parts of the load in time.
    pub(super) stages: Vec<Stage>,
}

/// A second, and what is known of the load that it was a part of.
pub(super) struct Asked<'a> {
    pub(super) interval: &'a Interval,
    /// How many users the profile asks for at its end.
    pub(super) users: u32,
    /// Load was asked for up to its end.
    pub(super) within_load: bool,
    /// Until when it is asked for, as far as is known by now.
    pub(super) loaded: Duration,
}

impl Fold {
    /// Of a run from its start.
    pub(super) fn new(
        catalogue: &Catalogue,
        thresholds: &[Threshold],
        timetable: Timetable,
    ) -> Self {
        Self::from_second(catalogue, thresholds, timetable, 0)
    }

    /// Of what comes from a second of the run on.
    pub(super) fn from_second(
        catalogue: &Catalogue,
        thresholds: &[Threshold],
        timetable: Timetable,
        from: u32,
    ) -> Self {
        let counts = timetable.warmup.max(from);
        Self {
            begins: Duration::from_secs(from.into()),
            warmup: Duration::from_secs(timetable.warmup.into()),
            from: Duration::from_secs(counts.into()),
            stages: timetable.stages.clone(),
            standings: Standings::new(thresholds, &Timetable { warmup: counts, ..timetable }),
            summary: Summary::new(catalogue.clone()),
            warm: Summary::new(catalogue.clone()),
        }
    }

    /// Thresholds on a baseline are held against this one.
    pub(super) fn compare(&mut self, baseline: &Baseline) {
        self.standings.compare(baseline);
    }

    /// At the end of the last second some request is under way.
    pub(super) fn is_under_way(&self) -> bool {
        self.summary.unaccounted() + self.warm.unaccounted() > 0
    }

    /// Takes a second; seconds come in order. Gives the threshold that ends the run, when it broke with
    /// this one.
    pub(super) fn second(&mut self, asked: &Asked<'_>, fan_out: &mut FanOut) -> Option<String> {
        let Asked { interval, users, within_load, loaded } = *asked;
        let end = Duration::from_secs(u64::from(interval.to_s));
        if end <= self.warmup {
            self.warm.add_asked(interval, users);
            self.warm.duration = end;
            self.warm.loaded = end.min(loaded).saturating_sub(self.begins);
        } else {
            self.summary.add_asked(interval, users);
        }
        self.summary.duration = end;
        self.summary.loaded = loaded.min(end).saturating_sub(self.from);
        let warmup = (end <= self.warmup).then_some(&self.warm);
        let so_far = &self.summary;
        let iterations = so_far.totals.iterations + self.warm.totals.iterations;
        let under_way = self.is_under_way();
        let broke = self.standings.second(interval, so_far, within_load, under_way).map(|judged| {
            let Threshold { text, of, .. } = &judged.threshold;
            let of = of.as_ref().map_or(String::new(), |of| format!(" of {}", of.long()));
            format!("{text}{of}{}", judged.threshold.when_words())
        });
        let (asked_users, standings) = (users, &self.standings);
        let second = Second {
            interval,
            asked_users,
            within_load,
            loaded,
            so_far,
            iterations,
            warmup,
            standings,
        };
        fan_out.take(&Event::Second(&second));
        broke
    }

    /// The run is over after so long; load was asked for until `loaded`. The generator's `health` was
    /// read after the last second.
    pub(super) fn end(mut self, duration: Duration, loaded: Duration, health: &Health) -> Folded {
        let last = if duration <= self.warmup { &mut self.warm } else { &mut self.summary };
        last.totals.health.merge(health);
        self.summary.duration = duration;
        self.summary.loaded = loaded.min(duration).saturating_sub(self.from);
        // A run may end within its warm-up.
        self.warm.duration = self.warm.duration.min(duration);
        let loaded = loaded.min(duration).saturating_sub(self.begins);
        self.warm.loaded = self.warm.loaded.min(loaded);
        let warmup = (self.begins < self.warmup).then_some(self.warm);
        if let Some(warmup) = &warmup {
            self.summary.carried += warmup.unaccounted();
        }
        let Self { summary, standings, stages, .. } = self;
        Folded { summary, warmup, standings, stages }
    }

    /// Of what is shown so many requests began before it, less those that ended after it.
    pub(super) fn carry(&mut self, requests: i64) {
        self.summary.carried += requests;
    }

    /// Where what is shown was cut off so many arrivals waited for a user.
    pub(super) fn leave_waiting(&mut self, arrivals: u64) {
        self.summary.waiting = arrivals;
    }
}

/// When thresholds are judged: after a warm-up, of which figures come in whole seconds, and by stages.
pub(super) fn timetable(warmup: Duration, spans: &[Span]) -> Timetable {
    let seconds = warmup.as_secs() + u64::from(warmup.subsec_nanos() > 0);
    let stage = |span: &Span| Stage { name: span.name.clone(), from: span.from, to: span.to };
    let stages = spans.iter().map(stage).collect();
    Timetable { warmup: u32::try_from(seconds).unwrap_or(u32::MAX), stages }
}
