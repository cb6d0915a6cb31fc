//! What plans do on real connections: the program against a server that records and answers by a script.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier, Mutex};

use serde_json::Value;

use crate::support::{files, indented};

/// A request as it came, and over which connection.
#[derive(Debug, Clone)]
pub struct Seen {
    connection: usize,
    text: String,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// A server that records what it is asked.
pub struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
}

/// What is sent back to a request, which is told with how many came before it; nothing closes the
/// connection.
pub fn server(answer: impl Fn(&Seen, usize) -> Vec<u8> + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let log: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let (kept, answer) = (log.clone(), Arc::new(answer));
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let (log, answer) = (kept.clone(), answer.clone());
            std::thread::spawn(move || serve(stream, connection, &log, &*answer));
        }
    });
    Server { address, log }
}

fn serve(
    mut stream: TcpStream,
    connection: usize,
    log: &Mutex<Vec<Seen>>,
    answer: &dyn Fn(&Seen, usize) -> Vec<u8>,
) {
    let (mut read, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        while let Some(whole) = whole(&read) {
            let bytes: Vec<u8> = read.drain(..whole).collect();
            let seen = Seen { connection, text: String::from_utf8_lossy(&bytes).into_owned() };
            let nth = {
                let mut log = log.lock().unwrap();
                log.push(seen.clone());
                log.len() - 1
            };
            let answer = answer(&seen, nth);
            if answer.is_empty() || stream.write_all(&answer).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// How long the first request in the bytes is, once all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let all = head + length.unwrap_or(0usize);
    (bytes.len() >= all).then_some(all)
}

pub fn ok(headers: &str, body: &str) -> Vec<u8> {
    reply(200, headers, body)
}

/// `headers` are lines, ended by CR LF each.
pub fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

impl Server {
    fn seen(&self) -> Vec<Seen> {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| !seen.text.starts_with("PROBE"))
            .cloned()
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.line().to_owned()).collect()
    }

    pub fn run(&self, plan: &str, arguments: &str) -> Ran {
        let folder = files(&[]);
        throng(folder.path(), plan, &format!("-H http://{} {arguments}", self.address))
    }
}

/// What the program said.
pub struct Ran {
    pub code: i32,
    pub json: Value,
    pub err: String,
}

