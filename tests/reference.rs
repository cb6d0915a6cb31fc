//! Holds the reference of the plan language and that of failures against their tables, and every example
//! in them against plans.
//!
//! `docs/plan-reference.md` is `docs/reference/plan.md`, and `docs/failures.md` is
//! `docs/reference/failures.md`, with tables in place of their lines `<!-- … -->`.
//! `UPDATE_EXPECTED=1 cargo test --test reference` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use throng::diagnostic::Severity;
use throng::exit;
use throng::expr::{FILTERS, FUNCTIONS, TESTS};
use throng::metrics::{Fault, Notice, RetryClass};
use throng::plan::keys::{Context, Key, Shape, Status};
use throng::plan::{Loading, METHODS, document, schema};
use throng::program::Selection;
use throng::verdict::METRICS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_reference_is_fresh() {
    is_fresh("docs/plan-reference.md", made());
}

#[test]
fn the_page_of_failures_is_fresh_and_has_each() {
    let made = made_of_failures();
    for fault in Fault::ALL {
        assert_eq!(made.matches(&format!("| `{}` |", fault.id())).count(), 1, "{}", fault.id());
    }
    is_fresh("docs/failures.md", made);
}

fn is_fresh(page: &str, made: String) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(root().join(page), &made).unwrap();
    }
    let found = fs::read_to_string(root().join(page)).unwrap_or_default();
    assert!(found == made, "{page} is stale: run `UPDATE_EXPECTED=1 cargo test --test reference`");
}

fn made() -> String {
    let text = fs::read_to_string(root().join("docs/reference/plan.md")).unwrap();
    let mut page = String::new();
    let mut shown = Vec::new();
    for line in text.lines() {
        let marker = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        match marker {
            None => page.push_str(line),
            Some("request") => page.push_str(&keys(request_keys())),
            Some("functions") => page.push_str(&functions(false)),
            Some("fakes") => page.push_str(&functions(true)),
            Some("filters") => page.push_str(&words(FILTERS)),
            Some("tests") => page.push_str(&words(TESTS)),
            Some("metrics") => page.push_str(&words(&METRICS)),
            Some("exits") => page.push_str(&exits()),
            Some(name) => {
                let context = Context::ALL.into_iter().find(|context| context.slug() == name);
                let context = context.unwrap_or_else(|| panic!("nothing is called {name}"));
                shown.push(context);
                page.push_str(&keys(own_keys(context)));
            }
        }
        page.push('\n');
    }
    for context in Context::ALL {
        // An environment holds what a plan does, a class below `each` what a profile does.
        let like_another = [Context::Environment, Context::Each].contains(&context);
        let there = shown.contains(&context) || like_another;
        assert!(there, "the reference has no `<!-- {} -->`", context.slug());
    }
    page
}

fn is_of_a_request(key: &Key) -> bool {
    let method = ["request", "url"].contains(&key.name);
    method
        || METHODS.iter().any(|(method, _)| *method == key.name)
        || Context::of_a_request().any(|known| known.name == key.name)
}

fn request_keys() -> Vec<&'static Key> {
    Context::Step.keys().filter(|key| is_of_a_request(key)).collect()
}

/// What may stand there; where a request may, its keys have a table of their own.
fn own_keys(context: Context) -> Vec<&'static Key> {
    let sends = [Context::Task, Context::Flow, Context::Step].contains(&context);
    context.keys().filter(|key| !sends || !is_of_a_request(key)).collect()
}

