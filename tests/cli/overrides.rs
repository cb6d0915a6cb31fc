//! `-u`, `-r`, `--ramp`, `-t`, `--profile`, class names.

use super::support::{Folder, plan, todo_api};

fn run(options: &str) -> serde_json::Value {
    let api = todo_api();
    let folder = Folder::new();
    let line =
        format!("run {} --target http://{} --out out {options}", plan("todo.yaml"), api.address());
    let said = folder.throng(&line);
    assert!(said.code <= 1, "{}{}", said.out, said.err);
    folder.json("out/summary.json")
}

#[test]
fn u_r_and_t_replace_the_profile() {
    let summary = run("-u 6 -r 10 -t 2s TodoUser");
    assert_eq!(summary["plan"]["profile"], "6 users at 10/s");
    assert_eq!(
        (&summary["run"]["users_peak"], &summary["run"]["planned_s"]),
        (&6.into(), &2.0.into())
    );
    assert_eq!(summary["history"]["users"][0], 6.0);
}

#[test]
fn t_alone_cuts_the_profile() {
    let summary = run("-t 1s");
    assert_eq!(summary["plan"]["profile"], "profile quick, for 1s");
    // Five a second: the cut leaves the ramp as it is.
    assert_eq!(
        (&summary["run"]["users_peak"], &summary["run"]["planned_s"]),
        (&5.into(), &1.0.into())
    );
}

#[test]
fn every_profile_runs_and_ramp_and_locusts_words_are_known() {
    for (profile, peak) in
        [("load", 10), ("stress", 50), ("stairs", 10), ("spike", 100), ("soak", 2)]
    {
        let summary = run(&format!("--profile {profile} -t 1s"));
        assert_eq!(summary["run"]["users_peak"], peak, "{profile}");
    }
    let summary = run("-u 4 --ramp 500ms --run-time 1s --headless");
    assert_eq!(summary["plan"]["profile"], "4 users over 500ms");
    let summary = run("--users 4 --spawn-rate 8/s --run-time 1s --workers 2");
    assert_eq!(
        (&summary["plan"]["profile"], &summary["run"]["workers"]),
        (&"4 users at 8/s".into(), &2.into())
    );
}

#[test]
fn naming_classes_picks_them_even_those_without_a_weight() {
    let names = |summary: serde_json::Value| -> Vec<String> {
        let rows = summary["names"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| {
                format!("{} {}", row["method"].as_str().unwrap(), row["name"].as_str().unwrap())
            })
            .collect()
    };
    assert_eq!(
        names(run("-u 1 -t 1s MixedWorkloadUser")),
        [
            "POST /todos/",
            "GET /todos/",
            "PUT /todos/{id} [complete]",
            "DELETE /todos/{id} [delete done]"
        ]
    );
    let stress = names(run("-u 2 -t 1s StressTestUser"));
    assert!(stress.iter().all(|name| !name.contains("[POST - Create]")), "{stress:?}");
    let todo = names(run("-u 10 -t 1s"));
    assert!(todo.iter().all(|name| name.contains('[')), "{todo:?}");
}

