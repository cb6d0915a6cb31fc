//! Throng runs load from a plan: it reads the plan, compiles it, runs it, measures and judges.
//!
//! Data flows one way:
//!
//! ```text
//! plans/todo.yaml
//!   └ plan: source ─ Document (tree with places) ─ validate (every mistake at once) ─> Plan
//!       └ program: compile(Plan) ─> Program (immutable: a flat list of instructions per task)
//!           └ load (pure: who runs when) ─> engine (workers, users) + protocol (bytes on the wire)
//!               └ Sample {due, sent, …, ended, outcome} ─> metrics: recorder ─> Interval ─> Summary
//!                   └ session: folds the Summary, asks verdict ─> Event ─> sink::{terminal, csv, html, json, …}, record
//!                       └ Verdict ─> exit code
//! Backwards runs one thing only: control::Command (Ctrl-C, SIGTERM).
//! ```

pub mod cli;
pub mod control;
pub mod data;
pub mod demo;
pub mod diagnostic;
pub mod engine;
pub mod event;
pub mod exit;
pub mod expr;
pub mod load;
pub mod metrics;
pub mod plan;
pub mod program;
pub mod protocol;
pub mod random;
pub mod record;
pub mod session;
pub mod sink;
pub mod units;
pub mod untrusted;
pub mod verdict;
