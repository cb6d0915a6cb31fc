//! Thresholds as seconds come in: windows, a later beginning, and the end of a run.

use super::*;
use crate::metrics::{Catalogue, RequestName};
use crate::verdict::{Few, Stage, When};
use proptest::prelude::*;
use std::time::Duration;

const ALWAYS: Duration = Duration::from_secs(1_000_000);

/// How many requests of a second succeeded, each after how many milliseconds, and how many failed.
#[derive(Debug, Clone, Copy)]
struct Of {
    ok: u64,
    ms: u64,
    failed: u64,
}

const fn ok(ok: u64) -> Of {
    Of { ok, ms: 10, failed: 0 }
}

const fn failed(failed: u64) -> Of {
    Of { ok: 10 - failed, ms: 10, failed }
}

fn second(at: usize, of: Of) -> Interval {
    let mut interval = Interval::second(u32::try_from(at).unwrap());
    let stats = interval.names.entry(0).or_default();
    (0..of.ok).for_each(|_| stats.response_ok.record(Duration::from_millis(of.ms)));
    (0..of.failed).for_each(|_| stats.response_failed.record(Duration::from_millis(of.ms)));
    interval
}

fn threshold(text: &str, when: When) -> Threshold {
    Threshold { when, ..Threshold::parse(text).unwrap() }
}

fn every(every: u32) -> When {
    When { every: Some(every), ..When::default() }
}

/// The second after which the run was to end, and how the threshold stood at the end.
fn judged(threshold: &Threshold, warmup: u32, seconds: &[Of]) -> (Option<u32>, Judged) {
    judged_within(threshold, warmup, seconds, ALWAYS)
}

fn judged_within(
    threshold: &Threshold,
    warmup: u32,
    seconds: &[Of],
    loaded: Duration,
) -> (Option<u32>, Judged) {
    judged_with(threshold, warmup, seconds, loaded, |_| true)
}

fn judged_with(
    threshold: &Threshold,
    warmup: u32,
    seconds: &[Of],
    loaded: Duration,
    under_way: impl Fn(usize) -> bool,
) -> (Option<u32>, Judged) {
    let timetable = Timetable { warmup, ..Timetable::default() };
    judged_by(threshold, &timetable, seconds, loaded, under_way)
}

fn judged_by(
    threshold: &Threshold,
    timetable: &Timetable,
    seconds: &[Of],
    loaded: Duration,
    under_way: impl Fn(usize) -> bool,
) -> (Option<u32>, Judged) {
    let name = RequestName { method: "GET".into(), name: "/".into() };
    let catalogue = Catalogue { names: vec![name], ..Catalogue::default() };
    let mut summary = Summary::new(catalogue);
    let mut standings = Standings::new(std::slice::from_ref(threshold), timetable);
    let warmup = timetable.warmup;
    let mut ended = None;
    for (at, of) in seconds.iter().enumerate() {
        let interval = second(at, *of);
        if interval.from_s >= warmup {
            summary.add(&interval);
        }
        let end = Duration::from_secs(u64::from(interval.to_s));
        let from = Duration::from_secs(u64::from(warmup));
        summary.loaded = end.min(loaded).saturating_sub(from);
        if standings.second(&interval, &summary, end <= loaded, under_way(at)).is_some() {
            assert_eq!(ended, None, "it ends once");
            ended = Some(interval.to_s);
        }
    }
    (ended, standings.judged(&summary).remove(0))
}

/// `state value in judged/broken windows, from-to`.
fn shown((ended, judged): (Option<u32>, Judged)) -> String {
    let ended = ended.map_or(String::new(), |at| format!(", ended after {at}"));
    let windows = judged.windows.map_or(String::new(), |windows| {
        let at = windows.at.map_or("never".into(), |(from, to)| format!("{from}-{to}"));
        format!(" in {} of {}, {at}", windows.broken, windows.judged)
    });
    let value = judged.value.map_or("nothing".into(), |value| format!("{value:.3}"));
    format!("{:?} {value}{windows}{ended}", judged.state)
}

