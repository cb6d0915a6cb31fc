//! Owns finding a plain value in JSON without parsing what stands before it.
//!
//! This is the short way of [`follow`](super::follow::follow), several times faster: it goes over the
//! bytes, and parses the value alone. It answers only where that would find the same; whatever is
//! out of the ordinary gives none, and then the long way decides what it is.

use serde::Deserialize;

use super::Value;
use super::follow::Part;

/// No path is followed deeper: it would meet the limit of the parser.
const DEEPEST: usize = 100;

/// The value at the path when it is a number, a text, `true`, `false` or `null`. None says nothing.
pub(super) fn skim(parts: &[Part], body: &[u8]) -> Option<Value> {
    if parts.len() > DEEPEST {
        return None;
    }
    let mut rest = Rest(body);
    for part in parts {
        match part {
            Part::Key(wanted) => rest.enter_entry(wanted.as_bytes())?,
            Part::Index(wanted) => rest.enter_item(*wanted)?,
        }
    }
    match rest.first()? {
        // How deep it may nest depends on where it stands.
        b'{' | b'[' => None,
        b't' => rest.word(b"true").map(|()| Value::Bool(true)),
        b'f' => rest.word(b"false").map(|()| Value::Bool(false)),
        b'n' => rest.word(b"null").map(|()| Value::Null),
        b'1'..=b'9' if let Some(number) = small(rest.0) => Some(Value::Int(number)),
        _ => Value::deserialize(&mut serde_json::Deserializer::from_slice(rest.0)).ok(),
    }
}

/// What was not gone over yet. Where a step gives none, it is lost.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// To the value of the first entry with this name. When something else follows within that value,
    /// an entry with the same name may come after it: that is for the long way.
    fn enter_entry(&mut self, wanted: &[u8]) -> Option<()> {
        self.take(b'{')?;
        loop {
            let (key, is_escaped) = self.key()?;
            if key == wanted {
                return Some(());
            }
            // An escaped name may be the wanted one, and one that is no text is a mistake.
            if is_escaped || !(key.is_ascii() || std::str::from_utf8(key).is_ok()) {
                return None;
            }
            self.skip()?;
            self.take(b',')?;
        }
    }

    /// To an item of a list.
    fn enter_item(&mut self, wanted: usize) -> Option<()> {
        self.take(b'[')?;
        for _ in 0..wanted {
            self.skip()?;
            self.take(b',')?;
        }
        Some(())
    }

    /// Over a whole value.
    fn skip(&mut self) -> Option<()> {
        // A bit for each list and object around, the innermost last: it is an object.
        let (mut around, mut depth) = (0u64, 0);
        loop {
            match self.first()? {
                b'"' => {
                    self.text()?;
                }
                open @ (b'{' | b'[') => {
                    self.0 = &self.0[1..];
                    let is_object = open == b'{';
                    if self.first()? != if is_object { b'}' } else { b']' } {
                        depth += 1;
                        if depth > u64::BITS {
                            return None;
                        }
                        around = around << 1 | u64::from(is_object);
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                    self.0 = &self.0[1..];
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => return None,
            }
            // A value has ended, and all that ends with it.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let is_object = around & 1 == 1;
                let next = self.first()?;
                self.0 = &self.0[1..];
                match next {
                    b',' if is_object => {
                        self.key()?;
                        break;
                    }
                    b',' => break,
                    b'}' if is_object => {}
                    b']' if !is_object => {}
                    _ => return None,
                }
                around >>= 1;
                depth -= 1;
            }
        }
    }

    /// The next byte that is no blank; it stays.
    fn first(&mut self) -> Option<u8> {
        loop {
            match *self.0 {
                [b' ' | b'\n' | b'\t' | b'\r', ref rest @ ..] => self.0 = rest,
                [first, ..] => return Some(first),
                [] => return None,
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.first()? == wanted).then(|| self.0 = &self.0[1..])
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// A name and its colon; the name as it stands, and whether there are escapes in it.
    fn key(&mut self) -> Option<(&'a [u8], bool)> {
        self.first()?;
        let key = self.text()?;
        self.take(b':')?;
        Some(key)
    }

    /// A text, as it stands between its quotes, and whether there are escapes in it.
    fn text(&mut self) -> Option<(&'a [u8], bool)> {
        let text = self.0.strip_prefix(b"\"")?;
        let at = special(text)?;
        if text[at] != b'"' {
            return self.escaped(text, at);
        }
        self.0 = &text[at + 1..];
        Some((&text[..at], false))
    }

    /// The same, of which what stands before `at` is plain.
    #[cold]
    fn escaped(&mut self, text: &'a [u8], mut at: usize) -> Option<(&'a [u8], bool)> {
        loop {
            match text[at] {
                b'"' => break,
                b'\\' => match *text.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                    b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                    _ => return None,
                },
                _ => return None,
            }
            at += special(text.get(at..)?)?;
        }
        self.0 = &text[at + 1..];
        Some((&text[..at], true))
    }

    fn number(&mut self) -> Option<()> {
        let unsigned = self.0.strip_prefix(b"-").unwrap_or(self.0);
        let mut rest = after_digits(unsigned)?;
        if unsigned[0] == b'0' && unsigned.len() - rest.len() > 1 {
            return None;
        }
        if let [b'.', fraction @ ..] = rest {
            rest = after_digits(fraction)?;
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let unsigned = match exponent {
                [b'+' | b'-', unsigned @ ..] => unsigned,
                _ => exponent,
            };
            rest = after_digits(unsigned)?;
        }
        self.0 = rest;
        Some(())
    }
}

/// A whole number that surely fits; none for any other.
fn small(bytes: &[u8]) -> Option<i64> {
    let mut number = 0;
    for (count, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' if count < 18 => number = number * 10 + i64::from(byte - b'0'),
            b'0'..=b'9' | b'.' | b'e' | b'E' => return None,
            _ => return Some(number),
        }
    }
    Some(number)
}

