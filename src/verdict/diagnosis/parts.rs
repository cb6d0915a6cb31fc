//! Owns the rules of where the time of slow requests goes: connecting, TLS, waiting for the answer,
//! reading it.

use super::finding::{Chart, Finding, Rule};
use super::run::{APART, Run, Series};
use super::words::{bytes, counted, ms, share};
use crate::verdict::capacity::{Level, REQUESTS, Spent};

/// A part is where the time goes when it takes more than so large a share of the response time.
const MOST: f64 = 0.5;

/// Answers are large from so many bytes on, in the mean.
const LARGE: f64 = 20_000.0;

/// Bytes a second are flat when they grow by less than so large a share of what the load does.
const FLAT: f64 = 0.25;

/// Connections are opened unevenly when they take so many times as long in the mean as in the median.
const UNEVEN: f64 = 3.0;

/// A connection that finds no room in the backlog is asked for again after so many milliseconds, then after
/// twice as many (RFC 6298, 2.1).
const AGAIN_MS: f64 = 1000.0;

/// Where the time goes, when there is much of it: the response is slow, or it `grew` with load, slow or not.
pub(super) fn slow(run: &Run, grew: bool) -> Option<Finding> {
    let all = &run.all;
    if all.requests < REQUESTS || !(run.is_slow_in_all() || grew) {
        return None;
    }
    // Under the highest load the limit shows best.
    let is_known = |level: &&Level| level.requests >= REQUESTS && level.spent.response > 0.0;
    let top = run.levels().last().filter(is_known);
    let (spent, requests) =
        top.map_or((all.spent, all.requests), |level| (level.spent, level.requests));
    let Spent { waited, connect, tls, first_byte, service, response } = spent;
    // What waits for a free user has not begun yet: where the rest goes is why there is none.
    let response = response - waited;
    let parts = [
        (Rule::SlowConnect, (connect - tls).max(0.0)),
        (Rule::SlowTls, tls),
        (Rule::SlowFirstByte, first_byte),
        (Rule::SlowBody, (service - first_byte).max(0.0)),
    ];
    let (rule, most) = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    if response <= 0.0 || most < MOST * response {
        return None;
    }
    let mean = most / requests as f64;
    let of = format!("{} of the response time", share((most / response).min(1.0)));
    let (sentence, advice) = match rule {
        Rule::SlowConnect => (
            format!(
                "Opening connections takes {} a request in the mean, {of}: {} were opened for {}, {}",
                ms(mean),
                counted(all.opened, "connection"),
                counted(all.requests, "request"),
                opening(all),
            ),
            "see that connections are kept open and used again, by the plan and by the target; then at \
             the target's backlog of new connections, at the look-up of its name, and at the network \
             between",
        ),
        Rule::SlowTls => (
            format!(
                "Agreeing on TLS takes {} a request in the mean, {of}: it was done {} for {}, in {} each \
                 (median)",
                ms(mean),
                counted(all.agreed, "time"),
                counted(all.requests, "request"),
                ms(all.tls_ms),
            ),
            "see that connections are kept open and used again, then at the processors of what ends TLS, \
             its kind of key, and whether sessions are resumed",
        ),
        Rule::SlowBody => (
            body(run, mean, &of),
            "look at the bandwidth between here and the target, and at the size of the answers: \
             compress them, or ask for less at a time",
        ),
        _ => (
            format!(
                "The target takes {} in the mean until the first byte of its answer, {of}",
                ms(mean)
            ),
            "the time goes into the target's own work and its queues: look at its processors, its \
             database, locks, and what it waits for itself",
        ),
    };
    let finding = Finding::new(rule, sentence, advice, Chart::Timings)
        .figures(&[("part_ms_mean", mean), ("part_share", (most / response).min(1.0))]);
    Some(match top {
        Some(level) => finding.seconds(level.from_s, level.to_s),
        None => finding,
    })
}

/// How long connections took to be opened.
fn opening(all: &Series) -> String {
    let (median, long) = (all.connect_ms, all.connect_p99_ms);
    let mean = (all.spent.connect - all.spent.tls) / all.opened.max(1) as f64;
    if mean <= UNEVEN * median {
        return format!("in {} each (median)", ms(median));
    }
    let why = if long >= AGAIN_MS {
        ": a full backlog of new connections makes clients ask again after 1s"
    } else {
        ""
    };
    format!("half of them in {}, some in {}{why}", ms(median), ms(long))
}

/// The answers are large, or are sent slowly; and the bytes may not grow with the load.
fn body(run: &Run, mean: f64, of: &str) -> String {
    let size = run.all.body_bytes as f64 / run.all.requests as f64;
    let have = if size >= LARGE { ": answers have" } else { ", though answers have only" };
    let mut sentence = format!(
        "Reading the body of an answer takes {} in the mean, {of}{have} {} in the mean",
        ms(mean),
        bytes(size)
    );
    let per_s = |level: &Level| level.body_bytes as f64 / level.seconds;
    let levels = run.levels().iter().filter(|level| level.requests >= REQUESTS);
    if let Some((top, below)) = levels.collect::<Vec<_>>().split_last()
        && let Some(low) = below.iter().rev().find(|level| level.load * APART <= top.load)
        && per_s(low) > 0.0
    {
        let grown = (per_s(top) / per_s(low)).ln() / (top.load / low.load).ln();
        if grown < FLAT {
            sentence += &format!(
                ", and they came at {}/s whether {} or {} asked for them",
                bytes(per_s(top)),
                run.load.bare(low.load),
                run.load.of(top.load),
            );
        }
    } else {
        let seconds: f64 = run.moments.iter().map(|moment| moment.seconds).sum();
        if seconds > 0.0 {
            sentence +=
                &format!(", and came at {}/s in all", bytes(run.all.body_bytes as f64 / seconds));
        }
    }
    sentence
}
