//! Owns following a run to its end: seconds go into the summary and to the sinks.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::Instant as Clock;

use super::seconds::Seconds;
use super::signals::Signals;
use super::steering::Steering;
use crate::control::{Command, Order, StopReason};
use crate::diagnostic::{Source, line_of};
use crate::engine::{Gauge, Handover, Workers};
use crate::event::{Event, Second, Steered};
use crate::metrics::{Catalogue, Health, Interval, Summary};
use crate::program::Ending;
use crate::sink::FanOut;
use crate::verdict::{Standings, Threshold};

/// More lines of the plan than this are not shown in a second.
const LINES: u32 = 10;

/// How often the generator is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long this thread sleeps at most: so exactly is known how long the process was stopped.
const NAP: Duration = Duration::from_millis(100);

/// What was seen of a run apart from its figures.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Why it ended early, when it did.
    pub(super) stopped: Option<StopReason>,
    /// The step or the threshold that ended it.
    pub(super) stopped_by: Option<String>,
    /// Users and workers that were lost to a bug.
    pub(super) lost: u64,
}

/// What is judged of a run.
pub(super) struct Judging<'a> {
    pub(super) thresholds: &'a [Threshold],
    pub(super) warmup: Duration,
}

/// A run that was followed to its end.
pub(super) struct Followed {
    pub(super) summary: Summary,
    /// That of the warm-up, when there was one.
    pub(super) warmup: Option<Summary>,
    /// Who changed the load.
    pub(super) steered: Vec<Steered>,
    pub(super) standings: Standings,
}

/// The figures of a run as they come in.
pub(super) struct Follow<'a> {
    sources: &'a [Source],
    steering: Steering<'a>,
    /// In whole seconds: that is how figures come.
    warmup: Duration,
    standings: Standings,
    summary: Summary,
    warm: Summary,
    lines: Lines,
    gauge: Gauge,
    /// How the generator fared, until a second takes it in.
    health: Health,
}

