//! Owns the pages that the report is looked at on: runs of every kind, made without a clock or a
//! socket, written to `target/tmp/reports` for the browser's tests and checked here as text.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use throng::control::StopReason;
use throng::event::{Again, Aside, Closing, Ended, Found, Started, Steered};
use throng::load::{Profile, Span, Steps};
use throng::metrics::{
    Answer, Body, Catalogue, Evidence, Exchange, Failure, Fault, Head, Interval, Mark, RequestName,
    Seen, Sent, Shown, Summary,
};
use throng::sink::{html, report};
use throng::verdict::{Of, Threshold, Verdict, judge, validity};

#[path = "report/machine.rs"]
mod machine;
#[path = "report/searched.rs"]
mod searched;
#[path = "report/served.rs"]
mod served;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// A run to make a report of.
struct Run {
    title: &'static str,
    plan: &'static str,
    names: Vec<RequestName>,
    seconds: Vec<Interval>,
    lasted: Duration,
    thresholds: &'static [&'static str],
    stopped: Option<StopReason>,
    stopped_by: Option<&'static str>,
    insecure: bool,
    /// Seconds at the start that are left out.
    warmup: usize,
    /// The part of it that is shown, when it is not all.
    part: Option<(u32, u32)>,
    asides: Vec<Interval>,
    steered: Vec<Steered>,
    evidence: Option<Evidence>,
    /// What it was made to find.
    search: Option<Found>,
    /// The stages of its load, when they are not up, held and down.
    spans: Option<Vec<Span>>,
    /// What a diagnosis of it says.
    findings: Value,
    /// Each of its names, and each of its failures, stands in the results so often, as others.
    times: usize,
}

impl Run {
    fn new(title: &'static str, seconds: Vec<Interval>) -> Self {
        let lasted = Duration::from_secs(seconds.len() as u64);
        let names = names([("GET", "/todos/"), ("POST", "/todos/ [POST - Create]")]);
        let thresholds: &[_] = &["p95 < 500ms", "error_rate < 1%", "rps > 1"];
        let plan = "users: {}\n";
        Self {
            title,
            plan,
            names,
            seconds,
            lasted,
            thresholds,
            stopped: None,
            stopped_by: None,
            insecure: false,
            warmup: 0,
            part: None,
            asides: vec![],
            steered: vec![],
            evidence: None,
            search: None,
            spans: None,
            findings: Value::Null,
            times: 1,
        }
    }

