//! Owns runs of one plan against two targets in turns, on one machine, and their comparison.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compare::{Comparing, Form, print, show, tell};
use super::options::{Github, Options};
use super::prepare::{Prepared, prepare};
use super::reach;
use super::results::{Folder, link_latest, stdout_width};
use super::run::{cannot, mistakes, plan_stem, run, start_demo, target_of};
use super::say;
use super::signals::Signals;
use crate::diagnostic::{Diagnostic, Source};
use crate::exit::Exit;
use crate::plan::{Plan, Target};
use crate::record::{Line, Reader};
use crate::sink::comparison::{self, Told};
use crate::sink::{self, write_whole};
use crate::units::format_duration;
use crate::untrusted::visible;
use crate::verdict::compare::{FIGURES, LEAST, SECONDS, needs};

/// The other target, and how often both are loaded.
#[derive(Debug, Clone)]
pub struct Versus {
    /// Where the new version is.
    pub target: Target,
    /// So many runs of each; as many as can judge every figure of the plan when absent.
    pub rounds: Option<u32>,
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

    /// The folder of its runs within that of the results.
    fn of(self, out: &Path) -> PathBuf {
        out.join(self.name())
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
    let mut taken = options.out.iter().flat_map(|out| [Side::A, Side::B].map(|side| side.of(out)));
    if let Some(taken) = taken.find(|folder| folder.exists()) {
        return mistakes(
            &[Diagnostic::without_place(
                format!("`{}` is there already", taken.display()),
                "the runs of a comparison are put together by their folder: name another one, as with \
                 `--out DIR`",
            )],
            sources,
        );
    }
    let rounds = match begin(plan, sources, options, versus) {
        Ok(rounds) => rounds,
        Err(exit) => return exit,
    };
    let folder = Folder::make(options.out.as_deref(), &format!("{}-versus", plan_stem(sources)));
    let folder = match folder {
        Ok(folder) => folder,
        Err(mistake) => return mistakes(&[mistake], sources),
    };
    let out = &folder.path;
    let (mut untrusted, mut unwritten, mut broke) = (Vec::new(), Vec::new(), Vec::new());
    for (whole, (round, side)) in order(rounds).enumerate() {
        let mut one = asked_of(side, options, &versus.target);
        let path = side.of(out).join(round.to_string());
        one.out = Some(path.clone());
        if !one.output.quiet {
            let name = side.name().to_uppercase();
            say(&format!("\nRound {round} of {rounds}, {name}\n"));
        }
        let name = format!("{}/{round}", side.name());
        match run(plan, sources, &one) {
            Exit::Broke if side == Side::B => broke.push(name),
            Exit::Held | Exit::Broke => {}
            Exit::Untrusted if was_untrusted(&path) => untrusted.push(name),
            Exit::Untrusted => unwritten.push(name),
            // Nothing was measured, or somebody wants it to end.
            other => {
                ended_early(&folder, side, round, whole);
                return other;
            }
        }
    }
    link_latest(out);
    let compared = compare(out, options);
    if !untrusted.is_empty() {
        let why =
            if untrusted.len() == 1 { "its report says why" } else { "their reports say why" };
        say(&format!("error: {} could not be trusted: {why}\n", untrusted.join(", ")));
    }
    if !unwritten.is_empty() {
        let names = unwritten.join(", ");
        say(&format!("error: not all results of {names} could be written, as was said there\n"));
    }
    if !broke.is_empty() {
        let which = if broke.len() == 1 { "its report says" } else { "their reports say" };
        say(&format!("a threshold did not hold in {}: {which} which\n", broke.join(", ")));
    }
    match compared {
        _ if !untrusted.is_empty() || !unwritten.is_empty() => Exit::Untrusted,
        Exit::Held if !broke.is_empty() => Exit::Broke,
        other => other,
    }
}

/// What a run of that side is asked for. It is told of by the comparison alone.
fn asked_of(side: Side, options: &Options, other: &Target) -> Options {
    let mut one = options.clone();
    one.output.silent = true;
    one.output.github = Github::default();
    // How far the load goes is said before the first.
    one.yes = true;
    if side == Side::B {
        (one.target, one.demo) = (Some(other.clone()), false);
    }
    one
}

/// Sees that all runs can begin, and that something can come of them: gives how many there are a side.
fn begin(plan: &Plan, sources: &[Source], options: &Options, versus: &Versus) -> Result<u32, Exit> {
    let demo = start_demo(options.demo)
        .map_err(|error| mistakes(&[cannot("start the demo server", &error)], sources))?;
    let prepared = |side: Side, target: Option<Target>| {
        let options = asked_of(side, options, &versus.target);
        prepare(plan, sources, &options, target).map_err(|found| mistakes(&found, sources))
    };
    let a = prepared(Side::A, demo.as_ref().map(target_of))?;
    let b = prepared(Side::B, None)?;
    if a.search.is_some() {
        let title = "`--versus` goes with no search: its runs would not have the same load";
        let label = "run each search by itself, or another profile";
        return Err(mistakes(&[Diagnostic::without_place(title, label)], sources));
    }
    let figures = figures(&a);
    let rounds =
        rounds(versus.rounds, figures, &a).map_err(|mistake| mistakes(&[mistake], sources))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| mistakes(&[cannot("start", &error)], sources))?;
    runtime.block_on(async {
        let mut signals = Signals::listen()
            .map_err(|error| mistakes(&[cannot("listen for signals", &error)], sources))?;
        for side in [&a, &b] {
            reach::all(&side.targets, &side.settings, options, &mut signals).await?;
        }
        Ok(())
    })?;
    if !options.output.quiet {
        say(&planned(rounds, figures, a.total, a.iterations.is_some()));
    }
    Ok(rounds)
}

