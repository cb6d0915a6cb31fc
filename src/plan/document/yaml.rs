//! Owns YAML into the tree: the one place that calls the YAML library.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{
    DuplicateKeyPolicy, Error, ExternalMessageSource, Location, NonFiniteFloatPolicy, Spanned,
    Tagged,
};

use super::yaml_hints::{explain_syntax, quoted};
use super::{Entry, MAX_DEPTH, MAX_NODES, MAX_TOLD, Node, NodeValue, too_deep, too_many};
use crate::diagnostic::{Diagnostic, Place, Placed};
use crate::plan::keys::{Context, Shape};
use crate::plan::status::Accept;
use crate::verdict::Threshold;

pub(super) fn read(source: u16, text: &str) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_documents: 2,
            max_merge_keys: 1_000,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
            max_alias_expansions_per_anchor: 1_000,
        },
        // `yes` and `off` stay text: a plan for a service that takes them must be able to say so.
        strict_booleans: true,
        // Both are found below, so that all of them are told, with the place of the first.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Raw>(text, options) {
        Ok(raw) => {
            let mut reading = Reading { source, text, errors: Vec::new() };
            let node = reading.node(raw);
            Ok((node, reading.errors))
        }
        Err(error) => Err(vec![explain(source, text, &error)]),
    }
}

/// A value as the library hands it over.
struct Raw {
    referenced: Location,
    defined: Location,
    tag: Option<String>,
    value: RawValue,
}

enum RawValue {
    Scalar(NodeValue),
    /// A whole number beyond 64 bits.
    TooLarge,
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: Tagged(value, tag), referenced, defined } =
            Spanned::<Tagged<RawValue>>::deserialize(deserializer)?;
        Ok(Self { referenced, defined, tag, value })
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        let value = i64::try_from(value).map(|value| RawValue::Scalar(NodeValue::Int(value)));
        Ok(value.unwrap_or(RawValue::TooLarge))
    }

    fn visit_i128<E>(self, _: i128) -> Result<RawValue, E> {
        Ok(RawValue::TooLarge)
    }

    fn visit_u128<E>(self, _: u128) -> Result<RawValue, E> {
        Ok(RawValue::TooLarge)
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Text(value.to_owned())))
    }

    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<RawValue, E> {
        Err(E::custom("bytes cannot stand in a plan"))
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Null))
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(NodeValue::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
            if list.len() > MAX_NODES {
                return Err(A::Error::custom("too many values"));
            }
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key()? {
            map.push((key, entries.next_value()?));
        }
        Ok(RawValue::Map(map))
    }
}

struct Reading<'t> {
    source: u16,
    text: &'t str,
    errors: Vec<Diagnostic>,
}

