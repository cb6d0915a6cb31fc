//! Owns compiling a request: its defaults, its bytes, its rules.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::bodies::Sent;
use super::compile::{Compiler, Draft, node_text};
use super::instruction::{Request, Retry, connection_use};
use super::message::{Line, Message, Parts, Payload};
use super::rules::{AcceptRule, Capture, Check, Expect, Matcher, Source, Text};
use crate::diagnostic::Placed;
use crate::expr::{Encoding, Names, Selector, Template, Uses};
use crate::metrics::{Facet, RequestName};
use crate::plan::{self, Accept, Auth, Node, NodeValue, OnFail, Origin, Settings, Target};
use crate::protocol::Limits;

/// Ways of compressing that an answer may come in.
const CODINGS: &str = "gzip, deflate, br, zstd";

/// The settings of a request after its defaults.
pub(super) struct Merged<'a> {
    headers: Vec<&'a (Placed<String>, Node)>,
    query: Vec<&'a (Placed<String>, Node)>,
    cookies: Vec<&'a (Placed<String>, Node)>,
    auth: Option<&'a Auth>,
    timeout: plan::Timeout,
    redirects: plan::Redirects,
    compressed: bool,
    pub(super) retry: Option<&'a Option<Box<plan::Retry>>>,
    accept: Option<&'a Vec<plan::AcceptRule>>,
    expect: Option<&'a Vec<plan::Expect>>,
    on_fail: Option<OnFail>,
}

impl Merged<'_> {
    /// Whether it asks before it sends its body. What a template makes is not known yet.
    fn continues(&self) -> bool {
        self.headers.iter().any(|(name, node)| {
            let asks = matches!(&node.value, NodeValue::Text(text)
                if text.trim().eq_ignore_ascii_case("100-continue"));
            asks && name.value.eq_ignore_ascii_case("expect")
        })
    }
}

/// A request wins over its class's defaults, and they over the plan's; maps are merged by name.
fn merged<'a>(levels: [&'a Settings; 3]) -> Merged<'a> {
    fn by_name(
        levels: [&[(Placed<String>, Node)]; 3],
        same: fn(&str) -> Cow<'_, str>,
    ) -> Vec<&(Placed<String>, Node)> {
        let mut all: Vec<&(Placed<String>, Node)> = Vec::new();
        let mut positions = HashMap::new();
        for entry in levels.into_iter().rev().flatten() {
            match positions.entry(same(&entry.0.value)) {
                Entry::Occupied(known) => all[*known.get()] = entry,
                Entry::Vacant(new) => {
                    new.insert(all.len());
                    all.push(entry);
                }
            }
        }
        all.retain(|(_, node)| node.value != NodeValue::Null);
        all
    }
    let lower = |name: &str| Cow::Owned(name.to_ascii_lowercase());
    let headers = by_name(levels.map(|level| &level.headers[..]), lower);
    let query = by_name(levels.map(|level| &level.query[..]), |name| Cow::Borrowed(name));
    let cookies = by_name(levels.map(|level| &level.cookies[..]), |name| Cow::Borrowed(name));
    let timeouts = levels.map(|level| level.timeout);
    Merged {
        headers,
        query,
        cookies,
        auth: levels.iter().find_map(|level| level.auth.as_ref()),
        timeout: plan::Timeout {
            connect: timeouts.iter().find_map(|timeout| timeout.connect),
            first_byte: timeouts.iter().find_map(|timeout| timeout.first_byte),
            idle: timeouts.iter().find_map(|timeout| timeout.idle),
            total: timeouts.iter().find_map(|timeout| timeout.total),
        },
        redirects: levels.iter().find_map(|level| level.redirects).unwrap_or_default(),
        compressed: levels.iter().find_map(|level| level.compressed).unwrap_or(false),
        retry: levels.iter().find_map(|level| level.retry.as_ref()),
        accept: levels.iter().find_map(|level| level.accept.as_ref()),
        expect: levels.iter().find_map(|level| level.expect.as_ref()),
        on_fail: levels.iter().find_map(|level| level.on_fail),
    }
}

