//! Owns the tests of plans of several files, and of environments.

use std::fs;
use std::path::Path;

use super::MAX_INCLUDES;
use crate::diagnostic::{Diagnostic, render};
use crate::plan::{Loaded, Loading, Plan, load, load_each, load_with, parse};

const USERS: &str = "users: { U: { tasks: { t: { get: / } } } }\n";

/// A folder of files that is gone at the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it lies in the folder")).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self, name: &str) -> Loaded {
        load(&self.0.path().join(name))
    }

    fn plan(&self, name: &str) -> Plan {
        let loaded = self.load(name);
        loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
    }

    fn with(&self, environment: &str) -> Loaded {
        let environment = Some(environment.to_owned());
        load_with(&self.0.path().join("p.yaml"), &Loading { environment, ..Loading::default() })
    }

    fn each(&self) -> Loaded {
        load_each(&self.0.path().join("p.yaml"), &Loading::default(), |loaded| loaded)
    }

    /// As it is shown, with the folder left out.
    fn shown(&self, loaded: &Loaded) -> String {
        let folder = format!("{}/", self.0.path().display());
        render(&loaded.diagnostics, &loaded.sources, false).replace(&folder, "")
    }

    fn said(&self, name: &str) -> String {
        let loaded = self.load(name);
        assert!(loaded.plan.is_none(), "{name} is a plan");
        let folder = format!("{}/", self.0.path().display());
        let told: Vec<_> = loaded
            .diagnostics
            .iter()
            .map(|one| {
                let help = one.help.as_deref().unwrap_or("").replace(&folder, "");
                format!("{}: {} ({help})", one.title, one.label).replace(&folder, "")
            })
            .collect();
        told.join("\n")
    }
}

fn target(plan: &Plan) -> String {
    plan.target.as_ref().map_or_else(String::new, |target| target.value.to_string())
}

#[test]
fn a_plan_lies_over_what_it_includes() {
    let folder = Folder::of(&[
        ("p.yaml", "include: [a.yaml, sub/b.toml]\nusers: { U: { weight: 7, wait: ~ } }\n"),
        ("a.yaml", "target: http://a\nname: A\nusers: { U: { weight: 2, wait: 1s, tasks: {} } }\n"),
        (
            "sub/b.toml",
            "include = \"c.yaml\"\ntarget = \"http://b\"\n[users.U.tasks.t]\nget = \"/b\"\n",
        ),
        ("sub/c.yaml", "target: http://c\nname: C\nusers: { U: { tasks: { c: { get: /c } } } }\n"),
    ]);
    let plan = folder.plan("p.yaml");
    let class = &plan.classes[0];
    let tasks: Vec<_> = class.tasks.iter().map(|task| &*task.name.value).collect();
    assert_eq!((&*plan.name, &*target(&plan)), ("C", "http://b"));
    assert_eq!((class.weight, tasks), (7.0, vec!["c", "t"]));
}

