//! Owns the rule of thresholds that had too few samples to be judged.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{count, counted};

/// A threshold on a percentile had too few samples.
pub(super) fn too_few(run: &Run) -> Option<Finding> {
    let most = run.few.iter().max_by(|a, b| {
        let lacks = |few: &super::run::Few| few.needs as f64 / few.had.max(1) as f64;
        lacks(a).total_cmp(&lacks(b))
    })?;
    let times = most.needs.div_ceil(most.had.max(1)).max(2);
    let more = match run.few.len() {
        1 => String::new(),
        n => format!("; so had {}", counted(n as u64 - 1, "other threshold")),
    };
    let sentence = format!(
        "`{}` had {} and takes {} to be judged{more}",
        most.text,
        counted(most.had, "sample"),
        count(most.needs),
    );
    let advice = format!(
        "let the run take {} times as long or send so many more requests, ask for a lower percentile, or \
         write `allow_few: true`",
        count(times)
    );
    let figures = [("samples", most.had as f64), ("samples_needed", most.needs as f64)];
    Some(Finding::new(Rule::TooFewSamples, sentence, &advice, Chart::Requests).figures(&figures))
}
