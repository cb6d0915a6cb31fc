//! Owns the line by which a shell sends a request again: `curl`, with all that it must be told.

use std::fmt::Write as _;

use crate::metrics::{Sent, Shown};
use crate::untrusted::{header, is_harmful};

/// What stands where a secret stood.
const HIDDEN: &str = "***";
/// The file that a body is to be put into that the line cannot hold.
const FILE: &str = "body";

/// The line, and what is to be done before it does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Curl {
    pub(super) line: String,
    pub(super) note: Option<String>,
}

/// How `request` is sent again.
pub(super) fn curl(request: &Sent) -> Curl {
    let Sent { method, url, head, cookies_changed, body, options } = request;
    let mut words: Vec<&str> = Vec::new();
    let mut notes = Vec::new();
    let has_body = body.bytes > 0;
    // A method that curl takes by itself is not named: with a redirect it would go on to the next.
    match &**method {
        "HEAD" => words.push("--head"),
        "GET" if !has_body => {}
        "POST" => {}
        method => words.extend(["--request", method]),
    }
    if url.starts_with("https:") {
        words.push("--http1.1");
    }
    // Brackets and braces in a URL are no pattern, and dots are for the server to see.
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff");
    }
    if url
        .split(['?', '#'])
        .next()
        .is_some_and(|path| path.split('/').any(|part| part == ".." || part == "."))
    {
        words.push("--path-as-is");
    }
    words.extend(options.iter().map(String::as_str));
    let lines = headers(url, &head.lines);
    for line in &lines {
        words.extend(["--header", line]);
    }
    if has_body || method == "POST" {
        if header_of(&head.lines, "content-type").is_none() {
            // Without it curl would say that it is a form.
            words.extend(["--header", "Content-Type:"]);
        }
        match &body.shown {
            Shown::Whole(text) => words.extend(["--data-raw", text]),
            Shown::Beginning(_) | Shown::NotText | Shown::NotKept => {
                words.extend(["--data-binary", "@body"]);
                notes.push(format!("the body is not shown whole: put it into a file `{FILE}`"));
            }
        }
    }
    if head.cut {
        notes.push("the head was too long to be shown whole".to_owned());
    }
    if *cookies_changed {
        notes.push("the user’s cookies are missing: the answer changed them".to_owned());
    }
    let shows = |text: &str| text.contains(HIDDEN);
    if shows(url) || lines.iter().any(|line| shows(line)) || body.text().is_some_and(shows) {
        notes.insert(0, format!("put in what is hidden: `{HIDDEN}`"));
    }
    let mut line = "curl".to_owned();
    for word in words.into_iter().chain([&**url]) {
        line.push(' ');
        quote(word, &mut line);
    }
    Curl { line, note: (!notes.is_empty()).then(|| notes.join("; ")) }
}

/// The header lines that curl does not write by itself in the same way.
fn headers(url: &str, lines: &[String]) -> Vec<String> {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next());
    let one = |line: &String| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match &*name.to_ascii_lowercase() {
            "content-length" => None,
            "host" if Some(value) == authority => None,
            "accept" if value == "*/*" => None,
            // So a header is written that has no value.
            _ if value.is_empty() => Some(format!("{name};")),
            _ => Some(format!("{name}: {value}")),
        }
    };
    lines.iter().filter_map(one).collect()
}

fn header_of<'l>(lines: &'l [String], name: &str) -> Option<&'l str> {
    lines.iter().find_map(|line| header(line, name))
}

