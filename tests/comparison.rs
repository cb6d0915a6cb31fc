//! Owns the pages that comparisons are looked at on: written to `target/tmp/comparisons` for the browser's
//! tests, and checked here as text.

use std::path::PathBuf;
use std::time::Duration;

use throng::metrics::{RequestName, Timing};
use throng::sink::comparison::{Side, Told, json, render};
use throng::verdict::compare::{Asked, Run, Second, Series, compare};

/// A run of one name, whose times and counts go up and down in a way that is always the same.
fn run(seconds: u32, slower: f64, name: &str) -> Run {
    let mut all = Series::default();
    for at in 0..seconds {
        let mut times = Timing::default();
        let requests = 20 + u64::from(at % 5);
        for k in 0..requests {
            let ms = slower * (20.0 + f64::from(at % 7) + (k * k % 97) as f64);
            times.record(Duration::from_secs_f64(ms / 1e3));
        }
        all.push(&Second { requests, failed: u64::from(at % 11 == 0), times });
    }
    let name = RequestName { method: "GET".into(), name: name.into() };
    Run { names: vec![(name, all.clone())], all }
}

fn page(title: &str, baseline: &[Run], new: &[Run]) -> String {
    let asked = Asked { resamples: 200, ..Asked::default() };
    let side = |name: String, runs: &[Run]| Side {
        runs: runs.iter().map(|run| (name.clone(), run.all.course())).collect(),
        name,
    };
    let told = Told {
        untrusted: Vec::new(),
        comparison: compare(baseline, new, &asked),
        baseline: side(format!("results/{title}-before"), baseline),
        new: side(format!("results/{title}-after"), new),
    };
    render(&json(&told)).unwrap()
}

#[test]
fn pages_of_every_kind_are_written_for_the_browser() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("comparisons");
    std::fs::create_dir_all(&folder).unwrap();
    let hostile = "/</script><img src=x onerror=alert(1)>";
    let several = |slower: f64| -> Vec<Run> {
        (0..6).map(|n| run(60, slower * (1.0 + 0.004 * f64::from(n)), "/todos/")).collect()
    };
    for (name, pill, page) in [
        ("worse", "worse", page("worse", &[run(90, 1.0, hostile)], &[run(120, 1.3, hostile)])),
        ("better", "better", page("better", &several(1.3), &several(1.0))),
        (
            "same",
            "no difference shown",
            page("same", &[run(3000, 1.0, "/")], &[run(3000, 1.01, "/")]),
        ),
        ("short", "cannot say", page("short", &[run(1, 1.0, "/")], &[run(0, 1.0, "/")])),
    ] {
        assert!(page.contains(&format!("<span class=\"pill\">{pill}</span>")), "{name}");
        assert_eq!(page.matches("</script").count(), 3, "{name}");
        assert!(!page.contains("<img"), "{name}");
        assert!(page.len() < 3 << 20, "{name}");
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
