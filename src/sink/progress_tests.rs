//! Owns the tests of the live screen: what it shows at every width.

use super::*;
use crate::load::Span;
use crate::metrics::{Catalogue, Failure, Interval, RequestName, Seen, Summary};
use crate::verdict::{Standings, Threshold, Timetable};

pub(in crate::sink) fn started() -> Started {
    let name = |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
    let names = vec![
        name("GET", "/todos/ [GET - List]"),
        name("POST", "/할일/{id}/a-rather-long-name-of-an-endpoint"),
    ];
    Started {
        plan_name: "Todo API".into(),
        plan_file: "plans/todo.yaml".into(),
        plan_text: String::new(),
        plan_format: "yaml".into(),
        profile: "profile load".into(),
        target: "http://127.0.0.1:8000".into(),
        insecure: false,
        seed: 1,
        os: "linux x86_64".into(),
        workers: 2,
        users_peak: 50,
        search: None,
        baseline: None,
        planned: Duration::from_secs(300),
        warmup: Duration::ZERO,
        iterations: None,
        spans: vec![
            Span { name: "up".into(), from: Duration::ZERO, to: Duration::from_secs(5) },
            Span {
                name: "50 users".into(),
                from: Duration::from_secs(5),
                to: Duration::from_secs(300),
            },
        ],
        fail_on_error: false,
        labels: vec![],
        command_line: String::new(),
        at: jiff::Timestamp::UNIX_EPOCH,
        catalogue: Catalogue { names, ..Catalogue::default() },
        thresholds: ["p95 < 500ms", "error_rate < 0.1%", "rps > 50"]
            .map(|text| Threshold::parse(text).unwrap())
            .into(),
        out: String::new(),
    }
}

/// A run of 80 seconds, and the last of them.
fn run() -> (Interval, Summary) {
    let mut summary = Summary::new(started().catalogue);
    let mut interval = Interval::second(79);
    interval.user_seconds = 48;
    for name in 0..2 {
        let stats = interval.names.entry(name).or_default();
        for k in 0..20 + u64::from(name) {
            stats.response_ok.record(Duration::from_millis(5 + k));
        }
    }
    let failed = interval.names.entry(1).or_default();
    failed.response_failed.record(Duration::from_millis(3));
    failed.failures.push((
        Failure::Status(500),
        Seen { count: 1, first_ms: 0, last_ms: 0, ..Seen::default() },
    ));
    (0..80).for_each(|_| summary.add(&interval));
    summary.duration = Duration::from_secs(80);
    summary.loaded = summary.duration;
    (interval, summary)
}

fn shown(change: impl FnOnce(&mut Started), stopping: bool, columns: usize, rows: usize) -> String {
    let mut started = started();
    change(&mut started);
    lines(&run(), &started, stopping, columns, rows)
}

fn lines(
    (interval, so_far): &(Interval, Summary),
    started: &Started,
    stopping: bool,
    columns: usize,
    rows: usize,
) -> String {
    let mut standings = Standings::new(&started.thresholds, &Timetable::default());
    standings.second(&so_far.totals, so_far, true, true);
    let standings = &standings;
    let (asked_users, iterations, warmup) = (50, 1_680, None);
    let within_load = true;
    let second = Second {
        interval,
        asked_users,
        within_load,
        loaded: started.planned,
        so_far,
        iterations,
        warmup,
        standings,
    };
    let lines = screen(started, &second, stopping, Size { columns, rows });
    let plain: Vec<String> =
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
    for line in &plain {
        assert!(width_of(line) < columns, "{} of {columns} columns: {line}", width_of(line));
    }
    assert!(plain.len() < rows.max(3), "{} lines in {rows} rows", plain.len());
    plain.join("\n")
}

