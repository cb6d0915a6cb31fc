//! Owns what names in an expression stand for: variables, fields of the language, functions, filters.

use std::ops::Range;

use super::filters::{FILTERS, TESTS, exists};
use super::form::{Form, Name};
use super::functions::{self, FUNCTIONS, Function};
use super::names::listed;
use super::parser::{Parsed, Parser, at_once};
use super::tokens::Token;
use super::{MOST_MISTAKES, ParseError, Value};
use crate::diagnostic::suggest;

/// The first words of the language's own names.
const ROOTS: &[&str] = &["response", "user", "run", "request", "env", "fake", "vars"];

/// The dotted names that exist.
static FIELDS: &[(&str, Name)] = &[
    ("response.status", Name::Status),
    ("response.headers", Name::Headers),
    ("response.body", Name::Body),
    ("response.json", Name::Json),
    ("response.time_ms", Name::Time),
    ("response.size", Name::Size),
    ("user.id", Name::UserId),
    ("user.class", Name::UserClass),
    ("user.iteration", Name::UserIteration),
    ("run.id", Name::RunId),
    ("run.elapsed_s", Name::RunElapsed),
    ("request.body", Name::RequestBody),
    ("request.method", Name::RequestMethod),
    ("request.path", Name::RequestPath),
];

impl Parser<'_> {
    /// A name: of the class, of the language, or of a function.
    pub(super) fn named(&mut self, word: &str, at: Range<usize>) -> Parsed {
        if let Some(slot) = self.names.find(word) {
            return Ok(Form::Name(Name::Slot(slot)));
        }
        if let Some(value) = self.names.find_constant(word) {
            return Ok(Form::Literal(value.clone()));
        }
        // The language's own names have a field behind them, which is a part of the name; so may a
        // misspelt one.
        let own = ROOTS.contains(&word);
        let mut name = word.to_owned();
        let root_at = at.clone();
        let mut at = at;
        match (self.token(), self.tokens.get(self.at + 1)) {
            (Token::Sign("."), Some((Token::Word(field), field_at))) => {
                name = format!("{word}.{field}");
                at.end = field_at.end;
                self.at += 2;
            }
            (Token::Sign("["), Some((Token::Text(field), _)))
                if own && matches!(self.tokens.get(self.at + 2), Some((Token::Sign("]"), _))) =>
            {
                name = format!("{word}.{field}");
                at.end = self.tokens[self.at + 2].1.end;
                self.at += 3;
            }
            _ => {}
        }
        if self.is_sign("(") {
            return self.call(&name, at);
        }
        if let Some(variable) = name.strip_prefix("env.") {
            return Ok(match self.names.env(variable) {
                Some(value) => Form::Literal(Value::Text(value.into())),
                None => Form::Unset(variable.to_owned()),
            });
        }
        if let Some((_, field)) = FIELDS.iter().find(|(field, _)| *field == name) {
            if name.starts_with("request.") && !self.in_header {
                let title = format!("`{name}` is there only in headers");
                let hint =
                    "a request is known when its body and path are written: use it in `headers:`";
                self.mistakes.push(ParseError::new(title, hint, at));
                return Ok(Form::Broken);
            }
            return Ok(Form::Name(field.clone()));
        }
        // What comes near is looked for.
        if self.mistakes.len() >= MOST_MISTAKES {
            return Ok(Form::Broken);
        }
        let near_own = || suggest(&name, FIELDS.iter().map(|(field, _)| *field)).is_some();
        let mistake =
            if own || near_own() { self.nothing(&name, at) } else { self.nothing(word, root_at) };
        self.mistakes.push(mistake);
        // What stands in brackets behind it is nothing of its own.
        Ok(Form::Broken)
    }

    fn nothing(&self, name: &str, at: Range<usize>) -> ParseError {
        if let Some(function) = functions::find(name) {
            let hint = format!("call it: `{name}({})`", function.arguments);
            return ParseError::new(format!("`{name}` is a function"), hint, at);
        }
        if let Some(variable) = name.strip_prefix("vars.") {
            let hint = format!("write `{variable}`: variables are named without `vars`");
            return ParseError::new(format!("nothing is called `{name}`"), hint, at);
        }
        let fields: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
        let within = format!("{name}.");
        let below: Vec<_> =
            fields.iter().copied().filter(|field| field.starts_with(&within)).collect();
        if !below.is_empty() || matches!(name, "env" | "fake") {
            let hint = match name {
                "env" => "write `env.NAME`".to_owned(),
                "fake" => "write `fake.name()`, `fake.email()` and so on".to_owned(),
                _ => format!("there are: {}", below.join(", ")),
            };
            return ParseError::new(format!("`{name}` alone is no value"), hint, at);
        }
        self.names.nothing(name, &fields, at)
    }

    fn call(&mut self, name: &str, at: Range<usize>) -> Parsed {
        let Some(function) = functions::find(name) else {
            self.no_function(name, at);
            self.arguments()?;
            return Ok(Form::Broken);
        };
        let (positions, keywords) = self.arguments()?;
        let whole = self.since(at.start);
        let mistakes = self.mistakes.len();
        let (least, most) = function.arity;
        if !(least..=most).contains(&positions.len()) && keywords.is_empty() {
            let takes = match most {
                0 => "no arguments".to_owned(),
                1 => "1 argument".to_owned(),
                _ => format!("{most} arguments"),
            };
            let title = format!("`{name}` takes {takes}, not {}", positions.len());
            let hint = format!("write `{name}({})`", function.arguments);
            self.mistakes.push(ParseError::new(title, hint, whole.clone()));
        }
        let mut arguments: Vec<_> = positions.into_iter().map(|(form, _)| form).collect();
        if !function.keywords.is_empty() {
            arguments.resize_with(most + function.keywords.len(), || Form::Literal(Value::Null));
        }
        for (word, form, at) in keywords {
            match function.keywords.iter().position(|known| *known == word) {
                Some(position) => arguments[most + position] = form,
                None => {
                    let title = format!("`{name}` has no argument called `{word}`");
                    let hint = format!("write `{name}({})`", function.arguments);
                    self.mistakes.push(ParseError::new(title, hint, at));
                }
            }
        }
        if self.mistakes.len() > mistakes {
            return Ok(Form::Broken);
        }
        Ok(self.tried(function, Form::Call(function, arguments), whole))
    }

    /// What is wrong whatever the user does is wrong before the run.
    fn tried(&mut self, function: &Function, form: Form, at: Range<usize>) -> Form {
        if !form.of_literals() {
            return form;
        }
        match at_once(&form) {
            Ok(Some(value)) if function.pure => Form::Literal(value),
            Ok(_) => form,
            Err(error) => {
                let Function { name, arguments, description, .. } = function;
                let hint = format!("`{name}({arguments})` gives {description}");
                self.fails(ParseError::new(error.0, hint, at));
                form
            }
        }
    }

    fn no_function(&mut self, name: &str, at: Range<usize>) {
        if self.mistakes.len() >= MOST_MISTAKES {
            return;
        }
        let known = FUNCTIONS.iter().map(|function| function.name);
        let fakes = name.starts_with("fake.");
        // What other languages call these.
        let filter = match name {
            "len" | "size" => "length",
            "str" => "string",
            name => name,
        };
        let hint = if FIELDS.iter().any(|(field, _)| *field == name) {
            format!("it is no function: write `{name}`")
        } else if name == "env.get" {
            "write `env.NAME`".to_owned()
        } else if exists(filter, true) {
            format!("it is a filter: write `… | {filter}`")
        } else if let Some(near) = suggest(name, known.clone()) {
            format!("did you mean `{near}`?")
        } else {
            let some = known.filter(|known| known.starts_with("fake.") == fakes);
            format!("there are: {}", listed(some))
        };
        let title = format!("there is no function `{name}`");
        self.mistakes.push(ParseError::new(title, hint, at));
    }

    pub(super) fn must_exist(&mut self, name: &str, is_filter: bool, at: Range<usize>) {
        if exists(name, is_filter) || self.mistakes.len() >= MOST_MISTAKES {
            return;
        }
        let (what, known) = if is_filter { ("filter", FILTERS) } else { ("test", TESTS) };
        let hint = match (suggest(name, known.iter().copied()), functions::find(name)) {
            (_, Some(function)) if is_filter => {
                format!("it is a function: write `{name}({})`", function.arguments)
            }
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, _) => format!("there are: {}", known.join(", ")),
        };
        self.mistakes.push(ParseError::new(format!("there is no {what} `{name}`"), hint, at));
    }

    pub(super) fn no_method(&mut self, key: &Value, at: Range<usize>) {
        let name = &self.text[at.clone()];
        let hint = match key {
            Value::Text(key) if **key == *"get" => "write `…['name']`".to_owned(),
            Value::Text(key) if exists(key, true) => format!("write `… | {key}`"),
            Value::Text(key) if functions::find(key).is_some() => format!("write `{key}(…)`"),
            _ => "values have no methods; filters stand behind `|`".to_owned(),
        };
        self.mistakes.push(ParseError::new(format!("there is no method `{name}`"), hint, at));
    }
}
