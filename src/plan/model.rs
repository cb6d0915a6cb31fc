//! Owns the plan as the rest of the program sees it: every key read, every default filled in.
//!
//! Templates and expressions are still text, with the place where they stand: the compiler of
//! programs parses them, because only it knows which names exist.

use std::path::PathBuf;
use std::time::Duration;

use super::document::Node;
use super::network::Network;
use super::status::Accept;
use super::target::Target;
use crate::data;
use crate::diagnostic::{Place, Placed};
use crate::load::{Load, Order, Search, Wait};
use crate::verdict::Threshold;

/// A whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What results are titled with; the file's name without its ending when nothing is said.
    pub name: String,
    /// The base URL; absent when the plan leaves it to the command line.
    pub target: Option<Placed<Target>>,
    /// Values that templates can use, computed, in the order of the plan.
    pub vars: Vec<(Placed<String>, Node)>,
    /// Environment variables whose values never appear in any output.
    pub secrets: Vec<Placed<String>>,
    /// Exchanges are kept to be shown: the first that fail, and the slowest.
    pub evidence: bool,
    /// The time at the start that is left out of thresholds and totals.
    pub warmup: Duration,
    /// Where all random numbers come from; by chance when absent.
    pub seed: Option<u64>,
    /// What holds for every request.
    pub defaults: Settings,
    /// How users hold connections.
    pub connections: Connections,
    /// How connections are secured.
    pub tls: Tls,
    /// How targets are found and reached.
    pub network: Network,
    /// Rows of values, by name.
    pub data: Vec<Data>,
    /// Once, before the first user.
    pub before: Vec<Step>,
    /// Once, at the end.
    pub after: Vec<Step>,
    /// Shared pieces.
    pub flows: Vec<Flow>,
    /// As written; at least one.
    pub classes: Vec<Class>,
    /// As written; may be empty (the command line must then say how many users).
    pub profiles: Vec<NamedProfile>,
    /// Position in `profiles` of the one that runs when none is named: the `profile:` key, or the
    /// only one.
    pub profile: Option<usize>,
    /// As written.
    pub thresholds: Vec<Placed<Threshold>>,
    /// Files are looked for below this folder: the plan's own.
    pub folder: PathBuf,
    /// Files may also lie elsewhere.
    pub allow_outside: bool,
}

/// A source of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The key it stands under.
    pub name: Placed<String>,
    /// Where its rows are, and how they are taken.
    pub definition: data::Definition,
    /// Where its file is named.
    pub place: Place,
}

/// A profile with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedProfile {
    /// The key it stands under.
    pub name: Placed<String>,
    /// The load over time; of a search its highest level, for as long as it can last.
    pub load: Load,
    /// It is made to find a limit.
    pub search: Option<Searched>,
    /// How long iterations under way may go on at the end; absent: the default.
    pub grace: Option<Duration>,
    /// Ends after so many iterations.
    pub iterations: Option<u64>,
    /// Wins over the plan's.
    pub warmup: Option<Duration>,
}

/// A search, and what must hold at each of its levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Searched {
    /// From where, to where.
    pub search: Search,
    /// As written.
    pub must: Vec<Placed<Threshold>>,
}

/// How users hold connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// Each user keeps its own alive.
    #[default]
    Own,
    /// Each request opens one.
    New,
    /// Borrowed from a pool of so many, over all workers.
    Shared(u32),
}

/// How connections are secured, as far as it is said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tls {
    /// The file of the authorities that are trusted instead of the system's.
    pub ca: Option<Placed<String>>,
    /// The file of the client certificate; templates in it are live.
    pub cert: Option<Placed<String>>,
    /// The file of its key, likewise.
    pub key: Option<Placed<String>>,
    /// Who the target must show that it is, instead of its own host.
    pub name: Option<Placed<String>>,
    /// The versions that are offered.
    pub versions: Option<TlsVersions>,
    /// Sessions are resumed.
    pub resume: Option<bool>,
    /// Nothing is verified.
    pub insecure: Option<bool>,
}

/// Versions of TLS, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsVersions {
    /// TLS 1.2.
    pub old: bool,
    /// TLS 1.3.
    pub new: bool,
}

