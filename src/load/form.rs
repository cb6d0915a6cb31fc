//! Owns the load of a run: users or arrivals, of all classes together or of each its own.

use std::time::Duration;

use super::arrivals::Spread;
use super::profile::{Profile, Span};
use crate::units::Rate;

/// The highest rate that can be asked for: what comes above is no test, but a slip.
pub const MOST_RATE: Rate = Rate::of_per_hour_millionths(1_000_000 * 3600 * 1_000_000);

/// A profile in one of its two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// So many users, each of which goes on when it has its answer.
    Closed(Profile),
    /// So many iterations that start per second, whatever the server does.
    Open(Open),
}

/// The open form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Arrivals per second over time.
    pub rate: Profile<Rate>,
    /// How they are spread.
    pub spread: Spread,
    /// The most users at once.
    pub max_users: u32,
}

impl Open {
    /// How many users there may be when nobody says: as many as arrive within ten seconds at the
    /// highest rate, at least 10 and at most 10,000.
    #[must_use]
    pub fn users_for(rate: Rate) -> u32 {
        (rate.as_per_second() * 10.0).ceil().clamp(10.0, 10_000.0) as u32
    }
}

impl Form {
    /// The whole time.
    #[must_use]
    pub fn total(&self) -> Duration {
        match self {
            Self::Closed(profile) => profile.total(),
            Self::Open(open) => open.rate.total(),
        }
    }

    /// See [`Profile::lasting`].
    #[must_use]
    pub fn lasting(self, total: Duration) -> Self {
        match self {
            Self::Closed(profile) => Self::Closed(profile.lasting(total)),
            Self::Open(open) => Self::Open(Open { rate: open.rate.lasting(total), ..open }),
        }
    }

    /// See [`Profile::spans`].
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        match self {
            Self::Closed(profile) => profile.spans(),
            Self::Open(open) => open.rate.spans(),
        }
    }

    /// Nothing ever begins.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Closed(profile) => profile.most() == 0,
            Self::Open(open) => open.rate.most() == Rate::ZERO,
        }
    }
}

/// The load of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Each with the class whose users it has: the position in the plan; all by their weights when
    /// absent. A class has one part at the most, and there is one without a class only when it is alone.
    pub parts: Vec<(Option<usize>, Form)>,
}

impl From<Form> for Load {
    fn from(form: Form) -> Self {
        Self { parts: vec![(None, form)] }
    }
}

impl Load {
    /// The whole time: that of the longest part.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.parts.iter().map(|(_, form)| form.total()).max().unwrap_or_default()
    }

    /// The same load, cut or extended to `total`: parts that are over before stay as they are.
    #[must_use]
    pub fn lasting(self, total: Duration) -> Self {
        let whole = self.total();
        let parts = self.parts.into_iter().map(|(class, form)| {
            let own = if form.total() == whole { total } else { form.total().min(total) };
            (class, form.lasting(own))
        });
        Self { parts: parts.collect() }
    }

    /// Some of it is in the open form.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.parts.iter().any(|(_, form)| matches!(form, Form::Open(_)))
    }

    /// The load that a class of the plan has, its share of that of all or its own.
    #[must_use]
    pub fn of(&self, class: usize) -> Option<&Form> {
        let own = |part: &&(Option<usize>, Form)| part.0.is_none_or(|whose| whose == class);
        self.parts.iter().find(own).map(|(_, form)| form)
    }

    /// The parts in time, see [`Profile::spans`], in order. Of several loads each span says whose it
    /// is, by the names of the classes.
    #[must_use]
    pub fn spans(&self, classes: &[String]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (class, form) in &self.parts {
            let whose = class.and_then(|class| classes.get(class)).filter(|_| self.parts.len() > 1);
            spans.extend(form.spans().into_iter().map(|span| match whose {
                Some(whose) => Span { name: format!("{whose}: {}", span.name), ..span },
                None => span,
            }));
        }
        spans.sort_by_key(|span| span.from);
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn two() -> Load {
        let users = Profile::plateau(5, S(0), S(10), S(0));
        let rate = Profile::plateau(Rate::per_second(2), S(0), S(4), S(0));
        let open = Open { rate, spread: Spread::Even, max_users: 9 };
        Load { parts: vec![(Some(0), Form::Closed(users)), (Some(1), Form::Open(open))] }
    }

    #[test]
    fn the_longest_part_is_the_whole_and_takes_what_is_added() {
        let totals = |load: Load| -> Vec<u64> {
            load.parts.iter().map(|(_, form)| form.total().as_secs()).collect()
        };
        assert_eq!(two().total(), S(10));
        assert_eq!(totals(two().lasting(S(20))), [20, 4]);
        assert_eq!(totals(two().lasting(S(6))), [6, 4]);
        assert_eq!(totals(two().lasting(S(3))), [3, 3]);
        assert!(two().is_open());
    }

    #[test]
    fn spans_say_whose_they_are() {
        let names = ["A".to_owned(), "B".to_owned()];
        let said = |load: Load| -> Vec<String> {
            load.spans(&names).into_iter().map(|span| span.name).collect()
        };
        assert_eq!(said(two()), ["A: 5 users", "B: 2/s"]);
        assert_eq!(said(Form::Closed(Profile::plateau(1, S(0), S(1), S(0))).into()), ["1 user"]);
    }

    #[test]
    fn users_are_as_many_as_come_in_ten_seconds() {
        let users = |text| Open::users_for(Rate::parse(text).unwrap());
        assert_eq!(
            ["200/s", "1/h", "0.15/s", "100000/s", "1.23/s"].map(users),
            [2000, 10, 10, 10_000, 13]
        );
    }
}
