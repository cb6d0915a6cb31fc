//! Owns the targets of a worker: those that the plan names, and those that it met while running.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::{Origin, Reach};
use super::identity::Identify;
use super::tls::{Manner, Roots, Tls};
use crate::metrics::Fault;

/// How many targets a worker knows at most.
const TARGETS_MAX: usize = 1_000;
/// How long addresses that were looked up are used.
const FRESH: Duration = Duration::from_secs(30);
/// How long a lookup that failed is not tried again.
const FAILED: Duration = Duration::from_secs(1);
/// How long looking up a name may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// `host:port`, as in the Host header.
    pub authority: String,
    /// The addresses of the host, tried in this order. When there are none, they are looked up
    /// at the first connection, and again when 30 s have passed.
    pub addresses: Vec<SocketAddr>,
    /// How connections to it are secured; in the clear when absent.
    pub tls: Option<Tls>,
    /// The number of the way in which the plan secures connections: an origin is another target for
    /// each, and leads to others of its own way.
    pub way: usize,
}

/// Makes a target for an origin that the plan did not name, reached in the way of that number.
pub type Opener = Arc<dyn Fn(&Origin, usize) -> Result<Target, Fault> + Send + Sync>;

/// What a client does beyond its targets.
#[derive(Clone)]
pub struct Settings {
    /// How many connections are shared at most.
    pub pool: usize,
    /// Redirects may lead to hosts that the plan does not name.
    pub any_host: bool,
    /// Makes targets for origins that the plan did not name.
    pub open: Opener,
    /// Reads the client certificates of users.
    pub identify: Identify,
}

impl Default for Settings {
    /// 100 shared connections; redirects stay on the plan's hosts; names are the system's to look
    /// up, and its authorities are trusted; no user has a client certificate of its own.
    fn default() -> Self {
        let open: Opener = Arc::new(|origin, way| {
            let secured = || Tls::new(&origin.host, Manner::trusting(Some(Roots::of_system())));
            let tls = origin.https.then(secured).transpose().map_err(|_| Fault::TargetInvalid)?;
            Ok(Target { authority: origin.authority(), addresses: Vec::new(), tls, way })
        });
        Self {
            pool: 100,
            any_host: false,
            open,
            identify: Arc::new(|_, _| Err(Fault::LocalIdentity)),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, any_host, open: _, identify: _ } = self;
        let mut shown = f.debug_struct("Settings");
        shown.field("pool", pool).field("any_host", any_host).finish_non_exhaustive()
    }
}

/// A target, and what became known of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) target: Target,
    /// Held while looking up, so that users who need the same name at once ask for it once.
    looked: Mutex<Option<Looked>>,
}

type Addresses = Result<Arc<[SocketAddr]>, Fault>;

#[derive(Debug)]
struct Looked {
    at: Instant,
    found: Addresses,
}

impl Known {
    fn new(origin: Origin, target: Target) -> Self {
        Self { origin, target, looked: Mutex::default() }
    }

    /// Where it is. `total` is when the whole exchange must have ended.
    ///
    /// # Errors
    /// The name is not known, or load never goes to where it leads.
    pub(super) async fn addresses(&self, total: Instant) -> Addresses {
        let found = match &*self.target.addresses {
            [] => timeout_at(total, self.look_up()).await.unwrap_or(Err(Fault::TotalTimeout))?,
            fixed => fixed.into(),
        };
        match Reach::of(&found) {
            // Not even a connection goes there.
            Reach::Metadata => Err(Fault::ConnectForbidden),
            Reach::Near | Reach::Far => Ok(found),
        }
    }

    async fn look_up(&self) -> Addresses {
        let mut looked = self.looked.lock().await;
        if let Some(Looked { at, found }) = &*looked {
            let keeps = if found.is_ok() { FRESH } else { FAILED };
            if at.elapsed() < keeps {
                return found.clone();
            }
        }
        let resolved = timeout(LOOKUP, resolve(&self.origin.host, self.origin.port)).await;
        let found = resolved.unwrap_or(Err(Fault::DnsTimeout)).map(Arc::from);
        *looked = Some(Looked { at: Instant::now(), found: found.clone() });
        found
    }
}

