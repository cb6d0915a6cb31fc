//! Owns `summary.json`: everything that the report shows, as numbers with their units in the keys.

use std::io::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::over_time::{self, Names, OverTime};
use super::{Sink, evidence, figures, findings, search, write_whole};
use crate::control::StopReason;
use crate::event::{Again, Aside, Ended, Event, Started, Steered};
use crate::load::Span;
use crate::metrics::{Failure, Interval, Level, Notice, Row, Summary};
use crate::untrusted::visible_json;
use crate::verdict::{Metric, Of, State, Verdict};

/// The whole report as one JSON value; [`SummaryJson`] and the HTML report are made from it.
///
/// A key that is a figure ends in its unit: `_s`, `_per_s`, `_bytes`, `_cores`, `_fraction`, `_ms`, the
/// percentile or `_max` behind it; without one it is a count, but for `error_rate`, a fraction. What
/// there is not is `null`.
///
/// - `totals`, `names`, `failures`, `exceptions` and `history` are of the requests while load was
///   measured: without `warmup`, `before` and `after`.
/// - `groups` are transactions: their `time_ms_…` are without waits, and they are no requests.
/// - `failures[].examples` are what was seen instead of what the sentence in `error` expects.
/// - `evidence` is `null` when the plan says `evidence: off`. `failed` are the first exchanges of each way
///   of failing, `slowest` the slowest of each name that succeeded, those of `warmup`, `before` and `after`
///   too, by `class`; secrets are `***` in them. `failed_left_out` counts the ways of failing, and
///   `slowest_left_out` the series, of which none is kept. `body_is` says what `body` is of the whole, which has
///   `body_bytes`: `whole`, `beginning`, `empty`, `not_text`, or `not_kept`. A `head` that is `null` was not
///   kept either. `curl` sends the request again, after what `curl_note` says was done.
/// - `warmup` is `null` without one and in a part behind it, `before` and `after` are when the plan has none.
/// - `body_bytes` are as they came over the wire, those of redirects left out; `decoded_bytes` what those became that were decompressed,
///   because something looked at them.
/// - `notices` are what servers did that is odd and no failure, with the number of requests that met it.
/// - `changes` says who changed the load while the run went on.
/// - `search` is `null` in a run that is none. Its levels are users, or arrivals per second; `path` are its
///   looks at them, in order, and `answer.state` is `found`, `all_hold`, `none_holds`, `unsteady`,
///   `cannot_say`, `generator_limit` or `not_over`. No threshold is judged in it.
/// - `run.stopped_by` is the step that ended it, when `run.stopped` is `plan`, or the threshold, when it
///   is `threshold`.
/// - `run.records` of which the figures are made: several when `throng report` put them together; of those
///   `records_cut_off` have no end. `run.part` is the part of the run that is shown, when it is not all:
///   all figures are of it, but `duration_s` is counted from the start of the run.
/// - `validity.state` is `VALID`, `SUSPECT` or `INVALID`; the `reasons` of the last make the exit code 3.
/// - `run.beats` are what was due on a beat: arrivals that a user was free for, and paced iterations.
///   How late they began is the generator's doing, and judged.
/// - `run.arrivals` and the figures of arrivals below it are `null` in a run without any. A late start
///   waited for a free user, which is part of its response time.
/// - `generator` is how this program and its machine fared; `null` is what the system does not tell.
///   `machine_full_s` are the seconds in which its processors were 90 % busy or more.
/// - `thresholds[].state` is `held`, `broke`, `no_data`, `too_few` (samples for a percentile: it has `samples`
///   and takes `samples_needed`) or `not_judged` (on a
///   baseline that was not given, or in a search).
/// - `thresholds[].first_broke_s` is the second at whose end it broke: that of its first broken window, or
///   that since which it did not hold again; `first_broke_value` what the figure was then.
/// - `thresholds[].baseline_value` is the figure that `limit` was taken from.
/// - `thresholds[].windows` are those of `every_s`, and `from_s` and `to_s` the seconds that `value` is of:
///   of the worst window, or all up to when it ended the run.
/// - `findings` are what the figures say of where it is slow and why, the most important first; none of a healthy run.
///   `also` are rules that the same explains, `figures` the numbers of the `sentence` by keys with their units, `where` the chart, the
///   name and the seconds of the run that show it.
/// - `history` has a list for each figure, a value for each step of `step_s` seconds: `time_s` is where a step
///   begins, `seconds` what it covers. `waited_ms_avg` to `other_ms_avg` are where the time of its requests went, on
///   average over all of them: together the mean response time. `late_ms_p99` is how late the generator was.
///   `arrivals_per_s` and `dropped_per_s` are `null` in a run without arrivals, and `asked_users` in one of
///   arrivals alone: nobody asks for those users.
/// - `names[].history` is in the steps of `names_steps`, which are longer when there are many names.
/// - `heat.counts` has for each step of `heat.time_s` the pairs of row and requests: row `r` is of the response times
///   above `least_ms · 10^((r−1)/per_decade)`, up to `least_ms · 10^(r/per_decade)`.
/// - `curve` are the percentiles of all requests, up to the `fraction` that their number carries.
/// - `thresholds[].of_kind` says what `of` is: `name`, `group`, `tag` or `class`.
#[must_use]
pub fn report(started: &Started, ended: &Ended<'_>) -> Value {
    let Ended { summary, verdict, .. } = ended;
    let totals = &summary.totals;
    let (run, names) = (OverTime::of(summary), Names::of(summary));
    let of_arrivals = |count: u64| (totals.arrivals > 0).then_some(count);
    json!({
        "throng": { "version": env!("CARGO_PKG_VERSION") },
        "plan": {
            "name": started.plan_name,
            "file": started.plan_file,
            "profile": started.profile,
            "format": started.plan_format,
            "text": started.plan_text,
        },
        "run": {
            "started": started.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "ended": ended.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "duration_s": rounded(Some(summary.duration.as_secs_f64())),
            "loaded_s": rounded(Some(summary.loaded.as_secs_f64())),
            "planned_s": started.planned.as_secs_f64(),
            "target": started.target,
            "insecure": started.insecure,
            "seed": started.seed,
            "os": (!started.os.is_empty()).then_some(&started.os),
            "workers": started.workers,
            "users_peak": started.users_peak,
            "command_line": started.command_line,
            "iterations": started.iterations,
            "iterations_ended": summary.totals.iterations,
            "labels": started.labels.iter().cloned().map(|(key, value)| (key, Value::String(value))).collect::<serde_json::Map<_, _>>(),
            "stopped": ended.stopped.map(stopped_word),
            "stopped_by": ended.stopped_by,
            "records": ended.again.map_or(1, |again| again.records),
            "records_cut_off": ended.again.map_or(0, |again| again.cut_off),
            "part": ended.again.and_then(|again| again.part).map(|(from, to)| json!({ "from_s": from, "to_s": to })),
            "part_text": figures::part(ended.again),
            "issued": summary.totals.issued,
            "cancelled": summary.totals.cancelled,
            "idle": summary.totals.idle,
            "retries": summary.totals.retries,
            "not_started": summary.totals.not_started,
            "unrecorded": summary.totals.unrecorded,
            "wake_late_ms_p99": rounded(totals.wake_late.quantile_ms(0.99)),
            "beats": totals.beat_late.count(),
            "beat_late_ms_p99": rounded(totals.beat_late.quantile_ms(0.99)),
            "beat_late_ms_max": rounded(totals.beat_late.max_ms()),
            "arrivals": of_arrivals(totals.arrivals),
            "dropped": of_arrivals(totals.dropped),
            "left_out": of_arrivals(totals.left_out),
            "late_starts": of_arrivals(totals.waited.count()),
            "late_start_ms_p99": rounded(totals.waited.quantile_ms(0.99)),
        },
        "verdict": {
            "state": state(ended),
            "exit_code": ended.exit_code,
            "sentence": sentence(ended),
        },
        "findings": findings::findings(ended.findings, summary),
        "validity": { "state": verdict.validity.word(), "reasons": verdict.validity.reasons() },
        "generator": generator(totals),
        "totals": row(&summary.aggregated()),
        "names": summary.rows().iter().map(|one| named(&names, one)).collect::<Vec<_>>(),
        "names_steps": over_time::steps(&names),
        "groups": groups(summary),
        "failures": failures(summary),
        "exceptions": exceptions(summary),
        "evidence": ended.evidence.map(|kept| evidence::evidence(kept, summary)),
        "notices": notices(summary),
        "before": aside(ended.asides, "before"),
        "after": aside(ended.asides, "after"),
        "warmup": ended.warmup.map(|warm| warmup(warm, ended.again)),
        "thresholds": thresholds(verdict),
        "changes": ended.steered.iter().map(steered).collect::<Vec<_>>(),
        "search": ended.search.map(search::value),
        "stages": match ended.search {
            Some(found) => search::stages(found),
            None => started.spans.iter().map(stage).collect(),
        },
        "history": over_time::history(&run),
        "heat": over_time::heat(&run),
        "curve": over_time::curve(&summary.aggregated()),
    })
}

