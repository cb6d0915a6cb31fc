//! Owns the tests of the client against a server that breaks every rule on purpose.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::connection::Connection;
use super::scripted::Act::{self, Await, Drip, Fin, Flood, Pause, Read, Reset, Silence, Write};
use super::scripted::{PLAIN, Server};
use super::stream::Stream;
use super::{Connections, Http, Names, Place, Settings, Target, Tls, resolve};
use crate::metrics::{Fault, Notice};
use crate::protocol::{Answer, Exchange, Limits, Outgoing, Protocol, Use};

pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n";

/// Never met by a test that does not shorten one.
pub(super) const LONG: Limits = {
    let long = Duration::from_secs(600);
    Limits { connect: long, tls: long, first_byte: long, idle: long, total: long }
};
pub(super) const SHORT: Duration = Duration::from_millis(50);

/// A request of which nothing is kept, over the user's own connection.
pub(super) fn plain(target: usize, bytes: &[u8]) -> Outgoing<'_> {
    Outgoing {
        target,
        bytes,
        head_only: bytes.starts_with(b"HEAD"),
        continues: bytes.windows(12).any(|some| some == b"100-continue"),
        keep_head: false,
        keep_body: false,
        keep_failed: false,
        limits: &LONG,
        redirects: 0,
        connection: Use::Own,
    }
}

pub(super) fn at(addresses: &[SocketAddr]) -> Place {
    Place::At(addresses.into())
}

/// A user of one target, with what it keeps.
pub(super) struct User {
    pub(super) http: Http,
    pub(super) connections: Connections,
    pub(super) body: Vec<u8>,
    pub(super) limits: Limits,
}

impl User {
    pub(super) fn of(addresses: &[SocketAddr]) -> Self {
        Self::within(None, addresses)
    }

    pub(super) fn within(tls: Option<Tls>, addresses: &[SocketAddr]) -> Self {
        Self::at(tls, at(addresses))
    }

    pub(super) fn at(tls: Option<Tls>, place: Place) -> Self {
        let target = Target { authority: "test".to_owned(), place, tls, way: 0 };
        Self {
            http: Http::new(vec![target], Settings::default()),
            connections: Connections::default(),
            body: Vec::new(),
            limits: LONG,
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Exchange {
        self.body.clear();
        let request = Outgoing { keep_body: true, limits: &self.limits, ..plain(0, bytes) };
        let mut answer = Answer::default();
        let exchange = self.http.exchange(&mut self.connections, request, &mut answer).await;
        self.body = answer.body;
        exchange
    }

    /// The kept connection's socket has something: bytes, or its end.
    pub(super) async fn readable(&self) {
        self.connections.kept[0].1.stream.tcp().readable().await.unwrap();
    }
}

pub(super) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

pub(super) async fn locally<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// A test fifty times alone, and fifty at once.
pub(super) async fn fifty<F: Future<Output = ()>>(test: impl Fn() -> F) {
    locally(async {
        for _ in 0..50 {
            test().await;
        }
        join_all((0..50).map(|_| test())).await;
    })
    .await;
}

/// What one request came to, and whether the next one went over the same connection.
async fn first_and_reuse(
    script: Vec<Act>,
    request: &[u8],
    limits: Limits,
) -> (Exchange, Vec<u8>, bool) {
    let server = Server::start(vec![script], request.len()).await;
    let user = User::of(&[server.address]);
    first_and_reuse_of(&server, user, request, limits).await
}

pub(super) async fn first_and_reuse_of(
    server: &Server,
    mut user: User,
    request: &[u8],
    limits: Limits,
) -> (Exchange, Vec<u8>, bool) {
    user.limits = limits;
    let exchange = user.send(request).await;
    let body = user.body.clone();

    user.limits = LONG;
    let next = user.send(request).await;
    assert_eq!(next.status, Ok(200), "the request after it");
    let reused = server.accepted() == 1;
    assert_eq!(next.connect.is_none(), reused, "`connect` tells of a new connection");
    (exchange, body, reused)
}

pub(super) fn write(text: &str) -> Act {
    Write(text.as_bytes().to_vec())
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) number: u8,
    pub(super) request: &'static [u8],
    pub(super) limits: Limits,
    pub(super) acts: Vec<Act>,
    pub(super) status: Result<u16, Fault>,
    pub(super) reused: bool,
    /// What is odd about it.
    pub(super) odd: Option<Notice>,
}

/// A row of a server that reads the request first.
fn row(number: u8, acts: impl IntoIterator<Item = Act>, status: Result<u16, Fault>) -> Row {
    let acts = [Read(GET.len())].into_iter().chain(acts).collect();
    Row { number, request: GET, limits: LONG, acts, status, reused: false, odd: None }
}

/// A row whose server writes this and leaves the connection open.
fn answer(number: u8, text: &str, status: Result<u16, Fault>) -> Row {
    row(number, [write(text)], status)
}

/// A row whose server writes this and closes.
fn answer_fin(number: u8, text: &str, status: Result<u16, Fault>) -> Row {
    row(number, [write(text), Fin], status)
}

impl Row {
    fn reused(self) -> Self {
        Self { reused: true, ..self }
    }

