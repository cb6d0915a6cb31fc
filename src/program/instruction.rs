//! Owns what a program is made of: classes, tasks, instructions, requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::build::Build;
use super::mark::Mark;
use super::message::Message;
use super::rules::{AcceptRule, Capture, Expect};
use super::secured::{Live, Secured};
use crate::data::{Per, Source};
use crate::expr::{Expression, Names, Template, Value};
use crate::load::{Order, Wait};
use crate::metrics::Catalogue;
use crate::plan::{Again, Connections, OnFail, Stop, Target};
use crate::protocol::{Limits, Use};

/// What every worker runs.
#[derive(Debug, Clone)]
pub struct Program {
    /// The words behind the numbers that samples carry.
    pub catalogue: Catalogue,
    /// Where requests go, by number; the first is the plan's own.
    pub targets: Vec<Target>,
    /// For each target, the number of the way in which connections to it are secured.
    pub ways: Vec<usize>,
    /// The ways of securing connections.
    pub secured: Vec<Secured>,
    /// In the order of the plan.
    pub classes: Vec<Class>,
    /// What runs once before the first user, as the program of one user without tasks.
    pub before: Option<Class>,
    /// What runs once at the end.
    pub after: Option<Class>,
    /// How large the pool of connections is, where one is borrowed from.
    pub pool: Option<u32>,
    /// Redirects may lead to any host.
    pub any_host: bool,
    /// Exchanges are kept to be shown.
    pub evidence: bool,
    /// The words of expressions that prove who somebody is: variables of these names are not shown.
    pub proofs: Arc<BTreeSet<String>>,
}

impl Program {
    /// Gives every user what `before` has captured: `names` and their values.
    pub fn adopt(&mut self, names: &Names, values: &[Option<Value>]) {
        for class in self.classes.iter_mut().chain(&mut self.after) {
            for (slot, value) in values.iter().enumerate() {
                if let (Some(own), Some(value)) = (class.names.find(names.name(slot)), value)
                    && !class.names.is_row(own)
                {
                    class.initial[own] = Some(value.clone());
                }
            }
        }
    }
}

/// A kind of user.
#[derive(Debug, Clone)]
pub struct Class {
    /// Its name.
    pub name: Arc<str>,
    /// The pause after each task.
    pub wait: Wait,
    /// How tasks follow each other.
    pub order: Order,
    /// Its variables.
    pub names: Names,
    /// What each variable begins with: lists that are pushed to begin empty.
    pub initial: Vec<Option<Value>>,
    /// The variables that some capture with `secret: true` fills, in whatever class.
    pub secrets: Arc<[usize]>,
    /// In the order of the plan.
    pub tasks: Vec<Task>,
    /// What each user does first, and last.
    pub script: Script,
    /// The instructions of all of it, one after the other.
    pub code: Vec<Instruction>,
    /// Where they come from, by position.
    pub marks: BTreeMap<usize, Mark>,
    /// The requests that the instructions name.
    pub requests: Vec<Request>,
    /// The rows of data that it reads.
    pub rows: Vec<Row>,
    /// Each user has a client certificate of its own: which.
    pub identity: Option<Live>,
}

impl Class {
    /// How many connections a user of it holds at once, at most: one to each target of its own, and
    /// those over which it sends requests together. Targets that are known only while running are
    /// not among them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        let mut targets: Vec<usize> = Vec::new();
        for request in self.requests.iter().filter(|request| request.connection != Use::Shared) {
            if !targets.contains(&request.target) {
                targets.push(request.target);
            }
        }
        let own = |number: &usize| self.requests[*number].connection != Use::Shared;
        let together = self.code.iter().map(|instruction| match instruction {
            Instruction::Parallel(numbers) => numbers.iter().filter(|number| own(number)).count(),
            _ => 1,
        });
        let lanes = together.max().unwrap_or(1).min(6);
        (targets.len() * lanes) as u64
    }
}

/// Where the instructions of a user's first and last steps begin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script {
    /// `on_start`
    pub start: Option<usize>,
    /// `on_stop`
    pub stop: Option<usize>,
}

/// A row of data that a class reads.
#[derive(Debug, Clone)]
pub struct Row {
    /// The variable that holds it.
    pub slot: usize,
    /// Where rows come from.
    pub source: Arc<Source>,
    /// When the next one is taken.
    pub per: Per,
}

/// Something to draw.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Its share among the tasks that can run.
    pub weight: f64,
    /// Drawn only while it holds.
    pub when: Option<Expression>,
    /// The pause after it, instead of the class's.
    pub wait: Option<Wait>,
    /// In a chain: which task follows, by weight; none ends the pass.
    pub next: Vec<(Option<usize>, f64)>,
    /// Where its instructions begin.
    pub start: usize,
}

