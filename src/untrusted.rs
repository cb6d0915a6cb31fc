//! Owns outside text made safe for terminal, CSV, HTML, XML, Markdown, metrics and workflow commands.

mod given;
mod message;
mod names;

pub use given::Given;
pub use message::{
    PROOF, as_text, header, is_form, proofs_of, shown_line, shown_text, split, values_to_hide,
};
pub use names::is_telling;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;

/// What must not appear in any output. Shared by all who make some: a secret that is met while
/// running is hidden from then on.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Known>);

type Forms = BTreeSet<(Reverse<usize>, String)>;

#[derive(Debug, Default)]
struct Known {
    /// Each value in each of its forms, the longest first: a secret may be a part of another.
    forms: RwLock<Forms>,
    /// One was not taken: there was no more room.
    full: AtomicBool,
}

/// Every text is searched for each of them, so there are no more forms than this.
const MOST: usize = 10_000;

/// What a secret is replaced by.
const HIDDEN: &str = "***";

/// A shorter text is no secret: hiding it would make output unreadable.
const SHORTEST: usize = 3;

impl Secrets {
    /// Hides this value too, as it is and as it is often written: in base64, in a URL or a form, in JSON.
    pub fn add(&self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.0.forms.write().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&(Reverse(value.len()), value.to_owned())) {
            return;
        }
        if known.len() >= MOST {
            self.0.full.store(true, Ordering::Relaxed);
            return;
        }
        let json = serde_json::to_string(value).unwrap_or_default();
        let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(value);
        let url = |lower: bool| -> String {
            let one = |byte: u8| match byte {
                byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                    char::from(byte).to_string()
                }
                byte if lower => format!("%{byte:02x}"),
                byte => format!("%{byte:02X}"),
            };
            value.bytes().map(one).collect()
        };
        let in_form = form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
        let base64 = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|way| way.encode(value));
        let forms = [value.to_owned(), json.to_owned(), json.replace('/', "\\/")];
        let forms = forms.into_iter().chain([url(false), url(true), in_form]).chain(base64);
        known.extend(forms.map(|form| (Reverse(form.len()), form)));
    }

    /// More secrets were met than are remembered: those that came last are not hidden here.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.full.load(Ordering::Relaxed)
    }

    /// The same for a text that was cut short: its end, where it is the beginning of a secret, is left
    /// out as well.
    #[must_use]
    pub fn hidden_cut(&self, text: &str) -> String {
        let shown = self.hidden(text);
        let known = self.0.forms.read().unwrap_or_else(PoisonError::into_inner);
        let part = |(_, secret): &(_, String)| {
            let parts = secret.char_indices().map(|(at, _)| &secret[..at]).skip(1);
            parts.filter(|part| shown.ends_with(part)).map(str::len).max()
        };
        let longest = known.iter().filter_map(part).max().unwrap_or(0);
        shown[..shown.len() - longest].to_owned()
    }

    /// The text with every secret in it hidden.
    #[must_use]
    pub fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for (_, secret) in known.iter() {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
            }
        }
        // From behind, so that those before stay where they are.
        let cuts: Vec<_> = shown.match_indices('…').map(|(at, _)| at).collect();
        for cut in cuts.into_iter().rev() {
            shown = Cow::Owned(without_a_beginning(&shown, cut, &known));
        }
        shown
    }
}

/// The value of a header as it may be shown: of those that prove who somebody is only what kind of
/// proof it is, and of cookies their names.
#[must_use]
pub fn shown_header<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    let name = name.to_ascii_lowercase();
    let before = |text: &str, sign: char| match text.split_once(sign) {
        Some((kind, _)) => format!("{kind}{sign}{HIDDEN}"),
        None => HIDDEN.to_owned(),
    };
    match &*name {
        "authorization" => before(value, ' ').into(),
        "cookie" => {
            let cookies: Vec<_> = value.split("; ").map(|cookie| before(cookie, '=')).collect();
            cookies.join("; ").into()
        }
        "set-cookie" => {
            let (cookie, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
            (before(cookie, '=') + rest).into()
        }
        "x-api-key" => HIDDEN.into(),
        name if name.starts_with("proxy-") => HIDDEN.into(),
        _ => value.into(),
    }
}

