//! Owns the tests of functions.
