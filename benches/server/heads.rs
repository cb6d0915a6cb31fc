//! Owns what the target reads of requests: where they end, and where the next one begins.

use std::io::{self, Read as _};
use std::net::TcpStream;

/// No head of a client that we measure comes near it.
const HEAD_MAX: usize = 64 * 1024;

/// What of a connection's requests has not come whole.
#[derive(Debug, Default)]
pub struct Reading {
    /// The beginning of a head.
    head: Vec<u8>,
    /// How much of a request's body is still to come.
    body_left: usize,
}

impl Reading {
    /// Reads once and gives the head of every request that has become whole; an error closes the
    /// connection.
    pub fn turn(
        &mut self,
        mut stream: &TcpStream,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let count = match stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.head.is_empty() {
            let used = self.requests(&buffer[..count], &mut take)?;
            self.head.extend_from_slice(&buffer[used..count]);
        } else {
            let mut head = std::mem::take(&mut self.head);
            head.extend_from_slice(&buffer[..count]);
            let used = self.requests(&head, &mut take)?;
            head.drain(..used);
            self.head = head;
        }
        Ok(())
    }

    /// Gives the requests in `bytes`; how many bytes need not be seen again.
    fn requests(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8])) -> io::Result<usize> {
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
            take(head);
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
