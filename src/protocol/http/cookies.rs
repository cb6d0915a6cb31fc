//! Owns a user's cookies: which are taken, and which go with a request (RFC 6265bis §5).

use cookie::Cookie;
use cookie::time::OffsetDateTime;

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::address::Origin;
use super::request::{Line, Parts};

/// How many cookies a user keeps at most; the oldest make room.
const COOKIES_MAX: usize = 180;
/// How long a name and its value may be together.
const LENGTH_MAX: usize = 4 * 1024;

/// The cookies of one user.
///
/// The jar is our own, because a user with one cookie must cost a hundred bytes and not kilobytes,
/// nothing may grow without a bound, and time must come from a clock that tests can replace. What
/// a header says, its dates, and what a public suffix is, others know.
#[derive(Debug, Default)]
pub(super) struct Jar {
    /// As they are sent: longer paths first, then older ones.
    cookies: Vec<Stored>,
    /// The number of the next one.
    next: u32,
    /// When a server changed something in it the last time.
    changed: Option<Instant>,
    /// What stood there before that; none for most users.
    replaced: Option<Box<Replaced>>,
}

/// Cookies that are gone, `name=value` each.
#[derive(Debug, Default)]
struct Replaced(Vec<Box<str>>);

#[derive(Debug)]
struct Stored {
    /// The host that set it, or the domain that it is for.
    domain: Box<str>,
    path: Box<str>,
    /// `name=value`.
    pair: Box<str>,
    /// How long the name is.
    name: u16,
    /// For the host alone, not for the names below it.
    host_only: bool,
    secure: bool,
    /// The order in which they came.
    number: u32,
    /// None ends with its user.
    expires: Option<Instant>,
}

impl Stored {
    fn name(&self) -> &str {
        &self.pair[..usize::from(self.name)]
    }

    fn is(&self, other: &Self) -> bool {
        self.name() == other.name() && self.domain == other.domain && self.path == other.path
    }

    /// It came over TLS, and the other, which did not, would be taken for it.
    fn is_shadowed_by(&self, other: &Self) -> bool {
        self.secure
            && self.name() == other.name()
            && (self.domain == other.domain
                || is_within(&self.domain, &other.domain)
                || is_within(&other.domain, &self.domain))
            && is_below(&other.path, &self.path)
    }

    fn lives(&self, now: Instant) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    fn goes_to(&self, origin: &Origin, path: &str, now: Instant) -> bool {
        (origin.https || !self.secure)
            && (*self.domain == *origin.host
                || !self.host_only && is_within(&origin.host, &self.domain))
            && is_below(path, &self.path)
            && self.lives(now)
    }
}

impl Jar {
    /// Takes what a `Set-Cookie` says that `origin` sent for a request of `path`; not what may not be
    /// set, as a browser does.
    pub(super) fn take(
        &mut self,
        header: &[u8],
        origin: &Origin,
        path: &str,
        now: Instant,
    ) -> bool {
        let Ok(header) = std::str::from_utf8(header) else { return false };
        let Some(mut cookie) = accepted(header, origin, path, now) else { return false };
        if !origin.https && self.cookies.iter().any(|known| known.is_shadowed_by(&cookie)) {
            return false;
        }
        // A cookie without a value says nothing: servers log a user out by it.
        let empty = cookie.pair.len() == usize::from(cookie.name) + 1;
        let known = self.cookies.iter().position(|known| known.is(&cookie));
        let known = known.map(|place| self.cookies.remove(place));
        cookie.number = known.as_ref().map_or(self.next, |known| known.number);
        let gone = empty || !cookie.lives(now);
        let same = known.as_ref().map_or(gone, |known| !gone && known.pair == cookie.pair);
        if !same {
            if self.changed != Some(now) {
                self.replaced = None;
                self.changed = Some(now);
            }
            if let Some(known) = &known {
                self.replaced.get_or_insert_default().0.push(known.pair.clone());
            }
        }
        if gone {
            return true;
        }
        self.next = self.next.saturating_add(u32::from(known.is_none()));
        if self.cookies.len() >= COOKIES_MAX {
            self.cookies.retain(|known| known.lives(now));
        }
        while self.cookies.len() >= COOKIES_MAX {
            let oldest = (0..self.cookies.len()).min_by_key(|&place| self.cookies[place].number);
            oldest.map(|place| self.cookies.remove(place));
        }
        let order = |cookie: &Stored| (usize::MAX - cookie.path.len(), cookie.number);
        let place = self.cookies.partition_point(|known| order(known) < order(&cookie));
        // Most users keep one cookie only.
        self.cookies.reserve_exact(1);
        self.cookies.insert(place, cookie);
        true
    }

    /// When a server changed it the last time.
    pub(super) fn changed(&self) -> Option<Instant> {
        self.changed
    }

