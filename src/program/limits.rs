//! Owns thresholds that no load of the plan can reach: more requests than its users' waits leave room
//! for, or than arrive, or more samples than it gives for a percentile.

use std::collections::HashMap;
use std::time::Duration;

use super::crowd::{Crowd, Lives};
use super::estimate::{Aim, Estimate, Iteration};
use super::selection::Selection;
use crate::diagnostic::Diagnostic;
use crate::load::{Form, Order, Spread, Wait};
use crate::plan::{Class, NamedProfile, Plan};
use crate::units::format_duration;
use crate::verdict::{Metric, Of, Op, Threshold, Timing};

/// Of more users than this, in all profiles together, nothing is said: each is looked at.
const MOST_USERS: u64 = 2_000_000;

/// Warnings at thresholds that ask for more requests than any of the profiles can give, or than the
/// one called `profile`. What the waits do not bound is never among them.
#[must_use]
pub fn out_of_reach(plan: &Plan, profile: Option<&str>, selection: &Selection) -> Vec<Diagnostic> {
    let response = Duration::ZERO;
    let estimate = Estimate::new(plan, selection, Aim::Most, response);
    let iterations: Vec<_> = plan.classes.iter().map(|class| estimate.iteration(class)).collect();
    let asked = |named: &&NamedProfile| profile.is_none_or(|name| name == named.name.value);
    // No threshold is judged in a search.
    let judged = |named: &&NamedProfile| named.search.is_none();
    let profiles: Vec<&NamedProfile> = plan.profiles.iter().filter(asked).filter(judged).collect();
    if profiles.iter().map(|named| users_of(named)).sum::<u64>() > MOST_USERS {
        return Vec::new();
    }
    // By the class that is asked for.
    let mut known: HashMap<Option<&str>, Option<Vec<Bound<'_>>>> = HashMap::new();
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
        let bounds = known.entry(only).or_insert_with(|| {
            let bounds = profiles.iter().map(|named| bound(named, &estimate, &iterations, only));
            bounds.collect::<Option<Vec<_>>>()
        });
        let best = bounds.iter().flatten().max_by(|a, b| {
            let of = |bound: &Bound| if is_rate { bound.rate } else { bound.requests };
            of(a).total_cmp(&of(b))
        });
        let Some(best) = best else { continue };
        let Some(limit) = threshold.value.limit.fixed() else { continue };
        let reached = if is_rate { best.rate.max(best.average) } else { best.requests };
        // Never for the sake of a digit: waits are drawn, and clocks are not exact.
        if reached * best.chance * 1.05 >= limit {
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
        warnings.push(Diagnostic::warning(threshold.place, title, label).help(best.help));
    }
    warnings
}

/// Warnings at thresholds on percentiles for which the profile that runs gives too few samples: the one
/// called `profile`, or the one that runs when none is named. What the waits do not bound is never
/// among them.
#[must_use]
pub fn too_few(plan: &Plan, profile: Option<&str>, selection: &Selection) -> Vec<Diagnostic> {
    let estimate = Estimate::new(plan, selection, Aim::Most, Duration::ZERO);
    let named = match profile {
        Some(name) => plan.profiles.iter().find(|named| named.name.value == name),
        None => plan.profile.and_then(|at| plan.profiles.get(at)),
    };
    let judged = |named: &&NamedProfile| named.search.is_none() && users_of(named) <= MOST_USERS;
    let Some(named) = named.filter(judged) else {
        return Vec::new();
    };
    let iterations: Vec<_> = plan.classes.iter().map(|class| estimate.iteration(class)).collect();
    let mut warnings = Vec::new();
    for threshold in &plan.thresholds {
        let Threshold { metric, of, when, text, .. } = &threshold.value;
        let Some(needs) = threshold.value.samples_needed() else { continue };
        // How many connections there are, the target says.
        if let Metric::Time(Timing::Connect | Timing::Tls, _) = metric {
            continue;
        }
        let only = match of {
            Some(Of::Class(class)) => Some(class.as_str()),
            Some(Of::Group(_)) => continue,
            _ => None,
        };
        let Some(bound) = bound(named, &estimate, &iterations, only) else { continue };
        let most = match when.every {
            Some(every) => bound.requests.min(bound.rate.max(bound.average) * f64::from(every)),
            None => bound.requests,
        };
        if most * bound.chance * 1.05 >= needs as f64 {
            continue;
        }
        let time = when.every.map_or(bound.total, |every| Duration::from_secs(every.into()));
        let time = format_duration(time);
        let title = format!("the profile `{}` is too small for `{text}`", bound.profile);
        let most = figure(most.ceil());
        let label = format!(
            "{} give at most {most} requests in {time}, and it takes {needs} to say",
            bound.who
        );
        let help =
            "run longer, or with more users; judge a lower percentile, or write `allow_few: true`";
        warnings.push(Diagnostic::warning(threshold.place, title, label).help(help));
    }
    warnings
}

