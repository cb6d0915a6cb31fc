//! Owns thresholds while a run goes on: those of windows or of a later beginning, and those that end
//! the run.

use std::cell::OnceCell;

use super::baseline::{Baseline, Seconds, against, settle};
use super::judge::{Figures, First, Judged, Pick, Stands, State, Windows, compared};
use super::threshold::{Op, Threshold};
use super::timetable::Timetable;
use crate::metrics::{Interval, Summary};

/// The thresholds of a run, as its seconds come in.
#[derive(Debug, Clone)]
pub struct Standings {
    /// The first second after the warm-up.
    from: u32,
    all: Vec<Standing>,
}

/// One of them.
#[derive(Debug, Clone)]
struct Standing {
    threshold: Threshold,
    /// The seconds that it looks at: stretches in order, each from and up to.
    stretches: Vec<(u32, u32)>,
    /// What of each second it looks at; known with the first.
    pick: Option<Pick>,
    kept: Kept,
    /// As it stood when it ended the run.
    ended: Option<Judged>,
}

/// What is kept of the seconds.
#[derive(Debug, Clone)]
enum Kept {
    /// All so far, together.
    All(Running),
    /// All so far, and those of the baseline.
    Beside(Running, Box<Beside>),
    /// Windows one after the other: what the one that is under way holds.
    Rows(Figures, Seen),
    /// A window for each second: it and those before.
    Sliding(Sliding, Seen),
}

/// All that a threshold looks at, as it grows.
#[derive(Debug, Clone, Default)]
struct Running {
    figures: Figures,
    /// How many seconds that was.
    seconds: u32,
    /// Since when it does not hold.
    first: Option<First>,
}

/// Two runs.
#[derive(Debug, Clone)]
struct Beside {
    mine: Seconds,
    theirs: Seconds,
    /// The figure of theirs.
    value: Option<f64>,
}

/// The windows so far.
#[derive(Debug, Clone, Default)]
struct Seen {
    judged: u64,
    broken: u64,
    few: u64,
    /// The figure that is farthest on the wrong side of its limit, or nearest to it.
    worst: Option<(State, f64, (u32, u32))>,
    /// The first without data.
    empty: Option<(u32, u32)>,
    /// The first with too few samples.
    scarce: Option<(Stands, (u32, u32))>,
    /// The first that broke.
    first: Option<First>,
}

impl Standings {
    /// Before the first second of a run with these parts in time.
    #[must_use]
    pub fn new(thresholds: &[Threshold], timetable: &Timetable) -> Self {
        let standing = |threshold: &Threshold| {
            let when = threshold.when;
            let kept = match when.every {
                Some(every) if when.abort => Kept::Sliding(Sliding::new(every), Seen::default()),
                Some(_) => Kept::Rows(Figures::default(), Seen::default()),
                None => Kept::All(Running::default()),
            };
            let (threshold, stretches) = (threshold.clone(), timetable.stretches(threshold));
            Standing { threshold, stretches, pick: None, kept, ended: None }
        };
        Self { from: timetable.warmup, all: thresholds.iter().map(standing).collect() }
    }

    /// From now on thresholds on a baseline are judged by this one.
    pub fn compare(&mut self, baseline: &Baseline) {
        for standing in &mut self.all {
            let Some(theirs) = baseline.of(&standing.threshold).cloned() else { continue };
            let value = theirs.value(&standing.threshold);
            let beside = Beside { mine: Seconds::default(), theirs, value };
            standing.kept = Kept::Beside(Running::default(), Box::new(beside));
        }
    }

