//! Owns the way to the target: `--resolve`, `--cacert` and `--insecure` become addresses and TLS.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::options::{Options, Trust};
use crate::diagnostic::Diagnostic;
use crate::metrics::Fault;
use crate::plan::Target;
use crate::protocol::http::{self, Opener, Origin, Roots, Tls};

/// How a target is reached, beyond what it says itself.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where, when the user said so; otherwise the system knows the name.
    pub addresses: Option<Vec<SocketAddr>>,
    /// How it is secured. All workers of a run share this one.
    pub tls: Option<Tls>,
}

impl Way {
    /// The way to `target`. `system` loads the system's authorities: that takes a while, so it is
    /// called only when a certificate will be held against them.
    ///
    /// # Errors
    /// The options do not fit the target, or the file of authorities holds none.
    pub fn to(
        target: &Target,
        options: &Options,
        system: impl FnOnce() -> Roots,
    ) -> Result<Self, Diagnostic> {
        let addresses = pinned(target, &options.resolve)?;
        if !target.is_https() {
            return Ok(Self { addresses, tls: None });
        }
        let roots = match &options.trust {
            Trust::System => Some(system()),
            Trust::File(path) => Some(roots_in(path)?),
            Trust::Anyone => None,
        };
        let tls = Tls::new(target.host(), roots).map_err(|_| {
            Diagnostic::without_place(
                format!("no certificate can be for `{}`", target.host()),
                "write a name or an address that one can hold",
            )
        })?;
        Ok(Self { addresses, tls: Some(tls) })
    }
}

/// How hosts are reached that the plan did not name: pinned and trusted as its target is.
pub(super) fn opener(options: &Options, tls: Option<Tls>) -> Opener {
    let (pinned, trust) = (options.resolve.clone(), options.trust.clone());
    // Made once for all hosts and workers, and only when the first of them needs it.
    let first = OnceLock::new();
    Arc::new(move |origin: &Origin| {
        let secured = || {
            let tls = tls.as_ref().or_else(|| {
                let made = first.get_or_init(|| {
                    let roots = match &trust {
                        Trust::System => Some(Roots::of_system()),
                        Trust::File(path) => Some(Roots::in_file(path).ok()?),
                        Trust::Anyone => None,
                    };
                    Tls::new("localhost", roots).ok()
                });
                made.as_ref()
            });
            let tls = tls.ok_or(Fault::TlsFailed)?;
            tls.for_host(&origin.host).map_err(|_| Fault::TargetInvalid)
        };
        let mine = pinned.iter().filter(|pinned| pinned.leads(&origin.host, origin.port));
        let addresses = mine.map(|pinned| SocketAddr::new(pinned.address, origin.port));
        Ok(http::Target {
            authority: origin.authority(),
            addresses: addresses.collect(),
            tls: origin.https.then(secured).transpose()?,
        })
    })
}

fn roots_in(path: &Path) -> Result<Roots, Diagnostic> {
    Roots::in_file(path).map_err(|error| {
        Diagnostic::without_place(
            format!("`--cacert {}`: {error}", path.display()),
            "give a file with the CA's certificate between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`",
        )
    })
}

/// The target's certificate will not be verified.
pub(super) fn is_unverified(target: &Target, trust: &Trust) -> bool {
    target.is_https() && *trust == Trust::Anyone
}

/// What must be said of trust before the run: a line, or nothing.
pub(super) fn remark(target: &Target, trust: &Trust) -> String {
    let option = match (trust, target.is_https()) {
        (Trust::Anyone, true) => {
            return "warning: the target's certificate is not verified (`--insecure`)\n".to_owned();
        }
        (Trust::System, _) | (Trust::File(_), true) => return String::new(),
        (Trust::Anyone, false) => "--insecure",
        (Trust::File(_), false) => "--cacert",
    };
    format!("warning: `{option}` changes nothing: {target} is without TLS\n")
}

