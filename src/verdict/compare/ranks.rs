//! Owns the comparison of several runs a side by their ranks: Mann-Whitney's test, and the shift of
//! Hodges and Lehmann.

use statrs::distribution::{ContinuousCDF as _, Normal};

/// Up to so many on the smaller side the distribution is counted out, as `scipy` does it.
const EXACT: usize = 8;

/// The two-sided p-value of Mann-Whitney's U, as `scipy.stats.mannwhitneyu` gives it: exact without
/// ties when one side has at most eight, else by the normal distribution, corrected for ties and
/// continuity.
pub(super) fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let (u, ties) = statistic(one, other);
    if ties == 0.0 && one.len().min(other.len()) <= EXACT {
        exact(u, one.len(), other.len())
    } else {
        asymptotic(u, one.len(), other.len(), ties)
    }
}

/// The lesser of both U, and the sum of t³ − t over the ties.
fn statistic(one: &[f64], other: &[f64]) -> (f64, f64) {
    let mut u = 0.0_f64;
    for a in one {
        for b in other {
            u += if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            };
        }
    }
    let mut all = [one, other].concat();
    all.sort_unstable_by(f64::total_cmp);
    let ties = all.chunk_by(|a, b| a == b).map(|tied| tied.len() as f64);
    let ties = ties.map(|tied| tied.powi(3) - tied).sum();
    (u.min((one.len() * other.len()) as f64 - u), ties)
}

fn exact(u: f64, one: usize, other: usize) -> f64 {
    let ways = ways(one, other);
    let tail: f64 = ways.iter().take(u as usize + 1).sum();
    (2.0 * tail / ways.iter().sum::<f64>()).min(1.0)
}

fn asymptotic(u: f64, one: usize, other: usize, ties: f64) -> f64 {
    let (one, other) = (one as f64, other as f64);
    let all = one + other;
    let variance = one * other / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (one * other / 2.0 - u - 0.5) / variance.sqrt();
    (2.0 * Normal::standard().sf(z)).min(1.0)
}

/// In how many ways each U from 0 comes about: the coefficients of the Gaussian binomial
/// ∏ (1 − x^(other + i)) / (1 − x^i), i from 1 to `one`.
fn ways(one: usize, other: usize) -> Vec<f64> {
    let (one, other) = (one.min(other), one.max(other));
    let mut ways = vec![0.0; one * other + 1];
    ways[0] = 1.0;
    for i in 1..=one {
        for u in (other + i..ways.len()).rev() {
            ways[u] -= ways[u - other - i];
        }
        for u in i..ways.len() {
            ways[u] += ways[u - i];
        }
    }
    ways
}

/// The least p-value that so many runs can reach: 2 / (one + other over one).
pub(super) fn least(one: usize, other: usize) -> f64 {
    (1..=one).fold(2.0, |p, i| p * i as f64 / (other + i) as f64).min(1.0)
}

/// The shift from `one` to `other` of Hodges and Lehmann, the median of all differences, with its
/// 95 % interval by the order of the differences: it holds 0 when the test says p > 0.05, but for ties.
pub(super) fn shift(one: &[f64], other: &[f64]) -> (f64, f64, f64) {
    let mut differences: Vec<f64> =
        one.iter().flat_map(|a| other.iter().map(move |b| b - a)).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let count = differences.len();
    let median = (differences[(count - 1) / 2] + differences[count / 2]) / 2.0;
    // The greatest U that is still a difference shown: so many are cut off at either end.
    let p = |u: usize| match one.len().min(other.len()) {
        ..=EXACT => exact(u as f64, one.len(), other.len()),
        _ => asymptotic(u as f64, one.len(), other.len(), 0.0),
    };
    let cut = (0..count / 2).take_while(|u| p(*u) < 0.05).count();
    // Without any the interval reaches further than the differences do: the whole is the least.
    let low = cut.saturating_sub(1);
    (median, differences[low], differences[count - 1 - low])
}
