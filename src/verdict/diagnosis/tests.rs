//! Owns the tests of the rules on made-up runs whose cause is known.

use rand::RngExt;
use rand::rngs::SmallRng;

use super::limits::{Limit, SLOW_MS, Whose};
use super::made::{Answer, Made, Now, around, closed, hold, limit, ramp, stairs};
use super::run::{Failed, Few, Run};
use super::{Finding, Rule, findings};
use crate::verdict::capacity::Load;
use crate::verdict::validity::Reason;
use crate::verdict::{Op, Statistic};

/// A service that answers in so many milliseconds, by the second and the load.
fn run(loads: Vec<f64>, rate: impl Fn(Now) -> f64, ms: impl Fn(Now) -> f64) -> Run {
    made(loads, rate, |now, random| Answer {
        first_byte: around(random, ms(now), 0.2),
        bytes: 300,
        ..Answer::default()
    })
}

fn made(
    loads: Vec<f64>,
    rate: impl Fn(Now) -> f64,
    answer: impl Fn(Now, &mut SmallRng) -> Answer,
) -> Run {
    of_names(loads, rate, answer, &[1.0])
}

fn of_names(
    loads: Vec<f64>,
    rate: impl Fn(Now) -> f64,
    answer: impl Fn(Now, &mut SmallRng) -> Answer,
    names: &[f64],
) -> Run {
    let (seed, load) = (7, Load::Users);
    Made { seed, load, loads, rate: &rate, answer: &answer, names }.run()
}

fn rules(run: &Run) -> Vec<Rule> {
    findings(run).iter().map(|finding| finding.rule).collect()
}

fn only(run: &Run) -> Finding {
    let mut all = findings(run);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// A limit of the 95th percentile that the run broke.
fn broken(name: Option<&str>, most_ms: f64) -> Vec<Limit> {
    let of = name.map_or(Whose::All, |name| Whose::Name(name.to_owned()));
    let statistic = Statistic::Percentile(0.95);
    vec![Limit { of, statistic, op: Op::Less, most_ms, broke: true }]
}

fn figure(finding: &Finding, key: &str) -> f64 {
    finding.figures.iter().find(|figure| figure.key == key).unwrap().value
}

#[test]
fn every_rule_and_chart_has_an_id_of_its_own() {
    let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Rule::ALL.len());
    assert!(Rule::ALL.iter().all(|rule| !rule.title().is_empty()));
}

/// 100 answers a second at most, in 50 ms each, to users who think for a second: N* is 105.
fn saturated(loads: Vec<f64>) -> Run {
    let at = |now: Now| closed(now.load, 50.0, 1000.0, 100.0);
    run(loads, move |now| at(now).0, move |now| at(now).1)
}

#[test]
fn a_target_that_serves_no_more_has_a_knee_there() {
    let stairs = only(&saturated(stairs(&[20.0, 50.0, 100.0, 200.0, 400.0], 20)));
    assert_eq!(
        (stairs.rule, &stairs.also[..]),
        (Rule::Knee, &[Rule::FlatThroughput, Rule::SlowFirstByte][..])
    );
    assert_eq!(
        stairs.sentence,
        "The median response grew from 50.8ms at 20 users to 2.97s at 400, while throughput stayed at about 101/s: the target serves about 101/s, from about 100 users on"
    );
    assert_eq!(stairs.evidence.seconds, Some((62, 100)));
    let climb = only(&saturated([ramp(0.0, 300.0, 150), hold(300.0, 30)].concat()));
    assert_eq!((climb.rule, climb.also[0]), (Rule::Knee, Rule::FlatThroughput));
    for knee in [figure(&stairs, "load_knee"), figure(&climb, "load_knee")] {
        assert!((knee / 105.0 - 1.0).abs() < 0.15, "{knee}");
    }
}

