//! Owns the tests of the demo: over the wire, against what the FastAPI app answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::demo::{Demo, Options, start};

#[path = "tests_auth.rs"]
mod auth;
#[path = "tests_echo.rs"]
mod echo;
#[path = "tests_shop.rs"]
mod shop;

fn demo(fail: f64) -> Demo {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start(Options { address, threads: 2, delay: Duration::ZERO, fail }).unwrap()
}

/// Sends a request on a connection of its own; status and body.
fn ask(demo: &Demo, method: &str, path: &str, body: &str) -> (u16, String) {
    let (status, _, body) = whole(demo, method, path, body);
    (status, body)
}

fn whole(demo: &Demo, method: &str, path: &str, body: &str) -> (u16, String, String) {
    whole_as(demo, "application/json", method, path, body)
}

fn whole_as(
    demo: &Demo,
    content_type: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, String, String) {
    let headers = format!("Content-Type: {content_type}\r\n");
    let got = send(demo, method, path, &headers, body.as_bytes());
    (got.status, got.head.to_ascii_lowercase(), String::from_utf8(got.body).unwrap())
}

/// An answer as it came.
struct Got {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Got {
    /// The values of a header, in their order.
    fn headers(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, it)| it).collect()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    fn detail(&self) -> (u16, String) {
        (self.status, self.json()["detail"].as_str().unwrap_or_default().to_owned())
    }
}

/// Sends a request with these header lines on a connection of its own.
fn send(demo: &Demo, method: &str, path: &str, headers: &str, body: &[u8]) -> Got {
    let mut stream = TcpStream::connect(demo.address()).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    Got { status: head[9..12].parse().unwrap(), head, body: all[end + 4..].to_vec() }
}

fn get(demo: &Demo, path: &str) -> Got {
    send(demo, "GET", path, "", b"")
}

/// Posts JSON.
fn post(demo: &Demo, path: &str, body: &Value) -> Got {
    let headers = "Content-Type: application/json\r\n";
    send(demo, "POST", path, headers, body.to_string().as_bytes())
}

