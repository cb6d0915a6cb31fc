//! Owns judging what differs: every figure of every name together, or one against a limit.

use std::collections::{BTreeMap, BTreeSet};

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::blocks::{SECONDS, Spread, spreads};
use super::figure::{FIGURES, Figure};
use super::ranks::{least, mann_whitney, shift};
use super::series::{Run, Series};
use super::{Compared, Comparison, Doubt, Effect, Extent, Method, Outcome};
use crate::metrics::RequestName;
use crate::verdict::Op;

/// A lesser change matters to nobody unless somebody says so: a fraction.
pub const LEAST: f64 = 0.05;

/// Of an error rate so much must have changed besides: one of a thousand requests.
pub(super) const LEAST_ERRORS: f64 = 0.001;

/// What leans to the worse and cannot be judged does so by that fraction, an error rate by one of a
/// hundred requests.
pub(super) const MUCH: f64 = 0.5;
pub(super) const MANY_ERRORS: f64 = 0.01;

/// A name with fewer requests may be missing by chance: e⁻⁶ is one in four hundred.
const FEW: u64 = 6;

/// What is shown is wrong so often, at most.
const LEVEL: f64 = 0.05;

/// What is compared, and how closely.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The figures, in the order in which they are told.
    pub figures: Vec<Figure>,
    /// The least change that matters, a fraction: with 0.05 it is × 1.05 or more, or ÷ 1.05 or more.
    /// Of an error rate it must be one of a thousand requests besides.
    pub least: f64,
    /// How often blocks are drawn.
    pub resamples: usize,
}

impl Default for Asked {
    fn default() -> Self {
        Self { figures: FIGURES.to_vec(), least: LEAST, resamples: 2000 }
    }
}

/// Compares two sides of one run or several each.
///
/// All figures of all names are judged together by Holm's procedure: of a hundred comparisons of
/// what is the same, about five at most show a difference of anything.
#[must_use]
pub fn compare<'a>(baseline: &'a [Run], new: &'a [Run], asked: &Asked) -> Comparison {
    let mut names: Vec<&RequestName> = Vec::new();
    let mut known = BTreeSet::new();
    for (name, _) in baseline.iter().chain(new).flat_map(|run| &run.names) {
        if known.insert(name) {
            names.push(name);
        }
    }
    let indexed = |runs: &'a [Run]| -> Vec<BTreeMap<&'a RequestName, &'a Series>> {
        let index = |run: &'a Run| run.names.iter().map(|(name, series)| (name, series)).collect();
        runs.iter().map(index).collect()
    };
    let (was, is) = (indexed(baseline), indexed(new));
    let whole = Sides {
        baseline: baseline.iter().map(|run| Some(&run.all)).collect(),
        new: new.iter().map(|run| Some(&run.all)).collect(),
    };
    let of = |name: &&RequestName| Sides {
        baseline: was.iter().map(|run| run.get(name).copied()).collect(),
        new: is.iter().map(|run| run.get(name).copied()).collect(),
    };
    // All together, then each name: by figure.
    let mut tables: Vec<Vec<Compared>> = vec![whole.figures(asked)];
    tables.extend(names.iter().map(|name| of(name).figures(asked)));

    let mut figures: Vec<usize> = (0..asked.figures.len()).collect();
    figures.sort_by_key(|figure| asked.figures[*figure].rank());
    let all = figures.iter().map(|figure| (0, *figure));
    let each = figures.iter().flat_map(|figure| (1..=names.len()).map(move |name| (name, *figure)));
    let order: Vec<_> = all.chain(each).filter(|(t, f)| tables[*t][*f].effect.is_some()).collect();
    let judged = match method(baseline.len(), new.len(), asked) {
        Method::Blocks { .. } => order.len(),
        Method::Ranks => judged(baseline.len(), new.len(), order.len()),
    };
    let doubt = Doubt::Figures { judged, all: order.len(), needs: needs(order.len()) };
    let p = |(t, f): &(usize, usize)| tables[*t][*f].effect.map_or(1.0, |effect| effect.p);
    let corrected = holm(&order[..judged].iter().map(p).collect::<Vec<_>>());
    for (position, (t, f)) in order.iter().enumerate() {
        match corrected.get(position) {
            Some(p) => tables[*t][*f].settle(*p, asked.least),
            None => tables[*t][*f].outcome = Outcome::CannotSay(doubt),
        }
    }

    let extent = |runs: &[Run]| Extent {
        runs: runs.len(),
        seconds: runs.iter().map(|run| run.all.seconds()).min().unwrap_or(0),
    };
    let mut tables = tables.into_iter();
    Comparison {
        all: tables.next().unwrap_or_default(),
        names: names.into_iter().cloned().zip(tables).collect(),
        least: asked.least,
        method: method(baseline.len(), new.len(), asked),
        sides: [extent(baseline), extent(new)],
    }
}

