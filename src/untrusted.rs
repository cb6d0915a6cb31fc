//! Owns outside text made safe for terminal, CSV and HTML.

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

/// JSON as it may stand within a `<script>` of a page: nothing in it can end the script, and no
/// reader of JavaScript takes it for the end of a line.
#[must_use]
pub fn script_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
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
    fn nothing_ends_a_script_and_it_is_still_the_same_json() {
        let text = "</script><!-- & \u{2028}\u{2029}";
        let json = script_json(&serde_json::to_string(text).unwrap());
        assert_eq!(json, r#""\u003c/script\u003e\u003c!-- \u0026 \u2028\u2029""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn formulas_stay_text() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("/todos/"), "/todos/");
    }
}
