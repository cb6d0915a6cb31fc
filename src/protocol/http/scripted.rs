//! Owns a server that does on the wire what a test tells it, byte for byte.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::HandshakeKind;
use tokio_rustls::server::TlsStream;

use crate::protocol::Exchange;

/// One thing that the server does on a connection.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Reads as many bytes as the request has.
    Read(usize),
    /// Reads a request without a body, however long it is.
    ReadHead,
    Write(Vec<u8>),
    /// Writes this again and again, with a little time between, until the client closes.
    Drip(&'static [u8]),
    /// Writes this again and again as fast as it goes, until the client closes.
    Flood(&'static [u8]),
    /// Lets the client's timers run.
    Pause(Duration),
    /// Waits until the test calls [`Server::go_on`].
    Await,
    /// Ends what it sends, and closes when the client does. Within TLS it says so first.
    Fin,
    /// The same, but within TLS it says nothing.
    Cut,
    /// Resets, and is done.
    Reset,
    /// Keeps the connection open and does nothing until the client closes it.
    Silence,
}

pub(super) const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain";

/// Plays each connection's script, the n-th to the n-th; connections beyond the scripts, and ones
/// whose script leaves them open, get a plain answer to each request of `length` bytes.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shared: Rc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    accepted: Cell<usize>,
    awaits: Notify,
    go_on: Notify,
    /// Each connection plays the first script, while this is not so.
    calm: Cell<bool>,
    /// How many plain answers were given.
    plain: Cell<usize>,
    requests: RefCell<Vec<Vec<u8>>>,
    handshakes: RefCell<Vec<HandshakeKind>>,
}

/// What a script is played on.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&mut self) -> &mut TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&mut self) -> &mut TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl Server {
    /// Must be called in a `LocalSet`.
    pub(super) async fn start(scripts: Vec<Vec<Act>>, length: usize) -> Self {
        Self::start_within(None, scripts, length).await
    }

    /// The same within TLS, when there is an acceptor: scripts begin after the handshake.
    pub(super) async fn start_within(
        tls: Option<TlsAcceptor>,
        scripts: Vec<Vec<Act>>,
        length: usize,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Rc::new(Shared::default());
        tokio::task::spawn_local(accept(listener, tls, scripts, length, Rc::clone(&shared)));
        Self { address, shared }
    }

    /// Each connection plays this script, until [`Server::calm`].
    pub(super) async fn start_always(script: Vec<Act>, length: usize) -> Self {
        Self::start_always_within(None, script, length).await
    }

    /// The same within TLS, when there is an acceptor.
    pub(super) async fn start_always_within(
        tls: Option<TlsAcceptor>,
        script: Vec<Act>,
        length: usize,
    ) -> Self {
        // Each of several servers at another address: one has only so many ports.
        static STARTED: AtomicU8 = AtomicU8::new(0);
        let host = 1 + STARTED.fetch_add(1, Ordering::Relaxed) % 8;
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Rc::new(Shared::default());
        let again = Rc::clone(&shared);
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                again.accepted.set(again.accepted.get() + 1);
                let script = if again.calm.get() { Vec::new() } else { script.clone() };
                let again = Rc::clone(&again);
                tokio::task::spawn_local(play_within(tls.clone(), stream, script, length, again));
            }
        });
        Self { address, shared }
    }

    /// Connections that are opened from now on get plain answers, or scripts again.
    pub(super) fn calm(&self, calm: bool) {
        self.shared.calm.set(calm);
    }

    /// How many plain answers were given beside scripts.
    pub(super) fn plain(&self) -> usize {
        self.shared.plain.get()
    }

    /// How many connections were opened.
    pub(super) fn accepted(&self) -> usize {
        self.shared.accepted.get()
    }

    /// What [`Act::Read`] and [`Act::ReadHead`] read.
    pub(super) fn requests(&self) -> Vec<Vec<u8>> {
        self.shared.requests.borrow().clone()
    }

    /// How each connection within TLS began.
    pub(super) fn handshakes(&self) -> Vec<HandshakeKind> {
        self.shared.handshakes.borrow().clone()
    }

    /// Drives the exchange until the server is at an [`Act::Await`]; the exchange must not end.
    pub(super) async fn awaits(&self, exchange: impl Future<Output = Exchange>) {
        tokio::select! {
            exchange = exchange => panic!("ended too early: {exchange:?}"),
            () = self.shared.awaits.notified() => {}
        }
    }

    /// Ends one [`Act::Await`].
    pub(super) fn go_on(&self) {
        self.shared.go_on.notify_one();
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    scripts: Vec<Vec<Act>>,
    length: usize,
    shared: Rc<Shared>,
) {
    let mut scripts = scripts.into_iter();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.accepted.set(shared.accepted.get() + 1);
        let script = scripts.next().unwrap_or_default();
        stream.set_nodelay(true).unwrap();
        let shared = Rc::clone(&shared);
        tokio::task::spawn_local(play_within(tls.clone(), stream, script, length, shared));
    }
}

async fn play_within(
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    script: Vec<Act>,
    length: usize,
    shared: Rc<Shared>,
) {
    let Some(tls) = tls else { return play(stream, script, length, shared).await };
    // A client that does not like what it sees is what some tests are about.
    let Ok(stream) = tls.accept(stream).await else { return };
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    shared.handshakes.borrow_mut().push(kind);
    play(stream, script, length, shared).await;
}

async fn write(stream: &mut impl Wire, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn play(mut stream: impl Wire, script: Vec<Act>, length: usize, shared: Rc<Shared>) {
    for act in script {
        match act {
            Act::Read(length) => {
                let mut request = vec![0; length];
                if stream.read_exact(&mut request).await.is_err() {
                    return;
                }
                shared.requests.borrow_mut().push(request);
            }
            Act::ReadHead => {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    request.push(byte);
                }
                shared.requests.borrow_mut().push(request);
            }
            Act::Write(bytes) => {
                if write(&mut stream, &bytes).await.is_err() {
                    return;
                }
            }
            Act::Drip(bytes) => {
                while write(&mut stream, bytes).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                return;
            }
            Act::Flood(bytes) => {
                while write(&mut stream, bytes).await.is_ok() {}
                return;
            }
            Act::Pause(time) => tokio::time::sleep(time).await,
            Act::Await => {
                shared.awaits.notify_one();
                shared.go_on.notified().await;
            }
            Act::Fin => {
                // `close` would reset when the request is still unread.
                stream.shutdown().await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            Act::Cut => {
                stream.tcp().shutdown().await.unwrap();
                let _ = stream.tcp().read_to_end(&mut Vec::new()).await;
                return;
            }
            Act::Reset => {
                stream.tcp().set_zero_linger().unwrap();
                return;
            }
            Act::Silence => {
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
        }
    }
    let mut request = vec![0; length];
    while stream.read_exact(&mut request).await.is_ok() {
        shared.plain.set(shared.plain.get() + 1);
        shared.requests.borrow_mut().push(request.clone());
        if write(&mut stream, PLAIN).await.is_err() {
            return;
        }
    }
}
