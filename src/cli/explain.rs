//! Owns how an explained plan looks: users, tasks, the load as a chart, requests, data, thresholds.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::{Course, Height};
use crate::program::{
    Amount, ArrivalsShape, ClassShape, Explanation, Load, Need, PartShape, SearchShape, StageShape,
    TaskShape,
};
use crate::sink::figures::{count, rate, share};
use crate::sink::text::{cut, pad, width_of};
use crate::units::{format_duration, format_percent};
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
    // A search has what must hold: without thresholds nothing more is to be said.
    let searches =
        !explained.profiles.is_empty() && explained.profiles.iter().all(|one| one.search.is_some());
    if !(searches && explained.thresholds.is_empty()) {
        page.head("Thresholds");
        if explained.thresholds.is_empty() {
            page.lines(2, "none: a run passes whatever it measures");
        }
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
        if let Some(search) = &load.search {
            self.search(search, load);
            return;
        }
        let mut whole = match &load.parts[..] {
            [part] if part.class.is_none() => asked(part),
            _ => {
                let total = Duration::from_secs_f64(load.total_s);
                format!("{} in all, each class its own load", span(total))
            }
        };
        if let Some(most) = load.iterations {
            whole += &format!(", ends after {} iterations", count(most));
        }
        if load.warmup_s > 0.0 {
            let warmup = Duration::from_secs_f64(load.warmup_s);
            whole += &format!(", the first {} are not judged", span(warmup));
        }
        self.lines(2, &whole);
        for part in &load.parts {
            if let Some(class) = &part.class {
                self.lines(2, &format!("{class}: {}", asked(part)));
            }
            self.part(explained, part, rows);
        }
        if let [PartShape { class: None, arrivals: None, .. }] = &load.parts[..] {
            let users = load.users.iter().map(|users| count((*users).into()));
            self.shared(explained, users);
        }
        self.lines(2, &requests(explained, load));
        load.data.iter().for_each(|need| self.lines(2, &rows_of(need)));
    }

    fn search(&mut self, search: &SearchShape, load: &Load) {
        let time = |seconds: f64| span(Duration::from_secs_f64(seconds));
        let (from, to) = &search.words;
        self.lines(
            2,
            &format!(
                "a search: from {from} to at most {to}, each level for {} after {} to settle",
                time(search.hold_s),
                time(search.settle_s)
            ),
        );
        self.lines(2, &format!("must hold: {}", search.must.join(", ")));
        let within = format_percent(search.within);
        self.lines(
            2,
            &format!(
                "doubled until something breaks, then closed in on to within {within}; at most {} \
                 levels and {}",
                search.looks,
                time(load.total_s)
            ),
        );
        if search.of == "rate" {
            self.lines(2, &format!("by at most {}", people(load.peak)));
        }
        self.lines(2, "no threshold is judged: a search breaks limits on purpose");
        load.data.iter().for_each(|need| self.lines(2, &rows_of(need)));
    }

    fn part(&mut self, explained: &Explanation, part: &PartShape, rows: usize) {
        self.chart(&part.course, rows);
        let stages: Vec<String> = part.stages.iter().filter_map(stage).collect();
        // A stair of fifty steps is told by its ends.
        if stages.len() > 8 {
            stages[..3].iter().for_each(|stage| self.lines(2, stage));
            self.lines(2, &format!("… {} more …", stages.len() - 5));
            stages[stages.len() - 2..].iter().for_each(|stage| self.lines(2, stage));
        } else {
            stages.iter().for_each(|stage| self.lines(2, stage));
        }
        let Some(arrivals) = &part.arrivals else { return };
        if part.class.is_none() {
            let rates = arrivals.rates.iter();
            let rates = rates
                .map(|rate| if *rate == 0.0 { "0".to_owned() } else { per_second(*rate) + "/s" });
            self.shared(explained, rates);
        }
        let how = if arrivals.spread == "poisson" { "about " } else { "" };
        let random = if how.is_empty() { "" } else { ", at random" };
        let all = if arrivals.count == 1 {
            "1 arrival".to_owned()
        } else {
            format!("{} arrivals", count(arrivals.count))
        };
        self.lines(2, &format!("{how}{all}{random}, each of them an iteration"));
        self.lines(2, &users_needed(explained, part, arrivals));
        for class in &arrivals.idle_waits {
            self.lines(2, &format!("the wait of {class} is not used"));
        }
    }

    /// What each class has of the peak, when several have some.
    fn shared(&mut self, explained: &Explanation, amounts: impl Iterator<Item = String>) {
        let parts = amounts.zip(&explained.classes).filter(|(amount, _)| amount != "0");
        let parts: Vec<_> =
            parts.map(|(amount, class)| format!("{amount} {}", class.name)).collect();
        if parts.len() > 1 {
            self.lines(2, &format!("at the peak {}", parts.join(", ")));
        }
    }

    /// The load over time. A column shows what there is in the middle of its time, but a peak within
    /// it is never left out.
    fn chart(&mut self, course: &Course, rows: usize) {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let peak = course.peak().steps();
        if peak == 0 {
            return;
        }
        let label = match course.peak() {
            Height::Users(users) => count(users.into()),
            rate => rate.to_string(),
        };
        let wide = width_of(&label);
        let columns = self.width.saturating_sub(wide + 4).clamp(10, 60) as u32 & !1;
        let at = |column: u32| course.total().mul_f64(f64::from(column) / f64::from(columns));
        let middles: Vec<u64> = (0..columns)
            .map(|column| course.at((at(column) + at(column + 1)) / 2).steps())
            .collect();
        let shown = |column: u32| {
            let number = column as usize;
            let most = course.peak_within(at(column), at(column + 1)).steps();
            let around = &middles[number.saturating_sub(1)..(number + 2).min(middles.len())];
            if around.iter().all(|middle| *middle < most) { most } else { middles[number] }
        };
        let heights: Vec<u64> = (0..columns).map(shown).collect();
        // Where nothing changes, there is little to be seen.
        let rows = if heights.iter().all(|height| *height == peak) { 2 } else { rows };
        let eighths =
            heights.iter().map(|height| (height * rows as u64 * 8).div_ceil(peak) as usize);
        let eighths: Vec<usize> = eighths.collect();
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
        let end = span(course.total());
        let room = (columns as usize).saturating_sub(2);
        let half = span(at(columns / 2));
        let half = if columns >= 40 { half } else { String::new() };
        let left = (columns as usize / 2).saturating_sub(2 + width_of(&half) / 2);
        let middle = format!("{}{half}", " ".repeat(left));
        let gap = room.saturating_sub(width_of(&middle));
        let _ = writeln!(self.text, "  {:wide$}  0s{middle}{end:>gap$}", "");
    }
}