/// Where a path leads.
enum Way {
    /// Below a target.
    Path { target: usize, base: String, host: String, path: String },
    /// To be seen while running.
    Unknown,
}

impl<'a> Compiler<'a> {
    pub(super) fn request(&mut self, request: &'a plan::Request, draft: &mut Draft<'a>) -> Request {
        let settings = merged([&request.settings, draft.defaults[0], draft.defaults[1]]);
        let inherits = !draft.retrying || request.settings.retry.is_some();
        let names = std::mem::take(&mut draft.class.names);
        // What is read to write the request, and what its rules read.
        let mut reads = Uses::default();
        let mut judged = Uses::default();
        let name = request.name.as_ref().unwrap_or(&request.path).value.clone();
        let (target, message) = self.message(request, &settings, &names, draft.target, &mut reads);
        let accept = self.accept(settings.accept, &names, &mut judged);
        let expects: Vec<Expect> = settings
            .expect
            .into_iter()
            .flatten()
            .filter_map(|expect| self.expect(expect, &names, &mut judged))
            .collect();
        let captures: Vec<Capture> = request
            .captures
            .iter()
            .filter_map(|capture| self.capture(capture, &names, &mut judged))
            .collect();
        draft.class.names = names;
        self.count_rules(accept.len() + expects.len() + captures.len(), draft);
        let sources = captures.iter().map(|capture| &capture.source).chain(
            expects.iter().filter_map(|expect| match &expect.check {
                Check::Value(source, _) => Some(source),
                _ => None,
            }),
        );
        let (mut keep_head, mut keep_body) = (judged.response_head, judged.response_body);
        for source in sources {
            keep_head |= matches!(source, Source::Header(_));
            keep_body |= source.needs_body();
        }
        // What requests are written from is the answer before.
        draft.uses.response_head |= reads.response_head;
        draft.uses.response_body |= reads.response_body;
        let mut slots = reads.slots;
        slots.extend(judged.slots);
        self.any_host |= settings.redirects.any_host;
        if let plan::Connections::Shared(count) = draft.connections {
            self.pool = Some(self.pool.unwrap_or(0).max(count));
        }
        let series = request.record.then(|| {
            let mut tags = draft.tags.clone();
            tags.sort();
            tags.dedup();
            let facet = Facet { class: draft.class.name.to_string(), tags };
            let name = RequestName { method: request.method.clone(), name: name.clone() };
            self.series(name, facet, request.path.place)
        });
        let mut limits = Limits::default();
        if let Some(total) = settings.timeout.total {
            limits.total = total;
            // What is longer than the whole never ends by itself.
            limits.first_byte = limits.first_byte.max(total);
        }
        if let Some(connect) = settings.timeout.connect {
            (limits.connect, limits.tls) = (connect, connect);
        }
        limits.first_byte = settings.timeout.first_byte.unwrap_or(limits.first_byte);
        limits.idle = settings.timeout.idle.unwrap_or(limits.idle);
        Request {
            series,
            method: request.method.clone(),
            name,
            target,
            message,
            head_only: request.method == "HEAD",
            limits,
            redirects: settings.redirects.at_most,
            connection: connection_use(request.connections.unwrap_or(draft.connections)),
            rows: Vec::new(),
            reads: slots.into_iter().collect(),
            // Steps before a retry are not retried in the same way by what they inherit.
            retry: settings
                .retry
                .and_then(Option::as_ref)
                .filter(|_| inherits)
                .map(|retry| Retry { when: retry.when.clone(), first: None }),
            accept,
            expects,
            captures,
            on_fail: settings.on_fail,
            wait: request.wait,
            keep_head,
            keep_body,
            retain: false,
            continues: settings.continues(),
        }
    }

