//! Owns looking up names: whom to ask, how long an answer is kept, and what its failures are called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::{Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, system_conf};
use rustix::io::Errno;
use tokio::time::timeout;

use super::dns_runtime::Here;
use crate::metrics::Fault;

/// How long looking up a name may take.
const LOOKUP: Duration = Duration::from_secs(5);
/// How long one round of questions may take: two of them fit, so that a server that never answers
/// for IPv6, as some do, costs time and not the name.
const ROUND: Duration = Duration::from_secs(2);
/// An answer is kept for so long at least, whatever it says.
pub(super) const KEPT_LEAST: Duration = Duration::from_secs(1);
/// What the system says of a name is good for the run.
pub(super) const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// How names are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Names {
    /// How often.
    pub lookup: Lookup,
    /// Who is asked; the system's own when absent.
    pub server: Option<SocketAddr>,
}

/// How often a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lookup {
    /// Once, and that is good for the run.
    Once,
    /// For each connection.
    Each,
    /// When the answer is no longer good, as the answer itself says.
    #[default]
    Ttl,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Each once, IPv6 and IPv4 taking turns; never empty.
    pub(super) addresses: Vec<IpAddr>,
    /// For how long that is so.
    pub(super) keeps: Duration,
}

/// Asks for names. Each worker has its own, because what waits for answers runs where it first asked.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    /// The system's own when absent.
    server: Option<SocketAddr>,
    /// Read and made when the first name is looked up: many runs look up none.
    asked: OnceLock<Asked>,
}

impl Resolver {
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self { server, asked: OnceLock::new() }
    }

    /// Where `host` leads: a name, or an address without brackets.
    ///
    /// # Errors
    /// It leads nowhere, or nobody can say.
    pub(super) async fn look_up(&self, host: &str) -> Result<Found, Fault> {
        if let Ok(address) = host.parse() {
            return Ok(Found { addresses: vec![address], keeps: FOR_EVER });
        }
        let asked = self.asked.get_or_init(|| match self.server {
            Some(server) => Asked::of_server(server),
            None => Asked::of_system(),
        });
        let (addresses, keeps) = match asked.at_home(host) {
            Some(known) => (known, FOR_EVER),
            None => timeout(LOOKUP, asked.far(host)).await.unwrap_or(Err(Fault::DnsTimeout))?,
        };
        let addresses = usable(in_turns(addresses));
        if addresses.is_empty() { Err(Fault::DnsFailed) } else { Ok(Found { addresses, keeps }) }
    }
}

/// Who is asked.
struct Asked {
    hosts: Hosts,
    /// Behind a name that is not whole one of these is tried.
    search: Vec<Name>,
    /// A name with so many dots is tried as it is first.
    dots: usize,
    /// None, when the system has no way to ask.
    servers: Option<hickory_resolver::Resolver<Here>>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { hosts: _, search, dots, servers } = self;
        let mut shown = f.debug_struct("Asked");
        shown.field("search", search).field("dots", dots).field("servers", servers);
        shown.finish_non_exhaustive()
    }
}

impl Asked {
    /// As `/etc/hosts` and `/etc/resolv.conf` say.
    fn of_system() -> Self {
        let hosts = Hosts::from_system().unwrap_or_default();
        // As resolv.conf(5) has it for a file that is not there or names nobody.
        let local = || {
            let server = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            (config, ResolverOpts::default())
        };
        let (config, options) = system_conf::read_system_conf().unwrap_or_else(|_| local());
        Self::of(hosts, config, options)
    }

