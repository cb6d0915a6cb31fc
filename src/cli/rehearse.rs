//! Owns `throng try`.

use std::path::PathBuf;

use super::reaching::Reaching;
use super::reading::Reading;
use super::{colour, run, say, url};
use crate::diagnostic;
use crate::exit::Exit;
use crate::plan;
use crate::session::{self, Options, Rehearsal};
use crate::untrusted::Given;

/// Arguments of `throng try`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Arguments {
    /// The plan to try (YAML or TOML); a sample with --demo alone
    #[arg(value_name = "PLAN", required_unless_present = "demo")]
    plan: Option<PathBuf>,
    /// Try only these user classes
    #[arg(value_name = "CLASS")]
    classes: Vec<String>,

    /// Try only this task, between `on_start` and `on_stop`; may be given again
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// Wait where the plan has it so, instead of saying that it would
    #[arg(long)]
    waits: bool,
    /// Draw the same random numbers again
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,

    #[command(flatten)]
    reaching: Reaching,
    #[command(flatten)]
    reading: Reading,

    /// Show bodies to their end, not only 20 lines or 2 kB of them
    #[arg(long, help_heading = "Output")]
    full: bool,
    /// Show only what failed
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

const MORE: &str = "One user of each class does `on_start`, each task once in the order of the plan, and `on_stop`. \
Each request and answer is shown, with what accept, expect and capture made of it. Secrets are hidden. \
Waits are left out.

Exit codes:
    0  every request succeeded
    1  a request failed, a rule or an expression broke, or nothing could be tried
    2  the plan or the command line is wrong; nothing was sent
    4  the target was never reached, or `before` failed
  130  ended by SIGINT (Ctrl-C); 143 by SIGTERM

Examples:
  throng try plans/todo.yaml --demo
      the whole plan, on the built-in Todo API
  throng try plans/todo.yaml TodoUser --task create_todo -H http://127.0.0.1:8000
      one task of one class
  throng try plans/todo.yaml --demo --quiet
      nothing to read when all is well: for CI, before the load";

impl Arguments {
    pub(super) fn run(self) -> Exit {
        // From the environment `--demo` may also be off.
        if self.plan.is_none() && !self.reaching.demo {
            say("error: no plan is named\n  write `throng try plan.yaml`, or add `--demo`\n");
            return Exit::Mistake;
        }
        let (loading, selection) = (self.reading.loading(), self.reading.selection());
        let loaded = match &self.plan {
            Some(plan) if url::is_url(&plan.to_string_lossy()) => {
                let url = plan.display();
                say(&format!(
                    "error: `try` takes a plan, not a URL\n  write `throng run {url} -n 1` to send one request\n"
                ));
                return Exit::Mistake;
            }
            Some(plan) => session::read(plan, &loading, &selection),
            None => {
                let loaded = plan::parse_with(run::SAMPLE.0, run::SAMPLE.1, &loading);
                session::strictly(session::complete(loaded, &loading, &selection))
            }
        };
        if !loaded.diagnostics.is_empty() {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
        }
        let Some(plan) = loaded.plan else { return Exit::Mistake };
        let mut options = Options {
            classes: self.classes,
            selection,
            variables: loading.variables.clone(),
            secrets: Given { variables: self.reading.variables(), ..Given::default() }.secrets(),
            seed: self.seed,
            ..Options::default()
        };
        self.reaching.choose(&mut options);
        let (tasks, quiet, full, waits) = (self.tasks, self.quiet, self.full, self.waits);
        session::rehearse(
            &plan,
            &loaded.sources,
            &options,
            &Rehearsal { tasks, quiet, full, waits },
        )
    }
}
