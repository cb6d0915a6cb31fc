//! Owns which rows are held by users, by their number.

use std::collections::{HashMap, VecDeque};

use crate::random::Stream;

/// The rows that nobody holds, and those that several hold.
#[derive(Debug)]
pub(super) struct Leases {
    count: u64,
    free: Free,
    /// How many hold a row beside the first.
    more: HashMap<u64, u32>,
    /// How often a row was shared.
    shared: u64,
}

#[derive(Debug)]
enum Free {
    /// Positions below `next` were handed out; then come those given back, in their order.
    InTurn { next: u64, back: VecDeque<u64> },
    /// A shuffle of all rows that is drawn card by card (Fisher and Yates): the first `left` places
    /// hold the free ones. A place that is not in `moved` holds its own number, so that only what
    /// was handed out needs memory.
    AtRandom { left: u64, moved: HashMap<u64, u64> },
}

impl Leases {
    /// Of `count` rows, all free.
    pub(super) fn new(count: u64, at_random: bool) -> Self {
        let free = if at_random {
            Free::AtRandom { left: count, moved: HashMap::new() }
        } else {
            Free::InTurn { next: 0, back: VecDeque::new() }
        };
        Self { count, free, more: HashMap::new(), shared: 0 }
    }

    /// A free row; nothing when there is none. `row` gives the row at a position of the order.
    pub(super) fn take(&mut self, row: impl Fn(u64) -> u64, random: &mut Stream) -> Option<u64> {
        match &mut self.free {
            Free::InTurn { next, .. } if *next < self.count => {
                *next += 1;
                Some(row(*next - 1))
            }
            Free::InTurn { back, .. } => back.pop_front(),
            Free::AtRandom { left: 0, .. } => None,
            Free::AtRandom { left, moved } => {
                let place = random.below(*left as usize) as u64;
                *left -= 1;
                let last = moved.remove(left).unwrap_or(*left);
                if place == *left {
                    return Some(last);
                }
                Some(moved.insert(place, last).unwrap_or(place))
            }
        }
    }

    /// A row that somebody holds, when there is no free one: each in turn, or a random one.
    pub(super) fn share(&mut self, row: impl Fn(u64) -> u64, random: &mut Stream) -> u64 {
        let number = if matches!(self.free, Free::AtRandom { .. }) {
            random.below(self.count as usize) as u64
        } else {
            self.shared += 1;
            row(self.count + self.shared - 1)
        };
        *self.more.entry(number).or_default() += 1;
        number
    }

    /// One holder of the row has gone; with the last it is free.
    pub(super) fn give_back(&mut self, number: u64) {
        if let Some(more) = self.more.get_mut(&number) {
            *more -= 1;
            if *more == 0 {
                self.more.remove(&number);
            }
            return;
        }
        match &mut self.free {
            Free::InTurn { back, .. } => back.push_back(number),
            Free::AtRandom { left, moved } => {
                if *left != number {
                    moved.insert(*left, number);
                }
                *left += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_row_is_free_when_its_last_holder_has_gone() {
        for at_random in [false, true] {
            let (mut leases, mut random) = (Leases::new(2, at_random), Stream::new(1, 0, 0));
            let row = |position| position % 2;
            while leases.take(row, &mut random).is_some() {}
            let shared = leases.share(row, &mut random);
            leases.give_back(shared);
            assert_eq!(leases.take(row, &mut random), None);
            leases.give_back(shared);
            assert_eq!(leases.take(row, &mut random), Some(shared));
        }
    }

    #[test]
    fn what_was_given_back_comes_in_its_order() {
        let (mut leases, mut random) = (Leases::new(3, false), Stream::new(1, 0, 0));
        let mut take = |leases: &mut Leases| leases.take(|position| position, &mut random);
        while take(&mut leases).is_some() {}
        for row in [2, 0, 1] {
            leases.give_back(row);
        }
        assert_eq!([(); 4].map(|()| take(&mut leases)), [Some(2), Some(0), Some(1), None]);
    }

    #[test]
    fn rows_that_were_never_leased_need_no_memory() {
        let (mut leases, mut random) = (Leases::new(1 << 40, true), Stream::new(1, 0, 0));
        let mut rows: Vec<_> =
            (0..1_000).filter_map(|_| leases.take(|position| position, &mut random)).collect();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), 1_000);
        let Free::AtRandom { moved, .. } = &leases.free else { panic!("it is at random") };
        assert!(moved.len() <= 1_000);
    }
}