/// By the Universal Scalability Law, which has no corner: it serves the most, 318 a second, with 22 users.
fn contended(loads: Vec<f64>) -> Run {
    let law =
        |users: f64| 40.0 * users / (1.0 + 0.04 * (users - 1.0) + 0.002 * users * (users - 1.0));
    run(loads, move |now| law(now.load), move |now| now.load / law(now.load) * 1e3)
}

#[test]
fn a_bend_without_a_corner_has_its_knee_where_the_most_is_reached() {
    let stairs = only(&contended(stairs(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0], 15)));
    assert_eq!(stairs.rule, Rule::Knee);
    assert_eq!(
        stairs.sentence,
        "The median response grew from 24.9ms at 1 user to 290ms at 64, while throughput rose to 308/s and fell again, to 226/s: the target serves at most about 308/s, and reaches that between 8 and 16 users"
    );
    assert_eq!((figure(&stairs, "load_knee_above"), figure(&stairs, "load_knee")), (8.0, 16.0));
    assert_eq!(stairs.evidence.seconds, Some((61, 105)), "from the level of 16 users on");
    let climb = only(&contended(ramp(1.0, 60.0, 120)));
    let (above, knee) = (figure(&climb, "load_knee_above"), figure(&climb, "load_knee"));
    assert!(
        above < knee && (8.0..=22.0).contains(&above) && (12.0..=26.0).contains(&knee),
        "{climb:?}"
    );
}

#[test]
fn a_target_that_serves_no_more_from_the_beginning_is_flat() {
    let flat = only(&saturated(stairs(&[150.0, 200.0, 300.0, 400.0], 20)));
    assert_eq!(flat.rule, Rule::FlatThroughput);
    assert_eq!(
        flat.sentence,
        "Throughput stayed at about 101/s from 150 users to 400, while the median response grew from 500ms to 3.02s: the target serves about 101/s, and 150 users are already enough for that"
    );
}

#[test]
fn answers_that_take_longer_while_more_are_served_have_a_knee_once_they_are_slow() {
    let slower = |most: f64| {
        let ms = move |now: Now| 40.0 + most * (now.load / 200.0).powi(4);
        run(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20), |now| now.load / 3.0, ms)
    };
    assert_eq!(findings(&slower(100.0)), [], "they are not slow");
    let knee = only(&slower(600.0));
    assert_eq!((knee.rule, &knee.also[..]), (Rule::Knee, &[Rule::SlowFirstByte][..]));
    assert_eq!(
        knee.sentence,
        "The median response grew from 38.8ms at 25 users to 638ms at 200, mostly beyond 150 users; throughput still grew, to 68/s"
    );
}

#[test]
fn answers_that_take_evenly_longer_have_no_place_from_which_on_they_do() {
    let slower = |power| {
        let ms = move |now: Now| 40.0 + 600.0 * (now.load / 200.0).powi(power);
        only(&run(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20), |now| now.load / 3.0, ms))
    };
    let (evenly, bent) = (slower(1), slower(4));
    let knee = |finding: &Finding| finding.figures.iter().any(|one| one.key == "load_knee");
    assert!(evenly.sentence.contains(", evenly from the one to the other"), "{evenly:?}");
    assert!(!knee(&evenly) && !evenly.advice.contains("from there on"), "{evenly:?}");
    assert!(knee(&bent) && bent.advice.contains("from there on"), "{bent:?}");
}

#[test]
fn arrivals_that_find_no_user_are_more_than_the_target_serves() {
    let mut run = {
        let rate = |now: Now| now.load.min(40.0);
        let answer = |_: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, 500.0, 0.2),
            ..Answer::default()
        };
        Made {
            seed: 1,
            load: Load::Rate,
            loads: hold(100.0, 60),
            rate: &rate,
            answer: &answer,
            names: &[1.0],
        }
        .run()
    };
    (run.arrivals, run.dropped) = (6000, 3500);
    for moment in &mut run.moments[2..] {
        (moment.users, moment.dropped) = (20.0, 60);
    }
    let overrun = only(&run);
    assert_eq!(
        (overrun.rule, &overrun.also[..]),
        (Rule::FlatThroughput, &[Rule::SlowFirstByte][..])
    );
    assert_eq!(
        overrun.sentence,
        "3,500 of 6,000 arrivals (58.3%) found no free user and were dropped: while 100/s arrived, all 20 users waited for answers, and 40/s were answered"
    );
}