    fn message(
        &mut self,
        request: &'a plan::Request,
        settings: &Merged<'a>,
        names: &Names,
        own_target: usize,
        uses: &mut Uses,
    ) -> (usize, Message) {
        let way = self.way(&request.path, own_target);
        let query = self.pairs(settings.query.iter().copied(), Encoding::Query, names, uses);
        let body = self.body(request, names, uses);
        let head = self.head(settings, &body, names, uses);
        let looks = head.uses().request;
        let method = request.method.clone();
        let length = !body.is_none || ["POST", "PUT", "PATCH"].contains(&&*method);
        let (target, line) = match way {
            Way::Path { target, base, host, path } => {
                let text = Placed { value: path, place: request.path.place };
                let mut template = Template::default();
                template.fixed(base.as_bytes());
                template.append(self.template(&text, Encoding::Path, names, uses));
                append_query(&mut template, &text.value, query);
                (target, Line::Path { method, path: template, host })
            }
            Way::Unknown => {
                let mut url = self.template(&request.path, Encoding::Path, names, uses);
                append_query(&mut url, &request.path.value, query);
                let own = &self.targets[own_target].0;
                let (host, base) = (own.authority(), own.base_path().to_owned());
                (own_target, Line::Url { method, url, host, base })
            }
        };
        let parts = Parts { line, head, looks, body: body.payload, length };
        (target, together(parts))
    }

    fn way(&mut self, path: &Placed<String>, own: usize) -> Way {
        let text = &path.value;
        let lower = text.to_ascii_lowercase();
        if text.starts_with('/') {
            let target = &self.targets[own].0;
            let (base, host) = (target.base_path().to_owned(), target.authority());
            return Way::Path { target: own, base, host, path: text.clone() };
        }
        if !(lower.starts_with("http://") || lower.starts_with("https://")) {
            return Way::Unknown;
        }
        let start = text.find("://").map_or(0, |at| at + 3);
        let end = text[start..].find(['/', '?']).map_or(text.len(), |at| start + at);
        let (origin, rest) = text.split_at(end);
        if origin.contains("{{") {
            return Way::Unknown;
        }
        match Target::parse(origin) {
            Ok(target) => {
                let host = target.authority();
                let target = self.target(&target, self.targets[own].1.unwrap_or(0));
                let path = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
                Way::Path { target, base: String::new(), host, path }
            }
            Err(error) => {
                self.error(path.place, error.problem, error.advice);
                Way::Unknown
            }
        }
    }

