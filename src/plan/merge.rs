//! Owns laying one tree over another: what an including file, or an environment, changes.
//!
//! | below | above | what comes of it |
//! |---|---|---|
//! | a map | a map | key by key |
//! | anything | nothing (`null`, `~`, a key without a value) | the key is gone |
//! | anything | anything else | what is above, whole |
//!
//! The keys of the lower map come first and keep their order; keys that only the upper one has
//! follow in theirs. A `null` that removes nothing is a value, so that a body can hold one.

use std::collections::HashMap;

use super::document::{Entry, Node, NodeValue};

/// `over` laid over `base`. Every part keeps the place where it was written.
#[must_use]
pub fn merge(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (NodeValue::Map(below), NodeValue::Map(above)) => Node {
            place: over.place,
            defined: over.defined,
            value: NodeValue::Map(merge_entries(below, above)),
        },
        (_, value) => Node { value, ..over },
    }
}

fn merge_entries(below: Vec<Entry>, above: Vec<Entry>) -> Vec<Entry> {
    let positions: HashMap<String, usize> =
        below.iter().enumerate().map(|(at, entry)| (entry.key.value.clone(), at)).collect();
    let mut merged: Vec<Option<Entry>> = below.into_iter().map(Some).collect();
    for entry in above {
        match positions.get(&entry.key.value) {
            None => merged.push(Some(entry)),
            Some(at) if matches!(entry.value.value, NodeValue::Null) => merged[*at] = None,
            Some(at) => {
                merged[*at] = merged[*at]
                    .take()
                    .map(|lower| Entry { key: entry.key, value: merge(lower.value, entry.value) });
            }
        }
    }
    merged.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::document::read;

    fn tree(text: &str) -> Node {
        read(0, "p.yaml", text).expect(text).0
    }

    /// As JSON, in the order of the keys.
    fn merged(base: &str, over: &str) -> String {
        merge(tree(base), tree(over)).to_json().to_string()
    }

    #[test]
    fn maps_merge_key_by_key_and_all_else_is_replaced() {
        assert_eq!(
            merged("{a: {b: 1, c: [1, 2]}, d: x}", "{a: {c: [3], e: 4}, d: {f: 1}}"),
            r#"{"a":{"b":1,"c":[3],"e":4},"d":{"f":1}}"#
        );
        assert_eq!(merged("[1]", "{a: 1}"), r#"{"a":1}"#);
    }

    #[test]
    fn the_order_is_that_below_and_new_keys_follow() {
        assert_eq!(
            merged("{z: 1, a: 2, m: 3}", "{q: 0, m: 9, z: 8, b: 7}"),
            r#"{"z":8,"a":2,"m":9,"q":0,"b":7}"#
        );
    }

    #[test]
    fn nothing_takes_a_key_out_and_is_a_value_where_there_is_none() {
        assert_eq!(merged("{a: 1, b: {c: 1, d: 2}}", "{a: , b: {c: ~}}"), r#"{"b":{"d":2}}"#);
        assert_eq!(merged("{a: 1}", "{b: null}"), r#"{"a":1,"b":null}"#);
    }

    #[test]
    fn every_part_keeps_its_place() {
        let base = read(1, "b.yaml", "a: {b: 1}\n").unwrap().0;
        let node = merge(base, tree("a: {c: 2}\n"));
        let a = node.get("a").unwrap();
        let source = |key: &str| a.get(key).unwrap().place.source;
        assert_eq!((source("b"), source("c"), a.place.source), (1, 0, 0));
    }
}
