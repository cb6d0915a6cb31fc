//! Owns the tests of the whole room: files as users write them.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;

use super::rows::Limits;
use super::*;
use crate::expr::Value;
use crate::random::Stream;

/// A file that goes with its folder.
struct Kept {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    Kept { _folder: folder, path }
}

fn definition(from: From) -> Definition {
    Definition {
        name: "accounts".to_owned(),
        from,
        order: Order::default(),
        per: Per::default(),
        at_end: AtEnd::Stop,
    }
}

/// Rows 0, 1, 2, …, as numbers.
fn numbers(count: i64, order: Order, at_end: AtEnd, seed: u64) -> Arc<Source> {
    let from = From::Values((0..count).map(Value::Int).collect());
    let definition = Definition { order, at_end, ..definition(from) };
    Arc::new(Source::open(&definition, seed).unwrap())
}

fn stream() -> Stream {
    Stream::new(1, 0, 0)
}

fn number(row: &Value) -> i64 {
    let Value::Int(number) = row else { panic!("{row:?} is a number") };
    *number
}

fn draw(source: &Source, count: usize) -> Vec<i64> {
    let mut random = stream();
    (0..count).map(|_| number(&source.draw(&mut random).unwrap())).collect()
}

/// Nothing is held, and blocks are of a few rows.
fn tiny() -> Limits {
    Limits { held: 0, block: 40, ..Limits::default() }
}

/// All rows as JSON, each from memory and from the file; they must be the same.
fn all(from: &From) -> Vec<String> {
    let read = |limits: &Limits, order: Order| {
        let source =
            Source::within(&Definition { order, ..definition(from.clone()) }, 7, limits).unwrap();
        let mut random = stream();
        (0..source.rows()).map(|_| json(&source.draw(&mut random).unwrap())).collect::<Vec<_>>()
    };
    for order in [Order::Sequence, Order::Shuffle, Order::Random] {
        assert_eq!(read(&Limits::default(), order), read(&tiny(), order), "{order:?}");
        let few = Limits { values: 500, ..tiny() };
        let few = Limits { held: 1 << 20, ..few };
        assert_eq!(read(&Limits::default(), order), read(&few, order), "{order:?}");
    }
    read(&Limits::default(), Order::Sequence)
}

