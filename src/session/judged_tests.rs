//! Owns random runs with random thresholds, judged here and written with a row for each request: an
//! independent script judges them again from those rows, see tests/peers/judge.py.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::conclude::Conclusion;
use super::fold::{Asked, Fold, timetable};
use crate::control::StopReason;
use crate::event::{Closing, Event, Started};
use crate::metrics::{
    Catalogue, Facet, Failure, Fault, Health, Interval, Opening, Outcome, Recorder, RequestName,
    Sample,
};
use crate::random::Stream;
use crate::sink::{FanOut, RequestsCsv, SummaryJson};
use crate::verdict::{Of, Threshold};

const RUNS: u64 = 30;
/// For all runs together more than a thousand.
const THRESHOLDS: usize = 40;

const NAMES: [(&str, &str); 6] = [
    ("GET", "/todos/"),
    ("POST", "/todos/"),
    ("GET", "=1+1, \"quoted\""),
    ("DELETE", "/todos/{id}"),
    ("PUT", "-@ üñí"),
    ("GET", "never asked"),
];
const CLASSES: [&str; 3] = ["Reader", "=Writer", "Nobody"];
const TAGS: [&str; 3] = ["smoke", "paying", "@odd"];

/// What happens to a request, by its number.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Issued,
    SentAgain,
    Recorded,
}

/// A request, and the worker that sends it.
struct Coming {
    worker: usize,
    sample: Sample,
    under_way: bool,
}

struct Simulated {
    random: Stream,
    start: Instant,
    catalogue: Catalogue,
    /// The series that are asked, with the median of their times in milliseconds.
    series: Vec<(u16, f64)>,
    warmup: Duration,
    loaded: Duration,
    grace: Duration,
}

fn series(random: &mut Stream) -> (Catalogue, Vec<(u16, f64)>) {
    let mut catalogue = Catalogue { texts: vec!["a rule, broken".into()], ..Catalogue::default() };
    let mut asked = Vec::new();
    for (method, name) in NAMES {
        for class in CLASSES {
            let number = u16::try_from(catalogue.names.len()).expect("there are few");
            catalogue.names.push(RequestName { method: method.into(), name: name.into() });
            let tags = TAGS.iter().filter(|_| random.fraction() < 0.4);
            let tags = tags.map(|tag| (*tag).to_owned()).collect();
            catalogue.facets.push(Facet { class: class.into(), tags });
            if name != "never asked" && class != "Nobody" {
                asked.push((number, 2.0 + 300.0 * random.fraction().powi(3)));
            }
        }
    }
    (catalogue, asked)
}

impl Simulated {
    fn new(number: u64) -> Self {
        let mut random = Stream::new(7, 0, number);
        let (catalogue, series) = series(&mut random);
        let seconds = 4 + random.below(40) as u64;
        let warmup = Duration::from_millis([0, 0, 1000, 2300][random.below(4)]);
        let loaded =
            Duration::from_secs(seconds) + Duration::from_millis(random.below(1000) as u64);
        let grace = Duration::from_millis(random.below(3000) as u64);
        Self { random, start: Instant::now(), catalogue, series, warmup, loaded, grace }
    }

    /// A time of about so many milliseconds: half of them within a factor of two, some far beyond.
    fn time(&mut self, median: f64) -> Duration {
        let ms = match self.random.below(20) {
            0 => median * (1.0 / (1.0 - self.random.fraction() * 0.999)).sqrt() * 3.0,
            _ => median * (2.0 * (self.random.fraction() - 0.5)).exp2(),
        };
        Duration::from_nanos((ms * 1e6) as u64)
    }

    fn outcome(&mut self) -> Outcome {
        match self.random.below(60) {
            0 => Outcome::Failed(Failure::Status(503)),
            1 => Outcome::Failed(Failure::Fault(Fault::TtfbTimeout)),
            2 => Outcome::Failed(Failure::Rule(0)),
            _ => Outcome::Succeeded,
        }
    }

