//! Owns evidence: the exchanges of a run that are kept to be shown, the first failed and the slowest.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outcome::Failure;

/// So many are kept of each kind of failure, and of each name.
const EACH: usize = 3;

/// So many failed exchanges are kept of a run, and so many slow ones.
const ALL: usize = 100;

/// An exchange as it is shown: secrets are hidden, all else is as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What it is kept as.
    pub mark: Mark,
    /// What was seen instead of what a rule expects, when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// From the first byte sent to its end, in microseconds; absent when nothing was sent.
    pub service_us: Option<u64>,
    /// The class of its user; `before` and `after` for what ran once.
    pub class: String,
    /// How many iterations its user had done.
    pub iteration: u64,
    /// How often it was sent.
    pub attempts: u32,
    /// How many redirects were followed: the request is the first one, the answer the last.
    pub redirects: u8,
    /// What was sent.
    pub request: Sent,
    /// What came; absent when no answer did.
    pub answer: Option<Answer>,
}

/// By what it is decided which exchanges are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The number of the series that it is counted under.
    pub series: u16,
    /// Why it failed; absent when it succeeded.
    pub failure: Option<Failure>,
    /// When it ended, from the start of the run, in microseconds.
    pub at_us: u64,
    /// From when it was due to its end, in microseconds.
    pub response_us: u64,
    /// The number of its user.
    pub user: u64,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// `GET`
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The header lines.
    pub head: Head,
    /// The cookies of its user are not among them: they have changed since.
    #[serde(default)]
    pub cookies_changed: bool,
    /// The body.
    pub body: Body,
    /// What `curl` must be told beside to reach the target in the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The header lines; absent when the run did not keep them.
    pub head: Option<Head>,
    /// The body.
    pub body: Body,
}

/// The lines of a head, `Name: value` each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// In their order.
    pub lines: Vec<String>,
    /// There were more.
    pub cut: bool,
}

/// A body, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// How many bytes it had; as they came, when it was not kept.
    pub bytes: u64,
    /// What is shown of it.
    pub shown: Shown,
}

/// What is shown of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// All of it.
    Whole(String),
    /// Its beginning.
    Beginning(String),
    /// Nothing: it is no text.
    NotText,
    /// Nothing: the run did not keep it.
    NotKept,
}

impl Body {
    /// What is shown of it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.shown {
            Shown::Whole(text) | Shown::Beginning(text) => Some(text),
            Shown::NotText | Shown::NotKept => None,
        }
    }

    fn text_mut(&mut self) -> Option<&mut String> {
        match &mut self.shown {
            Shown::Whole(text) | Shown::Beginning(text) => Some(text),
            Shown::NotText | Shown::NotKept => None,
        }
    }
}

impl Exchange {
    /// Every text of it that came from outside or may hold what did.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let Sent { method: _, url, head, cookies_changed: _, body, options: _ } = &mut self.request;
        let sent = head.lines.iter_mut().chain(body.text_mut()).chain([url]);
        let came = self.answer.iter_mut().flat_map(|answer| {
            let lines = answer.head.iter_mut().flat_map(|head| &mut head.lines);
            lines.chain(answer.body.text_mut())
        });
        sent.chain(came).chain(&mut self.seen)
    }
}

/// The exchanges that are kept: of each way that a series fails the first, of each series the
/// slowest that succeeded. `T` is what is kept of each.
///
/// ```text
///          1st       2nd       3rd          the order in which they are kept: all that are the
/// kind A   a1 ─┐  ┌─ a2 ─┐  ┌─ a3           first of their kind, by time; then all that are the
/// kind B   b1 ─┼──┘  b2 ─┼──┘  b3           second; then the third; until the bound is reached
/// kind C   c1 ─┘         └
/// ```
///
/// What is kept does not depend on the order in which they come or are merged (law 5): the place of
/// one in that order only grows when others come, so what is left out once would be left out later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence<T = Exchange> {
    /// By time.
    failed: Firsts<(u16, Failure), (u64, u64), T>,
    /// The slowest first, then by time.
    slow: Firsts<u16, Slow, T>,
}

/// The place of one that succeeded.
type Slow = (Reverse<u64>, u64, u64);

impl<T> Default for Evidence<T> {
    fn default() -> Self {
        Self { failed: Firsts::default(), slow: Firsts::default() }
    }
}

