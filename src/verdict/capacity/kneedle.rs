//! Owns the knee of a curve: the point from which on more of the one brings less of the other.

/// How a rising curve bends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bend {
    /// It rises ever less, as throughput does with load: a knee.
    Concave,
    /// It rises ever more, as response times do with load: an elbow.
    Convex,
}

/// The knees of a rising curve, as places in `points`, in the order in which they are found when the
/// curve is followed: the first is what the algorithm calls the offline answer, the last is where the
/// online one stands once all has been seen. `points` are of x and y, in the order of x; `sensitivity`
/// is S, how many steps the curve must go on below a knee before it is one (1 is usual).
///
/// ```text
///  y |        _____----     scaled to the unit square, D = y − x; a knee is a local maximum of D
///    |    _●--              from which D falls by S times the mean step of x before it rises again
///    |  /
///    | /
///    +---------------- x
/// ```
///
/// V. Satopää, J. Albrecht, D. Irwin, B. Raghavan, Finding a "Kneedle" in a Haystack (2011), without
/// smoothing, as the Python package `kneed` has it.
#[must_use]
pub fn kneedle(points: &[(f64, f64)], bend: Bend, sensitivity: f64) -> Vec<usize> {
    let count = points.len();
    let (Some(xs), Some(ys)) = (range(points, |point| point.0), range(points, |point| point.1))
    else {
        return Vec::new();
    };
    let scale = |value: f64, (least, most): (f64, f64)| (value - least) / (most - least);
    let unit = points.iter().map(|(x, y)| (scale(*x, xs), scale(*y, ys)));
    // A convex curve is a concave one, turned by half a circle.
    let unit: Vec<(f64, f64)> = match bend {
        Bend::Concave => unit.collect(),
        Bend::Convex => unit.rev().map(|(x, y)| (1.0 - x, 1.0 - y)).collect(),
    };
    let above: Vec<f64> = unit.iter().map(|(x, y)| y - x).collect();
    let inner = 1..count - 1;
    let is_top =
        |at: usize| inner.contains(&at) && above[at] >= above[at - 1] && above[at] >= above[at + 1];
    let is_bottom =
        |at: usize| inner.contains(&at) && above[at] <= above[at - 1] && above[at] <= above[at + 1];
    let mean_step = 1.0 / (count - 1) as f64;
    let mut found = Vec::new();
    let (mut top, mut threshold) = (None, f64::NEG_INFINITY);
    for at in 0..count - 1 {
        if is_top(at) {
            (top, threshold) = (Some(at), above[at] - sensitivity * mean_step);
        }
        if is_bottom(at) {
            threshold = 0.0;
        }
        if let Some(top) = top
            && above[at + 1] < threshold
            && found.last() != Some(&top)
        {
            found.push(top);
        }
    }
    match bend {
        Bend::Concave => found,
        Bend::Convex => found.into_iter().map(|at| count - 1 - at).collect(),
    }
}

/// The least and the most; none of fewer than three points, of no extent or of what is no number.
fn range(points: &[(f64, f64)], part: fn(&(f64, f64)) -> f64) -> Option<(f64, f64)> {
    let least = points.iter().map(part).fold(f64::INFINITY, f64::min);
    let most = points.iter().map(part).fold(f64::NEG_INFINITY, f64::max);
    let sound = points.iter().map(part).all(f64::is_finite);
    (points.len() >= 3 && sound && most > least).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knees(points: &[(f64, f64)], bend: Bend) -> Vec<f64> {
        kneedle(points, bend, 1.0).into_iter().map(|at| points[at].0).collect()
    }

    /// Figure 2 of the paper: y = −1 / (x + 0.1) + 5.
    fn figure_2() -> Vec<(f64, f64)> {
        (0..10).map(|i| f64::from(i) / 9.0).map(|x| (x, -1.0 / (x + 0.1) + 5.0)).collect()
    }

    #[test]
    fn the_knee_of_figure_2_is_at_two_ninths() {
        assert_eq!(knees(&figure_2(), Bend::Concave), [2.0 / 9.0]);
    }

    #[test]
    fn turned_by_half_a_circle_it_is_an_elbow() {
        let turned: Vec<_> = figure_2().iter().rev().map(|(x, y)| (1.0 - x, -y)).collect();
        let elbows = knees(&turned, Bend::Convex);
        assert!(elbows.len() == 1 && (elbows[0] - 7.0 / 9.0).abs() < 1e-12, "{elbows:?}");
    }

    /// A hundred draws of a normal distribution with mean 50 and deviation 10, as `kneed` makes them
    /// (`DataGenerator.noisy_gaussian`, seed 42), for which it finds 65.792 online.
    const GAUSSIAN: [f64; 100] = [
        23.803, 30.124, 30.403, 30.867, 32.370, 32.751, 35.215, 35.365, 35.753, 35.877, 36.718,
        37.792, 38.038, 38.490, 38.937, 39.423, 39.872, 40.920, 41.608, 41.915, 42.802, 42.979,
        43.231, 43.549, 43.983, 43.994, 44.377, 44.556, 44.702, 44.817, 44.982, 45.208, 45.305,
        45.343, 45.366, 45.394, 46.079, 46.149, 46.723, 46.908, 46.989, 47.010, 47.083, 47.654,
        47.658, 47.659, 47.742, 47.803, 48.143, 48.617, 48.844, 49.280, 49.642, 49.865, 50.051,
        50.675, 50.870, 50.918, 50.971, 51.109, 51.714, 51.969, 52.089, 52.420, 52.611, 52.961,
        53.142, 53.241, 53.288, 53.313, 53.436, 53.571, 53.614, 53.616, 53.757, 54.967, 55.133,
        55.426, 56.117, 56.477, 57.385, 57.674, 58.125, 58.219, 58.225, 59.154, 59.313, 59.686,
        59.755, 60.035, 60.310, 60.571, 63.562, 64.656, 64.779, 65.230, 65.380, 65.646, 65.792,
        68.523,
    ];

    #[test]
    fn the_knee_of_a_noisy_gaussian_is_where_kneed_finds_it() {
        let points: Vec<_> =
            GAUSSIAN.iter().enumerate().map(|(i, x)| (*x, i as f64 / 100.0)).collect();
        assert_eq!(knees(&points, Bend::Concave).last(), Some(&65.792));
    }

    #[test]
    fn a_line_and_nothing_have_none() {
        let line: Vec<_> = (0..20).map(|i| (f64::from(i), 3.0 * f64::from(i))).collect();
        let flat: Vec<_> = (0..20).map(|i| (f64::from(i), 3.0)).collect();
        for points in [&line[..], &flat, &line[..2], &[], &[(0.0, f64::NAN); 5]] {
            for bend in [Bend::Concave, Bend::Convex] {
                assert_eq!(kneedle(points, bend, 1.0), [] as [usize; 0]);
            }
        }
    }
}
