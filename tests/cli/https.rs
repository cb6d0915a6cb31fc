//! `https` targets: `--cacert`, `--insecure`, `--resolve`, and what a target that cannot be trusted is told.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::support::{Folder, Said, answer, said, server};

const PLAN: &str = "\
users:
  Visitor:
    tasks:
      home: { get: / }
thresholds: [error_rate < 1%]
";
const LOAD: &str = "-u 2 -t 300ms --out out";

/// A server within TLS that answers every request, and what its clients called it.
struct Secured {
    address: SocketAddr,
    /// The certificate of its authority, as PEM.
    authority: String,
    /// For each request: the name in the handshake, and the head.
    asked: Receiver<(Option<String>, String)>,
}

fn secured(name: &str) -> Secured {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (asks, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (config, asks) = (config.clone(), asks.clone());
            std::thread::spawn(move || serve(config, stream, &asks));
        }
    });
    let text = STANDARD.encode(authority.der());
    let authority = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    Secured { address, authority, asked }
}

fn serve(config: Arc<ServerConfig>, stream: TcpStream, asks: &Sender<(Option<String>, String)>) {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk)
        && count > 0
    {
        read.extend_from_slice(&chunk[..count]);
        if read.ends_with(b"\r\n\r\n") {
            let name = stream.conn.server_name().map(ToOwned::to_owned);
            let _ = asks.send((name, String::from_utf8(std::mem::take(&mut read)).unwrap()));
            if stream.write_all(answer(200, "hello").as_bytes()).is_err() {
                return;
            }
        }
    }
}

impl Secured {
    /// A folder with a plan, and with the certificate of the authority.
    fn folder(&self) -> Folder {
        let folder = Folder::new();
        folder.file("plan.yaml", PLAN).file("ca.pem", &self.authority);
        folder
    }

    fn at(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }

    /// Runs the plan against `host` at this server's port.
    fn run(&self, folder: &Folder, host: &str, options: &str) -> Said {
        folder.throng(&format!("run plan.yaml --target {} {LOAD} {options}", self.at(host)))
    }
}

