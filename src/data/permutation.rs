//! Owns orders of many rows that need no memory.

use crate::random::splitmix;

/// A permutation of the whole numbers below `count`, from a key.
///
/// It is the generalized Feistel cipher with cycle walking of J. Black and P. Rogaway, *Ciphers with
/// Arbitrary Finite Domains* (CT-RSA 2002), methods 2 and 3. A number below `a·b ≥ count` is split
/// into `left < a` and `right < b`, and each round adds a mix of one half to the other:
///
/// ```text
/// (left, right) -> (right, left + mix(round, right)  mod a or b, in turn)
/// ```
///
/// Each round can be undone, so all of them together are a permutation of the numbers below `a·b`.
/// A result that is not below `count` is put in again until it is. With `a = ⌈√count⌉` and
/// `b = ⌈count / a⌉` few are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permutation {
    count: u64,
    a: u64,
    b: u64,
    key: u64,
}

/// Even, so that the halves come out as they went in. Few rounds leave small counts lopsided: with
/// eight, all orders of three to five rows are about as frequent as each other (see the tests).
const ROUNDS: u64 = 8;

impl Permutation {
    /// Of the numbers below `count`, which is not 0.
    pub(super) fn new(count: u64, key: u64) -> Self {
        let root = count.isqrt();
        let a = if root * root == count { root } else { root + 1 };
        Self { count, a, b: count.div_ceil(a), key }
    }

    /// The same numbers in another order: the square root is not taken for every row again.
    pub(super) fn pass(self, pass: u64) -> Self {
        Self { key: splitmix(self.key ^ splitmix(pass)), ..self }
    }

    /// The number at `position`, which is below the count.
    pub(super) fn at(self, position: u64) -> u64 {
        let mut number = self.scramble(position);
        while number >= self.count {
            number = self.scramble(number);
        }
        number
    }

    fn scramble(self, number: u64) -> u64 {
        let (mut left, mut right) = (number % self.a, number / self.a);
        for round in 0..ROUNDS {
            let modulus = if round % 2 == 0 { self.a } else { self.b };
            let mixed = splitmix(self.key ^ (round << 56) ^ right);
            // The high half of the product is even over what is below the modulus, as a remainder
            // would be, and both summands are below it: dividing would take most of the time.
            let add = ((u128::from(mixed) * u128::from(modulus)) >> 64) as u64;
            let sum = left + add;
            (left, right) = (right, if sum >= modulus { sum - modulus } else { sum });
        }
        right * self.a + left
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn order(count: u64, key: u64) -> Vec<u64> {
        let permutation = Permutation::new(count, key);
        (0..count).map(|position| permutation.at(position)).collect()
    }

    #[test]
    fn all_orders_of_a_few_rows_are_about_as_frequent() {
        for (count, orders) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
            let mut seen = HashMap::new();
            for key in 0..orders * 500 {
                *seen.entry(order(count, splitmix(key))).or_insert(0u32) += 1;
            }
            let (least, most) = (seen.values().min(), seen.values().max());
            assert_eq!(seen.len() as u64, orders, "of {count} rows");
            assert!(least >= Some(&350) && most <= Some(&650), "{count}: {least:?} to {most:?}");
        }
    }

    #[test]
    fn neighbours_do_not_stay_neighbours() {
        let order = order(10_000, splitmix(1));
        let close = order.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 100).count();
        // By chance about 1 in 50 are that close.
        assert!((100..300).contains(&close), "{close}");
        let in_place = order.iter().zip(0..).filter(|(number, place)| **number == *place).count();
        assert!(in_place < 10, "{in_place}");
    }

    #[test]
    fn the_largest_counts_stay_in_range() {
        for count in [u64::from(u32::MAX), 1 << 40, (1 << 40) + 1] {
            let permutation = Permutation::new(count, splitmix(3));
            assert!((0..100).all(|position| permutation.at(position) < count));
        }
    }

    proptest! {
        #[test]
        fn each_number_comes_once(count in 1u64..2_000, key: u64) {
            let mut seen = order(count, key);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
    }
}
