//! What the world does to a run, and what becomes of its results.

use std::process::Command;

use super::support::{Folder, Said, answer, said, server, todo_api};

const PLAN: &str = "users: { One: { wait: 10ms, tasks: { home: { get: /, timeout: 200ms } } } }\n";

fn failures(folder: &Folder) -> Vec<(String, u64)> {
    let summary = folder.json("out/summary.json");
    let rows = summary["failures"].as_array().unwrap().iter();
    rows.map(|row| (row["error"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap()))
        .collect()
}

#[test]
fn a_target_that_dies_and_comes_back_is_seen_doing_both() {
    let server = server(|nth| (!(10..20).contains(&nth)).then(|| answer(200, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 50 -u 1 -X POST --out out"));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(failures(&folder), [("closed early: no answer".to_owned(), 10)]);
    let totals = &folder.json("out/summary.json")["totals"];
    assert_eq!((&totals["requests"], &totals["failures"]), (&50.into(), &10.into()));
    assert!(said.out.contains("Failures: connection\n"), "{}", said.out);
    assert!(said.out.contains("       10  closed early: no answer  POST /\n"), "{}", said.out);
    assert!(
        said.out.contains("the server closed the connection instead of answering: look at its log")
    );
}

#[test]
fn a_target_that_is_gone_for_good_is_counted_to_the_end() {
    let api = todo_api();
    let address = api.address();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let mut child = folder
        .start(&format!("run plan.yaml --target http://{address} -u 2 -t 2s --out out --json"));
    // The heading comes after the target was reached.
    let mut line = String::new();
    let stderr = child.stderr.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut line).unwrap();
    drop(api);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "without thresholds");
    let failures = failures(&folder);
    assert!(failures.iter().any(|(error, _)| error == "connect refused"), "{failures:?}");
    let run = &folder.json("out/summary.json")["run"];
    assert_eq!(run["issued"], folder.json("out/summary.json")["totals"]["requests"]);
}

#[test]
fn a_target_that_does_not_answer_is_a_timeout() {
    let server = server(|nth| {
        if nth % 2 == 1 {
            std::thread::park();
        }
        Some(answer(200, ""))
    });
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let said = folder
        .throng(&format!("run plan.yaml --target http://{} -u 1 -t 1s --out out", server.address));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("Failures: timeouts\n"), "{}", said.out);
    let row = failures(&folder);
    assert!(row.len() == 1 && row[0].0.starts_with("timeout: "), "{row:?}");
}

/// A run whose files may not grow beyond so many KiB.
fn limited(folder: &Folder, kib: u32) -> Said {
    let server = server(|_| Some(answer(200, "")));
    let program = env!("CARGO_BIN_EXE_throng");
    // The shell counts in blocks: bash of 1024 bytes, others of 512.
    let line =
        format!("ulimit -f {kib}; exec {program} run http://{}/ -n 20 --out out", server.address);
    let output = Command::new("bash").args(["-c", &line]).current_dir(folder.path()).output();
    said(output.unwrap())
}

#[test]
fn a_full_disk_is_named_and_what_fits_is_kept() {
    let folder = Folder::new();
    // The report has some 70 KiB, everything else less than 32.
    let said = limited(&folder, 32);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(
        said.err.ends_with(
            "error: could not write out/report.html: File too large\n  \
             what else was measured is in the other results\n"
        ),
        "{}",
        said.err
    );
    assert!(!folder.path().join("out/report.html").exists(), "half a report would mislead");
    assert_eq!(folder.json("out/summary.json")["totals"]["requests"], 20);
    assert!(folder.read("out/stats.csv").contains(",Aggregated,20,"));
    assert!(said.out.contains("20 requests, none failed."), "{}", said.out);
}

#[test]
fn a_stdout_that_is_thrown_away_is_no_failure_however_it_was_opened() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_throng");
    // Shells open /dev/null for writing, Python and Node for reading too.
    for redirect in [">/dev/null", "1<>/dev/null"] {
        let line =
            format!("exec {program} run http://{}/ -n 3 --out out {redirect}", server.address);
        let shell = Command::new("bash").args(["-c", &line]).current_dir(folder.path()).output();
        let said = said(shell.unwrap());
        assert_eq!(said.code, 0, "{redirect}: {}", said.err);
        assert!(!said.err.contains("could not write"), "{redirect}: {}", said.err);
    }
}

#[test]
fn not_even_the_first_line_of_a_file_is_said_before_the_run() {
    let folder = Folder::new();
    let said = limited(&folder, 0);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("the results cannot be written to `out"), "{}", said.err);
    assert!(said.err.contains("choose another place, as with `--out DIR`; nothing was sent"));
}

#[test]
fn all_that_was_measured_is_told_when_every_answer_is_an_error() {
    let server = server(|nth| Some(answer(if nth % 3 == 0 { 503 } else { 500 }, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 30 -u 3 --out out --fail-on-error"));
    assert_eq!(said.code, 1);
    assert_eq!(failures(&folder), [("status 500".to_owned(), 20), ("status 503".to_owned(), 10)]);
    assert!(said.out.contains("Failures: server errors (5xx)\n"), "{}", said.out);
}
