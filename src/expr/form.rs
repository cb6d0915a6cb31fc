//! Owns evaluating an expression: the forms that it is read into, and what each gives.

use std::borrow::Cow;
use std::sync::Arc;

use super::filters::Filter;
use super::functions::{Call, Function, Tools};
use super::operators::{Arithmetic, Comparison, negate, too_large};
use super::value::TEXT_MOST;
use super::{EvalError, Scope, Uses, Value};

/// What a name in an expression stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Slot(usize),
    Status,
    /// One header of the answer.
    Header(Arc<str>),
    Headers,
    Body,
    Json,
    Time,
    Size,
    UserId,
    UserClass,
    UserIteration,
    RunId,
    RunElapsed,
    RequestBody,
    RequestMethod,
    RequestPath,
}

impl Name {
    fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        let text = |text: Cow<'_, str>| Value::Text(text.as_ref().into());
        // An exchange without an answer left nothing behind.
        let answer = || scope.response.filter(|response| response.status != 0);
        Some(match self {
            Self::Slot(slot) => return scope.slots[*slot].clone(),
            Self::Status => Value::Int(i64::from(answer()?.status)),
            Self::Header(name) => text(answer()?.header(name)?),
            Self::Headers => answer()?.headers(),
            Self::Body => text(String::from_utf8_lossy(&answer()?.body)),
            Self::Json => answer()?.json()?.clone(),
            Self::Time => Value::Float(answer()?.time.as_micros() as f64 / 1000.0),
            Self::Size => Value::Int(answer()?.size as i64),
            Self::UserId => Value::Int(scope.user_id as i64),
            Self::UserClass => Value::Text(scope.user_class.clone()),
            Self::UserIteration => Value::Int(scope.user_iteration as i64),
            Self::RunId => Value::Text(scope.run.id.clone()),
            Self::RunElapsed => Value::Float(scope.run.elapsed().as_millis() as f64 / 1000.0),
            Self::RequestBody => text(String::from_utf8_lossy(scope.request?.body)),
            Self::RequestMethod => Value::Text(scope.request?.method.into()),
            Self::RequestPath => Value::Text(scope.request?.path.into()),
        })
    }

    /// The value without a copy, of the names that hold one.
    fn look<'s>(&self, scope: &Scope<'s>) -> Option<&'s Value> {
        match self {
            Self::Slot(slot) => scope.slots[*slot].as_ref(),
            Self::Json => scope.response.filter(|response| response.status != 0)?.json(),
            _ => None,
        }
    }
}

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(Arc<str>),
    /// From the end when it is negative.
    Index(i64),
}

impl Step {
    fn within<'v>(&self, value: &'v Value) -> Option<Cow<'v, Value>> {
        let position = |index: i64, length: usize| {
            let index = if index < 0 { index.checked_add(length as i64)? } else { index };
            usize::try_from(index).ok()
        };
        match (value, self) {
            (Value::Map(entries), Self::Key(key)) => entries
                .iter()
                .find(|(known, _)| known == key)
                .map(|(_, value)| Cow::Borrowed(value)),
            (Value::List(items), Self::Index(index)) => {
                items.get(position(*index, items.len())?).map(Cow::Borrowed)
            }
            (Value::Text(text), Self::Index(index)) => {
                let letter = text.chars().nth(position(*index, text.chars().count())?)?;
                Some(Cow::Owned(Value::Text(letter.to_string().into())))
            }
            _ => None,
        }
    }

    /// The step that a value in brackets makes.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Text(key) => Some(Self::Key(key.clone())),
            Value::Int(index) => Some(Self::Index(*index)),
            _ => None,
        }
    }
}

