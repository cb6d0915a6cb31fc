//! The open form: iterations that start on their own beat, whatever the target does.

use std::time::Duration;

use throng::control::{Command, Steer, StopReason};
use throng::protocol::fake::Reply;
use throng::units::Rate;

use crate::run::{Came, MS, Run, answers, class, run};

const HOME: &str = "tasks: { home: { get: / } }";

/// Arrivals, iterations that ended, dropped, left out. What came was done or dropped, or cut.
fn arrivals(came: &Came) -> (u64, u64, u64, u64) {
    let total = &came.total;
    assert_eq!(
        came.counts().3 == 0,
        total.arrivals == total.iterations + total.dropped + total.left_out
    );
    (total.arrivals, total.iterations, total.dropped, total.left_out)
}

fn max(timing: &throng::metrics::Timing) -> f64 {
    timing.max_ms().unwrap_or(0.0).round()
}

#[test]
fn iterations_start_when_they_are_due_and_idle_users_do_them() {
    let plan = class(HOME, "{ rate: 10/s, hold: 2s }");
    let came = run(&plan).against(answers(5, 200, ""));
    assert_eq!(came.times(), (0..20).map(|n| n * 100).collect::<Vec<_>>());
    assert_eq!(arrivals(&came), (20, 20, 0, 0));
    assert_eq!(
        came.seconds.iter().map(|second| second.user_seconds).collect::<Vec<_>>(),
        [1, 1, 0]
    );
    assert_eq!((came.total.beat_late.count(), max(&came.total.beat_late)), (20, 0.0));
    assert_eq!((came.total.waited.count(), came.after), (0, MS(2000)));
}

/// Law 3: a late start counts from when it was due.
#[test]
fn with_too_few_users_arrivals_wait_and_their_wait_is_response_time() {
    let plan = class(HOME, "{ rate: 10/s, hold: 2s, max_users: 2 }");
    let came = run(&plan).against(answers(940, 200, ""));
    // Both users are busy from 100 ms on; the third arrival, due at 200 ms, starts at 940 ms.
    assert_eq!(came.times(), [0, 100, 940, 1040, 1880, 1980]);
    // The last one ends in the grace; the rest never started.
    assert_eq!(arrivals(&came), (20, 6, 14, 0));
    let waited = &came.total.waited;
    assert_eq!(
        (waited.count(), waited.min_ms().map(f64::round), max(waited)),
        (4, Some(740.0), 1480.0)
    );
    let all = came.total.all_names();
    assert_eq!(max(&all.response_ok), 1480.0 + 940.0);
    assert_eq!(max(&all.service), 940.0);
    assert_eq!((came.total.beat_late.count(), max(&came.total.beat_late)), (2, 0.0));
}

#[test]
fn each_arrival_is_done_once_whatever_the_number_of_workers() {
    let plan = class(
        HOME,
        "{ stages: [ { rate: 7/s, hold: 2s }, { rate: 31/s, over: 3s }, { rate: 0/s, over: 2s } ] }",
    );
    let one = run(&plan).against(answers(20, 200, ""));
    assert_eq!(arrivals(&one), (14 + 57 + 31, 102, 0, 0));
    for workers in [2, 3, 8] {
        let other = Run { workers, ..run(&plan) }.against(answers(20, 200, ""));
        assert_eq!(other.times(), one.times(), "{workers} workers");
    }
}

#[test]
fn a_poisson_process_is_that_of_the_seed_whatever_the_number_of_workers() {
    let plan = class(HOME, "{ rate: 50/s, hold: 4s, arrivals: poisson }");
    let one = run(&plan).against(answers(20, 200, ""));
    // 200 on average, with a deviation of 14.
    assert!((140..260).contains(&one.sent.len()), "{}", one.sent.len());
    let gaps: Vec<u128> = one.times().windows(2).map(|two| two[1] - two[0]).collect();
    assert!(gaps.iter().any(|gap| *gap < 5) && gaps.iter().any(|gap| *gap > 40), "{gaps:?}");
    for workers in [2, 5] {
        let other = Run { workers, ..run(&plan) }.against(answers(20, 200, ""));
        assert_eq!(other.times(), one.times(), "{workers} workers");
    }
    let another = Run { seed: Some(2), ..run(&plan) }.against(answers(20, 200, ""));
    assert_ne!(another.times(), one.times());
}

