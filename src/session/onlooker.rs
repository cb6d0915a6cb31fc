//! Owns what is told of a rehearsal while it goes on, and counting what came of it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::diagnostic::{Source, line_of};
use crate::engine::{Observer, Seen};
use crate::load::Wait;
use crate::metrics::{Catalogue, Failure, Outcome};
use crate::program::{Came, Explained, Judgement, Mark, Request, time_text};
use crate::untrusted::{Secrets, header, proofs_of, split};

use super::shown::{
    BAD, BOLD, DIM, GOOD, PLAIN, body, clean, columns_of, fitted, head, size, styled,
};

/// How a rehearsal is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// In columns; lines of any length when it is not known.
    pub(super) width: Option<usize>,
    /// Only what failed.
    pub(super) quiet: bool,
    /// Bodies are shown to their end.
    pub(super) full: bool,
    /// Users wait where the plan has it so.
    pub(super) waits: bool,
}

/// What came of a class, or of what runs once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// The class; `before` and `after` are called so.
    pub(super) name: String,
    /// Tasks that were begun.
    pub(super) tasks: u32,
    pub(super) requests: u32,
    pub(super) failed: u32,
    /// Times that something failed which is no request.
    pub(super) exceptions: u32,
    /// Tasks that were not done, in words, and why.
    pub(super) left_out: Vec<(String, String)>,
}

impl Tally {
    pub(super) fn went_well(&self) -> bool {
        self.failed == 0 && self.exceptions == 0
    }
}

/// Where text goes, piece by piece.
type Out = Box<dyn FnMut(&str)>;

/// The story of a rehearsal as far as it is told.
pub(super) struct Story {
    manner: Manner,
    secrets: Secrets,
    catalogue: Catalogue,
    /// The files of the plan, to say where in them a step stands.
    sources: Vec<Source>,
    out: Out,
    /// The headings of the class and of the part of it, until something is told below them.
    headings: [Option<String>; 2],
    /// Something was told already.
    begun: bool,
    /// A request was told below the heading.
    below: bool,
    /// Nothing was told below the heading of a part that was begun.
    silent: bool,
    /// The plan has failed by its own word, which is told; as an exception it comes again.
    said_fail: bool,
    /// In the order in which they were begun.
    pub(super) tallies: Vec<Tally>,
}

/// One who looks on for the story.
#[derive(Clone)]
pub(super) struct Onlooker(pub(super) Rc<RefCell<Story>>);

impl std::fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Onlooker")
    }
}

impl Story {
    pub(super) fn new(
        manner: Manner,
        secrets: Secrets,
        catalogue: Catalogue,
        sources: Vec<Source>,
        out: Out,
    ) -> Self {
        let (headings, tallies) = ([None, None], Vec::new());
        Self {
            manner,
            secrets,
            catalogue,
            sources,
            out,
            headings,
            begun: false,
            below: false,
            silent: false,
            said_fail: false,
            tallies,
        }
    }

    /// From here on it is about this class, or about what runs once.
    pub(super) fn chapter(&mut self, name: &str, is_class: bool) {
        self.close();
        self.tallies.push(Tally { name: name.to_owned(), ..Tally::default() });
        let heading = is_class.then(|| format!("class {}", self.clean(name)));
        self.headings = [heading, None];
    }

    /// The part under way is over: one that sent nothing says so.
    fn close(&mut self) {
        if self.silent && !self.manner.quiet {
            let text = self.line("  ", "nothing was sent", DIM);
            self.tell(&text);
        }
        self.silent = false;
    }

    fn clean(&self, text: &str) -> String {
        clean(text, &self.secrets)
    }

    fn tally(&mut self) -> &mut Tally {
        self.tallies.last_mut().expect("a chapter is begun before anything is told")
    }

