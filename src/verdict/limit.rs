//! Owns what a figure is compared with: a number, or the same figure of another run.

use super::threshold::{Metric, Op, ThresholdError};
use crate::units::parse_percent;

/// What a figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Milliseconds for times, per second for `rps`, a fraction for `error_rate`, else a count.
    Fixed(f64),
    /// The same figure of the baseline so many `times`, and then `plus` more, in its unit.
    Baseline {
        /// 1.1 for a tenth more.
        times: f64,
        /// 20 for 20 ms more, 0.001 for 0.1 percentage points.
        plus: f64,
    },
}

impl Limit {
    /// As a number, when the figure of the baseline is this; none without one that it takes.
    #[must_use]
    pub fn number(self, baseline: Option<f64>) -> Option<f64> {
        match self {
            Self::Fixed(limit) => Some(limit),
            Self::Baseline { times, plus } => Some((baseline? * times + plus).max(0.0)),
        }
    }

    /// As a number, when it needs no baseline.
    #[must_use]
    pub fn fixed(self) -> Option<f64> {
        self.number(None)
    }

    /// It is taken from another run.
    #[must_use]
    pub fn is_of_baseline(self) -> bool {
        matches!(self, Self::Baseline { .. })
    }
}

/// Reads a limit in which `baseline` stands: `baseline`, `baseline * 1.10`, `baseline + 10%`,
/// `baseline + 20ms`. Gives it with how it is shown.
pub(super) fn of_baseline(
    metric: Metric,
    word: &str,
    op: Op,
    value: &str,
) -> Result<(Limit, String), ThresholdError> {
    let more = if op.is_upper() { "baseline * 1.10" } else { "baseline * 0.9" };
    let example = format!("`{word} {op} {more}`");
    let odd =
        |advice: String| ThresholdError::new(format!("`{value}` is no limit for `{word}`"), advice);
    if let Metric::Requests | Metric::Failures | Metric::Retries | Metric::Dropped = metric {
        let instead = match metric {
            Metric::Requests => "`rps > baseline * 0.9`",
            _ => "`error_rate < baseline + 0.1 points`",
        };
        let problem = format!("`{word}` grows with the length of a run, and cannot be compared");
        return Err(ThresholdError::new(problem, format!("compare a rate, as {instead}")));
    }
    if op == Op::Equal {
        let problem = format!("`{word}` is never exactly that of another run");
        return Err(ThresholdError::new(problem, "use `<`, `<=`, `>` or `>=`"));
    }
    let rest = value.strip_prefix("baseline").map(str::trim_start);
    let Some(rest) = rest else {
        return Err(odd(format!("write what it is taken from first, as {example}")));
    };
    let mut letters = rest.chars();
    let (sign, amount) = (letters.next(), letters.as_str().trim());
    let sign = match sign {
        None => return Ok((Limit::Baseline { times: 1.0, plus: 0.0 }, "baseline".to_owned())),
        Some(sign @ ('*' | '+' | '-')) => sign,
        Some('×' | 'x') => '*',
        Some('−') => '-',
        Some(_) => return Err(odd(format!("write {example}, or `baseline` alone"))),
    };
    let limit = match (sign, metric) {
        ('*', _) => Limit::Baseline { times: factor(amount).map_err(odd)?, plus: 0.0 },
        (_, Metric::ErrorRate) => {
            let plus = points(amount, sign).map_err(odd)?;
            Limit::Baseline { times: 1.0, plus: signed(plus, sign) }
        }
        _ if amount.ends_with('%') => {
            let share = amount.trim_end_matches('%').trim().parse::<f64>().ok();
            let share = share.filter(|share| share.is_finite() && *share >= 0.0);
            let times = share.map(|share| 1.0 + signed(share / 100.0, sign));
            // Not 1 + 10 / 100, which is no 1.1.
            let times = times.map(|times| (times * 1e9).round() / 1e9);
            let times = times.filter(|times| *times > 0.0);
            let times = times.ok_or_else(|| odd(format!("write {example}")))?;
            Limit::Baseline { times, plus: 0.0 }
        }
        _ => {
            let bare = amount.parse::<f64>().is_ok();
            let (plus, _) = metric.parse_amount(word, op, amount).map_err(|_| {
                let unit = if metric == Metric::Rps { "/s" } else { "ms" };
                odd(match bare {
                    true => format!(
                        "say of what, as `baseline {sign} {amount}{unit}` or `baseline {sign} {amount}%`"
                    ),
                    false => format!("write {example}"),
                })
            })?;
            if bare {
                return Err(odd(format!(
                    "say of what, as `baseline {sign} {amount}/s` or `baseline {sign} {amount}%`"
                )));
            }
            Limit::Baseline { times: 1.0, plus: signed(plus, sign) }
        }
    };
    Ok((limit, format!("baseline {sign} {amount}")))
}

fn signed(amount: f64, sign: char) -> f64 {
    if sign == '-' { -amount } else { amount }
}

