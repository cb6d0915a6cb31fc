//! Owns where the report leads: from a threshold, a finding or a failure to the chart, the name and the
//! exchange that show it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::figures;

/// So large evidence may make the page: it stays one that opens at once, whatever servers sent.
const EVIDENCE: usize = 1024 * 1024;
/// About so much of the page is around each exchange.
const AROUND: usize = 2 * 1024;

/// What a page has to lead to.
pub(super) struct Places<'r> {
    report: &'r Value,
    /// Where a name stands in its table.
    names: HashMap<(&'r str, &'r str), usize>,
    charts: Vec<&'r str>,
}

impl<'r> Places<'r> {
    pub(super) fn new(report: &'r Value, charts: &'r [Value]) -> Self {
        let names = list(&report["names"]).enumerate();
        Self {
            report,
            names: names
                .map(|(at, name)| ((text(name, "method"), text(name, "name")), at))
                .collect(),
            charts: charts.iter().filter_map(|chart| chart["id"].as_str()).collect(),
        }
    }

    /// Where the name of this stands in the table of names.
    fn name(&self, of: &Value) -> Option<usize> {
        self.names.get(&(text(of, "method"), text(of, "name"))).copied()
    }

    /// A link to a chart, as near as the page has it, and to some seconds of it.
    fn chart(&self, chart: &str, seconds: (Option<f64>, Option<f64>)) -> Option<Value> {
        let near = match chart {
            "load" => ["chart-load", "chart-users"],
            "failures" => ["chart-failures", "chart-requests"],
            "requests" => ["chart-requests"; 2],
            "users" => ["chart-users"; 2],
            "timings" => ["chart-timings", "chart-response"],
            "generator" => ["chart-generator", "h-generator"],
            _ => ["chart-response"; 2],
        };
        let is_there = |id: &&str| self.charts.contains(id) || *id == "h-generator";
        let id = near.into_iter().find(is_there)?;
        let words = match id {
            "chart-load" => "the arrivals",
            "chart-failures" => "the failures",
            "chart-requests" => "the requests",
            "chart-users" => "the users",
            "chart-timings" => "where the time went",
            "chart-response" => "the response times",
            _ => "the generator",
        };
        let time = match seconds {
            (Some(from), Some(to)) => format!(", {} to {}", figures::span(from), figures::span(to)),
            (Some(from), None) => format!(" from {} on", figures::span(from)),
            _ => String::new(),
        };
        let (from, to) = seconds;
        Some(
            json!({ "href": format!("#{id}"), "words": format!("See {words}{time}"), "from_s": from, "to_s": to }),
        )
    }

    /// The findings, each with the links to what shows it.
    pub(super) fn findings(&self) -> Vec<Value> {
        let one = |finding: &Value| {
            let place = &finding["where"];
            let seconds = (place["from_s"].as_f64(), place["to_s"].as_f64());
            let chart = place["chart"].as_str().and_then(|chart| self.chart(chart, seconds));
            let name = self.name(place).map(|at| {
                let words = format!("Open {} {}", text(place, "method"), text(place, "name"));
                json!({ "href": format!("#name-{at}"), "words": words, "from_s": seconds.0, "to_s": seconds.1 })
            });
            // What is of one name shows best there.
            let links: Vec<_> = [name, chart].into_iter().flatten().collect();
            json!({ "title": finding["title"], "sentence": finding["sentence"], "advice": finding["advice"], "links": links })
        };
        list(&self.report["findings"]).map(one).collect()
    }

    /// For each threshold that did not hold where it shows, in their order.
    pub(super) fn broken(&self) -> Vec<Option<Value>> {
        let one = |threshold: &Value| {
            if threshold["state"] != "broke" {
                return None;
            }
            if threshold["of_kind"] == "name" {
                let of = text(threshold, "of");
                let is_it = |name: &&Value| {
                    text(name, "name") == of
                        || format!("{} {}", text(name, "method"), text(name, "name")) == of
                };
                let at = list(&self.report["names"]).position(|name| is_it(&name))?;
                return Some(
                    json!({ "href": format!("#name-{at}"), "words": "Open the name", "from_s": null, "to_s": null }),
                );
            }
            let chart = match text(threshold, "unit") {
                "ms" => "response",
                "per_s" => "requests",
                "arrivals" => "load",
                _ if text(threshold, "text").starts_with("requests") => "requests",
                _ => "failures",
            };
            let windows = &threshold["windows"];
            let seconds = match windows["from_s"].as_f64() {
                Some(from) => (Some(from), windows["to_s"].as_f64()),
                None => (threshold["first_broke_s"].as_f64(), None),
            };
            self.chart(chart, seconds)
        };
        list(&self.report["thresholds"]).map(one).collect()
    }

