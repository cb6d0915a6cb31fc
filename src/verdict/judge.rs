//! Owns judging thresholds against the summary of a run.

use super::compare::{Compared, Second};
use super::threshold::{Metric, Of, Statistic, Threshold, Timing};
use crate::metrics::{self, Catalogue, Interval, NameStats, Summary};

/// A threshold and what the run showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was asked.
    pub threshold: Threshold,
    /// The figure, in the unit of the threshold's limit; none without data.
    pub value: Option<f64>,
    /// How it came out.
    pub state: State,
    /// The limit as a number; none when it is that of a baseline which there is not.
    pub limit: Option<f64>,
    /// The figure of the baseline, when the limit is taken from it.
    pub baseline: Option<f64>,
    /// How the two figures were compared, when that was done as runs are.
    pub compared: Option<Compared>,
    /// How many samples there were and how many it takes, when there were too few.
    pub few: Option<Few>,
    /// Since when it is broken, when it is.
    pub first: Option<First>,
    /// Where the figure is from, when it must hold in windows, or ended the run.
    pub windows: Option<Windows>,
}

/// Too few samples for a percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Few {
    /// How many there were.
    pub had: u64,
    /// How many it takes.
    pub needs: u64,
}

/// When a threshold broke.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct First {
    /// The second of the run at whose end it broke: that of its first broken window, or that since which
    /// it did not hold again over all.
    pub at_s: u32,
    /// The figure at that time.
    pub value: f64,
}

/// The windows in which a threshold was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// How many were whole.
    pub judged: u64,
    /// In how many of them it did not hold.
    pub broken: u64,
    /// In how many of them there were too few samples.
    pub few: u64,
    /// The seconds of the run, from and up to, that the figure is of: the worst window, or all up to
    /// when it ended the run.
    pub at: Option<(u32, u32)>,
}

/// How a threshold came out. What is broken is broken however few samples show it.
///
/// | a figure | keeps the limit | samples | state |
/// |---|---|---|---|
/// | of a limit that is not known | | | `NotJudged` |
/// | none | | | `NoData` |
/// | one | no | any | `Broke` |
/// | one | yes | too few | `TooFew` |
/// | one | yes | enough | `Held` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The figure keeps the limit.
    Held,
    /// It does not.
    Broke,
    /// There is no figure. That is not a pass (law 7).
    NoData,
    /// It keeps the limit, and so few samples do not say that the target does. That is no pass either.
    TooFew,
    /// The limit is taken from a baseline, and there is none; or the run is a search, which breaks limits
    /// on purpose.
    NotJudged,
}

impl State {
    /// It does not keep a run from passing.
    #[must_use]
    pub fn passes(self) -> bool {
        match self {
            Self::Held | Self::NotJudged => true,
            Self::Broke | Self::NoData | Self::TooFew => false,
        }
    }
}

impl Judged {
    pub(super) fn new(threshold: &Threshold, stands: Stands) -> Self {
        let Stands { state, value, few } = stands;
        let (limit, threshold) = (threshold.limit.fixed(), threshold.clone());
        let (baseline, compared, first, windows) = (None, None, None, None);
        Self { threshold, value, state, limit, baseline, compared, few, first, windows }
    }
}

impl Judged {
    /// One that this run is no judge of.
    #[must_use]
    pub fn not_judged(threshold: &Threshold) -> Self {
        Self::new(threshold, Stands { state: State::NotJudged, value: None, few: None })
    }
}

/// Judges one threshold over a whole run, whatever it says of when.
#[must_use]
pub fn judge(threshold: &Threshold, summary: &Summary) -> Judged {
    let pick = Pick::of(threshold, &summary.catalogue);
    let figures = Figures::of(threshold, &pick, &summary.totals, || summary.all());
    Judged::new(threshold, compared(threshold, &figures, summary.loaded.as_secs_f64()))
}

/// Which series of a run a threshold looks at, by number in its catalogue.
#[derive(Debug, Clone)]
pub(super) enum Pick {
    All,
    Names(Vec<u16>),
    Group(Option<u16>),
}