/// The most users at once of a closed load.
fn users_of(named: &NamedProfile) -> u64 {
    let users = named.load.parts.iter().map(|(_, form)| match form {
        Form::Closed(users) => u64::from(users.most()),
        Form::Open(_) => 0,
    });
    users.sum()
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
    /// By how much chance may exceed it.
    chance: f64,
    /// Its whole time.
    total: Duration,
    /// The users and their waits, or the arrivals.
    who: String,
    /// What to do.
    help: &'static str,
}

/// Absent when nothing bounds it.
fn bound<'a>(
    named: &'a NamedProfile,
    estimate: &Estimate<'_>,
    iterations: &[Iteration<'_>],
    only: Option<&str>,
) -> Option<Bound<'a>> {
    let plan = estimate.plan;
    let (mut rate, mut iterated, mut once, mut users) = (0.0, 0.0, 0.0, 0);
    let (mut each, mut waiting, mut arriving) = (0.0, Vec::new(), Arriving::default());
    for crowd in &Crowd::all(plan, &named.load) {
        for ((class, iteration), lives) in plan.classes.iter().zip(iterations).zip(&crowd.lives) {
            if lives.users == 0 || only.is_some_and(|name| name != class.name.value) {
                continue;
            }
            let in_one = in_one(class, iteration);
            each = in_one.max(each);
            let steps = [&class.on_start, &class.on_stop];
            let steps = steps.map(|steps| estimate.steps(steps, class, true).requests);
            let steps: f64 = steps.iter().sum();
            if let Some((_, spread)) = crowd.open {
                // Each arrival may meet a new user: the one before may have ended.
                rate += lives.rate * (in_one + steps);
                iterated += lives.arrivals * in_one;
                once += steps * lives.arrivals;
                arriving.add(lives, in_one + steps, iteration.drawn, spread);
                continue;
            }
            let per =
                if iteration.requests > 0.0 { iteration.requests / iteration.seconds } else { 0.0 };
            rate += per * f64::from(lives.users);
            // The first iteration of a user waits for nothing: it comes on top.
            iterated += per * lives.seconds + in_one * lives.started as f64;
            once += steps * lives.started as f64;
            users += lives.users;
            waiting.push((class, iteration.requests));
        }
    }
    if let Some(most) = named.iterations {
        iterated = iterated.min(each * most as f64);
    }
    let requests = iterated + once;
    if !rate.is_finite() || !requests.is_finite() {
        return None;
    }
    let judged = named.load.total().saturating_sub(named.warmup.unwrap_or(plan.warmup));
    let help = match (waiting.is_empty(), arriving.requests) {
        (true, Some(_)) => "raise the rate, or ask for less",
        (false, Some(_)) => "raise the rate, run more users, shorten their waits, or ask for less",
        (_, None) => "run more users, shorten their waits, or ask for less",
    };
    let waiting = (!waiting.is_empty()).then(|| of_users(users, &waiting));
    let told: Vec<String> = waiting.into_iter().chain(arriving.told()).collect();
    let average = requests / judged.as_secs_f64().max(f64::MIN_POSITIVE);
    Some(Bound {
        profile: &named.name.value,
        rate,
        requests,
        average,
        chance: arriving.chance(),
        total: named.load.total(),
        who: told.join(" and "),
        help,
    })
}

