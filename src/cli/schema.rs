//! Owns `throng schema`.

use std::path::PathBuf;

use super::{say, shell};
use crate::exit::Exit;
use crate::plan::schema;

/// Arguments of `throng schema`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "In a YAML plan the first line names it: # yaml-language-server: $schema=throng.schema.json
In a TOML plan:                      #:schema throng.schema.json"
)]
pub(super) struct Arguments {
    /// Write it to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let text = schema::text();
        let Some(path) = &self.out else { return shell::print(text.as_bytes()) };
        match std::fs::write(path, text) {
            Ok(()) => Exit::Held,
            Err(error) => {
                let path = path.display();
                say(&format!("error: the schema cannot be written to {path}: {error}\n"));
                Exit::Untrusted
            }
        }
    }
}