/// One instruction.
///
/// | instruction | next |
/// |---|---|
/// | `Request`, `Resend` | the one after it; before a retry the one that `first` names |
/// | `Wait`, `Set`, `Push`, `Remove`, `Log`, `Parallel`, `Group`, `EndGroup` | the one after it |
/// | `Unless`, `Chance` | the one after it when it holds, else the one it names |
/// | `Jump` | the one it names |
/// | `Choose` | one of those that it names, by weight |
/// | `Repeat`, `For` | the one after it, or the one it names when there is nothing to do |
/// | `Round` | the one it names while rounds are left, else the one after it |
/// | `Begin` | the one after it, with a bound on the rounds that follow |
/// | `Until` | the one after it when it holds, else the one it names; none when it runs out |
/// | `Call` | the one it names |
/// | `Return` | the one after the `Call` that led here |
/// | `Again` | the request whose retry led here |
/// | `Fail`, `Stop`, `End` | none: the iteration is over |
#[derive(Debug, Clone)]
pub enum Instruction {
    /// Sends a request of the class, by its position.
    Request(usize),
    /// Sends a request again that was one of a `Parallel` and failed; nothing when none was left.
    Resend(usize),
    /// Sends requests of the class together.
    Parallel(Vec<usize>),
    /// Pauses.
    Wait(Wait),
    /// Assigns a variable.
    Set(usize, Build),
    /// Appends to a list.
    Push(usize, Build),
    /// Removes the first equal item from a list.
    Remove(usize, Build),
    /// Goes on at the given instruction unless the condition holds.
    Unless(Expression, usize),
    /// Goes on at the given instruction unless chance has it, with this fraction.
    Chance(f64, usize),
    /// Goes on there.
    Jump(usize),
    /// Goes on at one of them, by weight.
    Choose(Vec<(f64, usize)>),
    /// So many rounds; none goes on at the given instruction.
    Repeat(Build, usize),
    /// A round for each item, which is put into the slot; none goes on at the given instruction.
    For(usize, Build, usize),
    /// Another round, from the given instruction, when there is one left.
    Round(usize),
    /// Rounds that are bounded in number and time.
    Begin {
        /// Rounds.
        at_most: Option<u64>,
        /// Time, from now on.
        within: Option<Duration>,
    },
    /// Leaves the rounds of a `Begin`.
    Leave,
    /// Counts a round of a `while`, which ends when they are used up: goes on at the given one.
    Bound(usize),
    /// Leaves the rounds when the condition holds, else begins the next at the given instruction;
    /// fails when rounds or time are used up, with the sentence of that number.
    Until(Expression, usize, u32),
    /// Begins a transaction, by its number in the catalogue.
    Group(u16),
    /// Ends the innermost transaction.
    EndGroup,
    /// Does what stands there and comes back.
    Call(usize),
    /// Comes back from a call.
    Return,
    /// Comes back to the request that is to be sent again.
    Again,
    /// Ends the iteration as failed, with the sentence of that number; the message with its values is
    /// shown where one looks on.
    Fail(u32, Template),
    /// Ends something.
    Stop(Stop),
    /// Writes a line.
    Log(Template),
    /// Ends the iteration.
    End,
}

/// A request, rendered as far as it can be before the run.
#[derive(Debug, Clone)]
pub struct Request {
    /// The number of its series in the catalogue; absent when it is not recorded.
    pub series: Option<u16>,
    /// As it is sent.
    pub method: String,
    /// The name it is counted under.
    pub name: String,
    /// Which target it goes to; a message that is a whole URL says it itself.
    pub target: usize,
    /// The bytes.
    pub message: Message,
    /// Its answer has no body.
    pub head_only: bool,
    /// Limits in time.
    pub limits: Limits,
    /// How many redirects are followed.
    pub redirects: u8,
    /// How it holds its connection.
    pub connection: Use,
    /// The slots that its templates and rules read.
    pub reads: Vec<usize>,
    /// Rows that are drawn anew for it, by their position in [`Class::rows`].
    pub rows: Vec<usize>,
    /// When it is sent again.
    pub retry: Option<Retry>,
    /// Which status codes are a success: the first rule that fits.
    pub accept: Vec<AcceptRule>,
    /// What the answer must hold.
    pub expects: Vec<Expect>,
    /// What is kept of the answer.
    pub captures: Vec<Capture>,
    /// What a failure ends, when the plan says it.
    pub on_fail: Option<OnFail>,
    /// The pause after it.
    pub wait: Option<Wait>,
    /// The head of the answer is needed.
    pub keep_head: bool,
    /// The body of the answer is needed.
    pub keep_body: bool,
    /// Head and body are needed after the rules have looked at them.
    pub retain: bool,
    /// Its headers say `Expect: 100-continue`.
    pub continues: bool,
}

/// When a request is sent again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// After what, how often, and when.
    pub when: Again,
    /// Instructions that are run before each further attempt.
    pub first: Option<usize>,
}

/// How requests of a class hold their connections.
#[must_use]
pub(super) fn connection_use(connections: Connections) -> Use {
    match connections {
        Connections::Own => Use::Own,
        Connections::New => Use::New,
        Connections::Shared(_) => Use::Shared,
    }
}
