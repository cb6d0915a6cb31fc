//! Owns runs that tell how the generator and its machine fared.

use std::time::Duration;

use throng::metrics::{Health, Interval, Level, Throttled};

use super::{MS, Run, run, second};

/// A machine that tells all of itself: half of the seconds it is full.
pub fn telling(at: u32) -> Health {
    let level = |value| Some(Level::over(value, 1));
    Health {
        cores: Some(4),
        process: level(1200 + u64::from(at)),
        machine: level(if at.is_multiple_of(2) { 960 } else { 540 }),
        stolen: level(20),
        files: level(70),
        files_limit: Some(1024),
        sockets: level(1264),
        ports: Some(28_232),
        memory: level(31_400_000),
        available: level(2_200_000_000),
        memory_total: Some(8_300_000_000),
        throttled: Some(Throttled { of_s: 1, seconds: 1, times: 2, us: 40_000 }),
        suspended_ms: Some(0),
        ..Health::default()
    }
    .counted(1)
}

/// All that a machine does is done by throng, so many thousandths of what it could do; the first second has
/// nothing that it could be measured from.
pub fn alone(at: u32, thousandths: u64) -> Interval {
    let level = |value| (at > 0).then(|| Level::over(value, 1));
    let mut interval = second(at, 2, 4);
    interval.health = Health {
        cores: Some(4),
        process: level(thousandths * 4),
        machine: level(thousandths),
        ..Health::default()
    }
    .counted(1);
    interval
}

/// More arrives than its users can do.
pub fn arriving(at: u32, late_us: u64) -> Interval {
    let mut interval = second(at, 2, 4);
    (interval.arrivals, interval.dropped) = (20, 8);
    interval.stall_us = Some(1300);
    (0..7).for_each(|_| interval.waited.record(MS(600 + u64::from(at))));
    (0..5).for_each(|_| interval.beat_late.record(Duration::from_micros(late_us)));
    interval.health = telling(at);
    interval
}

#[test]
fn the_report_shows_how_the_generator_fared() {
    let page = run("overrun").html();
    for text in [
        "<ul class=\"reasons suspect\">",
        "<li>the processors of this machine were 90% busy or more in 30 of 60 seconds: run fewer users, or give throng a machine of its own</li>",
        "<strong class=\"warn\">SUSPECT</strong>",
        "<dt>Processors it used</dt><dd>1.23 of 4 <small>1.26 at most</small>",
        "<dd>75% busy <small>96% at most, 2% went to other machines</small>",
        "<dt>A worker stood still</dt><dd>1.30ms <small>at most</small>",
        "<dt>Open files</dt><dd>70 <small>of 1,024</small>",
        "<dd>1,264 <small>28,232 local ports</small>",
        "<dd>31.4 MB <small>2.2 GB of 8.3 GB left on the machine</small>",
        "<dd>in 60 seconds <small>2.40s in all</small>",
        "<dt>Suspended</dt><dd>never</dd>",
        "<dt>Began late</dt><dd>0.60ms <small>99th percentile of 300 arrivals, 0.60ms at most</small>",
        "1,200 arrivals were due. 420 waited for a free user, up to 659ms (99th percentile), which is part of the response time; 480 were dropped, as none of at most 50 users was free.",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let late = run("late").html();
    for text in [
        "<ul class=\"reasons invalid\">",
        "<li>arrivals began up to 9.0ms late (p99), more than 5ms beside a median response of",
        "<strong class=\"bad\">INVALID</strong>",
        "not to be trusted",
    ] {
        assert!(late.contains(text), "{text} is missing");
    }
    let silent = run("mixed").html();
    assert!(silent.contains("This system tells nothing of it."));
    assert!(!silent.contains("arrivals were due") && !silent.contains("not told"));
    let warm = Run { part: Some((0, 8)), warmup: 8, ..run("overrun") }.html();
    assert!(warm.contains("What it told is of the warm-up, which is left out of the figures:"));
    assert!(warm.contains("id=\"chart-generator\"") && !warm.contains("tells nothing"));
    let mut seconds = vec![second(0, 2, 4)];
    seconds[0].health.files = Some(Level::over(70, 1));
    let some = Run::new("Some of it", seconds).html();
    for text in [
        "<dt>Open files</dt><dd>70</dd>",
        "<dt>Suspended</dt><dd><span class=\"dim\">not told</span></dd>",
    ] {
        assert!(some.contains(text), "{text} is missing");
    }
}
