//! Holds the schema of plans against plans: right ones pass, wrong ones are refused, the file is fresh.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use throng::diagnostic::Diagnostic;
use throng::load::Wait;
use throng::plan::Loading;
use throng::plan::{Accept, document, schema};
use throng::units::{Rate, parse_duration, parse_percent, parse_size};
use throng::verdict::Threshold;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema::schema()).expect("the schema is one of draft 7")
}

/// What the file says, with aliases and merges filled in.
fn tree(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    read(&path.display().to_string(), &text)
}

fn read(name: &str, text: &str) -> Value {
    let (tree, _) = document::read(0, name, text).unwrap_or_else(|told| panic!("{name}: {told:?}"));
    tree.to_json()
}

fn plans(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_plan = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml")
    };
    let mut plans: Vec<_> = paths.filter(is_plan).collect();
    plans.sort();
    plans
}

fn complaints(validator: &Validator, tree: &Value) -> Vec<String> {
    let errors = validator.iter_errors(tree);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Writes the file anew with `UPDATE_EXPECTED=1`.
#[test]
fn the_schema_beside_the_plans_is_fresh() {
    let path = root().join("plans/throng.schema.json");
    let made = schema::text();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let advice = "run `UPDATE_EXPECTED=1 cargo test --test schema`";
    assert!(found == made, "plans/throng.schema.json is stale: {advice}");
}

#[test]
fn the_sample_plans_are_right_to_the_schema() {
    let validator = validator();
    let mut wrong = Vec::new();
    for path in plans("plans").into_iter().chain(plans("plans/cookbook")) {
        let later = |told: &Diagnostic| told.title.ends_with("is not supported yet");
        if !throng::plan::load(&path).diagnostics.iter().any(later) {
            let said = complaints(&validator, &tree(&path));
            wrong.extend(said.iter().map(|line| format!("{}: {line}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whatever plan of `tests/plans` has no mistakes of its words has none to the schema.
#[test]
fn a_plan_that_the_program_takes_is_right_to_the_schema() {
    let validator = validator();
    let (mut wrong, mut taken) = (Vec::new(), 0);
    for path in plans("tests/plans") {
        // With its environments: the schema looks at them too.
        let loaded = throng::plan::load_each(&path, &Loading::default(), |loaded| loaded);
        if loaded.plan.is_none() {
            continue;
        }
        taken += 1;
        let said = complaints(&validator, &tree(&path));
        wrong.extend(said.iter().map(|line| format!("{}: {line}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(taken > 5, "only {taken} plans");
}

#[test]
fn every_sample_plan_names_the_schema() {
    for (folder, line) in [
        ("plans", "# yaml-language-server: $schema=throng.schema.json"),
        ("plans/cookbook", "# yaml-language-server: $schema=../throng.schema.json"),
    ] {
        for path in plans(folder) {
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            let line = match path.extension().is_some_and(|ending| ending == "toml") {
                true => line.replace("# yaml-language-server: $schema=", "#:schema "),
                false => line.to_owned(),
            };
            assert_eq!(first, line, "{}", path.display());
        }
    }
}

const PLAN: &str = "
target: http://127.0.0.1:8000
x-mine: [anything]
users:
  Reader:
    weight: 2
    wait: 1s..3s
    order: random
    defaults: { timeout: 10s }
    on_start: { post: /login }
    tasks:
      one: { get: /, accept: 2xx }
      two:
        chance: 30%
        steps:
          - { post: /, json: {}, capture: { id: $.id }, expect: { time: < 500ms } }
          - { until: id, within: 60s, do: { wait: 1s } }
profiles:
  p: { users: 5, ramp: 2s, hold: 1m30s }
  open: { rate: 50/s, hold: 1m, arrivals: poisson, max_users: 100 }
  own: { each: { Reader: { steps: { from: 1/s, by: 1/s, every: 1m, to: 5/s } } }, grace: 5s }
thresholds: [p95 < 500ms]
";

#[test]
fn one_wrong_word_is_refused_wherever_it_stands() {
    let validator = validator();
    let whole = complaints(&validator, &read("plan.yaml", PLAN));
    assert!(whole.is_empty(), "{whole:?}");
    let mut passed = Vec::new();
    for (right, wrong) in [
        // Keys that do not exist, in each kind of place.
        ("target:", "host:"),
        ("weight: 2", "wieght: 2"),
        ("timeout: 10s }", "timeuot: 10s }"),
        ("post: /login", "pots: /login"),
        ("accept: 2xx", "acept: 2xx"),
        ("chance: 30%", "chanse: 30%"),
        ("json: {}", "jsn: {}"),
        ("time: < 500ms", "tiem: < 500ms"),
        ("within: 60s", "withn: 60s"),
        ("ramp: 2s", "rmap: 2s"),
        ("x-mine", "y-mine"),
        ("max_users", "maxusers"),
        ("{ Reader: {", "{ Reader: { grace: 5s,"),
        // Values of another type.
        ("max_users: 100", "max_users: 100/s"),
        ("each: { Reader: {", "each: { Reader: 5, Other: {"),
        ("weight: 2", "weight: [2]"),
        ("users: 5", "users: five"),
        ("tasks:\n", "tasks: 3\n    x:\n"),
        ("thresholds: [", "thresholds: [5, "),
        ("get: /,", "get: 5,"),
        // Values that lack their unit, or are of no form.
        ("wait: 1s..3s", "wait: 1..3"),
        ("wait: 1s..3s", "wait: 2"),
        ("hold: 1m30s", "hold: 90"),
        ("hold: 1m30s", "hold: 1:30"),
        ("rate: 50/s", "rate: 50"),
        ("from: 1/s", "from: 1/d"),
        ("chance: 30%", "chance: 0.3"),
        ("accept: 2xx", "accept: ok"),
        ("accept: 2xx", "accept: 42"),
        ("time: < 500ms", "time: 500ms"),
        ("p95 < 500ms", "p95 under 500ms"),
        ("p95 < 500ms", "median < 500ms"),
        ("id: $.id", "id: id"),
        ("get: /,", "get: todos,"),
        ("http://", ""),
        ("users: 5", "users: -5"),
        // Words that are not among those that may stand there.
        ("order: random", "order: shuffled"),
        ("arrivals: poisson", "arrivals: random"),
        // Keys that need another beside them.
        ("within: 60s, do: { wait: 1s }", "within: 60s"),
    ] {
        assert!(PLAN.contains(right), "the plan has no `{right}`");
        let plan = PLAN.replacen(right, wrong, 1);
        if validator.is_valid(&read("plan.yaml", &plan)) {
            passed.push(wrong);
        }
    }
    assert!(passed.is_empty(), "{passed:?}");
}

/// The form of a key's text, apart from the rest of a plan.
fn form(context: &str, key: &str) -> Validator {
    let whole = schema::schema();
    let mut form = whole["definitions"][context]["properties"][key].clone();
    form["definitions"] = whole["definitions"].clone();
    jsonschema::draft7::new(&form).unwrap()
}

/// Texts near to what each form takes.
fn quantity() -> impl Strategy<Value = String> {
    const TIME: &str =
        "[0-9]{1,2}(\\.[0-9])?[ ,]?(ms|s|m|h|min|sec|secs|hours|minute|us|µs|ns|d|w)";
    let of = |form: String| proptest::string::string_regex(&form).unwrap();
    prop_oneof![
        of(format!("[ <]{{0,2}}({TIME}[ ,]?){{1,2}} ?")),
        of(format!(" ?(none|{TIME} ?\\.\\. ?{TIME})")),
        of("[0-9]{1,2}(\\.[0-9])? ?/ ?(s|sec|second|m|min|minute|h|hour|d)".into()),
        of("< ?[0-9]{1,3}(\\.[0-9])? ?(B|b|KB|kb|mB|MiB|gib|GB|TB|K)".into()),
        of("[0-9]{1,2}(\\.[0-9])? ?%".into()),
        of(" ?(any|[0-9](xx|XX)|[0-9]{3}( ?\\.\\. ?[0-9]{3})?)".into()),
        of("((ok|service|connect|tls|ttfb)\\.)?(p[0-9]{1,2}(\\.[0-9]{1,2})?|avg|min|max) ?(<|>|<=|>=|≤) ?[0-9]{1,3}m?s".into()),
        of("(rps|requests|failures|error_rate) ?(<|>=) ?[0-9]{1,2}(%|/s|)".into()),
        of("[0-9smh.,: %<x/]{0,8}".into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// An editor never underlines a text that the program takes.
    #[test]
    fn what_the_program_reads_has_the_form_of_the_schema(text in quantity()) {
        thread_local! {
            static FORMS: [Validator; 8] = [
                form("stage", "hold"), form("class", "wait"), form("wait", "throughput"), form("step", "chance"),
                form("expect", "size"), form("expect", "time"), form("accept_rule", "status"), form("threshold", "must"),
            ];
        }
        let after = |read: &dyn Fn(&str) -> bool| {
            text.trim().strip_prefix('<').is_some_and(|rest| read(rest.trim()))
        };
        let reads = [
            parse_duration(&text).is_ok(),
            Wait::parse(&text).is_ok(),
            Rate::parse(&text).is_ok(),
            parse_percent(&text).is_ok(),
            after(&|text| parse_size(text).is_ok()),
            after(&|text| parse_duration(text).is_ok()),
            Accept::parse(&text).is_ok(),
            Threshold::parse(&text).is_ok(),
        ];
        FORMS.with(|forms| {
            for (at, (form, reads)) in forms.iter().zip(reads).enumerate() {
                if reads {
                    prop_assert!(form.is_valid(&json!(text)), "form {at}: `{text}`");
                }
            }
            Ok(())
        })?;
    }
}
