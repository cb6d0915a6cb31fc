//! Owns one run, from the checked plan to the exit code.

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::baseline;
use super::conclude::Conclusion;
use super::descriptors::{self, Held};
use super::evidence::Exhibits;
use super::fold::timetable;
use super::once;
use super::options::Options;
use super::ports::{self, Ends};
use super::prepare::{Prepared, prepare};
use super::reach;
use super::results::{Folder, cannot_write, link_latest, sinks};
use super::search::Seeker;
use super::signals::Signals;
use super::steering::Steering;
use super::watch::{Follow, Followed, Judging, Watched, step_of};
use super::way;
use super::{colour, say};
use crate::control::{Order, StopReason};
use crate::demo::{self, Demo};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::engine::{self, Gauge, Part, Setup};
use crate::event::{Closing, Event, Found, Started};
use crate::exit::Exit;
use crate::expr::Run;
use crate::plan::{NamedProfile, Plan, Target};
use crate::program::{self, Program};
use crate::protocol::http::{Http, Settings};
use crate::units::format_duration;

/// Runs `plan`, which was read from `sources`. Progress goes to stderr, the summary to stdout,
/// files to the folder of results.
#[must_use]
pub fn run(plan: &Plan, sources: &[Source], options: &Options) -> Exit {
    steered(plan, sources, options, mpsc::unbounded_channel().1)
}

/// Runs it while `orders` change its load.
#[must_use]
pub fn steered(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    orders: mpsc::UnboundedReceiver<Order>,
) -> Exit {
    run_beside(plan, sources, options, Beside { health: engine::system(), orders })
}

/// What goes on beside a run.
pub(super) struct Beside {
    /// Where the generator's own figures come from.
    pub(super) health: Box<dyn engine::Source>,
    /// Who changes the load.
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
}

/// Runs it beside what tests can replace.
pub(super) fn run_beside(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    beside: Beside,
) -> Exit {
    let demo = match start_demo(options.demo) {
        Ok(demo) => demo,
        Err(error) => return mistakes(&[cannot("start the demo server", &error)], sources),
    };
    let demo_target = demo.as_ref().map(target_of);
    let prepared = match prepare(plan, sources, options, demo_target) {
        Ok(prepared) => prepared,
        Err(found) => return mistakes(&found, sources),
    };
    // Each needs a user, and a connection of the pool.
    let users = most_users(&prepared.parts);
    let most = users.min(prepared.program.pool.unwrap_or(u32::MAX)).max(1);
    let workers = options.workers.unwrap_or_else(cores).clamp(1, most as usize);
    let held = Held::by(&prepared.program);
    if let Err(mistake) = descriptors::reserve(users, held, workers, options.demo) {
        return mistakes(&[mistake], sources);
    }
    let has_users = |number: usize| prepared.parts.iter().any(|part| part.has(number));
    let left_out = program::left_out(plan, &prepared.program, "this run leaves", has_users);
    let too_late = too_late(plan, &prepared);
    for warnings in [left_out, too_late].iter().filter(|warnings| !warnings.is_empty()) {
        say(&diagnostic::render(warnings, sources, colour()));
    }
    let out = match Folder::make(options.out.as_deref(), &plan_stem(sources)) {
        Ok(out) => out,
        Err(mistake) => return mistakes(&[mistake], sources),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let ran = measure(plan, sources, options, prepared, workers, &out, beside);
            runtime.block_on(ran)
        }
        Err(error) => mistakes(&[cannot("start", &error)], sources),
    }
}

