//! Owns the tests of the diagnosis of whole summaries, as runs make them.

use std::time::Duration;

use super::{Case, Finding, Rule, Sought, diagnose};
use crate::metrics::{Catalogue, Facet, Interval, RequestName, Summary};
use crate::verdict::{Judged, Of, Stage, Threshold, Validity, Verdict, judge};

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
    told_by(summary, thresholds.iter().map(|text| Threshold::parse(text).unwrap()))
}

/// With thresholds of a part of the requests.
fn told_of(summary: &Summary, thresholds: &[(Of, &str)]) -> Vec<Finding> {
    let of = |(of, text): &(Of, &str)| Threshold {
        of: Some(of.clone()),
        ..Threshold::parse(text).unwrap()
    };
    told_by(summary, thresholds.iter().map(of))
}

fn told_by(summary: &Summary, thresholds: impl Iterator<Item = Threshold>) -> Vec<Finding> {
    let thresholds = thresholds.map(|threshold| judge(&threshold, summary)).collect();
    let verdict = Verdict { thresholds, validity: Validity::Valid };
    diagnose(&Case { summary, verdict: &verdict, stages: &[], sought: None, workers: 2 })
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
        "The median response grew from 19.8ms at 10 users to 2.99s at 160, while throughput stayed at about 40/s: the target serves about 40/s, from about 41 users on"
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
        "The median response grew from 19.6ms at 10 arrivals/s to 894ms at 60/s, while throughput stayed at about 30/s: the target serves about 30/s, from about 30 arrivals/s on"
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
        "GET /search alone gets slow under load: its 95th percentile grew from 20.0ms to 867ms there, of GET /list it is 10.9ms"
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
    let broken = ["p50 < 40ms", "p90 < 60ms", "avg <= 60ms", "ok.p50 < 40ms", "p95 < 100ms"];
    for broken in broken.into_iter().chain(["p99 < 100ms"]) {
        let told = told_with(&run, &[broken, "p50 < 1s"]);
        assert_eq!((told.len(), told[0].rule), (1, Rule::SlowFirstByte), "{broken}: {told:#?}");
    }
}

