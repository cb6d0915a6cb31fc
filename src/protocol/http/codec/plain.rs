//! Owns the short way through the head of an answer, for one as plain as nearly all are.
//!
//! It says the same as the parser or nothing. Whatever is out of the ordinary, a head that is not whole
//! among it, is left to the parser, which also knows what is wrong with it.

/// With more fields than this it is left to the parser, which has the limit.
const FIELDS_MAX: usize = 100;

/// Reads a whole head of a final answer: what `start` made of its status, and of its version being 1.1,
/// after `take` was given each field; and its length. When there is none, `take` may have been given
/// fields all the same.
pub(super) fn read<T>(
    bytes: &[u8],
    start: impl Fn(u16, bool) -> T,
    mut take: impl FnMut(&mut T, &[u8], &[u8]),
) -> Option<(T, usize)> {
    let (&[minor, b' ', first @ b'2'..=b'9', second, third], reason) =
        bytes.strip_prefix(b"HTTP/1.")?.split_first_chunk()?
    else {
        return None;
    };
    let mut status = 0;
    for digit in [first, second, third] {
        status = status * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    let mut made = start(
        status,
        match minor {
            b'0' => false,
            b'1' => true,
            _ => return None,
        },
    );
    let mut rest = match reason {
        [b' ', reason @ ..] => after_line(reason, plain_end(reason)?)?,
        _ => after_line(reason, 0)?,
    };
    for _ in 0..=FIELDS_MAX {
        if let Some(after) = rest.strip_prefix(b"\r\n") {
            return Some((made, bytes.len() - after.len()));
        }
        let colon = name_end(rest)?;
        let (name, value) = rest.split_at(colon);
        let mut value = value.strip_prefix(b":")?;
        while let [b' ', after @ ..] = value {
            value = after;
        }
        let end = plain_end(value)?;
        if name.is_empty() || value[..end].ends_with(b" ") {
            return None;
        }
        rest = after_line(value, end)?;
        take(&mut made, name, &value[..end]);
    }
    None
}

/// What follows the line that ends at `at`.
fn after_line(bytes: &[u8], at: usize) -> Option<&[u8]> {
    bytes[at..].strip_prefix(b"\r\n")
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Where the first byte is that `found` sets the highest bit of, in eight bytes at once; those before
/// it must be right, those after it need not.
#[inline]
fn first(bytes: &[u8], found: impl Fn(u64) -> u64) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let found = found(u64::from_le_bytes(*chunk)) & each(0x80);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let of_rest = |byte: &u8| found(u64::from(*byte)) & 0x80 != 0;
    Some(chunks.len() * 8 + rest.iter().position(of_rest)?)
}

/// Where the first byte is that is no printable one of ASCII. A byte is below `n` when `byte - n`
/// borrows from its highest bit.
fn plain_end(bytes: &[u8]) -> Option<usize> {
    let below = |word: u64, least: u8| word.wrapping_sub(each(least)) & !word;
    first(bytes, |word| below(word, b' ') | below(word ^ each(0x7f), 1) | word)
}

/// Where the first byte is that is neither a letter, a digit nor `-`, of which nearly all names are.
fn name_end(bytes: &[u8]) -> Option<usize> {
    first(bytes, |word| {
        let ascii = word & each(0x7f);
        // Sums of two below 128 stay within their bytes.
        let within = |word: u64, low: u8, high: u8| {
            word.wrapping_add(each(0x80 - low)) & !word.wrapping_add(each(0x7f - high))
        };
        let letter = within(ascii | each(0x20), b'a', b'z');
        let digit = within(ascii, b'0', b'9');
        let dash = within(ascii, b'-', b'-');
        !(letter | digit | dash) | word
    })
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::*;
    use httparse::{ParserConfig, Response, Status};
    use proptest::prelude::*;

    type Seen = (u16, bool, Vec<(Vec<u8>, Vec<u8>)>);

    fn plain(bytes: &[u8]) -> Option<(Seen, usize)> {
        let start = |status, version_11| (status, version_11, Vec::new());
        read(bytes, start, |seen: &mut Seen, name, value| seen.2.push((name.into(), value.into())))
    }

    fn parsed(bytes: &[u8]) -> Option<(Seen, usize)> {
        let mut headers = [const { MaybeUninit::uninit() }; 128];
        let mut response = Response::new(&mut []);
        let Ok(Status::Complete(length)) = ParserConfig::default()
            .allow_obsolete_multiline_headers_in_responses(true)
            .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
        else {
            return None;
        };
        let fields = response.headers.iter();
        let fields = fields.map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec()));
        Some(((response.code?, response.version? == 1, fields.collect()), length))
    }

    #[test]
    fn the_heads_of_common_servers_are_plain() {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\ndate: Sat, 01 Aug 2026 10:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 204 No Content\r\nServer: nginx/1.27.0\r\nETag: W/\"a-b\"\r\nVary:\r\nX-A:b\r\n\r\n",
            "HTTP/1.0 404 \r\n\r\n",
            "HTTP/1.0 404\r\n\r\n",
        ] {
            let found = plain(head.as_bytes());
            assert!(found.is_some(), "{head}");
            assert_eq!(found, parsed(head.as_bytes()), "{head}");
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_the_parser() {
        for head in [
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b \r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: \u{e9}\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n",
        ] {
            assert_eq!(plain(head.as_bytes()), None, "{head}");
        }
        let many = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(plain(many(FIELDS_MAX).as_bytes()).is_some());
        assert_eq!(plain(many(FIELDS_MAX + 1).as_bytes()), None);
    }

    fn near_head() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            20 => prop::sample::select(vec![
                "\r\n", "\r\n", "\n", "\r", " ", "\t", ":", ": ", "A: b\r\n", "Content-Length: 12\r\n", "x-Y-1:  a b  c d e f g\r\n",
                "A:\r\n", "A_b: c\r\n", "A:\tb\r\n", "\r\n\r\n", "\u{7f}", "~", "\u{e9}", " folded\r\n", "{}",
            ]).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        let line = prop::sample::select(vec![
            "HTTP/1.1 200 OK",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 404 Not Found\r\n",
            "HTTP/1.1 200\r\n",
            "HTTP/1.1 20",
            "HTTP/1.1 2x0 OK\r\n",
        ]);
        (line, prop::collection::vec(piece, 0..8))
            .prop_map(|(line, pieces)| [line.as_bytes(), &pieces.concat()].concat())
    }

    #[test]
    fn eight_bytes_at_once_are_told_apart_as_each_is() {
        for byte in 0..=u8::MAX {
            let in_name = byte.is_ascii_alphanumeric() || byte == b'-';
            let printable = matches!(byte, b' '..=b'~');
            for place in 0..20 {
                let mut bytes = [b'z'; 20];
                bytes[place] = byte;
                assert_eq!(name_end(&bytes), (!in_name).then_some(place), "{byte} at {place}");
                assert_eq!(plain_end(&bytes), (!printable).then_some(place), "{byte} at {place}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_it_says_the_parser_says(head in near_head()) {
            if let Some(found) = plain(&head) {
                prop_assert_eq!(Some(found), parsed(&head));
            }
        }
    }
}
