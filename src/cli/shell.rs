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
/// `throng run`.
pub(super) fn man(command: Command) -> Exit {
    let mut page = Vec::new();
    let mut rendered = clap_mangen::Man::new(command.clone()).render(&mut page);
    if let Some(run) = command.find_subcommand("run") {
        let run = clap_mangen::Man::new(run.clone());
        rendered = rendered
            .and_then(|()| page.write_all(b".SH RUN\n"))
            .and_then(|()| run.render_options_section(&mut page))
            .and_then(|()| run.render_extra_section(&mut page));
    }
    match rendered {
        Ok(()) => print(&page),
        Err(error) => failed(&error),
    }
}

fn print(bytes: &[u8]) -> Exit {
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
