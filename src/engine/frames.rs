//! Owns what a user keeps of the loops, calls, transactions and retries that it is in.

use std::sync::Arc;

use tokio::time::Instant;

use std::time::Duration;

use crate::expr::Value;
use crate::metrics::Sample;
use crate::plan::Stop;

/// Where it goes on after an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// With the next one.
    Next,
    /// With that one.
    To(usize),
    /// The iteration is over.
    End,
    /// It was broken off by a failure.
    Failed,
    /// Something ends, by a failure or not.
    Stop(Stop, bool),
}

/// Something that the user is in, the innermost last.
#[derive(Debug)]
pub(super) enum Frame {
    /// Comes back to this instruction.
    Call(usize),
    /// Rounds that are left after this one.
    Count(u64),
    /// The items of a `for`, and the position of the next one.
    Items { slot: usize, items: Arc<Vec<Value>>, next: usize },
    /// Rounds that are left, and until when; whether one has begun is known where one looks on.
    Bound { left: Option<u64>, until: Option<Instant>, begun: bool },
    /// A transaction.
    Group(Transaction),
    /// A request that is sent again. Boxed, because few are.
    Retry(Box<Retry>),
}

/// A transaction under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transaction {
    pub(super) number: u16,
    pub(super) started: Instant,
    /// What the user had waited when it began.
    pub(super) waited: Duration,
    pub(super) failed: bool,
}

/// A request that is sent again.
#[derive(Debug)]
pub(super) struct Retry {
    /// The instruction that sends it.
    pub(super) at: usize,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// What the last attempt came to, for when there is no other; absent when it is in no table.
    pub(super) pending: Option<Sample>,
}

pub(super) type Frames = Vec<Frame>;
