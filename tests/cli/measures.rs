//! What a plan measures beside its requests: groups, `before` and `after`, warm-up, retries.

use super::support::{Folder, answer, server};

const PLAN: &str = r#"
name: Shop
target: http://127.0.0.1:8000
secrets: [SHOP_PASSWORD]
before:
  - get: /health
after:
  - get: /status/500
users:
  Buyer:
    wait: 100ms
    tasks:
      buy:
        steps:
          - when: user.iteration == 3
            stop: run
          - group: checkout
            tags: [paying]
            do:
              - get: /flaky?key={{ user.iteration }}
                name: /flaky
                retry: { status: 503, times: 3, wait: 1ms }
              - get: /anything/cart
                expect: { json: $.path, equals: /somewhere }
              - get: /health
                record: off
          - log: "bought {{ user.iteration }} with swordfish"
          - fail: "out of stock: {{ user.iteration }}"
  Locked:
    fixed: 1
    on_start:
      - get: /status/401
    tasks:
      never: { get: /never }
profiles:
  short: { users: 2, hold: 1h }
thresholds:
  - retries <= 6
  - { of: /flaky, must: retries < 6 }
  - { of: paying, must: requests > 1 }
  - { of: { class: Buyer }, must: requests > 1 }
  - { of: checkout, must: max < 20s }
"#;

fn text<'a>(value: &'a serde_json::Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
fn what_is_no_request_of_the_run_is_shown_in_every_result() {
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let mut command = folder.command("run plan.yaml --demo --out out --seed 1");
    let said = super::support::said(command.env("SHOP_PASSWORD", "swordfish").output().unwrap());
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);

    for line in ["bought 0 with ***", "bought 1 with ***", "bought 2 with ***"] {
        assert!(said.err.contains(line), "{}", said.err);
    }
    for line in [
        "Groups: time without waits\n",
        "Before the first user: once, in no other figure\n",
        "After the last user: once, in no other figure\n",
        "        1  status 500  GET /status/500\n",
        " a user could not start: its `on_start` failed\n",
        "\n6 retries: only the last attempt of a request is in the figures\n",
        "\n3 requests kept out of the tables by `record: off`\n",
        "        3  expect: $.path equals /somewhere (saw \"/anything/cart\")  GET /anything/cart\n",
        "✓ retries <= 6                 6\n",
        "✗ retries < 6 of /flaky        6  broke  since 1s\n",
        "✓ requests > 1 of tag paying   6\n",
        "✓ requests > 1 of class Buyer  6\n",
        "✓ max < 20s of group checkout  ",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }

    let summary = folder.json("out/summary.json");
    let group = &summary["groups"][0];
    assert_eq!(
        (text(group, "name"), &group["count"], &group["failures"]),
        ("checkout", &3.into(), &3.into())
    );
    assert!(group["time_ms_p95"].as_f64().unwrap() > 0.0);
    let run = &summary["run"];
    assert_eq!((&run["retries"], &run["unrecorded"]), (&6.into(), &3.into()));
    assert!(run["not_started"].as_u64().unwrap() >= 1);
    assert_eq!(
        (&summary["before"]["requests"], &summary["before"]["failures"]),
        (&1.into(), &serde_json::json!([]))
    );
    assert_eq!(text(&summary["after"]["failures"][0], "error"), "status 500");
    assert_eq!(summary["warmup"], serde_json::Value::Null);
    let names = summary["names"].as_array().unwrap();
    assert!(names.iter().all(|name| !["/health", "/status/500"].contains(&text(name, "name"))));
    let expect = summary["failures"].as_array().unwrap().iter();
    let mut expect = expect.filter(|failure| text(failure, "id") == "rule");
    assert_eq!(expect.next().unwrap()["examples"], serde_json::json!(["\"/anything/cart\""]));
    let of: Vec<_> = summary["thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["of_kind"].as_str().unwrap_or("-"), one["of"].as_str().unwrap_or("-")))
        .collect();
    assert_eq!(
        of,
        [
            ("-", "-"),
            ("name", "/flaky"),
            ("tag", "paying"),
            ("class", "Buyer"),
            ("group", "checkout")
        ]
    );

    let stats = folder.read("out/stats.csv");
    let rows: Vec<&str> = stats.lines().rev().take(2).collect();
    assert!(rows[1].starts_with("GROUP,checkout,3,3,"), "{stats}");
    assert!(
        rows[0].starts_with(&format!(",Aggregated,{},", summary["totals"]["requests"])),
        "{stats}"
    );
    assert!(!folder.read("out/stats_history.csv").contains("GROUP"));
    let failures = folder.read("out/failures.csv");
    assert!(
        failures.contains("GET,/anything/cart,expect: $.path equals /somewhere,3,"),
        "{failures}"
    );
    let exceptions = folder.read("out/exceptions.csv");
    assert!(
        exceptions.contains("3,fail: out of stock: {{ user.iteration }},,local\r\n"),
        "{exceptions}"
    );
    let report = folder.read("out/report.html");
    for heading in ["h-groups", "h-before", "h-after"] {
        assert!(report.contains(&format!("<h2 id=\"{heading}\">")), "{heading}");
    }
}

