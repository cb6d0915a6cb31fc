//! Owns the targets of a worker: those that the plan names, and those that it met while running.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::address::{Origin, Reach};
use super::dns::{FOR_EVER, KEPT_LEAST, Lookup, Names, Resolver};
use super::identity::Identify;
use super::tls::{Manner, Roots, Tls};
use crate::metrics::Fault;

/// How many targets a worker knows at most.
const TARGETS_MAX: usize = 1_000;
/// How long a lookup that failed is not tried again.
const FAILED: Duration = Duration::from_secs(1);

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// `host:port`, as in the Host header.
    pub authority: String,
    /// Where it is.
    pub place: Place,
    /// How connections to it are secured; in the clear when absent.
    pub tls: Option<Tls>,
    /// The number of the way in which the plan secures connections: an origin is another target for
    /// each, and leads to others of its own way.
    pub way: usize,
}

/// Where a target is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Where its name leads when a connection is opened: it is looked up as [`Settings::names`] says.
    #[default]
    Named,
    /// At these addresses: each connection begins with the next one.
    At(Arc<[SocketAddr]>),
    /// Behind a socket of this machine (`AF_UNIX`).
    Socket(Arc<Path>),
}

/// The same, when it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where {
    At(Arc<[SocketAddr]>),
    Socket(Arc<Path>),
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
    /// How names are looked up.
    pub names: Names,
    /// Addresses of this machine that connections come from, in turn; where the system likes, when
    /// there are none.
    pub sources: Arc<[IpAddr]>,
    /// Which of the run's workers it is for: the first connections of all of them are spread over
    /// the addresses too.
    pub worker: usize,
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
            Ok(Target { authority: origin.authority(), place: Place::Named, tls, way })
        });
        let (names, sources) = (Names::default(), Arc::default());
        let identify: Identify = Arc::new(|_, _| Err(Fault::LocalIdentity));
        Self { pool: 100, any_host: false, names, sources, worker: 0, open, identify }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, any_host, names, sources, worker, open: _, identify: _ } = self;
        let mut shown = f.debug_struct("Settings");
        shown.field("pool", pool).field("any_host", any_host).field("names", names);
        shown.field("sources", sources).field("worker", worker);
        shown.finish_non_exhaustive()
    }
}

/// A target, and what became known of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) target: Target,
    /// Held while looking up, so that users who need the same name at once ask for it once.
    looked: Mutex<Option<Looked>>,
    /// How many connections to it were begun, the worker's number before them.
    turns: AtomicUsize,
}

type Addresses = Result<Arc<[SocketAddr]>, Fault>;

#[derive(Debug)]
struct Looked {
    until: Instant,
    found: Addresses,
}

impl Known {
    fn new(origin: Origin, target: Target, worker: usize) -> Self {
        Self { origin, target, looked: Mutex::default(), turns: worker.into() }
    }

    /// The number of the connection that is begun now.
    pub(super) fn turn(&self) -> usize {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Where it is. `total` is when the whole exchange must have ended.
    ///
    /// # Errors
    /// The name is not known, or load never goes to where it leads.
    pub(super) async fn reach(&self, asking: &Asking, total: Instant) -> Result<Where, Fault> {
        let found = match &self.target.place {
            Place::Named => {
                let found = timeout_at(total, self.look_up(asking)).await;
                found.unwrap_or(Err(Fault::TotalTimeout))?
            }
            Place::At(addresses) => addresses.clone(),
            Place::Socket(path) => return Ok(Where::Socket(path.clone())),
        };
        match Reach::of(&found) {
            // Not even a connection goes there.
            Reach::Metadata => Err(Fault::ConnectForbidden),
            Reach::Near | Reach::Far => Ok(Where::At(found)),
        }
    }

    async fn look_up(&self, asking: &Asking) -> Addresses {
        if asking.lookup == Lookup::Each {
            let found = asking.resolver.look_up(&self.origin.host).await?;
            return Ok(found.with_port(self.origin.port));
        }
        let mut looked = self.looked.lock().await;
        if let Some(Looked { until, found }) = &*looked
            && Instant::now() < *until
        {
            return found.clone();
        }
        let (found, keeps) = match asking.resolver.look_up(&self.origin.host).await {
            Ok(found) => {
                let keeps = match asking.lookup {
                    Lookup::Once => FOR_EVER,
                    Lookup::Each | Lookup::Ttl => found.keeps.max(KEPT_LEAST),
                };
                (Ok(found.with_port(self.origin.port)), keeps)
            }
            Err(fault) => (Err(fault), FAILED),
        };
        *looked = Some(Looked { until: Instant::now() + keeps, found: found.clone() });
        found
    }
}

/// Who is asked where names lead, and how often.
#[derive(Debug, Default)]
pub(super) struct Asking {
    resolver: Resolver,
    lookup: Lookup,
}

impl Asking {
    pub(super) fn new(names: Names) -> Self {
        Self { resolver: Resolver::new(names.server), lookup: names.lookup }
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
    asking: Asking,
    worker: usize,
}

impl Targets {
    pub(super) fn new(targets: Vec<Target>, settings: &Settings) -> Self {
        let known = targets.into_iter().map(|target| {
            let origin = Origin::of_authority(target.tls.is_some(), &target.authority);
            Arc::new(Known::new(origin, target, settings.worker))
        });
        let known: Vec<_> = known.collect();
        let mut numbers = HashMap::new();
        for (number, known) in known.iter().enumerate() {
            // Of two that are the same the first counts.
            numbers.entry((known.origin.clone(), known.target.way)).or_insert(number);
        }
        let (named, numbers) = (known.len(), RefCell::new(numbers));
        let Settings { any_host, open, names, worker, .. } = settings.clone();
        let asking = Asking::new(names);
        Self { known: RefCell::new(known), numbers, named, any_host, open, asking, worker }
    }

