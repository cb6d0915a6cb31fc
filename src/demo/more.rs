//! Owns the routes beside the Todo API: one table of them, and who answers each.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, detail, not_allowed, ok};
use super::asked::Asked;
use super::echo::{self, Coding};
use super::routes::Api;
use super::{auth, files, flaky, graphql, pages, shop};

/// Methods, path, what it does. `/` tells them, and what is not here is not found.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/", "this list"),
    ("GET", "/health", "whether it serves"),
    ("GET, POST", "/todos/", "the todos; ?skip=0&limit=100"),
    ("GET, PUT, DELETE", "/todos/{id}", "one todo"),
    ("POST", "/login", "any username and password: token, refresh_token, expires_in"),
    ("POST", "/logout", "ends the bearer token"),
    ("POST", "/auth/refresh", "a new access_token for a refresh_token"),
    ("GET", "/me", "whose bearer token it is; 401 after 20 uses or 60 seconds"),
    ("GET", "/basic", "basic authentication, any pair"),
    ("GET", "/products", "products with a next link; ?page=1&limit=10"),
    ("GET", "/products/{id}", "one product"),
    ("POST", "/cart", "product, quantity and cart: adds to that cart or a new one"),
    ("POST", "/checkout", "cart and card: pays; 402 for a card that ends in 0002"),
    ("POST", "/jobs", "begins a job; ?polls=3"),
    ("GET", "/jobs/{id}", "its state: running, and done at the third look"),
    ("POST", "/upload", "multipart/form-data: says what came; up to 16 MiB"),
    ("POST", "/graphql", "query and variables: todo, todos, createTodo"),
    ("GET, POST", "/form", "a form with a session cookie and a hidden csrf_token"),
    ("GET", "/form/done", "where a form leads that was taken"),
    ("GET", "/page", "a page of links"),
    ("GET", "/page/{n}", "a page that links to its neighbours"),
    ("GET", "/static/{name}", "what pages load: style.css, app.js, logo.svg"),
    ("POST", "/projects", "a new project"),
    ("GET, DELETE", "/projects/{id}", "one project"),
    ("GET, POST, DELETE", "/projects/{id}/todos", "its todos: all, one more, none"),
    ("POST", "/users", "a new user; 409 when the email exists"),
    ("GET", "/flaky", "503 twice for each ?key=, then 200; ?times=2"),
    ("POST", "/signed", "wants x-signature: hex HMAC-SHA256 of the body with demo-secret"),
    ("GET, POST", "/events", "POST text; GET waits for newer ones; ?after=0&wait=1000"),
    ("*", "/anything", "tells the request as it came; any path below it too"),
    ("*", "/redirect/{n}", "leads to /anything over n hops; ?status=302"),
    ("GET", "/cookies", "the cookies that came"),
    ("GET", "/cookies/set", "sets the pairs of the query as cookies"),
    ("GET", "/cookies/delete", "deletes the cookies that the query names"),
    ("GET", "/gzip", "compressed, for a client that accepts it"),
    ("GET", "/deflate", "the same, as deflate"),
    ("*", "/status/{code}", "that status, from 200 to 599"),
    ("*", "/delay/{ms}", "answers so much later, up to 5000"),
    ("GET", "/bytes/{n}", "so many bytes, up to 1048576"),
];

