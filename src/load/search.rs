//! Owns the search for the highest load at which something holds: which level comes next, by what the
//! levels before have shown.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::profile::Level;
use crate::units::Rate;

/// What is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A number of users. A level is so many.
    Users,
    /// A rate of arrivals. A level is in millionths of an event per hour.
    Rate,
}

impl Scale {
    /// Each with the word for it.
    pub const WORDS: [(&'static str, Self); 2] = [("users", Self::Users), ("rate", Self::Rate)];

    /// A level as people say it: `20 users`, `50/s`.
    #[must_use]
    pub fn words(self, level: u64) -> String {
        match self {
            Self::Users => users(level).words(),
            Self::Rate => Rate::of_per_hour_millionths(level).words(),
        }
    }

    /// A level as a number: of users, or of arrivals per second.
    #[must_use]
    pub fn number(self, level: u64) -> f64 {
        match self {
            Self::Users => users(level).into(),
            Self::Rate => Rate::of_per_hour_millionths(level).as_per_second(),
        }
    }

    /// A level as people say that it holds: `20 users hold`, `50/s holds`.
    #[must_use]
    pub fn hold_words(self, level: u64) -> String {
        let verb = if self == Self::Users && users(level) != 1 { "hold" } else { "holds" };
        format!("{} {verb}", self.words(level))
    }

    /// How many levels there are to 1 as people count them.
    fn one(self) -> f64 {
        match self {
            Self::Users => 1.0,
            Self::Rate => Rate::per_second(1).per_hour_millionths() as f64,
        }
    }
}

/// A level of users is one.
fn users(level: u64) -> u32 {
    u32::try_from(level).unwrap_or(u32::MAX)
}

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What is raised.
    pub of: Scale,
    /// The first level, above 0.
    pub from: u64,
    /// The highest that is tried, not below it.
    pub to: u64,
    /// How long each level is looked at; whole seconds, at least one.
    pub hold: Duration,
    /// How long it takes effect before.
    pub settle: Duration,
    /// How near to the limit the answer is to be, as a fraction of it.
    pub within: f64,
}

/// What a look at a level has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// All that must hold did.
    Held,
    /// Something did not.
    Broke,
    /// There is too little to say so.
    CannotSay,
    /// What sends the load was short of something itself: the target has no part in it.
    Strained,
}

/// A look at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// How high the load is.
    pub level: u64,
    /// It is longer: to confirm the answer, or because a shorter one has misled.
    pub confirming: bool,
}

/// Why a search is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The limit lies between a level that holds and one that does not, which are near to each other.
    Found,
    /// Even the highest holds.
    AllHold,
    /// Not even the first holds.
    NoneHolds,
    /// The same level has held and broken too often.
    Unsteady,
    /// A level gave too little to say anything.
    CannotSay,
    /// What sends the load was the limit.
    Strained,
}

/// A search as it goes on. The next level is found by what is known of those before, of each by its
/// last look:
///
/// | the highest that held | the lowest that broke | the next look is at |
/// |---|---|---|
/// | none | none | the first level |
/// | none | the first | that one again; then none holds |
/// | below the last | none | twice the level, at most the last |
/// | the last | none | that one, longer; then all hold |
/// | far from the lowest that broke | | the middle of the two |
/// | near to it | seen once | the one that broke again |
/// | near to it | seen twice | the one that held, longer; then the limit is found |
///
/// So one hiccup of a target does not decide: what bounds the answer was seen twice on either side. When
/// what held in a short look breaks in a longer one, all that follow are longer. A level at which the
/// generator was short of something is looked at once more.
#[derive(Debug, Clone)]
pub struct Hunt {
    search: Search,
    known: BTreeMap<u64, Known>,
    now: Result<Probe, End>,
    looks: u32,
    /// Those that were longer.
    longer: u32,
    /// What held in a short look broke in a longer one: a short one is no use any more.
    lasting: bool,
    /// The last look was at a generator that was short of something.
    strained: bool,
}

/// What is known of a level by its last look.
#[derive(Debug, Clone, Copy)]
enum Known {
    Held { confirmed: bool },
    Broke { times: u32 },
}

/// Looks beyond those that a target takes which shows the same each time.
const SPARE: u32 = 6;

/// A confirmation is so many times as long as another look.
const LONGER: u32 = 2;

