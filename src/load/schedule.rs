//! Owns the moments at which users start and stop: the closed form of a profile.

use std::time::Duration;

use super::profile::Profile;

/// When users start and stop, worked out from a profile and nothing else.
///
/// Users live in slots numbered from 0. With `n` users asked, exactly the slots below `n` live, so
/// ramping down ends the newest first, and since any prefix of the classes' order is in
/// proportion, shares hold at every moment. A ramp from `a` up to `b` over `D` starts its k-th
/// user (from 0) at `D · k / (b − a)`; one down from `a` to `b` ends its k-th (from 1) at
/// `D · k / (a − b)`: a user that has begun counts whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    ramps: Vec<Ramp>,
    total: Duration,
    peak: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ramp {
    from: u32,
    to: u32,
    start: Duration,
    over: Duration,
    /// Users started by all ramps before this one.
    started: u64,
    /// Another ramp takes over: changes from then on are not made.
    until: Option<Duration>,
}

/// One user starts or stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// From the start of the run.
    pub at: Duration,
    /// The user's slot, from 0; it decides the class and the worker.
    pub slot: u32,
    /// What happens.
    pub kind: ChangeKind,
}

/// What happens to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A new user begins; `number` counts the users of the run from 0 and never repeats.
    Start {
        /// The user's number.
        number: u64,
    },
    /// The user there ends, after the iteration it is in.
    Stop,
}

impl Schedule {
    /// The schedule of `profile`. Each slot alive at the end of the profile simply ends with it.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let mut ramps = Vec::new();
        let (mut start, mut from, mut started) = (Duration::ZERO, 0, 0);
        for stage in profile.stages() {
            if stage.to != from {
                let over = stage.over;
                ramps.push(Ramp { from, to: stage.to, start, over, started, until: None });
                started += u64::from(stage.to.saturating_sub(from));
            }
            start += stage.over + stage.hold;
            from = stage.to;
        }
        Self::of(ramps, profile.total())
    }

    fn of(ramps: Vec<Ramp>, total: Duration) -> Self {
        let mut schedule = Self { ramps, total, peak: 0 };
        let ends = schedule.ramps.iter().map(Ramp::end);
        let instant = Duration::from_nanos(1);
        let last = schedule.total.saturating_sub(instant);
        let peak = ends.chain([last]).map(|at| schedule.users_at(at.min(last))).max();
        schedule.peak = peak.unwrap_or(0);
        schedule
    }

    /// The same up to `at`; from there to `users`, linear over `over`, and held to the end.
    #[must_use]
    pub fn steered(&self, at: Duration, users: u32, over: Duration) -> Self {
        let from = if at.is_zero() { 0 } else { self.users_at(at - Duration::from_nanos(1)) };
        let earlier = self.ramps.iter().filter(|ramp| ramp.start < at);
        let mut ramps: Vec<Ramp> = earlier.cloned().collect();
        if let Some(last) = ramps.last_mut() {
            last.until = Some(last.until.map_or(at, |until| until.min(at)));
        }
        let started = ramps.last().map_or(0, |last| last.started + u64::from(last.starts()));
        if from != users {
            ramps.push(Ramp { from, to: users, start: at, over, started, until: None });
        }
        Self::of(ramps, self.total)
    }

    /// When the profile ends: no iteration starts after it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The largest number of users alive at once.
    #[must_use]
    pub fn peak(&self) -> u32 {
        self.peak
    }

    /// Users alive just after `at`.
    #[must_use]
    pub fn users_at(&self, at: Duration) -> u32 {
        if at >= self.total {
            return 0;
        }
        let Some(ramp) = self.ramps.iter().rev().find(|ramp| ramp.start <= at) else { return 0 };
        // What another one took over from stands where it stood then.
        let last = ramp.until.map(|until| until.saturating_sub(Duration::from_nanos(1)));
        ramp.users_after(last.map_or(at, |last| last.min(at)).saturating_sub(ramp.start))
    }

    /// The largest number of users alive at once within a part of the time, its end left out.
    #[must_use]
    pub fn peak_within(&self, from: Duration, to: Duration) -> u32 {
        let last = to.saturating_sub(Duration::from_nanos(1)).max(from);
        let turns = self.ramps.iter().flat_map(|ramp| [ramp.start, ramp.end()]);
        let inside = turns.filter(|at| (from..=last).contains(at));
        inside.chain([from, last]).map(|at| self.users_at(at)).max().unwrap_or(0)
    }

    /// For each slot: how many users live there, one after the other, and for how long in all.
    #[must_use]
    pub fn lives(&self) -> Vec<(u32, Duration)> {
        // A stage that takes no time has users that the peak does not know.
        let most = self.ramps.iter().map(|ramp| ramp.to).max().unwrap_or(0);
        let mut lives = vec![(0, Duration::ZERO); most as usize];
        let mut since = vec![None; lives.len()];
        for change in self.changes() {
            let slot = change.slot as usize;
            match change.kind {
                ChangeKind::Start { .. } => {
                    lives[slot].0 += 1;
                    since[slot] = Some(change.at);
                }
                ChangeKind::Stop => {
                    lives[slot].1 += since[slot].take().map_or(Duration::ZERO, |at| change.at - at);
                }
            }
        }
        for (life, since) in lives.iter_mut().zip(since) {
            life.1 += since.map_or(Duration::ZERO, |at: Duration| self.total - at);
        }
        lives
    }

    /// Every change before the end, in order of time.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes { schedule: self.clone(), ramp: 0, k: 0 }
    }
}

