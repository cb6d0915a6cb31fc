//! Owns what a person sees while a run goes: a live screen in a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write as _};
use std::time::Duration;

use anstyle::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::{BAD, BOLD, DIM, GOOD, WARN, people, styled};
use super::text::{cut, pad, width_of};
use super::{Sink, figures, printable};
use crate::control::StopReason;
use crate::event::{Event, Second, Started};
use crate::metrics::NameStats;
use crate::units::{Rate, format_duration};
use crate::untrusted::visible;
use crate::verdict::{State, Threshold};

/// Shows the run as it goes, on stderr.
pub struct Progress {
    screen: Option<ProgressBar>,
    started: Option<Started>,
    stopping: bool,
}

/// How large the screen may be, in columns and rows.
#[derive(Debug, Clone, Copy)]
struct Size {
    columns: usize,
    rows: usize,
}

impl Progress {
    /// For this process's stderr.
    #[must_use]
    pub fn stderr() -> Self {
        let screen = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg}").expect("the template is right");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { screen, started: None, stopping: false }
    }

    fn second(&self, second: &Second<'_>) {
        let Some(started) = &self.started else { return };
        match &self.screen {
            Some(bar) => {
                let lines = screen(started, second, self.stopping, size());
                let text = lines.join("\n");
                let plain =
                    anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never;
                bar.set_message(if plain {
                    anstream::adapter::strip_str(&text).to_string()
                } else {
                    text
                });
                bar.tick();
            }
            None if is_told(second.interval.to_s) => say(&line(started, second, self.stopping)),
            None => {}
        }
    }
}

/// Progress is a courtesy: a closed stderr must not end a run.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printable(line));
}

/// Without a terminal: every 5 s in the first minute, every 30 s in the first ten, then each minute,
/// so that the log of a day stays readable.
fn is_told(at_s: u32) -> bool {
    let every = match at_s {
        0..=60 => 5,
        61..=600 => 30,
        _ => 60,
    };
    at_s.is_multiple_of(every)
}

fn size() -> Size {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok();
    let or = |given: u16, usual: usize| if given > 0 { usize::from(given) } else { usual };
    match size {
        Some(size) => Size { columns: or(size.ws_col, 80), rows: or(size.ws_row, 24) },
        None => Size { columns: 80, rows: 24 },
    }
}

impl Sink for Progress {
    fn name(&self) -> String {
        "progress".to_owned()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => {
                say(&heading(started));
                self.started = Some((*started).clone());
                if let Some(screen) = &self.screen {
                    screen.set_message("starting");
                    screen.tick();
                }
            }
            Event::Second(second) => self.second(second),
            // It may hold what a server sent.
            Event::Log(line) => match &self.screen {
                Some(screen) => screen.suspend(|| say(&visible(line))),
                None => say(&visible(line)),
            },
            Event::Aside(_) => {}
            Event::Steered(steered) => {
                let at = format_duration(Duration::from_secs(steered.at.as_secs()));
                let text = format!("{at}  {}, by {}", steered.change, visible(&steered.by));
                match &self.screen {
                    Some(screen) => screen.suspend(|| say(&text)),
                    None => say(&text),
                }
            }
            Event::Probed(probed) => {
                let Some(searching) = self.started.as_ref().and_then(|one| one.search.as_ref())
                else {
                    return Ok(());
                };
                let at = format_duration(Duration::from_secs(probed.to_s.into()));
                let text = format!("{at}  {}", visible(&probed.line(searching.search.of)));
                match &self.screen {
                    Some(screen) => screen.suspend(|| say(&text)),
                    None => say(&text),
                }
            }
            Event::Stopping(reason, by) if reason.is_of_the_plan() => {
                self.stopping = true;
                let by = by.map(visible);
                let text = match (by, *reason == StopReason::Threshold) {
                    (Some(by), true) => format!("stopping: `{by}` broke, which ends the run"),
                    (None, true) => "stopping: a threshold broke, which ends the run".to_owned(),
                    (Some(by), false) => format!("stopping: the plan ends the run ({by})"),
                    (None, false) => "stopping: a step of the plan ends the run".to_owned(),
                };
                match &self.screen {
                    Some(screen) => screen.suspend(|| say(&text)),
                    None => say(&text),
                }
            }
            Event::Stopping(..) => {
                self.stopping = true;
                if self.screen.is_none() {
                    say("stopping: what is under way may finish; again to cut it");
                }
            }
            Event::Ended(_) => {
                if let Some(screen) = &self.screen {
                    screen.finish_and_clear();
                }
            }
        }
        Ok(())
    }
}

