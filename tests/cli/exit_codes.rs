//! The table of exit codes: CI reads these.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use super::support::{Folder, answer, nothing, said, server};

const PLAN: &str = "\
name: One page
users:
  Visitor:
    wait: 100ms
    tasks:
      home: { get: / }
      away: { weight: 0, get: /away }
thresholds:
";

fn without_thresholds() -> String {
    PLAN.replace("thresholds:\n", "")
}

fn run(thresholds: &str, options: &str, target: &str) -> (Folder, super::support::Said) {
    let folder = Folder::new();
    let plan = if thresholds.is_empty() { without_thresholds() } else { PLAN.to_owned() };
    folder.file("plan.yaml", &format!("{plan}{thresholds}"));
    let said =
        folder.throng(&format!("run plan.yaml --target http://{target} --out out {options}"));
    (folder, said)
}

#[test]
fn held_is_0() {
    let server = server(|_| Some(answer(200, "hello")));
    let (folder, said) = run(
        "  - error_rate < 1%\n  - { of: /, must: max < 60s }\n",
        "-u 2 -t 1s",
        &server.address.to_string(),
    );
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(folder.json("out/summary.json")["verdict"]["state"], "held");
}

#[test]
fn a_broken_threshold_is_1() {
    let server = server(|_| Some(answer(500, "")));
    let (folder, said) = run("  - error_rate < 1%\n", "-u 1 -t 500ms", &server.address.to_string());
    assert_eq!(said.code, 1);
    assert!(said.out.contains("✗ error_rate < 1%  100%  broke"), "{}", said.out);
    assert!(said.out.contains("Failures: server errors (5xx)"), "{}", said.out);
    assert!(folder.read("out/failures.csv").contains("GET,/,status 500,"));
    assert_eq!(folder.json("out/summary.json")["verdict"]["exit_code"], 1);
}

#[test]
fn no_data_is_1() {
    let server = server(|_| Some(answer(200, "")));
    let (_, said) =
        run("  - { of: /away, must: p95 < 500ms }\n", "-u 1 -t 500ms", &server.address.to_string());
    assert_eq!(said.code, 1);
    assert!(said.out.contains("✗ p95 < 500ms of /away  no data  not a pass"), "{}", said.out);
}

#[test]
fn without_thresholds_failures_are_said_and_it_is_0() {
    let server = server(|_| Some(answer(404, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    let said =
        folder.throng(&format!("run plan.yaml --target http://{} -u 1 -t 300ms", server.address));
    assert_eq!(said.code, 0);
    assert!(said.out.contains("No thresholds to judge: "), "{}", said.out);
    assert!(said.out.contains("unexpected status"), "{}", said.out);
}

#[test]
fn a_wrong_plan_or_command_line_is_2_and_nothing_is_sent() {
    let server = server(|_| Some(answer(200, "")));
    let target = server.address.to_string();
    let (_, wrong_plan) = run("  - p95 < 500\n", "-u 1 -t 1s", &target);
    let (_, no_users) = run("", "", &target);
    let (_, no_time) = run("", "-u 1", &target);
    let (_, no_profile) = run("", "--profile lode", &target);
    let (_, no_class) = run("", "-u 1 -t 1s Visiter", &target);
    let codes = [&wrong_plan, &no_users, &no_time, &no_profile, &no_class].map(|said| said.code);
    assert_eq!(codes, [2; 5]);
    assert!(no_users.err.contains("nothing says how many users there are"), "{}", no_users.err);
    assert!(no_users.err.contains("`-u 20 -r 5 -t 15s`"), "{}", no_users.err);
    assert!(no_time.err.contains("nothing says how long the run is"), "{}", no_time.err);
    assert!(no_profile.err.contains("the plan has no profile `lode`"), "{}", no_profile.err);
    assert!(no_class.err.contains("did you mean `Visitor`?"), "{}", no_class.err);
    assert!(server.connected.try_recv().is_err(), "nothing was sent");
}

#[test]
fn no_target_is_2() {
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    let said = folder.throng("run plan.yaml -u 1 -t 1s");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no target"), "{}", said.err);
    assert!(said.err.contains("`--target URL`"), "{}", said.err);
}

#[test]
fn a_folder_that_cannot_be_written_is_2_before_the_run() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds()).file("taken", "");
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -t 1s --out taken/here",
        server.address
    ));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the results cannot be written to `taken/here`"), "{}", said.err);
    assert!(server.connected.try_recv().is_err(), "nothing was sent");
}