/// The changes of a schedule as they come.
#[derive(Debug, Clone)]
pub struct Changes {
    schedule: Schedule,
    ramp: usize,
    k: u32,
}

impl Changes {
    /// What they are the changes of.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Passes over changes as long as they are `done`.
    pub fn pass_over(&mut self, done: impl Fn(&Change) -> bool) {
        loop {
            let before = (self.ramp, self.k);
            if !self.next().is_some_and(|change| done(&change)) {
                (self.ramp, self.k) = before;
                return;
            }
        }
    }
}

impl Iterator for Changes {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        loop {
            let ramp = self.schedule.ramps.get(self.ramp)?;
            let change = (self.k < ramp.from.abs_diff(ramp.to)).then(|| ramp.change(self.k));
            let goes_on = |change: &Change| ramp.until.is_none_or(|until| change.at < until);
            if let Some(change) = change.filter(goes_on) {
                self.k += 1;
                return (change.at < self.schedule.total).then_some(change);
            }
            (self.ramp, self.k) = (self.ramp + 1, 0);
        }
    }
}

impl Ramp {
    fn end(&self) -> Duration {
        let end = self.start + self.over;
        self.until.map_or(end, |until| until.min(end))
    }

    /// How many users it starts.
    fn starts(&self) -> u32 {
        let Some(until) = self.until else { return self.to.saturating_sub(self.from) };
        let last = until.saturating_sub(self.start).saturating_sub(Duration::from_nanos(1));
        self.users_after(last).saturating_sub(self.from)
    }

    /// Counts the changes up to `inside`, whose k-th is at `⌊over · k / n⌋` nanoseconds:
    /// `⌊over · k / n⌋ ≤ t` holds for the `⌈(t + 1) · n / over⌉` smallest `k`.
    fn users_after(&self, inside: Duration) -> u32 {
        if inside >= self.over {
            return self.to;
        }
        let count = u128::from(self.from.abs_diff(self.to));
        let up_to = ((inside.as_nanos() + 1) * count).div_ceil(self.over.as_nanos()) as u32;
        // Starts count k from 0, stops from 1.
        if self.to > self.from { self.from + up_to } else { self.from - (up_to - 1) }
    }

