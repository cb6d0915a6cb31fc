//! Owns TOML into the tree.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::brackets::unclosed;
use super::{Entry, MAX_DEPTH, MAX_NODES, MAX_TOLD, Node, NodeValue, too_deep, too_many};
use crate::diagnostic::{Diagnostic, Place, Placed, line_start};

pub(super) fn read(source: u16, text: &str) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    if let Some(span) = beyond(text) {
        return Err(vec![too_many(Place::new(source, span))]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(explain_all(source, text, &errors));
    }
    let mut reading = Reading { source, nodes: 0, errors: Vec::new() };
    let place = Place::new(source, table.span());
    let value = reading.table(table.get_ref(), 1);
    if reading.nodes >= MAX_NODES {
        // Nothing is looked at behind it: it came last.
        return Err(reading.errors.pop().into_iter().collect());
    }
    Ok((Node { place, defined: None, value }, reading.errors))
}

/// Where there are surely too many values: each has a comma or an equals sign of its own, or a header, or
/// a dot, as each table within a key has that the key before it did not name. The parser takes a hundred times the
/// text's memory to know.
fn beyond(text: &str) -> Option<Range<usize>> {
    let (mut commas, mut equals, mut tables) = (0, 0, 0);
    // Where the key under way begins; the last of a header, and the last one within its table.
    let (mut begins, mut header, mut key) = (None, "", "");
    let (mut in_header, mut at_line) = (false, true);
    let mut tokens = toml_parser::Source::new(text).lex();
    let last = tokens.find(|token| {
        let (start, end) = (token.span().start(), token.span().end());
        let kind = token.kind();
        match kind {
            TokenKind::Dot => {
                let before = if in_header { header } else { key };
                tables += usize::from(!before.starts_with(&text[begins.unwrap_or(start)..end]));
            }
            TokenKind::Comma => (commas, begins) = (commas + 1, None),
            TokenKind::Equals => {
                equals += 1;
                key = begins.take().map_or(key, |begins| &text[begins..start]);
            }
            TokenKind::RightSquareBracket if in_header => {
                // The keys of another table are other keys.
                key = "";
                if let Some(begins) = begins.take() {
                    (header, tables) = (&text[begins..start], tables + 1);
                }
            }
            TokenKind::LeftCurlyBracket => (key, begins) = ("", None),
            TokenKind::LeftSquareBracket => {
                in_header |= at_line;
                begins = None;
            }
            TokenKind::Newline => (in_header, begins) = (false, None),
            TokenKind::Whitespace => {}
            _ => _ = begins.get_or_insert(start),
        }
        at_line = kind == TokenKind::Newline || (at_line && kind == TokenKind::Whitespace);
        commas.max(equals).max(tables) >= MAX_NODES
    })?;
    Some(last.span().start()..last.span().end())
}

/// It can stand behind `=` as it is.
pub(super) fn is_value(text: &str) -> bool {
    let (_, errors) = DeTable::parse_recoverable(&format!("k = {text}"));
    errors.is_empty() && !text.contains('\n')
}

struct Reading {
    source: u16,
    nodes: usize,
    errors: Vec<Diagnostic>,
}

impl Reading {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> NodeValue {
        let entries = table.iter().map(|(key, value)| Entry {
            key: Placed {
                value: key.get_ref().to_string(),
                place: Place::new(self.source, key.span()),
            },
            value: self.node(value, depth + 1),
        });
        NodeValue::Map(entries.collect())
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let place = Place::new(self.source, value.span());
        self.nodes += 1;
        if self.nodes == MAX_NODES {
            self.errors.push(too_many(place));
        }
        if self.nodes >= MAX_NODES {
            return Node { place, defined: None, value: NodeValue::Null };
        }
        let value = match value.get_ref() {
            DeValue::Array(_) | DeValue::Table(_) if depth > MAX_DEPTH => {
                if self.errors.is_empty() {
                    self.errors.push(too_deep(place));
                }
                NodeValue::Null
            }
            DeValue::String(text) => NodeValue::Text(text.to_string()),
            DeValue::Boolean(value) => NodeValue::Bool(*value),
            DeValue::Datetime(datetime) => self.refuse(
                place,
                "a date or time of TOML cannot stand in a plan",
                &format!("quote it: `\"{datetime}\"`"),
            ),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => NodeValue::Int(number),
                    Err(_) => self.refuse(
                        place,
                        "the number is too large",
                        "whole numbers end at 9223372036854775807; quote it to send it as text",
                    ),
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => NodeValue::Float(number),
                _ => self.refuse(
                    place,
                    "this is not a number that can be sent",
                    "quote it to send it as text",
                ),
            },
            DeValue::Array(items) => {
                NodeValue::List(items.iter().map(|item| self.node(item, depth + 1)).collect())
            }
            DeValue::Table(table) => self.table(table, depth),
        };
        Node { place, defined: None, value }
    }

    fn refuse(&mut self, place: Place, title: &str, label: &str) -> NodeValue {
        self.errors.push(Diagnostic::error(place, title, label));
        NodeValue::Null
    }
}