/// An expression, read.
#[derive(Debug, Clone)]
pub(super) enum Form {
    Literal(Value),
    Name(Name),
    /// A variable of the environment that has no value.
    Unset(String),
    /// Names and positions within a slot or the answer's JSON.
    Path(Name, Vec<Step>),
    Item(Box<Form>, Box<Form>),
    Slice(Box<Form>, Box<[Option<Form>; 3]>),
    /// Keywords stand behind the positions; those that are not given are null.
    Call(&'static Function, Vec<Form>),
    List(Vec<Form>),
    Map(Vec<(Form, Form)>),
    Not(Box<Form>),
    Negate(Box<Form>),
    And(Box<Form>, Box<Form>),
    Or(Box<Form>, Box<Form>),
    Compare(Box<Form>, Vec<(Comparison, Form)>),
    Arithmetic(Box<Form>, Arithmetic, Box<Form>),
    Concat(Vec<Form>),
    /// `then if when else otherwise`
    Choose {
        when: Box<Form>,
        then: Box<Form>,
        otherwise: Option<Box<Form>>,
    },
    Filter(Arc<Filter>, Box<Form>, Vec<Form>),
    Test(Arc<Filter>, Box<Form>, Vec<Form>),
    /// A part that is a mistake already.
    Broken,
}

/// Unwraps a value; without one the whole has none.
macro_rules! some {
    (Ok($value:expr)) => {
        match $value {
            Some(value) => value,
            None => return Ok(None),
        }
    };
    ($value:expr) => {
        match $value? {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

impl Form {
    pub(super) fn literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The forms within it.
    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Unset(_) | Self::Path(..) | Self::Broken => {
                Vec::new()
            }
            Self::Call(_, parts) | Self::List(parts) | Self::Concat(parts) => {
                parts.iter().collect()
            }
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::Not(one) | Self::Negate(one) => vec![one],
            Self::And(left, right) | Self::Or(left, right) | Self::Item(left, right) => {
                vec![left, right]
            }
            Self::Arithmetic(left, _, right) => vec![left, right],
            Self::Slice(from, ends) => {
                std::iter::once(&**from).chain(ends.iter().flatten()).collect()
            }
            Self::Compare(left, rest) => {
                std::iter::once(&**left).chain(rest.iter().map(|(_, form)| form)).collect()
            }
            Self::Choose { when, then, otherwise } => {
                [when, then].into_iter().chain(otherwise).map(|form| &**form).collect()
            }
            Self::Filter(_, input, rest) | Self::Test(_, input, rest) => {
                std::iter::once(&**input).chain(rest).collect()
            }
        }
    }

    /// Nothing in it depends on the user or the time.
    pub(super) fn is_constant(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Unset(_) => true,
            Self::Name(_) | Self::Path(..) | Self::Broken => false,
            Self::Call(function, _) if !function.pure => false,
            other => other.parts().into_iter().all(Self::is_constant),
        }
    }

    /// Every argument of it is a literal.
    pub(super) fn of_literals(&self) -> bool {
        self.parts().into_iter().all(|part| part.literal().is_some())
    }

    pub(super) fn uses(&self, uses: &mut Uses) {
        match self {
            Self::Name(name) | Self::Path(name, _) => match name {
                Name::Slot(slot) => {
                    uses.slots.insert(*slot);
                }
                Name::Header(_) | Name::Headers => uses.response_head = true,
                Name::Body | Name::Json => uses.response_body = true,
                Name::RequestBody | Name::RequestMethod | Name::RequestPath => uses.request = true,
                _ => {}
            },
            other => other.parts().into_iter().for_each(|part| part.uses(uses)),
        }
    }

    /// Variables of the environment that it cannot do without.
    pub(super) fn unset_env<'f>(&'f self, found: &mut Vec<&'f str>) {
        let skipped = match self {
            Self::Unset(name) => {
                found.push(name);
                return;
            }
            Self::Filter(filter, ..) => filter.is_default(),
            Self::Test(test, ..) => test.is_defined(),
            Self::Or(..) => true,
            _ => false,
        };
        let parts = self.parts().into_iter();
        parts.skip(usize::from(skipped)).for_each(|part| part.unset_env(found));
    }

    /// Whether it holds; what has no value does not.
    pub(super) fn holds(&self, scope: &mut Scope<'_>) -> Result<bool, EvalError> {
        // The most common condition of all needs no copy of its list.
        if let Self::Name(Name::Slot(slot)) = self {
            return Ok(scope.slots[*slot].as_ref().is_some_and(Value::holds));
        }
        Ok(self.eval(scope, true)?.is_some_and(|value| value.holds()))
    }