    fn odd(self, odd: Notice) -> Self {
        Self { odd: Some(odd), ..self }
    }

    fn at_accept(mut self) -> Self {
        self.acts.remove(0);
        self
    }

    fn head(mut self) -> Self {
        self.request = HEAD;
        self.acts[0] = Read(HEAD.len());
        self
    }

    fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

pub(super) fn rows() -> Vec<Row> {
    use Fault::*;
    use Notice::{BareLf, BothLengths, ExtraBytes, Folded, Interim};
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const LENGTH: &str = "Content-Length: 5\r\n";
    let ok = |rest: &str| format!("{OK}{rest}");
    let length = |value: &str| format!("{OK}Content-Length: {value}\r\n\r\nhello");
    let chunked = |body: &str| format!("{OK}Transfer-Encoding: chunked\r\n\r\n{body}");
    let hello = ok(&format!("{LENGTH}\r\nhello"));

    let slow_head = Limits { first_byte: SHORT, ..LONG };
    let slow_body = Limits { idle: SHORT, ..LONG };
    let slow_all = Limits { total: SHORT, ..LONG };
    let interims = |count| "HTTP/1.1 102 Processing\r\n\r\n".repeat(count);

    vec![
        answer(1, &hello, Ok(200)).reused(),
        answer(1, &hello.replace("200 OK", "503 Busy"), Ok(503)).reused(),
        row(5, [Silence], Err(TtfbTimeout)).limits(slow_head),
        row(5, [Silence], Err(TotalTimeout)).limits(slow_all),
        row(6, [Fin], Err(HeadClosed)).at_accept(),
        row(7, [Reset], Err(HeadReset)).at_accept(),
        row(8, [Fin], Err(HeadClosed)),
        row(11, [Reset], Err(HeadReset)),
        answer_fin(12, "HTTP/1.1 20", Err(HeadTruncated)),
        answer_fin(13, &ok("Content-Le"), Err(HeadTruncated)),
        row(14, [write(&ok("Content-Le")), Reset], Err(HeadReset)),
        row(15, [write(&ok("Content-Le")), Silence], Err(TtfbTimeout)).limits(slow_head),
        row(16, [write(&ok("X: ")), Drip(b"y")], Err(TtfbTimeout)).limits(slow_head),
        answer_fin(17, &ok(&format!("{LENGTH}\r\nhel")), Err(BodyTruncated)),
        row(18, [write(&ok(&format!("{LENGTH}\r\nhel"))), Reset], Err(BodyReset)),
        row(19, [write(&ok(&format!("{LENGTH}\r\nhel"))), Silence], Err(IdleTimeout)).limits(slow_body),
        row(20, [write(&ok("\r\n")), Drip(b"y")], Err(TotalTimeout)).limits(slow_all),
        row(20, [write(&chunked("")), Drip(b"1\r\ny\r\n")], Err(TotalTimeout)).limits(slow_all),
        answer(21, &format!("{hello}{hello}"), Ok(200)).odd(ExtraBytes),
        answer(23, &length("-5"), Err(FramingLength)),
        answer(24, &length("abc"), Err(FramingLength)),
        answer(25, &length("99999999999999999999999"), Err(FramingLength)),
        answer(26, &ok(&format!("{LENGTH}{LENGTH}\r\nhello")), Ok(200)).reused(),
        answer(27, &ok(&format!("{LENGTH}Content-Length: 6\r\n\r\nhello")), Err(FramingLength)),
        answer(28, &chunked("5\r\nhello\r\n0\r\n\r\n").replace("\r\nT", &format!("\r\n{LENGTH}T")), Ok(200)).odd(BothLengths),
        answer(29, &chunked("5\r\nhello\r\n0\r\n\r\n"), Ok(200)).reused(),
        answer(29, &chunked("2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"), Ok(200)).reused(),
        answer(30, &chunked("xyz\r\nhello\r\n0\r\n\r\n"), Err(FramingChunk)),
        answer(31, &chunked("fffffffffffffffff\r\nhello"), Err(FramingChunk)),
        answer(32, &chunked("5\r\nhello0\r\n\r\n"), Err(FramingChunk)),
        answer_fin(33, &chunked("5\r\nhello\r\n"), Err(BodyTruncated)),
        answer_fin(34, &chunked("5\r\nhel"), Err(BodyTruncated)),
        answer(35, &ok("Transfer-Encoding: gzip\r\n\r\nhello"), Err(FramingCoding)),
        answer_fin(36, "HTTP/1.0 200 OK\r\n\r\nhello", Ok(200)),
        answer_fin(37, &ok("\r\nhello"), Ok(200)),
        row(38, [write(&ok("\r\nhello")), Reset], Err(BodyReset)),
        row(39, [Write(vec![0, 255, 7, 13, 10])], Err(HeadInvalid)),
        answer_fin(40, "<html>hello</html>", Err(HeadInvalid)),
        answer(41, &hello.replace(" OK", ""), Ok(200)).reused(),
        answer(42, &hello.replace("200", "99"), Err(HeadInvalid)),
        answer(42, &hello.replace("200", "abc"), Err(HeadInvalid)),
        answer(43, &hello.replace("200", "999"), Ok(999)).reused(),
        answer(44, &hello.replace("1.1", "7.3"), Err(HeadVersion)),
        answer(44, &hello.replace("1.1", "2"), Err(HeadVersion)),
        answer(45, &hello.replace("\r\n", "\n"), Ok(200)).reused().odd(BareLf),
        answer(46, &ok("no colon\r\n\r\n"), Err(HeadInvalid)),
        answer(46, &ok("X: \0\r\n\r\n"), Err(HeadInvalid)),
        answer(47, &ok(&format!("X: y\r\n folded\r\n{LENGTH}\r\nhello")), Ok(200)).reused().odd(Folded),
        answer(48, &format!("HTTP/1.1 100 Continue\r\n\r\n{hello}"), Ok(200)).reused().odd(Interim),
        answer(48, &format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{hello}"), Ok(200)).reused().odd(Interim),
        answer_fin(49, "HTTP/1.1 100 Continue\r\n\r\n", Err(HeadClosed)).odd(Interim),
        answer(50, &format!("{}{hello}", interims(16)), Ok(200)).reused().odd(Interim),
        answer(50, &format!("{}{hello}", interims(50)), Err(LimitInterim)).odd(Interim),
        row(51, [write("HTTP/1.1 100 Con"), write(&format!("tinue\r\n\r\n{}", &hello[..9])), write(&hello[9..])], Ok(200)).reused().odd(Interim),
        answer(52, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Err(HeadUpgrade)),
        answer(54, &ok(&format!("{LENGTH}\r\n")), Ok(200)).head().reused(),
        answer(54, &format!("HTTP/1.1 204 No Content\r\n{LENGTH}\r\n"), Ok(204)).reused(),
        answer(54, &format!("HTTP/1.1 304 Not Modified\r\n{LENGTH}\r\n"), Ok(304)).reused(),
        answer(55, &hello, Ok(200)).head().odd(ExtraBytes),
        answer(57, &ok(&"X: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 01234\r\n".repeat(3_000)), Err(LimitHead)),
        row(58, [write(&ok("\r\n")), Flood(&[b'x'; 64 * 1024])], Err(LimitBody)),
        row(58, [write(&ok("\r\n")), Drip(b"x")], Err(TotalTimeout)).limits(slow_all),
    ]
}

#[tokio::test]
async fn every_fault_on_the_wire_has_its_name() {
    locally(async {
        for (place, row) in rows().into_iter().enumerate() {
            let Row { number, request, limits, acts, status, reused, odd } = row;
            let what = format!("row {number}, at place {place}");
            let (exchange, body, again) = first_and_reuse(acts, request, limits).await;
            assert_eq!((exchange.status, again), (status, reused), "{what}");
            let noticed = Notice::ALL.iter().find(|notice| exchange.noticed.has(**notice));
            assert_eq!(noticed.copied(), odd, "{what}");
            if status != Err(Fault::LimitBody) {
                assert_eq!(exchange.body_bytes, body.len() as u64, "{what}");
            }
            if status == Ok(200) && request == GET {
                assert_eq!(body, b"hello", "{what}");
            }
            assert!(exchange.sent <= Some(exchange.ended) && exchange.connect.is_some(), "{what}");
            assert!(status.is_err() || exchange.first_byte.is_some(), "{what}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    locally(async {
        let server = Server::start(vec![], GET.len()).await;
        let mut user = User::of(&[server.address]);
        for nth in 0..10 {
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, &*user.body), (Ok(200), &b"plain"[..]));
            assert_eq!(exchange.connect.is_some(), nth == 0);
            assert!(exchange.first_byte == Some(exchange.ended), "one read, one look at the clock");
        }
        assert_eq!((server.accepted(), server.requests()), (1, vec![GET.to_vec(); 10]));
    })
    .await;
}

#[tokio::test]
async fn a_user_keeps_a_connection_to_each_target() {
    locally(async {
        let servers =
            [Server::start(vec![], GET.len()).await, Server::start(vec![], GET.len()).await];
        let targets = servers.iter().map(|server| Target {
            authority: server.address.to_string(),
            place: at(&[server.address]),
            tls: None,
            way: 0,
        });
        let http = Http::new(targets.collect(), Settings::default());
        let mut connections = Connections::default();
        for target in [0, 1, 0, 1, 1, 0] {
            let request = plain(target, GET);
            let mut answer = Answer::default();
            let exchange = http.exchange(&mut connections, request, &mut answer).await;
            assert_eq!((exchange.status, exchange.body_bytes), (Ok(200), 5));
            assert_eq!(answer, Answer::default());
        }
        assert_eq!([servers[0].accepted(), servers[1].accepted()], [1, 1]);
    })
    .await;
}

/// Two requests, with something done to the kept connection in between.
async fn replaced(between: Vec<Act>, unasked: bool) {
    fifty(|| async {
        let script =
            [Read(GET.len()), Write(PLAIN.to_vec()), Await].into_iter().chain(between.clone());
        let server = Server::start(vec![script.collect()], GET.len()).await;
        let mut user = User::of(&[server.address]);
        assert_eq!(user.send(GET).await.status, Ok(200));
        assert_eq!(server.accepted(), 1);
        server.go_on();
        user.readable().await;

        let exchange = user.send(GET).await;
        assert_eq!((exchange.status, &*user.body), (Ok(200), &b"plain"[..]));
        assert_eq!((exchange.connect.is_some(), server.accepted()), (true, 2));
        assert_eq!(exchange.noticed.has(Notice::Unasked), unasked);
        assert!(!exchange.noticed.has(Notice::StaleReuse), "it was seen in time");
    })
    .await;
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    replaced(vec![Fin], false).await;
}

#[tokio::test]
async fn a_kept_connection_that_was_reset_is_replaced() {
    replaced(vec![Reset], false).await;
}

// Row 22.
#[tokio::test]
async fn a_kept_connection_with_an_answer_that_nobody_asked_for_is_replaced() {
    let unasked = "HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n";
    replaced(vec![write(unasked), Silence], true).await;
}

// Row 7, when the reset is there before the first byte is sent.
#[tokio::test]
async fn a_reset_before_anything_was_sent_is_not_a_fault_of_sending() {
    locally(async {
        let server = Server::start(vec![vec![Reset]], GET.len()).await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        stream.readable().await.unwrap();
        let (now, mut answer) = (Instant::now(), Answer::default());
        let request = plain(0, GET);
        let exchange =
            Connection::new(Stream::Plain(stream)).converse(&request, &mut answer, now, now).await;
        assert_eq!(exchange.status, Err(Fault::HeadReset));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_resets_was_met_so_no_other_address_is_tried() {
    locally(async {
        let resets = Server::start(vec![vec![Reset]], GET.len()).await;
        let other = Server::start(vec![], GET.len()).await;
        let exchange = User::of(&[resets.address, other.address]).send(GET).await;
        assert_eq!((exchange.status, other.accepted()), (Err(Fault::HeadReset), 0));
    })
    .await;
}

#[tokio::test]
async fn a_connection_whose_exchange_was_cut_is_not_used_again() {
    locally(async {
        let plain = || [Read(GET.len()), Write(PLAIN.to_vec())];
        let script = [&plain()[..], &[Read(GET.len()), Await, write(TOO_LARGE)]].concat();
        let server = Server::start(vec![script], GET.len()).await;
        let mut user = User::of(&[server.address]);
        assert_eq!(user.send(GET).await.status, Ok(200));
        server.awaits(user.send(GET)).await;
        server.go_on();

        let exchange = user.send(GET).await;
        assert_eq!((exchange.status, exchange.connect.is_some()), (Ok(200), true));
        assert_eq!(server.accepted(), 2);
    })
    .await;
}

pub(super) fn post(length: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), &vec![b'x'; length]].concat()
}

/// The server takes a little of a large request first.
async fn upload(length: usize, acts: Vec<Act>) -> (Exchange, bool) {
    let request = post(length);
    let acts = [Read(1_000)].into_iter().chain(acts).collect();
    locally(async {
        let (exchange, _, reused) = first_and_reuse(acts, &request, LONG).await;
        (exchange, reused)
    })
    .await
}

/// More than the buffers of the system hold.
pub(super) const LARGE: usize = 16 * 1024 * 1024;
const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!";

// Row 56 and its neighbours.
#[tokio::test]
async fn an_early_answer_is_taken_while_the_request_is_being_sent() {
    for last in [Await, Fin] {
        let (exchange, reused) = upload(LARGE, vec![write(TOO_LARGE), last]).await;
        assert_eq!((exchange.status, exchange.body_bytes, reused), (Ok(413), 3, false));
    }
    let (exchange, reused) = upload(3_000_000, vec![write(TOO_LARGE), Reset]).await;
    assert!(matches!(exchange.status, Ok(413) | Err(Fault::SendReset)), "{exchange:?}");
    assert!(!reused);
}

#[tokio::test]
async fn the_end_of_the_connection_while_sending_has_its_name() {
    for acts in [vec![Reset], vec![Fin], vec![write("HTTP/1.1 4"), Reset]] {
        let (exchange, reused) = upload(LARGE, acts).await;
        assert_eq!((exchange.status, reused), (Err(Fault::SendReset), false));
    }
}

#[tokio::test]
async fn a_large_request_is_sent_whole() {
    let rest = post(LARGE).len() - 1_000;
    let (exchange, reused) = upload(LARGE, vec![Read(rest), write(TOO_LARGE)]).await;
    assert_eq!((exchange.status, reused), (Ok(413), true));
}

#[tokio::test]
async fn a_timer_that_is_armed_too_late_is_armed_again() {
    locally(async {
        let script = vec![Read(GET.len()), Write(PLAIN.to_vec()), Silence];
        let server = Server::start(vec![script], GET.len()).await;
        let mut user = User::of(&[server.address]);
        assert_eq!(user.send(GET).await.status, Ok(200));
        user.limits.first_byte = SHORT;
        assert_eq!(user.send(GET).await.status, Err(Fault::TtfbTimeout));
    })
    .await;
}

#[tokio::test]
async fn a_timer_that_is_armed_too_early_is_armed_again() {
    locally(async {
        let pause = Pause(SHORT * 6);
        let script = vec![
            Read(GET.len()),
            Write(PLAIN.to_vec()),
            Read(GET.len()),
            pause,
            Write(PLAIN.to_vec()),
        ];
        let server = Server::start(vec![script], GET.len()).await;
        let mut user = User::of(&[server.address]);
        user.limits.total = SHORT * 4;
        let first = user.send(GET).await;
        // Only a machine that stalls cuts the first; then the second finds a new connection.
        assert!(matches!(first.status, Ok(200) | Err(Fault::TotalTimeout)), "{first:?}");
        user.limits = LONG;
        assert_eq!(user.send(GET).await.status, Ok(200));
    })
    .await;
}

/// An address where nothing listens, and nothing will while this lives.
pub(super) fn deaf() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

// Row 2.
#[tokio::test]
async fn a_port_where_nothing_listens_refuses() {
    let (_socket, address) = deaf();
    let mut user = User::of(&[address]);
    let exchange = user.send(GET).await;
    assert_eq!((exchange.status, exchange.connect), (Err(Fault::ConnectRefused), None));
    assert_eq!((exchange.sent, exchange.first_byte), (None, None));
    assert_eq!(user.http.probe(&LONG).await, Err((0, Fault::ConnectRefused)));
}

#[tokio::test]
async fn every_address_of_a_target_is_tried_in_turn() {
    locally(async {
        let server = Server::start(vec![], GET.len()).await;
        let six: SocketAddr = format!("[::1]:{}", server.address.port()).parse().unwrap();
        let (_socket, refuses) = deaf();
        for addresses in [vec![six, server.address], vec![refuses, six, server.address]] {
            let mut user = User::of(&addresses);
            assert_eq!(user.send(GET).await.status, Ok(200), "{addresses:?}");
            assert_eq!(user.http.probe(&LONG).await, Ok(()));
        }
    })
    .await;
}

// Row 4. The backlog is full when one connection more than it says waits in it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_does_not_take_the_connection_is_a_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1).unwrap();
    let full = listener.local_addr().unwrap();
    let _waiting =
        [TcpStream::connect(full).await.unwrap(), TcpStream::connect(full).await.unwrap()];

    let mut user = User::of(&[full]);
    user.limits = Limits { connect: SHORT, ..LONG };
    assert_eq!(user.send(GET).await.status, Err(Fault::ConnectTimeout));
    user.limits = Limits { total: SHORT, ..LONG };
    assert_eq!(user.send(GET).await.status, Err(Fault::TotalTimeout));

    fifty(|| async {
        let server = Server::start(vec![], GET.len()).await;
        let mut user = User::of(&[full, server.address]);
        user.limits = Limits { connect: SHORT, ..LONG };
        let exchange = user.send(GET).await;
        assert_eq!(exchange.status, Ok(200));
        assert!(
            exchange.connect.unwrap().whole() >= SHORT,
            "the time spent on the first address counts"
        );
    })
    .await;
}

#[tokio::test]
async fn limits_beyond_the_clock_are_no_limits() {
    locally(async {
        let server = Server::start(vec![], GET.len()).await;
        let mut user = User::of(&[server.address]);
        let never = Duration::MAX;
        user.limits =
            Limits { connect: never, tls: never, first_byte: never, idle: never, total: never };
        assert_eq!(user.send(GET).await.status, Ok(200));
    })
    .await;
}

#[tokio::test]
async fn the_first_byte_is_that_of_the_final_answer() {
    locally(async {
        let script = vec![
            Read(GET.len()),
            write("HTTP/1.1 103 Early Hints\r\n"),
            Await,
            write("\r\n"),
            Await,
            Write(PLAIN.to_vec()),
        ];
        let server = Server::start(vec![script], GET.len()).await;
        let mut user = User::of(&[server.address]);
        let mut exchange = pin!(user.send(GET));
        let mut waited = Instant::now();
        for _part in ["half of the hints", "the other half"] {
            server.awaits(exchange.as_mut()).await;
            // The runtime looks at its sockets every 61 turns or sooner: the part is read by then.
            for _ in 0..200 {
                assert!(poll_once(exchange.as_mut()).await.is_none());
                tokio::task::yield_now().await;
            }
            waited = Instant::now();
            server.go_on();
        }
        let exchange = exchange.await;
        assert_eq!(exchange.status, Ok(200));
        assert!(exchange.first_byte >= Some(waited), "{exchange:?}");
    })
    .await;
}

#[tokio::test]
async fn names_resolve_to_each_address_once() {
    let addresses = resolve(Names::default(), "localhost", 80).await.unwrap();
    let mut once = addresses.clone();
    once.dedup();
    assert_eq!(addresses, once);
    assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
    assert_eq!(
        resolve(Names::default(), "127.0.0.1", 1).await,
        Ok(vec!["127.0.0.1:1".parse().unwrap()])
    );
    assert_eq!(resolve(Names::default(), "[::1]", 1).await, Ok(vec!["[::1]:1".parse().unwrap()]));
    assert_eq!(resolve(Names::default(), "::1", 1).await, Ok(vec!["[::1]:1".parse().unwrap()]));
    // Too long to be asked for, so that no name server is needed to say no.
    assert_eq!(resolve(Names::default(), &"x".repeat(300), 1).await, Err(Fault::DnsFailed));
    assert_eq!(resolve(Names::default(), "", 1).await, Err(Fault::DnsFailed));
}

#[test]
fn a_user_costs_little_memory() {
    let http = Http::new(Vec::new(), Settings::default());
    let (mut connections, mut answer) = (Connections::default(), Answer::default());
    let request = plain(0, GET);
    let exchange = http.exchange(&mut connections, request, &mut answer);
    assert!(size_of_val(&exchange) <= 512, "an exchange under way: {}", size_of_val(&exchange));
    let kept = size_of::<Connection>();
    assert!(kept <= 160, "a connection that is kept: {kept}");
    let idle = size_of::<Connections>();
    assert!(idle <= 32, "a user that keeps nothing: {idle}");
}
