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

    /// The next wait of a user.
    pub fn draw(self, stream: &mut Stream) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(constant) => constant,
            Self::Uniform(low, high) => stream.duration(low, high),
        }
    }

    /// The mean wait: `(low + high) / 2`.
    #[must_use]
    pub fn mean(self) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(constant) => constant,
            Self::Uniform(low, high) => (low + high) / 2,
        }
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
            let drawn = Wait::Uniform(low, high).draw(&mut Stream::new(3, 0, user));
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
        let wait = Wait::parse("1s..3s").unwrap();
        let mut stream = Stream::new(1, 0, 0);
        let sum: Duration = (0..10_000).map(|_| wait.draw(&mut stream)).sum();
        let mean = sum / 10_000;
        let off = mean.abs_diff(wait.mean());
        assert!(off < Duration::from_millis(30), "mean of the draws is {mean:?}");
    }
}