/// What the baseline is multiplied with, or what to write.
fn factor(amount: &str) -> Result<f64, String> {
    if let Ok(percent) = amount.trim_end_matches('%').trim().parse::<f64>()
        && amount.ends_with('%')
    {
        return Err(format!("write it as a number, `baseline * {}`", percent / 100.0));
    }
    match amount.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err("write a number above 0 behind the `*`, as `baseline * 1.10`".to_owned()),
    }
}

/// Percentage points as a fraction. `baseline + 10%` of an error rate could be ten percent of all
/// requests, or of the few that failed.
fn points(amount: &str, sign: char) -> Result<f64, String> {
    let word = amount.trim_end_matches("points").trim_end_matches("point");
    if word.len() < amount.len() {
        return parse_percent(&format!("{}%", word.trim()))
            .map_err(|_| format!("write percentage points, as `baseline {sign} 0.1 points`"));
    }
    let number = amount.trim_end_matches('%').trim();
    let factor = number.parse::<f64>().ok().filter(|share| *share >= 0.0 && share.is_finite());
    Err(match factor {
        Some(share) => {
            let factor = ((1.0 + signed(share / 100.0, sign)) * 1e9).round() / 1e9;
            format!(
                "write `baseline * {factor}` for a share of the baseline's own rate, or \
                 `baseline {sign} {number} points` for percentage points"
            )
        }
        None => format!("write percentage points, as `baseline {sign} 0.1 points`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Threshold;

    #[test]
    fn a_limit_may_be_taken_from_a_baseline() {
        for (text, shown, times, plus) in [
            ("p95 < baseline", "p95 < baseline", 1.0, 0.0),
            ("p95<baseline*1.10", "p95 < baseline * 1.10", 1.1, 0.0),
            ("ok.p99 <= baseline x 2", "ok.p99 <= baseline * 2", 2.0, 0.0),
            ("avg < baseline + 10%", "avg < baseline + 10%", 1.1, 0.0),
            ("p95 < baseline - 20 %", "p95 < baseline - 20 %", 0.8, 0.0),
            ("p95 < baseline + 20ms", "p95 < baseline + 20ms", 1.0, 20.0),
            ("rps > baseline * 0.9", "rps > baseline * 0.9", 0.9, 0.0),
            ("rps >= baseline - 5/s", "rps >= baseline - 5/s", 1.0, -5.0),
            (
                "error_rate < baseline + 0.1 points",
                "error_rate < baseline + 0.1 points",
                1.0,
                0.001,
            ),
            ("error_rate < baseline + 1 point", "error_rate < baseline + 1 point", 1.0, 0.01),
            ("error_rate < baseline * 2", "error_rate < baseline * 2", 2.0, 0.0),
        ] {
            let read = Threshold::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (&*read.text, read.limit),
                (shown, Limit::Baseline { times, plus }),
                "{text}"
            );
            let again = Threshold::parse(&read.text).unwrap();
            assert_eq!((again.limit, &again.text), (read.limit, &read.text), "{text}");
        }
        let limit = Limit::Baseline { times: 1.1, plus: 5.0 };
        assert_eq!((limit.number(Some(10.0)), limit.fixed()), (Some(16.0), None));
        assert_eq!(Limit::Baseline { times: 1.0, plus: -9.0 }.number(Some(5.0)), Some(0.0));
    }

    #[test]
    fn what_could_mean_two_things_is_asked_for() {
        for (text, advice) in [
            (
                "p95 < 1.1 * baseline",
                "write what it is taken from first, as `p95 < baseline * 1.10`",
            ),
            ("p95 < baseline * 110%", "write it as a number, `baseline * 1.1`"),
            ("p95 < baseline *", "write a number above 0 behind the `*`, as `baseline * 1.10`"),
            ("p95 < baseline * -1", "write a number above 0 behind the `*`, as `baseline * 1.10`"),
            ("p95 < baseline / 2", "write `p95 < baseline * 1.10`, or `baseline` alone"),
            ("p95 < baseline + 20", "say of what, as `baseline + 20ms` or `baseline + 20%`"),
            ("p95 < baseline + soon", "write `p95 < baseline * 1.10`"),
            ("p95 < baseline - 100%", "write `p95 < baseline * 1.10`"),
            ("rps > baseline - 5", "say of what, as `baseline - 5/s` or `baseline - 5%`"),
            ("rps > baselines", "write `rps > baseline * 0.9`, or `baseline` alone"),
            (
                "error_rate < baseline + 0.1%",
                "write `baseline * 1.001` for a share of the baseline's own rate, or \
                 `baseline + 0.1 points` for percentage points",
            ),
            ("error_rate < baseline + 10ms", "write percentage points, as `baseline + 0.1 points`"),
            ("failures < baseline", "compare a rate, as `error_rate < baseline + 0.1 points`"),
            ("requests > baseline", "compare a rate, as `rps > baseline * 0.9`"),
        ] {
            assert_eq!(Threshold::parse(text).expect_err(text).advice, advice, "{text}");
        }
    }
}
