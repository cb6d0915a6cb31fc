//! Owns the request that a redirect leads to (RFC 9110 §15.4, and what browsers do).

use url::{Position, Url};

use super::address::Origin;
use super::request::{Line, Parts, values};
use crate::metrics::Fault;

/// Where a redirect leads, and what is sent there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) origin: Origin,
    pub(super) bytes: Vec<u8>,
}

/// Headers that speak of a body, and go with it.
const OF_BODY: [&str; 7] = [
    "expect",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-type",
    "transfer-encoding",
];

/// What another host is sent, beside what begins with `accept`, `content-` and `if-`: any other header
/// may hold what only the first host is to know.
const FOR_ANYONE: [&str; 6] = ["cache-control", "expect", "host", "pragma", "range", "user-agent"];
const BEGINNINGS: [&str; 3] = ["accept", "content-", "if-"];

/// Headers that are for one origin only.
const OF_ORIGIN: [&str; 6] =
    ["authorization", "cookie", "host", "proxy-authorization", "x-api-key", "x-auth-token"];

/// Where the head of an answer leads to; none when it does not say.
///
/// # Errors
/// It is no text, or says two things.
pub(super) fn location(head: &[u8]) -> Result<Option<&str>, Fault> {
    let mut all = values(head, "location").filter(|value| !value.is_empty());
    let Some(first) = all.next() else { return Ok(None) };
    if all.any(|other| other != first) {
        return Err(Fault::RedirectLocation);
    }
    std::str::from_utf8(first).map(Some).map_err(|_| Fault::RedirectLocation)
}

/// The request that follows the one in `bytes`, which went to `from` and was answered by `status`
/// and this location.
///
/// # Errors
/// The location is no address of HTTP.
pub(super) fn next(
    bytes: &[u8],
    from: &Origin,
    status: u16,
    location: &str,
) -> Result<Next, Fault> {
    resolve(bytes, from, status, location).ok_or(Fault::RedirectLocation)
}

fn resolve(bytes: &[u8], from: &Origin, status: u16, location: &str) -> Option<Next> {
    let parts = Parts::of(bytes)?;
    let path = std::str::from_utf8(parts.path).ok()?;
    let url = Url::parse(&format!("{from}{path}")).ok()?.join(location).ok()?;
    let origin = Origin::of(&url)?;

    let becomes_get = match status {
        303 => parts.method != b"HEAD",
        301 | 302 => parts.method == b"POST",
        _ => false,
    };
    let (moved, away) = (origin != *from, origin.host != from.host);
    let method: &[u8] = if becomes_get { b"GET" } else { parts.method };
    let target = url[Position::BeforePath..Position::AfterQuery].as_bytes();
    let mut next = [method, b" ", target, b" HTTP/1.1\r\n"].concat();
    if moved {
        next.extend_from_slice(format!("Host: {}\r\n", origin.authority()).as_bytes());
    }
    for line in parts.lines() {
        let drops = becomes_get && OF_BODY.iter().any(|name| line.is(name))
            || moved && OF_ORIGIN.iter().any(|name| line.is(name))
            || away && !is_for_anyone(line);
        if !drops {
            next.extend_from_slice(line.whole);
        }
    }
    next.extend_from_slice(b"\r\n");
    if !becomes_get {
        next.extend_from_slice(parts.body);
    }
    Some(Next { origin, bytes: next })
}

