//! Owns what each class has of a load: its users and how long they live, or its arrivals.

use std::time::Duration;

use crate::load::{Course, Form, Load, Spread, order};
use crate::plan::{self, Plan};

/// A part of a load, shared out over the classes.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    /// Whose it is; of all classes together when absent.
    pub(super) class: Option<usize>,
    pub(super) course: Course,
    /// In the order of the classes.
    pub(super) lives: Vec<Lives>,
    /// In the open form: the most users at once, and how arrivals are spread.
    pub(super) open: Option<(u32, Spread)>,
}

/// What a class has of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lives {
    /// Users at the peak; in the open form as many as it may need.
    pub(super) users: u32,
    /// Users begun in the whole run: closed form.
    pub(super) started: u64,
    /// How long they live, all together: closed form.
    pub(super) seconds: f64,
    /// Arrivals in the whole run: open form.
    pub(super) arrivals: f64,
    /// Arrivals per second at the peak: open form.
    pub(super) rate: f64,
}

impl Crowd {
    /// The parts of a load, with the shares that the plan has.
    pub(super) fn all(plan: &Plan, load: &Load) -> Vec<Self> {
        load.parts.iter().map(|(class, form)| Self::of(plan, *class, form)).collect()
    }

    fn of(plan: &Plan, class: Option<usize>, form: &Form) -> Self {
        let (weights, fixed) = match class {
            None => shares(plan),
            Some(own) => {
                ((0..plan.classes.len()).map(|at| f64::from(at == own)).collect(), Vec::new())
            }
        };
        let course = Course::of(form);
        let mut lives = vec![Lives::default(); plan.classes.len()];
        match &course {
            Course::Rate(arrivals) => {
                let count = arrivals.count() as f64;
                let peak = arrivals.peak_within(Duration::ZERO, arrivals.total()).as_per_second();
                let all: f64 = weights.iter().sum();
                for (own, weight) in lives.iter_mut().zip(&weights).filter(|one| *one.1 > 0.0) {
                    own.arrivals = count * weight / all;
                    own.rate = peak * weight / all;
                }
            }
            Course::Users(schedule) => {
                let order = order(&weights, &fixed, schedule.peak() as usize);
                for (class, (started, life)) in order.into_iter().zip(schedule.lives()) {
                    let own = &mut lives[usize::from(class)];
                    own.users += 1;
                    own.started += u64::from(started);
                    own.seconds += life.as_secs_f64();
                }
            }
        }
        let open = match form {
            Form::Open(open) => Some((open.max_users, open.spread)),
            Form::Closed(_) => None,
        };
        if let Some((most, _)) = open {
            lives.iter_mut().filter(|own| own.rate > 0.0).for_each(|own| own.users = most);
        }
        Self { class, course, lives, open }
    }
}

/// The weight of each class, and how many of its users are fixed.
#[must_use]
pub fn shares(plan: &Plan) -> (Vec<f64>, Vec<u32>) {
    let weight = |class: &plan::Class| if class.fixed.is_some() { 0.0 } else { class.weight };
    let fixed = |class: &plan::Class| class.fixed.unwrap_or(0);
    (plan.classes.iter().map(weight).collect(), plan.classes.iter().map(fixed).collect())
}
