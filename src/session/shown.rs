//! Owns how a request and its answer look to a person: heads, bodies, lines that fit the terminal.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

use crate::untrusted::{Secrets, as_text, is_form, shown_json, shown_line, shown_query, visible};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const PLAIN: Style = Style::new();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Of a body so many lines and bytes are shown.
const LINES: usize = 20;
const BYTES: usize = 2_000;
/// A terminal that is narrower is treated as if it were so wide: less would be a column of letters.
const NARROWEST: usize = 20;

pub(super) fn styled(style: Style, text: &str) -> String {
    if style == PLAIN { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

/// Text from outside as it may be shown: without secrets, and without what steers a terminal.
pub(super) fn clean(text: &str, secrets: &Secrets) -> String {
    visible(&shown_query(&secrets.hidden(text), false)).into_owned()
}

/// The lines of a head, each header's value as it may be shown.
pub(super) fn head(bytes: &[u8], secrets: &Secrets) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n").filter(|line| !line.is_empty());
    lines.map(|line| clean(&shown_line(line), secrets)).collect()
}

/// The lines of a body; `kind` is its content type. When it is not shown `whole`, a last line says
/// how much is missing.
pub(super) fn body(bytes: &[u8], kind: &str, whole: bool, secrets: &Secrets) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let Some(text) = as_text(bytes, false) else {
        return vec![format!("({}, not text)", size(bytes.len()))];
    };
    let pretty: Cow<'_, str> =
        if is_json(bytes) { indented(text).into() } else { text.replace("\r\n", "\n").into() };
    // Before it is cut: a part of a secret would not be known for one.
    let hidden = secrets.hidden(&pretty);
    let is_form = is_form(&format!("Content-Type: {kind}"), &hidden);
    let shown = shown_json(&hidden);
    let shown = shown_query(&shown, is_form);
    let shown = shown.strip_suffix('\n').unwrap_or(&shown);
    let end = if whole { shown.len() } else { end(shown) };
    let mut lines: Vec<String> =
        shown[..end].split('\n').map(|line| visible(line).into_owned()).collect();
    if end < shown.len() {
        if lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines.push(format!("… and {} more", size(shown.len() - end)));
    }
    lines
}