#[test]
fn each_window_must_hold_one_after_the_other() {
    let rate = threshold("error_rate < 20%", every(2));
    let of = |seconds: &[Of]| shown(judged(&rate, 0, seconds));
    assert_eq!(of(&[failed(1); 6]), "Held 0.100 in 0 of 3, 0-2");
    assert_eq!(of(&[failed(0), failed(1), failed(1), failed(2)]), "Held 0.150 in 0 of 2, 2-4");
    // Over all it would have held.
    assert_eq!(
        of(&[ok(100), ok(100), failed(5), failed(3), failed(9), failed(0), ok(10), ok(1)]),
        "Broke 0.450 in 2 of 4, 4-6"
    );
    // What straddles two windows is in two.
    assert_eq!(of(&[ok(10), failed(3), failed(3), ok(10)]), "Held 0.150 in 0 of 2, 0-2");
    // The last one is not whole.
    assert_eq!(of(&[ok(10), ok(10), failed(9)]), "Held 0.000 in 0 of 1, 0-2");
    assert_eq!(of(&[ok(10)]), "NoData nothing in 0 of 0, never");
    // A window without data is not a pass, and worse ones are told before it.
    assert_eq!(of(&[ok(1), ok(0), ok(0), ok(0), ok(1), ok(1)]), "NoData nothing in 1 of 3, 2-4");
    assert_eq!(of(&[ok(0), ok(0), failed(9), ok(1)]), "Broke 0.818 in 2 of 2, 2-4");
}

#[test]
fn the_worst_window_is_the_one_on_the_wrong_side_of_the_limit() {
    let of = |text: &str, seconds: &[Of]| shown(judged(&threshold(text, every(1)), 0, seconds));
    let rates = [ok(5), ok(3), ok(9)];
    assert_eq!(of("rps > 2", &rates), "Held 3.000 in 0 of 3, 1-2");
    assert_eq!(of("rps > 4", &rates), "Broke 3.000 in 1 of 3, 1-2");
    assert_eq!(of("rps < 9", &rates), "Broke 9.000 in 1 of 3, 2-3");
    assert_eq!(of("rps > 4", &[ok(5), ok(0), ok(9)]), "Broke 0.000 in 1 of 3, 1-2");
    assert_eq!(of("rps < 10", &[ok(5), ok(0), ok(9)]), "NoData nothing in 1 of 3, 1-2");
    assert_eq!(of("requests == 5", &rates), "Broke 9.000 in 2 of 3, 2-3");
    let times = [10, 30, 20].map(|ms| Of { ok: 10, ms, failed: 0 });
    assert_eq!(of("p95 < 25ms", &times), "Broke 30.000 in 1 of 3, 1-2");
    assert_eq!(of("min > 15ms", &times), "Broke 10.000 in 1 of 3, 0-1");
}

#[test]
fn what_was_before_is_not_looked_at() {
    let bad = [failed(9), failed(9), failed(9), ok(10), ok(10), ok(10), ok(10)];
    let of =
        |when: When, warmup: u32| shown(judged(&threshold("error_rate < 20%", when), warmup, &bad));
    let after = |after: u32| When { after, ..When::default() };
    assert_eq!(of(after(0), 0), "Broke 0.386");
    assert_eq!(of(after(2), 0), "Held 0.180");
    assert_eq!(of(after(3), 2), "Held 0.000");
    assert_eq!(of(after(1), 3), "Held 0.000", "the warm-up is longer");
    assert_eq!(of(after(7), 0), "NoData nothing");
    assert_eq!(of(When { after: 3, ..every(2) }, 0), "Held 0.000 in 0 of 2, 3-5");
    assert_eq!(of(When { after: 2, ..every(2) }, 0), "Broke 0.450 in 1 of 2, 2-4");
    let rate = threshold("rps > 9", after(4));
    assert_eq!(
        shown(judged(&rate, 1, &[ok(1), ok(1), ok(1), ok(1), ok(10), ok(10)])),
        "Held 10.000"
    );
}