    /// Tells text, below the headings that it stands under.
    pub(super) fn tell(&mut self, text: &str) {
        let mut all = String::new();
        for heading in std::mem::take(&mut self.headings).into_iter().flatten() {
            if std::mem::replace(&mut self.begun, true) {
                all.push('\n');
            }
            all += &fitted("", Some("  "), &heading, BOLD, self.manner.width);
            self.below = false;
        }
        all += text;
        self.begun = true;
        self.silent &= text.is_empty();
        (self.out)(&all);
    }

    /// Tells it unless only failures are asked for.
    fn tell_all(&mut self, text: &str) {
        if !self.manner.quiet {
            self.tell(text);
        }
    }

    fn line(&self, mark: &str, text: &str, style: anstyle::Style) -> String {
        fitted(mark, None, text, style, self.manner.width)
    }

    /// A request and its answer, line by line.
    fn exchange(&self, seen: &Seen<'_>) -> String {
        let Manner { width, full, .. } = self.manner;
        let mut out = self.headline(seen);
        let (sent_head, sent_body) = split(seen.bytes);
        let sent_text = String::from_utf8_lossy(sent_head);
        let kind = header(&sent_text, "content-type").unwrap_or_default();
        let message = |out: &mut String, sign: &str, head: Vec<String>, body: Vec<String>| {
            let margin = format!("    {} ", styled(DIM, sign));
            let again = format!("{margin}  ");
            let gap = (!body.is_empty()).then(String::new);
            for line in head.iter().chain(&gap).chain(&body) {
                *out += &fitted(&margin, Some(&again), line, PLAIN, width);
            }
        };
        message(
            &mut out,
            ">",
            head(sent_head, &self.secrets),
            body(sent_body, kind, full, &self.secrets),
        );
        match seen.exchange.hops {
            0 => {}
            1 => out += &self.line("    ", "1 redirect was followed; the last answer:", DIM),
            hops => {
                let text = format!("{hops} redirects were followed; the last answer:");
                out += &self.line("    ", &text, DIM);
            }
        }
        if let Ok(status) = seen.exchange.status {
            let response = &seen.mind.response;
            let mut lines = vec![status_text(status)];
            lines.extend(head(&response.head, &self.secrets));
            let came = String::from_utf8_lossy(&response.head);
            let kind = header(&came, "content-type").unwrap_or_default();
            message(&mut out, "<", lines, body(&response.body, kind, full, &self.secrets));
        }
        out += &self.rules(seen);
        out
    }

    /// What it was and what became of it, in one line.
    fn headline(&self, seen: &Seen<'_>) -> String {
        let failed = is_failure(seen);
        let mut words = seen.bytes.split(|byte| *byte == b' ');
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let (method, path) = (String::from_utf8_lossy(method), String::from_utf8_lossy(path));
        let asked = self.clean(&format!("{method} {path}"));
        let outcome = match seen.exchange.status {
            Ok(status) => status_text(status),
            Err(fault) => fault.sentence().to_owned(),
        };
        let mut parts = vec![
            (BOLD, asked),
            (if failed { BAD } else { GOOD }, outcome),
            (DIM, time_text(seen.mind.response.time)),
        ];
        if seen.exchange.status.is_ok() {
            let bytes = usize::try_from(seen.exchange.body_bytes).unwrap_or(usize::MAX);
            parts.push((DIM, size(bytes)));
        }
        if seen.request.name != path {
            parts.push((DIM, format!("as {}", self.clean(&seen.request.name))));
        }
        laid_out("  ", &parts, self.manner.width)
    }

