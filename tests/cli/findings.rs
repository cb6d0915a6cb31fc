//! `throng check` in CI: JSON, the workflow commands of GitHub, and warnings as mistakes.

use super::support::{Folder, plan};

/// A warning, and a plan that is right but for it.
const SLOW: &str = "\
target: http://127.0.0.1:8000
users:
  U: { wait: 1s..3s, tasks: { a: { get: / } } }
profiles:
  p: { users: 20, hold: 15s }
thresholds:
  - rps > 50
";

const BROKEN: &str = "\
target: http://127.0.0.1:8000
users:
  U:
    wieght: 1
    tasks: { a: { get: / } }
";

#[test]
fn a_threshold_that_no_load_can_reach_is_a_warning() {
    let folder = Folder::new();
    folder.file("plan.yaml", SLOW);
    let said = folder.throng("check plan.yaml");
    assert_eq!((said.code, said.out), (0, String::new()));
    insta::assert_snapshot!(said.err, @r#"
    warning: the profile `p` cannot reach `rps > 50/s`
     --> plan.yaml:7:5
      |
    7 |   - rps > 50
      |     ^^^^^^^^ 20 users with a wait of 1s..3s give at most 10/s
      |
      = help: run more users, shorten their waits, or ask for less

    1 warning in plan.yaml
    plan.yaml: no mistakes
    "#);
}

#[test]
fn what_one_environment_can_reach_is_no_warning() {
    let folder = Folder::new();
    let large = "environments:\n  large: { profiles: { p: { users: 200, hold: 15s } } }\n";
    folder.file("plan.yaml", &format!("{SLOW}{large}"));
    let said = folder.throng("check plan.yaml --strict");
    assert_eq!((said.code, &*said.err), (0, "plan.yaml: no mistakes\n"));
    folder.file("plan.yaml", &format!("{SLOW}{large}").replace("200", "40"));
    let said = folder.throng("check plan.yaml");
    assert_eq!(said.err.matches("cannot reach").count(), 1, "{}", said.err);
    let said = folder.throng("check plan.yaml --env large");
    assert!(said.err.contains("40 users with a wait of 1s..3s give at most 20/s"), "{}", said.err);
}

#[test]
fn strict_takes_warnings_for_mistakes_and_says_so_in_the_last_line() {
    let folder = Folder::new();
    folder.file("plan.yaml", SLOW);
    let said = folder.throng("check plan.yaml --strict");
    assert_eq!(said.code, 2);
    assert!(
        said.err.ends_with("plan.yaml: 1 warning, which `--strict` takes for a mistake\n"),
        "{}",
        said.err
    );
    folder.file("env.yaml", &SLOW.replace("http://127.0.0.1:8000", "'{{ env.NOT_SET_ANYWHERE }}'"));
    let said = folder.throng("check env.yaml --strict");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the environment variable `NOT_SET_ANYWHERE` has no value"));
    let clean = folder.throng(&format!("check {} --strict", plan("todo.yaml")));
    assert_eq!(clean.code, 0, "{}", clean.err);
}

#[test]
fn json_is_one_object_with_every_mistake_of_every_plan() {
    let folder = Folder::new();
    folder.file("slow.yaml", SLOW).file("broken.yaml", BROKEN);
    let said = folder.throng("check broken.yaml nothing.yaml slow.yaml --format json --explain");
    assert_eq!((said.code, said.err), (2, String::new()));
    let whole: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let ok: Vec<_> = whole["files"].as_array().unwrap().iter().map(|file| &file["ok"]).collect();
    assert_eq!(ok, [false, false, true]);
    let explanation = &whole["files"][2]["explanation"];
    assert_eq!(explanation["profiles"][0]["requests"], 170.0);
    assert_eq!(explanation["classes"][0]["tasks"][0]["share"], 1.0);
    assert!(whole["files"][0]["explanation"].is_null());
    let text = serde_json::to_string_pretty(&whole["diagnostics"]).unwrap();
    insta::assert_snapshot!(text, @r#"
    [
      {
        "severity": "error",
        "title": "unknown key `wieght` in a user class",
        "label": "did you mean `weight`?",
        "help": null,
        "file": "broken.yaml",
        "line": 4,
        "column": 5,
        "end_line": 4,
        "end_column": 11,
        "also": null
      },
      {
        "severity": "error",
        "title": "cannot read nothing.yaml: there is no such file",
        "label": "check the path",
        "help": null,
        "file": null,
        "line": null,
        "column": null,
        "end_line": null,
        "end_column": null,
        "also": null
      },
      {
        "severity": "warning",
        "title": "the profile `p` cannot reach `rps > 50/s`",
        "label": "20 users with a wait of 1s..3s give at most 10/s",
        "help": "run more users, shorten their waits, or ask for less",
        "file": "slow.yaml",
        "line": 7,
        "column": 5,
        "end_line": 7,
        "end_column": 13,
        "also": null
      }
    ]
    "#);
    let plain = folder.throng("check slow.yaml --format json");
    let plain: serde_json::Value = serde_json::from_str(&plain.out).unwrap();
    assert!(plain["files"][0].get("explanation").is_none());
}

#[test]
fn github_shows_mistakes_at_their_lines() {
    let folder = Folder::new();
    folder.file("slow.yaml", SLOW).file("broken.yaml", BROKEN);
    let said = folder.throng("check broken.yaml nothing.yaml slow.yaml --format github");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.out, @r#"
    ::error file=broken.yaml,line=4,endLine=4,col=5,endColumn=10,title=unknown key `wieght` in a user class::did you mean `weight`?
    ::error file=nothing.yaml,title=cannot read nothing.yaml%3A there is no such file::check the path
    ::warning file=slow.yaml,line=7,endLine=7,col=5,endColumn=12,title=the profile `p` cannot reach `rps > 50/s`::20 users with a wait of 1s..3s give at most 10/s%0Arun more users, shorten their waits, or ask for less
    "#);
    insta::assert_snapshot!(said.err, @r#"
    broken.yaml: 1 error
    nothing.yaml: 1 error
    slow.yaml: no mistakes
    "#);
}

#[test]
fn a_plan_with_mistakes_does_not_keep_the_next_from_being_checked() {
    let folder = Folder::new();
    folder.file("broken.yaml", BROKEN);
    let todo = plan("todo.yaml");
    let said = folder.throng(&format!("check nothing.yaml broken.yaml {todo}"));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("unknown key `wieght`"), "{}", said.err);
    assert!(said.err.ends_with(&format!("{todo}: no mistakes\n")), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_plan() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe.yaml");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let said = folder.throng("check pipe.yaml");
    assert_eq!(said.code, 2);
    let title = "cannot read pipe.yaml: it is no file but a pipe or a device";
    assert!(said.err.contains(title), "{}", said.err);
}
