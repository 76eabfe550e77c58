//! Fetching and mirroring of incidents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/incident_consoles.rs"]
mod consoles;
mod fetching;
mod mirroring;
