//! Owns the functions that an expression can call, in one table.

use std::borrow::Cow;
use std::sync::Arc;

use super::encoding::{is_unreserved, percent};
use super::operators::too_large;
use super::scope::Run;
use super::value::TEXT_MOST;
use super::{EvalError, Value, fakes};
use crate::random::Stream;

/// A function of the plan language.
pub struct Function {
    /// As it is written.
    pub name: &'static str,
    /// Its arguments, as documentation shows them.
    pub arguments: &'static str,
    /// How many arguments it takes without a name: at least, at most.
    pub arity: (usize, usize),
    /// The arguments that are given by name, as `as='hex'`; each may be left out.
    pub keywords: &'static [&'static str],
    /// What it gives.
    pub description: &'static str,
    /// A call as it may stand between braces.
    pub example: &'static str,
    /// The same arguments always give the same value.
    pub(super) pure: bool,
    pub(super) call: Call,
}

/// How a function is called. Keywords stand behind the positions; one that is not given is null,
/// or no bytes.
pub(super) enum Call {
    Values(Values),
    /// The arguments are the bytes of texts.
    Bytes(fn(&[Bytes<'_>]) -> Result<Value, EvalError>),
}

/// What functions have beside their arguments.
pub(super) struct Tools<'a> {
    pub(super) random: &'a mut Stream,
    pub(super) run: &'a Run,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

type Bytes<'a> = Cow<'a, [u8]>;
type Values = fn(&[Value], &mut Tools<'_>) -> Result<Value, EvalError>;

const fn random(
    name: &'static str,
    arguments: &'static str,
    arity: usize,
    call: Values,
    description: &'static str,
    example: &'static str,
) -> Function {
    Function {
        name,
        arguments,
        arity: (arity, arity),
        keywords: &[],
        description,
        example,
        pure: false,
        call: Call::Values(call),
    }
}

const fn pure(
    name: &'static str,
    arguments: &'static str,
    arity: usize,
    keywords: &'static [&'static str],
    call: Call,
    description: &'static str,
    example: &'static str,
) -> Function {
    let arity = (arity, arity);
    Function { name, arguments, arity, keywords, description, example, pure: true, call }
}

const fn fake(
    name: &'static str,
    call: Values,
    description: &'static str,
    example: &'static str,
) -> Function {
    random(name, "", 0, call, description, example)
}

/// Every function there is.
pub const FUNCTIONS: &[Function] = &[
    random(
        "randint",
        "low, high",
        2,
        randint,
        "a whole number from low to high, both included",
        "randint(1, 6)",
    ),
    random(
        "randfloat",
        "low, high",
        2,
        randfloat,
        "a number from low up to high",
        "randfloat(0, 1)",
    ),
    random("choice", "list", 1, choice, "one item of a list, at random", "choice(['red', 'blue'])"),
    random(
        "sample",
        "list, count",
        2,
        sample,
        "so many different items of a list, in random order",
        "sample([1, 2, 3], 2)",
    ),
    random("uuid", "", 0, uuid, "a random UUID (version 4)", "uuid()"),
    random("hex", "count", 1, hex, "so many hexadecimal digits, at random", "hex(16)"),
    random("letters", "count", 1, letters, "so many small letters, at random", "letters(8)"),
    random(
        "now",
        "",
        0,
        now,
        "the time of day in UTC, to the millisecond, as RFC 3339 has it",
        "now()",
    ),
    random("timestamp", "", 0, timestamp, "the seconds since 1970", "timestamp()"),
    random("timestamp_ms", "", 0, timestamp_ms, "the milliseconds since 1970", "timestamp_ms()"),
    random(
        "counter",
        "name",
        1,
        counter,
        "1, then 2, and so on: a number that no other call in the run with this name gives; workers that count thousands a second leave some out",
        "counter('orders')",
    ),
    pure(
        "base64",
        "text",
        1,
        &[],
        Call::Bytes(base64),
        "the text in Base64",
        "base64('user:pass')",
    ),
    pure(
        "sha256",
        "text",
        1,
        &[],
        Call::Bytes(sha256),
        "the SHA-256 of the text, in hexadecimal",
        "sha256('text')",
    ),
    pure(
        "hmac_sha256",
        "key, text, as='hex'",
        2,
        &["as"],
        Call::Bytes(hmac_sha256),
        "the HMAC-SHA-256 of the text with the key, `as='hex'` or `as='base64'`",
        "hmac_sha256('key', 'text', as='base64')",
    ),
    pure(
        "urlencode",
        "text",
        1,
        &[],
        Call::Bytes(urlencode),
        "the text with everything but letters, digits and `-._~` percent-encoded",
        "urlencode('a&b')",
    ),
    pure("json", "value", 1, &[], Call::Values(json), "the value as JSON", "json({'a': 1})"),
    fake("fake.name", fakes::name, "a person's name", "fake.name()"),
    fake("fake.first_name", fakes::first_name, "a first name", "fake.first_name()"),
    fake("fake.last_name", fakes::last_name, "a last name", "fake.last_name()"),
    fake(
        "fake.username",
        fakes::username,
        "a user name: small letters, digits and dots",
        "fake.username()",
    ),
    fake(
        "fake.email",
        fakes::email,
        "an address at example.com, example.org or example.net, which nobody has",
        "fake.email()",
    ),
    fake(
        "fake.password",
        fakes::password,
        "a password with letters, digits and signs",
        "fake.password()",
    ),
    fake("fake.phone", fakes::phone, "a telephone number that nobody has", "fake.phone()"),
    fake("fake.company", fakes::company, "a company's name", "fake.company()"),
    fake("fake.job", fakes::job, "a job's title", "fake.job()"),
    fake("fake.street", fakes::street, "a street with a number", "fake.street()"),
    fake("fake.city", fakes::city, "a city", "fake.city()"),
    fake("fake.postcode", fakes::postcode, "five digits", "fake.postcode()"),
    fake("fake.state", fakes::state, "a state of the United States", "fake.state()"),
    fake("fake.country", fakes::country, "a country", "fake.country()"),
    fake(
        "fake.country_code",
        fakes::country_code,
        "a country's two letters",
        "fake.country_code()",
    ),
    fake("fake.word", fakes::word, "a word", "fake.word()"),
    fake("fake.sentence", fakes::sentence, "a sentence of four to ten words", "fake.sentence()"),
    fake("fake.paragraph", fakes::paragraph, "three to six sentences", "fake.paragraph()"),
    fake("fake.url", fakes::url, "an address at example.com", "fake.url()"),
    fake("fake.ip", fakes::ip, "an IPv4 address", "fake.ip()"),
    fake("fake.ipv6", fakes::ipv6, "an IPv6 address", "fake.ipv6()"),
    fake("fake.user_agent", fakes::user_agent, "what a browser calls itself", "fake.user_agent()"),
    fake("fake.date", fakes::date, "a day between 1970 and 2030, as `2001-02-03`", "fake.date()"),
    fake("fake.boolean", fakes::boolean, "true or false", "fake.boolean()"),
    fake("fake.color", fakes::color, "a color, as `#1a2b3c`", "fake.color()"),
];

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

fn wrong(function: &str, wants: &str, got: &Value) -> EvalError {
    EvalError(format!("{function} wants {wants}, not {}", got.kind()))
}

fn randint(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    match arguments {
        [Value::Int(low), Value::Int(high)] if low <= high => {
            Ok(Value::Int(tools.random.between(*low, *high)))
        }
        [Value::Int(_), Value::Int(_)] => {
            Err(EvalError("randint wants its lower end first".into()))
        }
        [Value::Int(_), other] | [other, _] => Err(wrong("randint", "two whole numbers", other)),
        _ => Err(EvalError("randint wants two whole numbers".into())),
    }
}

fn randfloat(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    let number = |value: &Value| match value {
        Value::Int(value) => Ok(*value as f64),
        Value::Large(value) => Ok(*value as f64),
        Value::Float(value) => Ok(*value),
        other => Err(wrong("randfloat", "two numbers", other)),
    };
    let (low, high) = (number(&arguments[0])?, number(&arguments[1])?);
    if low > high {
        return Err(EvalError("randfloat wants its lower end first".into()));
    }
    // Weighing both ends cannot overflow, as their difference can.
    let part = tools.random.fraction();
    Ok(Value::Float((low * (1.0 - part) + high * part).clamp(low, high)))
}

fn choice(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    match arguments {
        [Value::List(items)] if items.is_empty() => {
            Err(EvalError("choice from an empty list: guard it with `when:`".into()))
        }
        [Value::List(items)] => Ok(items[tools.random.below(items.len())].clone()),
        [other, ..] => Err(wrong("choice", "a list", other)),
        [] => Err(EvalError("choice wants a list".into())),
    }
}

fn sample(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    let (items, count) = match arguments {
        [Value::List(items), Value::Int(count)] => (items, *count),
        [Value::List(_), other, ..] => return Err(wrong("sample", "a whole number", other)),
        [other, ..] => return Err(wrong("sample", "a list", other)),
        [] => return Err(EvalError("sample wants a list".into())),
    };
    let count = usize::try_from(count).ok().filter(|count| *count <= items.len());
    let Some(count) = count else {
        return Err(EvalError("sample wants a count from 0 to the length of the list".into()));
    };
    // The first steps of a Fisher-Yates shuffle, without touching the rest of the list.
    let mut moved = std::collections::HashMap::new();
    let picked = (0..count).map(|at| {
        let other = at + tools.random.below(items.len() - at);
        let picked = *moved.get(&other).unwrap_or(&other);
        let here = *moved.get(&at).unwrap_or(&at);
        moved.insert(other, here);
        items[picked].clone()
    });
    Ok(Value::List(Arc::new(picked.collect())))
}

fn uuid(_: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    let mut bytes = [0; 16];
    tools.random.fill(&mut bytes);
    // RFC 9562, 5.4: the version and the variant.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        push_hex(*byte, &mut text);
    }
    Ok(Value::Text(text.into()))
}

fn push_hex(byte: u8, text: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.push(DIGITS[usize::from(byte >> 4)]);
    text.push(DIGITS[usize::from(byte & 15)]);
}

fn in_hex(bytes: &[u8]) -> Value {
    let mut text = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|byte| push_hex(*byte, &mut text));
    Value::Text(text.into())
}

/// How many signs a function is asked for.
fn count(function: &str, arguments: &[Value]) -> Result<usize, EvalError> {
    match arguments {
        [Value::Int(count)] if (0..=TEXT_MOST as i64).contains(count) => Ok(*count as usize),
        [Value::Int(_) | Value::Large(_)] => {
            Err(EvalError(format!("{function} wants a count from 0 to {TEXT_MOST}")))
        }
        [other, ..] => Err(wrong(function, "a whole number", other)),
        [] => Err(EvalError(format!("{function} wants a count"))),
    }
}

fn hex(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    let count = count("hex", arguments)?;
    let mut bytes = vec![0; count.div_ceil(2)];
    tools.random.fill(&mut bytes);
    let mut text = String::with_capacity(count + 1);
    bytes.iter().for_each(|byte| push_hex(*byte, &mut text));
    text.truncate(count);
    Ok(Value::Text(text.into()))
}

fn letters(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    let count = count("letters", arguments)?;
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // Thirteen letters from one number: 26^13 is below 2^62.
        let mut bits = tools.random.between(0, 26i64.pow(13) - 1);
        for _ in 0..13.min(count - text.len()) {
            text.push(char::from(b'a' + (bits % 26) as u8));
            bits /= 26;
        }
    }
    Ok(Value::Text(Arc::from(text)))
}