#[test]
fn a_user_keeps_its_state_from_one_arrival_to_the_next() {
    let keys = "on_start: { get: /login }\non_stop: { get: /logout }\nwait: 10s\ntasks:\n  count:\n    steps:\n      - set: { n: '{{ n + 1 if n else 1 }}' }\n      - get: '/{{ user.id }}/{{ n }}/{{ user.iteration }}'\n        name: count\n";
    let came = run(&class(keys, "{ rate: 4/s, hold: 1s }")).against(answers(10, 200, ""));
    let want =
        ["GET /login", "GET /1/1/0", "GET /1/2/1", "GET /1/3/2", "GET /1/4/3", "GET /logout"];
    assert_eq!(came.lines(), want);
    // Its wait is not used, its first steps are due with the first arrival.
    assert_eq!(came.times(), [0, 10, 250, 500, 750, 1000]);
}

#[test]
fn classes_have_their_share_of_the_arrivals_by_weight() {
    let plan = "users:\n  A: { weight: 3, tasks: { a: { get: /a } } }\n  B: { tasks: { b: { get: /b } } }\nprofiles: { only: { rate: 8/s, hold: 1s } }\n";
    let came = run(plan).against(answers(1, 200, ""));
    let order: String = came.lines().iter().map(|line| &line[5..]).collect();
    assert_eq!(order, "abaaabaa", "as users are shared out");
}

#[test]
fn when_all_users_are_there_an_idle_one_of_another_class_makes_room() {
    let plan = "users:\n  A: { on_stop: { get: /a/end }, tasks: { a: { get: /a } } }\n  B: { tasks: { b: { get: /b } } }\nprofiles: { only: { rate: 2/s, hold: 2s, max_users: 1 } }\n";
    let came = run(plan).against(answers(10, 200, ""));
    let order: Vec<_> = came.lines().into_iter().zip(came.times()).collect();
    let order: Vec<_> = order.iter().map(|(line, at)| (&line[4..], *at)).collect();
    // The one of A is asked to leave when the arrival for B is due.
    assert_eq!(
        order,
        [("/a", 0), ("/a/end", 500), ("/b", 510), ("/a", 1000), ("/a/end", 1500), ("/b", 1510)]
    );
    assert_eq!(arrivals(&came), (4, 4, 0, 0));
}

#[test]
fn each_class_may_have_a_load_of_its_own() {
    let plan = "users:\n  A: { wait: 400ms, tasks: { a: { get: '/a/{{ user.id }}', name: a } } }\n  B: { tasks: { b: { get: /b } } }\n  C: { tasks: { c: { get: /c } } }\nprofiles:\n  only:\n    each:\n      A: { users: 2, hold: 1s }\n      B: { rate: 2/s, hold: 3s }\n";
    for workers in [1, 2, 3] {
        let came = Run { workers, ..run(plan) }.against(answers(100, 200, ""));
        let mut sent: Vec<_> = came.times().into_iter().zip(came.lines()).collect();
        sent.sort();
        let sent: Vec<_> = sent.iter().map(|(at, line)| (*at, &line[4..])).collect();
        assert_eq!(
            sent,
            [
                (0, "/a/1"),
                (0, "/a/3"),
                (0, "/b"),
                (500, "/a/1"),
                (500, "/a/3"),
                (500, "/b"),
                (1000, "/b"),
                (1500, "/b"),
                (2000, "/b"),
                (2500, "/b"),
            ],
            "{workers} workers"
        );
        assert_eq!(came.total.arrivals, 6);
        assert_eq!(came.after, MS(3000));
    }
}

