//! Owns the tests of whole comparisons: pairs of simulated runs whose truth is known.

use std::f64::consts::TAU;
use std::time::Duration;

use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::metrics::{Catalogue, Interval};
use crate::verdict::Op;

/// How a simulated service behaves, and how long it is watched.
#[derive(Clone, Copy)]
struct Service {
    seconds: u32,
    /// Requests a second of each name, and its median time in milliseconds.
    names: &'static [(f64, f64)],
    /// The level of all times wanders: what remains of it from second to second, and how far it
    /// goes, as the deviation of a logarithm.
    remains: f64,
    wanders: f64,
    /// The deviation of the logarithm of times around the level.
    spread: f64,
    /// The chance of a failure.
    fails: f64,
    /// All times are so many times as long.
    slower: f64,
}

const SERVICE: Service = Service {
    seconds: 120,
    names: &[(25.0, 40.0), (10.0, 90.0)],
    remains: 0.7,
    wanders: 0.05,
    spread: 0.5,
    fails: 0.002,
    slower: 1.0,
};

fn normal(random: &mut SmallRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}

fn poisson(random: &mut SmallRng, mean: f64) -> u32 {
    let (mut count, mut left) = (0, random.random::<f64>());
    while left > (-mean).exp() {
        left *= random.random::<f64>();
        count += 1;
    }
    count
}

impl Service {
    fn run(&self, seed: u64) -> Run {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut series = vec![Series::default(); self.names.len()];
        let mut all = Series::default();
        let mut level = normal(&mut random);
        for _ in 0..self.seconds {
            let fresh = (1.0 - self.remains * self.remains).sqrt();
            level = self.remains * level + fresh * normal(&mut random);
            let mut both = Second::default();
            for ((rate, median), series) in self.names.iter().zip(&mut series) {
                let mut second = Second::default();
                for _ in 0..poisson(&mut random, *rate) {
                    let log = self.wanders * level + self.spread * normal(&mut random);
                    second.requests += 1;
                    second.failed += u64::from(random.random::<f64>() < self.fails);
                    let ms = median * self.slower * log.exp();
                    second.times.record(Duration::from_secs_f64(ms / 1e3));
                }
                both.add(&second);
                series.push(&second);
            }
            all.push(&both);
        }
        let name = |n: usize| RequestName { method: "GET".into(), name: format!("/{n}") };
        let names = series.into_iter().enumerate().map(|(n, series)| (name(n), series)).collect();
        Run { names, all }
    }
}

/// Of so many pairs how many differ: in p50 and p95 of all by themselves, in anything at all.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Found {
    p50: usize,
    p95: usize,
    p99: usize,
    rate: usize,
    errors: usize,
    anything: usize,
    /// p50 of all, corrected and by as much as matters.
    p50_worse: usize,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.p50 += other.p50;
        self.p95 += other.p95;
        self.p99 += other.p99;
        self.rate += other.rate;
        self.errors += other.errors;
        self.anything += other.anything;
        self.p50_worse += other.p50_worse;
    }
}

/// On a few threads: what is found does not depend on them.
fn pairs(count: u64, baseline: Service, new: Service, asked: &Asked) -> Found {
    const THREADS: u64 = 4;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let pairs = (0..count).filter(move |pair| pair % THREADS == thread);
                scope.spawn(move || some_pairs(pairs, baseline, new, asked))
            })
            .collect();
        let mut found = Found::default();
        threads.into_iter().for_each(|thread| found.add(thread.join().unwrap()));
        found
    })
}

fn some_pairs(
    pairs: impl Iterator<Item = u64>,
    baseline: Service,
    new: Service,
    asked: &Asked,
) -> Found {
    let mut found = Found::default();
    for pair in pairs {
        let (was, is) = (baseline.run(1000 + 2 * pair), new.run(1001 + 2 * pair));
        let compared = compare(&[was], &[is], asked);
        let differs = |one: Figure| {
            let compared = compared.all.iter().find(|compared| compared.figure == one);
            usize::from(compared.unwrap().effect.is_some_and(|effect| effect.p < 0.05))
        };
        found.p50 += differs(Figure::Percentile(0.5));
        found.p95 += differs(Figure::Percentile(0.95));
        found.p99 += differs(Figure::Percentile(0.99));
        found.rate += differs(Figure::Throughput);
        found.errors += differs(Figure::ErrorRate);
        let said = |one: &Compared| matches!(one.outcome, Outcome::Better | Outcome::Worse);
        found.anything += usize::from(compared.figures().any(|(_, one)| said(one)));
        let worse = |one: &&Compared| {
            one.figure == Figure::Percentile(0.5) && one.outcome == Outcome::Worse
        };
        found.p50_worse += compared.all.iter().filter(worse).count();
    }
    found
}