    /// As one name server says; `/etc/hosts` goes before it.
    fn of_server(server: SocketAddr) -> Self {
        let mut asked = NameServerConfig::udp_and_tcp(server.ip());
        asked.connections.iter_mut().for_each(|connection| connection.port = server.port());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![asked]);
        Self::of(Hosts::from_system().unwrap_or_default(), config, ResolverOpts::default())
    }

    fn of(hosts: Hosts, mut config: ResolverConfig, mut options: ResolverOpts) -> Self {
        // What is asked for is whole: which names one is tried as is decided here.
        let (search, dots) = (std::mem::take(&mut config.search), options.ndots);
        config.domain = None;
        options.timeout = options.timeout.min(ROUND);
        options.attempts = options.attempts.min(1);
        // When both kinds lead nowhere, it is told what was said of the common one.
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // It was looked at before, and what is kept is kept by the target.
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        let mut builder = hickory_resolver::Resolver::builder_with_config(config, Here);
        *builder.options_mut() = options;
        Self { hosts, search, dots, servers: builder.build().ok() }
    }

    /// What this machine knows without asking anybody: the file of hosts, and its own name.
    fn at_home(&self, host: &str) -> Option<Vec<IpAddr>> {
        let name = Name::from_str_relaxed(host).ok()?;
        let of_type = |kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let found = [RecordType::AAAA, RecordType::A].into_iter().filter_map(of_type);
        let records = found.flat_map(|lookup| lookup.answers().to_vec());
        let addresses: Vec<_> = records.filter_map(|record| record.data.ip_addr()).collect();
        let bare = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let is_local = bare == "localhost" || bare.ends_with(".localhost");
        if !addresses.is_empty() {
            Some(addresses)
        } else if is_local {
            Some(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()])
        } else {
            None
        }
    }

    /// What the name servers know.
    async fn far(&self, host: &str) -> Result<(Vec<IpAddr>, Duration), Fault> {
        let servers = self.servers.as_ref().ok_or(Fault::DnsFailed)?;
        let name = Name::from_str_relaxed(host).map_err(|_| Fault::DnsFailed)?;
        if name.num_labels() == 0 {
            return Err(Fault::DnsFailed);
        }
        let mut worst: Option<Fault> = None;
        for name in self.names(name) {
            let fault = match servers.lookup_ip(name).await {
                Ok(found) => {
                    let records = found.as_lookup().answers();
                    // With those of the names that it leads over.
                    let keeps = records.iter().map(|record| record.ttl).min().unwrap_or(0);
                    let addresses = records.iter().filter_map(|record| record.data.ip_addr());
                    return Ok((addresses.collect(), Duration::from_secs(keeps.into())));
                }
                Err(error) => fault(&error),
            };
            // That another name does not exist either says nothing of a server that failed.
            worst = match worst {
                Some(worst @ (Fault::DnsServer | Fault::DnsTimeout)) => Some(worst),
                Some(Fault::DnsFailed) if fault == Fault::DnsUnknown => Some(Fault::DnsFailed),
                _ => Some(fault),
            };
        }
        Err(worst.unwrap_or(Fault::DnsFailed))
    }

    /// The names that one is tried as, in order.
    fn names(&self, name: Name) -> Vec<Name> {
        if name.is_fqdn() {
            return vec![name];
        }
        let mut whole = name.clone();
        whole.set_fqdn(true);
        let longer = self.search.iter().filter_map(|domain| {
            // With it the name is whole.
            name.clone().append_domain(domain).ok()
        });
        let mut names: Vec<_> = longer.collect();
        let dots = usize::from(name.num_labels()).saturating_sub(1);
        names.insert(if dots >= self.dots { 0 } else { names.len() }, whole);
        names
    }
}

/// What it is called that a name led nowhere.
fn fault(error: &NetError) -> Fault {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NXDomain,
            ..
        })) => Fault::DnsUnknown,
        NetError::Dns(DnsError::ResponseCode(_)) => Fault::DnsServer,
        NetError::Timeout => Fault::DnsTimeout,
        // Asking takes a descriptor too.
        NetError::Io(error) => match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE) => Fault::LocalFiles,
            _ => Fault::DnsFailed,
        },
        _ => Fault::DnsFailed,
    }
}

