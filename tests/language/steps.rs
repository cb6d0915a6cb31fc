//! Every step of the table, freely nested.

use throng::protocol::fake::Reply;

use crate::support::*;

#[test]
fn every_method_is_sent_as_it_is_written() {
    let came = steps(
        "- get: /g
- post: /po
- put: /pu
- patch: /pa
- delete: /d
- head: /h
- options: /o
- { request: PURGE, url: /cache }
- { request: m-search, url: 'http://other.test:81/x?y=1', name: search }",
    )
    .well();
    let lines = came.lines();
    assert_eq!(
        lines[..8],
        [
            "GET /g",
            "POST /po",
            "PUT /pu",
            "PATCH /pa",
            "DELETE /d",
            "HEAD /h",
            "OPTIONS /o",
            "PURGE /cache"
        ]
    );
    assert!(lines[8].ends_with(" /x?y=1"), "{}", lines[8]);
    assert_eq!(
        (came.header(7, "host"), came.header(8, "host")),
        (vec!["target.test".into()], vec!["other.test:81".into()])
    );
    let lengths: Vec<String> =
        (0..5).map(|nth| came.header(nth, "content-length").join("")).collect();
    assert_eq!(lengths, ["", "0", "0", "0", ""], "what can have a body says that it has none");
    came.all_well();
}

#[test]
fn a_whole_url_that_is_known_only_while_running_is_asked_there() {
    let came = steps("- set: { host: other.test, id: 7 }\n- { get: 'http://{{ host }}/a/{{ id }}', name: there }\n- get: /b").well();
    assert_eq!(came.way(), "/a/7 /b");
    assert_eq!(
        (came.header(0, "host"), came.header(1, "host")),
        (vec!["other.test".into()], vec!["target.test".into()])
    );
    assert_ne!(came.sent[0].target, came.sent[1].target);
}