    fn html(&self) -> String {
        let catalogue = Catalogue {
            names: self.names.clone(),
            groups: vec!["checkout".into(), "log in </table>".into()],
            texts: vec![
                "expect: $.completed equals true".into(),
                "expect: $.items has length 1 or more".into(),
            ],
            ..Catalogue::default()
        };
        let folded = |seconds: &[Interval]| {
            let mut summary = Summary::new(catalogue.clone());
            // As many are asked for as there are in the steps, which are slow to fill.
            let asked = |second: &Interval| {
                (second.users() * if second.from_s % 60 < 3 { 1.1 } else { 1.0 }).round() as u32
            };
            seconds.iter().for_each(|second| summary.add_asked(second, asked(second)));
            summary
        };
        let (from, to) = self.part.unwrap_or((0, u32::MAX));
        let shown = self.seconds.iter().filter(|one| (from..to).contains(&one.from_s));
        let shown: Vec<_> = shown.cloned().collect();
        let lasted = self.lasted.min(Duration::from_secs(to.into()));
        let (warm, measured) = shown.split_at(self.warmup);
        let warmed = Duration::from_secs(warm.len() as u64);
        let mut summary = folded(measured);
        let begun = warmed + Duration::from_secs(from.into());
        (summary.duration, summary.loaded) = (lasted, lasted - begun);
        let mut warm = folded(warm);
        (warm.duration, warm.loaded) = (begun, warmed);
        let warmup = (self.warmup > 0).then_some(&warm);
        let asides: Vec<_> = ["before", "after"]
            .into_iter()
            .zip(&self.asides)
            .map(|(name, held)| Aside { name, summary: folded(std::slice::from_ref(held)) })
            .collect();
        let mut thresholds: Vec<Threshold> =
            self.thresholds.iter().map(|text| Threshold::parse(text).unwrap()).collect();
        if !self.asides.is_empty() {
            let of = |of, text| Threshold { of: Some(of), ..Threshold::parse(text).unwrap() };
            thresholds.push(of(Of::Group("checkout".into()), "p95 < 2s"));
            thresholds.push(of(Of::Class("Buyer".into()), "p95 < 2s"));
        }
        let verdict = Verdict {
            thresholds: thresholds.iter().map(|one| judge(one, &summary)).collect(),
            validity: validity(&summary, 0, 0),
        };
        let at: jiff::Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let started = Started {
            plan_name: self.title.to_owned(),
            plan_file: "plans/shop.yaml".into(),
            plan_text: self.plan.to_owned(),
            plan_format: "yaml".into(),
            profile: "profile load".into(),
            target: "https://127.0.0.1:8000".into(),
            insecure: self.insecure,
            seed: 7,
            os: "linux x86_64".into(),
            workers: 2,
            users_peak: 50,
            search: self.search.as_ref().map(|found| found.searching.clone()),
            baseline: None,
            planned: self.lasted,
            warmup: Duration::ZERO,
            iterations: None,
            spans: self.spans.clone().unwrap_or_else(|| {
                Profile::plateau(50, self.lasted / 10, self.lasted * 8 / 10, self.lasted / 10)
                    .spans()
            }),
            fail_on_error: false,
            labels: vec![("commit".into(), "1a2b3c".into())],
            command_line: "throng run plans/shop.yaml".into(),
            at,
            catalogue,
            thresholds,
            out: "report.html".into(),
        };
        let part = self.part.is_some();
        let again = part.then_some(Again { records: 1, cut_off: 0, part: self.part });
        let (stopped, exit_code) = (self.stopped, 0);
        let (asides, verdict) = (&asides[..], &verdict);
        let ended = Ended {
            findings: &[],
            summary: &summary,
            warmup,
            asides,
            evidence: self.evidence.as_ref(),
            verdict,
            stopped,
            steered: &self.steered,
            search: self.search.as_ref(),
            stopped_by: self.stopped_by,
            exit_code,
            at,
            closing: &Closing::default(),
            again: again.as_ref(),
        };
        let mut report = report(&started, &ended);
        report["findings"] = self.findings.clone();
        for key in ["names", "failures"] {
            let Value::Array(all) = &mut report[key] else { continue };
            let of = |time: usize, one: &Value| {
                let name = one["name"].as_str().unwrap();
                let mut other = one.clone();
                other["name"] = format!("{name}{}", "'".repeat(time)).into();
                other
            };
            *all =
                (0..self.times).flat_map(|time| all.iter().map(move |one| of(time, one))).collect();
        }
        html::render(&report).unwrap()
    }
}

fn names<const N: usize>(names: [(&str, &str); N]) -> Vec<RequestName> {
    let one =
        |(method, name): (&str, &str)| RequestName { method: method.into(), name: name.into() };
    names.into_iter().map(one).collect()
}

/// A second with `each` requests of every name, whose times grow with the second and the name.
fn second(at: u32, names: u16, each: u64) -> Interval {
    let mut interval = Interval::second(at);
    interval.user_seconds = u64::from(at.min(50));
    for name in 0..names {
        let stats = interval.names.entry(name).or_default();
        for k in 0..each {
            let ms = 5 + u64::from(name % 7) * 3 + u64::from(at) % 40 + k * k;
            stats.response_ok.record(MS(ms));
            stats.service.record(MS(ms));
        }
        stats.body_bytes = each * 512;
        interval.issued += each;
    }
    interval
}

fn failing(at: u32, failures: &[(Failure, u64)]) -> Interval {
    let mut interval = Interval::second(at);
    interval.user_seconds = 20;
    for (failure, count) in failures {
        let stats = interval.names.entry(0).or_default();
        (0..*count).for_each(|_| stats.response_failed.record(MS(3)));
        let ms = u64::from(at) * 1000;
        stats.failures.push((
            *failure,
            Seen { count: *count, first_ms: ms, last_ms: ms + 900, ..Seen::default() },
        ));
        interval.issued += count;
    }
    interval
}

