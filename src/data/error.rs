//! Owns what can go wrong with rows: before a run, and while they are drawn.

use std::io;
use std::sync::Arc;

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

    pub(super) fn not_utf8(shown: &str, line: u64, bytes: &[u8]) -> Self {
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let title = if line == 1 && wide {
            format!("`{shown}` is UTF-16, not UTF-8")
        } else {
            format!("`{shown}` is not UTF-8: line {line} holds other bytes")
        };
        Self::new(title, "save it as UTF-8")
    }

    pub(super) fn changed(shown: &str) -> Self {
        Self::new(
            format!("`{shown}` was changed while it was read"),
            "write it first, then start the run",
        )
    }

    pub(super) fn no_rows(shown: &str) -> Self {
        Self::new(format!("{shown} has no rows"), "give it at least one")
    }
}

/// Why there is no row to draw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// Every row was drawn, or is held, and the plan says `at_end: stop`.
    #[error("the rows of `{0}` are used up")]
    Stop(Arc<str>),
    /// Every row was drawn, or is held, and the plan says `at_end: fail`.
    #[error("the rows of `{0}` are used up")]
    Fail(Arc<str>),
    /// The file cannot be read any more, or was changed since it was opened: which data, and why.
    #[error("cannot read a row of `{0}`: {1}")]
    Broken(Arc<str>, Arc<str>),
}
