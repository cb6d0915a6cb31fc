//! Owns the block bootstrap over the seconds of one run: how far a figure would lie from itself, had
//! the run been made again.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::figure::Figure;
use super::series::{Series, Stretch};

/// A run is cut into so many blocks, each a tenth of it. Requests of neighbouring seconds are alike
/// (a slow database stays slow for a while), and a block keeps that together; ten of them, judged
/// with Student's t, keep their level with whatever fades within a few seconds of two minutes, a
/// few ten seconds of ten. Shorter ones cry wolf, longer ones are too few.
/// B. Schmeiser, Batch size effects in the analysis of simulation output (1982).
const BLOCKS: usize = 10;

/// Fewer whole seconds say nothing: their blocks are shorter than what goes on within a service.
pub const SECONDS: u32 = 30;

/// All runs are drawn from alike, so that changing sides changes nothing but the sign.
const SEED: u64 = 0x7468_726f_6e67;

/// Times closer than this are one in what is drawn; histograms have a thousandth.
const ALIKE: f64 = 1.002;

/// How far off a figure is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// The variance: of the logarithm, but for the error rate.
    pub(super) variance: f64,
    /// Degrees of freedom that it is known with.
    pub(super) freedom: f64,
}

/// The spread of each figure, by drawing blocks of seconds `resamples` times.
///
/// θ* of a draw is the figure of ⌈n/l⌉ blocks of l seconds each, which begin anywhere (the end of the
/// run is followed by its beginning). The variance of ln θ* (of θ*, for the error rate) is made
/// greater by
/// - K/(K − 1), with K = n/l, as any variance of few;
/// - max(1, 2 − V(l/2)/V(l)), with V(l) the variance of the mean of the figure's influences by
///   blocks of l: V(l) falls short by c/l, and 2V(l) − V(l/2) no more does (D. Politis and
///   J. Romano, Bias-corrected nonparametric spectral estimation, 1995).
///
/// None for a figure that some draw did not have.
pub(super) fn spreads(
    series: &Series,
    figures: &[Figure],
    resamples: usize,
) -> Vec<Option<Spread>> {
    let stretches = series.whole();
    let length = (stretches.len() / BLOCKS).max(1);
    let blocks = stretches.len() as f64 / length as f64;
    let drawn = draw(stretches, figures, length, resamples);
    let spread = |(figure, drawn): (&Figure, &Vec<f64>)| {
        if drawn.len() < resamples {
            return None;
        }
        let mut variance = variance(drawn) * blocks / (blocks - 1.0);
        variance *= lengthening(&influences(stretches, *figure, series), length);
        let (requests, failed) = series.counts();
        if *figure == Figure::ErrorRate && requests > 0 {
            // One failure more than there were: without any, or with few, blocks say nothing. It is
            // the rule of three: none in n leaves 3/n possible.
            variance = variance.max((failed as f64 + 1.0) / (requests as f64).powi(2));
        }
        if let Figure::Percentile(_) = figure {
            variance = variance.max((ALIKE.ln() / 2.0).powi(2));
        }
        // A pace that is kept to the last request still has a spread that can be divided by.
        Some(Spread { variance: variance.max(1e-12), freedom: blocks - 1.0 })
    };
    figures.iter().zip(&drawn).map(spread).collect()
}

/// Counts up to a time and up to a second: any block's distribution is a difference of two columns.
struct Table {
    /// The greatest time of each row, in microseconds.
    axis: Vec<u32>,
    /// By row: from 0, the sum up to each stretch.
    sums: Vec<u32>,
    columns: usize,
}

impl Table {
    fn new(stretches: &[Stretch]) -> Self {
        let mut values: Vec<u32> =
            stretches.iter().flat_map(|one| one.times.iter().map(|(us, _)| *us)).collect();
        values.sort_unstable();
        values.dedup();
        // Rows begin at `low` and hold what is alike.
        let (mut axis, mut low): (Vec<u32>, f64) = (Vec::new(), 0.0);
        for value in values {
            match axis.last_mut() {
                Some(last) if f64::from(value) <= low * ALIKE => *last = value,
                _ => {
                    low = f64::from(value);
                    axis.push(value);
                }
            }
        }
        let columns = stretches.len() + 1;
        let mut sums = vec![0_u32; axis.len() * columns];
        for (column, stretch) in stretches.iter().enumerate() {
            let mut row = 0;
            for (us, count) in &stretch.times {
                row += axis[row..].partition_point(|high| high < us);
                sums[row * columns + column + 1] += count;
            }
        }
        for row in 0..axis.len() {
            let (before, rest) = sums.split_at_mut(row * columns);
            let current = &mut rest[..columns];
            // Along the seconds, then what is less.
            let mut sum = 0;
            for count in current.iter_mut() {
                sum += *count;
                *count = sum;
            }
            if row > 0 {
                let less = &before[(row - 1) * columns..];
                current.iter_mut().zip(less).for_each(|(sum, less)| *sum += less);
            }
        }
        Self { axis, sums, columns }
    }

