//! The engine under a paused clock, against a target that answers from a script.

use throng::control::{Command, StopReason};
use throng::metrics::{Failure, Fault};
use throng::protocol::fake::Reply;

use crate::run::{Came, MS, Run, answers, class, run};

#[test]
fn users_start_when_the_profile_says() {
    let plan =
        class("wait: 100s\ntasks: { home: { get: / } }", "{ users: 20, ramp: 4s, hold: 11s }");
    let came = run(&plan).against(answers(3, 200, ""));
    let want: Vec<u128> = (0..20).map(|n| n * 200).collect();
    assert_eq!(came.times(), want);
    assert_eq!(came.counts(), (20, 20, 0, 0));
}

#[test]
fn a_wait_runs_from_the_end_of_the_iteration() {
    let plan = class("wait: 1s\ntasks: { home: { get: / } }", "{ users: 1, hold: 5s }");
    let came = run(&plan).against(answers(100, 200, ""));
    assert_eq!(came.times(), [0, 1100, 2200, 3300, 4400]);
    let all = came.total.all_names();
    assert_eq!((all.response_ok.min_ms(), all.response_ok.max_ms()), (Some(100.0), Some(100.0)));
}

#[test]
fn steps_run_in_order_and_the_next_is_due_when_the_one_before_ended() {
    let keys = "tasks:\n  all:\n    steps:\n      - get: /a\n      - wait: 2s\n      - post: /b\n        body: hello\n      - head: /c";
    let came = run(&class(keys, "{ users: 1, hold: 3s }")).against(answers(500, 200, ""));
    assert_eq!(came.lines()[..3], ["GET /a", "POST /b", "HEAD /c"]);
    assert_eq!(came.times()[..3], [0, 2500, 3000]);
    let post = String::from_utf8(came.sent[1].bytes.clone()).unwrap();
    assert_eq!(
        post,
        format!(
            "POST /b HTTP/1.1\r\nHost: target.test\r\nUser-Agent: throng/{}\r\nAccept: */*\r\nContent-Length: 5\r\n\r\nhello",
            env!("CARGO_PKG_VERSION")
        )
    );
    let head = came.total.all_names().response_ok;
    assert_eq!(head.max_ms(), Some(500.0));
}

#[test]
fn every_second_is_handed_over_once_with_the_users_at_its_end() {
    let plan = class(
        "wait: 400ms\ntasks: { home: { get: / } }",
        "{ users: 4, ramp: 4s, hold: 2s, down: 4s }",
    );
    let came = run(&plan).against(answers(1, 200, ""));
    let spans: Vec<_> = came.seconds.iter().map(|s| (s.from_s, s.to_s)).collect();
    assert_eq!(spans, (0..11).map(|s| (s, s + 1)).collect::<Vec<_>>());
    let users: Vec<_> = came.seconds.iter().map(|s| s.user_seconds).collect();
    // Started at 0, 1, 2, 3 s; ended at 7, 8, 9, 10 s.
    assert_eq!(users, [1, 2, 3, 4, 4, 4, 4, 3, 2, 1, 0]);
}

