//! Owns connecting: which address is tried when, from where, and what its failures are called.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::client::TlsStream;

use super::client::Http;
use super::connection::after;
use super::dns::has_way;
use super::identity::As;
use super::stream::{Other, Stream};
use super::targets::Where;
use super::tls::Tls;
use crate::metrics::{FailureKind, Fault};
use crate::protocol::Limits;

/// How long an address has for itself before the next is tried beside it (RFC 8305, section 5).
const ALONE: Duration = Duration::from_millis(250);
/// Between two tries of a socket whose server has not yet taken those who wait.
const FULL: Duration = Duration::from_millis(1);

impl Http {
    /// Connects to a target; beside the stream stands how long agreeing on TLS took. Of several
    /// addresses each connection begins with the next one; when it fails, or does not stand after a
    /// while, the one behind it is tried, and the first that stands is taken. The fault is the last that was met. With an address that takes the connection a
    /// server is met: what becomes of TLS with it is the end of it.
    pub(super) async fn connect(
        &self,
        target: usize,
        limits: &Limits,
        started: Instant,
        now: Instant,
        whom: As,
    ) -> Result<(Stream, Option<Duration>), Fault> {
        let known = self.targets.get(target);
        let total = after(started, limits.total);
        let tls = match (&known.target.tls, whom) {
            (Some(tls), As { pair: Some(pair), .. }) => {
                let made = timeout_at(total, self.pairs.of_user(tls, known.target.way, pair)).await;
                Some(Cow::Owned(made.unwrap_or(Err(Fault::TotalTimeout))?))
            }
            (Some(tls), As { sessions: Some(sessions), .. }) => {
                Some(Cow::Owned(tls.resuming(sessions)))
            }
            (tls, _) => tls.as_ref().map(Cow::Borrowed),
        };
        let tls = tls.as_deref();
        match known.reach(self.targets.asking(), total).await? {
            Where::At(addresses) => {
                let turn = known.turn();
                let tries = self.sources.from(turn, &addresses);
                let ended = |fault| match fault {
                    Fault::HeadReset if tls.is_some() => Fault::TlsReset,
                    fault => fault,
                };
                let attempt = |(address, source): (SocketAddr, Option<IpAddr>)| async move {
                    let limit = after(Instant::now(), limits.connect);
                    match timeout_at(limit.min(total), open(address, source)).await {
                        Ok(Ok(stream)) => Ok(stream),
                        Ok(Err(error)) => Err(ended(fault_at(address, &error))),
                        Err(_) if total < limit => Err(Fault::TotalTimeout),
                        Err(_) => Err(Fault::ConnectTimeout),
                    }
                };
                let stream = race(tries.into_iter().map(attempt)).await?;
                match tls {
                    None => Ok((Stream::Plain(stream), None)),
                    Some(tls) => {
                        let (stream, took) = secure(tls, stream, limits, total).await?;
                        Ok((Other::Tls(stream).into(), Some(took)))
                    }
                }
            }
            Where::Socket(path) => {
                let limit = after(now, limits.connect);
                let stream = match timeout_at(limit.min(total), open_socket(&path)).await {
                    Ok(opened) => opened.map_err(|error| socket_fault(&error))?,
                    Err(_) if total < limit => return Err(Fault::TotalTimeout),
                    Err(_) => return Err(Fault::ConnectTimeout),
                };
                match tls {
                    None => Ok((Other::Socket(stream).into(), None)),
                    Some(tls) => {
                        let (stream, took) = secure(tls, stream, limits, total).await?;
                        Ok((Other::TlsSocket(stream).into(), Some(took)))
                    }
                }
            }
        }
    }
}

/// Where connections come from: these addresses of this machine, in turn; where the system likes,
/// when there are none.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources {
    four: Vec<IpAddr>,
    six: Vec<IpAddr>,
}

impl Sources {
    pub(super) fn new(all: &[IpAddr]) -> Self {
        let (six, four) = all.iter().partition(|address| address.is_ipv6());
        Self { four, six }
    }

    /// What the connection of this turn tries, in order: each address with where it comes from. An
    /// address of a kind that none of ours is of is left out.
    fn from(&self, turn: usize, addresses: &[SocketAddr]) -> Vec<(SocketAddr, Option<IpAddr>)> {
        let any = self.four.is_empty() && self.six.is_empty();
        let count = addresses.len().max(1);
        let (first, round) = (turn % count, turn / count);
        let rotated = addresses[first..].iter().chain(&addresses[..first]);
        let tries = rotated.filter_map(|address| {
            let ours = if address.is_ipv4() { &self.four } else { &self.six };
            match ours.len() {
                0 if any => Some((*address, None)),
                0 => None,
                // One round of all addresses from each, so that every pair has its turn.
                len => Some((*address, Some(ours[round % len]))),
            }
        });
        tries.collect()
    }
}

