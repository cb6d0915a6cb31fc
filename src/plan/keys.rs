//! Owns the keys of the plan language: one table per context, from which the reader, the checker, the
//! schema and the reference are made.

mod fits;
mod foreign;
mod table;

pub use foreign::foreign;

/// Where keys stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The top level.
    Plan,
    /// What `--env` lays over the plan.
    Environment,
    /// What holds for every request.
    Defaults,
    /// A user class.
    Class,
    /// A task: its own keys and those of the one request that it may be.
    Task,
    /// A flow, likewise.
    Flow,
    /// A step: its own keys and those of a request.
    Step,
    /// A branch of `choose`.
    Branch,
    /// A part of `multipart`.
    Part,
    /// A `body_file` as a map.
    BodyFile,
    /// `auth` as a map.
    Auth,
    /// `redirects` as a map.
    Redirects,
    /// `retry`.
    Retry,
    /// `connections` as a map.
    Connections,
    /// `tls`.
    Tls,
    /// `dns` as a map.
    Dns,
    /// A source of rows.
    Data,
    /// A capture as a map.
    Capture,
    /// An accept rule as a map.
    AcceptRule,
    /// What an answer must hold.
    Expect,
    /// A timeout as a map.
    Timeout,
    /// A wait as a map.
    Wait,
    /// A profile.
    Profile,
    /// The load of a class, below `each` of a profile.
    Each,
    /// A stage of `stages`.
    Stage,
    /// The map below `steps:` of a profile.
    Steps,
    /// The map below `spike:`.
    Spike,
    /// The map below `search:`.
    Search,
    /// A threshold as a map.
    Threshold,
    /// What a threshold is `of`, said in full.
    Of,
}

/// Whether this version can do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Now,
    /// The language has it, this version refuses it.
    Later,
}