#[test]
fn arrivals_that_wait_until_the_end_are_more_than_the_target_serves() {
    let with = |answered: f64| {
        let rate = move |now: Now| now.load.min(answered);
        let answer = |_: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, 900.0, 0.2),
            ..Answer::default()
        };
        let (seed, load, loads) = (1, Load::Rate, hold(25.0, 40));
        let mut run = Made { seed, load, loads, rate: &rate, answer: &answer, names: &[1.0] }.run();
        (run.arrivals, run.dropped) = (1000, 380);
        for (second, moment) in run.moments.iter_mut().enumerate() {
            moment.users = 14.0;
            moment.spent.waited = moment.requests as f64 * second as f64 * 400.0;
        }
        run
    };
    let waited = only(&with(15.0));
    assert_eq!(waited.rule, Rule::FlatThroughput);
    assert_eq!(
        waited.sentence,
        "The target served 15/s of the 25/s that arrived, with all 14 users waiting for its answers: what arrived waited ever longer for a user, in the end 15.60s, and 380 of 1,000 arrivals were never started"
    );
    assert!(!rules(&with(25.0)).contains(&Rule::FlatThroughput), "all are answered");
}

#[test]
fn errors_set_in_at_a_load() {
    let failing = |loads: Vec<f64>| {
        let answer = |now: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, 20.0, 0.3),
            failed: random.random::<f64>() < if now.load > 100.0 { 0.3 } else { 0.002 },
            ..Answer::default()
        };
        let mut run = made(loads, |now| now.load / 2.0, answer);
        let what = "status 503".to_owned();
        run.failures = vec![Failed { what, count: 900, first_s: 41.0 }];
        run
    };
    let stepped = only(&failing(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20)));
    assert_eq!(stepped.rule, Rule::ErrorsAtLoad);
    assert_eq!(
        stepped.sentence,
        "Errors set in between 100 and 150 users: from there on 30.6% of the requests failed, mostly \"status 503\", below it 0.184%"
    );
    let there_and_back = [ramp(1.0, 200.0, 60), ramp(200.0, 1.0, 60)].concat();
    assert_eq!(only(&failing(there_and_back)).rule, Rule::ErrorsAtLoad);
    // One that came early, and one that is rare, change nothing of what they mostly are.
    let mut early = failing(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20));
    early.failures[0].first_s = 5.0;
    early.failures.push(Failed { what: "status 500".to_owned(), count: 60, first_s: 70.0 });
    assert!(only(&early).sentence.contains("mostly \"status 503\""), "{early:?}");
    assert_eq!(findings(&failing(stairs(&[20.0, 40.0, 60.0, 80.0], 20))), [], "not reached");
}

