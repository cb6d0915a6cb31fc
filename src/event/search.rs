//! Owns what is learned of a search for a limit: each look at a level, and the answer in words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load::{End, Hunt, Scale, Search, Sight};
use crate::units::format_duration;
use crate::verdict::Threshold;

/// A search that a run is made for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searching {
    /// From where, and to where.
    pub search: Search,
    /// What must hold at a level.
    pub must: Vec<Threshold>,
}

/// A look at a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// See [`Scale`].
    pub level: u64,
    /// It was longer: to confirm the answer, or because a shorter one has misled.
    #[serde(default)]
    pub confirming: bool,
    /// The seconds of the run that were looked at, from.
    pub from_s: u32,
    /// And up to.
    pub to_s: u32,
    /// What they have shown.
    pub sight: Sight,
    /// What broke, or why nothing can be said: `p95 was 612ms, over its limit of 500ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The figures of what must hold, in the order of the plan.
    pub figures: Vec<Figure>,
}

/// A figure that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What must hold: `p95 < 500ms`.
    pub must: String,
    /// Whether it did.
    pub sight: Sight,
    /// In the unit of its limit; none without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The same for people: `612ms`.
    pub value_text: String,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What was searched for.
    pub searching: Searching,
    /// Every look, in order.
    pub path: Vec<Probed>,
    /// Why it is over; none when the run was over before.
    pub end: Option<End>,
    /// The highest level that held: the limit is at least so high.
    pub held: Option<u64>,
    /// The lowest level that broke: the limit is below.
    pub broke: Option<u64>,
    /// What held did so in a longer look too.
    pub confirmed: bool,
}

impl Probed {
    /// As a line: `at 400 users: held (p95 212ms, error_rate 0%)`.
    #[must_use]
    pub fn line(&self, of: Scale) -> String {
        let level = of.words(self.level);
        let longer = if self.confirming { ", in a longer look" } else { "" };
        let word = match self.sight {
            Sight::Held => "held",
            Sight::Broke => "broke",
            Sight::CannotSay => "cannot say",
            Sight::Strained => "the generator was short of something",
        };
        let figure = |figure: &Figure| {
            let metric = figure.must.split(' ').next().unwrap_or_default();
            format!("{metric} {}", figure.value_text)
        };
        let shown = match &self.why {
            Some(why) => why.clone(),
            None => self.figures.iter().map(figure).collect::<Vec<_>>().join(", "),
        };
        format!("at {level}{longer}: {word} ({shown})")
    }
}

impl Found {
    /// What the looks of a search have shown: the same live and from a record.
    #[must_use]
    pub fn of(searching: &Searching, path: &[Probed]) -> Self {
        let mut hunt = Hunt::new(searching.search);
        for probed in path {
            let _ = hunt.saw(probed.sight);
        }
        Self {
            searching: searching.clone(),
            path: path.to_vec(),
            end: hunt.now().err(),
            held: hunt.held(),
            broke: hunt.broke(),
            confirmed: hunt.is_confirmed(),
        }
    }