/// Where the shown part of a text ends: behind so many lines and bytes.
fn end(text: &str) -> usize {
    let lines = text.match_indices('\n').nth(LINES - 1).map_or(text.len(), |(at, _)| at + 1);
    text.floor_char_boundary(lines.min(BYTES))
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{") | bytes.trim_ascii_start().starts_with(b"[")
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// JSON with a line for each item. Letter for letter the same but for its spaces: numbers, repeated
/// keys and escapes stay as they came.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut within_text, mut escaped) = (0usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for (at, c) in json.char_indices() {
        if within_text {
            out.push(c);
            within_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if !json[at + 1..].trim_start().starts_with(['}', ']']) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => {
                within_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// `312 B`, `3.1 kB`, `12.0 MB`.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..999_950 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A text in lines that fit so many columns, each behind its margin: the first behind `margin`, the
/// others behind as many spaces, or behind `again` when that is given.
pub(super) fn fitted(
    margin: &str,
    again: Option<&str>,
    text: &str,
    style: Style,
    width: Option<usize>,
) -> String {
    let indent = columns_of(margin);
    let again = again.map_or_else(|| " ".repeat(indent), str::to_owned);
    let room = width.map_or(usize::MAX, |width| {
        width.max(NARROWEST).saturating_sub(indent.max(columns_of(&again)))
    });
    let mut out = String::new();
    for (position, part) in broken(text, room).into_iter().enumerate() {
        out += if position == 0 { margin } else { &again };
        out += &styled(style, part);
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out
}

/// The text in parts of at most so many columns, broken between words where that is possible.
fn broken(text: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let Some(limit) = passes(rest, room) else {
            parts.push(rest);
            return parts;
        };
        // A space far to the left would leave most of the line empty.
        let space = rest[..limit].rfind(' ').filter(|space| *space > limit / 2);
        let (part, after) = match space {
            _ if rest[limit..].starts_with(' ') => (&rest[..limit], &rest[limit + 1..]),
            Some(space) => (&rest[..space], &rest[space + 1..]),
            None => rest.split_at(limit),
        };
        parts.push(part);
        rest = after;
    }
}

/// Where the text passes so many columns; none when it does not. At least one letter fits.
fn passes(text: &str, room: usize) -> Option<usize> {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > room && at > 0 {
            return Some(at);
        }
    }
    None
}

/// The columns that a text takes, its styles left out; wide letters take two.
pub(super) fn columns_of(text: &str) -> usize {
    let plain = anstream::adapter::strip_str(text).to_string();
    plain.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], whole: bool) -> Vec<String> {
        body(bytes, "", whole, &Secrets::default())
    }

    #[test]
    fn json_is_indented_and_nothing_in_it_is_changed() {
        let text = r#"{"a":[1.10,{}, []],"b" : "x: {\"y\", [1]}","b":1e400,"c":9007199254740993}"#;
        let want = "{\n  \"a\": [\n    1.10,\n    {},\n    []\n  ],\n  \"b\": \"x: {\\\"y\\\", [1]}\",\n  \
                    \"b\": 1e400,\n  \"c\": 9007199254740993\n}";
        assert_eq!(indented(text), want);
        // A line for each, and the same text but for spaces.
        let spaceless = |text: &str| text.replace([' ', '\n'], "");
        assert_eq!(spaceless(&indented(text)), spaceless(text));
    }

    #[test]
    fn a_long_body_is_cut_and_said_to_be() {
        let lines: String = (0..30).map(|line| format!("{line}\n")).collect();
        let cut = shown(lines.as_bytes(), false);
        assert_eq!((cut.len(), &*cut[19], &*cut[20]), (21, "19", "… and 29 B more"));
        assert_eq!(shown(lines.as_bytes(), true).len(), 30);
        let long = "한".repeat(2_000);
        let cut = shown(long.as_bytes(), false);
        assert_eq!((cut.len(), cut[0].len(), &*cut[1]), (2, 1_998, "… and 4.0 kB more"));
    }

    #[test]
    fn what_is_no_text_is_told_by_its_size() {
        assert_eq!(shown(b"\x89PNG\r\n", false), ["(6 B, not text)"]);
        assert_eq!(shown(b"a\0b", false), ["(3 B, not text)"]);
        assert_eq!(shown(b"a\r\nb\x1b[31m", false), ["a", "b␛[31m"]);
        assert!(shown(b"", false).is_empty());
    }

    #[test]
    fn a_secret_at_the_cut_is_hidden_whole() {
        let secrets = Secrets::default();
        secrets.add("0123456789");
        let text = format!("{}0123456789 and more", "x".repeat(1_995));
        let shown = body(text.as_bytes(), "", false, &secrets).concat();
        assert!(shown.contains("x***") && !shown.contains("01"), "{shown}");
    }

    #[test]
    fn lines_fit_their_columns() {
        let fit = |text: &str, width| fitted("  > ", Some("  >   "), text, PLAIN, Some(width));
        assert_eq!(fit("short", 40), "  > short\n");
        assert_eq!(
            fit("some words that are too many", 24),
            "  > some words that\n  >   are too many\n"
        );
        assert_eq!(fit(&"한".repeat(10), 20), "  > 한한한한한한한\n  >   한한한\n");
        for width in 0..60 {
            let text = "a few words 한글한글한글 andaverylongwordthatfitsnowhere";
            let out = fit(text, width);
            let widest = out.lines().map(columns_of).max();
            assert!(widest <= Some(width.max(NARROWEST)), "{width}: {out}");
            let letters: String =
                out.lines().map(|line| line.trim_start_matches([' ', '>'])).collect();
            assert_eq!(letters.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
