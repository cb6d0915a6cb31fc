//! Owns the figures that are compared: which they are, which way is better, and how much of a run
//! each needs.

use super::series::Series;

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// The quantile of the times, above 0 and below 1: p95 is 0.95. In milliseconds; less is better.
    Percentile(f64),
    /// Requests that ended per second; more is better. Where arrivals or waits set the pace it says
    /// little of the system: it can only fail to keep up.
    Throughput,
    /// Failed requests as a fraction of all; less is better.
    ErrorRate,
}

/// What is compared unless something else is asked for.
pub const FIGURES: [Figure; 5] = [
    Figure::Percentile(0.5),
    Figure::Percentile(0.95),
    Figure::Percentile(0.99),
    Figure::Throughput,
    Figure::ErrorRate,
];

impl Figure {
    /// As it is called: `p95`, `requests/s`, `error rate`.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            // 0.999 times 100 is no 99.9.
            Self::Percentile(quantile) => format!("p{}", (quantile * 1e8).round() / 1e6),
            Self::Throughput => "requests/s".to_owned(),
            Self::ErrorRate => "error rate".to_owned(),
        }
    }

    /// Where few runs can judge only some figures, those with the least rank are judged: p95, the error
    /// rate, the median, throughput, other percentiles.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Percentile(0.95) => 0,
            Self::ErrorRate => 1,
            Self::Percentile(0.5) => 2,
            Self::Throughput => 3,
            Self::Percentile(_) => 4,
        }
    }

    /// More of it is better.
    #[must_use]
    pub fn is_better_high(self) -> bool {
        self == Self::Throughput
    }

    /// Its effect is a difference, not a ratio: an error rate is often 0, which nothing is a multiple of.
    #[must_use]
    pub fn is_difference(self) -> bool {
        self == Self::ErrorRate
    }

    /// So many times each side needs, for the greatest of them to lie beyond the percentile with 95 %
    /// (one-sided): q^n ≤ 0.05, which is 59 for p95, 299 for p99 and 2,995 for p99.9. Other figures
    /// need one.
    #[must_use]
    pub fn samples(self) -> u64 {
        match self {
            Self::Percentile(quantile) => (0.05_f64.ln() / quantile.ln()).ceil().max(1.0) as u64,
            Self::Throughput | Self::ErrorRate => 1,
        }
    }

    /// Its value: milliseconds, per second or a fraction. None without requests, or without seconds.
    pub(super) fn of(self, series: &Series) -> Option<f64> {
        let (requests, failed) = series.counts();
        match self {
            Self::Percentile(quantile) => series.times().quantile_ms(quantile),
            Self::Throughput => (series.seconds() > 0 && requests > 0)
                .then(|| requests as f64 / f64::from(series.seconds())),
            Self::ErrorRate => (requests > 0).then(|| failed as f64 / requests as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_need_so_many_samples() {
        let needs = [0.5, 0.95, 0.99, 0.999].map(|quantile| Figure::Percentile(quantile).samples());
        assert_eq!(needs, [5, 59, 299, 2995]);
        let words = [0.5, 0.95, 0.999, 0.9999].map(|quantile| Figure::Percentile(quantile).word());
        assert_eq!(words, ["p50", "p95", "p99.9", "p99.99"]);
    }
}
