//! Owns what happens before the first user: whether load may go to the target, and reaching it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::options::Options;
use super::signals::Signals;
use super::way::{self, Way};
use super::{colour, say};
use crate::control::StopReason;
use crate::diagnostic::{self, Diagnostic};
use crate::exit::Exit;
use crate::metrics::Fault;
use crate::plan::Target;
use crate::protocol::http::{self, Http, Lookup, Place, Reach, Settings};
use crate::protocol::{Limits, Protocol};

/// Between two tries of `--wait-for`.
const AGAIN: Duration = Duration::from_millis(250);

/// Reaches every target before anything is sent, and says what must be said of the way there.
///
/// # Errors
/// It was said what hinders; this is how the program ends.
pub(super) async fn all(
    targets: &[(Target, Way)],
    settings: &Settings,
    options: &Options,
    signals: &mut Signals,
) -> Result<Vec<Reached>, Exit> {
    let mut reached = Vec::with_capacity(targets.len());
    // A target that classes secure in different ways stands there for each.
    let mut remarks: Vec<String> = Vec::new();
    for (number, (target, way)) in targets.iter().enumerate() {
        let remark = way::remark(target, way, &options.trust);
        if !remarks.contains(&remark) {
            say(&remark);
            remarks.push(remark);
        }
        let first = targets[..number].iter().all(|(known, _)| known != target);
        let one = tokio::select! {
            one = reach(target, way, settings, options.wait_for) => one,
            reason = signals.next() => {
                say("stopped before the first user: nothing was sent\n");
                return Err(stopped(reason));
            }
        };
        match one {
            Ok(one) => {
                if first {
                    warn_of_distance(target, &one.addresses, options.yes);
                }
                reached.push(one);
            }
            Err(NotReached::Fault(fault)) => {
                say(&format!(
                    "error: the target {target} was never reached: {}\n  {}\n  nothing was sent\n",
                    fault.sentence(),
                    fault.advice(),
                ));
                return Err(Exit::Unreached);
            }
            Err(NotReached::Forbidden) => {
                let mistake = Diagnostic::without_place(
                    format!("{target} is a link-local address, where clouds hand out credentials"),
                    "load is never sent there; nothing was sent",
                );
                say(&diagnostic::render(&[mistake], &[], colour()));
                return Err(Exit::Mistake);
            }
        }
    }
    Ok(reached)
}

/// How the program ends when it was stopped.
pub(super) fn stopped(reason: StopReason) -> Exit {
    match reason {
        StopReason::Interrupted => Exit::Interrupted,
        StopReason::Terminated => Exit::Terminated,
        StopReason::Plan | StopReason::Threshold => Exit::Held,
    }
}

/// A word when load leaves the private network, and when people may think that it takes a proxy.
fn warn_of_distance(target: &Target, addresses: &[SocketAddr], yes: bool) {
    if Reach::of(addresses) == Reach::Far && !yes {
        say(&format!(
            "warning: the load leaves this machine and its private network, for {target} ({}): \
             be sure that you may load it; `--yes` says that you are\n",
            addresses[0].ip(),
        ));
    }
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if let Some(name) = ignored_proxy(target.is_https(), is_set) {
        say(&format!("note: {name} is set and not used: load goes straight to the target\n"));
    }
}

/// Resolves the target and connects once, as the run's own client does; again and again for
/// `patience`, when that is asked for.
///
/// # Errors
/// What the last try met, or that load may never go there.
async fn reach(
    target: &Target,
    way: &Way,
    settings: &Settings,
    patience: Option<Duration>,
) -> Result<Reached, NotReached> {
    let started = Instant::now();
    let mut told = false;
    loop {
        let fault = match once(target, way, settings).await {
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

/// A target that was reached.
pub(super) struct Reached {
    /// As workers reach it.
    pub(super) target: http::Target,
    /// Where it was: nowhere, when it is behind a socket of this machine.
    pub(super) addresses: Arc<[SocketAddr]>,
}

async fn once(target: &Target, way: &Way, settings: &Settings) -> Result<Reached, NotReached> {
    let found = match &way.place {
        Place::Named => {
            let found = http::resolve(settings.names, target.host(), target.port()).await;
            Place::At(found.map_err(NotReached::Fault)?.into())
        }
        known => known.clone(),
    };
    let addresses = match &found {
        Place::At(addresses) => addresses.clone(),
        Place::Named | Place::Socket(_) => Arc::default(),
    };
    // Before the first packet: not even a connection goes there.
    if Reach::of(&addresses) == Reach::Metadata {
        return Err(NotReached::Forbidden);
    }
    let (authority, tls) = (target.authority(), way.tls.clone());
    let mut reached = http::Target { authority, place: found, tls, way: way.number };
    let http = Http::new(vec![reached.clone()], settings.clone());
    match http.probe(&Limits::default()).await {
        // It is there, and wants what only users have.
        Err((_, Fault::TlsClientCert)) if way.users_differ => {}
        Err((_, fault)) => return Err(NotReached::Fault(fault)),
        Ok(()) => {}
    }
    // What was looked up once is known now; else it is looked up by whoever connects.
    if settings.names.lookup != Lookup::Once {
        reached.place = way.place.clone();
    }
    Ok(Reached { target: reached, addresses })
}

/// Why a run cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotReached {
    /// The target could not be reached.
    Fault(Fault),
    /// It is an address that load never goes to.
    Forbidden,
}

/// The proxy that other tools would use, when one is set.
fn ignored_proxy(https: bool, set: impl Fn(&str) -> bool) -> Option<&'static str> {
    let own = if https { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    own.into_iter().chain(["ALL_PROXY", "all_proxy"]).find(|name| set(name))
}
