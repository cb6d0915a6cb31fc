//! Owns expressions: what stands between `{{` and `}}`, and after `when:`.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::functions::{self, FUNCTIONS, Function, LATER};
use super::general::General;
use super::scan::outside_quotes;
use super::{EvalError, Names, ParseError, Scope, Uses, Value};
use crate::diagnostic::suggest;
use crate::random::Stream;

/// What a name in an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Slot(usize),
    ResponseStatus,
    UserId,
    UserClass,
    UserIteration,
    Function,
}

impl Name {
    pub(super) fn value(self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Slot(slot) => scope.slots[slot].clone(),
            Self::ResponseStatus => scope
                .response
                .filter(|response| response.status != 0)
                .map(|response| Value::Int(i64::from(response.status))),
            Self::UserId => Some(Value::Int(scope.user_id as i64)),
            Self::UserClass => Some(Value::Text(scope.user_class.clone())),
            Self::UserIteration => Some(Value::Int(scope.user_iteration as i64)),
            Self::Function => None,
        }
    }
}

/// The dotted names that exist, and those of the language that do not exist yet.
const FIELDS: &[(&str, Name)] = &[
    ("response.status", Name::ResponseStatus),
    ("user.id", Name::UserId),
    ("user.class", Name::UserClass),
    ("user.iteration", Name::UserIteration),
];
const LATER_FIELDS: &[&str] = &[
    "response.headers",
    "response.body",
    "response.json",
    "response.time_ms",
    "response.size",
    "request.body",
    "request.method",
    "request.path",
    "run.id",
    "run.elapsed_s",
    "env",
    "vars",
];

/// An expression, parsed and with its names resolved.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    form: Form,
}

/// Two expressions are equal when they say the same of the same slots.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[derive(Debug, Clone)]
enum Form {
    Literal(Value),
    Name(Name),
    Call(&'static Function, Vec<Form>),
    List(Vec<Form>),
    Not(Box<Form>),
    Compare(Box<Form>, Operator, Box<Form>),
    General(Arc<General>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Expression {
    /// Parses `text` for a class whose variables are `names`.
    ///
    /// # Errors
    /// It is no expression, or names, functions, filters or tests in it do not exist: all of them.
    pub fn parse(text: &str, names: &Names) -> Result<Self, Vec<ParseError>> {
        let start = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        let mut parser = Parser { text: trimmed, at: 0, names };
        let form = match parser.whole() {
            Ok(Some(form)) => form,
            // Not one of the simple forms: MiniJinja's to read, or to refuse.
            Ok(None) => {
                let general = General::parse(trimmed, |name| {
                    let root = name.split('.').next().unwrap_or(name);
                    resolve(name, names, word_in(trimmed, root))
                });
                let shifted = |errors: Vec<ParseError>| {
                    errors.into_iter().map(|error| error.shifted(start)).collect::<Vec<_>>()
                };
                Form::General(Arc::new(general.map_err(shifted)?))
            }
            Err(error) => return Err(vec![error.shifted(start)]),
        };
        Ok(Self { text: trimmed.to_owned(), form })
    }

    /// What it needs while running.
    #[must_use]
    pub fn uses(&self) -> Uses {
        Uses::default()
    }

    /// Names of the environment that it needs, that have no value, and that no `default` or
    /// `is defined` stands in for.
    #[must_use]
    pub fn unset_env(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What is likely a slip, placed within its text.
    #[must_use]
    pub fn warnings(&self) -> Vec<ParseError> {
        Vec::new()
    }

    /// As it was written, without the space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value when it is a literal: then nothing has to be evaluated while running.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        match &self.form {
            Form::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The slots it reads.
    #[must_use]
    pub fn reads(&self, slot: usize) -> bool {
        self.form.reads(slot)
    }

    /// Its value.
    ///
    /// # Errors
    /// A variable in it has no value yet, or an operation does not fit its operands.
    pub fn eval(&self, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        match self.form.eval(scope) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(EvalError(format!("`{}` has no value yet", self.text))),
            Err(error) => Err(self.blame(error)),
        }
    }

    /// So that the sentence says where to look.
    fn blame(&self, error: EvalError) -> EvalError {
        EvalError(format!("`{}`: {error}", self.text))
    }

    /// Whether it holds. A variable that has no value yet makes it not hold.
    ///
    /// # Errors
    /// An operation does not fit its operands.
    pub fn holds(&self, scope: &mut Scope<'_>) -> Result<bool, EvalError> {
        // The most common condition of all needs no copy of its list.
        if let Form::Name(Name::Slot(slot)) = &self.form {
            return Ok(scope.slots[*slot].as_ref().is_some_and(Value::holds));
        }
        self.form.holds(scope).map_err(|error| self.blame(error))
    }
}

impl Form {
    /// Its value when nothing in it depends on the user.
    fn constant(&self) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::List(items) => items
                .iter()
                .map(Self::constant)
                .collect::<Option<_>>()
                .map(Arc::new)
                .map(Value::List),
            _ => None,
        }
    }

    /// Whether it holds. What has no value equals nothing and is in no order with anything.
    fn holds(&self, scope: &mut Scope<'_>) -> Result<bool, EvalError> {
        Ok(match self {
            Self::Not(inner) => !inner.holds(scope)?,
            Self::Compare(left, operator, right) => match (left.eval(scope)?, right.eval(scope)?) {
                (Some(left), Some(right)) => operator.compare(&left, &right),
                (None, None) => false,
                _ => *operator == Operator::NotEqual,
            },
            Self::General(general) => general.holds(scope)?,
            other => other.eval(scope)?.is_some_and(|value| value.holds()),
        })
    }

    /// Its value; `None` when a name in it has none yet.
    fn eval(&self, scope: &mut Scope<'_>) -> Result<Option<Value>, EvalError> {
        Ok(match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Name(name) => name.value(scope),
            Self::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let Some(value) = item.eval(scope)? else { return Ok(None) };
                    list.push(value);
                }
                Some(Value::List(Arc::new(list)))
            }
            Self::Call(function, arguments) => {
                let mut values = [const { Value::Null }; 2];
                for (value, argument) in values.iter_mut().zip(arguments) {
                    let Some(got) = argument.eval(scope)? else { return Ok(None) };
                    *value = got;
                }
                Some((function.call)(&values[..arguments.len()], scope.random)?)
            }
            // An unset name does not hold, so its negation does.
            Self::Not(inner) => Some(Value::Bool(!inner.holds(scope)?)),
            Self::Compare(left, operator, right) => {
                let Some(left) = left.eval(scope)? else { return Ok(None) };
                let Some(right) = right.eval(scope)? else { return Ok(None) };
                Some(Value::Bool(operator.compare(&left, &right)))
            }
            Self::General(general) => match general.eval(scope)? {
                None => None,
                Some(value) => {
                    Some(Value::try_from(&value).map_err(|error| EvalError(error.into()))?)
                }
            },
        })
    }

    fn reads(&self, slot: usize) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Name(name) => *name == Name::Slot(slot),
            Self::Call(_, forms) | Self::List(forms) => forms.iter().any(|form| form.reads(slot)),
            Self::Not(inner) => inner.reads(slot),
            Self::Compare(left, _, right) => left.reads(slot) || right.reads(slot),
            Self::General(general) => general.reads(slot),
        }
    }
}

