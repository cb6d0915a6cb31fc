//! What CI systems read of a run, where every text that comes from outside is hostile: nothing becomes
//! markup, no line is added. The texts go to `target/tmp/ci.json` as well, for tests/peers/ci.py to read
//! them with other programs.

use std::path::Path;
use std::time::Duration;

use quick_xml::events::{BytesStart, Event as Xml};
use regex::Regex;
use throng::control::StopReason;
use throng::event::{Closing, Ended, Started};
use throng::metrics::{Catalogue, Facet, Failure, Interval, RequestName, Seen, Summary};
use throng::sink::{annotations, append_summary, junit_xml, metrics_txt, summary_md};
use throng::untrusted::one_line;
use throng::verdict::diagnosis::{Chart, Evidence, Finding, Rule};
use throng::verdict::{Of, Threshold, Validity, Verdict, When, Written, judge};

/// What is written of one run.
struct Outputs {
    junit: String,
    summary: String,
    metrics: String,
    annotations: String,
}

/// What a run is made of.
struct Run {
    names: Vec<RequestName>,
    thresholds: Vec<Threshold>,
    texts: Vec<String>,
    validity: Validity,
    stopped: Option<StopReason>,
    findings: Vec<Finding>,
    started: Started,
}

fn request_name(method: &str, name: &str) -> RequestName {
    RequestName { method: method.into(), name: name.into() }
}

fn threshold(text: &str, of: Option<Of>, line: usize) -> Threshold {
    let written = Some(Written { file: "no/such/plan.yaml".into(), line });
    Threshold { of, written, allow_few: true, ..Threshold::parse(text).unwrap() }
}

impl Run {
    /// A run that shows what it had to.
    fn new() -> Self {
        Self {
            names: vec![request_name("GET", "/todos/"), request_name("POST", "/todos/")],
            thresholds: vec![threshold("p95 < 500ms", None, 12), threshold("rps > 1", None, 13)],
            texts: vec!["expect: $.completed equals true".into()],
            validity: Validity::Valid,
            stopped: None,
            findings: vec![],
            started: Started {
                plan_name: "Todo API".into(),
                plan_file: "plans/todo.yaml".into(),
                plan_text: String::new(),
                plan_format: "yaml".into(),
                profile: "profile load".into(),
                target: "http://127.0.0.1:8000".into(),
                insecure: false,
                search: None,
                baseline: None,
                seed: 7,
                os: "linux x86_64".into(),
                workers: 2,
                users_peak: 50,
                planned: Duration::from_secs(2),
                warmup: Duration::ZERO,
                iterations: None,
                spans: vec![],
                fail_on_error: false,
                labels: vec![("commit".into(), "1a2b3c".into())],
                command_line: "throng run plans/todo.yaml".into(),
                at: "2026-11-24T12:00:00Z".parse().unwrap(),
                catalogue: Catalogue::default(),
                thresholds: vec![],
                out: "results/todo/report.html".into(),
            },
        }
    }

    /// One in which every text from outside is `text`.
    fn hostile(text: &str) -> Self {
        let text = || text.to_owned();
        let mut run = Self::new();
        run.names = vec![request_name("GET", &text()), request_name(&text(), "/todos/")];
        run.thresholds = vec![
            threshold("p95 < 5ms", Some(Of::Name(text())), 12),
            threshold("rps > 1", Some(Of::Class(text())), 13),
        ];
        run.texts = vec![text()];
        let evidence = Evidence { chart: Chart::Response, name: Some(text()), seconds: None };
        run.findings = vec![Finding {
            rule: Rule::OneNameSlow,
            also: vec![],
            sentence: text(),
            figures: vec![],
            advice: "look at it".into(),
            evidence,
        }];
        run.validity = Validity::Invalid(vec![text()]);
        run.started = Started {
            plan_name: text(),
            plan_file: text(),
            profile: text(),
            target: text(),
            labels: vec![(text(), text())],
            command_line: text(),
            out: text(),
            ..run.started
        };
        run
    }