/// Each once, first an IPv6 address, then an IPv4 one, and so on (RFC 8305): what does not work for
/// the one kind is soon tried with the other.
fn in_turns(all: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut once: Vec<IpAddr> = Vec::with_capacity(all.len());
    for address in all {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    let (six, four): (Vec<_>, Vec<_>) = once.into_iter().partition(IpAddr::is_ipv6);
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    let mut all = Vec::with_capacity(six.len() + four.len());
    loop {
        let before = all.len();
        all.extend(six.next());
        all.extend(four.next());
        if all.len() == before {
            return all;
        }
    }
}

/// Those that this machine has a way to (RFC 6724, rule 1): most have none to IPv6 addresses, or not
/// even one of their own. All of them when there is a way to none, so that the fault is told.
fn usable(all: Vec<IpAddr>) -> Vec<IpAddr> {
    if all.len() < 2 {
        return all;
    }
    let some: Vec<_> = all.iter().copied().filter(|address| has_way(*address)).collect();
    if some.is_empty() { all } else { some }
}

/// Sends nothing: the system only looks for the way.
pub(super) fn has_way(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect((address, 9)).is_ok())
}

/// The addresses of a host: IPv6 and IPv4 taking turns, each once. The host may be a name, an IPv4
/// address, or an IPv6 address with or without brackets.
///
/// # Errors
/// There is none, or nobody can say.
pub async fn resolve(names: Names, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let found = Resolver::new(names.server).look_up(host).await?;
    Ok(found.with_port(port).to_vec())
}