/// A name, and how it went over time.
fn named(names: &Names<'_>, one: &Row) -> Value {
    let mut json = row(one);
    json["spent"] = over_time::spent(one);
    json["history"] = over_time::track(names, one);
    json
}

fn steered(steered: &Steered) -> Value {
    let Steered { at, by, change } = steered;
    json!({ "at_s": rounded(Some(at.as_secs_f64())), "by": by, "change": change })
}

fn generator(totals: &Interval) -> Value {
    let health = &totals.health;
    let most = |level: Option<Level>| level.map(|level| level.most);
    // Of thousandths.
    let mean = |level: Option<Level>| rounded(level.map(|level| level.mean() / 1e3));
    let max = |level: Option<Level>| rounded(level.map(|level| level.most as f64 / 1e3));
    let ms = |us: u64| us as f64 / 1e3;
    json!({
        "cores": health.cores,
        "process_cores_avg": mean(health.process),
        "process_cores_max": max(health.process),
        "machine_busy_fraction_avg": mean(health.machine),
        "machine_busy_fraction_max": max(health.machine),
        "machine_full_s": health.machine.map(|_| health.full_s),
        "stolen_fraction_avg": mean(health.stolen),
        "stolen_fraction_max": max(health.stolen),
        "stall_ms_max": rounded(totals.stall_us.map(ms)),
        "files_max": most(health.files),
        "files_limit": health.files_limit,
        "sockets_max": most(health.sockets),
        "ports": health.ports,
        "memory_bytes_max": most(health.memory),
        "memory_left_bytes_min": health.available.map(|level| level.least),
        "memory_total_bytes": health.memory_total,
        "memory_short_s": health.available.map(|_| health.short_s),
        "throttled_s": health.throttled.map(|held| held.seconds),
        "throttled_times": health.throttled.map(|held| held.times),
        "throttled_ms": rounded(health.throttled.map(|held| ms(held.us))),
        "suspended_s": rounded(health.suspended_ms.map(|ms| ms as f64 / 1e3)),
    })
}

