//! Owns the diagnosis of a run: what its figures say of where the target, or the generator, is slow.
//!
//! One table names the rules; each family of them has a file. They look at a `Run`, which is made of
//! the summary in one place, and a run without any fault has no finding.

mod capacity;
mod drift;
mod errors;
mod finding;
mod generator;
mod knee;
mod limits;
mod names;
mod parts;
mod run;
mod samples;
mod stalls;
mod words;

#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod healthy_tests;
#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_tests;

pub use finding::{Chart, Evidence, Figure, Finding, Rule};

use crate::metrics::Summary;
use crate::verdict::{Stage, Threshold, Verdict};
use run::Run;

/// What there is to look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The run, without its warm-up.
    pub summary: &'a Summary,
    /// How it was judged.
    pub verdict: &'a Verdict,
    /// Its stages; empty when they are not known. Of a search the looks that say something of the target.
    pub stages: &'a [Stage],
    /// What there is to know of a search, when it was one.
    pub sought: Option<Sought<'a>>,
    /// Threads that owned its users, on one machine; 0 when it is not known.
    pub workers: usize,
}

/// What there is to know of a search.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// What must hold at a level.
    pub must: &'a [Threshold],
    /// At some level it did not.
    pub broke: bool,
    /// What the generator was short of, when that ended it.
    pub strained: Option<&'a str>,
}

/// More findings are not told: who reads the first six has enough to do.
const MOST: usize = 6;

/// What the figures of a run say, the most important first. Nothing of a healthy run.
#[must_use]
pub fn diagnose(case: &Case<'_>) -> Vec<Finding> {
    findings(&Run::of(case))
}

/// Each rule looks at the run, and what one has said no other finds out again; then what explains the
/// same is told once.
fn findings(run: &Run) -> Vec<Finding> {
    let (at_load, since) = (errors::at_load(run), errors::since(run));
    // They are there all along when neither a load nor a time is the reason.
    let has_reason = at_load.is_some() || since.is_some();
    let throughout = if has_reason { None } else { errors::throughout(run) };
    let knee = knee::knee(run);
    let parts = parts::slow(run, knee.is_some());
    let all = [
        generator::limit(run),
        at_load,
        since,
        throughout,
        names::one_slow(run),
        knee,
        parts,
        drift::drift(run),
        stalls::periodic(run),
        samples::too_few(run),
        capacity::capacity(run),
    ];
    let mut found: Vec<Finding> = all.into_iter().flatten().collect();
    // A generator that could not keep up makes all of these look so.
    if found.iter().any(|finding| finding.rule == Rule::GeneratorLimit) {
        found.retain(|finding| !finding.rule.may_be_the_generators());
    }
    tell_once(&mut found);
    found.truncate(MOST);
    found
}

/// A finding that another one explains becomes a part of that.
fn tell_once(found: &mut Vec<Finding>) {
    use Rule::{
        Drift, ErrorsAtLoad, ErrorsSince, FlatThroughput, Knee, OneNameSlow, PeriodicStalls,
        SlowBody, SlowConnect, SlowFirstByte, SlowTls,
    };
    // The first of a pair explains the second.
    let pairs = [
        // Where a queue grows, answers take ever longer.
        (FlatThroughput, Drift),
        (OneNameSlow, Knee),
        (OneNameSlow, FlatThroughput),
        (OneNameSlow, SlowFirstByte),
        (OneNameSlow, Drift),
        // That the target works on the answers says no more than that; what else takes the time is why.
        (Knee, SlowFirstByte),
        (FlatThroughput, SlowFirstByte),
        (SlowConnect, Knee),
        (SlowConnect, FlatThroughput),
        (SlowTls, Knee),
        (SlowTls, FlatThroughput),
        (SlowBody, Knee),
        (SlowBody, FlatThroughput),
        (Drift, SlowFirstByte),
        (PeriodicStalls, SlowFirstByte),
        (ErrorsAtLoad, ErrorsSince),
        // Where requests fail, their times are those of failing.
        (ErrorsAtLoad, SlowFirstByte),
        (ErrorsSince, SlowFirstByte),
    ];
    for (by, what) in pairs {
        let Some(at) = found.iter().position(|finding| finding.rule == what) else { continue };
        if let Some(explains) = found.iter().position(|finding| finding.rule == by) {
            let also = found[at].also.clone();
            let told = &mut found[explains].also;
            told.extend([what].into_iter().chain(also));
            told.dedup();
            found.remove(at);
        }
    }
}
