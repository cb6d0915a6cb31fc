//! Owns the stream under a connection: bytes in the clear or within TLS, told apart by a match.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_rustls::client::TlsStream;

/// A stream to a server.
#[derive(Debug)]
pub(super) enum Stream {
    /// As the bytes are.
    Plain(TcpStream),
    /// Boxed: its state is a kilobyte, and most runs have none.
    Tls(Box<TlsStream<TcpStream>>),
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
            Self::Plain(stream) => match stream.try_read(&mut byte) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Idle::Quiet,
                Ok(1..) => Idle::Unasked,
                Ok(0) | Err(_) => Idle::Gone,
            },
            Self::Tls(stream) => {
                let mut read = ReadBuf::new(&mut byte);
                let look = poll_fn(|context| Pin::new(&mut **stream).poll_read(context, &mut read));
                // Nobody waits: the next exchange leaves its own waker. And a task that has used up
                // its turn must be told the truth all the same.
                let mut context = Context::from_waker(Waker::noop());
                match pin!(unconstrained(look)).poll(&mut context) {
                    Poll::Pending => Idle::Quiet,
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => Idle::Unasked,
                    Poll::Ready(_) => Idle::Gone,
                }
            }
        }
    }

    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
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
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    /// Hands on what TLS has taken and not yet written. Where that must wait, the context is woken.
    ///
    /// # Errors
    /// Nothing more can be written.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => match Pin::new(&mut **stream).poll_flush(context) {
                Poll::Ready(flushed) => flushed,
                Poll::Pending => Ok(()),
            },
        }
    }

    #[cfg(test)]
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}
