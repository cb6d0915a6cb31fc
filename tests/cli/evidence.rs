//! The exchanges that results show whole.

use super::secured::{LOAD, secured};
use super::support::{Folder, answer, server};

const PLAN: &str = "\
users:
  One:
    order: sequence
    tasks:
      good: { get: '/good?page=1', headers: { Authorization: Bearer very-secret-token } }
      bad:
        post: /bad
        name: bad
        json: { password: pass-of-ann, note: 'his {{ user.id }}' }
";

/// The time that a figure tells is of the machine.
fn without_times(exchange: &serde_json::Value, address: &str) -> String {
    let mut exchange = exchange.clone();
    for key in ["at_s", "response_ms", "service_ms"] {
        assert!(exchange[key].is_number(), "{key}");
        exchange[key] = "some".into();
    }
    let text = serde_json::to_string_pretty(&exchange).unwrap();
    let agent = concat!("throng/", env!("CARGO_PKG_VERSION"));
    text.replace(address, "SERVER").replace(agent, "throng/0")
}

#[test]
fn the_first_failed_and_the_slowest_exchanges_are_in_the_summary() {
    let server = server(|nth| {
        Some(if nth % 2 == 0 { answer(200, "fine") } else { answer(503, "<b>no</b> pass-of-ann") })
    });
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -i 1 -t 60s --out out",
        server.address
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("\nEvidence: 1 failed exchange in full, in the report\nResults: "));
    let evidence = &folder.json("out/summary.json")["evidence"];
    let address = server.address.to_string();
    insta::assert_snapshot!(without_times(&evidence["failed"][0], &address), @r#"
    {
      "method": "POST",
      "name": "bad",
      "error": "status 503",
      "id": "status.503",
      "kind": "server_error",
      "kind_title": "server errors (5xx)",
      "seen": null,
      "at_s": "some",
      "response_ms": "some",
      "service_ms": "some",
      "class": "One",
      "user": 1,
      "iteration": 0,
      "attempts": 1,
      "redirects": 0,
      "request": {
        "method": "POST",
        "url": "http://SERVER/bad",
        "head": [
          "Host: SERVER",
          "User-Agent: throng/0",
          "Accept: */*",
          "Content-Type: application/json",
          "Content-Length: 41"
        ],
        "head_cut": false,
        "cookies_changed": false,
        "body": "{\"password\":\"***\",\"note\":\"his 1\"}",
        "body_is": "whole",
        "body_bytes": 41,
        "curl": "curl --header 'User-Agent: throng/0' --header 'Content-Type: application/json' --data-raw '{\"password\":\"***\",\"note\":\"his 1\"}' http://SERVER/bad",
        "curl_note": "put in what is hidden: `***`"
      },
      "answer": {
        "status": 503,
        "head": [
          "Content-Length: 21"
        ],
        "head_cut": false,
        "body": "<b>no</b> ***",
        "body_is": "whole",
        "body_bytes": 21
      }
    }
    "#);
    insta::assert_snapshot!(without_times(&evidence["slowest"][0], &address), @r#"
    {
      "method": "GET",
      "name": "/good?page=1",
      "error": null,
      "id": null,
      "kind": null,
      "kind_title": null,
      "seen": null,
      "at_s": "some",
      "response_ms": "some",
      "service_ms": "some",
      "class": "One",
      "user": 1,
      "iteration": 0,
      "attempts": 1,
      "redirects": 0,
      "request": {
        "method": "GET",
        "url": "http://SERVER/good?page=1",
        "head": [
          "Host: SERVER",
          "User-Agent: throng/0",
          "Accept: */*",
          "Authorization: Bearer ***"
        ],
        "head_cut": false,
        "cookies_changed": false,
        "body": "",
        "body_is": "empty",
        "body_bytes": 0,
        "curl": "curl --header 'User-Agent: throng/0' --header 'Authorization: Bearer ***' 'http://SERVER/good?page=1'",
        "curl_note": "put in what is hidden: `***`"
      },
      "answer": {
        "status": 200,
        "head": null,
        "head_cut": false,
        "body": null,
        "body_is": "not_kept",
        "body_bytes": 4
      }
    }
    "#);
    let counts = ["failed", "slowest"].map(|key| evidence[key].as_array().unwrap().len());
    assert_eq!((counts, &evidence["failed_left_out"]), ([1, 1], &0.into()));
    assert!(folder.read("out/report.html").contains("h-evidence"));
}

#[test]
fn a_plan_can_keep_none_of_it() {
    let server = server(|_| Some(answer(500, "of-a-person")));
    let folder = Folder::new();
    folder.file("plan.yaml", &format!("evidence: off\n{PLAN}"));
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -i 3 -t 60s --out out",
        server.address
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(!said.out.contains("Evidence"), "{}", said.out);
    assert!(folder.json("out/summary.json")["evidence"].is_null());
    for file in ["out/summary.json", "out/report.html"] {
        let text = folder.read(file);
        assert!(!text.contains("of-a-person") && !text.contains("h-evidence"), "{file}");
    }
}

#[test]
fn without_a_report_the_terminal_points_at_the_summary() {
    let server = server(|_| Some(answer(500, "no")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 5 -u 1 --out out --no-report"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let line = "Evidence: 3 failed exchanges in full, in `summary.json`\n";
    assert!(said.out.contains(line), "{}", said.out);
    let quiet = folder.throng(&format!("run {url} -n 5 -u 1 --out quiet --quiet"));
    assert!(!quiet.out.contains("Evidence"), "{}", quiet.out);
}

/// What is captured as a secret was no secret yet when it was seen the first time.
#[test]
fn a_secret_that_is_met_later_is_hidden_in_what_was_kept_before() {
    let server = server(|nth| {
        Some(match nth {
            0 => answer(500, "it was late-secret-of-ann"),
            _ => answer(200, "{\"made\": \"late-secret-of-ann\"}"),
        })
    });
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users:\n  One:\n    tasks:\n      a:\n        steps:\n          - get: /first\n          - wait: 1200ms\n          \
         - get: /made\n            capture: { made: { json: $.made, secret: true } }\n          \
         - get: \"/{{ made }}\"\n            name: last\n",
    );
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -i 1 -t 60s --out out",
        server.address
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let evidence = &folder.json("out/summary.json")["evidence"];
    assert_eq!(evidence["failed"][0]["answer"]["body"], "it was ***");
    for file in ["out/summary.json", "out/report.html"] {
        assert!(!folder.read(file).contains("late-secret"), "{file}");
    }
}

/// A server that gives a new session with each answer, and says which was the old one.
#[test]
fn a_session_that_was_replaced_is_hidden_as_well() {
    let server = server(|nth| {
        let body = format!("was session-{nth}-of-ann, is session-{}-of-ann", nth + 1);
        let cookie = format!("Set-Cookie: sid=session-{}-of-ann", nth + 1);
        let length = body.len();
        Some(format!("HTTP/1.1 500 No\r\n{cookie}\r\nContent-Length: {length}\r\n\r\n{body}"))
    });
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    folder.throng(&format!("run {url} -n 3 -u 1 --out out"));
    let summary = folder.json("out/summary.json");
    let failed = summary["evidence"]["failed"].as_array().unwrap();
    let bodies: Vec<_> = failed.iter().map(|one| one["answer"]["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["was session-0-of-ann, is ***", "was ***, is ***", "was ***, is ***"]);
    assert_eq!(failed[2]["request"]["cookies_changed"], true);
}

#[test]
fn what_runs_once_is_shown_and_redirects_are_told() {
    let server = server(|nth| {
        Some(match nth {
            0 => "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n".to_owned(),
            1 => answer(404, "nothing there"),
            _ => answer(200, "ok"),
        })
    });
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "before: [ { get: /here, redirects: 2, on_fail: continue } ]\nusers: { One: { tasks: { a: { get: / } } } }\n",
    );
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -i 2 -t 60s --out out",
        server.address
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let one = &folder.json("out/summary.json")["evidence"]["failed"][0];
    assert_eq!((&one["class"], &one["redirects"]), (&"before".into(), &1.into()));
    assert_eq!(one["request"]["url"], format!("http://{}/here", server.address));
    assert_eq!(
        (&one["answer"]["status"], &one["answer"]["body"]),
        (&404.into(), &"nothing there".into())
    );
}

#[test]
fn the_command_reaches_the_target_as_the_run_did() {
    let server = secured("shop.test");
    let folder = server.folder();
    let port = server.address.port();
    let target = format!("https://shop.test:{port}");
    let users = "users: { One: { tasks: { a: { get: /a } } } }\n";
    let line = |options: &str, plan: &str| {
        folder.file("plan.yaml", &format!("target: {target}\n{plan}{users}"));
        let said = folder.throng(&format!("run plan.yaml {LOAD} {options}"));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let line = &folder.json("out/summary.json")["evidence"]["slowest"][0]["request"]["curl"];
        let agent = format!(" --header 'User-Agent: throng/{}'", env!("CARGO_PKG_VERSION"));
        let line = line.as_str().unwrap().replace(&agent, "").replace(&port.to_string(), "PORT");
        line.replace(&folder.path().display().to_string(), "FOLDER")
    };
    let pinned = "--resolve shop.test:127.0.0.1";
    let there = "--connect-to shop.test:PORT:127.0.0.1:PORT";
    assert_eq!(
        line(&format!("{pinned} --cacert ca.pem"), ""),
        format!("curl --http1.1 {there} --cacert ca.pem https://shop.test:PORT/a")
    );
    assert_eq!(
        line(&format!("{pinned} --insecure"), ""),
        format!("curl --http1.1 {there} --insecure https://shop.test:PORT/a")
    );
    let hosts = "hosts: { shop.test: 127.0.0.1 }\ntls: { ca: ca.pem }\n";
    assert_eq!(
        line("", hosts),
        format!("curl --http1.1 {there} --cacert ca.pem https://shop.test:PORT/a")
    );
}
