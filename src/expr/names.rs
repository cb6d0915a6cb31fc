//! Owns what a user class knows by name: its variables, rows of data, constants, the environment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::{ParseError, Value};
use crate::diagnostic::suggest;

/// The variables of a user class, by the number of their slot, and all else that it knows by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    slots: Vec<Slot>,
    index: HashMap<String, usize>,
    constants: HashMap<String, Value>,
    environment: Arc<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Slot {
    name: String,
    /// The slot is filled by a row of data; its columns, when a row has columns.
    row: Option<Option<Arc<[String]>>>,
    /// The cells of the row keep the types that the file gave them.
    typed: bool,
}

impl Names {
    /// The slot of `name`, which is made when it is new. What the class assigns is no constant.
    pub fn intern(&mut self, name: &str) -> usize {
        if let Some(slot) = self.find(name) {
            return slot;
        }
        self.constants.remove(name);
        self.slots.push(Slot { name: name.to_owned(), row: None, typed: false });
        self.index.insert(name.to_owned(), self.slots.len() - 1);
        self.slots.len() - 1
    }

    /// The slot of a row of data: a [`Value::Map`] with `columns`, or any value when there are none.
    pub fn row(&mut self, name: &str, columns: Option<Arc<[String]>>) -> usize {
        let slot = self.intern(name);
        self.slots[slot].row = Some(columns);
        slot
    }

    /// The cells of a row keep the types of their file, as those of JSON do; they are no text, as
    /// those of CSV are.
    pub fn typed(&mut self, slot: usize) {
        self.slots[slot].typed = true;
    }

    /// How many there are, constants too, those of the environment left out.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.len() + self.constants.len()
    }

    /// The length of all of them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.keys().chain(self.constants.keys()).map(String::len).sum()
    }

    /// A plan variable that nothing in the class assigns. A slot of that name wins over it.
    pub fn constant(&mut self, name: &str, value: Value) {
        if self.find(name).is_none() {
            self.constants.insert(name.to_owned(), value);
        }
    }

    /// What `env.X` gives: by name, as text.
    pub fn environment(&mut self, environment: Arc<BTreeMap<String, String>>) {
        self.environment = environment;
    }

    /// The slot of `name`, when something in the class assigns it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The slot holds a row of data.
    #[must_use]
    pub fn is_row(&self, slot: usize) -> bool {
        self.slots[slot].row.is_some()
    }

    /// The name of a slot.
    #[must_use]
    pub fn name(&self, slot: usize) -> &str {
        &self.slots[slot].name
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Nothing in the class assigns a variable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn find_constant(&self, name: &str) -> Option<&Value> {
        self.constants.get(name)
    }

    pub(super) fn env(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// The slot holds a row of data whose cells are text.
    pub(super) fn is_text_row(&self, slot: usize) -> bool {
        matches!(&self.slots[slot], Slot { row: Some(Some(_)), typed: false, .. })
    }

    /// A column of a row, or why there is none.
    pub(super) fn column(
        &self,
        slot: usize,
        column: &str,
        at: Range<usize>,
    ) -> Result<(), ParseError> {
        let Slot { name, row: Some(Some(columns)), .. } = &self.slots[slot] else { return Ok(()) };
        if columns.iter().any(|known| known == column) {
            return Ok(());
        }
        let list = listed(columns.iter().map(String::as_str));
        let hint = match suggest(column, columns.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? `{name}` has: {list}"),
            None => format!("`{name}` has: {list}"),
        };
        Err(ParseError::new(format!("`{name}` has no column `{column}`"), hint, at))
    }

    /// Why `name` is nothing that the class knows; `fields` are the names that every class knows.
    pub(super) fn nothing(&self, name: &str, fields: &[&str], at: Range<usize>) -> ParseError {
        let own = || {
            self.slots
                .iter()
                .map(|slot| slot.name.as_str())
                .chain(self.constants.keys().map(String::as_str))
        };
        let hint = match suggest(name, own().chain(fields.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None if own().next().is_none() => {
                "nothing in this class sets or captures a variable".to_owned()
            }
            None => {
                let mut constants: Vec<_> = self.constants.keys().map(String::as_str).collect();
                constants.sort_unstable();
                let slots = self.slots.iter().map(|slot| slot.name.as_str());
                format!("this class knows: {}", listed(slots.chain(constants)))
            }
        };
        ParseError::new(format!("nothing is called `{name}`"), hint, at)
    }
}

/// Names in a sentence: a plan may have thousands.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 30;
    let names: Vec<_> = names.collect();
    let rest = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len() - rest].join(", ");
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

/// What expressions need while running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The header lines of the last answer.
    pub response_head: bool,
    /// The body of the last answer.
    pub response_body: bool,
    /// The request that is being written.
    pub request: bool,
    /// Slots that are read.
    pub slots: BTreeSet<usize>,
}

impl Uses {
    /// Adds what others need.
    pub fn merge(&mut self, other: &Self) {
        self.response_head |= other.response_head;
        self.response_body |= other.response_body;
        self.request |= other.request;
        self.slots.extend(&other.slots);
    }
}
