//! Owns the words of other tools where they stand, and what to write here instead.

use super::Context;

/// Words of other tools, and of the language's later versions, where they stand, and what to write
/// here.
pub(super) const FOREIGN: &[(&[Context], &[&str], &str)] = &[
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
    (&[Context::Plan], &["variables", "constants", "globals", "params"], "write `vars`"),
    (
        &[Context::Plan],
        &["env", "environment"],
        "`env.NAME` reads an environment variable; write `vars` for values of the plan, `environments` \
         for those of staging and production",
    ),
    (
        &[Context::Plan],
        &["config"],
        "what it holds stands at the top level: `target`, `vars`, `defaults`, `profiles`",
    ),
    (
        &[Context::Plan],
        &["payload", "payloads", "csv", "feeders", "feeder", "datasets"],
        "write `data`",
    ),
    (&[Context::Plan], &["setup", "setup_suite"], "write `before`"),
    (&[Context::Plan], &["teardown", "cleanup"], "write `after`"),
    (&[Context::Plan], &["functions", "procedures", "snippets", "shared"], "write `flows`"),
    (&[Context::Plan], &["import", "imports", "includes", "extends"], "write `include`"),
    (
        &[Context::Class],
        &["setup", "before", "onstart", "init", "before_scenario"],
        "write `on_start`",
    ),
    (&[Context::Class], &["teardown", "after", "onstop", "after_scenario"], "write `on_stop`"),
    (&[Context::Class], &["fixed_count"], "write `fixed`"),
    (&[Context::Class], &["host", "base_url"], "write `target`"),
    (
        &[Context::Class, Context::Task],
        &["sequential", "mode", "strategy"],
        "write `order: sequence`, at the user class",
    ),
    (&[Context::Defaults], &["name", "json", "body", "form", "capture"], "it belongs to a request"),
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
        &["path", "uri", "endpoint", "method", "http"],
        "write the method as the key, as `get: /todos/`",
    ),
    (
        &[Context::Step, Context::Task],
        &["data", "payload", "content"],
        "write `json` for a value, `form` for a form, `body` for text",
    ),
    (
        &[Context::Step, Context::Task],
        &["params", "parameters", "qs"],
        "write `query`, as `query: { limit: 10 }`",
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
        "write `accept` for status codes, `expect` for what the answer holds",
    ),
    (&[Context::Step, Context::Task], &["extract", "save", "store", "register"], "write `capture`"),
    (&[Context::Step, Context::Task], &["header"], "write `headers`"),
    (&[Context::Step, Context::Task], &["tag", "label", "alias", "group_name"], "write `name`"),
    (&[Context::Task], &["flow", "requests", "actions", "do"], "write `steps`"),
    (
        &[Context::Profile, Context::Each],
        &["spawn_rate", "ramp_up", "rampup", "ramp_time", "ramp-up", "rise", "over", "spawn"],
        "write `ramp`: how long it takes to get to the users",
    ),
    (
        &[Context::Profile, Context::Each],
        &["duration", "run_time", "runtime", "time", "for", "steady"],
        "write `hold`: how long the users stay",
    ),
    (
        &[Context::Profile, Context::Each, Context::Stage],
        &["vus", "concurrency", "threads", "user_count", "target", "count", "load"],
        "write `users`",
    ),
    (
        &[Context::Profile, Context::Each],
        &["ramp_down", "rampdown", "fall", "cooldown"],
        "write `down`",
    ),
    (&[Context::Profile], &["stop_timeout", "graceful_stop", "gracefulstop"], "write `grace`"),
    (
        &[Context::Stage],
        &["duration", "time", "ramp", "for"],
        "write `over` for the time to get to its users, `hold` for the time that they stay",
    ),
    (
        &[Context::Profile, Context::Each, Context::Stage],
        &["arrival_rate", "arrivalrate", "rps", "tps", "throughput", "constant_rate"],
        "write `rate`, as `rate: 50/s`",
    ),
    (
        &[Context::Profile, Context::Each],
        &["max_vus", "maxvus", "max_vusers", "maxvusers", "preallocatedvus", "pre_allocated_vus"],
        "write `max_users`: the most users at once, beside a `rate`",
    ),
    (
        &[Context::Profile, Context::Each, Context::Stage],
        &["timeunit", "time_unit"],
        "write it into the rate, as `rate: 10/m`",
    ),
    (
        &[Context::Profile, Context::Each],
        &["startrate", "start_rate", "rampto", "ramp_to"],
        "write `stages`, as `[{ rate: 5/s, hold: 1m }, { rate: 50/s, over: 2m }]`",
    ),
    (
        &[Context::Profile, Context::Each],
        &["distribution", "spread", "arrival"],
        "write `arrivals`, as `arrivals: poisson`",
    ),
    (
        &[Context::Profile],
        &["classes", "per_class", "user_classes"],
        "write `each`: a load for each user class",
    ),
    (
        &[Context::Each],
        &["each", "weight", "fixed", "name"],
        "take it out: this is the load of one class",
    ),
    (&[Context::Steps], &["start", "min"], "write `from`"),
    (&[Context::Steps], &["end", "max", "until", "users"], "write `to`"),
    (&[Context::Steps], &["step", "increment", "size"], "write `by`"),
    (&[Context::Steps], &["hold", "duration", "each", "interval"], "write `every`"),
    (&[Context::Spike], &["ramp", "up", "over"], "write `rise`"),
    (&[Context::Spike], &["users", "top", "to", "max"], "write `peak`"),
    (&[Context::Spike], &["down"], "write `fall`"),
    (&[Context::Spike], &["from", "min"], "write `base`"),
    (
        &[Context::Step, Context::Task],
        &["files", "upload", "formdata", "form_data", "attachments"],
        "write `multipart`",
    ),
    (
        &[Context::Step, Context::Task],
        &[
            "allow_redirects",
            "follow_redirects",
            "followredirect",
            "followredirects",
            "max_redirects",
        ],
        "write `redirects`, as `redirects: off`",
    ),
    (
        &[Context::Step, Context::Task],
        &["compression", "gzip", "compress"],
        "write it as `compressed: true`",
    ),
    (
        &[Context::Step, Context::Task],
        &["jar", "cookie"],
        "write `cookies`; the user's own are kept and sent by themselves",
    ),
    (
        &[Context::Step, Context::Task],
        &["retries", "max_retries", "on_error"],
        "write `retry`, as `retry: { status: 503, times: 3 }`",
    ),
    (
        &[Context::Step, Context::Task],
        &["loop", "count", "times", "foreach", "iterate"],
        "write `repeat: 3` or `for: id`, `in: ids`, and `do`",
    ),
    (
        &[Context::Step],
        &["ifelse", "condition", "iftrue", "switch"],
        "write `if`, `then` and `else`, or `when` at the step",
    ),
    (&[Context::Step], &["transaction"], "write `group`"),
    (&[Context::Step], &["steps"], "write `do`"),
    (
        &[Context::Step],
        &["function", "run", "exec", "use", "include"],
        "write `call`: the name of a flow or of a task",
    ),
    (&[Context::Step], &["print", "echo", "debug"], "write `log`"),
    (
        &[Context::Step],
        &["break", "abort", "exit", "return", "interrupt"],
        "write `stop: iteration`, `user` or `run`",
    ),
    (&[Context::Step], &["let", "vars", "assign"], "write `set`"),
    (&[Context::Capture, Context::Expect], &["jsonpath", "json_path", "path"], "write `json`"),
    (&[Context::Capture, Context::Expect], &["xpath", "selector"], "write `css`"),
    (
        &[Context::Capture],
        &["index", "group", "match"],
        "write `pick: first`, `last`, `random` or `all`",
    ),
    (&[Context::Capture], &["fallback", "strict"], "write `default`"),
    (&[Context::Expect], &["is", "equal", "eq", "equal_to"], "write `equals`"),
    (&[Context::Expect], &["regexp", "pattern", "match"], "write `matches`"),
    (&[Context::Expect], &["has", "include", "includes", "substring"], "write `contains`"),
    (&[Context::Expect], &["status", "status_code"], "write `accept`, beside `expect`"),
    (&[Context::Expect], &["range", "min", "max"], "write it as `between: 1..10`"),
    (&[Context::Retry], &["count", "attempts", "max", "retries"], "write `times`"),
    (&[Context::Retry], &["delay", "pause", "interval"], "write `wait`"),
    (&[Context::Retry], &["on", "when", "if", "codes"], "write `status`"),
    (&[Context::Data], &["path", "csv", "src"], "write `file`"),
    (&[Context::Data], &["list", "rows", "items"], "write `values`"),
    (&[Context::Data], &["separator", "sep"], "write `delimiter`"),
    (&[Context::Data], &["fields", "names"], "write `columns`"),
    (&[Context::Data], &["scope", "share"], "write `per`"),
    (&[Context::Capture], &["append", "add"], "write `push`"),
    (
        &[Context::Auth],
        &["username", "user", "password", "pass"],
        "write both as `basic: [user, password]`",
    ),
    (&[Context::Auth], &["token", "type", "oauth2"], "write it as `bearer: TOKEN`"),
    (
        &[Context::Wait],
        &["min", "max", "from", "to", "between", "uniform"],
        "write the whole as `wait: 1s..3s`",
    ),
    (&[Context::Wait], &["constant", "fixed", "time", "seconds"], "write the whole as `wait: 2s`"),
    (&[Context::Wait], &["poisson", "mean"], "write it as `exponential: 2s`"),
    (&[Context::Wait], &["gaussian"], "write `normal: 2s` and `stddev: 500ms`"),
    (&[Context::Part], &["content_type", "contenttype", "mime", "mimetype"], "write `type`"),
    (&[Context::Part], &["path", "files", "src"], "write `file`"),
    (&[Context::Part], &["content", "text", "data"], "write `value`"),
    (
        &[Context::Timeout],
        &["read", "write", "socket"],
        "write `idle`: how long the answer may pause",
    ),
    (
        &[Context::Timeout],
        &["response", "ttfb", "server"],
        "write `first_byte`: how long the server may think",
    ),
    (
        &[Context::Timeout],
        &["request", "whole", "max"],
        "write `total`: how long the whole may take",
    ),
    (&[Context::Flow], &["weight", "next", "order"], "take it out: a flow is called, not drawn"),
    (
        &[Context::Flow],
        &["params", "args", "arguments", "inputs"],
        "take it out: a flow reads the variables of the user that calls it",
    ),
    (
        &[Context::Of],
        &["task", "request", "path", "url"],
        "write `name`: what the request is counted under",
    ),
    (&[Context::Of], &["user", "users"], "write `class`"),
    (&[Context::Of], &["tags"], "write `tag`"),
    (&[Context::Of], &["transaction"], "write `group`"),
    (
        &[Context::Connections],
        &["pool", "size", "max", "limit"],
        "write `shared`, as `{ shared: 500 }`",
    ),
    (&[Context::Redirects], &["max", "follow", "limit"], "write `at_most`"),
    (
        &[Context::Branch],
        &["chance", "probability", "percent"],
        "write `weight`: a share of the sum of all",
    ),
    (&[Context::Branch], &["steps", "then"], "write `do`"),
    (&[Context::BodyFile], &["path", "src"], "write `file`"),
    (&[Context::BodyFile], &["template", "render"], "write it as `templates: true`"),
    (&[Context::AcceptRule], &["code", "codes", "status_code"], "write `status`"),
    (&[Context::AcceptRule], &["reason", "why", "comment"], "write `because`"),
    (
        &[Context::AcceptRule],
        &["message", "error"],
        "write `fail`: the codes are a failure with that message",
    ),
    (&[Context::Capture], &["jmespath", "jq"], "write `json`: a JSONPath, as `$.id`"),
    (&[Context::Capture], &["attribute"], "write `attr`"),
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