    fn rules(&self, seen: &Seen<'_>) -> String {
        let mut out = String::new();
        for rule in seen.rules {
            let Explained { part, asked, seen, came } = rule;
            let (mark, style) = match came {
                Came::Held => (format!("    {} ", styled(GOOD, "✓")), PLAIN),
                Came::Broke => (format!("    {} ", styled(BAD, "✗")), BAD),
                Came::NotJudged => (format!("    {} ", styled(DIM, "·")), DIM),
            };
            let seen = match came {
                Came::NotJudged => ": not looked at",
                _ if seen.is_empty() => "",
                _ => &format!(": {seen}"),
            };
            let text = self.clean(&format!("{} {asked}{seen}", part.key()));
            out += &self.line(&mark, &text, style);
        }
        let Outcome::Failed(failure) = seen.judgement.outcome else { return out };
        let mark = format!("    {} ", styled(BAD, "✗"));
        match failure {
            Failure::Fault(fault) => {
                let text = format!("{}: {}", fault.sentence(), fault.advice());
                out += &self.line(&mark, &text, BAD);
            }
            // The rule that broke says all of it, but for a message of the plan's own.
            Failure::Rule(_) => {
                let sentence = self.catalogue.sentence(failure);
                let is_told = seen.rules.iter().any(|rule| sentence.contains(&*rule.asked));
                if !is_told && *seen.judgement != Judgement::broken() {
                    let seen = seen.judgement.seen.as_ref();
                    let seen = seen.map(|seen| format!(" ({seen})")).unwrap_or_default();
                    let text = self.clean(&format!("counted as: {sentence}{seen}"));
                    out += &self.line("      ", &text, BAD);
                }
            }
            Failure::Status(_) => {}
        }
        out
    }

    /// What was counted, a line for each class, and what never ran.
    pub(super) fn end(&mut self) {
        let plural = |count: u32, one: &str, many: &str| {
            if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
        };
        self.close();
        let quiet = self.manner.quiet;
        let mut out = String::new();
        for tally in &self.tallies {
            if quiet && tally.went_well() {
                continue;
            }
            let is_aside = tally.tasks == 0 && tally.left_out.is_empty();
            let mut parts = vec![(BOLD, self.clean(&tally.name))];
            if !is_aside {
                parts.push((PLAIN, plural(tally.tasks, "task", "tasks")));
            }
            parts.push((PLAIN, plural(tally.requests, "request", "requests")));
            match tally.failed {
                0 => parts.push((GOOD, "none failed".to_owned())),
                failed => parts.push((BAD, format!("{failed} failed"))),
            }
            if tally.exceptions > 0 {
                parts.push((BAD, plural(tally.exceptions, "exception", "exceptions")));
            }
            out += &laid_out("", &parts, self.manner.width);
            for (task, why) in &tally.left_out {
                let text = format!("never ran: {} ({})", self.clean(task), self.clean(why));
                out += &self.line("  ", &text, DIM);
            }
        }
        if !out.is_empty() {
            self.headings = [None, None];
            let out = if self.begun { format!("\n{out}") } else { out };
            self.tell(&out);
        }
    }
}

fn is_failure(seen: &Seen<'_>) -> bool {
    matches!(seen.judgement.outcome, Outcome::Failed(_))
}

