//! Owns recording: samples of one worker go in, an interval for each second comes out.

use std::time::Duration;

use tokio::time::Instant;

use super::interval::{Interval, NameStats, Seen};
use super::listing::{Counted, Listing, Outlet};
use super::notice::Noticed;
use super::opening::Opening;
use super::outcome::{Failure, Outcome};

/// One request, with its times.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The number of its series in the catalogue.
    pub name: u16,
    /// When it should have been sent.
    pub due: Instant,
    /// Just before its first byte was written; none when there was no connection to write it to.
    pub sent: Option<Instant>,
    /// When the first byte of the answer was read.
    pub first_byte: Option<Instant>,
    /// When the last byte was read or it failed.
    pub ended: Instant,
    /// Time to connect, when a connection was opened for it.
    pub connect: Option<Opening>,
    /// Bytes of the body as they came.
    pub body_bytes: u64,
    /// What they became, when the body was decompressed.
    pub decoded_bytes: u64,
    /// The status of the answer; none when no whole one came.
    pub status: Option<u16>,
    /// How often it was sent again.
    pub retries: u32,
    /// What it ended in.
    pub outcome: Outcome,
}

/// Counts the samples of one worker into one interval a second, cut on the run's own seconds by
/// the sample's end, so that the seconds of all workers fit together.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    /// End of the current second.
    until: Instant,
    current: Interval,
    /// By number of the name; boxed because most are few and they are large.
    names: Vec<Option<Box<NameStats>>>,
    groups: Vec<Option<Box<NameStats>>>,
    users: u64,
    /// When load ceased to be asked for.
    load_ended: Option<Instant>,
    /// Where each request is told, when somebody wants to know.
    listing: Option<Listing>,
    finished: Vec<Interval>,
}

impl Recorder {
    /// A recorder for a run that begins at `start`, with so many series and groups.
    #[must_use]
    pub fn new(start: Instant, names: usize, groups: usize) -> Self {
        Self {
            start,
            until: start + Duration::from_secs(1),
            current: Interval::second(0),
            names: (0..names).map(|_| None).collect(),
            groups: (0..groups).map(|_| None).collect(),
            users: 0,
            load_ended: None,
            listing: None,
            finished: Vec::new(),
        }
    }

    /// The same, which also hands each request on.
    #[must_use]
    pub fn listed(mut self, outlet: Outlet) -> Self {
        self.listing = Some(Listing::new(outlet, self.start));
        self
    }

    /// A request begins.
    pub fn issued(&mut self) {
        self.current.issued += 1;
    }

    /// A request ended; gives its response time.
    pub fn record(&mut self, sample: &Sample) -> Duration {
        self.turn(sample.ended);
        let after_load = self.load_ended.is_some_and(|end| sample.ended > end);
        if let Some(listing) = &mut self.listing {
            let second = self.current.from_s;
            listing.add(Counted { sample: *sample, second, after_load });
        }
        if sample.outcome == Outcome::Cancelled {
            self.current.cancelled += 1;
            return Duration::ZERO;
        }
        let slot = &mut self.names[usize::from(sample.name)];
        let stats = slot.get_or_insert_with(Box::default);
        // Due time, not send time: a user that was late must show up as slow (coordinated omission).
        let response = sample.ended.saturating_duration_since(sample.due);
        match sample.outcome {
            Outcome::Failed(failure) => {
                let at = sample.ended.saturating_duration_since(self.start).as_millis() as u64;
                stats.response_failed.record(response);
                stats.failure(failure, Seen::at(at));
            }
            _ => stats.response_ok.record(response),
        }
        // What was never sent was not served, and least of all in no time.
        if let Some(sent) = sample.sent {
            let service = sample.ended.saturating_duration_since(sent);
            stats.service.record(service);
            if let Some(first_byte) = sample.first_byte {
                // Most answers come in one read.
                let whole = first_byte == sample.ended;
                let time = if whole { service } else { first_byte.saturating_duration_since(sent) };
                stats.first_byte.record(time);
            }
        }
        if let Some(connect) = sample.connect {
            stats.connect.record(connect.whole());
            if let Some(tls) = connect.tls() {
                stats.tls.record(tls);
            }
        }
        stats.body_bytes += sample.body_bytes;
        stats.decoded_bytes += sample.decoded_bytes;
        if after_load {
            stats.after_load.requests += 1;
            stats.after_load.failed += u64::from(matches!(sample.outcome, Outcome::Failed(_)));
        }
        response
    }

