//! Owns the tests of what an exchange does beyond one answer: redirects, cookies, other
//! connections, hosts that the plan did not name.

use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::scripted::Act::{self, Await, Fin, Pause, Read, ReadHead, Silence, Write};
use super::scripted::Server;
use super::tests::{GET, LONG, SHORT, at, fifty, locally, plain, poll_once, write};
use super::{Connections, Http, Manner, Opener, Place, Settings, Target, Tls};
use crate::metrics::Fault;
use crate::protocol::{Answer, At, Exchange, Limits, Outgoing, Protocol, Use, Whereabouts};

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A redirect to there, with a body that nobody sees.
fn moved(status: u16, location: &str) -> Act {
    write(&format!(
        "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\ngone"
    ))
}

/// A script that reads each request before it answers.
fn answers(acts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    acts.into_iter().flat_map(|act| [ReadHead, act]).collect()
}

fn target(authority: &str, address: SocketAddr) -> Target {
    Target { authority: authority.to_owned(), place: at(&[address]), tls: None, way: 0 }
}

/// A client of `test`, which is at the server.
fn client(server: &Server, settings: Settings) -> Http {
    Http::new(vec![target("test", server.address)], settings)
}

/// Every host that the plan did not name is at this address.
fn all_at(address: SocketAddr) -> Opener {
    Arc::new(move |origin, _| Ok(target(&origin.authority(), address)))
}

/// A request that follows up to five redirects.
fn follows(bytes: &[u8]) -> Outgoing<'_> {
    Outgoing { redirects: 5, keep_head: true, keep_body: true, ..plain(0, bytes) }
}

async fn send(
    http: &Http,
    user: &mut Connections,
    request: Outgoing<'_>,
) -> (Exchange, String, String) {
    let mut answer = Answer::default();
    let exchange = http.exchange(user, request, &mut answer).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (exchange, text(answer.head), text(answer.body))
}

