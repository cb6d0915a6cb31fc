//! Owns checking a plan: read, validate and compile, and every mistake of all three at once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::prepare::{did_you_mean, rows_text, too_few_rows};
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::Part;
use crate::plan::{self, Loaded, Loading, Plan};
use crate::program::{self, Explanation, Inputs, Program, Question, Selection};

/// Reads the plan in a file and checks it whole, with each of its environments. The plan is there
/// when there is no error. `profile` is the only one that matters; all when absent.
#[must_use]
pub fn check(
    path: &Path,
    loading: &Loading,
    selection: &Selection,
    profile: Option<&str>,
) -> Loaded {
    // The plan as it is read, then with each environment.
    let out_of_reach = RefCell::new(Vec::new());
    let asked = Cell::new(true);
    let mut loaded = plan::load_each(path, loading, |loaded| {
        // Tags are asked of what would run, not of each environment.
        let runs = loaded.plan.as_ref().and_then(|plan| match profile {
            Some(name) => plan.profiles.iter().position(|profile| profile.name.value == name),
            None => plan.profile,
        });
        let first = asked.replace(false);
        let told = loaded.plan.as_ref().filter(|_| first);
        let told = told.map(|plan| unknown_tags(plan, selection)).unwrap_or_default();
        let look = Look { runs, left_out: first && told.is_empty() && !selection.is_empty() };
        let loaded = complete_with(loaded, loading, selection, told, look);
        if let Some(plan) = &loaded.plan {
            let mut warnings = program::out_of_reach(plan, profile, selection);
            warnings.extend(program::too_few(plan, profile, selection));
            out_of_reach.borrow_mut().push(warnings);
        }
        loaded
    });
    let mut out_of_reach = out_of_reach.into_inner().into_iter();
    if let (Some(mut warnings), true) = (out_of_reach.next(), loaded.plan.is_some()) {
        // What an environment can reach is within reach, unless another one was asked for.
        let others: Vec<_> = out_of_reach.take_while(|_| loading.environment.is_none()).collect();
        warnings.retain(|one| {
            others.iter().all(|other| other.iter().any(|same| same.place == one.place))
        });
        loaded.diagnostics.extend(warnings);
        loaded.diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    }
    if let (Some(plan), Some(name)) = (&loaded.plan, profile)
        && let Err(mistake) = super::prepare::named(plan, name)
    {
        loaded.diagnostics.push(mistake);
        loaded.plan = None;
    }
    loaded
}

/// What can be said of a plan that was checked. Nothing, when its files have changed since.
#[must_use]
pub fn explain(loaded: &Loaded, loading: &Loading, question: &Question) -> Option<Explanation> {
    let plan = loaded.plan.as_ref()?;
    let inputs = Inputs {
        target: None,
        environment: loading.variables.clone(),
        seed: 0,
        selection: question.selection.clone(),
        apart: false,
    };
    let compiled = program::compile(plan, &loaded.sources, &inputs).ok()?;
    Some(program::explain(plan, &compiled.program, question))
}

/// The same for a run: of the environments only the one that is asked for matters, and what has no
/// value outside of the plan is an error.
#[must_use]
pub fn read(path: &Path, loading: &Loading, selection: &Selection) -> Loaded {
    strictly(complete(plan::load_with(path, loading), loading, selection))
}

/// Adds what only the compiler sees, in the order of places.
#[must_use]
pub fn complete(loaded: Loaded, loading: &Loading, selection: &Selection) -> Loaded {
    let unknown = loaded.plan.as_ref().map(|plan| unknown_tags(plan, selection));
    complete_with(loaded, loading, selection, unknown.unwrap_or_default(), Look::default())
}

/// What else is looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    /// The position of the profile that is known to run.
    runs: Option<usize>,
    /// Thresholds of what the tags of the command line leave out are told.
    left_out: bool,
}

