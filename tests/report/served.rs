//! Owns runs that look like real ones, made from a seed: times that scatter as those of a server do, load
//! that comes in steps, over a day, or through TLS.

use std::time::Duration;

use throng::metrics::{Failure, Fault, Health, Interval, Level, NameStats, RequestName, Seen};

/// A name of such a run: how often it is asked for of a hundred, its median time, and its body.
struct Page {
    method: &'static str,
    name: &'static str,
    share: u64,
    ms: f64,
    bytes: u64,
}

const PAGES: [Page; 7] = [
    Page { method: "GET", name: "/", share: 28, ms: 9.0, bytes: 18_000 },
    Page { method: "GET", name: "/products", share: 24, ms: 22.0, bytes: 46_000 },
    Page { method: "GET", name: "/products/{id}", share: 20, ms: 14.0, bytes: 7_200 },
    Page { method: "GET", name: "/search", share: 12, ms: 61.0, bytes: 12_400 },
    Page { method: "POST", name: "/cart", share: 9, ms: 31.0, bytes: 900 },
    Page { method: "POST", name: "/checkout", share: 4, ms: 118.0, bytes: 1_400 },
    Page { method: "GET", name: "/account/orders", share: 3, ms: 47.0, bytes: 3_100 },
];

pub fn names() -> Vec<RequestName> {
    let one = |page: &Page| RequestName { method: page.method.into(), name: page.name.into() };
    PAGES.iter().map(one).collect()
}

/// Random numbers of a seed, good enough for pictures.
struct Dice(u64);

impl Dice {
    /// From 0 up to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About 1, seldom much more: the exponential of a normal number.
    fn scatter(&mut self, sigma: f64) -> f64 {
        let normal = (0..12).map(|_| self.next()).sum::<f64>() - 6.0;
        (normal * sigma).exp()
    }
}

/// What a stretch of such a run is made from.
struct Stretch {
    from_s: u32,
    seconds: u32,
    users: u64,
    requests: u64,
    /// How many times longer than alone everything takes.
    slower: f64,
    /// How many of a hundred requests fail.
    failing: f64,
    tls: bool,
}

fn stretch(of: &Stretch) -> Interval {
    let Stretch { from_s, seconds, users, requests, slower, failing, tls } = *of;
    let mut dice = Dice(u64::from(from_s) * 2_654_435_761 + 88_172_645_463_325_252);
    let mut interval = Interval::second(from_s);
    interval.to_s = from_s + seconds;
    interval.user_seconds = users * u64::from(seconds);
    for (number, page) in (0u16..).zip(&PAGES) {
        let stats = interval.names.entry(number).or_default();
        let count = requests * u64::from(seconds) * page.share / 100;
        for _ in 0..count {
            one(stats, page, slower, failing, tls, from_s, &mut dice);
        }
        interval.issued += stats.requests();
    }
    interval
}

fn one(
    stats: &mut NameStats,
    page: &Page,
    slower: f64,
    failing: f64,
    tls: bool,
    at: u32,
    dice: &mut Dice,
) {
    let ms = |ms: f64| Duration::from_nanos((ms * 1e6) as u64);
    let stall = if dice.next() < 0.004 { 180.0 } else { 0.0 };
    let first = page.ms * slower * dice.scatter(0.35) + stall;
    let body = page.bytes as f64 / 40_000.0 * dice.scatter(0.2);
    let mut response = first + body + 0.05;
    if dice.next() < if tls { 0.5 } else { 0.06 } {
        let connect = 1.2 * dice.scatter(0.2);
        let handshake = if tls { 6.5 * dice.scatter(0.25) } else { 0.0 };
        stats.connect.record(ms(connect + handshake));
        if tls {
            stats.tls.record(ms(handshake));
        }
        response += connect + handshake;
    }
    stats.first_byte.record(ms(first));
    stats.service.record(ms(first + body));
    stats.body_bytes += page.bytes;
    if dice.next() * 100.0 >= failing {
        stats.response_ok.record(ms(response));
        return;
    }
    stats.response_failed.record(ms(response));
    let failure = match (dice.next() * 10.0) as u32 {
        0..6 => Failure::Status(503),
        6..8 => Failure::Fault(Fault::TtfbTimeout),
        8 => Failure::Fault(Fault::ConnectRefused),
        _ => Failure::Status(429),
    };
    let ms = u64::from(at) * 1000;
    match stats.failures.iter_mut().find(|(one, _)| *one == failure) {
        Some((_, seen)) => seen.count += 1,
        None => stats
            .failures
            .push((failure, Seen { count: 1, first_ms: ms, last_ms: ms + 800, ..Seen::default() })),
    }
    stats.failures.sort_by_key(|(failure, _)| *failure);
}

