//! Owns how an explained plan looks: users, tasks, the load as a chart, requests, data, thresholds.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Schedule;
use crate::program::{ClassShape, Explanation, Load, Need, StageShape, TaskShape};
use crate::sink::figures::{count, rate, share};
use crate::sink::text::{cut, pad, width_of};
use crate::units::format_duration;
use crate::untrusted::visible;

/// The widest that is still read with ease.
const WIDEST: usize = 100;
const NARROWEST: usize = 30;

/// The explanation for a terminal of so many columns.
pub(super) fn text(explained: &Explanation, width: usize) -> String {
    let mut page = Page { text: String::new(), width: width.clamp(NARROWEST, WIDEST) };
    page.lines(0, &explained.name);
    if explained.targets.is_empty() {
        page.lines(2, "no target: say it on the command line, as `--target URL` or `--demo`");
    }
    explained.targets.iter().for_each(|target| page.lines(2, target));
    page.head("Users");
    explained.classes.iter().for_each(|class| page.class(class));
    let rows = if explained.profiles.len() > 1 { 4 } else { 8 };
    for load in &explained.profiles {
        page.load(explained, load, rows);
    }
    if explained.profiles.is_empty() {
        page.head("Profiles");
        page.lines(2, "none: say how many users on the command line, as `-u 20 -t 15s`");
    }
    page.head("Thresholds");
    if explained.thresholds.is_empty() {
        page.lines(2, "none: a run passes whatever it measures");
    }
    explained.thresholds.iter().for_each(|threshold| page.lines(2, threshold));
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn head(&mut self, title: &str) {
        self.text.push('\n');
        self.lines(0, title);
    }

    /// A text, broken between words, each line as far in.
    fn lines(&mut self, indent: usize, text: &str) {
        let room = self.width.saturating_sub(indent).max(10);
        let text = visible(text);
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && width_of(&line) + 1 + width_of(word) > room {
                let _ = writeln!(self.text, "{}{line}", " ".repeat(indent));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&cut(word, room));
        }
        let _ = writeln!(self.text, "{}{line}", " ".repeat(indent));
    }

    fn class(&mut self, class: &ClassShape) {
        let many = match (class.fixed, class.share) {
            (Some(fixed), _) => people(fixed),
            (None, Some(0.0)) => "none, unless it is named on the command line".to_owned(),
            (None, part) => share(part.unwrap_or(0.0)),
        };
        self.lines(2, &format!("{}: {many}", class.name));
        let order = match class.order {
            "sequence" => "all tasks in order",
            "shuffle" => "all tasks, in another order each time",
            "chain" => "a chain from the first task to an exit",
            _ if class.tasks.len() == 1 => "its task",
            _ => "one task by weight",
        };
        let wait = match &*class.wait {
            "none" => "no wait".to_owned(),
            wait if wait.starts_with("a pace") => wait.to_owned(),
            wait if class.order == "random" => format!("then a wait of {wait}"),
            wait => format!("a wait of {wait} after each"),
        };
        let each = class.requests_per_iteration;
        let requests = if each == 1.0 {
            "1 request each time".to_owned()
        } else {
            format!("{} requests each time", number(each))
        };
        self.lines(4, &format!("{order}, {wait}; {requests}"));
        let shares: Vec<String> =
            class.tasks.iter().map(|task| task.share.map_or(String::new(), share)).collect();
        let wide = shares.iter().map(|share| width_of(share)).max().unwrap_or(0);
        let names = class.tasks.iter().map(|task| width_of(&task.name)).max().unwrap_or(0);
        for (task, share) in class.tasks.iter().zip(shares) {
            let lead = if wide == 0 { String::new() } else { format!("{share:>wide$}  ") };
            self.task(task, class, &lead, names);
        }
    }

    fn task(&mut self, task: &TaskShape, class: &ClassShape, lead: &str, names: usize) {
        let mut remarks = Vec::new();
        if class.order == "random" && task.share == Some(0.0) {
            remarks.push("only when it is called".to_owned());
        }
        remarks.extend(task.visits.map(|visits| format!("{} visits a pass", number(visits))));
        if task.requests != 1.0 && class.tasks.len() > 1 {
            remarks.push(match task.requests {
                0.0 => "no request".to_owned(),
                requests => format!("{} requests", number(requests)),
            });
        }
        remarks.extend(task.wait.as_ref().map(|wait| format!("wait {wait}")));
        remarks.extend(task.chance.map(|chance| format!("chance {}", share(chance))));
        remarks.extend(task.when.as_ref().map(|when| format!("when {when}")));
        let (name, remarks) = (visible(&task.name), visible(&remarks.join(", ")).into_owned());
        let indent = 6 + width_of(lead);
        let line = format!("      {lead}{}  {remarks}", pad(&name, names));
        if width_of(line.trim_end()) <= self.width {
            let _ = writeln!(self.text, "{}", line.trim_end());
            return;
        }
        let name = cut(&name, self.width.saturating_sub(indent).max(10));
        let _ = writeln!(self.text, "      {lead}{name}");
        if !remarks.is_empty() {
            self.lines(indent + 2, &remarks);
        }
    }

    fn load(&mut self, explained: &Explanation, load: &Load, rows: usize) {
        let runs = if load.default { ", runs when none is named" } else { "" };
        self.head(&format!("Profile {}{runs}", load.name));
        let total = Duration::from_secs_f64(load.total_s);
        let mut whole = format!("{} in all, {} at the peak", span(total), people(load.peak));
        if let Some(most) = load.iterations {
            whole += &format!(", ends after {} iterations", count(most));
        }
        if load.warmup_s > 0.0 {
            let warmup = Duration::from_secs_f64(load.warmup_s);
            whole += &format!(", the first {} are not judged", span(warmup));
        }
        self.lines(2, &whole);
        self.chart(&load.schedule, rows);
        let stages: Vec<String> = load.stages.iter().filter_map(stage).collect();
        // A stair of fifty steps is told by its ends.
        if stages.len() > 8 {
            stages[..3].iter().for_each(|stage| self.lines(2, stage));
            self.lines(2, &format!("… {} more …", stages.len() - 5));
            stages[stages.len() - 2..].iter().for_each(|stage| self.lines(2, stage));
        } else {
            stages.iter().for_each(|stage| self.lines(2, stage));
        }
        let parts = load.users.iter().zip(&explained.classes).filter(|(users, _)| **users > 0);
        let parts: Vec<_> = parts
            .map(|(users, class)| format!("{} {}", count((*users).into()), class.name))
            .collect();
        if parts.len() > 1 {
            self.lines(2, &format!("at the peak {}", parts.join(", ")));
        }
        self.lines(2, &requests(explained, load));
        load.data.iter().for_each(|need| self.lines(2, &rows_of(need)));
    }

    /// The users over time. A column shows those in the middle of its time, but a peak within it is
    /// never left out.
    fn chart(&mut self, schedule: &Schedule, rows: usize) {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let peak = schedule.peak();
        if peak == 0 {
            return;
        }
        let label = count(peak.into());
        let wide = width_of(&label);
        let columns = self.width.saturating_sub(wide + 4).clamp(10, 60) as u32 & !1;
        let at = |column: u32| schedule.total().mul_f64(f64::from(column) / f64::from(columns));
        let middles: Vec<u32> = (0..columns)
            .map(|column| schedule.users_at((at(column) + at(column + 1)) / 2))
            .collect();
        let shown = |column: u32| {
            let number = column as usize;
            let most = schedule.peak_within(at(column), at(column + 1));
            let around = &middles[number.saturating_sub(1)..(number + 2).min(middles.len())];
            if around.iter().all(|users| *users < most) { most } else { middles[number] }
        };
        let users: Vec<u32> = (0..columns).map(shown).collect();
        // Where nothing changes, there is little to be seen.
        let rows = if users.iter().all(|users| *users == peak) { 2 } else { rows };
        let height = |users: &u32| (*users as usize * rows * 8).div_ceil(peak as usize);
        let eighths: Vec<usize> = users.iter().map(height).collect();
        for row in (0..rows).rev() {
            let label = if row + 1 == rows { &*label } else { "" };
            let line: String = eighths
                .iter()
                .map(|height| BLOCKS[height.saturating_sub(row * 8).min(8)])
                .collect();
            let tick = if label.is_empty() { '│' } else { '┤' };
            let _ = writeln!(self.text, "  {label:>wide$} {tick}{}", line.trim_end());
        }
        let axis = "─".repeat(columns as usize);
        let _ = writeln!(self.text, "  {:>wide$} └{axis}", 0);
        let end = span(schedule.total());
        let room = (columns as usize).saturating_sub(2);
        let half = span(at(columns / 2));
        let half = if columns >= 40 { half } else { String::new() };
        let left = (columns as usize / 2).saturating_sub(2 + width_of(&half) / 2);
        let middle = format!("{}{half}", " ".repeat(left));
        let gap = room.saturating_sub(width_of(&middle));
        let _ = writeln!(self.text, "  {:wide$}  0s{middle}{end:>gap$}", "");
    }
}

