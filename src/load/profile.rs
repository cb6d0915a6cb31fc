//! Owns profiles: how many users, or arrivals per second, there are over time, as stages, and the short
//! forms for them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::Rate;

/// What a profile moves: a number of users (closed), or a rate of arrivals (open).
pub trait Level: Copy + Ord + Default + fmt::Debug {
    /// As people say it: `20 users`, `50/s`.
    fn words(self) -> String;
    /// The sum, as far as it can be counted.
    #[must_use]
    fn plus(self, more: Self) -> Self;
}

impl Level for u32 {
    fn words(self) -> String {
        if self == 1 { "1 user".into() } else { format!("{self} users") }
    }

    fn plus(self, more: Self) -> Self {
        self.saturating_add(more)
    }
}

impl Level for Rate {
    fn words(self) -> String {
        self.to_string()
    }

    fn plus(self, more: Self) -> Self {
        let sum = self.per_hour_millionths().saturating_add(more.per_hour_millionths());
        Self::of_per_hour_millionths(sum)
    }
}

/// A level over time: stages, one after the other, beginning with none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile<L = u32> {
    stages: Vec<Stage<L>>,
    /// At most the sum of the stages; less when the profile was cut, also within a ramp.
    total: Duration,
}

/// From the level before to `to`, linear over `over` (zero: a jump), then held.
///
/// ```text
///     to        ┌──────── hold
///            ╱  │
///  before ─╱    │
///         └ over
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage<L = u32> {
    /// What the stage is called in results.
    pub name: Option<String>,
    /// The level at its end.
    pub to: L,
    /// How long the change takes.
    pub over: Duration,
    /// How long the level is kept after that.
    pub hold: Duration,
}

/// A part of a profile in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The stage's own name, `20 users` or `50/s`, `up` or `down`.
    pub name: String,
    /// From the start of the run.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
}

/// A stair: `{ from: 10, by: 10, every: 5m, to: 500 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps<L = u32> {
    /// The first stair.
    pub from: L,
    /// What each further stair adds.
    pub by: L,
    /// How long each stair lasts.
    pub every: Duration,
    /// The last stair.
    pub to: L,
}

/// A sudden burst and back: `{ base: 20, peak: 200, rise: 2s, hold: 30s, fall: 2s, before: 1m, after: 1m }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spike<L = u32> {
    /// The level before and after.
    pub base: L,
    /// The level at the top.
    pub peak: L,
    /// Time from base to peak.
    pub rise: Duration,
    /// Time at the peak.
    pub hold: Duration,
    /// Time from peak to base.
    pub fall: Duration,
    /// Time at the base before.
    pub before: Duration,
    /// Time at the base after.
    pub after: Duration,
}

impl<L> Stage<L> {
    /// A stage without a name.
    #[must_use]
    pub fn new(to: L, over: Duration, hold: Duration) -> Self {
        Self { name: None, to, over, hold }
    }

    fn lasts(&self) -> Duration {
        self.over + self.hold
    }
}

impl<L: Level> Profile<L> {
    /// The stages in the order in which they run.
    #[must_use]
    pub fn new(stages: Vec<Stage<L>>) -> Self {
        let total = stages.iter().map(Stage::lasts).sum();
        Self { stages, total }
    }

    /// `users: N, ramp, hold, down`: up to a level, held, and down to none.
    #[must_use]
    pub fn plateau(to: L, ramp: Duration, hold: Duration, down: Duration) -> Self {
        let mut stages = vec![Stage::new(to, ramp, hold)];
        if !down.is_zero() {
            stages.push(Stage::new(L::default(), down, Duration::ZERO));
        }
        Self::new(stages)
    }

    /// A stair; the last stair is `to` even when the steps do not meet it.
    #[must_use]
    pub fn stairs(steps: Steps<L>) -> Self {
        let mut stages = Vec::new();
        let mut level = steps.from.min(steps.to);
        loop {
            stages.push(Stage::new(level, Duration::ZERO, steps.every));
            if level == steps.to || steps.by == L::default() {
                return Self::new(stages);
            }
            level = level.plus(steps.by).min(steps.to);
        }
    }

    /// A spike.
    #[must_use]
    pub fn spike(spike: Spike<L>) -> Self {
        let zero = Duration::ZERO;
        let stages = vec![
            Stage::new(spike.base, zero, spike.before),
            Stage { name: Some("peak".into()), ..Stage::new(spike.peak, spike.rise, spike.hold) },
            Stage::new(spike.base, spike.fall, spike.after),
        ];
        Self::new(stages.into_iter().filter(|stage| !stage.lasts().is_zero()).collect())
    }

    /// The stages, as they were before any cut.
    #[must_use]
    pub fn stages(&self) -> &[Stage<L>] {
        &self.stages
    }

