//! Options of `throng run` that say where from, where to, and what is printed.

use std::sync::atomic::Ordering;

use super::support::{Folder, answer, nothing, plan, server, todo_api};

const PLAN: &str = "users: { One: { wait: 50ms, tasks: { home: { get: / } } } }\n\
                    thresholds: [ error_rate < 100% ]\n";

#[test]
fn a_url_is_loaded_without_a_plan() {
    let server = server(|_| Some(answer(200, "hello")));
    let folder = Folder::new();
    let said = folder.throng(&format!(
        "run http://{}/a?b=1#part -n 25 -u 4 --header X-Test:1 --out out",
        server.address
    ));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains(" GET  /a?b=1 "), "{}", said.out);
    assert!(said.out.contains("No thresholds to judge: 25 requests, none failed."), "{}", said.out);
    assert_eq!(server.requests.load(Ordering::SeqCst), 25);
    let summary = folder.json("out/summary.json");
    assert_eq!(
        (&summary["run"]["iterations"], &summary["run"]["users_peak"]),
        (&25.into(), &4.into())
    );
    let text = summary["plan"]["text"].as_str().unwrap();
    assert!(
        text.contains("save it to go on from here") && text.contains("\"X-Test\": \"1\""),
        "{text}"
    );
    // It is a plan indeed.
    folder.file("saved.yaml", text);
    assert_eq!(folder.throng("check saved.yaml").code, 0);
    let more = folder.throng(&format!("run http://{} -n 2 -u 50 --out few", server.address));
    assert_eq!(more.code, 0, "{}", more.err);
    assert_eq!(folder.json("few/summary.json")["run"]["users_peak"], 2);
}

#[test]
fn a_url_takes_a_body_and_a_method() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file("body.json", r#"{"title":"from a file {{ randint(1, 9) }}"}"#);
    let url = format!("http://{}/todos/", api.address());
    let posted = folder.throng(&format!("run {url} -n 3 --data @body.json --fail-on-error"));
    assert_eq!(posted.code, 0, "{}{}", posted.out, posted.err);
    assert!(posted.out.contains(" POST  /todos/ "), "{}", posted.out);
    let put = folder.throng(&format!("run {url}1 -n 1 -X put --data {{}} --fail-on-error"));
    assert_eq!(put.code, 0, "{}{}", put.out, put.err);
    let deleted = folder.throng(&format!("run {url}1 -n 2 -X DELETE --fail-on-error"));
    assert_eq!(deleted.code, 1, "the second finds nothing: {}", deleted.out);
}

#[test]
fn what_does_not_fit_a_url_or_a_plan_is_said() {
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let said = |line: &str| {
        let said = folder.throng(line);
        assert_eq!(said.code, 2, "{line}");
        said.err
    };
    let template = folder.throng("run http://127.0.0.1:1/?limit={{randint(1,9)}} -n 1");
    assert_eq!(template.code, 4, "a template in a URL is filled in: {}", template.err);
    assert!(said("run http://127.0.0.1:1/ Todo").starts_with("error: `Todo` stands behind a URL"));
    assert!(said("run http://127.0.0.1:1/ -X FETCH").contains("`FETCH` is not a method"));
    assert!(said("run http://127.0.0.1:1/ --header nothing").contains("has no colon"));
    assert!(said("run http://127.0.0.1:1/ --data @gone.txt").contains("cannot read gone.txt"));
    assert!(said("run http://127.0.0.1:99999/").contains("`99999` is not a port"));
    assert!(said("run plan.yaml -n 5").starts_with("error: `--requests` is for a URL"));
    assert!(said("run plan.yaml --data x").starts_with("error: `--data` is for a URL"));
}

#[test]
fn json_is_all_there_is_on_stdout() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let said = folder.throng(&format!(
        "run http://{}/ -n 9 --json --label commit=1a2b3c --label branch=main --label odd=a\x7fb",
        server.address
    ));
    assert_eq!(said.code, 0);
    let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let file = std::fs::read_to_string(folder.results().join("summary.json")).unwrap();
    assert_eq!(said.out, file, "to the byte");
    assert_eq!(summary["totals"]["requests"], 9);
    assert_eq!(summary["run"]["labels"]["commit"], "1a2b3c");
    assert_eq!(summary["run"]["iterations_ended"], 9);
    assert!(
        said.err.contains("for 9 iterations, against"),
        "progress goes to stderr: {}",
        said.err
    );
    let report = std::fs::read_to_string(folder.results().join("report.html")).unwrap();
    assert!(report.contains("1a2b3c") && report.contains("main"));
}

