//! The record of a run: all results are made again from it, of a part of it, and of several together.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::support::{Folder, plan, todo_api};

const FILES: [&str; 7] = [
    "exceptions.csv",
    "failures.csv",
    "plan.yaml",
    "report.html",
    "stats.csv",
    "stats_history.csv",
    "summary.json",
];

/// A plan whose users ask as often as they are told, whatever the machine does.
const PACED: &str = "\
name: Paced
target: http://127.0.0.1:1
users:
  Reader:
    wait: { pace: 100ms }
    tasks:
      list: { get: /todos/, name: list }
      missing: { get: /todos/999999, name: missing, accept: 404 }
      fails: { get: /todos/999999, name: fails }
  Other:
    wait: { pace: 200ms }
    tasks:
      list: { get: /todos/, name: list, tags: [again] }
profiles:
  short: { users: 4, hold: 3s }
thresholds:
  - requests > 10
  - error_rate < 60%
  - { of: { tag: again }, must: requests > 1 }
";

/// The lines of a record.
fn lines(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    // One that was cut off reads up to there.
    let _ = MultiGzDecoder::new(file).read_to_string(&mut text);
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(path: &Path, lines: &[String]) {
    let file = std::fs::File::create(path).unwrap();
    let mut out = GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut out, lines.concat().as_bytes()).unwrap();
    out.finish().unwrap();
}

fn seconds(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter_map(|line| line.get("second")).collect()
}

fn paced(folder: &Folder, out: &str, more: &str) {
    let api = todo_api();
    folder.file("paced.yaml", PACED);
    let target = format!("http://{}", api.address());
    let run = folder.throng(&format!("run paced.yaml -H {target} --out {out} --quiet {more}"));
    assert!([0, 1, 3].contains(&run.code), "{run:?}");
}

#[test]
fn all_results_are_made_again_byte_for_byte() {
    let folder = Folder::new();
    paced(&folder, "out", "--label commit=1a2b3c");
    let before = FILES.map(|file| folder.read(&format!("out/{file}")));
    let code = folder.json("out/summary.json")["verdict"]["exit_code"].as_i64().unwrap();
    for file in FILES {
        std::fs::remove_file(folder.path().join("out").join(file)).unwrap();
    }
    let again = folder.throng("report out");
    assert_eq!(i64::from(again.code), code, "{again:?}");
    assert!(again.out.ends_with("Results: out/report.html\n"), "{}", again.out);
    assert_eq!(again.err, "");
    for (file, before) in FILES.iter().zip(&before) {
        assert_eq!(&folder.read(&format!("out/{file}")), before, "{file}");
    }
    // Also from the file alone, packed or not, and to elsewhere.
    let text: String = lines(&folder.path().join("out/record.jsonl.gz"))
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    folder.file("unpacked.jsonl", &text);
    let other = folder.throng("report unpacked.jsonl --out other --quiet");
    assert_eq!(i64::from(other.code), code, "{other:?}");
    assert_eq!(folder.read("other/stats.csv"), before[4]);
    assert!(!folder.path().join("other/record.jsonl.gz").exists());
    let json = folder.throng("report out --json --no-report --out json");
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), folder.json("out/summary.json"));
    assert!(!folder.path().join("json/report.html").exists());
}

#[test]
fn a_record_says_itself_what_it_is() {
    let folder = Folder::new();
    paced(&folder, "out", "-t 1s");
    let lines = lines(&folder.path().join("out/record.jsonl.gz"));
    assert_eq!(lines[0]["throng_record"], 1);
    assert!(lines[0]["about"].as_str().unwrap().contains("HdrHistogram"));
    assert_eq!(lines[1]["started"]["plan_name"], "Paced");
    assert_eq!(lines[1]["started"]["thresholds"][0]["must"], "requests > 10");
    assert_eq!(lines[1]["started"]["thresholds"][0]["written"]["line"], 17);
    assert_eq!(lines.last().unwrap()["ended"]["exit_code"].as_i64().map(|_| ()), Some(()));
}

