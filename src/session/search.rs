//! Owns the search of a run as its seconds come in: when a level is looked at, what it has shown, and what
//! is asked for next.

use std::time::Duration;

use crate::control::Steer;
use crate::event::{Figure, Probed, Searching};
use crate::load::{Hunt, Scale, Sight};
use crate::metrics::{Catalogue, Interval, Summary};
use crate::sink::figures;
use crate::units::Rate;
use crate::verdict::{Judged, Metric, State, judge, strain};

/// Arrivals that find no user are dropped, or wait: more than this share of them, and the rate was not
/// reached.
const UNMET: f64 = 0.01;

/// The search of a run.
#[derive(Debug)]
pub(super) struct Seeker {
    searching: Searching,
    catalogue: Catalogue,
    hunt: Hunt,
    phase: Phase,
    /// What the look that goes on has shown.
    window: Summary,
    /// How many seconds looks may still go on for more samples.
    extra: u64,
    /// The answer is there, or there is none: nothing more is asked for.
    over: bool,
}

/// What it is about, in seconds of the run.
///
/// | phase | ends | then |
/// |---|---|---|
/// | settling | when the level has taken effect | looking |
/// | looking | after `hold`, or later for more samples | the next level settles; after a rate that broke: resting |
/// | resting | when nothing is under way, after `hold` at the latest | the next level settles |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A level takes effect up to that second.
    Settling { until: u32 },
    /// What ends from and up to these seconds is looked at.
    Looking { from: u32, until: u32 },
    /// Arrivals are held back, until that second at the latest.
    Resting { until: u32 },
}

/// What a second has brought.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// A look is over.
    pub(super) probed: Option<Probed>,
    /// What is to change now, in order. The last is the level that settles.
    pub(super) changes: Vec<Steer>,
    /// The search is over, and the run with it.
    pub(super) over: bool,
}

impl Seeker {
    /// From the start of the run; the first level settles for as long as the warm-up at least.
    pub(super) fn new(searching: &Searching, catalogue: &Catalogue, warmup: Duration) -> Self {
        let search = searching.search;
        let until = up(search.settle.max(warmup));
        Self {
            searching: searching.clone(),
            catalogue: catalogue.clone(),
            hunt: Hunt::new(search),
            phase: Phase::Settling { until },
            window: Summary::new(catalogue.clone()),
            extra: search.extra().as_secs(),
            over: false,
        }
    }

    /// Takes a second of the run, at whose end some request is `under_way`. Seconds come in order.
    pub(super) fn second(&mut self, interval: &Interval, under_way: bool) -> Turn {
        if self.over {
            return Turn::default();
        }
        let now = interval.to_s;
        match self.phase {
            // What was asked for before is not what is looked at.
            Phase::Settling { until } if interval.from_s < until => Turn::default(),
            Phase::Settling { .. } => {
                let Ok(probe) = self.hunt.now() else { return self.end(None) };
                let window = self.searching.search.window(probe.confirming);
                self.window = Summary::new(self.catalogue.clone());
                self.phase = Phase::Looking {
                    from: interval.from_s,
                    until: interval.from_s.saturating_add(up(window)),
                };
                self.look(interval, under_way)
            }
            Phase::Looking { .. } => self.look(interval, under_way),
            Phase::Resting { until } if under_way && now < until => Turn::default(),
            Phase::Resting { .. } => {
                let mut turn = self.level(now);
                turn.changes.insert(0, Steer::Resume);
                turn
            }
        }
    }

    /// The level that was asked for last holds from that moment of the run on.
    pub(super) fn settles(&mut self, at: Duration) {
        if let Phase::Settling { until } = &mut self.phase {
            *until = up(at + self.searching.search.settle);
        }
    }

    fn look(&mut self, interval: &Interval, under_way: bool) -> Turn {
        let Phase::Looking { from, until } = self.phase else { return Turn::default() };
        self.window.add_figures(interval);
        self.window.loaded += Duration::from_secs(1);
        if interval.to_s < until {
            return Turn::default();
        }
        let Ok(probe) = self.hunt.now() else { return self.end(None) };
        let silent = self.silent(under_way);
        let (sight, why, judged) = self.judged(silent);
        let few = judged.iter().any(|one| one.state == State::TooFew);
        if sight == Sight::CannotSay && few && self.extra > 0 {
            self.extra -= 1;
            self.phase = Phase::Looking { from, until: until + 1 };
            return Turn::default();
        }
        let probed = Probed {
            level: probe.level,
            confirming: probe.confirming,
            from_s: from,
            to_s: interval.to_s,
            sight,
            why,
            figures: judged.iter().map(|one| figure(one, silent)).collect(),
        };
        if self.hunt.saw(sight).is_err() {
            return self.end(Some(probed));
        }
        let open = self.searching.search.of == Scale::Rate;
        if open && sight == Sight::Broke {
            let rest = up(self.searching.search.rest());
            self.phase = Phase::Resting { until: interval.to_s.saturating_add(rest) };
            return Turn { probed: Some(probed), changes: vec![Steer::Pause], over: false };
        }
        Turn { probed: Some(probed), ..self.level(interval.to_s) }
    }

