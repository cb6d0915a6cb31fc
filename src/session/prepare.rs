//! Owns preparing a run: plan and command line together become what the engine needs, or mistakes.

use std::time::Duration;

use super::options::{Options, ProfileChoice, Ramp};
use super::way::Way;
use crate::diagnostic::{Diagnostic, Source, suggest};
use crate::load::{Profile, Schedule, Span, order};
use crate::plan::{Plan, Target};
use crate::program::{self, Program};
use crate::protocol::http::Roots;
use crate::units::format_duration;
use crate::verdict::Threshold;

/// How long iterations under way may go on at the end, when nobody says.
const GRACE: Duration = Duration::from_secs(30);

/// A run, ready to start.
#[derive(Debug)]
pub struct Prepared {
    /// What users do.
    pub program: Program,
    /// When they start and stop.
    pub schedule: Schedule,
    /// The class of each slot.
    pub order: Vec<u16>,
    /// Where requests go.
    pub target: Target,
    /// How the target is reached.
    pub way: Way,
    /// The profile in words.
    pub profile: String,
    /// Its parts in time.
    pub spans: Vec<Span>,
    /// How long iterations under way may go on at the end.
    pub grace: Duration,
    /// What the run must show.
    pub thresholds: Vec<Threshold>,
}

/// Brings plan and options together. `target` is where requests go when it is known already (the
/// demo's address).
///
/// # Errors
/// Every mistake of the plan that only the compiler sees, and every option that does not fit it.
pub fn prepare(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    target: Option<Target>,
) -> Result<Prepared, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let target = target
        .or_else(|| options.target.clone())
        .or_else(|| plan.target.as_ref().map(|target| target.value.clone()));
    if target.is_none() {
        mistakes.push(Diagnostic::without_place(
            "no target: neither the plan nor the command line says where requests go",
            "write `target: http://127.0.0.1:8000` in the plan, or add `--target URL` (or `--demo`)",
        ));
    }
    let way = target.as_ref().map(|target| Way::to(target, options, Roots::of_system));
    let way = way.transpose().map_err(|mistake| mistakes.push(mistake)).ok().flatten();
    let load = load(plan, &options.load).map_err(|mistake| mistakes.push(mistake)).ok();
    let weights = weights(plan, &options.classes).map_err(|mistake| mistakes.push(mistake)).ok();
    // The compiler needs some target; without one its result is thrown away below.
    let placeholder = || Target::parse("http://localhost").expect("the text is a target");
    let compiled = program::compile(plan, &target.clone().unwrap_or_else(placeholder), sources);
    match (compiled, target.zip(way), load, weights) {
        (Ok((program, _)), Some((target, way)), Some((profile, words, grace)), Some(weights)) => {
            let schedule = Schedule::new(&profile);
            let prepared = Prepared {
                program,
                order: order(&weights, schedule.peak() as usize),
                schedule,
                spans: profile.spans(),
                target,
                way,
                profile: words,
                grace: options.grace.or(grace).unwrap_or(GRACE),
                thresholds: plan.thresholds.iter().map(|placed| placed.value.clone()).collect(),
            };
            Ok(prepared)
        }
        (compiled, ..) => {
            mistakes.extend(compiled.err().unwrap_or_default());
            Err(mistakes)
        }
    }
}

/// The profile that runs, in figures and in words, and its own grace.
fn load(
    plan: &Plan,
    choice: &ProfileChoice,
) -> Result<(Profile, String, Option<Duration>), Diagnostic> {
    let named = match &choice.profile {
        None => plan.profile.map(|position| &plan.profiles[position]),
        Some(name) => {
            let names = plan.profiles.iter().map(|profile| profile.name.value.as_str());
            let found = plan.profiles.iter().find(|profile| profile.name.value == *name);
            if found.is_none() {
                let title = format!("the plan has no profile `{name}`");
                return Err(Diagnostic::without_place(title, did_you_mean(name, names)));
            }
            found
        }
    };
    let grace = named.and_then(|named| named.grace);
    let Some(users) = choice.users else {
        let Some(named) = named else {
            return Err(Diagnostic::without_place(
                "nothing says how many users there are",
                "add `profiles:` to the plan, or say it here: `-u 20 -r 5 -t 15s`",
            ));
        };
        let name = named.name.value.clone();
        return Ok(match choice.run_time {
            None => (named.profile.clone(), format!("profile {name}"), grace),
            Some(time) => {
                let words = format!("profile {name}, for {}", format_duration(time));
                (named.profile.clone().lasting(time), words, grace)
            }
        });
    };
    let Some(total) = choice.run_time.or_else(|| named.map(|named| named.profile.total())) else {
        return Err(Diagnostic::without_place(
            "nothing says how long the run is",
            "add `-t 15s`, or a profile to the plan",
        ));
    };
    let (profile, speed) = match choice.ramp {
        None => (Profile::ramp_to(users, None, total), "at once".to_owned()),
        Some(Ramp::Rate(rate)) => {
            (Profile::ramp_to(users, Some(rate), total), format!("at {rate}"))
        }
        Some(Ramp::Over(ramp)) => {
            let hold = total.saturating_sub(ramp);
            let profile = Profile::plateau(users, ramp, hold, Duration::ZERO).lasting(total);
            (profile, format!("over {}", format_duration(ramp)))
        }
    };
    let what = if users == 1 { "user" } else { "users" };
    Ok((profile, format!("{users} {what} {speed}"), grace))
}

/// The weight of each class. Naming classes picks them; one that has no weight in the plan then
/// counts as 1, since naming it says that it is wanted.
fn weights(plan: &Plan, wanted: &[String]) -> Result<Vec<f64>, Diagnostic> {
    let names = || plan.classes.iter().map(|class| class.name.value.as_str());
    if let Some(unknown) = wanted.iter().find(|name| !names().any(|known| known == *name)) {
        let title = format!("the plan has no user class `{unknown}`");
        return Err(Diagnostic::without_place(title, did_you_mean(unknown, names())));
    }
    let weight = |class: &crate::plan::Class| {
        if wanted.is_empty() {
            class.weight
        } else if !wanted.contains(&class.name.value) {
            0.0
        } else if class.weight > 0.0 {
            class.weight
        } else {
            1.0
        }
    };
    let weights: Vec<f64> = plan.classes.iter().map(weight).collect();
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(Diagnostic::without_place(
            "no user class has a weight above 0",
            "give one a weight, or name one on the command line",
        ));
    }
    Ok(weights)
}

fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match suggest(wrong, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", names.collect::<Vec<_>>().join(", ")),
    }
}
