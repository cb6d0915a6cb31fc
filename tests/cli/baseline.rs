//! Runs that are held against a stored one, and two targets that are loaded in turns.

use super::compare::{RUN, Run};
use super::support::{Folder, todo_api};

const THRESHOLDS: &[&str] =
    &["p95 < baseline * 1.10", "avg < baseline + 10ms", "error_rate < baseline + 1 points"];

fn report(folder: &Folder, arguments: &str) -> (i32, String, String) {
    let said = folder.throng(&format!("report new {arguments}"));
    let begin = said.out.find("Thresholds\n").unwrap_or(0);
    let end = said.out.find("Results:").unwrap_or(said.out.len());
    let thresholds = &said.out[begin..end];
    (said.code, thresholds.to_owned(), said.err)
}

#[test]
fn a_limit_on_a_baseline_breaks_when_a_difference_is_shown() {
    let folder = Folder::new();
    RUN.record(&folder, "old", 1);
    Run { thresholds: THRESHOLDS, ..RUN }.record(&folder, "new", 2);
    let (code, thresholds, err) = report(&folder, "--baseline old");
    assert_eq!((code, &*err), (0, ""), "{thresholds}");
    insta::assert_snapshot!(thresholds, @r"
    Thresholds
      ✓ p95 < baseline * 1.10             160ms  baseline 159ms, +0.24% (-3.7% to +4.3%)
      ✓ avg < baseline + 10ms             70.5ms  baseline 70.7ms
      ✓ error_rate < baseline + 1 points  0%  baseline 0%, 0 pt (-0.25 to +0.25)

    All 3 thresholds held: 1,220 requests, none failed. VALID
    ");
    let slower = Run { thresholds: THRESHOLDS, medians: [52.0, 117.0], ..RUN };
    slower.record(&folder, "new", 3);
    let (code, thresholds, _) = report(&folder, "--baseline old");
    assert_eq!(code, 1);
    insta::assert_snapshot!(thresholds, @r"
    Thresholds
      ✗ p95 < baseline * 1.10             204ms  broke  baseline 159ms, +28% (+22% to +34%)
      ✗ avg < baseline + 10ms             91.3ms  broke  baseline 70.7ms
      ✓ error_rate < baseline + 1 points  0%  baseline 0%, 0 pt (-0.25 to +0.25)

    2 of 3 thresholds did not hold: 1,220 requests, none failed. VALID
    ");
    let summary = folder.json("new/summary.json");
    assert_eq!(summary["thresholds"][0]["state"], "broke");
    // Which one it was is kept with the run; without it nothing is judged.
    let (code, thresholds, err) = report(&folder, "");
    assert_eq!((code, &*err), (0, ""));
    assert!(thresholds.contains("not judged: there is no baseline"), "{thresholds}");
}

#[test]
fn a_run_is_told_beside_its_baseline() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { A: { wait: { pace: 50ms }, tasks: { a: { get: /todos/ } } } }\n\
         profiles: { short: { users: 1, hold: 2s } }\n\
         thresholds: [ max < baseline + 1m, p50 < baseline * 100 ]\n",
    );
    let run = format!("run plan.yaml -H http://{} ", api.address());
    let first = folder.throng(&format!("{run} --out before"));
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.out.contains("not judged: there is no baseline"), "{}", first.out);
    let second = folder.throng(&format!("{run} --out after --baseline before"));
    // Two seconds are too few to be compared, and that is no pass.
    assert_eq!(second.code, 1, "{second:?}");
    let last: Vec<_> = second.out.lines().rev().take(2).collect();
    assert!(last[0].starts_with("Beside before: Cannot say: "), "{}", second.out);
    assert_eq!(last[1], "Results: after/report.html");
    assert!(second.out.contains("cannot say: "), "{}", second.out);
    assert!(folder.read("after/comparison.html").starts_with("<!doctype html>"));
    assert!(folder.read("after/comparison.md").contains("before"));
    // The same again, as long as the baseline is there.
    let summary = folder.read("after/summary.json");
    folder.throng("report after --quiet");
    assert_eq!(folder.read("after/summary.json"), summary);
    std::fs::rename(folder.path().join("before"), folder.path().join("moved")).unwrap();
    let gone = folder.throng("report after --quiet");
    // No data is not a pass.
    assert_eq!(gone.code, 1, "{gone:?}");
    let before = std::fs::canonicalize(folder.path()).unwrap().join("before");
    let want = format!(
        "warning: the baseline `before` of that run cannot be had\n  there is no `{}`; of thresholds on \
         it there is no data: name it, as `--baseline RESULTS`\n",
        before.display()
    );
    assert_eq!(gone.err, want);
    assert_eq!(folder.json("after/summary.json")["thresholds"][0]["state"], "no_data");
    folder.throng("report after --quiet --baseline moved");
    assert_eq!(folder.json("after/summary.json")["thresholds"][0]["state"], "held");
    let none = folder.throng(&format!("{run} --out none --baseline nowhere"));
    assert_eq!(none.code, 2);
    assert!(none.err.starts_with("error: there is no `nowhere`\n"), "{}", none.err);
    assert!(!folder.path().join("none").exists());
    // It would be gone before anything could be compared with it.
    let over = folder.throng(&format!("{run} --out moved --baseline moved/record.jsonl.gz"));
    assert_eq!(over.code, 2);
    let want = "error: the results would be written over the baseline `moved/record.jsonl.gz`\n";
    assert!(over.err.starts_with(want), "{}", over.err);
    // What cannot be written makes the exit code that of results that could not be.
    std::fs::create_dir_all(folder.path().join("full/comparison.md")).unwrap();
    let full = folder.throng(&format!("{run} --out full --baseline moved --quiet"));
    assert_eq!(full.code, 3, "{full:?}");
    assert!(full.err.contains("could not write full/comparison.md: "), "{}", full.err);
}

