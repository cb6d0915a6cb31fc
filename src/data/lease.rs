//! Owns which rows are held by users, by their number.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// The rows that nobody holds, and those that several hold.
#[derive(Debug)]
pub(super) struct Leases {
    count: u64,
    /// Positions below it were handed out.
    next: u64,
    /// So were these, which lie above: users do not come in the order of their numbers.
    ahead: BTreeSet<u64>,
    /// Rows that were given back, in their order.
    back: VecDeque<u64>,
    /// How many hold a row beside the first.
    more: HashMap<u64, u32>,
    /// How often a row was shared.
    shared: u64,
}

impl Leases {
    /// Of `count` rows, all free.
    pub(super) fn new(count: u64) -> Self {
        Self {
            count,
            next: 0,
            ahead: BTreeSet::new(),
            back: VecDeque::new(),
            more: HashMap::new(),
            shared: 0,
        }
    }

    /// A free row; nothing when there is none. The one at the position `at` of the order is meant for
    /// who asks, whenever that is: so the same users hold the same rows in every run. Without it, or
    /// when it was handed out before, the next that nobody had, and after those what was given back.
    /// `row` gives the row at a position of the order.
    pub(super) fn take(&mut self, at: Option<u64>, row: impl Fn(u64) -> u64) -> Option<u64> {
        let meant =
            at.filter(|at| (self.next..self.count).contains(at) && !self.ahead.contains(at));
        let Some(at) = meant.or((self.next < self.count).then_some(self.next)) else {
            return self.back.pop_front();
        };
        self.ahead.insert(at);
        while self.ahead.remove(&self.next) {
            self.next += 1;
        }
        Some(row(at))
    }

    /// A row that somebody holds, when there is no free one: each in turn.
    pub(super) fn share(&mut self, row: impl Fn(u64) -> u64) -> u64 {
        self.shared += 1;
        let number = row(self.count + self.shared - 1);
        *self.more.entry(number).or_default() += 1;
        number
    }

    /// One holder of the row has gone; with the last it is free.
    pub(super) fn give_back(&mut self, number: u64) {
        match self.more.get_mut(&number) {
            Some(1) => {
                self.more.remove(&number);
            }
            Some(more) => *more -= 1,
            None => self.back.push_back(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_row_is_free_when_its_last_holder_has_gone() {
        let mut leases = Leases::new(2);
        let row = |position| position % 2;
        while leases.take(None, row).is_some() {}
        let shared = leases.share(row);
        leases.give_back(shared);
        assert_eq!(leases.take(None, row), None);
        leases.give_back(shared);
        assert_eq!(leases.take(None, row), Some(shared));
    }

    #[test]
    fn what_was_given_back_comes_in_its_order() {
        let mut leases = Leases::new(3);
        let take = |leases: &mut Leases| leases.take(None, |position| position);
        while take(&mut leases).is_some() {}
        for row in [2, 0, 1] {
            leases.give_back(row);
        }
        assert_eq!([(); 4].map(|()| take(&mut leases)), [Some(2), Some(0), Some(1), None]);
    }

    #[test]
    fn whoever_comes_first_each_gets_the_row_that_is_meant_for_it() {
        for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]] {
            let mut leases = Leases::new(4);
            for at in order {
                assert_eq!(leases.take(Some(at), |position| position * 10), Some(at * 10));
            }
            assert_eq!(leases.take(Some(1), |position| position), None);
            assert!(leases.ahead.is_empty());
        }
        let mut leases = Leases::new(3);
        assert_eq!(leases.take(Some(1), |position| position), Some(1));
        assert_eq!(leases.take(Some(1), |position| position), Some(0), "it is held: the next free");
        assert_eq!(leases.take(Some(9), |position| position), Some(2), "there is no such row");
    }

    #[test]
    fn rows_that_were_never_leased_need_no_memory() {
        let mut leases = Leases::new(1 << 40);
        for at in 0..1_000 {
            assert_eq!(leases.take(None, |position| position), Some(at));
        }
        assert!(leases.ahead.is_empty() && leases.back.is_empty());
    }
}
