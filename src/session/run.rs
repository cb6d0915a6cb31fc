//! Owns one run, from the checked plan to the exit code.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::descriptors;
use super::options::Options;
use super::prepare::{Prepared, prepare};
use super::reach::{self, NotReached};
use super::results::{Folder, cannot_write, link_latest, sinks};
use super::seconds::Seconds;
use super::signals::Signals;
use super::way;
use super::{colour, say};
use crate::control::{Command, StopReason};
use crate::demo::{self, Demo};
use crate::diagnostic::{self, Diagnostic, Source};
use crate::engine::{self, Handover, Setup, Workers};
use crate::event::{Ended, Event, Second, Started};
use crate::exit::Exit;
use crate::load::Schedule;
use crate::metrics::{Fault, Interval, Summary};
use crate::plan::{Plan, Target};
use crate::protocol::http::{Http, Reach, Settings};
use crate::sink::FanOut;
use crate::verdict::{Verdict, judge, validity};

/// Runs `plan`, which was read from `sources`. Progress goes to stderr, the summary to stdout,
/// files to the folder of results.
#[must_use]
pub fn run(plan: &Plan, sources: &[Source], options: &Options) -> Exit {
    let demo = match start_demo(options.demo) {
        Ok(demo) => demo,
        Err(error) => return mistakes(&[cannot("start the demo server", &error)], sources),
    };
    let demo_target = demo.as_ref().map(|demo| {
        Target::parse(&format!("http://{}", demo.address())).expect("an address is a target")
    });
    let prepared = match prepare(plan, sources, options, demo_target) {
        Ok(prepared) => prepared,
        Err(found) => return mistakes(&found, sources),
    };
    let workers =
        options.workers.unwrap_or_else(cores).clamp(1, prepared.schedule.peak().max(1) as usize);
    if let Err(mistake) = descriptors::reserve(prepared.schedule.peak(), workers, options.demo) {
        return mistakes(&[mistake], sources);
    }
    let out = match Folder::make(options.out.as_deref(), &plan_stem(sources)) {
        Ok(out) => out,
        Err(mistake) => return mistakes(&[mistake], sources),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(measure(plan, sources, options, prepared, workers, &out)),
        Err(error) => mistakes(&[cannot("start", &error)], sources),
    }
}

fn start_demo(wanted: bool) -> io::Result<Option<Demo>> {
    if !wanted {
        return Ok(None);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    demo::start(demo::Options { address, threads: 1, delay: Duration::ZERO, fail: 0.0 }).map(Some)
}

async fn measure(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    prepared: Prepared,
    workers: usize,
    out: &Folder,
) -> Exit {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return mistakes(&[cannot("listen for signals", &error)], sources),
    };
    let target = prepared.target.clone();
    say(&way::remark(&target, &options.trust));
    let reached = tokio::select! {
        reached = reach::reach(&target, &prepared.way, options.wait_for) => reached,
        reason = signals.next() => {
            out.discard();
            say("stopped before the first user: nothing was sent\n");
            return stopped_exit(reason);
        }
    };
    let reached = match reached {
        Ok(reached) => reached,
        Err(NotReached::Fault(fault)) => {
            out.discard();
            return unreached(&target, fault);
        }
        Err(NotReached::Forbidden) => {
            out.discard();
            let mistake = Diagnostic::without_place(
                format!("{target} is a link-local address, where clouds hand out credentials"),
                "load is never sent there; nothing was sent",
            );
            return mistakes(&[mistake], sources);
        }
    };
    warn_of_distance(&target, &reached.addresses, options.yes);
    let mut started = about(plan, sources, options, &prepared, workers, &out.path);
    let mut fan_out = match sinks(&out.path, &options.output) {
        Ok(fan_out) => fan_out,
        Err((path, error)) => {
            out.discard();
            return mistakes(&[cannot_write(&path, &error)], sources);
        }
    };
    let setup = Arc::new(Setup {
        program: Arc::new(prepared.program),
        schedule: prepared.schedule,
        order: prepared.order,
        seed: started.seed,
        grace: prepared.grace,
        iterations: options.iterations,
        workers,
    });
    let settings =
        Settings { open: way::opener(options, reached.tls.clone()), ..Settings::default() };
    let protocol = || Http::new(vec![reached.clone()], settings.clone());
    started.at = jiff::Timestamp::now();
    fan_out.take(&Event::Started(&started));
    let workers = match engine::start(setup.clone(), protocol) {
        Ok(workers) => workers,
        Err(error) => return mistakes(&[cannot("start the workers", &error)], sources),
    };
    let mut summary = Summary::new(started.catalogue.clone());
    let watched = watch(workers, &mut signals, &setup.schedule, &mut summary, &mut fan_out).await;
    link_latest(&out.path);
    conclude(&started, &summary, &watched, options.fail_on_error, &mut fan_out)
}

