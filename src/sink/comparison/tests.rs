//! Owns the tests of what is told of a comparison: whole texts, and every width.

use super::*;
use crate::metrics::RequestName;
use crate::sink::text::width_of;
use crate::verdict::compare::{Compared, Doubt, Effect, Extent, Figure, Method, Outcome};

fn compared(figure: Figure, values: [f64; 2], change: [f64; 3], outcome: Outcome) -> Compared {
    let [estimate, low, high] = change;
    let effect = Some(Effect { estimate, low, high, p: 0.001, p_corrected: 0.006 });
    let effect = effect.filter(|_| !matches!(outcome, Outcome::CannotSay(_)));
    Compared { figure, baseline: Some(values[0]), new: Some(values[1]), effect, outcome }
}

const P95: Figure = Figure::Percentile(0.95);

/// One name is slower, one faster, one has too few requests.
fn told() -> Told {
    let name = |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
    let few = Outcome::CannotSay(Doubt::Samples { has: 12, needs: 59 });
    let same = Outcome::NoDifference;
    let all = vec![
        compared(P95, [120.0, 126.4], [1.053, 0.98, 1.13], same),
        compared(Figure::Throughput, [142.3, 141.9], [0.997, 0.99, 1.004], same),
        compared(Figure::ErrorRate, [0.001, 0.0132], [0.0122, 0.004, 0.0204], Outcome::Worse),
    ];
    let names = vec![
        (
            name("GET", "/todos/ [a|b] <i> `x`"),
            vec![
                compared(P95, [120.0, 148.0], [1.233, 1.12, 1.35], Outcome::Worse),
                compared(Figure::ErrorRate, [0.0, 0.0], [0.0, -0.0004, 0.0004], same),
            ],
        ),
        (
            name(
                "POST",
                "/a/rather/long/path/that/goes/on/and/on/and/does/not/end/{id}/soon/at/all",
            ),
            vec![
                compared(P95, [2400.0, 1200.0], [0.5, 0.4, 0.62], Outcome::Better),
                compared(Figure::ErrorRate, [0.0, 0.0], [0.0, -0.0004, 0.0004], same),
            ],
        ),
        (
            name("DELETE", "/todos/{id}\u{1b}[31m"),
            vec![
                compared(P95, [10.0, 12.0], [1.2; 3], few),
                compared(Figure::ErrorRate, [0.0, 0.0], [0.0; 3], few),
            ],
        ),
    ];
    let extent = |runs, seconds| Extent { runs, seconds };
    let comparison = Comparison {
        all,
        names,
        least: 0.05,
        method: Method::Blocks { resamples: 2000 },
        sides: [extent(1, 120), extent(1, 110)],
    };
    let point = |from_s: u32| Point {
        from_s,
        requests_per_s: 10.0,
        failures_per_s: 0.0,
        p50_ms: Some(5.0),
        p95_ms: (from_s > 0).then_some(7.0),
    };
    let side = |name: &str| Side {
        name: name.into(),
        runs: vec![(name.into(), vec![point(0), point(2), point(4)])],
    };
    Told {
        comparison,
        baseline: side("results/before"),
        new: side("results/</script>"),
        untrusted: Vec::new(),
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn the_text_is_whole_and_fits_eighty_columns() {
    insta::assert_snapshot!(plain(&text(&told(), Some(80))), @r##"
    Baseline: results/before (1 run of 2m)
    New:      results/</script> (1 run of 1m50s)

                  baseline      new   change        interval
    All requests
      p95            120ms    126ms    +5.3%     -2% to +13%  = no difference shown
      requests/s   142.3/s  141.9/s    -0.3%    -1% to +0.4%  = no difference shown
      error rate      0.1%    1.32%  +1.2 pt      +0.4 to +2  ✗ worse
    GET /todos/ [a|b] <i> `x`
      p95            120ms    148ms     +23%    +12% to +35%  ✗ worse
      error rate        0%       0%     0 pt  -0.04 to +0.04  = no difference shown
    POST /a/rather/long/path/that/goes/on/and/on/and/does/not/end/{id}/soon/at/all
      p95            2.40s    1.20s     -50%    -60% to -38%  ✓ better
      error rate        0%       0%     0 pt  -0.04 to +0.04  = no difference shown
    DELETE /todos/{id}␛[31m
      p95           10.0ms   12.0ms        –               –  ? cannot say [1]
      error rate        0%       0%        –               –  ? cannot say [1]

    [1] 12 requests are too few; it takes 59 on each side

    Requests of one second are alike, so blocks of seconds were drawn, each a tenth
    of its run, 2,000 times a run.
    Intervals are of 95%, each by itself. Better or worse is what differs at 5%
    after Holm's correction for 7 figures, by 5% or more; an error rate by 0.1
    points besides.
    One run a side does not tell how runs differ from each other: several tell more.

    Worse: the error rate of all requests is 1.2 points higher (0.4 to 2 points). 1
    more figure is worse, 1 better.
    "##);
}

#[test]
fn a_terminal_of_any_width_shows_every_outcome() {
    for width in 44..120 {
        let text = plain(&text(&told(), Some(width)));
        let wide = text.lines().find(|line| width_of(line) > usize::from(width));
        assert_eq!(wide, None, "{width}");
        for word in ["✗ worse", "✓ better", "= no difference shown", "? cannot say [1]", "+23%"]
        {
            assert!(text.contains(word), "{width}: {word}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
    let [narrow, wide] = [60, 100].map(|width| plain(&text(&told(), Some(width))));
    assert!(!narrow.contains("+12% to +35%") && wide.contains("+12% to +35%"));
}

#[test]
fn the_markdown_is_whole_and_names_are_no_markup() {
    insta::assert_snapshot!(markdown(&told()), @r##"
    ## ❌ Compared with the baseline: worse

    Worse: the error rate of all requests is 1.2 points higher (0.4 to 2 points). 1 more figure is worse, 1 better.

    | of | figure | baseline | new | change | 95% interval | |
    |:--|:--|--:|--:|--:|:-:|:--|
    | all requests | p95 | 120ms | 126ms | +5.3% | -2% to +13% | = no difference shown |
    |  | requests/s | 142.3/s | 141.9/s | -0.3% | -1% to +0.4% | = no difference shown |
    |  | error rate | 0.1% | 1.32% | +1.2 pt | +0.4 to +2 | **✗ worse** |
    | `` GET /todos/ [a\|b] <i> `x` `` | p95 | 120ms | 148ms | +23% | +12% to +35% | **✗ worse** |
    |  | error rate | 0% | 0% | 0 pt | -0.04 to +0.04 | = no difference shown |
    | `POST /a/rather/long/path/that/goes/on/and/on/and/does/not/end/{id}/soon/at/all` | p95 | 2.40s | 1.20s | -50% | -60% to -38% | **✓ better** |
    |  | error rate | 0% | 0% | 0 pt | -0.04 to +0.04 | = no difference shown |
    | `DELETE /todos/{id}␛[31m` | p95 | 10.0ms | 12.0ms | – | – | ? cannot say: 12 requests are too few; it takes 59 on each side |
    |  | error rate | 0% | 0% | – | – | ? cannot say: 12 requests are too few; it takes 59 on each side |

    Baseline: `results/before`, 1 run of 2m; new: `results/</script>`, 1 run of 1m50s.

    Requests of one second are alike, so blocks of seconds were drawn, each a tenth of its run, 2,000 times a run. Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's correction for 7 figures, by 5% or more; an error rate by 0.1 points besides. One run a side does not tell how runs differ from each other: several tell more.
    "##);
}

#[test]
fn the_json_holds_figures_with_their_units() {
    let json = json(&told());
    insta::assert_snapshot!(format!("{:#}", json["names"][0]["figures"]), @r##"
    [
      {
        "figure": "p95",
        "baseline_ms": 120.0,
        "new_ms": 148.0,
        "change_ratio": 1.233,
        "change_ratio_low": 1.12,
        "change_ratio_high": 1.35,
        "p_value": 0.001,
        "p_value_corrected": 0.006,
        "outcome": "worse",
        "reason": null,
        "baseline_text": "120ms",
        "new_text": "148ms",
        "change_text": "+23%",
        "interval_text": "+12% to +35%",
        "outcome_text": "✗ worse"
      },
      {
        "figure": "error rate",
        "baseline_fraction": 0.0,
        "new_fraction": 0.0,
        "change_difference_fraction": 0.0,
        "change_difference_fraction_low": -0.0004,
        "change_difference_fraction_high": 0.0004,
        "p_value": 0.001,
        "p_value_corrected": 0.006,
        "outcome": "no_difference",
        "reason": null,
        "baseline_text": "0%",
        "new_text": "0%",
        "change_text": "0 pt",
        "interval_text": "-0.04 to +0.04",
        "outcome_text": "= no difference shown"
      }
    ]
    "##);
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    let want = ["throng", "verdict", "baseline", "new", "method", "totals", "names", "courses"];
    assert_eq!(keys, want);
    assert_eq!(json["verdict"]["state"], "worse");
    assert_eq!(json["names"][2]["figures"][0]["change_ratio"], serde_json::Value::Null);
    assert_eq!(json["courses"]["new"][0]["response_ms_p95"], serde_json::json!([null, 7.0, 7.0]));
}

#[test]
fn the_page_shows_all_and_nothing_from_outside_ends_its_script() {
    let page = render(&json(&told())).unwrap();
    assert!(page.len() < 3 * 1024 * 1024);
    for text in [
        "<h1>results&#x2f;&lt;&#x2f;script&gt;",
        "&#x2f;todos&#x2f; [a|b] &lt;i&gt;",
        "✗ worse",
        "? cannot say <small>12 requests are too few",
        "+12% to +35%",
        r#""name":"results/\u003c/script\u003e""#,
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("</script").count(), 3);
    let fetches = ["http://", "https://", "src=", "@import", "url("];
    // The chart library names the namespace of SVG, and its own page.
    let own = page.replace(crate::sink::html::CHART_LIBRARY, "");
    assert!(fetches.iter().all(|fetch| !own.contains(fetch)));
}

#[test]
fn the_verdict_is_one_sentence_of_what_matters_most() {
    let mut told = told();
    let sentence = |told: &Told| words::sentence(&told.comparison);
    assert_eq!(
        sentence(&told),
        "Worse: the error rate of all requests is 1.2 points higher (0.4 to 2 points). \
         1 more figure is worse, 1 better."
    );
    told.comparison.all.pop();
    assert_eq!(
        sentence(&told),
        "Worse: p95 of GET /todos/ [a|b] <i> `x` is 23% higher (12 to 35%). 1 figure is better."
    );
    told.comparison.names.remove(0);
    let long = told.comparison.names[0].0.name.clone();
    assert_eq!(
        sentence(&told),
        format!(
            "Better: p95 of POST {long} is 50% lower (38 to 60%). Nothing is shown to be worse."
        )
    );
    told.comparison.names.remove(0);
    assert_eq!(
        sentence(&told),
        "No difference shown: of 4 figures 2 could be judged, and none of them changed by 5% or \
         more beyond chance."
    );
    told.comparison.all.clear();
    assert_eq!(sentence(&told), "Cannot say: 12 requests are too few; it takes 59 on each side.");
    assert_eq!(State::of(&told.comparison), State::CannotSay);
}

/// What 4 runs a side cannot judge, though it is measured.
fn unjudged(figure: Figure, values: [f64; 2], change: [f64; 3]) -> Compared {
    let few = Doubt::Figures { judged: 1, all: 17, needs: 7 };
    let one = compared(figure, values, change, Outcome::NoDifference);
    Compared { outcome: Outcome::CannotSay(few), ..one }
}

#[test]
fn what_looks_worse_and_cannot_be_judged_is_no_pass() {
    let mut told = told();
    let comparison = &mut told.comparison;
    comparison.names.truncate(1);
    comparison.names[0].0.name = "rare".to_owned();
    comparison.method = Method::Ranks;
    comparison.all = vec![compared(P95, [9.0, 9.0], [1.0, 0.99, 1.01], Outcome::NoDifference)];
    let mut said = String::new();
    for (figure, values, change) in [
        (Figure::Percentile(0.5), [10.0, 10.3], [1.03, 1.01, 1.2]),
        (Figure::Throughput, [10.0, 12.0], [1.2, 1.1, 1.3]),
        (Figure::ErrorRate, [0.0, 0.0009], [0.0009, 0.0008, 0.0011]),
        (Figure::ErrorRate, [0.1, 0.104], [0.004, 0.003, 0.008]),
        (Figure::Throughput, [10.0, 8.0], [0.8, 0.7, 0.9]),
        (Figure::Throughput, [10.0, 5.0], [0.5, 0.4, 0.6]),
        (Figure::ErrorRate, [0.0, 0.02], [0.02, 0.01, 0.03]),
        (Figure::Percentile(0.5), [10.0, 27.0], [2.7, 2.44, 3.23]),
    ] {
        told.comparison.names[0].1 =
            vec![unjudged(figure, values, change), unjudged(P95, [9.0, 9.0], [1.0, 0.9, 1.1])];
        let state = State::of(&told.comparison);
        said += &format!("{}: {}\n", state.id(), words::sentence(&told.comparison));
    }
    insta::assert_snapshot!(said, @r##"
    no_difference: No difference shown: of 3 figures 1 could be judged, and none of them changed by 5% or more beyond chance.
    no_difference: No difference shown: of 3 figures 1 could be judged, and none of them changed by 5% or more beyond chance.
    no_difference: No difference shown: of 3 figures 1 could be judged, and none of them changed by 5% or more beyond chance.
    no_difference: No difference shown: of 3 figures 1 could be judged, and none of them changed by 5% or more beyond chance.
    no_difference: No difference shown: of 3 figures 1 could be judged, and none of them changed by 5% or more beyond chance.
    cannot_say: Cannot say of 2 figures: too few runs; requests per second of GET rare are 50% lower (40 to 60%), which 7 runs a side could judge.
    cannot_say: Cannot say of 2 figures: too few runs; the error rate of GET rare is 2 points higher (1 to 3 points), which 7 runs a side could judge.
    cannot_say: Cannot say of 2 figures: too few runs; p50 of GET rare is 170% higher (144 to 223%), which 7 runs a side could judge.
    "##);
    // What is better beside it does not make up for it, but what is worse comes first.
    told.comparison.all[0].outcome = Outcome::Better;
    assert_eq!(State::of(&told.comparison), State::CannotSay);
    assert!(words::sentence(&told.comparison).ends_with("could judge. 1 figure is better."));
    let page = render(&json(&told)).unwrap();
    assert!(page.contains("</span> of 2 figures: too few runs; p50 of GET rare is"));
    told.comparison.all[0].outcome = Outcome::Worse;
    assert_eq!(State::of(&told.comparison), State::Worse);
}

#[test]
fn a_name_that_one_side_alone_has_is_said() {
    let mut told = told();
    let comparison = &mut told.comparison;
    comparison.all = vec![compared(P95, [9.0, 6.0], [0.66, 0.6, 0.7], Outcome::Better)];
    let only = |doubt: Doubt, comparison: &mut Comparison, at: usize| {
        comparison.names[at].0.name = format!("/{at}");
        comparison.names[at].1 =
            vec![compared(P95, [9.0, 9.0], [1.0; 3], Outcome::CannotSay(doubt)); 2];
    };
    comparison.names.truncate(2);
    only(Doubt::OnlyNew, comparison, 0);
    comparison.names[1].1.clear();
    let second = comparison.names.remove(1);
    let said = |comparison: &Comparison| {
        format!("{}: {}\n", State::of(comparison).id(), words::sentence(comparison))
    };
    let mut all = said(comparison);
    comparison.names.push(second);
    only(Doubt::OnlyBaseline, comparison, 1);
    all += &said(comparison);
    comparison.all[0].outcome = Outcome::Worse;
    all += &said(comparison);
    only(Doubt::OnlyBaseline, comparison, 0);
    all += &said(comparison);
    insta::assert_snapshot!(all, @r##"
    better: Better: p95 of all requests is 34% lower (30 to 40%). Nothing is shown to be worse. Only the new side sent GET /0.
    cannot_say: Cannot say: the new side never sent POST /1. 1 figure is better. Only the new side sent GET /0.
    worse: Worse: p95 of all requests is 34% lower (30 to 40%). The new side never sent POST /1. Only the new side sent GET /0.
    worse: Worse: p95 of all requests is 34% lower (30 to 40%). The new side never sent GET /0 and 1 more name.
    "##);
}

#[test]
fn the_method_says_only_what_was_done() {
    let mut told = told();
    told.comparison.method = Method::Ranks;
    told.comparison.all.clear();
    told.comparison.names.drain(..2);
    assert_eq!(
        words::method(&told),
        [
            "Runs were compared by their ranks (Mann-Whitney), the change is the median of all pairs of \
             runs (Hodges-Lehmann): it need not be the ratio of the two figures beside it."
        ]
    );
}

#[test]
fn a_small_p_value_is_not_zero() {
    let mut told = told();
    let effect = told.comparison.all[0].effect.as_mut().unwrap();
    (effect.p, effect.p_corrected) = (1.23456e-12, 0.0);
    let json = json(&told);
    let figure = &json["totals"]["figures"][0];
    assert_eq!([&figure["p_value"], &figure["p_value_corrected"]], [1.23e-12, 0.0]);
}

#[test]
fn github_gets_an_error_when_something_is_worse_alone() {
    let mut told = told();
    told.comparison.all.clear();
    told.comparison.names[0].0.name = "/100%\n::error::x".to_owned();
    assert_eq!(
        annotation(&told).unwrap(),
        "::error title=throng%3A worse::Worse: p95 of GET /100%25␊::error::x is 23%25 higher (12 to \
         35%25). 1 figure is better.\n"
    );
    told.comparison.names.remove(0);
    assert_eq!(annotation(&told), None);
}
