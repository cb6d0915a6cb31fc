//! Owns thresholds while a run goes on: those of windows or of a later beginning, and those that end
//! the run.

use std::cell::OnceCell;

use super::judge::{Figures, Judged, State, Windows, compared, judge};
use super::threshold::{Op, Threshold};
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
    /// The first second that it looks at.
    from: u32,
    kept: Kept,
    /// As it stood when it ended the run.
    ended: Option<Judged>,
}

/// What is kept of the seconds.
#[derive(Debug, Clone)]
enum Kept {
    /// Nothing: the summary of the run has it all.
    Nothing,
    /// All since its first second.
    Since(Figures),
    /// Windows one after the other: what the one that is under way holds.
    Rows(Figures, Seen),
    /// A window for each second: it and those before.
    Sliding(Sliding, Seen),
}

/// The windows so far.
#[derive(Debug, Clone, Default)]
struct Seen {
    judged: u64,
    broken: u64,
    /// The figure that is farthest on the wrong side of its limit, or nearest to it.
    worst: Option<(State, f64, (u32, u32))>,
    /// The first without data.
    empty: Option<(u32, u32)>,
}

impl Standings {
    /// Before the first second; the `warmup` is over after so many.
    #[must_use]
    pub fn new(thresholds: &[Threshold], warmup: u32) -> Self {
        let standing = |threshold: &Threshold| {
            let when = threshold.when;
            let from = when.after.max(warmup);
            let kept = match when.every {
                Some(every) if when.abort => Kept::Sliding(Sliding::new(every), Seen::default()),
                Some(_) => Kept::Rows(Figures::default(), Seen::default()),
                None if from > warmup => Kept::Since(Figures::default()),
                None => Kept::Nothing,
            };
            Standing { threshold: threshold.clone(), from, kept, ended: None }
        };
        Self { from: warmup, all: thresholds.iter().map(standing).collect() }
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
        for (number, standing) in self.all.iter_mut().enumerate() {
            let threshold = &standing.threshold;
            if interval.from_s < standing.from || standing.ended.is_some() {
                continue;
            }
            let (from, to) = (standing.from, interval.to_s);
            let figures = || {
                let all = || everything.get_or_init(|| interval.all_names());
                Figures::of(threshold, interval, &so_far.catalogue, all)
            };
            // The state is of all so far, or of the window that ends now: one that was empty before is no
            // reason to end a run in which requests are answered again.
            let (state, judged) = match &mut standing.kept {
                Kept::Nothing => {
                    if !(threshold.when.abort && within) {
                        continue;
                    }
                    let judged = judge(threshold, so_far);
                    (judged.state, judged)
                }
                Kept::Since(since) => {
                    since.merge(&figures());
                    if !(threshold.when.abort && within) {
                        continue;
                    }
                    let judged = of_all(threshold, since, f64::from(to - from));
                    (judged.state, judged)
                }
                Kept::Rows(..) | Kept::Sliding(..) if !within => continue,
                Kept::Rows(row, seen) => {
                    row.merge(&figures());
                    let every = threshold.when.every.unwrap_or(1);
                    if !(to - from).is_multiple_of(every) {
                        continue;
                    }
                    let row = std::mem::take(row);
                    seen.window(threshold, &row, (to - every, to));
                    continue;
                }
                Kept::Sliding(sliding, seen) => {
                    let Some(window) = sliding.push(figures()) else { continue };
                    let state = seen.window(threshold, &window, (to - sliding.length, to));
                    (state, seen.judged(threshold))
                }
            };
            // Without windows, what has no data yet may have some later; and in a window in which
            // nothing was asked for, nobody failed to answer.
            let breaks = match state {
                State::Held => false,
                State::Broke => true,
                State::NoData => judged.windows.is_some() && under_way,
            };
            if breaks {
                let at = Windows { judged: 1, broken: 1, at: Some((from, to)) };
                let windows = Some(judged.windows.unwrap_or(at));
                standing.ended = Some(Judged { windows, ..judged });
                broke = broke.or(Some(number));
            }
        }
        self.all[broke?].ended.as_ref()
    }

    /// How they stand by all the seconds that came, which are those of the summary.
    #[must_use]
    pub fn judged(&self, summary: &Summary) -> Vec<Judged> {
        let judged = |standing: &Standing| {
            let threshold = &standing.threshold;
            if let Some(ended) = &standing.ended {
                return ended.clone();
            }
            match &standing.kept {
                Kept::Nothing => judge(threshold, summary),
                Kept::Since(since) => {
                    let later = f64::from(standing.from - self.from);
                    of_all(threshold, since, (summary.loaded.as_secs_f64() - later).max(0.0))
                }
                Kept::Rows(_, seen) | Kept::Sliding(_, seen) => seen.judged(threshold),
            }
        };
        self.all.iter().map(judged).collect()
    }
}

fn of_all(threshold: &Threshold, figures: &Figures, seconds: f64) -> Judged {
    let (state, value) = compared(threshold, figures, seconds);
    Judged { threshold: threshold.clone(), value, state, windows: None }
}

impl Seen {
    /// Takes a window, and gives how the threshold stands in it.
    fn window(&mut self, threshold: &Threshold, figures: &Figures, at: (u32, u32)) -> State {
        let (state, value) = compared(threshold, figures, f64::from(at.1 - at.0));
        self.judged += 1;
        self.broken += u64::from(state != State::Held);
        match value {
            Some(value) if state != State::NoData => {
                let worse = |(_, known, _)| {
                    // How far it is beyond the limit.
                    let beyond = |value: f64| match threshold.op {
                        Op::Less | Op::LessOrEqual => value,
                        Op::Greater | Op::GreaterOrEqual => -value,
                        Op::Equal => (value - threshold.limit).abs(),
                    };
                    beyond(value) > beyond(known)
                };
                if self.worst.is_none_or(worse) {
                    self.worst = Some((state, value, at));
                }
            }
            _ => self.empty = self.empty.or(Some(at)),
        }
        state
    }

    fn judged(&self, threshold: &Threshold) -> Judged {
        let (state, value, at) = match (self.worst, self.empty) {
            (Some((State::Broke, value, at)), _) => (State::Broke, Some(value), Some(at)),
            (_, Some(at)) => (State::NoData, None, Some(at)),
            (Some((state, value, at)), None) => (state, Some(value), Some(at)),
            (None, None) => (State::NoData, None, None),
        };
        let windows = Windows { judged: self.judged, broken: self.broken, at };
        Judged { threshold: threshold.clone(), value, state, windows: Some(windows) }
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
