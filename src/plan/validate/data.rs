//! Owns reading where rows of values come from.

use super::Checker;
use super::values::shorten;
use crate::data::{self, AtEnd, Definition, From, Per};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::Data;

impl Checker<'_> {
    pub(super) fn data(&mut self, entry: &Entry) -> Vec<Data> {
        let entries = match &entry.value.value {
            NodeValue::Map(entries) if !entries.is_empty() => entries,
            _ => {
                let advice = "name a source below it, as `accounts: { file: accounts.csv }`";
                self.not_a_map(&entry.value, entry.key.place, "`data`", advice);
                return Vec::new();
            }
        };
        entries.iter().filter_map(|entry| self.source(entry)).collect()
    }

    fn source(&mut self, entry: &Entry) -> Option<Data> {
        let is_map = matches!(entry.value.value, NodeValue::Map(_));
        if !is_map && self.surely_stray(entry, &[Context::Plan], "data") {
            return None;
        }
        let name = self.variable(&entry.key);
        let what = format!("the data `{}`", shorten(&entry.key.value));
        if let NodeValue::Text(text) = &entry.value.value {
            self.wrong(
                &entry.value,
                format!("{what} must be a map of keys, not text"),
                format!("write `{{ file: {} }}`", shorten(text)),
            );
            return None;
        }
        if let NodeValue::List(_) = &entry.value.value {
            let title = format!("{what} must be a map of keys, not a list");
            self.wrong(&entry.value, title, "put the list below `values`");
            return None;
        }
        let fields = self.fields(&entry.value, Context::Data, entry.key.place, &what)?;
        let order = fields.get("order").map(|node| self.word(node, "`order`", data::Order::WORDS));
        let per = fields.get("per").map(|node| self.word(node, "`per`", Per::WORDS));
        let at_end = fields.get("at_end").map(|node| self.word(node, "`at_end`", AtEnd::WORDS));
        let place =
            fields.get("file").or(fields.get("values")).map_or(entry.key.place, |node| node.place);
        let from = match (fields.entry("file"), fields.entry("values")) {
            (Some(_), Some(values)) => {
                let title = format!("{what} has a file and values");
                self.error(values.key.place, title, "take one of the two out");
                None
            }
            (Some(_), None) => self.file_of_rows(&fields),
            (None, Some(values)) => {
                for key in ["format", "header", "columns", "delimiter"] {
                    if let Some(stray) = fields.entry(key) {
                        let title = format!("`{key}` is about a file");
                        self.error(stray.key.place, title, "take it out");
                    }
                }
                match &values.value.value {
                    NodeValue::List(items) if !items.is_empty() => {
                        let rows = items.iter().map(|item| {
                            self.computed(item, "a row")
                                .map(|node| super::computed::value_of(&node))
                        });
                        rows.collect::<Option<_>>().map(From::Values)
                    }
                    NodeValue::List(_) => {
                        self.wrong(&values.value, format!("{what} has no rows"), "write one");
                        None
                    }
                    other => {
                        let title = format!("`values` must be a list, not {}", other.kind());
                        self.wrong(&values.value, title, "write a list, one row to each item");
                        None
                    }
                }
            }
            (None, None) => {
                if !fields.odd {
                    let label = "add `file`, or `values`";
                    self.error(entry.key.place, format!("{what} has no rows"), label);
                }
                None
            }
        };
        let (order, per) =
            (order.unwrap_or(Some(data::Order::default())), per.unwrap_or(Some(Per::default())));
        let (order, per) = (order?, per?);
        let at_end = at_end.unwrap_or(Some(AtEnd::unsaid(per)))?;
        if order == data::Order::Random
            && per != Per::User
            && at_end != AtEnd::Recycle
            && let Some(node) = fields.entry("at_end")
        {
            let title = "rows taken at random never come to an end";
            self.warn(node.key.place, title, "take `at_end` out, or write another `order`");
        }
        let name = name?;
        let definition = Definition { name: name.value.clone(), from: from?, order, per, at_end };
        Some(Data { name, definition, place })
    }

    fn file_of_rows(&mut self, fields: &super::Fields<'_>) -> Option<From> {
        let node = fields.get("file")?;
        let file = self.text(node, "`file`")?;
        let path = self.file(node, &file.value)?;
        let format = match fields.get("format") {
            Some(node) => Some(self.word(node, "`format`", data::Format::WORDS)?),
            None => None,
        };
        let Some(meant) = format.or_else(|| data::Format::of(&path)) else {
            let label = "add `format: csv`, `json` or `jsonl`";
            self.wrong(node, "the file's ending does not say its format", label);
            return None;
        };
        if meant != data::Format::Csv {
            let stray = fields.present(&["header", "columns", "delimiter"]);
            if let [first, ..] = stray[..] {
                let names: Vec<_> =
                    stray.iter().map(|entry| format!("`{}`", entry.key.value)).collect();
                let title = format!("in a file of JSON there is no {}", names.join(" and no "));
                self.error(first.key.place, title, "take it out: it is about a CSV");
                return None;
            }
        }
        let header = match fields.get("header") {
            Some(node) => self.bool(node, "`header`")?,
            None => true,
        };
        if let Some(node) = fields.get("columns")
            && let NodeValue::Text(text) = &node.value
            && text.contains(',')
        {
            let names: Vec<_> = text.split(',').map(str::trim).collect();
            let label = format!("write `[{}]`", names.join(", "));
            self.wrong(node, "`columns` is a list of names", label);
            return None;
        }
        let columns = fields
            .get("columns")
            .map(|node| self.texts(node, "a column").into_iter().map(|text| text.value).collect());
        let delimiter = match fields.get("delimiter") {
            Some(node) => Some(self.delimiter(node)?),
            None => None,
        };
        Some(From::File { path, format, header, delimiter, columns })
    }

    fn delimiter(&mut self, node: &Node) -> Option<u8> {
        let text = match &node.value {
            NodeValue::Text(text) => text.as_str(),
            _ => "",
        };
        match text {
            "tab" | "\\t" | "\t" => Some(b'\t'),
            one if one.len() == 1 && !one.contains(['"', '\n', '\r']) => Some(one.as_bytes()[0]),
            _ => {
                let label = "write one character, as `\";\"`, or `tab`";
                self.wrong(node, "`delimiter` is one character", label);
                None
            }
        }
    }

    /// A file that the plan names, found below its folder.
    pub(super) fn file(&mut self, node: &Node, file: &str) -> Option<std::path::PathBuf> {
        match data::under(&self.given.folder, file, self.given.allow_outside) {
            Ok(path) => Some(path),
            Err(error) => {
                self.wrong(node, error.title, error.hint);
                None
            }
        }
    }
}