    /// How many times of the row's or less lie in these blocks.
    fn up_to(&self, row: usize, blocks: &[(usize, usize)]) -> u64 {
        let row = &self.sums[row * self.columns..(row + 1) * self.columns];
        blocks.iter().map(|(from, to)| u64::from(row[*to] - row[*from])).sum()
    }

    /// The time that the share `quantile` of those in these blocks does not pass.
    fn quantile(&self, quantile: f64, blocks: &[(usize, usize)]) -> Option<f64> {
        let last = self.axis.len().checked_sub(1)?;
        let all = self.up_to(last, blocks);
        let rank = ((quantile * all as f64).ceil() as u64).max(1);
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = (low + high) / 2;
            if self.up_to(middle, blocks) >= rank { high = middle } else { low = middle + 1 }
        }
        (all > 0).then(|| f64::from(self.axis[low]).max(1.0))
    }
}

/// The figures of each draw, by figure: logarithms, but for the error rate.
pub(super) fn draw(
    stretches: &[Stretch],
    figures: &[Figure],
    length: usize,
    resamples: usize,
) -> Vec<Vec<f64>> {
    let count = stretches.len();
    let table = Table::new(stretches);
    let sums = |of: fn(&Stretch) -> u64| -> Vec<u64> {
        let mut sum = 0;
        let sums = stretches.iter().map(|one| {
            sum += of(one);
            sum
        });
        std::iter::once(0).chain(sums).collect()
    };
    let (requests, failed) = (sums(|one| one.requests), sums(|one| one.failed));
    let held = |sums: &[u64], blocks: &[(usize, usize)]| -> f64 {
        blocks.iter().map(|(from, to)| sums[*to] - sums[*from]).sum::<u64>() as f64
    };
    let mut random = SmallRng::seed_from_u64(SEED);
    let mut drawn = vec![Vec::with_capacity(resamples); figures.len()];
    let mut blocks = Vec::new();
    for _ in 0..resamples {
        blocks.clear();
        for _ in 0..count.div_ceil(length) {
            let from = random.random_range(0..count);
            blocks.push((from, (from + length).min(count)));
            if from + length > count {
                blocks.push((0, from + length - count));
            }
        }
        for (figure, drawn) in figures.iter().zip(&mut drawn) {
            let value = match figure {
                Figure::Percentile(quantile) => table.quantile(*quantile, &blocks).map(f64::ln),
                Figure::Throughput => Some(held(&requests, &blocks).ln()),
                Figure::ErrorRate => Some(held(&failed, &blocks) / held(&requests, &blocks)),
            };
            // A draw without any request has no figure.
            drawn.extend(value.filter(|value| value.is_finite()));
        }
    }
    drawn
}

/// The variance of a list.
fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)
}

/// What each stretch adds to the figure, but for a factor that is the same for all.
fn influences(stretches: &[Stretch], figure: Figure, series: &Series) -> Vec<f64> {
    let (requests, failed) = series.counts();
    match figure {
        Figure::Percentile(quantile) => {
            let at = series.times().quantile_ms(quantile).unwrap_or_default() * 1e3;
            let one = |stretch: &Stretch| {
                let count = |times: &[(u32, u32)]| -> f64 {
                    times.iter().map(|(_, count)| f64::from(*count)).sum()
                };
                let below = stretch.times.partition_point(|(us, _)| f64::from(*us) <= at);
                count(&stretch.times[..below]) - quantile * count(&stretch.times)
            };
            stretches.iter().map(one).collect()
        }
        Figure::Throughput => stretches.iter().map(|one| one.requests as f64).collect(),
        Figure::ErrorRate => {
            let rate = if requests > 0 { failed as f64 / requests as f64 } else { 0.0 };
            stretches.iter().map(|one| one.failed as f64 - rate * one.requests as f64).collect()
        }
    }
}

/// By how much the variance by blocks of `length` falls short, from those of half of it: 1 to 2.
fn lengthening(influences: &[f64], length: usize) -> f64 {
    let half = (length / 2).max(1);
    let by = |length: usize| by_blocks(influences, length);
    let (whole, half) = (by(length), by(half));
    if whole > 0.0 { (2.0 - half / whole).clamp(1.0, 2.0) } else { 1.0 }
}

/// The variance of the mean as blocks of `length` have it, exactly: that of all draws there are.
fn by_blocks(values: &[f64], length: usize) -> f64 {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let mut sum: f64 = values[..length].iter().map(|value| value - mean).sum();
    let mut squares = 0.0;
    for from in 0..count {
        squares += sum * sum;
        sum += values[(from + length) % count] - values[from];
    }
    let blocks = count as f64 / length as f64;
    squares / count as f64 / (length as f64 * count as f64) * blocks / (blocks - 1.0)
}
