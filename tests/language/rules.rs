//! Accept, expect, capture: what is a success, what is said of a failure, what is kept.

use throng::metrics::Failure;
use throng::protocol::fake::Reply;

use crate::support::*;

/// Which of these status codes are a success.
fn accepted(accept: &str, codes: &[u16]) -> Vec<u16> {
    let passes = |code: u16| {
        let accept = if accept.is_empty() { String::new() } else { format!("\naccept: {accept}") };
        request(&format!("get: /a{accept}\nredirects: off"))
            .against(answers(1, code, ""))
            .counts()
            .1
            == 1
    };
    codes.iter().copied().filter(|code| passes(*code)).collect()
}

#[test]
fn accept_says_which_status_codes_are_a_success() {
    let codes = [200, 201, 204, 299, 301, 399, 400, 404, 500, 599];
    for (accept, want) in [
        ("", &[200, 201, 204, 299, 301, 399][..]),
        ("201", &[201]),
        ("2xx", &[200, 201, 204, 299]),
        ("200..204", &[200, 201, 204]),
        ("[200, 404]", &[200, 404]),
        ("[2xx, 400..404]", &[200, 201, 204, 299, 400, 404]),
        ("any", &codes),
        ("[2xx, { status: 404, because: already deleted }]", &[200, 201, 204, 299, 404]),
        ("[{ status: [200, 404], because: fine }, { status: 2xx, fail: not that }]", &[200, 404]),
        ("[{ status: 404, fail: gone }, any]", &[200, 201, 204, 299, 301, 399, 400, 500, 599]),
    ] {
        assert_eq!(accepted(accept, &codes), want, "{accept}");
    }
}

#[test]
fn a_status_that_is_not_accepted_is_said() {
    let came = request("get: /a").against(answers(1, 503, ""));
    assert_eq!(came.failures(), [(Failure::Status(503), 1)]);
}

#[test]
fn a_failing_rule_is_grouped_by_its_message_as_written_and_shows_one() {
    let came = keys("wait: 1s\ntasks:\n  all:\n    get: /a\n    accept:\n      - 2xx\n      - { status: 5xx, fail: 'server broke on {{ user.iteration }}' }\n      - { status: 404, fail: gone }")
        .times(4)
        .against(|_: &[u8], nth| status([500, 502, 404, 200][nth as usize], ""));
    let failed = came.failed();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert_eq!((failed[0].1, failed[1].1), (2, 1));
    assert!(failed[0].0.contains("server broke on {{ user.iteration }}"), "{failed:?}");
    assert_eq!(failed[0].2, ["server broke on 0", "server broke on 1"]);
    assert!(failed[1].0.contains("gone"), "{failed:?}");
}

const BODY: &str = r#"{"n":3,"f":2.5,"s":"Todo list","l":[1,"a",{"k":true}],"m":{"a":1,"b":2},"none":null,"yes":true,"empty":""}"#;

fn answer(bytes: &[u8], _: u64) -> Reply {
    if bytes.starts_with(b"GET /html") {
        return status(
            200,
            "<html><body><h1 class='big'>Hello</h1><input name='csrf' value='t0k'></body></html>",
        );
    }
    status(200, BODY)
        .header("Content-Type", "application/json")
        .header("X-N", "3")
        .header("Set-Cookie", "sid=abc; Path=/")
}

fn judged(path: &str, expect: &str) -> Came {
    request(&format!("get: {path}\nexpect: {{ {expect} }}")).against(answer)
}

