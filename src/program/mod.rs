//! Owns programs: a plan compiled to flat lists of instructions, immutable, the same on every worker.

mod build;
mod compile;
mod rules;

pub use build::Build;
pub use compile::{compile, mistakes};
pub use rules::{Answer, Judgement, push, remove};

use std::sync::Arc;

use crate::expr::{Expression, Names, Selector, Template, Value};
use crate::load::Wait;
use crate::metrics::Catalogue;
use crate::plan::Accept;
use crate::protocol::Limits;

/// What every worker runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The words behind the numbers that samples carry.
    pub catalogue: Catalogue,
    /// In the order of the plan.
    pub classes: Vec<Class>,
}

/// A kind of user.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: Arc<str>,
    /// The pause after each iteration.
    pub wait: Wait,
    /// Its variables.
    pub names: Names,
    /// What each variable begins with: lists that are pushed to begin empty.
    pub initial: Vec<Option<Value>>,
    /// In the order of the plan.
    pub tasks: Vec<Task>,
    /// The instructions of all its tasks, one after the other.
    pub code: Vec<Instruction>,
    /// The requests that the instructions name.
    pub requests: Vec<Request>,
}

/// Something to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Its share among the tasks that can run.
    pub weight: f64,
    /// Drawn only while it holds.
    pub when: Option<Expression>,
    /// Where its instructions begin.
    pub start: usize,
}

/// One instruction.
///
/// | instruction | next |
/// |---|---|
/// | `Request`, `Wait`, `Set`, `Push`, `Remove` | the one after it |
/// | `Unless` | the one after it when the condition holds, else the one it names |
/// | `End` | none: the iteration is over |
#[derive(Debug, Clone, PartialEq)]
pub enum Instruction {
    /// Sends a request of the class, by its position.
    Request(usize),
    /// Pauses.
    Wait(Wait),
    /// Assigns a variable.
    Set(usize, Build),
    /// Appends to a list.
    Push(usize, Build),
    /// Removes the first equal item from a list.
    Remove(usize, Build),
    /// Goes on at the given instruction unless the condition holds.
    Unless(Expression, usize),
    /// Ends the iteration.
    End,
}

/// A request, rendered as far as it can be before the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The number of its name in the catalogue.
    pub name: u16,
    /// The bytes.
    pub message: Message,
    /// Its answer has no body.
    pub head_only: bool,
    /// Limits in time.
    pub limits: Limits,
    /// Which status codes are a success.
    pub accept: Accept,
    /// What is kept of the answer.
    pub captures: Vec<Capture>,
}

/// What goes over the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Nothing in it changes.
    Fixed(Vec<u8>),
    /// The head holds templates; its body, with its length, is fixed and part of it.
    Head(Template),
    /// Both change: the head lacks its `Content-Length` and the empty line.
    HeadAndBody(Template, Template),
}

/// A value kept of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The variable.
    pub slot: usize,
    /// Where it is in the body.
    pub selector: Selector,
    /// Appended to the variable's list.
    pub push: bool,
    /// The sentence for an answer without it, in [`Catalogue::texts`].
    pub nothing: u32,
    /// The sentence for an answer that is no JSON.
    pub not_json: u32,
}