pub(super) fn start_demo(wanted: bool) -> io::Result<Option<Demo>> {
    if !wanted {
        return Ok(None);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    demo::start(demo::Options { address, threads: 1, delay: Duration::ZERO, fail: 0.0 }).map(Some)
}

/// Where the demo is.
pub(super) fn target_of(demo: &Demo) -> Target {
    Target::parse(&format!("http://{}", demo.address())).expect("an address is a target")
}

async fn measure(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    prepared: Prepared,
    workers: usize,
    out: &Folder,
    beside: Beside,
) -> Exit {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return mistakes(&[cannot("listen for signals", &error)], sources),
    };
    let reached =
        match reach::all(&prepared.targets, &prepared.settings, options, &mut signals).await {
            Ok(reached) => reached,
            Err(exit) => {
                out.discard();
                return exit;
            }
        };
    let (users, held) = (most_users(&prepared.parts), Held::by(&prepared.program));
    let few = prepared.targets.iter().zip(&reached).filter_map(|((target, _), reached)| {
        let (addresses, sources) = (&*reached.addresses, &*prepared.settings.sources);
        ports::too_few(users, held, &Ends { target, addresses, sources })
    });
    let few: Vec<_> = few.collect();
    if !few.is_empty() {
        say(&diagnostic::render(&few, sources, colour()));
    }
    let targets: Vec<_> = reached.into_iter().map(|reached| reached.target).collect();
    let mut started = about(plan, sources, options, &prepared, workers, &out.path);
    let (mut fan_out, listing) = match sinks(&out.path, &options.output, &started.plan_format) {
        Ok(sinks) => sinks,
        Err((path, error)) => {
            out.discard();
            return mistakes(&[cannot_write(&path, &error)], sources);
        }
    };
    let run = Run::new(run_id(&out.path), tokio::time::Instant::now(), jiff::Timestamp::now());
    let mut setup = Setup {
        program: Arc::new(prepared.program),
        parts: prepared.parts,
        seed: started.seed,
        grace: prepared.grace,
        iterations: prepared.iterations,
        run: Arc::new(run),
        places: engine::Places::default(),
        secrets: prepared.secrets,
        listing,
        workers,
    };
    let (wanted, secrets) = (setup.program.evidence, setup.secrets.clone());
    let mut exhibits = Exhibits::new(wanted, secrets, prepared.security.clone());
    let settings = Settings {
        open: way::opener(options, &prepared.hosts, prepared.security.clone()),
        identify: prepared.security.identify(),
        ..prepared.settings
    };
    let shares = Shares::new(setup.program.pool, workers);
    let protocol = || {
        let (worker, pool) = shares.next();
        let pool = pool.unwrap_or(settings.pool);
        Http::new(targets.clone(), Settings { pool, worker, ..settings.clone() })
    };
    started.at = jiff::Timestamp::now();
    fan_out.take(&Event::Started(&started));
    let mut asides = Vec::new();
    let mut before_failed = None;
    let mut stopped = None;
    let mut ends_run = None;
    if let Some(before) = setup.program.before.clone() {
        let shared = Arc::new(setup.clone());
        let ran = tokio::select! {
            ran = once::run("before", 0, &shared, &before, protocol()) => Ok(ran),
            reason = signals.next() => Err(reason),
        };
        match ran {
            Ok((once, aside)) => {
                if !once.succeeded {
                    before_failed = Some(once::complaint(&aside));
                }
                ends_run = once.ends_run;
                exhibits.take(&once.evidence);
                fan_out.take(&Event::Aside(&aside));
                asides.push(aside);
                let mut program = Program::clone(&setup.program);
                program.adopt(&before.names, &once.slots);
                setup.program = Arc::new(program);
            }
            // What was begun is undone all the same.
            Err(reason) => stopped = Some(reason),
        }
    }
    let setup = Arc::new(setup);
    let Beside { health, mut orders } = beside;
    let (catalogue, gauge) = (&started.catalogue, Gauge::new(health));
    let classes = plan.classes.iter().map(|class| class.name.value.as_str()).collect();
    let held = Held::by(&setup.program);
    let crowded = |users| {
        let reserved = descriptors::reserve(users, held, workers, options.demo);
        reserved.err().map(|mistake| mistake.title)
    };
    let steering = Steering::new(&setup.parts, classes, setup.iterations.is_some(), &crowded);
    let timetable = timetable(prepared.warmup, &prepared.spans);
    let search = started.search.as_ref();
    // A search breaks them on purpose.
    let thresholds = if search.is_some() { &[][..] } else { &started.thresholds };
    let seeker = search.map(|search| Seeker::new(search, catalogue, prepared.warmup));
    let judging = Judging { thresholds, timetable, seeker };
    let mut follow = Follow::new(sources, steering, judging, catalogue, gauge);
    if let Some(baseline) = &prepared.baseline {
        follow.compare(&baseline.seconds);
    }
    let mut watched = Watched::default();
    if let Some(ending) = ends_run {
        let by = step_of(&ending, sources);
        fan_out.take(&Event::Stopping(StopReason::Plan, Some(&by)));
        (watched.stopped, watched.stopped_by) = (Some(StopReason::Plan), Some(by));
    } else if before_failed.is_none() && stopped.is_none() {
        let workers = match engine::start(setup.clone(), protocol) {
            Ok(workers) => workers,
            Err(error) => return mistakes(&[cannot("start the workers", &error)], sources),
        };
        watched =
            follow.watch(workers, &mut signals, &mut orders, &mut fan_out, &mut exhibits).await;
    }
    if let Some(after) = &setup.program.after {
        let ran = tokio::select! {
            ran = once::run("after", 1, &setup, after, protocol()) => Some(ran),
            _ = signals.next() => None,
        };
        match ran {
            Some((once, aside)) => {
                if !once.succeeded {
                    say(&format!("warning: {}", setup.secrets.hidden(&once::complaint(&aside))));
                }
                exhibits.take(&once.evidence);
                fan_out.take(&Event::Aside(&aside));
                asides.push(aside);
            }
            None => say("stopped in `after`: what it was to undo may be left\n"),
        }
    }
    if let Some(reason) = stopped {
        out.discard();
        say("stopped in `before`: no user was started\n");
        return reach::stopped(reason);
    }
    if let Some(complaint) = before_failed {
        out.discard();
        say(&format!("error: {}  no user was started\n", setup.secrets.hidden(&complaint)));
        return Exit::Unreached;
    }
    if setup.secrets.is_full() {
        say(TOO_MANY_SECRETS);
    }
    link_latest(&out.path);
    let Followed { folded, steered, path, loaded, health } = follow.into_parts();
    let found = started.search.as_ref().map(|search| Found::of(search, &path));
    let fail_on_error = options.fail_on_error;
    let conclusion = Conclusion {
        folded: &folded,
        asides: &asides,
        evidence: exhibits.end(),
        steered: &steered,
        thresholds: &started.thresholds,
        search: found.as_ref(),
        stopped: watched.stopped,
        stopped_by: watched.stopped_by.as_deref(),
        fail_on_error,
        workers: started.workers,
        closing: Closing { loaded, lost: watched.lost, health },
        again: None,
        at: jiff::Timestamp::now(),
    };
    let exit = conclusion.conclude(&mut fan_out);
    // The record is whole now.
    drop(fan_out);
    match &prepared.baseline {
        Some(stored) => baseline::told(exit, stored, &out.path, &out.path, &options.output),
        None => exit,
    }
}