#[test]
fn set_push_and_remove_change_this_users_variables() {
    let came = twins(
        "users:
  U:
    wait: 1s
    tasks:
      all:
        steps:
          - set: { n: 1, text: 'n is {{ n }}', both: { a: '{{ n }}', b: [x, '{{ n + 1 }}'] } }
          - push: { list: '{{ n }}' }
          - push: { list: b }
          - push: { list: '{{ n }}' }
          - remove: { list: 1 }
          - post: /a
            json: { n: '{{ n }}', text: '{{ text }}', both: '{{ both }}', list: '{{ list }}' }
profiles: { only: { users: 2, hold: 1s } }
",
        "[users.U]
wait = \"1s\"
[users.U.tasks.all]
steps = [
  { set = { n = 1, text = \"n is {{ n }}\", both = { a = \"{{ n }}\", b = [\"x\", \"{{ n + 1 }}\"] } } },
  { push = { list = \"{{ n }}\" } },
  { push = { list = \"b\" } },
  { push = { list = \"{{ n }}\" } },
  { remove = { list = 1 } },
  { post = \"/a\", json = { n = \"{{ n }}\", text = \"{{ text }}\", both = \"{{ both }}\", list = \"{{ list }}\" } },
]
[profiles]
only = { users = 2, hold = \"1s\" }
",
        |_, _| status(200, ""),
    );
    let want = r#"{"n":1,"text":"n is 1","both":{"a":1,"b":["x",2]},"list":["b",1]}"#;
    assert_eq!(came.bodies(), [want, want]);
}

#[test]
fn what_is_set_in_one_step_sees_what_was_set_before_it_in_the_same() {
    let came = steps(
        "- set: { a: 2, b: '{{ a * 3 }}', c: '{{ b + a }}' }\n- { get: '/{{ c }}', name: c }",
    )
    .well();
    assert_eq!(came.way(), "/8");
}

#[test]
fn if_does_then_or_else() {
    let came = steps(
        "- repeat: 3
  do:
    - set: { n: '{{ (n | default(0)) + 1 }}' }
    - if: n == 1
      then: { get: /one }
      else:
        - if: n == 2
          then: [ { get: /two } ]
          else: { get: /more }
    - if: n > 2
      then: { get: /end }",
    )
    .well();
    assert_eq!(came.way(), "/one /two /more /end");
}

#[test]
fn repeat_takes_numbers_and_templates_and_none_at_all() {
    let came = steps(
        "- repeat: 2
  do: { get: /a }
- set: { n: 3 }
- repeat: '{{ n - 1 }}'
  do: [ { get: /b }, { set: { n: 100 } } ]
- repeat: 0
  do: { get: /never }
- repeat: '{{ n * 0 }}'
  do: { get: /never }",
    )
    .well();
    assert_eq!(came.way(), "/a /a /b /b");
    let wrong = steps("- set: { n: x }\n- repeat: '{{ n }}'\n  do: { get: /never }").well();
    assert_eq!(
        wrong.exceptions(),
        [("repeat wants a number from 0 to 1000000, not text".into(), 1)]
    );
}

#[test]
fn for_goes_over_lists_and_expressions() {
    let came = twins(
        "users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - { for: x, in: [a, 2, '{{ 1 + 2 }}'], do: { get: '/{{ x }}', name: x } }
          - set: { rows: [ { id: 7 }, { id: 8 } ], empty: [] }
          - for: row
            in: rows
            do:
              - for: y
                in: '[1, 2]'
                do: { get: '/{{ row.id }}/{{ y }}', name: y }
          - { for: z, in: empty, do: { get: /never } }
          - { get: '/{{ x }}', name: last }
profiles: { only: { users: 1, hold: 1s } }
",
        "[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [
  { for = \"x\", in = [\"a\", 2, \"{{ 1 + 2 }}\"], do = { get = \"/{{ x }}\", name = \"x\" } },
  { set = { rows = [{ id = 7 }, { id = 8 }], empty = [] } },
  { for = \"row\", in = \"rows\", do = [
    { for = \"y\", in = \"[1, 2]\", do = { get = \"/{{ row.id }}/{{ y }}\", name = \"y\" } },
  ] },
  { for = \"z\", in = \"empty\", do = { get = \"/never\" } },
  { get = \"/{{ x }}\", name = \"last\" },
]
[profiles.only]
users = 1
hold = \"1s\"
",
        |_, _| status(200, ""),
    );
    assert_eq!(came.way(), "/a /2 /3 /7/1 /7/2 /8/1 /8/2 /3");
    let wrong = steps("- set: { n: 5 }\n- { for: x, in: n, do: { get: /never } }").well();
    assert_eq!(wrong.exceptions().len(), 1);
    assert!(
        wrong.exceptions()[0].0.starts_with("for wants a list, not"),
        "{:?}",
        wrong.exceptions()
    );
}

#[test]
fn while_looks_before_each_round() {
    let came = steps("- set: { n: 0 }\n- while: n < 3\n  do:\n    - { get: '/{{ n }}', name: n }\n    - set: { n: '{{ n + 1 }}' }\n- while: n < 3\n  do: { get: /never }\n- get: /end").well();
    assert_eq!(came.way(), "/0 /1 /2 /end");
}

#[test]
fn a_while_that_runs_out_goes_on() {
    let came =
        steps("- set: { n: 0 }\n- while: n == 0\n  at_most: 3\n  do: { get: /a }\n- get: /end")
            .well();
    assert_eq!(came.way(), "/a /a /a /end");
    came.all_well();
}

#[test]
fn until_looks_after_each_round() {
    let came =
        steps("- until: response.status == 201\n  at_most: 9\n  do: { get: /a }\n- get: /end")
            .against(|_: &[u8], nth| status(if nth == 2 { 201 } else { 200 }, ""));
    assert_eq!(came.way(), "/a /a /a /end");
    came.all_well();
}

#[test]
fn an_until_that_runs_out_of_rounds_has_failed_and_ends_the_iteration() {
    let came = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - group: poll\n        do:\n          - until: response.status == 201\n            at_most: 2\n            do: { get: /a }\n      - get: /never")
        .times(2)
        .well();
    assert_eq!(came.way(), "/a /a /a /a");
    assert_eq!(
        came.exceptions(),
        [("until: response.status == 201: it did not come true".into(), 2)]
    );
    assert_eq!(came.groups()[0].2, 2, "the group has failed");
    assert_eq!(came.counts(), (4, 4, 0, 0), "no request has");
}

#[test]
fn an_until_that_runs_out_of_time_has_failed() {
    let came = steps("- until: response.status == 201\n  within: 5s\n  do:\n    - wait: 1s\n    - get: /a\n- get: /never")
        .against(answers(500, 200, ""));
    assert_eq!(came.times(), [1000, 2500, 4000, 5500]);
    assert_eq!(came.exceptions().len(), 1);
    let both = steps("- until: response.status == 201\n  within: 5s\n  at_most: 2\n  do: [ { wait: 1s }, { get: /a } ]").well();
    assert_eq!(both.sent.len(), 2, "whichever comes first");
}

#[test]
fn choose_takes_one_branch_by_weight() {
    let came = keys("tasks:\n  all:\n    steps:\n      - choose:\n          - { weight: 3, do: { get: /a } }\n          - { do: [ { get: /b }, { get: /b2 } ] }\n          - { weight: 0, do: { get: /never } }\n      - get: /end")
        .times(2000)
        .well();
    let count = |path: &str| came.paths().iter().filter(|known| *known == path).count();
    assert_eq!(
        (count("/a") + count("/b"), count("/b2"), count("/end"), count("/never")),
        (2000, count("/b"), 2000, 0)
    );
    assert!((1400..1600).contains(&count("/a")), "{}", count("/a"));
}

#[test]
fn chance_leaves_steps_and_tasks_out() {
    let came = keys("order: sequence\ntasks:\n  one: { chance: 30%, get: /one }\n  two:\n    steps:\n      - { chance: 75%, get: /two }\n      - { chance: 0%, get: /never }\n      - { chance: 100%, get: /always }")
        .times(2000)
        .well();
    let count = |path: &str| came.paths().iter().filter(|known| *known == path).count();
    assert!((500..700).contains(&count("/one")), "{}", count("/one"));
    assert!((1400..1600).contains(&count("/two")), "{}", count("/two"));
    assert_eq!((count("/never"), count("/always")), (0, 2000));
}

#[test]
fn when_leaves_a_step_out_and_an_unset_name_is_false_in_it() {
    let came = steps("- { when: late, get: /never }\n- { when: not late, get: /a }\n- set: { late: yes }\n- { when: late, get: /b }\n- { when: response.status == 200, get: /c }\n- when: response.status == 404\n  repeat: 2\n  do: { get: /never }").well();
    assert_eq!(came.way(), "/a /b /c");
}

#[test]
fn requests_of_a_parallel_are_sent_together_over_up_to_six_connections() {
    let came = steps("- get: /page\n- parallel:\n    - { get: /1 }\n    - { get: /2 }\n    - { get: /3 }\n    - { get: /4 }\n    - { get: /5 }\n    - { get: /6 }\n    - { get: /7 }\n    - { get: /8 }\n- get: /end")
        .against(|bytes: &[u8], _| Reply::new(MS(if bytes.starts_with(b"GET /1") { 50 } else { 100 }), Ok(200)));
    assert_eq!(came.way(), "/page /1 /2 /3 /4 /5 /6 /7 /8 /end");
    assert_eq!(came.times(), [0, 100, 100, 100, 100, 100, 100, 150, 200, 300]);
    came.all_well();
}

#[test]
fn captures_of_a_parallel_happen_in_written_order_whatever_answers_first() {
    let came = steps("- parallel:\n    - { get: /slow, capture: { last: $.id, all: { json: $.id, push: true } } }\n    - { get: /fast, capture: { last: $.id, all: { json: $.id, push: true } } }\n- post: /end\n  json: { last: '{{ last }}', all: '{{ all }}' }")
        .against(|bytes: &[u8], _| {
            let slow = bytes.starts_with(b"GET /slow");
            Reply::new(MS(if slow { 300 } else { 10 }), Ok(200)).body(if slow { r#"{"id":"s"}"# } else { r#"{"id":"f"}"# })
        });
    assert_eq!(came.body(2), r#"{"last":"f","all":["s","f"]}"#);
}

#[test]
fn all_of_a_parallel_are_judged_also_when_one_ends_the_iteration() {
    let came = steps(
        "- parallel:\n    - { get: /a, on_fail: iteration }\n    - { get: /b }\n- get: /never",
    )
    .against(|bytes: &[u8], _| status(if bytes.starts_with(b"GET /a") { 500 } else { 200 }, ""));
    assert_eq!((came.way().as_str(), came.counts()), ("/a /b", (2, 1, 1, 0)));
}

#[test]
fn a_request_of_a_parallel_is_tried_again_by_itself() {
    let came = steps("- parallel:\n    - { get: /a, retry: { status: 503, times: 2, wait: 1s } }\n    - { get: /b }\n- get: /end")
        .against(|_: &[u8], nth| status(if nth == 0 || nth == 2 { 503 } else { 200 }, ""));
    assert_eq!(came.way(), "/a /b /a /a /end");
    assert_eq!((came.counts(), came.total.retries), ((3, 3, 0, 0), 2));
}

#[test]
fn a_group_is_timed_without_its_waits_and_outside_the_totals() {
    let came = twins(
        "users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - group: outer
            do:
              - get: /a
              - wait: 2s
              - group: inner
                do: [ { get: /b }, { get: /c, wait: 3s } ]
              - get: /d
profiles: { only: { users: 1, hold: 2s } }
",
        "[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [
  { group = \"outer\", do = [
    { get = \"/a\" },
    { wait = \"2s\" },
    { group = \"inner\", do = [{ get = \"/b\" }, { get = \"/c\", wait = \"3s\" }] },
    { get = \"/d\" },
  ] },
]
[profiles]
only = { users = 1, hold = \"2s\" }
",
        |_, _| Reply::new(MS(100), Ok(200)),
    );
    let mut groups = came.groups();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        groups,
        [("inner".into(), 1, 0, 200.0, 200.0), ("outer".into(), 1, 0, 400.0, 400.0)]
    );
    assert_eq!(came.counts(), (4, 4, 0, 0));
}

#[test]
fn a_group_has_failed_when_a_step_within_has() {
    let script =
        |bytes: &[u8], _| status(if bytes.starts_with(b"GET /bad") { 500 } else { 200 }, "");
    let failed = |steps_: &str| {
        let mut groups: Vec<_> = steps(steps_)
            .against(script)
            .groups()
            .into_iter()
            .map(|group| (group.0, group.1, group.2))
            .collect();
        groups.sort();
        groups
    };
    let group = |name: &str, well, ill| (name.to_owned(), well, ill);
    assert_eq!(
        failed(
            "- group: a\n  do:\n    - { group: b, do: { get: /bad } }\n    - { group: c, do: { get: /good } }\n    - get: /good\n- group: d\n  do: { get: /good }"
        ),
        [group("a", 0, 1), group("b", 0, 1), group("c", 1, 0), group("d", 1, 0)]
    );
    assert_eq!(
        failed("- group: a\n  do: [ { get: /good }, { fail: no }, { get: /never } ]"),
        [group("a", 0, 1)]
    );
    assert_eq!(
        failed("- group: a\n  do: [ { get: /good }, { stop: iteration }, { get: /never } ]"),
        [group("a", 1, 0)]
    );
    assert_eq!(
        failed("- group: a\n  do: [ { get: /bad, on_fail: iteration }, { get: /never } ]"),
        [group("a", 0, 1)]
    );
}

#[test]
fn call_does_tasks_of_the_class_and_flows() {
    let came = keys("tasks:\n  all:\n    steps:\n      - call: part\n      - set: { x: 1 }\n      - repeat: 2\n        do: { call: flow }\n      - call: guarded\n      - { get: '/{{ seen }}', name: seen }\n  part: { weight: 0, get: /part }\n  guarded: { weight: 0, when: x == 2, get: /never }")
        .with("flows:\n  flow:\n    steps:\n      - { get: '/flow/{{ x }}', name: flow }\n      - call: inner\n  inner: { get: /inner, capture: { seen: '{{ response.status }}' } }")
        .well();
    assert_eq!(came.way(), "/part /flow/1 /inner /flow/1 /inner /200");
    came.all_well();
}

#[test]
fn fail_ends_the_iteration_and_counts_under_its_message_as_written() {
    let came = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - { get: '/{{ user.iteration }}', name: a }\n      - fail: 'no stock for {{ user.iteration }}'\n      - get: /never").times(3).well();
    assert_eq!(came.way(), "/0 /1 /2");
    assert_eq!(came.exceptions(), [("fail: no stock for {{ user.iteration }}".into(), 3)]);
    assert_eq!(came.counts(), (3, 3, 0, 0));
}

#[test]
fn stop_ends_the_iteration_the_user_or_the_run() {
    let stops = |what: &str| {
        let keys = format!(
            "wait: 1s\ntasks:\n  all:\n    steps:\n      - get: /a\n      - call: end\n      - get: /never\n  end: {{ weight: 0, steps: [ {{ group: g, do: {{ stop: {what} }} }} ] }}\non_stop: {{ get: /bye }}"
        );
        run(&class(&keys, "{ users: 2, hold: 2500ms }")).well()
    };
    let iteration = stops("iteration");
    assert_eq!(iteration.way(), "/a /a /a /a /a /a /bye /bye");
    let user = stops("user");
    assert_eq!(
        (user.way().as_str(), user.after),
        ("/a /a /bye /bye", MS(2)),
        "for good; the run ends with the last"
    );
    let run = stops("run");
    assert_eq!((run.way().as_str(), run.stops > 0), ("/a /a /bye /bye", true));
    assert!(run.after < MS(1100), "{:?}", run.after);
    run.all_well();
}

#[test]
fn requests_of_a_parallel_do_steps_before_a_retry() {
    let retry = "retry: { status: 401, times: 1, wait: 1s, first: [ { post: /new, capture: { token: $.token } } ] }";
    let parallel = |own: &str| {
        format!(
            "on_start: {{ set: {{ token: old }} }}\ntasks:\n  all:\n    steps:\n    - parallel:\n        - {{ get: /a, headers: {{ x-token: '{{{{ token }}}}' }}{own} }}\n        - {{ get: /b }}\n        - {{ get: /c, headers: {{ x-token: '{{{{ token }}}}' }}{own} }}\n    - get: /end\n"
        )
    };
    let (written, inherited) = (format!(", {retry}"), format!("defaults: {{ {retry} }}\n"));
    for keys_of in [parallel(&written), inherited + &parallel("")] {
        let came = keys(&keys_of).against(|bytes: &[u8], nth| {
            let text = String::from_utf8_lossy(bytes);
            let code = if text.contains("x-token: old") { 401 } else { 200 };
            status(code, &format!("{{\"token\": \"new{nth}\"}}"))
        });
        assert_eq!(came.way(), "/a /b /c /new /a /new /c /end");
        assert_eq!(came.header(4, "x-token"), ["new3"]);
        assert_eq!(came.header(6, "x-token"), ["new5"]);
        assert_eq!((came.counts(), came.total.retries), ((6, 6, 0, 0), 2));
        came.all_well();
    }
}

#[test]
fn stop_run_reaches_users_that_do_other_things() {
    let plan = "users:
  Ender: { fixed: 1, tasks: { end: { steps: [ { wait: 2s }, { stop: run } ] } } }
  Other: { wait: 1s, tasks: { a: { get: /a } }, on_stop: { get: /bye } }
profiles: { only: { users: 3, hold: 1h } }
";
    let came = run(plan).against(answers(10, 200, ""));
    assert!(came.after < MS(3200), "{:?}", came.after);
    assert_eq!(came.paths().iter().filter(|path| *path == "/bye").count(), 2);
}

#[test]
fn log_writes_a_line() {
    let came = steps(
        "- set: { n: [1, a] }\n- log: 'n is {{ n }} in {{ user.class }}'\n- log: plain\n- get: /",
    )
    .well();
    assert_eq!(came.lines, ["n is [1, \"a\"] in Someone".replace(", ", ","), "plain".into()]);
}

#[test]
fn steps_nest_freely() {
    let came = twins(
        "flows:
  visit:
    - parallel: [ { get: '/p/{{ n }}', name: p }, { get: '/q/{{ n }}', name: q } ]
users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - group: g
            do:
              - for: n
                in: [1, 2, 3]
                do:
                  - if: n != 2
                    then:
                      - repeat: '{{ n }}'
                        do:
                          - choose:
                              - do:
                                  - until: 'true'
                                    at_most: 5
                                    do: { call: visit }
                    else:
                      - while: 'n < 4'
                        at_most: 2
                        do: [ { get: /two }, { set: { n: 4 } } ]
profiles: { only: { users: 1, hold: 1s } }
"
        .replace("visit:\n    - parallel", "visit:\n    steps:\n    - parallel")
        .as_str(),
        "[flows.visit]
steps = [{ parallel = [{ get = \"/p/{{ n }}\", name = \"p\" }, { get = \"/q/{{ n }}\", name = \"q\" }] }]
[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [{ group = \"g\", do = [
  { for = \"n\", in = [1, 2, 3], do = [
    { if = \"n != 2\", then = [
      { repeat = \"{{ n }}\", do = [
        { choose = [{ do = [{ until = \"true\", at_most = 5, do = { call = \"visit\" } }] }] },
      ] },
    ], else = [
      { while = \"n < 4\", at_most = 2, do = [{ get = \"/two\" }, { set = { n = 4 } }] },
    ] },
  ] },
] }]
[profiles]
only = { users = 1, hold = \"1s\" }
",
        |_, _| status(200, ""),
    );
    assert_eq!(came.way(), "/p/1 /q/1 /two /p/3 /q/3 /p/3 /q/3 /p/3 /q/3");
    assert_eq!(came.groups().len(), 1);
    came.all_well();
}

#[test]
fn a_loop_that_may_never_end_is_refused() {
    let found = |loop_: &str| steps(&format!("- set: {{ n: 0 }}\n- get: /\n- {loop_}")).mistakes();
    assert_eq!(
        found("{ while: n == 0, do: { set: { n: 0 } } }"),
        ["a loop that neither sends nor waits may never end"]
    );
    assert_eq!(
        found("{ until: n == 1, within: 5s, do: { set: { n: 0 } } }"),
        ["a loop that neither sends nor waits spins until its time is over"]
    );
    assert_eq!(found("{ while: n == 0, at_most: 3, do: { set: { n: 0 } } }"), Vec::<String>::new());
    assert_eq!(found("{ while: n == 0, do: { wait: 1s } }"), Vec::<String>::new());
    assert_eq!(found("{ while: n == 0, do: { get: / } }"), Vec::<String>::new());
}

#[test]
fn nothing_of_a_parallel_is_sent_when_one_cannot_be_written() {
    let came = steps("- set: { n: x }\n- parallel: [ { get: /a }, { get: '/b/{{ n + 1 }}', name: b } ]\n- get: /never").well();
    assert_eq!((came.way().as_str(), came.exceptions().len(), came.counts().0), ("", 1, 0));
}

#[test]
fn a_condition_that_fails_ends_the_iteration() {
    for step in [
        "if: n + 1 > 2\n  then: { get: /never }",
        "while: n + 1 > 2\n  do: { get: /never }",
        "when: n + 1 > 2\n  get: /never",
        "log: '{{ n + 1 }}'",
        "set: { m: '{{ n + 1 }}' }",
    ] {
        let came = steps(&format!("- set: {{ n: x }}\n- get: /a\n- {step}\n- get: /never")).well();
        assert_eq!((came.way().as_str(), came.exceptions().len()), ("/a", 1), "{step}");
    }
}

#[test]
fn a_flow_may_be_a_request_with_a_condition() {
    let came = steps("- set: { n: 0 }\n- repeat: 3\n  do: [ { call: f }, { set: { n: '{{ n + 1 }}' } } ]\n- { get: '/{{ got }}/x', name: x }")
        .with("flows: { f: { when: n > 0, get: '/f/{{ n }}', name: f, capture: { got: $.got } } }")
        .against(answers(1, 200, r#"{"got":5}"#));
    assert_eq!(came.way(), "/f/1 /f/2 /5/x");
}

#[test]
fn pushing_to_what_is_no_list_begins_one() {
    let came = steps("- set: { x: 5 }\n- push: { x: 6 }\n- { post: /a, json: '{{ x }}' }").well();
    assert_eq!(came.body(0), "[6]");
}

#[test]
fn stop_user_in_the_midst_of_a_retry_ends_it_all_in_order() {
    let came = keys("tasks: { a: { steps: [ { group: g, do: { get: /a, retry: { status: 503, times: 3, first: { stop: user } } } } ] } }\non_stop: { get: /bye }")
        .times(3)
        .against(|bytes: &[u8], _| status(if bytes.starts_with(b"GET /a") { 503 } else { 200 }, ""));
    assert_eq!((came.way().as_str(), came.counts()), ("/a /bye", (2, 1, 1, 0)));
}

#[test]
fn a_flow_of_steps_has_its_condition_and_a_called_task_its_chance() {
    let came = keys("wait: 1s\ntasks:\n  a: { steps: [ { call: f }, { call: t }, { get: /a } ] }\n  t: { weight: 0, chance: 40%, get: /t }")
        .times(500)
        .with("flows: { f: { when: user.iteration < 2, steps: [ { get: /f1 }, { get: /f2 } ] } }")
        .well();
    let count = |path: &str| came.paths().iter().filter(|known| *known == path).count();
    assert_eq!((count("/f1"), count("/f2"), count("/a")), (2, 2, 500));
    assert!((150..250).contains(&count("/t")), "{}", count("/t"));
}
