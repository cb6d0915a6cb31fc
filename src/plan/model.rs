//! Owns the plan as the rest of the program sees it: every key read, every default filled in.
//!
//! Templates and expressions are still text, with the place where they stand: the compiler of
//! programs parses them, because only it knows which names exist.

use std::time::Duration;

use super::document::Node;
use super::status::Accept;
use super::target::Target;
use crate::diagnostic::Placed;
use crate::load::{Profile, Wait};
use crate::verdict::Threshold;

/// A whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What results are titled with; the file's name without its ending when nothing is said.
    pub name: String,
    /// The base URL; absent when the plan leaves it to the command line.
    pub target: Option<Placed<Target>>,
    /// As written; at least one.
    pub classes: Vec<Class>,
    /// As written; may be empty (the command line must then say how many users).
    pub profiles: Vec<NamedProfile>,
    /// Position in `profiles` of the one that runs when none is named: the `profile:` key, or the
    /// only one.
    pub profile: Option<usize>,
    /// As written.
    pub thresholds: Vec<Placed<Threshold>>,
}

/// A profile with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedProfile {
    /// The key it stands under.
    pub name: Placed<String>,
    /// The users over time.
    pub profile: Profile,
    /// How long iterations under way may go on at the end; absent: the default.
    pub grace: Option<Duration>,
}

/// A kind of user.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The key it stands under.
    pub name: Placed<String>,
    /// Its share of the users, 1 when nothing is said; 0 means none.
    pub weight: f64,
    /// The pause after each iteration; none when nothing is said.
    pub wait: Wait,
    /// As written; at least one.
    pub tasks: Vec<Task>,
}

/// Something a user does, drawn by weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The key it stands under.
    pub name: Placed<String>,
    /// Its share among the tasks that can run, 1 when nothing is said.
    pub weight: f64,
    /// An expression; the task is drawn only while it holds.
    pub when: Option<Placed<String>>,
    /// What it does, in order. A task that is one request has one step.
    pub steps: Vec<Step>,
}

/// A step of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// An expression; the step is left out while it does not hold.
    pub when: Option<Placed<String>>,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sends a request and judges the answer.
    Request(Box<Request>),
    /// Pauses.
    Wait(Wait),
    /// Sets variables, in order; values are templates.
    Set(Vec<(Placed<String>, Node)>),
    /// Appends to lists.
    Push(Vec<(Placed<String>, Node)>),
    /// Removes the first equal item from lists.
    Remove(Vec<(Placed<String>, Node)>),
}

/// A request and what is asked of its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: Method,
    /// As written, template and all; begins with `/`.
    pub path: Placed<String>,
    /// The name it is counted under; the path as written when nothing is said.
    pub name: Option<Placed<String>>,
    /// Header names and the templates of their values.
    pub headers: Vec<(Placed<String>, Node)>,
    /// What is sent.
    pub body: Option<Body>,
    /// The limit of the whole exchange; absent: the default.
    pub timeout: Option<Duration>,
    /// Which status codes are a success.
    pub accept: Accept,
    /// What is kept of the answer.
    pub captures: Vec<Capture>,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Any value; strings within it are templates. Sent as `application/json`.
    Json(Node),
    /// A template, sent as it is.
    Text(Placed<String>),
}

/// A value kept of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The variable.
    pub name: Placed<String>,
    /// A JSONPath (RFC 9535) into the body, as written.
    pub path: Placed<String>,
    /// The value is appended to the list of that name instead of replacing the variable.
    pub push: bool,
}

/// The methods that a plan can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
}

impl Method {
    /// Every method, by the key that a step uses for it.
    pub const KEYS: [(&'static str, Self); 7] = [
        ("get", Self::Get),
        ("post", Self::Post),
        ("put", Self::Put),
        ("patch", Self::Patch),
        ("delete", Self::Delete),
        ("head", Self::Head),
        ("options", Self::Options),
    ];

    /// As it goes over the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}
