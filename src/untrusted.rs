//! Owns outside text made safe for terminal, CSV and HTML.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

/// What must not appear in any output. Shared by all who make some: a secret that is met while
/// running is hidden from then on.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<RwLock<Vec<String>>>);

/// What a secret is replaced by.
const HIDDEN: &str = "***";

/// A shorter text is no secret: hiding it would make output unreadable.
const SHORTEST: usize = 3;

impl Secrets {
    /// Hides this value too, as it is and as it is often written: in base64, in a URL, in JSON.
    pub fn add(&self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|one| one == value) || known.len() >= 10_000 {
            return;
        }
        let json = serde_json::to_string(value).unwrap_or_default();
        let url: String = value
            .bytes()
            .map(|byte| match byte {
                byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
        let forms = [value.to_owned(), json.trim_matches('"').to_owned(), url, base64];
        for form in forms {
            if !known.contains(&form) {
                known.push(form);
            }
        }
        // The longest first: a secret may be a part of another.
        known.sort_by_key(|one| std::cmp::Reverse(one.len()));
    }

    /// The text with every secret in it hidden.
    #[must_use]
    pub fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for secret in known.iter() {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
            }
        }
        shown
    }
}

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
    fn a_secret_is_hidden_in_every_form_that_it_is_written_in() {
        let secrets = Secrets::default();
        secrets.add("p\"ss w/rd");
        secrets.add("ab");
        assert_eq!(
            secrets.hidden(r#"p"ss w/rd, "p\"ss w/rd", p%22ss%20w%2Frd, cCJzcyB3L3Jk, ab"#),
            "***, \"***\", ***, ***, ab"
        );
        assert!(matches!(secrets.hidden("nothing in it"), Cow::Borrowed(_)));
    }

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
