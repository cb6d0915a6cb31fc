//! Answers that are hostile in every place that a server can fill, and secrets that it says again: neither
//! does harm in any file or stream of a run.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use scraper::{Html, Selector};

use super::support::{Folder, Said, said};

/// Strings for every place: one of JSON in each line.
fn strings() -> Vec<String> {
    let text = include_str!("../plans/files/hostile_strings.txt");
    let strings: Vec<String> =
        text.lines().map(|line| serde_json::from_str(line).expect("a string of JSON")).collect();
    assert_eq!(strings.len(), 200);
    strings
}

/// Answers each request by its head and body, and closes.
fn serve(answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), answer) = (stream, answer.clone()) else { return };
            std::thread::spawn(move || talk(stream, &*answer));
        }
    });
    address
}

fn talk(mut stream: TcpStream, answer: &dyn Fn(&str, &str) -> Vec<u8>) {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                let _ = stream.write_all(&answer(head, body));
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

/// One string in every place of an answer, as the path asks for it: it may break the answer too.
fn hostile(head: &str, strings: &[String]) -> Vec<u8> {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/');
    let (place, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(text) = number.parse().ok().and_then(|number: usize| strings.get(number)) else {
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok".to_vec();
    };
    let json = serde_json::json!({ "x": text }).to_string();
    let length = text.len();
    let text = match place {
        "all" => format!(
            "HTTP/1.1 500 {text}\r\nX-Value: {text}\r\nSet-Cookie: {text}=1; Path={text}\r\nContent-Type: {text}\r\n\r\n{text}"
        ),
        // One line alone, so that nothing else breaks what comes.
        "body" => {
            let length = FILLING.len() + length;
            format!(
                "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{FILLING}{text}"
            )
        }
        "value" => format!(
            "HTTP/1.1 500 No\r\nX-Value: {text}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
        ),
        "name" => format!(
            "HTTP/1.1 500 No\r\n{text}: 1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
        ),
        "json" => format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        ),
        "location" => {
            format!(
                "HTTP/1.1 302 Found\r\nLocation: {text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
        }
        _ => format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}"
        ),
    };
    text.into_bytes()
}

/// With little else a few control characters make a body no text.
const FILLING: &str = "once upon a time there was a server that nobody had told what to say: ";

const PLACES: [&str; 5] = ["all", "body", "value", "name", "location"];

/// A plan that meets these strings, each under names of its own; a hundred failed exchanges are shown.
fn plan(address: SocketAddr, numbers: std::ops::Range<usize>) -> String {
    let mut tasks = String::new();
    for number in numbers {
        for place in PLACES {
            tasks += &format!("      {place}_{number}: {{ get: /{place}/{number} }}\n");
        }
    }
    format!(
        "target: http://{address}\nusers:\n  All:\n    order: sequence\n    tasks:\n{tasks}  Said:\n    tasks:\n      said:\n        \
         steps:\n          - get: \"/json/{{{{ user.iteration }}}}\"\n            name: json\n            \
         expect: [ {{ json: $.x, equals: never }} ]\n          - get: \"/text/{{{{ user.iteration }}}}\"\n            \
         name: text\n            accept: [ {{ status: 200, fail: \"said {{{{ response.body }}}}\" }} ]\n          \
         - log: \"{{{{ response.body }}}}\"\n          - fail: \"{{{{ response.body }}}}\"\n"
    )
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|end| end == "gz") {
            let mut whole = Vec::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut whole).unwrap();
            bytes = whole;
        }
        found.push((path, bytes));
    }
    assert!(!found.is_empty());
    found
}

/// Nothing in it moves a cursor, sets a colour or turns a line around.
fn steers(text: &str) -> Option<char> {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().find(|c| c.is_control() && !"\n\t".contains(*c) || turns(*c))
}

fn check_csv(path: &Path, text: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for row in reader.records() {
        // One with more or fewer cells than the first is an error.
        for cell in &row.unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!formula || cell.parse::<f64>().is_ok(), "{}: {cell:?}", path.display());
        }
    }
}

const TAGS: &str = "html head meta title link style body header p span h1 h2 h3 h4 ul li dl div dt dd main section small strong \
                    time table thead tbody tfoot tr th td code figure figcaption noscript details summary pre footer script nav ol a kbd";

