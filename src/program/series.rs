//! Owns the series that requests are counted under: so many names at most, the rest together.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Place};
use crate::metrics::{Facet, RequestName};
use crate::plan::Plan;
use crate::verdict::Of;

/// Each name keeps histograms of all its times, and is a line of every table.
const NAMES: usize = 1000;

/// What is counted under no name of its own.
const OTHER: &str = "(other)";

/// The series of a plan, by what they hold.
#[derive(Debug)]
pub(super) struct Series {
    numbers: HashMap<(RequestName, Option<Facet>), u16>,
    /// They are kept apart by class and tags, because a threshold or a result asks for one of them.
    apart: bool,
    /// The names that thresholds ask for: these are counted, however many there are.
    asked: Vec<String>,
    names: HashSet<RequestName>,
    others: HashSet<RequestName>,
    /// The first request without a name of its own.
    first: Option<Place>,
}

impl Series {
    pub(super) fn of(plan: &Plan, apart: bool) -> Self {
        let asked = || plan.thresholds.iter().filter_map(|threshold| threshold.value.of.as_ref());
        Self {
            numbers: HashMap::new(),
            apart: apart || asked().any(|of| matches!(of, Of::Class(_) | Of::Tag(_))),
            asked: asked()
                .filter_map(|of| if let Of::Name(name) = of { Some(name.clone()) } else { None })
                .collect(),
            names: HashSet::new(),
            others: HashSet::new(),
            first: None,
        }
    }

    /// The number of the series that requests of this name, class and tags are counted under, and
    /// what it holds, when it is a new one. `place` is that of the request.
    pub(super) fn number(
        &mut self,
        name: RequestName,
        facet: Facet,
        place: Place,
    ) -> (u16, Option<(RequestName, Facet)>) {
        let name = self.counted(name, place);
        let key = (name, self.apart.then_some(facet));
        if let Some(number) = self.numbers.get(&key) {
            return (*number, None);
        }
        // Requests are counted while they are compiled.
        let number =
            u16::try_from(self.numbers.len()).expect("a plan has fewer than 65,536 requests");
        self.numbers.insert(key.clone(), number);
        (number, Some((key.0, key.1.unwrap_or_default())))
    }

    /// The name itself, or that of all others.
    fn counted(&mut self, name: RequestName, place: Place) -> RequestName {
        let known = self.names.contains(&name);
        if known || self.asked.iter().any(|asked| name.is_called(asked)) || self.names.len() < NAMES
        {
            self.names.insert(name.clone());
            return name;
        }
        self.first.get_or_insert(place);
        self.others.insert(name);
        RequestName { method: String::new(), name: OTHER.to_owned() }
    }

    /// A warning, when there are more names than are counted.
    pub(super) fn overflow(&self) -> Option<Diagnostic> {
        let place = self.first?;
        let (all, others) = (self.names.len() + self.others.len(), self.others.len());
        let title = if others == 1 {
            format!("the requests of the plan have {all} names: one has no row of its own")
        } else {
            format!("the requests of the plan have {all} names: {others} have no row of their own")
        };
        let label = format!("from this one on they are counted together, under `{OTHER}`");
        let help = "give requests that belong together one `name`, as `name: /todos/{id}`";
        Some(Diagnostic::warning(place, title, label).help(help))
    }
}
