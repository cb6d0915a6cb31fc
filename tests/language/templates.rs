//! Names and functions in templates, how values are written where they stand, and their types.

use throng::protocol::fake::Reply;

use crate::support::*;

#[test]
fn the_names_of_user_and_run_are_known() {
    let plan = "vars: { project: 42 }
users:
  A: { wait: 1s, tasks: { a: { post: /a, json: { id: '{{ user.id }}', class: '{{ user.class }}', n: '{{ user.iteration }}', run: '{{ run.id }}', s: '{{ run.elapsed_s | round }}', p: '{{ project }}', e: '{{ env.STAGE }}', no: '{{ env.NO | default(\"-\") }}' } } } }
profiles: { only: { users: 2, hold: 1500ms } }
";
    let came = run(plan).variable("STAGE", "test").against(answers(1, 200, ""));
    let body = |id, n, s: &str| {
        format!(
            r#"{{"id":{id},"class":"A","n":{n},"run":"run","s":{s},"p":42,"e":"test","no":"-"}}"#
        )
    };
    let seen: Vec<String> = came.bodies().iter().map(|body| body.replace(".0,", ",")).collect();
    assert_eq!(seen, [body(1, 0, "0"), body(2, 0, "0"), body(1, 1, "1"), body(2, 1, "1")]);
}