    /// The failures by kind, and within one by what failed, with the names that it was seen at and what is
    /// shown of them: the most frequent first.
    pub(super) fn failures(&self, exhibits: &Value) -> Vec<Value> {
        let mut kinds: BTreeMap<&str, BTreeMap<&str, Vec<&Value>>> = BTreeMap::new();
        for failure in list(&self.report["failures"]) {
            let errors = kinds.entry(text(failure, "kind_title")).or_default();
            errors.entry(text(failure, "error")).or_default().push(failure);
        }
        let mut kinds: Vec<_> =
            kinds.into_iter().map(|(title, errors)| self.kind(title, errors, exhibits)).collect();
        most_first(&mut kinds);
        kinds
    }

    fn kind(&self, title: &str, errors: BTreeMap<&str, Vec<&Value>>, exhibits: &Value) -> Value {
        let mut errors: Vec<_> = errors
            .into_iter()
            .map(|(error, places)| self.error(error, &places, exhibits))
            .collect();
        most_first(&mut errors);
        let (from, to) = span_of(errors.iter());
        let run = &self.report["run"];
        let begun = run["part"]["from_s"].as_f64().unwrap_or_default();
        let lasted = run["duration_s"].as_f64().unwrap_or_default() - begun;
        // Of failures all along there is no part to look at.
        let is_part = to - from < 0.8 * lasted;
        json!({
            "title": title,
            "count": sum(errors.iter()),
            "link": self.chart("failures", if is_part { (Some(from), Some(to)) } else { (None, None) }),
            "errors": errors,
        })
    }

    fn error(&self, error: &str, places: &[&Value], exhibits: &Value) -> Value {
        let exchange = |place: &Value| {
            let is_it = |one: &&Value| {
                one["error"] == error
                    && one["method"] == place["method"]
                    && one["name"] == place["name"]
            };
            list(&exhibits["failed"]).find(is_it).map(|one| &one["at"])
        };
        let mut rows: Vec<Value> = places
            .iter()
            .map(|place| {
                json!({
                    "method": place["method"],
                    "name": place["name"],
                    "at": self.name(place),
                    "exchange": exchange(place),
                    "count": place["count"],
                    "examples": place["examples"],
                    "first_seen_s": place["first_seen_s"],
                    "last_seen_s": place["last_seen_s"],
                })
            })
            .collect();
        most_first(&mut rows);
        let (from, to) = span_of(places.iter().copied());
        json!({
            "error": error,
            "advice": places.iter().map(|place| &place["advice"]).find(|advice| !advice.is_null()),
            "count": sum(places.iter().copied()),
            "first_seen_s": from,
            "last_seen_s": to,
            "places": rows,
        })
    }

