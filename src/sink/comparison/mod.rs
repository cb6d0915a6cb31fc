//! Owns what people and machines get of a comparison: text, Markdown, JSON and a page.

mod html;
mod json;
mod markdown;
mod terminal;
pub(super) mod words;

pub use html::render;
pub use json::json;
pub use markdown::markdown;
pub use terminal::text;
pub use words::State;

use crate::untrusted::{one_line, visible, workflow_message, workflow_property};
use crate::verdict::compare::{Comparison, Point};

/// The verdict in one sentence, as it may be shown on a terminal.
#[must_use]
pub fn headline(told: &Told) -> String {
    visible(&words::sentence(&told.comparison)).into_owned()
}

/// What a workflow of GitHub is told: an error when something is worse, nothing else.
#[must_use]
pub fn annotation(told: &Told) -> Option<String> {
    (State::of(&told.comparison) == State::Worse).then(|| {
        let sentence = words::sentence(&told.comparison);
        format!(
            "::error title={}::{}\n",
            workflow_property("throng: worse"),
            workflow_message(&one_line(&sentence))
        )
    })
}

/// A comparison, and what was compared.
#[derive(Debug, Clone)]
pub struct Told {
    /// What came of it.
    pub comparison: Comparison,
    /// What the baseline is called: its folder.
    pub baseline: Side,
    /// What the new side is called.
    pub new: Side,
    /// The runs that were killed or could not be trusted.
    pub untrusted: Vec<String>,
}

/// One side.
#[derive(Debug, Clone)]
pub struct Side {
    /// As it was given: `results/before`.
    pub name: String,
    /// Each run: what it is called, and how it went over time.
    pub runs: Vec<(String, Vec<Point>)>,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
