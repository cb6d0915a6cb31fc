//! A server within TLS, with an authority that knows its clients.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use super::support::{Folder, Said, answer};

pub const PLAN: &str = "\
users:
  Visitor:
    tasks:
      home: { get: / }
thresholds: [error_rate < 1%]
";
pub const LOAD: &str = "-u 2 -t 300ms --out out";

/// A server within TLS that answers every request, and what its clients called it.
pub struct Secured {
    pub address: SocketAddr,
    /// The certificate of its authority, as PEM.
    pub authority: String,
    /// For each request.
    pub asked: Receiver<Asked>,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a server saw with a request.
#[derive(Debug)]
pub struct Asked {
    /// The name in the handshake.
    pub name: Option<String>,
    pub head: String,
    /// Whom the client said that it is, by its certificate.
    pub client: Option<Vec<u8>>,
    pub version: ProtocolVersion,
    pub kind: HandshakeKind,
}

impl Asked {
    /// The client's certificate is for this name.
    pub fn is_of(&self, name: &str) -> bool {
        let name = name.as_bytes();
        self.client.as_ref().is_some_and(|der| der.windows(name.len()).any(|part| part == name))
    }
}

/// What a server wants, beyond being trusted.
#[derive(Default)]
pub struct Wants {
    /// Client certificates that its authority has issued.
    pub clients: bool,
    /// TLS 1.2, and nothing newer.
    pub old: bool,
    /// Closes after each answer.
    pub closes: bool,
}

pub fn secured(name: &str) -> Secured {
    secured_with(name, Wants::default())
}

pub fn secured_with(name: &str, wants: Wants) -> Secured {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = if wants.old { &[&TLS12] } else { &[&TLS13, &TLS12] };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = if wants.clients {
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (asks, asked) = channel();
    let closes = wants.closes;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (config, asks) = (config.clone(), asks.clone());
            std::thread::spawn(move || serve(config, stream, &asks, closes));
        }
    });
    let authority = pem("CERTIFICATE", issuer.der());
    Secured { address, authority, asked, issuer }
}

pub fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

fn serve(config: Arc<ServerConfig>, stream: TcpStream, asks: &Sender<Asked>, closes: bool) {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk)
        && count > 0
    {
        read.extend_from_slice(&chunk[..count]);
        if read.ends_with(b"\r\n\r\n") {
            let _ = asks.send(Asked {
                name: stream.conn.server_name().map(ToOwned::to_owned),
                head: String::from_utf8(std::mem::take(&mut read)).unwrap(),
                client: stream.conn.peer_certificates().map(|chain| chain[0].to_vec()),
                version: stream.conn.protocol_version().unwrap(),
                kind: stream.conn.handshake_kind().unwrap(),
            });
            let answer = match closes {
                true => answer(200, "hello").replacen("\r\n", "\r\nConnection: close\r\n", 1),
                false => answer(200, "hello"),
            };
            if stream.write_all(answer.as_bytes()).is_err() || closes {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                return;
            }
        }
    }
}

impl Secured {
    /// A folder with a plan, and with the certificate of the authority.
    pub fn folder(&self) -> Folder {
        let folder = Folder::new();
        folder.file("plan.yaml", PLAN).file("ca.pem", &self.authority);
        folder
    }

    /// The certificate of a client and its key, as PEM.
    pub fn issue(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (pem("CERTIFICATE", certificate.der()), pem("PRIVATE KEY", &key.serialize_der()))
    }

    pub fn at(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }

    /// Runs the plan against `host` at this server's port.
    pub fn run(&self, folder: &Folder, host: &str, options: &str) -> Said {
        folder.throng(&format!("run plan.yaml --target {} {LOAD} {options}", self.at(host)))
    }

    /// Everything that was asked so far.
    pub fn all(&self) -> Vec<Asked> {
        self.asked.try_iter().collect()
    }
}
