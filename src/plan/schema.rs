//! Owns the JSON Schema of plans, made from the table of keys: what editors complete and underline.

use serde_json::{Map, Value as Json, json};

use super::document;
use super::keys::{Context, Key, Shape, Status};
use crate::verdict::METRICS;

/// `{{ … }}` somewhere in a text.
const TEMPLATE: &str = r"\{\{";
/// One number and its unit; `1m30s` is two of them.
const TIME: &str = "([0-9]+(\\.[0-9]+)?\\s*(h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|msecs?|\
                    millis?|milliseconds?|us|µs|usecs?|micros?|microseconds?|ns|nsecs?|nanos?|\
                    nanoseconds?)[\\s,]*)+";
const SIZE: &str = r"[0-9.]+\s*[kKmMgG]?[iI]?[bB]";
const RANGE: &str = r"(-?[0-9.]+\s*\.\.\s*(-?[0-9.]+)?|\.\.\s*-?[0-9.]+)";
const CODES: &str = r"(any|[1-5](xx|XX)|[1-5][0-9][0-9](\s*\.\.\s*[1-5][0-9][0-9])?)";
const TIMES: &str = r"((ok|service|connect|tls|ttfb)\.)?(p[0-9]+(\.[0-9]+)?|avg|min|max)";

/// The schema as the file that editors read: JSON, with a line feed at its end.
#[must_use]
pub fn text() -> String {
    let text = serde_json::to_string_pretty(&schema()).expect("a JSON value can be written");
    text + "\n"
}

/// The schema of plans, draft 7: what the language servers for YAML and TOML know best. It knows
/// words, types and forms; what hangs together over several keys is for [`validate`](super::validate).
#[must_use]
pub fn schema() -> Json {
    let mut definitions = Map::new();
    for context in Context::ALL.into_iter().filter(|context| *context != Context::Plan) {
        definitions.insert(context.slug().to_owned(), of_context(context));
    }
    let mut root = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Made by `throng schema`.",
        "title": "A Throng plan",
    });
    let whole = root.as_object_mut().expect("it was written as a map");
    if let Json::Object(plan) = of_context(Context::Plan) {
        whole.extend(plan.into_iter().filter(|(key, _)| key != "title"));
    }
    whole.insert(
        "patternProperties".into(),
        json!({ "^x-": { "description": "Anything of yours: anchors for YAML's `*aliases`." } }),
    );
    whole.insert("definitions".into(), Json::Object(definitions));
    root
}