/// The requests that a server read, as text.
fn seen(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

/// The same, but the first lines only.
fn lines(server: &Server) -> Vec<String> {
    seen(server).iter().map(|text| text.lines().next().unwrap().to_owned()).collect()
}

// Row 63, and what is told of it.
#[tokio::test]
async fn redirects_are_followed_within_one_exchange() {
    fifty(|| async {
        let last = "HTTP/1.1 404 Gone\r\nX: last\r\nContent-Length: 5\r\n\r\nhello";
        let script = answers([moved(307, "/b"), moved(303, "c?d#e"), write(last)]);
        let server = Server::start(vec![script], GET.len()).await;
        let http = client(&server, Settings::default());
        let mut user = Connections::default();
        let post = b"POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";
        let (exchange, head, body) = send(&http, &mut user, follows(post)).await;
        assert_eq!((exchange.status, exchange.hops, exchange.body_bytes), (Ok(404), 2, 5));
        assert_eq!((&*head, &*body), ("X: last\r\nContent-Length: 5\r\n", "hello"));
        assert!(exchange.connect.is_some() && exchange.sent < exchange.first_byte);
        assert_eq!(lines(&server), ["POST /a HTTP/1.1", "POST /b HTTP/1.1", "GET /c?d HTTP/1.1"]);
        assert_eq!((server.accepted(), user.kept.len()), (1, 1));
    })
    .await;
}

// Rows 61 and 62.
#[tokio::test]
async fn a_redirect_that_is_not_followed_is_the_answer_or_a_fault() {
    fifty(|| async {
        let nowhere = || write("HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\nhello");
        let not_moved = || write("HTTP/1.1 300 Many\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
        let cut = || write("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhel");
        for (acts, redirects, status, hops) in [
            (vec![moved(302, "/b")], 0, Ok(302), 0),
            (vec![nowhere()], 5, Ok(302), 0),
            (vec![not_moved()], 5, Ok(300), 0),
            (vec![moved(301, "/b"), nowhere()], 5, Ok(302), 1),
            (vec![moved(302, "/a"), moved(302, "/a")], 1, Err(Fault::RedirectTooMany), 1),
            (vec![moved(302, "/b"), write(HELLO)], 1, Ok(200), 1),
            (vec![moved(302, "http://")], 5, Err(Fault::RedirectLocation), 0),
            (vec![moved(302, "ftp://test/")], 5, Err(Fault::RedirectLocation), 0),
            (vec![moved(302, "http://other.test/")], 5, Err(Fault::RedirectHost), 0),
            (vec![moved(302, "http://169.254.169.254/")], 5, Err(Fault::RedirectHost), 0),
            (vec![cut(), Fin], 5, Err(Fault::BodyTruncated), 0),
        ] {
            let what = format!("{acts:?}");
            let script = match acts.last() {
                Some(Fin) => vec![ReadHead, cut(), Fin],
                _ => answers(acts),
            };
            let server = Server::start(vec![script], GET.len()).await;
            let (http, mut user) = (client(&server, Settings::default()), Connections::default());
            let request = Outgoing { redirects, keep_head: false, ..follows(GET) };
            let (exchange, head, _) = send(&http, &mut user, request).await;
            assert_eq!((exchange.status, exchange.hops), (status, hops), "{what}");
            assert_eq!(head, "", "{what}");
        }
    })
    .await;
}

// Row 64.
#[tokio::test]
async fn a_redirect_leaves_the_hosts_of_the_plan_only_when_it_may() {
    fifty(|| async {
        let other = Server::start(vec![answers([write(HELLO)]); 2], GET.len()).await;
        let get =
            "GET / HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer t\r\nX: y\r\nRange: z\r\n\r\n";
        let there = "http://other.test:81/x";
        for (any_host, named, status) in [
            (true, false, Ok(200)),
            (false, true, Ok(200)),
            (false, false, Err(Fault::RedirectHost)),
        ] {
            let server = Server::start(vec![answers([moved(302, there)])], GET.len()).await;
            let settings =
                Settings { any_host, open: all_at(other.address), ..Settings::default() };
            let mut targets = vec![target("test", server.address)];
            targets.extend(named.then(|| target("other.test", other.address)));
            let (http, mut user) = (Http::new(targets, settings), Connections::default());
            let (exchange, ..) = send(&http, &mut user, follows(get.as_bytes())).await;
            assert_eq!(exchange.status, status, "any: {any_host}, named: {named}");
        }
        let followed = "GET /x HTTP/1.1\r\nHost: other.test:81\r\nRange: z\r\n\r\n";
        assert_eq!(seen(&other), [followed, followed]);
    })
    .await;
}

#[tokio::test]
async fn load_never_goes_to_where_clouds_hand_out_credentials() {
    locally(async {
        for place in ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.0.1]"] {
            let script = answers([moved(302, &format!("http://{place}/latest"))]);
            let server = Server::start(vec![script], GET.len()).await;
            let settings = Settings { any_host: true, ..Settings::default() };
            let (http, mut user) = (client(&server, settings), Connections::default());
            let (exchange, ..) = send(&http, &mut user, follows(GET)).await;
            assert_eq!((exchange.status, exchange.hops), (Err(Fault::ConnectForbidden), 1));

            let number = http.target(0, &format!("http://{place}")).unwrap();
            let (exchange, ..) = send(&http, &mut user, plain(number, GET)).await;
            assert_eq!((exchange.status, exchange.sent), (Err(Fault::ConnectForbidden), None));
        }
    })
    .await;
}

