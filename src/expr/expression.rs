//! Owns expressions: what stands between `{{` and `}}`, and after `when:`.

use super::form::Form;
use super::parser;
use super::{EvalError, Names, ParseError, Scope, Uses, Value};

/// An expression, parsed, with its names resolved and what is constant in it evaluated.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    form: Form,
    warnings: Vec<ParseError>,
}

/// Two expressions are equal when they say the same of the same slots.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.constant() == other.constant()
    }
}

impl Expression {
    /// Parses `text` for a class whose variables are `names`.
    ///
    /// # Errors
    /// It is no expression, names, functions, filters or tests in it do not exist, or what is
    /// constant in it fails: all of them.
    pub fn parse(text: &str, names: &Names) -> Result<Self, Vec<ParseError>> {
        Self::read(text, names, false)
    }

    /// The same for a header, which sees its own request as `request`.
    ///
    /// # Errors
    /// As [`Expression::parse`].
    pub fn parse_in_header(text: &str, names: &Names) -> Result<Self, Vec<ParseError>> {
        Self::read(text, names, true)
    }

    fn read(text: &str, names: &Names, in_header: bool) -> Result<Self, Vec<ParseError>> {
        let start = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        let shifted = |errors: Vec<ParseError>| {
            errors.into_iter().map(|error| error.shifted(start)).collect::<Vec<_>>()
        };
        let read = parser::read(trimmed, names, in_header).map_err(shifted)?;
        let warnings = shifted(read.warnings);
        Ok(Self { text: trimmed.to_owned(), form: read.form, warnings })
    }

    /// As it was written, without the space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value when that never changes: then nothing has to be evaluated while running.
    #[must_use]
    pub fn constant(&self) -> Option<&Value> {
        self.form.literal()
    }

    /// What it needs while running.
    #[must_use]
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        self.form.uses(&mut uses);
        uses
    }

    /// Whether it reads a slot.
    #[must_use]
    pub fn reads(&self, slot: usize) -> bool {
        self.uses().slots.contains(&slot)
    }

    /// Names of the environment that it needs, that have no value, and that no `default` or
    /// `is defined` stands in for.
    #[must_use]
    pub fn unset_env(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.form.unset_env(&mut found);
        found
    }

    /// What is likely a slip, placed within its text.
    #[must_use]
    pub fn warnings(&self) -> Vec<ParseError> {
        self.warnings.clone()
    }

    /// Its value.
    ///
    /// # Errors
    /// A variable in it has no value yet, or an operation does not fit its operands.
    pub fn eval(&self, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        match self.form.eval(scope, false) {
            Ok(Some(value)) => match value.bounded() {
                Ok(()) => Ok(value),
                Err(error) => Err(self.blame(error)),
            },
            Ok(None) => {
                let uses = self.uses();
                let waits = uses.slots.iter().any(|slot| scope.slots[*slot].is_none())
                    || scope.response.is_none_or(|response| response.status == 0);
                let yet = if waits { " yet" } else { "" };
                Err(EvalError(format!("`{}` has no value{yet}", self.text)))
            }
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
        self.form.holds(scope).map_err(|error| self.blame(error))
    }
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
