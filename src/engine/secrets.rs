//! Owns what a user has captured that nobody is to see, also where all users together have too much of it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::user::User;
use crate::expr::Value;
use crate::program::{Class, Request, text_of};
use crate::protocol::Protocol;
use crate::untrusted::Secrets;

/// So many captures are remembered that newer ones may have replaced: a request may be under way with one.
const RECENT: usize = 8;
/// Each text is searched for all of them. Where a user has more, its texts are not shown.
const MOST: usize = 1_000;

/// What a user of a class with secret captures knows of them.
pub(super) struct Own {
    slots: Arc<[usize]>,
    recent: VecDeque<Value>,
}

impl Own {
    /// None for a class without any: most users carry nothing.
    pub(super) fn of(class: &Class) -> Option<Box<Self>> {
        let own = || Box::new(Self { slots: class.secrets.clone(), recent: VecDeque::new() });
        (!class.secrets.is_empty()).then(own)
    }
}

impl<P: Protocol> User<P> {
    /// From now on what a request has captured is hidden, where it is secret.
    pub(super) fn keep_secrets(&mut self, request: &Request) {
        for capture in request.captures.iter().filter(|capture| capture.secret) {
            let Some(value) = &self.mind.slots[capture.slot] else { continue };
            add(value, &self.worker.setup.secrets);
            // Nothing is replaced in a list that is pushed to.
            if let Some(own) = self.own.as_mut().filter(|_| !capture.push) {
                if own.recent.len() == RECENT {
                    own.recent.pop_front();
                }
                own.recent.push_back(value.clone());
            }
        }
    }

    /// What must be hidden of this user beside what is hidden everywhere. None when it is too much to
    /// be looked for.
    pub(super) fn own_secrets(&self) -> Option<Vec<String>> {
        let mut found = Vec::new();
        if let Some(own) = self.own.as_ref().filter(|_| self.worker.setup.secrets.is_full()) {
            let held = own.slots.iter().filter_map(|slot| self.mind.slots[*slot].as_ref());
            held.chain(&own.recent).for_each(|value| texts(value, &mut found));
            found.sort_unstable();
            found.dedup();
        }
        (found.len() <= MOST).then_some(found)
    }

    /// The text without secrets.
    pub(super) fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secrets = &self.worker.setup.secrets;
        let shown = secrets.hidden(text);
        if self.own.is_none() || !secrets.is_full() {
            return shown;
        }
        let Some(found) = self.own_secrets() else { return "***".into() };
        let own = Secrets::default();
        found.iter().for_each(|value| own.add(value));
        own.hidden(&shown).into_owned().into()
    }
}

/// Of a list each item is hidden, since they are used one by one.
fn add(value: &Value, secrets: &Secrets) {
    match value {
        Value::List(items) => items.iter().for_each(|item| add(item, secrets)),
        other => secrets.add(&text_of(other)),
    }
}

/// The same, as texts; one more than are looked for is enough to know that there are too many.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        _ if found.len() > 2 * MOST => {}
        Value::List(items) => items.iter().for_each(|item| texts(item, found)),
        other => found.push(text_of(other)),
    }
}