/// The two levels that the limit lies between are so much of what is asked apart at the most: what is left
/// is for chance.
const CLOSE: f64 = 0.5;

impl Search {
    /// How long a look is; whole seconds.
    #[must_use]
    pub fn window(&self, confirming: bool) -> Duration {
        if confirming { self.hold * LONGER } else { self.hold }
    }

    /// How much longer looks may be in all, when they have too few samples.
    #[must_use]
    pub fn extra(&self) -> Duration {
        self.hold * 2
    }

    /// The most looks that there are.
    ///
    /// Doubling takes `⌈log₂(to / from)⌉ + 1`; halving a gap as large as the lower level until it is
    /// `within / 2` of it takes `⌈log(2 / within) / log(1 / 0.55)⌉`, since levels are rounded.
    #[must_use]
    pub fn most_looks(&self) -> u32 {
        let climb = (self.to as f64 / self.from.max(1) as f64).log2().ceil().max(0.0) + 1.0;
        // What held may break when it is confirmed, and the gap is closed once more.
        (climb as u32).saturating_add(self.closing().saturating_mul(2)).saturating_add(SPARE)
    }

    /// The most looks that are longer.
    fn most_longer(&self) -> u32 {
        self.closing().saturating_add(SPARE / 2)
    }

    /// How many looks it takes to close in.
    fn closing(&self) -> u32 {
        let close = (1.0 / (self.within * CLOSE)).ln() / (1.0 / 0.55f64).ln();
        close.ceil().max(1.0) as u32
    }

    /// The longest that it can last, from the first user to the end of the last look.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let looks = self.most_looks();
        let longer = self.most_longer().min(looks);
        // A level begins a moment after the end of the look before.
        let settle = self.settle + Duration::from_secs(2);
        let rest = match self.of {
            Scale::Users => Duration::ZERO,
            Scale::Rate => self.rest(),
        };
        (settle + rest) * looks
            + self.window(false) * (looks - longer)
            + self.window(true) * longer
            + self.extra()
    }

    /// How long arrivals are held back at the most, after a level that broke, until what is under way has
    /// ended.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.hold
    }

    /// The limit is known well enough when it lies between these two.
    fn is_near(&self, held: u64, broke: u64) -> bool {
        let gap = broke.saturating_sub(held);
        gap <= 1 || gap as f64 <= self.within * CLOSE * held as f64
    }

    /// The middle of two levels, as a number with few digits.
    fn middle(&self, held: u64, broke: u64) -> u64 {
        let middle = held + (broke - held) / 2;
        let one = self.of.one();
        let digit = (held as f64 / one * self.within / 20.0).log10().floor();
        let grain = ((10f64.powf(digit) * one).round() as u64).max(1);
        let rounded = middle.saturating_add(grain / 2) / grain * grain;
        if held < rounded && rounded < broke { rounded } else { middle }
    }
}

impl Hunt {
    /// Before the first look.
    #[must_use]
    pub fn new(search: Search) -> Self {
        let now = Ok(Probe { level: search.from, confirming: false });
        let known = BTreeMap::new();
        let (looks, longer) = (0, 0);
        Self { search, known, now, looks, longer, lasting: false, strained: false }
    }

    /// The look that is to be made now, or why there is none.
    ///
    /// # Errors
    /// The search is over.
    pub fn now(&self) -> Result<Probe, End> {
        self.now
    }

    /// The look at it has shown this. Gives the next one.
    ///
    /// # Errors
    /// The search is over.
    pub fn saw(&mut self, sight: Sight) -> Result<Probe, End> {
        let Ok(Probe { level, confirming }) = self.now else { return self.now };
        self.looks += 1;
        self.longer += u32::from(confirming);
        let again = std::mem::replace(&mut self.strained, sight == Sight::Strained);
        self.now = match sight {
            Sight::CannotSay => Err(End::CannotSay),
            Sight::Strained if again => Err(End::Strained),
            Sight::Strained => self.now,
            Sight::Held => {
                self.known.insert(level, Known::Held { confirmed: confirming });
                self.next()
            }
            Sight::Broke => {
                let times = match self.known.get(&level) {
                    Some(Known::Broke { times }) => *times,
                    _ => 0,
                };
                self.lasting |= confirming;
                self.known.insert(level, Known::Broke { times: times + 1 });
                self.next()
            }
        };
        let too_many = |next: Probe| {
            self.looks >= self.search.most_looks()
                || (next.confirming && self.longer >= self.search.most_longer())
        };
        if self.now.is_ok_and(too_many) {
            self.now = Err(End::Unsteady);
        }
        self.now
    }