fn stage(span: &Span) -> Value {
    json!({
        "name": span.name,
        "from_s": rounded(Some(span.from.as_secs_f64())),
        "to_s": rounded(Some(span.to.as_secs_f64())),
    })
}

fn stopped_word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "interrupted",
        StopReason::Terminated => "terminated",
        StopReason::Plan => "plan",
        StopReason::Threshold => "threshold",
    }
}

fn state(ended: &Ended<'_>) -> &'static str {
    let Ended { verdict, stopped, .. } = *ended;
    if verdict.validity.is_invalid() {
        "untrusted"
    } else if stopped.is_some_and(|reason| !reason.is_of_the_plan()) {
        "stopped"
    } else if let Some(found) = ended.search {
        match found.is_answered() {
            true => "held",
            false => "broke",
        }
    } else if verdict.broken() > 0 {
        "broke"
    } else if verdict.judged() == 0 {
        "no_thresholds"
    } else {
        "held"
    }
}

/// The verdict in one sentence.
pub(super) fn sentence(ended: &Ended<'_>) -> String {
    let Ended { summary, verdict, stopped, .. } = *ended;
    let all = summary.all();
    let requests = match all.requests() {
        1 => "1 request".to_owned(),
        n => format!("{} requests", figures::count(n)),
    };
    let counts = match all.failed() {
        0 if all.requests() == 0 => "no request ended".to_owned(),
        0 => format!("{requests}, none failed"),
        n => format!("{requests}, {} failed", figures::count(n)),
    };
    let (asked, broken) = (verdict.judged(), verdict.broken());
    let thresholds = match (asked, broken) {
        (0, _) if all.requests() == 0 => "The run shows nothing".to_owned(),
        (0, _) if !verdict.thresholds.is_empty() => "No threshold was judged".to_owned(),
        (0, _) => "No thresholds to judge".to_owned(),
        (1, 0) => "The threshold held".to_owned(),
        (n, 0) => format!("All {n} thresholds held"),
        (1, _) => "The threshold did not hold".to_owned(),
        (n, k) => format!("{k} of {n} thresholds did not hold"),
    };
    let thresholds = match verdict.thresholds.len() - asked {
        0 => thresholds,
        _ if asked == 0 => thresholds,
        1 => format!("{thresholds}, 1 was not judged"),
        n => format!("{thresholds}, {n} were not judged"),
    };
    if let (Some(found), false) = (ended.search, verdict.validity.is_invalid()) {
        return search::sentence(found);
    }
    if verdict.validity.is_invalid() {
        let told = ended.search.map(|found| format!(" {}", search::sentence(found)));
        return format!("The run cannot be trusted: {counts}.{}", told.unwrap_or_default());
    }
    match stopped {
        Some(StopReason::Interrupted | StopReason::Terminated) => {
            format!("Stopped before its end: {counts}.")
        }
        Some(StopReason::Threshold) if asked == 1 => {
            format!("{thresholds}, which ended the run: {counts}.")
        }
        Some(StopReason::Threshold) => {
            format!("A threshold ended the run, {broken} of {asked} did not hold: {counts}.")
        }
        Some(StopReason::Plan) | None => format!("{thresholds}: {counts}."),
    }
}

pub(super) fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!((value * 1e6).round() / 1e6))
}

