//! Owns TLS: whom the client trusts, the handshake, and what its failures are called.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{
    ClientSessionMemoryCache, Resumption, WebPkiServerVerifier, verify_server_name,
};
use tokio_rustls::rustls::crypto::CryptoProvider;
#[cfg(feature = "aws-lc")]
use tokio_rustls::rustls::crypto::aws_lc_rs as made_with;
#[cfg(not(feature = "aws-lc"))]
use tokio_rustls::rustls::crypto::ring as made_with;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    AlertDescription as Alert, CertificateError, ClientConfig, DigitallySignedStruct, Error,
    InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::identity::{Identity, Shown};
use crate::metrics::Fault;

/// Sessions that are kept for a user, or for a client certificate: rustls keeps eight for each server, so
/// that these are those of eight servers.
const SESSIONS_OF_A_USER: usize = 8 * 8;

/// Which versions of TLS the client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone.
    Old,
    /// 1.3 alone.
    New,
}

/// How the client secures its connections, whatever the host.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The authorities whose word is taken. Without them nothing is verified, and the server may be
    /// anyone.
    pub roots: Option<Roots>,
    /// What a server is shown that asks for a client certificate.
    pub identity: Option<Identity>,
    /// The versions that are offered.
    pub versions: Versions,
    /// A new connection resumes the session of one before it, where the server lets it.
    pub resumes: bool,
}

impl Manner {
    /// Without a client certificate, of both versions, resuming sessions.
    #[must_use]
    pub fn trusting(roots: Option<Roots>) -> Self {
        Self { roots, identity: None, versions: Versions::Both, resumes: true }
    }
}

/// The sessions that one user can resume.
pub(super) type Sessions = Arc<ClientSessionMemoryCache>;

/// None yet.
pub(super) fn sessions() -> Sessions {
    Arc::new(ClientSessionMemoryCache::new(SESSIONS_OF_A_USER))
}

/// How connections to one target are secured. Clones share the configuration, and with it the
/// sessions that a server lets the client resume.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    pub(super) shown: Arc<Shown>,
    resumes: bool,
}

/// The host is neither an address nor a name that a certificate can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName;

impl Tls {
    /// The server must show that it is `host`.
    ///
    /// # Errors
    /// No certificate can hold such a host.
    pub fn new(host: &str, manner: Manner) -> Result<Self, BadName> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| BadName)?;
        let Manner { roots, identity, versions, resumes } = manner;
        let provider = Arc::new(provider().clone());
        let verifier: Arc<dyn ServerCertVerifier> = match roots {
            Some(roots) => Arc::new(Verifier::new(roots, &provider)),
            None => Arc::new(Anyone(provider.clone())),
        };
        let versions: &[&SupportedProtocolVersion] = match versions {
            Versions::Both => &[&TLS12, &TLS13],
            Versions::Old => &[&TLS12],
            Versions::New => &[&TLS13],
        };
        let shown = Shown::of(identity);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("the provider has cipher suites of both versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if !resumes {
            config.resumption = Resumption::disabled();
        }
        Ok(Self { config: Arc::new(config), name, shown, resumes })
    }

    /// The same for another host: it must convince the same authorities.
    ///
    /// # Errors
    /// No certificate can hold such a host.
    pub fn for_host(&self, host: &str) -> Result<Self, BadName> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| BadName)?;
        let shown = self.shown.anew();
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = shown.clone();
        Ok(Self { config: Arc::new(config), name, shown, resumes: self.resumes })
    }

    /// The same, showing another client certificate. Sessions are its own: one that is resumed is that
    /// of whoever began it.
    pub(super) fn showing(&self, identity: Identity) -> Self {
        let shown = Shown::of(Some(identity));
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = shown.clone();
        if self.resumes {
            config.resumption = Resumption::in_memory_sessions(SESSIONS_OF_A_USER);
        }
        Self { config: Arc::new(config), name: self.name.clone(), shown, resumes: self.resumes }
    }

    /// A session may be resumed.
    pub(super) fn resumes(&self) -> bool {
        self.resumes
    }

    /// The same, resuming these sessions: a server has not seen the users of a load before, and that one
    /// of them takes up what another began would make its handshakes cheaper than they are.
    pub(super) fn resuming(&self, sessions: Sessions) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::store(sessions);
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// The same configuration for the host of another.
    pub(super) fn for_host_of(&self, other: &Self) -> Self {
        Self { name: other.name.clone(), ..self.clone() }
    }

    pub(super) async fn handshake<S>(&self, stream: S) -> Result<TlsStream<S>, Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let secured =
            TlsConnector::from(self.config.clone()).connect(self.name.clone(), stream).await;
        secured.map_err(|error| self.fault(&error))
    }

    pub(super) fn fault(&self, error: &io::Error) -> Fault {
        match rustls_error(error) {
            // What servers without a better word say to an empty hand, or to a wrong one.
            Some(Error::AlertReceived(
                Alert::HandshakeFailure | Alert::BadCertificate | Alert::CertificateUnknown,
            )) if self.shown.was_asked() => {
                if self.shown.is_some() {
                    Fault::TlsClientRefused
                } else {
                    Fault::TlsClientCert
                }
            }
            // Of an authority with the right name and another key.
            Some(Error::AlertReceived(Alert::DecryptError))
                if self.shown.was_asked() && self.shown.is_some() =>
            {
                Fault::TlsClientRefused
            }
            Some(error) => named(error),
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof => Fault::TlsEof,
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Fault::TlsReset,
                io::ErrorKind::TimedOut => Fault::TlsTimeout,
                _ => Fault::TlsFailed,
            },
        }
    }
}

