//! Owns what only the right client gets through: answers that fail at first, and signed requests.

use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use serde_json::json;
use sha2::Sha256;

use super::answer::{Answer, Refusal, detail, ok, with};
use super::asked::Asked;
use super::files::hex;
use super::kept::Kept;

/// A key is turned away so often, unless the client says another number.
const TIMES: u64 = 2;
/// Keys that are remembered.
const KEYS: usize = 100_000;
/// What requests are signed with.
const SECRET: &[u8] = b"demo-secret";

/// How often each key has asked.
#[derive(Debug)]
pub(super) struct Flaky(Mutex<Kept<String, u64>>);

impl Default for Flaky {
    fn default() -> Self {
        Self(Mutex::new(Kept::new(KEYS)))
    }
}

impl Flaky {
    /// Turns a key away a few times, then lets it in for good.
    pub(super) fn answer(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let times = asked.number("times", TIMES)?;
        let key: String = asked.query("key").unwrap_or_default().chars().take(100).collect();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = match keys.get_mut(&key) {
            Some(tries) => {
                *tries = tries.saturating_add(1);
                *tries
            }
            None => {
                keys.insert(key.clone(), 1);
                1
            }
        };
        if tries > times {
            return Ok(ok(&json!({ "key": key, "tries": tries })));
        }
        let answer = detail(StatusCode::SERVICE_UNAVAILABLE, "Try again later");
        Ok(with(answer, RETRY_AFTER, "1"))
    }
}

/// Whether `x-signature` is the hexadecimal HMAC-SHA256 (RFC 2104) of the body.
pub(super) fn signed(asked: &Asked<'_>) -> Answer {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key may have any length");
    mac.update(asked.body);
    let want = hex(&mac.finalize().into_bytes());
    let found = asked.header("x-signature");
    if found.is_empty() {
        return detail(StatusCode::UNAUTHORIZED, "The header x-signature is missing");
    }
    if !found.eq_ignore_ascii_case(&want) {
        return detail(StatusCode::UNAUTHORIZED, "The signature does not fit the body");
    }
    ok(&json!({ "signed": true, "size": asked.body.len() }))
}
