//! Owns the check that rows which each iteration gets are not read where there is no iteration.

use std::collections::BTreeSet;
use std::ops::Range;

use super::compile::{Compiler, Draft};
use crate::data::Per;

/// A stretch of instructions that was compiled in one go, and what it reads.
pub(super) struct Part {
    code: Range<usize>,
    slots: BTreeSet<usize>,
}

/// What a class does outside of its iterations.
pub(super) struct Outside {
    pub(super) start: Part,
    pub(super) stop: Part,
}

impl Part {
    /// What `compile` adds to the draft.
    pub(super) fn of<'a>(draft: &mut Draft<'a>, compile: impl FnOnce(&mut Draft<'a>)) -> Self {
        let uses = std::mem::take(&mut draft.uses);
        let (code, requests) = (draft.class.code.len(), draft.class.requests.len());
        compile(draft);
        let own = std::mem::replace(&mut draft.uses, uses);
        draft.uses.merge(&own);
        let mut slots = own.slots;
        slots.extend(draft.class.requests[requests..].iter().flat_map(|request| &request.reads));
        Self { code: code..draft.class.code.len(), slots }
    }
}

impl<'a> Compiler<'a> {
    /// `callees` are in the order of the draft's. Calls are followed: a flow is often what reads.
    pub(super) fn rows_outside(&mut self, outside: &Outside, callees: &[Part], draft: &Draft<'a>) {
        let parts = [
            (&outside.start, "on_start", "before the first"),
            (&outside.stop, "on_stop", "after the last"),
        ];
        for (part, key, when) in parts {
            let slots = reached(part, callees, &draft.calls);
            let plan = self.plan;
            for data in plan.data.iter().filter(|data| data.definition.per == Per::Iteration) {
                let name = &data.name.value;
                if draft.class.names.find(name).is_some_and(|slot| slots.contains(&slot)) {
                    let title =
                        format!("`{name}` gives a row to each iteration, and `{key}` is {when}");
                    self.error(data.place, title, "give it `per: user`");
                }
            }
        }
    }
}

/// What a part reads, and all that it calls.
fn reached(part: &Part, callees: &[Part], calls: &[(usize, usize)]) -> BTreeSet<usize> {
    let mut slots = BTreeSet::new();
    let mut seen = vec![false; callees.len()];
    let mut ahead = vec![part];
    while let Some(part) = ahead.pop() {
        slots.extend(&part.slots);
        // They are in the order of the code.
        let first = calls.partition_point(|(at, _)| *at < part.code.start);
        for (_, called) in calls[first..].iter().take_while(|(at, _)| *at < part.code.end) {
            if !std::mem::replace(&mut seen[*called], true) {
                ahead.push(&callees[*called]);
            }
        }
    }
    slots
}