impl Mark {
    fn early(&self) -> (u64, u64) {
        (self.at_us, self.user)
    }

    fn slow(&self) -> Slow {
        (Reverse(self.response_us), self.at_us, self.user)
    }
}

impl<T> Evidence<T> {
    /// One with this mark would be kept.
    #[must_use]
    pub fn wants(&self, mark: &Mark) -> bool {
        match mark.failure {
            Some(failure) => self.failed.wants(&(mark.series, failure), &mark.early()),
            None => self.slow.wants(&mark.series, &mark.slow()),
        }
    }

    /// Keeps it, unless others come first; whether it is kept.
    pub fn add(&mut self, mark: &Mark, what: T) -> bool {
        match mark.failure {
            Some(failure) => self.failed.add((mark.series, failure), mark.early(), what),
            None => self.slow.add(mark.series, mark.slow(), what),
        }
    }

    /// The response time in microseconds that one of this series must at least have to be kept when it
    /// succeeded. Not each that has it is.
    #[must_use]
    pub fn floor(&self, series: u16) -> u64 {
        self.slow.floor(&series, |(Reverse(response), ..)| *response)
    }

    /// As many slow ones are kept as may be: those of one series leave no room for another.
    #[must_use]
    pub fn is_full_of_slow(&self) -> bool {
        self.slow.last.is_some()
    }

    /// What is kept of those that failed, by series and failure, by time.
    pub fn failed(&self) -> impl Iterator<Item = &T> {
        self.failed.kinds.values().flatten().map(|(_, what)| what)
    }

    /// What is kept of those that succeeded, by series, the slowest first.
    pub fn slowest(&self) -> impl Iterator<Item = &T> {
        self.slow.kinds.values().flatten().map(|(_, what)| what)
    }

    /// What is kept of all.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let failed = self.failed.kinds.values_mut().flatten().map(|(_, what)| what);
        failed.chain(self.slow.kinds.values_mut().flatten().map(|(_, what)| what))
    }

    /// Nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failed.count + self.slow.count == 0
    }

    /// One is kept of this way of failing.
    #[must_use]
    pub fn shows(&self, series: u16, failure: Failure) -> bool {
        self.failed.kinds.contains_key(&(series, failure))
    }

    /// One is kept that succeeded.
    #[must_use]
    pub fn shows_slow(&self, series: u16) -> bool {
        self.slow.kinds.contains_key(&series)
    }
}

impl Evidence {
    /// Keeps an exchange, unless others come first; whether it is kept.
    pub fn take(&mut self, exchange: &Exchange) -> bool {
        self.wants(&exchange.mark) && self.add(&exchange.mark, exchange.clone())
    }

    /// Takes in what another has kept.
    pub fn merge(&mut self, other: &Self) {
        for exchange in other.failed().chain(other.slowest()) {
            self.take(exchange);
        }
    }
}

/// The first few of each kind, in some order, with a bound in all.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Firsts<K, O, T> {
    /// Each in order.
    kinds: BTreeMap<K, Vec<(O, T)>>,
    count: usize,
    /// When there is no room: which of its kind the last one is, its place, and its kind.
    last: Option<(usize, O, K)>,
}

impl<K, O, T> Default for Firsts<K, O, T> {
    fn default() -> Self {
        Self { kinds: BTreeMap::new(), count: 0, last: None }
    }
}

impl<K: Ord + Copy, O: Ord + Copy, T> Firsts<K, O, T> {
    fn wants(&self, kind: &K, order: &O) -> bool {
        let own = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        match own.binary_search_by_key(order, |(order, _)| *order) {
            // It is there.
            Ok(_) => false,
            // It moves another one back.
            Err(place) if place < own.len() => true,
            Err(place) if place == EACH => false,
            Err(place) => self.last.is_none_or(|last| (place, *order, *kind) < last),
        }
    }

    fn add(&mut self, kind: K, order: O, what: T) -> bool {
        if !self.wants(&kind, &order) {
            return false;
        }
        let own = self.kinds.entry(kind).or_default();
        let place = own.partition_point(|(known, _)| *known < order);
        own.insert(place, (order, what));
        self.count += 1;
        if own.len() > EACH {
            own.pop();
            self.count -= 1;
        }
        if self.count > ALL
            && let Some((.., kind)) = self.find_last()
            && let Some(own) = self.kinds.get_mut(&kind)
        {
            own.pop();
            self.count -= 1;
            if own.is_empty() {
                self.kinds.remove(&kind);
            }
        }
        self.last = (self.count == ALL).then(|| self.find_last()).flatten();
        true
    }

