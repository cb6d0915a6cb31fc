//! Owns the tests of the client against every fault many times: alone, many at once, and all at random.

use std::time::Duration;

use futures_util::future::join_all;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::scripted::Act::{Flood, Read, Reset, Write};
use super::scripted::Server;
use super::tests::{GET, LONG, Row, SHORT, User, at, locally, plain, rows};
use super::tls_tests::{Trusted, acceptor, client, no_handshakes, untrusted};
use super::{Connections, Http, Settings, Target, Tls};
use crate::metrics::Fault;
use crate::protocol::{Answer, Exchange, Limits, Outgoing, Protocol, Use};

/// How often each row, and how many at once.
const TIMES: usize = 50;

/// Later than its limit by more than this, an exchange hangs. It is far more than a quarter of a second,
/// which a busy machine may take by itself: what it took is printed.
const HANGS: Duration = Duration::from_secs(20);

/// The rows that cost little: 64 MiB many times over would be all that is tested.
fn light() -> impl Iterator<Item = Row> {
    rows().into_iter().filter(|row| !row.acts.iter().any(|act| matches!(act, Flood(_))))
}

/// How much later than the limit that it met an exchange ended.
fn late(exchange: &Exchange, limits: &Limits, started: Instant) -> Duration {
    let (from, limit) = match exchange.status {
        Err(Fault::TtfbTimeout) => (started, limits.first_byte),
        Err(Fault::TotalTimeout) => (started, limits.total),
        // The body stops right behind the head.
        Err(Fault::IdleTimeout) => (exchange.first_byte.unwrap_or(started), limits.idle),
        _ => return Duration::ZERO,
    };
    exchange.ended.saturating_duration_since(from).saturating_sub(limit)
}

/// So many users at once meet a row, each for the first time; then each asks again, and all is well.
async fn round(row: &Row, tls: Option<&Tls>, server: &Server, users: usize) -> Duration {
    let Row { number, request, limits, .. } = row;
    let user = |_| User::within(tls.cloned(), &[server.address]);
    let mut users: Vec<_> = (0..users).map(user).collect();
    server.calm(false);
    let first = users.iter_mut().map(|user| async {
        user.limits = *limits;
        let started = Instant::now();
        let exchange = user.send(request).await;
        assert_eq!(exchange.status, row.status, "row {number}");
        late(&exchange, limits, started)
    });
    let late = join_all(first).await.into_iter().max().unwrap_or_default();
    server.calm(true);
    let second = users.iter_mut().map(|user| async {
        user.limits = LONG;
        let next = user.send(request).await;
        assert_eq!(next.status, Ok(200), "after row {number}");
        assert_eq!(next.connect.is_none(), row.reused, "row {number}: the connection is kept");
    });
    join_all(second).await;
    late
}

#[tokio::test]
async fn every_fault_has_its_name_each_time_and_at_fifty_at_once() {
    locally(async {
        let all = light().map(|row| async move {
            let server = Server::start_always(row.acts.clone(), row.request.len()).await;
            let mut latest = Duration::ZERO;
            for _ in 0..TIMES {
                latest = latest.max(round(&row, None, &server, 1).await);
            }
            latest.max(round(&row, None, &server, TIMES).await)
        });
        let latest = join_all(all).await.into_iter().max().unwrap_or_default();
        println!("at most {latest:?} later than a limit");
        assert!(latest < HANGS, "{latest:?}");
    })
    .await;
}

/// The handshake would have to be done in a short time as well; and who resets takes back what the system
/// has not sent yet, which on a busy machine may be all of it.
fn is_certain_within_tls(row: &Row) -> bool {
    let wrote = row.acts.iter().any(|act| matches!(act, Write(_)));
    row.limits.total != SHORT && !(wrote && row.acts.iter().any(|act| matches!(act, Reset)))
}

// T1: what comes after the handshake.
#[tokio::test]
async fn within_tls_it_has_the_same_name_each_time_and_at_fifty_at_once() {
    let trusted = Trusted::new();
    locally(async {
        let all = light().filter(is_certain_within_tls).map(|row| {
            let (tls, client) = (acceptor(&trusted.identity, Default::default()), trusted.client());
            async move {
                let (acts, length) = (row.acts.clone(), row.request.len());
                let server = Server::start_always_within(Some(tls), acts, length).await;
                for _ in 0..TIMES {
                    round(&row, Some(&client), &server, 1).await;
                }
                round(&row, Some(&client), &server, TIMES).await
            }
        });
        let latest = join_all(all).await.into_iter().max().unwrap_or_default();
        assert!(latest < HANGS, "{latest:?}");
    })
    .await;
}

