//! Owns chains: how often each task is visited, worked out from what follows what.

/// How often each task of a chain is visited in one pass, on average, in the long run.
///
/// `next[i]` says what follows task `i`, by weight; none, and nothing at all, ends the pass. A pass
/// begins with task 0. With `P` the matrix of the chances, the visits are
///
/// ```text
/// v = e₀ + Pᵀ v     that is     (I − Pᵀ) v = e₀
/// ```
///
/// None when some pass never ends: its tasks are then visited without end.
#[must_use]
pub fn visits(next: &[Vec<(Option<usize>, f64)>]) -> Option<Vec<f64>> {
    let reached = reached(next);
    let size = reached.len();
    let place = |task: usize| reached.iter().position(|known| *known == task);
    // The equations, with the right side as the last column.
    let mut rows = vec![vec![0.0; size + 1]; size];
    for (at, task) in reached.iter().enumerate() {
        rows[at][at] += 1.0;
        let total: f64 = next[*task].iter().map(|(_, weight)| weight.max(0.0)).sum();
        for (to, weight) in next[*task].iter().filter(|(_, weight)| *weight > 0.0) {
            if let Some(to) = to.and_then(place) {
                rows[to][at] -= weight / total;
            }
        }
    }
    rows.first_mut()?[size] = 1.0;
    let solved = solve(rows)?;
    // A pass without an end has no finite number of visits, or one that rounding made up.
    if solved.iter().any(|visits| !visits.is_finite() || *visits < 0.0 || *visits > 1e9) {
        return None;
    }
    let mut visits = vec![0.0; next.len()];
    for (task, visited) in reached.into_iter().zip(solved) {
        visits[task] = visited;
    }
    Some(visits)
}

/// The tasks that a pass can come to, the first one first.
fn reached(next: &[Vec<(Option<usize>, f64)>]) -> Vec<usize> {
    let mut reached = Vec::new();
    let mut open: Vec<usize> = (0..next.len().min(1)).collect();
    while let Some(task) = open.pop() {
        if !reached.contains(&task) {
            reached.push(task);
            let follows = next[task].iter().filter(|(_, weight)| *weight > 0.0);
            open.extend(follows.filter_map(|(to, _)| *to));
        }
    }
    reached
}

/// Gauss's elimination, the largest pivot first.
fn solve(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = rows.len();
    for column in 0..size {
        let largest = (column..size)
            .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, largest);
        if rows[column][column].abs() < 1e-12 {
            return None;
        }
        let pivot = rows[column].clone();
        for (number, row) in rows.iter_mut().enumerate() {
            let factor = row[column] / pivot[column];
            if number != column && factor != 0.0 {
                row.iter_mut().zip(&pivot).for_each(|(cell, above)| *cell -= factor * above);
            }
        }
    }
    Some(rows.iter().enumerate().map(|(at, row)| row[size] / row[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::pick;
    use crate::random::Stream;
    use proptest::prelude::*;

    #[test]
    fn a_funnel_loses_its_visitors_from_task_to_task() {
        let next = [
            vec![(Some(1), 80.0), (None, 20.0)],
            vec![(Some(2), 50.0), (None, 50.0)],
            vec![(None, 100.0)],
        ];
        assert_eq!(visits(&next), Some(vec![1.0, 0.8, 0.4]));
    }

    #[test]
    fn a_task_that_may_follow_itself_is_visited_again() {
        assert_eq!(visits(&[vec![(Some(0), 3.0), (None, 1.0)]]), Some(vec![4.0]));
    }

    #[test]
    fn what_no_pass_comes_to_is_not_visited_and_what_has_no_next_ends_it() {
        let next = [vec![(Some(1), 1.0)], vec![], vec![(Some(0), 1.0)]];
        assert_eq!(visits(&next), Some(vec![1.0, 1.0, 0.0]));
    }

    #[test]
    fn a_pass_without_an_end_has_no_number_of_visits() {
        assert_eq!(visits(&[vec![(Some(1), 1.0)], vec![(Some(0), 1.0)]]), None);
        let trap = [vec![(Some(1), 1.0), (None, 1.0)], vec![(Some(1), 1.0)]];
        assert_eq!(visits(&trap), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn visits_are_those_of_many_passes(
            weights in prop::collection::vec(prop::collection::vec(0u8..5, 4), 4),
        ) {
            // Each task may be followed by each, and always by the end.
            let next: Vec<Vec<(Option<usize>, f64)>> = weights
                .iter()
                .map(|row| {
                    let to = row.iter().enumerate().map(|(to, weight)| (Some(to), f64::from(*weight)));
                    to.chain([(None, 5.0)]).collect()
                })
                .collect();
            let mut seen = [0.0; 4];
            let mut stream = Stream::new(7, 0, 0);
            const PASSES: usize = 20_000;
            for _ in 0..PASSES {
                let mut task = Some(0);
                while let Some(at) = task {
                    seen[at] += 1.0 / PASSES as f64;
                    let drawn = pick(next[at].iter().map(|(_, weight)| *weight), &mut stream);
                    task = next[at][drawn.unwrap()].0;
                }
            }
            for (visits, seen) in visits(&next).unwrap().into_iter().zip(seen) {
                prop_assert!((visits - seen).abs() < 0.15, "{visits} {seen}");
            }
        }
    }
}