/// `results/latest` leads to another run as soon as there is one.
#[test]
fn the_latest_run_is_a_baseline_too() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { A: { wait: { pace: 50ms }, tasks: { a: { get: /todos/ } } } }\n\
         profiles: { short: { users: 1, hold: 1s } }\nthresholds: [ max < baseline + 1m ]\n",
    );
    let run = format!("run plan.yaml -H http://{} --quiet", api.address());
    folder.throng(&run);
    let first = std::fs::canonicalize(folder.path().join("results/latest")).unwrap();
    let said = folder.throng(&format!("{run} --baseline results/latest"));
    assert!([0, 3].contains(&said.code), "{said:?}");
    assert!(said.out.contains("\nBeside results/latest: Cannot say: "), "{}", said.out);
    assert_eq!(said.err, "");
    let second = std::fs::canonicalize(folder.path().join("results/latest")).unwrap();
    assert_ne!(first, second);
    let before = std::fs::read_to_string(second.join("comparison.md")).unwrap();
    std::fs::remove_file(second.join("comparison.md")).unwrap();
    let again = folder.throng("report results/latest --quiet");
    assert!([0, 3].contains(&again.code), "{again:?}");
    assert_eq!(again.err, "");
    // Not of itself.
    let after = std::fs::read_to_string(second.join("comparison.md")).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&before).len(), lines(&after).len());
    assert_eq!(lines(&before)[2..8], lines(&after)[2..8]);
}

#[test]
fn two_targets_are_loaded_in_turns_and_compared() {
    let (old, new) = (todo_api(), todo_api());
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "name: Shop\nusers: { A: { wait: { pace: 50ms }, tasks: { a: { get: /todos/ } } } }\n\
         profiles: { short: { users: 1, hold: 1s } }\nthresholds: [ requests > 3 ]\n",
    );
    let run =
        format!("run plan.yaml -H http://{} --versus http://{}", old.address(), new.address());
    let said = folder.throng(&format!("{run} --rounds 2 --out both"));
    // Runs of a second are too short to say anything, and no data is not a pass.
    assert!([1, 3].contains(&said.code), "{said:?}");
    assert!(said.out.contains("Cannot say: "), "{}", said.out);
    let turns: Vec<_> = said.err.lines().filter(|line| line.starts_with("Round ")).collect();
    let want = ["Round 1 of 2, A", "Round 1 of 2, B", "Round 2 of 2, B", "Round 2 of 2, A"];
    assert_eq!(turns, want);
    for (side, api) in [("a", &old), ("b", &new)] {
        for round in 1..=2 {
            let summary = folder.json(&format!("both/{side}/{round}/summary.json"));
            assert_eq!(summary["run"]["target"], format!("http://{}", api.address()));
            assert!(summary["totals"]["requests"].as_u64() > Some(3));
        }
    }
    assert!(folder.read("both/comparison.html").starts_with("<!doctype html>"));
    assert!(folder.read("both/comparison.md").contains("2 runs"));
    let json = folder.throng(&format!("{run} --rounds 1 --out json --json --quiet"));
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["verdict"]["state"], "cannot_say", "{value}");
    let again = folder.throng(&format!("{run} --out both"));
    assert_eq!(again.code, 2);
    assert!(again.err.starts_with("error: `both/a` is there already\n"), "{}", again.err);
    let away = folder.throng(&format!(
        "run plan.yaml -H http://{} --versus http://127.0.0.1:9 --rounds 1 --out away",
        old.address()
    ));
    assert_eq!(away.code, 4, "{away:?}");
}
