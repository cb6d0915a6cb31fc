//! Owns reading an answer in pieces of any size, for tests and fuzzing.

use super::{ResponseReader, Wanted};
use crate::metrics::Fault;

/// What a stream of bytes that ends came to: the status, the body, and whether the connection
/// could have been kept.
pub(super) type Read = Result<(u16, Vec<u8>, bool), Fault>;

/// Feeds the bytes in pieces of these sizes, over and over, and closes.
pub(super) fn read(bytes: &[u8], sizes: &[usize], head_only: bool) -> Read {
    let mut reader = ResponseReader::new();
    reader.begin(Wanted { head_only, ..Wanted::default() });
    let (mut body, mut rest, mut complete) = (Vec::new(), bytes, false);
    for size in sizes.iter().cycle() {
        let piece;
        (piece, rest) = rest.split_at((*size).min(rest.len()));
        complete = reader.feed(piece, &mut Vec::new(), Some(&mut body))?;
        assert!(!complete || reader.partial.capacity() == 0, "a whole answer left heap behind");
        if rest.is_empty() {
            break;
        }
    }
    if !complete {
        reader.closed()?;
    }
    assert_eq!(reader.body_bytes(), body.len() as u64);
    Ok((reader.status(), body, reader.keeps_alive()))
}

/// Any bytes read the same in pieces as at once. The first says how they are read.
#[cfg(fuzzing)]
pub fn check(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let sizes = [usize::from(how >> 1) % 17 + 1, usize::from(how >> 4) + 1, 1];
    let whole = read(bytes, &[bytes.len().max(1)], how & 1 == 1);
    assert_eq!(read(bytes, &sizes, how & 1 == 1), whole);
}
