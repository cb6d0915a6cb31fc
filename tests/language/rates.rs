//! Profiles of rates, and of a load for each class, as plans write them.

use crate::support::*;

const LOOK: &str = "tasks: { home: { get: / } }";

fn times(profile: &str) -> Vec<u128> {
    run(&class(LOOK, profile)).against(answers(10, 200, "")).times()
}

#[test]
fn a_rate_starts_iterations_when_they_are_due() {
    let want: Vec<u128> = (0..8).map(|n| n * 250).collect();
    assert_eq!(times("{ rate: 4/s, hold: 2s }"), want);
    assert_eq!(times("{ rate: 240/m, hold: 2s, arrivals: even }"), want);
    assert_eq!(times("{ rate: \"{{ 2 * 2 }}/s\", hold: 2s }"), want);
}

#[test]
fn every_form_goes_with_rates() {
    let stages =
        "{ stages: [{ rate: 2/s, hold: 1s }, { rate: 0/s, hold: 1s }, { rate: 4/s, hold: 1s }] }";
    assert_eq!(times(stages), [0, 500, 2000, 2250, 2500, 2750]);
    let stairs = "{ steps: { from: 1/s, by: 3/s, every: 1s, to: 5/s } }";
    assert_eq!(times(stairs), [0, 1000, 1250, 1500, 1750, 2000, 2200, 2400, 2600, 2800]);
    let spike = "{ spike: { base: 1/s, peak: 4/s, hold: 1s, before: 1s, after: 1s } }";
    assert_eq!(times(spike), [0, 1000, 1250, 1500, 1750, 2000]);
    // One on the way up, half of 2/s · 1 s.
    assert_eq!(times("{ rate: 2/s, ramp: 1s, hold: 1s }"), [0, 1000, 1500]);
}

#[test]
fn arrivals_at_random_come_as_the_seed_says() {
    let plan = class(LOOK, "{ rate: 20/s, hold: 10s, arrivals: poisson }");
    let seeded = |seed| {
        let run = Run { seed: Some(seed), ..run(&plan) };
        run.against(answers(1, 200, "")).times()
    };
    let (one, same, other) = (seeded(1), seeded(1), seeded(2));
    assert_eq!(one, same);
    assert_ne!(one, other);
    // 200 on average, with a deviation of 14.
    assert!((130..270).contains(&one.len()), "{}", one.len());
}

#[test]
fn what_finds_no_user_starts_late_and_what_never_starts_is_dropped() {
    let plan = class(LOOK, "{ rate: 5/s, hold: 1s, max_users: 1 }");
    let came = run(&plan).against(answers(400, 200, ""));
    // Due at 0, 200, 400, 600 and 800 ms.
    assert_eq!(came.times(), [0, 400, 800]);
    let all = came.total.all_names();
    assert_eq!((all.response_ok.min_ms(), all.response_ok.max_ms()), (Some(400.0), Some(800.0)));
    assert_eq!((came.total.arrivals, came.total.dropped), (5, 2));
}

#[test]
fn users_are_made_as_they_are_needed_and_keep_what_they_have() {
    let keys = "on_start: { post: /login }\ntasks: { home: { get: \"/{{ user.iteration }}\", name: home } }";
    let plan = class(keys, "{ rate: 2/s, hold: 3s, max_users: 10 }");
    let came = run(&plan).against(answers(10, 200, ""));
    let gets: Vec<String> =
        came.lines().into_iter().filter(|line| line.starts_with("GET")).collect();
    // One is enough, since it has its answer before the next is due.
    assert_eq!(gets, (0..6).map(|n| format!("GET /{n}")).collect::<Vec<_>>());
    assert_eq!(came.lines().len(), 7);
}

/// Users, a rate, and none.
const EACH_YAML: &str = "
users:
  Reader: { wait: 1s, tasks: { read: { get: /read } } }
  Writer: { wait: 9s, fixed: 3, tasks: { write: { get: /write } } }
  Other: { weight: 9, tasks: { other: { get: /other } } }
profile: mixed
profiles:
  mixed:
    each:
      Reader: { users: 2, hold: 3s }
      Writer: { stages: [{ rate: 2/s, hold: 1s }, { rate: 4/s, hold: 1s }], max_users: 5 }
  all: { users: 2, hold: 3s }
";

const EACH_TOML: &str = r#"
profile = "mixed"

[users.Reader]
wait = "1s"
tasks = { read = { get = "/read" } }

[users.Writer]
wait = "9s"
fixed = 3
tasks = { write = { get = "/write" } }

[users.Other]
weight = 9
tasks = { other = { get = "/other" } }

[profiles.mixed.each]
Reader = { users = 2, hold = "3s" }
Writer = { stages = [{ rate = "2/s", hold = "1s" }, { rate = "4/s", hold = "1s" }], max_users = 5 }

[profiles.all]
users = 2
hold = "3s"
"#;

#[test]
fn each_class_has_the_load_that_it_is_given() {
    for (name, plan) in [("plan.yaml", EACH_YAML), ("plan.toml", EACH_TOML)] {
        let came = Run { name, ..run(plan) }.against(answers(1, 200, ""));
        let of = |path: &str| -> Vec<u128> {
            let all = came.times().into_iter().zip(came.lines());
            all.filter(|(_, line)| line.ends_with(path)).map(|(at, _)| at).collect()
        };
        assert_eq!(of("/read"), [0, 0, 1001, 1001, 2002, 2002], "{name}");
        assert_eq!(of("/write"), [0, 500, 1000, 1250, 1500, 1750], "{name}");
        assert_eq!(of("/other"), [0; 0], "{name}");
    }
}
