//! Owns the way to the target: what plan and command line say of it become addresses and TLS.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::options::{Options, Trust};
use crate::data;
use crate::diagnostic::Diagnostic;
use crate::metrics::Fault;
use crate::plan::{Host, Leads, Target};
use crate::program::Secured;
use crate::protocol::http::{
    self, Identify, Identity, Manner, Opener, Origin, Place, Roots, RootsError, Tls,
};
use crate::protocol::{At, Whereabouts};

/// A file of a client certificate is not larger.
const MOST_BYTES: u64 = 1024 * 1024;

/// How a target is reached, beyond what it says itself.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where it is: as the user said, or where its name leads.
    pub place: Place,
    /// How it is secured. All workers of a run share this one.
    pub tls: Option<Tls>,
    /// The number of the way in which the plan secures it.
    pub number: usize,
    /// Its certificate is not verified: who says so.
    pub unverified: Option<Unverified>,
    /// Each user shows a client certificate of its own, so that nobody has one before the first.
    pub users_differ: bool,
}

/// Who wants nothing to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// The command line.
    ByOption,
    /// The plan.
    ByPlan,
}

impl Way {
    /// The way to `target`.
    ///
    /// # Errors
    /// The options do not fit the target, or the file of authorities holds none.
    pub fn to(
        target: &Target,
        number: usize,
        options: &Options,
        hosts: &[Host],
        security: &Security,
    ) -> Result<Self, Diagnostic> {
        let place = pinned(target, &options.resolve, hosts)?;
        let (mut tls, mut unverified) = (None, None);
        if target.is_https() {
            tls = Some(security.tls(number, target.host()).map_err(Unsecured::diagnostic)?);
            unverified = security.unverified(number);
        }
        let users_differ = security.secured(number).live;
        Ok(Self { place, tls, number, unverified, users_differ })
    }
}

/// How connections are secured, in each of the ways that the plan has, after the command line had its
/// word. What is needed for one is made for the first host that needs it, and shared by all.
#[derive(Debug)]
pub struct Security {
    trust: Trust,
    secured: Vec<Secured>,
    made: Vec<OnceLock<Tls>>,
    /// They take a while to load: that is done only when a certificate will be held against them.
    system: OnceLock<Roots>,
    /// Where the files of client certificates lie: below the plan's folder, or elsewhere as well.
    folder: PathBuf,
    allow_outside: bool,
}

/// Why connections to a host cannot be secured.
#[derive(Debug)]
pub enum Unsecured {
    /// No certificate can be for it.
    Name(String),
    /// The command line's file of authorities holds none.
    Roots(PathBuf, RootsError),
}

impl Unsecured {
    fn diagnostic(self) -> Diagnostic {
        match self {
            Self::Name(host) => Diagnostic::without_place(
                format!("no certificate can be for `{host}`"),
                "write a name or an address that one can hold",
            ),
            Self::Roots(path, error) => Diagnostic::without_place(
                format!("`--cacert {}`: {error}", path.display()),
                "give a file with the CA's certificate between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`",
            ),
        }
    }
}

impl Security {
    /// That of a plan with these ways.
    #[must_use]
    pub fn new(secured: Vec<Secured>, trust: Trust) -> Self {
        let made = secured.iter().map(|_| OnceLock::new()).collect();
        let (folder, allow_outside) = (PathBuf::new(), false);
        Self { trust, secured, made, system: OnceLock::new(), folder, allow_outside }
    }

    /// With client certificates of users below this folder, or elsewhere as well.
    #[must_use]
    pub fn below(self, folder: &Path, allow_outside: bool) -> Self {
        Self { folder: folder.to_owned(), allow_outside, ..self }
    }