/// Lines that the plan writes, held back when there are too many.
struct Lines {
    since: Instant,
    shown: u32,
    left_out: u64,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        sources: &'a [Source],
        steering: Steering<'a>,
        judging: Judging<'_>,
        catalogue: &Catalogue,
        gauge: Gauge,
    ) -> Self {
        let Judging { thresholds, warmup } = judging;
        let seconds = warmup.as_secs() + u64::from(warmup.subsec_nanos() > 0);
        Self {
            sources,
            steering,
            warmup: Duration::from_secs(seconds),
            standings: Standings::new(thresholds, u32::try_from(seconds).unwrap_or(u32::MAX)),
            summary: Summary::new(catalogue.clone()),
            warm: Summary::new(catalogue.clone()),
            lines: Lines { since: Instant::now(), shown: 0, left_out: 0 },
            gauge,
            health: Health::default(),
        }
    }

    /// What came of it.
    pub(super) fn into_parts(mut self) -> Followed {
        let warmup = (!self.warmup.is_zero()).then_some(self.warm);
        if let Some(warmup) = &warmup {
            self.summary.carried = warmup.unaccounted();
        }
        let (steered, standings) = (self.steering.done, self.standings);
        Followed { summary: self.summary, warmup, steered, standings }
    }

    pub(super) async fn watch(
        &mut self,
        mut workers: Workers,
        signals: &mut Signals,
        orders: &mut mpsc::UnboundedReceiver<Order>,
        fan_out: &mut FanOut,
    ) -> Watched {
        let mut seconds = Seconds::new(workers.count());
        let mut watched = Watched::default();
        let mut duration = Duration::ZERO;
        let start = Instant::now();
        // Until when load is asked for: the profile's end, or the order to stop.
        let mut loaded = self.steering.total();
        let mut anyone = true;
        let mut look = Clock::now() + LOOK;
        let mut wake = Clock::now() + NAP;
        let mut overslept = Duration::ZERO;
        loop {
            let idle = Clock::now();
            let turn = tokio::select! {
                // First, so that nothing but sleep stands between the time to wake and waking.
                biased;
                () = tokio::time::sleep_until(wake) => {
                    let now = Clock::now();
                    overslept += now - wake.max(idle);
                    wake = now + NAP;
                    if now >= look {
                        self.look(std::mem::take(&mut overslept));
                        look = if now < look + LOOK { look + LOOK } else { now + LOOK };
                    }
                    continue;
                }
                reason = signals.next() => Err(reason),
                order = orders.recv(), if anyone => {
                    match order {
                        // Who has told it to end wants no load any more.
                        Some(_) if watched.stopped.is_some() => {}
                        Some(order) => self.steer(&order, start.elapsed(), &workers, fan_out),
                        None => anyone = false,
                    }
                    continue;
                }
                handover = workers.output.recv() => Ok(handover),
            };
            let turn = match turn {
                Ok(Some(Handover::Stop(_))) if watched.stopped.is_some() => continue,
                Ok(Some(Handover::Stop(ending))) => {
                    watched.stopped_by = Some(step_of(&ending, self.sources));
                    Err(StopReason::Plan)
                }
                other => other,
            };
            let whole = match turn {
                Err(reason) => {
                    loaded = loaded.min(start.elapsed());
                    watched.stop(reason, &workers, fan_out);
                    continue;
                }
                Ok(None) => break,
                Ok(Some(Handover::Log(line))) => {
                    self.lines.show(&line, fan_out);
                    continue;
                }
                Ok(Some(Handover::Stop(_))) => continue,
                Ok(Some(Handover::Interval(worker, interval))) => seconds.add(worker, &interval),
                Ok(Some(Handover::Ended { worker, lost, after })) => {
                    watched.lost += lost;
                    duration = duration.max(after);
                    seconds.ended(worker)
                }
            };
            // The last second of a run is a part of one, when its iterations are done before.
            let until = if seconds.missing() == 0 { loaded.min(duration) } else { loaded };
            for interval in whole {
                let broke = self.take_second(interval, until, fan_out);
                if let (Some(broke), None) = (broke, watched.stopped) {
                    loaded = loaded.min(start.elapsed());
                    watched.stopped_by = Some(broke);
                    watched.stop(StopReason::Threshold, &workers, fan_out);
                }
            }
        }
        self.look(overslept);
        watched.lost += seconds.missing() as u64 + workers.join() as u64;
        for interval in seconds.rest() {
            self.take_second(interval, loaded.min(duration), fan_out);
        }
        self.lines.rest(fan_out);
        self.settle(duration, loaded);
        watched
    }

    /// Changes the load, when the change fits the run. `now` is from its start.
    fn steer(&mut self, order: &Order, now: Duration, workers: &Workers, fan_out: &mut FanOut) {
        match self.steering.order(order, now) {
            Ok(command) => {
                workers.tell(command);
                if let Some(steered) = self.steering.done.last() {
                    fan_out.take(&Event::Steered(steered));
                }
            }
            Err(why) => fan_out.take(&Event::Log(&format!("not done, for {}: {why}", order.by))),
        }
    }

    /// Reads how the generator fared. This thread has `overslept` so long since the last time.
    fn look(&mut self, overslept: Duration) {
        self.health.merge(&self.gauge.read(overslept));
    }

    /// The run is over, after so long.
    fn settle(&mut self, duration: Duration, loaded: Duration) {
        // What was read after the last second belongs to that.
        let last = if duration <= self.warmup { &mut self.warm } else { &mut self.summary };
        last.totals.health.merge(&std::mem::take(&mut self.health));
        self.summary.duration = duration;
        self.summary.loaded = loaded.min(duration).saturating_sub(self.warmup);
        // A run may end within its warm-up.
        self.warm.duration = self.warm.duration.min(duration);
        self.warm.loaded = self.warm.loaded.min(loaded).min(duration);
    }

    /// Gives the threshold that ends the run, when it broke with this second.
    fn take_second(
        &mut self,
        mut interval: Interval,
        loaded: Duration,
        fan_out: &mut FanOut,
    ) -> Option<String> {
        interval.health.merge(&std::mem::take(&mut self.health));
        let interval = &interval;
        let end = Duration::from_secs(u64::from(interval.to_s));
        if end <= self.warmup {
            self.warm.add(interval);
            (self.warm.duration, self.warm.loaded) = (end, end.min(loaded));
        } else {
            self.summary.add(interval);
        }
        self.summary.duration = end;
        self.summary.loaded = loaded.min(end).saturating_sub(self.warmup);
        let within_load = end <= loaded;
        let asked_users = if within_load { self.steering.users_at(just_before(end)) } else { 0 };
        let warmup = (end <= self.warmup).then_some(&self.warm);
        let so_far = &self.summary;
        let iterations = so_far.totals.iterations + self.warm.totals.iterations;
        let under_way = so_far.unaccounted() + self.warm.unaccounted() > 0;
        let broke = self.standings.second(interval, so_far, within_load, under_way).map(|judged| {
            let Threshold { text, of, when, .. } = &judged.threshold;
            let of = of.as_ref().map_or(String::new(), |of| format!(" of {}", of.long()));
            format!("{text}{of}{}", when.words())
        });
        let standings = &self.standings;
        let second =
            Second { interval, asked_users, within_load, so_far, iterations, warmup, standings };
        fan_out.take(&Event::Second(&second));
        broke
    }
}

impl Watched {
    /// The run is told to end: to finish what is under way, or, the second time, to cut it.
    fn stop(&mut self, reason: StopReason, workers: &Workers, fan_out: &mut FanOut) {
        // The first Ctrl-C after the plan ended the run is not the second.
        let again = self.stopped.is_some_and(|first| !first.is_of_the_plan());
        if again {
            workers.tell(Command::Cut(reason));
            return;
        }
        self.stopped = Some(reason);
        if !reason.is_of_the_plan() {
            self.stopped_by = None;
        }
        fan_out.take(&Event::Stopping(reason, self.stopped_by.as_deref()));
        workers.tell(Command::Drain(reason));
    }
}

impl Lines {
    fn show(&mut self, line: &str, fan_out: &mut FanOut) {
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.rest(fan_out);
            self.since = Instant::now();
            self.shown = 0;
        }
        if self.shown < LINES {
            self.shown += 1;
            fan_out.take(&Event::Log(line));
        } else {
            self.left_out += 1;
        }
    }

    fn rest(&mut self, fan_out: &mut FanOut) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            fan_out.take(&Event::Log(&format!("… and {left_out} more lines")));
        }
    }
}

/// A step and where it stands: `Editor › create, plan.yaml:31`.
pub(super) fn step_of(ending: &Ending, sources: &[Source]) -> String {
    match ending.place {
        Some(place) => format!("{}, {}", ending.part, line_of(place, sources)),
        None => ending.part.clone(),
    }
}

/// What starts or ends with a second belongs to the next one.
fn just_before(moment: Duration) -> Duration {
    moment.saturating_sub(Duration::from_nanos(1))
}
