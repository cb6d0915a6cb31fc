//! Owns the way to the target: what a protocol must do for the engine, and the protocols that do it.
//!
//! The engine is generic over [`Protocol`], so that its tests run on a scripted one under a paused clock
//! and the hot path has no dynamic call.

pub mod fake;
pub mod http;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::{Fault, Noticed, Opening};

/// A request, rendered: all that the wire needs.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Which of the protocol's targets it goes to.
    pub target: usize,
    /// The whole request as it is written: request line, `Host` first, other headers, empty line,
    /// body.
    pub bytes: &'a [u8],
    /// It is a HEAD request, whose answer has no body whatever its head says.
    pub head_only: bool,
    /// It says `Expect: 100-continue`: its body is held back until the server asks for it, or a second
    /// has passed (RFC 9110 §10.1.1). An answer that comes before ends it.
    pub continues: bool,
    /// The head of the answer is kept.
    pub keep_head: bool,
    /// The body of the answer is kept; otherwise it is counted and dropped.
    pub keep_body: bool,
    /// Of an answer with a status of 400 or more the head and the beginning of the body are kept all
    /// the same: nothing more is read for that.
    pub keep_failed: bool,
    /// The limits in time.
    pub limits: &'a Limits,
    /// How many redirects are followed. With 0 a redirect is the answer.
    pub redirects: u8,
    /// Which connection it goes over.
    pub connection: Use,
}

/// Which connection a request goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Use {
    /// The user's own, which is kept alive.
    #[default]
    Own,
    /// One of a bounded number that all users of a worker share; who comes first is served first.
    Shared,
    /// A new one, which is closed after the answer.
    New,
}

/// What is kept of an answer. The buffers come empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The header lines of the final answer, `Name: value` each, ended by CR LF; neither the status
    /// line nor the empty line. Empty unless it was asked for.
    pub head: Vec<u8>,
    /// The body of the final answer, decoded when it came compressed and all of it was asked for. Empty
    /// unless some was.
    pub body: Vec<u8>,
}

/// How long each part of an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For each address, until the connection stands.
    pub connect: Duration,
    /// From then on, until both ends agree on TLS.
    pub tls: Duration,
    /// From the first byte sent until the head of the answer is whole.
    pub first_byte: Duration,
    /// Between two reads of the body.
    pub idle: Duration,
    /// From the start of the exchange, connecting included, to the last byte.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(5),
            tls: seconds(5),
            first_byte: seconds(30),
            idle: seconds(10),
            total: seconds(60),
        }
    }
}

/// What an exchange came to, with its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Just before the first byte was written, of the first request when redirects were followed;
    /// none when no connection was had to write it to.
    pub sent: Option<Instant>,
    /// When the first byte of the final answer was read.
    pub first_byte: Option<Instant>,
    /// When the last byte was read, or the fault was met.
    pub ended: Instant,
    /// How long connecting took, TLS included, when a connection was opened for this exchange; the
    /// sum when there were several.
    pub connect: Option<Opening>,
    /// Bytes of the final answer's body as they came over the wire: compressed when they were,
    /// chunk framing left out.
    pub body_bytes: u64,
    /// How many that became, when the body came compressed and was kept; otherwise 0.
    pub decoded_bytes: u64,
    /// How many redirects were followed.
    pub hops: u8,
    /// What was odd.
    pub noticed: Noticed,
    /// The status of the final answer, or what went wrong.
    pub status: Result<u16, Fault>,
}

/// Where a target is, for those who are told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// `scheme://host[:port]`
    pub origin: String,
    /// Where connections are made to instead of where its name leads.
    pub at: Option<At>,
    /// The number of the way in which the plan secures connections to it.
    pub way: usize,
}

/// Where connections are made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// This address; the first, when there are several.
    Address(SocketAddr),
    /// A socket of this machine.
    Socket(PathBuf),
}

/// What the engine asks of a protocol. One value per worker; nothing is shared between workers.
pub trait Protocol: 'static {
    /// What a user keeps between requests: connections that are kept alive, and cookies.
    type Connection: Default;

    /// Sends one request and reads its answer, opening a connection when there is none that can
    /// be used, and following redirects when that is asked for. It never panics and always ends
    /// within `limits.total`. Dropping the future cuts the exchange; a connection that it used must
    /// then not be used again.
    fn exchange(
        &self,
        connection: &mut Self::Connection,
        request: Outgoing<'_>,
        answer: &mut Answer,
    ) -> impl Future<Output = Exchange>;

    /// The number of the target with this origin, `scheme://host[:port]` in lower case, secured as the
    /// target `from` is. It is added when the plan did not name it.
    ///
    /// # Errors
    /// It is no origin that requests can be sent to, or there are too many targets already.
    fn target(&self, from: usize, origin: &str) -> Result<usize, Fault>;

    /// The user is known by a client certificate of its own.
    fn is_identified(&self, connection: &Self::Connection) -> bool;

    /// From its first connection on the user shows the client certificate in the file `cert`, whose key
    /// is in the file `key`, to servers that ask for one.
    fn identify(&self, connection: &mut Self::Connection, cert: String, key: String);

    /// Lets both use the cookies of the first, and show its client certificate: they are one user's, who
    /// sends requests together.
    fn share_cookies(&self, from: &mut Self::Connection, with: &mut Self::Connection);

    /// The value of a cookie that the user would send to this path of the target.
    fn cookie(
        &self,
        connection: &Self::Connection,
        target: usize,
        path: &str,
        name: &str,
    ) -> Option<String>;

    /// Where a target is.
    fn whereabouts(&self, target: usize) -> Whereabouts;

    /// The request as it is going to be written, with what the protocol adds to it: the user's
    /// cookies. For those who look on.
    fn as_sent(&self, _connection: &Self::Connection, request: Outgoing<'_>) -> Vec<u8> {
        request.bytes.to_vec()
    }

    /// A request as it was written at that moment; none when the cookies of the user, which are a part of
    /// it, have changed since. For those who look back.
    fn was_sent(
        &self,
        connection: &Self::Connection,
        request: Outgoing<'_>,
        _at: Instant,
    ) -> Option<Vec<u8>> {
        Some(self.as_sent(connection, request))
    }

    /// The cookies, `name=value` each, that the last answer to change some has replaced.
    fn replaced_cookies(&self, _connection: &Self::Connection) -> Vec<String> {
        Vec::new()
    }

    /// Tries to connect to every target once, and closes again.
    ///
    /// # Errors
    /// The index of the first target that cannot be reached, and what went wrong.
    fn probe(&self, limits: &Limits) -> impl Future<Output = Result<(), (usize, Fault)>>;
}