/// Few draws, so that it is quick: the variance of so many is known well enough.
fn quick() -> Asked {
    Asked { resamples: 150, ..Asked::default() }
}

#[test]
fn runs_of_the_same_service_are_called_different_at_most_nine_times_of_a_hundred() {
    let service = Service { seconds: 60, ..SERVICE };
    let found = pairs(200, service, service, &quick());
    let most = [found.p50, found.p95, found.p99, found.rate, found.errors, found.anything];
    assert!(most.iter().all(|count| *count <= 18), "{found:?}");
}

#[test]
fn a_median_that_is_a_tenth_longer_is_found_in_ninety_five_of_a_hundred() {
    let service = Service { seconds: 180, names: &[(40.0, 40.0)], ..SERVICE };
    let found = pairs(100, service, Service { slower: 1.1, ..service }, &quick());
    assert!(found.p50_worse >= 95, "{found:?}");
}

/// Ten minutes of twenty names on either side, 50 requests a second of each:
/// `cargo test --release --lib compare::tests::how_long -- --ignored --nocapture`.
#[test]
#[ignore = "prints how long it takes"]
fn how_long_ten_minutes_of_twenty_names_take() {
    let service = Service { seconds: 600, names: &[(50.0, 40.0); 20], ..SERVICE };
    let (was, is) = (service.run(1), service.run(2));
    let begin = std::time::Instant::now();
    let compared = compare(&[was], &[is], &Asked::default());
    println!("{} figures in {:?}", compared.figures().count(), begin.elapsed());
}

/// Over a thousand pairs of each kind, or `PAIRS`:
/// `cargo test --release --lib compare::tests::levels -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes without optimization"]
fn levels_and_power_over_many_pairs() {
    let count: u64 = std::env::var("PAIRS").map_or(1000, |text| text.parse().unwrap());
    let asked = Asked { resamples: 500, ..Asked::default() };
    for (word, service) in [
        ("as in the quick test", SERVICE),
        ("nothing lasts", Service { remains: 0.0, ..SERVICE }),
        ("wanders far", Service { wanders: 0.2, ..SERVICE }),
        ("lasts long", Service { remains: 0.9, wanders: 0.1, seconds: 300, ..SERVICE }),
        ("lasts too long", Service { remains: 0.95, wanders: 0.1, ..SERVICE }),
        ("half a minute", Service { seconds: 30, ..SERVICE }),
        ("many fail", Service { fails: 0.02, ..SERVICE }),
        ("heavy tail", Service { spread: 1.2, ..SERVICE }),
    ] {
        println!("A/A {word}: {:?}", pairs(count, service, service, &asked));
    }
    for seconds in [120, 300] {
        let service = Service { seconds, ..SERVICE };
        let slower = Service { slower: 1.1, ..service };
        println!("10 % slower, {seconds} s: {:?}", pairs(count, service, slower, &asked));
    }
}

/// A second of so many requests of one name, so many of which failed, each of that time.
fn second(requests: u64, failed: u64, ms: f64) -> Second {
    let mut second = Second { requests, failed, ..Second::default() };
    (0..requests).for_each(|_| second.times.record(Duration::from_secs_f64(ms / 1e3)));
    second
}

/// A run of one name, whose times and counts go up and down a little.
fn steady(seconds: u32, requests: u64, ms: f64, failed_at: &[u32]) -> Run {
    let mut all = Series::default();
    for at in 0..seconds {
        let wave = 1.0 + 0.02 * f64::from(at % 7);
        let failed = failed_at.iter().filter(|one| **one == at).count() as u64;
        all.push(&second(requests + u64::from(at % 3), failed, ms * wave));
    }
    let name = RequestName { method: "GET".into(), name: "/".into() };
    Run { names: vec![(name, all.clone())], all }
}

fn of(figure: Figure, baseline: &Run, new: &Run) -> Compared {
    one(&[Some(&baseline.all)], &[Some(&new.all)], figure, &quick())
}

const P95: Figure = Figure::Percentile(0.95);

