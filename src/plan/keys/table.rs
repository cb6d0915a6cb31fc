//! Owns the table of keys: for each place in a plan, what may stand there, of which shape.

use super::Shape::{
    Any, Bool, Codes, Duration, Expression, Flow, Header, Integer, Item, JsonPath, Judgement, Keys,
    List, Many, Map, Named, Number, Pair, Path, Percent, Range, Rate, Scalar, Size, Source, Steps,
    Template, Text, Time, Url, Users, Value, Wait, Word,
};
use super::{Context, Key, Shape, Status};

const fn key(name: &'static str, shape: Shape, example: &'static str, about: &'static str) -> Key {
    Key { name, about, shape, default: "", example, status: Status::Now }
}

impl Key {
    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

const TEXTS: Shape = Many(&Text);
const HEADERS: Shape = Map(&Header);
const PARAMETERS: Shape = Map(&Any(&[Scalar, List(&Scalar)]));
const COOKIES: Shape = Map(&Scalar);
const VALUES: Shape = Map(&Value);
const CODES: Shape = Many(&Codes);
/// The whole time, or each part of it.
const TIMEOUT_SHAPE: Shape = Any(&[Duration, Keys(Context::Timeout)]);
const ON_FAIL: Shape = Word(&["continue", "iteration", "user", "run"]);
const CONNECTIONS_SHAPE: Shape = Any(&[Word(&["own", "new"]), Keys(Context::Connections)]);
const DNS_SHAPE: Shape = Any(&[LOOKUP, Keys(Context::Dns)]);
const LOOKUP: Shape = Word(&["once", "each", "ttl"]);
const WAIT_SHAPE: Shape = Any(&[Wait, Keys(Context::Wait)]);
const ACCEPT_SHAPE: Shape = Many(&Any(&[Codes, Keys(Context::AcceptRule)]));
const EXPECT_SHAPE: Shape = Many(&Keys(Context::Expect));
const RETRY_SHAPE: Shape = Any(&[Word(&["none"]), Keys(Context::Retry)]);
const AUTH_SHAPE: Shape = Any(&[Word(&["none"]), Keys(Context::Auth)]);
const REDIRECTS_SHAPE: Shape = Any(&[Integer, Word(&["off"]), Keys(Context::Redirects)]);
const TLS: Key = key(
    "tls",
    Keys(Context::Tls),
    "{ ca: certs/ca.pem }",
    "How connections to `https` targets are secured; what a class says wins, key by key.",
);
const USERS_OR_RATE: Shape = Any(&[Users, Rate]);
const TAGS: Key = key(
    "tags",
    TEXTS,
    "[smoke, read]",
    "Words by which `--tags` and `--exclude-tags` pick it; steps inherit those of what they stand in.",
);
const WHEN_STEP: Key = key(
    "when",
    Expression,
    "response.status == 204",
    "An expression; the step is left out while it does not hold.",
);
const CHANCE: Key =
    key("chance", Percent, "30%", "How often it is done at all; else it is left out.");

const NAMED: &[Key] = &[
    key(
        "name",
        Text,
        "Todo API",
        "What results are titled with; the file's name when nothing is said.",
    ),
    key(
        "target",
        Url,
        "http://127.0.0.1:8000",
        "The base URL that paths are joined to; `--target` wins over it.",
    ),
];

/// What an environment cannot hold.
const FILES: &[Key] = &[
    key(
        "include",
        TEXTS,
        "shared.yaml",
        "Other files, whose keys stand below those of this one: maps are merged, all else is replaced.",
    ),
    key(
        "environments",
        Named(Context::Environment),
        "staging: { target: https://staging.example.com }",
        "What `--env NAME` lays over the plan, by name.",
    ),
];

const PLAN: &[Key] = &[
    key("vars", VALUES, "project: 42", "Values that templates can use; `--set project=7` wins over them."),
    key("secrets", TEXTS, "[API_PASSWORD]", "Environment variables whose values never appear in any output."),
    key("evidence", Word(&["on", "off"]), "off", "`off`: no exchange is kept to be shown in results, as where they hold personal data; otherwise the first that fail and the slowest are, with secrets hidden.").or("on"),
    key("warmup", Duration, "10s", "The time at the start that is left out of thresholds and totals.").or("0s"),
    key("seed", Integer, "42", "Where all random numbers come from; `--seed` wins over it. By chance when nothing is said."),
    key("defaults", Keys(Context::Defaults), "timeout: 10s", "What holds for every request; a user class may have its own, and a request overrides both."),
    key("connections", CONNECTIONS_SHAPE, "{ shared: 500 }", "How users hold connections: each its `own`, a `new` one for each request, or borrowed from a pool.").or("own"),
    TLS,
    key("dns", DNS_SHAPE, "each", "How often names are looked up: `once` before the first user, for `each` connection, or when the answer is no longer good (`ttl`).").or("ttl"),
    key("hosts", Map(&TEXTS), "{ shop.test: 127.0.0.1:8080 }", "Where names lead, whatever a name server says: to addresses, with a port or without, or to `unix:/run/app.sock`; `--resolve` wins over it."),
    key("source_addresses", TEXTS, "127.0.0.2-127.0.0.9", "The addresses of this machine that connections come from, in turn: each has its own ports."),
    key("data", Named(Context::Data), "accounts: { file: accounts.csv }", "Rows of values from files or lists, by name."),
    key("before", Steps, "[{ get: /health }]", "Steps that run once, before the first user; every user can read what they capture."),
    key("after", Steps, "[{ delete: /projects/1/todos }]", "Steps that run once, at the end, whenever `before` was begun."),
    key("flows", Map(&Flow), "refresh: { steps: [{ post: /auth/refresh }] }", "Shared pieces for `call`, written like tasks, by name."),
    key("users", Named(Context::Class), "Visitor: { tasks: { home: { get: / } } }", "The user classes, by name: who does what."),
    key("profile", Text, "load", "The profile that runs when none is named; the only one needs no mention."),
    key("profiles", Named(Context::Profile), "load: { users: 100, hold: 5m }", "How many users there are over time, by name."),
    key("thresholds", Many(&Any(&[Judgement, Keys(Context::Threshold)])), "[p95 < 500ms, error_rate < 1%]", "What must hold for the run to pass."),
];

/// What a request and `defaults` can both say.
pub(super) const SETTINGS: &[Key] = &[
    key(
        "headers",
        HEADERS,
        "{ x-request-id: \"{{ uuid() }}\" }",
        "Headers, by name; nothing (`null`) takes one of the defaults out.",
    ),
    key(
        "query",
        PARAMETERS,
        "{ page: 2, tag: [a, b] }",
        "Parameters that are appended to the path; a list is given once for each item.",
    ),
    key(
        "cookies",
        COOKIES,
        "{ theme: dark }",
        "Cookies that are sent beside those of the user's jar.",
    ),
    key(
        "auth",
        AUTH_SHAPE,
        "{ basic: [ann, secret] }",
        "Who sends it: `basic`, `bearer` or `none`.",
    ),
    key(
        "timeout",
        TIMEOUT_SHAPE,
        "10s",
        "How long the whole exchange may take, or each part of it.",
    )
    .or("60s"),
    key("redirects", REDIRECTS_SHAPE, "off", "How many redirects are followed, or `off`.").or("10"),
    key("compressed", Bool, "true", "Asks for a compressed answer.").or("false"),
    key(
        "retry",
        RETRY_SHAPE,
        "{ status: 503, times: 3, wait: 200ms, backoff: 2 }",
        "When the request is sent again; only the last attempt is judged and timed.",
    ),
    key(
        "accept",
        ACCEPT_SHAPE,
        "[201, { status: 409, because: it is there already }]",
        "The status codes that are a success; of several rules the first that fits.",
    )
    .or("any below 400"),
    key(
        "expect",
        EXPECT_SHAPE,
        "[{ json: $.completed, equals: true }, { time: < 500ms }]",
        "What the answer must hold.",
    ),
    key("on_fail", ON_FAIL, "iteration", "What a failure of this request ends.").or("continue"),
];

const CLASS: &[Key] = &[
    key("weight", Number, "3", "The share of the users that are of this class.").or("1"),
    key("fixed", Users, "2", "Exactly so many users of this class, which come first, whatever the weights."),
    key("order", Word(&["random", "sequence", "shuffle", "chain"]), "sequence", "How tasks follow each other: drawn by weight, as written, as written but shuffled each time, or by their `next`.").or("random"),
    key("wait", WAIT_SHAPE, "1s..3s", "The pause after each task: `2s`, `1s..3s`, `none`, or a map.").or("none"),
    key("target", Url, "http://127.0.0.1:8001", "The base URL of this class, where it is another than the plan's."),
    key("defaults", Keys(Context::Defaults), "auth: { bearer: \"{{ token }}\" }", "What holds for every request of this class."),
    key("connections", CONNECTIONS_SHAPE, "new", "How users of this class hold connections."),
    TLS,
    key("tags", TEXTS, "[smoke]", "Words that all its tasks inherit."),
    key("on_start", Steps, "[{ post: /login }]", "Steps that each user does first."),
    key("tasks", Named(Context::Task), "home: { get: / }", "What a user of this class does, by name."),
    key("on_stop", Steps, "[{ post: /logout }]", "Steps that each user does last."),
];

const TASK: &[Key] = &[
    key(
        "weight",
        Number,
        "3",
        "How often the task is drawn, beside the others; 0 makes it only callable.",
    )
    .or("1"),
    key("when", Expression, "todos", "An expression; the task is drawn only while it holds."),
    CHANCE,
    TAGS,
    key("wait", WAIT_SHAPE, "5s", "The pause after this task, instead of the class's."),
    key(
        "next",
        Any(&[Text, Map(&Number)]),
        "{ list: 80, exit: 20 }",
        "With `order: chain`: which task follows, by weight; `exit` ends the pass.",
    ),
    key("steps", Steps, "[{ get: /todos/ }, { wait: 1s }]", "What the task does, in order."),
];

const FLOW: &[Key] = &[
    key("steps", Steps, "[{ post: /auth/refresh }]", "What the flow does, in order."),
    WHEN_STEP,
    TAGS,
];

const STEP: &[Key] = &[
    WHEN_STEP,
    CHANCE,
    TAGS,
    key("wait", WAIT_SHAPE, "1s..3s", "A pause; beside a request, the pause after it."),
    key("set", VALUES, "{ id: \"{{ choice(todos) }}\" }", "Sets variables of this user."),
    key("push", VALUES, "{ todos: \"{{ id }}\" }", "Appends to lists of this user."),
    key(
        "remove",
        VALUES,
        "{ todos: \"{{ id }}\" }",
        "Removes the first equal item from lists of this user.",
    ),
    key("if", Expression, "todos", "Does `then` when the expression holds, else `else`."),
    key("then", Steps, "[{ get: /todos/ }]", "The steps of an `if` that holds."),
    key("else", Steps, "[{ get: / }]", "The steps of an `if` that does not hold."),
    key("repeat", Integer, "3", "Does `do` so many times."),
    key("for", Text, "id", "Does `do` for each item of `in`; the item is in this variable."),
    key(
        "in",
        Any(&[Text, List(&Value)]),
        "todos",
        "The list of a `for`: an expression, or the items.",
    ),
    key(
        "while",
        Expression,
        "next",
        "Does `do` while the expression holds; it is looked at before each round.",
    ),
    key(
        "until",
        Expression,
        "response.json.state == 'done'",
        "Does `do` until the expression holds; it is looked at after each round.",
    ),
    key(
        "at_most",
        Integer,
        "20",
        "How often a `while` or `until` may go round; an `until` that runs out has failed.",
    ),
    key("within", Duration, "60s", "How long an `until` may take; when it runs out it has failed."),
    key(
        "choose",
        List(&Keys(Context::Branch)),
        "[{ weight: 3, do: { get: /a } }, { do: { get: /b } }]",
        "Does one branch, by weight.",
    ),
    key(
        "parallel",
        List(&Keys(Context::Step)),
        "[{ get: /a.css }, { get: /b.js }]",
        "Requests that are sent together, over up to 6 connections; goes on when all have ended.",
    ),
    key(
        "group",
        Text,
        "checkout",
        "Steps that are timed together, without waits, under this name.",
    ),
    key("do", Steps, "[{ get: /todos/ }]", "The steps of a loop, a group or a branch."),
    key("call", Text, "refresh", "Does a task of this class, whatever its weight, or a flow."),
    key(
        "fail",
        Template,
        "no stock for {{ id }}",
        "Marks the group or the task as failed, and ends the iteration.",
    ),
    key(
        "stop",
        Word(&["iteration", "user", "run"]),
        "user",
        "Ends the iteration, this user for good, or the run.",
    ),
    key(
        "log",
        Scalar,
        "got {{ id }}",
        "Writes a line to the terminal; at most 10 a second are shown.",
    ),
];

const BRANCH: &[Key] = &[
    key("weight", Number, "3", "How often the branch is chosen, beside the others.").or("1"),
    key(
        "do",
        Many(&Keys(Context::Step)),
        "[{ get: /a }]",
        "The steps of the branch; an empty list does nothing.",
    ),
];

const METHODS: &[Key] = &[
    key("get", Path, "/todos/", "Sends a GET request to a path, or to a whole URL."),
    key("post", Path, "/todos/", "Sends a POST request to a path, or to a whole URL."),
    key("put", Path, "/todos/{{ id }}", "Sends a PUT request to a path, or to a whole URL."),
    key("patch", Path, "/todos/{{ id }}", "Sends a PATCH request to a path, or to a whole URL."),
    key("delete", Path, "/todos/{{ id }}", "Sends a DELETE request to a path, or to a whole URL."),
    key("head", Path, "/", "Sends a HEAD request to a path, or to a whole URL."),
    key("options", Path, "/", "Sends an OPTIONS request to a path, or to a whole URL."),
    key("request", Text, "PURGE", "Sends a request by a method of any name to `url`."),
    key("url", Path, "/cache", "Where a `request` goes: a path, or a whole URL."),
];

pub(super) const REQUEST: &[Key] = &[
    key("name", Text, "/todos/{id}", "What the request is counted under.")
        .or("its path, as written"),
    key(
        "json",
        Value,
        "{ title: \"{{ fake.sentence() }}\" }",
        "The body as a value, sent as JSON.",
    ),
    key(
        "form",
        PARAMETERS,
        "{ user: ann, csrf: \"{{ csrf }}\" }",
        "The body as fields of a form (`application/x-www-form-urlencoded`).",
    ),
    key(
        "multipart",
        Map(&Any(&[Scalar, Keys(Context::Part)])),
        "{ photo: { file: [a.png, b.jpg] } }",
        "The body as a form with files (`multipart/form-data`).",
    ),
    key("body", Template, "<todo>{{ id }}</todo>", "The body as text, sent as it is."),
    key(
        "body_file",
        Any(&[Text, Keys(Context::BodyFile)]),
        "order.xml",
        "The body from a file below the plan's folder; as it is, or with `templates: true`.",
    ),
    key(
        "connections",
        Word(&["own", "new"]),
        "new",
        "`new` opens a connection for this request alone.",
    ),
    key(
        "capture",
        Map(&Any(&[Source, Keys(Context::Capture)])),
        "{ token: $.token }",
        "What is kept of the answer, by variable.",
    ),
    key("record", Word(&["on", "off"]), "off", "`off`: sent and judged, but not in the tables.")
        .or("on"),
];

const PART: &[Key] = &[
    key(
        "file",
        TEXTS,
        "[a.png, b.jpg]",
        "A file below the plan's folder; of a list one is taken at random.",
    ),
    key("value", Scalar, "\"{{ id }}\"", "The content as text."),
    key(
        "type",
        Text,
        "image/png",
        "The part's content type; by the file's ending when nothing is said.",
    ),
    key(
        "filename",
        Template,
        "photo.png",
        "The name that is sent; the file's own when nothing is said.",
    ),
];

const BODY_FILE: &[Key] = &[
    key("file", Text, "order.xml", "A file below the plan's folder."),
    key("templates", Bool, "true", "Whether `{{ }}` in it is filled in.").or("false"),
];

const AUTH: &[Key] = &[
    key("basic", Pair, "[ann, \"{{ env.PASSWORD }}\"]", "A user name and a password."),
    key("bearer", Template, "\"{{ token }}\"", "A token."),
];

const REDIRECTS: &[Key] = &[
    key("at_most", Integer, "5", "How many are followed.").or("10"),
    key(
        "hosts",
        Word(&["plan", "any"]),
        "any",
        "Whether they may lead to hosts that the plan does not name.",
    )
    .or("plan"),
];

const RETRY: &[Key] = &[
    key(
        "status",
        Many(&Any(&[Codes, Word(&["connect", "timeout", "reset"])])),
        "[503, timeout]",
        "What is tried again: status codes, `5xx`, `connect`, `timeout`, `reset`.",
    ),
    key("times", Integer, "3", "How often at most, after the first attempt.").or("1"),
    key("wait", Duration, "200ms", "The pause before the second attempt.").or("0s"),
    key("backoff", Number, "2", "By how much the pause grows with each attempt.").or("1"),
    key("first", Steps, "{ call: refresh }", "Steps that are done before each further attempt."),
];

const CONNECTIONS: &[Key] =
    &[key("shared", Integer, "500", "Users borrow from a pool of so many, over all workers.")];

const TLS_KEYS: &[Key] = &[
    key(
        "ca",
        Text,
        "certs/ca.pem",
        "A PEM file below the plan's folder: the authorities that are trusted, instead of the system's; \
         `--cacert` wins over it.",
    ),
    key(
        "cert",
        Template,
        "certs/client.pem",
        "A PEM file with the client certificate, and below it those that lead to its authority.",
    ),
    key(
        "key",
        Template,
        "certs/client.key",
        "A PEM file with the private key of `cert`; it may be the same file.",
    ),
    key(
        "name",
        Text,
        "api.internal",
        "What the target is called in the handshake (SNI), and what its certificate must be for, instead \
         of its host.",
    ),
    key(
        "versions",
        Many(&Any(&[Number, Word(&["1.2", "1.3"])])),
        "[1.2, 1.3]",
        "The versions of TLS that are offered: `1.2`, `1.3` or both.",
    )
    .or("[1.2, 1.3]"),
    key(
        "resume",
        Word(&["on", "off"]),
        "off",
        "`off`: each connection makes a full handshake, instead of resuming the session of one before.",
    )
    .or("on"),
    key(
        "insecure",
        Bool,
        "true",
        "Does not verify the target's certificate; for test systems, and every result says so.",
    )
    .or("false"),
];

const DNS: &[Key] = &[
    key("lookup", LOOKUP, "each", "How often names are looked up, as above.").or("ttl"),
    key(
        "server",
        Text,
        "127.0.0.1:5353",
        "The name server, with a port where it is not 53; `/etc/hosts` goes before it.",
    )
    .or("those of `/etc/resolv.conf`"),
];

const DATA: &[Key] = &[
    key("file", Text, "accounts.csv", "A CSV, JSON or JSON Lines file below the plan's folder."),
    key("values", List(&Value), "[/, /about]", "The rows themselves."),
    key("format", Word(&["csv", "json", "jsonl"]), "csv", "What the file is; by its ending when nothing is said."),
    key("header", Bool, "false", "Whether the first line of a CSV names its columns.").or("true"),
    key("columns", TEXTS, "[username, password]", "The names of a CSV's columns, when it has no header."),
    key("delimiter", Text, ";", "What stands between the cells of a CSV; found out when nothing is said."),
    key("order", Word(&["sequence", "shuffle", "random"]), "shuffle", "In which order rows are taken.").or("sequence"),
    key("per", Word(&["user", "iteration", "request"]), "user", "When the next row is taken.").or("iteration"),
    key("at_end", Word(&["stop", "recycle", "fail"]), "stop", "What happens when all rows were taken: the user ends, they begin anew, or the iteration fails. With `per: user` it is `fail` when nothing is said.").or("recycle"),
];

const CAPTURE: &[Key] = &[
    key("json", JsonPath, "$.items[*].id", "A JSONPath (RFC 9535) into the body."),
    key("header", Text, "location", "A header of the answer."),
    key("cookie", Text, "session", "A cookie that the user now has."),
    key("regex", Text, "csrf=\"([^\"]+)\"", "A pattern in the body; its first group is kept."),
    key(
        "css",
        Text,
        "input[name=csrf]",
        "An element of the page: its text, or the attribute `attr`.",
    ),
    key("value", Value, "\"{{ response.status }}\"", "A template."),
    key("attr", Text, "value", "An attribute of the element of `css`."),
    key(
        "pick",
        Word(&["first", "last", "random", "all"]),
        "random",
        "Which of several matches is kept.",
    )
    .or("first"),
    key("push", Bool, "true", "Appends the value to the list of that name.").or("false"),
    key("default", Value, "none", "What is kept when there is no match, or the body is empty."),
    key("secret", Bool, "true", "Hides the value in all output.").or("false"),
];

const ACCEPT_RULE: &[Key] = &[
    key("status", CODES, "404", "The status codes of the rule."),
    key("because", Text, "already deleted", "Why they are a success."),
    key(
        "fail",
        Template,
        "server broke on {{ id }}",
        "They are a failure, with this message; failures are grouped by it as written.",
    ),
];

const EXPECT: &[Key] = &[
    key("json", JsonPath, "$.completed", "Looks at a JSONPath (RFC 9535) into the body."),
    key("header", Text, "content-type", "Looks at a header."),
    key("cookie", Text, "session", "Looks at a cookie that the user now has."),
    key("regex", Text, "id=(\\d+)", "Looks at the first group of a pattern in the body."),
    key("css", Text, "h1", "Looks at an element of the page: its text, or the attribute `attr`."),
    key("attr", Text, "value", "An attribute of the element of `css`."),
    key("body", Bool, "true", "Looks at the body, as when no source is said."),
    key("equals", Value, "true", "It is this value."),
    key("not_equals", Value, "null", "It is not this value."),
    key("contains", Item, "json", "It holds this text, or a list holds this item."),
    key("not_contains", Item, "error", "It does not hold this text."),
    key("matches", Text, "^v\\d+", "A pattern is found in it."),
    key("one_of", List(&Value), "[open, closed]", "It is one of these values."),
    key("length", Range, "1..", "So many characters, items or keys: a number or a range."),
    key("between", Range, "1..10", "A number in this range."),
    key("exists", Bool, "false", "Whether it is there at all."),
    key("time", Time, "< 500ms", "How long the answer took, from when the request was sent."),
    key("size", Size, "< 10KB", "How large the body was as it came."),
    key("that", Expression, "response.json.total > 3", "An expression that must hold."),
    key(
        "message",
        Template,
        "only {{ response.json.total }}",
        "The failure's message; failures are grouped by it as written.",
    ),
];

const TIMEOUT: &[Key] = &[
    key("connect", Duration, "2s", "How long connecting to an address may take.").or("5s"),
    key(
        "first_byte",
        Duration,
        "5s",
        "How long the server may think, from when it has the whole request.",
    )
    .or("30s"),
    key("idle", Duration, "2s", "How long the answer may pause.").or("10s"),
    key("total", Duration, "10s", "How long the whole exchange may take.").or("60s"),
];

const WAIT: &[Key] = &[
    key("pace", Duration, "5s", "An iteration starts every so often, however long it took."),
    key("throughput", Rate, "0.2/s", "The same, said as a rate for each user."),
    key("exponential", Duration, "2s", "A pause of this mean, exponentially distributed."),
    key("normal", Duration, "2s", "A pause of this mean, normally distributed and cut at 0."),
    key("stddev", Duration, "500ms", "How far the pauses of `normal` scatter around it."),
];

/// What a profile has for all classes together, or for each its own.
const LOAD: &[Key] = &[
    key("users", Users, "100", "How many users there are at the top."),
    key(
        "rate",
        Rate,
        "200/s",
        "So many iterations start per second at the top, whatever the server does.",
    ),
    key("ramp", Duration, "10s", "How long it takes to get there.").or("0s"),
    key("hold", Duration, "5m", "How long they stay."),
    key("down", Duration, "10s", "How long it takes to get back to none.").or("0s"),
    key(
        "stages",
        Many(&Keys(Context::Stage)),
        "[{ users: 10, hold: 1m }, { users: 50, over: 10s, hold: 1m }]",
        "The general form: one stage after the other, all with `users` or all with `rate`.",
    ),
    key(
        "steps",
        Keys(Context::Steps),
        "{ from: 10, by: 10, every: 5m, to: 500 }",
        "A stair of users, or of rates.",
    ),
    key(
        "spike",
        Keys(Context::Spike),
        "{ base: 20, peak: 200, rise: 2s, hold: 30s, fall: 2s, before: 1m, after: 1m }",
        "A sudden burst and back, of users or of a rate.",
    ),
    key(
        "arrivals",
        Word(&["even", "poisson"]),
        "poisson",
        "With a rate: how the starts are spread; `poisson` as those of people who know nothing of each \
         other.",
    )
    .or("even"),
    key(
        "max_users",
        Users,
        "2000",
        "With a rate: the most users at once; what finds none of them idle waits for one.",
    )
    .or("as many as arrive within 10s at the highest rate, at least 10 and at most 10,000"),
];

const PROFILE: &[Key] = &[
    key(
        "each",
        Named(Context::Each),
        "{ Buyer: { rate: 5/s, hold: 5m } }",
        "A load for each user class that is named; others have none.",
    ),
    key("iterations", Integer, "1000", "Ends after so many iterations of all users together."),
    key(
        "warmup",
        Duration,
        "10s",
        "The time at the start that is left out of thresholds and totals; wins over the plan's.",
    ),
    key("grace", Duration, "30s", "How long iterations may go on at the end.").or("30s"),
    key(
        "search",
        Keys(Context::Search),
        "{ of: users, from: 50, to: 1000, hold: 30s, must: [p95 < 500ms, error_rate < 1%] }",
        "Finds the highest number of users, or the highest rate, at which something holds.",
    ),
];

const STAGE: &[Key] = &[
    key("name", Text, "peak", "What the stage is called in results."),
    key("users", Users, "50", "How many users there are at its end."),
    key("over", Duration, "10s", "How long it takes to get there; a jump when nothing is said.")
        .or("0s"),
    key("hold", Duration, "1m", "How long they stay.").or("0s"),
    key("rate", Rate, "50/s", "How many iterations start per second at its end."),
];

const STEPS: &[Key] = &[
    key("from", USERS_OR_RATE, "10", "Users, or the rate, on the first stair."),
    key("by", USERS_OR_RATE, "10", "What each further stair adds."),
    key("every", Duration, "5m", "How long a stair lasts."),
    key("to", USERS_OR_RATE, "500", "Users, or the rate, on the last stair."),
];

const SPIKE: &[Key] = &[
    key("base", USERS_OR_RATE, "20", "Users, or the rate, before and after.").or("0"),
    key("peak", USERS_OR_RATE, "200", "Users, or the rate, at the top."),
    key("rise", Duration, "2s", "How long it takes to get there.").or("0s"),
    key("hold", Duration, "30s", "How long they stay.").or("0s"),
    key("fall", Duration, "2s", "How long it takes to get back.").or("0s"),
    key("before", Duration, "1m", "How long the base lasts before.").or("0s"),
    key("after", Duration, "1m", "How long the base lasts after.").or("0s"),
];

const SEARCH: &[Key] = &[
    key("of", Word(&["users", "rate"]), "users", "What is raised.").or("what `from` is"),
    key("from", USERS_OR_RATE, "50", "The first level: users, or a rate."),
    key("to", USERS_OR_RATE, "1000", "The highest level that is tried."),
    key("hold", Duration, "30s", "How long each level is looked at; whole seconds."),
    key(
        "must",
        Many(&Judgement),
        "[p95 < 500ms, error_rate < 1%]",
        "What must hold in the time of a level; a list for several.",
    ),
    key("settle", Duration, "10s", "How long a level has to take effect before it is looked at.")
        .or("a third of `hold`, in whole seconds"),
    key("within", Percent, "5%", "How near to the limit the answer is to be.").or("5%"),
];

const THRESHOLD: &[Key] = &[
    key(
        "of",
        Any(&[Text, Keys(Context::Of)]),
        "/todos/",
        "What is judged: a name, `METHOD name`, group, tag or user class; all requests when nothing is said.",
    ),
    key("must", Many(&Judgement), "p95 < 500ms", "What must hold; a list for several."),
    key(
        "every",
        Duration,
        "10s",
        "It must hold in each window of that length, one after the other; with `abort`, in each that ends with a second of the run.",
    ),
    key(
        "during",
        Text,
        "peak",
        "It is judged in the stage of that name alone: on what ended within its time.",
    ),
    key("after", Duration, "30s", "What ended before that time of the run is not looked at.")
        .or("0s"),
    key(
        "abort",
        Bool,
        "true",
        "Ends the run when it breaks; it is judged each second, on its window or on all so far.",
    )
    .or("false"),
    key(
        "allow_few",
        Bool,
        "true",
        "A percentile may hold by fewer samples than it takes to say so.",
    )
    .or("false"),
];

const OF: &[Key] = &[
    key("name", Text, "/todos/", "The requests counted under this name."),
    key("group", Text, "checkout", "The times of this group."),
    key("tag", Text, "read", "The requests of what carries this tag."),
    key("class", Text, "Buyer", "The requests of this user class."),
];

impl Context {
    pub(super) fn tables(self) -> &'static [&'static [Key]] {
        match self {
            Self::Plan => &[NAMED, FILES, PLAN],
            Self::Environment => &[NAMED, PLAN],
            Self::Defaults => &[SETTINGS],
            Self::Class => &[CLASS],
            Self::Task => &[TASK, METHODS, REQUEST, SETTINGS],
            Self::Flow => &[FLOW, METHODS, REQUEST, SETTINGS],
            Self::Step => &[STEP, METHODS, REQUEST, SETTINGS],
            Self::Branch => &[BRANCH],
            Self::Part => &[PART],
            Self::BodyFile => &[BODY_FILE],
            Self::Auth => &[AUTH],
            Self::Redirects => &[REDIRECTS],
            Self::Retry => &[RETRY],
            Self::Connections => &[CONNECTIONS],
            Self::Tls => &[TLS_KEYS],
            Self::Dns => &[DNS],
            Self::Data => &[DATA],
            Self::Capture => &[CAPTURE],
            Self::AcceptRule => &[ACCEPT_RULE],
            Self::Expect => &[EXPECT],
            Self::Timeout => &[TIMEOUT],
            Self::Wait => &[WAIT],
            Self::Profile => &[LOAD, PROFILE],
            Self::Each => &[LOAD],
            Self::Stage => &[STAGE],
            Self::Steps => &[STEPS],
            Self::Spike => &[SPIKE],
            Self::Search => &[SEARCH],
            Self::Threshold => &[THRESHOLD],
            Self::Of => &[OF],
        }
    }
}