#[test]
fn a_part_is_shown_and_judged_by_itself() {
    let folder = Folder::new();
    paced(&folder, "out", "");
    let all = lines(&folder.path().join("out/record.jsonl.gz"));
    let count = |second: &Value| {
        let names = second["held"]["names"].as_object().unwrap();
        names.values().map(|name| name["body_bytes"].as_u64().unwrap_or(0)).sum::<u64>()
    };
    let said = folder.throng("report out --from 1s --to 2s");
    assert!(said.out.contains("\nShown: 1s to 2s of the run\n"), "{}", said.out);
    let summary = folder.json("out/from-1s-to-2s/summary.json");
    assert_eq!(summary["run"]["part"], serde_json::json!({ "from_s": 1, "to_s": 2 }));
    assert_eq!(summary["run"]["loaded_s"], 1.0);
    assert_eq!(summary["totals"]["body_bytes"], count(seconds(&all)[1]));
    assert_eq!(summary["history"]["time_s"], serde_json::json!([1]));
    assert_eq!(summary["validity"]["reasons"].to_string().find("add up"), None);
    let tail = folder.throng("report out --from 2s --quiet");
    assert!(folder.path().join("out/from-2s/report.html").exists(), "{tail:?}");
    // The parts are the whole.
    let requests = |file: &str| folder.json(file)["totals"]["requests"].as_u64().unwrap();
    folder.throng("report out --to 1s --out head --quiet");
    assert_eq!(
        requests("head/summary.json")
            + requests("out/from-1s-to-2s/summary.json")
            + requests("out/from-2s/summary.json"),
        requests("out/summary.json")
    );
}

/// What waits for a user at the end of a part begins behind it, and is no bug.
#[test]
fn a_part_of_a_load_that_waits_for_its_users_adds_up() {
    let folder = Folder::new();
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/causes/open_full.jsonl.gz");
    for part in ["--to 20s", "--from 10s --to 30s", "--from 30s"] {
        folder.throng(&format!("report {record} {part} --out part --quiet"));
        let summary = folder.json("part/summary.json");
        let run = &summary["run"];
        let count = |key: &str| run[key].as_u64().unwrap();
        let begun = count("late_starts") + count("beats") + count("dropped");
        assert_ne!(begun, count("arrivals"), "{part}: nothing waits at its ends");
        assert_eq!(summary["validity"]["reasons"].to_string().find("add up"), None, "{part}");
        assert_eq!(summary["history"]["asked_users"], Value::Null);
    }
}

/// Every result says that it is of a part, and how long that was; the warm-up as far as it is in it.
#[test]
fn a_part_is_told_everywhere() {
    let folder = Folder::new();
    // 60 seconds, of which 12 are warm-up.
    let record =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/causes/healthy_after_warm_up.jsonl.gz");
    let shown = |part: &str| {
        let said = folder.throng(&format!("report {record} {part} --out part"));
        let read = |file: &str| folder.read(&format!("part/{file}"));
        let lines = |text: &str, begin: &[&str]| -> Vec<String> {
            let is_told = |line: &&str| begin.iter().any(|begin| line.starts_with(begin));
            text.lines().filter(is_told).map(str::to_owned).collect()
        };
        let warm = lines(&said.out, &["warm-up"]);
        let page = &folder.json("part/summary.json")["warmup"]["duration_s"];
        let told = warm.first().and_then(|line| line.strip_prefix("warm-up ")?.split_once("s:"));
        assert_eq!(page.as_f64(), told.map(|(seconds, _)| seconds.parse().unwrap()));
        let summary = lines(&read("summary.md"), &["Shown", "- Began", "- Warm"]);
        let junit = read("junit.xml").replace("\" ", "\"\n").replace("/>", "\n");
        let junit = lines(&junit, &["time=\"", "value=\"0s ", "value=\"5s ", "value=\"20s "]);
        // The whole time stands once more, at one of the cases, and none at the others.
        (warm.concat(), summary.join("\n"), junit[..junit.len().min(2)].join(" "))
    };
    let is = |warm: &str, summary: &str, junit: &str| {
        (warm.to_owned(), summary.to_owned(), junit.to_owned())
    };
    assert_eq!(
        shown("--from 20s"),
        is(
            "",
            "Shown: 20s to 1m of the run.\n\
             - Began: `2026-11-29 09:35:09 UTC, 40s of it shown`",
            "time=\"40.016\" value=\"20s to 1m of the run\""
        )
    );
    assert_eq!(
        shown("--from 5s --to 40s"),
        is(
            "warm-up 7s: 82 requests, none failed; left out of the figures above",
            "Shown: 5s to 40s of the run.\n\
             - Began: `2026-11-29 09:35:09 UTC, 35s of it shown`\n\
             - Warm-up, left out: `7s`",
            "time=\"35.000\" value=\"5s to 40s of the run\""
        )
    );
    assert_eq!(
        shown(""),
        is(
            "warm-up 12s: 122 requests, none failed; left out of the figures above",
            "- Began: `2026-11-29 09:35:09 UTC, took 1m`\n- Warm-up, left out: `12s`",
            "time=\"60.016\" time=\"60.016\""
        )
    );
}

