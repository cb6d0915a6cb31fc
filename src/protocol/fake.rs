//! Owns a protocol that answers from a script and keeps a log, for tests under a paused clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::metrics::{Fault, Noticed, Opening};
use crate::protocol::{Answer, Exchange, Limits, Outgoing, Protocol, Use, Whereabouts};

/// What a request is answered with, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How long the answer takes.
    pub after: Duration,
    /// The status, or the fault that comes instead.
    pub status: Result<u16, Fault>,
    /// The header lines of the answer, `Name: value` each, ended by CR LF. A `Set-Cookie` is kept
    /// for its target, whatever its attributes say.
    pub head: Vec<u8>,
    /// The body of the answer.
    pub body: Vec<u8>,
    /// How many redirects it took.
    pub hops: u8,
}

impl Reply {
    /// An answer without headers and body.
    #[must_use]
    pub fn new(after: Duration, status: Result<u16, Fault>) -> Self {
        Self { after, status, head: Vec::new(), body: Vec::new(), hops: 0 }
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same after so many redirects.
    #[must_use]
    pub fn hops(self, hops: u8) -> Self {
        Self { hops, ..self }
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
    /// How many redirects it would have followed.
    pub redirects: u8,
    /// Which connection it went over.
    pub connection: Use,
    /// The files of the client certificate that its user shows, and of the key.
    pub pair: Option<(String, String)>,
}

/// What a user of a fake keeps.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The targets that stand connected, in the order in which they were.
    pub connected: Vec<usize>,
    /// The cookies: target, name, value.
    pub cookies: Vec<(usize, String, String)>,
    /// The files of the client certificate and of its key.
    pub pair: Option<(String, String)>,
}

impl Kept {
    fn take_cookies(&mut self, target: usize, head: &[u8]) {
        for line in String::from_utf8_lossy(head).lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let pair = value.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.trim().split_once('=') {
                self.cookies.retain(|(at, known, _)| (*at, known.as_str()) != (target, name));
                self.cookies.push((target, name.to_owned(), value.to_owned()));
            }
        }
    }
}

type Script = dyn Fn(&[u8], u64) -> Reply + Send + Sync;

/// Answers each request as a script says. Clones share the script and the log, so that a test keeps
/// one and gives the others away, to workers on other threads too.
#[derive(Clone)]
pub struct Fake {
    script: Arc<Script>,
    log: Arc<Mutex<Vec<Sent>>>,
    origins: Arc<Mutex<Vec<String>>>,
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
        Self {
            script: Arc::new(script),
            log: Arc::default(),
            origins: Arc::default(),
            probe: Ok(()),
        }
    }

    /// The same, but a target cannot be reached by [`Protocol::probe`].
    #[must_use]
    pub fn unreachable(self, target: usize, fault: Fault) -> Self {
        Self { probe: Err((target, fault)), ..self }
    }

    /// The same with these targets, each `scheme://host[:port]`; without them every number is one.
    #[must_use]
    pub fn with_targets(self, origins: &[&str]) -> Self {
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Self { origins: Arc::new(Mutex::new(origins)), ..self }
    }

    /// What was sent so far, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, at: Instant, kept: &Kept, request: Outgoing<'_>) -> u64 {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Outgoing { target, bytes, redirects, connection, .. } = request;
        let (bytes, pair) = (bytes.to_vec(), kept.pair.clone());
        log.push(Sent { at, target, bytes, redirects, connection, pair });
        log.len() as u64 - 1
    }
}

impl Protocol for Fake {
    type Connection = Kept;

    async fn exchange(
        &self,
        kept: &mut Kept,
        request: Outgoing<'_>,
        answer: &mut Answer,
    ) -> Exchange {
        let sent = Instant::now();
        let nth = self.record(sent, kept, request);
        let reply = (self.script)(request.bytes, nth);

        // Taken out first: an exchange that is cut leaves no connection behind.
        let own = request.connection == Use::Own;
        let stands = own.then(|| kept.connected.iter().position(|to| *to == request.target));
        let stands = stands.flatten().map(|place| kept.connected.remove(place));
        let connect = stands.is_none().then(|| Opening::new(Duration::ZERO, None));

        // A system call that fails at once lets nobody else have a turn: neither does this.
        let answered = reply.after.is_zero()
            || timeout(request.limits.total, sleep(reply.after)).await.is_ok();
        let status = if answered { reply.status } else { Err(Fault::TotalTimeout) };
        let connects = !matches!(status, Err(Fault::ConnectRefused | Fault::LocalFiles));
        let sent = connects.then_some(sent);
        let (ended, hops) = (Instant::now(), reply.hops);
        let mut exchange = Exchange {
            sent,
            first_byte: None,
            ended,
            connect,
            body_bytes: 0,
            decoded_bytes: 0,
            hops,
            noticed: Noticed::default(),
            status,
        };
        if status.is_ok() {
            if own {
                kept.connected.push(request.target);
            }
            kept.take_cookies(request.target, &reply.head);
            exchange.first_byte = Some(ended);
            exchange.body_bytes = reply.body.len() as u64;
            let failed = request.keep_failed && status.is_ok_and(|status| status >= 400);
            if request.keep_head || failed {
                answer.head.extend_from_slice(&reply.head);
            }
            if failed && !request.keep_body {
                answer.body.extend_from_slice(&reply.body[..reply.body.len().min(4096)]);
            }
            if request.keep_body {
                answer.body.extend_from_slice(&reply.body);
            }
        }
        exchange
    }

