//! Owns runs of one plan against two targets in turns, on one machine, and their comparison.

use std::path::Path;

use super::compare::{Comparing, Form, tell};
use super::options::Options;
use super::results::{Folder, link_latest, stdout_width};
use super::run::{mistakes, plan_stem, run};
use super::say;
use crate::diagnostic::{Diagnostic, Source};
use crate::exit::Exit;
use crate::plan::{Plan, Target};
use crate::sink::{comparison, write_whole};
use crate::untrusted::visible;
use crate::verdict::compare::LEAST;

/// The other target, and how often both are loaded.
#[derive(Debug, Clone)]
pub struct Versus {
    /// Where the new version is.
    pub target: Target,
    /// So many runs of each.
    pub rounds: u32,
}

/// A run of one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Where the plan goes.
    A,
    /// The other one.
    B,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// Who runs when: a machine that grows slower or faster all the time does not favour one of them.
fn order(rounds: u32) -> impl Iterator<Item = (u32, Side)> {
    (1..=rounds).flat_map(|round| {
        let (first, second) = if round % 2 == 1 { (Side::A, Side::B) } else { (Side::B, Side::A) };
        [(round, first), (round, second)]
    })
}

/// Runs the plan against its own target (A) and the other (B) in turns, and tells how B compares with A.
///
/// A run that is stopped or cannot begin ends it with its exit code; one that cannot be trusted makes
/// the exit code 3. Else it is 1 when something is worse or nothing can be said, or a threshold broke in
/// a run of B.
#[must_use]
pub fn versus(plan: &Plan, sources: &[Source], options: &Options, versus: &Versus) -> Exit {
    let Versus { target, rounds } = versus;
    let out = match Folder::make(options.out.as_deref(), &format!("{}-versus", plan_stem(sources)))
    {
        Ok(out) => out.path,
        Err(mistake) => return mistakes(&[mistake], sources),
    };
    if let Some(taken) = [Side::A, Side::B].iter().find(|side| out.join(side.name()).exists()) {
        let taken = out.join(taken.name());
        return mistakes(
            &[Diagnostic::without_place(
                format!("`{}` is there already", taken.display()),
                "the runs of a comparison are put together by their folder: name another one, as with \
                 `--out DIR`",
            )],
            sources,
        );
    }
    let (mut untrusted, mut broke) = (false, false);
    for (round, side) in order(*rounds) {
        let mut one = options.clone();
        one.out = Some(out.join(side.name()).join(round.to_string()));
        one.output.silent = true;
        if side == Side::B {
            (one.target, one.demo) = (Some(target.clone()), false);
        }
        if !one.output.quiet {
            let name = side.name().to_uppercase();
            say(&format!("\nRound {round} of {rounds}, {name}\n"));
        }
        match run(plan, sources, &one) {
            Exit::Held => {}
            Exit::Broke => broke |= side == Side::B,
            Exit::Untrusted => untrusted = true,
            // Nothing was measured, or somebody wants it to end.
            other => return other,
        }
    }
    link_latest(&out);
    let compared = compare(&out, options);
    match compared {
        _ if untrusted => {
            say("error: some of the runs cannot be trusted: their reports say why\n");
            Exit::Untrusted
        }
        Exit::Held if broke => {
            say("a threshold did not hold in a run of B: its report says which\n");
            Exit::Broke
        }
        other => other,
    }
}

fn compare(out: &Path, options: &Options) -> Exit {
    let comparing = Comparing {
        baseline: out.join(Side::A.name()),
        new: out.join(Side::B.name()),
        least: LEAST,
        form: if options.output.json { Form::Json } else { Form::Text },
        html: (!options.output.no_report).then(|| out.join("comparison.html")),
        width: stdout_width(),
    };
    let exit = super::compare::compare_runs(&comparing);
    let markdown = out.join("comparison.md");
    let written = tell(&comparing).map_err(|error| error.title).and_then(|told| {
        write_whole(&markdown, &comparison::markdown(&told)).map_err(|error| error.to_string())
    });
    if let Err(error) = written {
        say(&format!("error: could not write {}: {error}\n", markdown.display()));
        return Exit::Untrusted;
    }
    if !options.output.json {
        let shown = comparing.html.as_deref().unwrap_or(out);
        say(&format!("Results: {}\n", visible(&shown.display().to_string())));
    }
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_changes_from_round_to_round() {
        let text: String = order(3).map(|(_, side)| side.name()).collect();
        assert_eq!(text, "abbaab");
    }
}
