//! The key `tls` of a plan: authorities, client certificates, names, versions, sessions.

use tokio_rustls::rustls::{HandshakeKind, ProtocolVersion};

use super::secured::{PLAN, Wants, secured, secured_with};

#[test]
fn a_plan_says_whom_to_trust() {
    let server = secured("localhost");
    let folder = server.folder();
    let timed = PLAN.replace("[error", "[tls.max < 5s, error");
    folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem }}\n{timed}"));
    let said = server.run(&folder, "localhost", "");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let summary = folder.json("out/summary.json");
    assert_eq!(summary["run"]["insecure"], false);
    let times = ["tls_ms_p50", "tls_ms_p95", "connect_ms_p95"];
    let [half, most, whole] = times.map(|name| summary["totals"][name].as_f64().unwrap());
    assert!(0.0 < half && half <= most && most <= whole, "{half} {most} {whole}");
    assert!(!said.err.contains("not verified"), "{}", said.err);

    // The command line wins, in either direction.
    folder.file("other.pem", &secured("other").authority);
    assert_eq!(server.run(&folder, "localhost", "--cacert other.pem").code, 4);
    let said = server.run(&folder, "localhost", "--insecure");
    assert!(said.code == 0 && said.err.contains("(`--insecure`)"), "{}", said.err);
}

#[test]
fn insecure_in_the_plan_is_shown_wherever_results_are() {
    let server = secured("shop.test");
    let folder = server.folder();
    folder.file("plan.yaml", &format!("tls: {{ insecure: true }}\n{PLAN}"));
    let said = server.run(&folder, "127.0.0.1", "");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let line = "warning: the target's certificate is not verified (`insecure: true` in the plan)\n";
    assert!(said.err.starts_with(line), "{}", said.err);
    assert!(said.out.contains("\nThe target's certificate was not verified.\n"), "{}", said.out);
    assert_eq!(folder.json("out/summary.json")["run"]["insecure"], true);
    assert!(folder.read("out/report.html").contains("certificate not verified"));

    // `--cacert` wins over it.
    let verified = server.run(&folder, "127.0.0.1", "--cacert ca.pem");
    assert!(verified.code == 4 && verified.err.contains("for another name"), "{}", verified.err);
}

#[test]
fn insecure_in_one_class_is_shown_and_reaches_no_other() {
    let server = secured("shop.test");
    let folder = server.folder();
    let text = "\
tls: { ca: ca.pem, name: shop.test }
users:
  Careful:
    tasks: { a: { get: /a } }
  Careless:
    tls: { name: other.test, insecure: true }
    tasks: { b: { get: /b } }
thresholds: [error_rate < 1%]
";
    folder.file("plan.yaml", text);
    let said = server.run(&folder, "localhost", "");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let warned = said.err.matches("not verified (`insecure: true` in the plan)").count();
    assert_eq!((warned, &folder.json("out/summary.json")["run"]["insecure"]), (1, &true.into()));
    let asked = server.all();
    for (path, name) in [("/a", "shop.test"), ("/b", "other.test")] {
        let of = asked.iter().filter(|asked| asked.head.starts_with(&format!("GET {path} ")));
        let names: Vec<_> = of.map(|asked| asked.name.as_deref()).collect();
        assert!(!names.is_empty() && names.iter().all(|is| *is == Some(name)), "{names:?}");
    }
    // One that is careless by itself and one that is not: the one that is not does not trust.
    folder.file("plan.yaml", &text.replace("ca: ca.pem, name", "name"));
    let said = server.run(&folder, "localhost", "");
    assert!(said.code == 4 && said.err.contains("not signed by a known"), "{}", said.err);
}