/// Law 9: all randomness comes from the run's seed.
#[test]
fn a_seed_gives_the_same_requests_again() {
    let counts = |seed: u32| {
        let summary = run(&format!("-u 8 -t 1s --seed {seed} TodoUser"));
        assert_eq!(summary["run"]["seed"], seed);
        let rows = summary["names"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| (row["name"].to_string(), row["requests"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    // Waits are a second at least: in the first one every user has done exactly its first task.
    assert_eq!(counts(7), counts(7));
}

/// A slip of a tag would leave out everything, or nothing, and the run would look well.
#[test]
fn a_tag_that_nothing_carries_is_a_mistake() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "target: http://127.0.0.1:1\nusers:\n  One:\n    wait: 1s\n    tags: [whole]\n    tasks:\n      a: { tags: [smoke], steps: [ { get: /a, tags: [reads] } ] }\nprofiles: { only: { users: 1, hold: 1s } }\n",
    );
    for verb in ["check", "try", "run"] {
        for option in ["--tags", "--exclude-tags"] {
            let said = folder.throng(&format!("{verb} plan.yaml {option} smok"));
            assert_eq!(said.code, 2, "{verb}: {}", said.err);
            assert!(said.err.contains("nothing in the plan has the tag `smok`"), "{}", said.err);
            assert!(said.err.contains("did you mean `smoke`?"), "{}", said.err);
        }
    }
    let said = folder.throng("check plan.yaml --tags zzz");
    assert!(said.err.contains("it has: reads, smoke, whole"), "{}", said.err);
    let said = folder.throng("check plan.yaml --tags whole --exclude-tags reads,smoke");
    assert!(!said.err.contains("has the tag"), "{}", said.err);
    let said = folder.throng("run plan.yaml --tags smoke One");
    assert!(said.err.contains("`One` is a user class: write it before"), "{}", said.err);
    folder.file(
        "bare.yaml",
        "target: http://127.0.0.1:1\nusers:\n  One:\n    wait: 1s\n    tasks: { a: { get: /a } }\nprofiles: { only: { users: 1, hold: 1s } }\n",
    );
    let said = folder.throng("check bare.yaml -E slow");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("it has no `tags`"), "{}", said.err);
}

#[test]
fn a_list_or_a_map_of_the_plan_is_not_set_from_the_command_line() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "target: http://127.0.0.1:1\nvars: { ids: [1], who: { name: a } }\nusers:\n  One:\n    wait: 1s\n    tasks: { a: { get: '/{{ ids[0] }}/{{ who.name }}', name: a } }\nprofiles: { only: { users: 1, hold: 1s } }\n",
    );
    for (set, kind) in [("ids=2", "`ids` is a list"), ("who=2", "`who` is a map")] {
        let said = folder.throng(&format!("check plan.yaml --set {set}"));
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(kind) && said.err.contains("1 error"), "{}", said.err);
        assert!(said.err.contains("`--set` sets text, numbers, true and false"), "{}", said.err);
    }
}

const JUDGED: &str = r#"users:
  Reader:
    wait: 1s
    tasks: { read: { tags: [reads], get: /todos/ } }
  Writer:
    wait: 1s
    tasks:
      write: { tags: [writes], steps: [ { group: save, do: [ { post: /todos/, json: { title: a } } ] } ] }
profiles: { only: { users: 2, hold: 1s } }
thresholds:
  - error_rate < 1%
  - { of: Reader, must: error_rate < 1% }
  - { of: Writer, must: error_rate < 1% }
  - { of: save, must: max < 10m }
  - { of: { tag: writes }, must: error_rate < 1% }
  - { of: POST /todos/, must: error_rate < 1% }
"#;

/// Law 1: what can be known before the first request is told before it.
#[test]
fn a_threshold_of_what_is_left_out_is_told_before_the_run() {
    let folder = Folder::new();
    folder.file("plan.yaml", JUDGED);
    let told = |arguments: &str| {
        let said = folder.throng(arguments);
        let titles = said.err.lines().filter(|line| line.ends_with("cannot hold"));
        (said.code, titles.map(str::to_owned).collect::<Vec<_>>(), said)
    };
    let of_writer = [
        "warning: `error_rate < 1%` of class `Writer` cannot hold",
        "warning: `max < 10m` of group `save` cannot hold",
        "warning: `error_rate < 1%` of tag `writes` cannot hold",
        "warning: `error_rate < 1%` of name `POST /todos/` cannot hold",
    ];
    for arguments in ["--tags reads", "--exclude-tags writes"] {
        let (code, titles, said) = told(&format!("check plan.yaml {arguments}"));
        assert_eq!((code, &titles[..]), (0, &of_writer.map(str::to_owned)[..]), "{}", said.err);
        let label = "these tags leave out what it is of, and no data is not a pass";
        assert!(said.err.contains(label), "{}", said.err);
    }
    assert_eq!(told("check plan.yaml").1, Vec::<String>::new());
    let run = |arguments: &str| told(&format!("run plan.yaml {arguments} --demo --out out"));
    for arguments in ["Reader", "--tags reads", "--exclude-tags writes"] {
        let (code, titles, said) = run(arguments);
        assert_eq!((code, &titles[..]), (1, &of_writer.map(str::to_owned)[..]), "{}", said.err);
        // As the end has it.
        assert_eq!(said.out.matches("no data  not a pass").count(), 4, "{}", said.out);
    }
    let (code, titles, said) = run("");
    assert_eq!((code, titles), (0, Vec::new()), "{}{}", said.out, said.err);
}
