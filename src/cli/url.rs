//! Owns the form of `throng run` that takes a URL: it becomes a plan, so that all else stays the same.

use std::borrow::Cow;
use std::fs;
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::session::Options;
use crate::untrusted::{Given, shown_query};

/// What the plan is called in messages and results.
pub(super) const NAME: &str = "command-line.yaml";

/// With nothing said about the load.
const USERS: u32 = 10;
const LASTS: Duration = Duration::from_secs(10);
/// A run that ends after so many requests is cut after this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// What only a URL takes: a plan says these things itself.
#[derive(Debug, clap::Args)]
pub(super) struct Request {
    /// End after so many requests
    #[arg(short = 'n', long, value_name = "N", help_heading = "With a URL", value_parser = clap::value_parser!(u64).range(1..))]
    requests: Option<u64>,
    /// The method [default: GET; POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD", help_heading = "With a URL")]
    method: Option<String>,
    /// A header, as `--header 'Accept: text/html'`; may be given again
    #[arg(long = "header", value_name = "NAME: VALUE", help_heading = "With a URL")]
    headers: Vec<String>,
    /// The body; `@FILE` reads it from a file
    #[arg(long, value_name = "TEXT", help_heading = "With a URL")]
    data: Option<String>,
}

/// Whether the plan's place holds a URL.
pub(super) fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Whether it looks like a URL that someone began with its host: `127.0.0.1:8000/todos/`.
pub(super) fn lacks_its_scheme(text: &str) -> bool {
    let authority = text.split('/').next().unwrap_or(text);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let numbered = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    // An IPv6 address stands in brackets.
    let whole = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    !host.is_empty() && whole && (numbered || authority == "localhost")
}

impl Request {
    /// The first option that was given, as it is written.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.requests.is_some(), "--requests"),
            (self.method.is_some(), "--method"),
            (!self.headers.is_empty(), "--header"),
            (self.data.is_some(), "--data"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
    }

    /// Fills in the load where nothing is said of it.
    pub(super) fn choose(&self, options: &mut Options) {
        if options.load.rate.is_none() {
            let users = u64::from(options.load.users.unwrap_or(USERS));
            // More users than requests would only open connections.
            let users = self.requests.map_or(users, |requests| users.min(requests));
            options.load.users = Some(u32::try_from(users).unwrap_or(USERS));
        }
        options.iterations = self.requests;
        let lasts = if self.requests.is_some() { LONGEST } else { LASTS };
        options.load.run_time = options.load.run_time.or(Some(lasts));
    }
}

/// A plan that was made of a command line.
#[derive(Debug)]
pub(super) struct Made {
    /// As YAML.
    pub(super) text: String,
    /// Values in it that nobody else is to see.
    pub(super) secrets: Vec<String>,
}

/// The plan that loads `url`. Names in it tell nothing that by its own name nobody else is to see.
///
/// # Errors
/// A header without its colon, a file that cannot be read, a method that there is none of, words
/// behind the URL.
pub(super) fn plan(url: &str, request: &Request, classes: &[String]) -> Result<Made, Diagnostic> {
    if let Some(word) = classes.first() {
        let title = format!("`{word}` stands behind a URL, where nothing is expected");
        return Err(Diagnostic::without_place(title, "user classes are a plan's; take it out"));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    // A fragment is for browsers; it is never sent.
    let path = path.split('#').next().unwrap_or("/");
    let body = body(request)?;
    let method = match &request.method {
        Some(method) => known_method(method)?,
        None if body.is_some() => "post",
        None => "get",
    };
    let headers = headers(request, body.as_deref())?;
    // A template is filled in for each request; a name is one for all.
    let named = url.split("{{").next().unwrap_or(url);
    let named = named.split('#').next().unwrap_or(named);
    let json = |text: &str| serde_json::to_string(text).expect("text is JSON");
    let mut text = format!(
        "# What the command line asked for, as a plan: save it to go on from here.\n\
         name: {name}\n\
         target: {target}\n\
         users:\n  User:\n    wait: none\n    tasks:\n      request:\n        {method}: {path}\n",
        name = json(&format!("{} {}", method.to_uppercase(), shown_query(named, false))),
        target = json(&format!("{scheme}://{authority}")),
        path = json(path),
    );
    if let Cow::Owned(shown) = shown_query(path, false) {
        // What looks like a template would be one.
        let shown = shown.replace("{{", "{").replace("}}", "}");
        text.push_str(&format!("        name: {}\n", json(&shown)));
    }
    if !headers.is_empty() {
        text.push_str("        headers:\n");
        for (name, value) in &headers {
            text.push_str(&format!("          {}: {}\n", json(name), json(value)));
        }
    }
    if let Some(body) = &body {
        text.push_str(&format!("        body: {}\n", json(body)));
    }
    let body = body.as_deref().unwrap_or_default();
    let secrets = Given { url, headers: &headers, body, ..Given::default() }.secrets();
    Ok(Made { text, secrets })
}

fn known_method(given: &str) -> Result<&'static str, Diagnostic> {
    let found = METHODS.into_iter().find(|method| given.eq_ignore_ascii_case(method));
    found.ok_or_else(|| {
        let known = METHODS.join(", ").to_uppercase();
        let title = format!("`{given}` is not a method that can be sent");
        Diagnostic::without_place(title, format!("there are: {known}"))
    })
}

fn headers(request: &Request, body: Option<&str>) -> Result<Vec<(String, String)>, Diagnostic> {
    let mut headers = Vec::new();
    for header in &request.headers {
        let Some((name, value)) = header.split_once(':') else {
            let title = format!("the header `{header}` has no colon");
            let label = "write it as `--header 'Accept: text/html'`";
            return Err(Diagnostic::without_place(title, label));
        };
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some(body) = body.filter(|_| !named)
        && serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok()
    {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Ok(headers)
}

fn body(request: &Request) -> Result<Option<String>, Diagnostic> {
    let Some(data) = &request.data else { return Ok(None) };
    let Some(path) = data.strip_prefix('@') else { return Ok(Some(data.clone())) };
    let read = fs::read_to_string(path).map_err(|error| {
        Diagnostic::without_place(
            format!("cannot read {path}: {error}"),
            "`--data @FILE` takes a text file; write the body itself without `@`",
        )
    })?;
    Ok(Some(read))
}
