//! Owns who waits for whom in the open form: arrivals for a user, and users for an arrival.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::bell::Bell;
use super::setup::{Part, Setup};

/// Arrivals that may wait for a user, for each worker. What comes on top of them is dropped when it is
/// due: a server that stands still for an hour must not fill the memory.
const MOST_WAITING: usize = 1_000_000;

/// The arrivals and the idle users of a worker, by class.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// By part of the load.
    crowds: Vec<Crowd>,
}

#[derive(Debug, Default)]
struct Lane {
    /// Arrivals that found no user, the oldest first.
    waiting: VecDeque<Instant>,
    /// Users without an arrival; the one that was idle last comes first, so that there are as few as
    /// the load needs.
    idle: Vec<Bell>,
    /// Users of the class.
    living: u32,
}

/// The users of a part.
#[derive(Debug, Default, Clone)]
struct Crowd {
    /// The classes that have a share of it.
    classes: Vec<usize>,
    living: u32,
    most: u32,
    /// Arrivals that wait.
    waiting: usize,
    /// No more arrivals come.
    last_came: bool,
}

/// What becomes of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// An idle user has it.
    Given,
    /// A new user is to be made for it.
    NeedsUser,
    /// It waits for a user.
    Waits,
    /// Too many wait.
    Dropped,
}

/// What an idle user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It takes the arrival that has waited since it was due.
    Take(Instant),
    /// It waits for one.
    Wait,
    /// It makes room for a user of another class.
    Leave,
}

impl Lanes {
    /// The lanes of worker number `index`: its share of the users of each part.
    pub(super) fn new(setup: &Setup, index: usize) -> Self {
        let lanes = setup.program.classes.iter().map(|_| Lane::default()).collect();
        let crowds = setup.parts.iter().map(|part| {
            let Part::Open { most, weights, .. } = part else { return Crowd::default() };
            let all = *most as usize;
            let most = all / setup.workers + usize::from(index < all % setup.workers);
            let classes = (0..weights.len()).filter(|class| weights[*class] > 0.0).collect();
            Crowd { classes, most: most as u32, ..Crowd::default() }
        });
        Self { lanes, crowds: crowds.collect() }
    }

    /// An arrival for `class` is due. When a user is needed, it is counted as living.
    pub(super) fn arrive(&mut self, part: usize, class: usize, due: Instant) -> Came {
        if let Some(user) = self.lanes[class].idle.pop() {
            user.give(due);
            return Came::Given;
        }
        let crowd = &mut self.crowds[part];
        if crowd.living < crowd.most {
            crowd.living += 1;
            self.lanes[class].living += 1;
            return Came::NeedsUser;
        }
        if crowd.waiting >= MOST_WAITING {
            return Came::Dropped;
        }
        crowd.waiting += 1;
        self.lanes[class].waiting.push_back(due);
        // A user of another class leaves, so that there is room for one of this.
        let idle = crowd.classes.iter().find_map(|class| self.lanes[*class].idle.pop());
        if let Some(user) = idle {
            user.ask();
        }
        Came::Waits
    }

    /// A user of `class` has nothing to do.
    pub(super) fn next(&mut self, part: usize, class: usize, user: &Bell) -> Next {
        let crowd = &self.crowds[part];
        if crowd.waiting > 0 && crowd.living >= crowd.most {
            // Where arrivals always wait a class without any user would never have one.
            let starves = |class: &usize| {
                let lane = &self.lanes[*class];
                lane.living == 0 && !lane.waiting.is_empty()
            };
            if self.lanes[class].waiting.is_empty() || crowd.classes.iter().any(starves) {
                return Next::Leave;
            }
        }
        if let Some(due) = self.take(part, class) {
            return Next::Take(due);
        }
        self.lanes[class].idle.push(user.clone());
        Next::Wait
    }

    fn take(&mut self, part: usize, class: usize) -> Option<Instant> {
        let due = self.lanes[class].waiting.pop_front()?;
        self.crowds[part].waiting -= 1;
        Some(due)
    }

    /// A user of a class has ended: the arrival that a new one is to be made for, with its class. One
    /// that has no user comes first, then the one that has waited longest.
    pub(super) fn left(&mut self, part: usize, class: usize) -> Option<(usize, Instant)> {
        let crowd = &mut self.crowds[part];
        crowd.living -= 1;
        self.lanes[class].living -= 1;
        if crowd.living >= crowd.most {
            return None;
        }
        let oldest = crowd.classes.iter().filter_map(|class| {
            let lane = &self.lanes[*class];
            Some((lane.living > 0, *lane.waiting.front()?, *class))
        });
        let (_, due, class) = oldest.min()?;
        self.take(part, class)?;
        self.crowds[part].living += 1;
        self.lanes[class].living += 1;
        Some((class, due))
    }

