//! Owns the reading of one HTTP/1.1 response from slices of any size (RFC 9112).

mod plain;

use std::mem::MaybeUninit;

use httparse::{Error, Header, ParserConfig, Response, Status};

use crate::metrics::{Fault, Notice, Noticed};

const HEAD_MAX: usize = 64 * 1024;
const FIELDS_MAX: usize = 128;
const INTERIM_MAX: u8 = 16;
const BODY_MAX: u64 = 64 * 1024 * 1024;
/// From this status on an answer has failed, whatever else is asked of it.
pub(super) const FAILED: u16 = 400;
/// So much is kept of the body of one that failed, when nobody asked for it.
const BEGINNING: usize = 4 * 1024;
/// A line that gives the size of a chunk, with its extensions.
const CHUNK_LINE_MAX: u32 = 4 * 1024;
const TRAILERS_MAX: u32 = 64 * 1024;

/// Where the reader stands.
///
/// ```text
/// Head ── 1xx ──────────────> Head          (at most 16 times; 101 is a fault)
/// Head ── no body ──────────> Done          (HEAD, 204, 304, Content-Length: 0)
/// Head ── chunked ──────────> Chunk(Size) ─ … ─ last chunk, trailers ─> Done
/// Head ── Content-Length ───> Length ─ all bytes ─> Done
/// Head ── neither ──────────> UntilClose ─ end of stream ─> Done
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length { left: u64 },
    UntilClose,
    Chunk(Chunk),
    Done,
}

/// Where the reader stands in a chunked body.
///
/// ```text
/// Start ─ digit ─> Size ─ blank ─> Blank ─ ';' ─> Extension
///                  Size, Blank, Extension ─ CR ─> LineEnd ─ LF, size > 0 ─> Data ─> DataCr ─> DataLf ─> Start
///                                                 LineEnd ─ LF, size = 0 ─> Trailer
/// Trailer ─ CR ─> LastLf ─ LF ─> Done       Trailer ─ other ─> TrailerLine ─ LF ─> Trailer
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Start,
    Size(u64),
    Blank(u64),
    Extension(u64),
    LineEnd(u64),
    Data(u64),
    DataCr,
    DataLf,
    Trailer,
    TrailerLine,
    LastLf,
}

/// What is wanted of a response beyond its status and the length of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// It answers a HEAD request: there is no body.
    pub(super) head_only: bool,
    /// All header lines.
    pub(super) head: bool,
    /// Where a redirect leads.
    pub(super) location: bool,
    /// How the body is encoded.
    pub(super) encoding: bool,
    /// `100 Continue` was asked for.
    pub(super) continues: bool,
    /// Of a failed answer all header lines and the beginning of the body; of the body of any other
    /// nothing.
    pub(super) failed: bool,
}

impl Wanted {
    /// How much of the body of an answer with this status is kept, where it can be.
    fn of_body(self, status: u16) -> usize {
        match (self.failed, status >= FAILED) {
            (false, _) => usize::MAX,
            (true, true) => BEGINNING,
            (true, false) => 0,
        }
    }
}

/// What a head held that asks for more to be done. Its lines are among those that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Noted {
    /// A `Set-Cookie`.
    pub(super) cookie: bool,
    /// The `Location` of a redirect, when it was wanted.
    pub(super) location: bool,
    /// A `Content-Encoding`, when it was wanted.
    pub(super) encoding: bool,
}

impl Noted {
    pub(super) fn any(self) -> bool {
        self.cookie || self.location || self.encoding
    }
}

/// Reads one response after another; owns heap only while a head is split over reads.
#[derive(Debug)]
pub(super) struct ResponseReader {
    state: State,
    body_bytes: u64,
    /// The head as far as it has come.
    partial: Vec<u8>,
    /// How much of the body is kept.
    room: usize,
    /// How much of `partial` the last parse saw.
    parsed: u32,
    /// How long the line of the chunk's size, or the trailers, have grown.
    line: u32,
    status: u16,
    interims: u8,
    wanted: Wanted,
    noted: Noted,
    /// What was odd.
    noticed: Noticed,
    keep_alive: bool,
    /// `100 Continue` came, as was asked for.
    continued: bool,
}

