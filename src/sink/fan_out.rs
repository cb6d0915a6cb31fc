//! Owns giving every event to every sink; one that fails stops neither the run nor the others.

use super::Sink;
use crate::event::Event;

/// A sink that could not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkFailure {
    /// What it writes.
    pub name: String,
    /// Why it could not.
    pub error: String,
}

/// The sinks of a run.
#[derive(Default)]
pub struct FanOut {
    sinks: Vec<Box<dyn Sink>>,
    failures: Vec<SinkFailure>,
}

impl FanOut {
    /// Adds a sink.
    pub fn add(&mut self, sink: impl Sink + 'static) {
        self.sinks.push(Box::new(sink));
    }

    /// Gives `event` to every sink that has not failed (law 6).
    pub fn take(&mut self, event: &Event<'_>) {
        let failures = &mut self.failures;
        self.sinks.retain_mut(|sink| match sink.take(event) {
            Ok(()) => true,
            Err(error) => {
                // What the system says, without its number.
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or(&text);
                failures.push(SinkFailure { name: sink.name(), error: text.to_owned() });
                false
            }
        });
    }

    /// The sinks that could not write, in the order in which they failed.
    #[must_use]
    pub fn failures(&self) -> &[SinkFailure] {
        &self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::StopReason;
    use std::cell::Cell;
    use std::io;
    use std::rc::Rc;

    struct Counting(Rc<Cell<u32>>, bool);

    impl Sink for Counting {
        fn name(&self) -> String {
            "counting".into()
        }

        fn take(&mut self, _: &Event<'_>) -> io::Result<()> {
            self.0.set(self.0.get() + 1);
            if self.1 { Err(io::Error::other("disk full")) } else { Ok(()) }
        }
    }

    /// Law 6: it is reported, and the others go on.
    #[test]
    fn a_failing_sink_stops_neither_the_run_nor_the_others() {
        let (good, bad) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut fan_out = FanOut::default();
        fan_out.add(Counting(bad.clone(), true));
        fan_out.add(Counting(good.clone(), false));
        for _ in 0..3 {
            fan_out.take(&Event::Stopping(StopReason::Interrupted, None));
        }
        assert_eq!((good.get(), bad.get()), (3, 1));
        let failure = SinkFailure { name: "counting".into(), error: "disk full".into() };
        assert_eq!(fan_out.failures(), [failure]);
    }
}
