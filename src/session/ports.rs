//! Owns local ports: the arithmetic before the run, and the addresses that they are of.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use super::descriptors::Held;
use crate::diagnostic::{Diagnostic, Placed, Severity};
use crate::plan::Target;

/// The addresses that connections come from.
///
/// # Errors
/// Those that are not of this machine.
pub(super) fn sources(all: &[Placed<IpAddr>]) -> Result<Arc<[IpAddr]>, Vec<Diagnostic>> {
    // A port is taken for a moment: that tells whether one could be.
    let is_ours = |address: IpAddr| TcpListener::bind((address, 0)).is_ok();
    let foreign = all.iter().filter(|source| !is_ours(source.value)).map(|source| {
        Diagnostic::error(
            source.place,
            format!("`{}` is not an address of this machine", source.value),
            "write one that `ip address` shows, or give it to this machine first",
        )
    });
    let mut foreign: Vec<_> = foreign.collect();
    // Those of a range are told as one.
    foreign.dedup_by_key(|mistake| mistake.place);
    if foreign.is_empty() {
        Ok(all.iter().map(|source| source.value).collect())
    } else {
        Err(foreign)
    }
}

/// Where connections to a target go, and come from.
pub(super) struct Ends<'a> {
    pub(super) target: &'a Target,
    /// None, when it is behind a socket of this machine.
    pub(super) addresses: &'a [SocketAddr],
    pub(super) sources: &'a [IpAddr],
}

/// A warning, when the connections of so many users to one target need more ports than there are: two
/// connections between the same two addresses, and to the same port, differ by nothing else.
pub(super) fn too_few(users: u32, held: Held, ends: &Ends<'_>) -> Option<Diagnostic> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut numbers = range.split_whitespace().map(str::parse::<u64>);
    let (Some(Ok(first)), Some(Ok(last))) = (numbers.next(), numbers.next()) else { return None };
    compare(users, held, ends, (last + 1).checked_sub(first)?)
}

fn compare(users: u32, held: Held, ends: &Ends<'_>, ports: u64) -> Option<Diagnostic> {
    let Ends { target, addresses, sources } = *ends;
    if addresses.is_empty() || ports == 0 {
        return None;
    }
    // Of a pool, all may go to this target.
    let own = if held.each > 0 { u64::from(users) } else { 0 };
    let needed = own + held.pool;
    // A port of a source is given for all targets; else each address is met from all ports.
    let pairs = match sources.len() {
        0 => addresses.len() as u64,
        sources => sources as u64,
    };
    let possible = ports * pairs;
    if needed <= possible {
        return None;
    }
    let enough = needed.div_ceil(ports);
    let (what, fewer) = match own {
        0 => (format!("a pool of {needed} connections needs"), "share fewer".to_owned()),
        _ => {
            let most = possible.saturating_sub(held.pool);
            (format!("{users} users need"), format!("run at most {most} users"))
        }
    };
    let said = Diagnostic::without_place(
        format!("{what} as many local ports towards {target}, and there are {possible}"),
        format!(
            "what finds none makes the run invalid: write {enough} addresses of this machine behind \
             `source_addresses`, widen `net.ipv4.ip_local_port_range`, or {fewer}"
        ),
    );
    Some(Diagnostic { severity: Severity::Warning, ..said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_counted_before_the_run() {
        let target = Target::parse("http://shop.test").unwrap();
        let one: [SocketAddr; 1] = ["10.0.0.1:80".parse().unwrap()];
        let two = [one[0], "10.0.0.2:80".parse().unwrap()];
        let ours: [IpAddr; 3] = ["10.0.0.7", "10.0.0.8", "10.0.0.9"].map(|ip| ip.parse().unwrap());
        let (each, pool) = (Held { each: 1, pool: 0 }, Held { each: 0, pool: 3000 });
        let said = |users, held, addresses, sources| {
            let ends = Ends { target: &target, addresses, sources };
            compare(users, held, &ends, 1000).map(|said| format!("{}; {}", said.title, said.label))
        };
        assert_eq!(said(1000, each, &one, &[]), None);
        assert_eq!(
            said(1001, each, &one, &[]).unwrap(),
            "1001 users need as many local ports towards http://shop.test, and there are 1000; what finds none makes the run invalid: write 2 addresses of this machine behind `source_addresses`, widen `net.ipv4.ip_local_port_range`, or run at most 1000 users"
        );
        assert_eq!(said(2000, each, &two, &[]), None);
        assert!(said(2001, each, &two, &[]).is_some());
        assert_eq!(said(3000, each, &one, &ours), None);
        assert!(said(3001, each, &two, &ours).is_some(), "ports of ours are for all addresses");
        assert_eq!(said(1_000_000, pool, &one, &ours), None);
        assert!(said(1, pool, &one, &[]).unwrap().starts_with("a pool of 3000 connections needs"));
        assert_eq!(said(1_000_000, each, &[], &[]), None, "a socket takes no port");
    }

    #[test]
    fn connections_come_from_addresses_of_this_machine() {
        let place = crate::diagnostic::Place::default();
        let all = |texts: &[&str]| -> Vec<Placed<IpAddr>> {
            texts.iter().map(|ip| Placed { value: ip.parse().unwrap(), place }).collect()
        };
        assert_eq!(sources(&all(&["127.0.0.1", "127.0.0.2"])).unwrap().len(), 2);
        let found = sources(&all(&["192.0.2.1", "127.0.0.1", "192.0.2.2"])).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].title, "`192.0.2.1` is not an address of this machine");
    }
}