/// How many figures are compared at most, of all requests and of each name that users can send.
fn figures(prepared: &Prepared) -> usize {
    let program = &prepared.program;
    let runs = |class: usize| prepared.parts.iter().any(|part| part.has(class));
    let classes = program.classes.iter().enumerate().filter(|(class, _)| runs(*class));
    let series = classes.flat_map(|(_, class)| &class.requests).filter_map(|one| one.series);
    let names: BTreeSet<_> =
        series.map(|series| &program.catalogue.names[usize::from(series)]).collect();
    FIGURES.len() * (names.len() + 1)
}

/// How many runs there are a side.
///
/// # Errors
/// So many, or so short ones, can never show a difference.
fn rounds(asked: Option<u32>, figures: usize, prepared: &Prepared) -> Result<u32, Diagnostic> {
    let needs = needs(figures) as u32;
    let Some(rounds) = asked else { return Ok(needs) };
    let (total, warmup) = (prepared.total, prepared.warmup);
    match rounds {
        2 | 3 => Err(Diagnostic::without_place(
            format!("{rounds} rounds can never show a difference at 5%"),
            format!(
                "write `--rounds {needs}` to judge all of {figures} figures, `--rounds 4` for the p95 of \
                 all requests alone, or `--rounds 1` for one run a side; nothing was sent"
            ),
        )),
        1 if total.saturating_sub(warmup) < Duration::from_secs(SECONDS.into()) => {
            let behind = if warmup.is_zero() { "" } else { " behind the warm-up" };
            Err(Diagnostic::without_place(
                format!(
                    "one run a side of {}{behind} is too short to be compared: it takes {SECONDS}s",
                    format_duration(total.saturating_sub(warmup)),
                ),
                format!(
                    "make it longer, as with `-t {}`, or write `--rounds {needs}`; nothing was sent",
                    format_duration(warmup + Duration::from_secs(SECONDS.into())),
                ),
            ))
        }
        rounds => Ok(rounds),
    }
}

/// How many runs of how long there will be, and what they can judge. With a number of iterations they may
/// end `sooner`.
fn planned(rounds: u32, figures: usize, each: Duration, sooner: bool) -> String {
    let needs = needs(figures) as u32;
    let judge = match rounds {
        1 => String::new(),
        few if few < needs => format!("; `--rounds {needs}` would judge all of {figures} figures"),
        _ => format!("; they can judge all of {figures} figures"),
    };
    format!(
        "{rounds} round{}: {} runs of {}{}, {} in all{judge}\n",
        if rounds == 1 { "" } else { "s" },
        2 * rounds,
        if sooner { "at most " } else { "" },
        format_duration(each),
        format_duration(each * (2 * rounds)),
    )
}

