//! Owns decoding a compressed body, within bounds (RFC 9110 §8.4).

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::request::values;
use crate::metrics::Fault;

/// How large a body may become.
const DECODED_MAX: usize = 64 * 1024 * 1024;
/// How many times what came over the wire, beyond the first MiB.
const RATIO_MAX: usize = 1_000;
const FREE: usize = 1024 * 1024;
/// How far back Zstandard may look on the web (RFC 9659).
const WINDOW_MAX: u64 = 8 * 1024 * 1024;
/// How many encodings one upon the other.
const LAYERS_MAX: usize = 8;

/// How a body can be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Decodes the body as the head says. One in an encoding that is not known stays as it came.
///
/// # Errors
/// It is broken, or becomes too large.
pub(super) fn decode(head: &[u8], body: &mut Vec<u8>) -> Result<(), Fault> {
    // The answer to a HEAD request, and 204 and 304, say how a body would be encoded.
    if body.is_empty() {
        return Ok(());
    }
    let Some(layers) = layers(head) else { return Ok(()) };
    if layers.len() > LAYERS_MAX {
        return Err(Fault::DecodeCorrupt);
    }
    let most = DECODED_MAX.min(body.len().saturating_mul(RATIO_MAX).max(FREE));
    for layer in layers.into_iter().rev() {
        *body = match layer {
            // A decoder would call a few other bytes the beginning of a gzip.
            Encoding::Gzip if !is_gzip(body) => return Err(Fault::DecodeCorrupt),
            Encoding::Gzip => read(MultiGzDecoder::new(&body[..]), most)?,
            Encoding::Deflate if is_zlib(body) => read(ZlibDecoder::new(&body[..]), most)?,
            // What some servers mean by the word.
            Encoding::Deflate => read(DeflateDecoder::new(&body[..]), most)?,
            Encoding::Brotli => {
                read(brotli_decompressor::Decompressor::new(Whole(body), 4 * 1024), most)?
            }
            Encoding::Zstd => zstd(body, most)?,
        };
    }
    Ok(())
}

/// The encodings in the order in which they were applied; none when one of them is not known.
fn layers(head: &[u8]) -> Option<Vec<Encoding>> {
    let mut layers = Vec::new();
    for value in values(head, "content-encoding") {
        for name in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            layers.push(match &*name.to_ascii_lowercase() {
                b"gzip" | b"x-gzip" => Encoding::Gzip,
                b"deflate" => Encoding::Deflate,
                b"br" => Encoding::Brotli,
                b"zstd" => Encoding::Zstd,
                b"identity" | b"" => continue,
                _ => return None,
            });
        }
    }
    Some(layers)
}

/// Whether it begins as gzip does (RFC 1952 §2.3.1), as far as it goes.
fn is_gzip(body: &[u8]) -> bool {
    const MAGIC: &[u8] = &[0x1f, 0x8b];
    body.iter().zip(MAGIC).all(|(byte, magic)| byte == magic)
}

/// Whether it begins as zlib does (RFC 1950 §2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(*body, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31))
}

fn read(from: impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    read_more(from, most, &mut out)?;
    Ok(out)
}

fn read_more(from: impl Read, most: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    // One byte more tells that there is more.
    let left = (most + 1 - out.len()) as u64;
    from.take(left).read_to_end(out).map_err(|error| broken(&error))?;
    if out.len() > most { Err(Fault::LimitDecoded) } else { Ok(()) }
}

/// A body that ends too early is not a broken one: something on the way gave up.
fn broken(error: &io::Error) -> Fault {
    let ended = error.kind() == io::ErrorKind::UnexpectedEof;
    if ended { Fault::DecodeTruncated } else { Fault::DecodeCorrupt }
}

/// Frame after frame (RFC 8878 §3).
fn zstd(body: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    let mut body = Rest { bytes: body, short: false };
    while !body.bytes.is_empty() {
        let decoded = frame(&mut body, most, &mut out);
        // Its errors do not say that there was not enough.
        decoded.map_err(|fault| match fault {
            Fault::DecodeCorrupt if body.short => Fault::DecodeTruncated,
            fault => fault,
        })?;
    }
    Ok(out)
}

fn frame(body: &mut Rest<'_>, most: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW_MAX);
    let frame = StreamingDecoder::new_with_decoder(body, decoder);
    read_more(frame.map_err(|_| Fault::DecodeCorrupt)?, most, out)
}

/// A body that has no end: who wants more than there is gets an error instead.
struct Whole<'a>(&'a [u8]);

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            self.0.read(buffer)
        }
    }
}

