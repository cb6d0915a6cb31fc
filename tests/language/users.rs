//! User classes: waits, orders, population, tags, first and last steps.

use throng::protocol::fake::Reply;

use crate::support::*;

/// A class that does one request after the other, for an hour at most.
fn waits(wait: &str, iterations: u64) -> Run {
    let keys = format!("wait: {wait}\ntasks: {{ home: {{ get: / }} }}");
    Run { iterations: Some(iterations), ..run(&class(&keys, "{ users: 1, hold: 10h }")) }
}

/// The time between one answer's end and the next request.
fn pauses(came: &Came, answer: u128) -> Vec<u128> {
    came.times().windows(2).map(|two| two[1] - two[0] - answer).collect()
}

#[test]
fn a_constant_wait_is_always_the_same() {
    let came = waits("2s", 5).against(answers(100, 200, ""));
    assert_eq!(came.times(), [0, 2100, 4200, 6300, 8400]);
    let none = waits("none", 4).against(answers(100, 200, ""));
    assert_eq!(none.times(), [0, 100, 200, 300]);
}

#[test]
fn a_uniform_wait_lies_between_its_ends_and_fills_them() {
    let came = waits("1s..3s", 400).against(answers(10, 200, ""));
    let pauses = pauses(&came, 10);
    assert!(pauses.iter().all(|pause| (999..=3001).contains(pause)), "{pauses:?}");
    for from in [1000, 1500, 2000, 2500] {
        let share = pauses.iter().filter(|pause| (from..from + 500).contains(*pause)).count();
        assert!((60..140).contains(&share), "{share} of 400 from {from}");
    }
}

#[test]
fn a_pace_does_not_drift_over_a_hundred_iterations() {
    let came = waits("{ pace: 5s }", 101)
        .against(|_: &[u8], nth| Reply::new(MS(nth * 37 % 4900), Ok(200)));
    let want: Vec<u128> = (0..101).map(|nth| nth * 5000).collect();
    let off = came.times().iter().zip(&want).map(|(at, want)| at.abs_diff(*want)).max();
    assert!(off <= Some(2), "{off:?} ms off");
}

#[test]
fn a_late_iteration_starts_at_once_and_the_next_counts_from_there() {
    let times = [100, 7000, 100, 100, 100];
    let came = waits("{ pace: 5s }", 5)
        .against(move |_: &[u8], nth| Reply::new(MS(times[nth as usize]), Ok(200)));
    assert_eq!(came.times(), [0, 5000, 12000, 17000, 22000]);
}

#[test]
fn a_throughput_is_a_pace_said_as_a_rate() {
    let came = waits("{ throughput: 0.2/s }", 4).against(answers(900, 200, ""));
    assert_eq!(came.times(), [0, 5000, 10000, 15000]);
}

#[test]
fn exponential_and_normal_waits_have_their_mean_and_their_spread() {
    for (wait, mean, spread) in
        [("{ exponential: 2s }", 2000.0, 2000.0), ("{ normal: 2s, stddev: 500ms }", 2000.0, 500.0)]
    {
        let pauses = pauses(&waits(wait, 2001).against(answers(10, 200, "")), 10);
        let count = pauses.len() as f64;
        let found = pauses.iter().sum::<u128>() as f64 / count;
        // Five standard errors; the seed is fixed, so this never flickers.
        assert!((found - mean).abs() < 5.0 * spread / count.sqrt(), "{wait}: mean {found}");
        let off = pauses.iter().map(|pause| (*pause as f64 - found).powi(2)).sum::<f64>() / count;
        assert!((off.sqrt() / spread - 1.0).abs() < 0.15, "{wait}: spread {}", off.sqrt());
    }
    let cut =
        pauses(&waits("{ normal: 100ms, stddev: 1s }", 300).against(answers(10, 200, "")), 10);
    assert!(cut.iter().filter(|pause| **pause == 0).count() > 50, "cut at 0");
}

