//! Owns a rehearsal: every task of every class once, told step by step, before any load.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::onlooker::{Manner, Onlooker, Story};
use super::options::{Options, ProfileChoice};
use super::prepare::{Prepared, did_you_mean, prepare};
use super::reach;
use super::results::stdout_width;
use super::run::{cannot, mistakes, start_demo, target_of};
use super::signals::Signals;
use super::{say, way};
use crate::control::StopReason;
use crate::diagnostic::{Diagnostic, Source};
use crate::engine::{self, Setup};
use crate::exit::Exit;
use crate::expr::Run;
use crate::plan::{Plan, words_of_proofs};
use crate::program::{Class, Program};
use crate::protocol::http::{Http, Settings};
use crate::sink;

/// What is rehearsed, and how it is told.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    /// Only these tasks; all when empty.
    pub tasks: Vec<String>,
    /// Only what failed is told.
    pub quiet: bool,
    /// Bodies are shown to their end.
    pub full: bool,
    /// Users wait where the plan has it so.
    pub waits: bool,
}

/// So long a rehearsal may take as far as its schedule is concerned: it ends by itself.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// Lets one user of each class do each of its tasks once, in the order in which they are written. What
/// it sends and gets goes to stdout, and what each rule made of it.
#[must_use]
pub fn rehearse(plan: &Plan, sources: &[Source], options: &Options, rehearsal: &Rehearsal) -> Exit {
    let demo = match start_demo(options.demo) {
        Ok(demo) => demo,
        Err(error) => return mistakes(&[cannot("start the demo server", &error)], sources),
    };
    let demo_target = demo.as_ref().map(target_of);
    let mut options = options.clone();
    // A profile says how many users there are: here it is one.
    options.load =
        ProfileChoice { users: Some(1), run_time: Some(LONG), ..ProfileChoice::default() };
    options.yes = true;
    let named = !options.classes.is_empty();
    if !named {
        options.classes = plan.classes.iter().map(|class| class.name.value.clone()).collect();
    }
    let mut prepared = match prepare(plan, sources, &options, demo_target) {
        Ok(prepared) => prepared,
        Err(found) => return mistakes(&found, sources),
    };
    let unknown = unknown_tasks(&prepared.program, &options.classes, &rehearsal.tasks, named);
    if !unknown.is_empty() {
        return mistakes(&unknown, sources);
    }
    show_all(&mut prepared.program, &words_of_proofs(plan));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(perform(sources, &options, rehearsal, prepared)),
        Err(error) => mistakes(&[cannot("start", &error)], sources),
    }
}

fn unknown_tasks(
    program: &Program,
    classes: &[String],
    tasks: &[String],
    named: bool,
) -> Vec<Diagnostic> {
    let chosen = || program.classes.iter().filter(|class| chosen(class, classes));
    let names = || chosen().flat_map(|class| class.tasks.iter().map(|task| &*task.name));
    let unknown = tasks.iter().filter(|task| !names().any(|known| known == *task));
    unknown
        .map(|task| {
            let whose = if named { "these classes have" } else { "the plan has" };
            let title = format!("{whose} no task `{task}`");
            Diagnostic::without_place(title, did_you_mean(task, names()))
        })
        .collect()
}

fn chosen(class: &Class, classes: &[String]) -> bool {
    classes.iter().any(|name| **name == *class.name)
}

/// Answers are kept whatever the rules look at, and what is captured to prove who the user is, by one
/// of these `proofs`, is hidden: here it would be shown with the answer that it came in.
fn show_all(program: &mut Program, proofs: &BTreeSet<String>) {
    let asides = program.before.iter_mut().chain(&mut program.after);
    let requests = program.classes.iter_mut().chain(asides).flat_map(|class| &mut class.requests);
    for request in requests {
        request.keep_head = true;
        request.keep_body = true;
        for capture in &mut request.captures {
            capture.secret |= proofs.contains(&capture.name);
        }
    }
}