    /// Takes a second, which `so_far` holds already; it lies `within` the time in which load was asked
    /// for, and at its end some request is `under_way`. Gives the threshold that ends the run, when it
    /// broke just now.
    pub fn second(
        &mut self,
        interval: &Interval,
        so_far: &Summary,
        within: bool,
        under_way: bool,
    ) -> Option<&Judged> {
        let everything = OnceCell::new();
        let mut broke = None;
        let warmup = self.from;
        for (number, standing) in self.all.iter_mut().enumerate() {
            let Standing { threshold, stretches, pick, kept, ended } = standing;
            let holds = |(from, to): &&(u32, u32)| (*from..*to).contains(&interval.from_s);
            let Some((from, _)) = stretches.iter().find(holds).copied() else { continue };
            // A stage is over when the load is, and no window goes on after it.
            let staged =
                threshold.during.is_some() || matches!(kept, Kept::Rows(..) | Kept::Sliding(..));
            if ended.is_some() || (staged && !within) {
                continue;
            }
            let (begin, to) = (stretches[0].0, interval.to_s);
            let pick = pick.get_or_insert_with(|| Pick::of(threshold, &so_far.catalogue));
            let all = || everything.get_or_init(|| interval.all_names());
            let figures = Figures::of(threshold, pick, interval, all);
            // The state is of all so far, or of the window that ends now: one that was empty before is no
            // reason to end a run in which requests are answered again.
            let (state, judged) = match kept {
                Kept::All(running) => {
                    running.add(&figures);
                    let stands = running.stands(threshold, so_far, begin, warmup);
                    running.mark(threshold, stands, to);
                    if !(threshold.when.abort && within) {
                        continue;
                    }
                    (stands.state, running.judged(threshold, stands))
                }
                Kept::Beside(running, beside) => {
                    running.add(&figures);
                    beside.mine.push(threshold, &figures, within);
                    continue;
                }
                Kept::Rows(row, seen) => {
                    if interval.from_s == from {
                        *row = Figures::default();
                    }
                    row.merge(&figures);
                    let every = threshold.when.every.unwrap_or(1);
                    if !(to - from).is_multiple_of(every) {
                        continue;
                    }
                    let row = std::mem::take(row);
                    seen.window(threshold, &row, (to - every, to));
                    continue;
                }
                Kept::Sliding(sliding, seen) => {
                    if interval.from_s == from {
                        *sliding = Sliding::new(sliding.length);
                    }
                    let Some(window) = sliding.push(figures) else { continue };
                    let state = seen.window(threshold, &window, (to - sliding.length, to));
                    (state, seen.judged(threshold))
                }
            };
            // Without windows, what has no data yet may have some later; and in a window in which
            // nothing was asked for, nobody failed to answer. Too few samples show nothing, and so do
            // not end a run.
            let breaks = match state {
                State::Held | State::TooFew | State::NotJudged => false,
                State::Broke => true,
                State::NoData => judged.windows.is_some() && under_way,
            };
            if breaks {
                let at = Windows { judged: 1, broken: 1, few: 0, at: Some((begin, to)) };
                let windows = Some(judged.windows.unwrap_or(at));
                *ended = Some(Judged { windows, ..judged });
                broke = broke.or(Some(number));
            }
        }
        self.all[broke?].ended.as_ref()
    }

    /// How they stand by all the seconds that came, which are those of the summary.
    #[must_use]
    pub fn judged(&self, summary: &Summary) -> Vec<Judged> {
        let judged = |standing: &Standing| match &standing.kept {
            Kept::Beside(running, beside) => {
                let mut mine = beside.mine.clone();
                mine.loaded_s =
                    running.loaded(&standing.threshold, summary, standing.begin(), self.from);
                against(&standing.threshold, &mine, &beside.theirs)
            }
            _ => standing.judged(summary, self.from),
        };
        let mut all: Vec<_> = self.all.iter().map(judged).collect();
        settle(&mut all);
        all
    }

    /// How they stand while the run goes on, which costs little: a baseline is looked at as a number.
    #[must_use]
    pub fn so_far(&self, summary: &Summary) -> Vec<Judged> {
        self.all.iter().map(|standing| standing.judged(summary, self.from)).collect()
    }
}

impl Standing {
    /// The first second that it looks at.
    fn begin(&self) -> u32 {
        self.stretches.first().map_or(0, |(from, _)| *from)
    }

    fn judged(&self, summary: &Summary, warmup: u32) -> Judged {
        let threshold = &self.threshold;
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        match &self.kept {
            Kept::All(running) => {
                let stands = running.stands(threshold, summary, self.begin(), warmup);
                let mut running = running.clone();
                running.mark(threshold, stands, summary.totals.to_s);
                running.judged(threshold, stands)
            }
            Kept::Beside(running, beside) => {
                let limit = threshold.limit.number(beside.value);
                let loaded = running.loaded(threshold, summary, self.begin(), warmup);
                let stands = super::judge::stands(threshold, &running.figures, loaded, limit);
                Judged { limit, baseline: beside.value, ..Judged::new(threshold, stands) }
            }
            Kept::Rows(_, seen) | Kept::Sliding(_, seen) => seen.judged(threshold),
        }
    }
}

impl Running {
    fn add(&mut self, figures: &Figures) {
        self.figures.merge(figures);
        self.seconds += 1;
    }