/// One mistake confuses the parser for the rest of its line: the first of each line is told.
fn explain_all(source: u16, text: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            let start = text.floor_char_boundary(span.start.min(text.len()));
            (start..text.ceil_char_boundary(span.end.min(text.len())).max(start), error.message())
        })
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    if let Some((span, _)) = errors.iter().find(|(_, message)| message.starts_with("unclosed"))
        && let Some(open) = unclosed(text, span.start)
    {
        // What follows an open bracket was read as part of it: nothing there is worth telling.
        errors.retain(|(span, _)| span.start < open);
        let bracket = &text[open..=open];
        let close = if bracket == "{" { "}" } else { "]" };
        let diagnostic = Diagnostic::error(
            Place::new(source, open..open + 1),
            format!("this `{bracket}` is never closed"),
            format!("close it with `{close}`"),
        );
        told.push(diagnostic);
    }
    // Of text without quotes there may be several in a line, which do not confuse it.
    let (mut last_line, mut last_end) = (None, None);
    for (span, message) in errors {
        let line = text[..span.start].rfind('\n');
        let unquoted = is_unquoted(message);
        let further = unquoted && last_end.is_some_and(|end| end <= span.start);
        if (last_line != Some(line) || further) && told.len() < MAX_TOLD {
            let one = explain(source, text, span, message);
            last_end = one.place.filter(|_| unquoted).map(|place| place.range().end);
            told.push(one);
        } else if last_line != Some(line) || !unquoted {
            last_end = None;
        }
        last_line = Some(line);
    }
    told
}

/// What stands where a value is expected is no value: text without quotes.
fn is_unquoted(message: &str) -> bool {
    message.starts_with("string values must be quoted")
        || ["boolean", "integer", "float", "datetime", "time", "date"]
            .iter()
            .any(|kind| message.strip_prefix("invalid ").is_some_and(|rest| rest.starts_with(kind)))
}

/// The value around `at`, within an array or an inline table.
fn inline_value(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind(['=', ',', '[', '{', '\n']).map_or(0, |found| found + 1);
    let start = start + (text[start..at].len() - text[start..at].trim_start().len());
    start..start + end_of_value(&text[start..])
}

