//! Owns reading `tls`: which files, which versions, and what is verified.

use super::Checker;
use super::values::shorten;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Tls, TlsVersions};

/// Versions that nobody should speak any more, as people write them.
const GONE: [&str; 7] = ["1.0", "1.1", "1", "1.01", "2", "3", "3.0"];

impl Checker<'_> {
    pub(super) fn tls(&mut self, entry: &Entry) -> Tls {
        let Some(fields) = self.fields(&entry.value, Context::Tls, entry.key.place, "`tls`") else {
            return Tls::default();
        };
        if fields.entries.is_empty() {
            self.error(
                entry.key.place,
                "`tls` is empty",
                "write `ca`, `cert` and `key`, or others",
            );
        }
        let mut text = |key: &str| {
            let node = fields.get(key)?;
            self.text(node, &format!("`{key}`"))
        };
        let (ca, name) = (text("ca"), text("name"));
        let mut template = |key: &str| {
            let node = fields.get(key)?;
            self.raw_text(node, &format!("`{key}`"))
        };
        let (cert, key) = (template("cert"), template("key"));
        let versions = fields.get("versions").and_then(|node| self.tls_versions(node));
        let switch = [("on", true), ("off", false)];
        let resume = fields.get("resume").and_then(|node| self.word(node, "`resume`", &switch));
        let insecure = fields.get("insecure").and_then(|node| self.bool(node, "`insecure`"));
        if let (Some(ca), Some(true)) = (fields.entry("ca"), insecure) {
            let title = "`ca` says whom to trust, and `insecure: true` that anyone is";
            self.error(ca.key.place, title, "take one of the two out");
        }
        Tls { ca, cert, key, name, versions, resume, insecure }
    }

    /// `1.3`, `[1.2, 1.3]`
    fn tls_versions(&mut self, node: &Node) -> Option<TlsVersions> {
        let nodes = match &node.value {
            NodeValue::List(items) => &items[..],
            _ => std::slice::from_ref(node),
        };
        if nodes.is_empty() {
            self.wrong(node, "`versions` is empty", "write `1.2`, `1.3`, or `[1.2, 1.3]`");
            return None;
        }
        let mut all = TlsVersions { old: false, new: false };
        let mut whole = true;
        for node in nodes {
            let Some(node) = self.computed(node, "`versions`") else {
                whole = false;
                continue;
            };
            let text = match &node.value {
                NodeValue::Float(number) if number.fract() == 0.0 => format!("{number:.1}"),
                NodeValue::Float(number) => number.to_string(),
                NodeValue::Int(number) => number.to_string(),
                NodeValue::Text(text) => text.trim().to_owned(),
                other => {
                    let title = format!("a version of TLS is a number, not {}", other.kind());
                    self.wrong(&node, title, "write `1.2` or `1.3`");
                    whole = false;
                    continue;
                }
            };
            let lower = text.to_ascii_lowercase();
            let bare = lower.trim_start_matches(['t', 'l', 's', 'v', ' ', '_', '-']);
            match &*text {
                "1.2" => all.old = true,
                "1.3" => all.new = true,
                _ => {
                    let label = match bare {
                        "1.2" | "12" | "1_2" => "write `1.2`",
                        "1.3" | "13" | "1_3" => "write `1.3`",
                        gone if GONE.contains(&gone) => {
                            "write `1.2` or `1.3`: older ones are broken, and not spoken here"
                        }
                        _ => "write `1.2` or `1.3`",
                    };
                    let title = format!("`{}` is no version of TLS that is known", shorten(&text));
                    self.wrong(&node, title, label);
                    whole = false;
                }
            }
        }
        whole.then_some(all)
    }
}