impl Reading<'_> {
    /// What to say is made only when it will be said: a hostile file has many mistakes in one line.
    fn tell(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.errors.len() < MAX_TOLD {
            self.errors.push(diagnostic());
        }
    }

    fn node(&mut self, raw: Raw) -> Node {
        let place = place_of(self.source, self.text, &raw.referenced);
        let defined =
            (raw.referenced != raw.defined).then(|| place_of(self.source, self.text, &raw.defined));
        if let Some(tag) = &raw.tag {
            self.refuse_tag(place, tag);
        }
        let flow = matches!(raw.value, RawValue::List(_) | RawValue::Map(_)) && defined.is_none();
        let value = match raw.value {
            RawValue::Scalar(NodeValue::Float(number)) => self.float(place, number),
            RawValue::Scalar(value) => value,
            RawValue::TooLarge => self.too_large_number(place),
            RawValue::List(items) => {
                NodeValue::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawValue::Map(entries) => self.map(place, defined, entries),
        };
        let place = if flow { self.with_brackets(place, &value) } else { place };
        Node { place, defined, value }
    }

    /// The library places a list or a map at its opening bracket: up to the closing one, when that
    /// stands in the same line.
    fn with_brackets(&self, place: Place, value: &NodeValue) -> Place {
        let start = place.range().start;
        let close = match self.text.as_bytes().get(start) {
            Some(b'[') => ']',
            Some(b'{') => '}',
            _ => return place,
        };
        let last = match value {
            NodeValue::List(items) => items.last().map(|item| item.place),
            NodeValue::Map(entries) => {
                entries.last().map(|entry| entry.value.place.max(entry.key.place))
            }
            _ => None,
        };
        let from = last.map_or(start, |last| last.range().end).max(start + 1);
        // Only blanks and a comma can stand before it: never the rest of a long line.
        let rest = self.text[from..].trim_start_matches([' ', ',']);
        let at = self.text.len() - from - rest.len();
        match rest.starts_with(close).then_some(at) {
            Some(at) if !self.text[start..from].contains('\n') => {
                Place::new(self.source, start..from + at + 1)
            }
            _ => place,
        }
    }

    fn float(&mut self, place: Place, number: f64) -> NodeValue {
        let written = self.text.get(place.range()).unwrap_or("");
        let digits = written.trim_start_matches(['+', '-']);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number that begins with 0 comes as a float, as does one beyond 64 bits.
            return match digits.trim_start_matches('0').parse::<i64>() {
                Ok(_) if number.abs() < 9e15 => NodeValue::Int(number as i64),
                _ if number == 0.0 => NodeValue::Int(0),
                _ => self.too_large_number(place),
            };
        }
        if number.is_finite() {
            return NodeValue::Float(number);
        }
        self.tell(|| {
            Diagnostic::error(
                place,
                "this is not a number that can be sent",
                "quote it to send it as text",
            )
        });
        NodeValue::Null
    }

    fn too_large_number(&mut self, place: Place) -> NodeValue {
        self.tell(|| {
            Diagnostic::error(
                place,
                "the number is too large",
                "whole numbers end at 9223372036854775807; quote it to send it as text",
            )
        });
        NodeValue::Null
    }

    fn refuse_tag(&mut self, place: Place, tag: &str) {
        let tag = match tag.strip_prefix("tag:yaml.org,2002:") {
            Some(name) => format!("!!{name}"),
            None => tag.to_owned(),
        };
        // The library places the value; the tag stands before it.
        let line = self.text[..place.range().start].rfind('\n').map_or(0, |feed| feed + 1);
        let at = self.text[line..place.range().start].rfind(&*tag).map(|at| line + at);
        let place = at.map_or(place, |at| Place::new(self.source, at..at + tag.len()));
        self.tell(|| {
            Diagnostic::error(
                place,
                format!("`{tag}` is a YAML tag, which a plan cannot hold"),
                "quote the value to keep the `!`; in an expression write `not`",
            )
        });
    }

    fn map(
        &mut self,
        place: Place,
        defined: Option<Place>,
        mut entries: Vec<(Raw, Raw)>,
    ) -> NodeValue {
        // The library hands merged keys over last; they stand where the `<<` stands. Of keys with one
        // place (an alias that holds a merge), those that were written above come first.
        let offset = |location: &Location| location.span().byte_offset();
        entries.sort_by_key(|(key, _)| (offset(&key.referenced), offset(&key.defined)));
        let start = place.range().start;
        if defined.is_none() && self.text[start..].starts_with("{{") {
            let (source, text) = (self.source, self.text);
            self.tell(|| {
                let (end, advice) = quoted(text, start);
                Diagnostic::error(
                    Place::new(source, start..end),
                    "a value that begins with `{{` must be quoted",
                    format!("write {advice}"),
                )
            });
            return NodeValue::Null;
        }
        let mut map: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut known: HashMap<String, Place> = HashMap::with_capacity(entries.len());
        let mut cut = false;
        for (key, value) in entries {
            let in_alias = key.referenced != key.defined;
            let value = self.node(value);
            let Some(key) = self.key(key) else { continue };
            cut |= !in_alias && self.is_cut_by_a_comma(&key, &value);
            if let Some(first) = known.get(&key.value) {
                self.tell(|| {
                    Diagnostic::error(
                        key.place,
                        format!("the key `{}` stands twice", key.value),
                        "take one of the two out",
                    )
                    .also(*first, "the first is here")
                });
                continue;
            }
            known.insert(key.value.clone(), key.place);
            map.push(Entry { key, value });
        }
        if cut {
            for at in self.cut_by_commas(&map) {
                // What is said of the value is said of the key: it is told already.
                map[at].value.place = map[at].key.place;
            }
        }
        NodeValue::Map(map)
    }

    fn key(&mut self, raw: Raw) -> Option<Placed<String>> {
        let node = self.node(raw);
        let value = match node.value {
            NodeValue::Text(text) => text,
            NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_) | NodeValue::Null => {
                // As it was written: `1.10` and `no` are good names.
                let written = node.defined.unwrap_or(node.place).range();
                self.text.get(written).unwrap_or("").to_owned()
            }
            NodeValue::List(_) | NodeValue::Map(_) => {
                self.tell(|| {
                    Diagnostic::error(
                        node.place,
                        "a key must be text",
                        "quote it; in `{ }` a value that holds `{` or `[` must be quoted too",
                    )
                });
                return None;
            }
        };
        Some(Placed { value, place: node.place })
    }

    /// In `{ accept: text/html, application/json }` the comma has made a key without a value.
    fn is_cut_by_a_comma(&self, key: &Placed<String>, value: &Node) -> bool {
        if !matches!(value.value, NodeValue::Null) || !value.place.range().is_empty() {
            return false;
        }
        let after = self.text[key.place.range().end..].trim_start();
        after.starts_with([',', '}', ']'])
    }

    /// Gives back which keys were told to have no value.
    fn cut_by_commas(&mut self, map: &[Entry]) -> Vec<usize> {
        let mut without = Vec::new();
        let values = map.iter().filter(|entry| !self.is_cut_by_a_comma(&entry.key, &entry.value));
        let keys: Vec<&str> = values.map(|entry| &*entry.key.value).collect();
        let mut whole: Option<&Entry> = None;
        let mut at = 0;
        while let Some(entry) = map.get(at) {
            at += 1;
            if !self.is_cut_by_a_comma(&entry.key, &entry.value) {
                whole = Some(entry);
                continue;
            }
            let before = whole.and_then(|whole| {
                let text = self.text.get(whole.value.place.range())?;
                let text_alone = !text.is_empty() && !text.starts_with(['[', '{', '"', '\'']);
                text_alone.then_some((whole, text))
            });
            let belongs = |part: &Entry| {
                before.is_some_and(|(whole, first)| {
                    let name = &*whole.key.value;
                    let part = &*part.key.value;
                    !is_key_beside(&keys, part)
                        && (takes_list(&keys, name, &[first, part]) || !is_key(part))
                })
            };
            let Some((before, first)) = before.filter(|_| belongs(entry)) else {
                let title = format!("`{}` has no value", entry.key.value);
                let label = "give it a value, or take it out";
                self.tell(|| Diagnostic::error(entry.key.place, title, label));
                without.push(at - 1);
                whole = None;
                continue;
            };
            // All that follows one value belongs to it.
            let further = map[at..]
                .iter()
                .take_while(|next| self.is_cut_by_a_comma(&next.key, &next.value) && belongs(next))
                .count();
            let cut = &map[at - 1..at + further];
            at += further;
            let name = &before.key.value;
            let parts: Vec<&str> = [first]
                .into_iter()
                .chain(cut.iter().map(|part| &self.text[part.key.place.range()]))
                .collect();
            let label = if takes_list(&keys, name, &parts) {
                let parts: Vec<_> = parts.iter().map(|part| item(part)).collect();
                format!("write `{name}: [{}]`", parts.join(", "))
            } else {
                format!("write `{name}: \"{}\"`", parts.join(", "))
            };
            // All that is to be replaced.
            let end = cut.last().unwrap_or(entry).key.place.end;
            let place = Place { end, ..before.key.place };
            let title = format!("in `{{ }}` the `,` ends the value of `{name}`");
            self.tell(|| Diagnostic::error(place, title, label));
        }
        without
    }
}

