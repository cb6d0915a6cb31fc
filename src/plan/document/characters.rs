//! Owns characters of a YAML text that its readers do not agree about, and those that nobody sees.

use super::MAX_TOLD;
use crate::diagnostic::{Diagnostic, Place};

/// What cannot stand in a plan anywhere, comments included: for some readers a line ends there, and
/// what follows a comment is read.
pub(super) fn refused(source: u16, text: &str) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    told.extend(directive(source, text));
    if !text.is_ascii() {
        let odd = |c: &char| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        for (at, c) in text.char_indices().filter(|(_, c)| odd(c)).take(MAX_TOLD) {
            let place = Place::new(source, at..at + c.len_utf8());
            told.push(if c == '\u{feff}' {
                let title = "an invisible byte order mark stands here";
                Diagnostic::error(place, title, "take it out")
            } else {
                let title =
                    "an invisible line break stands here, which not every reader of YAML knows";
                let code =
                    if c == '\u{85}' { "\\x85".to_owned() } else { format!("\\u{:x}", c as u32) };
                Diagnostic::error(
                    place,
                    title,
                    format!("take it out, or write `{code}` in `\"…\"`"),
                )
            });
        }
    }
    let bytes = text.as_bytes();
    let lone = |at: &usize| bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    // One is enough: a file from an old system has nothing else.
    if let Some(at) = (0..bytes.len()).find(lone) {
        told.push(Diagnostic::error(
            Place::new(source, at..at + 1),
            "a line ends here without a line feed, which not every reader of YAML knows",
            "save the file with the line ends of Unix or Windows",
        ));
    }
    told
}

/// `%YAML 1.1` makes some readers read the values that follow by other rules.
fn directive(source: u16, text: &str) -> Option<Diagnostic> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('%') {
            let place = Place::new(source, at..at + line.trim_end().len());
            let title =
                "a line that begins with `%` is a directive of YAML, which a plan cannot hold";
            return Some(Diagnostic::error(place, title, "take it out"));
        }
        if !line.trim().is_empty() && !line.starts_with('#') {
            return None;
        }
        at += line.len();
    }
    None
}

/// Looks like a space and is none.
pub(super) fn is_odd_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}'
    )
}

/// Where plain text holds a space that is none and was probably meant to be one: at its ends, or
/// behind a `:`.
pub(super) fn odd_space(written: &str) -> Option<(usize, char)> {
    if written.is_ascii() {
        return None;
    }
    let last = written.chars().count().saturating_sub(1);
    let mut before = ' ';
    written.char_indices().enumerate().find_map(|(nth, (at, c))| {
        let found = is_odd_space(c) && (nth == 0 || nth == last || before == ':');
        before = c;
        found.then_some((at, c))
    })
}
