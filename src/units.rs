//! Owns durations, rates, sizes and shares as people write them, text to value and back, and how figures of
//! them look.

use std::fmt;
use std::time::Duration;

/// Why a text is not a quantity: lowercase, no full stop, reads after "`10` is not a duration: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub String);

/// Reads `250ms`, `2s`, `1m30s`, `24h`. The unit must be written; negative durations and the
/// ISO 8601 form are refused. Nanosecond resolution.
///
/// # Errors
/// Says what is missing, in words for the person who wrote the text.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let text = text.trim();
    let hint = "write it with its unit, as in `250ms`, `2s`, `1m30s` or `1h`";
    if text.is_empty() {
        return Err(UnitError(format!("it is empty; {hint}")));
    }
    if text.parse::<f64>().is_ok() {
        return Err(UnitError(format!("the unit is missing; write `{text}s` or `{text}ms`")));
    }
    if let Some(hint) = duration_hint(text) {
        return Err(UnitError(hint));
    }
    // What the library reads beyond the language: signs, ISO 8601, days and weeks.
    let odd = text.starts_with(['+', 'P', 'p']) || text.ends_with("ago") || text.ends_with('w');
    if odd {
        return Err(UnitError(hint.to_owned()));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| UnitError(hint.to_owned()))?;
    match Duration::try_from(span) {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err(UnitError("no time here is longer than a year".to_owned())),
        Err(_) => Err(UnitError(hint.to_owned())),
    }
}

/// Clocks have no place for much longer times, and no run needs them.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What to write for a time that people write otherwise.
fn duration_hint(text: &str) -> Option<String> {
    if text.starts_with('-') {
        return Some("a time cannot be negative".to_owned());
    }
    if text.contains(':') {
        return Some("write its units, as `1h30m` or `1m30s`".to_owned());
    }
    if text.starts_with('.') {
        return parse_duration(&format!("0{text}")).ok().map(|_| format!("write `0{text}`"));
    }
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Some(format!("days are written in hours: `{}h`", u64::from(days) * 24));
    }
    let lower = text.to_ascii_lowercase();
    (lower != text && parse_duration(&lower).is_ok()).then(|| format!("write `{lower}`"))
}

/// Writes a duration as [`parse_duration`] reads it, with at most two units: `1m30s`, `250ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000 {
        return format!("{}us", trim_zeros(nanos as f64 / 1e3));
    }
    if nanos < 1_000_000_000 {
        return format!("{}ms", trim_zeros(nanos as f64 / 1e6));
    }
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = (duration - Duration::from_secs(seconds / 60 * 60)).as_secs_f64();
    let mut text = String::new();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if minutes > 0 {
        text += &format!("{minutes}m");
    }
    if rest > 0.0 {
        text += &format!("{}s", trim_zeros(rest));
    }
    text
}