    /// All requests that are issued while load is asked for, and what happens to them in its order.
    fn requests(&mut self, workers: usize) -> (Vec<Coming>, Vec<(Duration, usize, Happens)>) {
        let rate = [0.5, 20.0, 120.0][self.random.below(3)];
        let mut at = Duration::ZERO;
        let (mut all, mut happens) = (Vec::new(), Vec::new());
        loop {
            at += Duration::from_secs_f64(self.random.fraction() * 2.0 / rate);
            if at >= self.loaded {
                break;
            }
            // Some seconds are quiet.
            if at.as_secs() % 9 == 5 && self.random.fraction() < 0.98 {
                continue;
            }
            let (name, median) = self.series[self.random.below(self.series.len())];
            let is_late = self.random.fraction() < 0.3;
            let sent = if is_late { at + self.time(4.0) } else { at };
            let ended = sent + self.time(median);
            let outcome = self.outcome();
            let is_fault = matches!(outcome, Outcome::Failed(Failure::Fault(_)));
            let was_sent = !is_fault || self.random.fraction() < 0.5;
            let first_byte = self.random.duration(sent, ended);
            let connect = (self.random.fraction() < 0.1).then(|| {
                let whole = self.time(3.0);
                Opening::new(whole, (self.random.fraction() < 0.5).then_some(whole / 2))
            });
            let number = all.len();
            happens.push((at, number, Happens::Issued));
            for _ in 0..self.random.below(30).saturating_sub(27) {
                happens.push((self.random.duration(sent, ended), number, Happens::SentAgain));
            }
            // Of those that are sent together the first to end are noticed with the last.
            let delay = if self.random.below(50) == 0 { self.time(100.0) } else { Duration::ZERO };
            happens.push((ended + delay, number, Happens::Recorded));
            let sample = Sample {
                name,
                due: self.start + at,
                sent: was_sent.then_some(self.start + sent),
                first_byte: was_sent.then_some(self.start + first_byte),
                ended: self.start + ended,
                connect,
                body_bytes: self.random.below(5000) as u64,
                decoded_bytes: 0,
                status: Some(200),
                retries: 0,
                outcome,
            };
            all.push(Coming { worker: self.random.below(workers), sample, under_way: false });
        }
        happens.sort_by_key(|(at, ..)| *at);
        (all, happens)
    }

    /// A threshold that may hold or break: its limit is near to what is seen.
    fn threshold(&mut self) -> Threshold {
        let random = &mut self.random;
        let mut pick = |all: &[&str]| all[random.below(all.len())].to_owned();
        let of = match pick(&["all", "all", "name", "method", "class", "tag"]).as_str() {
            "name" => Some(Of::Name(pick(&NAMES.map(|(_, name)| name)))),
            "method" => {
                let name = pick(&NAMES.map(|(_, name)| name));
                Some(Of::Name(format!("{} {name}", pick(&["GET", "POST", "DELETE"]))))
            }
            "class" => Some(Of::Class(pick(&CLASSES))),
            "tag" => Some(Of::Tag(pick(&TAGS))),
            _ => None,
        };
        let op = pick(&["<", "<=", ">", ">="]);
        let metric = pick(&[
            "time",
            "time",
            "time",
            "time",
            "rps",
            "requests",
            "failures",
            "error_rate",
            "retries",
        ]);
        let whole_op = if random.below(6) == 0 { "==".to_owned() } else { op.clone() };
        let text = match metric.as_str() {
            "rps" => format!("rps {op} {}", 1 + random.below(90)),
            "requests" => format!("requests {whole_op} {}", random.below(800)),
            "failures" => format!("failures {whole_op} {}", 1 + random.below(30)),
            "retries" => format!("retries {whole_op} {}", 1 + random.below(30)),
            "error_rate" => format!("error_rate {op} {}%", 1 + random.below(9)),
            _ => {
                let mut pick = |all: &[&str]| all[random.below(all.len())].to_owned();
                let of = pick(&["", "", "", "ok.", "service.", "connect.", "tls.", "ttfb."]);
                let what = pick(&["p50", "p75", "p90", "p95", "p99", "p99.9", "avg", "min", "max"]);
                let ms = 1.0 + 900.0 * random.fraction().powi(3);
                format!("{of}{what} {op} {ms:.1}ms")
            }
        };
        let every = (random.below(3) == 0).then(|| 1 + random.below(6) as u32);
        let after = if random.below(4) == 0 { random.below(12) as u32 } else { 0 };
        // One that ends the run leaves the others less to see.
        let abort = random.below(90) == 0;
        let parsed = Threshold::parse(&text);
        let mut threshold = parsed.unwrap_or_else(|error| panic!("{text}: {error}"));
        threshold.of = of;
        (threshold.when.every, threshold.when.after) = (every, after);
        threshold.when.abort = abort;
        threshold.allow_few = random.below(3) == 0;
        threshold
    }

