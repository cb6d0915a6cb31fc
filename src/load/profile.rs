//! Owns profiles: how many users there are over time, as stages, and the short forms for them.

use std::time::Duration;

use crate::units::Rate;

/// The number of users over time: stages, one after the other, beginning with no user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    stages: Vec<Stage>,
    /// At most the sum of the stages; less when the profile was cut, also within a ramp.
    total: Duration,
}

/// From the number of users before to `users`, linear over `over` (zero: a jump), then held.
///
/// ```text
/// users        ┌──────── hold
///            ╱ │
///  before ─╱   │
///         └ over
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What the stage is called in results.
    pub name: Option<String>,
    /// Users at its end.
    pub users: u32,
    /// How long the change takes.
    pub over: Duration,
    /// How long the number is kept after that.
    pub hold: Duration,
}

/// A part of a profile in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The stage's own name, `20 users`, `up` or `down`.
    pub name: String,
    /// From the start of the run.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
}

/// A stair: `{ from: 10, by: 10, every: 5m, to: 500 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Users on the first stair.
    pub from: u32,
    /// Users added by each further stair.
    pub by: u32,
    /// How long each stair lasts.
    pub every: Duration,
    /// Users on the last stair.
    pub to: u32,
}

/// A sudden burst and back: `{ base: 20, peak: 200, rise: 2s, hold: 30s, fall: 2s, before: 1m, after: 1m }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spike {
    /// Users before and after.
    pub base: u32,
    /// Users at the top.
    pub peak: u32,
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

impl Stage {
    /// A stage without a name.
    #[must_use]
    pub fn new(users: u32, over: Duration, hold: Duration) -> Self {
        Self { name: None, users, over, hold }
    }

    fn lasts(&self) -> Duration {
        self.over + self.hold
    }
}

impl Profile {
    /// The stages in the order in which they run.
    #[must_use]
    pub fn new(stages: Vec<Stage>) -> Self {
        let total = stages.iter().map(Stage::lasts).sum();
        Self { stages, total }
    }

    /// `users: N, ramp, hold, down`: up to `users`, held, and down to none.
    #[must_use]
    pub fn plateau(users: u32, ramp: Duration, hold: Duration, down: Duration) -> Self {
        let mut stages = vec![Stage::new(users, ramp, hold)];
        if !down.is_zero() {
            stages.push(Stage::new(0, down, Duration::ZERO));
        }
        Self::new(stages)
    }

    /// A stair; the last stair is `to` even when the steps do not meet it.
    #[must_use]
    pub fn stairs(steps: Steps) -> Self {
        let mut stages = Vec::new();
        let mut users = steps.from.min(steps.to);
        loop {
            stages.push(Stage::new(users, Duration::ZERO, steps.every));
            if users == steps.to || steps.by == 0 {
                return Self::new(stages);
            }
            users = users.saturating_add(steps.by).min(steps.to);
        }
    }

    /// A spike.
    #[must_use]
    pub fn spike(spike: Spike) -> Self {
        let zero = Duration::ZERO;
        let stages = vec![
            Stage::new(spike.base, zero, spike.before),
            Stage { name: Some("peak".into()), ..Stage::new(spike.peak, spike.rise, spike.hold) },
            Stage::new(spike.base, spike.fall, spike.after),
        ];
        Self::new(stages.into_iter().filter(|stage| !stage.lasts().is_zero()).collect())
    }

    /// What `-u` asks for: up to `users` at `rate` (absent: all at once), then held until `total`
    /// is over. A ramp that is longer than `total` is cut by it.
    #[must_use]
    pub fn ramp_to(users: u32, rate: Option<Rate>, total: Duration) -> Self {
        let ramp = rate.map_or(Duration::ZERO, |rate| rate.time_for(u64::from(users)));
        Self::plateau(users, ramp, total.saturating_sub(ramp), Duration::ZERO).lasting(total)
    }

    /// The stages, as they were before any cut.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The parts of the profile in time, in order: each change of users, and each time that they
    /// stay. They end with the profile.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let people =
            |users: u32| if users == 1 { "1 user".into() } else { format!("{users} users") };
        let (mut at, mut before, mut spans) = (Duration::ZERO, 0, Vec::new());
        for stage in &self.stages {
            let way = if stage.users < before { "down" } else { "up" };
            let held = stage.name.clone().unwrap_or_else(|| people(stage.users));
            for (name, lasts) in [(way.to_owned(), stage.over), (held, stage.hold)] {
                let to = (at + lasts).min(self.total);
                if at < to {
                    spans.push(Span { name, from: at, to });
                }
                at += lasts;
            }
            before = stage.users;
        }
        spans
    }

    /// The whole time, from the first user on.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The same profile, cut or extended to `total`. What extends is the hold of the last stage
    /// that has users, so that a ramp down stays the end. A cut leaves the lines as they are: the
    /// users that start before it start when they would have.
    #[must_use]
    pub fn lasting(mut self, total: Duration) -> Self {
        if let Some(more) = total.checked_sub(self.total)
            && let Some(last) = self.stages.iter_mut().rfind(|stage| stage.users > 0)
        {
            last.hold += more;
        }
        self.total = total;
        self
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
            (stairs.stages.len(), stairs.stages[49].users, stairs.total()),
            (50, 500, S(15_000))
        );
        let uneven = Profile::stairs(Steps { from: 10, by: 20, every: S(1), to: 45 });
        let users: Vec<_> = uneven.stages.iter().map(|stage| stage.users).collect();
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
        assert_eq!((spike.stages.len(), spike.stages[0].users, spike.total()), (2, 200, S(180)));
        let load = Profile::plateau(100, S(10), S(300), S(10));
        assert_eq!((load.stages.len(), load.total()), (2, S(320)));
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