    /// How the client certificates of users are read.
    pub(super) fn identify(&self) -> Identify {
        let (folder, allow_outside) = (self.folder.clone(), self.allow_outside);
        Arc::new(move |cert, key| {
            let read = |file: &str| {
                let path = data::under(&folder, file, allow_outside).ok()?;
                let about = std::fs::metadata(&path).ok().filter(|about| about.len() <= MOST_BYTES);
                about.and_then(|_| std::fs::read(path).ok())
            };
            let pair = read(cert).zip(read(key));
            let identity = pair.and_then(|(cert, key)| Identity::of_pem(&cert, &key).ok());
            identity.ok_or(Fault::LocalIdentity)
        })
    }

    fn secured(&self, way: usize) -> &Secured {
        &self.secured[way]
    }

    fn unverified(&self, way: usize) -> Option<Unverified> {
        match self.trust {
            Trust::Anyone => Some(Unverified::ByOption),
            Trust::File(_) => None,
            Trust::System => self.secured[way].insecure.then_some(Unverified::ByPlan),
        }
    }

    /// What `curl` must be told to reach a target in the same way.
    pub(super) fn curl(&self, target: &Whereabouts) -> Vec<String> {
        let Ok(origin) = Origin::parse(&target.origin) else { return Vec::new() };
        let mut options = match &target.at {
            None => Vec::new(),
            Some(At::Address(address)) => {
                let to = format!("{}:{}:{address}", bracketed(&origin.host), origin.port);
                vec!["--connect-to".to_owned(), to]
            }
            Some(At::Socket(path)) => {
                vec!["--unix-socket".to_owned(), path.display().to_string()]
            }
        };
        if !origin.https {
            return options;
        }
        let secured = self.secured(target.way);
        let file = |path: &str| self.folder.join(path).display().to_string();
        match (&self.trust, &secured.files.ca) {
            _ if self.unverified(target.way).is_some() => options.push("--insecure".to_owned()),
            (Trust::File(path), _) => {
                options.extend(["--cacert".to_owned(), path.display().to_string()]);
            }
            (_, Some(ca)) => options.extend(["--cacert".to_owned(), file(ca)]),
            (_, None) => {}
        }
        if let Some((cert, key)) = &secured.files.pair {
            options.extend(["--cert".to_owned(), file(cert), "--key".to_owned(), file(key)]);
        }
        options
    }

    /// How connections to a host are secured.
    ///
    /// # Errors
    /// They cannot be.
    fn tls(&self, way: usize, host: &str) -> Result<Tls, Unsecured> {
        let secured = &self.secured[way];
        let name = secured.name_of(host);
        let bad = |_| Unsecured::Name(name.to_owned());
        if let Some(first) = self.made[way].get() {
            return first.for_host(name).map_err(bad);
        }
        let roots = match (&self.trust, &secured.roots) {
            _ if self.unverified(way).is_some() => None,
            (Trust::File(path), _) => {
                let read = Roots::in_file(path);
                Some(read.map_err(|error| Unsecured::Roots(path.clone(), error))?)
            }
            (_, Some(given)) => Some(given.clone()),
            (_, None) => Some(self.system.get_or_init(Roots::of_system).clone()),
        };
        let manner = Manner {
            roots,
            identity: secured.identity.clone(),
            versions: secured.versions,
            resumes: !secured.afresh,
        };
        let made = Tls::new(name, manner).map_err(bad)?;
        Ok(self.made[way].get_or_init(|| made).clone())
    }
}

/// How hosts are reached that the plan did not name: pinned and secured as those are that lead there.
pub(super) fn opener(options: &Options, hosts: &[Host], security: Arc<Security>) -> Opener {
    let (pinned, hosts) = (options.resolve.clone(), hosts.to_vec());
    Arc::new(move |origin: &Origin, way: usize| {
        let secured = || {
            security.tls(way, &origin.host).map_err(|unsecured| match unsecured {
                Unsecured::Name(_) => Fault::TargetInvalid,
                Unsecured::Roots(..) => Fault::TlsFailed,
            })
        };
        Ok(http::Target {
            authority: origin.authority(),
            place: place(&pinned, &hosts, &origin.host, origin.port),
            tls: origin.https.then(secured).transpose()?,
            way,
        })
    })
}

