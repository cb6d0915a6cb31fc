//! Owns `throng check`.

use std::path::PathBuf;

use super::{colour, say};
use crate::diagnostic::{self, Diagnostic};
use crate::exit::Exit;
use crate::plan::{self, Target};
use crate::program;

/// Arguments of `throng check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Plans to check (YAML or TOML)
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
}

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let mut exit = Exit::Held;
        for path in &self.plans {
            let mut loaded = plan::load(path);
            if let Some(plan) = &loaded.plan {
                let target = plan.target.as_ref().map(|target| target.value.clone());
                let target = target.unwrap_or_else(|| {
                    Target::parse("http://localhost").expect("the text is a target")
                });
                match program::compile(plan, &target, &loaded.sources) {
                    Ok((_, warnings)) => loaded.diagnostics.extend(warnings),
                    Err(mistakes) => loaded.diagnostics.extend(mistakes),
                }
            }
            let broken =
                loaded.plan.is_none() || loaded.diagnostics.iter().any(Diagnostic::is_error);
            if !loaded.diagnostics.is_empty() {
                say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
            }
            if broken {
                exit = Exit::Mistake;
            } else {
                say(&format!("{}: no mistakes\n", path.display()));
            }
        }
        exit
    }
}