fn keys(keys: Vec<&'static Key>) -> String {
    let mut table = "| key | value | example | meaning |\n|---|---|---|---|".to_owned();
    for key in keys.into_iter().filter(|key| key.status == Status::Now) {
        let mut about = key.about.to_owned();
        if !key.default.is_empty() {
            let code = if key.default.contains(' ') { "" } else { "`" };
            let _ = write!(about, " Default: {code}{}{code}.", key.default);
        }
        let cells = [&format!("`{}`", key.name), &value(&key.shape), &code(key.example), &about];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = write!(table, "\n| {} |", cells.join(" | "));
    }
    table
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// A shape in words.
fn value(shape: &Shape) -> String {
    let link = |context: &Context| match context {
        Context::Step => "[steps](#steps)".to_owned(),
        context => format!("[a map](#{})", anchor(*context)),
    };
    match shape {
        Shape::Text => "text".into(),
        Shape::Template => "template".into(),
        Shape::Scalar | Shape::Header => "text, number".into(),
        Shape::Item => "text, number, list".into(),
        Shape::Path => "path".into(),
        Shape::Url => "URL".into(),
        Shape::JsonPath => "JSONPath".into(),
        Shape::Source => "JSONPath, template".into(),
        Shape::Expression => "expression".into(),
        Shape::Number => "number".into(),
        Shape::Integer => "whole number".into(),
        Shape::Users => "number of users".into(),
        Shape::Bool => "`true`, `false`".into(),
        Shape::Duration => "time".into(),
        Shape::Rate => "rate".into(),
        Shape::Percent => "share".into(),
        Shape::Size => "`<`, `>` and a size".into(),
        Shape::Time => "`<`, `>` and a time".into(),
        Shape::Range => "number, range".into(),
        Shape::Wait => "time, range of times, `none`".into(),
        Shape::Codes => "status codes".into(),
        Shape::Judgement => "threshold".into(),
        Shape::Value => "any value".into(),
        Shape::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Shape::Pair => "list of two texts".into(),
        Shape::List(item) => format!("list of: {}", value(item)),
        Shape::Many(item) => format!("{}; or a list", value(item)),
        Shape::Map(item) => format!("by name: {}", value(item)),
        Shape::Keys(context) => link(context),
        Shape::Named(context) => format!("by name: {}", link(context)),
        Shape::Flow => format!("[a map](#{}), steps", anchor(Context::Flow)),
        Shape::Steps => "[steps](#steps)".into(),
        Shape::Any(shapes) => shapes.iter().map(value).collect::<Vec<_>>().join(", "),
    }
}

/// The heading under which the page has a context.
fn anchor(context: Context) -> &'static str {
    match context {
        Context::Plan => "the-plan",
        Context::Environment => "include-and-environments",
        Context::Defaults => "defaults",
        Context::Class => "user-classes",
        Context::Task => "tasks",
        Context::Flow => "flows",
        Context::Step => "steps",
        Context::Branch => "choose",
        Context::Part => "bodies",
        Context::BodyFile => "body_file",
        Context::Auth => "auth",
        Context::Redirects => "redirects",
        Context::Retry => "retry",
        Context::Connections => "connections",
        Context::Tls => "tls",
        Context::Dns => "names-and-addresses",
        Context::Data => "data",
        Context::Capture => "capture",
        Context::AcceptRule => "accept",
        Context::Expect => "expect",
        Context::Timeout => "timeout",
        Context::Wait => "waits",
        Context::Profile => "profiles",
        Context::Each => "each-class-its-own-load",
        Context::Stage => "stages",
        Context::Steps => "stairs",
        Context::Spike => "spike",
        Context::Search => "search",
        Context::Threshold => "thresholds",
        Context::Of => "of",
    }
}

fn functions(fakes: bool) -> String {
    let mut table = "| function | gives | example |\n|---|---|---|".to_owned();
    for function in FUNCTIONS.iter().filter(|one| one.name.starts_with("fake.") == fakes) {
        let call = format!("{}({})", function.name, function.arguments);
        let _ = write!(table, "\n| `{call}` | {} | `{}` |", function.description, function.example);
    }
    table
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ") + "."
}

fn made_of_failures() -> String {
    let text = fs::read_to_string(root().join("docs/reference/failures.md")).unwrap();
    let mut page = String::new();
    for line in text.lines() {
        let of = line.strip_prefix("<!-- failures ").and_then(|rest| rest.strip_suffix(" -->"));
        match of {
            Some(of) => page.push_str(&failures(of)),
            None if line == "<!-- notices -->" => page.push_str(&notices()),
            None => page.push_str(line),
        }
        page.push('\n');
    }
    page
}