impl Pick {
    pub(super) fn of(threshold: &Threshold, catalogue: &Catalogue) -> Self {
        let number = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        let facets = |wanted: &dyn Fn(&metrics::Facet) -> bool| {
            let those = catalogue.facets.iter().enumerate().filter(|(_, facet)| wanted(facet));
            Self::Names(those.map(|(at, _)| number(at)).collect())
        };
        match &threshold.of {
            None => Self::All,
            Some(Of::Name(of)) => {
                let those = catalogue.names.iter().enumerate().filter(|(_, one)| one.is_called(of));
                Self::Names(those.map(|(at, _)| number(at)).collect())
            }
            Some(Of::Class(of)) => facets(&|facet| facet.class == *of),
            Some(Of::Tag(of)) => facets(&|facet| facet.tags.contains(of)),
            Some(Of::Group(of)) => {
                Self::Group(catalogue.groups.iter().position(|group| group == of).map(number))
            }
        }
    }
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
        pick: &Pick,
        interval: &'a Interval,
        all: impl FnOnce() -> &'a NameStats,
    ) -> Self {
        let mut figures = Self::default();
        match pick {
            Pick::All => {
                figures.add(threshold, all());
                // Those of requests that are in no table too: it is the number that is shown.
                figures.retries = interval.retries;
                // Arrivals are of the whole run: none is of a name or a class.
                (figures.arrivals, figures.dropped) = (interval.arrivals, interval.dropped);
            }
            Pick::Names(numbers) => {
                for stats in numbers.iter().filter_map(|number| interval.names.get(number)) {
                    figures.add(threshold, stats);
                }
            }
            Pick::Group(number) => {
                let stats = number.and_then(|number| interval.groups.get(&number));
                stats.into_iter().for_each(|stats| figures.add(threshold, stats));
            }
        }
        figures
    }

    fn add(&mut self, threshold: &Threshold, stats: &NameStats) {
        self.requests += stats.requests();
        self.failed += stats.failed();
        self.within_load += stats.within_load().requests;
        self.retries += stats.retries;
        let Metric::Time(timing, _) = threshold.metric else { return };
        let times = self.times.get_or_insert_default();
        match timing {
            Timing::Response => {
                times.merge(&stats.response_ok);
                times.merge(&stats.response_failed);
            }
            Timing::OkResponse => times.merge(&stats.response_ok),
            Timing::Service => times.merge(&stats.service),
            Timing::Connect => times.merge(&stats.connect),
            Timing::Tls => times.merge(&stats.tls),
            Timing::FirstByte => times.merge(&stats.first_byte),
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

    /// The figure that the threshold looks at; load was asked for so long. None without data.
    pub(super) fn value(&self, threshold: &Threshold, seconds: f64) -> Option<f64> {
        match threshold.metric {
            Metric::Requests => Some(self.requests as f64),
            Metric::Rps if seconds > 0.0 => Some(self.within_load as f64 / seconds),
            Metric::Rps => Some(0.0),
            Metric::Dropped => (self.arrivals > 0).then_some(self.dropped as f64),
            _ if self.requests == 0 => None,
            Metric::Failures => Some(self.failed as f64),
            Metric::Retries => Some(self.retries as f64),
            Metric::ErrorRate => Some(self.failed as f64 / self.requests as f64),
            Metric::Time(_, statistic) => self.times.as_ref().and_then(|all| time(all, statistic)),
        }
    }

    /// As runs are compared by it.
    pub(super) fn second(&self, threshold: &Threshold) -> Second {
        let is_rate = threshold.metric == Metric::Rps;
        Second {
            requests: if is_rate { self.within_load } else { self.requests },
            failed: self.failed,
            times: self.times.clone().unwrap_or_default(),
        }
    }

    /// How many samples there are, when the threshold takes more than that.
    pub(super) fn few(&self, threshold: &Threshold) -> Option<Few> {
        let needs = threshold.samples_needed()?;
        let had = self.times.as_ref().map_or(0, metrics::Timing::count);
        (had < needs).then_some(Few { had, needs })
    }
}

/// How a figure stands to its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stands {
    pub(super) state: State,
    pub(super) value: Option<f64>,
    pub(super) few: Option<Few>,
}

/// How the figure of a threshold stands to its limit, and what it is; load was asked for so long.
pub(super) fn compared(threshold: &Threshold, figures: &Figures, seconds: f64) -> Stands {
    stands(threshold, figures, seconds, threshold.limit.fixed())
}

/// The same with a limit that is known now.
pub(super) fn stands(
    threshold: &Threshold,
    figures: &Figures,
    seconds: f64,
    limit: Option<f64>,
) -> Stands {
    let counted = match threshold.metric {
        Metric::Rps => figures.within_load,
        Metric::Dropped => figures.arrivals,
        _ => figures.requests,
    };
    let nothing_ended = counted == 0 && threshold.op.is_upper();
    let value = figures.value(threshold, seconds);
    let few = figures.few(threshold);
    let (state, few) = match (limit, value) {
        (None, _) => (State::NotJudged, None),
        (_, None) => (State::NoData, None),
        // `rps < 100` holds for a target that never answers: that is no data, not a pass.
        _ if nothing_ended => (State::NoData, None),
        (Some(limit), Some(value)) if !threshold.holds(value, limit) => (State::Broke, None),
        _ if few.is_some() => (State::TooFew, few),
        _ => (State::Held, None),
    };
    Stands { state, value, few }
}

/// That statistic of times, in milliseconds; none without any.
pub(super) fn time(timing: &metrics::Timing, statistic: Statistic) -> Option<f64> {
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
