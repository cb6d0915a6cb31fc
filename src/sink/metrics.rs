//! Owns `metrics.txt`: the figures of a run as OpenMetrics, which GitLab compares between branches.

use std::fmt::Write as _;
use std::io;

use super::case::{self, Outcome, Unique};
use super::figures;
use super::text::shortened;
use crate::event::{Ended, Started};
use crate::metrics::Row;
use crate::untrusted::label_value;
use crate::verdict::Validity;

/// No value of a label is longer, in characters.
const LABEL: usize = 200;

/// The quantiles that are told.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// The figures of a run, one a line: as OpenMetrics has them, in the part of it that is also the text
/// format of Prometheus. Times are in milliseconds, as everywhere in results.
///
/// # Errors
/// None: it is made in memory.
pub fn metrics_txt(_: &Started, ended: &Ended<'_>) -> io::Result<String> {
    let (summary, verdict) = (ended.summary, ended.verdict);
    let mut rows = summary.rows();
    rows.push(summary.aggregated());
    let mut names = Unique::default();
    let labelled = |row: Row| {
        let (method, name) = (label(&row.name.method), label(&row.name.name));
        let labels = |number: &str| format!("method=\"{method}\",name=\"{name}{number}\"");
        (names.name(labels), row)
    };
    let rows: Vec<_> = rows.into_iter().map(labelled).collect();
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, Option<f64>)>| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            if let Some(value) = value {
                // A float is never written with an exponent.
                let value = (value * 1e6).round() / 1e6;
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        }
    };
    let each = |value: &dyn Fn(&Row) -> Option<f64>| -> Vec<_> {
        rows.iter().map(|(labels, row)| (format!("{{{labels}}}"), value(row))).collect()
    };
    family(
        "throng_requests",
        "gauge",
        "Requests that ended.",
        each(&|row| Some(row.stats.requests() as f64)),
    );
    family(
        "throng_failures",
        "gauge",
        "Requests that failed.",
        each(&|row| Some(row.stats.failed() as f64)),
    );
    family(
        "throng_error_rate",
        "gauge",
        "Failed requests as a fraction of all.",
        each(&Row::error_rate),
    );
    family(
        "throng_requests_per_second",
        "gauge",
        "Requests a second while load was asked for.",
        each(&|row| Some(row.requests_per_s())),
    );
    let quantiles = |(labels, row): &(String, Row)| {
        let response = row.stats.response();
        QUANTILES.map(|quantile| {
            (format!("{{{labels},quantile=\"{quantile}\"}}"), response.quantile_ms(quantile))
        })
    };
    family(
        "throng_response_ms",
        "summary",
        "Response time in milliseconds, failed requests too.",
        rows.iter().flat_map(quantiles).collect(),
    );
    family(
        "throng_response_max_ms",
        "gauge",
        "The longest response time in milliseconds.",
        each(&|row| row.stats.response().max_ms()),
    );
    let mut names = Unique::default();
    let held = case::thresholds(verdict).into_iter().map(|case| {
        let held = match case.outcome {
            Outcome::Passed => Some(1.0),
            Outcome::Failed(_) => Some(0.0),
            Outcome::NotJudged => None,
        };
        let text = label(&case.name);
        (names.name(|number| format!("{{threshold=\"{text}{number}\"}}")), held)
    });
    family(
        "throng_threshold_held",
        "gauge",
        "1 when the threshold held, 0 when it did not.",
        held.collect(),
    );
    let is = |state: &str, it_is: bool| {
        (format!("{{state=\"{state}\"}}"), Some(f64::from(u8::from(it_is))))
    };
    let validity = &verdict.validity;
    let states = vec![
        is("VALID", matches!(validity, Validity::Valid)),
        is("SUSPECT", matches!(validity, Validity::Suspect(_))),
        is("INVALID", matches!(validity, Validity::Invalid(_))),
    ];
    family("throng_validity", "gauge", "1 at the state that the run is in.", states);
    let of_all = |value: f64| vec![(String::new(), Some(value))];
    if let Some(found) = ended.search {
        let of = found.searching.search.of;
        let bound = |which: &str, level: Option<u64>| {
            (format!("{{bound=\"{which}\"}}"), level.map(|level| of.number(level)))
        };
        family(
            "throng_search_limit",
            "gauge",
            "Users, or arrivals a second, between which the limit lies.",
            vec![bound("at_least", found.held), bound("below", found.broke)],
        );
    }
    family("throng_exit_code", "gauge", "What the shell sees.", of_all(f64::from(ended.exit_code)));
    family(
        "throng_duration_seconds",
        "gauge",
        "How long the run took, or the part of it that is shown.",
        of_all(figures::lasted(summary, ended.again).as_secs_f64()),
    );
    out.push_str("# EOF\n");
    Ok(out)
}

fn label(text: &str) -> String {
    label_value(&shortened(text, LABEL))
}
