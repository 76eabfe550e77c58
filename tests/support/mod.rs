//! What several test targets share: the fixtures, and the requests in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sentinelone::Request;
use sentinelone::contract::Contract;
use sentinelone::contract::fixture::{Exchange, read_all};
use sentinelone::raw::runtime::Parts;
use serde_json::Value;

/// The exchanges of the project.
pub(crate) fn fixtures() -> Vec<(PathBuf, Exchange)> {
    read_all(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap()
}

/// Builds the request of a fixture through the typed functions.
pub(crate) fn request_of(
    id: &str,
    exchange: &Exchange,
    segments: &BTreeMap<String, String>,
) -> Request<Value> {
    let contract = Contract::bundled();
    let query = contract.query_to_json(contract.operation(id).unwrap(), &exchange.query());
    let parts = Parts { segments: segments.clone(), query, body: exchange.request.body.clone() };
    sentinelone::raw::request_of(id, &parts).unwrap_or_else(|error| panic!("{id}: {error}"))
}
