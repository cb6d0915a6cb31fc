//! Owns the rules of errors: that set in at a load, or at a time and for good, or are there all along.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{about, at, count, share};
use crate::verdict::capacity::{Level, Moment};

/// So large a share of the requests fails where they do, and so many.
const FAILS: (f64, u64) = (0.01, 10);

/// That is so many times as many as before.
const TIMES: f64 = 4.0;

/// That a larger share of a level fails is certain when by chance so many would with one percent at most: as the
/// logarithm.
const CERTAIN: f64 = 4.6;

/// They begin small when from some level on it is so many times as large a share as up to there.
const STEEP: f64 = 3.0;

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

    /// A larger share of them fails than may. Of n requests of which a share p fails, k > np or more fail with a
    /// chance of e^-(k ln(k/np) - k + np) at most (H. Chernoff, 1952).
    fn fails(self) -> bool {
        let (failed, may) = (self.failures as f64, FAILS.0 * self.requests as f64);
        failed > may && failed * (failed / may).ln() - failed + may >= CERTAIN
    }

    /// They fail, and more of them than `before` if those did too.
    fn sets_in(self, before: Self) -> bool {
        self.fails() && (!before.fails() || self.off(before) > 3.5)
    }

    /// By how many standard errors of the difference more of them fail than `before`.
    fn off(self, before: Self) -> f64 {
        let all =
            (self.failures + before.failures) as f64 / (self.requests + before.requests) as f64;
        let each = |count: Self| 1.0 / count.requests.max(1) as f64;
        let error = (all * (1.0 - all) * (each(self) + each(before))).sqrt();
        (self.share() - before.share()) / error.max(f64::MIN_POSITIVE)
    }

    /// More of them fail than `before`, by three and a half standard errors of the difference.
    fn is_more(self, before: Self) -> bool {
        self.off(before) > 3.5
            && self.share() >= FAILS.0.max(TIMES * before.share())
            && self.failures >= FAILS.1
    }
}

/// What more than half of them fail by: `, mostly status 503`. A few may have failed by it before they set in.
fn mostly(run: &Run) -> String {
    let all: u64 = run.failures.iter().map(|failed| failed.count).sum();
    match run.failures.iter().find(|failed| failed.count * 2 > all) {
        Some(failed) => format!(", mostly \"{}\"", failed.what),
        None => String::new(),
    }
}

/// Below some load hardly anything fails, above it a share that matters.
pub(super) fn at_load(run: &Run) -> Option<Finding> {
    let levels = run.levels();
    let most = levels.iter().map(Level::error_rate).fold(0.0, f64::max);
    let steep = (1..levels.len()).find(|at| {
        levels[*at..].iter().all(|level| level.error_rate() >= most * PART)
            && Count::levels(levels[*at..].iter()).is_more(Count::levels(levels[..*at].iter()))
    })?;
    let to_s = levels[steep..].iter().map(|level| level.to_s).max()?;
    // When the load is low again it must be over.
    let low = levels[steep - 1].load;
    let later = Count::moments(run.moments.iter().filter(|moment| {
        moment.from_s >= to_s.saturating_add(2) && moment.load <= low && moment.load > 0.0
    }));
    let bad = Count::levels(levels[steep..].iter()).share();
    if later.requests >= FAILS.1 && later.share() >= GOOD.0.min(bad) {
        return None;
    }
    Some(set_in(levels, steep)?.told(run))
}

/// Errors that set in at a load.
struct SetIn<'a> {
    last: &'a Level,
    /// The highest below it of which hardly anything fails.
    held: Option<&'a Level>,
    first: &'a Level,
    /// Below it, and from there on.
    before: Count,
    after: Count,
    /// Where they become many, when they begin with few: the level, those up to it, and those from it on.
    steep: Option<(&'a Level, Count, Count)>,
    seconds: (u32, u32),
}

/// They may have begun before the level from which on they are many: on the first that fails, when none above it
/// is without them again.
fn set_in<'a>(levels: &'a [Level], steep: usize) -> Option<SetIn<'a>> {
    let of = |levels: &[Level]| Count::levels(levels.iter());
    let holds = |from: usize, at: usize| {
        levels[at].error_rate() < FAILS.0 && of(&levels[from..at]).is_more(of(&levels[at..=at]))
    };
    let begins = |at: &usize| {
        of(&levels[*at..=*at]).sets_in(of(&levels[..*at]))
            && !(*at + 1..=steep).any(|later| holds(*at, later))
    };
    let at = (1..steep).find(begins).unwrap_or(steep);
    let (below, above) = levels.split_at(at);
    let (few, many) = above.split_at(steep - at);
    let is_steep = !few.is_empty() && of(many).share() >= STEEP * of(few).share();
    Some(SetIn {
        last: below.last()?,
        held: below.iter().rfind(|level| level.error_rate() < FAILS.0),
        first: above.first()?,
        before: of(below),
        after: of(above),
        steep: many.first().filter(|_| is_steep).map(|level| (level, of(few), of(many))),
        seconds: (
            above.iter().map(|level| level.from_s).min()?,
            above.iter().map(|level| level.to_s).max()?,
        ),
    })
}

impl SetIn<'_> {
    fn told(&self, run: &Run) -> Finding {
        let Self { last, held, first, before, after, steep, seconds } = *self;
        let load = run.load;
        // A rising load is less when the level begins, which is where the errors are shown, than in its mean.
        let begins = |level: &Level| match run.moments.iter().find(|one| one.from_s >= level.from_s)
        {
            Some(begins) if !run.is_held() => begins.load,
            _ => level.load,
        };
        let load_errors = begins(first);
        let place = match run.is_held() {
            true => format!("between {} and {}", load.bare(last.load), load.of(first.load)),
            false => format!("at about {}", load.of(about(load_errors))),
        };
        let below = if before.failures == 0 { "none".to_owned() } else { share(before.share()) };
        let mostly = mostly(run);
        // What failed there already has not set in.
        let onset = if before.share() >= 2.0 * FAILS.0 {
            format!("More requests fail from {} on", place.trim_start_matches("at "))
        } else {
            format!("Errors set in {place}")
        };
        let sentence = match steep {
            Some((many, few, rest)) => format!(
                "{onset}: from there on {} of the requests failed, and from {} on {}{mostly}; {below} below {}",
                share(few.share()),
                load.of(about(begins(many))),
                share(rest.share()),
                load.bare(about(load_errors)),
            ),
            None => format!(
                "{onset}: from there on {} of the requests failed{mostly}, below it {below}",
                share(after.share()),
            ),
        };
        let advice = "look at the target's log of that time, and at what it has a limit on: \
                      connections, workers, the connections of its database, memory";
        let mut figures: Vec<_> = held.map(|held| ("load_held", held.load)).into_iter().collect();
        figures.extend([
            ("load_errors", load_errors),
            ("error_rate", after.share()),
            ("error_rate_below", before.share()),
        ]);
        if let Some((many, few, rest)) = steep {
            figures.extend([
                ("error_rate_onset", few.share()),
                ("load_errors_many", begins(many)),
                ("error_rate_many", rest.share()),
            ]);
        }
        let finding = Finding::new(Rule::ErrorsAtLoad, sentence, advice, Chart::Failures);
        finding.figures(&figures).seconds(seconds.0, seconds.1)
    }
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
        mostly(run),
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
        mostly(run),
    );
    let advice = "open the failures with their evidence: load has no part in it, but what the plan asks \
                  for, with which data and login, or the target itself";
    let finding = Finding::new(Rule::ErrorsThroughout, sentence, advice, Chart::Failures);
    Some(finding.figures(&[("error_rate", all.share())]))
}
