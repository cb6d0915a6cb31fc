//! Owns which values of a command line nobody else is to see, by the names that it gives them.

use super::message::PROOF;
use super::message::values;
use super::{is_telling, proofs_of};

/// What is given with a URL is hidden in a plan that is made for it, and in little else.
const SHORT: usize = 4;

/// What a command line says.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// The URL that is asked for.
    pub url: &'a str,
    /// Names and values of headers.
    pub headers: &'a [(String, String)],
    /// The body that is sent: a form, JSON, or anything.
    pub body: &'a str,
    /// Names and values of variables.
    pub variables: &'a [(String, String)],
}

impl Given<'_> {
    /// The values with telling names, as they stand there and as they are meant. Templates are none.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut head = format!("GET {} HTTP/1.1", self.url.replace('#', "&"));
        for (name, value) in self.headers {
            head += &format!("\r\n{name}: {value}");
        }
        let mut found = values(&head, self.body, SHORT);
        found.extend(proofs_of(&head));
        // Templates are none, and what is a part of the address would hide where requests went.
        let place = self.url.split(['/', '?', '#']).nth(2).unwrap_or_default();
        found.retain(|value| !value.contains("{{") && !place.contains(value.as_str()));
        // Of a plan that somebody wrote, short ones would hide words and numbers that are something else.
        let telling = self.variables.iter().filter(|(name, _)| is_telling(name));
        found.extend(telling.map(|(_, value)| value.clone()).filter(|value| value.len() >= PROOF));
        // To hide these words would hide them wherever a plan says something else with them.
        found.retain(|value| !["true", "false", "null", "none"].contains(&value.as_str()));
        // As they stand within quotes of a shell.
        let quoted: Vec<_> = found.iter().map(|value| value.replace('\'', r"'\''")).collect();
        found.extend(quoted);
        found.sort();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_with_telling_names_are_secrets_wherever_a_command_line_gives_them() {
        let headers = pairs(&[
            ("X-Api-Key", "k-header"),
            ("Authorization", "Bearer k-bearer"),
            ("Cookie", "sid=k-cookie; b=k-second; mode=users"),
            ("Accept", "text/html"),
        ]);
        let variables = pairs(&[("password", "k-set'1-long"), ("author", "ann"), ("pin", "null")]);
        let given = Given {
            url: "http://a.test/b?token=k%20url&page=2&key={{ env.KEY }}#access_token=k-mark",
            headers: &headers,
            body: "password=k-form&user=ann&pin=12",
            variables: &variables,
        };
        assert_eq!(
            given.secrets(),
            [
                "k url",
                "k%20url",
                "k-bearer",
                "k-cookie",
                "k-form",
                "k-header",
                "k-mark",
                "k-second",
                "k-set'1-long",
                r"k-set'\''1-long"
            ]
        );
        // Short ones that are something else elsewhere.
        let variables = pairs(&[("pin", "100"), ("key", "name")]);
        let url = "http://127.0.0.1:80/a?sid=127&otp=12";
        assert_eq!(Given { url, variables: &variables, ..Given::default() }.secrets(), [""; 0]);
        let variables = pairs(&[("password", "ab{{cd-efgh")]);
        let given = Given { variables: &variables, ..Given::default() };
        assert_eq!(given.secrets(), ["ab{{cd-efgh"]);
        let given =
            Given { body: r#"{"pin": 1234, "password": "a\"b", "x": "y"}"#, ..Given::default() };
        assert_eq!(given.secrets(), ["1234", "a\"b", r#"a\"b"#]);
        assert_eq!(Given::default().secrets(), [""; 0]);
    }
}