fn check_page(text: &str) {
    let page = Html::parse_document(text);
    let select = |selector: &str| {
        let selector = Selector::parse(selector).unwrap();
        page.select(&selector).map(|one| one.html()).collect::<Vec<_>>()
    };
    let all = Selector::parse("*").unwrap();
    let mut ids = Vec::new();
    for element in page.select(&all) {
        let value = element.value();
        assert!(TAGS.split_whitespace().any(|tag| tag == value.name()), "{}", element.html());
        let acts = value.attrs().any(|(name, _)| {
            name.starts_with("on") || ["src", "srcdoc", "action", "style"].contains(&name)
        });
        assert!(!acts, "{}", element.html());
        // A link leads to a place of the page itself.
        let away = value.attr("href").is_some_and(|to| !to.starts_with('#') && to != "data:,");
        assert!(!away, "{}", element.html());
        ids.extend(value.id());
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
    for what in
        ["code *", "summary small *", "summary .what *", "td > :not(small):not(span):not(a)"]
    {
        assert_eq!(select(what), [""; 0], "{what}");
    }
    assert_eq!(select("script").len(), 3);
    assert_eq!(select("title").len(), 1);
}

fn check_outputs(said: &Said, out: &Path) -> serde_json::Value {
    for text in [&said.out, &said.err] {
        assert_eq!(steers(text), None, "{text:?}");
    }
    let mut summary = serde_json::Value::Null;
    for (path, bytes) in files(out) {
        let text =
            String::from_utf8(bytes).unwrap_or_else(|_| panic!("{} is no text", path.display()));
        match path.extension().and_then(|end| end.to_str()) {
            Some("csv") => check_csv(&path, &text),
            Some("html") => check_page(&text),
            Some("json") => {
                assert_eq!(steers(&text), None, "{}", path.display());
                summary = serde_json::from_str(&text).unwrap();
            }
            _ => {}
        }
    }
    summary
}

/// The pages of these runs are looked at in a browser as well.
fn keep_page(out: &Path, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reports");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(out.join("report.html"), folder.join(format!("{name}.html"))).unwrap();
}

#[test]
fn hostile_strings_in_every_place_of_an_answer_do_no_harm() {
    let strings = strings();
    let told = strings.clone();
    let address = serve(move |head, _| hostile(head, &told));
    let mut shown = [0; 2];
    for (batch, from) in (0..200).step_by(20).enumerate() {
        let folder = Folder::new();
        folder.file("plan.yaml", &plan(address, from..from + 20));
        let json = if batch == 9 { "--json" } else { "" };
        let said = folder.throng(&format!(
            "run plan.yaml All -u 1 -i 1 -t 60s --out out --csv copy --html copy.html {json}"
        ));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let out = folder.path().join("out");
        let summary = check_outputs(&said, &out);
        check_page(&folder.read("copy.html"));
        for name in ["stats", "stats_history", "failures", "exceptions"] {
            let path = format!("copy_{name}.csv");
            check_csv(Path::new(&path), &folder.read(&path));
        }
        let evidence = summary["evidence"]["failed"].as_array().unwrap();
        for (number, text) in strings.iter().enumerate().skip(from).take(20) {
            let of = |place: &str| {
                evidence.iter().find(|one| one["name"] == format!("/{place}/{number}")).unwrap()
            };
            // It is shown as it came: that nothing was harmed is not for lack of it.
            shown[0] += usize::from(of("body")["answer"]["body"] == format!("{FILLING}{text}"));
            let value = of("value")["answer"]["head"][0].as_str().unwrap_or_default();
            shown[1] += usize::from(value == format!("X-Value: {}", text.trim_ascii()));
        }
        keep_page(&out, &format!("hostile_answers_{batch}"));
    }
    // Some are no text, some are two lines of a head, some are no header.
    assert!(shown[0] >= 198 && shown[1] >= 165, "{shown:?}");
}

#[test]
fn hostile_strings_that_a_plan_says_again_do_no_harm() {
    let strings = strings();
    let address = serve(move |head, _| hostile(head, &strings));
    let folder = Folder::new();
    folder.file("plan.yaml", &plan(address, 0..1));
    let said = folder.throng("run plan.yaml Said -u 1 -i 200 -t 60s --out out");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let out = folder.path().join("out");
    let summary = check_outputs(&said, &out);
    assert_eq!(summary["exceptions"][0]["count"], 200);
    assert_eq!(summary["failures"][0]["examples"].as_array().unwrap().len(), 3);
    keep_page(&out, "hostile_answers_said");
}

/// Where a secret comes from, and so where it goes.
const SOURCES: [&str; 10] =
    ["basic", "bearer", "key", "cookie", "query", "json", "form", "header", "path", "captured"];

/// Fifty, with letters that every way of writing writes in its own way; no two have a part in common that
/// would be hidden with the other.
fn secrets() -> Vec<(String, String)> {
    let tails = ["plain", "q\"uo'te", "sl/as\\h", "sp ce+&=", "é<b>%41"];
    let one = |number: usize| {
        let (source, tail) = (SOURCES[number / 5], tails[number % 5]);
        // A cookie and a path hold no others.
        let tail = if ["cookie", "bearer", "key", "header"].contains(&source) {
            ["plain", "dash-dot.", "sl/ash", "plus+eq", "tilde~"][number % 5]
        } else {
            tail
        };
        (source.to_owned(), format!("{number:02}-{source}-S3CRET-{tail}-{}", number * 7919))
    };
    (0..50).map(one).collect()
}

/// As it is, in base64, in a URL, in JSON.
fn forms(secret: &str) -> Vec<String> {
    let url: String = secret
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                (byte as char).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let json = serde_json::to_string(secret).unwrap();
    let form = url.replace("%20", "+");
    vec![
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        url,
        form,
        json[1..json.len() - 1].to_owned(),
    ]
}

/// Says all that it was told, and the secret that it belongs to in every form: in headers, cookies and body.
fn telling(head: &str, body: &str, secrets: &[(String, String)]) -> Vec<u8> {
    let number = head.lines().find_map(|line| line.strip_prefix("X-Number: "));
    let (_, secret) = &secrets[number.and_then(|number| number.parse().ok()).unwrap_or(0)];
    let all = forms(secret);
    let made = head.starts_with("GET /make");
    let text = if made {
        serde_json::json!({ "made": secret }).to_string()
    } else {
        format!("{head}\n{body}\n{}\n{}", all.join("\n"), serde_json::json!({ "x": secret }))
    };
    let status = if made { "200 OK" } else { "500 No" };
    let lines: String =
        all.iter().enumerate().map(|(at, form)| format!("X-Seen-{at}: {form}\r\n")).collect();
    let length = text.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{lines}Set-Cookie: again={}\r\nContent-Length: {length}\r\n\r\n{text}",
        all[3]
    )
    .into_bytes()
}

