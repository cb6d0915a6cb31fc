//! Owns logging in: tokens that wear out, new ones for them, and basic authentication.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::answer::{Answer, Refusal, detail, empty, ok, unprocessable, with};
use super::asked::{Asked, required};
use super::kept::Kept;
use super::validation;

/// A token works so often …
const USES: u32 = 20;
/// … and so long.
const LIFE: Duration = Duration::from_secs(60);
/// Tokens that are remembered.
const TOKENS: usize = 100_000;

#[derive(Debug)]
struct Token {
    user: String,
    uses: u32,
    until: Instant,
}

/// Who is logged in.
#[derive(Debug)]
pub(super) struct Auth {
    issued: AtomicU64,
    tokens: Mutex<Kept<String, Token>>,
    /// The users of the tokens that buy new ones.
    refreshing: Mutex<Kept<String, String>>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            issued: AtomicU64::new(0),
            tokens: Mutex::new(Kept::new(TOKENS)),
            refreshing: Mutex::new(Kept::new(TOKENS)),
        }
    }
}

impl Auth {
    /// A new token and its number.
    fn issue(&self, user: String) -> (String, u64) {
        let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        let token = format!("demo-token-{number}");
        let entry = Token { user, uses: 0, until: Instant::now() + LIFE };
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), entry);
        (token, number)
    }

    /// Any name and any password will do.
    pub(super) fn login(&self, asked: &Asked<'_>) -> Answer {
        let mut user = match validation::login(asked.sent()) {
            Ok(user) => user,
            Err(wrong) => return unprocessable(wrong),
        };
        user = user.chars().take(100).collect();
        let (token, number) = self.issue(user.clone());
        let refresh = format!("demo-refresh-{number}");
        let mut refreshing = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        refreshing.insert(refresh.clone(), user);
        ok(&json!({ "token": token, "refresh_token": refresh, "expires_in": LIFE.as_secs() }))
    }

    pub(super) fn refresh(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let refresh = required(&asked.fields()?, "refresh_token")?;
        let mut refreshing = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let user = refreshing.get_mut(&refresh).cloned();
        drop(refreshing);
        let user = user.ok_or_else(|| unauthorized("Bearer", "Unknown refresh token"))?;
        let (token, _) = self.issue(user);
        let life = LIFE.as_secs();
        Ok(ok(&json!({ "access_token": token, "token_type": "bearer", "expires_in": life })))
    }

    /// Who the token's owner is. Each look wears the token out a little.
    pub(super) fn me(&self, asked: &Asked<'_>) -> Answer {
        let Some(sent) = asked.credentials("bearer") else {
            return unauthorized("Bearer", "Not authenticated");
        };
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(token) = tokens.get_mut(sent) else {
            return unauthorized("Bearer", "Unknown token");
        };
        if token.uses >= USES || Instant::now() >= token.until {
            return unauthorized("Bearer", "Token has expired");
        }
        token.uses += 1;
        ok(&json!({ "username": token.user, "uses_left": USES - token.uses }))
    }

    pub(super) fn logout(&self, asked: &Asked<'_>) -> Answer {
        if let Some(sent) = asked.credentials("bearer") {
            self.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(sent);
        }
        empty(StatusCode::NO_CONTENT)
    }
}

/// Any pair with a name will do.
pub(super) fn basic(asked: &Asked<'_>) -> Answer {
    let pair = asked.credentials("basic").and_then(|sent| STANDARD.decode(sent).ok());
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    match pair.split_once(':') {
        Some((user, _)) if !user.is_empty() => {
            ok(&json!({ "authenticated": true, "username": user }))
        }
        _ => unauthorized("Basic realm=\"demo\"", "Not authenticated"),
    }
}

fn unauthorized(scheme: &str, text: &str) -> Answer {
    with(detail(StatusCode::UNAUTHORIZED, text), WWW_AUTHENTICATE, scheme)
}
