//! Owns the functions that an expression can call, in one table.

use std::sync::Arc;

use super::{EvalError, Value};
use crate::random::Stream;

/// A function of the plan language.
pub struct Function {
    /// As it is written.
    pub name: &'static str,
    /// Its arguments, as documentation shows them.
    pub arguments: &'static str,
    /// How many arguments it takes: at least, at most.
    pub arity: (usize, usize),
    /// What it gives.
    pub description: &'static str,
    pub(super) call: fn(&[Value], &mut Stream) -> Result<Value, EvalError>,
}

/// Every function there is.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "randint",
        arguments: "low, high",
        arity: (2, 2),
        description: "a whole number from low to high, both included",
        call: randint,
    },
    Function {
        name: "choice",
        arguments: "list",
        arity: (1, 1),
        description: "one item of a list, at random",
        call: choice,
    },
    Function {
        name: "letters",
        arguments: "count",
        arity: (1, 1),
        description: "so many small letters, at random",
        call: letters,
    },
];

/// Functions of the language that are not there yet.
pub(super) const LATER: &[&str] = &[
    "randfloat",
    "sample",
    "uuid",
    "now",
    "timestamp",
    "timestamp_ms",
    "hex",
    "counter",
    "base64",
    "sha256",
    "hmac_sha256",
    "urlencode",
    "json",
    "fake",
];

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn wrong(function: &str, wants: &str, got: &Value) -> EvalError {
    EvalError(format!("{function} wants {wants}, not {}", got.kind()))
}

fn randint(arguments: &[Value], random: &mut Stream) -> Result<Value, EvalError> {
    match arguments {
        [Value::Int(low), Value::Int(high)] if low <= high => {
            Ok(Value::Int(random.between(*low, *high)))
        }
        [Value::Int(_), Value::Int(_)] => {
            Err(EvalError("randint wants its lower end first".into()))
        }
        [Value::Int(_), other] | [other, _] => Err(wrong("randint", "two whole numbers", other)),
        _ => Err(EvalError("randint wants two whole numbers".into())),
    }
}

fn choice(arguments: &[Value], random: &mut Stream) -> Result<Value, EvalError> {
    match arguments {
        [Value::List(items)] if items.is_empty() => {
            Err(EvalError("choice from an empty list: guard it with `when:`".into()))
        }
        [Value::List(items)] => Ok(items[random.below(items.len())].clone()),
        [other, ..] => Err(wrong("choice", "a list", other)),
        [] => Err(EvalError("choice wants a list".into())),
    }
}

/// The longest text that [`letters`] makes, so that a slip in a plan cannot eat the memory.
const LETTERS: i64 = 1 << 20;

fn letters(arguments: &[Value], random: &mut Stream) -> Result<Value, EvalError> {
    match arguments {
        [Value::Int(count)] if (0..=LETTERS).contains(count) => {
            let mut text = String::with_capacity(*count as usize);
            while text.len() < *count as usize {
                // Thirteen letters from one number: 26^13 is below 2^62.
                let mut bits = random.between(0, 26i64.pow(13) - 1);
                for _ in 0..13.min(*count as usize - text.len()) {
                    text.push(char::from(b'a' + (bits % 26) as u8));
                    bits /= 26;
                }
            }
            Ok(Value::Text(Arc::from(text)))
        }
        [Value::Int(_)] => Err(EvalError("letters wants a count from 0 to 1048576".into())),
        [other, ..] => Err(wrong("letters", "a whole number", other)),
        [] => Err(EvalError("letters wants a count".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_many_as_asked_and_all_kinds() {
        let mut random = Stream::new(1, 0, 0);
        for count in [0, 1, 12, 13, 14, 2000] {
            let Ok(Value::Text(text)) = letters(&[Value::Int(count)], &mut random) else {
                panic!()
            };
            assert_eq!(text.len() as i64, count);
        }
        let Ok(Value::Text(text)) = letters(&[Value::Int(2000)], &mut random) else { panic!() };
        assert!(('a'..='z').all(|letter| text.contains(letter)));
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let mut random = Stream::new(1, 0, 0);
        let said = |result: Result<Value, EvalError>| result.unwrap_err().to_string();
        assert_eq!(
            said(randint(&[Value::Int(1), Value::Text("9".into())], &mut random)),
            "randint wants two whole numbers, not text"
        );
        assert_eq!(
            said(choice(&[Value::empty_list()], &mut random)),
            "choice from an empty list: guard it with `when:`"
        );
        assert_eq!(
            said(choice(&[Value::Int(1)], &mut random)),
            "choice wants a list, not a number"
        );
    }
}