    /// The parts of the profile in time, in order: each change of the level, and each time that it
    /// stays. They end with the profile.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let (mut at, mut before, mut spans) = (Duration::ZERO, L::default(), Vec::new());
        for stage in &self.stages {
            let way = if stage.to < before { "down" } else { "up" };
            let held = stage.name.clone().unwrap_or_else(|| stage.to.words());
            // Of one that is only a way, the way has its name.
            let own = stage.name.clone().filter(|_| stage.hold.is_zero());
            let way = own.unwrap_or_else(|| way.to_owned());
            for (name, lasts) in [(way, stage.over), (held, stage.hold)] {
                let to = (at + lasts).min(self.total);
                if at < to {
                    spans.push(Span { name, from: at, to });
                }
                at += lasts;
            }
            before = stage.to;
        }
        spans
    }

    /// The whole time, from its begin on.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The same profile, cut or extended to `total`. What extends is the hold of the last stage
    /// that has any load, so that a ramp down stays the end. A cut leaves the lines as they are: what
    /// starts before it starts when it would have.
    #[must_use]
    pub fn lasting(mut self, total: Duration) -> Self {
        if let Some(more) = total.checked_sub(self.total)
            && let Some(last) = self.stages.iter_mut().rfind(|stage| stage.to > L::default())
        {
            last.hold += more;
        }
        self.total = total;
        self
    }

    /// The highest level that a stage has.
    #[must_use]
    pub fn most(&self) -> L {
        self.stages.iter().map(|stage| stage.to).max().unwrap_or_default()
    }
}

impl Profile {
    /// What `-u` asks for: up to `users` at `rate` (absent: all at once), then held until `total`
    /// is over. A ramp that is longer than `total` is cut by it.
    #[must_use]
    pub fn ramp_to(users: u32, rate: Option<Rate>, total: Duration) -> Self {
        let ramp = rate.map_or(Duration::ZERO, |rate| rate.time_for(u64::from(users)));
        Self::plateau(users, ramp, total.saturating_sub(ramp), Duration::ZERO).lasting(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn short_forms_are_stages() {
        let stairs = Profile::stairs(Steps { from: 10, by: 10, every: S(300), to: 500 });
        assert_eq!(
            (stairs.stages.len(), stairs.stages[49].to, stairs.total()),
            (50, 500, S(15_000))
        );
        let uneven = Profile::stairs(Steps { from: 10, by: 20, every: S(1), to: 45 });
        let users: Vec<_> = uneven.stages.iter().map(|stage| stage.to).collect();
        assert_eq!(users, [10, 30, 45]);
        let spike = Profile::spike(Spike {
            base: 0,
            peak: 200,
            rise: S(2),
            hold: S(176),
            fall: S(2),
            before: S(0),
            after: S(0),
        });
        assert_eq!((spike.stages.len(), spike.stages[0].to, spike.total()), (2, 200, S(180)));
        let load = Profile::plateau(100, S(10), S(300), S(10));
        assert_eq!((load.stages.len(), load.total()), (2, S(320)));
    }

    #[test]
    fn a_rate_has_the_same_forms() {
        let rate = Rate::per_second;
        let climb =
            Profile::stairs(Steps { from: rate(1), by: rate(2), every: S(10), to: rate(4) });
        let levels: Vec<_> = climb.stages.iter().map(|stage| stage.to.to_string()).collect();
        assert_eq!(levels, ["1/s", "3/s", "4/s"]);
        let spans = Profile::plateau(rate(50), S(1), S(2), S(0)).spans();
        assert_eq!(spans.iter().map(|span| &*span.name).collect::<Vec<_>>(), ["up", "50/s"]);
    }

    #[test]
    fn u_r_and_t_make_a_ramp_and_a_hold() {
        let rate = Rate::per_second(5);
        let quick = Profile::ramp_to(20, Some(rate), S(15));
        assert_eq!(quick.stages, [Stage::new(20, S(4), S(11))]);
        assert_eq!(Profile::ramp_to(20, None, S(15)).stages, [Stage::new(20, S(0), S(15))]);
        let short = Profile::ramp_to(20, Some(rate), S(2));
        assert_eq!((short.total(), short.stages), (S(2), vec![Stage::new(20, S(4), S(0))]));
    }

    #[test]
    fn spans_cover_the_profile_without_gaps() {
        let load = Profile::plateau(1, S(10), S(300), S(10)).lasting(S(200));
        let shown = |profile: &Profile| -> Vec<(String, u64, u64)> {
            let spans = profile.spans().into_iter();
            spans.map(|span| (span.name, span.from.as_secs(), span.to.as_secs())).collect()
        };
        assert_eq!(shown(&load), [("up".into(), 0, 10), ("1 user".into(), 10, 200)]);
        let mut peak = Stage::new(200, S(2), S(30));
        peak.name = Some("peak".into());
        let spike = Profile::new(vec![Stage::new(0, S(0), S(5)), peak, Stage::new(20, S(2), S(0))]);
        let mut climb = Stage::new(20, S(3), S(0));
        climb.name = Some("climb".into());
        assert_eq!(shown(&Profile::new(vec![climb])), [("climb".into(), 0, 3)]);
        assert_eq!(
            shown(&spike),
            [
                ("0 users".into(), 0, 5),
                ("up".into(), 5, 7),
                ("peak".into(), 7, 37),
                ("down".into(), 37, 39)
            ]
        );
    }

    #[test]
    fn t_cuts_or_extends() {
        let load = Profile::plateau(100, S(10), S(300), S(10));
        assert_eq!(load.clone().lasting(S(400)).total(), S(400));
        assert_eq!(load.clone().lasting(S(400)).stages[0].hold, S(380));
        let cut = load.clone().lasting(S(5));
        assert_eq!((cut.total(), cut.stages), (S(5), load.stages));
    }
}
