//! Owns the target of the benchmarks: a server that answers as many requests as one core can.
//!
//! One thread, one epoll, two system calls a request. It prints its address and lives until its
//! standard input closes.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process;
use std::thread;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

/// The token of the listener; connections have their positions.
const LISTENER: u64 = u64::MAX;
/// No head of a client that we measure comes near it.
const HEAD_MAX: usize = 64 * 1024;

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--bench") {
        println!("this is the target of benchmarks: run benches/wrk.sh");
        return Ok(());
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    thread::spawn(|| {
        // Whatever comes is no matter; the end of it is.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    serve(&listener)
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut answers = Answers::new();
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&poll, spare_capacity(&mut events), None)?;
        for event in &events {
            let token = event.data.u64();
            if token != LISTENER {
                let place = &mut connections[token as usize];
                let Some(connection) = place else { continue };
                if connection.turn(&mut buffer, &mut answers).is_err() {
                    *place = None;
                }
                continue;
            }
            while let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                let free = connections.iter().position(Option::is_none);
                let place = free.unwrap_or_else(|| {
                    connections.push(None);
                    connections.len() - 1
                });
                epoll::add(&poll, &stream, EventData::new_u64(place as u64), EventFlags::IN)?;
                connections[place] = Some(Connection { stream, head: Vec::new(), body_left: 0 });
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
    /// The beginning of a head that has not come whole.
    head: Vec<u8>,
    /// How much of a request's body is still to come.
    body_left: usize,
}

impl Connection {
    /// Reads once and answers every request that has become whole; an error closes the connection.
    fn turn(&mut self, buffer: &mut [u8], answers: &mut Answers) -> io::Result<()> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        answers.out.clear();
        if self.head.is_empty() {
            let used = self.requests(&buffer[..count], answers)?;
            self.head.extend_from_slice(&buffer[used..count]);
        } else {
            let mut head = std::mem::take(&mut self.head);
            head.extend_from_slice(&buffer[..count]);
            let used = self.requests(&head, answers)?;
            head.drain(..used);
            self.head = head;
        }
        // What the socket does not take at once is of a client that does not read: away with it.
        match self.stream.write(&answers.out)? {
            count if count == answers.out.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Answers the requests in `bytes`; how many bytes need not be seen again.
    fn requests(&mut self, bytes: &[u8], answers: &mut Answers) -> io::Result<usize> {
        let mut used = 0;
        loop {
            let skipped = self.body_left.min(bytes.len() - used);
            self.body_left -= skipped;
            used += skipped;
            let rest = &bytes[used..];
            let Some(end) = end_of_head(rest) else {
                let too_long = rest.len() > HEAD_MAX;
                return if too_long { Err(io::ErrorKind::InvalidData.into()) } else { Ok(used) };
            };
            let head = &rest[..end];
            used += end;
            if head.starts_with(b"POST ") {
                self.body_left = content_length(head);
            }
            answers.add(head);
        }
    }
}

/// Where the first empty line ends. Looks at every fourth byte until it sees a line's end.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut at = 3;
    loop {
        match bytes.get(at)? {
            b'\n' if bytes[..=at].ends_with(b"\r\n\r\n") => return Some(at + 1),
            b'\r' | b'\n' => at += 1,
            _ => at += 4,
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let mut lines = head.split(|&byte| byte == b'\n');
    let line =
        lines.find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    line.and_then(|line| str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()).unwrap_or(0)
}
