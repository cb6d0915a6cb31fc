//! Owns the keys of the plan language: one table per context, with a sentence for each.

/// Where keys stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The top level.
    Plan,
    /// A user class.
    Class,
    /// A task: its own keys and those of the one request that it may be.
    Task,
    /// A step: its own keys and those of a request.
    Step,
    /// A capture as a map.
    Capture,
    /// An accept rule as a map.
    AcceptRule,
    /// A timeout as a map.
    Timeout,
    /// A wait as a map.
    Wait,
    /// A profile.
    Profile,
    /// A stage of `stages`.
    Stage,
    /// The map below `steps:` of a profile.
    Steps,
    /// The map below `spike:`.
    Spike,
    /// A threshold as a map.
    Threshold,
}

/// Whether this version can do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Now,
    /// The language has it, this version refuses it.
    Later,
}

/// A key of the language.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// Whether this version can do it.
    pub status: Status,
}

const fn now(name: &'static str, about: &'static str) -> Key {
    Key { name, about, status: Status::Now }
}

const fn later(name: &'static str, about: &'static str) -> Key {
    Key { name, about, status: Status::Later }
}

const PLAN: &[Key] = &[
    now("name", "What results are titled with."),
    now("target", "The base URL that paths are joined to; `--target` wins over it."),
    now("users", "The user classes, by name: who does what."),
    now("profile", "The profile that runs when none is named."),
    now("profiles", "How many users there are over time, by name."),
    now("thresholds", "What must hold for the run to pass."),
    later("vars", "Values that templates can use and `--set` can change."),
    later("secrets", "Environment variables whose values never appear in any output."),
    later("warmup", "The time at the start that is left out of thresholds."),
    later("defaults", "What holds for every request."),
    later("data", "Rows of values from files or lists."),
    later("before", "Steps that run once, before the first user."),
    later("after", "Steps that run once, at the end."),
    later("flows", "Steps that tasks can call."),
    later("connections", "How users share connections."),
];

const CLASS: &[Key] = &[
    now("weight", "The share of the users that are of this class; 1 when nothing is said."),
    now("wait", "The pause after each iteration: `2s`, `1s..3s` or `none`."),
    now("tasks", "What a user of this class does, by name."),
    later("fixed", "So many users of this class, whatever the weights."),
    later("order", "The order in which tasks run."),
    later("defaults", "What holds for every request of this class."),
    later("on_start", "Steps that each user runs first."),
    later("on_stop", "Steps that each user runs last."),
    later("connections", "How users of this class share connections."),
];

const TASK: &[Key] = &[
    now("weight", "How often the task is drawn, beside the others; 1 when nothing is said."),
    now("when", "An expression; the task is drawn only while it holds."),
    now("steps", "What the task does, in order."),
    later("wait", "The pause after this task instead of the class's."),
    later("next", "Which task follows, with its chance."),
    later("tags", "Words by which tasks can be picked."),
    later("chance", "How often the task does anything."),
];

const STEP: &[Key] = &[
    now("when", "An expression; the step is left out while it does not hold."),
    now("wait", "A pause."),
    now("set", "Sets variables of this user."),
    now("push", "Appends to lists of this user."),
    now("remove", "Removes items from lists of this user."),
    later("chance", "How often the step runs."),
    later("tags", "Words by which steps can be picked."),
    later("if", "Steps that run while an expression holds."),
    later("then", "The steps of an `if`."),
    later("else", "The steps of an `if` that does not hold."),
    later("repeat", "Steps that run so many times."),
    later("for", "Steps that run for each item of a list."),
    later("in", "The list of a `for`."),
    later("do", "The steps of a loop, a group or a branch."),
    later("while", "Steps that run while an expression holds."),
    later("until", "Steps that run until an expression holds."),
    later("at_most", "How often a loop may run."),
    later("within", "How long an `until` may take."),
    later("choose", "One of several branches, by weight."),
    later("parallel", "Requests that are sent together."),
    later("group", "Steps that are timed together."),
    later("call", "Another task or a flow."),
    later("fail", "Ends the iteration as a failure."),
    later("stop", "Ends the iteration, the user or the run."),
    later("log", "Writes a line."),
];

