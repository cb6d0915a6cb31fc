//! Owns templates, expressions and selectors: parsing them, the names they use, rendering them.
//!
//! The language of expressions is MiniJinja's, and so are its filters and tests. Operators, names
//! and calls are evaluated here: in nanoseconds, within bounds, with values that print as JSON does,
//! and with no silent order between texts and numbers. A test holds the two against each other.

mod counters;
mod encoding;
mod expression;
mod fakes;
mod filters;
mod follow;
mod form;
mod functions;
mod names;
mod operators;
mod parser;
mod resolve;
mod scan;
mod scope;
mod selector;
mod skim;
mod template;
mod tokens;
mod value;

pub use encoding::Encoding;
pub use expression::Expression;
pub use filters::{FILTERS, TESTS};
pub use functions::{FUNCTIONS, Function};
pub use names::{Names, Uses};
pub use scope::{Response, Run, Scope, Written};
pub use selector::{NotJson, Pick, Selector};
pub use template::{Template, alone, json};
pub use value::Value;

use std::ops::Range;

use crate::diagnostic::Place;

/// No more mistakes than this are told of one text.
pub const MOST_MISTAKES: usize = 100;

/// Why a template, an expression or a selector cannot be used, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// What to do about it.
    pub hint: String,
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
}

impl ParseError {
    pub(crate) fn new(title: impl Into<String>, hint: impl Into<String>, at: Range<usize>) -> Self {
        let mut title = title.into();
        // It may repeat what was written, over several lines.
        if title.contains(char::is_control) {
            title = title.replace(char::is_control, " ");
        }
        Self { title, hint: hint.into(), at }
    }

    /// The same, placed in a text within which its own begins at byte `by`.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.at = self.at.start + by..self.at.end + by;
        self
    }

    /// Where it stands in a file: within the text that begins at byte `base`, or at `place`, that
    /// of the text, when the file has it in other words.
    pub(crate) fn place(&self, place: Place, base: Option<usize>) -> Place {
        let at = |base| Place::new(place.source, base + self.at.start..base + self.at.end);
        base.map_or(place, at)
    }
}

/// An expression that failed while running: a sentence that groups, as `exceptions.csv` shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_whatever_it_repeats() {
        let error = Selector::json("$.par\n  ent type").unwrap_err();
        assert_eq!(error.title, "`$.par   ent type` is not a JSONPath");
    }
}