#[test]
fn one_that_breaks_ends_the_run_at_once() {
    let abort = |text: &str, when: When, seconds: &[Of]| {
        shown(judged(&threshold(text, When { abort: true, ..when }), 0, seconds))
    };
    let all = When::default();
    let rising = [ok(10), failed(1), failed(5), failed(9), ok(1000), ok(1000)];
    assert_eq!(
        abort("error_rate < 18%", all, &rising),
        "Broke 0.200 in 1 of 1, 0-3, ended after 3",
        "whatever came after"
    );
    assert_eq!(abort("error_rate < 90%", all, &rising), "Held 0.007");
    assert_eq!(abort("error_rate < 90%", all, &[ok(0), ok(0), ok(1)]), "Held 0.000");
    assert_eq!(abort("error_rate < 90%", all, &[ok(0), ok(0)]), "NoData nothing");
    // Not in the second before it is judged.
    let after = When { after: 3, ..all };
    assert_eq!(
        abort("error_rate < 18%", after, &rising),
        "Broke 0.900 in 1 of 1, 3-4, ended after 4"
    );
    // The windows slide: each second has one.
    assert_eq!(
        abort("error_rate < 60%", every(2), &rising),
        "Broke 0.700 in 1 of 3, 2-4, ended after 4"
    );
    assert_eq!(abort("error_rate < 80%", every(2), &rising), "Held 0.700 in 0 of 5, 2-4");
    // A server that answers no more: a whole window without data.
    assert_eq!(
        abort("p95 < 1s", every(3), &[ok(9), ok(9), ok(9), ok(0), ok(0), ok(0), ok(0)]),
        "NoData nothing in 1 of 4, 3-6, ended after 6"
    );
    // Nor did anybody ask it anything.
    let waits = threshold("p95 < 1s", When { abort: true, ..every(3) });
    let quiet = [ok(9), ok(9), ok(9), ok(0), ok(0), ok(0), ok(0)];
    assert_eq!(
        shown(judged_with(&waits, 0, &quiet, ALWAYS, |_| false)),
        "NoData nothing in 2 of 5, 3-6"
    );
    // It was quiet, and is not any more: the window that ends now holds.
    let again = [ok(9), ok(0), ok(0), ok(0), ok(9), ok(9)];
    assert_eq!(
        shown(judged_with(&waits, 0, &again, ALWAYS, |at| at > 3)),
        "NoData nothing in 1 of 4, 1-4"
    );
    // Nobody waits for the first window.
    assert_eq!(abort("rps > 5", every(3), &[ok(0), ok(9), ok(9)]), "Held 6.000 in 0 of 1, 0-3");
}

#[test]
fn what_ends_after_the_load_is_in_no_window_and_ends_no_run() {
    let seconds = [ok(10), ok(10), failed(9), failed(9)];
    let within = |when: When, loaded: u64| {
        let threshold = threshold("error_rate < 20%", when);
        shown(judged_within(&threshold, 0, &seconds, Duration::from_millis(loaded)))
    };
    let abort = When { abort: true, ..When::default() };
    assert_eq!(within(every(1), 2900), "Held 0.000 in 0 of 2, 0-1");
    assert_eq!(within(every(1), 3000), "Broke 0.900 in 1 of 3, 2-3");
    // Over all it is judged all the same, at the end.
    assert_eq!(within(abort, 2900), "Broke 0.450");
    assert_eq!(within(abort, 3000), "Broke 0.300 in 1 of 1, 0-3, ended after 3");
    let since = When { after: 1, ..abort };
    assert_eq!(within(since, 1500), "Broke 0.600");
}

/// `had of needs` behind how it stands.
fn shown_with_few(judged: (Option<u32>, Judged)) -> String {
    let few = judged.1.few.map_or(String::new(), |few| format!(", {} of {}", few.had, few.needs));
    format!("{}{few}", shown(judged))
}

