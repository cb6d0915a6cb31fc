//! Owns the way from a plan's file to the plan, as it is and with each of its environments.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::advice::suit;
use super::document::{Entry, Node};
use super::environments;
use super::files::{self, Files};
use super::landed::landed;
use super::model::Plan;
use super::secrets;
use super::validate::{Given, assigned, sort, validate};
use super::words::Words;
use crate::diagnostic::{Diagnostic, Place, Source};

/// How a plan is read.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    /// The environment that is laid over the plan; none: the plan as it is.
    pub environment: Option<String>,
    /// Files outside the folder of the plan may be included, and read.
    pub allow_outside: bool,
    /// Plan variables that are set from outside, by name.
    pub set: Vec<(String, String)>,
    /// The environment's variables, for `env.X`.
    pub variables: Arc<BTreeMap<String, String>>,
}

/// What came of reading a plan.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The files that diagnostics point into, the plan itself first.
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
    /// The words of its texts: what expressions read is among them.
    pub read: Words,
}

impl Loaded {
    fn failed(diagnostic: Diagnostic) -> Self {
        Self { sources: Vec::new(), plan: None, partial: None, diagnostics: vec![diagnostic] }
    }
}

/// Reads the plan in a file. Whatever goes wrong is a diagnostic.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    load_with(path, &Loading::default())
}

/// Reads the plan in a file, with what it includes and the environment that is asked for. Whatever
/// goes wrong is a diagnostic.
#[must_use]
pub fn load_with(path: &Path, loading: &Loading) -> Loaded {
    match Read::file(path, loading) {
        Ok(mut read) => read.plan(loading.environment.as_deref()),
        Err(told) => Loaded::failed(told),
    }
}

/// The same, and each environment of the plan is looked through too: what is wrong with one alone
/// stands among the diagnostics. `complete` finds what this room does not see.
#[must_use]
pub fn load_each(path: &Path, loading: &Loading, complete: impl Fn(Loaded) -> Loaded) -> Loaded {
    let mut read = match Read::file(path, loading) {
        Ok(read) => read,
        Err(told) => return complete(Loaded::failed(told)),
    };
    let names = read.names();
    let mut loaded = complete(read.plan(loading.environment.as_deref()));
    let mut told: HashSet<(Option<Place>, String)> =
        loaded.diagnostics.iter().map(|one| (one.place, one.title.clone())).collect();
    for name in names {
        read.sources = std::mem::take(&mut loaded.sources);
        let mut other = complete(read.plan(Some(&name)));
        loaded.sources = std::mem::take(&mut other.sources);
        let own = read.places(&name);
        for mut one in other.diagnostics {
            if !told.insert((one.place, one.title.clone())) {
                continue;
            }
            if one.help.is_none() && !own.iter().any(|own| holds(*own, one.place)) {
                one.help = Some(format!("it is so in the environment `{name}`"));
            }
            loaded.diagnostics.push(one);
        }
    }
    sort(&mut loaded.diagnostics);
    loaded.plan = loaded.plan.filter(|_| !loaded.diagnostics.iter().any(Diagnostic::is_error));
    loaded
}

/// Reads a plan from its text. The ending of `path` says which format it is in: `.toml` is TOML, all
/// others are YAML. It cannot include files.
#[must_use]
pub fn parse(path: &str, text: &str) -> Loaded {
    parse_with(path, text, &Loading::default())
}

/// The same, with variables.
#[must_use]
pub fn parse_with(path: &str, text: &str, loading: &Loading) -> Loaded {
    Read::text(path, text, None, loading).plan(loading.environment.as_deref())
}

/// Said once of a text that cannot be read as YAML or TOML.
const UNREAD: &str = "what else may be wrong is looked for once this is mended";

/// A plan whose files have been read.
struct Read {
    path: String,
    sources: Vec<Source>,
    diagnostics: Vec<Diagnostic>,
    /// Without its environments; absent when it could not be read.
    tree: Option<Node>,
    environments: Vec<Entry>,
    given: Given,
}

impl Read {
    fn file(path: &Path, loading: &Loading) -> Result<Self, Diagnostic> {
        let shown = path.display().to_string();
        if path.is_dir() {
            let advice = files::plan_in(path)
                .map_or("name a plan in it".into(), |plan| format!("name a plan in it, as {plan}"));
            return Err(Diagnostic::without_place(format!("{shown} is a folder"), advice));
        }
        let text = files::read_text(path, path)?;
        Ok(Self::text(&shown, &text, Some(path), loading))
    }

    fn text(path: &str, text: &str, file: Option<&Path>, loading: &Loading) -> Self {
        let (Files { sources, mut diagnostics }, mut tree) =
            files::read(path, text, file, loading.allow_outside);
        if tree.is_none()
            && let Some(last) = diagnostics.iter_mut().rfind(|one| one.is_error())
            && last.help.is_none()
        {
            last.help = Some(UNREAD.to_owned());
        }
        let environments = environments::take(tree.as_mut(), &mut diagnostics);
        let given = Given {
            environment: loading.variables.clone(),
            set: loading.set.clone(),
            folder: file.and_then(Path::parent).map(Path::to_owned).unwrap_or_default(),
            allow_outside: loading.allow_outside,
        };
        Self { path: path.to_owned(), sources, diagnostics, tree, environments, given }
    }

