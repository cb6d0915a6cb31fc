//! Owns `throng run`.

use std::path::PathBuf;
use std::time::Duration;

use super::github::github;
use super::reaching::Reaching;
use super::reading::Reading;
use super::{colour, say, url};
use crate::diagnostic;
use crate::exit::{self, Exit};
use crate::load::MOST_RATE;
use crate::plan;
use crate::plan::Target;
use crate::session::{self, Options, Output, ProfileChoice, Ramp, Versus};
use crate::units::{Rate, UnitError, parse_duration};
use crate::untrusted::Given;

/// Arguments of `throng run`.
#[derive(Debug, clap::Args)]
#[command(after_help = exit_codes())]
pub(super) struct Arguments {
    /// The plan to run (YAML or TOML), or a URL to load without one; a sample with --demo alone
    #[arg(value_name = "PLAN|URL", required_unless_present = "demo")]
    plan: Option<PathBuf>,
    /// Run only these user classes
    #[arg(value_name = "CLASS")]
    classes: Vec<String>,

    /// Replace the profile: so many users
    #[arg(short, long, value_name = "N", help_heading = "Load", group = "level", value_parser = users)]
    users: Option<u32>,
    /// Replace the profile: so many iterations start a second, whatever the target does
    #[arg(long, value_name = "RATE", help_heading = "Load", group = "level", value_parser = rate)]
    rate: Option<Rate>,
    /// Start so many users a second (with --users)
    #[arg(short = 'r', long, value_name = "N", help_heading = "Load", requires = "users", value_parser = spawn_rate)]
    spawn_rate: Option<Rate>,
    /// Start all users, or reach the rate, within this time (with --users or --rate)
    #[arg(long, value_name = "TIME", help_heading = "Load", requires = "level", conflicts_with = "spawn_rate", value_parser = parse_duration)]
    ramp: Option<Duration>,
    /// The whole time, from the first user on: `15s`, `1m30s`, `1h`
    #[arg(short = 't', long, value_name = "TIME", help_heading = "Load", value_parser = run_time)]
    run_time: Option<Duration>,
    /// The plan's profile to run
    #[arg(long, value_name = "NAME", help_heading = "Load")]
    profile: Option<String>,
    /// End after so many iterations of all users together
    #[arg(short = 'i', long, value_name = "N", help_heading = "Load", value_parser = clap::value_parser!(u64).range(1..))]
    iterations: Option<u64>,
    /// At the end, let iterations under way go on for so long
    #[arg(short = 's', long, value_name = "TIME", help_heading = "Load", value_parser = parse_duration)]
    stop_timeout: Option<Duration>,

    #[command(flatten)]
    reaching: Reaching,
    /// Load another machine beyond the private network without a word about it
    #[arg(long, help_heading = "Target")]
    yes: bool,
    #[command(flatten)]
    reading: Reading,

    /// Run in turns against the target and against this one, then compare
    #[arg(long, value_name = "URL", help_heading = "Target", value_parser = Target::parse, conflicts_with_all = ["baseline", "csv", "csv_requests", "html"])]
    versus: Option<Target>,
    /// With --versus: so many runs of each [default: as few as judge every figure of the plan's names]
    #[arg(long, value_name = "N", help_heading = "Target", requires = "versus", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,

    #[command(flatten)]
    url: url::Request,

    /// Folder of the results: report.html, summary.md, junit.xml, CSV and more [default: results/<plan>-<UTC time>]
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Copies of the CSV files, as PREFIX_stats.csv
    #[arg(long, value_name = "PREFIX", help_heading = "Results")]
    csv: Option<String>,
    /// In stats_history.csv, rows of each name as well
    #[arg(long, help_heading = "Results")]
    csv_full_history: bool,
    /// A row for each request, written while the run goes on; packed when FILE ends in .gz
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    csv_requests: Option<PathBuf>,
    /// A copy of the report
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    html: Option<PathBuf>,
    /// Write no report.html
    #[arg(long, help_heading = "Results", conflicts_with = "html")]
    no_report: bool,
    /// The run that thresholds on `baseline` are held against: its folder of results
    #[arg(long, value_name = "RESULTS", help_heading = "Results")]
    baseline: Option<PathBuf>,
    /// Print the summary as JSON on stdout, and nothing else there
    #[arg(long, help_heading = "Results")]
    json: bool,
    /// Print no progress and no tables, only the verdict
    #[arg(short, long, help_heading = "Results")]
    quiet: bool,
    /// Show KEY=VALUE in every result, as `--label commit=1a2b3c`; may be given again
    #[arg(long = "label", value_name = "KEY=VALUE", help_heading = "Results", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Exit with 1 when any request failed or none ended, whatever the thresholds
    #[arg(long, help_heading = "Results")]
    fail_on_error: bool,

    /// Draw the same random numbers again
    #[arg(long, value_name = "N", help_heading = "Running", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Threads that own users [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Running", value_parser = workers)]
    workers: Option<usize>,
    /// Accepted for Locust's sake: there is no other way yet
    #[arg(long, help_heading = "Running")]
    headless: bool,
}