    /// The change number `k`, from 0.
    fn change(&self, k: u32) -> Change {
        let count = self.from.abs_diff(self.to);
        let at = |k: u32| {
            let nanos = self.over.as_nanos() * u128::from(k) / u128::from(count);
            self.start + Duration::from_nanos(nanos as u64)
        };
        if self.to > self.from {
            let number = self.started + u64::from(k);
            Change { at: at(k), slot: self.from + k, kind: ChangeKind::Start { number } }
        } else {
            Change { at: at(k + 1), slot: self.from - 1 - k, kind: ChangeKind::Stop }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Spike, Stage};
    use proptest::prelude::*;

    const S: fn(u64) -> Duration = Duration::from_secs;
    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn twenty_users_at_five_a_second_start_every_200_ms() {
        let schedule = Schedule::new(&Profile::plateau(20, S(4), S(11), S(0)));
        let starts: Vec<_> = schedule.changes().collect();
        assert_eq!(starts.len(), 20);
        for (k, change) in starts.iter().enumerate() {
            let number = k as u64;
            let kind = ChangeKind::Start { number };
            assert_eq!(*change, Change { at: MS(200 * number), slot: k as u32, kind });
        }
        assert_eq!(schedule.total(), S(15));
        assert_eq!(
            [0, 199, 200, 3800, 9000, 15_000].map(|ms| schedule.users_at(MS(ms))),
            [1, 1, 2, 20, 20, 0]
        );
    }

    #[test]
    fn what_is_steered_is_the_same_up_to_there_and_numbers_never_repeat() {
        let schedule = Schedule::new(&Profile::plateau(20, S(4), S(16), S(0)));
        for (at, users, over) in
            [(MS(2_100), 30, S(2)), (MS(2_000), 3, S(1)), (S(10), 0, S(0)), (S(1), 6, S(0))]
        {
            let steered = schedule.steered(at, users, over);
            let early =
                |all: &Schedule| all.changes().take_while(|c| c.at < at).collect::<Vec<_>>();
            assert_eq!(early(&steered), early(&schedule), "{at:?}");
            assert_eq!(steered.users_at(S(19)), users);
            assert_eq!(steered.users_at(at - MS(1)), schedule.users_at(at - MS(1)));
            let (mut living, mut seen) = (0, 0);
            for change in steered.changes() {
                match change.kind {
                    ChangeKind::Start { number } => {
                        assert_eq!((change.slot, number), (living, seen), "{at:?} {change:?}");
                        (living, seen) = (living + 1, seen + 1);
                    }
                    ChangeKind::Stop => {
                        living -= 1;
                        assert_eq!(change.slot, living, "{at:?} {change:?}");
                    }
                }
            }
            assert_eq!(living, users);
            // And once more, in the middle of the change.
            let again = steered.steered(at + over / 2, 8, S(0));
            assert_eq!(again.users_at(S(19)), 8);
            assert!(again.changes().map(|c| c.at).is_sorted());
        }
    }

    #[test]
    fn a_spike_ends_the_newest_first_and_is_back_at_its_base_in_time() {
        let zero = S(0);
        let spike = Spike {
            base: 2,
            peak: 6,
            rise: S(4),
            hold: S(1),
            fall: S(4),
            before: S(1),
            after: zero,
        };
        let schedule = Schedule::new(&Profile::spike(spike));
        let text: Vec<_> = schedule
            .changes()
            .map(|change| match change.kind {
                ChangeKind::Start { number } => {
                    format!("{}s +{}#{number}", change.at.as_secs(), change.slot)
                }
                ChangeKind::Stop => format!("{}s -{}", change.at.as_secs(), change.slot),
            })
            .collect();
        assert_eq!(
            text.join(" "),
            "0s +0#0 0s +1#1 1s +2#2 2s +3#3 3s +4#4 4s +5#5 7s -5 8s -4 9s -3"
        );
    }

    #[test]
    fn lives_and_peaks_are_those_that_the_changes_give() {
        let stages =
            vec![Stage::new(4, S(4), S(2)), Stage::new(1, S(0), S(1)), Stage::new(2, S(0), S(1))];
        let schedule = Schedule::new(&Profile::new(stages));
        let lives: Vec<_> =
            schedule.lives().into_iter().map(|(users, life)| (users, life.as_secs())).collect();
        assert_eq!(lives, [(1, 8), (2, 6), (1, 4), (1, 3)]);
        let peaks = [(0, 1), (3, 4), (5, 8), (6, 7), (6, 8), (7, 8), (8, 9)];
        let found = peaks.map(|(from, to)| schedule.peak_within(S(from), S(to)));
        assert_eq!(found, [1, 4, 4, 1, 2, 2, 0]);
    }

    #[test]
    fn a_slot_that_is_filled_again_gets_a_new_user() {
        let stages =
            vec![Stage::new(2, S(0), S(1)), Stage::new(0, S(0), S(1)), Stage::new(2, S(0), S(1))];
        let schedule = Schedule::new(&Profile::new(stages));
        let numbers: Vec<_> = schedule
            .changes()
            .filter_map(|change| match change.kind {
                ChangeKind::Start { number } => Some((change.slot, number)),
                ChangeKind::Stop => None,
            })
            .collect();
        assert_eq!(numbers, [(0, 0), (1, 1), (0, 2), (1, 3)]);
    }

    #[test]
    fn a_cut_ramp_starts_its_users_when_it_would_have() {
        let whole = Profile::plateau(100, S(10), S(300), S(0));
        let cut = Schedule::new(&whole.clone().lasting(MS(5050)));
        let first: Vec<_> = Schedule::new(&whole).changes().take(51).collect();
        assert_eq!(cut.changes().collect::<Vec<_>>(), first);
        assert_eq!((cut.peak(), cut.total()), (51, MS(5050)));
    }

    fn stages() -> impl Strategy<Value = Vec<Stage>> {
        let stage = (0u32..60, 0u64..4000, 1u64..4000)
            .prop_map(|(users, over, hold)| Stage::new(users, MS(over), MS(hold)));
        prop::collection::vec(stage, 1..6)
    }

    proptest! {
        /// Law 2: changes depend on the profile alone; the slow way replays them one by one.
        #[test]
        fn replaying_the_changes_gives_the_users_asked(stages in stages()) {
            let schedule = Schedule::new(&Profile::new(stages));
            let mut alive = Vec::new();
            let mut last = Duration::ZERO;
            let mut seen = 0;
            for change in schedule.changes() {
                prop_assert!(change.at >= last, "in order of time");
                last = change.at;
                match change.kind {
                    ChangeKind::Start { number } => {
                        prop_assert_eq!(change.slot as usize, alive.len(), "the next slot");
                        prop_assert_eq!(number, seen);
                        seen += 1;
                        alive.push(number);
                    }
                    ChangeKind::Stop => {
                        alive.pop();
                        prop_assert_eq!(change.slot as usize, alive.len(), "the newest");
                    }
                }
                let later = schedule.changes().filter(|other| other.at <= change.at).count();
                let now = schedule.changes().take(later).fold(0i64, |users, change| {
                    if change.kind == ChangeKind::Stop { users - 1 } else { users + 1 }
                });
                prop_assert_eq!(i64::from(schedule.users_at(change.at)), now);
            }
        }

        #[test]
        fn each_start_is_where_the_exact_fraction_says(users in 1u32..100_000, over in 1u64..100_000, k in 0u32..100_000) {
            let k = k % users;
            let schedule = Schedule::new(&Profile::plateau(users, MS(over), S(1), S(0)));
            let change = schedule.changes().nth(k as usize).unwrap();
            // at ≤ over · k / users < at + 1 ns, without dividing.
            let exact = u128::from(over) * 1_000_000 * u128::from(k);
            let at = change.at.as_nanos() * u128::from(users);
            prop_assert!(at <= exact && exact < at + u128::from(users));
        }
    }
}