    fn names(&self) -> Vec<String> {
        self.environments.iter().map(|entry| entry.key.value.clone()).collect()
    }

    /// Where the keys and values of an environment stand.
    fn places(&self, environment: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for entry in self.environments.iter().filter(|entry| entry.key.value == environment) {
            environments::places(&entry.value, &mut places);
        }
        places
    }

    /// The plan, with an environment laid over it. The sources are handed over.
    fn plan(&mut self, environment: Option<&str>) -> Loaded {
        let mut diagnostics = self.diagnostics.clone();
        let tree = match environment {
            Some(name) if self.tree.is_some() => {
                environments::lay(self.tree.as_ref(), &self.environments, name)
                    .map_err(|told| diagnostics.push(told))
                    .unwrap_or_else(|()| self.tree.clone())
            }
            _ => self.tree.clone(),
        };
        let stem =
            Path::new(&self.path).file_stem().map_or("plan".into(), |stem| stem.to_string_lossy());
        if let Some(tree) = &tree {
            let trees: Vec<&Node> = [tree]
                .into_iter()
                .chain(self.environments.iter().map(|entry| &entry.value))
                .collect();
            let warnings = landed(&trees, &self.sources);
            diagnostics.extend(warnings);
        }
        let plan = tree.as_ref().and_then(|tree| {
            let (plan, mut found) = validate(tree, &stem, &self.given);
            if let Some(plan) = &plan {
                let others = self.environments.iter().map(|entry| &entry.value);
                let trees = others.chain(self.tree.as_ref());
                found.extend(secrets::idle(&plan.secrets, trees, &self.given.environment));
            }
            // A value that could not be read is missing in the tree: what that leads to is no
            // mistake of its own.
            let (unread, surprises): (Vec<_>, Vec<_>) =
                std::mem::take(&mut diagnostics).into_iter().partition(Diagnostic::is_error);
            found.retain(|one| !touched(&unread, one));
            // Nor is a value a surprise that is wrong anyway.
            let wrong: Vec<_> = found.iter().filter(|one| one.is_error()).cloned().collect();
            let text = |place: Place| self.sources.get(usize::from(place.source));
            diagnostics.extend(surprises.into_iter().filter(|one| {
                !touched(&wrong, one) && !wrong.iter().any(|error| swallowed(error, one, text))
            }));
            diagnostics.extend(unread);
            diagnostics.extend(found);
            plan
        });
        sort(&mut diagnostics);
        let sources = std::mem::take(&mut self.sources);
        suit(&mut diagnostics, &sources);
        if diagnostics.iter().any(Diagnostic::is_error) {
            let partial = plan.zip(tree).map(|(plan, tree)| partial(plan, &tree));
            return Loaded { sources, plan: None, partial, diagnostics };
        }
        Loaded { sources, plan, partial: None, diagnostics }
    }
}

/// What can be said of a plan with mistakes, which was read from `tree`.
fn partial(plan: Plan, tree: &Node) -> Partial {
    let (mut variables, mut read) = (Vec::new(), Words::default());
    assigned(tree, &mut variables);
    // A variable of the plan that is known is not assigned a second time.
    let mut times: HashMap<String, usize> = HashMap::new();
    variables.iter().for_each(|name| *times.entry(name.clone()).or_default() += 1);
    let known: HashSet<&str> = plan.vars.iter().map(|(var, _)| &*var.value).collect();
    variables.retain(|name| times[name] > 1 || !known.contains(&**name));
    read.tree(tree);
    Partial { plan, assigned: variables, read }
}

/// It is about the same text as one of the others.
fn touched(others: &[Diagnostic], one: &Diagnostic) -> bool {
    others.iter().any(|other| touches(other.place, one.place))
}

/// The error says already that a `#` took the value away that the other is about.
fn swallowed<'s>(
    error: &Diagnostic,
    one: &Diagnostic,
    text: impl Fn(Place) -> Option<&'s Source>,
) -> bool {
    let (Some(key), Some(cut)) = (error.place, one.place) else { return false };
    error.title.contains("a `#` begins a comment")
        && key.source == cut.source
        && key.end <= cut.start
        && text(key).is_some_and(|source| {
            let between = source.text.get(key.end as usize..cut.start as usize);
            between.is_some_and(|between| between.trim_matches([' ', ':']).is_empty())
        })
}

/// The place lies within the other.
fn holds(other: Place, place: Option<Place>) -> bool {
    place.is_some_and(|place| {
        other.source == place.source && other.start <= place.start && place.end <= other.end
    })
}

/// Two mistakes are about the same text.
fn touches(one: Option<Place>, other: Option<Place>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    one.source == other.source && one.start <= other.end && other.start <= one.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::document::MAX_BYTES;
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
}