impl Found {
    pub(super) fn with_port(&self, port: u16) -> Arc<[SocketAddr]> {
        self.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::name_server::{NameServer, Say};

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    async fn found(server: &NameServer, host: &str) -> Result<(Vec<IpAddr>, u64), Fault> {
        let found = Resolver::new(Some(server.address)).look_up(host).await?;
        Ok((found.addresses, found.keeps.as_secs()))
    }

    #[tokio::test]
    async fn a_name_leads_to_its_addresses_for_as_long_as_the_answer_says() {
        let server = NameServer::start(|name, _| match name {
            "one.test" => Say::at(&["127.0.0.2"], 60),
            "three.test" => Say::at(&["127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.4"], 0),
            "todo_app" => Say::at(&["127.0.0.5"], 1),
            "xn--bcher-kva.test" => Say::at(&["127.0.0.6"], 1),
            "long.test" => Say::OverTcp(addresses(&["127.0.0.7"]), 9),
            _ => Say::Code(3),
        });
        for (host, want, ttl) in [
            ("one.test", &["127.0.0.2"][..], 60),
            ("One.Test.", &["127.0.0.2"], 60),
            ("three.test", &["127.0.0.2", "127.0.0.3", "127.0.0.4"], 0),
            ("todo_app", &["127.0.0.5"], 1),
            ("xn--bcher-kva.test", &["127.0.0.6"], 1),
            ("long.test", &["127.0.0.7"], 9),
        ] {
            assert_eq!(found(&server, host).await, Ok((addresses(want), ttl)), "{host}");
        }
        assert!(server.asked().contains(&"A long.test over TCP".to_owned()));
    }

    #[tokio::test]
    async fn what_leads_nowhere_is_told_apart() {
        crate::protocol::http::tests::fifty(|| async {
            let server = NameServer::start(|name, six| match name {
                "unknown.test" => Say::Code(3),
                "broken.test" => Say::Code(2),
                "refused.test" => Say::Code(5),
                "empty.test" => Say::at(&[], 60),
                // As servers do that know nothing of IPv6.
                "half.test" if six => Say::Code(4),
                "half.test" => Say::at(&["127.0.0.2"], 60),
                _ => Say::Nothing,
            });
            for (host, fault) in [
                ("unknown.test", Fault::DnsUnknown),
                ("name.invalid", Fault::DnsUnknown),
                ("broken.test", Fault::DnsServer),
                ("refused.test", Fault::DnsServer),
                ("empty.test", Fault::DnsFailed),
                ("", Fault::DnsFailed),
                (".", Fault::DnsFailed),
                ("a..b", Fault::DnsFailed),
                (&"x".repeat(300), Fault::DnsFailed),
            ] {
                assert_eq!(found(&server, host).await, Err(fault), "{host}");
            }
            let half = found(&server, "half.test").await;
            assert_eq!(half, Ok((addresses(&["127.0.0.2"]), 60)));
        })
        .await;
    }

    #[tokio::test]
    async fn a_name_server_that_is_silent_is_waited_for_within_the_limit() {
        let server = NameServer::start(|name, six| match name {
            "half.test" if !six => Say::at(&["127.0.0.2"], 60),
            _ => Say::Nothing,
        });
        let began = std::time::Instant::now();
        let (silent, half) =
            tokio::join!(found(&server, "silent.test"), found(&server, "half.test"));
        assert_eq!(silent, Err(Fault::DnsTimeout));
        assert_eq!(half, Ok((addresses(&["127.0.0.2"]), 60)), "IPv4 alone was answered for");
        assert!(began.elapsed() < LOOKUP + Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn this_machine_knows_itself_without_asking() {
        let server = NameServer::start(|_, _| Say::at(&["192.0.2.1"], 60));
        for host in ["localhost", "LocalHost.", "shop.localhost"] {
            let (found, _) = found(&server, host).await.unwrap();
            assert!(found.iter().all(IpAddr::is_loopback), "{host}: {found:?}");
        }
        for host in ["127.0.0.9", "::1"] {
            assert_eq!(found(&server, host).await.unwrap().0, addresses(&[host]));
        }
        assert_eq!(server.asked(), Vec::<String>::new());
        let mut hosts = Hosts::default();
        let file = "10.0.0.1 shop.test Shop\n10.0.0.2 shop.test # twice\n::1 six.test";
        hosts.read_hosts_conf(file.as_bytes()).unwrap();
        let config = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        let asked = Asked::of(hosts, config, ResolverOpts::default());
        assert_eq!(asked.at_home("SHOP.test"), Some(addresses(&["10.0.0.1", "10.0.0.2"])));
        assert_eq!(asked.at_home("shop"), Some(addresses(&["10.0.0.1"])));
        assert_eq!(asked.at_home("six.test"), Some(addresses(&["::1"])));
        assert_eq!(asked.at_home("nowhere.test"), None);
        let local = Some(addresses(&["::1", "127.0.0.1"]));
        assert_eq!(asked.at_home("localhost"), local, "without a word in the file");
    }

    #[tokio::test]
    async fn names_that_are_not_whole_are_searched_for_as_resolv_conf_says() {
        let server = NameServer::start(|name, _| match name {
            "shop.b.test" => Say::at(&["127.0.0.2"], 60),
            "broken.test" => Say::Code(2),
            _ => Say::Code(3),
        });
        let names = ["a.test.", "b.test."].map(|name| Name::from_utf8(name).unwrap());
        let mut searched = Asked::of_server(server.address);
        searched.search = names.to_vec();
        let far = |host: &'static str| {
            let searched = &searched;
            async move { searched.far(host).await.map(|(addresses, _)| addresses.len()) }
        };
        assert_eq!(far("shop").await, Ok(1));
        // The order in which the two kinds of address are asked for is nobody's business.
        let four = |server: &NameServer| {
            let asked = server.asked().into_iter().filter(|asked| asked.starts_with("A "));
            asked.collect::<Vec<_>>()
        };
        assert_eq!(four(&server), ["A shop.a.test", "A shop.b.test"]);
        assert_eq!(far("broken.test").await, Err(Fault::DnsServer), "and not unknown");
        assert_eq!(far("shop.").await, Err(Fault::DnsUnknown));
    }

    #[test]
    fn six_and_four_take_turns() {
        let mixed = addresses(&["10.0.0.1", "10.0.0.2", "10.0.0.1", "::2", "10.0.0.3"]);
        let turns = addresses(&["::2", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        assert_eq!(in_turns(mixed), turns);
    }

    #[test]
    fn where_there_is_no_way_nobody_is_sent() {
        let local: IpAddr = Ipv4Addr::LOCALHOST.into();
        // Of a network that is kept for documents, written as IPv4 in IPv6: there is no such way.
        let nowhere: IpAddr = "::192.0.2.1".parse().unwrap();
        assert!(has_way(local));
        if !has_way(nowhere) {
            assert_eq!(usable(vec![nowhere, local]), [local]);
        }
        assert_eq!(usable(vec![nowhere]), [nowhere]);
    }
}