const METHODS: &[Key] = &[
    now("get", "Sends a GET request to a path."),
    now("post", "Sends a POST request to a path."),
    now("put", "Sends a PUT request to a path."),
    now("patch", "Sends a PATCH request to a path."),
    now("delete", "Sends a DELETE request to a path."),
    now("head", "Sends a HEAD request to a path."),
    now("options", "Sends an OPTIONS request to a path."),
    later("request", "A request by a method of any name."),
    later("url", "Where a `request` goes."),
];

const REQUEST: &[Key] = &[
    now("name", "What the request is counted under; its path when nothing is said."),
    now("headers", "Headers, by name."),
    now("json", "The body as a value, sent as JSON."),
    now("body", "The body as text."),
    now("timeout", "How long the whole exchange may take."),
    now("accept", "The status codes that are a success; below 400 when nothing is said."),
    now("capture", "What is kept of the answer, by variable."),
    later("query", "Parameters that are appended to the path."),
    later("cookies", "Cookies, by name."),
    later("form", "The body as a form."),
    later("multipart", "The body as a form with files."),
    later("body_file", "The body from a file."),
    later("auth", "Who sends it: `basic`, `bearer` or `none`."),
    later("redirects", "How many redirects are followed."),
    later("compressed", "Asks for a compressed answer."),
    later("retry", "When the request is sent again."),
    later("expect", "What the answer must hold."),
    later("on_fail", "What follows a failure."),
    later("record", "Whether the request is in the tables."),
    later("connections", "Whether the request opens a connection of its own."),
];

const CAPTURE: &[Key] = &[
    now("json", "A JSONPath into the body, as `$.id`."),
    now("push", "`true` appends the value to the list of that name."),
    later("header", "A header of the answer."),
    later("cookie", "A cookie of the answer."),
    later("regex", "A pattern; its first group is kept."),
    later("css", "An element of the page."),
    later("attr", "An attribute of that element."),
    later("pick", "Which of several matches is kept."),
    later("default", "What is kept when there is no match."),
    later("secret", "Hides the value in all output."),
];

const ACCEPT_RULE: &[Key] = &[
    later("status", "The status codes of the rule."),
    later("because", "Why they are a success."),
    later("fail", "The failure's message."),
];

const TIMEOUT: &[Key] = &[
    later("connect", "How long connecting may take."),
    later("first_byte", "How long the server may think."),
    later("idle", "How long the answer may pause."),
    later("total", "How long the whole exchange may take."),
];

const WAIT: &[Key] = &[
    later("pace", "An iteration starts every so often."),
    later("throughput", "So many iterations start per second."),
    later("exponential", "A pause of that mean."),
    later("normal", "A pause of that mean."),
    later("stddev", "How far pauses scatter around it."),
];

const PROFILE: &[Key] = &[
    now("users", "How many users there are at the top."),
    now("ramp", "How long it takes to get there."),
    now("hold", "How long they stay."),
    now("down", "How long it takes to get back to none."),
    now("stages", "The general form: one stage after the other."),
    now("steps", "A stair."),
    now("spike", "A sudden burst and back."),
    now("grace", "How long iterations may go on at the end."),
    later("rate", "So many iterations start per second, whatever the server does."),
    later("arrivals", "How those starts are spread."),
    later("max_users", "How many users they may need."),
    later("each", "A profile for each class."),
    later("search", "Raises the load until a limit is found."),
    later("iterations", "Ends after so many iterations."),
    later("warmup", "The time at the start that is left out of thresholds."),
];

const STAGE: &[Key] = &[
    now("name", "What the stage is called in results."),
    now("users", "How many users there are at its end."),
    now("over", "How long it takes to get there; a jump when nothing is said."),
    now("hold", "How long they stay."),
    later("rate", "So many iterations start per second at its end."),
];

const STEPS: &[Key] = &[
    now("from", "Users on the first stair."),
    now("by", "Users that each further stair adds."),
    now("every", "How long a stair lasts."),
    now("to", "Users on the last stair."),
];

const SPIKE: &[Key] = &[
    now("base", "Users before and after."),
    now("peak", "Users at the top."),
    now("rise", "How long it takes to get there."),
    now("hold", "How long they stay."),
    now("fall", "How long it takes to get back."),
    now("before", "How long the base lasts before."),
    now("after", "How long the base lasts after."),
];

