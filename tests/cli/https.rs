//! `https` targets: `--cacert`, `--insecure`, `--resolve`, and what a target that cannot be trusted is told.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use super::secured::{LOAD, PLAN, secured};
use super::support::{Folder, answer, said, server};

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
    let asked = server.asked.recv().unwrap();
    assert_eq!(asked.name.as_deref(), Some("localhost"));
    let host = format!("localhost:{}\r\n", server.address.port());
    assert!(asked.head.contains(&host), "{}", asked.head);
}

#[test]
fn a_url_without_a_plan_may_be_https() {
    let server = secured("localhost");
    let folder = server.folder();
    let url = server.at("localhost");
    let said = folder.throng(&format!("run {url}/a -n 3 --cacert ca.pem --out out"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let head = server.asked.recv().unwrap().head;
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
                "give its CA with `--cacert FILE` or `tls: { ca: FILE }` in the plan, or `--insecure` for a \
                 test system"
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
                 is elsewhere, or `tls: { name: NAME }` in the plan; or `--insecure` for a test system"
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
        let asked = server.asked.recv().unwrap();
        assert_eq!(asked.name.as_deref(), Some("shop.test"));
        let head = asked.head;
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
