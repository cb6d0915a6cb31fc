//! Owns holding the statistics against SciPy's: `tests/peers/scipy/tables.json`, which
//! `tables.py` beside it writes.

use std::time::Duration;

use serde_json::Value;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::blocks::draw;
use super::figure::Figure;
use super::judge::holm;
use super::ranks::{mann_whitney, shift};
use super::series::{Second, Series};
use crate::metrics::Timing;

fn tables() -> Value {
    let text = include_str!("../../../tests/peers/scipy/tables.json");
    serde_json::from_str(text).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
}

fn assert_near(got: f64, want: f64, within: f64, what: &Value) {
    assert!((got - want).abs() <= within, "{got} for {want}: {what}");
}

#[test]
fn ranks_are_those_of_scipy() {
    for case in tables()["ranks"].as_array().unwrap() {
        let (one, other) = (list(&case["one"]), list(&case["other"]));
        let p = mann_whitney(&one, &other);
        assert_near(p, case["p"].as_f64().unwrap(), 1e-9, case);
        let (estimate, low, high) = shift(&one, &other);
        for (got, want) in [estimate, low, high].into_iter().zip(list(&case["shift"])) {
            assert_near(got, want, 1e-9, case);
        }
        // Turned round, all is the same but for the sign.
        let turned = shift(&other, &one);
        assert_eq!((p, turned.0), (mann_whitney(&other, &one), -estimate));
        assert_eq!((turned.1, turned.2), (-high, -low));
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    for case in tables()["holm"].as_array().unwrap() {
        for (got, want) in holm(&list(&case["values"])).into_iter().zip(list(&case["corrected"])) {
            assert_near(got, want, 1e-9, case);
        }
    }
}

#[test]
fn the_t_distribution_is_that_of_scipy() {
    for case in tables()["students"].as_array().unwrap() {
        let [freedom, t, p, half] =
            ["freedom", "t", "p", "half"].map(|key| case[key].as_f64().unwrap());
        let student = StudentsT::new(0.0, 1.0, freedom).unwrap();
        assert_near(2.0 * student.sf(t), p, 1e-9, case);
        assert_near(student.inverse_cdf(0.975), half, 1e-6, case);
    }
}

/// Blocks of one second are the ordinary bootstrap.
#[test]
fn draws_of_single_seconds_spread_as_those_of_scipy() {
    for case in tables()["bootstraps"].as_array().unwrap() {
        let (requests, failed) = (list(&case["requests"]), list(&case["failed"]));
        let mut series = Series::default();
        for (at, times) in case["times_us"].as_array().unwrap().iter().enumerate() {
            let mut timing = Timing::default();
            list(times).iter().for_each(|us| timing.record(Duration::from_micros(*us as u64)));
            let (requests, failed) = (requests[at] as u64, failed[at] as u64);
            series.push(&Second { requests, failed, times: timing });
        }
        let figures = [
            ("p50", Figure::Percentile(0.5)),
            ("p95", Figure::Percentile(0.95)),
            ("throughput", Figure::Throughput),
            ("error_rate", Figure::ErrorRate),
        ];
        let drawn = draw(series.whole(), &figures.map(|(_, figure)| figure), 1, 4000);
        for ((key, _), mut drawn) in figures.into_iter().zip(drawn) {
            let want = |what: &str| case[key][what].as_f64().unwrap();
            let deviation = want("deviation");
            drawn.sort_unstable_by(f64::total_cmp);
            // Of 4,000 draws the ends are known to 0.05 deviations; of times to a five hundredth.
            for (got, want) in [(drawn[100], want("low")), (drawn[3899], want("high"))] {
                assert!((got - want).abs() < 0.2 * deviation + 0.002, "{key}: {got} for {want}");
            }
            let mean = drawn.iter().sum::<f64>() / 4000.0;
            let squares: f64 = drawn.iter().map(|value| (value - mean).powi(2)).sum();
            let ratio = (squares / 3999.0).sqrt() / deviation;
            assert!((0.94..1.06).contains(&ratio), "{key}: {ratio}");
        }
    }
}