/// So many users at once fail to agree on TLS; whoever comes after them meets a good server.
async fn refused(server: &Server, tls: &Tls, limits: Limits, fault: Fault, users: usize) {
    let all = (0..users).map(|_| async {
        let mut user = User::within(Some(tls.clone()), &[server.address]);
        user.limits = limits;
        let exchange = user.send(GET).await;
        assert_eq!((exchange.status, exchange.sent), (Err(fault), None));
    });
    join_all(all).await;
}

// T2 to T6, T8 to T11.
#[tokio::test]
async fn handshakes_that_fail_have_their_name_each_time_and_at_fifty_at_once() {
    let (trusted, servers) = untrusted();
    let client = client("localhost", &trusted);
    locally(async {
        let certificates = servers.iter().map(|(_, identity, fault)| async {
            let tls = Some(acceptor(identity, Default::default()));
            let server = Server::start_within(tls, vec![], GET.len()).await;
            for users in [1; TIMES].into_iter().chain([TIMES]) {
                refused(&server, &client, LONG, *fault, users).await;
            }
            assert_eq!(server.accepted(), 2 * TIMES);
        });
        let others = no_handshakes().into_iter().map(|(acts, limits, fault)| {
            let client = &client;
            async move {
                let script = [Read(5)].into_iter().chain(acts).collect();
                let server = Server::start_always(script, GET.len()).await;
                for users in [1; TIMES].into_iter().chain([TIMES]) {
                    refused(&server, client, limits, fault, users).await;
                }
                server.calm(true);
                let mut plain = User::of(&[server.address]);
                assert_eq!(plain.send(GET).await.status, Ok(200), "after {fault:?}");
            }
        });
        join_all(certificates).await;
        join_all(others).await;
    })
    .await;
}

/// What came of the attempts on one row, as the client counts them.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// On a connection of its own.
    fresh: usize,
    /// On one that was kept.
    kept: usize,
    /// As the row, or the connection, says.
    right: usize,
}

/// All rows at random, over connections that are kept or new, by 64 users at once.
async fn mixed(attempts: usize, seed: u64) {
    const USERS: usize = 64;
    let rows: Vec<Row> = light().collect();
    let mut servers = Vec::new();
    for row in &rows {
        servers.push(Server::start_always(row.acts.clone(), row.request.len()).await);
    }
    let target = |server: &Server| Target {
        authority: "test".to_owned(),
        place: at(&[server.address]),
        tls: None,
        way: 0,
    };
    let http = Http::new(servers.iter().map(target).collect(), Settings::default());
    let users = (0..USERS).map(|user| {
        let (http, rows) = (&http, &rows);
        async move {
            let mut random = SmallRng::seed_from_u64(seed * 1000 + user as u64);
            let mut counts = vec![Counts::default(); rows.len()];
            let mut connections = Connections::default();
            for _ in 0..attempts.div_ceil(USERS) {
                let number = random.random_range(0..rows.len());
                let row = &rows[number];
                let connection = if random.random::<bool>() { Use::New } else { Use::Own };
                let limits = &row.limits;
                let request = Outgoing { limits, connection, ..plain(number, row.request) };
                let mut answer = Answer::default();
                let exchange = http.exchange(&mut connections, request, &mut answer).await;
                let counts = &mut counts[number];
                // One that was reset before it was used counts as none.
                let fresh = exchange.connect.is_some() || exchange.sent.is_none();
                let want = if fresh { row.status } else { Ok(200) };
                counts.fresh += usize::from(fresh);
                counts.kept += usize::from(!fresh);
                counts.right += usize::from(exchange.status == want);
            }
            counts
        }
    });
    let all = join_all(users).await;
    let mut total = 0;
    for (number, (row, server)) in rows.iter().zip(&servers).enumerate() {
        let mine = all.iter().map(|counts| counts[number]);
        let sum = |of: fn(&Counts) -> usize| mine.clone().map(|counts| of(&counts)).sum::<usize>();
        let (fresh, kept, right) = (sum(|it| it.fresh), sum(|it| it.kept), sum(|it| it.right));
        let what = format!("row {}, at place {number}", row.number);
        assert_eq!(right, fresh + kept, "{what}: each in its class");
        assert_eq!(
            (server.accepted(), server.plain()),
            (fresh, kept),
            "{what}: as the server counts"
        );
        total += right;
    }
    assert_eq!(total, attempts.div_ceil(USERS) * USERS);
    println!("{total} attempts, {} rows", rows.len());
}

#[tokio::test]
async fn all_faults_at_random_are_counted_as_the_server_counts_them() {
    locally(mixed(50_000, 1)).await;
}

/// By hand: `cargo test --release --lib mixed_tests -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "it takes minutes"]
async fn a_million_faults_at_random_are_counted_as_the_server_counts_them() {
    locally(mixed(1_000_000, 2)).await;
}