async fn perform(
    sources: &[Source],
    options: &Options,
    rehearsal: &Rehearsal,
    prepared: Prepared,
) -> Exit {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return mistakes(&[cannot("listen for signals", &error)], sources),
    };
    let reached =
        match reach::all(&prepared.targets, &prepared.settings, options, &mut signals).await {
            Ok(reached) => reached,
            Err(exit) => return exit,
        };
    let targets: Vec<_> = reached.into_iter().map(|reached| reached.target).collect();
    let settings = Settings {
        open: way::opener(options, &prepared.hosts, prepared.security.clone()),
        identify: prepared.security.identify(),
        ..prepared.settings
    };
    let manner = Manner {
        width: stdout_width().map(usize::from),
        quiet: rehearsal.quiet,
        full: rehearsal.full,
        waits: rehearsal.waits,
    };
    let run = Run::new("rehearsal", tokio::time::Instant::now(), jiff::Timestamp::now());
    let catalogue = prepared.program.catalogue.clone();
    let secrets = prepared.secrets.clone();
    let story = Story::new(manner, secrets, catalogue, sources.to_vec(), Box::new(print));
    let mut stage = Stage {
        story: Rc::new(RefCell::new(story)),
        protocol: Box::new(move || Http::new(targets.clone(), settings.clone())),
        setup: Setup {
            program: Arc::new(prepared.program),
            parts: prepared.parts,
            seed: prepared.seed,
            grace: prepared.grace,
            iterations: None,
            run: Arc::new(run),
            places: engine::Places::default(),
            secrets: prepared.secrets,
            listing: None,
            workers: 1,
        },
    };
    let before = tokio::select! {
        succeeded = stage.before() => Ok(succeeded),
        reason = signals.next() => Err(reason),
    };
    let mut stopped = before.err();
    if before == Ok(true) {
        stopped = tokio::select! {
            () = stage.classes(&options.classes, &rehearsal.tasks) => None,
            reason = signals.next() => Some(reason),
        };
    }
    let after = tokio::select! {
        () = stage.after() => None,
        reason = signals.next() => Some(reason),
    };
    stage.story.borrow_mut().end();
    match stopped.or(after) {
        Some(reason) => {
            let what = if reason == StopReason::Interrupted { "Ctrl-C" } else { "SIGTERM" };
            say(&format!("stopped by {what}: the rest was not rehearsed\n"));
            reach::stopped(reason)
        }
        None if before == Ok(false) => {
            say("error: `before` failed: no user was started\n");
            Exit::Unreached
        }
        None => verdict(&stage.story.borrow(), &rehearsal.tasks),
    }
}

/// What runs, and who tells of it.
struct Stage {
    story: Rc<RefCell<Story>>,
    protocol: Box<dyn Fn() -> Http>,
    setup: Setup,
}

impl Stage {
    fn onlooker(&self) -> Box<Onlooker> {
        Box::new(Onlooker(self.story.clone()))
    }

    /// Whether it went to its end.
    async fn before(&mut self) -> bool {
        let Some(before) = self.setup.program.before.clone() else { return true };
        self.story.borrow_mut().chapter("before", false);
        let setup = Arc::new(self.setup.clone());
        let once = engine::once(setup, &before, 0, (self.protocol)(), Some(self.onlooker())).await;
        let mut program = Program::clone(&self.setup.program);
        program.adopt(&before.names, &once.slots);
        self.setup.program = Arc::new(program);
        once.succeeded
    }

    async fn classes(&self, classes: &[String], tasks: &[String]) {
        let setup = Arc::new(self.setup.clone());
        for (number, class) in setup.program.classes.iter().enumerate() {
            let has_some = tasks.is_empty() || class.tasks.iter().any(|t| tasks.contains(&t.name));
            if !chosen(class, classes) || !has_some {
                continue;
            }
            self.story.borrow_mut().chapter(&class.name, true);
            let protocol = (self.protocol)();
            engine::rehearse(setup.clone(), number, tasks, protocol, self.onlooker()).await;
        }
    }

    async fn after(&self) {
        let Some(after) = self.setup.program.after.clone() else { return };
        self.story.borrow_mut().chapter("after", false);
        let setup = Arc::new(self.setup.clone());
        engine::once(setup, &after, 1, (self.protocol)(), Some(self.onlooker())).await;
    }
}

/// No failure, and something was done: a rehearsal of nothing shows nothing.
fn verdict(story: &Story, asked: &[String]) -> Exit {
    let well = story.tallies.iter().all(|tally| tally.went_well());
    let some = story.tallies.iter().any(|tally| tally.tasks > 0);
    // A task that was asked for by its name and could not be done is no success either.
    let all = asked.is_empty() || story.tallies.iter().all(|tally| tally.left_out.is_empty());
    if well && some && all { Exit::Held } else { Exit::Broke }
}

/// To stdout. A closed one must not end what was begun: `after` is still to come.
fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(sink::printable(text).as_bytes()).and_then(|()| stdout.flush());
}