#[test]
fn errors_set_in_where_the_first_do_and_not_where_they_are_many() {
    let failing = |loads: Vec<f64>, share: fn(f64) -> f64| {
        let answer = move |now: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, 20.0, 0.3),
            failed: random.random::<f64>() < share(now.load),
            ..Answer::default()
        };
        only(&made(loads, |now| now.load / 2.0, answer))
    };
    let few_first = |load: f64| match load {
        ..60.0 => 0.002,
        ..140.0 => 0.06,
        _ => 0.5,
    };
    let stepped = failing(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20), few_first);
    assert_eq!(
        stepped.sentence,
        "Errors set in between 50 and 100 users: from there on 6.74% of the requests failed, and from 150 users on 49.9%; 0.3% below 100"
    );
    assert_eq!((figure(&stepped, "load_held"), figure(&stepped, "load_errors")), (50.0, 100.0));
    assert_eq!(figure(&stepped, "load_errors_many"), 150.0);
    let climbed = failing(ramp(1.0, 200.0, 120), few_first);
    assert!((45.0..=75.0).contains(&figure(&climbed, "load_errors")), "{climbed:?}");
    assert!(figure(&climbed, "load_held") < 60.0, "{climbed:?}");
    assert!((120.0..=150.0).contains(&figure(&climbed, "load_errors_many")), "{climbed:?}");
    // What is over again at more load was none of it.
    let passing = |load: f64| match load {
        50.0 => 0.06,
        ..140.0 => 0.002,
        _ => 0.5,
    };
    let passed = failing(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20), passing);
    assert_eq!((figure(&passed, "load_held"), figure(&passed, "load_errors")), (100.0, 150.0));
    // What fails at any load has not set in, and no load held.
    let always = |load: f64| if load > 140.0 { 0.5 } else { 0.05 };
    let always = failing(stairs(&[25.0, 50.0, 100.0, 150.0, 200.0], 20), always);
    assert_eq!(
        always.sentence,
        "More requests fail from between 100 and 150 users on: from there on 49.9% of the requests failed, below it 5.64%"
    );
    assert!(always.figures.iter().all(|one| one.key != "load_held"), "{always:?}");
}

#[test]
fn a_target_that_dies_is_no_matter_of_load() {
    let dies = |loads: Vec<f64>| {
        let answer = |now: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, 20.0, 0.3),
            failed: now.second >= 45,
            ..Answer::default()
        };
        let mut run = made(loads, |now| now.load / 2.0, answer);
        let what = "connect refused".to_owned();
        run.failures = vec![Failed { what, count: 900, first_s: 45.0 }];
        run
    };
    let held = only(&dies(hold(20.0, 90)));
    assert_eq!(held.rule, Rule::ErrorsSince);
    assert_eq!(
        held.sentence,
        "From 45s of the run on 100% of the requests failed, mostly \"connect refused\"; of the 451 before none did"
    );
    let there_and_back = [ramp(1.0, 60.0, 60), ramp(60.0, 1.0, 60)].concat();
    assert_eq!(rules(&dies(there_and_back)), [Rule::ErrorsSince]);
    // Errors that come at any load and time are neither.
    let always = |now: Now, random: &mut SmallRng| Answer {
        first_byte: around(random, 20.0 + 0.0 * now.load, 0.3),
        failed: random.random::<f64>() < 0.1,
        ..Answer::default()
    };
    let mut always = made(stairs(&[5.0, 10.0, 20.0], 20), |now| now.load, always);
    let what = "status 500".to_owned();
    always.failures = vec![Failed { what, count: 70, first_s: 0.2 }];
    let always = only(&always);
    assert_eq!(always.rule, Rule::ErrorsThroughout);
    assert_eq!(
        always.sentence,
        "10.3% of the requests failed from the beginning to the end, mostly \"status 500\""
    );
    // A burst of them is not all along, and a plan that accepts a status has no failures.
    let burst = |now: Now, random: &mut SmallRng| Answer {
        first_byte: around(random, 20.0, 0.3),
        failed: (30..36).contains(&now.second),
        ..Answer::default()
    };
    assert_eq!(findings(&made(hold(20.0, 60), |_| 20.0, burst)), []);
}

#[test]
fn one_name_that_is_slow_is_told_alone() {
    let with = |slow: f64| {
        let answer = |now: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, if now.name == 1 { slow } else { 30.0 }, 0.3),
            ..Answer::default()
        };
        of_names(hold(20.0, 60), |_| 30.0, answer, &[0.4, 0.2, 0.4])
    };
    assert_eq!(findings(&with(150.0)), [], "it is slower, and not slow");
    let slow = only(&with(600.0));
    assert_eq!((slow.rule, slow.evidence.name.as_deref()), (Rule::OneNameSlow, Some("GET /1")));
    assert_eq!(
        slow.sentence,
        "GET /1 alone is slow: its 95th percentile is 936ms, of the 2 other names it is at most 49.6ms; 84% of all the time that requests took went there"
    );
    let mut strict = with(150.0);
    strict.limits = broken(Some("/1"), 100.0);
    assert_eq!(only(&strict).rule, Rule::OneNameSlow);
    strict.limits = broken(None, 20.0);
    assert_eq!(rules(&strict), [Rule::SlowFirstByte], "all are slow");
}

