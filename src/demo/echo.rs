//! Owns what tells a client how its request arrived, and answers of every shape it may ask for.

use std::borrow::Cow;
use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE, VARY, WWW_AUTHENTICATE,
};
use serde_json::{Map, Value, json};

use super::answer::{
    Answer, Refusal, detail, empty, json, ok, redirect, unprocessable, value, with,
};
use super::asked::{Asked, is_json};
use super::files::{self, Part};
use super::validation;

/// `/delay/MS` waits no longer.
const DELAY: u64 = 5_000;
/// `/redirect/N` goes no further.
const HOPS: u64 = 50;

/// The whole request.
pub(super) fn anything(asked: &Asked<'_>) -> Answer {
    let text = std::str::from_utf8(asked.body).ok();
    let kind = asked.kind();
    let form = (kind == "application/x-www-form-urlencoded").then(|| pairs(asked.body));
    let parsed: Option<Value> =
        if is_json(&kind) { serde_json::from_slice(asked.body).ok() } else { None };
    let parts = files::parts(asked.header(CONTENT_TYPE), asked.body).ok();
    let parts = parts.map(|parts| parts.iter().map(Part::told).collect::<Vec<_>>());
    ok(&json!({
        "method": asked.method.as_str(),
        "path": asked.path,
        "query": pairs(asked.query.as_bytes()),
        "headers": headers(asked),
        "body": text,
        "body_base64": if text.is_none() { Some(STANDARD.encode(asked.body)) } else { None },
        "size": asked.body.len(),
        "json": parsed,
        "form": form,
        "parts": parts,
    }))
}

/// A list, so that the order and what came twice are seen.
fn pairs(text: &[u8]) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(text).collect()
}

/// Header names are in lower case; the values of one that came twice are joined as HTTP joins them.
fn headers(asked: &Asked<'_>) -> Map<String, Value> {
    let mut all = Map::new();
    for name in asked.headers.keys() {
        let lines = asked.headers.get_all(name).into_iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let between = if name == "cookie" { "; " } else { ", " };
        all.insert(name.to_string(), json!(lines.join(between)));
    }
    all
}

/// Leads to `/anything` over so many hops: to even numbers by path alone, to odd ones by whole URL.
pub(super) fn hop(asked: &Asked<'_>, left: &str) -> Result<Answer, Refusal> {
    let left = validation::integer("path", "n", left).map_err(unprocessable)?;
    let left = u64::try_from(left).unwrap_or(0).min(HOPS);
    let status = asked.number("status", 302)?;
    let status = match status {
        301 | 302 | 303 | 307 | 308 => StatusCode::from_u16(status as u16),
        _ => StatusCode::from_u16(302),
    };
    let status = status.expect("302 is a status");
    let question = if asked.query.is_empty() { "" } else { "?" };
    let rest = format!("{question}{}", asked.query);
    Ok(match left {
        0 | 1 => redirect(status, &format!("/anything{rest}")),
        left if left % 2 == 1 => redirect(status, &format!("/redirect/{}{rest}", left - 1)),
        left => {
            let to = format!("http://{}/redirect/{}{rest}", asked.host(), left - 1);
            redirect(status, &to)
        }
    })
}

/// Sets the pairs of the query as cookies, as they were written.
pub(super) fn set_cookies(asked: &Asked<'_>) -> Answer {
    let pairs = asked.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with('='));
    pairs.fold(redirect(StatusCode::FOUND, "/cookies"), |answer, pair| {
        with(answer, SET_COOKIE, &format!("{}; Path=/", pair.replace(';', "%3B")))
    })
}

/// Lets the cookies that the query names run out.
pub(super) fn delete_cookies(asked: &Asked<'_>) -> Answer {
    let names = asked.query.split('&').filter(|name| !name.is_empty());
    names.fold(redirect(StatusCode::FOUND, "/cookies"), |answer, name| {
        let name = name.split(['=', ';']).next().unwrap_or_default();
        with(answer, SET_COOKIE, &format!("{name}=; Max-Age=0; Path=/"))
    })
}

/// The cookies that came.
pub(super) fn cookies(asked: &Asked<'_>) -> Answer {
    let cookies: Map<_, _> =
        asked.cookies().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    ok(&json!({ "cookies": cookies }))
}

/// A coding of HTTP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// HTTP's `deflate`, which is zlib's format (RFC 9110, 8.4.1.2).
    Deflate,
}

/// A text that is compressed for a client that wants it so.
pub(super) fn compressed(asked: &Asked<'_>, coding: Coding) -> Answer {
    let name = match coding {
        Coding::Gzip => "gzip",
        Coding::Deflate => "deflate",
    };
    let wanted = wants(asked.header(ACCEPT_ENCODING), name);
    let body = json!({ "compressed": wanted, "text": "the same again, ".repeat(50) }).to_string();
    let answer = if wanted {
        let level = Compression::default();
        let packed = match coding {
            Coding::Gzip => {
                let mut packer = GzEncoder::new(Vec::new(), level);
                packer.write_all(body.as_bytes()).and_then(|()| packer.finish())
            }
            Coding::Deflate => {
                let mut packer = ZlibEncoder::new(Vec::new(), level);
                packer.write_all(body.as_bytes()).and_then(|()| packer.finish())
            }
        };
        let packed = packed.expect("memory can be written to");
        with(json(StatusCode::OK, packed), CONTENT_ENCODING, name)
    } else {
        json(StatusCode::OK, body)
    };
    with(answer, VARY, "accept-encoding")
}

/// Whether `accept-encoding` names the coding, and not with a weight of nothing.
fn wants(accepted: &str, name: &str) -> bool {
    accepted.split(',').any(|entry| {
        let (coding, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|text| text.parse::<f64>().ok());
        coding.trim().eq_ignore_ascii_case(name) && weight != Some(0.0)
    })
}

/// An answer of this status.
pub(super) fn status(code: &str) -> Answer {
    let code = code.parse().ok().filter(|code| (200..600).contains(code));
    let Some(status) = code.and_then(|code| StatusCode::from_u16(code).ok()) else {
        return detail(StatusCode::NOT_FOUND, "A status is from 200 to 599");
    };
    match status.as_u16() {
        204 | 205 | 304 => empty(status),
        301 | 302 | 303 | 307 | 308 => redirect(status, "/anything"),
        401 => {
            let answer = value(status, &json!({ "status": 401 }));
            with(answer, WWW_AUTHENTICATE, "Basic realm=\"demo\"")
        }
        code => value(status, &json!({ "status": code })),
    }
}

/// Answers after so many milliseconds.
pub(super) async fn delay(ms: &str) -> Answer {
    match validation::integer("path", "ms", ms) {
        Ok(ms) => {
            let ms = u64::try_from(ms).unwrap_or(0).min(DELAY);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            ok(&json!({ "delay_ms": ms }))
        }
        Err(wrong) => unprocessable(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn a_coding_is_wanted_when_it_is_named_and_weighs_something() {
        for (accepted, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("", false),
            ("xgzip", false),
        ] {
            assert_eq!(wants(accepted, "gzip"), wanted, "{accepted}");
        }
    }
}