#[test]
fn a_target_in_the_plan_may_be_https() {
    let server = secured("localhost");
    let folder = server.folder();
    folder.file("plan.yaml", &format!("target: {}\n{PLAN}", server.at("localhost")));
    let said = folder.throng(&format!("run plan.yaml {LOAD} --cacert ca.pem"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let summary = folder.json("out/summary.json");
    assert_eq!(summary["run"]["target"], server.at("localhost"));
    assert_eq!(summary["run"]["insecure"], false);
    assert!(summary["totals"]["requests"].as_u64() > Some(2));
    for text in [&said.err, &said.out, &folder.read("out/report.html")] {
        assert!(!text.contains("not verified") && !text.contains("warning"), "{text}");
    }
    let (name, head) = server.asked.recv().unwrap();
    assert_eq!(name.as_deref(), Some("localhost"));
    assert!(head.contains(&format!("localhost:{}\r\n", server.address.port())), "{head}");
}

#[test]
fn a_url_without_a_plan_may_be_https() {
    let server = secured("localhost");
    let folder = server.folder();
    let url = server.at("localhost");
    let said = folder.throng(&format!("run {url}/a -n 3 --cacert ca.pem --out out"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let (_, head) = server.asked.recv().unwrap();
    assert!(head.starts_with("GET /a HTTP/1.1\r\n"), "{head}");
}

#[test]
fn the_systems_authorities_are_asked_without_options() {
    let server = secured("localhost");
    let folder = server.folder();
    let line = format!("run plan.yaml --target {} {LOAD}", server.at("localhost"));
    let output = folder.command(&line).env("SSL_CERT_FILE", "ca.pem").output().unwrap();
    let said = said(output);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn a_target_that_cannot_be_trusted_is_4_and_told_what_to_do() {
    let server = secured("shop.test");
    let folder = server.folder();
    let unknown = server.run(&folder, "127.0.0.1", "");
    let other_name = server.run(&folder, "127.0.0.1", "--cacert ca.pem");
    let told = |reason: &str, advice: &str| {
        let target = server.at("127.0.0.1");
        format!(
            "error: the target {target} was never reached: {reason}\n  {advice}\n  nothing was sent\n"
        )
    };
    assert_eq!(
        (unknown.code, unknown.err),
        (
            4,
            told(
                "tls: the certificate is not signed by a known authority",
                "give its CA with `--cacert FILE`, or `--insecure` for a test system"
            )
        )
    );
    assert_eq!(
        (other_name.code, other_name.err),
        (
            4,
            told(
                "tls: the certificate is for another name",
                "use a name that it holds in the target, with `--resolve NAME:ADDRESS` when that \
                 is elsewhere, or `--insecure` for a test system"
            )
        )
    );
    assert!(!folder.path().join("out").exists() && server.asked.try_recv().is_err());
}

#[test]
fn a_server_without_tls_is_4() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let said = folder.throng(&format!("run plan.yaml --target https://{address} {LOAD}"));
    let told = "tls: the server does not speak TLS\n  is this the right port? if it speaks plain \
                HTTP, write `http://` in the target\n";
    assert!(said.code == 4 && said.err.contains(told), "{}", said.err);
}

#[test]
fn http_to_a_server_within_tls_is_told_to_write_https() {
    let server = secured("localhost");
    let folder = server.folder();
    let said = folder.throng(&format!("run plan.yaml --target http://{} {LOAD}", server.address));
    let told = "is this the right port? if it speaks TLS, write `https://` in the target";
    assert!(said.code == 1 && said.out.contains(told), "{}", said.out);
}

#[test]
fn insecure_trusts_anyone_and_every_result_says_so() {
    let server = secured("shop.test");
    let folder = server.folder();
    let said = server.run(&folder, "127.0.0.1", "--insecure");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let line = "warning: the target's certificate is not verified (`--insecure`)\n";
    assert!(said.err.starts_with(line), "{}", said.err);
    assert!(said.out.contains("\nThe target's certificate was not verified.\n"), "{}", said.out);
    assert_eq!(folder.json("out/summary.json")["run"]["insecure"], true);
    assert!(folder.read("out/report.html").contains("certificate not verified"));
}

#[test]
fn options_of_tls_change_nothing_without_it() {
    let plain = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    for option in ["--insecure", "--cacert absent.pem"] {
        let target = format!("http://{}", plain.address);
        let said = folder.throng(&format!("run plan.yaml --target {target} {LOAD} {option}"));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let option = option.split(' ').next().unwrap();
        let line = format!("warning: `{option}` changes nothing: {target} is without TLS\n");
        assert!(said.err.starts_with(&line), "{}", said.err);
        assert_eq!(folder.json("out/summary.json")["run"]["insecure"], false);
        assert!(!said.out.contains("not verified"), "{}", said.out);
    }
}

#[test]
fn resolve_reaches_a_name_elsewhere_and_nobody_notices() {
    let server = secured("shop.test");
    let folder = server.folder();
    let port = server.address.port();
    for resolve in ["shop.test:127.0.0.1", &format!("shop.test:{port}:127.0.0.1")] {
        let options = format!("--cacert ca.pem --resolve {resolve}");
        let said = server.run(&folder, "shop.test", &options);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let (name, head) = server.asked.recv().unwrap();
        assert_eq!(name.as_deref(), Some("shop.test"));
        assert!(head.to_lowercase().contains(&format!("host: shop.test:{port}\r\n")), "{head}");
    }
    let plain = super::support::server(|_| Some(answer(200, "")));
    let said = folder.throng(&format!(
        "run plan.yaml --target http://shop.test:{} {LOAD} --resolve shop.test:127.0.0.1",
        plain.address.port()
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn wrong_files_and_texts_are_2_with_what_to_do() {
    let server = secured("localhost");
    let folder = server.folder();
    folder.file("empty.pem", "");
    let told = |options: &str| {
        let said = server.run(&folder, "localhost", options);
        assert_eq!(said.code, 2, "{}{}", said.out, said.err);
        said.err
    };
    let give = "give a file with the CA's certificate between `-----BEGIN CERTIFICATE-----` and \
                `-----END CERTIFICATE-----`";
    for (options, texts) in [
        (
            "--cacert absent.pem",
            ["error: `--cacert absent.pem`: it cannot be read: No such file or directory", give],
        ),
        (
            "--cacert empty.pem",
            ["error: `--cacert empty.pem`: it holds no certificate in PEM form", give],
        ),
        ("--cacert ca.pem --insecure", ["cannot be used with", "--insecure"]),
        (
            "--resolve shop.test:127.0.0.1",
            [
                &format!(
                    "`--resolve shop.test:127.0.0.1` is not about the target {}",
                    server.at("localhost")
                ),
                "to reach it there, write `--resolve localhost:127.0.0.1`",
            ],
        ),
        (
            "--resolve localhost:169.254.169.254",
            ["is a link-local address, where clouds hand out credentials", "nothing was sent"],
        ),
        (
            "--resolve localhost",
            [
                "invalid value 'localhost' for '--resolve <HOST[:PORT]:ADDRESS>'",
                "write `shop.test:127.0.0.1`",
            ],
        ),
    ] {
        let said = told(options);
        assert!(texts.iter().all(|text| said.contains(text)), "{options}: {said}");
    }
    assert!(server.asked.try_recv().is_err(), "nothing was sent");
}
