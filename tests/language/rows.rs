//! Every row of the table of keys stands in a test of this folder.

use std::fs;

use throng::plan::keys::{Context, Status};

#[test]
fn every_key_stands_in_a_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/language");
    let texts: String = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let stands = |name: &str| {
        texts.match_indices(&format!("{name}:")).any(|(at, _)| {
            !texts[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        })
    };
    let mut missing = Vec::new();
    for context in Context::ALL {
        for key in context.keys().filter(|key| key.status == Status::Now && !stands(key.name)) {
            missing.push(format!("{} in {}", key.name, context.words()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
