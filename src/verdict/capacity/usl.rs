//! Owns the Universal Scalability Law: how throughput grows with load, and where it stops to.

/// Throughput under a load of N by the Universal Scalability Law,
///
/// ```text
/// X(N) = γN / (1 + α(N − 1) + βN(N − 1))
/// ```
///
/// N. Gunther, Guerrilla Capacity Planning (2007), with γ as in the R package `usl`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scalability {
    /// γ: throughput per second under a load of one.
    pub gamma: f64,
    /// α: the share of the work that waits for its turn (contention), 0 to 1.
    pub alpha: f64,
    /// β: what it costs each pair to agree (coherency), from 0.
    pub beta: f64,
}

/// The law, laid through what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The curve.
    pub law: Scalability,
    /// R² = 1 − Σ(y − X)² / Σ(y − ȳ)²: 1 when the curve goes through every point.
    pub r_squared: f64,
    /// The largest |y − X| / y.
    pub worst: f64,
    /// How many points there are beyond the three that any curve goes through.
    pub freedom: usize,
}

/// The curve must go so well through the points to say anything.
const R_SQUARED: f64 = 0.98;
/// It may pass none by more than this share of it.
const WORST: f64 = 0.1;

impl Scalability {
    /// Throughput per second under a load.
    #[must_use]
    pub fn throughput(&self, load: f64) -> f64 {
        self.gamma * load / self.cost(load)
    }

    /// 1 + α(N − 1) + βN(N − 1), which is also how many times as long an answer takes as under a load of one.
    fn cost(&self, load: f64) -> f64 {
        1.0 + self.alpha * (load - 1.0) + self.beta * load * (load - 1.0)
    }

    /// The load under which throughput is highest, √((1 − α)/β). None when it never falls again.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.alpha).max(0.0) / self.beta).sqrt();
        peak.is_finite().then_some(peak)
    }

    /// The gradient of X by γ, α and β.
    fn gradient(&self, load: f64) -> [f64; 3] {
        let cost = self.cost(load);
        let x = self.gamma * load / cost;
        [load / cost, -x * (load - 1.0) / cost, -x * load * (load - 1.0) / cost]
    }
}

impl Fit {
    /// The curve goes close by each point, as it must where there are but three.
    #[must_use]
    pub fn is_close(&self) -> bool {
        self.r_squared >= R_SQUARED && self.worst <= WORST
    }

    /// There are more points than the curve needs, and it goes close by each.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.freedom > 0 && self.is_close()
    }
}

/// Lays the law through points of load and throughput, by the least squares of the throughput with
/// 0 ≤ α ≤ 1 and β ≥ 0. None of fewer than three loads, or of what is no throughput.
#[must_use]
pub fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    let sound =
        |(load, x): &(f64, f64)| load.is_finite() && x.is_finite() && *load > 0.0 && *x >= 0.0;
    let mut loads: Vec<f64> = points.iter().map(|(load, _)| *load).collect();
    loads.sort_unstable_by(f64::total_cmp);
    loads.dedup();
    if loads.len() < 3 || !points.iter().all(sound) {
        return None;
    }
    // A parameter that the bound holds is fixed there, and the others are fitted anew.
    let ways = [[true, true], [true, false], [false, true], [false, false]];
    let fits = ways.into_iter().filter_map(|free| descend(points, start(points, free)?, free));
    let law = fits.min_by(|a, b| squares(points, a).total_cmp(&squares(points, b)))?;
    let mean = points.iter().map(|(_, x)| x).sum::<f64>() / points.len() as f64;
    let around: f64 = points.iter().map(|(_, x)| (x - mean).powi(2)).sum();
    let off = |(load, x): &(f64, f64)| (x - law.throughput(*load)).abs() / x.max(f64::MIN_POSITIVE);
    Some(Fit {
        law,
        r_squared: if around > 0.0 { 1.0 - squares(points, &law) / around } else { 0.0 },
        worst: points.iter().map(off).fold(0.0, f64::max),
        freedom: points.len().saturating_sub(3),
    })
}

fn squares(points: &[(f64, f64)], law: &Scalability) -> f64 {
    points.iter().map(|(load, x)| (x - law.throughput(*load)).powi(2)).sum()
}

/// Where to begin: the law made linear, N/X = 1/γ + α/γ·(N − 1) + β/γ·N(N − 1), by least squares
/// with the weights that those of X would have.
fn start(points: &[(f64, f64)], free: [bool; 2]) -> Option<Scalability> {
    let mut normal = Normal::default();
    for (load, x) in points.iter().filter(|(_, x)| *x > 0.0) {
        let weight = x * x / load;
        let row = [1.0, load - 1.0, load * (load - 1.0)];
        normal.add(row.map(|part| part * weight), load / x * weight);
    }
    let [one, alpha, beta] = normal.solve([true, free[0], free[1]], 0.0)?;
    let gamma = 1.0 / one;
    if gamma.is_finite() && gamma > 0.0 {
        let bound = |part: f64, most: f64| (part * gamma).clamp(0.0, most);
        return Some(Scalability { gamma, alpha: bound(alpha, 1.0), beta: bound(beta, f64::MAX) });
    }
    let best = points.iter().map(|(load, x)| x / load).fold(0.0, f64::max);
    let from = |free: bool, value: f64| if free { value } else { 0.0 };
    (best > 0.0).then(|| Scalability {
        gamma: best,
        alpha: from(free[0], 0.01),
        beta: from(free[1], 1e-5),
    })
}