    /// Asks for the level of the next look.
    fn level(&mut self, now: u32) -> Turn {
        let Ok(probe) = self.hunt.now() else { return self.end(None) };
        let over = Duration::ZERO;
        let change = match self.searching.search.of {
            Scale::Users => {
                let users = u32::try_from(probe.level).unwrap_or(u32::MAX);
                Steer::Users { of: None, users, over }
            }
            Scale::Rate => {
                let rate = Rate::of_per_hour_millionths(probe.level);
                Steer::Rate { of: None, rate, over }
            }
        };
        let settle = up(self.searching.search.settle);
        self.phase = Phase::Settling { until: now.saturating_add(settle) };
        Turn { probed: None, changes: vec![change], over: false }
    }

    fn end(&mut self, probed: Option<Probed>) -> Turn {
        self.over = true;
        Turn { probed, changes: Vec::new(), over: true }
    }

    /// Requests wait for an answer, and in the whole look there was none.
    fn silent(&self, under_way: bool) -> bool {
        under_way && self.window.all().requests() == 0
    }

    /// What the look has shown, why, and its figures.
    fn judged(&self, silent: bool) -> (Sight, Option<String>, Vec<Judged>) {
        let must = &self.searching.must;
        let judged: Vec<Judged> = must.iter().map(|one| judge(one, &self.window)).collect();
        // What was sent late, or could not be sent, says nothing of the target.
        if let Some(reason) = strain(&self.window).into_iter().next() {
            return (Sight::Strained, Some(reason), judged);
        }
        let broken = judged.iter().filter(|one| seen(one, silent) == Sight::Broke);
        let broke: Vec<String> = broken
            .map(|one| match one.state {
                State::NoData => "nothing was answered".to_owned(),
                _ => over_its_limit(one),
            })
            .chain(self.unmet())
            .chain(no_success(&self.window, &judged))
            .collect();
        if !broke.is_empty() {
            return (Sight::Broke, Some(broke.join(", ")), judged);
        }
        let unsaid = judged.iter().find(|one| seen(one, silent) == Sight::CannotSay);
        match unsaid {
            Some(one) => {
                let metric = one.threshold.text.split(' ').next().unwrap_or_default();
                let why = match one.few {
                    Some(few) => {
                        let needs = figures::counted(few.needs, "sample");
                        format!("{metric} has {} of the {needs} that it takes", few.had)
                    }
                    None => format!("{metric} has no data"),
                };
                (Sight::CannotSay, Some(why), judged)
            }
            None => (Sight::Held, None, judged),
        }
    }

    /// The rate was not reached: too many arrivals found no user.
    fn unmet(&self) -> Option<String> {
        let totals = &self.window.totals;
        let begun = totals.waited.count() + totals.beat_late.count() + totals.left_out;
        let unmet = totals.arrivals.saturating_sub(begun).max(totals.dropped);
        let share = unmet as f64 / totals.arrivals.max(1) as f64;
        (unmet > 1 && share > UNMET).then(|| {
            format!("the rate was not reached: {:.0}% of the arrivals found no user", share * 1e2)
        })
    }
}

/// Errors are often faster than answers: they pass limits of time. That all failed is told by
/// `error_rate` too, when it broke.
fn no_success(window: &Summary, judged: &[Judged]) -> Option<String> {
    let all = window.all();
    let none = all.requests() > 0 && all.failed() == all.requests();
    let told = judged
        .iter()
        .any(|one| one.threshold.metric == Metric::ErrorRate && one.state == State::Broke);
    (none && !told).then(|| "no request succeeded".to_owned())
}

/// Whether a figure keeps its limit. Where nothing is answered, that is a broken limit.
fn seen(judged: &Judged, silent: bool) -> Sight {
    match judged.state {
        State::Held => Sight::Held,
        State::Broke => Sight::Broke,
        State::NoData if silent => Sight::Broke,
        State::NoData | State::TooFew | State::NotJudged => Sight::CannotSay,
    }
}

fn figure(judged: &Judged, silent: bool) -> Figure {
    Figure {
        must: judged.threshold.text.clone(),
        sight: seen(judged, silent),
        value: judged.value,
        value_text: value_text(judged),
    }
}

/// `p95 was 612ms, over its limit of 500ms`
fn over_its_limit(judged: &Judged) -> String {
    let threshold = &judged.threshold;
    let metric = threshold.text.split(' ').next().unwrap_or_default();
    let side = if threshold.op.is_upper() { "over" } else { "under" };
    format!("{metric} was {}, {side} its limit of {}", value_text(judged), threshold.limit_text())
}

fn value_text(judged: &Judged) -> String {
    figures::value(judged).unwrap_or_else(|| figures::no_value(judged).to_owned())
}

/// In whole seconds, rounded up: figures come so.
fn up(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