const THRESHOLD: &[Key] = &[
    now("of", "The name of the requests that are judged."),
    now("must", "What must hold, as `p95 < 500ms`."),
    later("every", "It must hold in each window of that length."),
    later("during", "It is judged in that stage alone."),
    later("after", "It is not judged before."),
    later("abort", "Ends the run when it breaks."),
    later("allow_few", "It is judged even on few samples."),
];

impl Context {
    /// Those that a key can be moved to, from the outermost.
    const ALL: [Self; 13] = [
        Self::Plan,
        Self::Class,
        Self::Task,
        Self::Step,
        Self::Profile,
        Self::Stage,
        Self::Steps,
        Self::Spike,
        Self::Threshold,
        Self::Capture,
        Self::Wait,
        Self::Timeout,
        Self::AcceptRule,
    ];

    fn tables(self) -> &'static [&'static [Key]] {
        match self {
            Self::Plan => &[PLAN],
            Self::Class => &[CLASS],
            Self::Task => &[TASK, METHODS, REQUEST],
            Self::Step => &[STEP, METHODS, REQUEST],
            Self::Capture => &[CAPTURE],
            Self::AcceptRule => &[ACCEPT_RULE],
            Self::Timeout => &[TIMEOUT],
            Self::Wait => &[WAIT],
            Self::Profile => &[PROFILE],
            Self::Stage => &[STAGE],
            Self::Steps => &[STEPS],
            Self::Spike => &[SPIKE],
            Self::Threshold => &[THRESHOLD],
        }
    }

    /// Every key that may stand here.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        self.tables().iter().copied().flatten()
    }

    /// The key of that name.
    #[must_use]
    pub fn find(self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// The keys that this version can do, for a sentence.
    #[must_use]
    pub fn list(self) -> String {
        let names: Vec<_> = self
            .keys()
            .filter(|key| key.status == Status::Now)
            .map(|key| format!("`{}`", key.name))
            .collect();
        names.join(", ")
    }

    /// What stands here, with its article: "unknown key in a task".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Plan => "the plan",
            Self::Class => "a user class",
            Self::Task => "a task",
            Self::Step => "a step",
            Self::Capture => "a capture",
            Self::AcceptRule => "an accept rule",
            Self::Timeout => "a timeout",
            Self::Wait => "a wait",
            Self::Profile => "a profile",
            Self::Stage => "a stage",
            Self::Steps => "the `steps` of a profile",
            Self::Spike => "a `spike`",
            Self::Threshold => "a threshold",
        }
    }

    /// The first other context that has a key of this name.
    #[must_use]
    pub fn elsewhere(self, name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other != self && other.find(name).is_some())
    }
}