    /// No more arrivals come for the part.
    pub(super) fn last_came(&mut self, part: usize) {
        self.crowds[part].last_came = true;
    }

    /// No more arrivals come, and all that came are done.
    pub(super) fn is_done(&self, part: usize) -> bool {
        let crowd = &self.crowds[part];
        let idle =
            || crowd.classes.iter().map(|class| self.lanes[*class].idle.len()).sum::<usize>();
        crowd.last_came && crowd.waiting == 0 && idle() == crowd.living as usize
    }

    /// A pause: how many arrivals wait, which are left out.
    pub(super) fn leave_out(&mut self) -> u64 {
        for lane in &mut self.lanes {
            lane.waiting.clear();
        }
        self.crowds.iter_mut().map(|crowd| std::mem::take(&mut crowd.waiting) as u64).sum()
    }

    /// The end of a part: how many arrivals still wait for a user. Idle users are told by who ends them.
    pub(super) fn close(&mut self, part: usize) -> u64 {
        let crowd = &mut self.crowds[part];
        for class in &crowd.classes {
            self.lanes[*class].idle.clear();
            self.lanes[*class].waiting.clear();
        }
        crowd.most = 0;
        std::mem::take(&mut crowd.waiting) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(classes: usize, most: u32) -> Lanes {
        let crowd = Crowd { classes: (0..classes).collect(), most, ..Crowd::default() };
        Lanes { lanes: (0..classes).map(|_| Lane::default()).collect(), crowds: vec![crowd] }
    }

    #[test]
    fn arrivals_go_to_the_user_that_was_idle_last_then_to_new_ones_then_they_wait() {
        let (mut lanes, now) = (lanes(1, 2), Instant::now());
        assert_eq!(lanes.arrive(0, 0, now), Came::NeedsUser);
        assert_eq!(lanes.arrive(0, 0, now), Came::NeedsUser);
        assert_eq!(lanes.arrive(0, 0, now), Came::Waits);
        let (first, second) = (Bell::default(), Bell::default());
        assert_eq!(lanes.next(0, 0, &first), Next::Take(now));
        assert_eq!(lanes.next(0, 0, &first), Next::Wait);
        assert_eq!(lanes.next(0, 0, &second), Next::Wait);
        assert_eq!(lanes.arrive(0, 0, now), Came::Given);
        assert_eq!(lanes.lanes[0].idle.len(), 1);
        lanes.last_came(0);
        assert!(!lanes.is_done(0));
        assert_eq!(lanes.next(0, 0, &second), Next::Wait);
        assert!(lanes.is_done(0));
    }

    #[test]
    fn when_there_are_enough_users_an_idle_one_of_another_class_makes_room() {
        let (mut lanes, now) = (lanes(2, 1), Instant::now());
        assert_eq!(lanes.arrive(0, 0, now), Came::NeedsUser);
        let user = Bell::default();
        assert_eq!(lanes.next(0, 0, &user), Next::Wait);
        assert_eq!(lanes.arrive(0, 1, now), Came::Waits);
        assert!(user.asked(), "it was idle");
        assert_eq!(lanes.left(0, 0), Some((1, now)));
        // The other way round: the arrival is there first.
        assert_eq!(lanes.arrive(0, 0, now), Came::Waits);
        assert_eq!(lanes.next(0, 1, &Bell::default()), Next::Leave);
        assert_eq!(lanes.left(0, 1), Some((0, now)));
        assert_eq!((lanes.left(0, 0), lanes.close(0)), (None, 0));
    }

    #[test]
    fn where_arrivals_always_wait_no_class_starves() {
        let (mut lanes, now) = (lanes(2, 2), Instant::now());
        let waits = |lanes: &mut Lanes, class| assert_eq!(lanes.arrive(0, class, now), Came::Waits);
        assert_eq!([0, 0].map(|class| lanes.arrive(0, class, now)), [Came::NeedsUser; 2]);
        (0..3).for_each(|_| waits(&mut lanes, 0));
        waits(&mut lanes, 1);
        // Its own waits as well, but the other class has no user at all.
        assert_eq!(lanes.next(0, 0, &Bell::default()), Next::Leave);
        waits(&mut lanes, 0);
        assert_eq!(lanes.left(0, 0), Some((1, now)));
        assert_eq!(lanes.next(0, 0, &Bell::default()), Next::Take(now));
        assert_eq!(lanes.leave_out(), 3);
    }

    #[test]
    fn at_the_end_what_waits_is_counted_and_nobody_comes_any_more() {
        let (mut lanes, now) = (lanes(2, 1), Instant::now());
        lanes.arrive(0, 0, now);
        assert_eq!([0, 1, 0].map(|class| lanes.arrive(0, class, now)), [Came::Waits; 3]);
        assert_eq!(lanes.close(0), 3);
        assert_eq!(lanes.left(0, 0), None);
    }
}
