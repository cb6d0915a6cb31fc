//! Running the program in a folder of its own, and servers for it to meet.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;
use throng::demo::{self, Demo};

/// A folder to run the program in.
pub struct Folder(TempDir);

/// What the program said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path().join(name), text).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// `throng ARGUMENTS`, to its end.
    pub fn throng(&self, arguments: &str) -> Said {
        let output = self.command(arguments).output().unwrap();
        said(output)
    }

    /// `throng ARGUMENTS`, which the test ends.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The same, to be changed before it is started.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
        command.current_dir(self.path()).args(arguments.split_whitespace()).stdin(Stdio::null());
        let plain =
            ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
        for variable in plain {
            command.env_remove(variable).env_remove(variable.to_ascii_lowercase());
        }
        // These tests may themselves be run in a workflow of GitHub.
        for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"] {
            command.env_remove(variable);
        }
        command
    }

    /// The folder of the only results.
    pub fn results(&self) -> PathBuf {
        let found = std::fs::read_dir(self.path().join("results")).unwrap();
        let folders: Vec<_> = found
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with("latest"))
            .collect();
        assert_eq!(folders.len(), 1, "one run, one folder");
        folders[0].clone()
    }
}

pub fn said(output: std::process::Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: unsuspected(&String::from_utf8(output.stdout).unwrap()),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What is printed of a run on a quiet machine: on a busy one any run is suspect, and says why.
fn unsuspected(out: &str) -> String {
    let (mut text, mut doubted) = (String::new(), false);
    for line in out.split_inclusive('\n') {
        doubted &= line.starts_with("  ");
        if doubted {
            continue;
        }
        match line.strip_suffix(" SUSPECT\n") {
            Some(verdict) => {
                text += &format!("{verdict} VALID\n");
                doubted = true;
            }
            None => text += line,
        }
    }
    text
}

#[test]
fn a_suspect_run_reads_like_a_valid_one() {
    let out = "  ✗ x  broke\n\nIt held. SUSPECT\n  busy: run less\n  short\nResults: out\n";
    assert_eq!(unsuspected(out), "  ✗ x  broke\n\nIt held. VALID\nResults: out\n");
    let other = "It held. VALID\n  a\n  SUSPECT";
    assert_eq!(unsuspected(other), other);
}

/// The sample plans, as they are.
pub fn plan(name: &str) -> String {
    format!("{}/plans/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The Todo API, in this process.
pub fn todo_api() -> Demo {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    demo::start(demo::Options { address, threads: 1, delay: Duration::ZERO, fail: 0.0 }).unwrap()
}

/// A server that answers every request with the same bytes, and counts.
pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<AtomicUsize>,
    /// One message for each connection.
    pub connected: Receiver<()>,
    /// One message for each request.
    pub asked: Receiver<()>,
}

/// `answer` is given the number of requests before; none: the connection is closed instead.
pub fn server(answer: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Server {
    serve_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), answer)
}

/// The same, on an address of the test's choice.
pub fn serve_on(
    listener: TcpListener,
    answer: impl Fn(usize) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let (connects, connected) = channel();
    let (asks, asked) = channel();
    let answer = Arc::new(answer);
    let counted = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let _ = connects.send(());
            let (answer, counted, asks) = (answer.clone(), counted.clone(), asks.clone());
            std::thread::spawn(move || serve(stream, &*answer, &counted, &asks));
        }
    });
    Server { address, requests, connected, asked }
}

fn serve(
    mut stream: TcpStream,
    answer: &dyn Fn(usize) -> Option<String>,
    counted: &AtomicUsize,
    asks: &std::sync::mpsc::Sender<()>,
) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        while let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            read.drain(..end + 4);
            let nth = counted.fetch_add(1, Ordering::SeqCst);
            let _ = asks.send(());
            let Some(answer) = answer(nth) else { return };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// A whole answer with a status and a body.
pub fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// An address at which nothing listens.
pub fn nothing() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// The text with every figure replaced by `#` and runs of spaces by one: what stays is what the
/// program says whatever the machine.
pub fn without_figures(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut words = Vec::new();
        for word in line.split_whitespace() {
            let digits = word
                .trim_end_matches(['s', 'm', '%', '/', ')', ',', '.', ':'])
                .trim_start_matches('(');
            let number = !digits.is_empty()
                && digits.chars().all(|c| c.is_ascii_digit() || ".,".contains(c))
                && digits.starts_with(|c: char| c.is_ascii_digit());
            words.push(if number {
                word.replace(digits, "#").replace("#ms", "#").replace("#s", "#")
            } else {
                word.to_owned()
            });
        }
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}
