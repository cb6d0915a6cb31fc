//! Owns the trees that plans are read into, written down for `tests/peers/yaml_trees.py` and
//! `tests/peers/yaml_trees.mjs`, which compare them with those of other YAML parsers.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use throng::plan::document::read;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One text: what it is read into (null: it is refused), and what is said about it.
fn case(name: &str, text: &str) -> Value {
    // As the reader of files does it.
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (tree, told) = match read(0, "p.yaml", plain) {
        Ok((node, told)) if told.iter().all(|one| !one.is_error()) => (node.to_json(), told),
        Ok((_, told)) | Err(told) => (Value::Null, told),
    };
    let told: Vec<_> = told.iter().map(|one| &one.title).collect();
    // A plan that holds nothing is refused later.
    let refused = tree.is_null() && !told.is_empty();
    json!({ "name": name, "text": text, "refused": refused, "tree": tree, "told": told })
}

fn texts(samples: &Value, key: &str) -> Vec<String> {
    let list = samples[key].as_array().unwrap_or_else(|| panic!("no list `{key}`"));
    list.iter().map(|text| text.as_str().expect("a sample is text").to_owned()).collect()
}

fn plans(folder: &str) -> Vec<(String, String)> {
    let mut plans: Vec<_> = fs::read_dir(root().join(folder))
        .expect("the folder of plans is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("it is text")))
        .collect();
    plans.sort();
    plans
}

#[test]
fn the_trees_of_all_samples_are_written_down() {
    let samples = fs::read_to_string(root().join("tests/peers/samples.json")).expect("it is there");
    let samples: Value = serde_json::from_str(&samples).expect("it is JSON");
    let mut cases: Vec<Value> = Vec::new();
    for text in texts(&samples, "texts") {
        cases.push(case(&text, &text));
    }
    for scalar in texts(&samples, "scalars") {
        for text in [
            format!("v: {scalar}\n"),
            format!("{scalar}: v\n"),
            format!("- {scalar}\n"),
            format!("{{ json: {{ v: {scalar} }}, w: [{scalar}, x] }}\n"),
            format!("a: &a {scalar}\nb: *a\n"),
            format!("v: {scalar} # c\n"),
            format!("v: '{scalar}'\n"),
            format!("v: |-\n  {scalar}\n"),
        ] {
            cases.push(case(&text, &text));
        }
    }
    for folder in ["plans", "plans/cookbook", "templates/init", "tests", "tests/plans"] {
        for (name, text) in plans(folder) {
            cases.push(case(&name, &text));
        }
    }
    assert!(cases.len() > 500, "there are {} samples", cases.len());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let text = serde_json::to_string(&cases).expect("it can be written as JSON");
    fs::write(folder.join("trees.json"), text).expect("the trees can be written");
}
