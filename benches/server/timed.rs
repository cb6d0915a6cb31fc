//! Owns the target that answers later: it holds requests until they are due, and keeps stamps of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime,
    timerfd_create, timerfd_settime,
};

use crate::heads::Reading;
use crate::manner::{Manner, Nanos};

/// The token of the timer; listeners follow from below, connections have their places.
const TIMER: u64 = u64::MAX;
const LISTENERS: u64 = u64::MAX - 256;
/// The kernel's timer is set for so long before an answer is due: the rest is spent looking.
const SPIN: Nanos = 80_000;

/// A request that waits for its answer; the order of the fields is that in which they are answered.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    at: Nanos,
    number: u64,
    came: Nanos,
    place: usize,
    connection: u64,
}

struct Connection {
    stream: TcpStream,
    reading: Reading,
    /// No other has or had it.
    serial: u64,
}

struct Target {
    begun: Nanos,
    manner: Manner,
    /// Requests since the begin or the last `/__reset`.
    received: u64,
    answered: u64,
    /// Of each answered request: when it came, when it was answered, on which connection.
    stamps: Vec<[Nanos; 3]>,
    waiting: BinaryHeap<Reverse<Job>>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    serial: u64,
    out: Vec<u8>,
}

fn monotonic() -> Nanos {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as Nanos * 1_000_000_000 + now.tv_nsec as Nanos
}

/// Answers as `manner` says.
///
/// `GET /__log` gives what it has seen, as little-endian numbers of eight bytes: when the server
/// began (of CLOCK_MONOTONIC), how many requests came, how many were answered, and then for each
/// answer three: when the request came, when it was answered (both from the begin), and the
/// connection. `GET /__reset` forgets it all, but for the begin.
pub fn serve(listeners: &[TcpListener], manner: Manner) -> io::Result<()> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let timer =
        timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    epoll::add(&poll, &timer, EventData::new_u64(TIMER), EventFlags::IN | EventFlags::ET)?;
    for (number, listener) in listeners.iter().enumerate() {
        let token = EventData::new_u64(LISTENERS + number as u64);
        epoll::add(&poll, listener, token, EventFlags::IN)?;
    }
    let mut target = Target {
        begun: monotonic(),
        manner,
        received: 0,
        answered: 0,
        stamps: Vec::new(),
        waiting: BinaryHeap::new(),
        connections: Vec::new(),
        free: Vec::new(),
        serial: 0,
        out: Vec::new(),
    };
    let mut buffer = vec![0; 64 * 1024];
    let mut events = Vec::with_capacity(256);
    let mut set = 0;
    loop {
        let next = target.answer_due();
        let now = target.now();
        let spin = next.is_some_and(|next| next <= now + SPIN);
        if let Some(next) = next.filter(|next| !spin && *next != set) {
            set = next;
            timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &once(target.begun + next - SPIN))?;
        }
        events.clear();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        epoll::wait(&poll, spare_capacity(&mut events), spin.then_some(&at_once))?;
        for event in &events {
            match event.data.u64() {
                TIMER => {}
                token if token >= LISTENERS => {
                    while let Ok((stream, _)) = listeners[(token - LISTENERS) as usize].accept() {
                        stream.set_nonblocking(true)?;
                        stream.set_nodelay(true)?;
                        let place = target.place();
                        epoll::add(
                            &poll,
                            &stream,
                            EventData::new_u64(place as u64),
                            EventFlags::IN,
                        )?;
                        target.connect(place, stream);
                    }
                }
                token => target.turn(token as usize, &mut buffer)?,
            }
        }
    }
}

fn once(at: Nanos) -> Itimerspec {
    let it_value =
        Timespec { tv_sec: (at / 1_000_000_000) as i64, tv_nsec: (at % 1_000_000_000) as i64 };
    Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value }
}

impl Target {
    fn now(&self) -> Nanos {
        monotonic() - self.begun
    }

    fn place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        })
    }

    fn connect(&mut self, place: usize, stream: TcpStream) {
        self.serial += 1;
        let reading = Reading::default();
        self.connections[place] = Some(Connection { stream, reading, serial: self.serial });
    }

    fn close(&mut self, place: usize) {
        if self.connections[place].take().is_some() {
            self.free.push(place);
        }
    }

    /// Takes what a connection has sent.
    fn turn(&mut self, place: usize, buffer: &mut [u8]) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        let (mut heads, mut asks) = (0, None);
        let read = connection.reading.turn(&connection.stream, buffer, |head| match head {
            _ if head.starts_with(b"GET /__log ") => asks = Some(true),
            _ if head.starts_with(b"GET /__reset ") => asks = Some(false),
            _ => heads += 1,
        });
        let serial = connection.serial;
        if read.is_err() {
            self.close(place);
            return Ok(());
        }
        for _ in 0..heads {
            self.received += 1;
            let came = self.now();
            let at = self.manner.answered_at(came);
            let number = self.received;
            self.waiting.push(Reverse(Job { at, number, came, place, connection: serial }));
        }
        match asks {
            None => Ok(()),
            Some(log) => self.tell(place, log),
        }
    }

    /// Answers what is due; when the next one is.
    fn answer_due(&mut self) -> Option<Nanos> {
        while let Some(Reverse(first)) = self.waiting.peek() {
            let now = self.now();
            if first.at > now {
                return Some(first.at);
            }
            let Some(Reverse(job)) = self.waiting.pop() else { break };
            let Some(connection) = &mut self.connections[job.place] else { continue };
            if connection.serial != job.connection {
                continue;
            }
            self.answered += 1;
            if self.manner.stamps {
                self.stamps.push([job.came, now, job.connection]);
            }
            self.out.clear();
            let failing = self.manner.failing.is_some_and(|every| job.number % every == 0);
            let status = if failing { 400 + job.number % 200 } else { 200 };
            let body =
                "as long as many an answer of a small service: neither empty nor large at all";
            let _ = write!(
                self.out,
                "HTTP/1.1 {status} So\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // What the socket does not take at once is of a client that does not read.
            if connection.stream.write(&self.out).ok() != Some(self.out.len()) {
                self.close(job.place);
            }
        }
        None
    }

    /// Gives the stamps, or forgets them.
    fn tell(&mut self, place: usize, log: bool) -> io::Result<()> {
        let mut body = Vec::new();
        if log {
            let head = [self.begun, self.received, self.answered];
            for number in head.iter().chain(self.stamps.iter().flatten()) {
                body.extend_from_slice(&number.to_le_bytes());
            }
        } else {
            (self.received, self.answered) = (0, 0);
            self.stamps.clear();
        }
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        connection.stream.set_nonblocking(false)?;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let written = connection
            .stream
            .write_all(head.as_bytes())
            .and_then(|()| connection.stream.write_all(&body));
        connection.stream.set_nonblocking(true)?;
        if written.is_err() {
            self.close(place);
        }
        Ok(())
    }
}