    /// How many the plan names.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    /// Who is asked where names lead, and how often.
    pub(super) fn asking(&self) -> &Asking {
        &self.asking
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
        let target = (self.open)(origin, way)?;
        known.push(Arc::new(Known::new(origin.clone(), target, self.worker)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::name_server::{NameServer, Say};

    /// How often `lookup` asks for a name whose answers are good for so many seconds, or that does
    /// not exist, when connections are opened at these milliseconds.
    async fn asked(lookup: Lookup, seconds: Option<u32>, opened: &[u64]) -> usize {
        let server = NameServer::start(move |_, _| match seconds {
            Some(seconds) => Say::at(&["127.0.0.2"], seconds),
            None => Say::Code(3),
        });
        let origin = Origin::parse("http://shop.test:81").unwrap();
        let known = Known::new(origin.clone(), (Settings::default().open)(&origin, 0).unwrap(), 0);
        let asking = Asking::new(Names { lookup, server: Some(server.address) });
        let never = Instant::now() + Duration::from_secs(3_600);
        let began = Instant::now();
        for ms in opened {
            let due = began + Duration::from_millis(*ms);
            tokio::time::pause();
            tokio::time::advance(due.saturating_duration_since(Instant::now())).await;
            // What waits for a server waits in earnest.
            tokio::time::resume();
            let found = known.reach(&asking, never).await;
            let want = match seconds {
                None => Err(Fault::DnsUnknown),
                Some(_) => Ok(Where::At(["127.0.0.2:81".parse().unwrap()].into())),
            };
            assert_eq!(found, want);
        }
        server.asked().iter().filter(|asked| asked.starts_with("A ")).count()
    }

    #[tokio::test]
    async fn a_name_is_looked_up_as_often_as_is_asked_for() {
        let opened = [0, 10, 500, 3_500, 70_000];
        for (lookup, seconds, times) in [
            (Lookup::Once, Some(1), 1),
            (Lookup::Each, Some(60), 5),
            (Lookup::Ttl, Some(60), 2),
            (Lookup::Ttl, Some(2), 3),
            // A second at least, and a failure for one.
            (Lookup::Ttl, Some(0), 3),
            (Lookup::Ttl, None, 3),
            (Lookup::Once, None, 3),
        ] {
            let asked = asked(lookup, seconds, &opened).await;
            assert_eq!(asked, times, "{lookup:?} {seconds:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn looking_up_ends_with_the_exchange() {
        let origin = Origin::parse("http://localhost:81").unwrap();
        let known = Known::new(origin.clone(), (Settings::default().open)(&origin, 0).unwrap(), 0);
        // Somebody else is looking, and does not come back.
        let _looking = known.looked.lock().await;
        let total = Instant::now() + Duration::from_secs(3);
        assert_eq!(known.reach(&Asking::default(), total).await, Err(Fault::TotalTimeout));
        assert_eq!(Instant::now(), total);
    }
}