impl Operator {
    fn compare(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::Int(left), Value::Int(right)) => left.cmp(right),
            (Value::Text(left), Value::Text(right)) => left.cmp(right),
            // The rest is MiniJinja's rule: numbers of any kind by value, other kinds by kind.
            (left, right) => {
                let (left, right) = (minijinja::Value::from(left), minijinja::Value::from(right));
                match (self, left == right) {
                    (Self::Equal, equal) => return equal,
                    (Self::NotEqual, equal) => return !equal,
                    _ => left.cmp(&right),
                }
            }
        };
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }
}

/// Where `word` stands in an expression, outside quotes and not as a part of another word.
fn word_in(text: &str, word: &str) -> Range<usize> {
    let plain = outside_quotes(text);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = plain.match_indices(word).find(|(at, _)| {
        !plain[..*at].ends_with(|c| is_part(c) || c == '.')
            && !plain[at + word.len()..].starts_with(is_part)
    });
    whole.map_or(0..text.len(), |(at, _)| at..at + word.len())
}

fn resolve(name: &str, names: &Names, at: Range<usize>) -> Result<Name, ParseError> {
    let root = name.split('.').next().unwrap_or(name);
    if let Some(slot) = names.find(root) {
        return Ok(Name::Slot(slot));
    }
    if let Some((_, field)) = FIELDS.iter().find(|(field, _)| *field == name) {
        return Ok(*field);
    }
    if functions::find(name).is_some() {
        return Ok(Name::Function);
    }
    let later = LATER.contains(&root)
        || LATER_FIELDS.iter().any(|field| {
            *field == root || name == *field || name.starts_with(&format!("{field}."))
        });
    if later {
        let hint = "leave it out for now";
        return Err(ParseError::new(format!("`{name}` is not supported yet"), hint, at));
    }
    let fields: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
    Err(names.nothing(name, &fields, at))
}

