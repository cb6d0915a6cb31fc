//! Owns warnings about YAML values that are read as something else than they look like.

use super::{Entry, Node, NodeValue};
use crate::diagnostic::{Diagnostic, Place};

/// Below these keys stand values that are sent or kept, where the difference reaches the server.
const SENT: [&str; 5] = ["json", "headers", "set", "push", "remove"];

pub(super) fn surprises(root: &Node, text: &str) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    walk(root, text, false, &mut warnings);
    warnings
}

fn walk(node: &Node, text: &str, sent: bool, warnings: &mut Vec<Diagnostic>) {
    match &node.value {
        NodeValue::Map(entries) => {
            for entry in entries {
                if entry.value.defined.is_none() {
                    warnings.extend(cut_by_comment(entry, text));
                }
                if entry.key.value == "capture" {
                    // Its `push` and `json` are no values that are sent.
                    continue;
                }
                let sent = sent || SENT.contains(&&*entry.key.value);
                walk(&entry.value, text, sent, warnings);
            }
        }
        NodeValue::List(items) => {
            for item in items {
                walk(item, text, sent, warnings);
            }
        }
        // What an alias brings in is warned about where it was written, if it is sent from there.
        _ if node.defined.is_some() => {}
        _ if sent => warnings.extend(surprise(node, text)),
        _ => {}
    }
}

fn surprise(node: &Node, text: &str) -> Option<Diagnostic> {
    let range = node.place.range();
    let written = text.get(range)?;
    match &node.value {
        NodeValue::Int(_) if has_leading_zero(written) => Some(Diagnostic::warning(
            node.place,
            format!("`{written}` is a number here, its zero is not sent"),
            format!("quote it to send it as it stands: `\"{written}\"`"),
        )),
        NodeValue::Float(number) => {
            let plain = written.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
            let cut = written.ends_with('0') && written.contains('.') && !written.ends_with(".0");
            (plain && (cut || has_leading_zero(written))).then(|| {
                Diagnostic::warning(
                    node.place,
                    format!("`{written}` is a number here and is sent as {number}"),
                    format!("quote it to send it as it stands: `\"{written}\"`"),
                )
            })
        }
        NodeValue::Text(_) => {
            let meant = match &*written.to_ascii_lowercase() {
                "yes" | "on" => "true",
                "no" | "off" => "false",
                _ => return None,
            };
            Some(Diagnostic::warning(
                node.place,
                format!("`{written}` is text here"),
                format!("write `{meant}` for the truth value, `\"{written}\"` for the text"),
            ))
        }
        _ => None,
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