/// What must be said of trust before the run: a line, or nothing.
pub(super) fn remark(target: &Target, way: &Way, trust: &Trust) -> String {
    let by = |word: &str| format!("warning: the target's certificate is not verified ({word})\n");
    let option = match (way.unverified, trust, target.is_https()) {
        (Some(Unverified::ByOption), ..) => return by("`--insecure`"),
        (Some(Unverified::ByPlan), ..) => return by("`insecure: true` in the plan"),
        (None, Trust::System, _) | (None, _, true) => return String::new(),
        (None, Trust::Anyone, false) => "--insecure",
        (None, Trust::File(_), false) => "--cacert",
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

/// Where the user says that a host is, or the plan; otherwise where its name leads, which an address
/// says itself.
fn place(pinned: &[Pinned], hosts: &[Host], host: &str, port: u16) -> Place {
    let mine = pinned.iter().filter(|pinned| pinned.leads(host, port));
    let addresses: Vec<_> = mine.map(|pinned| SocketAddr::new(pinned.address, port)).collect();
    if !addresses.is_empty() {
        return Place::At(addresses.into());
    }
    let named = hosts.iter().find(|one| one.name.value.eq_ignore_ascii_case(bare_name(host)));
    match named.map(|host| &host.leads) {
        Some(Leads::At(addresses)) => {
            let at = addresses.iter().map(|(ip, own)| SocketAddr::new(*ip, own.unwrap_or(port)));
            return Place::At(at.collect());
        }
        Some(Leads::Socket(path)) => return Place::Socket((**path).into()),
        None => {}
    }
    match host.parse() {
        Ok(address) => Place::At([SocketAddr::new(address, port)].into()),
        Err(_) => Place::Named,
    }
}

/// The same for a target. A list that does not speak of it at all is a mistake: without it the load
/// would go to where the name really leads.
fn pinned(target: &Target, all: &[Pinned], hosts: &[Host]) -> Result<Place, Diagnostic> {
    let known = place(all, hosts, target.host(), target.port());
    if let Some(first) = all.first()
        && known == Place::Named
        && !all.iter().any(|pinned| pinned.leads(target.host(), target.port()))
    {
        let to = Pinned { host: target.host().to_owned(), port: None, ..first.clone() };
        return Err(Diagnostic::without_place(
            format!("`--resolve {first}` is not about the target {target}"),
            format!("to reach it there, write `--resolve {to}`"),
        ));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    fn security(trust: Trust) -> Security {
        Security::new(vec![Secured::default()], trust)
    }

    #[test]
    fn the_systems_authorities_are_loaded_only_for_certificates_that_need_them() {
        let loaded = |url: &str, trust: Trust| {
            let options = Options { trust: trust.clone(), ..Options::default() };
            let security = security(trust);
            let way = Way::to(&target(url), 0, &options, &[], &security).unwrap();
            (way.tls.is_some(), security.system.get().is_some())
        };
        assert_eq!(loaded("http://localhost", Trust::System), (false, false));
        assert_eq!(loaded("http://localhost", Trust::Anyone), (false, false));
        assert_eq!(loaded("http://localhost", Trust::File("absent.pem".into())), (false, false));
        assert_eq!(loaded("https://localhost", Trust::Anyone), (true, false));
        assert_eq!(loaded("https://localhost", Trust::System), (true, true));
    }

    #[test]
    fn the_command_line_wins_over_what_the_plan_trusts() {
        let of = |secured: Secured, trust: Trust| {
            let options = Options { trust: trust.clone(), ..Options::default() };
            let security = Security::new(vec![secured], trust);
            let way = Way::to(&target("https://localhost"), 0, &options, &[], &security);
            way.map(|way| way.unverified).map_err(|mistake| mistake.title)
        };
        let insecure = || Secured { insecure: true, ..Secured::default() };
        assert_eq!(of(insecure(), Trust::System), Ok(Some(Unverified::ByPlan)));
        assert_eq!(of(insecure(), Trust::Anyone), Ok(Some(Unverified::ByOption)));
        assert_eq!(of(Secured::default(), Trust::System), Ok(None));
        let absent = of(insecure(), Trust::File("absent.pem".into())).unwrap_err();
        assert!(absent.starts_with("`--cacert absent.pem`: it cannot be read"), "{absent}");
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
            pinned(&target(url), &all, &[]).map(|place| format!("{place:?}"))
        };
        let some = |text: &str| Ok(format!("At([{text}])"));
        assert_eq!(reached("https://shop.test", &[]), Ok("Named".to_owned()));
        assert_eq!(reached("https://[::1]", &[]), some("[::1]:443"));
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
    fn hosts_of_the_plan_lead_where_it_says_and_what_is_pinned_wins() {
        let host = |name: &str, leads| {
            let place = crate::diagnostic::Place::default();
            Host { name: crate::diagnostic::Placed { value: name.to_owned(), place }, leads }
        };
        let ip = |text: &str| text.parse().unwrap();
        let hosts = [
            host("shop.test", Leads::At(vec![(ip("10.0.0.1"), None), (ip("::1"), Some(81))])),
            host("app.test", Leads::Socket("/run/app.sock".into())),
        ];
        let all = [Pinned::parse("shop.test:443:127.0.0.1").unwrap()];
        for (url, want) in [
            ("http://Shop.test.", "At([10.0.0.1:80, [::1]:81])"),
            ("https://shop.test:8443", "At([10.0.0.1:8443, [::1]:81])"),
            ("https://shop.test", "At([127.0.0.1:443])"),
            ("https://app.test", "Socket(\"/run/app.sock\")"),
            ("https://127.0.0.2", "At([127.0.0.2:443])"),
        ] {
            let place = pinned(&target(url), &all, &hosts).unwrap();
            assert_eq!(format!("{place:?}"), want, "{url}");
        }
        let open = opener(&Options::default(), &hosts, Arc::new(security(Trust::System)));
        let opened = open(&Origin::parse("http://app.test:81").unwrap(), 0).unwrap();
        assert_eq!(opened.place, Place::Socket(Path::new("/run/app.sock").into()));
        assert_eq!(opened.authority, "app.test:81", "the header stays as it is");
    }

    #[test]
    fn hosts_that_the_plan_did_not_name_are_pinned_and_trusted_as_its_target_is() {
        let resolve = ["a.test:127.0.0.1", "a.test:81:[::1]"];
        let resolve = resolve.map(|text| Pinned::parse(text).unwrap()).to_vec();
        let options = Options { trust: Trust::Anyone, resolve, ..Options::default() };
        let open = opener(&options, &[], Arc::new(security(Trust::Anyone)));
        let opened = |text: &str| {
            let target = open(&Origin::parse(text).unwrap(), 0)?;
            let place = format!("{:?}", target.place);
            Ok::<_, Fault>((target.authority, place, target.tls.is_some()))
        };
        let is =
            |authority: &str, place: &str, tls| Ok((authority.to_owned(), place.to_owned(), tls));
        assert_eq!(opened("http://A.test"), is("a.test", "At([127.0.0.1:80])", false));
        assert_eq!(
            opened("https://a.test:81"),
            is("a.test:81", "At([127.0.0.1:81, [::1]:81])", true)
        );
        assert_eq!(opened("https://b.test"), is("b.test", "Named", true));

        let trust = Trust::File("absent.pem".into());
        let open = opener(&Options::default(), &[], Arc::new(security(trust)));
        let opened = |text: &str| open(&Origin::parse(text).unwrap(), 0).map(|_| ());
        assert_eq!(opened("http://b.test"), Ok(()));
        assert_eq!(opened("https://b.test"), Err(Fault::TlsFailed));
    }

    #[test]
    fn a_host_that_no_certificate_can_hold_is_a_mistake() {
        let options = Options { trust: Trust::Anyone, ..Options::default() };
        let security = security(Trust::Anyone);
        let mistake = Way::to(&target("https://a.1"), 0, &options, &[], &security).unwrap_err();
        assert_eq!(mistake.title, "no certificate can be for `a.1`");
    }
}
