//! Owns warnings about values that are read as something else than they look like, here or by others.

use super::characters::odd_space;
use super::readers::{Meaning, by_1_1, by_1_2};
use super::{Entry, MAX_TOLD, Node, NodeValue};
use crate::diagnostic::{Diagnostic, Place, Placed};

/// Below these keys stand values that are sent or kept, where the difference reaches the server.
const SENT: [&str; 12] = [
    "json",
    "headers",
    "query",
    "form",
    "cookies",
    "multipart",
    "vars",
    "set",
    "push",
    "remove",
    "values",
    "equals",
];

/// Keys whose values are words of the language, so that it does not matter who reads them how.
const TAKE_OFF: [&str; 5] = ["redirects", "record", "compressed", "resume", "evidence"];

/// The values that surprise. In TOML only those that are sent otherwise than they are written:
/// its readers agree.
pub(super) fn surprises(root: &Node, text: &str, yaml: bool) -> Vec<Diagnostic> {
    let mut looking = Looking { text, yaml, warnings: Vec::new() };
    looking.walk(root, false);
    if yaml {
        let warning = unended(root, text);
        looking.tell(warning);
    }
    looking.warnings
}

struct Looking<'t> {
    text: &'t str,
    yaml: bool,
    warnings: Vec<Diagnostic>,
}

impl Looking<'_> {
    fn tell(&mut self, warning: Option<Diagnostic>) {
        // The first ones say what is wrong with the file.
        if self.warnings.len() < MAX_TOLD {
            self.warnings.extend(warning);
        }
    }

    fn walk(&mut self, node: &Node, sent: bool) {
        match &node.value {
            NodeValue::Map(entries) => entries.iter().for_each(|entry| self.entry(entry, sent)),
            NodeValue::List(items) => items.iter().for_each(|item| self.walk(item, sent)),
            // What an alias brings in is warned about where it was written, if it is sent from there.
            _ if node.defined.is_some() => {}
            _ => {
                let warning = self.value(node, sent);
                self.tell(warning);
            }
        }
    }

    fn entry(&mut self, entry: &Entry, sent: bool) {
        let Entry { key, value } = entry;
        if self.yaml && value.defined.is_none() {
            self.tell(cut_by_comment(entry, self.text));
        }
        if self.yaml && (value.defined.is_none() || value.place != key.place) {
            self.tell(self.key(key));
        }
        let word = match &value.value {
            NodeValue::Text(word) if word == "off" => TAKE_OFF.contains(&&*key.value),
            NodeValue::Text(word) => {
                word == "on" && ["record", "resume", "evidence"].contains(&&*key.value)
            }
            _ => false,
        };
        if !word {
            // The `push` and `json` of a capture are no values that are sent.
            self.walk(value, key.value != "capture" && (sent || SENT.contains(&&*key.value)));
        }
    }

    fn value(&self, node: &Node, sent: bool) -> Option<Diagnostic> {
        let written = self.text.get(node.place.range())?;
        // What a tag makes of it is told to be refused.
        let before = self.text[..node.place.range().start].trim_end();
        if self.yaml && before.split([' ', '\n', ',', '[', '{']).next_back()?.starts_with('!') {
            return None;
        }
        let (old, new) = if self.yaml {
            (by_1_1(written), by_1_2(written))
        } else {
            (Meaning::Text, Meaning::Text)
        };
        let quote = || format!("quote it to send it as it stands: `\"{written}\"`");
        match &node.value {
            NodeValue::Text(_) if self.yaml && has_half_characters(written) => {
                Some(Diagnostic::warning(
                    node.place,
                    "`\\ud800` to `\\udfff` are halves of a character, which not every reader of YAML joins",
                    "write the character itself, or as `\\U0001f600`",
                ))
            }
            NodeValue::Text(text) if self.yaml && text == written && written.starts_with('?') => {
                Some(Diagnostic::warning(
                    node.place,
                    "a value that begins with `?` is a key for other readers of YAML",
                    format!("quote it to be sure: `\"{written}\"`"),
                ))
            }
            NodeValue::Text(text) if self.yaml && text == written => match (old, new) {
                (Meaning::Text, Meaning::Text) => self.space(node.place, written),
                (Meaning::Bool(meant), Meaning::Text) => Some(Diagnostic::warning(
                    node.place,
                    format!("`{written}` is text here"),
                    format!("write `{meant}` for the truth value, `\"{written}\"` for the text"),
                )),
                (other, Meaning::Text) | (_, other) => Some(Diagnostic::warning(
                    node.place,
                    format!(
                        "`{written}` is text here, and {} for other readers of YAML",
                        name_of(other)
                    ),
                    format!("quote it to be sure: `\"{written}\"`"),
                )),
            },
            NodeValue::Int(_) | NodeValue::Float(_) => {
                let number = node.to_json().to_string();
                let ours = number.parse().unwrap_or(f64::NAN);
                if has_leading_zero(written) && sent && !written.contains('.') {
                    return Some(Diagnostic::warning(
                        node.place,
                        format!("`{written}` is a number here, its zero is not sent"),
                        quote(),
                    ));
                }
                if sent && written != number {
                    return Some(Diagnostic::warning(
                        node.place,
                        format!("`{written}` is a number here and is sent as {number}"),
                        quote(),
                    ));
                }
                let same = |other| matches!(other, Meaning::Number(number) if number == ours);
                let other = [old, new].into_iter().find(|other| self.yaml && !same(*other))?;
                Some(Diagnostic::warning(
                    node.place,
                    format!(
                        "`{written}` is the number {number} here, and {} for other readers of YAML",
                        name_of(other)
                    ),
                    format!("write `{number}`, or quote it if it is text"),
                ))
            }
            _ => None,
        }
    }

    fn space(&self, place: Place, written: &str) -> Option<Diagnostic> {
        let (at, c) = odd_space(written)?;
        let start = place.range().start + at;
        Some(Diagnostic::warning(
            Place::new(place.source, start..start + c.len_utf8()),
            format!("this looks like a space and is none (U+{:04X})", c as u32),
            "write a space, or quote the text to keep it",
        ))
    }

    /// A key is text as it was written; others make of it what they make of a value.
    fn key(&self, key: &Placed<String>) -> Option<Diagnostic> {
        let written = self.text.get(key.place.range())?;
        // An explicit key, or one from an alias.
        if written != key.value {
            return None;
        }
        let is_kept = |meaning| match meaning {
            Meaning::Text => true,
            Meaning::Bool(value) => written == value.to_string(),
            Meaning::Number(number) => written == number.to_string() && written != "-0",
            Meaning::Null | Meaning::Date | Meaning::Refused => false,
        };
        let other = [by_1_1(written), by_1_2(written)].into_iter().find(|one| !is_kept(*one));
        let Some(other) = other else { return self.space(key.place, written) };
        Some(Diagnostic::warning(
            key.place,
            format!("the key `{written}` is {} for other readers of YAML", name_of(other)),
            format!("quote it to be sure: `\"{written}\"`"),
        ))
    }
}