/// Requests of one iteration.
fn in_one(class: &Class, iteration: &Iteration<'_>) -> f64 {
    let parts = iteration.parts.iter().map(|part| part.work.requests * part.times.max(1.0));
    match class.order {
        Order::Random => parts.fold(0.0, f64::max),
        _ => parts.sum(),
    }
}

/// Users that wait, in words: each class with the requests of an iteration.
fn of_users(users: u32, told: &[(&Class, f64)]) -> String {
    let people = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
    let own_waits = |class: &Class| class.tasks.iter().any(|task| task.wait.is_some());
    match told {
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
    }
}

/// What arrives.
#[derive(Debug, Default)]
struct Arriving {
    /// Per second at the peak.
    rate: f64,
    /// In the whole run.
    count: f64,
    /// The most requests that one makes.
    requests: Option<f64>,
    /// Others make fewer.
    at_most: bool,
    at_random: bool,
}

impl Arriving {
    fn add(&mut self, lives: &Lives, requests: f64, drawn: bool, spread: Spread) {
        self.rate += lives.rate;
        self.count += lives.arrivals;
        self.at_most |= drawn || self.requests.is_some_and(|known| known != requests);
        self.requests = Some(self.requests.unwrap_or(0.0).max(requests));
        self.at_random |= spread == Spread::Poisson;
    }

    /// Of `n` arrivals at random there are hardly more than `n + 4√n`.
    fn chance(&self) -> f64 {
        if self.at_random { 1.0 + 4.0 / self.count.max(1.0).sqrt() } else { 1.0 }
    }

