//! Owns what every worker of a run knows: the program and the load, and which share of it is whose.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::data::{Per, Source};
use crate::expr::Run;
use crate::load::{Arrivals, Form, Load, Schedule, order};
use crate::metrics::Outlet;
use crate::program::{Class, Program, Row};
use crate::untrusted::Secrets;

/// What every worker of a run knows.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What users do.
    pub program: Arc<Program>,
    /// When they do it.
    pub parts: Vec<Part>,
    /// Where all random numbers come from.
    pub seed: u64,
    /// How long an iteration may go on after its user was asked to stop.
    pub grace: Duration,
    /// How many iterations there are in all, split evenly over the users; no limit when absent.
    pub iterations: Option<u64>,
    /// What expressions see of the run.
    pub run: Arc<Run>,
    /// What must not appear in any output.
    pub secrets: Secrets,
    /// Where users stand among those that hold rows.
    pub places: Places,
    /// Where every request of the users is told, when somebody wants to know.
    pub listing: Option<Outlet>,
    /// How many workers there are: worker `w` owns the slots whose number leaves the rest `w`, and those
    /// arrivals, unless there are fewer users for these than workers: then so many workers share them.
    pub workers: usize,
}

/// A part of the load: classes that share it by their weights.
#[derive(Debug, Clone)]
pub enum Part {
    /// Users that start and stop.
    Closed {
        /// When they do.
        schedule: Schedule,
        /// The class of each slot.
        order: Vec<u16>,
        /// What that is made of: the weight of each class of the program.
        weights: Vec<f64>,
        /// And how many users of each class are fixed.
        fixed: Vec<u32>,
    },
    /// Iterations that start on their own beat.
    Open {
        /// When they are due.
        arrivals: Arrivals,
        /// The weight of each class of the program, for its share of the arrivals.
        weights: Vec<f64>,
        /// The most users at once, over all workers.
        most: u32,
    },
}

impl Part {
    /// The parts of a load. `weights` and `fixed` are those of the classes of the program.
    #[must_use]
    pub fn all(load: &Load, weights: &[f64], fixed: &[u32]) -> Vec<Self> {
        let parts = load.parts.iter().map(|(class, form)| {
            let own: Vec<f64> =
                (0..weights.len()).map(|at| f64::from(*class == Some(at))).collect();
            let (weights, fixed) = match class {
                Some(_) => (&own[..], &[][..]),
                None => (weights, fixed),
            };
            match form {
                Form::Closed(profile) => {
                    let schedule = Schedule::new(profile);
                    let order = order(weights, fixed, schedule.peak() as usize);
                    Self::Closed {
                        schedule,
                        order,
                        weights: weights.to_vec(),
                        fixed: fixed.to_vec(),
                    }
                }
                Form::Open(open) => Self::Open {
                    arrivals: Arrivals::new(&open.rate, open.spread),
                    weights: weights.to_vec(),
                    most: open.max_users,
                },
            }
        });
        parts.collect()
    }

    /// The same for a search, which begins with less: with so many users, or at that rate.
    #[must_use]
    pub fn begun_at(self, level: &Form) -> Self {
        match (self, level) {
            (Self::Closed { order, weights, fixed, .. }, Form::Closed(profile)) => {
                Self::Closed { schedule: Schedule::new(profile), order, weights, fixed }
            }
            (Self::Open { weights, most, .. }, Form::Open(open)) => {
                Self::Open { arrivals: Arrivals::new(&open.rate, open.spread), weights, most }
            }
            (whole, _) => whole,
        }
    }

    /// The most users that it has at once.
    #[must_use]
    pub fn most_users(&self) -> u32 {
        match self {
            // Of a search there is room for more than begin.
            Self::Closed { schedule, order, .. } => schedule.peak().max(order.len() as u32),
            Self::Open { most, .. } => *most,
        }
    }

