//! Owns templates: text with `{{ }}`, compiled to fixed bytes and holes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::ops::Range;

use super::encoding::{Encoding, json_inside, write};
use super::operators::too_large;
use super::scan::{Piece, pieces, slips};
use super::value::TEXT_MOST;
use super::{EvalError, Expression, MOST_MISTAKES, Names, ParseError, Scope, Uses, Value};

/// A text with holes. Fixed parts are bytes already.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    segments: Vec<Segment>,
    doubts: Vec<ParseError>,
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Fixed(Vec<u8>),
    Hole(Expression, Encoding),
    /// What the template gives, in base64: a user name and its password.
    Base64(Template),
}

impl Template {
    /// Parses a text in which `{{ }}` is live. Fixed parts are taken as they are.
    ///
    /// # Errors
    /// Expressions in it cannot be read, or name what does not exist: all of them.
    pub fn parse(text: &str, encoding: Encoding, names: &Names) -> Result<Self, Vec<ParseError>> {
        Self::with(text, encoding, names, |fixed| fixed.as_bytes().to_vec())
    }

    /// The same, with the fixed parts written by `fixed`.
    fn with(
        text: &str,
        encoding: Encoding,
        names: &Names,
        mut fixed: impl FnMut(&str) -> Vec<u8>,
    ) -> Result<Self, Vec<ParseError>> {
        let mut template = Self::default();
        let mut mistakes = Vec::new();
        for piece in pieces(text).map_err(|error| vec![error])? {
            match piece {
                Piece::Text(range) => template.fixed(&fixed(&text[range])),
                Piece::Expression(range) => {
                    let inner = &text[range.clone()];
                    // A header is written when the rest of its request has been.
                    let parsed = if encoding == Encoding::Header {
                        Expression::parse_in_header(inner, names)
                    } else {
                        Expression::parse(inner, names)
                    };
                    let shifted = |one: ParseError| one.shifted(range.start);
                    match parsed {
                        Ok(expression) => {
                            template.doubts.extend(expression.warnings().into_iter().map(shifted));
                            if let Err(error) = template.hole(expression, encoding) {
                                let hint = "change the value";
                                mistakes.push(ParseError::new(error.0, hint, range));
                            }
                        }
                        Err(found) => mistakes.extend(found.into_iter().map(shifted)),
                    }
                    if mistakes.len() >= MOST_MISTAKES {
                        break;
                    }
                }
            }
        }
        if mistakes.is_empty() { Ok(template) } else { Err(mistakes) }
    }