#[test]
fn fewer_users_than_workers_do_all_arrivals() {
    let plan = "users:\n  A: { tasks: { a: { get: /a } } }\n  B: { wait: 1s, tasks: { b: { get: /b } } }\nprofiles:\n  only:\n    each:\n      A: { rate: 10/s, hold: 2s, max_users: 2 }\n      B: { users: 4, hold: 2s }\n";
    for workers in [1, 2, 4] {
        let came = Run { workers, ..run(plan) }.against(answers(10, 200, ""));
        let sent = came.lines().iter().filter(|line| line.ends_with("/a")).count();
        assert_eq!((sent, came.total.dropped), (20, 0), "{workers} workers");
    }
}

#[test]
fn a_class_that_comes_late_is_not_starved() {
    let plan = "users:\n  A: { weight: 9, tasks: { a: { get: /a } } }\n  B: { tasks: { b: { get: /b } } }\nprofiles: { only: { rate: 100/s, hold: 2s, max_users: 2 } }\n";
    let came = run(plan).against(answers(100, 200, ""));
    let of = |path: &str| came.lines().iter().filter(|line| line.ends_with(path)).count();
    // Twenty iterations of each user fit in, and each class has one of the two.
    assert!(of("/b") >= 15 && of("/a") >= 15, "{} of A, {} of B", of("/a"), of("/b"));
    arrivals(&came);
}

#[test]
fn what_was_never_begun_is_dropped_whatever_ended_its_user() {
    // The load ends while the first steps are under way.
    let keys = "on_start: { get: /login }\ntasks: { home: { get: / } }";
    let came = run(&class(keys, "{ rate: 10/s, hold: 1s }")).against(answers(2_000, 200, ""));
    assert_eq!((came.total.arrivals, came.total.dropped, came.total.iterations), (10, 10, 0));
    // Arrivals that are due just before an end without any grace.
    let plan = class(HOME, "{ rate: 1000/s, hold: 1s, grace: 0s, max_users: 2000 }");
    let came = run(&plan).against(answers(5_000, 200, ""));
    let begun = came.total.beat_late.count() + came.total.waited.count();
    assert_eq!((came.total.arrivals, begun + came.total.dropped), (1000, 1000));
    // Rows that are used up.
    let keys = "tasks: { home: { get: '/{{ few }}', name: home } }";
    let plan = class(keys, "{ rate: 10/s, hold: 1s, max_users: 1 }");
    let plan =
        format!("data: {{ few: {{ values: [1, 2, 3], per: iteration, at_end: stop }} }}\n{plan}");
    let came = run(&plan).against(answers(10, 200, ""));
    assert_eq!((came.sent.len(), came.total.arrivals, came.total.dropped), (3, 10, 7));
}

#[test]
fn iterations_end_an_open_run_with_the_last_of_them() {
    let plan = class(HOME, "{ rate: 10/s, hold: 10s, iterations: 5 }");
    for workers in [1, 2, 7] {
        let came = Run { workers, ..run(&plan) }.against(answers(30, 200, ""));
        assert_eq!((came.times(), came.after), (vec![0, 100, 200, 300, 400], MS(430)), "{workers}");
        assert_eq!(arrivals(&came), (5, 5, 0, 0));
    }
}

#[test]
fn who_could_not_start_drops_its_arrival_and_the_next_one_tries_anew() {
    let keys = "on_start: { get: /login }\ntasks: { home: { get: / } }";
    let plan = class(keys, "{ rate: 4/s, hold: 1s }");
    let script = |_: &[u8], number: u64| Reply::new(MS(10), Ok(if number < 2 { 503 } else { 200 }));
    let came = run(&plan).against(script);
    assert_eq!(came.lines(), ["GET /login", "GET /login", "GET /login", "GET /", "GET /"]);
    assert_eq!((came.total.not_started, came.total.dropped), (2, 2));
}

