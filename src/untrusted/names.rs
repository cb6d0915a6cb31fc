//! Owns which names tell of a value that nobody else is to see: one list for headers, queries, forms, JSON,
//! XML and variables.

use std::sync::LazyLock;

use regex::Regex;

/// What ends such a name, whatever stands before it.
const ENDS: &str = "token|secret|passwd|password|passphrase|passcode|pwd|signature|authorization|cookie|bearer|\
                    csrf|xsrf|jwt|cvv|cvc|sess(?:ion)?[_-]?id|(?:api|access|private|secret|subscription)[_-]?key";

/// What is such a name, or the last word of one: `auth_key`, `userPin`. Other words end so as well.
const WORDS: [&str; 9] = ["key", "sig", "pass", "auth", "sid", "session", "otp", "pin", "apikey"];

/// A pattern of a whole such name, without any anchor; it takes no notice of case.
pub(super) static NAME: LazyLock<String> = LazyLock::new(|| {
    let words = WORDS.join("|");
    // In `userPin` the great letter begins the word.
    let great = WORDS.map(|word| word[..1].to_uppercase() + &word[1..]).join("|");
    format!(
        r"(?i:[\w.\[%-]*(?:{ENDS})|(?:[\w.\[%-]*(?:[_.\[-]|%5B))?(?:{words})|(?-i:[\w.\[%-]*[a-z0-9](?:{great})))(?:\]|%5[Dd])?"
    )
});

/// By its name the value is one that nobody else is to see.
#[must_use]
pub fn is_telling(name: &str) -> bool {
    static WHOLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("^(?:{})$", *NAME)).expect("the pattern is fixed"));
    WHOLE.is_match(name)
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
            "key",
            "api_key",
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
