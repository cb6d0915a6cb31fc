//! Owns the HTML report: one file that fetches nothing, made from the same JSON as `summary.json`.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, HtmlEscape, Value as Field, context};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::page_data::begun;
use super::page_links::Places;
use super::text::capital;
use super::{figures, page_data};
use crate::untrusted::{script_json, visible};

/// The page and what it is put together from, by name.
const PAGES: [(&str, &str); 14] = [
    ("report.html", include_str!("../../templates/report.html")),
    ("report/words.html", include_str!("../../templates/report/words.html")),
    ("report/top.html", include_str!("../../templates/report/top.html")),
    ("report/nav.html", include_str!("../../templates/report/nav.html")),
    ("report/thresholds.html", include_str!("../../templates/report/thresholds.html")),
    ("report/search.html", include_str!("../../templates/report/search.html")),
    ("report/charts.html", include_str!("../../templates/report/charts.html")),
    ("report/names.html", include_str!("../../templates/report/names.html")),
    ("report/failures.html", include_str!("../../templates/report/failures.html")),
    ("report/evidence.html", include_str!("../../templates/report/evidence.html")),
    ("report/asides.html", include_str!("../../templates/report/asides.html")),
    ("report/generator.html", include_str!("../../templates/report/generator.html")),
    ("report/curve.html", include_str!("../../templates/report/curve.html")),
    ("report/again.html", include_str!("../../templates/report/again.html")),
];
const SCRIPT: &str = concat!(
    include_str!("../../templates/charts.js"),
    include_str!("../../templates/report/time.js"),
    include_str!("../../templates/report/plot.js"),
    include_str!("../../templates/report/tables.js"),
    include_str!("../../templates/report/heat.js"),
    include_str!("../../templates/report/charts.js"),
    include_str!("../../templates/report/curve.js"),
    include_str!("../../templates/report/named.js"),
    include_str!("../../templates/report/names.js"),
    include_str!("../../templates/report/links.js"),
    include_str!("../../templates/report/copy.js"),
);
pub(super) const CHART_LIBRARY: &str =
    include_str!("../../templates/vendor/uPlot/uPlot.iife.min.js");
/// Ours last, so that it can say how the charts look.
pub(super) const STYLE: &str = concat!(
    include_str!("../../templates/vendor/uPlot/uPlot.min.css"),
    include_str!("../../templates/report.css"),
);

static POLICY: LazyLock<String> = LazyLock::new(|| policy(STYLE, SCRIPT));

/// What a browser may run and show: this style, this script and the chart library by their hashes, and
/// nothing that must be fetched. The data is no script, so it needs no hash.
pub(super) fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {}; script-src {} {}",
        hash(style),
        hash(CHART_LIBRARY),
        hash(script),
    )
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // A name that ends in `.html` turns escaping on.
    let mut templates = Environment::new();
    for (name, text) in PAGES {
        templates.add_template(name, text).expect("the template is fixed and right");
    }
    templates.add_filter("count", |field: &Field| {
        let whole = u64::try_from(field.clone()).ok();
        whole.map_or_else(dash, figures::count)
    });
    templates.add_filter("ms", |field: &Field| number(field).map_or_else(dash, figures::ms));
    templates.add_filter("rate", |field: &Field| number(field).map_or_else(dash, figures::rate));
    templates.add_filter("share", |field: &Field| number(field).map_or_else(dash, figures::share));
    templates.add_filter("bytes", |field: &Field| number(field).map_or_else(dash, figures::bytes));
    templates.add_filter("seconds", |field: &Field| number(field).map_or_else(dash, figures::span));
    templates.add_filter("capital", |text: &str| capital(text));
    templates.add_filter("visible", |text: &str| visible(&text.replace("\r\n", "\n")).into_owned());
    templates.add_filter("coded", |text: &str| Field::from_safe_string(coded(text)));
    templates.add_filter("calendar", |text: &str| text.replace('T', " ").replace('Z', " UTC"));
    templates
});

/// A sentence as HTML, where what stands between backticks is code. A name in it may hold some as well: only
/// those at the edges of words are taken, and whatever they enclose is escaped.
fn coded(text: &str) -> String {
    let inside = |c: char| c.is_alphanumeric() || c == '`';
    let mut html = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('`') {
        let (plain, code) = (&rest[..at], &rest[at + 1..]);
        before = plain.chars().next_back().or(before);
        let opens = before.is_none_or(|c| c.is_whitespace() || c == '(');
        let ends =
            |(at, _): &(usize, &str)| *at > 0 && !code[at + 1..].chars().next().is_some_and(inside);
        let end = code.match_indices('`').find(ends).filter(|_| opens);
        html += &HtmlEscape(plain).to_string();
        if let Some((end, _)) = end {
            html += &format!("<code>{}</code>", HtmlEscape(&code[..end]));
            rest = &code[end + 1..];
        } else {
            html.push('`');
            rest = code;
        }
        before = Some('`');
    }
    html + &HtmlEscape(rest).to_string()
}

