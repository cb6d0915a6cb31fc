//! Owns when thresholds are judged: which seconds of a run, by its warm-up and its stages.

use std::time::Duration;

use super::threshold::{Of, Threshold};

/// The parts of a run in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timetable {
    /// The first second after the warm-up.
    pub warmup: u32,
    /// Its stages.
    pub stages: Vec<Stage>,
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// As results show it: `peak`, and `Buyer: peak` where each class has a load of its own.
    pub name: String,
    /// From the start of the run.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
}

impl Timetable {
    /// The stages that are meant by `during`: those of that name; where each class has its own, those of
    /// the class that the threshold is of, or of any.
    #[must_use]
    pub fn stages_of(&self, threshold: &Threshold) -> Vec<&Stage> {
        let Some(name) = &threshold.during else { return Vec::new() };
        let of_class = match &threshold.of {
            Some(Of::Class(class)) => Some(format!("{class}: {name}")),
            _ => None,
        };
        let of_any = |stage: &&Stage| {
            stage.name.strip_suffix(&**name).is_some_and(|whose| whose.ends_with(": "))
        };
        let exactly = |name: &str| -> Vec<&Stage> {
            self.stages.iter().filter(|stage| stage.name == name).collect()
        };
        let ways = [exactly(name), of_class.map(|name| exactly(&name)).unwrap_or_default()];
        let found = ways.into_iter().find(|found| !found.is_empty());
        found.unwrap_or_else(|| self.stages.iter().filter(of_any).collect())
    }

    /// The seconds that a threshold looks at, as stretches in order, each from and up to: those after the
    /// warm-up and its `after`, and those that lie wholly within its stages.
    #[must_use]
    pub fn stretches(&self, threshold: &Threshold) -> Vec<(u32, u32)> {
        let from = threshold.when.after.max(self.warmup);
        if threshold.during.is_none() {
            return vec![(from, u32::MAX)];
        }
        let stages = self.stages_of(threshold);
        let mut times: Vec<_> = stages.iter().map(|stage| (stage.from, stage.to)).collect();
        times.sort_unstable();
        // Two that meet within a second are one.
        let mut whole: Vec<(Duration, Duration)> = Vec::new();
        for (from, to) in times {
            match whole.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => whole.push((from, to)),
            }
        }
        let second = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let up = |time: Duration| second(time) + u32::from(time.subsec_nanos() > 0);
        let within = whole.into_iter().map(|(begin, end)| (up(begin).max(from), second(end)));
        within.filter(|(from, to)| from < to).collect()
    }

    /// Whether anything is judged in a run of that length: a window is whole, or some time is left.
    #[must_use]
    pub fn fits(&self, threshold: &Threshold, total: Duration) -> bool {
        let least = u64::from(threshold.when.every.unwrap_or(0));
        let from = |from: u32| Duration::from_secs(u64::from(from));
        self.stretches(threshold).into_iter().any(|(begin, end)| {
            let end = from(end).min(total);
            match least {
                0 => from(begin) < end,
                least => from(begin) + Duration::from_secs(least) <= end,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::When;

    fn timetable(stages: &[(&str, u64, u64)]) -> Timetable {
        let ms = Duration::from_millis;
        let stage = |(name, from, to): &(&str, u64, u64)| Stage {
            name: (*name).to_owned(),
            from: ms(*from),
            to: ms(*to),
        };
        Timetable { warmup: 2, stages: stages.iter().map(stage).collect() }
    }

    fn during(stage: &str, of: Option<&str>, after: u32) -> Threshold {
        Threshold {
            during: Some(stage.to_owned()),
            of: of.map(|of| Of::Class(of.to_owned())),
            when: When { after, ..When::default() },
            ..Threshold::parse("p95 < 1s").unwrap()
        }
    }

    #[test]
    fn a_stage_is_the_seconds_that_lie_wholly_within_it() {
        let times = timetable(&[("up", 0, 4500), ("peak", 4500, 9900), ("20 users", 9900, 20_000)]);
        assert_eq!(times.stretches(&during("peak", None, 0)), [(5, 9)]);
        assert_eq!(times.stretches(&during("up", None, 0)), [(2, 4)], "after the warm-up");
        assert_eq!(times.stretches(&during("peak", None, 7)), [(7, 9)]);
        assert_eq!(times.stretches(&during("peak", None, 9)), []);
        assert_eq!(times.stretches(&during("20 users", None, 0)), [(10, 20)]);
        assert_eq!(times.stretches(&during("peek", None, 0)), []);
        let short = timetable(&[("peak", 4200, 4900)]);
        assert_eq!(short.stretches(&during("peak", None, 0)), []);
    }

    #[test]
    fn stages_of_one_name_are_judged_together() {
        let apart = timetable(&[("peak", 3000, 5000), ("down", 5000, 6000), ("peak", 8000, 9000)]);
        assert_eq!(apart.stretches(&during("peak", None, 0)), [(3, 5), (8, 9)]);
        let meet = timetable(&[("peak", 5500, 8000), ("peak", 3000, 5500)]);
        assert_eq!(meet.stretches(&during("peak", None, 0)), [(3, 8)]);
    }

    #[test]
    fn where_each_class_has_its_own_that_of_the_class_is_meant() {
        let each =
            timetable(&[("A: peak", 3000, 5000), ("B: peak", 4000, 9000), ("B: x", 0, 9000)]);
        assert_eq!(each.stretches(&during("peak", Some("A"), 0)), [(3, 5)]);
        assert_eq!(each.stretches(&during("peak", Some("B"), 0)), [(4, 9)]);
        assert_eq!(each.stretches(&during("peak", None, 0)), [(3, 9)]);
        assert_eq!(each.stretches(&during("A: peak", None, 0)), [(3, 5)], "as results show it");
        assert_eq!(each.stretches(&during("peak", Some("C"), 0)), [(3, 9)]);
        assert_eq!(each.stretches(&during("eak", None, 0)), []);
    }

    #[test]
    fn something_fits_where_a_window_is_whole() {
        let times = timetable(&[("peak", 5000, 10_000)]);
        let total = Duration::from_secs(8);
        let every = |every: u32| Threshold {
            when: When { every: Some(every), ..When::default() },
            ..during("peak", None, 0)
        };
        assert!(times.fits(&every(3), total));
        assert!(!times.fits(&every(4), total), "the run is over before");
        assert!(times.fits(&during("peak", None, 0), total));
        assert!(!times.fits(&during("peak", None, 0), Duration::from_secs(5)));
        let whole = Threshold { during: None, ..every(6) };
        assert!(times.fits(&whole, total) && !times.fits(&whole, Duration::from_millis(7900)));
    }
}
