//! Owns the HTTP/1.1 client: one exchange with its redirects.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use tokio::time::Instant;

use super::address::Origin;
use super::codec::{FAILED, Noted};
use super::connection::{Connection, after};
use super::cookies::Jar;
use super::decode::decode;
use super::dial::Sources;
use super::identity::{As, Pair, Pairs};
use super::pool::Pool;
use super::redirect;
use super::request::{Parts, values, without_query};
use super::targets::{Place, Settings, Target, Targets};
use super::tls::{Sessions, Tls, sessions};
use crate::metrics::{Fault, Notice, Noticed, Opening};
use crate::protocol::{Answer, At, Exchange, Limits, Outgoing, Protocol, Use, Whereabouts};

/// How many buffers a worker keeps for requests that cookies are written into.
const BUFFERS_MAX: usize = 64;
/// A buffer that has grown beyond is not kept.
const BUFFER_MAX: usize = 64 * 1024;

/// The HTTP/1.1 client of one worker.
#[derive(Debug)]
pub struct Http {
    pub(super) targets: Targets,
    /// Where connections come from.
    pub(super) sources: Sources,
    pool: Pool,
    buffers: RefCell<Vec<Vec<u8>>>,
    pub(super) pairs: Pairs,
}

/// What a user keeps: at most one connection to each target, and its cookies.
#[derive(Debug, Default)]
pub struct Connections {
    pub(super) kept: Vec<(usize, Connection)>,
    /// Made by the first cookie, with a client certificate, or to resume sessions of TLS: users of plain
    /// HTTP without cookies have none. Shared by the connections over which one user sends requests together.
    pub(super) own: Option<Rc<Own>>,
}

/// What makes a user one that a server knows again.
#[derive(Debug, Default)]
pub(super) struct Own {
    jar: RefCell<Jar>,
    /// The files of its client certificate and of the key.
    pair: OnceCell<Pair>,
    /// The sessions of TLS that it can resume.
    sessions: OnceCell<Sessions>,
}

impl Connections {
    fn jar(&self) -> Option<&RefCell<Jar>> {
        self.own.as_deref().map(|own| &own.jar)
    }

    /// As whom it connects within TLS: with its client certificate, resuming sessions of its own.
    fn as_whom(&mut self, tls: &Tls) -> As {
        let pair = self.own.as_ref().and_then(|own| own.pair.get().cloned());
        // With a certificate sessions are kept beside that.
        let sessions = (tls.resumes() && pair.is_none()).then(|| {
            let own = self.own.get_or_insert_default();
            own.sessions.get_or_init(sessions).clone()
        });
        As { pair, sessions }
    }

    /// Where the connection to a target is, if it can be used again; else it is gone. It stays there
    /// during its exchange: to move it out and back costs more than to find it. One that was cut is
    /// known by that, and never used again.
    fn place(&mut self, target: usize, noticed: &mut Noticed) -> Option<usize> {
        let place = self.kept.iter().position(|(to, _)| *to == target)?;
        if self.kept[place].1.is_reusable(noticed) {
            return Some(place);
        }
        self.kept.swap_remove(place);
        None
    }

    /// Where it is from now on.
    fn keep(&mut self, target: usize, connection: Connection) -> usize {
        // Most users keep one connection only; `push` would make room for four.
        self.kept.reserve_exact(1);
        self.kept.push((target, connection));
        self.kept.len() - 1
    }
}

/// The connection of an exchange.
enum Held {
    /// The user's own, at this place.
    Own(usize),
    /// One that is not the user's. Boxed: a place for it would be memory of every user.
    Other(Box<Connection>),
}

impl Http {
    /// A client for these targets; [`Outgoing::target`] is the index of one of them, or a number
    /// that [`Protocol::target`] gave.
    #[must_use]
    pub fn new(targets: Vec<Target>, settings: Settings) -> Self {
        let pool = Pool::new(settings.pool);
        let pairs = Pairs::new(settings.identify.clone());
        let sources = Sources::new(&settings.sources);
        let targets = Targets::new(targets, &settings);
        Self { targets, sources, pool, buffers: RefCell::default(), pairs }
    }