/// Some of all that is in no table of requests.
fn flowing(at: u32) -> Interval {
    let mut interval = second(at, 2, 4);
    let failure = Failure::Rule(u32::from(at.is_multiple_of(2)));
    let mut broken = failing(at, &[(failure, 2)]);
    let seen = &mut broken.names.get_mut(&0).unwrap().failures[0].1;
    seen.examples = vec![
        "<b>false</b>".into(),
        "null".into(),
        "a text of some length ".repeat(3).trim_end().into(),
    ];
    interval.merge(&broken);
    for group in 0..2 {
        let stats = interval.groups.entry(group).or_default();
        (1..9).for_each(|k| stats.response_ok.record(MS(k * 90 + u64::from(group) * 400)));
        stats.response_failed.record(MS(70));
    }
    (interval.retries, interval.not_started, interval.unrecorded) = (3, 1, 2);
    interval
}

/// `before` and `after`: the second went wrong.
fn once() -> Vec<Interval> {
    let mut after = failing(0, &[(Failure::Status(500), 1)]);
    after.exceptions.insert("there is no `id` yet".into(), 1);
    vec![second(0, 2, 1), after]
}

/// An exchange of this series that failed so, or succeeded.
fn exchange(series: u16, failure: Option<Failure>, at_ms: u64) -> Exchange {
    let body = |shown: Shown| Body { bytes: 9000, shown };
    let line = |name: &str, value: &str| format!("{name}: {value}");
    let head = Head {
        lines: vec![line("Host", "127.0.0.1:8000"), line("Authorization", "Bearer ***")],
        cut: false,
    };
    let text = "{\"note\": \"it's <b>a text</b> of some length\"}".repeat(20);
    let status = match failure {
        Some(Failure::Status(status)) => status,
        _ => 200,
    };
    Exchange {
        mark: Mark { series, failure, at_us: at_ms * 1000, response_us: 12_345 + at_ms, user: 3 },
        seen: (status == 200 && failure.is_some()).then(|| "<b>false</b>".to_owned()),
        service_us: Some(12_000),
        class: "Buyer".into(),
        iteration: 4,
        attempts: 1 + u32::from(status == 503),
        redirects: u8::from(status == 404),
        request: Sent {
            method: "POST".into(),
            url: format!("https://127.0.0.1:8000/todos/?token=***&at={at_ms}"),
            head: head.clone(),
            cookies_changed: status == 503,
            body: Body { bytes: text.len() as u64, shown: Shown::Whole(text.clone()) },
            options: vec!["--insecure".into()],
        },
        answer: (!matches!(failure, Some(Failure::Fault(_)))).then(|| Answer {
            status,
            head: failure.map(|_| head),
            body: body(match status {
                503 => Shown::Beginning(text),
                404 => Shown::NotText,
                _ => Shown::NotKept,
            }),
        }),
    }
}

fn exhibits(exchanges: impl IntoIterator<Item = Exchange>) -> Option<Evidence> {
    let mut evidence = Evidence::default();
    exchanges.into_iter().for_each(|exchange| _ = evidence.take(&exchange));
    Some(evidence)
}

const RUNS: [&str; 24] = [
    "all_failed",
    "day",
    "empty",
    "evidence",
    "few_failures",
    "flows",
    "full_machine",
    "hostile",
    "idle_machine",
    "kinds",
    "late",
    "long",
    "many_names",
    "mixed",
    "one_second",
    "overrun",
    "part",
    "rare",
    "search",
    "steps",
    "stopped",
    "tls",
    "unjudged",
    "warm_only",
];

