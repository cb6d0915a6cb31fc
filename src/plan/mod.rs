//! Owns plans: from a file to a checked [`Plan`], with every mistake at once and its place.
//!
//! ```text
//! file ─ files ─> text ─ document ─> Node (one tree for YAML and TOML) ─ merge ─> Node ─ validate ─> Plan
//! ```
//!
//! Templates and expressions stay text here; the compiler of programs reads them.

mod advice;
pub mod document;
mod environments;
mod files;
pub mod keys;
mod landed;
mod merge;
mod model;
mod network;
pub mod schema;
mod secrets;
pub mod source;
mod status;
mod target;
mod validate;
mod words;

pub use advice::suit;
pub use document::{Entry, Node, NodeValue};
pub use model::{
    AcceptRule, Action, Again, Auth, Body, Bound, Branch, Capture, Check, Class, Connections,
    Content, Data, Expect, Flow, Items, METHODS, Matcher, NamedProfile, OnFail, Origin, Part, Plan,
    Range, Redirects, Request, Retry, Searched, Settings, Step, Stop, Task, Timeout, Tls,
    TlsVersions,
};
pub use network::{Host, Leads, Lookup, Network, NetworkError};
pub use secrets::{literal_proofs, secrets_of, words_of_proofs};
pub use source::{Loaded, Loading, Partial, load, load_each, load_with, parse, parse_with};
pub use status::{Accept, AcceptError};
pub use target::{Target, TargetError};
pub use validate::{Given, reserved_name, there_are, validate, value_of};
pub use words::Words;