#[test]
fn a_wide_screen_shows_all_of_it() {
    insta::assert_snapshot!(shown(|_| {}, false, 100, 30), @r#"
    ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  1m20s of 5m
    48 of 50 users  3,360 requests  80 failed  42.0/s  p50 14.0ms  p95 24.0ms  p99 25.0ms
                                                        req/s       p95    failed
    POST /할일/{id}/a-rather-long-name-of-an-endpoi…     22.0    24.0ms        80
    GET /todos/ [GET - List]                             20.0    23.0ms         0
    ✗ error_rate < 0.1%  2.38%  ✗ rps > 50/s  42.0/s  ✓ p95 < 500ms  24.0ms
    "#);
}

#[test]
fn a_narrow_one_leaves_out_what_matters_least() {
    insta::assert_snapshot!(shown(|_| {}, false, 60, 24), @r#"
    ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌  1m20s of 5m
    48 of 50 users  80 failed  42.0/s  p95 24.0ms
                                     req/s       p95    failed
    POST /할일/{id}/a-rather-lon…     22.0    24.0ms        80
    GET /todos/ [GET - List]          20.0    23.0ms         0
    ✗ error_rate < 0.1%  2.38%  ✗ rps > 50/s  42.0/s
    "#);
    insta::assert_snapshot!(shown(|_| {}, false, 30, 24), @r#"
    ━━╌╌╌╌╌╌╌  1m20s of 5m
    48 of 50 users  80 failed
    ✗ error_rate < 0.1%  2.38%
    "#);
    insta::assert_snapshot!(shown(|_| {}, true, 80, 6), @r#"
    ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  1m20s  stopping; again cuts what is under way
    48 of 50 users  3,360 requests  80 failed  42.0/s  p50 14.0ms  p95 24.0ms
    "#);
}

#[test]
fn users_that_could_not_start_and_retries_are_shown_when_there_are_any() {
    let (interval, mut so_far) = run();
    (so_far.totals.not_started, so_far.totals.retries) = (12, 1);
    let figures = |columns| {
        let screen = lines(&(interval.clone(), so_far.clone()), &started(), false, columns, 6);
        screen.lines().nth(1).unwrap().to_owned()
    };
    insta::assert_snapshot!(figures(120), @"48 of 50 users  3,360 requests  80 failed  12 could not start  42.0/s  p50 14.0ms  p95 24.0ms  p99 25.0ms  1 retry");
    insta::assert_snapshot!(figures(60), @"48 of 50 users  80 failed  12 could not start  42.0/s");
}

#[test]
fn the_warm_up_shows_its_own_figures_and_is_not_judged() {
    let (interval, warm) = run();
    let so_far = Summary::new(started().catalogue);
    let second = Second {
        interval: &interval,
        asked_users: 50,
        within_load: true,
        loaded: Duration::from_secs(300),
        so_far: &so_far,
        iterations: 9,
        warmup: Some(&warm),
        standings: &Standings::new(
            &started().thresholds,
            &Timetable { warmup: 81, stages: Vec::new() },
        ),
    };
    let lines = screen(&started(), &second, false, Size { columns: 80, rows: 24 });
    let plain: Vec<_> =
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
    insta::assert_snapshot!(plain.join("\n"), @r#"
    ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  1m20s of 5m  warm-up
    48 of 50 users  3,360 requests  80 failed  42.0/s  p50 14.0ms  p95 24.0ms
                                                        req/s       p95    failed
    POST /할일/{id}/a-rather-long-name-of-an-endpoi…     22.0    24.0ms        80
    GET /todos/ [GET - List]                             20.0    23.0ms         0
    "#);
}

#[test]
fn every_size_is_kept_within() {
    let (run, started) = (run(), started());
    for columns in 12..140 {
        for rows in [3, 5, 8, 24] {
            lines(&run, &started, false, columns, rows);
            lines(
                &run,
                &Started { iterations: Some(9_000), ..started.clone() },
                true,
                columns,
                rows,
            );
        }
    }
}

#[test]
fn a_rate_is_said_at_the_start_and_beside_the_clock_with_the_users_that_it_needs() {
    let span = |name: &str, from: u64, to: u64| Span {
        name: name.into(),
        from: Duration::from_secs(from),
        to: Duration::from_secs(to),
    };
    let mut open = started();
    (open.profile, open.users_peak) = ("profile open".into(), 2_000);
    open.spans = vec![span("up", 0, 5), span("200/s", 5, 300)];
    let said = |started: &Started| anstream::adapter::strip_str(&heading(started)).to_string();
    let server = "against http://127.0.0.1:8000";
    assert_eq!(
        said(&open),
        format!("Todo API  profile open, 200/s at the peak, up to 2,000 users for 5m, {server}")
    );
    open.spans[0].name = "peak".into();
    assert_eq!(said(&open), format!("Todo API  profile open, up to 2,000 users for 5m, {server}"));
    open.profile = "200/s".into();
    assert_eq!(said(&open), format!("Todo API  200/s, up to 2,000 users for 5m, {server}"));

    let (mut interval, mut so_far) = run();
    (interval.arrivals, so_far.totals.dropped) = (200, 1_234);
    let screen = lines(&(interval, so_far), &open, false, 100, 6);
    insta::assert_snapshot!(screen, @r#"
    ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  1m20s of 5m  200/s
    48 users  3,360 requests  80 failed  1,234 dropped  42.0/s  p50 14.0ms  p95 24.0ms  p99 25.0ms
    "#);
}

#[test]
fn the_clock_says_what_the_run_waits_for() {
    let first = |change: fn(&mut Started)| {
        let screen = shown(change, false, 100, 24);
        screen.lines().next().unwrap().trim_start_matches(['━', '╌']).trim().to_owned()
    };
    assert_eq!(first(|_| {}), "1m20s of 5m");
    let named = |started: &mut Started| started.spans[1].name = "peak".into();
    assert_eq!(first(named), "1m20s of 5m  peak");
    assert_eq!(
        first(|started| started.iterations = Some(9_000)),
        "1m20s  1,680 of 9,000 iterations"
    );
    assert_eq!(
        first(|started| started.planned = Duration::from_secs(70)),
        "1m20s  the load has ended; what is under way may finish"
    );
}

#[test]
fn logs_get_fewer_lines_the_longer_it_goes() {
    let told = |from: u32, to: u32| (from..=to).filter(|at| is_told(*at)).count();
    assert_eq!((told(1, 60), told(61, 600), told(601, 86_400)), (12, 18, 1430));
}
