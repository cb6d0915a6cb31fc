//! Owns the rule that the generator, and not the target, was the limit.

use super::finding::{Chart, Finding, Rule};
use super::run::Run;
use super::words::{ms, share};
use crate::verdict::validity::Reason;

/// What uses so much of its processors has none left. A worker is one thread: it cannot use more than one.
const BUSY: f64 = 0.85;

/// Half of all that was due came later than this many milliseconds, and than this share of the median
/// response: it was late all the time, and not now and then as on every machine.
const LATE: (f64, f64) = (5.0, 0.2);

/// The run is invalid for what the generator did; or it was late all the time, or had used up its
/// processors, which alone makes it only suspect.
pub(super) fn limit(run: &Run) -> Option<Finding> {
    let generator = &run.generator;
    // A search asks for more until something breaks: the generator was the limit when that ended it.
    if run.is_search && generator.invalid.is_empty() {
        return None;
    }
    let median = run.all.response.quantile_ms(0.5).unwrap_or(0.0);
    let late = generator.late_ms.filter(|half| *half > LATE.0.max(LATE.1 * median));
    let busy = generator.busy.filter(|busy| *busy >= BUSY);
    let mut reasons = Vec::new();
    if let Some(busy) = busy {
        reasons.push(match generator.few_workers {
            Some(1) => format!("its one worker used {} of a processor", share(busy)),
            Some(n) => format!("its {n} workers used {} of a processor each", share(busy)),
            None => format!("throng used {} of the processors that it may use", share(busy)),
        });
    }
    if let Some(half) = late {
        reasons.push(format!("half of what was due began {} late or more", ms(half)));
    }
    // What to do about them is the advice of the finding.
    reasons.extend(generator.invalid.first().map(|reason| reason.what.clone()));
    if reasons.len() < 2 && !generator.suspect.is_empty() && !reasons.is_empty() {
        reasons.extend(generator.suspect.first().map(|reason| reason.what.clone()));
    }
    if reasons.is_empty() {
        return None;
    }
    let sentence = format!(
        "The generator was the limit, so the figures say little of the target: {}",
        reasons.join("; ")
    );
    let lacks = generator.invalid.first().and_then(Reason::lacks);
    let lacks = lacks.map(|give| format!("{give}, and see whether the figures stay the same"));
    let advice = match (busy, generator.few_workers) {
        _ if let Some(lacks) = &lacks => lacks,
        // Neither processors nor users have to do with it.
        (None, _) if late.is_none() => {
            "run it again where it is left alone, and see whether the figures stay the same"
        }
        (Some(_), Some(_)) => {
            "give it more `--workers`, run fewer users per machine, or make the plan cheaper, and see \
             whether the figures stay the same"
        }
        _ => {
            "run fewer users per machine, give throng more processors, or make the plan cheaper, and see \
             whether the figures stay the same"
        }
    };
    let finding = Finding::new(Rule::GeneratorLimit, sentence, advice, Chart::Generator);
    let mut figures = Vec::new();
    figures.extend(generator.busy.map(|busy| ("processor_share", busy)));
    figures.extend(generator.late_ms.map(|half| ("late_ms_p50", half)));
    let finding = finding.figures(&figures);
    Some(match generator.at.filter(|_| late.or(busy).is_some()) {
        Some((from_s, to_s)) => finding.seconds(from_s, to_s),
        None => finding,
    })
}
