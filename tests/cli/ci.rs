//! What CI systems are told of a run: files, annotations, the summary of a step.

use std::path::Path;
use std::process::{Command, Stdio};

use super::support::{Folder, Said, Server, answer, said, server};

/// Every request fails: the thresholds are at lines 5, 6 and 7.
const PLAN: &str = "\
name: One page
users:
  Visitor: { wait: 20ms, tasks: { home: { get: / }, away: { weight: 0, get: /away } } }
thresholds:
  - error_rate < 1%
  - rps > 0
  - { of: /away, must: p95 < 500ms }
";

fn failing() -> Server {
    server(|_| Some(answer(500, "")))
}

/// `throng run ARGUMENTS` in a folder below `folder`, in a workflow of GitHub.
fn in_a_workflow(folder: &Folder, below: &str, arguments: &str) -> Said {
    let mut command = folder.command(arguments);
    command.current_dir(folder.path().join(below)).env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_WORKSPACE", folder.path());
    said(command.output().unwrap())
}

/// The workflow commands on stderr. On a busy machine any run is suspect, which is a warning.
fn commands(said: &Said) -> Vec<&str> {
    let all = said.err.lines().filter(|line| line.starts_with("::"));
    all.filter(|line| !line.starts_with("::warning title=throng%3A suspect::")).collect()
}

#[test]
fn thresholds_that_do_not_hold_are_annotated_at_their_own_lines() {
    let server = failing();
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("load/plans")).unwrap();
    folder.file("load/plans/one.yaml", PLAN);
    let absolute = folder.path().join("load/plans/one.yaml").display().to_string();
    // GitHub names files from the root of the repository, wherever the run was started.
    let ways = [
        ("", "load/plans/one.yaml"),
        ("load", "plans/one.yaml"),
        ("load/plans", "one.yaml"),
        ("load/plans", "../plans/one.yaml"),
        ("load", &absolute),
    ];
    for (below, plan) in ways {
        let run = format!("run {plan} --target http://{} --out out -u 1 -t 300ms", server.address);
        let said = in_a_workflow(&folder, below, &run);
        assert_eq!(said.code, 1, "{}", said.err);
        assert_eq!(
            commands(&said),
            [
                "::error file=load/plans/one.yaml,line=5,title=throng%3A broke::error_rate < 1%25: 100%25, since 1s",
                "::error file=load/plans/one.yaml,line=7,title=throng%3A no data::p95 < 500ms of /away: no data",
            ],
            "{plan} in `{below}`"
        );
        assert!(!said.out.contains("::"), "stdout is for results: {}", said.out);
    }
}

#[test]
fn a_repository_may_be_a_folder_of_the_workspace() {
    let server = failing();
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("app/.git")).unwrap();
    std::fs::create_dir_all(folder.path().join("app/plans")).unwrap();
    folder.file("app/plans/a,b: 100%.yaml", PLAN);
    let mut command = folder.command("run");
    command
        .arg("app/plans/a,b: 100%.yaml")
        .arg("--target")
        .arg(format!("http://{}", server.address));
    command.args(["--out", "out", "-u", "1", "-t", "300ms"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", folder.path());
    let said = said(command.output().unwrap());
    let place = "::error file=plans/a%2Cb%3A 100%25.yaml,line=5,title=";
    assert!(commands(&said)[0].starts_with(place), "{}", said.err);
}

#[test]
fn what_is_in_no_file_of_the_workspace_has_no_place() {
    let server = failing();
    let (folder, other) = (Folder::new(), Folder::new());
    other.file("plan.yaml", PLAN);
    let outside = other.path().join("plan.yaml").display().to_string();
    let run = format!("run {outside} --target http://{} --out out -u 1 -t 300ms", server.address);
    let first = in_a_workflow(&folder, "", &run);
    let want = "::error title=throng%3A broke::error_rate < 1%25: 100%25, since 1s";
    assert_eq!(commands(&first)[0], want);
    // Nor has a plan that came with the program.
    let sample = in_a_workflow(&folder, "", "run --demo --out sample -u 1 -t 300ms");
    let commands = commands(&sample);
    assert!(!commands.is_empty() && commands.iter().all(|line| !line.contains("file=")));
}

#[test]
fn included_thresholds_are_annotated_where_they_stand() {
    let server = failing();
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("load")).unwrap();
    let (users, thresholds) = PLAN.split_at(PLAN.find("thresholds:").unwrap());
    folder.file("load/plan.yaml", &format!("include: limits.yaml\n{users}"));
    folder.file("load/limits.yaml", &format!("# What must hold.\n\n{thresholds}"));
    let run = format!("run plan.yaml --target http://{} --out out -u 1 -t 300ms", server.address);
    let said = in_a_workflow(&folder, "load", &run);
    let commands = commands(&said);
    assert_eq!(commands.len(), 2, "{}", said.err);
    assert!(commands[0].starts_with("::error file=load/limits.yaml,line=4,"), "{commands:?}");
}

