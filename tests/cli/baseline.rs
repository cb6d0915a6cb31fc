//! Runs that are held against a stored one, and two targets that are loaded in turns.

use std::process::Command;
use std::sync::atomic::Ordering;

use super::compare::{RUN, Run};
use super::support::{self, Folder, answer, server, todo_api};

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

/// One name: ten figures, which 6 runs a side can judge.
const PLAN: &str = "name: Shop\nusers: { A: { wait: { pace: 50ms }, tasks: { a: { get: /todos/ } } } }\n\
    profiles: { short: { users: 1, hold: 1s } }\nthresholds: [ requests > 3 ]\n";

#[test]
fn two_targets_are_loaded_in_turns_and_compared() {
    let (old, new) = (todo_api(), todo_api());
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run =
        format!("run plan.yaml -H http://{} --versus http://{}", old.address(), new.address());
    let said = folder.throng(&format!("{run} --rounds 4 --out both"));
    // In runs of a second only the error rate can be judged.
    assert!([0, 1, 3].contains(&said.code), "{said:?}");
    assert!(said.out.contains("ranks (Mann-Whitney)"), "{}", said.out);
    assert!(said.out.ends_with("\nResults: both/comparison.html\n"), "{}", said.out);
    let planned =
        "4 rounds: 8 runs of 1s, 8s in all; `--rounds 6` would judge all of 10 figures\n\nRound 1";
    assert!(said.err.starts_with(planned), "{}", said.err);
    let turns: Vec<_> = said.err.lines().filter(|line| line.starts_with("Round ")).collect();
    let want = ["1 of 4, A", "1 of 4, B", "2 of 4, B", "2 of 4, A", "3 of 4, A", "3 of 4, B"];
    assert_eq!(turns[..6], want.map(|turn| format!("Round {turn}")));
    for (side, api) in [("a", &old), ("b", &new)] {
        for round in 1..=4 {
            let summary = folder.json(&format!("both/{side}/{round}/summary.json"));
            assert_eq!(summary["run"]["target"], format!("http://{}", api.address()));
            assert!(summary["totals"]["requests"].as_u64() > Some(3));
        }
    }
    assert!(folder.read("both/comparison.html").starts_with("<!doctype html>"));
    assert!(folder.read("both/comparison.md").contains("4 runs"));
    let again = folder.throng(&format!("{run} --out both"));
    assert_eq!(again.code, 2);
    assert!(again.err.starts_with("error: `both/a` is there already\n"), "{}", again.err);
    let json = folder.throng(&format!("{run} -t 300ms --out json --json --quiet"));
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["verdict"]["state"], "cannot_say", "{value}");
    // Without a word of how many, there are as few as can judge all.
    assert_eq!(value["baseline"]["runs"], 6);
    let quiet = folder.throng(&format!("{run} -t 300ms --out quiet --rounds 4 --quiet"));
    assert!(quiet.out.starts_with("Cannot say: "), "{quiet:?}");
    assert_eq!(quiet.out.lines().count(), 1, "{quiet:?}");
}