/// Text under `|` at the end of a file that ends without a line feed: readers do not agree whether
/// it ends with one.
fn unended(root: &Node, text: &str) -> Option<Diagnostic> {
    let mut last = root;
    while let Some(next) = match &last.value {
        NodeValue::List(items) => items.last(),
        NodeValue::Map(entries) => entries.last().map(|entry| &entry.value),
        _ => None,
    } {
        last = next;
    }
    let NodeValue::Text(value) = &last.value else { return None };
    let written = text.get(last.place.range()).unwrap_or("");
    let unclear = last.defined.is_none()
        && value.ends_with('\n')
        && !text.ends_with('\n')
        && !written.starts_with(['"', '\'']);
    unclear.then(|| {
        Diagnostic::warning(
            last.place,
            "the file ends within this text: not every reader of YAML ends it with a line feed",
            "end the file with a line feed",
        )
    })
}

/// Some readers keep `"\ud83d\ude00"` as two halves.
fn has_half_characters(written: &str) -> bool {
    written.starts_with('"')
        && written.match_indices("\\u").any(|(at, _)| {
            let code = written.as_bytes().get(at + 2..at + 4).unwrap_or_default();
            matches!(code, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F'])
        })
}

fn name_of(meaning: Meaning) -> String {
    match meaning {
        Meaning::Null => "nothing".to_owned(),
        Meaning::Bool(value) => value.to_string(),
        Meaning::Number(number) if number.is_finite() => format!("the number {number}"),
        Meaning::Number(_) | Meaning::Refused => "a mistake".to_owned(),
        Meaning::Date => "a date".to_owned(),
        Meaning::Text => "text".to_owned(),
    }
}

fn has_leading_zero(written: &str) -> bool {
    let digits = written.trim_start_matches(['+', '-']);
    digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit())
}

/// `css: #login` and `title: Todo #1`: what looks like text is a comment. One that is written as
/// comments are, with a space after the `#`, is no surprise.
fn cut_by_comment(entry: &Entry, text: &str) -> Option<Diagnostic> {
    let node = &entry.value;
    let range = node.place.range();
    let end = match &node.value {
        NodeValue::Text(value) if text.get(range.clone())? == value => range.end,
        NodeValue::Null if range.is_empty() => {
            let after_key = entry.key.place.range().end;
            let colon = text.get(after_key..)?.find(':')?;
            after_key + colon + 1
        }
        _ => return None,
    };
    let rest = text.get(end..)?;
    let comment = rest.trim_start_matches(' ').strip_prefix('#')?;
    let word = comment.split([' ', ',', '}', ']', '\n', '\r']).next().unwrap_or("");
    if word.is_empty() || word.starts_with(['#', '-', '=']) {
        return None;
    }
    let start = end + (rest.len() - comment.len()) - 1;
    Some(Diagnostic::warning(
        Place::new(node.place.source, start..start + 1 + word.len()),
        format!("`#{word}` begins a comment and is not part of the value"),
        "quote the whole value to keep it; for a comment, put a space after the `#`",
    ))
}
