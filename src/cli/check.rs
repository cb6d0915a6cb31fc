//! Owns `throng check`.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::reading::Reading;
use super::{colour, explain, findings, say};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::exit::Exit;
use crate::plan::Loaded;
use crate::program::{Explanation, Question};
use crate::session;
use crate::units::parse_duration;

/// Arguments of `throng check`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Arguments {
    /// Plans to check (YAML or TOML)
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    /// Say what each plan would do: users, tasks, load, requests, data
    #[arg(long)]
    explain: bool,
    /// Explain and judge this profile alone
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// How long each answer takes, for the requests to expect [default: no time at all]
    #[arg(long, value_name = "TIME", requires = "explain", value_parser = parse_duration)]
    assume: Option<Duration>,
    /// How mistakes are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// Take warnings for mistakes
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    reading: Reading,
}

const AFTER: &str = "Formats:
  text    for people: the line, a caret, what to do; on stderr
  json    one object on stdout: `files` (each with `file`, `ok` and, with --explain,
          `explanation`) and `diagnostics` (each with `severity`: error, warning or unset;
          `title`, `label`, `help`, `file`, `line`, `column`, `end_line`, `end_column`, `also`)
  github  workflow commands on stdout, which GitHub shows at the lines of a pull request

Exit codes:
  0  no mistakes
  2  a plan has a mistake; with --strict, or a warning

Examples:
  throng check plans/*.yaml
  throng check plan.yaml --explain --profile load --assume 50ms
  throng check plan.yaml --strict --format github";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Github,
}

impl Arguments {
    pub(super) fn run(&self) -> Exit {
        let (mut files, mut diagnostics) = (Vec::new(), Vec::new());
        let mut exit = Exit::Held;
        let mut failed = None;
        for path in &self.plans {
            let (loading, selection) = (self.reading.loading(), self.reading.selection());
            let loaded = session::check(path, &loading, &selection, self.profile.as_deref());
            let explained = self.explain.then(|| {
                let response = self.assume.unwrap_or_default();
                let question = Question { profile: self.profile.clone(), selection, response };
                session::explain(&loaded, &loading, &question)
            });
            let explained = explained.flatten();
            let strictly_wrong = self.strict && !loaded.diagnostics.is_empty();
            if loaded.plan.is_none() || strictly_wrong {
                exit = Exit::Mistake;
            }
            match self.format {
                Format::Text => self.tell(path, &loaded),
                Format::Json => {
                    let ok = loaded.plan.is_some() && !strictly_wrong;
                    let mut file = json!({ "file": path.display().to_string(), "ok": ok });
                    if self.explain {
                        file["explanation"] =
                            serde_json::to_value(&explained).unwrap_or(Value::Null);
                    }
                    files.push(file);
                    let found = loaded.diagnostics.iter();
                    diagnostics.extend(found.map(|one| findings::json(one, &loaded.sources)));
                }
                Format::Github => {
                    let file = path.display().to_string();
                    let workspace = super::said("GITHUB_WORKSPACE").map(PathBuf::from);
                    let lines: String = loaded
                        .diagnostics
                        .iter()
                        .map(|one| {
                            findings::github(one, &loaded.sources, &file, workspace.as_deref())
                        })
                        .collect();
                    failed = failed.or(print(&lines).err());
                    self.last_line(path, &loaded);
                }
            }
            if let (Some(explained), true) = (&explained, self.format == Format::Text) {
                failed = failed.or(print(&self.explained(explained)).err());
            }
        }
        if self.format == Format::Json {
            let whole = json!({ "files": files, "diagnostics": diagnostics });
            failed = failed.or(print(&format!("{whole:#}\n")).err());
        }
        match failed {
            // `throng check … | head` is no failure.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                say(&format!("error: cannot write to stdout: {error}\n"));
                Exit::Untrusted
            }
            _ => exit,
        }
    }

    fn tell(&self, path: &Path, loaded: &Loaded) {
        if !loaded.diagnostics.is_empty() {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
        }
        self.last_line(path, loaded);
    }

    /// What came of the plan; mistakes in text have been counted already.
    fn last_line(&self, path: &Path, loaded: &Loaded) {
        let path = path.display();
        let of =
            |severity| loaded.diagnostics.iter().filter(|one| one.severity == severity).count();
        let warnings = of(Severity::Warning) + of(Severity::Unset);
        if loaded.plan.is_some() && self.strict && warnings > 0 {
            let words = match warnings {
                1 => "1 warning, which `--strict` takes for a mistake".to_owned(),
                n => format!("{n} warnings, which `--strict` takes for mistakes"),
            };
            say(&format!("{path}: {words}\n"));
        } else if loaded.plan.is_some() {
            say(&format!("{path}: no mistakes\n"));
        } else if self.format == Format::Github {
            let errors = loaded.diagnostics.iter().filter(|one| Diagnostic::is_error(one)).count();
            let words = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            say(&format!("{path}: {words}\n"));
        }
    }

    fn explained(&self, explained: &Explanation) -> String {
        format!("\n{}", explain::text(explained, width()))
    }
}

/// Columns of the terminal; what `COLUMNS` says when the output goes elsewhere, 80 when it says
/// nothing.
fn width() -> usize {
    let stdout = io::stdout();
    let terminal =
        stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
    let terminal = terminal.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    let said = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(said).unwrap_or(80)
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}
