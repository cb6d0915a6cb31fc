//! Holds the diagnosis against recorded runs whose cause is known: see `tests/causes/make.sh`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A finding as `summary.json` has it.
#[derive(Debug)]
struct Told {
    rule: String,
    /// Rules that it explains.
    also: Vec<String>,
    sentence: String,
    advice: String,
    figures: serde_json::Value,
    place: serde_json::Value,
}

fn causes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causes")
}

/// What is found in a recorded run, when its results are made again.
fn found(name: &str) -> Vec<Told> {
    let folder = tempfile::tempdir().unwrap();
    let record = causes().join(format!("{name}.jsonl.gz"));
    let said = Command::new(env!("CARGO_BIN_EXE_throng"))
        .current_dir(folder.path())
        .args(["report".as_ref(), record.as_os_str()])
        .args(["--out", "again", "--no-report", "--quiet"])
        .stdin(Stdio::null())
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    let summary = fs::read_to_string(folder.path().join("again/summary.json"))
        .unwrap_or_else(|error| panic!("{name}: {error}: {said:?}"));
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let findings = summary["findings"].as_array().expect("a summary has `findings`");
    let text = |finding: &serde_json::Value, key| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|finding| Told {
            rule: text(finding, "rule"),
            also: serde_json::from_value(finding["also"].clone()).unwrap(),
            sentence: text(finding, "sentence"),
            advice: text(finding, "advice"),
            figures: finding["figures"].clone(),
            place: finding["where"].clone(),
        })
        .collect()
}

/// A target that serves no more from some load on: from there on answers wait in it.
const FULL: &str = "knee of flat_throughput, slow_first_byte";

/// What is found must be this and nothing else, the most important first: a rule, or a rule and those that it
/// explains (as FULL).
fn told(name: &str, known: &[&str]) -> Vec<Told> {
    let found = found(name);
    let rules = || found.iter().flat_map(|told| [&told.rule].into_iter().chain(&told.also));
    let once = BTreeSet::from_iter(rules());
    assert_eq!(once.len(), rules().count(), "{name}: told twice, {found:#?}");
    let said = |told: &Told| match &told.also[..] {
        [] => told.rule.clone(),
        also => format!("{} of {}", told.rule, also.join(", ")),
    };
    let all: Vec<String> = found.iter().map(said).collect();
    assert_eq!(all, known, "{name}: {found:#?}");
    for told in &found {
        assert!(told.sentence.contains(' '), "{name}: {told:?}");
    }
    assert!(found.len() <= 6, "{name}: a few findings are read, {found:#?}");
    found
}

/// The finding of that rule.
fn of<'a>(found: &'a [Told], rule: &str) -> &'a Told {
    found.iter().find(|told| told.rule == rule).unwrap_or_else(|| panic!("no {rule} in {found:#?}"))
}

/// The value is off by so large a share at most.
fn near(value: f64, known: f64, share: f64) {
    assert!((value / known - 1.0).abs() <= share, "{value}, where {known} is known");
}

/// The place is known as well as that.
fn within(value: f64, known: RangeInclusive<f64>) {
    assert!(known.contains(&value), "{value}, where {known:?} is known");
}

fn figure(told: &Told, key: &str) -> f64 {
    told.figures[key].as_f64().unwrap_or_else(|| panic!("no {key} in {told:#?}"))
}

/// Nothing is found.
fn nothing(name: &str) {
    told(name, &[]);
}

#[test]
fn a_target_with_room_gets_no_finding() {
    nothing("healthy_constant");
}

#[test]
fn times_that_vary_get_no_finding() {
    nothing("healthy_jitter");
}

#[test]
fn a_ramp_for_which_there_is_room_gets_no_finding() {
    nothing("healthy_ramp");
}

#[test]
fn stairs_for_which_there_is_room_get_no_finding() {
    nothing("healthy_stairs");
}

#[test]
fn a_spike_for_which_there_is_room_gets_no_finding() {
    nothing("healthy_spike");
}

#[test]
fn a_soak_that_stays_as_it_is_gets_no_finding() {
    nothing("healthy_soak");
}

#[test]
fn random_arrivals_for_which_there_is_room_get_no_finding() {
    nothing("healthy_arrivals");
}

#[test]
fn names_that_take_their_own_short_time_get_no_finding() {
    nothing("healthy_names");
}

#[test]
fn large_answers_that_come_fast_get_no_finding() {
    nothing("healthy_bodies");
}

#[test]
fn quick_handshakes_get_no_finding() {
    nothing("healthy_tls");
}

#[test]
fn a_slow_warm_up_that_is_left_out_gets_no_finding() {
    nothing("healthy_after_warm_up");
}

#[test]
fn the_knee_of_a_ramp_is_found() {
    let found = told("knee_ramp", &[FULL]);
    within(figure(of(&found, "knee"), "load_knee"), 20.0..=28.0);
}