/// Answers that would be slow without a threshold, of two names, the second of two classes and with a tag.
fn long() -> Summary {
    let mut run = summary(60, |_, interval| {
        interval.user_seconds = 20;
        answer(interval, 0, 20, 700);
        answer(interval, 1, 5, 800);
        answer(interval, 2, 5, 900);
        20
    });
    let facet = |class: &str, tags: &[&str]| Facet {
        class: class.into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    run.catalogue.facets =
        vec![facet("Buyer", &["slow"]), facet("Buyer", &["slow"]), facet("Visitor", &["slow"])];
    run
}

#[test]
fn what_a_threshold_allows_is_not_slow_whatever_of_the_times_it_is_on() {
    let run = long();
    assert_eq!(told(&run).len(), 1, "no threshold allows it");
    for held in ["p99 < 2s", "max < 3s", "p99.8 < 2s", "ok.max <= 1s"] {
        assert_eq!(told_with(&run, &[held]), [], "{held}");
        assert_eq!(told_with(&run, &[held, "max < 100ms"]), [], "{held}");
    }
    // That one response is longer is no reason to call the others slow, nor to call them quick.
    let quick = summary(60, |second, interval| {
        interval.user_seconds = 20;
        answer(interval, 0, 30, 20);
        answer(interval, 0, u64::from(second == 30), 4000);
        20
    });
    assert_eq!(told_with(&quick, &["max < 3s"]), []);
    for broken in ["max < 900ms", "min < 2s", "rps > 1", "connect.p95 < 1s"] {
        assert_eq!(told_with(&run, &[broken]), told(&run), "{broken}");
    }
}

#[test]
fn the_whole_is_not_slow_when_all_of_its_names_keep_limits_of_their_own() {
    let run = long();
    let told = |limits: &[(Of, &str)]| {
        let rules = told_of(&run, limits).into_iter().map(|finding| finding.rule);
        rules.collect::<Vec<_>>()
    };
    let name = |name: &str| Of::Name(name.into());
    let slow = [Rule::SlowFirstByte];
    assert_eq!(told(&[(name("/list"), "p95 < 2s"), (name("GET /search"), "max < 2s")]), []);
    assert_eq!(told(&[(name("/list"), "p95 < 2s")]), slow, "nothing allows it of /search");
    assert_eq!(told(&[(Of::Tag("slow".into()), "p95 < 2s")]), []);
    let (buyer, visitor) = (Of::Class("Buyer".into()), Of::Class("Visitor".into()));
    assert_eq!(told(&[(buyer, "p95 < 2s"), (visitor, "p95 < 2s")]), slow, "/search is of both");
    assert_eq!(told(&[(Of::Group("buy".into()), "p95 < 2s")]), slow, "what is in it is not known");
    let broken = [(name("/list"), "p95 < 100ms"), (name("/search"), "p95 < 2s")];
    assert_eq!(told(&broken), slow, "most requests are longer than they may be");
    let broken = [(name("/list"), "p95 < 2s"), (name("/search"), "p95 < 100ms")];
    assert_eq!(told(&broken), slow, "they may not be, and that is noticed");
}

#[test]
fn a_name_that_is_all_there_is_may_be_as_slow_as_it_may() {
    // It takes longer with load, and is allowed to.
    let run = summary(80, |second, interval| {
        let users = [10, 20, 40, 80][second as usize / 20];
        interval.user_seconds = users;
        answer(interval, 0, users / 4, 40 + users * 10);
        users as u32
    });
    let of_name = |limit| told_of(&run, &[(Of::Name("/list".into()), limit)]);
    assert_eq!((told(&run).len(), told(&run)[0].rule), (1, Rule::Knee));
    assert_eq!(of_name("p95 < 2s"), []);
    assert_eq!(told_with(&run, &["p99 < 2s"]), []);
    let broken = of_name("p99 < 700ms");
    assert_eq!((broken.len(), broken[0].rule), (1, Rule::Knee), "{broken:#?}");
}

/// Looks of three seconds, each after two in which the level settles and answers take long, whatever it is;
/// at a level answers take so many milliseconds, and 40 a second come at most.
fn searched(levels: &[u64], ms: impl Fn(u64) -> u64) -> Summary {
    summary(5 * levels.len() as u32, |second, interval| {
        let users = levels[second as usize / 5];
        interval.user_seconds = users;
        let settles = second % 5 < 2;
        answer(interval, 0, users.min(40), if settles { 3000 } else { ms(users) });
        users as u32
    })
}

/// What is found in it, by what must hold, whether it did at each level, and what the generator was short of.
fn told_of_search(
    summary: &Summary,
    must: &[&str],
    broke: bool,
    strained: Option<&str>,
) -> Vec<Finding> {
    let must: Vec<_> = must.iter().map(|text| Threshold::parse(text).unwrap()).collect();
    let second = |second: u64| Duration::from_secs(second);
    let looks = (0..summary.duration.as_secs() / 5).map(|look| Stage {
        name: String::new(),
        from: second(look * 5 + 2),
        to: second(look * 5 + 5),
    });
    let plan = Judged::not_judged(&Threshold::parse("p50 < 1ms").unwrap());
    let verdict = Verdict { thresholds: vec![plan], validity: Validity::Valid };
    let (stages, workers) = (&looks.collect::<Vec<_>>()[..], 2);
    let sought = Some(Sought { must: &must, broke, strained });
    diagnose(&Case { summary, verdict: &verdict, stages, sought, workers })
}

#[test]
fn the_knee_of_a_search_is_that_of_its_looks() {
    let run = searched(&[10, 20, 40, 80, 60, 70], |users| (users * 1000 / 40).max(1000) - 980);
    let told = told_of_search(&run, &["p95 < 300ms"], true, None);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].rule, Rule::Knee);
    assert_eq!(
        told[0].sentence,
        "The median response grew from 19.6ms at 10 users to 1.02s at 80, while throughput stayed at about 40/s: the target serves about 40/s, from about 40 users on"
    );
}

#[test]
fn in_a_search_counts_what_must_hold_there_and_no_threshold_of_the_plan() {
    // It is slow while it settles, which is in no answer.
    let run = searched(&[10, 20, 30, 40], |_| 20);
    assert_eq!(told_of_search(&run, &["p95 < 30ms"], false, None), [], "all levels keep it");
    let told = told_of_search(&run, &["p95 < 10ms"], true, None);
    assert_eq!((told.len(), told[0].rule), (1, Rule::SlowFirstByte), "{told:#?}");
    let long = searched(&[10, 20, 30, 40], |_| 700);
    for must in ["p99 < 2s", "max < 2s"] {
        assert_eq!(told_of_search(&long, &[must], false, None), [], "all levels keep {must}");
    }
    for must in ["p99 < 600ms", "error_rate < 1%"] {
        let told = told_of_search(&long, &[must], true, None);
        assert_eq!((told.len(), told[0].rule), (1, Rule::SlowFirstByte), "{must}: {told:#?}");
    }
}

#[test]
fn in_a_search_the_generator_is_the_limit_when_it_ended_it() {
    let run = searched(&[10, 20, 30, 40], |_| 20);
    let mut late = run.clone();
    let mut interval = Interval::second(20);
    (0..200).for_each(|_| interval.beat_late.record(Duration::from_millis(900)));
    late.add(&interval);
    let must = ["p95 < 30ms"];
    assert_eq!(told_of_search(&late, &must, true, None), [], "it was late between the looks");
    let strained = "arrivals began up to 900ms late (p99), more than 5ms: run fewer per machine, or on a quieter one";
    let told = told_of_search(&late, &must, true, Some(strained));
    assert_eq!((told.len(), told[0].rule), (1, Rule::GeneratorLimit), "{told:#?}");
    assert_eq!(
        told[0].sentence,
        "The generator was the limit, so the figures say little of the target: arrivals began up to 900ms late (p99), more than 5ms"
    );
}