    /// Sends one request and reads its answer, whatever it is. `started` is when the whole exchange
    /// began, `now` is now.
    #[expect(
        clippy::manual_async_fn,
        reason = "that holds arguments twice, in every user's memory"
    )]
    fn hop(
        &self,
        connections: &mut Connections,
        request: &Outgoing<'_>,
        answer: &mut Answer,
        started: Instant,
        mut now: Instant,
    ) -> impl Future<Output = (Exchange, Noted)> {
        async move {
            let Outgoing { target, limits, connection: which, .. } = *request;
            // The right to a shared connection, until its exchange is over.
            let mut permit = None;
            let mut noticed = Noticed::default();
            let mut known = match which {
                Use::Own => connections.place(target, &mut noticed).map(Held::Own),
                Use::New => None,
                Use::Shared => {
                    permit = self.pool.try_enter();
                    if permit.is_none() {
                        let total = after(started, limits.total);
                        match Box::pin(self.pool.enter(total)).await {
                            Ok(entered) => permit = Some(entered),
                            Err(fault) => return (not_connected(fault), Noted::default()),
                        }
                        now = Instant::now();
                    }
                    self.pool.take(target, &mut noticed).map(Held::Other)
                }
            };
            loop {
                let (mut sent, mut connect) = (now, None);
                let is_kept = known.is_some();
                let mut held = match known.take() {
                    Some(held) => held,
                    // Boxed, because connecting is rare and its state would be a part of every user.
                    None => {
                        let known = self.targets.get(target);
                        let whom = match &known.target.tls {
                            // What all borrow is nobody's.
                            Some(tls) if which != Use::Shared => connections.as_whom(tls),
                            _ => As::default(),
                        };
                        match Box::pin(self.connect(target, limits, started, now, whom)).await {
                            Ok((stream, tls)) => {
                                sent = Instant::now();
                                connect = Some(Opening::new(sent - now, tls));
                                let connection = Connection::new(stream);
                                match which {
                                    Use::Own => Held::Own(connections.keep(target, connection)),
                                    Use::New | Use::Shared => Held::Other(Box::new(connection)),
                                }
                            }
                            Err(fault) => {
                                let exchange = Exchange { noticed, ..not_connected(fault) };
                                return (exchange, Noted::default());
                            }
                        }
                    }
                };
                let connection = match &mut held {
                    Held::Own(place) => &mut connections.kept[*place].1,
                    Held::Other(connection) => &mut **connection,
                };
                let mut exchange = connection.converse(request, answer, started, sent).await;
                let noted = connection.noted();
                let is_stale = is_kept && connection.was_stale(exchange.status);
                let is_whole = connection.is_whole();
                match held {
                    Held::Own(place) if !is_whole => {
                        connections.kept.swap_remove(place);
                    }
                    Held::Other(connection) if is_whole && which == Use::Shared => {
                        self.pool.give_back(target, connection);
                    }
                    Held::Own(_) | Held::Other(_) => {}
                }
                if is_stale && Parts::is_idempotent(request.bytes) {
                    // Once: the next connection is a new one.
                    noticed.add(Notice::StaleReuse);
                    now = Instant::now();
                    continue;
                }
                drop(permit);
                exchange.noticed.merge(noticed);
                return (Exchange { connect, ..exchange }, noted);
            }
        }
    }

    /// The request with the user's cookies; empty when it stays as it is.
    fn with_cookies(
        &self,
        jar: Option<&RefCell<Jar>>,
        request: &Outgoing<'_>,
        now: Instant,
    ) -> Vec<u8> {
        let Some(jar) = jar.map(RefCell::borrow).filter(|jar| !jar.is_empty()) else {
            return Vec::new();
        };
        let mut written = self.buffers.borrow_mut().pop().unwrap_or_default();
        let known = self.targets.get(request.target);
        jar.write(request.bytes, &known.origin, now, &mut written);
        written
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        if (1..=BUFFER_MAX).contains(&buffer.capacity()) && buffers.len() < BUFFERS_MAX {
            buffer.clear();
            buffers.push(buffer);
        }
    }

    fn take_cookies(
        &self,
        connections: &mut Connections,
        request: &Outgoing<'_>,
        head: &[u8],
    ) -> Noticed {
        let known = self.targets.get(request.target);
        let (path, now) = (Parts::path_of(request.bytes), Instant::now());
        let mut jar = connections.own.get_or_insert_default().jar.borrow_mut();
        let mut noticed = Noticed::default();
        for header in values(head, "set-cookie") {
            if !jar.take(header, &known.origin, path, now) {
                noticed.add(Notice::CookieRefused);
            }
        }
        noticed
    }

    /// What is left to do after an answer that asks for more: cookies, redirects, decoding.
    async fn finish(
        &self,
        connections: &mut Connections,
        request: Outgoing<'_>,
        answer: &mut Answer,
        started: Instant,
        (mut exchange, mut noted): (Exchange, Noted),
    ) -> Exchange {
        let (sent, mut hops, mut connect) = (exchange.sent, 0, exchange.connect);
        let mut noticed = Noticed::default();
        let mut led: Option<(usize, Vec<u8>)> = None;
        loop {
            let asked = match &led {
                None => request,
                Some((target, bytes)) => Outgoing { target: *target, bytes, ..request },
            };
            noticed.merge(exchange.noticed);
            if noted.cookie {
                noticed.merge(self.take_cookies(connections, &asked, &answer.head));
            }
            let (Ok(status), true) = (exchange.status, noted.location) else { break };
            let next = match self.follow(&asked, status, hops, &answer.head) {
                Ok(None) => break,
                Ok(Some(next)) => next,
                Err(fault) => {
                    exchange.status = Err(fault);
                    break;
                }
            };
            let (target, bytes) = led.insert(next);
            hops += 1;
            answer.head.clear();
            answer.body.clear();
            let now = Instant::now();
            let asked = Outgoing { target: *target, bytes, ..request };
            let written = self.with_cookies(connections.jar(), &asked, now);
            let whole = if written.is_empty() { asked.bytes } else { &written };
            let hop = Outgoing { bytes: whole, ..asked };
            (exchange, noted) = self.hop(connections, &hop, answer, started, now).await;
            self.give_back(written);
            connect = connect.into_iter().chain(exchange.connect).reduce(|sum, one| sum + one);
        }
        if exchange.status.is_ok() && noted.encoding {
            match decode(&answer.head, &mut answer.body) {
                Ok(()) => exchange.decoded_bytes = answer.body.len() as u64,
                Err(fault) => {
                    answer.body.clear();
                    exchange.status = Err(fault);
                    exchange.ended = Instant::now();
                }
            }
        }
        let failed = exchange.status.is_ok_and(|status| status >= FAILED);
        if !(request.keep_head || request.keep_failed && failed) {
            answer.head.clear();
        }
        Exchange { sent, hops, connect, noticed, ..exchange }
    }

    /// The target and the request that an answer leads to; none when it leads nowhere.
    fn follow(
        &self,
        request: &Outgoing<'_>,
        status: u16,
        hops: u8,
        head: &[u8],
    ) -> Result<Option<(usize, Vec<u8>)>, Fault> {
        let Some(location) = redirect::location(head)? else { return Ok(None) };
        if hops >= request.redirects {
            return Err(Fault::RedirectTooMany);
        }
        let from = self.targets.get(request.target);
        let next = redirect::next(request.bytes, &from.origin, status, location)?;
        let target = if next.origin == from.origin {
            request.target
        } else if self.targets.may_lead(&from.origin, &next.origin) {
            self.targets.number(request.target, &next.origin)?
        } else {
            return Err(Fault::RedirectHost);
        };
        Ok(Some((target, next.bytes)))
    }
}

