//! Owns requests and answers as they may be shown: what of them is no secret, and what is text at all.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};

use super::{HIDDEN, shown_header, shown_query};

/// A shorter proof is as likely a plain word, which would be hidden wherever it stands.
pub const PROOF: usize = 8;

/// Head and body of a request.
#[must_use]
pub fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => (bytes, b""),
    }
}

/// The value of a header in a head.
#[must_use]
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Text that a person can read; none when it is something else. One that was `cut` may end within a
/// character.
#[must_use]
pub fn as_text(bytes: &[u8], cut: bool) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    // What has zero bytes or many control characters is read by programs.
    let odd = text.chars().filter(|c| c.is_control() && !c.is_ascii_whitespace()).count();
    (!text.contains('\0') && odd * 10 <= text.len() + 10).then_some(text)
}

/// By its head the body is a form.
#[must_use]
pub fn is_form(head: &str) -> bool {
    header(head, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// What the head of a request proves who one is with: tokens, passwords, keys.
#[must_use]
pub fn proofs_of(head: &str) -> Vec<String> {
    let authorization = header(head, "authorization").and_then(|value| value.split_once(' '));
    let proof = match authorization {
        Some((kind, proof)) if kind.eq_ignore_ascii_case("basic") => {
            let both = STANDARD.decode(proof).unwrap_or_default();
            let both = String::from_utf8_lossy(&both).into_owned();
            both.split_once(':').map(|(_, password)| password.to_owned())
        }
        Some((_, proof)) => Some(proof.to_owned()),
        None => None,
    };
    let key = header(head, "x-api-key").map(str::to_owned);
    proof.into_iter().chain(key).filter(|proof| proof.len() >= PROOF).collect()
}

/// More of the kind, which a server may say again in its answer: the values of cookies and of all that
/// [`shown_line`] and [`shown_text`] hide, as they are and decoded.
#[must_use]
pub fn values_to_hide(head: &str, body: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    for (name, value) in fields.split("\r\n").filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.trim(), value.trim());
        match &*name.to_ascii_lowercase() {
            "cookie" => found.extend(value.split(';').filter_map(value_of)),
            "set-cookie" => found.extend(value.split(';').next().and_then(value_of)),
            name if is_telling(name) => {
                found.extend(value.split_once(' ').map(|(_, value)| value).or(Some(value)));
            }
            _ => {}
        }
    }
    let form = is_form(head);
    for (pattern, text) in [(queries(false), first), (queries(false), body)] {
        found.extend(values_in(pattern, text));
    }
    if form {
        found.extend(values_in(queries(true), body));
    }
    found.extend(WITHIN.iter().flat_map(|pattern| values_in(pattern, body)));
    let mut all = Vec::new();
    for value in found.into_iter().filter(|value| value.len() >= PROOF) {
        let pair = format!("v={value}");
        all.extend(form_urlencoded::parse(pair.as_bytes()).map(|(_, plain)| plain.into_owned()));
        all.push(value.to_owned());
        if let Ok(text) = serde_json::from_str::<String>(&format!("\"{value}\"")) {
            all.push(text);
        }
    }
    all.sort();
    all.dedup();
    all
}

fn value_of(pair: &str) -> Option<&str> {
    pair.split_once('=').map(|(_, value)| value.trim().trim_matches('"'))
}

fn values_in<'t>(pattern: &Regex, text: &'t str) -> impl Iterator<Item = &'t str> {
    pattern
        .captures_iter(text)
        .filter_map(|found| Some(&text[found.get(1)?.end()..found.get(0)?.end()]))
}

/// A header line as it may be shown: of what proves who somebody is only the kind of proof.
#[must_use]
pub fn shown_line(line: &str) -> Cow<'_, str> {
    let Some((name, value)) = line.split_once(": ") else { return line.into() };
    match shown_header(name, value) {
        Cow::Borrowed(_) if is_telling(name) && !value.is_empty() => {
            format!("{name}: {HIDDEN}").into()
        }
        Cow::Borrowed(_) => line.into(),
        Cow::Owned(value) => format!("{name}: {value}").into(),
    }
}

/// By its name the value of a header proves who somebody is, as `X-Auth-Token` does.
fn is_telling(name: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        fixed(r"(?i)(?:authorization|token|secret|password|passwd|signature|session|api-?key|jwt)$")
    });
    NAME.is_match(name)
}

/// Text with the values in it hidden that by their names nobody else is to see, in queries, JSON, XML
/// and forms.
#[must_use]
pub fn shown_text(text: &str, form: bool) -> Cow<'_, str> {
    let mut shown = shown_query(text, form);
    for pattern in WITHIN.iter() {
        let hide = |found: &Captures<'_>| format!("{}{HIDDEN}", &found[1]);
        if let Cow::Owned(hidden) = pattern.replace_all(&shown, hide) {
            shown = hidden.into();
        }
    }
    shown
}

/// What ends the name of a value that nobody else is to see.
const TELLING_KEY: &str = r"token|secret|password|passwd|passphrase|passcode|signature|authorization|cookie|session[_-]?id|api[_-]?key|access[_-]?key|private[_-]?key|jwt|otp|pin|cvv|cvc";

