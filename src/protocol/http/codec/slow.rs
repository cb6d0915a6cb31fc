//! Owns the slow, obvious reader that the fast one is compared with on random streams.

use proptest::prelude::*;

use super::pieces::{Read, read};
use super::{BODY_MAX, INTERIM_MAX};
use crate::metrics::Fault;

/// Everything is there at once, and lines are cut where they end.
fn slow(mut bytes: &[u8], head_only: bool) -> Read {
    for _ in 0..=INTERIM_MAX {
        if bytes.is_empty() {
            return Err(Fault::HeadClosed);
        }
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let mut start: Option<(bool, u16)> = None;
        loop {
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                return Err(Fault::HeadTruncated);
            };
            let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
            bytes = &bytes[end + 1..];
            if start.is_none() {
                start = Some(slow_start(line)?);
            } else if line.is_empty() {
                break;
            } else {
                slow_field(line, &mut fields)?;
            }
        }
        let (version_11, status) = start.unwrap();
        match status {
            0..100 => return Err(Fault::HeadInvalid),
            101 => return Err(Fault::HeadUpgrade),
            100..200 => continue,
            _ => return slow_body(bytes, version_11, status, &fields, head_only),
        }
    }
    Err(Fault::LimitInterim)
}

fn slow_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

fn slow_start(line: &[u8]) -> Result<(bool, u16), Fault> {
    let Some(rest) = line.strip_prefix(b"HTTP/") else { return Err(Fault::HeadInvalid) };
    if !rest.first().is_some_and(u8::is_ascii_digit) {
        return Err(Fault::HeadInvalid);
    }
    let Some(rest) = rest.strip_prefix(b"1.") else { return Err(Fault::HeadVersion) };
    let version_11 = match rest {
        [b'1', b' ', ..] => true,
        [b'0', b' ', ..] => false,
        _ => return Err(Fault::HeadVersion),
    };
    let code = rest.get(2..5).ok_or(Fault::HeadInvalid)?;
    let reason = &rest[5..];
    if !code.iter().all(u8::is_ascii_digit)
        || !(reason.is_empty() || reason[0] == b' ')
        || !slow_text(reason)
    {
        return Err(Fault::HeadInvalid);
    }
    Ok((version_11, std::str::from_utf8(code).unwrap().parse().unwrap()))
}

fn slow_field(line: &[u8], fields: &mut Vec<(String, Vec<u8>)>) -> Result<(), Fault> {
    if !slow_text(line) {
        return Err(Fault::HeadInvalid);
    }
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        let (_, value) = fields.last_mut().ok_or(Fault::HeadInvalid)?;
        value.extend_from_slice(line);
        return Ok(());
    }
    let colon = line.iter().position(|&byte| byte == b':').ok_or(Fault::HeadInvalid)?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| Fault::HeadInvalid)?;
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(Fault::HeadInvalid);
    }
    fields.push((name.to_ascii_lowercase(), line[colon + 1..].to_vec()));
    Ok(())
}

fn slow_list(fields: &[(String, Vec<u8>)], name: &str) -> Vec<String> {
    let values = fields.iter().filter(|(field, _)| field == name);
    let texts = values.map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase());
    let lists: Vec<String> = texts.collect();
    if lists.is_empty() {
        return Vec::new();
    }
    lists.join(",").split(',').map(|item| item.trim().to_owned()).collect()
}

fn slow_body(
    bytes: &[u8],
    version_11: bool,
    status: u16,
    fields: &[(String, Vec<u8>)],
    head_only: bool,
) -> Read {
    let connection = slow_list(fields, "connection");
    let says = |token: &str| connection.iter().any(|item| item == token);
    let keep = !says("close") && (version_11 || says("keep-alive"));
    if head_only || status == 204 || status == 304 {
        return Ok((status, Vec::new(), keep && bytes.is_empty()));
    }
    let codings = slow_list(fields, "transfer-encoding");
    let lengths = slow_list(fields, "content-length");
    if !codings.is_empty() {
        if codings != ["chunked"] {
            return Err(Fault::FramingCoding);
        }
        let (body, rest) = slow_chunks(bytes)?;
        let keep = keep && version_11 && lengths.is_empty() && rest.is_empty();
        return Ok((status, body, keep));
    }
    if lengths.is_empty() {
        return Ok((status, bytes.to_vec(), false));
    }
    let mut values = Vec::new();
    for length in &lengths {
        if !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::FramingLength);
        }
        values.push(length.parse::<u64>().map_err(|_| Fault::FramingLength)?);
    }
    values.dedup();
    match *values {
        [length] if length > BODY_MAX => Err(Fault::LimitBody),
        [length] if (bytes.len() as u64) < length => Err(Fault::BodyTruncated),
        [length] => {
            let (body, rest) = bytes.split_at(length as usize);
            Ok((status, body.to_vec(), keep && rest.is_empty()))
        }
        _ => Err(Fault::FramingLength),
    }
}

