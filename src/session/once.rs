//! Owns what runs once, before the first user and at the end, and what is told of it.

use std::sync::Arc;

use crate::engine::{self, Once, Setup};
use crate::event::Aside;
use crate::metrics::Summary;
use crate::program::Class;
use crate::protocol::http::Http;
use crate::untrusted::visible;

/// Runs `before` or `after`. What it measured is kept apart from the run.
pub(super) async fn run(
    name: &'static str,
    number: usize,
    setup: &Arc<Setup>,
    class: &Class,
    protocol: Http,
) -> (Once, Aside) {
    let once = engine::once(setup.clone(), class, number, protocol, None).await;
    let mut summary = Summary::new(setup.program.catalogue.clone());
    once.intervals.iter().for_each(|interval| summary.add(interval));
    (once, Aside { name, summary })
}

/// What went wrong with it, a line for each kind of failure.
pub(super) fn complaint(aside: &Aside) -> String {
    let Aside { name, summary } = aside;
    let mut text = format!("`{name}` failed\n");
    for row in summary.failures() {
        let sentence = summary.catalogue.sentence(row.failure);
        let seen = row.seen.examples.first().map(|seen| format!(" (it was {seen})"));
        text += &format!(
            "  {} {}: {sentence}{}\n",
            row.name.method,
            row.name.name,
            seen.unwrap_or_default()
        );
    }
    for exception in summary.totals.exceptions.keys() {
        text += &format!("  {exception}\n");
    }
    visible(&text).into_owned()
}
