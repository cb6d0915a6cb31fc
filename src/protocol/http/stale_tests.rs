//! Owns the tests of kept connections that the server closes while a request is on its way to it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::Act::{self, Fin, Read, Reset, Write};
use super::scripted::{PLAIN, Server};
use super::tests::{GET, User, at, fifty, locally, plain, write};
use super::{Connections, Http, Settings, Target};
use crate::metrics::{Fault, Notice};
use crate::protocol::{Answer, Outgoing, Protocol, Use};

const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi";

/// One request after another over a kept connection, which does this when the second has come.
async fn second(request: &[u8], acts: Vec<Act>, length: usize) -> (Server, User) {
    let first = [Read(GET.len()), Write(PLAIN.to_vec()), Read(request.len())];
    let script = first.into_iter().chain(acts).collect();
    let server = Server::start(vec![script], length).await;
    let mut user = User::of(&[server.address]);
    assert_eq!(user.send(GET).await.status, Ok(200));
    (server, user)
}

// Rows 9 and 10.
#[tokio::test]
async fn what_can_be_sent_twice_is_sent_again_over_a_new_connection() {
    fifty(|| async {
        for end in [Fin, Reset] {
            for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"] {
                let request = format!("{method} / HTTP/1.1\r\nHost: test\r\n\r\n");
                let request = request.as_bytes();
                let (server, mut user) = second(request, vec![end.clone()], request.len()).await;
                let exchange = user.send(request).await;
                assert_eq!(exchange.status, Ok(200), "{method}, {end:?}");
                assert!(exchange.noticed.has(Notice::StaleReuse), "{method}, {end:?}");
                assert!(exchange.connect.is_some(), "it was sent over another");
                assert_eq!(server.requests()[1..], [request.to_vec(), request.to_vec()]);
                assert_eq!(server.accepted(), 2);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sent_twice_never_is() {
    fifty(|| async {
        for (end, fault) in [(Fin, Fault::HeadClosed), (Reset, Fault::HeadReset)] {
            for method in ["POST", "PATCH", "LOCK"] {
                let request = String::from_utf8(POST.to_vec()).unwrap().replace("POST", method);
                let request = request.as_bytes();
                let (server, mut user) = second(request, vec![end.clone()], GET.len()).await;
                let exchange = user.send(request).await;
                assert_eq!((exchange.status, exchange.connect), (Err(fault), None), "{method}");
                assert!(exchange.noticed.is_empty(), "{method}");
                assert_eq!(server.requests().len(), 2, "{method}");
                assert_eq!(user.send(GET).await.status, Ok(200));
                assert_eq!(server.accepted(), 2);
            }
        }
    })
    .await;
}

/// The first byte of an answer shows that the server has seen the request.
#[tokio::test]
async fn an_answer_that_was_begun_is_not_asked_for_again() {
    fifty(|| async {
        let interim = "HTTP/1.1 103 Early\r\n\r\n";
        for (acts, fault) in [
            (vec![write("H"), Fin], Fault::HeadTruncated),
            (vec![write("HTTP/1.1 200 OK\r\n"), Reset], Fault::HeadReset),
            (vec![write(interim), Fin], Fault::HeadClosed),
        ] {
            let (server, mut user) = second(GET, acts, GET.len()).await;
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, server.accepted()), (Err(fault), 1));
            assert!(!exchange.noticed.has(Notice::StaleReuse));
        }
    })
    .await;
}

#[tokio::test]
async fn it_is_sent_again_once_and_shared_connections_are_no_other() {
    fifty(|| async {
        let first = vec![Read(GET.len()), Write(PLAIN.to_vec()), Read(GET.len()), Fin];
        let again = vec![Read(GET.len()), Fin];
        for connection in [Use::Own, Use::Shared] {
            let server = Server::start(vec![first.clone(), again.clone()], GET.len()).await;
            let target = Target {
                authority: "test".into(),
                place: at(&[server.address]),
                tls: None,
                way: 0,
            };
            let http = Http::new(vec![target], Settings { pool: 1, ..Settings::default() });
            let mut user = Connections::default();
            for (status, accepted) in [(Ok(200), 1), (Err(Fault::HeadClosed), 2), (Ok(200), 3)] {
                let (mut answer, request) = (Answer::default(), plain(0, GET));
                let request = Outgoing { connection, ..request };
                let exchange = http.exchange(&mut user, request, &mut answer).await;
                assert_eq!((exchange.status, server.accepted()), (status, accepted));
            }
        }
    })
    .await;
}

/// What a hasty server saw.
#[derive(Debug, Default)]
struct Hasty {
    accepted: Cell<u64>,
    answered: Cell<u64>,
    /// Requests that came when it had closed its side.
    late: Cell<u64>,
}

fn one_more(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

impl Hasty {
    async fn listen(self: Rc<Self>, listener: TcpListener, rude: bool) {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            one_more(&self.accepted);
            stream.set_nodelay(true).unwrap();
            let random = SmallRng::seed_from_u64(1_000 + number);
            tokio::task::spawn_local(self.clone().serve(stream, random, rude));
        }
    }

    /// Closes a connection that was idle for 0 to 50 ms; rudely: without waiting for the client.
    async fn serve(self: Rc<Self>, mut stream: TcpStream, mut random: SmallRng, rude: bool) {
        let mut request = [0; 256];
        let mut idle = Duration::from_secs(60);
        loop {
            match tokio::time::timeout(idle, stream.read(&mut request)).await {
                Ok(Ok(1..)) => {
                    one_more(&self.answered);
                    if stream.write_all(PLAIN).await.is_err() {
                        return;
                    }
                }
                Ok(_) => return,
                Err(_) => break,
            }
            idle = random.random_range(Duration::ZERO..Duration::from_millis(50));
        }
        if rude || stream.shutdown().await.is_err() {
            return;
        }
        if matches!(stream.read(&mut request).await, Ok(1..)) {
            one_more(&self.late);
        }
    }
}

/// What the clients saw: answers, requests sent again, failures.
async fn race(requests: u64, request: &'static [u8], rude: bool) -> (Rc<Hasty>, [u64; 3]) {
    const USERS: u64 = 400;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Rc::new(Hasty::default());
    tokio::task::spawn_local(server.clone().listen(listener, rude));
    let target = Target { authority: "test".into(), place: at(&[address]), tls: None, way: 0 };
    let http = Http::new(vec![target], Settings::default());
    let users = (0..USERS).map(|user| {
        let http = &http;
        async move {
            let (mut random, mut seen) = (SmallRng::seed_from_u64(user), [0; 3]);
            let mut connections = Connections::default();
            for _ in 0..requests / USERS {
                tokio::time::sleep(random.random_range(Duration::ZERO..Duration::from_millis(50)))
                    .await;
                let mut answer = Answer::default();
                let exchange =
                    http.exchange(&mut connections, plain(0, request), &mut answer).await;
                seen[0] += u64::from(exchange.status == Ok(200));
                seen[1] += u64::from(exchange.noticed.has(Notice::StaleReuse));
                seen[2] += u64::from(exchange.status.is_err());
            }
            seen
        }
    });
    let seen = join_all(users).await.into_iter().fold([0; 3], |mut all, user| {
        all.iter_mut().zip(user).for_each(|(sum, one)| *sum += one);
        all
    });
    // What was sent last may not be read yet.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    println!("{requests}: answered, sent again, failed {seen:?}; {server:?}");
    (server, seen)
}

async fn every_race(requests: u64) {
    locally(async {
        let (server, [answered, again, failed]) = race(requests, GET, false).await;
        assert_eq!((answered, failed), (requests, 0));
        assert_eq!((server.answered.get(), server.late.get()), (requests, again));
        // Who closes without looking resets what comes: still nothing fails.
        let (server, [answered, _, failed]) = race(requests, GET, true).await;
        assert_eq!((answered, failed, server.answered.get()), (requests, 0, requests));
        // And nothing is sent twice that may not be.
        let (server, [answered, again, failed]) = race(requests, POST, false).await;
        assert_eq!((answered + failed, again), (requests, 0));
        assert_eq!((server.answered.get(), server.late.get()), (answered, failed));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_closes_idle_connections_at_random_makes_no_request_fail() {
    every_race(8_000).await;
}

/// By hand: `cargo test --release --lib stale_tests -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "it takes a minute"]
async fn two_hundred_thousand_requests_meet_such_a_server() {
    every_race(200_000).await;
}