impl ResponseReader {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head,
            body_bytes: 0,
            partial: Vec::new(),
            room: usize::MAX,
            parsed: 0,
            line: 0,
            status: 0,
            interims: 0,
            wanted: Wanted::default(),
            noted: Noted::default(),
            noticed: Noticed::default(),
            keep_alive: true,
            continued: false,
        }
    }

    /// Makes ready for the answer to the next request.
    pub(super) fn begin(&mut self, wanted: Wanted) {
        self.state = State::Head;
        self.body_bytes = 0;
        self.interims = 0;
        self.wanted = wanted;
        self.noted = Noted::default();
        self.noticed = Noticed::default();
        self.continued = false;
    }

    /// The server asks for the body of the request.
    pub(super) fn is_continued(&self) -> bool {
        self.continued
    }

    /// What was odd about the answer.
    pub(super) fn noticed(&self) -> Noticed {
        self.noticed
    }

    /// Nothing of an answer has come, not even the first byte.
    pub(super) fn is_untouched(&self) -> bool {
        self.state == State::Head && self.partial.is_empty() && self.interims == 0
    }

    /// The status of the final answer, once its head is whole.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// What the head of the final answer held, once it is whole.
    pub(super) fn noted(&self) -> Noted {
        self.noted
    }

    /// Bytes of the body so far, chunk framing left out.
    pub(super) fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// How many interim responses came before the one that is being read.
    pub(super) fn interims(&self) -> u8 {
        self.interims
    }

    /// The first byte of a response has come; what came of an interim one is forgotten with it.
    pub(super) fn begun(&self) -> bool {
        self.state != State::Head || !self.partial.is_empty()
    }

    /// The head of the final answer is whole.
    pub(super) fn in_body(&self) -> bool {
        self.state != State::Head
    }

    /// The response ended where it should, and the server did not ask to close the connection.
    pub(super) fn keeps_alive(&self) -> bool {
        self.state == State::Done && self.keep_alive
    }

    /// Takes the bytes of one read; true when the response is complete. Header lines that are wanted
    /// are appended to `head`, each as `Name: value` and CR LF; the body to `body`, or it is only
    /// counted. Bytes beyond the end of the response forbid to keep the connection.
    ///
    /// # Errors
    /// What is wrong with the response; nothing more can be read from the connection.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        head: &mut Vec<u8>,
        mut body: Option<&mut Vec<u8>>,
    ) -> Result<bool, Fault> {
        loop {
            match self.state {
                State::Head => match self.head(bytes, head)? {
                    Some(used) => bytes = &bytes[used..],
                    None => return Ok(false),
                },
                State::Length { left } => {
                    let taken = self.take(&mut bytes, left, body.as_deref_mut())?;
                    if taken < left {
                        self.state = State::Length { left: left - taken };
                        return Ok(false);
                    }
                    self.state = State::Done;
                }
                State::UntilClose => {
                    self.take(&mut bytes, u64::MAX, body)?;
                    return Ok(false);
                }
                State::Chunk(Chunk::Data(left)) => {
                    let taken = self.take(&mut bytes, left, body.as_deref_mut())?;
                    if taken < left {
                        self.state = State::Chunk(Chunk::Data(left - taken));
                        return Ok(false);
                    }
                    self.state = State::Chunk(Chunk::DataCr);
                }
                State::Chunk(chunk) => {
                    let Some((&byte, rest)) = bytes.split_first() else { return Ok(false) };
                    bytes = rest;
                    self.state = self.framing(chunk, byte)?;
                }
                State::Done => {
                    // What follows was not asked for and must never be read as the next answer.
                    if !bytes.is_empty() {
                        self.keep_alive = false;
                        self.noticed.add(Notice::ExtraBytes);
                    }
                    return Ok(true);
                }
            }
        }
    }

    /// The server closed its side.
    ///
    /// # Errors
    /// When the response needed more bytes.
    pub(super) fn closed(&mut self) -> Result<(), Fault> {
        self.keep_alive = false;
        match self.state {
            State::UntilClose => self.state = State::Done,
            State::Done => {}
            State::Head if self.partial.is_empty() => return Err(Fault::HeadClosed),
            State::Head => {
                // The last bytes may not have been looked at yet: garbage is not "truncated".
                let partial = std::mem::take(&mut self.partial);
                self.parse(&partial, &mut Vec::new())?;
                return Err(Fault::HeadTruncated);
            }
            State::Length { .. } | State::Chunk(_) => return Err(Fault::BodyTruncated),
        }
        Ok(())
    }

    /// What it is called when the connection is reset now.
    pub(super) fn reset(&self) -> Fault {
        if self.in_body() { Fault::BodyReset } else { Fault::HeadReset }
    }

    /// Takes at most `most` bytes of the body.
    fn take(
        &mut self,
        bytes: &mut &[u8],
        most: u64,
        body: Option<&mut Vec<u8>>,
    ) -> Result<u64, Fault> {
        let count = usize::try_from(most).map_or(bytes.len(), |most| most.min(bytes.len()));
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        self.body_bytes += count as u64;
        if self.body_bytes > BODY_MAX {
            return Err(Fault::LimitBody);
        }
        if let Some(body) = body
            && self.room > 0
        {
            let room = self.room.saturating_sub(body.len());
            body.extend_from_slice(&taken[..taken.len().min(room)]);
        }
        Ok(count as u64)
    }

    /// Takes bytes of the head; when it became whole, how many of `bytes` belonged to it.
    fn head(&mut self, bytes: &[u8], kept: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.partial.is_empty() {
            let window = &bytes[..bytes.len().min(HEAD_MAX)];
            let found = self.parse(window, kept)?;
            if found.is_none() {
                if window.len() == HEAD_MAX {
                    return Err(Fault::LimitHead);
                }
                self.parsed = window.len() as u32;
                self.partial.extend_from_slice(window);
            }
            return Ok(found);
        }

        let mut partial = std::mem::take(&mut self.partial);
        let had = partial.len();
        partial.extend_from_slice(&bytes[..bytes.len().min(HEAD_MAX - had)]);
        // A head that drips in must not cost its length squared: parse when it may be whole, and
        // else only when it has grown by a sixteenth, so that garbage is still noticed early.
        let unseen = partial.len() - self.parsed as usize;
        let found = if unseen >= partial.len() / 16 || has_blank_line(&partial, had) {
            self.parsed = partial.len() as u32;
            self.parse(&partial, kept)?
        } else {
            None
        };
        match found {
            // The blank line ends in the new bytes, else the head had been whole before.
            Some(length) => Ok(Some(length - had)),
            None if partial.len() == HEAD_MAX => Err(Fault::LimitHead),
            None => {
                self.partial = partial;
                Ok(None)
            }
        }
    }

    /// Parses a head from its first byte; its length when it is whole.
    fn parse(&mut self, bytes: &[u8], kept: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        let (had, wanted) = (kept.len(), self.wanted);
        let start = |status, version_11| Fields::new(wanted, status, version_11);
        let plain = plain::read(bytes, start, |fields, name, value| fields.take(name, value, kept));
        if let Some((fields, length)) = plain {
            self.state = self.framed(fields)?;
            return Ok(Some(length));
        }
        kept.truncate(had);
        // httparse would skip empty lines, which only a server may do (RFC 9112 §2.2).
        if bytes.first() != Some(&b'H') {
            return Err(Fault::HeadInvalid);
        }
        let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS_MAX];
        let mut response = Response::new(&mut []);
        let length = match ParserConfig::default()
            .allow_obsolete_multiline_headers_in_responses(true)
            .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
        {
            Ok(Status::Complete(length)) => {
                self.notice(&bytes[..length], response.headers);
                length
            }
            Ok(Status::Partial) => return Ok(None),
            Err(Error::TooManyHeaders) => return Err(Fault::LimitHead),
            Err(Error::Version) if names_a_version(bytes) => return Err(Fault::HeadVersion),
            Err(_) => return Err(Fault::HeadInvalid),
        };
        match response.code {
            Some(101) => return Err(Fault::HeadUpgrade),
            Some(status @ 100..200) => {
                if status == 100 && wanted.continues {
                    self.continued = true;
                } else {
                    self.noticed.add(Notice::Interim);
                }
                self.interims += 1;
                if self.interims > INTERIM_MAX {
                    return Err(Fault::LimitInterim);
                }
            }
            Some(status @ 200..) => {
                let mut fields = Fields::new(wanted, status, response.version == Some(1));
                for header in &*response.headers {
                    fields.take(header.name.as_bytes(), header.value, kept);
                }
                self.state = self.framed(fields)?;
            }
            _ => return Err(Fault::HeadInvalid),
        }
        Ok(Some(length))
    }

    /// What is odd about the lines of a head that is right otherwise.
    fn notice(&mut self, head: &[u8], headers: &[Header<'_>]) {
        if head.ends_with(b"\n\n") || head.split(|&byte| byte == b'\n').any(is_bare) {
            self.noticed.add(Notice::BareLf);
        }
        if headers.iter().any(|header| trim(header.value).contains(&b'\n')) {
            self.noticed.add(Notice::Folded);
        }
    }

    /// How the body ends (RFC 9112 §6.3), and whether the connection outlives it (§9.3).
    fn framed(&mut self, fields: Fields) -> Result<State, Fault> {
        let Fields { wanted, status, version_11, noted, coding, length, close, keep, .. } = fields;
        self.status = status;
        self.noted = noted;
        self.keep_alive = keep && !close;
        self.room = wanted.of_body(status);

        if wanted.head_only || matches!(status, 204 | 304) {
            return Ok(State::Done);
        }
        match (coding, length) {
            (Coding::Unknown, _) => Err(Fault::FramingCoding),
            (Coding::Chunked, length) => {
                // Both lengths at once, or chunks from HTTP/1.0, may be an attempt at smuggling.
                if length != Ok(None) {
                    self.noticed.add(Notice::BothLengths);
                }
                self.keep_alive &= version_11 && length == Ok(None);
                self.line = 0;
                Ok(State::Chunk(Chunk::Start))
            }
            (Coding::None, Err(fault)) => Err(fault),
            (Coding::None, Ok(Some(0))) => Ok(State::Done),
            (Coding::None, Ok(Some(left))) if left > BODY_MAX => Err(Fault::LimitBody),
            (Coding::None, Ok(Some(left))) => Ok(State::Length { left }),
            (Coding::None, Ok(None)) => {
                self.keep_alive = false;
                Ok(State::UntilClose)
            }
        }
    }

    /// One byte of a chunked body that is not data (RFC 9112 §7.1). Lines of chunks end in CR LF
    /// and nothing less; lines of trailers, like those of the head, may end in LF alone.
    fn framing(&mut self, chunk: Chunk, byte: u8) -> Result<State, Fault> {
        self.line += 1;
        let next = match (chunk, byte) {
            (Chunk::Start, _) => Chunk::Size(hex_digit(byte)?),
            (Chunk::Size(size) | Chunk::Blank(size) | Chunk::Extension(size), b'\r') => {
                Chunk::LineEnd(size)
            }
            (Chunk::Size(size) | Chunk::Blank(size), b' ' | b'\t') => Chunk::Blank(size),
            (Chunk::Size(size) | Chunk::Blank(size), b';') => Chunk::Extension(size),
            (Chunk::Size(size), _) => {
                let digit = hex_digit(byte)?;
                Chunk::Size(size.checked_mul(16).ok_or(Fault::FramingChunk)? + digit)
            }
            (Chunk::Extension(size), byte) if byte != b'\n' => Chunk::Extension(size),
            (Chunk::LineEnd(0), b'\n') => {
                self.line = 0;
                Chunk::Trailer
            }
            (Chunk::LineEnd(size), b'\n') => {
                if size > BODY_MAX - self.body_bytes {
                    return Err(Fault::LimitBody);
                }
                Chunk::Data(size)
            }
            (Chunk::DataCr, b'\r') => Chunk::DataLf,
            (Chunk::DataLf, b'\n') => {
                self.line = 0;
                Chunk::Start
            }
            (Chunk::Trailer | Chunk::LastLf, b'\n') => return Ok(State::Done),
            (Chunk::Trailer, b'\r') => Chunk::LastLf,
            (Chunk::TrailerLine, b'\n') => Chunk::Trailer,
            (Chunk::Trailer | Chunk::TrailerLine, _) => {
                if self.line > TRAILERS_MAX {
                    return Err(Fault::LimitHead);
                }
                return Ok(State::Chunk(Chunk::TrailerLine));
            }
            _ => return Err(Fault::FramingChunk),
        };
        if self.line > CHUNK_LINE_MAX
            && matches!(next, Chunk::Size(_) | Chunk::Blank(_) | Chunk::Extension(_))
        {
            return Err(Fault::FramingChunk);
        }
        Ok(State::Chunk(next))
    }
}

