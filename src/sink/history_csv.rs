//! Owns `stats_history.csv`, with the header line that Locust's users have scripts for.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;

use super::Sink;
use super::csv::{Table, ms, name_cells, number, percentiles};
use crate::event::{Ended, Event, Second, Started};
use crate::metrics::{Catalogue, Interval, NameStats, Summary, Timing};

const HEADER: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,\
50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,Total Request Count,Total Failure Count,\
Total Median Response Time,Total Average Response Time,Total Min Response Time,\
Total Max Response Time,Total Average Content Size";

/// `stats_history.csv`: a row a second, written as the run goes. Percentiles are of that second, totals of
/// all up to its end. In the full history there is a row for each name that had a request by then as
/// well, sorted as in `stats.csv`, and the one of all together stands behind them.
///
/// The last two seconds wait until the run goes on or ends: when it ends within the first half of
/// a second, what came in that stub is counted in the row before it.
pub struct HistoryCsv {
    table: Table,
    started: i64,
    full: bool,
    names: Names,
    waiting: VecDeque<Waiting>,
}

/// A second that is not written yet.
struct Waiting {
    interval: Interval,
    total: Totals,
    /// Those of the names that had requests in it: all others stay as they were.
    changed: Vec<(usize, Totals)>,
}

/// The cells of all up to the end of a second.
type Totals = [String; 7];

/// The rows that a second has beside the one of all together.
#[derive(Default)]
struct Names {
    /// In their order.
    rows: Vec<Name>,
    /// The row of each series.
    of_series: Vec<usize>,
}

struct Name {
    cells: [String; 2],
    series: Vec<u16>,
    /// None before its first request.
    totals: Option<Totals>,
}

impl HistoryCsv {
    /// Opens the file at `path`; for the `full` history or for all names together.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf, full: bool) -> io::Result<Self> {
        let table = Table::create(path, HEADER)?;
        Ok(Self { table, started: 0, full, names: Names::default(), waiting: VecDeque::new() })
    }

    fn ended(&mut self, summary: &Summary) -> io::Result<()> {
        let end = summary.duration.as_secs_f64();
        let covers = |interval: &Interval| (end - f64::from(interval.from_s)).clamp(0.0, 1.0);
        if let [before, last] = self.waiting.make_contiguous()
            && covers(&last.interval) < 0.5
        {
            let seconds = 1.0 + covers(&last.interval);
            let users = before.interval.user_seconds;
            before.interval.merge(&last.interval);
            before.interval.user_seconds = users;
            before.total = Held::of([summary.all()]).totals();
            before.changed.append(&mut last.changed);
            let whole = self.waiting.pop_front().expect("there are two");
            self.waiting.clear();
            return self.second(whole, seconds);
        }
        while let Some(waiting) = self.waiting.pop_front() {
            let seconds = if self.waiting.is_empty() { covers(&waiting.interval) } else { 1.0 };
            // A run of no time at all has no rates.
            self.second(waiting, if seconds > 0.0 { seconds } else { 1.0 })?;
        }
        Ok(())
    }

    /// Writes the rows of a second, of which so much belongs to the run.
    fn second(&mut self, waiting: Waiting, seconds: f64) -> io::Result<()> {
        let Waiting { interval, total, changed } = waiting;
        let end = f64::from(interval.from_s) + seconds;
        // Rounded, so that no two seconds have the same: the last is at least half of one.
        let head = [
            (self.started + end.round() as i64).to_string(),
            format!("{:.0}", interval.user_seconds),
        ];
        for (row, totals) in changed {
            self.names.rows[row].totals = Some(totals);
        }
        let table = &mut self.table;
        let mut row = |name: &[String; 2], now: &Held, totals: &Totals| {
            let rates = [now.response.count(), now.failed];
            let rates = rates.map(|count| number(count as f64 / seconds));
            let times = percentiles(&now.response);
            let cells = head.iter().chain(name).cloned().chain(rates).chain(times);
            table.row(cells.chain(totals.iter().cloned()))
        };
        for name in &self.names.rows {
            if let Some(totals) = &name.totals {
                row(&name.cells, &name.held(&interval), totals)?;
            }
        }
        let all = Held::of(interval.names.values());
        row(&[String::new(), "Aggregated".to_owned()], &all, &total)?;
        self.table.writer.flush()
    }
}

impl Names {
    fn new(catalogue: &Catalogue) -> Self {
        let mut numbers: Vec<u16> = (0..=u16::MAX).take(catalogue.names.len()).collect();
        let of = |number: &u16| &catalogue.names[usize::from(*number)];
        numbers.sort_by_key(|number| (&of(number).name, &of(number).method));
        let mut names = Self { rows: Vec::new(), of_series: vec![0; numbers.len()] };
        for same in numbers.chunk_by(|a, b| of(a) == of(b)) {
            for number in same {
                names.of_series[usize::from(*number)] = names.rows.len();
            }
            let cells = name_cells(of(&same[0]));
            names.rows.push(Name { cells, series: same.to_vec(), totals: None });
        }
        names
    }

    /// The totals of the names that had requests in a second: what came before is added up already.
    fn changed(&self, interval: &Interval, so_far: &Interval) -> Vec<(usize, Totals)> {
        let rows: BTreeSet<usize> = interval
            .names
            .iter()
            .filter(|(_, stats)| stats.requests() > 0)
            .filter_map(|(number, _)| self.of_series.get(usize::from(*number)).copied())
            .collect();
        rows.into_iter().map(|row| (row, self.rows[row].held(so_far).totals())).collect()
    }
}

impl Name {
    /// What an interval holds of it.
    fn held(&self, interval: &Interval) -> Held {
        Held::of(self.series.iter().filter_map(|number| interval.names.get(number)))
    }
}

/// What rows are made of.
#[derive(Default)]
struct Held {
    response: Timing,
    failed: u64,
    body_bytes: u64,
}

impl Held {
    fn of<'a>(all: impl IntoIterator<Item = &'a NameStats>) -> Self {
        let mut held = Self::default();
        for stats in all {
            held.response.merge(&stats.response_ok);
            held.response.merge(&stats.response_failed);
            held.failed += stats.failed();
            held.body_bytes += stats.body_bytes;
        }
        held
    }

    fn totals(&self) -> Totals {
        let requests = self.response.count();
        let body = if requests == 0 { 0.0 } else { self.body_bytes as f64 / requests as f64 };
        [
            requests.to_string(),
            self.failed.to_string(),
            ms(self.response.quantile_ms(0.5)),
            ms(self.response.mean_ms()),
            ms(self.response.min_ms()),
            ms(self.response.max_ms()),
            ms(Some(body)),
        ]
    }
}

impl Sink for HistoryCsv {
    fn name(&self) -> String {
        self.table.name()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(Started { at, catalogue, .. }) => {
                self.started = at.as_second();
                if self.full {
                    self.names = Names::new(catalogue);
                }
            }
            Event::Second(Second { interval, so_far, .. }) => {
                self.waiting.push_back(Waiting {
                    interval: (*interval).clone(),
                    total: Held::of([so_far.all()]).totals(),
                    changed: self.names.changed(interval, &so_far.totals),
                });
                if self.waiting.len() > 2
                    && let Some(waiting) = self.waiting.pop_front()
                {
                    self.second(waiting, 1.0)?;
                }
            }
            Event::Ended(Ended { summary, .. }) => self.ended(summary)?,
            Event::Aside(_)
            | Event::Log(_)
            | Event::Steered(_)
            | Event::Probed(_)
            | Event::Stopping(..) => {}
        }
        Ok(())
    }
}
