//! Owns preparing a run: plan and command line together become what the engine needs, or mistakes.

use std::sync::Arc;
use std::time::Duration;

use super::baseline::{Stored, stored};
use super::options::{Options, ProfileChoice, Ramp};
use super::ports;
use super::way::{Security, Way};
use crate::data::{Per, Source as Rows};
use crate::diagnostic::{Diagnostic, Placed, Source, file_and_line, suggest};
use crate::engine::Part;
use crate::event::Searching;
use crate::load::{Form, Load, Open, Profile, Scale, Search, Span, Spread};
use crate::plan::{self, Host, NamedProfile, Network, Plan, Target, literal_proofs, secrets_of};
use crate::program::{self, Class, Inputs, Program, Row};
use crate::protocol::http::{Lookup, Names, Settings};
use crate::units::{Rate, format_duration};
use crate::untrusted::Secrets;
use crate::verdict::{Threshold, Written};

/// How long iterations under way may go on at the end, when nobody says.
const GRACE: Duration = Duration::from_secs(30);

/// A run, ready to start.
#[derive(Debug)]
pub struct Prepared {
    /// What users do.
    pub program: Program,
    /// When they do it.
    pub parts: Vec<Part>,
    /// How long the load lasts.
    pub total: Duration,
    /// Where requests go: first the plan's own target, then those that it names elsewhere; each
    /// with how it is reached.
    pub targets: Vec<(Target, Way)>,
    /// How connections to those and to all others are secured.
    pub security: Arc<Security>,
    /// What connections are made with: for each worker the same, but for its share of the pool. Hosts
    /// that the plan does not name are not told yet.
    pub settings: Settings,
    /// Where names lead, whatever name servers say.
    pub hosts: Vec<Host>,
    /// The profile in words.
    pub profile: String,
    /// It is made to find a limit.
    pub search: Option<Searching>,
    /// Its parts in time; none of a search, which makes them as it goes.
    pub spans: Vec<Span>,
    /// How long iterations under way may go on at the end.
    pub grace: Duration,
    /// What the run must show.
    pub thresholds: Vec<Threshold>,
    /// What some of them are held against.
    pub baseline: Option<Stored>,
    /// Ends after so many iterations of all users.
    pub iterations: Option<u64>,
    /// The time at the start that is left out of thresholds and totals.
    pub warmup: Duration,
    /// Where all random numbers come from.
    pub seed: u64,
    /// What must not appear in any output.
    pub secrets: Secrets,
}

