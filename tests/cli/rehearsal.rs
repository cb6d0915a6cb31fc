//! `throng try`: each task once, with what is sent, what is answered, and what the rules make of it.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use super::support::{Folder, Said, answer, nothing, plan, said, server};

/// What differs from run to run is masked: ports, times, the hour.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        if let Some(at) = line.find("127.0.0.1:") {
            let port = at + "127.0.0.1:".len();
            let end = line[port..].find(|c: char| !c.is_ascii_digit());
            line.replace_range(port..end.map_or(line.len(), |end| port + end), "#");
        }
        if let Some(at) = line.find("date: ") {
            line.truncate(at + "date: ".len());
            line.push('#');
        }
        while let Some(end) =
            line.find(" ms").filter(|end| line[..*end].ends_with(|c: char| c.is_ascii_digit()))
        {
            let number = line[..end].rfind(' ').map_or(0, |space| space + 1);
            line.replace_range(number..end, "#");
        }
        out += &line;
        out.push('\n');
    }
    out
}

fn tried(folder: &Folder, arguments: &str) -> (i32, String, String) {
    let Said { code, out, err } = folder.throng(&format!("try {arguments}"));
    (code, masked(&out), err)
}

const GOOD: &str = r#"
name: Good
before: { get: /health }
users:
  Keeper:
    wait: 1s..3s
    on_start: { get: /todos/ }
    tasks:
      write:
        steps:
          - post: /todos/
            json: { title: milk }
            accept: 201
            expect: [ { json: $.title, equals: milk }, { size: < 1KB } ]
            capture: { ids: { json: $.id, push: true } }
          - wait: 1s..3s
          - get: /todos/{{ ids[0] }}
            name: /todos/{id}
            capture: { note: { json: $.note, default: none } }
      later: { when: note == 'some', get: /todos/ }
      alone: { weight: 0, get: /health }
      bold: { steps: [ { call: alone }, { log: "{{ note }}" } ] }
    on_stop: { delete: "/todos/{{ ids[0] }}", name: "/todos/{id}" }
profiles: { only: { users: 1, hold: 1s } }
"#;

