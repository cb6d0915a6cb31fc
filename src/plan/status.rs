//! Owns accept rules: which status codes are a success, as text and back.

use std::fmt;

/// The status codes that are a success, as ranges with both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept(Vec<(u16, u16)>);

/// Why a text is not an accept rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AcceptError(pub String);

const FIRST: u16 = 100;
const LAST: u16 = 599;
/// `any`: also the codes that no one has given a meaning.
const ANY: (u16, u16) = (0, 999);
const BELOW_400: (u16, u16) = (FIRST, 399);

impl Default for Accept {
    /// Any code below 400.
    fn default() -> Self {
        Self(vec![BELOW_400])
    }
}

impl Accept {
    /// Whether an answer with this code is a success.
    #[must_use]
    pub fn allows(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    /// Reads one rule: `201`, `2xx`, `200..299`, `any`.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(text: &str) -> Result<Self, AcceptError> {
        let text = text.trim();
        let shape = || AcceptError("write `201`, `2xx`, `200..299`, `[200, 404]` or `any`".into());
        if text == "any" {
            return Ok(Self(vec![ANY]));
        }
        if let Some(hundreds) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            return match hundreds.parse::<u16>() {
                Ok(hundreds @ 1..=5) => Ok(Self(vec![(hundreds * 100, hundreds * 100 + 99)])),
                _ => Err(AcceptError("there are `1xx` to `5xx`".into())),
            };
        }
        if let Some((low, high)) = text.split_once("..") {
            let (low, high) = (code(low).ok_or_else(shape)?, code(high).ok_or_else(shape)?);
            Self::check(low)?;
            Self::check(high)?;
            if low > high {
                return Err(AcceptError(format!("it runs backwards; write `{high}..{low}`")));
            }
            return Ok(Self(vec![(low, high)]));
        }
        if let Some((low, high)) = text.split_once('-')
            && let (Some(low), Some(high)) = (code(low), code(high))
        {
            return Err(AcceptError(format!("write a range as `{low}..{high}`")));
        }
        if text.contains([',', ' '])
            && text.split([',', ' ']).all(|part| part.is_empty() || code(part).is_some())
        {
            let codes: Vec<_> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
            return Err(AcceptError(format!("write a list as `[{}]`", codes.join(", "))));
        }
        let one = code(text).ok_or_else(shape)?;
        Self::check(one)?;
        Ok(Self(vec![(one, one)]))
    }

    /// All that is a success to any of the rules.
    pub fn any_of(rules: impl IntoIterator<Item = Self>) -> Self {
        Self(rules.into_iter().flat_map(|rule| rule.0).collect())
    }

    fn check(status: u16) -> Result<(), AcceptError> {
        if (FIRST..=LAST).contains(&status) {
            return Ok(());
        }
        Err(AcceptError(format!("status codes lie between {FIRST} and {LAST}")))
    }
}

fn code(text: &str) -> Option<u16> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return f.write_str("below 400");
        }
        let rules: Vec<String> = self.0.iter().map(show).collect();
        match &*rules {
            [one] => f.write_str(one),
            rules => write!(f, "[{}]", rules.join(", ")),
        }
    }
}

fn show(&(low, high): &(u16, u16)) -> String {
    match (low, high) {
        ANY => "any".to_owned(),
        (low, high) if low == high => low.to_string(),
        (low, high) if low % 100 == 0 && high == low + 99 => format!("{}xx", low / 100),
        (low, high) => format!("{low}..{high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_are_read_as_people_write_them() {
        for (text, shown, inside, outside) in [
            ("201", "201", 201, 200),
            ("2xx", "2xx", 299, 300),
            ("200..299", "2xx", 200, 199),
            ("200 .. 204", "200..204", 204, 205),
            ("any", "any", 599, 1000),
        ] {
            let accept = Accept::parse(text).unwrap();
            assert_eq!(accept.to_string(), shown);
            assert!(accept.allows(inside) && !accept.allows(outside), "{text}");
        }
        let both = Accept::any_of([Accept::parse("200").unwrap(), Accept::parse("404").unwrap()]);
        assert_eq!(both.to_string(), "[200, 404]");
        assert!(both.allows(404) && !both.allows(201));
    }

    #[test]
    fn any_code_below_400_is_a_success_when_nothing_is_said() {
        let accept = Accept::default();
        assert!(accept.allows(100) && accept.allows(399) && !accept.allows(400));
        assert_eq!(accept.to_string(), "below 400");
    }

    #[test]
    fn a_wrong_rule_is_told_what_to_write() {
        let said = |text| Accept::parse(text).unwrap_err().to_string();
        assert_eq!(said("200-299"), "write a range as `200..299`");
        assert_eq!(said("200, 404"), "write a list as `[200, 404]`");
        assert_eq!(said("299..200"), "it runs backwards; write `200..299`");
        assert_eq!(said("42"), "status codes lie between 100 and 599");
        assert_eq!(said("9xx"), "there are `1xx` to `5xx`");
        assert!(said("ok").starts_with("write `201`"));
    }

    proptest! {
        #[test]
        fn reading_any_text_never_panics(text in "\\PC{0,12}") {
            let _ = Accept::parse(&text);
        }

        #[test]
        fn a_shown_rule_reads_back(low in 100u16..=599, more in 0u16..500) {
            let accept = Accept(vec![(low, (low + more).min(599))]);
            prop_assume!(accept != Accept::default());
            prop_assert_eq!(Accept::parse(&accept.to_string()), Ok(accept));
        }
    }
}