fn trim_zeros(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// So many events in so much time, kept exactly as it was written, so that the n-th due time is
/// exact: `50/s`, `0.2/s`, `10/m`, `1/h`. The default is none at all.
///
/// In millionths of an event per hour: every rate that can be written is a whole number of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

/// Seconds of an hour, in millionths: a rate of one per second.
const PER_SECOND: u64 = 3600 * 1_000_000;

impl Rate {
    /// Nothing ever happens.
    pub const ZERO: Self = Self(0);

    /// One event, in units of `millionths of an event per hour × nanoseconds`.
    pub const EVENT: u128 = PER_SECOND as u128 * 1_000_000_000;

    /// `events` per second, at most 10^9.
    #[must_use]
    pub fn per_second(events: u64) -> Self {
        Self(events.min(1_000_000_000) * PER_SECOND)
    }

    /// Reads `50/s`, `0.2/s`, `10/m`, `1/h`.
    ///
    /// # Errors
    /// The unit is missing, or the number is not one, or it is zero, negative or above 10^9.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        match Self::parse_or_zero(text)? {
            Self::ZERO => Err(UnitError(Self::HINT.to_owned())),
            rate => Ok(rate),
        }
    }

    const HINT: &'static str = "write it as `50/s`, `10/m` or `1/h`";

    /// Reads the same, and `0/s`.
    ///
    /// # Errors
    /// As [`Rate::parse`] does, but for zero.
    pub fn parse_or_zero(text: &str) -> Result<Self, UnitError> {
        let hint = Self::HINT;
        let text = text.trim();
        let Some((number, unit)) = text.split_once('/') else {
            let error = match text.parse::<f64>() {
                Ok(_) => format!("the unit is missing; write `{text}/s`"),
                Err(_) => hint.to_owned(),
            };
            return Err(UnitError(error));
        };
        let seconds: u64 = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            _ => return Err(UnitError(hint.to_owned())),
        };
        Self::from_decimal(number.trim(), seconds).ok_or_else(|| UnitError(hint.to_owned()))
    }

    /// Reads a plain decimal number as events per second, as in `-r 5`.
    #[must_use]
    pub fn parse_per_second(text: &str) -> Option<Self> {
        Self::from_decimal(text, 1).filter(|rate| *rate > Self::ZERO)
    }

    fn from_decimal(number: &str, seconds: u64) -> Option<Self> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        if whole.len() > 9 || fraction.len() > 6 {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let millionths: u64 = format!("{fraction:0<6}").parse().ok()?;
        Some(Self((whole * 1_000_000 + millionths) * (3600 / seconds)))
    }

    /// The time that `n` events take, rounded down to a nanosecond. At no rate at all: for ever.
    #[must_use]
    pub fn time_for(self, n: u64) -> Duration {
        self.time_for_units(u128::from(n) * Self::EVENT)
    }

    /// The time that so many units ([`Rate::EVENT`] of them are an event) take, rounded down to a
    /// nanosecond.
    #[must_use]
    pub fn time_for_units(self, units: u128) -> Duration {
        let nanos = units.checked_div(u128::from(self.0)).unwrap_or(u128::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// In millionths of an event per hour.
    #[must_use]
    pub fn per_hour_millionths(self) -> u64 {
        self.0
    }

    /// From millionths of an event per hour.
    #[must_use]
    pub const fn of_per_hour_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// Events per second, as a number to show or to compare.
    #[must_use]
    pub fn as_per_second(self) -> f64 {
        self.0 as f64 / PER_SECOND as f64
    }
}

impl fmt::Display for Rate {
    /// In the first unit in which it is exact: `50/s`, `10/m`, `1/h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(3600, "s"), (60, "m"), (1, "h")];
        let texts = units.map(|(parts, unit)| {
            let scale = parts * 1_000_000;
            let rest = format!("{:06}", u128::from(self.0 % scale) * 1_000_000 / u128::from(scale));
            let whole = format!("{}.{rest}", self.0 / scale);
            format!("{}/{unit}", whole.trim_end_matches('0').trim_end_matches('.'))
        });
        // What has no end as a decimal is rounded there, and reads back as another rate.
        let exact = texts.iter().find(|text| Self::parse(text).is_ok_and(|read| read == *self));
        f.write_str(exact.unwrap_or(&texts[0]))
    }
}

/// Reads a share: `30%`, `0.1%`. The result is a fraction, `0.3`.
///
/// # Errors
/// The sign is missing, or the number is not between 0 and 100.
pub fn parse_percent(text: &str) -> Result<f64, UnitError> {
    let hint = "write it as `0.1%` or `30%`";
    let Some(number) = text.trim().strip_suffix('%') else {
        let error = match text.trim().parse::<f64>() {
            Ok(_) => format!("the unit is missing; write `{}%`", text.trim()),
            Err(_) => hint.to_owned(),
        };
        return Err(UnitError(error));
    };
    match number.trim().parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => Ok(value / 100.0),
        Ok(_) => Err(UnitError("a share lies between `0%` and `100%`".to_owned())),
        Err(_) => Err(UnitError(hint.to_owned())),
    }
}

/// Writes a fraction as a share, with as many decimals as it needs: `0.1%`, `30%`.
#[must_use]
pub fn format_percent(fraction: f64) -> String {
    format!("{}%", trim_zeros(fraction * 100.0))
}

