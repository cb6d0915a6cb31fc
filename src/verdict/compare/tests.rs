//! Owns the tests of whole comparisons: pairs of simulated runs whose truth is known.

use std::f64::consts::TAU;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;

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

/// Over a thousand pairs each, with all draws:
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
