//! Owns judging thresholds against the summary of a run.

use std::borrow::Cow;

use super::threshold::{Metric, Of, Statistic, Threshold, Timing};
use crate::metrics::{self, NameStats, Summary};

/// A threshold and what the run showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was asked.
    pub threshold: Threshold,
    /// The figure, in the unit of the threshold's limit; none without data.
    pub value: Option<f64>,
    /// Whether it held.
    pub state: State,
}

/// How a threshold came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The figure keeps the limit.
    Held,
    /// It does not.
    Broke,
    /// There is no figure. That is not a pass (law 7).
    NoData,
}

/// Judges one threshold.
#[must_use]
pub fn judge(threshold: &Threshold, summary: &Summary) -> Judged {
    let stats = match &threshold.of {
        None => Cow::Borrowed(summary.all()),
        Some(Of::Name(of)) => Cow::Owned(summary.of(|name, _| name.is_called(of))),
        Some(Of::Class(of)) => Cow::Owned(summary.of(|_, facet| facet.class == *of)),
        Some(Of::Tag(of)) => Cow::Owned(summary.of(|_, facet| facet.tags.contains(of))),
        Some(Of::Group(of)) => Cow::Owned(summary.group(of)),
    };
    let counted = match threshold.metric {
        Metric::Rps => stats.within_load().requests,
        Metric::Dropped => summary.totals.arrivals,
        _ => stats.requests(),
    };
    let nothing_ended = counted == 0 && threshold.op.is_upper();
    let value = match (threshold.metric, &threshold.of) {
        // Those of requests that are in no table too: it is the number that is shown.
        (Metric::Retries, None) if counted > 0 => Some(summary.totals.retries as f64),
        // Arrivals are of the whole run: none is of a name or a class.
        (Metric::Dropped, None) if counted > 0 => Some(summary.totals.dropped as f64),
        (metric, _) => figure(metric, &stats, summary.loaded.as_secs_f64()),
    };
    let state = match value {
        None => State::NoData,
        // `rps < 100` holds for a target that never answers: that is no data, not a pass.
        Some(_) if nothing_ended => State::NoData,
        Some(value) if threshold.op.holds(value, threshold.limit) => State::Held,
        Some(_) => State::Broke,
    };
    Judged { threshold: threshold.clone(), value, state }
}

fn figure(metric: Metric, stats: &NameStats, seconds: f64) -> Option<f64> {
    let requests = stats.requests();
    let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    match metric {
        Metric::Requests => Some(requests as f64),
        Metric::Rps => Some(rate(stats.within_load().requests)),
        Metric::Dropped => None,
        _ if requests == 0 => None,
        Metric::Failures => Some(stats.failed() as f64),
        Metric::Retries => Some(stats.retries as f64),
        Metric::ErrorRate => Some(stats.failed() as f64 / requests as f64),
        Metric::Time(timing, statistic) => match timing {
            Timing::Response => time(&stats.response(), statistic),
            Timing::OkResponse => time(&stats.response_ok, statistic),
            Timing::Service => time(&stats.service, statistic),
            Timing::Connect => time(&stats.connect, statistic),
            Timing::FirstByte => time(&stats.first_byte, statistic),
        },
    }
}

