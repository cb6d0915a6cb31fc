//! Owns what runs once: the steps before and after a run, and a rehearsal of every task.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::time::Instant;

use super::bell::Bell;
use super::observer::Observer;
use super::setup::Setup;
use super::user::User;
use super::witness::Raw;
use super::worker::Worker;
use crate::expr::Value;
use crate::metrics::{Interval, Recorder};
use crate::plan::Stop;
use crate::program::{Class, Ending};
use crate::protocol::Protocol;
use crate::random::Stream;

/// What came of steps that run once.
#[derive(Debug)]
pub struct Once {
    /// What was measured.
    pub intervals: Vec<Interval>,
    /// Exchanges that are to be shown.
    pub evidence: Vec<Raw>,
    /// They went to their end without a failure.
    pub succeeded: bool,
    /// The one of them that ends the run.
    pub ends_run: Option<Ending>,
    /// The variables that they ended with.
    pub slots: Vec<Option<Value>>,
}

/// Runs the steps of `class`, which has no tasks, as one user. `number` tells its random numbers
/// from those of other users of the run.
pub async fn once<P: Protocol>(
    setup: Arc<Setup>,
    class: &Class,
    number: usize,
    protocol: P,
    observer: Option<Box<dyn Observer>>,
) -> Once {
    let start = Instant::now();
    let worker = Rc::new(Worker::new(setup.clone(), protocol, start, observer.map(RefCell::new)));
    // Classes are numbered from 0 up: these are no class of the plan's.
    let random = Stream::new(setup.seed, usize::MAX - number, 0);
    let mut user = User::of(worker.clone(), class, 0, 0, random, None, Bell::default());
    if let Some(observer) = worker.observer.as_ref().filter(|_| class.script.start.is_some()) {
        observer.borrow_mut().begins(&class.name);
    }
    // A failure here is the end of it, as it is of the first steps of a user.
    user.starting = true;
    let rows = user.take_own_rows(class, None) && user.take_rows(class);
    let over = match class.script.start.filter(|_| rows) {
        Some(at) => Some(user.run(class, at).await),
        None => None,
    };
    let ends = over.filter(|over| over.ends == Some(Stop::Run) && !over.failed);
    let ends_run = ends.map(|over| class.ending(over.from, over.at));
    let slots = user.into_slots();
    if let Some(observer) =
        worker.observer.as_ref().filter(|_| over.is_some_and(|over| over.failed))
    {
        observer.borrow_mut().broken_off();
    }
    let worker = Rc::into_inner(worker).expect("the user is gone, and nobody else shares it");
    let evidence = worker.witness.take();
    let intervals = worker.recorder.into_inner().finish(Instant::now());
    let succeeded = rows && over.is_none_or(|over| !over.failed);
    Once { intervals, evidence, succeeded, ends_run, slots }
}

/// Runs the tasks of a class once each, in the order in which they are written, between the first and
/// the last steps, as one user. Only those in `only`, when it names some. The observer says whether
/// the user waits.
pub async fn rehearse<P: Protocol>(
    setup: Arc<Setup>,
    class: usize,
    only: &[String],
    protocol: P,
    observer: Box<dyn Observer>,
) -> Vec<Interval> {
    let start = Instant::now();
    let worker = Rc::new(Worker::new(setup.clone(), protocol, start, Some(RefCell::new(observer))));
    let mut user = User::new(worker.clone(), class, 0, None, Bell::default());
    user.rehearse(only).await;
    drop(user);
    let worker = Rc::into_inner(worker).expect("the user is gone, and nobody else shares it");
    let Worker { recorder, .. } = worker;
    let recorder: RefCell<Recorder> = recorder;
    recorder.into_inner().finish(Instant::now())
}
