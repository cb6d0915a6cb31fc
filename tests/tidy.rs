//! The checks that a reviewer should not have to make by eye.

use std::fs;
use std::path::{Path, PathBuf};

/// Every room of `src/`, lowest floor first, with the rooms it may name.
///
/// A room may name only rooms listed above its own line, so the graph cannot have a cycle.
/// `lib.rs` and `main.rs` are the roof: they may name everything and nothing may name them.
const HOUSE: &[(&str, &str)] = &[
    ("units", ""),
    ("exit", ""),
    ("random", ""),
    ("untrusted", ""),
    ("diagnostic", "units"),
    ("control", "units"),
    ("load", "units random"),
    ("metrics", "units"),
    ("verdict", "units metrics"),
    ("expr", "units diagnostic random"),
    ("data", "units diagnostic random expr"),
    ("protocol", "units metrics"),
    ("plan", "units diagnostic load metrics verdict expr data"),
    ("program", "units diagnostic random load metrics verdict expr data protocol plan"),
    ("engine", "units random untrusted control load metrics expr data protocol plan program"),
    ("event", "units diagnostic control load metrics verdict"),
    ("record", "units diagnostic control load metrics verdict event"),
    ("sink", "units diagnostic control load metrics verdict event untrusted record"),
    ("demo", ""),
    (
        "session",
        "units exit random untrusted diagnostic control load metrics verdict expr data \
         protocol plan program engine event record sink demo",
    ),
    (
        "cli",
        "units exit random untrusted diagnostic control load metrics verdict expr data \
         protocol plan program engine event record sink demo session",
    ),
];

/// No file is longer: a reader should be able to hold one in mind.
const LINES: usize = 800;

#[test]
fn the_house_table_lists_lower_floors_first() {
    for (position, (room, allowed)) in HOUSE.iter().enumerate() {
        for name in allowed.split_whitespace() {
            let below = HOUSE[..position].iter().any(|(lower, _)| *lower == name);
            assert!(below, "`{room}` may name `{name}`, but `{name}` is not listed above it");
        }
    }
}

/// The laws that the design of the program rests on: each has a test whose comment names it.
#[test]
fn every_law_has_a_test_that_names_it() {
    let texts: Vec<String> = rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .map(|file| fs::read_to_string(file).expect("a source file can be read"))
        .collect();
    for law in 1..=10 {
        let comment = format!("/// Law {law}: ");
        let named = texts.iter().flat_map(|text| text.split(&comment).skip(1)).any(|after| {
            after.lines().skip(1).map(str::trim).find(|line| !line.starts_with("///"))
                == Some("#[test]")
        });
        assert!(named, "no test is named after law {law}");
    }
}

#[test]
fn the_house_table_lists_the_rooms_that_exist() {
    let mut rooms: Vec<_> = rust_files("src").iter().filter_map(|file| room_of(file)).collect();
    rooms.sort();
    rooms.dedup();
    let mut listed: Vec<_> = HOUSE.iter().map(|(room, _)| (*room).to_owned()).collect();
    listed.sort();
    assert_eq!(rooms, listed);
}

#[test]
fn rooms_name_only_what_the_house_allows() {
    let mut problems = Vec::new();
    for file in rust_files("src") {
        let Some(room) = room_of(&file) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        let Some((_, allowed)) = HOUSE.iter().find(|(name, _)| *name == room) else {
            problems.push(format!("{}: room `{room}` is not in HOUSE", file.display()));
            continue;
        };
        for (line, name) in names_after_crate(&text) {
            if name != room && !allowed.split_whitespace().any(|other| other == name) {
                problems.push(format!(
                    "{}:{line}: `{room}` names `{name}`; it may name: {allowed}",
                    file.display()
                ));
            }
        }
        let is_root = inside_src(&file).components().count() == 1 || file.ends_with("mod.rs");
        for (line, text) in without_comments_and_strings(&text).lines().enumerate() {
            // At the left margin of a room's root, `super` is the crate.
            let climbs = is_root && text.starts_with("use super::");
            if climbs || text.contains("super::super") {
                problems.push(format!("{}:{}: write `crate::…`", file.display(), line + 1));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_source_file_opens_by_saying_what_it_owns() {
    let silent: Vec<_> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "start these with a `//!` sentence: {silent:#?}");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = ["src", "tests", "benches", "templates", "plans"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|file| !file.components().any(|part| part.as_os_str() == "vendor"))
        .filter(|file| {
            let kinds = ["rs", "js", "mjs", "css", "html", "py", "sh", "yaml", "toml"];
            file.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known))
        })
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > LINES)
        .collect();
    assert!(long.is_empty(), "split these: {long:#?}");
}

#[test]
fn the_changelog_keeps_its_shape() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let first = text.lines().find(|line| line.starts_with("## "));
    assert_eq!(first, Some("## Unreleased"), "the first section collects what is not released");
    for line in text.lines().filter(|line| line.starts_with("### ")) {
        let known = ["### Added", "### Changed", "### Fixed", "### Removed"].contains(&line);
        assert!(known, "unknown changelog heading {line:?}");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.ends_with("node_modules") || path.ends_with(".venv") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "rs");
    files(folder).into_iter().filter(is_rust).collect()
}

fn inside_src(file: &Path) -> PathBuf {
    file.strip_prefix(root().join("src")).unwrap().to_owned()
}

/// The room a file belongs to; nothing for `lib.rs` and `main.rs`.
fn room_of(file: &Path) -> Option<String> {
    let inside = inside_src(file);
    let first = Path::new(inside.components().next().unwrap().as_os_str());
    let room = first.file_stem().unwrap().to_str().unwrap();
    (room != "lib" && room != "main").then(|| room.to_owned())
}

/// Each name that follows `crate::`, with its line; groups (`crate::{a, b::c}`) give one per entry.
fn names_after_crate(text: &str) -> Vec<(usize, String)> {
    let text = without_comments_and_strings(text);
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let inside_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        // `$crate::` belongs to a macro of this room; `self::super` cannot reach here.
        if inside_word {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let rest = text[at + "crate::".len()..].trim_start();
        let heads =
            if rest.starts_with('{') { group_heads(rest) } else { vec![leading_word(rest)] };
        names.extend(heads.into_iter().filter(|name| !name.is_empty()).map(|name| (line, name)));
    }
    names
}

/// The first word of each entry of a `{…}` group; nested groups are left out.
fn group_heads(text: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (depth == 1 && c == ',') || depth == 0 {
            heads.push(leading_word(text[start..at].trim_start()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn leading_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The text with comments and string contents blanked out and every newline kept.
fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string_length(rest) {
            length
        } else if c == '"' {
            string_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\\"'") {
            4
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            out.push(' ');
            rest = &rest[skipped..];
        }
    }
    out
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_length(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?.chars().take_while(|c| *c == '#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&close).map_or(text.len(), |end| 2 + hashes + end + close.len()))
}

#[test]
fn comments_and_strings_do_not_count_as_names() {
    let text = "use crate::{load, plan::{self, Plan}};\n// crate::web\nlet s = \"crate::cli\"; \
                let c = '\"';\nlet r = r#\"crate::sink\"#;\nfn f() { $crate::units::g(); mycrate::x() }";
    let want = [(1, "load"), (1, "plan"), (5, "units")].map(|(line, name)| (line, name.to_owned()));
    assert_eq!(names_after_crate(text), want);
}
