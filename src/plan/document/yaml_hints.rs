//! Owns what to say about text that is not YAML: what was probably meant, and how to write it.

use std::ops::Range;

use serde_saphyr::granit_parser::ErrorKind;

use super::brackets::unclosed;
use crate::diagnostic::{Diagnostic, Place, line_start};

pub(super) fn explain_syntax(
    source: u16,
    text: &str,
    place: Place,
    kind: &ErrorKind,
) -> Diagnostic {
    let at = place.range().start;
    let error = |range: Range<usize>, title: &str, label: &str| {
        Diagnostic::error(Place::new(source, range), title, label)
    };
    let here = place.range();
    if let Some(start) = bare_template(text, at) {
        let (end, advice) = quoted(text, start);
        let title = "a value that begins with `{{` must be quoted";
        return error(start..end, title, &format!("write {advice}"));
    }
    if let Some(tab) = tab_indentation(text, at, kind) {
        return error(tab..tab + 1, "a tab indents this line", "indent with spaces");
    }
    // `$.a[*]`: what follows the bracket cannot begin a value.
    if text[..at].ends_with('[') && follows_text(text, at - 1) {
        return unquoted_in_flow(source, text, at - 1);
    }
    if let Some(range) = goes_on_behind_a_bracket(text, at) {
        if let Some(key) = begins_a_key(text, at) {
            return error(
                at..at + key.len(),
                &format!("the key `{key}` begins behind a bracket that was closed"),
                &format!("begin `{key}` on a line of its own"),
            );
        }
        let value = &text[range.clone()];
        let title = format!("a value that begins with `{}` must be quoted", &value[..1]);
        return error(range.clone(), &title, &format!("write {}", in_quotes(value)));
    }
    match kind {
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::InvalidIndentation
            if text[at..].starts_with(['{', '[']) && follows_text(text, at) =>
        {
            unquoted_in_flow(source, text, at)
        }
        ErrorKind::UnclosedFlowCollection { .. } if comment_in_flow(text, at).is_some() => {
            swallowed(source, text, comment_in_flow(text, at).expect("it was there just now"))
        }
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => {
            let line = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
            // The library places it at the sign, or behind it.
            let start = text[line..text.ceil_char_boundary((at + 1).min(text.len()))]
                .rfind(['>', '|'])
                .map_or(at, |sign| line + sign);
            let range = plain_value(text, start);
            let value = &text[range.clone()];
            let title = format!("a value that begins with `{}` must be quoted", &value[..1]);
            error(range.clone(), &title, &format!("write {}", in_quotes(value)))
        }
        ErrorKind::UnclosedFlowCollection { open } => error(
            here,
            &format!("this `{open}` is never closed"),
            &format!("close it with `{}`", closing(*open)),
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            let diagnostic = error(
                here,
                &format!("`{close}` stands where `{}` must close the `{open}`", closing(*open)),
                &format!("write `{}`", closing(*open)),
            );
            match unclosed(text, at) {
                Some(opened) => diagnostic
                    .also(Place::new(source, opened..opened + 1), "this one is still open"),
                None => diagnostic,
            }
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            error(here, "this bracket closes nothing", "take it out, or quote the value")
        }
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => {
            let quote =
                text[at..].chars().next().filter(|c| matches!(c, '"' | '\'')).unwrap_or('"');
            error(here, "this quote is never closed", &format!("close it with `{quote}`"))
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => match within_quotes(text, at) {
            Some(range) => {
                let advice = format!("write {}", in_quotes(&text[range.clone()]));
                error(range, "text stands after a closing quote", &advice)
            }
            None => error(
                here,
                "text stands after a closing quote",
                "put the whole value into one pair of quotes",
            ),
        }
        .help("within `\"…\"` write `'…'` for the inner quotes; an earlier quote may be unclosed"),
        ErrorKind::UnknownQuotedScalarEscape => {
            let slash = unknown_escape(text, at).unwrap_or(at);
            let wide = text[slash..].chars().take(2).map(char::len_utf8).sum::<usize>();
            error(
                slash..slash + wide,
                "within `\"…\"` this is no escape that YAML knows",
                "write `\\\\` for a backslash, or use single quotes",
            )
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let range = plain_value(text, at);
            let advice = format!("write {}", in_quotes(&text[range.clone()]));
            error(range, &format!("a value cannot begin with `{character}`"), &advice)
        }
        ErrorKind::MappingValueNotAllowed => colon(source, text, at),
        ErrorKind::BlockSequenceEntryNotAllowed => error(
            here,
            "a list cannot begin here",
            "begin it on the next line, one `- ` for each item",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => error(
            here,
            "this line stands where the next `- ` of the list is expected",
            "begin it with `- `, or indent it to belong to the item above",
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => error(
            here,
            "this line is indented like none of the keys above",
            "line it up with the keys that it belongs to",
        ),
        ErrorKind::SimpleKeyExpected => {
            error(here, "a key without a `:`", "write `key: value`, with a space after the colon")
        }
        ErrorKind::UndeclaredTagHandle
        | ErrorKind::ExpectedTagBang
        | ErrorKind::InvalidGlobalTagCharacter
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::MissingTagUri
        | ErrorKind::UnclosedVerbatimTag => error(
            here,
            "a value that begins with `!` is a YAML tag, which a plan cannot hold",
            "quote the value to keep the `!`; in an expression write `not`",
        ),
        ErrorKind::MissingAnchorOrAliasName => {
            let range = plain_value(text, at);
            let advice = format!("write {}", in_quotes(&text[range.clone()]));
            error(range, "`&` and `*` begin an anchor or an alias", &advice)
        }
        ErrorKind::RecursionLimitExceeded => super::too_deep(place),
        kind => match unclosed(text, at) {
            Some(open) if comment_in_flow(text, open).is_some() => {
                swallowed(source, text, comment_in_flow(text, open).expect("it was there just now"))
            }
            Some(open) if line_of(text, open) < line_of(text, at) => {
                let bracket = text[open..].chars().next().unwrap_or('[');
                let close = closing(bracket);
                error(
                    open..open + 1,
                    &format!("this `{bracket}` is not closed"),
                    &format!("close it with `{close}`"),
                )
                .also(place, "this no longer fits into it")
            }
            _ => error(here, &format!("YAML: {kind}"), "quote the value, if it is one"),
        },
    }
}

/// Where a comment begins in the line of an open bracket, when what would close the bracket stands
/// within the comment.
fn comment_in_flow(text: &str, open: usize) -> Option<usize> {
    let bracket = text[open..].chars().next()?;
    let line = text[open..].lines().next()?;
    let at = line.match_indices('#').map(|(at, _)| at).find(|at| {
        // Behind a quote that is still open it is text.
        let before = &line[..*at];
        before.ends_with([' ', '\t', '[', '{', ','])
            && before.matches('"').count() % 2 == 0
            && before.matches('\'').count() % 2 == 0
    })?;
    line[at..].contains(closing(bracket)).then_some(open + at)
}

/// `{ css: h1 #x }`: the comment at `at` has taken the rest of a value, and a bracket.
fn swallowed(source: u16, text: &str, at: usize) -> Diagnostic {
    let comment = text[at..].lines().next().unwrap_or("#");
    if comment[1..].starts_with([' ', '\t']) {
        return Diagnostic::error(
            Place::new(source, at..at + 1),
            "a comment begins here, and what closes the bracket is part of it",
            "close the bracket before it, or quote the value",
        );
    }
    let line = line_start(text, at);
    let of_key = text[line..at].rfind(": ").map(|found| line + found + 2);
    let is_whole =
        |value: &str| !value.trim_start().starts_with(['[', '{']) && !value.contains('}');
    let of_key = of_key.filter(|start| is_whole(&text[*start..at]));
    let (start, end) = match of_key {
        Some(start) => (start, end_of_value(comment)),
        None => {
            let before = text[line..at].rfind([',', '[', '{']);
            let end = comment.find([',', '}', ']']).unwrap_or(comment.len());
            (before.map_or(line, |found| line + found + 1), end)
        }
    };
    let start = start + blanks(&text[start..at]);
    let value = text[start..at + end].trim_end();
    let word = comment.split([' ', ',', '}', ']']).next().unwrap_or("#");
    Diagnostic::error(
        Place::new(source, start..start + value.len()),
        format!("`{word}` begins a comment, and what closes the bracket is part of it"),
        format!("write {}", in_quotes(value)),
    )
}

/// Where a value ends that goes on in a comment: at the bracket that closes it, or at the next key.
fn end_of_value(comment: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in comment.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth == 0 => return at,
            ']' | '}' => depth -= 1,
            ',' if depth == 0
                && begins_a_key(comment, at + 1 + blanks(&comment[at + 1..])).is_some() =>
            {
                return at;
            }
            _ => {}
        }
    }
    comment.len()
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// `{ id: $.a[0] }`, where the bracket at `at` was meant to belong to the text before it.
fn unquoted_in_flow(source: u16, text: &str, at: usize) -> Diagnostic {
    let (start, end) = flow_value(text, at);
    let value = text[start..end].trim_end();
    Diagnostic::error(
        Place::new(source, start..start + value.len()),
        "in `{ }` and `[ ]` a value that holds `{` or `[` must be quoted",
        format!("write {}", in_quotes(value)),
    )
}

/// `name: [POST] x`: the value of the line of `at` begins with a bracket, and goes on behind the one
/// that closes it.
fn goes_on_behind_a_bracket(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_start(text, at);
    let before = &text[line..at];
    let indent = before.len() - before.trim_start_matches([' ', '-']).len();
    let start = match before[indent..].find(": ") {
        Some(colon) => {
            let value = indent + colon + 2;
            line + value + (before[value..].len() - before[value..].trim_start().len())
        }
        None => line + indent,
    };
    let opening = text[start..].chars().next().filter(|c| matches!(c, '[' | '{'))?;
    let within = text[start..at].trim_end();
    if !within.ends_with(closing(opening)) || unclosed(&text[line..], at - line).is_some() {
        return None;
    }
    // What follows is text, not a key of its own.
    let range = plain_value(text, start);
    (range.end > at && !text[at..].starts_with(['#', ',', ':', ']', '}'])).then_some(range)
}

/// `b: …`, where the line break before it was lost.
fn begins_a_key(text: &str, at: usize) -> Option<&str> {
    let rest = text[at..].lines().next()?;
    let (key, value) = rest.split_once(':')?;
    let good = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    (good && (value.is_empty() || value.starts_with(' '))).then_some(key)
}

/// The value that begins at `start` and was meant as text, up to the end of its line, or up to what
/// ends it in brackets.
fn plain_value(text: &str, start: usize) -> Range<usize> {
    let line = line_start(text, start);
    let rest = text[start..].lines().next().unwrap_or("");
    let in_brackets = unclosed(&text[line..], start - line).is_some();
    let end = if in_brackets { rest.find([',', '}', ']']) } else { rest.find(" #") };
    let value = rest[..end.unwrap_or(rest.len())].trim_end();
    start..start + value.len().max(rest.chars().next().map_or(0, char::len_utf8))
}

/// `"a" b`, where the other quotes keep all of it.
fn within_quotes(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_start(text, at);
    text[line..at].rmatch_indices(": ").find_map(|(colon, _)| {
        let range = plain_value(text, line + colon + 2);
        let value = &text[range.clone()];
        let good =
            value.starts_with('"') && !value.contains('\'') && value.matches('"').count() == 2;
        good.then_some(range)
    })
}

/// Where a value begins with `{{` without a quote, in the line of `at`, before or at it.
fn bare_template(text: &str, at: usize) -> Option<usize> {
    let line = line_start(text, at);
    let end = text[at..].find('\n').map_or(text.len(), |feed| at + feed);
    let found =
        text[line..end].match_indices("{{").map(|(found, _)| line + found).find(|found| {
            let before = text[line..*found].trim_end_matches(' ');
            before.is_empty() || before.ends_with([':', '-', '[', ',', '{'])
        })?;
    (found <= at + 1).then_some(found)
}

/// The end of the unquoted text at `start` that holds `{{ … }}`, and how to write it.
pub(super) fn quoted(text: &str, start: usize) -> (usize, String) {
    let line = text[start..].lines().next().unwrap_or("");
    let before = line_start(text, start);
    let in_brackets = unclosed(&text[before..], start - before).is_some();
    let first_close = line.find("}}").map_or(line.len(), |close| close + 2);
    // What follows belongs to it, up to what ends a value.
    let rest = &line[first_close..];
    let end = if in_brackets { rest.find([',', '}', ']']) } else { rest.find(" #") };
    let value = line[..first_close + end.unwrap_or(rest.len())].trim_end();
    (start + value.len(), in_quotes(value))
}

fn in_quotes(value: &str) -> String {
    if value.contains('"') { format!("`'{value}'`") } else { format!("`\"{value}\"`") }
}

/// The text stands directly before `at`, so that a bracket there was meant to belong to it.
fn follows_text(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|c| !c.is_whitespace() && !"[{,:".contains(c))
}

/// Where the value around `at` begins and ends, within `{ }` or `[ ]`.
fn flow_value(text: &str, at: usize) -> (usize, usize) {
    let line = line_start(text, at);
    let start = text[line..at].rfind([':', ',', '[', '{']).map_or(line, |found| line + found + 1);
    let start = start + (text[start..at].len() - text[start..at].trim_start().len());
    let mut depth = 0usize;
    for (offset, c) in text[at..].char_indices() {
        match c {
            '\n' | '\r' => return (start, at + offset),
            '{' | '[' => depth += 1,
            '}' | ']' if depth == 0 => return (start, at + offset),
            '}' | ']' => depth -= 1,
            ',' if depth == 0 => return (start, at + offset),
            _ => {}
        }
    }
    (start, text.len())
}

/// The first tab that indents a line, from the line of `at` on, when the error is about one.
fn tab_indentation(text: &str, at: usize, kind: &ErrorKind) -> Option<usize> {
    if !matches!(
        kind,
        ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabNotAllowed
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::InvalidIndentation
    ) {
        return None;
    }
    let mut start = line_start(text, at);
    for line in text[start..].split_inclusive('\n').take(3) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

/// A `: ` where no value can follow.
fn colon(source: u16, text: &str, at: usize) -> Diagnostic {
    let start = line_start(text, at);
    let line = text[start..].lines().next().unwrap_or("");
    let before = text[start..at].trim_start_matches([' ', '-']);
    if let Some(first) = before.find(": ") {
        let rest = &text[at - before.len() + first + 2..start + line.len()];
        let value = rest.trim_start().split(" #").next().unwrap_or("").trim_end();
        let value_at = start + line.len() - rest.trim_start().len();
        let place = Place::new(source, value_at..value_at + value.len());
        let advice = format!("write {}", in_quotes(value));
        return Diagnostic::error(place, "a value that holds `: ` must be quoted", advice);
    }
    let indent = line.len() - line.trim_start().len();
    let above = text[..start].lines().rev().find(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    if let Some(above) = above {
        // Both are slices of the same text.
        let above_at = above.as_ptr() as usize - text.as_ptr() as usize;
        let written = above.trim();
        let place = |part: &str| {
            let from = part.as_ptr() as usize - text.as_ptr() as usize;
            Place::new(source, from..from + part.len())
        };
        if !written.contains(": ") && !written.ends_with(':') && written.contains(':') {
            return Diagnostic::error(
                place(written),
                "a key needs a space after its `:`",
                format!("write `{}`", written.replacen(':', ": ", 1)),
            );
        }
        if indent > above.len() - above.trim_start().len() {
            return Diagnostic::error(
                Place::new(source, start + indent..at),
                "this key is indented below one that has a value already",
                "line it up with the key above, or take the value above out",
            )
            .also(
                Place::new(
                    source,
                    above_at + above.len() - above.trim_start().len()
                        ..above_at + above.trim_end().len(),
                ),
                "it has a value",
            );
        }
        if !written.contains(':') {
            return Diagnostic::error(
                place(written),
                "this is neither a key nor part of the value above",
                "write `key: value`, with a space after the colon",
            );
        }
    }
    Diagnostic::error(
        Place::new(source, at..at + 1),
        "a `:` that ends no key",
        "quote the value that it belongs to",
    )
}

fn unknown_escape(text: &str, at: usize) -> Option<usize> {
    let mut chars = text[at..].char_indices();
    while let Some((offset, c)) = chars.next() {
        if c == '\\' {
            let (_, escaped) = chars.next()?;
            if !"0abt\tnvfre \"/\\N_LPxuU\n\r".contains(escaped) {
                return Some(at + offset);
            }
        }
    }
    None
}

fn closing(open: char) -> char {
    if open == '{' { '}' } else { ']' }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}
