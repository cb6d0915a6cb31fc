//! Owns `junit.xml`: a test case for each threshold, and for what makes a run fail whatever they say.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::case::{Case, Outcome, cases};
use super::{figures, json};
use crate::event::{Ended, Started};
use crate::untrusted::one_line;

/// The run as a test suite, in the order of elements and with the attributes that both the JUnit XSD of
/// Apache Ant's tasks and that of Jenkins ask for.
///
/// # Errors
/// None: it is written into memory.
pub fn junit_xml(started: &Started, ended: &Ended<'_>) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites");
    let xml = suites.write_inner_content(|xml| suite(xml, started, ended))?;
    let mut text = String::from_utf8_lossy(xml.get_ref()).into_owned();
    text.push('\n');
    Ok(text)
}

type Xml = Writer<Vec<u8>>;

fn suite(xml: &mut Xml, started: &Started, ended: &Ended<'_>) -> io::Result<()> {
    let cases = cases(started, ended);
    let failed = cases.iter().filter(|case| case.outcome.is_failure()).count();
    let (tests, failed) = (cases.len().to_string(), failed.to_string());
    // A zone is not allowed here; it is UTC.
    let at = started.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let seconds = format!("{:.3}", figures::lasted(ended.summary, ended.again).as_secs_f64());
    let name =
        [&started.plan_name, &started.plan_file].into_iter().find(|name| !name.trim().is_empty());
    let name = one_line(name.map_or("plan", String::as_str));
    let file = one_line(&started.plan_file);
    xml.create_element("testsuite")
        .with_attributes([
            ("name", &*name),
            ("tests", &*tests),
            ("failures", &*failed),
            ("errors", "0"),
            ("time", &*seconds),
            ("timestamp", &*at),
            // Where it ran is not asked: this is what the XSD says to write then.
            ("hostname", "localhost"),
            ("package", &*file),
            ("id", "0"),
        ])
        .write_inner_content(|xml| {
            xml.create_element("properties")
                .write_inner_content(|xml| properties(xml, started, ended))?;
            // The whole time stands at one of them, so that it is not counted several times.
            let times = std::iter::once(&*seconds).chain(std::iter::repeat("0"));
            cases.iter().zip(times).try_for_each(|(one, time)| case(xml, one, &file, time))?;
            let text = lines(system_out(ended));
            xml.create_element("system-out").write_text_content(BytesText::new(&text))?;
            xml.create_element("system-err").write_text_content(BytesText::new(""))?;
            Ok(())
        })?;
    Ok(())
}

fn properties(xml: &mut Xml, started: &Started, ended: &Ended<'_>) -> io::Result<()> {
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut properties = vec![
        property("profile", &started.profile),
        property("target", &started.target),
        property("seed", &started.seed.to_string()),
        property("validity", ended.verdict.validity.word()),
        property("exit_code", &ended.exit_code.to_string()),
        property("throng", env!("CARGO_PKG_VERSION")),
    ];
    properties.extend(figures::part(ended.again).map(|part| property("shown", &part)));
    let labels = started.labels.iter();
    properties.extend(labels.map(|(key, value)| (format!("label.{key}"), value.clone())));
    for (name, value) in &properties {
        xml.create_element("property")
            .with_attributes([("name", &*one_line(name)), ("value", &*one_line(value))])
            .write_empty()?;
    }
    Ok(())
}

fn case(xml: &mut Xml, case: &Case<'_>, file: &str, time: &str) -> io::Result<()> {
    let name = one_line(&case.name);
    let element = xml.create_element("testcase").with_attributes([
        ("classname", file),
        ("name", &*name),
        ("time", time),
    ]);
    let kind = match case.outcome {
        Outcome::Passed => return element.write_empty().map(drop),
        Outcome::NotJudged => {
            let skipped = element
                .write_inner_content(|xml| xml.create_element("skipped").write_empty().map(drop));
            return skipped.map(drop);
        }
        Outcome::Failed(kind) => kind,
    };
    let message = format!("{}: {}", case.name, case.shown.first().map_or("", String::as_str));
    let at = case.written.map(|written| format!("{}:{}", written.file, written.line));
    let text = [message.clone()].into_iter().chain(case.shown.iter().skip(1).cloned()).chain(at);
    let (message, text) = (one_line(&message), lines(text));
    element
        .write_inner_content(|xml| {
            xml.create_element("failure")
                .with_attributes([("type", kind), ("message", &*message)])
                .write_text_content(BytesText::new(&text))?;
            Ok(())
        })
        .map(drop)
}

/// The verdict, and the totals.
fn system_out(ended: &Ended<'_>) -> Vec<String> {
    let (summary, validity) = (ended.summary, &ended.verdict.validity);
    let all = summary.aggregated();
    let response = all.stats.response();
    let mut lines = vec![
        json::sentence(ended),
        format!(
            "requests {}, failed {} ({}), {}/s, p50 {}, p95 {}, p99 {}, max {}",
            figures::count(all.stats.requests()),
            figures::count(all.stats.failed()),
            figures::share(all.error_rate().unwrap_or(0.0)),
            figures::rate(all.requests_per_s()),
            figures::ms_or_dash(response.quantile_ms(0.5)),
            figures::ms_or_dash(response.quantile_ms(0.95)),
            figures::ms_or_dash(response.quantile_ms(0.99)),
            figures::ms_or_dash(response.max_ms()),
        ),
        validity.word().to_owned(),
    ];
    lines.extend(validity.reasons().iter().cloned());
    lines
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<_> = lines.into_iter().map(|line| one_line(&line).into_owned()).collect();
    lines.join("\n")
}