fn run(name: &str) -> Run {
    let failures = [
        (Failure::Fault(Fault::ConnectRefused), 40),
        (Failure::Fault(Fault::TtfbTimeout), 3),
        (Failure::Status(404), 7),
        (Failure::Status(503), 12),
    ];
    let seconds = |count, names, each| (0..count).map(|at| second(at, names, each)).collect();
    match name {
        "all_failed" => Run::new("All failed", (0..30).map(|at| failing(at, &failures)).collect()),
        "empty" => Run::new("Nothing ended", vec![]),
        "flows" => {
            Run { warmup: 12, asides: once(), ..Run::new("Flows", (0..60).map(flowing).collect()) }
        }
        "evidence" => {
            let mut seconds: Vec<Interval> = seconds(60, 2, 6);
            (20..40).for_each(|at| seconds[at as usize].merge(&failing(at, &failures)));
            let of = |(at, failure): (usize, &(Failure, u64))| {
                exchange(0, Some(failure.0), 20_000 + at as u64 * 37)
            };
            // Of connections that were refused nothing is kept.
            let failed = failures.iter().enumerate().skip(1).map(of);
            let rule = exchange(1, Some(Failure::Rule(0)), 900);
            let slow = (0..2).flat_map(|name| (0..3).map(move |at| exchange(name, None, at * 999)));
            let evidence = exhibits(failed.chain([rule]).chain(slow));
            Run { evidence, ..Run::new("Evidence", seconds) }
        }
        // One failure among thousands, and a name that is met once.
        "few_failures" => {
            let mut seconds: Vec<Interval> = seconds(60, 1, 3);
            for second in &mut seconds {
                let stats = second.names.entry(0).or_default();
                (0..497).for_each(|k| stats.response_ok.record(MS(9 + k % 20)));
                second.issued += 497;
            }
            seconds[30].merge(&failing(30, &[(Failure::Status(503), 1)]));
            seconds[20].merge(&second(20, 2, 1));
            Run::new("Hardly any failed", seconds)
        }
        // One kind of failure hundreds of times a second, of the others one at all.
        "kinds" => {
            let mut seconds: Vec<Interval> = seconds(60, 2, 6);
            let mut fail = |at: u32, failure, times| {
                seconds[at as usize].merge(&failing(at, &[(failure, times)]));
            };
            (20..40).for_each(|at| fail(at, Failure::Status(503), 300));
            fail(30, Failure::Rule(0), 1);
            fail(50, Failure::Fault(Fault::ConnectRefused), 1);
            Run::new("Failures of rare kinds", seconds)
        }
        "warm_only" => Run {
            warmup: 4,
            stopped: Some(StopReason::Interrupted),
            ..Run::new("Stopped while warming up", seconds(4, 2, 3))
        },
        "hostile" => Run {
            plan: "# </script><img src=x onerror=\"document.title = 'taken'\"> &amp; {{ 1 }}",
            names: names([
                ("GET", "<img src=x onerror=\"document.title='taken'\">"),
                ("POST", "</td></table><svg onload=\"document.title='taken'\">한글 \u{202e}abc"),
            ]),
            ..Run::new("</script><script>document.title = 'taken'</script>", seconds(1, 2, 4))
        },
        "long" => Run::new("Three hours", seconds(10_800, 1, 1)),
        "many_names" => Run {
            names: (0..1000).map(page_name).collect(),
            ..Run::new("A thousand names", seconds(5, 1000, 1))
        },
        "mixed" => {
            let mut seconds: Vec<Interval> = seconds(300, 2, 6);
            (120..160).for_each(|at| seconds[at as usize].merge(&failing(at, &failures)));
            Run::new("Mixed", seconds)
        }
        "overrun" => {
            Run::new("More than it can do", (0..60).map(|at| machine::arriving(at, 600)).collect())
        }
        "late" => Run::new("Began late", (0..60).map(|at| machine::arriving(at, 9000)).collect()),
        "idle_machine" => {
            Run::new("Alone on its machine", (0..4).map(|at| machine::alone(at, 10)).collect())
        }
        "full_machine" => {
            Run::new("Its machine is full", (0..4).map(|at| machine::alone(at, 1000)).collect())
        }
        "search" => Run {
            search: Some(searched::searched()),
            thresholds: &[],
            spans: Some(vec![]),
            ..Run::new("A search", seconds(390, 2, 6))
        },
        "steps" => stepped(),
        "part" => Run {
            part: Some((170, 290)),
            findings: Value::Null,
            ..Run { title: "A part of a run", ..stepped() }
        },
        "day" => Run {
            names: served::names(),
            lasted: Duration::from_secs(86_400),
            spans: Some(vec![]),
            ..Run::new("A day of arrivals", served::day())
        },
        "rare" => Run { names: served::names(), ..Run::new("Few answers", served::rare()) },
        "tls" => Run {
            names: served::names(),
            thresholds: &["p95 < 500ms", "p99 < 1s", "error_rate < 1%"],
            ..Run::new("Through TLS", served::tls())
        },
        "one_second" => Run::new("One second", seconds(1, 2, 5)),
        "stopped" => Run {
            stopped: Some(StopReason::Interrupted),
            lasted: MS(11_400),
            ..Run::new("Stopped", seconds(12, 2, 3))
        },
        "unjudged" => Run {
            thresholds: &[],
            insecure: true,
            ..Run::new("Nothing to judge", seconds(1, 1, 2))
        },
        other => panic!("there is no run `{other}`"),
    }
}