fn row(row: &Row) -> Value {
    let stats = &row.stats;
    let response = stats.response();
    let at = |quantile| rounded(response.quantile_ms(quantile));
    json!({
        "method": row.name.method,
        "name": row.name.name,
        "requests": stats.requests(),
        "failures": stats.failed(),
        "error_rate": rounded(row.error_rate()),
        "requests_per_s": rounded(Some(row.requests_per_s())),
        "failures_per_s": rounded(Some(row.failures_per_s())),
        "response_ms_avg": rounded(response.mean_ms()),
        "response_ms_min": rounded(response.min_ms()),
        "response_ms_max": rounded(response.max_ms()),
        "response_ms_p50": at(0.5),
        "response_ms_p66": at(0.66),
        "response_ms_p75": at(0.75),
        "response_ms_p80": at(0.8),
        "response_ms_p90": at(0.9),
        "response_ms_p95": at(0.95),
        "response_ms_p98": at(0.98),
        "response_ms_p99": at(0.99),
        "response_ms_p99_9": at(0.999),
        "response_ms_p99_99": at(0.9999),
        "ok_response_ms_p50": rounded(stats.response_ok.quantile_ms(0.5)),
        "ok_response_ms_p95": rounded(stats.response_ok.quantile_ms(0.95)),
        "service_ms_p50": rounded(stats.service.quantile_ms(0.5)),
        "service_ms_p95": rounded(stats.service.quantile_ms(0.95)),
        "connect_ms_p95": rounded(stats.connect.quantile_ms(0.95)),
        "tls_ms_p50": rounded(stats.tls.quantile_ms(0.5)),
        "tls_ms_p95": rounded(stats.tls.quantile_ms(0.95)),
        "first_byte_ms_p95": rounded(stats.first_byte.quantile_ms(0.95)),
        "body_bytes_avg": rounded(Some(row.mean_body())),
        "body_bytes": stats.body_bytes,
        "decoded_bytes": (stats.decoded_bytes > 0).then_some(stats.decoded_bytes),
        "retries": stats.retries,
    })
}

