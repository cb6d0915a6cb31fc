//! Owns targets: the base URL that paths are joined to, from text.

use std::fmt;

use crate::units::UnitError;

/// Where requests go: `http://127.0.0.1:8000`, `http://[::1]:8000/api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    /// Empty, or begins with `/` and ends without one.
    base_path: String,
}

impl Target {
    /// Reads a base URL. Without a scheme `http://` is understood, as curl does.
    ///
    /// # Errors
    /// Says which part is wrong and how to write it.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let wrong = |problem: &str| Err(UnitError(problem.to_owned()));
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some(("http" | "HTTP", rest)) => rest,
            Some(("https" | "HTTPS", _)) => {
                return wrong("https is not supported yet; use `http://`");
            }
            Some(_) => return wrong("only `http://` is supported; write `http://127.0.0.1:8000`"),
            None => text,
        };
        if text.contains("{{") {
            return wrong("templates are not supported here yet; write the address itself");
        }
        if rest.bytes().any(|byte| byte <= b' ' || byte == 0x7f || b"<>\"\\^`{|}".contains(&byte)) {
            return wrong("it holds a character that no URL has; write `http://127.0.0.1:8000`");
        }
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if path.contains(['?', '#']) {
            return wrong(
                "a base URL has no query and no fragment; leave off what follows the path",
            );
        }
        if authority.contains('@') {
            return wrong("a user and password in the URL are not supported; send a header");
        }
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address stand within brackets.
            Some((_, port)) if port.ends_with(']') => (authority, "80"),
            Some((host, port)) => (host, port),
            None => (authority, "80"),
        };
        let Some(port) = port.parse().ok().filter(|port: &u16| *port > 0) else {
            return wrong("the port must be a number from 1 to 65535");
        };
        if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
            return wrong("write an IPv6 address in brackets: `http://[::1]:8000`");
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return wrong("the host is missing; write `http://127.0.0.1:8000`");
        }
        let base_path = path.trim_end_matches('/').to_owned();
        Ok(Self { host: host.to_owned(), port, base_path })
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

    /// As the `Host` header has it: the port is left out when it is 80.
    #[must_use]
    pub fn authority(&self) -> String {
        let bracketed = self.host.contains(':');
        let host = if bracketed { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    /// What stands before every path: empty, or `/api`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_taken_apart() {
        let shown = |text: &str| {
            let target = Target::parse(text).unwrap();
            format!("{} {} {} {}", target.host(), target.port(), target.authority(), target)
        };
        assert_eq!(
            shown("http://127.0.0.1:8000"),
            "127.0.0.1 8000 127.0.0.1:8000 http://127.0.0.1:8000"
        );
        assert_eq!(shown("http://shop.test/api/"), "shop.test 80 shop.test http://shop.test/api");
        assert_eq!(shown("localhost:8000"), "localhost 8000 localhost:8000 http://localhost:8000");
        assert_eq!(shown("http://[::1]:8000"), "::1 8000 [::1]:8000 http://[::1]:8000");
        assert_eq!(shown("http://[::1]"), "::1 80 [::1] http://[::1]");
    }

    #[test]
    fn a_wrong_one_is_told_what_to_write() {
        for (text, want) in [
            ("https://a", "https is not supported yet; use `http://`"),
            ("ftp://a", "only `http://` is supported; write `http://127.0.0.1:8000`"),
            ("http://", "the host is missing; write `http://127.0.0.1:8000`"),
            ("http://a:99999", "the port must be a number from 1 to 65535"),
            ("http://::1:80", "write an IPv6 address in brackets: `http://[::1]:8000`"),
            (
                "http://a?x=1",
                "a base URL has no query and no fragment; leave off what follows the path",
            ),
            ("http://u:p@a", "a user and password in the URL are not supported; send a header"),
            ("http://a b", "it holds a character that no URL has; write `http://127.0.0.1:8000`"),
        ] {
            assert_eq!(Target::parse(text).unwrap_err().to_string(), want, "{text}");
        }
    }
}