#[test]
fn a_name_in_the_plan_is_sent_and_must_be_the_certificates() {
    let server = secured("api.internal");
    let folder = server.folder();
    folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem, name: api.internal }}\n{PLAN}"));
    let said = server.run(&folder, "127.0.0.1", "");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let asked = server.asked.recv().unwrap();
    assert_eq!(asked.name.as_deref(), Some("api.internal"));
    let host = format!("127.0.0.1:{}\r\n", server.address.port());
    assert!(asked.head.contains(&host), "the target is still called so: {}", asked.head);

    folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem, name: api.test }}\n{PLAN}"));
    let said = server.run(&folder, "127.0.0.1", "");
    assert!(said.code == 4 && said.err.contains("for another name"), "{}", said.err);
}

#[test]
fn versions_are_offered_as_the_plan_says() {
    let new = secured("localhost");
    let folder = new.folder();
    for (versions, version) in [
        ("1.2", ProtocolVersion::TLSv1_2),
        ("\"1.3\"", ProtocolVersion::TLSv1_3),
        ("[1.2, 1.3]", ProtocolVersion::TLSv1_3),
    ] {
        folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem, versions: {versions} }}\n{PLAN}"));
        let said = new.run(&folder, "localhost", "");
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let asked = new.all();
        assert!(
            !asked.is_empty() && asked.iter().all(|asked| asked.version == version),
            "{versions}"
        );
    }

    let old = secured_with("localhost", Wants { old: true, ..Wants::default() });
    let folder = old.folder();
    folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem, versions: 1.3 }}\n{PLAN}"));
    let said = old.run(&folder, "localhost", "");
    assert!(said.code == 4 && said.err.contains("tls: no version in common"), "{}", said.err);
}

#[test]
fn without_resuming_every_connection_makes_a_full_handshake() {
    for old in [true, false] {
        let server = secured_with("localhost", Wants { old, closes: true, ..Wants::default() });
        let folder = server.folder();
        for (resume, resumed) in [("on", true), ("off", false)] {
            folder.file("plan.yaml", &format!("tls: {{ ca: ca.pem, resume: {resume} }}\n{PLAN}"));
            let said = server.run(&folder, "localhost", "");
            assert_eq!(said.code, 0, "{}{}", said.out, said.err);
            let asked = server.all();
            let one = asked.iter().any(|asked| asked.kind == HandshakeKind::Resumed);
            assert!(asked.len() > 3 && one == resumed, "{resume}, {} requests", asked.len());
        }
    }
}

#[test]
fn each_class_has_its_own_client_certificate() {
    for old in [true, false] {
        let server = secured_with("localhost", Wants { clients: true, old, ..Wants::default() });
        let folder = server.folder();
        for name in ["ann", "bob"] {
            let (certificate, key) = server.issue(name);
            folder.file(&format!("{name}.pem"), &certificate).file(&format!("{name}.key"), &key);
        }
        let plan = "\
tls: { ca: ca.pem, cert: ann.pem, key: ann.key }
users:
  Ann:
    tasks: { a: { get: /a } }
  Bob:
    tls: { cert: bob.pem, key: bob.key }
    tasks: { b: { get: /b } }
thresholds: [error_rate < 1%]
";
        folder.file("plan.yaml", plan);
        let said = server.run(&folder, "localhost", "");
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let asked = server.all();
        for (path, name) in [("GET /a ", "ann"), ("GET /b ", "bob")] {
            let of: Vec<_> = asked.iter().filter(|asked| asked.head.starts_with(path)).collect();
            assert!(!of.is_empty() && of.iter().all(|asked| asked.is_of(name)), "{path}");
        }
    }
}