/// A name, and an address to reach it at: `shop.test:127.0.0.1`, or `shop.test:443:[::1]` for one
/// port only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    host: String,
    port: Option<u16>,
    address: IpAddr,
}

impl Pinned {
    /// Reads it from the command line: `HOST:ADDRESS`, or curl's `HOST:PORT:ADDRESS`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Colons within brackets part nothing.
        let mut depth = 0;
        let parts: Vec<&str> = text
            .split(|c| {
                depth += i32::from(c == '[') - i32::from(c == ']');
                c == ':' && depth == 0
            })
            .collect();
        let (host, port, address) = match parts[..] {
            [host, address] => (host, None, address),
            [host, port, address] => (host, Some(port), address),
            _ => {
                return Err("write `shop.test:127.0.0.1`, or `shop.test:443:127.0.0.1` for one \
                            port only; an IPv6 address in brackets"
                    .to_owned());
            }
        };
        if host.is_empty() {
            return Err("the name is missing; write `shop.test:127.0.0.1`".to_owned());
        }
        let port = port.map(|port| {
            let number = port.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("`{port}` is not a port; ports lie between 1 and 65535"))
        });
        let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
        let address = bare.unwrap_or(address).parse().map_err(|_| {
            format!("`{address}` is not an address; write one as `127.0.0.1` or `[::1]`")
        })?;
        let host = bare_name(host).to_ascii_lowercase();
        Ok(Self { host, port: port.transpose()?, address })
    }

    fn is_for(&self, target: &Target) -> bool {
        self.leads(target.host(), target.port())
    }

    fn leads(&self, host: &str, port: u16) -> bool {
        self.host.eq_ignore_ascii_case(bare_name(host))
            && self.port.is_none_or(|pinned| pinned == port)
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bracketed(&self.host))?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, ":{}", bracketed(&self.address.to_string()))
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// Without the brackets of an address and the dot of the root.
fn bare_name(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

/// Where the user says that the target is. A list that does not speak of the target at all is a
/// mistake: without it the load would go to where the name really leads.
fn pinned(target: &Target, all: &[Pinned]) -> Result<Option<Vec<SocketAddr>>, Diagnostic> {
    let Some(first) = all.first() else { return Ok(None) };
    let mine = all.iter().filter(|pinned| pinned.is_for(target));
    let addresses: Vec<_> =
        mine.map(|pinned| SocketAddr::new(pinned.address, target.port())).collect();
    if addresses.is_empty() {
        let to = Pinned { host: target.host().to_owned(), port: None, ..first.clone() };
        return Err(Diagnostic::without_place(
            format!("`--resolve {first}` is not about the target {target}"),
            format!("to reach it there, write `--resolve {to}`"),
        ));
    }
    Ok(Some(addresses))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn the_systems_authorities_are_loaded_only_for_certificates_that_need_them() {
        let loaded = |url: &str, trust: Trust| {
            let loads = Cell::new(0);
            let options = Options { trust, ..Options::default() };
            let system = || {
                loads.set(loads.get() + 1);
                Roots::of_system()
            };
            let way = Way::to(&target(url), &options, system).unwrap();
            (way.tls.is_some(), loads.get())
        };
        assert_eq!(loaded("http://localhost", Trust::System), (false, 0));
        assert_eq!(loaded("http://localhost", Trust::Anyone), (false, 0));
        assert_eq!(loaded("http://localhost", Trust::File("absent.pem".into())), (false, 0));
        assert_eq!(loaded("https://localhost", Trust::Anyone), (true, 0));
        assert_eq!(loaded("https://localhost", Trust::System), (true, 1));
    }

    #[test]
    fn names_are_pinned_as_curl_does() {
        let read = |text| Pinned::parse(text).map(|pinned| pinned.to_string());
        for (text, shown) in [
            ("shop.test:127.0.0.1", "shop.test:127.0.0.1"),
            ("Shop.Test.:443:127.0.0.1", "shop.test:443:127.0.0.1"),
            ("shop.test:[::1]", "shop.test:[::1]"),
            ("[::2]:80:[::1]", "[::2]:80:[::1]"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(shown));
        }
        for (text, wrong) in [
            (
                "shop.test",
                "write `shop.test:127.0.0.1`, or `shop.test:443:127.0.0.1` for one port only; an IPv6 address in brackets",
            ),
            (
                "shop.test:::1",
                "write `shop.test:127.0.0.1`, or `shop.test:443:127.0.0.1` for one port only; an IPv6 address in brackets",
            ),
            (":127.0.0.1", "the name is missing; write `shop.test:127.0.0.1`"),
            (
                "shop.test:other.test",
                "`other.test` is not an address; write one as `127.0.0.1` or `[::1]`",
            ),
            ("shop.test:0:127.0.0.1", "`0` is not a port; ports lie between 1 and 65535"),
        ] {
            assert_eq!(read(text), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn only_what_is_about_the_target_counts() {
        let reached = |url: &str, texts: &[&str]| {
            let all: Vec<_> = texts.iter().map(|text| Pinned::parse(text).unwrap()).collect();
            pinned(&target(url), &all).map(|addresses| format!("{addresses:?}"))
        };
        let some = |text: &str| Ok(format!("Some([{text}])"));
        assert_eq!(reached("https://shop.test", &[]), Ok("None".to_owned()));
        let two = ["other.test:10.0.0.1", "shop.test:127.0.0.1", "SHOP.test:443:[::1]"];
        assert_eq!(reached("https://shop.test", &two), some("127.0.0.1:443, [::1]:443"));
        assert_eq!(reached("http://shop.test:8080", &two), some("127.0.0.1:8080"));
        let mistake = reached("https://shop.test", &["shop.test:80:[::1]"]).unwrap_err();
        assert_eq!(
            (&*mistake.title, &*mistake.label),
            (
                "`--resolve shop.test:80:[::1]` is not about the target https://shop.test",
                "to reach it there, write `--resolve shop.test:[::1]`"
            )
        );
    }

    #[test]
    fn hosts_that_the_plan_did_not_name_are_pinned_and_trusted_as_its_target_is() {
        let resolve = ["a.test:127.0.0.1", "a.test:81:[::1]"];
        let resolve = resolve.map(|text| Pinned::parse(text).unwrap()).to_vec();
        let options = Options { trust: Trust::Anyone, resolve, ..Options::default() };
        let open = opener(&options, None);
        let opened = |text: &str| {
            let target = open(&Origin::parse(text).unwrap())?;
            let addresses = format!("{:?}", target.addresses);
            Ok::<_, Fault>((target.authority, addresses, target.tls.is_some()))
        };
        let is = |authority: &str, addresses: &str, tls| {
            Ok((authority.to_owned(), addresses.to_owned(), tls))
        };
        assert_eq!(opened("http://A.test"), is("a.test", "[127.0.0.1:80]", false));
        assert_eq!(opened("https://a.test:81"), is("a.test:81", "[127.0.0.1:81, [::1]:81]", true));
        assert_eq!(opened("https://b.test"), is("b.test", "[]", true));

        let trust = Trust::File("absent.pem".into());
        let open = opener(&Options { trust, ..Options::default() }, None);
        let opened = |text: &str| open(&Origin::parse(text).unwrap()).map(|_| ());
        assert_eq!(opened("http://b.test"), Ok(()));
        assert_eq!(opened("https://b.test"), Err(Fault::TlsFailed));
    }

    #[test]
    fn a_host_that_no_certificate_can_hold_is_a_mistake() {
        let options = Options { trust: Trust::Anyone, ..Options::default() };
        let mistake = Way::to(&target("https://a.1"), &options, Roots::of_system).unwrap_err();
        assert_eq!(mistake.title, "no certificate can be for `a.1`");
    }
}
