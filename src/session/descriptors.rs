//! Owns file descriptors: raising the limit, and the arithmetic before the run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::diagnostic::Diagnostic;
use crate::program::{Class, Program};

/// What the program itself needs: results, runtimes, terminal.
const OWN: u64 = 64;

/// What a worker needs: its runtime waits on a few.
const WORKER: u64 = 4;

/// Raises the soft limit to the hard one and sees whether the connections of `users` fit, each of
/// whom holds so many at most, or all of them so many of a pool. With the demo both ends of each
/// connection are in this process.
///
/// # Errors
/// They do not: the arithmetic, and what to do.
pub(super) fn reserve(
    users: u32,
    held: Held,
    workers: usize,
    demo: bool,
) -> Result<(), Diagnostic> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // A limit that cannot be raised is judged as it is, below.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
    fits(users, held, workers, demo, getrlimit(Resource::Nofile).current)
}

fn fits(
    users: u32,
    held: Held,
    workers: usize,
    demo: bool,
    limit: Option<u64>,
) -> Result<(), Diagnostic> {
    let own = OWN + WORKER * workers as u64;
    let ends = if demo { 2 } else { 1 };
    let Held { each, pool } = held;
    let needed = (u64::from(users) * each + pool) * ends + own;
    let Some(limit) = limit.filter(|limit| *limit < needed) else { return Ok(()) };
    let words = match (each * ends, demo) {
        (0, _) => format!("{} of the pool", pool * ends),
        (1, _) => "one each".to_owned(),
        (2, true) => "two each, as the demo is in this process".to_owned(),
        (n, _) => format!("up to {n} each"),
    };
    if each == 0 {
        return Err(Diagnostic::without_place(
            format!(
                "a pool of {pool} connections needs {needed} file descriptors, and this process may have {limit}"
            ),
            format!("raise the limit (`ulimit -n {needed}`), or share fewer"),
        ));
    }
    let possible = limit.saturating_sub(own + pool * ends) / (each * ends);
    let fewer = match possible {
        0 => String::new(),
        possible => format!(", or run at most {possible} users"),
    };
    Err(Diagnostic::without_place(
        format!("{users} users need {needed} file descriptors, and this process may have {limit}"),
        format!(
            "connections take {words}, the program and its workers {own}: raise the limit (`ulimit -n {needed}`){fewer}"
        ),
    ))
}

/// Connections that are held at once, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// By each user.
    pub(super) each: u64,
    /// By all of them together.
    pub(super) pool: u64,
}

impl Held {
    /// By the users of a program.
    pub(super) fn by(program: &Program) -> Self {
        let each = program.classes.iter().map(Class::connections).max().unwrap_or(1);
        Self { each, pool: program.pool.map_or(0, u64::from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arithmetic_is_said_before_the_run() {
        let one = Held { each: 1, pool: 0 };
        assert_eq!(fits(900, one, 2, false, Some(1024)), Ok(()));
        assert_eq!(fits(900, one, 2, false, None), Ok(()));
        let said = fits(1000, one, 2, false, Some(1024)).unwrap_err();
        assert_eq!(
            said.title,
            "1000 users need 1072 file descriptors, and this process may have 1024"
        );
        assert_eq!(
            said.label,
            "connections take one each, the program and its workers 72: raise the limit (`ulimit -n 1072`), or run at most 952 users"
        );
        assert!(fits(900, one, 2, true, Some(1024)).is_err());
        let six = fits(1000, Held { each: 6, pool: 0 }, 2, false, Some(1024)).unwrap_err();
        assert!(six.label.contains("up to 6 each"), "{}", six.label);
        let pool = Held { each: 0, pool: 500 };
        assert_eq!(fits(1_000_000, pool, 2, false, Some(1024)), Ok(()));
        assert_eq!(
            fits(1_000_000, Held { pool: 2000, ..pool }, 2, false, Some(1024)).unwrap_err().title,
            "a pool of 2000 connections needs 2072 file descriptors, and this process may have 1024"
        );
    }
}