fn stage(stage: &StageShape) -> Option<String> {
    let (over, hold) =
        (Duration::from_secs_f64(stage.over_s), Duration::from_secs_f64(stage.hold_s));
    if over.is_zero() && hold.is_zero() {
        return None;
    }
    let name = stage.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    let users = if stage.users == 0 { "none".to_owned() } else { people(stage.users) };
    let text = if over.is_zero() || stage.users == stage.from {
        format!("{users} for {}", span(over + hold))
    } else {
        let way = if stage.users > stage.from { "up" } else { "down" };
        let held =
            if hold.is_zero() { String::new() } else { format!(", held for {}", span(hold)) };
        format!("{way} to {users} over {}{held}", span(over))
    };
    Some(name + &text)
}

fn requests(explained: &Explanation, load: &Load) -> String {
    let assumed = if explained.response_s == 0.0 {
        "if answers took no time".to_owned()
    } else {
        let response = Duration::from_secs_f64(explained.response_s);
        format!("if each answer took {}", span(response))
    };
    // Conditions are taken to hold, and answers to be there at once: a run has fewer.
    let most = if load.rough { "about" } else { "at most" };
    let open = if load.open { "; loops of unknown length count as one round" } else { "" };
    match (load.requests, load.rps) {
        (Some(requests), Some(rps)) => {
            let requests = count(requests as u64);
            format!(
                "{most} {requests} requests, {}/s at the peak, {assumed}{open}",
                per_second(rps)
            )
        }
        (Some(requests), None) => format!("{most} {} requests{open}", count(requests as u64)),
        _ => {
            "as many requests as the target answers: not all users wait; `--assume 50ms` says how \
              many those are"
                .to_owned()
        }
    }
}