fn slow_chunks(mut bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), Fault> {
    let mut body = Vec::new();
    loop {
        let end = bytes.iter().position(|&byte| byte == b'\r' || byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let after = line[digits..].trim_ascii_start();
        let good = (digits > 0 || line.is_empty() && end.is_none())
            && (after.is_empty() || after.starts_with(b";"))
            && line[digits..line.len() - after.len()].iter().all(|byte| b" \t".contains(byte));
        let size = u64::from_str_radix(std::str::from_utf8(&line[..digits]).unwrap(), 16);
        if !good || digits > 0 && size.is_err() {
            return Err(Fault::FramingChunk);
        }
        let Some(end) = end else { return Err(Fault::BodyTruncated) };
        bytes = slow_line_end(&bytes[end..])?;
        let size = size.unwrap();
        if size == 0 {
            break;
        }
        if size > BODY_MAX - body.len() as u64 {
            return Err(Fault::LimitBody);
        }
        if (bytes.len() as u64) < size {
            return Err(Fault::BodyTruncated);
        }
        let (data, rest) = bytes.split_at(size as usize);
        body.extend_from_slice(data);
        bytes = slow_line_end(rest)?;
    }
    loop {
        if let Some(b'\r') = bytes.first() {
            return Ok((body, slow_line_end(bytes)?));
        }
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return Err(Fault::BodyTruncated);
        };
        bytes = &bytes[end + 1..];
        if end == 0 {
            return Ok((body, bytes));
        }
    }
}

fn slow_line_end(bytes: &[u8]) -> Result<&[u8], Fault> {
    match bytes {
        [b'\r', b'\n', rest @ ..] => Ok(rest),
        [] | [b'\r'] => Err(Fault::BodyTruncated),
        _ => Err(Fault::FramingChunk),
    }
}

const WORDS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 \r\n",
    "HTTP/1.1 100\n\n",
    "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n",
    "HTTP/2 200\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5, 5\r\n",
    "content-length: 12\n",
    "Content-Length: 99999999999\r\n",
    "Content-Length: x\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\tCHUNKED \n",
    "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive, x\r\n",
    "X-Other: y\r\n",
    " folded\r\n",
    "\t\r\n",
    "no colon\r\n",
    "\r\n",
    "\n",
    "\r",
    "0\r\n",
    "5\r\n",
    "hello",
    "hello\r\n",
    "c;x=y\r\nhello, world\r\n",
    "ffffffffff\r\n",
    "0\r\n\r\n",
    "\0",
    ":",
    " ",
];

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        8 => Just("HTTP/1.1 200 OK\r\n"),
        2 => Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 \n"),
        1 => Just(""),
    ];
    let framing = prop_oneof![
        Just(""),
        Just("Content-Length: 5\r\n\r\nhello"),
        Just("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ];
    let words = || proptest::collection::vec(proptest::sample::select(WORDS), 0..8);
    let flip = proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>()));
    (start, words(), framing, words(), flip).prop_map(|(start, first, framing, last, flip)| {
        let mut bytes = [start, &first.concat(), framing, &last.concat()].concat().into_bytes();
        if let Some((place, byte)) = flip.filter(|_| !bytes.is_empty()) {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_agrees_with_a_slow_one(
        bytes in stream(),
        sizes in proptest::collection::vec(1_usize..40, 1..6),
        head_only in proptest::bool::weighted(0.1),
    ) {
        let expected = slow(&bytes, head_only);
        for sizes in [&[bytes.len().max(1)], &*sizes] {
            let found = read(&bytes, sizes, head_only);
            // In a head that is cut off, garbage may be noticed before its line is whole.
            let early = matches!(found, Err(Fault::HeadInvalid | Fault::HeadVersion));
            prop_assert!(
                found == expected || (early && expected == Err(Fault::HeadTruncated)),
                "{}\nfound {found:?}\nexpected {expected:?}", bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn any_bytes_read_the_same_in_any_pieces(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        headed in any::<bool>(),
        sizes in proptest::collection::vec(1_usize..40, 1..6),
    ) {
        let head: &[u8] = if headed { b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" } else { b"" };
        let bytes = [head, &bytes].concat();
        prop_assert_eq!(read(&bytes, &[bytes.len().max(1)], false), read(&bytes, &sizes, false));
    }
}