/// A time given in milliseconds, with three digits that matter: `0.42ms`, `12.3ms`, `1.25s`.
#[must_use]
pub fn format_ms(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}ms"),
        ..99.95 => format!("{value:.1}ms"),
        ..999.5 => format!("{value:.0}ms"),
        ..59_995.0 => format!("{:.2}s", value / 1e3),
        _ => format_duration(Duration::from_secs((value / 1e3).round() as u64)),
    }
}

/// A stretch of time given in seconds, as people say it: `0.4s`, `15s`, `5m20s`.
#[must_use]
pub fn format_span(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round().max(0.0) as u64;
    let whole = if tenths < 600 { tenths * 100 } else { (tenths + 5) / 10 * 1000 };
    match whole {
        1..1000 => format!("0.{}s", whole / 100),
        ms => format_duration(Duration::from_millis(ms)),
    }
}

/// A count with thousands set apart: `1,234,567`.
#[must_use]
pub fn format_count(value: u64) -> String {
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

/// `1 request`, `1,234 requests`: the word takes an s.
#[must_use]
pub fn counted(count: u64, word: &str) -> String {
    format!("{} {word}{}", format_count(count), if count == 1 { "" } else { "s" })
}

/// A share, with three digits that matter: `0%`, `0.7%`, `12.5%`.
#[must_use]
pub fn format_share(fraction: f64) -> String {
    let rounded = match fraction {
        ..0.01 => (fraction * 1e5).round() / 1e5,
        ..0.1 => (fraction * 1e4).round() / 1e4,
        _ => (fraction * 1e3).round() / 1e3,
    };
    // Rounding must turn neither a few failures among millions into none, nor nearly all into all.
    match rounded {
        0.0 if fraction > 0.0 => "<0.001%".to_owned(),
        1.0 if fraction < 1.0 => ">99.9%".to_owned(),
        rounded => format_percent(rounded),
    }
}

/// A size: `312 B`, `15.3 KB` (1000 bytes), `2.1 MB`, `24.7 GB`.
#[must_use]
pub fn format_bytes(value: f64) -> String {
    match value {
        ..999.5 => format!("{value:.0} B"),
        ..999_950.0 => format!("{:.1} KB", value / 1e3),
        ..999_950_000.0 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// Reads a size: `10KB` (1,000 bytes each), `1.5MB`, `512B`, `2GB`, `4KiB` (1,024 bytes each).
///
/// # Errors
/// The unit is missing or unknown, or the number is none.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let text = text.trim();
    let hint = || UnitError("write it as `512B`, `10KB` or `2MB`".to_owned());
    let lower = text.to_ascii_lowercase();
    let unit = UNITS.iter().find(|(unit, _)| lower.ends_with(&unit.to_ascii_lowercase()));
    let Some((unit, bytes)) = unit else {
        return Err(match text.parse::<f64>() {
            Ok(_) => UnitError(format!("the unit is missing; write `{text}B` or `{text}KB`")),
            Err(_) => hint(),
        });
    };
    match text[..text.len() - unit.len()].trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * *bytes as f64) as u64),
        _ => Err(hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_keep_the_digits_that_matter() {
        assert_eq!(
            [0.4213, 12.34, 123.4, 1250.0, 61_000.0].map(format_ms),
            ["0.42ms", "12.3ms", "123ms", "1.25s", "1m1s"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(format_count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.04, 0.37, 15.001, 59.96, 320.4, 86_400.0].map(format_span),
            ["0s", "0s", "0.4s", "15s", "1m", "5m20s", "24h"]
        );
        assert_eq!(
            [0.0, 312.4, 15_321.0, 2.1e6, 24.68e9].map(format_bytes),
            ["0 B", "312 B", "15.3 KB", "2.1 MB", "24.7 GB"]
        );
        assert_eq!(
            [0.0, 0.000_000_1, 0.007, 0.012_34, 0.407_89, 0.9999, 1.0].map(format_share),
            ["0%", "<0.001%", "0.7%", "1.23%", "40.8%", ">99.9%", "100%"]
        );
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, bytes) in
            [("10KB", 10_000), ("1.5MB", 1_500_000), ("512B", 512), ("4KiB", 4096), ("0 b", 0)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        let said = |text| parse_size(text).unwrap_err().to_string();
        assert_eq!(said("10"), "the unit is missing; write `10B` or `10KB`");
        assert_eq!(said("many KB"), "write it as `512B`, `10KB` or `2MB`");
    }

    #[test]
    fn durations_are_read_with_their_units() {
        let ms = Duration::from_millis;
        for (text, want) in [
            ("250ms", ms(250)),
            ("2s", ms(2000)),
            ("1m30s", ms(90_000)),
            ("24h", ms(86_400_000)),
            ("0s", ms(0)),
            ("1.5s", ms(1500)),
        ] {
            assert_eq!(parse_duration(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_told_what_it_lacks() {
        let said = |text| parse_duration(text).unwrap_err().to_string();
        assert_eq!(said("10"), "the unit is missing; write `10s` or `10ms`");
        assert_eq!(said("-2s"), "a time cannot be negative");
        assert_eq!(said("1:30:00"), "write its units, as `1h30m` or `1m30s`");
        assert_eq!(said("0:00:01"), "write its units, as `1h30m` or `1m30s`");
        assert_eq!(said("2d"), "days are written in hours: `48h`");
        assert_eq!(said("5M"), "write `5m`");
        assert_eq!(said(".5s"), "write `0.5s`");
        assert_eq!(said("9223372036854775807s"), "no time here is longer than a year");
        assert!(said("PT2S").starts_with("write it with its unit"));
        assert!(said("soon").starts_with("write it with its unit"));
        assert_eq!(Rate::parse("50").unwrap_err().to_string(), "the unit is missing; write `50/s`");
        assert_eq!(parse_percent("1").unwrap_err().to_string(), "the unit is missing; write `1%`");
    }

    #[test]
    fn rates_keep_the_fraction_that_was_written() {
        assert_eq!(Rate::parse("5/s").unwrap().time_for(3), Duration::from_millis(600));
        assert_eq!(Rate::parse("0.2/s").unwrap().time_for(1), Duration::from_secs(5));
        assert_eq!(Rate::parse("10/m").unwrap(), Rate::parse("600/h").unwrap());
        assert_eq!(Rate::parse("3/s").unwrap().time_for(3_000_000), Duration::from_secs(1_000_000));
        for text in ["0/s", "x/s", "5/d", "-1/s", "/s", "1e3/s"] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
        for text in ["0/s", "0.0/h", "000/m"] {
            assert_eq!(Rate::parse_or_zero(text), Ok(Rate::ZERO), "{text}");
        }
        assert!(Rate::parse_or_zero("/s").is_err() && Rate::parse_or_zero("-0/s").is_err());
        assert_eq!(Rate::parse_per_second("0"), None);
    }

    #[test]
    fn shares_are_fractions() {
        assert!((parse_percent("0.1%").unwrap() - 0.001).abs() < 1e-12);
        assert_eq!(format_percent(0.001), "0.1%");
        assert!(parse_percent("120%").is_err());
    }

    #[test]
    fn a_rate_is_written_in_the_first_unit_in_which_it_is_exact() {
        for (text, want) in [
            ("50/s", "50/s"),
            ("10/m", "10/m"),
            ("60/m", "1/s"),
            ("1/h", "1/h"),
            ("0.2/s", "0.2/s"),
            ("0.5/h", "0.5/h"),
            ("6/m", "0.1/s"),
        ] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), want, "{text}");
        }
        assert_eq!(Rate::ZERO.to_string(), "0/s");
    }

    proptest! {
        #[test]
        fn a_written_rate_reads_back(whole in 0u64..1_000_000, millionths in 1u64..1_000_000, unit in 0usize..3) {
            let text = format!("{whole}.{millionths:06}/{}", ["s", "m", "h"][unit]);
            let rate = Rate::parse(&text).unwrap();
            prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
        }

        #[test]
        fn a_written_duration_reads_back(ms in 0u64..100_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn reading_any_text_never_panics(text in ".{0,20}") {
            let _ = parse_duration(&text);
            let _ = Rate::parse(&text);
            let _ = parse_percent(&text);
        }
    }
}
