//! Owns the tests of reading documents.

use super::*;
use crate::diagnostic::render;

fn tree(path: &str, text: &str) -> Node {
    match read(0, path, text) {
        Ok((node, told)) if !told.iter().any(Diagnostic::is_error) => node,
        Ok((_, errors)) | Err(errors) => panic!("{errors:?}"),
    }
}

fn first_error(path: &str, text: &str) -> Diagnostic {
    let (Ok((_, mut told)) | Err(mut told)) = read(0, path, text);
    told.retain(Diagnostic::is_error);
    assert!(!told.is_empty(), "{text}");
    told.remove(0)
}

/// What the place of `key` covers.
fn written<'t>(node: &Node, key: &str, text: &'t str) -> &'t str {
    &text[node.get(key).expect(key).place.range()]
}

#[test]
fn yaml_and_toml_that_say_the_same_are_the_same_tree() {
    let yaml = "a: 1\nb: [x, 2.5, true]\nc:\n  d: {e: ''}\n  f: text\n";
    let toml = "a = 1\nb = ['x', 2.5, true]\n[c]\nd = {e = ''}\nf = \"text\"\n";
    assert_eq!(tree("p.yaml", yaml), tree("p.TOML", toml));
    assert_ne!(tree("p.yaml", yaml), tree("p.yaml", "a: 1\n"));
}

