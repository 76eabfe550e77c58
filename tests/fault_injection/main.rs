//! Fault injection: the transport with a server and a network that fail in many ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod actions;
mod call_settings;
#[path = "../support/clock.rs"]
mod clock;
mod files;
mod matrix;
mod queries;
mod rate_limits;
mod remedies;
mod retry;
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

/// A token that is long enough to search for in errors and requests.
const TOKEN: &str = "eyJ-not-a-real-token-of-the-fault-tests";

/// Prints a line even if the test passes. libtest captures only the output of the print macros.
fn print_line(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}
