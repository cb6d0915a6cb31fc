//! Owns fitting text into columns of a terminal: how wide it is, cutting and padding it.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes; wide letters take two.
pub(crate) fn width_of(text: &str) -> usize {
    text.width()
}

/// The text, cut with `…` when it takes more than so many columns.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width_of(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// The text, cut in its middle when it takes more: the ends of names tell them apart.
pub(super) fn cut_middle(text: &str, columns: usize) -> String {
    if width_of(text) <= columns || columns < 5 {
        return cut(text, columns);
    }
    let head = cut(text, columns.div_ceil(2));
    let (mut tail, mut used) = (Vec::new(), width_of(&head));
    for c in text.chars().rev() {
        let wide = c.width().unwrap_or(0);
        if used + wide > columns {
            break;
        }
        used += wide;
        tail.push(c);
    }
    head + &tail.into_iter().rev().collect::<String>()
}

/// The text, cut in its middle when it has more than so many characters: how long it gets is then known
/// whatever their width.
pub(super) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most || text.chars().count() <= most {
        return text.into();
    }
    let at = |nth: usize| text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at);
    let (head, tail) = (most / 2, most - most / 2 - 1);
    let all = text.chars().count();
    format!("{}…{}", &text[..at(head)], &text[at(all - tail)..]).into()
}

/// The text, with spaces behind it up to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width_of(text))))
}

/// The text in lines of at most so many columns, broken between words; a word that is longer has a line of its
/// own.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width_of(line) + 1 + width_of(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text as a sentence begins.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_columns_whatever_its_letters() {
        assert_eq!(
            (cut("abcdef", 6), cut("abcdef", 4), cut("abc", 0)),
            ("abcdef".into(), "abc…".into(), String::new())
        );
        assert_eq!((cut("한글이다", 5), width_of(&cut("한글이다", 5))), ("한글…".into(), 5));
        assert_eq!((cut("한글이다", 4), width_of(&cut("한글이다", 4))), ("한…".into(), 3));
        assert_eq!(cut_middle("/todos/{id} [DELETE]", 12), "/todo…ELETE]");
        assert_eq!(
            (cut_middle("한글이다", 7), cut_middle("abcdef", 6)),
            ("한…이다".into(), "abcdef".into())
        );
        assert!((0..12).all(|columns| width_of(&cut_middle("한글이다 abc", columns)) <= columns));
        assert_eq!(
            (shortened("abcdef", 6), shortened("abcdef", 4)),
            ("abcdef".into(), "ab…f".into())
        );
        assert_eq!(shortened(&"\u{300}".repeat(9), 5).chars().count(), 5);
        assert_eq!((pad("한", 4), pad("abcd", 2)), ("한  ".into(), "abcd".into()));
        assert_eq!(wrapped("a bc 한글 abcdefg", 5), ["a bc", "한글", "abcdefg"]);
        assert_eq!((capital("über all"), capital("")), ("Über all".into(), String::new()));
    }
}