#[test]
fn the_knee_of_stairs_is_found() {
    let found = told("knee_stairs", &[FULL]);
    within(figure(of(&found, "knee"), "load_knee"), 20.0..=28.0);
    near(figure(of(&found, "knee"), "throughput_per_s"), 20.0, 0.05);
}

#[test]
fn contention_is_told_as_a_capacity() {
    // More users were served more to the last, so throughput is not flat.
    let found = told("contention", &["knee of slow_first_byte", "capacity"]);
    let capacity = of(&found, "capacity");
    assert_eq!((figure(capacity, "load_stable"), figure(capacity, "load_top")), (20.0, 100.0));
    near(figure(capacity, "usl_alpha"), 0.04, 0.25);
    near(figure(capacity, "usl_gamma_per_s"), 1.2, 0.1);
    assert!(figure(capacity, "usl_beta") < 0.0001, "{capacity:?}");
    let knee = of(&found, "knee");
    assert!(knee.sentence.contains(", evenly from the one to the other"), "{knee:?}");
    assert!(knee.figures["load_knee"].is_null(), "{knee:?}");
    assert_eq!(
        capacity.sentence,
        "20 users on one server answer within twice the time of 5 users (95th percentile 1.94s); 100 need about 5, at 4% contention"
    );
}

#[test]
fn throughput_that_falls_with_more_users_is_told_as_a_capacity() {
    let found = told("retrograde", &[FULL, "capacity"]);
    let capacity = of(&found, "capacity");
    assert_eq!((figure(capacity, "load_stable"), figure(capacity, "load_top")), (16.0, 64.0));
    near(figure(capacity, "usl_beta"), 0.002, 0.25);
    near(figure(capacity, "usl_peak_requests_under_way"), 22.0, 0.15);
    assert!((figure(capacity, "usl_alpha") - 0.04).abs() < 0.02, "{capacity:?}");
    // The two say the same: what is beyond the knee is not called stable, and throughput falls in both.
    assert_eq!(
        capacity.sentence,
        "16 users on one server answer within twice the time of 4 users (95th percentile 1.44s); 64 need about 4, at 3% contention; with more than about 21 requests under way at once it serves less, not more"
    );
    assert_eq!(
        of(&found, "knee").sentence,
        "The median response grew from 538ms at 4 users to 5.46s at 64, while throughput rose to 16/s and fell again, to 11/s: the target serves at most about 16/s, and reaches that between 8 and 16 users"
    );
    // With 8 users it serves 12/s. Its link leads to the level of 16.
    within(figure(of(&found, "knee"), "load_knee"), 12.0..=22.0);
    within(figure(of(&found, "knee"), "load_knee_above"), 7.0..=12.0);
    assert_eq!(of(&found, "knee").place["from_s"], 37);
}

#[test]
fn throughput_that_is_flat_from_the_first_step_on_is_found() {
    let found = told("flat_throughput", &["flat_throughput of slow_first_byte"]);
    let flat = of(&found, "flat_throughput");
    assert_eq!(figure(flat, "load_knee"), 30.0);
    near(figure(flat, "throughput_per_s"), 20.0, 0.05);
}

#[test]
fn arrivals_that_climb_past_the_capacity_are_the_targets_limit() {
    let found = told("open_climb", &[FULL]);
    within(figure(of(&found, "knee"), "load_knee"), 14.5..=17.5);
    near(figure(of(&found, "knee"), "throughput_per_s"), 16.0, 0.05);
}

#[test]
fn arrivals_that_wait_for_users_of_a_slow_target_are_not_the_generators_limit() {
    let found = told("open_full", &["flat_throughput of slow_first_byte"]);
    let full = of(&found, "flat_throughput");
    near(figure(full, "throughput_per_s"), 10.0, 0.05);
    assert_eq!((figure(full, "arrivals_per_s"), figure(full, "users")), (15.0, 15.0));
    assert_eq!(figure(full, "dropped"), 247.0);
}

#[test]
fn one_slow_name_is_found_at_any_load() {
    let found = told("one_name_slow", &["one_name_slow of slow_first_byte"]);
    let place = &of(&found, "one_name_slow").place;
    assert_eq!((&place["method"], &place["name"]), (&"GET".into(), &"/search".into()));
}

#[test]
fn a_name_that_gets_slow_alone_is_found() {
    let found = told("one_name_slow_at_load", &["one_name_slow of slow_first_byte"]);
    assert_eq!(of(&found, "one_name_slow").place["name"], "/search");
}

#[test]
fn connections_that_are_accepted_too_slowly_are_found() {
    let found = told("slow_connect", &["slow_connect"]);
    assert_eq!(
        of(&found, "slow_connect").sentence,
        "Opening connections takes 978ms a request in the mean, 90.1% of the response time: 475 connections were opened for 475 requests, half of them in 0.95ms, some in 4.10s: a full backlog of new connections makes clients ask again after 1s"
    );
}

#[test]
fn names_that_are_looked_up_slowly_are_found() {
    told("slow_lookup", &["slow_connect"]);
}

#[test]
fn slow_handshakes_are_found() {
    told("slow_tls", &["slow_tls"]);
}

