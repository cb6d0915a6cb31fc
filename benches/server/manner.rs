//! Owns when the target answers: after a delay, behind a freeze, or out of a queue.

use std::str::FromStr;

/// Nanoseconds, of a time or between two.
pub type Nanos = u64;

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Manner {
    /// At least and at most so long after it came a request is answered.
    delay: Option<(Nanos, Nanos)>,
    /// Nothing is answered in the last part of each period: the part, and the period.
    freeze: Option<(Nanos, Nanos)>,
    /// One queue, first come, first served, by exponentially distributed times with this mean.
    queue: Option<f64>,
    /// Every so many requests are answered with a failure, of many kinds.
    pub failing: Option<u64>,
    /// It keeps a record of every request.
    pub stamps: bool,
    /// When the one who was served last is.
    served: Nanos,
    draws: Draws,
}

/// Random numbers that are the same each time (splitmix64).
#[derive(Debug, Default)]
struct Draws(u64);

impl Draws {
    /// From 0 up to but not including 1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What the arguments ask for beside the plain server: none when it is that.
///
/// # Errors
/// What the argument is that it does not know.
pub fn asked(arguments: &[String]) -> Result<Option<Manner>, String> {
    let mut manner = Manner::default();
    let mut timed = false;
    for argument in arguments {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        timed |= name != "--addresses";
        match name {
            "--addresses" => {}
            "--stamps" => manner.stamps = true,
            "--delay-ms" => {
                let (from, to) = value.split_once("..").unwrap_or((value, value));
                manner.delay = Some((millis(from)?, millis(to)?));
            }
            "--freeze-ms" => {
                let (part, period) = value.split_once('/').ok_or(value)?;
                manner.freeze = Some((millis(part)?, millis(period)?));
            }
            "--queue-per-s" => manner.queue = Some(1e9 / number::<f64>(value)?),
            "--failing" => manner.failing = Some(number::<u64>(value)?),
            "--seed" => manner.draws = Draws(number(value)?),
            _ => return Err(format!("no such option: {argument}")),
        }
    }
    Ok(timed.then_some(manner))
}

/// The value of `--addresses=N`, 1 without it.
///
/// # Errors
/// It is no number.
pub fn addresses(arguments: &[String]) -> Result<u8, String> {
    let given = arguments.iter().find_map(|argument| argument.strip_prefix("--addresses="));
    given.map_or(Ok(1), number)
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn millis(text: &str) -> Result<Nanos, String> {
    Ok((number::<f64>(text)? * 1e6) as Nanos)
}

impl Manner {
    /// When a request that came at `came` is answered; both from the server's begin.
    pub fn answered_at(&mut self, came: Nanos) -> Nanos {
        let mut at = came;
        if let Some((least, most)) = self.delay {
            let more =
                if most > least { self.draws.fraction() * (most - least) as f64 } else { 0.0 };
            at += least + more as Nanos;
        }
        if let Some(mean) = self.queue {
            let service = -(1.0 - self.draws.fraction()).ln() * mean;
            at = at.max(self.served) + service as Nanos;
            self.served = at;
        }
        if let Some((part, period)) = self.freeze
            && at % period >= period - part
        {
            at = (at / period + 1) * period;
        }
        at
    }
}
