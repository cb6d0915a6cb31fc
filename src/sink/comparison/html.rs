//! Owns a comparison as a page: one file that fetches nothing, with both sides in each chart.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value as Field, context};
use serde_json::Value;

use crate::sink::html;
use crate::untrusted::script_json;

const PAGE: &str = include_str!("../../../templates/comparison.html");
const SCRIPT: &str = concat!(
    include_str!("../../../templates/charts.js"),
    include_str!("../../../templates/comparison.js")
);
const OWN_STYLE: &str = include_str!("../../../templates/comparison.css");

/// That of the report, and what is of a comparison alone.
static STYLE: LazyLock<String> = LazyLock::new(|| format!("{}{OWN_STYLE}", html::STYLE));

static POLICY: LazyLock<String> = LazyLock::new(|| html::policy(&STYLE, SCRIPT));

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // A name that ends in `.html` turns escaping on.
    let mut templates = Environment::new();
    templates.add_template("comparison.html", PAGE).expect("the template is fixed and right");
    templates
});

/// The page for what [`json`](super::json()) gives.
///
/// # Errors
/// The template met a value that it has no place for, which is a bug.
pub fn render(comparison: &Value) -> Result<String, Error> {
    let data = serde_json::to_string(&comparison["courses"])
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let (mark, word) = match comparison["verdict"]["state"].as_str() {
        Some("worse") => ("✗", "worse"),
        Some("better") => ("✓", "better"),
        Some("no_difference") => ("=", "no difference shown"),
        _ => ("?", "cannot say"),
    };
    // The pill says the first word already.
    let sentence = comparison["verdict"]["sentence"].as_str().unwrap_or_default();
    let heads = ["Worse: ", "Better: ", "No difference shown: ", "Cannot say: ", "Cannot say "];
    let rest = heads.iter().find_map(|head| sentence.strip_prefix(head));
    let sentence = rest.unwrap_or(sentence);
    let page = context! {
        policy => POLICY.as_str(),
        style => STYLE.as_str(),
        script => SCRIPT,
        chart_library => html::CHART_LIBRARY,
        data => script_json(&data),
        mark => mark,
        word => word,
        sentence => sentence,
    };
    TEMPLATES
        .get_template("comparison.html")?
        .render(context! { page, ..Field::from(Serde(comparison)) })
}

#[cfg(test)]
#[test]
fn nothing_in_our_own_script_or_style_ends_them() {
    assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
    assert!(!OWN_STYLE.contains("</style") && !OWN_STYLE.contains("url("));
}
