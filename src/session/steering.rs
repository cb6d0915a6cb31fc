//! Owns changes of the load while a run goes on: whether one fits the run, and what is asked for after it.

use std::time::Duration;

use crate::control::{Command, Order, Steer};
use crate::engine::Part;
use crate::event::Steered;

/// A change holds so long after it was asked for, so that every worker knows of it before.
const AHEAD: Duration = Duration::from_millis(100);

/// The load of a run, as it was planned and as it is steered.
pub(super) struct Steering<'a> {
    parts: Vec<Part>,
    /// The classes of the plan.
    classes: Vec<&'a str>,
    /// It ends after a number of iterations, which are shared out to the users that were planned.
    counted: bool,
    /// Why there cannot be so many users.
    crowded: &'a dyn Fn(u32) -> Option<String>,
    /// What was done.
    pub(super) done: Vec<Steered>,
}

impl<'a> Steering<'a> {
    /// The load as it is planned.
    pub(super) fn new(
        parts: &[Part],
        classes: Vec<&'a str>,
        counted: bool,
        crowded: &'a dyn Fn(u32) -> Option<String>,
    ) -> Self {
        Self { parts: parts.to_vec(), classes, counted, crowded, done: Vec::new() }
    }

    /// When the load ends.
    pub(super) fn total(&self) -> Duration {
        self.parts.iter().map(Part::total).max().unwrap_or_default()
    }

    /// How many users are asked for at a moment.
    pub(super) fn users_at(&self, at: Duration) -> u32 {
        self.parts.iter().map(|part| part.users_at(at)).sum()
    }

    /// What the workers are told, when somebody asks for a change at `now`.
    ///
    /// # Errors
    /// It does not fit: why.
    pub(super) fn order(&mut self, order: &Order, now: Duration) -> Result<Command, String> {
        let command = self.apply(order.change, now)?;
        let at = now + AHEAD;
        let change = order.change.words(|class| self.classes.get(class).copied());
        self.done.push(Steered { at, by: order.by.clone(), change });
        Ok(command)
    }

    /// The same for what nobody asked for, and nobody is told of.
    pub(super) fn apply(&mut self, change: Steer, now: Duration) -> Result<Command, String> {
        let at = now + AHEAD;
        if at >= self.total() {
            return Err("the run is about to end".into());
        }
        match change {
            Steer::Users { of, users, over } => {
                if self.counted {
                    return Err("its iterations are shared out to the users that it has".into());
                }
                let part = self.part(of, false)?;
                self.lasts(part, at)?;
                let others = self.parts.iter().enumerate().filter(|(other, _)| *other != part);
                let others =
                    others.fold(0u32, |all, (_, part)| all.saturating_add(part.most_users()));
                if let Some(why) = (self.crowded)(users.saturating_add(others)) {
                    return Err(why);
                }
                if let Part::Closed { schedule, .. } = &mut self.parts[part] {
                    *schedule = schedule.steered(at, users, over);
                }
            }
            Steer::Rate { of, rate, over } => {
                let part = self.part(of, true)?;
                self.lasts(part, at)?;
                if let Part::Open { arrivals, .. } = &mut self.parts[part] {
                    *arrivals = arrivals.steered(at, rate, over);
                }
            }
            Steer::Pause | Steer::Resume => {}
        }
        Ok(Command::Steer { at, change })
    }

    /// A part is not over at `at`.
    fn lasts(&self, part: usize, at: Duration) -> Result<(), String> {
        if at < self.parts[part].total() {
            Ok(())
        } else {
            Err("that part of the load is over".into())
        }
    }