/// A certificate can be for a host of this name.
#[must_use]
pub fn can_be_certified(host: &str) -> bool {
    ServerName::try_from(host).is_ok()
}

/// What the cryptography is made with.
pub(super) fn provider() -> &'static CryptoProvider {
    static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(made_with::default_provider);
    &PROVIDER
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The authorities whose word is taken.
#[derive(Debug, Clone)]
pub struct Roots {
    pub(super) store: RootCertStore,
    /// Those that the user gave, to know them again when one is the server's own certificate.
    pub(super) given: Vec<CertificateDer<'static>>,
}

/// Why a file gives no authorities.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The system says so.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is no PEM, or PEM of something else.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// The one with this number, from 1.
    #[error("its certificate number {0} is broken")]
    Broken(usize),
}

impl Roots {
    /// The system's. Where it has none, as in small containers, those of Mozilla's list.
    #[must_use]
    pub fn of_system() -> Self {
        let mut store = RootCertStore::empty();
        // One that cannot be read is one less; none at all is what must not happen.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self { store, given: Vec::new() }
    }

    /// Those in a PEM file, and no others.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate, or a broken one.
    pub fn in_file(path: &Path) -> Result<Self, RootsError> {
        Self::of_pem(&std::fs::read(path).map_err(RootsError::Unreadable)?)
    }

    /// Those in the contents of such a file.
    ///
    /// # Errors
    /// It holds no certificate, or a broken one.
    pub fn of_pem(text: &[u8]) -> Result<Self, RootsError> {
        let found = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>();
        Self::given(found.map_err(|_| RootsError::NoCertificate)?)
    }

    pub(super) fn given(given: Vec<CertificateDer<'static>>) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        for (position, certificate) in given.iter().enumerate() {
            store.add(certificate.clone()).map_err(|_| RootsError::Broken(position + 1))?;
        }
        if store.is_empty() { Err(RootsError::NoCertificate) } else { Ok(Self { store, given }) }
    }
}

/// Verifies as rustls does, but for two things: a certificate that the user gave is trusted when
/// the server shows that very one, even where it says that it is an authority's (`openssl req
/// -x509` writes so), and one that nobody but itself has signed is told apart.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the certificate is its own issuer")]
struct SelfSigned;

impl Verifier {
    fn new(roots: Roots, provider: &Arc<CryptoProvider>) -> Self {
        let store = Arc::new(roots.store);
        let inner = WebPkiServerVerifier::builder_with_provider(store, provider.clone())
            .build()
            .expect("there are roots, and no revocation lists to be wrong");
        Self { inner, given: roots.given }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let inner = &self.inner;
        let problem = match inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            Err(Error::InvalidCertificate(problem)) => problem,
            verified => return verified,
        };
        let of_authority = is_of_authority(&problem);
        // Its dates were looked at before what it may be used for.
        if of_authority && self.given.iter().any(|given| given == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let untrusted = match problem {
            CertificateError::UnknownIssuer => true,
            // An authority of the same name with another key.
            CertificateError::BadSignature => true,
            _ => of_authority,
        };
        Err(Error::InvalidCertificate(match untrusted {
            true if is_self_signed(end_entity) => {
                CertificateError::Other(OtherError(Arc::new(SelfSigned)))
            }
            true => CertificateError::UnknownIssuer,
            false => problem,
        }))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The server's certificate is one for signing others.
fn is_of_authority(problem: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(other)) = problem else { return false };
    other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

/// Takes any certificate of anyone.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What broke a connection after its handshake, when TLS did: TLS 1.3 tells only then that a
/// client certificate was wanted.
pub(super) fn broken(error: &io::Error) -> Option<Fault> {
    rustls_error(error).map(|error| match error {
        // The rest of the handshake was decrypted: it was about the certificate.
        Error::AlertReceived(Alert::DecryptError) => Fault::TlsClientRefused,
        error => named(error),
    })
}

fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn named(error: &Error) -> Fault {
    match error {
        Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => Fault::TlsUnknownCa,
            CertificateError::Other(OtherError(other)) if other.is::<SelfSigned>() => {
                Fault::TlsSelfSigned
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Fault::TlsName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Fault::TlsExpired,
            _ => Fault::TlsFailed,
        },
        Error::AlertReceived(alert) => match alert {
            Alert::ProtocolVersion => Fault::TlsVersion,
            Alert::NoApplicationProtocol => Fault::TlsAlpn,
            // From a server these speak of the certificate that it got,
            Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::UnknownCA => Fault::TlsClientRefused,
            // and these also of one that it did not get: some servers have no other word for that.
            Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::AccessDenied => Fault::TlsClientCert,
            _ => Fault::TlsFailed,
        },
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Fault::TlsVersion,
        Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => {
            Fault::TlsAlpn
        }
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => Fault::TlsNotTls,
        _ => Fault::TlsFailed,
    }
}