/// What `--demo` runs when no plan is named.
pub(super) const SAMPLE: (&str, &str) = ("todo.yaml", include_str!("../../plans/todo.yaml"));

fn exit_codes() -> String {
    let rows = exit::TABLE.map(|(_, code, meaning)| format!("  {code:>3}  {meaning}"));
    let examples = "Examples:
  throng run plans/todo.yaml --demo
      the plan's own profile, on the built-in Todo API
  throng run plans/todo.yaml -H http://127.0.0.1:8000 -u 20 -r 5 -t 15s TodoUser
      20 users of one class, 5 more each second, 15 seconds in all
  throng run plans/todo.yaml --profile spike --label commit=1a2b3c
      another profile, with a word for the report
  throng run http://127.0.0.1:8000/todos/ -u 50 -t 30s
      no plan: 50 users ask for one URL as fast as they can";
    format!(
        "Every option can also be given in the environment, as THRONG_USERS=20; what is written \
         here wins.\n\nIn a workflow of GitHub thresholds that did not hold are annotated at their lines \
         of the plan, and\nsummary.md is added to the summary of the step.\n\nExit codes:\n{}\n\n{examples}",
        rows.join("\n")
    )
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

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write it as `commit=1a2b3c`".to_owned()),
    }
}

fn rate(text: &str) -> Result<Rate, UnitError> {
    let rate = Rate::parse_per_second(text).map_or_else(|| Rate::parse(text), Ok)?;
    if rate > MOST_RATE {
        return Err(UnitError(format!("a rate is at most {MOST_RATE}")));
    }
    Ok(rate)
}

fn spawn_rate(text: &str) -> Result<Rate, UnitError> {
    if text.parse::<f64>().is_ok_and(|rate| rate <= 0.0) {
        return Err(UnitError("it must be above 0; leave it out to start all at once".to_owned()));
    }
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
        let text = match &self.plan {
            Some(plan) => plan.to_string_lossy().into_owned(),
            None => SAMPLE.0.to_owned(),
        };
        // From the environment `--demo` may also be off.
        if self.plan.is_none() && !self.reaching.demo {
            say("error: no plan is named\n  write `throng run plan.yaml`, or add `--demo`\n");
            return Exit::Mistake;
        }
        if let Some(plan) = &self.plan
            && url::lacks_its_scheme(&text)
            && !plan.exists()
        {
            say(&format!(
                "error: there is no plan `{text}`\n  \
                 write `http://{text}` to load that address without a plan\n"
            ));
            return Exit::Mistake;
        }
        let (loading, selection) = (self.reading.loading(), self.reading.selection());
        let parsed = |name: &str, text: &str| {
            let loaded = plan::parse_with(name, text, &loading);
            session::strictly(session::complete(loaded, &loading, &selection))
        };
        let set = Given { variables: self.reading.variables(), ..Given::default() };
        let mut secrets = set.secrets();
        let loaded = if url::is_url(&text) {
            match url::plan(&text, &self.url, &self.classes) {
                Ok(made) => {
                    secrets.extend(made.secrets);
                    parsed(url::NAME, &made.text)
                }
                Err(mistake) => {
                    say(&diagnostic::render(&[mistake], &[], colour()));
                    return Exit::Mistake;
                }
            }
        } else if let Some(option) = self.url.given() {
            say(&format!(
                "error: `{option}` is for a URL without a plan\n  \
                 write it into the plan's requests, or give a URL instead of {text}\n"
            ));
            return Exit::Mistake;
        } else if let Some(plan) = &self.plan {
            session::read(plan, &loading, &selection)
        } else {
            parsed(SAMPLE.0, SAMPLE.1)
        };
        let Some(plan) = loaded.plan else {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
            return Exit::Mistake;
        };
        if !loaded.diagnostics.is_empty() {
            say(&diagnostic::render(&loaded.diagnostics, &loaded.sources, colour()));
        }
        let ramp = self.spawn_rate.map(Ramp::Rate).or(self.ramp.map(Ramp::Over));
        let mut options = Options {
            classes: self.classes,
            selection,
            variables: loading.variables.clone(),
            secrets,
            load: ProfileChoice {
                profile: self.profile,
                users: self.users,
                rate: self.rate,
                ramp,
                run_time: self.run_time,
            },
            seed: self.seed,
            out: self.out,
            workers: self.workers,
            grace: self.stop_timeout,
            iterations: self.iterations,
            fail_on_error: self.fail_on_error,
            baseline: self.baseline,
            yes: self.yes,
            labels: self.labels,
            output: Output {
                quiet: self.quiet,
                silent: false,
                json: self.json,
                no_report: self.no_report,
                csv: self.csv,
                csv_full_history: self.csv_full_history,
                csv_requests: self.csv_requests,
                html: self.html,
                github: github(),
            },
            command_line,
            ..Options::default()
        };
        self.reaching.choose(&mut options);
        if url::is_url(&text) {
            options.classes.clear();
            self.url.choose(&mut options);
        }
        match self.versus {
            Some(target) => {
                let versus = Versus { target, rounds: self.rounds };
                session::versus(&plan, &loaded.sources, &options, &versus)
            }
            None => session::run(&plan, &loaded.sources, &options),
        }
    }
}