/// Those whose name begins with this word.
fn failures(of: &str) -> String {
    let mut table = "| failure | name | `retry` | what to do |\n|---|---|---|---|".to_owned();
    let of = format!("{of}.");
    for fault in Fault::ALL.iter().filter(|fault| fault.id().starts_with(&of)) {
        let advice = fault.advice().replace('|', "\\|");
        let retry = match fault.retry_class() {
            RetryClass::Connect => "`connect`",
            RetryClass::Timeout => "`timeout`",
            RetryClass::Reset => "`reset`",
            RetryClass::Other => "",
        };
        let (sentence, id) = (fault.sentence(), fault.id());
        let _ = write!(table, "\n| `{sentence}` | `{id}` | {retry} | {advice} |");
    }
    table
}

fn notices() -> String {
    let mut table = "| it says | name | what it means |\n|---|---|---|".to_owned();
    for notice in Notice::ALL {
        let (sentence, id, advice) = (notice.sentence(), notice.id(), notice.advice());
        let _ = write!(table, "\n| {sentence} | `{id}` | {advice} |");
    }
    table
}

fn exits() -> String {
    let mut table = "| code | meaning |\n|---|---|".to_owned();
    for (_, code, meaning) in exit::TABLE {
        let _ = write!(table, "\n| {code} | {meaning} |");
    }
    table
}

/// What the key of an example needs beside it.
fn beside(context: Context, key: &str) -> Value {
    let is_source = ["json", "header", "cookie", "regex", "css", "body", "value"].contains(&key);
    let is_body = ["json", "form", "multipart", "body", "body_file"].contains(&key);
    let sends = METHODS.iter().any(|(method, _)| *method == key) || key == "request";
    let step = json!([{ "get": "/todos/" }]);
    match (context, key) {
        (Context::Task | Context::Flow, "steps") => json!({}),
        (Context::Task | Context::Flow | Context::Step, "url") => json!({ "request": "PURGE" }),
        (Context::Task | Context::Flow | Context::Step, "request") => json!({ "url": "/cache" }),
        (Context::Task | Context::Flow | Context::Step, _) if sends => json!({ "name": "x" }),
        (Context::Task | Context::Flow | Context::Step, _) if is_body => json!({ "post": "/x" }),
        (Context::Task | Context::Flow, _) => json!({ "get": "/todos/" }),
        (Context::Step, "then") => json!({ "if": "todos" }),
        (Context::Step, "if") => json!({ "then": step }),
        (Context::Step, "else") => json!({ "if": "todos", "then": step }),
        (Context::Step, "for") => json!({ "in": "todos", "do": step }),
        (Context::Step, "in") => json!({ "for": "one", "do": step }),
        (Context::Step, "until") => json!({ "within": "60s", "do": step }),
        (Context::Step, "within") => json!({ "until": "todos", "do": step }),
        (Context::Step, "at_most") => json!({ "while": "todos", "do": step }),
        (Context::Step, "repeat" | "while" | "group") => json!({ "do": step }),
        (Context::Step, "do") => json!({ "repeat": 3 }),
        (
            Context::Step,
            "wait" | "set" | "push" | "remove" | "choose" | "parallel" | "call" | "fail" | "stop"
            | "log",
        ) => json!({}),
        (Context::Step, _) => json!({ "get": "/todos/" }),
        (Context::Branch, "do") => json!({}),
        (Context::Branch, _) => json!({ "do": step }),
        (Context::Part, "type" | "filename") => json!({ "file": "a.png" }),
        (Context::BodyFile, "templates") => json!({ "file": "order.xml" }),
        (Context::Tls, "cert") => json!({ "key": "certs/client.key" }),
        (Context::Tls, "key") => json!({ "cert": "certs/client.pem" }),
        (Context::Retry, "status") => json!({}),
        (Context::Retry, _) => json!({ "status": 503 }),
        (Context::Data, "file" | "values") => json!({}),
        (Context::Data, "columns") => json!({ "file": "accounts.csv", "header": false }),
        (Context::Data, _) => json!({ "file": "accounts.csv" }),
        (Context::Capture, "attr") => json!({ "css": "input" }),
        (Context::Expect, "attr") => json!({ "css": "input", "exists": true }),
        (Context::Capture, _) if is_source => json!({}),
        (Context::Capture, _) => json!({ "json": "$.id" }),
        (Context::AcceptRule, "status") => json!({}),
        (Context::AcceptRule, _) => json!({ "status": 404 }),
        (Context::Expect, "time" | "size" | "that") => json!({}),
        (Context::Expect, "message") => json!({ "that": "response.json.total > 3" }),
        (Context::Expect, _) if is_source => json!({ "exists": true }),
        (Context::Expect, _) => json!({ "json": "$.x" }),
        (Context::Wait, "normal") => json!({ "stddev": "1s" }),
        (Context::Wait, "stddev") => json!({ "normal": "1s" }),
        (Context::Profile | Context::Each, "users") => json!({ "hold": "1m" }),
        (Context::Profile | Context::Each, "hold") => json!({ "users": 5 }),
        (Context::Profile | Context::Each, "ramp" | "down" | "iterations" | "warmup" | "grace") => {
            json!({ "users": 5, "hold": "1m" })
        }
        (Context::Profile | Context::Each, "rate") => json!({ "hold": "1m", "max_users": 100 }),
        (Context::Profile | Context::Each, "arrivals") => {
            json!({ "rate": "9/s", "hold": "1m", "max_users": 9 })
        }
        (Context::Profile | Context::Each, "max_users") => json!({ "rate": "9/s", "hold": "1m" }),
        (Context::Stage, "name" | "over" | "hold") => json!({ "users": 5, "hold": "1m" }),
        (Context::Stage, "users" | "rate") => json!({ "hold": "1m" }),
        (Context::Steps, _) => json!({ "from": 10, "by": 10, "every": "5m", "to": 500 }),
        (Context::Spike, _) => json!({ "base": 10, "peak": 200, "hold": "1m" }),
        (Context::Search, _) => {
            json!({ "from": 50, "to": 1000, "hold": "30s", "must": "p95 < 500ms" })
        }
        (Context::Threshold, "must") => json!({}),
        (Context::Threshold, _) => json!({ "must": "p95 < 500ms" }),
        _ => json!({}),
    }
}

