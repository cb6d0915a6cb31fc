//! Owns what the shell wants: `throng completions` and `throng man`.

use std::io::{self, Write as _};

use clap::Command;
use clap_complete::Shell;

use super::say;
use crate::exit::Exit;

/// Arguments of `throng completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell, as in `throng completions bash > ~/.local/share/bash-completion/completions/throng`
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "throng", &mut script);
        print(&script)
    }
}

/// Prints the manual page, as `throng man | man -l -` shows it: the commands, then the options of
/// `throng run`, then its exit codes and examples.
pub(super) fn man(command: Command) -> Exit {
    match page(command) {
        Ok(page) => print(&page),
        Err(error) => failed(&error),
    }
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    // What stands behind the help is laid out by lines, which a manual page would fill.
    let begin = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut run = command.find_subcommand("run").cloned().unwrap_or_default();
    let more = run.get_after_help().map(ToString::to_string).unwrap_or_default();
    let man = clap_mangen::Man::new(command.after_help(""));
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    run = run.after_help("");
    let mut options = Vec::new();
    clap_mangen::Man::new(run).render_options_section(&mut options)?;
    let options = String::from_utf8_lossy(&options).replacen(
        ".SH OPTIONS",
        ".SH \"OPTIONS OF throng run\"",
        1,
    );
    page.extend_from_slice(options.as_bytes());
    for (title, text) in [("MORE ON throng run", more), ("EXAMPLES", begin)] {
        let lines = text.replace('\\', "\\e").replace('-', "\\-");
        page.extend_from_slice(format!(".SH \"{title}\"\n.nf\n{lines}\n.fi\n").as_bytes());
    }
    Ok(page)
}

pub(super) fn print(bytes: &[u8]) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // `throng man | head` is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error),
        _ => Exit::Held,
    }
}

fn failed(error: &io::Error) -> Exit {
    say(&format!("error: cannot write to stdout: {error}\n"));
    Exit::Untrusted
}
