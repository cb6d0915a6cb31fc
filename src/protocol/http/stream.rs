//! Owns the stream under a connection: bytes in the clear or within TLS, told apart by a match.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::unconstrained;
use tokio_rustls::client::TlsStream;

/// A stream to a server. One variant beside the common one: with more it would need a word of its own
/// to tell them apart, in every connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// As the bytes are.
    Plain(TcpStream),
    /// Boxed: the state of TLS is a kilobyte, and most runs have none.
    Other(Box<Other>),
}

/// What is rare, or large.
#[derive(Debug)]
pub(super) enum Other {
    /// Secured.
    Tls(TlsStream<TcpStream>),
    /// To a socket of this machine.
    Socket(UnixStream),
    /// The same, secured.
    TlsSocket(TlsStream<UnixStream>),
}

impl From<Other> for Stream {
    fn from(other: Other) -> Self {
        Self::Other(other.into())
    }
}

/// What a stream holds that was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// Nothing.
    Quiet,
    /// Bytes that nobody asked for.
    Unasked,
    /// It was closed, or is broken.
    Gone,
}

impl Stream {
    /// What it holds that was not read. What TLS sends for itself after the handshake, such as
    /// tickets, is taken in and counts as nothing. Costs no system call unless the runtime saw
    /// something.
    pub(super) fn idle(&mut self) -> Idle {
        let mut byte = [0];
        match self {
            Self::Plain(stream) => idle_after(stream.try_read(&mut byte)),
            Self::Other(other) => match &mut **other {
                Other::Tls(stream) => idle_within(Pin::new(stream)),
                Other::Socket(stream) => idle_after(stream.try_read(&mut byte)),
                Other::TlsSocket(stream) => idle_within(Pin::new(stream)),
            },
        }
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Other(other) => match &mut **other {
                Other::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
                Other::Socket(stream) => Pin::new(stream).poll_read(context, buffer),
                Other::TlsSocket(stream) => Pin::new(stream).poll_read(context, buffer),
            },
        }
    }

    /// `first`: nothing was written before, so that there is nearly always room for it.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
        first: bool,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => {
                if first {
                    match stream.try_write(bytes) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        written => return Poll::Ready(written),
                    }
                }
                Pin::new(stream).poll_write(context, bytes)
            }
            Self::Other(other) => match &mut **other {
                Other::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
                Other::Socket(stream) => Pin::new(stream).poll_write(context, bytes),
                Other::TlsSocket(stream) => Pin::new(stream).poll_write(context, bytes),
            },
        }
    }

    /// Hands on what TLS has taken and not yet written. Where that must wait, the context is woken.
    ///
    /// # Errors
    /// Nothing more can be written.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let flushed = match self {
            Self::Plain(_) => return Ok(()),
            Self::Other(other) => match &mut **other {
                Other::Tls(stream) => Pin::new(stream).poll_flush(context),
                Other::Socket(_) => return Ok(()),
                Other::TlsSocket(stream) => Pin::new(stream).poll_flush(context),
            },
        };
        match flushed {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    #[cfg(test)]
    pub(super) fn secured(&self) -> &TlsStream<TcpStream> {
        match self {
            Self::Other(other) => match &**other {
                Other::Tls(stream) => stream,
                other => panic!("{other:?}"),
            },
            Self::Plain(stream) => panic!("{stream:?}"),
        }
    }

    #[cfg(test)]
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Other(_) => self.secured().get_ref().0,
        }
    }
}

/// What a stream holds in which a read came to this.
fn idle_after(read: io::Result<usize>) -> Idle {
    match read {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Idle::Quiet,
        Ok(1..) => Idle::Unasked,
        Ok(0) | Err(_) => Idle::Gone,
    }
}

/// The same within TLS.
fn idle_within(mut stream: Pin<&mut impl AsyncRead>) -> Idle {
    let mut byte = [0];
    let mut read = ReadBuf::new(&mut byte);
    let look = poll_fn(|context| stream.as_mut().poll_read(context, &mut read));
    // Nobody waits: the next exchange leaves its own waker. And a task that has used up its turn must
    // be told the truth all the same.
    let mut context = Context::from_waker(Waker::noop());
    match pin!(unconstrained(look)).poll(&mut context) {
        Poll::Pending => Idle::Quiet,
        Poll::Ready(Ok(())) if !read.filled().is_empty() => Idle::Unasked,
        Poll::Ready(_) => Idle::Gone,
    }
}
