//! Owns `throng run`.

use std::path::PathBuf;
use std::time::Duration;

use super::{colour, say};
use crate::diagnostic;
use crate::exit::{self, Exit};
use crate::plan::Target;
use crate::session::{self, Options, ProfileChoice, Ramp};
use crate::units::{Rate, UnitError, parse_duration};

/// Arguments of `throng run`.
#[derive(Debug, clap::Args)]
#[command(after_help = exit_codes())]
pub(super) struct Arguments {
    /// The plan to run (YAML or TOML)
    plan: PathBuf,
    /// Run only these user classes
    #[arg(value_name = "CLASS")]
    classes: Vec<String>,

    /// Replace the profile: so many users
    #[arg(short, long, value_name = "N", help_heading = "Load", value_parser = users)]
    users: Option<u32>,
    /// Start so many users a second (with --users)
    #[arg(short = 'r', long, value_name = "N", help_heading = "Load", requires = "users", value_parser = spawn_rate)]
    spawn_rate: Option<Rate>,
    /// Start all users within this time (with --users)
    #[arg(long, value_name = "TIME", help_heading = "Load", requires = "users", conflicts_with = "spawn_rate", value_parser = parse_duration)]
    ramp: Option<Duration>,
    /// The whole time, from the first user on: `15s`, `1m30s`, `1h`
    #[arg(short = 't', long, value_name = "TIME", help_heading = "Load", value_parser = run_time)]
    run_time: Option<Duration>,
    /// The plan's profile to run
    #[arg(long, value_name = "NAME", help_heading = "Load")]
    profile: Option<String>,
    /// At the end, let iterations under way go on for so long
    #[arg(short = 's', long, value_name = "TIME", help_heading = "Load", value_parser = parse_duration)]
    stop_timeout: Option<Duration>,

    /// Where requests go; wins over the plan
    #[arg(short = 'H', long, alias = "host", value_name = "URL", help_heading = "Target", value_parser = Target::parse)]
    target: Option<Target>,
    /// Start the embedded Todo API on a free port and use it as the target
    #[arg(long, help_heading = "Target", conflicts_with = "target")]
    demo: bool,

    /// Folder of the results [default: results/<plan>-<UTC time>]
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,

    /// Draw the same random numbers again
    #[arg(long, value_name = "N", help_heading = "Running")]
    seed: Option<u64>,
    /// Threads that own users [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Running", value_parser = workers)]
    workers: Option<usize>,
    /// Accepted for Locust's sake: there is no other way yet
    #[arg(long, help_heading = "Running")]
    headless: bool,
}

fn exit_codes() -> String {
    let rows = exit::TABLE.map(|(_, code, meaning)| format!("  {code:>3}  {meaning}"));
    let example = "Examples:\n  \
        throng run plans/todo.yaml --demo\n  \
        throng run plans/todo.yaml --target http://127.0.0.1:8000 -u 20 -r 5 -t 15s TodoUser";
    format!("Exit codes:\n{}\n\n{example}", rows.join("\n"))
}

fn users(text: &str) -> Result<u32, String> {
    let number: Option<u32> = text.parse().ok();
    number
        .filter(|users| (1..=1_000_000).contains(users))
        .ok_or_else(|| "write a number of users from 1 to 1000000".to_owned())
}

fn workers(text: &str) -> Result<usize, String> {
    let number: Option<usize> = text.parse().ok();
    number
        .filter(|workers| (1..=1024).contains(workers))
        .ok_or_else(|| "write a number of threads from 1 to 1024".to_owned())
}

fn spawn_rate(text: &str) -> Result<Rate, UnitError> {
    // Locust's users write a bare number; the plan's way of writing a rate is right as well.
    Rate::parse_per_second(text).map_or_else(|| Rate::parse(text), Ok)
}

fn run_time(text: &str) -> Result<Duration, UnitError> {
    match parse_duration(text)? {
        Duration::ZERO => Err(UnitError("a run takes some time; write `15s`".to_owned())),
        time => Ok(time),
    }
}

impl Arguments {
    pub(super) fn run(self, command_line: String) -> Exit {
        let loaded = session::check(&self.plan);
        let Some(plan) = loaded.plan else {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
            return Exit::Mistake;
        };
        if !loaded.diagnostics.is_empty() {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
        }
        let ramp = self.spawn_rate.map(Ramp::Rate).or(self.ramp.map(Ramp::Over));
        let options = Options {
            target: self.target,
            demo: self.demo,
            classes: self.classes,
            load: ProfileChoice {
                profile: self.profile,
                users: self.users,
                ramp,
                run_time: self.run_time,
            },
            seed: self.seed,
            out: self.out,
            workers: self.workers,
            grace: self.stop_timeout,
            command_line,
        };
        session::run(&plan, &loaded.sources, &options)
    }
}