    /// Its value; `None` when something that it needs has none. In a condition, comparing what has
    /// no value gives whether it holds; elsewhere it gives no value.
    pub(super) fn eval(
        &self,
        scope: &mut Scope<'_>,
        condition: bool,
    ) -> Result<Option<Value>, EvalError> {
        Ok(Some(match self {
            Self::Literal(value) => value.clone(),
            Self::Name(name) => return Ok(name.value(scope)),
            Self::Unset(_) | Self::Broken => return Ok(None),
            Self::Path(name, steps) => {
                let mut at = Cow::Borrowed(some!(Ok(name.look(scope))));
                for step in steps {
                    at = match at {
                        Cow::Borrowed(value) => some!(Ok(step.within(value))),
                        Cow::Owned(value) => {
                            Cow::Owned(some!(Ok(step.within(&value))).into_owned())
                        }
                    };
                }
                at.into_owned()
            }
            Self::Item(from, key) => return item(from, key, scope, condition),
            Self::Slice(from, ends) => {
                let from = some!(from.eval(scope, condition));
                let mut positions = [None; 3];
                for (position, end) in positions.iter_mut().zip(ends.iter()) {
                    let Some(end) = end else { continue };
                    *position = match some!(end.eval(scope, condition)) {
                        Value::Int(position) => Some(position),
                        Value::Null => None,
                        other => {
                            let kind = other.kind();
                            return Err(EvalError(format!(
                                "a slice wants whole numbers, not {kind}"
                            )));
                        }
                    };
                }
                slice(&from, positions)?
            }
            Self::Call(function, arguments) => {
                return call(function, arguments, scope, condition);
            }
            Self::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(some!(item.eval(scope, condition)));
                }
                Value::List(Arc::new(list))
            }
            Self::Map(entries) => {
                let mut map: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = match some!(key.eval(scope, condition)) {
                        Value::Text(key) => key,
                        other => {
                            let kind = other.kind();
                            return Err(EvalError(format!(
                                "a name in `{{ }}` is text, not {kind}"
                            )));
                        }
                    };
                    let value = some!(value.eval(scope, condition));
                    match map.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, known)) => *known = value,
                        None => map.push((key, value)),
                    }
                }
                Value::Map(Arc::new(map))
            }
            // What has no value does not hold, so its negation does.
            Self::Not(inner) => Value::Bool(!inner.holds_within(scope, condition)?),
            Self::Negate(inner) => negate(&some!(inner.eval(scope, condition)))?,
            Self::And(left, right) => {
                let left = left.eval(scope, condition)?;
                if left.as_ref().is_some_and(Value::holds) {
                    return right.eval(scope, condition);
                }
                return Ok(left);
            }
            Self::Or(left, right) => {
                let left = left.eval(scope, condition)?;
                if left.as_ref().is_some_and(Value::holds) {
                    return Ok(left);
                }
                return right.eval(scope, condition);
            }
            Self::Compare(first, rest) => {
                let mut left = first.eval(scope, condition)?;
                for (comparison, right) in rest {
                    let right = right.eval(scope, condition)?;
                    let holds = match (&left, &right) {
                        (Some(left), Some(right)) => comparison.compare(left, right)?,
                        _ if !condition => return Ok(None),
                        (left, right) => {
                            comparison.compare_unset(left.is_none() && right.is_none())
                        }
                    };
                    if !holds {
                        return Ok(Some(Value::Bool(false)));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
            Self::Arithmetic(left, operator, right) => {
                let left = some!(left.eval(scope, condition));
                let right = some!(right.eval(scope, condition));
                operator.apply(&left, &right)?
            }
            Self::Concat(_) => {
                let bytes = some!(self.bytes(scope, condition));
                if bytes.len() > TEXT_MOST {
                    return Err(too_large("a text", TEXT_MOST));
                }
                Value::Text(String::from_utf8_lossy(&bytes).as_ref().into())
            }
            Self::Choose { when, then, otherwise } => {
                return match (when.holds(scope)?, otherwise) {
                    (true, _) => then.eval(scope, condition),
                    (false, Some(otherwise)) => otherwise.eval(scope, condition),
                    (false, None) => Ok(None),
                };
            }
            Self::Filter(filter, input, arguments) => {
                let input = input.eval(scope, condition)?;
                if input.is_none() && !filter.is_default() {
                    return Ok(None);
                }
                let mut given = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    given.push(some!(argument.eval(scope, condition)));
                }
                return filter.apply(input, &given);
            }
            Self::Test(test, input, arguments) => {
                let input = input.eval(scope, condition)?;
                let mut given = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    given.push(some!(argument.eval(scope, condition)));
                }
                return Ok(test.holds(input, &given)?.map(Value::Bool));
            }
        }))
    }

    fn holds_within(&self, scope: &mut Scope<'_>, condition: bool) -> Result<bool, EvalError> {
        Ok(self.eval(scope, condition)?.is_some_and(|value| value.holds()))
    }

    /// Its value as the bytes of a text. Bodies are what was received or will be sent, even where
    /// that is no text.
    pub(super) fn bytes<'s>(
        &self,
        scope: &mut Scope<'s>,
        condition: bool,
    ) -> Result<Option<Cow<'s, [u8]>>, EvalError> {
        Ok(Some(match self {
            Self::Name(Name::RequestBody) => match scope.request {
                Some(request) => Cow::Borrowed(request.body),
                None => return Ok(None),
            },
            Self::Name(Name::Body) => match scope.response {
                Some(response) if response.status != 0 => Cow::Borrowed(&*response.body),
                _ => return Ok(None),
            },
            Self::Concat(parts) => {
                let (mut all, mut most) = (Vec::new(), TEXT_MOST);
                for part in parts {
                    let bytes = some!(part.bytes(scope, condition));
                    // A body is there already, and has limits of its own.
                    if let Cow::Borrowed(body) = bytes {
                        most += body.len();
                    }
                    if all.len() + bytes.len() > most {
                        return Err(too_large("a text", TEXT_MOST));
                    }
                    all.extend_from_slice(&bytes);
                }
                Cow::Owned(all)
            }
            other => {
                let value = some!(other.eval(scope, condition));
                let mut text = Vec::new();
                value.put_text(&mut text)?;
                Cow::Owned(text)
            }
        }))
    }
}

