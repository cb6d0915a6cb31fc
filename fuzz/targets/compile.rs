//! A plan around any text: compiling it, and showing what is wrong with it, must come to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng::diagnostic::render;
use throng::plan::{Loading, parse};
use throng::program::Selection;
use throng::session::complete;

/// Where the text stands: in a template, an expression, a selector, a whole step, a whole class.
const AROUND: [(&str, &str); 8] = [
    ("users: { A: { tasks: { t: { post: /, name: n, json: { a: ", " } } } } }\n"),
    ("users: { A: { tasks: { t: { get: /, when: ", " } } } }\n"),
    ("users: { A: { tasks: { t: { get: /, capture: { c: ", " } } } } }\n"),
    ("users: { A: { tasks: { t: { get: /, expect: { regex: ", ", exists: true } } } } }\n"),
    ("users: { A: { tasks: { t: { get: /, expect: { css: ", ", exists: true } } } } }\n"),
    ("vars: { v: ", " }\nusers: { A: { tasks: { t: { get: '/{{ v }}', name: n } } } }\n"),
    ("users: { A: { tasks: { t: { steps: [ ", " ] } } } }\n"),
    ("users: { A: { ", " } }\n"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&form, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (before, after) = AROUND[usize::from(form) % AROUND.len()];
    // The first five are one value: as text of YAML, whatever it holds.
    let inner = if usize::from(form) % AROUND.len() < 5 {
        serde_json::to_string(text).unwrap_or_default()
    } else {
        text.to_owned()
    };
    let loading = Loading::default();
    let loaded = parse("p.yaml", &format!("{before}{inner}{after}"));
    let loaded = complete(loaded, &loading, &Selection::default());
    let source = &loaded.sources[0].text;
    for one in &loaded.diagnostics {
        let places = one.place.into_iter().chain(one.also.as_deref().map(|(place, _)| *place));
        for place in places {
            assert!(source.get(place.range()).is_some(), "{one:?}");
        }
    }
    let shown = render(&loaded.diagnostics, &loaded.sources, false);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
});