#[test]
fn the_part_that_takes_the_time_is_told() {
    let parts = |part: fn(&mut Answer, f64)| {
        let answer = move |_: Now, random: &mut SmallRng| {
            let mut answer = Answer { first_byte: around(random, 5.0, 0.3), ..Answer::default() };
            part(&mut answer, around(random, 600.0, 0.2));
            answer
        };
        only(&made(hold(20.0, 60), |_| 20.0, answer))
    };
    let connect = parts(|answer, ms| answer.connect = ms);
    let tls = parts(|answer, ms| answer.tls = ms);
    let first_byte = parts(|answer, ms| answer.first_byte = ms);
    let body = parts(|answer, ms| (answer.body, answer.bytes) = (ms, 2_000_000));
    let told = [&connect, &tls, &first_byte, &body];
    assert_eq!(
        told.map(|finding| finding.rule),
        [Rule::SlowConnect, Rule::SlowTls, Rule::SlowFirstByte, Rule::SlowBody]
    );
    assert_eq!(
        told.map(|finding| &*finding.sentence),
        [
            "Opening connections takes 608ms a request in the mean, 99.2% of the response time: 1,197 connections were opened for 1,197 requests, in 608ms each (median)",
            "Agreeing on TLS takes 608ms a request in the mean, 99.2% of the response time: it was done 1,197 times for 1,197 requests, in 608ms each (median)",
            "The target takes 608ms in the mean until the first byte of its answer, 100% of the response time",
            "Reading the body of an answer takes 608ms in the mean, 99.2% of the response time: answers have 2.0 MB in the mean, and came at 39.9 MB/s in all"
        ]
    );
}

#[test]
fn of_a_few_requests_nothing_is_said() {
    let slow = |seconds| rules(&run(hold(1.0, seconds), |_| 1.0, |_| 3000.0));
    assert_eq!((slow(12), slow(40)), (vec![], vec![Rule::SlowFirstByte]));
}

#[test]
fn a_network_that_is_full_sends_no_more_however_many_ask() {
    // 10 MB/s for answers of 500 KB: 20 a second.
    let at = |now: Now| closed(now.load, 50.0, 500.0, 20.0);
    let full = made(
        stairs(&[4.0, 8.0, 20.0, 40.0], 25),
        move |now| at(now).0,
        move |now, random| Answer {
            first_byte: around(random, 4.0, 0.2),
            body: around(random, at(now).1, 0.2),
            bytes: 500_000,
            ..Answer::default()
        },
    );
    let body = only(&full);
    assert_eq!(
        (body.rule, &body.also[..]),
        (Rule::SlowBody, &[Rule::Knee, Rule::FlatThroughput][..])
    );
    let sentence = &body.sentence;
    assert!(sentence.ends_with("MB/s whether 20 or 40 users asked for them"), "{sentence}");
}

#[test]
fn a_soak_that_takes_ever_longer_drifts() {
    let soak = |ms: fn(Now) -> f64| run(hold(20.0, 240), |_| 15.0, ms);
    let drift = only(&soak(|now| 40.0 + f64::from(now.second) * 0.25));
    assert_eq!(drift.rule, Rule::Drift);
    assert_eq!(
        drift.sentence,
        "The median response drifted up from 46.3ms to 99.2ms within 3m36s, while the load stayed at 20 users"
    );
    assert_eq!(findings(&soak(|now| 40.0 + f64::from(now.second) * 0.02)), [], "too little");
    assert_eq!(findings(&soak(|now| 100.0 - f64::from(now.second) * 0.3)), [], "it gets faster");
    let cold = |now: Now| if now.second < 12 { 200.0 } else { 40.0 };
    assert_eq!(findings(&soak(cold)), [], "it was cold");
}

