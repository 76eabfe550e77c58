//! Properties of all operations, commands, filters and fixtures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod documented_calls;
mod filters;
mod fixtures;
mod malformed_input;
mod operations;
#[path = "../support/parsers.rs"]
mod parsers;
mod places;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/points.rs"]
mod points;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/schemas.rs"]
mod schemas;
#[path = "../support/mod.rs"]
mod support;
mod valid;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/values.rs"]
mod values;
mod vendor_document;
