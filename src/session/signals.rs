//! Owns signals: SIGINT and SIGTERM become reasons to stop, and none ends a run by itself.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::control::StopReason;

/// The signals that end a run.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Held, never looked at: a file that may grow no further is then an error of writing it, and
    /// not the end of the process with all that it has measured.
    _file_too_large: Signal,
}

impl Signals {
    /// From now on the signals no longer end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let file_too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        Ok(Self { interrupt, terminate, _file_too_large: signal(file_too_large)? })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> StopReason {
        tokio::select! {
            _ = self.interrupt.recv() => StopReason::Interrupted,
            _ = self.terminate.recv() => StopReason::Terminated,
        }
    }
}
