//! The table of exit codes whole: each row a plan, a scripted target, the code, and what is said.

use throng::exit::TABLE;

use super::exit_row::{After, Row, Target, WELL, is_full, report_cannot_be_written, stored};
use super::support::answer;

/// All fail.
const ILL: Row = Row { target: Target::Answers(|_| Some(answer(500, ""))), ..WELL };

/// It cannot be run.
const MISTAKE: Row = Row { code: 2, ..WELL };

/// It goes on until it is told to end.
const LONG: Row = Row {
    profile: "{ users: 1, hold: 1h }",
    users: "{ U: { wait: 10ms, tasks: { home: { get: / } } } }",
    ..WELL
};

/// The second answer never comes.
const HANGS: Target = Target::Answers(|nth| {
    if nth > 0 {
        std::thread::park();
    }
    Some(answer(200, ""))
});

const TWO_SECONDS: &str = "{ users: 1, hold: 2s }";

const SLOWLY: &str = "{ U: { wait: 10ms, tasks: { home: { get: / } } } }";

/// A test for each row, and their codes.
macro_rules! rows {
    ($($name:ident: $row:expr,)*) => {
        $(#[test] fn $name() { $row.meet(); })*
        const CODES: &[u8] = &[$($row.code),*];
    };
}

#[test]
fn every_code_has_rows() {
    assert!(CODES.len() >= 40, "{}", CODES.len());
    for (_, code, _) in TABLE {
        assert!(CODES.iter().filter(|known| **known == code).count() >= 3, "{code}");
    }
}

rows! {
    // 0: ran to its end, every threshold held, the run is valid
    thresholds_held: Row {
        keys: "thresholds: [error_rate < 1%, max < 60s]",
        says: &["All 2 thresholds held: 5 requests, none failed."],
        ..WELL
    },
    without_thresholds: Row { says: &["No thresholds to judge: 5 requests, none failed."], ..WELL },
    without_thresholds_and_all_failed: Row {
        says: &["No thresholds to judge: 5 requests, 5 failed.", "status 500"],
        ..ILL
    },
    as_many_failures_as_are_allowed: Row {
        keys: "thresholds: [error_rate <= 40%, failures < 3]",
        target: Target::Answers(|nth| Some(answer(if nth < 2 { 500 } else { 200 }, ""))),
        says: &["All 2 thresholds held: 5 requests, 2 failed."],
        ..WELL
    },
    a_status_that_is_accepted: Row {
        users: "{ U: { tasks: { home: { get: /, accept: 404 } } } }",
        keys: "thresholds: [failures == 0]",
        target: Target::Answers(|_| Some(answer(404, ""))),
        ..WELL
    },
    a_request_that_was_sent_again: Row {
        users: "{ U: { tasks: { home: { get: /, retry: { status: 503, times: 1 } } } } }",
        keys: "thresholds: [failures == 0, retries == 5]",
        target: Target::Answers(|nth| Some(answer(if nth % 2 == 0 { 503 } else { 200 }, ""))),
        says: &["5 retries"],
        ..WELL
    },
    the_plan_ends_the_run: Row {
        users: "{ U: { tasks: { home: { steps: [ { get: / }, { stop: run } ] } } } }",
        keys: "thresholds: [failures == 0]",
        says: &["stopping: the plan ends the run (U › home, plan.yaml:1)", "The threshold held"],
        ..LONG
    },
    a_failure_ends_the_run: Row {
        users: "{ U: { tasks: { home: { get: /, on_fail: run } } } }",
        profile: "{ users: 1, hold: 1h }",
        says: &["stopping: the plan ends the run", "1 request, 1 failed"],
        ..ILL
    },
    exceptions_alone: Row {
        users: "{ U: { tasks: { home: { steps: [ { get: / }, { fail: out of stock } ] } } } }",
        keys: "thresholds: [failures == 0]",
        says: &["Mistakes met while running the plan", "5  fail: out of stock", "The threshold held"],
        ..WELL
    },
    a_baseline_that_was_not_given: Row {
        keys: "thresholds: [avg < baseline * 1.10, failures == 0]",
        says: &["not judged: there is no baseline", "The threshold held, 1 was not judged"],
        ..WELL
    },
    a_baseline_alone_that_was_not_given: Row {
        keys: "thresholds: [avg < baseline * 1.10]",
        says: &["No threshold was judged: 5 requests"],
        ..ILL
    },
    a_baseline_that_is_kept: Row {
        keys: "thresholds: [max < baseline + 60s]",
        options: "--baseline base --out out",
        before: |folder| stored(folder, "/"),
        says: &["✓ max < baseline + 60s", "The threshold held"],
        ..WELL
    },
    few_samples_that_are_allowed: Row {
        keys: "thresholds: { must: p99 < 60s, allow_few: true }",
        says: &["✓ p99 < 60s"],
        ..WELL
    },
    samples_enough: Row {
        profile: "{ users: 1, hold: 1h, iterations: 59 }",
        keys: "thresholds: [p95 < 60s]",
        says: &["The threshold held: 59 requests"],
        ..WELL
    },
    windows_that_hold: Row {
        users: SLOWLY,
        profile: TWO_SECONDS,
        keys: "thresholds: { must: failures == 0, every: 1s }",
        says: &["✓ failures == 0 in each 1s", "in 2 windows"],
        ..WELL
    },
    a_stage_that_holds: Row {
        users: SLOWLY,
        profile: "{ stages: [{ name: first, users: 1, hold: 1s }, { name: peak, users: 2, hold: 1s }] }",
        keys: "thresholds: { must: failures == 0, during: peak }",
        says: &["✓ failures == 0 during peak"],
        ..WELL
    },
    an_abort_that_does_not: Row {
        keys: "thresholds: { must: error_rate < 50%, abort: true }",
        says: &["✓ error_rate < 50%"],
        ..WELL
    },
    fail_on_error_without_one: Row { options: "--fail-on-error", ..WELL },
    the_end_of_a_profile: Row { users: SLOWLY, profile: "{ users: 1, hold: 500ms }", ..WELL },
    a_url_instead_of_a_plan: Row {
        line: "URL",
        options: "-u 1 -n 3",
        says: &["3 requests, none failed"],
        ..WELL
    },

    // 1: ran, and a threshold broke
    an_error_rate_broke: Row {
        keys: "thresholds: [error_rate < 1%]",
        says: &["✗ error_rate < 1%  100%  broke", "The threshold did not hold: 5 requests, 5 failed."],
        ..BROKE
    },
    failures_broke: Row {
        keys: "thresholds: [failures < 5]",
        says: &["✗ failures < 5  5  broke"],
        ..BROKE
    },
    requests_broke: Row {
        keys: "thresholds: [requests > 5]",
        says: &["✗ requests > 5  5  broke"],
        ..BROKE
    },
    a_rate_broke: Row {
        keys: "thresholds: [rps > 900000]",
        says: &["✗ rps > 900000/s", "  broke"],
        ..BROKE
    },
    retries_broke: Row {
        users: "{ U: { tasks: { home: { get: /, retry: { status: 500, times: 2 } } } } }",
        keys: "thresholds: [retries < 10]",
        says: &["✗ retries < 10  10  broke"],
        ..BROKE
    },
    a_percentile_broke_by_few: Row {
        keys: "thresholds: [p95 > 1h]",
        says: &["✗ p95 > 1h", "  broke"],
        ..BROKE
    },
    a_mean_broke: Row { keys: "thresholds: [avg > 1h]", says: &["✗ avg > 1h", "  broke"], ..BROKE },
    the_longest_broke: Row { keys: "thresholds: [max > 1h]", says: &["✗ max > 1h", "  broke"], ..BROKE },
    the_shortest_broke: Row { keys: "thresholds: [min > 1h]", says: &["✗ min > 1h", "  broke"], ..BROKE },
    a_time_within_broke: Row {
        keys: "thresholds: [service.avg > 1h, connect.max > 1h, ttfb.min > 1h]",
        says: &["✗ service.avg > 1h", "✗ connect.max > 1h", "✗ ttfb.min > 1h", "3 of 3 thresholds did not hold"],
        ..BROKE
    },
    no_success_to_take_the_time_of: Row {
        keys: "thresholds: [ok.avg < 1h]",
        says: &["✗ ok.avg < 1h  no data  not a pass"],
        ..BROKE
    },
    one_of_several_broke: Row {
        keys: "thresholds: [failures < 6, requests == 5, error_rate < 99%]",
        says: &["1 of 3 thresholds did not hold"],
        ..BROKE
    },
    of_a_name: Row {
        keys: "thresholds: { of: GET /, must: failures == 0 }",
        says: &["✗ failures == 0 of GET /  5  broke"],
        ..BROKE
    },
    of_a_class: Row {
        keys: "thresholds: { of: U, must: failures == 0 }",
        says: &["✗ failures == 0 of class U  5  broke"],
        ..BROKE
    },
    of_a_tag: Row {
        users: "{ U: { tasks: { home: { get: /, tags: [front] } } } }",
        keys: "thresholds: { of: front, must: failures == 0 }",
        says: &["✗ failures == 0 of tag front  5  broke"],
        ..BROKE
    },
    of_a_group: Row {
        users: "{ U: { tasks: { home: { steps: [ { group: visit, do: { get: / } } ] } } } }",
        keys: "thresholds: { of: visit, must: failures == 0 }",
        says: &["✗ failures == 0 of group visit  5  broke"],
        ..BROKE
    },
    no_data_of_a_name: Row {
        code: 1,
        keys: "thresholds: { of: /away, must: avg < 500ms }",
        says: &["✗ avg < 500ms of /away  no data  not a pass"],
        ..WELL
    },
    no_data_for_a_limit_from_above: Row {
        code: 1,
        keys: "thresholds: { of: /away, must: [rps < 9, failures == 0, requests <= 9] }",
        says: &["✗ rps < 9/s of /away", "✗ failures == 0 of /away", "✗ requests <= 9 of /away", "not a pass"],
        ..WELL
    },
    no_arrivals: Row {
        code: 1,
        keys: "thresholds: [dropped == 0]",
        says: &["✗ dropped == 0  no arrivals  not a pass"],
        ..WELL
    },
    too_few_samples: Row {
        code: 1,
        keys: "thresholds: [p95 < 60s]",
        says: &["cannot say: 5 of the 59 samples that it takes"],
        ..WELL
    },
    too_few_samples_for_a_higher_percentile: Row {
        code: 1,
        profile: "{ users: 1, hold: 1h, iterations: 60 }",
        keys: "thresholds: [p95 < 60s, p99 < 60s]",
        says: &["cannot say: 60 of the 299 samples that it takes", "1 of 2 thresholds did not hold"],
        ..WELL
    },
    a_baseline_is_not_kept: Row {
        keys: "thresholds: [min > baseline + 60s]",
        options: "--baseline base --out out",
        before: |folder| stored(folder, "/"),
        says: &["✗ min > baseline + 60s", "  broke"],
        ..BROKE
    },
    a_baseline_without_that_name: Row {
        keys: "thresholds: { of: /, must: avg < baseline * 9 }",
        options: "--baseline base --out out",
        before: |folder| stored(folder, "/other"),
        says: &["✗ avg < baseline * 9 of /", "no data in the baseline, not a pass"],
        ..BROKE
    },
    a_baseline_that_is_too_short_to_compare: Row {
        code: 1,
        keys: "thresholds: [p95 < baseline + 60s]",
        options: "--baseline base --out out",
        before: |folder| stored(folder, "/"),
        says: &["✗ p95 < baseline + 60s", "cannot say"],
        ..WELL
    },
    a_window_broke: Row {
        users: SLOWLY,
        profile: TWO_SECONDS,
        keys: "thresholds: { must: failures == 0, every: 1s }",
        says: &["✗ failures == 0 in each 1s", "  broke  in 2 of 2 windows, worst "],
        ..BROKE
    },
    a_window_without_data: Row {
        code: 1,
        users: "{ U: { wait: 1h, tasks: { home: { get: / } } } }",
        profile: "{ users: 1, hold: 3s }",
        keys: "thresholds: { must: failures == 0, every: 1s, after: 2s }",
        says: &["✗ failures == 0 in each 1s, after 2s  no data  not a pass  2s to 3s"],
        ..WELL
    },
    no_window_is_whole: Row {
        code: 1,
        users: SLOWLY,
        profile: TWO_SECONDS,
        keys: "thresholds: { must: failures == 0, every: 3s }",
        says: &["is over before", "no data  not a pass  no window was whole"],
        ..WELL
    },
    a_window_with_too_few_samples: Row {
        code: 1,
        users: "{ U: { wait: 400ms, tasks: { home: { get: / } } } }",
        profile: TWO_SECONDS,
        keys: "thresholds: { must: p95 < 60s, every: 1s }",
        says: &["cannot say: ", " of the 59 samples that it takes", "in 2 of 2 windows"],
        ..WELL
    },
    a_stage_broke: Row {
        users: SLOWLY,
        profile: "{ stages: [{ name: first, users: 1, hold: 1s }, { name: peak, users: 2, hold: 1s }] }",
        keys: "thresholds: { must: failures == 0, during: peak }",
        says: &["✗ failures == 0 during peak"],
        ..BROKE
    },
    a_stage_that_the_run_has_not: Row {
        code: 1,
        users: SLOWLY,
        profile: "{ stages: [{ name: peak, users: 1, hold: 1s }] }",
        keys: "thresholds: { must: error_rate < 1%, during: peak }",
        options: "-u 1 -t 1s",
        says: &["this run has no stage `peak`", "✗ error_rate < 1% during peak  no data  not a pass"],
        ..WELL
    },
    a_threshold_ends_the_run: Row {
        users: SLOWLY,
        profile: "{ users: 1, hold: 1h }",
        keys: "thresholds: { must: error_rate < 20%, abort: true }",
        says: &[
            "stopping: `error_rate < 20%` broke, which ends the run",
            "The threshold did not hold, which ended the run",
            "0s to 1s, and ended the run",
        ],
        ..BROKE
    },
    a_window_ends_the_run: Row {
        users: SLOWLY,
        profile: "{ users: 1, hold: 1h }",
        keys: "thresholds: { must: failures == 0, every: 2s, abort: true }",
        says: &["0s to 2s, and ended the run"],
        ..BROKE
    },
    a_target_that_answers_no_more_ends_the_run: Row {
        code: 1,
        users: "{ U: { tasks: { home: { get: /, timeout: 1h } } } }",
        profile: "{ users: 1, hold: 1h }",
        keys: "thresholds: { must: max < 1h, every: 1s, after: 1s, abort: true }",
        options: "--stop-timeout 10ms",
        target: HANGS,
        says: &["no data  not a pass", "and ended the run", "1 request was cut at the end"],
        ..WELL
    },
    the_plan_ends_the_run_and_a_threshold_broke: Row {
        users: "{ U: { tasks: { home: { steps: [ { get: / }, { stop: run } ] } } } }",
        keys: "thresholds: [failures == 0]",
        says: &["the plan ends the run", "The threshold did not hold"],
        ..BROKE
    },
    fail_on_error_with_one: Row {
        code: 1,
        options: "--fail-on-error",
        target: Target::Answers(|nth| Some(answer(if nth == 2 { 500 } else { 200 }, ""))),
        says: &["No thresholds to judge: 5 requests, 1 failed"],
        ..WELL
    },
    fail_on_error_and_thresholds_that_hold: Row {
        keys: "thresholds: [error_rate <= 100%]",
        options: "--fail-on-error",
        says: &["The threshold held: 5 requests, 5 failed"],
        ..BROKE
    },
    fail_on_error_when_no_request_ended: Row {
        code: 1,
        users: "{ U: { tasks: { home: { get: /, timeout: 1h } } } }",
        profile: "{ users: 1, hold: 100ms }",
        options: "--fail-on-error --stop-timeout 10ms",
        target: Target::Answers(|_| { std::thread::park(); None }),
        says: &["The run shows nothing: no request ended."],
        ..WELL
    },

    // 2: the plan or the command line is wrong; nothing was sent
    a_mistake_in_the_plan: Row {
        keys: "thresholds: [p95 < 500]",
        says: &["`p95 < 500` lacks its unit", "write `p95 < 500ms`"],
        ..MISTAKE
    },
    a_plan_that_cannot_be_read: Row { plan: Some("users: [\n"), says: &["this `[` is never closed"], ..MISTAKE },
    an_empty_plan: Row { plan: Some(""), says: &["the plan is empty"], ..MISTAKE },
    a_plan_that_is_not_there: Row { line: "plam.yaml", says: &["plam.yaml"], ..MISTAKE },
    no_plan_is_named: Row { line: "", says: &["<PLAN|URL>"], ..MISTAKE },
    an_unknown_option: Row { options: "--userz 3", says: &["--userz", "--users"], ..MISTAKE },
    an_option_without_sense: Row { options: "-t soon", says: &["soon"], ..MISTAKE },
    an_option_of_the_environment_without_sense: Row {
        variables: &[("THRONG_USERS", "many")],
        says: &["many"],
        ..MISTAKE
    },
    an_unknown_profile: Row {
        options: "--profile onyl",
        says: &["the plan has no profile `onyl`", "did you mean `only`?"],
        ..MISTAKE
    },
    an_unknown_class: Row { line: "plan.yaml V", says: &["the plan has no user class `V`"], ..MISTAKE },
    an_unknown_tag: Row { options: "--tags fast", says: &["nothing in the plan has the tag `fast`"], ..MISTAKE },
    an_unknown_environment: Row { options: "--env staging", says: &["staging"], ..MISTAKE },
    an_unknown_variable: Row { options: "--set projekt=7", says: &["projekt"], ..MISTAKE },
    a_baseline_that_is_not_there: Row {
        keys: "thresholds: [p95 < baseline * 1.10]",
        options: "--baseline gone",
        says: &["gone"],
        ..MISTAKE
    },
    an_unknown_stage: Row {
        keys: "thresholds: { must: p95 < 1s, during: peak }",
        says: &["no profile has a stage `peak`"],
        ..MISTAKE
    },
    nobody_says_how_many: Row {
        plan: Some("users: { U: { tasks: { home: { get: / } } } }"),
        says: &["nothing says how many users there are"],
        ..MISTAKE
    },
    nobody_says_how_long: Row {
        plan: Some("users: { U: { tasks: { home: { get: / } } } }"),
        options: "-u 1",
        says: &["nothing says how long the run is"],
        ..MISTAKE
    },
    nobody_says_where: Row { target: Target::None, says: &["no target", "`--target URL`"], ..MISTAKE },
    a_target_that_is_no_url: Row { target: Target::Url("ftp://shop.test"), says: &["ftp"], ..MISTAKE },
    a_variable_without_value: Row {
        users: "{ U: { tasks: { home: { get: \"/{{ env.THRONG_NO_SUCH }}\", name: home } } } }",
        says: &["THRONG_NO_SUCH"],
        ..MISTAKE
    },
    data_that_is_not_there: Row {
        keys: "data: { people: { file: people.csv } }",
        says: &["people.csv"],
        ..MISTAKE
    },
    more_users_than_rows: Row {
        users: "{ U: { tasks: { home: { get: \"/{{ people.name }}\", name: home } } } }",
        profile: "{ users: 3, hold: 1h }",
        keys: "data: { people: { values: [{ name: ann }], per: user, at_end: stop } }",
        says: &["`people` has 1 row"],
        ..MISTAKE
    },
    a_warm_up_as_long_as_the_run: Row {
        keys: "warmup: 5s",
        options: "-t 5s",
        says: &["the warm-up of 5s is as long as the run"],
        ..MISTAKE
    },
    results_that_cannot_be_written: Row {
        options: "--out taken/here",
        before: |folder| { folder.file("taken", ""); },
        says: &["the results cannot be written to `taken/here`"],
        ..MISTAKE
    },
    too_few_descriptors: Row {
        options: "-u 500 -t 1s --workers 2",
        shell: "ulimit -n 200",
        says: &["500 users need 572 file descriptors, and this process may have 200"],
        ..MISTAKE
    },
    a_disk_that_is_full_before_the_run: Row {
        options: "--out out",
        before: |folder| is_full(folder, "record.jsonl.gz"),
        says: &["the results cannot be written to `out/record.jsonl.gz`: the disk is full"],
        ..MISTAKE
    },
    // Whatever the target would be.
    a_mistake_and_no_target: Row {
        keys: "thresholds: [p95 < 500]",
        target: Target::Nothing,
        says: &["lacks its unit"],
        ..MISTAKE
    },

    // 3: the run cannot be trusted, or results could not be written. What the machine does to a run is
    // in `src/session/health_tests.rs`, where a script stands in for it.
    a_report_that_cannot_be_written: Row {
        before: report_cannot_be_written,
        says: &["error: could not write out/report.html: ", "Aggregated"],
        ..UNTRUSTED
    },
    a_full_stdout: Row {
        full: true,
        says: &["could not write the summary on stdout"],
        ..UNTRUSTED
    },
    a_disk_that_fills_while_running: Row {
        shell: "trap '' XFSZ; ulimit -f 1",
        says: &["error: could not write out/record.jsonl.gz: ", "Aggregated"],
        ..UNTRUSTED
    },
    a_disk_that_fills_at_the_end: Row {
        shell: "trap '' XFSZ; ulimit -f 24",
        says: &["error: could not write out/report.html: ", "Aggregated"],
        ..UNTRUSTED
    },
    no_descriptors_left_while_running: Row {
        // Hosts that are met while running are not counted before.
        users: "{ U: { tasks: { all: { steps: [ { repeat: 100, do: { get: \"http://h{{ counter('n') }}.localhost:PORT/\", name: any } } ] } } } }",
        shell: "ulimit -n 80",
        options: "--workers 1 --out out",
        says: &["INVALID", "no file descriptors left"],
        ..UNTRUSTED
    },

    // 4: nothing could be run
    a_target_that_refuses: Row {
        target: Target::Nothing,
        says: &["was never reached: connect refused", "nothing was sent"],
        ..UNREACHED
    },
    a_target_whose_name_nobody_knows: Row {
        target: Target::Url("http://no-such-host.invalid"),
        says: &["the name does not exist"],
        ..UNREACHED
    },
    a_target_that_never_speaks_tls: Row { target: Target::Secured, says: &["was never reached: tls"], ..UNREACHED },
    a_socket_that_is_not_there: Row {
        target: Target::Url("http://shop.test"),
        keys: "hosts: { shop.test: \"unix:/no/such.sock\" }",
        says: &["was never reached"],
        ..UNREACHED
    },
    a_target_that_was_waited_for: Row {
        target: Target::Nothing,
        options: "--wait-for 300ms",
        says: &["was never reached"],
        ..UNREACHED
    },
    before_failed: Row {
        keys: "before: [{ get: /health, accept: 204 }]",
        says: &["`before`", "no user was started"],
        ..UNREACHED
    },
    before_gave_up: Row {
        keys: "before: [{ fail: not today }]",
        says: &["not today", "no user was started"],
        ..UNREACHED
    },

    // 130 and 143: ended by a signal before its end; results up to there are complete
    interrupted: Row {
        code: 130,
        options: "--out out",
        signals: &[("-INT", After::Asked(3))],
        says: &["Stopped before its end"],
        ..LONG
    },
    interrupted_twice: Row {
        code: 130,
        options: "--out out",
        target: HANGS,
        signals: &[("-INT", After::Asked(2)), ("-INT", After::Said("again to cut"))],
        says: &["1 request was cut at the end"],
        ..LONG
    },
    interrupted_while_waiting_for_the_target: Row {
        code: 130,
        target: Target::Nothing,
        options: "--wait-for 1h",
        signals: &[("-INT", After::Said("waiting"))],
        says: &["nothing was sent"],
        ..LONG
    },
    interrupted_in_before: Row {
        code: 130,
        keys: "before: [{ get: /health, timeout: 1h }]",
        target: Target::Answers(|_| { std::thread::park(); None }),
        signals: &[("-INT", After::Asked(1))],
        says: &["stopped in `before`: no user was started"],
        ..LONG
    },
    terminated: Row {
        code: 143,
        options: "--out out",
        signals: &[("-TERM", After::Asked(3))],
        says: &["Stopped before its end"],
        ..LONG
    },
    terminated_twice: Row {
        code: 143,
        options: "--out out",
        target: HANGS,
        signals: &[("-TERM", After::Asked(2)), ("-TERM", After::Said("again to cut"))],
        says: &["1 request was cut at the end"],
        ..LONG
    },
    terminated_in_before: Row {
        code: 143,
        keys: "before: [{ get: /health, timeout: 1h }]",
        target: Target::Answers(|_| { std::thread::park(); None }),
        signals: &[("-TERM", After::Asked(1))],
        says: &["stopped in `before`: no user was started"],
        ..LONG
    },

    // When several apply: a signal, then 4, then 3, then 1.
    a_signal_before_a_broken_threshold: Row {
        code: 130,
        keys: "thresholds: [failures == 0]",
        options: "--out out",
        target: Target::Answers(|_| Some(answer(500, ""))),
        signals: &[("-INT", After::Asked(3))],
        says: &["✗ failures == 0", "Stopped before its end"],
        ..LONG
    },
    a_signal_before_results_that_cannot_be_written: Row {
        code: 143,
        options: "--out out",
        before: report_cannot_be_written,
        signals: &[("-TERM", After::Asked(3))],
        says: &["error: could not write out/report.html: "],
        ..LONG
    },
    a_signal_before_a_threshold_that_ends_the_run: Row {
        code: 130,
        users: "{ U: { tasks: { home: { get: /, timeout: 1h } } } }",
        keys: "thresholds: { must: failures == 0, abort: true }",
        // The first request fails, the others never end.
        target: Target::Answers(|nth| {
            if nth > 0 {
                std::thread::park();
            }
            Some(answer(500, ""))
        }),
        signals: &[
            ("-INT", After::Said("`failures == 0` broke")),
            ("-INT", After::Said("what is under way may finish")),
        ],
        ..LONG
    },
    a_target_that_refuses_before_thresholds: Row {
        target: Target::Nothing,
        keys: "thresholds: [requests > 0]",
        options: "--fail-on-error",
        ..UNREACHED
    },
    a_failed_before_over_what_cannot_be_written: Row {
        keys: "before: [{ get: /health, accept: 204 }]\nthresholds: [requests > 0]",
        options: "--out out",
        before: report_cannot_be_written,
        ..UNREACHED
    },
    results_that_cannot_be_written_over_a_broken_threshold: Row {
        keys: "thresholds: [failures == 0]",
        before: report_cannot_be_written,
        target: Target::Answers(|_| Some(answer(500, ""))),
        says: &["✗ failures == 0", "error: could not write out/report.html: "],
        ..UNTRUSTED
    },
    a_full_stdout_over_a_failed_request: Row {
        full: true,
        options: "--fail-on-error",
        target: Target::Answers(|_| Some(answer(500, ""))),
        ..UNTRUSTED
    },
}

/// A threshold breaks.
const BROKE: Row = Row { code: 1, options: "--out out", ..ILL };

const UNTRUSTED: Row = Row { code: 3, options: "--out out", ..WELL };

const UNREACHED: Row = Row { code: 4, ..WELL };
