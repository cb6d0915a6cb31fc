//! Owns a run as the rules look at it: plain numbers, made of the summary and the verdict in this place
//! alone.

use std::time::Duration;

use super::limits::Limit;
use super::{Case, Sought};
use crate::metrics::{self, FailureKind, NameStats, Point, RequestName, Summary, Timing};
use crate::verdict::capacity::{Level, Load, Moment, Spent, climb, levels, levels_of};
use crate::verdict::validity::{self, Reason};
use crate::verdict::{Judged, Stage, State, Threshold};

/// A level is held against one with so many times less load at least: nearer ones differ by little but chance.
pub(super) const APART: f64 = 1.4;

/// Levels on which the load stood still show the whole of it when they reach so large a share of the highest.
const HIGH: f64 = 0.9;

/// A run, as the rules look at it.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// What load is counted in.
    pub(super) load: Load,
    /// It raised the load until something broke.
    pub(super) is_search: bool,
    /// Its seconds in which load was asked for, in order; of a search those of its looks.
    pub(super) moments: Vec<Moment>,
    /// The seconds in which its stages begin.
    pub(super) cuts: Vec<u32>,
    /// The levels on which the load stood still, the lowest first.
    pub(super) held: Vec<Level>,
    /// The levels that it passed as it rose; none of a search, which goes up and down.
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
    /// Response times: of those that succeeded, and of all when none did; in all looks of a search.
    pub(super) response: Timing,
    /// How often a connection was opened.
    pub(super) opened: u64,
    /// The median time of that, in milliseconds.
    pub(super) connect_ms: f64,
    /// The 99th percentile of it.
    pub(super) connect_p99_ms: f64,
    /// How often TLS was agreed on.
    pub(super) agreed: u64,
    /// The median time of that.
    pub(super) tls_ms: f64,
    /// Bytes of their bodies.
    pub(super) body_bytes: u64,
    /// What their time went into.
    pub(super) spent: Spent,
    /// Response times under the lowest load and under the highest, where the load rose.
    pub(super) ends: Option<[Timing; 2]>,
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
    /// What of it makes the run invalid; of a search what ended it.
    pub(super) invalid: Vec<Reason>,
    /// What of it makes the run suspect.
    pub(super) suspect: Vec<Reason>,
    /// The share of what it may use of processors, at most one a worker, that it used under the highest
    /// load, in the mean.
    pub(super) busy: Option<f64>,
    /// Its workers, when they are fewer than the processors that it may use.
    pub(super) few_workers: Option<u64>,
    /// How late what was due on a beat began then, or users woke from their waits: the median, in
    /// milliseconds.
    pub(super) late_ms: Option<f64>,
    /// When that was.
    pub(super) at: Option<(u32, u32)>,
}

impl Series {
    /// The name of a series: `GET /todos`.
    pub(super) fn called(name: &RequestName) -> String {
        format!("{} {}", name.method, name.name).trim().to_owned()
    }
}

impl Run {
    /// The run of a case.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let Case { summary, verdict, .. } = case;
        let totals = &summary.totals;
        let load = if totals.arrivals > 0 { Load::Rate } else { Load::Users };
        let moments = moments(summary);
        let second = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let stretch = |stage: &Stage| (second(stage.from), second(stage.to));
        let stretches: Vec<(u32, u32)> = case.stages.iter().map(stretch).collect();
        let cuts: Vec<u32> = stretches.iter().map(|(from, _)| *from).collect();
        let failures = summary.failures().into_iter().filter_map(|row| {
            (row.failure.kind() != FailureKind::Generator).then(|| Failed {
                what: summary.catalogue.sentence(row.failure),
                count: row.seen.count,
                first_s: row.seen.first_ms as f64 / 1e3,
            })
        });
        let limit = |judged| Limit::of_judged(judged, summary);
        let limits = verdict.thresholds.iter().filter_map(limit);
        let mut run = Self {
            load,
            is_search: false,
            all: series(String::new(), summary.all(), &totals.waited),
            names: names(summary, &moments),
            limits: limits.collect(),
            few: verdict.thresholds.iter().filter_map(few).collect(),
            failures: together(failures),
            arrivals: totals.arrivals,
            dropped: totals.dropped,
            generator: generator(summary, &moments, case.workers),
            held: levels(&moments, load, &cuts),
            cuts,
            climb: climb(&moments),
            moments,
        };
        if let Some(sought) = case.sought {
            run.search(summary, sought, &stretches);
        }
        run
    }

    /// It is a search with such looks, from and up to these seconds. Between them the load changes, and what was
    /// asked for before is still worked off.
    fn search(&mut self, summary: &Summary, sought: Sought<'_>, looks: &[(u32, u32)]) {
        let Sought { must, broke, strained } = sought;
        self.is_search = true;
        self.moments.retain(|moment| {
            looks.iter().any(|(from, to)| moment.from_s >= *from && moment.to_s <= *to)
        });
        (self.held, self.climb) = (levels_of(&self.moments, looks), Vec::new());
        self.all.response = Timing::default();
        self.moments.iter().for_each(|moment| self.all.response.merge(&moment.response));
        let limit = |one: &Threshold| Limit::of(one, one.limit.fixed(), broke, summary);
        self.limits = must.iter().filter_map(limit).collect();
        self.generator.invalid = strained.map(Reason::of_strain).into_iter().collect();
    }

    /// The levels to hold against each other: where the load stood still on three at least, and on nearly
    /// its highest, those; else those that it passed as it rose, or the two.
    pub(super) fn levels(&self) -> &[Level] {
        match (self.is_held(), self.held.len()) {
            (false, _) => &self.climb,
            (true, 2..) => &self.held,
            (true, _) => &[],
        }
    }

    /// Whether these are levels on which it stood still.
    pub(super) fn is_held(&self) -> bool {
        let top = |levels: &[Level]| levels.last().map_or(0.0, |level| level.load);
        let is_whole = self.held.len() >= 3 && top(&self.held) >= HIGH * top(&self.climb);
        is_whole || self.climb.len() < 3
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
            load: if is_open { point.arrivals as f64 / seconds } else { users(&point) },
            users: point.users,
            dropped: point.dropped,
            requests: point.requests,
            failures: point.failures.saturating_sub(point.kinds[FailureKind::Generator as usize]),
            response: point.response(),
            body_bytes: point.body_bytes,
            spent: spent(&point.spent),
        })
        .collect()
}

