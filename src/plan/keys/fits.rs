//! Owns whether a value can hardly be anything but the value of a certain key.

use super::{Context, Key, Shape};
use crate::load::Wait;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::status::Accept;
use crate::units::{parse_duration, parse_percent};
use crate::verdict::Threshold;

impl Key {
    /// The value looks like one of this key, and like little else: a time, a status code, a map of
    /// the keys that may stand below it. What may be any text or number is never sure.
    #[must_use]
    pub fn fits(&self, node: &Node) -> bool {
        fits(&self.shape, node)
    }
}

fn fits(shape: &Shape, node: &Node) -> bool {
    let text = match &node.value {
        NodeValue::Text(text) => Some(text.trim()),
        _ => None,
    };
    let of_text = |good: fn(&str) -> bool| text.is_some_and(good);
    let all = |items: &[Node], shape: &Shape| {
        !items.is_empty() && items.iter().all(|item| fits(shape, item))
    };
    let of_entries = |good: &dyn Fn(&Entry) -> bool| match &node.value {
        NodeValue::Map(entries) => !entries.is_empty() && entries.iter().all(good),
        _ => false,
    };
    match shape {
        Shape::Path => of_text(|text| text.starts_with('/') || is_url(text)),
        Shape::Url => of_text(is_url),
        Shape::Source | Shape::JsonPath => of_text(|text| text.starts_with('$')),
        Shape::Bool => matches!(node.value, NodeValue::Bool(_)),
        Shape::Duration => of_text(|text| parse_duration(text).is_ok()),
        Shape::Percent => of_text(|text| parse_percent(text).is_ok()),
        Shape::Wait => of_text(|text| text != "none" && Wait::parse(text).is_ok()),
        Shape::Codes => match &node.value {
            NodeValue::Int(code) => (100..=599).contains(code),
            NodeValue::Text(text) => {
                text.starts_with(|c: char| c.is_ascii_digit()) && Accept::parse(text).is_ok()
            }
            _ => false,
        },
        Shape::Judgement => of_text(|text| Threshold::parse(text).is_ok()),
        Shape::Word(words) => text.is_some_and(|text| words.contains(&text)),
        Shape::List(shape) => {
            matches!(&node.value, NodeValue::List(items) if all(items, shape))
        }
        Shape::Many(shape) => match &node.value {
            NodeValue::List(items) => all(items, shape),
            _ => fits(shape, node),
        },
        Shape::Map(shape) => of_entries(&|entry| fits(shape, &entry.value)),
        Shape::Keys(context) => of_entries(&|entry| context.find(&entry.key.value).is_some()),
        Shape::Named(context) => of_entries(&|entry| fits(&Shape::Keys(*context), &entry.value)),
        Shape::Flow => fits(&Shape::Keys(Context::Flow), node) || fits(&Shape::Steps, node),
        Shape::Steps => fits(&Shape::Many(&Shape::Keys(Context::Step)), node),
        Shape::Any(shapes) => shapes.iter().any(|shape| fits(shape, node)),
        // Anything could be one of these.
        Shape::Text
        | Shape::Template
        | Shape::Scalar
        | Shape::Header
        | Shape::Item
        | Shape::Expression
        | Shape::Number
        | Shape::Integer
        | Shape::Users
        | Shape::Rate
        | Shape::Size
        | Shape::Time
        | Shape::Range
        | Shape::Value
        | Shape::Pair => false,
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}