/// Law 4 holds over the edge of the warm-up: what was under way then is carried over.
#[test]
fn the_warm_up_is_in_no_figure_and_no_threshold() {
    let api = server(|nth| Some(answer(if nth < 3 { 503 } else { 200 }, "")));
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        "warmup: 1s\nusers: { One: { wait: 5ms, tasks: { home: { get: / } } } }\n\
         thresholds: [ failures < 1, rps > 1 ]\n",
    );
    let line = format!("run plan.yaml --target http://{} --out out -u 3 -t 3s", api.address);
    let said = folder.throng(&line);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let summary = folder.json("out/summary.json");
    let count = |value: &serde_json::Value| value.as_u64().unwrap();
    let (run, totals, warm) = (&summary["run"], &summary["totals"], &summary["warmup"]);
    // How busy this machine is does not matter here.
    assert_ne!(text(&summary["validity"], "state"), "INVALID");
    let requests = count(&warm["totals"]["requests"]);
    assert_eq!((count(&warm["totals"]["failures"]), count(&totals["failures"])), (3, 0));
    assert!(said.out.contains(", 3 failed; left out of the figures above\n"), "{}", said.out);
    assert!(said.out.contains("\nwarm-up 1s: "), "{}", said.out);
    assert_eq!(
        count(&warm["issued"]) + count(&run["issued"]),
        requests
            + count(&warm["cancelled"])
            + count(&totals["requests"])
            + count(&run["cancelled"]),
    );
    assert_eq!(run["loaded_s"], 2.0);
    let rate = totals["requests_per_s"].as_f64().unwrap();
    assert!(rate <= count(&totals["requests"]) as f64 / 2.0, "{rate} of {totals}");
    assert_eq!(
        (&warm["history"]["time_s"], &summary["history"]["time_s"][0]),
        (&serde_json::json!([0]), &1.into())
    );
    assert_eq!(
        count(&totals["requests"]) + requests,
        api.requests.load(std::sync::atomic::Ordering::SeqCst) as u64 - count(&run["cancelled"])
    );
}

#[test]
fn the_plan_is_among_the_results_and_runs_again() {
    let api = super::support::todo_api();
    let folder = Folder::new();
    folder.file("shared.yaml", "flows: { look: { steps: { get: /todos/ } } }\n");
    folder.file(
        "plan.yaml",
        "name: Mine\ninclude: shared.yaml\nsecrets: [SHOP_PASSWORD]\n\
         users: { One: { wait: 5ms, tasks: { home: { get: /health?key=swordfish } } } }\n",
    );
    let run = |line: &str| {
        let line = format!("run {line} --target http://{} -u 1 -t 100ms", api.address());
        let mut command = folder.command(&line);
        let said =
            super::support::said(command.env("SHOP_PASSWORD", "swordfish").output().unwrap());
        assert_eq!(said.code, 0, "{}", said.err);
    };
    run("plan.yaml --out out");
    let copy = folder.read("out/plan.yaml");
    assert_eq!(
        copy,
        "# As it ran; secrets are hidden.\nname: Mine\ninclude: shared.yaml\nsecrets: [SHOP_PASSWORD]\n\
         users: { One: { wait: 5ms, tasks: { home: { get: /health?key=*** } } } }\n\n\
         # included: shared.yaml\n# flows: { look: { steps: { get: /todos/ } } }\n"
    );
    // A plan of the user's own is not written over, a copy is.
    run("plan.yaml --out .");
    assert!(folder.read("plan.yaml").starts_with("name: Mine"));
    assert_eq!(folder.read("plan.run.yaml"), copy);
    run("plan.yaml --out out");
    assert_eq!(folder.read("out/plan.yaml"), copy);
    assert!(!folder.path().join("out/plan.run.yaml").exists());
}