fn heading(started: &Started) -> String {
    let how_long = match started.iterations {
        Some(n) => format!(" for {}", figures::counted(n, "iteration")),
        // `profile load, for 15s` says it.
        None if started.profile.contains(", for ") => String::new(),
        None if started.search.is_some() => {
            format!(" for at most {}", format_duration(started.planned))
        }
        None => format!(" for {}", format_duration(started.planned)),
    };
    // `20 users at 5/s` and `50/s` say how many already, `profile load` does not.
    let named = started.profile.starts_with("profile ");
    let rate = highest_rate(started).filter(|_| named);
    let rate = rate.map_or(String::new(), |rate| format!(", {rate} at the peak"));
    let users = if started.profile.contains(" user") {
        String::new()
    } else {
        format!("{rate}, up to {}", people(u64::from(started.users_peak)))
    };
    format!(
        "{}  {}{users}{how_long}, against {}",
        styled(BOLD, &visible(&started.plan_name)),
        visible(&started.profile),
        visible(&started.target),
    )
}

/// The highest rate that the profile asks for; none when it has users, or a stage with a name of its own,
/// which does not say.
fn highest_rate(started: &Started) -> Option<Rate> {
    let levels = started.spans.iter().map(|span| &*span.name);
    let levels = levels.filter(|name| !["up", "down"].contains(name));
    let rates = levels.map(|name| Rate::parse_or_zero(name).ok()).collect::<Option<Vec<_>>>();
    rates?.into_iter().max().filter(|rate| *rate > Rate::ZERO)
}

/// A part of a line, with its rank: when they do not all fit, those of the highest rank go first.
struct Part {
    rank: u8,
    text: String,
    style: Style,
}

fn part(rank: u8, text: String, style: Style) -> Part {
    Part { rank, text, style }
}

/// Joins the parts that fit into so many columns.
fn fitted(mut parts: Vec<Part>, columns: usize) -> String {
    let needed = |parts: &[Part]| {
        parts.iter().map(|part| width_of(&part.text)).sum::<usize>()
            + 2 * parts.len().saturating_sub(1)
    };
    while parts.len() > 1 && needed(&parts) > columns {
        let last = (0..parts.len()).max_by_key(|at| parts[*at].rank).expect("there are some");
        parts.remove(last);
    }
    let shown = parts.iter().map(|part| styled(part.style, &cut(&part.text, columns)));
    shown.collect::<Vec<_>>().join("  ")
}

fn figures_of(second: &Second<'_>) -> Vec<Part> {
    let now = second.interval.all_names();
    let so_far = second.warmup.unwrap_or(second.so_far);
    let (response, total) = (now.response(), so_far.all());
    let users = second.interval.users().round() as u32;
    // None are asked for when the load has ended: what is left is finishing. Those that arrivals need
    // nobody asked for.
    let arriving = second.interval.arrivals > 0;
    let users = if users == second.asked_users || second.asked_users == 0 || arriving {
        people(u64::from(users))
    } else {
        format!("{users} of {}", people(u64::from(second.asked_users)))
    };
    let failed = match total.failed() {
        0 => part(1, "none failed".to_owned(), DIM),
        n => part(1, format!("{} failed", figures::count(n)), BAD),
    };
    let plain = Style::new();
    let quantile = |q| figures::ms_or_dash(response.quantile_ms(q));
    let mut parts = vec![
        part(0, users, plain),
        part(4, format!("{} requests", figures::count(total.requests())), plain),
        failed,
        part(2, format!("{}/s", figures::rate(now.requests() as f64)), plain),
        part(5, format!("p50 {}", quantile(0.5)), plain),
        part(3, format!("p95 {}", quantile(0.95)), plain),
        part(6, format!("p99 {}", quantile(0.99)), plain),
    ];
    let (not_started, retries) = (so_far.totals.not_started, so_far.totals.retries);
    if not_started > 0 {
        let what = format!("{} could not start", figures::count(not_started));
        parts.insert(3, part(1, what, WARN));
    }
    if so_far.totals.dropped > 0 {
        let what = format!("{} dropped", figures::count(so_far.totals.dropped));
        parts.insert(3, part(1, what, WARN));
    }
    if retries > 0 {
        let what = if retries == 1 { "retry" } else { "retries" };
        parts.push(part(7, format!("{} {what}", figures::count(retries)), plain));
    }
    parts
}

/// Where the run stands in time: `12s of 15s`, or what it waits for.
fn clock(started: &Started, second: &Second<'_>, stopping: bool) -> String {
    let at = Duration::from_secs(u64::from(second.interval.to_s));
    let now = format_duration(at);
    if stopping {
        return format!("{now}  stopping; again cuts what is under way");
    }
    if let Some(all) = started.iterations {
        let done = figures::count(second.iterations);
        return format!("{now}  {done} of {}", figures::counted(all, "iteration"));
    }
    if second.warmup.is_some() {
        return format!("{now} of {}  warm-up", format_duration(started.planned));
    }
    if at > started.planned {
        return format!("{now}  the load has ended; what is under way may finish");
    }
    let stage = started.spans.iter().find(|span| span.from < at && at <= span.to);
    // `20 users` is said beside it already; a rate is not.
    let says_more = |name: &str| !name.ends_with(" users") && !name.ends_with(" user");
    let stage = stage.map(|span| visible(&span.name)).filter(|name| says_more(name));
    let stage = stage.map(|name| format!("  {name}")).unwrap_or_default();
    format!("{now} of {}{stage}", format_duration(started.planned))
}