    /// What was seen by the failure that was recorded last for a series.
    pub fn seen(&mut self, name: u16, failure: Failure, text: &str) {
        if let Some(stats) = &mut self.names[usize::from(name)] {
            stats.example(failure, text);
        }
    }

    /// A transaction ended: `time` is without its waits.
    pub fn group(&mut self, group: u16, ended: Instant, time: Duration, failed: bool) {
        self.turn(ended);
        let stats = self.groups[usize::from(group)].get_or_insert_with(Box::default);
        if failed { &mut stats.response_failed } else { &mut stats.response_ok }.record(time);
        if self.load_ended.is_some_and(|end| ended > end) {
            stats.after_load.requests += 1;
            stats.after_load.failed += u64::from(failed);
        }
    }

    /// A request ended that is in no table.
    pub fn unrecorded(&mut self) {
        self.current.unrecorded += 1;
    }

    /// An exchange met something odd.
    pub fn noticed(&mut self, noticed: Noticed) {
        self.current.notices.add(noticed);
    }

    /// A request is sent again; its series, when it is in a table.
    pub fn retried(&mut self, series: Option<u16>) {
        self.current.retries += 1;
        if let Some(series) = series {
            self.names[usize::from(series)].get_or_insert_with(Box::default).retries += 1;
        }
    }

    /// From `at` on no load is asked for: what still ends only finishes.
    pub fn load_ended(&mut self, at: Instant) {
        self.load_ended.get_or_insert(at);
    }

    /// A user woke from a wait, so much later than asked.
    pub fn woke_late(&mut self, by: Duration) {
        self.current.wake_late.record(by);
    }

    /// What is due on a beat began so much later: the generator's own lateness, which is judged.
    pub fn beat_late(&mut self, by: Duration) {
        self.current.beat_late.record(by);
    }

    /// The worker stood still for so long.
    pub fn stalled(&mut self, by: Duration) {
        let us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.current.stall_us = self.current.stall_us.max(Some(us));
    }

    /// An arrival was due.
    pub fn arrived(&mut self) {
        self.current.arrivals += 1;
    }

    /// An arrival waited so long for a user.
    pub fn waited(&mut self, so_long: Duration) {
        self.current.waited.record(so_long);
    }

    /// So many arrivals were never started.
    pub fn dropped(&mut self, arrivals: u64) {
        self.current.dropped += arrivals;
    }

    /// So many arrivals fell into a pause.
    pub fn left_out(&mut self, arrivals: u64) {
        self.current.left_out += arrivals;
    }

    /// A user ended an iteration.
    pub fn iterated(&mut self) {
        self.current.iterations += 1;
    }

    /// A user found no task that it could run.
    pub fn idle(&mut self) {
        self.current.idle += 1;
    }

    /// A user's first steps failed.
    pub fn could_not_start(&mut self) {
        self.current.not_started += 1;
    }

    /// A mistake met while running the plan.
    pub fn exception(&mut self, text: &str) {
        self.current.exception(text, 1);
    }

    /// A user starts.
    pub fn user_started(&mut self) {
        self.users += 1;
    }

    /// A user ends.
    pub fn user_ended(&mut self) {
        self.users -= 1;
    }

    /// Cuts every second that is over at `now`, and gives the finished ones.
    pub fn take_finished(&mut self, now: Instant) -> Vec<Interval> {
        self.turn(now);
        std::mem::take(&mut self.finished)
    }

    /// Ends the recording: the second under way is cut too.
    #[must_use]
    pub fn finish(mut self, now: Instant) -> Vec<Interval> {
        self.turn(now);
        self.cut();
        self.finished
    }