/// With what a diagnosis would say of it.
fn stepped() -> Run {
    let place = |chart: Value, name: Option<&str>, from: u32, to: u32| json!({ "chart": chart, "method": name.map(|_| "GET"), "name": name, "from_s": from, "to_s": to });
    let finding = |title: &str, sentence: &str, advice: &str, place: Value| json!({ "rule": "knee", "title": title, "sentence": sentence, "advice": advice, "where": place });
    let findings = json!([
        finding(
            "The target serves about 230 requests a second",
            "From 160 users on response time grew from 21ms to 98ms, while throughput stayed at 232/s.",
            "Look at what the server does with its processors from 3m on.",
            place("response".into(), None, 180, 300),
        ),
        finding(
            "Errors set in at 200 users",
            "6% of requests failed from 4m on, most with status 503; before that nearly none did.",
            "Look at the server’s own log of that time.",
            place("failures".into(), None, 240, 300),
        ),
        finding(
            "One name is slower than all others",
            "Half of the requests of GET /search took longer than 61ms even at 40 users, those of others 22ms or less.",
            "Look at what it asks of the database.",
            place(Value::Null, Some("/search"), 0, 60),
        ),
    ]);
    let exchanges =
        [(5, Failure::Status(503), 241_000), (3, Failure::Fault(Fault::TtfbTimeout), 243_500)];
    let failed = exchanges.map(|(name, failure, at)| exchange(name, Some(failure), at));
    let slow = (0..7).map(|name| exchange(name, None, 250_000 + u64::from(name) * 777));
    Run {
        names: served::names(),
        thresholds: &["p95 < 200ms", "p99 < 1s", "error_rate < 1%", "rps > 50"],
        spans: Some(
            Profile::stairs(Steps { from: 40, by: 40, every: MS(60_000), to: 200 }).spans(),
        ),
        evidence: exhibits(failed.into_iter().chain(slow)),
        findings,
        ..Run::new("Shop, step by step", served::steps())
    }
}

fn page_name(number: u32) -> RequestName {
    RequestName { method: "GET".into(), name: format!("/shops/{{id}}/pages/{number}") }
}

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_report_of_every_kind_of_run_is_one_file_that_fetches_nothing() {
    let folder = folder();
    for name in RUNS {
        let page = run(name).html();
        std::fs::write(folder.join(format!("{name}.html")), &page).unwrap();
        assert!(page.len() < 1024 * 1024, "{name}: {} bytes", page.len());
        for attribute in ["src=\"", "href=\"", "@import", "url("] {
            let mut found = page.match_indices(attribute).map(|(at, _)| &page[at..at + 20]);
            assert!(
                found.all(|text| {
                    ["href=\"data:,", "href=\"#"].iter().any(|own| text.starts_with(own))
                }),
                "{name}: {attribute}"
            );
        }
    }
}

/// Little over a minute, with times of all lengths, and failures of most kinds.
fn scattered(from_s: u32) -> Interval {
    let failures = [
        (Failure::Fault(Fault::ConnectRefused), 1),
        (Failure::Fault(Fault::TtfbTimeout), 1),
        (Failure::Status(404), 1),
        (Failure::Status(503), 2),
        (Failure::Rule(0), 1),
    ];
    let mut interval = failing(from_s, &failures);
    (interval.to_s, interval.user_seconds) = (from_s + 72, 72 * 50);
    (interval.arrivals, interval.dropped) = (7200, u64::from(from_s % 1000));
    interval.health = machine::telling(from_s % 997);
    let stats = interval.names.entry(1).or_default();
    for k in 0..60u64 {
        let us = 700 + (u64::from(from_s) + 1) * 2_654_435_761 % 977 * k * k;
        stats.response_ok.record(Duration::from_micros(us));
        stats.first_byte.record(Duration::from_micros(us / 2));
        interval.waited.record(Duration::from_micros(us / 3));
        interval.beat_late.record(Duration::from_micros(us % 2000));
    }
    stats.body_bytes = 60 * u64::from(from_s % 8191);
    interval.issued += 60;
    interval
}

