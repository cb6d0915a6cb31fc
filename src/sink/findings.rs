//! Owns findings in results: what the figures of a run say, as JSON.

use serde_json::{Map, Value, json};

use super::json::rounded;
use crate::metrics::Summary;
use crate::verdict::diagnosis::Finding;

/// Each finding, the most important first.
pub(super) fn findings(findings: &[Finding], summary: &Summary) -> Vec<Value> {
    findings.iter().map(|finding| one(finding, summary)).collect()
}

fn one(finding: &Finding, summary: &Summary) -> Value {
    let evidence = &finding.evidence;
    let called = |name: &String| {
        let rows = summary.rows();
        let names = rows.into_iter().map(|row| row.name);
        names.into_iter().find(|row| format!("{} {}", row.method, row.name) == *name)
    };
    let name = evidence.name.as_ref().and_then(called);
    let figures = finding.figures.iter();
    let figures: Map<String, Value> =
        figures.map(|figure| (figure.key.to_owned(), rounded(Some(figure.value)))).collect();
    json!({
        "rule": finding.rule.id(),
        "also": finding.also.iter().map(|rule| rule.id()).collect::<Vec<_>>(),
        "title": finding.rule.title(),
        "sentence": finding.sentence,
        "advice": finding.advice,
        "figures": figures,
        "where": {
            "chart": evidence.chart.id(),
            "method": name.as_ref().map(|name| &name.method),
            "name": name.as_ref().map(|name| &name.name),
            "from_s": evidence.seconds.map(|(from, _)| from),
            "to_s": evidence.seconds.map(|(_, to)| to),
        },
    })
}
