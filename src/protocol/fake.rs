//! Owns a protocol that answers from a script and keeps a log, for tests under a paused clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::metrics::Fault;
use crate::protocol::{Exchange, Limits, Outgoing, Protocol};

/// What a request is answered with, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How long the answer takes.
    pub after: Duration,
    /// The status, or the fault that comes instead.
    pub status: Result<u16, Fault>,
    /// The body of the answer.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn new(after: Duration, status: Result<u16, Fault>) -> Self {
        Self { after, status, body: Vec::new() }
    }
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Instant,
    /// Where to.
    pub target: usize,
    /// The whole request.
    pub bytes: Vec<u8>,
}

type Script = dyn Fn(&[u8], u64) -> Reply + Send + Sync;

/// Answers each request as a script says. Clones share the script and the log, so that a test keeps
/// one and gives the others away, to workers on other threads too.
#[derive(Clone)]
pub struct Fake {
    script: Arc<Script>,
    log: Arc<Mutex<Vec<Sent>>>,
    probe: Result<(), (usize, Fault)>,
}

impl fmt::Debug for Fake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fake").field("log", &self.log).finish_non_exhaustive()
    }
}

impl Fake {
    /// [`Fault::ConnectRefused`] and [`Fault::LocalFiles`] are met before anything is sent.
    ///
    /// The script is given each request with its number: how many were sent before, to any target
    /// and over any clone.
    pub fn new(script: impl Fn(&[u8], u64) -> Reply + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), log: Arc::default(), probe: Ok(()) }
    }

    /// The same, but a target cannot be reached by [`Protocol::probe`].
    #[must_use]
    pub fn unreachable(self, target: usize, fault: Fault) -> Self {
        Self { probe: Err((target, fault)), ..self }
    }

    /// What was sent so far, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, at: Instant, request: Outgoing<'_>) -> u64 {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(Sent { at, target: request.target, bytes: request.bytes.to_vec() });
        log.len() as u64 - 1
    }
}

impl Protocol for Fake {
    /// The targets that stand connected, in the order in which they were.
    type Connection = Vec<usize>;

    async fn exchange(
        &self,
        connected: &mut Vec<usize>,
        request: Outgoing<'_>,
        body: &mut Vec<u8>,
    ) -> Exchange {
        let sent = Instant::now();
        let nth = self.record(sent, request);
        let reply = (self.script)(request.bytes, nth);

        // Taken out first: an exchange that is cut leaves no connection behind.
        let kept = connected.iter().position(|target| *target == request.target);
        kept.map(|place| connected.remove(place));
        let connect = kept.is_none().then_some(Duration::ZERO);

        // A system call that fails at once lets nobody else have a turn: neither does this.
        let answered = reply.after.is_zero()
            || timeout(request.limits.total, sleep(reply.after)).await.is_ok();
        let status = if answered { reply.status } else { Err(Fault::TotalTimeout) };
        let connects = !matches!(status, Err(Fault::ConnectRefused | Fault::LocalFiles));
        let sent = connects.then_some(sent);
        let ended = Instant::now();
        let mut exchange =
            Exchange { sent, first_byte: None, ended, connect, body_bytes: 0, status };
        if status.is_ok() {
            connected.push(request.target);
            exchange.first_byte = Some(ended);
            exchange.body_bytes = reply.body.len() as u64;
            if request.keep_body {
                body.extend_from_slice(&reply.body);
            }
        }
        exchange
    }

    async fn probe(&self, _limits: &Limits) -> Result<(), (usize, Fault)> {
        self.probe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        connect: Duration::from_secs(1),
        tls: Duration::from_secs(1),
        first_byte: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        total: Duration::from_secs(1),
    };

    fn request(target: usize, bytes: &[u8]) -> Outgoing<'_> {
        Outgoing { target, bytes, head_only: false, keep_body: true, limits: &LIMITS }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fake_answers_by_its_script_and_remembers_every_request() {
        let fake = Fake::new(|bytes, nth| Reply {
            after: Duration::from_millis(10 + nth),
            status: Ok(200),
            body: bytes.to_vec(),
        });
        let (start, mut connected) = (Instant::now(), Vec::new());
        let mut bodies = Vec::new();
        for (target, bytes, new) in [(0, b"a", true), (1, b"b", true), (0, b"c", false)] {
            let exchange =
                fake.clone().exchange(&mut connected, request(target, bytes), &mut bodies).await;
            assert_eq!((exchange.status, exchange.body_bytes), (Ok(200), 1));
            assert_eq!(exchange.connect.is_some(), new);
        }
        assert_eq!(bodies, b"abc");
        let log: Vec<_> = fake
            .sent()
            .into_iter()
            .map(|sent| (sent.at - start, sent.target, sent.bytes))
            .collect();
        let ms = Duration::from_millis;
        assert_eq!(
            log,
            [(ms(0), 0, b"a".to_vec()), (ms(10), 1, b"b".to_vec()), (ms(21), 0, b"c".to_vec())]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_fake_keeps_the_total_limit_and_fails_when_told() {
        let fake = Fake::new(|_, nth| match nth {
            0 => Reply::new(Duration::from_secs(5), Ok(200)),
            _ => Reply::new(Duration::ZERO, Err(Fault::BodyReset)),
        });
        let (mut connected, mut body) = (Vec::new(), Vec::new());
        let exchange = fake.exchange(&mut connected, request(0, b"a"), &mut body).await;
        assert_eq!(exchange.status, Err(Fault::TotalTimeout));
        assert_eq!(exchange.ended - exchange.sent.unwrap(), Duration::from_secs(1));
        let exchange = fake.exchange(&mut connected, request(0, b"a"), &mut body).await;
        assert_eq!((exchange.status, connected), (Err(Fault::BodyReset), Vec::new()));
    }

    #[tokio::test]
    async fn a_fake_can_be_reached_unless_told_otherwise() {
        let fake = Fake::new(|_, _| Reply::new(Duration::ZERO, Ok(200)));
        assert_eq!(fake.probe(&LIMITS).await, Ok(()));
        let fake = fake.unreachable(1, Fault::ConnectRefused);
        assert_eq!(fake.probe(&LIMITS).await, Err((1, Fault::ConnectRefused)));
    }
}
