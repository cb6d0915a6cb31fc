//! Every key of a request, by its bytes.

use throng::metrics::Fault;
use throng::protocol::Use;
use throng::protocol::fake::Reply;

use crate::support::*;

#[test]
fn a_name_is_what_a_request_is_counted_under() {
    let came = steps("- { get: '/todos/{{ 1 + 1 }}' }\n- { get: /a, name: shown }\n- { post: /a, name: shown }\n- { get: /a }").well();
    assert_eq!(
        came.names().into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["GET /todos/{{ 1 + 1 }}", "GET shown", "POST shown", "GET /a"]
    );
    assert_eq!(
        steps("- get: '{{ 1 }}'").mistakes().len(),
        1,
        "a path that is all template needs a name"
    );
}

#[test]
fn a_query_takes_values_lists_and_templates() {
    let came = twins(
        "defaults: { query: { lang: en, page: 9, gone: 1 } }
users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - set: { x: 'a b&c' }
          - get: /a
            query: { page: 2, tag: [a, '{{ x }}', 3], 'ü n': é, yes: true, gone: null }
          - get: /b?z=1
profiles: { only: { users: 1, hold: 1s } }
",
        "[defaults]
query = { lang = \"en\", page = 9 }
[users.U]
wait = \"9s\"
[users.U.defaults]
query = { gone = 1 }
[users.U.tasks.all]
steps = [
  { set = { x = \"a b&c\" } },
  { get = \"/a\", query = { page = 2, tag = [\"a\", \"{{ x }}\", 3], \"ü n\" = \"é\", yes = true, gone = \"\" } },
  { get = \"/b?z=1\" },
]
[profiles]
only = { users = 1, hold = \"1s\" }
"
        .replace("{ gone = 1 }", "{}")
        .replace(", gone = \"\" }", " }")
        .replace("  { get = \"/b?z=1\" },", "  { get = \"/b?z=1\", query = { gone = 1 } },")
        .as_str(),
        |_, _| status(200, ""),
    );
    assert_eq!(
        came.paths()[0],
        "/a?lang=en&page=2&tag=a&tag=a%20b%26c&tag=3&%C3%BC%20n=%C3%A9&yes=true"
    );
    assert_eq!(came.paths()[1], "/b?z=1&lang=en&page=9&gone=1");
}

#[test]
fn headers_are_merged_whatever_their_case_and_null_takes_one_out() {
    let came = steps("- get: /a\n  headers: { X-ONE: mine, x-two: null, x-three: '{{ 1 + 2 }}', user-agent: me, accept: text/html }\n- get: /b")
        .with("defaults: { headers: { x-one: plan, x-two: plan, X-Four: 4 } }")
        .well();
    let seen = |nth, name: &str| came.header(nth, name).join(",");
    assert_eq!(
        ["x-one", "x-two", "x-three", "x-four", "user-agent", "accept"].map(|name| seen(0, name)),
        ["mine", "", "3", "4", "me", "text/html"]
    );
    assert_eq!(["x-one", "x-two", "accept"].map(|name| seen(1, name)), ["plan", "plan", "*/*"]);
}

#[test]
fn a_header_cannot_be_broken_out_of() {
    let came =
        steps("- set: { x: \"a\\r\\nx-evil: 1\" }\n- { get: /a, headers: { x-one: '{{ x }}' } }")
            .well();
    assert_eq!(came.sent.len(), 0);
    assert_eq!(came.exceptions(), [("a header's value may not hold a line break".into(), 1)]);
}

#[test]
fn cookies_are_sent_beside_the_jar() {
    let came =
        steps("- get: /a\n  cookies: { theme: light, n: '{{ 1 + 1 }}', gone: null }\n- get: /b")
            .with("defaults: { cookies: { theme: dark, gone: 1 } }")
            .well();
    assert_eq!(came.header(0, "cookie"), ["theme=light; n=2"]);
    assert_eq!(came.header(1, "cookie"), ["theme=dark; gone=1"]);
}

#[test]
fn a_json_body_keeps_types_and_escapes_text() {
    let came = twins(
        "users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - set: { n: 5, text: \"a\\\"b\\\\\\n\", list: [1, x], yes: true }
          - post: /a
            json: { n: '{{ n }}', t: '{{ text }}', in: 'n={{ n }} {{ yes }} {{ list }} {{ text }}', l: '{{ list }}', y: '{{ yes }}', deep: [ { f: 1.5, e: {} } ] }
          - put: /b
            json: [1, '{{ n }}']
          - patch: /c
            json: '{{ list }}'
profiles: { only: { users: 1, hold: 1s } }
",
        "[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [
  { set = { n = 5, text = \"a\\\"b\\\\\\n\", list = [1, \"x\"], yes = true } },
  { post = \"/a\", json = { n = \"{{ n }}\", t = \"{{ text }}\", in = \"n={{ n }} {{ yes }} {{ list }} {{ text }}\", l = \"{{ list }}\", y = \"{{ yes }}\", deep = [{ f = 1.5, e = {} }] } },
  { put = \"/b\", json = [1, \"{{ n }}\"] },
  { patch = \"/c\", json = \"{{ list }}\" },
]
[profiles]
only = { users = 1, hold = \"1s\" }
",
        |_, _| status(200, ""),
    );
    let body: serde_json::Value = serde_json::from_str(&came.body(0)).unwrap();
    assert_eq!(
        body,
        serde_json::json!({ "n": 5, "t": "a\"b\\\n", "in": "n=5 true [1,\"x\"] a\"b\\\n", "l": [1, "x"], "y": true, "deep": [{ "f": 1.5, "e": {} }] })
    );
    assert_eq!(came.bodies()[1..], ["[1,5]", "[1,\"x\"]"]);
    assert_eq!(came.header(0, "content-type"), ["application/json"]);
    assert_eq!(came.header(0, "content-length"), [came.body(0).len().to_string()]);
}

#[test]
fn null_in_a_json_body_is_null() {
    assert_eq!(
        request("post: /a\njson: { a: null, b: ~, c: [null] }").well().body(0),
        r#"{"a":null,"b":null,"c":[null]}"#
    );
}

#[test]
fn a_form_is_encoded() {
    let came = steps("- set: { x: 'a+b c&d=é' }\n- post: /a\n  form: { user: ann, text: '{{ x }}', both: 'x {{ 1 }}', n: 5, tag: [a, b] }").well();
    assert_eq!(came.body(0), "user=ann&text=a%2Bb+c%26d%3D%C3%A9&both=x+1&n=5&tag=a&tag=b");
    assert_eq!(came.header(0, "content-type"), ["application/x-www-form-urlencoded"]);
}

#[test]
fn a_multipart_body_holds_values_and_files() {
    let folder = files(&[("a.png", "AAA"), ("b.jpg", "BBB"), ("note.txt", "hello {{ x }}")]);
    let came = keys("wait: 1s\ntasks:\n  all:\n    post: /up\n    multipart:\n      caption: 'n {{ user.iteration }}'\n      photo: { file: [a.png, b.jpg], type: image/x }\n      note: { file: note.txt, filename: 'n{{ 1 + 1 }}.txt' }\n      named: { value: '{{ 3 }}', type: text/plain, filename: v.txt }")
        .times(40)
        .within(folder.path())
        .well();
    let kind = came.header(0, "content-type").join("");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    for (nth, body) in came.bodies().iter().enumerate() {
        let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), parts[0], parts[5]), (6, "", "--\r\n"));
        assert_eq!(
            parts[1],
            format!("\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nn {nth}\r\n")
        );
        let a = "\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/x\r\n\r\nAAA\r\n";
        let b = "\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"b.jpg\"\r\nContent-Type: image/x\r\n\r\nBBB\r\n";
        assert!([a, b].contains(&parts[2]), "{}", parts[2]);
        assert_eq!(
            parts[3],
            "\r\nContent-Disposition: form-data; name=\"note\"; filename=\"n2.txt\"\r\nContent-Type: text/plain\r\n\r\nhello {{ x }}\r\n"
        );
        assert_eq!(
            parts[4],
            "\r\nContent-Disposition: form-data; name=\"named\"; filename=\"v.txt\"\r\nContent-Type: text/plain\r\n\r\n3\r\n"
        );
        assert_eq!(came.header(nth, "content-length"), [body.len().to_string()]);
    }
    let first = came.bodies().iter().filter(|body| body.contains("AAA")).count();
    assert!((8..=32).contains(&first), "{first} of 40");
}

#[test]
fn a_body_is_text_with_its_holes_filled_in() {
    let came = steps("- set: { id: 7 }\n- post: /a\n  body: '<todo id=\"{{ id }}\">{% raw %}</todo>'\n- post: /b\n  headers: { content-type: text/xml }\n  body: plain").well();
    assert_eq!(came.bodies(), ["<todo id=\"7\">{% raw %}</todo>", "plain"]);
    assert_eq!(came.header(1, "content-type"), ["text/xml"]);
}

#[test]
fn a_body_file_is_sent_as_it_is_or_filled_in() {
    let folder = files(&[("order.xml", "<o>{{ id }}</o>\n")]);
    let came = steps("- set: { id: 7 }\n- { post: /a, body_file: order.xml }\n- { post: /b, body_file: { file: order.xml } }\n- { post: /c, body_file: { file: order.xml, templates: true } }")
        .within(folder.path())
        .well();
    assert_eq!(came.bodies(), ["<o>{{ id }}</o>\n", "<o>{{ id }}</o>\n", "<o>7</o>\n"]);
    assert_eq!(came.header(2, "content-type"), ["text/xml"]);
    assert_eq!(
        steps("- { post: /a, body_file: absent.xml }").within(folder.path()).mistakes().len(),
        1
    );
    assert_eq!(
        steps("- { post: /a, body_file: ../out.xml }").within(folder.path()).mistakes().len(),
        1
    );
}

#[test]
fn auth_is_basic_bearer_or_none() {
    let came = twins(
        "defaults: { auth: { bearer: '{{ token | default(\"none\") }}' } }
users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - get: /a
          - { get: /b, auth: none }
          - { get: /c, auth: { basic: [ann, 'p:{{ 1 }}'] } }
          - set: { token: t1 }
          - get: /d
          - { get: /e, headers: { Authorization: mine } }
profiles: { only: { users: 1, hold: 1s } }
",
        "[defaults]
auth = { bearer = '{{ token | default(\"none\") }}' }
[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [
  { get = \"/a\" },
  { get = \"/b\", auth = \"none\" },
  { get = \"/c\", auth = { basic = [\"ann\", \"p:{{ 1 }}\"] } },
  { set = { token = \"t1\" } },
  { get = \"/d\" },
  { get = \"/e\", headers = { Authorization = \"mine\" } },
]
[profiles]
only = { users = 1, hold = \"1s\" }
",
        |_, _| status(200, ""),
    );
    let seen: Vec<String> = (0..5).map(|nth| came.header(nth, "authorization").join(",")).collect();
    // `ann:p:1`
    assert_eq!(seen, ["Bearer none", "", "Basic YW5uOnA6MQ==", "Bearer t1", "mine"]);
}

#[test]
fn a_timeout_ends_the_whole_exchange() {
    let came =
        steps("- { get: /a, timeout: 2s }\n- { get: /b, timeout: { total: 500ms } }\n- get: /c")
            .with("defaults: { timeout: 3s }")
            .against(answers(10_000, 200, ""));
    assert_eq!(came.times(), [0, 2000, 2500]);
    assert_eq!((came.after, came.counts()), (MS(5500), (3, 0, 3, 0)));
    assert_eq!(came.failures(), [(throng::metrics::Failure::Fault(Fault::TotalTimeout), 3)]);
}

#[test]
fn redirects_and_connections_reach_the_wire() {
    let asked = |request_: &str| {
        let sent = request(request_).well().sent;
        (sent[0].redirects, sent[0].connection)
    };
    assert_eq!(asked("get: /"), (10, Use::Own));
    assert_eq!(asked("get: /\nredirects: 3"), (3, Use::Own));
    assert_eq!(asked("get: /\nredirects: off"), (0, Use::Own));
    assert_eq!(asked("get: /\nredirects: { at_most: 2, hosts: any }"), (2, Use::Own));
    assert_eq!(asked("get: /\nconnections: new"), (10, Use::New));
    let shared = request("get: /").with("connections: { shared: 50 }").well();
    assert_eq!((shared.sent[0].connection, shared.program.pool), (Use::Shared, Some(50)));
    let class = keys("connections: new\ntasks: { a: { get: /a, connections: own } , b: { get: /b } }\norder: sequence").well();
    assert_eq!((class.sent[0].connection, class.sent[1].connection), (Use::Own, Use::New));
}

#[test]
fn compressed_asks_for_it() {
    let came = steps("- { get: /a, compressed: true }\n- get: /b").well();
    assert_eq!(came.header(0, "accept-encoding"), ["gzip, deflate, br, zstd"]);
    assert_eq!(came.header(1, "accept-encoding"), Vec::<String>::new());
}

#[test]
fn a_retry_waits_longer_each_time_and_only_the_last_attempt_counts() {
    let came = twins(
        "users:
  U:
    wait: 9s
    tasks:
      all: { post: /a, json: { n: \"{{ counter('n') }}\" }, retry: { status: 503, times: 3, wait: 200ms, backoff: 2 } }
profiles: { only: { users: 1, hold: 5s } }
",
        "[users.U]
wait = \"9s\"
[users.U.tasks.all]
post = \"/a\"
json = { n = \"{{ counter('n') }}\" }
retry = { status = 503, times = 3, wait = \"200ms\", backoff = 2 }
[profiles]
only = { users = 1, hold = \"5s\" }
",
        |_, nth| Reply::new(MS(100), Ok(if nth < 3 { 503 } else { 200 })),
    );
    assert_eq!(came.times(), [0, 300, 800, 1700]);
    assert_eq!(
        came.bodies(),
        ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}"],
        "rendered again"
    );
    assert_eq!((came.counts(), came.total.retries), ((1, 1, 0, 0), 3));
    assert_eq!(came.total.all_names().response_ok.max_ms(), Some(100.0));
}

#[test]
fn a_retry_that_runs_out_fails_as_its_last_attempt_did() {
    let came = request("get: /a\nretry: { status: [503, 502], times: 2 }")
        .against(|_: &[u8], nth| status([503, 502, 503, 200][nth as usize], ""));
    assert_eq!((came.sent.len(), came.counts(), came.total.retries), (3, (1, 0, 1, 0), 2));
    assert_eq!(
        came.failure().0,
        came.program.catalogue.sentence(throng::metrics::Failure::Status(503))
    );
}

#[test]
fn a_retry_is_for_what_it_names() {
    let tried = |retry: &str, first: Result<u16, Fault>| {
        request(&format!("get: /a\nretry: {{ status: {retry}, times: 1 }}"))
            .against(move |_: &[u8], nth| Reply::new(MS(1), if nth == 0 { first } else { Ok(200) }))
            .total
            .retries
    };
    for (retry, first) in [
        ("503", Ok(503)),
        ("5xx", Ok(599)),
        ("[404, 5xx]", Ok(404)),
        ("connect", Err(Fault::ConnectRefused)),
        ("timeout", Err(Fault::TtfbTimeout)),
        ("reset", Err(Fault::HeadReset)),
        ("[503, reset]", Err(Fault::BodyTruncated)),
    ] {
        assert_eq!(tried(retry, first), 1, "{retry} after {first:?}");
    }
    for (retry, first) in [
        ("503", Ok(502)),
        ("5xx", Ok(404)),
        ("connect", Err(Fault::HeadReset)),
        ("timeout", Err(Fault::ConnectRefused)),
        ("reset", Ok(503)),
        ("[5xx, connect, timeout, reset]", Err(Fault::HeadInvalid)),
    ] {
        assert_eq!(tried(retry, first), 0, "{retry} after {first:?}");
    }
}

#[test]
fn first_is_done_before_each_further_attempt() {
    let plan = "flows:
  refresh: { steps: [ { post: /refresh, auth: none, retry: none, capture: { token: $.token } } ] }
users:
  U:
    wait: 1s
    defaults: { auth: { bearer: '{{ token }}' }, retry: { status: 401, times: 1, first: { call: refresh } } }
    on_start: [ { set: { token: old } } ]
    tasks: { me: { get: /me } }
profiles: { only: { users: 1, hold: 1s } }
";
    let toml = "[flows.refresh]
steps = [{ post = \"/refresh\", auth = \"none\", retry = \"none\", capture = { token = \"$.token\" } }]
[users.U]
wait = \"1s\"
defaults = { auth = { bearer = \"{{ token }}\" }, retry = { status = 401, times = 1, first = { call = \"refresh\" } } }
on_start = [{ set = { token = \"old\" } }]
tasks = { me = { get = \"/me\" } }
[profiles]
only = { users = 1, hold = \"1s\" }
";
    let came = twins(plan, toml, |bytes, _| {
        let text = String::from_utf8_lossy(bytes);
        if text.starts_with("POST") {
            status(200, r#"{"token":"new"}"#)
        } else {
            status(if text.contains("Bearer new") { 200 } else { 401 }, "")
        }
    });
    assert_eq!(came.way(), "/me /refresh /me");
    assert_eq!(came.header(2, "authorization"), ["Bearer new"]);
    assert_eq!((came.counts(), came.total.retries), ((2, 2, 0, 0), 1));
    // A refresh that fails for ever ends too.
    let dead = run(plan).against(|_: &[u8], _| status(401, ""));
    assert!(dead.sent.len() < 10, "{}", dead.way());
    dead.counts();
}

#[test]
fn a_retry_that_is_broken_off_is_counted_once() {
    let came =
        keys("tasks: { all: { get: /a, retry: { status: 503, times: 3, first: { fail: no } } } }")
            .against(answers(1, 503, ""));
    assert_eq!((came.sent.len(), came.counts(), came.total.retries), (1, (1, 0, 1, 0), 1));
    let cut = Run {
        grace: Some(MS(500)),
        iterations: None,
        ..run(&class(
            "tasks: { all: { get: /a, retry: { status: 503, times: 3, wait: 1h } } }",
            "{ users: 3, hold: 2s }",
        ))
    }
    .against(answers(1, 503, ""));
    let (issued, ..) = cut.counts();
    assert_eq!(issued, 3);
}

#[test]
fn on_fail_says_what_a_failure_ends() {
    let ends = |on_fail: &str| {
        let keys = format!(
            "wait: 1s\ntasks:\n  all:\n    steps:\n      - get: /a\n        on_fail: {on_fail}\n      - get: /b\non_stop: {{ get: /bye }}"
        );
        run(&class(&keys, "{ users: 2, hold: 1500ms }")).against(|bytes: &[u8], _| {
            status(if bytes.starts_with(b"GET /a") { 500 } else { 200 }, "")
        })
    };
    assert_eq!(ends("continue").way(), "/a /a /b /b /a /a /b /b /bye /bye");
    assert_eq!(ends("iteration").way(), "/a /a /a /a /bye /bye");
    let user = ends("user");
    assert_eq!((user.way().as_str(), user.after), ("/a /a /bye /bye", MS(2)));
    let run = ends("run");
    assert_eq!((run.way().as_str(), run.stops > 0), ("/a /a /bye /bye", true));
    for came in [user, run] {
        assert_eq!(came.counts(), (4, 2, 2, 0));
    }
}

#[test]
fn on_fail_may_be_a_default() {
    let came = steps("- get: /a\n- get: /never")
        .with("defaults: { on_fail: iteration, accept: 201 }")
        .well();
    assert_eq!(came.way(), "/a");
}

#[test]
fn what_is_not_recorded_is_sent_and_judged_but_in_no_table() {
    let came = steps("- { get: /a, record: off, capture: { x: $.x } }\n- { get: /b, record: off, accept: 201, on_fail: iteration }\n- get: /never")
        .against(answers(1, 200, r#"{"x":1}"#));
    assert_eq!(came.way(), "/a /b");
    assert_eq!((came.counts(), came.total.unrecorded), ((0, 0, 0, 0), 2));
    assert_eq!(came.names(), []);
}

#[test]
fn parts_of_a_timeout_are_merged_with_the_defaults() {
    let came = steps("- { get: /a, timeout: { connect: 2s, idle: 3s } }\n- get: /b")
        .with("defaults: { timeout: { first_byte: 4s, connect: 9s } }")
        .well();
    let limits: Vec<_> =
        came.program.classes[0].requests.iter().map(|request| request.limits).collect();
    assert_eq!(
        (limits[0].connect, limits[0].idle, limits[0].first_byte),
        (MS(2000), MS(3000), MS(4000))
    );
    assert_eq!(
        (limits[1].connect, limits[1].idle, limits[1].first_byte),
        (MS(9000), MS(10000), MS(4000))
    );
}

#[test]
fn after_a_fault_there_is_no_response_to_read() {
    let came = keys("wait: 1s\ntasks:\n  a:\n    steps:\n      - get: /a\n      - { when: response.status, get: /answered }\n      - { when: not response.status, get: /silent }\n      - { post: /b, json: '{{ response.status }}' }")
        .against(|bytes: &[u8], _| Reply::new(MS(1), if bytes.starts_with(b"GET /a ") { Err(Fault::HeadReset) } else { Ok(200) }));
    assert_eq!(came.way(), "/a /silent /b");
    let read = steps("- get: /a\n- { post: /never, json: '{{ response.status }}' }")
        .against(|_: &[u8], _| Reply::new(MS(1), Err(Fault::HeadReset)));
    assert_eq!((read.way().as_str(), read.exceptions().len()), ("/a", 1));
}

#[test]
fn a_request_of_the_first_steps_is_judged_by_its_last_attempt() {
    let came = keys(
        "on_start: { get: /login, retry: { status: 503, times: 2 } }\ntasks: { a: { get: /a } }",
    )
    .against(|_: &[u8], nth| status(if nth < 2 { 503 } else { 200 }, ""));
    assert_eq!((came.way().as_str(), came.total.not_started), ("/login /login /login /a", 0));
    let user = run(&class(
        "on_start: { get: /login, on_fail: user }\ntasks: { a: { get: /a } }",
        "{ users: 2, hold: 1h }",
    ))
    .against(answers(1, 401, ""));
    assert_eq!((user.way().as_str(), user.after), ("/login /login", MS(1)));
}

#[test]
fn the_pauses_of_a_retry_are_no_part_of_a_groups_time() {
    let came = steps("- group: g\n  do: { get: /a, retry: { status: 503, times: 2, wait: 1s } }")
        .against(|_: &[u8], nth| Reply::new(MS(100), Ok(if nth < 2 { 503 } else { 200 })));
    assert_eq!(came.groups(), [("g".into(), 1, 0, 300.0, 300.0)]);
}

#[test]
fn what_is_cut_in_a_retry_or_a_parallel_is_counted_once() {
    for (keys_, issued) in [
        ("tasks: { a: { get: /a, record: off, retry: { status: 503, times: 9, wait: 1h } } }", 0),
        (
            "tasks: { a: { steps: [ { parallel: [ { get: /a }, { get: /b }, { get: /c, retry: { status: 503, times: 9, wait: 1h } } ] } ] } }",
            6,
        ),
    ] {
        let came = Run { grace: Some(MS(100)), ..run(&class(keys_, "{ users: 2, hold: 1s }")) }
            .against(|bytes: &[u8], _| {
                Reply::new(MS(if bytes.starts_with(b"GET /b") { 50 } else { 1 }), Ok(503))
            });
        assert_eq!(came.counts().0, issued, "{keys_}");
        let slow = Run { grace: Some(MS(100)), ..run(&class(keys_, "{ users: 2, hold: 1s }")) }
            .against(answers(5000, 503, ""));
        assert_eq!(slow.counts(), (issued, 0, 0, issued), "{keys_}");
    }
}

/// Law 4: an answer that has come, and waits for another one to be judged, is cut with its user.
#[test]
fn what_is_answered_while_its_parallel_is_cut_is_counted_as_cut() {
    let plan = class(
        "tasks: { a: { steps: [ { parallel: [ { get: /a }, { get: /slow } ] } ] } }",
        "{ users: 1, hold: 1s }",
    );
    let came = Run { grace: Some(MS(100)), ..run(&plan) }.against(|bytes: &[u8], _| {
        Reply::new(MS(if bytes.starts_with(b"GET /slow") { 60_000 } else { 1 }), Ok(200))
    });
    assert_eq!(came.counts(), (2, 0, 0, 2));
}

/// Law 4: a request that could not connect has ended, also when its user is cut just then.
#[test]
fn a_user_that_is_cut_while_nothing_connects_leaves_nothing_uncounted() {
    let keys = "tasks: { a: { steps: [ { repeat: 1000000, do: { get: / } } ] } }";
    let plan = class(keys, "{ users: 3, hold: 1s }");
    let refused = |_: &[u8], nth: u64| Reply::new(MS(nth % 2), Err(Fault::ConnectRefused));
    let came = Run { grace: Some(MS(50)), ..run(&plan) }.against(refused);
    let (issued, succeeded, failed, cancelled) = came.counts();
    assert_eq!((issued, succeeded), (failed + cancelled, 0));
    assert!(failed > 100, "{failed}");
}

/// Steps before a retry inherit the defaults: they are not retried in that way themselves.
#[test]
fn what_is_done_before_a_retry_is_not_itself_retried_in_that_way() {
    let plan = "\
defaults:
  retry: { status: 401, times: 2, first: [ { post: /refresh } ] }
users: { A: { tasks: { a: { get: /me } } } }
profiles: { p: { users: 1, hold: 10m } }
";
    let came = Run { iterations: Some(1), ..run(plan) }.against(answers(1, 401, ""));
    assert_eq!(came.lines(), ["GET /me", "POST /refresh", "GET /me", "POST /refresh", "GET /me"]);
    assert_eq!(came.counts(), (3, 0, 3, 0));
}

/// A retry that is left over when an iteration is broken off does not reach into the next one.
#[test]
fn what_is_left_of_a_parallel_ends_with_its_iteration() {
    let keys = "\
wait: 1s
tasks:
  a:
    steps:
      - parallel:
          - { get: /a, on_fail: iteration, retry: { status: 503, times: 1 } }
          - { get: /b, retry: { status: 503, times: 1 } }
";
    let plan = class(keys, "{ users: 1, hold: 10m }");
    let came = Run { iterations: Some(2), ..run(&plan) }
        .against(|_: &[u8], nth| Reply::new(MS(1), Ok(if nth < 3 { 503 } else { 200 })));
    // The first iteration: both fail, `/a` again fails and ends it. The second: both are well.
    assert_eq!(came.lines().len(), 5, "{:?}", came.lines());
    assert_eq!(came.counts(), (4, 2, 2, 0));
}

#[test]
fn a_body_waits_for_the_server_when_its_headers_say_so() {
    let asks = |headers: &str| {
        let came = request(&format!("put: /a\nbody: text\nheaders: {{ {headers} }}")).well();
        came.program.classes[0].requests[0].continues
    };
    assert!(asks("Expect: 100-Continue"));
    assert!(!asks("x-expect: 100-continue"));
    assert!(!asks("expect: something"));
}