    fn target(&self, _from: usize, origin: &str) -> Result<usize, Fault> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(origins.iter().position(|known| known == origin).unwrap_or_else(|| {
            origins.push(origin.to_owned());
            origins.len() - 1
        }))
    }

    fn whereabouts(&self, target: usize) -> Whereabouts {
        let origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = origins.get(target).cloned().unwrap_or_default();
        Whereabouts { origin, ..Whereabouts::default() }
    }

    fn is_identified(&self, kept: &Kept) -> bool {
        kept.pair.is_some()
    }

    fn identify(&self, kept: &mut Kept, cert: String, key: String) {
        kept.pair = Some((cert, key));
    }

    fn share_cookies(&self, from: &mut Kept, with: &mut Kept) {
        with.cookies.clone_from(&from.cookies);
        with.pair.clone_from(&from.pair);
    }

    fn cookie(&self, kept: &Kept, target: usize, _path: &str, name: &str) -> Option<String> {
        let mut cookies = kept.cookies.iter();
        let found = cookies.find(|(at, known, _)| (*at, known.as_str()) == (target, name));
        found.map(|(_, _, value)| value.clone())
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
        Outgoing {
            continues: false,
            target,
            bytes,
            head_only: false,
            keep_head: true,
            keep_body: true,
            keep_failed: false,
            limits: &LIMITS,
            redirects: 0,
            connection: Use::Own,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fake_answers_by_its_script_and_remembers_every_request() {
        let fake = Fake::new(|bytes, nth| {
            Reply::new(Duration::from_millis(10 + nth), Ok(200)).header("A", "b").body(bytes)
        });
        let (start, mut kept) = (Instant::now(), Kept::default());
        let mut answer = Answer::default();
        for (target, bytes, new) in [(0, b"a", true), (1, b"b", true), (0, b"c", false)] {
            let exchange =
                fake.clone().exchange(&mut kept, request(target, bytes), &mut answer).await;
            assert_eq!((exchange.status, exchange.body_bytes), (Ok(200), 1));
            assert_eq!(exchange.connect.is_some(), new);
        }
        assert_eq!(answer.body, b"abc");
        assert_eq!(answer.head, b"A: b\r\n".repeat(3));
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
        let (mut kept, mut answer) = (Kept::default(), Answer::default());
        let exchange = fake.exchange(&mut kept, request(0, b"a"), &mut answer).await;
        assert_eq!(exchange.status, Err(Fault::TotalTimeout));
        assert_eq!(exchange.ended - exchange.sent.unwrap(), Duration::from_secs(1));
        let exchange = fake.exchange(&mut kept, request(0, b"a"), &mut answer).await;
        assert_eq!((exchange.status, kept), (Err(Fault::BodyReset), Kept::default()));
    }

    #[tokio::test]
    async fn a_fake_keeps_cookies_and_adds_targets() {
        let fake = Fake::new(|_, nth| {
            Reply::new(Duration::ZERO, Ok(200)).header("Set-Cookie", &format!("id={nth}; Path=/"))
        });
        let fake = fake.with_targets(&["http://a.test"]);
        let (mut kept, mut answer) = (Kept::default(), Answer::default());
        for target in [0, 1, 0] {
            let once = Outgoing { connection: Use::New, redirects: 3, ..request(target, b"x") };
            fake.exchange(&mut kept, once, &mut answer).await;
        }
        let cookie = |target, name| fake.cookie(&kept, target, "/", name);
        assert_eq!(cookie(0, "id").as_deref(), Some("2"));
        assert_eq!(cookie(1, "id").as_deref(), Some("1"));
        assert_eq!(cookie(0, "other"), None);
        let targets = ["http://b.test", "http://a.test", "http://b.test"];
        assert_eq!(targets.map(|origin| fake.target(0, origin)), [Ok(1), Ok(0), Ok(1)]);
        let asked = |sent: &Sent| (sent.redirects, sent.connection);
        assert!(fake.sent().iter().all(|sent| asked(sent) == (3, Use::New)));
        assert_eq!(kept.connected, Vec::<usize>::new());
    }

    #[tokio::test]
    async fn a_fake_can_be_reached_unless_told_otherwise() {
        let fake = Fake::new(|_, _| Reply::new(Duration::ZERO, Ok(200)));
        assert_eq!(fake.probe(&LIMITS).await, Ok(()));
        let fake = fake.unreachable(1, Fault::ConnectRefused);
        assert_eq!(fake.probe(&LIMITS).await, Err((1, Fault::ConnectRefused)));
    }
}