/// Compares one figure of one thing by itself: no other figure is judged with it. A run that has
/// nothing of it is `None`.
#[must_use]
pub fn one(
    baseline: &[Option<&Series>],
    new: &[Option<&Series>],
    figure: Figure,
    asked: &Asked,
) -> Compared {
    let asked = Asked { figures: vec![figure], ..asked.clone() };
    let sides = Sides { baseline: baseline.to_vec(), new: new.to_vec() };
    let mut compared = sides.figure(figure, 0, &sides.spreads(&asked));
    if let Some(effect) = compared.effect {
        compared.settle(effect.p, asked.least);
    }
    compared
}

/// How a figure stands to a limit that is taken from the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kept {
    /// It keeps the limit.
    Held,
    /// It is past the limit, and no difference from the baseline is shown: it may be chance.
    NotShown,
    /// It keeps a limit that asks for better than the baseline, and it may be chance.
    NotBetter,
    /// It is past the limit, and that is shown.
    Broke,
    /// Too little was measured.
    CannotSay(Doubt),
}

/// Corrects what was compared by itself for being judged together, by Holm's procedure.
pub fn together(all: &mut [&mut Compared], least: f64) {
    let p = |one: &&mut Compared| one.effect.map(|effect| effect.p);
    let corrected = holm(&all.iter().filter_map(p).collect::<Vec<_>>());
    let judged = all.iter_mut().filter(|one| one.effect.is_some());
    judged.zip(corrected).for_each(|(one, p)| one.settle(p, least));
}

/// Judges `figure op limit`, which is `limit` of the baseline's figure, as `p95 < baseline * 1.10`: it
/// breaks when the new figure is past it and it is shown that both sides differ at all. A limit that
/// asks for a change to the better (`p95 < baseline * 0.9`) holds when that is shown.
#[must_use]
pub fn kept(compared: &Compared, op: Op, limit: impl Fn(f64) -> f64) -> Kept {
    match (compared.outcome, compared.effect, compared.baseline, compared.new) {
        (Outcome::CannotSay(doubt), ..) => Kept::CannotSay(doubt),
        (_, Some(effect), Some(was), Some(is)) => {
            // Of several runs the estimate is no ratio of medians.
            let is = if compared.figure.is_difference() { is } else { was * effect.estimate };
            let (limit, shown) = (limit(was), effect.p_corrected < LEVEL);
            let holds = op.holds(is, limit);
            let asks_for_better = if op.is_upper() { limit < was } else { limit > was };
            match (holds, shown) {
                (true, false) if asks_for_better => Kept::NotBetter,
                (true, _) => Kept::Held,
                (false, false) if !asks_for_better => Kept::NotShown,
                (false, _) => Kept::Broke,
            }
        }
        _ => Kept::CannotSay(Doubt::Nothing),
    }
}

fn method(baseline: usize, new: usize, asked: &Asked) -> Method {
    match (baseline, new) {
        (..=1, ..=1) => Method::Blocks { resamples: asked.resamples },
        _ => Method::Ranks,
    }
}

/// How many figures so many runs can judge together: the least p-value that they reach, times that
/// many, must lie below the level.
fn judged(baseline: usize, new: usize, all: usize) -> usize {
    (1..=all).take_while(|count| least(baseline, new) * *count as f64 <= LEVEL - 1e-12).count()
}

