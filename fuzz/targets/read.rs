//! Any bytes as a plan: reading them must end in a plan or in mistakes whose places lie in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng::diagnostic::render;
use throng::plan::parse;

fuzz_target!(|bytes: &[u8]| {
    let Some((format, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let path = if format % 2 == 0 { "p.yaml" } else { "p.toml" };
    let loaded = parse(path, text);
    assert!(loaded.plan.is_some() || loaded.diagnostics.iter().any(|one| one.is_error()));
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
