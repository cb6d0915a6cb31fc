//! Owns the summary of a run: all its intervals folded, and the figures that everybody shows.

use std::collections::HashMap;
use std::time::Duration;

use super::history::History;
use super::interval::{Interval, NameStats, Seen};
use super::outcome::Failure;
use super::tracks::Tracks;
use super::{Catalogue, RequestName};

/// What stands in place of a transaction's method.
pub const GROUP: &str = "GROUP";

/// A run, folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The words behind the numbers.
    pub catalogue: Catalogue,
    /// Every interval merged.
    pub totals: Interval,
    /// Every name of them merged: with many names, too much to do each second anew.
    all: NameStats,
    /// The run over time.
    pub history: History,
    /// Each name over time, by the numbers of the catalogue.
    pub tracks: Tracks,
    /// From the start of the first user to the end of the last.
    pub duration: Duration,
    /// The part of it in which load was asked for: until the profile ended or the run was stopped.
    /// Rates are over it, since one answer that never comes would otherwise make them any number.
    pub loaded: Duration,
    /// Requests that were under way when the warm-up ended: they were issued before all that is here.
    pub carried: i64,
    /// Arrivals that still waited for a user where what is here was cut off: they began after it, or were
    /// dropped there.
    pub waiting: u64,
}

/// The figures of one name, or of all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Method and name; an empty method and `Aggregated` for all together.
    pub name: RequestName,
    /// What it held.
    pub stats: NameStats,
    /// How long load was asked for, for rates.
    pub loaded: Duration,
}

/// One way of failing of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Method and name.
    pub name: RequestName,
    /// What it was.
    pub failure: Failure,
    /// How often, and when.
    pub seen: Seen,
}

impl Summary {
    /// A summary of nothing yet.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self {
            tracks: Tracks::new(catalogue.names.len()),
            catalogue,
            totals: Interval::default(),
            all: NameStats::default(),
            history: History::default(),
            duration: Duration::ZERO,
            loaded: Duration::ZERO,
            carried: 0,
            waiting: 0,
        }
    }

    /// Adds a second of all workers. Seconds come in order.
    pub fn add(&mut self, interval: &Interval) {
        self.add_asked(interval, interval.users().round() as u32);
    }

    /// Adds a second, at whose end so many users were asked for.
    pub fn add_asked(&mut self, interval: &Interval, asked_users: u32) {
        let all = self.add_figures(interval);
        self.history.push(interval, &all, asked_users);
        self.tracks.push(interval);
    }

    /// Adds what figures are made of, and nothing over time: for who only judges. Gives all names of the
    /// second together.
    pub fn add_figures(&mut self, interval: &Interval) -> NameStats {
        self.totals.merge(interval);
        let all = interval.all_names();
        self.all.merge(&all);
        all
    }

    /// The numbers of the series that bear each name that had requests.
    #[must_use]
    pub fn series(&self) -> HashMap<&RequestName, Vec<u16>> {
        let mut named: HashMap<&RequestName, Vec<u16>> = HashMap::new();
        for number in self.totals.names.keys() {
            named.entry(&self.catalogue.names[usize::from(*number)]).or_default().push(*number);
        }
        named
    }

    /// All names together.
    #[must_use]
    pub fn all(&self) -> &NameStats {
        &self.all
    }

    /// Each name that had requests, in the order of the plan.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::with_capacity(self.totals.names.len());
        let mut known: HashMap<&RequestName, usize> = HashMap::new();
        for (number, stats) in &self.totals.names {
            let name = &self.catalogue.names[usize::from(*number)];
            match known.get(name) {
                Some(row) => rows[*row].stats.merge(stats),
                None => {
                    known.insert(name, rows.len());
                    let (stats, loaded) = (stats.clone(), self.loaded);
                    rows.push(Row { name: name.clone(), stats, loaded });
                }
            }
        }
        rows
    }

    /// Each transaction that ended, in the order of the plan. Its method is `GROUP`.
    #[must_use]
    pub fn groups(&self) -> Vec<Row> {
        let row = |(number, stats): (&u16, &NameStats)| {
            let name = self.catalogue.groups[usize::from(*number)].clone();
            let name = RequestName { method: GROUP.to_owned(), name };
            Row { name, stats: stats.clone(), loaded: self.loaded }
        };
        self.totals.groups.iter().map(row).collect()
    }

    /// All names together, as a row.
    #[must_use]
    pub fn aggregated(&self) -> Row {
        let name = RequestName { method: String::new(), name: "Aggregated".to_owned() };
        Row { name, stats: self.all.clone(), loaded: self.loaded }
    }

    /// Every way of failing, the most frequent first.
    #[must_use]
    pub fn failures(&self) -> Vec<FailureRow> {
        let mut rows: Vec<_> = self
            .totals
            .names
            .iter()
            .flat_map(|(number, stats)| {
                let name = &self.catalogue.names[usize::from(*number)];
                stats.failures.iter().map(|(failure, seen)| FailureRow {
                    name: name.clone(),
                    failure: *failure,
                    seen: seen.clone(),
                })
            })
            .collect();
        // Series of one name are one name.
        rows.sort_by(|a, b| (&a.name, a.failure).cmp(&(&b.name, b.failure)));
        rows.dedup_by(|next, row| {
            let same = (&next.name, next.failure) == (&row.name, row.failure);
            if same {
                row.seen.merge(&next.seen);
            }
            same
        });
        rows.sort_by_key(|row| std::cmp::Reverse(row.seen.count));
        rows
    }

    /// Law 4: what was issued less what ended in any way. Zero unless there is a bug.
    #[must_use]
    pub fn unaccounted(&self) -> i64 {
        let ended = self.all.requests() as i64 + self.totals.cancelled as i64;
        self.carried + self.totals.issued as i64 - ended
    }
}

impl Row {
    /// Requests that ended while load was asked for, per second of that time.
    #[must_use]
    pub fn requests_per_s(&self) -> f64 {
        self.per_second(self.stats.within_load().requests)
    }

    /// Those of them that failed.
    #[must_use]
    pub fn failures_per_s(&self) -> f64 {
        self.per_second(self.stats.within_load().failed)
    }

    fn per_second(&self, count: u64) -> f64 {
        let seconds = self.loaded.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }

    /// Failed requests as a fraction of all; none without requests.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        let requests = self.stats.requests();
        (requests > 0).then(|| self.stats.failed() as f64 / requests as f64)
    }

    /// Mean size of a body, in bytes.
    #[must_use]
    pub fn mean_body(&self) -> f64 {
        let requests = self.stats.requests();
        if requests == 0 { 0.0 } else { self.stats.body_bytes as f64 / requests as f64 }
    }
}
