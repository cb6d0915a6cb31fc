//! Owns TLS: whom the client trusts, the handshake, and what its failures are called.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    AlertDescription as Alert, CertificateError, ClientConfig, DigitallySignedStruct, Error,
    InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved, RootCertStore, SignatureScheme,
};

use crate::metrics::Fault;

/// How connections to one target are secured. Clones share the configuration, and with it the
/// sessions that a server lets the client resume.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    pub(super) asked: Arc<Asked>,
}

/// The host is neither an address nor a name that a certificate can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName;

impl Tls {
    /// The server must show that it is `host`, by a certificate that goes back to `roots`. Without
    /// roots nothing is verified, and it may be anyone.
    ///
    /// # Errors
    /// No certificate can hold such a host.
    pub fn new(host: &str, roots: Option<Roots>) -> Result<Self, BadName> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| BadName)?;
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match roots {
            Some(roots) => Arc::new(Verifier::new(roots, &provider)),
            None => Arc::new(Anyone(provider.clone())),
        };
        let asked = Arc::new(Asked::default());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites of both versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(asked.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name, asked })
    }

    /// The same for another host: it must convince the same authorities.
    ///
    /// # Errors
    /// No certificate can hold such a host.
    pub fn for_host(&self, host: &str) -> Result<Self, BadName> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| BadName)?;
        let asked = Arc::new(Asked::default());
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = asked.clone();
        Ok(Self { config: Arc::new(config), name, asked })
    }

    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<Box<TlsStream<TcpStream>>, Fault> {
        let secured =
            TlsConnector::from(self.config.clone()).connect(self.name.clone(), stream).await;
        secured.map(Box::new).map_err(|error| self.fault(&error))
    }

    pub(super) fn fault(&self, error: &io::Error) -> Fault {
        match rustls_error(error) {
            // What servers without a better word say to an empty hand.
            Some(Error::AlertReceived(Alert::HandshakeFailure)) if self.asked.get() => {
                Fault::TlsClientCert
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
        let read = |error| match error {
            pem::Error::Io(error) => RootsError::Unreadable(error),
            _ => RootsError::NoCertificate,
        };
        let found = CertificateDer::pem_file_iter(path).map_err(read)?;
        Self::given(found.collect::<Result<_, _>>().map_err(read)?)
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

/// Has no client certificate, and remembers that a server asked for one.
#[derive(Debug, Default)]
pub(super) struct Asked(AtomicBool);

impl Asked {
    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// What broke a connection after its handshake, when TLS did: TLS 1.3 tells only then that a
/// client certificate was wanted.
pub(super) fn broken(error: &io::Error) -> Option<Fault> {
    rustls_error(error).map(named)
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
            // From a server these speak of the certificate that it got, or did not get.
            Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
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
