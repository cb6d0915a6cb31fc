//! Owns thresholds that a run leaves without data: of what none of its users does.

use super::instruction::{Class, Instruction, Program};
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use crate::verdict::Of;

/// Warnings at thresholds of what nobody does: `runs` says which classes have users, by position, and
/// `who` leaves the rest out.
#[must_use]
pub fn left_out(
    plan: &Plan,
    program: &Program,
    who: &str,
    runs: impl Fn(usize) -> bool,
) -> Vec<Diagnostic> {
    let catalogue = &program.catalogue;
    let classes = program.classes.iter().enumerate();
    let running: Vec<&Class> =
        classes.filter(|(number, _)| runs(*number)).map(|(_, class)| class).collect();
    let is_counted = |of: &Of| {
        running.iter().any(|class| match of {
            Of::Group(name) => class.code.iter().any(|instruction| {
                matches!(instruction, Instruction::Group(number)
                    if catalogue.groups[usize::from(*number)] == *name)
            }),
            _ => class.requests.iter().filter_map(|request| request.series).any(|series| {
                let number = usize::from(series);
                let tags = catalogue.facets.get(number).map(|facet| &facet.tags);
                match of {
                    Of::Name(name) => catalogue.names[number].is_called(name),
                    Of::Tag(tag) => tags.is_some_and(|tags| tags.contains(tag)),
                    Of::Class(name) => *class.name == **name,
                    Of::Group(_) => false,
                }
            }),
        })
    };
    let mut warnings = Vec::new();
    for threshold in &plan.thresholds {
        let Some(of) = threshold.value.of.as_ref().filter(|of| !is_counted(of)) else { continue };
        let title =
            format!("`{}` of {} `{}` cannot hold", threshold.value.text, of.kind(), of.text());
        let label = format!("{who} out what it is of, and no data is not a pass");
        warnings.push(Diagnostic::warning(threshold.place, title, label));
    }
    warnings
}
