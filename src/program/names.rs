//! Owns finding the names that a class knows: what its steps assign, what `before` captures, data,
//! variables of the plan.

use crate::diagnostic::Placed;
use crate::expr::{Names, Value};
use crate::plan::{Action, Plan, Request, Retry, Settings, Step};

/// The variables that steps assign, each with whether it is a list that is pushed to.
#[derive(Debug, Default)]
pub(super) struct Assigned<'p> {
    pub(super) all: Vec<(&'p Placed<String>, bool)>,
}

impl<'p> Assigned<'p> {
    /// What the steps assign, and those below them.
    pub(super) fn steps(&mut self, steps: &'p [Step]) {
        for step in steps {
            match &step.action {
                Action::Request(request) => self.request(request),
                Action::Set(entries) => {
                    entries.iter().for_each(|(name, _)| self.all.push((name, false)))
                }
                Action::Push(entries) => {
                    entries.iter().for_each(|(name, _)| self.all.push((name, true)))
                }
                Action::For { name, .. } => self.all.push((name, false)),
                _ => {}
            }
            step.action.bodies().for_each(|body| self.steps(body));
        }
    }

    fn request(&mut self, request: &'p Request) {
        for capture in &request.captures {
            self.all.push((&capture.name, capture.push));
        }
    }

    /// What the steps before a retry assign.
    pub(super) fn settings(&mut self, settings: &'p Settings) {
        if let Some(Some(retry)) = &settings.retry {
            self.retry(retry);
        }
    }

    fn retry(&mut self, retry: &'p Retry) {
        self.steps(&retry.first);
    }

    /// What the whole plan's shared parts assign: flows, and the steps before retries.
    pub(super) fn shared(&mut self, plan: &'p Plan) {
        self.settings(&plan.defaults);
        plan.flows.iter().for_each(|flow| self.steps(&flow.steps));
    }

    /// Declares all of it: lists begin empty, everything else has no value yet.
    pub(super) fn declare(&self, names: &mut Names, initial: &mut Vec<Option<Value>>) {
        for (name, list) in &self.all {
            let slot = names.intern(&name.value);
            initial.resize(names.len(), None);
            if *list {
                initial[slot] = Some(Value::empty_list());
            }
        }
    }
}
