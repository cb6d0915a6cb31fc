//! The plans of the cookbook, run on the demo for a moment.

use std::path::PathBuf;
use std::sync::Mutex;

use throng::verdict::{Metric, Threshold};

use crate::support::*;
use crate::wire::{Ran, program};

/// The plans of the cookbook, in both formats.
fn plans() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/cookbook");
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut plans: Vec<_> = all
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml"))
        .collect();
    plans.sort();
    plans
}

fn tried(plan: &std::path::Path) -> Ran {
    let folder = files(&[]);
    let arguments =
        format!("run {} --demo --json --no-report --out results --seed 1 -t 1s", plan.display());
    program(folder.path(), &arguments, &[])
}

#[test]
fn each_runs_on_the_demo_without_a_failure() {
    let plans = plans();
    assert!(plans.len() > 15, "{plans:?}");
    let left = Mutex::new(plans);
    let wrong = Mutex::new(Vec::new());
    // They wait more than they work.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(plan) = left.lock().unwrap().pop() else { return };
                    let ran = tried(&plan);
                    let found = faults(&ran.json);
                    if !found.is_empty() {
                        wrong.lock().unwrap().push(format!(
                            "{}: {found}\n{}",
                            plan.display(),
                            ran.err
                        ));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A time that a plan asks for is at least so long, in milliseconds: whoever tries the plan on a busy
/// machine must see it pass.
const SHORTEST: f64 = 50.0;

/// What a run should not have had. Its rates and times depend on the machine, and so do the reasons for which a
/// generator does not trust itself.
fn faults(json: &serde_json::Value) -> String {
    if json["totals"]["requests"].as_u64().unwrap_or(0) == 0 {
        return "it sent nothing".to_owned();
    }
    let mut found = String::new();
    for key in ["failures", "exceptions"] {
        if json[key].as_array().is_none_or(|all| !all.is_empty()) {
            found += &format!("{key}: {} ", json[key]);
        }
    }
    for threshold in json["thresholds"].as_array().into_iter().flatten() {
        let known = Threshold::parse(threshold["text"].as_str().unwrap());
        let good = match known {
            Ok(Threshold { metric: Metric::Time(..), limit, .. }) => {
                limit.fixed() >= Some(SHORTEST)
            }
            Ok(Threshold { metric: Metric::Rps, .. }) => true,
            _ => threshold["state"] == "held",
        };
        if !good {
            found += &format!("{threshold} ");
        }
    }
    found
}

#[test]
fn a_plan_that_asks_for_the_impossible_has_a_fault() {
    let threshold = |text: &str, state: &str| {
        let json = serde_json::json!({
            "totals": { "requests": 1 }, "failures": [], "exceptions": [],
            "thresholds": [ { "text": text, "state": state } ],
        });
        faults(&json)
    };
    assert_eq!(threshold("p95 < 50ms", "broken"), "");
    assert_eq!(threshold("rps > 1", "broken"), "");
    for (text, state) in [("p95 < 1ms", "broken"), ("p95 < 1ms", "held"), ("retries < 9", "broken")]
    {
        assert!(threshold(text, state).contains(text), "{text}");
    }
}

/// Answers that let users of the shop and of the guide go on.
fn good(bytes: &[u8], nth: u64) -> throng::protocol::fake::Reply {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap();
    let id = line.split(' ').nth(1).unwrap().rsplit('/').next().unwrap().parse().unwrap_or(nth);
    let items: Vec<_> = (0..10).map(|n| serde_json::json!({ "id": nth % 7 + n })).collect();
    let body = serde_json::json!({ "id": id, "token": "t", "items": items, "cart": nth, "status": "paid" });
    let code = match line.split(' ').next().unwrap() {
        "POST" if line.contains("/todos/") || line.contains("/cart") => 201,
        "POST" if line.contains("/logout") => 204,
        "DELETE" => 204,
        _ => 200,
    };
    status(code, &body.to_string())
}

#[test]
fn a_plan_and_its_twin_in_toml_send_the_same() {
    for (yaml, toml) in [
        (include_str!("../../plans/todo.yaml"), include_str!("../../plans/todo.toml")),
        (
            include_str!("../../plans/cookbook/shop.yaml"),
            include_str!("../../plans/cookbook/shop.toml"),
        ),
        (
            include_str!("../../plans/cookbook/guide-todo.yaml"),
            include_str!("../../plans/cookbook/guide-todo.toml"),
        ),
    ] {
        twins(yaml, toml, good).all_well();
    }
}

/// A plan of the cookbook, for as many iterations as `-n` says, on the demo.
fn ran(name: &str, arguments: &str) -> Ran {
    let folder = files(&[]);
    let plan = format!("{}/plans/cookbook/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let arguments =
        format!("run {plan} --demo --json --no-report --out results --seed 1 -t 10m {arguments}");
    let ran = program(folder.path(), &arguments, &[]);
    let found = faults(&ran.json);
    assert!(found.is_empty(), "{name}: {found}\n{}", ran.err);
    assert_eq!(ran.json["run"]["cancelled"], 0);
    ran
}

/// How many requests were counted under this name.
fn count(ran: &Ran, called: &str) -> u64 {
    let (method, name) = called.split_once(' ').unwrap();
    let names = ran.json["names"].as_array().unwrap().iter();
    let mut found = names.filter(|row| row["method"] == method && row["name"] == name);
    found.next().map_or(0, |row| row["requests"].as_u64().unwrap())
}

#[test]
fn a_busy_service_is_tried_again_until_it_answers() {
    let ran = ran("retry-backoff", "--iterations 10");
    assert_eq!((count(&ran, "GET /flaky"), &ran.json["run"]["retries"]), (10, &20.into()));
}

#[test]
fn a_token_that_has_run_out_is_got_anew() {
    // Five users ask 25 times each, and a token is good for 20.
    let ran = ran("login-refresh", "--iterations 125");
    let counts = ["POST /login", "POST /auth/refresh", "GET /me", "POST /logout"];
    assert_eq!(counts.map(|name| count(&ran, name)), [5, 5, 125, 5]);
    assert_eq!(ran.json["run"]["retries"], 5);
}

#[test]
fn a_job_is_asked_after_until_it_is_done() {
    let ran = ran("polling", "--iterations 10");
    // The demo is done with a job when it is asked for the third time.
    assert_eq!(["POST /jobs", "GET /jobs/{id}"].map(|name| count(&ran, name)), [10, 30]);
    let group = &ran.json["groups"][0];
    assert_eq!((&group["name"], &group["count"]), (&"job_done".into(), &10.into()));
}

#[test]
fn pages_are_read_until_there_are_none() {
    // 47 products, ten on a page.
    let ran = ran("pagination", "--iterations 10");
    assert_eq!(count(&ran, "GET /products?page={n}"), 50);
}

#[test]
fn what_is_made_before_a_run_is_taken_away_after_it() {
    let ran = ran("setup-teardown", "--iterations 20");
    let requests = |aside: &str| ran.json[aside]["requests"].clone();
    assert_eq!((requests("before"), requests("after")), (11.into(), 2.into()));
    let names = ["GET /projects/{id}/todos", "POST /projects/{id}/todos"];
    let counts = names.map(|name| count(&ran, name));
    assert!(counts[0] > counts[1] && counts[1] > 0, "{counts:?}");
    assert_eq!(counts.iter().sum::<u64>(), 20);
}

#[test]
fn requests_that_belong_together_are_as_many() {
    for (plan, first, second) in [
        ("csrf", "GET /form", "POST /form"),
        ("graphql", "POST graphql createTodo", "POST graphql todo"),
        ("signed", "POST /users", "POST /signed"),
    ] {
        let ran = ran(plan, "--iterations 10");
        assert_eq!((count(&ran, first), count(&ran, second)), (10, 10), "{plan}");
    }
}

#[test]
fn listeners_hear_what_senders_send() {
    let ran = ran("long-polling", "--iterations 20");
    let counts = ["GET /events", "POST /events"].map(|name| count(&ran, name));
    assert_eq!(counts, [16, 4]);
}

#[test]
fn shared_flows_are_done_by_all_who_call_them() {
    let ran = ran("shared-flows", "--iterations 40");
    let names = ["GET /products", "GET /products/{id}", "POST /cart", "POST /checkout"];
    let [list, look, cart, pay] = names.map(|name| count(&ran, name));
    // Three visitors look eight times each; two customers buy eight times each, some of it two.
    assert_eq!((list, cart, pay), (look, 16, 16));
    assert!((40..=56).contains(&list), "{list}");
    assert_eq!(["POST /login", "POST /logout"].map(|name| count(&ran, name)), [2, 2]);
}

#[test]
fn each_class_has_its_share() {
    let ran = ran("several-classes", "--iterations 50");
    let names = ["GET /todos/", "GET /products", "POST /todos/", "GET /health"];
    let [list, products, create, look] = names.map(|name| count(&ran, name));
    // Ten for each of three Readers, a Writer and the Admin.
    assert_eq!((list + products, create, look), (30, 10, 10));
    assert!(list > products, "{list} and {products}");
}

#[test]
fn each_environment_changes_what_it_says() {
    let text = include_str!("../../plans/cookbook/environments.yaml");
    let plan: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let environments = plan["environments"].as_object().unwrap();
    let known: Vec<&str> = environments.keys().map(String::as_str).collect();
    // The name, its users, its thresholds.
    let expected = [("smoke", 1, 1), ("staging", 50, 2)];
    assert_eq!(known, expected.map(|(name, ..)| name), "each is run here");
    let without = ("", 5, 1);
    for (name, users, thresholds) in [without].into_iter().chain(expected) {
        let choice = if name.is_empty() { String::new() } else { format!("--env {name} ") };
        let ran = ran("environments", &format!("{choice}--iterations {users}"));
        let judged = ran.json["thresholds"].as_array().unwrap().len();
        let peak = &ran.json["run"]["users_peak"];
        assert_eq!((peak, judged), (&users.into(), thresholds), "{name}");
    }
}

#[test]
fn three_visitors_in_ten_pay() {
    let plan = include_str!("../../plans/cookbook/shop.yaml").replace("hold: 3s", "hold: 1h");
    let came = run(&plan).times(1000).against(good);
    came.all_well();
    let sent = |path: &str| came.paths().iter().filter(|sent| **sent == *path).count();
    let paid = sent("/checkout");
    assert!((250..=350).contains(&paid), "{paid} of 1000");
    assert_eq!(sent("/cart"), paid);
}

#[test]
fn the_funnel_narrows_as_its_shares_say() {
    let plan = include_str!("../../plans/cookbook/funnel.yaml").replace("hold: 3s", "hold: 10h");
    let came = run(&plan).times(2000).against(good);
    came.all_well();
    let sent =
        |fits: fn(&str) -> bool| came.paths().iter().filter(|path| fits(path)).count() as f64;
    let home = sent(|path| path == "/page");
    let list = sent(|path| path == "/products");
    let detail = sent(|path| path.starts_with("/products/"));
    let (cart, pay) = (sent(|path| path == "/cart"), sent(|path| path == "/checkout"));
    for (what, share, expected) in [
        ("home", (home - 2000.0) / list, 0.1),
        ("list", list / (0.8 * home + 0.4 * detail), 1.0),
        ("detail", detail / list, 0.7),
        ("cart", cart / detail, 0.4),
        ("pay", pay / cart, 0.6),
    ] {
        assert!((share - expected).abs() < 0.05, "{what}: {share}, not {expected}");
    }
}

#[test]
fn each_of_the_three_files_is_uploaded() {
    let folder = files(&[]);
    for picture in ["red.png", "green.png", "blue.png"] {
        let from = format!("{}/plans/cookbook/{picture}", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(from, folder.path().join(picture)).unwrap();
    }
    let parts = serde_json::json!({ "parts": [
        { "value": "of user 1 of user 2 of user 3 of user 4 of user 5" },
        { "name": "photo", "content_type": "image/png", "size": 74 },
    ] });
    let plan = include_str!("../../plans/cookbook/upload.yaml").replace("hold: 3s", "hold: 10m");
    let answer = parts.to_string();
    let came = run(&plan).within(folder.path()).times(60).against(move |_, _| status(201, &answer));
    came.all_well();
    let sent: Vec<String> =
        came.sent.iter().map(|sent| String::from_utf8_lossy(&sent.bytes).into_owned()).collect();
    let of = |name: &str| {
        let name = format!("filename=\"{name}\"");
        sent.iter().filter(|sent| sent.contains(&name)).count()
    };
    let counts = ["red.png", "green.png", "blue.png"].map(of);
    assert!(counts.iter().all(|count| *count >= 8), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 60);
}
