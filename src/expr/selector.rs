//! Owns selectors: finding values in a body by a JSONPath (RFC 9535), a regular expression or a CSS
//! selector.
//!
//! A path of names and positions, as nearly all are, is followed without making values of what stands
//! before the field, and reading stops at it; only wildcards, filters and slices need the whole body as a tree.

use std::sync::Arc;

use super::follow::{Part, follow, simple};
use super::skim::skim;
use super::{ParseError, Value};
use crate::random::Stream;

/// A parsed selector.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    form: Form,
    /// It is a regular expression that takes much memory.
    large: bool,
}

#[derive(Debug, Clone)]
enum Form {
    Path(Vec<Part>),
    General(Box<serde_json_path::JsonPath>),
    Regex(regex::bytes::Regex),
    Css(Box<scraper::Selector>, Option<String>),
}

/// Which of the values that a selector finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    First,
    /// The last.
    Last,
    /// One at random.
    Random,
    /// A list of all; when there are none it is no match.
    All,
}

/// The body is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson;

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        let attribute = |form: &Form| match form {
            Form::Css(_, attribute) => attribute.clone(),
            _ => None,
        };
        self.text == other.text
            && self.kind() == other.kind()
            && attribute(&self.form) == attribute(&other.form)
    }
}

/// The memory that a compiled regular expression may take, in bytes.
const REGEX_MOST: usize = 1 << 20;
/// One that takes more than this is large.
const REGEX_SMALL: usize = 1 << 16;
/// How long a regular expression may be, in bytes: its parser takes a hundred times as much memory.
const REGEX_LONGEST: usize = 32 * 1024;

/// How deep filters nest in a JSONPath: its parser takes twice as long for each level.
const FILTERS_DEEPEST: usize = 6;
/// How deep parentheses nest in a JSONPath: its parser goes as deep.
const PARENTHESES_DEEPEST: usize = 50;

