//! Owns judging thresholds against the summary of a run.

use std::borrow::Cow;

use super::threshold::{Metric, Of, Statistic, Threshold, Timing};
use crate::metrics::{self, Catalogue, Interval, NameStats, Summary};

/// A threshold and what the run showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was asked.
    pub threshold: Threshold,
    /// The figure, in the unit of the threshold's limit; none without data.
    pub value: Option<f64>,
    /// Whether it held.
    pub state: State,
    /// Where the figure is from, when it must hold in windows, or ended the run.
    pub windows: Option<Windows>,
}

/// The windows in which a threshold was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// How many were whole.
    pub judged: u64,
    /// In how many of them it did not hold.
    pub broken: u64,
    /// The seconds of the run, from and up to, that the figure is of: the worst window, or all up to
    /// when it ended the run.
    pub at: Option<(u32, u32)>,
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

/// Judges one threshold over a whole run, whatever it says of when.
#[must_use]
pub fn judge(threshold: &Threshold, summary: &Summary) -> Judged {
    let figures = Figures::of(threshold, &summary.totals, &summary.catalogue, || summary.all());
    let (state, value) = compared(threshold, &figures, summary.loaded.as_secs_f64());
    Judged { threshold: threshold.clone(), value, state, windows: None }
}

/// What one threshold looks at, of some seconds. They can be added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    requests: u64,
    failed: u64,
    /// Those that ended while load was asked for.
    within_load: u64,
    retries: u64,
    arrivals: u64,
    dropped: u64,
    /// The times that it is about; none when it is about none.
    times: Option<metrics::Timing>,
}

impl Figures {
    /// Those of an interval; `all` gives what it holds of all requests.
    pub(super) fn of<'a>(
        threshold: &Threshold,
        interval: &'a Interval,
        catalogue: &Catalogue,
        all: impl FnOnce() -> &'a NameStats,
    ) -> Self {
        let stats = match &threshold.of {
            None => Cow::Borrowed(all()),
            Some(Of::Name(of)) => Cow::Owned(interval.of(catalogue, |name, _| name.is_called(of))),
            Some(Of::Class(of)) => Cow::Owned(interval.of(catalogue, |_, its| its.class == *of)),
            Some(Of::Tag(of)) => Cow::Owned(interval.of(catalogue, |_, its| its.tags.contains(of))),
            Some(Of::Group(of)) => Cow::Owned(interval.group(catalogue, of)),
        };
        let times = match threshold.metric {
            Metric::Time(timing, _) => Some(match timing {
                Timing::Response => stats.response(),
                Timing::OkResponse => stats.response_ok.clone(),
                Timing::Service => stats.service.clone(),
                Timing::Connect => stats.connect.clone(),
                Timing::Tls => stats.tls.clone(),
                Timing::FirstByte => stats.first_byte.clone(),
            }),
            _ => None,
        };
        let whole = threshold.of.is_none();
        Self {
            requests: stats.requests(),
            failed: stats.failed(),
            within_load: stats.within_load().requests,
            // Those of requests that are in no table too: it is the number that is shown.
            retries: if whole { interval.retries } else { stats.retries },
            // Arrivals are of the whole run: none is of a name or a class.
            arrivals: if whole { interval.arrivals } else { 0 },
            dropped: if whole { interval.dropped } else { 0 },
            times,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.within_load += other.within_load;
        self.retries += other.retries;
        self.arrivals += other.arrivals;
        self.dropped += other.dropped;
        match (&mut self.times, &other.times) {
            (Some(times), Some(others)) => times.merge(others),
            (times @ None, others) => times.clone_from(others),
            (Some(_), None) => {}
        }
    }
}

/// How the figure of a threshold stands to its limit, and what it is; load was asked for so long.
pub(super) fn compared(
    threshold: &Threshold,
    figures: &Figures,
    seconds: f64,
) -> (State, Option<f64>) {
    let counted = match threshold.metric {
        Metric::Rps => figures.within_load,
        Metric::Dropped => figures.arrivals,
        _ => figures.requests,
    };
    let nothing_ended = counted == 0 && threshold.op.is_upper();
    let value = match threshold.metric {
        Metric::Requests => Some(figures.requests as f64),
        Metric::Rps if seconds > 0.0 => Some(figures.within_load as f64 / seconds),
        Metric::Rps => Some(0.0),
        Metric::Dropped => (figures.arrivals > 0).then_some(figures.dropped as f64),
        _ if figures.requests == 0 => None,
        Metric::Failures => Some(figures.failed as f64),
        Metric::Retries => Some(figures.retries as f64),
        Metric::ErrorRate => Some(figures.failed as f64 / figures.requests as f64),
        Metric::Time(_, statistic) => figures.times.as_ref().and_then(|all| time(all, statistic)),
    };
    let state = match value {
        None => State::NoData,
        // `rps < 100` holds for a target that never answers: that is no data, not a pass.
        Some(_) if nothing_ended => State::NoData,
        Some(value) if threshold.op.holds(value, threshold.limit) => State::Held,
        Some(_) => State::Broke,
    };
    (state, value)
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