fn is_for_anyone(line: Line<'_>) -> bool {
    FOR_ANYONE.iter().any(|name| line.is(name)) || BEGINNINGS.iter().any(|start| line.begins(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POST: &str = "POST /a/b?c HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer t\r\n\
                        Cookie: a=1\r\nContent-Type: text/plain\r\nX: y\r\n\
                        Content-Length: 2\r\n\r\nhi";

    fn follow(request: &str, status: u16, location: &str) -> Result<(String, String), Fault> {
        let from = Origin::parse("http://shop.test").unwrap();
        let next = next(request.as_bytes(), &from, status, location)?;
        Ok((next.origin.to_string(), String::from_utf8(next.bytes).unwrap()))
    }

    fn line_of(location: &str) -> Result<String, Fault> {
        let (origin, bytes) =
            follow("GET /a/b?c HTTP/1.1\r\nHost: shop.test\r\n\r\n", 302, location)?;
        Ok(format!("{origin} {}", bytes.split(' ').nth(1).unwrap()))
    }

    #[test]
    fn a_location_is_read_against_the_address_that_sent_it() {
        for (location, leads) in [
            ("/x", "http://shop.test /x"),
            ("x", "http://shop.test /a/x"),
            ("../x", "http://shop.test /x"),
            ("./x/../../../y", "http://shop.test /y"),
            ("?d=e", "http://shop.test /a/b?d=e"),
            ("#top", "http://shop.test /a/b?c"),
            ("/x#top", "http://shop.test /x"),
            ("/x y\u{fc}", "http://shop.test /x%20y%C3%BC"),
            ("//other.test/x", "http://other.test /x"),
            ("https://shop.test", "https://shop.test /"),
            ("HTTP://SHOP.TEST:80/X", "http://shop.test /X"),
            ("http://user:secret@other.test:81/", "http://other.test:81 /"),
            ("http://[::1]:8000/x", "http://[::1]:8000 /x"),
        ] {
            assert_eq!(line_of(location).as_deref(), Ok(leads), "{location}");
        }
        for bad in ["http://", "http://a b/", "ftp://shop.test/", "javascript:x", "http://x:99999/"]
        {
            assert_eq!(line_of(bad), Err(Fault::RedirectLocation), "{bad}");
        }
    }

    #[test]
    fn the_method_and_the_body_follow_the_status() {
        let methods = |method: &str| {
            [301, 302, 303, 307, 308].map(|status| {
                let (_, bytes) = follow(&POST.replacen("POST", method, 1), status, "/x").unwrap();
                format!("{} {}", bytes.split(' ').next().unwrap(), bytes.ends_with("\r\n\r\nhi"))
            })
        };
        assert_eq!(
            methods("POST"),
            ["GET false", "GET false", "GET false", "POST true", "POST true"]
        );
        assert_eq!(methods("PUT"), ["PUT true", "PUT true", "GET false", "PUT true", "PUT true"]);
        assert_eq!(methods("GET")[2], "GET false");
        assert_eq!(methods("HEAD"), ["HEAD true"; 5]);
    }

    #[test]
    fn headers_go_along_unless_they_are_for_the_body_or_for_the_first_origin() {
        assert_eq!(
            follow(POST, 302, "/x").unwrap().1,
            "GET /x HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer t\r\nCookie: a=1\r\n\
             X: y\r\n\r\n"
        );
        assert_eq!(
            follow(POST, 307, "http://other.test:81/x").unwrap().1,
            "POST /x HTTP/1.1\r\nHost: other.test:81\r\nContent-Type: text/plain\r\n\
             Content-Length: 2\r\n\r\nhi",
            "what it is not known to be may be a secret"
        );
        let asks = "PUT / HTTP/1.1\r\nHost: shop.test\r\nACCEPT-Language: de\r\nIf-Match: a\r\n\
                    Acce: b\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            follow(asks, 303, "http://other.test/").unwrap().1,
            "GET / HTTP/1.1\r\nHost: other.test\r\nACCEPT-Language: de\r\nIf-Match: a\r\n\r\n"
        );
        assert_eq!(
            follow(POST, 303, "https://shop.test/x").unwrap().1,
            "GET /x HTTP/1.1\r\nHost: shop.test\r\nX: y\r\n\r\n"
        );
    }

    #[test]
    fn an_answer_says_where_it_leads_or_does_not() {
        for (head, leads) in [
            ("Location: /x\r\n", Ok(Some("/x"))),
            ("A: b\r\nlocation:/x\r\nLocation: /x\r\n", Ok(Some("/x"))),
            ("A: b\r\n", Ok(None)),
            ("Location: \r\n", Ok(None)),
            ("Location: /x\r\nLocation: /y\r\n", Err(Fault::RedirectLocation)),
        ] {
            assert_eq!(location(head.as_bytes()), leads, "{head:?}");
        }
        assert_eq!(location(b"Location: /\xff\r\n"), Err(Fault::RedirectLocation));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        // What a server says must not become a header of the next request.
        #[test]
        fn no_location_breaks_out_of_its_place(
            start in proptest::sample::select(&["", "/", "http://a.test", "//a.test/", "?", "../"][..]),
            rest in "(\\PC|[ \r\n\t\\x00-\\x1f/?#@:%]){0,20}",
            status in proptest::sample::select(&[302_u16, 307][..]),
        ) {
            let location = format!("{start}{rest}");
            if let Ok((_, bytes)) = follow(POST, status, &location) {
                let head = bytes.split("\r\n\r\n").next().unwrap();
                let words = head.lines().next().unwrap().split(' ').count();
                prop_assert_eq!(words, 3, "{:?}", bytes);
                let known = ["Host", "Authorization", "Cookie", "Content-Type", "X", "Content-Length"];
                for line in head.lines().skip(1) {
                    let name = line.split(':').next().unwrap();
                    prop_assert!(known.contains(&name), "{bytes:?}");
                }
                prop_assert!(bytes.is_ascii() && Parts::of(bytes.as_bytes()).is_some());
            }
        }
    }
}