/// What nests too deep, when something does.
fn too_deep(path: &str) -> Option<String> {
    let (mut filters, mut parentheses, mut quote, mut escaped) = (0usize, 0usize, None, false);
    for letter in path.chars() {
        match (quote, letter) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[') => filters += 1,
            (None, ']') => filters = filters.saturating_sub(1),
            (None, '(') => parentheses += 1,
            (None, ')') => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        if filters > FILTERS_DEEPEST {
            return Some(format!("{FILTERS_DEEPEST} filters"));
        }
        if parentheses > PARENTHESES_DEEPEST {
            return Some(format!("{PARENTHESES_DEEPEST} parentheses"));
        }
    }
    None
}

impl Selector {
    /// Parses a JSONPath such as `$.id` or `$.items[0].name`.
    ///
    /// # Errors
    /// It is not one, or nests too deep.
    pub fn json(text: &str) -> Result<Self, ParseError> {
        if let Some(most) = too_deep(text) {
            let title = format!("the JSONPath nests more than {most} deep");
            let hint = "capture the list, and look into it by `for` and `if`";
            return Err(ParseError::new(title, hint, 0..text.len()));
        }
        let general = serde_json_path::JsonPath::parse(text).map_err(|error| {
            let at = error.position().min(text.len());
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let hint = if text.starts_with('$') {
                "a path looks like `$.id`, `$.items[0].name` or `$.items[*].id`".to_owned()
            } else {
                format!("a path begins with `$`: write `$.{}`", text.trim_start_matches('.'))
            };
            ParseError::new(format!("`{text}` is not a JSONPath"), hint, at..text.len())
        })?;
        let form = simple(text).map_or_else(|| Form::General(Box::new(general)), Form::Path);
        Ok(Self { text: text.to_owned(), form, large: false })
    }

    /// Parses a regular expression, which gives its first group, or all that it matches when it
    /// has none.
    ///
    /// # Errors
    /// It is not one, is longer than 32 KiB, or would take more than 1 MiB.
    pub fn regex(text: &str) -> Result<Self, ParseError> {
        if text.len() > REGEX_LONGEST {
            let title = "the regular expression is longer than 32 KiB";
            return Err(ParseError::new(title, "look for less of the text", 0..text.len()));
        }
        let build = |most: usize| {
            regex::bytes::RegexBuilder::new(text)
                .size_limit(most)
                .dfa_size_limit(REGEX_MOST)
                .build()
        };
        let small = build(REGEX_SMALL);
        let large = small.is_err();
        let built = small.or_else(|_| build(REGEX_MOST)).map_err(|_| wrong_regex(text))?;
        Ok(Self { text: text.to_owned(), form: Form::Regex(built), large })
    }

    /// Parses a CSS selector, which gives the text of an element without the space around it, or
    /// its attribute `attr`.
    ///
    /// # Errors
    /// It is not one.
    pub fn css(text: &str, attr: Option<&str>) -> Result<Self, ParseError> {
        let hint = "a selector looks like `#login`, `.price` or `input[name=token]`";
        let wrong = |title: String| Err(ParseError::new(title, hint, 0..text.len()));
        if text.trim().is_empty() {
            return wrong("the CSS selector is empty".to_owned());
        }
        match scraper::Selector::parse(text) {
            Ok(selector) => {
                let form = Form::Css(Box::new(selector), attr.map(str::to_owned));
                Ok(Self { text: text.to_owned(), form, large: false })
            }
            Err(_) => wrong(format!("`{text}` is not a CSS selector")),
        }
    }

    /// It is a JSONPath, whose values have types; all others give text.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.kind() == 0
    }

    /// It is a regular expression that takes more than 64 KiB.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.large
    }

    /// It is a regular expression that is found in `text`.
    #[must_use]
    pub fn is_found_in(&self, text: &[u8]) -> bool {
        matches!(&self.form, Form::Regex(pattern) if pattern.is_match(text))
    }

    fn kind(&self) -> u8 {
        match self.form {
            Form::Path(_) | Form::General(_) => 0,
            Form::Regex(_) => 1,
            Form::Css(..) => 2,
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first value, or none.
    ///
    /// # Errors
    /// The body is not JSON, as far as it had to be read.
    pub fn first(&self, body: &[u8]) -> Result<Option<Value>, NotJson> {
        match &self.form {
            Form::Path(parts) => at_path(parts, body),
            Form::General(path) => {
                let tree: serde_json::Value = serde_json::from_slice(body).map_err(|_| NotJson)?;
                path.query(&tree).first().map(value).transpose()
            }
            Form::Regex(regex) => Ok(matches(regex, body).next()),
            Form::Css(selector, attribute) => {
                Ok(elements(selector, attribute.as_deref(), body, 1).pop())
            }
        }
    }

    /// The picked value, or none.
    ///
    /// # Errors
    /// The body is not JSON, as far as it had to be read.
    pub fn find(
        &self,
        body: &[u8],
        pick: Pick,
        random: &mut Stream,
    ) -> Result<Option<Value>, NotJson> {
        if pick == Pick::First {
            return self.first(body);
        }
        let mut all = self.all(body)?;
        Ok(match pick {
            _ if all.is_empty() => None,
            Pick::First => Some(all.swap_remove(0)),
            Pick::Last => all.pop(),
            Pick::Random => Some(all.swap_remove(random.below(all.len()))),
            Pick::All => Some(Value::List(Arc::new(all))),
        })
    }

    /// All values, in order.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn all(&self, body: &[u8]) -> Result<Vec<Value>, NotJson> {
        match &self.form {
            Form::Path(parts) => Ok(at_path(parts, body)?.into_iter().collect()),
            Form::General(path) => {
                let tree: serde_json::Value = serde_json::from_slice(body).map_err(|_| NotJson)?;
                path.query(&tree).into_iter().map(value).collect()
            }
            Form::Regex(regex) => Ok(matches(regex, body).collect()),
            Form::Css(selector, attribute) => {
                Ok(elements(selector, attribute.as_deref(), body, usize::MAX))
            }
        }
    }
}

fn at_path(parts: &[Part], body: &[u8]) -> Result<Option<Value>, NotJson> {
    skim(parts, body).map_or_else(|| follow(parts, body), |value| Ok(Some(value)))
}

fn value(tree: &serde_json::Value) -> Result<Value, NotJson> {
    serde::Deserialize::deserialize(tree).map_err(|_| NotJson)
}

/// The first group of each match, or the match; a group that took no part gives nothing.
fn matches<'b>(
    regex: &'b regex::bytes::Regex,
    body: &'b [u8],
) -> impl Iterator<Item = Value> + use<'b> {
    let group = usize::from(regex.captures_len() > 1);
    regex.captures_iter(body).filter_map(move |captures| {
        let found = captures.get(group)?;
        Some(Value::Text(String::from_utf8_lossy(found.as_bytes()).as_ref().into()))
    })
}

/// More elements that are never closed make a page on which the parser's work grows with their square:
/// a server could hold a worker with it for hours.
const UNCLOSED: usize = 20_000;

/// How many more elements are opened than closed, those that have no end left out.
fn unclosed(body: &[u8]) -> usize {
    const WITHOUT_END: [&[u8]; 7] = [b"br", b"hr", b"img", b"input", b"link", b"meta", b"source"];
    let mut open = 0usize;
    for start in memchr::memchr_iter(b'<', body) {
        let rest = &body[start + 1..];
        let name = &rest
            [..rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len())];
        if rest.first() == Some(&b'/') {
            open = open.saturating_sub(1);
        } else if !name.is_empty() && !WITHOUT_END.iter().any(|end| name.eq_ignore_ascii_case(end))
        {
            open += 1;
        }
    }
    open
}

