//! Owns the check that broken plans are told exactly what is wrong: each file of `tests/plans` is
//! compared with the text beside it. `UPDATE_EXPECTED=1` writes the texts anew.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use throng::diagnostic::{Diagnostic, Place, Severity, render};
use throng::plan::{Loaded, Loading, load_each, parse};
use throng::program::{Inputs, Selection, compile};
use throng::session;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Loaded {
    // From its folder, as a plan names files; so that no text holds a path of this machine.
    load_each(Path::new(name), &loading(), complete)
}

/// As if nothing stood in the environment but these.
fn loading() -> Loading {
    let variables = [("SET".to_owned(), "from the environment".to_owned())];
    Loading { variables: std::sync::Arc::new(variables.into()), ..Loading::default() }
}

fn complete(loaded: Loaded) -> Loaded {
    session::complete(loaded, &loading(), &Selection::default())
}

fn shown(loaded: &Loaded) -> String {
    render(&loaded.diagnostics, &loaded.sources, false)
}

fn broken_plans() -> Vec<String> {
    let folder = root().join("tests/plans");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder of broken plans is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending != "txt"))
        .map(|path| format!("tests/plans/{}", path.file_name().unwrap().to_string_lossy()))
        .collect();
    names.sort();
    names
}

#[test]
fn each_broken_plan_is_told_exactly_what_is_wrong() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    let plans = broken_plans();
    let toml = plans.iter().filter(|name| name.ends_with(".toml")).count();
    assert!(plans.len() >= 500 && toml >= 100, "{} broken plans, {toml} of TOML", plans.len());
    let texts: std::collections::BTreeSet<_> =
        plans.iter().map(|name| Path::new(name).with_extension("txt")).collect();
    assert_eq!(texts.len(), plans.len(), "two plans share one expected text");
    for name in plans {
        let loaded = read(&name);
        let text = shown(&loaded);
        let expected = root().join(Path::new(&name).with_extension("txt"));
        if update {
            fs::write(&expected, &text).expect("the expected text can be written");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(format!("{name} now says:\n{text}"));
        }
        let warns = name.contains("/warn_");
        let errors =
            loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
        if (errors == 0) != warns || loaded.plan.is_some() != warns || text.is_empty() {
            wrong.push(format!("{name} has {errors} errors:\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXPECTED=1 accepts it)", wrong.join("\n"));
}

/// `X`, when the whole advice is to write it; several when one may be chosen.
fn to_paste(diagnostic: &Diagnostic) -> Vec<&str> {
    let advice = diagnostic.label.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`'));
    let texts: Vec<&str> = advice.into_iter().flat_map(|advice| advice.split("` or `")).collect();
    if texts.iter().any(|text| text.contains(['`', '…'])) { Vec::new() } else { texts }
}

/// The folder of broken plans, where files can be changed.
fn copy_of_the_plans() -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder can be made");
        for entry in fs::read_dir(from).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let to = to.join(path.file_name().expect("it has a name"));
            if path.is_dir() {
                copy(&path, &to);
            } else {
                fs::copy(&path, &to).expect("it can be copied");
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    copy(&root().join("tests/plans"), &folder.path().join("tests/plans"));
    folder
}

/// Said below the mistakes of a plan that cannot be read as YAML or TOML.
const UNREAD: &str = "what else may be wrong is looked for once this is mended";

/// What is said of a mistake is no longer said once its advice was followed to the letter,
/// and what was written can be read.
#[test]
fn advice_to_write_something_is_good_when_it_is_pasted() {
    let folder = copy_of_the_plans();
    let told = |name: &str| load_each(&folder.path().join(name), &loading(), complete);
    let mut wrong = Vec::new();
    let mut pasted = 0;
    for name in broken_plans() {
        let loaded = told(&name);
        let advised = |one| to_paste(one).into_iter().map(move |text| (one, text));
        for (diagnostic, text) in loaded.diagnostics.iter().flat_map(advised) {
            let Some(place) = diagnostic.place else { continue };
            let source = &loaded.sources[usize::from(place.source)];
            let mut changed = source.text.clone();
            changed.replace_range(place.range(), text);
            fs::write(&source.path, &changed).expect("it can be written");
            let again = told(&name);
            fs::write(&source.path, &source.text).expect("it can be written");
            pasted += 1;
            let end = place.range().start + text.len();
            let unread = |other: &Diagnostic| {
                other.help.as_deref().is_some_and(|help| help.ends_with(UNREAD))
            };
            let left = again.diagnostics.iter().find(|other| {
                let at = other.place.filter(|at| at.source == place.source);
                at.is_some_and(|at| {
                    let within = (place.range().start..=end).contains(&at.range().start);
                    let same = at.start == place.start && other.title == diagnostic.title;
                    same || (within && again.diagnostics.iter().any(unread))
                })
            });
            let Some(left) = left else { continue };
            let (title, label) = (&diagnostic.title, &diagnostic.label);
            wrong.push(format!(
                "{name}: {title}: {label}\n    then: {}: {}",
                left.title, left.label
            ));
        }
    }
    assert!(pasted > 130, "{pasted} pieces of advice");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_text_stands_beside_a_plan_that_is_gone() {
    for entry in fs::read_dir(root().join("tests/plans")).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            let plan =
                ["yaml", "toml", "yml"].iter().any(|ending| path.with_extension(ending).exists());
            assert!(plan, "{}", path.display());
        }
    }
}

#[test]
fn the_sample_plans_have_nothing_to_complain_about() {
    for name in &whole_plans() {
        let loaded = read(name);
        // What this version cannot do yet is told as that, and nothing else.
        let later = |one: &Diagnostic| one.title.ends_with("is not supported yet");
        if !loaded.diagnostics.is_empty() && loaded.diagnostics.iter().all(later) {
            continue;
        }
        assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
        assert!(loaded.plan.is_some(), "{name}");
    }
}

#[test]
fn the_yaml_and_the_toml_sample_are_the_same_plan() {
    let (yaml, toml) = (read("plans/todo.yaml").plan, read("plans/todo.toml").plan);
    let (yaml, toml) = (yaml.unwrap(), toml.unwrap());
    assert_eq!((yaml.name, yaml.profiles), (toml.name, toml.profiles));
    assert_eq!((yaml.profile, yaml.thresholds), (toml.profile, toml.thresholds));
}

#[test]
fn the_yaml_and_the_toml_sample_compile_to_the_same_program() {
    let compiled = |name: &str| {
        let loaded = read(name);
        let compiled = compile(&loaded.plan.expect(name), &loaded.sources, &Inputs::default());
        compiled.expect(name).program
    };
    // What runs: instructions, requests, and which tasks begin where.
    let shown = |program: &throng::program::Program| {
        let classes = program
            .classes
            .iter()
            .map(|class| format!("{:#?}\n{:#?}\n{:#?}", class.tasks, class.code, class.requests));
        classes.collect::<Vec<_>>().join("\n")
    };
    let (yaml, toml) = (compiled("plans/todo.yaml"), compiled("plans/todo.toml"));
    assert_eq!(shown(&yaml), shown(&toml));
    // Order is meaning: the same tasks in another order are another program.
    let mut turned = toml;
    turned.classes[0].tasks.swap(0, 1);
    assert_ne!(shown(&yaml), shown(&turned));
}

/// Whatever the text holds: no panic, and every place lies in the text, between characters.
fn check_places(path: &str, text: &str) -> Result<(), TestCaseError> {
    let loaded = complete(parse(path, text));
    let has_error = loaded.diagnostics.iter().any(|one| one.severity == Severity::Error);
    prop_assert_eq!(loaded.plan.is_none(), has_error);
    let text = &loaded.sources[0].text;
    let good = |place: Place| {
        let range = place.range();
        range.start <= range.end && text.get(range).is_some()
    };
    for diagnostic in &loaded.diagnostics {
        prop_assert!(diagnostic.place.is_none_or(good), "{:?}", diagnostic);
        prop_assert!(
            diagnostic.also.as_deref().is_none_or(|(place, _)| good(*place)),
            "{:?}",
            diagnostic
        );
        prop_assert!(!diagnostic.title.contains('\n'), "{:?}", diagnostic);
    }
    if !loaded.diagnostics.is_empty() {
        let shown = shown(&loaded);
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{:?}", shown);
    }
    Ok(())
}

/// Plans that are right, in both formats: those to try, those of the cookbook, and one of every key.
fn whole_plans() -> Vec<String> {
    let mut plans = Vec::new();
    for folder in ["plans", "plans/cookbook", "tests"] {
        for entry in fs::read_dir(root().join(folder)).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            if path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml") {
                plans.push(format!("{folder}/{name}"));
            }
        }
    }
    assert!(plans.len() > 20, "{plans:?}");
    plans.sort();
    plans
}

