//! `tls`: what a plan says of it, and what a class says for itself.

use std::path::Path;

use super::support::{class, keys, run};
use throng::program::Secured;
use throng::protocol::http::Versions;

fn files() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plans/files"))
}

/// How each class secures the target.
fn secured(all: &str, own: &str) -> Vec<Secured> {
    let users = format!(
        "users:\n  A: {{ tasks: {{ a: {{ get: /a }} }} }}\n  B:\n    tls: {{ {own} }}\n    tasks: {{ b: {{ get: /b }} }}\n"
    );
    let plan = format!("tls: {{ {all} }}\n{users}profiles: {{ p: {{ users: 2, hold: 1s }} }}\n");
    let came = run(&plan).times(2).within(files()).well();
    let program = &came.program;
    let way = |class: usize| program.ways[program.classes[class].requests[0].target];
    [0, 1].map(|class| program.secured[way(class)].clone()).into()
}

#[test]
fn a_class_wins_over_the_plan_key_by_key() {
    let [all, own] = &secured(
        "ca: certs/ca.pem, versions: 1.2, resume: off, insecure: false",
        "versions: [1.3]",
    )[..] else {
        panic!("two")
    };
    assert!(all.roots.is_some() && own.roots.is_some());
    assert_eq!((all.versions, own.versions), (Versions::Old, Versions::New));
    assert_eq!((all.afresh, own.afresh, own.insecure), (true, true, false));

    let [all, own] = &secured("insecure: true, name: a.test", "name: b.test, resume: on")[..]
    else {
        panic!("two")
    };
    assert_eq!((all.insecure, own.insecure), (true, true));
    let host = |secured: &Secured| secured.name.clone().map(|(_, name)| name);
    assert_eq!((host(all).as_deref(), host(own).as_deref()), (Some("a.test"), Some("b.test")));
    assert_eq!(
        (all.name_of("elsewhere.test"), all.afresh, own.afresh),
        ("elsewhere.test", false, false)
    );

    // Who names authorities wants them to be asked.
    let [all, own] = &secured("insecure: true", "ca: certs/ca.pem")[..] else { panic!("two") };
    assert_eq!((all.insecure, own.insecure), (true, false));

    let [all, own] =
        &secured("cert: certs/client.pem, key: certs/client.key", "ca: certs/ca.pem")[..]
    else {
        panic!("two")
    };
    assert!(all.identity.is_some() && own.identity.is_some() && all.roots.is_none());
}

#[test]
fn classes_that_say_the_same_share_their_connections_way() {
    let came = run(&class(
        "tls: { versions: [1.2, 1.3] }\ntasks: { a: { get: /a } }",
        "{ users: 1, hold: 1s }",
    ))
    .times(1)
    .well();
    assert_eq!(
        (came.program.targets.len(), came.program.ways.clone(), came.program.secured.len()),
        (1, vec![0], 1)
    );
}

#[test]
fn a_template_gives_each_user_a_certificate_at_its_first_request() {
    let users = keys(
        "tls: { cert: \"{{ who }}/{{ user.id }}.pem\", key: \"{{ who }}.key\" }\non_start: [{ set: { who: ann } }, { get: / }]\ntasks: { a: { steps: [{ set: { who: bob } }, { get: /a }, { parallel: [{ get: /b }, { get: /c }] }] } }",
    );
    let came = users.well();
    let pairs: Vec<_> = came.sent.iter().map(|sent| sent.pair.clone()).collect();
    // Whoever it is at the first stays so, over all its connections.
    assert_eq!(pairs, vec![Some(("ann/1.pem".to_owned(), "ann.key".to_owned())); 4]);
}

#[test]
fn a_template_of_what_does_not_change_is_read_with_the_plan() {
    let one = keys("tls: { cert: \"{{ folder }}/client.pem\", key: \"{{ folder }}/client.key\" }\ntasks: { a: { get: /a } }")
        .with("vars: { folder: certs }")
        .within(files());
    let came = one.well();
    assert!(came.program.secured[0].identity.is_some() && !came.program.secured[0].live);
    assert_eq!(came.sent[0].pair, None);
}