/// `200 OK`
fn status_text(status: u16) -> String {
    let known = hyper::StatusCode::from_u16(status).ok();
    match known.and_then(|known| known.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// Parts beside each other, in as many lines as they need; none is broken that fits a line.
fn laid_out(margin: &str, parts: &[(anstyle::Style, String)], width: Option<usize>) -> String {
    let room = width.unwrap_or(usize::MAX);
    let again = format!("{margin}  ");
    let (mut out, mut used) = (String::new(), 0);
    for (style, text) in parts {
        let wide = columns_of(text);
        if used > 0 && used + 2 + wide <= room {
            out.truncate(out.trim_end_matches('\n').len());
            out += &format!("  {}\n", styled(*style, text));
            used += 2 + wide;
            continue;
        }
        let margin = if used == 0 { margin } else { &again };
        out += &fitted(margin, Some(&again), text, *style, width);
        used = margin.len() + wide;
    }
    out
}

impl Observer for Onlooker {
    fn begins(&mut self, what: &str) {
        let mut story = self.0.borrow_mut();
        story.close();
        let is_task = !["on_start", "on_stop", "before", "after"].contains(&what);
        story.tally().tasks += u32::from(is_task);
        let name = story.clean(what);
        story.headings[1] = Some(if is_task { format!("task {name}") } else { name });
        story.silent = true;
        story.tell_all("");
    }

    fn broken_off(&mut self) {
        let mut story = self.0.borrow_mut();
        let text = story.line("  ", "broken off here by the failure", BAD);
        story.tell(&text);
    }

    fn left_out(&mut self, tasks: &[&str], why: &str) {
        let mut story = self.0.borrow_mut();
        story.close();
        let tasks = tasks.join(", ");
        story.tally().left_out.push((tasks.clone(), why.to_owned()));
        let what = if tasks.contains(", ") { "tasks" } else { "task" };
        story.headings[1] = Some(format!("{what} {}", story.clean(&tasks)));
        let text = format!("left out: {}", story.clean(why));
        let text = story.line("  ", &text, DIM);
        story.tell_all(&text);
    }

    fn waits(&self) -> bool {
        self.0.borrow().manner.waits
    }

    fn skipped(&mut self, wait: Wait) {
        let mut story = self.0.borrow_mut();
        let text = story.line("  ", &format!("wait {wait}: skipped"), DIM);
        story.tell_all(&text);
    }

    fn turned(&mut self, mark: &Mark, text: &str) {
        let mut story = self.0.borrow_mut();
        if let Some(task) = &mark.task {
            // It was begun to no purpose.
            let tally = story.tally();
            tally.tasks = tally.tasks.saturating_sub(1);
            tally.left_out.push(task.clone());
        }
        let place = line_of(mark.place, &story.sources);
        let text = story.clean(&format!("{place}: {text}"));
        let text = story.line("  ", &text, DIM);
        story.tell_all(&text);
    }

    fn exchanged(&mut self, seen: &Seen<'_>) {
        let mut story = self.0.borrow_mut();
        keep_proof(seen.bytes, &story.secrets);
        let failed = is_failure(seen);
        let tally = story.tally();
        tally.requests += 1;
        tally.failed += u32::from(failed);
        if failed || !story.manner.quiet {
            let text = story.exchange(seen);
            // Requests below each other are told apart by an empty line.
            let goes_on = story.below && story.headings == [None, None];
            let gap = if goes_on { "\n" } else { "" };
            story.tell(&format!("{gap}{text}"));
            story.below = true;
        }
    }

    fn tried_again(&mut self, request: &Request, status: Option<u16>) {
        let mut story = self.0.borrow_mut();
        let came = status.map_or_else(|| "no answer".to_owned(), status_text);
        let text = story.clean(&format!("{} {}: {came}, sent again", request.method, request.name));
        let text = story.line("  ", &text, DIM);
        story.tell_all(&text);
    }

    fn exception(&mut self, text: &str) {
        let mut story = self.0.borrow_mut();
        story.tally().exceptions += 1;
        if std::mem::take(&mut story.said_fail) {
            return;
        }
        let text = story.line(&format!("  {} ", styled(BAD, "✗")), &story.clean(text), BAD);
        story.tell(&text);
    }

    fn said(&mut self, by: &str, text: &str) {
        let mut story = self.0.borrow_mut();
        let text = story.clean(&format!("{by}: {text}"));
        if by == "fail" {
            story.said_fail = true;
            let text = story.line(&format!("  {} ", styled(BAD, "✗")), &text, BAD);
            story.tell(&text);
        } else {
            let text = story.line("  ", &text, PLAIN);
            story.tell_all(&text);
        }
    }
}

/// What a request proves who it is with is hidden wherever else it shows, as in an answer that
/// repeats it.
fn keep_proof(bytes: &[u8], secrets: &Secrets) {
    let (head, _) = split(bytes);
    proofs_of(&String::from_utf8_lossy(head)).iter().for_each(|proof| secrets.add(proof));
}
