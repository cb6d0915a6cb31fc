//! Owns what operators do with values: arithmetic, order, equality, membership.

use std::cmp::Ordering;
use std::sync::Arc;

use super::value::{LIST_MOST, TEXT_MOST};
use super::{EvalError, Value};

/// An operator between two values that gives whether it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
        }
    }

    /// It asks which of two comes first.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual | Self::In | Self::NotIn)
    }

    pub(super) fn compare(self, left: &Value, right: &Value) -> Result<bool, EvalError> {
        let order = || order(left, right).ok_or_else(|| self.no_order(left, right));
        Ok(match self {
            Self::Equal => equal(left, right),
            Self::NotEqual => !equal(left, right),
            // What is no number is in no order with any, and equal to none.
            Self::Less => order()? == Some(Ordering::Less),
            Self::LessOrEqual => order()?.is_some_and(Ordering::is_le),
            Self::Greater => order()? == Some(Ordering::Greater),
            Self::GreaterOrEqual => order()?.is_some_and(Ordering::is_ge),
            Self::In => contains(right, left)?,
            Self::NotIn => !contains(right, left)?,
        })
    }

    /// A value without a value is equal to nothing, and in nothing.
    pub(super) fn compare_unset(self, both: bool) -> bool {
        match self {
            Self::NotEqual => !both,
            Self::NotIn => true,
            _ => false,
        }
    }

    fn no_order(self, left: &Value, right: &Value) -> EvalError {
        let (sign, left_kind, right_kind) = (self.sign(), left.kind(), right.kind());
        let text = matches!(left, Value::Text(_)) || matches!(right, Value::Text(_));
        if text && (is_number(left) || is_number(right)) {
            let sentence = format!("`{sign}` stands between {left_kind} and {right_kind}");
            return EvalError(format!("{sentence}: write `| int` behind the text"));
        }
        EvalError(format!("`{sign}` cannot put {left_kind} and {right_kind} in order"))
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Large(_) | Value::Float(_))
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Large(value) => Some(i128::from(*value)),
        _ => None,
    }
}

fn fraction(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Large(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Numbers are equal by value, whatever their kind; lists and objects by what is in them.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(&**right).all(|(l, r)| equal(l, r))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, also)| other == key && equal(value, also))
                })
        }
        (left, right) => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => left == right,
            _ => match (fraction(left), fraction(right)) {
                (Some(left), Some(right)) => left == right,
                _ => left == right,
            },
        },
    }
}

/// The order of two values of one kind; none when they are of two, or of one without an order.
/// The inner option is none for what is no number.
fn order(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Some(Ordering::Equal)),
        (Value::Bool(left), Value::Bool(right)) => Some(Some(left.cmp(right))),
        (Value::Text(left), Value::Text(right)) => Some(Some(left.cmp(right))),
        (Value::List(left), Value::List(right)) => {
            for (left, right) in left.iter().zip(&**right) {
                match order(left, right)? {
                    Some(Ordering::Equal) => {}
                    other => return Some(other),
                }
            }
            Some(Some(left.len().cmp(&right.len())))
        }
        (left, right) => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => Some(Some(left.cmp(&right))),
            _ => Some(fraction(left)?.partial_cmp(&fraction(right)?)),
        },
    }
}

fn contains(container: &Value, value: &Value) -> Result<bool, EvalError> {
    match (container, value) {
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(&**part)),
        (Value::Text(text), other) => {
            let mut part = Vec::new();
            other.put_text(&mut part)?;
            Ok(text.contains(&*String::from_utf8_lossy(&part)))
        }
        (Value::List(items), value) => Ok(items.iter().any(|item| equal(item, value))),
        (Value::Map(entries), Value::Text(key)) => {
            Ok(entries.iter().any(|(known, _)| known == key))
        }
        (Value::Map(_), _) => Ok(false),
        (other, _) => {
            Err(EvalError(format!("`in` wants a list, an object or text, not {}", other.kind())))
        }
    }
}