/// A run that was written down as one that cannot be trusted. Else its results could not be written.
fn was_untrusted(run: &Path) -> bool {
    let Ok(mut reader) = Reader::open(run) else { return false };
    while let Ok(Some(line)) = reader.next_line() {
        if let Line::Ended(ending) = line {
            return ending.exit_code == Exit::Untrusted.code();
        }
    }
    false
}

/// Says what there is when a run is the last before its time. What it measured until then does not stand
/// among the whole runs, of which there are so many.
fn ended_early(folder: &Folder, side: Side, round: u32, whole: usize) {
    let out = &folder.path;
    let shown = |path: &Path| visible(&path.display().to_string()).into_owned();
    let (a, b) = (Side::A.of(out), Side::B.of(out));
    let stopped = out.join(format!("stopped-{}-{round}", side.name()));
    if fs::rename(side.of(out).join(round.to_string()), &stopped).is_ok() {
        say(&format!("what {}/{round} measured lies in {}\n", side.name(), shown(&stopped)));
    }
    for empty in [&a, &b] {
        // One that holds runs is not removed.
        let _ = fs::remove_dir(empty);
    }
    folder.discard();
    let (a, b) = (shown(&a), shown(&b));
    match whole {
        0 => {}
        1 => say(&format!("one whole run lies in {a}: too few to compare\n")),
        2 => say(&format!(
            "both runs of round 1 are whole: `throng compare {a} {b}` compares them\n"
        )),
        n => say(&format!("{n} runs are whole: `throng compare {a} {b}` compares them\n")),
    }
}

fn compare(out: &Path, options: &Options) -> Exit {
    let output = &options.output;
    let form = match (output.json, output.quiet) {
        (true, _) => Form::Json,
        (false, true) => Form::Sentence,
        (false, false) => Form::Text,
    };
    let comparing = Comparing {
        baseline: Side::A.of(out),
        new: Side::B.of(out),
        least: LEAST,
        form,
        html: (!output.no_report).then(|| out.join("comparison.html")),
        width: stdout_width(),
    };
    let told = match tell(&comparing) {
        Ok(told) => told,
        Err(error) => {
            say(&format!("error: the runs cannot be compared: {}\n", error.title));
            return Exit::Untrusted;
        }
    };
    let mut exit = show(&told, &comparing);
    for error in written(&told, out, &output.github) {
        say(&format!("error: could not write {error}\n"));
        exit = Exit::Untrusted;
    }
    if form == Form::Text {
        let shown = comparing.html.as_deref().unwrap_or(out);
        // A closed stdout was told of already.
        let _ = print(&format!("Results: {}\n", visible(&shown.display().to_string())));
    }
    exit
}

/// Writes what is for a pull request, and for a workflow of GitHub; gives what could not be written.
fn written(told: &Told, out: &Path, github: &Github) -> Vec<String> {
    let mut failed = Vec::new();
    let (text, path) = (comparison::markdown(told), out.join("comparison.md"));
    if let Err(error) = write_whole(&path, &text) {
        failed.push(format!("{}: {error}", path.display()));
    }
    if let Some(path) = &github.step_summary {
        match sink::append_summary(path, &text) {
            Ok(true) => {}
            Ok(false) => say(
                "warning: the summary of this step has no room left for the comparison; GitHub \
                 shows 1 MiB\n",
            ),
            Err(error) => {
                failed.push(format!("GITHUB_STEP_SUMMARY, {}: {error}", path.display()));
            }
        }
    }
    if let (Some(_), Some(error)) = (&github.workspace, comparison::annotation(told)) {
        // As it is: this one is a command. A closed stderr is no failure.
        let _ = std::io::stderr().write_all(error.as_bytes());
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_changes_from_round_to_round() {
        let text: String = order(3).map(|(_, side)| side.name()).collect();
        assert_eq!(text, "abbaab");
    }

    #[test]
    fn what_will_be_run_is_said_with_what_it_can_judge() {
        let said = |rounds| planned(rounds, 15, Duration::from_secs(60), rounds == 1);
        assert_eq!(
            said(6),
            "6 rounds: 12 runs of 1m, 12m in all; they can judge all of 15 figures\n"
        );
        let few = "4 rounds: 8 runs of 1m, 8m in all; `--rounds 6` would judge all of 15 figures\n";
        assert_eq!(said(4), few);
        assert_eq!(said(1), "1 round: 2 runs of at most 1m, 2m in all\n");
    }
}