    fn find_last(&self) -> Option<(usize, O, K)> {
        let lasts = self.kinds.iter().filter_map(|(kind, own)| {
            let (order, _) = own.last()?;
            Some((own.len() - 1, *order, *kind))
        });
        lasts.max()
    }

    /// What `measure` gives at least for the next one of this kind that is kept, when it falls along
    /// the order.
    fn floor(&self, kind: &K, measure: impl Fn(&O) -> u64) -> u64 {
        let own = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let of_own = || own.last().map_or(u64::MAX, |(order, _)| measure(order));
        match &self.last {
            _ if own.len() == EACH => of_own(),
            None => 0,
            Some((rank, ..)) if own.len() < *rank => 0,
            Some((rank, order, _)) if own.len() == *rank => measure(order).min(of_own()),
            Some(_) => of_own(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exchange(mark: Mark) -> Exchange {
        let body = |text: &str| Body { bytes: 1, shown: Shown::Whole(text.to_owned()) };
        Exchange {
            mark,
            seen: None,
            service_us: Some(mark.response_us),
            class: "One".into(),
            iteration: 0,
            attempts: 1,
            redirects: 0,
            request: Sent {
                method: "GET".into(),
                url: "http://target.test/".into(),
                head: Head::default(),
                cookies_changed: false,
                body: body(""),
                options: Vec::new(),
            },
            answer: Some(Answer { status: 200, head: None, body: body("a") }),
        }
    }

    fn failed(series: u16, status: u16, at_us: u64) -> Mark {
        let failure = Some(Failure::Status(status));
        Mark { series, failure, at_us, response_us: 10, user: at_us % 7 }
    }

    fn slow(series: u16, response_us: u64) -> Mark {
        Mark { series, failure: None, at_us: 1, response_us, user: response_us }
    }

    fn marks(evidence: &Evidence) -> Vec<(u16, u64)> {
        let mark = |exchange: &Exchange| (exchange.mark.series, exchange.mark.at_us);
        evidence.failed().map(mark).collect()
    }

    #[test]
    fn the_first_three_of_each_way_of_failing_are_kept() {
        let mut evidence = Evidence::default();
        for (series, status, at) in
            [(1, 500, 9), (0, 500, 7), (0, 500, 3), (0, 500, 8), (0, 404, 99), (0, 500, 5)]
        {
            assert!(evidence.take(&exchange(failed(series, status, at))));
        }
        assert!(!evidence.take(&exchange(failed(0, 500, 6000))), "the fourth");
        assert!(!evidence.take(&exchange(failed(0, 500, 5))), "it is there");
        assert_eq!(marks(&evidence), [(0, 99), (0, 3), (0, 5), (0, 7), (1, 9)]);
        assert!(
            evidence.shows(0, Failure::Status(404)) && !evidence.shows(1, Failure::Status(404))
        );
    }

    #[test]
    fn the_slowest_three_of_each_series_are_kept() {
        let mut evidence = Evidence::default();
        let took: Vec<bool> =
            [5, 9, 7, 6, 4, 8].map(|us| evidence.take(&exchange(slow(2, us)))).into();
        assert_eq!(took, [true, true, true, true, false, true]);
        let kept: Vec<_> = evidence.slowest().map(|one| one.mark.response_us).collect();
        assert_eq!((kept, evidence.floor(2), evidence.floor(3)), (vec![9, 8, 7], 7, 0));
    }

    /// Law 8: everything is bounded. A kind that was not seen yet goes before another one of a kind that was.
    #[test]
    fn there_is_a_bound_and_the_first_of_each_kind_go_before_the_second() {
        let mut evidence = Evidence::default();
        for series in 0..60 {
            (0..3).for_each(|at| {
                evidence.take(&exchange(failed(series, 500, u64::from(series) * 10 + at)));
            });
        }
        assert_eq!(evidence.failed().count(), ALL);
        let of = |wanted| marks(&evidence).iter().filter(|(series, _)| *series == wanted).count();
        assert_eq!([of(0), of(39), of(40), of(59)], [2, 2, 1, 1]);
        for series in 60..200 {
            evidence.take(&exchange(failed(series, 500, u64::from(series) * 10)));
        }
        assert_eq!(
            marks(&evidence),
            (0..100).map(|at| (at, u64::from(at) * 10)).collect::<Vec<_>>()
        );
        assert!(!evidence.shows(100, Failure::Status(500)));
    }

    #[test]
    fn of_kinds_that_tie_at_the_bound_the_same_is_kept_in_any_order() {
        let all: Vec<_> = (0..101).map(|series| exchange(failed(series, 500, 7))).collect();
        let (mut up, mut down) = (Evidence::default(), Evidence::default());
        all.iter().for_each(|one| _ = up.take(one));
        all.iter().rev().for_each(|one| _ = down.take(one));
        assert_eq!(marks(&up), (0..100).map(|series| (series, 7)).collect::<Vec<_>>());
        assert!(up == down);
    }

    #[test]
    fn every_text_can_be_hidden_and_what_is_stored_reads_back() {
        let mut one = exchange(failed(0, 500, 3));
        let head = || Head { lines: vec!["A: b".into()], cut: false };
        (one.seen, one.request.head) = (Some("saw".into()), head());
        one.answer = Some(Answer {
            status: 500,
            head: Some(head()),
            body: Body { bytes: 3, shown: Shown::Beginning("abc".into()) },
        });
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Exchange>(&text).unwrap(), one);
        one.texts_mut().for_each(|text| text.replace_range(.., "***"));
        let text = serde_json::to_string(&one).unwrap();
        for shown in ["saw", "A: b", "abc", "target.test"] {
            assert!(!text.contains(shown), "{text}");
        }
    }

    fn any_mark() -> impl Strategy<Value = Mark> {
        let failure = prop_oneof![Just(None), (0u16..3).prop_map(|at| Some(Failure::Status(at)))];
        // Few numbers, so that there are ties; many series, so that the bound is met.
        (0u16..60, failure, 0u64..40, 0u64..40, 0u64..4).prop_map(
            |(series, failure, at_us, response_us, user)| Mark {
                series,
                failure,
                at_us,
                response_us,
                user,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Law 5: live, replayed and distributed runs share one way.
        #[test]
        fn merging_is_associative_and_commutative(
            marks in prop::collection::vec(any_mark(), 0..900), cut in 0usize..900, turn in 0usize..900,
        ) {
            let kept = |marks: &[Mark]| {
                let mut evidence = Evidence::default();
                for mark in marks {
                    // The same user ends one exchange at a time: a mark is of one exchange only.
                    let wants = evidence.wants(mark);
                    assert_eq!(evidence.take(&exchange(*mark)), wants);
                }
                evidence
            };
            let all = kept(&marks);
            let mut turned = marks.clone();
            turned.rotate_left(turn.min(marks.len()));
            prop_assert!(ignoring_twins(&kept(&turned)) == ignoring_twins(&all));
            let (left, right) = marks.split_at(cut.min(marks.len()));
            let (left, right) = (kept(left), kept(right));
            for (mut whole, other) in [(left.clone(), &right), (right.clone(), &left)] {
                whole.merge(other);
                prop_assert!(ignoring_twins(&whole) == ignoring_twins(&all));
            }
        }

        /// What is below the floor is not kept: it need not be asked for.
        #[test]
        fn nothing_below_the_floor_is_wanted(marks in prop::collection::vec(any_mark(), 0..400)) {
            let mut evidence = Evidence::default();
            for mark in marks.into_iter().filter(|mark| mark.failure.is_none()) {
                let floor = evidence.floor(mark.series);
                prop_assert!(mark.response_us >= floor || !evidence.wants(&mark));
                evidence.take(&exchange(mark));
            }
        }
    }

    /// Marks alone, without what two exchanges with the same place differ in.
    fn ignoring_twins(evidence: &Evidence) -> Vec<(u16, Option<Failure>, u64, u64)> {
        let slow = |mark: Mark| mark.failure.map_or(mark.response_us, |_| 0);
        let all = evidence.failed().chain(evidence.slowest()).map(|one| one.mark);
        all.map(|mark| (mark.series, mark.failure, mark.at_us, slow(mark))).collect()
    }
}
