//! Owns which variables of the environment a plan keeps secret.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Node, NodeValue};
use super::model::{Action, Auth, Plan, Settings, Step};
use crate::diagnostic::{Diagnostic, Placed, suggest};

/// Headers that prove who somebody is.
const PROOFS: [&str; 5] =
    ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token"];

/// The names of variables of the environment whose values must not appear in any output: those in
/// `secrets`, and those that prove who somebody is, in `auth` or in a header.
#[must_use]
pub fn secrets_of(plan: &Plan) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = plan.secrets.iter().map(|name| name.value.clone()).collect();
    for template in proofs(plan) {
        let words = words(template);
        let behind = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| **word == "env");
        found.extend(behind.map(|(_, name)| (*name).to_owned()));
    }
    found
}

/// Secrets that stand for nothing: neither does the plan read them, in whatever `trees`, nor are they
/// set. A slip of a name would leave the value that is meant in every output.
pub(super) fn idle<'n>(
    secrets: &[Placed<String>],
    mut trees: impl Iterator<Item = &'n Node>,
    environment: &BTreeMap<String, String>,
) -> Vec<Diagnostic> {
    let mut read = BTreeSet::new();
    // Files with templates are not looked into: they may read anything.
    if trees.any(|tree| read_by(tree, &mut read)) {
        return Vec::new();
    }
    let idle = secrets
        .iter()
        .filter(|name| !read.contains(&*name.value) && !environment.contains_key(&name.value));
    idle.map(|name| {
        let label = match suggest(&name.value, read.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write the name that the plan reads, or take it out".to_owned(),
        };
        let title = format!("no `env.{}` is read in the plan", name.value);
        Diagnostic::warning(name.place, title, label)
    })
    .collect()
}

/// Adds the variables of the environment that the texts of a tree read. Stops where a file with
/// templates is sent, and says so.
fn read_by<'n>(node: &'n Node, read: &mut BTreeSet<&'n str>) -> bool {
    match &node.value {
        NodeValue::Text(text) => {
            let words: Vec<_> = split(text).collect();
            let behind = words.windows(2).filter(|pair| pair[0] == "env");
            read.extend(behind.map(|pair| pair[1]));
            false
        }
        NodeValue::List(items) => items.iter().any(|item| read_by(item, read)),
        NodeValue::Map(entries) => entries
            .iter()
            .any(|entry| entry.key.value == "templates" || read_by(&entry.value, read)),
        _ => false,
    }
}

/// The words of expressions that prove who somebody is, among them the variables whose values do.
#[must_use]
pub fn words_of_proofs(plan: &Plan) -> BTreeSet<String> {
    proofs(plan).into_iter().flat_map(words).map(str::to_owned).collect()
}

/// A shorter one is a word: to hide it would make results unreadable, and keep nothing from anybody.
const LITERAL: usize = 8;

/// What proves who somebody is and stands in the plan as it is: tokens and passwords, each with its
/// scheme (`Bearer …`) and without.
#[must_use]
pub fn literal_proofs(plan: &Plan) -> BTreeSet<String> {
    let literal = |text: &&str| !text.contains("{{");
    let mut found = BTreeSet::new();
    for text in proofs(plan).into_iter().filter(literal) {
        let token = text.split_once(' ').map_or(text, |(_, token)| token);
        found.extend([text, token].map(|one| one.trim().to_owned()));
    }
    found.retain(|one| one.len() >= LITERAL);
    found
}

/// The texts that prove who somebody is.
fn proofs(plan: &Plan) -> Vec<&str> {
    let mut found = Vec::new();
    settings(&plan.defaults, &mut found);
    for class in &plan.classes {
        settings(&class.defaults, &mut found);
        steps(&class.on_start, &mut found);
        class.tasks.iter().for_each(|task| steps(&task.steps, &mut found));
        steps(&class.on_stop, &mut found);
    }
    plan.flows.iter().for_each(|flow| steps(&flow.steps, &mut found));
    steps(&plan.before, &mut found);
    steps(&plan.after, &mut found);
    found
}

fn steps<'a>(all: &'a [Step], found: &mut Vec<&'a str>) {
    for step in all {
        if let Action::Request(request) = &step.action {
            settings(&request.settings, found);
        }
        step.action.bodies().for_each(|body| steps(body, found));
    }
}

fn settings<'a>(settings: &'a Settings, found: &mut Vec<&'a str>) {
    match &settings.auth {
        Some(Auth::Basic(_, password)) => found.push(&password.value),
        Some(Auth::Bearer(token)) => found.push(&token.value),
        Some(Auth::None) | None => {}
    }
    let is_proof = |name: &str| PROOFS.iter().any(|proof| name.eq_ignore_ascii_case(proof));
    let headers = settings.headers.iter().filter(|(name, _)| is_proof(&name.value));
    for (_, node) in headers.chain(&settings.cookies) {
        if let NodeValue::Text(text) = &node.value {
            found.push(text);
        }
    }
    if let Some(Some(retry)) = &settings.retry {
        steps(&retry.first, found);
    }
}

/// The words in the expressions of a template.
fn words(template: &str) -> Vec<&str> {
    let expressions = template.split("{{").skip(1).filter_map(|part| part.split("}}").next());
    expressions.flat_map(split).collect()
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    let no_letter = |c: char| !c.is_alphanumeric() && c != '_';
    text.split(no_letter).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_who_one_is_is_secret_without_being_said_so() {
        let loaded = crate::plan::parse(
            "plan.yaml",
            r#"
secrets: [SAID]
defaults: { auth: { bearer: "{{ env.DEFAULT | default('x') }}" } }
flows: { login: { steps: [ { get: /a, auth: { basic: ["{{ env.NAME }}", "{{ env['PASSWORD'] }}"] } } ] } }
users:
  A:
    tasks:
      one:
        steps:
          - call: login
          - group: g
            do: [ { get: /b, headers: { X-Api-Key: "{{ env.KEY }}", accept: "{{ env.KIND }}" } } ]
          - get: /c
            retry: { status: 401, times: 1, first: [ { get: /d, auth: { bearer: "{{ env.AGAIN }}" } } ] }
profiles: { only: { users: 1, hold: 1s } }
target: http://target.test
"#,
        );
        let plan = loaded.plan.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let found: Vec<_> = secrets_of(&plan).into_iter().collect();
        assert_eq!(found, ["AGAIN", "DEFAULT", "KEY", "PASSWORD", "SAID"]);
        assert!(!words_of_proofs(&plan).contains("NAME"), "who one says to be is no proof of it");
    }

    #[test]
    fn what_stands_in_the_plan_as_it_is_proves_as_much() {
        let loaded = crate::plan::parse(
            "plan.yaml",
            "users: { A: { tasks: { a: { get: /a, headers: { authorization: Bearer 1a2b3c4d5e } }, b: { get: /b, auth: { basic: [ann, short] } } } } }",
        );
        let found: Vec<_> = literal_proofs(&loaded.plan.unwrap()).into_iter().collect();
        assert_eq!(found, ["1a2b3c4d5e", "Bearer 1a2b3c4d5e"]);
    }
}