/// Where a value without quotes ends, within an array or an inline table: brackets and braces that are
/// closed are part of it.
fn end_of_value(rest: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in rest.char_indices() {
        match c {
            '\n' | '\r' => return at,
            ',' if depth == 0 => return at,
            '[' | '{' => depth += 1,
            ']' | '}' if depth == 0 => return at,
            ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

fn explain(source: u16, text: &str, span: Range<usize>, message: &str) -> Diagnostic {
    let start = text[..span.start].rfind('\n').map_or(0, |feed| feed + 1);
    let line = text[start..].lines().next().unwrap_or("");
    let end = start + line.len();
    let error = |range: Range<usize>, title: &str, label: &str| {
        Diagnostic::error(Place::new(source, range), title, label)
    };
    // The key of `key = value`, and where its value begins.
    let value_at = line.find('=').map(|equals| {
        let after = &line[equals + 1..];
        start + equals + 1 + (after.len() - after.trim_start().len())
    });
    let key = || {
        let key = line.trim_start().split(['=', ':']).next().unwrap_or("").trim_end();
        let at = start + (line.len() - line.trim_start().len());
        (at..at + key.len(), key)
    };
    if message.starts_with("recursion limit") {
        return too_deep(Place::new(source, span));
    }
    if message.starts_with("duplicate key") {
        let name = &text[span.clone()];
        if line.trim_start().starts_with('[') {
            let table = line.trim().split(" #").next().unwrap_or("").trim_end();
            return error(
                span,
                &format!("the table `{table}` stands twice"),
                "put its keys below the first; tables of one list are written `[[…]]`",
            );
        }
        return error(
            span.clone(),
            &format!("the key `{name}` stands twice in its table"),
            "take one of the two out",
        );
    }
    if message.starts_with("key with no value") {
        let (range, key) = key();
        return if line[..].contains(':') && !line.contains('=') {
            let value = line.split_once(':').map_or("", |(_, value)| value.trim());
            let advice = if value.is_empty() {
                format!("a table is written `[{key}]`")
            } else {
                format!("write `{key} = …`")
            };
            error(range, "TOML has `=` between a key and its value", &advice)
        } else {
            error(range, "this key has no value", &format!("write `{key} = …`"))
        };
    }
    if message.starts_with("invalid unquoted key") || message.starts_with("unquoted keys") {
        let (range, key) = key();
        if text[range.end..].trim_start().starts_with(':') {
            let title = "TOML has `=` between a key and its value";
            return error(range, title, &format!("write `{key} = …`"));
        }
        let title = "a key of other signs than a–z, 0–9, `-` and `_` must be quoted";
        return error(range, title, &format!("write `\"{key}\"`"));
    }
    if message.contains("leading zero") {
        return error(span, "a number cannot begin with 0", "quote it to send it as text");
    }
    if is_unquoted(message) {
        let Some(value_at) = value_at else {
            return error(span, "text must be quoted", "write it as `\"…\"`");
        };
        if value_at >= end {
            let (range, key) = key();
            return error(
                range,
                &format!("the key `{key}` has no value"),
                "write one behind the `=`",
            );
        }
        let inline = unclosed(text, span.start).is_some();
        let range = if inline { inline_value(text, span.start) } else { value_at..end };
        let value = text[range.clone()].split(" #").next().unwrap_or("").trim_end();
        let quote = if value.contains('"') { '\'' } else { '"' };
        return error(
            range.start..range.start + value.len(),
            "text must be quoted",
            &format!("write `{quote}{value}{quote}`"),
        );
    }
    if message.starts_with("invalid basic string") || message.starts_with("invalid literal string")
    {
        let quote = if message.contains("basic") { '"' } else { '\'' };
        let open =
            text[start..span.start.max(start)].rfind(quote).map_or(span.start, |at| start + at);
        return error(
            open..open + 1,
            "this quote is never closed",
            &format!("close it with `{quote}` in the same line"),
        );
    }
    if message.starts_with("missing escaped value") {
        let slash = text[..span.start].rfind('\\').unwrap_or(span.start);
        let wide = text[slash..].chars().take(2).map(char::len_utf8).sum::<usize>();
        return error(
            slash..slash + wide,
            "within `\"…\"` this is no escape that TOML knows",
            "write `\\\\` for a backslash, or use single quotes",
        );
    }
    // `{ name = {{ x }} }`
    let braces = text
        [line_start(text, span.start)..text.ceil_char_boundary((span.start + 1).min(text.len()))]
        .rfind("{{");
    if let Some(open) = braces.map(|open| line_start(text, span.start) + open)
        && text[..open].trim_end().ends_with(['=', ',', '['])
        && text[open..end].contains("}}")
    {
        let value = text[open..open + end_of_value(&text[open..end])].trim_end();
        return error(
            open..open + value.len(),
            "text must be quoted, templates too",
            &format!("write `\"{value}\"`"),
        );
    }
    let message = message.lines().collect::<Vec<_>>().join(", ");
    if line.contains("{{")
        && value_at.is_some_and(|at| text[at..end].starts_with("{{"))
        && let Some(value_at) = value_at
    {
        let value = text[value_at..end].trim_end();
        return error(
            value_at..value_at + value.len(),
            "text must be quoted, templates too",
            &format!("write `\"{value}\"`"),
        );
    }
    if message.starts_with("missing comma") {
        return error(span, "a comma is missing before this", "put one between the two");
    }
    error(span, &format!("TOML: {message}"), "")
}