    fn summary(&self) -> Summary {
        let names = self.names.clone();
        let facets = vec![Facet { class: "Buyer".into(), tags: vec![] }; names.len()];
        let catalogue =
            Catalogue { names, facets, texts: self.texts.clone(), ..Catalogue::default() };
        let mut summary = Summary::new(catalogue);
        let mut interval = Interval::second(0);
        for name in 0..self.names.len() as u16 {
            let stats = interval.names.entry(name).or_default();
            (10..30).for_each(|ms| stats.response_ok.record(Duration::from_millis(ms)));
            let failures = (0..self.texts.len() as u16).map(|text| {
                stats.response_failed.record(Duration::from_millis(3));
                (Failure::Rule(u32::from(text)), Seen { count: 1, ..Seen::default() })
            });
            stats.failures = failures.collect();
        }
        summary.add(&interval);
        (summary.duration, summary.loaded) = (Duration::from_secs(2), Duration::from_secs(2));
        summary
    }

    fn outputs(&self) -> Outputs {
        let summary = self.summary();
        let verdict = Verdict {
            thresholds: self.thresholds.iter().map(|one| judge(one, &summary)).collect(),
            validity: self.validity.clone(),
        };
        let exit_code = match (verdict.validity.is_invalid(), verdict.broken()) {
            (true, _) => 3,
            (false, broken) => u8::from(broken > 0),
        };
        let ended = Ended {
            findings: &self.findings,
            summary: &summary,
            warmup: None,
            asides: &[],
            evidence: None,
            verdict: &verdict,
            stopped: self.stopped,
            steered: &[],
            search: None,
            stopped_by: None,
            exit_code,
            at: self.started.at,
            closing: &Closing::default(),
            again: None,
        };
        let started = &self.started;
        Outputs {
            junit: junit_xml(started, &ended).unwrap(),
            summary: summary_md(started, &ended).unwrap(),
            metrics: metrics_txt(started, &ended).unwrap(),
            annotations: annotations(started, &ended, Path::new(env!("CARGO_MANIFEST_DIR"))),
        }
    }
}

/// Texts that somebody thought of, and 150 that are put together of what means something somewhere.
fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = serde_json::from_str(include_str!("peers/hostile.json")).unwrap();
    assert!(texts.len() > 200);
    let pieces: Vec<char> =
        "`|\\<>&\"'#@:,%[](){}*_~$!=-+/ \n\r\t\0\u{1b}\u{2028}\u{202e}\u{ffff}a1."
            .chars()
            .collect();
    // Always the same ones: the generator of Numerical Recipes.
    let mut state = 1_u32;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % limit
    };
    texts.extend((0..150).map(|_| {
        let length = 1 + below(24);
        (0..length).map(|_| pieces[below(pieces.len())]).collect::<String>()
    }));
    texts
}

/// An element of an XML text.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Self {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
            (attribute.key.as_ref().to_owned(), value)
        });
        let name = start.name().as_ref().to_owned();
        Self { name, attributes: attributes.collect(), text: String::new() }
    }

    /// An attribute's value; empty without it.
    fn value(&self, name: &str) -> &str {
        let mut all = self.attributes.iter().filter(|(attribute, _)| attribute == name);
        all.next().map_or("", |(_, value)| value)
    }
}

/// The elements of an XML text in order.
fn read(xml: &str) -> Vec<Element> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut elements, mut open) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Xml::Start(start) => {
                open.push(elements.len());
                elements.push(Element::of(&start));
            }
            Xml::Empty(start) => elements.push(Element::of(&start)),
            Xml::End(_) => drop(open.pop().unwrap()),
            Xml::Text(text) => {
                if let Some(at) = open.last() {
                    elements[*at].text += &text;
                }
            }
            Xml::GeneralRef(name) => {
                let text = match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" => "'",
                    other => panic!("&{other};"),
                };
                elements[*open.last().unwrap()].text += text;
            }
            Xml::Decl(_) => {}
            Xml::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    elements
}