#[test]
fn a_mistake_is_shown_in_the_file_that_it_is_in() {
    let folder = Folder::of(&[
        ("p.yaml", "include: base.toml\nnmae: x\n"),
        ("base.toml", "[users.U.tasks.t]\nget = \"/\"\ntimeout = 10\n"),
    ]);
    let loaded = folder.load("p.yaml");
    insta::assert_snapshot!(folder.shown(&loaded), @r#"
    error: unknown key `nmae` in the plan
     --> p.yaml:2:1
      |
    2 | nmae: x
      | ^^^^ did you mean `name`?

    error: `timeout` lacks its unit
     --> base.toml:3:11
      |
    3 | timeout = 10
      |           ^^ write `"10s"` or `"10ms"`

    2 errors in p.yaml, base.toml
    "#);
}

#[test]
fn what_cannot_be_read_in_any_of_the_files_is_told_at_once() {
    let folder = Folder::of(&[
        ("p.yaml", "include: [bse.yaml, broken.yaml, list.yaml, 5]\n"),
        ("base.yaml", USERS),
        ("broken.yaml", "<<: *common\n"),
        ("list.yaml", "- 1\n"),
    ]);
    insta::assert_snapshot!(folder.said("p.yaml"), @r"
    there is no file `bse.yaml`: did you mean `base.yaml`? ()
    an included file holds keys of the plan, not a list: include a part of a plan ()
    `include` takes names of files, not a number: write the name of a file, as `base.yaml` (what else may be wrong is looked for once this is mended)
    no value is marked `&common`: mark the value with `&common`, above; or quote it, if text is meant (anchors do not reach from one file into another: mark the value here)
    ");
}

#[test]
fn a_file_that_includes_itself_is_told_with_the_way() {
    let folder = Folder::of(&[
        ("p.yaml", "include: sub/a.yaml\n"),
        ("sub/a.yaml", "include: b.yaml\n"),
        ("sub/b.yaml", "include: ../p.yaml\n"),
    ]);
    assert_eq!(
        folder.said("p.yaml"),
        "`../p.yaml` includes itself: take this `include` out \
         (p.yaml includes sub/a.yaml includes sub/b.yaml includes p.yaml)"
    );
}

#[test]
fn a_file_that_two_include_is_read_once() {
    let folder = Folder::of(&[
        ("p.yaml", "include: [a.yaml, b.yaml]\n"),
        ("a.yaml", "include: c.yaml\n"),
        ("b.yaml", "include: c.yaml\n"),
        ("c.yaml", &format!("nmae: 1\n{USERS}")),
    ]);
    let loaded = folder.load("p.yaml");
    assert_eq!((loaded.sources.len(), loaded.diagnostics.len()), (4, 1));
}

#[test]
fn nothing_outside_the_folder_of_the_plan_is_included() {
    let folder = Folder::of(&[("out.yaml", USERS), ("in/b.yaml", "name: x\n")]);
    let at = |name: &str| folder.0.path().join(name);
    #[cfg(unix)]
    std::os::unix::fs::symlink(at("out.yaml"), at("in/link.yaml")).unwrap();
    let absolute = at("out.yaml").display().to_string();
    let mut names = vec!["../out.yaml", "b/../../out.yaml", "../missing.yaml", &absolute];
    if cfg!(unix) {
        names.push("link.yaml");
    }
    for name in names {
        fs::write(at("in/p.yaml"), format!("include: {name}\n")).unwrap();
        let said = folder.said("in/p.yaml");
        assert!(said.contains("lies outside the folder of the plan"), "{name}: {said}");
        let loading = Loading { allow_outside: true, ..Loading::default() };
        let loaded = load_with(&at("in/p.yaml"), &loading);
        assert_eq!(loaded.plan.is_some(), !name.contains("missing"), "{name}");
    }
    // It lies inside, whatever the way there is.
    fs::write(at("in/p.yaml"), format!("include: ../in/b.yaml\n{USERS}")).unwrap();
    assert_eq!(folder.plan("in/p.yaml").name, "x");
    let loaded = parse("p.yaml", "include: base.yaml\n");
    assert!(loaded.diagnostics[0].title.contains("does not come from a file"));
}

#[test]
fn an_include_of_something_else_is_refused() {
    let folder = Folder::of(&[("sub/b.yaml", USERS)]);
    for (include, want) in [
        ("", "`include` is empty"),
        ("\"\"", "`include` is empty"),
        ("{ a: 1 }", "a file or a list of files, not a map"),
        ("sub", "`sub` is no file"),
        ("http://x/y.yaml", "is no file"),
        ("\"{{ env.X }}.yaml\"", "a template cannot stand in `include`"),
    ] {
        fs::write(folder.0.path().join("p.yaml"), format!("include: {include}\n")).unwrap();
        let said = folder.said("p.yaml");
        assert!(said.contains(want), "{include}: {said}");
    }
}

#[test]
fn includes_are_bounded() {
    let many = format!("include: [{}]\n", "b.yaml, ".repeat(MAX_INCLUDES + 1));
    let values = format!("x-a: [{}]\n", "1, ".repeat(30_000));
    let folder = Folder::of(&[
        ("p.yaml", &many),
        ("b.yaml", USERS),
        ("wide.yaml", "include: [v1.yaml, v2.yaml]\n"),
        ("v1.yaml", &values),
        ("v2.yaml", &values),
    ]);
    assert!(folder.said("p.yaml").contains("included more than 64 times"));
    assert!(folder.said("wide.yaml").contains("more than 50000 values, with all that it includes"));
    let names: Vec<_> = (0..=4).map(|at| format!("l{at}.yaml")).collect();
    for name in &names {
        let large = format!("# {}\n", "x".repeat(4 * 1024 * 1024 - 100));
        fs::write(folder.0.path().join(name), large).unwrap();
    }
    let large = format!("include: [{}]\n", names.join(", "));
    fs::write(folder.0.path().join("p.yaml"), large).unwrap();
    assert!(folder.said("p.yaml").contains("larger than 16 MiB"));
}

const ENVIRONMENTS: &str = "target: http://a\nenvironments:\n  staging: { target: http://b, name: S \
                            }\n  bare: { target: ~ }\n";

#[test]
fn an_environment_lies_over_the_plan_when_it_is_asked_for() {
    let folder = Folder::of(&[("p.yaml", &format!("{ENVIRONMENTS}{USERS}"))]);
    assert_eq!(target(&folder.plan("p.yaml")), "http://a");
    let plan = folder.with("staging").plan.unwrap();
    assert_eq!((&*target(&plan), &*plan.name), ("http://b", "S"));
    assert!(folder.with("bare").plan.unwrap().target.is_none());
    for (name, label) in
        [("stagin", "did you mean `staging`?"), ("x", "there are `staging`, `bare`")]
    {
        let loaded = folder.with(name);
        assert!(loaded.plan.is_none());
        assert_eq!(loaded.diagnostics[0].title, format!("the plan has no environment `{name}`"));
        assert_eq!(loaded.diagnostics[0].label, label);
    }
}

#[test]
fn environments_are_included_too() {
    let folder = Folder::of(&[
        ("p.yaml", "include: b.yaml\nenvironments: { staging: { name: mine } }\n"),
        ("b.yaml", &format!("{ENVIRONMENTS}{USERS}")),
    ]);
    let plan = folder.with("staging").plan.unwrap();
    assert_eq!((&*target(&plan), &*plan.name), ("http://b", "mine"));
}

#[test]
fn a_mistake_of_one_environment_is_told_once_and_only_by_the_check_of_all() {
    let plan = "users: { U: { wieght: 1, tasks: { t: { get: / } } } }\nprofiles: { p: { users: 1, \
                hold: 1s } }\nprofile: p\nenvironments:\n  a: { users: { U: { wait: 5 } } }\n  b: { \
                profiles: ~ }\n  c: { tagret: x }\n";
    let folder = Folder::of(&[("p.yaml", plan)]);
    assert_eq!(folder.load("p.yaml").diagnostics.len(), 1);
    insta::assert_snapshot!(folder.shown(&folder.each()), @r"
    error: unknown key `wieght` in a user class
     --> p.yaml:1:15
      |
    1 | users: { U: { wieght: 1, tasks: { t: { get: / } } } }
      |               ^^^^^^ did you mean `weight`?

    error: there is no profile `p`
     --> p.yaml:3:10
      |
    3 | profile: p
      |          ^ write it under `profiles`
      |
      = help: it is so in the environment `b`

    error: `wait` lacks its unit
     --> p.yaml:5:28
      |
    5 |   a: { users: { U: { wait: 5 } } }
      |                            ^ write `5s` or `5ms`

    error: unknown key `tagret` in the plan
     --> p.yaml:7:8
      |
    7 |   c: { tagret: x }
      |        ^^^^^^ did you mean `target`?

    4 errors in p.yaml
    ");
}

#[test]
fn what_cannot_stand_in_environments_is_refused() {
    for (environments, want) in [
        ("", "`environments` is empty"),
        ("[a]", "`environments` is a map by name, not a list"),
        ("{ a: }", "the environment `a` is empty"),
        ("{ a: 5 }", "the environment `a` must be a map of keys, not a number"),
        ("{ a: { include: b.yaml } }", "`include` cannot stand in an environment"),
        ("{ a: { environments: {} } }", "`environments` cannot stand in an environment"),
    ] {
        let loaded = parse("p.yaml", &format!("environments: {environments}\n{USERS}"));
        let titles: Vec<_> = loaded.diagnostics.iter().map(|one| &*one.title).collect();
        assert_eq!(titles, [want]);
        assert!(loaded.diagnostics.iter().all(Diagnostic::is_error));
    }
    let many: String = (0..40).map(|n| format!("  e{n}: {{ name: x }}\n")).collect();
    let loaded = parse("p.yaml", &format!("environments:\n{many}{USERS}"));
    assert!(loaded.diagnostics[0].title.contains("more than 32 environments"));
}

#[test]
fn a_plan_that_is_linked_to_includes_from_where_the_link_lies() {
    let folder = Folder::of(&[("a/p.yaml", "include: b.yaml\n"), ("a/b.yaml", USERS)]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.0.path().join("a"), folder.0.path().join("l")).unwrap();
    #[cfg(unix)]
    assert!(load(&folder.0.path().join("l/p.yaml")).plan.is_some());
    assert!(load(Path::new("/nowhere/p.yaml")).plan.is_none());
}
