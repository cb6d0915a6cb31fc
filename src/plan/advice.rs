//! Owns fitting advice to the file that it is for: its format, and the quotes that stand there.

use std::ops::Range;

use super::document;
use super::validate::{BESIDE_TOML, BESIDE_YAML, TOP_LEVEL_TOML, TOP_LEVEL_YAML};
use crate::diagnostic::{Diagnostic, Source};

/// Advice is made for YAML, and without a look at the text: here it becomes what can be written in
/// the place of each.
pub fn suit(diagnostics: &mut [Diagnostic], sources: &[Source]) {
    for diagnostic in diagnostics {
        let Some(place) = diagnostic.place else { continue };
        let Some(source) = sources.get(usize::from(place.source)) else { continue };
        let toml = document::is_toml(&source.path);
        if toml {
            suit_toml(diagnostic, source);
        }
        if let Some(quoted) = in_quotes(&diagnostic.label, place.range(), &source.text, toml) {
            diagnostic.label = quoted;
        }
    }
}

fn suit_toml(diagnostic: &mut Diagnostic, source: &Source) {
    diagnostic.label = as_toml(&diagnostic.label);
    match diagnostic.help.as_deref() {
        Some(TOP_LEVEL_YAML) => diagnostic.help = Some(TOP_LEVEL_TOML.to_owned()),
        Some(BESIDE_YAML) => {
            // Within `{ }` no table is above it.
            let begins = diagnostic.place.is_some_and(|place| {
                let before = source.text.get(..place.range().start).unwrap_or("");
                before.trim_end_matches([' ', '\t']).ends_with('\n')
            });
            diagnostic.help = begins.then(|| BESIDE_TOML.to_owned());
        }
        _ => {}
    }
}

/// Advice to write a text, or one of some, into a place where it needs quotes.
fn in_quotes(label: &str, place: Range<usize>, text: &str, toml: bool) -> Option<String> {
    let advised = label.strip_prefix("write `")?.strip_suffix('`')?;
    let (before, after) =
        (text.get(..place.start)?.trim_end(), text.get(place.end..)?.trim_start());
    let written = text.get(place)?;
    let quoted = ['"', '\'']
        .iter()
        .any(|quote| written.len() > 1 && written.starts_with(*quote) && written.ends_with(*quote));
    let is_value = before.ends_with('=') || (quoted && !after.starts_with(['=', '.']));
    let texts = advised.split("` or `").map(|text| {
        if text.contains('`') {
            return None;
        }
        let is_text = !text.contains('…') && !text.starts_with(['"', '\'', '[']);
        let needs = if toml {
            is_value && !text.contains(" = ") && !document::is_toml_value(text)
        } else {
            quoted && text.contains("{{")
        };
        Some(match (is_text && needs, text.contains('"')) {
            (false, _) => format!("`{text}`"),
            (true, false) => format!("`\"{text}\"`"),
            (true, true) => format!("`'{text}'`"),
        })
    });
    Some(format!("write {}", texts.collect::<Option<Vec<_>>>()?.join(" or ")))
}

