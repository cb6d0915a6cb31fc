//! Evidence: which exchanges are kept, and what of them, under a paused clock.

use std::collections::BTreeMap;

use throng::metrics::{Body, Evidence, Exchange, Failure, Fault, Head, Shown};
use throng::protocol::fake::Reply;

use crate::run::{MS, Run, answers, class, run};

/// The path and the moment of each, in milliseconds.
fn told<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Vec<(String, u64)> {
    let one = |exchange: &Exchange| {
        let path = exchange.request.url.trim_start_matches("http://target.test");
        (path.to_owned(), exchange.mark.at_us / 1000)
    };
    exchanges.map(one).collect()
}

fn failed(evidence: &Evidence) -> Vec<(String, u64)> {
    told(evidence.failed())
}

fn slowest(evidence: &Evidence) -> Vec<u64> {
    evidence.slowest().map(|exchange| exchange.mark.response_us / 1000).collect()
}

fn lines(head: &Head) -> Vec<&str> {
    head.lines.iter().map(String::as_str).collect()
}

fn whole(text: &str) -> Body {
    Body { bytes: text.len() as u64, shown: Shown::Whole(text.to_owned()) }
}

const HOME: &str = "wait: 1s\ntasks: { home: { get: '/{{ user.iteration }}', name: home } }";

#[test]
fn the_first_failures_of_each_kind_are_kept_whatever_else_fails() {
    let script = |_: &[u8], nth: u64| {
        let status = [Ok(500), Ok(200), Err(Fault::HeadReset), Ok(500)][nth as usize % 4];
        Reply::new(MS(10), status)
    };
    let came = run(&class(HOME, "{ users: 1, hold: 30s }")).against(script);
    let kept = failed(&came.evidence);
    let at = |n: u64| (format!("/{n}"), n * 1010 + 10);
    // Faults stand before statuses, as the failures do.
    assert_eq!(kept, [2, 6, 10, 0, 3, 4].map(at));
    let failures = came.failures();
    let kinds: Vec<_> = failures.iter().map(|(failure, _)| *failure).collect();
    assert_eq!(kinds, [Failure::Fault(Fault::HeadReset), Failure::Status(500)]);
    assert_eq!(came.handed, 6 + 3, "what was kept once is not handed over again");
}

#[test]
fn what_is_kept_is_the_same_whatever_the_number_of_workers() {
    let keys = "wait: 1s\ntasks:\n  a: { get: '/{{ user.id }}', name: a }\n  b: { get: '/b{{ user.id }}', name: b }";
    let plan = class(keys, "{ users: 9, ramp: 4s, hold: 20s }");
    let script = |bytes: &[u8], _: u64| {
        // By the path alone: workers do not tell the script in the same order.
        let sum: u64 = bytes.iter().take(8).map(|byte| u64::from(*byte)).sum();
        let status = if sum.is_multiple_of(3) { 503 } else { 200 };
        Reply::new(MS(5 + sum % 17), Ok(status))
    };
    let one = run(&plan).against(script).evidence;
    assert!(one.failed().count() >= 4 && one.slowest().count() == 6);
    for workers in [2, 3, 7] {
        let evidence = Run { workers, ..run(&plan) }.against(script).evidence;
        assert!(evidence == one, "{workers} workers");
    }
}

#[test]
fn the_slowest_of_each_name_are_kept_and_few_are_handed_over() {
    let script = |_: &[u8], nth: u64| Reply::new(MS(1 + nth * 7919 % 1000), Ok(200));
    let came = run(&class(HOME, "{ users: 1, hold: 1500s }")).against(script);
    let mut all: Vec<u64> = (0..came.sent.len() as u64).map(|nth| 1 + nth * 7919 % 1000).collect();
    all.sort_unstable();
    all.reverse();
    assert!(all.len() > 900, "{}", all.len());
    assert_eq!(slowest(&came.evidence), all[..3]);
    assert!(came.handed < 40, "of {} exchanges {} were copied", all.len(), came.handed);
}

