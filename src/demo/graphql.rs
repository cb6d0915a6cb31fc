//! Owns the GraphQL door to the todos: `todo`, `todos` and `createTodo`, without fragments.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, ok, value};
use super::asked::{Asked, required};
use super::routes::Api;
use super::store::Todo;

/// Selections and values nest no deeper.
const DEPTH: usize = 16;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Value(Value),
    Mark(char),
}

/// A field that is asked for.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    alias: String,
    name: String,
    arguments: Map<String, Value>,
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq)]
struct Operation {
    mutation: bool,
    fields: Vec<Field>,
}

/// Answers a query. What is wrong with a query comes as `errors` with status 200, as it does from
/// most servers; a document that cannot be read is status 400.
pub(super) fn answer(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let sent = asked.fields()?;
    let variables = sent.get("variables").and_then(Value::as_object).cloned().unwrap_or_default();
    let text = match sent.get("query") {
        // A document is longer than other texts.
        Some(Value::String(text)) => text.clone(),
        _ => required(&sent, "query")?,
    };
    let operation = match parse(&text, &variables) {
        Ok(operation) => operation,
        Err(message) => return Ok(value(StatusCode::BAD_REQUEST, &errors(&message))),
    };
    let mut data = Map::new();
    for field in &operation.fields {
        match resolve(api, operation.mutation, field) {
            Ok(found) => data.insert(field.alias.clone(), found),
            Err(message) => return Ok(ok(&errors(&message))),
        };
    }
    Ok(ok(&json!({ "data": data })))
}

fn errors(message: &str) -> Value {
    json!({ "errors": [{ "message": message }] })
}

fn resolve(api: &Api, mutation: bool, field: &Field) -> Result<Value, String> {
    let root = if mutation { "Mutation" } else { "Query" };
    let stored = |bytes: bytes::Bytes| serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    match (mutation, field.name.as_str()) {
        (_, "__typename") => Ok(json!(root)),
        (false, "todo") => {
            let id = match argument(field, "id")? {
                Value::Number(id) => id.as_i64(),
                Value::String(id) => id.parse().ok(),
                _ => None,
            };
            let id = id.ok_or_else(|| "Argument \"id\" of \"todo\" is no id.".to_owned())?;
            pick(api.store().get(id).map_or(Value::Null, stored), field)
        }
        (false, "todos") => {
            let limit = field.arguments.get("limit").and_then(Value::as_u64).unwrap_or(10).min(100);
            match stored(api.store().list(0, limit as usize)) {
                Value::Array(all) => all.into_iter().map(|todo| pick(todo, field)).collect(),
                other => Ok(other),
            }
        }
        (true, "createTodo") => {
            let text = |name: &str, value: &Value| match value {
                Value::String(text) => Ok(text.clone()),
                _ => Err(format!("Argument \"{name}\" of \"createTodo\" is no String.")),
            };
            let title = text("title", argument(field, "title")?)?;
            let description = match field.arguments.get("description") {
                None | Some(Value::Null) => None,
                Some(value) => Some(text("description", value)?),
            };
            let completed = field.arguments.get("completed").and_then(Value::as_bool);
            let completed = Some(completed.unwrap_or(false));
            let todo = Todo { title: Some(title), description, completed };
            // Looked at first: a query that is wrong changes nothing.
            pick(json!({}), field)?;
            pick(stored(api.store().create(todo)), field)
        }
        (_, name) => Err(format!("Cannot query field \"{name}\" on type \"{root}\".")),
    }
}

fn argument<'a>(field: &'a Field, name: &str) -> Result<&'a Value, String> {
    field.arguments.get(name).filter(|value| !value.is_null()).ok_or_else(|| {
        format!("Field \"{}\" argument \"{name}\" is required, but it was not given.", field.name)
    })
}

/// Of a todo what is asked for.
fn pick(todo: Value, asked: &Field) -> Result<Value, String> {
    if asked.fields.is_empty() {
        let name = &asked.name;
        return Err(format!(
            "Field \"{name}\" of type \"Todo\" must have a selection of subfields."
        ));
    }
    let mut picked = Map::new();
    for field in &asked.fields {
        let value = match field.name.as_str() {
            "__typename" => json!("Todo"),
            name @ ("id" | "title" | "description" | "completed") => {
                todo.get(name).cloned().unwrap_or(Value::Null)
            }
            name => return Err(format!("Cannot query field \"{name}\" on type \"Todo\".")),
        };
        if !field.fields.is_empty() {
            return Err(format!("Field \"{}\" must not have a selection.", field.name));
        }
        picked.insert(field.alias.clone(), value);
    }
    Ok(if todo.is_null() { todo } else { Value::Object(picked) })
}