#[test]
fn too_few_descriptors_are_2_before_the_run_with_the_arithmetic() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    let program = env!("CARGO_BIN_EXE_throng");
    let line = format!(
        "ulimit -n 200; exec {program} run plan.yaml --target http://{} -u 500 -t 1s --workers 2",
        server.address
    );
    let output =
        Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    let said = said(output);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("500 users need 572 file descriptors, and this process may have 200"),
        "{}",
        said.err
    );
    assert!(said.err.contains("run at most 128 users"), "{}", said.err);
    assert!(server.connected.try_recv().is_err(), "nothing was sent");
}

/// Row 66 of the catalogue. Hosts that are met while running are not counted before.
#[test]
fn a_generator_that_runs_out_of_descriptors_is_3() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let plan = format!(
        "users:\n  U:\n    tasks:\n      all:\n        steps:\n          - {{ repeat: 100, do: {{ get: \"http://h{{{{ counter('n') }}}}.localhost:{}/\", name: any }} }}
profiles: {{ only: {{ users: 1, hold: 1h, iterations: 1 }} }}",
        server.address.port()
    );
    folder.file("plan.yaml", &plan);
    let program = env!("CARGO_BIN_EXE_throng");
    let line = format!(
        "ulimit -n 80; exec {program} run plan.yaml --target http://{} --workers 1 --out out",
        server.address
    );
    let output =
        Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    let said = said(output);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("no file descriptors left"), "{}", said.out);
    assert!(said.out.contains("INVALID"), "{}", said.out);
}

#[test]
fn results_that_cannot_be_written_are_3_and_the_rest_is_there() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    // A folder stands where the report should go: no root can write that either.
    std::fs::create_dir_all(folder.path().join("out/report.html")).unwrap();
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -t 300ms --out out",
        server.address
    ));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("error: could not write out/report.html: "), "{}", said.err);
    assert!(said.out.contains("Aggregated"), "the summary is still printed\n{}", said.out);
    assert!(folder.read("out/stats.csv").contains(",Aggregated,"));
}

#[test]
fn a_closed_stdout_is_3_and_the_files_are_there() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    let line = format!("run plan.yaml --target http://{} -u 1 -t 300ms --out out", server.address);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_throng"))
        .args(line.split(' '))
        .current_dir(folder.path())
        .stdout(full)
        .output()
        .unwrap();
    let said = said(output);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("could not write the summary on stdout"), "{}", said.err);
    assert!(folder.read("out/report.html").contains("<html"));
}

#[test]
fn a_target_that_was_never_reached_is_4() {
    let (folder, said) = run("", "-u 1 -t 1s", &nothing().to_string());
    assert_eq!(said.code, 4);
    assert!(said.err.contains("was never reached: connect refused"), "{}", said.err);
    assert!(said.err.contains("nothing listens there: check host and port"), "{}", said.err);
    assert!(!folder.path().join("out").exists(), "nothing is left of a run that did not begin");
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    let line = format!("run plan.yaml --target http://{} -u 1 -t 1s --out mine", nothing());
    assert_eq!(folder.throng(&line).code, 4);
    assert!(folder.path().join("mine").exists(), "what was there before stays");
    let (_, unknown) = run("", "-u 1 -t 1s", "no-such-host.invalid");
    assert_eq!(unknown.code, 4);
    assert!(unknown.err.contains("the name does not exist"), "{}", unknown.err);
}