/// What may stand behind a key. A quantity may also be text with a template in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Plain text, or text of `vars` and `env`.
    Text,
    /// Text in which `{{ }}` is live.
    Template,
    /// Text with templates, a number, a truth value, or nothing.
    Scalar,
    /// The value of a header: text with templates, a number, or nothing.
    Header,
    /// Anything but a map or nothing.
    Item,
    /// A path, or a whole URL.
    Path,
    /// A base URL.
    Url,
    /// A JSONPath.
    JsonPath,
    /// A JSONPath, or text with templates.
    Source,
    /// An expression, without braces.
    Expression,
    /// A number that is not negative.
    Number,
    /// A whole number that is not negative.
    Integer,
    /// A number of users.
    Users,
    /// `true` or `false`.
    Bool,
    /// A time with its unit.
    Duration,
    /// So many per time.
    Rate,
    /// A share of a hundred.
    Percent,
    /// A comparison with a size in bytes.
    Size,
    /// A comparison with a time.
    Time,
    /// A number, or a range of numbers.
    Range,
    /// A pause as text: a time, a range of times, `none`.
    Wait,
    /// Status codes.
    Codes,
    /// A figure of the run and its limit.
    Judgement,
    /// Any value; templates are live in its texts.
    Value,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A user name and a password.
    Pair,
    /// A list of such.
    List(&'static Shape),
    /// One of such, or a list of them.
    Many(&'static Shape),
    /// Names and such.
    Map(&'static Shape),
    /// A map of the keys of a context.
    Keys(Context),
    /// Names, and below each a map of the keys of a context.
    Named(Context),
    /// A flow: a map of its keys, or a list of steps.
    Flow,
    /// A list of steps, or one step.
    Steps,
    /// One of several shapes.
    Any(&'static [Shape]),
}

/// A key of the language.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// What may stand behind it.
    pub shape: Shape,
    /// What holds when it is not there; empty when nothing does.
    pub default: &'static str,
    /// What could stand behind it, as YAML; empty for what is not there yet.
    pub example: &'static str,
    /// Whether this version can do it.
    pub status: Status,
}

impl Context {
    /// All, from the outermost.
    pub const ALL: [Self; 30] = [
        Self::Plan,
        Self::Class,
        Self::Task,
        Self::Step,
        Self::Flow,
        Self::Profile,
        Self::Each,
        Self::Stage,
        Self::Steps,
        Self::Spike,
        Self::Search,
        Self::Threshold,
        Self::Of,
        Self::Capture,
        Self::Expect,
        Self::AcceptRule,
        Self::Retry,
        Self::Auth,
        Self::Timeout,
        Self::Wait,
        Self::Data,
        Self::Part,
        Self::BodyFile,
        Self::Redirects,
        Self::Connections,
        Self::Tls,
        Self::Dns,
        Self::Branch,
        Self::Defaults,
        Self::Environment,
    ];

    /// Every key that may stand here.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        self.tables().iter().copied().flatten()
    }

    /// The keys of a request, its method left out.
    pub fn of_a_request() -> impl Iterator<Item = &'static Key> {
        table::REQUEST.iter().chain(table::SETTINGS)
    }

    /// The key of that name.
    #[must_use]
    pub fn find(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// The keys that this version can do, for a sentence.
    #[must_use]
    pub fn list(self) -> String {
        // Where there are many, the sentence names those that most plans have.
        let most_used: &[&str] = match self {
            Self::Plan | Self::Environment => {
                &["target", "vars", "defaults", "data", "users", "profiles", "thresholds"]
            }
            Self::Step => &["get", "post", "wait", "set", "if", "repeat", "call", "group"],
            Self::Task | Self::Flow => &["get", "post", "json", "accept", "capture", "steps"],
            Self::Expect => &["json", "header", "equals", "contains", "matches", "time", "that"],
            _ => &[],
        };
        let names: Vec<_> = self
            .keys()
            .filter(|key| key.status == Status::Now)
            .filter(|key| most_used.is_empty() || most_used.contains(&key.name))
            .map(|key| format!("`{}`", key.name))
            .collect();
        let more = if most_used.is_empty() { "" } else { " and others" };
        format!("{}{more}", names.join(", "))
    }

    /// A short name, for links and files.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Environment => "environment",
            Self::Defaults => "defaults",
            Self::Class => "class",
            Self::Task => "task",
            Self::Flow => "flow",
            Self::Step => "step",
            Self::Branch => "branch",
            Self::Part => "part",
            Self::BodyFile => "body_file",
            Self::Auth => "auth",
            Self::Redirects => "redirects",
            Self::Retry => "retry",
            Self::Connections => "connections",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Data => "data",
            Self::Capture => "capture",
            Self::AcceptRule => "accept_rule",
            Self::Expect => "expect",
            Self::Timeout => "timeout",
            Self::Wait => "wait",
            Self::Profile => "profile",
            Self::Each => "each",
            Self::Stage => "stage",
            Self::Steps => "stairs",
            Self::Spike => "spike",
            Self::Search => "search",
            Self::Threshold => "threshold",
            Self::Of => "of",
        }
    }

    /// What stands here, with its article: "unknown key in a task".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Plan => "the plan",
            Self::Environment => "an environment",
            Self::Defaults => "`defaults`",
            Self::Class => "a user class",
            Self::Task => "a task",
            Self::Flow => "a flow",
            Self::Step => "a step",
            Self::Branch => "a branch of `choose`",
            Self::Part => "a part of `multipart`",
            Self::BodyFile => "`body_file`",
            Self::Auth => "`auth`",
            Self::Redirects => "`redirects`",
            Self::Retry => "`retry`",
            Self::Connections => "`connections`",
            Self::Tls => "`tls`",
            Self::Dns => "`dns`",
            Self::Data => "a source of data",
            Self::Capture => "a capture",
            Self::AcceptRule => "an accept rule",
            Self::Expect => "an expect",
            Self::Timeout => "a timeout",
            Self::Wait => "a wait",
            Self::Profile => "a profile",
            Self::Each => "a class below `each`",
            Self::Stage => "a stage",
            Self::Steps => "the `steps` of a profile",
            Self::Spike => "a `spike`",
            Self::Search => "a `search`",
            Self::Threshold => "a threshold",
            Self::Of => "`of`",
        }
    }

    /// The first other context that has a key of this name.
    #[must_use]
    pub fn elsewhere(self, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other != self && other.find(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_context_names_a_key_twice_and_every_key_is_told_in_a_sentence() {
        for context in Context::ALL {
            let names: Vec<_> = context.keys().map(|key| key.name).collect();
            for (at, name) in names.iter().enumerate() {
                assert!(!names[..at].contains(name), "`{name}` of {}", context.words());
            }
            assert!(context.keys().all(|key| key.about.ends_with('.')), "{}", context.words());
        }
    }

    #[test]
    fn every_word_of_another_tool_is_free_here() {
        for (contexts, words, _) in foreign::FOREIGN {
            for (context, word) in contexts.iter().flat_map(|c| words.iter().map(move |w| (c, w))) {
                let key = context.find(word);
                assert!(
                    key.is_none_or(|key| key.status == Status::Later),
                    "`{word}` is a key of {}",
                    context.words()
                );
                assert_eq!(*word, word.to_ascii_lowercase());
            }
        }
    }
}
