//! Owns thresholds that no load of the plan can reach: more requests than its users' waits leave room for.

use std::time::Duration;

use super::estimate::{Aim, Estimate, Iteration};
use super::explain::Crowd;
use super::selection::Selection;
use crate::diagnostic::Diagnostic;
use crate::load::{Order, Wait};
use crate::plan::{Class, NamedProfile, Plan};
use crate::units::format_duration;
use crate::verdict::{Metric, Of, Op};

/// Warnings at thresholds that ask for more requests than any of the profiles can give, or than the
/// one called `profile`. What the waits do not bound is never among them.
#[must_use]
pub fn out_of_reach(plan: &Plan, profile: Option<&str>, selection: &Selection) -> Vec<Diagnostic> {
    let response = Duration::ZERO;
    let estimate = Estimate { plan, selection, aim: Aim::Most, response, retrying: false };
    let iterations: Vec<_> = plan.classes.iter().map(|class| estimate.iteration(class)).collect();
    let asked = |named: &&NamedProfile| profile.is_none_or(|name| name == named.name.value);
    let profiles: Vec<&NamedProfile> = plan.profiles.iter().filter(asked).collect();
    let mut warnings = Vec::new();
    for threshold in &plan.thresholds {
        let least = matches!(threshold.value.op, Op::Greater | Op::GreaterOrEqual);
        let is_rate = match threshold.value.metric {
            Metric::Rps => true,
            Metric::Requests => false,
            _ => continue,
        };
        let only = match &threshold.value.of {
            Some(Of::Class(class)) => Some(class.as_str()),
            // What is counted for a group is not its requests.
            Some(Of::Group(_)) => continue,
            _ => None,
        };
        if !least {
            continue;
        }
        let bounds = profiles
            .iter()
            .map(|named| bound(named, &estimate, &iterations, only))
            .collect::<Option<Vec<_>>>();
        let best = bounds.into_iter().flatten().max_by(|a, b| {
            let of = |bound: &Bound| if is_rate { bound.rate } else { bound.requests };
            of(a).total_cmp(&of(b))
        });
        let Some(best) = best else { continue };
        let limit = threshold.value.limit;
        let reached = if is_rate { best.rate.max(best.average) } else { best.requests };
        // Never for the sake of a digit: waits are drawn, and clocks are not exact.
        if reached * 1.05 >= limit {
            continue;
        }
        let most = if is_rate {
            format!("{}/s", figure(best.rate))
        } else {
            let time = format_duration(best.total);
            format!("{} requests in {time}", figure(reached.ceil()))
        };
        let (text, profile) = (&threshold.value.text, best.profile);
        let (title, which) = match profiles.len() {
            1 => (format!("the profile `{profile}` cannot reach `{text}`"), String::new()),
            _ => (format!("no profile can reach `{text}`"), format!(" in `{profile}`")),
        };
        let label = format!("{} give at most {most}{which}", best.who);
        warnings.push(
            Diagnostic::warning(threshold.place, title, label)
                .help("run more users, shorten their waits, or ask for less"),
        );
    }
    warnings
}

/// The most that a profile can give.
struct Bound<'a> {
    profile: &'a str,
    /// Per second at the peak, in the long run.
    rate: f64,
    /// In the whole run.
    requests: f64,
    /// Per second of the time that is judged, with all that users do at once when they begin.
    average: f64,
    /// Its whole time.
    total: Duration,
    /// The users and their waits.
    who: String,
}

/// Absent when nothing bounds it.
fn bound<'a>(
    named: &'a NamedProfile,
    estimate: &Estimate<'_>,
    iterations: &[Iteration<'_>],
    only: Option<&str>,
) -> Option<Bound<'a>> {
    let plan = estimate.plan;
    let crowd = Crowd::of(plan, &named.profile);
    let (mut rate, mut iterated, mut once, mut users) = (0.0, 0.0, 0.0, 0);
    let (mut each, mut told) = (0.0, Vec::new());
    for ((class, iteration), lives) in plan.classes.iter().zip(iterations).zip(&crowd.lives) {
        if lives.users == 0 || only.is_some_and(|name| name != class.name.value) {
            continue;
        }
        let in_one = iteration.parts.iter().map(|part| part.work.requests * part.times.max(1.0));
        let in_one: f64 = match class.order {
            Order::Random => in_one.fold(0.0, f64::max),
            _ => in_one.sum(),
        };
        let steps = [&class.on_start, &class.on_stop];
        let steps = steps.map(|steps| estimate.steps(steps, class, true).requests);
        let per =
            if iteration.requests > 0.0 { iteration.requests / iteration.seconds } else { 0.0 };
        rate += per * f64::from(lives.users);
        // The first iteration of a user waits for nothing: it comes on top.
        iterated += per * lives.seconds + in_one * lives.started as f64;
        once += steps.iter().sum::<f64>() * lives.started as f64;
        each = in_one.max(each);
        users += lives.users;
        told.push((class, iteration.requests));
    }
    if let Some(most) = named.iterations {
        iterated = iterated.min(each * most as f64);
    }
    let requests = iterated + once;
    if !rate.is_finite() || !requests.is_finite() {
        return None;
    }
    let judged = named.profile.total().saturating_sub(named.warmup.unwrap_or(plan.warmup));
    let people = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    let own_waits = |class: &Class| class.tasks.iter().any(|task| task.wait.is_some());
    let who = match &told[..] {
        [(class, each)] if !own_waits(class) => {
            let several = if *each > 1.0 {
                format!(" and {} requests each time", figure(*each))
            } else {
                String::new()
            };
            match class.wait {
                Wait::None => format!("{people} with the waits in their tasks"),
                wait if wait.is_pace() => format!("{people} with {wait}{several}"),
                wait => format!("{people} with a wait of {wait}{several}"),
            }
        }
        _ => format!("{people} with their waits"),
    };
    let average = requests / judged.as_secs_f64().max(f64::MIN_POSITIVE);
    let total = named.profile.total();
    Some(Bound { profile: &named.name.value, rate, requests, average, total, who })
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    let digits = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
