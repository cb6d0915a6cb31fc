//! Any bytes as an answer: at once and in pieces they read the same, and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throng::protocol::http::check_pieces;

fuzz_target!(|bytes: &[u8]| check_pieces(bytes));