#[test]
fn a_plan_that_ends_its_user_gets_a_fresh_one_when_it_is_needed() {
    let keys = "tasks: { home: { steps: [ { get: '/{{ user.id }}', name: home }, { when: user.id == 1, stop: user } ] } }";
    let came = run(&class(keys, "{ rate: 4/s, hold: 1s }")).against(answers(10, 200, ""));
    assert_eq!(came.lines(), ["GET /1", "GET /2", "GET /2", "GET /2"]);
}

#[test]
fn a_stopped_run_drops_what_waits_and_cuts_what_is_under_way() {
    let plan = class(HOME, "{ rate: 10/s, hold: 60s, max_users: 2, grace: 1s }");
    let commands = vec![(MS(550), Command::Drain(StopReason::Interrupted))];
    let came = Run { commands, ..run(&plan) }.against(answers(5_000, 200, ""));
    assert_eq!(came.counts(), (2, 0, 0, 2));
    // Due up to 500 ms.
    assert_eq!((came.total.arrivals, came.total.dropped, came.after), (6, 4, MS(1550)));
}

#[test]
fn a_million_may_wait_and_more_are_dropped_at_once() {
    // Two seconds with 600,000 a second and one user that never comes back.
    let plan = class(HOME, "{ rate: 600000/s, hold: 2s, max_users: 1, grace: 0s }");
    let came = run(&plan).against(answers(60_000, 200, ""));
    assert_eq!((came.total.arrivals, came.total.dropped), (1_200_000, 1_199_999));
    assert_eq!(came.counts(), (1, 0, 0, 1));
}

#[test]
fn an_iteration_with_a_pace_is_due_on_its_beat() {
    let plan =
        class("wait: { pace: 250ms }\ntasks: { home: { get: / } }", "{ users: 1, hold: 1900ms }");
    let came = run(&plan).against(answers(100, 200, ""));
    assert_eq!(came.times(), (0..8).map(|n| n * 250).collect::<Vec<_>>());
    // The first begins with its user.
    assert_eq!((came.total.beat_late.count(), came.total.wake_late.count()), (7, 1));
}

const SOME: fn(u64, Steer) -> (Duration, Command) = |at, change| {
    // Told a moment before it holds, as a session does.
    (MS(at - 20), Command::Steer { at: MS(at), change })
};

/// Users alive at the end of each second.
fn alive(came: &Came, workers: usize) -> Vec<u64> {
    let mut alive = Vec::new();
    for second in &came.seconds {
        let at = second.from_s as usize;
        alive.resize(alive.len().max(at + 1), 0);
        alive[at] += second.user_seconds;
    }
    assert!(came.seconds.len() >= workers);
    alive
}

#[test]
fn users_can_be_changed_while_the_run_goes_on() {
    let plan = class(
        "wait: 100ms\ntasks: { who: { get: '/{{ user.id }}', name: who } }",
        "{ users: 4, ramp: 4s, hold: 4s }",
    );
    for workers in [1, 2, 3] {
        let commands = vec![
            SOME(2_100, Steer::Users { of: None, users: 10, over: MS(1000) }),
            SOME(5_500, Steer::Users { of: None, users: 2, over: MS(0) }),
        ];
        let came = Run { commands, workers, ..run(&plan) }.against(answers(10, 200, ""));
        assert_eq!(alive(&came, workers), [1, 2, 10, 10, 10, 2, 2, 2, 0], "{workers} workers");
        // Down to none is not the end, and more may come again.
        let commands = vec![
            SOME(1_500, Steer::Users { of: None, users: 0, over: MS(0) }),
            SOME(4_500, Steer::Users { of: None, users: 6, over: MS(0) }),
        ];
        let back = Run { commands, workers, ..run(&plan) }.against(answers(10, 200, ""));
        assert_eq!(alive(&back, workers), [1, 0, 0, 0, 6, 6, 6, 6, 0], "{workers} workers");
        let ids: std::collections::BTreeSet<String> = came.lines().into_iter().collect();
        assert_eq!(ids.len(), 10, "ids do not repeat: {ids:?}");
        assert_eq!(came.counts().3, 0);
        assert_eq!(came.after, MS(8000));
    }
}

