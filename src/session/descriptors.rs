//! Owns file descriptors: raising the limit, and the arithmetic before the run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::diagnostic::Diagnostic;

/// What the program itself needs: results, runtimes, terminal.
const OWN: u64 = 64;

/// What a worker needs: its runtime waits on a few.
const WORKER: u64 = 4;

/// Raises the soft limit to the hard one and sees whether `users` connections fit. With the demo
/// both ends of each connection are in this process.
///
/// # Errors
/// They do not: the arithmetic, and what to do.
pub(super) fn reserve(users: u32, workers: usize, demo: bool) -> Result<(), Diagnostic> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // A limit that cannot be raised is judged as it is, below.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
    fits(users, workers, demo, getrlimit(Resource::Nofile).current)
}

fn fits(users: u32, workers: usize, demo: bool, limit: Option<u64>) -> Result<(), Diagnostic> {
    let own = OWN + WORKER * workers as u64;
    let ends = if demo { 2 } else { 1 };
    let needed = u64::from(users) * ends + own;
    let Some(limit) = limit.filter(|limit| *limit < needed) else { return Ok(()) };
    let each = if demo { "two each, as the demo is in this process" } else { "one each" };
    let possible = limit.saturating_sub(own) / ends;
    Err(Diagnostic::without_place(
        format!("{users} users need {needed} file descriptors, and this process may have {limit}"),
        format!(
            "connections take {each}, the program and its workers {own}: raise the limit (`ulimit -n {needed}`), \
             or run at most {possible} users"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arithmetic_is_said_before_the_run() {
        assert_eq!(fits(900, 2, false, Some(1024)), Ok(()));
        assert_eq!(fits(900, 2, false, None), Ok(()));
        let said = fits(1000, 2, false, Some(1024)).unwrap_err();
        assert_eq!(
            said.title,
            "1000 users need 1072 file descriptors, and this process may have 1024"
        );
        assert_eq!(
            said.label,
            "connections take one each, the program and its workers 72: raise the limit (`ulimit -n 1072`), or run at most 952 users"
        );
        assert!(fits(900, 2, true, Some(1024)).is_err());
    }
}
