//! Owns judging an answer: accept, then captures, in that order.

use std::sync::Arc;

use super::{Capture, Request};
use crate::expr::{NotJson, Value};
use crate::metrics::{Failure, Fault, Outcome};

/// An answer as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The status, or what went wrong on the wire.
    pub status: Result<u16, Fault>,
    /// The body, when the request keeps it.
    pub body: &'a [u8],
}

/// What the rules made of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// Succeeded, or the first rule that broke.
    pub outcome: Outcome,
    /// The iteration cannot go on: a value it was to capture is missing.
    pub ends_iteration: bool,
}

impl Request {
    /// The body is needed: something is captured from it.
    #[must_use]
    pub fn keeps_body(&self) -> bool {
        !self.captures.is_empty()
    }

    /// Judges an answer and takes the captures into `slots`.
    pub fn judge(&self, answer: Answer<'_>, slots: &mut [Option<Value>]) -> Judgement {
        let failed =
            |failure| Judgement { outcome: Outcome::Failed(failure), ends_iteration: false };
        let status = match answer.status {
            Ok(status) => status,
            Err(fault) => return failed(Failure::Fault(fault)),
        };
        if !self.accept.allows(status) {
            return failed(Failure::Status(status));
        }
        for capture in &self.captures {
            match capture.selector.first(answer.body) {
                Ok(Some(value)) => capture.take(value, slots),
                missing => {
                    let text =
                        if missing == Err(NotJson) { capture.not_json } else { capture.nothing };
                    for other in self.captures.iter().filter(|other| !other.push) {
                        slots[other.slot] = None;
                    }
                    let outcome = Outcome::Failed(Failure::Rule(text));
                    return Judgement { outcome, ends_iteration: true };
                }
            }
        }
        Judgement { outcome: Outcome::Succeeded, ends_iteration: false }
    }
}

impl Capture {
    fn take(&self, value: Value, slots: &mut [Option<Value>]) {
        if self.push {
            push(&mut slots[self.slot], value);
        } else {
            slots[self.slot] = Some(value);
        }
    }
}

/// Appends to a variable; one that holds no list becomes a list of this one item.
pub fn push(slot: &mut Option<Value>, value: Value) {
    match slot {
        Some(Value::List(items)) => Arc::make_mut(items).push(value),
        _ => *slot = Some(Value::List(Arc::new(vec![value]))),
    }
}

/// Removes the first item that equals `value`; nothing happens when there is none.
pub fn remove(slot: &mut Option<Value>, value: &Value) {
    if let Some(Value::List(items)) = slot
        && let Some(position) = items.iter().position(|item| item == value)
    {
        Arc::make_mut(items).remove(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(slot: &Option<Value>) -> String {
        serde_json::to_string(slot).unwrap()
    }

    #[test]
    fn lists_grow_and_forget() {
        let mut slot = None;
        for id in [3, 5, 3] {
            push(&mut slot, Value::Int(id));
        }
        remove(&mut slot, &Value::Int(3));
        assert_eq!(list(&slot), "[5,3]");
        remove(&mut slot, &Value::Int(9));
        remove(&mut None, &Value::Int(9));
        assert_eq!(list(&slot), "[5,3]");
    }

    #[test]
    fn a_copy_of_a_list_is_not_changed_with_it() {
        let mut slot = Some(Value::empty_list());
        push(&mut slot, Value::Int(1));
        let copy = slot.clone();
        push(&mut slot, Value::Int(2));
        assert_eq!((list(&copy), list(&slot)), ("[1]".into(), "[1,2]".into()));
    }
}