/// Words of other tools, and of the language's later versions, where they stand, and what to write
/// here.
const FOREIGN: &[(&[Context], &[&str], &str)] = &[
    (&[Context::Plan], &["scenarios", "classes", "user_classes", "actors"], "write `users`"),
    (
        &[Context::Plan],
        &["host", "base_url", "baseurl", "base", "url", "server", "hostname"],
        "write `target`",
    ),
    (&[Context::Plan], &["phases", "load", "options", "execution"], "write `profiles`"),
    (
        &[Context::Plan],
        &["slo", "slos", "ensure", "checks", "criteria", "pass_fail"],
        "write `thresholds`",
    ),
    (
        &[Context::Plan],
        &["variables", "env", "environment", "config"],
        "take it out: this version has no variables of the plan",
    ),
    (
        &[Context::Plan, Context::Class],
        &["defaults"],
        "write it at each request; in YAML an anchor and `<<` save repeating it",
    ),
    (&[Context::Class], &["fixed"], "write `weight`"),
    (
        &[Context::Class],
        &["on_start"],
        "for now write a task that does it and captures something, with `when: not token`, and \
         `when: token` at the others",
    ),
    (&[Context::Step, Context::Task], &["query"], "write it into the path, as `/todos/?limit=10`"),
    (&[Context::Step, Context::Task], &["auth"], "send an `authorization` header"),
    (&[Context::Step, Context::Task], &["cookies"], "send a `cookie` header"),
    (&[Context::Step, Context::Task], &["form"], "write `body`, and a `content-type` header"),
    (
        &[Context::Step, Context::Task],
        &["expect"],
        "write `accept` for status codes; the body cannot be judged yet",
    ),
    (&[Context::Profile, Context::Stage], &["rate"], "write `users`: how many there are at once"),
    (&[Context::Timeout], &["total"], "write the time itself, as `timeout: 10s`"),
    (&[Context::Plan], &["title", "description"], "write `name`"),
    (
        &[Context::Plan],
        &["spawn_rate", "run_time", "duration", "ramp_up", "rampup", "vus", "concurrency"],
        "write it into a profile, under `profiles`, with `users`, `ramp` and `hold`",
    ),
    (
        &[Context::Class, Context::Step, Context::Task],
        &[
            "think_time",
            "thinktime",
            "wait_time",
            "waittime",
            "think",
            "pause",
            "sleep",
            "delay",
            "min_wait",
            "max_wait",
            "between",
            "pacing",
        ],
        "write `wait`, as `wait: 1s..3s`",
    ),
    (
        &[Context::Class],
        &["task", "flow", "requests", "steps", "scenario", "actions"],
        "write `tasks`, with a name for each task",
    ),
    (&[Context::Class], &["count", "number", "share", "ratio"], "write `weight`"),
    (
        &[Context::Step, Context::Task],
        &["url", "path", "uri", "endpoint", "method", "http"],
        "write the method as the key, as `get: /todos/`",
    ),
    (
        &[Context::Step, Context::Task],
        &["data", "payload", "content"],
        "write `json` for a value, `body` for text",
    ),
    (
        &[Context::Step, Context::Task],
        &["params", "parameters", "qs"],
        "write them into the path, as `/todos/?limit=10`",
    ),
    (
        &[Context::Step, Context::Task],
        &[
            "status",
            "status_code",
            "expect_status",
            "assert",
            "asserts",
            "check",
            "checks",
            "validate",
        ],
        "write `accept` for status codes",
    ),
    (&[Context::Step, Context::Task], &["extract", "save", "store", "register"], "write `capture`"),
    (&[Context::Step, Context::Task], &["header"], "write `headers`"),
    (&[Context::Step, Context::Task], &["tag", "label", "alias", "group_name"], "write `name`"),
    (&[Context::Task], &["flow", "requests", "actions", "do"], "write `steps`"),
    (
        &[Context::Profile],
        &["spawn_rate", "ramp_up", "rampup", "ramp_time", "ramp-up", "rise", "over", "spawn"],
        "write `ramp`: how long it takes to get to the users",
    ),
    (
        &[Context::Profile],
        &["duration", "run_time", "runtime", "time", "for", "steady"],
        "write `hold`: how long the users stay",
    ),
    (
        &[Context::Profile, Context::Stage],
        &["vus", "concurrency", "threads", "user_count", "target", "count", "load"],
        "write `users`",
    ),
    (&[Context::Profile], &["ramp_down", "rampdown", "fall", "cooldown"], "write `down`"),
    (&[Context::Profile], &["stop_timeout", "graceful_stop", "gracefulstop"], "write `grace`"),
    (
        &[Context::Stage],
        &["duration", "time", "ramp", "for"],
        "write `over` for the time to get to its users, `hold` for the time that they stay",
    ),
    (&[Context::Steps], &["start", "min"], "write `from`"),
    (&[Context::Steps], &["end", "max", "until", "users"], "write `to`"),
    (&[Context::Steps], &["step", "increment", "size"], "write `by`"),
    (&[Context::Steps], &["hold", "duration", "each", "interval"], "write `every`"),
    (&[Context::Spike], &["ramp", "up", "over"], "write `rise`"),
    (&[Context::Spike], &["users", "top", "to", "max"], "write `peak`"),
    (&[Context::Spike], &["down"], "write `fall`"),
    (&[Context::Spike], &["from", "min"], "write `base`"),
    (&[Context::Capture], &["jsonpath", "json_path", "path"], "write `json`"),
    (&[Context::Capture], &["append", "add"], "write `push`"),
    (&[Context::Threshold], &["name", "for", "on"], "write `of`"),
    (
        &[Context::Threshold],
        &["threshold", "rule", "metric", "check"],
        "write `must`, as `p95 < 500ms`",
    ),
];

/// What to write instead of a word of another tool.
#[must_use]
pub fn foreign(context: Context, name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    FOREIGN
        .iter()
        .find(|(contexts, words, _)| contexts.contains(&context) && words.contains(&&*name))
        .map(|(_, _, advice)| *advice)
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
        for (contexts, words, _) in FOREIGN {
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