/// Attempts begin one after the other, as soon as the one before has failed or has had its time
/// alone, and go on beside each other. The first that stands is it, and the others are dropped; when
/// none stands, the fault is the last that was met, or one of our own.
async fn race<T, F>(attempts: impl IntoIterator<Item = F>) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut waiting = attempts.into_iter();
    let mut running: Vec<Pin<Box<F>>> = Vec::new();
    let mut next = pin!(sleep_until(Instant::now()));
    let mut last = Fault::ConnectUnreachable;
    poll_fn(|context| {
        let mut begin = running.is_empty();
        loop {
            let mut at = 0;
            while let Some(one) = running.get_mut(at) {
                match one.as_mut().poll(context) {
                    Poll::Pending => at += 1,
                    Poll::Ready(Err(fault)) if !ends_all(fault) => {
                        drop(running.remove(at));
                        // What is ours is not the next address's to be blamed for.
                        if last.kind() != FailureKind::Generator {
                            last = fault;
                        }
                        begin = true;
                    }
                    Poll::Ready(ended) => return Poll::Ready(ended),
                }
            }
            if !begin && next.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let Some(attempt) = waiting.next() else {
                let over = running.is_empty();
                return if over { Poll::Ready(Err(last)) } else { Poll::Pending };
            };
            running.push(Box::pin(attempt));
            next.as_mut().reset(Instant::now() + ALONE);
            begin = false;
        }
    })
    .await
}

/// The one leaves no time for another address, the others have met a server.
fn ends_all(fault: Fault) -> bool {
    matches!(fault, Fault::TotalTimeout | Fault::HeadReset | Fault::TlsReset)
}

async fn open(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A request is written at once; waiting to send more would only make it late.
    socket.set_nodelay(true)?;
    if let Some(source) = source {
        socket.bind((source, 0).into())?;
    }
    socket.connect(address).await
}

/// A socket whose queue is full says so at once, where TCP would have us wait: we wait here.
async fn open_socket(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(FULL).await,
            opened => return opened,
        }
    }
}

/// The stream within TLS, and how long that took. `total` is when the whole exchange must have ended.
async fn secure<S>(
    tls: &Tls,
    stream: S,
    limits: &Limits,
    total: Instant,
) -> Result<(TlsStream<S>, Duration), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let begun = Instant::now();
    let limit = after(begun, limits.tls);
    match timeout_at(limit.min(total), tls.handshake(stream)).await {
        Ok(secured) => secured.map(|stream| (stream, begun.elapsed())),
        Err(_) if total < limit => Err(Fault::TotalTimeout),
        Err(_) => Err(Fault::TlsTimeout),
    }
}

fn fault_at(address: SocketAddr, error: &io::Error) -> Fault {
    match connect_fault(error) {
        // The same word for two things: all ports are taken, or we are nowhere from where that
        // address can be met.
        Fault::LocalPorts
            if error.kind() == io::ErrorKind::AddrNotAvailable && !has_way(address.ip()) =>
        {
            Fault::ConnectUnreachable
        }
        fault => fault,
    }
}

fn socket_fault(error: &io::Error) -> Fault {
    match error.kind() {
        // Nobody has made it yet.
        io::ErrorKind::NotFound => Fault::ConnectRefused,
        _ => connect_fault(error),
    }
}

