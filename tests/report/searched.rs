//! Owns a search whose path is shown: looks of every kind, with text of others in them.

use std::time::Duration;

use throng::event::{Figure, Found, Probed, Searching};
use throng::load::{Scale, Search, Sight};
use throng::verdict::Threshold;

use super::{Run, run};

/// A search that ends at a level of which too little is known; its record was written by somebody else.
pub fn searched() -> Found {
    let search = Search {
        of: Scale::Users,
        from: 50,
        to: 1000,
        hold: Duration::from_secs(30),
        settle: Duration::from_secs(10),
        within: 0.3,
    };
    let must = vec![Threshold::parse("p95 < 500ms").unwrap()];
    let slow = Some("p95 was 612ms, over its limit of 500ms");
    let hostile =
        Some("p95 has 3 of the <img src=x onerror=\"document.title='taken'\"> \u{202e}abc");
    let looks = [
        (50, Sight::Held, false, None),
        (100, Sight::Broke, false, slow),
        (75, Sight::Held, false, None),
        (87, Sight::Broke, false, slow),
        (81, Sight::Broke, false, slow),
        (81, Sight::Broke, false, slow),
        (75, Sight::Broke, true, slow),
        (62, Sight::CannotSay, true, hostile),
    ];
    let figure = |must: &str, sight, value_text: &str| Figure {
        must: must.to_owned(),
        sight,
        value: Some(0.55),
        value_text: value_text.to_owned(),
    };
    let mut from_s = 10;
    let path = looks.map(|(level, sight, confirming, why)| {
        let to_s = from_s + if confirming { 60 } else { 30 };
        let probed = Probed {
            level,
            confirming,
            from_s,
            to_s,
            sight,
            why: why.map(str::to_owned),
            figures: vec![
                figure("p95 < 500ms", sight, "0.55ms"),
                figure("</td><svg onload=\"document.title='taken'\">", sight, "<b>\u{202e}1"),
            ],
        };
        from_s = to_s + 10;
        probed
    });
    Found::of(&Searching { search, must }, &path)
}

#[test]
fn the_path_of_a_search_is_a_table() {
    let page = run("search").html();
    for text in [
        "<h2 id=\"h-search\">The search for the limit</h2>",
        "<tr class=\"held\"><th scope=\"row\">50 users</th><td>✓ held</td><td><span><code>p95 &lt; 500ms</code>: 0.55ms</span>",
        "<td class=\"n\">10s to 40s</td>",
        "<td>✗ broke</td><td>p95 was 612ms, over its limit of 500ms</td><td class=\"n\">50s to 1m20s</td>",
        "50 users hold; at 75 users p95 was 612ms, over its limit of 500ms.</p>",
        "<td>✗ broke <small>in a longer look</small></td>",
        "<td>? cannot say <small>in a longer look</small></td>",
        "&lt;img src=x onerror",
        "<code>&lt;&#x2f;td&gt;&lt;svg onload",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let section = page.split("h-search").nth(2).and_then(|rest| rest.split("</section>").next());
    let section = section.unwrap_or_default();
    assert!(!page.contains("<img") && !page.contains("<svg"));
    assert!(!section.contains('\u{202e}'), "{section}");
    // The run was over before the first look.
    let mut found = searched();
    found = Found::of(&found.searching, &[]);
    let cut = Run { search: Some(found), ..run("search") }.html();
    let said = "<p>The run was over before the limit was found; nothing is known.</p>";
    assert!(cut.contains(said) && !cut.contains(">Figures</th>"));
    assert!(!run("mixed").html().contains("h-search"));
}
