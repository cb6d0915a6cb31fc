//! Files of more than the four that are always written: a row for each request, rows of each name.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;

use super::support::{Folder, Server, answer, server};

const HEADER: &str = "Timestamp,Type,Name,Class,Tags,Second,Phase,Due ms,Sent ms,Ended ms,Lateness ms,Response ms,Service ms,Connect ms,TLS ms,First Byte ms,Body Bytes,Decoded Bytes,Status,Outcome,Failure,Error,Retries\r\n";

const PLAN: &str = r#"
target: http://127.0.0.1:8000
before: [{ get: /before }]
after: [{ get: /after }]
users:
  Reader:
    tasks:
      read:
        tags: [paying, smoke]
        steps:
          - get: /flaky
            name: "=SUM(1,2), \"odd\" üñí"
            retry: { status: 503, times: 3, wait: 1ms }
          - get: /hidden
            record: off
  Writer:
    tasks:
      write: { post: /, name: "=SUM(1,2), \"odd\" üñí", expect: { contains: nothing } }
profiles:
  short: { users: 2, hold: 1h, iterations: 6 }
"#;

/// Every third request is refused.
fn moody() -> Server {
    server(|nth| Some(answer(if nth % 3 == 1 { 503 } else { 200 }, "some")))
}

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("as many cells as the header")).collect()
}

fn count(rows: &[BTreeMap<String, String>], key: &str, value: &str) -> u64 {
    rows.iter().filter(|row| row[key] == value).count() as u64
}