#[test]
fn every_task_is_done_once_and_everything_is_shown() {
    let folder = Folder::new();
    folder.file("plan.yaml", GOOD);
    let (code, out, err) = tried(&folder, "plan.yaml --demo");
    assert_eq!((code, &*err), (0, ""));
    insta::assert_snapshot!(out, @r#"
    before
      GET /health  200 OK  # ms  15 B
        > GET /health HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 15
        < date: #
        <
        < {
        <   "status": "ok"
        < }
        ✓ accept below 400: 200

    class Keeper

    on_start
      GET /todos/  200 OK  # ms  2 B
        > GET /todos/ HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 2
        < date: #
        <
        < []
        ✓ accept below 400: 200

    task write
      POST /todos/  201 Created  # ms  60 B
        > POST /todos/ HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        > Content-Type: application/json
        > Content-Length: 16
        >
        > {
        >   "title": "milk"
        > }
        < 201 Created
        < content-type: application/json
        < content-length: 60
        < date: #
        <
        < {
        <   "id": 1,
        <   "title": "milk",
        <   "description": null,
        <   "completed": false
        < }
        ✓ accept 201: 201
        ✓ expect $.title equals milk: "milk"
        ✓ expect size < 1000 B: 60 B
        ✓ capture ids + 1 (from $.id)
      wait 1s..3s: skipped

      GET /todos/1  200 OK  # ms  60 B  as /todos/{id}
        > GET /todos/1 HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 60
        < date: #
        <
        < {
        <   "id": 1,
        <   "title": "milk",
        <   "description": null,
        <   "completed": false
        < }
        ✓ accept below 400: 200
        ✓ capture note = "none" (by default, nothing at $.note)

    task later
      left out: its `when` does not hold: note == 'some'

    task alone
      left out: its weight is 0: it runs where it is called

    task bold
      GET /health  200 OK  # ms  15 B
        > GET /health HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 15
        < date: #
        <
        < {
        <   "status": "ok"
        < }
        ✓ accept below 400: 200
      log: none

    on_stop
      DELETE /todos/1  204 No Content  # ms  0 B  as /todos/{id}
        > DELETE /todos/1 HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 204 No Content
        < date: #
        ✓ accept below 400: 204

    before  1 request  none failed
    Keeper  2 tasks  5 requests  none failed
      never ran: later (its `when` does not hold: note == 'some')
      never ran: alone (its weight is 0: it runs where it is called)
    "#);
}

const BAD: &str = r#"
name: Bad
users:
  Buyer:
    tasks:
      look:
        get: /todos/
        expect:
          - { that: response.status == 201, message: "it was {{ response.status }}" }
          - { json: $, length: 1.. }
        capture: { id: "$[0].id" }
      absent: { get: /nowhere, expect: { contains: x } }
      divides: { get: /health, expect: { that: response.size / 0 > 1 } }
      gives_up: { steps: [ { fail: "no {{ 1 + 1 }}" }, { get: / } ] }
      well: { get: /health }
profiles: { only: { users: 1, hold: 1s } }
"#;

#[test]
fn what_fails_is_explained_and_quiet_shows_nothing_else() {
    let folder = Folder::new();
    folder.file("plan.yaml", BAD).file("good.yaml", GOOD);
    let (code, out, _) = tried(&folder, "plan.yaml --demo --quiet");
    assert_eq!(code, 1);
    insta::assert_snapshot!(out, @r#"
    class Buyer

    task look
      GET /todos/  200 OK  # ms  2 B
        > GET /todos/ HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 2
        < date: #
        <
        < []
        ✓ accept below 400: 200
        ✗ expect response.status == 201: it was 200
        ✗ expect $ has a length of 1..: a length of 0
        ✗ capture id: nothing at $[0].id
          counted as: it was {{ response.status }} (it was 200)
      broken off here by the failure

    task absent
      GET /nowhere  404 Not Found  # ms  22 B
        > GET /nowhere HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 404 Not Found
        < content-type: application/json
        < content-length: 22
        < date: #
        <
        < {
        <   "detail": "Not Found"
        < }
        ✗ accept below 400: 404
        · expect body contains x: not looked at

    task divides
      GET /health  200 OK  # ms  15 B
        > GET /health HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 15
        < date: #
        <
        < {
        <   "status": "ok"
        < }
        ✓ accept below 400: 200
        ✗ expect response.size / 0 > 1: its expression failed
      ✗ `response.size / 0 > 1`: `/` by zero
      broken off here by the failure

    task gives_up
      ✗ fail: no 2
      broken off here by the failure

    Buyer  5 tasks  4 requests  3 failed  2 exceptions
    "#);
    assert_eq!(tried(&folder, "good.yaml --demo --quiet"), (0, String::new(), String::new()));
}

#[test]
fn one_task_is_tried_between_the_first_and_the_last_steps() {
    let folder = Folder::new();
    folder.file("plan.yaml", GOOD);
    let shown = |arguments: &str| {
        let (code, out, err) = tried(&folder, arguments);
        let headings = out.lines().filter(|line| !line.starts_with("    ") && !line.is_empty());
        (code, headings.collect::<Vec<_>>().join("\n"), err)
    };
    let (code, out, _) = shown("plan.yaml Keeper --demo --task alone");
    assert_eq!(code, 1, "the last steps have nothing to delete");
    insta::assert_snapshot!(out, @r"
    before
      GET /health  200 OK  # ms  15 B
    class Keeper
    on_start
      GET /todos/  200 OK  # ms  2 B
    task alone
      GET /health  200 OK  # ms  15 B
    on_stop
      ✗ `ids[0]` has no value
      broken off here by the failure
    before  1 request  none failed
    Keeper  1 task  2 requests  none failed  1 exception
    ");
    let (code, out, _) = shown("plan.yaml --demo --task later");
    assert_eq!(code, 1, "what was asked for and cannot be done is no success");
    assert!(out.contains("never ran: later (its `when` does not hold: note == 'some')"), "{out}");
    let (code, out, err) = shown("plan.yaml --demo --task wite");
    assert_eq!((code, &*out), (2, ""));
    insta::assert_snapshot!(err, @r"
    error: the plan has no task `wite`
     |
     = help: did you mean `write`?

    1 error
    ");
}

#[test]
fn without_a_plan_the_demo_tries_its_own() {
    let (code, out, err) = tried(&Folder::new(), "--demo --quiet");
    assert_eq!((code, out, err), (0, String::new(), String::new()));
    let sample = plan("todo.yaml");
    let (code, out, _) = tried(&Folder::new(), &format!("{sample} StressTestUser --demo"));
    assert_eq!(code, 0);
    assert!(out.contains(" B more\n"), "a long body is cut: {out}");
    let (_, out, _) = tried(&Folder::new(), &format!("{sample} StressTestUser --demo --full"));
    assert!(!out.contains(" B more\n"), "{out}");
}

const LEFT_OUT: &str = r#"
flows:
  sign_in: { when: token != '', steps: [ { get: /health } ] }
users:
  Buyer:
    tasks:
      never: { chance: 0%, get: /health }
      ways:
        steps:
          - set: { token: '', seen: false, ids: [], rounds: 0 }
          - { when: token != '', get: /todos/, name: list }
          - { chance: 0%, group: pay, do: [ { get: /health } ] }
          - call: sign_in
          - if: seen
            then: { log: seen }
          - if: seen
            then: { log: seen }
            else: { log: not seen }
          - if: not seen
            then: { log: not seen }
            else: { log: seen }
          - repeat: "{{ rounds }}"
            do: { log: round }
          - for: id
            in: ids
            do: { log: "{{ id }}" }
          - while: rounds > 0
            do: { log: round }
            at_most: 3
          - while: rounds < 2
            do: [ { set: { rounds: "{{ rounds + 1 }}" } }, { when: rounds == 1, log: first } ]
            at_most: 3
          - choose:
              - { weight: 0, do: { log: never } }
              - { weight: 3, do: { log: always } }
profiles: { only: { users: 1, hold: 1s } }
"#;

#[test]
fn what_is_left_out_is_told_where_it_stands() {
    let folder = Folder::new();
    folder.file("plan.yaml", LEFT_OUT);
    let (code, out, err) = tried(&folder, "plan.yaml --demo");
    assert_eq!((code, &*err), (0, ""));
    insta::assert_snapshot!(out, @r"
    class Buyer

    task never
      plan.yaml:7: task never left out by `chance: 0%`

    task ways
      plan.yaml:11: GET list left out: `when: token != ''` does not hold
      plan.yaml:12: group pay left out by `chance: 0%`
      plan.yaml:3: sign_in left out: `when: token != ''` does not hold
      plan.yaml:14: `if: seen` does not hold: left out
      plan.yaml:16: `if: seen` does not hold: `else` is done
      log: not seen
      plan.yaml:19: `if: not seen` holds: `else` left out
      log: not seen
      plan.yaml:22: `repeat: 0`: left out
      plan.yaml:24: `for: id` has no items: left out
      plan.yaml:27: `while: rounds > 0` does not hold: left out
      log: first
      plan.yaml:31: log left out: `when: rounds == 1` does not hold
      plan.yaml:33: `choose`: branch 2 of 2 is done, by weight
      log: always

    Buyer  1 task  0 requests  none failed
      never ran: never (left out by `chance: 0%`)
    ");
    assert_eq!(tried(&folder, "plan.yaml --demo --quiet"), (0, String::new(), String::new()));
}

/// Answers with what it must not show, in every place.
const LEAKS: &str = "HTTP/1.1 200 OK\r\nSet-Cookie: session=c00kie-value; Path=/\r\nX-Echo: s3cr3t-value\r\n\
                     Location: /a?page=2&access_token=qu3ry-value\r\nContent-Type: application/json\r\n\
                     Content-Length: 95\r\n\r\n";

#[test]
fn no_secret_is_shown_wherever_it_stands() {
    let body = format!(
        "{:<95}",
        r#"{"said": "s3cr3t-value", "token": "captur3d", "echo": "b3ar3r-value", "key": "k3y-value"}"#
    );
    let server = server(move |_| Some(format!("{LEAKS}{body}")));
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        r#"
secrets: [SAID]
users:
  A:
    tasks:
      one:
        steps:
          - post: /a?q={{ env.SAID }}&sig=s1gnatur3
            headers: { x-said: "{{ env.SAID }}", X-Api-Key: "{{ env.KEY }}" }
            auth: { bearer: "{{ env.BEARER }}" }
            json: { a: "{{ env.SAID }}", password: passw0rd-value }
            expect: [ { json: $.said, equals: "{{ env.SAID }}x" } ]
            capture: { token: { json: $.token, secret: true } }
          - post: /b
            form: { password: passw0rd-value, said: "{{ env.SAID }}", token: "{{ token }}" }
            capture: { mine: $.token }
          - log: "{{ env.SAID }} {{ token }}"
          - get: /c/{{ token }}
            cookies: { own: "c00kie-value" }
            capture: { later: $.said }
          - fail: "with {{ mine }} {{ later }}"
profiles: { only: { users: 1, hold: 1s } }
"#,
    );
    let secrets = [("SAID", "s3cr3t-value"), ("KEY", "k3y-value"), ("BEARER", "b3ar3r-value")];
    let arguments = format!("try plan.yaml --target http://{}", server.address);
    let output = folder.command(&arguments).envs(secrets).output().unwrap();
    let Said { code, out, err } = said(output);
    assert_eq!((code, &*err), (1, ""));
    let hidden = ["s1gnatur3", "passw0rd-value", "captur3d", "c00kie-value", "qu3ry-value"];
    for secret in secrets.map(|(_, value)| value).into_iter().chain(hidden) {
        assert!(!out.contains(secret), "{secret} is shown:\n{out}");
    }
    insta::assert_snapshot!(masked(&out), @r#"
    class A

    task one
      POST /a?q=***&sig=***  200 OK  # ms  95 B  as /a?q={{ env.SAID }}&sig=***
        > POST /a?q=***&sig=*** HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        > Content-Type: application/json
        > Authorization: Bearer ***
        > x-said: ***
        > X-Api-Key: ***
        > Content-Length: 48
        >
        > {
        >   "a": "***",
        >   "password": "***"
        > }
        < 200 OK
        < Set-Cookie: session=***; Path=/
        < X-Echo: ***
        < Location: /a?page=2&access_token=***
        < Content-Type: application/json
        < Content-Length: 95
        <
        < {
        <   "said": "***",
        <   "token": "***",
        <   "echo": "***",
        <   "key": "***"
        < }
        ✓ accept below 400: 200
        ✗ expect $.said equals {{ env.SAID }}x: "***"
        ✓ capture token = *** (from $.token)

      POST /b  200 OK  # ms  95 B
        > POST /b HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        > Content-Type: application/x-www-form-urlencoded
        > Content-Length: 56
        > Cookie: session=***
        >
        > password=***&said=***&token=***
        < 200 OK
        < Set-Cookie: session=***; Path=/
        < X-Echo: ***
        < Location: /a?page=2&access_token=***
        < Content-Type: application/json
        < Content-Length: 95
        <
        < {
        <   "said": "***",
        <   "token": "***",
        <   "echo": "***",
        <   "key": "***"
        < }
        ✓ accept below 400: 200
        ✓ capture mine = "***" (from $.token)
      log: *** ***

      GET /c/***  200 OK  # ms  95 B  as /c/{{ token }}
        > GET /c/*** HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        > Cookie: own=***; session=***
        < 200 OK
        < Set-Cookie: session=***; Path=/
        < X-Echo: ***
        < Location: /a?page=2&access_token=***
        < Content-Type: application/json
        < Content-Length: 95
        <
        < {
        <   "said": "***",
        <   "token": "***",
        <   "echo": "***",
        <   "key": "***"
        < }
        ✓ accept below 400: 200
        ✓ capture later = "***" (from $.said)
      ✗ fail: with *** ***
      broken off here by the failure

    A  1 task  3 requests  1 failed  1 exception
    "#);
}

#[test]
fn redirects_and_retries_are_told() {
    let server = server(|nth| {
        Some(match nth {
            0 => answer(503, ""),
            1 => "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n".to_owned(),
            _ => answer(200, "b\u{1b}[31m"),
        })
    });
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { A: { tasks: { one: { get: /a, retry: { status: 503, times: 1, wait: 1ms } } } } }\n\
         profiles: { only: { users: 1, hold: 1s } }\n",
    );
    let (code, out, err) = tried(&folder, &format!("plan.yaml -H http://{}", server.address));
    assert_eq!((code, &*err), (0, ""));
    insta::assert_snapshot!(out, @r"
    class A

    task one
      GET /a: 503 Service Unavailable, sent again
      GET /a  200 OK  # ms  6 B
        > GET /a HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        1 redirect was followed; the last answer:
        < 200 OK
        < Content-Length: 6
        <
        < b␛[31m
        ✓ accept below 400: 200

    A  1 task  1 request  none failed
    ");
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let folder = Folder::new();
    folder
        .file("plan.yaml", GOOD)
        .file("wrong.yaml", "users: { A: { tasks: { t: { gte: / } } } }\n")
        .file(
            "before.yaml",
            &GOOD.replace("before: { get: /health }", "before: { get: /nowhere }"),
        );
    let code = |arguments: &str| folder.throng(&format!("try {arguments}")).code;
    assert_eq!(code("wrong.yaml --demo"), 2);
    assert_eq!(code("absent.yaml --demo"), 2);
    assert_eq!(code("plan.yaml Nobody --demo"), 2);
    assert_eq!(code("plan.yaml"), 2, "no target");
    assert_eq!(code("http://127.0.0.1:9/"), 2);
    assert_eq!(code(""), 2);
    assert_eq!(code(&format!("plan.yaml -H http://{}", nothing())), 4);
    let (code, out, err) = tried(&folder, "before.yaml --demo");
    assert_eq!((code, &*err), (4, "error: `before` failed: no user was started\n"));
    assert!(!out.contains("class Keeper"), "{out}");
}

#[test]
fn stopping_it_still_does_what_is_to_be_done_at_the_end() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "after: { get: /after }\n\
         users: { A: { tasks: { one: { steps: [ { get: /a }, { wait: 1h } ] } } } }\n\
         profiles: { only: { users: 1, hold: 1s } }\n",
    );
    let mut command =
        folder.command(&format!("try plan.yaml --waits -H http://{}", server.address));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    server.asked.recv().unwrap();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let Said { code, out, err } = said(child.wait_with_output().unwrap());
    assert_eq!((code, &*err), (130, "stopped by Ctrl-C: the rest was not rehearsed\n"));
    assert!(out.contains("\nafter\n  GET /after  200 OK"), "{out}");
}

/// What the program shows on a terminal of so many columns, without colours.
fn on_a_terminal(folder: &Folder, arguments: &str, columns: u16) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&control).unwrap();
    unlockpt(&control).unwrap();
    let name = ptsname(&control, Vec::new()).unwrap().into_string().unwrap();
    let screen = File::options().read(true).write(true).open(name).unwrap();
    let size = rustix::termios::Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&screen, size).unwrap();
    let mut command = folder.command(arguments);
    let mut child =
        command.env("NO_COLOR", "1").stdout(screen).stderr(Stdio::null()).spawn().unwrap();
    // With it goes this process's end of the screen: the program's alone is left.
    drop(command);
    let mut shown = Vec::new();
    // That the program closes its end is told as an error here.
    let _ = File::from(control).read_to_end(&mut shown);
    child.wait().unwrap();
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    let folder = Folder::new();
    folder.file("plan.yaml", BAD);
    for columns in [30, 40, 80] {
        let shown = on_a_terminal(&folder, "try plan.yaml --demo", columns);
        let widest = shown.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()) && widest > Some(25), "{shown}");
    }
    let shown = masked(&on_a_terminal(&folder, "try plan.yaml --demo --quiet --task look", 46));
    insta::assert_snapshot!(shown, @r"
    class Buyer

    task look
      GET /todos/  200 OK  # ms  2 B
        > GET /todos/ HTTP/1.1
        > Host: 127.0.0.1:#
        > User-Agent: throng/0.1.0
        > Accept: */*
        < 200 OK
        < content-type: application/json
        < content-length: 2
        < date: #
        <
        < []
        ✓ accept below 400: 200
        ✗ expect response.status == 201: it was
          200
        ✗ expect $ has a length of 1..: a length
          of 0
        ✗ capture id: nothing at $[0].id
          counted as: it was {{ response.status }}
          (it was 200)
      broken off here by the failure

    Buyer  1 task  1 request  1 failed
    ");
}
