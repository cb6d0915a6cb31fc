//! Owns mistakes as machines read them: one JSON object, and the workflow commands of GitHub.

use std::path::Path;

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Place, Severity, Source};
use crate::sink::repository_path;
use crate::untrusted::{workflow_message, workflow_property as property};

/// Where a place begins and ends, in lines and columns from 1; columns count characters, and the end
/// is the first character after it.
struct Span<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

fn span(place: Place, sources: &[Source]) -> Option<Span<'_>> {
    let Source { path, text } = sources.get(usize::from(place.source))?;
    let at = |offset: usize| {
        let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let start = before.rfind('\n').map_or(0, |feed| feed + 1);
        (line, 1 + before[start..].chars().count())
    };
    let range = place.range();
    let (line, column) = at(range.start);
    // What follows the last character is no part of it.
    let text = text.get(range.clone()).unwrap_or_default().trim_end();
    let (end_line, end_column) = at(range.start + text.len());
    Some(Span { file: path, line, column, end_line, end_column })
}

/// A diagnostic as JSON: `severity` is `error`, `warning` or `unset` (a variable of the environment has
/// no value: a run would refuse it); `file` and the four numbers are `null` when it has no place; `also`
/// is a second place that explains the first, or `null`.
pub(super) fn json(diagnostic: &Diagnostic, sources: &[Source]) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Unset => "unset",
    };
    let also = diagnostic.also.as_deref().map(|(place, label)| {
        let mut also = json!({ "label": label });
        placed(&mut also, span(*place, sources));
        also
    });
    let mut value = json!({
        "severity": severity,
        "title": diagnostic.title,
        "label": diagnostic.label,
        "help": diagnostic.help,
    });
    placed(&mut value, diagnostic.place.and_then(|place| span(place, sources)));
    value["also"] = also.into();
    value
}

fn placed(value: &mut Value, span: Option<Span<'_>>) {
    value["file"] = span.as_ref().map(|span| span.file).into();
    value["line"] = span.as_ref().map(|span| span.line).into();
    value["column"] = span.as_ref().map(|span| span.column).into();
    value["end_line"] = span.as_ref().map(|span| span.end_line).into();
    value["end_column"] = span.as_ref().map(|span| span.end_column).into();
}

/// A diagnostic as a line that GitHub shows at the place in a pull request. `plan` is for a mistake
/// without a place; in a `workspace` files are named from the root of their repository.
pub(super) fn github(
    diagnostic: &Diagnostic,
    sources: &[Source],
    plan: &str,
    workspace: Option<&Path>,
) -> String {
    let named = |file: &str| {
        let path = workspace.and_then(|workspace| repository_path(file, workspace));
        property(path.as_deref().unwrap_or(file))
    };
    let command = if diagnostic.is_error() { "error" } else { "warning" };
    let place = match diagnostic.place.and_then(|place| span(place, sources)) {
        None => format!("file={}", named(plan)),
        Some(Span { file, line, column, end_line, end_column }) => {
            // Of several lines, GitHub takes no columns; and its last column is within the place.
            let columns = if end_line == line {
                format!(",col={column},endColumn={}", end_column.saturating_sub(1).max(column))
            } else {
                String::new()
            };
            format!("file={},line={line},endLine={end_line}{columns}", named(file))
        }
    };
    let parts = [Some(&diagnostic.label), diagnostic.help.as_ref()];
    let parts: Vec<&str> =
        parts.into_iter().flatten().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let message = if parts.is_empty() { diagnostic.title.clone() } else { parts.join("\n") };
    format!(
        "::{command} {place},title={}::{}\n",
        property(&diagnostic.title),
        workflow_message(&message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Vec<Source> {
        vec![Source { path: path.into(), text: text.into() }]
    }

    #[test]
    fn nothing_in_a_text_ends_a_workflow_command_or_adds_to_it() {
        let sources = source("a,b:c%.yaml", "한글: wrong\n");
        let mistake =
            Diagnostic::error(Place::new(0, 8..13), "50%, or: more", "write `a::b`\r\n::error::x")
                .help("100%");
        assert_eq!(
            github(&mistake, &sources, "", None),
            "::error file=a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=5,endColumn=9,\
             title=50%25%2C or%3A more::write `a::b`%0D%0A::error::x%0A100%25\n"
        );
    }

    #[test]
    fn a_mistake_without_a_place_is_at_the_plan() {
        let mistake = Diagnostic::without_place("no target", "");
        assert_eq!(
            github(&mistake, &[], "plan.yaml", None),
            "::error file=plan.yaml,title=no target::no target\n"
        );
    }

    #[test]
    fn places_are_lines_and_characters_and_end_behind_the_last_one() {
        let text = "a: 1\n한글:\n  - x\n  - y\nb: 2\n";
        let start = text.find("- x").unwrap();
        let end = text.find("b: 2").unwrap();
        let sources = source("p.yaml", text);
        let warning = Diagnostic::warning(Place::new(0, start..end), "t", "l")
            .also(Place::new(0, 5..11), "here");
        let found = json(&warning, &sources);
        assert_eq!(
            [&found["line"], &found["column"], &found["end_line"], &found["end_column"]],
            [3, 3, 4, 6]
        );
        let also = &found["also"];
        assert_eq!([&also["line"], &also["column"], &also["end_column"]], [2, 1, 3]);
        assert!(!github(&warning, &sources, "", None).contains("col="));
    }
}
