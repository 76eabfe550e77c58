//! Fuzz target: exchange files.
#![no_main]

#[allow(dead_code, reason = "each target uses one of the parsers")]
#[path = "../../tests/support/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::exchange(bytes));