#[test]
fn each_user_has_the_client_certificate_of_its_row() {
    for old in [true, false] {
        let wants = Wants { clients: true, old, closes: true };
        let server = secured_with("localhost", wants);
        let folder = server.folder();
        for name in ["ann", "bob"] {
            let (certificate, key) = server.issue(name);
            folder.file(&format!("{name}.pem"), &format!("{certificate}{key}"));
        }
        let plan = "\
tls: { ca: ca.pem, cert: \"{{ account.name }}.pem\", key: \"{{ account.name }}.pem\" }
data:
  account: { values: [{ name: ann }, { name: bob }], per: user }
users:
  Partner:
    tasks:
      orders: { steps: [{ get: \"/{{ account.name }}\", name: a }, { parallel: [{ get: \"/{{ account.name }}\", name: a }, { get: \"/{{ account.name }}\", name: a }] }] }
thresholds: [error_rate < 1%]
";
        folder.file("plan.yaml", plan);
        let said = server.run(&folder, "localhost", "");
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let asked = server.all();
        for name in ["ann", "bob"] {
            let path = format!("GET /{name} ");
            let of: Vec<_> = asked.iter().filter(|asked| asked.head.starts_with(&path)).collect();
            // Also where sessions are resumed: no user goes on with that of another.
            assert!(of.len() > 3 && of.iter().all(|asked| asked.is_of(name)), "{name}, old: {old}");
            assert!(of.iter().any(|asked| asked.kind == HandshakeKind::Resumed));
        }
    }
}

#[test]
fn a_users_certificate_that_cannot_be_read_is_our_own_fault() {
    let server = secured_with("localhost", Wants { clients: true, ..Wants::default() });
    let folder = server.folder();
    let (certificate, key) = server.issue("ann");
    folder.file("ann.pem", &format!("{certificate}{key}"));
    let plan = "\
tls: { ca: ca.pem, cert: \"{{ account }}\", key: \"{{ account }}\" }
data:
  account: { values: [ann.pem, bob.pem], per: user }
users:
  Partner:
    wait: 20ms
    tasks: { orders: { get: / } }
";
    folder.file("plan.yaml", plan);
    let said = server.run(&folder, "localhost", "");
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("the client certificate of a user cannot be read"), "{}", said.out);
    let summary = folder.json("out/summary.json");
    let failures = &summary["failures"];
    assert_eq!(
        (&failures[0]["id"], failures.as_array().map(Vec::len)),
        (&"local.client_cert".into(), Some(1))
    );
    let asked = server.all();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.is_of("ann")));
}

#[test]
fn a_client_certificate_that_is_missing_or_refused_is_told_apart() {
    for old in [true, false] {
        let server = secured_with("localhost", Wants { clients: true, old, ..Wants::default() });
        let folder = server.folder();
        let (certificate, key) = secured("other").issue("eve");
        folder.file("eve.pem", &format!("{certificate}{key}"));
        for (keys, told) in [
            ("ca: ca.pem", "tls: the server demands a client certificate"),
            (
                "ca: ca.pem, cert: eve.pem, key: eve.pem",
                "tls: the server refuses the client certificate",
            ),
        ] {
            folder.file("plan.yaml", &format!("tls: {{ {keys} }}\n{PLAN}"));
            let said = server.run(&folder, "localhost", "");
            // TLS 1.3 tells after the handshake, and so after the run has begun.
            assert_eq!(said.code, if old { 4 } else { 1 }, "{}{}", said.out, said.err);
            let all = said.out + &said.err;
            assert!(all.contains(told), "old: {old}, {keys}: {all}");
        }
    }
}

#[test]
fn a_rehearsal_secures_as_a_run_does() {
    let server = secured_with("localhost", Wants { clients: true, ..Wants::default() });
    let folder = server.folder();
    let (certificate, key) = server.issue("ann");
    folder.file("ann.pem", &format!("{certificate}{key}"));
    let keys = "ca: ca.pem, cert: \"{{ 'ann' }}.pem\", key: \"{{ ['ann.pem'] | first }}\"";
    folder.file("plan.yaml", &format!("tls: {{ {keys} }}\n{PLAN}"));
    let target = server.at("localhost");
    let said = folder.throng(&format!("try plan.yaml --target {target}"));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(server.all().iter().all(|asked| asked.is_of("ann")));
}