/// A word when load leaves the private network, and when people may think that it takes a proxy.
fn warn_of_distance(target: &Target, addresses: &[SocketAddr], yes: bool) {
    if Reach::of(addresses) == Reach::Far && !yes {
        say(&format!(
            "warning: the load leaves this machine and its private network, for {target} ({}): \
             be sure that you may load it; `--yes` says that you are\n",
            addresses[0].ip(),
        ));
    }
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if let Some(name) = reach::ignored_proxy(target.is_https(), is_set) {
        say(&format!("note: {name} is set and not used: load goes straight to the target\n"));
    }
}

/// What was seen of a run apart from its figures.
struct Watched {
    stopped: Option<StopReason>,
    lost: u64,
}

/// Follows the workers to their end: seconds go into the summary and to the sinks.
async fn watch(
    mut workers: Workers,
    signals: &mut Signals,
    schedule: &Schedule,
    summary: &mut Summary,
    fan_out: &mut FanOut,
) -> Watched {
    let mut seconds = Seconds::new(workers.count());
    let mut watched = Watched { stopped: None, lost: 0 };
    let mut duration = Duration::ZERO;
    let start = Instant::now();
    // Until when load is asked for: the profile's end, or the order to stop.
    let mut loaded = schedule.total();
    loop {
        let handover = tokio::select! {
            handover = workers.output.recv() => handover,
            reason = signals.next() => {
                let again = watched.stopped.is_some();
                let first = *watched.stopped.get_or_insert(reason);
                let command = if again { Command::Cut(first) } else { Command::Drain(first) };
                if !again {
                    loaded = loaded.min(start.elapsed());
                    fan_out.take(&Event::Stopping(reason));
                }
                // A worker that has ended already needs no command.
                let _ = workers.commands.send(Some(command));
                continue;
            }
        };
        let whole = match handover {
            None => break,
            Some(Handover::Interval(worker, interval)) => seconds.add(worker, &interval),
            Some(Handover::Ended { worker, lost, after }) => {
                watched.lost += lost;
                duration = duration.max(after);
                seconds.ended(worker)
            }
        };
        for interval in &whole {
            take_second(interval, loaded, schedule, summary, fan_out);
        }
    }
    watched.lost += seconds.missing() as u64 + workers.join() as u64;
    for interval in seconds.rest() {
        take_second(&interval, loaded, schedule, summary, fan_out);
    }
    summary.duration = duration;
    summary.loaded = loaded.min(duration);
    watched
}

fn take_second(
    interval: &Interval,
    loaded: Duration,
    schedule: &Schedule,
    summary: &mut Summary,
    fan_out: &mut FanOut,
) {
    summary.add(interval);
    summary.duration = Duration::from_secs(u64::from(interval.to_s));
    summary.loaded = loaded.min(summary.duration);
    let end = summary.duration;
    let asked_users = if end > loaded { 0 } else { schedule.users_at(just_before(end)) };
    fan_out.take(&Event::Second(&Second { interval, asked_users, so_far: summary }));
}

/// What starts or ends with a second belongs to the next one.
fn just_before(moment: Duration) -> Duration {
    moment.saturating_sub(Duration::from_nanos(1))
}