/// A plan with a map in the place of a context.
fn around(context: Context, map: Value, key: &str) -> Value {
    let mut plan = json!({
        "target": "http://127.0.0.1:8000",
        "data": { "accounts": { "file": "accounts.csv" } },
        "flows": { "refresh": { "steps": [{ "post": "/auth/refresh" }] } },
        "users": { "Buyer": {
            "on_start": [
                { "set": { "todos": [], "id": 1, "token": "t", "csrf": "c", "next": 1 } },
            ],
            "tasks": {
                "again": { "steps": [{ "when": "accounts.username", "call": "refresh" }] },
                "home": { "get": "/todos/", "tags": ["read"] },
                "list": { "steps": [{ "group": "checkout", "do": [{ "get": "/b" }] }] },
            },
        } },
        "profile": "load",
        "profiles": {
            "load": { "users": 5, "hold": "1m" },
            "other": { "stages": [{ "name": "peak", "users": 5, "hold": "1m" }] },
        },
    });
    let request = |key: &str, map: Value| json!({ "post": "/x", key: map });
    let task = |task: Value| ("/users/Buyer/tasks/sample", task);
    let (at, value) = match context {
        Context::Plan => ("", map),
        Context::Environment => ("/environments", json!({ "staging": map })),
        Context::Defaults => ("/defaults", map),
        Context::Class => ("/users/Buyer", map),
        Context::Task => {
            if key == "next" {
                plan["users"]["Buyer"]["order"] = json!("chain");
            }
            task(map)
        }
        Context::Flow => {
            plan["users"]["Buyer"]["tasks"]["caller"] = json!({ "steps": [{ "call": "sample" }] });
            ("/flows/sample", map)
        }
        Context::Step => task(json!({ "steps": [{ "get": "/todos/" }, map] })),
        Context::Branch => task(json!({ "steps": [{ "choose": [map, { "do": [] }] }] })),
        Context::Part => task(request("multipart", json!({ "part": map }))),
        Context::BodyFile => task(request("body_file", map)),
        Context::Auth => task(request("auth", map)),
        Context::Redirects => task(request("redirects", map)),
        Context::Retry => task(request("retry", map)),
        Context::Capture => task(request("capture", json!({ "x": map }))),
        Context::AcceptRule => task(request("accept", json!([map]))),
        Context::Expect => task(request("expect", json!([map]))),
        Context::Timeout => task(request("timeout", map)),
        Context::Wait => ("/users/Buyer/wait", map),
        Context::Connections => ("/connections", map),
        Context::Tls => ("/tls", map),
        Context::Dns => ("/dns", map),
        Context::Data => ("/data/rows", map),
        Context::Profile => ("/profiles/sample", map),
        Context::Each => ("/profiles/sample", json!({ "each": { "Buyer": map } })),
        Context::Stage => ("/profiles/sample", json!({ "stages": [map] })),
        Context::Steps => ("/profiles/sample", json!({ "steps": map })),
        Context::Spike => ("/profiles/sample", json!({ "spike": map })),
        Context::Search => ("/profiles/sample", json!({ "search": map })),
        Context::Threshold => ("/thresholds", json!([map])),
        Context::Of => ("/thresholds", json!([{ "of": map, "must": "p95 < 500ms" }])),
    };
    let mut place = &mut plan;
    for name in at.split('/').skip(1) {
        place = &mut place[name];
    }
    match (place, value) {
        (Value::Object(there), Value::Object(map)) => there.extend(map),
        (place, value) => *place = value,
    }
    plan
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    file("accounts.csv", "username,password\nann,secret\n");
    file("a.png", "a");
    file("b.jpg", "b");
    file("order.xml", "<order/>");
    file("shared.yaml", "vars: { shared: 1 }\n");
    fs::create_dir(folder.path().join("certs")).unwrap();
    for name in ["ca.pem", "client.pem", "client.key"] {
        let name = format!("certs/{name}");
        fs::copy(root().join("tests/plans/files").join(&name), folder.path().join(&name)).unwrap();
    }
    folder
}

