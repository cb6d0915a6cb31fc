//! What is told of each request, one by one. That it adds up is checked in every run of these tests.

use throng::metrics::Outcome;
use throng::protocol::fake::Reply;

use crate::support::{Came, MS, Run, class, run, status, steps};

/// Name, due, sent and end in milliseconds from the start, status, retries, and what it ended in.
type Told<'a> = (&'a str, u128, Option<u128>, u128, Option<u16>, u32, Outcome);

fn told(came: &Came) -> Vec<Told<'_>> {
    let ms = |at: tokio::time::Instant| (at - came.start).as_millis();
    came.listed
        .iter()
        .map(|counted| {
            let sample = &counted.sample;
            let name = &*came.program.catalogue.names[usize::from(sample.name)].name;
            let (due, sent, ended) = (ms(sample.due), sample.sent.map(ms), ms(sample.ended));
            (name, due, sent, ended, sample.status, sample.retries, sample.outcome)
        })
        .collect()
}

#[test]
fn a_request_is_told_once_however_often_it_is_sent() {
    let came = steps(
        "- { get: /a, retry: { status: 503, times: 2, wait: 100ms } }\n\
         - { get: /b, record: off }\n\
         - { get: /c }",
    )
    .against(|_, nth| status(if nth < 2 { 503 } else { 201 }, ""));
    assert_eq!(
        told(&came),
        [
            ("/a", 202, Some(202), 203, Some(201), 2, Outcome::Succeeded),
            ("/c", 204, Some(204), 205, Some(201), 0, Outcome::Succeeded),
        ]
    );
}

#[test]
fn what_ends_after_the_load_and_what_is_cut_is_told_as_that() {
    let plan = class(
        "wait: none\non_start: [{ get: /first }]\ntasks: { all: { get: /slow, name: slow } }",
        "{ users: 1, hold: 1s }",
    );
    let script = |_: &[u8], nth: u64| Reply::new(MS([10, 980, 700, 9000][nth as usize]), Ok(200));
    let came = Run { grace: Some(MS(2000)), ..run(&plan) }.against(script);
    let ok = Outcome::Succeeded;
    assert_eq!(
        told(&came),
        [
            ("/first", 0, Some(0), 10, Some(200), 0, ok),
            ("slow", 10, Some(10), 990, Some(200), 0, ok),
            ("slow", 990, Some(990), 1690, Some(200), 0, ok),
        ]
    );
    let grace: Vec<_> = came.listed.iter().map(|one| (one.second, one.after_load)).collect();
    assert_eq!(grace, [(0, false), (0, false), (1, true)]);
    let cut = Run { grace: Some(MS(500)), ..run(&plan) }.against(script);
    assert_eq!(told(&cut)[2], ("slow", 990, None, 1500, None, 0, Outcome::Cancelled));
    assert!(cut.listed[2].after_load);
}
