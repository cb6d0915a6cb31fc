//! Owns telling a mistake once that was made in many places: unknown keys with the same advice.

use std::collections::HashMap;

use super::{Diagnostic, Severity, Source, line_of};

/// From so many places on, the others are named below the first.
const FEW: usize = 3;
/// No more places than this are named.
const NAMED: usize = 12;

/// The diagnostics as they are shown to people: the first of the unknown keys that have the same advice,
/// with the places of the others. They stand in the order of their places.
pub(super) fn folded(diagnostics: &[Diagnostic], sources: &[Source]) -> Vec<Diagnostic> {
    let mut groups: HashMap<(Severity, String, String), Vec<usize>> = HashMap::new();
    for (at, one) in diagnostics.iter().enumerate() {
        if let (Some(_), None, Some(key)) = (one.place, &one.also, &one.key) {
            // What it says beside the key: `users` is one advice for a profile, another for the plan.
            let same = (one.severity, one.label.clone(), one.title.replacen(&**key, "", 1));
            groups.entry(same).or_default().push(at);
        }
    }
    let mut shown = diagnostics.to_vec();
    let mut gone = vec![false; diagnostics.len()];
    for group in groups.into_values().filter(|group| group.len() >= FEW) {
        let (first, others) = (group[0], &group[1..]);
        let path = diagnostics[first]
            .place
            .and_then(|place| sources.get(usize::from(place.source)))
            .map_or("", |source| &source.path);
        let mut places: Vec<(String, Vec<String>)> = Vec::new();
        for at in others.iter().take(NAMED) {
            let Some((key, line)) = key_and_line(&diagnostics[*at], path, sources) else {
                continue;
            };
            match places.iter_mut().find(|(known, _)| *known == key) {
                Some((_, lines)) if lines.last() == Some(&line) => {}
                Some((_, lines)) => lines.push(line),
                None => places.push((key, vec![line])),
            }
        }
        others.iter().for_each(|at| gone[*at] = true);
        let named: Vec<String> = places
            .into_iter()
            .map(|(key, lines)| match &lines[..] {
                [line] => format!("`{key}` in line {line}"),
                lines => format!("`{key}` in lines {}", lines.join(", ")),
            })
            .collect();
        let more = match others.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let told = &mut shown[first];
        let mut help = format!("the same is true of {}{more}", named.join(", "));
        if let Some(own) = &told.help {
            help = format!("{own}; {help}");
        }
        told.help = Some(help);
    }
    let mut gone = gone.into_iter();
    shown.retain(|_| !gone.next().unwrap_or(false));
    shown
}

/// `12`, or `shared.yaml:12` in another file than the first.
fn key_and_line(one: &Diagnostic, path: &str, sources: &[Source]) -> Option<(String, String)> {
    let place = line_of(one.place?, sources);
    let line = place.strip_prefix(path).and_then(|rest| rest.strip_prefix(':'));
    Some((one.key.as_ref()?.to_string(), line.unwrap_or(&place).to_owned()))
}