/// Reads the simple forms: `operand`, `not operand`, `operand OP operand`. Everything it does not
/// recognise it leaves to MiniJinja, by giving `None`.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    names: &'a Names,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<Option<Form>, ParseError> {
        if self.word("not") {
            let Some(inner) = self.operand()? else { return Ok(None) };
            return Ok(self.end().then(|| Form::Not(Box::new(inner))));
        }
        let Some(left) = self.operand()? else { return Ok(None) };
        if self.end() {
            return Ok(Some(left));
        }
        let Some(operator) = self.operator() else { return Ok(None) };
        let Some(right) = self.operand()? else { return Ok(None) };
        Ok(self.end().then(|| Form::Compare(Box::new(left), operator, Box::new(right))))
    }

    fn rest(&mut self) -> &str {
        let skipped = self.text[self.at..].len() - self.text[self.at..].trim_start().len();
        self.at += skipped;
        &self.text[self.at..]
    }

    fn end(&mut self) -> bool {
        self.rest().is_empty()
    }

    fn token(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found = rest.starts_with(word) && rest[word.len()..].starts_with(char::is_whitespace);
        if found {
            self.at += word.len();
        }
        found
    }

    fn operator(&mut self) -> Option<Operator> {
        let table = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        table.into_iter().find(|(token, _)| self.token(token)).map(|(_, operator)| operator)
    }

    fn operand(&mut self) -> Result<Option<Form>, ParseError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        if first == '\'' || first == '"' {
            let Some(end) = rest[1..].find(first) else { return Ok(None) };
            let inner = &rest[1..=end];
            if inner.contains('\\') {
                return Ok(None);
            }
            let value = Value::Text(inner.into());
            self.at += end + 2;
            return Ok(Some(Form::Literal(value)));
        }
        if first.is_ascii_digit() || first == '-' {
            let length = 1 + rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            let next = rest[length..].chars().next();
            if next.is_some_and(|c| c == '.' || c == '_' || c.is_alphanumeric()) {
                return Ok(None);
            }
            let Ok(number) = rest[..length].parse() else { return Ok(None) };
            self.at += length;
            return Ok(Some(Form::Literal(Value::Int(number))));
        }
        if first == '[' {
            self.at += 1;
            let Some(items) = self.list(']')? else { return Ok(None) };
            return Ok(Some(Form::List(items)));
        }
        self.name_or_call()
    }

    fn list(&mut self, close: char) -> Result<Option<Vec<Form>>, ParseError> {
        let mut items = Vec::new();
        let mut closing = [0; 4];
        let close = close.encode_utf8(&mut closing);
        if self.token(close) {
            return Ok(Some(items));
        }
        loop {
            let Some(item) = self.operand()? else { return Ok(None) };
            items.push(item);
            if self.token(close) {
                return Ok(Some(items));
            }
            if !self.token(",") {
                return Ok(None);
            }
        }
    }

    fn name_or_call(&mut self) -> Result<Option<Form>, ParseError> {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let name = rest[..length].to_owned();
        let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !starts_well || name.ends_with('.') || name.contains("..") {
            return Ok(None);
        }
        let at = self.at..self.at + length;
        self.at += length;
        match name.as_str() {
            "true" => return Ok(Some(Form::Literal(Value::Bool(true)))),
            "false" => return Ok(Some(Form::Literal(Value::Bool(false)))),
            "none" => return Ok(Some(Form::Literal(Value::Null))),
            // Words of MiniJinja's that are no names.
            "True" | "False" | "None" | "not" | "and" | "or" | "in" | "is" | "if" | "else" => {
                return Ok(None);
            }
            _ => {}
        }
        if self.rest().starts_with('(') {
            let Some(function) = functions::find(&name) else {
                return self.no_function(&name, at);
            };
            self.at += 1;
            let Some(arguments) = self.list(')')? else { return Ok(None) };
            let (least, most) = function.arity;
            if !(least..=most).contains(&arguments.len()) {
                let takes =
                    if most == 1 { "1 argument".to_owned() } else { format!("{most} arguments") };
                let title = format!("`{name}` takes {takes}, not {}", arguments.len());
                let hint = format!("write `{name}({})`", function.arguments);
                return Err(ParseError::new(title, hint, at.start..self.at));
            }
            // What is wrong whatever the user does is wrong before the run.
            if let Some(values) = arguments.iter().map(Form::constant).collect::<Option<Vec<_>>>()
                && let Err(error) = (function.call)(&values, &mut Stream::new(0, 0, 0))
            {
                let hint =
                    format!("`{name}({})` gives {}", function.arguments, function.description);
                return Err(ParseError::new(error.0, hint, at.start..self.at));
            }
            return Ok(Some(Form::Call(function, arguments)));
        }
        if functions::find(&name).is_some() && self.names.find(&name).is_none() {
            let function = functions::find(&name).expect("it was found just now");
            let hint = format!("call it: `{name}({})`", function.arguments);
            return Err(ParseError::new(format!("`{name}` is a function"), hint, at));
        }
        let resolved = resolve(&name, self.names, at)?;
        // A field of a variable (`user_data.name`) is MiniJinja's.
        if matches!(resolved, Name::Slot(_)) && name.contains('.') {
            return Ok(None);
        }
        Ok(Some(Form::Name(resolved)))
    }

    fn no_function(&self, name: &str, at: Range<usize>) -> Result<Option<Form>, ParseError> {
        // A method (`name.upper()`) is MiniJinja's.
        let root = name.split('.').next().unwrap_or(name);
        if name.contains('.') && self.names.find(root).is_some() {
            return Ok(None);
        }
        if LATER.contains(&root) {
            let title = format!("the function `{name}` is not supported yet");
            return Err(ParseError::new(title, "leave it out for now", at));
        }
        let known = FUNCTIONS.iter().map(|function| function.name);
        let hint = suggest(name, known.clone()).map_or_else(
            || format!("there are: {}", known.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(ParseError::new(format!("there is no function `{name}`"), hint, at))
    }
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
