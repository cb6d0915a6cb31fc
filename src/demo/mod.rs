//! Owns the embedded server that the sample plans use, on threads of its own: a Todo API that answers
//! as the FastAPI app of the same interface does, and beside it what the plans of the cookbook need.

mod answer;
mod asked;
mod auth;
mod echo;
mod files;
mod flaky;
mod graphql;
mod jobs;
mod kept;
mod more;
mod pages;
mod projects;
mod routes;
mod server;
mod shop;
mod store;
mod validation;

pub use server::{Demo, Options, start};
