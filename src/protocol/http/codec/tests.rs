//! Owns examples of answers, good and bad, each read in pieces of every size.

use super::pieces::{Read, read};
use super::*;

/// The same for every size of piece.
fn read_every_way(bytes: &[u8], head_only: bool) -> Read {
    let whole = read(bytes, &[bytes.len().max(1)], head_only);
    for size in 1..bytes.len() {
        assert_eq!(read(bytes, &[size], head_only), whole, "in pieces of {size}");
    }
    whole
}

#[track_caller]
fn good(bytes: &str, status: u16, body: &str, keeps_alive: bool) {
    let expected = Ok((status, body.as_bytes().to_vec(), keeps_alive));
    assert_eq!(read_every_way(bytes.as_bytes(), false), expected, "{bytes:?}");
}

#[track_caller]
fn bad(bytes: impl AsRef<[u8]>, fault: Fault) {
    let bytes = bytes.as_ref();
    assert_eq!(read_every_way(bytes, false), Err(fault), "{}", bytes.escape_ascii());
}

#[test]
fn a_body_ends_where_its_length_says() {
    good("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true);
    good("HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n", 201, "", true);
    good(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        200,
        "hello",
        true,
    );
    good("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", 200, "hello", true);
    good(
        "HTTP/1.1 200 OK\r\nContent-Length: 0000000000000000000000005\r\n\r\nhello",
        200,
        "hello",
        true,
    );
    good("HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", 200, "hello", true);
}

#[test]
fn a_length_that_is_no_number_or_two_is_refused() {
    for value in
        ["-5", "+5", "abc", "5 5", "", "5,", "5, 6", "0x5", "5.0", "99999999999999999999999"]
    {
        bad(
            format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhello"),
            Fault::FramingLength,
        );
    }
    bad(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        Fault::FramingLength,
    );
}

#[test]
fn chunks_may_have_extensions_and_trailers() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    good(&format!("{HEAD}5\r\nhello\r\n0\r\n\r\n"), 200, "hello", true);
    good(&format!("{HEAD}3;a=b\r\nhel\r\n002 ; c=\"d\"\r\nlo\r\n00\r\n\r\n"), 200, "hello", true);
    good(
        &format!("{HEAD}A\r\n0123456789\r\na\t\r\n0123456789\r\n0\r\nX: y\r\nZ:\r\n\r\n"),
        200,
        "01234567890123456789",
        true,
    );
    good(&format!("{HEAD}1\r\n\n\r\n0;last\r\nX: y\n\n"), 200, "\n", true);
}

#[test]
fn broken_chunks_are_refused() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "xyz\r\n",
        "\r\nhello",
        "-5\r\nhello",
        "0x5\r\nhello",
        "5 5\r\nhello",
        "5\nhello\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5\rhello",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "10000000000000000\r\n",
        "0\r\n\r!",
    ] {
        bad(format!("{HEAD}{body}"), Fault::FramingChunk);
    }
    for body in ["", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "0\r\n", "0\r\nX: y\r\n"] {
        bad(format!("{HEAD}{body}"), Fault::BodyTruncated);
    }
}

#[test]
fn only_chunked_is_a_known_coding() {
    for value in ["gzip", "gzip, chunked", "chunked, chunked", "chunked;q=1", "identity", ""] {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {value}\r\n\r\n");
        bad(head, Fault::FramingCoding);
    }
    bad(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        Fault::FramingCoding,
    );
}

#[test]
fn chunked_wins_over_a_length_and_closes() {
    for length in ["5", "3", "abc"] {
        for fields in [
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        ] {
            good(
                &format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
                200,
                "hi",
                false,
            );
        }
    }
    good(
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        200,
        "",
        false,
    );
}

#[test]
fn without_a_length_the_body_ends_with_the_connection() {
    good("HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello", false);
    good("HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello", false);
    good("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, "", false);
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    for (status, head_only) in [(204, false), (304, false), (200, true), (404, true)] {
        for field in
            ["Content-Length: 5", "Content-Length: abc", "Transfer-Encoding: chunked", "X: y"]
        {
            let head = format!("HTTP/1.1 {status} OK\r\n{field}\r\n\r\n");
            let expected = Ok((status, Vec::new(), true));
            assert_eq!(read_every_way(head.as_bytes(), head_only), expected, "{head}");
        }
    }
}

#[test]
fn bytes_beyond_the_end_are_not_the_next_answer() {
    for (bytes, head_only) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true),
    ] {
        let (status, body, keeps_alive) = read_every_way(bytes.as_bytes(), head_only).unwrap();
        let body_expected: &[u8] = if head_only { b"" } else { b"hi" };
        assert_eq!((status, &*body, keeps_alive), (200, body_expected, false), "{bytes:?}");
    }
}

#[test]
fn version_and_connection_say_whether_to_keep_alive() {
    for (version, field, keeps_alive) in [
        ("1.1", "X: close", true),
        ("1.0", "X: keep-alive", false),
        ("1.1", "Connection: close", false),
        ("1.1", "CONNECTION: CLOSE", false),
        ("1.1", "Connection: upgrade ,\tClose", false),
        ("1.1", "Connection: x\r\nConnection: close", false),
        ("1.1", "Connection: keep-alive, close", false),
        ("1.1", "Connection: closed", true),
        ("1.0", "Connection: Keep-Alive", true),
        ("1.0", "Connection: keep-alive\r\nConnection: close", false),
    ] {
        let bytes = format!("HTTP/{version} 200 OK\r\n{field}\r\nContent-Length: 2\r\n\r\nhi");
        good(&bytes, 200, "hi", keeps_alive);
    }
}

