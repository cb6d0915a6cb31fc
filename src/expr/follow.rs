//! Owns following a simple path into JSON while it is parsed, and stopping at the field.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{NotJson, Value};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Key(String),
    Index(usize),
}

/// `$.a.b[3].c`, or `None` for anything more.
pub(super) fn simple(text: &str) -> Option<Vec<Part>> {
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

/// The value at the path.
pub(super) fn follow(parts: &[Part], body: &[u8]) -> Result<Option<Value>, NotJson> {
    let mut found = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    match (Follow { parts, found: &mut found }).deserialize(&mut json) {
        // The rest was left unread, which may be an error to the parser.
        _ if found.is_some() => Ok(found),
        Ok(()) => Ok(None),
        Err(_) => Err(NotJson),
    }
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
