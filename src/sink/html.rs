//! Owns the HTML report: one file that fetches nothing, made from the same JSON as `summary.json`.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value as Field, context};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::figures;
use crate::untrusted::{script_json, visible};

const PAGE: &str = include_str!("../../templates/report.html");
const SEARCH: &str = include_str!("../../templates/report/search.html");
const SCRIPT: &str =
    concat!(include_str!("../../templates/charts.js"), include_str!("../../templates/report.js"));
pub(super) const CHART_LIBRARY: &str =
    include_str!("../../templates/vendor/uPlot/uPlot.iife.min.js");
/// Ours last, so that it can say how the charts look.
pub(super) const STYLE: &str = concat!(
    include_str!("../../templates/vendor/uPlot/uPlot.min.css"),
    include_str!("../../templates/report.css"),
);

static POLICY: LazyLock<String> = LazyLock::new(|| policy(STYLE, SCRIPT));

/// What a browser may run and show: this style, this script and the chart library by their hashes, and
/// nothing that must be fetched. The data is no script, so it needs no hash.
pub(super) fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {}; script-src {} {}",
        hash(style),
        hash(CHART_LIBRARY),
        hash(script),
    )
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // A name that ends in `.html` turns escaping on.
    let mut templates = Environment::new();
    for (name, text) in [("report.html", PAGE), ("search.html", SEARCH)] {
        templates.add_template(name, text).expect("the template is fixed and right");
    }
    templates.add_filter("count", |field: &Field| {
        let whole = u64::try_from(field.clone()).ok();
        whole.map_or_else(dash, figures::count)
    });
    templates.add_filter("ms", |field: &Field| number(field).map_or_else(dash, figures::ms));
    templates.add_filter("rate", |field: &Field| number(field).map_or_else(dash, figures::rate));
    templates.add_filter("share", |field: &Field| number(field).map_or_else(dash, figures::share));
    templates.add_filter("bytes", |field: &Field| number(field).map_or_else(dash, figures::bytes));
    templates.add_filter("seconds", |field: &Field| number(field).map_or_else(dash, figures::span));
    templates.add_filter("visible", |text: &str| visible(&text.replace("\r\n", "\n")).into_owned());
    templates.add_filter("calendar", |text: &str| text.replace('T', " ").replace('Z', " UTC"));
    templates
});

fn number(field: &Field) -> Option<f64> {
    f64::try_from(field.clone()).ok()
}

fn dash() -> String {
    "–".to_owned()
}