/// So many runs a side can judge so many figures, by their ranks.
#[must_use]
pub fn needs(figures: usize) -> usize {
    (1..).find(|runs| judged(*runs, *runs, figures) == figures).unwrap_or(usize::MAX)
}

/// Each p-value corrected for being one of many: the least times their number, the next times one
/// less, none less than one before it. S. Holm, A simple sequentially rejective multiple test
/// procedure (1979).
pub(super) fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let (mut corrected, mut before) = (vec![1.0; values.len()], 0.0_f64);
    for (rank, place) in order.into_iter().enumerate() {
        before = before.max(values[place] * (values.len() - rank) as f64).min(1.0);
        corrected[place] = before;
    }
    corrected
}

/// One name on both sides: its seconds in each run.
struct Sides<'a> {
    baseline: Vec<Option<&'a Series>>,
    new: Vec<Option<&'a Series>>,
}

/// Of either side, by figure.
type Spreads = [Vec<Option<Spread>>; 2];

impl Sides<'_> {
    fn figures(&self, asked: &Asked) -> Vec<Compared> {
        let spreads = self.spreads(asked);
        let figures = asked.figures.iter().enumerate();
        figures.map(|(at, figure)| self.figure(*figure, at, &spreads)).collect()
    }

    /// Nothing unless there is a run a side, long enough.
    fn spreads(&self, asked: &Asked) -> Spreads {
        match (&self.baseline[..], &self.new[..]) {
            ([Some(was)], [Some(is)]) if was.whole_s().min(is.whole_s()) >= SECONDS => {
                [was, is].map(|series| spreads(series, &asked.figures, asked.resamples))
            }
            _ => Spreads::default(),
        }
    }

    /// Figure number `at`, not judged yet.
    fn figure(&self, figure: Figure, at: usize, spreads: &Spreads) -> Compared {
        let values = |side: &[Option<&Series>]| -> Vec<Option<f64>> {
            side.iter().map(|series| series.and_then(|series| figure.of(series))).collect()
        };
        let (was, is) = (values(&self.baseline), values(&self.new));
        let middle = |values: &[Option<f64>]| median(values.iter().flatten().copied().collect());
        let effect = match (&self.baseline[..], &self.new[..]) {
            _ if middle(&was).is_none() && middle(&is).is_none() => Err(Doubt::Nothing),
            _ if middle(&was).is_none() => Err(Doubt::OnlyNew),
            // Of so few the new side may have none by chance: one in four hundred times.
            _ if middle(&is).is_none() => Err(match self.least_of_baseline() {
                has @ ..FEW => Doubt::Samples { has, needs: FEW },
                _ => Doubt::OnlyBaseline,
            }),
            ([_], [_]) => self.by_blocks(figure, at, spreads, [&was, &is]),
            _ => self.by_ranks(figure, &was, &is),
        };
        Compared {
            figure,
            baseline: middle(&was),
            new: middle(&is),
            effect: effect.ok(),
            outcome: effect.err().map_or(Outcome::NoDifference, Outcome::CannotSay),
        }
    }

    /// Requests in the run of the baseline that had the fewest.
    fn least_of_baseline(&self) -> u64 {
        let count = |series: &Option<&Series>| series.map_or(0, |series| series.counts().0);
        self.baseline.iter().map(count).min().unwrap_or(0)
    }

    /// Enough times on each side, in each run.
    fn sampled(&self, figure: Figure) -> Result<(), Doubt> {
        let count = |series: &&Series| match figure {
            Figure::Percentile(_) => series.samples(),
            Figure::Throughput | Figure::ErrorRate => series.counts().0,
        };
        let has = self.baseline.iter().chain(&self.new).flatten().map(count).min().unwrap_or(0);
        let needs = figure.samples();
        if has < needs { Err(Doubt::Samples { has, needs }) } else { Ok(()) }
    }

    /// Welch's t of two spreads.
    fn by_blocks(
        &self,
        figure: Figure,
        at: usize,
        spreads: &Spreads,
        values: [&[Option<f64>]; 2],
    ) -> Result<Effect, Doubt> {
        let seconds = self.baseline.iter().chain(&self.new).flatten().map(|one| one.whole_s());
        let has = seconds.min().unwrap_or(0);
        if has < SECONDS {
            return Err(Doubt::Seconds { has, needs: SECONDS });
        }
        self.sampled(figure)?;
        let [was, is] = values.map(|values| values.first().copied().flatten());
        let [one, other] = [0, 1].map(|side| spreads[side].get(at).copied().flatten());
        let (Some(was), Some(is), Some(one), Some(other)) = (was, is, one, other) else {
            return Err(Doubt::Scarce);
        };
        let Some(estimate) = difference(figure, was, is) else { return Err(Doubt::Scarce) };
        let variance = one.variance + other.variance;
        let share = |spread: Spread| spread.variance.powi(2) / spread.freedom;
        let freedom = variance.powi(2) / (share(one) + share(other));
        let (Ok(student), deviation) = (StudentsT::new(0.0, 1.0, freedom), variance.sqrt()) else {
            return Err(Doubt::Scarce);
        };
        let p = 2.0 * student.sf((estimate / deviation).abs());
        let half = student.inverse_cdf(1.0 - LEVEL / 2.0) * deviation;
        Ok(effect(figure, estimate, estimate - half, estimate + half, p))
    }

    fn by_ranks(
        &self,
        figure: Figure,
        was: &[Option<f64>],
        is: &[Option<f64>],
    ) -> Result<Effect, Doubt> {
        let (baseline, new) = (was.len(), is.len());
        if judged(baseline, new, 1) == 0 {
            return Err(Doubt::Runs { baseline, new, needs: needs(1) });
        }
        self.sampled(figure)?;
        let scale = |value: &Option<f64>| match value {
            Some(value) if figure.is_difference() => Some(*value),
            Some(value) if *value > 0.0 => Some(value.ln()),
            _ => None,
        };
        let scaled = |values: &[Option<f64>]| values.iter().map(scale).collect::<Option<Vec<_>>>();
        let (Some(was), Some(is)) = (scaled(was), scaled(is)) else { return Err(Doubt::Scarce) };
        let (estimate, low, high) = shift(&was, &is);
        // With ties the normal distribution says less than any order of so few runs can.
        let p = mann_whitney(&was, &is).max(least(baseline, new));
        Ok(effect(figure, estimate, low, high, p))
    }
}