/// Advice is written in YAML, as `get: /todos/`; in a TOML file that is `get = "/todos/"`.
fn as_toml(advice: &str) -> String {
    let parts = advice.split('`').enumerate().map(|(at, part)| {
        if at % 2 == 0 { part.to_owned() } else { toml_of(part).unwrap_or_else(|| part.to_owned()) }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// A pair, a map or a list in one line, as TOML has it; nothing for other text.
fn toml_of(yaml: &str) -> Option<String> {
    let bracket = |open: char, close: char| yaml.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = bracket('{', '}').filter(|inner| !inner.starts_with('{')) {
        let pairs: Option<Vec<_>> = split_at_commas(inner).into_iter().map(toml_pair).collect();
        return Some(format!("{{ {} }}", pairs?.join(", ")));
    }
    // One word in brackets is the header of a table.
    if let Some(inner) = bracket('[', ']').filter(|inner| inner.contains([',', '{'])) {
        let items: Vec<_> = split_at_commas(inner).into_iter().map(toml_value).collect();
        return Some(format!("[{}]", items.join(", ")));
    }
    toml_pair(yaml)
}

fn toml_pair(text: &str) -> Option<String> {
    let (key, value) = text.split_once(": ")?;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let good = !key.is_empty() && key.bytes().all(word);
    good.then(|| format!("{key} = {}", toml_value(value.trim())))
}

/// What YAML reads as text without quotes is text with them.
fn toml_value(text: &str) -> String {
    let bare = ["true", "false", "…"].contains(&text)
        || text.parse::<f64>().is_ok_and(f64::is_finite)
        || text.starts_with('"');
    if bare {
        return text.to_owned();
    }
    let nested = text.starts_with(['{', '[']).then(|| toml_of(text)).flatten();
    nested.unwrap_or_else(|| format!("\"{text}\""))
}

/// The parts between the commas that stand in no bracket within.
fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0i32);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_in_a_toml_file_is_toml() {
        assert_eq!(
            as_toml("write `get: /a` or `wait: 1s`, not: this"),
            "write `get = \"/a\"` or `wait = \"1s\"`, not: this"
        );
        assert_eq!(as_toml("write `1s..3s`"), "write `1s..3s`");
        assert_eq!(
            as_toml("write `{ status: 503, times: 3, wait: 200ms }` or `in: range(3)`"),
            "write `{ status = 503, times = 3, wait = \"200ms\" }` or `in = \"range(3)\"`"
        );
        assert_eq!(
            as_toml("write `[{ weight: 3, do: … }, …]` or `basic: [ann, secret]`"),
            "write `[{ weight = 3, do = … }, …]` or `basic = [\"ann\", \"secret\"]`"
        );
        assert_eq!(as_toml("`css: \"#login\"`"), "`css = \"#login\"`");
        assert_eq!(
            as_toml("write `\"{{ n }}\"` or `{{ id }}`"),
            "write `\"{{ n }}\"` or `{{ id }}`"
        );
    }

    #[test]
    fn a_text_keeps_the_quotes_that_it_needs() {
        let advice = |text: &str, wrong: &str, label: &str, toml| {
            let start = text.find(wrong).unwrap();
            in_quotes(label, start..start + wrong.len(), text, toml)
        };
        for (text, wrong, label, want) in [
            ("get = \"todos\"", "\"todos\"", "write `/todos`", Some("write `\"/todos\"`")),
            ("wait = [1, 2]", "[1, 2]", "write `1s..2s`", Some("write `\"1s..2s\"`")),
            ("that = 'a = 1'", "a", "write `b`", Some("write `b`")),
            ("weight = \"3x\"", "\"3x\"", "write `3`", Some("write `3`")),
            ("\"a b\" = 1", "\"a b\"", "write `a_b`", Some("write `a_b`")),
            (
                "retry = 'a'",
                "'a'",
                "write `{ a = 1 }` or `none`",
                Some("write `{ a = 1 }` or `\"none\"`"),
            ),
            ("get = \"a\"", "\"a\"", "write `/a`, or a URL", None),
            ("grace = 10", "10", "write `10s` or `10ms`", Some("write `\"10s\"` or `\"10ms\"`")),
        ] {
            assert_eq!(advice(text, wrong, label, true).as_deref(), want, "{text}");
        }
        for (text, wrong, label, want) in [
            ("{ get: \"a{{ b }}\" }", "\"a{{ b }}\"", "write `/a{{ b }}`", "write `\"/a{{ b }}\"`"),
            ("{ get: \"a\" }", "\"a\"", "write `/a`", "write `/a`"),
        ] {
            assert_eq!(advice(text, wrong, label, false).as_deref(), Some(want), "{text}");
        }
    }
}
