//! Owns HTTP/1.1 on the wire: a client that is exact about every way in which an answer can fail.
//!
//! [`client`](Http) holds the targets and opens connections, `connection` moves bytes within
//! limits, `codec` reads answers.

mod client;
mod codec;
mod connection;

pub use client::{Connections, Http, Target, resolve};