    /// The most users of a class of the program that it has at once.
    #[must_use]
    pub fn most_of(&self, class: usize) -> u32 {
        match self {
            Self::Closed { order, .. } => {
                order.iter().filter(|one| usize::from(**one) == class).count() as u32
            }
            Self::Open { most, .. } => {
                if self.has(class) {
                    *most
                } else {
                    0
                }
            }
        }
    }

    /// Users that are asked for just after `at`; none in the open form, whose users come as they are
    /// needed.
    #[must_use]
    pub fn users_at(&self, at: Duration) -> u32 {
        match self {
            Self::Closed { schedule, .. } => schedule.users_at(at),
            Self::Open { .. } => 0,
        }
    }

    /// When its load ends.
    #[must_use]
    pub fn total(&self) -> Duration {
        match self {
            Self::Closed { schedule, .. } => schedule.total(),
            Self::Open { arrivals, .. } => arrivals.total(),
        }
    }

    /// A class of the program may have users in it.
    #[must_use]
    pub fn has(&self, class: usize) -> bool {
        match self {
            Self::Closed { order, .. } => order.iter().any(|one| usize::from(*one) == class),
            Self::Open { weights, .. } => weights.get(class).is_some_and(|weight| *weight > 0.0),
        }
    }
}

/// For each source whose rows users hold, the place of each slot among those that hold some: who takes a
/// slot again holds the row of the one before. Made when the first user asks.
#[derive(Debug, Clone, Default)]
pub struct Places(OnceLock<Vec<Held>>);

/// A source, and the place of each slot, by part.
type Held = (Arc<Source>, Vec<Vec<u32>>);

/// Where a user of the closed form lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seat {
    /// The part of the load.
    pub(super) part: u16,
    /// The slot in it.
    pub(super) slot: u32,
}

impl Setup {
    /// The number of a part's user number `own`: no other part has it.
    pub(super) fn number(&self, part: usize, own: u64) -> u64 {
        own * self.parts.len() as u64 + part as u64
    }

    /// The place of a slot among those that hold rows of `source`.
    pub(super) fn place(&self, source: &Arc<Source>, seat: Seat) -> Option<u64> {
        let places = self.places.0.get_or_init(|| self.places());
        let (_, places) = places.iter().find(|(known, _)| Arc::ptr_eq(known, source))?;
        places.get(usize::from(seat.part))?.get(seat.slot as usize).map(|place| u64::from(*place))
    }

    fn places(&self) -> Vec<Held> {
        let mut all: Vec<Held> = Vec::new();
        let holds = |class: &Class, source: &Arc<Source>| {
            let held = |row: &Row| row.per == Per::User && Arc::ptr_eq(&row.source, source);
            class.rows.iter().any(held)
        };
        for row in self.program.classes.iter().flat_map(|class| &class.rows) {
            if row.per != Per::User || all.iter().any(|(known, _)| Arc::ptr_eq(known, &row.source))
            {
                continue;
            }
            let readers: Vec<bool> =
                self.program.classes.iter().map(|class| holds(class, &row.source)).collect();
            let mut before = 0;
            let mut place = |class: &u16| {
                let place = before;
                before += u32::from(readers[usize::from(*class)]);
                place
            };
            let places = self.parts.iter().map(|part| match part {
                Part::Closed { order, .. } => order.iter().map(&mut place).collect(),
                Part::Open { .. } => Vec::new(),
            });
            let places = places.collect();
            all.push((row.source.clone(), places));
        }
        all
    }

    /// The iterations of the user in a slot of the closed form: shares differ by one at most and add
    /// up exactly.
    pub(super) fn share(&self, seat: Seat) -> Option<u64> {
        let peaks = || {
            self.parts.iter().map(|part| match part {
                Part::Closed { schedule, .. } => u64::from(schedule.peak()),
                Part::Open { .. } => 0,
            })
        };
        let users = peaks().sum::<u64>().max(1);
        let place = peaks().take(usize::from(seat.part)).sum::<u64>() + u64::from(seat.slot);
        self.iterations.map(|all| all / users + u64::from(place < all % users))
    }
}
