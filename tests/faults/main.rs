//! The transport against a console that fails in every way that a console can, and a network too.
#![cfg(feature = "contract")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod actions;
#[path = "../support/clock.rs"]
mod clock;
mod files;
mod laws;
mod limits;
mod matrix;
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

/// A token that is long enough to be found wherever it turns up.
const TOKEN: &str = "eyJ-not-a-real-token-of-the-fault-tests";

/// Says something that is seen when all is well too: libtest keeps back what the macros print, and nothing else.
fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}
