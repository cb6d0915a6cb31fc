//! Owns client certificates: what their files must hold, and what is wrong when they do not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys, SignatureScheme};

use super::tls::{Sessions, Tls, provider};
use crate::metrics::Fault;

/// A certificate, those that lead from it to its authority, and the key to the first.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// Why two files give no client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The first file is no PEM, or PEM of something else.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// The one with this number, from 1.
    #[error("its certificate number {0} is broken")]
    BrokenCertificate(usize),
    /// The second file is no PEM, or PEM of something else.
    #[error("it holds no private key in PEM form")]
    NoKey,
    /// It asks for a password.
    #[error("its private key is encrypted")]
    Encrypted,
    /// Its bytes are no key, or one of a kind that no signature here can be made with.
    #[error("its private key is broken, or of an unknown kind")]
    BadKey,
    /// They are a pair, but not of each other.
    #[error("its private key does not fit the certificate")]
    Mismatch,
}

impl IdentityError {
    /// It is about the file of the key, not about that of the certificate.
    #[must_use]
    pub fn is_of_key(self) -> bool {
        !matches!(self, Self::NoCertificate | Self::BrokenCertificate(_))
    }
}

impl Identity {
    /// Reads it from the contents of two PEM files, which may be one file twice.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|_| IdentityError::NoCertificate)?;
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        for (position, certificate) in chain.iter().enumerate() {
            webpki::EndEntityCert::try_from(certificate)
                .map_err(|_| IdentityError::BrokenCertificate(position + 1))?;
        }
        let key = match PrivateKeyDer::from_pem_slice(key) {
            Ok(key) => key,
            // By its own kind of section, or by a line within one of the others.
            Err(_) if memchr::memmem::find(key, b"ENCRYPTED").is_some() => {
                return Err(IdentityError::Encrypted);
            }
            Err(_) => return Err(IdentityError::NoKey),
        };
        match CertifiedKey::from_der(chain, key, provider()) {
            Ok(pair) => Ok(Self(Arc::new(pair))),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(IdentityError::Mismatch)
            }
            Err(_) => Err(IdentityError::BadKey),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Reads a client certificate, whose files a user names: that of the certificate, and that of the key.
pub type Identify = Arc<dyn Fn(&str, &str) -> Result<Identity, Fault> + Send + Sync>;

/// The names of the two files.
pub(super) type Pair = (Arc<str>, Arc<str>);

/// So many configurations are kept at most: a user that has connected needs its own only when it
/// connects again.
const KEPT: usize = 1_000;

/// As whom a connection is opened.
#[derive(Debug, Clone, Default)]
pub(super) struct As {
    /// The files of the client certificate and of its key, when the user has its own.
    pub(super) pair: Option<Pair>,
    /// The sessions that may be resumed; when there are none, those of all.
    pub(super) sessions: Option<Sessions>,
}

/// How users with client certificates of their own secure their connections.
pub(super) struct Pairs {
    identify: Identify,
    /// By the number of the way.
    made: RefCell<HashMap<(usize, Pair), Tls>>,
}

impl Pairs {
    pub(super) fn new(identify: Identify) -> Self {
        Self { identify, made: RefCell::default() }
    }

    /// As `tls` has it, with the client certificate in these files. They are read when they are first
    /// named, and beside the worker's thread: a slow disk must not hold up other users.
    ///
    /// # Errors
    /// [`Fault::LocalIdentity`] when they cannot be read.
    pub(super) async fn of_user(&self, tls: &Tls, way: usize, pair: Pair) -> Result<Tls, Fault> {
        let asked = (way, pair);
        if let Some(made) = self.made.borrow().get(&asked) {
            return Ok(made.for_host_of(tls));
        }
        let identify = self.identify.clone();
        let (cert, key) = (asked.1.0.to_string(), asked.1.1.to_string());
        let read = tokio::task::spawn_blocking(move || identify(&cert, &key)).await;
        let made = tls.showing(read.unwrap_or(Err(Fault::LocalIdentity))?);
        let mut all = self.made.borrow_mut();
        if all.len() >= KEPT
            && let Some(any) = all.keys().next().cloned()
        {
            all.remove(&any);
        }
        // Where two have read the same at once both use that of the first, and its sessions.
        Ok(all.entry(asked).or_insert(made).for_host_of(tls))
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pairs")
            .field("made", &self.made.borrow().len())
            .finish_non_exhaustive()
    }
}

/// What a server is shown that asks for a client certificate; remembers that one asked.
#[derive(Debug, Default)]
pub(super) struct Shown {
    identity: Option<Identity>,
    asked: AtomicBool,
}

impl Shown {
    pub(super) fn of(identity: Option<Identity>) -> Arc<Self> {
        Arc::new(Self { identity, asked: AtomicBool::new(false) })
    }

    /// The same for another host, which has not asked.
    pub(super) fn anew(&self) -> Arc<Self> {
        Self::of(self.identity.clone())
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// There is something to show.
    pub(super) fn is_some(&self) -> bool {
        self.identity.is_some()
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        // Shown whatever authorities the server names: it is what the plan says, and the server's
        // refusal is the answer.
        self.identity.as_ref().map(|identity| identity.0.clone())
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
