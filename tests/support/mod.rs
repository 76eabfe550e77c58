//! Shared by several test targets: the fixtures and their requests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sentinelone::Request;
use sentinelone::raw::runtime::RequestParts;
use sentinelone_contract::Contract;
use sentinelone_contract::fixture::{Exchange, read_dir};
use serde_json::Value;

/// Returns the exchanges in `fixtures/`.
pub(crate) fn fixtures() -> Vec<(PathBuf, Exchange)> {
    read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap()
}

/// Returns whether people have checked an operation.
pub(crate) fn is_curated(id: &str) -> bool {
    sentinelone::raw::OPERATIONS.iter().any(|one| one.id == id && one.tier == sentinelone::Tier::Curated)
}

/// Builds the request of a fixture with the typed functions.
pub(crate) fn request_of(
    id: &str,
    exchange: &Exchange,
    path_params: &BTreeMap<String, String>,
) -> Request<Value> {
    let contract = Contract::bundled();
    let query = contract.query_to_json(contract.operation(id).unwrap(), &exchange.query());
    let headers = exchange.request.headers.iter();
    let parts = RequestParts {
        path_params: path_params.clone(),
        query,
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        body: exchange.request.body.clone(),
    };
    sentinelone::raw::request_from_parts(id, &parts).unwrap_or_else(|error| panic!("{id}: {error}"))
}
