//! Holds the README and `docs/` against the program: every plan, command and message in them.
//!
//! The words behind a fence say how its block is checked:
//!
//! | fence | what is checked |
//! |---|---|
//! | `yaml`, `toml` | a whole plan, without mistakes |
//! | `yaml NAME.yaml` | the same; saved, for later commands of the document. `broken….yaml` must have mistakes |
//! | `yaml fragment WHERE` | `WHERE:` of a plan, or what stands below it (see [`whole`]), without mistakes |
//! | `yaml ci` | YAML; lines of it that begin with `throng` are checked as in `sh` |
//! | `sh` | a line that begins with `throng` or `cargo run … --` is run, for half a second, on a Todo API |
//! | `console` | `$ COMMAND` prints exactly what follows it; `…` alone on a line stands for any lines, and in a line with times, rates or shares the figures may be others |
//! | `text`, `python`, `javascript`, `yaml artillery` | nothing: for reading |
//!
//! The pages beside the cookbook, the benchmarks and the fuzz targets are not run: what they name must
//! be there, and the program must take their commands.
//!
//! Todo APIs stand for these addresses: port 8000 answers at once, 8001 with errors alone (`throng
//! demo --fail 100%`), 8002 after 300 ms (`throng demo --delay 300ms`).

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use throng::demo::{self, Demo};
use throng::metrics::Fault;
use throng::verdict::diagnosis::Rule;

#[test]
fn the_readme_tells_the_truth() {
    check("README.md");
}

#[test]
fn the_page_for_users_of_locust_tells_the_truth() {
    check("docs/from-locust.md");
}

#[test]
fn the_page_on_trouble_tells_the_truth() {
    check("docs/troubleshooting.md");
}

#[test]
fn the_page_for_users_of_k6_tells_the_truth() {
    check("docs/from-k6.md");
}

#[test]
fn the_page_for_users_of_artillery_tells_the_truth() {
    check("docs/from-artillery.md");
}

#[test]
fn the_page_on_results_names_every_finding() {
    let page = fs::read_to_string(root().join("docs/reading-results.md")).unwrap();
    let words = page.to_lowercase();
    for rule in Rule::ALL {
        let title = format!("**{}**", rule.title().to_lowercase());
        assert!(words.contains(&title), "docs/reading-results.md does not explain `{title}`");
    }
    check("docs/reading-results.md");
}

#[test]
fn the_page_on_comparing_tells_the_truth() {
    check("docs/comparing.md");
}

#[test]
fn the_reference_tells_the_truth() {
    check("docs/plan-reference.md");
}

#[test]
fn the_page_of_failures_tells_the_truth() {
    check("docs/failures.md");
}

#[test]
fn what_the_page_on_performance_shows_is_right() {
    check("docs/performance.md");
}

#[test]
fn the_page_on_ci_tells_the_truth() {
    check("docs/ci/README.md");
}