/// What the fields of a head say.
struct Fields {
    wanted: Wanted,
    status: u16,
    version_11: bool,
    redirects: bool,
    noted: Noted,
    coding: Coding,
    length: Result<Option<u64>, Fault>,
    close: bool,
    keep: bool,
}

impl Fields {
    fn new(wanted: Wanted, status: u16, version_11: bool) -> Self {
        let head = wanted.head || wanted.failed && status >= FAILED;
        Self {
            wanted: Wanted { head, ..wanted },
            status,
            version_11,
            redirects: wanted.location && matches!(status, 301..=303 | 307 | 308),
            noted: Noted::default(),
            coding: Coding::None,
            length: Ok(None),
            close: false,
            keep: version_11,
        }
    }

    /// The next one; the line is appended to `kept` when it is wanted.
    fn take(&mut self, name: &[u8], value: &[u8], kept: &mut Vec<u8>) {
        let mut keep_line = self.wanted.head;
        match name.len() {
            8 if self.redirects && is(name, b"Location", b"location") => {
                self.noted.location = true;
                keep_line = true;
            }
            10 if is(name, b"Set-Cookie", b"set-cookie") => {
                self.noted.cookie = true;
                keep_line = true;
            }
            16 if self.wanted.encoding && is(name, b"Content-Encoding", b"content-encoding") => {
                self.noted.encoding = true;
                keep_line = true;
            }
            10 if is(name, b"Connection", b"connection") => {
                for token in elements(value) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if is(name, b"Content-Length", b"content-length") => {
                self.length = self.length.and_then(|known| content_length(known, value));
            }
            17 if is(name, b"Transfer-Encoding", b"transfer-encoding") => {
                self.coding = self.coding.and(value);
            }
            _ => {}
        }
        if keep_line {
            write_line(name, value, kept);
        }
    }
}

/// What the fields Transfer-Encoding say, taken together as one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Chunked,
    Unknown,
}

