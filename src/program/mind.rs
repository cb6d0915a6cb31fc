//! Owns what a user knows while it lives: its variables, its random numbers, the last answer.

use std::sync::Arc;

use crate::expr::{Response, Run, Scope, Value, Written};
use crate::random::Stream;

/// What a user knows.
#[derive(Debug)]
pub struct Mind {
    /// Its variables, by slot; none is not assigned yet.
    pub slots: Vec<Option<Value>>,
    /// Its random numbers.
    pub random: Stream,
    /// The last answer, as far as it is kept.
    pub response: Response,
    /// There was one.
    pub answered: bool,
    /// Its number, from 1.
    pub id: u64,
    /// How many iterations it has finished.
    pub iterations: u64,
    /// Its class.
    pub class: Arc<str>,
    /// What all users share.
    pub run: Arc<Run>,
}

impl Mind {
    /// What its expressions see; `request` is the one that is being written, for its headers.
    pub fn scope<'a>(&'a mut self, request: Option<&'a Written<'a>>) -> Scope<'a> {
        Scope {
            slots: &self.slots,
            response: self.answered.then_some(&self.response),
            request,
            user_id: self.id,
            user_class: &self.class,
            user_iteration: self.iterations,
            run: &self.run,
            random: &mut self.random,
        }
    }
}