/// Where these keys may stand beside each other.
fn contexts_of(keys: &[&str]) -> impl Iterator<Item = Context> {
    Context::ALL.into_iter().filter(|context| keys.iter().all(|key| context.find(key).is_some()))
}

fn is_key(word: &str) -> bool {
    Context::ALL.iter().any(|context| context.find(word).is_some())
}

fn is_key_beside(keys: &[&str], word: &str) -> bool {
    contexts_of(keys).any(|context| context.find(word).is_some())
}

/// Behind the key `name` a list of these may stand.
fn takes_list(keys: &[&str], name: &str, parts: &[&str]) -> bool {
    let keys = if contexts_of(keys).next().is_none() { &[name] } else { keys };
    contexts_of(keys).filter_map(|context| context.find(name)).any(|key| of_list(&key.shape, parts))
}

fn of_list(shape: &Shape, parts: &[&str]) -> bool {
    match shape {
        Shape::List(item) | Shape::Many(item) => parts.iter().all(|part| could_be(item, part)),
        Shape::Any(shapes) => shapes.iter().any(|shape| of_list(shape, parts)),
        _ => false,
    }
}

fn could_be(shape: &Shape, part: &str) -> bool {
    match shape {
        Shape::Codes => Accept::parse(part).is_ok(),
        Shape::Judgement => Threshold::parse(part).is_ok(),
        Shape::Word(words) => words.contains(&part),
        Shape::Any(shapes) => shapes.iter().any(|shape| could_be(shape, part)),
        Shape::Text | Shape::Template | Shape::Value | Shape::Item | Shape::Scalar => true,
        _ => false,
    }
}

