//! Owns shares by weight: the order in which classes get their users, and a task's draw.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::random::Stream;

/// The class of each of the first `count` users, as positions in `weights`.
///
/// Any prefix is as near to the proportion of the weights as whole users can be, and nothing
/// depends on luck: always the class whose share lags most, by the Kullback-Leibler divergence,
/// comes next (Locust's rule, `w · log2(x / (x + 1))` with `x = w + users so far`; a tie goes to
/// the smaller `x`, then to the class written first).
///
/// Before them come those that are fixed in number: so many of each class, class by class.
///
/// Weights that are not positive get no user. With no positive weight there are the fixed ones alone.
#[must_use]
pub fn order(weights: &[f64], fixed: &[u32], count: usize) -> Vec<u16> {
    let mut order: Vec<u16> = Vec::with_capacity(count);
    for (class, fixed) in fixed.iter().enumerate() {
        order.extend(std::iter::repeat_n(class as u16, *fixed as usize));
        order.truncate(count);
    }
    order.extend(Turns::new(weights).take(count - order.len()));
    order
}

/// Whose turn it is, by weight: see [`order`]. It has no end, unless no weight is positive.
#[derive(Debug, Clone)]
pub struct Turns {
    weights: Vec<f64>,
    lags: BinaryHeap<Lag>,
}

/// How far a class lags behind its share: the least is the next.
#[derive(Debug, Clone, PartialEq)]
struct Lag {
    divergence: f64,
    users: f64,
    class: usize,
}

impl Lag {
    fn of(class: usize, weight: f64, users: f64) -> Self {
        Self { divergence: weight * (users / (users + 1.0)).log2(), users, class }
    }
}

impl Eq for Lag {}

impl Ord for Lag {
    /// The other way round: a heap gives its largest.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_divergence = other.divergence.total_cmp(&self.divergence);
        let by_users = by_divergence.then(other.users.total_cmp(&self.users));
        by_users.then(other.class.cmp(&self.class))
    }
}

impl PartialOrd for Lag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Turns {
    /// From the first turn on.
    #[must_use]
    pub fn new(weights: &[f64]) -> Self {
        let lags = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        let lags = lags.map(|(class, weight)| Lag::of(class, *weight, *weight)).collect();
        Self { weights: weights.to_vec(), lags }
    }
}

impl Iterator for Turns {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let mut next = self.lags.peek_mut()?;
        let class = next.class;
        *next = Lag::of(class, self.weights[class], next.users + 1.0);
        Some(class as u16)
    }
}

/// Draws one of the positions whose weight is positive, with a chance in proportion to it.
pub fn pick(weights: impl Iterator<Item = f64> + Clone, stream: &mut Stream) -> Option<usize> {
    let total: f64 = weights.clone().filter(|weight| *weight > 0.0).sum();
    if total <= 0.0 {
        return None;
    }
    let mut left = stream.fraction() * total;
    let mut last = None;
    for (position, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
        last = Some(position);
        if left < weight {
            break;
        }
        left -= weight;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letters(weights: &[f64], count: usize) -> String {
        order(weights, &[], count).iter().map(|&class| char::from(b'A' + class as u8)).collect()
    }

    #[test]
    fn users_of_fixed_number_come_first_and_are_part_of_the_count() {
        assert_eq!(order(&[1.0, 0.0, 2.0], &[0, 2, 0], 6), [1, 1, 2, 0, 2, 2]);
        assert_eq!(order(&[1.0, 0.0], &[0, 5], 3), [1, 1, 1]);
        assert_eq!(order(&[0.0, 0.0], &[1, 1], 9), [0, 1]);
    }

    #[test]
    fn users_come_in_the_order_that_locust_users_know() {
        assert_eq!(letters(&[3.0, 1.0], 12), "ABAAABAAABAA");
        assert_eq!(letters(&[5.0, 1.0], 12), "AABAAAAABAAA");
        assert_eq!(letters(&[10.0, 3.0, 1.0], 20), "AABAACABAAABAAAABAAA");
        assert_eq!(letters(&[1.0, 1.0], 4), "ABAB");
        assert_eq!(letters(&[1.0, 0.0], 3), "AAA");
        assert_eq!(letters(&[], 3), "");
    }

    proptest! {
        #[test]
        fn any_prefix_is_in_proportion(weights in prop::collection::vec(1u32..20, 1..6), count in 1usize..400) {
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let total: f64 = weights.iter().sum();
            let order = order(&weights, &[], count);
            for (class, weight) in weights.iter().enumerate() {
                let users = order.iter().filter(|&&c| usize::from(c) == class).count() as f64;
                let want = count as f64 * weight / total;
                prop_assert!((users - want).abs() < weights.len() as f64, "{users} of {want}");
            }
        }

        #[test]
        fn each_is_the_one_that_lags_most(weights in prop::collection::vec(0u32..9, 1..9), count in 0usize..300) {
            let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
            let mut users = weights.clone();
            let mut slow = Vec::new();
            let any = weights.iter().any(|weight| *weight > 0.0);
            while any && slow.len() < count {
                let lag = |class: usize| weights[class] * (users[class] / (users[class] + 1.0)).log2();
                let classes = (0..weights.len()).filter(|class| weights[*class] > 0.0);
                let next = classes.min_by(|a, b| {
                    lag(*a).total_cmp(&lag(*b)).then(users[*a].total_cmp(&users[*b]))
                });
                let next = next.expect("there is a weight");
                slow.push(next as u16);
                users[next] += 1.0;
            }
            prop_assert_eq!(order(&weights, &[], count), slow);
        }

        #[test]
        fn a_whole_round_is_exact(weights in prop::collection::vec(1u32..9, 1..5)) {
            let total: u32 = weights.iter().sum();
            let floats: Vec<f64> = weights.iter().copied().map(f64::from).collect();
            let order = order(&floats, &[], total as usize);
            for (class, weight) in weights.iter().enumerate() {
                let users = order.iter().filter(|&&c| usize::from(c) == class).count();
                prop_assert_eq!(users, *weight as usize);
            }
        }
    }

    #[test]
    fn tasks_are_drawn_by_weight() {
        let mut stream = Stream::new(1, 0, 0);
        let weights = [3.0, 0.0, 1.0];
        let mut drawn = [0; 3];
        for _ in 0..4000 {
            drawn[pick(weights.into_iter(), &mut stream).unwrap()] += 1;
        }
        assert_eq!(drawn[1], 0);
        assert!((2850..3150).contains(&drawn[0]), "{drawn:?}");
        assert_eq!(pick([0.0].into_iter(), &mut stream), None);
    }
}
