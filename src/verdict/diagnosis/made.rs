//! Owns runs that are made up for tests: targets whose behaviour is known, under a load that is known.

use std::f64::consts::TAU;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::limits::{Limit, Whose};
use super::run::{Generator, Run, Series, ends};
use crate::metrics::Timing;
use crate::verdict::capacity::{Load, Moment, Spent, climb, levels};
use crate::verdict::{Op, Statistic, judge};

/// How one request comes out.
#[derive(Clone, Copy, Default)]
pub(super) struct Answer {
    /// Milliseconds of its parts.
    pub(super) connect: f64,
    pub(super) tls: f64,
    pub(super) first_byte: f64,
    pub(super) body: f64,
    pub(super) bytes: u64,
    pub(super) failed: bool,
}

/// What a second looks like to those who ask in it.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) second: u32,
    /// Users, or arrivals per second.
    pub(super) load: f64,
    /// The number of the name.
    pub(super) name: usize,
}

/// A made-up run.
pub(super) struct Made<'a> {
    pub(super) seed: u64,
    pub(super) load: Load,
    /// The load of each second.
    pub(super) loads: Vec<f64>,
    /// Requests that end in a second, in the mean.
    pub(super) rate: &'a dyn Fn(Now) -> f64,
    pub(super) answer: &'a dyn Fn(Now, &mut SmallRng) -> Answer,
    /// The shares of the names.
    pub(super) names: &'a [f64],
}

pub(super) fn normal(random: &mut SmallRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}

/// Log-normal, by its median and the deviation of its logarithm.
pub(super) fn around(random: &mut SmallRng, median: f64, spread: f64) -> f64 {
    median * (spread * normal(random)).exp()
}

fn poisson(random: &mut SmallRng, mean: f64) -> u32 {
    if mean > 60.0 {
        return (mean + mean.sqrt() * normal(random)).round().max(0.0) as u32;
    }
    let (mut count, mut left) = (0, random.random::<f64>());
    while left > (-mean).exp() {
        left *= random.random::<f64>();
        count += 1;
    }
    count
}

impl Made<'_> {
    pub(super) fn run(&self) -> Run {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let mut names: Vec<Series> = (0..self.names.len())
            .map(|n| Series { name: format!("GET /{n}"), ..Series::default() })
            .collect();
        let mut moments = Vec::new();
        let ends = ends(&self.moments_alone());
        if ends.is_some() {
            names.iter_mut().for_each(|name| name.ends = Some(Default::default()));
        }
        for (second, load) in self.loads.iter().enumerate() {
            let (second, load) = (second as u32, *load);
            let mut moment = alone(second, load);
            let end = ends.and_then(|ends| ends.of(&moment));
            for (name, share) in self.names.iter().enumerate() {
                let now = Now { second, load, name };
                for _ in 0..poisson(&mut random, (self.rate)(now) * share) {
                    let answer = (self.answer)(now, &mut random);
                    let time = count(&mut moment, &mut names[name], answer);
                    if let (Some(end), Some(ends)) = (end, &mut names[name].ends) {
                        ends[end].record(time);
                    }
                }
            }
            moments.push(moment);
        }
        of(self.load, moments, names)
    }

    /// Its seconds, with nothing in them yet.
    fn moments_alone(&self) -> Vec<Moment> {
        self.loads.iter().enumerate().map(|(second, load)| alone(second as u32, *load)).collect()
    }
}

fn alone(second: u32, load: f64) -> Moment {
    let (from_s, to_s, seconds) = (second, second + 1, 1.0);
    Moment { from_s, to_s, seconds, load, users: load, ..Moment::default() }
}

fn count(moment: &mut Moment, name: &mut Series, answer: Answer) -> Duration {
    let Answer { connect, tls, first_byte, body, bytes, failed } = answer;
    let (service, response) = (first_byte + body, connect + tls + first_byte + body);
    let spent = Spent { waited: 0.0, connect: connect + tls, tls, first_byte, service, response };
    let time = Duration::from_secs_f64(response.max(0.001) / 1e3);
    moment.requests += 1;
    moment.failures += u64::from(failed);
    moment.response.record(time);
    moment.spent.add(&spent);
    moment.body_bytes += bytes;
    name.requests += 1;
    name.spent.add(&spent);
    name.body_bytes += bytes;
    name.opened += u64::from(connect > 0.0);
    name.agreed += u64::from(tls > 0.0);
    if !failed {
        name.response.record(time);
    }
    time
}

/// A run of these moments and names.
pub(super) fn of(load: Load, moments: Vec<Moment>, names: Vec<Series>) -> Run {
    let mut all = Series::default();
    for name in &names {
        all.requests += name.requests;
        all.response.merge(&name.response);
        all.spent.add(&name.spent);
        all.body_bytes += name.body_bytes;
        all.opened += name.opened;
        all.agreed += name.agreed;
    }
    all.connect_ms = all.spent.connect / all.opened.max(1) as f64;
    all.connect_p99_ms = all.connect_ms;
    all.tls_ms = all.spent.tls / all.agreed.max(1) as f64;
    if all.response.is_empty() {
        let mut response = Timing::default();
        moments.iter().for_each(|moment| response.merge(&moment.response));
        all.response = response;
    }
    Run {
        load,
        is_search: false,
        held: levels(&moments, load, &[]),
        cuts: Vec::new(),
        climb: climb(&moments),
        moments,
        all,
        names,
        limits: Vec::new(),
        few: Vec::new(),
        failures: Vec::new(),
        arrivals: 0,
        dropped: 0,
        generator: Generator::default(),
    }
}

/// A threshold on all requests, or on those of a name, that allows `times` what the run had.
pub(super) fn limit(run: &Run, name: Option<&str>, statistic: Statistic, times: f64) -> Limit {
    let of = |of: &str| run.names.iter().find(|series| series.name.ends_with(of));
    let series = name.and_then(of).unwrap_or(&run.all);
    let most_ms = judge::time(&series.response, statistic).unwrap_or(0.0) * times;
    let of = name.map_or(Whose::All, |name| Whose::Name(name.to_owned()));
    let broke = times <= 1.0;
    Limit { of, statistic, op: Op::Less, most_ms, broke }
}

/// So many seconds of one load.
pub(super) fn hold(load: f64, seconds: usize) -> Vec<f64> {
    vec![load; seconds]
}

/// From one load to another.
pub(super) fn ramp(from: f64, to: f64, seconds: usize) -> Vec<f64> {
    (0..seconds).map(|n| (from + (to - from) * n as f64 / seconds as f64).floor()).collect()
}

/// Each load in turn, for so many seconds.
pub(super) fn stairs(loads: &[f64], seconds: usize) -> Vec<f64> {
    loads.iter().flat_map(|load| hold(*load, seconds)).collect()
}

/// A closed target that can do `most` answers a second, each in `base` milliseconds, asked by users who
/// think for `think`: what it answers a second, and in how many milliseconds.
pub(super) fn closed(users: f64, base: f64, think: f64, most: f64) -> (f64, f64) {
    let rate = (users / ((base + think) / 1e3)).min(most);
    (rate, (users / most * 1e3 - think).max(base))
}