fn call(
    function: &'static Function,
    arguments: &[Form],
    scope: &mut Scope<'_>,
    condition: bool,
) -> Result<Option<Value>, EvalError> {
    match function.call {
        Call::Values(run) => {
            let mut values = [const { Value::Null }; 3];
            for (value, argument) in values.iter_mut().zip(arguments) {
                *value = some!(argument.eval(scope, condition));
            }
            let mut tools = Tools { random: &mut *scope.random, run: scope.run };
            run(&values[..arguments.len()], &mut tools).map(Some)
        }
        Call::Bytes(run) => {
            let mut values = [const { Cow::Borrowed(NOTHING) }; 3];
            for (value, argument) in values.iter_mut().zip(arguments) {
                *value = match argument {
                    Form::Literal(Value::Null) => Cow::Borrowed(NOTHING),
                    argument => some!(argument.bytes(scope, condition)),
                };
            }
            run(&values[..arguments.len()]).map(Some)
        }
    }
}

/// What a keyword is that is not given.
const NOTHING: &[u8] = &[];

fn item(
    from: &Form,
    key: &Form,
    scope: &mut Scope<'_>,
    condition: bool,
) -> Result<Option<Value>, EvalError> {
    let key = some!(key.eval(scope, condition));
    if let (Form::Name(Name::Headers), Value::Text(name)) = (from, &key) {
        return Ok(Name::Header(name.clone()).value(scope));
    }
    let from = some!(from.eval(scope, condition));
    Ok(Step::of(&key).and_then(|step| Some(step.within(&from)?.into_owned())))
}

/// `[start:stop:step]`, as Python has it.
fn slice(from: &Value, [start, stop, step]: [Option<i64>; 3]) -> Result<Value, EvalError> {
    let step = step.unwrap_or(1);
    let (texts, items);
    let length = match from {
        Value::Text(text) => {
            texts = text.chars().collect::<Vec<_>>();
            items = None;
            texts.len()
        }
        Value::List(list) => {
            texts = Vec::new();
            items = Some(list);
            list.len()
        }
        other => {
            return Err(EvalError(format!(
                "a slice is of a list or text, not of {}",
                other.kind()
            )));
        }
    } as i64;
    if step == 0 {
        return Err(EvalError("a slice cannot step by 0".into()));
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |end: Option<i64>, absent: i64| match end {
        None => absent,
        Some(end) if end < 0 => end.saturating_add(length).clamp(low, high),
        Some(end) => end.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, stop) = (place(start, first), place(stop, last));
    let mut positions = Vec::new();
    while if step > 0 { at < stop } else { at > stop } {
        positions.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(match items {
        Some(list) => {
            Value::List(Arc::new(positions.into_iter().map(|at| list[at].clone()).collect()))
        }
        None => Value::Text(positions.into_iter().map(|at| texts[at]).collect::<String>().into()),
    })
}