    /// Has the run measured, judged and written into `folder`.
    fn run(mut self, folder: &Path) {
        let thresholds: Vec<Threshold> = (0..THRESHOLDS).map(|_| self.threshold()).collect();
        let workers = 1 + self.random.below(3);
        let (mut coming, happens) = self.requests(workers);
        let (sink, outlet) = RequestsCsv::create(folder.join("requests.csv")).unwrap();
        let mut fan_out = FanOut::default();
        fan_out.add(sink);
        fan_out.add(SummaryJson::new(Some(folder.join("summary.json"))));
        fan_out.take(&Event::Started(&self.started(&thresholds)));
        let mut fold = Fold::new(&self.catalogue, &thresholds, timetable(self.warmup, &[]));
        let names = self.catalogue.names.len();
        let recorder = |_| Recorder::new(self.start, names, 0).listed(outlet.clone());
        let mut recorders: Vec<Recorder> = (0..workers).map(recorder).collect();
        let mut happens = happens.into_iter().peekable();
        let (mut loaded, mut stopped_by) = (self.loaded, None);
        let mut last = Duration::ZERO;
        for second in 0.. {
            let end = Duration::from_secs(second + 1);
            if loaded < end {
                recorders.iter_mut().for_each(|one| one.load_ended(self.start + loaded));
            }
            let cut = loaded + self.grace;
            while let Some((at, number, what)) = happens.next_if(|(at, ..)| *at < end.min(cut)) {
                let Coming { worker, sample, under_way } = &mut coming[number];
                let recorder = &mut recorders[*worker];
                match what {
                    Happens::Issued if at < loaded => {
                        recorder.issued();
                        *under_way = true;
                    }
                    Happens::SentAgain if *under_way => {
                        recorder.retried(Some(sample.name));
                        sample.retries += 1;
                    }
                    Happens::Recorded if *under_way => {
                        recorder.record(sample);
                        *under_way = false;
                        last = at;
                    }
                    // After the run was stopped.
                    _ => {}
                }
            }
            if cut < end {
                for Coming { worker, sample, .. } in coming.iter().filter(|one| one.under_way) {
                    let ended = self.start + cut;
                    let (sent, first_byte, status) = (None, None, None);
                    let (connect, body_bytes, outcome) = (None, 0, Outcome::Cancelled);
                    recorders[*worker].record(&Sample {
                        ended,
                        sent,
                        first_byte,
                        status,
                        connect,
                        body_bytes,
                        outcome,
                        ..*sample
                    });
                    last = cut;
                }
                coming.clear();
            }
            let over = cut < end || happens.peek().is_none();
            let mut interval = Interval::default();
            for recorder in &mut recorders {
                let seconds = recorder.take_finished(self.start + end);
                seconds.iter().for_each(|second| interval.merge(second));
            }
            let until = if over { loaded.min(last) } else { loaded };
            let within_load = end <= until;
            let asked = Asked { interval: &interval, users: 0, within_load, loaded: until };
            let broke = fold.second(&asked, &mut fan_out);
            if over {
                // Nobody ends before the seconds that are over.
                last = last.max(Duration::from_secs(second));
                break;
            }
            if let (Some(broke), None) = (broke, &stopped_by) {
                stopped_by = Some(broke);
                loaded = loaded.min(end + Duration::from_millis(3));
            }
        }
        let loaded = loaded.min(last);
        let folded = fold.end(last, loaded, &Health::default());
        let conclusion = Conclusion {
            folded: &folded,
            asides: &[],
            evidence: None,
            steered: &[],
            thresholds: &[],
            search: None,
            stopped: stopped_by.as_ref().map(|_| StopReason::Threshold),
            stopped_by: stopped_by.as_deref(),
            fail_on_error: false,
            workers: 2,
            closing: Closing { loaded, ..Closing::default() },
            again: None,
            at: jiff::Timestamp::now(),
        };
        let _ = conclusion.conclude(&mut fan_out);
        assert_eq!(fan_out.failures(), []);
        assert_eq!(folded.summary.unaccounted(), 0, "law 4");
    }

    fn started(&self, thresholds: &[Threshold]) -> Started {
        Started {
            plan_name: "Simulated".into(),
            plan_file: "plan.yaml".into(),
            plan_text: String::new(),
            plan_format: "yaml".into(),
            profile: "short".into(),
            target: "http://127.0.0.1:8000".into(),
            insecure: false,
            seed: 7,
            os: "linux x86_64".into(),
            workers: 1,
            users_peak: 1,
            planned: self.loaded,
            warmup: self.warmup,
            iterations: None,
            spans: Vec::new(),
            fail_on_error: false,
            labels: Vec::new(),
            command_line: String::new(),
            at: jiff::Timestamp::now(),
            catalogue: self.catalogue.clone(),
            thresholds: thresholds.to_vec(),
            search: None,
            baseline: None,
            out: String::new(),
        }
    }
}

/// Leaves them in `target/tmp/judged`, a folder for each.
#[test]
fn random_runs_are_written_to_be_judged_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/judged");
    let _ = std::fs::remove_dir_all(&folder);
    for number in 0..RUNS {
        let folder = folder.join(number.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        Simulated::new(number).run(&folder);
    }
}