fn of_context(context: Context) -> Json {
    let mut properties = Map::new();
    for key in context.keys().filter(|key| key.status == Status::Now) {
        properties.insert(key.name.to_owned(), of_key(key));
    }
    let mut schema = json!({
        "title": context.words(),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let dependencies = dependencies(context);
    let map = schema.as_object_mut().expect("it was written as a map");
    if !dependencies.is_empty() {
        map.insert("dependencies".into(), Json::Object(dependencies));
    }
    // An empty one does nothing, and is refused.
    if matches!(context, Context::Step | Context::Expect | Context::Timeout) {
        map.insert("minProperties".into(), json!(1));
    }
    schema
}

/// Keys that say nothing without others.
fn dependencies(context: Context) -> Map<String, Json> {
    let pairs: &[(&str, &[&str])] = match context {
        Context::Step => &[
            ("if", &["then"]),
            ("then", &["if"]),
            ("else", &["if"]),
            ("repeat", &["do"]),
            ("for", &["in", "do"]),
            ("in", &["for"]),
            ("while", &["do"]),
            ("until", &["do"]),
            ("group", &["do"]),
            ("within", &["until"]),
            ("request", &["url"]),
            ("url", &["request"]),
        ],
        Context::Task | Context::Flow => &[("request", &["url"]), ("url", &["request"])],
        Context::Capture | Context::Expect => &[("attr", &["css"])],
        Context::Wait => &[("normal", &["stddev"]), ("stddev", &["normal"])],
        _ => &[],
    };
    pairs.iter().map(|(key, needs)| ((*key).to_owned(), json!(needs))).collect()
}

fn of_key(key: &Key) -> Json {
    let mut about = key.about.to_owned();
    if !key.default.is_empty() {
        let quote = if key.default.contains(' ') { "" } else { "`" };
        about += &format!(" When nothing is said: {quote}{}{quote}.", key.default);
    }
    let mut schema = Map::new();
    schema.insert("description".into(), Json::String(about));
    // Editors write it behind the key; a default that is a sentence is for reading.
    if let Some(value) = yaml(key.default).filter(|_| !key.default.contains(' ')) {
        schema.insert("default".into(), value);
    }
    if let Some(value) = yaml(key.example) {
        schema.insert("examples".into(), json!([value]));
    }
    if let Json::Object(shape) = of_shape(&key.shape) {
        schema.extend(shape);
    }
    Json::Object(schema)
}

/// What a text says as YAML; nothing when it says nothing.
fn yaml(text: &str) -> Option<Json> {
    let (node, _) = document::read(0, "example.yaml", text).ok().filter(|_| !text.is_empty())?;
    Some(node.to_json())
}

fn of_shape(shape: &Shape) -> Json {
    let text = || json!({ "type": "string", "minLength": 1 });
    match shape {
        Shape::Text => text(),
        Shape::Template => json!({ "type": "string" }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean", "null"] }),
        Shape::Header => json!({ "type": ["string", "number", "null"] }),
        Shape::Item => json!({ "type": ["string", "number", "boolean", "array"] }),
        Shape::Path => {
            pattern("^(/|[hH][tT][tT][pP][sS]?://|\\{\\{)", "a path begins with `/`, as `/todos/`")
        }
        Shape::Url => {
            pattern(r"^\s*[hH][tT][tT][pP][sS]?://|\{\{", "write a URL, as `http://127.0.0.1:8000`")
        }
        Shape::JsonPath => {
            pattern(r"^\s*\$|\{\{", "a path into the body begins with `$`, as `$.id`")
        }
        Shape::Source => pattern(
            r"^\s*\$|\{\{",
            "write a path into the body, as `$.id`, or a template, as `{{ response.status }}`",
        ),
        Shape::Expression => json!({ "type": ["string", "boolean", "integer"], "minLength": 1 }),
        Shape::Number => number("number", "write a number, as `3`", None),
        Shape::Integer => number("integer", "write a whole number, as `3`", None),
        Shape::Users => number("integer", "write a whole number, as `100`", Some(1_000_000)),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Duration => {
            quantity(TIME, "write a time with its unit, as `250ms`, `2s`, `1m30s` or `1h`")
        }
        Shape::Rate => quantity(
            r"[0-9.]+\s*/\s*(s|sec|second|m|min|minute|h|hour)",
            "write a rate, as `50/s`, `10/m` or `1/h`",
        ),
        Shape::Percent => quantity(r"[0-9.]+\s*%", "write a share, as `30%`"),
        Shape::Size => quantity(
            &format!(r"(<=|>=|<|>)\s*{SIZE}"),
            "write a comparison with a size, as `< 10KB`",
        ),
        Shape::Time => quantity(
            &format!(r"(<=|>=|<|>)\s*{TIME}"),
            "write a comparison with a time, as `< 500ms`",
        ),
        Shape::Range => {
            let hint = "write a number or a range, as `3`, `1..`, `..10` or `1..10`";
            let mut range = quantity(RANGE, hint);
            range["type"] = json!(["number", "string"]);
            range
        }
        Shape::Wait => quantity(
            &format!(r"(none|{TIME}(\.\.\s*{TIME})?)"),
            "write a time or a range of times, as `2s` or `1s..3s`, or `none`",
        ),
        Shape::Codes => {
            let hint = "write status codes, as `201`, `2xx`, `200..299` or `any`";
            let mut codes = quantity(CODES, hint);
            codes["type"] = json!(["integer", "string"]);
            codes["minimum"] = json!(100);
            codes["maximum"] = json!(599);
            codes
        }
        Shape::Judgement => quantity(
            &format!(r"({TIMES}|{})\s*(<=|>=|==|<|>|≤|≥)\s*\S.*", METRICS.join("|")),
            "write a figure and its limit, as `p95 < 500ms`, `error_rate < 1%` or `rps > 50`",
        ),
        Shape::Value => json!({}),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Pair => {
            let item = json!({ "type": ["string", "integer"] });
            json!({ "type": "array", "items": item, "minItems": 2, "maxItems": 2 })
        }
        Shape::List(item) => json!({ "type": "array", "items": of_shape(item) }),
        Shape::Many(item) => {
            any([of_shape(item), json!({ "type": "array", "items": of_shape(item) })])
        }
        Shape::Map(value) => named(of_shape(value)),
        Shape::Keys(context) => keys(*context),
        Shape::Named(context) => named(keys(*context)),
        Shape::Flow => any([keys(Context::Flow), list_of_steps()]),
        Shape::Steps => any([keys(Context::Step), list_of_steps()]),
        Shape::Any(shapes) => any(shapes.iter().map(of_shape)),
    }
}

/// Alternatives, those within alternatives beside the others: editors tell a mistake by the nearest.
fn any(shapes: impl IntoIterator<Item = Json>) -> Json {
    let mut all: Vec<Json> = Vec::new();
    for shape in shapes {
        match shape {
            Json::Object(mut map) if map.len() == 1 && map.contains_key("anyOf") => {
                if let Some(Json::Array(inner)) = map.remove("anyOf") {
                    all.extend(inner);
                }
            }
            shape => all.push(shape),
        }
    }
    json!({ "anyOf": all })
}

fn keys(context: Context) -> Json {
    json!({ "$ref": format!("#/definitions/{}", context.slug()) })
}

fn named(value: Json) -> Json {
    json!({ "type": "object", "additionalProperties": value })
}

fn list_of_steps() -> Json {
    json!({ "type": "array", "items": keys(Context::Step), "minItems": 1 })
}

/// Text of a form, or text with a template in it, and what an editor says of any other.
fn quantity(form: &str, hint: &str) -> Json {
    pattern(&format!(r"^\s*{form}\s*$|{TEMPLATE}"), hint)
}

fn pattern(pattern: &str, hint: &str) -> Json {
    json!({ "type": "string", "pattern": pattern, "patternErrorMessage": hint })
}

fn number(kind: &str, hint: &str, most: Option<u32>) -> Json {
    let mut schema = pattern(TEMPLATE, hint);
    schema["type"] = json!([kind, "string"]);
    schema["minimum"] = json!(0);
    if let Some(most) = most {
        schema["maximum"] = json!(most);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::METHODS;

    #[test]
    fn every_key_that_can_be_written_is_in_the_schema_and_no_other() {
        let schema = schema();
        for context in Context::ALL {
            let at = match context {
                Context::Plan => &schema["properties"],
                context => &schema["definitions"][context.slug()]["properties"],
            };
            for key in context.keys() {
                let there = at.get(key.name).is_some();
                let wanted = key.status == Status::Now;
                assert_eq!(there, wanted, "`{}` of {}", key.name, context.words());
            }
        }
    }

    #[test]
    fn every_example_and_every_default_that_is_a_value_can_be_read() {
        for key in Context::ALL.into_iter().flat_map(Context::keys) {
            if key.status == Status::Now {
                assert!(yaml(key.example).is_some(), "the example of `{}`", key.name);
            }
        }
    }

    #[test]
    fn each_method_stands_in_a_step_with_what_it_is() {
        let schema = schema();
        for (name, method) in METHODS {
            let about = &schema["definitions"]["step"]["properties"][name]["description"];
            assert!(about.as_str().unwrap().contains(method), "{about}");
        }
    }
}
