//! Owns reading a plan's file, and the way from its text to the plan.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::document::{self, MAX_BYTES};
use super::model::Plan;
use super::validate::{TOP_LEVEL_TOML, TOP_LEVEL_YAML, assigned, sort, validate};
use crate::diagnostic::{Diagnostic, Place, Source, suggest};

/// What came of reading a plan.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The files that diagnostics point into.
    pub sources: Vec<Source>,
    /// The plan, when there is no error.
    pub plan: Option<Plan>,
    /// What could be read of it, when there are errors.
    pub partial: Option<Partial>,
    /// Errors and warnings, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// A plan with errors: what could be read of it.
#[derive(Debug, Clone)]
pub struct Partial {
    /// Without the parts that are wrong.
    pub plan: Plan,
    /// The variables that are assigned somewhere, in the wrong parts too.
    pub assigned: Vec<String>,
}

impl Loaded {
    fn failed(diagnostic: Diagnostic) -> Self {
        Self { sources: Vec::new(), plan: None, partial: None, diagnostics: vec![diagnostic] }
    }
}

/// Reads the plan in a file. Whatever goes wrong is a diagnostic.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let shown = path.display();
    if path.is_dir() {
        return Loaded::failed(Diagnostic::without_place(
            format!("{shown} is a folder"),
            plans_in(path)
                .map_or("name a plan in it".into(), |plan| format!("name a plan in it, as {plan}")),
        ));
    }
    let mut bytes = Vec::new();
    // One byte more than may be, so that a larger file is found out without being read.
    let limit = u64::try_from(MAX_BYTES).map_or(u64::MAX, |limit| limit + 1);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    if let Err(error) = read {
        let (problem, advice) = match error.kind() {
            ErrorKind::NotFound => ("there is no such file".to_owned(), near(path)),
            ErrorKind::PermissionDenied => {
                ("it may not be read".to_owned(), "check who may read it".to_owned())
            }
            _ => (error.to_string(), "check the path".to_owned()),
        };
        let title = format!("cannot read {shown}: {problem}");
        return Loaded::failed(Diagnostic::without_place(title, advice));
    }
    if bytes.len() > MAX_BYTES {
        return Loaded::failed(document::too_large());
    }
    match String::from_utf8(bytes) {
        Ok(text) => parse(&shown.to_string(), &text),
        Err(error) => {
            let bytes = error.as_bytes();
            let valid = &bytes[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            let title = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                format!("{shown} is UTF-16, not UTF-8")
            } else {
                format!("{shown} is not UTF-8: line {line} holds other bytes")
            };
            Loaded::failed(Diagnostic::without_place(title, "save it as UTF-8 in your editor"))
        }
    }
}

/// Said once of a text that cannot be read as YAML or TOML.
const UNREAD: &str = "what else may be wrong is looked for once this is mended";

/// Reads a plan from its text. The ending of `path` says which format it is in: `.toml` is TOML, all
/// others are YAML.
#[must_use]
pub fn parse(path: &str, text: &str) -> Loaded {
    // Editors on Windows begin files with it; no place must count it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let sources = vec![Source { path: path.to_owned(), text: text.to_owned() }];
    let stem = Path::new(path).file_stem().map_or("plan".into(), |stem| stem.to_string_lossy());
    let mut variables = Vec::new();
    let (plan, mut diagnostics) = match document::read(0, path, text) {
        Ok((tree, mut diagnostics)) => {
            let (plan, mut found) = validate(&tree, &stem);
            assigned(&tree, &mut variables);
            // A value that could not be read is missing in the tree: what that leads to is no
            // mistake of its own.
            let unread: Vec<_> = diagnostics.iter().filter(|one| one.is_error()).collect();
            found.retain(|one| !unread.iter().any(|told| touches(told.place, one.place)));
            diagnostics.extend(found);
            (plan, diagnostics)
        }
        Err(mut diagnostics) => {
            if let Some(last) = diagnostics.last_mut().filter(|last| last.help.is_none()) {
                last.help = Some(UNREAD.to_owned());
            }
            (None, diagnostics)
        }
    };
    sort(&mut diagnostics);
    if document::is_toml(path) {
        for diagnostic in &mut diagnostics {
            diagnostic.label = as_toml(&diagnostic.label);
            if diagnostic.help.as_deref() == Some(TOP_LEVEL_YAML) {
                diagnostic.help = Some(TOP_LEVEL_TOML.to_owned());
            }
        }
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        let partial = plan.map(|plan| Partial { plan, assigned: variables });
        return Loaded { sources, plan: None, partial, diagnostics };
    }
    Loaded { sources, plan, partial: None, diagnostics }
}