/// A kind of user.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The key it stands under.
    pub name: Placed<String>,
    /// Its share of the users, 1 when nothing is said; 0 means none.
    pub weight: f64,
    /// Exactly so many of them, whatever the weights.
    pub fixed: Option<u32>,
    /// How tasks follow each other.
    pub order: Order,
    /// The pause after each task; none when nothing is said.
    pub wait: Wait,
    /// Its own base URL.
    pub target: Option<Placed<Target>>,
    /// What holds for every request of this class.
    pub defaults: Settings,
    /// How its users hold connections; absent: as the plan says.
    pub connections: Option<Connections>,
    /// How its connections are secured; what is absent is as the plan says.
    pub tls: Tls,
    /// What its tasks inherit.
    pub tags: Vec<String>,
    /// What each user does first.
    pub on_start: Vec<Step>,
    /// As written; at least one.
    pub tasks: Vec<Task>,
    /// What each user does last.
    pub on_stop: Vec<Step>,
}

impl Class {
    /// It has a wait that the open form does not use: iterations start when they are due. Within a pass
    /// the wait is spent from task to task, but a pace is that of the whole.
    #[must_use]
    pub fn waits_in_vain(&self) -> bool {
        let within = self.order != Order::Random && self.tasks.len() > 1;
        self.wait != Wait::None && (!within || self.wait.is_pace())
    }
}

/// Something a user does.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The key it stands under.
    pub name: Placed<String>,
    /// Its share among the tasks that can run, 1 when nothing is said.
    pub weight: f64,
    /// An expression; the task is drawn only while it holds.
    pub when: Option<Placed<String>>,
    /// How often it does anything, as a fraction.
    pub chance: Option<f64>,
    /// Its own; those of the class come on top.
    pub tags: Vec<String>,
    /// The pause after it, instead of the class's.
    pub wait: Option<Wait>,
    /// In a chain: which task follows, by weight; `exit` ends the pass.
    pub next: Vec<(Placed<String>, f64)>,
    /// What it does, in order. A task that is one request has one step.
    pub steps: Vec<Step>,
}

/// A shared piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The key it stands under.
    pub name: Placed<String>,
    /// An expression; a call does nothing while it does not hold.
    pub when: Option<Placed<String>>,
    /// Its own.
    pub tags: Vec<String>,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// A step of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// An expression; the step is left out while it does not hold.
    pub when: Option<Placed<String>>,
    /// How often it is done, as a fraction.
    pub chance: Option<f64>,
    /// Its own.
    pub tags: Vec<String>,
    /// What it does.
    pub action: Action,
    /// Where it begins.
    pub place: Place,
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
    /// One way or the other.
    If {
        /// An expression.
        condition: Placed<String>,
        /// What is done when it holds.
        then: Vec<Step>,
        /// What is done when it does not.
        otherwise: Vec<Step>,
    },
    /// So many times.
    Repeat {
        /// A number, or a template that gives one.
        times: Node,
        /// What is done each time.
        body: Vec<Step>,
    },
    /// For each item, which is in the variable.
    For {
        /// The variable.
        name: Placed<String>,
        /// What it goes through.
        items: Items,
        /// What is done for each.
        body: Vec<Step>,
    },
    /// While a condition holds.
    While {
        /// An expression, looked at before each round.
        condition: Placed<String>,
        /// What is done each round.
        body: Vec<Step>,
        /// Rounds after which it ends all the same.
        at_most: Option<u64>,
    },
    /// Until a condition holds; one that runs out has failed.
    Until {
        /// An expression, looked at after each round.
        condition: Placed<String>,
        /// What is done each round.
        body: Vec<Step>,
        /// Rounds after which it has failed.
        at_most: Option<u64>,
        /// The time after which it has failed.
        within: Option<Duration>,
    },
    /// One branch, by weight.
    Choose(Vec<Branch>),
    /// Requests that are sent together.
    Parallel(Vec<Step>),
    /// Steps that are timed together.
    Group {
        /// What the time is reported under.
        name: Placed<String>,
        /// What is timed.
        body: Vec<Step>,
    },
    /// A task of the class or a flow.
    Call(Placed<String>),
    /// Marks the group or the task as failed, and ends the iteration.
    Fail(Placed<String>),
    /// Ends something.
    Stop(Stop),
    /// Writes a line.
    Log(Placed<String>),
}