#[test]
fn outside_of_workflows_nothing_is_annotated() {
    let server = failing();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run = format!("run plan.yaml --target http://{} --out out -u 1 -t 300ms", server.address);
    let plain = folder.throng(&run);
    assert_eq!((plain.code, commands(&plain).len()), (1, 0));
    let mut command = folder.command(&run);
    command.env("GITHUB_ACTIONS", "false").env("GITHUB_STEP_SUMMARY", "");
    let off = said(command.output().unwrap());
    assert_eq!((off.code, commands(&off).len()), (1, 0));
}

#[test]
fn json_on_stdout_stays_json() {
    let server = failing();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    for options in ["--json", "--json --quiet"] {
        let address = server.address;
        let run =
            format!("run plan.yaml --target http://{address} --out out -u 1 -t 300ms {options}");
        let mut command = folder.command(&run);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "step.md");
        let output = command.output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["verdict"]["exit_code"], 1);
        assert!(
            String::from_utf8(output.stderr).unwrap().contains("\n::error file=plan.yaml,line=5,")
        );
    }
}

#[test]
fn the_summary_of_a_step_gets_that_of_each_run() {
    let server = failing();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN).file("step.md", "# Before\n");
    let run = format!("run plan.yaml --target http://{} -u 1 -t 300ms", server.address);
    for out in ["a", "b"] {
        let mut command = folder.command(&format!("{run} --out {out}"));
        // Wherever it runs: Gitea and Forgejo set it as well.
        command.env("GITHUB_STEP_SUMMARY", "step.md");
        assert_eq!(said(command.output().unwrap()).code, 1);
    }
    let (one, two) = (folder.read("a/summary.md"), folder.read("b/summary.md"));
    assert_eq!(folder.read("step.md"), format!("# Before\n\n{one}\n{two}"));
}

#[test]
fn a_summary_that_cannot_be_added_is_a_result_that_could_not_be_written() {
    let server = failing();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run = format!("run plan.yaml --target http://{} --out out -u 1 -t 300ms", server.address);
    let mut command = folder.command(&run);
    command.env("GITHUB_STEP_SUMMARY", "no/such/folder/step.md").env("GITHUB_ACTIONS", "true");
    let first = said(command.output().unwrap());
    let why = "error: could not write GITHUB_STEP_SUMMARY, no/such/folder/step.md: No such file or directory\n";
    assert_eq!(first.code, 3, "{}", first.err);
    assert!(first.err.contains(why), "{}", first.err);
    // Law 6: the others are there.
    assert!(folder.read("out/summary.md").starts_with("## ❌ `One page`: not passed\n"));
    assert_eq!(commands(&first).len(), 2);

    // One that GitHub would show nothing of any more is left alone, which is said.
    folder.file("step.md", &"x".repeat(1024 * 1024));
    let mut command = folder.command(&run);
    command.env("GITHUB_STEP_SUMMARY", "step.md");
    let full = said(command.output().unwrap());
    assert_eq!(full.code, 1, "{}", full.err);
    assert!(
        full.err.contains("warning: the summary of this step has no room left"),
        "{}",
        full.err
    );
    assert_eq!(folder.read("step.md").len(), 1024 * 1024);
}

