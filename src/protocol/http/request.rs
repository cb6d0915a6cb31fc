//! Owns the parts of a request that was rendered, for what must be added to it or taken away.

/// A request in its parts. What is joined again is the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) method: &'a [u8],
    /// With its query.
    pub(super) path: &'a [u8],
    /// The header lines, each with its end.
    pub(super) fields: &'a [u8],
    pub(super) body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The parts; none when it is no request.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (first, rest) = line(bytes)?;
        let mut words = first.trim_ascii_end().split(|&byte| byte == b' ');
        let (method, path) = (words.next()?, words.next()?);
        let mut after = rest;
        loop {
            let (field, next) = line(after)?;
            if field == b"\r\n" {
                let fields = &rest[..rest.len() - after.len()];
                return Some(Self { method, path, fields, body: next });
            }
            after = next;
        }
    }

    /// The path of a request, without its query.
    pub(super) fn path_of(bytes: &[u8]) -> &str {
        let first = line(bytes).map_or(bytes, |(first, _)| first);
        let path = first.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        std::str::from_utf8(path).map_or("/", without_query)
    }

    /// To send it twice has the effect of sending it once (RFC 9110 §9.2.2).
    pub(super) fn is_idempotent(bytes: &[u8]) -> bool {
        let method = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
        matches!(method, b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS" | b"TRACE")
    }

    /// The header lines one by one.
    pub(super) fn lines(self) -> impl Iterator<Item = Line<'a>> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let (whole, next) = line(rest)?;
            rest = next;
            Some(Line::of(whole))
        })
    }
}

/// A header line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// With its end.
    pub(super) whole: &'a [u8],
    name: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(whole: &'a [u8]) -> Self {
        let colon = whole.iter().position(|&byte| byte == b':').unwrap_or(whole.len());
        let (name, value) = whole.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        Self { whole, name, value }
    }

    /// Whether its name begins so, in whatever case.
    pub(super) fn begins(self, start: &str) -> bool {
        let name = self.name.get(..start.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(start.as_bytes()))
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The values of all header lines with this name.
pub(super) fn values<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let parts = Parts { method: b"", path: b"", fields: head, body: b"" };
    parts.lines().filter(move |line| line.is(name)).map(|line| line.value)
}

pub(super) fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The first line with its end, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some(bytes.split_at(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_falls_into_its_parts() {
        let bytes = b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\r\n";
        let parts = Parts::of(bytes).unwrap();
        assert_eq!(
            (parts.method, parts.path, parts.body),
            (&b"POST"[..], &b"/a?b"[..], &b"\r\n"[..])
        );
        let lines: Vec<_> = parts.lines().map(|line| (line.is("HOST"), line.value)).collect();
        assert_eq!(lines, [(true, &b"x"[..]), (false, b"2")]);
        assert_eq!(Parts::path_of(bytes), "/a");
        for broken in [&b""[..], b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x"] {
            assert!(Parts::of(broken).is_none());
        }
        assert_eq!(Parts::of(b"GET / HTTP/1.1\r\n\r\n").unwrap().fields, b"");
    }
}
