//! Owns one connection: the stream, the reader of its answers, and the timer that limits them.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep_until};

use super::codec::{Noted, ResponseReader, Wanted};
use super::stream::{Idle, Stream};
use super::tls;
use crate::metrics::{Fault, Notice, Noticed};
use crate::protocol::{Answer, Exchange, Outgoing};

/// How long a body is held back from a server that does not ask for it.
const HELD: Duration = Duration::from_secs(1);

thread_local! {
    /// Every connection of a worker reads into this one buffer, and leaves nothing in it between polls.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; 64 * 1024].into_boxed_slice());
}

/// A connection that stands.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    reader: ResponseReader,
    /// Armed at the first wait and then left alone: a request that is answered in time does not
    /// touch the runtime's timers. When it fires too early it is armed again.
    timer: Option<Pin<Box<Sleep>>>,
    reusable: bool,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, reader: ResponseReader::new(), timer: None, reusable: true }
    }

    /// The answer was whole, and both ends want to go on.
    pub(super) fn is_whole(&self) -> bool {
        self.reusable
    }

    /// It may carry another request: it is whole, and the server did not close since nor send what
    /// nobody asked for, which is noticed. Costs no system call unless the runtime saw something.
    pub(super) fn is_reusable(&mut self, noticed: &mut Noticed) -> bool {
        if !self.reusable {
            return false;
        }
        let idle = self.stream.idle();
        if idle == Idle::Unasked {
            noticed.add(Notice::Unasked);
        }
        idle == Idle::Quiet
    }

    /// The last exchange, which went over a kept connection, met its end instead of an answer: the
    /// server had closed it before it saw the request (RFC 9112 §9.3.1).
    pub(super) fn was_stale(&self, status: Result<u16, Fault>) -> bool {
        let ended = [Fault::HeadClosed, Fault::HeadReset, Fault::SendReset].map(Err);
        ended.contains(&status) && self.reader.is_untouched()
    }

    /// What the head of the last answer held.
    pub(super) fn noted(&self) -> Noted {
        self.reader.noted()
    }

    /// Sends a request and reads its answer. `started` is when the exchange began, `sent` is now.
    pub(super) fn converse<'a>(
        &'a mut self,
        request: &'a Outgoing<'a>,
        answer: &'a mut Answer,
        started: Instant,
        sent: Instant,
    ) -> Talk<'a> {
        let held = request.continues && head_of(request.bytes) < request.bytes.len();
        // Until the answer is whole: a future that is dropped midway leaves the rest on the wire.
        self.reusable = false;
        self.reader.begin(Wanted {
            head_only: request.head_only,
            head: request.keep_head,
            location: request.redirects > 0,
            encoding: request.keep_body,
            continues: held,
            failed: request.keep_failed && !request.keep_body,
        });
        Talk {
            connection: self,
            request,
            answer,
            started,
            sent,
            wrote: sent,
            written: 0,
            broken: false,
            held,
            first_byte: None,
            last_read: None,
        }
    }
}

/// One exchange under way. It sends and reads at the same time: a server may answer, and stop
/// reading, before it has the whole request (RFC 9112 §9.5).
pub(super) struct Talk<'a> {
    connection: &'a mut Connection,
    request: &'a Outgoing<'a>,
    answer: &'a mut Answer,
    started: Instant,
    sent: Instant,
    /// When the last bytes of the request went out, as far as it was sent in several parts: the server
    /// cannot answer what it has not got.
    wrote: Instant,
    written: usize,
    /// Nothing more can be sent; an answer may have come before that.
    broken: bool,
    /// The body waits for the server to ask for it.
    held: bool,
    first_byte: Option<Instant>,
    /// When the last byte came; empty when the clock was not read since.
    last_read: Option<Instant>,
}

type End = (Instant, Result<u16, Fault>);

impl Future for Talk<'_> {
    type Output = Exchange;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Exchange> {
        let talk = &mut *self;
        talk.poll_send(context);
        let was_held = talk.held;
        let received = READ_BUFFER.with_borrow_mut(|buffer| talk.poll_receive(context, buffer));
        if was_held && !talk.held && received.is_pending() {
            talk.poll_send(context);
        }
        let (ended, status) = ready!(received);

        let reader = &talk.connection.reader;
        let body_bytes = reader.body_bytes();
        talk.connection.reusable = talk.is_sent() && status.is_ok() && reader.keeps_alive();
        let noticed = reader.noticed();
        let Talk { sent, first_byte, .. } = *talk;
        let sent = Some(sent);
        Poll::Ready(Exchange {
            sent,
            first_byte,
            ended,
            connect: None,
            body_bytes,
            decoded_bytes: 0,
            hops: 0,
            noticed,
            status,
        })
    }
}