/// The text with the values of telling parts of every query in it hidden: `?token=***&page=2`. In a
/// `form` also the first part is one, which follows no `?`.
#[must_use]
pub fn shown_query(text: &str, form: bool) -> Cow<'_, str> {
    telling(form).replace_all(text, |found: &regex::Captures<'_>| format!("{}{HIDDEN}", &found[1]))
}

/// JSON with the texts of passwords and the like in it hidden: `{"password": "***"}`.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    static PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r#"("{}"\s*:\s*")(?:[^"\\]|\\.)+"#, *names::NAME))
            .expect("the pattern is fixed")
    });
    PASSWORD.replace_all(json, |found: &regex::Captures<'_>| match names::is_harmless(&found[1]) {
        true => found[0].to_owned(),
        false => format!("{}{HIDDEN}", &found[1]),
    })
}

/// Telling parts of every query in a text, or of a form.
fn telling(form: bool) -> &'static Regex {
    fn pattern(begin: &str, value: &str) -> Regex {
        let pattern = format!(r"((?:{begin}){}=)(?:\{{\{{.*?\}}\}}|{value})+", *names::NAME);
        Regex::new(&pattern).expect("the pattern is fixed")
    }
    static QUERY: LazyLock<Regex> = LazyLock::new(|| pattern("[?&]", r#"[^&#\s"'<>\\]"#));
    // A form ends with its text.
    static FORM: LazyLock<Regex> = LazyLock::new(|| pattern("^|[?&]", r"[^&\r\n]"));
    if form { &FORM } else { &QUERY }
}

/// The text without the beginning of a secret before the `…` at `cut`: there it was cut short, in the
/// middle of the secret maybe.
fn without_a_beginning(text: &str, cut: usize, secrets: &Forms) -> String {
    let (before, after) = text.split_at(cut);
    for (_, secret) in secrets {
        let parts = secret.char_indices().map(|(at, _)| &secret[..at]).rev();
        if let Some(part) =
            parts.take_while(|part| part.len() > SHORTEST).find(|part| before.ends_with(part))
        {
            return format!("{}{HIDDEN}{after}", &before[..cut - part.len()]);
        }
    }
    text.to_owned()
}

/// It steers a terminal or turns the direction of text; newline and tab are no harm.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text as a terminal may show it: control characters (but newline and tab), DEL, C1 and marks
/// that turn the direction of text become visible, so that nothing can move the cursor, colour
/// the screen or hide itself.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !is_harmful(c) => out.push(c),
            '\u{0}'..='\u{1f}' => {
                out.push(char::from_u32(0x2400 + c as u32).expect("a picture for each C0 control"));
            }
            '\u{7f}' => out.push('\u{2421}'),
            c => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(out)
}

