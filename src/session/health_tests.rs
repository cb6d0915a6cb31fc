//! Owns the tests of runs beside which the generator fares as a script says: whole runs on the demo
//! server, from the plan to the exit code and the files.

use std::time::Duration;

use super::options::{Options, Output, ProfileChoice};
use tokio::sync::mpsc;

use super::run::{Beside, run_beside};
use crate::engine::{Reading, Source, Ticks};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// At each reading a second more has gone by, and what a script says has happened.
struct Scripted {
    readings: u64,
    happens: fn(u64) -> Reading,
}

impl Source for Scripted {
    fn read(&mut self) -> Reading {
        let nth = self.readings;
        self.readings += 1;
        Reading { at: MS(nth * 1000), ..(self.happens)(nth) }
    }
}

/// A run of one user, with what its summary says in the end.
fn run(threshold: &str, happens: fn(u64) -> Reading) -> (u8, serde_json::Value) {
    let text =
        format!("users: {{ One: {{ wait: 20ms, tasks: {{ home: {{ get: / }} }} }} }}\n{threshold}");
    let loaded = crate::plan::parse("plan.yaml", &text);
    let plan = loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let options = Options {
        demo: true,
        workers: Some(1),
        out: Some(out.clone()),
        load: ProfileChoice { users: Some(1), run_time: Some(MS(200)), ..ProfileChoice::default() },
        output: Output { quiet: true, no_report: true, ..Output::default() },
        ..Options::default()
    };
    let health = Box::new(Scripted { readings: 0, happens });
    let beside = Beside { health, orders: mpsc::unbounded_channel().1 };
    let exit = run_beside(&plan, &loaded.sources, &options, beside);
    let summary = std::fs::read_to_string(out.join("summary.json")).unwrap();
    (exit.code(), serde_json::from_str(&summary).unwrap())
}

fn reasons(summary: &serde_json::Value) -> Vec<&str> {
    let reasons = summary["validity"]["reasons"].as_array().expect("there are reasons");
    reasons.iter().filter_map(|reason| reason.as_str()).collect()
}

const HELD: &str = "thresholds: [max < 60s]";
const BROKE: &str = "thresholds: [min > 60s]";

/// In each second all threads together were held back for two.
fn throttled(nth: u64) -> Reading {
    Reading { throttled: Some((nth * 9, MS(nth * 2000))), ..Reading::default() }
}

#[test]
fn a_suspect_run_is_judged_by_its_thresholds() {
    for (threshold, code, state) in [(HELD, 0, "held"), (BROKE, 1, "broke")] {
        let (exit, summary) = run(threshold, throttled);
        assert_eq!(exit, code, "{summary}");
        assert_eq!(
            (&summary["verdict"]["state"], &summary["verdict"]["exit_code"]),
            (&state.into(), &code.into())
        );
        assert_eq!(summary["validity"]["state"], "SUSPECT");
        let reason = reasons(&summary)[0];
        assert!(reason.starts_with("the processor limit of this container held"), "{reason}");
    }
}

/// The machine sleeps for four seconds beside the first that the process sees.
fn asleep(nth: u64) -> Reading {
    let slept = MS(nth.min(1) * 4000);
    Reading { with_sleep: Some(MS(nth * 1000) + slept), ..Reading::default() }
}

#[test]
fn an_invalid_run_is_3_whatever_the_thresholds_say() {
    for threshold in [HELD, BROKE] {
        let (exit, summary) = run(threshold, asleep);
        assert_eq!((exit, &summary["verdict"]["state"]), (3, &"untrusted".into()));
        assert_eq!(summary["validity"]["state"], "INVALID");
        assert_eq!(
            reasons(&summary)[0],
            "the process was suspended for 4.0s: what was under way looks slower by that, so run it again"
        );
        assert_eq!(summary["generator"]["suspended_s"], 4.0);
    }
}

/// The processors have half to do, and eleven descriptors are open.
fn well(nth: u64) -> Reading {
    Reading {
        machine: Some(Ticks { all: nth * 100, idle: nth * 50, stolen: None }),
        files: Some(11),
        ..Reading::default()
    }
}

#[test]
fn what_the_system_does_not_tell_is_null_and_no_zero() {
    let (_, summary) = run("", well);
    let generator = &summary["generator"];
    assert_eq!(
        (&generator["machine_busy_fraction_avg"], &generator["files_max"]),
        (&0.5.into(), &11.into())
    );
    for key in ["process_cores_avg", "stolen_fraction_avg", "throttled_s", "suspended_s", "ports"] {
        assert_eq!(generator[key], serde_json::Value::Null, "{key}");
    }
    // The worker measures that itself.
    assert!(generator["stall_ms_max"].is_number(), "{generator}");
    for key in ["arrivals", "dropped", "late_starts", "beat_late_ms_p99"] {
        assert_eq!(summary["run"][key], serde_json::Value::Null, "{key}");
    }
}