impl Talk<'_> {
    fn is_sent(&self) -> bool {
        self.written == self.request.bytes.len()
    }

    /// All is sent that may be.
    fn is_through(&self) -> bool {
        self.is_sent() || self.held && self.written == head_of(self.request.bytes)
    }

    fn poll_send(&mut self, context: &mut Context<'_>) {
        while !self.broken && !self.is_through() {
            let bytes = self.request.bytes;
            let end = if self.held { head_of(bytes) } else { bytes.len() };
            let rest = &bytes[self.written..end];
            match self.connection.stream.poll_write(context, rest, self.written == 0) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    if self.written > 0 {
                        self.wrote = Instant::now();
                    }
                    self.written += count;
                }
                Poll::Ready(_) => self.broken = true,
                Poll::Pending => return,
            }
        }
        if !self.broken && self.connection.stream.poll_flush(context).is_err() {
            self.broken = true;
        }
    }

    fn poll_receive(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<End> {
        loop {
            let mut read = ReadBuf::new(buffer);
            let result = match self.connection.stream.poll_read(context, &mut read) {
                Poll::Pending => return self.poll_limits(context),
                Poll::Ready(result) => result,
            };
            let reader = &mut self.connection.reader;
            let end = match result {
                Ok(()) if read.filled().is_empty() => match reader.closed() {
                    Ok(()) => Ok(reader.status()),
                    Err(fault) => Err(self.named(fault)),
                },
                Err(error) => Err(self.broken_by(&error)),
                Ok(()) => match self.take(read.filled()) {
                    Some(end) => return Poll::Ready(end),
                    None => continue,
                },
            };
            return Poll::Ready((Instant::now(), end));
        }
    }

    /// Gives the reader what was read. The clock is read only where a time is needed.
    fn take(&mut self, bytes: &[u8]) -> Option<End> {
        let reader = &mut self.connection.reader;
        let interims = reader.interims();
        let Answer { head, body } = &mut *self.answer;
        let keeps = self.request.keep_body || self.request.keep_failed;
        let fed = reader.feed(bytes, head, keeps.then_some(body));
        if reader.interims() != interims {
            self.first_byte = None;
            self.held &= !reader.is_continued();
        }
        let begins = self.first_byte.is_none() && reader.begun();
        if fed == Ok(false) && !begins {
            self.last_read = None;
            return None;
        }

        let now = Instant::now();
        self.last_read = Some(now);
        if begins {
            self.first_byte = Some(now);
        }
        match fed {
            Ok(true) => Some((now, Ok(reader.status()))),
            Ok(false) => None,
            Err(fault) => Some((now, Err(fault))),
        }
    }

    /// The connection's end while the request was still being sent is a fault of sending; but a
    /// reset that came before anything was sent is none.
    fn named(&self, fault: Fault) -> Fault {
        match (self.connection.reader.in_body() || self.is_through(), self.written) {
            // Who could not send any more was told of the reset by that: what is read then is an end.
            (true, _) if self.broken && fault == Fault::HeadClosed => Fault::HeadReset,
            (true, _) => fault,
            (false, 0) => Fault::HeadReset,
            (false, _) => Fault::SendReset,
        }
    }

    fn broken_by(&mut self, error: &io::Error) -> Fault {
        let reader = &mut self.connection.reader;
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // Within TLS, and the server did not say that this is the end: a body without a length
            // may have been cut by anyone on the way (RFC 9112 §9.8).
            let fault = reader.closed().err().unwrap_or(Fault::BodyTruncated);
            return self.named(fault);
        }
        match tls::broken(error) {
            Some(fault) => fault,
            None => self.named(self.connection.reader.reset()),
        }
    }

    /// Waits, but not beyond the limits.
    fn poll_limits(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let limits = self.request.limits;
        let total = (after(self.started, limits.total), Fault::TotalTimeout);
        let part = if self.connection.reader.in_body() {
            let last_read = *self.last_read.get_or_insert_with(Instant::now);
            // A body that never lets the runtime's timers have their turn.
            if last_read >= total.0 {
                return Poll::Ready((last_read, Err(total.1)));
            }
            (after(last_read, limits.idle), Fault::IdleTimeout)
        } else {
            (after(self.wrote, limits.first_byte), Fault::TtfbTimeout)
        };
        let (deadline, fault) = match self.held {
            // The server is not asked to answer yet.
            true => (total.0.min(after(self.sent, HELD)), total.1),
            false if part.0 <= total.0 => part,
            false => total,
        };
        let timer = self.connection.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            if now >= deadline {
                break;
            }
            timer.as_mut().reset(deadline);
        }
        if self.held && deadline < total.0 {
            // The server says nothing: it may not know what was asked of it.
            self.held = false;
            self.wrote = Instant::now();
            return self.poll_limits(context);
        }
        Poll::Ready((Instant::now(), Err(fault)))
    }
}

/// Where the body of a request begins.
fn head_of(bytes: &[u8]) -> usize {
    const END: &[u8] = b"\r\n\r\n";
    let end = bytes.windows(END.len()).position(|four| four == END);
    end.map_or(bytes.len(), |end| end + END.len())
}

/// A time so far away that no run sees it, when the sum has no place on the clock.
pub(super) fn after(start: Instant, duration: Duration) -> Instant {
    const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    start.checked_add(duration).unwrap_or_else(|| start + YEARS)
}
