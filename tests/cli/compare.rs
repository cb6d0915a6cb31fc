//! Two runs compared, and several of each: what is said, in each form, and the exit code.

use std::time::Duration;

use serde_json::{Value, json};
use throng::event::Started;
use throng::metrics::{Catalogue, Failure, Interval, RequestName};
use throng::record::{Ending, KeptSecond, Line};
use throng::verdict::Threshold;

use super::support::Folder;

/// A run that was recorded: two names, whose times go up and down in a way that is always the same.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) seconds: u32,
    /// Requests of each name per second, and their median times in milliseconds.
    pub(super) each: u32,
    pub(super) medians: [f64; 2],
    /// So many of a hundred requests fail.
    pub(super) fails: u32,
    pub(super) profile: &'static str,
    pub(super) whole: bool,
    pub(super) exit_code: u8,
    pub(super) thresholds: &'static [&'static str],
}

pub(super) const RUN: Run = Run {
    seconds: 65,
    each: 10,
    medians: [40.0, 90.0],
    fails: 0,
    profile: "profile load",
    whole: true,
    exit_code: 0,
    thresholds: &[],
};

impl Run {
    fn started(&self) -> Started {
        let name =
            |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
        let names = vec![name("GET", "/todos/"), name("POST", "/todos/ [create]")];
        Started {
            plan_name: "Shop".into(),
            plan_file: "shop.yaml".into(),
            plan_text: String::new(),
            plan_format: "yaml".into(),
            profile: self.profile.into(),
            target: "http://127.0.0.1:1".into(),
            insecure: false,
            seed: 1,
            os: "linux x86_64".into(),
            workers: 1,
            users_peak: 10,
            planned: Duration::from_secs(65),
            warmup: Duration::from_secs(5),
            iterations: None,
            fail_on_error: false,
            spans: vec![],
            labels: vec![],
            command_line: "throng run shop.yaml".into(),
            at: "2026-11-24T12:00:00Z".parse().unwrap(),
            catalogue: Catalogue { names, ..Catalogue::default() },
            search: None,
            baseline: None,
            thresholds: self
                .thresholds
                .iter()
                .map(|text| Threshold::parse(text).unwrap())
                .collect(),
            out: String::new(),
        }
    }