#[test]
fn each_request_has_a_row_that_tells_all_of_it() {
    let server = moody();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let target = format!("http://{}", server.address);
    let said = folder.throng(&format!(
        "run plan.yaml -H {target} --out out --workers 2 --csv-requests made/requests.csv"
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let text = folder.read("made/requests.csv");
    assert!(text.starts_with(HEADER), "{text}");
    assert!(text.ends_with("\r\n"), "{text}");
    let (rows, summary) = (rows(&text), folder.json("out/summary.json"));
    let (totals, run) = (&summary["totals"], &summary["run"]);
    assert_eq!(rows.len() as u64, run["issued"].as_u64().unwrap(), "{text}");
    assert_eq!(count(&rows, "Outcome", "failed"), totals["failures"].as_u64().unwrap());
    assert_eq!(run["unrecorded"], 3);
    let retries: u64 = rows.iter().map(|row| row["Retries"].parse::<u64>().unwrap()).sum();
    assert_eq!(retries, totals["retries"].as_u64().unwrap());
    assert!(rows.iter().all(|row| row["Name"] == "'=SUM(1,2), \"odd\" üñí"), "{text}");
    for (class, method, tags) in [("Reader", "GET", "paying smoke"), ("Writer", "POST", "")] {
        let its: Vec<_> = rows.iter().filter(|row| row["Class"] == class).cloned().collect();
        assert_eq!(count(&its, "Type", method), 3, "{text}");
        assert_eq!(count(&its, "Tags", tags), 3, "{text}");
    }
    let failures = folder.read("out/failures.csv");
    for row in &rows {
        let number = |key: &str| row[key].parse::<f64>().unwrap();
        let failure = (&*row["Outcome"], &*row["Failure"], &*row["Error"], &*row["Status"]);
        match failure {
            ("ok", "", "", "200") | ("failed", "status.503", "status 503", "503") => {}
            ("failed", "rule", text, "200") => {
                assert!(text.starts_with("expect: ") && failures.contains(text), "{text}")
            }
            other => panic!("{other:?}"),
        }
        let near = |one: f64, other: f64| assert!((one - other).abs() < 0.0015, "{row:?}");
        near(number("Sent ms") - number("Due ms"), number("Lateness ms"));
        near(number("Ended ms") - number("Due ms"), number("Response ms"));
        near(number("Ended ms") - number("Sent ms"), number("Service ms"));
        assert!(number("First Byte ms") <= number("Service ms"), "{row:?}");
        assert_eq!((number("Body Bytes"), number("Decoded Bytes")), (4.0, 0.0));
        assert_eq!((&*row["TLS ms"], &*row["Phase"]), ("", "load"));
        assert!(number("Timestamp") > 1.7e9, "{row:?}");
        assert_eq!(row["Timestamp"].split_once('.').map(|(_, digits)| digits.len()), Some(6));
    }
    // A connection for each user, which is told of who opened it, unless that was sent again.
    let opened = rows.iter().filter(|row| !row["Connect ms"].is_empty()).count();
    assert!((1..=2).contains(&opened), "{text}");
}

#[test]
fn the_rows_are_packed_when_the_name_asks_for_it() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 40 --csv-requests rows.csv.gz --quiet"));
    assert_eq!(said.code, 0, "{}", said.err);
    let mut text = String::new();
    let file = std::fs::File::open(folder.path().join("rows.csv.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.starts_with(HEADER), "{text}");
    assert_eq!(rows(&text).len(), 40);
}

/// They are written while the run goes on: the run is killed, and they are there.
#[test]
fn rows_are_there_while_the_run_goes_on() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let line = format!("run http://{}/ -u 1 -t 1h --csv-requests rows.csv", server.address);
    let mut child = folder.start(&line);
    let path = folder.path().join("rows.csv");
    let is_there =
        || std::fs::read_to_string(&path).is_ok_and(|text| text.matches(",ok,").count() > 1);
    while !is_there() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Law 6: it is told, the run goes on, and so do all other results.
#[test]
fn rows_that_cannot_be_written_are_told_and_the_run_goes_on() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 40 --out out --csv-requests /dev/full"));
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(
        said.err.ends_with(
            "error: could not write /dev/full: No space left on device\n  \
             what else was measured is in the other results\n"
        ),
        "{}",
        said.err
    );
    assert_eq!(folder.json("out/summary.json")["totals"]["requests"], 40);
    // What can be known before the first request is an error before it.
    let sent = server.requests.load(std::sync::atomic::Ordering::SeqCst);
    let said = folder.throng(&format!("run {url} -n 4 --csv-requests out"));
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.err.contains("`out`: a folder stands where a file is needed"), "{}", said.err);
    assert_eq!(server.requests.load(std::sync::atomic::Ordering::SeqCst), sent, "nothing was sent");
}

#[test]
fn the_full_history_has_a_row_for_each_name_that_was_seen() {
    let server = moody();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { One: { wait: 100ms, on_start: [{ get: /once, name: a once }], tasks: {\n\
         zed: { get: /z, name: zed }, post: { post: /z, name: zed }, all: { get: /, name: 'all, \"of\"' } } } }\n",
    );
    let line = format!(
        "run plan.yaml -H http://{} -u 3 -t 2500ms --out out --csv copy/c --csv-full-history --seed 1",
        server.address
    );
    let said = folder.throng(&line);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let text = folder.read("out/stats_history.csv");
    assert_eq!(folder.read("copy/c_stats_history.csv"), text);
    let all = rows(&text);
    let number = |row: &BTreeMap<String, String>, key: &str| row[key].parse::<f64>().unwrap();
    let mut before: BTreeMap<(String, String), f64> = BTreeMap::new();
    let seconds: Vec<_> = all.chunk_by(|a, b| a["Timestamp"] == b["Timestamp"]).collect();
    assert!(seconds.len() >= 2, "{text}");
    for second in &seconds {
        let names: Vec<_> = second.iter().map(|row| (&*row["Name"], &*row["Type"])).collect();
        let (last, names) = names.split_last().unwrap();
        assert_eq!(*last, ("Aggregated", ""), "{text}");
        assert!(names.is_sorted(), "{names:?}");
        assert!(before.keys().all(|(name, kind)| {
            name == "Aggregated" || names.contains(&(name.as_str(), kind.as_str()))
        }));
        let (last, rows) = second.split_last().unwrap();
        for key in ["Total Request Count", "Total Failure Count", "Requests/s", "Failures/s"] {
            let sum: f64 = rows.iter().map(|row| number(row, key)).sum();
            assert!((sum - number(last, key)).abs() < 1e-4, "{key}: {text}");
        }
        for row in *second {
            assert_eq!(row["User Count"], last["User Count"]);
            // Percentiles are those of the second, totals of all until then.
            assert_eq!(row["50%"] == "N/A", number(row, "Requests/s") == 0.0, "{row:?}");
            let key = (row["Name"].clone(), row["Type"].clone());
            let total = number(row, "Total Request Count");
            let grew = total - before.insert(key, total).unwrap_or(0.0);
            assert_eq!(grew == 0.0, number(row, "Requests/s") == 0.0, "{row:?}");
        }
    }
    // The last of them are those of the whole run.
    let (last, stats) = (seconds.last().unwrap(), rows(&folder.read("out/stats.csv")));
    assert_eq!(last.len(), stats.len());
    for (row, whole) in last.iter().zip(&stats) {
        for (key, other) in [
            ("Name", "Name"),
            ("Type", "Type"),
            ("Total Request Count", "Request Count"),
            ("Total Failure Count", "Failure Count"),
            ("Total Median Response Time", "Median Response Time"),
            ("Total Average Response Time", "Average Response Time"),
            ("Total Min Response Time", "Min Response Time"),
            ("Total Max Response Time", "Max Response Time"),
            ("Total Average Content Size", "Average Content Size"),
        ] {
            assert_eq!(row[key], whole[other], "{key} of {}", row["Name"]);
        }
    }
    let again = folder.throng("report out --out again --csv-full-history --quiet");
    assert_eq!(again.code, said.code, "{again:?}");
    assert_eq!(folder.read("again/stats_history.csv"), text);
    let plain = folder.throng("report out --out plain --quiet");
    assert_eq!(plain.code, said.code, "{plain:?}");
    let aggregated: Vec<_> = text
        .lines()
        .filter(|line| line.contains(",,Aggregated,") || line.contains("Type"))
        .collect();
    assert_eq!(folder.read("plain/stats_history.csv").lines().collect::<Vec<_>>(), aggregated);
}
