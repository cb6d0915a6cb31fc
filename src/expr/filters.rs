//! Owns filters and tests: MiniJinja's, with our values, our way to print and bounds on what they
//! make.

use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, ValueKind};
use minijinja::{Environment, ErrorKind};

use super::operators::{Comparison, too_large};
use super::value::{LIST_MOST, TEXT_MOST};
use super::{EvalError, Value};

/// Steps that one filter or test may take: what a slip makes endless ends in milliseconds.
const FUEL: u64 = 50_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    // Inside `select`, `reject` and their kin, order is ours, too: it never puts text before 5.
    for (names, comparison) in [
        (["eq", "equalto", "=="], Comparison::Equal),
        (["ne", "!=", "!="], Comparison::NotEqual),
        (["lt", "lessthan", "<"], Comparison::Less),
        (["le", "<=", "<="], Comparison::LessOrEqual),
        (["gt", "greaterthan", ">"], Comparison::Greater),
        (["ge", ">=", ">="], Comparison::GreaterOrEqual),
        (["in", "in", "in"], Comparison::In),
    ] {
        for name in names {
            environment.add_test(name, move |left: minijinja::Value, right: minijinja::Value| {
                let (left, right) = (from_minijinja(&left), from_minijinja(&right));
                let (Ok(left), Ok(right)) = (left, right) else { return Ok(false) };
                comparison
                    .compare(&left, &right)
                    .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, error.0))
            });
        }
    }
    environment.add_filter("string", |value: minijinja::Value| text_of(&value));
    environment
});

/// The filters that are proposed; MiniJinja has a few more for HTML.
pub const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "bool",
    "capitalize",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];
/// The tests that are proposed.
pub const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// A filter or a test that is called: its name, and the names of its last arguments.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) name: String,
    pub(super) keywords: Vec<String>,
}

impl Filter {
    /// It stands in for a value that is missing.
    pub(super) fn is_default(&self) -> bool {
        matches!(&*self.name, "default" | "d")
    }

    /// It asks whether there is a value.
    pub(super) fn is_defined(&self) -> bool {
        matches!(&*self.name, "defined" | "undefined")
    }

    /// What the filter makes of a value.
    pub(super) fn apply(
        &self,
        input: Option<Value>,
        arguments: &[Value],
    ) -> Result<Option<Value>, EvalError> {
        if self.is_default() {
            let (other, also_empty) = match arguments {
                [] => (Value::Text("".into()), false),
                [other] => (other.clone(), false),
                [other, also_empty, ..] => (other.clone(), also_empty.holds()),
            };
            return Ok(Some(input.filter(|value| !also_empty || value.holds()).unwrap_or(other)));
        }
        let Some(input) = input else { return Ok(None) };
        match (&*self.name, &input, arguments) {
            ("int", Value::Int(_) | Value::Large(_), []) => return Ok(Some(input)),
            ("int", Value::Text(text), []) => {
                if let Ok(number) = text.parse() {
                    return Ok(Some(Value::Int(number)));
                }
            }
            ("length" | "count", Value::List(items), []) => {
                return Ok(Some(Value::Int(items.len() as i64)));
            }
            ("first", Value::List(items), []) => return Ok(items.first().cloned()),
            ("last", Value::List(items), []) => return Ok(items.last().cloned()),
            ("string", Value::Text(_), []) => return Ok(Some(input)),
            ("string", other, []) => return text(|out| other.put_text(out)).map(Some),
            ("tojson", other, []) => return text(|out| other.put_json(out)).map(Some),
            ("join", Value::List(items), rest) if self.keywords.is_empty() && rest.len() < 2 => {
                return join(items, rest.first()).map(Some);
            }
            _ => {}
        }
        self.bounded(&input, arguments)?;
        let mut given = Vec::with_capacity(arguments.len() + 1);
        given.push(match &*self.name {
            // These print what they are given, and print it MiniJinja's way.
            "replace" | "upper" | "lower" | "trim" | "title" | "capitalize" | "lines" | "split" => {
                printed(&input)?
            }
            _ => to_minijinja(&input),
        });
        self.arguments(arguments, &mut given)?;
        let result = ENVIRONMENT.empty_state().apply_filter(&self.name, &given);
        let result = result.map_err(|error| match (&*self.name, &input) {
            ("int" | "float", Value::Text(_)) => {
                EvalError(format!("`{}` wants a number in the text", self.name))
            }
            _ => told(error),
        })?;
        if result.is_undefined() {
            return Ok(None);
        }
        let value = from_minijinja(&result)?;
        match &value {
            Value::Text(text) if text.len() > TEXT_MOST => Err(too_large("a text", TEXT_MOST)),
            Value::List(items) if items.len() > LIST_MOST => Err(too_large("a list", LIST_MOST)),
            _ => Ok(Some(value)),
        }
    }