fn signalled(signal: &str, second: bool) -> (Folder, super::support::Said, usize) {
    // The second answer never comes: only cutting ends that request.
    let server = server(move |nth| {
        if second && nth > 0 {
            std::thread::park();
        }
        Some(answer(200, ""))
    });
    let folder = Folder::new();
    folder.file("plan.yaml", &without_thresholds());
    let line = format!("run plan.yaml --target http://{} -u 1 -t 60s --out out", server.address);
    let mut child = folder.start(&line);
    for _ in 0..2 {
        server.asked.recv().unwrap();
    }
    let kill = || {
        let status = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    };
    kill();
    if second {
        // The first word is heard when the program says so.
        use std::io::{BufRead, BufReader};
        let stderr = child.stderr.take().unwrap();
        let mut lines = BufReader::new(stderr).lines();
        assert!(lines.any(|line| line.unwrap().contains("again to cut")));
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
    let said = said(child.wait_with_output().unwrap());
    (folder, said, server.requests.load(Ordering::SeqCst))
}

#[test]
fn sigint_is_130_and_the_results_up_to_there_are_complete() {
    let (folder, said, requests) = signalled("-INT", false);
    assert_eq!(said.code, 130, "{}{}", said.out, said.err);
    let summary = folder.json("out/summary.json");
    assert_eq!(summary["run"]["stopped"], "interrupted");
    assert_eq!(summary["totals"]["requests"], requests);
    assert!(said.out.contains("Stopped before its end"), "{}", said.out);
}

#[test]
fn sigterm_is_143() {
    let (folder, said, _) = signalled("-TERM", false);
    assert_eq!(said.code, 143);
    assert_eq!(folder.json("out/summary.json")["run"]["stopped"], "terminated");
}

#[test]
fn a_second_signal_cuts_at_once_and_counts_what_was_cut() {
    let (folder, said, requests) = signalled("-INT", true);
    assert_eq!(said.code, 130, "{}", said.out);
    let run = &folder.json("out/summary.json")["run"];
    assert_eq!(
        (run["issued"].as_u64(), run["cancelled"].as_u64()),
        (Some(requests as u64), Some(1))
    );
    assert!(said.out.contains("1 request was cut at the end"), "{}", said.out);
}

#[test]
fn a_run_that_the_plan_ends_names_the_step() {
    let folder = Folder::new();
    let profiles = "profiles: { only: { users: 1, hold: 1h } }\n";
    let ended = |plan: &str| {
        folder.file("plan.yaml", &format!("{plan}{profiles}"));
        let said = folder.throng("run plan.yaml --demo --out out --no-report --json");
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let run = folder.json("out/summary.json")["run"].clone();
        assert_eq!(run["stopped"], "plan");
        let by = run["stopped_by"].as_str().unwrap().to_owned();
        let line = format!("stopping: the plan ends the run ({by})");
        assert!(said.err.contains(&line), "{}", said.err);
        by
    };
    let stop =
        "users:\n  Editor:\n    tasks:\n      create:\n        steps:\n          - get: /health\n";
    let stop = ended(&format!("{stop}          - stop: run\n"));
    assert_eq!(stop, "Editor › create, plan.yaml:7");
    let called = "flows:\n  end:\n    steps:\n      - get: /absent\n        on_fail: run\n";
    let called = ended(&format!(
        "{called}users: {{ A: {{ tasks: {{ one: {{ steps: [ {{ call: end }} ] }} }} }} }}\n"
    ));
    assert_eq!(called, "A › one, plan.yaml:4");
    let start =
        "users:\n  A:\n    on_start:\n      parallel:\n        - { get: /absent, on_fail: run }\n";
    let start = ended(&format!("{start}    tasks: {{ one: {{ get: / }} }}\n"));
    assert_eq!(start, "A › on_start, plan.yaml:4");
    let before = "before:\n  - stop: run\nusers: { A: { tasks: { one: { get: / } } } }\n";
    assert_eq!(ended(before), "before, plan.yaml:2");
}

/// What was under way is finished and counted: the figures are exact.
#[test]
fn a_threshold_that_ends_the_run_is_1_and_named() {
    let server = server(|_| Some(answer(500, "")));
    let target = server.address.to_string();
    let long = "-u 3 -t 1h --no-report";
    for (threshold, by, place) in [
        ("{ must: error_rate < 20%, abort: true }", "error_rate < 20%", "0s to 1s"),
        (
            "{ of: /, must: failures == 0, every: 2s, after: 500ms, abort: true }",
            "failures == 0 of name: / in each 2s, after 1s",
            "1s to 3s",
        ),
    ] {
        let before = server.requests.load(Ordering::SeqCst);
        let (folder, said) = run(&format!("  - {threshold}\n"), long, &target);
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        let line = format!("stopping: `{by}` broke, which ends the run\n");
        assert!(said.err.contains(&line), "{}", said.err);
        let ended = "The threshold did not hold, which ended the run: ";
        assert!(said.out.contains(ended), "{}", said.out);
        assert!(
            said.out.contains(&format!("  broke  {place}, and ended the run\n")),
            "{}",
            said.out
        );
        let summary = folder.json("out/summary.json");
        assert_eq!(summary["run"]["stopped"], "threshold");
        assert_eq!(summary["run"]["stopped_by"], by);
        assert_eq!(summary["verdict"]["state"], "broke");
        let requests = server.requests.load(Ordering::SeqCst) - before;
        assert_eq!(summary["totals"]["requests"], requests);
        assert_eq!(summary["run"]["issued"], requests);
        assert_eq!(summary["run"]["cancelled"], 0);
    }
}

/// Ctrl-C while a threshold's end is under way is the first one.
#[test]
fn a_threshold_that_ends_the_run_does_not_hide_a_signal() {
    use std::io::{BufRead, BufReader};
    // Every user waits for an answer that does not come.
    let server = server(|nth| {
        if nth > 2 {
            std::thread::sleep(std::time::Duration::from_secs(600));
        }
        Some(answer(500, ""))
    });
    let folder = Folder::new();
    folder.file("plan.yaml", &format!("{PLAN}  - {{ must: failures == 0, abort: true }}\n"));
    let target = server.address;
    let line = format!("run plan.yaml --target http://{target} --out out -u 3 -t 1h --no-report");
    let mut child = folder.start(&line);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("`failures == 0` broke")));
    for said in ["what is under way may finish", ""] {
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(status.unwrap().success());
        if !said.is_empty() {
            assert!(lines.any(|line| line.unwrap().contains(said)));
        }
    }
    let said = said(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{}", said.out);
    let summary = folder.json("out/summary.json");
    assert_eq!(
        (&summary["run"]["stopped"], &summary["run"]["stopped_by"]),
        (&"interrupted".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&summary["totals"]["requests"], &summary["run"]["cancelled"]),
        (&3.into(), &3.into())
    );
}

