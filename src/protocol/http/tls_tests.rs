//! Owns the tests of the client within TLS: T1 to T14 of the catalogue, and all other rows again.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::ResolvesClientCert as _;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    AlertDescription, Error, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::connection::Connection;
use super::scripted::Act::{self, Await, Cut, Drip, Fin, Read, Reset, Silence, Write};
use super::scripted::{PLAIN, Server};
use super::stream::Other;
use super::tests::{
    GET, LARGE, LONG, Row, SHORT, User, first_and_reuse_of, locally, plain, poll_once, post, rows,
    write,
};
use super::{BadName, Manner, Place, Roots, RootsError, Tls, Versions};
use crate::metrics::{Fault, Noticed};
use crate::protocol::{Answer, Limits, Outgoing, Protocol as _};

pub(super) type Spoken = &'static [&'static SupportedProtocolVersion];
static BOTH: Spoken = &[&TLS12, &TLS13];
static OLD: Spoken = &[&TLS12];
static NEW: Spoken = &[&TLS13];

/// A certificate and its key, as a server shows them.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issued(authority: &CertifiedIssuer<'static, KeyPair>, params: CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap().der().clone();
    Identity { certificate, key }
}

fn self_signed(params: CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Identity { certificate, key }
}

/// As `openssl req -x509` makes them.
fn self_signed_authority() -> Identity {
    let mut params = params("localhost");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    self_signed(params)
}

/// What the server can do beyond showing its certificate.
#[derive(Default)]
pub(super) struct Settings {
    versions: Option<Spoken>,
    alpn: &'static [&'static str],
    /// Wants client certificates of this authority.
    clients: Option<CertificateDer<'static>>,
}

pub(super) fn acceptor(identity: &Identity, settings: Settings) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(settings.versions.unwrap_or(BOTH))
        .unwrap();
    let builder = match settings.clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let mut config = builder.with_single_cert(vec![identity.certificate.clone()], key).unwrap();
    config.alpn_protocols = settings.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config).into()
}

/// Trusts what these sign, or nobody's word but takes everyone.
pub(super) fn client(host: &str, trusted: &[CertificateDer<'static>]) -> Tls {
    let roots = (!trusted.is_empty()).then(|| Roots::given(trusted.to_vec()).unwrap());
    Tls::new(host, Manner::trusting(roots)).unwrap()
}

/// A server that the client trusts.
pub(super) struct Trusted {
    pub(super) identity: Identity,
    authority: CertificateDer<'static>,
}

impl Trusted {
    pub(super) fn new() -> Self {
        let authority = authority("trusted");
        let identity = issued(&authority, params("localhost"));
        Self { identity, authority: authority.der().clone() }
    }

    async fn start(&self, settings: Settings, scripts: Vec<Vec<Act>>) -> (Server, User) {
        self.start_for(settings, scripts, GET.len()).await
    }

    async fn start_for(
        &self,
        settings: Settings,
        scripts: Vec<Vec<Act>>,
        length: usize,
    ) -> (Server, User) {
        let tls = Some(acceptor(&self.identity, settings));
        let server = Server::start_within(tls, scripts, length).await;
        let user = User::within(Some(self.client()), &[server.address]);
        (server, user)
    }

    pub(super) fn client(&self) -> Tls {
        client("localhost", std::slice::from_ref(&self.authority))
    }
}

// T1, and all rows that are about what comes after the handshake.
#[tokio::test]
async fn every_fault_on_the_wire_has_the_same_name_within_tls() {
    locally(async {
        let trusted = Trusted::new();
        for (place, row) in rows().into_iter().enumerate() {
            let Row { number, request, limits, acts, status, reused, .. } = row;
            // The handshake would have to be done in that time as well.
            if limits.total == SHORT {
                continue;
            }
            let what = format!("row {number}, at place {place}");
            let (server, user) =
                trusted.start_for(Settings::default(), vec![acts], request.len()).await;
            let (exchange, body, again) = first_and_reuse_of(&server, user, request, limits).await;
            assert_eq!((exchange.status, again), (status, reused), "{what}");
            if status == Ok(200) && request == GET {
                assert_eq!(body, b"hello", "{what}");
            }
        }
    })
    .await;
}

/// Whom the client trusts, and servers whose certificates that is not enough for.
pub(super) fn untrusted() -> ([CertificateDer<'static>; 1], [(&'static str, Identity, Fault); 7]) {
    let ours = authority("ours");
    let trusted = [ours.der().clone()];
    let dated = |from, to| {
        let mut params = params("localhost");
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        issued(&ours, params)
    };
    let servers = [
        ("another CA", issued(&authority("theirs"), params("localhost")), Fault::TlsUnknownCa),
        ("same name", issued(&authority("ours"), params("localhost")), Fault::TlsUnknownCa),
        ("self-signed", self_signed(params("localhost")), Fault::TlsSelfSigned),
        ("self-signed CA", self_signed_authority(), Fault::TlsSelfSigned),
        ("another name", issued(&ours, params("elsewhere.test")), Fault::TlsName),
        ("expired", dated(2019, 2020), Fault::TlsExpired),
        ("not yet valid", dated(2090, 2091), Fault::TlsExpired),
    ];
    (trusted, servers)
}

