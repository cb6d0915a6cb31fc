//! Owns which names tell of a value that nobody else is to see: one list for headers, queries, forms, JSON,
//! XML and variables.

use std::sync::LazyLock;

use regex::Regex;

/// What ends such a name, whatever stands before it.
const ENDS: &str = "token|secret|passwd|password|passphrase|passcode|pwd|signature|authorization|cookie|bearer|\
                    csrf|xsrf|jwt|cvv|cvc|sess(?:ion)?[_-]?id|credentials?|secret[_-]?key[_-]?base|\
                    (?:api|access|private|secret|subscription)[_-]?key";

/// What may follow: the second of two fields, and what a signature was made with.
const BEHIND: &str = "(?:[_-]?(?:[0-9]{1,3}|confirm(?:ation)?|again|repeat))?";

/// What is such a name, or the last word of one: `auth_key`, `userPin`. Other words end so as well.
const WORDS: [&str; 10] =
    ["pw", "key", "sig", "pass", "auth", "sid", "session", "otp", "pin", "apikey"];

/// A pattern of a whole such name, without any anchor; it takes no notice of case.
pub(super) static NAME: LazyLock<String> = LazyLock::new(|| {
    let words = WORDS.join("|");
    // In `userPin` the great letter begins the word.
    let great = WORDS.map(|word| word[..1].to_uppercase() + &word[1..]).join("|");
    format!(
        r"(?i:[\w.\[%-]*(?:{ENDS})|(?:[\w.\[%-]*(?:[_.\[-]|%5B))?(?:{words})|(?-i:[\w.\[%-]*[a-z0-9](?:{great}))){BEHIND}(?:\]|%5[Dd])?"
    )
});

/// By its name the value is one that nobody else is to see.
#[must_use]
pub fn is_telling(name: &str) -> bool {
    static WHOLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("^(?:{})$", *NAME)).expect("the pattern is fixed"));
    WHOLE.is_match(name) && !is_harmless(name)
}

/// Keys and tokens by which rows and pages are found.
const FINDING: &str = "(?:idempotency|cache|sort|primary|foreign|partition|public|websocket|object|row)[_-]?key|\
                       (?:page|continuation)[_-]?token";

/// It ends like such a name and is none. A `key` alone is one in a query, as `?key=…`, and nowhere else. What
/// stands behind the name is left out.
pub(super) fn is_harmless(text: &str) -> bool {
    static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = format!(r"(?i)(?:{FINDING}|(?:^|[^\w.\[-])key)\W*$");
        Regex::new(&pattern).expect("the pattern is fixed")
    });
    HARMLESS.is_match(text)
}

/// The same for a part of a query.
pub(super) fn is_harmless_in_query(text: &str) -> bool {
    static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"(?i)(?:{FINDING})\W*$")).expect("the pattern is fixed")
    });
    HARMLESS.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_of_secrets_by_their_last_word() {
        for name in [
            "token",
            "access_token",
            "X-Auth-Token",
            "refreshToken",
            "csrfmiddlewaretoken",
            "api_key",
            "password1",
            "new_password2",
            "password_confirmation",
            "SECRET_KEY_BASE",
            "credentials",
            "pw",
            "API_KEY_2",
            "X-Hub-Signature-256",
            "apiKey",
            "apikey",
            "Api-Key",
            "X-Amz-Signature",
            "sig",
            "Ocp-Apim-Subscription-Key",
            "password",
            "oldPassword",
            "user[password]",
            "passwd",
            "pwd",
            "pass",
            "db_pass",
            "userPass",
            "client_secret",
            "Authorization",
            "Proxy-Authorization",
            "auth",
            "x-auth",
            "bearer",
            "csrf",
            "XSRF",
            "sid",
            "connect.sid",
            "session",
            "PHPSESSID",
            "user%5Bpin%5D",
            "sessionid",
            "otp",
            "pin",
            "cardPin",
            "PIN",
            "cvv",
            "jwt",
        ] {
            assert!(is_telling(name), "{name}");
        }
        for name in [
            "key",
            "Idempotency-Key",
            "sort_key",
            "primaryKey",
            "publicKey",
            "nextPageToken",
            "Sec-WebSocket-Key",
            "passenger",
            "pinned",
            "author",
            "keyword",
            "monkey",
            "compass",
            "spin",
            "oauth",
            "inside",
            "tokens",
            "X-Tokens-Left",
            "sessions",
            "keys",
            "turkey",
            "Monkey",
            "signal",
            "jwts",
            "",
            "authority",
            "obsession",
        ] {
            assert!(!is_telling(name), "{name}");
        }
    }
}