impl Coding {
    /// Only `chunked`, once, without parameters: nothing else was asked for.
    fn and(self, value: &[u8]) -> Self {
        if self == Self::None && trim(value).eq_ignore_ascii_case(b"chunked") {
            Self::Chunked
        } else {
            Self::Unknown
        }
    }
}

/// Whether a field has this name. Nearly all servers write it in one of two ways, which is seen at once.
#[inline]
fn is(name: &[u8], usual: &[u8], small: &[u8]) -> bool {
    name == usual || name == small || name.eq_ignore_ascii_case(small)
}

/// A folded value becomes one line (RFC 9112 §5.2).
fn write_line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    let value = trim(value).iter();
    out.extend(value.map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// The length that a field gives, which must agree with what others gave (RFC 9110 §8.6).
fn content_length(known: Option<u64>, value: &[u8]) -> Result<Option<u64>, Fault> {
    let mut known = known;
    // A list of them is hardly ever seen.
    if known.is_none()
        && let Some(length) = number(value)
    {
        return Ok(Some(length));
    }
    for element in elements(value) {
        let length = number(element).ok_or(Fault::FramingLength)?;
        if known.is_some_and(|known| known != length) {
            return Err(Fault::FramingLength);
        }
        known = Some(length);
    }
    Ok(known)
}

/// Digits, one or more, and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!digits.is_empty()).then_some(number)
}

/// The elements of a list, without the blanks around them.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Without blanks at both ends; the line break of a folded line is a blank (RFC 9112 §5.2).
fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

fn hex_digit(byte: u8) -> Result<u64, Fault> {
    char::from(byte).to_digit(16).map(u64::from).ok_or(Fault::FramingChunk)
}

/// Whether a line without its LF ended in nothing else. What is after the last one is empty.
fn is_bare(line: &[u8]) -> bool {
    line.last().is_some_and(|last| *last != b'\r')
}

/// Whether a blank line ends at or after `from`.
fn has_blank_line(bytes: &[u8], from: usize) -> bool {
    let bytes = &bytes[from.saturating_sub(2)..];
    bytes.windows(2).any(|two| two == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

/// `HTTP/7.3` is another version; `HTTP/x` is not HTTP.
fn names_a_version(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"HTTP/").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

#[cfg(any(test, fuzzing))]
pub(super) mod pieces;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod tests;