#[tokio::test]
async fn the_total_limit_is_for_all_hops_together() {
    locally(async {
        // Each hop alone would be in time.
        let wait = || Pause(SHORT * 3);
        let script = vec![ReadHead, wait(), moved(302, "/b"), ReadHead, wait(), write(HELLO)];
        let server = Server::start(vec![script], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        let limits = Limits { total: SHORT * 5, ..LONG };
        let (exchange, ..) =
            send(&http, &mut user, Outgoing { limits: &limits, ..follows(GET) }).await;
        assert_eq!(exchange.status, Err(Fault::TotalTimeout));
        assert!(user.kept.is_empty());
    })
    .await;
}

#[tokio::test]
async fn cookies_are_sent_back_to_whom_they_came_from() {
    locally(async {
        let set = |status: &str, lines: &str| {
            write(&format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 0\r\n\r\n"))
        };
        let script = answers([
            set("302 Found", "Set-Cookie: a=1\r\nLocation: /in\r\nset-cookie: b=2; Path=/in\r\n"),
            set("200 OK", "Set-Cookie: c=3; HttpOnly\r\n"),
            set("500 Broken", "Set-Cookie: a=; Max-Age=0\r\n"),
            set("200 OK", ""),
        ]);
        let server = Server::start(vec![script], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        let (exchange, head, _) =
            send(&http, &mut user, Outgoing { keep_head: false, ..follows(GET) }).await;
        assert_eq!((exchange.status, exchange.hops, &*head), (Ok(200), 1, ""));
        let cookie = |user: &Connections, path, name| http.cookie(user, 0, path, name);
        assert_eq!(cookie(&user, "/in?x", "b").as_deref(), Some("2"));
        assert_eq!(cookie(&user, "/", "b"), None);

        let own = b"GET /in HTTP/1.1\r\nHost: test\r\nCookie: own=0; c=9\r\n\r\n";
        assert_eq!(send(&http, &mut user, plain(0, own)).await.0.status, Ok(500));
        assert_eq!(send(&http, &mut user, plain(0, GET)).await.0.status, Ok(200));
        let lines = |cookies| format!("Host: test\r\nCookie: {cookies}\r\n\r\n");
        assert_eq!(
            seen(&server),
            [
                String::from_utf8(GET.to_vec()).unwrap(),
                format!("GET /in HTTP/1.1\r\n{}", lines("b=2; a=1")),
                format!("GET /in HTTP/1.1\r\n{}", lines("own=0; c=9; b=2; a=1")),
                format!("GET / HTTP/1.1\r\n{}", lines("c=3")),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_jar_is_a_users_own_and_made_by_the_first_cookie() {
    locally(async {
        let set = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
        let script = || answers([write(HELLO), write(set), write(HELLO)]);
        let server = Server::start(vec![script(), script()], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        send(&http, &mut user, plain(0, GET)).await;
        assert!(user.own.is_none());
        send(&http, &mut user, plain(0, GET)).await;
        assert_eq!(http.cookie(&user, 0, "/", "a").as_deref(), Some("1"));

        let mut other = Connections::default();
        send(&http, &mut other, plain(0, GET)).await;
        assert_eq!((http.cookie(&other, 0, "/", "a"), other.own.is_none()), (None, true));
    })
    .await;
}

// Row 59.
#[tokio::test]
async fn a_body_is_unpacked_when_it_is_kept_and_counted_as_it_came() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&b"hello ".repeat(100)).unwrap();
    let packed = encoder.finish().unwrap();
    let answer = |body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}");
        Write([head.as_bytes(), b"\r\n\r\n", body].concat())
    };
    let bytes = packed.len() as u64;
    let cut = &packed[..packed.len() - 9];
    let head = write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n");
    fifty(|| async {
        let script =
            answers([answer(&packed), answer(&packed), answer(cut), answer(cut), head.clone()]);
        let server = Server::start(vec![script], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        let kept = Outgoing { keep_body: true, ..plain(0, GET) };
        let (exchange, head, body) = send(&http, &mut user, kept).await;
        assert_eq!((exchange.status, exchange.body_bytes), (Ok(200), bytes));
        assert_eq!((body, &*head), ("hello ".repeat(100), ""));
        let (exchange, _, body) = send(&http, &mut user, plain(0, GET)).await;
        assert_eq!((exchange.status, exchange.body_bytes, &*body), (Ok(200), bytes, ""));

        let (exchange, _, body) = send(&http, &mut user, kept).await;
        assert_eq!((exchange.status, &*body), (Err(Fault::DecodeTruncated), ""));
        // Nobody looks into a body that is not kept, and the connection was in order.
        assert_eq!(send(&http, &mut user, plain(0, GET)).await.0.status, Ok(200));
        let head_only = Outgoing { head_only: true, ..kept };
        assert_eq!(send(&http, &mut user, head_only).await.0.status, Ok(200));
        assert_eq!(server.accepted(), 1);
    })
    .await;
}

// Row 47.
#[tokio::test]
async fn a_head_is_kept_as_its_lines() {
    locally(async {
        let text = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX:y\n z\r\n\
                    Set-Cookie: a=1 \r\nEmpty:\r\nContent-Length: 0\r\n\r\n";
        for split in 1..text.len() {
            let script = vec![ReadHead, write(&text[..split]), Await, write(&text[split..])];
            let server = Server::start(vec![script], GET.len()).await;
            let (http, mut user) = (client(&server, Settings::default()), Connections::default());
            server.go_on();
            let request = Outgoing { keep_head: true, ..plain(0, GET) };
            let (exchange, head, _) = send(&http, &mut user, request).await;
            assert_eq!(exchange.status, Ok(200));
            assert_eq!(head, "X: y  z\r\nSet-Cookie: a=1\r\nEmpty: \r\nContent-Length: 0\r\n");
        }
    })
    .await;
}

#[tokio::test]
async fn of_a_failed_answer_the_beginning_is_kept_when_that_is_asked_for() {
    let long = "x".repeat(3000);
    let chunks = format!("bb8\r\n{long}\r\nbb8\r\n{long}\r\n0\r\n\r\n");
    let texts = [
        "HTTP/1.1 404 No\r\nX: y\r\nContent-Length: 5\r\n\r\nshort".to_owned(),
        format!("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        "HTTP/1.1 200 OK\r\nX: y\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\n\r\nplain".to_owned(),
        "HTTP/1.1 503 No\r\nSet-Cookie: b=1\r\nContent-Length: 5\r\n\r\nagain".to_owned(),
        format!("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain".to_owned(),
    ];
    locally(async {
        let script = answers(texts.iter().map(|text| write(text)));
        let server = Server::start(vec![script], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        let failed = Outgoing { keep_failed: true, ..plain(0, GET) };
        let (exchange, head, body) = send(&http, &mut user, failed).await;
        assert_eq!((exchange.status, &*body), (Ok(404), "short"));
        assert_eq!(head, "X: y\r\nContent-Length: 5\r\n");
        let (exchange, _, body) = send(&http, &mut user, failed).await;
        assert_eq!((exchange.body_bytes, body), (6000, "x".repeat(4096)));
        let (exchange, head, body) = send(&http, &mut user, failed).await;
        assert_eq!((exchange.status, &*head, &*body), (Ok(200), "", ""));
        // A cookie does not change what is kept.
        let (_, head, body) = send(&http, &mut user, failed).await;
        assert_eq!((&*head, &*body), ("Set-Cookie: b=1\r\nContent-Length: 5\r\n", "again"));
        // Who asks for all of a body gets all of it.
        let all = Outgoing { keep_body: true, ..failed };
        assert_eq!(send(&http, &mut user, all).await.2.len(), 6000);
        assert_eq!(send(&http, &mut user, all).await.2, "plain");
    })
    .await;
}

#[tokio::test]
async fn a_request_is_told_with_the_cookies_that_it_was_sent_with_or_not_at_all() {
    let text = |cookie: &str| {
        write(&format!("HTTP/1.1 200 OK\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n"))
    };
    locally(async {
        let length = GET.len() + "Cookie: a=1\r\n".len();
        let acts = ["a=1", "a=1; Path=/", "a=2", "a=2"].map(text);
        let script = acts.into_iter().flat_map(|act| [ReadHead, act]).collect();
        let server = Server::start(vec![script], length).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        let mut told = Vec::new();
        for _ in 0..4 {
            let (exchange, ..) = send(&http, &mut user, plain(0, GET)).await;
            let sent = http.was_sent(&user, plain(0, GET), exchange.sent.unwrap());
            told.push(sent.map(|sent| String::from_utf8(sent).unwrap()));
        }
        let with =
            |cookie| Some(format!("GET / HTTP/1.1\r\nHost: test\r\nCookie: {cookie}\r\n\r\n"));
        assert_eq!(told, [None, with("a=1"), None, with("a=2")]);
        assert_eq!(http.replaced_cookies(&user), ["a=1"]);
    })
    .await;
}

#[test]
fn where_a_target_is_can_be_told() {
    let target = |authority: &str, place, https: bool| {
        let tls = https.then(|| Tls::new("a.test", Manner::trusting(None)).unwrap());
        Target { authority: authority.to_owned(), place, tls, way: 3 }
    };
    let addresses = |text: &str| Place::At([text.parse().unwrap()].into());
    let targets = vec![
        target("a.test", Place::Named, true),
        target("a.test:81", addresses("127.0.0.1:81"), false),
        target("127.0.0.1:81", addresses("127.0.0.1:81"), false),
        target("[::1]", addresses("[::1]:81"), false),
        target("a.test", Place::Socket(std::path::Path::new("/run/a.sock").into()), false),
    ];
    let http = Http::new(targets, Settings::default());
    let told = (0..5).map(|number| {
        let Whereabouts { origin, at, way } = http.whereabouts(number);
        assert_eq!(way, 3);
        (origin, at)
    });
    let address = |text: &str| Some(At::Address(text.parse().unwrap()));
    let want = [
        ("https://a.test", None),
        ("http://a.test:81", address("127.0.0.1:81")),
        ("http://127.0.0.1:81", None),
        ("http://[::1]", address("[::1]:81")),
        ("http://a.test", Some(At::Socket("/run/a.sock".into()))),
    ];
    assert_eq!(told.collect::<Vec<_>>(), want.map(|(origin, at)| (origin.to_owned(), at)));
}

#[tokio::test]
async fn a_new_connection_is_for_one_request() {
    locally(async {
        let server = Server::start(vec![], GET.len()).await;
        let (http, mut user) = (client(&server, Settings::default()), Connections::default());
        for nth in 1..=3 {
            let once = Outgoing { connection: Use::New, ..plain(0, GET) };
            let (exchange, ..) = send(&http, &mut user, once).await;
            assert_eq!((exchange.status, exchange.connect.is_some()), (Ok(200), true));
            assert_eq!((server.accepted(), user.kept.len()), (nth, 0));
        }
    })
    .await;
}

fn shared(target: usize) -> Outgoing<'static> {
    Outgoing { connection: Use::Shared, ..plain(target, GET) }
}

#[tokio::test]
async fn shared_connections_are_bounded_and_given_in_the_order_of_asking() {
    locally(async {
        let script = vec![Read(GET.len()), Await, write(HELLO)];
        let server = Server::start(vec![script], GET.len()).await;
        let http = client(&server, Settings { pool: 1, ..Settings::default() });
        let [mut first, mut second, mut third] =
            [(); 3].map(|()| (Connections::default(), Answer::default()));
        let mut first = pin!(http.exchange(&mut first.0, shared(0), &mut first.1));
        server.awaits(first.as_mut()).await;
        let mut second = pin!(http.exchange(&mut second.0, shared(0), &mut second.1));
        let mut third = pin!(http.exchange(&mut third.0, shared(0), &mut third.1));
        for _ in 0..10 {
            assert!(poll_once(second.as_mut()).await.is_none());
            assert!(poll_once(third.as_mut()).await.is_none());
        }
        server.go_on();
        assert_eq!(first.await.status, Ok(200));
        // It is the second's turn, whoever looks first.
        for _ in 0..10 {
            assert!(poll_once(third.as_mut()).await.is_none());
        }
        let second = second.await;
        assert_eq!((second.status, second.connect), (Ok(200), None));
        assert_eq!(third.await.status, Ok(200));
        assert_eq!((server.accepted(), server.requests().len()), (1, 3));
    })
    .await;
}

#[tokio::test]
async fn waiting_for_a_shared_connection_has_a_limit() {
    locally(async {
        let server = Server::start(vec![vec![Read(GET.len()), Await, Silence]], GET.len()).await;
        let http = client(&server, Settings { pool: 1, ..Settings::default() });
        let (mut first, mut second) = (Connections::default(), Connections::default());
        let mut answer = Answer::default();
        {
            let mut holds = pin!(http.exchange(&mut first, shared(0), &mut answer));
            server.awaits(holds.as_mut()).await;
            let limits = Limits { total: SHORT, ..LONG };
            let hurried = Outgoing { limits: &limits, ..shared(0) };
            let (exchange, ..) = send(&http, &mut second, hurried).await;
            assert_eq!((exchange.status, exchange.sent), (Err(Fault::PoolTimeout), None));
        }
        // The exchange that was cut gave back its place, not its connection.
        let (exchange, ..) = send(&http, &mut second, shared(0)).await;
        assert_eq!((exchange.status, exchange.connect.is_some()), (Ok(200), true));
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_shared_connection_to_one_target_makes_room_for_another() {
    locally(async {
        let servers =
            [Server::start(vec![], GET.len()).await, Server::start(vec![], GET.len()).await];
        let targets = servers.iter().map(|server| target("test", server.address)).collect();
        let http = Http::new(targets, Settings { pool: 2, ..Settings::default() });
        let mut user = Connections::default();
        // Two are free, one to each; a third cannot be, and none is needed.
        for to in [0, 1, 0, 1] {
            assert_eq!(send(&http, &mut user, shared(to)).await.0.status, Ok(200));
        }
        assert_eq!([servers[0].accepted(), servers[1].accepted()], [1, 1]);

        let http = Http::new(
            servers.iter().map(|server| target("test", server.address)).collect(),
            Settings { pool: 1, ..Settings::default() },
        );
        for to in [0, 1, 0] {
            assert_eq!(send(&http, &mut user, shared(to)).await.0.status, Ok(200));
        }
        assert_eq!([servers[0].accepted(), servers[1].accepted()], [3, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_shared_connection_that_ended_is_replaced_and_carries_nobodys_cookies() {
    locally(async {
        let set = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
        let script = [&answers([write(set), write(HELLO)])[..], &[Fin]].concat();
        let server = Server::start(vec![script], GET.len()).await;
        let http = client(&server, Settings { pool: 1, ..Settings::default() });
        let (mut first, mut second) = (Connections::default(), Connections::default());
        assert_eq!(send(&http, &mut first, shared(0)).await.0.status, Ok(200));
        assert_eq!(send(&http, &mut second, shared(0)).await.0.status, Ok(200));
        assert!(first.own.is_some() && second.own.is_none());
        // Whether its end is seen in time or not, the next but one finds a new connection.
        let (_, (exchange, ..)) =
            (send(&http, &mut second, shared(0)).await, send(&http, &mut second, shared(0)).await);
        assert_eq!((exchange.status, server.accepted()), (Ok(200), 2));
        assert_eq!(seen(&server)[1].as_bytes(), GET);
    })
    .await;
}

#[tokio::test]
async fn a_host_that_the_plan_did_not_name_is_a_target_once_it_is_met() {
    locally(async {
        let server = Server::start(vec![], GET.len()).await;
        let http = client(&server, Settings::default());
        let port = server.address.port();
        let number = http.target(0, &format!("http://localhost:{port}")).unwrap();
        assert_eq!(number, 1);
        // Looked up: the system knows this name.
        let mut user = Connections::default();
        assert_eq!(send(&http, &mut user, plain(number, GET)).await.0.status, Ok(200));
        assert_eq!(http.target(0, &format!("http://localhost:{port}")), Ok(1));
        assert_eq!(http.target(0, "http://test"), Ok(0));
        assert_eq!(http.target(0, "http://test:80"), Ok(0));
        assert_eq!(http.target(0, "https://test"), Ok(2));
        assert_eq!(http.target(0, "ftp://test"), Err(Fault::TargetInvalid));
        // Too long to be asked for, so that no name server is needed to say no.
        let long = http.target(0, &format!("http://{}", "x".repeat(300))).unwrap();
        for _ in 0..2 {
            let (exchange, ..) = send(&http, &mut user, plain(long, GET)).await;
            assert_eq!((exchange.status, exchange.sent), (Err(Fault::DnsFailed), None));
        }
        // Those that the plan does not name are none to be probed.
        assert_eq!(http.probe(&LONG).await, Ok(()));
    })
    .await;
}

#[test]
fn a_worker_knows_a_bounded_number_of_hosts() {
    let http = Http::new(Vec::new(), Settings::default());
    let all: Vec<_> =
        (0..1_001).map(|nth| http.target(0, &format!("http://h{nth}.test"))).collect();
    assert_eq!(all[..1_000], (0..1_000).map(Ok).collect::<Vec<_>>());
    assert_eq!(all[1_000], Err(Fault::LimitTargets));
    assert_eq!(http.target(0, "http://h7.test"), Ok(7));
}

const ASKS: &[u8] =
    b"PUT / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody";

// Row 53.
#[tokio::test]
async fn a_body_waits_until_it_is_asked_for() {
    let (head, body) = (Read(ASKS.len() - 4), Read(4));
    let asked = write("HTTP/1.1 100 Continue\r\n\r\n");
    let hint = write("HTTP/1.1 103 Early Hints\r\n\r\n");
    let refused = write("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    let second = Duration::from_secs(1);
    let ok = write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let cases = [
        (vec![asked, body.clone(), ok.clone()], Ok(200), Duration::ZERO, true, true),
        // It does not know what was asked of it.
        (vec![body.clone(), ok.clone()], Ok(200), second, true, true),
        (vec![hint, body, ok.clone()], Ok(200), second, true, true),
        (vec![refused], Ok(417), Duration::ZERO, false, false),
        // It has seen enough.
        (vec![ok], Ok(200), Duration::ZERO, false, false),
        (vec![Fin], Err(Fault::HeadClosed), Duration::ZERO, false, false),
    ];
    // Until it is asked, nobody waits for an answer; once it is asked, the body does not wait.
    let hurry = Duration::from_millis(900);
    let hurried = Limits { first_byte: hurry, ..LONG };
    // The server's second is one in earnest: with a clock of ours, what is on the way would be late.
    let all = cases.iter().cycle().take(50 * cases.len()).map(|case| async {
        let (acts, status, took, sent, reused) = case.clone();
        let limits = if took.is_zero() { Limits { total: hurry, ..LONG } } else { hurried };
        let script = [head.clone()].into_iter().chain(acts.clone()).collect();
        let server = Server::start(vec![script], GET.len()).await;
        let http = client(&server, Settings::default());
        let (mut user, started) = (Connections::default(), Instant::now());
        let asks = Outgoing { limits: &limits, ..plain(0, ASKS) };
        let (exchange, ..) = send(&http, &mut user, asks).await;
        assert_eq!(exchange.status, status, "{acts:?}");
        assert!(exchange.ended - started >= took, "{acts:?}");
        let parts = server.requests();
        assert_eq!(parts[0], &ASKS[..ASKS.len() - 4], "{acts:?}");
        assert_eq!(parts.get(1).map(|part| &part[..]), sent.then_some(&b"body"[..]));
        let (next, ..) = send(&http, &mut user, plain(0, GET)).await;
        assert_eq!((next.status, next.connect.is_none()), (Ok(200), reused), "{acts:?}");
    });
    locally(join_all(all)).await;
}

/// The server cannot answer what it has not got.
#[tokio::test]
async fn the_first_byte_is_waited_for_from_when_all_was_sent() {
    locally(async {
        // Far more than systems keep on the way.
        let body = vec![b'x'; 64 << 20];
        let head =
            format!("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
        let request = [head.as_bytes(), &body].concat();
        // It reads a sixteenth four times a second, and answers at once.
        let part = request.len() / 16;
        let parts = (0..16).flat_map(|_| [Pause(Duration::from_millis(250)), Read(part)]);
        let rest = [Read(request.len() - 16 * part)];
        let ok = write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let script = parts.chain(rest).chain([ok]).collect();
        let server = Server::start(vec![script], GET.len()).await;
        let http = client(&server, Settings::default());
        let limits = Limits { first_byte: Duration::from_secs(3), ..LONG };
        let started = Instant::now();
        let put = Outgoing { limits: &limits, ..plain(0, &request) };
        let (exchange, ..) = send(&http, &mut Connections::default(), put).await;
        assert_eq!(exchange.status, Ok(200));
        assert!(exchange.ended - started >= Duration::from_secs(4));
    })
    .await;
}
