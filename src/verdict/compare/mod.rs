//! Owns the comparison of two sides of runs: better, worse, no difference shown, or cannot say.

mod blocks;
mod figure;
mod judge;
mod ranks;
mod series;

pub use blocks::SECONDS;
pub use figure::{FIGURES, Figure};
pub use judge::{Asked, Kept, LEAST, compare, kept, needs, one, together};
pub use series::{Point, Recording, Run, Second, Series};

use std::fmt;

use crate::metrics::RequestName;

/// Two sides, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// All requests together, in the order of [`Asked::figures`].
    pub all: Vec<Compared>,
    /// Each name, in the order of the baseline, then what the new side alone has.
    pub names: Vec<(RequestName, Vec<Compared>)>,
    /// The least change that matters, a fraction: 0.05.
    pub least: f64,
    /// How it was compared.
    pub method: Method,
    /// Runs on either side, and whole seconds of the shortest.
    pub sides: [Extent; 2],
}

/// How much there is of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many runs.
    pub runs: usize,
    /// Whole seconds of the shortest of them.
    pub seconds: u32,
}

/// One figure of one name, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Which it is.
    pub figure: Figure,
    /// On the side of the baseline: milliseconds, per second or a fraction. Of several runs the median.
    pub baseline: Option<f64>,
    /// On the new side.
    pub new: Option<f64>,
    /// How far apart; none when it cannot be said.
    pub effect: Option<Effect>,
    /// What that comes to.
    pub outcome: Outcome,
}

impl Compared {
    /// The runs are too few to judge it, and yet all of its interval is worse by a half or more, and by as much
    /// as matters: `least` is a fraction. Then so many runs a side could judge it.
    #[must_use]
    pub fn leans_worse(&self, least: f64) -> Option<usize> {
        let Outcome::CannotSay(Doubt::Figures { needs, .. }) = self.outcome else { return None };
        let effect = self.effect?;
        // Of many figures some lean by chance: by so much hardly one does.
        let least = least.max(judge::MUCH);
        let worse = if self.figure.is_difference() {
            effect.low >= judge::MANY_ERRORS.max(self.baseline? * least)
        } else if self.figure.is_better_high() {
            effect.high <= 1.0 / (1.0 + least)
        } else {
            effect.low >= 1.0 + least
        };
        worse.then_some(needs)
    }
}

/// From the baseline to the new side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// New divided by baseline, 1.1 for a tenth more; of an error rate new less baseline, a fraction.
    pub estimate: f64,
    /// The lower end of its 95 % interval, which is of this figure by itself.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How likely so much is without any difference: of this figure by itself.
    pub p: f64,
    /// The same, corrected for how many figures are judged together.
    pub p_corrected: f64,
}

/// What a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Better by as much as matters.
    Better,
    /// Worse by as much as matters.
    Worse,
    /// What was measured shows none that matters. There may still be one.
    NoDifference,
    /// Too little was measured.
    CannotSay(Doubt),
}

impl Outcome {
    /// `better`, `worse`, `no difference shown`, `cannot say`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifference => "no difference shown",
            Self::CannotSay(_) => "cannot say",
        }
    }
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The baseline has no request of that name.
    OnlyNew,
    /// The new side has no request of that name.
    OnlyBaseline,
    /// Neither has.
    Nothing,
    /// A run has fewer whole seconds than are needed.
    Seconds {
        /// What it has.
        has: u32,
        /// What it needs.
        needs: u32,
    },
    /// A percentile has fewer times than it needs.
    Samples {
        /// What the lesser side has.
        has: u64,
        /// What it needs.
        needs: u64,
    },
    /// So few runs can never show a difference.
    Runs {
        /// On the side of the baseline.
        baseline: usize,
        /// On the new side.
        new: usize,
        /// What each side needs.
        needs: usize,
    },
    /// So few runs can show a difference of so many figures only, and this one comes after them.
    Figures {
        /// How many they can judge together.
        judged: usize,
        /// How many there are.
        all: usize,
        /// What each side needs to judge all.
        needs: usize,
    },
    /// Requests are so scarce that a run, or a part of one, has none.
    Scarce,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyNew => write!(f, "the baseline has no such request"),
            Self::OnlyBaseline => write!(f, "the new side has no such request"),
            Self::Nothing => write!(f, "there are no requests"),
            Self::Seconds { has: 1, needs } => {
                write!(f, "1 whole second is too few; measure for {needs}s or longer")
            }
            Self::Seconds { has, needs } => {
                write!(f, "{has} whole seconds are too few; measure for {needs}s or longer")
            }
            Self::Samples { has: 1, needs } => {
                write!(f, "1 request is too few; it takes {needs} on each side")
            }
            Self::Samples { has, needs } => {
                write!(f, "{has} requests are too few; it takes {needs} on each side")
            }
            Self::Runs { baseline, new, needs } if baseline == new => write!(
                f,
                "{baseline} runs a side can never show a difference at 5%; give at least {needs}"
            ),
            Self::Runs { baseline, new, needs } => write!(
                f,
                "{baseline} and {new} runs can never show a difference at 5%; give at least \
                 {needs} a side"
            ),
            Self::Figures { judged, all, needs } => write!(
                f,
                "so few runs can judge {judged} of {all} figures at 5%; give at least {needs} a side"
            ),
            Self::Scarce => write!(f, "requests are too scarce: a run, or a part of one, has none"),
        }
    }
}

/// How two sides were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A run a side, by drawing blocks of its seconds.
    Blocks {
        /// How often.
        resamples: usize,
    },
    /// Several runs a side, by their ranks.
    Ranks,
}

impl Comparison {
    /// Every figure of every name, all together first, each with its name.
    pub fn figures(&self) -> impl Iterator<Item = (Option<&RequestName>, &Compared)> {
        let names = self.names.iter().map(|(name, figures)| (Some(name), figures));
        std::iter::once((None, &self.all))
            .chain(names)
            .flat_map(|(name, figures)| figures.iter().map(move |one| (name, one)))
    }

    /// The names of which one side has no request, for that reason.
    pub fn only(&self, doubt: Doubt) -> impl Iterator<Item = &RequestName> {
        let is_of = move |figures: &[Compared]| {
            figures.iter().all(|one| one.outcome == Outcome::CannotSay(doubt))
        };
        self.names.iter().filter(move |(_, figures)| is_of(figures)).map(|(name, _)| name)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod peer_tests;
