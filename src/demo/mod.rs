//! Owns the embedded Todo API that the sample plans use: it answers as the FastAPI app of the same
//! interface does, on threads of its own.

mod routes;
mod server;
mod store;
mod validation;

pub use server::{Demo, Options, start};
