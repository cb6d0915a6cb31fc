//! Owns the drawing of rows: the order that all workers of a run share, and the leases of users.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::definition::{AtEnd, Definition, Format, From, Order};
use super::error::{DataError, Ended};
use super::json::{self, Keys};
use super::lease::Leases;
use super::permutation::Permutation;
use super::rows::{Limits, Opened, Rows, Table};
use super::table::{self, Layout};
use crate::expr::Value;
use crate::random::{Stream, splitmix};

/// The rows of one entry of a plan's `data`, for all workers of a run.
#[derive(Debug)]
pub struct Source {
    name: Arc<str>,
    rows: Rows,
    count: u64,
    columns: Option<Vec<String>>,
    text: bool,
    order: Order,
    at_end: AtEnd,
    shuffled: Permutation,
    drawn: Alone<AtomicU64>,
    leases: Mutex<Leases>,
}

/// On a cache line of its own: workers write it all the time, and what stands around it they read.
#[derive(Debug)]
#[repr(align(128))]
struct Alone<T>(T);

impl Source {
    /// Reads a list or a file, once and to its end; `seed` is the run's. Files up to 16 MiB are held
    /// in memory. The rows of larger ones are read while they are drawn: their file must not
    /// change until the run is over.
    pub fn open(definition: &Definition, seed: u64) -> Result<Self, DataError> {
        Self::within(definition, seed, &Limits::default())
    }

    pub(super) fn within(
        definition: &Definition,
        seed: u64,
        limits: &Limits,
    ) -> Result<Self, DataError> {
        let table = match &definition.from {
            From::Values(values) => list(&definition.name, values)?,
            From::File { path, format, header, delimiter, columns } => {
                let Some(format) = format.or_else(|| Format::of(path)) else {
                    let shown = path.file_name().unwrap_or_default().display();
                    return Err(DataError::new(
                        format!("the ending of `{shown}` does not say how it is written"),
                        "add `format: csv`, `json` or `jsonl`",
                    ));
                };
                let opened = Opened::open(path)?;
                let layout =
                    Layout { header: *header, delimiter: *delimiter, columns: columns.as_deref() };
                match format {
                    Format::Csv => table::read(opened, layout, limits)?,
                    Format::Json => json::read_array(opened, limits)?,
                    Format::JsonLines => json::read_lines(opened, limits)?,
                }
            }
        };
        let count = table.rows.count();
        // The name is part of the key: two shuffles of equally many rows must not go together.
        let key = definition
            .name
            .bytes()
            .fold(splitmix(seed), |key, byte| splitmix(key ^ u64::from(byte)));
        Ok(Self {
            name: definition.name.as_str().into(),
            rows: table.rows,
            count,
            columns: table.columns.map(|keys| keys.iter().map(ToString::to_string).collect()),
            text: table.text,
            order: definition.order,
            at_end: definition.at_end,
            shuffled: Permutation::new(count, key),
            drawn: Alone(AtomicU64::new(0)),
            leases: Mutex::new(Leases::new(count)),
        })
    }

    /// What the plan calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names that every row has, in the order of the first; nothing when rows differ, or are not
    /// maps of names and values.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// Whether all cells are text, as those of CSV are.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.text
    }

    /// Rows are taken again when all were, and shared when there are too few.
    #[must_use]
    pub fn recycles(&self) -> bool {
        self.at_end == AtEnd::Recycle
    }

    /// How many rows there are: at least one.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.count
    }

    /// The next row, for an iteration or a request. Reads from the disk when rows are not held.
    pub fn draw(&self, random: &mut Stream) -> Result<Value, Ended> {
        if self.order == Order::Random {
            return self.row(random.below(self.count as usize) as u64);
        }
        let position = self.drawn.0.fetch_add(1, Ordering::Relaxed);
        if position >= self.count && self.at_end != AtEnd::Recycle {
            return Err(self.ended());
        }
        self.row(self.number(position))
    }

    /// A row for a user, which no other living user holds until the lease is dropped. `at` is the
    /// user's place among those that hold rows of this source, from 0: it gets the row at that
    /// position of the order, whoever asks first, or the next free one while another holds it. When
    /// there are more users than rows, `recycle` makes them share.
    pub fn lease(self: &Arc<Self>, at: Option<u64>) -> Result<Lease, Ended> {
        let (number, guest) = {
            let mut leases = self.leases();
            // At random is any order: that of the seed.
            let row = |position: u64| match self.order {
                Order::Sequence => position % self.count,
                Order::Shuffle | Order::Random => {
                    self.shuffled.pass(position / self.count).at(position % self.count)
                }
            };
            let beyond = at.is_some_and(|at| at >= self.count) && self.recycles();
            match if beyond { None } else { leases.take(at, row) } {
                Some(number) => (number, false),
                None if self.recycles() => (leases.share(at, row), true),
                None => return Err(self.ended()),
            }
        };
        // Made before the row is read, so that a row that cannot be read is given back as well.
        let mut lease = Lease { row: Value::Null, number, guest, source: Arc::clone(self) };
        lease.row = self.row(number)?;
        Ok(lease)
    }

    /// The number of the row at a position of the order; each `count` positions are one pass.
    fn number(&self, position: u64) -> u64 {
        let (pass, place) = (position / self.count, position % self.count);
        match self.order {
            Order::Shuffle => self.shuffled.pass(pass).at(place),
            Order::Sequence | Order::Random => place,
        }
    }

    fn row(&self, number: u64) -> Result<Value, Ended> {
        self.rows
            .get(number, self.order == Order::Sequence)
            .map_err(|why| Ended::Broken(self.name.clone(), why))
    }

    fn ended(&self) -> Ended {
        match self.at_end {
            AtEnd::Fail => Ended::Fail(self.name.clone()),
            AtEnd::Stop | AtEnd::Recycle => Ended::Stop(self.name.clone()),
        }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        // Nothing in there can be half done.
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row that a user holds; dropping it gives the row back.
pub struct Lease {
    /// The row.
    pub row: Value,
    number: u64,
    /// It is meant for another, who may hold it as well.
    guest: bool,
    source: Arc<Source>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.source.leases().give_back(self.number, self.guest);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("row", &self.row).field("number", &self.number).finish()
    }
}

/// The rows that a plan lists itself.
fn list(name: &str, values: &[Value]) -> Result<Table, DataError> {
    if values.is_empty() {
        return Err(DataError::no_rows(&format!("`{name}`")));
    }
    let mut keys = Keys::default();
    let rows = values.iter().zip(1..).map(|(value, row)| {
        keys.learn(value.clone()).map_err(|key| {
            DataError::new(format!("row {row} of `{name}` has `{key}` twice"), "leave one out")
        })
    });
    let rows = Rows::Held(rows.collect::<Result<_, _>>()?);
    Ok(Table { rows, columns: keys.columns(), text: false })
}