/// What people and editors put into plans, and what trips parsers.
const SCRAPS: [&str; 36] = [
    "{{", "}}", "{", "}", "[", "]", "\"", "'", ":", ": ", ",", "#", " #", "\n", "\r\n", "\t", "  ",
    "- ", "&a ", "*a", "<<: *a", "!x ", "|\n", "=", "[a]\n", "\\", "한", "\u{feff}", "\u{1b}",
    "\u{2028}", "---\n", "~", "1e999", "-1", "null", "0x",
];

proptest! {
    // What once failed belongs into `tests/plans`, or into a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "(\\PC|[ \n\r\t:{}\\[\\]\"'#&*!|>=-]){0,80}") {
        check_places("p.yaml", &text)?;
        check_places("p.toml", &text)?;
    }

    #[test]
    fn a_damaged_plan_is_read_without_a_panic(
        plan in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, 0usize..=SCRAPS.len()), 1..6),
    ) {
        let plans = whole_plans();
        let path = &plans[plan.index(plans.len())];
        let mut text = fs::read_to_string(root().join(path)).unwrap();
        for (at, gone, scrap) in edits {
            let start = text.floor_char_boundary(at.index(text.len()));
            let end = text.ceil_char_boundary((start + gone).min(text.len()));
            text.replace_range(start..end, SCRAPS.get(scrap).unwrap_or(&""));
        }
        check_places(path, &text)?;
    }
}