/// `15s in all, 20 users at the peak`
fn asked(part: &PartShape) -> String {
    let total = span(Duration::from_secs_f64(part.total_s));
    match (&part.arrivals, part.course.peak()) {
        (Some(_), peak) => {
            format!("{total} in all, {peak} at the peak, by at most {}", people(part.peak))
        }
        (None, _) => format!("{total} in all, {} at the peak", people(part.peak)),
    }
}

fn stage(stage: &StageShape) -> Option<String> {
    let (over, hold) =
        (Duration::from_secs_f64(stage.over_s), Duration::from_secs_f64(stage.hold_s));
    if over.is_zero() && hold.is_zero() {
        return None;
    }
    let name = stage.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
    let (from, to) = (stage.from.number(), stage.to.number());
    let much = match stage.to {
        _ if to == 0.0 => "none".to_owned(),
        Amount::Users(users) => people(users),
        Amount::Rate(rate) => rate.to_string(),
    };
    let text = if over.is_zero() || to == from {
        format!("{much} for {}", span(over + hold))
    } else {
        let way = if to > from { "up" } else { "down" };
        let held =
            if hold.is_zero() { String::new() } else { format!(", held for {}", span(hold)) };
        format!("{way} to {much} over {}{held}", span(over))
    };
    Some(name + &text)
}

/// Whether there are users enough: by Little's law, as many are busy as arrive while one iteration lasts.
fn users_needed(explained: &Explanation, part: &PartShape, arrivals: &ArrivalsShape) -> String {
    let limit = span(Duration::from_secs_f64(arrivals.iteration_at_most_s));
    let are = if part.peak == 1 { "is" } else { "are" };
    let enough =
        format!("{} {are} enough while an iteration takes {limit} at most", people(part.peak));
    let busy = arrivals.busy.ceil().max(1.0);
    // Without waits and without an assumption nothing is known of how long one takes.
    if explained.response_s == 0.0 && arrivals.busy == 0.0 {
        return enough;
    }
    let assumed = assumed(explained);
    let needed = people(busy as u32);
    let verb = if busy == 1.0 { "is" } else { "are" };
    if busy > f64::from(part.peak) {
        format!(
            "too few users: {needed} {verb} busy at the peak {assumed}, and there are at most {}; \
             arrivals wait for one and start late: raise `max_users`",
            count(part.peak.into())
        )
    } else {
        format!("{needed} {verb} busy at the peak {assumed}; {enough}")
    }
}

fn assumed(explained: &Explanation) -> String {
    if explained.response_s == 0.0 {
        return "if answers took no time".to_owned();
    }
    let response = Duration::from_secs_f64(explained.response_s);
    format!("if each answer took {}", span(response))
}

fn requests(explained: &Explanation, load: &Load) -> String {
    let assumed = if load.answers { format!(", {}", assumed(explained)) } else { String::new() };
    // Conditions are taken to hold, and answers to be there at once: a run has fewer.
    let most = if load.rough { "about" } else { "at most" };
    let open = if load.loops { "; loops of unknown length count as one round" } else { "" };
    match (load.requests, load.rps) {
        (Some(requests), Some(rps)) => {
            let requests = count(requests as u64);
            format!("{most} {requests} requests, {}/s at the peak{assumed}{open}", per_second(rps))
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