fn rows_of(need: &Need) -> String {
    let rows =
        if need.rows == 1 { "1 row".to_owned() } else { format!("{} rows", count(need.rows)) };
    let needed = match need.needed {
        None => format!("one for each {}", need.per),
        Some(needed) => format!("{} needed, one for each {}", count(needed), need.per),
    };
    let short = need.needed.is_some_and(|needed| needed > need.rows);
    let end = match (short, need.recycled) {
        (false, _) => "",
        (true, true) if need.per == "user" => "; users share them",
        (true, true) => "; then from the first again",
        (true, false) => "; too few",
    };
    format!("data {}: {rows}, {needed}{end}", need.name)
}

fn people(users: u32) -> String {
    if users == 1 { "1 user".to_owned() } else { format!("{} users", count(users.into())) }
}

/// A duration without digits that a slice of the time brings.
fn span(duration: Duration) -> String {
    let rounded = match duration.as_secs() {
        0..10 => Duration::from_millis((duration.as_secs_f64() * 1e3).round() as u64),
        10..60 => Duration::from_millis(((duration.as_secs_f64() * 10.0).round() * 100.0) as u64),
        _ => Duration::from_secs(duration.as_secs_f64().round() as u64),
    };
    format_duration(rounded)
}

fn per_second(value: f64) -> String {
    let text = rate(value);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// An amount, with at most two decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
