//! Searches for a limit: whole runs against a server that refuses when more than so many users are there.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::{Folder, Said, answer};

/// A server that answers 503 while it has more connections than `limit`: each user holds one.
fn server(limit: usize) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let there = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let there = there.clone();
            std::thread::spawn(move || {
                there.fetch_add(1, Ordering::SeqCst);
                serve(stream, || there.load(Ordering::SeqCst) <= limit);
                there.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    address
}

fn serve(mut stream: TcpStream, has_room: impl Fn() -> bool) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
        while let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            read.drain(..end + 4);
            let text = answer(if has_room() { 200 } else { 503 }, "");
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Searches from 2 to `to` users; with `more` on the command line.
fn search(folder: &Folder, limit: usize, to: u32, more: &str) -> Said {
    let plan = format!(
        "users: {{ U: {{ wait: 20ms, tasks: {{ home: {{ get: / }} }} }} }}\n\
         thresholds: [error_rate < 0.1%]\n\
         profile: other\n\
         profiles:\n\
         \x20 limit: {{ search: {{ from: 2, to: {to}, hold: 1s, settle: 200ms, must: error_rate < 1% }} }}\n\
         \x20 other: {{ users: 1, hold: 1s }}\n"
    );
    folder.file("plan.yaml", &plan);
    let target = server(limit);
    folder.throng(&format!("run plan.yaml --profile limit -H http://{target} --out out {more}"))
}

#[test]
fn the_limit_is_found_and_shown_again_from_the_record() {
    let folder = Folder::new();
    let run = search(&folder, 3, 8, "");
    assert_eq!(run.code, 0, "{run:?}");
    let summary = folder.json("out/summary.json");
    let answer = &summary["search"]["answer"];
    assert_eq!(
        (&answer["state"], &answer["level"], &answer["at_least"], &answer["below"]),
        (&"found".into(), &3.into(), &3.into(), &4.into()),
        "{run:?}"
    );
    assert_eq!(answer["confirmed"], true);
    let sentence = answer["sentence"].as_str().unwrap();
    assert_eq!(
        sentence,
        "3 users hold (confirmed for 2s); at 4 users error_rate was 100%, over its limit of 1%"
    );
    assert_eq!(summary["verdict"]["sentence"], format!("{sentence}."));
    let path = summary["search"]["path"].as_array().unwrap();
    let levels: Vec<_> = path.iter().map(|look| look["level"].as_u64().unwrap()).collect();
    assert_eq!(levels, [2, 4, 3, 4, 3]);
    assert_eq!(summary["stages"].as_array().unwrap().len(), path.len());
    assert_eq!(summary["stages"][2]["name"], "3 users");
    assert_eq!(summary["run"]["stopped"], serde_json::Value::Null, "it ended by itself");
    assert_eq!(summary["thresholds"][0]["state"], "not_judged");
    assert!(run.err.contains("  at 2 users: held (error_rate 0%)\n"), "{}", run.err);
    assert!(
        run.out.contains("– error_rate < 0.1%  not judged: a search breaks limits on purpose\n"),
        "{}",
        run.out
    );
    assert!(
        !folder.read("out/summary.md").contains("no data"),
        "there is data, and none is judged"
    );
    for file in ["report.html", "summary.md", "junit.xml"] {
        assert!(folder.read(&format!("out/{file}")).contains("3 users hold"), "{file}");
    }

    let before = ["report.html", "summary.json", "summary.md"]
        .map(|file| folder.read(&format!("out/{file}")));
    let again = folder.throng("report out");
    assert_eq!((again.code, &again.out), (0, &run.out));
    let after = ["report.html", "summary.json", "summary.md"]
        .map(|file| folder.read(&format!("out/{file}")));
    assert!(before == after, "the results made again differ");
}

#[test]
fn the_exit_code_says_whether_there_is_an_answer() {
    let folder = Folder::new();
    let none = search(&folder, 0, 8, "--quiet");
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.out.contains("Not even 2 users hold: error_rate was 100%, over its limit of 1%."));
    let folder = Folder::new();
    let cut = search(&folder, 3, 8, "-t 3s --quiet");
    assert_eq!(cut.code, 1, "{cut:?}");
    assert!(cut.out.contains("The run was over before the limit was found; 2 users hold."));
    // Nothing was looked at by then.
    let folder = Folder::new();
    let cut = search(&folder, 3, 8, "-t 300ms");
    assert_eq!(cut.code, 1, "{cut:?}");
    assert!(cut.out.contains("The run was over before the limit was found; nothing is known."));
    assert!(!cut.out.contains("\nSearch\n"), "{}", cut.out);
    assert!(!folder.read("out/summary.md").contains("| level |"));
    let folder = Folder::new();
    let all = search(&folder, 9, 2, "--quiet");
    assert_eq!(all.code, 0, "{all:?}");
    assert!(all.out.contains("2 users hold (confirmed for 2s): no limit up to there."));
}