const TOO_MANY_SECRETS: &str = "\
warning: more secrets were captured than can be looked for in every text
  those that came last are hidden only where the user that captured them is shown; a server that tells
  them to others shows them in results; `evidence: off` keeps no exchange at all
";

/// Warnings at thresholds that a load of the command line is too short for. Those that a profile is too
/// short for were told with the plan.
fn too_late(plan: &Plan, prepared: &Prepared) -> Vec<Diagnostic> {
    if prepared.search.is_some() {
        return Vec::new();
    }
    let (total, warmup) = (prepared.total, prepared.warmup);
    let named = |profile: &NamedProfile| format!("profile {}", profile.name.value);
    let told = plan.profiles.iter().any(|profile| named(profile) == prepared.profile);
    let timetable = timetable(warmup, &prepared.spans);
    let late = plan.thresholds.iter().filter(|one| {
        // Of the profiles, only one that has the stage is told of with the plan.
        let told =
            told && (one.value.during.is_none() || !timetable.stages_of(&one.value).is_empty());
        !told && !timetable.fits(&one.value, total)
    });
    late.map(|threshold| {
        let words = threshold.value.when_words();
        let text = format!("{}{words}", threshold.value.text);
        if let (Some(stage), []) =
            (&threshold.value.during, &timetable.stages_of(&threshold.value)[..])
        {
            let title =
                format!("this run has no stage `{stage}`, in which `{text}` is to be judged");
            let label = "no data is not a pass: run a profile that has it";
            return Diagnostic::warning(threshold.place, title, label);
        }
        let title =
            format!("this run of {} is over before `{text}` can be judged", format_duration(total));
        Diagnostic::warning(threshold.place, title, "no data is not a pass: make the run longer")
    })
    .collect()
}