/// All targets by number.
pub(super) struct Targets {
    known: RefCell<Vec<Arc<Known>>>,
    numbers: RefCell<HashMap<(Origin, usize), usize>>,
    /// The plan names those with numbers below.
    named: usize,
    any_host: bool,
    open: Opener,
}

impl Targets {
    pub(super) fn new(targets: Vec<Target>, settings: &Settings) -> Self {
        let known = targets.into_iter().map(|target| {
            let origin = Origin::of_authority(target.tls.is_some(), &target.authority);
            Arc::new(Known::new(origin, target))
        });
        let known: Vec<_> = known.collect();
        let mut numbers = HashMap::new();
        for (number, known) in known.iter().enumerate() {
            // Of two that are the same the first counts.
            numbers.entry((known.origin.clone(), known.target.way)).or_insert(number);
        }
        let (named, numbers) = (known.len(), RefCell::new(numbers));
        let Settings { any_host, open, .. } = settings.clone();
        Self { known: RefCell::new(known), numbers, named, any_host, open }
    }

    /// How many the plan names.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    pub(super) fn get(&self, number: usize) -> Arc<Known> {
        self.known.borrow()[number].clone()
    }

    /// The number of an origin that the target `from` leads to, which is added when it is new.
    ///
    /// # Errors
    /// There are too many, or none can be made for it.
    pub(super) fn number(&self, from: usize, origin: &Origin) -> Result<usize, Fault> {
        let way = self.known.borrow().get(from).map_or(0, |known| known.target.way);
        let asked = (origin.clone(), way);
        if let Some(&number) = self.numbers.borrow().get(&asked) {
            return Ok(number);
        }
        let mut known = self.known.borrow_mut();
        let number = known.len();
        if number >= TARGETS_MAX.max(self.named) {
            return Err(Fault::LimitTargets);
        }
        known.push(Arc::new(Known::new(origin.clone(), (self.open)(origin, way)?)));
        self.numbers.borrow_mut().insert(asked, number);
        Ok(number)
    }

    /// Whether a redirect may lead from one to the other. A host is a name, whatever the scheme and
    /// the port: most redirects from one host to itself lead from `http` to `https`.
    pub(super) fn may_lead(&self, from: &Origin, to: &Origin) -> bool {
        self.any_host
            || from.host == to.host
            || self.known.borrow()[..self.named].iter().any(|known| known.origin.host == to.host)
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets").field("known", &self.known).finish_non_exhaustive()
    }
}

/// The addresses of a host, in the system's order, each once. The host may be a name, an IPv4
/// address, or an IPv6 address with or without brackets.
///
/// # Errors
/// [`Fault::DnsFailed`] when there is none.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut addresses = Vec::new();
    for address in lookup_host((host, port)).await.map_err(|_| Fault::DnsFailed)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(Fault::DnsFailed) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_is_looked_up_again_when_what_was_found_is_old() {
        let origin = Origin::parse("http://localhost:81").unwrap();
        let known = Known::new(origin.clone(), (Settings::default().open)(&origin, 0).unwrap());
        let never = || Instant::now() + Duration::from_secs(3_600);
        let elsewhere: SocketAddr = "192.0.2.1:81".parse().unwrap();
        let cases: [(Addresses, Duration); 2] =
            [(Ok([elsewhere].into()), FRESH), (Err(Fault::DnsFailed), FAILED)];
        for (found, keeps) in cases {
            let looked = Looked { at: Instant::now(), found: found.clone() };
            *known.looked.lock().await = Some(looked);
            tokio::time::advance(keeps - Duration::from_millis(1)).await;
            assert_eq!(known.addresses(never()).await, found);
            tokio::time::advance(Duration::from_millis(1)).await;
            let again = known.addresses(never()).await.unwrap();
            assert!(again.iter().all(|address| address.ip().is_loopback()), "{again:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn looking_up_ends_with_the_exchange() {
        let origin = Origin::parse("http://localhost:81").unwrap();
        let known = Known::new(origin.clone(), (Settings::default().open)(&origin, 0).unwrap());
        // Somebody else is looking, and does not come back.
        let _looking = known.looked.lock().await;
        let total = Instant::now() + Duration::from_secs(3);
        assert_eq!(known.addresses(total).await, Err(Fault::TotalTimeout));
        assert_eq!(Instant::now(), total);
    }
}