fn time(timing: &metrics::Timing, statistic: Statistic) -> Option<f64> {
    match statistic {
        Statistic::Percentile(quantile) => timing.quantile_ms(quantile),
        Statistic::Avg => timing.mean_ms(),
        Statistic::Min => timing.min_ms(),
        Statistic::Max => timing.max_ms(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Catalogue, Interval, RequestName};
    use std::time::Duration;

    fn summary() -> Summary {
        let name =
            |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
        let names = vec![name("GET", "/a"), name("POST", "/a"), name("GET", "/quiet")];
        let mut summary = Summary::new(Catalogue { names, ..Catalogue::default() });
        let mut interval = Interval::second(0);
        for ms in 1..=100 {
            interval.names.entry(0).or_default().response_ok.record(Duration::from_millis(ms));
        }
        let post = interval.names.entry(1).or_default();
        post.response_failed.record(Duration::from_millis(900));
        post.retries = 2;
        interval.retries = 5;
        summary.add(&interval);
        summary.loaded = Duration::from_secs(2);
        summary
    }

    fn judged(text: &str, of: Option<&str>) -> (State, Option<f64>) {
        let threshold = Threshold {
            of: of.map(|of| Of::Name(of.to_owned())),
            ..Threshold::parse(text).unwrap()
        };
        let judged = judge(&threshold, &summary());
        (judged.state, judged.value.map(|value| (value * 10.0).round() / 10.0))
    }

    #[test]
    fn figures_are_of_all_requests_or_of_one_name() {
        assert_eq!(judged("max < 1s", None), (State::Held, Some(900.0)));
        assert_eq!(judged("p50 < 40ms", Some("GET /a")), (State::Broke, Some(50.0)));
        assert_eq!(judged("requests >= 101", Some("/a")), (State::Held, Some(101.0)));
        assert_eq!(judged("error_rate < 0.1%", Some("POST /a")), (State::Broke, Some(1.0)));
        assert_eq!(judged("rps > 50", None), (State::Held, Some(50.5)));
        assert_eq!(judged("failures < 1", None), (State::Broke, Some(1.0)));
        assert_eq!(judged("ok.max < 500ms", None), (State::Held, Some(100.0)));
        assert_eq!(judged("retries < 5", None), (State::Broke, Some(5.0)));
        assert_eq!(judged("retries < 5", Some("/a")), (State::Held, Some(2.0)));
    }

    #[test]
    fn arrivals_are_dropped_or_there_were_none() {
        let open = |arrivals: u64, dropped: u64, text: &str| {
            let mut summary = Summary::new(Catalogue::default());
            let mut interval = Interval::second(0);
            (interval.arrivals, interval.dropped) = (arrivals, dropped);
            summary.add(&interval);
            let judged = judge(&Threshold::parse(text).unwrap(), &summary);
            (judged.state, judged.value)
        };
        assert_eq!(open(50, 0, "dropped == 0"), (State::Held, Some(0.0)));
        assert_eq!(open(50, 50, "dropped < 1"), (State::Broke, Some(50.0)), "none ended either");
        assert_eq!(open(50, 3, "dropped <= 3"), (State::Held, Some(3.0)));
        for text in ["dropped == 0", "dropped < 1", "dropped > 0"] {
            assert_eq!(open(0, 0, text), (State::NoData, None), "{text} without arrivals");
        }
        assert_eq!(judged("dropped < 1", Some("/a")), (State::NoData, None));
    }

    /// Law 7: no data is not a pass.
    #[test]
    fn no_data_is_not_a_pass() {
        let mut late = summary();
        let mut interval = Interval::second(1);
        let stats = interval.names.entry(2).or_default();
        stats.response_ok.record(Duration::from_secs(2));
        stats.after_load.requests = 1;
        late.add(&interval);
        let threshold = Threshold {
            of: Some(Of::Name("/quiet".into())),
            ..Threshold::parse("rps < 9").unwrap()
        };
        assert_eq!(judge(&threshold, &late).state, State::NoData, "it ended after the load");
        for text in ["p95 < 500ms", "error_rate < 1%", "failures < 1", "retries < 1", "avg < 1s"] {
            assert_eq!(judged(text, Some("/quiet")).0, State::NoData, "{text}");
        }
        assert_eq!(judged("rps > 1", Some("/quiet")), (State::Broke, Some(0.0)));
        assert_eq!(judged("rps < 9", Some("/quiet")), (State::NoData, Some(0.0)));
        assert_eq!(judged("requests <= 9", Some("/quiet")), (State::NoData, Some(0.0)));
        assert_eq!(judged("connect.p95 < 1s", None).0, State::NoData);
    }
}
