//! Owns the text form of thresholds: `p95 < 500ms` to a value and back.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::limit::Limit;
use crate::units::{Rate, format_duration, format_percent, parse_duration, parse_percent};

/// A figure of the run and the bound that it must keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Threshold {
    /// As it is shown: `p95 < 500ms`, with one space on either side of the operator.
    pub text: String,
    /// What is looked at.
    pub metric: Metric,
    /// How it is compared with the limit.
    pub op: Op,
    /// What it is compared with.
    pub limit: Limit,
    /// What is looked at; absent: all requests.
    pub of: Option<Of>,
    /// The stage in which alone it is looked at.
    pub during: Option<String>,
    /// When it is looked at.
    pub when: When,
    /// A percentile of fewer samples than it needs is judged all the same.
    pub allow_few: bool,
    /// Where it stands in the plan; absent when it is of no plan.
    pub written: Option<Written>,
}

/// Where a threshold stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// How a threshold is kept in records: its text, and what stands beside it in the plan.
#[derive(Serialize, Deserialize)]
struct Stored {
    must: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Of>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    during: Option<String>,
    #[serde(default)]
    when: When,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_few: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Written>,
}

impl From<Threshold> for Stored {
    fn from(threshold: Threshold) -> Self {
        let Threshold { text, of, during, when, allow_few, written, .. } = threshold;
        Self { must: text, of, during, when, allow_few, written }
    }
}

impl TryFrom<Stored> for Threshold {
    type Error = ThresholdError;

    fn try_from(stored: Stored) -> Result<Self, ThresholdError> {
        let Stored { must, of, during, when, allow_few, written } = stored;
        Ok(Self { of, during, when, allow_few, written, ..Self::parse(&must)? })
    }
}

/// When a threshold is judged. Figures come in whole seconds of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// It must hold in each window of so many seconds; absent: over the whole.
    pub every: Option<u32>,
    /// Of what ended before that second nothing is looked at.
    pub after: u32,
    /// The run ends as soon as it breaks.
    pub abort: bool,
}

/// What a threshold is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// Requests of a name, `METHOD name` or the name alone.
    Name(String),
    /// The times of a group.
    Group(String),
    /// Requests of what carries a tag.
    Tag(String),
    /// Requests of a user class.
    Class(String),
}

impl Of {
    /// As it was written, without its kind.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Name(text) | Self::Group(text) | Self::Tag(text) | Self::Class(text) => text,
        }
    }

    /// Said in full: `class: Buyer`.
    #[must_use]
    pub fn long(&self) -> String {
        format!("{}: {}", self.kind(), self.text())
    }

    /// `name`, `group`, `tag` or `class`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Group(_) => "group",
            Self::Tag(_) => "tag",
            Self::Class(_) => "class",
        }
    }
}

/// A figure of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A time, in milliseconds.
    Time(Timing, Statistic),
    /// Requests per second.
    Rps,
    /// How many requests there were.
    Requests,
    /// How many of them failed.
    Failures,
    /// How often one of them was sent again.
    Retries,
    /// How many arrivals were never started.
    Dropped,
    /// Failed requests as a fraction of all.
    ErrorRate,
}

/// Which time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timing {
    /// From when it was due to the last byte, failed requests too: `p95`.
    Response,
    /// The same of the successes alone: `ok.p95`.
    OkResponse,
    /// From when it was sent to the last byte: `service.p95`.
    Service,
    /// Opening a connection: `connect.p95`.
    Connect,
    /// Agreeing on TLS, which is a part of that: `tls.p95`.
    Tls,
    /// From when it was sent to the first byte: `ttfb.p95`.
    FirstByte,
}

/// What is taken of the times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The quantile, above 0 and below 1: `p95` is 0.95.
    Percentile(f64),
    /// The mean.
    Avg,
    /// The shortest.
    Min,
    /// The longest.
    Max,
}

/// How a figure is compared with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`, of what is counted.
    Equal,
}

impl Op {
    /// Whether `value` keeps the limit. Nothing that is not a number does.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value == limit,
        }
    }
}

impl Op {
    /// The limit is the most that is allowed.
    #[must_use]
    pub fn is_upper(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual | Self::Equal)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
        })
    }
}

/// Why a text is not a threshold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {advice}")]
pub struct ThresholdError {
    /// What is wrong, without a full stop: "`p95 < 500` lacks its unit".
    pub problem: String,
    /// What to do: "write `p95 < 500ms`".
    pub advice: String,
}