fn secretive_plan(address: SocketAddr, secrets: &[(String, String)]) -> String {
    let mut tasks = String::new();
    for (number, (source, _)) in secrets.iter().enumerate() {
        let value = format!("{{{{ env.SECRET_{number} }}}}");
        let more = match &**source {
            "basic" => format!("auth: {{ basic: [ann, '{value}'] }}"),
            "bearer" => format!("auth: {{ bearer: '{value}' }}"),
            "key" => format!("headers: {{ X-Api-Key: '{value}' }}"),
            "cookie" => format!("cookies: {{ sid: '{value}' }}"),
            "query" => format!("query: {{ q: '{value}' }}"),
            "json" => format!("json: {{ note: '{value}' }}"),
            "form" => format!("form: {{ note: '{value}' }}"),
            "header" => format!("headers: {{ X-Note: '{value}' }}"),
            "captured" => "headers: { X-Note: '{{ made }}' }".to_owned(),
            _ => String::new(),
        };
        let method = if ["json", "form"].contains(&&**source) { "post" } else { "get" };
        let path = match &**source {
            "path" => format!("/a/{{{{ urlencode(env.SECRET_{number}) }}}}"),
            _ => "/a".to_owned(),
        };
        let headers = |more: &str| match more.strip_prefix("headers: { ") {
            Some(rest) => format!("headers: {{ X-Number: '{number}', {rest}"),
            None if more.is_empty() => format!("headers: {{ X-Number: '{number}' }}"),
            None => format!("headers: {{ X-Number: '{number}' }}\n            {more}"),
        };
        tasks += &format!("      t{number}:\n        steps:\n");
        if source == "captured" {
            tasks += &format!(
                "          - get: /make\n            headers: {{ X-Number: '{number}' }}\n            \
                 capture: {{ made: {{ json: $.made, secret: true }} }}\n"
            );
        }
        tasks += &format!(
            "          - {method}: \"{path}\"\n            name: n{number}\n            {}\n            \
             expect: [ {{ json: $.x, equals: never }} ]\n            accept: [ 500 ]\n          \
             - log: \"{{{{ response.body }}}}\"\n",
            headers(&more)
        );
        // Once more as a failure by its status.
        tasks += &format!(
            "          - {method}: \"{path}\"\n            name: m{number}\n            {}\n",
            headers(&more)
        );
    }
    let names: Vec<_> = (0..secrets.len()).map(|number| format!("SECRET_{number}")).collect();
    format!(
        "target: http://{address}\nsecrets: [ {} ]\nusers:\n  A:\n    order: sequence\n    tasks:\n{tasks}",
        names.join(", ")
    )
}

