//! Owns what happens before the first user: whether load may go to the target, and reaching it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::say;
use super::way::Way;
use crate::metrics::Fault;
use crate::plan::Target;
use crate::protocol::http::{self, Http};
use crate::protocol::{Limits, Protocol};

/// Between two tries of `--wait-for`.
const AGAIN: Duration = Duration::from_millis(250);
/// How long looking up a name may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// Resolves the target and connects once, as the run's own client does; again and again for
/// `patience`, when that is asked for.
///
/// # Errors
/// What the last try met, or that load may never go there.
pub(super) async fn reach(
    target: &Target,
    way: &Way,
    patience: Option<Duration>,
) -> Result<http::Target, NotReached> {
    let started = Instant::now();
    let mut told = false;
    loop {
        let fault = match once(target, way).await {
            Ok(reached) => return Ok(reached),
            Err(NotReached::Forbidden) => return Err(NotReached::Forbidden),
            Err(NotReached::Fault(fault)) => fault,
        };
        let Some(left) = patience.and_then(|all| all.checked_sub(started.elapsed())) else {
            return Err(NotReached::Fault(fault));
        };
        if left.is_zero() {
            return Err(NotReached::Fault(fault));
        }
        if !told {
            say(&format!("waiting for {target}: {}\n", fault.sentence()));
            told = true;
        }
        sleep(AGAIN.min(left)).await;
    }
}

async fn once(target: &Target, way: &Way) -> Result<http::Target, NotReached> {
    let addresses = match &way.addresses {
        Some(addresses) => addresses.clone(),
        None => {
            let lookup = timeout(LOOKUP, http::resolve(target.host(), target.port()));
            lookup.await.unwrap_or(Err(Fault::DnsFailed)).map_err(NotReached::Fault)?
        }
    };
    // Before the first packet: not even a connection goes there.
    if judge(&addresses) == Reach::Metadata {
        return Err(NotReached::Forbidden);
    }
    let (authority, tls) = (target.authority(), way.tls.clone());
    let reached = http::Target { authority, addresses, tls };
    let http = Http::new(vec![reached.clone()]);
    http.probe(&Limits::default()).await.map_err(|(_, fault)| NotReached::Fault(fault))?;
    Ok(reached)
}

/// Why a run cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotReached {
    /// The target could not be reached.
    Fault(Fault),
    /// It is an address that load never goes to.
    Forbidden,
}

/// Where load may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine, or a private network.
    Near,
    /// Anywhere else: people are told before the first request.
    Far,
    /// The address at which clouds hand out credentials: never.
    Metadata,
}

/// Judges the addresses of a target.
pub(super) fn judge(addresses: &[SocketAddr]) -> Reach {
    let near = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unspecified(),
    };
    let metadata = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    };
    let addresses = || addresses.iter().map(|address| address.ip().to_canonical());
    if addresses().any(metadata) {
        Reach::Metadata
    } else if addresses().all(near) {
        Reach::Near
    } else {
        Reach::Far
    }
}

/// The proxy that other tools would use, when one is set.
pub(super) fn ignored_proxy(https: bool, set: impl Fn(&str) -> bool) -> Option<&'static str> {
    let own = if https { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    own.into_iter().chain(["ALL_PROXY", "all_proxy"]).find(|name| set(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(texts: &[&str]) -> Reach {
        let addresses: Vec<_> =
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 80)).collect();
        judge(&addresses)
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