// T2 to T5.
#[tokio::test]
async fn a_certificate_that_is_not_to_be_trusted_has_its_fault() {
    let (trusted, servers) = untrusted();
    locally(async {
        for (what, identity, fault) in servers {
            let tls = Some(acceptor(&identity, Settings::default()));
            let server = Server::start_within(tls, vec![], GET.len()).await;
            let mut user = User::within(Some(client("localhost", &trusted)), &[server.address]);
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, exchange.sent), (Err(fault), None), "{what}");
            assert_eq!(user.http.probe(&LONG).await, Err((0, fault)), "{what}");

            let mut anyone = User::within(Some(client("localhost", &[])), &[server.address]);
            assert_eq!(anyone.send(GET).await.status, Ok(200), "{what}, unverified");
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_was_given_is_trusted_for_its_names() {
    let other = authority("other").der().clone();
    locally(async {
        for identity in [self_signed(params("localhost")), self_signed_authority()] {
            let given = [other.clone(), identity.certificate.clone()];
            let tls = Some(acceptor(&identity, Settings::default()));
            let server = Server::start_within(tls, vec![], GET.len()).await;
            for (host, status) in [("localhost", Ok(200)), ("127.0.0.1", Err(Fault::TlsName))] {
                let mut user = User::within(Some(client(host, &given)), &[server.address]);
                assert_eq!(user.send(GET).await.status, status, "{host}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_may_be_for_an_address() {
    let ours = authority("ours");
    let identity = issued(&ours, params("127.0.0.1"));
    locally(async {
        let tls = Some(acceptor(&identity, Settings::default()));
        let server = Server::start_within(tls, vec![], GET.len()).await;
        let tls = client("127.0.0.1", &[ours.der().clone()]);
        assert_eq!(User::within(Some(tls), &[server.address]).send(GET).await.status, Ok(200));
    })
    .await;
}

/// What a server begins with that picks TLS 1.`minor - 1`, this way of encrypting, and these extensions.
fn hello(minor: u8, cipher: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let hello = [&[3, minor][..], &[7; 32], &[0], &cipher, &[0], extensions].concat();
    let length = hello.len() as u8;
    [&[22, 3, minor, 0, length + 4, 2, 0, 0, length][..], &hello].concat()
}

/// A server that knows TLS 1.1 at best says so, or picks that one.
fn old_hello() -> Vec<u8> {
    hello(2, [0, 0x2f], &[])
}

/// A server that speaks HTTP/2, whether it is asked for it or not: in the extension with number 16.
fn h2_hello() -> Vec<u8> {
    hello(3, [0xc0, 0x2f], &[0, 9, 0, 16, 0, 5, 0, 3, 2, b'h', b'2'])
}

/// What is no handshake at all: what the server does, within which limits, and what it is called.
pub(super) fn no_handshakes() -> [(Vec<Act>, Limits, Fault); 15] {
    let alert = |description| Write(vec![21, 3, 1, 0, 2, 2, description]);
    let slow = Limits { tls: SHORT, ..LONG };
    let short = Limits { total: SHORT, ..LONG };
    [
        (vec![alert(70), Fin], LONG, Fault::TlsVersion),
        (vec![Write(old_hello()), Fin], LONG, Fault::TlsVersion),
        (vec![alert(120), Fin], LONG, Fault::TlsAlpn),
        (vec![Write(h2_hello()), Fin], LONG, Fault::TlsAlpn),
        (vec![alert(40), Fin], LONG, Fault::TlsFailed),
        (vec![write("HTTP/1.1 400 Bad Request\r\n\r\n"), Fin], LONG, Fault::TlsNotTls),
        (vec![write("SSH-2.0-OpenSSH_9.2\r\n"), Fin], LONG, Fault::TlsNotTls),
        (vec![Fin], LONG, Fault::TlsEof),
        (vec![Write(vec![22, 3, 3]), Fin], LONG, Fault::TlsEof),
        (vec![Reset], LONG, Fault::TlsReset),
        (vec![Write(vec![22, 3, 3]), Reset], LONG, Fault::TlsReset),
        (vec![Silence], slow, Fault::TlsTimeout),
        (vec![Write(vec![22, 3, 3]), Silence], slow, Fault::TlsTimeout),
        // A record of 16 KiB that never ends: the limit is one of the whole handshake.
        (vec![Write(vec![22, 3, 3, 0x40, 0]), Drip(b"\x02")], slow, Fault::TlsTimeout),
        (vec![Silence], short, Fault::TotalTimeout),
    ]
}

// T6, T8 to T11: what is no handshake at all. The server reads a little of the client's first.
#[tokio::test]
async fn a_handshake_that_fails_has_its_fault() {
    locally(async {
        for (acts, limits, fault) in no_handshakes() {
            let what = format!("{acts:?}");
            let script = || [Read(5)].into_iter().chain(acts.clone()).collect();
            let server = Server::start(vec![script(), script()], GET.len()).await;
            let other = Server::start(vec![], GET.len()).await;
            let addresses = [server.address, other.address];
            let mut user = User::within(Some(client("localhost", &[])), &addresses);
            user.limits = limits;
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, exchange.sent), (Err(fault), None), "{what}");
            // The next connection would begin with the other.
            let user = User::within(Some(client("localhost", &[])), &addresses);
            assert_eq!(user.http.probe(&limits).await, Err((0, fault)), "{what}");
            assert_eq!(other.accepted(), 0, "a server was met: {what}");
        }
    })
    .await;
}

// T10, when the reset is there before the handshake begins.
#[tokio::test]
async fn a_reset_at_accept_is_one_in_the_handshake() {
    locally(async {
        let server = Server::start(vec![vec![Reset]], GET.len()).await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        stream.readable().await.unwrap();
        let secured = client("localhost", &[]).handshake(stream).await;
        assert_eq!(secured.map(|_| ()), Err(Fault::TlsReset));

        let server = Server::start(vec![vec![Reset]], GET.len()).await;
        let mut user = User::within(Some(client("localhost", &[])), &[server.address]);
        assert_eq!(user.send(GET).await.status, Err(Fault::TlsReset));
    })
    .await;
}

#[tokio::test]
async fn a_socket_of_this_machine_may_be_secured() {
    locally(async {
        let trusted = Trusted::new();
        let acceptor = acceptor(&trusted.identity, Settings::default());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::task::spawn_local(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            for _ in 0..2 {
                stream.read_exact(&mut vec![0; GET.len()]).await.unwrap();
                stream.write_all(PLAIN).await.unwrap();
            }
        });
        let mut user = User::at(Some(trusted.client()), Place::Socket((*path).into()));
        for connects in [true, false] {
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, exchange.connect.is_some()), (Ok(200), connects));
        }
    })
    .await;
}

// T7.
#[tokio::test]
async fn a_server_that_demands_a_client_certificate_is_told_apart() {
    let trusted = Trusted::new();
    locally(async {
        for (versions, reached) in [(OLD, Err((0, Fault::TlsClientCert))), (NEW, Ok(()))] {
            let settings = || Settings {
                versions: Some(versions),
                clients: Some(trusted.authority.clone()),
                ..Settings::default()
            };
            let (_server, mut user) = trusted.start(settings(), vec![]).await;
            assert_eq!(user.send(GET).await.status, Err(Fault::TlsClientCert), "{versions:?}");
            // TLS 1.3 tells after the handshake.
            assert_eq!(user.http.probe(&LONG).await, reached, "{versions:?}");
        }
    })
    .await;
}

// T7, as OpenSSL says it in TLS 1.2.
#[test]
fn a_refusal_after_asking_for_a_certificate_is_about_the_certificate() {
    let refused = Error::AlertReceived(AlertDescription::HandshakeFailure);
    let error = io::Error::new(io::ErrorKind::InvalidData, refused);
    let tls = client("localhost", &[]);
    assert_eq!(tls.fault(&error), Fault::TlsFailed);
    assert!(tls.shown.resolve(&[], &[]).is_none());
    assert_eq!(tls.fault(&error), Fault::TlsClientCert);
}

// T7, when there is one and the server does not take it.
#[tokio::test]
async fn a_client_certificate_that_is_refused_is_told_from_one_that_is_missing() {
    let trusted = Trusted::new();
    let shown = |identity: Identity| {
        let chain = pem("CERTIFICATE", &identity.certificate);
        let key = pem("PRIVATE KEY", &identity.key.serialize_der());
        Some(super::Identity::of_pem(chain.as_bytes(), key.as_bytes()).unwrap())
    };
    let clients = authority("clients");
    let past = || {
        let mut params = params("late");
        params.not_after = date_time_ymd(2020, 1, 1);
        params
    };
    locally(async {
        for (what, identity, status) in [
            ("known", issued(&clients, params("ann")), Ok(200)),
            ("of nobody", self_signed(params("eve")), Err(Fault::TlsClientRefused)),
            (
                "of others",
                issued(&authority("others"), params("eve")),
                Err(Fault::TlsClientRefused),
            ),
            // An authority of that name with another key.
            (
                "of a liar",
                issued(&authority("clients"), params("eve")),
                Err(Fault::TlsClientRefused),
            ),
            ("late", issued(&clients, past()), Err(Fault::TlsClientRefused)),
        ] {
            let identity = shown(identity);
            for versions in [OLD, NEW] {
                let clients = Some(clients.der().clone());
                let settings =
                    Settings { versions: Some(versions), clients, ..Settings::default() };
                let tls = Some(acceptor(&trusted.identity, settings));
                let server = Server::start_within(tls, vec![], GET.len()).await;
                let roots = Roots::given(vec![trusted.authority.clone()]).unwrap();
                let manner = Manner { identity: identity.clone(), ..Manner::trusting(Some(roots)) };
                let tls = Tls::new("localhost", manner).unwrap();
                let mut user = User::within(Some(tls), &[server.address]);
                assert_eq!(user.send(GET).await.status, status, "{what}, {versions:?}");
            }
        }
    })
    .await;
}

// T6.
#[tokio::test]
async fn versions_that_do_not_meet_are_told() {
    let trusted = Trusted::new();
    locally(async {
        let only = |versions| {
            let roots = Roots::given(vec![trusted.authority.clone()]).unwrap();
            Tls::new("localhost", Manner { versions, ..Manner::trusting(Some(roots)) }).unwrap()
        };
        for (theirs, ours, status) in [
            (OLD, Versions::Old, Ok(200)),
            (NEW, Versions::New, Ok(200)),
            (NEW, Versions::Old, Err(Fault::TlsVersion)),
            (OLD, Versions::New, Err(Fault::TlsVersion)),
        ] {
            let settings = Settings { versions: Some(theirs), ..Settings::default() };
            let tls = Some(acceptor(&trusted.identity, settings));
            let server = Server::start_within(tls, vec![], GET.len()).await;
            let mut user = User::within(Some(only(ours)), &[server.address]);
            assert_eq!(user.send(GET).await.status, status, "{theirs:?}, {ours:?}");
        }
        // It was not offered, and is picked all the same.
        let script = vec![Read(5), Write(hello(3, [0xc0, 0x2f], &[])), Fin];
        let server = Server::start(vec![script], GET.len()).await;
        let mut user = User::within(Some(only(Versions::New)), &[server.address]);
        assert_eq!(user.send(GET).await.status, Err(Fault::TlsVersion));
    })
    .await;
}

/// A server has not seen a user before, whoever came before it.
#[tokio::test]
async fn a_user_resumes_its_own_sessions_alone() {
    let trusted = Trusted::new();
    locally(async {
        let once = || vec![Read(GET.len()), Write(PLAIN.to_vec()), Fin];
        let scripts = vec![once(), once(), once(), once()];
        let (server, mut one) = trusted.start(Settings::default(), scripts).await;
        let mut other = User::within(Some(trusted.client()), &[server.address]);
        for _ in 0..2 {
            for user in [&mut one, &mut other] {
                assert_eq!(user.send(GET).await.status, Ok(200));
                user.readable().await;
            }
        }
        let (full, resumed) = (HandshakeKind::Full, HandshakeKind::Resumed);
        assert_eq!(server.handshakes(), [full, full, resumed, resumed]);
    })
    .await;
}

#[tokio::test]
async fn without_resuming_every_handshake_is_a_full_one() {
    let trusted = Trusted::new();
    locally(async {
        for versions in [OLD, NEW] {
            for (resumes, second) in [(true, HandshakeKind::Resumed), (false, HandshakeKind::Full)]
            {
                let settings = Settings { versions: Some(versions), ..Settings::default() };
                let script = || vec![Read(GET.len()), Write(PLAIN.to_vec()), Fin];
                let tls = Some(acceptor(&trusted.identity, settings));
                let server = Server::start_within(tls, vec![script(), script()], GET.len()).await;
                let roots = Roots::given(vec![trusted.authority.clone()]).unwrap();
                let manner = Manner { resumes, ..Manner::trusting(Some(roots)) };
                let tls = Tls::new("localhost", manner).unwrap();
                let mut user = User::within(Some(tls), &[server.address]);
                assert_eq!(user.send(GET).await.status, Ok(200));
                user.readable().await;
                assert_eq!(user.send(GET).await.status, Ok(200));
                assert_eq!(server.handshakes(), [HandshakeKind::Full, second], "{versions:?}");
            }
        }
    })
    .await;
}

// T12.
#[tokio::test]
async fn an_end_without_a_goodbye_is_no_end_of_a_body() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let trusted = Trusted::new();
    locally(async {
        for (text, fault) in [
            (format!("{OK}\r\nhello"), Fault::BodyTruncated),
            (format!("{OK}\r\n"), Fault::BodyTruncated),
            (format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), Fault::BodyTruncated),
            (format!("{OK}Content-Length: 9\r\n\r\nhello"), Fault::BodyTruncated),
            (OK.to_owned(), Fault::HeadTruncated),
            (String::new(), Fault::HeadClosed),
        ] {
            let script = vec![Read(GET.len()), write(&text), Cut];
            let (server, user) = trusted.start(Settings::default(), vec![script]).await;
            let (exchange, _, reused) = first_and_reuse_of(&server, user, GET, LONG).await;
            assert_eq!((exchange.status, reused), (Err(fault), false), "{text:?}");
        }
        // What says where it ends is whole, however the connection ends.
        for rest in
            ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
        {
            let script = vec![Read(GET.len()), write(&format!("{OK}{rest}")), Cut];
            let (_server, mut user) = trusted.start(Settings::default(), vec![script]).await;
            assert_eq!(user.send(GET).await.status, Ok(200), "{rest:?}");
        }
    })
    .await;
}

