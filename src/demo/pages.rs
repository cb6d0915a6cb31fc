//! Owns the pages for browsers: a form with a hidden token, pages that link to one another, and
//! what they load.

use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::SET_COOKIE;
use sha2::{Digest, Sha256};

use super::answer::{Answer, body, detail, html, redirect, with};
use super::asked::Asked;
use super::files::hex;
use super::kept::Kept;

/// Sessions that are remembered.
const SESSIONS: usize = 100_000;
/// The pages that there are.
const PAGES: u64 = 9;

/// The tokens of the forms that were handed out, by session, and the number of the last one.
#[derive(Debug)]
pub(super) struct Forms(Mutex<(Kept<String, String>, u64)>);

impl Default for Forms {
    fn default() -> Self {
        Self(Mutex::new((Kept::new(SESSIONS), 0)))
    }
}

impl Forms {
    /// A form whose token fits the session: the one that came, or a new one.
    pub(super) fn form(&self, asked: &Asked<'_>) -> Answer {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, last) = &mut *forms;
        *last += 1;
        // Nobody is kept out by it: it has only to look like a token.
        let token = hex(&Sha256::digest(format!("form {last}"))[..16]);
        let known = asked.cookie("session").filter(|session| kept.get_mut(*session).is_some());
        let session = known.map_or_else(|| format!("demo-session-{last}"), str::to_owned);
        kept.insert(session.clone(), token.clone());
        let form = html(page(
            "Sign up",
            &format!(
                "<form id=\"signup\" method=\"post\" action=\"/form\">\n\
                 <input type=\"hidden\" name=\"csrf_token\" value=\"{token}\">\n\
                 <input type=\"text\" name=\"name\">\n<button>Send</button>\n</form>"
            ),
        ));
        match known {
            Some(_) => form,
            None => with(form, SET_COOKIE, &format!("session={session}; HttpOnly; Path=/")),
        }
    }

    /// Takes a form whose token and session belong together; a token is good for once.
    pub(super) fn send(&self, asked: &Asked<'_>) -> Answer {
        let sent = asked.form("csrf_token").unwrap_or_default();
        let session = asked.cookie("session").unwrap_or_default();
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match forms.0.get_mut(session) {
            // An empty one is a form that was sent already.
            Some(token) if !token.is_empty() && *token == sent => token.clear(),
            _ => return detail(StatusCode::FORBIDDEN, "CSRF token missing or incorrect"),
        }
        redirect(StatusCode::SEE_OTHER, "/form/done")
    }
}

/// What follows a form that was taken.
pub(super) fn done() -> Answer {
    html(page("Thank you", "<p class=\"message\">Your form has come.</p>\n<a href=\"/\">Home</a>"))
}

/// A page that links to all others, as a start page does.
pub(super) fn index() -> Answer {
    let links = (1..=PAGES).map(|n| format!("<li><a href=\"/page/{n}\">Page {n}</a></li>\n"));
    html(page("Pages", &format!("<ul id=\"pages\">\n{}</ul>", links.collect::<String>())))
}

/// A page that links to those before and after it.
pub(super) fn numbered(number: &str) -> Answer {
    let Some(number) = number.parse().ok().filter(|n| (1..=PAGES).contains(n)) else {
        return detail(StatusCode::NOT_FOUND, "Page not found");
    };
    let mut links = String::from("<a href=\"/page\">All pages</a>");
    if number > 1 {
        links += &format!("\n<a rel=\"prev\" href=\"/page/{}\">Back</a>", number - 1);
    }
    if number < PAGES {
        links += &format!("\n<a rel=\"next\" href=\"/page/{}\">On</a>", number + 1);
    }
    html(page(&format!("Page {number}"), &links))
}

/// What the pages load.
pub(super) fn asset(name: &str) -> Answer {
    match name {
        "style.css" => body(StatusCode::OK, "text/css", "body { font-family: sans-serif }\n"),
        "app.js" => body(StatusCode::OK, "text/javascript", "document.title += \" - demo\";\n"),
        "logo.svg" => {
            let logo = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4.5" cy="4.5" r="4"/></svg>"#;
            body(StatusCode::OK, "image/svg+xml", logo)
        }
        _ => detail(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn page(title: &str, inside: &str) -> String {
    format!(
        "<!doctype html>\n<html>\n<head>\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/static/style.css\">\n\
         <script src=\"/static/app.js\" defer></script>\n</head>\n<body>\n\
         <img src=\"/static/logo.svg\" alt=\"\">\n<h1>{title}</h1>\n{inside}\n</body>\n</html>\n"
    )
}
