//! Owns reading an expression: MiniJinja's grammar, with every name looked up on the way and
//! everything that is constant evaluated.

use std::ops::Range;
use std::sync::Arc;

use super::filters::Filter;
use super::form::{Form, Name, Step};
use super::names::listed;
use super::operators::{Arithmetic, Comparison};
use super::tokens::{Token, tokens};
use super::{EvalError, Names, ParseError, Run, Scope, Value};
use crate::diagnostic::suggest;
use crate::random::Stream;

/// How deep an expression may nest, and how many operators it may have: both are levels of the
/// stack while it is evaluated.
const DEEPEST: usize = 50;
const PARTS: usize = 200;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) form: Form,
    pub(super) warnings: Vec<ParseError>,
}

/// Reads `text`; `in_header` says that `request` may be used.
pub(super) fn read(text: &str, names: &Names, in_header: bool) -> Result<Read, Vec<ParseError>> {
    let hinted = |mut error: ParseError| {
        if error.hint.is_empty() {
            error.hint = foreign_operator(text).unwrap_or("mend the expression").to_owned();
        }
        vec![error]
    };
    let mut parser = Parser {
        text,
        tokens: tokens(text).map_err(hinted)?,
        at: 0,
        names,
        in_header,
        mistakes: Vec::new(),
        failures: Vec::new(),
        warnings: Vec::new(),
        parts: 0,
        depth: 0,
    };
    let form = parser.whole().map_err(|error| {
        // What was found before stays true.
        let mut all = std::mem::take(&mut parser.mistakes);
        all.extend(hinted(error));
        all
    })?;
    let Parser { mut mistakes, failures, warnings, .. } = parser;
    if mistakes.is_empty() {
        mistakes.extend(failures);
    }
    if mistakes.is_empty()
        && form.is_constant()
        && form.literal().is_none()
        && let Some((failure, hint)) = never_a_value(&form)
    {
        mistakes.push(ParseError::new(failure, hint, 0..text.len()));
    }
    mistakes.sort_by_key(|mistake| mistake.at.start);
    if mistakes.is_empty() { Ok(Read { form, warnings }) } else { Err(mistakes) }
}

/// Why a constant expression has no value, and what to write; none when a variable of the environment
/// is missing.
fn never_a_value(form: &Form) -> Option<(String, String)> {
    let mut unset = Vec::new();
    form.unset_env(&mut unset);
    let hint = || "write an expression that has a value".to_owned();
    match at_once(form) {
        Err(error) => Some((error.0, hint())),
        Ok(None) if unset.is_empty() => {
            Some(missing_key(form).unwrap_or_else(|| ("it never has a value".into(), hint())))
        }
        Ok(_) => None,
    }
}

/// A map that is known has no such key.
fn missing_key(form: &Form) -> Option<(String, String)> {
    let Form::Item(from, key) = form else { return None };
    let (Some(Value::Map(entries)), Some(Value::Text(key))) = (from.literal(), key.literal())
    else {
        return missing_key(from);
    };
    let keys = || entries.iter().map(|(key, _)| &**key);
    let has = listed(keys());
    let hint = match suggest(key, keys()) {
        Some(near) => format!("did you mean `{near}`? it has: {has}"),
        None if entries.is_empty() => "it is empty".to_owned(),
        None => format!("it has: {has}"),
    };
    Some((format!("it never has a value: there is no `{key}`"), hint))
}

/// What to write instead of an operation between constants that fails, which is `written` so.
fn mended(form: &Form, written: &str) -> String {
    let Form::Compare(first, rest) = form else { return "change the value".to_owned() };
    let operands = || std::iter::once(&**first).chain(rest.iter().map(|(_, form)| form));
    let without_quotes = operands().find_map(|form| match form.literal() {
        Some(Value::Text(text)) if text.trim().parse::<f64>().is_ok() => {
            let quoted = [format!("'{text}'"), format!("\"{text}\"")];
            let found = quoted.iter().find(|quoted| written.contains(quoted.as_str()))?;
            Some(written.replacen(found.as_str(), text.trim(), 1))
        }
        _ => None,
    });
    match without_quotes {
        Some(text) => format!("write `{text}`"),
        None => "compare two numbers, or two texts".to_owned(),
    }
}

