//! Owns how long opening a connection took, and how much of that its TLS.

use std::num::NonZeroU64;
use std::ops::Add;
use std::time::Duration;

/// How long opening a connection took. Small, and smaller still where there is none: most requests
/// open none, and each carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// At least 1, which nothing on a wire is faster than.
    whole_ns: NonZeroU64,
    /// Without TLS it is 0.
    tls_ns: u64,
}

impl Opening {
    /// So long in all, and so long of it until both ends agreed on TLS.
    #[must_use]
    pub fn new(whole: Duration, tls: Option<Duration>) -> Self {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let whole_ns = NonZeroU64::new(ns(whole)).unwrap_or(NonZeroU64::MIN);
        Self { whole_ns, tls_ns: tls.map_or(0, |tls| ns(tls).max(1)) }
    }

    /// All of it.
    #[must_use]
    pub fn whole(self) -> Duration {
        Duration::from_nanos(self.whole_ns.get())
    }

    /// The handshake of TLS, when there was one.
    #[must_use]
    pub fn tls(self) -> Option<Duration> {
        (self.tls_ns > 0).then(|| Duration::from_nanos(self.tls_ns))
    }
}

/// Of two connections, one after the other.
impl Add for Opening {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            whole_ns: self.whole_ns.saturating_add(other.whole_ns.get()),
            tls_ns: self.tls_ns.saturating_add(other.tls_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_weighs_no_more_than_one_time_and_loses_nothing() {
        assert_eq!(size_of::<Option<Opening>>(), size_of::<Option<Duration>>());
        let ns = Duration::from_nanos;
        let plain = Opening::new(ns(1_234_567), None);
        assert_eq!((plain.whole(), plain.tls()), (ns(1_234_567), None));
        let both = plain + Opening::new(ns(3), Some(Duration::ZERO));
        assert_eq!((both.whole(), both.tls()), (ns(1_234_570), Some(ns(1))));
        assert_eq!(Opening::new(Duration::ZERO, None).whole(), ns(1));
    }
}
