//! Owns HTTP/1.1 on the wire: a client that is exact about every way in which an answer can fail.
//!
//! `client` holds the targets and opens connections, `tls` secures them, `stream` is what comes of
//! that, `connection` moves bytes within limits, and `codec` reads answers.

mod client;
mod codec;
mod connection;
#[cfg(test)]
mod scripted;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use client::{Connections, Http, Target, resolve};
pub use tls::{BadName, Roots, RootsError, Tls};
