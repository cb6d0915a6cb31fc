//! Owns how much a plan may come to when it is compiled.

use super::compile::{Compiler, Draft};
use crate::diagnostic::Place;
use crate::expr::{ParseError, Selector};
use crate::plan::{Node, NodeValue};

/// What all classes may have together: a flow is compiled for each class that calls it, and a
/// thousand classes that call a thousand steps are a million. Series are numbered by 16 bits.
const MOST_STEPS: usize = 50_000;
/// What all classes may know together, each with all that is shared.
const MOST_NAMES: usize = 500_000;
/// About the bytes of memory that all that is sent, asked and set may take: defaults are written into
/// each request.
const MOST_BYTES: usize = 128 << 20;
/// The bytes of all files that are sent: each request has its own.
const MOST_OF_FILES: usize = 1 << 30;
/// What different regular expressions may take together, in the sizes of small ones, and what a large
/// one counts.
const MOST_REGEXES: usize = 2_000;
const OF_A_LARGE_REGEX: usize = 16;

/// What there is besides the text of a header, a rule or a value.
const ENTRY: usize = 64;
/// What a rule is, besides its texts.
const RULE: usize = 256;
/// What a byte of an expression becomes.
const OF_AN_EXPRESSION: usize = 24;

/// What has been compiled so far.
#[derive(Debug, Default)]
pub(super) struct Size {
    steps: usize,
    /// Those of `steps` that are done before a retry.
    before_retries: usize,
    names: usize,
    bytes: usize,
    files: usize,
    regexes: usize,
    /// It is too much: nothing more is compiled.
    pub(super) full: bool,
}

impl<'a> Compiler<'a> {
    /// Counts what was compiled since the last time, and says when that is too much.
    pub(super) fn count_steps(&mut self, place: Place, more: usize, draft: &mut Draft<'a>) -> bool {
        let steps = draft.class.code.len() - draft.counted + more;
        draft.counted = draft.class.code.len();
        self.size.steps += steps;
        if draft.retrying {
            self.size.before_retries += steps;
        }
        if self.size.steps > MOST_STEPS {
            let title = format!("the classes come to more than {MOST_STEPS} steps");
            let label = if self.size.before_retries > MOST_STEPS / 2 {
                "those before a retry count once for each request: use fewer of them"
            } else if self.plan.classes.len() > 1 {
                "each class has its own of what it calls: use fewer classes"
            } else {
                "make two plans of it"
            };
            self.too_much(place, title, label);
        } else if self.size.bytes > MOST_BYTES {
            let title = format!("the requests come to more than {} MiB", MOST_BYTES >> 20);
            let label = "`defaults` are written into each request, and flows into each class that \
                         calls them: write less";
            self.too_much(place, title, label);
        }
        self.size.full
    }

    pub(super) fn count_names(&mut self, place: Place, names: usize, bytes: usize) {
        self.size.names += names;
        self.size.bytes += bytes;
        if self.size.names > MOST_NAMES {
            let title = format!("the classes know more than {MOST_NAMES} names together");
            self.too_much(place, title, "each class has its own of all `vars`: use fewer classes");
        }
    }

    pub(super) fn count_file(&mut self, place: Place, bytes: usize) {
        self.size.files += bytes;
        if self.size.files > MOST_OF_FILES {
            let title = "the files of all requests come to more than 1 GiB".to_owned();
            self.too_much(place, title, "each request has its own: send smaller ones");
        }
    }

    /// Parsed once, however often it is written.
    pub(super) fn regex(&mut self, text: &str) -> Result<Selector, ParseError> {
        if let Some(known) = self.regexes.get(text) {
            return known.clone();
        }
        if self.size.regexes >= MOST_REGEXES {
            let title = "the regular expressions come to more than 128 MiB";
            let hint = "use fewer that differ, or `[a-z0-9]` in place of `\\w`";
            return Err(ParseError::new(title, hint, 0..text.len()));
        }
        let parsed = Selector::regex(text);
        let is_small = parsed.as_ref().is_ok_and(|regex| !regex.is_large());
        self.size.regexes += if is_small { 1 } else { OF_A_LARGE_REGEX };
        self.regexes.insert(text.to_owned(), parsed.clone());
        parsed
    }

    fn too_much(&mut self, place: Place, title: String, label: &str) {
        if !std::mem::replace(&mut self.size.full, true) {
            self.error(place, title, label);
        }
    }

    /// The rules of a request, and the class and the tags that it is counted under.
    pub(super) fn count_rules(&mut self, rules: usize, draft: &Draft<'a>) {
        let tags: usize = draft.tags.iter().map(|tag| ENTRY + tag.len()).sum();
        self.size.bytes += RULE * rules + tags + draft.class.name.len();
    }

    /// A text with templates, or without.
    pub(super) fn count_text(&mut self, text: &str) {
        let inside = text.split("{{").skip(1).map(|rest| rest.find("}}").unwrap_or(rest.len()));
        self.size.bytes += ENTRY + text.len() + OF_AN_EXPRESSION * inside.sum::<usize>();
    }

    pub(super) fn count_expression(&mut self, text: &str) {
        self.size.bytes += ENTRY + OF_AN_EXPRESSION * text.len();
    }

    pub(super) fn count_value(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Text(text) => self.count_text(text),
            NodeValue::List(items) => items.iter().for_each(|item| self.count_value(item)),
            NodeValue::Map(entries) => entries.iter().for_each(|entry| {
                self.size.bytes += entry.key.value.len();
                self.count_value(&entry.value);
            }),
            _ => self.size.bytes += ENTRY,
        }
    }
}
