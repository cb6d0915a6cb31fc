//! Owns the rules of errors: that set in at a load, or at a time and for good, or are there all along.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{about, at, count, share};
use crate::verdict::capacity::{Level, Moment};

/// So large a share of the requests fails where they do, and so many.
const FAILS: (f64, u64) = (0.01, 10);

/// That is so many times as many as before.
const TIMES: f64 = 4.0;

/// A level takes part in it when so large a share of what fails in all of them fails on it.
const PART: f64 = 0.2;

/// At a time and for good: so large a share, for so many seconds.
const GOOD: (f64, f64) = (0.2, 3.0);

/// All along: in each of so many parts of the requests, in order.
const PARTS: u64 = 3;

/// Requests and those that failed.
#[derive(Clone, Copy, Default)]
struct Count {
    requests: u64,
    failures: u64,
}

impl Count {
    fn of<'a, T: 'a>(all: impl Iterator<Item = &'a T>, each: fn(&T) -> (u64, u64)) -> Self {
        all.map(each).fold(Self::default(), |sum, (requests, failures)| Self {
            requests: sum.requests + requests,
            failures: sum.failures + failures,
        })
    }

    fn levels<'a>(levels: impl Iterator<Item = &'a Level>) -> Self {
        Self::of(levels, |level| (level.requests, level.failures))
    }

    fn moments<'a>(moments: impl Iterator<Item = &'a Moment>) -> Self {
        Self::of(moments, |moment| (moment.requests, moment.failures))
    }

    fn share(self) -> f64 {
        self.failures as f64 / self.requests.max(1) as f64
    }

    /// More of them fail than `before`, by three and a half standard errors of the difference.
    fn is_more(self, before: Self) -> bool {
        let all =
            (self.failures + before.failures) as f64 / (self.requests + before.requests) as f64;
        let each = |count: Self| 1.0 / count.requests.max(1) as f64;
        let error = (all * (1.0 - all) * (each(self) + each(before))).sqrt();
        self.share() - before.share() > 3.5 * error
            && self.share() >= FAILS.0.max(TIMES * before.share())
            && self.failures >= FAILS.1
    }
}

/// What fails most from that second on: `, mostly status 503`.
fn mostly(run: &Run, from_s: u32) -> String {
    let later = run.failures.iter().filter(|failed| failed.first_s >= f64::from(from_s) - 1.0);
    match later.max_by_key(|failed| failed.count).or_else(|| run.failures.first()) {
        Some(failed) => format!(", mostly \"{}\"", failed.what),
        None => String::new(),
    }
}

/// Below some load hardly anything fails, above it a share that matters.
pub(super) fn at_load(run: &Run) -> Option<Finding> {
    let levels = run.levels();
    let most = levels.iter().map(Level::error_rate).fold(0.0, f64::max);
    let sets_in = (1..levels.len()).find(|at| {
        levels[*at..].iter().all(|level| level.error_rate() >= most * PART)
            && Count::levels(levels[*at..].iter()).is_more(Count::levels(levels[..*at].iter()))
    })?;
    let (below, above) = levels.split_at(sets_in);
    let (last, first) = (below.last()?, above.first()?);
    let from_s = above.iter().map(|level| level.from_s).min()?;
    let to_s = above.iter().map(|level| level.to_s).max()?;
    // When the load is low again it must be over.
    let later = run.moments.iter().filter(|moment| {
        moment.from_s >= to_s.saturating_add(2) && moment.load <= last.load && moment.load > 0.0
    });
    let (before, after, later) =
        (Count::levels(below.iter()), Count::levels(above.iter()), Count::moments(later));
    if later.requests + later.failures >= FAILS.1 && later.share() >= GOOD.0.min(after.share()) {
        return None;
    }
    let load = run.load;
    // A rising load is less when the level begins, which is where the errors are shown, than in its mean.
    let begins = run.moments.iter().find(|moment| moment.from_s >= from_s);
    let (onset, load_errors) = match begins.filter(|_| !run.is_held()) {
        Some(begins) => (format!("at about {}", load.of(about(begins.load))), begins.load),
        None => {
            (format!("between {} and {}", load.bare(last.load), load.of(first.load)), first.load)
        }
    };
    let sentence = format!(
        "Errors set in {onset}: from there on {} of the requests failed{}, below it {}",
        share(after.share()),
        mostly(run, from_s),
        if before.failures == 0 { "none".to_owned() } else { share(before.share()) },
    );
    let advice = "look at the target's log of that time, and at what it has a limit on: connections, \
                  workers, the connections of its database, memory";
    let finding = Finding::new(Rule::ErrorsAtLoad, sentence, advice, Chart::Failures).figures(&[
        ("load_held", last.load),
        ("load_errors", load_errors),
        ("error_rate", after.share()),
        ("error_rate_below", before.share()),
    ]);
    Some(finding.seconds(from_s, to_s))
}

/// Up to some second hardly anything fails, and from it to the end most of it: the target died.
pub(super) fn since(run: &Run) -> Option<Finding> {
    let moments = &run.moments;
    let failing = |moment: &Moment| Count::moments([moment].into_iter()).share() >= GOOD.0;
    let last_good = moments.iter().rposition(|moment| moment.requests > 0 && !failing(moment))?;
    let (before, after) = moments.split_at(last_good + 1);
    let seconds = |moments: &[Moment]| moments.iter().map(|moment| moment.seconds).sum::<f64>();
    let (was, is) = (Count::moments(before.iter()), Count::moments(after.iter()));
    let first = after.iter().find(|moment| moment.failures > 0)?;
    if seconds(before) < GOOD.1
        || seconds(after) < GOOD.1
        || was.share() >= FAILS.0
        || !is.is_more(was)
    {
        return None;
    }
    let sentence = format!(
        "From {} of the run on {} of the requests failed{}; of the {} before {}",
        at(first.from_s),
        share(is.share()),
        mostly(run, first.from_s),
        count(was.requests),
        if was.failures == 0 {
            "none did".to_owned()
        } else {
            format!("{} did", share(was.share()))
        },
    );
    let advice = "see whether the target still runs, and what its log says of that time: it may have \
                  died, run out of memory or of connections";
    let finding = Finding::new(Rule::ErrorsSince, sentence, advice, Chart::Failures)
        .figures(&[("since_s", f64::from(first.from_s)), ("error_rate", is.share())]);
    Some(finding.seconds(first.from_s, moments.last()?.to_s))
}

/// Requests fail from the beginning to the end; whether a load or a time is the reason is not looked at.
pub(super) fn throughout(run: &Run) -> Option<Finding> {
    let all = Count::moments(run.moments.iter());
    if all.share() < FAILS.0 || all.failures < FAILS.1 {
        return None;
    }
    let mut parts = [Count::default(); PARTS as usize];
    let mut passed = 0;
    for moment in &run.moments {
        let part = &mut parts[(passed * PARTS / all.requests.max(1)).min(PARTS - 1) as usize];
        part.requests += moment.requests;
        part.failures += moment.failures;
        passed += moment.requests;
    }
    // A burst of errors is not all along.
    let is_there = |part: &Count| part.share() >= PART * all.share();
    if !parts.iter().all(is_there) {
        return None;
    }
    let sentence = format!(
        "{} of the requests failed from the beginning to the end{}",
        share(all.share()),
        mostly(run, 0),
    );
    let advice = "open the failures with their evidence: load has no part in it, but what the plan asks \
                  for, with which data and login, or the target itself";
    let finding = Finding::new(Rule::ErrorsThroughout, sentence, advice, Chart::Failures);
    Some(finding.figures(&[("error_rate", all.share())]))
}
