//! Owns reading a plan's file, and the way from its text to the plan.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::document::{self, MAX_BYTES};
use super::model::Plan;
use super::validate::{sort, validate};
use crate::diagnostic::{Diagnostic, Severity, Source, suggest};

/// What came of reading a plan.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The files that diagnostics point into.
    pub sources: Vec<Source>,
    /// The plan, when there is no error.
    pub plan: Option<Plan>,
    /// Errors and warnings, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    fn failed(diagnostic: Diagnostic) -> Self {
        Self { sources: Vec::new(), plan: None, diagnostics: vec![diagnostic] }
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

/// Reads a plan from its text. The ending of `path` says which format it is in: `.toml` is TOML, all
/// others are YAML.
#[must_use]
pub fn parse(path: &str, text: &str) -> Loaded {
    // Editors on Windows begin files with it; no place must count it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let sources = vec![Source { path: path.to_owned(), text: text.to_owned() }];
    let stem = Path::new(path).file_stem().map_or("plan".into(), |stem| stem.to_string_lossy());
    let (plan, diagnostics) = match document::read(0, path, text) {
        Ok((tree, mut diagnostics)) => {
            let (plan, found) = validate(&tree, &stem);
            diagnostics.extend(found);
            sort(&mut diagnostics);
            (plan, diagnostics)
        }
        Err(mut diagnostics) => {
            sort(&mut diagnostics);
            (None, diagnostics)
        }
    };
    debug_assert_eq!(plan.is_none(), diagnostics.iter().any(|one| one.severity == Severity::Error));
    Loaded { sources, plan, diagnostics }
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
