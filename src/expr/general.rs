//! Owns the way to MiniJinja, for every expression that is more than a name, a call or a comparison.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::expression::Name;
use super::functions::{self, FUNCTIONS};
use super::scan::{filters_and_tests, outside_quotes};
use super::{EvalError, ParseError, Scope, Value};
use crate::diagnostic::suggest;
use crate::random::Stream;

/// Steps that one evaluation may take: a loop that a slip makes endless ends in milliseconds.
const FUEL: u64 = 50_000;

/// For values: a variable that has none cannot be printed, added or compared.
static ENVIRONMENT: LazyLock<Environment<'static>> =
    LazyLock::new(|| environment(UndefinedBehavior::SemiStrict));
/// For conditions: a variable without a value does not hold, and equals nothing.
static CONDITIONS: LazyLock<Environment<'static>> =
    LazyLock::new(|| environment(UndefinedBehavior::Lenient));

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    for name in ["range", "dict", "debug", "namespace"] {
        environment.remove_global(name);
    }
    for function in FUNCTIONS {
        environment
            .add_function(function.name, |arguments: minijinja::value::Rest<minijinja::Value>| {
                call(function, &arguments)
            });
    }
    environment
}

/// The filters and tests that are worth proposing; MiniJinja has a few more for HTML.
const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "capitalize",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
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
    "replace",
    "reverse",
    "round",
    "select",
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
const TESTS: &[&str] = &[
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

thread_local! {
    /// The random numbers of the user whose expression is being evaluated: MiniJinja's functions
    /// have no other way to them.
    static RANDOM: RefCell<Option<Stream>> = const { RefCell::new(None) };
}

fn call(
    function: &functions::Function,
    arguments: &[minijinja::Value],
) -> Result<minijinja::Value, minijinja::Error> {
    let failed = |error: String| minijinja::Error::new(ErrorKind::InvalidOperation, error);
    let arguments: Vec<Value> = arguments
        .iter()
        .map(Value::try_from)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(format!("{}: {error}", function.name)))?;
    RANDOM.with_borrow_mut(|random| {
        let random = random.as_mut().expect("an evaluation puts the user's stream here first");
        let value = (function.call)(&arguments, random).map_err(|error| failed(error.0))?;
        Ok(minijinja::Value::from(&value))
    })
}

/// An expression in MiniJinja's language, with the names it reads.
#[derive(Debug)]
pub(super) struct General {
    compiled: minijinja::Expression<'static, 'static>,
    condition: minijinja::Expression<'static, 'static>,
    names: Vec<(String, Name)>,
}