#[test]
fn a_part_that_begins_after_the_end_is_a_mistake() {
    let folder = Folder::new();
    paced(&folder, "out", "");
    let written = lines(&folder.path().join("out/record.jsonl.gz"));
    let last = seconds(&written).last().unwrap()["held"]["to_s"].as_u64().unwrap();
    let title =
        |from: &str| format!("error: the run lasted {last}s: nothing of it is from {from} on\n");
    // A record of a run that was killed has no end.
    let open: Vec<String> = written
        .iter()
        .filter(|line| line.get("ended").is_none())
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(open.len() + 1, written.len());
    write(&folder.path().join("open.gz"), &open);
    for record in ["out", "open.gz"] {
        for (arguments, from) in [
            ("--from 500s".to_owned(), "8m20s".to_owned()),
            ("--from 500s --to 600s".to_owned(), "8m20s".to_owned()),
            (format!("--from {last}s"), format!("{last}s")),
        ] {
            let said = folder.throng(&format!("report {record} {arguments} --out beyond --quiet"));
            assert_eq!(said.code, 2, "{said:?}");
            assert!(said.err.starts_with(&title(&from)), "{}", said.err);
            assert!(!folder.path().join("beyond").exists());
        }
        let until = last - 1;
        let said =
            folder.throng(&format!("report {record} --from {until}s --out last-{record} --quiet"));
        assert!([0, 1, 3].contains(&said.code), "{said:?}");
        assert!(folder.path().join(format!("last-{record}/report.html")).exists());
    }
}

/// That a record stops, and what stopped the run, is nothing to a part before it.
#[test]
fn a_part_before_the_place_where_a_record_stops_is_whole() {
    let folder = Folder::new();
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/causes/healthy_constant.jsonl.gz");
    let mut open: Vec<String> = lines(Path::new(record))
        .iter()
        .filter(|line| line.get("ended").is_none())
        .map(|line| format!("{line}\n"))
        .collect();
    open.push("{\"stopping\":{\"reason\":\"interrupted\"}}\n".to_owned());
    write(&folder.path().join("open.gz"), &open);
    let told = |part: &str| {
        let said = folder.throng(&format!("report open.gz {part} --out part --quiet"));
        let summary = folder.json("part/summary.json");
        (said.code, summary["validity"]["reasons"].to_string().contains("without an end"))
    };
    assert_eq!(told("--to 10s"), (0, false));
    assert_eq!(told("--from 5s --to 10s"), (0, false));
    assert!(told("").1 && told("--from 5s").1);
}

