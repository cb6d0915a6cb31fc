//! Rows of values: their order, for whom they are drawn, and what happens at their end.

use crate::support::*;

fn rows(data: &str, users: u32, iterations: u64) -> Run {
    let keys = "wait: 1s\ntasks:\n  all:\n    steps:\n      - { get: '/{{ user.id }}/{{ d }}', name: a }\n      - { get: '/{{ user.id }}/{{ d }}', name: b }";
    let plan = class(keys, &format!("{{ users: {users}, hold: 1h }}"));
    Run { iterations: Some(iterations), ..run(&plan) }.with(&format!("data: {{ d: {data} }}"))
}

#[test]
fn a_row_of_an_iteration_is_drawn_at_its_start() {
    let came = twins(
        "data: { d: { values: [a, b, c] } }
users: { U: { wait: 1s, tasks: { all: { steps: [ { get: '/{{ d }}', name: a }, { post: '/{{ d }}', name: b } ] } } } }
profiles: { only: { users: 1, hold: 3500ms } }
",
        "[data]
d = { values = [\"a\", \"b\", \"c\"] }
[users.U]
wait = \"1s\"
[users.U.tasks.all]
steps = [{ get = \"/{{ d }}\", name = \"a\" }, { post = \"/{{ d }}\", name = \"b\" }]
[profiles]
only = { users = 1, hold = \"3500ms\" }
",
        |_, _| status(200, ""),
    );
    assert_eq!(came.way(), "/a /a /b /b /c /c /a /a", "in sequence, and begun anew");
}

#[test]
fn a_row_of_a_user_stays_with_it() {
    let came = rows("{ values: [a, b, c], per: user }", 3, 6).well();
    assert_eq!(came.way(), "/1/a /2/b /3/c /1/a /2/b /3/c /1/a /2/b /3/c /1/a /2/b /3/c");
}

#[test]
fn a_row_of_a_request_is_drawn_once_for_all_that_it_says() {
    let came = steps("- { post: '/{{ d }}', json: { a: '{{ d }}', b: '{{ d }}' }, headers: { x: '{{ d }}' }, name: a }\n- { post: '/{{ d }}', body: '{{ d }}', name: b }\n- get: /none\n- { get: '/{{ d }}', name: c }")
        .with("data: { d: { values: [p, q, r], per: request } }")
        .well();
    assert_eq!(came.way(), "/p /q /none /r");
    assert_eq!(
        (came.body(0), came.header(0, "x"), came.body(1)),
        (r#"{"a":"p","b":"p"}"#.into(), vec!["p".into()], "q".into())
    );
}

#[test]
fn a_retry_keeps_the_row_of_its_request() {
    let came = steps("- { get: '/{{ d }}', name: a, retry: { status: 503, times: 2 } }\n- { get: '/{{ d }}', name: b }")
        .with("data: { d: { values: [p, q, r], per: request } }")
        .against(|_: &[u8], nth| status(if nth == 0 { 503 } else { 200 }, ""));
    assert_eq!(came.way(), "/p /p /q");
}

fn drawn(data: &str, seed: u64, count: u64) -> Vec<String> {
    let came = Run { seed: Some(seed), ..rows(data, 1, count) }.well();
    came.paths().chunks(2).map(|two| two[0].rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn orders_are_those_that_are_said_and_come_from_the_seed() {
    let values = "values: [1, 2, 3, 4, 5, 6, 7, 8]";
    let sequence = drawn(&format!("{{ {values}, order: sequence }}"), 1, 16);
    assert_eq!(sequence.join(""), "1234567812345678");
    let shuffle = |seed| drawn(&format!("{{ {values}, order: shuffle }}"), seed, 16);
    let once = shuffle(1);
    for pass in once.chunks(8) {
        let mut pass = pass.to_vec();
        pass.sort();
        assert_eq!(pass.join(""), "12345678");
    }
    assert_ne!(once.join(""), sequence.join(""));
    assert_eq!(shuffle(1), once);
    assert_ne!(shuffle(2), once);
    let random = drawn(&format!("{{ {values}, order: random }}"), 1, 400);
    for value in 1..=8 {
        let count = random.iter().filter(|drawn| **drawn == value.to_string()).count();
        assert!((25..=80).contains(&count), "{value}: {count}");
    }
    let mut first = random[..8].to_vec();
    first.sort();
    first.dedup();
    assert!(first.len() < 8 || random[..8].join("") != once[..8].join(""), "it may repeat");
}

#[test]
fn at_the_end_the_user_stops_the_rows_begin_anew_or_the_iteration_fails() {
    let recycle = rows("{ values: [a, b], at_end: recycle }", 1, 3).well();
    assert_eq!(recycle.way(), "/1/a /1/a /1/b /1/b /1/a /1/a");
    let stop = rows("{ values: [a, b, c], at_end: stop }", 2, 100).well();
    assert_eq!(stop.sent.len(), 6);
    assert!(
        stop.after < MS(3000) && stop.exceptions().is_empty(),
        "the run ends with the last user: {:?}",
        stop.after
    );
    let fail = rows("{ values: [a, b], at_end: fail }", 1, 4).well();
    assert_eq!(fail.way(), "/1/a /1/a /1/b /1/b");
    assert_eq!(fail.exceptions().len(), 1, "{:?}", fail.exceptions());
    assert!(fail.exceptions()[0].0.contains('d'), "{:?}", fail.exceptions());
}

#[test]
fn at_the_end_of_rows_of_requests_the_request_is_not_sent() {
    let ends = |at_end: &str| {
        keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - get: /a\n      - { get: '/{{ d }}', name: b }\non_stop: { get: /bye }")
            .times(3)
            .with(&format!("data: {{ d: {{ values: [p], per: request, at_end: {at_end} }} }}"))
            .well()
    };
    let stop = ends("stop");
    assert_eq!((stop.way().as_str(), stop.exceptions().len()), ("/a /p /a /bye", 0));
    let fail = ends("fail");
    assert_eq!((fail.way().as_str(), fail.exceptions()[0].1), ("/a /p /a /a /bye", 2));
}

#[test]
fn rows_that_users_hold_must_be_enough_unless_they_may_be_shared() {
    let too_few = rows("{ values: [a], per: user }", 2, 4);
    let told = std::panic::catch_unwind(|| too_few.well()).unwrap_err();
    let text = told.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.contains("`d` has 1 row, and 2 users hold one each"), "{text}");
    let shared = rows("{ values: [a], per: user, at_end: recycle }", 2, 2).well();
    assert_eq!(shared.way(), "/1/a /2/a /1/a /2/a");
}

#[test]
fn a_row_that_a_user_held_is_free_when_it_is_gone() {
    let plan = class(
        "wait: 1s\ntasks: { a: { get: '/{{ d }}', name: a } }",
        "{ stages: [ { users: 2, hold: 2s }, { users: 1, hold: 3s }, { users: 2, hold: 2s } ] }",
    );
    let came = run(&plan).with("data: { d: { values: [a, b], per: user, at_end: fail } }").well();
    came.all_well();
    assert!(came.paths().iter().filter(|path| *path == "/b").count() >= 3, "{}", came.way());
}

#[test]
fn files_are_csv_json_or_json_lines() {
    let folder = files(&[
        ("a.csv", "name,age\nann,\"1,5\"\nbob,02\n"),
        ("semi.csv", "x;y\n1;2\n"),
        ("bare.csv", "p,q\nr,s\n"),
        ("a.json", r#"[{"name":"ann","n":1,"l":[1]},{"name":"bob","n":2,"l":[]}]"#),
        ("a.jsonl", "{\"v\":1}\n{\"v\":\"x\"}\n"),
        ("odd.txt", "k\nv\n"),
    ]);
    let came = keys(
        "wait: 1s
tasks:
  all:
    post: /a
    json: { csv: '{{ c.name }} {{ c.age }}', age: '{{ c.age }}', semi: '{{ s.y }}', bare: '{{ b.left }}', json: '{{ j }}', lines: '{{ l.v }}', odd: '{{ o.k }}' }",
    )
    .times(2)
    .with(
        "data:
  c: { file: a.csv }
  s: { file: semi.csv, delimiter: ';' }
  b: { file: bare.csv, header: false, columns: [left, right] }
  j: { file: a.json }
  l: { file: a.jsonl }
  o: { file: odd.txt, format: csv }",
    )
    .within(folder.path())
    .well();
    assert_eq!(
        came.bodies(),
        [
            r#"{"csv":"ann 1,5","age":"1,5","semi":"2","bare":"p","json":{"name":"ann","n":1,"l":[1]},"lines":1,"odd":"v"}"#,
            r#"{"csv":"bob 02","age":"02","semi":"2","bare":"r","json":{"name":"bob","n":2,"l":[]},"lines":"x","odd":"v"}"#
        ]
    );
}

#[test]
fn a_column_that_is_not_there_is_a_mistake() {
    let folder = files(&[("a.csv", "name,age\nann,1\n")]);
    let plan =
        steps("- get: /a/{{ c.nme }}").with("data: { c: { file: a.csv } }").within(folder.path());
    assert_eq!(plan.mistakes().len(), 1, "{:?}", plan.mistakes());
    assert_eq!(
        steps("- get: /a/{{ c.name }}")
            .with("data: { c: { file: b.csv } }")
            .within(folder.path())
            .mistakes()
            .len(),
        1
    );
}

#[test]
fn a_row_of_an_iteration_stays_for_a_whole_pass() {
    let came = keys(
        "order: sequence\nwait: 1s\ntasks: { a: { get: '/a/{{ d }}' }, b: { get: '/b/{{ d }}' } }",
    )
    .times(2)
    .with("data: { d: { values: [x, y] } }")
    .well();
    assert_eq!(came.way(), "/a/x /b/x /a/y /b/y");
}

#[test]
fn a_row_of_a_user_is_there_in_its_first_and_last_steps() {
    let came = keys("wait: 1s\non_start: { get: '/in/{{ d.n }}' }\ntasks: { a: { get: '/a/{{ d.n }}' } }\non_stop: { get: '/out/{{ d.n }}' }")
        .with("data: { d: { values: [ { n: 5 } ], per: user } }")
        .well();
    assert_eq!(came.way(), "/in/5 /a/5 /out/5");
}

#[test]
fn rows_in_before_are_rows_too() {
    let plan = steps("- get: '/a/{{ d }}'")
        .with("data: { d: { values: [x, y], per: request } }\nbefore: [ { post: '/b/{{ d }}' } ]");
    let mistakes = plan.mistakes();
    if mistakes.is_empty() {
        assert_eq!(plan.well().way(), "/b/x /a/y");
    } else {
        panic!("{mistakes:?}");
    }
}

#[test]
fn requests_that_are_sent_together_are_judged_with_their_own_rows() {
    let plan = "\
data: { items: { values: [1, 2], per: request } }
users:
  A:
    tasks:
      a:
        steps:
          - parallel:
              - { get: \"/i/{{ items }}\", name: a, expect: { json: $.id, equals: \"{{ items }}\" } }
              - { get: \"/i/{{ items }}\", name: b, expect: { json: $.id, equals: \"{{ items }}\" } }
profiles: { p: { users: 1, hold: 10m } }
";
    let came = Run { iterations: Some(1), ..run(plan) }.against(|bytes: &[u8], _| {
        let id = if bytes.starts_with(b"GET /i/1 ") { 1 } else { 2 };
        status(200, &format!("{{\"id\":{id}}}"))
    });
    assert_eq!(came.lines(), ["GET /i/1", "GET /i/2"]);
    assert_eq!(came.counts(), (2, 2, 0, 0));
}

#[test]
fn a_row_that_no_task_could_run_with_is_kept_for_the_next_iteration() {
    let plan = "\
data: { d: { values: [1, 2, 3], at_end: stop } }
users:
  A:
    wait: 1s
    tasks:
      late: { when: run.elapsed_s > 4, get: \"/{{ d }}\", name: late }
profiles: { p: { users: 1, hold: 10m } }
";
    let came = run(plan).against(answers(1, 200, ""));
    assert_eq!(came.lines(), ["GET /1", "GET /2", "GET /3"]);
}