/// As an item of a list in brackets.
fn item(part: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/ <>=%".contains(c);
    let begins = part.starts_with(|c: char| c.is_alphanumeric() || "./".contains(c));
    let quoted = part.starts_with(['"', '\'']);
    if quoted || (begins && part.chars().all(plain)) {
        part.to_owned()
    } else {
        format!("\"{part}\"")
    }
}

fn place_of(source: u16, text: &str, location: &Location) -> Place {
    let span = location.span();
    let range = match (span.byte_offset(), span.byte_len()) {
        (Some(offset), Some(length)) => {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            offset..offset.saturating_add(usize::try_from(length).unwrap_or(0))
        }
        // Syntax errors come with an offset in characters.
        _ => {
            let nth = usize::try_from(span.offset()).unwrap_or(usize::MAX);
            let at = text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at);
            at..at + text[at..].chars().next().map_or(0, char::len_utf8)
        }
    };
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let end = text.ceil_char_boundary(range.end.min(text.len())).max(start);
    Place::new(source, start..end)
}

fn explain(source: u16, text: &str, error: &Error) -> Diagnostic {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let place = place_of(source, text, &location);
    let at = |title: &str, label: &str| Diagnostic::error(place, title, label);
    match error {
        Error::ExternalMessage { source: cause, msg, .. } => match &**cause {
            ExternalMessageSource::Parser(error) => {
                explain_syntax(source, text, place, error.kind())
            }
            _ => at(&format!("YAML: {msg}"), ""),
        },
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => too_deep(place),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => too_many(place),
            BudgetBreach::Documents { .. } => second_document(place),
            _ => at(
                "the plan repeats itself too often by anchors and aliases",
                "use fewer aliases, above all of values that hold aliases",
            ),
        },
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => at(
            "the plan repeats itself too often by anchors and aliases",
            "use fewer aliases, above all of values that hold aliases",
        ),
        Error::AliasError { error, .. } => explain(source, text, error),
        Error::MultipleDocuments { .. } => second_document(place),
        Error::UnknownAnchor { .. } => explain_alias(source, text, place),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            at("this alias stands within its own anchor", "it would never end; write the value out")
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            at("`<<` merges a map, and this is none", "make it a map, or take the `<<` of it out")
        }
        error => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message);
            at(&format!("YAML: {message}"), "")
        }
    }
}

fn second_document(place: Place) -> Diagnostic {
    Diagnostic::error(
        place,
        "a second YAML document begins here",
        "a plan is one document: take out `---`, or put this into a file of its own",
    )
}

fn explain_alias(source: u16, text: &str, place: Place) -> Diagnostic {
    let start = place.range().start;
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
    let named = text[start..].strip_prefix('*').unwrap_or("");
    let name: &str = named.split(ends).next().unwrap_or("");
    let anchors = text.split('&').skip(1).map(|rest| rest.split(ends).next().unwrap_or(""));
    let label = match crate::diagnostic::suggest(name, anchors) {
        Some(near) if near != name => format!("did you mean `*{near}`?"),
        Some(_) => "an anchor must stand above its alias".to_owned(),
        None => format!("mark the value with `&{name}`, above; or quote it, if text is meant"),
    };
    let place =
        if named.is_empty() { place } else { Place::new(source, start..start + 1 + name.len()) };
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        let title = "a value that begins with `*` is an alias in YAML";
        return Diagnostic::error(place, title, format!("write `\"*{name}\"`"));
    }
    Diagnostic::error(place, format!("no value is marked `&{name}`"), label)
}