#[test]
fn records_of_several_machines_are_one_run() {
    let folder = Folder::new();
    paced(&folder, "a", "");
    paced(&folder, "b", "Other");
    let said = folder.throng("report a b --out both --quiet");
    assert!(said.err.is_empty() || said.err.contains("one after the other"), "{}", said.err);
    let [a, b, both] = ["a", "b", "both"].map(|name| folder.json(&format!("{name}/summary.json")));
    let sum = |at: fn(&Value) -> &Value| at(&a).as_u64().unwrap() + at(&b).as_u64().unwrap();
    let requests: fn(&Value) -> &Value = |of| &of["totals"]["requests"];
    assert_eq!(both["totals"]["requests"], sum(requests));
    assert_eq!(both["totals"]["failures"], sum(|of| &of["totals"]["failures"]));
    assert_eq!(both["run"]["issued"], sum(|of| &of["run"]["issued"]));
    assert_eq!(both["run"]["records"], 2);
    assert_eq!(both["run"]["part_text"], "2 records together");
    let max = |of: &Value| of["totals"]["response_ms_max"].as_f64().unwrap();
    assert_eq!(max(&both), max(&a).max(max(&b)));
    let list = |of: &Value| {
        let names = of["names"].as_array().unwrap().iter();
        names.filter(|row| row["name"] == "list").map(|row| row["requests"].as_u64().unwrap()).sum()
    };
    let counts: [u64; 3] = [list(&a), list(&b), list(&both)];
    assert_eq!(counts[2], counts[0] + counts[1]);
    // In any order, but for whose plan stands first.
    folder.throng("report b a --out turned --quiet");
    assert_eq!(folder.json("turned/summary.json")["totals"], both["totals"]);
    let nowhere = folder.throng("report a b");
    assert_eq!(nowhere.code, 2);
    assert_eq!(
        nowhere.err,
        "error: several records have no folder of their own for the results\n |\n = help: say where they go, as `--out results/together`\n\n1 error\n"
    );
}

/// Waits until a record holds so many seconds.
fn until_seconds(path: &Path, wanted: usize) {
    let start = Instant::now();
    while !path.exists() || seconds(&lines(path)).len() < wanted {
        assert!(start.elapsed() < Duration::from_secs(60), "the record does not grow");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_measured_before_a_kill_is_there() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file("paced.yaml", PACED);
    let target = format!("http://{}", api.address());
    let run = format!("run paced.yaml -H {target} -t 10m --out out --quiet");
    let mut child = folder.start(&run);
    let record = folder.path().join("out/record.jsonl.gz");
    until_seconds(&record, 2);
    // While it goes on nobody writes over its results, and another run does not begin there.
    let early = folder.throng("report out");
    assert_eq!(
        (early.code, &*early.err),
        (
            2,
            "error: the run in `out` still goes on, and writes its results there\n |\n \
             = help: wait for its end, or show what there is by now elsewhere, as with `--out so-far`\n\n\
             1 error\n"
        )
    );
    let into = folder.throng("report out --out out");
    assert_eq!(into.code, 2, "{into:?}");
    assert!(
        into.err.contains("a run that still goes on writes its results to `out`"),
        "{}",
        into.err
    );
    let so_far = folder.throng("report out --out so-far --quiet");
    assert_eq!(so_far.code, 3, "{so_far:?}");
    let second = folder.throng(&run);
    assert_eq!(second.code, 2);
    let want = "error: the results cannot be written to `out/record.jsonl.gz`: another run writes its results there\n";
    assert!(second.err.starts_with(want), "{}", second.err);
    child.kill().unwrap();
    child.wait().unwrap();
    let held = seconds(&lines(&record)).len();
    let said = folder.throng("report out");
    assert_eq!(said.code, 3, "{said:?}");
    let want = format!(
        "The run cannot be trusted: {} requests",
        folder.json("out/summary.json")["totals"]["requests"]
    );
    assert!(said.out.contains(&want), "{}", said.out);
    let reason =
        format!("the record stops at {held}s without an end: the run was killed, or still goes on");
    assert!(said.out.contains(&reason), "{}", said.out);
    let summary = folder.json("out/summary.json");
    assert_eq!(summary["run"]["records_cut_off"], 1);
    assert_eq!(summary["run"]["duration_s"], held as f64);
    assert_eq!(summary["validity"]["reasons"].to_string().find("add up"), None);
}

/// However a record was cut, it reads up to there; whatever was done to it, nothing worse happens
/// than a message.
#[test]
fn a_damaged_record_is_read_as_far_as_it_goes_or_refused() {
    let folder = Folder::new();
    paced(&folder, "out", "-t 2s");
    let path = folder.path().join("out/record.jsonl.gz");
    let good = folder.read("out/stats.csv");
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, 10, 200, whole.len() / 2, whole.len() - 30, whole.len() - 9] {
        std::fs::write(folder.path().join("cut.gz"), &whole[..cut]).unwrap();
        let said = folder.throng("report cut.gz --out cut --quiet");
        // At the very end only the checksum is missing.
        let codes: &[i32] = if cut + 40 > whole.len() { &[0, 1, 3] } else { &[2, 3] };
        assert!(codes.contains(&said.code), "{cut}: {said:?}");
        assert!(!said.err.contains("panicked"), "{said:?}");
    }
    for at in (20..whole.len()).step_by(whole.len() / 25) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(folder.path().join("bad.gz"), &bytes).unwrap();
        let said = folder.throng("report bad.gz --out bad --quiet");
        assert!(!said.err.contains("panicked"), "{said:?}");
        // Without a word only what is the same.
        if [0, 1].contains(&said.code) {
            assert_eq!(folder.read("bad/stats.csv"), good, "{at}: {said:?}");
        } else {
            assert!([2, 3].contains(&said.code), "{at}: {said:?}");
            assert!(said.err.starts_with("error: "), "{at}: {said:?}");
        }
    }
}

