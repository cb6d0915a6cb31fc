//! Owns what a plan says of its data: where rows come from, in which order, for whom, until when.

use std::path::{Path, PathBuf};

use crate::diagnostic::suggest;
use crate::expr::Value;

/// One entry of a plan's `data`.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// What the plan calls it.
    pub name: String,
    /// Where its rows come from.
    pub from: From,
    /// In which order they are drawn.
    pub order: Order,
    /// For what one is drawn.
    pub per: Per,
    /// What happens when all were drawn.
    pub at_end: AtEnd,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum From {
    /// A file.
    File {
        /// Where it is; [`crate::data::under`] makes this of what the plan says.
        path: PathBuf,
        /// How it is written; by its ending when absent.
        format: Option<Format>,
        /// CSV: whether the first row names the columns. Without names a row is a list of cells.
        header: bool,
        /// CSV: what stands between cells; when absent, whichever of `,` `;` tab `|` is most
        /// frequent in the first line.
        delimiter: Option<u8>,
        /// CSV: the names of the columns; they win over those of a header.
        columns: Option<Vec<String>>,
    },
    /// A list in the plan.
    Values(Vec<Value>),
}

impl From {
    /// A file of which the plan says no more than its path.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into(), format: None, header: true, delimiter: None, columns: None }
    }
}

/// How a file of rows is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Rows of cells (RFC 4180), in UTF-8.
    Csv,
    /// One array.
    Json,
    /// One value a line.
    JsonLines,
}

/// In which order rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they stand, over all users of the run together.
    #[default]
    Sequence,
    /// Each once, in an order from the seed; another one each time all were drawn.
    Shuffle,
    /// Any row at any time; the rows are never used up.
    Random,
}

/// For what a row is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Per {
    /// One for each user at its start, held by no other living user.
    User,
    /// One at the start of each iteration.
    #[default]
    Iteration,
    /// One for each request that names it.
    Request,
}

/// What happens when every row was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// The user that wanted one ends.
    Stop,
    /// They are drawn again; users share rows when there are fewer rows than users.
    #[default]
    Recycle,
    /// It is a failure.
    Fail,
}

impl AtEnd {
    /// What a plan means that does not say: rows held by users are not shared unless it does,
    /// because two users of one account disturb each other; all others are drawn again.
    #[must_use]
    pub fn unsaid(per: Per) -> Self {
        if per == Per::User { Self::Fail } else { Self::default() }
    }
}

impl Format {
    /// Every word that [`Format::parse`] knows.
    pub const WORDS: &[(&str, Self)] =
        &[("csv", Self::Csv), ("json", Self::Json), ("jsonl", Self::JsonLines)];

    /// From a word; the error says which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, Self::WORDS)
    }

    /// From the ending of a file's name, in capitals or not.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

impl Order {
    /// Every word that [`Order::parse`] knows.
    pub const WORDS: &[(&str, Self)] =
        &[("sequence", Self::Sequence), ("shuffle", Self::Shuffle), ("random", Self::Random)];

    /// From a word; the error says which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, Self::WORDS)
    }
}

impl Per {
    /// Every word that [`Per::parse`] knows.
    pub const WORDS: &[(&str, Self)] =
        &[("user", Self::User), ("iteration", Self::Iteration), ("request", Self::Request)];

    /// From a word; the error says which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, Self::WORDS)
    }
}

impl AtEnd {
    /// Every word that [`AtEnd::parse`] knows.
    pub const WORDS: &[(&str, Self)] =
        &[("stop", Self::Stop), ("recycle", Self::Recycle), ("fail", Self::Fail)];

    /// From a word; the error says which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        word(text, Self::WORDS)
    }
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    Err(match suggest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let (last, others) = known.split_last().expect("every table of words has some");
            format!("write {} or {last}", others.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_a_slip_finds_its_word() {
        for (text, order) in Order::WORDS {
            assert_eq!(Order::parse(text), Ok(*order));
        }
        for (text, per) in Per::WORDS {
            assert_eq!(Per::parse(text), Ok(*per));
        }
        for (text, at_end) in AtEnd::WORDS {
            assert_eq!(AtEnd::parse(text), Ok(*at_end));
        }
        for (text, format) in Format::WORDS {
            assert_eq!(Format::parse(text), Ok(*format));
        }
        assert_eq!(Order::parse("shufle"), Err("did you mean `shuffle`?".to_owned()));
        assert_eq!(Per::parse("never"), Err("write `user`, `iteration` or `request`".to_owned()));
        assert_eq!(AtEnd::parse(""), Err("write `stop`, `recycle` or `fail`".to_owned()));
    }

    #[test]
    fn the_ending_of_a_file_says_how_it_is_written() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!(of("a/accounts.CSV"), Some(Format::Csv));
        assert_eq!(of("accounts.tsv"), Some(Format::Csv));
        assert_eq!(of("accounts.json"), Some(Format::Json));
        assert_eq!(of("a.b.ndjson"), Some(Format::JsonLines));
        assert_eq!((of("accounts"), of("accounts.xlsx"), of(".csv")), (None, None, None));
    }
}
