//! Owns how the sentences of findings say figures: times, rates, shares, counts, with their units.

use std::time::Duration;

use crate::units::{format_duration, format_percent};
use crate::verdict::capacity::Load;

/// A time of so many milliseconds: `0.42ms`, `7.2ms`, `52ms`, `1.25s`, `2m5s`.
pub(super) fn ms(value: f64) -> String {
    match value {
        ..0.995 => format!("{value:.2}ms"),
        ..9.95 => format!("{value:.1}ms"),
        ..999.5 => format!("{value:.0}ms"),
        ..59_995.0 => format!("{:.2}s", value / 1e3),
        _ => format_duration(Duration::from_secs((value / 1e3).round() as u64)),
    }
}

/// A stretch of time of so many seconds: `400ms`, `12s`, `5m20s`.
pub(super) fn span(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round().max(0.0);
    let rounded = if tenths < 100.0 { tenths / 10.0 } else { seconds.round() };
    format_duration(Duration::from_millis((rounded * 1e3).round() as u64))
}

/// A time of the run: `35s`, `5m20s`.
pub(super) fn at(second: u32) -> String {
    format_duration(Duration::from_secs(second.into()))
}

/// Events per second, with two digits that matter and all before the point: `4.2/s`, `410/s`, `12,300/s`.
pub(super) fn rate(value: f64) -> String {
    match value {
        ..0.995 => format!("{value:.2}/s"),
        ..9.95 => format!("{value:.1}/s"),
        _ => format!("{}/s", number(value)),
    }
}

/// A number with thousands set apart: `1,234,567`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 request`, `1,234 requests`.
pub(super) fn counted(value: u64, what: &str) -> String {
    let s = if value == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(value))
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

/// A share: `0.02%`, `4.2%`, `12%`.
pub(super) fn share(fraction: f64) -> String {
    let digits = match fraction {
        ..0.001 => 1e5,
        ..0.0995 => 1e3,
        _ => 1e2,
    };
    match (fraction * digits).round() / digits {
        0.0 if fraction > 0.0 => "less than 0.001%".to_owned(),
        1.0 if fraction < 1.0 => "more than 99%".to_owned(),
        rounded => format_percent(rounded),
    }
}

/// A size of so many bytes (1,000 are a KB): `312B`, `15KB`, `2.1MB`.
pub(super) fn bytes(value: f64) -> String {
    let (value, unit) = match value {
        ..999.5 => return format!("{value:.0}B"),
        ..999_500.0 => (value / 1e3, "KB"),
        ..999_500_000.0 => (value / 1e6, "MB"),
        _ => (value / 1e9, "GB"),
    };
    if value < 9.95 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
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
            [0.424, 7.24, 52.4, 1250.0, 125e3].map(ms),
            ["0.42ms", "7.2ms", "52ms", "1.25s", "2m5s"]
        );
        assert_eq!([0.42, 12.4, 320.0].map(span), ["400ms", "12s", "5m20s"]);
        assert_eq!(
            [0.5, 4.21, 409.7, 12_345.0].map(rate),
            ["0.50/s", "4.2/s", "410/s", "12,345/s"]
        );
        assert_eq!(
            [0.0, 0.000_000_4, 0.000_21, 0.0421, 0.124, 0.9999].map(share),
            ["0%", "less than 0.001%", "0.021%", "4.2%", "12%", "more than 99%"]
        );
        assert_eq!(
            [312.0, 15_300.0, 2_130_000.0, 4e9].map(bytes),
            ["312B", "15KB", "2.1MB", "4.0GB"]
        );
        assert_eq!([7.4, 123.0, 1_291.0].map(about), [7.0, 120.0, 1300.0]);
        assert_eq!(
            (counted(1, "user"), counted(1200, "user")),
            ("1 user".into(), "1,200 users".into())
        );
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
