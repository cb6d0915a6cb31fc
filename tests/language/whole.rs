//! The plan as a whole: variables, secrets, includes, environments, warm-up, seed, profiles.

use crate::support::*;

#[test]
fn vars_are_read_everywhere_and_set_wins_over_them() {
    let plan = "vars: { project: 42, text: a, both: { x: [1, '{{ env.E }}'] } }
users: { U: { wait: 9s, tasks: { all: { post: '/p/{{ project }}/{{ text }}', json: '{{ both.x }}' } } } }
profiles: { only: { users: 1, hold: 1s } }
";
    let came = run(plan).variable("E", "env").well();
    assert_eq!((came.way(), came.body(0)), ("/p/42/a".into(), r#"[1,"env"]"#.into()));
    let set = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let came = Run { set: set(&[("project", "7"), ("text", "b c")]), ..run(plan) }
        .variable("E", "")
        .well();
    assert_eq!(came.way(), "/p/7/b%20c");
    let unknown = Run { set: set(&[("projct", "7")]), ..run(plan) }.variable("E", "");
    assert_eq!(unknown.mistakes().len(), 1);
}

#[test]
fn a_user_may_write_over_a_var_for_itself() {
    let came = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - { get: '/n/{{ n }}', name: n }\n      - set: { n: '{{ n + user.id }}' }").with("vars: { n: 1 }");
    let came = Run { plan: came.plan.replace("users: 1,", "users: 2,"), ..came }.times(4).well();
    assert_eq!(came.way(), "/n/1 /n/1 /n/2 /n/3");
}

#[test]
fn env_that_is_missing_is_an_error_of_a_run() {
    let plan = steps("- get: /a/{{ env.TOKEN_X }}");
    assert_eq!(plan.mistakes().len(), 1);
    assert_eq!(plan.variable("TOKEN_X", "t").well().way(), "/a/t");
    assert_eq!(steps("- get: /a/{{ env.TOKEN_X | default('d') }}").well().way(), "/a/d");
}

#[test]
fn a_secret_is_sent_and_appears_in_no_output() {
    let came = steps("- { get: /a, headers: { x-key: '{{ env.API_PASSWORD }}' } }\n- log: 'with {{ env.API_PASSWORD }}'\n- { get: /b, expect: { that: response.status == 1, message: 'it is {{ env.API_PASSWORD }}' } }\n- fail: 'no'")
        .with("secrets: [API_PASSWORD]")
        .variable("API_PASSWORD", "pa55-w0rd")
        .well();
    assert_eq!(came.header(0, "x-key"), ["pa55-w0rd"]);
    let shown = format!("{:?} {:?} {:?}", came.lines, came.failed(), came.exceptions());
    assert!(!shown.contains("pa55"), "{shown}");
    assert!(came.lines[0].starts_with("with "), "{shown}");
}

#[test]
fn includes_stand_below_the_plan_that_includes_them() {
    let folder = files(&[
        (
            "shared.yaml",
            "vars: { a: shared, b: shared }\ndefaults: { headers: { x-s: shared, x-p: shared } }\nflows: { go: { steps: [ { get: '/go/{{ a }}/{{ b }}', name: go } ] } }\n",
        ),
        (
            "shared.toml",
            "[vars]\nc = \"toml\"\na = \"toml\"\n[users.Included]\nfixed = 1\nwait = \"9s\"\ntasks = { i = { get = \"/included/{{ c }}\" } }\n",
        ),
    ]);
    let plan = "include: [shared.yaml, shared.toml]
vars: { b: mine }
defaults: { headers: { x-p: mine } }
users: { U: { wait: 9s, tasks: { all: { steps: [ { call: go } ] } } } }
profiles: { only: { users: 2, hold: 1s } }
";
    let came = run(plan).within(folder.path()).well();
    let mut paths = came.paths();
    paths.sort();
    assert_eq!(paths, ["/go/toml/mine", "/included/toml"]);
    assert_eq!(
        (came.header(0, "x-s"), came.header(0, "x-p")),
        (vec!["shared".into()], vec!["mine".into()])
    );
    let toml = "include = [\"shared.yaml\", \"shared.toml\"]
vars = { b = \"mine\" }
[defaults]
headers = { x-p = \"mine\" }
[users.U]
wait = \"9s\"
tasks = { all = { steps = [{ call = \"go\" }] } }
[profiles]
only = { users = 2, hold = \"1s\" }
";
    let twin = Run { name: "plan.toml", ..run(toml) }.within(folder.path()).well();
    assert_eq!(twin.texts(), came.texts());
}

#[test]
fn an_environment_is_laid_over_the_plan() {
    let plan = "target: http://local.test
vars: { people: 1, who: local }
environments:
  staging:
    target: https://staging.test
    vars: { people: 3 }
    defaults: { headers: { x-env: staging } }
defaults: { headers: { x-env: none, x-all: all } }
users: { U: { wait: 9s, tasks: { a: { get: '/a/{{ who }}' } } } }
profiles: { only: { users: '{{ people }}', hold: 1s } }
";
    let plain = Run { target: None, ..run(plan) }.well();
    assert_eq!(
        (plain.way().as_str(), plain.header(0, "x-env"), plain.header(0, "host")),
        ("/a/local", vec!["none".into()], vec!["local.test".into()])
    );
    let staging = Run { target: None, environment: Some("staging".into()), ..run(plan) }.well();
    assert_eq!(
        (staging.way().as_str(), staging.header(0, "x-env"), staging.header(0, "host")),
        ("/a/local /a/local /a/local", vec!["staging".into()], vec!["staging.test".into()])
    );
    assert_eq!(staging.header(0, "x-all"), ["all"]);
    let unknown = Run { environment: Some("stagin".into()), ..run(plan) };
    assert_eq!(unknown.mistakes().len(), 1);
    let set = Run {
        environment: Some("staging".into()),
        set: vec![("people".into(), "2".into())],
        ..run(plan)
    }
    .well();
    assert_eq!(set.sent.len(), 2, "`--set` wins over an environment");
}

#[test]
fn the_seed_of_the_plan_is_used_when_none_is_given() {
    let plan = class(
        "wait: 1s\ntasks: { a: { get: '/a/{{ randint(1, 1000000) }}' } }",
        "{ users: 2, hold: 3s }",
    );
    let with = |top: &str, seed: Option<u64>| {
        Run { seed, ..run(&format!("{top}\n{plan}")) }.well().paths()
    };
    let seven = with("seed: 7", None);
    assert_eq!(with("", Some(7)), seven);
    assert_eq!(with("seed: 8", Some(7)), seven, "`--seed` wins");
    assert_ne!(with("seed: 8", None), seven);
}

/// The users alive at the end of each second.
fn users(profile: &str) -> String {
    let plan = class("wait: 100ms\ntasks: { a: { get: /a } }", profile);
    let came = run(&plan).against(answers(1, 200, ""));
    came.seconds.iter().map(|second| second.user_seconds.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn profiles_say_how_many_users_there_are() {
    for (profile, want) in [
        ("{ users: 3, hold: 3s }", "3 3 3 0"),
        ("{ users: 4, ramp: 4s, hold: 2s, down: 4s }", "1 2 3 4 4 4 4 3 2 1 0"),
        (
            "{ stages: [ { users: 2, hold: 2s }, { users: 5, hold: 2s }, { users: 1, hold: 1s } ] }",
            "2 2 5 5 1 0",
        ),
        (
            "{ stages: [ { name: up, users: 4, over: 2s, hold: 1s }, { users: 0, over: 2s } ] }",
            "2 4 4 3 1",
        ),
        ("{ steps: { from: 1, by: 2, every: 2s, to: 5 } }", "1 1 3 3 5 5 0"),
        (
            "{ spike: { base: 1, peak: 4, rise: 1s, hold: 1s, fall: 1s, before: 2s, after: 2s } }",
            "1 1 4 4 2 1 1 0",
        ),
    ] {
        let users = users(profile);
        assert_eq!(users.trim_end_matches(" 0"), want.trim_end_matches(" 0"), "{profile}");
    }
}

#[test]
fn a_profile_may_end_after_so_many_iterations() {
    let came = run(&class(
        "wait: 1s\ntasks: { a: { get: /a } }",
        "{ users: 3, hold: 1h, iterations: 10 }",
    ))
    .well();
    assert_eq!(came.sent.len(), 10);
}

#[test]
fn anchors_and_merge_keys_work_and_x_keys_are_read_by_nobody() {
    let came = run("x-base: &base
  wait: 9s
  defaults: { headers: { x-a: anchor } }
users:
  A: { <<: *base, tasks: { a: { get: /a } } }
  B: { <<: *base, wait: 400ms, tasks: { b: { get: /b } } }
profiles: { only: { users: 2, hold: 500ms } }
")
    .well();
    assert_eq!(came.way(), "/a /b /b");
    assert_eq!(came.header(1, "x-a"), ["anchor"]);
}

#[test]
fn the_plan_of_the_guide_runs_with_all_that_it_uses() {
    let came = run(include_str!("../../plans/todo.yaml")).against(|bytes: &[u8], nth| {
        let text = String::from_utf8_lossy(bytes);
        let code = match text.split(' ').next().unwrap() {
            "POST" => 201,
            "DELETE" => 204,
            _ => 200,
        };
        status(code, if code == 204 { "" } else { BODY[nth as usize % 2] })
    });
    assert!(came.sent.len() > 100);
    assert!(came.exceptions().is_empty(), "{:?}", came.exceptions());
    came.counts();
}

const BODY: [&str; 2] = [r#"{"id":1}"#, r#"{"id":2}"#];

#[test]
fn a_thousand_names_are_counted_and_the_rest_together() {
    let gets: String = (0..1203).map(|nth| format!("- get: /{nth}\n")).collect();
    let thresholds =
        "thresholds: [{ of: /1100, must: requests > 0 }, { of: GET /1101, must: requests > 0 }]\n";
    let run = steps(&format!("{gets}- get: /7\n- post: /7")).with(thresholds);
    let loaded = run.loaded();
    let [told] = &loaded.diagnostics[..] else { panic!("{:?}", loaded.diagnostics) };
    assert_eq!(
        told.title,
        "the requests of the plan have 1204 names: 202 have no row of their own"
    );
    assert_eq!(told.label, "from this one on they are counted together, under `(other)`");
    let names = run.well().names();
    assert_eq!(names.len(), 1003);
    let of = |name: &str| names.iter().find(|(known, _)| known == name).map(|(_, count)| *count);
    let counts =
        ["GET /7", "GET /999", "GET /1000", "GET /1100", "GET /1101", "POST /7", " (other)"];
    assert_eq!(counts.map(of), [Some(2), Some(1), None, Some(1), Some(1), None, Some(202)]);
}