impl Action {
    /// The lists of steps that stand below it.
    pub fn bodies(&self) -> impl Iterator<Item = &[Step]> {
        let none: &[Step] = &[];
        let [first, second] = match self {
            Self::If { then, otherwise, .. } => [then.as_slice(), otherwise],
            Self::Repeat { body, .. }
            | Self::For { body, .. }
            | Self::While { body, .. }
            | Self::Until { body, .. }
            | Self::Group { body, .. }
            | Self::Parallel(body) => [body.as_slice(), none],
            Self::Request(request) => match &request.settings.retry {
                Some(Some(retry)) => [retry.first.as_slice(), none],
                _ => [none, none],
            },
            _ => [none, none],
        };
        let branches = match self {
            Self::Choose(branches) => branches.as_slice(),
            _ => &[],
        };
        [first, second].into_iter().chain(branches.iter().map(|branch| branch.body.as_slice()))
    }
}

/// The items of a `for`.
#[derive(Debug, Clone, PartialEq)]
pub enum Items {
    /// An expression that gives a list.
    Expression(Placed<String>),
    /// The items themselves.
    List(Node),
}

/// A branch of `choose`.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its share.
    pub weight: f64,
    /// What it does.
    pub body: Vec<Step>,
}

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The iteration.
    Iteration,
    /// The user, for good.
    User,
    /// The run.
    Run,
}

/// What follows a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFail {
    /// The next step.
    #[default]
    Continue,
    /// The end of something.
    End(Stop),
}

impl OnFail {
    /// Every word for it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("continue", Self::Continue),
        ("iteration", Self::End(Stop::Iteration)),
        ("user", Self::End(Stop::User)),
        ("run", Self::End(Stop::Run)),
    ];
}

/// What a request has, and what `defaults` can say for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Names and the templates of their values; `null` takes a default out.
    pub headers: Vec<(Placed<String>, Node)>,
    /// Names and the templates of their values; a list stands for several of the name.
    pub query: Vec<(Placed<String>, Node)>,
    /// Names and the templates of their values.
    pub cookies: Vec<(Placed<String>, Node)>,
    /// Who sends it.
    pub auth: Option<Auth>,
    /// Limits in time.
    pub timeout: Timeout,
    /// Whether and how far redirects are followed.
    pub redirects: Option<Redirects>,
    /// A compressed answer is asked for.
    pub compressed: Option<bool>,
    /// When it is sent again; inner absence: never, whatever the defaults.
    pub retry: Option<Option<Box<Retry>>>,
    /// Which status codes are a success: the first rule that fits decides.
    pub accept: Option<Vec<AcceptRule>>,
    /// What the answer must hold.
    pub expect: Option<Vec<Expect>>,
    /// What a failure ends.
    pub on_fail: Option<OnFail>,
}

/// Status codes, and what they mean.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptRule {
    /// The codes.
    pub codes: Accept,
    /// Why they are a success.
    pub because: Option<String>,
    /// They are a failure with this message, a template.
    pub fail: Option<Placed<String>>,
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Auth {
    /// Nobody, whatever the defaults.
    None,
    /// A user name and a password, templates.
    Basic(Placed<String>, Placed<String>),
    /// A token, a template.
    Bearer(Placed<String>),
}

/// Limits in time; absent ones are the default's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeout {
    /// For each address.
    pub connect: Option<Duration>,
    /// Until the head of the answer is whole.
    pub first_byte: Option<Duration>,
    /// Between two reads.
    pub idle: Option<Duration>,
    /// The whole exchange.
    pub total: Option<Duration>,
}

/// How far redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirects {
    /// How many; 0 is `off`.
    pub at_most: u8,
    /// They may lead to hosts that the plan does not name.
    pub any_host: bool,
}

impl Default for Redirects {
    fn default() -> Self {
        Self { at_most: 10, any_host: false }
    }
}

/// When a request is sent again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// After what, how often, and when.
    pub when: Again,
    /// What is done before each further attempt.
    pub first: Vec<Step>,
}

/// After what a request is sent again, how often, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// After these answers.
    pub status: Accept,
    /// After connecting failed.
    pub connect: bool,
    /// After a limit in time.
    pub timeout: bool,
    /// After the connection was reset or closed early.
    pub reset: bool,
    /// How often at most, after the first attempt.
    pub times: u32,
    /// Before the second attempt.
    pub wait: Duration,
    /// By how much the wait grows with each attempt.
    pub backoff: f64,
}

