//! Owns explaining a judgement: of each rule what was asked, what was seen, and whether it held.

use std::time::Duration;

use super::instruction::Request;
use super::judge::{Found, Judgement, NO_JSON, NOTHING, described, short};
use super::mind::Mind;
use super::rules::{AcceptRule, Capture, Expect, Matcher};
use crate::expr::{EvalError, Value};
use crate::metrics::Fault;

/// What one rule of a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Which kind of rule it is.
    pub part: Part,
    /// What was asked, as the plan has it: `200..299`, `$.completed equals true`. Of a capture what
    /// was kept: `id = 12`.
    pub asked: String,
    /// What was seen, short and in one line; empty when the rule itself says it all.
    pub seen: String,
    /// What came of it.
    pub came: Came,
}

/// A kind of rule, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The status is a success.
    Accept,
    /// Something that the answer must hold.
    Expect,
    /// A value that is kept of it.
    Capture,
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It held.
    Held,
    /// It broke.
    Broke,
    /// A rule before it ended the matter.
    NotJudged,
}

impl Part {
    /// Its key in a plan.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Expect => "expect",
            Self::Capture => "capture",
        }
    }
}

impl Request {
    /// Judges as [`Request::judge`] does, and explains it, a line for each rule. Every rule is there,
    /// in the order of the plan; without an answer there is none to explain.
    pub fn explain(
        &self,
        status: Result<u16, Fault>,
        mind: &mut Mind,
        cookie: &dyn Fn(&str) -> Option<String>,
    ) -> (Result<Judgement, EvalError>, Vec<Explained>) {
        let mut told = Some(Vec::new());
        let judged = self.judge_telling(status, mind, cookie, &mut told);
        let mut told = told.unwrap_or_default();
        if status.is_ok() {
            let rest = |part, asked: &str| Explained {
                part,
                asked: asked.to_owned(),
                seen: String::new(),
                came: Came::NotJudged,
            };
            let expects = self.expects.iter().map(|expect| rest(Part::Expect, &expect.asked));
            let captures = self.captures.iter().map(|capture| rest(Part::Capture, &capture.name));
            // The first line is that of `accept`.
            let known = told.len().saturating_sub(1);
            told.extend(expects.chain(captures).skip(known));
        }
        (judged, told)
    }

    /// The status is taken by `rule`, or no rule takes it.
    pub(super) fn accepted(&self, status: u16, rule: Option<&AcceptRule>) -> Explained {
        let good = self.accept.iter().filter(|rule| rule.fail.is_none());
        let asked: Vec<String> = good.map(|rule| rule.codes.to_string()).collect();
        let because = rule.and_then(|rule| rule.because.as_ref());
        let because = because.map(|because| format!(" ({because})")).unwrap_or_default();
        accept(asked.join(" or "), format!("{status}{because}"), rule.is_some())
    }
}

fn accept(asked: String, seen: String, held: bool) -> Explained {
    Explained { part: Part::Accept, asked, seen, came: came(held) }
}

fn came(held: bool) -> Came {
    if held { Came::Held } else { Came::Broke }
}

impl AcceptRule {
    /// The rule calls the status a failure; `shown` is its message when that has values in it.
    pub(super) fn failed(&self, status: u16, shown: Option<&str>) -> Explained {
        let shown = shown.map(|shown| format!(" ({shown})"));
        let seen = format!("{status}{}", shown.unwrap_or_default());
        accept(format!("{} is a failure", self.codes), seen, false)
    }
}

impl Expect {
    pub(super) fn explained(&self, holds: bool, seen: String) -> Explained {
        Explained { part: Part::Expect, asked: self.asked.clone(), seen, came: came(holds) }
    }
}

impl Explained {
    /// A rule whose expression failed; the error itself is told as the exception that it is.
    pub(super) fn unknown(part: Part, asked: &str) -> Self {
        let seen = "its expression failed".to_owned();
        Self { part, asked: asked.to_owned(), seen, came: Came::Broke }
    }

    /// With the values that templates of the rule came to.
    pub(super) fn wanting(mut self, wanted: Option<&[Value]>) -> Self {
        let wanted: Vec<String> = wanted.unwrap_or_default().iter().map(value_text).collect();
        if !wanted.is_empty() {
            self.asked += &format!(" ({})", wanted.join(", "));
        }
        self
    }
}