/// Every stream and file of a run in this folder, and of its comparison with a copy, is without these
/// secrets. All are in the folder, also what GitHub is given.
fn hides(folder: &Folder, said: Said, secrets: &[&str]) -> Vec<(String, String)> {
    fs::create_dir(folder.path().join("copied")).unwrap();
    let record = folder.path().join("copied/record.jsonl.gz");
    fs::copy(folder.path().join("out/record.jsonl.gz"), record).unwrap();
    let compared = folder.throng("compare out copied --html compare.html");
    assert!(compared.out.starts_with("Baseline: out"), "{}{}", compared.out, compared.err);
    let mut texts = vec![("stdout".to_owned(), said.out), ("stderr".to_owned(), said.err)];
    texts.push(("compare".to_owned(), compared.out + &compared.err));
    let named = |(path, bytes): (PathBuf, Vec<u8>)| {
        (path.display().to_string(), String::from_utf8(bytes).unwrap())
    };
    texts.extend(files(folder.path()).into_iter().map(named));
    for wanted in
        ["all.csv", "step.md", "compare.html", "copy.html", "record.jsonl.gz", "junit.xml"]
    {
        assert!(texts.iter().any(|(name, _)| name.ends_with(wanted)), "{wanted} is there");
    }
    for (name, text) in &texts {
        for secret in secrets.iter().flat_map(|secret| forms(secret)) {
            // In a page and in JSON each is written once more in another way.
            let json = serde_json::to_string(&secret).unwrap();
            let page = secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#x27;")
                .replace('/', "&#x2f;");
            for form in [&*secret, &json[1..json.len() - 1], &page, &page.replace("&#x2f;", "/")] {
                assert!(!text.contains(form), "{form} in {name}");
            }
        }
        let part = text.find("S3CRET").map(|at| &text[at.saturating_sub(60)..]);
        assert_eq!(part.map(|part| part.chars().take(90).collect::<String>()), None, "in {name}");
    }
    texts
}

/// As in a workflow of GitHub, with everything that can be written.
fn everything(folder: &Folder, line: &str, more: &[&str]) -> Command {
    let mut command = folder.command(line);
    command.args(["-t", "60s", "--out", "out", "--csv", "copy", "--html", "copy.html"]);
    command.args(["--csv-requests", "all.csv"]).args(more).env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_WORKSPACE", folder.path());
    command.env("GITHUB_STEP_SUMMARY", folder.path().join("step.md"));
    command
}

#[test]
fn planted_secrets_are_in_no_file_and_no_output() {
    let secrets = secrets();
    for half in [0..25, 25..50] {
        let part = secrets[half].to_vec();
        let told = part.clone();
        let address = serve(move |head, body| telling(head, body, &told));
        let folder = Folder::new();
        let plan = secretive_plan(address, &part);
        folder.file("plan.yaml", &format!("{plan}thresholds: [ requests > 100000 ]\n"));
        let mut command = everything(&folder, "run plan.yaml -u 1 -i 1", &[]);
        for (number, (source, secret)) in part.iter().enumerate() {
            // What is captured is a secret that only the server knows.
            let value = if source == "captured" { "none-of-this" } else { secret };
            command.env(format!("SECRET_{number}"), value);
        }
        let said = said(command.output().unwrap());
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        assert!(said.err.contains("::error"), "{}", said.err);
        let all: Vec<_> = part.iter().map(|(_, secret)| &**secret).collect();
        let texts = hides(&folder, said, &all);
        let evidence = &folder.json("out/summary.json")["evidence"];
        let shown = evidence["failed"].as_array().unwrap().len();
        assert_eq!(shown, 50, "each was there to be shown");
        assert!(texts.iter().any(|(name, text)| name == "stderr" && text.contains("***")));
    }
}

/// Fails, and says what it was told. All of that is kept.
fn saying_again() -> (SocketAddr, Arc<Mutex<String>>) {
    let heard = Arc::new(Mutex::new(String::new()));
    let all = heard.clone();
    let address = serve(move |head, body| {
        *all.lock().unwrap() += &format!("{head}\n{body}\n");
        let text = format!("{}\n{body}", head.replace("token", "t").replace("Key", "k"));
        let length = text.len();
        format!("HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}")
            .into_bytes()
    });
    (address, heard)
}