    /// The one part of that form, or that of a class.
    fn part(&self, of: Option<usize>, open: bool) -> Result<usize, String> {
        let (has, lacks) =
            if open { ("a number of users", "a rate") } else { ("a rate", "a number of users") };
        let class = of.map(|class| (class, self.classes.get(class).copied().unwrap_or_default()));
        let all = self.parts.iter().enumerate().filter(|(_, part)| match class {
            Some((class, _)) => part.has(class),
            None => true,
        });
        let all: Vec<(usize, bool)> =
            all.map(|(at, part)| (at, matches!(part, Part::Open { .. }))).collect();
        let fits: Vec<usize> =
            all.iter().filter(|(_, is_open)| *is_open == open).map(|(at, _)| *at).collect();
        match (&fits[..], &all[..], class) {
            ([_, _, ..], _, _) => {
                Err(format!("several classes have {lacks} of their own: say whose"))
            }
            // A class that shares a part with others cannot be told from them.
            ([_], _, Some((_, name))) if self.parts.len() == 1 && self.classes.len() > 1 => {
                Err(format!("`{name}` shares its load with other classes: say it of all"))
            }
            ([one], ..) => Ok(*one),
            ([], [], Some((_, name))) => Err(format!("`{name}` has no load in this run")),
            ([], ..) => Err(format!("the load of this run is {has}, not {lacks}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Form, Load, Open, Profile, Spread};
    use crate::units::Rate;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn closed(users: u32) -> Form {
        Form::Closed(Profile::plateau(users, S(0), S(60), S(0)))
    }

    fn open() -> Form {
        let rate = Profile::plateau(Rate::per_second(5), S(0), S(60), S(0));
        Form::Open(Open { rate, spread: Spread::Even, max_users: 50 })
    }

    fn ordered(load: &Load, counted: bool, change: Steer) -> Result<(Vec<u32>, String), String> {
        let parts = Part::all(load, &[1.0, 1.0], &[0, 0]);
        let crowded = |users: u32| (users > 1000).then(|| format!("{users} are too many"));
        let mut steering = Steering::new(&parts, vec!["A", "B"], counted, &crowded);
        let order = Order { by: "Ada".into(), change };
        steering.order(&order, S(10))?;
        let asked = [S(10), S(11), S(15)].map(|at| steering.users_at(at));
        let Steered { at, by, change } = &steering.done[0];
        Ok((asked.to_vec(), format!("{at:?} {by}: {change}")))
    }

    #[test]
    fn what_fits_is_done_from_a_moment_later_and_written_down() {
        let users = |of| Steer::Users { of, users: 20, over: S(2) };
        let both = Load { parts: vec![(Some(0), closed(4)), (Some(1), open())] };
        assert_eq!(
            ordered(&closed(4).into(), false, users(None)),
            Ok((vec![4, 12, 20], "10.1s Ada: 20 users over 2s".into()))
        );
        assert_eq!(
            ordered(&both, false, users(Some(0))),
            Ok((vec![4, 12, 20], "10.1s Ada: 20 users of A over 2s".into()))
        );
        let rate = Steer::Rate { of: None, rate: Rate::per_second(9), over: S(0) };
        assert_eq!(ordered(&both, true, rate), Ok((vec![4; 3], "10.1s Ada: 9/s".into())));
        assert_eq!(
            ordered(&both, true, Steer::Pause),
            Ok((vec![4; 3], "10.1s Ada: paused".into()))
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        let users = |of, users| Steer::Users { of, users, over: S(0) };
        let rate = |of| Steer::Rate { of, rate: Rate::per_second(9), over: S(0) };
        let own = Load { parts: vec![(Some(0), closed(4)), (Some(1), closed(5))] };
        let one = Load { parts: vec![(Some(0), closed(4))] };
        for (load, counted, change, why) in [
            (
                closed(4).into(),
                true,
                users(None, 5),
                "its iterations are shared out to the users that it has",
            ),
            (closed(4).into(), false, users(None, 1001), "1001 are too many"),
            (
                closed(4).into(),
                false,
                rate(None),
                "the load of this run is a number of users, not a rate",
            ),
            (
                open().into(),
                false,
                users(None, 5),
                "the load of this run is a rate, not a number of users",
            ),
            (
                closed(4).into(),
                false,
                users(Some(1), 5),
                "`B` shares its load with other classes: say it of all",
            ),
            (
                own.clone(),
                false,
                users(None, 5),
                "several classes have a number of users of their own: say whose",
            ),
            (own, false, users(Some(1), 998), "1002 are too many"),
            (one, false, users(Some(1), 5), "`B` has no load in this run"),
        ] {
            assert_eq!(ordered(&load, counted, change), Err(why.to_owned()));
        }
        let short = Form::Closed(Profile::plateau(4, S(0), S(5), S(0)));
        let over = Load { parts: vec![(Some(0), short), (Some(1), closed(5))] };
        let why = "that part of the load is over".to_owned();
        assert_eq!(ordered(&over, false, users(Some(0), 5)), Err(why));
        let parts = Part::all(&closed(4).into(), &[1.0], &[0]);
        let mut steering = Steering::new(&parts, vec!["A"], false, &|_| None);
        let order = Order { by: "Ada".into(), change: Steer::Pause };
        assert_eq!(steering.order(&order, S(60)), Err("the run is about to end".into()));
    }
}