#[test]
fn a_wait_on_a_task_replaces_the_classes_after_that_task() {
    let came = twins(
        "users:
  U:
    order: sequence
    wait: 1s
    tasks:
      a: { get: /a, wait: 3s }
      b: { get: /b }
      c: { get: /c, wait: none }
profiles: { only: { users: 1, hold: 8s } }
",
        "[users.U]
order = \"sequence\"
wait = \"1s\"
[users.U.tasks]
a = { get = \"/a\", wait = \"3s\" }
b = { get = \"/b\" }
c = { get = \"/c\", wait = \"none\" }
[profiles]
only = { users = 1, hold = \"8s\" }
",
        |_, _| Reply::new(MS(100), Ok(200)),
    );
    assert_eq!(came.way(), "/a /b /c /a /b /c");
    assert_eq!(came.times(), [0, 3100, 4200, 4300, 7400, 8500]);
}

#[test]
fn a_wait_beside_a_request_step_is_the_pause_after_it() {
    let came = steps("- get: /a\n  wait: 2s\n- get: /b\n- wait: 500ms\n- get: /c")
        .against(answers(100, 200, ""));
    assert_eq!(came.times(), [0, 2100, 2700]);
}

#[test]
fn every_kind_of_wait_may_be_a_step() {
    for (wait, low, high) in [
        ("2s", 2000, 2000),
        ("1s..3s", 1000, 3000),
        ("{ pace: 5s }", 4900, 4900),
        ("{ throughput: 0.5/s }", 1900, 1900),
        ("{ normal: 2s, stddev: 1ms }", 1990, 2010),
        ("none", 0, 0),
    ] {
        let came =
            steps(&format!("- get: /a\n- wait: {wait}\n- get: /b")).against(answers(100, 200, ""));
        let pause = came.times()[1] - 100;
        assert!((low..=high).contains(&pause), "{wait}: {pause} ms");
    }
}

const ABC: &str = "a: { get: /a }\nb: { get: /b }\nc: { get: /c }\nd: { get: /d }";

fn ordered(order: &str, iterations: u64) -> Came {
    let keys = format!("order: {order}\nwait: 1s\ntasks:\n{}", indented(ABC, 2));
    Run { iterations: Some(iterations), ..run(&class(&keys, "{ users: 1, hold: 10h }")) }.well()
}

#[test]
fn a_sequence_goes_through_the_tasks_as_they_are_written() {
    assert_eq!(ordered("sequence", 2).way(), "/a /b /c /d /a /b /c /d");
}

#[test]
fn a_shuffle_goes_through_all_tasks_each_time_in_another_order() {
    let paths = ordered("shuffle", 200).paths();
    assert_eq!(paths.len(), 800);
    let mut orders: Vec<Vec<String>> = paths.chunks(4).map(<[_]>::to_vec).collect();
    for pass in &orders {
        let mut sorted = pass.clone();
        sorted.sort();
        assert_eq!(sorted, ["/a", "/b", "/c", "/d"]);
    }
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 24, "every order comes up");
}

#[test]
fn random_is_the_order_when_none_is_said_and_goes_by_weight() {
    let keys = "wait: 1s\ntasks:\n  a: { weight: 6, get: /a }\n  b: { weight: 2, get: /b }\n  c: { weight: 0, get: /c }";
    let came =
        Run { iterations: Some(4000), ..run(&class(keys, "{ users: 4, hold: 10h }")) }.well();
    let share = came.paths().iter().filter(|path| *path == "/a").count();
    assert!((2860..3140).contains(&share), "{share} of 4000");
    assert!(!came.paths().contains(&"/c".to_owned()));
}

#[test]
fn a_chain_draws_what_follows_and_ends_at_exit() {
    let came = twins(
        "users:
  Buyer:
    order: chain
    wait: 1s
    tasks:
      home: { get: /, next: { list: 80, exit: 20 } }
      list: { get: /list, next: { detail: 60, home: 10, exit: 30 } }
      detail: { get: /detail, next: { list: 50, exit: 50 } }
profiles: { only: { users: 10, hold: 1000s } }
",
        "[users.Buyer]
order = \"chain\"
wait = \"1s\"
[users.Buyer.tasks]
home = { get = \"/\", next = { list = 80, exit = 20 } }
list = { get = \"/list\", next = { detail = 60, home = 10, exit = 30 } }
detail = { get = \"/detail\", next = { list = 50, exit = 50 } }
[profiles.only]
users = 10
hold = \"1000s\"
",
        |_, _| Reply::new(MS(1), Ok(200)),
    );
    let paths = came.paths();
    let count = |path: &str| paths.iter().filter(|known| *known == path).count() as f64;
    // Visits per pass: list = 0.8·home + 0.5·detail, detail = 0.6·list, home = 1 + 0.1·list.
    let list = 0.8 / (1.0 - 0.08 - 0.3);
    let home = 1.0 + 0.1 * list;
    for (path, want) in [("/list", list / home), ("/detail", 0.6 * list / home)] {
        let found = count(path) / count("/");
        assert!((found / want - 1.0).abs() < 0.06, "{path}: {found}, not {want}");
    }
}

#[test]
fn a_pass_of_a_chain_is_one_iteration() {
    let chain = "order: chain\nwait: 1s\ntasks:\n  a: { get: '/a/{{ user.iteration }}', name: a, next: b }\n  b: { get: '/b/{{ user.iteration }}', name: b, next: { exit: 1 } }";
    let came = keys(chain).times(2).well();
    assert_eq!(came.way(), "/a/0 /b/0 /a/1 /b/1");
    assert_eq!(came.times(), [0, 1001, 2002, 3003], "the wait comes after each task");
}

#[test]
fn fixed_users_come_first_and_shares_hold_at_every_moment() {
    let plan = |order: &str| {
        format!("users:\n{order}profiles: {{ only: {{ users: 10, ramp: 10s, hold: 1s }} }}\n")
    };
    let a = "  A: { weight: 3, wait: 100s, tasks: { a: { get: /a } } }\n";
    let b = "  B: { weight: 1, wait: 100s, tasks: { b: { get: /b } } }\n";
    let c = "  C: { fixed: 2, wait: 100s, tasks: { c: { get: /c } } }\n";
    let came = run(&plan(&format!("{a}{b}{c}"))).well();
    assert_eq!(came.way(), "/c /c /a /b /a /a /a /b /a /a");
}

const CLASSES: &str = "users:
  A: { weight: 3, wait: 100s, tasks: { a: { get: /a } } }
  B: { weight: 1, wait: 100s, tasks: { b: { get: /b } } }
  Off: { weight: 0, wait: 100s, tasks: { off: { get: /off } } }
  Two: { fixed: 2, wait: 100s, tasks: { two: { get: /two } } }
profiles: { only: { users: 4, ramp: 4s, hold: 1s } }
";

#[test]
fn names_of_classes_pick_them() {
    let picked = |names: &[&str]| {
        let classes = names.iter().map(|name| (*name).to_owned()).collect();
        Run { classes, ..run(CLASSES) }.well().way()
    };
    assert_eq!(picked(&[]), "/two /two /a /b");
    assert_eq!(picked(&["B"]), "/b /b /b /b");
    assert_eq!(picked(&["Off"]), "/off /off /off /off");
    assert_eq!(picked(&["A", "Two"]), "/two /two /a /a");
}

const TAGGED: &str = "users:
  U:
    order: sequence
    tags: all
    tasks:
      plain: { get: /plain }
      read: { get: /read, tags: [read, smoke] }
      write:
        tags: write
        steps:
          - { get: /w1 }
          - { get: /w2, tags: slow }
          - group: g
            tags: [smoke]
            do:
              - get: /w3
              - { get: /w4, tags: slow }
profiles: { only: { users: 1, hold: 10s } }
";

#[test]
fn tags_pick_tasks_and_steps_and_are_inherited() {
    let picked = |tags: &[&str], exclude: &[&str]| {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let selection = throng::program::Selection { tags: words(tags), exclude: words(exclude) };
        Run { selection, iterations: Some(1), ..run(TAGGED) }.well().way()
    };
    assert_eq!(picked(&[], &[]), "/plain /read /w1 /w2 /w3 /w4");
    assert_eq!(picked(&["all"], &[]), "/plain /read /w1 /w2 /w3 /w4");
    assert_eq!(picked(&["read"], &[]), "/read");
    assert_eq!(picked(&["write"], &[]), "/w1 /w2 /w3 /w4");
    assert_eq!(picked(&["smoke"], &[]), "/read /w3 /w4");
    assert_eq!(picked(&["slow"], &[]), "/w2 /w4");
    assert_eq!(picked(&[], &["write"]), "/plain /read");
    assert_eq!(picked(&[], &["slow"]), "/plain /read /w1 /w3");
    assert_eq!(picked(&["smoke"], &["slow"]), "/read /w3");
}

const LOGIN: &str = "wait: 300ms
on_start:
  - post: /login
    capture: { token: $.token }
tasks:
  home: { get: '/{{ token }}', name: home }
on_stop:
  - post: /logout
    json: { token: '{{ token }}' }";

#[test]
fn first_steps_come_before_tasks_and_last_steps_after_them() {
    let came = keys(LOGIN).times(2).against(answers(10, 200, r#"{"token":"t1"}"#));
    assert_eq!(came.lines(), ["POST /login", "GET /t1", "GET /t1", "POST /logout"]);
    assert_eq!(came.body(3), r#"{"token":"t1"}"#);
    came.all_well();
}

#[test]
fn a_user_that_could_not_start_waits_a_second_and_tries_again() {
    let came = keys(LOGIN).against(|_: &[u8], nth| match nth {
        0 => status(500, ""),
        1 => status(200, "{}"),
        _ => status(200, r#"{"token":"t"}"#),
    });
    assert_eq!(
        came.lines(),
        ["POST /login", "POST /login", "POST /login", "GET /t", "POST /logout"]
    );
    assert_eq!(came.times()[..3], [0, 1001, 2002]);
    assert_eq!((came.total.not_started, came.counts()), (2, (5, 3, 2, 0)));
    let longer = LOGIN.replace("wait: 300ms", "wait: 4s");
    let came = keys(&longer).against(|_: &[u8], nth| match nth {
        0 => status(500, ""),
        _ => status(200, r#"{"token":"t"}"#),
    });
    assert_eq!(came.times()[1], 4001, "the class's wait, when it is longer");
}

#[test]
fn a_start_may_go_on_after_a_failure_that_says_so() {
    let goes_on = "on_start:\n  - { get: /banner, on_fail: continue }\n  - { get: /login }\ntasks: { home: { get: / } }";
    let came = keys(goes_on).against(|bytes: &[u8], _| {
        status(if bytes.starts_with(b"GET /banner") { 404 } else { 200 }, "")
    });
    assert_eq!((came.way().as_str(), came.total.not_started), ("/banner /login /", 0));
}

#[test]
fn last_steps_run_within_the_grace_and_are_cut_after_it() {
    let keys =
        "wait: 100s\ntasks: { home: { get: / } }\non_stop:\n  - { post: /a }\n  - { post: /b }";
    let plan = class(keys, "{ users: 2, hold: 5s, grace: 3s }");
    let came = run(&plan).against(answers(2000, 200, ""));
    assert_eq!(came.way(), "/ / /a /a /b /b");
    // Sent at 7 s, cut at 8 s.
    assert_eq!((came.counts(), came.after), ((6, 4, 0, 2), MS(8000)));
    let longer = Run { grace: Some(MS(4000)), ..run(&plan) }.against(answers(2000, 200, ""));
    assert_eq!((longer.counts(), longer.after), ((6, 6, 0, 0), MS(9000)));
}

#[test]
fn a_class_may_have_a_target_of_its_own() {
    let plan = "target: http://one.test
users:
  A: { wait: 9s, tasks: { a: { get: /a } } }
  B: { wait: 9s, target: 'http://two.test/base', tasks: { b: { get: /b } } }
profiles: { only: { users: 2, hold: 1s } }
";
    let came = Run { target: None, ..run(plan) }.well();
    assert_eq!(came.way(), "/a /base/b");
    assert_eq!(
        (came.header(0, "host"), came.header(1, "host")),
        (vec!["one.test".into()], vec!["two.test".into()])
    );
    let won = run(plan).well();
    assert_eq!(won.header(1, "host"), ["target.test"], "`--target` wins over a class's");
}

#[test]
fn defaults_of_a_class_win_over_the_plans_and_requests_over_both() {
    let came = keys(
        "defaults: { headers: { X-B: class, x-c: class } }
tasks:
  all:
    steps:
      - get: /
        headers: { X-C: request }",
    )
    .with("defaults: { headers: { x-a: plan, x-b: plan, x-c: plan } }")
    .well();
    let seen = ["x-a", "x-b", "x-c"].map(|name| came.header(0, name).join(","));
    assert_eq!(seen, ["plan", "class", "request"]);
}

#[test]
fn a_pass_ends_with_an_iteration_that_is_broken_off() {
    let plan = "order: sequence\nwait: 1s\ntasks:\n  a: { get: /a }\n  b: { steps: [ { get: /b }, { when: user.iteration == 1, STOP } ] }\n  c: { get: /c }";
    let way = |stop: &str| keys(&plan.replace("STOP", stop)).times(3).well().way();
    assert_eq!(way("stop: iteration"), "/a /b /c /a /b /a /b /c");
    assert_eq!(way("fail: no"), "/a /b /c /a /b /a /b /c");
}

#[test]
fn tasks_whose_condition_does_not_hold_are_passed_over() {
    let sequence = keys("order: sequence\nwait: 1s\ntasks: { a: { when: user.iteration == 1, get: /a }, b: { get: /b } }").times(2).well();
    assert_eq!(sequence.way(), "/b /a /b");
    let chain = keys("order: chain\nwait: 1s\ntasks: { a: { get: /a, next: { b: 99, c: 1 } }, b: { when: user.iteration == 1, get: /b }, c: { get: /c, next: { exit: 1 } } }").times(2).well();
    assert_eq!(chain.way(), "/a /c /a /b", "and one without `next` ends the pass");
    let idle = run(&class("order: chain\nwait: 1s\ntasks: { a: { when: user.iteration == 9, get: /a, next: b }, b: { get: /b } }", "{ users: 1, hold: 2500ms }")).well();
    assert_eq!((idle.sent.len(), idle.total.idle), (0, 3));
}

#[test]
fn an_until_that_runs_out_in_the_first_steps_is_a_failed_start() {
    let came = run(&class("on_start: { until: response.status == 201, at_most: 2, do: { get: /s } }\ntasks: { a: { get: /a } }", "{ users: 1, hold: 1500ms }")).well();
    assert_eq!((came.way().as_str(), came.total.not_started), ("/s /s /s /s", 2));
}

#[test]
fn what_is_called_is_left_out_by_its_tags_and_else_follows_who_calls_it() {
    let plan = "flows: { f: { tags: [slow], steps: [ { get: /f } ] }, g: { get: /g } }
users:
  U:
    tasks:
      a: { tags: [main], steps: [ { get: /a }, { call: f }, { call: g }, { call: t } ] }
      t: { weight: 0, tags: [slow, part], get: /t }
profiles: { only: { users: 1, hold: 1h, iterations: 1 } }
";
    let picked = |tags: &[&str], exclude: &[&str]| {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let selection = throng::program::Selection { tags: words(tags), exclude: words(exclude) };
        Run { selection, ..run(plan) }.well().way()
    };
    assert_eq!(picked(&[], &[]), "/a /f /g /t");
    assert_eq!(picked(&["main"], &[]), "/a /f /g /t");
    assert_eq!(picked(&[], &["slow"]), "/a /g");
}
