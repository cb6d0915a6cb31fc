//! Owns what can be said of a plan before it runs: shares, the load over time, requests and rows to expect.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::estimate::{Aim, Estimate, Iteration};
use super::instruction::Program;
use super::selection::Selection;
use crate::data::{AtEnd, Per, Source as Rows};
use crate::load::{self, Order, Profile, Schedule, Wait, order};
use crate::plan::{self, NamedProfile, Plan};

/// What is asked of an explanation.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Only this profile; all when absent.
    pub profile: Option<String>,
    /// Which tasks and steps run.
    pub selection: Selection,
    /// How long each request is assumed to take.
    pub response: Duration,
}

/// A plan in figures, as `throng check --explain --format json` writes it. Times are in seconds,
/// shares are fractions; what is not known is `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The plan's name.
    pub name: String,
    /// Where requests go, the plan's own target first.
    pub targets: Vec<String>,
    /// The user classes, in the order of the plan.
    pub classes: Vec<ClassShape>,
    /// The profiles, in the order of the plan, or the one that was asked for.
    pub profiles: Vec<Load>,
    /// What must hold.
    pub thresholds: Vec<String>,
    /// How long each request was assumed to take.
    pub response_s: f64,
}

/// A user class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassShape {
    /// Its name.
    pub name: String,
    /// Exactly so many of them.
    pub fixed: Option<u32>,
    /// Its share of the users that are not fixed.
    pub share: Option<f64>,
    /// How tasks follow each other: `random`, `sequence`, `shuffle` or `chain`.
    pub order: &'static str,
    /// The wait as text.
    pub wait: String,
    /// In the order of the plan, those that tags leave out left out.
    pub tasks: Vec<TaskShape>,
    /// Requests of an iteration, on average.
    pub requests_per_iteration: f64,
    /// Seconds from one iteration to the next, on average.
    pub iteration_s: f64,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskShape {
    /// Its name.
    pub name: String,
    /// Random: the fraction of iterations that are this task. Chain: of the visited tasks, in the long
    /// run. Else absent: it is done once in each pass.
    pub share: Option<f64>,
    /// Chain: how often it is visited in a pass, on average.
    pub visits: Option<f64>,
    /// It is done only while this holds.
    pub when: Option<String>,
    /// How often it does anything.
    pub chance: Option<f64>,
    /// The wait after it, when it has its own.
    pub wait: Option<String>,
    /// Requests each time, on average.
    pub requests: f64,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Its name.
    pub name: String,
    /// It runs when no profile is named.
    pub default: bool,
    /// The whole time.
    pub total_s: f64,
    /// The time at the start that is left out of thresholds and totals.
    pub warmup_s: f64,
    /// It ends after so many iterations.
    pub iterations: Option<u64>,
    /// The largest number of users at once.
    pub peak: u32,
    /// Its stages.
    pub stages: Vec<StageShape>,
    /// The users of each class at the peak, in the order of the classes.
    pub users: Vec<u32>,
    /// Requests to expect in all; absent when users do not wait: the target alone decides.
    pub requests: Option<f64>,
    /// Requests per second to expect at the peak.
    pub rps: Option<f64>,
    /// A loop is as long as the run makes it, and was counted as one round.
    pub open: bool,
    /// The requests are an estimate: chance, answers or loops decide. Else conditions alone do, and there
    /// are hardly more.
    pub rough: bool,
    /// Rows of data.
    pub data: Vec<Need>,
    /// The users over time.
    #[serde(skip)]
    pub schedule: Schedule,
}

/// A stage of a profile: to `users` over `over_s`, then held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageShape {
    /// Its name.
    pub name: Option<String>,
    /// Users at its begin.
    pub from: u32,
    /// Users at its end.
    pub users: u32,
    /// How long the change takes.
    pub over_s: f64,
    /// How long they stay.
    pub hold_s: f64,
}

/// Rows that a source has, and those that a run takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need {
    /// The source.
    pub name: String,
    /// Rows that it has.
    pub rows: u64,
    /// Rows that are needed; absent when that is not known.
    pub needed: Option<u64>,
    /// `user`, `iteration` or `request`: for each, a row is taken.
    pub per: &'static str,
    /// They are taken again from the first when all are used up.
    pub recycled: bool,
}

