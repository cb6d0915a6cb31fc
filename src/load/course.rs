//! Owns how high a load is over time, in either form: for charts and figures.

use std::fmt;
use std::time::Duration;

use super::arrivals::Arrivals;
use super::form::Form;
use super::schedule::Schedule;
use crate::units::Rate;

/// A load over time: the users that live, or the arrivals per second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// Closed.
    Users(Schedule),
    /// Open.
    Rate(Arrivals),
}

/// How high it is at a moment. Those of one course can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Height {
    /// So many users.
    Users(u32),
    /// So many arrivals.
    Rate(Rate),
}

impl Course {
    /// The course of a load.
    #[must_use]
    pub fn of(form: &Form) -> Self {
        match form {
            Form::Closed(profile) => Self::Users(Schedule::new(profile)),
            Form::Open(open) => Self::Rate(Arrivals::new(&open.rate, open.spread)),
        }
    }

    /// When it ends.
    #[must_use]
    pub fn total(&self) -> Duration {
        match self {
            Self::Users(schedule) => schedule.total(),
            Self::Rate(arrivals) => arrivals.total(),
        }
    }

    /// Just after `at`.
    #[must_use]
    pub fn at(&self, at: Duration) -> Height {
        match self {
            Self::Users(schedule) => Height::Users(schedule.users_at(at)),
            Self::Rate(arrivals) => Height::Rate(arrivals.rate_at(at)),
        }
    }

    /// The most within a part of the time, its end left out.
    #[must_use]
    pub fn peak_within(&self, from: Duration, to: Duration) -> Height {
        match self {
            Self::Users(schedule) => Height::Users(schedule.peak_within(from, to)),
            Self::Rate(arrivals) => Height::Rate(arrivals.peak_within(from, to)),
        }
    }

    /// The most that it ever is.
    #[must_use]
    pub fn peak(&self) -> Height {
        match self {
            Self::Users(schedule) => Height::Users(schedule.peak()),
            Self::Rate(arrivals) => {
                Height::Rate(arrivals.peak_within(Duration::ZERO, arrivals.total()))
            }
        }
    }
}

impl Height {
    /// In steps of its own: to be compared with others of the same course.
    #[must_use]
    pub fn steps(self) -> u64 {
        match self {
            Self::Users(users) => users.into(),
            Self::Rate(rate) => rate.per_hour_millionths(),
        }
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users(users) => users.fmt(f),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Open, Profile, Spread, Stage};

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_peak_of_a_rate_is_found_within_ramps_and_jumps() {
        let rate = Rate::per_second;
        let stages = vec![
            Stage::new(rate(10), S(10), S(0)),
            Stage::new(rate(2), S(0), S(10)),
            Stage::new(rate(0), S(5), S(5)),
        ];
        let open = Open { rate: Profile::new(stages), spread: Spread::Even, max_users: 9 };
        let course = Course::of(&Form::Open(open));
        let within = |from, to| course.peak_within(S(from), S(to)).to_string();
        assert_eq!(within(0, 5), "5/s");
        assert_eq!(within(5, 12), "10/s");
        assert_eq!(within(10, 12), "2/s");
        assert_eq!(within(21, 30), "1.6/s");
        assert_eq!(within(25, 40), "0/s");
        assert_eq!((course.peak().to_string(), course.total()), ("10/s".to_owned(), S(30)));
        assert_eq!(course.at(S(5)), Height::Rate(rate(5)));
    }

    #[test]
    fn users_are_those_of_the_schedule() {
        let profile = Profile::plateau(4, S(4), S(4), S(0));
        let course = Course::of(&Form::Closed(profile));
        assert_eq!((course.peak(), course.at(S(1))), (Height::Users(4), Height::Users(2)));
        assert_eq!(course.peak_within(S(0), S(2)).steps(), 2);
    }
}