impl Protocol for Http {
    type Connection = Connections;

    // What no wait has to outlive ends with its block, and is no memory of the user.
    #[expect(
        clippy::manual_async_fn,
        reason = "that holds arguments twice, in every user's memory"
    )]
    fn exchange(
        &self,
        connections: &mut Connections,
        request: Outgoing<'_>,
        answer: &mut Answer,
    ) -> impl Future<Output = Exchange> {
        async move {
            let started = Instant::now();
            let rest = {
                let written = self.with_cookies(connections.jar(), &request, started);
                let mut first = request;
                if !written.is_empty() {
                    first.bytes = &written;
                }
                let came = self.hop(connections, &first, answer, started, started).await;
                self.give_back(written);
                let (exchange, noted) = came;
                if !noted.any() {
                    return exchange;
                }
                // Boxed, because few answers ask for more.
                Box::pin(self.finish(connections, request, answer, started, came))
            };
            rest.await
        }
    }

    fn target(&self, from: usize, origin: &str) -> Result<usize, Fault> {
        self.targets.number(from, &Origin::parse(origin)?)
    }

    fn is_identified(&self, connections: &Connections) -> bool {
        connections.own.as_ref().is_some_and(|own| own.pair.get().is_some())
    }

    fn identify(&self, connections: &mut Connections, cert: String, key: String) {
        let own = connections.own.get_or_insert_default();
        // Who a user is does not change.
        let _ = own.pair.set((cert.into(), key.into()));
    }

    fn cookie(
        &self,
        connections: &Connections,
        target: usize,
        path: &str,
        name: &str,
    ) -> Option<String> {
        let jar = connections.jar()?.borrow();
        let known = self.targets.get(target);
        jar.value(&known.origin, without_query(path), name).map(str::to_owned)
    }

    fn share_cookies(&self, from: &mut Connections, with: &mut Connections) {
        with.own = Some(from.own.get_or_insert_default().clone());
    }

    fn whereabouts(&self, target: usize) -> Whereabouts {
        let known = self.targets.get(target);
        let at = match &known.target.place {
            Place::Named => None,
            Place::Socket(path) => Some(At::Socket(path.to_path_buf())),
            // An address says itself where it is.
            Place::At(addresses) => addresses.first().copied().and_then(|address| {
                let said = known.origin.host.parse() == Ok(address.ip());
                (!said || address.port() != known.origin.port).then_some(At::Address(address))
            }),
        };
        Whereabouts { origin: known.origin.to_string(), at, way: known.target.way }
    }

    fn as_sent(&self, connections: &Connections, request: Outgoing<'_>) -> Vec<u8> {
        let written = self.with_cookies(connections.jar(), &request, Instant::now());
        if written.is_empty() { request.bytes.to_vec() } else { written }
    }

    fn was_sent(
        &self,
        connections: &Connections,
        request: Outgoing<'_>,
        at: Instant,
    ) -> Option<Vec<u8>> {
        let jar = connections.jar().map(RefCell::borrow);
        let changed = jar.and_then(|jar| jar.changed());
        changed.is_none_or(|changed| changed <= at).then(|| self.as_sent(connections, request))
    }

    fn replaced_cookies(&self, connections: &Connections) -> Vec<String> {
        let jar = connections.jar().map(RefCell::borrow);
        let replaced = jar.iter().flat_map(|jar| jar.replaced());
        replaced.map(|pair| pair.to_string()).collect()
    }

    async fn probe(&self, limits: &Limits) -> Result<(), (usize, Fault)> {
        for target in 0..self.targets.named() {
            let now = Instant::now();
            self.connect(target, limits, now, now, As::default())
                .await
                .map_err(|fault| (target, fault))?;
        }
        Ok(())
    }
}

fn not_connected(fault: Fault) -> Exchange {
    let ended = Instant::now();
    let (first_byte, connect) = (None, None);
    let (sent, status) = (None, Err(fault));
    Exchange {
        sent,
        first_byte,
        ended,
        connect,
        body_bytes: 0,
        decoded_bytes: 0,
        hops: 0,
        noticed: Noticed::default(),
        status,
    }
}
