//! Owns mistakes in a plan: a place in a file, what is wrong there, and what to do about it.

mod fold;

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A stretch of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which of the run's source files, in the order in which they were read.
    pub source: u16,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Place {
    /// From byte offsets. A file is at most 4 MiB, so they fit.
    #[must_use]
    pub fn new(source: u16, range: Range<usize>) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { source, start: offset(range.start), end: offset(range.end.max(range.start)) }
    }

    /// As byte offsets.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it was written. Two are equal when the values are: the same plan in another
/// format, or with other spaces, is the same plan.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Placed<T> {}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The plan cannot be run.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
    /// It cannot be run as things are outside of it: a warning where it is only checked.
    Unset,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub title: String,
    /// Where; absent for what has no place in a file (the command line).
    pub place: Option<Place>,
    /// What to do about it, shown beside the caret.
    pub label: String,
    /// A second place that explains the first: where an anchor was defined, a first use.
    /// Boxed, because few mistakes have one and every `Result` would carry its room.
    pub also: Option<Box<(Place, String)>>,
    /// A longer explanation, below the snippet.
    pub help: Option<String>,
    /// The key that may not stand where it stands, when that is the mistake.
    pub key: Option<Box<str>>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            title: title.into(),
            place: Some(place),
            label: label.into(),
            also: None,
            help: None,
            key: None,
        }
    }

    /// A warning at `place`.
    pub fn warning(place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, title, label) }
    }

    /// A variable of the environment that the plan needs has no value.
    #[must_use]
    pub fn unset(place: Place, name: &str) -> Self {
        let title = format!("the environment variable `{name}` has no value");
        let label = format!("set it, or write `env.{name} | default('…')`");
        Self { severity: Severity::Unset, ..Self::error(place, title, label) }
    }

    /// An error of a whole file, or of what has no place in one.
    pub fn without_place(title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { place: None, ..Self::error(Place::default(), title, label) }
    }

    /// With a second place that explains the first.
    #[must_use]
    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also = Some(Box::new((place, label.into())));
        self
    }

    /// It is that this key may not stand here.
    #[must_use]
    pub fn of_key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The plan cannot be run with it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// With a longer explanation below the snippet.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As the user named it.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// The file and the line of a place: `plan.yaml:12`.
#[must_use]
pub fn line_of(place: Place, sources: &[Source]) -> String {
    file_and_line(place, sources).map_or_else(String::new, |(file, line)| format!("{file}:{line}"))
}

/// The file and the line, from 1, of a place.
#[must_use]
pub fn file_and_line(place: Place, sources: &[Source]) -> Option<(&str, usize)> {
    let source = sources.get(usize::from(place.source))?;
    let before = &source.text.as_bytes()[..(place.start as usize).min(source.text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    Some((&source.path, line))
}

/// So many are shown; a file with more mistakes than that is not a plan.
const SHOWN: usize = 100;

/// The diagnostics as a person reads them: the line, a caret, what to do, and a last line that
/// counts. Empty when there are none. `colour` adds ANSI styles; nothing else in the result is a
/// control character but the line feed, whatever the sources hold.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &[Source], colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let told = fold::folded(diagnostics, sources);
    for diagnostic in told.iter().take(SHOWN) {
        text += &render_one(diagnostic, sources, &renderer);
        text += "\n\n";
    }
    if told.len() > SHOWN {
        text += &format!("… and {} more\n\n", told.len() - SHOWN);
    }
    text += &count(diagnostics, sources);
    text.push('\n');
    if text.chars().any(|c| hidden(c) && c != '\n' && c != '\u{1b}') {
        text = text.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect();
    }
    text
}

fn render_one(diagnostic: &Diagnostic, sources: &[Source], renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning | Severity::Unset => Level::WARNING,
    };
    let title = visible(&diagnostic.title);
    let label = visible(&diagnostic.label);
    let help = diagnostic.help.as_deref().map(visible);
    let mut group = Group::with_title(level.primary_title(title));
    // Where the renderer thinks that a place is, in a line that was cut, and where it is.
    let mut cut = None;
    let placed =
        diagnostic.place.and_then(|place| Some((place, sources.get(usize::from(place.source))?)));
    if let Some((place, source)) = placed {
        let also = diagnostic.also.as_deref().filter(|(also, _)| also.source == place.source);
        let primary = within_a_line(&source.text, place.range());
        let second = also.map(|(also, label)| (within_a_line(&source.text, also.range()), label));
        let first =
            second.as_ref().map_or(primary.start, |(also, _)| also.start.min(primary.start));
        let last = second.as_ref().map_or(primary.end, |(also, _)| also.end.max(primary.end));
        // The lines in question alone: the renderer looks at all that it is given, each time.
        let (from, to) = (line_start(&source.text, first), line_end(&source.text, last));
        let from = first_shown(&source.text, from, first);
        let to = last_shown(&source.text, last, to);
        let shifted = |range: Range<usize>| range.start - from..range.end.min(to) - from;
        let line = 1 + source.text[..from].bytes().filter(|byte| *byte == b'\n').count();
        let path = visible(&source.path);
        let start = line_start(&source.text, primary.start);
        if start < from {
            let place = |from: usize| {
                let line = 1 + source.text[..start].bytes().filter(|byte| *byte == b'\n').count();
                let column = 1 + source.text[from..primary.start].chars().count();
                format!("{path}:{line}:{column}")
            };
            cut = Some((place(from), place(start)));
        }
        let mut snippet = Snippet::source(&source.text[from..to])
            .line_start(line)
            .path(path)
            .annotation(AnnotationKind::Primary.span(shifted(primary)).label(label));
        if let Some((also, label)) = second {
            snippet = snippet
                .annotation(AnnotationKind::Context.span(shifted(also)).label(visible(label)));
        }
        group = group.element(snippet);
        // A second place in another file stands in a snippet of its own.
        if let Some((also, label)) =
            diagnostic.also.as_deref().filter(|(also, _)| also.source != place.source)
            && let Some(other) = sources.get(usize::from(also.source))
        {
            group =
                group.element(elsewhere(&other.text, also.range(), visible(&other.path), label));
        }
    } else if !label.is_empty() {
        group = group.element(Level::HELP.message(label));
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    let shown = renderer.render(&[group]);
    match cut {
        Some((thought, place)) => shown.replacen(&thought, &place, 1),
        None => shown,
    }
}

/// The line of a second place.
fn elsewhere<'a>(
    text: &'a str,
    range: Range<usize>,
    path: Cow<'a, str>,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let range = within_a_line(text, range);
    let (start, end) = (line_start(text, range.start), line_end(text, range.end));
    let from = first_shown(text, start, range.start);
    let to = last_shown(text, range.end, end);
    let line = 1 + text[..from].bytes().filter(|byte| *byte == b'\n').count();
    Snippet::source(&text[from..to]).line_start(line).path(path).annotation(
        AnnotationKind::Context.span(range.start - from..range.end - from).label(visible(label)),
    )
}