#[test]
fn answers_that_begin_late_are_found() {
    told("slow_first_byte", &["slow_first_byte"]);
}

#[test]
fn large_answers_that_share_a_line_are_found() {
    // The full line is why answers take longer with load.
    told("slow_body", &["slow_body of knee"]);
}

#[test]
fn errors_that_set_in_with_the_load_are_found() {
    // Above 15 under way it refuses, which happens from 16 users on; at twice as many most are.
    let found = told("errors_at_load", &["errors_at_load of slow_first_byte"]);
    let errors = of(&found, "errors_at_load");
    within(figure(errors, "load_held"), 10.0..=15.0);
    within(figure(errors, "load_errors"), 15.0..=19.0);
    within(figure(errors, "load_errors_many"), 20.0..=30.0);
    assert_eq!(errors.place["from_s"], 15);
    assert_eq!(
        errors.sentence,
        "Errors set in at about 16 users: from there on 8.37% of the requests failed, and from 26 users on 56.5%, mostly \"status 503\"; none below 16"
    );
}

#[test]
fn errors_at_any_load_are_not_blamed_on_it() {
    let found = told("errors_at_any_load", &["errors_throughout"]);
    assert_eq!(
        of(&found, "errors_throughout").sentence,
        "6% of the requests failed from the beginning to the end, mostly \"status 500\""
    );
}

#[test]
fn timeouts_that_set_in_with_the_load_are_found() {
    let found = told("timeouts_at_load", &["errors_at_load of errors_since", FULL]);
    // Its link leads to 41s, when there were so many.
    let errors = of(&found, "errors_at_load");
    assert_eq!(errors.place["from_s"], 41);
    assert!(errors.sentence.starts_with("Errors set in at about 48 users: "), "{errors:?}");
    within(figure(errors, "load_held"), 40.0..=48.0);
    within(figure(errors, "load_errors"), 46.0..=52.0);
    // What clients have given up is not served.
    let knee = of(&found, "knee");
    within(figure(knee, "load_knee"), 20.0..=28.0);
    near(figure(knee, "throughput_per_s"), 20.0, 0.1);
    assert_eq!(
        knee.sentence,
        "The median response grew from 202ms at 5 users to 1.18s at 45, while throughput stayed at about 20/s: the target serves about 20/s, from about 24 users on"
    );
}

#[test]
fn a_response_time_that_drifts_is_found() {
    told("drift", &["drift of slow_first_byte"]);
}

#[test]
fn stalls_with_a_period_are_found() {
    let found = told("periodic_stalls", &["periodic_stalls"]);
    near(figure(of(&found, "periodic_stalls"), "period_s"), 10.0, 0.05);
}

#[test]
fn one_stall_has_no_period() {
    nothing("single_stall");
}

#[test]
fn irregular_stalls_have_no_period() {
    nothing("irregular_stalls");
}

#[test]
fn too_few_samples_are_told() {
    told("too_few_samples", &["too_few_samples"]);
}

#[test]
fn a_target_that_ends_part_way_is_not_blamed_on_the_load() {
    let found = told("refused_part_way", &["errors_since"]);
    near(figure(of(&found, "errors_since"), "since_s"), 30.0, 0.1);
}

#[test]
fn a_generator_that_could_not_keep_up_is_all_that_is_told() {
    let found = told("generator_costly", &["generator_limit"]);
    let limit = of(&found, "generator_limit");
    assert!(limit.sentence.ends_with("; a worker stood still for 4.1s, and its users with it"));
    assert!(limit.advice.starts_with("give it more `--workers`, run fewer users"), "{limit:?}");
}

#[test]
fn arrivals_that_a_generator_began_late_are_all_that_is_told() {
    let found = told("generator_arrivals", &["generator_limit"]);
    let limit = of(&found, "generator_limit");
    assert!(limit.sentence.ends_with(", more than 20% of the median response of 26.4s"));
    assert!(limit.advice.starts_with("give it more `--workers`, run fewer users"), "{limit:?}");
}

#[test]
fn a_generator_that_was_suspended_is_all_that_is_told() {
    let found = told("generator_suspended", &["generator_limit"]);
    let limit = of(&found, "generator_limit");
    assert!(limit.sentence.contains(": the process was suspended for 17.6s: "), "{limit:?}");
    assert!(limit.sentence.ends_with(" looks slower by that"), "{limit:?}");
    // Neither processors nor users have to do with it.
    assert!(limit.advice.starts_with("run it again where it is left alone"), "{limit:?}");
}

#[test]
fn each_record_has_a_plan_and_a_test() {
    let names = |folder: PathBuf, ending: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        files.filter_map(|file| file.strip_suffix(ending).map(str::to_owned)).collect()
    };
    let records = names(causes(), ".jsonl.gz");
    assert_eq!(records, names(causes().join("plans"), ".yaml"));
    let tests = include_str!("diagnosis.rs");
    for name in records {
        assert!(tests.contains(&format!("(\"{name}\"")), "no test for {name}");
    }
}
