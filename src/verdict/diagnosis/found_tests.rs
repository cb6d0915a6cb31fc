//! Owns the tests that a fault is found however the noise around it falls.

use rand::RngExt;
use rand::rngs::SmallRng;

use super::finding::Rule;
use super::findings;
use super::made::{Answer, Made, Now, around, closed, hold, ramp, stairs};
use crate::verdict::capacity::Load;

/// A fault: the load, requests per second, and how long an answer takes and whether it fails.
struct Fault {
    what: &'static str,
    rule: Rule,
    loads: Vec<f64>,
    rate: fn(Now) -> f64,
    answer: fn(Now, &mut SmallRng) -> Answer,
}

fn first_byte(ms: f64, spread: f64, random: &mut SmallRng) -> Answer {
    Answer { first_byte: around(random, ms, spread), bytes: 400, ..Answer::default() }
}

/// 40 answers a second at most, in 30 ms each, to users who think for half a second.
fn full(now: Now) -> (f64, f64) {
    closed(now.load, 30.0, 500.0, 40.0)
}

fn faults() -> Vec<Fault> {
    let knee = |what, loads| Fault {
        what,
        rule: Rule::Knee,
        loads,
        rate: |now| full(now).0,
        answer: |now, random| first_byte(full(now).1, 0.4, random),
    };
    vec![
        knee("a knee in stairs", stairs(&[5.0, 10.0, 20.0, 40.0, 80.0], 15)),
        knee("a knee in a ramp", [ramp(0.0, 80.0, 80), hold(80.0, 10)].concat()),
        Fault {
            what: "errors at a load",
            rule: Rule::ErrorsAtLoad,
            loads: stairs(&[10.0, 20.0, 40.0, 60.0], 15),
            rate: |now| now.load / 2.0,
            answer: |now, random| Answer {
                failed: random.random::<f64>() < if now.load > 30.0 { 0.1 } else { 0.003 },
                ..first_byte(20.0, 0.4, random)
            },
        },
        Fault {
            what: "errors at a load that comes and goes",
            rule: Rule::ErrorsAtLoad,
            loads: [ramp(1.0, 60.0, 50), ramp(60.0, 1.0, 50)].concat(),
            rate: |now| now.load / 2.0,
            answer: |now, random| Answer {
                failed: random.random::<f64>() < if now.load > 40.0 { 0.2 } else { 0.003 },
                ..first_byte(20.0, 0.4, random)
            },
        },
        Fault {
            what: "a target that dies",
            rule: Rule::ErrorsSince,
            loads: hold(10.0, 60),
            rate: |_| 12.0,
            answer: |now, random| Answer {
                failed: now.second >= 40,
                ..first_byte(20.0, 0.4, random)
            },
        },
        Fault {
            what: "a slow name",
            rule: Rule::OneNameSlow,
            loads: hold(10.0, 60),
            rate: |_| 10.0,
            answer: |now, random| first_byte([20.0, 400.0, 30.0][now.name], 0.4, random),
        },
        Fault {
            what: "slow answers",
            rule: Rule::SlowFirstByte,
            loads: hold(10.0, 60),
            rate: |_| 10.0,
            answer: |_, random| first_byte(350.0, 0.4, random),
        },
        Fault {
            what: "a drift",
            rule: Rule::Drift,
            loads: hold(10.0, 180),
            rate: |_| 12.0,
            answer: |now, random| first_byte(40.0 + f64::from(now.second) * 0.35, 0.4, random),
        },
        Fault {
            what: "stalls",
            rule: Rule::PeriodicStalls,
            loads: hold(20.0, 60),
            rate: |now| if now.second % 8 == 3 { 8.0 } else { 20.0 },
            answer: |now, random| {
                let waits = now.second % 8 == 4 && random.random::<f64>() < 0.5;
                let waited = if waits { 200.0 + 500.0 * random.random::<f64>() } else { 0.0 };
                let answer = first_byte(15.0, 0.4, random);
                Answer { first_byte: answer.first_byte + waited, ..answer }
            },
        },
    ]
}

/// `cargo test --lib however_its_noise_falls -- --nocapture` prints how many were found.
#[test]
fn a_fault_is_found_however_its_noise_falls() {
    const RUNS: usize = 20;
    let mut short = Vec::new();
    for Fault { what, rule, loads, rate, answer } in faults() {
        let is_found = |seed: &u64| {
            let (load, loads, names) = (Load::Users, loads.clone(), &[0.4, 0.3, 0.3]);
            let made = Made { seed: *seed, load, loads, rate: &rate, answer: &answer, names };
            let found = findings(&made.run());
            found.first().is_some_and(|first| first.rule == rule)
        };
        let found = (0..RUNS as u64).filter(is_found).count();
        println!("{what}: {found} of {RUNS}");
        // The faults are plain, and one run may hide its own.
        if found + 1 < RUNS {
            short.push(format!("{what}: {found} of {RUNS}"));
        }
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// N* of [`full`] is 21.
#[test]
fn a_corner_is_told_where_it_is_and_not_as_a_bend() {
    const RUNS: u64 = 20;
    for Fault { what, loads, rate, answer, .. } in faults().into_iter().take(2) {
        let mut bends = 0;
        for seed in 0..RUNS {
            let (load, loads, names) = (Load::Users, loads.clone(), &[1.0]);
            let run = Made { seed, load, loads, rate: &rate, answer: &answer, names }.run();
            let found = findings(&run).remove(0);
            let figure = |key| found.figures.iter().find(|one| one.key == key);
            if let Some(knee) = figure("load_knee") {
                assert!((17.0..=27.0).contains(&knee.value), "{what}, {seed}: {found:?}");
            }
            bends += u64::from(figure("load_knee_above").is_some());
        }
        assert!(bends <= RUNS / 10, "{what}: {bends} of {RUNS}");
    }
}