/// Answers what the Todo API does not.
pub(super) async fn route(api: &Api, asked: &Asked<'_>) -> Answer {
    let parts: Vec<&str> = asked.path.split('/').skip(1).collect();
    let Some((allowed, _, _)) = ROUTES.iter().find(|(_, path, _)| fits(path, &parts)) else {
        return detail(StatusCode::NOT_FOUND, "Not Found");
    };
    let method = asked.method.as_str();
    if *allowed != "*" && !allowed.split(", ").any(|one| one == method) {
        return not_allowed(allowed);
    }
    // A mistake of the client's is an answer as well.
    let answered = match (method, parts.as_slice()) {
        (_, [""]) => Ok(list()),
        (_, ["login"]) => Ok(api.auth.login(asked)),
        (_, ["logout"]) => Ok(api.auth.logout(asked)),
        (_, ["auth", "refresh"]) => api.auth.refresh(asked),
        (_, ["me"]) => Ok(api.auth.me(asked)),
        (_, ["basic"]) => Ok(auth::basic(asked)),
        (_, ["products"]) => shop::products(asked),
        (_, ["products", id]) => Ok(shop::one(id)),
        (_, ["cart"]) => api.shop.cart(asked),
        (_, ["checkout"]) => api.shop.checkout(asked),
        (_, ["jobs"]) => api.jobs.begin(asked),
        (_, ["jobs", id]) => Ok(api.jobs.state(id)),
        (_, ["upload"]) => Ok(files::upload(asked)),
        (_, ["graphql"]) => graphql::answer(api, asked),
        ("GET", ["form"]) => Ok(api.forms.form(asked)),
        (_, ["form"]) => Ok(api.forms.send(asked)),
        (_, ["form", "done"]) => Ok(pages::done()),
        (_, ["page"]) => Ok(pages::index()),
        (_, ["page", number]) => Ok(pages::numbered(number)),
        (_, ["static", name]) => Ok(pages::asset(name)),
        (_, ["projects"]) => api.projects.create(asked),
        ("GET", ["projects", id]) => Ok(api.projects.get(id)),
        (_, ["projects", id]) => Ok(api.projects.delete(id)),
        ("GET", ["projects", id, "todos"]) => Ok(api.projects.todos(id)),
        ("POST", ["projects", id, "todos"]) => api.projects.add(id, asked),
        (_, ["projects", id, "todos"]) => Ok(api.projects.clear(id)),
        (_, ["users"]) => api.users.create(asked),
        (_, ["flaky"]) => api.flaky.answer(asked),
        (_, ["signed"]) => Ok(flaky::signed(asked)),
        ("GET", ["events"]) => api.events.wait(asked).await,
        (_, ["events"]) => api.events.add(asked),
        (_, ["anything", ..]) => Ok(echo::anything(asked)),
        (_, ["redirect", left]) => echo::hop(asked, left),
        (_, ["cookies"]) => Ok(echo::cookies(asked)),
        (_, ["cookies", "set"]) => Ok(echo::set_cookies(asked)),
        (_, ["cookies", "delete"]) => Ok(echo::delete_cookies(asked)),
        (_, ["gzip"]) => Ok(echo::compressed(asked, Coding::Gzip)),
        (_, ["deflate"]) => Ok(echo::compressed(asked, Coding::Deflate)),
        (_, ["status", code]) => Ok(echo::status(code)),
        (_, ["delay", ms]) => Ok(echo::delay(ms).await),
        (_, ["bytes", count]) => Ok(files::bytes(count)),
        // The todos and the health have been answered before.
        _ => Ok(detail(StatusCode::NOT_FOUND, "Not Found")),
    };
    answered.unwrap_or_else(|refusal| *refusal)
}

/// Whether a path is one of this pattern.
fn fits(pattern: &str, parts: &[&str]) -> bool {
    if pattern == "/anything" && parts.first() == Some(&"anything") {
        return true;
    }
    let mut wanted = pattern.split('/').skip(1);
    let same = parts.iter().all(|part| match wanted.next() {
        Some(wanted) if wanted.starts_with('{') => !part.is_empty(),
        wanted => wanted == Some(*part),
    });
    same && wanted.next().is_none()
}

fn list() -> Answer {
    let told = ROUTES
        .iter()
        .map(|(methods, path, does)| json!({ "methods": methods, "path": path, "does": does }));
    ok(&json!({ "service": "throng demo", "paths": told.collect::<Vec<Value>>() }))
}
