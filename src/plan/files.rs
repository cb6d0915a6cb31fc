//! Owns the files of a plan: reading them, and laying the plan over what it includes.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use super::document::{self, Entry, MAX_BYTES, MAX_NODES, Node, NodeValue};
use super::merge::merge;
use crate::diagnostic::{Diagnostic, Place, Source, suggest};

/// How many times files may be included.
const MAX_INCLUDES: usize = 64;
/// All files of a plan together; one alone ends at [`MAX_BYTES`].
const MAX_ALL_BYTES: usize = 4 * MAX_BYTES;

/// What came of reading the files of a plan.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Those that were read, the plan itself first.
    pub sources: Vec<Source>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file that is being read and what it includes.
struct Open {
    /// With every link followed, so that a cycle cannot hide behind one.
    real: PathBuf,
    /// As it is shown.
    shown: PathBuf,
}

struct Reader {
    files: Files,
    /// The folder that nothing may be included from outside of; absent when the plan has none.
    root: Option<PathBuf>,
    allow_outside: bool,
    /// The plan and the including files down to the one that is read now.
    open: Vec<Open>,
    /// What was read already: a file may be included by several.
    known: HashMap<PathBuf, Option<Node>>,
    includes: usize,
    bytes: usize,
    nodes: usize,
}

/// Reads the plan at `path`, whose text is `text`, and all that it includes. No tree: what could not
/// be read is told. `file` is where the plan lies; without it nothing can be included.
pub(super) fn read(
    path: &str,
    text: &str,
    file: Option<&Path>,
    allow_outside: bool,
) -> (Files, Option<Node>) {
    let root = file.and_then(|file| fs::canonicalize(folder_of(file)).ok());
    let real = file.and_then(|file| fs::canonicalize(file).ok()).unwrap_or_else(|| path.into());
    let mut reader = Reader {
        files: Files::default(),
        root,
        allow_outside,
        open: vec![Open { real, shown: path.into() }],
        known: HashMap::new(),
        includes: 0,
        bytes: 0,
        nodes: 0,
    };
    let tree = reader.document(path, text, None);
    (reader.files, tree)
}

/// The text of a file, which is called `shown`.
///
/// # Errors
/// What keeps it from being read, for a person.
pub(super) fn read_text(path: &Path, shown: &Path) -> Result<String, Diagnostic> {
    let shown = shown.display();
    // A pipe may never end, and reading a plan again (with another environment) finds it empty.
    if fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        let title = format!("cannot read {shown}: it is no file but a pipe or a device");
        let advice = "write the plan into a file, and name that";
        return Err(Diagnostic::without_place(title, advice));
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
        return Err(Diagnostic::without_place(format!("cannot read {shown}: {problem}"), advice));
    }
    if bytes.len() > MAX_BYTES {
        return Err(document::too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        let valid = &bytes[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let title = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            format!("{shown} is UTF-16, not UTF-8")
        } else {
            format!("{shown} is not UTF-8: line {line} holds other bytes")
        };
        Diagnostic::without_place(title, "save it as UTF-8 in your editor")
    })
}

impl Reader {
    fn tell(&mut self, diagnostic: Diagnostic) {
        self.files.diagnostics.push(diagnostic);
    }

    /// The tree of one file, with what it includes below it. `from` is what included it.
    fn document(&mut self, path: &str, text: &str, from: Option<Place>) -> Option<Node> {
        // Editors on Windows begin files with it; no place must count it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = u16::try_from(self.files.sources.len()).ok()?;
        self.files.sources.push(Source { path: path.to_owned(), text: text.to_owned() });
        let mut tree = match document::read(source, path, text) {
            Ok((tree, told)) => {
                self.files.diagnostics.extend(told);
                tree
            }
            Err(mut told) => {
                if from.is_some() || text.lines().any(|line| line.starts_with("include")) {
                    explain_anchors(&mut told);
                }
                self.files.diagnostics.extend(told);
                return None;
            }
        };
        self.nodes += tree.count();
        if self.nodes > MAX_NODES
            && let Some(from) = from
        {
            self.tell(Diagnostic::error(
                from,
                format!("the plan holds more than {MAX_NODES} values, with all that it includes"),
                "make the plan smaller",
            ));
            return None;
        }
        if let (Some(from), NodeValue::Null) = (from, &tree.value) {
            // A file of comments alone changes nothing.
            tree.value = NodeValue::Map(Vec::new());
            tree.place = from;
        }
        let NodeValue::Map(entries) = &mut tree.value else {
            let Some(from) = from else { return Some(tree) };
            let kind = tree.value.kind();
            let title = format!("an included file holds keys of the plan, not {kind}");
            self.tell(Diagnostic::error(from, title, "include a part of a plan"));
            return None;
        };
        let Some(include) = take(entries, "include") else { return Some(tree) };
        let included = self.include(&include)?;
        Some(included.into_iter().rev().fold(tree, |over, base| merge(base, over)))
    }

    /// The trees of the files that an `include` names.
    fn include(&mut self, include: &Entry) -> Option<Vec<Node>> {
        let node = &include.value;
        let items = match &node.value {
            NodeValue::Text(_) => std::slice::from_ref(node),
            NodeValue::List(items) => items,
            NodeValue::Null => {
                let label = "name a file, as `include: base.yaml`, or take the key out";
                self.tell(Diagnostic::error(include.key.place, "`include` is empty", label));
                return None;
            }
            other => {
                let title = format!("`include` is a file or a list of files, not {}", other.kind());
                self.tell(Diagnostic::error(
                    node.place,
                    title,
                    "name a file, as `include: base.yaml`",
                ));
                return None;
            }
        };
        // Each is read, whatever became of those before it: all mistakes at once.
        let trees: Vec<_> = items.iter().map(|item| self.one(item)).collect();
        trees.into_iter().collect()
    }

