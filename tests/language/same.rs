//! The same plan and seed give each user the same requests, whatever the number of workers.

use std::collections::BTreeMap;

use throng::protocol::fake::Reply;

use crate::support::*;

/// All that draws: rows that users hold, waits, tasks, chains, choices, chances, picks, functions, files, shuffles.
const RICH: &str = "data:
  seats: { values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20], per: user, order: shuffle }
flows:
  refresh: { steps: [ { post: /refresh, name: refresh, headers: { x-user: '{{ user.id }}' }, json: { n: '{{ randint(1, 1000000) }}' }, capture: { token: $.token } } ] }
defaults: { headers: { x-user: '{{ user.id }}', x-class: '{{ user.class }}' } }
users:
  Buyer:
    weight: 3
    order: chain
    wait: 1s..3s
    on_start: [ { post: /login, json: { u: '{{ hex(8) }}', seat: '{{ seats }}' }, capture: { token: $.token } } ]
    tasks:
      home: { get: '/home/{{ letters(4) }}', name: home, next: { list: 80, exit: 20 } }
      list: { get: /list, capture: { id: { json: '$.ids[*]', pick: random } }, next: { detail: 60, home: 10, exit: 30 } }
      detail: { get: '/d/{{ id }}', name: d, next: { list: 50, exit: 50 } }
  Writer:
    weight: 2
    wait: { exponential: 2s }
    tasks:
      write:
        weight: 3
        steps:
          - set: { x: '{{ randfloat(0, 1) }}', s: '{{ sample([1, 2, 3, 4], 2) }}' }
          - post: /w
            json: { x: '{{ x }}', s: '{{ s }}', u: '{{ uuid() }}', f: '{{ fake.name() }}', t: '{{ fake.sentence() }}' }
            capture: { ids: { json: '$.ids[*]', pick: random, push: true } }
          - chance: 40%
            post: /m
            multipart: { a: { file: [a.txt, b.txt] }, b: '{{ choice(ids) }}' }
          - choose:
              - { weight: 2, do: { get: /x } }
              - { do: [ { get: /y }, { wait: 100ms..900ms } ] }
      try:
        when: ids
        get: '/t/{{ choice(ids) }}'
        name: t
        retry: { status: 503, times: 2, wait: 300ms, first: { call: refresh } }
  Shuffler:
    fixed: 2
    order: shuffle
    wait: { normal: 1s, stddev: 300ms }
    tasks:
      a: { get: '/a/{{ seats }}/{{ randint(1, 1000000) }}', name: a }
      b: { get: /b }
      c:
        steps:
          - parallel: [ { get: '/p/{{ randint(1, 1000) }}', name: p }, { get: /q, capture: { z: { json: '$.ids[*]', pick: random } } }, { get: /r } ]
          - { post: /z, json: '{{ z }}' }
profiles: { only: { stages: [ { users: 9, over: 5s, hold: 20s }, { users: 4, hold: 10s }, { users: 11, over: 2s, hold: 10s } ] } }
";

/// Answers by the request alone, so that who comes first changes nothing.
fn script(bytes: &[u8], _: u64) -> Reply {
    let sum =
        bytes.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let busy = bytes.starts_with(b"GET /t/") && sum.is_multiple_of(3);
    Reply::new(MS(5 + sum % 200), Ok(if busy { 503 } else { 200 })).body(format!(
        r#"{{"ids":[{},{},{}],"token":"t{}"}}"#,
        sum % 97,
        sum % 89,
        sum % 83,
        sum % 1000
    ))
}

/// Of each user (class and number), what it sent and when.
fn by_user(workers: usize, seed: u64) -> BTreeMap<String, Vec<(u128, String)>> {
    let folder = files(&[("a.txt", "A"), ("b.txt", "B")]);
    let came = Run { workers, seed: Some(seed), ..run(RICH) }.within(folder.path()).against(script);
    assert!(came.exceptions().is_empty(), "{:?}", came.exceptions());
    came.counts();
    let mut users: BTreeMap<String, Vec<(u128, String)>> = BTreeMap::new();
    for (nth, (at, text)) in came.times().into_iter().zip(came.texts()).enumerate() {
        let who = format!(
            "{}/{}",
            came.header(nth, "x-class").join(""),
            came.header(nth, "x-user").join("")
        );
        users.entry(who).or_default().push((at, text));
    }
    users
}

#[test]
fn each_user_sends_the_same_whatever_the_number_of_workers() {
    let one = by_user(1, 1);
    assert!(one.len() >= 11, "{:?}", one.keys());
    assert!(one.values().map(Vec::len).sum::<usize>() > 200);
    for workers in [2, 3, 8] {
        let other = by_user(workers, 1);
        assert_eq!(other.keys().collect::<Vec<_>>(), one.keys().collect::<Vec<_>>());
        for (user, sent) in &one {
            assert!(other[user] == *sent, "{user} with {workers} workers");
        }
    }
    let another = by_user(1, 2);
    assert!(one.iter().all(|(user, sent)| another.get(user) != Some(sent)), "another seed");
}

/// Users that come at once, go, and come again; rows that are read before them, and too few of others.
const HELD: &str = "data:
  few: { values: [1, 2, 3, 4, 5], per: user, at_end: recycle }
  own: { values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26], per: user, order: shuffle }
before: [ { get: '/before/{{ few }}/{{ own }}', name: before } ]
users:
  A:
    weight: 2
    wait: 500ms
    tasks: { a: { get: '/{{ few }}/{{ own }}', name: a, headers: { x-user: '{{ user.id }}' } } }
  B:
    wait: 500ms
    tasks: { b: { get: '/b/{{ few }}', name: b, headers: { x-user: '{{ user.id }}' } } }
profiles: { only: { stages: [ { users: 16, hold: 3s }, { users: 2, hold: 3s }, { users: 26, hold: 3s } ] } }
";

#[test]
fn each_user_holds_the_same_rows_whatever_the_number_of_workers() {
    let paths = |workers: usize| {
        let came = Run { workers, ..run(HELD) }.against(answers(20, 200, ""));
        assert!(came.exceptions().is_empty(), "{:?}", came.exceptions());
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        for (nth, text) in came.texts().into_iter().enumerate() {
            let line = text.lines().next().unwrap_or_default().to_owned();
            let user = came.header(nth, "x-user").join("");
            let known = users.entry(user.clone()).or_insert_with(|| line.clone());
            assert_eq!(*known, line, "user {user} keeps its rows");
        }
        users
    };
    let one = paths(1);
    // 16 users, 24 more, and what runs before them.
    assert_eq!(one.len(), 41);
    let own = one.values().filter(|line| !line.contains("/b"));
    assert!(own.clone().count() > 20, "{one:?}");
    for workers in [2, 3, 8] {
        assert_eq!(paths(workers), one, "{workers} workers");
    }
}
