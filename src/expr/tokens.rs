//! Owns the tokens of an expression.

use std::ops::Range;

use super::ParseError;

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Whole(u64),
    Fraction(f64),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":",
    "(", ")", "[", "]", "{", "}", "=",
];

/// Splits an expression. The last token is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ParseError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let start = at;
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let token = if first == '\'' || first == '"' {
            let (value, length) = quoted(rest, at)?;
            at += length;
            Token::Text(value)
        } else if first.is_ascii_digit() {
            let (token, length) = number(rest, at)?;
            at += length;
            token
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            at += length;
            Token::Word(rest[..length].to_owned())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            at += sign.len();
            Token::Sign(sign)
        } else {
            let title = format!("not an expression: `{first}` means nothing here");
            return Err(ParseError::new(title, "", at..at + first.len_utf8()));
        };
        tokens.push((token, start..at));
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A text between quotes, and how many bytes it takes with them.
fn quoted(rest: &str, at: usize) -> Result<(String, usize), ParseError> {
    let quote = rest.chars().next();
    let (mut value, mut chars) = (String::new(), rest.char_indices().skip(1));
    while let Some((position, c)) = chars.next() {
        if Some(c) == quote {
            return Ok((value, position + 1));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => value.push('\n'),
            Some((_, 't')) => value.push('\t'),
            Some((_, 'r')) => value.push('\r'),
            Some((_, '0')) => value.push('\0'),
            Some((_, c @ ('\\' | '\'' | '"' | '/'))) => value.push(c),
            Some((_, 'u')) => {
                let digits = rest.get(position + 2..position + 6);
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let Some(c) = code.and_then(char::from_u32) else {
                    let hint =
                        "write four hexadecimal digits, as in `\\u00e9`, or the letter itself";
                    let end = rest.ceil_char_boundary((position + 6).min(rest.len()));
                    let at = at + position..at + end;
                    return Err(ParseError::new("`\\u` without a letter's number", hint, at));
                };
                value.push(c);
                chars.nth(3);
            }
            // A backslash before any other letter is itself, as in regular expressions.
            Some((_, c)) => value.extend(['\\', c]),
            None => break,
        }
    }
    let title = "not an expression: a quote is never closed";
    Err(ParseError::new(title, "close the quote", at..at + rest.len()))
}

fn number(rest: &str, at: usize) -> Result<(Token, usize), ParseError> {
    let digits = |from: usize| {
        let more = rest[from..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'_');
        from + more.count()
    };
    let digit_at = |at: usize| rest[at..].starts_with(|c: char| c.is_ascii_digit());
    let mut length = digits(0);
    let mut whole = true;
    if rest[length..].starts_with('.') && digit_at(length + 1) {
        whole = false;
        length = digits(length + 1);
    }
    if rest[length..].starts_with(['e', 'E']) {
        let signed = length + 1 + usize::from(rest[length + 1..].starts_with(['+', '-']));
        if digit_at(signed) {
            whole = false;
            length = digits(signed);
        }
    }
    let word = rest[length..].find(|c: char| !is_part(c)).unwrap_or(rest.len() - length);
    if word > 0 {
        let title = format!("not an expression: `{}` is no number", &rest[..length + word]);
        return Err(ParseError::new(title, "", at..at + length + word));
    }
    let text = rest[..length].replace('_', "");
    let token = if whole {
        text.parse().map(Token::Whole).ok()
    } else {
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Fraction)
    };
    match token {
        Some(token) => Ok((token, length)),
        None => {
            let hint = "write it as text, between quotes";
            Err(ParseError::new(
                format!("`{text}` is too large for a number"),
                hint,
                at..at + length,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Token {
        let all = tokens(text).unwrap();
        assert_eq!(all.len(), 2, "{text}");
        all[0].0.clone()
    }

    #[test]
    fn texts_and_numbers_are_read_as_they_are_written() {
        assert_eq!(only(r"'a\n\'b\u00e9\d\\'"), Token::Text("a\n'b\u{e9}\\d\\".into()));
        assert_eq!(only("\"it's\""), Token::Text("it's".into()));
        assert_eq!(only("1_000"), Token::Whole(1000));
        assert_eq!(only("2.5e3"), Token::Fraction(2500.0));
        assert_eq!(only("18446744073709551615"), Token::Whole(u64::MAX));
        for (text, at) in
            [("'a", 0..2), ("1x", 0..2), ("99999999999999999999", 0..20), ("a ; b", 2..3)]
        {
            assert_eq!(tokens(text).unwrap_err().at, at, "{text}");
        }
        assert!(tokens(r"'\u12'").is_err());
        assert!(tokens(r"'\ué한글'").is_err());
    }
}
