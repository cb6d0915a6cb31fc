//! Owns `throng init`: a first plan, to be read and changed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{quoted, say};
use crate::exit::Exit;

/// Arguments of `throng init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  throng init
  throng init loadtest --kind website
  throng init --kind spike --toml")]
pub(super) struct Arguments {
    /// The folder to write into; it is made when it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// What the plan is about
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Kind::Api)]
    kind: Kind,
    /// Write plan.toml instead of plan.yaml
    #[arg(long)]
    toml: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Users log in, read and write: an HTTP API
    Api,
    /// Visitors follow links and send a form: a website
    Website,
    /// Everybody comes at once: an event, a sale
    Spike,
}

const ACCOUNTS: (&str, &str) = ("accounts.csv", include_str!("../../templates/init/accounts.csv"));

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let files = self.files();
        // All or nothing: half a starter would only mislead.
        for (name, _) in &files {
            let path = self.folder.join(name);
            if path.symlink_metadata().is_ok() {
                say(&format!(
                    "error: {} is there already\n  nothing was written; name another folder, as \
                     `throng init loadtest`\n",
                    plain(&path).display()
                ));
                return Exit::Mistake;
            }
        }
        if let Err((path, error)) = self.write(&files) {
            say(&format!("error: cannot write {}: {error}\n", path.display()));
            return Exit::Mistake;
        }
        let shown = |name: &str| plain(&self.folder.join(name));
        let plan = quoted(&shown(files[0].0).display().to_string());
        let written: String =
            files.iter().map(|(name, _)| format!("wrote {}\n", shown(name).display())).collect();
        let next = format!(
            "{written}\nNext:\n  throng check {plan} --explain    what it would do; nothing is \
             sent\n  throng run {plan} --demo         tries it on a built-in service\n"
        );
        match io::stdout().write_all(next.as_bytes()) {
            // `throng init | head` is no failure.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                say(&format!("error: cannot write to stdout: {error}\n"));
                Exit::Untrusted
            }
            _ => Exit::Held,
        }
    }

    /// Names and texts, the plan first.
    fn files(&self) -> Vec<(&'static str, &'static str)> {
        let (yaml, toml) = match self.kind {
            Kind::Api => (
                include_str!("../../templates/init/api.yaml"),
                include_str!("../../templates/init/api.toml"),
            ),
            Kind::Website => (
                include_str!("../../templates/init/website.yaml"),
                include_str!("../../templates/init/website.toml"),
            ),
            Kind::Spike => (
                include_str!("../../templates/init/spike.yaml"),
                include_str!("../../templates/init/spike.toml"),
            ),
        };
        let plan = if self.toml { ("plan.toml", toml) } else { ("plan.yaml", yaml) };
        match self.kind {
            Kind::Api => vec![plan, ACCOUNTS],
            Kind::Website | Kind::Spike => vec![plan],
        }
    }

    fn write(&self, files: &[(&str, &str)]) -> Result<(), (PathBuf, io::Error)> {
        fs::create_dir_all(&self.folder).map_err(|error| (self.folder.clone(), error))?;
        for (name, text) in files {
            let path = self.folder.join(name);
            // What came there meanwhile is not overwritten either.
            File::create_new(&path)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| (path, error))?;
        }
        Ok(())
    }
}

/// Without the `./` that nobody types.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
