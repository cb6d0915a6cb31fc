//! Owns how a comparison is put into words: the verdict, figures, changes, the method.

use super::Told;
use crate::metrics::RequestName;
use crate::sink::figures;
use crate::verdict::compare::{Compared, Comparison, Doubt, Figure, Method, Outcome};

/// What all of a comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Something is worse.
    Worse,
    /// Something is better, and nothing worse.
    Better,
    /// Nothing that could be judged differs.
    NoDifference,
    /// Nothing could be judged, or what could not be has all its interval on the worse side, or the new
    /// side never sent what the baseline has.
    CannotSay,
}

impl State {
    /// Of all figures.
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let any = |outcome: fn(Outcome) -> bool| {
            comparison.figures().any(|(_, one)| outcome(one.outcome))
        };
        if any(|one| one == Outcome::Worse) {
            Self::Worse
        } else if comparison.figures().any(|(_, one)| one.leans_worse(comparison.least).is_some())
            || comparison.only(Doubt::OnlyBaseline).next().is_some()
        {
            // Law 7: no data is not a pass, whatever else is better.
            Self::CannotSay
        } else if any(|one| one == Outcome::Better) {
            Self::Better
        } else if any(|one| one == Outcome::NoDifference) {
            Self::NoDifference
        } else {
            Self::CannotSay
        }
    }

    /// For machines: `worse`, `better`, `no_difference`, `cannot_say`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NoDifference => "no_difference",
            Self::CannotSay => "cannot_say",
        }
    }
}

/// The outcome of a figure, for machines: as [`State::id`].
pub(super) fn id(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Better => State::Better,
        Outcome::Worse => State::Worse,
        Outcome::NoDifference => State::NoDifference,
        Outcome::CannotSay(_) => State::CannotSay,
    }
    .id()
}

/// A sign for an outcome, beside its word: colour is not for everyone.
pub(super) fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Better => "✓",
        Outcome::Worse => "✗",
        Outcome::NoDifference => "=",
        Outcome::CannotSay(_) => "?",
    }
}

/// `GET /todos/`, `all requests`.
pub(super) fn name(name: Option<&RequestName>) -> String {
    match name {
        Some(RequestName { method, name }) if method.is_empty() => name.clone(),
        Some(RequestName { method, name }) => format!("{method} {name}"),
        None => "all requests".to_owned(),
    }
}

/// A figure with its unit: `120ms`, `142.3/s`, `0.7%`.
pub(super) fn value(figure: Figure, value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match figure {
        Figure::Percentile(_) => figures::ms(value),
        Figure::Throughput => format!("{}/s", figures::rate(value)),
        Figure::ErrorRate => figures::share(value),
    }
}

/// From the baseline to the new side: `+23%`, and of an error rate in points of a hundred: `+1.2 pt`.
pub(in crate::sink) fn change(one: &Compared) -> String {
    match one.effect {
        Some(effect) if one.figure.is_difference() => format!("{} pt", points(effect.estimate)),
        Some(effect) => format!("{}%", percent(effect.estimate)),
        None => "–".to_owned(),
    }
}

/// The 95 % interval of the change: `+12% to +35%`, or in points: `+0.4 to +2`.
pub(in crate::sink) fn interval(one: &Compared) -> String {
    match one.effect {
        Some(effect) if one.figure.is_difference() => {
            format!("{} to {}", points(effect.low), points(effect.high))
        }
        Some(effect) => format!("{}% to {}%", percent(effect.low), percent(effect.high)),
        None => "–".to_owned(),
    }
}

fn percent(ratio: f64) -> String {
    signed((ratio - 1.0) * 100.0)
}

fn points(difference: f64) -> String {
    signed(difference * 100.0)
}

