//! Owns what the charts of the report are drawn from: the history of all, of each name, where response
//! times lay, and the curve of percentiles, no more exact than a chart can show.

use serde_json::{Value, json};

use super::figures;

/// What the charts are drawn from.
pub(super) fn charts(report: &Value, history: &Value) -> Value {
    let names = report["names"].as_array().into_iter().flatten();
    let warmup = report["warmup"]["duration_s"].as_f64();
    let mut data = json!({
        "id": id(report),
        "history": history,
        "warmup": warmup.map(|shown| json!({ "until_s": begun(report) + shown })),
        "stages": report["stages"],
        "bands": bands(report),
        "limits": limits(report),
        "names_steps": report["names_steps"],
        "heat": report["heat"],
        "cores": report["generator"]["cores"],
    });
    short(&mut data, 4);
    let mut names: Value = names.map(name).collect();
    short(&mut names, 3);
    data["names"] = names;
    // So that 93.75% is told as such.
    let mut curve = Value::from(curve(report));
    short(&mut curve, 8);
    data["curve"] = curve;
    data
}

/// The second of the run that what is shown begins at.
pub(super) fn begun(report: &Value) -> f64 {
    report["run"]["part"]["from_s"].as_f64().unwrap_or_default()
}

/// What tells this page from that of another run at the same address: what was looked at there says nothing
/// of this one.
fn id(report: &Value) -> String {
    let run = &report["run"];
    let parts = [
        &run["started"],
        &run["seed"],
        &run["part"]["from_s"],
        &run["duration_s"],
        &report["totals"]["requests"],
    ];
    parts.map(Value::to_string).join(" ")
}

/// A name over time, and its figures in the order of the table's columns: what it is sorted by.
fn name(name: &Value) -> Value {
    let keys = [
        "requests",
        "failures",
        "requests_per_s",
        "response_ms_avg",
        "response_ms_p50",
        "response_ms_p95",
        "response_ms_p99",
        "response_ms_max",
        "body_bytes_avg",
    ];
    let mut history = name["history"].clone();
    let is_none = |value: &Value| value.as_f64() == Some(0.0);
    if history["failures_per_s"].as_array().is_some_and(|all| all.iter().all(is_none)) {
        // Most names have none, and there may be a thousand names.
        history["failures_per_s"] = Value::Null;
    }
    let figures: Vec<_> = keys.into_iter().map(|key| &name[key]).collect();
    json!({ "spent": name["spent"], "figures": figures, "history": history })
}

/// The curve of percentiles: how many times a request is rarer than one in ten, as the logarithm
/// `x = log₁₀(1 / (1 − fraction))`, and the response and the service time there. At the maximum there is no
/// such `x`: it is `null`.
fn curve(report: &Value) -> Vec<Value> {
    let all = report["curve"].as_array().into_iter().flatten();
    let one = |point: &Value| {
        let left = 1.0 - point["fraction"].as_f64().unwrap_or_default();
        let x = (left > 0.0).then(|| 0.0 - left.log10());
        json!([x, point["response_ms"], point["service_ms"]])
    };
    all.map(one).collect()
}

