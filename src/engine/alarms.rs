//! Owns the waits of a worker's users: which of them ends next.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use super::bell::Bell;

/// What think time may come later than it is over, so that a worker with many users does not wake for
/// each of them.
const SLACK: Duration = Duration::from_micros(500);

/// The waits of a worker's users.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// Of what is due on a beat.
    exact: BinaryHeap<Reverse<Alarm>>,
    /// Of what is not.
    loose: BinaryHeap<Reverse<Alarm>>,
    /// What loose ones may come later.
    slack: Duration,
}

#[derive(Debug)]
struct Alarm {
    at: Instant,
    bell: Bell,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Alarm {}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

impl Alarms {
    /// With a timer that is worth collecting what is nearly due.
    pub(super) fn fine() -> Self {
        Self { slack: SLACK, ..Self::default() }
    }

    /// Rings `bell` at `at`. True when that is before everything else.
    pub(super) fn set(&mut self, at: Instant, bell: &Bell, exact: bool) -> bool {
        let before = self.next();
        let alarm = Reverse(Alarm { at, bell: bell.clone() });
        bell.begin(at);
        if exact { &mut self.exact } else { &mut self.loose }.push(alarm);
        self.next() != before
    }

    /// When some are to be rung next.
    pub(super) fn next(&self) -> Option<Instant> {
        let exact = self.exact.peek().map(|Reverse(alarm)| alarm.at);
        let loose = self.loose.peek().map(|Reverse(alarm)| alarm.at + self.slack);
        exact.into_iter().chain(loose).min()
    }

    /// Rings all that are over at `now`.
    pub(super) fn ring(&mut self, now: Instant) {
        for heap in [&mut self.exact, &mut self.loose] {
            while heap.peek().is_some_and(|Reverse(alarm)| alarm.at <= now) {
                if let Some(Reverse(alarm)) = heap.pop() {
                    alarm.bell.end(alarm.at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_rung_in_time_and_think_time_is_collected() {
        let (mut alarms, now) = (Alarms::fine(), Instant::now());
        let after = |us| now + Duration::from_micros(us);
        let [first, second, third] = [(); 3].map(|()| Bell::default());
        assert!(alarms.set(after(1000), &first, false));
        assert_eq!(alarms.next(), Some(after(1500)));
        assert!(!alarms.set(after(1200), &second, false));
        assert!(alarms.set(after(1400), &third, true));
        assert_eq!(alarms.next(), Some(after(1400)));
        alarms.ring(after(1400));
        assert_eq!(alarms.next(), None, "all three are over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_that_left_its_wait_is_not_rung_out_of_the_next() {
        let (mut alarms, now) = (Alarms::default(), Instant::now());
        let bell = Bell::default();
        alarms.set(now + Duration::from_secs(1), &bell, false);
        bell.ask();
        assert!(!bell.over(true).await);
        alarms.set(now + Duration::from_secs(2), &bell, false);
        alarms.ring(now + Duration::from_secs(1));
        assert_eq!(alarms.next(), Some(now + Duration::from_secs(2)));
        let second = tokio::time::timeout(Duration::from_millis(1), bell.over(false)).await;
        assert!(second.is_err(), "it still waits");
        alarms.ring(now + Duration::from_secs(2));
        assert!(bell.over(false).await);
    }
}
