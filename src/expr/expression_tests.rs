//! Owns the tests of expressions.

use super::*;
use proptest::prelude::*;

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

fn in_scope<T>(body: impl FnOnce(&mut Scope<'_>) -> T) -> T {
    let class: Arc<str> = "TodoUser".into();
    let mut random = Stream::new(9, 0, 4);
    let slots = slots();
    let response = Response { status: 204, ..Response::default() };
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
        ("nonsense()", "there is no function `nonsense`: there are: randint, choice, letters"),
        ("randint(1)", "`randint` takes 2 arguments, not 1: write `randint(low, high)`"),
        ("randint", "`randint` is a function: call it: `randint(low, high)`"),
        ("uuid()", "the function `uuid` is not supported yet: leave it out for now"),
        ("fake.name()", "the function `fake.name` is not supported yet: leave it out for now"),
        ("response.json.id", "`response.json.id` is not supported yet: leave it out for now"),
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

proptest! {
    /// The fast way against the slow obvious one: parentheses send the same text to MiniJinja.
    #[test]
    fn comparisons_agree_with_minijinja(
        left in prop::sample::select(vec!["5", "-1", "0", "id", "text", "'5'", "true", "none", "todos", "[5]", "response.status"]),
        operator in prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]),
        right in prop::sample::select(vec!["5", "4", "id", "'five'", "text", "false", "none", "[3]", "204"]),
    ) {
        let fast = eval(&format!("{left} {operator} {right}"));
        let slow = eval(&format!("({left} {operator} {right})"));
        prop_assert_eq!(fast, slow);
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
