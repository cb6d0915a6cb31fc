//! Short ways to write plans, and to look at what they sent.

use std::path::Path;

use tempfile::TempDir;
use throng::protocol::fake::Reply;

pub use crate::run::{Came, MS, Run, answers, class, indented, run};

/// One user does these steps once.
pub fn steps(steps: &str) -> Run {
    keys(&format!("tasks:\n  all:\n    steps:\n{}", indented(steps, 6)))
}

/// One user of a class with these keys does one iteration.
pub fn keys(keys: &str) -> Run {
    Run { iterations: Some(1), ..run(&class(keys, "{ users: 1, hold: 10m }")) }
}

/// One user sends one request.
pub fn request(keys: &str) -> Run {
    steps(&format!("- {}", indented(keys, 2).trim_start()))
}

/// A folder with these files.
pub fn files(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A status, at once, with this body.
pub fn status(status: u16, body: &str) -> Reply {
    Reply::new(MS(1), Ok(status)).body(body)
}

/// The same from YAML and from TOML, down to the byte and the millisecond.
pub fn twins(
    yaml: &str,
    toml: &str,
    script: impl Fn(&[u8], u64) -> Reply + Send + Sync + Copy + 'static,
) -> Came {
    let one = run(yaml).against(script);
    let other = Run { name: "plan.toml", ..run(toml) }.against(script);
    assert!(!one.sent.is_empty());
    assert_eq!((other.texts(), other.times()), (one.texts(), one.times()), "TOML and YAML");
    assert_eq!(other.counts(), one.counts());
    assert_eq!(other.exceptions(), one.exceptions());
    one
}

impl Run {
    /// With these keys beside `users`.
    pub fn with(self, top: &str) -> Self {
        Self { plan: format!("{top}\n{}", self.plan), ..self }
    }

    /// The plan lies there.
    pub fn within(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    pub fn times(self, iterations: u64) -> Self {
        Self { iterations: Some(iterations), ..self }
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Against a target that answers all with 200 and an empty object.
    pub fn well(self) -> Came {
        self.against(answers(1, 200, "{}"))
    }

    /// The mistakes that `check` finds.
    pub fn mistakes(&self) -> Vec<String> {
        let loaded = self.loaded();
        loaded.diagnostics.into_iter().filter(|one| one.is_error()).map(|one| one.title).collect()
    }
}

impl Came {
    pub fn texts(&self) -> Vec<String> {
        self.sent.iter().map(|sent| String::from_utf8_lossy(&sent.bytes).into_owned()).collect()
    }

    /// The values of a header of the `nth` request; names as they were sent, whatever their case.
    pub fn header(&self, nth: usize, name: &str) -> Vec<String> {
        let text = &self.texts()[nth];
        let head = text.split("\r\n\r\n").next().unwrap();
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .collect()
    }

    pub fn body(&self, nth: usize) -> String {
        self.texts()[nth].split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub fn bodies(&self) -> Vec<String> {
        (0..self.sent.len()).map(|nth| self.body(nth)).collect()
    }

    pub fn paths(&self) -> Vec<String> {
        self.lines().iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    /// The paths in one line.
    pub fn way(&self) -> String {
        self.paths().join(" ")
    }

    /// The sentences of what failed, how often, and what was seen.
    pub fn failed(&self) -> Vec<(String, u64, Vec<String>)> {
        let failures = self.total.all_names().failures.into_iter();
        let catalogue = &self.program.catalogue;
        failures
            .map(|(failure, seen)| (catalogue.sentence(failure), seen.count, seen.examples))
            .collect()
    }

    /// The only failure: its sentence, and what was seen.
    pub fn failure(&self) -> (String, String) {
        let failed = self.failed();
        assert_eq!(failed.len(), 1, "{failed:?}");
        (failed[0].0.clone(), failed[0].2.join(" | "))
    }

    pub fn exceptions(&self) -> Vec<(String, u64)> {
        self.total.exceptions.clone().into_iter().collect()
    }

    /// Of each group: name, how many went well, how many failed, the shortest and longest time.
    pub fn groups(&self) -> Vec<(String, u64, u64, f64, f64)> {
        let all = self.total.groups.iter();
        all.map(|(number, stats)| {
            let (name, times) =
                (&self.program.catalogue.groups[*number as usize], stats.response());
            let (low, high) = (times.min_ms().unwrap(), times.max_ms().unwrap());
            (name.clone(), stats.succeeded(), stats.failed(), low, high)
        })
        .collect()
    }

    /// Of each name in the tables: method, name, requests.
    pub fn names(&self) -> Vec<(String, u64)> {
        let all = self.total.names.iter().map(|(number, stats)| {
            let name = &self.program.catalogue.names[*number as usize];
            (format!("{} {}", name.method, name.name), stats.requests())
        });
        all.collect()
    }

    /// All went well: every request was a success, nothing was an exception.
    pub fn all_well(&self) -> &Self {
        let counts = self.counts();
        assert_eq!((counts.1, self.exceptions()), (counts.0, Vec::new()), "{:?}", self.failed());
        self
    }
}