#[test]
fn no_text_adds_an_element_to_junit_xml() {
    let shape = |xml: &str| -> Vec<_> {
        let one = |element: &Element| {
            let attributes = element.attributes.iter().map(|(name, _)| name.clone());
            (element.name.clone(), attributes.collect::<Vec<_>>())
        };
        read(xml).iter().map(one).collect()
    };
    let harmless = shape(&Run::hostile("x").outputs().junit);
    for text in hostile() {
        let xml = Run::hostile(&text).outputs().junit;
        assert_eq!(shape(&xml), harmless, "{text:?}");
        let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
        assert!(!xml.contains(bad), "{text:?}");
        // What is read back is what was there.
        let shown = one_line(&text);
        let elements = read(&xml);
        let value = |element: &str, attribute: &str| -> Vec<&str> {
            let of = elements.iter().filter(|one| one.name == element);
            of.map(|one| one.value(attribute)).collect()
        };
        assert!(value("property", "value").contains(&&*shown), "{text:?}");
        assert!(value("testcase", "classname").iter().all(|class| *class == shown), "{text:?}");
        let name = format!("p95 < 5ms of {shown}");
        assert!(value("testcase", "name").contains(&&*name), "{text:?}");
        let failure = elements.iter().find(|one| one.value("type") == "broke").unwrap();
        assert!(failure.text.starts_with(&format!("{name}: 28.0ms\n")), "{text:?}");
    }
}

/// Markdown with every span of code taken out; in a table no cell may end within them.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            out += &rest[..at];
            let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
            let after = &rest[at + fence..];
            let (mut end, mut from) = (None, 0);
            while let Some(tick) = after[from..].find('`').map(|tick| from + tick) {
                let run = after[tick..].len() - after[tick..].trim_start_matches('`').len();
                if run == fence {
                    end = Some((tick, tick + run));
                    break;
                }
                from = tick + run;
            }
            let (end, behind) = end.unwrap_or_else(|| panic!("a span without an end: {line}"));
            let code = &after[..end];
            let bars = code.matches('|').count();
            assert!(!line.starts_with('|') || bars == code.matches("\\|").count(), "{line}");
            out.push('–');
            rest = &after[behind..];
        }
        out += rest;
        out.push('\n');
    }
    out
}

#[test]
fn no_text_is_markup_in_the_summary() {
    let harmless = without_code(&Run::hostile("x").outputs().summary);
    for text in hostile() {
        let summary = Run::hostile(&text).outputs().summary;
        assert_eq!(without_code(&summary), harmless, "{text:?}");
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!summary.contains(steers), "{text:?}");
    }
}