#[test]
fn a_new_answer_does_not_remember_the_last() {
    let mut reader = ResponseReader::new();
    reader.begin(Wanted { head_only: true, ..Wanted::default() });
    assert_eq!(
        reader.feed(b"HTTP/1.1 100 OK\r\n\r\nHTTP/1.0 200 OK\r\n\r\n", &mut Vec::new(), None),
        Ok(true)
    );
    assert!(!reader.keeps_alive());
    reader.begin(Wanted::default());
    assert!(!reader.begun());
    assert_eq!(
        reader.feed(b"HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nhi", &mut Vec::new(), None),
        Ok(true)
    );
    assert_eq!((reader.status(), reader.body_bytes(), reader.interims()), (404, 2, 0));
    assert!(reader.keeps_alive());
}

#[test]
fn long_trailers_do_not_count_for_the_next_answer() {
    let trailers = "X: y\r\n".repeat(2_000);
    let answer =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}\r\n");
    let mut reader = ResponseReader::new();
    for _ in 0..3 {
        reader.begin(Wanted::default());
        assert_eq!(reader.feed(answer.as_bytes(), &mut Vec::new(), None), Ok(true));
    }
}

#[test]
fn interim_responses_are_passed_over() {
    const FINAL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    good(
        &format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n{FINAL}"),
        200,
        "hi",
        true,
    );
    let interim = "HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n";
    good(&format!("{}{FINAL}", interim.repeat(16)), 200, "hi", true);
    bad(format!("{}{FINAL}", interim.repeat(17)), Fault::LimitInterim);
    bad(interim, Fault::HeadClosed);
    bad("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Fault::HeadUpgrade);
}

#[test]
fn a_head_may_be_sloppy_in_known_ways() {
    good("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
    good("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
    good("HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nhi", 999, "hi", true);
    good("HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nhi", 200, "hi", true);
    good("HTTP/1.1 200 OK\r\nX: y\r\n  folded\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
    good("HTTP/1.1 200 Über\r\nX: ü\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true);
}

#[test]
fn what_is_not_http_is_called_so() {
    for bytes in [
        "\u{0}\u{1}garbage",
        "<html>hello</html>",
        "Hello, this is HTTP/0.9",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/x.y 200 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: y\r\n\r\n",
    ] {
        bad(bytes, Fault::HeadInvalid);
    }
    for bytes in ["HTTP/7.3 200 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n"] {
        bad(bytes, Fault::HeadVersion);
    }
}

#[test]
fn an_end_is_named_by_what_it_cut() {
    bad("", Fault::HeadClosed);
    bad("HTTP/1.1 20", Fault::HeadTruncated);
    bad("HTTP/1.1 200 OK\r\nContent-Le", Fault::HeadTruncated);
    bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", Fault::HeadTruncated);
    bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", Fault::BodyTruncated);
}

#[test]
fn a_head_has_its_limits() {
    // 64 KiB with the blank line, and one byte more.
    let fixed = "HTTP/1.1 204 No Content\r\nX: \r\n\r\n".len();
    for (length, expected) in [
        (HEAD_MAX, Ok((204, Vec::new(), true))),
        (HEAD_MAX + 1, Err(Fault::LimitHead)),
        (300_000, Err(Fault::LimitHead)),
    ] {
        let value = "x".repeat(length - fixed);
        let head = format!("HTTP/1.1 204 No Content\r\nX: {value}\r\n\r\n");
        for size in [1, 1_000, HEAD_MAX - 1, HEAD_MAX, HEAD_MAX + 1, length] {
            assert_eq!(read(head.as_bytes(), &[size], false), expected, "{length} by {size}");
        }
    }
    for (fields, expected) in [
        (128, Ok((204, Vec::new(), true))),
        (129, Err(Fault::LimitHead)),
        (3_000, Err(Fault::LimitHead)),
    ] {
        let head = format!("HTTP/1.1 204 No Content\r\n{}\r\n", "X: y\r\n".repeat(fields));
        for size in [1, 7, 1_000, head.len()] {
            assert_eq!(read(head.as_bytes(), &[size], false), expected, "{fields} by {size}");
        }
    }
}

#[test]
fn a_body_has_its_limits() {
    let endless = |head: &str, piece: &[u8]| {
        let mut reader = ResponseReader::new();
        reader.feed(head.as_bytes(), &mut Vec::new(), None).unwrap();
        (0..).find_map(|_| reader.feed(piece, &mut Vec::new(), None).err()).unwrap()
    };
    let zeros = [0; 64 * 1024];
    assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", &zeros), Fault::LimitBody);

    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [b"10000\r\n", &zeros[..], b"\r\n"].concat();
    assert_eq!(endless(chunked, &chunk), Fault::LimitBody);
    bad(format!("{chunked}4000001\r\n"), Fault::LimitBody);
    assert_eq!(endless(&format!("{chunked}5;"), b"extension"), Fault::FramingChunk);
    assert_eq!(endless(chunked, b"0"), Fault::FramingChunk);
    assert_eq!(endless(&format!("{chunked}0\r\n"), b"X: y\r\n"), Fault::LimitHead);

    bad("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n", Fault::LimitBody);
    bad("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n", Fault::BodyTruncated);
}

#[test]
fn a_body_that_is_not_kept_is_counted() {
    let mut reader = ResponseReader::new();
    assert_eq!(
        reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", &mut Vec::new(), None),
        Ok(false)
    );
    assert_eq!((reader.in_body(), reader.body_bytes()), (true, 4));
    assert_eq!(reader.feed(b"56789", &mut Vec::new(), None), Ok(true));
    assert_eq!(reader.body_bytes(), 9);
}