#[test]
fn a_run_that_was_stopped_is_not_green() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &PLAN.replace("  - { of: /away, must: p95 < 500ms }\n", ""));
    let run = format!("run plan.yaml --target http://{} --out out -u 1 -t 10m", server.address);
    let mut command = folder.command(&run);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).env("GITHUB_ACTIONS", "true");
    let child = command.spawn().unwrap();
    for _ in 0..2 {
        server.asked.recv().unwrap();
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let said = said(child.wait_with_output().unwrap());
    assert_eq!(said.code, 143, "{}", said.err);
    let want = "<failure type=\"stopped\" message=\"the run came to its end: stopped by a signal, before its end\">";
    assert!(folder.read("out/junit.xml").contains(want));
    let want = "::error title=throng%3A stopped::the run came to its end: stopped by a signal, before its end";
    assert_eq!(commands(&said), [want]);
    assert!(folder.read("out/metrics.txt").contains("\nthrong_exit_code 143\n"));
}

#[test]
fn fail_on_error_is_a_case_of_its_own() {
    let server = failing();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN.split("thresholds:").next().unwrap());
    let run =
        format!("run plan.yaml --target http://{} --out out -u 1 -i 3 -t 30s", server.address);
    for (option, cases, failures) in [("", 2, 0), (" --fail-on-error", 3, 1)] {
        let said = folder.throng(&format!("{run}{option}"));
        assert_eq!(said.code, failures);
        let counts = format!(" tests=\"{cases}\" failures=\"{failures}\" errors=\"0\" ");
        let junit = folder.read("out/junit.xml");
        assert!(junit.contains(&counts), "{junit}");
        assert_eq!(
            junit.contains("(--fail-on-error): 3 of 3 requests failed\""),
            failures == 1,
            "{junit}"
        );
    }
    assert!(folder.read("out/summary.md").starts_with("## ❌ `One page`: not passed\n"));
}

#[test]
fn check_names_files_from_the_root_of_the_repository_too() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("load")).unwrap();
    folder.file("load/plan.yaml", &PLAN.replace("wait:", "wiat:"));
    let check = |workspace: Option<&Path>| {
        let mut command = folder.command("check plan.yaml --format github");
        command.current_dir(folder.path().join("load"));
        workspace.map(|workspace| command.env("GITHUB_WORKSPACE", workspace));
        said(command.output().unwrap()).out
    };
    assert!(check(Some(folder.path())).starts_with("::error file=load/plan.yaml,line=3,"));
    assert!(check(None).starts_with("::error file=plan.yaml,line=3,"));
    assert!(check(Some(Path::new("/no/such"))).starts_with("::error file=plan.yaml,line=3,"));
}

#[test]
fn what_a_server_sends_is_no_command_of_the_workflow() {
    let page = "a\n::stop-commands::x\n \t::add-mask::y\n##[error]z";
    let body = serde_json::json!({ "page": page }).to_string();
    let server = server(move |_| Some(answer(200, &body)));
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "users:\n  U:\n    wait: 50ms\n    tasks:\n      t:\n        steps:\n          - get: /\n            capture: { page: $.page }\n          - log: \"{{ page }}\"\n          - fail: \"{{ page }}\"\n",
    );
    let run =
        format!("run plan.yaml --target http://{} --out out -u 1 -i 2 -t 30s", server.address);
    let said = in_a_workflow(&folder, "", &run);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("\n: :stop-commands::x\n"), "{}", said.err);
    for text in [&said.out, &said.err] {
        assert!(!text.lines().any(|line| line.trim().starts_with("::stop")), "{text}");
        assert!(!text.lines().any(|line| line.trim().starts_with("::add")), "{text}");
        assert!(!text.contains("##["), "{text}");
    }
    // Elsewhere it is shown as it is.
    let plain = folder.throng(&run);
    assert!(plain.err.contains("\n::stop-commands::x\n"), "{}", plain.err);
}
