//! Owns where requests may go: origins, and what addresses are near, far or never to be met.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use url::Url;

use crate::metrics::Fault;

/// Scheme, host and port: whom a request goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Connections to it are secured by TLS.
    pub https: bool,
    /// A name in lower case, or an address; without brackets.
    pub host: Box<str>,
    /// The port, said or not.
    pub port: u16,
}

impl Origin {
    /// Reads `scheme://host[:port]`.
    ///
    /// # Errors
    /// [`Fault::TargetInvalid`] when it is none.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Url::parse(text).ok().and_then(|url| Self::of(&url)).ok_or(Fault::TargetInvalid)
    }

    /// The origin of a URL, when its scheme is HTTP's.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = bare(url.host_str()?).into();
        Some(Self { https, host, port: url.port_or_known_default()? })
    }

    /// The origin that a `Host` header names.
    pub(super) fn of_authority(https: bool, authority: &str) -> Self {
        let scheme = if https { "https" } else { "http" };
        Self::parse(&format!("{scheme}://{authority}")).unwrap_or_else(|_| {
            // A name that no browser would take, but this system may know.
            let known = if https { 443 } else { 80 };
            let parts = authority.rsplit_once(':');
            let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
            let (host, port) = parts.unwrap_or((authority, known));
            Self { https, host: bare(host).to_ascii_lowercase().into(), port }
        })
    }

    /// As the `Host` header has it: the port is left out when it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.to_string()
        };
        let known = if self.https { 443 } else { 80 };
        if self.port == known { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}", if self.https { "s" } else { "" }, self.authority())
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Where load may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine, or a private network.
    Near,
    /// Anywhere else: people are told before the first request.
    Far,
    /// The address at which clouds hand out credentials: never.
    Metadata,
}

impl Reach {
    /// Judges the addresses of a host, all together.
    #[must_use]
    pub fn of(addresses: &[SocketAddr]) -> Self {
        let near = |address: IpAddr| match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_unspecified(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unspecified(),
        };
        let metadata = |address: IpAddr| match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => {
                v6.is_unicast_link_local()
                    || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
            }
        };
        let addresses = || addresses.iter().map(|address| address.ip().to_canonical());
        if addresses().any(metadata) {
            Self::Metadata
        } else if addresses().all(near) {
            Self::Near
        } else {
            Self::Far
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(texts: &[&str]) -> Reach {
        let addresses: Vec<_> =
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 80)).collect();
        Reach::of(&addresses)
    }

    #[test]
    fn origins_are_the_same_however_they_are_written() {
        for (text, normal) in [
            ("http://a.test", Ok("http://a.test")),
            ("HTTP://A.Test:80/", Ok("http://a.test")),
            ("https://a.test:443", Ok("https://a.test")),
            ("https://a.test:80", Ok("https://a.test:80")),
            ("http://[::1]:8000", Ok("http://[::1]:8000")),
            ("http://bücher.test", Ok("http://xn--bcher-kva.test")),
            ("ftp://a.test", Err(Fault::TargetInvalid)),
            ("a.test", Err(Fault::TargetInvalid)),
            ("http://", Err(Fault::TargetInvalid)),
            ("", Err(Fault::TargetInvalid)),
        ] {
            let origin = Origin::parse(text).map(|origin| origin.to_string());
            assert_eq!(origin.as_deref().map_err(|fault| *fault), normal, "{text:?}");
        }
        for (https, authority, shown) in [
            (false, "Shop", "http://shop"),
            (true, "[::1]:8443", "https://[::1]:8443"),
            (false, "a.1:81", "http://a.1:81"),
            (true, "a.1", "https://a.1"),
        ] {
            assert_eq!(Origin::of_authority(https, authority).to_string(), shown);
        }
    }

    #[test]
    fn load_stays_near_without_a_word_and_never_goes_to_metadata() {
        for near in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "192.168.0.9",
            "172.16.0.1",
            "fd12::1",
            "::ffff:127.0.0.1",
        ] {
            assert_eq!(judged(&[near]), Reach::Near, "{near}");
        }
        for far in ["8.8.8.8", "172.32.0.1", "2001:db8::1"] {
            assert_eq!(judged(&["127.0.0.1", far]), Reach::Far, "{far}");
        }
        for metadata in ["169.254.169.254", "fe80::1", "fd00:ec2::254"] {
            assert_eq!(judged(&[metadata]), Reach::Metadata, "{metadata}");
        }
    }
}
