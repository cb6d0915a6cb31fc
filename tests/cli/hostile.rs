//! Plans that were written to hang or to fill the machine that reads them: each is refused, or is
//! checked as any other is.

use super::support::Folder;

const USERS: &str = "target: http://127.0.0.1:1\nusers: { U: { tasks: { t: ";

fn task(keys: &str) -> String {
    format!("{USERS}{{ {keys} }} }} }} }}\n")
}

fn listed(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(", ")
}

fn lines(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(|at| format!("  {}\n", each(at))).collect()
}

/// The exit code, and every title.
fn check(name: &str, text: &str) -> (i32, Vec<String>) {
    let folder = Folder::new();
    folder.file(name, text);
    let said = folder.throng(&format!("check {name}"));
    let titles = said.err.lines().filter_map(|line| line.strip_prefix("error: "));
    (said.code, titles.map(str::to_owned).collect())
}

fn refused(text: &str, title: &str) {
    let (code, titles) = check("plan.yaml", text);
    assert_eq!((code, titles), (2, vec![title.to_owned()]));
}

#[test]
fn a_jsonpath_nests_no_deeper_than_its_parser_can_go() {
    let path =
        |path: &str| task(&format!("get: /, name: x, capture: {{ a: {{ json: \"{path}\" }} }}"));
    let nested = |levels: usize| format!("$[?{}@.a{}]", "@[?".repeat(levels), "]".repeat(levels));
    for levels in [6, 30, 50_000] {
        refused(&path(&nested(levels)), "the JSONPath nests more than 6 filters deep");
    }
    let round = format!("$[?{}@.a{}]", "(".repeat(50_000), ")".repeat(50_000));
    refused(&path(&round), "the JSONPath nests more than 50 parentheses deep");
    for fits in [&nested(5), "$['[[[[[[[[[']", "$[?@.a == '[[[[\\\\'[[[[[']"] {
        let (code, titles) = check("plan.yaml", &path(fits));
        assert_eq!((code, titles), (0, vec![]), "{fits}");
    }
}

#[test]
fn flows_that_call_each_other_twice_are_looked_at_once() {
    let calls =
        |at: usize| format!("f{at}: [ {{ call: f{next} }}, {{ call: f{next} }} ]", next = at + 1);
    let retries = |at: usize| {
        let first = format!("[ {{ call: f{next} }}, {{ call: f{next} }} ]", next = at + 1);
        format!("f{at}: [ {{ get: /{at}, retry: {{ status: 503, times: 3, first: {first} }} }} ]")
    };
    for flows in [lines(60, calls), lines(60, retries)] {
        let text =
            format!("{}flows:\n{flows}  f60: [ {{ get: / }} ]\n", task("steps: [ { call: f0 } ]"));
        let (code, titles) = check("plan.yaml", &text);
        assert_eq!((code, titles), (0, vec![]));
    }
}

#[test]
fn what_many_classes_call_is_counted() {
    let steps = listed(2_000, |at| format!("{{ get: /{at} }}"));
    let classes =
        lines(1_000, |at| format!("U{at}: {{ tasks: {{ t: {{ steps: [ {{ call: f }} ] }} }} }}"));
    refused(
        &format!("target: http://127.0.0.1:1\nflows: {{ f: [ {steps} ] }}\nusers:\n{classes}"),
        "the classes come to more than 50000 steps",
    );
    let vars = lines(4_000, |at| format!("v{at}: 1"));
    let classes = lines(2_000, |at| format!("U{at}: {{ tasks: {{ t: {{ get: / }} }} }}"));
    refused(
        &format!("target: http://127.0.0.1:1\nvars:\n{vars}users:\n{classes}"),
        "the classes know more than 500000 names together",
    );
}

/// The exit code, and all that is said.
fn said(name: &str, text: &str) -> (i32, String) {
    let folder = Folder::new();
    folder.file(name, text);
    let said = folder.throng(&format!("check {name}"));
    (said.code, said.err)
}

