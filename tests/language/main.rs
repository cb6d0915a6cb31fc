//! Every row of the plan language and the engine that runs it, by what goes over the wire.

#[allow(dead_code, reason = "the tests of the client need more of it")]
#[path = "../../src/protocol/http/name_server.rs"]
mod name_server;
mod run;
mod support;
mod wire;

mod cookbook;
mod data;
mod engine;
mod evidence;
mod listing;
mod meaning;
mod nested;
mod network;
mod open;
mod rates;
mod requests;
mod rows;
mod rules;
mod same;
mod search;
mod secured;
mod steps;
mod templates;
mod thresholds;
mod users;
mod whole;
