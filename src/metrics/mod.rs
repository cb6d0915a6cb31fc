//! Owns what is measured: samples, outcomes, histograms, intervals and the summary of a run.

mod evidence;
mod health;
mod history;
mod interval;
mod listing;
mod notice;
mod opening;
mod outcome;
mod recorder;
mod renumber;
mod summary;
mod timing;
mod tracks;

pub use evidence::{Answer, Body, Evidence, Exchange, Head, Mark, Sent, Shown};
pub use health::{Health, Level, Throttled};
pub use history::{History, Point, Spent};
pub use interval::{Ended, Interval, NameStats, Seen};
pub use listing::{Batch, Counted, Inlet, Next, Outlet, listing};
pub use notice::{Notice, Noticed, Notices};
pub use opening::Opening;
pub use outcome::{Failure, FailureKind, Fault, Outcome, RetryClass};
pub use recorder::{Recorder, Sample};
pub use renumber::Renumbering;
pub use summary::{FailureRow, GROUP, Row, Summary};
pub use timing::Timing;
pub use tracks::{TrackPoint, Tracks};

use serde::{Deserialize, Serialize};

/// The words behind the numbers that samples carry: made once from the plan, the same on every
/// worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Method and name of each series that requests are counted under. Several series may bear one
    /// name, for a class or a tag that is judged by itself; tables show them as one.
    pub names: Vec<RequestName>,
    /// Of each series, whose requests it holds.
    pub facets: Vec<Facet>,
    /// The names of transactions.
    pub groups: Vec<String>,
    /// The sentences of failed rules, see [`Failure::Rule`].
    pub texts: Vec<String>,
}

/// Whose requests a series holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facet {
    /// The user class.
    pub class: String,
    /// The tags of the step that sends them.
    pub tags: Vec<String>,
}

/// What a group of requests is called. The method has its own column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestName {
    /// `GET`, `POST`, …
    pub method: String,
    /// `/todos/{id} [DELETE]`
    pub name: String,
}

impl RequestName {
    /// Whether a threshold's `of` means it: the name alone, or `METHOD name`.
    #[must_use]
    pub fn is_called(&self, of: &str) -> bool {
        self.name == of
            || of
                .split_once(' ')
                .is_some_and(|(method, name)| method == self.method && name == self.name)
    }
}

impl Catalogue {
    /// The sentence for people of a failure.
    #[must_use]
    pub fn sentence(&self, failure: Failure) -> String {
        match failure {
            Failure::Fault(fault) => fault.sentence().to_owned(),
            Failure::Status(status) => format!("status {status}"),
            Failure::Rule(text) => {
                self.texts.get(text as usize).cloned().unwrap_or_else(|| "a rule broke".to_owned())
            }
        }
    }

    /// The stable id of a failure: `connect.refused`, `status.500`, `rule`.
    #[must_use]
    pub fn id(&self, failure: Failure) -> String {
        match failure {
            Failure::Fault(fault) => fault.id().to_owned(),
            Failure::Status(status) => format!("status.{status}"),
            Failure::Rule(_) => "rule".to_owned(),
        }
    }
}
