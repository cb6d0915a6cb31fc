//! Owns what can be said of a plan before it runs: shares, the load over time, requests and rows to expect.

use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::crowd::{Crowd, shares};
use super::estimate::{Aim, Estimate, Iteration};
use super::instruction::{Class, Program};
use super::selection::Selection;
use crate::data::{AtEnd, Per, Source as Rows};
use crate::load::{Course, Form, Level, Order, Profile, Scale, Search, Spread, Wait};
use crate::plan::{NamedProfile, Plan, Searched};
use crate::units::Rate;

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
    /// It is made to find a limit: the other figures are those of its highest level for its longest time.
    pub search: Option<SearchShape>,
    /// The largest number of users at once; in the open form the most that there may be.
    pub peak: u32,
    /// The load of all classes together, or that of each its own.
    pub parts: Vec<PartShape>,
    /// The users of each class at the peak, in the order of the classes; in the open form the most that
    /// there may be.
    pub users: Vec<u32>,
    /// Requests to expect in all; absent when users do not wait: the target alone decides.
    pub requests: Option<f64>,
    /// Requests per second to expect at the peak.
    pub rps: Option<f64>,
    /// Some loop is as long as the run makes it, and was counted as one round.
    pub loops: bool,
    /// The requests are an estimate: chance, answers or loops decide. Else conditions alone do, and there
    /// are hardly more.
    pub rough: bool,
    /// How many requests there are depends on how long answers take.
    pub answers: bool,
    /// Rows of data.
    pub data: Vec<Need>,
}

/// A search for a limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchShape {
    /// `users` or `rate`.
    pub of: &'static str,
    /// The first level: users, or arrivals per second.
    pub from: f64,
    /// The highest that is tried.
    pub to: f64,
    /// The two in words: `50 users`.
    #[serde(skip)]
    pub words: (String, String),
    /// What must hold at a level.
    pub must: Vec<String>,
    /// How long each level is looked at.
    pub hold_s: f64,
    /// How long it has to take effect before.
    pub settle_s: f64,
    /// How near the answer is to be.
    pub within: f64,
    /// The most levels that are looked at.
    pub looks: u32,
}

/// The load of all classes, or of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartShape {
    /// The class that has it; all together when absent.
    pub class: Option<String>,
    /// Its whole time.
    pub total_s: f64,
    /// The largest number of users at once; in the open form the most that there may be.
    pub peak: u32,
    /// Its stages.
    pub stages: Vec<StageShape>,
    /// The open form: the iterations that start.
    pub arrivals: Option<ArrivalsShape>,
    /// Over time.
    #[serde(skip)]
    pub course: Course,
}

/// The iterations that start in the open form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrivalsShape {
    /// Per second at the peak.
    pub rate: f64,
    /// In the whole run; at random, on average.
    pub count: u64,
    /// `even` or `poisson`.
    pub spread: &'static str,
    /// How many of them each class has per second at the peak, in the order of the classes.
    pub rates: Vec<f64>,
    /// How many users are busy at the peak, on average, when each request takes as long as assumed.
    pub busy: f64,
    /// How long an iteration may take at the peak, on average, before there are too few users.
    pub iteration_at_most_s: f64,
    /// The classes whose wait is not used.
    pub idle_waits: Vec<String>,
}

/// How much there is of a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Users.
    Users(u32),
    /// Arrivals per second.
    Rate(#[serde(serialize_with = "per_second")] Rate),
}

impl Amount {
    /// As a number of its own kind.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::Users(users) => users.into(),
            Self::Rate(rate) => rate.as_per_second(),
        }
    }
}

/// A stage of a profile: to `users` or `rate` over `over_s`, then held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageShape {
    /// Its name.
    pub name: Option<String>,
    /// What there is at its begin.
    #[serde(serialize_with = "bare")]
    pub from: Amount,
    /// What there is at its end.
    #[serde(flatten)]
    pub to: Amount,
    /// How long the change takes.
    pub over_s: f64,
    /// How long it stays.
    pub hold_s: f64,
}

fn per_second<S: Serializer>(rate: &Rate, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(rate.as_per_second())
}

