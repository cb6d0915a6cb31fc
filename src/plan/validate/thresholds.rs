//! Owns reading thresholds of a plan and the names that they are about.

use super::Checker;
use super::values::shorten;
use crate::diagnostic::Placed;
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::model::{Action, Class, Request, Step};
use crate::verdict::Threshold;

impl Checker {
    /// `classes` is empty when they could not be read: then no name is looked up.
    pub(super) fn thresholds(
        &mut self,
        entry: &Entry,
        classes: &[Class],
    ) -> Vec<Placed<Threshold>> {
        let nodes = match &entry.value.value {
            NodeValue::List(items) => &items[..],
            NodeValue::Null => {
                let label = "write one below it, as `p95 < 500ms`, or take the key out";
                self.error(entry.key.place, "`thresholds` is empty", label);
                return Vec::new();
            }
            NodeValue::Map(entries)
                if entries
                    .iter()
                    .all(|entry| Context::Threshold.find(&entry.key.value).is_none()) =>
            {
                self.wrong(
                    &entry.value,
                    "`thresholds` must be a list, not a map",
                    "write each as text, as `p95 < 500ms`",
                );
                return Vec::new();
            }
            // One threshold, where a list may stand.
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().filter_map(|node| self.threshold(node, classes)).collect()
    }

    fn threshold(&mut self, node: &Node, classes: &[Class]) -> Option<Placed<Threshold>> {
        if matches!(node.value, NodeValue::Int(_) | NodeValue::Float(_) | NodeValue::Bool(_)) {
            let title = format!("a threshold is text, not {}", node.value.kind());
            self.wrong(node, title, "say what is measured and its limit, as `p95 < 500ms`");
            return None;
        }
        if let NodeValue::Map(entries) = &node.value {
            // `- p95: < 500ms`
            if let [only] = &entries[..]
                && Threshold::parse(&format!("{} < 1ms", only.key.value)).is_ok()
            {
                let rest = match &only.value.value {
                    NodeValue::Text(text) if text.trim_start().starts_with(['<', '>']) => {
                        text.trim()
                    }
                    _ => "< 500ms",
                };
                self.error(
                    only.key.place,
                    "a threshold is one text",
                    format!("write `{} {rest}`, without the colon", only.key.value),
                );
                return None;
            }
            let place = entries.first().map_or(node.place, |entry| entry.key.place);
            let fields = self.fields(node, Context::Threshold, place, "the threshold")?;
            let of = match fields.get("of") {
                Some(map) if matches!(map.value, NodeValue::Map(_)) => {
                    let label = "write a name of requests, as its `name` or path says it";
                    self.wrong(map, "`of` as a map is not supported yet", label);
                    None
                }
                Some(node) => self.text(node, "`of`").and_then(|of| {
                    self.known_name(node, &of.value, classes).then_some(Some(of.value))
                }),
                None => Some(None),
            };
            let must = match fields.get("must") {
                Some(node) => self.comparison(node),
                None if fields.odd => None,
                None => {
                    let label = "add `must`: what must hold, as `p95 < 500ms`";
                    self.error(place, "the threshold says nothing", label);
                    None
                }
            };
            let (of, mut threshold) = (of?, must?);
            threshold.value.of = of;
            return Some(threshold);
        }
        self.comparison(node)
    }

    fn comparison(&mut self, node: &Node) -> Option<Placed<Threshold>> {
        let text = self.text(node, "a threshold")?;
        match Threshold::parse(&text.value) {
            Ok(value) => Some(Placed { value, place: node.place }),
            Err(error) => {
                self.wrong(node, error.problem, error.advice);
                None
            }
        }
    }

    fn known_name(&mut self, node: &Node, of: &str, classes: &[Class]) -> bool {
        let requests = || classes.iter().flat_map(requests);
        let is_meant = |request: &Request| {
            let method = of.strip_prefix(request.method.as_str());
            let name = method.and_then(|rest| rest.strip_prefix(' '));
            counted_under(request) == of || name == Some(counted_under(request))
        };
        if classes.is_empty() || requests().any(is_meant) {
            return true;
        }
        if classes.iter().any(|class| class.name.value == of) {
            let title = format!("a threshold of the user class `{of}` is not supported yet");
            self.wrong(node, title, "write a name of requests, or take `of` out");
            return false;
        }
        let label = match self.suggest(of, requests().map(counted_under)) {
            Some(near) => format!("did you mean `{}`?", shorten(near)),
            None => {
                let mut names = Vec::new();
                for name in requests().map(counted_under).take(20) {
                    if !names.contains(&name) && names.len() < 8 {
                        names.push(name);
                    }
                }
                let names: Vec<_> =
                    names.iter().map(|name| format!("`{}`", shorten(name))).collect();
                format!("there are {}", names.join(", "))
            }
        };
        // People think of the task; what is counted is its requests.
        let task = classes.iter().flat_map(|class| &class.tasks).find(|task| task.name.value == of);
        let label = match task.map(|task| &task.steps[..]) {
            Some([Step { action: Action::Request(request), .. }]) => {
                format!("the request of that task is counted under `{}`", counted_under(request))
            }
            _ => label,
        };
        self.wrong(node, format!("no request is counted under `{}`", shorten(of)), label);
        false
    }
}

fn requests(class: &Class) -> impl Iterator<Item = &Request> {
    class.tasks.iter().flat_map(|task| &task.steps).filter_map(|step| match &step.action {
        Action::Request(request) => Some(&**request),
        _ => None,
    })
}

fn counted_under(request: &Request) -> &str {
    request.name.as_ref().map_or(&request.path.value, |name| &name.value)
}