/// Rounds to so many digits: more than a chart can show only makes the page large.
fn short(value: &mut Value, digits: usize) {
    match value {
        Value::Number(number) => {
            let exact = number.as_f64().filter(|_| !number.is_u64());
            if let Some(exact) = exact {
                let rounded: f64 =
                    format!("{exact:.*e}", digits.saturating_sub(1)).parse().unwrap_or(exact);
                // A whole number needs no point.
                *value = if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
                    (rounded as i64).into()
                } else {
                    rounded.into()
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| short(item, digits)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| short(entry, digits)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The whole run over time: the warm-up, when there was one, and what came after it.
pub(super) fn drawn(report: &Value) -> Value {
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

/// Where response times turn amber and red: at the least and at the greatest limit that a
/// threshold sets for those of all requests; a single one counts twice over for red. Without any,
/// at 500 ms and 1 s.
pub(super) fn bands(report: &Value) -> Value {
    let limits: Vec<f64> = judged(report).filter_map(|one| one["limit"].as_f64()).collect();
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

/// The limits of thresholds on the response times of all requests, as the chart shows them.
fn limits(report: &Value) -> Vec<Value> {
    let one = |threshold: &Value| json!({ "text": threshold["text"], "ms": threshold["limit"], "broke": threshold["state"] == "broke" });
    judged(report).map(one).collect()
}

/// The thresholds on the response times of all requests. What is not judged is no limit.
fn judged(report: &Value) -> impl Iterator<Item = &Value> {
    let all = report["thresholds"].as_array().into_iter().flatten();
    all.filter(|one| is_of_response(one) && one["state"] != "not_judged")
}

fn is_of_response(threshold: &Value) -> bool {
    let is_response =
        |text: &str| ["p", "ok.", "avg", "max"].iter().any(|head| text.starts_with(head));
    threshold["unit"] == "ms"
        && threshold["of"].is_null()
        && threshold["text"].as_str().is_some_and(|text| is_response(text) && text.contains('<'))
}

/// A chart of the page: where it stands, its title, and what it shows in words for those who do not see it.
fn chart(id: &str, title: &str, spoken: String) -> Value {
    json!({ "id": id, "title": title, "spoken": spoken })
}

/// The charts that there is anything to draw in, in their order on the page.
pub(super) fn drawn_charts(report: &Value, history: &Value) -> Vec<Value> {
    let values = |key: &str| {
        history[key].as_array().into_iter().flatten().filter_map(Value::as_f64).collect::<Vec<_>>()
    };
    let highest = |key: &str| values(key).into_iter().fold(0.0, f64::max);
    let whole = |key: &str| figures::count(highest(key).round() as u64);
    if history["time_s"].as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let rates = ["requests_per_s", "failures_per_s"].map(|key| figures::rate(highest(key)));
    let times = ["response_ms_p50", "response_ms_p95", "response_ms_p99"];
    let times = times.map(|key| figures::ms(highest(key)));
    let mut charts = vec![chart(
        "chart-response",
        "Response time",
        format!("Chart: at its highest p50 was {}, p95 {}, p99 {}", times[0], times[1], times[2]),
    )];
    let columns = report["heat"]["counts"].as_array().into_iter().flatten();
    if columns.into_iter().any(|column| column.as_array().is_some_and(|rows| !rows.is_empty())) {
        let all = ["p50", "p99", "max"].map(|at| &report["totals"][format!("response_ms_{at}")]);
        let all = all.map(|value| figures::ms_or_dash(value.as_f64()));
        charts.push(chart(
            "chart-heat",
            "Where response times lay",
            format!(
                "Heat map: half of the response times were up to {}, 99% up to {}, the longest {}",
                all[0], all[1], all[2]
            ),
        ));
    }
    charts.push(chart(
        "chart-requests",
        "Requests per second",
        format!("Chart: at most {} requests and {} failures a second", rates[0], rates[1]),
    ));
    let mut spoken = format!("Chart: at most {} users", whole("users"));
    // Of arrivals nobody asks for users.
    let is_asked = !values("asked_users").is_empty();
    if is_asked {
        spoken += &format!(", {} were asked for", whole("asked_users"));
    }
    let title = if is_asked { "Users asked for and reached" } else { "Users" };
    charts.push(chart("chart-users", title, spoken));
    if history["arrivals_per_s"].is_array() {
        let rates = ["arrivals_per_s", "dropped_per_s"].map(|key| figures::rate(highest(key)));
        charts.push(chart(
            "chart-load",
            "Arrivals due and dropped",
            format!("Chart: at most {} arrivals were due a second, {} dropped", rates[0], rates[1]),
        ));
    }
    let kinds = history["failures_by_kind_per_s"].as_object();
    if let Some(kinds) = kinds.filter(|kinds| !kinds.is_empty()) {
        let words: Vec<_> = kinds.keys().map(|kind| kind.replace('_', " ")).collect();
        charts.push(chart(
            "chart-failures",
            "Failures by kind",
            format!(
                "Chart: at most {} failures a second, of the kinds {}",
                rates[1],
                words.join(", ")
            ),
        ));
    }
    if !values("first_byte_ms_avg").is_empty() {
        let times = ["waited", "connect", "tls", "first_byte", "body"];
        let times = times.map(|part| figures::ms(highest(&format!("{part}_ms_avg"))));
        charts.push(chart(
            "chart-timings",
            "Where the mean response time went",
            format!(
                "Chart: at most {} on average to wait for a user, {} to connect, {} for TLS, {} to the first byte, {} for the body",
                times[0], times[1], times[2], times[3], times[4]
            ),
        ));
    }
    if highest("body_bytes_per_s") > 0.0 {
        charts.push(chart(
            "chart-bytes",
            "Bytes of bodies per second",
            format!("Chart: at most {} a second", figures::bytes(highest("body_bytes_per_s"))),
        ));
    }
    let told = ["process_cores", "machine_busy_fraction", "late_ms_p99"];
    if told.iter().any(|key| !values(key).is_empty()) {
        let parts: Vec<_> = [
            (
                "machine_busy_fraction",
                "the machine was {} busy",
                figures::share as fn(f64) -> String,
            ),
            ("process_cores", "throng used {} processors", figures::rate),
            ("late_ms_p99", "requests began {} late", figures::ms),
        ]
        .into_iter()
        .filter(|(key, ..)| !values(key).is_empty())
        .map(|(key, words, text)| words.replace("{}", &text(highest(key))))
        .collect();
        charts.push(chart(
            "chart-generator",
            "The generator",
            format!("Chart: at most {}", parts.join(", ")),
        ));
    }
    charts
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_threshold_that_is_not_judged_draws_no_line() {
        let of = |text: &str, limit: Option<f64>, state: &str| json!({ "text": text, "unit": "ms", "limit": limit, "of": null, "state": state });
        let report = json!({ "thresholds": [
            of("p95 < 300ms", Some(300.0), "broke"),
            of("p99 < 110% of baseline", None, "not_judged"),
            of("p50 < 9ms", Some(9.0), "not_judged"),
        ] });
        let drawn = json!([{ "text": "p95 < 300ms", "ms": 300.0, "broke": true }]);
        assert_eq!(Value::from(limits(&report)), drawn);
        assert_eq!(bands(&report)["amber_ms"], 300.0);
    }

    #[test]
    fn nothing_is_said_of_users_that_nobody_asked_for() {
        let of = |asked: Value| {
            let history = json!({ "time_s": [0, 1], "users": [3, 4], "asked_users": asked });
            let charts = drawn_charts(&json!({}), &history);
            let users = charts.into_iter().find(|chart| chart["id"] == "chart-users").unwrap();
            [&users["title"], &users["spoken"]].map(|text| text.as_str().unwrap().to_owned())
        };
        let asked = ["Users asked for and reached", "Chart: at most 4 users, 5 were asked for"];
        assert_eq!(of(json!([5, 5])), asked);
        for none in [Value::Null, json!([null, null])] {
            assert_eq!(of(none), ["Users", "Chart: at most 4 users"]);
        }
    }

    #[test]
    fn the_curve_is_told_by_how_rare_a_request_is() {
        let point = |fraction: f64, ms: f64| json!({ "fraction": fraction, "response_ms": ms, "service_ms": ms });
        let report = json!({ "curve": [point(0.0, 1.0), point(0.9, 2.0), point(0.999, 3.0), point(1.0, 4.0)] });
        let xs = curve(&report).into_iter().map(|point| point[0].as_f64());
        let rounded = xs.map(|x| x.map(|x| (x * 1e6).round() / 1e6));
        assert_eq!(rounded.collect::<Vec<_>>(), [Some(0.0), Some(1.0), Some(3.0), None]);
    }

    #[test]
    fn a_name_tells_no_failures_when_it_had_none() {
        let of = |failures: [f64; 2]| name(&json!({ "history": { "failures_per_s": failures } }));
        assert!(of([0.0, 0.0])["history"]["failures_per_s"].is_null());
        assert_eq!(of([0.0, 2.0])["history"]["failures_per_s"][1], 2.0);
    }
}
