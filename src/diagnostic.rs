//! Owns mistakes in a plan: a place in a file, what is wrong there, and what to do about it.

/// A stretch of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which of the run's source files, in the order in which they were read.
    pub source: u16,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The plan cannot be run.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// Where; absent for what has no place in a file (the command line).
    pub place: Option<Place>,
    /// What to do about it, shown beside the caret.
    pub label: String,
    /// A second place that explains the first: where an anchor was defined, a first use.
    pub also: Option<(Place, String)>,
    /// A longer explanation, below the snippet.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            title: title.into(),
            place: Some(place),
            label: label.into(),
            also: None,
            help: None,
        }
    }

    /// A warning at `place`.
    pub fn warning(place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, title, label) }
    }

    /// With a longer explanation below the snippet.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As the user named it.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// The candidate that a mistyped word probably meant.
pub fn suggest<'a>(bad: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(bad, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}
