//! The client against mock consoles: requests, pages, responses, errors, files, tracing spans and secrets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod builders;
mod calls;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/clock.rs"]
mod clock;
mod documented;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/echo.rs"]
mod echo;
mod files;
mod queries;
mod repairs;
mod resources;
mod secrets;
mod spans;
mod streams;
mod transport;
#[cfg(feature = "unified-alerts")]
mod unified_alerts;
