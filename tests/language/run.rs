//! Runs of plans under a paused clock, against a target that answers from a script.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use throng::control::{Command, StopReason};
use throng::diagnostic;
use throng::engine::{Handover, Once, Setup, conduct, once};
use throng::metrics::{Counted, Evidence, Failure, Interval, Next, Outcome, listing};
use throng::plan::{self, Loaded, Loading, Target};
use throng::program::{Program, Selection};
use throng::protocol::fake::{Fake, Reply, Sent};
use throng::session::{self, Options};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

pub const MS: fn(u64) -> Duration = Duration::from_millis;

/// A run of a plan against a script.
pub struct Run {
    pub plan: String,
    /// By its ending it is YAML or TOML.
    pub name: &'static str,
    /// Where the plan lies, when it names files.
    pub folder: Option<PathBuf>,
    /// Wins over the plan's target.
    pub target: Option<&'static str>,
    pub workers: usize,
    pub grace: Option<Duration>,
    pub iterations: Option<u64>,
    pub seed: Option<u64>,
    pub commands: Vec<(Duration, Command)>,
    pub classes: Vec<String>,
    pub selection: Selection,
    pub set: Vec<(String, String)>,
    pub environment: Option<String>,
    pub variables: BTreeMap<String, String>,
}

/// What it came to.
#[derive(Debug)]
pub struct Came {
    pub sent: Vec<Sent>,
    pub start: Instant,
    pub seconds: Vec<Interval>,
    pub total: Interval,
    /// Each request of the users, in the order in which they ended.
    pub listed: Vec<Counted>,
    pub lost: u64,
    pub after: Duration,
    pub program: Arc<Program>,
    /// What is kept to be shown, and how much was handed over for it.
    pub evidence: Evidence,
    pub handed: usize,
    /// What the plan wrote, and how often it ended the run.
    pub lines: Vec<String>,
    pub stops: u32,
    pub before: Option<Once>,
    pub teardown: Option<Once>,
}

pub fn run(plan: &str) -> Run {
    Run {
        plan: plan.to_owned(),
        name: "plan.yaml",
        folder: None,
        target: Some("http://target.test"),
        workers: 1,
        grace: None,
        iterations: None,
        seed: Some(1),
        commands: Vec::new(),
        classes: Vec::new(),
        selection: Selection::default(),
        set: Vec::new(),
        environment: None,
        variables: BTreeMap::new(),
    }
}

/// A user class with these keys, and a profile.
pub fn class(keys: &str, profile: &str) -> String {
    format!("users:\n  Someone:\n{}profiles:\n  only: {profile}\n", indented(keys, 4))
}

pub fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

pub fn answers(
    after: u64,
    status: u16,
    body: &str,
) -> impl Fn(&[u8], u64) -> Reply + Send + Sync + use<> {
    let body = body.as_bytes().to_vec();
    move |_, _| Reply::new(MS(after), Ok(status)).body(body.clone())
}

impl Run {
    pub fn loaded(&self) -> Loaded {
        let loading = Loading {
            environment: self.environment.clone(),
            allow_outside: false,
            set: self.set.clone(),
            variables: Arc::new(self.variables.clone()),
        };
        let loaded = match &self.folder {
            Some(folder) => {
                let path = folder.join(self.name);
                std::fs::write(&path, &self.plan).unwrap();
                plan::load_with(&path, &loading)
            }
            None => plan::parse_with(self.name, &self.plan, &loading),
        };
        session::strictly(session::complete(loaded, &loading, &self.selection))
    }