fn number(field: &Field) -> Option<f64> {
    f64::try_from(field.clone()).ok()
}

fn dash() -> String {
    "–".to_owned()
}

/// The page for what [`report`](super::report) gives.
///
/// # Errors
/// The template met a value that it has no place for, which is a bug.
pub fn render(report: &Value) -> Result<String, Error> {
    let json = |value: &Value| {
        serde_json::to_string(value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    };
    let (mark, word) = heading(report);
    let history = page_data::drawn(report);
    let charts = page_data::drawn_charts(report, &history);
    let places = Places::new(report, &charts);
    let exhibits = places.exhibits();
    let page = context! {
        policy => POLICY.as_str(),
        style => STYLE,
        script => SCRIPT,
        chart_library => CHART_LIBRARY,
        data => script_json(&json(&page_data::charts(report, &history))?),
        bands => Serde(page_data::bands(report)),
        tone => report["verdict"]["state"].as_str(),
        mark => mark,
        word => word,
        again => again(&report["run"]),
        charts => Serde(&charts),
        findings => Serde(places.findings()),
        broken => Serde(places.broken()),
        worst => Serde(places.worst()),
        failures => Serde(places.failures(&exhibits)),
        quantiles => Serde(quantiles(report)),
        lasted_s => seconds(&report["run"]["duration_s"]) - begun(report),
        finishing_s => finishing(report),
        is_warmed => seconds(&report["warmup"]["duration_s"]) > 0.0,
        users_most => users_most(report, &history),
        asides => Serde(asides(report)),
        told => told(report),
        warm_told => warm_told(report),
        evidence => Serde(&exhibits),
    };
    TEMPLATES.get_template("report.html")?.render(context! { page, ..Field::from(Serde(report)) })
}

/// The percentiles that people ask for, as far as the number of requests carries them.
fn quantiles(report: &Value) -> Vec<Value> {
    let totals = &report["totals"];
    let requests = totals["requests"].as_f64().unwrap_or_default();
    let named = [
        (0.5, "50%", "p50"),
        (0.75, "75%", "p75"),
        (0.9, "90%", "p90"),
        (0.95, "95%", "p95"),
        (0.99, "99%", "p99"),
        (0.999, "99.9%", "p99_9"),
        (0.9999, "99.99%", "p99_99"),
        (1.0, "all", "max"),
    ];
    let carried = |at: f64| at == 1.0 || (1.0 - at) * requests >= 1.0;
    let told = named.into_iter().filter(|(at, ..)| requests > 0.0 && carried(*at));
    let one = |(_, words, key): (f64, &str, &str)| json!({ "words": words, "response_ms": totals[format!("response_ms_{key}")] });
    told.map(one).collect()
}

/// The most users at once. Those of a search and of arrivals are as many as it took, and not as many as
/// there might have been.
fn users_most(report: &Value, history: &Value) -> u64 {
    let asked = report["run"]["users_peak"].as_u64().unwrap_or_default();
    if report["search"].is_null() && report["run"]["arrivals"].is_null() {
        return asked;
    }
    let users = history["users"].as_array().into_iter().flatten().filter_map(Value::as_f64);
    (users.fold(0.0, f64::max).ceil() as u64).min(asked)
}

/// How long it took at the end to finish what was under way, in seconds.
fn finishing(report: &Value) -> f64 {
    let run = &report["run"];
    // What is measured begins where a part does, and after what is in it of the warm-up.
    let begun = begun(report) + seconds(&report["warmup"]["duration_s"]);
    seconds(&run["duration_s"]) - seconds(&run["loaded_s"]) - begun
}

fn seconds(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// What ran once, with its title.
fn asides(report: &Value) -> Vec<Value> {
    let all = ["before", "after"].into_iter().filter(|name| !report[name].is_null());
    let one =
        |name| json!({ "name": name, "title": figures::aside_title(name), "held": report[name] });
    all.map(one).collect()
}

/// The system told something of the generator.
fn told(report: &Value) -> bool {
    report["generator"].as_object().is_some_and(|all| all.values().any(|one| !one.is_null()))
}

/// It told something while the run warmed up, which the chart of the generator shows.
fn warm_told(report: &Value) -> bool {
    let all = |key: &str| report["warmup"]["history"][key].as_array().into_iter().flatten();
    let keys = ["process_cores", "machine_busy_fraction", "late_ms_p99"];
    keys.into_iter().flat_map(all).any(|one| !one.is_null())
}

/// The verdict in a sign, for the title of the page, and in a word.
fn heading(report: &Value) -> (&'static str, &'static str) {
    match report["verdict"]["state"].as_str() {
        Some("held") => ("✓", "passed"),
        Some("broke") => ("✗", "failed"),
        Some("untrusted") => ("✗", "not to be trusted"),
        Some("stopped") => ("■", "stopped"),
        _ => ("•", "not judged"),
    }
}

/// The command line that draws the same random numbers again.
fn again(run: &Value) -> String {
    let line = run["command_line"].as_str().unwrap_or_default();
    let seeded = line.split(' ').any(|word| word == "--seed" || word.starts_with("--seed="));
    if seeded { line.to_owned() } else { format!("{line} --seed {}", run["seed"]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_library_is_the_one_that_was_published() {
        for (name, text, want) in [
            // uPlot 1.6.32 from npm, `dist/`.
            (
                "uPlot.iife.min.js",
                CHART_LIBRARY,
                "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
            ),
            (
                "uPlot.min.css",
                include_str!("../../templates/vendor/uPlot/uPlot.min.css"),
                "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
            ),
        ] {
            let hash: String =
                Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, want, "{name}");
        }
        assert!(include_str!("../../templates/vendor/uPlot/LICENSE").contains("MIT"));
    }

    #[test]
    fn nothing_in_our_own_scripts_ends_them() {
        for text in [SCRIPT, CHART_LIBRARY] {
            assert!(!text.contains("</script") && !text.contains("<!--"));
        }
        assert!(
            !STYLE.contains("</style") && !STYLE.contains("@import") && !STYLE.contains("url(")
        );
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        for (text, html) in [
            ("`p99 < 2s` had 3", "<code>p99 &lt; 2s</code> had 3"),
            (
                "more `--workers` (`-w`), `a`: `b`",
                "more <code>--workers</code> (<code>-w</code>), <code>a</code>: <code>b</code>",
            ),
            ("</p>`<b>`", "&lt;&#x2f;p&gt;`&lt;b&gt;`"),
            ("`</code><img src=x>`", "<code>&lt;&#x2f;code&gt;&lt;img src=x&gt;</code>"),
            ("of GET /a`b, more `c`", "of GET &#x2f;a`b, more <code>c</code>"),
            ("`x of /a`b` had 3", "<code>x of &#x2f;a`b</code> had 3"),
            ("one ` alone", "one ` alone"),
            ("none `` there", "none `` there"),
            ("`", "`"),
        ] {
            assert_eq!(coded(text), html);
        }
    }

    #[test]
    fn users_at_most_are_those_that_a_search_or_arrivals_took() {
        let most = |search: bool, arrivals: Option<u64>| {
            let run = json!({ "users_peak": 500, "arrivals": arrivals });
            let search = search.then(|| json!({}));
            users_most(
                &json!({ "run": run, "search": search }),
                &json!({ "users": [2, 63.2, null] }),
            )
        };
        assert_eq!([most(true, None), most(false, Some(9)), most(false, None)], [64, 64, 500]);
    }

    #[test]
    fn a_part_takes_no_longer_to_finish_than_the_run() {
        let of = |from: Option<u32>, duration: f64, loaded: f64, warmup: f64| {
            let part = from.map(|from| json!({ "from_s": from }));
            let run = json!({ "duration_s": duration, "loaded_s": loaded, "part": part });
            finishing(&json!({ "run": run, "warmup": { "duration_s": warmup } }))
        };
        assert_eq!([of(None, 63.0, 60.0, 0.0), of(None, 63.0, 50.0, 10.0)], [3.0, 3.0]);
        // After the warm-up, from within it on, and up to before the end of the load.
        assert_eq!([of(Some(40), 63.0, 20.0, 0.0), of(Some(5), 63.0, 50.0, 5.0)], [3.0, 3.0]);
        assert_eq!(of(Some(20), 40.0, 20.0, 0.0), 0.0);
    }

    #[test]
    fn a_run_can_be_repeated_with_its_seed() {
        let line = |text: &str| again(&json!({ "command_line": text, "seed": 7 }));
        assert_eq!(line("throng run p.yaml"), "throng run p.yaml --seed 7");
        assert_eq!(line("throng run p.yaml --seed 7"), "throng run p.yaml --seed 7");
        assert_eq!(line("throng run --seed=7 p.yaml"), "throng run --seed=7 p.yaml");
    }
}