/// Transactions: they have a time, and none of what requests have on the wire.
fn groups(summary: &Summary) -> Vec<Value> {
    let one = |row: &Row| {
        let time = row.stats.response();
        let at = |quantile| rounded(time.quantile_ms(quantile));
        json!({
            "name": row.name.name,
            "count": row.stats.requests(),
            "failures": row.stats.failed(),
            "error_rate": rounded(row.error_rate()),
            "count_per_s": rounded(Some(row.requests_per_s())),
            "time_ms_avg": rounded(time.mean_ms()),
            "time_ms_min": rounded(time.min_ms()),
            "time_ms_max": rounded(time.max_ms()),
            "time_ms_p50": at(0.5),
            "time_ms_p75": at(0.75),
            "time_ms_p90": at(0.9),
            "time_ms_p95": at(0.95),
            "time_ms_p99": at(0.99),
            "time_ms_p99_9": at(0.999),
        })
    };
    summary.groups().iter().map(one).collect()
}

/// What ran once. It has no rates: nobody asked for load.
fn aside(asides: &[Aside], name: &str) -> Value {
    let Some(Aside { summary, .. }) = asides.iter().find(|aside| aside.name == name) else {
        return Value::Null;
    };
    let one = |one: &Row| {
        let mut row = row(one);
        for key in ["requests_per_s", "failures_per_s"] {
            row[key] = Value::Null;
        }
        row
    };
    json!({
        "requests": summary.all().requests(),
        "retries": summary.totals.retries,
        "unrecorded": summary.totals.unrecorded,
        "names": summary.rows().iter().map(one).collect::<Vec<_>>(),
        "groups": groups(summary),
        "failures": failures(summary),
        "exceptions": exceptions(summary),
    })
}

fn warmup(summary: &Summary, again: Option<&Again>) -> Value {
    json!({
        "duration_s": rounded(Some(figures::lasted(summary, again).as_secs_f64())),
        "iterations_ended": summary.totals.iterations,
        "issued": summary.totals.issued,
        "cancelled": summary.totals.cancelled,
        "retries": summary.totals.retries,
        "not_started": summary.totals.not_started,
        "unrecorded": summary.totals.unrecorded,
        "totals": row(&summary.aggregated()),
        "history": over_time::history(&OverTime::of(summary)),
    })
}

fn failures(summary: &Summary) -> Vec<Value> {
    let one = |row: crate::metrics::FailureRow| {
        let kind = row.failure.kind();
        let advice = match row.failure {
            Failure::Fault(fault) => Some(fault.advice()),
            Failure::Status(_) | Failure::Rule(_) => None,
        };
        json!({
            "method": row.name.method,
            "name": row.name.name,
            "error": summary.catalogue.sentence(row.failure),
            "id": summary.catalogue.id(row.failure),
            "kind": kind,
            "kind_title": kind.title(),
            "count": row.seen.count,
            "first_seen_s": row.seen.first_ms as f64 / 1e3,
            "last_seen_s": row.seen.last_ms as f64 / 1e3,
            "examples": row.seen.examples,
            "advice": advice,
        })
    };
    summary.failures().into_iter().map(one).collect()
}

