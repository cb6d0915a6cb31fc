//! Owns the tests of functions.

use std::time::Duration;

use super::*;
use crate::expr::{Expression, Names, Scope, Written};

fn run() -> Run {
    let wall = "2026-01-02T03:04:05.678Z".parse().unwrap();
    Run::new("r1", tokio::time::Instant::now(), wall)
}

fn in_run(
    text: &str,
    seed: u64,
    run: &Run,
    request: Option<&Written<'_>>,
) -> Result<Value, String> {
    let expression = Expression::parse_in_header(text, &Names::default())
        .map_err(|errors| errors[0].title.clone())?;
    let class: Arc<str> = "U".into();
    let mut scope = Scope {
        slots: &[],
        response: None,
        request,
        user_id: 1,
        user_class: &class,
        user_iteration: 0,
        run,
        random: &mut Stream::new(seed, 0, 0),
    };
    expression.eval(&mut scope).map_err(|error| error.to_string())
}

fn eval(text: &str) -> String {
    match in_run(text, 1, &run(), None) {
        Ok(Value::Text(text)) => text.to_string(),
        Ok(other) => serde_json::to_string(&other).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

/// FIPS 180-2 (B.1), RFC 4231 (test case 2), RFC 4648 (10).
#[test]
fn digests_and_codes_are_those_of_the_standards() {
    for (text, want) in [
        ("sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "hmac_sha256('Jefe', 'what do ya want for nothing?')",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            "hmac_sha256('Jefe', 'what do ya want for nothing?', as='base64')",
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
        ),
        ("base64('fooba')", "Zm9vYmE="),
        ("base64(12)", "MTI="),
        ("urlencode('a b&c=é/~')", "a%20b%26c%3D%C3%A9%2F~"),
        ("json({'a': [1, true, none, 'x\"']})", r#"{"a":[1,true,null,"x\""]}"#),
        ("json('x')", "\"x\""),
    ] {
        assert_eq!(eval(text), want, "{text}");
        let parsed = Expression::parse(text, &Names::default()).unwrap();
        assert!(parsed.constant().is_some(), "{text} is the same for all users");
    }
}

#[test]
fn a_body_that_is_no_text_is_signed_byte_for_byte() {
    let body = [0xff, 0x00, 0xfe, b'a'];
    let request = Written { method: "PUT", path: "/x?y=1", body: &body };
    let eval = |text: &str| match in_run(text, 1, &run(), Some(&request)).unwrap() {
        Value::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    let Value::Text(of_body) = in_hex(&<sha2::Sha256 as sha2::Digest>::digest(body)) else {
        panic!()
    };
    assert_eq!(eval("sha256(request.body)"), &*of_body);
    assert_eq!(eval("base64(request.body)"), "/wD+YQ==");
    assert_eq!(eval("base64(request.method ~ ' ' ~ request.path ~ request.body)"), {
        use base64::Engine;
        base64::prelude::BASE64_STANDARD.encode(b"PUT /x?y=1\xff\x00\xfea")
    });
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(b"k").unwrap();
    hmac::Mac::update(&mut mac, &body);
    let Value::Text(code) = in_hex(&hmac::Mac::finalize(mac).into_bytes()) else { panic!() };
    assert_eq!(eval("hmac_sha256('k', request.body, as='hex')"), &*code);
    assert_eq!(eval("urlencode(request.body)"), "%FF%00%FEa");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_day_follows_the_clock_of_the_run() {
    let run = run();
    let now = |text: &str| serde_json::to_string(&in_run(text, 1, &run, None).unwrap()).unwrap();
    assert_eq!(now("now()"), "\"2026-01-02T03:04:05.678Z\"");
    assert_eq!(now("run.elapsed_s"), "0.0");
    tokio::time::advance(Duration::from_millis(1_500)).await;
    assert_eq!(now("now()"), "\"2026-01-02T03:04:07.178Z\"");
    assert_eq!(now("timestamp()"), "1767323047");
    assert_eq!(now("timestamp_ms()"), "1767323047178");
    assert_eq!(now("run.elapsed_s"), "1.5");
    assert_eq!(now("run.id"), "\"r1\"");
}

/// The seconds of users are those of the results: what ran before them is in neither.
#[tokio::test(start_paused = true)]
async fn the_time_of_users_begins_with_them() {
    let run = run();
    tokio::time::advance(Duration::from_secs(20)).await;
    for of_several in [false, true] {
        let users = run.of_worker(tokio::time::Instant::now(), of_several);
        let now = |text: &str| in_run(text, 1, &users, None).unwrap();
        assert_eq!(now("run.elapsed_s"), Value::Float(0.0));
        assert_eq!(now("now()"), Value::Text("2026-01-02T03:04:25.678Z".into()));
        assert_eq!(now("run.id"), Value::Text("r1".into()));
    }
}

#[test]
fn a_counter_counts_for_all_users_of_a_run() {
    let run = run();
    let next = |text: &str, seed| in_run(text, seed, &run, None).unwrap();
    assert_eq!(next("counter('a')", 1), Value::Int(1));
    assert_eq!(next("counter('a')", 2), Value::Int(2));
    assert_eq!(next("counter('b')", 2), Value::Int(1));
    let threads = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..100).map(|_| run.count("c").unwrap()).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut numbers = threads;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=400).collect::<Vec<_>>());
    let (mut named, mut refused) = (0, 0);
    for name in 0..10_100 {
        *(if run.count(&name.to_string()).is_some() { &mut named } else { &mut refused }) += 1;
    }
    assert_eq!((named, refused), (9_997, 103));
}

#[test]
fn every_example_works_and_the_seed_decides_what_is_drawn() {
    for function in FUNCTIONS {
        let name = function.name;
        assert!(function.example.contains(&format!("{name}(")), "{name}");
        let draw = |seed| in_run(function.example, seed, &run(), None);
        // The clock goes on between two draws.
        if name.starts_with("now") || name.starts_with("timestamp") {
            draw(1).unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        let first = draw(1).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(draw(1), Ok(first.clone()), "{name}");
        let others = (2..40).filter(|seed| draw(*seed) != Ok(first.clone())).count();
        assert_eq!(others == 0, function.pure || name == "counter", "{name}: {first:?}");
    }
}

#[test]
fn made_up_people_are_nobody() {
    for seed in 0..500 {
        let text = |call: &str| match in_run(call, seed, &run(), None).unwrap() {
            Value::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        let email = text("fake.email()");
        let (user, domain) = email.split_once('@').unwrap();
        assert!(matches!(domain, "example.com" | "example.org" | "example.net"), "{email}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
        assert!(!user.is_empty() && user.chars().all(plain), "{email}");
        assert!(text("fake.phone()").contains("-555-01"));
        assert!(text("fake.url()").starts_with("https://example.com/"));
        assert!(text("fake.date()").parse::<jiff::civil::Date>().is_ok());
        for function in FUNCTIONS.iter().filter(|function| function.name.starts_with("fake.")) {
            let value = in_run(function.example, seed, &run(), None).unwrap();
            assert_ne!(value, Value::Text("".into()), "{}", function.name);
        }
    }
}

#[test]
fn drawn_texts_have_their_shape() {
    for seed in 0..50 {
        let Value::Text(uuid) = in_run("uuid()", seed, &run(), None).unwrap() else { panic!() };
        let shape: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        let Value::Text(hex) = in_run("hex(7)", seed, &run(), None).unwrap() else { panic!() };
        assert!(hex.len() == 7 && hex.chars().all(|c| c.is_ascii_hexdigit()), "{hex}");
        let Value::Float(drawn) = in_run("randfloat(-1.5, 2)", seed, &run(), None).unwrap() else {
            panic!()
        };
        assert!((-1.5..=2.0).contains(&drawn));
        let Value::List(list) = in_run("sample([1, 2, 3, 4], 3)", seed, &run(), None).unwrap()
        else {
            panic!()
        };
        let mut numbers: Vec<_> =
            list.iter().map(|item| serde_json::to_string(item).unwrap()).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 3, "{list:?}");
    }
    for count in [0, 1, 12, 13, 14, 2000] {
        assert_eq!(eval(&format!("letters({count})")).len(), count);
        assert_eq!(eval(&format!("hex({count})")).len(), count);
    }
    let text = eval("letters(2000)");
    assert!(('a'..='z').all(|letter| text.contains(letter)));
}

#[test]
fn a_wrong_argument_is_named() {
    for (text, want) in [
        ("randint(1, '9')", "error: randint wants two whole numbers, not text"),
        ("randfloat(2, 1)", "error: randfloat wants its lower end first"),
        ("choice([])", "error: choice from an empty list: guard it with `when:`"),
        ("choice(1)", "error: choice wants a list, not a number"),
        ("sample([1], 2)", "error: sample wants a count from 0 to the length of the list"),
        ("sample(1, 2)", "error: sample wants a list, not a number"),
        ("hex(-1)", "error: hex wants a count from 0 to 1048576"),
        ("letters('a')", "error: letters wants a whole number, not text"),
        ("counter(1)", "error: counter wants a name, not a number"),
        ("hmac_sha256('k')", "error: `hmac_sha256` takes 2 arguments, not 1"),
        ("hmac_sha256('k', 't', 'hex')", "error: `hmac_sha256` takes 2 arguments, not 3"),
        ("base64(text='a')", "error: `base64` has no argument called `text`"),
    ] {
        assert_eq!(eval(text), want, "{text}");
    }
}
