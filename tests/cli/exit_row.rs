//! A run that is told how it must end: a plan, a scripted target, the code and what is said.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::support::{Folder, Said, Server, answer, nothing, said, server};

/// A run and how it ends.
#[derive(Clone, Copy)]
pub struct Row {
    pub code: u8,
    /// All of it is said, on stdout or stderr.
    pub says: &'static [&'static str],
    /// The user classes (`PORT` is the target's), the profile called `only`, and what else stands in the plan.
    pub users: &'static str,
    pub profile: &'static str,
    pub keys: &'static str,
    /// The whole plan instead.
    pub plan: Option<&'static str>,
    /// What stands behind `throng run`: a plan, or `URL` for that of the target.
    pub line: &'static str,
    pub options: &'static str,
    pub target: Target,
    /// What is there before.
    pub before: fn(&Folder),
    /// Said to the shell before the program starts.
    pub shell: &'static str,
    pub variables: &'static [(&'static str, &'static str)],
    /// What is sent to it, each after something has happened.
    pub signals: &'static [(&'static str, After)],
    /// Stdout takes nothing.
    pub full: bool,
}

#[derive(Clone, Copy)]
pub enum Target {
    /// Answers by how many requests came before; nothing closes the connection.
    Answers(fn(usize) -> Option<String>),
    /// The same, where TLS is asked for.
    Secured,
    /// Nothing listens.
    Nothing,
    /// As it stands.
    Url(&'static str),
    /// None is named.
    None,
}

#[derive(Clone, Copy)]
pub enum After {
    /// So many requests came.
    Asked(usize),
    /// That was said on stderr.
    Said(&'static str),
}

/// One user sends five requests, which are answered.
pub const WELL: Row = Row {
    code: 0,
    says: &[],
    users: "{ U: { tasks: { home: { get: / }, away: { weight: 0, get: /away } } } }",
    profile: "{ users: 1, hold: 1h, iterations: 5 }",
    keys: "",
    plan: None,
    line: "plan.yaml",
    options: "",
    target: Target::Answers(|_| Some(answer(200, "{}"))),
    before: |_| {},
    shell: "",
    variables: &[],
    signals: &[],
    full: false,
};

pub fn report_cannot_be_written(folder: &Folder) {
    // A folder stands where the report should go: no root can write that either.
    std::fs::create_dir_all(folder.path().join("out/report.html")).unwrap();
}

/// The disk is full for that file.
pub fn is_full(folder: &Folder, name: &str) {
    std::fs::create_dir(folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("out").join(name)).unwrap();
}

impl Row {
    fn text(&self) -> String {
        let Self { users, profile, keys, .. } = self;
        self.plan.map_or_else(
            || format!("users: {users}\nprofiles: {{ only: {profile} }}\n{keys}\n"),
            str::to_owned,
        )
    }

    /// Runs it, and looks at how it ended.
    pub fn meet(&self) {
        let folder = Folder::new();
        let server = match self.target {
            Target::Answers(answers) => Some(server(answers)),
            Target::Secured => Some(server(|_| None)),
            _ => None,
        };
        let port = server.as_ref().map_or(0, |server| server.address.port());
        folder.file("plan.yaml", &self.text().replace("PORT", &port.to_string()));
        (self.before)(&folder);
        let target = match (self.target, &server) {
            (Target::Secured, Some(server)) => format!("--target https://{}", server.address),
            (_, Some(server)) => format!("--target http://{}", server.address),
            (Target::Nothing, _) => format!("--target http://{}", nothing()),
            (Target::Url(url), _) => format!("--target {url}"),
            _ => String::new(),
        };
        let Self { line, options, .. } = self;
        let line = match line.strip_prefix("URL") {
            Some(_) => format!("run {} {options}", target.trim_start_matches("--target ")),
            None => format!("run {line} {target} {options}"),
        };
        let said = self.ended(&folder, &line, server.as_ref());
        let whole = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, i32::from(self.code), "{whole}");
        for text in self.says {
            assert!(whole.contains(text), "`{text}` is not said\n{whole}");
        }
        if self.code == 2
            && let Some(server) = server
        {
            assert!(server.asked.try_recv().is_err(), "something was sent");
        }
        // The code is in the results too, unless they could not be written.
        let summary = folder.path().join("out/summary.json");
        if summary.exists() && !self.full && !whole.contains("could not write") {
            let summary = folder.json("out/summary.json");
            assert_eq!(summary["verdict"]["exit_code"], self.code, "{whole}");
        }
    }

    /// What it says, when it has ended.
    fn ended(&self, folder: &Folder, line: &str, server: Option<&Server>) -> Said {
        let mut command = if self.shell.is_empty() {
            folder.command(line)
        } else {
            let mut shell = Command::new("sh");
            let program = env!("CARGO_BIN_EXE_throng");
            shell.args(["-c", &format!("{}; exec {program} {line}", self.shell)]);
            shell.current_dir(folder.path()).stdin(Stdio::null());
            shell
        };
        command.envs(self.variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.full {
            command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        }
        let mut child = command.spawn().unwrap();
        if self.signals.is_empty() {
            return said(child.wait_with_output().unwrap());
        }
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut heard = String::new();
        for (signal, after) in self.signals {
            match after {
                After::Asked(requests) => {
                    (0..*requests).for_each(|_| server.unwrap().asked.recv().unwrap());
                }
                After::Said(text) => {
                    let found = lines.by_ref().map(|line| line.unwrap()).any(|line| {
                        heard += &format!("{line}\n");
                        line.contains(text)
                    });
                    assert!(found, "`{text}` is not said\n{heard}");
                }
            }
            kill(&child, signal);
        }
        lines.for_each(|line| heard += &format!("{}\n", line.unwrap()));
        let ended = said(child.wait_with_output().unwrap());
        Said { err: heard, ..ended }
    }
}

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// A run of five requests of that name, stored as `base`.
pub fn stored(folder: &Folder, path: &str) {
    let users = format!("{{ U: {{ tasks: {{ home: {{ get: {path} }} }} }} }}");
    let plan = Row { users: "USERS", ..WELL }.text().replace("USERS", &users);
    folder.file("base.yaml", &plan);
    let server = server(|_| Some(answer(200, "")));
    let line = format!("run base.yaml --target http://{} --out base --quiet", server.address);
    let ran = folder.throng(&line);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
