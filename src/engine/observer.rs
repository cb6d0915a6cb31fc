//! Owns what somebody who looks on at a user is told.

use std::fmt;

use crate::load::Wait;
use crate::program::{Explained, Judgement, Mark, Mind, Request};
use crate::protocol::Exchange;

/// Somebody who looks on. Nobody does in a run.
pub trait Observer: fmt::Debug {
    /// Something begins: a task, the first steps.
    fn begins(&mut self, what: &str);

    /// It was broken off: what was left of it is not done.
    fn broken_off(&mut self);

    /// Tasks are not done at all, and why.
    fn left_out(&mut self, tasks: &[&str], why: &str);

    /// Whether a user is to wait where the plan has it so; where not, each wait is told. The waits of
    /// loops that go on until something holds, and those before a request is sent again, are never
    /// left out: without them the target would be asked as fast as it answers.
    fn waits(&self) -> bool;

    /// A wait was left out.
    fn skipped(&mut self, wait: Wait);

    /// A step went one of its ways, so that others are left out; `text` says it.
    fn turned(&mut self, mark: &Mark, text: &str);

    /// A request was answered, or was not.
    fn exchanged(&mut self, seen: &Seen<'_>);

    /// A request is going to be sent again, after an answer with this status or none.
    fn tried_again(&mut self, request: &Request, status: Option<u16>);

    /// An expression failed; secrets are hidden.
    fn exception(&mut self, text: &str);

    /// The plan says something, by `log`, `fail` or `stop`; secrets are hidden.
    fn said(&mut self, by: &str, text: &str);
}

/// A request, its answer, and what the rules made of it.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The request as the program has it.
    pub request: &'a Request,
    /// As it was sent, the first of them when redirects were followed.
    pub bytes: &'a [u8],
    /// How it went over the wire.
    pub exchange: &'a Exchange,
    /// The user after its captures; the answer is in it, as far as it is kept.
    pub mind: &'a Mind,
    /// What the rules made of it.
    pub judgement: &'a Judgement,
    /// What each rule came to.
    pub rules: &'a [Explained],
}