const TODO: &str = "\
wait: 1s
tasks:
  create:
    weight: 3
    post: /todos/
    json: { title: \"perf {{ randint(1, 1000) }}\", completed: false }
    accept: 201
    capture: { todos: { json: $.id, push: true } }
  single:
    when: todos
    get: /todos/{{ choice(todos) }}
    name: single
  delete:
    when: todos
    steps:
      - set: { id: \"{{ choice(todos) }}\" }
      - delete: /todos/{{ id }}
        name: delete
        accept: [204, 404]
      - when: response.status == 204
        remove: { todos: \"{{ id }}\" }";

/// Creates with rising ids, answers deletes with 204 and reads with 200.
fn todo_script(bytes: &[u8], nth: u64) -> Reply {
    let (status, body) = match bytes[0] {
        b'P' => (201, format!("{{\"id\":{}}}", nth + 1)),
        b'D' => (204, String::new()),
        _ => (200, "{}".to_owned()),
    };
    Reply::new(MS(5), Ok(status)).body(body)
}

#[test]
fn a_task_is_drawn_only_while_its_condition_holds() {
    let came = run(&class(TODO, "{ users: 1, hold: 400s }")).against(todo_script);
    let mut known: Vec<String> = Vec::new();
    let mut deletes = 0;
    for (nth, line) in came.lines().iter().enumerate() {
        let id = line.rsplit('/').next().unwrap().to_owned();
        match line.split(' ').next().unwrap() {
            "POST" => known.push((nth + 1).to_string()),
            "GET" => assert!(known.contains(&id), "{line} of {known:?}"),
            _ => {
                let at = known.iter().position(|known| *known == id);
                known.remove(at.unwrap_or_else(|| panic!("{line} of {known:?}")));
                deletes += 1;
            }
        }
    }
    assert!(deletes > 20, "{deletes} deletes");
    assert_eq!(came.counts().2, 0);
    assert!(came.total.exceptions.is_empty(), "{:?}", came.total.exceptions);
}

#[test]
fn when_no_task_can_run_the_user_rests_at_least_a_second() {
    let keys = "tasks:\n  first:\n    when: user.iteration == 0\n    get: /";
    let came = run(&class(keys, "{ users: 1, hold: 10s }")).against(answers(0, 200, ""));
    // One iteration, then nothing can run: the run goes on to its end without spinning.
    assert_eq!(came.times(), [0]);
    assert_eq!(came.after.as_secs(), 10);
}

#[test]
fn a_status_that_is_not_accepted_fails_and_captures_nothing() {
    let keys = "wait: 1s\ntasks:\n  create:\n    post: /todos/\n    accept: 201\n    capture: { id: $.id }";
    let came =
        run(&class(keys, "{ users: 1, hold: 1500ms }")).against(answers(1, 500, "{\"id\":1}"));
    assert_eq!(came.failures(), [(Failure::Status(500), 2)]);
}

#[test]
fn a_capture_that_finds_nothing_is_a_failure_and_ends_the_iteration() {
    let keys = "wait: 1s\ntasks:\n  all:\n    steps:\n      - post: /a\n        capture: { id: $.id }\n      - get: /b/{{ id }}\n        name: b";
    let plan = class(keys, "{ users: 1, hold: 2500ms }");
    let script = |_: &[u8], nth| {
        let body = [r#"{"id":7}"#, "{}", r#"{"no":1}"#, "<html>"][nth as usize % 4];
        Reply::new(MS(1), Ok(200)).body(body)
    };
    let came = run(&plan).against(script);
    assert_eq!(came.lines(), ["POST /a", "GET /b/7", "POST /a", "POST /a"]);
    let texts: Vec<_> = came.program.catalogue.texts.iter().skip(1).map(String::as_str).collect();
    assert_eq!(texts, ["capture: id: nothing at $.id", "capture: id: the answer is no JSON"]);
    assert_eq!(came.failures(), [(Failure::Rule(1), 1), (Failure::Rule(2), 1)]);
}

#[test]
fn an_expression_that_fails_sends_nothing_and_is_counted_once() {
    let keys = "wait: 1s\ntasks:\n  all:\n    steps:\n      - set: { n: text }\n      - get: /{{ n + 1 }}\n        name: never\n      - get: /b";
    let came = run(&class(keys, "{ users: 1, hold: 2500ms }")).against(answers(1, 200, ""));
    assert_eq!(came.counts(), (0, 0, 0, 0));
    let exceptions: Vec<_> = came.total.exceptions.into_iter().collect();
    assert_eq!(exceptions.len(), 1);
    assert_eq!(exceptions[0].1, 3);
}

#[test]
fn faults_are_failures_and_the_run_goes_on() {
    let plan = class("wait: 1s\ntasks: { home: { get: / } }", "{ users: 1, hold: 3500ms }");
    let script = |_: &[u8], nth| {
        let status = if nth == 1 { Err(Fault::HeadReset) } else { Ok(200) };
        Reply::new(MS(1), status)
    };
    let came = run(&plan).against(script);
    assert_eq!(came.counts(), (4, 3, 1, 0));
    assert_eq!(came.failures(), [(Failure::Fault(Fault::HeadReset), 1)]);
}

#[test]
fn at_the_end_iterations_under_way_finish_within_the_grace() {
    let keys = "tasks:\n  all:\n    steps:\n      - get: /a\n      - get: /b";
    let plan = class(keys, "{ users: 3, hold: 1s }");
    let came = run(&plan).against(answers(700, 200, ""));
    // /a at 0, /b at 700 ms ends at 1.4 s: after the end, within the grace.
    assert_eq!(came.counts(), (6, 6, 0, 0));
    assert_eq!(came.after, MS(1400));
}

#[test]
fn a_wait_within_an_iteration_is_not_cut_short_by_the_end() {
    let keys = "tasks:\n  all:\n    steps:\n      - get: /a\n      - wait: 4s\n      - get: /b";
    let came = run(&class(keys, "{ users: 3, hold: 1s }")).against(answers(100, 200, ""));
    assert_eq!((came.counts(), came.after), ((6, 6, 0, 0), MS(4200)));
    let ramped = "{ stages: [ { users: 3, hold: 1s }, { users: 1, hold: 8s } ] }";
    let came = run(&class(keys, ramped)).against(answers(100, 200, ""));
    assert!(came.times().iter().filter(|at| (1000..2000).contains(*at)).count() == 0);
    let cut = Run { grace: Some(MS(2000)), ..run(&class(keys, "{ users: 3, hold: 1s }")) };
    assert_eq!(cut.against(answers(100, 200, "")).after, MS(3000));
}

#[test]
fn what_ends_in_the_grace_makes_no_rate() {
    let plan = class("tasks: { slow: { get: / } }", "{ users: 6, hold: 1s }");
    let came = run(&plan).against(answers(6000, 200, ""));
    let all = came.total.all_names();
    assert_eq!((all.requests(), all.within_load().requests), (6, 0));
    let half = class("wait: 900ms\ntasks: { home: { get: / } }", "{ users: 2, hold: 1s }");
    let all = run(&half).against(answers(60, 503, "")).total.all_names();
    // The second request of each is begun at 960 ms and ends at 1.02 s.
    assert_eq!((all.failed(), all.within_load().failed), (4, 2));
}

#[test]
fn connections_that_cannot_be_opened_at_once_let_the_run_end() {
    let plan = class("tasks: { home: { get: / } }", "{ users: 2, hold: 1s }");
    let refused = |_: &[u8], _| Reply::new(MS(0), Err(Fault::LocalFiles));
    let came = run(&plan).against(refused);
    // An iteration that could send nothing takes a millisecond, so that it cannot spin.
    assert_eq!((came.counts(), came.after), ((2000, 0, 2000, 0), MS(1000)));
}

#[test]
fn a_limit_of_iterations_is_met_exactly_whatever_the_workers() {
    let plan = class("wait: 100ms\ntasks: { home: { get: / } }", "{ users: 7, hold: 60s }");
    for (workers, iterations) in [(1, 100), (3, 100), (2, 5), (3, 7)] {
        let limited = Run { workers, iterations: Some(iterations), ..run(&plan) };
        let came = limited.against(answers(10, 200, ""));
        assert_eq!(came.counts(), (iterations, iterations, 0, 0));
        assert!(came.after < MS(2000), "{:?}", came.after);
    }
}

#[test]
fn a_user_with_nothing_to_do_is_counted() {
    let keys = "wait: 2s\ntasks:\n  one: { when: id, get: /1, capture: { id: $.id } }\n  two: { when: response.status == 200, get: /2 }";
    let came = run(&class(keys, "{ users: 3, hold: 5s }")).against(answers(10, 200, "{}"));
    assert_eq!((came.counts().0, came.total.idle), (0, 9));
}

#[test]
fn what_outlives_the_grace_is_cut_and_counted_as_cancelled() {
    let plan = class("tasks: { slow: { get: / } }", "{ users: 3, hold: 1s }");
    let came = Run { grace: Some(MS(2000)), ..run(&plan) }.against(answers(10_000, 200, ""));
    assert_eq!(came.counts(), (3, 0, 0, 3));
    assert_eq!(came.after, MS(3000));
    assert_eq!(came.lost, 0);
}

#[test]
fn ramping_down_ends_the_newest_first_after_its_iteration() {
    let plan = class(
        "wait: 300ms\ntasks: { who: { get: '/{{ user.id }}', name: who } }",
        "{ stages: [ { users: 3, hold: 2s }, { users: 1, hold: 2s } ] }",
    );
    let came = run(&plan).against(answers(100, 200, ""));
    let last = |user: &str| {
        let sent =
            came.lines().into_iter().zip(came.times()).filter(|(line, _)| line.ends_with(user));
        sent.map(|(_, at)| at).max().unwrap()
    };
    assert!(last("/1") > 3500, "the oldest stays to the end");
    assert!(last("/2") <= 2000 && last("/3") <= 2000);
    assert_eq!(came.counts().3, 0);
}

#[test]
fn draining_starts_nothing_new_and_cutting_ends_at_once() {
    let plan = class("wait: 1s\ntasks: { home: { get: / } }", "{ users: 2, hold: 60s }");
    let drain = (MS(2500), Command::Drain(StopReason::Interrupted));
    let commands = vec![drain];
    let drained = Run { commands, ..run(&plan) }.against(answers(900, 200, ""));
    // Sent at 0 and 1.9 s; the second ends at 2.8 s.
    assert_eq!((drained.counts(), drained.after), ((4, 4, 0, 0), MS(2800)));
    let commands = vec![drain, (MS(2600), Command::Cut(StopReason::Interrupted))];
    let cut = Run { commands, ..run(&plan) }.against(answers(900, 200, ""));
    assert_eq!((cut.counts(), cut.after), ((4, 2, 0, 2), MS(2600)));
}

/// Law 10: workers share nothing that could change what a user does.
#[test]
fn a_user_draws_the_same_whatever_the_number_of_workers() {
    let plan = class(TODO, "{ users: 7, ramp: 3s, hold: 30s }");
    let ids = |came: Came| {
        // The target's ids depend on the order of all users; what a user sends apart from them does not.
        let mut by_time: Vec<_> = came.times().into_iter().zip(came.lines()).collect();
        by_time.iter_mut().for_each(|(_, line)| line.truncate(line.find('/').unwrap()));
        by_time.sort();
        by_time
    };
    let bodies = |bytes: &[u8], _| {
        let status = if bytes[0] == b'P' { 201 } else { 204 };
        Reply::new(MS(5), Ok(status)).body(r#"{"id":3}"#)
    };
    let one = ids(run(&plan).against(bodies));
    assert!(one.len() > 100);
    for workers in [2, 3, 7] {
        assert_eq!(ids(Run { workers, ..run(&plan) }.against(bodies)), one, "{workers} workers");
    }
    assert_ne!(ids(Run { seed: Some(2), ..run(&plan) }.against(bodies)), one, "another seed");
}

#[test]
fn classes_get_their_users_in_proportion_at_every_moment() {
    let plan = "users:
  A: { weight: 3, wait: 100s, tasks: { a: { get: /a } } }
  B: { weight: 1, wait: 100s, tasks: { b: { get: /b } } }
profiles: { only: { users: 12, ramp: 12s, hold: 1s } }
";
    let came = run(plan).against(answers(1, 200, ""));
    let order: String = came.lines().iter().map(|line| line.chars().last().unwrap()).collect();
    assert_eq!(order, "abaaabaaabaa");
}

#[test]
fn a_bug_in_a_user_is_said_and_loses_no_count() {
    let plan = class("wait: 1s\ntasks: { home: { get: / } }", "{ users: 2, hold: 2500ms }");
    let script = |_: &[u8], nth| {
        assert!(nth != 2, "the bug");
        Reply::new(MS(1), Ok(200))
    };
    let came = run(&plan).against(script);
    assert_eq!(came.lost, 1);
    let (issued, succeeded, _, cancelled) = came.counts();
    assert_eq!((issued - succeeded, cancelled), (1, 1));
}

#[test]
fn tasks_share_the_requests_by_weight() {
    let keys = "wait: 1s\ntasks: { a: { weight: 3, get: /a }, b: { weight: 1, get: /b }, c: { weight: 0, get: /c } }";
    let came = run(&class(keys, "{ users: 50, hold: 100s }")).against(answers(1, 200, ""));
    let count = |path: &str| came.lines().iter().filter(|line| line.ends_with(path)).count() as f64;
    let all = came.sent.len() as f64;
    assert_eq!(count("/c"), 0.0);
    // Five standard deviations of a binomial share; the seed is fixed, so this never flickers.
    let allowed = 5.0 * f64::sqrt(0.75 * 0.25 / all);
    assert!((count("/a") / all - 0.75).abs() < allowed, "{} of {all}", count("/a"));
}
