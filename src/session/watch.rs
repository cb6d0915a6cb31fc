//! Owns following a run to its end: seconds go into the summary and to the sinks.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::Instant as Clock;

use super::evidence::Exhibits;
use super::fold::{Asked, Fold, Folded};
use super::search::{Seeker, Turn};
use super::seconds::Seconds;
use super::signals::Signals;
use super::steering::Steering;
use crate::control::{Command, Order, StopReason};
use crate::diagnostic::{Source, line_of};
use crate::engine::{Gauge, Handover, Workers};
use crate::event::{Event, Probed, Steered};
use crate::metrics::{Catalogue, Health, Interval};
use crate::program::Ending;
use crate::sink::FanOut;
use crate::verdict::{Baseline, Threshold, Timetable};

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
    pub(super) timetable: Timetable,
    /// It is made to find a limit.
    pub(super) seeker: Option<Seeker>,
}

/// A run that was followed to its end.
pub(super) struct Followed {
    pub(super) folded: Folded,
    /// Who changed the load.
    pub(super) steered: Vec<Steered>,
    /// What a search has looked at.
    pub(super) path: Vec<Probed>,
    /// Until when load was asked for, from the start of the run.
    pub(super) loaded: Duration,
    /// How the generator fared after the last second.
    pub(super) health: Health,
}

/// The figures of a run as they come in.
pub(super) struct Follow<'a> {
    sources: &'a [Source],
    steering: Steering<'a>,
    fold: Fold,
    seeker: Option<Seeker>,
    /// What the last second has brought of it.
    turn: Turn,
    path: Vec<Probed>,
    lines: Lines,
    gauge: Gauge,
    /// How the generator fared, until a second takes it in.
    health: Health,
    duration: Duration,
    loaded: Duration,
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
        let Judging { thresholds, timetable, seeker } = judging;
        Self {
            sources,
            steering,
            fold: Fold::new(catalogue, thresholds, timetable),
            seeker,
            turn: Turn::default(),
            path: Vec::new(),
            lines: Lines { since: Instant::now(), shown: 0, left_out: 0 },
            gauge,
            health: Health::default(),
            duration: Duration::ZERO,
            loaded: Duration::ZERO,
        }
    }

    /// Thresholds on a baseline are held against this one.
    pub(super) fn compare(&mut self, baseline: &Baseline) {
        self.fold.compare(baseline);
    }

    /// What came of it.
    pub(super) fn into_parts(self) -> Followed {
        let Self { fold, steering, path, duration, loaded, health, .. } = self;
        let folded = fold.end(duration, loaded, &health);
        Followed { folded, steered: steering.done, path, loaded, health }
    }

    pub(super) async fn watch(
        &mut self,
        mut workers: Workers,
        signals: &mut Signals,
        orders: &mut mpsc::UnboundedReceiver<Order>,
        fan_out: &mut FanOut,
        exhibits: &mut Exhibits,
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
                Ok(Some(Handover::Evidence(handed))) => {
                    exhibits.take(&handed);
                    continue;
                }
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
                if watched.stopped.is_none() && self.seek(start, &workers, fan_out) {
                    loaded = loaded.min(start.elapsed());
                    // It ends by itself: that is no stop.
                    workers.tell(Command::Drain(StopReason::Plan));
                }
            }
        }
        self.look(overslept);
        watched.lost += seconds.missing() as u64 + workers.join() as u64;
        for interval in seconds.rest() {
            self.take_second(interval, loaded.min(duration), fan_out);
        }
        self.lines.rest(fan_out);
        (self.duration, self.loaded) = (duration, loaded);
        watched
    }

    /// Changes the load, when the change fits the run. `now` is from its start.
    fn steer(&mut self, order: &Order, now: Duration, workers: &Workers, fan_out: &mut FanOut) {
        let searching = self.seeker.is_some().then(|| "a search sets the load itself".to_owned());
        match searching.map_or_else(|| self.steering.order(order, now), Err) {
            Ok(command) => {
                workers.tell(command);
                if let Some(steered) = self.steering.done.last() {
                    fan_out.take(&Event::Steered(steered));
                }
            }
            Err(why) => fan_out.take(&Event::Log(&format!("not done, for {}: {why}", order.by))),
        }
    }

    /// Does what the search wants after a second. It gives whether the search is over.
    fn seek(&mut self, start: Instant, workers: &Workers, fan_out: &mut FanOut) -> bool {
        let Turn { probed, changes, over } = std::mem::take(&mut self.turn);
        if let Some(probed) = probed {
            fan_out.take(&Event::Probed(&probed));
            self.path.push(probed);
        }
        for change in changes {
            match self.steering.apply(change, start.elapsed()) {
                Ok(command) => {
                    workers.tell(command);
                    if let (Some(seeker), Command::Steer { at, .. }) = (&mut self.seeker, command) {
                        seeker.settles(at);
                    }
                }
                // What comes now is of no level that was asked for.
                Err(why) => {
                    fan_out.take(&Event::Log(&format!("the search goes no further: {why}")));
                    self.seeker = None;
                    break;
                }
            }
        }
        over
    }

    /// Reads how the generator fared. This thread has `overslept` so long since the last time.
    fn look(&mut self, overslept: Duration) {
        self.health.merge(&self.gauge.read(overslept));
    }

    /// Gives the threshold that ends the run, when it broke with this second.
    fn take_second(
        &mut self,
        mut interval: Interval,
        loaded: Duration,
        fan_out: &mut FanOut,
    ) -> Option<String> {
        interval.health.merge(&std::mem::take(&mut self.health));
        let end = Duration::from_secs(u64::from(interval.to_s));
        let within_load = end <= loaded;
        let users = if within_load { self.steering.users_at(just_before(end)) } else { 0 };
        let asked = Asked { interval: &interval, users, within_load, loaded };
        let broke = self.fold.second(&asked, fan_out);
        if let (Some(seeker), true) = (&mut self.seeker, within_load) {
            self.turn = seeker.second(&interval, self.fold.is_under_way());
        }
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
