//! Owns thresholds that no load of the plan can reach: more requests than its users' waits leave room for.

use std::time::Duration;

use super::estimate::{Aim, Estimate, Iteration};
use super::outlook::Crowd;
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
    let estimate = Estimate::new(plan, selection, Aim::Most, response);
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
            _ => (format!("no profile can reach `{text}`"), format!("in `{profile}`, ")),
        };
        let label = format!("{which}{} give at most {most}", best.who);
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
    let crowd = Crowd::of(plan, super::outlook::only_closed(&named.load)?);
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
    let judged = named.load.total().saturating_sub(named.warmup.unwrap_or(plan.warmup));
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
    let total = named.load.total();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    /// The labels of a plan with this class, profile and threshold.
    fn said(class: &str, profile: &str, threshold: &str) -> Vec<String> {
        let text = format!(
            "target: http://localhost\nflows: {{ two: {{ steps: [ {{ get: /1 }}, {{ get: /2 }} ] }} }}\n\
             users: {{ U: {class} }}\nprofiles: {{ p: {profile} }}\nthresholds: [ '{threshold}' ]\n"
        );
        let loaded = plan::parse("p.yaml", &text);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
        let warnings = out_of_reach(&plan, None, &Selection::default());
        warnings.into_iter().map(|one| one.label).collect()
    }

    const TWENTY: &str = "{ users: 20, hold: 1m }";

    #[test]
    fn what_waits_leave_no_room_for_is_said_with_what_they_do() {
        for (class, threshold, want) in [
            (
                "{ wait: 1s..3s, tasks: { a: { get: / } } }",
                "rps > 50",
                "20 users with a wait of 1s..3s give at most 10/s",
            ),
            (
                "{ wait: { pace: 5s }, tasks: { a: { steps: [ { get: / }, { call: two } ] } } }",
                "rps >= 20/s",
                "20 users with a pace of 5s and 3 requests each time give at most 12/s",
            ),
            (
                "{ wait: 2s, tasks: { a: { get: / } } }",
                "requests > 1000",
                "20 users with a wait of 2s give at most 620 requests in 1m",
            ),
            (
                "{ wait: none, tasks: { a: { steps: [ { get: / }, { wait: 4s } ] } } }",
                "rps > 10",
                "20 users with the waits in their tasks give at most 5/s",
            ),
            (
                "{ wait: 1s, tasks: { a: { get: /, wait: 4s }, b: { get: /b } } }",
                "rps > 10",
                "20 users with their waits give at most 8/s",
            ),
            (
                "{ order: sequence, wait: 1s, tasks: { a: { get: / }, b: { steps: [ { call: two } ] } } }",
                "rps > 50",
                "20 users with a wait of 1s and 3 requests each time give at most 30/s",
            ),
            (
                "{ order: chain, wait: 1s, tasks: { a: { get: /, next: { b: 50, exit: 50 } }, \
                 b: { steps: [ { call: two } ], next: { exit: 1 } } } }",
                "rps > 50",
                "20 users with a wait of 1s and 2 requests each time give at most 26.7/s",
            ),
        ] {
            assert_eq!(said(class, TWENTY, threshold), [want], "{class} {threshold}");
        }
    }

    #[test]
    fn what_a_run_may_reach_is_not_warned_of() {
        for (class, threshold) in [
            // Exactly so much, or nearly.
            ("{ wait: 1s..3s, tasks: { a: { get: / } } }", "rps >= 10"),
            // Nothing bounds them.
            ("{ wait: none, tasks: { a: { get: / } } }", "rps > 100000"),
            (
                "{ wait: 1s, tasks: { a: { steps: [ { repeat: '{{ user.id }}', do: { get: / } } ] } } }",
                "rps > 1000",
            ),
            (
                "{ wait: 1s, tasks: { a: { steps: [ { while: response.status == 1, do: { get: / } } ] } } }",
                "rps > 1000",
            ),
            (
                "{ wait: 1s, tasks: { a: { get: /, wait: none }, b: { get: /b } }, order: random }",
                "rps > 35",
            ),
            // A condition may leave the slow task out.
            (
                "{ wait: none, tasks: { a: { get: /, wait: 1s }, b: { when: user.id > 1, get: /b, wait: 100ms } } }",
                "rps > 30",
            ),
            // The step that waits may be left out.
            (
                "{ wait: 1s, tasks: { a: { steps: [ { get: / }, { when: user.id > 1, wait: 9s } ] } } }",
                "rps > 18",
            ),
            // The iteration may end before the wait.
            (
                "{ wait: 1s, tasks: { a: { steps: [ { get: / }, { when: user.id > 1, stop: iteration }, { wait: 9s } ] } } }",
                "rps > 18",
            ),
            // Retries do more.
            (
                "{ wait: 1s, defaults: { retry: { status: 401, times: 1, first: { call: two } } }, tasks: { a: { get: / } } }",
                "rps > 55",
            ),
            // A limit from above.
            ("{ wait: 1s..3s, tasks: { a: { get: / } } }", "rps < 50"),
        ] {
            assert_eq!(said(class, TWENTY, threshold), [""; 0], "{class} {threshold}");
        }
        // All begin at once, and the run is over soon.
        let class = "{ wait: 10s, tasks: { a: { get: / } } }";
        assert_eq!(said(class, "{ users: 20, hold: 1s }", "rps > 15"), [""; 0]);
    }

    #[test]
    fn one_profile_that_can_is_enough() {
        let class = "{ wait: 2s, tasks: { a: { get: / } } }";
        let two = |large: u32| {
            format!(
                "{{ users: 20, hold: 1m }}, q: {{ users: {large}, hold: 1m }} }}\nprofile: p\nx-x: {{ a: 1"
            )
        };
        assert_eq!(said(class, &two(120), "rps > 50"), [""; 0]);
        assert_eq!(
            said(class, &two(60), "rps > 50"),
            ["in `q`, 60 users with a wait of 2s give at most 30/s"]
        );
    }

    #[test]
    fn iterations_that_end_a_run_bound_its_requests() {
        let class = "{ wait: none, tasks: { a: { steps: [ { call: two } ] } } }";
        let profile = "{ users: 2, hold: 1m, iterations: 10 }";
        assert_eq!(
            said(class, profile, "requests > 100"),
            [""; 0],
            "nothing is known without waits"
        );
        let class = "{ wait: 100ms, tasks: { a: { steps: [ { call: two } ] } } }";
        assert_eq!(
            said(class, profile, "requests > 100"),
            [
                "2 users with a wait of 100ms and 2 requests each time give at most 20 requests in 1m"
            ]
        );
    }
}