fn json(value: &Value) -> String {
    let mut out = Vec::new();
    value.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

fn mistake(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let kept = file(name, bytes);
    let error = Source::open(&definition(From::file(&kept.path)), 1).unwrap_err();
    // It must not depend on how much is held.
    let small = Source::within(&definition(From::file(&kept.path)), 1, &tiny());
    assert_eq!(small.unwrap_err(), error);
    error.to_string()
}

#[test]
fn csv_is_read_as_programs_write_it() {
    let quoted = "name,text\r\nkim,\"a, \"\"b\"\"\r\nc\"\r\n\r\n이,\r\n";
    let want = [r#"{"name":"kim","text":"a, \"b\"\r\nc"}"#, r#"{"name":"이","text":""}"#];
    for text in [quoted.to_owned(), format!("\u{feff}{quoted}"), quoted.trim_end().to_owned()] {
        assert_eq!(all(&From::file(&file("a.csv", text).path)), want);
    }
    // Blank lines anywhere, a header with spaces, no line end after the last row.
    let kept = file("a.csv", "\n  \nname, text\n\na,b\n \n\nc, d");
    let want = [r#"{"name":"a","text":"b"}"#, r#"{"name":"c","text":" d"}"#];
    assert_eq!(all(&From::file(&kept.path)), want);
    let source = Source::open(&definition(From::file(&kept.path)), 1).unwrap();
    assert_eq!(source.columns().unwrap(), ["name", "text"]);
    assert!(source.is_text());
    assert_eq!((source.rows(), source.name()), (2, "accounts"));
}

/// The mark is no part of the first cell, and the same character is one anywhere else.
#[test]
fn only_the_mark_at_the_start_of_a_file_is_left_out() {
    let long = "x".repeat(50);
    let kept = file("a.csv", format!("\u{feff}{long}\n\u{feff}{long}\n\u{feff}b\n"));
    let from = From::File {
        path: kept.path.clone(),
        format: None,
        header: false,
        delimiter: None,
        columns: None,
    };
    let want = [long.clone(), format!("\u{feff}{long}"), "\u{feff}b".to_owned()];
    assert_eq!(all(&from), want.map(|cell| format!("[\"{cell}\"]")));
}

#[test]
fn workers_share_a_source() {
    fn shared<T: Send + Sync>() {}
    shared::<Source>();
    shared::<Lease>();
}

#[test]
fn cells_stay_text() {
    let kept = file("zips.csv", "zip,flag\n01234,true\n1.10,\n");
    assert_eq!(
        all(&From::file(&kept.path)),
        [r#"{"zip":"01234","flag":"true"}"#, r#"{"zip":"1.10","flag":""}"#]
    );
}

#[test]
fn the_delimiter_is_guessed_from_the_first_line() {
    for (text, want) in [
        ("a;b\n1,5;2\n", r#"{"a":"1,5","b":"2"}"#),
        ("a\tb\n1\t2\n", r#"{"a":"1","b":"2"}"#),
        ("a|b|c\n1|2|3\n", r#"{"a":"1","b":"2","c":"3"}"#),
        ("\"a;b;c\",b\n1,2\n", r#"{"a;b;c":"1","b":"2"}"#),
        ("a\n1\n", r#"{"a":"1"}"#),
    ] {
        assert_eq!(all(&From::file(&file("a.csv", text).path)), [want]);
    }
}

#[test]
fn a_plan_says_what_a_file_does_not() {
    let kept = file("a.txt", "1.2\n3.4\n");
    let with = |header, columns: Option<&[&str]>| From::File {
        path: kept.path.clone(),
        format: Some(Format::Csv),
        header,
        delimiter: Some(b'.'),
        columns: columns.map(|names| names.iter().map(ToString::to_string).collect()),
    };
    assert_eq!(all(&with(true, None)), [r#"{"1":"3","2":"4"}"#]);
    assert_eq!(all(&with(false, None)), [r#"["1","2"]"#, r#"["3","4"]"#]);
    let named = [r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#];
    assert_eq!(all(&with(false, Some(&["a", "b"]))), named);
    assert_eq!(all(&with(true, Some(&["a", "b"]))), named[1..]);
    let lists = Source::open(&definition(with(false, None)), 1).unwrap();
    assert_eq!((lists.columns(), lists.is_text()), (None, true));
    let few = Source::open(&definition(with(false, Some(&["a"]))), 1).unwrap_err();
    assert_eq!(few.title, "`a.txt` has 2 columns and not 1");
    let quote = From::File {
        path: kept.path.clone(),
        format: Some(Format::Csv),
        header: true,
        delimiter: Some(b'"'),
        columns: None,
    };
    let quote = Source::open(&definition(quote), 1).unwrap_err();
    assert_eq!(quote.title, "'\"' cannot stand between cells");
}

#[test]
fn every_way_to_be_no_table_is_said_with_its_place() {
    let text = [
        ("a.csv", "a,b\n1,2\n\n\n3\n"),
        ("a.csv", "a,b\r\n1,2\r\n\r\n3,4,5\r\n"),
        ("a.csv", "a,b\n1,\"2\n3\",4\n"),
        ("a.csv", "a\n1,2\n"),
        ("a.csv", "a,b\n1,\"2\n3,4\n"),
        ("a.csv", "a\n\""),
        ("a.csv", "a,b,a\n1,2,3\n"),
        ("a.csv", "a,,b\n1,2,3\n"),
        ("a.csv", "a,b\n"),
        ("a.csv", ""),
        ("a.csv", "\n \n"),
        ("a.xlsx", "PK"),
        ("a.json", "[{\"a\": 1},\n {\"a\": }]"),
        ("a.json", "{\"a\": 1}\n{\"a\": 2}\n"),
        ("a.json", "{\"a\": [1]}"),
        ("a.json", "[]"),
        ("a.json", "[1, 2"),
        ("a.json", "[{\"a\": 1}, {\"b\": 1, \"b\": 2}]"),
        ("a.jsonl", "{\"a\": 1}\n\n{\"a\": 2\n"),
        ("a.jsonl", "[\n1\n]\n"),
        ("a.jsonl", "{\"a\": 1, \"a\": 2}\n"),
        ("a.jsonl", "\n\n"),
    ];
    let mut said: Vec<_> = text.iter().map(|(name, text)| mistake(name, text)).collect();
    said.push(mistake("a.csv", b"a,b\n1,2\nk\xe9,3\n"));
    said.push(mistake("a.csv", b"a,b\n1,2\n\xec\x9d,\xb4\n"));
    said.push(mistake("a.csv", b"\xff\xfea\0,\0b\0\n\0"));
    said.push(mistake("a.json", b"[1,\n\"\xe9\"]"));
    said.push(mistake("a.jsonl", b"1\n\n\"\xe9\"\n"));
    insta::assert_snapshot!(said.join("\n"), @r#"
    row 2 of `a.csv` (line 5) has 1 cell and not 2: give each row as many cells as the first line; a cell with the delimiter in it stands in `"`
    row 2 of `a.csv` (line 4) has 3 cells and not 2: give each row as many cells as the first line; a cell with the delimiter in it stands in `"`
    row 1 of `a.csv` (line 2) has 3 cells and not 2: it reaches over several lines: look for a `"` that is not closed
    row 1 of `a.csv` (line 2) has 2 cells and not 1: say what stands between cells with `delimiter`, or put the cell in `"`
    a `"` is not closed in the row at line 2 of `a.csv`: close it; a `"` within a quoted cell is written twice
    a `"` is not closed in the row at line 2 of `a.csv`: close it; a `"` within a quoted cell is written twice
    `a.csv` has two columns `a`: mend the first line, or name the columns with `columns`
    column 2 of `a.csv` has no name: mend the first line, or name the columns with `columns`
    `a.csv` has no rows: give it at least one
    `a.csv` is empty: give it at least one row
    `a.csv` has no rows: give it at least one
    the ending of `a.xlsx` does not say how it is written: add `format: csv`, `json` or `jsonl`
    `a.json` is not JSON at 2:8: expected value: mend it there
    `a.json` is not JSON at 2:1: trailing characters: one array is the whole file; for one value a line say `format: jsonl`
    `a.json` holds an object and not a list of rows: write `[row, row, …]`
    `a.json` has no rows: give it at least one
    `a.json` is not JSON at 1:5: EOF while parsing a list: mend it there
    row 2 of `a.json` has `b` twice: leave one out
    `a.jsonl` is not JSON at 3:7: EOF while parsing an object: each line is one whole value; for one array over several lines say `format: json`
    `a.jsonl` is not JSON at 1:1: EOF while parsing a list: each line is one whole value; for one array over several lines say `format: json`
    row 1 of `a.jsonl` has `a` twice: leave one out
    `a.jsonl` has no rows: give it at least one
    `a.csv` is not UTF-8: line 3 holds other bytes: save it as UTF-8
    `a.csv` is not UTF-8: line 3 holds other bytes: save it as UTF-8
    `a.csv` is UTF-16, not UTF-8: save it as UTF-8
    `a.json` is not UTF-8: line 2 holds other bytes: save it as UTF-8
    `a.jsonl` is not UTF-8: line 3 holds other bytes: save it as UTF-8
    "#);
}

#[test]
fn what_is_no_file_is_said() {
    let kept = file("a.csv", "a\n1\n");
    let open =
        |path: PathBuf| Source::open(&definition(From::file(path)), 1).unwrap_err().to_string();
    let folder = kept.path.parent().unwrap().join("b.csv");
    let missing = open(folder.clone());
    assert_eq!(missing, "cannot read `b.csv`: there is no such file: check the path");
    fs::create_dir(&folder).unwrap();
    assert_eq!(open(folder), "`b.csv` is a folder: name a file in it");
    let none = definition(From::Values(Vec::new()));
    assert_eq!(Source::open(&none, 1).unwrap_err().title, "`accounts` has no rows");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let limits = Limits { row: 1 << 20, json: 1 << 20, ..Limits::default() };
    let long = "x".repeat(3 << 20);
    let open = |name: &str, text: String| {
        let kept = file(name, text);
        Source::within(&definition(From::file(&kept.path)), 1, &limits).unwrap_err().to_string()
    };
    assert_eq!(
        open("a.csv", format!("a,b\n1,2\n3,\"{long}\n")),
        "the row at line 3 of `a.csv` is longer than 1 MiB: look for a `\"` that is not closed"
    );
    assert_eq!(
        open("a.jsonl", format!("1\n\"{long}\"\n")),
        "line 2 of `a.jsonl` is longer than 1 MiB: write one value a line"
    );
    assert_eq!(
        open("a.json", format!("[\"{long}\"]")),
        "`a.json` is larger than 1 MiB: write it as JSON Lines (`.jsonl`, one row a line), of which \
         only parts are held"
    );
}

#[test]
fn json_keeps_its_types_and_the_order_of_its_keys() {
    let rows = [
        "{\"b\":1,\"a\":null}",
        "{\"a\":[true],\"b\":1.5}",
        "{\"b\":\"x\",\"a\":{\"z\":1,\"y\":2}}",
    ];
    let array = file("a.json", format!("\u{feff} [{}]\n", rows.join(" ,\n")));
    let lines = file("a.jsonl", format!("\u{feff}\n{}\r\n", rows.join("\r\n \r\n")));
    for path in [&array.path, &lines.path] {
        assert_eq!(all(&From::file(path)), rows);
        let source = Source::open(&definition(From::file(path)), 1).unwrap();
        assert_eq!(source.columns().unwrap(), ["b", "a"]);
        assert!(!source.is_text());
    }
}

#[test]
fn rows_that_differ_have_no_columns() {
    for text in [
        "[1, 2]",
        "[{\"a\":1},{\"b\":1}]",
        "[{\"a\":1},{\"a\":1,\"b\":1}]",
        "[{\"a\":1},2]",
        "[2,{\"a\":1}]",
    ] {
        let kept = file("a.json", text);
        let source = Source::open(&definition(From::file(&kept.path)), 1).unwrap();
        assert_eq!(source.columns(), None, "{text}");
    }
}

#[test]
fn a_file_that_changes_under_the_run_is_an_error_and_not_a_crash() {
    let text = format!("a,b\n{}", "12345,67890\n".repeat(50));
    type Harm = fn(&PathBuf);
    let harms: [Harm; 3] = [
        |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(100).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| {
            let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"1,2\n").unwrap();
        },
    ];
    for harm in harms {
        for order in [Order::Sequence, Order::Shuffle, Order::Random] {
            let kept = file("a.csv", &text);
            let from = From::file(&kept.path);
            let definition = Definition { order, at_end: AtEnd::Recycle, ..definition(from) };
            let source = Arc::new(Source::within(&definition, 1, &tiny()).unwrap());
            harm(&kept.path);
            let want =
                Ended::Broken("accounts".into(), "`a.csv` was changed during the run".into());
            let mut random = stream();
            for _ in 0..60 {
                assert_eq!(source.draw(&mut random).unwrap_err(), want);
                assert_eq!(source.lease(None).unwrap_err(), want);
            }
            assert_eq!(
                want.to_string(),
                "cannot read a row of `accounts`: `a.csv` was changed during the run"
            );
        }
    }
}

#[test]
fn bytes_that_change_without_a_trace_are_an_error_when_they_are_no_row() {
    let kept = file("a.csv", format!("a,b\n{}", "1,2\n".repeat(50)));
    let time = fs::metadata(&kept.path).unwrap().modified().unwrap();
    let source = Source::within(&definition(From::file(&kept.path)), 1, &tiny()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&kept.path).unwrap();
    (&file).write_all(&[b'x'; 204]).unwrap();
    file.set_modified(time).unwrap();
    assert!(matches!(source.draw(&mut stream()), Err(Ended::Broken(..))));
}

#[test]
fn a_sequence_is_shared_by_all_and_ends_as_the_plan_says() {
    let source = numbers(3, Order::Sequence, AtEnd::Recycle, 1);
    assert_eq!(draw(&source, 7), [0, 1, 2, 0, 1, 2, 0]);
    for (at_end, ended) in [
        (AtEnd::Stop, Ended::Stop("accounts".into())),
        (AtEnd::Fail, Ended::Fail("accounts".into())),
    ] {
        let source = numbers(2, Order::Sequence, at_end, 1);
        assert_eq!(draw(&source, 2), [0, 1]);
        assert_eq!(source.draw(&mut stream()), Err(ended.clone()));
        assert_eq!(source.draw(&mut stream()), Err(ended));
    }
}

#[test]
fn no_row_is_drawn_twice_in_a_pass_by_many_threads() {
    let text: String = (0..1_000).map(|number| format!("{number}\n")).collect();
    let kept = file("a.jsonl", text);
    for order in [Order::Sequence, Order::Shuffle] {
        for limits in [tiny(), Limits::default()] {
            let definition = Definition { order, ..definition(From::file(&kept.path)) };
            let source = Source::within(&definition, 1, &limits).unwrap();
            let mut drawn = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|| {
                            let mut random = stream();
                            std::iter::from_fn(|| source.draw(&mut random).ok())
                                .map(|row| number(&row))
                                .collect::<Vec<_>>()
                        })
                    })
                    .collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            drawn.sort_unstable();
            assert_eq!(drawn, (0..1_000).collect::<Vec<_>>());
        }
    }
}

/// Law 9: all randomness comes from the run's seed.
#[test]
fn a_shuffle_comes_from_the_seed_and_each_pass_is_another() {
    let drawn = |seed| draw(&numbers(50, Order::Shuffle, AtEnd::Recycle, seed), 100);
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let (first, second) = (drawn(1)[..50].to_vec(), drawn(1)[50..].to_vec());
    assert_ne!(first, second);
    for mut pass in [first, second] {
        pass.sort_unstable();
        assert_eq!(pass, (0..50).collect::<Vec<_>>());
    }
}

#[test]
fn two_shuffles_of_as_many_rows_do_not_go_together() {
    let named = |name: &str| {
        let from = From::Values((0..50).map(Value::Int).collect());
        let definition =
            Definition { name: name.into(), order: Order::Shuffle, ..definition(from) };
        draw(&Source::open(&definition, 1).unwrap(), 50)
    };
    assert_ne!(named("buyers"), named("products"));
}

#[test]
fn random_rows_come_from_the_stream_of_the_user_and_never_end() {
    let source = numbers(10, Order::Random, AtEnd::Fail, 1);
    let drawn = draw(&source, 1_000);
    assert_eq!(drawn, draw(&source, 1_000));
    assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 10);
}

#[test]
fn a_row_is_held_by_one_living_user_and_reused_after_the_fresh_ones() {
    let source = numbers(4, Order::Sequence, AtEnd::Fail, 1);
    let lease = || source.lease(None).map(|lease| (number(&lease.row), lease));
    let (one, first) = lease().unwrap();
    let (two, _second) = lease().unwrap();
    drop(first);
    let (three, third) = lease().unwrap();
    let (four, _fourth) = lease().unwrap();
    let (again, _again) = lease().unwrap();
    assert_eq!([one, two, three, four, again], [0, 1, 2, 3, 0]);
    assert_eq!(lease().unwrap_err(), Ended::Fail("accounts".into()));
    drop(third);
    assert_eq!(lease().unwrap().0, 2);
}

#[test]
fn users_share_rows_only_when_they_may_and_all_rows_alike() {
    for order in [Order::Sequence, Order::Shuffle, Order::Random] {
        let source = numbers(3, order, AtEnd::Recycle, 1);
        let held: Vec<_> = (0..6).map(|_| source.lease(None).unwrap()).collect();
        let mut rows: Vec<_> = held.iter().map(|lease| number(&lease.row)).collect();
        rows.sort_unstable();
        assert_eq!(rows, [0, 0, 1, 1, 2, 2]);
        // It is free when the last that shares it has gone.
        let mut held = held;
        let row = number(&held[0].row);
        held.retain(|lease| number(&lease.row) != row);
        let next = source.lease(None).unwrap();
        assert_eq!(number(&next.row), row);
    }
}

/// How much memory the rows of a large file need, and how long they take. It writes 2 GiB, so it is
/// run by hand: `cargo test --release --lib data::tests::two_gibibytes -- --ignored --nocapture`
#[test]
#[ignore = "writes 2 GiB"]
fn two_gibibytes_are_drawn_from_in_bounded_memory() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tmp");
    fs::create_dir_all(&folder).unwrap();
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("large.csv");
    let mut out = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    let (mut written, mut row) = (0, 0_u64);
    writeln!(out, "id,name,mail,note").unwrap();
    while written < 2 << 30 {
        let line = format!("{row},user {row},user{row}@example.test,\"a, {row}\"\n");
        out.write_all(line.as_bytes()).unwrap();
        (written, row) = (written + line.len(), row + 1);
    }
    out.into_inner().unwrap().sync_all().unwrap();
    for order in [Order::Sequence, Order::Shuffle, Order::Random] {
        let definition = Definition { order, ..definition(From::file(&path)) };
        let begun = Instant::now();
        let source = Source::open(&definition, 1).unwrap();
        let opened = begun.elapsed();
        assert_eq!(source.rows(), row);
        let (mut random, begun) = (stream(), Instant::now());
        for _ in 0..100_000 {
            std::hint::black_box(source.draw(&mut random).unwrap());
        }
        let each = begun.elapsed() / 100_000;
        let peak = peak_kib();
        println!("{order:?}: {row} rows, opened in {opened:?}, {each:?} a draw, peak {peak} KiB");
        assert!(peak < 128 << 10);
    }
}

/// `cargo test --release --lib data::tests::rows_that_are_held -- --ignored --nocapture`
#[test]
#[ignore = "takes times"]
fn rows_that_are_held_are_drawn_in_no_time() {
    for count in [1_000, 100_000, 1_000_000] {
        for order in [Order::Sequence, Order::Shuffle, Order::Random] {
            let source = numbers(count, order, AtEnd::Recycle, 1);
            let (mut random, begun) = (stream(), Instant::now());
            for _ in 0..10_000_000 {
                std::hint::black_box(source.draw(&mut random).unwrap());
            }
            println!("{order:?} of {count} rows: {:?} a draw", begun.elapsed() / 10_000_000);
        }
    }
}

/// The most memory that this process has had.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_holds_a_row_of_another(
        count in 1i64..12,
        order in proptest::sample::select(&[Order::Sequence, Order::Shuffle, Order::Random][..]),
        steps in proptest::collection::vec((any::<bool>(), 0usize..12), 0..80),
    ) {
        let source = numbers(count, order, AtEnd::Stop, 3);
        let (mut held, mut seen) = (Vec::new(), HashSet::new());
        for (take, which) in steps {
            if !take && !held.is_empty() {
                drop(held.swap_remove(which % held.len()));
                continue;
            }
            match source.lease(None) {
                Ok(lease) => {
                    let row = number(&lease.row);
                    let fresh = seen.insert(row);
                    prop_assert!(fresh || seen.len() as i64 == count);
                    held.push(lease);
                }
                Err(_) => prop_assert_eq!(held.len() as i64, count),
            }
            let rows: HashSet<_> = held.iter().map(|lease: &Lease| number(&lease.row)).collect();
            prop_assert_eq!(rows.len(), held.len());
        }
    }

    #[test]
    fn what_is_written_as_csv_is_read_again(
        table in (1usize..5).prop_flat_map(|width| {
            proptest::collection::vec(
                proptest::collection::vec("([a-z한\u{feff}\u{85} ,;.:\"\r\n\t|]|\\PC){0,6}", width),
                1..30,
            )
        }),
        delimiter in proptest::sample::select(&b",;|\t."[..]),
        windows: bool,
        mark: bool,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() });
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let kept = file("a.csv", writer.into_inner().unwrap());
        let from = From::File {
            path: kept.path.clone(),
            format: None,
            header: false,
            delimiter: Some(delimiter),
            columns: None,
        };
        let want: Vec<_> =
            table.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        prop_assert_eq!(all(&from), want);
    }

    #[test]
    fn any_bytes_are_rows_or_a_mistake_and_the_same_from_memory_and_from_the_file(
        text in "([a-c\",;\r\n. \u{feff}{}:0-9\\[\\]]|\\PC){0,200}",
        name in proptest::sample::select(&["a.csv", "a.jsonl", "a.json"][..]),
        header: bool,
        broken in proptest::option::of(any::<u8>()),
    ) {
        let mut bytes = text.into_bytes();
        bytes.extend(broken);
        let kept = file(name, bytes);
        let from = From::File {
            path: kept.path.clone(),
            format: None,
            header,
            delimiter: None,
            columns: None,
        };
        let whole = Source::open(&definition(from.clone()), 1);
        let parts = Source::within(&definition(from.clone()), 1, &tiny());
        match (whole, parts) {
            (Ok(whole), Ok(parts)) => {
                prop_assert_eq!(whole.rows(), parts.rows());
                prop_assert_eq!(whole.columns(), parts.columns());
                all(&from);
            }
            (whole, parts) => {
                prop_assert_eq!(whole.map(|_| ()).unwrap_err(), parts.map(|_| ()).unwrap_err());
            }
        }
    }

    #[test]
    fn lines_of_json_are_the_same_from_memory_and_from_the_file(
        rows in proptest::collection::vec(("[a-c]{1,2}", "[a-z한\"\n]{0,20}", 0u8..4), 1..40),
    ) {
        let mut text = String::new();
        let mut want = Vec::new();
        for (key, value, blank) in rows {
            let row = serde_json::json!({ key: value, "n": blank }).to_string();
            text.push_str(&row);
            text.push_str(["\n", "\r\n", "\n\n", "\n \r\n"][usize::from(blank)]);
            want.push(row);
        }
        prop_assert_eq!(all(&From::file(&file("a.jsonl", text).path)), want);
    }
}