#[test]
fn what_is_no_record_is_said() {
    let folder = Folder::new();
    paced(&folder, "out", "-t 1s");
    let all: Vec<String> = lines(&folder.path().join("out/record.jsonl.gz"))
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let error = |arguments: &str| {
        let said = folder.throng(&format!("report {arguments}"));
        assert_eq!(said.code, 2, "{said:?}");
        let text = said.err.strip_suffix("\n\n1 error\n").unwrap_or(&said.err).to_owned();
        text.replace("\n |\n = help: ", "; ")
    };
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    folder.file("nothing", "");
    folder.file("plan.txt", "target: x\n");
    folder.file("later", "{\"throng_record\":9,\"throng\":\"7.0.0\",\"about\":\"\"}\n{}\n");
    write(&folder.path().join("garbled.gz"), &[all[0].clone(), "{\"started\": 1}\n".into()]);
    let version = env!("CARGO_PKG_VERSION");
    for (arguments, want) in [
        (
            "none",
            "there is no `none`; name a folder of results, as `results/latest`, or a record in one",
        ),
        (
            "empty",
            "`empty` holds no record of a run; name a folder of results, in which there is `record.jsonl.gz`",
        ),
        (
            "nothing",
            "`nothing` says nothing of what ran; the run was killed before it began: do it again",
        ),
        (
            "plan.txt",
            "`plan.txt` is no record of a run; name a folder of results, in which there is `record.jsonl.gz`",
        ),
        (
            "later",
            &format!(
                "`later` is a record of version 9, written by throng 7.0.0; this is throng {version}, which \
                 reads version 1; read it with the program that wrote it, or a later one"
            ),
        ),
        (
            "garbled.gz",
            "line 2 of `garbled.gz` cannot be read; the file was changed or damaged after it was written",
        ),
        (
            "out --from 5s --to 2s",
            "the part that is asked for ends before it begins; write `--from` before `--to`, as `--from 2m --to 5m`",
        ),
    ] {
        assert_eq!(error(arguments), format!("error: {want}"), "{arguments}");
    }
    assert!(
        error("out --from 1.5s").contains("figures come each second: write whole seconds, as `1s`")
    );
    paced(&folder, "other", "-t 1s");
    assert!(error("out --out other").contains("`other` holds the results of another run"));
    assert!(error("out out/record.jsonl.gz --out twice").contains("are one record"));
    // A line in the middle: what stands before it was measured, and is shown.
    let mut damaged = all.clone();
    let last = damaged.len() - 1;
    damaged[last] = "{\"ended\": 3}\n".into();
    write(&folder.path().join("damaged.gz"), &damaged);
    let said = folder.throng("report damaged.gz --out damaged --quiet");
    assert_eq!(said.code, 3);
    assert!(said.err.starts_with("error: line "), "{}", said.err);
    assert!(folder.json("damaged/summary.json")["totals"]["requests"].as_u64() > Some(0));
}