#[test]
fn without_a_threshold_responses_are_slow_from_where_the_report_has_them_amber() {
    let answers = |ms: f64| run(hold(20.0, 60), |_| 20.0, move |_| ms);
    assert_eq!(findings(&answers(320.0)), [], "the 95th percentile is 445 ms");
    assert_eq!(rules(&answers(420.0)), [Rule::SlowFirstByte], "it is 584 ms");
}

#[test]
fn a_threshold_is_held_against_its_own_figure() {
    let run = run(hold(20.0, 60), |_| 20.0, |_| 60.0);
    for statistic in [Statistic::Percentile(0.5), Statistic::Percentile(0.9), Statistic::Avg] {
        let told = |times, broke| {
            let limit = Limit { broke, ..limit(&run, None, statistic, times) };
            assert!(run.all.response.quantile_ms(0.95).unwrap() > limit.most_ms);
            rules(&Run { limits: vec![limit], ..run.clone() })
        };
        assert_eq!(told(1.01, false), [], "{statistic:?} held");
        assert_eq!(told(1.01, true), [], "{statistic:?} broke in a window alone");
        assert_eq!(told(0.99, true), [Rule::SlowFirstByte], "{statistic:?} broke");
    }
}

#[test]
fn a_threshold_that_held_makes_no_part_of_a_run_slow_by_itself() {
    // A fifth of the requests takes longer, or those of the highest load do.
    let of_a_name = |slow: f64| {
        let ms = move |now: Now| if now.name == 1 { slow } else { 30.0 };
        let answer = move |now: Now, random: &mut SmallRng| Answer {
            first_byte: around(random, ms(now), 0.2),
            ..Answer::default()
        };
        of_names(hold(20.0, 60), |_| 30.0, answer, &[0.8, 0.2])
    };
    let at_the_top = |top: f64| {
        let ms = move |now: Now| if now.load > 60.0 { top } else { 40.0 };
        run(stairs(&[20.0, 40.0, 60.0, 80.0], 20), |now| now.load, ms)
    };
    for (rule, part) in [
        (Rule::OneNameSlow, &of_a_name as &dyn Fn(f64) -> Run),
        (Rule::Knee, &at_the_top as &dyn Fn(f64) -> Run),
    ] {
        let told = |slow: f64, times: f64| {
            let mut run = part(slow);
            run.limits = vec![limit(&run, None, Statistic::Percentile(0.5), times)];
            rules(&run).first().copied()
        };
        assert_eq!(told(150.0, 1.01), None, "it held");
        assert_eq!(told(150.0, 0.99), Some(rule), "it broke");
        assert_eq!(told(900.0, 1.01), Some(rule), "it held, and that is noticed");
        assert_eq!(told(900.0, 50.0), None, "so much is allowed");
    }
}

/// Everything stands for a second from each of these on.
fn standing(at: &'static [u32], seconds: usize) -> Run {
    let stands = move |second: u32| at.contains(&second);
    let ends = move |second: u32| second > 0 && at.contains(&(second - 1));
    made(
        hold(20.0, seconds),
        move |now| if stands(now.second) { 2.0 } else { 30.0 },
        move |now, random| {
            let waited = if ends(now.second) && random.random::<f64>() < 0.5 { 900.0 } else { 0.0 };
            Answer { first_byte: waited + around(random, 8.0, 0.4), ..Answer::default() }
        },
    )
}