impl Ran {
    fn failures(&self) -> Vec<String> {
        let all = self.json["failures"].as_array().unwrap();
        all.iter().map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn counts(&self) -> (u64, u64) {
        let totals = &self.json["totals"];
        (totals["requests"].as_u64().unwrap(), totals["failures"].as_u64().unwrap())
    }
}

/// Runs the plan in that folder, and gives the summary.
pub fn throng(folder: &Path, plan: &str, arguments: &str) -> Ran {
    std::fs::write(folder.join("plan.yaml"), plan).unwrap();
    program(folder, &format!("run plan.yaml --json --no-report --out results {arguments}"), &[])
}

/// Runs the program with these variables.
pub fn program(folder: &Path, arguments: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    command.current_dir(folder).args(arguments.split_whitespace()).stdin(Stdio::null());
    for proxy in
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        command.env_remove(proxy);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Ran { code: output.status.code().unwrap_or(-1), json, err }
}

/// So many users do these steps once each.
fn steps(users: u32, steps: &str) -> String {
    format!(
        "users:\n  U:\n    tasks:\n      all:\n        steps:\n{}profiles: {{ only: {{ users: {users}, hold: 1h, iterations: {users} }} }}\n",
        indented(steps, 10)
    )
}

#[test]
fn cookies_are_kept_per_user_and_given_back() {
    let server = server(|seen, nth| match seen.line() {
        "GET /set" => ok(
            &format!(
                "Set-Cookie: sid={nth}; Path=/; HttpOnly\r\nSet-Cookie: deep=1; Path=/deep\r\n"
            ),
            "",
        ),
        "GET /drop" => ok("Set-Cookie: sid=; Max-Age=0; Path=/\r\n", ""),
        _ => ok("", ""),
    });
    let plan = steps(
        2,
        "- get: /set\n- { get: /a, cookies: { mine: 1 } }\n- get: /deep/x\n- get: /drop\n- get: /b",
    );
    let ran = server.run(&plan, "--workers 1");
    assert_eq!((ran.code, ran.counts()), (0, (10, 0)), "{}", ran.err);
    for (nth, set) in server.seen().iter().enumerate().filter(|(_, seen)| seen.line() == "GET /set")
    {
        let own: Vec<(String, String)> = server
            .seen()
            .iter()
            .filter(|seen| seen.connection == set.connection)
            .map(|seen| {
                let mut cookies: Vec<&str> =
                    seen.header("cookie").unwrap_or("-").split("; ").collect();
                cookies.sort_unstable();
                (seen.line().to_owned(), cookies.join("; "))
            })
            .collect();
        let want = [
            ("GET /set", "-".to_owned()),
            ("GET /a", format!("mine=1; sid={nth}")),
            ("GET /deep/x", format!("deep=1; sid={nth}")),
            ("GET /drop", format!("sid={nth}")),
            ("GET /b", "-".to_owned()),
        ];
        assert_eq!(own, want.map(|(line, cookie)| (line.to_owned(), cookie)));
    }
}

#[test]
fn redirects_are_followed_as_browsers_do() {
    let server = server(|seen, _| match seen.line() {
        line if line.ends_with(" /302") => {
            reply(302, "Location: /end?by=302\r\nSet-Cookie: hop=1; Path=/\r\n", "moved")
        }
        line if line.ends_with(" /307") => reply(307, "Location: /303\r\n", ""),
        line if line.ends_with(" /303") => reply(303, "Location: /end\r\n", ""),
        line if line.ends_with(" /loop") => reply(302, "Location: /loop\r\n", ""),
        _ => ok("", "the end"),
    });
    let plan = steps(
        1,
        "- { post: /302, body: x, accept: 200, expect: { contains: the end } }
- { post: /307, body: y, accept: 200 }
- { get: /302, redirects: off, accept: 302, expect: { contains: moved } }
- { get: /loop, redirects: 2 }
- { get: /loop, redirects: { at_most: 3 } }",
    );
    let ran = server.run(&plan, "");
    assert_eq!(
        server.lines(),
        [
            "POST /302",
            "GET /end?by=302",
            "POST /307",
            "POST /303",
            "GET /end",
            "GET /302",
            "GET /loop",
            "GET /loop",
            "GET /loop",
            "GET /loop",
            "GET /loop",
            "GET /loop",
            "GET /loop"
        ]
    );
    let seen = server.seen();
    assert_eq!((seen[1].body(), seen[3].body(), seen[4].body()), ("", "y", ""));
    assert_eq!(seen[1].header("cookie"), Some("hop=1"), "a hop's cookie is kept");
    assert_eq!((ran.counts(), ran.failures()), ((5, 2), vec!["redirect.too_many".to_owned()]));
}

#[test]
fn a_redirect_to_another_host_is_followed_only_when_the_plan_says_so() {
    let elsewhere = server(|_, _| ok("", ""));
    let to = elsewhere.address.port();
    let here =
        server(move |_, _| reply(302, &format!("Location: http://localhost:{to}/there\r\n"), ""));
    let refused = here.run(&steps(1, "- { get: /a, auth: { bearer: t } }"), "");
    assert_eq!(
        (refused.counts(), elsewhere.lines().len()),
        ((1, 1), 0),
        "{:?}",
        refused.failures()
    );
    let followed = here.run(
        &steps(1, "- { get: /a, auth: { bearer: t }, redirects: { at_most: 3, hosts: any } }"),
        "",
    );
    assert_eq!(
        (followed.counts(), elsewhere.lines()),
        ((1, 0), vec!["GET /there".to_owned()]),
        "{:?}",
        followed.failures()
    );
    assert_eq!(elsewhere.seen()[0].header("authorization"), None, "credentials stay at home");
}

#[test]
fn a_user_keeps_a_connection_or_opens_one_per_request() {
    let connections = |keys: &str| {
        let server = server(|_, _| ok("", ""));
        let plan = format!("{keys}\n{}", steps(3, "- get: /a\n- get: /b\n- { get: /c }"));
        let ran = server.run(&plan, "--workers 1");
        assert_eq!(ran.counts(), (9, 0), "{}", ran.err);
        let mut all: Vec<usize> = server.seen().iter().map(|seen| seen.connection).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    assert_eq!(connections(""), 3);
    assert_eq!(connections("connections: own"), 3);
    assert_eq!(connections("connections: new"), 9);
    assert_eq!(connections("connections: { shared: 1 }"), 1);
    assert!(connections("connections: { shared: 2 }") <= 2);
}

#[test]
fn each_part_of_a_timeout_ends_what_it_is_about() {
    // Never answers /silent, and stops in the middle of /half.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let server = server(move |seen, _| match seen.line() {
        "GET /silent" => {
            let _ = held.lock().unwrap().recv();
            Vec::new()
        }
        "GET /half" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
        _ => ok("", ""),
    });
    let plan = steps(
        1,
        "- { get: /silent, timeout: { first_byte: 50ms } }\n- { get: /half, timeout: { idle: 50ms } }\n- { get: /half, timeout: 80ms }\n- get: /well",
    );
    let ran = server.run(&plan, "");
    drop(hold);
    let mut failures = ran.failures();
    failures.sort();
    assert_eq!(
        (ran.counts(), failures),
        ((4, 3), ["timeout.idle", "timeout.total", "timeout.ttfb"].map(str::to_owned).to_vec())
    );
}

