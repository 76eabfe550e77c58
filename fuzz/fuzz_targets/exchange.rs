//! Files of exchanges of any bytes.
#![no_main]

#[allow(dead_code, reason = "each target has one of the shapes")]
#[path = "../../tests/support/shapes.rs"]
mod shapes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shapes::exchange(bytes));