#[test]
fn quiet_says_the_verdict_and_what_broke() {
    let server = server(|_| Some(answer(500, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", &PLAN.replace("100%", "1%"));
    let said = folder.throng(&format!(
        "run plan.yaml --target http://{} -u 1 -t 300ms --out out --quiet",
        server.address
    ));
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines[0], "  ✗ error_rate < 1%  100%  broke  since 1s");
    assert!(lines[2].starts_with("The threshold did not hold: "), "{lines:?}");
    assert_eq!(lines[3..], ["Results: out/report.html"]);
}

#[test]
fn copies_go_where_they_are_asked_for() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -n 4 --csv copies/todo --html copy.html"));
    assert_eq!(said.code, 0, "{}", said.err);
    let results = folder.results();
    for name in ["stats", "stats_history", "failures", "exceptions"] {
        let original = std::fs::read_to_string(results.join(format!("{name}.csv"))).unwrap();
        assert_eq!(folder.read(&format!("copies/todo_{name}.csv")), original, "{name}");
    }
    assert!(folder.read("copy.html").contains("<html"));
    let none = folder.throng(&format!("run {url} -n 4 --no-report --out bare"));
    assert_eq!(none.out.lines().last(), Some("Results: bare"));
    assert!(!folder.path().join("bare/report.html").exists());
    let wrong = folder.throng(&format!("run {url} -n 4 --html no/such/folder.html"));
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("cannot be written to `no/such/folder.html`: the folder that it would stand in cannot be had"),
        "{}",
        wrong.err
    );
    let folders = std::fs::read_dir(folder.path().join("results")).unwrap().count();
    assert_eq!(folders, 2, "the folder of the first run, and the link to it");
    folder.file("taken", "");
    let taken = folder.throng(&format!("run {url} -n 4 --out taken"));
    assert!(taken.err.contains("`taken`: a file stands where a folder is needed"), "{}", taken.err);
}

#[test]
fn latest_leads_to_the_newest_results() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    for _ in 0..2 {
        folder.throng(&format!("run http://{}/ -n 1 --quiet", server.address));
    }
    let results = folder.path().join("results");
    let target = std::fs::read_link(results.join("latest")).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&results)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "latest")
        .collect();
    names.sort();
    assert_eq!((names.len(), target.as_os_str()), (2, names[1].as_os_str()));
    assert!(folder.read("results/latest/summary.json").contains("\"totals\""));
}

#[test]
fn the_environment_gives_options_and_the_command_line_wins() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run = |line: &str| {
        let mut command = folder.command(line);
        command.env("THRONG_TARGET", format!("http://{}", server.address));
        command.env("THRONG_USERS", "3").env("THRONG_RUN_TIME", "200ms").env("THRONG_QUIET", "1");
        super::support::said(command.output().unwrap())
    };
    let from_environment = run("run plan.yaml --out a");
    assert_eq!((from_environment.code, from_environment.err.as_str()), (0, ""));
    assert_eq!(folder.json("a/summary.json")["run"]["users_peak"], 3);
    run("run plan.yaml --out b -u 2");
    assert_eq!(folder.json("b/summary.json")["run"]["users_peak"], 2);
}

#[test]
fn failed_requests_alone_are_1_only_when_asked() {
    let server = server(|_| Some(answer(404, "")));
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    assert_eq!(folder.throng(&format!("run {url} -n 3")).code, 0);
    assert_eq!(folder.throng(&format!("run {url} -n 3 --fail-on-error")).code, 1);
}

#[test]
fn a_run_in_which_nothing_ended_shows_nothing() {
    let server = server(|_| {
        std::thread::park();
        None
    });
    let folder = Folder::new();
    let url = format!("http://{}/", server.address);
    let said = folder.throng(&format!("run {url} -u 2 -t 200ms -s 0s"));
    assert_eq!(said.code, 0);
    assert!(said.out.contains("2 requests were cut at the end"), "{}", said.out);
    assert!(said.out.contains("The run shows nothing: no request ended. VALID"), "{}", said.out);
    assert_eq!(folder.throng(&format!("run {url} -u 2 -t 200ms -s 0s --fail-on-error")).code, 1);
}

#[test]
fn waiting_for_a_target_that_comes_up_later() {
    // Nothing listens there when the run begins; the first line on stderr says that it waits.
    let address = nothing();
    let folder = Folder::new();
    let mut child = folder.start(&format!("run http://{address}/ -n 2 --wait-for 60s"));
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, format!("waiting for http://{address}: connect refused"));
    let listener = std::net::TcpListener::bind(address).unwrap();
    let _server = super::support::serve_on(listener, |_| Some(answer(200, "")));
    // Read on, or the pipe would be closed.
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let gone = folder.throng(&format!("run http://{}/ -n 2 --wait-for 300ms", nothing()));
    assert_eq!(gone.code, 4);
    assert!(gone.err.contains("was never reached: connect refused"), "{}", gone.err);
}

#[test]
fn a_proxy_in_the_environment_is_ignored_and_said() {
    let server = server(|_| Some(answer(200, "")));
    let folder = Folder::new();
    let mut command = folder.command(&format!("run http://{}/ -n 2", server.address));
    command.env("HTTP_PROXY", format!("http://{}", nothing()));
    let said = super::support::said(command.output().unwrap());
    assert_eq!(said.code, 0);
    let note = "note: HTTP_PROXY is set and not used: load goes straight to the target\n";
    assert!(said.err.starts_with(note), "{}", said.err);
}