#[test]
fn what_can_show_nothing_is_a_mistake_before_anything_is_sent() {
    let there = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let there_only = format!("-H http://{} --versus http://127.0.0.1:9 --out out", there.address);
    let mut all = String::new();
    for (options, code) in [
        ("--rounds 2", 2),
        ("--rounds 3", 2),
        ("--rounds 1", 2),
        ("--rounds 1 -t 29s", 2),
        ("--csv-requests all.csv", 2),
        ("", 4),
    ] {
        let said = folder.throng(&format!("run plan.yaml {there_only} {options}"));
        assert_eq!((said.code, &*said.out), (code, ""), "{options}: {}", said.err);
        all += &format!("> {options}\n{}", said.err);
    }
    insta::assert_snapshot!(all, @r##"
    > --rounds 2
    error: 2 rounds can never show a difference at 5%
     |
     = help: write `--rounds 6` to judge all of 10 figures, `--rounds 4` for the p95 of all requests alone, or `--rounds 1` for one run a side; nothing was sent

    1 error
    > --rounds 3
    error: 3 rounds can never show a difference at 5%
     |
     = help: write `--rounds 6` to judge all of 10 figures, `--rounds 4` for the p95 of all requests alone, or `--rounds 1` for one run a side; nothing was sent

    1 error
    > --rounds 1
    error: one run a side of 1s is too short to be compared: it takes 30s
     |
     = help: make it longer, as with `-t 30s`, or write `--rounds 6`; nothing was sent

    1 error
    > --rounds 1 -t 29s
    error: one run a side of 29s is too short to be compared: it takes 30s
     |
     = help: make it longer, as with `-t 30s`, or write `--rounds 6`; nothing was sent

    1 error
    > --csv-requests all.csv
    error: the argument '--versus <URL>' cannot be used with '--csv-requests <FILE>'

    Usage: throng run --target <URL> --versus <URL> --out <DIR> <PLAN|URL> [CLASS]...

    For more information, try '--help'.
    > 
    error: the target http://127.0.0.1:9 was never reached: connect refused
      nothing listens there: check host and port, or the path of the socket, and that the server is up; inside a container, `localhost` is the container
      nothing was sent
    "##);
    assert!(!folder.path().join("out").exists());
    // It is there, and nothing was asked of it.
    there.connected.recv().unwrap();
    assert_eq!(there.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_workflow_of_github_gets_the_comparison_alone() {
    let (old, new) = (todo_api(), todo_api());
    let folder = Folder::new();
    folder.file("plan.yaml", &PLAN.replace("> 3", "> 1000000"));
    let run = format!(
        "run plan.yaml -H http://{} --versus http://{} --rounds 4 -t 300ms --out",
        old.address(),
        new.address()
    );
    let mut command = folder.command(&format!("{run} both"));
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "step.md");
    let said = support::said(command.output().unwrap());
    assert!([1, 3].contains(&said.code), "{said:?}");
    assert!(!said.err.contains("\n::"), "{}", said.err);
    let broke = "\na threshold did not hold in b/1, b/2, b/3, b/4: their reports say which\n";
    assert!(said.code == 3 || said.err.ends_with(broke), "{}", said.err);
    assert_eq!(folder.read("step.md"), format!("\n{}", folder.read("both/comparison.md")));

    let mut command = folder.command(&format!("{run} other"));
    command.env("GITHUB_STEP_SUMMARY", "no/such/folder/step.md");
    let said = support::said(command.output().unwrap());
    assert_eq!(said.code, 3, "{said:?}");
    let error = "error: could not write GITHUB_STEP_SUMMARY, no/such/folder/step.md: ";
    assert!(said.err.contains(error), "{}", said.err);
}

#[test]
fn a_run_that_was_stopped_is_none_of_those_that_are_compared() {
    let old = todo_api();
    // It answers the one request of its first run alone.
    let (held, answers) = std::sync::mpsc::channel::<()>();
    let answers = std::sync::Mutex::new(answers);
    let new = server(move |nth| {
        if nth > 0 {
            let _ = answers.lock().unwrap().recv();
            return None;
        }
        Some(answer(200, ""))
    });
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run = format!(
        "run plan.yaml -H http://{} --versus http://{} -i 1 -t 60s -s 0s --out out",
        old.address(),
        new.address
    );
    let child = folder.start(&run);
    for _ in 0..2 {
        new.asked.recv().unwrap();
    }
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
    let said = support::said(child.wait_with_output().unwrap());
    drop(held);
    assert_eq!(said.code, 130, "{said:?}");
    let begin = "6 rounds: 12 runs of at most 1m, 12m in all; they can judge all of 10 figures\n";
    assert!(said.err.starts_with(begin), "{}", said.err);
    let end = "\nwhat b/2 measured lies in out/stopped-b-2\n\
               both runs of round 1 are whole: `throng compare out/a out/b` compares them\n";
    assert!(said.err.ends_with(end), "{}", said.err);
    let exists = |path: &str| folder.path().join(path).exists();
    assert!(exists("out/stopped-b-2/report.html") && !exists("out/b/2"));
    let compared = folder.throng("compare out/a out/b");
    assert!(compared.out.contains("out/b (1 run of "), "{compared:?}");
}

#[test]
fn results_that_could_not_be_written_are_no_runs_that_cannot_be_trusted() {
    let (old, new) = (todo_api(), todo_api());
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    // In KiB, as bash has it: a report is larger than that, all else is smaller.
    let script = format!(
        "ulimit -f 40; exec {} run plan.yaml -H http://{} --versus http://{} --rounds 4 -t 300ms --out out",
        env!("CARGO_BIN_EXE_throng"),
        old.address(),
        new.address()
    );
    let mut command = Command::new("bash");
    command.current_dir(folder.path()).args(["-c", &script]);
    let said = support::said(command.output().unwrap());
    assert_eq!(said.code, 3, "{said:?}");
    let names = "error: not all results of a/1, b/1, b/2, a/2, a/3, b/3, b/4, a/4 could be written";
    // Unless the machine is so busy that one of them is not to be trusted.
    let busy = said.err.contains("could not be trusted");
    assert!(busy || said.err.contains(names), "{}", said.err);
    assert!(folder.path().join("out/comparison.md").exists());
}