/// Brings plan and options together. `target` is where requests go when it is known already (the
/// demo's address).
///
/// # Errors
/// Every mistake of the plan that only the compiler sees, and every option that does not fit it.
pub fn prepare(
    plan: &Plan,
    sources: &[Source],
    options: &Options,
    target: Option<Target>,
) -> Result<Prepared, Vec<Diagnostic>> {
    let (files, mut mistakes) = (sources, Vec::new());
    let target = target
        .or_else(|| options.target.clone())
        .or_else(|| plan.target.as_ref().map(|target| target.value.clone()));
    if target.is_none() {
        mistakes.push(Diagnostic::without_place(
            "no target: neither the plan nor the command line says where requests go",
            "write `target: http://127.0.0.1:8000` in the plan, or add `--target URL` (or `--demo`)",
        ));
    }
    let load = load(plan, &options.load).map_err(|mistake| mistakes.push(mistake)).ok();
    let weights = weights(plan, &options.classes).map_err(|mistake| mistakes.push(mistake)).ok();
    let seed = options.seed.or(plan.seed).unwrap_or_else(seed_by_chance);
    let inputs = Inputs {
        target: options.target.clone().or_else(|| target.clone().filter(|_| options.demo)),
        environment: options.variables.clone(),
        seed,
        selection: options.selection.clone(),
        // Each request is told with its class and its tags.
        apart: options.output.csv_requests.is_some(),
    };
    let compiled = match program::compile(plan, sources, &inputs) {
        Ok(compiled) => compiled,
        Err(found) => {
            mistakes.extend(found);
            return Err(mistakes);
        }
    };
    let mut targets = Vec::new();
    let secured = compiled.program.secured.clone();
    let security = Arc::new(
        Security::new(secured, options.trust.clone()).below(&plan.folder, plan.allow_outside),
    );
    let hosts = &plan.network.hosts;
    for (target, way) in compiled.program.targets.iter().zip(&compiled.program.ways) {
        match Way::to(target, *way, options, hosts, &security) {
            Ok(way) => targets.push((target.clone(), way)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let sources = ports::sources(&plan.network.sources).map_err(|found| mistakes.extend(found));
    let (Some(load), Some((weights, fixed)), true) = (load, weights, mistakes.is_empty()) else {
        return Err(mistakes);
    };
    let Asked { mut load, search, words, grace, iterations, warmup } = load;
    // Of classes that have a load of their own, those that are named.
    load.parts.retain(|(class, _)| {
        let named = |class: usize| options.classes.contains(&plan.classes[class].name.value);
        options.classes.is_empty() || class.is_none_or(named)
    });
    let total = load.total();
    let iterations = options.iterations.or(iterations);
    let mut parts = Part::all(&load, &weights, &fixed);
    if let (Some(_), true, true) = (iterations, parts.len() > 1, load.is_open()) {
        mistakes.push(Diagnostic::without_place(
            "a number of iterations for classes of which some have users and some have a rate",
            "leave `iterations` out, or give all classes users",
        ));
    }
    let has_any = |part: &Part| (0..plan.classes.len()).any(|class| part.has(class));
    if !parts.iter().any(has_any) {
        mistakes.push(if options.classes.is_empty() {
            Diagnostic::without_place(
                "no user class has any load in this profile: `fixed` users get no arrivals",
                "give a class a weight, or a load of its own below `each`",
            )
        } else {
            Diagnostic::without_place(
                "none of the classes that were named has any load in this profile",
                "name one that has, or another profile",
            )
        });
    }
    for (name, rows, users) in too_few_rows(&compiled.program, &parts) {
        mistakes.push(Diagnostic::without_place(
            format!("`{name}` has {}, and {users} users hold one each", rows_text(rows)),
            "add rows, run fewer users, or write `at_end: recycle` to share them",
        ));
    }
    let warmup = warmup.unwrap_or(plan.warmup);
    if !warmup.is_zero() && warmup >= total {
        mistakes.push(Diagnostic::without_place(
            format!("the warm-up of {} is as long as the run", format_duration(warmup)),
            "make the run longer, or the warm-up shorter",
        ));
    }
    if let Some(search) = &search {
        let endless = "it has levels, and no end that is known";
        for (given, option, why) in [
            (iterations.is_some(), "--iterations", endless),
            (options.baseline.is_some(), "--baseline", endless),
            (
                options.fail_on_error,
                "--fail-on-error",
                "requests fail in it on purpose, and `must` says how many may",
            ),
        ] {
            if given {
                mistakes.push(Diagnostic::without_place(
                    format!("`{option}` goes with no search: {why}"),
                    "take it out, or run another profile",
                ));
            }
        }
        let first = first_level(&search.search, &load);
        parts = parts.into_iter().map(|part| part.begun_at(&first)).collect();
    }
    let thresholds: Vec<Threshold> =
        plan.thresholds.iter().map(|threshold| written(threshold, files)).collect();
    let baseline = options.baseline.as_deref();
    let baseline = baseline.map(|name| stored(name, options.out.as_deref(), &thresholds));
    let baseline = baseline.transpose().unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        None
    });
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let secrets = Secrets::default();
    options.secrets.iter().for_each(|value| secrets.add(value));
    literal_proofs(plan).iter().for_each(|proof| secrets.add(proof));
    for name in secrets_of(plan) {
        if let Some(value) = options.variables.get(&name) {
            secrets.add(value);
        }
    }
    let settings = Settings {
        any_host: compiled.program.any_host,
        names: names(&plan.network),
        sources: sources.unwrap_or_default(),
        ..Settings::default()
    };
    Ok(Prepared {
        settings,
        hosts: plan.network.hosts.clone(),
        program: compiled.program,
        spans: if search.is_some() { Vec::new() } else { load.spans(&class_names(plan)) },
        search: search.map(|search| Searching {
            search: search.search,
            must: search.must.iter().map(|one| written(one, files)).collect(),
        }),
        parts,
        total,
        targets,
        security,
        profile: words,
        grace: options.grace.or(grace).unwrap_or(GRACE),
        thresholds,
        baseline,
        iterations,
        warmup,
        seed,
        secrets,
    })
}

/// A threshold with where it stands.
fn written(threshold: &Placed<Threshold>, files: &[Source]) -> Threshold {
    let written = file_and_line(threshold.place, files);
    let written = written.map(|(file, line)| Written { file: file.to_owned(), line });
    Threshold { written, ..threshold.value.clone() }
}

/// How names are looked up.
fn names(network: &Network) -> Names {
    let lookup = match network.lookup {
        plan::Lookup::Once => Lookup::Once,
        plan::Lookup::Each => Lookup::Each,
        plan::Lookup::Ttl => Lookup::Ttl,
    };
    Names { lookup, server: network.server }
}

/// `1 row`, `20 rows`
pub(super) fn rows_text(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

/// Rows that users hold must be enough for them, unless they may be shared: the sources that are
/// short, with their rows and the users that hold one each.
pub(super) fn too_few_rows(program: &Program, parts: &[Part]) -> Vec<(String, u64, u64)> {
    let mut wanted: Vec<(Arc<Rows>, u64)> = Vec::new();
    let own = |row: &&Row| row.per == Per::User;
    for row in program.classes.iter().flat_map(|class| class.rows.iter().filter(own)) {
        if wanted.iter().any(|(source, _)| Arc::ptr_eq(source, &row.source)) {
            continue;
        }
        let holds = |class: &Class| {
            class.rows.iter().filter(own).any(|one| Arc::ptr_eq(&one.source, &row.source))
        };
        // The classes of a rate share its users.
        let of = |part: &Part| {
            let classes = program.classes.iter().enumerate().filter(|(_, class)| holds(class));
            let all: u64 = classes.map(|(number, _)| u64::from(part.most_of(number))).sum();
            all.min(part.most_users().into())
        };
        wanted.push((row.source.clone(), parts.iter().map(of).sum()));
    }
    let short =
        wanted.iter().filter(|(source, users)| !source.recycles() && source.rows() < *users);
    short.map(|(source, users)| (source.name().to_owned(), source.rows(), *users)).collect()
}

/// Small enough to type again, and to survive JSON readers that know only doubles.
fn seed_by_chance() -> u64 {
    let nanos = jiff::Timestamp::now().as_nanosecond() as u64;
    nanos.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44
}

fn class_names(plan: &Plan) -> Vec<String> {
    plan.classes.iter().map(|class| class.name.value.clone()).collect()
}

/// The load that runs.
struct Asked {
    load: Load,
    search: Option<plan::Searched>,
    /// The profile in words.
    words: String,
    grace: Option<Duration>,
    iterations: Option<u64>,
    warmup: Option<Duration>,
}

/// The profile that runs, in figures and in words.
fn load(plan: &Plan, choice: &ProfileChoice) -> Result<Asked, Diagnostic> {
    let named = match &choice.profile {
        None => plan.profile.map(|position| &plan.profiles[position]),
        Some(name) => Some(named(plan, name)?),
    };
    let grace = named.and_then(|named| named.grace);
    let warmup = named.and_then(|named| named.warmup);
    let own = choice.users.is_some() || choice.rate.is_some();
    let iterations = named.and_then(|named| named.iterations).filter(|_| !own);
    let total = || {
        // A search has no length of its own: it ends with its answer.
        let search = named.filter(|named| named.search.is_some());
        let lasts = named.filter(|named| named.search.is_none());
        let total = choice.run_time.or_else(|| lasts.map(|named| named.load.total()));
        total.ok_or_else(|| match search {
            Some(named) => Diagnostic::without_place(
                format!(
                    "`{}` stands in place of the search of profile `{}`, and nothing says how long \
                     the run is",
                    if choice.rate.is_some() { "--rate" } else { "--users" },
                    named.name.value
                ),
                "add `-t 15s`, or leave it out and search",
            ),
            None => Diagnostic::without_place(
                "nothing says how long the run is",
                "add `-t 15s`, or a profile to the plan",
            ),
        })
    };
    if let Some(rate) = choice.rate {
        let (profile, speed) = match choice.ramp {
            Some(Ramp::Over(ramp)) => {
                let hold = total()?.saturating_sub(ramp);
                let profile = Profile::plateau(rate, ramp, hold, Duration::ZERO).lasting(total()?);
                (profile, format!(" over {}", format_duration(ramp)))
            }
            _ => (Profile::plateau(rate, Duration::ZERO, total()?, Duration::ZERO), String::new()),
        };
        // As many users, and spread in the same way, as the profile says that it stands for.
        let open = named.and_then(|named| match &named.load.parts[..] {
            [(None, Form::Open(open))] => Some(open),
            _ => None,
        });
        let max_users = open.map_or(0, |open| open.max_users).max(Open::users_for(rate));
        let spread = open.map_or(Spread::Even, |open| open.spread);
        let load = Form::Open(Open { rate: profile, spread, max_users }).into();
        let words = format!("{rate}{speed}");
        return Ok(Asked { load, search: None, words, grace, iterations, warmup });
    }
    let Some(users) = choice.users else {
        let Some(named) = named else {
            return Err(Diagnostic::without_place(
                "nothing says how many users there are",
                "add `profiles:` to the plan, or say it here: `-u 20 -r 5 -t 15s` or `--rate 50/s -t 15s`",
            ));
        };
        let name = named.name.value.clone();
        let (load, words) = match choice.run_time {
            None => (named.load.clone(), format!("profile {name}")),
            Some(time) => {
                // A search is not extended: it ends by itself.
                let most = named.search.as_ref().map_or(time, |_| named.load.total());
                let time = time.min(most);
                let words = format!("profile {name}, for {}", format_duration(time));
                (named.load.clone().lasting(time), words)
            }
        };
        let search = named.search.clone();
        return Ok(Asked { load, search, words, grace, iterations, warmup });
    };
    let total = total()?;
    let (profile, speed) = match choice.ramp {
        None => (Profile::ramp_to(users, None, total), "at once".to_owned()),
        Some(Ramp::Rate(rate)) => {
            (Profile::ramp_to(users, Some(rate), total), format!("at {rate}"))
        }
        Some(Ramp::Over(ramp)) => {
            let hold = total.saturating_sub(ramp);
            let profile = Profile::plateau(users, ramp, hold, Duration::ZERO).lasting(total);
            (profile, format!("over {}", format_duration(ramp)))
        }
    };
    let what = if users == 1 { "user" } else { "users" };
    let words = format!("{users} {what} {speed}");
    let load = Form::Closed(profile).into();
    Ok(Asked { load, search: None, words, grace, iterations, warmup })
}

/// What a search begins with, for as long as its load can last.
fn first_level(search: &Search, load: &Load) -> Form {
    let (total, none) = (load.total(), Duration::ZERO);
    match (search.of, load.parts.first()) {
        (Scale::Rate, Some((_, Form::Open(open)))) => {
            let rate = Rate::of_per_hour_millionths(search.from);
            Form::Open(Open { rate: Profile::plateau(rate, none, total, none), ..open.clone() })
        }
        _ => {
            let users = u32::try_from(search.from).unwrap_or(u32::MAX);
            Form::Closed(Profile::plateau(users, none, total, none))
        }
    }
}

/// The profile of that name.
pub(super) fn named<'a>(plan: &'a Plan, name: &str) -> Result<&'a NamedProfile, Diagnostic> {
    let names = plan.profiles.iter().map(|profile| profile.name.value.as_str());
    plan.profiles.iter().find(|profile| profile.name.value == *name).ok_or_else(|| {
        let title = format!("the plan has no profile `{name}`");
        Diagnostic::without_place(title, did_you_mean(name, names))
    })
}