/// With its sign and two digits that matter: `+23`, `-0.4`, `0`.
fn signed(value: f64) -> String {
    let digits = match value.abs() {
        9.95.. => 0,
        0.995.. => 1,
        _ => 2,
    };
    let text = format!("{value:+.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    match text {
        "+0" | "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// A change in words: `p95 of GET /todos/ is 23% higher (12% to 35%)`.
fn in_words(called: &str, one: &Compared) -> String {
    let Some(effect) = one.effect else { return String::new() };
    let plain = |value: f64| signed(value).trim_start_matches(['+', '-']).to_owned();
    let (figure, is) = match one.figure {
        Figure::Percentile(_) => (one.figure.word(), "is"),
        Figure::Throughput => ("requests per second".to_owned(), "are"),
        Figure::ErrorRate => ("the error rate".to_owned(), "is"),
    };
    let (none, unit) = if one.figure.is_difference() { (0.0, " points") } else { (1.0, "%") };
    let [low, estimate, high] =
        [effect.low, effect.estimate, effect.high].map(|value| (value - none) * 100.0);
    let (word, ends) =
        if estimate > 0.0 { ("higher", (low, high)) } else { ("lower", (high, low)) };
    let interval = if low * high > 0.0 {
        format!("{} to {}{unit}", plain(ends.0), plain(ends.1))
    } else {
        format!("{} to {}{unit}", signed(low), signed(high))
    };
    format!("{figure} of {called} {is} {}{unit} {word} ({interval})", plain(estimate))
}

/// The verdict in one sentence, and what else there is. Names are as they came.
pub(super) fn sentence(comparison: &Comparison) -> String {
    sentence_of(comparison, &str::to_owned)
}

/// The same, with names as `shown` has them.
pub(super) fn sentence_of(comparison: &Comparison, shown: &dyn Fn(&str) -> String) -> String {
    let called = |of: Option<&RequestName>| match of {
        Some(_) => shown(&name(of)),
        None => name(of),
    };
    let having =
        |outcome: Outcome| comparison.figures().filter(move |(_, one)| one.outcome == outcome);
    let told = |outcome: Outcome| {
        let most = greatest(having(outcome));
        most.map(|(of, one)| in_words(&called(of), one)).unwrap_or_default()
    };
    let (worse, better) = (having(Outcome::Worse).count(), having(Outcome::Better).count());
    let figures = |count: usize, more: &str| match count {
        1 => format!("1 {more}figure is"),
        n => format!("{n} {more}figures are"),
    };
    let names = |doubt: Doubt| {
        let mut names = comparison.only(doubt);
        let first = called(Some(names.next()?));
        Some(match names.count() {
            0 => first,
            more => format!("{first} and {}", figures::counted(more as u64, "more name")),
        })
    };
    let mut gone = names(Doubt::OnlyBaseline);
    let mut text = match State::of(comparison) {
        State::Worse => {
            let mut text = format!("Worse: {}.", told(Outcome::Worse));
            match (worse - 1, better) {
                (0, 0) => {}
                (0, better) => text += &format!(" {} better.", figures(better, "")),
                (more, 0) => text += &format!(" {} worse.", figures(more, "more ")),
                (more, better) => {
                    text += &format!(" {} worse, {better} better.", figures(more, "more "));
                }
            }
            text
        }
        State::Better => {
            let mut text = format!("Better: {}.", told(Outcome::Better));
            if better > 1 {
                text += &format!(" {} better.", figures(better - 1, "more "));
            }
            text + " Nothing is shown to be worse."
        }
        State::NoDifference => {
            let least = figures::share(comparison.least);
            let (all, same) = (comparison.figures().count(), having(Outcome::NoDifference).count());
            if all == same {
                format!("No difference shown: no figure changed by {least} or more beyond chance.")
            } else {
                format!(
                    "No difference shown: of {all} figures {same} could be judged, and none of them \
                     changed by {least} or more beyond chance."
                )
            }
        }
        State::CannotSay => {
            let mut text = match (leaning(comparison), gone.take()) {
                (Some((of, one, needs)), left) => {
                    gone = left;
                    let few = |one: &Compared| {
                        matches!(one.outcome, Outcome::CannotSay(Doubt::Figures { .. }))
                    };
                    let few = comparison.figures().filter(|(_, one)| few(one)).count() as u64;
                    format!(
                        "Cannot say of {}: too few runs; {}, which {needs} runs a side could judge.",
                        figures::counted(few, "figure"),
                        in_words(&called(of), one)
                    )
                }
                (None, Some(gone)) => format!("Cannot say: the new side never sent {gone}."),
                (None, None) => {
                    let doubt = comparison.figures().find_map(|(_, one)| reason(one));
                    let doubt = doubt.unwrap_or_else(|| "there are no requests".to_owned());
                    format!("Cannot say: {doubt}.")
                }
            };
            if better > 0 {
                text += &format!(" {} better.", figures(better, ""));
            }
            text
        }
    };
    if let Some(gone) = gone {
        text += &format!(" The new side never sent {gone}.");
    }
    if let Some(fresh) = names(Doubt::OnlyNew) {
        text += &format!(" Only the new side sent {fresh}.");
    }
    text
}

type Of<'a> = (Option<&'a RequestName>, &'a Compared);

/// That which changed most. Of equals the first: all requests come before names.
fn greatest<'a>(all: impl Iterator<Item = Of<'a>>) -> Option<Of<'a>> {
    let size = |one: &Compared| {
        let ratio = one.new.unwrap_or_default() / one.baseline.unwrap_or_default();
        ratio.ln().abs()
    };
    all.reduce(|most, next| if size(next.1) > size(most.1) { next } else { most })
}

