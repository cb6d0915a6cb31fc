//! Owns the tests of runs whose load is changed while they go on: whole runs on the demo server.

use std::time::Duration;

use tokio::sync::mpsc;

use super::options::{Options, Output, ProfileChoice};
use super::run::steered;
use crate::control::{Order, Steer};

/// A run of a second, with what its summary says of changes and the greatest number of users.
fn run(load: ProfileChoice, changes: &[(&str, Steer)]) -> (serde_json::Value, f64, u64) {
    let text = "users: { One: { wait: 20ms, tasks: { home: { get: / } } } }\n";
    let loaded = crate::plan::parse("plan.yaml", text);
    let plan = loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let options = Options {
        demo: true,
        workers: Some(2),
        out: Some(out.clone()),
        load: ProfileChoice { run_time: Some(Duration::from_secs(1)), ..load },
        output: Output { quiet: true, no_report: true, ..Output::default() },
        ..Options::default()
    };
    let (sender, orders) = mpsc::unbounded_channel();
    for (by, change) in changes {
        sender.send(Order { by: (*by).to_owned(), change: *change }).unwrap();
    }
    let _ = steered(&plan, &loaded.sources, &options, orders);
    let summary = std::fs::read_to_string(out.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let users = summary["history"]["users"].as_array().unwrap().iter();
    let users = users.filter_map(serde_json::Value::as_f64).fold(0.0, f64::max);
    (summary["changes"].clone(), users, summary["run"]["arrivals"].as_u64().unwrap_or(0))
}

#[test]
fn results_say_who_changed_the_load_and_when() {
    let load = ProfileChoice { users: Some(1), ..ProfileChoice::default() };
    let more = Steer::Users { of: None, users: 6, over: Duration::ZERO };
    let rate =
        Steer::Rate { of: None, rate: crate::units::Rate::per_second(5), over: Duration::ZERO };
    let (changes, users, _) = run(load, &[("Ada <ada@example.org>", more), ("Bob", rate)]);
    // A rate is refused: the run has users.
    let changes = changes.as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["by"], &changes[0]["change"]),
        (&"Ada <ada@example.org>".into(), &"6 users".into())
    );
    assert!(changes[0]["at_s"].as_f64().unwrap() >= 0.1, "{changes:?}");
    // A mean of the last stretch, which is a little more than its end.
    assert!((5.0..=6.0).contains(&users), "{users}");
}

#[test]
fn a_paused_run_starts_nothing() {
    let load = ProfileChoice {
        rate: Some(crate::units::Rate::per_second(50)),
        ..ProfileChoice::default()
    };
    let (changes, _, arrivals) = run(load, &[("Ada", Steer::Pause)]);
    assert_eq!(changes[0]["change"], "paused");
    assert_eq!(arrivals, 50, "those that were left out as well");
}