fn healthy(busy: u64) -> Health {
    let level = |value| Some(Level::over(value, 1));
    Health {
        cores: Some(4),
        process: level(busy * 3),
        machine: level(busy),
        memory: level(48_000_000),
        available: level(5_100_000_000),
        memory_total: Some(8_300_000_000),
        ..Health::default()
    }
    .counted(1)
}

/// Users in five steps of a minute: from the fourth on the server has had enough.
pub fn steps() -> Vec<Interval> {
    (0..300)
        .map(|at| {
            let level = u64::from(at / 60) + 1;
            let (requests, slower, failing) = match level {
                1..=3 => (level * 62, 1.0 + level as f64 * 0.06, 0.0),
                4 => (232, 2.1, 0.4),
                _ => (238, 4.4 + f64::from(at % 60) * 0.03, 6.0),
            };
            let of = Stretch {
                from_s: at,
                seconds: 1,
                users: level * 40,
                requests,
                slower,
                failing,
                tls: false,
            };
            let mut interval = stretch(&of);
            interval.health = healthy(160 + level * 70 + u64::from(at % 7) * 9);
            interval
        })
        .collect()
}

/// Arrivals over a day, most in the evening, when some are dropped.
pub fn day() -> Vec<Interval> {
    (0..600)
        .map(|step| {
            let from_s = step * 144;
            let hour = f64::from(from_s) / 3600.0;
            let tide = (1.0 + ((hour - 20.0) / 24.0 * std::f64::consts::TAU).cos()) / 2.0;
            let rate = (1.0 + 8.0 * tide) as u64;
            let full = rate > 7;
            let of = Stretch {
                from_s,
                seconds: 144,
                users: 3 + rate,
                requests: rate,
                slower: 1.0 + tide * tide,
                failing: if full { 2.0 } else { 0.02 },
                tls: false,
            };
            let mut interval = stretch(&of);
            interval.arrivals = rate * 144;
            interval.dropped = if full { (rate - 7) * 144 } else { 0 };
            if full {
                (0..20).for_each(|k| interval.waited.record(Duration::from_millis(20 + k * 9)));
            }
            (0..30).for_each(|k| interval.beat_late.record(Duration::from_micros(80 + k * 11)));
            interval.health = healthy(120 + (tide * 380.0) as u64);
            interval
        })
        .collect()
}

/// Half of the requests open a connection, and agree on TLS.
pub fn tls() -> Vec<Interval> {
    (0..90)
        .map(|at| {
            let slower = 1.0 + f64::from((at / 15) % 2) * 0.3;
            let of = Stretch {
                from_s: at,
                seconds: 1,
                users: 25,
                requests: 90,
                slower,
                failing: 0.0,
                tls: true,
            };
            stretch(&of)
        })
        .collect()
}

/// Two answers every third second: before and after it there are none.
pub fn rare() -> Vec<Interval> {
    let mut dice = Dice(88_172_645_463_325_252);
    (0..120)
        .map(|at| {
            let mut interval = Interval::second(at);
            interval.user_seconds = 1;
            if at % 3 == 1 {
                let stats = interval.names.entry(3).or_default();
                for slower in [1.0, 5.0] {
                    one(stats, &PAGES[3], slower, 0.0, true, at, &mut dice);
                }
                interval.issued = stats.requests();
            }
            interval
        })
        .collect()
}