#[test]
fn too_few_samples_are_not_a_pass() {
    let p95 = |when: When| threshold("p95 < 1s", when);
    let of = |threshold: &Threshold, seconds: &[Of]| shown_with_few(judged(threshold, 0, seconds));
    let whole = p95(When::default());
    assert_eq!(of(&whole, &[ok(58)]), "TooFew 10.000, 58 of 59");
    assert_eq!(of(&whole, &[ok(58), ok(1)]), "Held 10.000");
    assert_eq!(of(&Threshold { allow_few: true, ..whole.clone() }, &[ok(1)]), "Held 10.000");
    // However few, they show that it does not hold.
    let slow = Of { ok: 5, ms: 2000, failed: 0 };
    assert_eq!(of(&whole, &[slow]), "Broke 2000.000");
    assert_eq!(of(&whole, &[ok(0)]), "NoData nothing");
    // Rates, counts and means are judged as they are.
    for text in ["avg < 1s", "max < 1s", "rps > 0", "error_rate < 1%", "failures < 1"] {
        assert_eq!(judged(&threshold(text, When::default()), 0, &[ok(1)]).1.state, State::Held);
    }
    // Those that succeeded are fewer.
    let succeeded = threshold("ok.p95 < 1s", When::default());
    let some_failed = Of { ok: 50, ms: 10, failed: 50 };
    assert_eq!(of(&succeeded, &[some_failed]), "TooFew 10.000, 50 of 59");
}

#[test]
fn each_window_needs_samples() {
    let of = |when: When, seconds: &[Of]| {
        shown_with_few(judged(&threshold("p95 < 1s", when), 0, seconds))
    };
    let slow = Of { ok: 5, ms: 2000, failed: 0 };
    let many = ok(60);
    assert_eq!(of(every(1), &[many, many]), "Held 10.000 in 0 of 2, 0-1");
    assert_eq!(of(every(1), &[many, ok(9), ok(8)]), "TooFew 10.000 in 0 of 3, 1-2, 9 of 59");
    assert_eq!(of(every(1), &[many, ok(9), slow]), "Broke 2000.000 in 1 of 3, 2-3");
    assert_eq!(of(every(1), &[many, ok(9), ok(0)]), "NoData nothing in 1 of 3, 2-3");
    assert_eq!(of(every(2), &[ok(30), ok(30), ok(9)]), "Held 10.000 in 0 of 1, 0-2");
    let few = judged(&threshold("p95 < 1s", every(1)), 0, &[many, ok(9), ok(8)]).1;
    assert_eq!(few.windows.map(|windows| windows.few), Some(2));
    assert_eq!(few.few, Some(Few { had: 9, needs: 59 }));
    // They end no run, and are no pass at its end.
    let abort = When { abort: true, ..every(1) };
    assert_eq!(of(abort, &[ok(9), many, many]), "TooFew 10.000 in 0 of 3, 0-1, 9 of 59");
    let abort = When { abort: true, ..When::default() };
    assert_eq!(of(abort, &[ok(9), ok(9)]), "TooFew 10.000, 18 of 59");
    assert_eq!(of(abort, &[ok(9), many]), "Held 10.000");
}

/// Two of a name are one; they are not adjacent, and neither begins with a second.
fn stages() -> Timetable {
    let ms = Duration::from_millis;
    let peak = |from, to| Stage { name: "peak".into(), from: ms(from), to: ms(to) };
    Timetable { warmup: 0, stages: vec![peak(1500, 4200), peak(5500, 8000)] }
}

fn during(text: &str, when: When) -> Threshold {
    Threshold { during: Some("peak".into()), ..threshold(text, when) }
}

#[test]
fn during_a_stage_nothing_else_is_looked_at() {
    let of = |threshold: &Threshold, seconds: &[Of], loaded: Duration| {
        shown(judged_by(threshold, &stages(), seconds, loaded, |_| true))
    };
    // The seconds 2, 3, 6 and 7.
    let seconds: Vec<Of> = (0..10).map(|at| failed(at % 10)).collect();
    let whole = When::default();
    let failures = during("failures == 18", whole);
    assert_eq!(of(&failures, &seconds, ALWAYS), "Held 18.000");
    assert_eq!(of(&during("rps >= 10", whole), &seconds, ALWAYS), "Held 10.000");
    let after = When { after: 3, ..whole };
    assert_eq!(of(&during("failures == 16", after), &seconds, ALWAYS), "Held 16.000");
    // What ends after the load ends in no stage.
    let cut = Duration::from_millis(6900);
    assert_eq!(of(&during("failures == 5", whole), &seconds, cut), "Held 5.000");
    assert_eq!(of(&failures, &seconds[..2], ALWAYS), "NoData nothing");
    let elsewhere = Threshold { during: Some("soak".into()), ..during("p95 < 1s", whole) };
    assert_eq!(of(&elsewhere, &seconds, ALWAYS), "NoData nothing");
}