/// A value in one line: text in quotation marks, everything else as JSON has it.
fn value_text(value: &Value) -> String {
    described(value, &Matcher::Exists(true))
}

impl Capture {
    /// `found` is the value, or the number of the sentence that says what is missing.
    pub(super) fn explained(&self, found: Result<&Found, &u32>, mind: &Mind) -> Explained {
        let (name, from) = (&self.name, short(&self.from));
        let lacking = |seen: String| Explained {
            part: Part::Capture,
            asked: name.clone(),
            seen,
            came: Came::Broke,
        };
        let found = match found {
            Ok(found) => found,
            Err(number) if *number == self.not_json => return lacking(NO_JSON.to_owned()),
            Err(_) => return lacking(format!("{NOTHING} at {from}")),
        };
        let value = if self.secret { "***".to_owned() } else { value_text(&found.value) };
        let sign = if self.push { "+" } else { "=" };
        let origin = match (found.by_default, &mind.slots[self.slot]) {
            (true, _) => format!("by default, nothing at {from}"),
            (false, Some(Value::List(items))) if self.push && !items.is_empty() => {
                format!("from {from}, after {} in the list", items.len())
            }
            (false, _) => format!("from {from}"),
        };
        Explained {
            part: Part::Capture,
            asked: format!("{name} {sign} {value} ({origin})"),
            seen: String::new(),
            came: Came::Held,
        }
    }
}

