//! Owns what somebody who looks on at a user is told.

use std::fmt;

use crate::program::{Judgement, Mind, Request};
use crate::protocol::Exchange;

/// Somebody who looks on. Nobody does in a run.
pub trait Observer: fmt::Debug {
    /// Something begins: a task, the first steps.
    fn begins(&mut self, what: &str);

    /// A request was answered, or was not. The answer is in `mind`, as far as it is kept; `cookie`
    /// looks into the user's jar.
    fn exchanged(
        &mut self,
        request: &Request,
        bytes: &[u8],
        exchange: &Exchange,
        mind: &mut Mind,
        judgement: &Judgement,
        cookie: &dyn Fn(&str) -> Option<String>,
    );

    /// A request is going to be sent again, after an answer with this status or none.
    fn tried_again(&mut self, request: &Request, status: Option<u16>);

    /// An expression failed; secrets are hidden.
    fn exception(&mut self, text: &str);

    /// The plan says something, by `log` or `fail`.
    fn said(&mut self, by: &str, text: &str);
}
