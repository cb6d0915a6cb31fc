//! Owns evidence in results: the exchanges that are kept, as JSON, and how many are not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::curl::{Curl, curl};
use super::json::rounded;
use crate::metrics::{
    Answer, Body, Evidence, Exchange, Failure, Head, RequestName, Sent, Shown, Summary,
};

/// Of a name with several series so many are shown.
const SLOWEST: usize = 3;

/// What is kept, with the words of `summary`, from which is counted what is not.
pub(super) fn evidence(evidence: &Evidence, summary: &Summary) -> Value {
    let totals = &summary.totals;
    let mut failed: Vec<_> = evidence.failed().collect();
    failed.sort_by_key(|exchange| (exchange.mark.at_us, exchange.mark.user));
    // Series of one name are one name.
    let mut slowest: BTreeMap<&RequestName, Vec<&Exchange>> = BTreeMap::new();
    for exchange in evidence.slowest() {
        slowest.entry(name_of(summary, exchange)).or_default().push(exchange);
    }
    let mut slow = Vec::new();
    for exchanges in slowest.values_mut() {
        exchanges.sort_by_key(|one| (std::cmp::Reverse(one.mark.response_us), one.mark.at_us));
        slow.extend(exchanges.iter().take(SLOWEST).copied());
    }
    let left_out = totals.names.iter().flat_map(|(series, stats)| {
        let of = |(failure, _): &(Failure, _)| !evidence.shows(*series, *failure);
        stats.failures.iter().filter(move |one| of(one))
    });
    let unseen = totals.names.iter().filter(|(series, stats)| {
        stats.response_ok.max_ms() > Some(0.0) && !evidence.shows_slow(**series)
    });
    let one = |exchange: &&Exchange| exchange_json(exchange, summary);
    json!({
        "failed": failed.iter().map(one).collect::<Vec<_>>(),
        "failed_left_out": left_out.count(),
        "slowest": slow.iter().map(one).collect::<Vec<_>>(),
        "slowest_left_out": unseen.count(),
    })
}

fn name_of<'s>(summary: &'s Summary, exchange: &Exchange) -> &'s RequestName {
    &summary.catalogue.names[usize::from(exchange.mark.series)]
}

fn exchange_json(exchange: &Exchange, summary: &Summary) -> Value {
    let Exchange { mark, seen, service_us, class, iteration, attempts, redirects, request, answer } =
        exchange;
    let name = name_of(summary, exchange);
    let ms = |us: u64| rounded(Some(us as f64 / 1e3));
    let catalogue = &summary.catalogue;
    json!({
        "method": name.method,
        "name": name.name,
        "error": mark.failure.map(|failure| catalogue.sentence(failure)),
        "id": mark.failure.map(|failure| catalogue.id(failure)),
        "kind": mark.failure.map(Failure::kind),
        "kind_title": mark.failure.map(|failure| failure.kind().title()),
        "seen": seen,
        "at_s": rounded(Some(mark.at_us as f64 / 1e6)),
        "response_ms": ms(mark.response_us),
        "service_ms": service_us.map(ms),
        "class": class,
        "user": mark.user,
        "iteration": iteration,
        "attempts": attempts,
        "redirects": redirects,
        "request": request_json(request),
        "answer": answer.as_ref().map(answer_json),
    })
}

fn request_json(request: &Sent) -> Value {
    let Sent { method, url, head, cookies_changed, body, options: _ } = request;
    let Curl { line, note } = curl(request);
    let mut json = json!({
        "method": method,
        "url": url,
        "head": head.lines,
        "head_cut": head.cut,
        "cookies_changed": cookies_changed,
    });
    put_body(&mut json, body);
    json["curl"] = line.into();
    json["curl_note"] = note.into();
    json
}

fn answer_json(answer: &Answer) -> Value {
    let Answer { status, head, body } = answer;
    let mut json = json!({
        "status": status,
        "head": head.as_ref().map(|head| &head.lines),
        "head_cut": head.as_ref().is_some_and(|Head { cut, .. }| *cut),
    });
    put_body(&mut json, body);
    json
}

fn put_body(json: &mut Value, body: &Body) {
    let state = match &body.shown {
        Shown::Whole(_) if body.bytes == 0 => "empty",
        Shown::Whole(_) => "whole",
        Shown::Beginning(_) => "beginning",
        Shown::NotText => "not_text",
        Shown::NotKept => "not_kept",
    };
    json["body"] = body.text().into();
    json["body_is"] = state.into();
    json["body_bytes"] = body.bytes.into();
}