#[test]
fn steps_before_a_retry_are_counted_for_each_request() {
    // Each has a series of its own: they are numbered by 16 bits.
    let first = listed(300, |at| format!("{{ get: /x{at} }}"));
    let tasks = listed(300, |at| format!("t{at}: {{ tags: t{at}, get: / }}"));
    let text = |thresholds: &str, first: &str, tasks: &str| {
        format!(
            "target: http://127.0.0.1:1\nthresholds: [ {thresholds} ]\ndefaults:\n  retry:\n    \
             status: 503\n    first:\n      - {{ get: /login }}\n      - {{ get: /first }}\n{first}\
             users: {{ U: {{ tasks: {{ {tasks} }} }} }}\n"
        )
    };
    let first: String = first.split(", ").map(|step| format!("      - {step}\n")).collect();
    let (code, said) =
        said("plan.yaml", &text("{ of: { tag: t1 }, must: rps > 1 }", &first, &tasks));
    assert_eq!(
        (code, &*said),
        (
            2,
            "error: the classes come to more than 50000 steps
   --> plan.yaml:129:11
    |
129 |       - { get: /x120 }
    |           ^^^ those before a retry count once for each request: use fewer of them

1 error in plan.yaml
"
        )
    );
    let tasks = listed(5_000, |at| format!("t{at}: {{ get: /{at} }}"));
    assert_eq!(check("plan.yaml", &text("", "", &tasks)), (0, vec![]));
}

#[test]
fn what_defaults_and_flows_repeat_has_a_size() {
    let headers = listed(1_000, |at| format!("h{at}: \"{{{{ user.id }}}}\""));
    let steps = listed(5_000, |at| format!("{{ get: /{at} }}"));
    let text = |headers: &str, steps: &str| {
        format!(
            "defaults: {{ headers: {{ {headers} }} }}\n{}",
            task(&format!("steps: [ {steps} ]"))
        )
    };
    refused(&text(&headers, &steps), "the requests come to more than 128 MiB");
    let headers = listed(100, |at| format!("h{at}: a header as they are"));
    assert_eq!(check("plan.yaml", &text(&headers, &steps)), (0, vec![]));
}

#[test]
fn calls_do_not_nest_without_end() {
    let text = |flows: usize| {
        let flows = lines(flows, |at| {
            let next = at + 1;
            if next < flows {
                format!("f{at}: [ {{ call: f{next} }} ]")
            } else {
                format!("f{at}: [ {{ get: / }} ]")
            }
        });
        format!("{}flows:\n{flows}", task("steps: [ { call: f0 } ]"))
    };
    assert_eq!(check("plan.yaml", &text(101)), (0, vec![]));
    let (code, said) = said("plan.yaml", &text(5_000));
    assert_eq!(
        (code, &*said),
        (
            2,
            "error: calls nest more than 100 deep
    --> plan.yaml:4902:20
     |
4902 |   f4898: [ { call: f4899 } ]
     |                    ^^^^^ put the steps of what is called here in place of the call

1 error in plan.yaml
"
        )
    );
}

#[test]
fn of_a_long_circle_some_names_are_shown() {
    let flows = lines(3_000, |at| format!("f{at}: [ {{ call: f{} }} ]", (at + 1) % 3_000));
    refused(
        &format!("{}flows:\n{flows}", task("steps: [ { call: f0 } ]")),
        "calls go in a circle: f0 → f1 → f2 → f3 → … → f2996 → f2997 → f2998 → f2999 → f0",
    );
}

#[test]
fn a_chain_and_the_tags_of_a_step_have_a_size() {
    let tasks = listed(5_000, |at| {
        format!("t{at}: {{ get: /{at}, next: {{ t{}: 1 }} }}", (at + 1) % 5_000)
    });
    refused(
        &format!(
            "target: http://127.0.0.1:1\nusers: {{ U: {{ order: chain, tasks: {{ {tasks} }} }} }}\n"
        ),
        "more than 200 tasks in a chain",
    );
    let tags = listed(8_000, |at| format!("t{at}"));
    let tasks = listed(5_000, |at| format!("t{at}: {{ get: / }}"));
    refused(
        &format!(
            "target: http://127.0.0.1:1\nusers: {{ U: {{ tags: [ {tags} ], tasks: {{ {tasks} }} }} }}\n"
        ),
        "more than 32 tags",
    );
    refused(
        &task(&format!("tags: {}, get: /", "t".repeat(201))),
        "the tag is longer than 200 characters",
    );
}

#[test]
fn of_one_text_a_hundred_mistakes_are_told() {
    let last = |text: &str| {
        let (code, said) = said("plan.yaml", text);
        (code, said.lines().last().unwrap_or_default().to_owned())
    };
    let names: String = (0..60_000).map(|at| format!("{{{{ n{at} }}}}")).collect();
    let told = last(&task(&format!("get: \"/{names}\", name: x")));
    assert_eq!(told, (2, "100 errors in plan.yaml".to_owned()));
    let names = (0..200).map(|at| format!("n{at} == 1")).collect::<Vec<_>>().join(" and ");
    let told = last(&task(&format!("when: \"{names}\", get: /")));
    assert_eq!(told, (2, "100 errors in plan.yaml".to_owned()));
}

