//! `throng init`: a first plan that checks, runs, and overwrites nothing.

use super::support::Folder;

#[test]
fn a_first_plan_is_written_and_what_comes_next_is_said() {
    let folder = Folder::new();
    let said = folder.throng("init");
    assert_eq!((said.code, &*said.err), (0, ""));
    insta::assert_snapshot!(said.out, @r#"
    wrote plan.yaml
    wrote accounts.csv

    Next:
      throng check plan.yaml --explain    what it would do; nothing is sent
      throng run plan.yaml --demo         tries it on a built-in service
    "#);
    assert!(
        folder
            .read("plan.yaml")
            .starts_with("# yaml-language-server: $schema=./throng.schema.json\n")
    );
    assert!(folder.path().join("accounts.csv").exists());
}

#[test]
fn what_is_there_is_never_overwritten() {
    let folder = Folder::new();
    folder.file("accounts.csv", "mine");
    let said = folder.throng("init");
    assert_eq!((said.code, said.out), (2, String::new()));
    insta::assert_snapshot!(said.err, @r#"
    error: accounts.csv is there already
      nothing was written; name another folder, as `throng init loadtest`
    "#);
    assert_eq!(folder.read("accounts.csv"), "mine");
    assert!(!folder.path().join("plan.yaml").exists(), "half a starter is none");
    let other = folder.throng("init load/first --kind website --toml");
    assert_eq!(other.code, 0, "{}", other.err);
    assert!(other.out.starts_with("wrote load/first/plan.toml\n"), "{}", other.out);
}

#[test]
fn every_starter_checks_without_a_warning_and_runs_on_the_demo() {
    for kind in ["api", "website", "spike"] {
        for (option, plan) in [("", "plan.yaml"), ("--toml", "plan.toml")] {
            let folder = Folder::new();
            folder.throng(&format!("init --kind {kind} {option}"));
            let check = folder.throng(&format!("check {plan} --strict"));
            assert_eq!((check.code, check.err), (0, format!("{plan}: no mistakes\n")), "{kind}");
            // How fast the machine is does not matter here, and for a p95 the run is too short.
            let text = folder.read(plan);
            folder.file(
                plan,
                &text
                    .replace("p95 < 500ms", "max < 1m")
                    .replace("p95 < 1s", "max < 1m")
                    .replace("p95 < 2s", "max < 1m"),
            );
            let run = folder.throng(&format!(
                "run {plan} --demo --quiet -u 6 -t 1s --stop-timeout 100ms --seed 3 --no-report"
            ));
            assert_eq!(run.code, 0, "{kind} {plan}: {}{}", run.out, run.err);
        }
    }
}

#[test]
fn a_starter_is_the_same_plan_in_both_formats() {
    let places = regex::Regex::new(r"Place \{[^}]*\}").unwrap();
    for kind in ["api", "website", "spike"] {
        let folder = Folder::new();
        folder.throng(&format!("init --kind {kind}"));
        folder.throng(&format!("init other --kind {kind} --toml"));
        let explained = |path: &str| folder.throng(&format!("check {path} --explain")).out;
        let yaml = explained("plan.yaml");
        assert!(yaml.contains("Profile first, runs when none is named"), "{yaml}");
        assert_eq!(yaml, explained("other/plan.toml"), "{kind}");
        let parsed = |path: &str| {
            let mut plan = throng::plan::load(&folder.path().join(path)).plan.unwrap();
            plan.folder.clear();
            plan.data.clear();
            places.replace_all(&format!("{plan:#?}"), "").into_owned()
        };
        assert_eq!(parsed("plan.yaml"), parsed("other/plan.toml"), "{kind}");
    }
}