fn complete_with(
    mut loaded: Loaded,
    loading: &Loading,
    selection: &Selection,
    told: Vec<Diagnostic>,
    look: Look,
) -> Loaded {
    let inputs = Inputs {
        target: None,
        environment: loading.variables.clone(),
        seed: 0,
        selection: selection.clone(),
        apart: false,
    };
    let found = match (&loaded.plan, &loaded.partial) {
        (Some(plan), _) => match program::compile(plan, &loaded.sources, &inputs) {
            Ok(compiled) => {
                let mut found = compiled.diagnostics;
                found.extend(short_of_rows(plan, &compiled.program, look.runs));
                if look.left_out {
                    let who = "these tags leave";
                    found.extend(program::left_out(plan, &compiled.program, who, |_| true));
                }
                found
            }
            Err(mistakes) => mistakes,
        },
        (None, Some(partial)) => program::mistakes(partial, &loaded.sources, &inputs),
        (None, None) => Vec::new(),
    };
    // What stands in `defaults` is compiled for each class: a mistake in it is told once.
    let same = |one: &Diagnostic| (one.place, one.title.clone());
    let mut known: HashSet<_> = loaded.diagnostics.iter().map(same).collect();
    for one in found.into_iter().chain(told) {
        if known.insert(same(&one)) {
            loaded.diagnostics.push(one);
        }
    }
    loaded.diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    loaded.plan = loaded.plan.filter(|_| !loaded.diagnostics.iter().any(Diagnostic::is_error));
    loaded
}

/// Tags of the command line that nothing carries: they would leave out everything, or nothing.
fn unknown_tags(plan: &Plan, selection: &Selection) -> Vec<Diagnostic> {
    let unknown = selection.unknown(plan).into_iter();
    unknown
        .map(|tag| {
            let tags = program::tags_of(plan);
            let title = format!("nothing in the plan has the tag `{tag}`");
            // The options take all the words behind them.
            let label = if plan.classes.iter().any(|class| class.name.value == tag) {
                format!("`{tag}` is a user class: write it before the option")
            } else if tags.is_empty() {
                "it has no `tags`".to_owned()
            } else {
                did_you_mean(tag, tags.iter().copied())
            };
            Diagnostic::without_place(title, label)
        })
        .collect()
}

/// Profiles with more users than there are rows for them to hold. Only a warning, unless it is the
/// one that runs: the command line can pick another profile, or fewer users.
fn short_of_rows(plan: &Plan, program: &Program, runs: Option<usize>) -> Vec<Diagnostic> {
    let (weights, fixed) = program::shares(plan);
    let mut told: Vec<Diagnostic> = Vec::new();
    for (position, profile) in plan.profiles.iter().enumerate() {
        let parts = Part::all(&profile.load, &weights, &fixed);
        for (name, rows, users) in too_few_rows(program, &parts) {
            let Some(data) = plan.data.iter().find(|data| data.name.value == name) else {
                continue;
            };
            let title = format!(
                "`{name}` has {}, and with the profile `{}` {users} users hold one each",
                rows_text(rows),
                profile.name.value
            );
            let label = if profile.load.is_open() {
                "add rows, write a smaller `max_users`, or `at_end: recycle` to share them"
            } else {
                "add rows, or write `at_end: recycle` to share them"
            };
            told.push(if runs == Some(position) {
                Diagnostic::error(data.place, title, label)
            } else {
                Diagnostic::warning(data.place, title, label)
            });
        }
    }
    told
}

/// What is missing outside of the plan keeps it from being run.
#[must_use]
pub fn strictly(mut loaded: Loaded) -> Loaded {
    for diagnostic in &mut loaded.diagnostics {
        if diagnostic.severity == Severity::Unset {
            diagnostic.severity = Severity::Error;
        }
    }
    loaded.plan = loaded.plan.filter(|_| !loaded.diagnostics.iter().any(Diagnostic::is_error));
    loaded
}

/// The environment's variables, those that are no text left out.
#[must_use]
pub fn variables() -> Arc<BTreeMap<String, String>> {
    let all = std::env::vars_os();
    Arc::new(
        all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    )
}