/// What follows one digit or more.
fn after_digits(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &bytes[digits..])
}

/// Where the first byte is that ends a plain text: a quote, a backslash or a control character.
/// Eight bytes at once: a byte is below `n` when `byte - n` borrows from its highest bit, and the
/// lowest one that seems to be is.
fn special(bytes: &[u8]) -> Option<usize> {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let below = |word: u64, least: u8| word.wrapping_sub(each(least)) & !word;
        let found = below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1);
        let found = found & each(0x80);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let in_rest = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'))?;
    Some(chunks.len() * 8 + in_rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::follow::{follow, simple};
    use proptest::prelude::*;

    fn parts(path: &str) -> Vec<Part> {
        simple(path).unwrap()
    }

    #[test]
    fn plain_values_are_found_and_all_else_is_left_to_the_long_way() {
        let body = br#" {"a" : {"b":[ 1, {"c":"x\u00e9"},-3.5e2]} , "id":7,"n":null, "t":true,"a":5,"big":18446744073709551615}"#;
        for (path, json) in [
            ("$.id", "7"),
            ("$.a.b[1].c", "\"xé\""),
            ("$.a.b[2]", "-350.0"),
            ("$.n", "null"),
            ("$.t", "true"),
            ("$.big", "18446744073709551615"),
        ] {
            assert_eq!(skim(&parts(path), body), serde_json::from_str(json).ok(), "{path}");
        }
        for path in ["$.a", "$.a.b", "$.a.x", "$.a.b[3]", "$.nope", "$[0]", "$"] {
            assert_eq!(skim(&parts(path), body), None, "{path}");
        }
        let deep = [vec![b'['; 200], b"1".to_vec(), vec![b']'; 200]].concat();
        let deep = [b"{\"a\":".as_slice(), &deep, b",\"b\":2}"].concat();
        assert_eq!(skim(&parts("$.b"), &deep), None);
        assert_eq!(follow(&parts("$.b"), &deep), Ok(Some(Value::Int(2))));
    }

    /// Near JSON: mistakes of every kind, and things that are none.
    fn near_json() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            20 => prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\u0061\"", "\"é\"", "\"a b c d e f\"", " ", "\n",
                "0", "-0", "01", "1.", "-", "1.5", "1e3", "1E+", "-2e-1", "1e999", "123456789012345678901", "true", "tru", "false", "null",
                "\"\\ud800\"", "\"\\x\"", "\"\\u12g4\"", "\"1234567\\\\\"", "\"", "\u{b}", "\"\u{1}\"", "{\"a\":", "{\"b\":", ",\"a\":", "[1,",
            ]).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
            1 => any::<u8>().prop_map(|byte| vec![b'"', byte, b'"']),
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value as J;
        let leaf = prop_oneof![
            Just(J::Null),
            any::<bool>().prop_map(J::from),
            any::<i64>().prop_map(J::from),
            any::<f64>().prop_map(J::from),
            "[a-c\"\\\\é\n ]{0,20}".prop_map(J::from)
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(J::from),
                prop::collection::hash_map("[a-cé]", inner, 0..4)
                    .prop_map(|map| J::Object(map.into_iter().collect())),
            ]
        })
    }

    fn path() -> impl Strategy<Value = Vec<Part>> {
        "\\$((\\.[a-c])|(\\[[0-2]\\])){0,4}".prop_map(|path| parts(&path))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_it_finds_is_what_the_long_way_finds(path in path(), body in near_json()) {
            if let Some(value) = skim(&path, &body) {
                prop_assert_eq!(follow(&path, &body), Ok(Some(value)));
            }
        }

        #[test]
        fn of_json_it_finds_every_plain_value(path in path(), tree in json(), pretty: bool, at: prop::sample::Index, byte: u8) {
            let written = if pretty { serde_json::to_vec_pretty(&tree) } else { serde_json::to_vec(&tree) };
            let mut body = written.unwrap();
            let long = follow(&path, &body);
            let plain = |value: &Value| !matches!(value, Value::List(_) | Value::Map(_));
            prop_assert_eq!(skim(&path, &body), long.unwrap().filter(plain));
            let at = at.index(body.len());
            body[at] = byte;
            if let Some(value) = skim(&path, &body) {
                prop_assert_eq!(follow(&path, &body), Ok(Some(value)));
            }
        }
    }
}
