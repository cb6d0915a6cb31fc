//! `throng check --explain`: what a plan would do, before it does it.

use super::support::{Folder, plan};

/// What is printed of a sample plan, in a terminal of so many columns.
fn explained(name: &str, options: &str, columns: u32) -> String {
    let folder = Folder::new();
    let mut command = folder.command(&format!("check {} --explain {options}", plan(name)));
    let said = super::support::said(command.env("COLUMNS", columns.to_string()).output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.err, format!("{}: no mistakes\n", plan(name)));
    // An empty line sets it apart from what is said on stderr.
    said.out.strip_prefix('\n').unwrap().to_owned()
}

#[test]
fn shares_tasks_load_and_requests_are_said() {
    insta::assert_snapshot!(explained("todo.yaml", "--profile quick", 80), @r#"
    Todo API
      http://127.0.0.1:8000

    Users
      TodoUser: 100%
        one task by weight, then a wait of 1s..3s; 1 request each time
          37.5%  create_todo
            25%  list_todos
          12.5%  get_single_todo  when todos
          12.5%  update_todo      when todos
          12.5%  delete_todo      when todos
      MixedWorkloadUser: none, unless it is named on the command line
        its task, then a wait of 2s..5s; 6 requests each time
          100%  complete_workflow
      StressTestUser: none, unless it is named on the command line
        one task by weight, no wait; 1 request each time
          83.3%  bulk_create
          16.7%  list_all

    Profile quick, runs when none is named
      15s in all, 20 users at the peak
      20 ┤              ▅█████████████████████████████████████████████
         │            ▄▇██████████████████████████████████████████████
         │          ▅█████████████████████████████████████████████████
         │        ▄▇██████████████████████████████████████████████████
         │      ▅█████████████████████████████████████████████████████
         │    ▄▇██████████████████████████████████████████████████████
         │  ▅█████████████████████████████████████████████████████████
         │▄▇██████████████████████████████████████████████████████████
       0 └────────────────────────────────────────────────────────────
          0s                          7.5s                         15s
      up to 20 users over 4s, held for 11s
      at most 151 requests, 10/s at the peak, if answers took no time

    Thresholds
      p95 < 500ms
      error_rate < 0.1%
      rps > 5/s
    "#);
}

#[test]
fn classes_share_the_users_of_each_profile() {
    insta::assert_snapshot!(
        explained("cookbook/guide-todo.yaml", "--profile stairs --assume 50ms", 80), @r#"
    Todo guide
      http://127.0.0.1:8000

    Users
      TodoUser: 50%
        one task by weight, then a wait of 1s..3s; 1 request each time
          37.5%  create_todo
            25%  list_todos
          12.5%  get_single_todo  when todos
          12.5%  update_todo      when todos
          12.5%  delete_todo      when todos
      MixedWorkloadUser: 33.3%
        its task, then a wait of 2s..5s; 6 requests each time
          100%  complete_workflow
      StressTestUser: 16.7%
        one task by weight, then a wait of 100ms; 1 request each time
          83.3%  bulk_create
          16.7%  list_all

    Profile stairs
      4h10m in all, 500 users at the peak
      500 ┤                                                    ▁▂▃▅▆▆▇█
          │                                            ▁▁▂▄▅▆██████████
          │                                     ▁▃▃▄▅▇█████████████████
          │                              ▂▃▄▄▆▇████████████████████████
          │                      ▁▂▃▅▆▆▇███████████████████████████████
          │              ▁▁▂▄▅▆████████████████████████████████████████
          │       ▁▃▃▄▅▇███████████████████████████████████████████████
          │▂▃▄▄▆▇██████████████████████████████████████████████████████
        0 └────────────────────────────────────────────────────────────
           0s                          2h5m                       4h10m
      10 users for 5m
      20 users for 5m
      30 users for 5m
      … 45 more …
      490 users for 5m
      500 users for 5m
      at the peak 250 TodoUser, 167 MixedWorkloadUser, 83 StressTestUser
      about 7,198,420 requests, 939/s at the peak, if each answer took 50ms

    Thresholds
      error_rate < 1%
    "#);
}

#[test]
fn a_chain_has_its_visits_in_the_long_run() {
    insta::assert_snapshot!(explained("cookbook/funnel.yaml", "", 80), @r#"
    Funnel
      http://127.0.0.1:8000

    Users
      Visitor: 100%
        a chain from the first task to an exit, a wait of 50ms..150ms after each;
        3.81 requests each time
          29.5%  home    1.12 visits a pass
          32.8%  list    1.25 visits a pass
            23%  detail  0.88 visits a pass
          9.19%  cart    0.35 visits a pass
          5.51%  pay     0.21 visits a pass

    Profile quick, runs when none is named
      3s in all, 5 users at the peak
      5 ┤████████████████████████████████████████████████████████████
        │████████████████████████████████████████████████████████████
      0 └────────────────────────────────────────────────────────────
         0s                          1.5s                          3s
      5 users for 3s
      about 169 requests, 50/s at the peak, if answers took no time

    Thresholds
      error_rate < 1%
    "#);
}

#[test]
fn a_narrow_terminal_breaks_lines_and_keeps_the_chart_whole() {
    let text = explained("cookbook/guide-todo.yaml", "--profile load", 40);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    insta::assert_snapshot!(text, @r#"
    Todo guide
      http://127.0.0.1:8000

    Users
      TodoUser: 50%
        one task by weight, then a wait of
        1s..3s; 1 request each time
          37.5%  create_todo
            25%  list_todos
          12.5%  get_single_todo  when todos
          12.5%  update_todo      when todos
          12.5%  delete_todo      when todos
      MixedWorkloadUser: 33.3%
        its task, then a wait of 2s..5s; 6
        requests each time
          100%  complete_workflow
      StressTestUser: 16.7%
        one task by weight, then a wait of
        100ms; 1 request each time
          83.3%  bulk_create
          16.7%  list_all

    Profile load
      5m30s in all, 100 users at the peak
      100 ┤  █████████████████████████████
          │ ▂█████████████████████████████
          │ ██████████████████████████████
          │ ██████████████████████████████▂
          │ ███████████████████████████████
          │▁███████████████████████████████
          │████████████████████████████████
          │████████████████████████████████
        0 └────────────────────────────────
           0s                         5m30s
      up to 100 users over 20s, held for 5m
      down to none over 10s
      at the peak 50 TodoUser, 33
      MixedWorkloadUser, 17 StressTestUser
      at most 79,730 requests, 251.6/s at
      the peak, if answers took no time

    Thresholds
      error_rate < 1%
    "#);
}

#[test]
fn all_profiles_are_explained_when_none_is_picked_and_their_rows_counted() {
    let folder = Folder::new();
    folder.file("names.csv", "name\na\nb\n");
    folder.file(
        "plan.yaml",
        "name: Rows\ntarget: http://127.0.0.1:8000\n\
         data: { names: { file: names.csv, per: user, at_end: recycle }, words: { values: [x, y], per: iteration } }\n\
         users:\n  U:\n    wait: 500ms\n    on_start: [ { post: /login, json: { name: \"{{ names.name }}\" } } ]\n\
         \x20   tasks:\n      a:\n        chance: 50%\n        get: /{{ words }}\n        name: /word\n\
         \x20 Admin: { fixed: 1, wait: { pace: 1s }, order: sequence, tasks: { x: { get: /x }, y: { get: /y, when: user.id > 1 } } }\n\
         profile: quiet\nprofiles:\n  quiet: { users: 3, hold: 10s, iterations: 12 }\n\
         \x20 spike: { spike: { base: 2, peak: 9, rise: 1s, hold: 500ms, fall: 1s, before: 2m, after: 2m } }\n",
    );
    let mut command = folder.command("check plan.yaml --explain");
    let said = super::support::said(command.env("COLUMNS", "64").output().unwrap());
    insta::assert_snapshot!(said.out.trim_start(), @r#"
    Rows
      http://127.0.0.1:8000

    Users
      U: 100%
        its task, then a wait of 500ms; 0.5 requests each time
          100%  a  chance 50%
      Admin: 1 user
        all tasks in order, a pace of 1s; 2 requests each time
          x
          y  when user.id > 1

    Profile quiet, runs when none is named
      10s in all, 3 users at the peak, ends after 12 iterations
      3 ┤██████████████████████████████████████████████████████████
        │██████████████████████████████████████████████████████████
      0 └──────────────────────────────────────────────────────────
         0s                          5s                         10s
      3 users for 10s
      at the peak 2 U, 1 Admin
      about 12 requests, 4/s at the peak, if answers took no time
      data names: 2 rows, 2 needed, one for each user
      data words: 2 rows, 10 needed, one for each iteration; then
      from the first again

    Profile spike
      4m3s in all, 9 users at the peak
      9 ┤                            ██
        │                            ██
        │                            ██
        │██████████████████████████████████████████████████████████
      0 └──────────────────────────────────────────────────────────
         0s                         2m1s                       4m3s
      2 users for 2m
      peak: up to 9 users over 1s, held for 500ms
      down to 2 users over 1s, held for 2m
      at the peak 8 U, 1 Admin
      about 753 requests, 10/s at the peak, if answers took no time
      data names: 2 rows, 8 needed, one for each user; users share
      them
      data words: 2 rows, 516 needed, one for each iteration; then
      from the first again

    Thresholds
      none: a run passes whatever it measures
    "#);
}

const OPEN: &str = "\
name: Open
target: http://127.0.0.1:8000
data: { names: { values: [a, b], per: user, at_end: recycle }, words: { values: [x, y], per: iteration } }
users:
  Reader:
    weight: 3
    wait: 1s..3s
    on_start: [ { post: /login, json: { name: \"{{ names }}\" } } ]
    tasks: { read: { get: \"/{{ words }}\", name: /word } }
  Writer:
    order: sequence
    wait: 500ms
    tasks: { one: { post: /todos/ }, two: { post: /todos/ } }
profile: open
";

fn open(profiles: &str, options: &str) -> String {
    let folder = Folder::new();
    folder.file("plan.yaml", &format!("{OPEN}profiles:\n{profiles}"));
    let mut command = folder.command(&format!("check plan.yaml --explain {options}"));
    let said = super::support::said(command.env("COLUMNS", "76").output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let at = said.out.find("Profile").unwrap();
    said.out[at..].to_owned()
}

#[test]
fn a_rate_is_shown_over_time_with_its_arrivals_and_the_users_that_it_needs() {
    let profiles = "  open: { rate: 200/s, ramp: 10s, hold: 50s, arrivals: poisson, max_users: 100 }\n\
                    \x20 closed: { users: 1, hold: 1s }\n";
    insta::assert_snapshot!(open(profiles, "--profile open --assume 100ms"), @r#"
    Profile open, runs when none is named
      1m in all, 200/s at the peak, by at most 100 users
      200/s ┤         ▅██████████████████████████████████████████████████
            │        ▇███████████████████████████████████████████████████
            │      ▂█████████████████████████████████████████████████████
            │     ▄██████████████████████████████████████████████████████
            │    ▅███████████████████████████████████████████████████████
            │   ▇████████████████████████████████████████████████████████
            │ ▂██████████████████████████████████████████████████████████
            │▄███████████████████████████████████████████████████████████
          0 └────────────────────────────────────────────────────────────
             0s                           30s                          1m
      up to 200/s over 10s, held for 50s
      at the peak 150/s Reader, 50/s Writer
      about 11,000 arrivals, at random, each of them an iteration
      50 users are busy at the peak if each answer took 100ms; 100 users are
      enough while an iteration takes 500ms at most
      the wait of Reader is not used
      about 13,765 requests, 250/s at the peak
      data names: 2 rows, 100 needed, one for each user; users share them
      data words: 2 rows, 8,250 needed, one for each iteration; then from the
      first again

    Thresholds
      none: a run passes whatever it measures
    "#);
    let text = open(profiles, "--profile open --assume 3s");
    assert!(text.contains("too few users: "), "{text}");
    // A pass waits between its tasks, whatever answers take.
    let text = open(profiles, "--profile open");
    assert!(text.contains("25 users are busy at the peak if answers took no time"), "{text}");
}

#[test]
fn stages_of_a_rate_may_go_down_to_none_and_up_again() {
    let profiles = "  open:\n    iterations: 500\n    stages:\n      - { rate: 10/s, hold: 30s }\n\
                    \x20     - { rate: 0/s, over: 10s, hold: 10s }\n\
                    \x20     - { name: burst, rate: 600/m, hold: 10s }\n  closed: { users: 1, hold: 1s }\n";
    insta::assert_snapshot!(open(profiles, "--profile open"), @r#"
    Profile open, runs when none is named
      1m in all, 10/s at the peak, by at most 100 users, ends after 500
      iterations
      10/s ┤██████████████████████████████▅                   ██████████
           │███████████████████████████████▇                  ██████████
           │█████████████████████████████████▂                ██████████
           │██████████████████████████████████▄               ██████████
           │███████████████████████████████████▅              ██████████
           │████████████████████████████████████▇             ██████████
           │██████████████████████████████████████▂           ██████████
           │███████████████████████████████████████▄          ██████████
         0 └────────────────────────────────────────────────────────────
            0s                           30s                          1m
      10/s for 30s
      down to none over 10s, held for 10s
      burst: 10/s for 10s
      at the peak 7.5/s Reader, 2.5/s Writer
      450 arrivals, each of them an iteration
      2 users are busy at the peak if answers took no time; 100 users are enough
      while an iteration takes 10s at most
      the wait of Reader is not used
      about 564 requests, 12.5/s at the peak
      data names: 2 rows, 100 needed, one for each user; users share them
      data words: 2 rows, 338 needed, one for each iteration; then from the
      first again

    Thresholds
      none: a run passes whatever it measures
    "#);
}

#[test]
fn each_class_of_its_own_load_has_a_block() {
    let profiles = "  open: { each: { Reader: { users: 20, ramp: 5s, hold: 1m }, \
                    Writer: { steps: { from: 5/s, by: 5/s, every: 10s, to: 20/s } } } }\n";
    insta::assert_snapshot!(open(profiles, ""), @r#"
    Profile open, runs when none is named
      1m5s in all, each class its own load
      Reader: 1m5s in all, 20 users at the peak
      20 ┤    ████████████████████████████████████████████████████████
         │   ▄████████████████████████████████████████████████████████
         │   █████████████████████████████████████████████████████████
         │  ▄█████████████████████████████████████████████████████████
         │  ██████████████████████████████████████████████████████████
         │ ▇██████████████████████████████████████████████████████████
         │▂███████████████████████████████████████████████████████████
         │████████████████████████████████████████████████████████████
       0 └────────────────────────────────────────────────────────────
          0s                          32.5s                       1m5s
      up to 20 users over 5s, held for 1m
      Writer: 40s in all, 20/s at the peak, by at most 200 users
      20/s ┤                                             ███████████████
           │                                             ███████████████
           │                              ██████████████████████████████
           │                              ██████████████████████████████
           │               █████████████████████████████████████████████
           │               █████████████████████████████████████████████
           │████████████████████████████████████████████████████████████
           │████████████████████████████████████████████████████████████
         0 └────────────────────────────────────────────────────────────
            0s                           20s                         40s
      5/s for 10s
      10/s for 10s
      15/s for 10s
      20/s for 10s
      500 arrivals, each of them an iteration
      10 users are busy at the peak if answers took no time; 200 users are
      enough while an iteration takes 10s at most
      at most 1,666 requests, 50/s at the peak, if answers took no time
      data names: 2 rows, 20 needed, one for each user; users share them
      data words: 2 rows, 647 needed, one for each iteration; then from the
      first again

    Thresholds
      none: a run passes whatever it measures
    "#);
}

#[test]
fn an_open_load_is_told_in_json_too() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        &format!("{OPEN}profiles:\n  open: {{ stages: [{{ rate: 30/m, hold: 1m }}, {{ rate: 4/s, over: 4s }}] }}\n"),
    );
    let said = folder.throng("check plan.yaml --explain --format json --assume 500ms");
    let all: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let load = &all["files"][0]["explanation"]["profiles"][0];
    insta::assert_snapshot!(serde_json::to_string_pretty(load).unwrap(), @r#"
    {
      "name": "open",
      "default": true,
      "total_s": 64.0,
      "warmup_s": 0.0,
      "iterations": null,
      "search": null,
      "peak": 40,
      "parts": [
        {
          "class": null,
          "total_s": 64.0,
          "peak": 40,
          "stages": [
            {
              "name": null,
              "from": 0.0,
              "rate": 0.5,
              "over_s": 0.0,
              "hold_s": 60.0
            },
            {
              "name": null,
              "from": 0.5,
              "rate": 4.0,
              "over_s": 4.0,
              "hold_s": 0.0
            }
          ],
          "arrivals": {
            "rate": 4.0,
            "count": 39,
            "spread": "even",
            "rates": [
              3.0,
              1.0
            ],
            "busy": 3.0,
            "iteration_at_most_s": 10.0,
            "idle_waits": [
              "Reader"
            ]
          }
        }
      ],
      "users": [
        40,
        40
      ],
      "requests": 51.0,
      "rps": 5.0,
      "loops": false,
      "rough": true,
      "answers": false,
      "data": [
        {
          "name": "names",
          "rows": 2,
          "needed": 40,
          "per": "user",
          "recycled": true
        },
        {
          "name": "words",
          "rows": 2,
          "needed": 30,
          "per": "iteration",
          "recycled": true
        }
      ]
    }
    "#);
}

#[test]
fn loops_of_unknown_length_and_users_that_never_wait_have_no_certain_number() {
    let text = explained("cookbook/pagination.yaml", "", 200);
    assert!(text.contains("about "), "{text}");
    assert!(!text.contains("at most "), "{text}");
    // A line has at most 100 columns.
    assert!(text.contains("loops of unknown"), "{text}");
    let text = explained("cookbook/long-polling.yaml", "", 200);
    assert!(text.contains("as many requests as the target answers"), "{text}");
    let text = explained("cookbook/long-polling.yaml", "--assume 100ms", 200);
    assert!(text.contains("if each answer took 100ms"), "{text}");
}

#[test]
fn a_plan_without_a_target_or_a_profile_is_told_what_to_say_on_the_command_line() {
    let folder = Folder::new();
    folder.file("plan.yaml", "users: { U: { wait: 1s, tasks: { a: { get: / } } } }\n");
    let text = folder.throng("check --explain plan.yaml").out;
    assert!(text.contains("no target: say it on the command line, as `--target URL`"), "{text}");
    assert!(text.contains("none: say how many users on the command line, as `-u 20"), "{text}");
    assert!(!text.contains("localhost"), "{text}");
}

#[test]
fn every_sample_plan_can_be_explained() {
    let folder = Folder::new();
    let cookbook = std::fs::read_dir(plan("cookbook")).unwrap();
    let plans = cookbook.map(|entry| entry.unwrap().path()).filter(|path| {
        let later = path.ends_with("several-classes.yaml");
        !later && path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml")
    });
    for path in plans {
        let said = folder.throng(&format!("check --explain {}", path.display()));
        assert_eq!(said.code, 0, "{}: {}", path.display(), said.err);
        assert!(
            said.out.contains("/s at the peak") || said.out.contains("as many"),
            "{}",
            said.out
        );
    }
}

#[test]
fn a_profile_that_is_not_there_is_said() {
    let folder = Folder::new();
    let said = folder.throng(&format!("check --explain --profile qick {}", plan("todo.yaml")));
    assert_eq!((said.code, said.out), (2, String::new()));
    assert!(said.err.contains("the plan has no profile `qick`"), "{}", said.err);
    assert!(said.err.contains("did you mean `quick`?"), "{}", said.err);
}