// T13.
#[tokio::test]
async fn plain_http_to_a_tls_port_is_no_http() {
    let trusted = Trusted::new();
    locally(async {
        let (server, _) = trusted.start(Settings::default(), vec![]).await;
        let mut plain = User::of(&[server.address]);
        assert_eq!(plain.send(GET).await.status, Err(Fault::HeadInvalid));
    })
    .await;
}

// T14.
#[tokio::test]
async fn http_1_1_is_agreed_on() {
    let trusted = Trusted::new();
    locally(async {
        for (alpn, status) in [
            (&[][..], Ok(200)),
            (&["http/1.1"], Ok(200)),
            (&["h2", "http/1.1"], Ok(200)),
            (&["h2"], Err(Fault::TlsAlpn)),
        ] {
            let settings = Settings { alpn, ..Settings::default() };
            let (_server, mut user) = trusted.start(settings, vec![]).await;
            assert_eq!(user.send(GET).await.status, status, "{alpn:?}");
            let Ok(_) = status else { continue };
            let stream = user.connections.kept[0].1.stream.secured();
            let agreed = (!alpn.is_empty()).then_some(&b"http/1.1"[..]);
            assert_eq!(stream.get_ref().1.alpn_protocol(), agreed, "{alpn:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_connection_within_tls_is_kept_and_used_again() {
    let trusted = Trusted::new();
    locally(async {
        for versions in [OLD, NEW] {
            let settings = Settings { versions: Some(versions), ..Settings::default() };
            let (server, mut user) = trusted.start(settings, vec![]).await;
            for nth in 0..10 {
                let exchange = user.send(GET).await;
                assert_eq!((exchange.status, &*user.body), (Ok(200), &b"plain"[..]));
                assert_eq!(exchange.connect.is_some(), nth == 0);
            }
            assert_eq!((server.accepted(), server.requests()), (1, vec![GET.to_vec(); 10]));
            assert_eq!(server.handshakes(), [HandshakeKind::Full]);
        }
    })
    .await;
}

#[tokio::test]
async fn the_handshake_has_a_time_of_its_own_within_that_of_connecting() {
    let trusted = Trusted::new();
    locally(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = acceptor(&trusted.identity, Settings::default());
        tokio::task::spawn_local(async move {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::time::sleep(SHORT).await;
            let mut stream = acceptor.accept(stream).await.unwrap();
            stream.read_exact(&mut [0; GET.len()]).await.unwrap();
            stream.write_all(PLAIN).await.unwrap();
        });
        let mut user = User::within(Some(trusted.client()), &[address]);
        let opening = user.send(GET).await.connect.unwrap();
        let tls = opening.tls().unwrap();
        assert!(tls >= SHORT && opening.whole() >= tls, "{opening:?}");

        let server = Server::start(vec![], GET.len()).await;
        let exchange = User::of(&[server.address]).send(GET).await;
        assert_eq!(exchange.connect.map(|opening| opening.tls()), Some(None));
    })
    .await;
}

#[tokio::test]
async fn tickets_that_come_after_the_handshake_leave_the_connection_usable() {
    let trusted = Trusted::new();
    locally(async {
        let settings = Settings { versions: Some(NEW), ..Settings::default() };
        let (server, _) = trusted.start(settings, vec![]).await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        let stream = trusted.client().handshake(stream).await.unwrap();
        let mut connection = Connection::new(Other::Tls(stream).into());
        connection.stream.tcp().readable().await.unwrap();
        assert!(connection.is_reusable(&mut Noticed::default()));
        // They were taken in: nothing is left to see.
        assert_eq!(
            connection.stream.tcp().try_read(&mut [0]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        assert!(connection.is_reusable(&mut Noticed::default()));
    })
    .await;
}

#[tokio::test]
async fn a_kept_connection_that_ended_is_replaced_and_its_session_resumed() {
    let trusted = Trusted::new();
    let unasked = "HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n";
    locally(async {
        for between in [vec![Fin], vec![Cut], vec![Reset], vec![write(unasked), Silence]] {
            let what = format!("{between:?}");
            let script = [Read(GET.len()), Write(PLAIN.to_vec()), Await].into_iter().chain(between);
            let (server, mut user) =
                trusted.start(Settings::default(), vec![script.collect()]).await;
            assert_eq!(user.send(GET).await.status, Ok(200));
            server.go_on();
            user.readable().await;

            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, exchange.connect.is_some()), (Ok(200), true), "{what}");
            assert_eq!(
                server.handshakes(),
                [HandshakeKind::Full, HandshakeKind::Resumed],
                "{what}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    let trusted = Trusted::new();
    let request = post(LARGE);
    let body: Vec<u8> = (0..LARGE).map(|at| (at / 7) as u8).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
    let answer = [head.as_bytes(), &body].concat();
    let small = GET.len();
    locally(async {
        let script = vec![Read(request.len()), Write(answer)];
        let (server, mut user) = trusted.start_for(Settings::default(), vec![script], small).await;
        let exchange = user.send(&request).await;
        assert_eq!((exchange.status, exchange.body_bytes), (Ok(200), LARGE as u64));
        assert!(user.body == body && server.requests() == [request]);
        assert!(user.send(GET).await.connect.is_none());
    })
    .await;
}

// TLS takes more than a full socket does: a request that it has whole may still be here.
#[tokio::test]
async fn what_tls_has_taken_is_written_when_the_socket_lets_it() {
    let trusted = Trusted::new();
    let limits = Limits { first_byte: Duration::from_secs(10), ..LONG };
    locally(async {
        // It takes 64 KiB more, so that one of these is between the two.
        for size in (1..=16).map(|step| step * 32 * 1024) {
            let bytes = post(size);
            let script = vec![Await, Read(bytes.len()), Write(PLAIN.to_vec())];
            let (server, _) = trusted.start(Settings::default(), vec![script]).await;
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_send_buffer_size(4096).unwrap();
            let stream = socket.connect(server.address).await.unwrap();
            let stream = trusted.client().handshake(stream).await.unwrap();
            let mut connection = Connection::new(Other::Tls(stream).into());

            let (now, mut answer) = (Instant::now(), Answer::default());
            let request = Outgoing { limits: &limits, ..plain(0, &bytes) };
            let mut exchange = pin!(connection.converse(&request, &mut answer, now, now));
            assert!(poll_once(exchange.as_mut()).await.is_none());
            server.go_on();
            assert_eq!(exchange.await.status, Ok(200), "{size} bytes");
        }
    })
    .await;
}

#[test]
fn a_host_that_no_certificate_can_hold_is_refused() {
    for (host, good) in [("shop.test", true), ("::1", true), ("127.0.0.1", true), ("a.1", false)] {
        assert_eq!(
            Tls::new(host, Manner::trusting(None)).map(|_| ()),
            if good { Ok(()) } else { Err(BadName) }
        );
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
}

#[test]
fn roots_are_read_from_a_file_or_it_is_said_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &[u8]| {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, text).unwrap();
        Roots::in_file(&path).map(|roots| roots.given.len())
    };
    let pem = |der: &[u8]| pem("CERTIFICATE", der);
    let good = pem(authority("one").der());
    assert_eq!(read(format!("{good}# and another\n{good}").as_bytes()).unwrap(), 2);
    let said = |text: &[u8]| read(text).unwrap_err().to_string();
    assert_eq!(
        said(format!("{good}{}", pem(b"nothing")).as_bytes()),
        "its certificate number 2 is broken"
    );
    for none in [&b""[..], authority("der").der(), b"-----BEGIN CERTIFICATE-----\nabc"] {
        assert_eq!(said(none), "it holds no certificate in PEM form");
    }
    let absent = Roots::in_file(&folder.path().join("absent.pem"));
    assert!(matches!(absent, Err(RootsError::Unreadable(_))));
}

#[test]
fn there_are_always_roots_of_the_system() {
    assert!(!Roots::of_system().store.is_empty());
}
