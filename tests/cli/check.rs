//! `throng check`, and what `run` says of a wrong plan.

use super::support::{Folder, answer, plan, server};

#[test]
fn the_sample_plans_have_no_mistakes() {
    let folder = Folder::new();
    let plans = ["todo.yaml", "todo.toml", "quickstart.yaml"].map(plan);
    let said = folder.throng(&format!("check {}", plans.join(" ")));
    let want: String = plans.iter().map(|plan| format!("{plan}: no mistakes\n")).collect();
    assert_eq!((said.code, said.err, said.out), (0, want, String::new()));
}

const BROKEN: &str = "\
name: Broken
users:
  Visitor:
    wieght: 2
    wait: 3
    tasks:
      home: { get: /, accept: 2x }
      item:
        get: /items/{{ idd }}
        capture: { id: $.id }
      old:
        when: items | lenght > 0
        steps:
          - push: { items: \"{{ randint(1) }}\" }
          - get: /old
thresholds:
  - p95 < 500
  - { of: /itemz, must: p95 < 500ms }
";

const SAID: &str = "\
error: unknown key `wieght` in a user class
 --> plan.yaml:4:5
  |
4 |     wieght: 2
  |     ^^^^^^ did you mean `weight`?

";

/// Law 1: what can be known before the first request is an error before it, all at once.
#[test]
fn every_mistake_is_said_at_once_by_check_and_by_run_and_nothing_is_sent() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", BROKEN);
    let check = folder.throng("check plan.yaml");
    let run =
        folder.throng(&format!("run plan.yaml --target http://{} -u 1 -t 1s", server.address));
    assert_eq!((check.code, run.code), (2, 2));
    assert_eq!(check.err, run.err, "both say the same");
    assert!(check.err.contains(SAID), "{}", check.err);
    for title in [
        "`wait` lacks its unit",
        "`2x` is not a rule for status codes",
        "nothing is called `idd`",
        "there is no filter `lenght`",
        "`randint` takes 2 arguments, not 1",
        "`p95 < 500` lacks its unit",
    ] {
        assert!(check.err.contains(title), "{title} is missing in\n{}", check.err);
    }
    assert!(server.connected.try_recv().is_err(), "nothing was sent");
    assert!(!folder.path().join("results").exists(), "nothing was written");
}

#[test]
fn names_functions_filters_and_thresholds_are_checked_before_the_run() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "name: Broken
users:
  Visitor:
    tasks:
      item:
        get: /items/{{ idd }}
        name: item
        capture: { id: '$.id[' }
      old:
        when: items | lenght > 0
        steps:
          - push: { items: \"한글 {{ randint(1) }}\" }
          - set: { id: \"{{ response.statsu }}\" }
          - get: /old
thresholds:
  - { of: itm, must: p95 < 500ms }
",
    );
    let said = folder.throng("check plan.yaml");
    assert_eq!(said.code, 2);
    let want = "\
error: nothing is called `idd`
 --> plan.yaml:6:24
  |
6 |         get: /items/{{ idd }}
  |                        ^^^ did you mean `id`?

";
    assert!(said.err.starts_with(want), "{}", said.err);
    for (place, title) in [
        ("plan.yaml:8:", "`$.id[` is not a JSONPath"),
        ("plan.yaml:10:23", "there is no filter `lenght`"),
        ("plan.yaml:12:", "`randint` takes 2 arguments, not 1"),
        ("plan.yaml:13:", "nothing is called `response.statsu`"),
        ("plan.yaml:16:", "no request is counted under `itm`"),
    ] {
        let at =
            said.err.find(title).unwrap_or_else(|| panic!("{title} is missing in\n{}", said.err));
        assert!(
            said.err[at..].lines().nth(1).unwrap().contains(place),
            "{title} is not at {place}\n{}",
            said.err
        );
    }
    assert!(said.err.ends_with("6 errors in plan.yaml\n"), "{}", said.err);
}

#[test]
fn a_plan_that_is_not_there_is_said() {
    let folder = Folder::new();
    for verb in ["check", "run"] {
        let said = folder.throng(&format!("{verb} nothing.yaml"));
        assert_eq!(said.code, 2);
        assert!(said.err.contains("nothing.yaml"), "{}", said.err);
    }
}

/// Nothing is said where a run may have enough.
#[test]
fn a_profile_too_small_for_a_percentile_is_warned_of() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "target: http://127.0.0.1:1
users: { Reader: { wait: 1s..3s, tasks: { home: { get: / } } } }
profile: quick
profiles:
  quick: { users: 5, hold: 10s }
  load: { users: 50, hold: 10m }
thresholds:
  - p95 < 500ms
  - { must: p95 < 500ms, allow_few: true }
  - avg < 500ms
",
    );
    let said = folder.throng("check plan.yaml");
    let want = "warning: the profile `quick` is too small for `p95 < 500ms`
 --> plan.yaml:8:5
  |
8 |   - p95 < 500ms
  |     ^^^^^^^^^^^ 5 users with a wait of 1s..3s give at most 30 requests in 10s, and it takes 59 to say
  |
  = help: run longer, or with more users; judge a lower percentile, or write `allow_few: true`

1 warning in plan.yaml
plan.yaml: no mistakes
";
    assert_eq!((said.code, &*said.err), (0, want));
    let load = folder.throng("check plan.yaml --profile load");
    assert_eq!((load.code, &*load.err), (0, "plan.yaml: no mistakes\n"));
}