/// A time as it was: `3.4 ms`, `734 ms`.
#[must_use]
pub fn time_text(time: Duration) -> String {
    match time.as_secs_f64() * 1e3 {
        ms @ ..99.95 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expr::Run;
    use crate::plan::{self, Target};
    use crate::program::{Class, Inputs, compile};
    use crate::random::Stream;

    /// The only class of a plan whose only request has these keys.
    fn class(keys: &str) -> Class {
        let indented = keys.lines().map(|line| format!("        {line}\n")).collect::<String>();
        let text = format!(
            "users:\n  A:\n    tasks:\n      t:\n        get: /a\n{indented}profiles: {{ p: {{ users: 1, hold: 1s }} }}\n"
        );
        let loaded = plan::parse("plan.yaml", &text);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let target = Some(Target::parse("http://target.test").unwrap());
        let inputs = Inputs { target, ..Inputs::default() };
        let compiled = compile(&plan, &loaded.sources, &inputs);
        compiled.unwrap_or_else(|mistakes| panic!("{mistakes:#?}")).program.classes.remove(0)
    }

    /// A user that was answered.
    fn mind(class: &Class, status: u16, body: &str) -> Mind {
        let wall = jiff::Timestamp::UNIX_EPOCH;
        let mut mind = Mind {
            slots: class.initial.clone(),
            random: Stream::new(1, 0, 0),
            response: Default::default(),
            answered: true,
            id: 1,
            iterations: 0,
            class: class.name.clone(),
            run: Arc::new(Run::new("run", tokio::time::Instant::now(), wall)),
        };
        mind.response.status = status;
        mind.response.body = body.as_bytes().to_vec();
        mind.response.size = body.len() as u64;
        mind.response.time = Duration::from_millis(734);
        mind
    }

    /// An answer to explain: its status, its body, and the values of variables before it.
    fn explained(keys: &str, status: u16, body: &str, known: &[(&str, Value)]) -> String {
        let class = class(keys);
        let mut mind = mind(&class, status, body);
        for (name, value) in known {
            mind.slots[class.names.find(name).unwrap()] = Some(value.clone());
        }
        let (judged, told) = class.requests[0].explain(Ok(status), &mut mind, &|_| None);
        let lines = told.iter().map(|rule| {
            let Explained { part, asked, seen, came } = rule;
            let seen = if seen.is_empty() { String::new() } else { format!(": {seen}") };
            format!("{came:?} {} {asked}{seen}\n", part.key())
        });
        let mut text: String = lines.collect();
        if let Err(error) = judged {
            text += &format!("{error}\n");
        }
        text
    }

    #[test]
    fn every_rule_is_told_with_what_was_seen() {
        let keys = r#"
accept: [201, 2xx]
expect:
  - { json: $.done, equals: true }
  - { json: $.items, length: 1.. }
  - { json: $.errors, exists: false }
  - { contains: milk }
  - { time: < 500ms }
  - { size: < 10KB }
  - { that: response.json.done, message: "not done" }
capture:
  id: $.id
  all: { json: "$.items[*]", push: true }
  size: { json: $.size, default: 7 }
  key: { json: $.id, secret: true }
"#;
        let body = r#"{"id": 12, "done": true, "items": ["milk", "tea"]}"#;
        insta::assert_snapshot!(explained(keys, 200, body, &[]), @r#"
        Held accept 201 or 2xx: 200
        Held expect $.done equals true: true
        Held expect $.items has a length of 1..: a length of 2
        Held expect $.errors does not exist: nothing
        Held expect body contains milk
        Broke expect time < 500ms: 734 ms
        Held expect size < 10000 B: 50 B
        Held expect response.json.done
        Held capture id = 12 (from $.id)
        Held capture all + "milk" (from $.items[*])
        Held capture size = 7 (by default, nothing at $.size)
        Held capture key = *** (from $.id)
        "#);
    }

    #[test]
    fn an_expect_that_breaks_hides_none_of_those_after_it() {
        let keys = r#"
expect:
  - { json: $.id, equals: "{{ wanted }}" }
  - { json: $.state, one_of: [done, "{{ wanted }}"] }
  - { json: $.missing, equals: 1 }
  - { that: "response.status == 201", message: "only {{ response.status }}" }
capture: { wanted: $.id }
"#;
        let body = r#"{"id": 13, "state": "done"}"#;
        insta::assert_snapshot!(explained(keys, 200, body, &[("wanted", Value::Int(12))]), @r#"
        Held accept below 400: 200
        Broke expect $.id equals {{ wanted }} (12): 13
        Held expect $.state is one of done, {{ wanted }} (12): "done"
        Broke expect $.missing equals 1: nothing
        Broke expect response.status == 201: only 200
        Held capture wanted = 13 (from $.id)
        "#);
    }

    #[test]
    fn what_stands_behind_a_broken_rule_is_told_as_not_looked_at() {
        let keys = r#"
accept: [2xx, { status: 404, because: gone already }, { status: 5xx, fail: "broke on {{ id }}" }]
expect: { json: $.a, exists: true }
capture: { id: $.id, other: $.other }
"#;
        let id = [("id", Value::Int(3))];
        insta::assert_snapshot!(explained(keys, 403, "{}", &id), @r"
        Broke accept 2xx or 404: 403
        NotJudged expect $.a exists
        NotJudged capture id
        NotJudged capture other
        ");
        insta::assert_snapshot!(explained(keys, 503, "{}", &id), @r"
        Broke accept 5xx is a failure: 503 (broke on 3)
        NotJudged expect $.a exists
        NotJudged capture id
        NotJudged capture other
        ");
        insta::assert_snapshot!(explained(keys, 404, r#"{"a": 1}"#, &id), @r"
        Held accept 2xx or 404: 404 (gone already)
        Held expect $.a exists: 1
        Broke capture id: nothing at $.id
        NotJudged capture other
        ");
        insta::assert_snapshot!(explained(keys, 200, "<html>", &id), @r"
        Held accept 2xx or 404: 200
        Broke expect $.a exists: the answer is no JSON
        Broke capture id: the answer is no JSON
        NotJudged capture other
        ");
    }

    #[test]
    fn an_expression_that_fails_is_told_at_its_rule() {
        let keys = "expect: { that: response.json.id / 0 > 1 }\ncapture: { id: $.id }";
        insta::assert_snapshot!(explained(keys, 200, r#"{"id": 1}"#, &[]), @r"
        Held accept below 400: 200
        Broke expect response.json.id / 0 > 1: its expression failed
        NotJudged capture id
        `response.json.id / 0 > 1`: `/` by zero
        ");
    }

    #[test]
    fn being_explained_changes_nothing_that_is_judged() {
        let keys = r#"
expect: [ { json: $.id, equals: 1 }, { json: $.id, equals: 2 } ]
capture: { id: $.id }
"#;
        let class = class(keys);
        for body in [r#"{"id": 1}"#, r#"{"id": 3}"#, "{}", ""] {
            let (mut plain, mut told) = (mind(&class, 200, body), mind(&class, 200, body));
            let judged = class.requests[0].judge(Ok(200), &mut plain, &|_| None);
            let (explained, _) = class.requests[0].explain(Ok(200), &mut told, &|_| None);
            assert_eq!((judged, plain.slots), (explained, told.slots), "{body}");
        }
    }
}
