//! Owns which rows are held by users, by their number.

use std::collections::HashMap;

/// The rows that somebody holds.
#[derive(Debug)]
pub(super) struct Leases {
    count: u64,
    /// How many hold a row.
    held: HashMap<u64, Held>,
    /// Where the next free row is looked for: behind the one that was found last.
    next: u64,
    /// How often a row was shared.
    shared: u64,
}

/// Who holds a row.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    /// All of them.
    all: u32,
    /// Those that share what is meant for another.
    guests: u32,
}

impl Leases {
    /// Of `count` rows, all free.
    pub(super) fn new(count: u64) -> Self {
        Self { count, held: HashMap::new(), next: 0, shared: 0 }
    }

    /// A free row; nothing when there is none. The one at the position `at` of the order is meant for
    /// who asks, whenever that is: so the same users hold the same rows in every run. Without it, or
    /// while somebody holds it, the next free one. `row` gives the row at a position of the order.
    pub(super) fn take(&mut self, at: Option<u64>, row: impl Fn(u64) -> u64) -> Option<u64> {
        let free = |held: &HashMap<u64, Held>, at: u64| {
            Some(row(at)).filter(|number| !held.contains_key(number))
        };
        // Who shares a row does not keep it from the one for whom it is meant: who of them comes first
        // is by chance.
        let meant = at.filter(|at| *at < self.count).map(&row);
        let meant =
            meant.filter(|number| self.held.get(number).is_none_or(|held| held.all == held.guests));
        let number = match meant {
            Some(number) => number,
            None if self.held.len() as u64 >= self.count => return None,
            None => {
                let mut found = None;
                while found.is_none() {
                    found = free(&self.held, self.next);
                    self.next = (self.next + 1) % self.count;
                }
                found?
            }
        };
        self.held.entry(number).or_default().all += 1;
        Some(number)
    }

    /// A row that others hold, when there is no free one: the one that is meant for who asks, else each
    /// in turn.
    pub(super) fn share(&mut self, at: Option<u64>, row: impl Fn(u64) -> u64) -> u64 {
        let number = row(at.unwrap_or(self.count + self.shared));
        self.shared += u64::from(at.is_none());
        let held = self.held.entry(number).or_default();
        (held.all, held.guests) = (held.all + 1, held.guests + 1);
        number
    }

    /// One holder of the row, or one of those that share it, has gone; with the last it is free.
    pub(super) fn give_back(&mut self, number: u64, guest: bool) {
        if let Some(held) = self.held.get_mut(&number) {
            held.all -= 1;
            held.guests -= u32::from(guest);
            if held.all == 0 {
                self.held.remove(&number);
            }
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
        let shared = leases.share(None, row);
        leases.give_back(shared, true);
        assert_eq!(leases.take(None, row), None);
        leases.give_back(shared, false);
        assert_eq!(leases.take(None, row), Some(shared));
    }

    #[test]
    fn what_was_given_back_comes_after_what_nobody_had() {
        let mut leases = Leases::new(3);
        let take = |leases: &mut Leases| leases.take(None, |position| position);
        assert_eq!([(); 2].map(|()| take(&mut leases)), [Some(0), Some(1)]);
        leases.give_back(0, false);
        assert_eq!([(); 3].map(|()| take(&mut leases)), [Some(2), Some(0), None]);
    }

    #[test]
    fn whoever_comes_first_each_gets_the_row_that_is_meant_for_it() {
        for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]] {
            let mut leases = Leases::new(4);
            let row = |position: u64| position % 4 * 10;
            for at in order {
                assert_eq!(leases.take(Some(at), row), Some(at * 10));
            }
            assert_eq!(leases.take(Some(1), row), None);
            assert_eq!(leases.share(Some(6), row), 20);
            leases.give_back(30, false);
            assert_eq!(leases.take(Some(3), row), Some(30), "whoever had it before");
        }
        let mut leases = Leases::new(3);
        assert_eq!(leases.take(Some(1), |position| position), Some(1));
        assert_eq!(leases.take(Some(1), |position| position), Some(0), "it is held: the next free");
        assert_eq!(leases.take(Some(9), |position| position), Some(2), "there is no such row");
    }

    #[test]
    fn a_guest_that_comes_first_does_not_drive_out_who_a_row_is_meant_for() {
        let mut leases = Leases::new(3);
        let row = |position: u64| position % 3;
        assert_eq!(leases.share(Some(4), row), 1);
        assert_eq!(leases.take(Some(1), row), Some(1));
        assert_eq!(leases.take(Some(1), row), Some(0), "it is held by its own");
        leases.give_back(1, true);
        assert_eq!(leases.take(Some(1), row), Some(2));
        leases.give_back(1, false);
        assert_eq!(leases.take(Some(1), row), Some(1));
    }

    #[test]
    fn rows_that_nobody_holds_need_no_memory() {
        let mut leases = Leases::new(1 << 40);
        for at in 0..1_000 {
            assert_eq!(leases.take(None, |position| position), Some(at));
            leases.give_back(at, false);
        }
        assert!(leases.held.is_empty());
    }
}