#[test]
fn a_sample_plan_with_all_it_has_reads_back_the_same() {
    let api = todo_api();
    let folder = Folder::new();
    let run = format!(
        "run {} -H http://{} --out out -u 5 -t 2s --quiet",
        plan("todo.yaml"),
        api.address()
    );
    folder.throng(&run);
    let before = folder.read("out/report.html");
    folder.throng("report out --quiet");
    assert_eq!(folder.read("out/report.html"), before);
}

/// A record is a file like any other, and may come from anyone.
#[test]
fn numbers_that_no_run_has_are_refused() {
    let folder = Folder::new();
    paced(&folder, "out", "-t 2s");
    let all = lines(&folder.path().join("out/record.jsonl.gz"));
    let second = all.iter().position(|line| line.get("second").is_some()).unwrap();
    let last = all.len() - 1;
    type Change = fn(&mut Value);
    let changes: [(usize, Change); 10] = [
        (second, |line| {
            let names = line["second"]["held"]["names"].as_object_mut().unwrap();
            let stats = names.values_mut().next().unwrap();
            stats["service"]["min_ns"] = 12_884_901_885_u64.into();
        }),
        (second, |line| line["second"]["held"]["to_s"] = 0.into()),
        (second, |line| line["second"]["held"]["to_s"] = 4_000_000_000_u32.into()),
        (second, |line| {
            let held = &mut line["second"]["held"];
            (held["from_s"], held["to_s"]) = (9_000_000.into(), 9_000_001.into());
        }),
        (second, |line| {
            let names = line["second"]["held"]["names"].as_object_mut().unwrap();
            let (_, stats) = names.iter().next().map(|(a, b)| (a.clone(), b.clone())).unwrap();
            names.insert("65535".into(), stats);
        }),
        (second, |line| line["second"]["held"]["issued"] = u64::MAX.into()),
        (second, |line| line["second"]["held"]["user_seconds"] = u64::MAX.into()),
        (last, |line| line["ended"]["duration"]["secs"] = u64::MAX.into()),
        (last, |line| {
            let kept = line["ended"]["evidence"].as_array_mut().unwrap();
            kept[0]["mark"]["series"] = 60_000.into();
        }),
        (last, |line| *line = serde_json::json!({ "later": {} })),
    ];
    for (number, (at, change)) in changes.into_iter().enumerate() {
        let mut all = all.clone();
        change(&mut all[at]);
        let text: Vec<String> = all.iter().map(|line| format!("{line}\n")).collect();
        write(&folder.path().join("odd.gz"), &text);
        let said = folder.throng("report odd.gz --out odd --quiet");
        assert!([2, 3].contains(&said.code), "{number}: {said:?}");
        assert!(said.err.starts_with("error: line "), "{number}: {}", said.err);
        let compared = folder.throng("compare out odd.gz");
        assert_eq!(compared.code, 2, "{number}: {compared:?}");
        assert!(compared.err.starts_with("error: line "), "{number}: {}", compared.err);
    }
}

/// A load that ends within a second, requests that end after it, and a part that ends before the order
/// to stop.
#[test]
fn an_end_within_a_second_is_made_again_the_same() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users: { A: { wait: { pace: 100ms }, tasks: { a: { get: /todos/ }, b: { get: /slow?ms=700, accept: any } } } }\n\
         profiles: { short: { users: 3, hold: 2500ms, grace: 2s } }\n\
         thresholds: [ rps > 1000, rps > 1, requests < 5, { must: rps > 2, every: 1s } ]\n",
    );
    folder.throng(&format!("run plan.yaml -H http://{} --out out --quiet", api.address()));
    let before = FILES.map(|file| folder.read(&format!("out/{file}")));
    folder.throng("report out --quiet");
    for (file, before) in FILES.iter().zip(&before) {
        assert_eq!(&folder.read(&format!("out/{file}")), before, "{file}");
    }
}
