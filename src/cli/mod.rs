//! Owns the command line: one file per verb.

mod check;
mod compare;
mod demo;
mod explain;
mod findings;
mod github;
mod init;
mod reaching;
mod reading;
mod rehearse;
mod report;
mod run;
mod schema;
mod shell;
mod slips;
mod url;

use std::ffi::OsString;
use std::io::Write as _;

use clap::builder::FalseyValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::exit::Exit;

/// A load runner for people who would rather edit a plan than write a program.
#[derive(Debug, Parser)]
#[command(
    name = "throng",
    version,
    about,
    max_term_width = 100,
    after_help = EXAMPLES
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a plan: check it, load the target, write results, judge
    Run(Box<run::Arguments>),
    /// Do each task of a plan once, and show each request and answer
    Try(Box<rehearse::Arguments>),
    /// Make the results of a run again from its record, of a part of it, or of several as one
    Report(report::Arguments),
    /// Say what differs between two runs, or between several of each
    Compare(compare::Arguments),
    /// Say every mistake in plans, with its place; nothing is sent
    Check(check::Arguments),
    /// Write a first plan, to be read and changed
    Init(init::Arguments),
    /// Serve the embedded Todo API that the sample plans use
    Demo(demo::Arguments),
    /// Print the JSON Schema of plans, for editors
    Schema(schema::Arguments),
    /// Print a script that completes commands and options in a shell
    Completions(shell::Completions),
    /// Print the manual page
    Man,
}

const EXAMPLES: &str = "Begin here:
  throng run plans/todo.yaml --demo                     a whole run, on a built-in Todo API
  throng run http://127.0.0.1:8000/todos/ -u 50 -t 30s  no plan at all
  throng try plans/todo.yaml --demo                     each task once, with what is sent and answered
  throng init                                           a first plan of your own, with comments
  throng check plans/todo.yaml                          every mistake of a plan, nothing sent
  throng run --help                                     all options, exit codes, examples";

/// The command line as clap knows it, with a name in the environment for every option of a run and of a rehearsal.
fn command() -> Command {
    Cli::command()
        .mut_subcommand("run", |run| run.mut_args(with_environment))
        .mut_subcommand("try", |try_| try_.mut_args(with_environment))
}

fn with_environment(arg: Arg) -> Arg {
    let Some(long) = arg.get_long() else { return arg };
    let name = format!("THRONG_{}", long.replace('-', "_").to_uppercase());
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let arg = arg.env(name).hide_env(true);
    // `THRONG_QUIET=1` is what people write.
    if is_flag { arg.value_parser(FalseyValueParser::new()) } else { arg }
}

/// Runs the command that `arguments` (the program's name first) ask for.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = command().try_get_matches_from(&arguments);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(answer) =
                slips::answer(&error, arguments.get(1).and_then(|verb| verb.to_str()))
            {
                say(&format!("error: {answer}\n"));
                return Exit::Mistake;
            }
            // Help and version are answers, not mistakes. A closed stream changes neither.
            let _ = error.print();
            return if error.use_stderr() { Exit::Mistake } else { Exit::Held };
        }
    };
    match cli.verb {
        Verb::Run(run) => run.run(command_line(&arguments)),
        Verb::Try(rehearsal) => rehearsal.run(),
        Verb::Report(report) => report.run(),
        Verb::Compare(compare) => compare.run(),
        Verb::Check(check) => check.run(),
        Verb::Init(init) => init.run(),
        Verb::Demo(demo) => demo.run(),
        Verb::Schema(schema) => schema.run(),
        Verb::Completions(completions) => completions.run(command()),
        Verb::Man => shell::man(command()),
    }
}

/// The command line as a shell would take it again.
fn command_line(arguments: &[OsString]) -> String {
    let quote = |argument: &OsString| quoted(&argument.to_string_lossy());
    let rest = arguments.iter().skip(1).map(quote);
    std::iter::once("throng".to_owned()).chain(rest).collect::<Vec<_>>().join(" ")
}

/// A word as a shell would take it again.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Prints to stderr; a closed stderr is no reason to fail.
fn say(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// What the environment says, when it says anything.
fn said(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

fn colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}
