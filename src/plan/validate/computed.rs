//! Owns what is computed while a plan is checked: `vars`, and values that use them and `env`.

use std::borrow::Cow;

use super::values::shorten;
use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Place, Placed, suggest};
use crate::expr::{Encoding, Expression, ParseError, Template, Value};
use crate::plan::document::{Entry, Node, NodeValue};

/// What messages call an entry of `vars`.
const A_VAR: &str = "a variable of the plan";

impl Checker<'_> {
    /// The plan's variables, computed, those of the command line in their places.
    pub(super) fn vars(&mut self, top: &Fields<'_>) -> Vec<(Placed<String>, Node)> {
        let mut vars: Vec<(Placed<String>, Node)> = Vec::new();
        if let Some(entry) = top.entry("vars") {
            match &entry.value.value {
                NodeValue::Map(entries) => {
                    for entry in entries {
                        vars.extend(self.var(entry));
                    }
                }
                NodeValue::Null => {
                    let label = "write a name and its value, as `project: 42`";
                    self.error(entry.key.place, "`vars` is empty", label);
                }
                other => {
                    let title =
                        format!("`vars` must be a map from names to values, not {}", other.kind());
                    self.wrong(&entry.value, title, "write each as `project: 42`");
                }
            }
        }
        for (name, _) in &self.given.set {
            if !vars.iter().any(|(var, _)| var.value == *name) {
                let names = vars.iter().map(|(var, _)| &*var.value);
                let label = match suggest(name, names.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if vars.is_empty() => "it has no `vars`".to_owned(),
                    None => format!("it has: {}", names.collect::<Vec<_>>().join(", ")),
                };
                let title = format!("the plan has no variable `{name}` to set");
                self.diagnostics.push(Diagnostic::without_place(title, label));
            }
        }
        vars
    }

    fn var(&mut self, entry: &Entry) -> Option<(Placed<String>, Node)> {
        let name = self.variable(&entry.key)?;
        let given = self.given.set.iter().rfind(|(set, _)| *set == name.value);
        let node = match given {
            Some((_, text)) => match &entry.value.value {
                NodeValue::List(_) | NodeValue::Map(_) => {
                    let kind = entry.value.value.kind();
                    let title = format!("`{}` is {kind}, which `--set` cannot give", name.value);
                    let label = "`--set` sets text, numbers, true and false";
                    self.error(entry.key.place, title, label);
                    self.computed_whole(&entry.value, A_VAR)
                }
                // What the plan has as text stays text: a postcode, a version.
                NodeValue::Text(own) if !own.contains("{{") => {
                    Some(Node { value: NodeValue::Text(text.clone()), ..entry.value.clone() })
                }
                _ => Some(Node { value: scalar(text), ..entry.value.clone() }),
            },
            None => self.computed_whole(&entry.value, A_VAR),
        };
        // One that cannot be computed is there all the same, so that its uses are no mistakes.
        let node = node.unwrap_or(Node { value: NodeValue::Null, ..entry.value.clone() });
        self.constants.constant(&name.value, value_of(&node));
        Some((name, node))
    }

    fn computed_whole(&mut self, node: &Node, what: &str) -> Option<Node> {
        let value = match &node.value {
            NodeValue::List(items) => {
                let items = items.iter().map(|item| self.computed_whole(item, what));
                NodeValue::List(items.collect::<Option<_>>()?)
            }
            NodeValue::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                for entry in entries {
                    let value = self.computed_whole(&entry.value, what)?;
                    all.push(Entry { key: entry.key.clone(), value });
                }
                NodeValue::Map(all)
            }
            _ => return self.computed(node, what).map(Cow::into_owned),
        };
        Some(Node { value, ..node.clone() })
    }

    /// The node with its templates filled in from `vars` and `env`. Nothing when that fails, which
    /// has been told.
    pub(super) fn computed<'n>(&mut self, node: &'n Node, what: &str) -> Option<Cow<'n, Node>> {
        let NodeValue::Text(text) = &node.value else { return Some(Cow::Borrowed(node)) };
        if !text.contains("{{") {
            return Some(Cow::Borrowed(node));
        }
        let value = match whole_expression(text) {
            Some((inner, offset)) => match Expression::parse(inner, &self.constants) {
                Ok(expression) => {
                    let unset: Vec<String> =
                        expression.unset_env().iter().map(|name| (*name).to_owned()).collect();
                    if self.unset(node.place, &unset) {
                        return None;
                    }
                    expression.constant().cloned()
                }
                Err(errors) => {
                    let errors = errors.into_iter().map(|error| shifted(error, offset)).collect();
                    self.not_computed(node, what, errors);
                    return None;
                }
            },
            None => match Template::parse(text, Encoding::Plain, &self.constants) {
                Ok(template) => {
                    let unset: Vec<String> =
                        template.unset_env().iter().map(|name| (*name).to_owned()).collect();
                    if self.unset(node.place, &unset) {
                        return None;
                    }
                    let fixed = template.as_fixed();
                    fixed.map(|fixed| Value::Text(String::from_utf8_lossy(fixed).as_ref().into()))
                }
                Err(errors) => {
                    self.not_computed(node, what, errors);
                    return None;
                }
            },
        };
        let Some(value) = value else {
            let label = if what == A_VAR {
                "it can use `vars` and `env` alone; what each user has for itself is `set` by a step"
            } else {
                "it can use `vars` and `env` alone"
            };
            self.wrong(node, format!("{what} is computed before the run"), label);
            return None;
        };
        Some(Cow::Owned(Node { value: node_of(&value, node), ..node.clone() }))
    }

    /// The same for a number: text that came out of a template is read as one.
    pub(super) fn computed_number<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
    ) -> Option<Cow<'n, Node>> {
        let computed = self.computed(node, what)?;
        if let (Cow::Owned(node), NodeValue::Text(text)) = (&computed, &computed.value) {
            let value = scalar(text);
            return Some(Cow::Owned(Node { value, ..node.clone() }));
        }
        Some(computed)
    }

    /// Variables of the environment that are needed and have no value: a plan can be checked without
    /// them, not run.
    pub(super) fn unset(&mut self, place: Place, names: &[String]) -> bool {
        for name in names {
            self.diagnostics.push(Diagnostic::unset(place, name));
        }
        !names.is_empty()
    }

    fn not_computed(&mut self, node: &Node, what: &str, errors: Vec<ParseError>) {
        for error in errors {
            // Where it stands within the text is near enough for a value of one line.
            let Some(name) = error.title.strip_prefix("nothing is called ") else {
                self.wrong(node, error.title, error.hint);
                continue;
            };
            // A name that only a step gives a value is known, but not here.
            let bare = name.trim_matches('`');
            let label = if ["evn", "environ", "environment"].contains(&bare) {
                "write `env.NAME`".to_owned()
            } else if let Some(variable) = bare.strip_prefix("vars.") {
                format!("write `{{{{ {variable} }}}}`: variables are named without `vars`")
            } else if error.hint.starts_with("did you mean") {
                error.hint
            } else if what == A_VAR {
                "it can use `env`, and the variables above it".to_owned()
            } else {
                "it can use `vars` and `env` alone".to_owned()
            };
            let title = format!("{what} is computed before the run, when there is no {name}");
            self.wrong(node, title, label);
        }
    }

    /// A whole number, 0 or more.
    pub(super) fn whole(&mut self, node: &Node, what: &str) -> Option<u64> {
        let node = &*self.computed_number(node, what)?;
        match &node.value {
            NodeValue::Int(number) if *number >= 0 => Some(*number as u64),
            NodeValue::Int(number) => {
                self.wrong(node, format!("{what} cannot be `{number}`"), "write 0 or more");
                None
            }
            NodeValue::Text(text) if text.trim().parse::<u64>().is_ok() => {
                self.wrong(
                    node,
                    format!("{what} must be a number, not text"),
                    "take the quotes out",
                );
                None
            }
            NodeValue::Text(text) => {
                let title = format!("{what} must be a whole number, not `{}`", shorten(text));
                self.wrong(node, title, "write a whole number, as `3`");
                None
            }
            NodeValue::Float(number) => {
                let title = format!("{what} must be a whole number, not `{number}`");
                self.wrong(node, title, "write a whole number, as `3`");
                None
            }
            other => {
                let title = format!("{what} must be a whole number, not {}", other.kind());
                self.wrong(node, title, "write a whole number, as `3`");
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let node = &*self.computed(node, what)?;
        let text = match &node.value {
            NodeValue::Text(text) => text.trim().to_owned(),
            // What TOML has no other word for.
            NodeValue::Bool(value) if words.iter().any(|(word, _)| *word == "on") => {
                if *value {
                    "on".to_owned()
                } else {
                    "off".to_owned()
                }
            }
            other => {
                let title = format!("{what} must be a word, not {}", other.kind());
                self.wrong(node, title, format!("write {}", one_of(words)));
                return None;
            }
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let switch = words.iter().any(|(word, _)| *word == "off");
        let lower = text.to_ascii_lowercase();
        let said = match &*lower {
            "no" | "false" | "never" | "none" | "n" if switch => Some("off"),
            "yes" | "true" | "always" | "y" if switch => Some("on"),
            _ => None,
        };
        let label = match said.or_else(|| self.suggest(&text, words.iter().map(|(word, _)| *word)))
        {
            Some(word) if said.is_some() => format!("write `{word}`"),
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", one_of(words)),
        };
        self.wrong(node, format!("{what} cannot be `{}`", shorten(&text)), label);
        None
    }
}

/// `` `a`, `b` or `c` ``
pub(super) fn one_of<T>(words: &[(&'static str, T)]) -> String {
    let quoted: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    match &quoted[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What stands between the braces of a text that is one `{{ }}` and nothing else, and where.
fn whole_expression(text: &str) -> Option<(&str, usize)> {
    let start = text.len() - text.trim_start().len();
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then_some((inner, start + 2))
}

fn shifted(mut error: ParseError, by: usize) -> ParseError {
    error.at = error.at.start + by..error.at.end + by;
    error
}

/// A scalar of the command line or the environment, with the type that it would have in a plan.
fn scalar(text: &str) -> NodeValue {
    let number = text.trim();
    // A leading zero says that it is no number: a postcode, a telephone.
    let plain = !number.trim_start_matches('-').starts_with('0')
        || number.len() == 1
        || number.trim_start_matches('-').starts_with("0.");
    match number {
        "true" => return NodeValue::Bool(true),
        "false" => return NodeValue::Bool(false),
        "null" => return NodeValue::Null,
        _ => {}
    }
    if plain && number.bytes().any(|byte| byte.is_ascii_digit()) {
        if let Ok(whole) = number.parse() {
            return NodeValue::Int(whole);
        }
        let digits = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if let (true, Ok(float)) = (digits, number.parse::<f64>())
            && float.is_finite()
        {
            return NodeValue::Float(float);
        }
    }
    NodeValue::Text(text.to_owned())
}

/// What a node holds, as a value of expressions.
pub fn value_of(node: &Node) -> Value {
    match &node.value {
        NodeValue::Null => Value::Null,
        NodeValue::Bool(value) => Value::Bool(*value),
        NodeValue::Int(value) => Value::Int(*value),
        NodeValue::Float(value) => Value::Float(*value),
        NodeValue::Text(text) => Value::Text(text.as_str().into()),
        NodeValue::List(items) => {
            Value::List(items.iter().map(value_of).collect::<Vec<_>>().into())
        }
        NodeValue::Map(entries) => {
            let entries = entries.iter();
            let pairs =
                entries.map(|entry| (entry.key.value.as_str().into(), value_of(&entry.value)));
            Value::Map(pairs.collect::<Vec<_>>().into())
        }
    }
}

/// The other way; every part gets the place of `at`.
fn node_of(value: &Value, at: &Node) -> NodeValue {
    let node = |value: &Value| Node { value: node_of(value, at), ..at.clone() };
    match value {
        Value::Null => NodeValue::Null,
        Value::Bool(value) => NodeValue::Bool(*value),
        Value::Int(value) => NodeValue::Int(*value),
        Value::Float(value) => NodeValue::Float(*value),
        Value::Text(text) => NodeValue::Text(text.to_string()),
        Value::List(items) => NodeValue::List(items.iter().map(node).collect()),
        Value::Map(entries) => NodeValue::Map(
            entries
                .iter()
                .map(|(key, value)| Entry {
                    key: Placed { value: key.to_string(), place: at.place },
                    value: node(value),
                })
                .collect(),
        ),
        other => {
            let mut text = Vec::new();
            other.write_text(&mut text);
            NodeValue::Text(String::from_utf8_lossy(&text).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_command_line_sets_has_the_type_that_it_would_have_in_a_plan() {
        for (text, value) in [
            ("7", NodeValue::Int(7)),
            ("-7", NodeValue::Int(-7)),
            ("0", NodeValue::Int(0)),
            ("0.5", NodeValue::Float(0.5)),
            ("1e3", NodeValue::Float(1000.0)),
            ("true", NodeValue::Bool(true)),
            ("null", NodeValue::Null),
            ("01234", NodeValue::Text("01234".into())),
            ("inf", NodeValue::Text("inf".into())),
            ("2s", NodeValue::Text("2s".into())),
            ("", NodeValue::Text(String::new())),
        ] {
            assert_eq!(scalar(text), value, "{text}");
        }
    }

    #[test]
    fn what_the_plan_has_as_text_stays_text_when_it_is_set() {
        let set = [("version", "2"), ("count", "2"), ("place", "x")];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let loading = crate::plan::Loading { set, ..crate::plan::Loading::default() };
        let loaded = crate::plan::parse_with(
            "plan.yaml",
            "vars: { version: '1', count: 1, place: 7 }\nusers: { A: { wait: 1s, tasks: { a: { get: / } } } }\n",
            &loading,
        );
        let plan = loaded.plan.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let values: Vec<_> = plan.vars.into_iter().map(|(_, node)| node.value).collect();
        let text = |text: &str| NodeValue::Text(text.to_owned());
        assert_eq!(values, [text("2"), NodeValue::Int(2), text("x")]);
    }
}