/// Judges, writes what is left to write, and finds the exit code.
fn conclude(
    started: &Started,
    summary: &Summary,
    watched: &Watched,
    fail_on_error: bool,
    fan_out: &mut FanOut,
) -> Exit {
    let verdict = Verdict {
        thresholds: started.thresholds.iter().map(|threshold| judge(threshold, summary)).collect(),
        validity: validity(summary, watched.lost),
    };
    // A run in which no request ended shows no success either.
    let unsuccessful = summary.all().failed() > 0 || summary.all().requests() == 0;
    let broke = verdict.broken() > 0 || (fail_on_error && unsuccessful);
    let exit = exit(&verdict, watched.stopped, broke, false);
    let ended = Ended {
        summary,
        verdict: &verdict,
        stopped: watched.stopped,
        exit_code: exit.code(),
        at: jiff::Timestamp::now(),
    };
    fan_out.take(&Event::Ended(&ended));
    for failure in fan_out.failures() {
        say(&format!("error: could not write {}: {}\n", failure.name, failure.error));
    }
    if !fan_out.failures().is_empty() {
        say("  what else was measured is in the other results\n");
    }
    self::exit(&verdict, watched.stopped, broke, !fan_out.failures().is_empty())
}

/// When several apply: a signal, then a run that cannot be trusted, then a broken threshold.
fn exit(verdict: &Verdict, stopped: Option<StopReason>, broke: bool, unwritten: bool) -> Exit {
    match stopped {
        Some(reason) => stopped_exit(reason),
        None if unwritten || !verdict.validity.reasons().is_empty() => Exit::Untrusted,
        None if broke => Exit::Broke,
        None => Exit::Held,
    }
}

fn stopped_exit(reason: StopReason) -> Exit {
    match reason {
        StopReason::Interrupted => Exit::Interrupted,
        StopReason::Terminated => Exit::Terminated,
    }
}

fn unreached(target: &Target, fault: Fault) -> Exit {
    say(&format!(
        "error: the target {target} was never reached: {}\n  {}\n  nothing was sent\n",
        fault.sentence(),
        fault.advice(),
    ));
    Exit::Unreached
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
        plan_text: source.text.clone(),
        plan_format: if crate::plan::document::is_toml(&source.path) { "toml" } else { "yaml" },
        profile: prepared.profile.clone(),
        target: prepared.target.to_string(),
        insecure: way::is_unverified(&prepared.target, &options.trust),
        seed: options.seed.unwrap_or_else(seed_by_chance),
        workers,
        users_peak: prepared.schedule.peak(),
        planned: prepared.schedule.total(),
        iterations: options.iterations,
        spans: prepared.spans.clone(),
        labels: options.labels.clone(),
        command_line: options.command_line.clone(),
        at: jiff::Timestamp::now(),
        catalogue: prepared.program.catalogue.clone(),
        thresholds: prepared.thresholds.clone(),
        out: (if options.output.no_report { out.to_owned() } else { out.join("report.html") })
            .display()
            .to_string(),
    }
}

/// Small enough to type again, and to survive JSON readers that know only doubles.
fn seed_by_chance() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond() as u64;
    nanos.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn plan_stem(sources: &[Source]) -> String {
    let stem = Path::new(&sources[0].path).file_stem();
    stem.map_or_else(|| "plan".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn cannot(what: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::without_place(format!("cannot {what}: {error}"), "nothing was sent")
}

fn mistakes(found: &[Diagnostic], sources: &[Source]) -> Exit {
    say(&diagnostic::render(found, sources, colour()));
    Exit::Mistake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Judged, State, Threshold, Validity};

    #[test]
    fn when_several_apply_a_signal_comes_first_then_trust_then_thresholds() {
        let verdict = |valid: bool, state: State| Verdict {
            thresholds: vec![Judged {
                threshold: Threshold::parse("rps > 1").expect("it is one"),
                value: Some(1.0),
                state,
            }],
            validity: if valid { Validity::Valid } else { Validity::Invalid(vec!["late".into()]) },
        };
        let code = |valid, state, stopped, unwritten| {
            let verdict = verdict(valid, state);
            exit(&verdict, stopped, verdict.broken() > 0, unwritten).code()
        };
        let (held, broke, interrupted) = (State::Held, State::Broke, Some(StopReason::Interrupted));
        assert_eq!(code(true, held, None, false), 0);
        assert_eq!(code(true, broke, None, false), 1);
        assert_eq!(code(true, State::NoData, None, false), 1);
        assert_eq!(code(false, broke, None, false), 3);
        assert_eq!(code(true, broke, None, true), 3);
        assert_eq!(code(false, broke, interrupted, true), 130);
        assert_eq!(code(true, held, Some(StopReason::Terminated), false), 143);
    }
}