/// Two mistakes are about the same text.
fn touches(one: Option<Place>, other: Option<Place>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    one.source == other.source && one.start <= other.end && other.start <= one.end
}

/// Advice is written in YAML, as `get: /todos/`; in a TOML file that is `get = "/todos/"`.
fn as_toml(advice: &str) -> String {
    let parts = advice.split('`').enumerate().map(|(at, part)| {
        let pair = part.split_once(": ").filter(|(key, _)| {
            at % 2 == 1 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        });
        pair.map_or(part.to_owned(), |(key, value)| format!("{key} = \"{value}\""))
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The plan beside a path that leads nowhere whose name is nearest.
fn near(path: &Path) -> String {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return format!("there is no folder {} either; check the path", folder.display());
    }
    let names = names_in(folder);
    let wanted =
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match suggest(&wanted, names.iter().map(|name| &**name)) {
        Some(name) => format!("did you mean {}?", path.with_file_name(name).display()),
        None => "check the path".to_owned(),
    }
}

fn plans_in(folder: &Path) -> Option<String> {
    Some(folder.join(names_in(folder).first()?).display().to_string())
}

/// The plans in a folder, in the order of their names.
fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| [".yaml", ".yml", ".toml"].iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn said(path: &Path) -> String {
        let loaded = load(path);
        assert!(loaded.plan.is_none());
        let [diagnostic] = &loaded.diagnostics[..] else { panic!("{:?}", loaded.diagnostics) };
        format!("{}: {}", diagnostic.title, diagnostic.label)
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let shown = |name: &str| at(name).display().to_string();
        fs::write(at("todo.yaml"), "a: 1\n").unwrap();
        fs::write(at("latin.yaml"), b"a: 1\nb: \xe9\n").unwrap();
        fs::write(at("wide.yaml"), b"\xff\xfea\0").unwrap();
        fs::write(at("large.yaml"), "#".repeat(MAX_BYTES + 1)).unwrap();
        assert_eq!(
            said(&at("tdo.yaml")),
            format!(
                "cannot read {}: there is no such file: did you mean {}?",
                shown("tdo.yaml"),
                shown("todo.yaml")
            )
        );
        assert!(said(&at("else/todo.yaml")).contains("there is no folder"));
        assert!(
            said(folder.path())
                .ends_with(&format!("name a plan in it, as {}", shown("large.yaml")))
        );
        assert!(said(&at("latin.yaml")).contains("is not UTF-8: line 2"));
        assert!(said(&at("wide.yaml")).contains("is UTF-16"));
        assert!(said(&at("large.yaml")).contains("larger than 4 MiB"));
    }

    #[test]
    fn a_byte_order_mark_moves_no_place() {
        for path in ["p.yaml", "p.toml"] {
            let plain = parse(path, "nmae = 1\n");
            assert_eq!(parse(path, "\u{feff}nmae = 1\n").diagnostics, plain.diagnostics);
        }
    }

    #[test]
    fn a_plan_without_a_name_is_named_after_its_file() {
        let text = "users: { U: { tasks: { t: { get: / } } } }";
        assert_eq!(parse("plans/shop.yaml", text).plan.unwrap().name, "shop");
        assert_eq!(parse("shop", text).plan.unwrap().name, "shop");
    }

    #[test]
    fn advice_in_a_toml_file_is_toml() {
        assert_eq!(
            as_toml("write `get: /a` or `wait: 1s`, not: this"),
            "write `get = \"/a\"` or `wait = \"1s\"`, not: this"
        );
        assert_eq!(as_toml("write `1s..3s`"), "write `1s..3s`");
    }
}
