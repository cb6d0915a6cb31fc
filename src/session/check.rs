//! Owns checking a plan: read, validate and compile, and every mistake of all three at once.

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::plan::{self, Loaded, Loading, Target};
use crate::program;

/// Reads the plan in a file and checks it whole, with each of its environments. The plan is there
/// when there is no error.
#[must_use]
pub fn check(path: &Path) -> Loaded {
    plan::load_each(path, &Loading::default(), complete)
}

/// Adds what only the compiler sees, in the order of places.
#[must_use]
pub fn complete(mut loaded: Loaded) -> Loaded {
    let found = match (&loaded.plan, &loaded.partial) {
        (Some(plan), _) => {
            let target = plan.target.as_ref().map(|target| target.value.clone());
            // Any target serves: what it is called changes no mistake.
            let any = || Target::parse("http://localhost").expect("the text is a target");
            let compiled = program::compile(plan, &target.unwrap_or_else(any), &loaded.sources);
            compiled.map_or_else(|mistakes| mistakes, |(_, warnings)| warnings)
        }
        (None, Some(partial)) => program::mistakes(partial, &loaded.sources),
        (None, None) => Vec::new(),
    };
    loaded.diagnostics.extend(found);
    loaded.diagnostics.sort_by_key(|diagnostic| diagnostic.place);
    loaded.plan = loaded.plan.filter(|_| !loaded.diagnostics.iter().any(Diagnostic::is_error));
    loaded
}
