//! Owns building a value from what a plan wrote for it: templates within lists and objects.

use std::sync::Arc;

use crate::expr::{
    self, Encoding, EvalError, Expression, Names, ParseError, Scope, Template, Value,
};
use crate::plan::{Node, NodeValue};

/// Is shown each text of a plan with what came of it.
pub(super) type See<'s, T> = dyn FnMut(&Node, Result<&T, Vec<ParseError>>) + 's;

/// How a value is made while running.
#[derive(Debug, Clone, PartialEq)]
pub enum Build {
    /// It is always the same.
    Value(Value),
    /// A single `{{ }}`: the value keeps its type.
    Expression(Expression),
    /// Text with `{{ }}` in it.
    Text(Template),
    /// A list of such.
    List(Vec<Build>),
    /// Names and such.
    Map(Vec<(Arc<str>, Build)>),
}

impl Build {
    /// Compiles what a plan wrote. Each text is shown to `see` with what came of it.
    pub(super) fn compile(node: &Node, names: &Names, see: &mut See<'_, Self>) -> Self {
        match &node.value {
            NodeValue::Null => Self::Value(Value::Null),
            NodeValue::Bool(value) => Self::Value(Value::Bool(*value)),
            NodeValue::Int(value) => Self::Value(Value::Int(*value)),
            NodeValue::Float(value) => Self::Value(Value::Float(*value)),
            NodeValue::Text(text) => match Self::text(text, names) {
                Ok(build) => {
                    see(node, Ok(&build));
                    build
                }
                Err(errors) => {
                    see(node, Err(errors));
                    Self::Value(Value::Null)
                }
            },
            NodeValue::List(items) => {
                Self::List(items.iter().map(|item| Self::compile(item, names, see)).collect())
            }
            NodeValue::Map(entries) => Self::Map(
                entries
                    .iter()
                    .map(|entry| {
                        let value = Self::compile(&entry.value, names, see);
                        (entry.key.value.as_str().into(), value)
                    })
                    .collect(),
            ),
        }
    }

    fn text(text: &str, names: &Names) -> Result<Self, Vec<ParseError>> {
        // One `{{ }}` alone keeps its type, and what is constant in it is there already.
        if let Some(range) = expr::alone(text) {
            let start = range.start;
            let expression = Expression::parse(&text[range], names).map_err(|errors| {
                errors.into_iter().map(|error| error.shifted(start)).collect::<Vec<_>>()
            })?;
            return Ok(match expression.constant() {
                Some(value) => Self::Value(value.clone()),
                None => Self::Expression(expression),
            });
        }
        let template = Template::parse(text, Encoding::Plain, names)?;
        Ok(match template.as_fixed() {
            Some(fixed) => Self::Value(Value::Text(String::from_utf8_lossy(fixed).as_ref().into())),
            None => Self::Text(template),
        })
    }

    /// Shows every expression in it.
    pub(super) fn expressions(&self, show: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Value(_) => {}
            Self::Expression(expression) => show(expression),
            Self::Text(template) => template.expressions().for_each(show),
            Self::List(items) => items.iter().for_each(|item| item.expressions(show)),
            Self::Map(entries) => entries.iter().for_each(|(_, item)| item.expressions(show)),
        }
    }

    /// Makes the value.
    ///
    /// # Errors
    /// An expression failed.
    pub fn value(&self, scope: &mut Scope<'_>) -> Result<Value, EvalError> {
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Expression(expression) => expression.eval(scope)?,
            Self::Text(template) => {
                let mut text = Vec::new();
                template.render(scope, &mut text)?;
                Value::Text(String::from_utf8_lossy(&text).as_ref().into())
            }
            Self::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| item.value(scope)).collect();
                Value::List(Arc::new(items?))
            }
            Self::Map(entries) => {
                let mut map = Vec::with_capacity(entries.len());
                for (key, build) in entries {
                    map.push((key.clone(), build.value(scope)?));
                }
                Value::Map(Arc::new(map))
            }
        })
    }
}

/// Compiles a JSON body node by node: fixed parts become bytes, strings become templates, each of
/// which is shown to `see`.
pub(super) fn json_body(
    node: &Node,
    names: &Names,
    out: &mut Template,
    see: &mut See<'_, Template>,
) {
    let quoted = |text: &str| serde_json::to_string(text).expect("text is JSON");
    match &node.value {
        NodeValue::Null => out.fixed(b"null"),
        NodeValue::Bool(value) => out.fixed(value.to_string().as_bytes()),
        NodeValue::Int(value) => out.fixed(value.to_string().as_bytes()),
        NodeValue::Float(value) => {
            out.fixed(serde_json::Value::from(*value).to_string().as_bytes())
        }
        NodeValue::Text(text) => match expr::json(text, names) {
            Ok(template) => {
                see(node, Ok(&template));
                out.append(template);
            }
            Err(errors) => see(node, Err(errors)),
        },
        NodeValue::List(items) => {
            out.fixed(b"[");
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.fixed(b",");
                }
                json_body(item, names, out, see);
            }
            out.fixed(b"]");
        }
        NodeValue::Map(entries) => {
            out.fixed(b"{");
            for (position, entry) in entries.iter().enumerate() {
                if position > 0 {
                    out.fixed(b",");
                }
                out.fixed(quoted(&entry.key.value).as_bytes());
                out.fixed(b":");
                json_body(&entry.value, names, out, see);
            }
            out.fixed(b"}");
        }
    }
}

/// Appends to a variable; one that holds no list becomes a list of this one item.
pub fn push(slot: &mut Option<Value>, value: Value) {
    match slot {
        Some(Value::List(items)) => Arc::make_mut(items).push(value),
        _ => *slot = Some(Value::List(Arc::new(vec![value]))),
    }
}

/// Removes the first item that equals `value`; nothing happens when there is none.
pub fn remove(slot: &mut Option<Value>, value: &Value) {
    if let Some(Value::List(items)) = slot
        && let Some(position) = items.iter().position(|item| item == value)
    {
        Arc::make_mut(items).remove(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(slot: &Option<Value>) -> String {
        serde_json::to_string(slot).unwrap()
    }

    #[test]
    fn lists_grow_and_forget() {
        let mut slot = None;
        for id in [3, 5, 3] {
            push(&mut slot, Value::Int(id));
        }
        remove(&mut slot, &Value::Int(3));
        assert_eq!(list(&slot), "[5,3]");
        remove(&mut slot, &Value::Int(9));
        remove(&mut None, &Value::Int(9));
        assert_eq!(list(&slot), "[5,3]");
    }

    #[test]
    fn a_copy_of_a_list_is_not_changed_with_it() {
        let mut slot = Some(Value::empty_list());
        push(&mut slot, Value::Int(1));
        let copy = slot.clone();
        push(&mut slot, Value::Int(2));
        assert_eq!((list(&copy), list(&slot)), ("[1]".into(), "[1,2]".into()));
    }
}
