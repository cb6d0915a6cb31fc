//! Owns the threads of a run: one per worker, each with a runtime of its own.

use std::io;
use std::sync::{Arc, Barrier, OnceLock};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::conductor::conduct;
use super::setup::Setup;
use super::worker::Handover;
use crate::control::Command;
use crate::protocol::Protocol;

/// Intervals that may wait for the session, for each worker.
const WAITING_INTERVALS: usize = 64;

/// The running workers of a run.
#[derive(Debug)]
pub struct Workers {
    /// What they hand over. It ends when all have ended.
    pub output: mpsc::Receiver<Handover>,
    /// Tells each what to do.
    commands: Vec<mpsc::UnboundedSender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the workers. Each gets a protocol of its own from `protocol`; all share one moment as
/// the start of the run.
///
/// # Errors
/// A thread or a runtime could not be made.
pub fn start<P: Protocol + Send>(
    setup: Arc<Setup>,
    protocol: impl Fn() -> P,
) -> io::Result<Workers> {
    let (sender, output) = mpsc::channel(WAITING_INTERVALS * setup.workers);
    let mut commands = Vec::new();
    let ready = Arc::new(Barrier::new(setup.workers));
    let moment = Arc::new(OnceLock::new());
    let mut threads = Vec::new();
    for index in 0..setup.workers {
        let (command, told) = mpsc::unbounded_channel();
        commands.push(command);
        let (setup, sender) = (setup.clone(), sender.clone());
        let (ready, moment) = (ready.clone(), moment.clone());
        let protocol = protocol();
        // A runtime is bound to its thread, so a failure to make one can only be told from there.
        let thread =
            std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
                let runtime =
                    Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
                ready.wait();
                let start = *moment.get_or_init(Instant::now);
                match runtime {
                    Ok(runtime) => {
                        let conducted = conduct(setup, index, protocol, start, told, sender, true);
                        runtime.block_on(conducted)
                    }
                    // Dropping the sender without a word tells the session that a worker is missing.
                    Err(_) => drop(sender),
                }
            })?;
        threads.push(thread);
    }
    Ok(Workers { output, commands, threads })
}

impl Workers {
    /// Tells all of them.
    pub fn tell(&self, command: Command) {
        for worker in &self.commands {
            // One that has ended needs no command.
            let _ = worker.send(command);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.threads.len()
    }

    /// Waits for the threads to end; how many of them panicked.
    #[must_use]
    pub fn join(self) -> usize {
        self.threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
    }
}
