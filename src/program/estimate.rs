//! Owns how much work an iteration is: requests and waits, on average or at the most, from the plan alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::code::picks_within;
use super::selection::Selection;
use crate::load::{Order, Wait, visits};
use crate::plan::{self, Action, Class, Items, Node, NodeValue, OnFail, Plan, Step, Stop};

/// What is worked out where a condition decides, which only a run can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// What to expect: conditions hold, of two ways the one with more requests is taken, chances and
    /// branches count with their shares, and a loop of unknown length is gone through once.
    Mean,
    /// The most requests for the least waiting: no run, however it goes, has more of them.
    Most,
}

/// What steps do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Work {
    /// Requests, on average; without a bound where a loop has none.
    pub(super) requests: f64,
    /// Seconds of waits within.
    pub(super) wait: f64,
    /// A loop is as long as the run makes it.
    pub(super) open: bool,
    /// How much it is, chance decides.
    pub(super) drawn: bool,
    /// Something ends the iteration before its last step.
    pub(super) ends: bool,
}

const NOTHING: Work = Work { requests: 0.0, wait: 0.0, open: false, drawn: false, ends: false };

impl Work {
    fn then(self, next: Self) -> Self {
        Self {
            requests: self.requests + next.requests,
            wait: self.wait + next.wait,
            open: self.open || next.open,
            drawn: self.drawn || next.drawn,
            ends: self.ends || next.ends,
        }
    }

    fn times(self, factor: f64) -> Self {
        // No round of a body without requests is no request, however many rounds there are.
        let of = |amount: f64| if amount == 0.0 || factor == 0.0 { 0.0 } else { amount * factor };
        Self { requests: of(self.requests), wait: of(self.wait), ..self }
    }

    /// Done so often of all times, by chance.
    fn by_chance(self, fraction: f64) -> Self {
        Self { drawn: self.drawn || fraction < 1.0, ..self.times(fraction) }
    }
}

/// A task of a class, with its share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) task: &'a plan::Task,
    /// How often in an iteration: a chance, or a number of visits.
    pub(super) times: f64,
    pub(super) work: Work,
    /// Seconds of the wait after it.
    pub(super) after: f64,
    /// Whether it is done, only the run knows.
    unsure: bool,
}

impl Part<'_> {
    fn ratio(&self) -> f64 {
        self.work.requests / (self.work.wait + self.after)
    }
}

/// What an iteration of a class is: one task or a whole pass, with the wait that follows.
#[derive(Debug, Clone)]
pub(super) struct Iteration<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// Requests of one.
    pub(super) requests: f64,
    /// Seconds that one takes, waits and pace together, when answers take `response` each.
    pub(super) seconds: f64,
    /// Seconds that one keeps a user busy: without the wait that follows it.
    pub(super) busy: f64,
    /// A loop is as long as the run makes it.
    pub(super) open: bool,
    /// How many requests one has, chance decides.
    pub(super) drawn: bool,
}

/// What is called: the class that calls, the steps, and whether it is done before a retry.
type Called = (*const Class, *const Step, bool);

/// Works out what users do, with what is left out by tags.
#[derive(Debug, Clone)]
pub(super) struct Estimate<'a> {
    pub(super) plan: &'a Plan,
    pub(super) selection: &'a Selection,
    pub(super) aim: Aim,
    /// What each request takes.
    pub(super) response: Duration,
    /// It is about what is done before a retry, whose own requests are not looked at for retries: they
    /// may have the same one.
    retrying: bool,
    /// What has been worked out of flows and tasks that are called: each is looked at once, though
    /// sixty flows that call the next one twice are 2^60 ways.
    called: Rc<RefCell<HashMap<Called, Work>>>,
}