impl General {
    /// Parses `text`; `resolve` says what a (dotted) name is.
    pub(super) fn parse(
        text: &str,
        mut resolve: impl FnMut(&str) -> Result<Name, ParseError>,
    ) -> Result<Self, Vec<ParseError>> {
        let compiled = ENVIRONMENT.compile_expression_owned(text.to_owned()).map_err(|error| {
            // The library counts bytes, and may stop within a letter of several.
            let at = error.range().filter(|range| range.end <= text.len());
            let at =
                at.map(|at| text.floor_char_boundary(at.start)..text.ceil_char_boundary(at.end));
            let detail = error.detail().unwrap_or("it cannot be read").to_owned();
            let hint = foreign_operator(text).unwrap_or("mend the expression");
            let title = format!("not an expression: {detail}");
            vec![ParseError::new(title, hint, at.unwrap_or(0..text.len()))]
        })?;
        let condition = CONDITIONS
            .compile_expression_owned(text.to_owned())
            .expect("both environments read the same language");
        let mut mistakes = Vec::new();
        let (filters, tests) = filters_and_tests(text);
        for (ranges, is_filter) in [(filters, true), (tests, false)] {
            for range in ranges {
                let name = &text[range.clone()];
                if !exists(name, is_filter) {
                    let what = if is_filter { "filter" } else { "test" };
                    let known = if is_filter { FILTERS } else { TESTS };
                    let hint = suggest(name, known.iter().copied()).map_or_else(
                        || format!("there are: {}", known.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    mistakes.push(ParseError::new(
                        format!("there is no {what} `{name}`"),
                        hint,
                        range,
                    ));
                }
            }
        }
        // `nested` gives `response.status` where the attribute is written, and `todos` elsewhere.
        let mut found: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        found.sort();
        let mut names = Vec::with_capacity(found.len());
        for name in found {
            match resolve(&name) {
                Ok(kind) => names.push((name, kind)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        mistakes.sort_by_key(|mistake| mistake.at.start);
        if mistakes.is_empty() { Ok(Self { compiled, condition, names }) } else { Err(mistakes) }
    }

    pub(super) fn reads(&self, slot: usize) -> bool {
        self.names.iter().any(|(_, name)| *name == Name::Slot(slot))
    }

    /// Evaluates it. `None` when a name in it has no value and it has none for that reason.
    pub(super) fn eval(
        &self,
        scope: &mut Scope<'_>,
    ) -> Result<Option<minijinja::Value>, EvalError> {
        self.run(&self.compiled, scope)
    }

    /// Whether it holds; a name without a value does not.
    pub(super) fn holds(&self, scope: &mut Scope<'_>) -> Result<bool, EvalError> {
        Ok(self.run(&self.condition, scope)?.is_some_and(|value| value.is_true()))
    }

    fn run(
        &self,
        compiled: &minijinja::Expression<'static, 'static>,
        scope: &mut Scope<'_>,
    ) -> Result<Option<minijinja::Value>, EvalError> {
        let mut context: BTreeMap<&str, minijinja::Value> = BTreeMap::new();
        let mut unset = false;
        let mut groups: BTreeMap<&str, BTreeMap<&str, minijinja::Value>> = BTreeMap::new();
        for (name, kind) in &self.names {
            let Some(value) = kind.value(scope) else {
                unset |= *kind != Name::Function;
                // `response` is there before the first response, with nothing in it.
                if let (Name::ResponseStatus, Some((group, _))) = (kind, name.split_once('.')) {
                    groups.entry(group).or_default();
                }
                continue;
            };
            let value = minijinja::Value::from(&value);
            match (kind, name.split_once('.')) {
                (Name::Slot(_), _) => {
                    context.insert(name.split('.').next().unwrap_or(name), value);
                }
                (_, Some((group, field))) => {
                    groups.entry(group).or_default().insert(field, value);
                }
                (_, None) => {
                    context.insert(name, value);
                }
            }
        }
        for (group, fields) in groups {
            context.insert(group, minijinja::Value::from_pairs(fields));
        }
        let random = RANDOM.replace(Some(scope.random.clone()));
        let result = compiled.eval(minijinja::Value::from_pairs(context));
        if let Some(used) = RANDOM.replace(random) {
            *scope.random = used;
        }
        match result {
            Ok(value) if unset && value.is_undefined() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(_) if unset => Ok(None),
            Err(error) => Err(EvalError(
                error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
            )),
        }
    }
}

/// What to write for an operator of another language.
fn foreign_operator(text: &str) -> Option<&'static str> {
    let plain = outside_quotes(text);
    let lone = |sign: char, beside: &[char]| {
        plain.char_indices().any(|(at, c)| {
            c == sign && !plain[..at].ends_with(beside) && !plain[at + 1..].starts_with(beside)
        })
    };
    if plain.contains("&&") {
        Some("write `and` for `&&`")
    } else if plain.contains("||") {
        Some("write `or` for `||`")
    } else if lone('!', &['=']) {
        Some("write `not` for `!`")
    } else if lone('=', &['=', '!', '<', '>']) {
        Some("write `==` to compare")
    } else {
        None
    }
}

fn exists(name: &str, is_filter: bool) -> bool {
    let text = if is_filter { format!("1|{name}") } else { format!("1 is {name}") };
    let Ok(expression) = ENVIRONMENT.compile_expression_owned(text) else { return false };
    match expression.eval(()) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest),
    }
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
    }
}
