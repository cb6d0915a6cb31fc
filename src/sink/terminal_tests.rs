//! Owns the tests of the summary in the terminal: whole texts, and tables at every width.

use super::*;
use std::sync::LazyLock;
use std::time::Duration;

use crate::event::{Aside, Closing};
use crate::metrics::{Catalogue, Interval, RequestName, Seen};
use crate::verdict::diagnosis::{Chart, Evidence};
use crate::verdict::{First, Of, Threshold, Validity, Verdict, Windows, judge};

fn shown(width: u16) -> Vec<String> {
    let name = |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
    let names = vec![
        name("GET", "/todos/{id} [GET - Single]"),
        name("PUT", "/todos/{id} [PUT - Update]"),
        name("DELETE", "/todos/{id} [DELETE]"),
    ];
    let mut summary = Summary::new(Catalogue { names, ..Catalogue::default() });
    let mut interval = Interval::second(0);
    for name in 0..3 {
        let stats = interval.names.entry(name).or_default();
        (1..1200).for_each(|us| stats.response_ok.record(Duration::from_micros(us)));
    }
    summary.add(&interval);
    requests(&summary, Some(width)).to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_table_fits_its_terminal_and_its_names_stay_told_apart() {
    for width in 40..120 {
        let lines = shown(width);
        assert_eq!(lines.len(), 5, "one line each at {width}: {lines:?}");
        assert!(lines.iter().all(|line| width_of(line) <= usize::from(width)), "{lines:?}");
        let ends = ["ngle]", "date]", "LETE]"];
        for (line, end) in lines[1..].iter().zip(ends) {
            assert!(line.contains(end), "{width}: {line}");
            assert!(line.contains("1,199"), "{width}: {line}");
        }
    }
    assert!(shown(60)[0].contains("p95") && !shown(40)[0].contains("p95"));
}

fn catalogue() -> Catalogue {
    let name = |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
    Catalogue {
        names: vec![name("GET", "/todos/{id}"), name("POST", "/todos/")],
        groups: vec!["checkout".into(), "a group with a rather long name".into()],
        texts: vec!["expect: $.completed equals true".into()],
        ..Catalogue::default()
    }
}

fn second(fill: impl FnOnce(&mut Interval)) -> Summary {
    let mut summary = Summary::new(catalogue());
    let mut interval = Interval::second(0);
    fill(&mut interval);
    summary.add(&interval);
    (summary.duration, summary.loaded) = (Duration::from_secs(1), Duration::from_secs(1));
    summary
}

fn requests_of(interval: &mut Interval, name: u16, ok: u64, failed: &[(Failure, &[&str])]) {
    let stats = interval.names.entry(name).or_default();
    (0..ok).for_each(|k| stats.response_ok.record(Duration::from_millis(10 + k)));
    for (failure, examples) in failed {
        stats.response_failed.record(Duration::from_millis(3));
        let examples = examples.iter().map(|text| (*text).to_owned()).collect();
        stats.failures.push((*failure, Seen { count: 1, examples, ..Seen::default() }));
    }
    interval.issued += ok + failed.len() as u64;
}

fn text_of(summary: &Summary, warmup: Option<&Summary>, asides: &[Aside], width: u16) -> String {
    let mut threshold = Threshold::parse("max < 2s").unwrap();
    threshold.of = Some(Of::Group("checkout".into()));
    let thresholds = vec![judge(&threshold, summary)];
    let verdict = Verdict { thresholds, validity: Validity::Valid };
    let ended = Ended { warmup, asides, ..ended(summary, &verdict) };
    let text = summary_text(&crate::sink::progress::tests::started(), &ended, Some(width));
    plain(&text)
}

static CLOSING: LazyLock<Closing> = LazyLock::new(Closing::default);

fn ended<'a>(summary: &'a Summary, verdict: &'a Verdict) -> Ended<'a> {
    Ended {
        findings: &[],
        summary,
        warmup: None,
        asides: &[],
        evidence: None,
        verdict,
        stopped: None,
        steered: &[],
        search: None,
        stopped_by: None,
        exit_code: 0,
        at: jiff::Timestamp::UNIX_EPOCH,
        closing: &CLOSING,
        again: None,
    }
}

fn plain(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn what_is_none_of_the_requests_has_tables_and_lines_of_its_own() {
    let summary = second(|interval| {
        let saw: &[&str] = &["false", "null", "an \u{1b}[31mescape"];
        requests_of(interval, 0, 20, &[(Failure::Rule(0), saw), (Failure::Status(503), &[])]);
        requests_of(interval, 1, 5, &[]);
        for group in 0..2 {
            let stats = interval.groups.entry(group).or_default();
            (1..=4).for_each(|k| stats.response_ok.record(Duration::from_millis(200 * k)));
        }
        let broken = interval.groups.entry(1).or_default();
        broken.response_failed.record(Duration::from_millis(50));
        (interval.retries, interval.not_started, interval.unrecorded) = (1, 1234, 2);
        (interval.issued, interval.cancelled, interval.idle) = (interval.issued + 1, 1, 3);
    });
    let mut warm = second(|interval| {
        requests_of(interval, 0, 118, &[(Failure::Status(500), &[]), (Failure::Status(503), &[])]);
    });
    warm.duration = Duration::from_secs(10);
    let aside = |name, summary| Aside { name, summary };
    let before = second(|interval| requests_of(interval, 1, 1, &[]));
    let after = second(|interval| {
        requests_of(interval, 0, 1, &[(Failure::Status(404), &[])]);
        interval.exceptions.insert("there is no `id` yet".into(), 1);
    });
    let asides = [aside("before", before), aside("after", after)];
    insta::assert_snapshot!(text_of(&summary, Some(&warm), &asides, 100), @r#"
           name         requests     failed   rps     p50     p95     p99     max
     GET   /todos/{id}        22  2 (9.09%)  22.0  18.0ms  28.0ms  29.0ms  29.0ms
     POST  /todos/             5          0  5.00  12.0ms  14.0ms  14.0ms  14.0ms
           Aggregated         27  2 (7.41%)  27.0  16.0ms  28.0ms  29.0ms  29.0ms

    Groups: time without waits
     name                             count   failed    p50    p95    p99    max
     checkout                             4        0  400ms  800ms  800ms  800ms
     a group with a rather long name      5  1 (20%)  400ms  800ms  800ms  800ms

    Before the first user: once, in no other figure
           name     requests  failed     avg     max
     POST  /todos/         1       0  10.0ms  10.0ms

    After the last user: once, in no other figure
          name         requests   failed     avg     max
     GET  /todos/{id}         2  1 (50%)  6.50ms  10.0ms
            1  status 404  GET /todos/{id}
            1  there is no `id` yet

    warm-up 10s: 120 requests, 2 failed; left out of the figures above
    1,234 times a user could not start: its `on_start` failed
    1 retry: only the last attempt of a request is in the figures
    2 requests kept out of the tables by `record: off`
    1 request was cut at the end; neither succeeded nor failed
    3 times a user found nothing to do: no `when` of its tasks held

    Failures: server errors (5xx)
            1  status 503  GET /todos/{id}

    Failures: rules of the plan
            1  expect: $.completed equals true (saw false, null, an ␛[31mescape)  GET /todos/{id}

    Thresholds
      ✓ max < 2s of group checkout  800ms

    The threshold held: 27 requests, 2 failed. VALID
    Results:
    "#);
}

#[test]
fn what_there_is_not_is_not_spoken_of() {
    let summary = second(|interval| requests_of(interval, 1, 5, &[]));
    let nothing = Aside { name: "before", summary: Summary::new(catalogue()) };
    insta::assert_snapshot!(text_of(&summary, None, &[nothing], 60), @r#"
           name        requests  failed   rps     p95     max
     POST  /todos/            5       0  5.00  14.0ms  14.0ms
           Aggregated         5       0  5.00  14.0ms  14.0ms

    Thresholds
      ✗ max < 2s of group checkout  no data  not a pass

    The threshold did not hold: 5 requests, none failed. VALID
    Results:
    "#);
}

#[test]
fn the_tables_beside_the_requests_fit_their_terminal_too() {
    let summary = second(|interval| {
        let stats = interval.groups.entry(1).or_default();
        (1..=4).for_each(|k| stats.response_ok.record(Duration::from_millis(200 * k)));
    });
    let asides =
        [Aside { name: "before", summary: second(|interval| requests_of(interval, 0, 1, &[])) }];
    for width in 40..120 {
        let text = text_of(&summary, None, &asides, width);
        let tables = text.lines().filter(|line| line.contains("name") && !line.contains("rate"));
        assert!(tables.clone().count() >= 3, "{text}");
        assert!(tables.into_iter().all(|line| width_of(line) <= usize::from(width)), "{text}");
    }
}

#[test]
fn arrivals_that_were_dropped_or_waited_are_said() {
    let told = |change: fn(&mut Interval), users_peak: u32| {
        let summary = second(|interval| {
            requests_of(interval, 1, 5, &[]);
            interval.arrivals = 2000;
            change(interval);
        });
        let verdict = Verdict { thresholds: Vec::new(), validity: Validity::Valid };
        let started = Started { users_peak, ..crate::sink::progress::tests::started() };
        let text = plain(&summary_text(&started, &ended(&summary, &verdict), None));
        let is_told = |line: &&str| line.contains(" arrival");
        text.lines().filter(is_told).map(str::to_owned).collect::<Vec<_>>()
    };
    let both = |interval: &mut Interval| {
        interval.dropped = 1234;
        (0..766).for_each(|_| interval.waited.record(Duration::from_millis(1250)));
    };
    assert_eq!(
        told(both, 200),
        [
            "1,234 arrivals were dropped: none of at most 200 users was free",
            "766 arrivals waited for a free user, up to 1.25s (p99): part of the response time",
        ]
    );
    assert_eq!(
        told(|interval| interval.dropped = 1, 1),
        ["1 arrival was dropped: the only user was busy"]
    );
    assert_eq!(
        told(|interval| (interval.dropped, interval.not_started) = (7, 3), 20),
        ["7 arrivals were dropped: users were busy, or could not start"]
    );
    assert_eq!(told(|_| {}, 20), [""; 0]);
}

#[test]
fn thresholds_say_how_they_came_out_and_since_when() {
    let summary = second(|interval| requests_of(interval, 1, 1234, &[]));
    let said = |text: &str, change: &dyn Fn(&mut Judged)| {
        let mut judged = judge(&Threshold::parse(text).unwrap(), &summary);
        change(&mut judged);
        let verdict = Verdict { thresholds: vec![judged], validity: Validity::Valid };
        let mut text = String::new();
        thresholds(&ended(&summary, &verdict), &mut text);
        let sentence = json::sentence(&ended(&summary, &verdict));
        let line = plain(&text).lines().last().unwrap().trim().to_owned();
        (line, sentence.split(':').next().unwrap().to_owned())
    };
    let same = |_: &mut Judged| {};
    let windows = |few, broken, at| Some(Windows { judged: 5, broken, few, at: Some(at) });
    for (text, change, line, sentence) in [
        (
            "requests > 9",
            &same as &dyn Fn(&mut Judged),
            "✓ requests > 9  1,234",
            "The threshold held",
        ),
        (
            "requests < 9",
            &|judged| judged.first = Some(First { at_s: 75, value: 9.0 }),
            "✗ requests < 9  1,234  broke  since 1m15s, then 9",
            "The threshold did not hold",
        ),
        (
            "requests < 9",
            &|judged| {
                judged.windows = windows(0, 2, (40, 50));
                judged.first = Some(First { at_s: 20, value: 11.0 });
            },
            "✗ requests < 9  1,234  broke  in 2 of 5 windows, worst 40s to 50s, first up to 20s with 11",
            "The threshold did not hold",
        ),
        (
            "requests < 9",
            &|judged| {
                judged.windows = windows(0, 2, (40, 50));
                judged.first = Some(First { at_s: 50, value: 1234.0 });
            },
            "✗ requests < 9  1,234  broke  in 2 of 5 windows, worst 40s to 50s",
            "The threshold did not hold",
        ),
        (
            "p99.9 < 1h",
            &same,
            "✗ p99.9 < 1h  1.24s  cannot say: 1,234 of the 2,995 samples that it takes",
            "The threshold did not hold",
        ),
        (
            "p99.9 < 1h",
            &|judged| judged.windows = windows(3, 0, (0, 10)),
            "✗ p99.9 < 1h  1.24s  cannot say: 1,234 of the 2,995 samples that it takes  in 3 of 5 \
             windows, first 0s to 10s",
            "The threshold did not hold",
        ),
        (
            "avg < baseline * 1.10",
            &same,
            "– avg < baseline * 1.10  626ms  not judged: there is no baseline",
            "No threshold was judged",
        ),
        (
            "avg < baseline * 1.10",
            &|judged| {
                (judged.state, judged.baseline, judged.limit) =
                    (State::Broke, Some(500.0), Some(550.0));
            },
            "✗ avg < baseline * 1.10  626ms  broke  baseline 500ms",
            "The threshold did not hold",
        ),
        (
            "avg < baseline",
            &|judged| judged.state = State::NoData,
            "✗ avg < baseline  626ms  no data in the baseline, not a pass",
            "The threshold did not hold",
        ),
    ] {
        assert_eq!(said(text, change), (line.to_owned(), sentence.to_owned()), "{text}");
    }
    let thresholds = ["requests > 9", "avg < baseline"]
        .map(|text| judge(&Threshold::parse(text).unwrap(), &summary));
    let verdict = Verdict { thresholds: thresholds.into(), validity: Validity::Valid };
    assert_eq!(
        json::sentence(&ended(&summary, &verdict)),
        "The threshold held, 1 was not judged: 1,234 requests, none failed."
    );
}

#[test]
fn findings_are_said_in_lines_that_fit_and_what_a_threshold_says_is_not_said_again() {
    let summary = second(|interval| requests_of(interval, 1, 5, &[]));
    let verdict = Verdict { thresholds: vec![], validity: Validity::Valid };
    let finding = |rule, sentence: &str| Finding {
        rule,
        also: vec![],
        sentence: sentence.to_owned(),
        figures: vec![],
        advice: "look at its queries, and at what it waits for".to_owned(),
        evidence: Evidence { chart: Chart::Response, name: None, seconds: None },
    };
    let findings = [
        finding(
            Rule::OneNameSlow,
            "GET /sea\u{1b}[31mrch alone is slow: its 95th percentile is 2.07s, of the 2 other names it is at most 29ms",
        ),
        finding(Rule::TooFewSamples, "`p99.9 < 2s` had 141 samples and takes 2,995"),
    ];
    let ended = Ended { findings: &findings, ..ended(&summary, &verdict) };
    let said = summary_text(&crate::sink::progress::tests::started(), &ended, Some(60));
    let said = plain(&said);
    let (_, said) = said.split_once("What the figures say\n").unwrap();
    insta::assert_snapshot!(said, @r"
      • GET /sea␛[31mrch alone is slow: its 95th percentile is
        2.07s, of the 2 other names it is at most 29ms.
        Look at its queries, and at what it waits for.

    No thresholds to judge: 5 requests, none failed. VALID
    Results:
    ");
}

#[test]
fn doubts_are_said_beside_the_verdict_and_by_quiet_too() {
    let summary = second(|interval| requests_of(interval, 1, 5, &[]));
    let shown = |threshold: &str, validity: Validity| {
        let thresholds = vec![judge(&Threshold::parse(threshold).unwrap(), &summary)];
        let verdict = Verdict { thresholds, validity };
        let ended = ended(&summary, &verdict);
        let whole = plain(&summary_text(&crate::sink::progress::tests::started(), &ended, None));
        let quiet = plain(&verdict_text(&ended, "report.html"));
        let said = quiet.split_once("\n\n").map_or(&*quiet, |(_, said)| said);
        assert!(whole.ends_with(&said.replace(" report.html", "")), "{whole}{quiet}");
        quiet
    };
    let reasons = || vec!["one thing".to_owned(), "another".to_owned()];
    assert_eq!(
        shown("requests == 5", Validity::Suspect(reasons())),
        "The threshold held: 5 requests, none failed. SUSPECT\n  one thing\n  another\nResults: report.html\n"
    );
    assert_eq!(
        shown("dropped < 1", Validity::Suspect(reasons())),
        "  ✗ dropped < 1  no arrivals  not a pass\n\nThe threshold did not hold: 5 requests, none failed. SUSPECT\n  one thing\n  another\nResults: report.html\n"
    );
    assert_eq!(
        shown("requests == 5", Validity::Invalid(reasons())),
        "The run cannot be trusted: 5 requests, none failed. INVALID\n  one thing\n  another\nResults: report.html\n"
    );
}
