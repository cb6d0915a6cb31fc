//! Owns the options that say where requests go and whom to trust there, the same for every verb that
//! sends some.

use std::path::PathBuf;
use std::time::Duration;

use crate::plan::Target;
use crate::session::{Options, Pinned, Trust};
use crate::units::parse_duration;

/// How the target is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Reaching {
    /// Where requests go; wins over the plan
    #[arg(short = 'H', long, alias = "host", value_name = "URL", help_heading = "Target", value_parser = Target::parse)]
    target: Option<Target>,
    /// Start the embedded Todo API on a free port and use it as the target
    #[arg(long, help_heading = "Target", conflicts_with = "target")]
    pub(super) demo: bool,
    /// Keep trying for so long to reach the target before the first user: `30s`
    #[arg(long, value_name = "TIME", help_heading = "Target", value_parser = parse_duration)]
    wait_for: Option<Duration>,
    /// Trust the authorities in this PEM file, instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    cacert: Option<PathBuf>,
    /// Do not verify the certificate of an `https` target; for test systems
    #[arg(long, help_heading = "Target", conflicts_with = "cacert")]
    insecure: bool,
    /// Reach a name at this address; may be given again
    #[arg(long, value_name = "HOST[:PORT]:ADDRESS", help_heading = "Target", value_parser = Pinned::parse)]
    resolve: Vec<Pinned>,
}

impl Reaching {
    /// Puts them into the options.
    pub(super) fn choose(self, options: &mut Options) {
        options.trust = match self.cacert {
            _ if self.insecure => Trust::Anyone,
            Some(file) => Trust::File(file),
            None => Trust::System,
        };
        options.target = self.target;
        options.demo = self.demo;
        options.wait_for = self.wait_for;
        options.resolve = self.resolve;
    }
}
