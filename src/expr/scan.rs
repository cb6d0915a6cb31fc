//! Owns finding `{{ … }}` in a text, quotes respected, and braces that look like it.

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

/// What is likely a slip in a text: single braces around a name, and a `}}` that ends nothing.
pub(super) fn slips(text: &str) -> Vec<ParseError> {
    let Ok(pieces) = pieces(text) else { return Vec::new() };
    let mut found = Vec::new();
    for piece in pieces {
        let Piece::Text(range) = piece else { continue };
        let fixed = &text[range.clone()];
        for (at, _) in fixed.match_indices('{') {
            let Some(length) = fixed[at + 1..].find('}') else { break };
            let inner = fixed[at + 1..at + 1 + length].trim();
            let is_name = inner.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && inner.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            let doubled = fixed[at + 2 + length..].starts_with('}');
            if is_name && !doubled {
                let start = range.start + at;
                found.push(ParseError::new(
                    format!("`{{{inner}}}` is sent as it stands"),
                    format!("write `{{{{ {inner} }}}}` for its value"),
                    start..start + length + 2,
                ));
            }
        }
        // `}}` closes braces of JSON as well: only without any to close it is stray.
        if !fixed.contains('{')
            && let Some(at) = fixed.find("}}")
        {
            let start = range.start + at;
            let hint = "open it with `{{`";
            found.push(ParseError::new("a `}}` closes nothing", hint, start..start + 2));
        }
    }
    found
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
    fn single_braces_and_stray_ones_are_told() {
        let told = |text: &str| {
            slips(text).iter().map(|slip| text[slip.at.clone()].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told("/a/{id}/{{ id }}/{ user.id }"), ["{id}", "{ user.id }"]);
        assert_eq!(told("/a/id }}"), ["}}"]);
        assert_eq!(told("{\"a\":{\"b\":1}} {} {1} {% x %} {a b}"), [""; 0]);
        assert_eq!(told("{id}}"), [""; 0]);
    }
}