impl ThresholdError {
    pub(super) fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

/// The metrics that a threshold can name, `p95` standing for every percentile.
pub const METRICS: [&str; 11] = [
    "p95",
    "p50",
    "avg",
    "min",
    "max",
    "rps",
    "requests",
    "failures",
    "error_rate",
    "retries",
    "dropped",
];

/// Those that are counted, and can be exactly so many.
const COUNTS: [&str; 4] = ["requests", "failures", "retries", "dropped"];

/// What a percentile or a mean can be taken of, by the word before the dot.
const TIMINGS: [(&str, Timing); 5] = [
    ("ok", Timing::OkResponse),
    ("service", Timing::Service),
    ("connect", Timing::Connect),
    ("tls", Timing::Tls),
    ("ttfb", Timing::FirstByte),
];

/// Words of other tools, and habits.
const SYNONYMS: [(&str, &str); 23] = [
    ("median", "p50"),
    ("med", "p50"),
    ("mean", "avg"),
    ("average", "avg"),
    ("response_time", "p95"),
    ("latency", "p95"),
    ("http_req_duration", "p95"),
    ("duration", "p95"),
    ("throughput", "rps"),
    ("qps", "rps"),
    ("tps", "rps"),
    ("http_reqs", "requests"),
    ("count", "requests"),
    ("errors", "failures"),
    ("fail_ratio", "error_rate"),
    ("failure_rate", "error_rate"),
    ("fail_rate", "error_rate"),
    ("errors_rate", "error_rate"),
    ("http_req_failed", "error_rate"),
    ("dropped_iterations", "dropped"),
    ("error-rate", "error_rate"),
    ("errorrate", "error_rate"),
    ("first_byte", "ttfb.p95"),
];

impl Threshold {
    /// Reads `METRIC OP VALUE`: `p95 < 500ms`, `error_rate < 0.1%`, `rps > 50`, `ok.p99.9 <= 1s`.
    ///
    /// # Errors
    /// Says what is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, ThresholdError> {
        let (metric_text, op, value) = split(text)?;
        // `errors < 1%` is about a share, whatever its name.
        let is_count = matches!(metric_text, "errors" | "failures" | "failed");
        if is_count && value.ends_with('%') {
            return Err(ThresholdError::new(
                format!("`{metric_text}` is a number of requests, and `{value}` a share of them"),
                format!("write `error_rate {op} {value}`"),
            ));
        }
        let metric = Metric::parse(metric_text)?;
        let (limit, shown) = metric.parse_limit(metric_text, op, value)?;
        if op == Op::Less && matches!(limit, Limit::Fixed(limit) if limit <= 0.0) {
            return Err(ThresholdError::new(
                format!("`{metric_text} < {shown}` can never hold"),
                "nothing that is measured lies below 0; write `<=`, or a limit above it",
            ));
        }
        let text = format!("{metric_text} {op} {shown}");
        let (of, during, when, written) = (None, None, When::default(), None);
        Ok(Self { text, metric, op, limit, of, during, when, allow_few: false, written })
    }
}

impl Threshold {
    /// Whether `value` keeps that limit. None of what none of the baseline had keeps it too.
    #[must_use]
    pub fn holds(&self, value: f64, limit: f64) -> bool {
        let none = self.limit.is_of_baseline() && value == 0.0 && limit == 0.0;
        none || self.op.holds(value, limit)
    }

    /// It asks for a number that no run has in its first second.
    #[must_use]
    pub fn breaks_at_once(&self) -> bool {
        let counted = matches!(
            self.metric,
            Metric::Requests | Metric::Failures | Metric::Retries | Metric::Dropped
        );
        counted && self.limit.fixed().is_some_and(|limit| !self.op.holds(0.0, limit))
    }

    /// When it is judged, as it is said behind its text: ` in each 10s, during peak, after 30s`; empty
    /// when nothing is said.
    #[must_use]
    pub fn when_words(&self) -> String {
        let time = |seconds| format_duration(Duration::from_secs(u64::from(seconds)));
        let When { every, after, .. } = self.when;
        let every = every.map(|every| format!("in each {}", time(every)));
        let during = self.during.as_ref().map(|stage| format!("during {stage}"));
        let after = (after > 0).then(|| format!("after {}", time(after)));
        let words: Vec<_> = [every, during, after].into_iter().flatten().collect();
        if words.is_empty() { String::new() } else { format!(" {}", words.join(", ")) }
    }

    /// What follows the operator: `500ms`, `baseline * 1.10`.
    #[must_use]
    pub fn limit_text(&self) -> &str {
        self.text.splitn(3, ' ').nth(2).unwrap_or_default()
    }