/// Text as a CSV cell may hold it: what a spreadsheet would take for a formula is quoted with `'`.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same JSON, with nothing in its texts that steers a terminal.
#[must_use]
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        // All of them are below U+10000, and none stands outside of texts.
        if is_harmful(c) { out.push_str(&format!("\\u{:04x}", c as u32)) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Text on one line, for formats in which a line means something: as [`visible`], and what breaks a line
/// becomes visible as well, like what no XML may hold.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    let breaking =
        |c: char| matches!(c, '\n' | '\t' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    let text = visible(text);
    if !text.contains(breaking) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push('\u{240a}'),
            '\t' => out.push('\u{2409}'),
            c if breaking(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// GitHub knows no fence of more than 80 backticks, which must be one more than any run in the code.
const LONGEST_RUN: usize = 20;

/// Text as Markdown that is shown as it is, within a line: a span of code, in which nothing is markup, no
/// address becomes a link and nobody is mentioned.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let mut text = one_line(text);
    let mut runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if runs > LONGEST_RUN {
        (text, runs) = (text.replace('`', "\u{2cb}").into(), 0);
    }
    let fence = "`".repeat(runs + 1);
    let (begins, ends) = (text.starts_with([' ', '`']), text.ends_with([' ', '`']));
    match text.trim_matches(' ') {
        "" => "–".to_owned(),
        _ if begins || ends => format!("{fence} {text} {fence}"),
        _ => format!("{fence}{text}{fence}"),
    }
}

/// The same for a cell of a table, which `|` would end within code too. The backslash before it is taken
/// away again, there alone.
#[must_use]
pub fn markdown_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

/// Text as the value of a label in OpenMetrics, without the quotes around it. GitLab takes what
/// follows a `#` for a comment even there.
#[must_use]
pub fn label_value(text: &str) -> String {
    one_line(text).replace('#', "\u{ff03}").replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text as the message of a workflow command of GitHub: what would end it is written as GitHub's own
/// tools write it.
#[must_use]
pub fn workflow_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property of a workflow command: `file`, `title`.
#[must_use]
pub fn workflow_property(text: &str) -> String {
    workflow_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text as the log of a workflow of GitHub may hold it, which takes a line that begins with `::` for a
/// command, and one with `##[` in it: neither is left. Colours may be in it.
#[must_use]
pub fn without_commands(text: &str) -> Cow<'_, str> {
    static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(\s*(?:\x1b\[[0-9;]*m)*\s*:):|#(#\[)").expect("the pattern is fixed")
    });
    let apart = |found: &regex::Captures<'_>| match found.get(1) {
        Some(begin) => format!("{} :", begin.as_str()),
        None => format!("# {}", &found[2]),
    };
    COMMAND.replace_all(text, apart)
}

/// JSON as it may stand within a `<script>` of a page: nothing in it can end the script, and no
/// reader of JavaScript takes it for the end of a line.
#[must_use]
pub fn script_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_that_it_is_written_in() {
        let secrets = Secrets::default();
        secrets.add("p\"ss w/rd");
        secrets.add("ab");
        assert_eq!(
            secrets.hidden(r#"p"ss w/rd, "p\"ss w/rd", p%22ss%20w%2Frd, cCJzcyB3L3Jk, ab"#),
            "***, \"***\", ***, ***, ab"
        );
        assert!(matches!(secrets.hidden("nothing in it"), Cow::Borrowed(_)));
        assert_eq!(secrets.hidden("it was p\"ss w…"), "it was ***…", "cut in its middle");
        assert_eq!(secrets.hidden("it was p\"s…"), "it was p\"s…", "too little to be known by");
        assert_eq!(secrets.hidden("p%22ss%20w%2frd p%22ss+w%2Frd p\\\"ss w\\/rd"), "*** *** ***");
        assert_eq!(secrets.hidden_cut("p\"ss w/rd and p\"s"), "*** and ");
        assert_eq!(secrets.hidden_cut("p\"ss w/rd and then"), "*** and then");
    }

    #[test]
    fn of_headers_that_prove_who_one_is_only_the_kind_of_proof_is_shown() {
        for (name, value, shown) in [
            ("Authorization", "Bearer abc.def", "Bearer ***"),
            ("authorization", "abc", "***"),
            ("Proxy-Authorization", "Basic eDp5", "***"),
            ("X-API-Key", "abc", "***"),
            ("Cookie", "session=abc; theme=dark=er", "session=***; theme=***"),
            ("Set-Cookie", "session=abc; Path=/; HttpOnly", "session=***; Path=/; HttpOnly"),
            ("set-cookie", "abc", "***"),
            ("Accept", "text/html", "text/html"),
        ] {
            assert_eq!(shown_header(name, value), shown, "{name}");
        }
    }

    #[test]
    fn values_of_telling_parts_of_a_query_are_hidden() {
        for (text, shown) in [
            ("/a?token=x&page=2", "/a?token=***&page=2"),
            ("/a?page=2&api_key=x%20y#z", "/a?page=2&api_key=***#z"),
            ("{\"next\":\"/a?Access-Token=x\"}", "{\"next\":\"/a?Access-Token=***\"}"),
            ("/a?X-Amz-Signature=0f", "/a?X-Amz-Signature=***"),
            ("/a?keyword=x&q=token", "/a?keyword=x&q=token"),
            ("password=x", "password=x"),
            ("/a?key={{ env.KEY }}&page=1", "/a?key=***&page=1"),
        ] {
            assert_eq!(shown_query(text, false), shown);
        }
        assert_eq!(
            shown_json(
                r#"{"user": "u", "oldPassword": "a\"b", "client_secret" :"c", "secret": 3}"#
            ),
            r#"{"user": "u", "oldPassword": "***", "client_secret" :"***", "secret": 3}"#
        );
        assert_eq!(shown_query("password=x&user=y", true), "password=***&user=y");
    }

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(visible("plain 한글\n"), "plain 한글\n");
        assert_eq!(visible("a\u{1b}[31mb\u{7f}\u{9b}c\u{202e}d\r"), "a␛[31mb␡\\u{9b}c\\u{202e}d␍");
    }

    #[test]
    fn json_without_what_steers_a_terminal_is_the_same_json() {
        let text = "a\u{9b}31m\u{7f}\u{202e}b\r\n\u{1b}";
        let json = serde_json::to_string(text).unwrap();
        let shown = visible_json(&json);
        assert_eq!(shown, r#""a\u009b31m\u007f\u202eb\r\n\u001b""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        assert!(matches!(visible_json("{\n}"), Cow::Borrowed(_)));
    }

    #[test]
    fn nothing_ends_a_script_and_it_is_still_the_same_json() {
        let text = "</script><!-- & \u{2028}\u{2029}";
        let json = script_json(&serde_json::to_string(text).unwrap());
        assert_eq!(json, r#""\u003c/script\u003e\u003c!-- \u0026 \u2028\u2029""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn nothing_in_a_span_of_code_ends_it() {
        for (text, code) in [
            ("GET /a", "`GET /a`"),
            ("a`b``c", "```a`b``c```"),
            ("`", "`` ` ``"),
            ("a|b", "`a|b`"),
            ("a\n# b\r", "`a␊# b␍`"),
            (" a", "`  a `"),
            ("  ", "–"),
            ("", "–"),
        ] {
            assert_eq!(markdown_code(text), code, "{text:?}");
        }
        assert_eq!(markdown_code(&"`".repeat(21)), format!("`{}`", "ˋ".repeat(21)));
        assert_eq!(markdown_cell("a|b\\|c"), "`a\\|b\\\\|c`");
    }

    #[test]
    fn no_line_of_a_log_is_a_command() {
        assert_eq!(
            without_commands("a::b\n::error::x\n \u{1b}[1m\t::add-mask::y\nz ##[error]z\n:::"),
            "a::b\n: :error::x\n \u{1b}[1m\t: :add-mask::y\nz # #[error]z\n: ::"
        );
        assert!(matches!(without_commands("## a\n[b]: c\n: d"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_breaks_a_line_or_is_not_xml_becomes_visible() {
        assert_eq!(
            one_line("a\n\tb\u{0}\u{85}\u{2028}\u{fffe}\u{ffff}c"),
            "a␊␉b␀\\u{85}\\u{2028}\\u{fffe}\\u{ffff}c"
        );
        assert!(matches!(one_line("한글 <a>"), Cow::Borrowed(_)));
        assert_eq!(label_value("a\"b\\n\n#1"), "a\\\"b\\\\n␊＃1");
    }

    #[test]
    fn formulas_stay_text() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("/todos/"), "/todos/");
    }
}
