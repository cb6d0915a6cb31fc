//! Owns what is odd on the wire and no failure: the one table that names it, and how often it was seen.

use serde::{Deserialize, Serialize};

macro_rules! notices {
    ($($variant:ident, $id:literal, $sentence:literal, $advice:literal;)*) => {
        /// Something odd that a server did, after which the request went on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Notice {
            $(#[doc = $sentence] $variant,)*
        }

        impl Notice {
            /// Every one, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name in records and JSON: `stale_reuse`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// What happened, to stand behind "12 requests: ".
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }

            /// What it means.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),* }
            }
        }

        /// How many there are.
        const KINDS: usize = [$($id),*].len();
    };
}

notices! {
    StaleReuse, "stale_reuse", "the server ended a kept connection just as they went out, and they were sent again over a new one",
        "it closes idle connections sooner than users come back, and a longer keep-alive time of the server would save connecting; or it resets what it does not like";
    Unasked, "unasked", "the kept connection held an answer that nobody had asked for, and was closed",
        "the server answers twice, or answers late what it had given up: look at its log";
    ExtraBytes, "extra_bytes", "the answer went on after its end, and the connection was closed",
        "the Content-Length is too small, or a HEAD request was answered with a body";
    BothLengths, "both_lengths", "the answer had a Content-Length beside its chunks, which was ignored, and the connection was closed",
        "something between here and the server rewrites answers; proxies that disagree on the length can be attacked by it";
    Interim, "interim", "interim answers (1xx) came before the answer",
        "early hints, or 100 Continue unasked";
    BareLf, "bare_lf", "the lines of the head ended in LF alone",
        "HTTP wants CR LF; strict clients refuse it";
    Folded, "folded", "a header went on in the next line",
        "HTTP has given that up; strict clients refuse it";
    CookieRefused, "cookie_refused", "a cookie was not taken, as no browser would take it",
        "it is for another domain or for all of a public suffix, Secure without TLS, or breaks the rules of its prefix";
}

/// Which of them an exchange met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noticed(u8);

impl Noticed {
    /// Nothing was odd.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds one.
    pub fn add(&mut self, notice: Notice) {
        self.0 |= 1 << notice as u8;
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether it is among them.
    #[must_use]
    pub fn has(self, notice: Notice) -> bool {
        self.0 & 1 << notice as u8 != 0
    }
}

/// How many exchanges met each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notices([u64; KINDS]);

impl Notices {
    /// Adds what one exchange met.
    pub fn add(&mut self, noticed: Noticed) {
        for notice in Notice::ALL {
            self.0[*notice as usize] += u64::from(noticed.has(*notice));
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, other)| *mine += other);
    }

    /// Those that were met, with how often.
    pub fn met(&self) -> impl Iterator<Item = (Notice, u64)> {
        let all = Notice::ALL.iter().map(|notice| (*notice, self.0[*notice as usize]));
        all.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_met_is_counted_once_for_an_exchange() {
        let mut noticed = Noticed::default();
        assert!(noticed.is_empty());
        noticed.add(Notice::Interim);
        noticed.add(Notice::Interim);
        let mut other = Noticed::default();
        other.add(Notice::CookieRefused);
        noticed.merge(other);
        let mut notices = Notices::default();
        (0..3).for_each(|_| notices.add(noticed));
        let mut all = notices;
        all.merge(&notices);
        let met: Vec<_> = all.met().collect();
        assert_eq!(met, [(Notice::Interim, 6), (Notice::CookieRefused, 6)]);
        assert!(Notice::ALL.len() <= 8, "a byte has no more bits");
    }
}