    /// Where to look first: what failed most, and the slowest names.
    pub(super) fn worst(&self) -> Value {
        const SHOWN: usize = 3;
        let mut failures: Vec<_> = list(&self.report["failures"]).collect();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure["count"].as_u64()));
        let failures: Vec<_> = failures
            .into_iter()
            .take(SHOWN)
            .map(|failure| {
                json!({ "error": failure["error"], "method": failure["method"], "name": failure["name"], "count": failure["count"], "at": self.name(failure) })
            })
            .collect();
        let p95 = |name: &Value| name["response_ms_p95"].as_f64();
        let mut names: Vec<_> = list(&self.report["names"])
            .enumerate()
            .filter(|(_, name)| p95(name).is_some())
            .collect();
        names.sort_by(|(_, a), (_, b)| {
            p95(b).partial_cmp(&p95(a)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let slow: Vec<_> = names
            .iter()
            .take(SHOWN)
            .map(|(at, name)| json!({ "method": name["method"], "name": name["name"], "at": at, "p95": name["response_ms_p95"] }))
            .collect();
        json!({ "failures": failures, "slow": if names.len() > 1 { slow } else { Vec::new() } })
    }

    /// The exchanges that the page has room for: those that failed, by kind, and the slowest; and how many
    /// it has no room for.
    pub(super) fn exhibits(&self) -> Value {
        let evidence = &self.report["evidence"];
        let mut room = EVIDENCE;
        let mut crowded = 0;
        let mut number = 0;
        let mut fitting = |key: &str| -> Vec<Value> {
            let all = evidence[key].as_array().into_iter().flatten();
            let fits = |exchange: &&Value| {
                let size = AROUND + written(exchange);
                let fits = size <= room;
                room -= if fits { size } else { 0 };
                crowded += usize::from(!fits);
                fits
            };
            let with_place = |exchange: &Value| {
                let mut exchange = exchange.clone();
                exchange["at"] = json!(number);
                number += 1;
                exchange["at_name"] = json!(self.name(&exchange));
                exchange
            };
            all.filter(fits).map(with_place).collect()
        };
        let (failed, slowest) = (fitting("failed"), fitting("slowest"));
        json!({ "failed": failed, "slowest": slowest, "crowded": crowded })
    }
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

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn most_first(all: &mut [Value]) {
    all.sort_by_key(|one| std::cmp::Reverse(one["count"].as_u64()));
}

fn sum<'v>(all: impl Iterator<Item = &'v Value>) -> u64 {
    all.filter_map(|one| one["count"].as_u64()).sum()
}

/// The first and the last second that any of them was seen in.
fn span_of<'v>(all: impl Iterator<Item = &'v Value>) -> (f64, f64) {
    all.fold((f64::MAX, 0.0), |(first, last): (f64, f64), one| {
        let at = |key: &str| one[key].as_f64().unwrap_or_default();
        (first.min(at("first_seen_s")), last.max(at("last_seen_s")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        json!({
            "run": { "duration_s": 100.0 },
            "names": [
                { "method": "GET", "name": "/a", "response_ms_p95": 3.0 },
                { "method": "POST", "name": "/b", "response_ms_p95": 9.0 },
            ],
            "failures": [
                { "method": "GET", "name": "/a", "error": "status 503", "kind_title": "server errors", "count": 2, "first_seen_s": 5.0, "last_seen_s": 8.0, "advice": null },
                { "method": "POST", "name": "/b", "error": "status 503", "kind_title": "server errors", "count": 7, "first_seen_s": 4.0, "last_seen_s": 6.0, "advice": null },
                { "method": "POST", "name": "/b", "error": "reset", "kind_title": "connection", "count": 1, "first_seen_s": 0.0, "last_seen_s": 99.0, "advice": "look at its log" },
            ],
            "thresholds": [
                { "state": "held", "unit": "ms", "text": "p95 < 9ms" },
                { "state": "broke", "unit": "ms", "text": "p95 < 9ms", "first_broke_s": 12 },
                { "state": "broke", "unit": "ms", "text": "p95 < 9ms", "of": "POST /b", "of_kind": "name" },
                { "state": "broke", "unit": "arrivals", "text": "dropped < 1", "windows": { "from_s": 10, "to_s": 20 } },
            ],
            "findings": [
                { "title": "Slow", "sentence": "It was.", "advice": null, "where": { "chart": "failures", "method": "GET", "name": "/a", "from_s": 3, "to_s": 9 } },
            ],
            "evidence": { "failed": [{ "method": "POST", "name": "/b", "error": "status 503" }], "slowest": [] },
        })
    }

    fn href(link: &Value) -> &str {
        link["href"].as_str().unwrap_or_default()
    }

    #[test]
    fn links_lead_to_the_nearest_chart_that_the_page_has() {
        let (report, charts) = (
            report(),
            [
                json!({ "id": "chart-response" }),
                json!({ "id": "chart-requests" }),
                json!({ "id": "chart-users" }),
            ],
        );
        let places = Places::new(&report, &charts);
        let links = &places.findings()[0]["links"];
        assert_eq!([href(&links[0]), href(&links[1])], ["#name-0", "#chart-requests"]);
        assert_eq!(links[1]["words"], "See the requests, 3s to 9s");
        let broken = places.broken();
        assert_eq!(broken[0], None);
        let [of_all, of_name, dropped] = [1, 2, 3].map(|at| broken[at].as_ref().unwrap());
        assert_eq!(
            [of_all, of_name, dropped].map(href),
            ["#chart-response", "#name-1", "#chart-users"]
        );
        assert_eq!((&of_all["from_s"], &of_all["to_s"]), (&json!(12.0), &Value::Null));
        assert_eq!((&dropped["from_s"], &dropped["to_s"]), (&json!(10.0), &json!(20.0)));
        assert!(Places::new(&report, &[]).findings()[0]["links"][1].is_null(), "no chart is drawn");
    }

    #[test]
    fn failures_stand_by_kind_then_error_the_most_frequent_first() {
        let report = report();
        let charts = [json!({ "id": "chart-failures" })];
        let places = Places::new(&report, &charts);
        let kinds = places.failures(&places.exhibits());
        let titles = kinds.iter().map(|kind| (text(kind, "title"), kind["count"].as_u64()));
        assert_eq!(
            titles.collect::<Vec<_>>(),
            [("server errors", Some(9)), ("connection", Some(1))]
        );
        let error = &kinds[0]["errors"][0];
        assert_eq!((&error["first_seen_s"], &error["last_seen_s"]), (&json!(4.0), &json!(8.0)));
        let rows = list(&error["places"]).map(|one| (one["at"].as_u64(), one["exchange"].as_u64()));
        assert_eq!(rows.collect::<Vec<_>>(), [(Some(1), Some(0)), (Some(0), None)]);
        assert_eq!(kinds[1]["errors"][0]["advice"], "look at its log");
        let from = |kind: &Value| kind["link"]["from_s"].as_f64();
        assert_eq!((from(&kinds[0]), from(&kinds[1])), (Some(4.0), None), "all along is no part");
        assert_eq!(places.worst()["slow"][0]["name"], "/b");
    }
}
