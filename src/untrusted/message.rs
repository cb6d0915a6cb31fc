//! Owns requests and answers as they may be shown: what of them is no secret, and what is text at all.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};

use super::names::{NAME, is_harmless, is_harmless_in_query, is_telling};
use super::{HIDDEN, shown_header, shown_query, telling};

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

/// The body is a form: by its head, or since it is written like one, whatever the head says or leaves out.
#[must_use]
pub fn is_form(head: &str, body: &str) -> bool {
    static PAIRS: LazyLock<Regex> =
        LazyLock::new(|| fixed(r"^[\w.\[\]%+-]+=[^&\r\n]*(?:&[\w.\[\]%+-]+=[^&\r\n]*)*&?\s*$"));
    header(head, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        || PAIRS.is_match(body)
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
    values(head, body, PROOF)
}

/// The same, those of at least so many bytes.
pub(super) fn values(head: &str, body: &str, least: usize) -> Vec<String> {
    let mut found = Vec::new();
    let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    for (name, value) in fields.split("\r\n").filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.trim(), value.trim());
        match &*name.to_ascii_lowercase() {
            // A short one is as likely a word: `mode=users`.
            "cookie" => found
                .extend(value.split(';').filter_map(value_of).filter(|value| value.len() >= PROOF)),
            "set-cookie" => found.extend(value.split(';').next().and_then(value_of)),
            "authorization" | "proxy-authorization" => {
                found.extend(value.split_once(' ').map(|(_, value)| value).or(Some(value)));
            }
            name if is_telling(name) => {
                found.push(value);
                found.extend(value.split_once(' ').map(|(_, value)| value));
            }
            _ => {}
        }
    }
    for text in [first, body] {
        found.extend(values_in(telling(false), text, is_harmless_in_query));
    }
    if is_form(head, body) {
        found.extend(values_in(telling(true), body, is_harmless_in_query));
    }
    found.extend(WITHIN.iter().flat_map(|pattern| values_in(pattern, body, is_harmless)));
    let mut all = Vec::new();
    for value in found.into_iter().filter(|value| value.len() >= least) {
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

fn values_in<'t>(
    pattern: &Regex,
    text: &'t str,
    is_harmless: fn(&str) -> bool,
) -> impl Iterator<Item = &'t str> {
    pattern.captures_iter(text).filter_map(move |found| {
        let before = found.get(1)?;
        let value = &text[before.end()..found.get(0)?.end()];
        (!is_harmless(before.as_str())).then_some(value)
    })
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

/// Text with the values in it hidden that by their names nobody else is to see, in queries, JSON, XML
/// and forms.
#[must_use]
pub fn shown_text(text: &str, form: bool) -> Cow<'_, str> {
    let mut shown = shown_query(text, form);
    for pattern in WITHIN.iter() {
        let hide = |found: &Captures<'_>| match is_harmless(&found[1]) {
            true => found[0].to_owned(),
            false => format!("{}{HIDDEN}", &found[1]),
        };
        if let Cow::Owned(hidden) = pattern.replace_all(&shown, hide) {
            shown = hidden.into();
        }
    }
    shown
}

/// Each with what stands before the value as its first group.
static WITHIN: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    let name = &*NAME;
    [
        // JSON, also within a text of JSON, where quotes are escaped.
        fixed(&format!(r#"(?i)(\\?"{name}\\?"\s*:\s*\\?")(?:[^"\\]|\\[^"]|\\"[^,}}\]\s:])+"#)),
        // Numbers, which need no quotes.
        fixed(&format!(r#"(?i)(\\?"{name}\\?"\s*:\s*)-?\d[\d.eE+-]*"#)),
        // A field that a page has hidden.
        fixed(&format!(r#"(?i)(<input\b[^<>]*\bname="{name}"[^<>]*\bvalue=")[^"]+"#)),
        // XML: the text of an element.
        fixed(&format!(r"(?i)(<(?:[\w.-]+:)?{name}(?:\s[^<>]*)?>)[^<]+")),
        // A part of `multipart/form-data`.
        fixed(&format!(r#"(?i)(name="{name}"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)[^\r\n]+"#)),
    ]
});

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
            (
                r#"{"key": "color", "sort_key":"name", "password1": "a"}"#,
                r#"{"key": "color", "sort_key":"name", "password1": "***"}"#,
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
        assert_eq!(shown_text("password=a b#<c&user=ann", true), "password=***&user=ann");
    }

    #[test]
    fn a_body_is_a_form_also_where_its_head_does_not_say_so() {
        for body in ["password=abc", "user=a&password=b c&", "user[password]=a%20b&x=\n", "a="] {
            assert!(
                is_form("Host: a", body) && is_form("Content-Type: text/plain", body),
                "{body}"
            );
        }
        for body in
            ["", "password", "{\"a\": \"b=c\"}", "a b=c", "see /a?token=abc", "a=1\nb=2", "a=1&b"]
        {
            assert!(!is_form("Host: a", body), "{body}");
        }
        assert!(is_form("Content-Type: application/x-www-form-urlencoded; charset=utf-8", "a"));
        assert_eq!(
            values_to_hide("POST / HTTP/1.1", "password=one+of+mine&x=1"),
            ["one of mine", "one+of+mine"]
        );
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
            [
                "Kind token-one",
                "key one/2",
                "key+one%2F2",
                "pass word1",
                "pass+word1",
                "session-1",
                "token-one"
            ]
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
