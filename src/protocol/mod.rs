//! Owns the way to the target: what a protocol must do for the engine, and the protocols that do it.
//!
//! The engine is generic over [`Protocol`], so that its tests run on a scripted one under a paused clock
//! and the hot path has no dynamic call.

pub mod fake;
pub mod http;

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::Fault;

/// A request, rendered: all that the wire needs.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Which of the protocol's targets it goes to.
    pub target: usize,
    /// The whole request as it is written: head, empty line, body.
    pub bytes: &'a [u8],
    /// It is a HEAD request, whose answer has no body whatever its head says.
    pub head_only: bool,
    /// The body of the answer is kept; otherwise it is counted and dropped.
    pub keep_body: bool,
    /// The limits in time.
    pub limits: &'a Limits,
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
    /// Just before the first byte was written; none when no connection was had to write it to.
    pub sent: Option<Instant>,
    /// When the first byte of the final answer was read.
    pub first_byte: Option<Instant>,
    /// When the last byte was read, or the fault was met.
    pub ended: Instant,
    /// How long connecting took, TLS included, when a connection was opened for this exchange.
    pub connect: Option<Duration>,
    /// Bytes of the body as they came over the wire, chunk framing left out.
    pub body_bytes: u64,
    /// The status of the final answer, or what went wrong.
    pub status: Result<u16, Fault>,
}

/// What the engine asks of a protocol. One value per worker; nothing is shared between workers.
pub trait Protocol: 'static {
    /// What a user keeps between requests: nothing yet, or a connection that is kept alive.
    type Connection: Default;

    /// Sends one request and reads its answer, opening a connection when there is none that can
    /// be used. When `keep_body` is asked, the body is appended to `body`, which comes empty.
    /// It never panics and always ends within `limits.total`. Dropping the future cuts the
    /// exchange; the connection must then not be used again.
    fn exchange(
        &self,
        connection: &mut Self::Connection,
        request: Outgoing<'_>,
        body: &mut Vec<u8>,
    ) -> impl Future<Output = Exchange>;

    /// Tries to connect to every target once, and closes again.
    ///
    /// # Errors
    /// The index of the first target that cannot be reached, and what went wrong.
    fn probe(&self, limits: &Limits) -> impl Future<Output = Result<(), (usize, Fault)>>;
}
