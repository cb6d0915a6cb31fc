//! Owns a run as the rules look at it: plain numbers, made of the summary and the verdict in this place
//! alone.

use super::Case;
use crate::metrics::{FailureKind, NameStats, Summary, Timing};
use crate::verdict::capacity::{Level, Load, Moment, Spent, climb, levels};
use crate::verdict::{Judged, Metric, Of, State, Statistic, threshold, validity};

/// Without a threshold on it a response is slow when the 95th percentile is longer, in milliseconds.
const SLOW_MS: f64 = 300.0;

/// A run, as the rules look at it.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// What load is counted in.
    pub(super) load: Load,
    /// Its seconds in which load was asked for, in order.
    pub(super) moments: Vec<Moment>,
    /// The levels on which the load stood still, the lowest first.
    pub(super) held: Vec<Level>,
    /// The levels that it passed as it rose.
    pub(super) climb: Vec<Level>,
    /// All names together.
    pub(super) all: Series,
    /// Each name that had requests.
    pub(super) names: Vec<Series>,
    /// What the thresholds demand.
    pub(super) limits: Vec<Limit>,
    /// Thresholds that had too few samples.
    pub(super) few: Vec<Few>,
    /// The ways of failing, but for those of the generator, the most frequent first.
    pub(super) failures: Vec<Failed>,
    /// Open form: arrivals that were due.
    pub(super) arrivals: u64,
    /// Open form: arrivals that were never started.
    pub(super) dropped: u64,
    /// How the generator fared.
    pub(super) generator: Generator,
}

/// The requests of one name, or of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    /// `GET /todos`; empty for all.
    pub(super) name: String,
    /// Requests that ended.
    pub(super) requests: u64,
    /// Response times: of those that succeeded, and of all when none did.
    pub(super) response: Timing,
    /// How often a connection was opened.
    pub(super) opened: u64,
    /// The median time of that, in milliseconds.
    pub(super) connect_ms: f64,
    /// How often TLS was agreed on.
    pub(super) agreed: u64,
    /// The median time of that.
    pub(super) tls_ms: f64,
    /// Bytes of their bodies.
    pub(super) body_bytes: u64,
    /// What their time went into.
    pub(super) spent: Spent,
}

/// What a threshold demands of response times up to the 95th percentile.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// The name that it is of, none for all.
    pub(super) name: Option<String>,
    /// The most that is allowed, in milliseconds.
    pub(super) most_ms: f64,
}

/// A threshold with too few samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Few {
    /// `p99.9 < 1s`, and what it is of.
    pub(super) text: String,
    pub(super) had: u64,
    pub(super) needs: u64,
}

/// A way of failing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failed {
    /// `status 503`
    pub(super) what: String,
    pub(super) count: u64,
    pub(super) first_s: f64,
}

/// How the generator fared.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Generator {
    /// What of it makes the run invalid, each a sentence.
    pub(super) invalid: Vec<String>,
    /// What of it makes the run suspect.
    pub(super) suspect: Vec<String>,
    /// The share of the processors it may use that it used, in the mean.
    pub(super) busy: Option<f64>,
    /// How late users woke from their waits and began what was due: the median and the 90th
    /// percentile, in milliseconds.
    pub(super) late_ms: Option<(f64, f64)>,
}

