//! Owns warnings about YAML values that are read as something else than they look like.

use super::{Node, NodeValue};
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
        _ => warnings.extend(surprise(node, text, sent)),
    }
}

fn surprise(node: &Node, text: &str, sent: bool) -> Option<Diagnostic> {
    let range = node.place.range();
    let written = text.get(range.clone())?;
    if let Some(cut) = cut_by_comment(node, text) {
        return Some(cut);
    }
    if !sent {
        return None;
    }
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
                "yes" | "on" | "y" => "true",
                "no" | "off" | "n" => "false",
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
fn cut_by_comment(node: &Node, text: &str) -> Option<Diagnostic> {
    let range = node.place.range();
    let written = text.get(range.clone())?;
    let plain = match &node.value {
        NodeValue::Null => written.is_empty(),
        NodeValue::Text(value) => written == value,
        _ => false,
    };
    let rest = text.get(range.end..)?.lines().next()?;
    let comment = rest.trim_start_matches(' ');
    if !plain || !comment.starts_with('#') || comment.len() < 2 {
        return None;
    }
    let word = comment[1..].split([' ', ',', '}', ']']).next().unwrap_or("");
    if word.is_empty() || word.starts_with(['#', '-', '=']) {
        return None;
    }
    let start = range.end + (rest.len() - comment.len());
    let place = Place { start: u32::try_from(start).ok()?, ..node.place };
    let place = Place { end: place.start + u32::try_from(word.len() + 1).ok()?, ..place };
    Some(Diagnostic::warning(
        place,
        format!("`#{word}` begins a comment and is not part of the value"),
        "quote the whole value to keep it; for a comment, put a space after the `#`",
    ))
}