/// The first operation of a document.
fn parse(text: &str, variables: &Map<String, Value>) -> Result<Operation, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, variables: variables.clone() };
    let mut mutation = false;
    if let Some(Token::Name(kind)) = reader.peek().cloned() {
        mutation = kind == "mutation";
        if !mutation && kind != "query" {
            return Err(format!("Syntax Error: Unexpected Name \"{kind}\"."));
        }
        reader.at += 1;
        if let Some(Token::Name(_)) = reader.peek() {
            reader.at += 1;
        }
        if reader.takes('(') {
            reader.declarations()?;
        }
    }
    let fields = reader.selection(0)?;
    Ok(Operation { mutation, fields })
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    variables: Map<String, Value>,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.takes(mark) { Ok(()) } else { Err(self.wrong(&format!("\"{mark}\""))) }
    }

    fn wrong(&self, expected: &str) -> String {
        let found = match self.peek() {
            None => "<EOF>".to_owned(),
            Some(Token::Name(name)) => format!("Name \"{name}\""),
            Some(Token::Value(value)) => value.to_string(),
            Some(Token::Mark(mark)) => format!("\"{mark}\""),
        };
        format!("Syntax Error: Expected {expected}, found {found}.")
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.wrong("Name")),
        }
    }

    /// `$id: Int! = 1, …)`: of the types nothing is asked, the defaults count.
    fn declarations(&mut self) -> Result<(), String> {
        while !self.takes(')') {
            self.expect('$')?;
            let name = self.name()?;
            self.expect(':')?;
            let lists = std::iter::from_fn(|| self.takes('[').then_some(())).count();
            self.name()?;
            self.takes('!');
            for _ in 0..lists {
                self.expect(']')?;
                self.takes('!');
            }
            if self.takes('=') {
                let default = self.value(0)?;
                self.variables.entry(name).or_insert(default);
            }
        }
        Ok(())
    }

    fn selection(&mut self, depth: usize) -> Result<Vec<Field>, String> {
        if depth > DEPTH {
            return Err("The query is too deep.".into());
        }
        self.expect('{')?;
        let mut fields = Vec::new();
        while !self.takes('}') {
            let alias = self.name()?;
            let name = if self.takes(':') { self.name()? } else { alias.clone() };
            let mut arguments = Map::new();
            if self.takes('(') {
                while !self.takes(')') {
                    let name = self.name()?;
                    self.expect(':')?;
                    arguments.insert(name, self.value(0)?);
                }
            }
            let nested = self.peek() == Some(&Token::Mark('{'));
            let inner = if nested { self.selection(depth + 1)? } else { Vec::new() };
            fields.push(Field { alias, name, arguments, fields: inner });
        }
        Ok(fields)
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEPTH {
            return Err("The query is too deep.".into());
        }
        if self.takes('$') {
            let name = self.name()?;
            return Ok(self.variables.get(&name).cloned().unwrap_or(Value::Null));
        }
        if self.takes('[') {
            let mut list = Vec::new();
            while !self.takes(']') {
                list.push(self.value(depth + 1)?);
            }
            return Ok(Value::Array(list));
        }
        if self.takes('{') {
            let mut fields = Map::new();
            while !self.takes('}') {
                let name = self.name()?;
                self.expect(':')?;
                fields.insert(name, self.value(depth + 1)?);
            }
            return Ok(Value::Object(fields));
        }
        let value = match self.peek() {
            Some(Token::Value(value)) => value.clone(),
            Some(Token::Name(name)) => match name.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Value::Null,
                other => json!(other),
            },
            _ => return Err(self.wrong("a value")),
        };
        self.at += 1;
        Ok(value)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' if rest.starts_with("\"\"\"") => {
                let end = rest[3..].find("\"\"\"").ok_or("Syntax Error: Unterminated string.")?;
                found.push(Token::Value(json!(rest[3..3 + end].trim())));
                end + 6
            }
            '"' => {
                let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                match texts.next() {
                    Some(Ok(text)) => found.push(Token::Value(json!(text))),
                    _ => return Err("Syntax Error: Unterminated string.".into()),
                }
                texts.byte_offset()
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                let end = rest.find(word).unwrap_or(rest.len());
                found.push(Token::Name(rest[..end].to_owned()));
                end
            }
            c if c.is_ascii_digit() || c == '-' => {
                let digit = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '+');
                let end = rest.find(digit).unwrap_or(rest.len());
                let number: serde_json::Number = rest[..end]
                    .parse()
                    .map_err(|_| format!("Syntax Error: Invalid number \"{}\".", &rest[..end]))?;
                found.push(Token::Value(Value::Number(number)));
                end
            }
            c if "{}()[]:!$=@|&".contains(c) => {
                found.push(Token::Mark(c));
                1
            }
            c => return Err(format!("Syntax Error: Unexpected character: \"{c}\".")),
        };
        rest = &rest[length..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_read_with_its_variables() {
        let variables = json!({ "id": 7 }).as_object().cloned().unwrap();
        let text = "query One($id: ID!, $n: [Int!]! = [1, 2]) { # a comment\n a: todo(id: $id, n: $n, s: \"x\\\"\", o: {k: RED}) { id title } }";
        let operation = parse(text, &variables).unwrap();
        assert!(!operation.mutation);
        let [field] = operation.fields.as_slice() else { panic!("{operation:?}") };
        assert_eq!((field.alias.as_str(), field.name.as_str()), ("a", "todo"));
        let arguments = json!({ "id": 7, "n": [1, 2], "s": "x\"", "o": { "k": "RED" } });
        assert_eq!(Value::Object(field.arguments.clone()), arguments);
        let names: Vec<_> = field.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["id", "title"]);
        assert!(
            parse("mutation { createTodo(title: \"\"\"a\"\"\") { id } }", &variables)
                .unwrap()
                .mutation
        );
    }

    #[test]
    fn a_mistake_says_what_was_expected() {
        for (text, message) in [
            ("{ todo(id 1) { id } }", "Syntax Error: Expected \":\", found 1."),
            ("{ todo", "Syntax Error: Expected Name, found <EOF>."),
            ("subscription { x }", "Syntax Error: Unexpected Name \"subscription\"."),
            ("{ todo(id: \"1) }", "Syntax Error: Unterminated string."),
            ("{ todo(id: 1x) }", "Syntax Error: Invalid number \"1x\"."),
        ] {
            assert_eq!(parse(text, &Map::new()), Err(message.to_owned()), "{text}");
        }
        let deep = "{ a ".repeat(10_000);
        assert_eq!(parse(&deep, &Map::new()), Err("The query is too deep.".to_owned()));
    }

    proptest! {
        #[test]
        fn no_document_makes_it_stumble(text in "[{}()\\[\\]:!$=a1 \"\\\\,-]{0,60}") {
            let _ = parse(&text, &Map::new());
        }
    }
}