/// Each with what stands before the value as its first group.
static WITHIN: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        // JSON, also within a text of JSON, where quotes are escaped.
        fixed(&format!(
            r#"(?i)(\\?"[\w.-]*(?:{TELLING_KEY})\\?"\s*:\s*\\?")(?:[^"\\]|\\[^"]|\\"[^,}}\]\s:])+"#
        )),
        // Numbers, which need no quotes.
        fixed(&format!(r#"(?i)(\\?"[\w.-]*(?:{TELLING_KEY})\\?"\s*:\s*)-?\d[\d.eE+-]*"#)),
        // A field that a page has hidden.
        fixed(&format!(
            r#"(?i)(<input\b[^<>]*\bname="[\w.-]*(?:{TELLING_KEY})"[^<>]*\bvalue=")[^"]+"#
        )),
        // XML: the text of an element.
        fixed(&format!(r"(?i)(<[\w:.-]*(?:{TELLING_KEY})(?:\s[^<>]*)?>)[^<]+")),
        // A part of `multipart/form-data`.
        fixed(&format!(
            r#"(?i)(name="[\w.-]*(?:{TELLING_KEY})"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)[^\r\n]+"#
        )),
    ]
});

/// Values of telling parts of a query, or of a form.
fn queries(form: bool) -> &'static Regex {
    static QUERY: LazyLock<Regex> = LazyLock::new(|| super::telling("[?&]"));
    static FORM: LazyLock<Regex> = LazyLock::new(|| super::telling("^|[?&]"));
    if form { &FORM } else { &QUERY }
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is fixed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_that_by_their_names_nobody_is_to_see() {
        for (text, shown) in [
            (
                r#"{"access_token": "a.b", "tokens": 3, "n": "x"}"#,
                r#"{"access_token": "***", "tokens": 3, "n": "x"}"#,
            ),
            (
                r#"{"pin":1234,"api-key" : "k\"y","apiKey":"z"}"#,
                r#"{"pin":***,"api-key" : "***","apiKey":"***"}"#,
            ),
            // JSON within a text of JSON.
            (
                r#"{"said": "{\"password\":\"abc\",\"user\":\"ann\"}"}"#,
                r#"{"said": "{\"password\":\"***\",\"user\":\"ann\"}"}"#,
            ),
            // It was cut short.
            (r#"{"refreshToken":"abc"#, r#"{"refreshToken":"***"#),
            (
                "<login><Password kind=\"a\">abc</Password><user>ann</user></login>",
                "<login><Password kind=\"a\">***</Password><user>ann</user></login>",
            ),
            (
                r#"<input type="hidden" name="csrf_token" value="abc">"#,
                r#"<input type="hidden" name="csrf_token" value="***">"#,
            ),
            (
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nabc\r\n--b--",
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n--b--",
            ),
            ("see /a?token=abc&page=2", "see /a?token=***&page=2"),
            ("password=abc&user=ann", "password=abc&user=ann"),
            ("nothing of a token in it", "nothing of a token in it"),
        ] {
            assert_eq!(shown_text(text, false), shown);
        }
        assert_eq!(shown_text("password=abc&user=ann", true), "password=***&user=ann");
    }

    #[test]
    fn headers_that_prove_something_are_hidden_by_whatever_name() {
        for (line, shown) in [
            ("Authorization: Bearer abc", "Authorization: Bearer ***"),
            ("X-Auth-Token: abc", "X-Auth-Token: ***"),
            ("x-csrftoken: abc", "x-csrftoken: ***"),
            ("X-Hub-Signature: abc", "X-Hub-Signature: ***"),
            ("Set-Cookie: a=b; Path=/", "Set-Cookie: a=***; Path=/"),
            ("X-Tokens-Left: 3", "X-Tokens-Left: 3"),
            ("X-Auth-Token: ", "X-Auth-Token: "),
            ("no header", "no header"),
        ] {
            assert_eq!(shown_line(line), shown);
        }
    }

    #[test]
    fn what_is_hidden_can_be_told_to_be_hidden_elsewhere_too() {
        let head = "POST /a?api_key=key+one%2F2&page=22222222 HTTP/1.1\r\nHost: a\r\nCookie: sid=session-1; b=short\r\n\
                    X-Auth-Token: Kind token-one\r\nContent-Type: application/x-www-form-urlencoded";
        let found = values_to_hide(head, "password=pass+word1&user=somebody");
        assert_eq!(
            found,
            ["key one/2", "key+one%2F2", "pass word1", "pass+word1", "session-1", "token-one"]
        );
        let found =
            values_to_hide("\r\nSet-Cookie: sid=session-2; Path=/", r#"{"token":"a\u0062cdefgh"}"#);
        assert_eq!(found, [r"a\u0062cdefgh", "abcdefgh", "session-2"]);
    }

    #[test]
    fn text_that_was_cut_may_end_within_a_character() {
        let bytes = "aé".as_bytes();
        assert_eq!((as_text(bytes, false), as_text(&bytes[..2], true)), (Some("aé"), Some("a")));
        assert_eq!((as_text(&bytes[..2], false), as_text(b"a\xff\xffb", true)), (None, None));
        assert_eq!((as_text(b"a\0", false), as_text(b"", true)), (None, Some("")));
    }
}