/// Without saying what it is.
fn bare<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
    match amount {
        Amount::Users(users) => to.serialize_u32(*users),
        Amount::Rate(rate) => per_second(rate, to),
    }
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
/// does `t / iteration + 1` of them, since the first comes at once, and `on_start` and `on_stop` once. In
/// the open form each arrival is an iteration, and as many users are busy as Little's law says: the rate
/// times what an iteration takes, its last wait left out.
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
    let profiles = plan.profiles.iter().filter(asked).map(|named| {
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
    let mut targets: Vec<String> = Vec::new();
    for target in program.targets.iter().skip(skipped).map(ToString::to_string) {
        // One that classes secure in different ways stands there for each.
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

fn shown(threshold: &crate::verdict::Threshold) -> String {
    match &threshold.of {
        Some(of) => format!("{} of {}{}", threshold.text, of.text(), threshold.when_words()),
        None => format!("{}{}", threshold.text, threshold.when_words()),
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
) -> Load {
    let plan = estimate.plan;
    let crowds = Crowd::all(plan, &named.load);
    let (mut requests, mut rps) = (Some(0.0), Some(0.0));
    let mut rounds = vec![Some(0.0); iterations.len()];
    let mut users = vec![0; iterations.len()];
    let (mut loops, mut scripts) = (false, 0.0);
    let answers = crowds.iter().any(|crowd| crowd.open.is_none());
    let mut rough = named.iterations.is_some() || (answers && !estimate.response.is_zero());
    for crowd in &crowds {
        rough |= crowd.open.is_some_and(|(_, spread)| spread == Spread::Poisson);
        for (number, iteration) in iterations.iter().enumerate() {
            let lives = crowd.lives[number];
            if lives.users == 0 {
                continue;
            }
            let class = &plan.classes[number];
            let once = estimate.steps(&class.on_start, class, true);
            let last = estimate.steps(&class.on_stop, class, true);
            rough |= iteration.drawn || once.drawn || last.drawn;
            loops |= iteration.open || once.open || last.open;
            // How many iterations one after the other there are, or how many arrive.
            let frequency =
                if iteration.seconds > 0.0 { Some(1.0 / iteration.seconds) } else { None };
            let (done, per, started) = match crowd.open {
                Some((most, _)) => {
                    let busy =
                        rounded(lives.rate * iteration.busy).ceil().clamp(1.0, f64::from(most));
                    (Some(lives.arrivals), Some(lives.rate), busy.min(lives.arrivals.ceil()))
                }
                None => {
                    let started = lives.started as f64;
                    let done = frequency.map(|frequency| frequency * lives.seconds + started);
                    (done, frequency.map(|per| per * f64::from(lives.users)), started)
                }
            };
            users[number] += lives.users;
            rounds[number] = rounds[number].zip(done).map(|(all, own)| all + own);
            let own = (once.requests + last.requests) * started;
            rough |= crowd.open.is_some() && own > 0.0;
            scripts += own;
            let own = done.map(|done| done * iteration.requests);
            requests = requests.zip(own).map(|(all, own)| all + own);
            let own = per.map(|per| per * iteration.requests);
            rps = rps.zip(own).map(|(all, own)| all + own);
        }
    }
    if let Some(bound) = named.iterations {
        capped(bound as f64, &mut requests, &mut rounds, iterations);
    }
    let parts = crowds.iter().zip(&named.load.parts);
    let parts = parts.map(|(crowd, (_, form))| part(plan, crowd, form, iterations)).collect();
    let parts: Vec<PartShape> = parts;
    Load {
        name: named.name.value.clone(),
        default,
        total_s: named.load.total().as_secs_f64(),
        warmup_s: named.warmup.unwrap_or(plan.warmup).as_secs_f64(),
        iterations: named.iterations,
        search: named.search.as_ref().map(searched),
        peak: parts.iter().fold(0, |all, part| all.saturating_add(part.peak)),
        parts,
        data: needs(plan, program, &crowds, &rounds, iterations),
        users,
        requests: requests.map(|requests| (requests + scripts).round()),
        rps: rps.map(rounded),
        loops,
        rough: rough || loops,
        answers,
    }
}

fn searched(searched: &Searched) -> SearchShape {
    let Search { of, from, to, hold, settle, within } = searched.search;
    let word = Scale::WORDS.into_iter().find(|(_, one)| *one == of);
    SearchShape {
        of: word.expect("every scale has a word").0,
        from: of.number(from),
        to: of.number(to),
        words: (of.words(from), of.words(to)),
        must: searched.must.iter().map(|one| one.value.text.clone()).collect(),
        hold_s: hold.as_secs_f64(),
        settle_s: settle.as_secs_f64(),
        within,
        looks: searched.search.most_looks(),
    }
}

fn part(plan: &Plan, crowd: &Crowd, form: &Form, iterations: &[Iteration<'_>]) -> PartShape {
    let name = |number: usize| plan.classes[number].name.value.clone();
    let arrivals = crowd.open.map(|(most, spread)| {
        let all: f64 = crowd.lives.iter().map(|lives| lives.rate).sum();
        let lives = || crowd.lives.iter().zip(iterations).zip(&plan.classes);
        let idle = lives().filter(|((lives, _), class)| lives.rate > 0.0 && class.waits_in_vain());
        ArrivalsShape {
            rate: rounded(all),
            count: crowd.lives.iter().map(|lives| lives.arrivals).sum::<f64>().round() as u64,
            spread: Spread::WORDS
                .iter()
                .find(|(_, known)| *known == spread)
                .map_or("", |one| one.0),
            rates: crowd.lives.iter().map(|lives| rounded(lives.rate)).collect(),
            busy: rounded(lives().map(|((lives, own), _)| lives.rate * own.busy).sum()),
            iteration_at_most_s: if all > 0.0 { rounded(f64::from(most) / all) } else { 0.0 },
            idle_waits: idle.map(|(_, class)| class.name.value.clone()).collect(),
        }
    });
    let peak = match (crowd.open, &crowd.course) {
        (Some((most, _)), _) => most,
        (None, Course::Users(schedule)) => schedule.peak(),
        (None, Course::Rate(_)) => 0,
    };
    PartShape {
        class: crowd.class.map(name),
        total_s: form.total().as_secs_f64(),
        peak,
        stages: match form {
            Form::Closed(users) => stages(users, Amount::Users),
            Form::Open(open) => stages(&open.rate, Amount::Rate),
        },
        arrivals,
        course: crowd.course.clone(),
    }
}

fn stages<L: Level>(profile: &Profile<L>, amount: fn(L) -> Amount) -> Vec<StageShape> {
    let (mut from, mut left) = (L::default(), profile.total());
    let stages = profile.stages().iter().map(|stage| {
        let over = stage.over.min(left);
        let hold = stage.hold.min(left - over);
        left -= over + hold;
        let shape = StageShape {
            name: stage.name.clone(),
            from: amount(from),
            to: amount(stage.to),
            over_s: over.as_secs_f64(),
            hold_s: hold.as_secs_f64(),
        };
        from = stage.to;
        shape
    });
    stages.collect()
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

/// Users that hold a row of a source at once.
fn holders(program: &Program, crowds: &[Crowd], source: &Arc<Rows>) -> f64 {
    let holds = |class: &Class| {
        class.rows.iter().any(|row| row.per == Per::User && Arc::ptr_eq(&row.source, source))
    };
    let of = |crowd: &Crowd| {
        let users = program.classes.iter().zip(&crowd.lives).filter(|(class, _)| holds(class));
        let all: f64 = users.map(|(_, lives)| f64::from(lives.users)).sum();
        crowd.open.map_or(all, |(most, _)| all.min(f64::from(most)))
    };
    crowds.iter().map(of).sum()
}

fn needs(
    plan: &Plan,
    program: &Program,
    crowds: &[Crowd],
    rounds: &[Option<f64>],
    iterations: &[Iteration<'_>],
) -> Vec<Need> {
    let mut needs: Vec<(Arc<Rows>, Option<f64>, Per)> = Vec::new();
    for (number, class) in program.classes.iter().enumerate() {
        for row in &class.rows {
            let known = needs.iter_mut().find(|(source, ..)| Arc::ptr_eq(source, &row.source));
            let taken = match row.per {
                // Of all classes at once: those of a rate share its users.
                Per::User if known.is_some() => continue,
                Per::User => Some(holders(program, crowds, &row.source)),
                Per::Iteration => rounds[number],
                // Not every request reads a row: so many at the most.
                Per::Request => rounds[number].map(|rounds| rounds * iterations[number].requests),
            };
            match known {
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

fn word(order: Order) -> &'static str {
    let known = Order::WORDS.iter().find(|(_, known)| *known == order);
    known.expect("every order has a word").0
}

/// To a thousandth of a percent: what is worked out has no more digits that mean anything.
fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