#[test]
fn of_a_hundred_calls_of_nothing_it_is_told_what_comes_near() {
    let calls = listed(150, |at| format!("{{ call: logi{at} }}"));
    let text =
        format!("{}flows: {{ login: [ {{ get: / }} ] }}\n", task(&format!("steps: [ {calls} ]")));
    let folder = Folder::new();
    folder.file("plan.yaml", &text);
    let said = folder.throng("check --format json plan.yaml");
    let told = |label: &str| said.out.matches(label).count();
    let labels =
        ["did you mean `login`?", "there are `login`, `t`", "write it under `flows`"].map(told);
    assert_eq!((said.code, labels), (2, [10, 90, 50]), "{}", said.out);
}

#[test]
fn toml_has_as_many_values_as_yaml() {
    let tables: String = (0..60_000).map(|at| format!("[x.a{at}]\n")).collect();
    let dotted: String = (0..2_000).map(|at| format!("x.a{at}{} = 1\n", ".b".repeat(30))).collect();
    let values = format!("x = [{}]\n", "1, ".repeat(1_000_000));
    let keys: String = (0..60_000).map(|at| format!("k{at} = 1\n")).collect();
    let title = "the plan holds more than 50000 values, what aliases repeat included";
    let deep = ".b".repeat(30);
    // The same words in other tables are other tables.
    let within: String = (0..2_000).map(|at| format!("[t{at}]\nx{deep} = 1\n")).collect();
    let inline = format!("x = [{}]\n", format!("{{ y{deep} = 1 }},").repeat(2_000));
    for text in [tables, dotted, within, inline, values, keys] {
        // It is not read any further than that.
        let (code, titles) = check("plan.toml", &format!("{text}]"));
        assert_eq!((code, titles), (2, vec![title.to_owned()]));
    }
    // Tables that are named again and again are no more of them.
    let tasks = |at: usize| format!("[users.A.tasks.t{at}]\nget = \"/\"\n");
    let steps = |_| "[[users.A.tasks.t.steps]]\nget = \"/\"\n".to_owned();
    let head = "target = \"http://127.0.0.1:9\"\n";
    let fits = [(0..15_000).map(tasks).collect::<String>(), (0..12_600).map(steps).collect()];
    for text in fits {
        assert_eq!(check("plan.toml", &format!("{head}{text}")), (0, vec![]));
    }
}

#[test]
fn regular_expressions_have_a_size_together() {
    let captures = |count: usize, pattern: &dyn Fn(usize) -> String| {
        let steps = listed(count, |at| {
            format!("{{ get: /{at}, capture: {{ a: {{ regex: '{}' }} }} }}", pattern(at))
        });
        task(&format!("steps: [ {steps}, {{ log: \"{{{{ a }}}}\" }} ]"))
    };
    let (code, titles) = check("plan.yaml", &captures(140, &|at| format!("a{at}=(\\w{{3}})")));
    let title = "the regular expressions come to more than 128 MiB";
    assert_eq!((code, titles), (2, vec![title.to_owned(); 15]));
    let fits = [
        captures(500, &|_| "id=(\\w{8})".to_owned()),
        captures(200, &|at| format!("a{at}=([a-z0-9]+)")),
    ];
    for text in fits {
        assert_eq!(check("plan.yaml", &text), (0, vec![]));
    }
}

#[test]
fn a_slip_is_told_with_what_was_meant_whatever_else_is_told() {
    let login = listed(10, |at| {
        format!("{{ get: /{at}, headers: {{ Authorization: \"{{{{ env.NO_SUCH_TOKEN }}}}\" }} }}")
    });
    let classes =
        lines(12, |at| format!("U{at}: {{ tasks: {{ t: {{ steps: [ {{ call: login }} ] }} }} }}"));
    let text = format!(
        "target: http://127.0.0.1:1\nflows: {{ login: [ {login} ] }}\nusers:\n{classes}  \
         Z: {{ tasks: {{ t: {{ steps: [ {{ call: logn }} ] }} }} }}\n"
    );
    let folder = Folder::new();
    folder.file("plan.yaml", &text);
    let said = folder.throng("check plan.yaml");
    let told: Vec<&str> = said.err.split("\n\n").collect();
    assert_eq!(
        told[told.len() - 2..],
        [
            "error: there is no flow or task `logn` to call
  --> plan.yaml:16:39
   |
16 |   Z: { tasks: { t: { steps: [ { call: logn } ] } } }
   |                                       ^^^^ did you mean `login`?",
            "1 error and 10 warnings in plan.yaml\n"
        ]
    );
}
