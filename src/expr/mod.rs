//! Owns templates, expressions and selectors: parsing them, the names they use, rendering them.
//!
//! Most expressions in a plan are a variable, a literal, a call or one comparison. Those are
//! evaluated here, in nanoseconds; all others go to MiniJinja, whose language it is. A test holds
//! the two against each other.

mod expression;
mod functions;
mod general;
mod names;
mod scan;
mod scope;
mod selector;
mod template;
mod value;

pub use expression::Expression;
pub use functions::FUNCTIONS;
pub use names::{Names, Uses};
pub use scope::{Response, Run, Scope, Written};
pub use selector::{NotJson, Pick, Selector};
pub use template::{Encoding, Template, json};
pub use value::Value;

use std::ops::Range;

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
    fn new(title: impl Into<String>, hint: impl Into<String>, at: Range<usize>) -> Self {
        Self { title: title.into(), hint: hint.into(), at }
    }

    fn shifted(mut self, by: usize) -> Self {
        self.at = self.at.start + by..self.at.end + by;
        self
    }
}

/// An expression that failed while running: a sentence that groups, as `exceptions.csv` shows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);