    /// The cookies, `name=value` each, that were taken out or replaced at that time.
    pub(super) fn replaced(&self) -> &[Box<str>] {
        self.replaced.as_ref().map_or(&[], |replaced| &replaced.0)
    }

    /// No cookie is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// The value of the cookie that would be sent first under this name.
    pub(super) fn value(&self, origin: &Origin, path: &str, name: &str) -> Option<&str> {
        let now = Instant::now();
        let mut all = self.matching(origin, path, now).filter(|cookie| cookie.name() == name);
        all.next().map(|cookie| &cookie.pair[name.len() + 1..])
    }

    fn matching(&self, origin: &Origin, path: &str, now: Instant) -> impl Iterator<Item = &Stored> {
        self.cookies.iter().filter(move |cookie| cookie.goes_to(origin, path, now))
    }

    /// Writes the request with the cookies that go with it, beside those that it holds already; of
    /// two with the same name the request's own is sent. Nothing is written when there is none.
    pub(super) fn write(&self, bytes: &[u8], origin: &Origin, now: Instant, out: &mut Vec<u8>) {
        let path = Parts::path_of(bytes);
        let mut cookies = self.matching(origin, path, now).peekable();
        if cookies.peek().is_none() {
            return;
        }
        let Some(parts) = Parts::of(bytes) else { return };
        let is_cookie = |line: &Line<'_>| line.is("cookie");
        let own = || parts.lines().filter(is_cookie).map(|line| line.value);
        let given = |name: &str| {
            own().flat_map(|value| value.split(|&byte| byte == b';')).any(|pair| {
                pair.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii()
                    == name.as_bytes()
            })
        };
        let head = bytes.len() - parts.body.len() - parts.fields.len() - 2;
        out.extend_from_slice(&bytes[..head]);
        for line in parts.lines().filter(|line| !is_cookie(line)) {
            out.extend_from_slice(line.whole);
        }
        let mut between: &[u8] = b"Cookie: ";
        let cookies = cookies.filter(|cookie| !given(cookie.name()));
        for pair in own().chain(cookies.map(|cookie| cookie.pair.as_bytes())) {
            out.extend_from_slice(between);
            out.extend_from_slice(pair);
            between = b"; ";
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(parts.body);
    }
}

/// The cookie, when `origin` may set it; its number is still to be given.
fn accepted(header: &str, origin: &Origin, path: &str, now: Instant) -> Option<Stored> {
    let cookie = Cookie::parse(header).ok()?;
    let (name, value) = (cookie.name(), cookie.value());
    if name.is_empty() || name.len() + value.len() > LENGTH_MAX {
        return None;
    }
    let secure = cookie.secure().unwrap_or_default();
    if secure && !origin.https {
        return None;
    }
    let named = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let domain = cookie.domain().unwrap_or_default().trim_start_matches('.');
    let bare_host = named("__Host-")
        && !(secure && domain.is_empty() && cookie.path().is_some_and(|path| path == "/"));
    if bare_host || named("__Secure-") && !secure {
        return None;
    }
    let domain = domain.to_ascii_lowercase();
    let domain = if domain.is_empty() || domain == *origin.host {
        None
    } else if is_within(&origin.host, &domain) && !is_public(&domain) {
        Some(domain)
    } else {
        return None;
    };
    // The name itself as its domain is for names below it too, when it may have some.
    let host_only = domain.is_none()
        && (cookie.domain().is_none_or(str::is_empty)
            || is_address(&origin.host)
            || is_public(&origin.host));
    let path = match cookie.path() {
        Some(path) if path.starts_with('/') => path,
        _ => default_path(path),
    };
    Some(Stored {
        domain: domain.map_or_else(|| origin.host.clone(), Into::into),
        path: path.into(),
        pair: format!("{name}={value}").into(),
        name: u16::try_from(name.len()).ok()?,
        host_only,
        secure,
        number: 0,
        expires: expires(&cookie, now),
    })
}

/// When it ends: now when it has already.
fn expires(cookie: &Cookie<'_>, now: Instant) -> Option<Instant> {
    let left = match cookie.max_age() {
        Some(age) => Duration::try_from(age).unwrap_or_default(),
        None => {
            let date: OffsetDateTime = cookie.expires_datetime()?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let end = u64::try_from(date.unix_timestamp()).unwrap_or_default();
            Duration::from_secs(end).saturating_sub(since)
        }
    };
    // Beyond the clock is never.
    now.checked_add(left)
}

/// The host is a name below the domain (RFC 6265bis §5.1.3).
fn is_within(host: &str, domain: &str) -> bool {
    let above = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    above.is_some_and(|name| !name.is_empty()) && !is_address(host)
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// Anyone can have a name below it: `com`, `co.uk`.
fn is_public(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

/// The path of the request is the cookie's or below it (RFC 6265bis §5.1.4).
fn is_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
}

/// The folder of the request's path (RFC 6265bis §5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(slash) if slash > 0 && path.starts_with('/') => &path[..slash],
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    /// Which cookies go to an address, after others were set from some.
    fn sent(set: &[(&str, &str, &str)], to: &str, path: &str) -> String {
        let (mut jar, now) = (Jar::default(), Instant::now());
        for (from, path, header) in set {
            jar.take(header.as_bytes(), &origin(from), path, now);
        }
        jar.header(to, path)
    }

    impl Jar {
        fn header(&self, to: &str, path: &str) -> String {
            let to = origin(to);
            let pairs = self.matching(&to, path, Instant::now());
            pairs.map(|cookie| &*cookie.pair).collect::<Vec<_>>().join("; ")
        }
    }

    #[test]
    fn cookies_go_where_they_may() {
        let (shop, web) = ("http://shop.test", "https://www.shop.co.uk");
        for (from, at, header, to, path, want) in [
            (shop, "/", "a=1", shop, "/", "a=1"),
            (shop, "/", "a=1", "http://shop.test:81", "/x", "a=1"),
            (shop, "/", "a=1", "http://www.shop.test", "/", ""),
            (shop, "/", "a=\"1\"", shop, "/", "a=\"1\""),
            (shop, "/", "a=b=c", shop, "/", "a=b=c"),
            (shop, "/", "=1", shop, "/", ""),
            (shop, "/", "nothing", shop, "/", ""),
            // Paths.
            (shop, "/x/y", "a=1", shop, "/x", "a=1"),
            (shop, "/x/y", "a=1", shop, "/x/z", "a=1"),
            (shop, "/x/y", "a=1", shop, "/xz", ""),
            (shop, "/", "a=1; Path=/x", shop, "/x/y", "a=1"),
            (shop, "/", "a=1; Path=/x/", shop, "/x/y", "a=1"),
            (shop, "/", "a=1; Path=/x", shop, "/", ""),
            (shop, "/x/y", "a=1; Path=odd", shop, "/x", "a=1"),
            // Domains.
            (web, "/", "a=1; Domain=shop.co.uk", "https://shop.co.uk", "/", "a=1"),
            (web, "/", "a=1; Domain=.Shop.Co.Uk", "https://api.shop.co.uk", "/", "a=1"),
            (web, "/", "a=1; Domain=www.shop.co.uk", "https://x.www.shop.co.uk", "/", "a=1"),
            (web, "/", "a=1; Domain=shop.co.uk", "https://myshop.co.uk", "/", ""),
            (web, "/", "a=1; Domain=co.uk", "https://www.shop.co.uk", "/", ""),
            (web, "/", "a=1; Domain=evil.test", "https://evil.test", "/", ""),
            (web, "/", "a=1; Domain=api.shop.co.uk", "https://api.shop.co.uk", "/", ""),
            ("http://localhost", "/", "a=1; Domain=localhost", "http://localhost", "/", "a=1"),
            ("http://localhost", "/", "a=1; Domain=localhost", "http://x.localhost", "/", ""),
            ("http://127.0.0.1", "/", "a=1; Domain=127.0.0.1", "http://127.0.0.1", "/", "a=1"),
            ("http://127.0.0.1", "/", "a=1; Domain=0.0.1", "http://127.0.0.1", "/", ""),
            ("http://[::1]", "/", "a=1", "http://[::1]", "/", "a=1"),
            // Secure, and names that promise.
            (web, "/", "a=1; Secure", web, "/", "a=1"),
            (web, "/", "a=1; Secure", "http://www.shop.co.uk", "/", ""),
            (shop, "/", "a=1; Secure", "https://shop.test", "/", ""),
            (web, "/", "__Secure-a=1; Secure", web, "/", "__Secure-a=1"),
            (web, "/", "__secure-a=1", web, "/", ""),
            (web, "/", "__Host-a=1; Secure; Path=/", web, "/", "__Host-a=1"),
            (web, "/", "__Host-a=1; Secure; Path=/x", web, "/x", ""),
            (web, "/", "__Host-a=1; Secure; Path=/; Domain=shop.co.uk", web, "/", ""),
            // Time.
            (shop, "/", "a=1; Max-Age=60", shop, "/", "a=1"),
            (shop, "/", "a=1; Max-Age=0", shop, "/", ""),
            (shop, "/", "a=1; Max-Age=-5", shop, "/", ""),
            (shop, "/", "a=1; Max-Age=99999999999999999999", shop, "/", "a=1"),
            (shop, "/", "a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", shop, "/", ""),
            (shop, "/", "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", shop, "/", "a=1"),
            (shop, "/", "a=1; Max-Age=9; Expires=Wed, 21 Oct 2015 07:28:00 GMT", shop, "/", "a=1"),
        ] {
            let found = sent(&[(from, at, header)], to, path);
            assert_eq!(found, want, "{header} from {from}{at} to {to}{path}");
        }
    }

    #[test]
    fn a_cookie_that_comes_again_takes_the_place_of_the_first() {
        let at = "http://shop.test";
        let set = |more: &[&str]| {
            let mut all = vec![(at, "/", "a=1"), (at, "/", "b=2"), (at, "/", "c=3; Path=/x")];
            all.extend(more.iter().map(|header| (at, "/", *header)));
            sent(&all, at, "/x")
        };
        assert_eq!(set(&[]), "c=3; a=1; b=2");
        assert_eq!(set(&["a=9"]), "c=3; a=9; b=2");
        assert_eq!(set(&["a=9; Path=/x"]), "c=3; a=9; a=1; b=2");
        for gone in ["a=", "a=; Max-Age=0", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(set(&[gone]), "c=3; b=2", "{gone}");
        }
    }

    #[test]
    fn what_came_over_tls_is_not_replaced_by_what_did_not() {
        let (clear, tls) = ("http://shop.test", "https://shop.test");
        let after =
            |header| sent(&[(tls, "/", "a=1; Secure; Path=/x"), (clear, "/", header)], tls, "/x/y");
        assert_eq!(after("a=2; Path=/x"), "a=1");
        assert_eq!(after("a=2; Path=/x/y"), "a=1");
        assert_eq!(after("a=; Max-Age=0; Path=/x"), "a=1");
        assert_eq!(after("a=2; Path=/"), "a=1; a=2");
        assert_eq!(after("b=2"), "a=1; b=2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_ends_when_its_time_is_over() {
        let (mut jar, shop) = (Jar::default(), origin("http://shop.test"));
        jar.take(b"a=1; Max-Age=60", &shop, "/", Instant::now());
        jar.take(b"b=2", &shop, "/", Instant::now());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(jar.header("http://shop.test", "/"), "a=1; b=2");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(jar.header("http://shop.test", "/"), "b=2");
        assert_eq!(jar.value(&shop, "/", "a"), None);
        assert_eq!(jar.value(&shop, "/", "b"), Some("2"));
    }

    #[test]
    fn a_jar_has_bounds() {
        let (mut jar, shop, now) = (Jar::default(), origin("http://shop.test"), Instant::now());
        for number in 0..1_000 {
            jar.take(format!("n{number}=1").as_bytes(), &shop, "/", now);
        }
        assert_eq!(jar.cookies.len(), COOKIES_MAX);
        let header = jar.header("http://shop.test", "/");
        assert!(header.starts_with("n820=1; ") && header.ends_with("; n999=1"), "{header}");
        let long = |length| format!("long={}", "x".repeat(length));
        jar.take(long(LENGTH_MAX).as_bytes(), &shop, "/", now);
        assert_eq!(jar.value(&shop, "/", "long"), None);
        jar.take(long(LENGTH_MAX - 4).as_bytes(), &shop, "/", now);
        assert!(jar.value(&shop, "/", "long").is_some());
        jar.take(b"bytes=\xff", &shop, "/", now);
        assert_eq!(jar.value(&shop, "/", "bytes"), None);
    }

    #[test]
    fn a_user_with_one_cookie_costs_little() {
        let mut jar = Jar::default();
        jar.take(b"session=0123456789", &origin("http://shop.test"), "/", Instant::now());
        let room = jar.cookies.capacity() * size_of::<Stored>() + size_of::<Jar>();
        assert!(room <= 128, "{room}");
    }

    #[test]
    fn cookies_are_written_into_one_line() {
        let (mut jar, shop, now) = (Jar::default(), origin("http://shop.test"), Instant::now());
        let written = |jar: &Jar, bytes: &str| {
            let mut out = Vec::new();
            jar.write(bytes.as_bytes(), &shop, now, &mut out);
            String::from_utf8(out).unwrap()
        };
        let get = "GET /x?y HTTP/1.1\r\nHost: shop.test\r\n\r\n";
        assert_eq!(written(&jar, get), "");
        jar.take(b"a=1; Path=/x", &shop, "/", now);
        jar.take(b"b=2", &shop, "/", now);
        assert_eq!(
            written(&jar, get),
            "GET /x?y HTTP/1.1\r\nHost: shop.test\r\nCookie: a=1; b=2\r\n\r\n"
        );
        assert_eq!(
            written(
                &jar,
                "PUT /x HTTP/1.1\r\nHost: shop.test\r\ncookie: b=9; c\r\nX: y\r\n\r\nbody\r\n"
            ),
            "PUT /x HTTP/1.1\r\nHost: shop.test\r\nX: y\r\nCookie: b=9; c; a=1\r\n\r\nbody\r\n"
        );
    }
}