#[test]
fn a_threshold_of_windows_says_in_which_it_broke() {
    let server = server(|_| Some(answer(500, "")));
    let target = server.address.to_string();
    let thresholds = "  - { must: [failures == 0, min < 1h], every: 1s }\n";
    let (folder, said) = run(thresholds, "-u 1 -t 3s --no-report", &target);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let lines: Vec<&str> = said.out.lines().filter(|line| line.contains(" in each 1s")).collect();
    assert!(lines[0].contains("✗ failures == 0 in each 1s"), "{}", said.out);
    assert!(lines[0].contains("  broke  in 3 of 3 windows, worst "), "{}", said.out);
    assert!(lines[1].contains("✓ min < 1h in each 1s"), "{}", said.out);
    assert!(lines[1].contains("  in 3 windows, worst "), "{}", said.out);
    let shown = folder.json("out/summary.json")["thresholds"][0].clone();
    assert_eq!((&shown["every_s"], &shown["windows"]["broken"]), (&1.into(), &3.into()));
}

#[test]
fn a_run_too_short_for_its_windows_is_warned_of_and_1() {
    let server = server(|_| Some(answer(200, "")));
    let target = server.address.to_string();
    let threshold = "  - { must: p95 < 1h, every: 2s, after: 1s }\n";
    let (_, said) = run(threshold, "-u 1 -t 2s --no-report", &target);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let warning =
        "warning: this run of 2s is over before `p95 < 1h in each 2s, after 1s` can be judged";
    assert!(said.err.contains(warning), "{}", said.err);
    let line = "✗ p95 < 1h in each 2s, after 1s  no data  not a pass  no window was whole\n";
    assert!(said.out.contains(line), "{}", said.out);
}