/// From one value to another: of logarithms, but for the error rate. None when one has none.
fn difference(figure: Figure, was: f64, is: f64) -> Option<f64> {
    let difference = if figure.is_difference() { is - was } else { is.ln() - was.ln() };
    difference.is_finite().then_some(difference)
}

/// On the scale that people read.
fn effect(figure: Figure, estimate: f64, low: f64, high: f64, p: f64) -> Effect {
    let scale = |value: f64| if figure.is_difference() { value } else { value.exp() };
    let (estimate, low, high) = (scale(estimate), scale(low), scale(high));
    Effect { estimate, low, high, p: p.min(1.0), p_corrected: 1.0 }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len();
    (count > 0).then(|| (values[(count - 1) / 2] + values[count / 2]) / 2.0)
}

impl Compared {
    /// Says what it comes to, now that its p-value is corrected.
    fn settle(&mut self, p_corrected: f64, least: f64) {
        let Some(effect) = &mut self.effect else { return };
        effect.p_corrected = p_corrected;
        let (estimate, was, is) = (effect.estimate, self.baseline, self.new);
        // Of twenty digits the last is no reason.
        let matters = |ratio: f64| ratio.ln().abs() >= (1.0 + least).ln() - 1e-9;
        let (more, matters) = if self.figure.is_difference() {
            let ratio = is.unwrap_or_default() / was.unwrap_or_default();
            (estimate > 0.0, estimate.abs() >= LEAST_ERRORS - 1e-9 && matters(ratio))
        } else {
            (estimate > 1.0, matters(estimate))
        };
        self.outcome = match p_corrected < LEVEL && matters {
            false => Outcome::NoDifference,
            true if more == self.figure.is_better_high() => Outcome::Better,
            true => Outcome::Worse,
        };
    }
}
