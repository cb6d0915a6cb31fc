//! Owns how figures look to people: times, rates, shares and counts with their units.

use crate::units::{format_duration, format_percent};
use crate::verdict::{Judged, Metric};

/// A time given in milliseconds, with three digits that matter: `0.42ms`, `12.3ms`, `1.25s`.
pub(super) fn ms(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}ms"),
        ..99.95 => format!("{value:.1}ms"),
        ..999.5 => format!("{value:.0}ms"),
        ..59_995.0 => format!("{:.2}s", value / 1e3),
        _ => format_duration(std::time::Duration::from_secs((value / 1e3).round() as u64)),
    }
}

/// As [`ms`], a dash when there is none.
pub(super) fn ms_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), ms)
}

/// Events per second: `9.46`, `142.3`, `12,345`.
pub(super) fn rate(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..999.95 => format!("{value:.1}"),
        _ => count(value.round() as u64),
    }
}

/// A count with thousands set apart: `1,234,567`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share: `0%`, `0.7%`, `12.5%`.
pub(super) fn share(fraction: f64) -> String {
    // Rounding must not turn a few failures among millions into none.
    if fraction > 0.0 && fraction < 0.000_01 { "<0.001%".into() } else { format_percent(fraction) }
}

/// The value of a threshold, in the unit of what it looks at.
pub(super) fn value(judged: &Judged) -> Option<String> {
    let value = judged.value?;
    Some(match judged.threshold.metric {
        Metric::Time(..) => ms(value),
        Metric::Rps => format!("{}/s", rate(value)),
        Metric::ErrorRate => share(value),
        Metric::Requests | Metric::Failures => count(value as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_the_digits_that_matter() {
        assert_eq!(
            [0.4213, 12.34, 123.4, 1250.0, 61_000.0].map(ms),
            ["0.42ms", "12.3ms", "123ms", "1.25s", "1m1s"]
        );
        assert_eq!([9.463, 142.34, 12_345.6].map(rate), ["9.46", "142.3", "12,346"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.000_000_1, 0.007].map(share), ["0%", "<0.001%", "0.7%"]);
    }
}