#[test]
fn every_source_and_matcher_that_holds() {
    for expect in [
        "json: $.n, equals: 3",
        "json: $.n, equals: 3.0",
        "json: $.n, not_equals: 4",
        "json: $.n, between: 1..10",
        "json: $.n, between: 3",
        "json: $.f, between: ..2.5",
        "json: $.n, one_of: [1, 2, 3]",
        "json: $.n, matches: '^[0-9]$'",
        "json: $.s, contains: Todo",
        "json: $.s, not_contains: error",
        "json: $.s, length: 9",
        "json: $.l, length: 1..",
        "json: $.l, length: ..3",
        "json: $.l, contains: a",
        "json: $.l, contains: '{{ 1 }}'",
        "json: $.l, equals: [1, a, { k: true }]",
        "json: $.m, equals: { b: 2, a: 1 }",
        "json: $.m, length: 2",
        "json: $.m, contains: a",
        "json: $.yes, equals: true",
        "json: $.none, equals: null",
        "json: $.none, exists: true",
        "json: $.empty, length: 0",
        "json: $.absent, exists: false",
        "json: $.absent, not_equals: 1",
        "json: '$.l[*]', equals: 1",
        "header: content-type, contains: json",
        "header: X-N, equals: 3",
        "header: x-n, equals: '3'",
        "header: x-n, between: 1..5",
        "header: x-absent, exists: false",
        "cookie: sid, equals: abc",
        "cookie: other, exists: false",
        "regex: '\"n\":([0-9])', equals: 3",
        "regex: nope, exists: false",
        "contains: Todo",
        "not_contains: Error",
        "matches: 'T.do'",
        "length: 10..1000",
        "body: true, contains: list",
        "time: < 500ms",
        "time: '>= 1ms'",
        "size: < 10KB",
        "that: response.json.n > 2",
        "that: \"response.status == 200 and response.headers['x-n'] == '3' and response.size > 5 and response.time_ms < 100\"",
        "json: $.n, equals: '{{ response.status - 197 }}'",
    ] {
        let came = judged("/json", expect);
        assert_eq!(
            came.counts(),
            (1, 1, 0, 0),
            "{expect}: {:?} {:?}",
            came.failed(),
            came.exceptions()
        );
    }
    for expect in [
        "css: h1, equals: Hello",
        "css: 'h1.big', matches: ^H",
        "css: 'input[name=csrf]', attr: value, equals: t0k",
        "css: h2, exists: false",
    ] {
        let came = judged("/html", expect);
        assert_eq!(came.counts(), (1, 1, 0, 0), "{expect}: {:?}", came.failed());
    }
}

#[test]
fn every_source_and_matcher_that_breaks_says_what_was_seen() {
    for (expect, sentence, seen) in [
        ("json: $.n, equals: 4", "expect: $.n equals 4", "3"),
        ("json: $.n, not_equals: 3", "expect: $.n does not equal 3", "3"),
        ("json: $.s, equals: x", "expect: $.s equals x", "\"Todo list\""),
        ("json: $.n, equals: '3'", "expect: $.n equals \"3\"", "3"),
        ("json: $.absent, equals: 1", "expect: $.absent equals 1", "nothing"),
        ("json: $.n, exists: false", "expect: $.n does not exist", "3"),
        ("json: $.absent, exists: true", "expect: $.absent exists", "nothing"),
        ("json: $.l, length: 4..", "expect: $.l has a length of 4..", "a length of 3"),
        ("json: $.n, between: 4..9", "expect: $.n is within 4..9", "3"),
        ("json: $.n, one_of: [1, 2]", "expect: $.n is one of 1, 2", "3"),
        ("json: $.l, contains: z", "expect: $.l contains z", "[1,\"a\",{\"k\":true}]"),
        ("json: $.s, not_contains: Todo", "expect: $.s does not contain Todo", "\"Todo list\""),
        ("json: $.s, matches: '^x'", "expect: $.s matches ^x", "\"Todo list\""),
        ("json: $.s, equals: ''", "expect: $.s equals \"\"", "\"Todo list\""),
        ("header: x-n, equals: 4", "expect: header x-n equals 4", "\"3\""),
        ("header: x-absent, contains: a", "expect: header x-absent contains a", "nothing"),
        ("cookie: sid, equals: x", "expect: cookie sid equals x", "\"abc\""),
        ("size: < 10B", "expect: size < 10 B", "106 B"),
        ("time: < 1ms", "expect: time < 1ms", "about 0 ms"),
        ("that: response.json.n > 5", "expect: response.json.n > 5", ""),
        (
            "json: $.n, equals: 4, message: 'only {{ response.json.n }}'",
            "only {{ response.json.n }}",
            "only 3",
        ),
        ("json: $.n, equals: 4, message: no luck", "no luck", "3"),
    ] {
        let came = judged("/json", expect);
        assert_eq!(came.counts(), (1, 0, 1, 0), "{expect}");
        assert_eq!(came.failure(), (sentence.to_owned(), seen.to_owned()), "{expect}");
    }
}