#[test]
fn each_outcome_has_its_reason() {
    let base = steady(60, 10, 100.0, &[]);
    let outcome = |figure, new: &Run| of(figure, &base, new).outcome;
    assert_eq!(outcome(P95, &steady(60, 10, 110.0, &[])), Outcome::Worse);
    assert_eq!(outcome(P95, &steady(60, 10, 90.0, &[])), Outcome::Better);
    assert_eq!(outcome(P95, &steady(60, 10, 104.0, &[])), Outcome::NoDifference, "too little");
    assert_eq!(outcome(Figure::Throughput, &steady(60, 8, 100.0, &[])), Outcome::Worse);
    assert_eq!(outcome(Figure::Throughput, &steady(60, 13, 100.0, &[])), Outcome::Better);
    let doubt = |figure, new: &Run| match outcome(figure, new) {
        Outcome::CannotSay(doubt) => doubt.to_string(),
        other => other.word().to_owned(),
    };
    assert_eq!(
        doubt(P95, &steady(29, 10, 100.0, &[])),
        "29 whole seconds are too few; measure for 30s or longer"
    );
    assert_eq!(doubt(P95, &steady(31, 1, 100.0, &[])), "no difference shown");
    assert_eq!(
        doubt(Figure::Percentile(0.99), &steady(60, 3, 100.0, &[])),
        "240 requests are too few; it takes 299 on each side"
    );
    assert_eq!(doubt(P95, &steady(0, 0, 100.0, &[])), "the new side has no such request");
    let mut scarce = Run::default();
    (0..60).for_each(|at| scarce.all.push(&second(if at == 30 { 200 } else { 0 }, 0, 100.0)));
    assert_eq!(doubt(P95, &scarce), "requests are too scarce: a run, or a part of one, has none");
}

#[test]
fn few_failures_show_nothing_many_do_and_a_burst_is_one_thing() {
    let base = steady(60, 10, 100.0, &[]);
    let errors =
        |failed_at: &[u32]| of(Figure::ErrorRate, &base, &steady(60, 10, 100.0, failed_at));
    let none = errors(&[]);
    assert_eq!((none.outcome, none.effect.unwrap().p), (Outcome::NoDifference, 1.0));
    // The rule of three: none in 659 leaves 3 in 659 possible.
    let high = none.effect.unwrap().high;
    assert!((0.8..1.8).contains(&(high / (3.0 / 660.0))), "{high}");
    assert_eq!(errors(&[3, 17, 30, 40, 52]).outcome, Outcome::NoDifference, "5 are few");
    let spread: Vec<u32> = (0..20).map(|n| 3 * n).collect();
    let many = errors(&spread);
    assert_eq!(many.outcome, Outcome::Worse);
    assert!((many.effect.unwrap().estimate - 20.0 / 660.0).abs() < 1e-3, "{many:?}");
    assert_eq!(errors(&[30; 8]).outcome, Outcome::NoDifference, "all in one second");
}

#[test]
fn names_of_one_side_alone_are_said() {
    let base = steady(60, 10, 100.0, &[]);
    let mut new = steady(60, 10, 100.0, &[]);
    new.names[0].0.name = "/other".into();
    let compared = compare(&[base], &[new], &quick());
    let doubts: Vec<_> =
        compared.names.iter().map(|(name, of)| (&*name.name, of[0].outcome)).collect();
    let cannot = Outcome::CannotSay;
    assert_eq!(doubts, [("/", cannot(Doubt::OnlyBaseline)), ("/other", cannot(Doubt::OnlyNew))]);
    assert_eq!(compared.all[1].outcome, Outcome::NoDifference);
    let only = |doubt| compared.only(doubt).map(|name| &*name.name).collect::<Vec<_>>();
    let doubts = [Doubt::OnlyBaseline, Doubt::OnlyNew, Doubt::Scarce];
    assert_eq!(doubts.map(only), [vec!["/"], vec!["/other"], vec![]]);
}