/// Explains a plan without mistakes; `program` is the plan compiled, with its rows.
///
/// An iteration takes its waits and, for each of its requests, `response`. A user that lives for `t`
/// does `t / iteration + 1` of them, since the first comes at once, and `on_start` and `on_stop` once.
#[must_use]
pub fn explain(plan: &Plan, program: &Program, question: &Question) -> Explanation {
    let estimate = Estimate::new(plan, &question.selection, Aim::Mean, question.response);
    let iterations: Vec<Iteration<'_>> =
        plan.classes.iter().map(|class| estimate.iteration(class)).collect();
    let all: f64 = shares(plan).0.iter().sum();
    let classes = plan.classes.iter().zip(&iterations).map(|(class, iteration)| ClassShape {
        name: class.name.value.clone(),
        fixed: class.fixed,
        share: class.fixed.is_none().then(|| if all > 0.0 { class.weight / all } else { 0.0 }),
        order: word(class.order),
        wait: class.wait.to_string(),
        tasks: tasks(class.order, iteration),
        requests_per_iteration: rounded(iteration.requests),
        iteration_s: rounded(iteration.seconds),
    });
    let asked = |named: &&NamedProfile| {
        question.profile.as_ref().is_none_or(|name| *name == named.name.value)
    };
    let profiles = plan.profiles.iter().filter(asked).filter_map(|named| {
        let default = plan
            .profile
            .and_then(|position| plan.profiles.get(position))
            .is_some_and(|default| default.name.value == named.name.value);
        load(named, default, &estimate, &iterations, program)
    });
    Explanation {
        name: plan.name.clone(),
        targets: targets(plan, program),
        classes: classes.collect(),
        profiles: profiles.collect(),
        thresholds: plan.thresholds.iter().map(|threshold| shown(&threshold.value)).collect(),
        response_s: question.response.as_secs_f64(),
    }
}

/// Without the one that stands for what the command line will say.
fn targets(plan: &Plan, program: &Program) -> Vec<String> {
    let skipped = usize::from(plan.target.is_none());
    program.targets.iter().skip(skipped).map(ToString::to_string).collect()
}

fn shown(threshold: &crate::verdict::Threshold) -> String {
    match &threshold.of {
        Some(of) => format!("{} of {}", threshold.text, of.text()),
        None => threshold.text.clone(),
    }
}

fn tasks(order: Order, iteration: &Iteration<'_>) -> Vec<TaskShape> {
    let all: f64 = iteration.parts.iter().map(|part| part.times).sum();
    let tasks = iteration.parts.iter().map(|part| TaskShape {
        name: part.task.name.value.clone(),
        share: matches!(order, Order::Random | Order::Chain)
            .then(|| rounded(if all > 0.0 { part.times / all } else { 0.0 })),
        visits: (order == Order::Chain).then(|| rounded(part.times)),
        when: part.task.when.as_ref().map(|when| when.value.clone()),
        chance: part.task.chance,
        wait: part.task.wait.as_ref().map(Wait::to_string),
        requests: rounded(part.work.requests),
    });
    tasks.collect()
}

