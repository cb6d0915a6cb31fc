//! The summary and the files of a run.

use super::support::{Folder, answer, plan, server, todo_api, without_figures};

const STATS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n";
const HISTORY: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size\r\n";

#[test]
fn a_run_on_the_demo_prints_a_summary_and_writes_the_files() {
    let folder = Folder::new();
    let said =
        folder.throng(&format!("run {} --demo -u 60 -t 3s --seed 3 TodoUser", plan("todo.yaml")));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let results = folder.results();
    let shown = results.strip_prefix(folder.path()).unwrap().display();
    let want = format!(
        "
name requests failed rps p50 p95 p99 max
POST /todos/ [POST - Create] # # # # # # #
GET /todos/ [GET - List] # # # # # # #
GET /todos/{{id}} [GET - Single] # # # # # # #
PUT /todos/{{id}} [PUT - Update] # # # # # # #
DELETE /todos/{{id}} [DELETE] # # # # # # #
Aggregated # # # # # # #

Thresholds
✓ p95 < # #
✓ error_rate < # #%
✓ rps > #/s #/s

All # thresholds held: # requests, none failed. VALID
Results: {shown}/report.html
"
    );
    assert_eq!(
        without_figures(&said.out).replace("error_rate < #% ", "error_rate < # "),
        want,
        "{}",
        said.out
    );
    let mut files: Vec<_> = std::fs::read_dir(&results)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "exceptions.csv",
            "failures.csv",
            "junit.xml",
            "metrics.txt",
            "plan.yaml",
            "record.jsonl.gz",
            "report.html",
            "stats.csv",
            "stats_history.csv",
            "summary.json",
            "summary.md"
        ]
    );
}

#[test]
fn the_csv_files_begin_with_locusts_header_lines_and_their_rows_fit() {
    let api = todo_api();
    let folder = Folder::new();
    folder.throng(&format!(
        "run {} --target http://{} --out out -u 10 -t 2s",
        plan("todo.yaml"),
        api.address()
    ));
    let stats = folder.read("out/stats.csv");
    let history = folder.read("out/stats_history.csv");
    assert!(stats.starts_with(STATS), "{stats}");
    assert!(history.starts_with(HISTORY), "{history}");
    assert_eq!(
        folder.read("out/failures.csv"),
        "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"
    );
    assert_eq!(folder.read("out/exceptions.csv"), "Count,Message,Traceback,Nodes\r\n");
    for text in [&stats, &history] {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<_> =
            reader.records().map(|row| row.expect("as many cells as the header")).collect();
        assert!(!rows.is_empty());
    }
    let summary = folder.json("out/summary.json");
    let last = stats.lines().last().unwrap();
    assert!(
        last.starts_with(&format!(",Aggregated,{},0,", summary["totals"]["requests"])),
        "{last}"
    );
    // A row a second, and one for the end of the last iterations when they ran over.
    assert!((3..=4).contains(&history.lines().count()), "{history}");
}

#[test]
fn failures_are_grouped_and_dated() {
    let api = server(|nth| (nth % 2 == 0).then(|| answer(503, "")));
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { One: { wait: 50ms, tasks: { home: { get: '=1+1/', name: '=1+1' } } } }\n"
            .replace("get: '=1+1/'", "post: /")
            .as_str(),
    );
    let said = folder
        .throng(&format!("run plan.yaml --target http://{} --out out -u 1 -t 500ms", api.address));
    assert_eq!(said.code, 0, "{}", said.err);
    let failures = folder.read("out/failures.csv");
    assert!(failures.contains("POST,'=1+1,status 503,"), "{failures}");
    assert!(failures.contains("POST,'=1+1,closed early: no answer,"), "{failures}");
    let row = failures.lines().nth(1).unwrap();
    let seen = row.split(',').next_back().unwrap();
    assert!(seen.len() == 20 && seen.starts_with("20") && seen.ends_with('Z'), "{row}");
}

#[test]
fn exceptions_are_counted_and_are_no_failures() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users:\n  One:\n    wait: 100ms\n    tasks:\n      odd:\n        steps:\n          - set: { list: [] }\n          - get: /todos/{{ choice(list) }}\n            name: odd\n      even: { get: /health }\n",
    );
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} --out out -u 2 -t 1s --seed 1",
        api.address()
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let exceptions = folder.read("out/exceptions.csv");
    assert!(
        exceptions.contains(
            ",`choice(list)`: choice from an empty list: guard it with `when:`,,local\r\n"
        ),
        "{exceptions}"
    );
    assert!(said.out.contains("Mistakes met while running the plan"), "{}", said.out);
    assert_eq!(folder.json("out/summary.json")["totals"]["failures"], 0);
}

