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
                    let found = faults(&ran);
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

/// What a run should not have had. Its rates depend on the machine, and so do the reasons for which a
/// generator does not trust itself.
fn faults(ran: &Ran) -> String {
    let json = &ran.json;
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
        let metric =
            Threshold::parse(threshold["text"].as_str().unwrap()).map(|known| known.metric);
        if threshold["state"] != "held" && !matches!(metric, Ok(Metric::Rps)) {
            found += &format!("{threshold} ");
        }
    }
    found
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
