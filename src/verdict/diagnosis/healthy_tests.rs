//! Owns the tests that a run without a fault has no finding, however its noise falls.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::findings;
use super::made::{Answer, Made, Now, around, hold, limit, ramp, stairs};
use super::run::Run;
use crate::verdict::Statistic::{Avg, Max, Percentile};
use crate::verdict::capacity::Load;

/// The shapes of load that plans have, some with few requests.
fn shapes() -> Vec<(&'static str, Load, Vec<f64>)> {
    let spike = [ramp(0.0, 5.0, 2), hold(5.0, 30), ramp(5.0, 60.0, 5), hold(60.0, 20)].concat();
    let spike = [spike, ramp(60.0, 5.0, 5), hold(5.0, 30)].concat();
    vec![
        ("constant", Load::Users, [ramp(0.0, 20.0, 4), hold(20.0, 90)].concat()),
        ("few requests", Load::Users, [ramp(0.0, 3.0, 3), hold(3.0, 60)].concat()),
        ("ramp", Load::Users, [ramp(0.0, 60.0, 120), hold(60.0, 20)].concat()),
        ("ramp there and back", Load::Users, [ramp(1.0, 40.0, 60), ramp(40.0, 0.0, 60)].concat()),
        ("stairs", Load::Users, stairs(&[5.0, 10.0, 20.0, 40.0, 60.0], 20)),
        ("steep stairs", Load::Users, stairs(&[2.0, 50.0, 2.0, 80.0], 12)),
        ("spike", Load::Users, spike),
        ("soak", Load::Users, [ramp(0.0, 15.0, 3), hold(15.0, 300)].concat()),
        ("arrivals", Load::Rate, hold(25.0, 90)),
        ("arrivals in stairs", Load::Rate, stairs(&[5.0, 15.0, 30.0], 30)),
    ]
}

/// A service without a fault, that is not the same from second to second: times are log-normal around a
/// level that wanders, some are much longer, a few requests fail; with more load they take a little longer.
fn healthy(shape: &(&'static str, Load, Vec<f64>), seed: u64) -> Run {
    healthy_of(shape, seed, 1.0)
}

/// With answers that take so many times as long.
fn healthy_of(shape: &(&'static str, Load, Vec<f64>), seed: u64, times: f64) -> Run {
    let (_, load, loads) = shape;
    let mut random = SmallRng::seed_from_u64(seed ^ 0x5eed);
    let mut pick = |from: f64, to: f64| from + (to - from) * random.random::<f64>();
    let (median, spread, tail) = (times * pick(2.0, 60.0), pick(0.2, 0.7), pick(0.0, 0.02));
    let (fails, more, wander, remains) =
        (pick(-0.005, 0.005), pick(0.0, 0.5), pick(0.0, 0.15), pick(0.0, 0.95));
    let per_load = if *load == Load::Rate { 1.0 } else { pick(0.3, 1.2) };
    let mut level = 0.0;
    let wandering: Vec<f64> = loads
        .iter()
        .map(|_| {
            let fresh = (1.0 - remains * remains).sqrt();
            level = remains * level + fresh * super::made::normal(&mut random);
            wander * level
        })
        .collect();
    let most = loads.iter().copied().fold(0.0, f64::max);
    let made = Made {
        seed,
        load: *load,
        loads: loads.clone(),
        rate: &|now: Now| now.load * per_load,
        answer: &|now: Now, random: &mut SmallRng| {
            let busy = 1.0 + more * (now.load / most).powi(3);
            let usual = median * busy * wandering[now.second as usize].exp();
            // The names differ, and none stands out.
            let usual = usual * [1.0, 1.6, 0.7][now.name];
            let long = if random.random::<f64>() < tail { 4.0 } else { 1.0 };
            // The first requests open connections.
            let connect = if now.second < 3 { around(random, 1.0, 0.5) } else { 0.0 };
            Answer {
                connect,
                first_byte: around(random, usual, spread) * long,
                body: around(random, 0.2, 0.3),
                bytes: 900,
                failed: random.random::<f64>() < fails,
                ..Answer::default()
            }
        },
        names: &[0.5, 0.3, 0.2],
    };
    made.run()
}

/// The same with thresholds that it keeps by a little, and that its 95th percentile would not.
fn with_thresholds(mut run: Run) -> Run {
    let all = [Percentile(0.5), Percentile(0.9), Avg, Percentile(0.99), Max];
    let all = all.map(|of| limit(&run, None, of, 1.02));
    let one = [Percentile(0.5), Avg].map(|of| limit(&run, Some("/1"), of, 1.02));
    run.limits = all.into_iter().chain(one).collect();
    run
}

/// So that they are kept under the highest load too, under which answers take up to half as long again.
const ALLOWS: f64 = 1.6;

/// The same with answers that take many times as long, as thresholds of all, or of each name, allow.
fn allowed(shape: &(&'static str, Load, Vec<f64>), seed: u64) -> Run {
    let mut run = healthy_of(shape, seed, 40.0);
    let (all, names) = match seed % 4 {
        0 => (Some(Percentile(0.99)), None),
        1 => (Some(Max), None),
        2 => (None, Some(Percentile(0.95))),
        _ => (None, Some(Percentile(0.99))),
    };
    let all = all.map(|of| limit(&run, None, of, ALLOWS));
    let names = names.into_iter().flat_map(|of| ["/0", "/1", "/2"].map(|name| (name, of)));
    let names = names.map(|(name, of)| limit(&run, Some(name), of, ALLOWS));
    run.limits = all.into_iter().chain(names).collect();
    run
}

/// Looks at so many runs of each shape, as they are and with thresholds that they keep; none may have a
/// finding.
fn hold_against_healthy_runs(runs: u64) {
    let mut told = Vec::new();
    for shape in shapes() {
        let before = told.len();
        for seed in 0..runs {
            let run = healthy(&shape, seed);
            let kept = with_thresholds(run.clone());
            let allowed = allowed(&shape, seed);
            for (how, run) in [("", run), (", with thresholds", kept), (", allowed", allowed)] {
                let found = findings(&run).into_iter().map(|finding| finding.sentence);
                told.extend(found.map(|what| format!("{}, {seed}{how}: {what}", shape.0)));
            }
        }
        println!(
            "{}: {} of {runs}, each as it is, with thresholds, and as slow as they allow",
            shape.0,
            told.len() - before
        );
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn a_healthy_run_has_no_finding() {
    hold_against_healthy_runs(20);
}

/// `cargo test --lib healthy_runs_of_each_shape -- --ignored --nocapture` prints how many had one.
#[test]
#[ignore = "a minute without optimization"]
fn of_two_hundred_healthy_runs_of_each_shape_none_has_a_finding() {
    hold_against_healthy_runs(200);
}