#[test]
fn windows_lie_within_a_stage() {
    let of = |text: &str, when: When| {
        let seconds: Vec<Of> = (0..10).map(|at| failed(at % 10)).collect();
        shown(judged_by(&during(text, when), &stages(), &seconds, ALWAYS, |_| true))
    };
    assert_eq!(of("error_rate < 66%", every(2)), "Held 0.650 in 0 of 2, 6-8");
    assert_eq!(of("error_rate < 60%", every(1)), "Broke 0.700 in 2 of 4, 7-8");
    // None goes over from one to the other.
    assert_eq!(of("error_rate < 60%", every(3)), "NoData nothing in 0 of 0, never");
    let abort = When { abort: true, ..every(2) };
    assert_eq!(of("error_rate < 60%", abort), "Broke 0.650 in 1 of 2, 6-8, ended after 8");
    let abort = When { abort: true, ..When::default() };
    assert_eq!(of("error_rate < 30%", abort), "Broke 0.367 in 1 of 1, 2-7, ended after 7");
    assert_eq!(of("error_rate < 99%", abort), "Held 0.450");
}

#[test]
fn a_broken_one_says_when_it_first_broke_and_with_what() {
    let of = |text: &str, when: When, seconds: &[Of]| {
        let judged = judged(&threshold(text, when), 0, seconds).1;
        judged.first.map(|first| (first.at_s, (first.value * 1e3).round() / 1e3))
    };
    let whole = When::default();
    // 10 %, 25 %, 17 %, 25 %, 28 %: since the fourth second it is not below 20 % again.
    let seconds = [failed(1), failed(4), failed(0), failed(5), failed(4)];
    assert_eq!(of("error_rate < 20%", whole, &seconds), Some((4, 0.25)));
    assert_eq!(of("error_rate < 29%", whole, &seconds), None, "it holds");
    assert_eq!(of("error_rate < 10%", whole, &seconds), Some((1, 0.1)));
    assert_eq!(of("error_rate < 20%", every(1), &seconds), Some((2, 0.4)));
    assert_eq!(of("error_rate < 20%", every(2), &seconds), Some((2, 0.25)));
    let abort = When { abort: true, ..every(1) };
    assert_eq!(of("error_rate < 45%", abort, &seconds), Some((4, 0.5)));
    // What has to grow to its limit says nothing by being below it.
    assert_eq!(of("requests > 99", whole, &seconds), None);
    assert_eq!(of("requests < 30", whole, &seconds), Some((3, 30.0)));
    assert_eq!(of("rps > 10", whole, &[ok(9), ok(20), ok(1), ok(1)]), Some((3, 10.0)));
}

proptest! {
    /// Two stacks are only faster: a window is the sum of its seconds.
    #[test]
    fn a_sliding_window_is_the_sum_of_its_seconds(
        counts in prop::collection::vec((0u64..20, 1u64..50, 0u64..20), 1..60), length in 1u32..12,
    ) {
        let threshold = threshold("p90 < 1s", every(length));
        let seconds: Vec<_> = counts.iter().enumerate().map(|(at, (ok, ms, failed))| {
            let interval = second(at, Of { ok: *ok, ms: *ms, failed: *failed });
            Figures::of(&threshold, &Pick::All, &interval, || &interval.names[&0])
        }).collect();
        let mut sliding = Sliding::new(length);
        for (at, one) in seconds.iter().enumerate() {
            let got = sliding.push(one.clone());
            let from = (at + 1).checked_sub(length as usize);
            let want = from.map(|from| {
                let mut sum = Figures::default();
                seconds[from..=at].iter().for_each(|second| sum.merge(second));
                sum
            });
            prop_assert_eq!(got.is_some(), want.is_some());
            if let (Some(got), Some(want)) = (got, want) {
                prop_assert_eq!(compared(&threshold, &got, 1.0), compared(&threshold, &want, 1.0));
            }
        }
    }
}