    /// The question has its answer: a limit, or that there is none up to the highest level.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        matches!(self.end, Some(End::Found | End::AllHold))
    }

    /// The generator was the limit: the target may do more.
    #[must_use]
    pub fn is_strained(&self) -> bool {
        self.end == Some(End::Strained)
    }

    /// What broke at the lowest level that did: `p95 was 612ms, over its limit of 500ms`.
    #[must_use]
    pub fn broke_first(&self) -> Option<&str> {
        let broke = self.broke?;
        let looks = self.path.iter().rev();
        looks
            .filter(|look| look.level == broke && look.sight == Sight::Broke)
            .find_map(|look| look.why.as_deref())
    }

    /// The answer: `500 users hold (confirmed for 1m); at 516 users p95 was 612ms, over its limit of
    /// 500ms`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Search { of, from, .. } = self.searching.search;
        let hold = |level: u64| of.hold_words(level);
        let broke = self.broke.map(|level| {
            let why = self.broke_first().unwrap_or("it did not hold");
            format!("at {} {why}", of.words(level))
        });
        let known: Vec<String> = self.held.map(hold).into_iter().chain(broke.clone()).collect();
        let known = if known.is_empty() { "nothing is known".to_owned() } else { known.join("; ") };
        let last = self.path.last();
        let why = || last.and_then(|look| look.why.as_deref()).unwrap_or("no reason is known");
        let at = || last.map_or(of.words(from), |look| of.words(look.level));
        match (self.end, self.held) {
            (Some(End::Found), Some(held)) => {
                let broke = broke.map_or(String::new(), |broke| format!("; {broke}"));
                format!("{}{}{broke}", hold(held), self.confirmation())
            }
            (Some(End::AllHold), Some(held)) => {
                format!("{}{}: no limit up to there", hold(held), self.confirmation())
            }
            (Some(End::NoneHolds), _) => {
                let why = self.broke_first().unwrap_or("it broke");
                format!("not even {}: {why}", hold(from))
            }
            (Some(End::Strained), _) => {
                format!("the generator was the limit at {}: {}; of the target {known}", at(), why())
            }
            (Some(End::CannotSay), _) => {
                format!("nothing can be said of {}: {}; {known}", at(), why())
            }
            (Some(_), _) => {
                format!("no level could be confirmed, the target is too unsteady; {known}")
            }
            (None, _) => format!("the run was over before the limit was found; {known}"),
        }
    }

    /// ` (confirmed for 1m)`
    fn confirmation(&self) -> String {
        let looks = self.path.iter().filter(|look| {
            Some(look.level) == self.held && look.confirming && look.sight == Sight::Held
        });
        let seconds: u32 = looks.map(|look| look.to_s.saturating_sub(look.from_s)).sum();
        if seconds == 0 {
            return String::new();
        }
        format!(" (confirmed for {})", format_duration(Duration::from_secs(seconds.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &[(u64, bool, Sight, &str)]) -> Found {
        let search = Search {
            of: Scale::Users,
            from: 50,
            to: 100,
            hold: Duration::from_secs(30),
            settle: Duration::from_secs(10),
            within: 0.3,
        };
        let must = vec![Threshold::parse("p95 < 500ms").unwrap()];
        let looks = path.iter().map(|(level, confirming, sight, why)| Probed {
            level: *level,
            confirming: *confirming,
            from_s: 10,
            to_s: if *confirming { 70 } else { 40 },
            sight: *sight,
            why: (!why.is_empty()).then(|| (*why).to_owned()),
            figures: Vec::new(),
        });
        Found::of(&Searching { search, must }, &looks.collect::<Vec<_>>())
    }

    #[test]
    fn a_rate_holds_and_users_hold() {
        let rate = crate::units::Rate::per_second(80).per_hour_millionths();
        let words = [(Scale::Rate, rate), (Scale::Users, 80), (Scale::Users, 1)]
            .map(|(of, level)| of.hold_words(level));
        assert_eq!(words, ["80/s holds", "80 users hold", "1 user holds"]);
    }

    #[test]
    fn the_answer_is_said_in_a_sentence() {
        use Sight::{Broke, CannotSay, Held, Strained};
        let slow = "p95 was 612ms, over its limit of 500ms";
        for (path, want) in [
            (
                &[
                    (50, false, Held, ""),
                    (100, false, Broke, "p95 was 2s, over its limit of 500ms"),
                    (75, false, Held, ""),
                    (87, false, Held, ""),
                    (100, false, Broke, slow),
                    (87, true, Held, ""),
                ][..],
                "87 users hold (confirmed for 1m); at 100 users p95 was 612ms, over its limit of 500ms",
            ),
            (
                &[(50, false, Held, ""), (100, false, Held, ""), (100, true, Held, "")],
                "100 users hold (confirmed for 1m): no limit up to there",
            ),
            (
                &[(50, false, Broke, slow), (50, false, Broke, slow)],
                "not even 50 users hold: p95 was 612ms, over its limit of 500ms",
            ),
            (
                &[
                    (50, false, Held, ""),
                    (100, false, Strained, "late"),
                    (100, false, Strained, "late"),
                ],
                "the generator was the limit at 100 users: late; of the target 50 users hold",
            ),
            (
                &[(50, false, CannotSay, "12 of the 59 samples that p95 takes")],
                "nothing can be said of 50 users: 12 of the 59 samples that p95 takes; nothing is known",
            ),
            (
                &[(50, false, Held, ""), (100, false, Broke, slow)],
                "the run was over before the limit was found; 50 users hold; at 100 users p95 was 612ms, over its limit of 500ms",
            ),
        ] {
            assert_eq!(found(path).sentence(), want);
        }
    }
}
