//! Owns how other parsers read a plain value of YAML: by version 1.1 as `PyYAML` does, by 1.2 as most do.
//!
//! | written | 1.1 | 1.2 |
//! |---|---|---|
//! | `yes` `no` `on` `off` | a truth value | text |
//! | `017` | 15 | 17 |
//! | `0o17` | text | 15 |
//! | `1_000` `0b11` `1:30` | 1000, 3, 90 | text |
//! | `1e3` `-.5` | text | 1000, -0.5 |
//! | `2024-01-31` | a date | text |
//! | `=` `<<` | refused | text |

/// What a parser makes of a plain value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    /// A number; one that is whole is so up to 53 bits.
    Number(f64),
    Date,
    /// Nothing that it can read.
    Refused,
    Text,
}

/// By YAML 1.1, with the rules of `PyYAML`.
pub(super) fn by_1_1(written: &str) -> Meaning {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Meaning::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Meaning::Bool(false);
        }
        "=" | "<<" => return Meaning::Refused,
        _ => {}
    }
    if is_date(written) {
        return Meaning::Date;
    }
    let (sign, digits) = signed(written);
    let number = infinite(written).or_else(|| whole_1_1(digits).map(|number| sign * number));
    number.or_else(|| float_1_1(written)).map_or(Meaning::Text, Meaning::Number)
}

/// By YAML 1.2, with the rules of its core schema.
pub(super) fn by_1_2(written: &str) -> Meaning {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Meaning::Null,
        "true" | "True" | "TRUE" => return Meaning::Bool(true),
        "false" | "False" | "FALSE" => return Meaning::Bool(false),
        _ => {}
    }
    let (sign, digits) = signed(written);
    let radix = |prefix: &str, radix: u32| {
        let digits = written.strip_prefix(prefix)?;
        digits.chars().all(|c| c.is_digit(radix)).then(|| in_radix(digits, radix))?
    };
    let number = infinite(written)
        .or_else(|| radix("0x", 16))
        .or_else(|| radix("0o", 8))
        .or_else(|| decimal(digits).map(|number| sign * number));
    number.map_or(Meaning::Text, Meaning::Number)
}

fn signed(written: &str) -> (f64, &str) {
    match written.as_bytes().first() {
        Some(b'-') => (-1.0, &written[1..]),
        Some(b'+') => (1.0, &written[1..]),
        _ => (1.0, written),
    }
}

fn infinite(written: &str) -> Option<f64> {
    match written {
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let (sign, rest) = signed(written);
    matches!(rest, ".inf" | ".Inf" | ".INF").then_some(sign * f64::INFINITY)
}

fn in_radix(digits: &str, radix: u32) -> Option<f64> {
    let mut number = None;
    for digit in digits.chars().filter(|c| *c != '_') {
        number = Some(number.unwrap_or(0.0) * f64::from(radix) + f64::from(digit.to_digit(radix)?));
    }
    number
}

fn whole_1_1(digits: &str) -> Option<f64> {
    let all = |text: &str, radix: u32| {
        !text.is_empty() && text.chars().all(|c| c == '_' || c.is_digit(radix))
    };
    for (prefix, radix) in [("0b", 2), ("0x", 16), ("0", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && all(rest, radix)
        {
            // Of `_` alone none makes a number, and those that try fail.
            return Some(in_radix(rest, radix).unwrap_or(f64::NAN));
        }
    }
    if digits == "0" {
        return Some(0.0);
    }
    if !digits.starts_with(|c: char| matches!(c, '1'..='9')) {
        return None;
    }
    let mut parts = digits.split(':');
    let first = parts.next().filter(|first| all(first, 10))?;
    sixties(first, parts)
}

/// `1:30` is 90: hours, minutes and seconds, or degrees.
fn sixties<'a>(first: &str, rest: impl Iterator<Item = &'a str>) -> Option<f64> {
    let mut number = in_radix(first, 10)?;
    for part in rest {
        let good = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        number = number * 60.0 + f64::from(part.parse::<u8>().ok().filter(|n| good && *n < 60)?);
    }
    Some(number)
}

fn float_1_1(written: &str) -> Option<f64> {
    let (sign, digits) = signed(written);
    let (before, after) = digits.split_once('.')?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if before.contains(':') {
        let mut parts = before.split(':');
        let first = parts.next().filter(|first| first.starts_with(|c: char| c.is_ascii_digit()));
        let whole = sixties(first.filter(|first| plain(first))?, parts)?;
        let part = if after.is_empty() { 0.0 } else { format!("0.{after}").parse().ok()? };
        return plain(after).then_some(sign * (whole + part));
    }
    let (part, exponent) = match after.find(['e', 'E']) {
        Some(at) => (&after[..at], Some(&after[at + 1..])),
        None => (after, None),
    };
    let exponent_is_good = exponent.is_none_or(|exponent| {
        exponent.starts_with(['+', '-'])
            && exponent.len() > 1
            && exponent[1..].bytes().all(|byte| byte.is_ascii_digit())
    });
    let starts_well = if before.is_empty() {
        digits.len() == written.len() && part.starts_with(|c: char| c.is_ascii_digit())
    } else {
        before.starts_with(|c: char| c.is_ascii_digit())
    };
    if !(starts_well && exponent_is_good && plain(before) && plain(part)) {
        return None;
    }
    written.replace('_', "").parse().ok()
}

/// `[0-9]+`, with a `.` and an exponent or without.
fn decimal(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(signed(&digits[at + 1..]).1)),
        None => (digits, None),
    };
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let good = all(before)
        && all(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all(exponent));
    if good { digits.parse().ok() } else { None }
}