/// Their shape is held against the schemas of GitHub and GitLab by tests/peers/ci.py.
#[test]
fn the_commands_of_the_workflows_are_right() {
    let read = |name: &str| fs::read_to_string(root().join("docs/ci").join(name)).unwrap();
    for name in ["github.yml", "gitlab.yml"] {
        Reader::new().job(&read(name)).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
    let pipeline = read("Jenkinsfile");
    let commands: Vec<_> = pipeline.lines().map(str::trim).collect();
    assert_eq!(commands.iter().filter(|line| line.starts_with("throng ")).count(), 2);
    Reader::new().commands(&commands.join("\n")).unwrap();
}

/// Pages beside the plans and tools that they are about. What they measure or fuzz takes too long to
/// be run here: their commands must be ones that the program takes.
const BESIDE: [&str; 3] = ["plans/cookbook/README.md", "benches/README.md", "fuzz/README.md"];

#[test]
fn files_and_commands_that_pages_name_exist() {
    let mut wrong = Vec::new();
    for page in pages().into_iter().chain(BESIDE.map(PathBuf::from)) {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        // What a page has its reader write, or what a run leaves behind, is nowhere in the source.
        let lost = files_named(&text).into_iter().filter(|name| {
            let beside = root().join(page.parent().unwrap()).join(name);
            !root().join(name).exists() && !beside.exists() && !is_made(&text, name)
        });
        wrong.extend(lost.map(|name| format!("{}: there is no {name}", page.display())));
        // The other pages have their reader write files, and their commands are run.
        if BESIDE.iter().any(|beside| Path::new(beside) == page) {
            let code = text.split('`').skip(1).step_by(2);
            let files = code.filter(|word| {
                let endings = [".yaml", ".toml", ".csv", ".png", ".sh", ".py", ".rs", ".dict"];
                endings.iter().any(|ending| word.ends_with(ending)) && !word.contains(' ')
            });
            for file in files.filter(|file| !is_made(&text, file)) {
                let beside = root().join(page.parent().unwrap()).join(file);
                if !beside.exists() && !root().join(file).exists() {
                    wrong.push(format!("{}: there is no {file}", page.display()));
                }
            }
            for command in commands_named(&text) {
                if let Err(said) = parses(&command) {
                    wrong.push(format!("{}: {command}: {said}", page.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Paths into the folders of this repository, wherever they stand in a text.
fn files_named(text: &str) -> Vec<String> {
    let folders = ["plans/", "benches/", "fuzz/", "docs/", "tests/", "templates/", "src/"];
    let part = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    let words = text.split(|c: char| !part(c)).map(|word| word.trim_end_matches('.'));
    let named = words.filter(|word| folders.iter().any(|folder| word.starts_with(folder)));
    let mut named: Vec<String> = named.map(str::to_owned).collect();
    named.sort();
    named.dedup();
    named
}

/// The page has it written, by a block that is saved or as a name that stands for any.
fn is_made(text: &str, name: &str) -> bool {
    let saved = blocks(text).into_iter().any(|block| block.words.iter().any(|word| word == name));
    saved || name.contains("NAME")
}

/// What runs throng in a page: lines of its blocks, and code within its sentences.
fn commands_named(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in blocks(text) {
        commands
            .extend(block.text.lines().map(|line| line.trim().trim_start_matches("$ ").to_owned()));
    }
    let prose = text.split("```").step_by(2);
    commands.extend(prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).map(str::to_owned));
    commands.retain(|line| throng_in(line).is_some());
    commands
}

/// Whether the program takes a command line: what it names is there, and so are its options.
fn parses(line: &str) -> Result<(), String> {
    let (_, arguments) = throng_in(line).expect("it runs throng");
    let words: Vec<_> = arguments.split_whitespace().collect();
    let plans = root().join("plans/cookbook");
    let plans: Vec<String> = fs::read_dir(plans)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    // `NAME` stands for each plan of the cookbook.
    let names = if line.contains("NAME") { plans } else { vec![String::new()] };
    for name in names {
        let words = words.iter().map(|word| word.replace("NAME", &name));
        let lost: Vec<_> = words
            .clone()
            .filter(|word| word.ends_with(".yaml") || word.ends_with(".toml"))
            .filter(|word| !root().join(word).exists())
            .collect();
        if !lost.is_empty() {
            return Err(format!("there is no {}", lost.join(", ")));
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
        // `--help` is heard only where all before it is understood.
        command.args(words).arg("--help").stdin(Stdio::null()).current_dir(root());
        let output = command.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}

#[test]
fn every_plan_of_the_cookbook_is_in_its_table() {
    let text = fs::read_to_string(root().join(BESIDE[0])).unwrap();
    let plans = fs::read_dir(root().join("plans/cookbook")).unwrap();
    let plans = plans.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut plans = plans.filter(|name| name.ends_with(".yaml") || name.ends_with(".toml"));
    let missing = plans.find(|name| !text.contains(&format!("]({name})")));
    assert_eq!(missing, None);
}

#[test]
fn every_page_is_checked_above() {
    let source = fs::read_to_string(root().join("tests/docs.rs")).unwrap();
    for page in pages() {
        let call = format!("check(\"{}\");", page.display());
        assert!(source.contains(&call), "add a test with `{call}`");
    }
}

#[test]
fn failures_are_called_as_the_program_calls_them() {
    let text = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let sentences: Vec<_> = Fault::ALL.iter().map(|fault| fault.sentence()).collect();
    let mut unknown = Vec::new();
    for table in text.split("\n| failure |").skip(1) {
        for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cell = row.split('|').nth(1).unwrap();
            unknown.extend(cell.split('`').skip(1).step_by(2).filter(|it| !sentences.contains(it)));
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    let tls = sentences.iter().filter(|sentence| sentence.starts_with("tls"));
    let missing: Vec<_> = tls.filter(|it| !text.contains(&format!("`{it}`"))).collect();
    assert!(missing.is_empty(), "not on the page: {missing:#?}");
}

#[test]
fn links_and_pictures_lead_somewhere() {
    let mut lost = Vec::new();
    for page in pages().into_iter().chain(BESIDE.map(PathBuf::from)) {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        let folder = root().join(page.parent().unwrap());
        let marks = [("](", ")"), ("src=\"", "\""), ("srcset=\"", "\"")];
        for (from, to) in marks {
            for rest in text.split(from).skip(1) {
                let link = rest.split(to).next().unwrap();
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                if link.contains("://") || link.contains(char::is_whitespace) {
                    continue;
                }
                let file = if file.is_empty() { root().join(&page) } else { folder.join(file) };
                let Ok(target) = fs::read(&file) else {
                    lost.push(format!("{}: {link}", page.display()));
                    continue;
                };
                let target = String::from_utf8_lossy(&target);
                if !anchor.is_empty() && !target.lines().any(|line| anchor_of(line) == anchor) {
                    lost.push(format!("{}: {link}", page.display()));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

/// As GitHub makes it of a heading.
fn anchor_of(line: &str) -> String {
    let title = line.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    if line.starts_with('#') { kept.collect::<String>().replace(' ', "-") } else { String::new() }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and every page of `docs/`, from the root.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let names = docs.map(|entry| Path::new("docs").join(entry.unwrap().file_name()));
    let pages = names.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut pages: Vec<_> = pages.collect();
    pages.extend(["README.md".into(), "docs/ci/README.md".into()]);
    pages.sort();
    pages
}

/// A fenced block: the words behind the fence, its text, and the line of the page it begins on.
struct Block {
    words: Vec<String>,
    text: String,
    line: usize,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(words), None) => {
                let words = words.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { words, text: String::new(), line: at + 2 });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// Checks a page whole, and tells everything that is wrong with it at once.
fn check(page: &str) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let reader = Reader::new();
    let mut wrong = String::new();
    for block in blocks(&text) {
        let words: Vec<_> = block.words.iter().map(String::as_str).collect();
        let found = match words[..] {
            ["yaml" | "toml"] => reader.plan(&format!("plan-{}.{}", block.line, words[0]), &block),
            ["yaml", "fragment", place] => {
                let whole = Block { words: Vec::new(), text: whole(place, &block.text), ..block };
                reader.plan(&format!("fragment-{}.yaml", block.line), &whole)
            }
            ["text" | "python" | "javascript"] | ["yaml", "artillery"] => Ok(()),
            ["yaml" | "toml", name] => reader.plan(name, &block),
            ["sh"] => reader.commands(&block.text),
            ["console"] => reader.session(&block.text),
            _ => Err(format!("no rule for a block of {words:?}")),
        };
        if let Err(problem) = found {
            let _ = writeln!(wrong, "{page}:{}: {problem}\n", block.line);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A plan around what stands below `users:`, `tasks:`, `steps:`, `profiles:` or `thresholds:`, or,
/// with `class`, what stands in a class.
fn whole(place: &str, text: &str) -> String {
    let below = |head: &str, spaces: usize| {
        let lines = text.lines().map(|line| format!("{}{line}\n", " ".repeat(spaces)));
        format!("{head}{}", lines.collect::<String>())
    };
    let tasks = "    tasks:\n      create: { post: /todos/, name: \"/todos/ [POST - Create]\" }\n";
    let user = "users:\n  User:\n";
    let users = match place {
        "users" => below("users:\n", 2),
        "class" => below(user, 4) + if text.contains("tasks:") { "" } else { tasks },
        "tasks" => below(&format!("{user}    wait: 1s\n    tasks:\n"), 6),
        "steps" => below(&format!("{user}    tasks:\n      task:\n        steps:\n"), 10),
        _ => format!("{user}{tasks}"),
    };
    let rest = match place {
        "users" | "class" | "tasks" | "steps" => "profiles: { p: { users: 1, hold: 1s } }\n".into(),
        "profiles" | "thresholds" if text.contains(&format!("{place}:\n")) => text.to_owned(),
        "profiles" | "thresholds" => below(&format!("{place}:\n"), 2),
        _ => panic!("nothing of a plan is called `{place}` here"),
    };
    // Several profiles need a choice.
    let choose = place == "profiles" && !rest.starts_with("profile:");
    let first = text.split(':').next().filter(|_| choose);
    let chosen = first.map(|name| format!("profile: {name}\n")).unwrap_or_default();
    format!("target: http://127.0.0.1:8000\n{chosen}{users}{rest}")
}

/// With the folders within, as the cookbook.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, copy).unwrap();
        }
    }
}

/// Someone who reads a page and tries everything, in a folder of their own.
struct Reader {
    folder: TempDir,
    /// The address in the page, and the Todo API that stands there.
    apis: [(&'static str, Demo); 3],
}

type Found = Result<(), String>;

impl Reader {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        copy_folder(&root().join("plans"), &folder.path().join("plans"));
        copy_folder(&root().join("tests/plans/files/certs"), &folder.path().join("certs"));
        let api = |delay, fail| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let delay = Duration::from_millis(delay);
            demo::start(demo::Options { address, threads: 1, delay, fail }).unwrap()
        };
        let apis = [
            ("127.0.0.1:8000", api(0, 0.0)),
            ("127.0.0.1:8001", api(0, 1.0)),
            ("127.0.0.1:8002", api(300, 0.0)),
        ];
        Self { folder, apis }
    }

    /// Runs a line of shell in the folder: its exit code, and all that it prints.
    fn shell(&self, line: &str) -> (i32, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_throng"));
        let found = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{{ {line}\n}} 2>&1")]).stdin(Stdio::null());
        command.current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.env("PATH", format!("{}:{found}", program.parent().unwrap().display()));
        command.env("GITHUB_SHA", "1a2b3c").env("CI_COMMIT_SHA", "1a2b3c").env("NO_COLOR", "1");
        for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(proxy).env_remove(proxy.to_ascii_lowercase());
        }
        for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"] {
            command.env_remove(variable);
        }
        let output = command.output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap())
    }

    /// The text, with the addresses at which there are Todo APIs instead of those of the page.
    fn reachable(&self, text: &str) -> String {
        self.apis.iter().fold(text.to_owned(), |text, (written, api)| {
            text.replace(written, &api.address().to_string())
        })
    }

    /// The same, with the addresses of the page.
    fn shell_as_written(&self, line: &str) -> (i32, String) {
        let (code, mut said) = self.shell(&self.reachable(line));
        for (written, api) in &self.apis {
            said = said.replace(&api.address().to_string(), written);
        }
        (code, said)
    }

    fn plan(&self, name: &str, block: &Block) -> Found {
        fs::write(self.folder.path().join(name), self.reachable(&block.text)).unwrap();
        let (code, said) = self.shell(&format!("throng check {name}"));
        let wanted = if name.starts_with("broken") { 2 } else { 0 };
        let quiet = wanted == 2 || said == format!("{name}: no mistakes\n");
        if code == wanted && quiet { Ok(()) } else { Err(said) }
    }

    fn job(&self, text: &str) -> Found {
        let value: serde_json::Value =
            serde_saphyr::from_str(text).map_err(|error| format!("not YAML: {error}"))?;
        let mut lines = Vec::new();
        collect_lines(&value, &mut lines);
        let throngs = lines.iter().filter(|line| line.starts_with("throng ")).count();
        if throngs == 0 {
            Err("no job that runs throng".into())
        } else {
            self.commands(&lines.join("\n"))
        }
    }

    fn commands(&self, text: &str) -> Found {
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap().trim().trim_end_matches('&').trim();
            let Some((environment, arguments)) = throng_in(line) else { continue };
            let mut words: Vec<_> = arguments.split_whitespace().map(str::to_owned).collect();
            let mut environment = environment.to_owned();
            let ok: &[i32] = match words.first().map(String::as_str) {
                Some("run") => {
                    self.shorten(&mut words, &mut environment, &format!("out-{}-{at}", text.len()));
                    // That is too short for some thresholds.
                    &[0, 1]
                }
                Some("demo") => {
                    words.push("--help".into());
                    &[0]
                }
                _ => &[0],
            };
            // What it prints stays here.
            let words: Vec<_> = words.into_iter().take_while(|word| word != ">").collect();
            let (code, said) = self.shell(&format!("{environment} throng {}", words.join(" ")));
            if !ok.contains(&code) || said.contains("error:") {
                return Err(format!("`{line}` ends with {code}:\n{said}"));
            }
        }
        Ok(())
    }

    /// Makes a run that takes half a second and goes to the Todo API in this process.
    fn shorten(&self, words: &mut Vec<String>, environment: &mut String, out: &str) {
        let has = |words: &[String], options: &[&str]| {
            words.iter().any(|word| options.contains(&word.as_str()))
        };
        for word in words.iter_mut() {
            assert!(!word.starts_with("https://"), "no Todo API speaks TLS");
            if let Some(rest) = word.strip_prefix("http://") {
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                *word = format!("http://{}{path}", self.apis[0].1.address());
            }
        }
        if let Some(at) = words.iter().position(|word| word == "-t" || word == "--run-time") {
            words[at + 1] = "500ms".into();
        } else if !has(words, &["-n", "--requests", "--help"]) {
            words.extend(["-t".into(), "500ms".into()]);
        }
        if !has(words, &["--out"]) {
            words.extend(["--out".into(), out.to_owned()]);
        }
        *environment = environment.replace("THRONG_RUN_TIME=", "IGNORED=");
    }

    fn session(&self, text: &str) -> Found {
        let mut last = None;
        for entry in format!("\n{text}").split("\n$ ").skip(1) {
            let (command, expected) = entry.split_once('\n').unwrap_or((entry, ""));
            if command == "echo $?" {
                if Some(expected.trim()) != last.map(|code: i32| code.to_string()).as_deref() {
                    return Err(format!("the exit code is {last:?}, not {}", expected.trim()));
                }
                continue;
            }
            let (code, said) = self.shell_as_written(command);
            last = Some(code);
            if !matches(expected.trim_end(), said.trim_end()) {
                return Err(format!("`{command}` prints:\n{said}\ninstead of:\n{expected}"));
            }
        }
        if last.is_some() { Ok(()) } else { Err("no line begins with `$ `".into()) }
    }
}

fn collect_lines(value: &serde_json::Value, lines: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => lines.extend(text.lines().map(str::to_owned)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_lines(item, lines)),
        serde_json::Value::Object(items) => {
            items.values().for_each(|item| collect_lines(item, lines));
        }
        _ => {}
    }
}

/// The environment and the arguments of a line that runs throng.
fn throng_in(line: &str) -> Option<(&str, &str)> {
    if line.starts_with("cargo run ") {
        return line.split_once(" -- ").map(|(_, arguments)| ("", arguments));
    }
    let start = if line.starts_with("throng ") { 0 } else { line.find(" throng ")? + 1 };
    let (environment, arguments) = line.split_at(start);
    let assignments = environment.split_whitespace().all(|word| word.contains('='));
    assignments.then(|| (environment, &arguments["throng ".len()..]))
}

/// Whether a program said what a page says that it does. On a busy machine any run is suspect, and says
/// why below its verdict.
fn matches(expected: &str, said: &str) -> bool {
    let mut doubted = false;
    let trusted = said.lines().filter_map(|line| {
        doubted &= line.starts_with("  ");
        let verdict = line.strip_suffix(" SUSPECT");
        let shown = (!doubted).then(|| verdict.map(|verdict| format!("{verdict} VALID")));
        doubted |= verdict.is_some();
        shown.map(|shown| shown.unwrap_or_else(|| line.to_owned()))
    });
    let trusted: Vec<String> = trusted.collect();
    let said: Vec<&str> = trusted.iter().map(String::as_str).collect();
    let lines: Vec<_> = expected.lines().collect();
    let parts: Vec<_> = lines.split(|line| line.trim() == "…").collect();
    let (mut at, last) = (0, parts.len() - 1);
    for (number, part) in parts.iter().enumerate() {
        let fits = |start: usize| {
            said.len() >= start + part.len()
                && part.iter().zip(&said[start..]).all(|(expected, said)| same(expected, said))
        };
        let found = match (number, last) {
            (0, 0) => (said.len() == part.len() && fits(0)).then_some(0),
            (0, _) => fits(0).then_some(0),
            (number, last) if number == last => {
                said.len().checked_sub(part.len()).filter(|start| *start >= at && fits(*start))
            }
            _ => (at..=said.len()).find(|start| fits(*start)),
        };
        match found {
            Some(start) => at = start + part.len(),
            None => return false,
        }
    }
    true
}

fn same(expected: &str, said: &str) -> bool {
    let (expected, said) = (expected.trim_end(), said.trim_end());
    let measured = ["ms", "/s", "%", " requests", "Aggregated", "Z/report", " times a "];
    expected == said
        || (measured.iter().any(|mark| expected.contains(mark)) && loose(expected) == loose(said))
        || (counted(expected).is_some() && counted(expected) == counted(said))
}

/// What follows a count that stands alone at the start of an indented line.
fn counted(line: &str) -> Option<&str> {
    let (count, what) = line.strip_prefix("  ")?.trim_start().split_once("  ")?;
    count.chars().all(|c| c.is_ascii_digit() || c == ',').then_some(what)
}

/// The line with `#` for each figure with its unit, and one space for several.
fn loose(line: &str) -> String {
    let mut out = String::new();
    for c in line.chars() {
        let figure = c.is_ascii_digit() || (out.ends_with('#') && ".,".contains(c));
        match (figure, out.ends_with('#'), c) {
            (true, true, _) => {}
            (true, false, _) => out.push('#'),
            (false, ..) => out.push(c),
        }
    }
    let out = out.replace("#ms", "#").replace("#µs", "#").replace("#s", "#");
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn pages_are_compared_line_by_line() {
    assert!(matches("a\n…\nd", "a\nb\nc\nd") && matches("a\n…", "a\nb") && matches("…\nb", "a\nb"));
    assert!(!matches("a\n…\nd", "a\nd\ne") && !matches("a", "a\nb") && !matches("a\nb", "a"));
    assert!(matches("a\n1 ms. VALID\nb", "a\n2 ms. SUSPECT\n  busy\n  short\nb"));
    assert!(!matches("a\nok. VALID\nb", "a\nok. INVALID\n  late\nb"));
    assert!(same("GET  /  12  1.50ms", "GET  /  1,234  2s") && !same("GET / 5ms", "PUT / 5ms"));
    assert!(!same("500 users need 564", "500 users need 565"));
    assert!(same("      12  status 500  GET /", "   1,234  status 500  GET /"));
    assert!(!same("      12  status 500  GET /", "      12  status 404  GET /"));
    assert_eq!(throng_in("A=1 throng run x"), Some(("A=1 ", "run x")));
    assert_eq!(throng_in("cargo run --release -- run x"), Some(("", "run x")));
    assert_eq!(throng_in("cat throng run"), None);
}