    fn one(&mut self, item: &Node) -> Option<Node> {
        let read = match &item.value {
            NodeValue::Text(name) => self.find(name, item.place),
            other => Err(Diagnostic::error(
                item.place,
                format!("`include` takes names of files, not {}", other.kind()),
                "write the name of a file, as `base.yaml`",
            )),
        };
        let (shown, real) = match read {
            Ok(found) => found,
            Err(told) => {
                self.tell(told);
                return None;
            }
        };
        if let Some(known) = self.known.get(&real) {
            return known.clone();
        }
        let text = match read_text(&real, &shown) {
            Ok(text) => text,
            Err(told) => {
                self.tell(Diagnostic { place: Some(item.place), ..told });
                return None;
            }
        };
        self.bytes += text.len();
        if self.bytes > MAX_ALL_BYTES {
            self.tell(Diagnostic::error(
                item.place,
                format!("the included files are larger than {} MiB", MAX_ALL_BYTES >> 20),
                "include less",
            ));
            return None;
        }
        self.open.push(Open { real: real.clone(), shown: shown.clone() });
        let tree = self.document(&shown.display().to_string(), &text, Some(item.place));
        self.open.pop();
        self.known.insert(real, tree.clone());
        tree
    }

    /// Where an included file lies: as it is shown, and with every link followed.
    fn find(&mut self, name: &str, place: Place) -> Result<(PathBuf, PathBuf), Diagnostic> {
        let error = |title: String, label: &str| Err(Diagnostic::error(place, title, label));
        let Some(root) = self.root.clone() else {
            return error(
                "a plan that does not come from a file can include none".to_owned(),
                "write the keys out, or save the plan into a file",
            );
        };
        self.includes += 1;
        if self.includes > MAX_INCLUDES {
            return error(
                format!("files are included more than {MAX_INCLUDES} times"),
                "include less",
            );
        }
        if name.is_empty() {
            return error("`include` is empty".to_owned(), "name a file, as `base.yaml`");
        }
        if name.contains("{{") {
            let label =
                "name the file itself: the plan is put together before anything is computed";
            return error("a template cannot stand in `include`".to_owned(), label);
        }
        if name.contains("://") {
            return error(format!("`{name}` is no file"), "download it, and include the file");
        }
        let from = self.open.last().expect("a file is being read").shown.clone();
        let shown = plain(&folder_of(&from).join(name));
        let outside = || {
            Err(Diagnostic::error(
                place,
                format!("`{name}` lies outside the folder of the plan"),
                "move it into that folder; `--allow-outside` permits it",
            ))
        };
        // Before the disk is asked: not even whether a file is there may be learned of other folders.
        let plan = plain(folder_of(&self.open[0].shown));
        let inside = !Path::new(name).is_absolute()
            && shown
                .strip_prefix(&plan)
                .is_ok_and(|rest| rest.components().all(|part| part != Component::ParentDir));
        if !self.allow_outside && !inside {
            return outside();
        }
        let Ok(real) = fs::canonicalize(&shown) else {
            return Err(Diagnostic::error(
                place,
                format!("there is no file `{name}`"),
                missing(name, &shown),
            ));
        };
        if !self.allow_outside && !real.starts_with(&root) {
            return outside();
        }
        if !real.is_file() {
            return error(format!("`{name}` is no file"), "name a file, as `base.yaml`");
        }
        if let Some(first) = self.open.iter().position(|open| open.real == real) {
            let mut chain: Vec<_> =
                self.open[first..].iter().map(|open| open.shown.display().to_string()).collect();
            chain.push(shown.display().to_string());
            return Err(Diagnostic::error(
                place,
                format!("`{name}` includes itself"),
                "take this `include` out",
            )
            .help(chain.join(" includes ")));
        }
        Ok((shown, real))
    }
}

/// Takes the entry of `key` out of a map.
pub(super) fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Entry> {
    let at = entries.iter().position(|entry| entry.key.value == key)?;
    Some(entries.remove(at))
}

/// An unknown alias in a file beside others may be one that is marked in another.
fn explain_anchors(told: &mut [Diagnostic]) {
    for diagnostic in told.iter_mut().filter(|one| one.title.starts_with("no value is marked")) {
        diagnostic.help =
            Some("anchors do not reach from one file into another: mark the value here".to_owned());
    }
}

/// Without `.`, and without `..` where it takes back a name before it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

fn missing(name: &str, shown: &Path) -> String {
    let folder = folder_of(shown);
    let wanted = shown.file_name().map(|name| name.to_string_lossy().into_owned());
    let names = names_in(folder);
    match suggest(&wanted.unwrap_or_default(), names.iter().map(|name| &**name)) {
        Some(near) => format!("did you mean `{}`?", Path::new(name).with_file_name(near).display()),
        None => "name it as it lies beside the file that includes it".to_owned(),
    }
}

/// The plan beside a path that leads nowhere whose name is nearest.
fn near(path: &Path) -> String {
    let folder = folder_of(path);
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

/// The first plan of a folder.
pub(super) fn plan_in(folder: &Path) -> Option<String> {
    Some(folder.join(names_in(folder).first()?).display().to_string())
}

/// The plans in a folder, in the order of their names.
fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| [".yaml", ".yml", ".toml"].iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
