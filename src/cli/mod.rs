//! Owns the command line: one file per verb.

mod check;
mod demo;
mod run;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// A load runner for people who would rather edit a plan than write a program.
#[derive(Debug, Parser)]
#[command(name = "throng", version, about, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a plan: check it, load the target, write results, judge
    Run(Box<run::Arguments>),
    /// Say every mistake in plans, with its place; nothing is sent
    Check(check::Arguments),
    /// Serve the embedded Todo API that the sample plans use
    Demo(demo::Arguments),
}

/// Runs the command that `arguments` (the program's name first) ask for.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes. A closed stream changes neither.
            let _ = error.print();
            return if error.use_stderr() { Exit::Mistake } else { Exit::Held };
        }
    };
    match cli.verb {
        Verb::Run(run) => run.run(command_line(&arguments)),
        Verb::Check(check) => check.run(),
        Verb::Demo(demo) => demo.run(),
    }
}

/// The command line as a shell would take it again.
fn command_line(arguments: &[OsString]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quote = |argument: &OsString| {
        let text = argument.to_string_lossy();
        if !text.is_empty() && text.chars().all(plain) {
            text.into_owned()
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    };
    let rest = arguments.iter().skip(1).map(quote);
    std::iter::once("throng".to_owned()).chain(rest).collect::<Vec<_>>().join(" ")
}

/// Prints to stderr; a closed stderr is no reason to fail.
fn say(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

fn colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}