    /// `name=value&…`, a list once for each item.
    pub(super) fn pairs<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e (Placed<String>, Node)>,
        encoding: Encoding,
        names: &Names,
        uses: &mut Uses,
    ) -> Template {
        let mut all = Template::default();
        for (name, node) in entries {
            let nodes = match &node.value {
                NodeValue::List(items) => &items[..],
                _ => std::slice::from_ref(node),
            };
            for node in nodes {
                if all.as_fixed() != Some(&[]) {
                    all.fixed(b"&");
                }
                self.count_text(&name.value);
                all.append(Template::of_text(&name.value, encoding));
                all.fixed(b"=");
                all.append(self.encoded_node(node, encoding, names, uses));
            }
        }
        all
    }

    /// A scalar with its templates, the fixed parts encoded as well.
    pub(super) fn encoded_node(
        &mut self,
        node: &Node,
        encoding: Encoding,
        names: &Names,
        uses: &mut Uses,
    ) -> Template {
        let text = node_text(node);
        self.count_text(&text);
        match Template::encoded(&text, encoding, names) {
            Ok(template) => {
                self.used(node.place, &text, &template, uses);
                template
            }
            Err(errors) => {
                self.mistakes(node.place, &text, errors);
                Template::default()
            }
        }
    }

    /// The headers, `Host` and `Content-Length` left out.
    fn head(
        &mut self,
        settings: &Merged<'a>,
        body: &Sent,
        names: &Names,
        uses: &mut Uses,
    ) -> Template {
        let mut head = Template::default();
        let given = |name: &str| {
            settings.headers.iter().any(|(header, _)| header.value.eq_ignore_ascii_case(name))
        };
        let mut own = vec![
            ("User-Agent", format!("throng/{}", env!("CARGO_PKG_VERSION"))),
            ("Accept", "*/*".to_owned()),
        ];
        if settings.compressed {
            own.push(("Accept-Encoding", CODINGS.to_owned()));
        }
        if let Some(kind) = &body.kind {
            own.push(("Content-Type", kind.clone()));
        }
        for (name, value) in own {
            if !given(name) {
                head.fixed(format!("{name}: {value}\r\n").as_bytes());
            }
        }
        if !given("authorization") {
            self.auth(settings.auth, names, &mut head, uses);
        }
        for (name, node) in settings.headers.iter().map(|entry| (&entry.0, &entry.1)) {
            self.count_text(&name.value);
            head.fixed(format!("{}: ", name.value).as_bytes());
            let text = Placed { value: node_text(node), place: node.place };
            head.append(self.template_of_header(&text, names, uses));
            head.fixed(b"\r\n");
        }
        if !settings.cookies.is_empty() {
            head.fixed(b"Cookie: ");
            for (position, (name, node)) in
                settings.cookies.iter().map(|entry| (&entry.0, &entry.1)).enumerate()
            {
                if position > 0 {
                    head.fixed(b"; ");
                }
                self.count_text(&name.value);
                head.fixed(format!("{}=", name.value).as_bytes());
                head.append(self.encoded_node(node, Encoding::Cookie, names, uses));
            }
            head.fixed(b"\r\n");
        }
        head
    }

    fn auth(&mut self, auth: Option<&Auth>, names: &Names, head: &mut Template, uses: &mut Uses) {
        match auth {
            None | Some(Auth::None) => {}
            Some(Auth::Bearer(token)) => {
                head.fixed(b"Authorization: Bearer ");
                head.append(self.template_of_header(token, names, uses));
                head.fixed(b"\r\n");
            }
            Some(Auth::Basic(user, password)) => {
                let mut both = self.template(user, Encoding::Plain, names, uses);
                both.fixed(b":");
                both.append(self.template(password, Encoding::Plain, names, uses));
                head.fixed(b"Authorization: Basic ");
                head.append(both.base64());
                head.fixed(b"\r\n");
            }
        }
    }

    /// Headers see the request that they are a part of.
    fn template_of_header(
        &mut self,
        text: &Placed<String>,
        names: &Names,
        uses: &mut Uses,
    ) -> Template {
        self.brace_warnings(text);
        self.template(text, Encoding::Header, names, uses)
    }

    pub(super) fn brace_warnings(&mut self, text: &Placed<String>) {
        for doubt in Template::warnings(&text.value) {
            let place = self.place_within(text.place, &text.value, &doubt);
            self.warn(place, doubt.title, doubt.hint);
        }
    }

    fn accept(
        &mut self,
        rules: Option<&'a Vec<plan::AcceptRule>>,
        names: &Names,
        uses: &mut Uses,
    ) -> Vec<AcceptRule> {
        let Some(rules) = rules else {
            return vec![AcceptRule { codes: Accept::default(), fail: None, because: None }];
        };
        rules
            .iter()
            .map(|rule| AcceptRule {
                codes: rule.codes.clone(),
                fail: rule.fail.as_ref().map(|text| self.message_text(text, names, uses)),
                because: rule.because.clone(),
            })
            .collect()
    }

    /// A message of the plan's own: it groups as written.
    fn message_text(&mut self, text: &Placed<String>, names: &Names, uses: &mut Uses) -> Text {
        let template = self.template(text, Encoding::Plain, names, uses);
        let number = self.text(text.value.clone());
        Text { number, template: template.as_fixed().is_none().then_some(template) }
    }

    fn source(&mut self, origin: &Origin, names: &Names, uses: &mut Uses) -> Option<Source> {
        let (text, parsed) = match origin {
            Origin::Json(text) => (text, Selector::json(&text.value)),
            Origin::Regex(text) => (text, self.regex(&text.value)),
            Origin::Css(text, attr) => {
                (text, Selector::css(&text.value, attr.as_ref().map(|attr| &*attr.value)))
            }
            Origin::Header(name) => return Some(Source::Header(name.value.clone())),
            Origin::Cookie(name) => return Some(Source::Cookie(name.value.clone())),
            Origin::Body => return Some(Source::Whole),
            Origin::Value(node) => return Some(Source::Value(self.build(node, names, uses))),
        };
        match parsed {
            Ok(selector) => Some(Source::Body(selector)),
            Err(error) => {
                self.mistake(text.place, &text.value, error);
                None
            }
        }
    }

    fn capture(
        &mut self,
        capture: &'a plan::Capture,
        names: &Names,
        uses: &mut Uses,
    ) -> Option<Capture> {
        let slot = names.find(&capture.name.value)?;
        let source = self.source(&capture.origin, names, uses)?;
        let default = capture.default.as_ref().map(|node| self.build(node, names, uses));
        let name = &capture.name.value;
        let nothing =
            self.text(format!("capture: {name}: nothing at {}", described(&capture.origin)));
        let not_json = self.text(format!("capture: {name}: the answer is no JSON"));
        let (pick, push, secret) = (capture.pick, capture.push, capture.secret);
        let (name, from) = (name.clone(), described(&capture.origin));
        Some(Capture { slot, name, from, source, pick, push, default, secret, nothing, not_json })
    }

    fn expect(
        &mut self,
        expect: &'a plan::Expect,
        names: &Names,
        uses: &mut Uses,
    ) -> Option<Expect> {
        let check = match &expect.check {
            plan::Check::Time(bound) => Check::Time(*bound),
            plan::Check::Size(bound) => Check::Size(*bound),
            plan::Check::That(text) => Check::That(self.condition(text, names, uses)?),
            plan::Check::Value(origin, matcher) => {
                let source = self.source(origin, names, uses);
                let matcher = self.matcher(matcher, names, uses);
                Check::Value(source?, matcher?)
            }
        };
        let asked = asked(&expect.check);
        let text = match &expect.message {
            Some(message) => self.message_text(message, names, uses),
            None => {
                let number = self.text(format!("expect: {asked}"));
                Text { number, template: None }
            }
        };
        let not_json = match &expect.check {
            plan::Check::Value(origin, _) => {
                self.text(format!("expect: {}: the answer is no JSON", described(origin)))
            }
            _ => text.number,
        };
        Some(Expect { check, asked, text, not_json })
    }

    fn matcher(
        &mut self,
        matcher: &'a plan::Matcher,
        names: &Names,
        uses: &mut Uses,
    ) -> Option<Matcher> {
        Some(match matcher {
            plan::Matcher::Equals(node) => Matcher::Equals(self.build(node, names, uses), true),
            plan::Matcher::NotEquals(node) => Matcher::Equals(self.build(node, names, uses), false),
            plan::Matcher::Contains(node) => Matcher::Contains(self.build(node, names, uses), true),
            plan::Matcher::NotContains(node) => {
                Matcher::Contains(self.build(node, names, uses), false)
            }
            plan::Matcher::OneOf(nodes) => {
                Matcher::OneOf(nodes.iter().map(|node| self.build(node, names, uses)).collect())
            }
            plan::Matcher::Length(range) => Matcher::Length(*range),
            plan::Matcher::Between(range) => Matcher::Between(*range),
            plan::Matcher::Exists(wanted) => Matcher::Exists(*wanted),
            plan::Matcher::Matches(text) => match self.regex(&text.value) {
                Ok(pattern) => Matcher::Matches(pattern),
                Err(error) => {
                    self.mistake(text.place, &text.value, error);
                    return None;
                }
            },
        })
    }
}

