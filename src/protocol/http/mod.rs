//! Owns HTTP/1.1 on the wire: a client that is exact about every way in which an answer can fail.
//!
//! `client` holds the targets and opens connections, `connection` moves bytes within limits, and
//! `codec` reads answers.

mod client;
mod codec;
mod connection;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;

pub use client::{Connections, Http, Target, resolve};