    fn turn(&mut self, now: Instant) {
        while now >= self.until {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.until += Duration::from_secs(1);
        if let Some(listing) = &mut self.listing {
            listing.pass();
        }
        let next = Interval::second(self.current.to_s);
        let mut done = std::mem::replace(&mut self.current, next);
        done.user_seconds = self.users;
        for (number, stats) in self.names.iter_mut().enumerate() {
            if let Some(stats) = stats.take() {
                done.names.insert(number as u16, *stats);
            }
        }
        for (number, stats) in self.groups.iter_mut().enumerate() {
            if let Some(stats) = stats.take() {
                done.groups.insert(number as u16, *stats);
            }
        }
        self.finished.push(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Fault;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn sample(start: Instant, due: u64, sent: u64, ended: u64, outcome: Outcome) -> Sample {
        Sample {
            name: 1,
            due: start + MS(due),
            sent: Some(start + MS(sent)),
            first_byte: Some(start + MS(sent + 1)),
            ended: start + MS(ended),
            connect: None,
            body_bytes: 10,
            decoded_bytes: 30,
            status: Some(200),
            retries: 0,
            outcome,
        }
    }

    /// Law 3: response time counts from when it was due, service time from when it was sent.
    #[test]
    fn a_late_user_is_reported_as_slow() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        recorder.record(&sample(start, 0, 400, 405, Outcome::Succeeded));
        let seconds = recorder.finish(start + MS(500));
        let stats = &seconds[0].names[&1];
        assert_eq!(stats.response_ok.max_ms(), Some(405.0));
        assert_eq!(stats.service.max_ms(), Some(5.0));
        assert_eq!(stats.first_byte.max_ms(), Some(1.0));
    }

    #[test]
    fn a_request_belongs_to_the_second_in_which_it_ended() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        recorder.user_started();
        recorder.record(&sample(start, 900, 900, 999, Outcome::Succeeded));
        recorder.record(&sample(start, 900, 900, 1000, Outcome::Succeeded));
        let fault = Outcome::Failed(Failure::Fault(Fault::HeadReset));
        recorder.record(&sample(start, 3000, 3000, 3100, fault));
        let seconds = recorder.finish(start + MS(3200));
        let requests: Vec<u64> = seconds.iter().map(|s| s.all_names().requests()).collect();
        assert_eq!(requests, [1, 1, 0, 1]);
        assert_eq!(
            seconds.iter().map(|s| (s.from_s, s.to_s, s.user_seconds)).collect::<Vec<_>>(),
            [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1)]
        );
        let seen = &seconds[3].names[&1].failures[0].1;
        assert_eq!((seen.count, seen.first_ms), (1, 3100));
    }

    #[test]
    fn what_was_never_sent_has_no_service_time() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        let refused = Outcome::Failed(Failure::Fault(Fault::ConnectRefused));
        recorder.record(&Sample { sent: None, ..sample(start, 0, 0, 10, refused) });
        let stats = &recorder.finish(start + MS(20))[0].names[&1];
        assert_eq!((stats.response_failed.count(), stats.service.count()), (1, 0));
    }

    #[test]
    fn a_group_is_timed_beside_the_requests_and_is_none_of_them() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        recorder.group(0, start + MS(900), MS(300), false);
        recorder.group(0, start + MS(950), MS(100), true);
        let second = &recorder.finish(start + MS(990))[0];
        assert_eq!((second.groups[&0].requests(), second.groups[&0].failed()), (2, 1));
        assert_eq!((second.names.len(), second.all_names().requests(), second.issued), (0, 0, 0));
    }

    #[test]
    fn what_a_rule_saw_stands_beside_its_failure() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        let failure = Failure::Rule(0);
        for text in ["b", "d", "a", "c", "a"] {
            recorder.record(&sample(start, 0, 0, 10, Outcome::Failed(failure)));
            recorder.seen(1, failure, text);
        }
        let seen = &recorder.finish(start + MS(20))[0].names[&1].failures[0].1;
        assert_eq!((seen.count, &seen.examples[..]), (5, &["a", "b", "c"].map(String::from)[..]));
    }

    #[test]
    fn what_is_sent_again_is_no_request_more() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        recorder.issued();
        [Some(1), Some(1), None].into_iter().for_each(|series| recorder.retried(series));
        recorder.record(&sample(start, 0, 0, 10, Outcome::Succeeded));
        let second = &recorder.finish(start + MS(20))[0];
        assert_eq!((second.retries, second.names[&1].retries), (3, 2));
        assert_eq!((second.issued, second.names[&1].requests()), (1, 1));
    }

    #[test]
    fn cancelled_requests_are_neither_succeeded_nor_failed() {
        let start = Instant::now();
        let mut recorder = Recorder::new(start, 2, 1);
        recorder.issued();
        recorder.record(&sample(start, 0, 0, 10, Outcome::Cancelled));
        let seconds = recorder.finish(start + MS(20));
        assert_eq!((seconds[0].issued, seconds[0].cancelled, seconds[0].names.len()), (1, 1, 0));
    }
}