#[test]
fn no_text_adds_a_sample_to_the_metrics() {
    let line = Regex::new(r#"^[a-z_]+(\{[a-z]+="([^"\\#]|\\["\\])*"(,[a-z]+="([^"\\#]|\\["\\])*")*\})? [0-9]+(\.[0-9]+)?$"#).unwrap();
    let harmless = Run::hostile("x").outputs().metrics;
    for text in hostile() {
        let metrics = Run::hostile(&text).outputs().metrics;
        assert_eq!(metrics.lines().count(), harmless.lines().count(), "{text:?}");
        for (line_of, harmless) in metrics.lines().zip(harmless.lines()) {
            if harmless.starts_with('#') {
                assert_eq!(line_of, harmless, "{text:?}");
            } else {
                assert!(line.is_match(line_of), "{line_of:?}");
            }
        }
    }
}

#[test]
fn no_text_ends_a_workflow_command_or_adds_one() {
    let line = Regex::new(r"^::(error|warning) title=throng%3A [a-z ]+::[^\r\n]*$").unwrap();
    let harmless = Run::hostile("x").outputs().annotations;
    assert_eq!(
        harmless,
        "::error title=throng%3A not trusted::the run can be trusted: INVALID%0Ax\n\
         ::error title=throng%3A broke::p95 < 5ms of x: 28.0ms\n\
         ::error title=throng%3A broke::rps > 1/s of class x: 0.00/s\n"
    );
    for text in hostile() {
        let commands = Run::hostile(&text).outputs().annotations;
        assert_eq!(commands.split('\n').count(), harmless.split('\n').count(), "{text:?}");
        assert!(commands.lines().all(|command| line.is_match(command)), "{commands}");
        let message = commands.lines().nth(1).unwrap().splitn(3, "::").nth(2).unwrap();
        let message = message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        assert_eq!(message, format!("p95 < 5ms of {}: 28.0ms", one_line(&text)), "{text:?}");
    }
}

#[test]
fn what_is_told_of_a_run_reads_like_this() {
    let outputs = outcomes().swap_remove(1).1.outputs();
    insta::assert_snapshot!(outputs.annotations, @r#"
    ::error title=throng%3A broke::p95 < 5ms: 28.0ms
    ::error title=throng%3A broke::p95 < 5ms (2): 28.0ms
    ::error title=throng%3A no data::dropped == 0 of tag a|b in each 10s, after 30s: no arrivals
    "#);
    insta::assert_snapshot!(outputs.summary, @r#"
    ## ❌ `Todo API`: not passed

    3 of 4 thresholds did not hold: 42 requests, 2 failed. **VALID**

    | | threshold | measured |
    |:--|:--|:--|
    | ❌ broke | `p95 < 5ms` | 28.0ms |
    | ✅ held | `rps > 1/s` | 21.0/s |
    | ❌ broke | `p95 < 5ms (2)` | 28.0ms |
    | ❌ no data | `dropped == 0 of tag a\|b in each 10s, after 30s` | no arrivals |

    | requests to | requests | failed | per second | p50 | p95 | p99 | max |
    |:--|--:|--:|--:|--:|--:|--:|--:|
    | `GET /todos/` | 21 | 1 (4.76%) | 10.5 | 19.0ms | 28.0ms | 29.0ms | 29.0ms |
    | `POST /todos/` | 21 | 1 (4.76%) | 10.5 | 19.0ms | 28.0ms | 29.0ms | 29.0ms |
    | **Aggregated** | 42 | 2 (4.76%) | 21.0 | 19.0ms | 28.0ms | 29.0ms | 29.0ms |

    | times | failure | requests to |
    |--:|:--|:--|
    | 1 | `expect: $.completed equals true` | `GET /todos/` |
    | 1 | `expect: $.completed equals true` | `POST /todos/` |

    - Command: `throng run plans/todo.yaml`
    - Plan: `plans/todo.yaml`
    - Load: `profile load`
    - Target: `http://127.0.0.1:8000`
    - Began: `2026-11-24 12:00:00 UTC, took 2s`
    - Seed: `7`
    - Label: `commit=1a2b3c`
    - Results: `results/todo/report.html`
    "#);
    insta::assert_snapshot!(outputs.junit, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="Todo API" tests="6" failures="3" errors="0" time="2.000" timestamp="2026-11-24T12:00:00" hostname="localhost" package="plans/todo.yaml" id="0">
        <properties>
          <property name="profile" value="profile load"/>
          <property name="target" value="http://127.0.0.1:8000"/>
          <property name="seed" value="7"/>
          <property name="validity" value="VALID"/>
          <property name="exit_code" value="1"/>
          <property name="throng" value="0.1.0"/>
          <property name="label.commit" value="1a2b3c"/>
        </properties>
        <testcase classname="plans/todo.yaml" name="the run can be trusted" time="2.000"/>
        <testcase classname="plans/todo.yaml" name="the run came to its end" time="0"/>
        <testcase classname="plans/todo.yaml" name="p95 &lt; 5ms" time="0">
          <failure type="broke" message="p95 &lt; 5ms: 28.0ms">p95 &lt; 5ms: 28.0ms
    no/such/plan.yaml:12</failure>
        </testcase>
        <testcase classname="plans/todo.yaml" name="rps &gt; 1/s" time="0"/>
        <testcase classname="plans/todo.yaml" name="p95 &lt; 5ms (2)" time="0">
          <failure type="broke" message="p95 &lt; 5ms (2): 28.0ms">p95 &lt; 5ms (2): 28.0ms
    no/such/plan.yaml:14</failure>
        </testcase>
        <testcase classname="plans/todo.yaml" name="dropped == 0 of tag a|b in each 10s, after 30s" time="0">
          <failure type="no data" message="dropped == 0 of tag a|b in each 10s, after 30s: no arrivals">dropped == 0 of tag a|b in each 10s, after 30s: no arrivals
    no/such/plan.yaml:15</failure>
        </testcase>
        <system-out>3 of 4 thresholds did not hold: 42 requests, 2 failed.
    requests 42, failed 2 (4.76%), 21.0/s, p50 19.0ms, p95 28.0ms, p99 29.0ms, max 29.0ms
    VALID</system-out>
        <system-err></system-err>
      </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(outputs.metrics, @r#"
    # HELP throng_requests Requests that ended.
    # TYPE throng_requests gauge
    throng_requests{method="GET",name="/todos/"} 21
    throng_requests{method="POST",name="/todos/"} 21
    throng_requests{method="",name="Aggregated"} 42
    # HELP throng_failures Requests that failed.
    # TYPE throng_failures gauge
    throng_failures{method="GET",name="/todos/"} 1
    throng_failures{method="POST",name="/todos/"} 1
    throng_failures{method="",name="Aggregated"} 2
    # HELP throng_error_rate Failed requests as a fraction of all.
    # TYPE throng_error_rate gauge
    throng_error_rate{method="GET",name="/todos/"} 0.047619
    throng_error_rate{method="POST",name="/todos/"} 0.047619
    throng_error_rate{method="",name="Aggregated"} 0.047619
    # HELP throng_requests_per_second Requests a second while load was asked for.
    # TYPE throng_requests_per_second gauge
    throng_requests_per_second{method="GET",name="/todos/"} 10.5
    throng_requests_per_second{method="POST",name="/todos/"} 10.5
    throng_requests_per_second{method="",name="Aggregated"} 21
    # HELP throng_response_ms Response time in milliseconds, failed requests too.
    # TYPE throng_response_ms summary
    throng_response_ms{method="GET",name="/todos/",quantile="0.5"} 19.007
    throng_response_ms{method="GET",name="/todos/",quantile="0.95"} 28.015
    throng_response_ms{method="GET",name="/todos/",quantile="0.99"} 29
    throng_response_ms{method="POST",name="/todos/",quantile="0.5"} 19.007
    throng_response_ms{method="POST",name="/todos/",quantile="0.95"} 28.015
    throng_response_ms{method="POST",name="/todos/",quantile="0.99"} 29
    throng_response_ms{method="",name="Aggregated",quantile="0.5"} 19.007
    throng_response_ms{method="",name="Aggregated",quantile="0.95"} 28.015
    throng_response_ms{method="",name="Aggregated",quantile="0.99"} 29
    # HELP throng_response_max_ms The longest response time in milliseconds.
    # TYPE throng_response_max_ms gauge
    throng_response_max_ms{method="GET",name="/todos/"} 29
    throng_response_max_ms{method="POST",name="/todos/"} 29
    throng_response_max_ms{method="",name="Aggregated"} 29
    # HELP throng_threshold_held 1 when the threshold held, 0 when it did not.
    # TYPE throng_threshold_held gauge
    throng_threshold_held{threshold="p95 < 5ms"} 0
    throng_threshold_held{threshold="rps > 1/s"} 1
    throng_threshold_held{threshold="p95 < 5ms (2)"} 0
    throng_threshold_held{threshold="dropped == 0 of tag a|b in each 10s, after 30s"} 0
    # HELP throng_validity 1 at the state that the run is in.
    # TYPE throng_validity gauge
    throng_validity{state="VALID"} 1
    throng_validity{state="SUSPECT"} 0
    throng_validity{state="INVALID"} 0
    # HELP throng_exit_code What the shell sees.
    # TYPE throng_exit_code gauge
    throng_exit_code 1
    # HELP throng_duration_seconds How long the run took, or the part of it that is shown.
    # TYPE throng_duration_seconds gauge
    throng_duration_seconds 2
    # EOF
    "#);
}

/// Runs of every outcome, and what is told of them.
fn outcomes() -> Vec<(&'static str, Run)> {
    let broken = || {
        let mut run = Run::new();
        run.thresholds = vec![
            threshold("p95 < 5ms", None, 12),
            threshold("rps > 1", None, 13),
            threshold("p95 < 5ms", None, 14),
            Threshold {
                when: When { every: Some(10), after: 30, abort: false },
                ..threshold("dropped == 0", Some(Of::Tag("a|b".into())), 15)
            },
        ];
        run
    };
    let with = |mut run: Run, change: fn(&mut Run)| {
        change(&mut run);
        run
    };
    vec![
        ("held", with(Run::new(), |run| run.texts.clear())),
        ("broke", broken()),
        ("suspect", with(Run::new(), |run| run.validity = Validity::Suspect(vec!["busy".into()]))),
        (
            "invalid",
            with(Run::new(), |run| {
                run.validity = Validity::Invalid(vec!["late".into(), "busy".into()]);
            }),
        ),
        ("stopped", with(Run::new(), |run| run.stopped = Some(StopReason::Terminated))),
        ("ended by the plan", with(Run::new(), |run| run.stopped = Some(StopReason::Plan))),
        ("no thresholds", with(Run::new(), |run| run.thresholds.clear())),
        (
            "fail on error",
            with(Run::new(), |run| {
                run.started.fail_on_error = true;
                run.thresholds.clear();
            }),
        ),
        (
            "nothing",
            with(broken(), |run| {
                run.names.clear();
                run.started.fail_on_error = true;
            }),
        ),
        (
            "large",
            with(broken(), |run| {
                let name = |at| request_name("GET", &format!("/{at}{}", "x".repeat(1000)));
                run.names = (0..3000).map(name).collect();
                run.texts = (0..30).map(|at| format!("expect: {at}")).collect();
                run.thresholds = (0..500).map(|at| threshold("rps > 1", None, at)).collect();
                run.thresholds.extend((0..60).map(|at| threshold("p95 < 5ms", None, at)));
                let reason = |at| format!("reason {at}");
                run.validity = Validity::Invalid((0..100).map(reason).collect());
                let label = |at| (format!("label-{at}"), "y".repeat(5000));
                run.started.labels = (0..100).map(label).collect();
            }),
        ),
    ]
}

/// What failed of each case, with the type of the failure.
fn failed(junit: &str) -> Vec<(String, String)> {
    let mut failed = Vec::new();
    let mut case = String::new();
    for element in read(junit) {
        match &*element.name {
            "testcase" => element.value("name").clone_into(&mut case),
            "failure" => failed.push((case.clone(), element.value("type").to_owned())),
            _ => {}
        }
    }
    failed
}

#[test]
fn what_cannot_be_said_says_what_it_takes() {
    let mut run = Run::new();
    run.thresholds[0].allow_few = false;
    let outputs = run.outputs();
    for text in [&outputs.junit, &outputs.summary, &outputs.annotations] {
        assert!(text.contains("of the 59 samples that it takes"), "{text}");
    }
}

#[test]
fn no_run_is_green_that_its_exit_code_does_not_call_so() {
    let trusted = "the run can be trusted";
    for (title, run) in outcomes() {
        let outputs = run.outputs();
        let failed = failed(&outputs.junit);
        let failed: Vec<_> =
            failed.iter().map(|(case, kind)| (case.as_str(), kind.as_str())).collect();
        let none_failed = "no request failed (--fail-on-error)";
        let want: &[(&str, &str)] = match title {
            "held" | "suspect" | "no thresholds" | "ended by the plan" => &[],
            "broke" => &[
                ("p95 < 5ms", "broke"),
                ("p95 < 5ms (2)", "broke"),
                ("dropped == 0 of tag a|b in each 10s, after 30s", "no data"),
            ],
            "invalid" => &[(trusted, "not trusted")],
            "stopped" => &[("the run came to its end", "stopped")],
            "fail on error" => &[(none_failed, "requests failed")],
            "nothing" => &[
                (none_failed, "no data"),
                ("p95 < 5ms", "no data"),
                ("rps > 1/s", "broke"),
                ("p95 < 5ms (2)", "no data"),
                ("dropped == 0 of tag a|b in each 10s, after 30s", "no data"),
            ],
            "large" => {
                assert_eq!((failed.len(), failed[0]), (61, (trusted, "not trusted")));
                continue;
            }
            other => panic!("what is told of {other}?"),
        };
        assert_eq!(failed, want, "{title}");
        let heading = outputs.summary.lines().next().unwrap();
        let mark = match (want.is_empty(), title) {
            (true, "no thresholds") => "## ℹ️ `Todo API`: no thresholds",
            (true, _) => "## ✅ `Todo API`: passed",
            (false, _) => "## ❌ `Todo API`: not passed",
        };
        assert_eq!(heading, mark, "{title}");
        let errors = outputs.annotations.lines().filter(|line| line.starts_with("::error "));
        assert_eq!(errors.count(), want.len(), "{title}");
        let warnings = outputs.annotations.matches("::warning ").count();
        assert_eq!(warnings, usize::from(title == "suspect"), "{title}");
        let counted = format!("failures=\"{}\"", want.len());
        assert!(outputs.junit.contains(&counted), "{title}");
    }
}

#[test]
fn a_page_stays_a_page_however_much_there_is() {
    let large = outcomes().pop().unwrap().1.outputs().summary;
    let lines = |begin: &str| large.lines().filter(|line| line.starts_with(begin)).count();
    assert_eq!(lines("| `GET "), 20);
    assert_eq!(lines("| ❌"), 50, "what did not hold stands above what did");
    assert_eq!(lines("- `reason"), 20);
    assert_eq!((lines("- Label: "), lines("- Labels left out: `80`")), (20, 1));
    assert_eq!(lines("| 1 | "), 10);
    let more: Vec<_> = large.lines().filter(|line| line.contains("more")).collect();
    let want = ["80", "510", "2,980", "89,990"].map(|count| format!("… and {count} more"));
    assert_eq!(more, want);
    assert!(large.len() < 64 * 1024, "{}", large.len());
}

#[test]
fn the_summary_of_a_step_is_added_to_and_has_a_size() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("step.md");
    std::fs::write(&path, "what was there").unwrap();
    assert!(append_summary(&path, "## one\n").unwrap());
    assert!(append_summary(&path, "## two\n").unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "what was there\n## one\n\n## two\n");
    let room = 1024 * 1024 - text.len() - 1;
    assert!(!append_summary(&path, &"x".repeat(room + 1)).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "nothing was added");
    assert!(append_summary(&path, &"x".repeat(room)).unwrap());
    assert!(append_summary(folder.path(), "x").is_err());
}

#[test]
fn the_texts_are_left_for_other_programs() {
    let runs = outcomes().into_iter().map(|(title, run)| (title.to_owned(), run, false));
    let hostile = hostile().into_iter().map(|text| {
        let run = Run::hostile(&text);
        (text, run, true)
    });
    let mut all = Vec::new();
    for (title, run, hostile) in runs.chain(hostile) {
        let Outputs { junit, summary, metrics, annotations } = run.outputs();
        all.push(serde_json::json!({
            "title": title,
            "hostile": hostile,
            "shown": one_line(&title),
            "thresholds": run.thresholds.len(),
            "names": run.names.len(),
            "junit": junit,
            "summary": summary,
            "metrics": metrics,
            "annotations": annotations,
        }));
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ci.json");
    std::fs::write(path, serde_json::to_string(&all).unwrap()).unwrap();
}