/// An operator between two values that gives a third.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Arithmetic {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }

    pub(super) fn apply(self, left: &Value, right: &Value) -> Result<Value, EvalError> {
        if let (Some(left), Some(right)) = (whole(left), whole(right)) {
            return self.of_whole(left, right);
        }
        if let (Some(left), Some(right)) = (fraction(left), fraction(right)) {
            return self.of_fractions(left, right);
        }
        match (self, left, right) {
            (Self::Add, Value::Text(left), Value::Text(right)) => {
                fits(left.len() + right.len(), TEXT_MOST, "a text")?;
                Ok(Value::Text([&**left, &**right].concat().into()))
            }
            (Self::Add, Value::List(left), Value::List(right)) => {
                fits(left.len() + right.len(), LIST_MOST, "a list")?;
                Ok(Value::List(Arc::new(left.iter().chain(&**right).cloned().collect())))
            }
            (Self::Multiply, Value::Text(text), count)
            | (Self::Multiply, count, Value::Text(text))
                if whole(count).is_some() =>
            {
                let count = repeated(count);
                fits(text.len().saturating_mul(count), TEXT_MOST, "a text")?;
                Ok(Value::Text(text.repeat(count).into()))
            }
            (Self::Multiply, Value::List(list), count)
            | (Self::Multiply, count, Value::List(list))
                if whole(count).is_some() =>
            {
                let count = repeated(count);
                fits(list.len().saturating_mul(count), LIST_MOST, "a list")?;
                // Nothing repeated any number of times must not count to that number.
                let count = if list.is_empty() { 0 } else { count };
                let copies = std::iter::repeat_n(&**list, count);
                Ok(Value::List(Arc::new(copies.flatten().cloned().collect())))
            }
            (_, left, right) => {
                let (sign, left_kind, right_kind) = (self.sign(), left.kind(), right.kind());
                let hint = match self {
                    Self::Add
                        if matches!(left, Value::Text(_)) != matches!(right, Value::Text(_)) =>
                    {
                        ": join with `~`, or write `| int` behind the text"
                    }
                    _ => "",
                };
                let sentence = format!("`{sign}` does not work on {left_kind} and {right_kind}");
                Err(EvalError(sentence + hint))
            }
        }
    }

    fn of_whole(self, left: i128, right: i128) -> Result<Value, EvalError> {
        let result = match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => return self.of_fractions(left as f64, right as f64),
            Self::FloorDivide | Self::Remainder if right == 0 => return Err(self.by_zero()),
            Self::FloorDivide => Some(floor(left, right)),
            Self::Remainder => Some(left - floor(left, right) * right),
            Self::Power if right < 0 => return self.of_fractions(left as f64, right as f64),
            Self::Power => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
        };
        let result = result.and_then(|result| {
            let small = i64::try_from(result).map(Value::Int);
            small.or_else(|_| u64::try_from(result).map(Value::Large)).ok()
        });
        result.ok_or_else(|| {
            EvalError(format!("`{}` gives a whole number that is too large", self.sign()))
        })
    }

    fn of_fractions(self, left: f64, right: f64) -> Result<Value, EvalError> {
        let zero = match self {
            Self::Divide | Self::FloorDivide | Self::Remainder => right == 0.0,
            Self::Power => left == 0.0 && right < 0.0,
            _ => false,
        };
        if zero {
            return Err(self.by_zero());
        }
        let result = match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::FloorDivide => (left / right).floor(),
            Self::Remainder => left - (left / right).floor() * right,
            Self::Power => left.powf(right),
        };
        // JSON has no word for it.
        if result.is_finite() {
            Ok(Value::Float(result))
        } else {
            Err(EvalError(format!("`{}` gives no number", self.sign())))
        }
    }

    fn by_zero(self) -> EvalError {
        EvalError(format!("`{}` by zero", self.sign()))
    }
}

fn repeated(count: &Value) -> usize {
    usize::try_from(whole(count).unwrap_or(0).max(0)).unwrap_or(usize::MAX)
}

fn floor(left: i128, right: i128) -> i128 {
    let quotient = left / right;
    let inexact = left % right != 0 && (left < 0) != (right < 0);
    quotient - i128::from(inexact)
}

fn fits(length: usize, most: usize, what: &str) -> Result<(), EvalError> {
    if length <= most { Ok(()) } else { Err(too_large(what, most)) }
}

pub(super) fn too_large(what: &str, most: usize) -> EvalError {
    let unit = if what == "a list" { "items" } else { "bytes" };
    EvalError(format!("it makes {what} of more than {most} {unit}"))
}

/// The negative of a number.
pub(super) fn negate(value: &Value) -> Result<Value, EvalError> {
    match value {
        Value::Float(value) => Ok(Value::Float(-value)),
        Value::Int(_) | Value::Large(_) => Arithmetic::Subtract.apply(&Value::Int(0), value),
        other => Err(EvalError(format!("`-` wants a number, not {}", other.kind()))),
    }
}