impl Again {
    /// The pause before attempt `attempt`, the first being 0: `wait · backoff^(attempt - 1)`, at most
    /// an hour.
    #[must_use]
    pub fn pause(&self, attempt: u32) -> Duration {
        let factor = self.backoff.powi(attempt.saturating_sub(1) as i32);
        let seconds = (self.wait.as_secs_f64() * factor).min(3600.0);
        Duration::from_secs_f64(seconds)
    }
}

/// A request and what is asked of its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// As it is sent: `GET`, `POST`, …
    pub method: String,
    /// As written, template and all: a path, or a whole URL.
    pub path: Placed<String>,
    /// The name it is counted under; the path as written when nothing is said.
    pub name: Option<Placed<String>>,
    /// What defaults could have said as well.
    pub settings: Settings,
    /// What is sent.
    pub body: Option<Body>,
    /// It opens a connection of its own, whatever the class does.
    pub connections: Option<Connections>,
    /// What is kept of the answer.
    pub captures: Vec<Capture>,
    /// It is in the tables.
    pub record: bool,
    /// The pause after it.
    pub wait: Option<Wait>,
    /// Where it begins.
    pub place: Place,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Any value; strings within it are templates. Sent as `application/json`.
    Json(Node),
    /// Fields of a form, in order; a list stands for several of the name.
    Form(Vec<(Placed<String>, Node)>),
    /// Parts of a form with files, in order.
    Multipart(Vec<Part>),
    /// A template, sent as it is.
    Text(Placed<String>),
    /// A file below the plan's folder.
    File {
        /// Its path.
        file: Placed<String>,
        /// `{{ }}` in it is filled in.
        templates: bool,
    },
}

/// A part of `multipart`.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The field's name.
    pub name: Placed<String>,
    /// What it holds.
    pub content: Content,
    /// Its content type; by the file's ending when absent.
    pub kind: Option<Placed<String>>,
    /// The name of the file that is sent, a template; its own when absent.
    pub filename: Option<Placed<String>>,
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A value, as text.
    Value(Node),
    /// One of these files, at random.
    Files(Vec<Placed<String>>),
}

/// Where in an answer a value stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A JSONPath into the body.
    Json(Placed<String>),
    /// A header.
    Header(Placed<String>),
    /// A cookie that the user now has.
    Cookie(Placed<String>),
    /// A pattern in the body.
    Regex(Placed<String>),
    /// An element of the page, and an attribute of it.
    Css(Placed<String>, Option<Placed<String>>),
    /// The whole body.
    Body,
    /// A template.
    Value(Node),
}

/// A value kept of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The variable.
    pub name: Placed<String>,
    /// Where it stands.
    pub origin: Origin,
    /// Which of several matches.
    pub pick: crate::expr::Pick,
    /// The value is appended to the list of that name instead of replacing the variable.
    pub push: bool,
    /// What is kept when there is no match.
    pub default: Option<Node>,
    /// It is hidden in all output.
    pub secret: bool,
}

/// Something that an answer must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// What is looked at and what is asked of it.
    pub check: Check,
    /// The message of the failure, a template; made of the check when absent.
    pub message: Option<Placed<String>>,
    /// Where it stands.
    pub place: Place,
}

/// What is looked at, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A value of the answer.
    Value(Origin, Matcher),
    /// How long it took, from when it was sent.
    Time(Bound<Duration>),
    /// Bytes of the body as they came.
    Size(Bound<u64>),
    /// An expression.
    That(Placed<String>),
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound<T> {
    /// How it is compared.
    pub op: crate::verdict::Op,
    /// With what.
    pub limit: T,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// It is this, after templates.
    Equals(Node),
    /// It is not this.
    NotEquals(Node),
    /// Text that holds this, or a list with this item.
    Contains(Node),
    /// The opposite.
    NotContains(Node),
    /// A pattern is found in it.
    Matches(Placed<String>),
    /// It is one of these.
    OneOf(Vec<Node>),
    /// So many characters, items or keys.
    Length(Range),
    /// A number within.
    Between(Range),
    /// It is there, or not.
    Exists(bool),
}

/// A range of numbers, both ends included; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least.
    pub low: Option<f64>,
    /// The most.
    pub high: Option<f64>,
}

/// The methods that have a key of their own.
pub const METHODS: [(&str, &str); 7] = [
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
];