/// Ten million requests under a thousand names, over a day.
#[test]
fn a_very_large_run_stays_below_3_mib() {
    // A hundred names take long enough to count without optimization: the rest is as they are.
    let mut all = second(0, 100, 10);
    let mut issued = 0;
    // Every name fails in three ways, with times of its own.
    for (name, stats) in &mut all.names {
        for (at, failure) in
            [Failure::Status(503), Failure::Status(404), Failure::Fault(Fault::HeadReset)]
                .into_iter()
                .enumerate()
        {
            stats.response_failed.record(MS(u64::from(*name) + 7));
            let ms = u64::from(*name) * 13 + at as u64;
            stats.failures.push((
                failure,
                Seen { count: 1, first_ms: ms, last_ms: ms * 3, ..Seen::default() },
            ));
            issued += 1;
        }
        stats.failures.sort_by_key(|(failure, _)| *failure);
    }
    all.issued += issued;
    for _ in 0..13 {
        let same = all.clone();
        all.merge(&same);
    }
    // Over a day, with times that scatter and failures of each kind; all names are met all day long. Times
    // are large in memory, so each is kept in few ways.
    let mut seconds: Vec<Interval> = (0..1200).map(|step| scattered(step * 72)).collect();
    for (at, step) in seconds.iter_mut().enumerate().filter(|(at, _)| at % 40 == 0) {
        for number in 0..100 {
            let stats = step.names.entry(number).or_default();
            for k in 1..4 {
                stats.response_ok.record(MS(u64::from(number) * 3 + at as u64 % 400 * k));
            }
            step.issued += 3;
        }
    }
    let first = seconds[0].clone();
    (all.from_s, all.to_s) = (first.from_s, first.to_s);
    seconds[0].merge(&all);
    let mut large = Run::new("Ten million", seconds);
    large.lasted = Duration::from_secs(86_400);
    large.names = (0..1000).map(page_name).collect();
    large.times = 10;
    let page = large.html();
    assert!(page.contains("id=\"name-999\""));
    std::fs::write(folder().join("large.html"), &page).unwrap();
    println!("{} bytes of ten million requests", page.len());
    assert!(page.contains("<dt>Requests</dt><dd>10,"), "{}", &page[..3000]);
    assert!(page.len() < 3 * 1024 * 1024, "{} bytes", page.len());
}

/// However large it is, and whatever becomes of it in a page: the rest is in `summary.json`.
#[test]
fn evidence_does_not_make_the_page_too_large() {
    let mut large = run("mixed");
    large.names = (0..100).map(page_name).collect();
    let hostile = |mut exchange: Exchange| {
        let text = "/".repeat(4096);
        exchange.request.head.lines = vec![format!("X: {}", "<".repeat(8000))];
        exchange.request.body = Body { bytes: 4096, shown: Shown::Whole(text.clone()) };
        exchange.answer = Some(Answer {
            status: 500,
            head: Some(exchange.request.head.clone()),
            body: Body { bytes: 4096, shown: Shown::Beginning(text) },
        });
        exchange
    };
    let failed = (0..100).map(|name| exchange(name, Some(Failure::Status(500)), name.into()));
    let slow = (0..100).map(|name| exchange(name, None, name.into()));
    large.evidence = exhibits(failed.chain(slow).map(hostile));
    let page = large.html();
    assert!(page.len() < 2 * 1024 * 1024, "{} bytes", page.len());
    let shown = page.matches("<details class=\"exchange\"").count();
    assert!((5..30).contains(&shown), "{shown} exchanges");
    let left = format!(
        "{} more are too large for this page, and in <code>summary.json</code>",
        200 - shown
    );
    assert!(page.contains(&left), "{left}");
}

