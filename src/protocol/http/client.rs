//! Owns the HTTP/1.1 client: targets, the connections that a user keeps, connecting.

use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, after};
use super::stream::Stream;
use super::tls::Tls;
use crate::metrics::Fault;
use crate::protocol::{Answer, Exchange, Limits, Outgoing, Protocol};

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// `host:port`, as in the Host header.
    pub authority: String,
    /// The addresses of the host, tried in this order.
    pub addresses: Vec<SocketAddr>,
    /// How connections to it are secured; in the clear when absent.
    pub tls: Option<Tls>,
}

/// The HTTP/1.1 client of one worker.
#[derive(Debug, Clone)]
pub struct Http {
    targets: Vec<Target>,
}

/// The connections that a user keeps: at most one to each target.
#[derive(Debug, Default)]
pub struct Connections {
    pub(super) kept: Vec<(usize, Connection)>,
}

impl Connections {
    /// Takes out the connection to a target if it can be used again. It is put back when its
    /// exchange has ended well, so that one that was cut is never seen again.
    fn take(&mut self, target: usize) -> Option<Connection> {
        let place = self.kept.iter().position(|(to, _)| *to == target)?;
        let (_, mut connection) = self.kept.swap_remove(place);
        connection.is_reusable().then_some(connection)
    }

    fn keep(&mut self, target: usize, connection: Connection) {
        // Most users keep one connection only; `push` would make room for four.
        self.kept.reserve_exact(1);
        self.kept.push((target, connection));
    }
}

impl Http {
    /// A client for these targets; [`Outgoing::target`] is the index of one of them.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self { targets }
    }

    /// Tries every address in turn; the fault is that of the last. With an address that takes the
    /// connection a server is met: what becomes of TLS with it is the end of it.
    async fn connect(
        &self,
        target: usize,
        limits: &Limits,
        started: Instant,
    ) -> Result<Stream, Fault> {
        let Target { addresses, tls, .. } = &self.targets[target];
        let total = after(started, limits.total);
        let mut fault = Fault::DnsFailed;
        let mut now = started;
        for &address in addresses {
            let limit = after(now, limits.connect);
            fault = match timeout_at(limit.min(total), open(address)).await {
                Ok(Ok(stream)) => {
                    return match tls {
                        None => Ok(Stream::Plain(stream)),
                        Some(tls) => secure(tls, stream, limits, total).await,
                    };
                }
                Ok(Err(error)) => match connect_fault(&error) {
                    Fault::HeadReset if tls.is_some() => Fault::TlsReset,
                    fault => fault,
                },
                Err(_) if total < limit => Fault::TotalTimeout,
                Err(_) => Fault::ConnectTimeout,
            };
            // The one has no time left for another address, the other has met a server.
            if matches!(fault, Fault::TotalTimeout | Fault::HeadReset | Fault::TlsReset) {
                break;
            }
            now = Instant::now();
        }
        Err(fault)
    }
}

impl Protocol for Http {
    type Connection = Connections;

    async fn exchange(
        &self,
        connections: &mut Connections,
        request: Outgoing<'_>,
        answer: &mut Answer,
    ) -> Exchange {
        let kept = connections.take(request.target);
        let started = Instant::now();
        let (mut connection, sent, connect) = match kept {
            Some(connection) => (connection, started, None),
            // Boxed, because connecting is rare and its state would be a part of every user.
            None => match Box::pin(self.connect(request.target, request.limits, started)).await {
                Ok(stream) => {
                    let sent = Instant::now();
                    (Connection::new(stream), sent, Some(sent - started))
                }
                Err(fault) => return not_connected(fault),
            },
        };
        let exchange = connection.converse(&request, &mut answer.body, started, sent).await;
        if connection.is_reusable() {
            connections.keep(request.target, connection);
        }
        Exchange { connect, ..exchange }
    }

    fn target(&self, origin: &str) -> Result<usize, Fault> {
        let known = self.targets.iter().position(|target| {
            let scheme = if target.tls.is_some() { "https" } else { "http" };
            origin == format!("{scheme}://{}", target.authority)
        });
        known.ok_or(Fault::DnsFailed)
    }

    fn cookie(&self, _: &Connections, _: usize, _: &str, _: &str) -> Option<String> {
        None
    }

    async fn probe(&self, limits: &Limits) -> Result<(), (usize, Fault)> {
        for target in 0..self.targets.len() {
            self.connect(target, limits, Instant::now()).await.map_err(|fault| (target, fault))?;
        }
        Ok(())
    }
}

/// The addresses of a host, in the system's order, each once. The host may be a name, an IPv4
/// address, or an IPv6 address with or without brackets.
///
/// # Errors
/// [`Fault::DnsFailed`] when there is none.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut addresses = Vec::new();
    for address in lookup_host((host, port)).await.map_err(|_| Fault::DnsFailed)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(Fault::DnsFailed) } else { Ok(addresses) }
}

fn not_connected(fault: Fault) -> Exchange {
    let ended = Instant::now();
    let (first_byte, connect) = (None, None);
    let (sent, status) = (None, Err(fault));
    Exchange { sent, first_byte, ended, connect, body_bytes: 0, hops: 0, status }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A request is written at once; waiting to send more would only make it late.
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

/// `total` is when the whole exchange must have ended.
async fn secure(
    tls: &Tls,
    stream: TcpStream,
    limits: &Limits,
    total: Instant,
) -> Result<Stream, Fault> {
    let limit = after(Instant::now(), limits.tls);
    match timeout_at(limit.min(total), tls.handshake(stream)).await {
        Ok(secured) => secured.map(Stream::Tls),
        Err(_) if total < limit => Err(Fault::TotalTimeout),
        Err(_) => Err(Fault::TlsTimeout),
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
        io::ErrorKind::AddrNotAvailable => Fault::LocalPorts,
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
            (Errno::ACCESS, Fault::ConnectFailed),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(connect_fault(&error), fault, "{error}");
        }
    }
}
