//! Owns the tests of the diagnosis of whole summaries, as runs make them.

use std::time::Duration;

use super::{Case, Finding, Rule, diagnose};
use crate::metrics::{Catalogue, Interval, RequestName, Summary};
use crate::verdict::{Threshold, Validity, Verdict, judge};

/// A summary of so many seconds, each of which `fill` fills, with the users that were asked for.
fn summary(seconds: u32, fill: impl Fn(u32, &mut Interval) -> u32) -> Summary {
    let name = |name: &str| RequestName { method: "GET".into(), name: name.into() };
    let names = vec![name("/list"), name("/search"), name("/search")];
    let mut summary = Summary::new(Catalogue { names, ..Catalogue::default() });
    for second in 0..seconds {
        let mut interval = Interval::second(second);
        let asked = fill(second, &mut interval);
        interval.issued = interval.all_names().requests();
        summary.add_asked(&interval, asked);
    }
    summary.duration = Duration::from_secs(seconds.into());
    summary.loaded = summary.duration;
    summary
}

fn told(summary: &Summary) -> Vec<Finding> {
    told_with(summary, &[])
}

/// With thresholds, judged over the whole run.
fn told_with(summary: &Summary, thresholds: &[&str]) -> Vec<Finding> {
    let judged = |text: &&str| judge(&Threshold::parse(text).unwrap(), summary);
    let thresholds = thresholds.iter().map(judged).collect();
    let verdict = Verdict { thresholds, validity: Validity::Valid };
    diagnose(&Case { summary, verdict: &verdict, stages: &[], workers: 2 })
}

/// So many requests of a name, each in so many milliseconds, give or take a tenth.
fn answer(interval: &mut Interval, name: u16, count: u64, ms: u64) {
    let stats = interval.names.entry(name).or_default();
    for n in 0..count {
        let time = Duration::from_micros(ms * (900 + 200 * n / count.max(1)));
        stats.response_ok.record(time);
        stats.service.record(time);
        stats.first_byte.record(time);
    }
}

/// Answers 40 a second at most, in 20 ms each, to users who think for a second.
#[test]
fn a_stepped_run_has_its_knee_where_the_target_is_full() {
    let users = [10, 20, 40, 80, 160];
    let run = summary(100, |second, interval| {
        let users = users[second as usize / 20];
        interval.user_seconds = users;
        let full = (users * 1000 / 40).saturating_sub(1000).max(20);
        answer(interval, 0, (users * 100 / 102).min(40), full);
        users as u32
    });
    let told = told(&run);
    assert_eq!(told.len(), 1, "the law has no corner, so there is no capacity: {told:#?}");
    assert_eq!(told[0].rule, Rule::Knee);
    assert_eq!(told[0].also, [Rule::FlatThroughput, Rule::SlowFirstByte]);
    assert_eq!(
        told[0].sentence,
        "The median response grew from 20ms at 10 users to 2.99s at 160, while throughput stayed at about 40/s: the target serves about 40/s, from about 41 users on"
    );
}

#[test]
fn in_the_open_form_load_is_what_arrives() {
    let rates = [10, 20, 40, 60];
    let run = summary(80, |second, interval| {
        let rate = rates[second as usize / 20];
        interval.user_seconds = rate.min(30);
        interval.arrivals = rate;
        interval.dropped = rate.saturating_sub(30);
        (0..rate.min(30)).for_each(|_| interval.beat_late.record(Duration::from_micros(80)));
        answer(interval, 0, rate.min(30), if rate > 30 { 900 } else { 20 });
        50
    });
    let told = told(&run);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].rule, told[0].also[0]), (Rule::Knee, Rule::FlatThroughput));
    assert_eq!(
        told[0].sentence,
        "The median response grew from 20ms at 10 arrivals/s to 894ms at 60/s, while throughput stayed at about 30/s: the target serves about 30/s, from about 30 arrivals/s on"
    );
}

#[test]
fn series_of_one_name_are_one_that_gets_slow() {
    let run = summary(60, |second, interval| {
        let users = if second < 30 { 20 } else { 200 };
        interval.user_seconds = users;
        answer(interval, 0, users / 4, 10);
        let slow = if second < 30 { 20 } else { 800 };
        answer(interval, 1, users / 8, slow);
        answer(interval, 2, users / 8, slow);
        users as u32
    });
    let told = told(&run);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(
        told[0].sentence,
        "GET /search alone gets slow under load: its 95th percentile grew from 20ms to 867ms there, of GET /list it is 11ms"
    );
}

#[test]
fn nothing_and_a_healthy_run_have_no_finding() {
    assert_eq!(told(&summary(0, |_, _| 0)), []);
    assert_eq!(told(&summary(5, |_, _| 1)), [], "nobody asked");
    let healthy = summary(60, |_, interval| {
        interval.user_seconds = 20;
        answer(interval, 0, 30, 12);
        answer(interval, 1, 8, 25);
        20
    });
    assert_eq!(told(&healthy), []);
}

#[test]
fn a_threshold_that_held_makes_nothing_slow_and_one_that_broke_does() {
    let run = summary(60, |_, interval| {
        interval.user_seconds = 20;
        answer(interval, 0, 30, 60);
        answer(interval, 0, 3, 120);
        20
    });
    for held in ["p50 < 80ms", "p90 < 110ms", "avg <= 80ms", "ok.p50 < 80ms", "p95 < 500ms"] {
        assert_eq!(told_with(&run, &[held]), [], "{held}");
    }
    for broken in ["p50 < 40ms", "p90 < 60ms", "avg <= 60ms", "ok.p50 < 40ms", "p95 < 100ms"] {
        let told = told_with(&run, &[broken, "p50 < 1s"]);
        assert_eq!((told.len(), told[0].rule), (1, Rule::SlowFirstByte), "{broken}: {told:#?}");
    }
}