impl Run {
    /// The run of a case.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let Case { summary, verdict, .. } = case;
        let totals = &summary.totals;
        let load = if totals.arrivals > 0 { Load::Rate } else { Load::Users };
        let moments = moments(summary);
        let names = summary.rows().into_iter().map(|row| {
            let name = format!("{} {}", row.name.method, row.name.name).trim().to_owned();
            series(name, &row.stats)
        });
        let failures = summary.failures().into_iter().filter_map(|row| {
            (row.failure.kind() != FailureKind::Generator).then(|| Failed {
                what: summary.catalogue.sentence(row.failure),
                count: row.seen.count,
                first_s: row.seen.first_ms as f64 / 1e3,
            })
        });
        Self {
            load,
            all: series(String::new(), summary.all()),
            names: names.collect(),
            limits: verdict.thresholds.iter().filter_map(limit).collect(),
            few: verdict.thresholds.iter().filter_map(few).collect(),
            failures: together(failures),
            arrivals: totals.arrivals,
            dropped: totals.dropped,
            generator: generator(summary),
            held: levels(&moments, load),
            climb: climb(&moments),
            moments,
        }
    }

    /// The most that a response may take in the 95th percentile before it is slow, in milliseconds: what
    /// a threshold demands of the name or of all, else what people wait without noticing much.
    pub(super) fn slow_ms(&self, name: Option<&str>) -> f64 {
        let is_of = |limit: &&Limit| match (&limit.name, name) {
            (None, _) => true,
            (Some(of), Some(name)) => of == name || name.ends_with(&format!(" {of}")),
            (Some(_), None) => false,
        };
        let own = self.limits.iter().filter(|limit| limit.name.is_some()).filter(is_of);
        let least = |limits: &mut dyn Iterator<Item = &Limit>| {
            limits.map(|limit| limit.most_ms).reduce(f64::min)
        };
        let own = name.and_then(|_| least(&mut { own }));
        let of_all = || least(&mut self.limits.iter().filter(|limit| limit.name.is_none()));
        own.or_else(of_all).unwrap_or(SLOW_MS)
    }

    /// Whether responses are slow: the 95th percentile is longer than it may be. What no threshold
    /// demands must be certain, by two standard errors of how many are longer.
    pub(super) fn is_slow(&self, response: &Timing, name: Option<&str>) -> bool {
        let most = self.slow_ms(name);
        if !response.quantile_ms(0.95).is_some_and(|p95| p95 > most) {
            return false;
        }
        let longer = |(us, count): &(u64, u64)| if *us as f64 / 1e3 > most { *count } else { 0 };
        let over = response.counts().iter().map(longer).sum::<u64>() as f64;
        let count = response.count() as f64;
        most != SLOW_MS || over > 0.05 * count + 2.0 * (0.05 * 0.95 * count).sqrt()
    }

    /// The levels to hold against each other: where the load stood still on three at least, those; else
    /// those that it passed as it rose, or the two.
    pub(super) fn levels(&self) -> &[Level] {
        match (self.held.len(), self.climb.len()) {
            (3.., _) => &self.held,
            (_, 3..) => &self.climb,
            (2, _) => &self.held,
            _ => &[],
        }
    }

    /// Whether these are levels on which it stood still.
    pub(super) fn is_held(&self) -> bool {
        self.held.len() >= 3 || self.climb.len() < 3
    }
}

/// The whole seconds of a run in which load was asked for.
fn moments(summary: &Summary) -> Vec<Moment> {
    let points = summary.history.ended(summary.duration);
    let begin = points.first().map_or(0.0, |(point, _)| f64::from(point.from_s));
    let end = begin + summary.loaded.as_secs_f64();
    let is_open = summary.totals.arrivals > 0;
    let within = points.into_iter().filter(|(point, seconds)| {
        *seconds > 0.0 && f64::from(point.from_s) + seconds <= end + 0.05
    });
    within
        .map(|(point, seconds)| Moment {
            from_s: point.from_s,
            to_s: point.to_s,
            seconds,
            load: if is_open { 0.0 } else { point.users },
            users: point.users,
            dropped: 0,
            requests: point.requests,
            failures: point.failures,
            response: point.response(),
            body_bytes: 0,
            spent: Spent::default(),
        })
        .collect()
}

fn series(name: String, stats: &NameStats) -> Series {
    let sum = |timing: &Timing| timing.mean_ms().unwrap_or(0.0) * timing.count() as f64;
    let median = |timing: &Timing| timing.quantile_ms(0.5).unwrap_or(0.0);
    let all = stats.response();
    Series {
        name,
        requests: stats.requests(),
        spent: Spent {
            waited: 0.0,
            connect: sum(&stats.connect),
            tls: sum(&stats.tls),
            first_byte: sum(&stats.first_byte),
            service: sum(&stats.service),
            response: sum(&all),
        },
        response: if stats.response_ok.is_empty() { all } else { stats.response_ok.clone() },
        opened: stats.connect.count(),
        connect_ms: median(&stats.connect),
        agreed: stats.tls.count(),
        tls_ms: median(&stats.tls),
        body_bytes: stats.body_bytes,
    }
}