#[test]
fn stalls_at_equal_distances_are_periodic() {
    let often = only(&standing(&[7, 17, 27, 37, 47, 57], 65));
    assert_eq!(often.rule, Rule::PeriodicStalls);
    assert_eq!(
        often.sentence,
        "Every 10s everything stood still for about 915ms: 6 times from 8s to 59s of the run, while the median response is 8.14ms"
    );
    assert!((figure(&often, "period_s") - 10.0).abs() < 0.5);
    for (at, why) in
        [(&[30][..], "one"), (&[12, 40], "two"), (&[5, 9, 26, 31, 52, 60], "at no equal distances")]
    {
        let told = rules(&standing(at, 65));
        assert!(!told.contains(&Rule::PeriodicStalls), "{why}: {told:?}");
    }
    let mut busy = standing(&[7, 17, 27, 37, 47, 57], 65);
    busy.generator.suspect = vec![doubt()];
    assert!(!rules(&busy).contains(&Rule::PeriodicStalls), "they may be the machine's own");
}

fn doubt() -> Reason {
    Reason::new("the processors of this machine were 90% busy or more".into(), "run fewer users")
}

#[test]
fn a_generator_that_was_the_limit_is_told_instead_of_what_it_makes_look_so() {
    let mut run = saturated(stairs(&[20.0, 50.0, 100.0, 200.0, 400.0], 20));
    run.generator.busy = Some(0.97);
    run.generator.suspect = vec![doubt()];
    run.few = vec![Few { text: "p99.9 < 1s".into(), had: 412, needs: 2995 }];
    let told = findings(&run);
    assert_eq!(
        told.iter().map(|one| one.rule).collect::<Vec<_>>(),
        [Rule::GeneratorLimit, Rule::TooFewSamples]
    );
    assert_eq!(
        told.iter().map(|one| &*one.sentence).collect::<Vec<_>>(),
        [
            "The generator was the limit, so the figures say little of the target: throng used 97% of the processors that it may use; the processors of this machine were 90% busy or more",
            "`p99.9 < 1s` had 412 samples and takes 2,995 to be judged"
        ]
    );
    run.generator.few_workers = Some(1);
    let told = findings(&run).remove(0);
    assert!(told.sentence.contains(": its one worker used 97% of a processor; "), "{told:?}");
    assert!(told.advice.starts_with("give it more `--workers`"), "{told:?}");
    // A busy machine alone is not the generator's fault, nor a few late timers.
    let mut busy = saturated(stairs(&[20.0, 50.0, 100.0, 200.0, 400.0], 20));
    busy.generator.suspect = run.generator.suspect;
    busy.generator.late_ms = Some(0.3);
    assert_eq!(rules(&busy), [Rule::Knee]);
    busy.generator.late_ms = Some(900.0);
    assert_eq!(rules(&busy), [Rule::GeneratorLimit]);
    // What it was short of is what has to be given to it.
    busy.generator.invalid = vec![Reason::of_strain(
        "no file descriptors left: raise the limit (`ulimit -n`) or run fewer users",
    )];
    let told = only(&busy);
    assert!(told.sentence.ends_with("; no file descriptors left"), "{told:?}");
    assert_eq!(
        told.advice,
        "raise the limit (`ulimit -n`) or run fewer users, and see whether the figures stay the same"
    );
}

/// The example of the guide: contention of 4 %, 20 ms alone.
#[test]
fn steps_up_to_the_limit_say_how_many_servers_it_takes() {
    let law = |users: f64| 50.0 * users / (1.0 + 0.04 * (users - 1.0));
    let contention = |loads: &[f64]| {
        let ms = move |now: Now| now.load / law(now.load) * 1e3;
        run(stairs(loads, 12), move |now| law(now.load), ms)
    };
    let mut run = contention(&[50.0, 100.0, 200.0, 500.0, 1000.0]);
    run.limits = broken(None, 700.0);
    let told = findings(&run);
    let capacity = told.iter().find(|finding| finding.rule == Rule::Capacity).unwrap();
    assert_eq!(
        capacity.sentence,
        "500 users are stable on one server (95th percentile 581ms); 1,000 need about two, at 4% contention"
    );
    assert!((figure(capacity, "usl_alpha") - 0.04).abs() < 0.02, "{capacity:?}");
    run.limits = broken(None, 5000.0);
    assert!(!rules(&run).contains(&Rule::Capacity), "the largest level is stable too");
    run.limits = broken(None, 5.0);
    assert!(!rules(&run).contains(&Rule::Capacity), "no level is stable");
    run.limits = broken(None, 100.0);
    assert!(!rules(&run).contains(&Rule::Capacity), "the lowest alone is stable");
    run.limits = broken(None, 200.0);
    assert!(rules(&run).contains(&Rule::Capacity), "the lowest two are");
}

