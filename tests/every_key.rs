//! Owns the check that one plan uses every key of the language, in both formats, and means the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use throng::diagnostic::render;
use throng::plan::document::read;
use throng::plan::keys::{Context, Shape, Status};
use throng::plan::{Loading, Node, NodeValue, load_each};
use throng::program::{Inputs, Program, Selection, compile};
use throng::session;

const PLANS: [&str; 2] = ["tests/every_key.yaml", "tests/every_key.toml"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn program(name: &str) -> Program {
    let loading = Loading::default();
    let complete = |loaded| session::complete(loaded, &loading, &Selection::default());
    let loaded = load_each(&root().join(name), &loading, complete);
    let told = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(loaded.diagnostics.is_empty(), "{told}");
    let plan = loaded.plan.expect("a plan without mistakes is there");
    compile(&plan, &loaded.sources, &Inputs::default()).expect(name).program
}

/// The keys that a tree uses, each with the place where it stands. A shape that several contexts
/// could have is followed into all whose keys fit.
fn used(node: &Node, shape: Shape, found: &mut BTreeSet<(&'static str, &'static str)>) {
    match (shape, &node.value) {
        (Shape::Any(shapes), _) => shapes.iter().for_each(|shape| used(node, *shape, found)),
        (Shape::List(shape), NodeValue::List(items)) => {
            items.iter().for_each(|item| used(item, *shape, found));
        }
        (Shape::Many(shape), NodeValue::List(items)) => {
            items.iter().for_each(|item| used(item, *shape, found));
        }
        (Shape::Many(shape), _) => used(node, *shape, found),
        (Shape::Flow, NodeValue::List(_)) => used(node, Shape::Steps, found),
        (Shape::Flow, _) => used(node, Shape::Keys(Context::Flow), found),
        (Shape::Steps, NodeValue::List(items)) => {
            items.iter().for_each(|item| used(item, Shape::Keys(Context::Step), found));
        }
        (Shape::Steps, NodeValue::Map(_)) => used(node, Shape::Keys(Context::Step), found),
        (Shape::Map(shape), NodeValue::Map(entries)) => {
            entries.iter().for_each(|entry| used(&entry.value, *shape, found));
        }
        (Shape::Named(context), NodeValue::Map(entries)) => {
            entries.iter().for_each(|entry| used(&entry.value, Shape::Keys(context), found));
        }
        (Shape::Keys(context), NodeValue::Map(entries)) => {
            let keys: Option<Vec<_>> = entries
                .iter()
                .map(|entry| context.find(&entry.key.value).map(|key| (key, &entry.value)))
                .collect();
            for (key, value) in keys.into_iter().flatten() {
                found.insert((key.name, key.about));
                used(value, key.shape, found);
            }
        }
        _ => {}
    }
}

#[test]
fn one_plan_uses_every_key_of_the_language() {
    for name in PLANS {
        let text = fs::read_to_string(root().join(name)).expect(name);
        let (tree, told) = read(0, name, &text).expect(name);
        assert!(told.is_empty(), "{name}: {told:?}");
        let mut found = BTreeSet::new();
        used(&tree, Shape::Keys(Context::Plan), &mut found);
        let missing: Vec<String> = Context::ALL
            .into_iter()
            .flat_map(|context| context.keys().map(move |key| (context, key)))
            .filter(|(_, key)| key.status == Status::Now)
            .filter(|(_, key)| !found.contains(&(key.name, key.about)))
            .map(|(context, key)| format!("`{}` of {}", key.name, context.words()))
            .collect();
        assert!(missing.is_empty(), "{name} lacks {}", missing.join(", "));
        assert!(found.len() > 150, "{}", found.len());
    }
}

#[test]
fn the_plan_of_every_key_checks_clean_and_is_the_same_program_in_both_formats() {
    let [yaml, toml] = PLANS.map(program);
    let shown = |program: &Program| {
        let classes = program.classes.iter().chain(&program.before).chain(&program.after);
        let classes = classes.map(|class| {
            format!(
                "{} {:?} {:?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}",
                class.name,
                class.wait,
                class.order,
                class.tasks,
                class.code,
                class.requests,
                class.initial,
            )
        });
        format!(
            "{}\n{:#?}\n{:?}\n{:?}\n{:#?}",
            classes.collect::<Vec<_>>().join("\n"),
            program.targets,
            program.ways,
            program.secured,
            program.catalogue.texts
        )
    };
    assert_eq!(shown(&yaml), shown(&toml));
    assert!(yaml.classes.iter().any(|class| !class.rows.is_empty()));
}
