//! Owns what looking up names needs of the runtime. What the library brings for tokio asks for its
//! threads, and with them every wait of every user would cost more.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::{DnsTcpStream, DnsUdpSocket, RuntimeProvider, Spawn, Time};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of the worker that asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here;

/// What a name server is asked over at first.
pub(super) struct Udp(UdpSocket);

/// What it is asked over when the answer is long.
pub(super) struct Tcp(TcpStream);

impl RuntimeProvider for Here {
    type Handle = Self;
    type Timer = Self;
    type Udp = Udp;
    type Tcp = Tcp;

    fn create_handle(&self) -> Self {
        *self
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        _: Option<SocketAddr>,
        limit: Option<Duration>,
    ) -> Boxed<'static, io::Result<Tcp>> {
        Box::pin(async move {
            let connect = TcpStream::connect(server);
            let stream = match limit {
                Some(limit) => timeout(limit, connect).await??,
                None => connect.await?,
            };
            stream.set_nodelay(true)?;
            Ok(Tcp(stream))
        })
    }

    fn bind_udp(&self, local: SocketAddr, _: SocketAddr) -> Boxed<'static, io::Result<Udp>> {
        Box::pin(async move { UdpSocket::bind(local).await.map(Udp) })
    }
}

impl Spawn for Here {
    fn spawn_bg(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        // It ends when nobody waits for its answers.
        drop(tokio::spawn(task));
    }
}

impl Time for Here {
    fn delay_for<'a>(time: Duration) -> Boxed<'a, ()> {
        Box::pin(sleep(time))
    }

    fn timeout<'a, F>(limit: Duration, future: F) -> Boxed<'a, io::Result<F::Output>>
    where
        F: Future + Send + 'static + 'a,
    {
        Box::pin(async move { Ok(timeout(limit, future).await?) })
    }
}

impl DnsUdpSocket for Udp {
    type Time = Here;

    fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut read = ReadBuf::new(bytes);
        let from = ready!(self.0.poll_recv_from(context, &mut read))?;
        Poll::Ready(Ok((read.filled().len(), from)))
    }

    fn poll_send_to(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(context, bytes, to)
    }
}

impl DnsTcpStream for Tcp {
    type Time = Here;
}

impl futures_io::AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(bytes);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
    }
}

impl futures_io::AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
