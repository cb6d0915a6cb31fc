//! Owns the target of the benchmarks: a server that answers as many requests as one core can.
//!
//! One thread, one epoll, two system calls a request. It prints its address and lives until its
//! standard input closes. With `--addresses=4` it listens at 127.0.0.1 to 127.0.0.4, at the same port.
//! Options of [`manner`] make it answer later, see [`timed`].

mod heads;
mod manner;
mod timed;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process;
use std::thread;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use heads::Reading;

/// The tokens of listeners begin here; connections have their positions.
const LISTENERS: u64 = u64::MAX - 256;

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--bench") {
        println!("this is the target of benchmarks: run benches/wrk.sh");
        return Ok(());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = manner::addresses(&arguments).and_then(|n| Ok((n, manner::asked(&arguments)?)));
    let (addresses, timed) = asked.map_err(io::Error::other)?;
    let listeners = listen(addresses)?;
    println!("{}", listeners[0].local_addr()?);
    thread::spawn(|| {
        // Whatever comes is no matter; the end of it is.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    match timed {
        Some(manner) => timed::serve(&listeners, manner),
        None => serve(&listeners),
    }
}

/// At 127.0.0.1 and the addresses after it, all at one port that was free.
fn listen(addresses: u8) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = first.local_addr()?.port();
    let more = (2..=addresses).map(|n| TcpListener::bind((Ipv4Addr::new(127, 0, 0, n), port)));
    let listeners = std::iter::once(Ok(first)).chain(more).collect::<io::Result<Vec<_>>>()?;
    for listener in &listeners {
        listener.set_nonblocking(true)?;
        // The standard library has 128 of them wait: when more come at once the kernel drops some, and
        // they try again after 200 ms.
        rustix::net::listen(listener, 4096)?;
    }
    Ok(listeners)
}

fn serve(listeners: &[TcpListener]) -> io::Result<()> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    for (number, listener) in listeners.iter().enumerate() {
        let token = EventData::new_u64(LISTENERS + number as u64);
        epoll::add(&poll, listener, token, EventFlags::IN)?;
    }
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut answers = Answers::new();
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&poll, spare_capacity(&mut events), None)?;
        for event in &events {
            let token = event.data.u64();
            if token < LISTENERS {
                let place = &mut connections[token as usize];
                let Some(connection) = place else { continue };
                if connection.turn(&mut buffer, &mut answers).is_err() {
                    *place = None;
                    free.push(token as usize);
                }
                continue;
            }
            while let Ok((stream, _)) = listeners[(token - LISTENERS) as usize].accept() {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let place = free.pop().unwrap_or_else(|| {
                    connections.push(None);
                    connections.len() - 1
                });
                epoll::add(&poll, &stream, EventData::new_u64(place as u64), EventFlags::IN)?;
                connections[place] = Some(Connection { stream, reading: Reading::default() });
            }
        }
    }
}

/// Answers, whole but for their ids, which all have eight digits.
struct Answers {
    found: Vec<u8>,
    /// For HTTP/1.0, whose clients keep a connection only when they are told.
    found_and_kept: Vec<u8>,
    created: Vec<u8>,
    id: [u8; 8],
    out: Vec<u8>,
}

/// What follows the id: the body is of the size that a small service answers with.
const AFTER_ID: &[u8] =
    b",\"title\":\"perf 123\",\"description\":\"neither empty nor large, as most \
    answers of a small service are\",\"completed\":false,\"due\":null}";

impl Answers {
    fn new() -> Self {
        let before_id = |status, more| {
            let body = b"{\"id\":".len() + 8 + AFTER_ID.len();
            let fields = format!("Content-Type: application/json\r\nContent-Length: {body}");
            format!("HTTP/1.1 {status}\r\n{fields}{more}\r\n\r\n{{\"id\":").into_bytes()
        };
        Self {
            found: before_id("200 OK", ""),
            found_and_kept: before_id("200 OK", "\r\nConnection: keep-alive"),
            created: before_id("201 Created", ""),
            id: *b"10000000",
            out: Vec::new(),
        }
    }

    fn add(&mut self, head: &[u8]) {
        let before_id = if head.starts_with(b"POST ") {
            &self.created
        } else if head.starts_with(b"GET / HTTP/1.0\r") {
            &self.found_and_kept
        } else {
            &self.found
        };
        self.out.extend_from_slice(before_id);
        self.out.extend_from_slice(&self.id);
        self.out.extend_from_slice(AFTER_ID);
        for digit in self.id.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.id[0] = b'1';
    }
}

struct Connection {
    stream: TcpStream,
    reading: Reading,
}

impl Connection {
    /// Reads once and answers every request that has become whole; an error closes the connection.
    fn turn(&mut self, buffer: &mut [u8], answers: &mut Answers) -> io::Result<()> {
        answers.out.clear();
        self.reading.turn(&self.stream, buffer, |head| answers.add(head))?;
        if answers.out.is_empty() {
            return Ok(());
        }
        // What the socket does not take at once is of a client that does not read: away with it.
        match self.stream.write(&answers.out)? {
            count if count == answers.out.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}
