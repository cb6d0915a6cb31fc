//! Owns marks: where an instruction comes from, and what is told of the way that it takes.

use super::instruction::Class;
use crate::diagnostic::{Place, Placed};
use crate::plan::{Action, Step};
use crate::units::format_percent;

/// Where an instruction comes from. Those have one that can leave out steps, and those that can end
/// the run.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Where its step begins.
    pub place: Place,
    /// What is told when it goes on elsewhere: that something was left out, and why.
    off: String,
    /// The same when it goes on with the next one.
    on: String,
    /// It is asked in each round of a loop: nothing was left out when there was one before.
    pub each_round: bool,
    /// The task that is left out as a whole, and why.
    pub task: Option<(String, String)>,
}

/// The way that an instruction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the next one.
    On,
    /// To the one that it names.
    Off,
    /// To one of so many, the first being 0.
    Branch(usize, usize),
}

impl Mark {
    pub(super) fn at(place: Place) -> Self {
        Self { place, off: String::new(), on: String::new(), each_round: false, task: None }
    }

    /// Something is left out unless its condition holds.
    pub(super) fn when(place: Place, what: &str, condition: &Placed<String>) -> Self {
        let off = format!("{what} left out: {} does not hold", asked("when", condition));
        Self { off, ..Self::at(place) }
    }

    /// Something is left out unless chance has it.
    pub(super) fn chance(place: Place, what: &str, chance: f64) -> Self {
        let off = format!("{what} left out by `chance: {}`", format_percent(chance));
        Self { off, ..Self::at(place) }
    }

    /// The same of a whole task.
    pub(super) fn chance_of_task(name: &Placed<String>, chance: f64) -> Self {
        let why = format!("left out by `chance: {}`", format_percent(chance));
        let task = Some((name.value.clone(), why));
        Self { task, ..Self::chance(name.place, &format!("task {}", name.value), chance) }
    }

    pub(super) fn of_if(place: Place, condition: &Placed<String>, has_else: bool) -> Self {
        let asked = asked("if", condition);
        if has_else {
            let off = format!("{asked} does not hold: `else` is done");
            return Self { off, on: format!("{asked} holds: `else` left out"), ..Self::at(place) };
        }
        Self { off: format!("{asked} does not hold: left out"), ..Self::at(place) }
    }

    pub(super) fn of_repeat(place: Place) -> Self {
        Self { off: "`repeat: 0`: left out".to_owned(), ..Self::at(place) }
    }

    pub(super) fn of_for(place: Place, name: &str) -> Self {
        Self { off: format!("`for: {name}` has no items: left out"), ..Self::at(place) }
    }

    pub(super) fn of_while(place: Place, condition: &Placed<String>) -> Self {
        let off = format!("{} does not hold: left out", asked("while", condition));
        Self { off, each_round: true, ..Self::at(place) }
    }

    /// What is told when it goes that way, unless there is nothing to tell.
    #[must_use]
    pub fn told(&self, way: Way) -> Option<String> {
        let text = match way {
            Way::On => self.on.clone(),
            Way::Off => self.off.clone(),
            Way::Branch(_, ..2) => return None,
            Way::Branch(drawn, all) => {
                format!("`choose`: branch {} of {all} is done, by weight", drawn + 1)
            }
        };
        (!text.is_empty()).then_some(text)
    }
}

/// A step that ended a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What it is a part of: `Editor › create`.
    pub part: String,
    /// Where it stands.
    pub place: Option<Place>,
}

impl Class {
    /// The instruction at `at` ended the run, in what began at `from`.
    #[must_use]
    pub fn ending(&self, from: usize, at: usize) -> Ending {
        let task = self.tasks.iter().find(|task| task.start == from).map(|task| &*task.name);
        let part = match task {
            Some(task) => format!("{} › {task}", self.name),
            // `before` is all that it is.
            None if self.tasks.is_empty() => self.name.to_string(),
            None if self.script.stop == Some(from) => format!("{} › on_stop", self.name),
            None => format!("{} › on_start", self.name),
        };
        Ending { part, place: self.marks.get(&at).map(|mark| mark.place) }
    }
}

/// A condition with its key, in one line.
fn asked(key: &str, condition: &Placed<String>) -> String {
    let words: Vec<&str> = condition.value.split_whitespace().collect();
    format!("`{key}: {}`", words.join(" "))
}

/// What a step is called in a few words.
pub(super) fn called(step: &Step) -> String {
    match &step.action {
        Action::Request(request) => {
            let name = request.name.as_ref().unwrap_or(&request.path);
            format!("{} {}", request.method, name.value)
        }
        Action::Group { name, .. } => format!("group {}", name.value),
        Action::Call(name) => format!("call {}", name.value),
        Action::Parallel(_) => "parallel".to_owned(),
        Action::Wait(_) => "wait".to_owned(),
        Action::Set(_) => "set".to_owned(),
        Action::Push(_) => "push".to_owned(),
        Action::Remove(_) => "remove".to_owned(),
        Action::If { .. } => "if".to_owned(),
        Action::Repeat { .. } => "repeat".to_owned(),
        Action::For { .. } => "for".to_owned(),
        Action::While { .. } => "while".to_owned(),
        Action::Until { .. } => "until".to_owned(),
        Action::Choose(_) => "choose".to_owned(),
        Action::Fail(_) => "fail".to_owned(),
        Action::Stop(_) => "stop".to_owned(),
        Action::Log(_) => "log".to_owned(),
    }
}
