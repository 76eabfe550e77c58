//! Fuzz target: parsers of times, URLs and other strings.
#![no_main]

#[allow(dead_code, reason = "each target uses one of the parsers")]
#[path = "../../tests/support/parsers.rs"]
mod parsers;

libfuzzer_sys::fuzz_target!(|text: &str| parsers::text(text));