    /// How long load was asked for in what it looks at: the seconds of a stage are whole, and else it
    /// ends with the load, after a warm-up that may be shorter than what is left out.
    fn loaded(&self, threshold: &Threshold, summary: &Summary, begin: u32, warmup: u32) -> f64 {
        if threshold.during.is_some() {
            return f64::from(self.seconds);
        }
        let later = f64::from(begin.saturating_sub(warmup));
        (summary.loaded.as_secs_f64() - later).max(0.0)
    }

    fn stands(&self, threshold: &Threshold, summary: &Summary, begin: u32, warmup: u32) -> Stands {
        compared(threshold, &self.figures, self.loaded(threshold, summary, begin, warmup))
    }

    /// Keeps since when it does not hold. What is counted up to a least number was below it before: that
    /// says nothing.
    fn mark(&mut self, threshold: &Threshold, stands: Stands, to: u32) {
        self.first = match (stands.state, stands.value) {
            (State::Broke, Some(value)) if !threshold.breaks_at_once() => {
                self.first.or(Some(First { at_s: to, value }))
            }
            _ => None,
        };
    }

    fn judged(&self, threshold: &Threshold, stands: Stands) -> Judged {
        Judged { first: self.first, ..Judged::new(threshold, stands) }
    }
}

impl Seen {
    /// Takes a window, and gives how the threshold stands in it.
    fn window(&mut self, threshold: &Threshold, figures: &Figures, at: (u32, u32)) -> State {
        let stands = compared(threshold, figures, f64::from(at.1 - at.0));
        let Stands { state, value, .. } = stands;
        self.judged += 1;
        self.broken += u64::from(matches!(state, State::Broke | State::NoData));
        self.few += u64::from(state == State::TooFew);
        match value {
            Some(value) if state != State::NoData => {
                let worse = |(_, known, _)| {
                    // How far it is beyond the limit.
                    let beyond = |value: f64| match threshold.op {
                        Op::Less | Op::LessOrEqual => value,
                        Op::Greater | Op::GreaterOrEqual => -value,
                        Op::Equal => (value - threshold.limit.fixed().unwrap_or(0.0)).abs(),
                    };
                    beyond(value) > beyond(known)
                };
                if self.worst.is_none_or(worse) {
                    self.worst = Some((state, value, at));
                }
                match state {
                    State::Broke => {
                        self.first = self.first.or(Some(First { at_s: at.1, value }));
                    }
                    State::TooFew => self.scarce = self.scarce.or(Some((stands, at))),
                    _ => {}
                }
            }
            _ => self.empty = self.empty.or(Some(at)),
        }
        state
    }

    fn judged(&self, threshold: &Threshold) -> Judged {
        let stands = |state, value| Stands { state, value, few: None };
        let (stands, at) = match (self.worst, self.empty, self.scarce) {
            (Some((State::Broke, value, at)), ..) => (stands(State::Broke, Some(value)), Some(at)),
            (_, Some(at), _) => (stands(State::NoData, None), Some(at)),
            (_, None, Some((stands, at))) => (stands, Some(at)),
            (Some((state, value, at)), None, None) => (stands(state, Some(value)), Some(at)),
            (None, None, None) => (stands(State::NoData, None), None),
        };
        let Self { judged, broken, few, first, .. } = *self;
        let windows = Some(Windows { judged, broken, few, at });
        Judged { windows, first, ..Judged::new(threshold, stands) }
    }
}

/// The sum of the last seconds, without adding them all up each second: two stacks, of which the
/// older holds running sums.
#[derive(Debug, Clone)]
struct Sliding {
    /// In seconds.
    length: u32,
    /// The oldest last, each with all that came after it up to the turn.
    older: Vec<Figures>,
    /// Since the turn.
    newer: Vec<Figures>,
    /// The sum of those.
    sum: Figures,
}

impl Sliding {
    fn new(length: u32) -> Self {
        Self { length, older: Vec::new(), newer: Vec::new(), sum: Figures::default() }
    }

    /// Adds a second; gives the sum of the window that ends with it, once there are enough.
    fn push(&mut self, second: Figures) -> Option<Figures> {
        if self.seconds() == self.length as usize {
            if self.older.is_empty() {
                let mut sum = Figures::default();
                while let Some(figures) = self.newer.pop() {
                    sum.merge(&figures);
                    self.older.push(sum.clone());
                }
                self.sum = Figures::default();
            }
            self.older.pop();
        }
        self.sum.merge(&second);
        self.newer.push(second);
        if self.seconds() < self.length as usize {
            return None;
        }
        let mut whole = self.sum.clone();
        self.older.last().into_iter().for_each(|older| whole.merge(older));
        Some(whole)
    }

    fn seconds(&self) -> usize {
        self.older.len() + self.newer.len()
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