#[test]
fn the_report_shows_exchanges_whole() {
    let page = run("evidence").html();
    for text in [
        "<h2 id=\"h-evidence\">Evidence</h2>",
        "<h3>server errors (5xx): the first</h3>",
        "<span class=\"method\">GET</span> <span class=\"what\">&#x2f;todos&#x2f;</span> <small>status 503, 32.5ms, at 20.1s</small>",
        "User 3 of Buyer, in its iteration 5. It was sent 2 times; this was the last.",
        "1 redirect was followed: the request is the first one, the answer the last.",
        "<p class=\"dim note\">Saw <code>&lt;b&gt;false&lt;&#x2f;b&gt;</code></p>",
        "POST https:&#x2f;&#x2f;127.0.0.1:8000&#x2f;todos&#x2f;?token=***&amp;at=20111\nHost: 127.0.0.1:8000\nAuthorization: Bearer ***\n\n{&quot;note&quot;",
        "The user’s cookies are not among the headers: the answer changed them.",
        "The beginning of a body of 9.0 KB.",
        "A body of 9.0 KB that is not text.",
        "A body of 9.0 KB that was not kept: no rule of this request reads it.",
        "The head was not kept: no rule of this request reads it.",
        "<p class=\"dim note\">There was none.</p>",
        "<code>curl --http1.1 --insecure --header &#x27;Authorization: Bearer ***&#x27; --header Content-Type: --data-raw &#x27;{&quot;note&quot;",
        "<p class=\"dim note\">Before: put in what is hidden: <code>***</code>; the user’s cookies are missing: the answer changed them.</p>",
        "<h3>The slowest of each name</h3>",
        "Of 1 more way of failing no exchange is kept.",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    assert_eq!(page.matches("<details class=\"exchange\"").count(), 4 + 6);
    assert!(!run("mixed").html().contains("h-evidence"));
}

#[test]
fn the_guide_names_each_chart_as_its_heading_does() {
    let guide = include_str!("../docs/reading-results.md");
    let mut charts = 0;
    let page = ["day", "mixed"].map(|name| run(name).html()).concat();
    let captions = page.split("<figcaption>").skip(1).filter(|rest| rest.contains("id=\"chart-"));
    for caption in captions.filter_map(|rest| rest.split("</figcaption>").next()) {
        let title =
            caption.replace("Response time and service time", "Percentiles of response time");
        assert!(guide.contains(&format!("\n| {title}")), "{title} is not in the guide");
        charts += 1;
    }
    assert!(charts > 15, "{charts} charts");
}

#[test]
fn markup_of_plan_and_server_stays_text() {
    let page = run("hostile").html();
    assert_eq!(page.matches("<script").count(), 3, "data, chart library, and ours");
    for markup in ["<img", "<svg", "'taken'</script>"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(
        page.contains("&lt;img src=x onerror=&quot;document.title=&#x27;taken&#x27;&quot;&gt;")
    );
    assert!(page.contains("{{ 1 }}"), "templates of the plan are shown, not rendered");
}

#[test]
fn findings_and_thresholds_lead_to_what_shows_them() {
    let page = run("steps").html();
    for text in [
        "<h2 id=\"h-findings\">What the figures say</h2>",
        "<a class=\"look\" href=\"#chart-response\" data-from=\"180.0\" data-to=\"300.0\">See the response times, 3m to 5m</a>",
        "<a class=\"look\" href=\"#chart-failures\" data-from=\"240.0\" data-to=\"300.0\">See the failures, 4m to 5m</a>",
        "<a class=\"look\" href=\"#name-3\" data-from=\"0.0\" data-to=\"60.0\">Open GET &#x2f;search</a>",
        "✗ broke <a class=\"look\" href=\"#chart-failures\">See the failures</a>",
        "<tr id=\"name-3\"><th scope=\"row\"><span class=\"method\">GET</span> &#x2f;search</th>",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let finding =
        json!([{ "title": "<b>", "sentence": "</p><img src=x>", "advice": null, "where": {} }]);
    let hostile = Run { findings: finding, ..run("mixed") }.html();
    let finding = json!([{ "title": "few", "sentence": "`p9 < 1s` of /`<b>`", "advice": "more `--workers`", "where": {} }]);
    let coded = Run { findings: finding, ..run("mixed") }.html();
    let said = "<p><code>p9 &lt; 1s</code> of &#x2f;`&lt;b&gt;`. <span class=\"dim\">More <code>--workers</code>.</span></p>";
    assert!(coded.contains(said));
    assert!(hostile.contains("<h3>&lt;b&gt;</h3>") && !hostile.contains("<img"));
    assert!(!run("mixed").html().contains("h-findings"), "a run in which nothing was found");
}

#[test]
fn the_report_says_what_happened_without_a_script() {
    let page = run("mixed").html();
    for text in [
        "✗ Mixed · Throng",
        "1 of 3 thresholds did not hold: 6,080 requests, 2,480 failed.",
        "server errors (5xx) <span class=\"count\">480</span>",
        "connect refused<small class=\"advice told\">nothing listens there",
        "<code>error_rate &lt; 1%</code>",
        "✗ broke",
        "shop.yaml --seed 7</code>",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let by = "fail in `pay` (plan.yaml:7)";
    let ended = Run { stopped: Some(StopReason::Plan), stopped_by: Some(by), ..run("stopped") };
    assert!(
        ended
            .html()
            .contains("11.4s of 11.4s <small>ended by fail in <code>pay</code> (plan.yaml:7)<")
    );
    let steered =
        Steered { at: MS(3100), by: "Ada </td>".into(), change: "50 users over 10s".into() };
    let changed = Run { steered: vec![steered], ..run("stopped") }.html();
    assert!(changed.contains("<tr><td class=\"n\">3.1s</td><th scope=\"row\">50 users over 10s</th><td>Ada &lt;&#x2f;td&gt;</td></tr>"));
    assert!(!ended.html().contains("Changes of the load"));
    assert!(run("empty").html().contains("no data is not a pass"));
    assert!(run("unjudged").html().contains("not judged"));
    let unverified = ["unjudged", "stopped"].map(|name| run(name).html().contains("not verified"));
    assert_eq!(unverified, [true, false]);
    assert!(run("stopped").html().contains("11.4s of 11.4s"));
    let part = run("part").html();
    for text in ["<dd>2m50s to 4m50s of the run</dd>", "<dt>Lasted</dt><dd>2m</dd>"] {
        assert!(part.contains(text), "{text} is missing");
    }
}

#[test]
fn the_report_shows_what_is_in_no_table_of_requests() {
    let page = run("flows").html();
    for text in [
        "<dt>Warm-up</dt><dd>12s <small>left out of the figures</small>",
        "<dt>Lasted</dt><dd>1m</dd>",
        "<strong class=\"bad\">48 times</strong> <small>a user’s <code>on_start</code> failed",
        "<dt>Retries</dt><dd>144 <small>only the last attempt is in the figures</small>",
        "The warm-up, which is left out: 120 requests, 24 failed, median time",
        "96 more were sent and judged, and are kept out of the tables by <code>record: off</code>.",
        "<h2 id=\"h-groups\">Groups: time without waits</h2>",
        "<th scope=\"row\">log in &lt;&#x2f;table&gt;</th><td class=\"n\">432</td><td class=\"n bad\">48 <small>11.1%</small></td>",
        "expect: $.completed equals true<small class=\"advice\">saw <code>&lt;b&gt;false&lt;&#x2f;b&gt;</code>, <code>a text of some length",
        "<h2 id=\"h-before\">Before the first user</h2>",
        "<h2 id=\"h-after\">After the last user</h2>",
        "<td class=\"n\">1</td><th scope=\"row\">status 500</th>",
        "<th scope=\"row\">there is no <code>id</code> yet</th>",
        "<td>group checkout</td>",
        "<td>class Buyer</td>",
        "\"warmup\":{\"until_s\":12}",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let plain = run("mixed").html();
    for text in ["h-groups", "h-before", "h-after", "Warm-up", "Retries", "Could not", "record:"] {
        assert!(!plain.contains(text), "{text} in a run without any");
    }
    assert!(run("warm_only").html().contains("chart-requests"), "the warm-up is drawn");
    let part = Run { part: Some((5, 40)), warmup: 7, ..run("flows") }.html();
    for text in [
        "<dt>Lasted</dt><dd>35s</dd>",
        "<dt>Warm-up</dt><dd>7s <small>left out of the figures</small>",
        "\"warmup\":{\"until_s\":12}",
    ] {
        assert!(part.contains(text), "{text} is missing in the part");
    }
}