/// A number with a fraction, or a list with one.
fn has_fraction(form: &Form) -> bool {
    match form.literal() {
        Some(Value::Float(_)) => true,
        Some(Value::List(items)) => items.iter().any(|item| matches!(item, Value::Float(_))),
        _ => false,
    }
}

/// Evaluates what needs no user.
pub(super) fn at_once(form: &Form) -> Result<Option<Value>, EvalError> {
    let run = Run::new("", tokio::time::Instant::now(), jiff::Timestamp::UNIX_EPOCH);
    let class: Arc<str> = "".into();
    let mut scope = Scope {
        slots: &[],
        response: None,
        request: None,
        user_id: 0,
        user_class: &class,
        user_iteration: 0,
        run: &run,
        random: &mut Stream::new(0, 0, 0),
    };
    form.eval(&mut scope, false)
}

pub(super) type Parsed = Result<Form, ParseError>;
/// Arguments by position, with their places, and by name.
type Arguments = (Vec<(Form, Range<usize>)>, Vec<(String, Form, Range<usize>)>);

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<(Token, Range<usize>)>,
    pub(super) at: usize,
    pub(super) names: &'a Names,
    pub(super) in_header: bool,
    /// Names that do not exist and the like: reading goes on.
    pub(super) mistakes: Vec<ParseError>,
    /// Constants that cannot be evaluated. In a branch that is not taken they are no mistake.
    failures: Vec<ParseError>,
    warnings: Vec<ParseError>,
    parts: usize,
    depth: usize,
}

impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn start(&self) -> usize {
        self.place().start
    }

    /// From `start` to the end of the last token.
    pub(super) fn since(&self, start: usize) -> Range<usize> {
        start..self.tokens[self.at.saturating_sub(1)].1.end.max(start)
    }

    fn next(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token(), Token::Word(found) if found == word)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        let title = match self.token() {
            Token::End => format!("not an expression: it ends where {wanted} is missing"),
            _ => {
                let found = &self.text[self.place()];
                format!("not an expression: `{found}` stands where {wanted} is missing")
            }
        };
        ParseError::new(title, "", self.place())
    }

    /// Counts a part.
    fn part(&mut self) -> Result<(), ParseError> {
        self.parts += 1;
        if self.parts <= PARTS {
            return Ok(());
        }
        let hint = "do it in steps, with `set`";
        let title = format!("an expression has at most {PARTS} operators, filters and brackets");
        Err(ParseError::new(title, hint, self.place()))
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let hint = "do it in steps, with `set`";
            let title = format!("brackets nest more than {DEEPEST} deep");
            return Err(ParseError::new(title, hint, self.place()));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Evaluates a form whose operands are all literals.
    fn fold(&mut self, form: Form, start: usize) -> Form {
        if !form.is_constant() {
            return form;
        }
        match at_once(&form) {
            Ok(Some(value)) => Form::Literal(value),
            Ok(None) => form,
            Err(error) => {
                let at = self.since(start);
                let hint = mended(&form, &self.text[at.clone()]);
                let title = match error.0.split_once(": write `| int`") {
                    Some((title, _)) => title.to_owned(),
                    None => error.0,
                };
                self.fails(ParseError::new(title, hint, at));
                form
            }
        }
    }

    /// Notes a failure, but not once more for all that is around it.
    pub(super) fn fails(&mut self, failure: ParseError) {
        let again =
            |known: &ParseError| known.title == failure.title && failure.at.start <= known.at.start;
        if !self.failures.last().is_some_and(again) {
            self.failures.push(failure);
        }
    }

    fn whole(&mut self) -> Parsed {
        let form = self.expression()?;
        match self.token() {
            Token::End => Ok(form),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    fn expression(&mut self) -> Parsed {
        self.deeper(Self::choose)
    }

    fn choose(&mut self) -> Parsed {
        let start = self.start();
        let failures = self.failures.len();
        let mut form = self.or()?;
        while self.word("if") {
            self.part()?;
            let of_then = self.failures.split_off(failures);
            let when = self.or()?;
            let kept = self.failures.len();
            let otherwise = if self.word("else") { Some(self.expression()?) } else { None };
            let of_otherwise = self.failures.split_off(kept);
            form = match (when.literal().map(Value::holds), otherwise) {
                (Some(true), _) => {
                    self.failures.extend(of_then);
                    form
                }
                (Some(false), Some(otherwise)) => {
                    self.failures.extend(of_otherwise);
                    otherwise
                }
                (_, otherwise) => Form::Choose {
                    when: Box::new(when),
                    then: Box::new(form),
                    otherwise: otherwise.map(Box::new),
                },
            };
            form = self.fold(form, start);
        }
        Ok(form)
    }

    fn or(&mut self) -> Parsed {
        let start = self.start();
        let mut form = self.and()?;
        while self.word("or") {
            self.part()?;
            let kept = self.failures.len();
            let right = self.and()?;
            self.failures.truncate(kept);
            form = self.fold(Form::Or(Box::new(form), Box::new(right)), start);
        }
        Ok(form)
    }

    fn and(&mut self) -> Parsed {
        let start = self.start();
        let mut form = self.not()?;
        while self.word("and") {
            self.part()?;
            let kept = self.failures.len();
            let right = self.not()?;
            self.failures.truncate(kept);
            form = self.fold(Form::And(Box::new(form), Box::new(right)), start);
        }
        Ok(form)
    }

    fn not(&mut self) -> Parsed {
        let start = self.start();
        if !self.word("not") {
            return self.comparison();
        }
        self.part()?;
        let inner = self.not()?;
        Ok(self.fold(Form::Not(Box::new(inner)), start))
    }

    fn comparison_sign(&mut self) -> Result<Option<Comparison>, ParseError> {
        let comparison = match self.token() {
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            Token::Word(word) if word == "in" => Comparison::In,
            Token::Word(word) if word == "not" => {
                self.next();
                if !self.is_word("in") {
                    return Err(self.unexpected("`in`"));
                }
                Comparison::NotIn
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(comparison))
    }

    fn comparison(&mut self) -> Parsed {
        let start = self.start();
        let first = self.sum()?;
        let mut rest: Vec<(Comparison, Form)> = Vec::new();
        let mut left_at = self.since(start);
        while let Some(comparison) = self.comparison_sign()? {
            self.part()?;
            let right_start = self.start();
            let kept = self.failures.len();
            let right = self.sum()?;
            // What follows in a chain is not looked at once a part does not hold.
            if !rest.is_empty() {
                self.failures.truncate(kept);
            }
            let right_at = self.since(right_start);
            let left = rest.last().map_or(&first, |(_, form)| form);
            let warning = self
                .text_against_number(comparison, left, &right, left_at)
                .or_else(|| self.text_against_number(comparison, &right, left, right_at.clone()));
            self.warnings.extend(warning);
            left_at = right_at;
            rest.push((comparison, right));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.fold(Form::Compare(Box::new(first), rest), start))
    }

    /// A column against a number: the cells of a CSV file are text.
    fn text_against_number(
        &self,
        comparison: Comparison,
        cell: &Form,
        other: &Form,
        at: Range<usize>,
    ) -> Option<ParseError> {
        let Form::Path(Name::Slot(slot), steps) = cell else { return None };
        let is_number =
            |value: &Value| matches!(value, Value::Int(_) | Value::Large(_) | Value::Float(_));
        let numbers = match other {
            Form::Literal(Value::List(items)) if !comparison.is_order() => {
                matches!(comparison, Comparison::In | Comparison::NotIn)
                    && !items.is_empty()
                    && items.iter().all(is_number)
            }
            // A number in a text is looked for as text.
            Form::Literal(value) => {
                is_number(value) && !matches!(comparison, Comparison::In | Comparison::NotIn)
            }
            _ => false,
        };
        if !numbers || steps.len() != 1 || !self.names.is_text_row(*slot) {
            return None;
        }
        let cell = &self.text[at.clone()];
        let title = match comparison {
            Comparison::Equal | Comparison::In => {
                format!("`{cell}` is text, which is never equal to a number: this never holds")
            }
            Comparison::NotEqual | Comparison::NotIn => {
                format!("`{cell}` is text, which is never equal to a number: this always holds")
            }
            _ => format!("`{cell}` is text, and text is in no order with numbers"),
        };
        let filter = if has_fraction(other) { "float" } else { "int" };
        Some(ParseError::new(title, format!("write `{cell} | {filter}`"), at))
    }

    /// Operators of one rank, from left to right.
    fn ranked(&mut self, signs: &[(&str, Arithmetic)], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let start = self.start();
        let mut form = operand(self)?;
        loop {
            let found = signs.iter().find(|(sign, _)| self.is_sign(sign));
            let Some((_, operator)) = found else { return Ok(form) };
            self.next();
            self.part()?;
            let right = operand(self)?;
            form = self.fold(Form::Arithmetic(Box::new(form), *operator, Box::new(right)), start);
        }
    }

    fn sum(&mut self) -> Parsed {
        let signs = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
        self.ranked(&signs, Self::concatenation)
    }

    fn concatenation(&mut self) -> Parsed {
        let start = self.start();
        let first = self.product()?;
        if !self.is_sign("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.sign("~") {
            self.part()?;
            parts.push(self.product()?);
        }
        Ok(self.fold(Form::Concat(parts), start))
    }

    fn product(&mut self) -> Parsed {
        let signs = [
            ("*", Arithmetic::Multiply),
            ("/", Arithmetic::Divide),
            ("//", Arithmetic::FloorDivide),
            ("%", Arithmetic::Remainder),
        ];
        self.ranked(&signs, Self::power)
    }

    fn power(&mut self) -> Parsed {
        self.ranked(&[("**", Arithmetic::Power)], Self::filtered)
    }

    /// An operand with the filters and tests behind it.
    fn filtered(&mut self) -> Parsed {
        let start = self.start();
        let mut form = self.unary()?;
        loop {
            if self.sign("|") {
                self.part()?;
                let (filter, arguments) = self.filter(true)?;
                form = Form::Filter(filter, Box::new(form), arguments);
            } else if self.word("is") {
                self.part()?;
                let negated = self.word("not");
                let (test, arguments) = self.filter(false)?;
                form = Form::Test(test, Box::new(form), arguments);
                if negated {
                    form = Form::Not(Box::new(form));
                }
            } else {
                return Ok(form);
            }
            form = self.fold(form, start);
        }
    }

    /// The name of a filter or a test, and its arguments.
    fn filter(&mut self, is_filter: bool) -> Result<(Arc<Filter>, Vec<Form>), ParseError> {
        let what = if is_filter { "filter" } else { "test" };
        let at = self.place();
        let Token::Word(name) = self.token().clone() else {
            return Err(self.unexpected(&format!("the name of a {what}")));
        };
        self.next();
        self.must_exist(&name, is_filter, at);
        let mut arguments = Vec::new();
        let mut keywords = Vec::new();
        if self.is_sign("(") {
            (arguments, keywords) = self.arguments()?;
        } else if !is_filter && self.begins_operand() {
            // `x is divisibleby 3`
            arguments.push((self.unary()?, 0..0));
        }
        // The names of filters and tests that run on each item.
        let inner = match &*name {
            "map" if is_filter => arguments.first().map(|first| (first, true)),
            "select" | "reject" if is_filter => arguments.first().map(|first| (first, false)),
            "selectattr" | "rejectattr" if is_filter => arguments.get(1).map(|one| (one, false)),
            _ => None,
        };
        if let Some(((Form::Literal(Value::Text(inner)), at), is_filter)) = inner {
            let (inner, at) = (inner.to_string(), at.clone());
            self.must_exist(&inner, is_filter, at);
        }
        let mut forms: Vec<_> = arguments.into_iter().map(|(form, _)| form).collect();
        let mut words = Vec::new();
        for (word, form, at) in keywords {
            if matches!(&*name, "default" | "d") && word != "boolean" {
                let title = format!("`{name}` has no argument called `{word}`");
                let hint = "write `default(value)` or `default(value, boolean=true)`";
                self.mistakes.push(ParseError::new(title, hint, at));
            }
            words.push(word);
            forms.push(form);
        }
        Ok((Arc::new(Filter { name, keywords: words }), forms))
    }

    fn begins_operand(&self) -> bool {
        match self.token() {
            Token::Word(word) => {
                !matches!(&**word, "and" | "or" | "else" | "is" | "if" | "in" | "not")
            }
            Token::Text(_) | Token::Whole(_) | Token::Fraction(_) => true,
            Token::Sign(sign) => matches!(*sign, "[" | "{"),
            Token::End => false,
        }
    }

    fn unary(&mut self) -> Parsed {
        let start = self.start();
        if !self.sign("-") {
            return self.postfix();
        }
        self.part()?;
        let inner = self.deeper(Self::unary)?;
        Ok(self.fold(Form::Negate(Box::new(inner)), start))
    }

    /// An operand with the fields, positions and brackets behind it.
    fn postfix(&mut self) -> Parsed {
        let start = self.start();
        let mut form = self.primary()?;
        loop {
            if self.sign(".") {
                self.part()?;
                let key = match self.token().clone() {
                    Token::Word(word) => Value::Text(word.into()),
                    Token::Whole(index) => Value::Int(i64::try_from(index).unwrap_or(i64::MAX)),
                    _ => return Err(self.unexpected("a name")),
                };
                let at = self.place();
                self.next();
                if self.is_sign("(") {
                    self.no_method(&key, at.clone());
                    self.arguments()?;
                    form = Form::Broken;
                    continue;
                }
                form = self.item(form, Form::Literal(key), at, start);
            } else if self.is_sign("[") {
                self.part()?;
                form = self.subscript(form, start)?;
            } else if self.is_sign("(") {
                let title = format!("`{}` cannot be called", &self.text[self.since(start)]);
                let hint = "call a function by its name";
                self.mistakes.push(ParseError::new(title, hint, self.since(start)));
                self.arguments()?;
                form = Form::Broken;
            } else {
                return Ok(form);
            }
        }
    }

    fn subscript(&mut self, from: Form, start: usize) -> Parsed {
        self.next();
        let at = self.start();
        let mut ends = [None, None, None];
        let mut slice = false;
        for (position, end) in ends.iter_mut().enumerate() {
            if !self.is_sign(":") && !self.is_sign("]") {
                *end = Some(self.expression()?);
            }
            if position == 2 || !self.sign(":") {
                break;
            }
            slice = true;
        }
        let key_at = self.since(at);
        self.expect("]")?;
        if slice {
            return Ok(self.fold(Form::Slice(Box::new(from), Box::new(ends)), start));
        }
        let [Some(key), ..] = ends else {
            self.at -= 1;
            return Err(self.unexpected("a name or a position"));
        };
        Ok(self.item(from, key, key_at, start))
    }

    /// `from[key]`, in its fastest form.
    fn item(&mut self, from: Form, key: Form, at: Range<usize>, start: usize) -> Form {
        let step = key.literal().and_then(Step::of);
        match (from, step) {
            (Form::Name(Name::Headers), Some(Step::Key(name))) => Form::Name(Name::Header(name)),
            (Form::Name(name @ (Name::Slot(_) | Name::Json)), Some(step)) => {
                if let (Name::Slot(slot), Step::Key(key)) = (&name, &step)
                    && let Err(mistake) = self.names.column(*slot, key, at)
                {
                    self.mistakes.push(mistake);
                }
                Form::Path(name, vec![step])
            }
            (Form::Path(name, mut steps), Some(step)) => {
                steps.push(step);
                Form::Path(name, steps)
            }
            (from, _) => self.fold(Form::Item(Box::new(from), Box::new(key)), start),
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.place();
        let token = self.token().clone();
        match token {
            Token::Text(text) => {
                self.next();
                Ok(Form::Literal(Value::Text(text.into())))
            }
            Token::Whole(number) => {
                self.next();
                let value = i64::try_from(number).map_or(Value::Large(number), Value::Int);
                Ok(Form::Literal(value))
            }
            Token::Fraction(number) => {
                self.next();
                Ok(Form::Literal(Value::Float(number)))
            }
            Token::Sign("[") => {
                self.next();
                let items = self.list("]")?;
                Ok(self.fold(Form::List(items), at.start))
            }
            Token::Sign("{") => {
                self.next();
                self.map(at.start)
            }
            Token::Sign("(") => {
                self.next();
                let mut items = vec![self.expression()?];
                if self.sign(")") {
                    return Ok(items.remove(0));
                }
                self.expect(",")?;
                items.extend(self.list(")")?);
                Ok(self.fold(Form::List(items), at.start))
            }
            Token::Word(word) => {
                self.next();
                match &*word {
                    "true" | "True" => Ok(Form::Literal(Value::Bool(true))),
                    "false" | "False" => Ok(Form::Literal(Value::Bool(false))),
                    "none" | "None" | "null" => Ok(Form::Literal(Value::Null)),
                    "and" | "or" | "not" | "in" | "is" | "if" | "else" => {
                        self.at -= 1;
                        Err(self.unexpected("a value"))
                    }
                    _ => self.named(&word, at),
                }
            }
            Token::Sign(_) | Token::End => Err(self.unexpected("a value")),
        }
    }

    fn list(&mut self, close: &str) -> Result<Vec<Form>, ParseError> {
        let mut items = Vec::new();
        while !self.sign(close) {
            items.push(self.expression()?);
            if !self.is_sign(close) {
                self.expect(",")?;
            }
        }
        Ok(items)
    }

    fn map(&mut self, start: usize) -> Parsed {
        let mut entries = Vec::new();
        while !self.sign("}") {
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if !self.is_sign("}") {
                self.expect(",")?;
            }
        }
        Ok(self.fold(Form::Map(entries), start))
    }

    pub(super) fn arguments(&mut self) -> Result<Arguments, ParseError> {
        let (mut positions, mut keywords) = (Vec::new(), Vec::new());
        self.expect("(")?;
        while !self.sign(")") {
            let start = self.start();
            let is_keyword = matches!(self.token(), Token::Word(_))
                && matches!(self.tokens.get(self.at + 1), Some((Token::Sign("="), _)));
            if let (Token::Word(word), true) = (self.token().clone(), is_keyword) {
                self.next();
                self.next();
                let form = self.expression()?;
                keywords.push((word, form, self.since(start)));
            } else if keywords.is_empty() {
                let form = self.expression()?;
                positions.push((form, self.since(start)));
            } else {
                return Err(self.unexpected("a name for the argument"));
            }
            if !self.is_sign(")") {
                self.expect(",")?;
            }
        }
        Ok((positions, keywords))
    }
}

/// What to write for an operator of another language.
fn foreign_operator(text: &str) -> Option<&'static str> {
    let plain = super::scan::outside_quotes(text);
    let lone = |sign: char, beside: &[char]| {
        plain.char_indices().any(|(at, c)| {
            c == sign && !plain[..at].ends_with(beside) && !plain[at + 1..].starts_with(beside)
        })
    };
    if plain.contains("{{") || plain.contains("}}") {
        Some("leave out `{{` and `}}`: this is an expression already")
    } else if plain.contains("&&") {
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