/// Levenberg and Marquardt's descent from there; none that leaves what is allowed.
fn descend(points: &[(f64, f64)], start: Scalability, free: [bool; 2]) -> Option<Scalability> {
    let (mut law, mut damping) = (start, 1e-3);
    let mut least = squares(points, &law);
    for _ in 0..200 {
        let mut normal = Normal::default();
        for (load, x) in points {
            normal.add(law.gradient(*load), x - law.throughput(*load));
        }
        let Some(step) = normal.solve([true, free[0], free[1]], damping) else { break };
        let next = Scalability {
            gamma: law.gamma + step[0],
            alpha: (law.alpha + step[1]).clamp(0.0, 1.0),
            beta: (law.beta + step[2]).max(0.0),
        };
        let reached = squares(points, &next);
        if next.gamma > 0.0 && reached <= least {
            let is_there = least - reached <= 1e-14 * least;
            (law, least, damping) = (next, reached, (damping / 10.0).max(1e-12));
            if is_there {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    least.is_finite().then_some(law)
}

/// The normal equations of a least-squares problem with three unknowns.
#[derive(Default)]
struct Normal {
    matrix: [[f64; 3]; 3],
    right: [f64; 3],
}

impl Normal {
    fn add(&mut self, row: [f64; 3], value: f64) {
        for i in 0..3 {
            for j in 0..3 {
                self.matrix[i][j] += row[i] * row[j];
            }
            self.right[i] += row[i] * value;
        }
    }

    /// Solves them by elimination, with the diagonal raised by the share `damping`; what is not `free`
    /// comes to 0. The unknowns are scaled first: they are many powers of ten apart.
    fn solve(&self, free: [bool; 3], damping: f64) -> Option<[f64; 3]> {
        let scale: [f64; 3] = std::array::from_fn(|i| self.matrix[i][i].sqrt());
        let used: Vec<usize> = (0..3).filter(|i| free[*i] && scale[*i] > 0.0).collect();
        let mut rows: Vec<Vec<f64>> = used
            .iter()
            .map(|i| {
                let cell = |j: &usize| {
                    let diagonal = if i == j { 1.0 + damping } else { 1.0 };
                    self.matrix[*i][*j] / (scale[*i] * scale[*j]) * diagonal
                };
                used.iter().map(cell).chain([self.right[*i] / scale[*i]]).collect()
            })
            .collect();
        let n = used.len();
        for column in 0..n {
            let pivot = (column..n)
                .max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
            rows.swap(column, pivot);
            if rows[column][column].abs() < 1e-14 {
                return None;
            }
            let pivot = rows[column].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(at, _)| *at != column) {
                let factor = row[column] / pivot[column];
                row.iter_mut().zip(&pivot).for_each(|(cell, from)| *cell -= factor * from);
            }
        }
        let mut solved = [0.0; 3];
        for (at, i) in used.iter().enumerate() {
            solved[*i] = rows[at][n] / rows[at][at] / scale[*i];
        }
        solved.iter().all(|value| value.is_finite()).then_some(solved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the R package `usl`.
    const SPECSDM91: [(f64, f64); 7] = [
        (1.0, 64.9),
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ];

    #[test]
    fn specsdm91_comes_out_as_the_r_package_usl_has_it() {
        let fit = fit(&SPECSDM91).unwrap();
        let Scalability { gamma, alpha, beta } = fit.law;
        let peak = fit.law.peak().unwrap();
        for (got, want) in
            [(alpha, 0.027_728_5), (beta, 0.000_104_4), (gamma, 89.995), (peak, 96.519_56)]
        {
            assert!((got / want - 1.0).abs() < 0.001, "{got} for {want}");
        }
        assert!(fit.r_squared > 0.98 && fit.freedom == 4, "{fit:?}");
        // The first of its points lies far off the curve.
        assert!(fit.worst > 0.3 && !fit.is_good(), "{fit:?}");
    }

    #[test]
    fn a_curve_is_found_again_whatever_its_size() {
        for (gamma, alpha, beta) in
            [(20.0, 0.04, 1e-6), (1000.0, 0.0, 0.0), (0.5, 0.3, 0.0), (9.0, 0.0, 0.001)]
        {
            let law = Scalability { gamma, alpha, beta };
            let points: Vec<_> =
                [10.0, 50.0, 100.0, 500.0].iter().map(|n| (*n, law.throughput(*n))).collect();
            let fit = fit(&points).unwrap();
            assert!((fit.law.gamma / gamma - 1.0).abs() < 1e-4, "{fit:?}");
            assert!((fit.law.alpha - alpha).abs() < 1e-5, "{fit:?}");
            assert!((fit.law.beta - beta).abs() < 1e-7, "{fit:?}");
            assert!(fit.is_good() && fit.law.peak().is_some() == (fit.law.beta > 0.0), "{fit:?}");
        }
    }

    #[test]
    fn too_few_points_or_a_curve_that_does_not_go_by_them_say_nothing() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(1.0, 10.0), (2.0, 19.0), (2.0, 19.5)]), None, "two loads");
        assert_eq!(fit(&[(1.0, 10.0), (2.0, f64::NAN), (3.0, 19.5)]), None);
        assert_eq!(fit(&[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)]), None, "nothing is served");
        let three = fit(&[(1.0, 10.0), (2.0, 19.0), (4.0, 30.0)]).unwrap();
        assert!(three.r_squared > 0.999 && !three.is_good(), "it goes through any three");
        let jumps = [(10.0, 100.0), (20.0, 40.0), (30.0, 300.0), (40.0, 90.0), (50.0, 400.0)];
        assert!(!fit(&jumps).unwrap().is_good());
    }
}
