//! Owns what goes over the wire: a request's bytes, fixed as far as they can be before the run.

use std::sync::Arc;

use super::mind::Mind;
use crate::expr::{EvalError, Template, Value, Written};

/// What goes over the wire.
#[derive(Debug, Clone)]
pub enum Message {
    /// Nothing in it changes.
    Fixed(Vec<u8>),
    /// One text with holes; its body, with its length, is fixed and part of it.
    Whole(Template),
    /// Written part by part: its body changes, its headers look at the rest, or it goes to a URL
    /// that is known only then.
    Parts(Box<Parts>),
}

/// A request in parts.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Its first line.
    pub line: Line,
    /// Its headers, without `Host` and `Content-Length`.
    pub head: Template,
    /// The headers look at the method, the path or the body.
    pub looks: bool,
    /// What follows.
    pub body: Payload,
    /// A `Content-Length` is sent although there is no body.
    pub length: bool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub enum Line {
    /// A path below the target, and the target's `Host`.
    Path {
        /// As it is sent.
        method: String,
        /// The target's own path, the request's and its query.
        path: Template,
        /// What the `Host` header says.
        host: String,
    },
    /// A URL, or a path below the target, which is known only when it has been rendered.
    Url {
        /// As it is sent.
        method: String,
        /// A whole URL, or a path.
        url: Template,
        /// What the `Host` header says when it is a path.
        host: String,
        /// The target's own path, before one.
        base: String,
    },
}

/// What a request sends after its head.
#[derive(Debug, Clone)]
pub enum Payload {
    /// The same each time, or nothing.
    Fixed(Vec<u8>),
    /// A text with holes.
    Text(Template),
    /// Pieces, some of which are one of several files.
    Pieces(Vec<Piece>),
}

/// A piece of a body.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A text with holes.
    Text(Template),
    /// One of these, at random.
    OneOf(Vec<Vec<Piece>>),
    /// The bytes of a file.
    Bytes(Arc<[u8]>),
}

/// A rendered request's target, where it is not the one of the plan.
pub type Origin = Option<String>;

impl Message {
    /// Writes the request to `out`, which comes empty. `spare` are two more empty buffers.
    ///
    /// The result is the origin (`scheme://host[:port]`) that a rendered URL leads to.
    ///
    /// # Errors
    /// An expression failed, or what should be a URL is none.
    pub fn write(
        &self,
        mind: &mut Mind,
        out: &mut Vec<u8>,
        spare: &mut [Vec<u8>; 2],
    ) -> Result<Origin, EvalError> {
        match self {
            Self::Fixed(bytes) => out.extend_from_slice(bytes),
            Self::Whole(template) => template.render(&mut mind.scope(None), out)?,
            Self::Parts(parts) => return parts.write(mind, out, spare),
        }
        Ok(None)
    }
}

impl Parts {
    fn write(
        &self,
        mind: &mut Mind,
        out: &mut Vec<u8>,
        [path_buffer, body_buffer]: &mut [Vec<u8>; 2],
    ) -> Result<Origin, EvalError> {
        let (method, origin) = match &self.line {
            Line::Path { method, path, host } => {
                path.render(&mut mind.scope(None), path_buffer)?;
                begin(out, method, path_buffer, host);
                (method, None)
            }
            Line::Url { method, url, host, base } => {
                url.render(&mut mind.scope(None), path_buffer)?;
                let text = String::from_utf8_lossy(path_buffer).into_owned();
                let (origin, own, path) = split_url(&text, base)?;
                path_buffer.clear();
                path_buffer.extend_from_slice(path.as_bytes());
                begin(out, method, path_buffer, own.as_deref().unwrap_or(host));
                (method, origin)
            }
        };
        let body = match &self.body {
            Payload::Fixed(bytes) => bytes.as_slice(),
            Payload::Text(template) => {
                template.render(&mut mind.scope(None), body_buffer)?;
                body_buffer.as_slice()
            }
            Payload::Pieces(pieces) => {
                write_pieces(pieces, mind, body_buffer)?;
                body_buffer.as_slice()
            }
        };
        if self.looks {
            let path = String::from_utf8_lossy(path_buffer);
            let written = Written { method, path: &path, body };
            self.head.render(&mut mind.scope(Some(&written)), out)?;
        } else {
            self.head.render(&mut mind.scope(None), out)?;
        }
        if self.length || !body.is_empty() {
            out.extend_from_slice(b"Content-Length: ");
            Value::Int(body.len() as i64).write_json(out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        Ok(origin)
    }
}

fn begin(out: &mut Vec<u8>, method: &str, path: &[u8], host: &str) {
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(path);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_pieces(pieces: &[Piece], mind: &mut Mind, out: &mut Vec<u8>) -> Result<(), EvalError> {
    for piece in pieces {
        match piece {
            Piece::Text(template) => template.render(&mut mind.scope(None), out)?,
            Piece::Bytes(bytes) => out.extend_from_slice(bytes),
            Piece::OneOf(choices) => {
                let chosen = mind.random.below(choices.len());
                write_pieces(&choices[chosen], mind, out)?;
            }
        }
    }
    Ok(())
}

/// The origin of a URL, its `Host`, and its path; a path alone stays with the target.
fn split_url(
    text: &str,
    base: &str,
) -> Result<(Option<String>, Option<String>, String), EvalError> {
    if text.starts_with('/') && !text.starts_with("//") {
        return Ok((None, None, format!("{base}{text}")));
    }
    let scheme =
        text.get(..8).map(str::to_ascii_lowercase).unwrap_or_else(|| text.to_ascii_lowercase());
    let start = if scheme.starts_with("http://") {
        7
    } else if scheme.starts_with("https://") {
        8
    } else {
        return Err(EvalError("a URL begins with `http://`, `https://` or `/`".to_owned()));
    };
    let rest = &text[start..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(good) {
        return Err(EvalError("a URL without a host that can be asked".to_owned()));
    }
    let authority = authority.to_ascii_lowercase();
    let origin = format!("{}{authority}", &scheme[..start]);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((Some(origin), Some(authority), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_and_a_path_stays_with_the_target() {
        let parts = |text: &str| split_url(text, "/api");
        assert_eq!(parts("/a?b=1"), Ok((None, None, "/api/a?b=1".into())));
        assert_eq!(
            parts("HTTP://Shop.Example:8080?p=2#x"),
            Ok((
                Some("http://shop.example:8080".into()),
                Some("shop.example:8080".into()),
                "/?p=2".into()
            ))
        );
        assert_eq!(
            parts("https://[::1]:1/a/b"),
            Ok((Some("https://[::1]:1".into()), Some("[::1]:1".into()), "/a/b".into()))
        );
        for text in ["ftp://a/b", "a/b", "//host/a", "http:///a", "http://user@host/", ""] {
            assert!(parts(text).is_err(), "{text}");
        }
    }
}