#[test]
fn a_change_that_is_told_late_is_caught_up_with() {
    let plan =
        class("wait: 100ms\ntasks: { home: { get: / } }", "{ users: 6, ramp: 3s, hold: 2s }");
    // 1.5 s after it should have held.
    let change = Steer::Users { of: None, users: 1, over: MS(0) };
    let commands = vec![(MS(2_500), Command::Steer { at: MS(1_000), change })];
    let came = Run { commands, ..run(&plan) }.against(answers(10, 200, ""));
    assert_eq!(alive(&came, 1), [2, 4, 1, 1, 1, 0]);
    let change = Steer::Users { of: None, users: 5, over: MS(0) };
    let commands = vec![(MS(1_600), Command::Steer { at: MS(200), change })];
    let came = Run { commands, ..run(&plan) }.against(answers(10, 200, ""));
    assert_eq!(alive(&came, 1), [2, 5, 5, 5, 5, 0]);
}

#[test]
fn the_rate_can_be_changed_while_the_run_goes_on() {
    let plan = class(HOME, "{ rate: 10/s, hold: 4s }");
    for workers in [1, 3] {
        let commands = vec![
            SOME(1_000, Steer::Rate { of: None, rate: Rate::ZERO, over: MS(0) }),
            SOME(2_000, Steer::Rate { of: None, rate: Rate::per_second(20), over: MS(0) }),
            SOME(3_000, Steer::Rate { of: None, rate: Rate::per_second(40), over: MS(1000) }),
        ];
        let came = Run { commands, workers, ..run(&plan) }.against(answers(10, 200, ""));
        let within =
            |from: u128| came.times().iter().filter(|at| (from..from + 1000).contains(at)).count();
        assert_eq!([0, 1000, 2000, 3000].map(within), [10, 0, 20, 30], "{workers} workers");
    }
}

#[test]
fn a_pause_leaves_out_what_falls_due_in_it() {
    let commands = || vec![SOME(1_050, Steer::Pause), SOME(2_050, Steer::Resume)];
    let plan = class(HOME, "{ rate: 10/s, hold: 3s }");
    let open = Run { commands: commands(), ..run(&plan) }.against(answers(10, 200, ""));
    assert_eq!(arrivals(&open), (30, 20, 0, 10));
    assert!(open.times().iter().all(|at| !(1050..2050).contains(at)), "{:?}", open.times());
    let plan =
        class("wait: 100ms\ntasks: { home: { get: / } }", "{ users: 2, ramp: 2s, hold: 1s }");
    let closed = Run { commands: commands(), ..run(&plan) }.against(answers(10, 200, ""));
    assert!(closed.times().iter().all(|at| !(1050..2030).contains(at)), "{:?}", closed.times());
    assert!(closed.times().iter().any(|at| *at > 2500));
    // Who starts in it begins with what is due then.
    assert!(max(&closed.total.all_names().response_ok) <= 10.0);
    // What waits when it begins is left out as well.
    let plan = class(HOME, "{ rate: 10/s, hold: 3s, max_users: 1 }");
    let busy = Run { commands: vec![SOME(1_050, Steer::Pause)], ..run(&plan) };
    let busy = busy.against(answers(400, 200, ""));
    assert_eq!((busy.times(), arrivals(&busy)), (vec![0, 400, 800], (30, 3, 0, 27)));
    let plan =
        class("wait: 100ms\ntasks: { home: { get: / } }", "{ users: 2, ramp: 2s, hold: 1s }");
    // Who is held by a pause ends with the run all the same.
    let commands = vec![SOME(1_050, Steer::Pause)];
    let held = Run { commands, ..run(&plan) }.against(answers(10, 200, ""));
    assert_eq!((held.after, held.counts().3), (MS(3000), 0));
}
