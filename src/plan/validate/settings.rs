//! Owns reading what a request and `defaults` can both say: headers, time limits, authentication.

use std::collections::HashMap;
use std::time::Duration;

use super::stray::{OF_A_REQUEST, fits};
use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place, Placed};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Auth, Connections, OnFail, Redirects, Settings, Timeout};

/// Headers that the client writes itself, and why.
const OWN_HEADERS: [(&str, &str); 4] = [
    ("host", "it is made of the target"),
    ("content-length", "it is counted from the body"),
    ("transfer-encoding", "bodies are sent whole, with their length"),
    ("connection", "write `connections: new` to close after each request"),
];

/// More redirects than this are a loop.
const MOST_REDIRECTS: u64 = 50;
/// A step has its own tags and those of all that it stands in.
const MOST_TAGS: usize = 32;
/// Of a tag, in characters.
const LONGEST_TAG: usize = 200;

impl Checker<'_> {
    pub(super) fn defaults(&mut self, entry: &Entry) -> Settings {
        let what = "`defaults`";
        match self.fields(&entry.value, Context::Defaults, entry.key.place, what) {
            Some(fields) => self.settings(&fields),
            None => Settings::default(),
        }
    }

    /// The keys that a request and `defaults` share.
    pub(super) fn settings(&mut self, fields: &Fields<'_>) -> Settings {
        let headers = fields.get("headers").and_then(|node| self.headers(node));
        let query = fields.get("query").map(|node| self.parameters(node, "query", "a parameter"));
        let cookies = fields.get("cookies").map(|node| self.cookies(node));
        Settings {
            headers: headers.unwrap_or_default(),
            query: query.unwrap_or_default(),
            cookies: cookies.unwrap_or_default(),
            auth: fields.entry("auth").and_then(|entry| self.auth(entry)),
            timeout: fields.get("timeout").map_or_else(Timeout::default, |node| self.timeout(node)),
            redirects: fields.entry("redirects").and_then(|entry| self.redirects(entry)),
            compressed: fields.get("compressed").and_then(|node| self.bool(node, "`compressed`")),
            retry: fields.entry("retry").and_then(|entry| self.retry(entry)),
            accept: fields.get("accept").and_then(|node| self.accept(node)),
            expect: fields.entry("expect").map(|entry| self.expects(entry)),
            on_fail: fields
                .get("on_fail")
                .and_then(|node| self.word(node, "`on_fail`", &OnFail::WORDS)),
        }
    }

    fn headers(&mut self, node: &Node) -> Option<Vec<(Placed<String>, Node)>> {
        let NodeValue::Map(entries) = &node.value else {
            let title =
                format!("`headers` must be a map from names to values, not {}", node.value.kind());
            self.wrong(node, title, "write each header as a key, and its value behind it");
            return None;
        };
        let mut headers = Vec::with_capacity(entries.len());
        let mut known: HashMap<String, Place> = HashMap::new();
        for entry in entries {
            let lower = entry.key.value.to_ascii_lowercase();
            if let Some(first) = known.get(&lower) {
                let title = format!("the header `{}` stands twice", entry.key.value);
                let diagnostic =
                    Diagnostic::error(entry.key.place, title, "take one of the two out")
                        .also(*first, "the first is here");
                self.diagnostics.push(diagnostic);
            } else if self.header(entry) {
                known.insert(lower, entry.key.place);
                headers.push((entry.key.clone(), entry.value.clone()));
            }
        }
        Some(headers)
    }

    fn header(&mut self, entry: &Entry) -> bool {
        let name = &*entry.key.value;
        if !self.token(&entry.key, "the name of a header") {
            return false;
        }
        let own = OWN_HEADERS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some((own, reason)) = own {
            let title = format!("`{own}` is not for the plan to say: {reason}");
            self.error(entry.key.place, title, "take it out");
            return false;
        }
        let landed = match &entry.value.value {
            NodeValue::Map(_) => true,
            NodeValue::List(_) | NodeValue::Bool(_) => fits(entry, OF_A_REQUEST),
            _ => false,
        };
        if landed && self.stray(entry, OF_A_REQUEST, "headers") {
            return false;
        }
        let what = format!("the header `{name}`");
        let text = match &entry.value.value {
            NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Null => return true,
            // An empty header is a header.
            NodeValue::Text(text) => text,
            NodeValue::List(items) => {
                let parts: Vec<_> = items
                    .iter()
                    .filter_map(|item| match &item.value {
                        NodeValue::Text(text) => Some(&**text),
                        _ => None,
                    })
                    .collect();
                let title = format!("{what} must be text, not a list");
                let label = if parts.is_empty() {
                    "write text".to_owned()
                } else {
                    format!("write `\"{}\"`", parts.join(", "))
                };
                self.wrong(&entry.value, title, label);
                return false;
            }
            _ => {
                self.raw_text(&entry.value, &what);
                return false;
            }
        };
        if super::requests::outside_templates(text).contains(|c: char| c.is_control() && c != '\t')
        {
            self.wrong(
                &entry.value,
                format!("{what} holds a line break or another control character"),
                "write it in one line",
            );
            return false;
        }
        true
    }

    /// RFC 9110 §5.6.2: what names of headers, cookies and methods are made of.
    pub(super) fn token(&mut self, name: &Placed<String>, what: &str) -> bool {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !name.value.is_empty() && name.value.bytes().all(token) {
            return true;
        }
        let advice = match name.value.strip_suffix(':') {
            Some(name) => format!("write `{name}`, without the colon"),
            None if name.value.contains("{{") => "templates cannot stand in keys".to_owned(),
            None => "such names hold letters, digits and `-`".to_owned(),
        };
        self.error(name.place, format!("`{}` cannot be {what}", name.value), advice);
        false
    }

    /// Names and values, where a list stands for several of one name.
    pub(super) fn parameters(
        &mut self,
        node: &Node,
        key: &str,
        what: &str,
    ) -> Vec<(Placed<String>, Node)> {
        let NodeValue::Map(entries) = &node.value else {
            let title =
                format!("`{key}` must be a map from names to values, not {}", node.value.kind());
            let label = match &node.value {
                NodeValue::Text(text) => match text.trim_start_matches('?').split_once('=') {
                    Some((name, value)) if !value.contains(['&', '=']) => {
                        format!("write `{{ {name}: {value} }}`")
                    }
                    _ => "write each name as a key, and its value behind it".to_owned(),
                },
                _ => "write each name as a key, and its value behind it".to_owned(),
            };
            self.wrong(node, title, label);
            return Vec::new();
        };
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.key.value.contains("{{") {
                let label = "write the name as plain text";
                self.error(entry.key.place, "templates cannot stand in keys", label);
                continue;
            }
            let scalar =
                |node: &Node| !matches!(node.value, NodeValue::Map(_) | NodeValue::List(_));
            let good = match &entry.value.value {
                NodeValue::Map(_) => false,
                NodeValue::List(items) => items.iter().all(scalar),
                _ => true,
            };
            if good {
                all.push((entry.key.clone(), entry.value.clone()));
            } else if !self.stray(entry, OF_A_REQUEST, key) {
                let title = format!("{what} is a value or a list of values, not a map");
                let label = "write text; `{{ json(…) }}` makes text of anything";
                self.wrong(&entry.value, title, label);
            }
        }
        all
    }

    fn cookies(&mut self, node: &Node) -> Vec<(Placed<String>, Node)> {
        let mut cookies = self.parameters(node, "cookies", "a cookie");
        cookies.retain(|(name, value)| {
            if matches!(value.value, NodeValue::List(_)) {
                self.wrong(value, "a cookie has one value", "write text");
                return false;
            }
            self.token(name, "the name of a cookie")
        });
        cookies
    }

    fn auth(&mut self, entry: &Entry) -> Option<Auth> {
        let node = &entry.value;
        if !matches!(node.value, NodeValue::Map(_)) {
            let text = match &node.value {
                NodeValue::Text(text) => text.as_str(),
                // `auth: none` is text to YAML; people also write nothing or `false`.
                NodeValue::Null | NodeValue::Bool(false) => "",
                _ => "?",
            };
            if text == "none" {
                return Some(Auth::None);
            }
            let label = "write `{ bearer: … }`, `{ basic: [user, password] }` or `none`";
            self.wrong(node, format!("`auth` cannot be {}", node.value.kind()), label);
            return None;
        }
        let fields = self.fields(node, Context::Auth, entry.key.place, "`auth`")?;
        match fields.present(&["basic", "bearer"])[..] {
            [one] => self.one_auth(one),
            [first, second, ..] => {
                let title = "`auth` is `basic` or `bearer`, not both";
                self.error(second.key.place, title, "take one of the two out");
                for one in [first, second] {
                    self.one_auth(one);
                }
                None
            }
            [] => {
                if !fields.odd {
                    let label = "write `bearer` or `basic`";
                    self.error(entry.key.place, "`auth` is empty", label);
                }
                None
            }
        }
    }

    fn one_auth(&mut self, one: &Entry) -> Option<Auth> {
        if one.key.value == "bearer" {
            return self.raw_text(&one.value, "`bearer`").map(Auth::Bearer);
        }
        let label = "write a user name and a password, as `[ann, secret]`";
        let NodeValue::List(items) = &one.value.value else {
            self.wrong(&one.value, "`basic` takes two texts in a list", label);
            return None;
        };
        let [user, password] = &items[..] else {
            self.wrong(&one.value, "`basic` takes two texts", label);
            return None;
        };
        let user = self.scalar_text(user, "the user name");
        let password = self.scalar_text(password, "the password");
        Some(Auth::Basic(user?, password?))
    }

    /// Text with its templates, for which a number may stand as well.
    pub(super) fn scalar_text(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        match &node.value {
            NodeValue::Int(number) => Some(Placed { value: number.to_string(), place: node.place }),
            NodeValue::Text(text) => Some(Placed { value: text.clone(), place: node.place }),
            _ => self.raw_text(node, what),
        }
    }

    fn timeout(&mut self, node: &Node) -> Timeout {
        if matches!(node.value, NodeValue::Map(_)) {
            let Some(fields) = self.fields(node, Context::Timeout, node.place, "`timeout`") else {
                return Timeout::default();
            };
            if fields.entries.is_empty() {
                self.wrong(node, "`timeout` is empty", "write a time, as `10s`");
            }
            let mut part = |key: &str| fields.get(key).and_then(|node| self.limit(node, key));
            return Timeout {
                connect: part("connect"),
                first_byte: part("first_byte"),
                idle: part("idle"),
                total: part("total"),
            };
        }
        Timeout { total: self.limit(node, "timeout"), ..Timeout::default() }
    }

    fn limit(&mut self, node: &Node, key: &str) -> Option<Duration> {
        let what = format!("`{key}`");
        let limit = self.duration(node, &what)?;
        if limit.is_zero() {
            let label = "write a time, or take it out for the default";
            self.wrong(node, format!("{what} is zero"), label);
            return None;
        }
        Some(limit)
    }

    fn redirects(&mut self, entry: &Entry) -> Option<Redirects> {
        let node = &entry.value;
        match &node.value {
            NodeValue::Map(_) => {
                let fields =
                    self.fields(node, Context::Redirects, entry.key.place, "`redirects`")?;
                let at_most = fields.get("at_most").map_or(Some(10), |node| self.hops(node));
                let words = [("plan", false), ("any", true)];
                let hosts = fields.get("hosts").map(|node| self.word(node, "`hosts`", &words));
                Some(Redirects { at_most: at_most?, any_host: hosts.unwrap_or(Some(false))? })
            }
            NodeValue::Bool(false) => Some(Redirects { at_most: 0, any_host: false }),
            NodeValue::Text(text) if text.trim() == "off" => {
                Some(Redirects { at_most: 0, any_host: false })
            }
            NodeValue::Bool(true) => {
                self.wrong(node, "`redirects` is a number, or `off`", "write how many, as `10`");
                None
            }
            NodeValue::Text(text) if !text.contains("{{") && text.parse::<u64>().is_err() => {
                let off = ["no", "none", "never", "false"].contains(&&*text.to_lowercase());
                let label = if off { "write `off`" } else { "write how many, as `10`" };
                self.wrong(node, "`redirects` is a number, or `off`", label);
                None
            }
            _ => Some(Redirects { at_most: self.hops(node)?, any_host: false }),
        }
    }

    fn hops(&mut self, node: &Node) -> Option<u8> {
        let hops = self.whole(node, "`redirects`")?;
        if hops > MOST_REDIRECTS {
            let label = format!("write at most `{MOST_REDIRECTS}`");
            self.wrong(node, "so many redirects are a loop", label);
            return None;
        }
        Some(hops as u8)
    }

    pub(super) fn connections(&mut self, node: &Node) -> Option<Connections> {
        if !matches!(node.value, NodeValue::Map(_)) {
            let words = [("own", Connections::Own), ("new", Connections::New)];
            if let NodeValue::Text(text) = &node.value
                && text.trim() == "shared"
            {
                let label = "write how many, as `{ shared: 500 }`";
                self.wrong(node, "`shared` lacks its number", label);
                return None;
            }
            if let NodeValue::Text(text) = &node.value
                && !text.contains("{{")
                && !words.iter().any(|(word, _)| *word == text.trim())
            {
                let title = format!("`connections` cannot be `{}`", shorten(text));
                self.wrong(node, title, "write `own`, `new` or `{ shared: 500 }`");
                return None;
            }
            return self.word(node, "`connections`", &words);
        }
        let fields = self.fields(node, Context::Connections, node.place, "`connections`")?;
        let Some(shared) = fields.get("shared") else {
            if !fields.odd {
                let label = "write `own`, `new` or `{ shared: 500 }`";
                self.wrong(node, "`connections` is empty", label);
            }
            return None;
        };
        let count = self.whole(shared, "`shared`")?;
        if count == 0 || count > 1_000_000 {
            let title = format!("a pool cannot have {count} connections");
            self.wrong(shared, title, "write a number from 1 to 1000000");
            return None;
        }
        Some(Connections::Shared(count as u32))
    }

    pub(super) fn secrets(&mut self, node: &Node) -> Vec<Placed<String>> {
        let nodes = match &node.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Map(entries) => {
                let names: Vec<_> = entries.iter().map(|entry| &*entry.key.value).collect();
                let label =
                    format!("write `[\"{}\"]`: values stay out of the plan", names.join("\", \""));
                self.wrong(node, "`secrets` is a list of environment variables", label);
                return Vec::new();
            }
            _ => std::slice::from_ref(node),
        };
        let mut secrets = Vec::new();
        for node in nodes {
            let Some(name) = self.raw_text(node, "a secret") else { continue };
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.value.chars().all(plain) {
                secrets.push(name);
            } else {
                let inner = name.value.trim_matches(['{', '}', ' ', '$']);
                let inner = inner.strip_prefix("env.").unwrap_or(inner);
                let bare: String = inner.chars().take_while(|c| plain(*c)).collect();
                let label = if bare.is_empty() {
                    "write its name alone, as `API_PASSWORD`".to_owned()
                } else {
                    format!("write `{bare}` alone; its value stays out of the plan")
                };
                // What it holds may be the secret itself: it is not said again.
                self.wrong(node, "a secret is the name of an environment variable", label);
            }
        }
        secrets
    }

    /// A list of texts, or one.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Vec<Placed<String>> {
        let nodes = match &node.value {
            NodeValue::List(items) => &items[..],
            _ => std::slice::from_ref(node),
        };
        nodes.iter().filter_map(|node| self.text(node, what)).collect()
    }

    pub(super) fn tags(&mut self, fields: &Fields<'_>) -> Vec<String> {
        let Some(node) = fields.get("tags") else { return Vec::new() };
        let mut tags = Vec::new();
        let texts = self.texts(node, "a tag");
        if texts.len() > MOST_TAGS {
            let title = format!("more than {MOST_TAGS} tags");
            self.error(node.place, title, "tag what is picked together: a few words are enough");
            return tags;
        }
        for tag in texts {
            let value = tag.value.trim();
            if value.contains(|c: char| c.is_whitespace() || c == ',') {
                let parts: Vec<_> =
                    value.split([',', ' ']).filter(|part| !part.is_empty()).collect();
                let label = format!("write a list: `[{}]`", parts.join(", "));
                self.error(tag.place, "a tag is one word", label);
            } else if value.chars().count() > LONGEST_TAG {
                let title = format!("the tag is longer than {LONGEST_TAG} characters");
                self.error(tag.place, title, "a word is enough");
            } else {
                tags.push(value.to_owned());
            }
        }
        tags
    }

    pub(super) fn chance(&mut self, fields: &Fields<'_>) -> Option<f64> {
        let node = fields.get("chance")?;
        if let NodeValue::Int(number @ 0..=100) = node.value {
            self.wrong(node, "`chance` lacks its unit", format!("write `{number}%`"));
            return None;
        }
        if let NodeValue::Float(number) = node.value {
            let percent = if number <= 1.0 { number * 100.0 } else { number };
            self.wrong(node, "`chance` lacks its unit", format!("write `{percent}%`"));
            return None;
        }
        let text = self.unit_text(node, "`chance`")?;
        match crate::units::parse_percent(&text) {
            Ok(chance) if (0.0..=1.0).contains(&chance) => Some(chance),
            Ok(_) => {
                self.wrong(node, "`chance` is above 100%", "write a share, as `30%`");
                None
            }
            Err(error) => {
                self.not_a_quantity(node, "`chance`", &text, "a share", &error);
                None
            }
        }
    }
}
