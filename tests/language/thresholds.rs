//! What thresholds look at, and when: stages, samples, baselines, and since when they are broken.

use crate::wire::{Ran, ok, reply, server};

fn states(ran: &Ran) -> Vec<&str> {
    let all = ran.json["thresholds"].as_array().unwrap();
    all.iter().map(|one| one["state"].as_str().unwrap()).collect()
}

/// The target fails in the last stage alone.
#[test]
fn a_stage_is_judged_alone() {
    let server =
        server(|seen, _| if seen.line() == "GET /late" { reply(500, "", "") } else { ok("", "") });
    let plan = "users:
  Early: { wait: 20ms, tasks: { a: { get: /early } } }
  Late: { wait: 20ms, tasks: { b: { get: /late } } }
profiles:
  day:
    each:
      Early: { stages: [{ name: calm, users: 1, hold: 2s }, { name: end, users: 0, over: 1s }] }
      Late: { stages: [{ users: 0, hold: 2s }, { name: peak, users: 1, hold: 2s }] }
thresholds:
  - error_rate < 1%
  - { must: error_rate < 1%, during: calm }
  - { must: error_rate < 1%, during: peak }
  - { must: error_rate < 1%, during: calm, every: 1s }
  - { of: { class: Late }, must: requests > 0, during: peak, after: 3s }
  - { of: { class: Late }, must: requests <= 0, during: calm }
";
    let ran = server.run(plan, "");
    let all = &ran.json["thresholds"];
    assert_eq!(states(&ran), ["broke", "held", "broke", "held", "held", "no_data"], "{all}");
    assert_eq!((&all[1]["during"], &all[1]["when_text"]), (&"calm".into(), &"during calm".into()));
    assert_eq!(all[3]["windows"]["judged"], 2, "{all}");
}

#[test]
fn a_run_without_the_stage_is_warned_of_and_has_no_data() {
    let server = server(|_, _| ok("", ""));
    let plan = "users: { U: { wait: 100ms, tasks: { a: { get: / } } } }
profile: day
profiles:
  day: { stages: [{ name: peak, users: 1, hold: 1s }] }
  night: { users: 1, hold: 1s }
thresholds: { must: error_rate < 1%, during: peak }
";
    let told =
        "this run has no stage `peak`, in which `error_rate < 1% during peak` is to be judged";
    for (options, warned, state) in
        [("", false, "held"), ("--profile night", true, "no_data"), ("-u 1 -t 1s", true, "no_data")]
    {
        let ran = server.run(plan, options);
        assert_eq!(states(&ran), [state], "{options}");
        assert_eq!(ran.err.contains(told), warned, "{options} {}", ran.err);
    }
}

#[test]
fn few_samples_are_no_pass_unless_allowed() {
    let server = server(|_, _| ok("", ""));
    let plan = "users: { U: { tasks: { a: { get: / } } } }
profiles: { only: { users: 2, hold: 1h, iterations: 20 } }
thresholds:
  - p95 < 1h
  - { must: p95 < 1h, allow_few: true }
  - p50 < 1h
  - p95 > 1h
  - avg < 1h
";
    let ran = server.run(plan, "");
    let all = &ran.json["thresholds"];
    assert_eq!(states(&ran), ["too_few", "held", "held", "broke", "held"], "{all}");
    assert_eq!((&all[0]["samples"], &all[0]["samples_needed"]), (&20.into(), &59.into()));
    assert_eq!(ran.code, 1);
    assert_eq!(all[0]["word"], "cannot say: 20 of the 59 samples that it takes");
}

#[test]
fn without_a_baseline_it_is_said_and_not_judged() {
    let server = server(|_, _| ok("", ""));
    let plan = |thresholds: &str| {
        format!(
            "users: {{ U: {{ tasks: {{ a: {{ get: / }} }} }} }}
profiles: {{ only: {{ users: 1, hold: 1h, iterations: 3 }} }}
thresholds: [{thresholds}]
"
        )
    };
    let ran = server.run(&plan("p95 < baseline * 1.10, error_rate < 1%"), "");
    let all = &ran.json["thresholds"];
    assert_eq!((states(&ran), ran.code), (vec!["not_judged", "held"], 0), "{all}");
    assert_eq!(
        (&all[0]["limit"], &all[0]["limit_text"]),
        (&serde_json::Value::Null, &"baseline * 1.10".into())
    );
    assert_eq!(all[0]["word"], "not judged: there is no baseline");
    let sentence = |ran: &Ran| ran.json["verdict"]["sentence"].as_str().unwrap().to_owned();
    assert!(sentence(&ran).starts_with("The threshold held, 1 was not judged: 3 requests"));
    let alone = server.run(&plan("rps > baseline - 10%"), "");
    assert_eq!((states(&alone), alone.code), (vec!["not_judged"], 0));
    assert!(sentence(&alone).starts_with("No threshold was judged: 3 requests"));
}

/// The first two seconds are good, then all fails.
#[test]
fn what_broke_later_says_since_when() {
    let server =
        server(|seen, _| if seen.line() == "GET /down" { reply(500, "", "") } else { ok("", "") });
    let plan = "users:
  U: { tasks: { a: { get: \"/{{ 'up' if run.elapsed_s < 2 else 'down' }}\", name: a, wait: 50ms } } }
profiles: { only: { users: 1, hold: 4s } }
thresholds:
  - error_rate < 5%
  - { must: error_rate < 5%, every: 1s }
  - error_rate < 99%
";
    let ran = server.run(plan, "");
    let all = &ran.json["thresholds"];
    assert_eq!(states(&ran), ["broke", "broke", "held"], "{all}");
    for broken in [&all[0], &all[1]] {
        assert_eq!(broken["first_broke_s"], 3, "{all}");
        assert!(broken["first_broke_value"].as_f64().unwrap() > 0.05, "{all}");
    }
    assert_eq!(all[2]["first_broke_s"], serde_json::Value::Null);
    assert!(all[0]["where_text"].as_str().unwrap().starts_with("since 3s, then "), "{all}");
}