fn load(
    named: &NamedProfile,
    default: bool,
    estimate: &Estimate<'_>,
    iterations: &[Iteration<'_>],
    program: &Program,
) -> Option<Load> {
    let plan = estimate.plan;
    let profile = only_closed(&named.load)?;
    let crowd = Crowd::of(plan, profile);
    let (mut requests, mut rps, mut rounds) = (Some(0.0), Some(0.0), Vec::new());
    let (mut open, mut scripts) = (false, 0.0);
    let mut rough = named.iterations.is_some() || !estimate.response.is_zero();
    for (number, iteration) in iterations.iter().enumerate() {
        let Lives { users, started, seconds } = crowd.lives[number];
        let class = &plan.classes[number];
        let once = estimate.steps(&class.on_start, class, true);
        let last = estimate.steps(&class.on_stop, class, true);
        rough |= users > 0 && (iteration.drawn || once.drawn || last.drawn);
        open |= users > 0 && (iteration.open || once.open || last.open);
        let frequency = if iteration.seconds > 0.0 { Some(1.0 / iteration.seconds) } else { None };
        let done = frequency.map(|frequency| frequency * seconds + started as f64);
        rounds.push(if users == 0 { Some(0.0) } else { done });
        if users == 0 {
            continue;
        }
        scripts += (once.requests + last.requests) * started as f64;
        let own = done.map(|done| done * iteration.requests);
        requests = requests.zip(own).map(|(all, own)| all + own);
        let own = frequency.map(|per| per * iteration.requests * f64::from(users));
        rps = rps.zip(own).map(|(all, own)| all + own);
    }
    if let Some(bound) = named.iterations {
        capped(bound as f64, &mut requests, &mut rounds, iterations);
    }
    let (mut stages, mut from) = (Vec::new(), 0);
    let mut left = profile.total();
    for stage in profile.stages() {
        let over = stage.over.min(left);
        let hold = stage.hold.min(left - over);
        left -= over + hold;
        stages.push(StageShape {
            name: stage.name.clone(),
            from,
            users: stage.to,
            over_s: over.as_secs_f64(),
            hold_s: hold.as_secs_f64(),
        });
        from = stage.to;
    }
    Some(Load {
        name: named.name.value.clone(),
        default,
        total_s: profile.total().as_secs_f64(),
        warmup_s: named.warmup.unwrap_or(plan.warmup).as_secs_f64(),
        iterations: named.iterations,
        peak: crowd.schedule.peak(),
        stages,
        users: crowd.lives.iter().map(|lives| lives.users).collect(),
        requests: requests.map(|requests| (requests + scripts).round()),
        rps: rps.map(rounded),
        open,
        rough: rough || open,
        data: needs(plan, program, &crowd, &rounds, iterations),
        schedule: crowd.schedule,
    })
}

/// No more iterations than the profile says.
fn capped(
    bound: f64,
    requests: &mut Option<f64>,
    rounds: &mut [Option<f64>],
    iterations: &[Iteration<'_>],
) {
    let all: Option<f64> = rounds.iter().copied().sum();
    if all.is_some_and(|all| all <= bound) {
        return;
    }
    // Shared out as the classes would have done them; without waits, nobody knows how.
    let factor = all.map(|all| bound / all);
    let only = rounds.iter().filter(|round| **round != Some(0.0)).count() == 1;
    for round in rounds.iter_mut().filter(|round| **round != Some(0.0)) {
        *round = match (*round, factor) {
            (Some(round), Some(factor)) => Some(round * factor),
            _ if only => Some(bound),
            _ => None,
        };
    }
    let each = rounds.iter().zip(iterations).map(|(round, iteration)| {
        round.map(|round| if round > 0.0 { round * iteration.requests } else { 0.0 })
    });
    *requests = each.sum();
}

fn needs(
    plan: &Plan,
    program: &Program,
    crowd: &Crowd,
    rounds: &[Option<f64>],
    iterations: &[Iteration<'_>],
) -> Vec<Need> {
    let mut needs: Vec<(Arc<Rows>, Option<f64>, Per)> = Vec::new();
    for (number, class) in program.classes.iter().enumerate() {
        for row in &class.rows {
            let taken = match row.per {
                Per::User => Some(f64::from(crowd.lives[number].users)),
                Per::Iteration => rounds[number],
                // Not every request reads a row: so many at the most.
                Per::Request => rounds[number].map(|rounds| rounds * iterations[number].requests),
            };
            match needs.iter_mut().find(|(source, ..)| Arc::ptr_eq(source, &row.source)) {
                Some((_, all, _)) => *all = all.zip(taken).map(|(all, taken)| all + taken),
                None => needs.push((row.source.clone(), taken, row.per)),
            }
        }
    }
    let at_end = |name: &str| {
        plan.data.iter().find(|data| data.name.value == name).map(|data| data.definition.at_end)
    };
    let needs = needs.into_iter().map(|(source, needed, per)| Need {
        name: source.name().to_owned(),
        rows: source.rows(),
        needed: needed.map(|needed| needed.ceil() as u64),
        per: match per {
            Per::User => "user",
            Per::Iteration => "iteration",
            Per::Request => "request",
        },
        recycled: at_end(source.name()) == Some(AtEnd::Recycle) || source.recycles(),
    });
    needs.collect()
}

/// Who lives when.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    pub(super) schedule: Schedule,
    /// In the order of the classes.
    pub(super) lives: Vec<Lives>,
}

/// The users of a class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lives {
    /// At the peak.
    pub(super) users: u32,
    /// Begun in the whole run.
    pub(super) started: u64,
    /// How long they live, all together.
    pub(super) seconds: f64,
}

impl Crowd {
    /// With the shares that the plan has.
    pub(super) fn of(plan: &Plan, profile: &Profile) -> Self {
        let (weights, fixed) = shares(plan);
        let schedule = Schedule::new(profile);
        let order = order(&weights, &fixed, schedule.peak() as usize);
        let mut lives = vec![Lives::default(); plan.classes.len()];
        for (class, (started, life)) in order.into_iter().zip(schedule.lives()) {
            let own = &mut lives[usize::from(class)];
            own.users += 1;
            own.started += u64::from(started);
            own.seconds += life.as_secs_f64();
        }
        Self { schedule, lives }
    }
}

/// The profile of a load in the closed form for all classes together.
pub(super) fn only_closed(load: &load::Load) -> Option<&Profile> {
    match &load.parts[..] {
        [(None, load::Form::Closed(profile))] => Some(profile),
        _ => None,
    }
}

/// The weight of each class, and how many of its users are fixed.
#[must_use]
pub fn shares(plan: &Plan) -> (Vec<f64>, Vec<u32>) {
    let weight = |class: &plan::Class| if class.fixed.is_some() { 0.0 } else { class.weight };
    let fixed = |class: &plan::Class| class.fixed.unwrap_or(0);
    (plan.classes.iter().map(weight).collect(), plan.classes.iter().map(fixed).collect())
}

fn word(order: Order) -> &'static str {
    let known = Order::WORDS.iter().find(|(_, known)| *known == order);
    known.expect("every order has a word").0
}

/// To a thousandth of a percent: what is worked out has no more digits that mean anything.
fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