    pub fn against(self, script: impl Fn(&[u8], u64) -> Reply + Send + Sync + 'static) -> Came {
        let loaded = self.loaded();
        let told = |found: &[_]| diagnostic::render(found, &loaded.sources, false);
        let plan = loaded.plan.as_ref().unwrap_or_else(|| panic!("{}", told(&loaded.diagnostics)));
        let options = Options {
            target: self.target.map(|target| Target::parse(target).unwrap()),
            classes: self.classes.clone(),
            selection: self.selection.clone(),
            variables: Arc::new(self.variables.clone()),
            seed: self.seed,
            grace: self.grace,
            iterations: self.iterations,
            ..Options::default()
        };
        let prepared = session::prepare(plan, &loaded.sources, &options, None)
            .unwrap_or_else(|found| panic!("{}", told(&found)));
        let targets: Vec<String> =
            prepared.targets.iter().map(|(target, _)| target.to_string()).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let fake = Fake::new(script).with_targets(&targets);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build_local(LocalOptions::default())
            .unwrap();
        let (outlet, inlet) = listing();
        runtime.block_on(async {
            let start = Instant::now();
            let mut setup = Setup {
                program: Arc::new(prepared.program),
                parts: prepared.parts,
                seed: prepared.seed,
                grace: prepared.grace,
                iterations: prepared.iterations,
                run: Arc::new(throng::expr::Run::new("run", start, jiff::Timestamp::UNIX_EPOCH)),
                places: throng::engine::Places::default(),
                secrets: prepared.secrets,
                listing: Some(outlet),
                workers: self.workers,
            };
            let mut before = None;
            if let Some(class) = setup.program.before.clone() {
                let ran = once(Arc::new(setup.clone()), &class, 0, fake.clone(), None).await;
                let mut program = Program::clone(&setup.program);
                program.adopt(&class.names, &ran.slots);
                setup.program = Arc::new(program);
                before = Some(ran);
            }
            let setup = Arc::new(setup);
            let start = Instant::now();
            let begins = before.as_ref().is_none_or(|ran| ran.succeeded);
            let (output, mut handovers) = mpsc::channel(10_000);
            let mut tell = Vec::new();
            for index in (0..self.workers).filter(|_| begins) {
                let (commands, told) = mpsc::unbounded_channel();
                tell.push(commands);
                let (setup, fake, output) = (setup.clone(), fake.clone(), output.clone());
                // The clock is paused: the kernel's timer would run on.
                let conducted = conduct(setup, index, fake, start, told, output, false);
                tokio::task::spawn_local(conducted);
            }
            drop(output);
            let commander = tell.clone();
            tokio::task::spawn_local(async move {
                for (at, command) in self.commands {
                    tokio::time::sleep_until(start + at).await;
                    for worker in &commander {
                        let _ = worker.send(command);
                    }
                }
                // Nobody to command must not end a run.
                sleep(MS(1)).await;
            });
            let mut came = Came {
                sent: Vec::new(),
                start,
                seconds: Vec::new(),
                total: Interval::default(),
                listed: Vec::new(),
                lost: 0,
                after: Duration::ZERO,
                program: setup.program.clone(),
                evidence: Evidence::default(),
                handed: 0,
                lines: Vec::new(),
                stops: 0,
                before,
                teardown: None,
            };
            while let Some(handover) = handovers.recv().await {
                match handover {
                    Handover::Interval(_, interval) => {
                        came.total.merge(&interval);
                        came.seconds.push(*interval);
                    }
                    Handover::Evidence(handed) => {
                        for raw in handed {
                            let shown = raw.shown(&setup.secrets, Vec::new());
                            came.handed += 1;
                            came.evidence.take(&shown);
                        }
                    }
                    Handover::Log(line) => came.lines.push(line),
                    Handover::Stop(_) => {
                        came.stops += 1;
                        let drain = Command::Drain(StopReason::Plan);
                        for worker in &tell {
                            let _ = worker.send(drain);
                        }
                    }
                    Handover::Ended { lost, after, .. } => {
                        came.lost += lost;
                        came.after = came.after.max(after);
                    }
                }
            }
            if let Some(class) = &setup.program.after {
                came.teardown = Some(once(setup.clone(), class, 1, fake.clone(), None).await);
            }
            came.sent = fake.sent();
            while let Next::Batch(batch) = inlet.next(Duration::ZERO) {
                came.listed.extend(batch.requests);
            }
            came.check_listed();
            came
        })
    }
}

impl Came {
    /// Milliseconds from the start at which requests were sent.
    pub fn times(&self) -> Vec<u128> {
        self.sent.iter().map(|sent| (sent.at - self.start).as_millis()).collect()
    }

    /// The request lines, without the protocol's version.
    pub fn lines(&self) -> Vec<String> {
        let line = |sent: &Sent| {
            let text = String::from_utf8_lossy(&sent.bytes).into_owned();
            text.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned()
        };
        self.sent.iter().map(line).collect()
    }

    /// Issued, succeeded, failed, cancelled. Law 4 holds in every run.
    pub fn counts(&self) -> (u64, u64, u64, u64) {
        let all = self.total.all_names();
        let counts = (self.total.issued, all.succeeded(), all.failed(), self.total.cancelled);
        assert_eq!(counts.0, counts.1 + counts.2 + counts.3, "law 4");
        counts
    }

    /// What is told of each request adds up to what is counted, in every run.
    fn check_listed(&mut self) {
        self.listed.sort_by_key(|counted| counted.sample.ended);
        let listed = |wanted: fn(Outcome) -> bool| {
            self.listed.iter().filter(|counted| wanted(counted.sample.outcome)).count() as u64
        };
        let all = self.total.all_names();
        assert_eq!(
            (
                listed(|outcome| outcome == Outcome::Succeeded),
                listed(|outcome| matches!(outcome, Outcome::Failed(_))),
                listed(|outcome| outcome == Outcome::Cancelled),
                self.listed.iter().map(|counted| u64::from(counted.sample.retries)).sum::<u64>(),
                self.listed.iter().filter(|one| one.after_load).count() as u64,
            ),
            (
                all.succeeded(),
                all.failed(),
                self.total.cancelled,
                all.retries,
                all.after_load.requests + self.cancelled_after_load(),
            )
        );
        for second in &self.seconds {
            let counted = second.all_names().requests() + second.cancelled;
            let all = self.seconds.iter().filter(|other| other.from_s == second.from_s);
            let counted = if all.count() == 1 { counted } else { continue };
            let listed = self.listed.iter().filter(|one| one.second == second.from_s).count();
            assert_eq!(listed as u64, counted, "second {}", second.from_s);
        }
    }

    fn cancelled_after_load(&self) -> u64 {
        let cut = |one: &&Counted| one.after_load && one.sample.outcome == Outcome::Cancelled;
        self.listed.iter().filter(cut).count() as u64
    }

    pub fn failures(&self) -> Vec<(Failure, u64)> {
        let failures = self.total.all_names().failures;
        failures.into_iter().map(|(failure, seen)| (failure, seen.count)).collect()
    }
}