#[test]
fn a_body_that_is_no_json_is_told_apart() {
    let came = judged("/html", "json: $.n, equals: 3");
    assert!(came.failure().0.contains("no JSON"), "{:?}", came.failure());
    let empty =
        request("get: /\nexpect: { json: $.errors, exists: false }").against(answers(1, 200, ""));
    assert_eq!(empty.counts(), (1, 1, 0, 0), "an empty body has no such value");
}

#[test]
fn of_several_broken_expects_the_first_is_the_failure() {
    let came = request("get: /json\nexpect:\n  - { json: $.n, equals: 3 }\n  - { json: $.n, equals: 4 }\n  - { json: $.n, equals: 5 }").against(answer);
    assert_eq!(came.failure().0, "expect: $.n equals 4");
}

/// What a capture came to, as JSON.
fn captured(path: &str, capture: &str) -> String {
    let came = steps(&format!(
        "- get: {path}\n  capture: {{ x: {capture} }}\n- post: /out\n  json: '{{{{ x }}}}'"
    ))
    .against(answer);
    assert_eq!(came.sent.len(), 2, "{capture}: {:?} {:?}", came.failed(), came.exceptions());
    came.body(1)
}

#[test]
fn every_source_can_be_captured() {
    for (capture, want) in [
        ("$.n", "3"),
        ("$.l", r#"[1,"a",{"k":true}]"#),
        ("'$.l[*]'", "1"),
        ("'{{ response.status }}'", "200"),
        ("'n {{ response.json.n }}'", "\"n 3\""),
        ("{ json: '$.l[*]', pick: first }", "1"),
        ("{ json: '$.l[*]', pick: last }", r#"{"k":true}"#),
        ("{ json: '$.l[*]', pick: all }", r#"[1,"a",{"k":true}]"#),
        ("{ header: x-n }", "\"3\""),
        ("{ cookie: sid }", "\"abc\""),
        ("{ regex: '\"n\":([0-9])' }", "\"3\""),
        ("{ regex: '\"([a-z])\":', pick: last }", "\"b\""),
        ("{ value: '{{ response.json.n + 1 }}' }", "4"),
        ("{ json: $.absent, default: 5 }", "5"),
        ("{ json: $.absent, default: null }", "null"),
        ("{ json: $.absent, default: '{{ response.status }}' }", "200"),
        ("{ header: x-absent, default: [] }", "[]"),
        ("{ json: $.n, default: 5 }", "3"),
        ("{ json: $.n, push: true }", "[3]"),
        ("{ json: '$.l[*]', pick: all, push: true }", r#"[1,"a",{"k":true}]"#),
        ("{ json: $.none }", "null"),
    ] {
        assert_eq!(captured("/json", capture), want, "{capture}");
    }
    for (capture, want) in [
        ("{ css: h1 }", "\"Hello\""),
        ("{ css: 'input[name=csrf]', attr: value }", "\"t0k\""),
        ("{ css: h2, default: none }", "\"none\""),
    ] {
        assert_eq!(captured("/html", capture), want, "{capture}");
    }
}

#[test]
fn pick_random_takes_any_of_the_matches() {
    let came = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - { get: /a, capture: { id: { json: '$.ids[*]', pick: random } } }\n      - { get: '/{{ id }}', name: id }")
        .times(90)
        .against(answers(1, 200, r#"{"ids":["x","y","z"]}"#));
    for path in ["/x", "/y", "/z"] {
        let count = came.paths().iter().filter(|known| *known == path).count();
        assert!((15..50).contains(&count), "{path}: {count}");
    }
}

#[test]
fn push_keeps_a_list_over_iterations() {
    let came = twins(
        "users:
  U:
    wait: 1s
    order: sequence
    tasks:
      make: { post: /a, accept: 201, capture: { ids: { json: $.id, push: true } } }
      use: { when: ids | length > 1, post: /b, json: { ids: '{{ ids }}' }, accept: 201 }
profiles: { only: { users: 1, hold: 5s } }
",
        "[users.U]
wait = \"1s\"
order = \"sequence\"
[users.U.tasks.make]
post = \"/a\"
accept = 201
capture = { ids = { json = \"$.id\", push = true } }
[users.U.tasks.use]
when = \"ids | length > 1\"
post = \"/b\"
json = { ids = \"{{ ids }}\" }
accept = 201
[profiles.only]
users = 1
hold = \"5s\"
",
        |_, nth| status(201, &format!("{{\"id\":{nth}}}")),
    );
    assert_eq!(came.way(), "/a /a /b /a /b");
    assert_eq!(
        (came.body(2), came.body(4)),
        (r#"{"ids":[0,1]}"#.into(), r#"{"ids":[0,1,3]}"#.into())
    );
}

#[test]
fn a_default_covers_no_match_and_an_empty_body_but_no_broken_json() {
    let kept = |body: &str| {
        let came = steps("- get: /a\n  capture: { x: { json: $.x, default: d } }\n- { get: '/{{ x }}', name: x }").against(answers(1, 200, body));
        (came.way(), came.counts().2)
    };
    assert_eq!(kept(r#"{"x":"v"}"#), ("/a /v".into(), 0));
    assert_eq!(kept("{}"), ("/a /d".into(), 0));
    assert_eq!(kept(""), ("/a /d".into(), 0));
    assert_eq!(kept("<html>"), ("/a".into(), 1));
}

#[test]
fn a_capture_without_a_match_unsets_all_of_its_request_and_ends_the_iteration() {
    let came = keys("wait: 1s\norder: sequence\ntasks:\n  all:\n    steps:\n      - { get: /a, capture: { x: $.x, y: $.y } }\n      - { get: '/{{ x }}{{ y }}', name: xy }\n  later: { get: '/later', when: 'x or y' }\n  seen: { get: '/seen', when: 'not x and not y' }")
        .times(2)
        .against(|_: &[u8], nth| status(200, if nth == 0 || nth == 1 { r#"{"x":1,"y":2}"# } else { r#"{"x":3}"# }));
    assert_eq!(came.way(), "/a /12 /later /a");
    assert_eq!(came.failure().0, "capture: y: nothing at $.y");
    let after = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - { when: 'x or y', get: /known }\n      - { get: /a, capture: { x: $.x, y: $.y } }")
        .times(3)
        .against(|_: &[u8], nth| status(200, if nth == 0 { r#"{"x":1,"y":2}"# } else { r#"{"x":3}"# }));
    assert_eq!(after.way(), "/a /known /a /a");
}

#[test]
fn a_secret_capture_is_hidden_in_what_is_written() {
    let came = steps("- { get: /a, capture: { token: { json: $.t, secret: true } } }\n- log: 'the token is {{ token }}'\n- { get: '/{{ token }}', name: t }\n- { get: /b, expect: { json: $.t, equals: x } }")
        .against(answers(1, 200, r#"{"t":"sesame-open"}"#));
    assert_eq!(came.paths()[1], "/sesame-open", "it is sent");
    assert!(
        came.lines[0].starts_with("the token is ") && !came.lines[0].contains("sesame"),
        "{:?}",
        came.lines
    );
    assert!(!came.failure().1.contains("sesame"), "{:?}", came.failure());
}

#[test]
fn a_rule_whose_expression_fails_fails_the_request_too() {
    let came = request("get: /json\nexpect: { that: response.json.s + 1 > 2 }").against(answer);
    assert_eq!((came.counts(), came.exceptions().len()), ((1, 0, 1, 0), 1));
}