#[test]
fn metadata_addresses_are_never_loaded() {
    let folder = Folder::new();
    let said = folder.throng("run http://169.254.169.254/latest -n 1");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("link-local address, where clouds hand out credentials"));
}

#[test]
fn a_rate_that_no_class_has_a_share_of_is_not_run() {
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "target: http://127.0.0.1:9\nusers: { A: { fixed: 1, tasks: { a: { get: / } } }, B: { tasks: { b: { get: / } } } }\n\
         profile: open\nprofiles: { open: { rate: 5/s, hold: 1s }, own: { each: { A: { rate: 5/s, hold: 1s } } } }\n",
    );
    let said = folder.throng("run plan.yaml A");
    assert_eq!(said.code, 2, "{}", said.err);
    let nothing = "error: none of the classes that were named has any load in this profile\n";
    assert!(said.err.contains(nothing), "{}", said.err);
    let said = folder.throng("run plan.yaml --profile own B");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains(nothing), "{}", said.err);
    folder.file(
        "plan.yaml",
        "target: http://127.0.0.1:9\nusers: { A: { fixed: 1, tasks: { a: { get: / } } } }\n\
         profiles: { open: { rate: 5/s, hold: 1s } }\n",
    );
    let said = folder.throng("run plan.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    let nothing =
        "error: no user class has any load in this profile: `fixed` users get no arrivals\n";
    assert!(said.err.contains(nothing), "{}", said.err);
}

#[test]
fn options_of_the_contract_that_are_not_there_yet_say_so() {
    let folder = Folder::new();
    for option in ["--ui", "--ui=127.0.0.1:9"] {
        let said = folder.throng(&format!("run {} {option}", plan("todo.yaml")));
        assert_eq!(said.code, 2);
        let name = option.split([' ', '=']).next().unwrap();
        assert_eq!(
            said.err,
            format!(
                "error: `{name}` is not supported yet\n  take it out: this version cannot do it\n"
            )
        );
    }
    let slip = folder.throng(&format!("run {} --wiat-for 3s", plan("todo.yaml")));
    assert!(slip.err.contains("'--wait-for'"), "{}", slip.err);
}

#[test]
fn habits_of_other_tools_are_answered_with_ours() {
    let folder = Folder::new();
    let todo = plan("todo.yaml");
    for (line, answer) in [
        (format!("run {todo} --duration 5s"), "write `-t/--run-time`, as `-t 30s`"),
        (format!("run {todo} --vus=5"), "write `-u/--users`, as `-u 50`"),
        (format!("run {todo} -c 5"), "write `-u/--users`, as `-u 50`"),
        (format!("run -f {todo}"), "write the plan behind `run`, as `run plan.yaml`"),
        ("plan.yaml".into(), "write `throng run plan.yaml`"),
        ("http://127.0.0.1:1/".into(), "write `throng run http://127.0.0.1:1/`"),
        ("version".into(), "write `throng --version`"),
        (
            "run 127.0.0.1:1/todos/ -n 5".into(),
            "write `http://127.0.0.1:1/todos/` to load that address without a plan",
        ),
        ("run localhost".into(), "write `http://localhost` to load that address without a plan"),
    ] {
        let said = folder.throng(&line);
        assert_eq!(said.code, 2, "{line}");
        assert_eq!(
            said.err.lines().nth(1).unwrap_or_default().trim(),
            answer,
            "{line}: {}",
            said.err
        );
    }
    assert_eq!(folder.throng("help").code, 0);
    assert_eq!(folder.throng("import a b").err, "error: `throng import` is not supported yet\n");
    let demo = folder.throng("demo -c 5");
    assert!(!demo.err.contains("--users"), "the demo has no users: {}", demo.err);
    let address = folder.throng("run ::1");
    assert!(!address.err.contains("http://::1"), "{}", address.err);
    // A plan may be called like a host.
    folder.file("localhost", PLAN);
    let options = folder.throng("run localhost -X POST");
    assert!(options.err.starts_with("error: `--method` is for a URL"), "{}", options.err);
}

#[test]
fn the_demo_brings_a_plan_of_its_own() {
    let folder = Folder::new();
    let said = folder.throng("run --demo -u 100 -t 1s --out out");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(folder.json("out/summary.json")["plan"]["name"], "Todo API");
    assert_eq!(folder.throng("run").code, 2);
    let mut off = folder.command("run -u 1 -t 1s");
    let off = super::support::said(off.env("THRONG_DEMO", "0").output().unwrap());
    assert_eq!(off.code, 2, "{}", off.err);
    assert!(off.err.starts_with("error: no plan is named\n"), "{}", off.err);
}

#[test]
fn shells_get_their_completions_and_people_a_manual() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.throng(&format!("completions {shell}"));
        assert_eq!(script.code, 0);
        assert!(script.out.contains("spawn-rate"), "{shell}");
    }
    let manual = folder.throng("man");
    assert_eq!(manual.code, 0);
    for text in [".TH throng", "fail\\-on\\-error", "THRONG_USERS", "130"] {
        assert!(manual.out.contains(text), "{text}");
    }
}
