//! Owns what GitHub says to what runs in one of its workflows.

use std::path::PathBuf;

use super::said;
use crate::session::Github;

/// As it stands in the environment.
pub(super) fn github() -> Github {
    let folder = || said("GITHUB_WORKSPACE").map_or_else(|| ".".into(), PathBuf::from);
    Github {
        workspace: said("GITHUB_ACTIONS").filter(|is| is == "true").map(|_| folder()),
        step_summary: said("GITHUB_STEP_SUMMARY").map(PathBuf::from),
    }
}
