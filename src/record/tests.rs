//! Records that are written, read and put together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::line::Line;
use super::merge::Together;
use super::write::Writer;
use crate::event::{Closing, Ended, Event, Second, Started};
use crate::metrics::{Catalogue, Facet, Health, Interval, Level, NameStats, RequestName, Summary};
use crate::verdict::{Standings, Timetable, Validity, Verdict};

fn started(names: &[&str]) -> Started {
    let names: Vec<_> = names
        .iter()
        .map(|name| RequestName { method: "GET".into(), name: (*name).into() })
        .collect();
    Started {
        plan_name: "Todo".into(),
        plan_file: "plans/todo.yaml".into(),
        plan_text: "users:\n".into(),
        plan_format: "yaml".into(),
        profile: "profile load".into(),
        target: "http://127.0.0.1:8000".into(),
        insecure: false,
        seed: 1,
        os: "linux x86_64".into(),
        workers: 2,
        users_peak: 50,
        planned: Duration::from_secs(60),
        warmup: Duration::ZERO,
        iterations: None,
        spans: Vec::new(),
        fail_on_error: false,
        labels: Vec::new(),
        command_line: "throng run".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
        catalogue: Catalogue {
            facets: vec![Facet::default(); names.len()],
            names,
            ..Catalogue::default()
        },
        search: None,
        baseline: None,
        thresholds: Vec::new(),
        out: "results".into(),
    }
}

/// Writes a record of those seconds, with an end.
fn write(path: &Path, started: &Started, seconds: &[Interval]) {
    let mut writer = Writer::create(path).unwrap();
    writer.take(&Event::Started(started)).unwrap();
    let mut summary = Summary::new(started.catalogue.clone());
    let standings = Standings::new(&[], &Timetable::default());
    for interval in seconds {
        summary.add(interval);
        let second = Second {
            interval,
            asked_users: 5,
            within_load: true,
            loaded: started.planned,
            so_far: &summary,
            iterations: 0,
            warmup: None,
            standings: &standings,
        };
        writer.take(&Event::Second(&second)).unwrap();
    }
    summary.duration = Duration::from_secs(seconds.len() as u64);
    let verdict = Verdict { thresholds: Vec::new(), validity: Validity::Valid };
    let ended = Ended {
        findings: &[],
        summary: &summary,
        warmup: None,
        asides: &[],
        evidence: None,
        verdict: &verdict,
        steered: &[],
        search: None,
        stopped: None,
        stopped_by: None,
        exit_code: 0,
        at: jiff::Timestamp::UNIX_EPOCH,
        closing: &Closing { loaded: summary.duration, ..Closing::default() },
        again: None,
    };
    writer.take(&Event::Ended(&ended)).unwrap();
}

/// The seconds of records put together, and how long they are in all.
fn read(paths: &[PathBuf]) -> (Vec<Interval>, Duration) {
    let mut together = Together::open(paths).unwrap();
    let (mut seconds, mut duration) = (Vec::new(), Duration::ZERO);
    while let Some(line) = together.next_line().unwrap() {
        match line {
            Line::Second(second) => seconds.push(second.held),
            Line::Ended(ending) => duration = ending.duration,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(together.cut_off(), 0);
    (seconds, duration)
}

/// A second in which each of so many names had some requests.
fn second(at: u32, names: u16, mut random: impl FnMut() -> u64) -> Interval {
    let mut interval = Interval::second(at);
    interval.user_seconds = 5;
    for name in 0..names {
        let mut stats = NameStats::default();
        let requests = random() % 20;
        for _ in 0..requests {
            let service = Duration::from_nanos(3_000_000 + random() % 8_000_000);
            stats.response_ok.record(service + Duration::from_nanos(random() % 200_000));
            stats.service.record(service);
            stats.first_byte.record(service - Duration::from_nanos(random() % 50_000));
            stats.body_bytes += 500;
            interval.wake_late.record(Duration::from_micros(random() % 300));
        }
        interval.issued += requests;
        interval.iterations += requests;
        if requests > 0 {
            interval.names.insert(name, stats);
        }
    }
    let mut level = |most: u64| Some(Level::over(random() % most, 1));
    interval.health = Health {
        cores: Some(2),
        process: level(200),
        machine: level(300),
        files: level(100),
        sockets: level(100),
        memory: level(30_000_000),
        available: level(20_000_000_000),
        memory_total: Some(24_000_000_000),
        files_limit: Some(20_000),
        ports: Some(28_000),
        suspended_ms: Some(0),
        ..Health::default()
    };
    interval
}

/// Numbers by chance, the same in every run.
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read(seed in any::<u64>(), seconds in 0u32..6) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let mut random = numbers(seed);
        let held: Vec<_> = (0..seconds).map(|at| second(at, 3, &mut random)).collect();
        write(&path, &started(&["/a", "/b", "/c"]), &held);
        let (read, duration) = read(&[path]);
        prop_assert_eq!(read, held);
        prop_assert_eq!(duration, Duration::from_secs(seconds.into()));
    }

    /// Law 5, with names that stand in another order in each record.
    #[test]
    fn records_come_to_the_same_in_any_order(seed in any::<u64>(), lengths in prop::collection::vec(0u32..5, 2..6)) {
        let folder = tempfile::tempdir().unwrap();
        let mut random = numbers(seed);
        let names = ["/a", "/b", "/c", "/d"];
        let mut paths = Vec::new();
        for (number, length) in lengths.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            let mut theirs = names;
            theirs.rotate_left(number % 4);
            let held: Vec<_> = (0..*length).map(|at| second(at, 3, &mut random)).collect();
            write(&path, &started(&theirs[..3]), &held);
            paths.push(path);
        }
        let shown = |paths: &[PathBuf]| {
            let together = Together::open(paths).unwrap();
            let catalogue = together.started().catalogue.clone();
            let (seconds, duration) = read(paths);
            let of = |second: &Interval| {
                let mut all: Vec<_> = second
                    .names
                    .iter()
                    .map(|(at, stats)| {
                        let stats = serde_json::to_string(stats).unwrap();
                        (catalogue.names[usize::from(*at)].name.clone(), stats)
                    })
                    .collect();
                all.sort();
                (second.from_s, second.issued, second.health.clone(), all)
            };
            (seconds.iter().map(of).collect::<Vec<_>>(), duration)
        };
        let whole = shown(&paths);
        paths.reverse();
        prop_assert_eq!(&shown(&paths), &whole);
        paths.rotate_left(1);
        prop_assert_eq!(&shown(&paths), &whole);
    }
}

/// `cargo test --lib a_record_of_a_day -- --ignored --nocapture`
#[test]
#[ignore = "takes a minute"]
fn a_record_of_a_day_with_five_names_at_50_a_second_stays_below_200_mb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let mut random = numbers(1);
    // Half an hour of it.
    let held: Vec<_> = (0..1800).map(|at| second(at, 5, &mut random)).collect();
    let requests: u64 = held.iter().map(|second| second.issued).sum();
    write(&path, &started(&["/a", "/b", "/c", "/d", "/e"]), &held);
    let day = std::fs::metadata(&path).unwrap().len() * 48;
    println!("{} requests a second, {} MB a day", requests / 1800, day / 1_000_000);
    assert!(day < 200_000_000);
}