fn count(diagnostics: &[Diagnostic], sources: &[Source]) -> String {
    let of = |errors: bool, word: &str| {
        let n = diagnostics.iter().filter(|one| one.is_error() == errors).count();
        match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        }
    };
    let parts: Vec<_> = [of(true, "error"), of(false, "warning")].into_iter().flatten().collect();
    let mut paths: Vec<_> = diagnostics
        .iter()
        .filter_map(|one| sources.get(usize::from(one.place?.source)))
        .map(|source| visible(&source.path))
        .collect();
    paths.dedup();
    let place = if paths.is_empty() { String::new() } else { format!(" in {}", paths.join(", ")) };
    format!("{}{place}", parts.join(" and "))
}

/// The part of `range` that lies in its first line, moved to where characters begin and end. An
/// empty one becomes one character wide when the line has one there.
fn within_a_line(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start.min(text.len()));
    let line = line_end(text, start);
    let end = text.ceil_char_boundary(range.end.min(text.len())).clamp(start, line);
    let end = start + text[start..end].trim_end().len();
    let end = text.floor_char_boundary(end.min(start + AROUND));
    if end > start {
        return start..end;
    }
    let wide = text[start..line].chars().next().map_or(0, char::len_utf8);
    start..start + wide
}

/// Of a very long line, the part around what it is about: the renderer would show no more.
const AROUND: usize = 400;

fn first_shown(text: &str, from: usize, at: usize) -> usize {
    if at - from <= AROUND { from } else { text.floor_char_boundary(at - AROUND) }
}

fn last_shown(text: &str, at: usize, to: usize) -> usize {
    if to - at <= AROUND { to } else { text.ceil_char_boundary(at + AROUND) }
}

/// Where the line of a byte begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |feed| feed + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |feed| at + feed);
    if end > at && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// Outside text on one line, with its control characters made visible. A sentence is shorter than