fn exceptions(summary: &Summary) -> Vec<Value> {
    let one = |(message, count): (&String, &u64)| json!({ "message": message, "count": count });
    summary.totals.exceptions.iter().map(one).collect()
}

fn notices(summary: &Summary) -> Vec<Value> {
    let one = |(notice, count): (Notice, u64)| {
        json!({
            "id": notice.id(),
            "count": count,
            "message": notice.sentence(),
            "advice": notice.advice(),
        })
    };
    summary.totals.notices.met().map(one).collect()
}

fn thresholds(verdict: &Verdict) -> Vec<Value> {
    let one = |judged: &crate::verdict::Judged| {
        json!({
            "text": judged.threshold.text,
            "of": judged.threshold.of.as_ref().map(Of::text),
            "of_kind": judged.threshold.of.as_ref().map(Of::kind),
            "every_s": judged.threshold.when.every,
            "after_s": judged.threshold.when.after,
            "abort": judged.threshold.when.abort,
            "during": judged.threshold.during,
            "allow_few": judged.threshold.allow_few,
            "when_text": judged.threshold.when_words().trim_start(),
            "windows": judged.windows.map(|windows| json!({
                "judged": windows.judged,
                "broken": windows.broken,
                "few": windows.few,
                "from_s": windows.at.map(|(from, _)| from),
                "to_s": windows.at.map(|(_, to)| to),
            })),
            "where_text": figures::place(judged),
            "state": match judged.state {
                State::Held => "held",
                State::Broke => "broke",
                State::NoData => "no_data",
                State::TooFew => "too_few",
                State::NotJudged => "not_judged",
            },
            "value": rounded(judged.value),
            "value_text": figures::value(judged),
            "limit": rounded(judged.limit),
            "baseline_value": rounded(judged.baseline),
            "baseline_text": figures::baseline(judged),
            "samples": judged.few.map(|few| few.had),
            "samples_needed": judged.few.map(|few| few.needs),
            "first_broke_s": judged.first.map(|first| first.at_s),
            "first_broke_value": rounded(judged.first.map(|first| first.value)),
            "word": figures::word(judged),
            "unit": match judged.threshold.metric {
                Metric::Time(..) => "ms",
                Metric::Rps => "per_s",
                Metric::ErrorRate => "fraction",
                Metric::Requests | Metric::Failures => "requests",
                Metric::Retries => "retries",
                Metric::Dropped => "arrivals",
            },
            "limit_text": judged.threshold.limit_text(),
        })
    };
    verdict.thresholds.iter().map(one).collect()
}

/// Writes the summary as JSON at the end: to a file, or to stdout.
pub struct SummaryJson {
    path: Option<PathBuf>,
    started: Option<Started>,
}

impl SummaryJson {
    /// For the file at `path`; for stdout when there is none.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, started: None }
    }
}

impl Sink for SummaryJson {
    fn name(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "the summary on stdout".to_owned(), |path| path.display().to_string())
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some((*started).clone()),
            Event::Ended(ended) => {
                let Some(started) = &self.started else { return Ok(()) };
                let text = serde_json::to_string_pretty(&report(started, ended))?;
                let mut text = visible_json(&text).into_owned();
                text.push('\n');
                match &self.path {
                    Some(path) => write_whole(path, &text)?,
                    // As it is in the file: a terminal's colours have no part in data.
                    None => {
                        let mut stdout = io::stdout().lock();
                        stdout.write_all(text.as_bytes())?;
                        stdout.flush()?;
                    }
                }
            }
            Event::Second(_)
            | Event::Aside(_)
            | Event::Log(_)
            | Event::Steered(_)
            | Event::Probed(_)
            | Event::Stopping(..) => {}
        }
        Ok(())
    }
}