/// One text where that is possible: the path, the head and a body that never changes.
fn together(parts: Parts) -> Message {
    let (Line::Path { method, path, host }, Payload::Fixed(body), false) =
        (&parts.line, &parts.body, parts.looks)
    else {
        return Message::Parts(Box::new(parts));
    };
    let mut whole = Template::default();
    whole.fixed(format!("{method} ").as_bytes());
    whole.append(path.clone());
    whole.fixed(format!(" HTTP/1.1\r\nHost: {host}\r\n").as_bytes());
    whole.append(parts.head);
    if parts.length {
        whole.fixed(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    whole.fixed(b"\r\n");
    whole.fixed(body);
    match whole.as_fixed() {
        Some(fixed) => Message::Fixed(fixed.to_vec()),
        None => Message::Whole(whole),
    }
}

fn append_query(path: &mut Template, written: &str, query: Template) {
    if query.as_fixed() == Some(&[]) {
        return;
    }
    // A `?` within a template is not seen here: whoever writes one there writes all of it there.
    path.fixed(if written.contains('?') { b"&" } else { b"?" });
    path.append(query);
}

/// Where a value is looked for, as sentences have it.
fn described(origin: &Origin) -> String {
    match origin {
        Origin::Json(path) => path.value.clone(),
        Origin::Header(name) => format!("header {}", name.value),
        Origin::Cookie(name) => format!("cookie {}", name.value),
        Origin::Regex(pattern) => format!("regex {}", pattern.value),
        Origin::Css(selector, None) => format!("css {}", selector.value),
        Origin::Css(selector, Some(attr)) => format!("css {} @{}", selector.value, attr.value),
        Origin::Body => "body".to_owned(),
        Origin::Value(node) => node_text(node),
    }
}

/// What is asked, as sentences have it: `$.completed equals true`.
fn asked(check: &plan::Check) -> String {
    let range = |range: &plan::Range| {
        let end = |end: Option<f64>| end.map_or(String::new(), |end| end.to_string());
        if range.low == range.high {
            end(range.low)
        } else {
            format!("{}..{}", end(range.low), end(range.high))
        }
    };
    match check {
        plan::Check::Time(bound) => {
            format!("time {} {}", bound.op, crate::units::format_duration(bound.limit))
        }
        plan::Check::Size(bound) => format!("size {} {} B", bound.op, bound.limit),
        plan::Check::That(text) => text.value.clone(),
        plan::Check::Value(origin, matcher) => {
            let asked = match matcher {
                plan::Matcher::Equals(node) => format!("equals {}", literal(node)),
                plan::Matcher::NotEquals(node) => format!("does not equal {}", literal(node)),
                plan::Matcher::Contains(node) => format!("contains {}", literal(node)),
                plan::Matcher::NotContains(node) => format!("does not contain {}", literal(node)),
                plan::Matcher::Matches(text) => format!("matches {}", text.value),
                plan::Matcher::OneOf(nodes) => {
                    format!(
                        "is one of {}",
                        nodes.iter().map(literal).collect::<Vec<_>>().join(", ")
                    )
                }
                plan::Matcher::Length(length) => format!("has a length of {}", range(length)),
                plan::Matcher::Between(number) => format!("is within {}", range(number)),
                plan::Matcher::Exists(true) => "exists".to_owned(),
                plan::Matcher::Exists(false) => "does not exist".to_owned(),
            };
            format!("{} {asked}", described(origin))
        }
    }
}

/// A value as it was written, as JSON has it; text stays as it is, unless it would look like another
/// value: `3` is not `"3"`.
fn literal(node: &Node) -> String {
    match &node.value {
        NodeValue::Text(text)
            if !text.is_empty() && serde_json::from_str::<serde_json::Value>(text).is_err() =>
        {
            text.clone()
        }
        _ => {
            let mut json = Vec::new();
            plan::value_of(node).write_json(&mut json);
            String::from_utf8_lossy(&json).into_owned()
        }
    }
}
