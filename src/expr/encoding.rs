//! Owns writing a value into what stands around it, so that it cannot break out.

use super::{EvalError, Value};

/// What a value in a hole must become, so that it cannot break what is around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// Part of a request's path and query: what may not stand in a URL is percent-encoded;
    /// `/`, `?`, `&`, `=` and `%` stay, so that a value can hold a piece of a path.
    Path,
    /// A name or a value of a query: all but letters, digits and `-._~` is percent-encoded.
    Query,
    /// A name or a value of a form (`application/x-www-form-urlencoded`): a space is `+`, all but
    /// letters, digits and `*-._` is percent-encoded.
    Form,
    /// A cookie's value: what would end it or begin another is refused.
    Cookie,
    /// Part of a header's value: line breaks are refused, since they would begin a new header.
    Header,
    /// A whole JSON value.
    Json,
    /// Part of a JSON string.
    JsonText,
}

/// Writes a value.
pub(super) fn write(value: &Value, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), EvalError> {
    let start = out.len();
    match encoding {
        Encoding::Plain => value.put_text(out)?,
        Encoding::Json => value.put_json(out)?,
        Encoding::JsonText => match value {
            Value::Text(text) => out.extend_from_slice(json_inside(text).as_bytes()),
            Value::List(_) | Value::Map(_) => {
                let mut text = Vec::new();
                value.put_json(&mut text)?;
                out.extend_from_slice(json_inside(&String::from_utf8_lossy(&text)).as_bytes());
            }
            other => other.put_json(out)?,
        },
        Encoding::Path => {
            value.put_text(out)?;
            encode(out, start, stays_in_path);
        }
        Encoding::Query => {
            value.put_text(out)?;
            encode(out, start, is_unreserved);
        }
        Encoding::Form => {
            value.put_text(out)?;
            // The WHATWG's serializer: `~` is encoded and `*` is not.
            let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._ ".contains(&byte);
            encode(out, start, stays);
            out[start..].iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b'+');
        }
        Encoding::Cookie => {
            value.put_text(out)?;
            let breaks = |byte: &u8| *byte == b';' || byte.is_ascii_control();
            if out[start..].iter().any(breaks) {
                return Err(EvalError(
                    "a cookie's value may not hold `;` or control characters".into(),
                ));
            }
        }
        Encoding::Header => {
            value.put_text(out)?;
            if out[start..].iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
                return Err(EvalError("a header's value may not hold a line break".into()));
            }
        }
    }
    Ok(())
}

/// The inside of a JSON string.
pub(super) fn json_inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("text is JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

/// Percent-encodes what was written since `start`, but for what stays as it is.
fn encode(out: &mut Vec<u8>, start: usize, stays: impl Fn(u8) -> bool) {
    if out[start..].iter().any(|&byte| !stays(byte)) {
        let raw = out.split_off(start);
        percent(&raw, stays, out);
    }
}

/// Writes bytes, those that do not stay as `%` and two digits.
pub(super) fn percent(raw: &[u8], stays: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in raw {
        if stays(byte) {
            out.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

/// RFC 3986, 2.3.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// What may stand in a path and its query, and `%` for what is encoded already.
fn stays_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%[]".contains(&byte)
}
