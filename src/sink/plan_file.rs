//! Owns the copy of the plan among the results: the plan as it ran, secrets hidden.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Sink, write_whole};
use crate::event::Event;

/// The first line of a copy: what does not begin with it is not ours to write over.
const MARK: &str = "# As it ran; secrets are hidden.";

/// Writes the plan when the run begins.
pub struct PlanFile {
    path: PathBuf,
}

impl PlanFile {
    /// For `plan.FORMAT` in the folder `out`; for `plan.run.FORMAT` when there is one already that
    /// is no such copy. Results may go to the folder in which the plans themselves are.
    #[must_use]
    pub fn new(out: &Path, format: &str) -> Self {
        let path = out.join(format!("plan.{format}"));
        let is_ours = |text: String| text.starts_with(MARK);
        if path.exists() && !fs::read_to_string(&path).is_ok_and(is_ours) {
            return Self { path: out.join(format!("plan.run.{format}")) };
        }
        Self { path }
    }
}

impl Sink for PlanFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Started(started) = event else { return Ok(()) };
        // A copy that was run itself says so already.
        let text =
            started.plan_text.strip_prefix(MARK).map_or(&*started.plan_text, str::trim_start);
        write_whole(&self.path, &format!("{MARK}\n{text}"))
    }
}