/// The page for what [`report`](super::report) gives.
///
/// # Errors
/// The template met a value that it has no place for, which is a bug.
pub fn render(report: &Value) -> Result<String, Error> {
    let json = |value: &Value| {
        serde_json::to_string(value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    };
    let (mark, word) = heading(report);
    let history = drawn(report);
    let page = context! {
        policy => POLICY.as_str(),
        style => STYLE,
        script => SCRIPT,
        chart_library => CHART_LIBRARY,
        data => script_json(&json(&charts(report, &history))?),
        bands => Serde(bands(report)),
        tone => report["verdict"]["state"].as_str(),
        mark => mark,
        word => word,
        again => again(&report["run"]),
        charts => Serde(spoken(&history)),
        drawn => history["time_s"].as_array().is_some_and(|times| !times.is_empty()),
        finishing_s => finishing(report),
        asides => Serde(asides(report)),
        told => told(report),
        evidence => Serde(exhibits(&report["evidence"])),
    };
    TEMPLATES.get_template("report.html")?.render(context! { page, ..Field::from(Serde(report)) })
}

/// What the charts are drawn from.
fn charts(report: &Value, history: &Value) -> Value {
    let names = report["names"].as_array().into_iter().flatten();
    let names: Vec<_> =
        names.map(|name| json!({ "spent": name["spent"], "history": name["history"] })).collect();
    let mut data = json!({
        "history": history,
        "warmup": report["warmup"].get("duration_s").map(|s| json!({ "duration_s": s })),
        "stages": report["stages"],
        "bands": bands(report),
        "names_steps": report["names_steps"],
        "names": names,
        "heat": report["heat"],
        "curve": report["curve"],
    });
    short(&mut data);
    data
}

/// Four digits are more than a chart can show.
fn short(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let exact = number.as_f64().filter(|_| !number.is_u64());
            if let Some(exact) = exact {
                let rounded: f64 = format!("{exact:.3e}").parse().unwrap_or(exact);
                // A whole number needs no point.
                *value = if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
                    (rounded as i64).into()
                } else {
                    rounded.into()
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(short),
        Value::Object(entries) => entries.values_mut().for_each(short),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The whole run over time: the warm-up, when there was one, and what came after it.
fn drawn(report: &Value) -> Value {
    let mut history = report["history"].clone();
    let (Value::Object(after), Value::Object(before)) =
        (&mut history, &report["warmup"]["history"])
    else {
        return history;
    };
    const KINDS: &str = "failures_by_kind_per_s";
    let steps = |history: &serde_json::Map<String, Value>| {
        history.get("time_s").and_then(Value::as_array).map_or(0, Vec::len)
    };
    let (steps_before, steps_after) = (steps(before), steps(after));
    // A kind that one of them did not meet was not there at any time of it.
    let kinds_before = before.get(KINDS).and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(Value::Object(kinds)) = after.get_mut(KINDS) {
        for kind in kinds_before.keys() {
            kinds.entry(kind.clone()).or_insert_with(|| vec![0; steps_after].into());
        }
        for (kind, rates) in kinds {
            let none = || vec![Value::from(0); steps_before];
            let earlier = kinds_before.get(kind).and_then(Value::as_array).cloned();
            if let Value::Array(rates) = rates {
                rates.splice(0..0, earlier.unwrap_or_else(none));
            }
        }
    }
    for (key, points) in after {
        match (points, before.get(key)) {
            (Value::Array(after), Some(Value::Array(before))) => {
                after.splice(0..0, before.iter().cloned());
            }
            // Told in one of them alone, as arrivals are.
            (Value::Array(after), Some(Value::Null)) => {
                after.splice(0..0, vec![Value::Null; steps_before]);
            }
            (after @ Value::Null, Some(Value::Array(before))) => {
                let none = vec![Value::Null; steps_after];
                *after = before.iter().cloned().chain(none).collect();
            }
            _ => {}
        }
    }
    history
}

/// So large evidence may make the page: it stays one that opens at once, whatever servers sent.
const EVIDENCE: usize = 1024 * 1024;
/// About so much of the page is around each exchange.
const AROUND: usize = 2 * 1024;

/// The exchanges that the page has room for: those that failed, by kind, and the slowest; and how many
/// it has no room for.
fn exhibits(evidence: &Value) -> Value {
    let mut room = EVIDENCE;
    let mut crowded = 0;
    let mut fitting = |key: &str| -> Vec<Value> {
        let all = evidence[key].as_array().into_iter().flatten();
        let fits = |exchange: &&Value| {
            let size = AROUND + written(exchange);
            let fits = size <= room;
            room -= if fits { size } else { 0 };
            crowded += usize::from(!fits);
            fits
        };
        all.filter(fits).cloned().collect()
    };
    let (failed, slowest) = (fitting("failed"), fitting("slowest"));
    json!({ "failed": failed, "slowest": slowest, "crowded": crowded })
}

/// How long the texts of a value are in a page.
fn written(value: &Value) -> usize {
    match value {
        Value::String(text) => {
            let one = |c: char| match c {
                '<' | '>' => 4,
                '&' => 5,
                '"' | '\'' | '/' => 6,
                // What is made visible.
                c if c.is_control() => 8,
                c => c.len_utf8(),
            };
            text.chars().map(one).sum()
        }
        Value::Array(items) => items.iter().map(|item| written(item) + 1).sum(),
        Value::Object(entries) => entries.values().map(written).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// How long it took at the end to finish what was under way, in seconds.
fn finishing(report: &Value) -> f64 {
    let figure = |value: &Value| value.as_f64().unwrap_or_default();
    let run = &report["run"];
    let warmup = figure(&report["warmup"]["duration_s"]);
    figure(&run["duration_s"]) - figure(&run["loaded_s"]) - warmup
}

/// What ran once, with its title.
fn asides(report: &Value) -> Vec<Value> {
    let all = ["before", "after"].into_iter().filter(|name| !report[name].is_null());
    let one =
        |name| json!({ "name": name, "title": figures::aside_title(name), "held": report[name] });
    all.map(one).collect()
}

/// The system told something of the generator.
fn told(report: &Value) -> bool {
    report["generator"].as_object().is_some_and(|all| all.values().any(|one| !one.is_null()))
}

/// Where response times turn amber and red: at the least and at the greatest limit that a
/// threshold sets for those of all requests; a single one counts twice over for red. Without any,
/// at 500 ms and 1 s.
fn bands(report: &Value) -> Value {
    let is_response =
        |text: &str| ["p", "ok.", "avg", "max"].iter().any(|head| text.starts_with(head));
    let limits = report["thresholds"].as_array().into_iter().flatten().filter(|threshold| {
        threshold["unit"] == "ms"
            && threshold["of"].is_null()
            && threshold["text"]
                .as_str()
                .is_some_and(|text| is_response(text) && text.contains('<'))
    });
    let limits: Vec<f64> = limits.filter_map(|threshold| threshold["limit"].as_f64()).collect();
    let least = limits.iter().copied().reduce(f64::min);
    let most = limits.iter().copied().reduce(f64::max);
    let (amber, red) = match (least, most) {
        (Some(least), Some(most)) if most > least => (least, most),
        (Some(one), _) => (one, 2.0 * one),
        _ => (500.0, 1000.0),
    };
    let said = match (least, most) {
        (Some(least), Some(most)) if most > least => ", as the thresholds have it",
        (Some(_), _) => ": the limit of the thresholds, and twice that",
        _ => "",
    };
    json!({ "amber_ms": amber, "red_ms": red, "said": said })
}

/// The verdict in a sign, for the title of the page, and in a word.
fn heading(report: &Value) -> (&'static str, &'static str) {
    match report["verdict"]["state"].as_str() {
        Some("held") => ("✓", "passed"),
        Some("broke") => ("✗", "failed"),
        Some("untrusted") => ("✗", "not to be trusted"),
        Some("stopped") => ("■", "stopped"),
        _ => ("•", "not judged"),
    }
}

/// The command line that draws the same random numbers again.
fn again(run: &Value) -> String {
    let line = run["command_line"].as_str().unwrap_or_default();
    let seeded = line.split(' ').any(|word| word == "--seed" || word.starts_with("--seed="));
    if seeded { line.to_owned() } else { format!("{line} --seed {}", run["seed"]) }
}

/// What the charts show, in words for those who do not see them.
fn spoken(history: &Value) -> Value {
    let highest = |key: &str| {
        let values = history[key].as_array().into_iter().flatten().filter_map(Value::as_f64);
        values.fold(0.0, f64::max)
    };
    let rates = [highest("requests_per_s"), highest("failures_per_s")].map(figures::rate);
    let times = ["response_ms_p50", "response_ms_p95", "response_ms_p99"];
    let times = times.map(|key| figures::ms(highest(key)));
    json!({
        "requests": format!("Chart: at most {} requests and {} failures a second", rates[0], rates[1]),
        "response": format!("Chart: at its highest p50 was {}, p95 {}, p99 {}", times[0], times[1], times[2]),
        "users": format!("Chart: at most {} users", figures::count(highest("users").round() as u64)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_library_is_the_one_that_was_published() {
        for (name, text, want) in [
            // uPlot 1.6.32 from npm, `dist/`.
            (
                "uPlot.iife.min.js",
                CHART_LIBRARY,
                "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
            ),
            (
                "uPlot.min.css",
                include_str!("../../templates/vendor/uPlot/uPlot.min.css"),
                "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
            ),
        ] {
            let hash: String =
                Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, want, "{name}");
        }
        assert!(include_str!("../../templates/vendor/uPlot/LICENSE").contains("MIT"));
    }

    #[test]
    fn nothing_in_our_own_scripts_ends_them() {
        for text in [SCRIPT, CHART_LIBRARY] {
            assert!(!text.contains("</script") && !text.contains("<!--"));
        }
        assert!(
            !STYLE.contains("</style") && !STYLE.contains("@import") && !STYLE.contains("url(")
        );
    }

    #[test]
    fn bands_come_from_the_thresholds_on_response_time() {
        let of = |thresholds: &[(&str, &str, f64, Option<&str>)]| {
            let one = |(text, unit, limit, of): &(&str, &str, f64, Option<&str>)| json!({ "text": text, "unit": unit, "limit": limit, "of": of });
            let report = json!({
                "thresholds": thresholds.iter().map(one).collect::<Vec<_>>(),
            });
            let bands = bands(&report);
            (bands["amber_ms"].as_f64().unwrap(), bands["red_ms"].as_f64().unwrap())
        };
        assert_eq!(of(&[]), (500.0, 1000.0));
        assert_eq!(of(&[("p95 < 300ms", "ms", 300.0, None)]), (300.0, 600.0));
        let several = [
            ("p50 < 200ms", "ms", 200.0, None),
            ("p99 < 1s", "ms", 1000.0, None),
            ("p95 < 10ms", "ms", 10.0, Some("/health")),
            ("connect.p95 < 5ms", "ms", 5.0, None),
            ("rps > 50/s", "per_s", 50.0, None),
        ];
        assert_eq!(of(&several), (200.0, 1000.0));
    }

    #[test]
    fn a_run_can_be_repeated_with_its_seed() {
        let line = |text: &str| again(&json!({ "command_line": text, "seed": 7 }));
        assert_eq!(line("throng run p.yaml"), "throng run p.yaml --seed 7");
        assert_eq!(line("throng run p.yaml --seed 7"), "throng run p.yaml --seed 7");
        assert_eq!(line("throng run --seed=7 p.yaml"), "throng run --seed=7 p.yaml");
    }
}