/// Appends a word as a POSIX shell reads it again, in a terminal too: what would steer that, or turn
/// the direction of text, stands as the octal numbers of its bytes. History is not expanded either.
fn quote(word: &str, out: &mut String) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        out.push_str(word);
        return;
    }
    let odd = |c: char| is_harmful(c) || c == '\t';
    // Newlines at the end of what a command prints would be lost.
    let (text, ends) = word.split_at(word.trim_end_matches('\n').len());
    if text.contains(odd) {
        out.push_str("\"$(printf '");
        for c in text.chars() {
            match c {
                '%' => out.push_str("%%"),
                c if odd(c) || "'\\!\"$`\n".contains(c) => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        let _ = write!(out, "\\{byte:03o}");
                    }
                }
                c => out.push(c),
            }
        }
        out.push_str("')\"");
    }
    let rest = if text.contains(odd) { ends } else { word };
    if !rest.is_empty() || word.is_empty() {
        let _ = write!(out, "'{}'", rest.replace('\'', r"'\''"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Body, Head};
    use std::process::Command;

    fn sent(method: &str, url: &str, lines: &[&str], body: Body) -> Sent {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Sent {
            method: method.to_owned(),
            url: url.to_owned(),
            head: Head { lines, cut: false },
            cookies_changed: false,
            body,
            options: Vec::new(),
        }
    }

    fn whole(text: &str) -> Body {
        Body { bytes: text.len() as u64, shown: Shown::Whole(text.to_owned()) }
    }

    #[test]
    fn a_request_is_one_line() {
        let host = "Host: target.test";
        for (sent, line) in [
            (
                sent("GET", "http://target.test/a?b=c&d", &[host, "Accept: */*"], whole("")),
                "curl 'http://target.test/a?b=c&d'",
            ),
            (
                sent("HEAD", "https://target.test/", &[host, "X-None:"], whole("")),
                "curl --head --http1.1 --header 'X-None;' https://target.test/",
            ),
            (
                sent(
                    "POST",
                    "http://target.test/a/../[b]",
                    &["Host: other.test", "Content-Type: application/json", "Content-Length: 14"],
                    whole("{\"it's\": true}"),
                ),
                r#"curl --globoff --path-as-is --header 'Host: other.test' --header 'Content-Type: application/json' --data-raw '{"it'\''s": true}' 'http://target.test/a/../[b]'"#,
            ),
            (
                sent("POST", "http://target.test/", &[host], whole("")),
                "curl --header Content-Type: --data-raw '' http://target.test/",
            ),
            (
                sent("DELETE", "http://target.test/", &[host], whole("@file\n")),
                "curl --request DELETE --header Content-Type: --data-raw '@file\n' http://target.test/",
            ),
        ] {
            assert_eq!(curl(&sent), Curl { line: line.to_owned(), note: None });
        }
    }

    #[test]
    fn what_must_be_done_by_hand_is_said() {
        let mut sent = sent(
            "PUT",
            "http://target.test/?token=***",
            &["Content-Type: image/png"],
            Body { bytes: 9000, shown: Shown::NotText },
        );
        sent.cookies_changed = true;
        sent.options = vec!["--connect-to".into(), "target.test:80:127.0.0.1:81".into()];
        let Curl { line, note } = curl(&sent);
        assert_eq!(
            line,
            "curl --request PUT --connect-to target.test:80:127.0.0.1:81 --header 'Content-Type: image/png' \
             --data-binary @body 'http://target.test/?token=***'"
        );
        assert_eq!(
            note.as_deref(),
            Some(
                "put in what is hidden: `***`; the body is not shown whole: put it into a file `body`; the user’s \
                 cookies are missing: the answer changed them"
            )
        );
    }

    /// What `sh` gives a program that is called so.
    fn words_of(line: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("curl");
        std::fs::write(&script, "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n")
            .unwrap();
        let run = format!("curl() {{ /bin/sh '{}' \"$@\"; }}\n{line}", script.display());
        let output = Command::new("sh").arg("-c").arg(&run).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn a_shell_takes_hostile_bytes_as_they_are() {
        let hostile = [
            "$(touch taken)",
            "`touch taken`",
            "'; touch taken; '",
            "\"; touch taken; \"",
            "\\'; touch taken #",
            "a\nb\n\n",
            "\n",
            "\u{1b}]0;taken\u{7}\n\u{3}touch taken\n",
            "tab\there % %s %n \\n \\ ' \" $HOME ! !! `",
            "\t'!\"$(touch taken)`touch taken`%s\\000\n",
            "a\u{202e}b\u{9b}31m\u{7f}\r\n",
            "-rf",
            "~ * ? [a] {b,c} <d >e |f &g ;h",
            "한글 é",
            "",
        ];
        for text in hostile {
            let mut line = "curl ".to_owned();
            quote(text, &mut line);
            assert_eq!(words_of(&line), [text], "{line}");
            assert!(!line.contains(|c| is_harmful(c) || c == '\t'), "{line:?}");
        }
        let lines: Vec<_> = hostile.iter().map(|text| format!("X: {}", text.trim())).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let all = hostile.concat();
        let sent = sent("POST", &format!("http://target.test/{all}"), &lines, whole(&all));
        let words = words_of(&curl(&sent).line);
        assert_eq!(words.last(), Some(&sent.url));
        assert_eq!(words[words.len() - 2], all);
        assert_eq!(words.iter().filter(|word| *word == "--header").count(), hostile.len() + 1);
    }
}