#[test]
fn a_request_is_kept_as_it_was_sent_and_an_answer_as_far_as_it_was_read() {
    let keys = "tasks:\n  a: { post: '/a?x=1', name: a, headers: { X-Own: '1' }, json: { n: [1] }, accept: 201 }";
    let script = |_: &[u8], nth: u64| match nth {
        0 => Reply::new(MS(3), Ok(500)).header("Server", "one").body("it broke"),
        1 => Reply::new(MS(3), Ok(200)).header("Server", "two").body("it is there"),
        2 => Reply::new(MS(3), Err(Fault::TtfbTimeout)),
        _ => Reply::new(MS(5), Ok(201)).body("made"),
    };
    let limited = Run { iterations: Some(4), ..run(&class(keys, "{ users: 1, hold: 9s }")) };
    let came = limited.against(script);
    let kept: Vec<_> = came.evidence.failed().chain(came.evidence.slowest()).collect();
    let [fault, refused, broke, slow] = kept[..] else { panic!("{kept:#?}") };
    for one in &kept {
        assert_eq!((&*one.request.method, &*one.request.url), ("POST", "http://target.test/a?x=1"));
        let agent = format!("User-Agent: throng/{}", env!("CARGO_PKG_VERSION"));
        let head = [
            "Host: target.test",
            &agent,
            "Accept: */*",
            "Content-Type: application/json",
            "X-Own: 1",
            "Content-Length: 9",
        ];
        assert_eq!(lines(&one.request.head), head);
        assert_eq!(one.request.body, whole(r#"{"n":[1]}"#));
        assert_eq!((&*one.class, one.mark.user, one.attempts, one.redirects), ("Someone", 1, 1, 0));
    }
    assert_eq!((&fault.answer, fault.service_us, fault.iteration), (&None, Some(3000), 2));
    let answer = broke.answer.as_ref().unwrap();
    assert_eq!((answer.status, &answer.body), (500, &whole("it broke")));
    assert_eq!(lines(answer.head.as_ref().unwrap()), ["Server: one"]);
    // Nothing was kept of an answer that no rule reads, unless its status tells of a failure.
    for (one, status, bytes) in [(refused, 200, 11), (slow, 201, 4)] {
        let answer = one.answer.as_ref().unwrap();
        assert_eq!((answer.status, &answer.head), (status, &None));
        assert_eq!(answer.body, Body { bytes, shown: Shown::NotKept });
    }
    assert_eq!((slow.mark.response_us, slow.mark.at_us, slow.iteration), (5000, 14_000, 3));
}

#[test]
fn what_rules_read_is_kept_of_any_answer() {
    let keys =
        "tasks:\n  a: { get: /, expect: [ { json: $.n, equals: 2 }, { header: x, equals: y } ] }";
    let script = |_: &[u8], _| Reply::new(MS(3), Ok(200)).header("x", "y").body(r#"{"n":1}"#);
    let came = Run { iterations: Some(1), ..run(&class(keys, "{ users: 1, hold: 9s }")) };
    let evidence = came.against(script).evidence;
    let one = evidence.failed().next().unwrap();
    let answer = one.answer.as_ref().unwrap();
    assert_eq!((one.seen.as_deref(), &answer.body), (Some("1"), &whole(r#"{"n":1}"#)));
    assert_eq!(lines(answer.head.as_ref().unwrap()), ["x: y"]);
}

#[test]
fn long_bodies_and_heads_are_cut_and_said_to_be() {
    let keys = "tasks:\n  a: { post: /, body: '{{ text }}', headers: { X-Long: '{{ text }}' } }";
    let plan = format!(
        "vars: {{ text: {} }}\n{}",
        "é".repeat(5000),
        class(keys, "{ users: 1, hold: 9s }")
    );
    let script =
        |_: &[u8], _| Reply::new(MS(3), Ok(500)).header("Server", "one").body(vec![b'x'; 5000]);
    let limited = Run { iterations: Some(1), ..run(&plan) };
    let evidence = limited.against(script).evidence;
    let one = evidence.failed().next().unwrap();
    let Body { bytes, shown: Shown::Beginning(sent) } = &one.request.body else {
        panic!("{one:#?}")
    };
    assert_eq!((*bytes, sent.len(), sent.chars().all(|c| c == 'é')), (10_000, 4096, true));
    assert!(
        one.request.head.cut
            && !lines(&one.request.head).iter().any(|line| line.contains("X-Long"))
    );
    let answer = one.answer.as_ref().unwrap();
    assert_eq!(answer.body, Body { bytes: 5000, shown: Shown::Beginning("x".repeat(4096)) });
    assert!(!answer.head.as_ref().unwrap().cut);
}

#[test]
fn what_is_no_text_is_told_by_its_size() {
    let keys = "tasks: { a: { get: / } }";
    let script = |_: &[u8], _| Reply::new(MS(3), Ok(500)).body(b"\x89PNG\0\xff".to_vec());
    let limited = Run { iterations: Some(1), ..run(&class(keys, "{ users: 1, hold: 9s }")) };
    let evidence = limited.against(script).evidence;
    let answer = evidence.failed().next().unwrap().answer.as_ref().unwrap();
    assert_eq!(answer.body, Body { bytes: 6, shown: Shown::NotText });
}

#[test]
fn a_request_that_was_sent_again_is_kept_once_as_its_last_attempt_came() {
    let keys = "tasks: { a: { get: /, retry: { status: 503, times: 2, wait: 1s } } }";
    let script =
        |_: &[u8], nth: u64| Reply::new(MS(3), Ok(503)).body(format!("attempt {}", nth + 1));
    let limited = Run { iterations: Some(1), ..run(&class(keys, "{ users: 1, hold: 9s }")) };
    let evidence = limited.against(script).evidence;
    let kept: Vec<_> = evidence.failed().collect();
    let [one] = kept[..] else { panic!("{kept:#?}") };
    assert_eq!((one.attempts, &one.answer.as_ref().unwrap().body), (3, &whole("attempt 3")));
}

#[test]
fn requests_that_are_sent_together_and_those_that_run_once_are_kept_too() {
    let plan = "\
before: [ { get: /before, expect: [ { time: < 1ms } ], on_fail: continue } ]
after: [ { get: /after } ]
users:
  A:
    tasks:
      a: { steps: [ { parallel: [ { get: /1 }, { get: /2 } ] }, { get: /hidden, record: off } ] }
profiles: { only: { users: 1, hold: 9s } }
";
    let script = |bytes: &[u8], _: u64| {
        let fails = bytes.starts_with(b"GET /after") || bytes.starts_with(b"GET /2");
        Reply::new(MS(3), Ok(if fails { 500 } else { 200 }))
    };
    let came = Run { iterations: Some(1), ..run(plan) }.against(script);
    assert_eq!(failed(&came.evidence), [("/2".to_owned(), 3)]);
    assert_eq!(told(came.evidence.slowest()), [("/1".to_owned(), 3)]);
    let secrets = throng::untrusted::Secrets::default();
    for (once, path, class) in
        [(came.before, "/before", "before"), (came.teardown, "/after", "after")]
    {
        let evidence = once.unwrap().evidence;
        let shown: Vec<_> = evidence.iter().map(|raw| raw.shown(&secrets, Vec::new())).collect();
        let [one] = &shown[..] else { panic!("{shown:#?}") };
        assert_eq!(
            (&*one.request.url, &*one.class),
            (&*format!("http://target.test{path}"), class)
        );
    }
}

#[test]
fn evidence_off_keeps_nothing_at_all() {
    let plan = class(HOME, "{ users: 2, hold: 5s }");
    let script = |_: &[u8], nth: u64| Reply::new(MS(10 + nth), Ok([200, 500][nth as usize % 2]));
    let on = run(&plan).against(script);
    assert!(on.handed > 0 && !on.evidence.is_empty());
    let explicit = run(&format!("evidence: on\n{plan}")).against(script);
    assert!(explicit.evidence == on.evidence);
    let off = run(&format!("evidence: off\n{plan}")).against(script);
    assert_eq!((off.handed, off.evidence.is_empty(), off.counts()), (0, true, on.counts()));
}

/// Law 8: everything is bounded. A run of many names keeps one of each, and no more than there is room for.
#[test]
fn many_names_share_what_may_be_kept() {
    let tasks: String = (0..150).map(|n| format!("  t{n}: {{ get: /{n} }}\n")).collect();
    let plan = class(&format!("order: sequence\ntasks:\n{tasks}"), "{ users: 1, hold: 9s }");
    let came = Run { iterations: Some(1), ..run(&plan) }.against(answers(1, 500, ""));
    assert_eq!(came.evidence.failed().count(), 100);
    let paths: Vec<_> = failed(&came.evidence).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, (0..100).map(|n| format!("/{n}")).collect::<Vec<_>>());
}

fn hidden(plan: &str, variables: &[(&str, &str)], script: fn(&[u8], u64) -> Reply) -> String {
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let came = Run { iterations: Some(2), variables, ..run(plan) }.against(script);
    let all: Vec<_> = came.evidence.failed().chain(came.evidence.slowest()).collect();
    assert!(!all.is_empty());
    serde_json::to_string(&all).unwrap()
}

/// Answers with all that it was sent.
fn echo(bytes: &[u8], nth: u64) -> Reply {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let status = if bytes.starts_with(b"POST /login") { 200 } else { 500 };
    let body = if status == 200 {
        r#"{"token":"tok-of-login-1"}"#.to_owned()
    } else {
        // Nothing in it says what it is: only who was told before can know.
        text.replace("token", "t")
            .replace("Authorization: Bearer", "saw")
            .replace("Cookie: ", "saw ")
    };
    let reply = Reply::new(MS(1 + nth), Ok(status)).body(body);
    reply
        .header("Set-Cookie", "session=sess-of-user-9; Path=/")
        .header("X-Seen", &text.replace("\r\n", " "))
}

#[test]
fn what_a_user_proves_who_it_is_with_is_hidden_wherever_a_server_says_it_again() {
    let plan = class(
        "tasks:\n  a:\n    steps:\n      - post: /login\n        json: { user: ann, password: pass-of-ann }\n        \
         capture: { token: $.token }\n      - get: /me?api_key=key-of-ann-1\n        \
         auth: { bearer: '{{ token }}' }\n        cookies: { sid: 'sid-of-ann-1' }\n        headers: { X-Api-Key: 'xkey-of-ann' }",
        "{ users: 1, hold: 9s }",
    );
    let text = hidden(&plan, &[], echo);
    for secret in [
        "tok-of-login-1",
        "pass-of-ann",
        "key-of-ann-1",
        "sid-of-ann-1",
        "xkey-of-ann",
        "sess-of-user-9",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for shown in ["saw ***", "ann", "sid=***", "session=***", "/me?api_key=***", "X-Api-Key: ***"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}

#[test]
fn rows_that_prove_something_are_hidden_and_the_rest_of_them_is_not() {
    let plan = format!(
        "data: {{ account: {{ values: [ {{ email: ann@x.test, pass: hunter2 }} ], per: user }} }}\n{}",
        class(
            "tasks: { a: { get: '/{{ account.email }}', name: a, auth: { basic: ['{{ account.email }}', '{{ account.pass }}'] } } }",
            "{ users: 1, hold: 9s }"
        )
    );
    let text = hidden(&plan, &[], |_, _| Reply::new(MS(1), Ok(500)).body("ann@x.test has hunter2"));
    assert!(text.contains("ann@x.test has ***"), "{text}");
    assert!(!text.contains("hunter2") && text.contains("Authorization: Basic ***"), "{text}");
}

#[test]
fn a_secret_at_a_cut_is_hidden_whole() {
    let plan = format!(
        "secrets: [KEY]\n{}",
        class("tasks: { a: { post: /, body: '{{ env.KEY }}' } }", "{ users: 1, hold: 9s }")
    );
    let script = |_: &[u8], nth: u64| {
        let before = 4096 - 5 - nth as usize;
        Reply::new(MS(1), Ok(500)).body(format!("{}s3cr3t-of-env", "x".repeat(before)))
    };
    let text = hidden(&plan, &[("KEY", "s3cr3t-of-env")], script);
    assert!(!text.contains("s3") && text.contains("xxx"), "{}", text.replace("xx", ""));
}

/// A grant, and then a failure that says it again, in a path, a body, a header and a line of the log.
const GRANTED: &str = "tasks:
  a:
    steps:
      - post: /grant
        name: grant
        capture: { grant: { json: $.grant, secret: true } }
      - post: '/use/{{ grant }}'
        name: use
        when: user.iteration >= from
        headers: { X-Note: '{{ grant }}' }
        json: { note: '{{ grant }}' }
        expect: [ { contains: never } ]
        capture: { grant: { json: $.next, secret: true } }
      - log: 'has {{ grant }}'
        when: user.iteration >= from";

fn granting(bytes: &[u8], nth: u64) -> Reply {
    let text = String::from_utf8_lossy(bytes).into_owned();
    if text.starts_with("POST /grant") {
        return Reply::new(MS(1), Ok(200)).body(format!(r#"{{"grant":"grant-{nth}-g"}}"#));
    }
    let said = serde_json::json!({ "next": format!("grant-{nth}-n"), "said": text }).to_string();
    Reply::new(MS(1), Ok(200)).header("X-Seen", &text.replace("\r\n", " ")).body(said)
}

#[test]
fn captured_secrets_are_hidden_however_many_there_are() {
    let plan = format!("vars: {{ from: 6000 }}\n{}", class(GRANTED, "{ users: 1, hold: 2h }"));
    let came = Run { iterations: Some(6_003), ..run(&plan) }.against(granting);
    let failed: Vec<_> = came.evidence.failed().collect();
    assert_eq!(failed.len(), 3, "{failed:#?}");
    let all: Vec<_> = came.evidence.failed().chain(came.evidence.slowest()).collect();
    let mut text = serde_json::to_string(&all).unwrap();
    text += &format!("{:?}{:?}", came.lines, came.total);
    let at = text.find("grant-").map(|at| &text[at.saturating_sub(300)..at + 20]);
    assert_eq!(at, None, "a secret is in clear");
    for shown in ["/use/***", "X-Note: ***", "has ***"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}

#[test]
fn what_is_too_much_to_be_hidden_is_not_shown() {
    let plan = "\
before: [ { get: /all, capture: { grants: { json: '$[*]', pick: all, secret: true } } } ]
users:
  A:
    tasks:
      a: { steps: [ { get: '/use/{{ grants[5999] }}', name: use }, { log: 'has {{ grants[5999] }}' } ] }
  B:
    tasks:
      b: { get: /other }
profiles: { only: { users: 2, hold: 3s } }
";
    let script = |bytes: &[u8], _: u64| {
        if bytes.starts_with(b"GET /all") {
            let all: Vec<_> = (0..6_000).map(|n| format!("grant-{n}-g")).collect();
            return Reply::new(MS(1), Ok(200)).body(serde_json::to_string(&all).unwrap());
        }
        Reply::new(MS(1), Ok(500)).body(bytes.to_vec())
    };
    let came = Run { iterations: Some(2), ..run(plan) }.against(script);
    let text = format!("{:?}{:?}", came.evidence, came.lines);
    assert!(!text.contains("grant-") && text.contains("***"), "{text}");
}