/// What is left of a body.
struct Rest<'a> {
    bytes: &'a [u8],
    /// More was wanted than there was.
    short: bool,
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.short |= buffer.len() > self.bytes.len();
        self.bytes.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    macro_rules! packed {
        ($encoder:ident, $bytes:expr) => {{
            let mut encoder = $encoder::new(Vec::new(), Compression::best());
            encoder.write_all($bytes).unwrap();
            encoder.finish().unwrap()
        }};
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        packed!(GzEncoder, bytes)
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// "hello" as Google's encoder writes it.
    const BROTLI: &[u8] = b"\x0b\x02\x80hello\x03";
    /// 4 MiB of nothing.
    const BROTLI_BOMB: &[u8] = b"\x9b\xff\xff?\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x07";

    fn decoded(encoding: &str, body: &[u8]) -> Result<Vec<u8>, Fault> {
        let head = format!("A: b\r\nContent-Encoding: {encoding}\r\n");
        let mut body = body.to_vec();
        decode(head.as_bytes(), &mut body).map(|()| body)
    }

    #[test]
    fn a_body_is_decoded_as_its_head_says() {
        let hello = b"hello";
        for (encoding, body) in [
            ("gzip", gzip(hello)),
            ("X-Gzip", gzip(hello)),
            ("gzip", [gzip(b"hel"), gzip(b"lo")].concat()),
            ("deflate", packed!(ZlibEncoder, hello)),
            ("deflate", packed!(DeflateEncoder, hello)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd(hello)),
            ("zstd", [zstd(b"hel"), zstd(b"lo")].concat()),
            ("identity", hello.to_vec()),
            ("br,zstd", zstd(BROTLI)),
            ("identity, gzip, zstd", zstd(&gzip(hello))),
        ] {
            assert_eq!(decoded(encoding, &body).as_deref(), Ok(&hello[..]), "{encoding}");
        }
        let lines = "deflate\r\nContent-Encoding: gzip,zstd";
        let body = zstd(&gzip(&packed!(ZlibEncoder, hello)));
        assert_eq!(decoded(lines, &body).as_deref(), Ok(&hello[..]));
    }

    #[test]
    fn a_body_that_cannot_be_decoded_stays_as_it_came() {
        for (encoding, body) in [("compress", &b"x"[..]), ("gzip, unheard", b"x"), ("gzip", b"")] {
            assert_eq!(decoded(encoding, body).as_deref(), Ok(body), "{encoding}");
        }
        let mut body = b"x".to_vec();
        assert_eq!((decode(b"A: b\r\n", &mut body), &*body), (Ok(()), &b"x"[..]));
    }

    #[test]
    fn a_broken_body_is_a_fault() {
        for (encoding, body) in [
            ("gzip", b"hello".to_vec()),
            ("gzip", [gzip(b"hello"), b"more than a header has".to_vec()].concat()),
            ("deflate", vec![0xff; 9]),
            ("br", vec![0xff; 9]),
            ("zstd", b"hello".to_vec()),
            // A frame that wants a window of 16 MiB.
            ("zstd", b"\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00".to_vec()),
            (&"gzip,".repeat(9), b"hello".to_vec()),
        ] {
            assert_eq!(decoded(encoding, &body), Err(Fault::DecodeCorrupt), "{encoding} {body:?}");
        }
        let mut checked = gzip(b"hello, hello");
        let sum = checked.len() - 8;
        checked[sum] ^= 1;
        assert_eq!(decoded("gzip", &checked), Err(Fault::DecodeCorrupt), "the sum is wrong");
    }

    #[test]
    fn a_body_that_ends_too_early_is_told_apart() {
        let text: Vec<u8> = (0..2000_u32).flat_map(|n| (n * n).to_string().into_bytes()).collect();
        for (encoding, body) in [
            ("gzip", gzip(&text)),
            ("deflate", packed!(ZlibEncoder, &text)),
            ("deflate", packed!(DeflateEncoder, &text)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd(&text)),
            ("zstd", [zstd(b"hello"), zstd(b"hello")].concat()),
        ] {
            for end in 1..body.len() {
                let came = decoded(encoding, &body[..end]);
                if encoding == "zstd" && came.as_deref() == Ok(b"hello") {
                    continue;
                }
                let of = body.len();
                assert_eq!(came, Err(Fault::DecodeTruncated), "{encoding}, {end} of {of}");
            }
        }
    }

    #[test]
    fn a_window_as_large_as_the_web_allows_is_taken() {
        let frame = b"\x28\xb5\x2f\xfd\x00\x68\x29\x00\x00hello";
        assert_eq!(decoded("zstd", frame).as_deref(), Ok(&b"hello"[..]));
    }

    #[test]
    fn a_body_that_becomes_too_large_is_a_fault() {
        let zeros = |size: usize| vec![0; size];
        for (encoding, body) in [
            ("br", BROTLI_BOMB.to_vec()),
            ("gzip, gzip", gzip(&gzip(&zeros(2 * FREE)))),
            ("zstd", zstd(&zeros(2 * FREE))),
        ] {
            assert_eq!(decoded(encoding, &body), Err(Fault::LimitDecoded), "{encoding}");
        }
        // Up to a MiB nobody asks for the ratio.
        assert_eq!(decoded("gzip, gzip", &gzip(&gzip(&zeros(FREE)))), Ok(zeros(FREE)));
        assert_eq!(decoded("gzip", &gzip(&zeros(FREE + 1))), Ok(zeros(FREE + 1)));
        let mut out = zeros(9);
        assert_eq!(read_more(&[0][..], 10, &mut out), Ok(()));
        assert_eq!(read_more(&[0][..], 10, &mut out), Err(Fault::LimitDecoded));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_come_back_or_are_a_fault(
            bytes in proptest::collection::vec(any::<u8>(), 1..300),
            flip in any::<proptest::sample::Index>(),
        ) {
            for (encoding, packed) in [
                ("gzip", gzip(&bytes)),
                ("deflate", packed!(ZlibEncoder, &bytes)),
                ("zstd", zstd(&bytes)),
                ("br", BROTLI_BOMB.to_vec()),
            ] {
                if encoding != "br" {
                    prop_assert_eq!(decoded(encoding, &packed), Ok(bytes.clone()));
                }
                let mut broken = packed;
                let place = flip.index(broken.len());
                broken[place] ^= 0x55;
                let _ = decoded(encoding, &broken);
                let _ = decoded(encoding, &bytes);
                let _ = decoded("br", &bytes);
            }
        }
    }
}
