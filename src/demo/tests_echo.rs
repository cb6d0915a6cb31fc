//! Owns the tests of what tells clients how their requests arrived.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::{Value, json};

use super::{demo, get, send};

#[test]
fn anything_tells_the_request_as_it_came() {
    let demo = demo(0.0);
    let headers = "X-Twice: 1\r\nx-twice: 2\r\nContent-Type: application/json\r\n";
    let got = send(&demo, "PATCH", "/anything/a%20b/c?b=2&a=%26&b=1", headers, b"{\"n\":1}");
    assert_eq!(got.status, 200);
    let told = got.json();
    for (key, want) in [
        ("method", json!("PATCH")),
        ("path", json!("/anything/a%20b/c")),
        ("query", json!([["b", "2"], ["a", "&"], ["b", "1"]])),
        ("body", json!("{\"n\":1}")),
        ("body_base64", Value::Null),
        ("size", json!(7)),
        ("json", json!({ "n": 1 })),
        ("form", Value::Null),
        ("parts", Value::Null),
    ] {
        assert_eq!(told[key], want, "{key}");
    }
    assert_eq!(told["headers"]["x-twice"], "1, 2");
    assert_eq!(told["headers"]["content-length"], "7");
}

#[test]
fn bodies_are_told_by_their_kind() {
    let demo = demo(0.0);
    let sent = |kind: &str, body: &[u8]| {
        let headers = format!("Content-Type: {kind}\r\n");
        send(&demo, "POST", "/anything", &headers, body).json()
    };
    let form = sent("application/x-www-form-urlencoded", b"a=1+2&b=%C3%A9");
    assert_eq!(form["form"], json!([["a", "1 2"], ["b", "é"]]));
    let binary = sent("application/octet-stream", b"\xff\x00");
    assert_eq!((&binary["body"], &binary["body_base64"]), (&Value::Null, &json!("/wA=")));
    let parts = sent(
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--",
    );
    assert_eq!(parts["parts"][0]["value"], "1");
    // HTTP has it that a body may come with any method, and that an answer to HEAD has none.
    assert_eq!(send(&demo, "GET", "/anything", "", b"x").json()["body"], "x");
    let head = send(&demo, "HEAD", "/anything", "", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn redirects_lead_to_anything_by_path_and_by_url() {
    let demo = demo(0.0);
    for (path, to) in [
        ("/redirect/3", "/redirect/2"),
        ("/redirect/2", "http://x/redirect/1"),
        ("/redirect/1", "/anything"),
        ("/redirect/1?status=307&a=b", "/anything?status=307&a=b"),
        ("/redirect/99", "http://x/redirect/49"),
    ] {
        let got = get(&demo, path);
        let status = if path.contains("307") { 307 } else { 302 };
        assert_eq!((got.status, got.headers("location")), (status, vec![to]), "{path}");
    }
    assert_eq!(get(&demo, "/redirect/x").status, 422);
}

#[test]
fn cookies_are_set_told_and_deleted() {
    let demo = demo(0.0);
    let set = get(&demo, "/cookies/set?a=b&c=d%20e");
    assert_eq!((set.status, set.headers("location")), (302, vec!["/cookies"]));
    assert_eq!(set.headers("set-cookie"), ["a=b; Path=/", "c=d%20e; Path=/"]);
    let came = send(&demo, "GET", "/cookies", "Cookie: a=b; c=d=e\r\n", b"");
    assert_eq!(came.json(), json!({ "cookies": { "a": "b", "c": "d=e" } }));
    let gone = get(&demo, "/cookies/delete?a");
    assert_eq!(gone.headers("set-cookie"), ["a=; Max-Age=0; Path=/"]);
}

#[test]
fn a_body_is_compressed_for_those_who_accept_it() {
    let demo = demo(0.0);
    for coding in ["gzip", "deflate"] {
        let path = format!("/{coding}");
        let got = send(&demo, "GET", &path, "Accept-Encoding: gzip, deflate\r\n", b"");
        assert_eq!(got.headers("content-encoding"), [coding]);
        let mut text = String::new();
        match coding {
            "gzip" => GzDecoder::new(got.body.as_slice()).read_to_string(&mut text),
            _ => ZlibDecoder::new(got.body.as_slice()).read_to_string(&mut text),
        }
        .unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["compressed"], true);
        assert!(text.len() > got.body.len());
        let plain = get(&demo, &path);
        assert_eq!(plain.headers("content-encoding"), Vec::<&str>::new());
        assert_eq!(
            (&plain.json()["compressed"], &plain.json()["text"]),
            (&json!(false), &told["text"])
        );
    }
}

#[test]
fn an_answer_has_the_status_and_the_size_that_were_asked_for() {
    let demo = demo(0.0);
    for code in [200, 204, 304, 401, 418, 503, 599] {
        assert_eq!(get(&demo, &format!("/status/{code}")).status, code);
    }
    assert_eq!(get(&demo, "/status/308").headers("location"), ["/anything"]);
    assert_eq!(send(&demo, "DELETE", "/status/409", "", b"").status, 409);
    for path in ["/status/100", "/status/600", "/status/x"] {
        assert_eq!(get(&demo, path).status, 404, "{path}");
    }
    for (asked, came) in [(0, 0), (1_000, 1_000), (1 << 20, 1 << 20), (1 << 30, 1 << 20)] {
        let got = get(&demo, &format!("/bytes/{asked}"));
        assert_eq!((got.status, got.body.len()), (200, came));
    }
    let before = std::time::Instant::now();
    assert_eq!(get(&demo, "/delay/50").json(), json!({ "delay_ms": 50 }));
    assert!(before.elapsed().as_millis() >= 50);
}

#[test]
fn the_root_lists_the_paths_and_each_answers() {
    let demo = demo(0.0);
    let list = get(&demo, "/").json();
    for route in list["paths"].as_array().unwrap() {
        let (path, methods) = (route["path"].as_str().unwrap(), route["methods"].as_str().unwrap());
        if methods == "*" {
            continue;
        }
        let path = path.replace("{id}", "1").replace("{n}", "1").replace("{name}", "app.js");
        for method in methods.split(", ") {
            // A wait for events that nobody sends need not be long.
            let got = send(&demo, method, &format!("{path}?wait=0"), "", b"");
            let not_found = got.status == 404 && got.text().contains("\"Not Found\"");
            assert!(
                !not_found && got.status != 405 && got.status < 500 || path == "/flaky",
                "{method} {path}"
            );
        }
        let got = send(&demo, "TRACE", &path, "", b"");
        assert_eq!(got.status, 405, "{path}");
        assert_eq!(got.headers("allow").len(), 1);
    }
    for path in ["/nowhere", "/anythingelse", "/me/", "/projects/1/2", "/jobs/"] {
        assert_eq!(get(&demo, path).status, 404, "{path}");
    }
}
