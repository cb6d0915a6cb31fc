//! Owns putting what was counted under the numbers of one catalogue under those of another.

use std::collections::BTreeMap;

use super::evidence::Mark;
use super::interval::{Interval, NameStats};
use super::outcome::Failure;
use super::{Catalogue, Facet};

/// For each number of a catalogue, the one that the same thing has in another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renumbering {
    names: Vec<u16>,
    groups: Vec<u16>,
    texts: Vec<u32>,
}

impl Catalogue {
    /// Adds what another has and this has not, and says where its things are now. None when there are
    /// more than 65,535 series or groups.
    pub fn absorb(&mut self, other: &Self) -> Option<Renumbering> {
        let nobody = Facet::default();
        let facet = |of: &Self, at: usize| of.facets.get(at).unwrap_or(&nobody).clone();
        let mut renumbering = Renumbering::default();
        for (at, name) in other.names.iter().enumerate() {
            let whose = facet(other, at);
            let known = (0..self.names.len())
                .find(|known| self.names[*known] == *name && facet(self, *known) == whose);
            let number = known.unwrap_or(self.names.len());
            if known.is_none() {
                self.facets.resize(self.names.len(), Facet::default());
                self.names.push(name.clone());
                self.facets.push(whose);
            }
            renumbering.names.push(u16::try_from(number).ok()?);
        }
        for group in &other.groups {
            let number = place(&mut self.groups, group);
            renumbering.groups.push(u16::try_from(number).ok()?);
        }
        for text in &other.texts {
            let number = place(&mut self.texts, text);
            renumbering.texts.push(u32::try_from(number).ok()?);
        }
        Some(renumbering)
    }
}

/// Where it stands, at the end when it was not there.
fn place(known: &mut Vec<String>, text: &str) -> usize {
    known.iter().position(|one| one == text).unwrap_or_else(|| {
        known.push(text.to_owned());
        known.len() - 1
    })
}

impl Renumbering {
    /// Nothing gets another number.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let same =
            |numbers: &[u16]| numbers.iter().enumerate().all(|(at, to)| at == usize::from(*to));
        same(&self.names)
            && same(&self.groups)
            && self.texts.iter().enumerate().all(|(at, to)| at == *to as usize)
    }

    /// The interval under the other numbers. What has none is kept as it is: no catalogue knows it.
    #[must_use]
    pub fn renumber(&self, mut interval: Interval) -> Interval {
        if self.is_identity() {
            return interval;
        }
        interval.names = self.each(interval.names, &self.names);
        interval.groups = self.each(interval.groups, &self.groups);
        interval
    }

    /// What an exchange is kept as, under the other numbers.
    pub fn renumber_mark(&self, mark: &mut Mark) {
        mark.series = self.names.get(usize::from(mark.series)).copied().unwrap_or(mark.series);
        mark.failure = mark.failure.map(|failure| self.failure(failure));
    }

    fn failure(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Rule(text) => {
                Failure::Rule(self.texts.get(text as usize).copied().unwrap_or(text))
            }
            other => other,
        }
    }

    fn each(&self, of: BTreeMap<u16, NameStats>, to: &[u16]) -> BTreeMap<u16, NameStats> {
        let mut all: BTreeMap<u16, NameStats> = BTreeMap::new();
        for (number, mut stats) in of {
            for (failure, seen) in std::mem::take(&mut stats.failures) {
                stats.failure(self.failure(failure), seen);
            }
            let number = to.get(usize::from(number)).copied().unwrap_or(number);
            all.entry(number).or_default().merge(&stats);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{RequestName, Seen};
    use std::time::Duration;

    fn catalogue(names: &[(&str, &str)], texts: &[&str]) -> Catalogue {
        Catalogue {
            names: names
                .iter()
                .map(|(name, _)| RequestName { method: "GET".into(), name: (*name).into() })
                .collect(),
            facets: names
                .iter()
                .map(|(_, class)| Facet { class: (*class).into(), tags: Vec::new() })
                .collect(),
            groups: vec!["both".into(), format!("of {}", texts.len())],
            texts: texts.iter().map(|text| (*text).into()).collect(),
        }
    }

    #[test]
    fn the_same_things_meet_under_one_number() {
        let mut all = catalogue(&[("/a", "A"), ("/b", "A")], &["x", "y"]);
        let other = catalogue(&[("/b", "A"), ("/a", "B"), ("/a", "A")], &["z", "x", "y"]);
        let before = all.clone();
        let renumbering = all.absorb(&other).unwrap();
        assert_eq!(all.names.len(), 3);
        assert_eq!((&*all.facets[2].class, &*all.texts[2]), ("B", "z"));
        assert_eq!(all.groups, ["both", "of 2", "of 3"]);
        assert!(all.clone().absorb(&before).unwrap().is_identity());
        let mut interval = Interval::second(3);
        for (number, text) in [(0, 0), (1, 1), (2, 2)] {
            let stats = interval.names.entry(number).or_default();
            stats.response_failed.record(Duration::from_millis(u64::from(number) + 1));
            stats.failure(Failure::Rule(text), Seen::at(1));
        }
        interval.groups.entry(1).or_default().response_ok.record(Duration::from_millis(5));
        let moved = renumbering.renumber(interval);
        let seen: Vec<_> = moved
            .names
            .iter()
            .map(|(number, stats)| (*number, stats.response_failed.max_ms(), stats.failures[0].0))
            .collect();
        let rule = Failure::Rule;
        assert_eq!(
            seen,
            [(0, Some(3.0), rule(1)), (1, Some(1.0), rule(2)), (2, Some(2.0), rule(0))]
        );
        assert_eq!(moved.groups.keys().copied().collect::<Vec<_>>(), [2]);
    }
}