    /// Records it in a folder of the folder; `seed` makes it another one of the same.
    pub(super) fn record(&self, folder: &Folder, name: &str, seed: u32) {
        let mut number = seed;
        // A congruential generator: 0 up to 1.
        let mut random = || {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(number >> 8) / f64::from(1 << 24)
        };
        let mut lines = vec![
            json!({ "throng_record": 1, "throng": "0.1.0", "about": "" }),
            json!({ "started": self.started() }),
        ];
        for second in 0..=self.seconds {
            let mut held = Interval::second(second);
            let level = 1.0 + 0.05 * (random() - 0.5);
            for (number, median) in self.medians.iter().enumerate() {
                let stats = held.names.entry(number as u16).or_default();
                held.issued += u64::from(self.each);
                for _ in 0..self.each {
                    // Up to a half less and twice as much, and what ends first is fast.
                    let spread = (1.4 * (random() - 0.5)).exp();
                    let warm = if second < 5 { 10.0 } else { 1.0 };
                    let time = Duration::from_secs_f64(median * level * spread * warm / 1e3);
                    if random() * 100.0 < f64::from(self.fails) {
                        stats.response_failed.record(time);
                        stats.failures.push((Failure::Status(500), Default::default()));
                        stats.failures.dedup();
                    } else {
                        stats.response_ok.record(time);
                    }
                }
            }
            // The last second is cut short.
            let within_load = second < self.seconds;
            lines.push(line(&Line::Second(Box::new(KeptSecond {
                asked_users: 10,
                within_load,
                loaded: Duration::from_secs(self.seconds.into()),
                held,
            }))));
        }
        if self.whole {
            lines.push(line(&Line::Ended(Box::new(Ending {
                duration: Duration::from_millis(u64::from(self.seconds) * 1000 + 300),
                loaded: Duration::from_millis(u64::from(self.seconds) * 1000 + 200),
                lost: 0,
                stopped: None,
                stopped_by: None,
                evidence: None,
                health: Default::default(),
                exit_code: self.exit_code,
                at: "2026-11-24T12:01:06Z".parse().unwrap(),
            }))));
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
        folder.file(&format!("{name}/record.jsonl"), &text);
    }
}

fn line(line: &Line) -> Value {
    serde_json::to_value(line).unwrap()
}

#[test]
fn two_runs_of_the_same_show_no_difference() {
    let folder = Folder::new();
    RUN.record(&folder, "before", 1);
    RUN.record(&folder, "after", 2);
    let said = folder.throng("compare before after");
    assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
    insta::assert_snapshot!(said.out, @r##"
    Baseline: before (1 run of 1m)
    New:      after (1 run of 1m)

                  baseline     new  change         interval
    All requests
      p50           60.1ms  59.4ms   -1.1%   -5.2% to +3.2%  = no difference shown
      p95            159ms   160ms  +0.24%   -3.7% to +4.3%  = no difference shown
      p99            177ms   177ms  -0.14%   -2.8% to +2.6%  = no difference shown
      requests/s    20.0/s  20.0/s      0%         0% to 0%  = no difference shown
      error rate        0%      0%    0 pt   -0.25 to +0.25  = no difference shown
    GET /todos/
      p50           40.5ms  41.1ms   +1.4%    -8.5% to +12%  = no difference shown
      p95           76.1ms  74.1ms   -2.6%  -5.6% to +0.48%  = no difference shown
      p99           79.7ms  79.1ms   -0.8%   -4.2% to +2.7%  = no difference shown
      requests/s    10.0/s  10.0/s      0%         0% to 0%  = no difference shown
      error rate        0%      0%    0 pt     -0.5 to +0.5  = no difference shown
    POST /todos/ [create]
      p50           88.7ms  90.4ms   +1.9%    -7.7% to +12%  = no difference shown
      p95            170ms   169ms  -0.08%   -4.4% to +4.4%  = no difference shown
      p99            180ms   179ms  -0.43%   -2.7% to +1.9%  = no difference shown
      requests/s    10.0/s  10.0/s      0%         0% to 0%  = no difference shown
      error rate        0%      0%    0 pt     -0.5 to +0.5  = no difference shown

    Requests of one second are alike, so blocks of seconds were drawn, each a tenth of its run, 2,000 times a run.
    Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's correction for 15 figures, by 5% or more; an error rate by 0.1 points besides.
    One run a side does not tell how runs differ from each other: several tell more.

    No difference shown: no figure changed by 5% or more beyond chance.
    "##);
}

#[test]
fn a_run_that_is_worse_says_so_and_exits_with_one() {
    let folder = Folder::new();
    RUN.record(&folder, "before", 1);
    Run { medians: [40.0, 126.0], fails: 4, ..RUN }.record(&folder, "after", 2);
    let said = folder.throng("compare before after --html page.html");
    assert_eq!((said.code, &*said.err), (1, ""), "{}", said.out);
    insta::assert_snapshot!(said.out, @r##"
    Baseline: before (1 run of 1m)
    New:      after (1 run of 1m)

                  baseline     new   change         interval
    All requests
      p50           60.1ms  71.0ms     +18%     +14% to +23%  ✗ worse
      p95            159ms   224ms     +40%     +35% to +46%  ✗ worse
      p99            177ms   247ms     +40%     +36% to +44%  ✗ worse
      requests/s    20.0/s  20.0/s       0%         0% to 0%  = no difference shown
      error rate        0%    4.5%  +4.5 pt     +3.1 to +5.9  ✗ worse
    GET /todos/
      p50           40.5ms  41.1ms    +1.4%    -8.5% to +12%  = no difference shown
      p95           76.1ms  74.1ms    -2.6%  -5.6% to +0.48%  = no difference shown
      p99           79.7ms  79.1ms    -0.8%   -4.2% to +2.7%  = no difference shown
      requests/s    10.0/s  10.0/s       0%         0% to 0%  = no difference shown
      error rate        0%   4.83%  +4.8 pt     +2.8 to +6.9  ✗ worse
    POST /todos/ [create]
      p50           88.7ms   126ms     +43%     +29% to +57%  ✗ worse
      p95            170ms   237ms     +40%     +34% to +46%  ✗ worse
      p99            180ms   251ms     +39%     +36% to +43%  ✗ worse
      requests/s    10.0/s  10.0/s       0%         0% to 0%  = no difference shown
      error rate        0%   4.17%  +4.2 pt     +2.2 to +6.1  ✗ worse

    Requests of one second are alike, so blocks of seconds were drawn, each a tenth of its run, 2,000 times a run.
    Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's correction for 15 figures, by 5% or more; an error rate by 0.1 points besides.
    One run a side does not tell how runs differ from each other: several tell more.

    Worse: the error rate of all requests is 4.5 points higher (3.1 to 5.9 points). 8 more figures are worse.
    "##);
    let page = folder.read("page.html");
    assert!(page.contains("<span class=\"pill\">worse</span>"), "{page}");
    assert!(page.contains("\"baseline\":[{\"name\":\"before\",\"step_s\":1,"));

    // The same the other way round is better, and with a greater least change there is nothing.
    let back = folder.throng("compare after before --format markdown");
    assert_eq!((back.code, &*back.err), (0, ""), "{}", back.out);
    insta::assert_snapshot!(back.out, @r##"
    ## ✅ Compared with the baseline: better

    Better: the error rate of all requests is 4.5 points lower (3.1 to 5.9 points). 8 more figures are better. Nothing is shown to be worse.

    | of | figure | baseline | new | change | 95% interval | |
    |:--|:--|--:|--:|--:|:-:|:--|
    | all requests | p50 | 71.0ms | 60.1ms | -15% | -19% to -12% | **✓ better** |
    |  | p95 | 224ms | 159ms | -29% | -32% to -26% | **✓ better** |
    |  | p99 | 247ms | 177ms | -28% | -30% to -26% | **✓ better** |
    |  | requests/s | 20.0/s | 20.0/s | 0% | 0% to 0% | = no difference shown |
    |  | error rate | 4.5% | 0% | -4.5 pt | -5.9 to -3.1 | **✓ better** |
    | `GET /todos/` | p50 | 41.1ms | 40.5ms | -1.4% | -11% to +9.3% | = no difference shown |
    |  | p95 | 74.1ms | 76.1ms | +2.7% | -0.48% to +5.9% | = no difference shown |
    |  | p99 | 79.1ms | 79.7ms | +0.81% | -2.7% to +4.4% | = no difference shown |
    |  | requests/s | 10.0/s | 10.0/s | 0% | 0% to 0% | = no difference shown |
    |  | error rate | 4.83% | 0% | -4.8 pt | -6.9 to -2.8 | **✓ better** |
    | `POST /todos/ [create]` | p50 | 126ms | 88.7ms | -30% | -36% to -23% | **✓ better** |
    |  | p95 | 237ms | 170ms | -28% | -32% to -25% | **✓ better** |
    |  | p99 | 251ms | 180ms | -28% | -30% to -27% | **✓ better** |
    |  | requests/s | 10.0/s | 10.0/s | 0% | 0% to 0% | = no difference shown |
    |  | error rate | 4.17% | 0% | -4.2 pt | -6.1 to -2.2 | **✓ better** |

    Baseline: `after`, 1 run of 1m; new: `before`, 1 run of 1m.

    Requests of one second are alike, so blocks of seconds were drawn, each a tenth of its run, 2,000 times a run. Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's correction for 15 figures, by 5% or more; an error rate by 0.1 points besides. One run a side does not tell how runs differ from each other: several tell more.
    "##);
    let least = folder.throng("compare before after --least 90% --format json");
    let json: Value = serde_json::from_str(&least.out).unwrap();
    let p95 = &json["names"][1]["figures"][1];
    assert_eq!((least.code, p95["figure"].as_str()), (1, Some("p95")), "the error rate was 0");
    assert_eq!(p95["outcome"], "no_difference");
    let ratio = p95["change_ratio"].as_f64().unwrap();
    assert!((1.3..1.5).contains(&ratio), "{ratio}");
    assert_eq!(json["method"]["least_change_fraction"], 0.9);
}

#[test]
fn several_runs_of_each_side_are_compared_by_their_ranks() {
    let folder = Folder::new();
    for run in 0..4 {
        RUN.record(&folder, &format!("before/{run}"), 10 + run);
        Run { medians: [60.0, 135.0], ..RUN }.record(&folder, &format!("after/{run}"), 20 + run);
    }
    // Not a fifth: it is one of them.
    std::os::unix::fs::symlink("3", folder.path().join("before/latest")).unwrap();
    let said = folder.throng("compare before after");
    assert_eq!((said.code, &*said.err), (1, ""), "{}", said.out);
    insta::assert_snapshot!(said.out, @r##"
    Baseline: before (4 runs of 1m or longer)
    New:      after (4 runs of 1m or longer)

                  baseline     new  change      interval
    All requests
      p50           60.5ms  89.2ms    +47%  +40% to +52%  ? cannot say [1]
      p95            157ms   236ms    +50%  +44% to +57%  ✗ worse
      p99            176ms   264ms    +50%  +48% to +53%  ? cannot say [1]
      requests/s    20.0/s  20.0/s      0%      0% to 0%  ? cannot say [1]
      error rate        0%      0%    0 pt        0 to 0  ? cannot say [1]
    GET /todos/
      p50           40.9ms  59.0ms    +44%  +34% to +58%  ? cannot say [1]
      p95           75.0ms   113ms    +50%  +44% to +53%  ? cannot say [1]
      p99           79.5ms   119ms    +50%  +47% to +52%  ? cannot say [1]
      requests/s    10.0/s  10.0/s      0%      0% to 0%  ? cannot say [1]
      error rate        0%      0%    0 pt        0 to 0  ? cannot say [1]
    POST /todos/ [create]
      p50           91.9ms   135ms    +45%  +39% to +52%  ? cannot say [1]
      p95            167ms   254ms    +51%  +45% to +57%  ? cannot say [1]
      p99            178ms   268ms    +50%  +48% to +52%  ? cannot say [1]
      requests/s    10.0/s  10.0/s      0%      0% to 0%  ? cannot say [1]
      error rate        0%      0%    0 pt        0 to 0  ? cannot say [1]

    [1] so few runs can judge 1 of 15 figures at 5%; give at least 6 a side

    Runs were compared by their ranks (Mann-Whitney), the change is the median of all pairs of runs (Hodges-Lehmann): it need not be the ratio of the two figures beside it.
    Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's correction for 1 figure, by 5% or more; an error rate by 0.1 points besides.

    Worse: p95 of all requests is 50% higher (44 to 57%).
    "##);
    let few = folder.throng("compare before/1 after");
    assert_eq!(few.code, 1, "no data is not a pass: {}", few.out);
    let verdict =
        "Cannot say: 1 and 4 runs can never show a difference at 5%; give at least 4 a side.\n";
    assert!(few.out.ends_with(verdict), "{}", few.out);
}

#[test]
fn what_looks_worse_and_cannot_be_judged_is_no_pass() {
    let folder = Folder::new();
    for run in 0..4 {
        let old = Run { medians: [10.0, 90.0], ..RUN };
        old.record(&folder, &format!("before/{run}"), 10 + run);
        Run { medians: [27.0, 90.0], ..RUN }.record(&folder, &format!("after/{run}"), 20 + run);
    }
    let said = folder.throng("compare before after");
    assert_eq!(said.code, 1, "{}", said.out);
    insta::assert_snapshot!(said.out.lines().last().unwrap(), @"Cannot say of 14 figures: too few runs; p95 of GET /todos/ is 169% higher (159 to 175%), which 6 runs a side could judge.");
    // The other way round nothing looks worse.
    let said = folder.throng("compare after before");
    assert_eq!(said.code, 0, "{}", said.out);
    insta::assert_snapshot!(said.out.lines().last().unwrap(), @"No difference shown: of 15 figures 1 could be judged, and none of them changed by 5% or more beyond chance.");
}

#[test]
fn a_name_that_is_no_longer_sent_is_no_pass() {
    let folder = Folder::new();
    RUN.record(&folder, "before", 1);
    RUN.record(&folder, "after", 2);
    let record = folder.read("after/record.jsonl").replace("[create]", "[make]");
    folder.file("after/record.jsonl", &record);
    let said = folder.throng("compare before after");
    assert_eq!(said.code, 1, "{}", said.out);
    insta::assert_snapshot!(said.out.lines().last().unwrap(), @"Cannot say: the new side never sent POST /todos/ [create]. Only the new side sent POST /todos/ [make].");
    // Less for the system to do is not better.
    Run { medians: [20.0, 30.0], ..RUN }.record(&folder, "fast", 2);
    let record = folder.read("fast/record.jsonl").replace("[create]", "[make]");
    folder.file("fast/record.jsonl", &record);
    let said = folder.throng("compare before fast --format json");
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, json["verdict"]["state"].as_str()), (1, Some("cannot_say")));
}

#[test]
fn runs_of_different_plans_are_compared_with_a_warning() {
    let folder = Folder::new();
    RUN.record(&folder, "before", 1);
    RUN.record(&folder, "after", 2);
    let record = folder.read("after/record.jsonl");
    let mut all = String::new();
    for (from, to) in
        [("\"Shop\"", "\"Other\""), ("\"plan_text\":\"\"", "\"plan_text\":\"users:\"")]
    {
        assert!(record.contains(from), "{from}");
        folder.file("after/record.jsonl", &record.replace(from, to));
        let said = folder.throng("compare before after");
        assert_eq!(said.code, 0, "{said:?}");
        all += &said.err;
    }
    insta::assert_snapshot!(all, @r##"
    warning: the runs are of different plans: Shop, and Other
      what differs may be that, and not the system
    warning: the plans of the runs differ, though both are called Shop
      what differs may be that, and not the system
    "##);
}

#[test]
fn what_makes_runs_hard_to_compare_is_said() {
    let folder = Folder::new();
    RUN.record(&folder, "before", 1);
    let other = Run { profile: "20 users for 1m5s", whole: false, seconds: 30, ..RUN };
    other.record(&folder, "after", 2);
    let said = folder.throng("compare before after");
    insta::assert_snapshot!(said.err, @r##"
    warning: the record of `after` stops before the end of the run
      it is compared up to there
    warning: the runs did not ask for the same load: profile load, and 20 users for 1m5s
      what differs may be that, and not the system
    "##);
    let cannot = "Cannot say: 25 whole seconds are too few; measure for 30s or longer.\n";
    assert!(said.code == 3 && said.out.ends_with(cannot), "{said:?}");
    Run { exit_code: 3, ..RUN }.record(&folder, "late", 3);
    let said = folder.throng("compare before late");
    insta::assert_snapshot!(said.err, @r##"
    warning: `late` could not be trusted
      its report says why: what is compared may be the generator
    "##);
}

#[test]
fn what_cannot_be_compared_is_a_mistake() {
    let folder = Folder::new();
    RUN.record(&folder, "runs/before", 1);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    folder.file("notes.txt", "nothing\n");
    let mut all = String::new();
    for arguments in [
        "compare runs/before nowhere",
        "compare runs/before empty",
        "compare runs/before notes.txt",
        "compare runs/before runs",
        "compare runs/before empty --least 5",
        "compare runs/before",
    ] {
        let said = folder.throng(arguments);
        assert_eq!((said.code, &*said.out), (2, ""), "{arguments}");
        all += &format!("> {arguments}\n{}", said.err);
    }
    insta::assert_snapshot!(all, @r##"
    > compare runs/before nowhere
    error: there is no `nowhere`
     |
     = help: name a folder of results, as `results/latest`, or a record in one

    1 error
    > compare runs/before empty
    error: `empty` holds no record of a run, nor does a folder in it
     |
     = help: name a folder of results, as `results/latest`, or one that holds several

    1 error
    > compare runs/before notes.txt
    error: `notes.txt` is no record of a run
     |
     = help: name a folder of results, in which there is `record.jsonl.gz`

    1 error
    > compare runs/before runs
    error: `runs/before` is on both sides
     |
     = help: compare a run with another one

    1 error
    > compare runs/before empty --least 5
    error: invalid value '5' for '--least <SHARE>': the unit is missing; write `5%`

    For more information, try '--help'.
    > compare runs/before
    error: the following required arguments were not provided:
      <NEW>

    Usage: throng compare <BASELINE> <NEW>

    For more information, try '--help'.
    "##);
}