#[test]
fn a_parallel_is_under_way_all_at_once_with_the_users_cookies() {
    // Nobody is answered before all six have come: one after the other would never end.
    let barrier = Arc::new(Barrier::new(6));
    let server = server(move |seen, _| match seen.line() {
        "GET /login" => ok("Set-Cookie: sid=7; Path=/\r\n", ""),
        "GET /after" => ok("", ""),
        line => {
            barrier.wait();
            let set = if line == "GET /p3" { "Set-Cookie: lane=3; Path=/\r\n" } else { "" };
            ok(set, &format!("{{\"id\":\"{}\"}}", &line[5..]))
        }
    });
    let asked: Vec<String> = (1..=6)
        .map(|n| {
            format!("    - {{ get: /p{n}, capture: {{ ids: {{ json: $.id, push: true }} }} }}")
        })
        .collect();
    let plan = steps(
        1,
        &format!(
            "- get: /login\n- parallel:\n{}\n- {{ get: /after, headers: {{ x-ids: '{{{{ ids }}}}' }} }}",
            asked.join("\n")
        ),
    );
    let ran = server.run(&plan, "");
    assert_eq!(ran.counts(), (8, 0), "{}", ran.err);
    let seen = server.seen();
    let mut connections: Vec<usize> = seen[1..7].iter().map(|seen| seen.connection).collect();
    connections.sort_unstable();
    connections.dedup();
    assert_eq!(connections.len(), 6);
    assert!(seen[1..7].iter().all(|seen| seen.header("cookie") == Some("sid=7")));
    assert_eq!(seen[7].header("x-ids"), Some(r#"["p1","p2","p3","p4","p5","p6"]"#));
    let mut cookies: Vec<&str> = seen[7].header("cookie").unwrap_or_default().split("; ").collect();
    cookies.sort_unstable();
    assert_eq!(cookies, ["lane=3", "sid=7"], "what one of them was given, the user has");
}

#[test]
fn a_reset_is_tried_again_when_the_plan_says_so() {
    let server = server(|_, nth| if nth < 2 { Vec::new() } else { ok("", "") });
    let ran = server.run(&steps(1, "- { post: /a, json: { n: \"{{ counter('n') }}\" }, retry: { status: reset, times: 3 } }"), "");
    assert_eq!((ran.counts(), server.lines().len()), ((1, 0), 3));
    assert_eq!(server.seen()[2].body(), r#"{"n":3}"#);
}

#[test]
fn a_head_has_no_body_and_a_body_goes_out_to_the_byte() {
    let server = server(|seen, _| {
        if seen.line() == "HEAD /h" {
            b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".to_vec()
        } else {
            ok("", "")
        }
    });
    let ran = server
        .run(&steps(1, "- head: /h\n- { post: /p, body: \"a\\r\\nb\\0é\" }\n- { patch: /e }"), "");
    assert_eq!(ran.counts(), (3, 0), "{:?}", ran.failures());
    assert_eq!(
        (server.seen()[1].body(), server.seen()[1].header("content-length")),
        ("a\r\nb\0é", Some("7"))
    );
    assert_eq!(server.seen()[2].header("content-length"), Some("0"));
}

#[test]
fn compressed_answers_are_unpacked_for_the_rules() {
    let folder = files(&[]);
    let plan = steps(1, "- { get: /gzip, compressed: true, expect: [ { header: content-encoding, equals: gzip }, { json: $, exists: true } ] }
- { get: /deflate, compressed: true, expect: { json: $, exists: true } }
- { get: /gzip, expect: { header: content-encoding, exists: false } }");
    let ran = throng(folder.path(), &plan, "--demo");
    assert_eq!((ran.code, ran.counts()), (0, (3, 0)), "{:?} {}", ran.json["failures"], ran.err);
}

#[test]
fn the_command_line_sets_variables_tags_classes_environments_and_seeds() {
    let server = server(|_, _| ok("", ""));
    let plan = "vars: { project: 42 }
environments: { staging: { vars: { project: 43 } } }
users:
  A: { order: sequence, tasks: { a: { get: '/a/{{ project }}/{{ randint(1, 1000000) }}', name: a, tags: [read] }, b: { get: /b, tags: [write] } } }
  B: { tasks: { c: { get: '/c/{{ env.SEEN }}' } } }
profiles: { only: { users: 1, hold: 1h, iterations: 1 }, two: { users: 2, hold: 1h, iterations: 2 } }
profile: only
";
    let folder = files(&[("plan.yaml", plan)]);
    let lines = |arguments: &str| {
        server.log.lock().unwrap().clear();
        let arguments = format!(
            "run plan.yaml --json --no-report --out results -H http://{} {arguments}",
            server.address
        );
        let arguments =
            if arguments.contains("--seed") { arguments } else { arguments + " --seed 1" };
        let ran = program(folder.path(), &arguments, &[("SEEN", "yes")]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        server.lines()
    };
    let plain = lines("");
    assert!(plain.len() == 2 && plain[0].starts_with("GET /a/42/"), "{plain:?}");
    assert_eq!(lines(""), plain);
    assert_ne!(lines("--seed 2"), plain);
    assert!(lines("--set project=7")[0].starts_with("GET /a/7/"));
    assert!(lines("--env staging")[0].starts_with("GET /a/43/"));
    assert!(lines("--env staging --set project=8")[0].starts_with("GET /a/8/"));
    assert_eq!(lines("A --tags write"), ["GET /b"]);
    assert_eq!(lines("A -E read"), ["GET /b"]);
    assert_eq!(lines("B"), ["GET /c/yes"]);
    let mut two = lines("--profile two");
    two.sort();
    assert!(two.len() == 3 && two[2] == "GET /c/yes", "{two:?}");
}

#[test]
fn a_secret_stands_in_no_file_of_the_results() {
    let server = server(|_, _| ok("", r#"{"token":"captured-sesame"}"#));
    let plan = format!("secrets: [API_PASSWORD]\n{}", steps(1, "- { get: /a, name: a, headers: { x-key: '{{ env.API_PASSWORD }}' }, capture: { token: { json: $.token, secret: true } } }
- { get: /b, accept: { status: 201 } }
- { get: /c, expect: { json: $.token, equals: x } }
- { get: /d, expect: { that: false, message: 'was {{ env.API_PASSWORD }} and {{ token }}' } }
- log: '{{ env.API_PASSWORD }} {{ token }}'
- { get: '/e/{{ token }}', name: e }
- { set: { n: x } }
- { get: '/f/{{ n + token }}', name: f }").replace("accept: { status: 201 }", "accept: 201"));
    let folder = files(&[("plan.yaml", &plan)]);
    let ran = program(
        folder.path(),
        &format!("run plan.yaml --json --out results -H http://{}", server.address),
        &[("API_PASSWORD", "hidden-sesame")],
    );
    assert_eq!(server.seen()[0].header("x-key"), Some("hidden-sesame"));
    assert!(
        server.lines().iter().any(|line| line == "GET /e/captured-sesame"),
        "{:?}",
        server.lines()
    );
    let mut texts = vec![ran.err.clone(), ran.json.to_string()];
    for entry in std::fs::read_dir(folder.path().join("results")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let mut text = String::new();
        match flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text) {
            Ok(_) => texts.push(text),
            Err(_) => texts.push(String::from_utf8(bytes).unwrap()),
        }
    }
    assert!(texts.len() > 6, "{}", ran.err);
    for text in texts {
        assert!(
            !text.contains("sesame"),
            "{}",
            &text[text.find("sesame").unwrap().saturating_sub(200)..]
        );
    }
}

#[test]
fn before_and_after_run_once_and_after_also_when_before_failed() {
    let server = server(|seen, _| {
        if seen.line() == "POST /broken" { reply(500, "", "") } else { ok("", r#"{"id":5}"#) }
    });
    let plan = |before: &str| {
        format!(
            "before: [ {{ post: {before}, capture: {{ id: $.id }} }} ]\nafter: [ {{ delete: /done }} ]\n{}",
            steps(2, "- get: /u/{{ id }}")
        )
    };
    let well = server.run(&plan("/make"), "");
    assert_eq!((well.code, well.counts()), (0, (2, 0)), "{}", well.err);
    assert_eq!(server.lines(), ["POST /make", "GET /u/5", "GET /u/5", "DELETE /done"]);
    server.log.lock().unwrap().clear();
    let broken = server.run(&plan("/broken"), "");
    assert_ne!(broken.code, 0);
    assert!(broken.err.contains("no user was started"), "{}", broken.err);
    assert_eq!(server.lines(), ["POST /broken", "DELETE /done"]);
}

#[test]
fn several_targets_are_each_asked_at_their_own_place() {
    let (one, two) = (server(|_, _| ok("", "")), server(|_, _| ok("", "")));
    let plan = format!(
        "target: http://{}\n{}",
        one.address,
        steps(
            1,
            &format!(
                "- get: /a\n- get: http://{}/b\n- set: {{ at: '{}' }}\n- {{ get: 'http://{{{{ at }}}}/c', name: c }}",
                two.address, two.address
            )
        )
    );
    let folder = files(&[]);
    let ran = throng(folder.path(), &plan, "");
    assert_eq!(ran.counts(), (3, 0), "{} {:?}", ran.err, ran.failures());
    assert_eq!(
        (one.lines(), two.lines()),
        (vec!["GET /a".to_owned()], vec!["GET /b".to_owned(), "GET /c".to_owned()])
    );
}

#[test]
fn thresholds_are_of_names_groups_tags_and_classes() {
    let server =
        server(|seen, _| if seen.line() == "GET /bad" { reply(500, "", "") } else { ok("", "") });
    let plan = "users:
  Good: { tasks: { a: { steps: [ { get: /ok, tags: [calm] }, { group: whole, do: { post: /bad } } ] } } }
  Ill: { tasks: { b: { steps: [ { group: broken, do: { get: /bad, tags: [wild] } } ] } } }
profiles: { only: { users: 2, hold: 1h, iterations: 2 } }
thresholds:
  - failures < 1
  - error_rate < 90%
  - { must: p95 < 1h, allow_few: true }
  - { of: /ok, must: error_rate < 1% }
  - { of: GET /bad, must: error_rate < 1% }
  - { of: POST /bad, must: [ error_rate < 1%, failures < 1 ] }
  - { of: { class: Ill }, must: error_rate < 1% }
  - { of: { class: Good }, must: error_rate < 1% }
  - { of: { tag: calm }, must: error_rate < 1% }
  - { of: { tag: wild }, must: error_rate < 1% }
  - { of: { group: whole }, must: error_rate < 1% }
  - { of: { group: broken }, must: error_rate < 1% }
  - { of: { name: /ok }, must: requests > 0 }
";
    let ran = server.run(plan, "");
    let states: Vec<&str> = ran.json["thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    let (h, b) = ("held", "broke");
    assert_eq!(states, [b, h, h, h, b, h, h, b, h, h, b, h, b, h], "{}", ran.json["thresholds"]);
    assert_eq!(ran.code, 1);
}

#[test]
fn a_threshold_ends_the_run_when_it_breaks_in_a_window() {
    let server = server(|_, _| reply(500, "", ""));
    let plan = |threshold: &str| {
        format!(
            "users: {{ U: {{ wait: 100ms, tasks: {{ a: {{ get: /a }} }} }} }}\nprofiles: {{ only: {{ users: 2, hold: 1h }} }}\nthresholds: {{ must: failures == 0, {threshold}, abort: true }}\n"
        )
    };
    for (when, from, to) in
        [("every: 1s, after: 1s", 1, 2), ("after: 2s", 2, 3), ("every: 2s", 0, 2)]
    {
        let ran = server.run(&plan(when), "");
        let windows = &ran.json["thresholds"][0]["windows"];
        assert_eq!((&windows["from_s"], &windows["to_s"]), (&from.into(), &to.into()), "{when}");
        assert_eq!((ran.code, &ran.json["run"]["stopped"]), (1, &"threshold".into()), "{when}");
    }
}

#[test]
fn what_ends_in_the_warm_up_is_left_out() {
    let plan = |top: &str, profile: &str| {
        format!(
            "{top}\nusers: {{ U: {{ wait: {{ pace: 1500ms }}, tasks: {{ a: {{ get: /a }} }} }} }}\nprofiles: {{ only: {{ users: 1, hold: 2s{profile} }} }}\nthresholds: [ requests < 2 ]\n"
        )
    };
    // Asked at 0 and at 1.5 s.
    let all = [
        ("", "", 2),
        ("warmup: 1s", "", 1),
        ("warmup: 0s", ", warmup: 1s", 1),
        ("warmup: 1s", ", warmup: 0s", 2),
    ];
    std::thread::scope(|scope| {
        for (top, profile, counted) in all {
            scope.spawn(move || {
                let server = server(|_, _| ok("", ""));
                let ran = server.run(&plan(top, profile), "");
                assert_eq!(
                    (server.lines().len(), ran.counts().0, ran.code),
                    (2, counted, i32::from(counted == 2)),
                    "{top} {profile}"
                );
            });
        }
    });
}