/// What changed most of what [leans to the worse](Compared::leans_worse), and the runs that it takes.
fn leaning(comparison: &Comparison) -> Option<(Option<&RequestName>, &Compared, usize)> {
    let leans = |one: &Compared| one.leans_worse(comparison.least);
    let (of, one) = greatest(comparison.figures().filter(|(_, one)| leans(one).is_some()))?;
    Some((of, one, leans(one)?))
}

/// Why nothing can be said of a figure.
pub(in crate::sink) fn reason(one: &Compared) -> Option<String> {
    match one.outcome {
        Outcome::CannotSay(doubt) => Some(doubt.to_string()),
        _ => None,
    }
}

/// How much there is of a side: `1 run of 2m`.
pub(super) fn extent(comparison: &Comparison, side: usize) -> String {
    let extent = comparison.sides[side];
    let time = figures::span(f64::from(extent.seconds));
    match extent.runs {
        1 => format!("1 run of {time}"),
        n => format!("{n} runs of {time} or longer"),
    }
}

/// How it was compared, in sentences.
pub(super) fn method(told: &Told) -> Vec<String> {
    let comparison = &told.comparison;
    let judged = comparison.figures().filter(|(_, one)| reason(one).is_none()).count() as u64;
    let how = match comparison.method {
        Method::Blocks { resamples } => format!(
            "Requests of one second are alike, so blocks of seconds were drawn, each a tenth of its \
             run, {} times a run.",
            figures::count(resamples as u64)
        ),
        Method::Ranks => {
            "Runs were compared by their ranks (Mann-Whitney), the change is the median of all pairs \
             of runs (Hodges-Lehmann): it need not be the ratio of the two figures beside it."
                .to_owned()
        }
    };
    let mut all = vec![how];
    if judged > 0 {
        all.push(format!(
            "Intervals are of 95%, each by itself. Better or worse is what differs at 5% after Holm's \
             correction for {}, by {} or more; an error rate by 0.1 points besides.",
            figures::counted(judged, "figure"),
            figures::share(comparison.least)
        ));
    }
    if let Method::Blocks { .. } = comparison.method {
        all.push(
            "One run a side does not tell how runs differ from each other: several tell more."
                .to_owned(),
        );
    }
    all
}