/// What a threshold demands of response times, if it is one on them.
fn limit(judged: &Judged) -> Option<Limit> {
    let threshold = &judged.threshold;
    let (is_upper, most_ms) = (threshold.op.is_upper(), judged.limit?);
    let name = match &threshold.of {
        None => None,
        Some(Of::Name(name)) => Some(name.clone()),
        Some(_) => return None,
    };
    let is_response = match threshold.metric {
        Metric::Time(timing, statistic) => {
            matches!(timing, threshold::Timing::Response | threshold::Timing::OkResponse)
                && match statistic {
                    Statistic::Percentile(quantile) => quantile <= 0.95,
                    Statistic::Avg => true,
                    Statistic::Min | Statistic::Max => false,
                }
        }
        _ => false,
    };
    (is_response && is_upper).then_some(Limit { name, most_ms })
}

fn few(judged: &Judged) -> Option<Few> {
    let (State::TooFew, Some(few)) = (judged.state, judged.few) else { return None };
    let threshold = &judged.threshold;
    let of = threshold.of.as_ref().map_or(String::new(), |of| format!(" of {}", of.text()));
    Some(Few { text: format!("{}{of}", threshold.text), had: few.had, needs: few.needs })
}

/// One way of failing is one, of however many names.
fn together(failures: impl Iterator<Item = Failed>) -> Vec<Failed> {
    let mut all: Vec<Failed> = Vec::new();
    for one in failures {
        match all.iter_mut().find(|known| known.what == one.what) {
            Some(known) => {
                known.count += one.count;
                known.first_s = known.first_s.min(one.first_s);
            }
            None => all.push(one),
        }
    }
    all.sort_by_key(|failed| std::cmp::Reverse(failed.count));
    all
}

fn generator(summary: &Summary) -> Generator {
    let totals = &summary.totals;
    let (invalid, suspect) = validity::of_generator(summary);
    let busy = match (totals.health.process, totals.health.cores) {
        (Some(process), Some(cores)) if cores > 0 => Some(process.mean() / 1e3 / cores as f64),
        _ => None,
    };
    let mut late = totals.wake_late.clone();
    late.merge(&totals.beat_late);
    let late_ms = late.quantile_ms(0.5).zip(late.quantile_ms(0.9));
    // Of few waits nothing is known.
    let late_ms = late_ms.filter(|_| late.count() >= 100);
    Generator { invalid, suspect, busy, late_ms }
}

impl Series {
    /// Their 95th percentile, in milliseconds; 0 without requests.
    pub(super) fn p95(&self) -> f64 {
        self.response.quantile_ms(0.95).unwrap_or(0.0)
    }

    /// Their median.
    pub(super) fn p50(&self) -> f64 {
        self.response.quantile_ms(0.5).unwrap_or(0.0)
    }
}

/// How much the logarithm of response times is spread: that of a log-normal distribution with the same
/// median and 90th percentile, 0.1 at least.
pub(super) fn spread(response: &Timing) -> f64 {
    let quantile = |quantile| response.quantile_ms(quantile).unwrap_or(0.0).max(1e-6);
    ((quantile(0.9) / quantile(0.5)).ln() / 1.2816).clamp(0.1, 3.0)
}

/// Whether the median of the one is longer than `times` that of the other by more than chance: four
/// standard errors, √(π/2)·σ/√n for the logarithm of each.
pub(super) fn is_longer(response: &Timing, than: &Timing, times: f64) -> bool {
    let (Some(one), Some(other)) = (response.quantile_ms(0.5), than.quantile_ms(0.5)) else {
        return false;
    };
    let error = |timing: &Timing| 1.2533 * spread(timing) / (timing.count() as f64).sqrt();
    (one / (other * times).max(1e-6)).ln() > 4.0 * error(response).hypot(error(than))
}
