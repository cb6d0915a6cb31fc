//! Owns plans: from a file to a checked [`Plan`], with every mistake at once and its place.
//!
//! ```text
//! file ─ source ─> text ─ document ─> Node (one tree for YAML and TOML) ─ validate ─> Plan
//! ```
//!
//! Templates and expressions stay text here; the compiler of programs reads them.

pub mod document;
pub mod keys;
mod model;
pub mod source;
mod status;
mod target;
mod validate;

pub use document::{Entry, Node, NodeValue};
pub use model::{Action, Body, Capture, Class, Method, NamedProfile, Plan, Request, Step, Task};
pub use source::{Loaded, Partial, load, parse};
pub use status::{Accept, AcceptError};
pub use target::{Target, TargetError};
pub use validate::{reserved_name, validate};
