//! Owns every exit code of the program, in one table.

use std::process::ExitCode;

/// How a command ended, for the shell and for CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Ran to its end, every threshold held, the run is valid.
    Held,
    /// Ran, and a threshold broke.
    Broke,
    /// The plan or the command line is wrong; nothing was sent.
    Mistake,
    /// The run cannot be trusted, or its results could not be written.
    Untrusted,
    /// Nothing could be run: the target was never reached, or `before` failed.
    Unreached,
    /// Ended by SIGINT before its end.
    Interrupted,
    /// Ended by SIGTERM before its end.
    Terminated,
}

/// Code and meaning of each [`Exit`]; `throng run --help` and the README print this.
pub const TABLE: [(Exit, u8, &str); 7] = [
    (Exit::Held, 0, "ran to its end, every threshold held, the run is valid"),
    (
        Exit::Broke,
        1,
        "ran, and a threshold broke, had no data or too few samples, or a search had no answer; with --fail-on-error, a request failed",
    ),
    (Exit::Mistake, 2, "the plan or the command line is wrong; nothing was sent"),
    (Exit::Untrusted, 3, "the run cannot be trusted, or results could not be written"),
    (Exit::Unreached, 4, "nothing could be run: the target was never reached, or `before` failed"),
    (Exit::Interrupted, 130, "ended by SIGINT (Ctrl-C) before its end"),
    (Exit::Terminated, 143, "ended by SIGTERM before its end"),
];

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        let row = TABLE.iter().find(|(exit, ..)| *exit == self);
        row.expect("every exit has a row in the table").1
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_ci_relies_on() {
        let codes = TABLE.map(|(exit, ..)| exit.code());
        assert_eq!(codes, [0, 1, 2, 3, 4, 130, 143]);
    }
}
