//! Files of the repository: documents, examples and packages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod checks;
mod examples;
mod packages;