#[test]
fn every_example_of_a_key_is_right_in_a_plan() {
    let folder = folder();
    let validator = jsonschema::draft7::new(&schema::schema()).unwrap();
    let (mut wrong, mut seen) = (String::new(), 0);
    for context in Context::ALL {
        for key in context.keys().filter(|key| key.status == Status::Now) {
            let name = format!("`{}: {}` of {}", key.name, key.example, context.words());
            let (example, _) = document::read(0, "example.yaml", key.example).expect(&name);
            let mut map = Map::from_iter([(key.name.to_owned(), example.to_json())]);
            if let Value::Object(others) = beside(context, key.name) {
                for (other, value) in others {
                    map.entry(other).or_insert(value);
                }
            }
            let plan = around(context, Value::Object(map), key.name);
            for error in validator.iter_errors(&plan) {
                let _ = writeln!(wrong, "{name}, to the schema: {error}\n");
            }
            let path = folder.path().join("plan.yaml");
            fs::write(&path, serde_json::to_string_pretty(&plan).unwrap()).unwrap();
            let mut loading = Loading::default();
            if context == Context::Environment {
                loading.environment = Some("staging".to_owned());
            }
            let loaded = throng::session::check(&path, &loading, &Selection::default(), None);
            for told in loaded.diagnostics {
                if told.severity == Severity::Error {
                    let _ = writeln!(wrong, "{name}: {}: {}\n", told.title, told.label);
                }
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(seen > 200, "only {seen} examples");
}