#[test]
fn the_last_response_can_be_read_until_the_next_request() {
    let came = steps(
        "- get: /a
- post: /b
  json:
    status: '{{ response.status }}'
    header: \"{{ response.headers['x-one'] }}\"
    body: '{{ response.body }}'
    n: '{{ response.json.n }}'
    time: '{{ response.time_ms }}'
    size: '{{ response.size }}'
- post: /c
  json: '{{ response.status }}'",
    )
    .against(|_: &[u8], nth| {
        Reply::new(MS(40), Ok(200 + nth as u16)).header("X-One", "1").body(r#"{"n":[7]}"#)
    });
    let body: serde_json::Value = serde_json::from_str(&came.body(1)).unwrap();
    assert_eq!(
        body,
        serde_json::json!({ "status": 200, "header": "1", "body": "{\"n\":[7]}", "n": [7], "time": body["time"], "size": 9 })
    );
    assert!((body["time"].as_f64().unwrap() - 40.0).abs() < 1.5, "{body}");
    assert_eq!(came.body(2), "201");
}

#[test]
fn headers_see_the_request_that_they_are_part_of() {
    let came = steps(
        "- set: { id: 7 }
- post: /a/{{ id }}
  query: { q: 1 }
  headers:
    x-line: '{{ request.method }} {{ request.path }}'
    x-sign: \"{{ hmac_sha256('key', request.body) }}\"
    x-body: '{{ request.body }}'
  json: { id: '{{ id }}' }
- get: /b
  headers: { x-sign: \"[{{ request.body }}]\", x-line: '{{ request.method }}' }",
    )
    .well();
    assert_eq!(came.header(0, "x-line"), ["POST /a/7?q=1"]);
    assert_eq!(came.header(0, "x-body"), [r#"{"id":7}"#]);
    // printf '{"id":7}' | openssl dgst -sha256 -hmac key
    assert_eq!(came.header(0, "x-sign"), [HMAC]);
    assert_eq!(
        (came.header(1, "x-sign"), came.header(1, "x-line")),
        (vec!["[]".into()], vec!["GET".into()])
    );
}

const HMAC: &str = "d58e0d14e8dea9485fd865ae1d313a5e2c0e2bf87bb3d66dd75ff442d5ad0e2a";

#[test]
fn a_value_cannot_break_out_of_where_it_stands() {
    let value = "a b/c?d&e=f#g%h\"'é+";
    let came = steps(&format!(
        "- set: {{ x: {} }}
- get: /p/{{{{ x }}}}
- {{ get: /q, query: {{ q: '{{{{ x }}}}' }} }}
- {{ post: /f, form: {{ q: '{{{{ x }}}}' }} }}
- {{ get: /h, headers: {{ x-h: '{{{{ x }}}}' }} }}
- {{ post: /j, json: {{ q: 'v {{{{ x }}}}', r: '{{{{ x }}}}' }} }}
- {{ get: '/u/{{{{ urlencode(x) }}}}', name: u }}",
        serde_json::to_string(value).unwrap()
    ))
    .well();
    assert_eq!(came.paths()[0], "/p/a%20b/c?d&e=f%23g%h%22'%C3%A9+");
    assert_eq!(came.paths()[1], "/q?q=a%20b%2Fc%3Fd%26e%3Df%23g%25h%22%27%C3%A9%2B");
    assert_eq!(came.body(2), "q=a+b%2Fc%3Fd%26e%3Df%23g%25h%22%27%C3%A9%2B");
    assert_eq!(came.header(3, "x-h"), [value]);
    let json: serde_json::Value = serde_json::from_str(&came.body(4)).unwrap();
    assert_eq!(json, serde_json::json!({ "q": format!("v {value}"), "r": value }));
    assert_eq!(came.paths()[5], "/u/a%20b%2Fc%3Fd%26e%3Df%23g%25h%22%27%C3%A9%2B");
    came.all_well();
}

#[test]
fn a_template_alone_keeps_its_type_and_text_prints_as_json_does() {
    let came = twins(
        "users:
  U:
    wait: 9s
    tasks:
      all:
        steps:
          - set: { i: 5, f: 1.5, t: true, n: null, l: [1, a], m: { k: v }, s: '5' }
          - post: /a
            json: [ '{{ i }}', '{{ f }}', '{{ t }}', '{{ n }}', '{{ l }}', '{{ m }}', '{{ s }}', ' {{ i }}', '{{ t }}/{{ n }}', '{{ l }}{{ m }}', '{{ s | int + 1 }}', '{{ i > 3 and not t }}' ]
profiles: { only: { users: 1, hold: 1s } }
",
        "[users.U]
wait = \"9s\"
[users.U.tasks.all]
steps = [
  { set = { i = 5, f = 1.5, t = true, n = \"{{ none }}\", l = [1, \"a\"], m = { k = \"v\" }, s = \"5\" } },
  { post = \"/a\", json = [\"{{ i }}\", \"{{ f }}\", \"{{ t }}\", \"{{ n }}\", \"{{ l }}\", \"{{ m }}\", \"{{ s }}\", \" {{ i }}\", \"{{ t }}/{{ n }}\", \"{{ l }}{{ m }}\", \"{{ s | int + 1 }}\", \"{{ i > 3 and not t }}\"] },
]
[profiles]
only = { users = 1, hold = \"1s\" }
",
        |_, _| status(200, ""),
    );
    assert_eq!(
        came.body(0),
        r#"[5,1.5,true,null,[1,"a"],{"k":"v"},"5"," 5","true/null","[1,\"a\"]{\"k\":\"v\"}",6,false]"#
    );
}

#[test]
fn only_double_braces_are_live_in_text() {
    let came = steps("- { post: /a, body: '{% if x %} {# no #} { } }} {{ 1 }}' }").well();
    assert_eq!(came.body(0), "{% if x %} {# no #} { } }} 1");
}

#[test]
fn every_function_gives_what_it_says() {
    let came = keys(
        "wait: 1s
tasks:
  all:
    post: /a
    json:
      randint: '{{ randint(1, 3) }}'
      randfloat: '{{ randfloat(0, 2) }}'
      choice: \"{{ choice(['a', 'b']) }}\"
      sample: '{{ sample([1, 2, 3], 2) }}'
      uuid: '{{ uuid() }}'
      now: '{{ now() }}'
      s: '{{ timestamp() }}'
      ms: '{{ timestamp_ms() }}'
      hex: '{{ hex(8) }}'
      letters: '{{ letters(5) }}'
      counter: \"{{ counter('c') }}\"
      base64: \"{{ base64('hi') }}\"
      sha256: \"{{ sha256('') }}\"
      urlencode: \"{{ urlencode('a b') }}\"
      json: '{{ json({\"a\": [1]}) }}'
      name: '{{ fake.name() }}'
      email: '{{ fake.email() }}'
      sentence: '{{ fake.sentence() }}'",
    )
    .times(60)
    .well();
    came.all_well();
    let all: Vec<serde_json::Value> =
        came.bodies().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let mut seen: [std::collections::BTreeSet<String>; 3] = Default::default();
    for (nth, one) in all.iter().enumerate() {
        let text =
            |key: &str| one[key].as_str().unwrap_or_else(|| panic!("{key}: {one}")).to_owned();
        assert!((1..=3).contains(&one["randint"].as_i64().unwrap()));
        assert!((0.0..2.0).contains(&one["randfloat"].as_f64().unwrap()));
        let sample = one["sample"].as_array().unwrap();
        assert!(sample.len() == 2 && sample[0] != sample[1], "{one}");
        let uuid = text("uuid");
        assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid}");
        assert!(text("now").starts_with("1970-01-01T00:0") && text("now").ends_with('Z'), "{one}");
        assert_eq!(one["s"].as_i64().unwrap(), one["ms"].as_i64().unwrap() / 1000);
        assert!(text("hex").len() == 8 && text("hex").bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(
            text("letters").len() == 5
                && text("letters").bytes().all(|byte| byte.is_ascii_alphabetic())
        );
        assert_eq!(one["counter"], nth as i64 + 1);
        assert_eq!(text("base64"), "aGk=");
        assert_eq!(
            text("sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!((text("urlencode").as_str(), text("json").as_str()), ("a%20b", r#"{"a":[1]}"#));
        assert!(
            text("email").contains('@') && text("name").contains(' ') && text("sentence").len() > 5,
            "{one}"
        );
        for (set, key) in seen.iter_mut().zip(["randint", "choice", "uuid"]) {
            set.insert(one[key].to_string());
        }
    }
    assert_eq!(seen.map(|set| set.len()), [3, 2, 60]);
}

#[test]
fn a_counter_is_unique_over_all_users_and_classes() {
    let plan = "users:
  A: { wait: 1s, tasks: { a: { get: \"/{{ counter('x') }}\", name: a } } }
  B: { wait: 1s, tasks: { b: { get: \"/{{ counter('x') }}\", name: b } } }
profiles: { only: { users: 6, hold: 3500ms } }
";
    let came = Run { workers: 3, ..run(plan) }.well();
    let mut numbers: Vec<u32> =
        came.paths().iter().map(|path| path[1..].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
}

#[test]
fn a_name_that_is_assigned_nowhere_is_a_mistake_and_one_not_yet_an_exception() {
    assert_eq!(steps("- get: /a/{{ nowhere }}").mistakes().len(), 1);
    assert_eq!(steps("- { get: /a, when: nowhere }").mistakes().len(), 1);
    let came = keys("wait: 1s\ntasks:\n  all:\n    steps:\n      - { get: /a, when: later }\n      - get: /a/{{ later }}\n      - set: { later: 1 }").well();
    assert_eq!(came.sent.len(), 0);
    assert_eq!(came.exceptions().len(), 1);
    assert!(came.exceptions()[0].0.contains("later"), "{:?}", came.exceptions());
}

#[test]
fn unknown_functions_filters_and_words_are_mistakes() {
    for text in [
        "{{ rand(1) }}",
        "{{ 1 | upperr }}",
        "{{ user.nme }}",
        "{{ fake.nme() }}",
        "{{ response.stauts }}",
        "{{ 1 + }}",
    ] {
        assert_eq!(
            steps(&format!("- {{ post: /a, body: '{text}' }}")).mistakes().len(),
            1,
            "{text}"
        );
    }
}
