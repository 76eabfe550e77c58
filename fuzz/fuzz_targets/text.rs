//! Times, addresses and other texts that people and consoles write.
#![no_main]

#[allow(dead_code, reason = "each target has one of the shapes")]
#[path = "../../tests/support/shapes.rs"]
mod shapes;

libfuzzer_sys::fuzz_target!(|text: &str| shapes::text(text));
