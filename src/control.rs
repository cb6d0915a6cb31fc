//! Owns the commands that run against the flow of data: they stop a run.

/// Why a run ended before its profile did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT, as Ctrl-C sends it.
    Interrupted,
    /// SIGTERM, as a CI system or a container runtime sends it.
    Terminated,
    /// `stop: run`, or `on_fail: run`.
    Plan,
}

/// What a running engine can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Start no new iteration; let those under way finish within the grace.
    Drain(StopReason),
    /// Cut what is under way now and count it as cancelled.
    Cut(StopReason),
}