/// this; one that quotes a whole file is cut.
fn visible(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 1_000;
    if text.len() > LONGEST {
        let start = &text[..text.floor_char_boundary(LONGEST)];
        return Cow::Owned(format!("{}…", visible(start)));
    }
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if hidden(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A character that a terminal obeys instead of showing it.
fn hidden(c: char) -> bool {
    c.is_control() || is_odd(c)
}

/// Those that the renderer lets through: C1, the marks that turn text round, odd line breaks.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// So many are looked at: a plan with more names than this must not take long to be wrong.
const CANDIDATES: usize = 1_000;

/// The candidate that `bad` is probably a slip of, if any: at most a third of its letters differ.
pub fn suggest<'a>(bad: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long text is no slip of a key, and the distance costs the product of the lengths.
    if bad.len() > 100 {
        return None;
    }
    let bad = bad.to_lowercase();
    candidates
        .into_iter()
        .take(CANDIDATES)
        .filter(|one| one.len().abs_diff(bad.len()) <= (one.len() / 3).max(4))
        .map(|one| (strsim::damerau_levenshtein(&bad, &one.to_lowercase()), one))
        .filter(|(distance, one)| *distance <= (one.chars().count() / 3).max(1) && bad.len() > 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(text: &str) -> Vec<Source> {
        vec![Source { path: "plans/shop.toml".into(), text: text.into() }]
    }

    fn place_of(text: &str, part: &str) -> Place {
        let start = text.find(part).expect("the part is in the text");
        Place::new(0, start..start + part.len())
    }

    #[test]
    fn a_mistake_shows_its_line_a_caret_and_what_to_do() {
        let text = "name = \"주문 테스트\"\nstages = [\n  { hold = \"1s\" },\n]\n";
        let mistake = Diagnostic::error(
            place_of(text, "{ hold = \"1s\" }"),
            "stage 2 has no load",
            "say how many: `users`",
        )
        .help("a stage says how many users there are at its end");
        let warning = Diagnostic::warning(place_of(text, "테스트"), "odd name", "");
        insta::assert_snapshot!(render(&[mistake, warning], &source(text), false), @r#"
        error: stage 2 has no load
         --> plans/shop.toml:3:3
          |
        3 |   { hold = "1s" },
          |   ^^^^^^^^^^^^^^^ say how many: `users`
          |
          = help: a stage says how many users there are at its end

        warning: odd name
         --> plans/shop.toml:1:12
          |
        1 | name = "주문 테스트"
          |              ^^^^^^

        1 error and 1 warning in plans/shop.toml
        "#);
    }

    #[test]
    fn a_mistake_without_a_place_still_says_what_to_do() {
        let mistake =
            Diagnostic::without_place("cannot read x.yaml: no such file", "check the path");
        insta::assert_snapshot!(render(&[mistake], &[], false), @r"
        error: cannot read x.yaml: no such file
         |
         = help: check the path

        1 error
        ");
    }

    #[test]
    fn nothing_to_say_is_nothing() {
        assert_eq!(render(&[], &[], true), "");
    }

    #[test]
    fn a_value_over_several_lines_shows_its_first() {
        let text = "body: {\r\n  a: 1,\r\n}\r\n";
        let mistake = Diagnostic::error(Place::new(0, 6..text.len()), "too long", "cut it");
        let shown = render(&[mistake], &source(text), false);
        assert!(shown.contains("1 | body: {\n") && !shown.contains("a: 1"), "{shown}");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mistake_and_keeps_its_column() {
        let text =
            format!("a: 1\nb: {{ {}, wieght: 1, {} }}\n", "x".repeat(9_000), "y".repeat(9_000));
        let mistake = Diagnostic::error(place_of(&text, "wieght"), "unknown key", "did you mean");
        let shown = render(&[mistake], &source(&text), false);
        assert!(shown.contains(" --> plans/shop.toml:2:9008\n") && shown.len() < 1_000, "{shown}");
        assert!(shown.contains("2 | ...") && shown.contains("wieght: 1"), "{shown}");
    }

    #[test]
    fn a_slip_finds_its_word() {
        let keys = ["weight", "wait", "tasks"];
        assert_eq!(suggest("wieght", keys), Some("weight"));
        assert_eq!(suggest("Tasks", keys), Some("tasks"));
        assert_eq!(suggest("think_time", keys), None);
        assert_eq!(suggest("x", ["y"]), None);
    }

    #[test]
    fn a_second_place_in_another_file_is_shown_with_its_file() {
        let sources = vec![
            Source { path: "plan.yaml".into(), text: "a: 1\nb: 2\n".into() },
            Source { path: "base.yaml".into(), text: "x: 1\n\nb: 3\n".into() },
        ];
        let mistake = Diagnostic::error(Place::new(0, 5..6), "`b` stands twice", "take it out")
            .also(Place::new(1, 6..7), "the first is here");
        insta::assert_snapshot!(render(&[mistake], &sources, false), @r"
        error: `b` stands twice
         --> plan.yaml:2:1
          |
        2 | b: 2
          | ^ take it out
          |
         ::: base.yaml:3:1
          |
        3 | b: 3
          | - the first is here

        1 error in plan.yaml
        ");
    }

    proptest! {
        #[test]
        fn any_text_and_any_place_is_shown_without_a_control_character(
            text in "(\\PC|[\u{0}-\u{9f}\u{202a}-\u{202e}한\r\n\t]){0,60}",
            start in 0usize..80, length in 0usize..80, also in 0usize..80,
        ) {
            let mistake = Diagnostic::error(Place::new(0, start..start + length), &*text, &*text)
                .also(Place::new(0, also..also + 1), &*text)
                .help(&*text);
            let shown = render(&[mistake], &source(&text), false);
            prop_assert!(!shown.chars().any(|c| hidden(c) && c != '\n'), "{:?}", shown);
        }
    }
}