#[test]
fn order_is_kept_as_written() {
    let keys = |node: &Node| match &node.value {
        NodeValue::Map(entries) => entries.iter().map(|e| e.key.value.clone()).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    assert_eq!(keys(&tree("p.yaml", "z: 1\na: 2\nm: 3\n")), ["z", "a", "m"]);
    assert_eq!(
        keys(&tree("p.toml", "z = 1\nm.x = 1\na = 2\n[q]\n[b]\n")),
        ["z", "m", "a", "q", "b"]
    );
    let split = tree("p.toml", "[t.b]\nx = 1\n[p]\n[t.a]\nx = 2\n");
    assert_eq!(
        (keys(&split), keys(split.get("t").unwrap())),
        (vec!["t".to_owned(), "p".to_owned()], vec!["b".to_owned(), "a".to_owned()])
    );
}

#[test]
fn places_count_bytes_whatever_the_alphabet() {
    let text = "이름: '할 일 관리'\nb: 끝\n";
    let node = tree("p.yaml", text);
    assert_eq!((written(&node, "이름", text), written(&node, "b", text)), ("'할 일 관리'", "끝"));
    let text = "\"이름\" = '할 일'\nb = \"끝\"\n";
    let node = tree("p.toml", text);
    assert_eq!((written(&node, "이름", text), written(&node, "b", text)), ("'할 일'", "\"끝\""));
    let text = "이름: 관리\nb: [끝\n";
    let error = first_error("p.yaml", text);
    assert_eq!(&text[error.place.unwrap().range()], "[");
}

#[test]
fn an_alias_knows_where_its_value_was_written() {
    let text = "x-a: &a\n  w: 1\nb:\n  <<: *a\nc: *a\n";
    let node = tree("p.yaml", text);
    let merged = node.get("b").unwrap().get("w").unwrap();
    assert_eq!(&text[merged.place.range()], "*a");
    assert_eq!(&text[merged.defined.unwrap().range()], "1");
    assert_eq!(node.get("c"), node.get("x-a"));
}

#[test]
fn a_written_key_wins_over_a_merged_one() {
    let node = tree("p.yaml", "x-a: &a {w: 1, v: 2}\nb: {w: 9, <<: *a}\n");
    let b = node.get("b").unwrap();
    assert_eq!(b.get("w").unwrap().value, NodeValue::Int(9));
    assert_eq!(b.get("v").unwrap().value, NodeValue::Int(2));
}

#[test]
fn merges_take_lists_and_chains_and_the_first_of_them_wins() {
    let json = |text: &str| tree("p.yaml", text).get("z").expect("z").to_json().to_string();
    let two = "x: &x {b: 1, c: 2}\ny: &y {c: 3, d: 4}\n";
    assert_eq!(json(&format!("{two}z: {{<<: [*x, *y], d: 5}}\n")), r#"{"b":1,"c":2,"d":5}"#);
    assert_eq!(
        json(&format!("{two}z: {{a: 0, <<: *y, <<: *x}}\n")),
        r#"{"a":0,"c":3,"d":4,"b":1}"#
    );
    let chain = "x: &x {b: 1}\ny: &y {<<: *x, c: 2}\nz: {<<: *y, d: 3}\n";
    assert_eq!(json(chain), r#"{"b":1,"c":2,"d":3}"#);
    // Where the `<<` stands, that is where its keys stand.
    assert_eq!(json(&format!("{two}z: {{a: 0, <<: *x, d: 5}}\n")), r#"{"a":0,"b":1,"c":2,"d":5}"#);
    // Values are taken whole: no merging within them.
    assert_eq!(json("x: &x {b: {c: 1, d: 2}}\nz: {<<: *x, b: {c: 3}}\n"), r#"{"b":{"c":3}}"#);
}

#[test]
fn what_toml_has_for_lists_and_nested_keys_is_the_same_tree() {
    let toml = "[[t.steps]]\nget = '/a'\n[[t.steps]]\nset.x.y = 1\nset.x.z = 2\n[t]\nwhen = 'a'\n";
    let yaml = "t:\n  steps:\n    - get: /a\n    - set: {x: {y: 1, z: 2}}\n  when: a\n";
    assert_eq!(tree("p.toml", toml), tree("p.yaml", yaml));
}

#[test]
fn keys_are_text_as_written() {
    let text = "1.10: a\ntrue: b\n0404: c\n";
    let node = tree("p.yaml", text);
    assert!(["1.10", "true", "0404"].iter().all(|key| node.get(key).is_some()));
}

#[test]
fn hostile_files_are_refused() {
    let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let wide = format!("a: [{}]\n", "1, ".repeat(60_000));
    let merges = format!("x-a: &a {{b: 1}}\nc:\n{}", "  - <<: *a\n".repeat(2_000));
    let large = format!("a: \"{}\"\n", "x".repeat(MAX_BYTES));
    for text in [&laughs, &"[".repeat(200_000), &"- ".repeat(100_000), &wide, &merges, &large] {
        let errors = read(0, "p.yaml", text).expect_err("it is refused");
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
    let wide = format!("a = [{}]\n", "1, ".repeat(60_000));
    let deep = format!("a = {}{}", "[".repeat(60), "]".repeat(60));
    let dotted = format!("{} = 1\n", vec!["a"; 5_000].join("."));
    for text in
        [&wide, &deep, &dotted, &"a = [".repeat(100_000), &format!("a={}", "[".repeat(200_000))]
    {
        first_error("p.toml", text);
    }
}

#[test]
fn whatever_a_file_repeats_both_its_values_and_what_is_told_are_counted() {
    let wide: String = (0..4_000).map(|n| format!("k{n}: 01, ")).collect();
    let repeats =
        |times: usize| format!("x: &a {{json: {{{wide}}}}}\nc:\n{}", "  - <<: *a\n".repeat(times));
    let (node, told) = read(0, "p.yaml", &repeats(4)).expect("it is not too much");
    assert!((20_000..=MAX_NODES).contains(&node.count()));
    assert_eq!(told.len(), MAX_TOLD);
    let errors = read(0, "p.yaml", &repeats(40)).expect_err("it is too much");
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[test]
fn every_mistake_is_told_in_one_line() {
    let source =
        |text: &str| vec![crate::diagnostic::Source { path: "p".into(), text: text.into() }];
    for text in ["a: [", "a = [\n1\n", "a: 'x", "a\n", "", "?", "&", "*", "!", "%", "@", "{{", "}}"]
    {
        for path in ["p.yaml", "p.toml"] {
            let (Ok((_, errors)) | Err(errors)) = read(0, path, text);
            if !errors.is_empty() {
                assert!(errors.iter().all(|error| !error.title.contains('\n')), "{errors:?}");
                assert!(render(&errors, &source(text), false).ends_with(" in p\n"));
            }
        }
    }
}