/// `2024-01-31`, alone or with a time behind it.
fn is_date(written: &str) -> bool {
    let (date, time) = match written.find(['T', 't', ' ', '\t']) {
        Some(at) => (&written[..at], Some(&written[at + 1..])),
        None => (written, None),
    };
    let mut parts = date.split('-');
    let mut part = |shortest: usize, longest: usize| {
        parts.next().is_some_and(|part| {
            (shortest..=longest).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let shortest = if time.is_some() { 1 } else { 2 };
    let good = part(4, 4) && part(shortest, 2) && part(shortest, 2) && parts.next().is_none();
    // What follows is looked at no closer: text that begins so is rare.
    good && time.is_none_or(|time| {
        time.trim_start().starts_with(|c: char| c.is_ascii_digit()) && time.contains(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Meaning::{Bool, Date, Null, Number, Refused, Text};

    #[test]
    fn each_version_reads_plain_values_by_its_own_rules() {
        for (written, old, new) in [
            ("", Null, Null),
            ("True", Bool(true), Bool(true)),
            ("yes", Bool(true), Text),
            ("OFF", Bool(false), Text),
            ("y", Text, Text),
            ("12", Number(12.0), Number(12.0)),
            ("+1", Number(1.0), Number(1.0)),
            ("017", Number(15.0), Number(17.0)),
            ("019", Text, Number(19.0)),
            ("0o17", Text, Number(15.0)),
            ("0x1F", Number(31.0), Number(31.0)),
            ("-0x1F", Number(-31.0), Text),
            ("0b11", Number(3.0), Text),
            ("1_000", Number(1000.0), Text),
            ("1:30", Number(90.0), Text),
            ("1:75", Text, Text),
            ("08:30", Text, Text),
            ("1:30.5", Number(90.5), Text),
            ("1e3", Text, Number(1000.0)),
            ("1.0e3", Text, Number(1000.0)),
            ("1.0e+3", Number(1000.0), Number(1000.0)),
            (".5", Number(0.5), Number(0.5)),
            ("-.5", Text, Number(-0.5)),
            ("1.", Number(1.0), Number(1.0)),
            (".inf", Number(f64::INFINITY), Number(f64::INFINITY)),
            ("2024-01-31", Date, Text),
            ("2024-1-1", Text, Text),
            ("2024-01-31T10:00:00Z", Date, Text),
            ("2024-01-31 then", Text, Text),
            ("=", Refused, Text),
            ("1..3", Text, Text),
            ("10.0.0.1", Text, Text),
            ("-", Text, Text),
            ("text", Text, Text),
        ] {
            assert_eq!((by_1_1(written), by_1_2(written)), (old, new), "{written}");
        }
    }
}
