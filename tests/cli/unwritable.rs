//! Results that cannot be written: for each file a message and exit code 3, while the run goes to its end,
//! the other files are whole and the summary is printed.

use std::ffi::CString;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::{Folder, todo_api};

/// Files that are opened before the run: who reads the other end of them stops after the first bytes.
const OPENED: [&str; 5] =
    ["stats.csv", "stats_history.csv", "failures.csv", "exceptions.csv", "record.jsonl.gz"];

/// Files that are written whole at the end.
const WHOLE: [&str; 5] = ["summary.json", "report.html", "junit.xml", "summary.md", "metrics.txt"];

const PLAN: &str = "\
target: http://127.0.0.1:1
users:
  A:
    wait: 50ms
    tasks:
      good: { get: /todos/ }
      fails: { get: /todos/999999, name: b }
      odd: { steps: [ { set: { list: [] } }, { get: \"/todos/{{ choice(list) }}\", name: odd } ] }
profiles: { short: { users: 3, hold: 2s } }
thresholds: [ requests > 1 ]
";

fn run(prepare: impl FnOnce(&Path)) -> (Folder, super::support::Said) {
    let api = todo_api();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    prepare(&out);
    let said =
        folder.throng(&format!("run plan.yaml -H http://{} --out out --csv copy/c", api.address()));
    (folder, said)
}

fn whole_but(folder: &Folder, broken: &str) {
    for file in OPENED.iter().chain(&WHOLE).filter(|file| **file != broken) {
        let size = std::fs::metadata(folder.path().join("out").join(file)).unwrap().len();
        assert!(size > 0, "{file} beside {broken}");
    }
    // What the record holds makes up for it.
    if broken != "record.jsonl.gz" {
        let again = folder.throng("report out --out again --quiet");
        assert!(folder.path().join("again").join(broken).exists(), "{again:?}");
    }
}

#[test]
fn a_file_that_takes_no_more_while_the_run_goes_on() {
    for file in OPENED {
        let mut reader = None;
        let (folder, said) = run(|out| {
            let path = out.join(file);
            let name = CString::new(path.to_str().unwrap()).unwrap();
            rustix::fs::mkfifoat(rustix::fs::CWD, &*name, 0o600.into()).unwrap();
            let file_name = file;
            reader = Some(std::thread::spawn(move || {
                let mut file = std::fs::File::open(path).unwrap();
                // Of a record as much as stands in it before the run.
                let first = if file_name == OPENED[4] { 600 } else { 4 };
                file.read_exact(&mut vec![0; first]).unwrap();
            }));
        });
        reader.unwrap().join().unwrap();
        assert_eq!(said.code, 3, "{file}: {said:?}");
        let want = format!("error: could not write out/{file}: Broken pipe\n");
        assert!(said.err.contains(&want), "{file}: {}", said.err);
        assert!(said.out.contains("The threshold held: "), "{file}: {}", said.out);
        std::fs::remove_file(folder.path().join("out").join(file)).unwrap();
        whole_but(&folder, file);
    }
}

#[test]
fn a_file_that_cannot_be_written_at_the_end() {
    for file in WHOLE {
        let (folder, said) = run(|out| symlink("/dev/full", out.join(file)).unwrap());
        assert_eq!(said.code, 3, "{file}: {said:?}");
        let want = format!("error: could not write out/{file}: No space left on device\n");
        assert!(said.err.contains(&want), "{file}: {}", said.err);
        assert!(said.out.contains("The threshold held: "), "{file}: {}", said.out);
        whole_but(&folder, file);
    }
}

#[test]
fn the_copy_of_the_plan_cannot_be_written() {
    let (folder, said) = run(|out| {
        for taken in ["plan.yaml", "plan.run.yaml"] {
            std::fs::create_dir(out.join(taken)).unwrap();
        }
    });
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.err.contains("error: could not write out/plan.run.yaml: Is a directory\n"),
        "{}",
        said.err
    );
    assert!(said.out.contains("The threshold held: "), "{}", said.out);
    whole_but(&folder, "plan.yaml");
}

/// What cannot even be opened is said before anything is sent.
#[test]
fn a_file_that_cannot_be_opened_is_a_mistake() {
    for file in OPENED {
        let (_, said) = run(|out| std::fs::create_dir(out.join(file)).unwrap());
        assert_eq!(said.code, 2, "{file}: {said:?}");
        let want = format!(
            "error: the results cannot be written to `out/{file}`: a folder stands where a file is needed\n"
        );
        assert!(said.err.contains(&want), "{file}: {}", said.err);
    }
}

#[test]
fn a_run_that_is_refused_leaves_what_lies_there() {
    let api = todo_api();
    let folder = Folder::new();
    folder.file("plan.yaml", PLAN);
    let run = format!("run plan.yaml -H http://{} --out out --quiet", api.address());
    folder.throng(&run);
    let before = |file: &str| std::fs::read(folder.path().join("out").join(file)).unwrap();
    let files = ["record.jsonl.gz", "stats.csv", "summary.json", "plan.yaml", "junit.xml"];
    let was = files.map(before);
    let ours = "the run writes its own results there\n";
    for (more, want) in [
        ("--html no/such/folder/x.html", "the folder that it would stand in cannot be had\n"),
        ("--csv-requests out/stats.csv", ours),
        ("--csv-requests out/../out/record.jsonl.gz", ours),
        ("--csv-requests out/summary.json", ours),
        ("--csv-requests out/plan.yaml", ours),
    ] {
        let said = folder.throng(&format!("{run} {more}"));
        assert_eq!(said.code, 2, "{more}: {said:?}");
        assert!(said.err.contains(want), "{more}: {}", said.err);
        for (file, was) in files.iter().zip(&was) {
            assert!(before(file) == *was, "{file} after {more}");
        }
    }
    // What an earlier run left does not stand beside one that ends before its end.
    let failed = folder.throng(&run.replace(&api.address().to_string(), "127.0.0.1:9"));
    assert_eq!(failed.code, 4, "{failed:?}");
    let plan = format!("before: [ {{ get: /nothing, accept: 299 }} ]\n{PLAN}");
    folder.file("plan.yaml", &plan);
    let failed = folder.throng(&run);
    assert_eq!(failed.code, 4, "{failed:?}");
    assert!(!folder.path().join("out/junit.xml").exists());
    assert!(!folder.path().join("out/summary.json").exists());
}