    /// How many samples it takes to say that it holds; none when it is on no percentile.
    ///
    /// That the quantile `q` lies below a limit can be said of `n` samples below it when, were it not so,
    /// all of them would be there by a chance of 5 % at the most: the smallest `n` with `1 − q^n ≥ 0.95`
    /// (one-sided, whatever the distribution: Hahn and Meeker, *Statistical Intervals*, 5.2). That
    /// it lies above one, with `1 − q` in its place.
    #[must_use]
    pub fn samples_needed(&self) -> Option<u64> {
        let Metric::Time(_, Statistic::Percentile(quantile)) = self.metric else { return None };
        if self.allow_few {
            return None;
        }
        let tail = if self.op.is_upper() { quantile } else { 1.0 - quantile };
        // A hair below a whole number is that number.
        Some(((0.05f64.ln() / tail.ln() - 1e-9).ceil() as u64).max(1))
    }
}

fn split(text: &str) -> Result<(&str, Op, &str), ThresholdError> {
    let shape = "write it as `p95 < 500ms`, `error_rate < 0.1%` or `rps > 50`";
    let text = text.trim();
    let Some(at) = text.find(['<', '>', '=', '!', '≤', '≥']) else {
        let problem = if text.is_empty() {
            "the threshold is empty".to_owned()
        } else {
            format!("`{text}` compares nothing")
        };
        return Err(ThresholdError::new(problem, shape));
    };
    let (metric, rest) = (text[..at].trim(), &text[at..]);
    let sign = rest.find(|c| !matches!(c, '<' | '>' | '=' | '!' | '≤' | '≥')).unwrap_or(rest.len());
    let (sign, value) = (&rest[..sign], rest[sign..].trim());
    let op = match sign {
        "<" => Op::Less,
        "<=" | "≤" => Op::LessOrEqual,
        ">" => Op::Greater,
        ">=" | "≥" => Op::GreaterOrEqual,
        "==" if COUNTS.contains(&metric) => Op::Equal,
        "=" | "===" if COUNTS.contains(&metric) => {
            return Err(ThresholdError::new(
                format!("`{sign}` is not a comparison"),
                "write `==`, or one of `<`, `<=`, `>` and `>=`",
            ));
        }
        "=" | "==" | "===" | "!=" => {
            return Err(ThresholdError::new(
                format!("`{sign}` cannot judge a measured figure, which is never exactly so"),
                "use `<`, `<=`, `>` or `>=`",
            ));
        }
        "=<" => return Err(ThresholdError::new("`=<` is not a comparison", "write `<=`")),
        "=>" => return Err(ThresholdError::new("`=>` is not a comparison", "write `>=`")),
        _ => {
            return Err(ThresholdError::new(
                format!("`{sign}` is not a comparison"),
                "use `<`, `<=`, `>` or `>=`",
            ));
        }
    };
    if metric.is_empty() {
        return Err(ThresholdError::new(format!("`{text}` does not say what is compared"), shape));
    }
    if value.is_empty() {
        return Err(ThresholdError::new(format!("`{text}` has no limit"), shape));
    }
    Ok((metric, op, value))
}

impl Metric {
    /// Whether a group has it: a group is a time without waits, and is not sent itself.
    #[must_use]
    pub fn is_of_groups(self) -> bool {
        match self {
            Self::Time(timing, _) => matches!(timing, Timing::Response | Timing::OkResponse),
            Self::Retries | Self::Dropped => false,
            Self::Rps | Self::Requests | Self::Failures | Self::ErrorRate => true,
        }
    }

    fn parse(text: &str) -> Result<Self, ThresholdError> {
        match text {
            "rps" => return Ok(Self::Rps),
            "requests" => return Ok(Self::Requests),
            "failures" => return Ok(Self::Failures),
            "retries" => return Ok(Self::Retries),
            "dropped" => return Ok(Self::Dropped),
            "error_rate" => return Ok(Self::ErrorRate),
            _ => {}
        }
        let (timing, statistic) = match text.split_once('.') {
            Some((word, rest)) if !is_percentile(text) => {
                let Some((_, timing)) = TIMINGS.iter().find(|(name, _)| *name == word) else {
                    return Err(unknown(text));
                };
                (*timing, rest)
            }
            _ => (Timing::Response, text),
        };
        let statistic = match statistic {
            "avg" => Statistic::Avg,
            "min" => Statistic::Min,
            "max" => Statistic::Max,
            percentile if is_percentile(percentile) => {
                let percent: f64 = percentile[1..].parse().map_err(|_| unknown(text))?;
                if percent <= 0.0 || percent >= 100.0 {
                    return Err(ThresholdError::new(
                        format!("there is no percentile `{percentile}`"),
                        "a percentile lies above 0 and below 100, as `p50`, `p95` or `p99.9`; the \
                         longest time is `max`",
                    ));
                }
                // Not percent / 100: 99.9 / 100 is not 0.999.
                let quantile = format!("{}e-2", &percentile[1..]).parse().unwrap_or(percent / 1e2);
                Statistic::Percentile(quantile)
            }
            _ => return Err(unknown(text)),
        };
        Ok(Self::Time(timing, statistic))
    }

