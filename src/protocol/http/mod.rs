//! Owns HTTP/1.1 on the wire: a client that is exact about every way in which an answer can fail.
//!
//! `client` makes one exchange of requests, redirects and cookies; `dial` opens connections to what
//! `targets` knows, whose names `dns` looks up; `tls` secures them, `stream` is what comes of that, `pool` shares them,
//! `connection` moves bytes within limits, and `codec` reads answers. `address` says where requests
//! may go, `request` takes one apart, `redirect` makes the next one, `cookies` holds what a user was
//! given, and `decode` unpacks bodies.

mod address;
#[cfg(test)]
mod beyond_tests;
mod client;
mod codec;
mod connection;
mod cookies;
mod decode;
mod dial;
#[cfg(test)]
mod dial_tests;
mod dns;
mod dns_runtime;
mod identity;
#[cfg(test)]
mod mixed_tests;
#[cfg(test)]
mod name_server;
mod pool;
mod redirect;
mod request;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod stale_tests;
mod stream;
mod targets;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use address::{Origin, Reach};
pub use client::{Connections, Http};
#[cfg(fuzzing)]
pub use codec::pieces::check as check_pieces;
pub use dns::{Lookup, Names, resolve};
pub use identity::{Identify, Identity, IdentityError};
pub use targets::{Opener, Place, Settings, Target};
pub use tls::{BadName, Manner, Roots, RootsError, Tls, Versions, can_be_certified};
