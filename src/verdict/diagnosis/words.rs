//! Owns how the sentences of findings say figures: times, rates, shares, counts, with their units.

use std::time::Duration;

use crate::units::format_duration;
pub(super) use crate::units::{
    counted, format_bytes as bytes, format_count as count, format_ms as ms, format_share as share,
    format_span as span,
};
use crate::verdict::capacity::Load;

/// A time of the run: `35s`, `5m20s`.
pub(super) fn at(second: u32) -> String {
    format_duration(Duration::from_secs(second.into()))
}

/// Events per second, as far as a level shows what a target serves, with two digits that matter and all before
/// the point: `4.2/s`, `410/s`, `12,300/s`.
pub(super) fn rate(value: f64) -> String {
    match value {
        ..0.995 => format!("{value:.2}/s"),
        ..9.95 => format!("{value:.1}/s"),
        _ => format!("{}/s", number(value)),
    }
}

fn number(value: f64) -> String {
    count(value.round().max(0.0) as u64)
}

/// A number that is not known better than by two digits: `120`, `1,300`.
pub(super) fn about(value: f64) -> f64 {
    let digits = value.abs().max(1.0).log10().floor() - 1.0;
    let unit = 10f64.powf(digits.max(0.0));
    (value / unit).round() * unit
}

impl Load {
    /// So much of it: `120 users`, `410 arrivals/s`.
    pub(super) fn of(self, value: f64) -> String {
        match self {
            Self::Users => counted(value.round().max(0.0) as u64, "user"),
            Self::Rate => format!("{} arrivals/s", rate(value).trim_end_matches("/s")),
        }
    }

    /// So much, where it was said before of what: `500`, `500/s`.
    pub(super) fn bare(self, value: f64) -> String {
        match self {
            Self::Users => number(value),
            Self::Rate => rate(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        assert_eq!(
            [0.5, 4.21, 409.7, 12_345.0].map(rate),
            ["0.50/s", "4.2/s", "410/s", "12,345/s"]
        );
        assert_eq!([7.4, 123.0, 1_291.0].map(about), [7.0, 120.0, 1300.0]);
        assert_eq!(
            (Load::Users.of(1.0), Load::Rate.of(409.7)),
            ("1 user".into(), "410 arrivals/s".into())
        );
        assert_eq!(
            (Load::Users.bare(1e3), Load::Rate.bare(409.7)),
            ("1,000".into(), "410/s".into())
        );
    }
}
