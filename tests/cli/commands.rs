//! The command line itself: help, versions, unknown words, the demo.

use std::io::{BufRead, BufReader};

use super::support::{Folder, plan};

#[test]
fn help_and_version_are_answers() {
    let folder = Folder::new();
    let help = folder.throng("--help");
    assert_eq!(help.code, 0);
    for verb in ["run", "check", "init", "demo"] {
        assert!(help.out.contains(verb), "{}", help.out);
    }
    let version = folder.throng("--version");
    assert_eq!(version.out, format!("throng {}\n", env!("CARGO_PKG_VERSION")));
    let run = folder.throng("run --help");
    for word in [
        "--users",
        "--spawn-rate",
        "--run-time",
        "--profile",
        "Exit codes:",
        "130  ended by SIGINT",
    ] {
        assert!(run.out.contains(word), "{word} is missing in\n{}", run.out);
    }
}

#[test]
fn a_wrong_command_line_is_exit_2_with_a_hint() {
    let folder = Folder::new();
    let unknown = folder.throng(&format!("run {} --user 20", plan("todo.yaml")));
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("--users"), "{}", unknown.err);
    let wrong = folder.throng(&format!("run {} --demo -t 15", plan("todo.yaml")));
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("the unit is missing; write `15s` or `15ms`"), "{}", wrong.err);
    let alone = folder.throng(&format!("run {} --demo -r 5", plan("todo.yaml")));
    assert_eq!(alone.code, 2);
    assert!(alone.err.contains("--users"), "{}", alone.err);
}

#[test]
fn the_demo_says_where_it_is() {
    let folder = Folder::new();
    let mut demo = folder.start("demo --port 0");
    let mut line = String::new();
    BufReader::new(demo.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let url =
        line.strip_prefix("the Todo API is at ").unwrap().split(';').next().unwrap().to_owned();
    let said =
        folder.throng(&format!("run {} --target {url} -u 2 -t 1s --seed 1", plan("todo.yaml")));
    demo.kill().unwrap();
    demo.wait().unwrap();
    // Two users in a second are too few for the plan's rps.
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains("error_rate < 0.1%  0%"), "{}", said.out);
}

#[test]
fn a_port_that_is_taken_is_said() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = folder.throng(&format!("demo --port {port}"));
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with(&format!("error: the demo cannot listen on 127.0.0.1:{port}: ")),
        "{}",
        said.err
    );
    assert!(said.err.contains("choose another port with `--port`"));
}

#[test]
fn the_schema_is_printed_or_written_and_is_the_one_beside_the_plans() {
    let folder = Folder::new();
    let wanted = std::fs::read_to_string(plan("throng.schema.json")).unwrap();
    let printed = folder.throng("schema");
    assert_eq!((printed.code, &*printed.err), (0, ""));
    assert!(printed.out == wanted);
    assert_eq!(folder.throng("schema --out own.json").code, 0);
    assert!(folder.read("own.json") == wanted);
    let refused = folder.throng("schema --out no/such/folder.json");
    assert_eq!(refused.code, 3);
    assert!(refused.err.contains("cannot be written to no/such/folder.json"), "{}", refused.err);
}
