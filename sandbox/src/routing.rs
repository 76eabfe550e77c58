//! Authentication, and the operation of a request.

use http::StatusCode;
use serde_json::{Map, Value};

use sentinelone_contract::{Contract, OperationMatch};

use super::message::{SandboxRequest, SandboxResponse};

/// The accepted token.
pub(super) const TOKEN: &str = "sandbox-token";

/// Returns the operation of a request. A request without the token gets status 401, also for an unknown path, unless
/// the operation needs no token.
pub(super) fn route<'a>(
    contract: &'a Contract,
    request: &SandboxRequest<'_>,
) -> Result<OperationMatch<'a>, SandboxResponse> {
    let found = contract.match_operation(request.method, request.path);
    if !found.as_ref().is_some_and(needs_no_token) && !has_token(request.authorization) {
        let detail =
            "Set the header Authorization to ApiToken, a space and the token of the sandbox".to_owned();
        return Err(SandboxResponse::error(StatusCode::UNAUTHORIZED, "Authentication Failed", [detail]));
    }
    let other_version = match found {
        Some(found) if exists_in_version(&found) => return Ok(found),
        other => other,
    };
    let methods = allowed_methods(contract, request.path);
    if !methods.is_empty() {
        let detail = format!("{} supports {}, not {}", request.path, methods.join(", "), request.method);
        return Err(SandboxResponse::error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", [detail]));
    }
    Err(SandboxResponse::not_found(match other_version {
        Some(found) => format!("{} does not exist on this API version", found.operation.id()),
        None => format!("{} is not in the specification", request.path),
    }))
}

/// Returns the methods of a path in the API version of the path, sorted; empty if it has none.
pub(super) fn allowed_methods<'a>(contract: &'a Contract, path: &str) -> Vec<&'a str> {
    let methods = contract.allowed_methods(path).into_iter();
    let exists =
        |method: &&str| contract.match_operation(method, path).as_ref().is_some_and(exists_in_version);
    methods.filter(exists).collect()
}

/// Returns whether the specification declares the operation without a security requirement.
fn needs_no_token(found: &OperationMatch<'_>) -> bool {
    let security = found.operation.as_json().get("security").and_then(Value::as_array);
    security.is_some_and(|alternatives| {
        alternatives.is_empty() || alternatives.iter().any(|one| one.as_object().is_some_and(Map::is_empty))
    })
}

/// Returns whether the header `Authorization` has the token of the sandbox. The case of the scheme is ignored, and any
/// number of spaces can follow it.
fn has_token(authorization: Option<&str>) -> bool {
    let parts = authorization.and_then(|value| value.trim().split_once([' ', '\t']));
    parts
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("ApiToken") && token.trim_start() == TOKEN)
}

/// Returns whether the API version of the path has the operation.
fn exists_in_version(found: &OperationMatch<'_>) -> bool {
    found.version.is_some_and(|version| found.operation.versions().contains(&version))
}