    fn parse_limit(
        self,
        metric: &str,
        op: Op,
        value: &str,
    ) -> Result<(Limit, String), ThresholdError> {
        if value.contains("baseline") {
            return super::limit::of_baseline(self, metric, op, value);
        }
        let (limit, shown) = self.parse_amount(metric, op, value)?;
        Ok((Limit::Fixed(limit), shown))
    }

    /// An amount in the unit of the metric.
    pub(super) fn parse_amount(
        self,
        metric: &str,
        op: Op,
        value: &str,
    ) -> Result<(f64, String), ThresholdError> {
        let whole = format!("{metric} {op} {value}");
        let bare = value.parse::<f64>().is_ok_and(f64::is_finite);
        let bad = |advice: String| {
            ThresholdError::new(format!("`{value}` is no limit for `{metric}`"), advice)
        };
        match self {
            Self::Time(..) => {
                if bare {
                    return Err(ThresholdError::new(
                        format!("`{whole}` lacks its unit"),
                        format!("write `{whole}ms`"),
                    ));
                }
                let limit = parse_duration(&value.replace(' ', ""))
                    .map_err(|_| bad(format!("write a time, as `{metric} {op} 500ms`")))?;
                Ok((limit.as_secs_f64() * 1e3, value.replace(' ', "")))
            }
            Self::ErrorRate => {
                if bare {
                    let advice = match value.parse::<f64>() {
                        // A fraction, as other tools write it.
                        Ok(fraction) if fraction < 1.0 && fraction > 0.0 => format!(
                            "write `{metric} {op} {}` for the fraction {value}, or `{metric} {op} {value}%`",
                            format_percent(fraction)
                        ),
                        _ => format!("write `{whole}%`"),
                    };
                    return Err(ThresholdError::new(format!("`{whole}` lacks its unit"), advice));
                }
                let limit = parse_percent(value).map_err(|_| {
                    bad(format!("write a share of 0% to 100%, as `{metric} {op} 0.1%`"))
                })?;
                Ok((limit, value.replace(' ', "")))
            }
            Self::Rps => {
                let number = value.split('/').next().unwrap_or(value).trim();
                if number.parse::<f64>() == Ok(0.0) {
                    return Ok((0.0, "0/s".to_owned()));
                }
                let rate = match Rate::parse_per_second(value) {
                    Some(rate) => rate,
                    None => Rate::parse(value).map_err(|_| {
                        bad(format!("write requests per second, as `{metric} {op} 50/s`"))
                    })?,
                };
                Ok((rate.as_per_second(), rate.to_string()))
            }
            Self::Requests | Self::Failures | Self::Retries | Self::Dropped => {
                let limit: u32 = value
                    .parse()
                    .map_err(|_| bad(format!("write a whole number, as `{metric} {op} 100`")))?;
                Ok((f64::from(limit), limit.to_string()))
            }
        }
    }
}

/// `p` and a decimal number.
fn is_percentile(text: &str) -> bool {
    text.strip_prefix('p').is_some_and(|number| {
        number.starts_with(|c: char| c.is_ascii_digit())
            && !number.ends_with('.')
            && number.len() <= 12
            && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && number.bytes().filter(|byte| *byte == b'.').count() <= 1
    })
}

fn unknown(text: &str) -> ThresholdError {
    let problem = format!("there is no metric `{text}`");
    let word = text.to_lowercase();
    // `p(95)` as k6 writes it, `95%` as Locust's tables do, `95th`.
    let digits: String = word.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let percentile = format!("p{digits}");
    let rest: String = word.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let likely = if is_percentile(&percentile) && matches!(&*rest, "" | "p" | "th" | "percentile") {
        Some(percentile)
    } else if let Some((_, ours)) = SYNONYMS.iter().find(|(theirs, _)| *theirs == word) {
        Some((*ours).to_owned())
    } else {
        METRICS
            .into_iter()
            .map(|known| (strsim::damerau_levenshtein(&word, known), known))
            .filter(|(distance, known)| *distance <= known.len() / 3 && word.len() <= 20)
            .min()
            .map(|(_, known)| known.to_owned())
    };
    let advice = match likely {
        Some(likely) => format!("did you mean `{likely}`?"),
        None => {
            "there are `p50` to `p99.99`, `avg`, `min`, `max`, `rps`, `requests`, `failures`, \
                 `error_rate`, `retries` and `dropped`; before a time may stand `ok.`, `service.`, `connect.`, `tls.` or `ttfb.`"
                .to_owned()
        }
    };
    ThresholdError::new(problem, advice)
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