fn connect_fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Fault::ConnectRefused,
        // A SYN that is reset is "refused". This connection stood, and was reset before we looked:
        // whether we look in time must not decide what it is called.
        io::ErrorKind::ConnectionReset => Fault::HeadReset,
        io::ErrorKind::ConnectionAborted => Fault::ConnectReset,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Fault::ConnectUnreachable,
        io::ErrorKind::TimedOut => Fault::ConnectTimeout,
        // The one says so when it connects, the other when an address of ours was chosen.
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => Fault::LocalPorts,
        _ => match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => Fault::LocalFiles,
            _ => Fault::ConnectFailed,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_about_connecting_is_told_apart() {
        for (errno, fault) in [
            (Errno::CONNREFUSED, Fault::ConnectRefused),
            (Errno::CONNRESET, Fault::HeadReset),
            (Errno::CONNABORTED, Fault::ConnectReset),
            (Errno::HOSTUNREACH, Fault::ConnectUnreachable),
            (Errno::NETUNREACH, Fault::ConnectUnreachable),
            (Errno::NETDOWN, Fault::ConnectUnreachable),
            (Errno::TIMEDOUT, Fault::ConnectTimeout),
            (Errno::MFILE, Fault::LocalFiles),
            (Errno::NFILE, Fault::LocalFiles),
            (Errno::ADDRNOTAVAIL, Fault::LocalPorts),
            (Errno::ADDRINUSE, Fault::LocalPorts),
            (Errno::ACCESS, Fault::ConnectFailed),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(connect_fault(&error), fault, "{error}");
        }
    }

    #[test]
    fn ports_have_run_out_only_where_there_is_a_way() {
        let error = || io::Error::from_raw_os_error(Errno::ADDRNOTAVAIL.raw_os_error());
        assert_eq!(fault_at("127.0.0.1:80".parse().unwrap(), &error()), Fault::LocalPorts);
        let nowhere: SocketAddr = "[::192.0.2.1]:80".parse().unwrap();
        if !has_way(nowhere.ip()) {
            assert_eq!(fault_at(nowhere, &error()), Fault::ConnectUnreachable);
        }
    }

    fn tries(sources: &[&str], turn: usize, addresses: &[&str]) -> Vec<String> {
        let sources: Vec<_> = sources.iter().map(|text| text.parse().unwrap()).collect();
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let tries = Sources::new(&sources).from(turn, &addresses);
        let shown = tries.into_iter().map(|(to, from)| match from {
            None => to.to_string(),
            Some(from) => format!("{from} > {to}"),
        });
        shown.collect()
    }

    #[test]
    fn each_connection_begins_with_the_next_address() {
        let three = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];
        assert_eq!(tries(&[], 0, &three), three);
        assert_eq!(tries(&[], 4, &three), ["10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:80"]);
        assert_eq!(tries(&[], 7, &[]), Vec::<String>::new());
    }

    #[test]
    fn each_pair_of_addresses_has_its_turn() {
        let two = ["10.0.0.1:80", "10.0.0.2:80"];
        let ours = ["127.0.0.2", "127.0.0.3", "::1"];
        let first = |turn| tries(&ours, turn, &two)[0].clone();
        let turns: Vec<_> = (0..5).map(first).collect();
        assert_eq!(
            turns,
            [
                "127.0.0.2 > 10.0.0.1:80",
                "127.0.0.2 > 10.0.0.2:80",
                "127.0.0.3 > 10.0.0.1:80",
                "127.0.0.3 > 10.0.0.2:80",
                "127.0.0.2 > 10.0.0.1:80",
            ]
        );
        assert_eq!(tries(&["127.0.0.2"], 1, &["[::1]:80", "10.0.0.1:80"]).len(), 1);
        assert_eq!(tries(&["127.0.0.2"], 0, &["[::1]:80"]), Vec::<String>::new());
    }

    /// What comes of attempts that each end so many milliseconds after they began, and when that is;
    /// with when each began.
    async fn raced(attempts: &[(u64, Result<u8, Fault>)]) -> (Result<u8, Fault>, u128, Vec<u128>) {
        let began = Instant::now();
        let starts = std::cell::RefCell::new(Vec::new());
        let attempt = |(ms, ended): &(u64, Result<u8, Fault>)| {
            let (ms, ended, starts) = (*ms, *ended, &starts);
            async move {
                starts.borrow_mut().push(began.elapsed().as_millis());
                sleep(Duration::from_millis(ms)).await;
                ended
            }
        };
        let ended = race(attempts.iter().map(attempt)).await;
        let after = began.elapsed().as_millis();
        (ended, after, starts.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_address_is_tried_while_the_first_is_still_pending() {
        let refused = Err(Fault::ConnectRefused);
        let late = Err(Fault::ConnectTimeout);
        assert_eq!(raced(&[(40, Ok(1))]).await, (Ok(1), 40, vec![0]));
        assert_eq!(raced(&[(249, Ok(1)), (1, Ok(2))]).await, (Ok(1), 249, vec![0]));
        assert_eq!(raced(&[(900, Ok(1)), (10, Ok(2))]).await, (Ok(2), 260, vec![0, 250]));
        assert_eq!(raced(&[(300, Ok(1)), (100, Ok(2))]).await, (Ok(1), 300, vec![0, 250]));
        assert_eq!(raced(&[(40, refused), (30, Ok(2))]).await, (Ok(2), 70, vec![0, 40]));
        let three = [(5_000, late), (400, refused), (30, Ok(3))];
        assert_eq!(raced(&three).await, (Ok(3), 530, vec![0, 250, 500]));
    }

    #[tokio::test(start_paused = true)]
    async fn when_none_stands_the_last_fault_is_told() {
        let refused = Err(Fault::ConnectRefused);
        let late = Err(Fault::ConnectTimeout);
        assert_eq!(raced(&[(5_000, late), (30, refused)]).await, (late, 5_000, vec![0, 250]));
        let both = [(30, refused), (5_000, late)];
        assert_eq!(raced(&both).await, (late, 5_030, vec![0, 30]));
        // Our own shortage is what stood in the way, whatever the other address says.
        let ports = Err(Fault::LocalPorts);
        assert_eq!(raced(&[(1, ports), (1, refused)]).await, (ports, 2, vec![0, 1]));
        assert_eq!(raced(&[(1, refused), (1, ports)]).await, (ports, 2, vec![0, 1]));
        let reset = Err(Fault::HeadReset);
        assert_eq!(raced(&[(30, reset), (1, Ok(2))]).await, (reset, 30, vec![0]));
        assert_eq!(raced(&[]).await, (Err(Fault::ConnectUnreachable), 0, vec![]));
    }
}