#[test]
fn it_answers_as_the_fastapi_app_does() {
    let demo = demo(0.0);
    for (method, path, body, status, want) in [
        ("GET", "/health", "", 200, r#"{"status":"ok"}"#),
        ("GET", "/todos/", "", 200, "[]"),
        (
            "POST",
            "/todos/",
            r#"{"title":"a"}"#,
            201,
            r#"{"id":1,"title":"a","description":null,"completed":false}"#,
        ),
        (
            "POST",
            "/todos/",
            r#"{"title":"b","description":"d","completed":"yes"}"#,
            201,
            r#"{"id":2,"title":"b","description":"d","completed":true}"#,
        ),
        (
            "GET",
            "/todos/1",
            "",
            200,
            r#"{"id":1,"title":"a","description":null,"completed":false}"#,
        ),
        (
            "GET",
            "/todos/?skip=1&limit=5",
            "",
            200,
            r#"[{"id":2,"title":"b","description":"d","completed":true}]"#,
        ),
        (
            "PUT",
            "/todos/1",
            r#"{"completed":true}"#,
            200,
            r#"{"id":1,"title":"a","description":null,"completed":true}"#,
        ),
        ("PUT", "/todos/9", r#"{"completed":true}"#, 404, r#"{"detail":"Todo not found"}"#),
        ("DELETE", "/todos/1", "", 204, ""),
        ("DELETE", "/todos/1", "", 404, r#"{"detail":"Todo not found"}"#),
        ("GET", "/todos/1", "", 404, r#"{"detail":"Todo not found"}"#),
        ("GET", "/nowhere", "", 404, r#"{"detail":"Not Found"}"#),
        ("PATCH", "/todos/1", "", 405, r#"{"detail":"Method Not Allowed"}"#),
        ("DELETE", "/todos/", "", 405, r#"{"detail":"Method Not Allowed"}"#),
        (
            "POST",
            "/todos/",
            r#"{"description":"d"}"#,
            422,
            r#"{"detail":[{"type":"missing","loc":["body","title"],"msg":"Field required","input":{"description":"d"}}]}"#,
        ),
        (
            "POST",
            "/todos/",
            r#"{"title":5}"#,
            422,
            r#"{"detail":[{"type":"string_type","loc":["body","title"],"msg":"Input should be a valid string","input":5}]}"#,
        ),
        (
            "POST",
            "/todos/",
            r#"{"title":"a","completed":"maybe"}"#,
            422,
            r#"{"detail":[{"type":"bool_parsing","loc":["body","completed"],"msg":"Input should be a valid boolean, unable to interpret input","input":"maybe"}]}"#,
        ),
        (
            "POST",
            "/todos/",
            r#"{"title":1,"completed":[]}"#,
            422,
            r#"{"detail":[{"type":"string_type","loc":["body","title"],"msg":"Input should be a valid string","input":1},{"type":"bool_type","loc":["body","completed"],"msg":"Input should be a valid boolean","input":[]}]}"#,
        ),
        (
            "POST",
            "/todos/",
            "[]",
            422,
            r#"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[]}]}"#,
        ),
        (
            "POST",
            "/todos/",
            "",
            422,
            r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#,
        ),
        (
            "POST",
            "/todos/",
            r#"{"title": }"#,
            422,
            r#"{"detail":[{"type":"json_invalid","loc":["body",10],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}]}"#,
        ),
        (
            "GET",
            "/todos/abc",
            "",
            422,
            r#"{"detail":[{"type":"int_parsing","loc":["path","i"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"abc"}]}"#,
        ),
        (
            "GET",
            "/todos/?limit=x",
            "",
            422,
            r#"{"detail":[{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]}"#,
        ),
        (
            "POST",
            "/login",
            r#"{"username":"a","password":"b"}"#,
            200,
            r#"{"token":"demo-token-1","refresh_token":"demo-refresh-1","expires_in":60}"#,
        ),
        (
            "POST",
            "/login",
            r#"{"username":"a"}"#,
            422,
            r#"{"detail":[{"type":"missing","loc":["body","password"],"msg":"Field required","input":{"username":"a"}}]}"#,
        ),
        ("POST", "/logout", "", 204, ""),
        (
            "POST",
            "/todos/",
            r#"{"title":"a"} x"#,
            422,
            r#"{"detail":[{"type":"json_invalid","loc":["body",14],"msg":"JSON decode error","input":{},"ctx":{"error":"Extra data"}}]}"#,
        ),
        ("GET", "/todos/?limit=1.0&skip=1", "", 200, "[]"),
    ] {
        assert_eq!(
            ask(&demo, method, path, body),
            (status, want.to_owned()),
            "{method} {path} {body}"
        );
    }
}

#[test]
fn a_path_without_its_slash_or_with_one_too_many_is_redirected() {
    let demo = demo(0.0);
    for (path, to) in [("/todos?limit=1", "/todos/?limit=1"), ("/todos/1/", "/todos/1")] {
        let (status, head, _) = whole(&demo, "GET", path, "");
        assert_eq!(status, 307);
        assert!(head.contains(&format!("location: http://x{to}\r")), "{head}");
    }
}

#[test]
fn a_body_is_json_only_when_its_type_says_so() {
    let demo = demo(0.0);
    let body = r#"{"title":"a"}"#;
    for (content_type, status) in [
        ("application/json; charset=utf-8", 201),
        ("application/vnd.api+json", 201),
        ("text/plain", 422),
        ("application/x-www-form-urlencoded", 422),
    ] {
        let answer = whole_as(&demo, content_type, "POST", "/todos/", body);
        assert_eq!(answer.0, status, "{content_type}");
        if status == 422 {
            assert_eq!(
                answer.2,
                r#"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"{\"title\":\"a\"}"}]}"#
            );
        }
    }
}

#[test]
fn a_share_fails_and_health_never() {
    let demo = demo(0.25);
    let failed: Vec<bool> = (0..200).map(|_| ask(&demo, "GET", "/todos/", "").0 == 500).collect();
    assert!((47..=53).contains(&failed.iter().filter(|failed| **failed).count()), "{failed:?}");
    // A client that alternates between two requests sees both of them fail.
    for turn in 0..2 {
        assert!(failed.iter().skip(turn).step_by(2).any(|failed| *failed), "{failed:?}");
    }
    assert!((0..8).all(|_| ask(&demo, "GET", "/health", "").0 == 200));
}

#[test]
fn clients_that_break_off_and_idle_ones_do_no_harm() {
    let demo = demo(0.0);
    let mut broken = TcpStream::connect(demo.address()).unwrap();
    broken.write_all(b"POST /todos/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{").unwrap();
    drop(broken);
    let mut garbage = TcpStream::connect(demo.address()).unwrap();
    garbage.write_all(b"\0\0\0\0\r\n\r\n").unwrap();
    let idle = TcpStream::connect(demo.address()).unwrap();
    assert_eq!(ask(&demo, "GET", "/health", "").0, 200);
    let large = "x".repeat(1 << 20);
    assert_eq!(ask(&demo, "POST", "/todos/", &format!("{{\"title\":\"{large}\"}}")).0, 413);
    let address = demo.address();
    drop(demo);
    assert!(TcpStream::connect(address).is_err(), "the threads have ended");
    drop(idle);
}
