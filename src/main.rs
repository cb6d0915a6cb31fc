//! The program `throng`.

fn main() {}
