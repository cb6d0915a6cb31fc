//! Owns reading what is asked of an answer and kept of it: accept, expect, capture, retry.

use super::stray::{OF_A_REQUEST, fits};
use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place, Placed};
use crate::expr::Pick;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{
    AcceptRule, Again, Bound, Capture, Check, Expect, Matcher, Origin, Range, Retry,
};
use crate::plan::status::Accept;
use crate::units::{parse_duration, parse_size};
use crate::verdict::Op;

/// Where a value can stand in an answer.
const SOURCES: [&str; 6] = ["json", "header", "cookie", "regex", "css", "value"];
const MATCHERS: [&str; 9] = [
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "matches",
    "one_of",
    "length",
    "between",
    "exists",
];

impl Checker<'_> {
    pub(super) fn accept(&mut self, node: &Node) -> Option<Vec<AcceptRule>> {
        match &node.value {
            NodeValue::List(items) if items.is_empty() => {
                self.wrong(node, "`accept` is empty", "write `any` to accept every status code");
                None
            }
            NodeValue::List(items) => {
                let rules: Vec<_> = items.iter().map(|item| self.accept_rule(item)).collect();
                let rules: Vec<AcceptRule> = rules.into_iter().collect::<Option<_>>()?;
                for (at, rule) in rules.iter().enumerate().skip(1) {
                    let before = || rules[..at].iter();
                    let taken = |code: u16| before().any(|rule| rule.codes.allows(code));
                    let said = rule.because.is_some() || rule.fail.is_some();
                    if said && (0..1000).all(|code| !rule.codes.allows(code) || taken(code)) {
                        self.warn(
                            items[at].place,
                            "this rule is never looked at: those before it take its codes",
                            "of several rules the first that fits decides: move it up",
                        );
                    }
                }
                self.some_success(node, &rules);
                Some(rules)
            }
            _ => {
                let rules = vec![self.accept_rule(node)?];
                self.some_success(node, &rules);
                Some(rules)
            }
        }
    }

    fn some_success(&mut self, node: &Node, rules: &[AcceptRule]) {
        if rules.iter().all(|rule| rule.fail.is_some()) {
            let label = "add what is a success, as `2xx`";
            self.warn(node.place, "`accept` lets no status code be a success", label);
        }
    }

    fn accept_rule(&mut self, node: &Node) -> Option<AcceptRule> {
        if !matches!(node.value, NodeValue::Map(_)) {
            let codes = self.codes(node, "`accept`")?;
            return Some(AcceptRule { codes, because: None, fail: None });
        }
        let fields = self.fields(node, Context::AcceptRule, node.place, "the accept rule")?;
        let Some(status) = fields.entry("status") else {
            if !fields.odd {
                let label = "add `status`: the codes that it is about";
                self.wrong(node, "the accept rule lacks `status`", label);
            }
            return None;
        };
        if let (Some(_), Some(fail)) = (fields.entry("because"), fields.entry("fail")) {
            let title = "a rule is a success, `because`, or a failure, `fail`, not both";
            self.error(fail.key.place, title, "take one of the two out");
            return None;
        }
        let codes = match &status.value.value {
            NodeValue::List(items) => {
                let codes: Vec<_> = items.iter().map(|item| self.codes(item, "`status`")).collect();
                codes.into_iter().collect::<Option<Vec<_>>>().map(Accept::any_of)
            }
            _ => self.codes(&status.value, "`status`"),
        };
        let because = fields.get("because").and_then(|node| self.text(node, "`because`"));
        let fail = fields.get("fail").and_then(|node| self.raw_text(node, "`fail`"));
        let fail = fail.and_then(|fail| self.in_one_line(fail, "`fail`"));
        Some(AcceptRule { codes: codes?, because: because.map(|text| text.value), fail })
    }

    fn codes(&mut self, node: &Node, what: &str) -> Option<Accept> {
        let node = &*self.computed_number(node, what)?;
        let text = match &node.value {
            NodeValue::Int(code) => code.to_string(),
            NodeValue::Text(text) => text.clone(),
            other => {
                let title = format!("{what} takes status codes, not {}", other.kind());
                self.wrong(node, title, "write `201`, `2xx`, `200..299`, `[200, 404]` or `any`");
                return None;
            }
        };
        match Accept::parse(&text) {
            Ok(accept) => Some(accept),
            Err(error) => {
                let title = format!("`{}` is not a rule for status codes", shorten(&text));
                self.wrong(node, title, error.to_string());
                None
            }
        }
    }

    pub(super) fn retry(&mut self, entry: &Entry) -> Option<Option<Box<Retry>>> {
        let node = &entry.value;
        if let NodeValue::Text(text) = &node.value
            && text.trim() == "none"
        {
            return Some(None);
        }
        if !matches!(node.value, NodeValue::Map(_)) {
            let times = match node.value {
                NodeValue::Int(times @ 1..=100) => times,
                _ => 3,
            };
            let label = format!("write `{{ status: 503, times: {times}, wait: 200ms }}` or `none`");
            self.wrong(node, format!("`retry` cannot be {}", node.value.kind()), label);
            return None;
        }
        let fields = self.fields(node, Context::Retry, entry.key.place, "`retry`")?;
        let mut retry = Again {
            status: Accept::any_of([]),
            connect: false,
            timeout: false,
            reset: false,
            times: 1,
            wait: std::time::Duration::ZERO,
            backoff: 1.0,
        };
        // Each key is looked at, whatever is wrong with the others.
        let errors = self.errors();
        match fields.get("status") {
            Some(status) => self.tried_again(status, &mut retry),
            None if fields.odd => return None,
            None => {
                let label = "add `status`: what is tried again, as `503`, `5xx`, `connect`, `timeout`, `reset`";
                self.error(entry.key.place, "`retry` lacks `status`", label);
            }
        }
        if let Some(node) = fields.get("times")
            && let Some(times) = self.whole(node, "`times`")
        {
            if times == 0 || times > 100 {
                let label = "write `3`, or take `retry` out";
                self.wrong(node, "`times` is a number from 1 to 100", label);
            }
            retry.times = times as u32;
        }
        if let Some(node) = fields.get("wait") {
            retry.wait = self.duration(node, "`wait`").unwrap_or_default();
        }
        if let Some(node) = fields.get("backoff")
            && let Some(backoff) = self.number(node, "`backoff`")
        {
            if !(1.0..=10.0).contains(&backoff) {
                let label = "write `2` to double the wait each time";
                self.wrong(node, "`backoff` is a factor from 1 to 10", label);
            }
            retry.backoff = backoff;
        }
        let first = fields.entry("first").and_then(|entry| self.steps(entry)).unwrap_or_default();
        // With a mistake it is kept for its steps alone, in which there may be more.
        if self.errors() > errors && first.is_empty() {
            return None;
        }
        Some(Some(Box::new(Retry { when: retry, first })))
    }

    /// `503`, `[5xx, connect]`
    fn tried_again(&mut self, status: &Node, retry: &mut Again) {
        let nodes = match &status.value {
            NodeValue::List(items) => &items[..],
            _ => std::slice::from_ref(status),
        };
        if nodes.is_empty() {
            let label = "write codes, `5xx`, `connect`, `timeout` or `reset`";
            self.wrong(status, "nothing is tried again: `status` is empty", label);
        }
        let mut codes = Vec::new();
        for node in nodes {
            match &node.value {
                NodeValue::Text(text) if text.trim() == "connect" => retry.connect = true,
                NodeValue::Text(text) if text.trim() == "timeout" => retry.timeout = true,
                NodeValue::Text(text) if text.trim() == "reset" => retry.reset = true,
                NodeValue::Text(text)
                    if !text.contains("{{") && text.trim().starts_with(char::is_alphabetic) =>
                {
                    let label = match self.suggest(text.trim(), ["connect", "timeout", "reset"]) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "write codes, `5xx`, `connect`, `timeout` or `reset`".to_owned(),
                    };
                    let title = format!("`{}` is nothing that is tried again", shorten(text));
                    self.wrong(node, title, label);
                }
                _ => codes.extend(self.codes(node, "`status`")),
            }
        }
        retry.status = Accept::any_of(codes);
    }

    fn number(&mut self, node: &Node, what: &str) -> Option<f64> {
        let node = &*self.computed_number(node, what)?;
        match node.value {
            NodeValue::Int(number) => Some(number as f64),
            NodeValue::Float(number) => Some(number),
            ref other => {
                self.wrong(
                    node,
                    format!("{what} must be a number, not {}", other.kind()),
                    "write a number, as `2`",
                );
                None
            }
        }
    }

    pub(super) fn captures(&mut self, entry: &Entry) -> Option<Vec<Capture>> {
        let entries = match &entry.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            NodeValue::Map(_) | NodeValue::Null => {
                let label = "write a variable and where its value stands, as `$.id`";
                self.error(entry.key.place, "`capture` is empty", label);
                return None;
            }
            other => {
                let title = format!(
                    "`capture` must be a map from variables to paths, not {}",
                    other.kind()
                );
                self.wrong(
                    &entry.value,
                    title,
                    "write the variable as a key, and `$.id` behind it",
                );
                return None;
            }
        };
        let captures: Vec<_> = entries.iter().map(|entry| self.capture(entry)).collect();
        Some(captures.into_iter().flatten().collect())
    }

    fn capture(&mut self, entry: &Entry) -> Option<Capture> {
        let captures = match &entry.value.value {
            NodeValue::Map(entries) => {
                entries.iter().any(|entry| Context::Capture.find(&entry.key.value).is_some())
            }
            NodeValue::Text(text) => text.contains("{{") || !fits(entry, OF_A_REQUEST),
            _ => false,
        };
        if !captures && self.stray(entry, OF_A_REQUEST, "capture") {
            return None;
        }
        let name = self.variable(&entry.key);
        let what = format!("the capture `{}`", shorten(&entry.key.value));
        let NodeValue::Map(_) = entry.value.value else {
            let origin = match &entry.value.value {
                NodeValue::Text(text) if text.contains("{{") => {
                    Some(Origin::Value(entry.value.clone()))
                }
                NodeValue::Text(text) if !text.trim().is_empty() => {
                    self.json_path(&entry.value, &what).map(Origin::Json)
                }
                other => {
                    let title = match other {
                        NodeValue::Null | NodeValue::Text(_) => format!("{what} is empty"),
                        other => format!("{what} must be a path or a map, not {}", other.kind()),
                    };
                    self.wrong(&entry.value, title, "write where the value stands, as `$.id`");
                    None
                }
            };
            let (pick, push, default, secret) = (Pick::First, false, None, false);
            return Some(Capture { name: name?, origin: origin?, pick, push, default, secret });
        };
        let fields = self.fields(&entry.value, Context::Capture, entry.key.place, &what)?;
        let push = fields.get("push").map_or(Some(false), |node| self.bool(node, "`push`"));
        let secret = fields.get("secret").map_or(Some(false), |node| self.bool(node, "`secret`"));
        let words = [
            ("first", Pick::First),
            ("last", Pick::Last),
            ("random", Pick::Random),
            ("all", Pick::All),
        ];
        let pick =
            fields.get("pick").map_or(Some(Pick::First), |node| self.word(node, "`pick`", &words));
        let origin = self.origin(&fields, &what);
        if let (Some(Some(Origin::Header(_) | Origin::Cookie(_) | Origin::Value(_))), Some(pick)) =
            (&origin, fields.entry("pick"))
        {
            let title = "`pick` chooses among matches of `json`, `regex` or `css`";
            self.error(pick.key.place, title, "take it out");
        }
        let default = fields.get("default").cloned();
        let origin = match origin? {
            Some(origin) => origin,
            None => {
                if !fields.odd {
                    let label = "add `json`: where the value stands in the body, as `$.id`";
                    self.error(entry.key.place, format!("{what} has no source"), label);
                }
                return None;
            }
        };
        Some(Capture {
            name: name?,
            origin,
            pick: pick?,
            push: push.unwrap_or_default(),
            default,
            secret: secret.unwrap_or_default(),
        })
    }

    /// The source that is named; inner absence: none is. Outer absence: it has been told.
    fn origin(&mut self, fields: &Fields<'_>, what: &str) -> Option<Option<Origin>> {
        let sources = fields.present(&SOURCES);
        let attr = fields.entry("attr");
        let source = match sources[..] {
            [] => {
                if let Some(attr) = attr {
                    let title = "`attr` is of an element: it needs `css`";
                    self.error(attr.key.place, title, "add `css`, as `css: \"input[name=csrf]\"`");
                    return None;
                }
                return Some(None);
            }
            [one] => one,
            [first, second, ..] => {
                let title = format!(
                    "{what} has two sources: `{}` and `{}`",
                    first.key.value, second.key.value
                );
                let diagnostic = Diagnostic::error(second.key.place, title, "keep one")
                    .also(first.key.place, "the first");
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        let key = &*source.key.value;
        if let (Some(attr), false) = (attr, key == "css") {
            let title = format!("`attr` is of an element, not of `{key}`");
            self.error(attr.key.place, title, "take it out, or write `css`");
            return None;
        }
        let node = &source.value;
        let quoted = format!("`{key}`");
        Some(Some(match key {
            "json" => Origin::Json(self.json_path(node, &quoted)?),
            "value" => Origin::Value(node.clone()),
            "css" => {
                if matches!(node.value, NodeValue::Null) {
                    let title = "`css` is empty: a `#` begins a comment";
                    self.error(source.key.place, title, "quote it, as `css: \"#login\"`");
                    return None;
                }
                let attr = match attr {
                    Some(attr) => Some(self.text(&attr.value, "`attr`")?),
                    None => None,
                };
                Origin::Css(self.text(node, &quoted)?, attr)
            }
            "header" => {
                let name = self.text(node, &quoted)?;
                self.token(&name, "the name of a header").then_some(Origin::Header(name))?
            }
            "cookie" => Origin::Cookie(self.text(node, &quoted)?),
            _ => Origin::Regex(self.text(node, &quoted)?),
        }))
    }

    fn json_path(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        let path = self.text(node, what)?;
        let text = path.value.trim();
        if !text.starts_with('$') {
            let advice = match text.strip_prefix('.') {
                Some(rest) => format!("write `$.{}`", shorten(rest)),
                None if text.starts_with('[') => format!("write `${}`", shorten(text)),
                None => format!("write `$.{}`", shorten(text)),
            };
            self.wrong(node, "a path into the body begins with `$`", advice);
            return None;
        }
        Some(Placed { value: text.to_owned(), place: path.place })
    }

    pub(super) fn expects(&mut self, entry: &Entry) -> Vec<Expect> {
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Null => {
                let label = "write what the answer must hold, as `{ json: $.id, exists: true }`";
                self.error(entry.key.place, "`expect` is empty", label);
                return Vec::new();
            }
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().filter_map(|node| self.expect(node)).collect()
    }

    fn expect(&mut self, node: &Node) -> Option<Expect> {
        if !matches!(node.value, NodeValue::Map(_)) {
            let label = match &node.value {
                NodeValue::Int(code @ 100..=599) => {
                    format!("write `accept: {code}`, beside `expect`")
                }
                NodeValue::Text(text) => format!("write `{{ contains: {} }}`", shorten(text)),
                _ => "write a source and a matcher, as `{ json: $.id, exists: true }`".to_owned(),
            };
            self.wrong(node, format!("an expect must be a map, not {}", node.value.kind()), label);
            return None;
        }
        let place = match &node.value {
            NodeValue::Map(entries) if node.place.range().is_empty() => {
                entries.first().map_or(node.place, |entry| entry.key.place)
            }
            _ => node.place,
        };
        let fields = self.fields(node, Context::Expect, place, "the expect")?;
        let message = fields.get("message").and_then(|node| self.raw_text(node, "`message`"));
        let message = message.and_then(|message| self.in_one_line(message, "`message`"));
        let check = self.check(&fields, place)?;
        Some(Expect { check, message, place })
    }

    fn check(&mut self, fields: &Fields<'_>, place: Place) -> Option<Check> {
        let alone = fields.present(&["time", "size", "that"]);
        let matchers = fields.present(&MATCHERS);
        let sources = fields.present(&["json", "header", "cookie", "regex", "css", "body"]);
        if let [one, rest @ ..] = &alone[..] {
            let other =
                rest.first().copied().or(matchers.first().copied()).or(sources.first().copied());
            if let Some(other) = other {
                let title = format!("`{}` stands alone in an expect", one.key.value);
                self.error(other.key.place, title, "write it as an expect of its own, in a list");
                return None;
            }
            return match &*one.key.value {
                "that" => self.expression(&one.value, "`that`").map(Check::That),
                "time" => self
                    .bound(&one.value, "time", |text| {
                        parse_duration(text).map_err(|error| error.to_string())
                    })
                    .map(Check::Time),
                _ => self
                    .bound(&one.value, "size", |text| {
                        parse_size(text).map_err(|error| error.to_string())
                    })
                    .map(Check::Size),
            };
        }
        let origin = match self.origin(fields, "the expect")? {
            Some(origin) => origin,
            None => {
                if let Some(body) = fields.entry("body") {
                    if let NodeValue::Text(text) = &body.value.value {
                        let place = Place { end: body.value.place.end, ..body.key.place };
                        let label = format!("write `contains: {}`", shorten(text));
                        self.error(place, "`body` says where to look, not for what", label);
                        return None;
                    }
                    self.bool(&body.value, "`body`")?;
                }
                Origin::Body
            }
        };
        let matcher = match matchers[..] {
            [matcher] => matcher,
            [] => {
                if !fields.odd {
                    let label = "add one, as `equals`, `contains`, `matches`, `length` or `exists`";
                    self.error(place, "the expect says nothing of its source", label);
                }
                return None;
            }
            [first, second, ..] => {
                let title = format!(
                    "the expect asks two things: `{}` and `{}`",
                    first.key.value, second.key.value
                );
                let label = "write two expects, in a list";
                self.diagnostics.push(
                    Diagnostic::error(second.key.place, title, label)
                        .also(first.key.place, "the first"),
                );
                return None;
            }
        };
        let node = &matcher.value;
        let matcher = match &*matcher.key.value {
            "equals" => {
                self.range_as_text(matcher);
                Matcher::Equals(node.clone())
            }
            "not_equals" => Matcher::NotEquals(node.clone()),
            "contains" | "not_contains" => {
                if let NodeValue::Map(_) | NodeValue::Null = node.value {
                    let what = format!("`{}`", matcher.key.value);
                    self.wrong(
                        node,
                        format!("{what} takes text or an item"),
                        "write what is looked for",
                    );
                    return None;
                }
                let wanted = node.clone();
                if matcher.key.value == "contains" {
                    Matcher::Contains(wanted)
                } else {
                    Matcher::NotContains(wanted)
                }
            }
            "matches" => Matcher::Matches(self.text(node, "`matches`")?),
            "one_of" => match &node.value {
                NodeValue::List(items) if !items.is_empty() => Matcher::OneOf(items.clone()),
                _ => {
                    self.wrong(node, "`one_of` takes a list of values", "write `[open, closed]`");
                    return None;
                }
            },
            "length" => {
                let range = self.range(node, "`length`")?;
                if range.high.is_some_and(|high| high < 0.0) {
                    self.wrong(node, "no length is below 0", "write `0`, or a range, as `1..`");
                }
                Matcher::Length(range)
            }
            "between" => Matcher::Between(self.range(node, "`between`")?),
            _ => Matcher::Exists(self.bool(node, "`exists`")?),
        };
        Some(Check::Value(origin, matcher))
    }

    /// `equals: 1..10` asks for that very text. In quotes it is meant.
    fn range_as_text(&mut self, matcher: &Entry) {
        let place = matcher.value.place;
        let NodeValue::Text(text) = &matcher.value.value else { return };
        if place.range().len() != text.len() || matcher.value.defined.is_some() {
            return;
        }
        let number = |end: &str| {
            let digits = end.trim_start_matches(['+', '-']);
            digits.starts_with(|c: char| c.is_ascii_digit()) && end.parse::<f64>().is_ok()
        };
        let is_end = |end: &str| end.is_empty() || number(end);
        let is_range = text
            .split_once("..")
            .is_some_and(|(low, high)| is_end(low) && is_end(high) && text.len() > 2);
        if is_range {
            let title = format!("`equals: {text}` asks for this very text");
            self.warn(
                Place { start: matcher.key.place.start, ..place },
                title,
                format!("for a number in this range write `between: {text}`"),
            );
        }
    }

    /// `< 500ms`
    fn bound<T>(
        &mut self,
        node: &Node,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Bound<T>> {
        let text = self.unit_text(node, &format!("`{key}`"))?;
        let trimmed = text.trim();
        let example = if key == "time" { "< 500ms" } else { "< 10KB" };
        let ops = [
            ("<=", Op::LessOrEqual),
            (">=", Op::GreaterOrEqual),
            ("<", Op::Less),
            (">", Op::Greater),
        ];
        let Some((op, rest)) =
            ops.into_iter().find_map(|(sign, op)| Some((op, trimmed.strip_prefix(sign)?)))
        else {
            let label = if parse(trimmed).is_ok() {
                format!("write `< {trimmed}`")
            } else {
                format!("write it as `{key}: {example}`")
            };
            self.wrong(node, format!("`{key}` lacks its comparison"), label);
            return None;
        };
        match parse(rest.trim()) {
            Ok(limit) => Some(Bound { op, limit }),
            Err(error) => {
                let title = format!("`{}` is not a limit for `{key}`", shorten(trimmed));
                self.wrong(node, title, error);
                None
            }
        }
    }

    /// `3`, `1..`, `..10`, `1..10`
    fn range(&mut self, node: &Node, what: &str) -> Option<Range> {
        let node = &*self.computed_number(node, what)?;
        let shape = "write a number or a range, as `3`, `1..`, `..10` or `1..10`";
        let text = match &node.value {
            NodeValue::Int(number) => {
                let number = *number as f64;
                return Some(Range { low: Some(number), high: Some(number) });
            }
            NodeValue::Float(number) => {
                return Some(Range { low: Some(*number), high: Some(*number) });
            }
            NodeValue::Text(text) => text.trim(),
            other => {
                let shape = match other {
                    NodeValue::List(items) => match &items[..] {
                        [
                            Node { value: NodeValue::Int(low), .. },
                            Node { value: NodeValue::Int(high), .. },
                        ] => format!("write `{low}..{high}`"),
                        _ => shape.to_owned(),
                    },
                    _ => shape.to_owned(),
                };
                let title = format!("{what} must be a number or a range, not {}", other.kind());
                self.wrong(node, title, shape);
                return None;
            }
        };
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse::<f64>().map(Some),
        };
        let ends = text.split_once("..").map(|(low, high)| (end(low), end(high)));
        let Some((Ok(low), Ok(high))) = ends else {
            self.wrong(node, format!("`{}` is not a range", shorten(text)), shape);
            return None;
        };
        if low.is_none() && high.is_none() {
            self.wrong(node, "the range has no end", shape);
            return None;
        }
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            self.wrong(node, "the range runs backwards", format!("write `{high}..{low}`"));
            return None;
        }
        Some(Range { low, high })
    }
}