    /// The highest level that held, below the lowest that broke.
    #[must_use]
    pub fn held(&self) -> Option<u64> {
        let below = self.broke().unwrap_or(u64::MAX);
        let held = |(_, known): &(&u64, &Known)| matches!(known, Known::Held { .. });
        self.known.range(..below).rfind(held).map(|(level, _)| *level)
    }

    /// The lowest level that broke.
    #[must_use]
    pub fn broke(&self) -> Option<u64> {
        let broke = |(_, known): &(&u64, &Known)| matches!(known, Known::Broke { .. });
        self.known.iter().find(broke).map(|(level, _)| *level)
    }

    /// The highest level that held did so in a longer look too.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        let known = self.held().and_then(|level| self.known.get(&level));
        matches!(known, Some(Known::Held { confirmed: true }))
    }

    fn next(&self) -> Result<Probe, End> {
        let Search { from, to, .. } = self.search;
        let look = |level| Ok(Probe { level, confirming: self.lasting });
        let (held, end) = match (self.held(), self.broke()) {
            (None, Some(broke)) if broke > from || self.times(broke) < 2 => return look(from),
            (None, Some(_)) => return Err(End::NoneHolds),
            (None, None) => return look(from),
            (Some(held), None) if held < to => return look(held.saturating_mul(2).min(to)),
            (Some(held), None) => (held, End::AllHold),
            (Some(held), Some(broke)) if !self.search.is_near(held, broke) => {
                return look(self.search.middle(held, broke));
            }
            (Some(_), Some(broke)) if self.times(broke) < 2 => return look(broke),
            (Some(held), Some(_)) => (held, End::Found),
        };
        if self.is_confirmed() { Err(end) } else { Ok(Probe { level: held, confirming: true }) }
    }

    /// How often a level broke in a row.
    fn times(&self, level: u64) -> u32 {
        match self.known.get(&level) {
            Some(Known::Broke { times }) => *times,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn users(from: u64, to: u64) -> Search {
        Search { of: Scale::Users, from, to, hold: S(30), settle: S(10), within: 0.05 }
    }

    /// The levels that are looked at, `!` behind those that confirm, and the end.
    fn path(search: Search, mut sight: impl FnMut(Probe) -> Sight) -> (String, End, Hunt) {
        let mut hunt = Hunt::new(search);
        let mut told = Vec::new();
        loop {
            match hunt.now() {
                Ok(probe) => {
                    let mark = if probe.confirming { "!" } else { "" };
                    told.push(format!("{}{mark}", search.of.number(probe.level)));
                    let _ = hunt.saw(sight(probe));
                }
                Err(end) => return (told.join(" "), end, hunt),
            }
        }
    }

    fn limit(limit: u64) -> impl FnMut(Probe) -> Sight {
        move |probe| if probe.level <= limit { Sight::Held } else { Sight::Broke }
    }

    #[test]
    fn it_doubles_closes_in_looks_twice_and_confirms() {
        let (path, end, hunt) = path(users(50, 1000), limit(500));
        assert_eq!(path, "50 100 200 400 800 600 500 550 525 512 512 500!");
        assert_eq!((end, hunt.held(), hunt.broke()), (End::Found, Some(500), Some(512)));
        assert!(hunt.is_confirmed());
    }

    #[test]
    fn the_last_level_is_confirmed_and_the_first_is_looked_at_twice() {
        let all = path(users(50, 300), limit(300));
        assert_eq!((&*all.0, all.1), ("50 100 200 300 300!", End::AllHold));
        let none = path(users(50, 300), limit(9));
        assert_eq!((&*none.0, none.1), ("50 50", End::NoneHolds));
        let one = path(users(50, 50), limit(50));
        assert_eq!((&*one.0, one.1), ("50 50!", End::AllHold));
    }

    #[test]
    fn rates_have_few_digits() {
        let rate = |rate: u64| Rate::per_second(rate).per_hour_millionths();
        let search = Search { of: Scale::Rate, from: rate(10), to: rate(1000), ..users(1, 1) };
        let found = path(search, limit(rate(300)));
        assert_eq!(found.0, "10 20 40 80 160 320 240 280 300 310 305 305 300!");
        assert_eq!(search.of.words(found.2.broke().unwrap()), "305/s");
    }

    #[test]
    fn a_hiccup_does_not_decide() {
        // The first look at 400 breaks by chance: it bounds the answer, and is looked at again.
        let mut chance = 1;
        let found = path(users(50, 1000), |probe| {
            let hiccup = probe.level == 400 && std::mem::take(&mut chance) == 1;
            if hiccup { Sight::Broke } else { limit(500)(probe) }
        });
        assert_eq!(
            found.0,
            "50 100 200 400 300 350 375 387 393 400 800 600 500 550 525 512 512 500!"
        );
        assert_eq!(found.1, End::Found);
    }

    #[test]
    fn what_does_not_last_is_lowered() {
        let tired = |probe: Probe| {
            let limit = if probe.confirming { 420 } else { 500 };
            if probe.level <= limit { Sight::Held } else { Sight::Broke }
        };
        let (path, end, hunt) = path(users(50, 1000), tired);
        assert_eq!(
            path,
            "50 100 200 400 800 600 500 550 525 512 512 500! 450! 425! 412! 418! 425!"
        );
        assert_eq!((end, hunt.held(), hunt.broke()), (End::Found, Some(418), Some(425)));
    }

    #[test]
    fn a_short_generator_is_looked_at_once_more() {
        let mut strained = 0;
        let once = path(users(50, 100), |probe| {
            strained += 1;
            if strained == 2 { Sight::Strained } else { limit(100)(probe) }
        });
        assert_eq!((&*once.0, once.1), ("50 100 100 100!", End::AllHold));
        let ever =
            path(
                users(50, 100),
                |probe| {
                    if probe.level > 50 { Sight::Strained } else { Sight::Held }
                },
            );
        assert_eq!((&*ever.0, ever.1, ever.2.held()), ("50 100 100", End::Strained, Some(50)));
        let unsaid = path(users(50, 100), |_| Sight::CannotSay);
        assert_eq!((&*unsaid.0, unsaid.1), ("50", End::CannotSay));
    }

    proptest! {
        #[test]
        fn any_limit_in_range_is_bracketed(
            from in 1u64..200,
            times in 1u64..500,
            part in 0.0f64..1.0,
            within in 0.01f64..0.3,
            of_rate: bool,
        ) {
            let one = if of_rate { 3_600_000_000 } else { 1 };
            let of = if of_rate { Scale::Rate } else { Scale::Users };
            let (from, to) = (from * one, from * times * one);
            let limit = from + ((to - from) as f64 * part) as u64;
            let search = Search { of, from, to, within, ..users(1, 1) };
            let mut looks = 0;
            let (path, end, hunt) = path(search, |probe| {
                looks += 1;
                assert!((from..=to).contains(&probe.level));
                if probe.level <= limit { Sight::Held } else { Sight::Broke }
            });
            let held = hunt.held().expect("the first holds");
            prop_assert!(held <= limit && hunt.is_confirmed(), "{path}");
            prop_assert!(looks <= search.most_looks(), "{path}");
            match hunt.broke() {
                None => prop_assert!(end == End::AllHold && held == to, "{path}"),
                Some(broke) => {
                    prop_assert!(end == End::Found && broke > limit, "{path}");
                    let off = (limit - held) as f64;
                    prop_assert!(off <= within * limit as f64 || broke - held == 1, "{path}");
                }
            }
        }

        #[test]
        fn whatever_is_seen_it_ends_in_time(seed: u64, from in 1u64..50, times in 1u64..100) {
            let search = users(from, from * times);
            let mut stream = Stream::new(seed, 0, 0);
            let mut looks = 0;
            let mut longer = 0;
            let _ = path(search, |probe| {
                looks += 1;
                longer += u32::from(probe.confirming);
                assert!((search.from..=search.to).contains(&probe.level));
                [Sight::Held, Sight::Broke, Sight::Held, Sight::Broke, Sight::Strained]
                    [(stream.fraction() * 5.0) as usize]
            });
            prop_assert!(looks <= search.most_looks() && longer <= search.most_longer());
        }
    }
}