#[test]
fn what_goes_with_no_search_is_refused() {
    let folder = Folder::new();
    let run = search(&folder, 3, 8, "--iterations 5");
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains(
            "error: `--iterations` goes with no search: it has levels, and no end that is known"
        ),
        "{}",
        run.err
    );
    let versus = search(&folder, 3, 8, "--versus http://127.0.0.1:1 --yes");
    assert_eq!(versus.code, 2);
    let want = "error: `--versus` goes with no search: its runs would not have the same load";
    assert!(versus.err.contains(want), "{}", versus.err);
    let failing = search(&folder, 3, 8, "--fail-on-error");
    assert_eq!(failing.code, 2);
    let want = "error: `--fail-on-error` goes with no search: requests fail in it on purpose, and \
                `must` says how many may\n";
    assert!(failing.err.contains(want), "{}", failing.err);
    // Users of the command line replace it, and its length is none of theirs.
    for (option, given) in [("--users", "-u 1"), ("--rate", "--rate 1/s")] {
        let endless = search(&folder, 3, 8, given);
        assert_eq!(endless.code, 2, "{endless:?}");
        let want = format!(
            "error: `{option}` stands in place of the search of profile `limit`, and nothing says \
             how long the run is\n"
        );
        assert!(endless.err.contains(&want), "{}", endless.err);
    }
    let users = search(&folder, 3, 8, "-u 1 -t 1s --quiet");
    assert_eq!(users.code, 0, "{users:?}");
    assert_eq!(folder.json("out/summary.json")["search"], serde_json::Value::Null);
}

#[test]
fn check_explains_how_long_it_can_take() {
    let folder = Folder::new();
    let plan = "users: { U: { tasks: { home: { get: / } } } }\n\
        profiles:\n\
        \x20 limit: { search: { of: rate, from: 10/s, to: 100/s, hold: 30s, must: [p95 < 500ms] } }\n";
    folder.file("plan.yaml", plan);
    let said = folder.throng("check plan.yaml --explain");
    assert_eq!(said.code, 0, "{said:?}");
    let told = said.out.split("Profile limit").nth(1).unwrap_or_default();
    let want = "\
, runs when none is named
  a search: from 10/s to at most 100/s, each level for 30s after 10s to settle
  must hold: p95 < 500ms
  doubled until something breaks, then closed in on to within 5%; at most 25
  levels and 36m
  by at most 1,000 users
  no threshold is judged: a search breaks limits on purpose
";
    assert_eq!(told, want, "it says nothing of thresholds, of which there are none");
    let warning = "warning: nothing that must hold is about failures: fast errors would pass\n";
    assert!(said.err.contains(warning), "{}", said.err);
    folder.file("plan.yaml", &plan.replace("p95 < 500ms", "ok.p95 < 500ms"));
    let said = folder.throng("check plan.yaml --strict");
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn errors_that_are_fast_do_not_pass() {
    let folder = Folder::new();
    let plan = "users: { U: { wait: 20ms, tasks: { home: { get: / } } } }\n\
        profiles: { limit: { search: { from: 1, to: 8, hold: 1s, settle: 0s, must: p50 < 5s } } }\n";
    folder.file("plan.yaml", plan);
    let said = folder.throng(&format!("run plan.yaml -H http://{} --out out", server(0)));
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("Not even 1 user holds: no request succeeded."), "{}", said.out);
    assert!(said.err.contains("fast errors would pass\n"), "{}", said.err);
}

#[test]
fn a_search_is_shown_whole_and_by_itself() {
    let folder = Folder::new();
    let run = search(&folder, 9, 2, "--quiet");
    assert_eq!(run.code, 0, "{run:?}");
    for part in ["--from 1s", "--to 2s", "--from 500s"] {
        let said = folder.throng(&format!("report out {part}"));
        assert_eq!(said.code, 2, "{said:?}");
        let want = "error: the answer of a search is of the whole run, and not of a part of it\n";
        assert!(said.err.starts_with(want), "{}", said.err);
    }
    // Of several records, whichever of them is the search.
    let other = folder.throng(&format!("run plan.yaml -H http://{} --out b --quiet", server(9)));
    assert_eq!(other.code, 0, "{other:?}");
    for both in ["out b", "b out"] {
        let said = folder.throng(&format!("report {both} --out both --quiet"));
        assert!(said.err.contains("warning: a search is shown by itself\n"), "{}", said.err);
        assert_eq!(folder.json("both/summary.json")["search"], serde_json::Value::Null);
        std::fs::remove_dir_all(folder.path().join("both")).unwrap();
    }
}
