//! Owns whether a run can be trusted: a generator that could not do its part is not a pass.

use crate::metrics::{Failure, FailureKind, Summary};

/// Whether the figures of a run can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// Nothing speaks against them.
    Valid,
    /// They cannot be: the reasons, each a sentence.
    Invalid(Vec<String>),
}

impl Validity {
    /// `VALID` or `INVALID`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Invalid(_) => "INVALID",
        }
    }

    /// Why not; empty when valid.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        match self {
            Self::Valid => &[],
            Self::Invalid(reasons) => reasons,
        }
    }
}

/// Looks for what makes a run untrustworthy: counts that do not add up (law 4), sockets or
/// descriptors that ran out, and users or workers `lost` to a bug.
#[must_use]
pub fn validity(summary: &Summary, lost: u64) -> Validity {
    let mut reasons = Vec::new();
    let unaccounted = summary.unaccounted();
    if unaccounted != 0 {
        reasons.push(format!(
            "the counts do not add up: {unaccounted} of {} requests have no end; this is a bug in throng",
            summary.totals.issued
        ));
    }
    if lost > 0 {
        reasons.push(format!(
            "{lost} users or workers stopped in the middle; this is a bug in throng"
        ));
    }
    for row in summary.failures() {
        if let Failure::Fault(fault) = row.failure
            && fault.kind() == FailureKind::Generator
        {
            let sentence = format!("{}: {}", fault.sentence(), fault.advice());
            if !reasons.contains(&sentence) {
                reasons.push(sentence);
            }
        }
    }
    if reasons.is_empty() { Validity::Valid } else { Validity::Invalid(reasons) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Catalogue, Fault, Interval, RequestName, Seen};

    fn summary(change: impl FnOnce(&mut Interval)) -> Summary {
        let name = RequestName { method: "GET".into(), name: "/".into() };
        let mut summary = Summary::new(Catalogue { names: vec![name], ..Catalogue::default() });
        let mut interval = Interval::second(0);
        change(&mut interval);
        summary.add(&interval);
        summary
    }

    /// Law 4: requests issued = succeeded + failed + cancelled.
    #[test]
    fn law_4_is_checked_in_every_run() {
        assert_eq!(validity(&summary(|_| {}), 0), Validity::Valid);
        let odd = validity(&summary(|interval| interval.issued = 1), 0);
        assert_eq!(
            odd.reasons(),
            ["the counts do not add up: 1 of 1 requests have no end; this is a bug in throng"]
        );
        let cancelled = summary(|interval| (interval.issued, interval.cancelled) = (1, 1));
        assert_eq!(validity(&cancelled, 0), Validity::Valid);
    }

    #[test]
    fn a_generator_without_sockets_is_not_trusted() {
        let starved = summary(|interval| {
            interval.issued = 1;
            let stats = interval.names.entry(0).or_default();
            stats.response_failed.record(std::time::Duration::from_millis(1));
            let seen = Seen { count: 1, first_ms: 0, last_ms: 0, ..Seen::default() };
            stats.failures.push((Failure::Fault(Fault::LocalFiles), seen));
        });
        assert_eq!(
            validity(&starved, 0).reasons(),
            ["no file descriptors left: raise the limit (`ulimit -n`) or run fewer users"]
        );
        assert_eq!(validity(&summary(|_| {}), 2).word(), "INVALID");
    }
}
