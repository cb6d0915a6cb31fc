//! Every row of the plan language, by what goes over the wire.

#[allow(dead_code)]
#[path = "../support/run.rs"]
mod run;
mod support;
mod wire;

mod cookbook;
mod data;
mod meaning;
mod nested;
mod requests;
mod rows;
mod rules;
mod same;
mod steps;
mod templates;
mod users;
mod whole;
