//! Owns targets: the base URL that a plan's paths are joined to.

use std::fmt;

/// Why a text cannot be the target, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {advice}")]
pub struct TargetError {
    /// What is wrong, lowercase and without a full stop.
    pub problem: String,
    /// What to write instead.
    pub advice: String,
}

fn wrong(problem: impl Into<String>, advice: impl Into<String>) -> TargetError {
    TargetError { problem: problem.into(), advice: advice.into() }
}

const EXAMPLE: &str = "`http://127.0.0.1:8000`";

/// Where requests go: `http://127.0.0.1:8000`, `https://[::1]:8443/api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    https: bool,
    host: String,
    port: u16,
    /// Empty, or begins with `/` and ends without one.
    base_path: String,
}

impl Target {
    /// Reads a target from a plan or from the command line: `http://HOST[:PORT][/BASE]`, or the
    /// same with `https`.
    ///
    /// # Errors
    /// The scheme is missing or another than these, the host or the port is none, or there is a
    /// user name, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (https, rest) = checked(text)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority);
        Ok(Self {
            https,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port.and_then(|port| port.parse().ok()).unwrap_or(default_port(https)),
            base_path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Connections to it are secured by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The name or address to connect to, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As the `Host` header has it: the port is left out when it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let bracketed = self.host.contains(':');
        let host = if bracketed { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.https) { host } else { format!("{host}:{}", self.port) }
    }

    /// What stands before every path: empty, or `/api`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.base_path)
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

/// Whether the scheme is `https`, and what follows it, when all of it is as it must be.
fn checked(text: &str) -> Result<(bool, &str), TargetError> {
    if text.trim().is_empty() {
        return Err(wrong("the target is empty", format!("write it as {EXAMPLE}")));
    }
    if text.contains("{{") {
        return Err(wrong(
            "templates in the target are not supported yet",
            "write the URL itself, and give another by `--target` when it differs",
        ));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("the target holds a space", "take it out"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let advice = if plausible_host(text) {
            format!("write `http://{text}`")
        } else {
            format!("write it as {EXAMPLE}")
        };
        return Err(wrong("the target lacks its scheme", advice));
    };
    let https = match &*scheme.to_ascii_lowercase() {
        "http" => false,
        "https" => true,
        _ => {
            return Err(wrong(
                format!("`{scheme}` is not a scheme that can be loaded"),
                format!("write it as {EXAMPLE}"),
            ));
        }
    };
    if let Some(at) = rest.find(['?', '#']) {
        return Err(wrong(
            "the target holds a query or a fragment",
            format!("end it before the `{}`; a query belongs to the paths", &rest[at..=at]),
        ));
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.contains('@') {
        return Err(wrong(
            "the target holds a user name",
            "take it out, and send an `authorization` header",
        ));
    }
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return Err(wrong("the target lacks its host", format!("write it as {EXAMPLE}")));
    }
    if !is_host(host) {
        return Err(wrong(
            format!("`{host}` is not a host"),
            "write a name or an address; an IPv6 address in brackets, as `http://[::1]:8000`",
        ));
    }
    if let Some(port) = port {
        let good = port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0);
        if !good {
            return Err(wrong(
                format!("`{port}` is not a port"),
                "ports lie between 1 and 65535; without one it is 80, with `https` 443",
            ));
        }
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "the target holds other signs than a URL can",
            "write it percent-encoded",
        ));
    }
    Ok((https, rest))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_brackets..].find(':') {
        Some(colon) => {
            let colon = after_brackets + colon;
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        None => (authority, None),
    }
}

pub(super) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<std::net::Ipv4Addr>().is_ok();
    }
    host.len() <= 253
        && host.strip_suffix('.').unwrap_or(host).split('.').all(|label| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn plausible_host(text: &str) -> bool {
    let (host, _) = split_port(text.split('/').next().unwrap_or(text));
    is_host(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_of_http_and_https_are_targets() {
        for text in [
            "http://127.0.0.1:8000",
            "http://localhost",
            "HTTP://api.example.com/v1/",
            "http://[::1]:8000",
            "http://todo_app:80",
            "https://api.example.com",
            "HTTPS://[::1]:8443/v1",
        ] {
            assert!(Target::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn base_urls_are_taken_apart() {
        let shown = |text: &str| {
            let target = Target::parse(text).unwrap();
            format!("{} {} {} {}", target.host(), target.port(), target.authority(), target)
        };
        let local = "127.0.0.1 8000 127.0.0.1:8000 http://127.0.0.1:8000";
        assert_eq!(shown("http://127.0.0.1:8000"), local);
        assert_eq!(shown("http://shop.test/api/"), "shop.test 80 shop.test http://shop.test/api");
        assert_eq!(shown("http://[::1]:8000"), "::1 8000 [::1]:8000 http://[::1]:8000");
        assert_eq!(shown("http://[::1]"), "::1 80 [::1] http://[::1]");
        assert_eq!(shown("https://shop.test/"), "shop.test 443 shop.test https://shop.test");
        assert_eq!(shown("https://a.test:80"), "a.test 80 a.test:80 https://a.test:80");
        assert_eq!(shown("http://a.test:443"), "a.test 443 a.test:443 http://a.test:443");
        assert!(Target::parse("HTTPS://x").unwrap().is_https());
        assert!(!Target::parse("http://x").unwrap().is_https());
    }

    #[test]
    fn another_target_is_told_what_to_write() {
        for (text, want) in [
            ("", "the target is empty; write it as `http://127.0.0.1:8000`"),
            ("127.0.0.1:8000", "the target lacks its scheme; write `http://127.0.0.1:8000`"),
            (
                "ftp://x.io",
                "`ftp` is not a scheme that can be loaded; write it as `http://127.0.0.1:8000`",
            ),
            ("http://", "the target lacks its host; write it as `http://127.0.0.1:8000`"),
            ("http://:80", "the target lacks its host; write it as `http://127.0.0.1:8000`"),
            (
                "http://x:0",
                "`0` is not a port; ports lie between 1 and 65535; without one it is 80, with `https` 443",
            ),
            (
                "http://x:http",
                "`http` is not a port; ports lie between 1 and 65535; without one it is 80, with `https` 443",
            ),
            (
                "http://a@x",
                "the target holds a user name; take it out, and send an `authorization` header",
            ),
            (
                "http://x/?a=1",
                "the target holds a query or a fragment; end it before the `?`; a query belongs to the paths",
            ),
            ("http://x y", "the target holds a space; take it out"),
        ] {
            assert_eq!(Target::parse(text).unwrap_err().to_string(), want, "{text}");
        }
        for text in ["http://1.2.3", "http://::1", "http://a..b", "http://-a", "http://[x]"] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn checking_any_text_never_panics(text in "\\PC{0,30}", host in "\\PC{0,12}") {
            let _ = Target::parse(&text);
            let _ = Target::parse(&format!("http://{host}"));
        }
    }
}
