//! The eleven points of what is meant, exactly.

use throng::protocol::fake::Reply;

use crate::support::*;

#[test]
fn point_1_an_iteration_is_a_drawn_task_with_what_it_calls_or_a_whole_pass() {
    let numbers = |order: &str| {
        let keys_ = format!(
            "order: {order}\nwait: 1s\ntasks:\n  a:\n    steps:\n      - {{ get: '/a/{{{{ user.iteration }}}}', name: a }}\n      - call: c\n  b: {{ get: '/b/{{{{ user.iteration }}}}', name: b }}\n  c: {{ weight: 0, get: '/c/{{{{ user.iteration }}}}', name: c }}"
        );
        keys(&keys_).times(3).well().paths()
    };
    let random = numbers("random");
    let of = |path: &String| path.rsplit('/').next().unwrap().to_owned();
    let mut iterations: Vec<String> = random.iter().map(of).collect();
    iterations.dedup();
    assert_eq!(iterations, ["0", "1", "2"]);
    assert_eq!(
        numbers("sequence").join(" "),
        "/a/0 /c/0 /b/0 /c/0 /a/1 /c/1 /b/1 /c/1 /a/2 /c/2 /b/2 /c/2"
    );
}

#[test]
fn point_1_pace_counts_whole_passes() {
    let came =
        keys("order: sequence\nwait: { pace: 10s }\ntasks: { a: { get: /a }, b: { get: /b } }")
            .times(3)
            .against(answers(1000, 200, ""));
    assert_eq!(came.times(), [0, 1000, 10000, 11000, 20000, 21000]);
}

#[test]
fn point_2_variables_live_as_long_as_their_user() {
    let came = keys("wait: 1s\non_start: [ { set: { n: 0, who: '{{ user.id }}' } } ]\ntasks:\n  a:\n    steps:\n      - call: up\n      - { get: '/{{ who }}/{{ n }}', name: a }\non_stop: [ { get: '/bye/{{ who }}/{{ n }}', name: bye } ]")
        .with("flows: { up: { steps: [ { set: { n: '{{ n + 1 }}' } } ] } }");
    let came = Run { plan: came.plan.replace("users: 1,", "users: 2,"), ..came }.times(4).well();
    assert_eq!(came.way(), "/1/1 /2/1 /1/2 /2/2 /bye/1/2 /bye/2/2");
}