/// The weight of each class, and how many fixed users it has. Naming classes picks them; one that has
/// no weight in the plan then counts as 1, since naming it says that it is wanted.
fn weights(plan: &Plan, wanted: &[String]) -> Result<(Vec<f64>, Vec<u32>), Diagnostic> {
    let names = || plan.classes.iter().map(|class| class.name.value.as_str());
    if let Some(unknown) = wanted.iter().find(|name| !names().any(|known| known == *name)) {
        let title = format!("the plan has no user class `{unknown}`");
        return Err(Diagnostic::without_place(title, did_you_mean(unknown, names())));
    }
    let weight = |class: &plan::Class| {
        if class.fixed.is_some() {
            0.0
        } else if wanted.is_empty() {
            class.weight
        } else if !wanted.contains(&class.name.value) {
            0.0
        } else if class.weight > 0.0 {
            class.weight
        } else {
            1.0
        }
    };
    let weights: Vec<f64> = plan.classes.iter().map(weight).collect();
    let picked = |class: &plan::Class| wanted.is_empty() || wanted.contains(&class.name.value);
    let fixed: Vec<u32> = plan
        .classes
        .iter()
        .map(|class| class.fixed.filter(|_| picked(class)).unwrap_or(0))
        .collect();
    if weights.iter().all(|weight| *weight == 0.0) && fixed.iter().all(|fixed| *fixed == 0) {
        return Err(Diagnostic::without_place(
            "no user class has a weight above 0",
            "give one a weight, or name one on the command line",
        ));
    }
    Ok((weights, fixed))
}

pub(super) fn did_you_mean<'a>(
    wrong: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> String {
    match suggest(wrong, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has: {}", names.collect::<Vec<_>>().join(", ")),
    }
}