/// A page that no browser would show either is as one without the element.
fn elements(
    selector: &scraper::Selector,
    attribute: Option<&str>,
    body: &[u8],
    most: usize,
) -> Vec<Value> {
    if unclosed(body) > UNCLOSED {
        return Vec::new();
    }
    let page = scraper::Html::parse_document(&String::from_utf8_lossy(body));
    let found = page.select(selector).filter_map(|element| match attribute {
        Some(attribute) => element.value().attr(attribute).map(|value| Value::Text(value.into())),
        None => Some(Value::Text(element.text().collect::<String>().trim().into())),
    });
    found.take(most).collect()
}

/// Why a text is no regular expression, and where.
fn wrong_regex(text: &str) -> ParseError {
    let (what, span) = match regex_syntax::parse(text) {
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), *error.span()),
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
        _ => {
            let title = "the regular expression takes more than 1 MiB";
            let hint = "make its repetitions shorter";
            return ParseError::new(title, hint, 0..text.len());
        }
    };
    let (start, end) = (span.start.offset.min(text.len()), span.end.offset.min(text.len()));
    let at = text.floor_char_boundary(start)..text.ceil_char_boundary(end);
    let hint = if what.starts_with("look-around") {
        "match what is around it, and put what you want in a group: `token=(.+?);`".to_owned()
    } else {
        "write `\\` before a sign that stands for itself, as in `\\(`".to_owned()
    };
    ParseError::new(format!("not a regular expression: {what}"), hint, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_would_hold_a_worker_for_hours_is_not_parsed() {
        let page = "<div>".repeat(1_000_000) + "<p id=x>found</p>";
        let selector = Selector::css("#x", None).unwrap();
        assert_eq!(selector.first(page.as_bytes()), Ok(None));
        let list = "<ul>".to_owned() + &"<li>a<br>".repeat(5_000) + "</ul><p id=x>found</p>";
        assert_eq!(selector.first(list.as_bytes()), Ok(Some(Value::Text("found".into()))));
    }

    use proptest::prelude::*;

    fn first(path: &str, body: &str) -> String {
        match Selector::json(path).unwrap().first(body.as_bytes()) {
            Ok(Some(value)) => serde_json::to_string(&value).unwrap(),
            Ok(None) => "nothing".into(),
            Err(NotJson) => "not JSON".into(),
        }
    }

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        let body = r#"{"a":{"b":[1,{"c":"x"},3]},"id":7,"n":null,"id2":8}"#;
        for (path, want) in [
            ("$.id", "7"),
            ("$.a.b[1].c", "\"x\""),
            ("$.a.b[9]", "nothing"),
            ("$.a.b.c", "nothing"),
            ("$.id.x", "nothing"),
            ("$.n", "null"),
            ("$.nope", "nothing"),
            ("$.a.b[*].c", "\"x\""),
            ("$['id']", "7"),
            ("$.a.b[-1]", "3"),
            ("$.a.b", r#"[1,{"c":"x"},3]"#),
        ] {
            assert_eq!(first(path, body), want, "{path}");
        }
        assert_eq!(first("$", "5"), "5");
        assert_eq!(first("$[0].id", r#"[{"id":1},{"id":2}]"#), "1");
    }

    #[test]
    fn a_body_that_is_no_json_is_told_apart_from_one_without_the_field() {
        assert_eq!(first("$.id", "<html>"), "not JSON");
        assert_eq!(first("$.id", ""), "not JSON");
        assert_eq!(first("$.id", r#"{"a":1"#), "not JSON");
        assert_eq!(first("$.a[*]", "<html>"), "not JSON");
    }

    #[test]
    fn a_broken_path_is_placed() {
        let error = Selector::json("$.a[").unwrap_err();
        assert_eq!(error.title, "`$.a[` is not a JSONPath");
        let error = Selector::json("user.id").unwrap_err();
        assert_eq!(error.hint, "a path begins with `$`: write `$.user.id`");
        let text = "한(\\d+";
        let error = Selector::regex(text).unwrap_err();
        assert_eq!(
            (&*error.title, &text[error.at]),
            ("not a regular expression: unclosed group", "(")
        );
        let error = Selector::regex("a(?=b)").unwrap_err();
        assert!(error.hint.starts_with("match what is around it"), "{error:?}");
        let error = Selector::regex(&"(a|b)*".repeat(10_000)).unwrap_err();
        assert_eq!(error.title, "the regular expression is longer than 32 KiB");
        assert!(Selector::regex("(\\w{1000}){1000}").unwrap_err().title.contains("1 MiB"));
        assert_eq!(Selector::css("a[", None).unwrap_err().title, "`a[` is not a CSS selector");
        assert!(Selector::css(" ", None).is_err());
    }

    fn picked(selector: &Selector, pick: Pick, body: &[u8]) -> String {
        let found = selector.find(body, pick, &mut Stream::new(1, 0, 0)).unwrap();
        found.map_or("nothing".into(), |value| serde_json::to_string(&value).unwrap())
    }

    #[test]
    fn a_regex_gives_its_first_group_or_the_match() {
        let body = b"id=1; id=22;\xff id=333;";
        let digits = Selector::regex(r"id=(\d+)").unwrap();
        assert_eq!(picked(&digits, Pick::First, body), "\"1\"");
        assert_eq!(picked(&digits, Pick::Last, body), "\"333\"");
        assert_eq!(picked(&digits, Pick::All, body), r#"["1","22","333"]"#);
        assert_eq!(picked(&Selector::regex("i.=2+").unwrap(), Pick::First, body), "\"id=22\"");
        assert_eq!(picked(&Selector::regex("x(y)").unwrap(), Pick::All, body), "nothing");
        assert_eq!(picked(&Selector::regex("id(x)?").unwrap(), Pick::First, body), "nothing");
        assert_eq!(picked(&Selector::regex(";(.) id").unwrap(), Pick::First, body), "nothing");
        assert_eq!(
            picked(&Selector::regex("(?-u:;(.) id)").unwrap(), Pick::First, body),
            "\"\u{fffd}\""
        );
    }

    #[test]
    fn css_gives_the_text_or_an_attribute() {
        let body =
            "<p>x<form id=login><input name=csrf value='a&amp;b'><b> 1 <i>2</i> </b><b>3</b>";
        let css = |text: &str, attr| Selector::css(text, attr).unwrap();
        let find = |selector: Selector, pick| picked(&selector, pick, body.as_bytes());
        assert_eq!(find(css("#login input[name=csrf]", Some("value")), Pick::First), "\"a&b\"");
        assert_eq!(find(css("#login b", None), Pick::All), r#"["1 2","3"]"#);
        assert_eq!(find(css("b", None), Pick::Last), "\"3\"");
        assert_eq!(find(css("b", Some("href")), Pick::First), "nothing");
        assert_eq!(picked(&css("b", None), Pick::First, b"\xff\xfe"), "nothing");
    }

    #[test]
    fn one_of_many_is_picked_by_the_users_random_numbers() {
        let body = br#"{"items":[{"id":1},{"id":2},{"id":3}],"none":[]}"#;
        let ids = Selector::json("$.items[*].id").unwrap();
        let draw = |seed| {
            let mut random = Stream::new(seed, 0, 0);
            (0..40)
                .map(|_| ids.find(body, Pick::Random, &mut random).unwrap().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!((1..=3).all(|id| draw(1).contains(&Value::Int(id))));
        assert_eq!(picked(&ids, Pick::All, body), "[1,2,3]");
        assert_eq!(picked(&ids, Pick::Last, body), "3");
        for pick in [Pick::First, Pick::Last, Pick::Random, Pick::All] {
            assert_eq!(picked(&Selector::json("$.none[*]").unwrap(), pick, body), "nothing");
        }
        assert_eq!(picked(&Selector::json("$..id").unwrap(), Pick::All, body), "[1,2,3]");
        let filtered = Selector::json("$.items[?@.id > 1].id").unwrap();
        assert_eq!(picked(&filtered, Pick::All, body), "[2,3]");
        assert_eq!(picked(&Selector::json("$.items[1:].id").unwrap(), Pick::First, body), "2");
        assert_eq!(ids.find(b"<", Pick::All, &mut Stream::new(1, 0, 0)), Err(NotJson));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value as J;
        let leaf = prop_oneof![
            Just(J::Null),
            any::<bool>().prop_map(J::from),
            any::<i32>().prop_map(J::from),
            "[a-c\"é]{0,3}".prop_map(J::from)
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(J::from),
                prop::collection::hash_map("[a-c]", inner, 0..4)
                    .prop_map(|map| J::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The fast way against the slow obvious one.
        #[test]
        fn following_while_parsing_agrees_with_the_library(tree in json(), path in "\\$((\\.[a-c])|(\\[[0-2]\\])){0,4}") {
            let fast = Selector::json(&path).unwrap();
            prop_assert!(matches!(fast.form, Form::Path(_)));
            let general = Form::General(Box::new(serde_json_path::JsonPath::parse(&path).unwrap()));
            let slow = Selector { text: path, form: general, large: false };
            let body = serde_json::to_vec(&tree).unwrap();
            prop_assert_eq!(fast.first(&body), slow.first(&body));
        }
    }
}