#[test]
fn point_2_what_before_captured_all_read_and_a_write_is_ones_own() {
    let plan = "before: [ { post: /make, capture: { id: $.id, list: $.list } } ]
after: [ { delete: '/{{ id }}', name: gone } ]
users:
  U:
    wait: 1s
    tasks:
      a:
        steps:
          - { get: '/{{ id }}/{{ list | length }}', name: a }
          - { when: user.id == 1, set: { id: 'mine' } }
          - { when: user.id == 1, push: { list: 3 } }
profiles: { only: { users: 2, hold: 1500ms } }
";
    let came = run(plan).against(answers(1, 200, r#"{"id":"x","list":[1,2]}"#));
    assert_eq!(came.way(), "/make /x/2 /x/2 /mine/3 /x/2 /x");
    let fresh = Run { plan: plan.replace("users: 2, hold", "users: 2, ramp: 2s, hold"), ..run("") };
    assert!(
        fresh
            .against(answers(1, 200, r#"{"id":"x","list":[1,2]}"#))
            .way()
            .starts_with("/make /x/2")
    );
}

#[test]
fn point_3_after_a_failure_the_task_goes_on() {
    let came = steps("- get: /a\n- get: /b").against(answers(1, 500, ""));
    assert_eq!((came.way().as_str(), came.counts()), ("/a /b", (2, 0, 2, 0)));
}

#[test]
fn point_3_an_expression_that_fails_ends_the_iteration_and_counts_once() {
    let came = keys("wait: 1s\ntasks:\n  a:\n    steps:\n      - get: /a\n      - { get: '/b/{{ response.json.x.y }}', name: b }\n      - get: /never").times(2).against(answers(1, 200, r#"{"x":1}"#));
    assert_eq!((came.way().as_str(), came.counts()), ("/a /a", (2, 2, 0, 0)));
    assert_eq!(
        came.exceptions().iter().map(|(_, count)| count).sum::<u64>(),
        2,
        "{:?}",
        came.exceptions()
    );
}

#[test]
fn point_4_redirects_then_accept_then_expects_then_captures() {
    // Accept broken: nothing further.
    let refused = steps("- { get: /a, accept: 201, expect: { contains: no }, capture: { x: $.x } }\n- { when: x, get: /never }").against(answers(1, 200, r#"{"x":1}"#));
    assert_eq!((refused.way().as_str(), refused.failed().len()), ("/a", 1));
    // Expect broken: captures still happen, and it is the only failure.
    let broken = steps("- { get: /a, expect: [ { contains: no }, { contains: neither } ], capture: { x: $.x } }\n- { when: x, get: '/x/{{ x }}', name: x }\n- { get: /b, expect: { contains: no }, capture: { y: $.y } }\n- get: /never").against(answers(1, 200, r#"{"x":1}"#));
    assert_eq!(broken.way(), "/a /x/1 /b");
    assert_eq!(broken.counts(), (3, 1, 2, 0));
    assert_eq!(broken.failure().0, "expect: body contains no", "the first message, twice");
    // What is judged is the answer after its redirects.
    let moved =
        request("get: /a\naccept: 200").against(|_: &[u8], _| Reply::new(MS(1), Ok(200)).hops(2));
    moved.all_well();
}

#[test]
fn point_5_when_is_looked_at_before_the_draw() {
    let came = keys("wait: 100ms\ntasks:\n  a: { when: user.iteration < 2, get: /a }\n  b: { when: user.iteration >= 2 and user.iteration < 4, get: /b }")
        .times(4)
        .well();
    assert_eq!((came.way().as_str(), came.total.idle), ("/a /a /b /b", 0));
}

#[test]
fn point_5_when_none_holds_the_wait_is_spent_at_least_a_second() {
    for (wait, every) in [("100ms", 1000), ("3s", 3000)] {
        let plan = class(
            &format!("wait: {wait}\ntasks: {{ a: {{ when: run.elapsed_s > 8, get: /a }} }}"),
            "{ users: 1, hold: 8500ms }",
        );
        let came = run(&plan).well();
        let idle = 8000 / every + 1;
        assert_eq!(came.total.idle, idle, "{wait}");
        assert_eq!(
            came.times().first().copied(),
            (every * idle <= 8500).then_some(u128::from(every * idle)),
            "{wait}"
        );
    }
}

#[test]
fn point_6_stop_user_in_the_first_steps_ends_a_user_for_good() {
    let came = run(&class("wait: 1s\non_start:\n  - get: /start\n  - { when: user.id == 1, stop: user }\ntasks: { a: { get: /a } }\non_stop: { get: /bye }", "{ users: 2, hold: 2500ms }")).well();
    assert_eq!(came.paths().iter().filter(|path| *path == "/start").count(), 2);
    assert_eq!(came.paths().iter().filter(|path| *path == "/a").count(), 3);
    assert_eq!(came.total.not_started, 0);
}

#[test]
fn point_6_a_capture_that_fails_and_fail_are_failed_starts_too() {
    for step in [
        "{ get: /s, capture: { t: $.t } }",
        "{ fail: closed }",
        "{ get: '/{{ 1 / (user.id - 1) }}', name: x }",
    ] {
        let plan = class(
            &format!(
                "on_start: [ {step}, {{ when: t, get: /never }} ]\ntasks: {{ a: {{ get: /a }} }}"
            ),
            "{ users: 1, hold: 2500ms }",
        );
        let plan = if step.contains("capture") {
            plan
        } else {
            plan.replace(", { when: t, get: /never }", "")
        };
        let came = run(&plan).well();
        assert_eq!(came.total.not_started, 3, "{step}: {}", came.way());
    }
}

#[test]
fn point_7_data_is_text_from_csv() {
    let folder = files(&[("a.csv", "n\n007\n")]);
    let came = steps("- { post: /a, json: { n: '{{ c.n }}', i: '{{ c.n | int + 1 }}' } }")
        .with("data: { c: { file: a.csv } }")
        .within(folder.path())
        .well();
    assert_eq!(came.body(0), r#"{"n":"007","i":8}"#);
}

#[test]
fn point_8_timing_changes_nothing_that_a_user_draws() {
    let keys_ = "wait: 1s..3s\ntasks:\n  a: { get: '/a/{{ user.id }}/{{ randint(1, 1000000) }}', name: a }\n  b: { get: '/b/{{ user.id }}/{{ randint(1, 1000000) }}', name: b }";
    let plan = class(keys_, "{ users: 3, hold: 1h }");
    let of = |speed: u64| {
        let came = Run { iterations: Some(60), ..run(&plan) }.against(answers(speed, 200, ""));
        let mut paths: Vec<(String, String)> =
            came.paths().iter().map(|path| (path[3..4].to_owned(), path.clone())).collect();
        // Stable: each user's own requests stay in their order.
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        paths
    };
    assert_eq!(of(1), of(777));
}

#[test]
fn point_9_a_request_takes_as_long_as_all_its_hops_under_its_own_name() {
    let came = request("get: /a").against(|_: &[u8], _| Reply::new(MS(350), Ok(200)).hops(3));
    assert_eq!(came.names(), [("GET /a".into(), 1)]);
    assert_eq!(came.total.all_names().response_ok.max_ms(), Some(350.0));
}

#[test]
fn point_10_before_and_after_are_in_no_total_and_first_and_last_steps_are() {
    let came = run("before: [ { get: /before } ]
after: [ { get: /after } ]
users: { U: { wait: 1s, on_start: { get: /start }, tasks: { a: { get: /a } }, on_stop: { get: /stop } } }
profiles: { only: { users: 1, hold: 500ms } }
")
    .well();
    assert_eq!(came.way(), "/before /start /a /stop /after");
    assert_eq!(came.counts(), (3, 3, 0, 0));
    let apart = |once: &Option<throng::engine::Once>| {
        once.as_ref().unwrap().intervals.iter().map(|one| one.issued).sum::<u64>()
    };
    assert_eq!((apart(&came.before), apart(&came.teardown)), (1, 1));
}

#[test]
fn point_10_when_before_fails_no_user_starts_and_after_runs() {
    let came = run("before: [ { post: /make, capture: { id: $.id } }, { get: /never } ]
after: [ { get: /after } ]
users: { U: { tasks: { a: { get: '/a/{{ id }}' } } } }
profiles: { only: { users: 1, hold: 500ms } }
")
    .well();
    assert_eq!(came.way(), "/make /after");
    assert!(!came.before.unwrap().succeeded);
}

#[test]
fn point_11_templates_are_in_values_and_settings_take_vars_and_env_alone() {
    let plan = |name: &str| {
        format!(
            "vars: {{ people: 2, pause: 4s, part: todos, limit: 2s }}
target: 'http://{{{{ env.HOST }}}}.test'
defaults: {{ timeout: '{{{{ limit }}}}' }}
users: {{ U: {{ wait: '{{{{ pause }}}}', tasks: {{ a: {{ get: /a, name: '{name}' }} }} }} }}
profiles: {{ only: {{ users: '{{{{ people }}}}', hold: 5s }} }}
"
        )
    };
    let came = Run { target: None, ..run(&plan("{{ part }} {{ env.HOST }}")) }
        .variable("HOST", "shop")
        .against(answers(10, 200, ""));
    assert_eq!(came.times(), [0, 0, 4010, 4010]);
    assert_eq!(came.header(0, "host"), ["shop.test"]);
    assert_eq!(came.names()[0].0, "GET todos shop");
    let slow = Run { target: None, ..run(&plan("x")) }
        .variable("HOST", "shop")
        .against(answers(9000, 200, ""));
    assert_eq!(slow.counts().2, 2, "the timeout is 2 s");
    let wrong = Run { target: None, ..run(&plan("{{ user.id }}")) }.variable("HOST", "shop");
    assert_eq!(wrong.mistakes().len(), 1);
    assert_eq!(
        steps("- { get: /a, headers: { 'x-{{ 1 }}': a } }").mistakes().len(),
        1,
        "never in keys"
    );
}
