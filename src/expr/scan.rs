//! Owns finding `{{ … }}` in a text, and filters and tests in an expression, quotes respected.

use std::ops::Range;

use super::ParseError;

/// A piece of a text with `{{ }}`: fixed, or the expression inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Range<usize>),
    Expression(Range<usize>),
}

/// Splits a text at `{{` and `}}`. A `}}` inside quotes does not end an expression.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, ParseError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        if open > at {
            pieces.push(Piece::Text(at..open));
        }
        let Some(close) = closing(&text[open + 2..]).map(|found| open + 2 + found) else {
            let hint = "close it with `}}`";
            return Err(ParseError::new("a `{{` is never closed", hint, open..text.len()));
        };
        if text[open + 2..close].trim().is_empty() {
            let hint = "write a name or an expression between the braces";
            return Err(ParseError::new("there is nothing in `{{ }}`", hint, open..close + 2));
        }
        pieces.push(Piece::Expression(open + 2..close));
        at = close + 2;
    }
    if at < text.len() {
        pieces.push(Piece::Text(at..text.len()));
    }
    Ok(pieces)
}

/// Where the `}}` is that ends an expression; braces of a map literal inside are counted.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quote, mut depth) = (0, None, 0usize);
    while at < bytes.len() {
        let byte = bytes[at];
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'\'' | b'"' => quote = Some(byte),
                b'{' => depth += 1,
                b'}' if depth > 0 => depth -= 1,
                b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
                _ => {}
            },
        }
        at += 1;
    }
    None
}

/// The text with every character between quotes replaced by a space, byte for byte.
pub(super) fn outside_quotes(text: &str) -> String {
    let (mut out, mut quote, mut escaped) = (String::with_capacity(text.len()), None, false);
    for c in text.chars() {
        let inside = match quote {
            Some(open) => {
                if c == open && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped;
                true
            }
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                true
            }
            None => false,
        };
        if inside {
            out.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// The names after `|` and after `is` / `is not`: filters and tests, which MiniJinja would look up
/// only while running.
pub(super) fn filters_and_tests(text: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut filters, mut tests) = (Vec::new(), Vec::new());
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut at, mut quote) = (0, None);
    let mut expect = None;
    while at < bytes.len() {
        let byte = bytes[at];
        if let Some(open) = quote {
            at += if byte == b'\\' { 2 } else { 1 };
            if byte == open {
                quote = None;
            }
        } else if is_word(byte) {
            let end = bytes[at..].iter().position(|&b| !is_word(b)).map_or(bytes.len(), |n| at + n);
            match (expect, &text[at..end]) {
                (Some("is"), "not") => {}
                (Some("is"), _) => {
                    tests.push(at..end);
                    expect = None;
                }
                (Some(_), _) => {
                    filters.push(at..end);
                    expect = None;
                }
                (None, "is") => expect = Some("is"),
                (None, _) => {}
            }
            at = end;
        } else {
            match byte {
                b'\'' | b'"' => {
                    quote = Some(byte);
                    expect = None;
                }
                b'|' => expect = Some("|"),
                _ if byte.is_ascii_whitespace() => {}
                _ => expect = None,
            }
            at += 1;
        }
    }
    (filters, tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |piece: &Piece| match piece {
            Piece::Text(range) => format!("text {}", &text[range.clone()]),
            Piece::Expression(range) => format!("expr {}", text[range.clone()].trim()),
        };
        pieces(text).unwrap().iter().map(show).collect()
    }

    #[test]
    fn only_double_braces_are_live() {
        assert_eq!(shown("/a/{{ id }}/b"), ["text /a/", "expr id", "text /b"]);
        assert_eq!(shown("{% if %} {# no #} {id}"), ["text {% if %} {# no #} {id}"]);
        assert_eq!(shown("{{ '}}' }}x"), ["expr '}}'", "text x"]);
        assert_eq!(shown("{{ {'a': {'b': 1}} }}"), ["expr {'a': {'b': 1}}"]);
        assert_eq!(shown(""), Vec::<String>::new());
        assert_eq!(shown("한글 {{ 이름 }}"), ["text 한글 ", "expr 이름"]);
    }

    #[test]
    fn an_open_brace_is_a_mistake() {
        assert_eq!(pieces("/a/{{ id }").unwrap_err().at, 3..10);
        assert_eq!(pieces("{{ }}").unwrap_err().title, "there is nothing in `{{ }}`");
    }

    #[test]
    fn filters_and_tests_are_found_outside_quotes() {
        let text = "a|upper ~ '|no' if b is not defined and c | default('is x', 1)|int";
        let (filters, tests) = filters_and_tests(text);
        let names = |ranges: Vec<Range<usize>>| {
            ranges.into_iter().map(|r| text[r].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(filters), ["upper", "default", "int"]);
        assert_eq!(names(tests), ["defined"]);
    }
}
