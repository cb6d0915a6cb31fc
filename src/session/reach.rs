//! Owns what happens before the first user: whether load may go to the target, and reaching it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::say;
use super::way::Way;
use crate::metrics::Fault;
use crate::plan::Target;
use crate::protocol::http::{self, Http, Reach, Settings};
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
    if Reach::of(&addresses) == Reach::Metadata {
        return Err(NotReached::Forbidden);
    }
    let (authority, tls) = (target.authority(), way.tls.clone());
    let reached = http::Target { authority, addresses, tls };
    let http = Http::new(vec![reached.clone()], Settings::default());
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

/// The proxy that other tools would use, when one is set.
pub(super) fn ignored_proxy(https: bool, set: impl Fn(&str) -> bool) -> Option<&'static str> {
    let own = if https { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    own.into_iter().chain(["ALL_PROXY", "all_proxy"]).find(|name| set(name))
}
