//! Owns outside text made safe for terminal and CSV.

use std::borrow::Cow;

/// Text as a terminal may show it: control characters (but newline and tab), DEL, C1 and marks
/// that turn the direction of text become visible, so that nothing can move the cursor, colour
/// the screen or hide itself.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !harmful(c) => out.push(c),
            '\u{0}'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + c as u32).expect("a picture for each C0 control"));
            }
            '\u{7f}' => out.push('\u{2421}'),
            c => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// Text as a CSV cell may hold it: what a spreadsheet would take for a formula is quoted with `'`.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(visible("plain 한글\n"), "plain 한글\n");
        assert_eq!(visible("a\u{1b}[31mb\u{7f}\u{9b}c\u{202e}d\r"), "a␛[31mb␡\\u{9b}c\\u{202e}d␍");
    }

    #[test]
    fn formulas_stay_text() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("/todos/"), "/todos/");
    }
}