    /// The same, with the fixed parts encoded like values.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn encoded(text: &str, encoding: Encoding, names: &Names) -> Result<Self, Vec<ParseError>> {
        let mut refused = None;
        let template = Self::with(text, encoding, names, |fixed| {
            let mut bytes = Vec::new();
            if let Err(error) = write(&Value::Text(fixed.into()), encoding, &mut bytes) {
                refused = Some(error);
            }
            bytes
        })?;
        match refused {
            Some(error) => Err(vec![ParseError::new(error.0, "change the value", 0..text.len())]),
            None => Ok(template),
        }
    }

    /// A text, encoded.
    #[must_use]
    pub fn of_text(text: &str, encoding: Encoding) -> Self {
        let mut template = Self::default();
        let mut bytes = Vec::new();
        if write(&Value::Text(text.into()), encoding, &mut bytes).is_ok() {
            template.fixed(&bytes);
        }
        template
    }

    /// What it gives, in base64.
    #[must_use]
    pub fn base64(self) -> Self {
        let mut template = Self::default();
        match self.as_fixed() {
            Some(bytes) => template.fixed(BASE64.encode(bytes).as_bytes()),
            None => template.segments.push(Segment::Base64(self)),
        }
        template
    }

    /// Appends bytes as they are.
    pub fn fixed(&mut self, bytes: &[u8]) {
        match self.segments.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Segment::Fixed(last)) => last.extend_from_slice(bytes),
            _ => self.segments.push(Segment::Fixed(bytes.to_vec())),
        }
    }

    /// Appends a hole; a constant is written at once.
    ///
    /// # Errors
    /// The constant cannot stand there, as a line break cannot in a header.
    pub fn hole(&mut self, expression: Expression, encoding: Encoding) -> Result<(), EvalError> {
        match expression.constant() {
            Some(value) => {
                let mut bytes = Vec::new();
                write(value, encoding, &mut bytes)?;
                self.fixed(&bytes);
            }
            None => self.segments.push(Segment::Hole(expression, encoding)),
        }
        Ok(())
    }

    /// Appends another template.
    pub fn append(&mut self, other: Self) {
        for segment in other.segments {
            match segment {
                Segment::Fixed(bytes) => self.fixed(&bytes),
                other => self.segments.push(other),
            }
        }
        self.doubts.extend(other.doubts);
    }

    /// Its bytes, when it has no hole.
    #[must_use]
    pub fn as_fixed(&self) -> Option<&[u8]> {
        match self.segments.as_slice() {
            [] => Some(&[]),
            [Segment::Fixed(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// It is one hole and nothing else.
    #[must_use]
    pub fn is_one_hole(&self) -> bool {
        matches!(self.segments.as_slice(), [Segment::Hole(..)])
    }

    /// Its expressions, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.into_iter()
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        for segment in &self.segments {
            match segment {
                Segment::Fixed(_) => {}
                Segment::Hole(expression, _) => found.push(expression),
                Segment::Base64(inner) => inner.collect(found),
            }
        }
    }

    /// What it needs while running.
    #[must_use]
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        self.expressions().for_each(|expression| uses.merge(&expression.uses()));
        uses
    }

    /// Names of the environment that it needs and that have no value, as
    /// [`Expression::unset_env`] has them.
    #[must_use]
    pub fn unset_env(&self) -> Vec<&str> {
        self.expressions().flat_map(Expression::unset_env).collect()
    }

    /// What is likely a slip in its expressions, placed within the text that it was parsed from.
    #[must_use]
    pub fn doubts(&self) -> &[ParseError] {
        &self.doubts
    }

    /// What is likely a slip in a text: single braces as in `{id}`, and a `}}` that ends nothing.
    #[must_use]
    pub fn warnings(text: &str) -> Vec<ParseError> {
        slips(text)
    }

    /// Appends the text to `out`.
    ///
    /// # Errors
    /// An expression failed, or values take more than 1 MiB; `out` then ends in the middle.
    pub fn render(&self, scope: &mut Scope<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
        let mut left = TEXT_MOST;
        for segment in &self.segments {
            match segment {
                Segment::Fixed(bytes) => out.extend_from_slice(bytes),
                Segment::Base64(inner) => {
                    let mut plain = Vec::new();
                    inner.render(scope, &mut plain)?;
                    out.extend_from_slice(BASE64.encode(plain).as_bytes());
                }
                Segment::Hole(expression, encoding) => {
                    let start = out.len();
                    write(&expression.eval(scope)?, *encoding, out)?;
                    let written = out.len() - start;
                    left = left.checked_sub(written).ok_or_else(|| {
                        let error = too_large("a text", TEXT_MOST);
                        EvalError(format!("`{}`: {error}", expression.text()))
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// The bytes of the expression when the text is one `{{ }}` and nothing else: then its value keeps
/// its type.
#[must_use]
pub fn alone(text: &str) -> Option<Range<usize>> {
    match pieces(text).as_deref() {
        Ok([Piece::Expression(range)]) => Some(range.clone()),
        _ => None,
    }
}

/// Parses a text that stands for a JSON value: one `{{ }}` alone keeps the value's type, any other
/// text is a JSON string.
///
/// # Errors
/// As [`Template::parse`].
pub fn json(text: &str, names: &Names) -> Result<Template, Vec<ParseError>> {
    if alone(text).is_some() {
        return Template::parse(text, Encoding::Json, names);
    }
    let inside =
        Template::with(text, Encoding::JsonText, names, |fixed| json_inside(fixed).into_bytes())?;
    let mut template = Template::default();
    template.fixed(b"\"");
    template.doubts = inside.doubts.clone();
    template.append(inside);
    template.fixed(b"\"");
    Ok(template)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Response, Run};
    use crate::random::Stream;
    use std::sync::Arc;

    fn rendered(template: &Template, slots: &[Option<Value>]) -> Result<String, String> {
        let mut out = Vec::new();
        let class: Arc<str> = "Todo".into();
        let mut random = Stream::new(1, 0, 0);
        let mut response = Response::default();
        response.status = 204;
        let run = Run::new("r1", tokio::time::Instant::now(), jiff::Timestamp::UNIX_EPOCH);
        let mut scope = Scope {
            slots,
            response: Some(&response),
            request: None,
            run: &run,
            user_id: 7,
            user_class: &class,
            user_iteration: 0,
            random: &mut random,
        };
        template.render(&mut scope, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn names() -> Names {
        let mut names = Names::default();
        names.intern("id");
        names
    }

    fn with_id(text: &str, encoding: Encoding, id: Value) -> Result<String, String> {
        rendered(&Template::parse(text, encoding, &names()).unwrap(), &[Some(id)])
    }

    #[test]
    fn a_value_cannot_break_out_of_a_path_or_a_header() {
        let nasty = Value::Text("a b\r\nX: 1/é?q=%20".into());
        assert_eq!(
            with_id("/t/{{ id }}", Encoding::Path, nasty.clone()).unwrap(),
            "/t/a%20b%0D%0AX:%201/%C3%A9?q=%20"
        );
        assert_eq!(
            with_id("{{ id }}", Encoding::Header, nasty).unwrap_err(),
            "a header's value may not hold a line break"
        );
        assert_eq!(with_id("/t/{{ id }}", Encoding::Path, Value::Int(42)).unwrap(), "/t/42");
    }

    #[test]
    fn json_keeps_types_and_escapes_text() {
        let show =
            |text: &str, id: Value| rendered(&json(text, &names()).unwrap(), &[Some(id)]).unwrap();
        assert_eq!(show("{{ id }}", Value::Int(3)), "3");
        assert_eq!(show("{{ id }}", Value::Text("a\"b".into())), r#""a\"b""#);
        assert_eq!(show("n {{ id }}!", Value::Text("a\"b".into())), r#""n a\"b!""#);
        assert_eq!(show("n {{ id }}", Value::Bool(true)), r#""n true""#);
        assert_eq!(show("say \"hi\"", Value::Null), r#""say \"hi\"""#);
        assert_eq!(show("{{ true }}", Value::Null), "true");
        assert_eq!(show(" {{ id }}", Value::Int(3)), r#"" 3""#);
    }

    #[test]
    fn a_text_without_holes_is_bytes_already() {
        let template = Template::parse("/todos/{{ 'x' }}", Encoding::Path, &names()).unwrap();
        assert_eq!(template.as_fixed(), Some(b"/todos/x".as_slice()));
    }

    #[test]
    fn mistakes_are_placed_within_the_text() {
        let text = "/todos/{{ idd }}/{{ 'idx' ~ idx }}?{{ foo() }}&{{ id | uper }}";
        let found = Template::parse(text, Encoding::Path, &names()).unwrap_err();
        let told: Vec<_> =
            found.iter().map(|error| (&*error.title, &text[error.at.clone()])).collect();
        assert_eq!(
            told,
            [
                ("nothing is called `idd`", "idd"),
                ("nothing is called `idx`", "idx"),
                ("there is no function `foo`", "foo"),
                ("there is no filter `uper`", "uper"),
            ]
        );
        assert_eq!((&*found[0].hint, found[1].at.start), ("did you mean `id`?", 28));
        let unset = Template::parse("{{ id }}", Encoding::Plain, &names()).unwrap();
        assert_eq!(rendered(&unset, &[None]).unwrap_err(), "`id` has no value yet");
    }

    #[test]
    fn a_value_cannot_break_out_of_a_query_a_form_or_a_cookie() {
        let nasty = Value::Text("a b&c=d/é~*+%;".into());
        for (encoding, want) in [
            (Encoding::Query, "a%20b%26c%3Dd%2F%C3%A9~%2A%2B%25%3B"),
            (Encoding::Form, "a+b%26c%3Dd%2F%C3%A9%7E*%2B%25%3B"),
        ] {
            assert_eq!(with_id("{{ id }}", encoding, nasty.clone()).unwrap(), want);
        }
        for breaks in ["a;b", "a\nb", "a\u{7f}"] {
            assert_eq!(
                with_id("{{ id }}", Encoding::Cookie, Value::Text(breaks.into())).unwrap_err(),
                "a cookie's value may not hold `;` or control characters"
            );
        }
        assert_eq!(with_id("{{ id }}", Encoding::Cookie, Value::Int(5)).unwrap(), "5");
    }

    #[test]
    fn constants_are_written_before_the_run() {
        let mut names = names();
        names.constant("project", Value::Int(42));
        let fixed = |text: &str, encoding| {
            let template = Template::parse(text, encoding, &names).unwrap();
            template.as_fixed().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        assert_eq!(fixed("/p/{{ project }}/{{ 'a b' }}", Encoding::Path).unwrap(), "/p/42/a%20b");
        assert_eq!(fixed("/p/{{ project }}/{{ id }}", Encoding::Path), None);
        let error = Template::parse("x{{ 'a\\nb' }}", Encoding::Header, &names).unwrap_err();
        assert_eq!(error[0].title, "a header's value may not hold a line break");
        let body = json("n {{ project }} {{ id > 'a' }}", &names).unwrap();
        assert_eq!(rendered(&body, &[Some(Value::Text("b".into()))]).unwrap(), r#""n 42 true""#);
        assert_eq!(json("{{ project }}", &names).unwrap().as_fixed(), Some(&b"42"[..]));
        assert_eq!((alone("{{ a }}"), alone("{{ a }} ")), (Some(2..5), None));
    }

    #[test]
    fn only_a_header_sees_its_request() {
        assert!(Template::parse("{{ request.body }}", Encoding::Header, &names()).is_ok());
        for encoding in [Encoding::Plain, Encoding::Path, Encoding::Query, Encoding::Cookie] {
            let error = Template::parse("{{ request.body }}", encoding, &names()).unwrap_err();
            assert_eq!(error[0].title, "`request.body` is there only in headers");
        }
    }

    /// Law 8 of what a template makes: what is fixed is the plan's own and counts for nothing.
    #[test]
    fn what_a_template_makes_is_bounded() {
        let half = Value::Text("x".repeat(600_000).into());
        let said = with_id("a{{ id }}b{{ id }}", Encoding::Plain, half.clone()).unwrap_err();
        assert_eq!(said, "`id`: it makes a text of more than 1048576 bytes");
        assert_eq!(with_id("a{{ id }}b", Encoding::Plain, half).unwrap().len(), 600_002);
        let fixed = format!("{}{{{{ id }}}}", "y".repeat(2_000_000));
        assert_eq!(with_id(&fixed, Encoding::Plain, Value::Int(1)).unwrap().len(), 2_000_001);
    }

    #[test]
    fn doubts_are_placed_within_the_text() {
        let mut names = names();
        names.row("accounts", Some(["age".to_owned()].into()));
        let text = "한 {{ id }} {{ accounts.age > 5 }}";
        for template in
            [Template::parse(text, Encoding::Plain, &names).unwrap(), json(text, &names).unwrap()]
        {
            assert_eq!(&text[template.doubts()[0].at.clone()], "accounts.age");
            assert_eq!(template.uses().slots.len(), 2);
        }
        let text = "/a/{id}/{{ id }} }}";
        let slips = Template::warnings(text);
        assert_eq!(slips.len(), 2);
        assert_eq!(slips[0].hint, "write `{{ id }}` for its value");
    }
}
