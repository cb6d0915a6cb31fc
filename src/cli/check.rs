//! Owns `throng check`.

use std::path::PathBuf;

use super::reading::Reading;
use super::{colour, say};
use crate::diagnostic;
use crate::exit::Exit;
use crate::session;

/// Arguments of `throng check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Plans to check (YAML or TOML)
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let mut exit = Exit::Held;
        for path in &self.plans {
            let loaded = session::check(path, &self.reading.loading(), &self.reading.selection());
            if !loaded.diagnostics.is_empty() {
                say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
            }
            if loaded.plan.is_some() {
                say(&format!("{}: no mistakes\n", path.display()));
            } else {
                exit = Exit::Mistake;
            }
        }
        exit
    }
}
