//! Owns finding the bracket that was left open, in YAML and TOML alike.

/// The innermost bracket before `at` that is not closed there. Quotes and comments are skipped.
pub(super) fn unclosed(text: &str, at: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut before = '\n';
    let mut chars = text[..at].char_indices();
    while let Some((offset, c)) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some(end), c) if end == c => quote = None,
            // An apostrophe within a word opens nothing.
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (None, '#') if before.is_whitespace() => {
                for (_, c) in chars.by_ref() {
                    if c == '\n' {
                        break;
                    }
                }
                before = '\n';
                continue;
            }
            (None, '[' | '{') => open.push(offset),
            (None, ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
        before = c;
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_open_bracket_is_found() {
        for (text, want) in [
            ("a: [1, 2\nb: 3", Some(3)),
            ("a: [1, {b: 2}", Some(3)),
            ("a: [1, {b: ']}'", Some(7)),
            ("a: it's [1", Some(8)),
            ("# [\na: 1", None),
            ("a: [1]", None),
        ] {
            assert_eq!(unclosed(text, text.len()), want, "{text}");
        }
    }
}