    fn told(&self) -> Option<String> {
        let most = self.requests?;
        let at_most = if self.at_most { "at most " } else { "" };
        let requests = if most == 1.0 { "request" } else { "requests" };
        let (rate, most) = (figure(self.rate), figure(most));
        Some(format!("arrivals of {rate}/s with {at_most}{most} {requests} each time"))
    }
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
        let threshold =
            if threshold.starts_with('{') { threshold.into() } else { format!("'{threshold}'") };
        let text = format!(
            "target: http://localhost\nflows: {{ two: {{ steps: [ {{ get: /1 }}, {{ get: /2 }} ] }} }}\n\
             users: {{ U: {class} }}\nprofiles: {{ p: {profile} }}\nthresholds: [ {threshold} ]\n"
        );
        let loaded = plan::parse("p.yaml", &text);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
        let warnings = out_of_reach(&plan, None, &Selection::default());
        warnings.into_iter().map(|one| one.label).collect()
    }

    #[test]
    fn a_profile_that_gives_too_few_samples_is_told_of() {
        let told = |profiles: &str, threshold: &str, asked: Option<&str>| {
            let text = format!(
                "target: http://localhost\n\
                 users: {{ U: {{ wait: 1s, tasks: {{ a: {{ get: / }} }} }}, V: {{ wait: 2s, tasks: {{ b: {{ steps: {{ group: g, do: {{ get: /b }} }} }} }} }} }}\n\
                 profile: p\nprofiles: {{ {profiles} }}\nthresholds: [ {threshold} ]\n"
            );
            let loaded = plan::parse("p.yaml", &text);
            let plan = loaded.plan.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
            let warnings = too_few(&plan, asked, &Selection::default());
            warnings.into_iter().map(|one| one.label).collect::<Vec<_>>()
        };
        let (small, large) = ("p: { users: 2, hold: 10s }", "q: { users: 20, hold: 10s }");
        let both = format!("{small}, {large}");
        assert_eq!(
            told(&both, "p95 < 1s", None),
            ["2 users with their waits give at most 17 requests in 10s, and it takes 59 to say"]
        );
        for (profiles, threshold, asked) in [
            (&*both, "p95 < 1s", Some("q")),
            (&both, "p80 < 1s", None),
            (&both, "p95 > 1s", None),
            (&both, "avg < 1s", None),
            (&both, "{ must: p95 < 1s, allow_few: true }", None),
            // How many there are of these, only the run knows.
            (&both, "connect.p95 < 1s", None),
            (&both, "{ of: g, must: p95 < 1s }", None),
            ("p: { users: 20, hold: 10s }", "{ of: U, must: p95 < 1s }", None),
        ] {
            assert_eq!(told(profiles, threshold, asked), [""; 0], "{threshold}");
        }
        assert_eq!(
            told("p: { users: 20, hold: 10s }", "{ of: V, must: p95 < 1s, every: 5s }", None),
            ["10 users with a wait of 2s give at most 30 requests in 5s, and it takes 59 to say"]
        );
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
    fn what_does_not_arrive_is_said_with_its_rate() {
        let one = "{ wait: 1s, tasks: { a: { get: / } } }";
        let two = "{ tasks: { a: { get: / }, b: { steps: [ { call: two } ] } } }";
        for (class, profile, threshold, want) in [
            (
                one,
                "{ rate: 50/s, hold: 1m }",
                "rps > 100",
                Some("arrivals of 50/s with 1 request each time give at most 50/s"),
            ),
            (one, "{ rate: 50/s, hold: 1m }", "rps > 52", None),
            (
                one,
                "{ rate: 50/s, hold: 1m }",
                "requests > 3500",
                Some("arrivals of 50/s with 1 request each time give at most 3000 requests in 1m"),
            ),
            (one, "{ rate: 1/s, hold: 1m, arrivals: poisson }", "requests > 70", None),
            (
                one,
                "{ rate: 1/s, hold: 1m, arrivals: poisson }",
                "requests > 100",
                Some("arrivals of 1/s with 1 request each time give at most 60 requests in 1m"),
            ),
            (
                two,
                "{ rate: 50/s, ramp: 10s, hold: 1m }",
                "rps > 200",
                Some("arrivals of 50/s with at most 2 requests each time give at most 100/s"),
            ),
            (
                two,
                "{ stages: [ { rate: 60/m, hold: 1m }, { rate: 10/s, over: 10s } ] }",
                "rps > 30",
                Some("arrivals of 10/s with at most 2 requests each time give at most 20/s"),
            ),
            (
                "{ on_start: { get: /login }, tasks: { a: { get: / } } }",
                "{ rate: 50/s, hold: 1m }",
                "rps > 99",
                None,
            ),
            (
                "{ tasks: { a: { steps: [ { while: response.status == 1, do: { get: / } } ] } } }",
                "{ rate: 50/s, hold: 1m }",
                "rps > 9999",
                None,
            ),
            (
                one,
                "{ each: { U: { rate: 5/s, hold: 1m } } }",
                "rps > 9",
                Some("arrivals of 5/s with 1 request each time give at most 5/s"),
            ),
        ] {
            let want: Vec<&str> = want.into_iter().collect();
            assert_eq!(said(class, profile, threshold), want, "{class} {profile} {threshold}");
        }
    }

    #[test]
    fn users_and_arrivals_add_up_and_a_class_is_bound_by_its_own() {
        let class = "{ wait: 1s, tasks: { a: { get: / } } }\n\
                     , V: { weight: 3, tasks: { a: { get: / }, b: { steps: [ { call: two } ] } } }";
        let each = "{ each: { U: { users: 10, hold: 1m }, V: { rate: 5/s, hold: 1m } } }";
        assert_eq!(
            said(class, each, "rps > 50"),
            [
                "10 users with a wait of 1s and arrivals of 5/s with at most 2 requests each time give at most 20/s"
            ]
        );
        let one = "{ rate: 40/s, hold: 1m }";
        assert_eq!(
            said(class, one, "rps > 100"),
            ["arrivals of 40/s with at most 2 requests each time give at most 70/s"]
        );
        let text = "{ of: U, must: rps > 20 }";
        let told = said(class, one, text);
        assert_eq!(told, ["arrivals of 10/s with 1 request each time give at most 10/s"]);
    }

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