#[test]
fn several_runs_are_compared_by_their_ranks_as_far_as_those_reach() {
    let runs = |count: u32, ms: f64| -> Vec<Run> {
        (0..count).map(|n| steady(10, 40, ms * (1.0 + 0.003 * f64::from(n)), &[])).collect()
    };
    let outcomes = |count: u32| -> Vec<String> {
        let compared = compare(&runs(count, 100.0), &runs(count, 120.0), &quick());
        assert_eq!(compared.method, Method::Ranks);
        let said = compared.figures().map(|(_, one)| match one.outcome {
            Outcome::CannotSay(doubt) => doubt.to_string(),
            other => other.word().to_owned(),
        });
        said.collect()
    };
    let three = "3 runs a side can never show a difference at 5%; give at least 4";
    assert_eq!(outcomes(3), [three; 10]);
    let four = "so few runs can judge 1 of 10 figures at 5%; give at least 6 a side";
    assert_eq!(outcomes(4)[..5], [four, "worse", four, four, four]);
    assert_eq!([1, 6, 10, 15, 85].map(needs), [4, 5, 6, 6, 7]);
    let lean = |ms: f64, least: f64| -> Vec<_> {
        let four = compare(&runs(4, 100.0), &runs(4, ms), &quick());
        four.all.iter().map(|one| one.leans_worse(least)).collect()
    };
    assert_eq!(lean(170.0, 0.05), [Some(6), None, Some(6), None, None]);
    assert_eq!([lean(120.0, 0.05), lean(170.0, 0.8)], [[None; 5], [None; 5]]);
    let (same, worse) = ("no difference shown", "worse");
    let six = [worse, worse, worse, same, same, worse, worse, worse, same, same];
    assert_eq!(outcomes(6), six);
    let effect = compare(&runs(6, 100.0), &runs(6, 120.0), &quick()).all[0].effect.unwrap();
    assert!((1.195..1.205).contains(&effect.estimate), "{effect:?}");
    assert!(effect.low > 1.17 && effect.high < 1.23, "{effect:?}");
}

#[test]
fn a_limit_breaks_when_it_is_passed_and_a_difference_is_shown() {
    let base = steady(60, 10, 100.0, &[]);
    let limit = |ms: f64, seconds: u32, op: Op, factor: f64| {
        let new = steady(seconds, 10, ms, &[]);
        kept(&one(&[Some(&base.all)], &[Some(&new.all)], P95, &quick()), op, |was| was * factor)
    };
    assert_eq!(limit(105.0, 60, Op::Less, 1.1), Kept::Held, "shown, within the limit");
    assert_eq!(limit(115.0, 60, Op::Less, 1.1), Kept::Broke);
    assert_eq!(limit(100.1, 60, Op::Less, 1.0), Kept::NotShown, "it may be chance");
    assert_eq!(limit(80.0, 60, Op::Less, 0.9), Kept::Held, "better, as was asked for");
    assert_eq!(limit(100.0, 60, Op::Less, 0.9), Kept::Broke);
    let doubt = Doubt::Seconds { has: 20, needs: 30 };
    assert_eq!(limit(115.0, 20, Op::Less, 1.1), Kept::CannotSay(doubt));
    let rps = |requests: u64| {
        let new = steady(60, requests, 100.0, &[]);
        let one = one(&[Some(&base.all)], &[Some(&new.all)], Figure::Throughput, &quick());
        kept(&one, Op::Greater, |was| was * 0.9)
    };
    assert_eq!([rps(10), rps(5)], [Kept::Held, Kept::Broke]);
}

/// What is shown by itself may be chance among others.
#[test]
fn figures_that_are_judged_together_are_corrected_together() {
    let base = steady(60, 10, 100.0, &[]);
    let of = |p: f64| {
        let new = steady(60, 10, 120.0, &[]);
        let mut one = one(&[Some(&base.all)], &[Some(&new.all)], P95, &quick());
        one.effect.as_mut().unwrap().p = p;
        one
    };
    let (mut first, mut second, mut third) = (of(0.01), of(0.04), of(0.6));
    together(&mut [&mut first, &mut second, &mut third], LEAST);
    let corrected = [&first, &second, &third].map(|one| one.effect.unwrap().p_corrected);
    assert_eq!(corrected, [0.03, 0.08, 0.6]);
    let judged = [&first, &second].map(|one| kept(one, Op::Less, |was| was * 1.1));
    assert_eq!(judged, [Kept::Broke, Kept::NotShown]);
    assert_eq!([first.outcome, second.outcome], [Outcome::Worse, Outcome::NoDifference]);
}