/// Users come and go within what was asked for; what counts is when they are not there, or still there.
fn users(point: &Point) -> f64 {
    let off = (point.users - point.asked_users).abs();
    if off <= (point.asked_users * 0.05).max(1.0) { point.asked_users } else { point.users }
}

fn spent(spent: &metrics::Spent) -> Spent {
    let ms = |ns: u64| ns as f64 / 1e6;
    Spent {
        waited: ms(spent.waited_ns),
        connect: ms(spent.connect_ns),
        tls: ms(spent.tls_ns),
        // Who waits in vain for an answer waits for its first byte.
        first_byte: ms(spent.first_byte_ns.saturating_add(spent.unanswered_ns)),
        service: ms(spent.service_ns),
        response: ms(spent.response_ns),
    }
}

/// With more names than this only the whole run is looked at of each.
const NAMES: usize = 200;

fn names(summary: &Summary, moments: &[Moment]) -> Vec<Series> {
    let rows = summary.rows();
    let ends = ends(moments).filter(|_| rows.len() <= NAMES);
    let steps = summary.tracks.steps(summary.duration);
    let numbers = summary.series();
    rows.into_iter()
        .map(|row| {
            let mut series = series(
                Series::called(&row.name),
                &row.stats,
                // Who waited, and not for what, is not kept.
                &Timing::default(),
            );
            series.ends = ends.map(|ends| {
                let track = summary.tracks.of(&numbers[&row.name], steps.len());
                let mut both = [Timing::default(), Timing::default()];
                for ((from, _), point) in steps.iter().zip(&track) {
                    let load = moments.iter().rev().find(|moment| moment.from_s <= *from);
                    if let Some(end) = load.and_then(|moment| ends.of(moment)) {
                        both[end].merge(&point.response);
                    }
                }
                both
            });
            series
        })
        .collect()
}

/// The least load and the most that a run stood under, where the one is half of the other at most.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    least: f64,
    most: f64,
}

pub(super) fn ends(moments: &[Moment]) -> Option<Ends> {
    let loads = moments.iter().map(|moment| moment.load).filter(|load| *load > 0.0);
    let (least, most) = (loads.clone().fold(f64::INFINITY, f64::min), loads.fold(0.0, f64::max));
    (least * 2.0 <= most).then_some(Ends { least, most })
}

impl Ends {
    /// The lowest fifth of the load between them is one end (0), the highest the other (1).
    pub(super) fn of(self, moment: &Moment) -> Option<usize> {
        let fifth = (self.most - self.least) / 5.0;
        if moment.load >= self.most - fifth {
            Some(1)
        } else if moment.load > 0.0 && moment.load <= self.least + fifth {
            Some(0)
        } else {
            None
        }
    }
}

fn series(name: String, stats: &NameStats, waited: &Timing) -> Series {
    let median = |timing: &Timing| timing.quantile_ms(0.5).unwrap_or(0.0);
    let all = stats.response();
    Series {
        name,
        requests: stats.requests(),
        spent: spent(&metrics::Spent::of(stats, waited)),
        response: if stats.response_ok.is_empty() { all } else { stats.response_ok.clone() },
        opened: stats.connect.count(),
        connect_ms: median(&stats.connect),
        connect_p99_ms: stats.connect.quantile_ms(0.99).unwrap_or(0.0),
        agreed: stats.tls.count(),
        tls_ms: median(&stats.tls),
        body_bytes: stats.body_bytes,
        ends: None,
    }
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

/// Under the highest load it is the first to be the limit.
fn generator(summary: &Summary, moments: &[Moment], workers: usize) -> Generator {
    let (invalid, suspect) = validity::of_generator(summary);
    let ends = ends(moments);
    let is_top = |from_s: u32| {
        let moment = moments.iter().find(|moment| moment.from_s == from_s);
        moment.is_some_and(|moment| ends.is_none_or(|ends| ends.of(moment) == Some(1)))
    };
    let points = summary.history.points().iter().filter(|point| is_top(point.from_s));
    let (mut late, mut used, mut seconds) = (Timing::default(), 0.0, 0.0);
    let mut at: Option<(u32, u32)> = None;
    for point in points {
        late.merge(&point.late());
        if let Some(cores) = point.cores {
            used += cores.sum as f64 / 1e3;
            seconds += cores.seconds as f64;
        }
        at = Some((at.map_or(point.from_s, |(from, _)| from), point.to_s));
    }
    let cores = summary.totals.health.cores.filter(|cores| *cores > 0 && seconds >= 3.0);
    let few_workers = cores.and(u64::try_from(workers).ok()).filter(|few| Some(*few) < cores);
    let few_workers = few_workers.filter(|few| *few > 0);
    Generator {
        invalid,
        suspect,
        // Other threads of the process have their part in it, which is small.
        busy: few_workers.or(cores).map(|most| (used / seconds / most as f64).min(1.0)),
        few_workers,
        // Of few waits nothing is known.
        late_ms: late.quantile_ms(0.5).filter(|_| late.count() >= 100),
        at,
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
