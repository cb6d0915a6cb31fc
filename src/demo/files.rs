//! Owns uploads: multipart bodies (RFC 7578) taken apart, and bodies of a size that is asked for.

use std::sync::OnceLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use memchr::memmem;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::{Answer, body, detail, value};
use super::asked::Asked;
use super::validation;

/// `/bytes/N` gives no more.
const BYTES: usize = 1 << 20;
/// A multipart body has no more parts.
const PARTS: usize = 100;

/// One part of a multipart body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) content: &'a [u8],
}

impl Part<'_> {
    /// What is said of a part; of a field that is no file also its value.
    pub(super) fn told(&self) -> Value {
        let text = match &self.filename {
            None => std::str::from_utf8(self.content).ok(),
            Some(_) => None,
        };
        json!({
            "name": self.name,
            "filename": self.filename,
            "content_type": self.kind,
            "size": self.content.len(),
            "sha256": hex(&Sha256::digest(self.content)),
            "value": text,
        })
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says what came.
pub(super) fn upload(asked: &Asked<'_>) -> Answer {
    match parts(asked.header(CONTENT_TYPE), asked.body) {
        Ok(parts) => {
            let size: usize = parts.iter().map(|part| part.content.len()).sum();
            let parts: Vec<Value> = parts.iter().map(Part::told).collect();
            value(StatusCode::CREATED, &json!({ "parts": parts, "size": size }))
        }
        Err(why) => detail(StatusCode::BAD_REQUEST, why),
    }
}

/// So many bytes, the same each time.
pub(super) fn bytes(count: &str) -> Answer {
    static ALL: OnceLock<Bytes> = OnceLock::new();
    let all = ALL.get_or_init(|| (0..BYTES).map(|at| b'a' + (at % 26) as u8).collect());
    match validation::integer("path", "n", count) {
        Ok(count) => {
            let count = usize::try_from(count).unwrap_or(0).min(BYTES);
            body(StatusCode::OK, "application/octet-stream", all.slice(..count))
        }
        Err(wrong) => super::answer::unprocessable(wrong),
    }
}

/// The parts of a multipart body.
pub(super) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, &'static str> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Err("The content type is not multipart/form-data");
    }
    let boundary = parameter(content_type, "boundary").filter(|text| !text.is_empty());
    let boundary = boundary.ok_or("The content type has no boundary")?;
    // What stands before the first delimiter counts for nothing.
    let (_, mut rest) = split(body, &boundary, true).ok_or("The body has no boundary")?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = after_line(rest).ok_or("A boundary is not alone on its line")?;
        let (part, after) = split(rest, &boundary, false).ok_or("The last boundary is missing")?;
        if parts.len() == PARTS {
            return Err("There are more than 100 parts");
        }
        parts.push(read(part)?);
        rest = after;
    }
    Ok(parts)
}

/// What stands before the next delimiter, and what after it. A delimiter is a line break, which
/// the start of a body does without, `--` and the boundary; what follows makes it one or text.
fn split<'a>(text: &'a [u8], boundary: &str, at_start: bool) -> Option<(&'a [u8], &'a [u8])> {
    let line = format!("--{boundary}");
    let ends = |rest: &[u8]| rest.starts_with(b"--") || after_line(rest).is_some();
    if at_start && text.starts_with(line.as_bytes()) && ends(&text[line.len()..]) {
        return Some((&[], &text[line.len()..]));
    }
    let delimiter = format!("\r\n{line}");
    memmem::find_iter(text, delimiter.as_bytes())
        .map(|at| (&text[..at], &text[at + delimiter.len()..]))
        .find(|(_, rest)| ends(rest))
}

/// What follows a line that holds nothing but white space.
fn after_line(text: &[u8]) -> Option<&[u8]> {
    let blank = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text[blank..].strip_prefix(b"\r\n")
}

fn read(part: &[u8]) -> Result<Part<'_>, &'static str> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let broken = "The headers of a part cannot be read";
    let (length, headers) = match httparse::parse_headers(part, &mut headers) {
        Ok(httparse::Status::Complete(read)) => read,
        _ => return Err(broken),
    };
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let disposition = header("content-disposition").unwrap_or_default();
    Ok(Part {
        name: parameter(disposition, "name").ok_or("A part has no name")?,
        filename: parameter(disposition, "filename"),
        kind: header("content-type").map(str::to_owned),
        content: &part[length..],
    })
}

/// A parameter of a header such as `form-data; name="photo"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = header.split_once(';')?;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().trim_start_matches(';').trim().to_ascii_lowercase();
        let value;
        (value, rest) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, rest) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), rest)
            }
        };
        if name == wanted {
            return Some(value);
        }
    }
}

/// A quoted text to its closing quote, and what follows. Browsers write a quote inside as `%22`,
/// mail programs as `\"`.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let text = text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
                return Some((text, &quoted[at + 1..]));
            }
            // A backslash before anything else is one: old browsers sent whole Windows paths.
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => text.push(chars.next()?.1),
            _ => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part<'a>(name: &str, filename: Option<&str>, content: &'a [u8]) -> Part<'a> {
        Part { name: name.into(), filename: filename.map(Into::into), kind: None, content }
    }

    #[test]
    fn a_body_is_taken_apart_by_its_boundary() {
        let body = b"before\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xy\r\n\r\n--x  \r\n\
            content-disposition: form-data; filename=\"p \\\"q\\\".png\"; name=f\r\nContent-Type: image/png\r\n\r\n\x00\xff\r\n--x--after";
        let kind = "multipart/form-data; charset=utf-8; boundary=\"x\"";
        let mut second = part("f", Some("p \"q\".png"), b"\x00\xff");
        second.kind = Some("image/png".into());
        assert_eq!(parts(kind, body), Ok(vec![part("a", None, b"1\r\n--xy\r\n"), second]));
        assert_eq!(parts("multipart/form-data; boundary=x", b"--x--\r\n"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_multipart_body_is_refused() {
        let kind = "multipart/form-data; boundary=x";
        for (kind, body, why) in [
            ("application/json", "{}", "The content type is not multipart/form-data"),
            ("multipart/form-data", "", "The content type has no boundary"),
            (kind, "", "The body has no boundary"),
            (kind, "--x\r\n\r\nabc", "The last boundary is missing"),
            (kind, "--x\r\nno header\r\n\r\nabc\r\n--x--", "The headers of a part cannot be read"),
            (kind, "--x\r\nA: b\r\n\r\nabc\r\n--x--", "A part has no name"),
        ] {
            assert_eq!(parts(kind, body.as_bytes()), Err(why), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_put_together_comes_apart_the_same(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..5)
        ) {
            let mut body = Vec::new();
            for (index, content) in contents.iter().enumerate() {
                let head = format!("--a9Qx\r\nContent-Disposition: form-data; name=\"p{index}\"\r\n\r\n");
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--a9Qx--\r\n");
            let found = parts("multipart/form-data; boundary=a9Qx", &body).unwrap();
            let found: Vec<_> = found.iter().map(|part| part.content.to_vec()).collect();
            prop_assert_eq!(found, contents);
        }

        #[test]
        fn no_body_makes_it_stumble(body in prop::collection::vec(prop::sample::select(b"-x\r\n;=\"\\: a".to_vec()), 0..60)) {
            let _ = parts("multipart/form-data; boundary=x", &body);
            let text = String::from_utf8(body).unwrap();
            let _ = parameter(&text, "x");
        }
    }
}
