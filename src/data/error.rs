//! Owns what can go wrong with rows: before a run.

use std::io;

/// Why rows cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {hint}")]
pub struct DataError {
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// What to do about it.
    pub hint: String,
}

impl DataError {
    pub(super) fn new(title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { title: title.into(), hint: hint.into() }
    }

    /// `shown` cannot be opened or read.
    pub(super) fn unread(shown: &str, error: &io::Error) -> Self {
        let (problem, hint) = match error.kind() {
            io::ErrorKind::NotFound => ("there is no such file", "check the path"),
            io::ErrorKind::PermissionDenied => ("it may not be read", "check who may read it"),
            _ => return Self::new(format!("cannot read `{shown}`: {error}"), "check the path"),
        };
        Self::new(format!("cannot read `{shown}`: {problem}"), hint)
    }
}