#[test]
fn a_run_is_its_whole_seconds_and_series_of_one_name_are_one() {
    let name = |name: &str| RequestName { method: "GET".into(), name: name.into() };
    let names = vec![name("/a"), name("/b"), name("/a")];
    let catalogue = Catalogue { names, ..Catalogue::default() };
    let ended = |at: u32, names: &[u16]| {
        let mut interval = Interval::second(at);
        for name in names {
            let stats = interval.names.entry(*name).or_default();
            stats.response_ok.record(Duration::from_millis(5));
            stats.response_failed.record(Duration::from_millis(1));
        }
        interval
    };
    // The warm-up ends at 1.5 s, the load at 6.2 s; nothing ended in second 3.
    let seconds =
        [ended(0, &[0]), ended(1, &[0]), ended(2, &[1]), ended(4, &[0, 2]), ended(6, &[0])];
    let time = Duration::from_secs_f64;
    let run = Run::new(&seconds, &catalogue, time(1.5), time(6.2));
    let held: Vec<_> =
        run.names.iter().map(|(name, of)| (&*name.name, of.seconds(), of.counts())).collect();
    assert_eq!(held, [("/a", 4, (4, 2)), ("/b", 4, (2, 1))]);
    assert_eq!((run.all.seconds(), run.all.counts(), run.all.samples()), (4, (6, 3), 6));
    let each = |series: &Series| series.whole().iter().map(|one| one.requests).collect::<Vec<_>>();
    assert_eq!(each(&run.names[0].1), [0, 0, 4, 0]);
    assert_eq!(each(&run.all), [2, 0, 4, 0]);
}

#[test]
fn a_long_run_is_kept_in_longer_stretches() {
    let mut series = Series::default();
    (0..5001).for_each(|_| series.push(&second(2, 1, 5.0)));
    assert_eq!(
        (series.seconds(), series.counts(), series.samples()),
        (5001, (10_002, 5001), 10_002)
    );
    assert_eq!((series.step, series.whole_s()), (8, 5000), "one second begins the next");
    assert!(series.whole().iter().all(|one| one.requests == 16 && one.times == [(5003, 16)]));
    let mut steps = Series::in_steps(4);
    (0..1501).for_each(|_| steps.push(&second(8, 4, 5.0)));
    assert_eq!((steps.seconds(), steps.whole_s(), steps.course()[1].from_s), (6004, 6000, 24));
    let course = series.course();
    assert_eq!((course.len(), course[1].from_s), (208, 24), "625 stretches by three");
    let flat = |one: &Point| (one.requests_per_s, one.failures_per_s) == (2.0, 1.0);
    assert!(course.iter().all(|one| flat(one) && one.p95_ms == Some(5.003)), "{course:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn changing_sides_turns_everything_round(seed in 0u64..1000, slower in 0.8f64..1.25) {
        let service = Service { seconds: 40, fails: 0.03, ..SERVICE };
        let (was, is) = (service.run(seed), Service { slower, ..service }.run(seed + 5000));
        let there = compare(std::slice::from_ref(&was), std::slice::from_ref(&is), &quick());
        let back = compare(&[is], &[was], &quick());
        for ((_, there), (_, back)) in there.figures().zip(back.figures()) {
            let turned = match there.outcome {
                Outcome::Better => Outcome::Worse,
                Outcome::Worse => Outcome::Better,
                same => same,
            };
            prop_assert_eq!(back.outcome, turned);
            let (Some(there), Some(other)) = (there.effect, back.effect) else { continue };
            let turn = |value: f64| if back.figure.is_difference() { -value } else { 1.0 / value };
            prop_assert!((there.p - other.p).abs() < 1e-9);
            for (one, other) in
                [(there.estimate, other.estimate), (there.low, other.high), (there.high, other.low)]
            {
                prop_assert!((one - turn(other)).abs() < 1e-9, "{one} {other}");
            }
            let none = if back.figure.is_difference() { 0.0 } else { 1.0 };
            prop_assert_eq!(there.p < 0.05, there.low > none || there.high < none);
        }
    }

    #[test]
    fn the_unit_of_time_does_not_matter(seed in 0u64..1000, factor in 3.0f64..300.0) {
        let service = Service { seconds: 40, ..SERVICE };
        let slower = Service { slower: 1.1, ..service };
        let scaled = |service: Service| Service { slower: factor * service.slower, ..service };
        let one = compare(&[service.run(seed)], &[slower.run(seed + 5000)], &quick());
        let other =
            compare(&[scaled(service).run(seed)], &[scaled(slower).run(seed + 5000)], &quick());
        for ((_, one), (_, other)) in one.figures().zip(other.figures()) {
            let (Some(one), Some(other)) = (one.effect, other.effect) else { continue };
            // Histograms tell a thousandth, draws two.
            prop_assert!((one.estimate / other.estimate - 1.0).abs() < 0.003 || one.estimate == other.estimate);
            prop_assert!((one.p - other.p).abs() < 0.1, "{} {}", one.p, other.p);
        }
    }
}
