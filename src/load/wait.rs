//! Owns waits (think time): text to value, and drawing one.

use std::fmt;
use std::time::Duration;

use crate::random::Stream;
use crate::units::{UnitError, format_duration, parse_duration};

/// How long a user pauses after an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    None,
    /// Always so long.
    Constant(Duration),
    /// Evenly between the two, both included.
    Uniform(Duration, Duration),
    /// Until so long after the iteration was due to start: then the next one is (Locust's
    /// `constant_pacing`, without its drift).
    Pace(Duration),
    /// Exponentially distributed, with this mean.
    Exponential(Duration),
    /// Normally distributed around the first, scattered by the second, cut at 0.
    Normal(Duration, Duration),
}

impl Wait {
    /// Reads `none`, `2s`, `1s..3s`.
    ///
    /// # Errors
    /// Says which part is not a duration, or that the range runs backwards.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self::None);
        }
        let Some((low, high)) = text.split_once("..") else {
            return match parse_duration(text)? {
                Duration::ZERO => Ok(Self::None),
                constant => Ok(Self::Constant(constant)),
            };
        };
        let side = |part: &str, which: &str| {
            parse_duration(part).map_err(|error| UnitError(format!("its {which}: {error}")))
        };
        let (low, high) = (side(low, "lower end")?, side(high, "upper end")?);
        if low > high {
            let (low, high) = (format_duration(low), format_duration(high));
            return Err(UnitError(format!("it runs backwards; write `{high}..{low}`")));
        }
        Ok(if low == high { Self::Constant(low) } else { Self::Uniform(low, high) })
    }

    /// The next wait of a user whose iteration was due to start `spent` ago.
    ///
    /// An exponential one is `-mean · ln(1 - u)`; a normal one is `mean + stddev · z` with `z` by
    /// Box and Muller, `sqrt(-2 ln(1 - u)) · cos(2πv)`, for even `u` and `v` below 1.
    pub fn draw(self, stream: &mut Stream, spent: Duration) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(constant) => constant,
            Self::Uniform(low, high) => stream.duration(low, high),
            Self::Pace(every) => every.saturating_sub(spent),
            Self::Exponential(mean) => mean.mul_f64(-(1.0 - stream.fraction()).ln()),
            Self::Normal(mean, stddev) => {
                let radius = (-2.0 * (1.0 - stream.fraction()).ln()).sqrt();
                let z = radius * (std::f64::consts::TAU * stream.fraction()).cos();
                let seconds = mean.as_secs_f64() + stddev.as_secs_f64() * z;
                Duration::from_secs_f64(seconds.max(0.0))
            }
        }
    }

    /// The mean wait of a user whose iterations take no time: `(low + high) / 2`. What cutting a
    /// normal one at 0 adds is left out.
    #[must_use]
    pub fn mean(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(mean)
            | Self::Pace(mean)
            | Self::Exponential(mean)
            | Self::Normal(mean, _) => mean,
            Self::Uniform(low, high) => (low + high) / 2,
        }
    }

    /// It counts from the start of an iteration, not from its end.
    #[must_use]
    pub fn is_pace(self) -> bool {
        matches!(self, Self::Pace(_))
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Constant(constant) => f.write_str(&format_duration(*constant)),
            Self::Uniform(low, high) => {
                write!(f, "{}..{}", format_duration(*low), format_duration(*high))
            }
            Self::Pace(every) => write!(f, "a pace of {}", format_duration(*every)),
            Self::Exponential(mean) => write!(f, "exponential {}", format_duration(*mean)),
            Self::Normal(mean, stddev) => {
                let (mean, stddev) = (format_duration(*mean), format_duration(*stddev));
                write!(f, "normal {mean} ± {stddev}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_are_read_as_people_write_them() {
        let seconds = Duration::from_secs;
        assert_eq!(Wait::parse("2s"), Ok(Wait::Constant(seconds(2))));
        assert_eq!(Wait::parse("1s..3s"), Ok(Wait::Uniform(seconds(1), seconds(3))));
        assert_eq!(Wait::parse(" 1s .. 3s "), Ok(Wait::Uniform(seconds(1), seconds(3))));
        assert_eq!(Wait::parse("none"), Ok(Wait::None));
        assert_eq!(Wait::parse("0s"), Ok(Wait::None));
    }

    #[test]
    fn a_wrong_wait_is_told_what_is_wrong() {
        let said = |text| Wait::parse(text).unwrap_err().to_string();
        assert_eq!(said("3s..1s"), "it runs backwards; write `1s..3s`");
        assert_eq!(said("1..3s"), "its lower end: the unit is missing; write `1s` or `1ms`");
        assert!(said("2").contains("write `2s`"));
    }

    proptest! {
        #[test]
        fn every_draw_lies_within_the_range(low in 0u64..5000, more in 0u64..5000, user in 0u64..50) {
            let (low, high) = (Duration::from_millis(low), Duration::from_millis(low + more));
            let drawn = Wait::Uniform(low, high).draw(&mut Stream::new(3, 0, user), Duration::ZERO);
            prop_assert!(low <= drawn && drawn <= high);
        }

        #[test]
        fn a_written_wait_reads_back(low in 1u64..5000, more in 1u64..5000) {
            let ms = Duration::from_millis;
            let wait = Wait::Uniform(ms(low), ms(low + more));
            prop_assert_eq!(Wait::parse(&wait.to_string()), Ok(wait));
        }
    }

    #[test]
    fn the_mean_of_many_draws_is_the_mean() {
        let seconds = Duration::from_secs;
        for wait in [
            Wait::parse("1s..3s").unwrap(),
            Wait::Exponential(seconds(2)),
            Wait::Normal(seconds(2), Duration::from_millis(500)),
        ] {
            let mut stream = Stream::new(1, 0, 0);
            let drawn: Vec<f64> =
                (0..10_000).map(|_| wait.draw(&mut stream, Duration::ZERO).as_secs_f64()).collect();
            let mean = drawn.iter().sum::<f64>() / 10_000.0;
            assert!((mean - 2.0).abs() < 0.06, "mean of the draws of {wait} is {mean}");
            let off = drawn.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 10_000.0;
            let want = match wait {
                Wait::Exponential(_) => 2.0,
                Wait::Normal(..) => 0.5,
                // The deviation of an even distribution is its width over √12.
                _ => 2.0 / 12f64.sqrt(),
            };
            assert!((off.sqrt() - want).abs() < 0.1, "{wait} scatters by {}", off.sqrt());
        }
    }

    #[test]
    fn a_pace_is_what_is_left_of_it_and_a_normal_wait_is_never_negative() {
        let seconds = Duration::from_secs;
        let mut stream = Stream::new(1, 0, 0);
        let pace = Wait::Pace(seconds(5));
        assert_eq!(pace.draw(&mut stream, seconds(2)), seconds(3));
        assert_eq!(pace.draw(&mut stream, seconds(9)), seconds(0));
        let wild = Wait::Normal(seconds(1), seconds(10));
        assert!((0..1000).any(|_| wild.draw(&mut stream, seconds(0)).is_zero()));
    }
}