impl<'a> Estimate<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        selection: &'a Selection,
        aim: Aim,
        response: Duration,
    ) -> Self {
        Self { plan, selection, aim, response, retrying: false, called: Rc::default() }
    }

    /// What an iteration of a class is.
    pub(super) fn iteration(&self, class: &'a Class) -> Iteration<'a> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        for task in &class.tasks {
            let tags: Vec<String> = class.tags.iter().chain(&task.tags).cloned().collect();
            let picked = self.selection.picks(&tags);
            if self.selection.excludes(&tags)
                || !(picked || picks_within(self.selection, &task.steps))
            {
                continue;
            }
            let chance = task.chance.unwrap_or(1.0);
            let work = self.steps(&task.steps, class, picked).by_chance(chance);
            let after = task.wait.unwrap_or(class.wait).mean().as_secs_f64();
            let unsure = task.when.is_some();
            parts.push(Part { task, times: 1.0, work, after, unsure });
        }
        if class.order != Order::Random && parts.iter().any(|part| part.work.ends) {
            parts.iter_mut().for_each(|part| part.unsure = true);
        }
        match class.order {
            Order::Random => {
                let all: f64 = parts.iter().map(|part| part.task.weight).sum();
                parts.iter_mut().for_each(|part| {
                    part.times = if all > 0.0 { part.task.weight / all } else { 0.0 };
                });
            }
            Order::Chain => chain(&mut parts),
            Order::Sequence | Order::Shuffle => {}
        }
        self.whole(class, parts)
    }

    fn whole(&self, class: &Class, parts: Vec<Part<'a>>) -> Iteration<'a> {
        let sum = |of: &dyn Fn(&Part<'a>) -> f64| -> f64 {
            let parts = parts.iter().filter(|part| part.times > 0.0);
            parts.map(|part| part.times * of(part)).sum()
        };
        let open = parts.iter().any(|part| part.times > 0.0 && part.work.open);
        let mut done = parts.iter().filter(|part| part.times > 0.0);
        let first = done.next().map(|part| (part.work.requests, part.work.drawn));
        let drawn = match class.order {
            Order::Chain => parts.len() > 1,
            // All tasks are done, or all are as large.
            Order::Random => done.any(|part| Some((part.work.requests, false)) != first),
            Order::Sequence | Order::Shuffle => done.any(|part| part.work.drawn),
        } || first.is_some_and(|(_, drawn)| drawn);
        let response = self.response.as_secs_f64();
        let busy = |part: &Part<'_>| part.work.wait + part.work.requests * response;
        let requests = sum(&|part| part.work.requests);
        let paces = |part: &Part<'_>| part.task.wait.unwrap_or(class.wait).is_pace();
        let pass = class.order != Order::Random;
        // Within a pass each task but the last is followed by its wait, unless that is a pace.
        let waits = |part: &Part<'_>| if paces(part) { 0.0 } else { part.after };
        let last = match class.order {
            Order::Random => sum(&waits),
            Order::Sequence => parts.last().map_or(0.0, waits),
            Order::Shuffle | Order::Chain => {
                sum(&waits) / parts.iter().map(|part| part.times).sum::<f64>().max(1.0)
            }
        };
        let whole = (sum(&busy) + sum(&waits) - last).max(0.0);
        let seconds = if pass && parts.iter().any(paces) {
            // A pace is that of the whole pass, and each task that has none waits by itself.
            let busy = sum(&|part| busy(part) + waits(part));
            let pace = parts.iter().filter(|part| paces(part)).map(|part| part.after);
            busy.max(pace.fold(f64::INFINITY, f64::min))
        } else {
            sum(&|part| {
                if paces(part) { part.after.max(busy(part)) } else { busy(part) + part.after }
            })
        };
        let unsure = parts.iter().any(|part| part.times > 0.0 && part.unsure);
        if self.aim == Aim::Mean || !unsure {
            return Iteration { parts, requests, seconds, busy: whole, open, drawn };
        }
        if pass && parts.iter().any(paces) {
            return Iteration { parts, requests: f64::INFINITY, seconds, busy: whole, open, drawn };
        }
        let (requests, seconds) = most(&parts);
        Iteration { parts, requests, seconds, busy: whole, open, drawn }
    }

    /// What steps do that stand one after the other.
    pub(super) fn steps(&self, steps: &'a [Step], class: &'a Class, picked: bool) -> Work {
        let all = steps.iter().map(|step| self.step(step, class, picked)).fold(NOTHING, Work::then);
        // Where something may end the iteration, waits that follow need not be.
        if self.aim == Aim::Most && all.ends { Work { wait: 0.0, ..all } } else { all }
    }

    fn step(&self, step: &'a Step, class: &'a Class, picked: bool) -> Work {
        if self.selection.excludes(&step.tags) {
            return NOTHING;
        }
        let picked =
            picked || (!self.selection.tags.is_empty() && self.selection.picks(&step.tags));
        if !picked && !step.action.bodies().any(|body| picks_within(self.selection, body)) {
            return NOTHING;
        }
        let work = self.action(&step.action, class, picked).by_chance(step.chance.unwrap_or(1.0));
        if step.when.is_some() && self.aim == Aim::Most { Work { wait: 0.0, ..work } } else { work }
    }

    fn action(&self, action: &'a Action, class: &'a Class, picked: bool) -> Work {
        let most = self.aim == Aim::Most;
        let steps = |body: &'a [Step]| self.steps(body, class, picked);
        let pause = |wait: Wait| wait.mean().as_secs_f64();
        // A loop of unknown length.
        let rounds = |body: Work, at_most: Option<u64>, at_least: f64| match (most, at_most) {
            (true, Some(rounds)) => {
                let all = body.times(rounds as f64);
                Work { wait: body.wait * at_least, ..all }
            }
            (true, None) => Work { wait: body.wait * at_least, ..body.times(f64::INFINITY) },
            (false, _) => Work { open: true, ..body },
        };
        match action {
            Action::Request(request) => self.request(request, class, picked),
            Action::Wait(Wait::Pace(_)) if most => NOTHING,
            Action::Wait(wait) => Work { wait: pause(*wait), ..NOTHING },
            Action::If { then, otherwise, .. } => {
                let (then, otherwise) = (steps(then), steps(otherwise));
                let larger = if then.requests >= otherwise.requests { then } else { otherwise };
                let wait = if most { then.wait.min(otherwise.wait) } else { larger.wait };
                Work { wait, ends: then.ends || otherwise.ends, ..larger }
            }
            Action::Repeat { times, body } => match number(times) {
                Some(times) => steps(body).times(times),
                None => rounds(steps(body), None, 0.0),
            },
            Action::For { items, body, .. } => match items {
                Items::List(Node { value: NodeValue::List(items), .. }) => {
                    steps(body).times(items.len() as f64)
                }
                Items::Expression(text) => match written_list(&text.value) {
                    Some(count) => steps(body).times(count),
                    None => rounds(steps(body), None, 0.0),
                },
                Items::List(_) => rounds(steps(body), None, 0.0),
            },
            Action::While { body, at_most, .. } => rounds(steps(body), *at_most, 0.0),
            Action::Until { body, at_most, .. } => rounds(steps(body), *at_most, 1.0),
            Action::Choose(branches) => {
                let all: f64 = branches.iter().map(|branch| branch.weight).sum();
                let drawn = branches.iter().filter(|branch| branch.weight > 0.0);
                drawn
                    .map(|branch| steps(&branch.body).by_chance(branch.weight / all))
                    .fold(NOTHING, Work::then)
            }
            // Waits of requests that are sent together are not spent.
            Action::Parallel(body) => Work { wait: 0.0, ..steps(body) },
            Action::Group { body, .. } => steps(body),
            Action::Call(name) => {
                let task = class.tasks.iter().find(|task| task.name.value == name.value);
                let flow = self.plan.flows.iter().find(|flow| flow.name.value == name.value);
                match (task, flow) {
                    (Some(task), _) => {
                        let work = self.called(&task.steps, class);
                        let unsure = most && task.when.is_some();
                        if unsure { Work { wait: 0.0, ..work } } else { work }
                    }
                    (None, Some(flow)) => self.called(&flow.steps, class),
                    (None, None) => NOTHING,
                }
            }
            Action::Fail(_) | Action::Stop(Stop::Iteration) => Work { ends: true, ..NOTHING },
            Action::Set(_)
            | Action::Push(_)
            | Action::Remove(_)
            | Action::Stop(_)
            | Action::Log(_) => NOTHING,
        }
    }

    fn called(&self, steps: &'a [Step], class: &'a Class) -> Work {
        let key = (std::ptr::from_ref(class), steps.as_ptr(), self.retrying);
        let known = self.called.borrow().get(&key).copied();
        known.unwrap_or_else(|| {
            let work = self.steps(steps, class, true);
            self.called.borrow_mut().insert(key, work);
            work
        })
    }

    fn request(&self, request: &'a plan::Request, class: &'a Class, picked: bool) -> Work {
        let settings = [&request.settings, &class.defaults, &self.plan.defaults];
        let wait = request.wait.map_or(0.0, |wait| wait.mean().as_secs_f64());
        let on_fail = settings.iter().find_map(|settings| settings.on_fail);
        let ends = on_fail == Some(OnFail::End(Stop::Iteration));
        let one = Work { requests: 1.0, wait, ends: ends && self.aim == Aim::Most, ..NOTHING };
        let retry = settings.iter().find_map(|settings| settings.retry.as_ref());
        match retry {
            // Only the last attempt is counted, but what is done before each is.
            Some(Some(retry)) if self.aim == Aim::Most && !self.retrying => {
                let before = Self { retrying: true, ..self.clone() };
                let first =
                    before.steps(&retry.first, class, picked).times(f64::from(retry.when.times));
                one.then(Work { wait: 0.0, ..first })
            }
            _ => one,
        }
    }
}

