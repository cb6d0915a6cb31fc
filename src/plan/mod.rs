//! STUB
pub mod target;
pub use target::Target;
pub mod document;
pub mod model;
pub mod status;
pub use document::{Entry, Node, NodeValue};
pub use model::*;
pub use status::Accept;