fn now(_: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    Ok(Value::Text(format!("{:.3}", tools.run.now()).into()))
}

fn timestamp(_: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    Ok(Value::Int(tools.run.now().as_second()))
}

fn timestamp_ms(_: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    Ok(Value::Int(tools.run.now().as_millisecond()))
}

fn counter(arguments: &[Value], tools: &mut Tools<'_>) -> Result<Value, EvalError> {
    match arguments {
        [Value::Text(name)] => match tools.run.count(name) {
            Some(number) => Ok(Value::Int(number as i64)),
            None => Err(EvalError("a run has 10000 counters at most: name few of them".into())),
        },
        [other, ..] => Err(wrong("counter", "a name", other)),
        [] => Err(EvalError("counter wants a name".into())),
    }
}

fn base64(arguments: &[Bytes<'_>]) -> Result<Value, EvalError> {
    use base64::Engine;
    if arguments[0].len() > TEXT_MOST / 4 * 3 {
        return Err(too_large("a text", TEXT_MOST));
    }
    Ok(Value::Text(base64::prelude::BASE64_STANDARD.encode(&arguments[0]).into()))
}

fn sha256(arguments: &[Bytes<'_>]) -> Result<Value, EvalError> {
    use sha2::Digest;
    Ok(in_hex(&sha2::Sha256::digest(&arguments[0])))
}

fn hmac_sha256(arguments: &[Bytes<'_>]) -> Result<Value, EvalError> {
    use hmac::{KeyInit, Mac};
    let as_base64 = match arguments.get(2).map_or(&b""[..], |way| way) {
        b"" | b"hex" => false,
        b"base64" => true,
        _ => return Err(EvalError("hmac_sha256 gives `as='hex'` or `as='base64'`".into())),
    };
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&arguments[0])
        .expect("a key of any length will do");
    mac.update(&arguments[1]);
    let code = mac.finalize().into_bytes();
    if as_base64 { base64(&[Cow::Borrowed(&code)]) } else { Ok(in_hex(&code)) }
}

fn urlencode(arguments: &[Bytes<'_>]) -> Result<Value, EvalError> {
    if arguments[0].len() > TEXT_MOST / 3 {
        return Err(too_large("a text", TEXT_MOST));
    }
    let mut out = Vec::with_capacity(arguments[0].len());
    percent(&arguments[0], is_unreserved, &mut out);
    Ok(Value::Text(String::from_utf8_lossy(&out).as_ref().into()))
}

fn json(arguments: &[Value], _: &mut Tools<'_>) -> Result<Value, EvalError> {
    let mut out = Vec::new();
    arguments[0].put_json(&mut out)?;
    Ok(Value::Text(String::from_utf8_lossy(&out).as_ref().into()))
}

#[cfg(test)]
#[path = "functions_tests.rs"]
mod tests;
