//! Checks of exchanges, HAR files, recordings and the probe.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod checks;
mod har;
mod mutations;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../../tests/support/points.rs"]
mod points;
mod probe;
mod recording;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../../tests/support/schemas.rs"]
mod schemas;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../../tests/support/values.rs"]
mod values;

use sentinelone_contract::OperationSpec;

/// Returns whether people have checked the operation. The values of these tests do not fit all patterns of the others.
fn is_curated(operation: &OperationSpec) -> bool {
    operation.x_s1()["tier"] == "curated"
}
