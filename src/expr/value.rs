//! Owns the values that a user's variables hold.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::EvalError;
use super::operators::too_large;

/// A value of JSON, cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number above what [`Value::Int`] holds: some servers' ids.
    Large(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// Names and values, in order.
    Map(Arc<Vec<(Arc<str>, Value)>>),
}

impl Value {
    /// The empty list, with which a variable that is pushed to begins.
    #[must_use]
    pub fn empty_list() -> Self {
        Self::List(Arc::new(Vec::new()))
    }

    /// As conditions see it: `false`, 0, the empty text, list and map, and `null` do not hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Large(_) => true,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(entries) => !entries.is_empty(),
        }
    }

    /// What kind of value it is, in the words of a person.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Large(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// Writes it into text: text as it is, everything else as JSON has it.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            other => other.write_json(out),
        }
    }

    /// Writes it as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => write_int(*value, out),
            other => serde_json::to_writer(out, other).expect("a value is JSON, a Vec takes all"),
        }
    }
}

/// The longest text that an expression makes, in bytes: a slip in a plan must not eat the memory.
pub(super) const TEXT_MOST: usize = 1 << 20;
/// The longest list that an expression makes.
pub(super) const LIST_MOST: usize = 1 << 20;

/// How deep lists and objects may hold one another: the limit of the JSON parser, too.
const DEEPEST: usize = 128;
/// How many values a value may hold in all; the same one may be held many times.
const MOST: usize = 1 << 24;

impl Value {
    /// Fails when it nests so deep, as a list that is put into itself again and again does, that
    /// printing or dropping it would overflow the stack.
    pub(super) fn bounded(&self) -> Result<(), EvalError> {
        fn walk(value: &Value, depth: usize, left: &mut usize) -> Result<(), EvalError> {
            let inner: &mut dyn Iterator<Item = &Value> = match value {
                Value::List(items) => &mut items.iter(),
                Value::Map(entries) => &mut entries.iter().map(|(_, value)| value),
                _ => return Ok(()),
            };
            if depth == 0 {
                let sentence = format!("lists and objects nest more than {DEEPEST} deep in it");
                return Err(EvalError(sentence));
            }
            for value in inner {
                *left = left
                    .checked_sub(1)
                    .ok_or_else(|| EvalError(format!("it holds more than {MOST} values")))?;
                walk(value, depth - 1, left)?;
            }
            Ok(())
        }
        let mut left = MOST;
        walk(self, DEEPEST, &mut left)
    }

    /// As [`Value::write_text`], up to [`TEXT_MOST`] bytes.
    pub(super) fn put_text(&self, out: &mut Vec<u8>) -> Result<(), EvalError> {
        match self {
            Self::Text(text) if text.len() <= TEXT_MOST => {
                out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            Self::Text(_) => Err(too_large("a text", TEXT_MOST)),
            other => other.put_json(out),
        }
    }

    /// As [`Value::write_json`], up to [`TEXT_MOST`] bytes: lists that hold one another many times
    /// are small until they are printed.
    pub(super) fn put_json(&self, out: &mut Vec<u8>) -> Result<(), EvalError> {
        match self {
            Self::Int(value) => write_int(*value, out),
            other => serde_json::to_writer(Capped { out, left: TEXT_MOST }, other)
                .map_err(|_| too_large("a text", TEXT_MOST))?,
        }
        Ok(())
    }
}

/// Refuses to write more than is left.
struct Capped<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
}

impl Write for Capped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Numbers are by far the most common, and this is several times faster than `write!`.
fn write_int(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Large(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items.iter()),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries.iter() {
                    map.serialize_entry(&**key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
                inner.deserialize_any(self)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Int(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(i64::try_from(value).map_or(Value::Large(value), Value::Int))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::List(Arc::new(list)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut map = Vec::new();
                while let Some((key, value)) = entries.next_entry::<String, Value>()? {
                    map.push((key.into(), value));
                }
                Ok(Value::Map(Arc::new(map)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: &Value) -> String {
        let mut out = Vec::new();
        value.write_text(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_print_as_json_does() {
        for json in
            ["null", "true", "-7", "0", "18446744073709551615", "1.5", r#"{"a":[1,"x"],"b":null}"#]
        {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(text(&value), json);
        }
        assert_eq!(text(&Value::Text("a \"b\"".into())), "a \"b\"");
    }

    #[test]
    fn empty_things_do_not_hold() {
        for (json, holds) in [
            ("null", false),
            ("0", false),
            ("\"\"", false),
            ("[]", false),
            ("{}", false),
            ("[0]", true),
            ("-1", true),
        ] {
            assert_eq!(serde_json::from_str::<Value>(json).unwrap().holds(), holds, "{json}");
        }
    }

    #[test]
    fn a_list_that_is_put_into_itself_again_and_again_is_refused() {
        let (mut chain, mut tree) = (Value::Int(1), Value::Int(1));
        for _ in 0..DEEPEST {
            assert_eq!(chain.bounded(), Ok(()));
            chain = Value::List(Arc::new(vec![chain]));
        }
        assert_eq!(chain.bounded(), Ok(()));
        chain = Value::Map(Arc::new(vec![("a".into(), chain)]));
        assert!(chain.bounded().unwrap_err().0.contains("nest more than 128 deep"));
        for _ in 0..60 {
            tree = Value::List(Arc::new(vec![tree.clone(), tree]));
        }
        assert!(tree.bounded().unwrap_err().0.contains("holds more than"));
    }

    proptest! {
        #[test]
        fn whole_numbers_are_written_as_the_library_writes_them(value: i64) {
            prop_assert_eq!(text(&Value::Int(value)), value.to_string());
        }
    }
}