    /// Whether the test holds; nothing when it cannot be asked of what has no value.
    pub(super) fn holds(
        &self,
        input: Option<Value>,
        arguments: &[Value],
    ) -> Result<Option<bool>, EvalError> {
        match &*self.name {
            "defined" => return Ok(Some(input.is_some())),
            "undefined" => return Ok(Some(input.is_none())),
            _ => {}
        }
        let Some(input) = input else { return Ok(None) };
        let mut given = vec![to_minijinja(&input)];
        self.arguments(arguments, &mut given)?;
        ENVIRONMENT.empty_state().perform_test(&self.name, &given).map(Some).map_err(told)
    }

    fn arguments(
        &self,
        arguments: &[Value],
        given: &mut Vec<minijinja::Value>,
    ) -> Result<(), EvalError> {
        let (positions, keywords) = arguments.split_at(arguments.len() - self.keywords.len());
        for argument in positions {
            given.push(match (&*self.name, argument) {
                // A number is for `%d`; all else prints as JSON does.
                ("format", Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_)) => {
                    printed(argument)?
                }
                _ => to_minijinja(argument),
            });
        }
        if !keywords.is_empty() {
            let names = self.keywords.iter().cloned();
            let named: Kwargs = names.zip(keywords.iter().map(to_minijinja)).collect();
            given.push(named.into());
        }
        Ok(())
    }

    /// Refuses what would make far more than it is given, before it is made.
    fn bounded(&self, input: &Value, arguments: &[Value]) -> Result<(), EvalError> {
        match (&*self.name, input, arguments) {
            ("replace", input, [Value::Text(from), Value::Text(to), ..]) => {
                let mut text = Vec::new();
                input.put_text(&mut text)?;
                let text = String::from_utf8_lossy(&text);
                let times = text.matches(&**from).count();
                if text.len().saturating_add(times.saturating_mul(to.len())) > TEXT_MOST {
                    return Err(too_large("a text", TEXT_MOST));
                }
            }
            ("batch" | "slice" | "indent" | "round", _, arguments) => {
                let large = |value: &Value| match value {
                    Value::Int(count) => *count > 10_000,
                    Value::Large(_) => true,
                    _ => false,
                };
                if arguments.iter().any(large) {
                    return Err(EvalError(format!("`{}` takes numbers up to 10000", self.name)));
                }
            }
            ("format", Value::Text(text), _) if wide(text) => {
                return Err(EvalError("`format` takes widths up to 9999".into()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// A format string that asks for five digits of width: whatever it makes is no request.
fn wide(format: &str) -> bool {
    format.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 4)
        || format.contains('*')
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>) -> Result<Value, EvalError> {
    let mut out = Vec::new();
    write(&mut out)?;
    Ok(Value::Text(String::from_utf8_lossy(&out).as_ref().into()))
}

fn join(items: &[Value], between: Option<&Value>) -> Result<Value, EvalError> {
    let mut out = Vec::new();
    for (position, item) in items.iter().enumerate() {
        if let Some(between) = between.filter(|_| position > 0) {
            between.put_text(&mut out)?;
        }
        item.put_text(&mut out)?;
        if out.len() > TEXT_MOST {
            return Err(too_large("a text", TEXT_MOST));
        }
    }
    Ok(Value::Text(String::from_utf8_lossy(&out).as_ref().into()))
}

fn printed(value: &Value) -> Result<minijinja::Value, EvalError> {
    match value {
        Value::Text(text) => Ok(minijinja::Value::from(text.clone())),
        other => text(|out| other.put_text(out)).map(|text| to_minijinja(&text)),
    }
}

fn text_of(value: &minijinja::Value) -> Result<minijinja::Value, minijinja::Error> {
    let failed = |error: EvalError| minijinja::Error::new(ErrorKind::InvalidOperation, error.0);
    printed(&from_minijinja(value).map_err(failed)?).map_err(failed)
}

fn told(error: minijinja::Error) -> EvalError {
    if error.kind() == ErrorKind::OutOfFuel {
        return EvalError(format!("it takes more than {FUEL} steps"));
    }
    EvalError(error.detail().map_or_else(|| error.kind().to_string(), str::to_owned))
}

/// Whether there is a filter (or a test) of that name.
pub(super) fn exists(name: &str, is_filter: bool) -> bool {
    let mut state = ENVIRONMENT.empty_state();
    if is_filter {
        let result = state.apply_filter(name, &[minijinja::Value::from(1)]);
        !result.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
    } else {
        let result = state.perform_test(name, &[minijinja::Value::from(1)]);
        !result.is_err_and(|error| error.kind() == ErrorKind::UnknownTest)
    }
}

/// A list as MiniJinja sees it, without a copy.
#[derive(Debug)]
struct Items(Arc<Vec<Value>>);

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.get(key.as_usize()?).map(to_minijinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// An object as MiniJinja sees it, without a copy.
#[derive(Debug)]
struct Entries(Arc<Vec<(Arc<str>, Value)>>);

impl Object for Entries {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let key = key.as_str()?;
        self.0.iter().find(|(known, _)| **known == *key).map(|(_, value)| to_minijinja(value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.0.iter().map(|(key, _)| minijinja::Value::from(key.clone()));
        Enumerator::Values(keys.collect())
    }
}

pub(super) fn to_minijinja(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => minijinja::Value::from(*value),
        Value::Int(value) => minijinja::Value::from(*value),
        Value::Large(value) => minijinja::Value::from(*value),
        Value::Float(value) => minijinja::Value::from(*value),
        Value::Text(text) => minijinja::Value::from(text.clone()),
        Value::List(items) => minijinja::Value::from_object(Items(items.clone())),
        Value::Map(entries) => minijinja::Value::from_object(Entries(entries.clone())),
    }
}

/// The other way; fails on what JSON cannot hold.
pub(super) fn from_minijinja(value: &minijinja::Value) -> Result<Value, EvalError> {
    let failed = || EvalError("it makes something that is no JSON value".into());
    if let Some(items) = value.downcast_object_ref::<Items>() {
        return Ok(Value::List(items.0.clone()));
    }
    if let Some(entries) = value.downcast_object_ref::<Entries>() {
        return Ok(Value::Map(entries.0.clone()));
    }
    Ok(match value.kind() {
        ValueKind::None | ValueKind::Undefined => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::String => Value::Text(value.as_str().ok_or_else(failed)?.into()),
        ValueKind::Number => {
            let json = serde_json::to_value(value).map_err(|_| failed())?;
            match serde_json::from_value(json) {
                Ok(Value::Null) | Err(_) => return Err(failed()),
                Ok(number) => number,
            }
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter().map_err(told)?.checked() {
                if items.len() == LIST_MOST {
                    return Err(too_large("a list", LIST_MOST));
                }
                items.push(from_minijinja(&item.map_err(told)?)?);
            }
            Value::List(Arc::new(items))
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter().map_err(told)? {
                let item = value.get_item(&key).map_err(told)?;
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                entries.push((key.into(), from_minijinja(&item)?));
            }
            Value::Map(Arc::new(entries))
        }
        _ => return Err(failed()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_and_test_that_is_proposed_exists() {
        let missing = |names: &[&'static str], is_filter| {
            names.iter().copied().filter(|name| !exists(name, is_filter)).collect::<Vec<_>>()
        };
        assert_eq!(missing(FILTERS, true), [""; 0]);
        assert_eq!(missing(TESTS, false), [""; 0]);
        assert!(!exists("nonsense", true) && !exists("nonsense", false));
    }
}