/// The most requests for the least time: what is sure, and of the rest what makes it denser.
///
/// Of a mixture, requests to seconds are `Σ w·r / Σ w·t`, which an addition raises only when its own
/// `r / t` is higher.
fn most(parts: &[Part<'_>]) -> (f64, f64) {
    let drawn = || parts.iter().filter(|part| part.times > 0.0);
    let (mut requests, mut seconds) = (0.0, 0.0);
    for part in drawn().filter(|part| !part.unsure) {
        requests += part.times * part.work.requests;
        seconds += part.times * (part.work.wait + part.after);
    }
    let mut unsure: Vec<_> =
        drawn().filter(|part| part.unsure && part.work.requests > 0.0).collect();
    unsure.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    for part in unsure {
        if seconds == 0.0 || part.ratio() > requests / seconds {
            requests += part.times * part.work.requests;
            seconds += part.times * (part.work.wait + part.after);
        }
    }
    (requests, seconds)
}

/// How often each task of a chain is visited in a pass.
fn chain(parts: &mut [Part<'_>]) {
    let position = |name: &str| parts.iter().position(|part| part.task.name.value == name);
    let next: Vec<Vec<(Option<usize>, f64)>> = parts
        .iter()
        .map(|part| {
            let follows = part.task.next.iter().filter_map(|(name, weight)| {
                let to = position(&name.value);
                (to.is_some() || name.value == "exit").then_some((to, *weight))
            });
            follows.collect()
        })
        .collect();
    let found = visits(&next);
    // A condition on one task moves the shares of all.
    let unsure = found.is_none() || parts.iter().any(|part| part.unsure);
    for (at, part) in parts.iter_mut().enumerate() {
        part.times = found.as_ref().map_or(1.0, |visits| visits[at]);
        part.unsure = unsure;
    }
}

fn number(node: &Node) -> Option<f64> {
    match &node.value {
        NodeValue::Int(number) => Some((*number).max(0) as f64),
        NodeValue::Text(text) => text.trim().parse::<u32>().ok().map(f64::from),
        _ => None,
    }
}

/// The number of items of a list that is written out: `[0, 1, 2]`, `range(3)`.
fn written_list(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(count) = text.strip_prefix("range(").and_then(|rest| rest.strip_suffix(')')) {
        return count.trim().parse::<u32>().ok().map(f64::from);
    }
    let items = text.strip_prefix('[')?.strip_suffix(']')?;
    // Items that hold commas of their own are left to the run.
    if items.contains(['[', '(', '{', '\'', '"']) {
        return None;
    }
    let items = items.trim().trim_end_matches(',');
    Some(if items.is_empty() { 0.0 } else { items.split(',').count() as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn work(steps: &str, aim: Aim) -> Work {
        let text = format!(
            "target: http://localhost\nflows: {{ two: {{ steps: [ {{ get: /1 }}, {{ get: /2 }} ] }} }}\n\
             users: {{ U: {{ tasks: {{ a: {{ steps: {steps} }} }} }} }}\n"
        );
        let loaded = plan::parse("p.yaml", &text);
        let plan = loaded.plan.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
        let selection = Selection::default();
        let response = Duration::ZERO;
        let estimate = Estimate::new(&plan, &selection, aim, response);
        estimate.steps(&plan.classes[0].tasks[0].steps, &plan.classes[0], true)
    }

    #[test]
    fn a_flow_is_worked_out_once_however_often_it_is_called() {
        let flows: String = (0..60)
            .map(|at| {
                format!("  f{at}: [ {{ call: f{next} }}, {{ call: f{next} }} ]\n", next = at + 1)
            })
            .collect();
        let text = format!(
            "target: http://localhost\nflows:\n{flows}  f60: [ {{ get: / }} ]\n\
             users: {{ U: {{ tasks: {{ a: {{ steps: [ {{ call: f0 }} ] }} }} }} }}\n"
        );
        let plan = plan::parse("p.yaml", &text).plan.expect("a plan");
        let selection = Selection::default();
        let estimate = Estimate::new(&plan, &selection, Aim::Most, Duration::ZERO);
        let iteration = estimate.iteration(&plan.classes[0]);
        assert_eq!(iteration.requests, 2f64.powi(60));
    }

    #[test]
    fn what_steps_do_is_known_as_far_as_constants_say() {
        for (steps, requests, wait) in [
            ("[ { get: / }, { wait: 1s..3s } ]", 1.0, 2.0),
            ("[ { chance: 30%, do: [ { get: / }, { wait: 1s } ], group: g } ]", 0.3, 0.3),
            ("[ { repeat: 3, do: [ { call: two }, { wait: 1s } ] } ]", 6.0, 3.0),
            ("[ { for: i, in: [1, 2], do: { get: / } } ]", 2.0, 0.0),
            ("[ { for: i, in: 'range(4)', do: { get: / } } ]", 4.0, 0.0),
            ("[ { for: i, in: '[1, 2, 3]', do: { get: / } } ]", 3.0, 0.0),
            (
                "[ { choose: [ { weight: 3, do: { get: / } }, { weight: 1, do: { call: two } } ] } ]",
                1.25,
                0.0,
            ),
            ("[ { if: user.id > 1, then: { get: / }, else: { call: two } } ]", 2.0, 0.0),
            ("[ { parallel: [ { get: /a }, { get: /b } ] } ]", 2.0, 0.0),
            ("[ { when: user.id > 1, get: / } ]", 1.0, 0.0),
            ("[ { until: response.status == 200, within: 9s, do: { get: / } } ]", 1.0, 0.0),
        ] {
            let found = work(steps, Aim::Mean);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(near(found.requests, requests) && near(found.wait, wait), "{steps} {found:?}");
        }
    }

    fn any_steps() -> impl Strategy<Value = String> {
        let one = prop_oneof![
            Just("{ get: / }".to_owned()),
            Just("{ wait: 1s }".to_owned()),
            Just("{ call: two }".to_owned()),
            Just("{ when: user.id > 1, get: / }".to_owned()),
            Just("{ chance: 50%, wait: 1s }".to_owned()),
        ];
        let steps = one.prop_recursive(4, 24, 3, |inner| {
            let list = prop::collection::vec(inner, 1..4).prop_map(|all| format!("[ {} ]", all.join(", ")));
            let two = (list.clone(), list.clone());
            prop_oneof![
                (0..4u8, list.clone()).prop_map(|(n, body)| format!("{{ repeat: {n}, do: {body} }}")),
                list.clone().prop_map(|body| format!("{{ group: g, when: user.id > 1, do: {body} }}")),
                list.prop_map(|body| format!("{{ while: user.id > 1, at_most: 3, do: [ {{ get: /w }}, {{ group: h, do: {body} }} ] }}")),
                two.clone().prop_map(|(a, b)| format!("{{ if: user.id > 1, then: {a}, else: {b} }}")),
                two.prop_map(|(a, b)| format!("{{ choose: [ {{ weight: 1, do: {a} }}, {{ weight: 2, do: {b} }} ] }}")),
            ]
        });
        prop::collection::vec(steps, 1..4).prop_map(|all| format!("[ {} ]", all.join(", ")))
    }

    proptest! {
        #[test]
        fn what_is_expected_is_never_more_than_the_most(steps in any_steps()) {
            let (mean, most) = (work(&steps, Aim::Mean), work(&steps, Aim::Most));
            prop_assert!(mean.requests <= most.requests + 1e-9, "{steps} {mean:?} {most:?}");
            prop_assert!(mean.wait >= most.wait - 1e-9, "{steps} {mean:?} {most:?}");
        }
    }
}