#[test]
fn the_counts_of_a_run_add_up() {
    let api = todo_api();
    let folder = Folder::new();
    folder.throng(&format!(
        "run {} --target http://{} --out out -u 50 -t 1s StressTestUser",
        plan("todo.yaml"),
        api.address()
    ));
    let summary = folder.json("out/summary.json");
    let run = &summary["run"];
    let ended =
        summary["totals"]["requests"].as_u64().unwrap() + run["cancelled"].as_u64().unwrap();
    assert_eq!(run["issued"].as_u64().unwrap(), ended);
    assert!(ended > 50, "{ended}");
    let per_name: u64 = summary["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(summary["totals"]["requests"], per_name);
    let history = |key: &str| -> Vec<f64> {
        let values = summary["history"][key].as_array().unwrap();
        values.iter().map(|n| n.as_f64().unwrap()).collect()
    };
    let over_time: f64 =
        history("requests_per_s").iter().zip(history("seconds")).map(|(rate, s)| rate * s).sum();
    assert_eq!(over_time.round() as u64, per_name);
}

#[test]
fn results_go_to_a_folder_of_their_own_each_time() {
    let api = todo_api();
    let folder = Folder::new();
    for _ in 0..2 {
        folder.throng(&format!(
            "run {} --target http://{} -u 1 -t 100ms",
            plan("quickstart.yaml"),
            api.address()
        ));
    }
    let found: Vec<_> = std::fs::read_dir(folder.path().join("results")).unwrap().collect();
    assert_eq!(found.len(), 3, "two folders, and the link to the newest");
}

#[test]
fn what_is_odd_on_the_wire_is_counted_and_is_no_failure() {
    let odd =
        "HTTP/1.1 200 Whatever\nContent-Length: 2\nX: a\n b\nSet-Cookie: a=b; Domain=com\n\nok";
    let server = server(move |_| Some(odd.to_owned()));
    let folder = Folder::new();
    let line = format!("run http://{} -u 2 -n 6 --out out", server.address);
    let said = folder.throng(&line);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for text in [
        "6 requests: the lines of the head ended in LF alone",
        "6 requests: a header went on in the next line",
        "6 requests: a cookie was not taken, as no browser would take it",
    ] {
        assert!(said.out.contains(text), "{}", said.out);
        assert!(folder.read("out/report.html").contains(text), "{text}");
    }
    let summary = folder.json("out/summary.json");
    let ids: Vec<_> = summary["notices"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["bare_lf", "folded", "cookie_refused"]);
    assert_eq!(
        (&summary["totals"]["failures"], &summary["notices"][0]["count"]),
        (&0.into(), &6.into())
    );
}

/// The server ends each connection when the second request comes over it.
#[test]
fn a_connection_that_was_closed_in_time_fails_nothing_and_is_told() {
    let server = server(|nth| (nth % 2 == 0).then(|| answer(200, "ok")));
    let folder = Folder::new();
    let said = folder.throng(&format!("run http://{} -u 1 -n 5 --out out", server.address));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let told = "4 requests: the server ended a kept connection just as they went out, and they were sent again over a new one";
    assert!(said.out.contains(told), "{}", said.out);
    let summary = folder.json("out/summary.json");
    assert_eq!(
        (&summary["totals"]["requests"], &summary["totals"]["failures"]),
        (&5.into(), &0.into())
    );
    assert_eq!(server.requests.load(std::sync::atomic::Ordering::SeqCst), 9);
}

#[test]
fn what_the_figures_say_is_in_the_summary_with_where_to_look_and_what_to_do() {
    let api = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let plan = "users: { One: { wait: 10ms, tasks: { home: { get: / } } } }\n";
    folder.file("plan.yaml", plan);
    folder.file("judged.yaml", &format!("{plan}thresholds: [p99.9 < 1m]\n"));
    let findings = |plan: &str| {
        let options =
            format!("--target http://{} --out {plan} -u 1 -t 30s --iterations 20", api.address);
        let said = folder.throng(&format!("run {plan}.yaml {options}"));
        (said.code, folder.json(&format!("{plan}/summary.json"))["findings"].clone())
    };
    assert_eq!(findings("plan"), (0, serde_json::json!([])));
    let (code, told) = findings("judged");
    assert_eq!(code, 1, "no data is not a pass: {told}");
    insta::assert_snapshot!(serde_json::to_string_pretty(&told).unwrap(), @r#"
    [
      {
        "rule": "too_few_samples",
        "also": [],
        "title": "too few samples",
        "sentence": "`p99.9 < 1m` had 20 samples and takes 2,995 to be judged",
        "advice": "let the run take 150 times as long or send so many more requests, ask for a lower percentile, or write `allow_few: true`",
        "figures": {
          "samples": 20.0,
          "samples_needed": 2995.0
        },
        "where": {
          "chart": "requests",
          "method": null,
          "name": null,
          "from_s": null,
          "to_s": null
        }
      }
    ]
    "#);
}