#[test]
fn secrets_that_a_command_line_names_are_in_no_file_and_no_output() {
    let secrets =
        ["Q-S3CRET-1%2b", "K-S3CRET-2", "P-S3CRET'3", "H-S3CRET-4", "B-S3CRET-5", "C-S3CRET-6"];
    let [query, key, password, header, bearer, cookie] = secrets;
    let json = serde_json::json!({ "user": "ann", "password": password }).to_string();
    for data in [format!("password={password}&x=1"), format!("x=1&password={password}"), json] {
        let (address, heard) = saying_again();
        let folder = Folder::new();
        let url = format!("http://{address}/fail?token={query}&page=2&api_key={key}");
        let headers = [
            format!("X-Api-Key: {header}"),
            format!("Authorization: Bearer {bearer}"),
            format!("Cookie: sid={cookie}"),
        ];
        let [first, second, third] = &headers;
        let more =
            [&*url, "--data", &data, "--header", first, "--header", second, "--header", third];
        let mut command = everything(&folder, "run -u 1 -n 3 --fail-on-error", &more);
        let said = said(command.output().unwrap());
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        hides(&folder, said, &secrets);
        let heard = heard.lock().unwrap();
        for secret in [query, key, header, bearer, cookie] {
            assert!(heard.contains(secret), "{secret} was not sent: {heard}");
        }
        assert!(heard.contains(&data), "{heard}");
        let name = "/fail?token=***&page=2&api_key=***";
        let summary = folder.json("out/summary.json");
        assert_eq!(summary["names"][0]["name"], name, "{summary:#}");
        for file in ["copy_stats.csv", "all.csv"] {
            assert!(folder.read(file).contains(name), "{}", folder.read(file));
        }
    }
}

#[test]
fn the_name_of_a_url_with_secrets_and_templates_is_no_template() {
    let (address, heard) = saying_again();
    let folder = Folder::new();
    let url = format!("http://{address}/?token=Q-S3CRET-1&page={{{{ user.iteration }}}}");
    let said = said(everything(&folder, "run -u 1 -n 2", &[&url]).output().unwrap());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    hides(&folder, said, &["Q-S3CRET-1"]);
    assert!(heard.lock().unwrap().contains("GET /?token=Q-S3CRET-1&page=1 "));
    let names = &folder.json("out/summary.json")["names"];
    assert_eq!(names[0]["name"], "/?token=***&page={ user.iteration }");
}

#[test]
fn variables_that_a_command_line_sets_are_hidden_by_their_names() {
    let (address, heard) = saying_again();
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        &format!(
            "target: http://{address}\nvars: {{ password: none, author: none }}\nusers:\n  A:\n    tasks:\n      a:\n        \
             steps:\n          - post: '/a/{{{{ password }}}}'\n            body: '{{{{ password }}}} of {{{{ author }}}}'\n          \
             - log: '{{{{ password }}}}'\nthresholds: [ requests > 100000 ]\n"
        ),
    );
    let more = ["--set", "password=P-S3CRET-1", "--set=author=ann-of-1"];
    let said = said(everything(&folder, "run plan.yaml -u 1 -i 2", &more).output().unwrap());
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let texts = hides(&folder, said, &["P-S3CRET-1"]);
    assert!(heard.lock().unwrap().contains("P-S3CRET-1 of ann-of-1"));
    let summary = texts.iter().find(|(name, _)| name.ends_with("out/summary.json")).unwrap();
    assert!(summary.1.contains("*** of ann-of-1"), "{}", summary.1);
}

#[test]
fn more_captured_secrets_than_can_be_hidden_everywhere_are_told_of() {
    let all: Vec<_> = (0..6_000).map(|number| format!("grant-S3CRET-{number}")).collect();
    let all = serde_json::to_string(&all).unwrap();
    let address = serve(move |head, _| {
        let (status, text) =
            if head.starts_with("GET /all") { ("200 OK", &*all) } else { ("500 No", head) };
        let length = text.len();
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}")
            .into_bytes()
    });
    let folder = Folder::new();
    folder.file(
        "plan.yaml",
        &format!(
            "target: http://{address}\nusers:\n  A:\n    tasks:\n      a:\n        steps:\n          - get: /all\n            \
             capture: {{ grants: {{ json: '$[*]', pick: all, secret: true }} }}\n          \
             - get: '/use/{{{{ grants[5999] }}}}'\n"
        ),
    );
    let said = said(everything(&folder, "run plan.yaml -u 1 -i 2", &[]).output().unwrap());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(said.err.matches("more secrets were captured than").count(), 1, "{}", said.err);
    hides(&folder, said, &[]);
}
