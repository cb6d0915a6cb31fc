//! Owns the tests of expressions.

use super::*;
use crate::expr::filters::{from_minijinja, to_minijinja};
use crate::expr::operators::equal;
use crate::expr::{Response, Run};
use crate::random::Stream;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn names() -> Names {
    let mut names = Names::default();
    for name in ["todos", "id", "text", "unset", "map"] {
        names.intern(name);
    }
    names
}

fn slots() -> Vec<Option<Value>> {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    vec![
        Some(json("[3,5,8]")),
        Some(json("5")),
        Some(json("\"five\"")),
        None,
        Some(json("{\"a\":{\"b\":7}}")),
    ]
}

const HEAD: &str = "Content-Type: application/json\r\nX-Token:  a b \r\nX-Token: second\r\n";
const BODY: &str =
    r#"{"items":[{"id":7,"name":"x"},{"id":null}],"total":2.5,"deep":{"a":[[1,2]]}}"#;

fn in_scope<T>(body: impl FnOnce(&mut Scope<'_>) -> T) -> T {
    let class: Arc<str> = "TodoUser".into();
    let mut random = Stream::new(9, 0, 4);
    let slots = slots();
    let mut response = Response::default();
    response.status = 204;
    response.head = HEAD.into();
    response.body = BODY.into();
    response.time = Duration::from_micros(12_345);
    response.size = 77;
    let run = Run::new("r1", tokio::time::Instant::now(), jiff::Timestamp::UNIX_EPOCH);
    body(&mut Scope {
        slots: &slots,
        response: Some(&response),
        request: None,
        run: &run,
        user_id: 7,
        user_class: &class,
        user_iteration: 2,
        random: &mut random,
    })
}

fn eval(text: &str) -> Result<String, String> {
    let expression = Expression::parse(text, &names())
        .map_err(|errors| format!("{}: {}", errors[0].title, errors[0].hint))?;
    let value = in_scope(|scope| expression.eval(scope)).map_err(|error| error.to_string())?;
    Ok(serde_json::to_string(&value).unwrap())
}

fn holds(text: &str) -> bool {
    let expression = Expression::parse(text, &names()).unwrap();
    in_scope(|scope| expression.holds(scope)).unwrap()
}

#[test]
fn simple_forms_and_minijinja_ones_give_values() {
    for (text, want) in [
        ("id", "5"),
        (" 'a b' ", "\"a b\""),
        ("-3", "-3"),
        ("[1, 'x', id]", "[1,\"x\",5]"),
        ("response.status == 204", "true"),
        ("response.status >= 300", "false"),
        ("user.id", "7"),
        ("user.class", "\"TodoUser\""),
        ("id * 2 + 1", "11"),
        ("todos | length", "3"),
        ("todos[1]", "5"),
        ("map.a.b", "7"),
        ("text ~ '-' ~ id", "\"five-5\""),
        ("'x' if id == 5 else 'y'", "\"x\""),
        ("text | upper", "\"FIVE\""),
        ("1.5", "1.5"),
        ("randint(4, 4)", "4"),
        ("randint(2, 2) + 1", "3"),
        ("choice([6])", "6"),
        ("letters(0)", "\"\""),
    ] {
        assert_eq!(eval(text), Ok(want.to_owned()), "{text}");
    }
}

#[test]
fn what_does_not_exist_is_said_before_the_run() {
    for (text, want) in [
        ("idd", "nothing is called `idd`: did you mean `id`?"),
        (
            "responce.status == 1",
            "nothing is called `responce.status`: did you mean `response.status`?",
        ),
        ("rantint(1, 2)", "there is no function `rantint`: did you mean `randint`?"),
        ("randint(1)", "`randint` takes 2 arguments, not 1: write `randint(low, high)`"),
        ("randint", "`randint` is a function: call it: `randint(low, high)`"),
        (
            "randint(low=1, high=2)",
            "`randint` has no argument called `low`: write `randint(low, high)`",
        ),
        ("uuid(1)", "`uuid` takes no arguments, not 1: write `uuid()`"),
        ("fake.nam()", "there is no function `fake.nam`: did you mean `fake.name`?"),
        ("fake.name", "`fake.name` is a function: call it: `fake.name()`"),
        ("user", "`user` alone is no value: there are: user.id, user.class, user.iteration"),
        ("vars.id", "nothing is called `vars.id`: write `id`: variables are named without `vars`"),
        (
            "request.body",
            "`request.body` is there only in headers: a request is known when its body and path are written: use it in `headers:`",
        ),
        ("idd.x", "nothing is called `idd`: did you mean `id`?"),
        ("text.upper()", "there is no method `upper`: write `… | upper`"),
        ("len(todos)", "there is no function `len`: it is a filter: write `… | length`"),
        ("int(id)", "there is no function `int`: it is a filter: write `… | int`"),
        (
            "response.json()",
            "there is no function `response.json`: it is no function: write `response.json`",
        ),
        ("response.headers.get('x')", "there is no method `get`: write `…['name']`"),
        (
            "id | default(1, foo=2)",
            "`default` has no argument called `foo`: write `default(value)` or `default(value, boolean=true)`",
        ),
        ("text | base64", "there is no filter `base64`: it is a function: write `base64(text)`"),
        ("todos | map('uper')", "there is no filter `uper`: did you mean `upper`?"),
        ("todos | select('evn')", "there is no test `evn`: did you mean `even`?"),
        (
            "hmac_sha256('k', 't', as='hx')",
            "hmac_sha256 gives `as='hex'` or `as='base64'`: `hmac_sha256(key, text, as='hex')` gives the HMAC-SHA-256 of the text with the key, `as='hex'` or `as='base64'`",
        ),
        ("1 // 0", "`//` by zero: change the value"),
        ("id + 1 / 0", "`/` by zero: change the value"),
        ("'abc' | int", "`int` wants a number in the text: change the value"),
        ("id | uper", "there is no filter `uper`: did you mean `upper`?"),
        ("id is defind", "there is no test `defind`: did you mean `defined`?"),
        ("id + nope", "nothing is called `nope`: this class knows: todos, id, text, unset, map"),
    ] {
        assert_eq!(eval(text), Err(want.to_owned()), "{text}");
    }
    for (text, hint) in [
        ("id = 5", "write `==` to compare"),
        ("id && text", "write `and` for `&&`"),
        ("id || text", "write `or` for `||`"),
        ("!id", "write `not` for `!`"),
        ("{{ id }}", "leave out `{{` and `}}`: this is an expression already"),
        ("id +", "mend the expression"),
        ("id + '=' 3", "mend the expression"),
    ] {
        let said = eval(text).unwrap_err();
        assert!(said.starts_with("not an expression") && said.ends_with(hint), "{text}: {said}");
    }
    for (text, want) in [
        ("randint(5, 1)", "randint wants its lower end first"),
        ("randint('a', 1)", "randint wants two whole numbers, not text"),
        ("choice([])", "choice from an empty list: guard it with `when:`"),
        ("choice('abc')", "choice wants a list, not text"),
        ("letters(-1)", "letters wants a count from 0 to 1048576"),
    ] {
        assert!(eval(text).unwrap_err().starts_with(want), "{text}: {:?}", eval(text));
    }
    assert!(eval("nonsense()").unwrap_err().contains("there are: randint, randfloat, choice"));
    assert!(eval("range(9)").unwrap_err().contains("no function `range`"));
}

#[test]
fn a_mistake_is_never_placed_within_a_letter() {
    for text in ["id 한", "한 +", "id == é"] {
        for error in Expression::parse(text, &names()).unwrap_err() {
            assert!(text.get(error.at.clone()).is_some(), "{text}: {:?}", error.at);
        }
    }
}

#[test]
fn a_name_without_a_value_does_not_hold_and_is_an_error_elsewhere() {
    assert!(!holds("unset"));
    assert!(holds("not unset"));
    assert!(!holds("unset == 1"));
    assert!(!holds("unset | length > 0"));
    assert!(holds("todos"));
    // The name does not hold; what is around it is judged as ever.
    for text in [
        "not unset or true",
        "user.id > 0 or unset == 1",
        "(not unset) and user.id > 0",
        "not (unset and id)",
        "unset is not defined",
        "unset | default(1) == 1",
        "response.status == 204 or unset",
        "unset not in [1]",
        "unset != 1",
        "(unset != 1)",
        "not (unset == 1)",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in ["unset < 5", "unset >= 0", "unset != unset", "unset and id", "unset.field == 3"] {
        assert!(!holds(text), "{text}");
    }
    assert_eq!(eval("unset | default('n')"), Ok("\"n\"".to_owned()));
    assert_eq!(eval("unset"), Err("`unset` has no value yet".to_owned()));
    assert_eq!(eval("unset + 1"), Err("`unset + 1` has no value yet".to_owned()));
}

#[test]
fn an_expression_that_fails_says_why() {
    let said = |text: &str| eval(text).unwrap_err();
    assert_eq!(said("choice(id)"), "`choice(id)`: choice wants a list, not a number");
    assert_eq!(said("choice(id) + 1"), "`choice(id) + 1`: choice wants a list, not a number");
    assert!(eval("id + text").is_err());
}

#[test]
fn random_numbers_advance_the_same_way_through_both_ways() {
    let draw = |text: &str| {
        let expression = Expression::parse(text, &names()).unwrap();
        in_scope(|scope| (0..5).map(|_| expression.eval(scope).unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(draw("randint(1, 1000)"), draw("randint(1, 1000) + 0"));
    assert_eq!(draw("choice(todos)"), draw("choice(todos) | abs"));
}

#[test]
fn the_last_answer_is_seen() {
    for (text, want) in [
        ("response.headers['content-TYPE']", "\"application/json\""),
        ("response.headers['x-' ~ 'TOKEN']", "\"a b\""),
        ("response.headers['x-' ~ text] is defined", "false"),
        ("response.headers | length", "2"),
        ("response.headers['x-token'] ~ '!'", "\"a b!\""),
        ("response.json.items[0].id", "7"),
        ("response.json.items[-1].id", "null"),
        ("response.json.items | map(attribute='name') | first", "\"x\""),
        ("response.json['total'] > 2", "true"),
        ("response.body | length", "76"),
        ("response.time_ms", "12.345"),
        ("response.size", "77"),
        ("response.json.nope is defined", "false"),
        ("response.json.nope | default('n')", "\"n\""),
        ("run.id ~ user.class", "\"r1TodoUser\""),
        ("user.iteration", "2"),
    ] {
        assert_eq!(eval(text), Ok(want.to_owned()), "{text}");
    }
    assert_eq!(eval("response.json.nope"), Err("`response.json.nope` has no value".to_owned()));
    assert!(!holds("response.json.nope.deeper == 1"));
    let uses = |text: &str| Expression::parse(text, &names()).unwrap().uses();
    assert!(uses("response.headers.x or 1").response_head);
    assert!(uses("todos | length + response.json.id").response_body);
    assert_eq!(uses("response.status == 1 and user.id"), Uses::default());
    let slots = uses("id if map.a.b else [text]").slots;
    assert_eq!(slots.into_iter().collect::<Vec<_>>(), [1, 2, 4]);
    let header = Expression::parse_in_header("sha256(request.body)", &names()).unwrap();
    assert!(header.uses().request);
}

#[test]
fn before_the_first_answer_it_has_no_value() {
    let unset = |text: &str| {
        let expression = Expression::parse(text, &names()).unwrap();
        let mut said = Vec::new();
        for response in [None, Some(&Response::default())] {
            in_scope(|scope| {
                let mut scope = Scope {
                    response,
                    random: &mut Stream::new(1, 0, 0),
                    slots: scope.slots,
                    request: None,
                    user_id: 1,
                    user_class: scope.user_class,
                    user_iteration: 0,
                    run: scope.run,
                };
                assert!(!expression.holds(&mut scope).unwrap(), "{text}");
                said.push(expression.eval(&mut scope).unwrap_err().to_string());
            });
        }
        assert_eq!(said[0], said[1]);
        said.remove(0)
    };
    for text in [
        "response.status",
        "response.headers.x",
        "response.body",
        "response.json.a",
        "response.time_ms",
        "response.size",
    ] {
        assert_eq!(unset(text), format!("`{text}` has no value yet"));
    }
}

#[test]
fn rows_constants_and_the_environment_are_known_by_name() {
    let mut names = Names::default();
    let row = names.row("accounts", Some(["username".to_owned(), "age".to_owned()].into()));
    let page = names.row("pages", None);
    names.constant("project", Value::Int(42));
    names.constant("config", serde_json::from_str(r#"{"a":{"b":"x"}}"#).unwrap());
    names.environment(Arc::new([("HOST".to_owned(), "h".to_owned())].into()));
    assert_eq!((row, page, names.find("accounts")), (0, 1, Some(0)));
    let parse = |text: &str| Expression::parse(text, &names);
    let constant = |text: &str| {
        let parsed = parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        parsed.constant().map(|value| serde_json::to_string(value).unwrap())
    };
    for (text, want) in [
        ("project", "42"),
        ("project * 2 ~ 'x'", "\"84x\""),
        ("config.a.b", "\"x\""),
        ("config['a'] | length", "1"),
        ("env.HOST", "\"h\""),
        ("env['HOST'] | upper", "\"H\""),
        ("env.NONE | default('d')", "\"d\""),
        ("env.NONE or 'd'", "\"d\""),
        ("env.NONE is defined", "false"),
        ("env.NONE if env.NONE is defined else project", "42"),
        ("sha256(env.HOST)[:4]", "\"aaa9\""),
        ("'x' if true else 1 / 0", "\"x\""),
    ] {
        assert_eq!(constant(text).as_deref(), Some(want), "{text}");
    }
    let unset = |text: &str| parse(text).unwrap().unset_env().join(" ");
    assert_eq!(unset("env.NONE"), "NONE");
    assert_eq!(unset("env.NONE ~ env.HOST ~ env.ALSO"), "NONE ALSO");
    assert_eq!(unset("env.NONE | default(accounts.age)"), "");
    assert_eq!(unset("accounts.age if env.NONE is defined else project"), "");
    let told = |text: &str| {
        let error = parse(text).unwrap_err().remove(0);
        format!("{}: {} at {}", error.title, error.hint, &text[error.at.clone()])
    };
    assert_eq!(
        told("1 + accounts.usernam"),
        "`accounts` has no column `usernam`: did you mean `username`? `accounts` has: username, age at usernam"
    );
    assert_eq!(
        told("accounts['zip']"),
        "`accounts` has no column `zip`: `accounts` has: username, age at 'zip'"
    );
    assert_eq!(
        told("config.a.c"),
        "it never has a value: there is no `c`: it has: b at config.a.c"
    );
    assert!(parse("pages.anything").is_ok());
    // What the class assigns is no constant.
    let mut assigned = names.clone();
    assigned.intern("project");
    assigned.constant("project", Value::Int(1));
    assert_eq!(Expression::parse("project", &assigned).unwrap().constant(), None);
}

#[test]
fn text_against_a_number_is_told_before_the_run_and_refused_in_it() {
    let mut names = Names::default();
    let row = names.row("accounts", Some(["age".to_owned()].into()));
    let text = " accounts.age >= 18";
    let warnings = Expression::parse(text, &names).unwrap().warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].hint, "write `accounts.age | int`");
    assert_eq!(&text[warnings[0].at.clone()], "accounts.age");
    let warned = |text: &str| Expression::parse(text, &names).unwrap().warnings().len();
    assert_eq!(warned("0 < accounts.age"), 1);
    assert_eq!(warned("0 < accounts.age < 9"), 2);
    for never in ["accounts.age == 18", "18 != accounts.age", "accounts.age in [1, 18]"] {
        assert_eq!(warned(never), 1, "{never}");
    }
    for fine in [
        "accounts.age | int > 18",
        "accounts.age > 'a'",
        "accounts.age == '18'",
        "accounts.age in ['1', 18]",
        "1 in accounts.age",
    ] {
        assert_eq!(warned(fine), 0, "{fine}");
    }
    let mut typed = names.clone();
    typed.typed(row);
    assert!(Expression::parse(text, &typed).unwrap().warnings().is_empty());
    assert_eq!(
        eval("text > 5"),
        Err("`text > 5`: `>` stands between text and a number: write `| int` behind the text"
            .into())
    );
    assert!(eval("[text] | select('gt', 5)").unwrap_err().contains("write `| int`"));
    assert_eq!(eval("'12' | int > 5"), Ok("true".into()));
}

#[test]
fn values_print_as_json_does() {
    for (text, want) in [
        ("true ~ '' ~ none ~ 1.5 ~ 2.0 ~ [1, true]", "truenull1.52.0[1,true]"),
        ("[true, none, 1.0] | join(',')", "true,null,1.0"),
        ("true | string", "true"),
        ("none | string | upper", "NULL"),
        ("true | upper", "TRUE"),
        ("[false] | map('string') | first", "false"),
        ("'%s-%d' | format(true, 5)", "true-5"),
        ("true | replace('t', 'T')", "True"),
        ("{'a': '<'} | tojson", "{\"a\":\"<\"}"),
    ] {
        assert_eq!(eval(text), Ok(serde_json::to_string(want).unwrap()), "{text}");
    }
}

/// Law 8: everything is bounded.
#[test]
fn what_would_eat_the_memory_is_refused() {
    for text in [
        "'a' * 10 ** 9",
        "'a' * 10 ** 30",
        "[0] * 10 ** 9",
        "[[]] * 2 ** 20 * 2",
        "text * 2 ** 20",
        "text * 2 ** 18 * 2 ** 18",
        "(text * 2 ** 17) ~ (text * 2 ** 17) ~ id",
        "(text * 10000) | replace('f', text * 10000)",
        "([text * 1000] * 10000) | join(text * 1000)",
        "([([([todos] * 1000)] * 1000)] * 1000) | string",
        "([([([todos] * 1000)] * 1000)] * 1000) | tojson",
        "json([([([todos] * 1000)] * 1000)] * 1000)",
        "([todos] * 1000000) | map('string') | list",
        "todos | batch(1000000000, 'x')",
        "todos | slice(1000000000)",
        "text | indent(1000000000)",
        "'%1000000000d' | format(5)",
        "letters(10 ** 9)",
        "hex(2 ** 40)",
        "base64(text * 2 ** 18)",
        "2 ** 200",
        "-9223372036854775807 - 10",
    ] {
        match eval(text) {
            Ok(made) => panic!("{text} makes {} bytes", made.len()),
            Err(said) => assert!(said.len() < 500, "{text}: {said}"),
        }
    }
    let long = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(eval(&long).unwrap_err().starts_with("brackets nest more than 50 deep"));
    let many = vec!["id"; 5000].join(" + ");
    assert!(eval(&many).unwrap_err().starts_with("an expression has at most 200 operators"));
    assert!(eval(&"-".repeat(5000)).is_err());
    assert!(eval(&"not ".repeat(5000)).is_err());
}

/// What MiniJinja makes of the same text.
fn by_minijinja(text: &str) -> Result<Value, String> {
    let environment = minijinja::Environment::new();
    let compiled = environment.compile_expression(text).map_err(|error| error.to_string())?;
    let mut context: Vec<(String, minijinja::Value)> = Vec::new();
    for (slot, value) in slots().iter().enumerate() {
        if let Some(value) = value {
            context.push((names().name(slot).to_owned(), to_minijinja(value)));
        }
    }
    let json: Value = serde_json::from_str(BODY).unwrap();
    let response = [
        ("status", minijinja::Value::from(204)),
        ("json", to_minijinja(&json)),
        ("size", minijinja::Value::from(77)),
        ("headers", minijinja::Value::from_pairs([("x-token", "a b")])),
    ];
    context.push(("response".into(), minijinja::Value::from_pairs(response)));
    context.push(("user".into(), minijinja::Value::from_pairs([("id", 7)])));
    let result = compiled.eval(minijinja::Value::from_pairs(context));
    let result = result.map_err(|error| error.to_string())?;
    if result.is_undefined() {
        return Err("it has no value".into());
    }
    from_minijinja(&result).map_err(|error| error.to_string())
}

/// Whole numbers, texts and conditions of any shape.
fn expressions() -> (BoxedStrategy<String>, BoxedStrategy<String>, BoxedStrategy<String>) {
    let number = prop::sample::select(vec![
        "0",
        "1",
        "7",
        "-3",
        "id",
        "map.a.b",
        "map['a'].b",
        "todos[1]",
        "todos[-1]",
        "todos.0",
        "response.status",
        "response.size",
        "response.json.items[0].id",
        "response.json['items'][0]['id']",
        "response.json.deep.a[0][-1]",
        "user.id",
    ])
    .prop_map(str::to_owned)
    .boxed();
    let text = prop::sample::select(vec![
        "'a'",
        "text",
        "''",
        "'é한'",
        "response.headers['X-Token'] | lower",
        "response.json.items[0].name",
    ])
    .prop_map(|text| text.replace("X-Token", "x-token"))
    .boxed();
    let condition = prop::sample::select(vec!["true", "false", "id == 5", "todos", "map"])
        .prop_map(str::to_owned)
        .boxed();
    (0..2).fold((number, text, condition), |(number, text, condition), _| {
        let sign = || prop::sample::select(vec!["+", "-", "*", "//", "%"]);
        let order = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
        let numbers = prop_oneof![
            number.clone(),
            (number.clone(), sign(), number.clone())
                .prop_map(|(l, s, r)| format!("({l}) {s} ({r})")),
            (number.clone(), sign(), number.clone(), sign(), number.clone())
                .prop_map(|(a, s, b, t, c)| format!("({a}) {s} ({b}) {t} ({c})")),
            number.clone().prop_map(|n| format!("-({n})")),
            text.clone().prop_map(|t| format!("({t}) | length")),
            (number.clone(), condition.clone(), number.clone())
                .prop_map(|(a, c, b)| format!("({a}) if ({c}) else ({b})")),
        ];
        let texts = prop_oneof![
            text.clone(),
            (text.clone(), text.clone()).prop_map(|(l, r)| format!("({l}) ~ ({r})")),
            (text.clone(), number.clone()).prop_map(|(l, r)| format!("({l}) ~ ({r}) ~ '-'")),
            (text.clone(), text.clone()).prop_map(|(l, r)| format!("({l}) + ({r})")),
            text.clone().prop_map(|t| format!("({t}) | upper")),
            (text.clone(), -4i64..4, -4i64..4).prop_map(|(t, a, b)| format!("({t})[{a}:{b}]")),
            (text.clone(), prop::sample::select(vec![-2i64, -1, 1, 2]))
                .prop_map(|(t, step)| format!("({t})[::{step}]")),
            text.clone().prop_map(|t| format!("({t}) * 2")),
            number.clone().prop_map(|n| format!("[{n}, 'x'] | join('/')")),
        ];
        let conditions = prop_oneof![
            condition.clone(),
            (number.clone(), order(), number.clone())
                .prop_map(|(l, o, r)| format!("({l}) {o} ({r})")),
            (number.clone(), order(), number.clone(), order(), number.clone())
                .prop_map(|(a, o, b, p, c)| format!("({a}) {o} ({b}) {p} ({c})")),
            (text.clone(), order(), text.clone()).prop_map(|(l, o, r)| format!("({l}) {o} ({r})")),
            (text.clone(), text.clone()).prop_map(|(l, r)| format!("({l}) in ({r})")),
            number.clone().prop_map(|n| format!("({n}) not in todos")),
            condition.clone().prop_map(|c| format!("not ({c})")),
            (condition.clone(), condition.clone()).prop_map(|(l, r)| format!("({l}) and ({r})")),
            (condition.clone(), condition.clone()).prop_map(|(l, r)| format!("({l}) or ({r})")),
            number.clone().prop_map(|n| format!("({n}) is divisibleby 3")),
            number.clone().prop_map(|n| format!("({n}) is not even")),
        ];
        (numbers.boxed(), texts.boxed(), conditions.boxed())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Our way against the obvious one: to let MiniJinja do it all.
    #[test]
    fn expressions_agree_with_minijinja(
        text in { let (n, t, c) = expressions(); prop_oneof![n, t, c] }
    ) {
        let ours = Expression::parse(&text, &names())
            .map_err(|errors| errors[0].title.clone())
            .and_then(|one| in_scope(|scope| one.eval(scope)).map_err(|error| error.to_string()));
        match (&ours, by_minijinja(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(equal(ours, &theirs), "{text}: {ours:?} {theirs:?}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{text}: {ours:?} {theirs:?}"),
        }
    }

    /// Values of all kinds, where MiniJinja has an order that we have not.
    #[test]
    fn comparisons_agree_with_minijinja_or_are_refused(
        left in prop::sample::select(vec!["5", "-1", "2.5", "5.0", "id", "text", "'5'", "true", "none", "todos", "[5]", "map", "response.json.total"]),
        operator in prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]),
        right in prop::sample::select(vec!["5", "4", "2.5", "id", "'five'", "text", "false", "none", "[3]", "todos", "map", "204"]),
    ) {
        let text = format!("{left} {operator} {right}");
        match eval(&text) {
            Ok(ours) => {
                let theirs = by_minijinja(&text).map(|value| serde_json::to_string(&value).unwrap());
                prop_assert_eq!(Ok(ours), theirs, "{}", text);
            }
            Err(said) => prop_assert!(
                said.contains("in order") || said.contains("stands between"),
                "{}: {}", text, said
            ),
        }
    }

    #[test]
    fn paths_agree_with_minijinja(steps in prop::collection::vec(prop::sample::select(vec![
        ".items", "['items']", "[0]", "[1]", "[-1]", "[9]", ".id", ".name", ".a", ".deep", ".total",
    ]), 0..5)) {
        let text = format!("response.json{}", steps.concat());
        let ours = eval(&text);
        let theirs = by_minijinja(&text).map(|value| serde_json::to_string(&value).unwrap());
        match (&ours, &theirs) {
            (Err(_), Err(_)) => {}
            _ => prop_assert_eq!(ours, theirs, "{}", text),
        }
    }

    #[test]
    fn parsing_any_text_never_panics(text in "\\PC{0,40}") {
        let _ = Expression::parse(&text, &names());
    }

    #[test]
    fn parsing_nearly_expressions_never_panics(text in "[a-z0-9_.()'\"\\[\\], =<>!+|]{0,30}") {
        if let Ok(expression) = Expression::parse(&text, &names()) {
            let _ = in_scope(|scope| expression.eval(scope));
        }
    }
}

#[test]
fn what_a_chain_of_comparisons_never_reaches_is_no_mistake() {
    assert_eq!(eval("0 == 1 == (0 // 0)"), Ok("false".into()));
    assert!(eval("1 == (0 // 0) == 1").is_err());
}
