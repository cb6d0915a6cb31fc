//! Owns the rules of a request, compiled: accept, expect, capture.

use super::build::Build;
use crate::expr::{Expression, Pick, Selector, Template};
use crate::plan::{Accept, Bound, Range};
use std::time::Duration;

/// Status codes and what they mean.
#[derive(Debug, Clone)]
pub struct AcceptRule {
    /// The codes.
    pub codes: Accept,
    /// They are a failure with this message.
    pub fail: Option<Text>,
    /// Why they are a success.
    pub because: Option<String>,
}

/// A message: failures are grouped by it as written, and show one as it was.
#[derive(Debug, Clone)]
pub struct Text {
    /// The number of the text as written in the catalogue.
    pub number: u32,
    /// Where it has holes.
    pub template: Option<Template>,
}

/// Where in an answer a value stands.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the body.
    Body(Selector),
    /// The whole body.
    Whole,
    /// A header.
    Header(String),
    /// A cookie that the user now has.
    Cookie(String),
    /// Made of what the user knows.
    Value(Build),
}

/// Something that an answer must hold.
#[derive(Debug, Clone)]
pub struct Expect {
    /// What is asked.
    pub check: Check,
    /// The same in words, as the plan has it: `$.completed equals true`.
    pub asked: String,
    /// The failure's message.
    pub text: Text,
    /// The failure's message for a body that is no JSON.
    pub not_json: u32,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Check {
    /// Of a value.
    Value(Source, Matcher),
    /// Of the time from when it was sent.
    Time(Bound<Duration>),
    /// Of the bytes of the body as they came.
    Size(Bound<u64>),
    /// An expression that must hold.
    That(Expression),
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// It is this, or it is not.
    Equals(Build, bool),
    /// It holds this, or it does not.
    Contains(Build, bool),
    /// A pattern is found in it.
    Matches(Selector),
    /// It is one of these.
    OneOf(Vec<Build>),
    /// So many characters, items or keys.
    Length(Range),
    /// A number within.
    Between(Range),
    /// It is there, or not.
    Exists(bool),
}

/// A value kept of an answer.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The variable.
    pub slot: usize,
    /// Its name.
    pub name: String,
    /// Where it is in words, as the plan has it: `$.id`.
    pub from: String,
    /// Where it is.
    pub source: Source,
    /// Which of several matches.
    pub pick: Pick,
    /// Appended to the variable's list.
    pub push: bool,
    /// What is kept when there is none.
    pub default: Option<Build>,
    /// It is hidden in all output.
    pub secret: bool,
    /// The sentence for an answer without it, in [`Catalogue::texts`](crate::metrics::Catalogue::texts).
    pub nothing: u32,
    /// The sentence for an answer that is no JSON.
    pub not_json: u32,
}

impl Source {
    /// It looks at the body.
    pub(super) fn needs_body(&self) -> bool {
        matches!(self, Self::Body(_) | Self::Whole)
    }

    /// It is text by nature: numbers are compared with it as they are written.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Body(selector) => !selector.is_json(),
            Self::Whole | Self::Header(_) | Self::Cookie(_) => true,
            Self::Value(_) => false,
        }
    }
}
