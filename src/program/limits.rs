//! Owns thresholds that no load of the plan can reach: more requests than its users' waits leave room for.

use std::collections::HashMap;
use std::time::Duration;

use super::estimate::{Aim, Estimate, Iteration};
use super::outlook::{Crowd, Lives};
use super::selection::Selection;
use crate::diagnostic::Diagnostic;
use crate::load::{Order, Schedule, Wait};
use crate::plan::{Class, NamedProfile, Plan};
use crate::units::format_duration;
use crate::verdict::{Metric, Of, Op, Threshold};

/// Of more users than this, in all profiles together, nothing is said: each is looked at.
const MOST_USERS: u64 = 2_000_000;

/// Warnings at thresholds that ask for more requests than any of the profiles can give, or than the
/// one called `profile`. What the waits do not bound is never among them.
#[must_use]
pub fn out_of_reach(plan: &Plan, profile: Option<&str>, selection: &Selection) -> Vec<Diagnostic> {
    let response = Duration::ZERO;
    let estimate = Estimate::new(plan, selection, Aim::Most, response);
    let asked = |named: &&NamedProfile| profile.is_none_or(|name| name == named.name.value);
    let profiles: Vec<&NamedProfile> = plan.profiles.iter().filter(asked).collect();
    let asking = || plan.thresholds.iter().filter_map(|one| Some((one, asks(&one.value)?)));
    let mut best: HashMap<Option<&str>, Best<'_>> =
        asking().map(|(_, (of, _))| (of, Best::default())).collect();
    let users = profiles.iter().map(|named| u64::from(Schedule::new(&named.profile).peak()));
    if best.is_empty() || users.sum::<u64>() > MOST_USERS {
        return Vec::new();
    }
    let does: Vec<Does<'_>> = plan.classes.iter().map(|class| Does::of(class, &estimate)).collect();
    let positions: HashMap<&str, usize> =
        plan.classes.iter().enumerate().map(|(at, class)| (&*class.name.value, at)).collect();
    for named in &profiles {
        let crowd = Crowd::of(plan, &named.profile);
        for (of, best) in &mut best {
            let classes = match of {
                None => 0..does.len(),
                Some(of) => positions.get(of).map_or(0..0, |at| *at..at + 1),
            };
            best.add(bound(named, plan, &does[classes.clone()], &crowd.lives[classes]));
        }
    }
    let mut warnings = Vec::new();
    for (threshold, (of, is_rate)) in asking() {
        let best = &best[&of];
        if best.unbounded {
            continue;
        }
        let Some(best) = (if is_rate { &best.by_rate } else { &best.by_requests }) else {
            continue;
        };
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

/// Whom a threshold asks for more requests than some, and whether those per second.
fn asks(threshold: &Threshold) -> Option<(Option<&str>, bool)> {
    let least = matches!(threshold.op, Op::Greater | Op::GreaterOrEqual);
    let is_rate = match threshold.metric {
        Metric::Rps if least => true,
        Metric::Requests if least => false,
        _ => return None,
    };
    match &threshold.of {
        Some(Of::Class(class)) => Some((Some(class), is_rate)),
        // What is counted for a group is not its requests.
        Some(Of::Group(_)) => None,
        _ => Some((None, is_rate)),
    }
}

/// The most that a profile can give.
#[derive(Clone)]
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

/// The most that any of some profiles can give.
#[derive(Default)]
struct Best<'a> {
    by_rate: Option<Bound<'a>>,
    by_requests: Option<Bound<'a>>,
    /// Nothing bounds one of them.
    unbounded: bool,
}

impl<'a> Best<'a> {
    fn add(&mut self, bound: Option<Bound<'a>>) {
        let Some(bound) = bound else {
            self.unbounded = true;
            return;
        };
        if self.by_rate.as_ref().is_none_or(|best| bound.rate >= best.rate) {
            self.by_rate = Some(bound.clone());
        }
        if self.by_requests.as_ref().is_none_or(|best| bound.requests >= best.requests) {
            self.by_requests = Some(bound);
        }
    }
}

/// What a user of a class does.
struct Does<'a> {
    class: &'a Class,
    iteration: Iteration<'a>,
    /// The most requests of one iteration.
    in_one: f64,
    /// Requests before the first iteration and after the last.
    once: f64,
}

impl<'a> Does<'a> {
    fn of(class: &'a Class, estimate: &Estimate<'a>) -> Self {
        let iteration = estimate.iteration(class);
        let in_one = iteration.parts.iter().map(|part| part.work.requests * part.times.max(1.0));
        let in_one: f64 = match class.order {
            Order::Random => in_one.fold(0.0, f64::max),
            _ => in_one.sum(),
        };
        let steps = [&class.on_start, &class.on_stop];
        let once = steps.iter().map(|steps| estimate.steps(steps, class, true).requests).sum();
        Self { class, iteration, in_one, once }
    }
}

/// Of these classes, with the lives of their users; absent when nothing bounds it.
fn bound<'a>(
    named: &'a NamedProfile,
    plan: &Plan,
    classes: &[Does<'_>],
    lives: &[Lives],
) -> Option<Bound<'a>> {
    let (mut rate, mut iterated, mut once, mut users) = (0.0, 0.0, 0.0, 0);
    let (mut each, mut told) = (0.0, Vec::new());
    for (Does { class, iteration, in_one, once: own }, lives) in classes.iter().zip(lives) {
        if lives.users == 0 {
            continue;
        }
        let per =
            if iteration.requests > 0.0 { iteration.requests / iteration.seconds } else { 0.0 };
        rate += per * f64::from(lives.users);
        // The first iteration of a user waits for nothing: it comes on top.
        iterated += per * lives.seconds + in_one * lives.started as f64;
        once += own * lives.started as f64;
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

    #[test]
    fn of_more_users_than_can_be_looked_at_nothing_is_said() {
        let class = "{ wait: 1s, tasks: { a: { get: / } } }";
        let many = (0..2).map(|at| format!("p{at}: {{ users: 1000000, hold: 1m }}"));
        let many = many.collect::<Vec<_>>().join(", ");
        let said = said(
            class,
            &format!("{{ users: 1, hold: 1m }}, {many} }}\nprofile: p\nx-x: {{ a: 1"),
            "rps > 2000000",
        );
        assert_eq!(said, Vec::<String>::new());
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