/// One line for logs.
fn line(started: &Started, second: &Second<'_>, stopping: bool) -> String {
    let parts = figures_of(second).into_iter().map(|part| part.text);
    let parts: Vec<_> = std::iter::once(clock(started, second, stopping)).chain(parts).collect();
    parts.join("  ")
}

/// The lines of the live screen, none wider than the terminal, no more than it has rows.
fn screen(started: &Started, second: &Second<'_>, stopping: bool, size: Size) -> Vec<String> {
    // The last column stays free: some terminals wrap when it is written.
    let columns = size.columns.saturating_sub(1).max(10);
    let mut lines =
        vec![bar(started, second, stopping, columns), fitted(figures_of(second), columns)];
    let room = size.rows.saturating_sub(5);
    let so_far = second.warmup.unwrap_or(second.so_far);
    if columns >= 40 && so_far.totals.names.len() > 1 && room >= 4 {
        lines.extend(busiest(second, columns, (room - 2).min(5)));
    }
    // Nothing is judged of the warm-up.
    let thresholds = second.warmup.is_none().then(|| standing(second, columns)).flatten();
    if room > lines.len() {
        lines.extend(thresholds);
    }
    lines
}

fn bar(started: &Started, second: &Second<'_>, stopping: bool, columns: usize) -> String {
    let done = match started.iterations {
        Some(all) => second.iterations as f64 / all.max(1) as f64,
        None => f64::from(second.interval.to_s) / started.planned.as_secs_f64().max(1.0),
    };
    let clock = clock(started, second, stopping);
    let long = (columns / 3).min(24);
    let full = ((done.min(1.0) * long as f64).round() as usize).min(long);
    let (full, rest) = ("━".repeat(full), "╌".repeat(long - full));
    let clock = cut(&clock, columns.saturating_sub(long + 2));
    let style = if stopping { WARN } else { Style::new() };
    format!("{}{}  {}", styled(GOOD, &full), styled(DIM, &rest), styled(style, &clock))
}

/// The names with the most requests so far, with the figures of this second.
fn busiest(second: &Second<'_>, columns: usize, most: usize) -> Vec<String> {
    let so_far = second.warmup.unwrap_or(second.so_far);
    let catalogue = &so_far.catalogue;
    let mut names: Vec<_> = so_far.totals.names.iter().collect();
    // By number where counts are equal, so that rows do not jump.
    names.sort_by_key(|(number, stats)| (std::cmp::Reverse(stats.requests()), **number));
    let nothing = NameStats::default();
    let label = columns.saturating_sub(30).min(48);
    let head = format!("{}{:>9}{:>10}{:>10}", pad("", label), "req/s", "p95", "failed");
    let mut lines = vec![styled(DIM, &head)];
    for (number, total) in names.into_iter().take(most) {
        let name = &catalogue.names[usize::from(*number)];
        let now = second.interval.names.get(number).unwrap_or(&nothing);
        let text = visible(&format!("{} {}", name.method, name.name)).into_owned();
        let rate = figures::rate(now.requests() as f64);
        let p95 = figures::ms_or_dash(now.response().quantile_ms(0.95));
        let failed = figures::count(total.failed());
        let style = if total.failed() > 0 { BAD } else { Style::new() };
        lines.push(format!(
            "{}{rate:>9}{p95:>10}{}",
            pad(&cut(&text, label), label),
            styled(style, &format!("{failed:>10}")),
        ));
    }
    lines
}

/// The thresholds as they stand; those that would break come first.
fn standing(second: &Second<'_>, columns: usize) -> Option<String> {
    let mut judged = second.standings.so_far(second.so_far);
    judged.sort_by_key(|judged| match judged.state {
        State::Broke | State::NoData => 0,
        State::Held => 1,
        State::TooFew | State::NotJudged => 2,
    });
    let parts = judged.iter().enumerate().map(|(rank, judged)| {
        let of =
            judged.threshold.of.as_ref().map(|of| format!(" of {}", visible(&figures::of(of))));
        let value = figures::value(judged).unwrap_or_else(|| "no data".to_owned());
        let (mark, style) = match judged.state {
            State::Held => ("✓", GOOD),
            State::Broke | State::NoData => ("✗", BAD),
            // Nothing is known yet.
            State::TooFew | State::NotJudged => ("·", DIM),
        };
        let Threshold { text, .. } = &judged.threshold;
        let when = judged.threshold.when_words();
        let text = format!("{mark} {text}{}{when}  {value}", of.unwrap_or_default());
        part(rank.min(250) as u8, text, style)
    });
    let parts: Vec<_> = parts.collect();
    (!parts.is_empty()).then(|| fitted(parts, columns))
}

#[cfg(test)]
#[path = "progress_tests.rs"]
pub(super) mod tests;