/// The pool of connections, shared out to the workers: what they have adds up to it exactly.
struct Shares {
    pool: Option<usize>,
    workers: usize,
    given: Cell<usize>,
}

impl Shares {
    fn new(pool: Option<u32>, workers: usize) -> Self {
        Self { pool: pool.map(|pool| pool as usize), workers, given: Cell::new(0) }
    }

    /// The next worker, the first after the last, and its share.
    fn next(&self) -> (usize, Option<usize>) {
        let worker = self.given.get();
        self.given.set((worker + 1) % self.workers);
        let share = |pool| pool / self.workers + usize::from(worker < pool % self.workers);
        (worker, self.pool.map(share))
    }
}

/// What `run.id` gives: the name of the folder of results, which no other run has.
fn run_id(out: &Path) -> String {
    out.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn about(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    prepared: &Prepared,
    workers: usize,
    out: &Path,
) -> Started {
    let source = &sources[0];
    Started {
        plan_name: plan.name.clone(),
        plan_file: source.path.clone(),
        plan_text: prepared.secrets.hidden(&plan_text(sources)).into_owned(),
        plan_format: (if crate::plan::document::is_toml(&source.path) { "toml" } else { "yaml" })
            .into(),
        profile: prepared.profile.clone(),
        target: prepared.targets[0].0.to_string(),
        insecure: prepared.targets.iter().any(|(_, way)| way.unverified.is_some()),
        seed: prepared.seed,
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        workers,
        users_peak: most_users(&prepared.parts),
        planned: prepared.total,
        warmup: prepared.warmup,
        iterations: prepared.iterations,
        spans: prepared.spans.clone(),
        fail_on_error: options.fail_on_error,
        labels: options.labels.clone(),
        command_line: prepared.secrets.hidden(&options.command_line).into_owned(),
        at: jiff::Timestamp::now(),
        catalogue: prepared.program.catalogue.clone(),
        thresholds: prepared.thresholds.clone(),
        search: prepared.search.clone(),
        baseline: prepared.baseline.as_ref().map(|stored| stored.run.clone()),
        out: (if options.output.no_report { out.to_owned() } else { out.join("report.html") })
            .display()
            .to_string(),
    }
}

/// The plan, and after it the files that it includes: as comments, so that the whole is a plan.
fn plan_text(sources: &[Source]) -> String {
    let mut text = sources[0].text.clone();
    for source in &sources[1..] {
        text += &format!("\n# included: {}\n", source.path);
        for line in source.text.lines() {
            text += format!("# {line}").trim_end();
            text.push('\n');
        }
    }
    text
}

/// At once, over all parts.
fn most_users(parts: &[Part]) -> u32 {
    parts.iter().fold(0, |all, part| all.saturating_add(part.most_users()))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(super) fn plan_stem(sources: &[Source]) -> String {
    let stem = Path::new(&sources[0].path).file_stem();
    stem.map_or_else(|| "plan".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

pub(super) fn cannot(what: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::without_place(format!("cannot {what}: {error}"), "nothing was sent")
}

pub(super) fn mistakes(found: &[Diagnostic], sources: &[Source]) -> Exit {
    say(&diagnostic::render(found, sources, colour()));
    Exit::Mistake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_shared_out_exactly() {
        for (pool, workers) in [(3, 2), (500, 7), (4, 4)] {
            let shares = Shares::new(Some(pool), workers);
            let all: Vec<usize> = (0..workers).filter_map(|_| shares.next().1).collect();
            assert_eq!((all.iter().sum::<usize>(), all.len()), (pool as usize, workers));
            assert!(all.iter().all(|share| *share > 0));
        }
        let none = Shares::new(None, 2);
        assert_eq!([none.next(), none.next(), none.next()], [(0, None), (1, None), (0, None)]);
    }
}
