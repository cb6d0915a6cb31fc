//! Searches for a limit, as plans write them.

use std::time::Duration;

use throng::load::{Form, Scale, Search};
use throng::plan::{NamedProfile, parse};
use throng::units::Rate;

const USERS: &str = "users: { U: { tasks: { home: { get: / } } } }\n";

fn profile(name: &str, text: &str) -> NamedProfile {
    let loaded = parse(name, text);
    let plan = loaded.plan.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    plan.profiles.into_iter().next().expect("it has one")
}

fn yaml(search: &str) -> NamedProfile {
    profile("plan.yaml", &format!("{USERS}profiles: {{ limit: {search} }}\n"))
}

fn must(profile: &NamedProfile) -> Vec<&str> {
    let search = profile.search.as_ref().expect("it is a search");
    search.must.iter().map(|one| one.value.text.as_str()).collect()
}

#[test]
fn a_search_says_from_where_to_where_and_what_must_hold() {
    const S: fn(u64) -> Duration = Duration::from_secs;
    let short =
        yaml("{ search: { from: 50, to: 1000, hold: 30s, must: [p95 < 500ms, error_rate<1%] } }");
    let search =
        Search { of: Scale::Users, from: 50, to: 1000, hold: S(30), settle: S(10), within: 0.05 };
    assert_eq!(short.search.as_ref().map(|one| one.search), Some(search));
    assert_eq!(must(&short), ["p95 < 500ms", "error_rate < 1%"]);

    let whole = "{ search: { of: rate, from: 10/s, to: 100/s, hold: 2s, must: p99 < 1s, settle: 0s, within: 10% }, max_users: 70, arrivals: poisson }";
    let whole = yaml(whole);
    let toml = "users.U.tasks.home.get = \"/\"\n[profiles.limit]\nmax_users = 70\narrivals = \"poisson\"\n\
        search = { of = \"rate\", from = \"10/s\", to = \"100/s\", hold = \"2s\", must = \"p99 < 1s\", settle = \"0s\", within = \"10%\" }\n";
    let toml = profile("plan.toml", toml);
    let rate = |rate: u64| Rate::per_second(rate).per_hour_millionths();
    let search = Search {
        of: Scale::Rate,
        from: rate(10),
        to: rate(100),
        hold: S(2),
        settle: S(0),
        within: 0.1,
    };
    for read in [&whole, &toml] {
        assert_eq!(read.search.as_ref().map(|one| one.search), Some(search));
        assert_eq!(must(read), ["p99 < 1s"]);
        let [(None, Form::Open(open))] = &read.load.parts[..] else { panic!("{:?}", read.load) };
        assert_eq!(open.max_users, 70);
    }
    assert_eq!(whole.load, toml.load);
}

#[test]
fn the_plan_must_be_fit_for_the_highest_level() {
    let read = yaml("{ search: { from: 1, to: 9, hold: 2s, must: p99 < 1s } }");
    let [(None, Form::Closed(profile))] = &read.load.parts[..] else { panic!("{:?}", read.load) };
    assert_eq!(profile.most(), 9);
    assert_eq!(profile.total(), read.search.unwrap().search.longest());
}
