//! Owns which tasks and steps run: those that the command line picks by their tags.

use std::collections::BTreeSet;

use super::notes::every_step;
use crate::plan::Plan;

/// What `--tags` and `--exclude-tags` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only what carries one of these; all when empty.
    pub tags: Vec<String>,
    /// Nothing that carries one of these.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.exclude.is_empty()
    }

    /// The tags that are asked for and that nothing in the plan carries, each once.
    #[must_use]
    pub fn unknown(&self, plan: &Plan) -> Vec<&str> {
        let known = tags_of(plan);
        let mut unknown: Vec<&str> = Vec::new();
        for tag in self.tags.iter().chain(&self.exclude) {
            if !known.contains(&**tag) && !unknown.contains(&&**tag) {
                unknown.push(tag);
            }
        }
        unknown
    }

    /// What carries `tags` is left out whatever it holds.
    #[must_use]
    pub fn excludes(&self, tags: &[String]) -> bool {
        tags.iter().any(|tag| self.exclude.contains(tag))
    }

    /// What carries `tags` is picked, with all that it holds.
    #[must_use]
    pub fn picks(&self, tags: &[String]) -> bool {
        self.tags.is_empty() || tags.iter().any(|tag| self.tags.contains(tag))
    }
}

/// The tags of a plan: those of its classes, flows, tasks and steps.
#[must_use]
pub fn tags_of(plan: &Plan) -> BTreeSet<&str> {
    let mut all: Vec<&[String]> = Vec::new();
    all.extend(plan.flows.iter().map(|flow| &flow.tags[..]));
    for class in &plan.classes {
        all.push(&class.tags);
        all.extend(class.tasks.iter().map(|task| &task.tags[..]));
    }
    every_step(plan, &mut |step| all.push(&step.tags));
    all.into_iter().flatten().map(String::as_str).collect()
}