#[test]
fn a_threshold_of_half_a_second_is_one() {
    let law = |users: f64| 2.0 * users / (1.0 + 0.04 * (users - 1.0));
    let ms = move |now: Now| now.load / law(now.load) * 1e3;
    let mut run = run(stairs(&[4.0, 8.0, 16.0, 50.0], 20), move |now| law(now.load), ms);
    let capacity = |run: &Run| findings(run).into_iter().find(|one| one.rule == Rule::Capacity);
    let told = capacity(&run).unwrap();
    assert!(told.sentence.contains("answer within twice the time of 4 users"), "{told:?}");
    run.limits = broken(None, SLOW_MS);
    assert_eq!(capacity(&run), None, "no level keeps it");
}

/// The same target, and users who think for two seconds: few of them are under way at once.
#[test]
fn users_who_think_do_not_hide_the_contention() {
    let seconds = |under_way: f64| (1.0 + 0.04 * (under_way - 1.0)) / 50.0;
    let under_way = move |users: f64| {
        let (mut least, mut most) = (0.0, users);
        for _ in 0..60 {
            let n = (least + most) / 2.0;
            if n + 2.0 * n / seconds(n) < users { least = n } else { most = n }
        }
        least
    };
    let rate = move |now: Now| under_way(now.load) / seconds(under_way(now.load));
    let ms = move |now: Now| seconds(under_way(now.load)) * 1e3;
    let mut run = run(stairs(&[100.0, 500.0, 1500.0, 3000.0], 12), rate, ms);
    run.limits = broken(None, 100.0);
    let told = findings(&run);
    let capacity = told.iter().find(|finding| finding.rule == Rule::Capacity).unwrap();
    assert!((figure(capacity, "usl_alpha") - 0.04).abs() < 0.01, "{capacity:?}");
    assert_eq!(
        capacity.sentence,
        "1,500 users are stable on one server (95th percentile 64.4ms); 3,000 need about two, at 4% contention"
    );
}

#[test]
fn findings_are_few_and_the_most_important_is_first() {
    let mut run = saturated(stairs(&[20.0, 50.0, 100.0, 200.0, 400.0], 20));
    run.few = vec![Few { text: "p99.9 < 1s".into(), had: 412, needs: 2995 }];
    let order: Vec<_> = findings(&run).iter().map(|finding| finding.rule).collect();
    assert!(order.is_sorted() && order.len() <= super::MOST, "{order:?}");
}

#[test]
fn one_name_that_gets_slow_under_load_is_told_instead_of_the_knee_that_it_makes() {
    let answer = |now: Now, random: &mut SmallRng| {
        let slow = 30.0 + 1500.0 * (now.load / 200.0).powi(3);
        Answer {
            first_byte: around(random, if now.name == 0 { slow } else { 12.0 }, 0.3),
            ..Answer::default()
        }
    };
    let loads = stairs(&[25.0, 50.0, 100.0, 200.0], 20);
    let slow = only(&of_names(loads, |now| now.load / 3.0, answer, &[0.6, 0.2, 0.2]));
    assert_eq!((slow.rule, slow.evidence.name.as_deref()), (Rule::OneNameSlow, Some("GET /0")));
    assert_eq!(
        slow.sentence,
        "GET /0 alone gets slow under load: its 95th percentile grew from 80.5ms to 2.51s there, of the 2 other names it is at most 19.4ms"
    );
    assert_eq!(slow.also, [Rule::Knee, Rule::SlowFirstByte]);
}
